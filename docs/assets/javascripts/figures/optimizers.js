// Three optimisers on their way down one valley: the start and what they are told are the reader's.
import { adam, height, sgd } from "../arithmetic/optimizers.js";
import { announcer, button, draggable, element, number, slider, svg } from "./tools.js";

// The chapter's valley, start and best settings.
const EXAMPLE = { start: [12, 4], sgd: 0.2, heavy: 0.25, momentum: 0.25, adam: 1, beta1: 0.9, beta2: 0.999 };
const STEPS = 16;
const [LEFT, RIGHT, LOW, HIGH] = [-5, 13.5, -6, 6]; // of the valley that is shown
const UNIT = 25; // of the drawing, for a unit of the valley
const [WIDTH, HEIGHT] = [(RIGHT - LEFT) * UNIT, (HIGH - LOW) * UNIT];
const FAR = 1000; // beyond the picture; a path that runs away is drawn no further
const x = (value) => (value - LEFT) * UNIT;
const y = (value) => (HIGH - value) * UNIT;
const within = (value, least, most) => Math.max(least, Math.min(most, value));
const MARKS = {
  SGD: () => svg("circle", { r: 3 }),
  momentum: () => svg("rect", { x: -3, y: -3, width: 6, height: 6 }),
  Adam: () => svg("path", { d: "M0-4l4 7h-8z" }),
};

export function mount(stage, signal) {
  let state = structuredClone(EXAMPLE);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "A valley, and three ways down", class: "book-valley" });
  for (const level of [2, 10, 30, 70, 130]) {
    picture.append(svg("ellipse", { cx: x(0), cy: y(0), rx: UNIT * Math.sqrt(2 * level), ry: (UNIT * Math.sqrt(2 * level)) / 3, class: "book-valley-level" }));
  }
  picture.append(svg("path", { d: `M${x(0) - 6} ${y(0)}h12m-6-6v12`, class: "book-valley-bottom" }));
  const ways = Object.keys(MARKS).map((name, k) => {
    const line = svg("polyline", { class: "book-valley-way" });
    const steps = Array.from({ length: STEPS + 1 }, MARKS[name]);
    picture.append(svg("g", { class: `book-valley-${name}` }, line, ...steps));
    const legend = svg("g", { class: `book-valley-${name}`, transform: `translate(12 ${16 + 18 * k})` }, MARKS[name](), svg("text", { x: 10, y: 4 }, name));
    picture.append(legend);
    return { name, line, steps };
  });
  const handle = svg("g", { class: "book-valley-start", role: "slider", tabindex: 0, "aria-label": "Start", "aria-valuemin": 0, "aria-valuemax": Math.round(height([RIGHT, HIGH])) },
    svg("circle", { r: 18, fill: "transparent" }), svg("circle", { r: 6 }));
  picture.append(handle);

  const of = (label, name, min, max, step, digits = 2) =>
    slider({ label, min, max, step, value: EXAMPLE[name], signal, format: (value) => number(value, digits), onInput: (to) => ((state[name] = to), draw()) });
  const controls = {
    sgd: of("rate of SGD", "sgd", 0.01, 0.3, 0.01),
    heavy: of("rate with momentum", "heavy", 0.01, 0.5, 0.01),
    momentum: of("momentum μ", "momentum", 0, 0.99, 0.01),
    adam: of("rate of Adam", "adam", 0.1, 3, 0.1),
    beta1: of("Adam's β₁", "beta1", 0, 0.99, 0.01),
    beta2: of("Adam's β₂", "beta2", 0, 0.999, 0.001, 3),
  };
  stage.append(
    element("p", { class: "book-hint" }, "Raise the rate of SGD a little. At which does it no longer arrive, and why there?"),
    picture,
    element("div", { class: "book-valley-sliders" }, ...Object.values(controls).map(({ node }) => node)),
    button("Back to the example", () => {
      state = structuredClone(EXAMPLE);
      for (const [name, control] of Object.entries(controls)) control.set(state[name]);
      draw();
    }, signal),
  );
  const say = announcer(stage);

  function go(to) {
    state.start = [within(to[0], LEFT, RIGHT), within(to[1], LOW, HIGH)];
    draw();
  }

  draggable(handle, {
    drawing: picture,
    drag: ([across, down]) => go([LEFT + across / UNIT, HIGH - down / UNIT].map((value) => Math.round(2 * value) / 2)),
    step: (way) => go(state.start.map((value, axis) => value + way[axis] / 2)),
    signal,
  });

  function draw() {
    const { start, beta1, beta2, momentum } = state;
    const paths = [
      sgd(start, STEPS, { rate: state.sgd, momentum: 0 }),
      sgd(start, STEPS, { rate: state.heavy, momentum }),
      adam(start, STEPS, { rate: state.adam, beta1, beta2, eps: 1e-8 }),
    ];
    const ends = ways.map(({ name, line, steps }, k) => {
      const places = paths[k].map(([a, b]) => [within(x(a), -FAR, FAR), within(y(b), -FAR, FAR)]);
      line.setAttribute("points", places.map((place) => place.join()).join(" "));
      steps.forEach((mark, t) => mark.setAttribute("transform", `translate(${places[t]})`));
      const end = height(paths[k].at(-1));
      return `${name} ${end < 1000 ? end.toPrecision(2).replace(/e([+-])(\d+)/, (_, sign, power) => `·10^${sign === "-" ? "−" : ""}${power}`) : "has run away"}`;
    });
    handle.setAttribute("transform", `translate(${x(start[0])} ${y(start[1])})`);
    handle.setAttribute("aria-valuenow", Math.round(height(start)));
    handle.setAttribute("aria-valuetext", `${number(start[0])} along the valley, ${number(start[1])} across`);
    say(`Heights after ${STEPS} steps: ${ends.join(", ")}.`);
  }

  draw();
}
