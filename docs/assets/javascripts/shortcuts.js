// Keys of this site, a list of them ("?"), and a switch for those who want none: a key by itself may
// be pressed by accident, or by somebody who speaks to the computer.

const BASE = new URL("../../", import.meta.url); // of the site
const OFF = `${BASE.pathname}book.keys.off`;
const KEYS = [
  ["?", "this list"],
  ["/ or S or F", "search"],
  ["P and N", "the page before, the page after"],
  ["M", "the map of the chapters"],
  ["D", "light, dark, or as the system has it"],
];

const stored = (change) => {
  try {
    if (change !== undefined) localStorage.setItem(OFF, change ? "1" : "");
    return Boolean(localStorage.getItem(OFF));
  } catch {
    return Boolean(change);
  }
};
let off = stored();

const dialog = document.createElement("dialog");
dialog.className = "book-dialog md-typeset";
dialog.setAttribute("aria-labelledby", "book-keys");
dialog.innerHTML = `<h2 id="book-keys">Keyboard shortcuts</h2>
<dl>${KEYS.map(([key, what]) => `<div><dt>${key}</dt><dd>${what}</dd></div>`).join("")}</dl>
<p><label><input type="checkbox"> These keys work</label></p>
<form method="dialog"><button class="md-button">Close</button></form>`;
document.body.append(dialog);
const works = dialog.querySelector("input");
works.addEventListener("change", () => (off = stored(!works.checked)));

function list() {
  works.checked = !off;
  dialog.showModal();
}

const WRITING = "input:not([type=radio], [type=checkbox], [type=range]), select, textarea";
const typing = ({ target }) => target.isContentEditable || target.matches?.(WRITING);

addEventListener(
  "keydown",
  (event) => {
    const { altKey, ctrlKey, key, metaKey } = event;
    if (altKey || ctrlKey || metaKey || key.length > 1 || key === " " || typing(event)) return;
    // Before the theme sees it: it has keys of its own.
    if (off || dialog.open) return event.stopPropagation();
    const act = { "?": list, d: theme, m: map }[key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  },
  { capture: true },
);

const theme = () => document.querySelector(".book-palette")?.click();
const map = () => (location.href = new URL("foundations/reading/#the-chapters-in-order", BASE));

addEventListener("click", (event) => event.target.closest?.(".book-keys") && list());

// The button in the footer is of use with this script only.
const start = () => document.querySelector(".book-keys")?.removeAttribute("hidden");
if (globalThis.document$) globalThis.document$.subscribe(start);
else start();
