// Selected text is copied with its formulas as TeX. The clipboard must be filled while the event
// lasts, so the TeX is fetched when a selection first touches a formula.

import { formulas, isOffered, load, texOf } from "./formulas.js";

const touched = (selection) => formulas().filter((one) => selection.containsNode(one, true));

// A formula that is touched is copied whole.
function whole(selection) {
  const range = selection.getRangeAt(0).cloneRange();
  const around = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
  const first = around(range.startContainer)?.closest(".math");
  const last = around(range.endContainer)?.closest(".math");
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  return range.cloneContents();
}

// As a browser would copy it, with its line breaks: for that it must stand in the page.
function written(fragment) {
  const place = document.createElement("div");
  place.style.cssText = "position: fixed; left: -200vw; width: 100vw";
  place.append(fragment);
  document.body.append(place);
  const text = place.innerText.trim();
  const html = place.innerHTML;
  place.remove();
  return { text, html };
}

function fill(event) {
  const selection = getSelection();
  if (selection.isCollapsed) return;
  const sources = touched(selection).map((one) => [texOf(one), one.matches("div")]);
  if (!sources.length || sources.some(([tex]) => tex === undefined)) return;
  const fragment = whole(selection);
  const inside = [...fragment.querySelectorAll(".math")];
  const alone = inside.length === 1 && fragment.textContent.trim() === inside[0].textContent.trim();
  inside.forEach((one, i) => {
    const [tex, isDisplayed] = sources[i];
    // A full stop after a formula stands with it, so that no line begins with that.
    const stop = one.lastChild?.nodeType === Node.TEXT_NODE ? one.lastChild.data : "";
    const around = isDisplayed ? "$$" : "$";
    one.replaceChildren(alone ? tex : around + tex + around + stop);
  });
  const { text, html } = written(fragment);
  event.clipboardData.setData("text/plain", text);
  event.clipboardData.setData("text/html", html);
  event.preventDefault();
}

if (isOffered) {
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    if (!selection.isCollapsed && touched(selection).length) load();
  });
  document.addEventListener("copy", fill);
}
