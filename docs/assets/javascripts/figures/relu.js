// ReLU: twelve numbers to drag, six gates to watch. The grids lie as in the static picture: forward
// in the upper row, from left to right; backward in the lower one, from right to left.
import { relu, reluBackward } from "../arithmetic/relu.js";
import { announcer, button, element, number } from "./tools.js";

const X = [[-2, 1, 0], [3, -1, 4]]; // the chapter's six numbers
const DY = [[5, -2, 7], [-1, 6, 2]];

export function mount(stage, signal) {
  let x, dy;
  const table = element("div", { class: "book-relu" });
  const grids = [
    grid("X comes in", "forward", "x", (i, j, value) => (x[i][j] = value)),
    grid("Y goes on", "forward", "y"),
    grid("∂L/∂X is passed back", "backward", "dx"),
    grid("∂L/∂Y, upstream", "backward", "dy", (i, j, value) => (dy[i][j] = value)),
  ];
  table.append(...grids.map(({ node }) => node));

  // Six cells: sliders where the reader may set the numbers, else the word for the gate.
  function grid(title, way, name, change) {
    const cells = X.map((row, i) =>
      row.map((_, j) => {
        const label = `${name}, row ${i + 1}, column ${j + 1}`;
        const shown = element("span", { class: "book-relu-number" });
        const below = change
          ? element("input", { type: "range", min: -8, max: 8, step: 1, "aria-label": label })
          : element("span", { class: "book-relu-gate" });
        if (change) {
          const moved = () => (change(i, j, below.valueAsNumber), draw());
          below.addEventListener("input", moved, { signal });
        }
        return { shown, below, node: element("div", { class: "book-relu-cell" }, shown, below) };
      }),
    );
    const nodes = cells.flat().map(({ node }) => node);
    const body = element("div", { class: "book-relu-cells" }, ...nodes);
    const about = { class: `book-relu-${way}`, role: "group", "aria-label": title };
    body.dataset.symbol = name.replace(/[xy]/, (letter) => letter.toUpperCase());
    return { cells, node: element("div", about, element("p", { "aria-hidden": "true" }, title), body) };
  }

  function draw() {
    const [y, mask] = relu(x);
    const open = mask.flat().filter(Boolean).length;
    const passing = reluBackward(dy, mask);
    for (const [k, values] of [x, y, passing, dy].entries()) {
      values.forEach((row, i) =>
        row.forEach((value, j) => {
          const { shown, below, node } = grids[k].cells[i][j];
          shown.textContent = number(value);
          node.toggleAttribute("data-open", mask[i][j]);
          if (below.localName === "input") {
            below.value = value;
            below.setAttribute("aria-valuetext", `${number(value)}, gate ${mask[i][j] ? "open" : "shut"}`);
          } else below.textContent = mask[i][j] ? "open" : "shut";
        }),
      );
    }
    const reached = passing.flat().filter((value) => value !== 0).length;
    say(`${open} of 6 gates open; ${reached} of 6 gradients get through.`);
  }

  function reset() {
    [x, dy] = [X, DY].map((rows) => rows.map((row) => [...row]));
    draw();
  }

  const reverse = () => ((dy = dy.map((row) => row.map((value) => 0 - value))), draw());
  stage.append(
    element("p", {}, "Drag the 3 of X to the left: at which number does its gate shut? Can any gradient move a gate?"),
    table,
    element("div", { class: "book-relu-buttons" },
      button("Reverse ∂L/∂Y", reverse, signal),
      button("Back to the example", reset, signal),
    ),
  );
  const say = announcer(stage);
  reset();
}
