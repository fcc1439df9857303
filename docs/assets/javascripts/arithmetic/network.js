// A small network of fully connected layers, its gradients, and one step of its training.
//
// A network is a list of layers, plain objects: {weight, bias}, {gamma, beta, mean, variance} for
// batch normalisation, and {bend: true} for a ReLU. Rows are examples. Nothing is changed in place:
// a step returns a new network.

import { softmax } from "./softmax.js";

const EPS = 1e-5;
const MOMENTUM = 0.1; // of the running statistics: the weight of the newest batch

const sum = (values) => values.reduce((a, b) => a + b, 0);
const column = (x, d) => x.map((row) => row[d]);
const mapped = (x, f) => x.map((row, n) => row.map((value, d) => f(value, n, d)));

// In plain loops over the rows of b: most of the figure's time is spent here.
function multiply(a, b) {
  return a.map((row) => {
    const product = new Array(b[0].length).fill(0);
    row.forEach((value, i) => {
      for (let k = 0; k < product.length; k += 1) product[k] += value * b[i][k];
    });
    return product;
  });
}

const transposed = (a) => a[0].map((_, k) => column(a, k));

// Logits and what the backward pass needs: each layer's input, and x̂ of a normalisation.
export function forward(net, x, train) {
  const caches = [];
  for (const layer of net) {
    if (layer.weight) {
      caches.push({ x });
      x = mapped(multiply(x, layer.weight), (value, _, k) => value + layer.bias[k]);
    } else if (layer.gamma) {
      const n = x.length;
      const mean = train ? x[0].map((_, d) => sum(column(x, d)) / n) : layer.mean;
      const variance = train
        ? x[0].map((_, d) => sum(column(x, d).map((value) => (value - mean[d]) ** 2)) / n)
        : layer.variance;
      const inverse = variance.map((value) => 1 / Math.sqrt(value + EPS));
      const xhat = mapped(x, (value, _, d) => (value - mean[d]) * inverse[d]);
      caches.push({ xhat, inverse, mean, variance, n });
      x = mapped(xhat, (value, _, d) => layer.gamma[d] * value + layer.beta[d]);
    } else {
      caches.push({ x });
      x = mapped(x, (value) => Math.max(value, 0));
    }
  }
  return { logits: x, caches };
}

// Mean cross-entropy of the logits, and its gradient.
export function loss(logits, labels) {
  const n = labels.length;
  let total = 0;
  const gradient = logits.map((row, i) => {
    const most = Math.max(...row);
    const powers = row.map((value) => Math.exp(value - most));
    const whole = sum(powers);
    total += Math.log(whole) - (row[labels[i]] - most);
    return powers.map((power, k) => (power / whole - (k === labels[i] ? 1 : 0)) / n);
  });
  return { loss: total / n, gradient };
}

// The gradient of each layer's parameters, in training; {} for a ReLU.
export function backward(net, caches, gradient) {
  const found = [];
  let dy = gradient;
  for (let l = net.length - 1; l >= 0; l -= 1) {
    const [layer, cache] = [net[l], caches[l]];
    if (layer.weight) {
      found.unshift({ weight: multiply(transposed(cache.x), dy), bias: dy[0].map((_, k) => sum(column(dy, k))) });
      dy = multiply(dy, transposed(layer.weight));
    } else if (layer.gamma) {
      const { xhat, inverse, n } = cache;
      const beta = dy[0].map((_, d) => sum(column(dy, d)));
      const gamma = dy[0].map((_, d) => sum(dy.map((row, i) => row[d] * xhat[i][d])));
      found.unshift({ gamma, beta });
      dy = mapped(dy, (value, i, d) => layer.gamma[d] * inverse[d] * (value - beta[d] / n - (xhat[i][d] * gamma[d]) / n));
    } else {
      found.unshift({});
      dy = mapped(dy, (value, i, d) => (cache.x[i][d] > 0 ? value : 0));
    }
  }
  return found;
}

// One step, on one batch. `velocity` is what the last step returned, or null at the beginning.
export function step(net, velocity, x, labels, { rate, momentum }) {
  velocity ??= net.map((layer) => parameters(layer, () => 0));
  const { logits, caches } = forward(net, x, true);
  const found = loss(logits, labels);
  const gradients = backward(net, caches, found.gradient);
  velocity = net.map((layer, l) => parameters(layer, (_, at) => momentum * at(velocity[l]) + at(gradients[l])));
  net = net.map((layer, l) => ({ ...layer, ...parameters(layer, (value, at) => value - rate * at(velocity[l])), ...remembered(layer, caches[l]) }));
  return { net, velocity, loss: found.loss };
}

// A layer's parameters, each number replaced; `at` finds the same place in another object.
function parameters(layer, f) {
  const made = {};
  for (const name of ["weight", "bias", "gamma", "beta"]) {
    if (!layer[name]) continue;
    made[name] = layer[name].map((row, i) =>
      Array.isArray(row) ? row.map((value, k) => f(value, (other) => other[name][i][k])) : f(row, (other) => other[name][i]),
    );
  }
  return made;
}

function remembered(layer, { mean, variance, n }) {
  if (!layer.gamma) return {};
  return {
    mean: layer.mean.map((old, d) => old + MOMENTUM * (mean[d] - old)),
    variance: layer.variance.map((old, d) => old + MOMENTUM * ((variance[d] * n) / (n - 1) - old)),
  };
}

// Loss and share of right answers, in evaluation.
export function evaluate(net, x, labels) {
  const { logits } = forward(net, x, false);
  const right = logits.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]).length;
  return { loss: loss(logits, labels).loss, accuracy: right / labels.length };
}

// Of each example the probabilities of the classes.
export function probabilities(net, x) {
  return forward(net, x, false).logits.map((row) => softmax(row, 1));
}

// Of each unit of the first hidden layer, what its ReLU is given, as weights and a bias: of a batch
// normalisation too, which in evaluation is a straight line. No hidden layer, no units.
export function gates([first, next, bend]) {
  if (!next) return [];
  return first.bias.map((bias, k) => {
    const weight = column(first.weight, k);
    if (!bend?.bend || !next.gamma) return { weight, bias };
    const scale = next.gamma[k] / Math.sqrt(next.variance[k] + EPS);
    return { weight: weight.map((w) => scale * w), bias: scale * (bias - next.mean[k]) + next.beta[k] };
  });
}

// Numbers from 0 to 1 that a seed decides: mulberry32, by Tommy Ettinger (2017), public domain.
export function uniforms(seed, count) {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  });
}

// Normal numbers, two from two uniform ones (Box and Muller 1958).
export function normals(seed, count) {
  const u = uniforms(seed, 2 * count);
  return Array.from({ length: count }, (_, i) => Math.sqrt(-2 * Math.log(1 - u[2 * i])) * Math.cos(2 * Math.PI * u[2 * i + 1]));
}

// A network with He's initial weights: sizes [4, 10, 3] give one hidden layer of ten.
export function initial(sizes, norm, seed) {
  const net = [];
  for (let l = 1; l < sizes.length; l += 1) {
    const [inputs, outputs] = [sizes[l - 1], sizes[l]];
    const drawn = normals(seed + 1000 * l, inputs * outputs);
    const weight = Array.from({ length: inputs }, (_, i) => Array.from({ length: outputs }, (_, k) => drawn[i * outputs + k] * Math.sqrt(2 / inputs)));
    net.push({ weight, bias: Array(outputs).fill(0) });
    if (l === sizes.length - 1) break;
    if (norm) net.push({ gamma: Array(outputs).fill(1), beta: Array(outputs).fill(0), mean: Array(outputs).fill(0), variance: Array(outputs).fill(1) });
    net.push({ bend: true });
  }
  return net;
}

// The order of the examples in one epoch: shuffled (Fisher and Yates 1938).
export function shuffled(seed, count) {
  const order = Array.from({ length: count }, (_, i) => i);
  uniforms(seed, count).forEach((u, step) => {
    const i = count - 1 - step;
    const j = Math.floor(u * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  });
  return order;
}
