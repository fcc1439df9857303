// Makes the drawn map of the chapters one that can be followed: a link over each title. Keyboards and
// screen readers have the same links in the list below it.

const TITLES = /<!-- (.+?) -->\s*<g [^>]*translate\(([\d.]+) ([\d.]+)\)/g;
const TOP = 11; // from the top of a title to its foot, in units of the drawing
const BEFORE = 36; // from where a link begins to its title: the chapter's mark and number stand there

/** Lay the links of the list over the picture's titles, which the drawing names in its comments. */
export async function follow(figure, listed) {
  const picture = figure.querySelector("img.book-light");
  const drawing = await (await fetch(picture.src)).text();
  const [width, height] = drawing.match(/viewBox="0 0 ([\d.]+) ([\d.]+)"/).slice(1).map(Number);
  const layer = document.createElement("span");
  layer.className = "book-map";
  layer.ariaHidden = "true";
  layer.style.maxWidth = `${picture.width}px`;
  for (const [, title, x, y] of drawing.matchAll(TITLES)) {
    const link = listed.find((one) => one.textContent.replace("✓", "") === title);
    if (!link) continue; // a number, the name of a part
    const over = document.createElement("a");
    over.href = link.href;
    over.tabIndex = -1;
    over.title = title;
    over.style.left = `${(100 * (x - BEFORE)) / width}%`;
    over.style.top = `${(100 * (y - TOP)) / height}%`;
    layer.append(over);
  }
  picture.parentElement.append(layer);
}
