// Softmax of one row, its Jacobian, and its gradient with the Jacobian and without.

export function softmax(scores, temperature) {
  const divided = scores.map((score) => score / temperature);
  const top = Math.max(...divided);
  const exponentials = divided.map((value) => Math.exp(value - top));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((value) => value / sum);
}

// Row j holds the slopes of p_j, by each of the numbers that softmax was given.
export function jacobian(p) {
  return p.map((pj, j) => p.map((pi, i) => pj * ((i === j ? 1 : 0) - pi)));
}

export function withJacobian(p, dp) {
  const slopes = jacobian(p);
  return p.map((_, i) => dp.reduce((sum, upstream, j) => sum + upstream * slopes[j][i], 0));
}

// The mean of the upstream gradient, weighted with the probabilities.
export function weightedMean(p, dp) {
  return p.reduce((sum, probability, j) => sum + probability * dp[j], 0);
}

export function withoutJacobian(p, dp) {
  const mean = weightedMean(p, dp);
  return p.map((probability, i) => probability * (dp[i] - mean));
}
