// Convolution: a kernel to be moved over nine pixels, and backward the windows that saw a pixel.
import { conv2d, conv2dBackward, outputs, products, seenBy } from "../arithmetic/convolution.js";
import { announcer, button, element, number, slider } from "./tools.js";

const X = [[1, 2, 0], [0, 1, 3], [2, 1, 1]];
// What arrives: the chapter's four numbers at the top left, the others for larger outputs.
const DY = [[1, 2, 0, 1], [0, -1, 2, -1], [1, 0, -2, 1], [-1, 1, 0, 2]];
const START = { weight: [[1, 0], [2, -1]], bias: 1, stride: 1, padding: 0, back: false, at: [0, 1], pixel: [1, 1] };
const [SIZE, KERNEL, AROUND] = [3, 2, 1]; // pixels, weights, the most padding: more would see zeros alone
const LOW = "₀₁₂₃";
const low = ([i, j]) => LOW[i] + LOW[j];
const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));
const product = (w, value) => `${factor(w)} · ${factor(value)}`;

export function mount(stage, signal) {
  let state = structuredClone(START);
  const left = matrix();
  const right = matrix();
  const frame = element("div", { class: "book-conv-frame", role: "slider", tabindex: 0, "aria-valuemin": 1 });
  left.body.append(frame);
  const weights = state.weight.map((row, u) =>
    row.map((_, v) => field(`weight, row ${u + 1}, column ${v + 1}`, (to) => (state.weight[u][v] = to))));
  const bias = field("bias", (to) => (state.bias = to));
  const kernel = element("div", { class: "book-conv-kernel" }, element("p", { "aria-hidden": "true" }, "W"),
    element("div", { role: "group", "aria-label": "Kernel W" }, ...weights.flat(), element("span", { "aria-hidden": "true" }, "b"), bias));
  const equation = element("p", { class: "book-conv-sum" });
  const forward = button("Forward", () => change({ back: false }), signal);
  const backward = button("Backward", () => change({ back: true }), signal);
  const control = (name, min, max) =>
    slider({ label: name, min, max, step: 1, value: START[name], signal, onInput: (to) => change({ [name]: to }, true) });
  const stride = control("stride", 1, 3);
  const padding = control("padding", 0, AROUND);
  const view = element("div", { class: "book-conv" }, left.node, kernel, right.node);
  stage.append(
    element("p", { class: "book-hint" }, "Move the frame. Then go backward: in which order does the middle pixel meet the weights?"),
    view,
    equation,
    element("div", { class: "book-conv-buttons" },
      element("span", { role: "group", "aria-label": "View" }, forward, backward),
      button("Back to the example", reset, signal)),
    element("div", { class: "book-conv-sliders" }, stride.node, padding.node),
  );
  const say = announcer(stage);

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

  // How many places the frame has along a line, and how far they lie apart.
  const places = () => (state.back ? SIZE : outputs(SIZE, KERNEL, state));
  const apart = () => (state.back ? 1 : state.stride);
  const first = () => AROUND - (state.back ? 0 : state.padding);
  const now = () => (state.back ? state.pixel : state.at);
  const inside = (place) => Math.max(0, Math.min(places() - 1, place));

  function go(to) {
    const next = to.map(inside);
    if (String(next) !== String(now())) change(state.back ? { pixel: next } : { at: next });
  }

  // Where the pointer is, in cells: down, across.
  function under(event) {
    const box = left.body.getBoundingClientRect();
    const cell = box.width / (SIZE + 2 * AROUND);
    return [(event.clientY - box.top) / cell, (event.clientX - box.left) / cell];
  }
  const nearest = (corner) => corner.map((c) => Math.round((c - first()) / apart()));

  let held; // the place in the frame by which the pointer holds it
  frame.addEventListener("pointerdown", (event) => {
    frame.setPointerCapture(event.pointerId);
    held = under(event).map((c, axis) => c - first() - apart() * now()[axis]);
  }, { signal });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) go(nearest(under(event).map((c, axis) => c - held[axis])));
  }, { signal });
  left.body.addEventListener("click", (event) => {
    if (event.target !== frame) go(nearest(under(event).map((c) => c - (state.back ? 1 : KERNEL) / 2)));
    frame.focus();
  }, { signal });
  frame.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [-9, -9], End: [9, 9] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    go(now().map((place, axis) => place + steps[event.key][axis]));
  }, { signal });

  function change(to, geometry = false) {
    Object.assign(state, to);
    const count = outputs(SIZE, KERNEL, state);
    state.at = state.at.map((place) => Math.min(place, count - 1));
    const text = draw(count);
    say(geometry ? `${count * count} ${count > 1 ? "windows fit" : "window fits"}. ${text}` : text);
  }

  // Numbers as cells; `below` gives what stands below the number of a marked cell.
  function write({ title, cells, body }, name, about, values, around, below) {
    title.textContent = `${name} ${about}`;
    cells.setAttribute("aria-label", `${name}: ${values.map((row) => row.map((v) => number(v)).join(", ")).join("; ")}`);
    body.style.setProperty("--across", values.length + 2 * around);
    cells.replaceChildren(...Array.from({ length: (values.length + 2 * around) ** 2 }, (_, n) => {
      const [a, e] = [Math.floor(n / (values.length + 2 * around)) - around, (n % (values.length + 2 * around)) - around];
      const value = values[a]?.[e];
      const outside = value === undefined;
      const shown = outside && (state.back || Math.max(-a, -e, a - SIZE + 1, e - SIZE + 1) > state.padding) ? "" : number(value ?? 0);
      const weight = below(a, e);
      const cell = element("div", {}, shown);
      if (weight !== undefined) cell.append(element("small", {}, `×${number(weight)}`));
      cell.toggleAttribute("data-marked", weight !== undefined);
      cell.toggleAttribute("data-outside", outside);
      cell.toggleAttribute("data-nothing", outside && !state.padding);
      return cell;
    }));
  }

  function draw(count) {
    const { weight, at, pixel, back } = state;
    const dy = DY.slice(0, count).map((row) => row.slice(0, count));
    const y = conv2d(X, weight, state.bias, state);
    const dx = conv2dBackward(dy, weight, SIZE, SIZE, state);
    const seen = seenBy(weight, ...pixel, dy, state);
    const corner = now().map((place) => first() + apart() * place);
    if (back) {
      write(left, "∂L/∂X", "goes back", dx, AROUND, () => undefined);
      write(right, "∂L/∂Y", "arrives", dy, 0, (i, j) => seen.find((one) => one.i === i && one.j === j)?.weight);
    } else {
      const met = (a, e) => weight[a + AROUND - corner[0]]?.[e + AROUND - corner[1]];
      write(left, "X", "comes in", X, AROUND, met);
      write(right, "Y", "goes on", y, 0, () => undefined);
      right.cells.children[at[0] * count + at[1]].setAttribute("data-marked", "");
    }
    view.toggleAttribute("data-back", back);
    const span = back ? 1 : KERNEL;
    frame.style.gridArea = `${corner[0] + 1} / ${corner[1] + 1} / span ${span} / span ${span}`;
    forward.setAttribute("aria-pressed", !back);
    backward.setAttribute("aria-pressed", back);
    const value = number(back ? dx[pixel[0]][pixel[1]] : y[at[0]][at[1]]);
    const terms = back ? seen.map((one) => product(one.weight, one.arrives)) : products(X, weight, ...at, state).map((pair) => product(...pair));
    if (!back) terms.push(factor(state.bias));
    equation.textContent = `${back ? `∂L/∂x${low(pixel)}` : `y${low(at)}`} = ${[terms.join(" + "), value].filter(Boolean).join(" = ")}`;
    const place = now()[0] * places() + now()[1] + 1;
    frame.setAttribute("aria-label", back ? "Pixel" : "Window");
    frame.setAttribute("aria-valuemax", places() ** 2);
    frame.setAttribute("aria-valuenow", place);
    frame.setAttribute("aria-valuetext", `row ${now()[0] + 1}, column ${now()[1] + 1}, ${back ? "gradient" : "output"} ${value}`);
    return back
      ? `Seen by ${seen.length ? `${seen.length} of ${count * count}` : "no"} windows; the pixel's gradient is ${value}.`
      : `Window ${place} of ${count * count} gives ${value}.`;
  }

  reset();
}
