// Shows what a link leads to where it stands: a word of the glossary, a figure, an equation, a
// source. On hover, on focus, on the first tap.
//
// Without this, and where the list or the page cannot be had, the links lead there all the same.

const LINKS = "article :is(a.term, a[href*='#'])";
const REFERENCE = /^(Figure |equation \()\d/;
const SOURCES = /\/bibliography(\/|\.html)#/;

let shown, timer, second;

const note = document.createElement("div");
note.id = "book-term";
note.role = "tooltip";
note.hidden = true;
document.body.append(note);

async function about(link) {
  if (!link.matches(".term")) return (await import("./references/preview.js")).preview(link);
  return (await import("./glossary/sentences.js")).default[link.hash.slice(1)];
}

async function show(link) {
  clearTimeout(timer);
  if (shown === link) return;
  hide();
  shown = link;
  const told = await about(link).catch(() => undefined);
  if (shown !== link || !told) return;
  note.replaceChildren(told);
  note.className = told instanceof Node ? "book-preview" : "";
  note.hidden = false;
  const { bottom, left, top } = link.getBoundingClientRect();
  const room = document.documentElement.clientWidth - note.offsetWidth - 8;
  const below = bottom + note.offsetHeight + 8 < innerHeight || innerHeight - bottom > top;
  note.style.left = `${scrollX + Math.max(8, Math.min(left, room))}px`;
  note.style.top = `${scrollY + (below ? bottom + 4 : top - note.offsetHeight - 4)}px`;
  link.setAttribute("aria-describedby", note.id);
}

function hide() {
  clearTimeout(timer);
  note.hidden = true;
  shown?.removeAttribute("aria-describedby");
  shown = undefined;
}

function term(event) {
  const link = event.target.closest?.(LINKS);
  if (!link) return undefined;
  const isOne = link.matches(".term") || REFERENCE.test(link.textContent) || SOURCES.test(link.href);
  return isOne ? link : undefined;
}

const soon = () => (timer = setTimeout(hide, 200)); // time to move onto the note

addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  const link = term(event);
  if (link) show(link);
  else if (note.contains(event.target)) clearTimeout(timer);
  else if (shown && shown !== document.activeElement) soon();
});
addEventListener("focusin", (event) => (term(event) ? show(term(event)) : hide()));
addEventListener("keydown", (event) => event.key === "Escape" && hide());
// A tap also moves the focus, before its click: was the note there when the finger came down?
addEventListener("pointerdown", (event) => (second = shown === term(event) && !note.hidden));
addEventListener(
  "click",
  (event) => {
    const link = term(event);
    if (link && event.pointerType === "touch" && !second) {
      event.preventDefault(); // the second tap follows the link
      event.stopPropagation();
      show(link);
    } else if (!note.contains(event.target)) hide();
  },
  { capture: true },
);
