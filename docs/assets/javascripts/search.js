// The worker of the search: the theme's own, which is told of the pages when somebody looks for
// something. The theme hands it the index as each page begins, and the index is larger than any
// page; so `search_index.json` has the settings alone, and the entries are in a file of their own.

const [SETUP, QUERY] = [0, 2]; // kinds of the theme's messages
let setup, asked, loading, isWhole;

const tell = (data) => dispatchEvent(new MessageEvent("message", { data }));

async function load() {
  const answer = await fetch("../../search/entries.json").catch(() => undefined);
  if (!answer?.ok) return (loading = undefined); // the next letter tries again
  const docs = await answer.json();
  isWhole = true;
  tell({ type: SETUP, data: { ...setup, docs } });
  setTimeout(() => tell(asked)); // the theme's worker has the entries now
}

addEventListener("message", (event) => {
  const { type, data } = event.data;
  if (type === SETUP) setup = data;
  if (isWhole || type !== QUERY || !data) return;
  event.stopImmediatePropagation(); // before the theme's worker answers that there is nothing
  asked = event.data;
  loading ??= load();
});

importScripts(location.search.slice(1));
