// The formulas of a page and their TeX. The page has them as MathML alone; their TeX is in a file
// beside it, in the same order. From the disk, where nothing can be fetched, there is none.

export const isOffered = location.protocol !== "file:";
export const formulas = () => [...document.querySelectorAll("article .math")];

let page, asked, known;

// The file is fetched once for each page, and anew where that has failed.
export function load() {
  if (page !== location.pathname) [page, asked, known] = [location.pathname];
  const here = page;
  asked ??= fetch("formulas.json").then((answer) => answer.json()).then(
    (sources) => { if (here === page) known = sources; },
    () => { if (here === page) asked = undefined; },
  );
  return asked;
}

// Undefined until the file is there.
export function texOf(formula) {
  return page === location.pathname ? known?.[formulas().indexOf(formula)] : undefined;
}
