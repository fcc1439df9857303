// A network that learns the irises in the page: decision regions and loss curves as it trains.
import { epoch, evaluate, initial, probabilities, shuffled } from "../arithmetic/network.js";
import { iris } from "./data.js";
import { announcer, button, element, number, slider, still, svg } from "./tools.js";

// The three runs of the chapter: learning rate and hidden layers of ten units, batches of 16.
const RUNS = { "Run 1": [0.01, 1], "Run 2": [0.1, 2], "Run 3": [0.001, 3] };
const START = { rate: 0.1, depth: 2, width: 10, batch: 16, norm: false, seed: 1 };
const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const BATCHES = [4, 8, 16, 32, 100];
const [EPOCHS, SHORT] = [200, 60]; // of a run in the chapter, and of the one on the landing page
const MARKS = ["circle", "square", "triangle"];
const COLORS = ["--book-blue", "--book-orange", "--book-green"];
const CELLS = { across: 60, up: 36 };
const MAP = { left: 46, top: 6, width: 308, height: 190 };
const CURVES = { left: 46, top: 8, width: 308, height: 110, most: 1.5 };
const [LENGTH, WIDTH] = [2, 3]; // the petal's, among the four features

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const columns = iris.features.map((_, d) => iris.x.train.map((row) => row[d]));
const middle = columns.map(mean);
const spread = columns.map((values, d) => Math.sqrt(mean(values.map((v) => (v - middle[d]) ** 2))));
const standardised = (rows) => rows.map((row) => row.map((v, d) => (v - middle[d]) / spread[d]));
const train = standardised(iris.x.train);
const validation = standardised(iris.x.validation);
const range = [LENGTH, WIDTH].map((d) => [Math.min(...columns[d]) - 0.3, Math.max(...columns[d]) + 0.3]);

// Centimetres to places on the map, and the flowers in the middle of its cells.
const x = (cm) => MAP.left + (MAP.width * (cm - range[0][0])) / (range[0][1] - range[0][0]);
const y = (cm) => MAP.top + MAP.height * (1 - (cm - range[1][0]) / (range[1][1] - range[1][0]));
const cells = [];
for (let up = 0; up < CELLS.up; up += 1) {
  for (let across = 0; across < CELLS.across; across += 1) {
    const flower = [...middle]; // the sepals are those of the mean flower
    flower[LENGTH] = range[0][0] + ((across + 0.5) / CELLS.across) * (range[0][1] - range[0][0]);
    flower[WIDTH] = range[1][1] - ((up + 0.5) / CELLS.up) * (range[1][1] - range[1][0]);
    cells.push(flower);
  }
}
const grid = standardised(cells);

export const mount = (stage, signal) => mountNetwork(stage, signal, { small: false });

export function mountNetwork(stage, signal, { small }) {
  const last = small ? SHORT : EPOCHS;
  let settings = { ...START };
  let net, velocity, history, playing, frame, visible;
  const canvas = element("canvas", { width: CELLS.across, height: CELLS.up, class: "book-network-regions" });
  const map = svg("svg", { viewBox: "0 0 360 232", role: "img", class: "book-network-map" });
  const plane = element("div", { class: "book-network-plane" }, canvas, map);
  const curves = svg("svg", { viewBox: "0 0 360 156", role: "img", class: "book-network-curves" });
  const lines = ["training", "validation"].map((part) => svg("polyline", { class: `book-network-${part}` }));
  drawFlowers(map);
  drawAxes(curves, last, lines);

  const play = button("Train", () => (playing ? pause() : begin()), signal);
  const step = button("One epoch", () => (pause(), advance(), draw()), signal);
  const again = button("Start again", () => reset(), signal);
  const buttons = element("div", { class: "book-network-buttons" }, play, step, again);
  const shown = element("div", {}, plane);
  const panel = element("div", {}, buttons); // beside what it controls, where there is room
  stage.classList.toggle("book-network", !small);
  stage.append(shown, panel);
  if (!small) {
    const hint = element("p", { class: "book-hint" }, "Train run 3. What does it lack: layers, or time?");
    panel.prepend(hint);
    shown.append(curves);
  }
  const controls = small ? null : settingsPanel();
  const say = announcer(panel);

  function settingsPanel() {
    const presets = Object.entries(RUNS).map(([name, [rate, depth]]) =>
      button(name, () => choose({ ...START, rate, depth }), signal));
    const norm = button("Batch normalisation", () => choose({ ...settings, norm: !settings.norm }), signal);
    const of = (label, values, name, format = String) =>
      slider({
        label, min: 0, max: values.length - 1, step: 1, value: values.indexOf(START[name]), signal,
        format: (i) => format(values[i]), onInput: (i) => choose({ ...settings, [name]: values[i] }),
      });
    const widths = [1, 2, 3, 5, 10, 20];
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const sliders = {
      rate: [of("learning rate", RATES, "rate", (v) => number(v, 3)), RATES],
      depth: [of("hidden layers", [0, 1, 2, 3], "depth"), [0, 1, 2, 3]],
      width: [of("units in each", widths, "width"), widths],
      batch: [of("batch size", BATCHES, "batch"), BATCHES],
      seed: [of("seed", seeds, "seed"), seeds],
    };
    const row = element("div", { class: "book-network-buttons", role: "group", "aria-label": "Settings of the chapter" }, ...presets, norm);
    panel.append(row, element("div", { class: "book-network-sliders" }, ...Object.values(sliders).map(([control]) => control.node)));
    return { presets, norm, sliders };
  }

  // The learning rate and the batch size act at once; another network begins anew.
  function choose(wanted) {
    const other = ["depth", "width", "norm", "seed"].some((name) => wanted[name] !== settings[name]);
    settings = wanted;
    showSettings();
    if (other || history.training.length === 0) reset();
  }

  function showSettings() {
    if (!controls) return;
    for (const [name, [control, values]] of Object.entries(controls.sliders)) control.set(values.indexOf(settings[name]));
    controls.norm.setAttribute("aria-pressed", settings.norm);
    const names = Object.keys(RUNS);
    controls.presets.forEach((preset, i) => {
      const [rate, depth] = RUNS[names[i]];
      const same = Object.entries({ ...START, rate, depth }).every(([name, value]) => settings[name] === value);
      preset.setAttribute("aria-pressed", same);
    });
  }

  function reset() {
    pause();
    const sizes = [iris.features.length, ...Array(settings.depth).fill(settings.width), iris.species.length];
    net = initial(sizes, settings.norm, settings.seed);
    velocity = null;
    history = { training: [], validation: [] };
    draw();
  }

  function advance() {
    if (history.training.length >= last) return false;
    const order = shuffled(1e6 * settings.seed + history.training.length, train.length);
    const done = epoch(net, velocity, train, iris.labels.train, order, { rate: settings.rate, momentum: 0, batch: settings.batch });
    ({ net, velocity } = done);
    history.training.push(done.loss);
    history.validation.push(evaluate(net, validation, iris.labels.validation).loss);
    return true;
  }

  function begin() {
    if (history.training.length >= last) reset();
    playing = true;
    play.textContent = "Pause";
    frame = requestAnimationFrame(run);
  }

  function pause() {
    playing = false;
    cancelAnimationFrame(frame);
    play.textContent = "Train";
  }

  // A slice of work a frame, so that the page stays responsive; nothing is drawn on the way for
  // those who asked for less motion.
  function run() {
    if (!playing || signal.aborted) return;
    const began = performance.now();
    let more = visible !== false;
    do more = more && advance();
    while (more && still() && performance.now() - began < 12);
    if (history.training.length >= last) pause();
    if (!still() || !playing) draw();
    if (playing) frame = requestAnimationFrame(run);
  }

  function draw() {
    const style = getComputedStyle(stage);
    // Each cell is as sure as the network: the colours of the species, mixed by their probabilities.
    const colors = COLORS.map((name) => rgb(style.getPropertyValue(name).trim()));
    const picture = new ImageData(CELLS.across, CELLS.up);
    probabilities(net, grid).forEach((p, i) => {
      const mixed = [0, 1, 2].map((part) => p.reduce((sum, pk, k) => sum + pk * colors[k][part], 0));
      picture.data.set([...mixed, 255], 4 * i);
    });
    canvas.getContext("2d").putImageData(picture, 0, 0);
    const done = history.training.length;
    ["training", "validation"].forEach((part, i) => {
      const points = history[part].map((value, at) => `${curveX(at + 1, last)},${curveY(value)}`);
      lines[i].setAttribute("points", points.join(" "));
    });
    const { loss, accuracy } = evaluate(net, validation, iris.labels.validation);
    const right = Math.round(accuracy * validation.length);
    const text = `Epoch ${done} of ${last}: ${right} of ${validation.length} flowers that it has not seen are right, loss ${number(loss)}.`;
    map.setAttribute("aria-label", `What the network answers for every petal. ${text}`);
    curves.setAttribute("aria-label", `Loss over the epochs. ${done ? `Training ${number(history.training.at(-1))}, validation ${number(loss)}.` : "Nothing yet."}`);
    say(text);
  }

  new MutationObserver(() => !signal.aborted && draw()).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
  const seen = new IntersectionObserver(([entry]) => (visible = entry.isIntersecting));
  seen.observe(stage);
  signal.addEventListener("abort", () => (pause(), seen.disconnect()));
  reset();
  showSettings();
  if (small && !still()) begin(); // once, under five seconds, with a button that pauses
}

// The parts of a colour such as "#0072b2".
const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

function drawFlowers(map) {
  iris.x.train.forEach((flower, i) => {
    const [left, top] = [x(flower[LENGTH]), y(flower[WIDTH])];
    map.append(mark(MARKS[iris.labels.train[i]], left, top));
  });
  const places = [[2.55, 0.25], [2.2, 1.2], [3.8, 2.3]]; // beside the flowers, in cm
  iris.species.forEach((name, k) => {
    const [left, top] = [x(places[k][0]), y(places[k][1])];
    map.append(mark(MARKS[k], left - 8, top - 4), svg("text", { x: left, y: top }, name));
  });
  for (const cm of [1, 2, 3, 4, 5, 6]) map.append(svg("text", { x: x(cm), y: 211, "text-anchor": "middle" }, `${cm}`));
  for (const cm of [0.5, 1, 1.5, 2, 2.5]) map.append(svg("text", { x: 40, y: y(cm) + 4, "text-anchor": "end" }, `${cm}`));
  map.append(
    svg("text", { x: MAP.left + MAP.width / 2, y: 228, "text-anchor": "middle" }, "petal length (cm)"),
    svg("text", { x: 10, y: MAP.top + MAP.height / 2, "text-anchor": "middle", transform: `rotate(-90 10 ${MAP.top + MAP.height / 2})` }, "petal width (cm)"),
  );
}

function mark(kind, left, top) {
  if (kind === "circle") return svg("circle", { cx: left, cy: top, r: 3, class: "book-network-flower-0" });
  if (kind === "square") return svg("rect", { x: left - 2.8, y: top - 2.8, width: 5.6, height: 5.6, class: "book-network-flower-1" });
  return svg("path", { d: `M${left} ${top - 3.6}l3.6 6.4h-7.2z`, class: "book-network-flower-2" });
}

const curveX = (at, last) => CURVES.left + (CURVES.width * at) / last;
const curveY = (value) => CURVES.top + CURVES.height * (1 - Math.min(value, CURVES.most) / CURVES.most);

function drawAxes(curves, last, lines) {
  const bottom = CURVES.top + CURVES.height;
  curves.append(svg("path", { d: `M${CURVES.left} ${CURVES.top}V${bottom}H${CURVES.left + CURVES.width}`, class: "book-network-axis" }));
  for (const value of [0, 0.5, 1, 1.5]) curves.append(svg("text", { x: 40, y: curveY(value) + 4, "text-anchor": "end" }, `${value}`));
  for (const at of [0, last / 2]) curves.append(svg("text", { x: curveX(at, last), y: bottom + 15, "text-anchor": "middle" }, `${at}`));
  curves.append(svg("text", { x: 360, y: bottom + 15, "text-anchor": "end" }, `${last}`)); // not beyond the edge
  curves.append(
    svg("text", { x: CURVES.left + CURVES.width / 2, y: bottom + 32, "text-anchor": "middle" }, "epoch"),
    svg("text", { x: 10, y: CURVES.top + CURVES.height / 2, "text-anchor": "middle", transform: `rotate(-90 10 ${CURVES.top + CURVES.height / 2})` }, "loss (nats)"),
    svg("line", { x1: 170, x2: 194, y1: 16, y2: 16, class: "book-network-training" }),
    svg("text", { x: 200, y: 20 }, "training"),
    svg("line", { x1: 258, x2: 282, y1: 16, y2: 16, class: "book-network-validation" }),
    svg("text", { x: 288, y: 20 }, "validation"),
    ...lines,
  );
}
