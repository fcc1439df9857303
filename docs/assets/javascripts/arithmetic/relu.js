// ReLU and its gradient, on arrays of rows: the book's relu and relu_backward.

// The output, and the mask of what was positive.
export function relu(x) {
  return [x.map((row) => row.map((v) => Math.max(v, 0))), x.map((row) => row.map((v) => v > 0))];
}

export function reluBackward(dy, mask) {
  return dy.map((row, i) => row.map((v, j) => (mask[i][j] ? v : 0)));
}
