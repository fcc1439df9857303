// An exercise in the page: its file in an editor, the grader's report, hints, and the solution.

import { button, element, save, say, show } from "./dom.js";
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
  const editor = createEditor(host, {
    text: mine().source ?? exercise.stub,
    label: `Your file ${name}.py`,
    onChange: (source) => {
      kept.exercises.change(name, { source });
      show(reset, source !== exercise.stub);
    },
    onRun: () => check(),
    names: () => [],
  });

  const checker = button("Check", () => check(), { "aria-label": `Check ${name}` });
  const stop = button("Stop", () => python.stop());
  const hint = button("Hint", () => hints(mine().hints ? mine().hints + 1 : 1));
  const solution = button("Solution", () => ask());
  const reset = button("Start over", () => (editor.text = exercise.stub));
  show(stop, false);
  show(reset, editor.text !== exercise.stub);
  const tools = element("div", { class: "book-tools" }, checker, stop, hint, solution, reset, button("Close", close), note);
  stage.append(host, tools, help, report);
  if (mine().hints) hints(mine().hints, true);
  editor.focus();

  async function check() {
    if (checker.disabled) return;
    checker.disabled = true;
    note.textContent = python.state.versions ? "Checking …" : "Python is loaded, about 9 MB …";
    editor.mark(undefined);
    try {
      await start();
      note.textContent = "Checking …";
      show(stop, true);
      const source = editor.text;
      const found = await python.check(name, source);
      kept.exercises.change(name, { source, right: found.right, tests: found.tests, checked: source });
      report.replaceChildren(reportOf(found));
      note.textContent = "";
      const { right, tests } = found;
      say(`${right} of ${tests} tests passed. ${found.misconceptions.join(", ")}`);
      draw();
    } catch (error) {
      note.textContent = error instanceof python.Stopped ? "Stopped." : `Python was ended: ${error.message}`;
      say(note.textContent);
    } finally {
      checker.disabled = false;
      show(stop, false);
    }
  }

  function hints(count, isQuiet) {
    const shown = Math.min(count, exercise.hints.length);
    kept.exercises.change(name, { hints: shown });
    help.replaceChildren(
      ...exercise.hints.slice(0, shown).map((text, i) => element("p", {}, element("b", {}, `Hint ${i + 1}. `), text)),
    );
    show(hint, shown < exercise.hints.length);
    if (!isQuiet) say(exercise.hints[shown - 1]);
  }

  function ask() {
    const sure = button("Show it", () => {
      help.replaceChildren(element("div", { class: "highlight" }, element("pre", {}, element("code", { tabindex: "0" }, exercise.solution))));
      say("The solution is shown.");
    });
    help.replaceChildren(element("p", {}, "Do you want to see the solution? ", sure, " ", button("Not yet", () => hints(mine().hints ?? 0, true))));
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

/** Take in files of a folder, or a zip of it: those that are exercises. */
export async function take(files) {
  const { unzip } = await import("./zip.js");
  const all = await about();
  const texts = {};
  for (const file of files)
    Object.assign(texts, file.name.endsWith(".zip") ? await unzip(file) : { [file.name]: await file.text() });
  // All are read before any is kept.
  const own = Object.entries(texts).filter(([file]) => file.endsWith(".py") && Object.hasOwn(all, file.slice(0, -3)));
  for (const [file, source] of own) kept.exercises.change(file.slice(0, -3), { source });
  return own.length;
}
