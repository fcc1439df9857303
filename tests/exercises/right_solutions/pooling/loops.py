import numpy as np


def output(x, kernel_size, stride):
    n, c, h, w = x.shape
    return n, c, (h - kernel_size) // stride + 1, (w - kernel_size) // stride + 1


def max_pool2d(x, kernel_size, stride):
    y = np.empty(output(x, kernel_size, stride), x.dtype)
    for n, c, i, j in np.ndindex(*y.shape):
        best = -np.inf
        for u, v in np.ndindex(kernel_size, kernel_size):
            best = max(best, x[n, c, stride * i + u, stride * j + v])
        y[n, c, i, j] = best
    return y


def max_pool2d_backward(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dy.shape):
        best, at = -np.inf, None
        for u, v in np.ndindex(kernel_size, kernel_size):
            place = stride * i + u, stride * j + v
            if x[n, c, *place] > best:
                best, at = x[n, c, *place], place
        dx[n, c, *at] += dy[n, c, i, j]
    return dx


def avg_pool2d(x, kernel_size, stride):
    y = np.zeros(output(x, kernel_size, stride), x.dtype)
    for n, c, i, j in np.ndindex(*y.shape):
        for u, v in np.ndindex(kernel_size, kernel_size):
            y[n, c, i, j] += x[n, c, stride * i + u, stride * j + v] / kernel_size**2
    return y


def avg_pool2d_backward(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dy.shape):
        for u, v in np.ndindex(kernel_size, kernel_size):
            dx[n, c, stride * i + u, stride * j + v] += dy[n, c, i, j] / kernel_size**2
    return dx
