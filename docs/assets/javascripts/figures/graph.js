// The graph of six operations: walk down with the values, then up with the gradients.
import { backward, forward } from "../arithmetic/graph.js";
import { button, element, number, slider, svg } from "./tools.js";

const EXAMPLE = { x: 2, w: 3, b: -4, t: 1 }; // the chapter's numbers
const MIDDLE = 165, SKIP = 296; // where the long road and the short one run
const HEIGHT = { "×": 84, "+": 148, relu: 212, "+ ": 276, "−": 340, "½( )²": 404 };

const inner = (value) => (value < 0 ? `(${number(value)})` : number(value)); // inside of a sum or product

// Each step: the operation, the numbers that it brings, and how they come about.
const FORWARD = [
  ["×", ["a"], (v) => `a = w · x = ${inner(v.w)} · ${inner(v.x)} = ${number(v.a)}`],
  ["+", ["s"], (v) => `s = a + b = ${number(v.a)} + ${inner(v.b)} = ${number(v.s)}`],
  ["relu", ["r"], (v) => `r = max(s, 0) = ${number(v.r)}`],
  ["+ ", ["y"], (v) => `y = x + r = ${number(v.x)} + ${number(v.r)} = ${number(v.y)}`],
  ["−", ["d"], (v) => `d = y − t = ${number(v.y)} − ${inner(v.t)} = ${number(v.d)}`],
  ["½( )²", ["L"], (v) => `L = ½ d² = ${number(v.L)}`],
];
const BACKWARD = [
  ["½( )²", ["L", "d"], (v, g) => `∂L/∂d = 1 · d = ${number(g.d)}`],
  ["−", ["y", "t"], (v, g) => `∂L/∂y = ${inner(g.d)} · 1 = ${number(g.y)}, ∂L/∂t = ${inner(g.d)} · (−1) = ${number(g.t)}`],
  ["+ ", ["r", "short"], (v, g) => `∂L/∂r = ${number(g.r)}, and ${number(g.short)} on the short road to x`],
  ["relu", ["s"], (v, g) => `∂L/∂s = ${inner(g.r)} · [${number(v.s)} > 0] = ${number(g.s)}: the gate is ${v.s > 0 ? "open" : "shut"}`],
  ["+", ["a", "b"], (v, g) => `∂L/∂a = ${number(g.a)}, ∂L/∂b = ${number(g.b)}`],
  ["×", ["w", "long"], (v, g) => `∂L/∂w = ${inner(g.a)} · ${inner(v.x)} = ${number(g.w)}, and ${inner(g.a)} · ${inner(v.w)} = ${number(g.long)} on the long road to x`],
  ["x", ["x"], (v, g) => `∂L/∂x = ${number(g.short)} + ${inner(g.long)} = ${number(g.x)}: the two roads add`],
];
const ROADS = { long: "long road to x", short: "short road to x" };
const STEPS = [...FORWARD, ...BACKWARD];

export function mount(stage, signal) {
  let inputs, step;
  const { node, labels, nodes } = picture();
  const status = element("p", { class: "book-status book-graph-status", role: "status" });
  const sliders = Object.entries(EXAMPLE).map(([name, value]) => {
    const onInput = (to) => ((inputs[name] = to), draw());
    const most = name === "b" ? 10 : 5;
    return [name, slider({ label: name, min: -most, max: most, step: 1, value, onInput, signal })];
  });
  const go = (to) => ((step = Math.max(0, Math.min(STEPS.length, to))), draw());
  const over = button("Start over", () => go(0), signal);
  const back = button("Step back", () => go(step - 1), signal);
  const next = button("Step on", () => go(step + 1), signal);

  function draw() {
    const values = { ...inputs, ...forward(inputs) };
    const gradients = backward(inputs);
    const shown = { value: [], gradient: [] };
    for (const { text, name, way, write } of labels) {
      const steps = way === "value" ? FORWARD : BACKWARD;
      const found = steps.findIndex(([, names]) => names.includes(name));
      const at = found < 0 ? 0 : STEPS.indexOf(steps[found]) + 1; // inputs are there from the start
      const amount = number((way === "value" ? values : gradients)[name]);
      text.textContent = at <= step ? write(amount, gradients) : at === step + 1 ? write("?") : "";
      text.toggleAttribute("data-now", at === step && step > 0);
      if (at <= step) shown[way].push(`${ROADS[name] ?? name} = ${amount}`);
    }
    for (const [name, shape] of nodes) shape.toggleAttribute("data-now", step > 0 && STEPS[step - 1][0] === name);
    const [known, reached] = Object.values(shown).map((all) => [...new Set(all)].join(", ") || "none yet");
    node.setAttribute("aria-label", `A graph of six operations. Values: ${known}. Gradients: ${reached}.`);
    const way = step > FORWARD.length ? "backward" : "forward";
    status.textContent = step
      ? `Step ${step} of ${STEPS.length}, ${way}: ${STEPS[step - 1][2](values, gradients)}.`
      : "Only the inputs are known. What is a?";
    for (const [key, end] of [[over, 0], [back, 0], [next, STEPS.length]]) key.setAttribute("aria-disabled", step === end);
  }

  function reset() {
    [inputs, step] = [{ ...EXAMPLE }, STEPS.length];
    for (const [name, { set }] of sliders) set(EXAMPLE[name]);
    draw();
  }

  stage.append(
    element("p", {}, "Start over, and say each “?” before you step on. Then set b to −7: which road to x is shut?"),
    node,
    element("div", { class: "book-graph-buttons" }, over, back, next, button("Back to the example", reset, signal)),
    status,
    element("div", { class: "book-graph-inputs" }, ...sliders.map(([, { node: control }]) => control)),
  );
  reset();
}

// Lines, operations, and a text for each number: values "a = 6", gradients with an arrow "↑ 3".
function picture() {
  const labels = [], nodes = [];
  const node = svg("svg", { viewBox: "0 0 360 456", width: 360, height: 456, role: "img" });
  const line = (d) => node.append(svg("path", { class: "book-graph-line", d }));
  const label = (x, y, anchor, name, way, write) => {
    const text = svg("text", { x, y, "text-anchor": anchor, class: `book-graph-${way}` });
    labels.push({ text, name, way, write });
    node.append(text);
  };
  const both = (x, y, value, gradient = value) => {
    label(x - 9, y, "end", value, "value", (v) => `${value} = ${v}`);
    label(x + 9, y, "start", gradient, "gradient", (v) => `↑ ${v}`);
  };

  const stops = [33, ...Object.values(HEIGHT), 456];
  ["x", "a", "s", "r", "y", "d", "L"].forEach((name, i) => {
    const [from, to] = [stops[i] + (i ? 13 : 0), stops[i + 1] - (i < 6 ? 14 : 2)];
    line(`M${MIDDLE} ${from}V${to}m-4-7l4 7l4-7`);
    both(MIDDLE, (from + to) / 2 + 5, name, i ? name : "long");
  });
  for (const [name, operation] of [["w", "×"], ["b", "+"], ["t", "−"]]) {
    const y = HEIGHT[operation];
    line(`M66 ${y}H${MIDDLE - 28}m-7-4l7 4l-7 4`);
    label(4, y + 5, "start", name, "value", (v) => `${name} = ${v}`);
    label(98, y - 8, "middle", name, "gradient", (v) => `← ${v}`);
  }
  line(`M${MIDDLE + 30} 20H${SKIP}V${HEIGHT["+ "]}H${MIDDLE + 28}m7-4l-7 4l7 4`);
  both(SKIP, 150, "x", "short");
  label(MIDDLE - 30, 25, "end", "x", "gradient", (v, g) => (g ? `↑ ${number(g.short)} + ${inner(g.long)} = ${v}` : `↑ ${v}`));

  for (const [name, y] of [["x", 20], ...Object.entries(HEIGHT)]) {
    const shape = svg("rect", { class: "book-graph-node", x: MIDDLE - 26, y: y - 13, width: 52, height: 26, rx: 6 });
    nodes.push([name, shape]);
    node.append(shape, svg("text", { x: MIDDLE, y: y + 5, "text-anchor": "middle" }, name.trim()));
  }
  return { node, labels, nodes };
}
