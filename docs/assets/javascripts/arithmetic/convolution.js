// One image, one filter: the book's conv2d and conv2d_backward, on arrays of rows. The shape is
// { stride, padding }, the same along both axes; pixels outside the image are 0.

const sum = (values) => values.reduce((a, b) => a + b, 0);

// How many windows fit along a line.
export function outputs(size, k, { stride, padding }) {
  return Math.floor((size + 2 * padding - k) / stride) + 1;
}

// What is multiplied for output (i, j): pairs of a weight and the pixel that it meets.
export function products(x, weight, i, j, { stride, padding }) {
  const pixel = (a, e) => x[a]?.[e] ?? 0;
  return weight.flatMap((row, u) => row.map((w, v) => [w, pixel(stride * i + u - padding, stride * j + v - padding)]));
}

export function conv2d(x, weight, bias, shape) {
  const [height, width] = [outputs(x.length, weight.length, shape), outputs(x[0].length, weight[0].length, shape)];
  return Array.from({ length: height }, (_, i) =>
    Array.from({ length: width }, (_, j) => bias + sum(products(x, weight, i, j, shape).map(([w, pixel]) => w * pixel))),
  );
}

// The outputs (i, j) that have seen pixel (a, e), each with the weight with which it has. A place
// (u, v) of the kernel met the pixel if (a - u + padding) / stride is an output; likewise across.
export function seenBy(weight, a, e, dy, { stride, padding }) {
  const found = [];
  for (let i = 0; i < dy.length; i += 1) {
    for (let j = 0; j < dy[0].length; j += 1) {
      const w = weight[a + padding - stride * i]?.[e + padding - stride * j];
      if (w !== undefined) found.push({ i, j, weight: w, upstream: dy[i][j] });
    }
  }
  return found;
}

// The gradient of an image of the given height and width.
export function conv2dBackward(dy, weight, height, width, shape) {
  const pixel = (a, e) => sum(seenBy(weight, a, e, dy, shape).map((one) => one.weight * one.upstream));
  return Array.from({ length: height }, (_, a) => Array.from({ length: width }, (_, e) => pixel(a, e)));
}
