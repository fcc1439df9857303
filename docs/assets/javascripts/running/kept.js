// What this browser keeps for the reader: changed cells, exercises, and how far they are. It is sent
// nowhere. Where a browser keeps nothing, all works without it until the page is closed.

const BASE = new URL("../../../", import.meta.url).pathname; // of the site
const fallback = new Map();

function read(name) {
  if (fallback.has(name)) return fallback.get(name);
  try {
    const found = JSON.parse(localStorage.getItem(`${BASE}book.${name}`));
    if (found && typeof found === "object") return found;
  } catch {
    // not kept, or not ours
  }
  return {};
}

function write(name, content) {
  try {
    if (Object.keys(content).length) localStorage.setItem(`${BASE}book.${name}`, JSON.stringify(content));
    else localStorage.removeItem(`${BASE}book.${name}`);
    fallback.delete(name);
  } catch {
    fallback.set(name, content); // no room, or not allowed
  }
}

/** The reader's text of a page's cells, by the hash of the book's text that it replaces. */
export const cells = {
  read: (page) => read(`cells.${page}`),
  write: (page, content) => write(`cells.${page}`, content),
};

/** For each exercise what was written, what the last check found, and how many hints were shown. */
export const exercises = {
  read: () => read("exercises"),
  change(name, more) {
    const all = read("exercises");
    write("exercises", { ...all, [name]: { ...all[name], ...more } });
  },
};

/** A short name for a text. */
export async function hash(text) {
  const digest = await crypto.subtle?.digest("SHA-256", new TextEncoder().encode(text));
  if (!digest) return text; // an address that browsers do not trust: the text is its own name
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
