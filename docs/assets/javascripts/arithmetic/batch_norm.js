// Batch normalisation of one feature, and what the layer remembers of its batches.

const meanOf = (values) => values.reduce((a, b) => a + b) / values.length;

// The mean and the biased variance, which is taken after centring.
export function statistics(x) {
  const mean = meanOf(x);
  return { mean, variance: meanOf(x.map((value) => (value - mean) ** 2)) };
}

export function normalise(x, { mean, variance }, gamma, beta, eps) {
  const inverse = 1 / Math.sqrt(variance + eps);
  const xhat = x.map((value) => (value - mean) * inverse);
  return { xhat, y: xhat.map((value) => gamma * value + beta) };
}

// After a pass in training: a step towards the batch's mean and its unbiased variance.
export function remember(memory, x, momentum) {
  const { mean, variance } = statistics(x);
  const unbiased = (variance * x.length) / (x.length - 1);
  return {
    mean: memory.mean + momentum * (mean - memory.mean),
    variance: memory.variance + momentum * (unbiased - memory.variance),
  };
}
