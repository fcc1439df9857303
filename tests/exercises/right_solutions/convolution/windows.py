"""One output pixel at a time, for all examples and filters at once."""

import numpy as np


def padded(x, p):
    return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))


def conv2d(x, weight, bias, stride, padding):
    image = padded(x, padding)
    kh, kw = weight.shape[2:]
    height = (image.shape[2] - kh) // stride + 1
    width = (image.shape[3] - kw) // stride + 1
    y = np.empty((len(x), len(weight), height, width), x.dtype)
    flat = weight.reshape(len(weight), -1)
    for i in range(height):
        for j in range(width):
            a, b = stride * i, stride * j
            y[:, :, i, j] = image[:, :, a : a + kh, b : b + kw].reshape(len(x), -1) @ flat.T + bias
    return y


def conv2d_backward(dy, x, weight, stride, padding):
    image = padded(x, padding)
    dimage, dweight = np.zeros_like(image), np.zeros_like(weight)
    kh, kw = weight.shape[2:]
    for i in range(dy.shape[2]):
        for j in range(dy.shape[3]):
            window = slice(stride * i, stride * i + kh), slice(stride * j, stride * j + kw)
            d = dy[:, :, i, j]
            dweight += np.tensordot(d, image[:, :, *window], axes=(0, 0))
            dimage[:, :, *window] += np.tensordot(d, weight, axes=(1, 0))
    h, w = x.shape[2:]
    return (
        dimage[:, :, padding : h + padding, padding : w + padding],
        dweight,
        np.add.reduce(dy, axis=(0, 2, 3)),
    )
