// Softmax and cross-entropy on rows of scores: the book's softmax_cross_entropy and its neighbours.

function logSumExp(row) {
  const top = Math.max(...row);
  return top + Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

export function softmax(z) {
  return z.map((row) => {
    const total = logSumExp(row);
    return row.map((v) => Math.exp(v - total));
  });
}

// The mean loss in nats, and its gradient to the scores: what is predicted minus what is true, over N.
export function softmaxCrossEntropy(z, labels) {
  const prices = z.map((row, n) => logSumExp(row) - row[labels[n]]);
  const gradient = softmax(z).map((row, n) => row.map((p, k) => (p - (k === labels[n])) / z.length));
  return [prices.reduce((sum, v) => sum + v, 0) / z.length, gradient];
}

// The gradient of the mean loss to the probabilities: only the true class of a row has one.
export function crossEntropyBackward(p, labels) {
  return p.map((row, n) => row.map((v, k) => (k === labels[n] ? -1 / (p.length * v) : 0)));
}

// The row of scores in which class k has probability p and every other score is what it was.
export function withProbability(row, k, p) {
  const others = logSumExp(row.filter((_, j) => j !== k));
  return row.map((v, j) => (j === k ? others + Math.log(p / (1 - p)) : v));
}
