// Five values of one feature to be dragged; normalised with this batch, or with what is remembered.
import { normalise, remember, statistics } from "../arithmetic/batch_norm.js";
import { normals } from "../arithmetic/network.js";
import { announcer, button, element, number, slider, svg } from "./tools.js";

const EXAMPLE = [1, 3, 4, 5, 7];
const [MIDDLE, SPREAD] = [3, 2]; // of the numbers that a new batch is drawn from
const START = { draws: 0, x: EXAMPLE, gamma: 4, beta: 1, train: true, memory: { mean: 0, variance: 1 } };
const [EPS, MOMENTUM] = [1e-5, 0.1];
const [LEAST, MOST] = [-12, 12];
const SYMBOLS = { x: "X", xhat: "Xhat", y: "Y" };
const ROWS = { x: 42, xhat: 102, y: 152 };
const [ORIGIN, UNIT] = [184, 13.5];
const place = (value) => ORIGIN + UNIT * value;
const clear = (value) => number(Math.abs(value) < 0.005 ? 0 : value);

export function mount(stage, signal) {
  let state = structuredClone(START);
  let moved = null; // the example that the reader has moved last
  const BEFORE = normalise(EXAMPLE, statistics(EXAMPLE), START.gamma, START.beta, EPS);

  const picture = svg("svg", { width: 440, height: 244, viewBox: "0 0 360 200", role: "group", "aria-label": "Five values on a line, and what becomes of them" });
  for (const [name, label] of [["x", "x"], ["xhat", "x̂"], ["y", "y"]]) {
    const y = ROWS[name];
    picture.append(
      svg("line", { x1: place(LEAST), x2: place(MOST), y1: y, y2: y, class: "book-norm-line" }),
      svg("text", { x: 0, y: y + 4, "font-style": "italic" }, label),
    );
  }
  for (let value = LEAST; value <= MOST; value += 4) {
    picture.append(svg("text", { x: place(value), y: 190, "text-anchor": "middle" }, number(value)));
  }
  const spread = svg("line", { "data-symbol": "sigma2", y1: ROWS.x + 19, y2: ROWS.x + 19, class: "book-norm-spread" });
  const middle = svg("line", { "data-symbol": "mu", y1: ROWS.x - 8, y2: ROWS.x + 24, class: "book-norm-mean" });
  const mu = svg("text", { y: ROWS.x + 37, "text-anchor": "middle", class: "book-norm-name" }, "μ ± σ");
  picture.append(spread, middle);
  for (const name of ["xhat", "y"]) {
    for (const value of BEFORE[name]) {
      const x = place(value);
      picture.append(svg("line", { x1: x, x2: x, y1: ROWS[name] + 9, y2: ROWS[name] + 17, class: "book-norm-before" }));
    }
  }

  const points = EXAMPLE.map((_, n) => {
    const roads = svg("polyline", { class: "book-norm-road" });
    const marks = ["xhat", "y"].map(() => svg("path", { class: "book-norm-mark" }));
    const mark = svg("path", { class: "book-norm-mark" });
    const text = svg("text", { y: -13, "text-anchor": "middle" }, `${n + 1}`);
    const handle = svg("g", { class: "book-norm-handle", role: "slider", tabindex: 0, "aria-label": `example ${n + 1}`, "aria-valuemin": LEAST, "aria-valuemax": MOST },
      svg("circle", { r: 15, fill: "transparent" }), mark, text);
    // Where handles overlap, the pointer takes the example that is nearest.
    handle.addEventListener("pointerdown", (event) => {
      const distances = state.x.map((value) => Math.abs(value - under(event)));
      const nearest = distances[n] <= Math.min(...distances) ? n : distances.indexOf(Math.min(...distances));
      points[nearest].handle.setPointerCapture(event.pointerId);
      points[nearest].handle.focus();
      event.preventDefault();
    }, { signal });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) move(n, Math.round(2 * under(event)) / 2);
    }, { signal });
    handle.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -0.5, ArrowDown: -0.5, ArrowRight: 0.5, ArrowUp: 0.5, PageDown: -2, PageUp: 2, Home: -Infinity, End: Infinity };
      if (!(event.key in steps)) return;
      event.preventDefault();
      move(n, state.x[n] + steps[event.key]);
    }, { signal });
    picture.append(roads, ...marks);
    return { roads, marks, mark, handle };
  });
  picture.append(mu, ...points.map((point) => point.handle)); // above all roads

  const cells = {};
  const table = element("table", { class: "book-norm-table" });
  for (const [name, label] of [["x", "x"], ["xhat", "x̂"], ["y", "y"]]) {
    cells[name] = EXAMPLE.map(() => element("td"));
    table.append(element("tr", { "data-symbol": SYMBOLS[name] }, element("th", { scope: "row" }, label), ...cells[name]));
  }
  table.prepend(element("tr", {}, element("th", { scope: "col" }, "example"), ...EXAMPLE.map((_, n) => element("th", { scope: "col" }, `${n + 1}`))));
  const batch = element("p");
  const memory = element("p");

  const training = button("Training", () => mode(true), signal);
  const evaluation = button("Evaluation", () => mode(false), signal);
  const gamma = slider({ label: "scale γ", min: -4, max: 4, step: 0.5, value: START.gamma, signal, onInput: (to) => change({ gamma: to }) });
  gamma.node.dataset.symbol = "gamma";
  const beta = slider({ label: "shift β", min: -4, max: 4, step: 0.5, value: START.beta, signal, onInput: (to) => change({ beta: to }) });
  beta.node.dataset.symbol = "beta";
  stage.append(
    element("p", { class: "book-hint" }, "Drag example 1 to 11. Which outputs move? Then do it in evaluation."),
    picture,
    table,
    element("div", { class: "book-norm-statistics" }, batch, memory),
    element("div", { class: "book-norm-buttons" },
      element("span", { role: "group", "aria-label": "Mode" }, training, evaluation),
      button("One pass", () => pass(1), signal),
      button("Ten passes", () => pass(10), signal),
      button("New batch", () => redraw(), signal),
      button("Back to the example", () => ((state = structuredClone(START)), (moved = null), gamma.set(state.gamma), beta.set(state.beta), change({})), signal)),
    element("div", { class: "book-norm-sliders" }, gamma.node, beta.node),
  );
  const say = announcer(stage);

  function change(to, said) {
    Object.assign(state, to);
    draw();
    say(said ?? `y is ${outputs().y.map(clear).join(", ")}.`);
  }

  // The value on the line below the pointer.
  function under(event) {
    const { a, e } = picture.getScreenCTM();
    return ((event.clientX - e) / a - ORIGIN) / UNIT;
  }

  function move(n, value) {
    if (edge(value) === state.x[n]) return;
    const old = outputs().y;
    state.x[n] = edge(value);
    moved = n;
    const count = outputs().y.filter((y, m) => m !== n && Math.abs(y - old[m]) > 1e-9).length;
    const others = state.train ? `${count} of the 4 other outputs moved with it` : "no other output moved";
    change({}, `Example ${n + 1} is ${clear(state.x[n])}; ${others}.`);
  }

  function mode(train) {
    change({ train }, train ? "Training: the statistics of this batch." : "Evaluation: the statistics that are remembered. Each example stands alone.");
  }

  function pass(times) {
    if (!state.train) return say("A pass in evaluation changes nothing that is remembered.");
    let { memory } = state;
    for (let i = 0; i < times; i += 1) memory = remember(memory, state.x, MOMENTUM);
    change({ memory }, `Remembered now: mean ${clear(memory.mean)}, variance ${clear(memory.variance)}.`);
  }

  // Five new numbers, from one distribution; what is remembered moves when they pass.
  function redraw() {
    const drawn = normals(state.draws + 1, EXAMPLE.length).map((value) => edge(Math.round(2 * (MIDDLE + SPREAD * value)) / 2));
    moved = null;
    const { mean, variance } = statistics(drawn);
    change({ draws: state.draws + 1, x: drawn }, `A new batch, drawn with mean ${MIDDLE} and variance ${SPREAD ** 2}: its own are ${clear(mean)} and ${clear(variance)}.`);
  }

  function used() {
    return state.train ? statistics(state.x) : state.memory;
  }

  function outputs() {
    return normalise(state.x, used(), state.gamma, state.beta, EPS);
  }

  function draw() {
    const { mean, variance } = used();
    const values = { x: state.x, ...outputs() };
    const now = statistics(state.x);
    for (const [name, row] of Object.entries(cells)) row.forEach((cell, n) => (cell.textContent = clear(values[name][n])));
    points.forEach(({ roads, marks, mark, handle }, n) => {
      handle.setAttribute("transform", `translate(${place(state.x[n])} ${ROWS.x})`);
      handle.setAttribute("aria-valuenow", state.x[n]);
      handle.setAttribute("aria-valuetext", `x ${clear(state.x[n])}, y ${clear(values.y[n])}`);
      for (const one of [mark, ...marks, roads]) one.toggleAttribute("data-moved", n === moved);
      mark.setAttribute("d", shape(0, 0, 6, n === moved));
      const ends = ["xhat", "y"].map((name) => edge(values[name][n]));
      roads.setAttribute("points", [[state.x[n], ROWS.x], [ends[0], ROWS.xhat], [ends[1], ROWS.y]].map(([v, y]) => `${place(v)},${y}`).join(" "));
      ["xhat", "y"].forEach((name, k) => {
        const off = Math.sign(values[name][n] - ends[k]);
        marks[k].setAttribute("d", off ? arrow(place(ends[k]), ROWS[name], off) : shape(place(ends[k]), ROWS[name], 4.5, n === moved));
      });
    });
    const sigma = Math.sqrt(variance);
    spread.setAttribute("x1", place(edge(mean - sigma)));
    spread.setAttribute("x2", place(edge(mean + sigma)));
    for (const end of ["x1", "x2"]) middle.setAttribute(end, place(mean));
    mu.setAttribute("x", place(mean));
    training.setAttribute("aria-pressed", state.train);
    evaluation.setAttribute("aria-pressed", !state.train);
    batch.textContent = `${state.train ? "▸ " : ""}This batch: mean ${clear(now.mean)}, variance ${clear(now.variance)}`;
    memory.textContent = `${state.train ? "" : "▸ "}Remembered: mean ${clear(state.memory.mean)}, variance ${clear(state.memory.variance)}`;
    batch.toggleAttribute("data-used", state.train);
    memory.toggleAttribute("data-used", !state.train);
  }

  draw();
}

function edge(value) {
  return Math.max(LEAST, Math.min(MOST, value));
}

// A square for the example that was moved, a circle for the others, an arrow for what lies outside.
function shape(x, y, r, square) {
  return square
    ? `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`
    : `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
}

function arrow(x, y, direction) {
  return `M${x} ${y - 6}l${9 * direction} 6l${-9 * direction} 6z`;
}
