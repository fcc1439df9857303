// Reads [{tex, display}, ...] as JSON on standard input, writes [{html} or {error}, ...].
import { readFileSync } from "node:fs";
import katex from "katex";

const formulas = JSON.parse(readFileSync(0, "utf8"));
const macros = { "\\R": "\\mathbb{R}" };

function render({ tex, display }) {
  try {
    return { html: katex.renderToString(tex, { displayMode: display, macros, output: "mathml", strict: "error" }) };
  } catch (error) {
    return { error: error.message };
  }
}

process.stdout.write(JSON.stringify(formulas.map(render)));
