// What came out of a cell, in the boxes of the book: text, figures, tables, formulas, errors.

import { element } from "./dom.js";
import * as python from "./python.js";
import { same } from "./same.js";

/** One output as text, as cells.json has those of the build. */
export function asText({ data, metadata = {}, text }) {
  if (data === undefined) return { kind: "text", text };
  if ("image/svg+xml" in data) {
    const { alt = "", caption = "" } = metadata["image/svg+xml"] ?? {};
    return { kind: "figure", text: `${alt}\n${caption}` };
  }
  if ("application/json" in data) return { kind: "file", text: "" };
  for (const kind of ["markdown", "html"])
    if (`text/${kind}` in data) return { kind, text: data[`text/${kind}`] };
  return { kind: "text", text: data["text/plain"] ?? "" };
}

/** Join the portions of what was printed. */
export function joined(outputs) {
  const whole = [];
  for (const output of outputs) {
    const last = whole.at(-1);
    if (output.stream && last?.stream === output.stream) last.text += output.text;
    else whole.push({ ...output });
  }
  return whole;
}

/** Whether a run gave what the build gave. */
export function isSame(outputs, built) {
  const texts = outputs.map(asText);
  return (
    texts.length === built.length &&
    texts.every(({ kind, text }, i) => kind === built[i].kind && (kind === "html" || same(text.trim(), built[i].text.trim())))
  );
}

const LEFT_OUT = "left out"; // as in scripts/in_page/kernel.py

const box = (kind, label, ...children) =>
  element("section", { class: `book-output ${kind}`, role: "group", "aria-label": label, tabindex: "0" }, ...children);

/** The boxes of what a cell gave. */
export async function drawn(outputs) {
  const nodes = [];
  for (const output of outputs) {
    const node = await one(output);
    if (node) nodes.push(node);
  }
  return nodes;
}

async function one(output) {
  const { kind, text } = asText(output);
  if (kind === "figure") return figure(output);
  if (kind === "file") return undefined;
  if (kind === "text") return printed(text);
  const node = element("div", {});
  // What Python has shown is the reader's own, and the page's policy runs no script in it.
  node.innerHTML = kind === "html" ? text : await rendered(text);
  for (const table of node.querySelectorAll("table:not([class])")) table.className = "book-table";
  return kind === "html" ? box("", "Output", node) : node;
}

/** Markdown as HTML; where it cannot be rendered, as it is. */
const rendered = (text, inline) =>
  python.render(text, inline).catch((error) => {
    if (error instanceof python.Stopped) throw error;
    return element("span", {}, text).innerHTML;
  });

/** A figure for both themes, as an image: nothing in it can reach the page. */
async function figure({ data, metadata }) {
  const svg = data["image/svg+xml"];
  const { alt = "", caption = "", name } = metadata["image/svg+xml"] ?? {};
  const images = Object.entries({ light: svg, dark: inDark(svg) }).map(([theme, drawing]) =>
    element("img", { class: `book-${theme}`, alt, src: `data:image/svg+xml,${encodeURIComponent(drawing)}` }),
  );
  const node = element("figure", name ? { "data-figure": name } : {}, ...images);
  if (caption) {
    const words = element("figcaption");
    words.innerHTML = await rendered(caption, true);
    node.append(words);
  }
  return node;
}

/** Each colour of the palette exchanged for its twin: the page's own style knows both. */
function inDark(svg) {
  const twins = palette();
  return svg.replace(/#[0-9a-f]{6}/gi, (colour) => twins.get(colour.toLowerCase()) ?? colour);
}

const NAMES = ["ink", "quiet", "rule", "paper", "blue", "orange", "green", "purple", "red"];
let twins;

function palette() {
  if (twins) return twins;
  const read = (scheme) => {
    const probe = element("div", { "data-md-color-scheme": scheme, hidden: "" });
    document.body.append(probe);
    const style = getComputedStyle(probe);
    const found = NAMES.map((name) => style.getPropertyValue(`--book-${name}`).trim().toLowerCase());
    probe.remove();
    return found;
  };
  const dark = read("slate");
  const root = [...document.styleSheets].flatMap(rules).find((rule) => rule.selectorText === ":root" && rule.style.getPropertyValue("--book-ink"));
  const light = NAMES.map((name) => root.style.getPropertyValue(`--book-${name}`).trim().toLowerCase());
  twins = new Map(light.map((colour, i) => [colour, dark[i]]));
  return twins;
}

function rules(sheet) {
  try {
    return [...sheet.cssRules];
  } catch {
    return [];
  }
}

/** An error, short, with the learner's line. */
export const fault = (text) =>
  text.startsWith("Stopped.") ? box("book-halt", "Stopped", element("pre", {}, text)) : box("book-fault", "Error", element("pre", {}, text));

/** A text as it is. */
export const printed = (text) => box("", "Output", element("pre", {}, text));

/** What is told of a cell of the book's own whose assertion fails here. */
export const otherwise = (isWhole) =>
  element(
    "p",
    { class: "book-needs" },
    `What this cell asserts does not hold here: ${isWhole ? "your browser’s Python has 32 bits and rounds in another order" : "a cell above was left out"}. The output is the book’s own.`,
  );

/** What a cell needs that is not here. */
export function missing(needed, about) {
  if (needed === LEFT_OUT)
    return element("p", { class: "book-needs" }, "This cell needs one above that was left out. The output is the book’s own.");
  const way = (text, name) => element("a", { href: `${about.folder}${name}`, download: "" }, text);
  const told = `This cell needs ${needed}, which a browser does not have. The output is the book’s own. To run it: `;
  const note = element("p", { class: "book-needs" }, told, way("the notebook", `${about.name}.ipynb`), ", or ");
  note.append(way("the source", `${about.name}.py`), " with ", element("code", {}, `python ${about.name}.py`), ".");
  return note;
}
