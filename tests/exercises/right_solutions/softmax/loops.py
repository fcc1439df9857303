import math

import numpy as np


def softmax(x):
    p = np.empty_like(x)
    for row in np.ndindex(x.shape[:-1]):
        largest = max(x[row])
        exponentials = [math.exp(score - largest) for score in x[row]]
        for k, e in enumerate(exponentials):
            p[row][k] = e / sum(exponentials)
    return p


def softmax_backward(dp, p):
    dx = np.zeros_like(dp)
    classes = range(p.shape[-1])
    for row in np.ndindex(p.shape[:-1]):
        for i in classes:
            for j in classes:
                dx[row][i] += dp[row][j] * p[row][j] * ((i == j) - p[row][i])
    return dx
