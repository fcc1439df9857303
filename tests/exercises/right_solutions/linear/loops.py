import numpy as np


def linear(x, weight, bias):
    y = np.zeros((x.shape[0], weight.shape[1]), x.dtype)
    for n in range(x.shape[0]):
        for k in range(weight.shape[1]):
            y[n, k] = bias[k]
            for i in range(x.shape[1]):
                y[n, k] += x[n, i] * weight[i, k]
    return y


def linear_backward(dy, x, weight):
    dx, dweight = np.zeros_like(x), np.zeros_like(weight)
    dbias = np.zeros(weight.shape[1], x.dtype)
    for n in range(x.shape[0]):
        for k in range(weight.shape[1]):
            dbias[k] += dy[n, k]
            for i in range(x.shape[1]):
                dx[n, i] += dy[n, k] * weight[i, k]
                dweight[i, k] += dy[n, k] * x[n, i]
    return [dx, dweight, dbias]
