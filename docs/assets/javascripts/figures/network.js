// A network that learns the irises in the page: its answers on a map and its loss, as it trains.
import { evaluate, gates, initial, probabilities, shuffled, step } from "../arithmetic/network.js";
import { iris } from "./data.js";
import {
  CELLS, COLORS, curveX, curveY, drawAxes, drawFlowers, flowersIn, given, inside, lineOf, petalAt, place, standardised,
} from "./network_map.js";
import { FRAME, slices } from "./slices.js";
import { announcer, button, draggable, element, number, slider, still, svg } from "./tools.js";

// The three runs of the chapter: learning rate and hidden layers of ten units, batches of 16.
const RUNS = { "Run 1": [0.01, 1], "Run 2": [0.1, 2], "Run 3": [0.001, 3] };
const START = { rate: 0.1, depth: 2, width: 10, batch: 16, norm: false, seed: 1 };
const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const BATCHES = [4, 8, 16, 32, 100];
const [EPOCHS, SHORT] = [200, 60]; // of a run in the chapter, and of the one on the landing page
const PETAL = [4.9, 1.7]; // cm, of the reader's flower: between two species

const train = standardised(iris.x.train);
const validation = standardised(iris.x.validation);
const rows = Array.from({ length: CELLS.up }, (_, up) => up);
let grid; // of all rows what the network is given; made when it is first asked for

export const mount = (stage, signal) => mountNetwork(stage, signal, { small: false });

export function mountNetwork(stage, signal, { small }) {
  const last = small ? SHORT : EPOCHS;
  let settings = { ...START };
  let net, velocity, history, playing, visible;
  let wanted = 0; // single epochs that the reader has asked for
  let petal = PETAL;
  const canvas = element("canvas", { width: CELLS.across, height: CELLS.up, class: "book-network-regions" });
  const units = svg("g", { class: "book-network-units" });
  const drawing = svg("g", { role: "img" });
  const map = svg("svg", { viewBox: "0 0 360 232", class: "book-network-map" }, drawing);
  const plane = element("div", { class: "book-network-plane" }, canvas, map);
  const curves = svg("svg", { viewBox: "0 0 360 156", role: "img", class: "book-network-curves" });
  const lines = ["training", "validation"].map((part) => svg("polyline", { class: `book-network-${part}` }));
  drawing.append(units);
  drawFlowers(drawing);
  drawAxes(curves, last, lines);

  const play = button("Train", () => (playing ? pause() : begin()), signal);
  const one = button("One epoch", () => oneEpoch(), signal);
  const again = button("Start again", () => reset(), signal);
  const buttons = element("div", { class: "book-network-buttons" }, play, one, again);
  const digits = Object.fromEntries(["epoch", "loss", "accuracy"].map((name) => [name, element("dd")]));
  const board = element("dl", { class: "book-network-digits" },
    ...Object.entries(digits).map(([name, digit]) => element("div", {}, element("dt", {}, name), digit)));
  const shown = element("div", {}, plane);
  const panel = element("div", {}, buttons, board); // beside what it controls, where there is room
  const work = slices(signal);
  stage.classList.toggle("book-network", !small);
  stage.append(shown, panel);
  const flower = small ? null : ownFlower();
  if (!small) {
    const hint = element("p", { class: "book-hint" }, "Train run 3. What does it lack: layers, or time?");
    panel.prepend(hint);
    shown.append(curves, flower.answer);
  }
  const controls = small ? null : settingsPanel();
  const say = announcer(panel);

  function settingsPanel() {
    const presets = Object.entries(RUNS).map(([name, [rate, depth]]) =>
      button(name, () => choose({ ...START, rate, depth }), signal));
    const norm = button("Batch normalisation", () => choose({ ...settings, norm: !settings.norm }), signal);
    const bends = button("Hidden units", () => bends.setAttribute("aria-pressed", map.toggleAttribute("data-units")), signal);
    bends.setAttribute("aria-pressed", map.toggleAttribute("data-units", true));
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
    const row = element("div", { class: "book-network-buttons", role: "group", "aria-label": "Settings of the chapter" }, ...presets, norm, bends);
    panel.append(row, element("div", { class: "book-network-sliders" }, ...Object.values(sliders).map(([control]) => control.node)));
    return { presets, norm, sliders };
  }

  // The learning rate and the batch size act at once; another network begins anew.
  function choose(wanted) {
    const other = ["depth", "width", "norm", "seed"].some((name) => wanted[name] !== settings[name]);
    settings = wanted;
    showSettings();
    if (other) reset();
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

  // A flower of the reader's own, to be dragged over the map; the arrows move it a millimetre.
  function ownFlower() {
    const handle = svg("g", { class: "book-network-own", role: "slider", tabindex: 0, "aria-label": "Your flower", "aria-valuemin": 0, "aria-valuemax": 100 },
      svg("circle", { r: 15, fill: "transparent" }), svg("path", { d: "M0-8L8 0L0 8L-8 0z" }));
    const to = (wanted) => ((petal = inside(wanted)), answer(true));
    draggable(handle, {
      drawing: map,
      drag: (point) => to(petalAt(point)),
      step: (way) => to(petal.map((cm, axis) => Math.round(10 * cm + way[axis]) / 10)),
      signal,
    });
    map.append(handle);
    return { handle, answer: element("p", { class: "book-network-answer" }) };
  }

  // What the network says of that flower.
  function answer(moved = false) {
    if (!flower) return;
    const [p] = probabilities(net, [given(petal)]);
    const surest = p.indexOf(Math.max(...p));
    const [long, wide] = petal.map((cm) => number(cm, 1));
    const text = `${long} cm long, ${wide} cm wide: ${iris.species[surest]}, ${Math.round(100 * p[surest])}%`;
    flower.handle.setAttribute("transform", `translate(${place(petal)})`);
    flower.handle.setAttribute("aria-valuenow", Math.round(100 * p[surest]));
    flower.handle.setAttribute("aria-valuetext", text);
    flower.answer.textContent = `Your flower, ${text}. Drag it.`;
    if (moved) say(`Your flower: ${iris.species.map((name, k) => `${name} ${Math.round(100 * p[k])}%`).join(", ")}.`);
  }

  function reset() {
    pause();
    const sizes = [iris.features.length, ...Array(settings.depth).fill(settings.width), iris.species.length];
    net = initial(sizes, settings.norm, settings.seed);
    [velocity, wanted] = [null, 0];
    history = { training: [], validation: [] };
    work.start(draw());
  }

  // An epoch counts when it is whole: one that is broken off leaves the network as it was.
  function* advance() {
    const { rate, batch, seed } = settings;
    const order = shuffled(1e6 * seed + history.training.length, train.length);
    let [state, total] = [{ net, velocity }, 0];
    for (let start = 0; start < order.length; start += batch) {
      const some = order.slice(start, start + batch);
      const [x, labels] = [some.map((i) => train[i]), some.map((i) => iris.labels.train[i])];
      state = step(state.net, state.velocity, x, labels, { rate, momentum: 0 });
      total += state.loss * some.length;
      yield;
    }
    ({ net, velocity } = state);
    history.training.push(total / order.length);
    history.validation.push(evaluate(net, validation, iris.labels.validation).loss);
  }

  // Nothing is drawn on the way for those who asked for less motion.
  function* training() {
    while (history.training.length < last) {
      if (visible !== false) {
        yield* advance();
        if (!still()) yield* draw();
      }
      if (visible === false || !still()) yield FRAME;
      else tell();
    }
    pause();
    yield* draw();
  }

  function* single() {
    for (; wanted > 0; wanted -= 1) if (history.training.length < last) yield* advance();
    yield* draw();
  }

  function begin() {
    if (history.training.length >= last) reset();
    playing = true;
    play.textContent = "Pause";
    work.start(training());
  }

  function pause() {
    if (playing) work.start(draw());
    playing = false;
    play.textContent = "Train";
  }

  function oneEpoch() {
    pause();
    wanted += 1;
    work.start(single());
  }

  // The numbers at once, the map when all its rows are there.
  function* draw() {
    tell();
    yield;
    const style = getComputedStyle(stage);
    // Each cell is as sure as the network: the colours of the species, mixed by their probabilities.
    const colors = COLORS.map((name) => rgb(style.getPropertyValue(name).trim()));
    const picture = new ImageData(CELLS.across, CELLS.up);
    grid ??= [];
    for (const up of rows) {
      grid[up] ??= flowersIn(up);
      probabilities(net, grid[up]).forEach((p, across) => {
        const at = 4 * (up * CELLS.across + across);
        for (let part = 0; part < 3; part += 1) picture.data[at + part] = p.reduce((sum, pk, k) => sum + pk * colors[k][part], 0);
        picture.data[at + 3] = 255;
      });
      yield;
    }
    canvas.getContext("2d").putImageData(picture, 0, 0);
    const drawn = small ? [] : gates(net).map(lineOf).filter((ends) => ends.length);
    units.replaceChildren(...drawn.map(([[x1, y1], [x2, y2]]) => svg("line", { x1, y1, x2, y2 })));
  }

  function tell() {
    const done = history.training.length;
    ["training", "validation"].forEach((part, i) => {
      const points = history[part].map((value, at) => `${curveX(at + 1, last)},${curveY(value)}`);
      lines[i].setAttribute("points", points.join(" "));
    });
    const { loss, accuracy } = evaluate(net, validation, iris.labels.validation);
    const right = Math.round(accuracy * validation.length);
    const text = `Epoch ${done} of ${last}: ${right} of ${validation.length} flowers that it has not seen are right, loss ${number(loss)}.`;
    digits.epoch.textContent = done;
    digits.loss.textContent = loss.toFixed(2);
    digits.accuracy.textContent = `${Math.round(100 * accuracy)}%`;
    drawing.setAttribute("aria-label", `What the network answers for every petal. ${text}`);
    curves.setAttribute("aria-label", `Loss over the epochs. ${done ? `Training ${number(history.training.at(-1))}, validation ${number(loss)}.` : "Nothing yet."}`);
    answer();
    say(text);
  }

  new MutationObserver(() => !signal.aborted && !playing && work.start(draw())).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
  const seen = new IntersectionObserver(([entry]) => (visible = entry.isIntersecting));
  seen.observe(stage);
  signal.addEventListener("abort", () => seen.disconnect());
  reset();
  showSettings();
  if (small && !still()) begin(); // once, with a button that pauses
}

// The parts of a colour such as "#0072b2".
const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
