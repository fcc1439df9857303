// The grader's report: its own lines, the same as in the terminal; where two arrays stand beside each
// other, a table; addresses are links.

import { coded, element } from "./dom.js";

const BESIDE = /^ {2}(.* expected) {4,}yours$/;
const ADDRESS = /https?:\/\/\S+/;

/** @param {{shown: [string, string][]}} report */
export function reportOf({ shown: lines }) {
  const node = element("section", { class: "book-output book-told", role: "group", "aria-label": "Report", tabindex: "0" });
  for (let at = 0; at < lines.length; at += 1) {
    const [style, text] = lines[at];
    const beside = BESIDE.exec(text);
    if (!beside) {
      node.append(line(style, text));
      continue;
    }
    const wide = text.lastIndexOf("yours") - 6;
    const rows = [];
    while (lines[at + 1]?.[1].startsWith("  ")) rows.push(lines[(at += 1)][1]);
    node.append(table(beside[1].trim(), rows.map((row) => [row.slice(2, 2 + wide), row.slice(wide + 6)])));
  }
  return node;
}

function line(style, text) {
  const [address] = ADDRESS.exec(text) ?? [];
  const kind = text.startsWith("  ") ? " book-mono" : text ? "" : " book-gap";
  if (!address) return element("p", { class: `book-${style || "plain"}${kind}` }, ...(kind === " book-mono" ? [text] : coded(text)));
  const [before, after] = text.split(address);
  return element("p", { class: `book-${style || "plain"}` }, before, element("a", { href: address }, address), after);
}

const numbers = (text) => text.trim().split(/\s+/).filter(Boolean);

/** Expected and actual; what differs carries the arrow of the terminal, and a word. */
function table(title, rows) {
  const split = rows.map((row) => row.map(numbers));
  const widths = [0, 1].map((side) => Math.max(1, ...split.map((row) => row[side].length)));
  const head = element("tr", {}, ...[title, "yours"].map((text, i) => element("th", { scope: "colgroup", colspan: widths[i] }, text)));
  const body = split.map((row) =>
    element("tr", {}, ...row.flatMap((cells, side) => Array.from({ length: widths[side] }, (_, i) => cell(cells[i] ?? "", side === 1 && i === 0)))),
  );
  return element("div", { class: "book-wide" }, element("table", { class: "book-beside" }, element("thead", {}, head), element("tbody", {}, ...body)));
}

function cell(text, isFirst) {
  const attributes = isFirst ? { class: "book-first" } : {};
  if (!text.startsWith("▸")) return element("td", attributes, text);
  return element("td", attributes, element("mark", {}, text, element("span", { class: "book-unseen" }, " differs")));
}
