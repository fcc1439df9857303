// Two mendings of the theme's script, which runs after this one.

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
