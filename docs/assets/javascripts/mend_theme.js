// Mendings of the theme's script, which runs after this one.

// The index of the search is larger than any page. The theme fetches it with each page; this holds
// the request back until the reader turns to the search, or comes from it (?h=, ?q=).
{
  const { open, send } = XMLHttpRequest.prototype;

  const wanted = new Promise((resolve) => {
    const asked = new URLSearchParams(location.search);
    if (asked.has("h") || asked.has("q")) resolve();
    addEventListener("focusin", ({ target }) => {
      if (target.dataset.mdComponent === "search-query") resolve();
    });
  });

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isIndex = String(url).endsWith("/search/search_index.json");
    return open.call(this, method, url, ...rest);
  };

  XMLHttpRequest.prototype.send = function (body) {
    if (this.isIndex) wanted.then(() => send.call(this, body));
    else send.call(this, body);
  };
}

// The theme puts a button into each block of code, in a <nav>: to a screen reader that is a
// landmark for every block.
new MutationObserver((mutations) => {
  for (const { addedNodes } of mutations)
    for (const node of addedNodes)
      if (node.className === "md-code__nav") node.setAttribute("role", "none");
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

// The theme puts an empty <meta name="color-scheme"> into the head and then fills it in: with each
// of the two the whole page gets its style anew. Here it comes filled in, after the theme's start.
document.head.appendChild = (node) => {
  if (node.name === "color-scheme") setTimeout(() => document.head.append(node));
  else document.head.append(node);
  return node;
};
