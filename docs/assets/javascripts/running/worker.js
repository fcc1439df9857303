// Python in a worker: starts it from the site's own files, and runs what the page sends.
//
// A classic worker, since Python's loader is one. What it loads is kept by the browser under the
// name of the folder, which is the hash of what is in it: a second visit needs no network.

const BASE = new URL("../../../", self.location); // of the site
let manifest, python, kernel, submissions, rendering;
let current = 0; // the request that is being answered

const tell = (kind, more) => postMessage({ id: current, kind, ...more });

// --- what is loaded -----------------------------------------------------------------------------

const address = (name) => {
  const [part] = manifest.files[name];
  return new URL(manifest.folders[part] + name, BASE).href;
};

/** A file of the runtime: from the browser's store, or over the wire, whose bytes are counted. */
async function load(name) {
  const where = address(name);
  const kept = await self.caches?.open("book-python").catch(() => undefined);
  const found = await kept?.match(where);
  const answer = found ?? (await fetch(where));
  if (!answer.ok) throw new Error(`${where}: ${answer.status}`);
  const parts = [];
  const reader = answer.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    tell("progress", { name, bytes: part.value.length });
  }
  const whole = new Blob(parts);
  if (!found) await kept?.put(where, new Response(whole)).catch(() => 0); // no room: the next time
  return whole;
}

/** The same, unpacked here: not every host compresses, and some unpack what is packed already. */
async function unpacked(name) {
  const blob = await load(`${name}.gz`);
  const start = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  if (start[0] !== 0x1f || start[1] !== 0x8b) return new Response(blob);
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip")));
}

/** Forget what earlier editions of the book have left. */
async function tidy() {
  const kept = await self.caches?.open("book-python");
  const folders = Object.values(manifest.folders).map((folder) => new URL(folder, BASE).href);
  for (const { url } of (await kept?.keys()) ?? [])
    if (url.startsWith(BASE.href) && !folders.some((folder) => url.startsWith(folder)))
      await kept.delete(url);
}

/** Run a script of the runtime; a policy in the host's headers may want it by its own address. */
async function script(name) {
  const type = "text/javascript";
  const content = new Blob([await (await unpacked(name)).blob()], { type });
  const own = URL.createObjectURL(content);
  try {
    importScripts(own);
  } catch {
    importScripts(address(name));
  }
  URL.revokeObjectURL(own);
}

async function archive(name, folder) {
  python.unpackArchive(await (await unpacked(name)).arrayBuffer(), "zip", { extractDir: folder });
}

// --- the clock ----------------------------------------------------------------------------------

// Python asks this "buffer" between its instructions whether it is to be interrupted. No memory is
// shared with the page, so its 0 is a question to the clock, and to the address that the page takes
// back when "Stop" is pressed.
const ASK = 200; // milliseconds
let due = [];
let stop, asked;

const clock = {
  get 0() {
    const now = performance.now();
    if (stop && now - asked > ASK) {
      asked = now;
      if (isTakenBack(stop)) {
        stop = undefined;
        return 2; // SIGINT
      }
    }
    for (const one of due)
      if (now >= one.at) {
        one.at = one.every ? now + one.every : Infinity;
        return one.signal;
      }
    return 0;
  },
  set 0(_) {},
};

function deadline(signal, seconds, every) {
  due = due.filter((one) => one.signal !== signal);
  if (seconds > 0) due.push({ signal, at: performance.now() + 1000 * seconds, every: 1000 * every });
}

function isTakenBack(where) {
  try {
    const request = new XMLHttpRequest();
    request.open("GET", where, false);
    request.overrideMimeType("text/plain");
    request.send();
    return request.status !== 200;
  } catch {
    return true;
  }
}

// --- start and serve ----------------------------------------------------------------------------

const SITE = "/lib/python3.12/site-packages";

async function start() {
  const began = performance.now();
  const about = new URL("assets/runtime/manifest.json", BASE);
  // Without a network what is kept must do.
  const asked = fetch(about, { cache: "no-cache" }).catch(() => fetch(about, { cache: "force-cache" }));
  manifest = await (await asked).json();
  // All at once; each is used when it is there.
  const [wasm, standard, numpy, book] = [
    unpacked("pyodide.asm.wasm"),
    unpacked("python_stdlib.zip"),
    unpacked("numpy.zip"),
    unpacked("book.zip"),
  ];
  for (const part of [standard, numpy, book]) part.catch(() => 0); // the first that fails is told
  await script("pyodide.asm.js");
  importScripts(address("pyodide.js"));
  const own = {
    "pyodide.asm.wasm": async () =>
      new Response((await wasm).body, { headers: { "Content-Type": "application/wasm" } }),
    "python_stdlib.zip": async () => standard,
    "pyodide-lock.json": async () => new Response(JSON.stringify(manifest.lock)),
  };
  const plain = self.fetch.bind(self);
  self.fetch = (where, options) => {
    const name = String(where.url ?? where).split("/").pop();
    return own[name]?.() ?? plain(where, options);
  };
  python = await loadPyodide({
    indexURL: new URL(manifest.folders.core, BASE).href,
    packages: [],
    env: { HOME: "/book", MPLBACKEND: "agg", PYTHONDONTWRITEBYTECODE: "1", PYTHONHASHSEED: "0", TZ: "UTC" },
  });
  self.fetch = plain;
  python.unpackArchive(await (await numpy).arrayBuffer(), "zip", { extractDir: SITE });
  python.unpackArchive(await (await book).arrayBuffer(), "zip", { extractDir: "/book" });
  python.setInterruptBuffer(clock);
  python.runPython("import os, sys; sys.path.insert(0, '/book'); os.chdir('/book'); import numpy");
  const post = (output) => tell("output", { output: JSON.parse(output) });
  kernel = python.pyimport("in_page.kernel").Kernel(post, deadline);
  tidy().catch(() => 0);
  return { ms: performance.now() - began, versions: manifest.versions };
}

const figures = once(async () => {
  await archive("matplotlib.zip", SITE);
  python.pyimport("in_page.figures").quiet();
});
const pictures = once(() => archive("pictures.zip", "/book"));
const FIGURES = /matplotlib|pages\.plots|certificate_figure/;

const grader = once(async () => {
  submissions = python.pyimport("in_page.submissions");
  submissions.install(BASE.href);
});

const markdown = once(async () => {
  await archive("markdown.zip", SITE);
  importScripts(new URL("katex.js", self.location).href);
  rendering = python.pyimport("in_page.rendering");
});

function once(make) {
  let made;
  return (...given) => (made ??= make(...given).catch((error) => ((made = undefined), Promise.reject(error))));
}

const answers = {
  start,
  reset: () => kernel.reset(),
  leaveOut: ({ code }) => kernel.leave_out(code),
  async run({ code, expressions }) {
    if (FIGURES.test(code)) await figures();
    if (code.includes("datasets/images")) await pictures();
    if (/nn_tutorial\.exercises/.test(code)) await grader();
    const began = performance.now();
    const about = JSON.parse(kernel.run(code));
    const ms = performance.now() - began;
    const values = about.error || about.missing ? [] : expressions.map((one) => kernel.value(one));
    return { ...about, values, ms };
  },
  async check({ exercise, source }) {
    await grader();
    const began = performance.now();
    const report = JSON.parse(submissions.check(exercise, source));
    return { ...report, ms: performance.now() - began };
  },
  async render({ text, inline }) {
    await markdown();
    const options = { output: "mathml", strict: false, throwOnError: false };
    const draw = (tex, displayMode) =>
      self.katex.renderToString(tex, { ...options, displayMode, macros: { "\\R": "\\mathbb{R}" } });
    return { html: rendering.render.callKwargs(text, draw, { inline }) };
  },
};

async function serve({ id, kind, stop: where, ...given }) {
  current = id;
  asked = performance.now();
  stop = where;
  try {
    tell("done", await answers[kind](given));
  } catch (error) {
    // Python's own errors are told by the kernel: what comes here has ended it, or was not loaded.
    const message = String(error?.message ?? error).trim().split("\n").pop() || error?.type || "unknown";
    tell("failed", { message: message.slice(0, 300) });
  }
  stop = undefined;
  due = [];
}

let queue = Promise.resolve();
onmessage = ({ data }) => (queue = queue.then(() => serve(data)));
