// On paper nothing can be unfolded or loaded later: before printing, all that is folded is opened,
// and the pictures that have not come yet are brought: those farther down, and where the theme is
// dark, those of the light one.

let folded = [];
let brought = [];

// A browser prints when the listener returns, whatever is still on its way. So the one request that
// waits for its answer is made, and the drawing stands in the page itself.
function bring(image) {
  const request = new XMLHttpRequest();
  request.open("GET", image.src, false);
  request.send();
  // The page's policy lets scripts set a style, and no markup.
  const text = request.responseText
    .replaceAll(' style="', ' data-style="')
    .replace(/<style.*?<\/style>/s, "");
  const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  for (const node of drawing.querySelectorAll("[data-style]")) node.style.cssText = node.dataset.style;
  drawing.setAttribute("class", "book-brought");
  image.before(drawing);
  brought.push(drawing);
}

addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("article details:not([open])")];
  for (const details of folded) details.open = true;
  for (const image of document.querySelectorAll("article img.book-light")) {
    try {
      if (!image.naturalWidth) bring(image);
    } catch {
      image.loading = "eager"; // from the disk nothing can be asked for; it may come in time
    }
  }
});

addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
  for (const drawing of brought) drawing.remove();
  brought = [];
});
