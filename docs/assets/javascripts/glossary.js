// Shows a word of the glossary where it stands: on hover, on focus, on the first tap.
//
// Without this, and where the list cannot be had, the links lead to the glossary's page.

let shown, timer, second;

const note = document.createElement("div");
note.id = "book-term";
note.role = "tooltip";
note.hidden = true;
document.body.append(note);

async function show(link) {
  clearTimeout(timer);
  if (shown === link) return;
  hide();
  shown = link;
  const all = await import("./glossary/sentences.js").catch(() => null);
  const text = all?.default[link.hash.slice(1)];
  if (shown !== link || !text) return;
  note.textContent = text;
  note.hidden = false;
  const { bottom, left, top } = link.getBoundingClientRect();
  const room = document.documentElement.clientWidth - note.offsetWidth - 8;
  const below = bottom + note.offsetHeight + 8 < innerHeight;
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

const term = (event) => event.target.closest?.("a.term");
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
