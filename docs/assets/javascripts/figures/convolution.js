// Convolution: a kernel to be moved over nine pixels, and below it, backward, the windows that saw a
// pixel. Both step by themselves when asked to.
import { conv2d, conv2dBackward, outputs, products, seenBy } from "../arithmetic/convolution.js";
import { announcer, button, element, number, slider, still } from "./tools.js";

const X = [[1, 2, 0], [0, 1, 3], [2, 1, 1]];
// The upstream gradient: the chapter's four numbers at the top left, the others for larger outputs.
const DY = [[1, 2, 0, 1], [0, -1, 2, -1], [1, 0, -2, 1], [-1, 1, 0, 2]];
const START = { weight: [[1, 0], [2, -1]], bias: 1, stride: 1, padding: 0, at: [0, 1], pixel: [1, 1] };
const BEAT = 1000; // milliseconds between two steps
const [SIZE, KERNEL, AROUND] = [3, 2, 1]; // pixels, weights, the most padding: more would see zeros alone
const LOW = "₀₁₂₃";
const low = ([i, j]) => LOW[i] + LOW[j];
const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));
const product = (w, value) => `${factor(w)} · ${factor(value)}`;

export function mount(stage, signal) {
  let state = structuredClone(START);
  let playing;
  const weights = state.weight.map((row, u) =>
    row.map((_, v) => field(`weight, row ${u + 1}, column ${v + 1}`, (to) => (state.weight[u][v] = to))));
  const bias = field("bias", (to) => (state.bias = to));
  const kernel = element("div", { class: "book-conv-kernel" }, element("p", { "aria-hidden": "true" }, "W"),
    element("div", { role: "group", "aria-label": "Kernel W", "data-symbol": "W" }, ...weights.flat(), element("span", { "aria-hidden": "true", "data-symbol": "b" }, "b"), bias));
  bias.dataset.symbol = "b";
  const forward = view(false, kernel);
  const backward = view(true, element("div"));
  const control = (name, min, max) =>
    slider({ label: name, min, max, step: 1, value: START[name], signal, onInput: (to) => change({ [name]: to }, { geometry: true }) });
  const stride = control("stride", 1, 3);
  const padding = control("padding", 0, AROUND);
  const play = button("Play", () => (playing ? pause() : begin()), signal);
  stage.append(
    element("p", { class: "book-hint" }, "Move both frames. In which order does the middle pixel meet the weights?"),
    forward.node, forward.equation, backward.node, backward.equation,
    element("div", { class: "book-conv-buttons" }, play,
      button("Step", () => (pause(), next(), tell()), signal),
      button("Back to the example", reset, signal)),
    element("div", { class: "book-conv-sliders" }, stride.node, padding.node),
  );
  const say = announcer(stage);
  signal.addEventListener("abort", () => clearInterval(playing));

  // Forward the input, the kernel and the output; backward their gradients. The frame of the left one
  // is moved: over windows forward, over pixels backward.
  function view(back, middle) {
    const [left, right] = [matrix(), matrix()];
    const frame = element("div", { class: "book-conv-frame", role: "slider", tabindex: 0, "aria-label": back ? "Pixel" : "Window", "aria-valuemin": 1 });
    left.body.append(frame);
    const node = element("div", { class: "book-conv" }, left.node, middle, right.node);
    node.toggleAttribute("data-back", back);
    return movable({ back, left, right, frame, node, equation: element("p", { class: "book-conv-sum" }) });
  }

  // A title and a table of numbers, drawn anew each time.
  function matrix() {
    const title = element("p", { "aria-hidden": "true" });
    const cells = element("div", { class: "book-conv-cells", role: "img" });
    const body = element("div", { class: "book-conv-body" }, cells);
    return { title, cells, body, node: element("div", {}, title, body) };
  }

  function field(label, set) {
    const input = element("input", { type: "number", min: -9, max: 9, step: 1, "aria-label": label });
    input.addEventListener("input", () => {
      if (Number.isNaN(input.valueAsNumber)) return; // on the way to a number
      if (!input.checkValidity()) return say("Whole numbers from −9 to 9, please.");
      set(input.valueAsNumber);
      change({});
    }, { signal });
    input.addEventListener("change", fill, { signal }); // what is no number gives way to the last one
    return input;
  }

  function fill() {
    weights.forEach((row, u) => row.forEach((input, v) => (input.value = state.weight[u][v])));
    bias.value = state.bias;
  }

  function reset() {
    state = structuredClone(START);
    for (const [name, control] of Object.entries({ stride, padding })) control.set(state[name]);
    fill();
    change({});
  }

  // How many places a frame has along a line, how far they lie apart, and where the first is.
  const places = (back) => (back ? SIZE : outputs(SIZE, KERNEL, state));
  const apart = (back) => (back ? 1 : state.stride);
  const first = (back) => AROUND - (back ? 0 : state.padding);
  const now = (back) => (back ? state.pixel : state.at);

  function go(back, to) {
    const next = to.map((place) => Math.max(0, Math.min(places(back) - 1, place)));
    if (String(next) !== String(now(back))) change(back ? { pixel: next } : { at: next }, { back });
  }

  function movable(one) {
    const { back, left, frame } = one;
    // Where the pointer is, in cells: down, across.
    const under = (event) => {
      const box = left.body.getBoundingClientRect();
      const cell = box.width / (SIZE + 2 * AROUND);
      return [(event.clientY - box.top) / cell, (event.clientX - box.left) / cell];
    };
    const nearest = (corner) => corner.map((c) => Math.round((c - first(back)) / apart(back)));
    let held; // the place in the frame by which the pointer holds it
    frame.addEventListener("pointerdown", (event) => {
      frame.setPointerCapture(event.pointerId);
      held = under(event).map((c, axis) => c - first(back) - apart(back) * now(back)[axis]);
    }, { signal });
    frame.addEventListener("pointermove", (event) => {
      if (frame.hasPointerCapture(event.pointerId)) go(back, nearest(under(event).map((c, axis) => c - held[axis])));
    }, { signal });
    left.body.addEventListener("click", (event) => {
      if (event.target !== frame) go(back, nearest(under(event).map((c) => c - (back ? 1 : KERNEL) / 2)));
      frame.focus();
    }, { signal });
    frame.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [-9, -9], End: [9, 9] };
      if (!(event.key in steps)) return;
      event.preventDefault();
      go(back, now(back).map((place, axis) => place + steps[event.key][axis]));
    }, { signal });
    return one;
  }

  // Both frames one place on, in reading order.
  function next() {
    for (const back of [false, true]) {
      const count = places(back);
      const place = (now(back)[0] * count + now(back)[1] + 1) % count ** 2;
      state[back ? "pixel" : "at"] = [Math.floor(place / count), place % count];
    }
    draw();
  }

  // Where less motion is asked for, it is a step at a time.
  function begin() {
    next();
    if (still()) return tell();
    playing = setInterval(next, BEAT);
    play.textContent = "Pause";
  }

  function pause() {
    clearInterval(playing);
    playing = undefined;
    play.textContent = "Play";
  }

  function change(to, { geometry = false, back = false } = {}) {
    pause();
    Object.assign(state, to);
    const count = outputs(SIZE, KERNEL, state);
    state.at = state.at.map((place) => Math.min(place, count - 1));
    draw();
    if (geometry) say(`${count * count} ${count > 1 ? "windows fit" : "window fits"}. ${told(false)}`);
    else say(told(back));
  }

  const tell = () => say(`${told(false)} ${told(true)}`);

  // Numbers as cells; `below` gives what stands below the number of a marked cell.
  function write({ title, cells, body }, name, about, values, around, below, back) {
    title.textContent = name + about;
    cells.dataset.symbol = name.replace("∂L/∂", "d");
    cells.setAttribute("aria-label", `${name}: ${values.map((row) => row.map((v) => number(v)).join(", ")).join("; ")}`);
    body.style.setProperty("--across", values.length + 2 * around);
    cells.replaceChildren(...Array.from({ length: (values.length + 2 * around) ** 2 }, (_, n) => {
      const [a, e] = [Math.floor(n / (values.length + 2 * around)) - around, (n % (values.length + 2 * around)) - around];
      const value = values[a]?.[e];
      const outside = value === undefined;
      const shown = outside && (back || Math.max(-a, -e, a - SIZE + 1, e - SIZE + 1) > state.padding) ? "" : number(value ?? 0);
      const weight = below(a, e);
      const cell = element("div", {}, shown);
      if (weight !== undefined) cell.append(element("small", {}, `×${number(weight)}`));
      cell.toggleAttribute("data-marked", weight !== undefined);
      cell.toggleAttribute("data-outside", outside);
      cell.toggleAttribute("data-nothing", outside && !state.padding);
      return cell;
    }));
  }

  // What is added up at the two frames.
  function sums() {
    const { weight, at, pixel } = state;
    const count = outputs(SIZE, KERNEL, state);
    const dy = DY.slice(0, count).map((row) => row.slice(0, count));
    const y = conv2d(X, weight, state.bias, state);
    const dx = conv2dBackward(dy, weight, SIZE, SIZE, state);
    return { count, dy, y, dx, seen: seenBy(weight, ...pixel, dy, state), met: products(X, weight, ...at, state) };
  }

  function draw() {
    const { weight, at, pixel } = state;
    const { count, dy, y, dx, seen, met } = sums();
    const corner = now(false).map((place) => first(false) + apart(false) * place);
    const under = (a, e) => weight[a + AROUND - corner[0]]?.[e + AROUND - corner[1]];
    write(forward.left, "X", " comes in", X, AROUND, under, false);
    write(forward.right, "Y", " goes on", y, 0, () => undefined, false);
    forward.right.cells.children[at[0] * count + at[1]].setAttribute("data-marked", "");
    write(backward.left, "∂L/∂X", " goes back", dx, AROUND, () => undefined, true);
    write(backward.right, "∂L/∂Y", ", upstream", dy, 0, (i, j) => seen.find((one) => one.i === i && one.j === j)?.weight, true);
    const shown = [
      [forward, y[at[0]][at[1]], [...met.map((pair) => product(...pair)), factor(state.bias)], `y${low(at)}`],
      [backward, dx[pixel[0]][pixel[1]], seen.map((one) => product(one.weight, one.upstream)), `∂L/∂x${low(pixel)}`],
    ];
    for (const [{ back, frame, equation }, result, terms, name] of shown) {
      const [row, column] = now(back).map((place) => first(back) + apart(back) * place + 1);
      const span = back ? 1 : KERNEL;
      const value = number(result);
      frame.style.gridArea = `${row} / ${column} / span ${span} / span ${span}`;
      equation.textContent = `${name} = ${[terms.join(" + "), value].filter(Boolean).join(" = ")}`;
      frame.setAttribute("aria-valuemax", places(back) ** 2);
      frame.setAttribute("aria-valuenow", now(back)[0] * places(back) + now(back)[1] + 1);
      frame.setAttribute("aria-valuetext", `row ${now(back)[0] + 1}, column ${now(back)[1] + 1}, ${back ? "gradient" : "output"} ${value}`);
    }
  }

  function told(back) {
    const { count, y, dx, seen } = sums();
    const [i, j] = now(back);
    return back
      ? `Seen by ${seen.length ? `${seen.length} of ${count * count}` : "no"} windows; the pixel's gradient is ${number(dx[i][j])}.`
      : `Window ${i * count + j + 1} of ${count * count} gives ${number(y[i][j])}.`;
  }

  reset();
}
