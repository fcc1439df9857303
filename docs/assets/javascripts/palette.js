// The switch of the colours in the header (overrides/partials/palette.html). What was chosen is
// kept as the theme keeps it, by its place among the choices.

const KEY = "__palette";
const button = document.querySelector(".book-palette");
const choices = [...button.children];
const system = matchMedia("(prefers-color-scheme: dark)");
const bar = document.createElement("meta"); // the colour of a phone's own bar above the page
bar.name = "theme-color";
document.head.append(bar);

let { index } = __md_get(KEY) ?? {};
if (!choices[index]) index = 0;

function show() {
  const { scheme, name } = choices[index].dataset;
  const isDark = scheme ? scheme === "slate" : system.matches;
  document.body.dataset.mdColorScheme = isDark ? "slate" : "default";
  // Written anew, even as it was, it lets a browser give the whole page its style again.
  const meta = document.querySelector('[name="color-scheme"]');
  const shown = isDark ? "dark" : "light";
  if (meta.content !== shown) meta.content = shown;
  bar.content = getComputedStyle(document.querySelector(".md-header")).backgroundColor;
  choices.forEach((choice, i) => (choice.hidden = i !== index));
  button.title = button.ariaLabel = name;
}

button.addEventListener("click", () => {
  index = (index + 1) % choices.length;
  __md_set(KEY, { index });
  show();
});
system.addEventListener("change", show);
show();
button.hidden = false;
