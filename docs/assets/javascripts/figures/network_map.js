// The map of the live network, petal length against petal width, and the axes of its curves.
import { iris } from "./data.js";
import { svg } from "./tools.js";

export const COLORS = ["--book-blue", "--book-orange", "--book-green"];
export const CELLS = { across: 60, up: 36 };
const MARKS = ["circle", "square", "triangle"];
const MAP = { left: 46, top: 6, width: 308, height: 190 };
const CURVES = { left: 46, top: 8, width: 308, height: 110, most: 1.5 };
const [LENGTH, WIDTH] = [2, 3]; // the petal's, among the four features

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const columns = iris.features.map((_, d) => iris.x.train.map((row) => row[d]));
const middle = columns.map(mean);
const spread = columns.map((values, d) => Math.sqrt(mean(values.map((v) => (v - middle[d]) ** 2))));
const range = [LENGTH, WIDTH].map((d) => [Math.min(...columns[d]) - 0.3, Math.max(...columns[d]) + 0.3]);
const within = (value, [least, most]) => Math.max(least, Math.min(most, value));

export const standardised = (rows) => rows.map((row) => row.map((v, d) => (v - middle[d]) / spread[d]));

/** A petal in centimetres, kept on the map. */
export const inside = (petal) => petal.map((cm, axis) => within(cm, range[axis]));

// The sepals are those of the mean flower.
function flower([length, width]) {
  const whole = [...middle];
  [whole[LENGTH], whole[WIDTH]] = [length, width];
  return whole;
}

/** What the network is given for a petal. */
export const given = (petal) => standardised([flower(petal)])[0];

// Centimetres to places on the map, and back.
const x = (cm) => MAP.left + (MAP.width * (cm - range[0][0])) / (range[0][1] - range[0][0]);
const y = (cm) => MAP.top + MAP.height * (1 - (cm - range[1][0]) / (range[1][1] - range[1][0]));
export const place = ([length, width]) => [x(length), y(width)];
export const petalAt = ([left, top]) => [
  range[0][0] + ((left - MAP.left) / MAP.width) * (range[0][1] - range[0][0]),
  range[1][0] + (1 - (top - MAP.top) / MAP.height) * (range[1][1] - range[1][0]),
];

/** The flowers in the middle of a row of the map's cells. */
export function flowersIn(up) {
  const cells = Array.from({ length: CELLS.across }, (_, across) =>
    petalAt([MAP.left + ((across + 0.5) / CELLS.across) * MAP.width, MAP.top + ((up + 0.5) / CELLS.up) * MAP.height]));
  return cells.map(given);
}

/** Where a straight function of the four features is 0: two ends on the map's edge, or none. */
export function lineOf({ weight, bias }) {
  const [slopeX, slopeY] = [LENGTH, WIDTH].map((d) => weight[d] / spread[d]);
  const at0 = bias - slopeX * middle[LENGTH] - slopeY * middle[WIDTH]; // the others are at their mean, 0
  const ends = [];
  for (const cm of range[0]) ends.push([cm, -(at0 + slopeX * cm) / slopeY]);
  for (const cm of range[1]) ends.push([-(at0 + slopeY * cm) / slopeX, cm]);
  const shown = ends.filter((petal) => petal.every((cm, axis) => Math.abs(cm - within(cm, range[axis])) < 1e-9));
  return shown.length < 2 ? [] : [shown[0], shown.at(-1)].map(place);
}

export function drawFlowers(map) {
  iris.x.train.forEach((one, i) => map.append(mark(MARKS[iris.labels.train[i]], ...place([one[LENGTH], one[WIDTH]]))));
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

export const curveX = (at, last) => CURVES.left + (CURVES.width * at) / last;
export const curveY = (value) => CURVES.top + CURVES.height * (1 - Math.min(value, CURVES.most) / CURVES.most);

export function drawAxes(curves, last, lines) {
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
