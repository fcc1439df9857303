// The bar under a page's title that offers to run the page: Python, started in the browser when the
// reader asks for it, and not before. All else is in running/, and is loaded on that press.

const SCRIPTS = new URL("running/", import.meta.url);
const FROM_DISK =
  "To run this page in the browser, serve the folder it lies in: run python -m http.server there, " +
  "and open the address that it names.";
const LOST = "This could not be loaded. Reload the page to try again.";
const KEPT = `${new URL("../../", import.meta.url).pathname}book.`; // before what this browser keeps

/** Whether the reader has written something on this page before. */
function isChanged() {
  try {
    return Boolean(localStorage.getItem(`${KEPT}cells.${location.pathname}`));
  } catch {
    return false;
  }
}

function button(text, act) {
  const node = document.createElement("button");
  node.type = "button";
  node.className = "book-button";
  node.textContent = text;
  node.addEventListener("click", act);
  return node;
}

/** Where the reader can begin: under the title, and in the box of exercises. */
function start() {
  const bar = document.querySelector("article .book-run");
  if (!bar || bar.dataset.ready) return;
  bar.dataset.ready = "";
  if (location.protocol === "file:") {
    bar.replaceChildren(FROM_DISK);
    return;
  }
  const note = document.createElement("span");
  note.setAttribute("role", "status");
  note.textContent = isChanged() ? "You have changed code here; your changes come back." : "";
  const load = async (pressed, act) => {
    pressed.disabled = true;
    try {
      await act(await import(new URL("page.js", SCRIPTS)));
    } catch {
      pressed.disabled = false;
      bar.append(note);
      note.textContent = LOST; // a browser asks for a script that has failed no second time
    }
  };
  const run = button("Run this page", () => load(run, (page) => page.run(bar)));
  bar.replaceChildren(run, note);
  for (const item of document.querySelectorAll("article .admonition.exercise li")) {
    const name = item.querySelector("code")?.textContent;
    if (!name) continue;
    const open = button("Write it here", () => load(open, (page) => page.exercise(item, name, open)));
    open.setAttribute("aria-label", `Write it here: ${name}`);
    item.append(" ", open);
  }
}

/** How far the reader is, where the exercises and the chapters are listed. */
async function progress() {
  let kept;
  try {
    kept = localStorage.getItem(`${KEPT}exercises`);
  } catch {
    return;
  }
  const lists = "#all-of-them, #the-chapters-in-order, .admonition.exercise";
  if (kept && document.querySelector(lists)) (await import(new URL("progress.js", SCRIPTS))).draw();
}

function both() {
  start();
  progress();
}

if (globalThis.document$) globalThis.document$.subscribe(both); // also after an instant navigation
else both();
