// A button that shows all folded code of a page at once, or hides it again.

function start() {
  const button = document.querySelector("article .book-fold");
  if (!button) return;
  const folded = [...document.querySelectorAll("article details.code")];
  const all = () => folded.every((details) => details.open);
  const name = () => (button.textContent = all() ? "Hide all code" : "Show all code");
  button.addEventListener("click", () => {
    const open = !all();
    for (const details of folded) details.open = open;
  });
  for (const details of folded) details.addEventListener("toggle", name);
  name();
}

if (globalThis.document$) globalThis.document$.subscribe(start); // also after an instant navigation
else start();
