// Pooling of one image, an array of rows, by square windows without padding: the book's max_pool2d
// and avg_pool2d, and the ways that their gradients take back.

// A value for each window, from the row and column of its first pixel.
function windows(x, kernel, stride, value) {
  const count = (size) => Math.floor((size - kernel) / stride) + 1;
  const rows = Array.from({ length: count(x.length) }, (_, i) => i * stride);
  const columns = Array.from({ length: count(x[0].length) }, (_, j) => j * stride);
  return rows.map((top) => columns.map((left) => value(top, left)));
}

// The pixels of a square window, in reading order.
function pixels(top, left, kernel) {
  return Array.from({ length: kernel * kernel }, (_, k) => [top + Math.floor(k / kernel), left + (k % kernel)]);
}

const zeros = (rows, columns) => Array.from({ length: rows }, () => Array(columns).fill(0));

// Where the largest of each window stands; of equals, the first in reading order.
export function winners(x, kernel, stride) {
  return windows(x, kernel, stride, (top, left) =>
    pixels(top, left, kernel).reduce((best, pixel) => (x[pixel[0]][pixel[1]] > x[best[0]][best[1]] ? pixel : best)),
  );
}

export function maxPool(x, kernel, stride) {
  return winners(x, kernel, stride).map((row) => row.map(([a, e]) => x[a][e]));
}

export function maxPoolBackward(dy, winners, rows, columns) {
  const dx = zeros(rows, columns);
  winners.forEach((row, i) => row.forEach(([a, e], j) => (dx[a][e] += dy[i][j])));
  return dx;
}

export function avgPool(x, kernel, stride) {
  return windows(x, kernel, stride, (top, left) =>
    pixels(top, left, kernel).reduce((sum, [a, e]) => sum + x[a][e], 0) / kernel ** 2,
  );
}

export function avgPoolBackward(dy, kernel, stride, rows, columns) {
  const dx = zeros(rows, columns);
  dy.forEach((row, i) => row.forEach((value, j) => {
    for (const [a, e] of pixels(i * stride, j * stride, kernel)) dx[a][e] += value / kernel ** 2;
  }));
  return dx;
}
