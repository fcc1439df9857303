import numpy as np


def sums(x):
    rows, columns = np.zeros(x.shape[0], x.dtype), np.zeros(x.shape[1], x.dtype)
    squares = 0.0
    for (n, d), value in np.ndenumerate(x):
        rows[n] += value
        columns[d] += value
        squares += float(value) ** 2
    return rows, columns, squares


def matrix_product(a, b):
    y = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for i, j, k in np.ndindex(*a.shape, b.shape[1]):
        y[i, k] += a[i, j] * b[j, k]
    return y


def batch_product(a, b):
    return np.stack([matrix_product(p, q) for p, q in zip(a, b)])


def product_gradients(dy, a, b):
    da, db = np.zeros_like(a), np.zeros_like(b)
    for i, j, k in np.ndindex(*a.shape, b.shape[1]):
        da[i, j] += dy[i, k] * b[j, k]
        db[j, k] += a[i, j] * dy[i, k]
    return da, db


def filter_windows(windows, weight):
    n, _, h, w = windows.shape[:4]
    y = np.zeros((n, len(weight), h, w), windows.dtype)
    for m, f, i, j in np.ndindex(*y.shape):
        y[m, f, i, j] = (windows[m, :, i, j] * weight[f]).sum()
    return y
