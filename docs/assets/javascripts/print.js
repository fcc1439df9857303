// On paper nothing can be unfolded: before printing, all that is folded is opened.

let folded = [];

addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("article details:not([open])")];
  for (const details of folded) details.open = true;
});

addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
