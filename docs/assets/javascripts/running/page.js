// A page that runs: its bar, and the order in which its cells are run.

import { LONG, make, span } from "./cells.js";
import { button, element, save, say, show, style } from "./dom.js";
import * as exercises from "./exercises.js";
import * as kept from "./kept.js";
import * as python from "./python.js";

const MEGABYTE = 1e6;
const BASE = new URL("../../../", import.meta.url);
// A page's own files lie in its folder: beside it, or, in the edition for the disk, in one of its name.
const own = () => location.pathname.replace(/(index)?\.html$/, (_, isIndex) => (isIndex ? "" : "/"));
const START = ["pyodide.js", "pyodide.asm.wasm.gz", "pyodide.asm.js.gz", "python_stdlib.zip.gz", "numpy.zip.gz", "book.zip.gz"];

/**
 * Start Python, with its progress in the bar, and load what the page needs beside it.
 *
 * @returns {Promise<object[] | undefined>} the others; undefined where it did not come to that
 */
async function started(bar, others) {
  await style();
  const bytes = element("span", { class: "book-note" }, "Loading Python …");
  const progress = element("progress", { "aria-label": "Loading Python" });
  const cancel = button("Cancel", python.end);
  bar.replaceChildren(progress, bytes, cancel);
  let come = 0;
  const whole = fetch(new URL("assets/runtime/manifest.json", BASE))
    .then((answer) => answer.json())
    .then(({ files }) => {
      progress.max = START.reduce((sum, name) => sum + files[name][1], 0);
    });
  whole.catch(() => 0);
  const onProgress = (more) => {
    come += more;
    progress.value = come;
    bytes.textContent = `${(come / MEGABYTE).toFixed(1)} of ${(progress.max / MEGABYTE).toFixed(1)} MB`;
  };
  try {
    const [, ...loaded] = await Promise.all([python.start(onProgress), ...others.map((load) => load())]);
    return loaded;
  } catch (error) {
    python.end();
    bar.replaceChildren(button("Run this page", () => run(bar)), element("span", { class: "book-note" }, told(error)));
    return undefined;
  }
}

const told = (error) => (error instanceof python.Stopped || !error.message ? "Not started." : `Python could not be started: ${error.message}`);

const editor = () => import(new URL("editor.js", import.meta.url));

/** Open an exercise where it is set; Python starts for it if it has not yet. */
export async function exercise(item, name, opener) {
  await style();
  const { createEditor } = await editor();
  await exercises.open({ item, name, opener, createEditor, start: () => python.start() });
}

/** Make a page run. */
export async function run(bar) {
  const folder = own();
  const loaded = await started(bar, [editor, () => fetch(`${folder}cells.json`).then((answer) => answer.json())]);
  if (!loaded || !bar.isConnected) return undefined; // the reader may have gone on to another page
  const [{ createEditor }, cells] = loaded;
  const page = new Page(bar, { ...cells, folder }, createEditor);
  await page.begin();
  return page;
}

class Page {
  constructor(bar, about, createEditor) {
    Object.assign(this, { bar, about, createEditor });
    this.names = [];
    this.where = location.pathname;
    this.python = python;
    this.cells = make(this, about, document.querySelector("article"));
    globalThis.bookPage = this; // for the tests, and for the curious
  }

  async begin() {
    const { python: version, numpy } = python.state.versions;
    const all = this.about.cells.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
    const time = all > LONG ? ` ${span(all)} for all of it on a slow machine.` : "";
    const words = `Python ${version} and NumPy ${numpy} run in this page; the book was made with the versions at its end.${time}`;
    this.stopButton = button("Stop", () => this.stop(), { class: "book-button book-stop" });
    show(this.stopButton, false);
    this.resetButton = button("Reset all", () => this.resetAll());
    const quick = button("Run all but the long", () => this.runAll((cell) => !cell.isLong));
    show(quick, this.cells.some((cell) => cell.isLong));
    this.bar.replaceChildren(
      button("Run all", () => this.runAll()),
      quick,
      this.stopButton,
      this.resetButton,
      button("Download .py", () => save(`${this.about.name}.py`, this.source())),
      button("Download .ipynb", () => save(`${this.about.name}.ipynb`, this.notebook(), "application/json")),
      element("p", { class: "book-note" }, words),
    );
    this.bar.setAttribute("role", "group");
    this.bar.setAttribute("aria-label", "Run this page");
    const texts = kept.cells.read(this.where);
    for (const cell of this.cells) {
      cell.hash = await kept.hash(cell.about.code);
      const text = texts[cell.hash];
      if (typeof text !== "string" || !cell.code) continue;
      cell.text = text;
      cell.edit();
      cell.changed(text);
    }
    const { activeElement: active } = document;
    if (active === document.body || this.bar.contains(active)) this.bar.querySelector("button").focus({ preventScroll: true });
    say("Python is ready.");
    addEventListener("pagehide", () => this.keepNow());
    globalThis.document$?.subscribe(() => !this.bar.isConnected && this.isRunning && this.stop());
  }

  /** Run a cell, and before it those above that have not run yet. */
  run(cell) {
    return this.inTurn([...this.above(cell).filter((one) => !one.hasRun), cell]);
  }

  /** From the beginning. */
  runAbove(cell) {
    return this.inTurn(this.above(cell), { isAfresh: true });
  }

  /** Run all cells from the beginning, or those that are wanted. */
  runAll(isWanted) {
    return this.inTurn(this.cells, { isWanted, isAfresh: true });
  }

  /** End what runs, and begin nothing more. */
  stop() {
    this.isStopped = true;
    return python.stop();
  }

  async fresh() {
    await python.reset().catch(() => 0);
    this.forget(0);
  }

  /** From this cell on nothing has run that still holds. */
  forget(index) {
    for (const cell of this.cells.slice(index)) cell.ran = undefined;
  }

  above(cell) {
    return this.cells.slice(0, cell.index);
  }

  async inTurn(cells, { isWanted = () => true, isAfresh = false } = {}) {
    if (this.isRunning) return;
    this.isRunning = true;
    this.isStopped = false;
    show(this.stopButton, true);
    try {
      if (isAfresh) await this.fresh();
      if (!python.hasNames()) this.forget(0);
      const todo = python.hasNames() ? cells : [...new Set([...this.above(cells.at(-1) ?? this.cells[0]), ...cells])];
      for (const cell of todo) {
        if (this.isStopped) break; // it may have been pressed between two cells
        if (!isWanted(cell)) {
          await cell.leaveOut();
          continue;
        }
        const { names, error } = await cell.run();
        this.names = names;
        if (error && !cell.isOtherwise && !cell.about.tags.includes("raises-exception")) break;
      }
    } catch (error) {
      // What ran is told where it ran; the names are gone if Python had to be ended.
      say(error instanceof python.Stopped ? error.message : `Python was started anew, run the cells again: ${error.message}`);
    } finally {
      this.isRunning = false;
      show(this.stopButton, false);
    }
  }

  resetAll() {
    for (const cell of this.cells) {
      if (cell.isEdited) cell.reset();
      else cell.restore();
    }
    say("All code and all outputs are the book's.");
  }

  /** Keep what was changed, for the next visit. */
  keep() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepNow(), 300);
  }

  keepNow() {
    const changed = this.cells.filter((cell) => cell.isEdited);
    kept.cells.write(this.where, Object.fromEntries(changed.map(({ hash, text }) => [hash, text])));
  }

  source() {
    return this.cells.map((cell) => `# %%\n${cell.text.trimEnd()}\n`).join("\n");
  }

  notebook() {
    const cells = this.cells.map((cell, i) => ({
      cell_type: "code",
      execution_count: null,
      id: `cell-${i + 1}`,
      metadata: {},
      outputs: [],
      source: cell.text,
    }));
    const metadata = { kernelspec: { display_name: "Python 3", language: "python", name: "python3" } };
    return JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }, null, 1);
  }
}
