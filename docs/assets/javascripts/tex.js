// Copies a displayed formula as TeX: a button beside the one under the pointer, and the key T for
// the one in the middle of the screen (shortcuts.js).

import "./copied.js"; // what is selected is copied so too
import { formulas, isOffered, load, texOf } from "./formulas.js";

const FORMULAS = "article div.math";
let formula, timer;

const button = document.createElement("button");
button.type = "button";
button.className = "book-tex";
button.tabIndex = -1; // the key does the same
button.hidden = true;
button.ariaLive = "polite";
document.body.append(button);

function show(chosen, text = "Copy as TeX") {
  clearTimeout(timer);
  formula = chosen;
  button.textContent = text;
  button.hidden = false;
  const { right, top } = formula.getBoundingClientRect();
  button.style.left = `${scrollX + right - button.offsetWidth}px`;
  button.style.top = `${scrollY + top - button.offsetHeight}px`;
}

async function write(chosen) {
  await load();
  const tex = texOf(chosen);
  if (tex === undefined) throw new Error("its TeX is not there");
  await navigator.clipboard.writeText(tex);
}

async function copy(chosen) {
  show(chosen, await write(chosen).then(() => "Copied", () => "It could not be copied"));
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
  const there = formulas().filter((one) => one.matches(FORMULAS) && one.offsetParent);
  const [nearest] = there.sort((a, b) => far(a) - far(b));
  if (nearest && far(nearest) < innerHeight / 2) copy(nearest);
}

if (isOffered && navigator.clipboard) {
  addEventListener("book-tex", copyNearest);
  button.addEventListener("click", () => copy(formula));
  addEventListener("pointerover", ({ target }) => {
    const under = target.closest?.(FORMULAS);
    if (under && (under !== formula || button.hidden)) show(under);
    else if (under || target === button) clearTimeout(timer);
    else if (!button.hidden) hideSoon(400);
  });
}
