// Scores and a temperature under the reader's hand; the gradient of softmax on two ways.
import { jacobian, softmax, weightedMean, withJacobian, withoutJacobian } from "../arithmetic/softmax.js";
import { announcer, button, element, number, slider, svg } from "./tools.js";

const EXAMPLE = { scores: [1, 2, 3].map(Math.log), temperature: 1, dp: [6, 0, 0] };
const [CELL, HIGH, TOP] = [42, 30, 26]; // of the matrices: width and height of a cell, above them
const LARGEST = 0.25; // no entry of the Jacobian is farther from 0
const two = (value) => value.toFixed(2).replace(/^-(0\.00)$/, "$1").replace("-", "−");

// Columns of cells with numbers, and a function that writes new numbers into them.
function matrix(left, columns, title, { symbol, shade = () => 0, weight = 400 } = {}) {
  const node = svg("g", symbol ? { "data-symbol": symbol } : {}, svg("text", { x: left + (columns * CELL) / 2, y: 15, "text-anchor": "middle" }, title));
  const cells = [];
  for (let i = 0; i < 3 * columns; i += 1) {
    const [x, y] = [left + (i % columns) * CELL, TOP + Math.floor(i / columns) * HIGH];
    const box = svg("rect", { x, y, width: CELL, height: HIGH, class: "book-softmax-cell" });
    const text = svg("text", { x: x + CELL / 2, y: y + HIGH / 2 + 4.5, "text-anchor": "middle", "font-weight": weight });
    node.append(box, text);
    cells.push({ box, text });
  }
  const write = (values) =>
    values.flat().forEach((value, i) => {
      cells[i].text.textContent = two(value);
      cells[i].box.style.fill = value < 0 ? "var(--book-orange)" : "var(--book-blue)";
      cells[i].box.style.fillOpacity = 0.45 * Math.min(1, shade(value));
    });
  return { node, write };
}

function sign(x, text) {
  return svg("text", { x, y: TOP + 1.5 * HIGH + 4.5, "text-anchor": "middle" }, text);
}

export function mount(stage, signal) {
  const state = structuredClone(EXAMPLE);
  const far = (value) => Math.abs(value) / LARGEST;
  const size = (value) => Math.abs(value) / 2;

  const bars = svg("svg", { width: 210, height: 150, viewBox: "0 0 210 150", role: "img" });
  bars.append(svg("text", { x: 105, y: 14, "text-anchor": "middle" }, "p = softmax(z / T)"));
  const columns = [0, 1, 2].map((k) => {
    const x = 15 + 60 * k;
    const box = svg("rect", { x: x + 5, width: 50, class: "book-softmax-bar", "data-symbol": "P" });
    const text = svg("text", { x: x + 30, "text-anchor": "middle" });
    bars.append(box, text, svg("text", { x: x + 30, y: 146, "text-anchor": "middle" }, `class ${k + 1}`));
    return { box, text };
  });
  bars.append(svg("line", { x1: 10, x2: 200, y1: 130, y2: 130, class: "book-softmax-axis" }));

  const J = matrix(1, 3, "Jacobian J", { shade: far });
  const upstream = matrix(143, 1, "∂L/∂p", { symbol: "dP" });
  const long = matrix(201, 1, "∂L/∂z", { symbol: "dZ", shade: size, weight: 700 });
  const withMatrix = svg("svg", { width: 246, height: 118, viewBox: "0 0 246 118", role: "img" });
  withMatrix.append(J.node, sign(135, "·"), upstream.node, sign(193, "="), long.node);

  const weights = matrix(1, 1, "p", { symbol: "P" });
  const above = matrix(59, 1, "∂L/∂p − m");
  const short = matrix(123, 1, "∂L/∂z", { symbol: "dZ", shade: size, weight: 700 });
  const without = svg("svg", { width: 168, height: 118, viewBox: "0 0 168 118", role: "img" });
  without.append(weights.node, sign(51, "⊙"), above.node, sign(112, "="), short.node);

  const verdict = element("p", { class: "book-softmax-verdict" });
  const control = (label, min, max, step, value, set, format = number) =>
    slider({ label, min, max, step, value, format, signal, onInput: (to) => (set(to), draw(), tell()) });
  const scores = state.scores.map((value, k) =>
    control(`score z${"₁₂₃"[k]}`, -3, 3, 0.01, value, (to) => (state.scores[k] = to), two),
  );
  for (const { node } of scores) node.dataset.symbol = "Z";
  const temperature = control("temperature T", 0.2, 5, 0.1, 1, (to) => (state.temperature = to));
  const gradients = state.dp.map((value, k) =>
    control(`∂L/∂p${"₁₂₃"[k]}`, -6, 6, 0.5, value, (to) => (state.dp[k] = to)),
  );
  for (const { node } of gradients) node.dataset.symbol = "dP";
  const back = button("Back to the example", () => {
    Object.assign(state, structuredClone(EXAMPLE));
    scores.forEach((one, k) => one.set(state.scores[k]));
    temperature.set(state.temperature);
    gradients.forEach((one, k) => one.set(state.dp[k]));
    draw();
    tell();
  }, signal);

  stage.append(
    element("p", { class: "book-hint" }, "Lower the temperature. What becomes of the largest probability, and what of the Jacobian?"),
    element("div", { class: "book-softmax-row" },
      element("div", { class: "book-softmax-controls" }, ...[...scores, temperature].map((one) => one.node)), bars),
    element("div", { class: "book-softmax-row" }, withMatrix, without),
    verdict,
    element("div", { class: "book-softmax-gradients" }, ...gradients.map((one) => one.node)),
    back,
  );
  const say = announcer(stage);

  function draw() {
    const { dp } = state;
    const p = softmax(state.scores, state.temperature);
    const [slopes, mean] = [jacobian(p), weightedMean(p, dp)];
    const [one, other] = [withJacobian(p, dp), withoutJacobian(p, dp)];
    columns.forEach(({ box, text }, k) => {
      box.setAttribute("y", 130 - 90 * p[k]);
      box.setAttribute("height", 90 * p[k]);
      text.setAttribute("y", 125 - 90 * p[k]);
      text.textContent = two(p[k]);
    });
    J.write(slopes);
    upstream.write(dp);
    long.write(one);
    weights.write(p);
    above.write(dp.map((value) => value - mean));
    short.write(other);
    const difference = Math.max(...one.map((value, k) => Math.abs(value - other[k])));
    verdict.textContent =
      `m = ⟨∂L/∂p, p⟩ = ${number(mean)}. The two results differ by at most ` +
      `${difference === 0 ? "0" : difference.toExponential(0).replace("-", "−")}.`;
    bars.setAttribute("aria-label", `Probabilities ${p.map(two).join(", ")}`);
    withMatrix.setAttribute("aria-label",
      `Jacobian, by rows: ${slopes.map((row) => row.map(two).join(", ")).join("; ")}. Times the upstream gradient: ${one.map(two).join(", ")}`);
    without.setAttribute("aria-label", `Without the Jacobian: ${other.map(two).join(", ")}`);
  }

  function tell() {
    const p = softmax(state.scores, state.temperature);
    const passed = withoutJacobian(p, state.dp).map(two).join(", ");
    say(`Probabilities ${p.map(two).join(", ")}. Both ways pass on ${passed}.`);
  }

  draw();
}
