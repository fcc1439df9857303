// Copies a displayed formula as TeX: a button beside the one under the pointer, and the key T for
// the one in the middle of the screen (shortcuts.js).
//
// A page has its formulas as MathML alone. Their TeX is in a file beside it, in the same order. From
// the disk, where nothing can be fetched, it is not offered.

const FORMULAS = "article div.math";
const isOffered = location.protocol !== "file:" && Boolean(navigator.clipboard);
let formula, timer, page, sources;

const button = document.createElement("button");
button.type = "button";
button.className = "book-tex";
button.tabIndex = -1; // the key does the same
button.hidden = true;
button.ariaLive = "polite";
document.body.append(button);

const formulas = () => [...document.querySelectorAll(FORMULAS)];

function show(chosen, text = "Copy as TeX") {
  clearTimeout(timer);
  formula = chosen;
  button.textContent = text;
  button.hidden = false;
  const { right, top } = formula.getBoundingClientRect();
  button.style.left = `${scrollX + right - button.offsetWidth}px`;
  button.style.top = `${scrollY + top - button.offsetHeight}px`;
}

async function texOf(chosen) {
  if (page !== location.pathname) sources = undefined;
  page = location.pathname;
  sources ??= fetch("formulas.json").then((answer) => answer.json());
  return (await sources)[formulas().indexOf(chosen)];
}

async function copy(chosen) {
  const done = texOf(chosen).then((tex) => navigator.clipboard.writeText(tex));
  const told = await done.then(() => "Copied", () => "It could not be copied");
  if (told !== "Copied") sources = undefined; // the next press fetches anew
  show(chosen, told);
  hideSoon(2000);
}

function hideSoon(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(() => (button.hidden = true), milliseconds);
}

function copyNearest() {
  const far = (one) => {
    const { bottom, top } = one.getBoundingClientRect();
    return Math.max(top - innerHeight / 2, innerHeight / 2 - bottom, 0);
  };
  const [nearest] = formulas().filter((one) => one.offsetParent).sort((a, b) => far(a) - far(b));
  if (nearest && far(nearest) < innerHeight / 2) copy(nearest);
}

if (isOffered) {
  addEventListener("book-tex", copyNearest);
  button.addEventListener("click", () => copy(formula));
  addEventListener("pointerover", ({ target }) => {
    const under = target.closest?.(FORMULAS);
    if (under && (under !== formula || button.hidden)) show(under);
    else if (under || target === button) clearTimeout(timer);
    else if (!button.hidden) hideSoon(400);
  });
}
