// What a reference leads to, small: a figure with its caption, an equation, or a source's line. From
// this page, or from one that is fetched for it; from the disk nothing can be fetched.

const pages = new Map();

function page(address) {
  if (address === location.href.split("#")[0]) return document;
  if (!pages.has(address)) {
    const parsed = fetch(address)
      .then((answer) => answer.text())
      .then((html) => new DOMParser().parseFromString(html, "text/html"));
    parsed.catch(() => pages.delete(address)); // the next time it is fetched anew
    pages.set(address, parsed);
  }
  return pages.get(address);
}

function small(figure, address) {
  const theme = document.body.dataset.mdColorScheme === "slate" ? "dark" : "light";
  const there = figure.querySelector(`img.book-${theme}`);
  const caption = figure.querySelector("figcaption");
  if (!there || !caption) return undefined;
  const image = new Image(there.getAttribute("width"), there.getAttribute("height"));
  image.alt = ""; // the caption says it in a line
  image.src = new URL(there.getAttribute("src"), address);
  const text = document.createElement("p");
  text.textContent = caption.textContent;
  const whole = document.createElement("div");
  whole.append(image, text);
  return whole;
}

/** A node, or nothing where there is nothing to show. */
export async function preview(link) {
  const [address, name] = link.href.split("#");
  const target = (await page(address)).getElementById(decodeURIComponent(name));
  if (target?.localName === "figure") return small(target, address);
  if (target?.matches(".book-equation")) return target.querySelector("math")?.cloneNode(true);
  return target?.closest("li")?.textContent.replace(/\s*Cited in .*/s, "");
}
