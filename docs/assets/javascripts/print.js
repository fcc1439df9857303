// On paper nothing can be unfolded or loaded later: before printing, all that is folded is opened,
// and the pictures of the light theme, which the dark one never shows, are loaded.

let folded = [];

addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("article details:not([open])")];
  for (const details of folded) details.open = true;
  for (const image of document.querySelectorAll("article img[loading]")) image.loading = "eager";
});

addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
