// Python, as the page sees it: it is started once, asked one thing after the other, and can be
// stopped. There is one for all pages that the reader visits without loading a page anew.

const PATIENCE = 800; // milliseconds in which code that is asked to stop must do so

let worker, ready, count = 0, page;
let busy; // what is being answered: { id, resolve, reject, onOutput }
const waiting = [];
let isNew = true; // whether no name has been given since the start
export const state = { versions: undefined };

/** Start it; what is loaded is told to `onProgress(bytes)`. */
export function start(onProgress = () => 0) {
  ready ??= begin(onProgress);
  return ready;
}

async function begin(onProgress) {
  worker = new Worker(new URL("worker.js", import.meta.url));
  worker.onmessage = ({ data }) => heard(data, onProgress);
  worker.onerror = (event) => broken(event.message || "the worker could not be loaded");
  isNew = true;
  const { versions } = await ask({ kind: "start" });
  state.versions = versions;
}

function heard({ id, kind, ...more }, onProgress) {
  if (kind === "progress") return onProgress(more.bytes);
  if (!busy || id !== busy.id) return undefined;
  if (kind === "output") return busy.onOutput?.(more.output);
  const { resolve, reject, question } = busy;
  busy = undefined;
  if (kind === "done") resolve(more);
  else {
    // An error that is not the reader's own: memory is full, or something was not loaded.
    if (question.kind !== "render") end();
    reject(new Error(more.message));
  }
  return next();
}

function broken(message) {
  const reject = busy?.reject;
  busy = undefined;
  end();
  reject?.(new Error(message));
}

/** End it at once; the next question starts it anew. */
export function end() {
  worker?.terminate();
  const left = busy ? [busy, ...waiting.splice(0)] : waiting.splice(0);
  worker = ready = busy = undefined;
  isNew = true;
  for (const { reject } of left) reject(new Stopped());
}

export const isBusy = () => Boolean(busy);

export class Stopped extends Error {
  message = "Stopped.";
}

function ask(question, onOutput) {
  return new Promise((resolve, reject) => {
    waiting.push({ id: (count += 1), question, onOutput, resolve, reject });
    next();
  });
}

function next() {
  if (busy || !waiting.length || !worker) return;
  busy = waiting.shift();
  // An address that Python looks up now and then: when it is taken back, it stops.
  busy.stop = URL.createObjectURL(new Blob(["go on"], { type: "text/plain" }));
  worker.postMessage({ id: busy.id, stop: busy.stop, ...busy.question });
}

/** Stop what runs: by asking, and where that does not help, by ending Python. */
export async function stop() {
  for (const { reject } of waiting.splice(0)) reject(new Stopped());
  if (!busy) return;
  const { id, stop: address } = busy;
  URL.revokeObjectURL(address);
  await new Promise((done) => setTimeout(done, PATIENCE));
  if (busy?.id === id) end();
}

/** Whether the names of this page are still there: of another page, and after a restart, none is. */
export const hasNames = () => page === location.pathname && !isNew && Boolean(ready);

/** Forget all names. */
export async function reset() {
  await start();
  await ask({ kind: "reset" });
  page = location.pathname;
  isNew = true;
}

/** Run a cell; each output is told as it comes. */
export async function run(code, expressions, onOutput) {
  await start();
  if (page !== location.pathname) await reset();
  isNew = false;
  return ask({ kind: "run", code, expressions }, onOutput);
}

/** Go on without a cell: what needs its names will say so. */
export async function leaveOut(code) {
  await start();
  return ask({ kind: "leaveOut", code });
}

export async function check(exercise, source) {
  await start();
  return ask({ kind: "check", exercise, source });
}

/** Markdown as HTML, formulas as MathML. */
export async function render(text, inline = false) {
  await start();
  return (await ask({ kind: "render", text, inline })).html;
}
