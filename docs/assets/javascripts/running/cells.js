// The cells of a page: where each stands, its editor, and what came out of it here.

import { button, element, say, show } from "./dom.js";
import { asText, drawn, fault, isSame, joined, missing, otherwise, printed } from "./outputs.js";
import * as python from "./python.js";

export const LONG = 5; // seconds from which a reader is told how long a cell takes
export function span(seconds) {
  if (seconds < 30) return `About ${Math.round(seconds)} s`; // longer cells are not measured to their end
  return `More than ${seconds < 120 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} minutes`}`;
}

/** The comments that the build has left: where each cell begins and ends, and each value. */
function places(article) {
  const cells = [];
  const values = [];
  const open = []; // what has begun and not ended
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_COMMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const [, kind, number] = /^([cv/])(\d*)$/.exec(node.data) ?? [];
    if (kind === "c") open.push((cells[number] = { from: node }));
    else if (kind === "v") open.push((values[number] = { from: node }));
    else if (kind === "/") open.pop().to = node;
  }
  return { cells, values };
}

/** The elements between two comments. */
function between({ from, to }) {
  const found = [];
  for (let node = from.nextSibling; node && node !== to; node = node.nextSibling)
    if (node.nodeType === Node.ELEMENT_NODE) found.push(node);
  return found;
}

export class Cell {
  constructor(page, index, about, place, values) {
    Object.assign(this, { page, index, about, place, values });
    this.text = about.code;
    this.ran = undefined; // the text that has run
    const elements = between(place);
    this.code = elements.map((node) => (node.matches(".highlight") ? node : node.querySelector(".highlight")))
      .find((node) => node?.querySelector("code")?.textContent.trim() === about.code.trim());
    const shown = elements.filter((node) => !node.contains(this.code) || !this.code);
    this.built = shown;
    this.mine = [];
    this.tools = element("div", { class: "book-tools", role: "group", "aria-label": `Code ${index + 1}` });
    this.runButton = button("Run", () => (this.isBusy ? page.stop() : page.run(this)), { "aria-label": `Run code ${index + 1}` });
    this.editButton = button("Edit", () => this.edit(true), { "aria-label": `Edit code ${index + 1}` });
    this.aboveButton = button("Run all above", () => page.runAbove(this), { "aria-label": `Run all above code ${index + 1}` });
    this.resetButton = button("Reset", () => this.reset(), { "aria-label": `Reset code ${index + 1} to the book's` });
    this.backButton = button("The book’s output", () => this.toggle(), { "aria-pressed": "false" });
    this.note = element("span", { class: "book-note" });
    this.tools.append(this.runButton, this.editButton, this.aboveButton, this.resetButton, this.backButton, this.note);
    for (const node of [this.resetButton, this.backButton]) show(node, false);
    this.isLong = about.seconds > LONG;
    if (this.isLong) this.note.textContent = `${span(about.seconds)} on a slow machine.`;
    this.code?.after(this.tools);
  }

  get isEdited() {
    return this.text !== this.about.code;
  }

  get hasRun() {
    return this.ran === this.text;
  }

  /** Whether what ran last was not the book's. */
  get ranEdited() {
    return this.ran !== undefined && this.ran !== this.about.code;
  }

  /** Put an editor in the code's place. */
  edit(isAsked) {
    if (isAsked) this.code?.closest("details")?.setAttribute("open", "");
    if (!this.editor && this.code) {
      const host = element("div", { class: "book-editor" });
      this.code.after(host);
      this.editor = this.page.createEditor(host, {
        text: this.text,
        label: `Code ${this.index + 1}`,
        onChange: (text) => this.changed(text),
        onRun: () => this.page.run(this),
        names: () => this.page.names,
      });
      show(this.code, false);
      show(this.editButton, false);
    }
    if (isAsked) this.editor?.focus();
  }

  changed(text) {
    this.text = text;
    if (this.isEdited) this.page.offerUndo();
    show(this.resetButton, this.isEdited);
    this.page.keep();
  }

  /** Replace the text. */
  write(text) {
    this.edit();
    if (this.editor) this.editor.text = text;
    this.changed(text);
  }

  /** Say something beside the buttons. */
  tell(text) {
    this.note.textContent = text;
    if (text) say(`Code ${this.index + 1}: ${text}`);
  }

  /** What stands here came out before something changed. */
  outdate(why) {
    if (this.ran !== undefined && this.state) this.note.textContent = why;
  }

  reset() {
    const isHere = document.activeElement === this.resetButton;
    // What came out of the changed code is still in the names, here and in all that was made of it.
    if (this.ranEdited) this.page.forget(this.index);
    if (this.editor) this.editor.text = this.about.code;
    this.changed(this.about.code);
    this.restore();
    this.page.keep();
    if (isHere) this.runButton.focus();
  }

  /** Show the book's own outputs and values. */
  restore() {
    for (const node of this.mine.splice(0)) node.remove();
    for (const node of this.built) show(node, true);
    show(this.backButton, false);
    this.note.textContent = "";
    this.state = undefined;
    for (const [, number] of this.about.values) {
      const place = this.values[number];
      if (place?.built !== undefined) write(place, place.built, false);
    }
  }

  /** Change between the outputs of the book and those from here. */
  toggle() {
    const showsBuilt = this.backButton.getAttribute("aria-pressed") !== "true";
    this.backButton.setAttribute("aria-pressed", String(showsBuilt));
    for (const node of this.built) show(node, showsBuilt);
    for (const node of this.mine) show(node, !showsBuilt);
  }

  /** Go on without this cell. */
  async leaveOut() {
    await python.leaveOut(this.text);
    this.ran = this.done = undefined;
    this.isLeftOut = true;
    this.restore();
    this.note.textContent = `Left out. ${span(this.about.seconds)} on a slow machine.`;
  }

  /** Run this cell alone. */
  async run() {
    const { text } = this;
    const outputs = [];
    const wasEdited = this.ranEdited;
    this.busy(true);
    this.isLeftOut = false;
    this.editor?.mark(undefined);
    this.note.textContent = "Running …";
    for (const node of this.mine) node.classList.add("book-old");
    this.live = undefined;
    try {
      const expressions = this.about.values.map(([expression]) => expression);
      const done = await python.run(text, expressions, (output) => {
        outputs.push(output);
        this.stream(output);
      });
      this.ran = done.error === "Stopped." ? undefined : text;
      this.isClean = !this.isEdited && !this.page.above(this).some((cell) => cell.isEdited && cell.hasRun);
      await this.shown(joined(outputs), done);
      if (wasEdited || this.isEdited || this.state === "failed")
        for (const below of this.page.cells.slice(this.index + 1)) below.outdate("Ran before the code above changed.");
      return done;
    } catch (error) {
      this.live?.remove();
      const words = error instanceof python.Stopped ? "Stopped. Python was started anew, and its variables are gone." : error.message;
      const text = outputs.filter(({ stream }) => stream).map((output) => output.text).join("");
      this.replaced(text ? [printed(text), fault(words)] : [fault(words)]);
      this.note.textContent = "";
      throw error;
    } finally {
      this.busy(false);
    }
  }

  /** While a cell runs, its button stops it. */
  busy(isBusy) {
    this.isBusy = isBusy;
    this.tools.classList.toggle("book-busy", isBusy);
    this.runButton.textContent = isBusy ? "Stop" : "Run";
    this.runButton.setAttribute("aria-label", `${isBusy ? "Stop" : "Run"} code ${this.index + 1}`);
  }

  /** What is printed is seen as it comes, where a cell takes its time. */
  stream({ stream, text }) {
    if (!stream) return;
    this.live ??= element("section", { class: "book-output book-yours", role: "group", "aria-label": "Output" }, element("pre"));
    if (!this.live.isConnected) this.place.to.before(this.live);
    this.live.firstChild.append(text);
  }

  async shown(outputs, done) {
    const seconds = done.ms < 1000 ? `${Math.round(done.ms)} ms` : `${(done.ms / 1000).toFixed(1)} s`;
    this.outputs = outputs;
    this.done = done;
    const isOn = !["remove-output", "remove-cell"].some((tag) => this.about.tags.includes(tag)) || done.error;
    const expects = this.about.tags.includes("raises-exception");
    const all = done.error && expects ? [...outputs, { text: done.error, isError: true }] : outputs;
    this.isOtherwise = this.isClean && !expects && /^AssertionError/m.test(done.error);
    if (done.missing || this.isOtherwise) {
      this.restore();
      this.live?.remove();
      const isWhole = !this.page.above(this).some((cell) => cell.isLeftOut);
      this.mine = [done.missing ? missing(done.missing, this.page.about) : otherwise(isWhole)];
      this.place.to.before(...this.mine);
      this.note.textContent = "";
      this.state = done.missing ? "needs" : "otherwise";
      this.say(this.mine[0].textContent);
      return;
    }
    const failed = done.error && !expects;
    const isLike = !failed && (expects ? this.isClean : this.isLike(all));
    if (!isOn || isLike) {
      this.live?.remove();
      this.restore();
      this.note.textContent = `${seconds}, ${this.words(all)}`;
    } else {
      const nodes = await drawn(outputs);
      if (done.error) nodes.push(fault(done.error));
      this.replaced(nodes);
      this.note.textContent = seconds;
      if (done.line) this.editor?.mark(done.line);
    }
    this.isYours = !(isLike || !isOn);
    this.state = failed ? "failed" : this.isYours ? "yours" : "like";
    this.about.values.forEach(([, number, built], i) => {
      const place = this.values[number];
      if (place && done.values[i] !== undefined) fill(place, built, done.values[i], this.isClean);
    });
    this.say(done.error || (isLike ? `done, ${this.words(all)}.` : "done."));
  }

  /** What is said of an output like the book's: changed code is never called the book's. */
  words(outputs) {
    if (!this.isEdited) return "as in the book";
    return outputs.length ? "with the same output" : "without output";
  }

  say(text) {
    if (!this.page.isQuiet) say(`Code ${this.index + 1}: ${text}`);
  }

  /** Whether this is what the book shows, to rounding. Of a figure the words are compared: it may be
   * drawn by another version. Where code was changed, a text must be the same, and all else is shown. */
  isLike(outputs) {
    if (this.isClean) return isSame(outputs, this.about.outputs);
    const texts = outputs.map(asText);
    const built = this.about.outputs;
    return texts.length === built.length && texts.every(({ kind, text }, i) => kind === "text" && built[i].kind === kind && text.trim() === built[i].text.trim());
  }

  replaced(nodes) {
    this.live?.remove();
    for (const node of this.mine.splice(0)) node.remove();
    for (const node of this.built) show(node, false);
    for (const node of nodes) node.classList.add("book-yours");
    this.mine = nodes;
    this.place.to.before(...nodes);
    show(this.backButton, this.built.length > 0);
    this.backButton.setAttribute("aria-pressed", "false");
  }
}

/** Put a value into the prose, marked where it is not the book's. */
function fill(place, built, value, isClean) {
  if (value === null) return;
  place.built ??= textOf(place);
  // The page's text has been set: only a value that differs is written.
  if (isClean || value === built) write(place, place.built, false);
  else write(place, place.built.endsWith("%") && !value.endsWith("%") ? `${value}%` : value, true);
}

function textOf({ from, to }) {
  let text = "";
  for (let node = from.nextSibling; node && node !== to; node = node.nextSibling) text += node.textContent;
  return text;
}

function write({ from, to, built }, text, isYours) {
  while (from.nextSibling && from.nextSibling !== to) from.nextSibling.remove();
  from.after(isYours ? element("mark", { class: "book-value", title: `The book has ${built}.` }, text) : text);
}

/** Make the cells of a page. */
export function make(page, about, article) {
  const found = places(article);
  return about.cells.map((cell, index) => new Cell(page, index, cell, found.cells[index], found.values));
}
