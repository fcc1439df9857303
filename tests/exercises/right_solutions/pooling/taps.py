"""One place of the window at a time, for all windows at once."""

import numpy as np


def taps(x, kernel_size, stride):
    height = (x.shape[2] - kernel_size) // stride + 1
    width = (x.shape[3] - kernel_size) // stride + 1
    for u in range(kernel_size):
        for v in range(kernel_size):
            yield (
                slice(None),
                slice(None),
                slice(u, u + stride * (height - 1) + 1, stride),
                slice(v, v + stride * (width - 1) + 1, stride),
            )


def max_pool2d(x, kernel_size, stride):
    return np.maximum.reduce([x[tap] for tap in taps(x, kernel_size, stride)])


def max_pool2d_backward(dy, x, kernel_size, stride):
    y = max_pool2d(x, kernel_size, stride)
    dx, free = np.zeros_like(x), np.ones(y.shape, bool)
    for tap in taps(x, kernel_size, stride):
        won = free & (x[tap] == y)
        dx[tap] += np.where(won, dy, 0)
        free &= ~won
    return dx


def avg_pool2d(x, kernel_size, stride):
    return sum(x[tap] for tap in taps(x, kernel_size, stride)) / kernel_size**2


def avg_pool2d_backward(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for tap in taps(x, kernel_size, stride):
        dx[tap] += dy
    return dx / kernel_size**2
