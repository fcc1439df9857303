// Keys of this site, a list of them ("?"), and a switch for those who want none: a key by itself may
// be pressed by accident, or by somebody who speaks to the computer.

const BASE = new URL("../../", import.meta.url); // of the site
const OFF = `${BASE.pathname}book.keys.off`;
const KEYS = [
  ["?", "this list"],
  ["/ or S or F", "search"],
  ["P and N", "the page before, the page after"],
  ["M", "the map of the chapters"],
  ["C", "copy the code in the middle of the screen"],
  ["T", "copy the formula in the middle of the screen, as TeX"],
  ["D", "light, dark, or as the system has it"],
];

const COPY = "article .md-code__button";

const stored = (change) => {
  try {
    if (change !== undefined) localStorage.setItem(OFF, change ? "1" : "");
    return Boolean(localStorage.getItem(OFF));
  } catch {
    return Boolean(change);
  }
};
let off;

/** Without keys, the buttons that copy code are stops of the Tab key, see copy(). */
function use(change) {
  off = stored(change);
  document.documentElement.dataset.keys = off ? "off" : "on";
  for (const button of document.querySelectorAll(COPY)) button.tabIndex = off ? 0 : -1;
}

const dialog = document.createElement("dialog");
dialog.className = "book-dialog md-typeset";
dialog.setAttribute("aria-labelledby", "book-keys");
dialog.innerHTML = `<h2 id="book-keys">Keyboard shortcuts</h2>
<dl>${KEYS.map(([key, what]) => `<div><dt>${key}</dt><dd>${what}</dd></div>`).join("")}</dl>
<p><label><input type="checkbox"> These keys work</label></p>
<form method="dialog"><button class="md-button">Close</button></form>`;
document.body.append(dialog);
const works = dialog.querySelector("input");
works.addEventListener("change", () => use(!works.checked));

function list() {
  works.checked = !off;
  dialog.showModal();
}

const WRITING = "input:not([type=radio], [type=checkbox], [type=range]), select, textarea";
// Where the key is pressed: from outside the editors of cells hide it (running/editor.js).
const typing = (event) => {
  const [target] = event.composedPath();
  return target.isContentEditable || target.matches?.(WRITING);
};

addEventListener(
  "keydown",
  (event) => {
    const { altKey, ctrlKey, key, metaKey } = event;
    if (altKey || ctrlKey || metaKey || key.length > 1 || key === " " || typing(event)) return;
    // Before the theme sees it: it has keys of its own.
    if (off || dialog.open) return event.stopPropagation();
    const act = { "?": list, c: copy, d: theme, m: map, t: tex }[key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  },
  { capture: true },
);

const tex = () => dispatchEvent(new Event("book-tex"));
const theme = () => document.querySelector(".book-palette")?.click();
const map = () => (location.href = new URL("foundations/reading/#the-chapters-in-order", BASE));

/** One key for all of them: a stop for each block of code would be in everyone's way. */
function copy() {
  const far = (button) => {
    const { bottom, top } = button.closest("pre").getBoundingClientRect();
    return Math.max(top - innerHeight / 2, innerHeight / 2 - bottom, 0);
  };
  const buttons = [...document.querySelectorAll(COPY)].filter((button) => button.offsetParent);
  const [nearest] = buttons.sort((one, other) => far(one) - far(other));
  if (!nearest || far(nearest) > innerHeight / 2) return;
  nearest.focus({ preventScroll: true });
  nearest.click();
}

addEventListener("click", (event) => event.target.closest?.(".book-keys") && list());

// The button in the footer is of use with this script only.
function start() {
  document.querySelector(".book-keys")?.removeAttribute("hidden");
  use();
}

if (globalThis.document$) globalThis.document$.subscribe(start);
else start();
