import numpy as np


def conv2d(x, weight, bias, stride, padding):
    n, c, h, w = x.shape
    f, _, kh, kw = weight.shape
    height, width = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    y = np.zeros((n, f, height, width), x.dtype)
    for m, k, i, j in np.ndindex(*y.shape):
        y[m, k, i, j] = bias[k]
        for u, v in np.ndindex(kh, kw):
            a, b = stride * i + u - padding, stride * j + v - padding
            if 0 <= a < h and 0 <= b < w:
                for channel in range(c):
                    y[m, k, i, j] += x[m, channel, a, b] * weight[k, channel, u, v]
    return y


def conv2d_backward(dy, x, weight, stride, padding):
    _, c, h, w = x.shape
    dx, dweight = np.zeros_like(x), np.zeros_like(weight)
    dbias = np.zeros(len(weight), x.dtype)
    for m, k, i, j in np.ndindex(*dy.shape):
        dbias[k] += dy[m, k, i, j]
        for u, v in np.ndindex(*weight.shape[2:]):
            a, b = stride * i + u - padding, stride * j + v - padding
            if 0 <= a < h and 0 <= b < w:
                for channel in range(c):
                    dx[m, channel, a, b] += dy[m, k, i, j] * weight[k, channel, u, v]
                    dweight[k, channel, u, v] += dy[m, k, i, j] * x[m, channel, a, b]
    return dx, dweight, dbias
