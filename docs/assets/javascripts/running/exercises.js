// An exercise in the page: its file in an editor, the grader's report, hints, and the solution.

import { button, coded, element, enable, save, say, show } from "./dom.js";
import * as kept from "./kept.js";
import * as python from "./python.js";
import { draw } from "./progress.js";
import { reportOf } from "./report.js";

const BASE = new URL("../../../", import.meta.url);
let known;

/** What is known of all exercises. */
export function about() {
  known ??= fetch(new URL("assets/runtime/manifest.json", BASE))
    .then((answer) => answer.json())
    .then(({ folders }) => fetch(new URL(`${folders.book}exercises.json`, BASE)))
    .then((answer) => answer.json());
  known.catch(() => (known = undefined));
  return known;
}

/** Open an exercise below its entry in the box. */
export async function open({ item, name, opener, createEditor, start }) {
  const exercise = (await about())[name];
  const stage = element("div", { class: "book-exercise", role: "group", "aria-label": exercise.title });
  item.append(stage);
  const mine = () => kept.exercises.read()[name] ?? {};
  const host = element("div", { class: "book-editor" });
  const report = element("div", { class: "book-report" });
  const help = element("div", { class: "book-help" });
  const note = element("span", { class: "book-note" });
  let isChecking = false;
  let undo; // what was there before the start over
  const editor = createEditor(host, {
    text: mine().source ?? exercise.stub,
    label: `Your file ${name}.py`,
    hasNumbers: true,
    onChange: (source) => {
      kept.exercises.change(name, { source });
      if (source !== exercise.stub) undo = undefined;
      offer();
    },
    onRun: () => check(),
    names: () => [],
  });

  const checker = button("Check", () => check(), { "aria-label": `Check ${name}` });
  const stop = button("Stop", () => python.stop());
  const hint = button("Hint", () => hints(mine().hints ? mine().hints + 1 : 1));
  const solution = button("Solution", () => ask());
  const reset = button("Start over", () => startOver());
  show(stop, false);
  offer();
  const tools = element("div", { class: "book-tools" }, checker, stop, hint, solution, reset, button("Close", close), note);
  stage.append(host, tools, report, help);
  if (mine().hints) hints(mine().hints, true);
  editor.focus();

  /** Start over, or take that back. */
  function startOver() {
    const before = editor.text;
    const isBack = undo !== undefined;
    editor.text = isBack ? undo : exercise.stub;
    undo = isBack ? undefined : before;
    report.replaceChildren();
    offer();
    say(isBack ? "Your code is back." : "Here is the starter again.");
  }

  function offer() {
    reset.textContent = undo === undefined ? "Start over" : "Undo start over";
    show(reset, undo !== undefined || editor.text !== exercise.stub);
  }

  async function check() {
    if (isChecking) return;
    isChecking = true;
    enable(checker, false);
    note.textContent = python.isBusy() ? "Waiting for code that still runs …" : python.state.versions ? "Checking …" : "Loading Python, about 9 MB …";
    say(note.textContent);
    editor.mark(undefined);
    try {
      await start();
      if (!python.isBusy()) note.textContent = "Checking …";
      show(stop, true);
      const source = editor.text;
      const found = await python.check(name, source);
      kept.exercises.change(name, { source, right: found.right, tests: found.tests, checked: source });
      report.replaceChildren(reportOf(found));
      note.textContent = "";
      const { right, tests } = found;
      const reason = found.misconceptions.join(", ") || (right === tests ? "" : found.shown.slice(1).find(([, text]) => text)?.[1]);
      say(`${right} of ${tests} tests passed. ${reason ?? ""}`);
      draw();
    } catch (error) {
      note.textContent = error instanceof python.Stopped ? "Stopped." : `Python was ended: ${error.message}`;
      say(note.textContent);
    } finally {
      isChecking = false;
      enable(checker, true);
      if (document.activeElement === stop) checker.focus();
      show(stop, false);
    }
  }

  function hints(count, isQuiet) {
    const shown = Math.min(count, exercise.hints.length);
    kept.exercises.change(name, { hints: shown });
    help.replaceChildren(
      ...exercise.hints.slice(0, shown).map((text, i) => element("p", {}, element("b", {}, `Hint ${i + 1}. `), ...coded(text))),
    );
    if (shown === exercise.hints.length && document.activeElement === hint) solution.focus();
    show(hint, shown < exercise.hints.length);
    if (!isQuiet) say(exercise.hints[shown - 1]);
  }

  function ask() {
    const away = () => {
      hints(mine().hints ?? 0, true);
      solution.focus();
    };
    const sure = button("Show it", () => {
      const hide = button("Hide it", away);
      help.replaceChildren(hide, element("div", { class: "highlight" }, element("pre", {}, element("code", { tabindex: "0" }, exercise.solution))));
      hide.focus();
      say("The solution is shown.");
    });
    help.replaceChildren(element("p", {}, "Do you want to see the solution? ", sure, " ", button("Not yet", away)));
    sure.focus();
  }

  function close() {
    stage.remove();
    opener.disabled = false;
    opener.focus();
  }
}

/** All files of the reader, as one that can be taken in again, or unpacked into a folder. */
export async function download() {
  const { zip } = await import("./zip.js");
  const all = await about();
  const mine = kept.exercises.read();
  const progress = {};
  const files = {};
  for (const [name, { stub }] of Object.entries(all)) {
    const { source = stub, checked, right = 0, tests = 0, hints = 0 } = mine[name] ?? {};
    files[`${name}.py`] = source;
    if (mine[name]) progress[name] = { source: checked === undefined ? "" : await kept.hash(checked), right, tests, hints };
  }
  files[".progress.json"] = `${JSON.stringify(progress, null, 1)}\n`;
  save("exercises.zip", zip(files), "application/zip");
}

/**
 * Take in files of a folder, or a zip of it: those that are exercises, and have been written in.
 *
 * @param {(names: string[]) => boolean} isReplaced asked where the reader has other code here
 * @returns {Promise<string[]>} the names of those taken in
 */
export async function take(files, isReplaced) {
  const { unzip } = await import("./zip.js");
  const all = await about();
  const texts = {};
  for (const file of files)
    Object.assign(texts, file.name.endsWith(".zip") ? await unzip(file) : { [file.name]: await file.text() });
  // All are read before any is kept.
  const known = Object.entries(texts)
    .filter(([file]) => file.endsWith(".py") && Object.hasOwn(all, file.slice(0, -3)))
    .map(([file, source]) => [file.slice(0, -3), source]);
  if (!known.length) throw new Error(`no file has the name of an exercise, such as relu.py: ${Object.keys(texts).join(", ")}`);
  const mine = kept.exercises.read();
  const isMine = (name) => ![undefined, all[name].stub].includes(mine[name]?.source);
  const own = known.filter(([name, source]) => source !== all[name].stub && source !== mine[name]?.source);
  const differing = own.filter(([name]) => isMine(name)).map(([name]) => name);
  if (differing.length && !isReplaced(differing)) throw new Error("your code here was kept");
  for (const [name, source] of own) kept.exercises.change(name, { source });
  return own.map(([name]) => name);
}
