"""The gradient of the input as a convolution of the spread-out dy with the turned kernel."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def full(image, weight):
    windows = sliding_window_view(image, weight.shape[2:], axis=(2, 3))
    return np.einsum("ncijuv,fcuv->nfij", windows, weight)


def conv2d(x, weight, bias, stride, padding):
    image = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    return full(image, weight)[:, :, ::stride, ::stride] + bias.reshape(1, -1, 1, 1)


def conv2d_backward(dy, x, weight, stride, padding):
    n, f = dy.shape[:2]
    (h, w), (kh, kw) = x.shape[2:], weight.shape[2:]
    image = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    spread = np.zeros((n, f, h + 2 * padding - kh + 1, w + 2 * padding - kw + 1), dy.dtype)
    spread[:, :, ::stride, ::stride] = dy
    around = np.pad(spread, [(0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)])
    dimage = full(around, weight[:, :, ::-1, ::-1].swapaxes(0, 1))
    dweight = full(image.swapaxes(0, 1), spread.swapaxes(0, 1)).swapaxes(0, 1)
    return dimage[:, :, padding : padding + h, padding : padding + w], dweight, dy.sum((0, 2, 3))
