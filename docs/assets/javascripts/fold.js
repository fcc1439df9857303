// A button that shows all folded code of a page at once, or hides it again.

function start() {
  const folded = [...document.querySelectorAll("article details.code")];
  const place = document.querySelector("article .book-downloads");
  if (folded.length < 2 || !place) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "book-fold";
  const all = () => folded.every((details) => details.open);
  const name = () => (button.textContent = all() ? "Hide all code" : "Show all code");
  button.addEventListener("click", () => {
    const open = !all();
    for (const details of folded) details.open = open;
  });
  for (const details of folded) details.addEventListener("toggle", name);
  name();
  place.append(" ", button);
}

if (globalThis.document$) globalThis.document$.subscribe(start); // also after an instant navigation
else start();
