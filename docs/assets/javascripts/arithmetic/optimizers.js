// Paths down the valley ½(x² + 9y²), by SGD with momentum and by Adam: the places before the first
// step and after each one.

const CURVATURES = [1, 9];

export const height = (at) => CURVATURES.reduce((sum, curvature, i) => sum + 0.5 * curvature * at[i] ** 2, 0);

function walk(start, steps, move) {
  const path = [start];
  for (let t = 1; t <= steps; t += 1) {
    const gradient = path.at(-1).map((value, i) => CURVATURES[i] * value);
    path.push(path.at(-1).map((value, i) => value - move(gradient[i], i, t)));
  }
  return path;
}

export function sgd(start, steps, { rate, momentum }) {
  const velocity = [0, 0];
  return walk(start, steps, (g, i) => rate * (velocity[i] = momentum * velocity[i] + g));
}

export function adam(start, steps, { rate, beta1, beta2, eps }) {
  const [m, v] = [[0, 0], [0, 0]];
  return walk(start, steps, (g, i, t) => {
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    return ((rate / (1 - beta1 ** t)) * m[i]) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + eps);
  });
}
