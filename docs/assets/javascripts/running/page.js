// A page that runs: its bar, and the order in which its cells are run.

import { LONG, make, span } from "./cells.js";
import { button, element, enable, save, say, show, style } from "./dom.js";
import * as exercises from "./exercises.js";
import * as kept from "./kept.js";
import * as python from "./python.js";

const MEGABYTE = 1e6;
const LOADED = 0.98; // what is left are small files
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
  const isHere = isIn(bar);
  bar.replaceChildren(progress, bytes, cancel);
  if (isHere) cancel.focus({ preventScroll: true });
  say("Loading Python.");
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
    bytes.textContent = come < progress.max * LOADED ? `${(come / MEGABYTE).toFixed(1)} of ${(progress.max / MEGABYTE).toFixed(1)} MB` : "Starting Python …";
  };
  try {
    const [, ...loaded] = await Promise.all([python.start(onProgress), ...others.map((load) => load())]);
    return loaded;
  } catch (error) {
    python.end();
    const again = button("Run this page", () => run(bar));
    const wasHere = isIn(bar);
    bar.replaceChildren(again, element("span", { class: "book-note" }, told(error)));
    if (wasHere) again.focus({ preventScroll: true });
    say(told(error));
    return undefined;
  }
}

/** Whether the focus is in an element, or nowhere since what had it is gone. */
const isIn = (node) => document.activeElement === document.body || node.contains(document.activeElement);

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
    this.waiting = new Set(); // cells to run when what runs has run
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
    enable(this.stopButton, false);
    this.resetButton = button("Reset all", () => (this.undo ? this.bringBack() : this.resetAll()));
    this.summary = element("p", { class: "book-note" });
    const quick = button("Run all but the long", () => this.runAll((cell) => !cell.isLong));
    show(quick, this.cells.some((cell) => cell.isLong));
    this.bar.replaceChildren(
      button("Run all", () => this.runAll()),
      quick,
      this.stopButton,
      button("Download .py", () => save(`${this.about.name}.py`, this.source())),
      button("Download .ipynb", async () => save(`${this.about.name}.ipynb`, await this.notebook(), "application/json")),
      this.resetButton,
      this.summary,
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
    if (isIn(this.bar)) this.bar.querySelector("button").focus({ preventScroll: true });
    say("Python is ready.");
    const leave = () => this.keepNow();
    addEventListener("pagehide", leave);
    let watch;
    watch = globalThis.document$?.subscribe(() => {
      if (this.bar.isConnected) return;
      // The reader has gone on without a load: what is kept for this page is no longer this one's.
      watch?.unsubscribe();
      removeEventListener("pagehide", leave);
      clearTimeout(this.timer);
      leave();
      if (this.isRunning) this.stop();
    });
  }

  /** Run a cell, and before it those above that have not run yet. */
  run(cell) {
    if (this.isRunning) return this.queue(cell);
    return this.inTurn([...this.above(cell).filter((one) => !one.hasRun), cell], { target: cell });
  }

  /** Run a cell when what runs has run. */
  queue(cell) {
    if (cell.isBusy || this.waiting.has(cell)) return;
    this.waiting.add(cell);
    cell.tell("Waiting for what runs.");
  }

  /** From the beginning. */
  runAbove(cell) {
    return this.inTurn(this.above(cell), { isAfresh: true });
  }

  /** Run all cells from the beginning, or those that are wanted. */
  async runAll(isWanted) {
    if (this.isRunning) return;
    this.summary.textContent = "";
    for (const cell of this.cells) cell.state = undefined;
    this.isQuiet = true; // one summary, and not a word for each cell
    await this.inTurn(this.cells, { isWanted, isAfresh: true });
    this.isQuiet = false;
    this.sumUp();
  }

  /** Say what came of all cells, and lead to the first that went wrong. */
  sumUp() {
    const names = { like: "as in the book", yours: "other than in the book", needs: "without what they need", otherwise: "with an assertion that does not hold here", failed: "with an error" };
    const ran = this.cells.filter((cell) => cell.state);
    const parts = Object.entries(names).map(([state, words]) => [ran.filter((cell) => cell.state === state).length, words]);
    const told = `${ran.length} of ${this.cells.length} pieces of code ran: ${parts.filter(([count]) => count).map(([count, words]) => `${count} ${words}`).join(", ")}.`;
    const first = ran.find(({ state }) => state === "failed" || state === "yours");
    this.summary.replaceChildren(this.isStopped ? `Stopped. ${told}` : told, " ");
    if (first) this.summary.append(button("Go to the first", () => first.runButton.focus()));
    say(told);
  }

  /** End what runs, and begin nothing more. */
  stop() {
    this.isStopped = true;
    for (const cell of this.waiting) cell.tell("");
    this.waiting.clear();
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

  async inTurn(cells, { isWanted = () => true, isAfresh = false, target } = {}) {
    if (this.isRunning) return;
    this.isRunning = true;
    this.isStopped = false;
    enable(this.stopButton, true);
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
        if (target && cell !== target) target.tell(`Running code ${cell.index + 1} first …`);
        const { names, error } = await cell.run();
        this.names = names;
        if (error && !cell.isOtherwise && !cell.about.tags.includes("raises-exception")) break;
      }
    } catch (error) {
      // What ran is told where it ran; the names are gone if Python had to be ended.
      say(`Python was started anew, and its variables are gone. ${error.message}`);
      for (const cell of this.cells) cell.outdate("Python was started anew since.");
      this.forget(0);
    } finally {
      this.isRunning = false;
      enable(this.stopButton, false);
      const [next] = this.waiting;
      this.waiting.delete(next);
      if (next) this.run(next);
    }
  }

  resetAll() {
    const mine = this.cells.filter((cell) => cell.isEdited).map((cell) => [cell, cell.text]);
    for (const cell of this.cells) {
      if (cell.isEdited) cell.reset();
      else cell.restore();
    }
    this.summary.textContent = "";
    say("All code and all outputs are the book's.");
    this.offerUndo(mine.length ? mine : undefined);
  }

  /** As long as nothing else is written, what was reset can come back. */
  offerUndo(mine) {
    this.undo = mine;
    this.resetButton.textContent = mine ? "Undo reset" : "Reset all";
  }

  bringBack() {
    for (const [cell, text] of this.undo) cell.write(text);
    this.offerUndo();
    say("Your code is back.");
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

  /** The page's own notebook with the reader's code; of code alone where that cannot be had. */
  async notebook() {
    try {
      const answer = await fetch(`${this.about.folder}${this.about.name}.ipynb`);
      const whole = await answer.json();
      const code = whole.cells.filter((cell) => cell.cell_type === "code");
      for (const { isEdited, about, text } of this.cells) {
        if (!isEdited) continue;
        const found = code.find(({ source }) => [source].flat().join("").trim() === about.code.trim());
        Object.assign(found, { source: text, outputs: [] });
      }
      return JSON.stringify(whole, null, 1);
    } catch {
      return this.ofCodeAlone();
    }
  }

  ofCodeAlone() {
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
