// The worker of the search: the theme's own, with three things before and after it.
//
// - The theme hands it the index as each page begins, and the index is larger than any page; so
//   `search_index.json` has the settings alone, and the entries are in a file of their own, which is
//   fetched when somebody looks for something. (The edition for the disk has all in one.)
// - The theme looks for any of the words. Here a section must have all of them, each by its
//   beginning; if none has, words that are spelt alike count; and only then any of them.
// - Of each section a line or two is shown, around the first word that was looked for.

const [SETUP, QUERY, RESULT] = [0, 2, 3]; // kinds of the theme's messages
const LETTERS = 200; // of a section's text

// Words that a question is made of, and not what it asks for.
const IDLE = new Set(
  ("a an and are be by can do does for from get how i if in into is it its me my need of on or s so" +
    " that the there this to use we what when where which who why will with you your").split(" "),
);

// A worker knows its own address; in the edition for the disk it is a script of a page.
const own = new URL(globalThis.document?.currentScript.src ?? location.href);
const post = globalThis.postMessage.bind(globalThis);
let setup, question, way, loading, isWhole;

const tell = (data) => dispatchEvent(new MessageEvent("message", { data }));

async function load() {
  const answer = await fetch(new URL("../../search/entries.json", own)).catch(() => undefined);
  if (!answer?.ok) return (loading = undefined); // the next letter tries again
  const docs = await answer.json();
  isWhole = true;
  tell({ type: SETUP, data: { ...setup, docs } });
  setTimeout(() => ask(0)); // the theme's worker has the entries now
}

/** The beginning that a word has in common with its other forms, and with the American spelling. */
function stem(word) {
  if (word.length < 3) return word;
  const british = word.replace(/(?<=\w{3})iz(?=[aei])/, "is");
  const stemmed = String(lunr.stemmer(new lunr.Token(british)));
  let common = 0; // "early" has the stem "earli", and begins with "earl"
  while (common < stemmed.length && stemmed[common] === british[common]) common += 1;
  return `${british.slice(0, common)}*`;
}

const alike = (word) => (word.length < 4 ? word : `${word}~${word.length < 8 ? 1 : 2}`);

// How a word is looked for, the strictest first.
const WAYS = [(word) => `+${stem(word)}`, (word) => `+${alike(word)}`, stem];

function words() {
  const separator = new RegExp(setup.config.separator);
  const plain = question.toLowerCase().replace(/[*+^~]/g, " "); // signs of the theme's language
  const all = plain.split(separator).filter(Boolean);
  const telling = all.filter((word) => !IDLE.has(word));
  return telling.length ? telling : all;
}

function ask(next) {
  way = next;
  tell({ type: QUERY, data: words().map(WAYS[way]).join(" "), isOurs: true });
}

addEventListener("message", (event) => {
  const { type, data, isOurs } = event.data;
  if (type === SETUP) {
    setup = data;
    isWhole ||= data.docs.length > 0;
  }
  if (type !== QUERY || isOurs) return;
  question = data.trim();
  if (!question) return;
  event.stopImmediatePropagation(); // before the theme's worker answers in its own way
  if (isWhole) ask(0);
  else loading ??= load();
});

/** The part of a text around the first word that was found in it; of code only if it is there. */
function excerpt(html) {
  const prose = html.replace(/<pre>.*?<\/pre>/gs, " ");
  const best = prose.trim() && prose.includes("<mark>") === html.includes("<mark>") ? prose : html;
  const text = best.replace(/<(?!\/?mark>)[^>]*>/g, " ").replace(/\s+/g, " ").trim();
  const found = text.indexOf("<mark>");
  const start = found < LETTERS / 3 ? 0 : text.indexOf(" ", found - LETTERS / 3) + 1;
  const end = text.indexOf(" ", start + LETTERS);
  const part = end < 0 ? text.slice(start) : `${text.slice(start, end)} …`;
  return start ? `… ${part}` : part;
}

globalThis.postMessage = (message) => {
  if (message.type === RESULT) {
    const { items } = message.data;
    if (!items.length && question && way + 1 < WAYS.length) return ask(way + 1);
    for (const section of items.flat()) section.text = excerpt(section.text);
  }
  post(message);
};

importScripts(new URL(own.search.slice(1).replace(/\?.*/, ""), own).href);
