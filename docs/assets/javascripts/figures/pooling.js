// Pooling: an image to edit, a window to choose, and where its gradient goes. Forward on the left,
// downwards; backward on the right, upwards.
import { avgPool, avgPoolBackward, maxPool, maxPoolBackward, winners } from "../arithmetic/pooling.js";
import { announcer, button, element, number } from "./tools.js";

// The chapter's sixteen numbers, and four upstream gradients; the other five are for nine windows.
const EXAMPLE = {
  x: [[1, 3, 0, 5], [6, 2, 8, 3], [1, 9, 7, 2], [4, 6, 0, -1]],
  dy: [[4, -8, 8], [12, 20, -4], [16, -12, 24]],
  largest: true, kernel: 2, stride: 2, chosen: [0, 0],
};
const [SIZE, MOST] = [4, 3]; // pixels a side, and windows at most
const LIMIT = 99;
const range = (length) => Array.from({ length }, (_, i) => i);
const between = (value, least, most) => Math.max(least, Math.min(most, value));
const place = (a, e) => `row ${a + 1}, column ${e + 1}`;

export function mount(stage, signal) {
  let state = structuredClone(EXAMPLE);
  const grids = {
    x: grid("X comes in", SIZE, (a, e) => field("X", a, e, (value) => (state.x[a][e] = value), () => near(a + 0.5, e + 0.5))),
    dx: grid("∂L/∂X is passed back", SIZE, () => element("span")),
    y: grid("Y goes on", MOST, () => element("span", { role: "radio" })),
    dy: grid("∂L/∂Y, upstream", MOST, (i, j) => field("∂L/∂Y", i, j, (value) => (state.dy[i][j] = value), () => choose([i, j]))),
  };
  for (const [name, role] of [["x", "group"], ["dx", "img"], ["y", "radiogroup"], ["dy", "group"]]) grids[name].body.setAttribute("role", role);
  for (const [name, { body }] of Object.entries(grids)) body.dataset.symbol = name.replace(/[xy]/, (letter) => letter.toUpperCase());
  const frames = ["x", "dx"].map((name) => {
    const frame = element("div", { class: "book-pool-frame" });
    grids[name].body.append(frame);
    return frame;
  });

  function grid(title, size, make) {
    const cells = range(size).map((a) => range(size).map((e) => {
      const inner = make(a, e);
      return { inner, node: element("div", { class: "book-pool-cell" }, inner) };
    }));
    const heading = element("p", { "aria-hidden": "true" }, title);
    const body = element("div", { class: "book-pool-cells", "aria-label": title }, ...cells.flat().map(({ node }) => node));
    return { cells, body, node: element("div", {}, heading, body) };
  }

  // What is no number is ignored, and goes when the reader leaves the field.
  function field(name, a, e, set, look) {
    const input = element("input", { type: "number", min: -LIMIT, max: LIMIT, step: "any", "aria-label": `${name}, ${place(a, e)}` });
    const own = () => state[name === "X" ? "x" : "dy"][a][e];
    input.addEventListener("input", () => {
      if (Number.isFinite(input.valueAsNumber)) set(between(input.valueAsNumber, -LIMIT, LIMIT)), draw();
    }, { signal });
    input.addEventListener("change", () => (input.value = own()), { signal });
    input.addEventListener("focus", look, { signal });
    return input;
  }

  // The window under the pointer; where several overlap, the one whose middle is nearest.
  for (const [name, { body }] of Object.entries(grids)) {
    const pick = (event) => {
      const { left, top, width, height } = body.getBoundingClientRect();
      const [rows, columns] = name.endsWith("x") ? [SIZE, SIZE] : windows();
      const [a, e] = [(rows * (event.clientY - top)) / height, (columns * (event.clientX - left)) / width];
      if (name.endsWith("x")) near(a, e, true);
      else choose([Math.floor(a), Math.floor(e)]);
    };
    body.addEventListener("pointermove", pick, { signal });
    body.addEventListener("pointerdown", pick, { signal });
  }
  grids.y.body.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose(state.chosen.map((at, axis) => at + steps[event.key][axis]));
    grids.y.cells[state.chosen[0]][state.chosen[1]].inner.focus();
  }, { signal });
  grids.y.body.addEventListener("click", () => grids.y.cells[state.chosen[0]][state.chosen[1]].inner.focus(), { signal });

  const options = [
    ["Pooling", "largest", { Maximum: true, Mean: false }],
    ["Kernel", "kernel", { "Kernel 2×2": 2, "Kernel 3×3": 3 }],
    ["Stride", "stride", { "Stride 1": 1, "Stride 2": 2 }],
  ].map(([label, name, values]) => {
    const buttons = Object.entries(values).map(([text, value]) => ({ value, node: button(text, () => ((state[name] = value), draw()), signal) }));
    return { name, buttons, node: element("span", { role: "group", "aria-label": label }, ...buttons.map(({ node }) => node)) };
  });
  const sums = element("p", { class: "book-pool-sums" });
  stage.append(
    element("p", { class: "book-hint" }, "Write 6 over the 1 in the corner: who wins now? Then set the stride to 1: which pixel wins most windows?"),
    element("div", { class: "book-pool" }, ...Object.values(grids).map(({ node }) => node)),
    sums,
    element("div", { class: "book-pool-buttons" }, ...options.map(({ node }) => node),
      button("Back to the example", () => ((state = structuredClone(EXAMPLE)), draw()), signal)),
  );
  const say = announcer(stage);

  function windows() {
    const count = Math.floor((SIZE - state.kernel) / state.stride) + 1;
    return [count, count];
  }

  function choose(wanted) {
    const chosen = wanted.map((at, axis) => between(at, 0, windows()[axis] - 1));
    if (`${chosen}` === `${state.chosen}`) return;
    state.chosen = chosen;
    draw();
  }

  // The keyboard stays with a window as long as the pixel is in it; the pointer may move on.
  function near(a, e, move = false) {
    if (move || !inside(state.chosen, Math.floor(a), Math.floor(e))) choose([a, e].map((at) => Math.round((at - state.kernel / 2) / state.stride)));
  }

  function inside([i, j], a, e) {
    const within = (at, k) => at >= state.stride * k && at < state.stride * k + state.kernel;
    return within(a, i) && within(e, j);
  }

  function draw() {
    const { x, kernel, stride, largest } = state;
    const [rows, columns] = windows();
    const [i, j] = (state.chosen = [Math.min(state.chosen[0], rows - 1), Math.min(state.chosen[1], columns - 1)]);
    const dy = state.dy.slice(0, rows).map((row) => row.slice(0, columns));
    const won = winners(x, kernel, stride);
    const y = largest ? maxPool(x, kernel, stride) : avgPool(x, kernel, stride);
    const dx = largest ? maxPoolBackward(dy, won, SIZE, SIZE) : avgPoolBackward(dy, kernel, stride, SIZE, SIZE);
    const all = won.flatMap((row, k) => row.map((_, l) => [k, l]));
    const taking = (a, e) => all.filter(([k, l]) => (largest ? `${won[k][l]}` === `${[a, e]}` : inside([k, l], a, e)));
    let tied = 0;
    for (const a of range(SIZE)) {
      for (const e of range(SIZE)) {
        const routes = taking(a, e).length;
        const here = inside([i, j], a, e);
        const first = here && largest && `${won[i][j]}` === `${[a, e]}`;
        const equal = here && largest && x[a][e] === y[i][j];
        tied += equal;
        const [input, output] = [grids.x.cells[a][e], grids.dx.cells[a][e]];
        for (const { node } of [input, output]) {
          node.toggleAttribute("data-part", routes > 0);
          node.toggleAttribute("data-won", first);
          node.toggleAttribute("data-tied", equal && !first);
          node.toggleAttribute("data-outside", !all.some((at) => inside(at, a, e)));
        }
        show(input.inner, x[a][e]);
        output.inner.textContent = number(dx[a][e]);
        output.node.setAttribute("data-routes", `×${routes}`);
        output.node.toggleAttribute("data-several", routes > 1);
      }
    }
    grids.y.cells.flat().forEach((out, at) => {
      const [k, l] = [Math.floor(at / MOST), at % MOST];
      const upstream = grids.dy.cells[k][l];
      const chosen = k === i && l === j;
      for (const { node } of [out, upstream]) {
        node.hidden = k >= rows || l >= columns;
        node.setAttribute("data-part", "");
        node.toggleAttribute("data-chosen", chosen);
      }
      show(upstream.inner, state.dy[k][l]);
      if (out.node.hidden) return;
      out.inner.textContent = number(y[k][l]);
      out.inner.setAttribute("aria-label", `Window in ${place(k, l)}: ${number(y[k][l])}`);
      out.inner.setAttribute("aria-checked", chosen);
      out.inner.tabIndex = chosen ? 0 : -1;
    });
    for (const name of ["y", "dy"]) grids[name].body.style.setProperty("--book-pool-columns", columns);
    for (const frame of frames) {
      const share = (pixels) => `${(100 * pixels) / SIZE}%`;
      [frame.style.top, frame.style.left] = [share(stride * i), share(stride * j)];
      frame.style.width = frame.style.height = share(kernel);
    }
    grids.dx.body.setAttribute("aria-label", `∂L/∂X, row by row: ${dx.map((row) => row.map((value) => number(value)).join(", ")).join("; ")}`);
    for (const { name, buttons } of options) for (const { value, node } of buttons) node.setAttribute("aria-pressed", state[name] === value);
    const total = (values) => number(values.flat().reduce((a, b) => a + b));
    sums.textContent = `Upstream: ${total(dy)} in all. Passed back: ${total(dx)}.`;
    say(words());

    function words() {
      const upstream = number(dy[i][j]);
      if (!largest) {
        const share = number(dy[i][j] / kernel ** 2);
        return `Window in ${place(i, j)}: the mean of ${kernel ** 2} pixels is ${number(y[i][j])}. Each gets ${share}, its share of ${upstream}.${all.length > 1 && stride < kernel ? " Where windows overlap, shares add up." : ""}`;
      }
      const [a, e] = won[i][j];
      const lead = tied > 1
        ? `${tied} pixels tie at ${number(y[i][j])}. The first in reading order wins: ${place(a, e)} of X gets the ${upstream}, the dashed nothing`
        : `${number(y[i][j])} is the largest: its pixel, ${place(a, e)} of X, gets the ${upstream}`;
      const terms = taking(a, e).map(([k, l]) => dy[k][l]);
      const signed = terms.map((value, n) => (n === 0 ? number(value) : `${value < 0 ? "−" : "+"} ${number(Math.abs(value))}`)).join(" ");
      const sum = terms.length > 1 ? ` It has won ${terms.length} windows: ${signed} = ${number(dx[a][e])}.` : "";
      return `Window in ${place(i, j)}: ${lead}.${sum}`;
    }
  }

  draw();
}

// The reader's own typing is left alone.
function show(input, value) {
  if (input !== document.activeElement) input.value = value;
}
