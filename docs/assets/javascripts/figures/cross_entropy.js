// Cross-entropy: move what is predicted, choose what is true; see the price and the gradients.
import { crossEntropyBackward, softmax, softmaxCrossEntropy, withProbability } from "../arithmetic/cross_entropy.js";
import { announcer, button, element, number, svg } from "./tools.js";

const Z = [[1, 2, 3], [1, 1, 2]].map((row) => row.map(Math.log)); // the chapter's two rows
const LABELS = [2, 0];
const LEFT = 34, RIGHT = 350, TOP = 12, BOTTOM = 118, HIGHEST = 5; // the plot, and its largest price

const across = (p) => LEFT + (RIGHT - LEFT) * p;
const down = (price) => BOTTOM - ((BOTTOM - TOP) * Math.min(price, HIGHEST)) / HIGHEST;
const small = (value) => (Math.abs(value) < 1e5 ? number(value) : value.toExponential(1).replace(/-/g, "−").replace("+", ""));

export function mount(stage, signal) {
  let z, labels;
  const { node: plot, marks } = curve();
  const total = element("p", { class: "book-ce-total" });
  const examples = Z.map((row, n) => example(row, n));

  // One example: a line for each class, with its truth, its probability, its gradient.
  function example(row, n) {
    const lines = row.map((_, k) => {
      const truth = element("input", { type: "radio", name: `book-ce-${n}` });
      const slider = element("input", {
        type: "range", min: 0.01, max: 0.99, step: 0.01, "aria-label": `probability of class ${k}, example ${n + 1}`,
      });
      const [p, gradient] = [0, 1].map(() => element("span", { class: "book-ce-number" }));
      const bar = element("span", { class: "book-ce-bar" }, element("span"));
      truth.addEventListener("change", () => ((labels[n] = k), draw()), { signal });
      const moved = () => ((z[n] = withProbability(z[n], k, slider.valueAsNumber)), draw());
      slider.addEventListener("input", moved, { signal });
      const label = element("label", {}, truth, ` class ${k}`);
      return { truth, slider, p, gradient, bar, cells: [label, slider, p, bar, gradient] };
    });
    const price = element("p", {});
    const heads = ["true", "predicted", "", "∂L/∂Z", ""].map((text) => element("span", { "aria-hidden": "true" }, text));
    const body = element("div", { class: "book-ce-lines" }, ...heads, ...lines.flatMap(({ cells }) => cells));
    const node = element("div", { class: "book-ce", role: "group", "aria-label": `Example ${n + 1}` }, price, body);
    return { lines, price, node };
  }

  function draw() {
    const p = softmax(z);
    const [loss, dz] = softmaxCrossEntropy(z, labels);
    const dp = crossEntropyBackward(p, labels);
    examples.forEach(({ lines, price }, n) => {
      const t = labels[n];
      const cost = softmaxCrossEntropy([z[n]], [t])[0];
      lines.forEach((line, k) => {
        const size = Math.abs(dz[n][k]) * 100; // the largest there can be, 1/2, is half of the bar
        line.truth.checked = k === t;
        line.slider.value = p[n][k];
        line.slider.setAttribute("aria-valuetext", `${number(p[n][k], 3)}; gradient of its score ${number(dz[n][k], 3)}`);
        line.p.textContent = number(p[n][k], 3);
        line.gradient.textContent = number(dz[n][k], 3);
        line.bar.firstChild.style.left = `${dz[n][k] < 0 ? 50 - size : 50}%`;
        line.bar.firstChild.style.width = `${size}%`;
        line.bar.toggleAttribute("data-down", dz[n][k] < 0);
      });
      price.textContent = `Example ${n + 1} costs −log ${number(p[n][t], 3)} = ${number(cost)}; its ∂L/∂p is ${small(dp[n][t])}`;
      marks[n].setAttribute("transform", `translate(${across(p[n][t])} ${down(cost)})`);
    });
    total.textContent = `L = ${number(loss, 3)} nats, the mean of the two`;
    const largest = Math.max(...dz.flat().map(Math.abs));
    say(`Loss ${number(loss, 3)}; the largest gradient of a score is ${number(largest, 3)}, and never more than 0.5.`);
  }

  function reset() {
    [z, labels] = [Z.map((row) => [...row]), [...LABELS]];
    draw();
  }

  stage.append(
    element("p", {}, "Make example 1 confidently wrong: give class 0 nearly everything. The price has no ceiling, nor has ∂L/∂p. And ∂L/∂Z?"),
    plot,
    total,
    ...examples.map(({ node }) => node),
    button("Back to the example", reset, signal),
  );
  const say = announcer(stage);
  reset();
}

// The price over the probability of the true class, with a numbered mark for each example.
function curve() {
  const points = Array.from({ length: 200 }, (_, i) => Math.exp(-HIGHEST * (1 - i / 199)));
  const path = points.map((p) => `${across(p).toFixed(1)},${down(-Math.log(p)).toFixed(1)}`).join(" ");
  const text = (x, y, label, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, label);
  const marks = [svg("circle", { r: 10 }), svg("rect", { x: -9, y: -9, width: 18, height: 18 })].map((shape, n) =>
    svg("g", { class: "book-ce-mark" }, shape, text(0, 4.5, n + 1)),
  );
  const node = svg("svg", {
    class: "book-ce-plot", viewBox: "0 0 360 150", width: 360, height: 150, role: "img",
    "aria-label": "The price, minus log p, over the probability of the true class; a mark for each example.",
  },
    svg("path", { class: "book-ce-axis", d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}` }),
    ...[0, 0.5, 1].map((p) => text(across(p), BOTTOM + 15, p)),
    ...[0, 2, 4].map((price) => text(LEFT - 6, down(price) + 4, price, "end")),
    text(across(0.5), BOTTOM + 30, "p of the class that was true"),
    text(across(0.22), TOP + 10, "price −log p", "start"),
    svg("polyline", { class: "book-ce-curve", points: path }),
    ...marks,
  );
  return { node, marks };
}
