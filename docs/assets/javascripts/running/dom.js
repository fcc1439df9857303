// Making elements, and telling what happens to those who do not see it.

/** element("p", { class: "x" }, "text", child): attributes, then children. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function button(text, act, attributes = {}) {
  const node = element("button", { type: "button", class: "book-button", ...attributes }, text);
  node.addEventListener("click", (event) => node.getAttribute("aria-disabled") === "true" || act(event));
  return node;
}

/** Show an element, or hide it. */
export function show(node, isShown) {
  node.hidden = !isShown;
}

/** Let a button be pressed, or not; it keeps the focus that it has. */
export function enable(node, isEnabled) {
  node.setAttribute("aria-disabled", String(!isEnabled));
}

/** A text of the grader's, with its code as code. */
export const coded = (text) => text.split("`").map((piece, i) => (i % 2 ? element("code", {}, piece) : piece));

let region;

/** Say something to screen readers. */
export function say(text) {
  if (!region?.isConnected) {
    region = element("p", { class: "book-said", role: "status" });
    document.querySelector("article").append(region);
  }
  region.textContent = text.replaceAll("`", "");
}

const sheet = new URL("run.css", import.meta.url).href;

/** Load what this looks like, once; nobody needs it before. */
export function style() {
  if ([...document.styleSheets].some(({ href }) => href === sheet)) return Promise.resolve();
  const link = element("link", { rel: "stylesheet", href: sheet });
  return new Promise((done) => {
    link.addEventListener("load", done);
    link.addEventListener("error", done);
    document.head.append(link);
  });
}

/** Give the reader a file. */
export function save(name, content, type = "text/plain") {
  const address = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
