import numpy as np


def layer_norm(x, gamma, beta, eps):
    n, features = x.shape
    y = np.zeros_like(x)
    for i in range(n):
        mean = sum(x[i]) / features
        var = sum((value - mean) ** 2 for value in x[i]) / features
        for d in range(features):
            y[i, d] = gamma[d] * (x[i, d] - mean) / (var + eps) ** 0.5 + beta[d]
    return y


def layer_norm_backward(dy, x, gamma, eps):
    n, features = x.shape
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    for i in range(n):
        mean = sum(x[i]) / features
        std = (sum((value - mean) ** 2 for value in x[i]) / features + eps) ** 0.5
        x_hat = [(value - mean) / std for value in x[i]]
        a = sum(gamma[k] * dy[i, k] for k in range(features)) / features
        b = sum(gamma[k] * dy[i, k] * x_hat[k] for k in range(features)) / features
        for d in range(features):
            dbeta[d] += dy[i, d]
            dgamma[d] += dy[i, d] * x_hat[d]
            dx[i, d] = (gamma[d] * dy[i, d] - a - x_hat[d] * b) / std
    return dx, dgamma, dbeta
