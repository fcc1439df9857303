// Mendings of the theme's script, which runs after this one. A browser test fails for each that is
// needed no longer (tests/browser/test_mendings.py).

// The theme puts a button into each block of code, in a <nav>: to a screen reader that is a
// landmark for every block, and to the Tab key a stop. The key C does the same (shortcuts.js).
new MutationObserver((mutations) => {
  for (const { addedNodes } of mutations)
    for (const node of addedNodes)
      if (node.className === "md-code__nav") {
        node.setAttribute("role", "none");
        if (document.documentElement.dataset.keys !== "off") node.firstChild.tabIndex = -1;
      }
}).observe(document, { childList: true, subtree: true });

// For its way from page to page the theme writes each address in the head anew, in full. To a
// browser the address of a stylesheet is then a new one: it reads the sheet again, and lays out the
// whole page again. So this one is written when the reader turns to a link, and not before. (From a
// disk each page is loaded whole.)
if (location.protocol !== "file:") {
  const sheets = document.querySelectorAll('link[rel="stylesheet"]');
  for (const sheet of sheets) {
    const { href } = sheet;
    Object.defineProperty(sheet, "href", { configurable: true, get: () => href, set() {} });
  }

  const written = new AbortController();
  const write = () => {
    written.abort();
    for (const sheet of sheets) {
      const { href } = sheet;
      delete sheet.href;
      sheet.href = href;
    }
  };
  const listening = { capture: true, signal: written.signal };
  addEventListener("click", ({ target }) => target.closest?.("a[href]") && write(), listening);
  addEventListener("popstate", write, listening);
}
