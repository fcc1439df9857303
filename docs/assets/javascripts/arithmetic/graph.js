// The six operations of the chain-rule chapter, forward and backward, one line an operation.

export function forward({ x, w, b, t }) {
  const a = w * x;
  const s = a + b;
  const r = Math.max(s, 0);
  const y = x + r;
  const d = y - t;
  return { a, s, r, y, d, L: d ** 2 / 2 };
}

// Gradients by the names of their values; x has two roads, which add.
export function backward({ x, w, b, t }) {
  const { s, d: dd } = forward({ x, w, b, t });
  const dy = dd;
  const ds = dy * (s > 0);
  const long = ds * w;
  return { L: 1, d: dd, y: dy, t: 0 - dd, r: dy, short: dy, s: ds, a: ds, b: ds, w: ds * x, long, x: dy + long };
}
