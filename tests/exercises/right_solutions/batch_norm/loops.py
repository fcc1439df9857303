import numpy as np


def batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    n, features = x.shape
    y = np.zeros_like(x)
    new_mean, new_var = running_mean.copy(), running_var.copy()
    for d in range(features):
        mean, var = running_mean[d], running_var[d]
        if train:
            mean = sum(x[:, d]) / n
            squares = sum((value - mean) ** 2 for value in x[:, d])
            var = squares / n
            new_mean[d] += momentum * (mean - new_mean[d])
            new_var[d] += momentum * (squares / (n - 1) - new_var[d])
        for i in range(n):
            y[i, d] = gamma[d] * (x[i, d] - mean) / (var + eps) ** 0.5 + beta[d]
    return y, new_mean, new_var


def batch_norm_backward(dy, x, gamma, eps):
    n, features = x.shape
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    for d in range(features):
        mean = sum(x[:, d]) / n
        std = (sum((value - mean) ** 2 for value in x[:, d]) / n + eps) ** 0.5
        for i in range(n):
            dbeta[d] += dy[i, d]
            dgamma[d] += dy[i, d] * (x[i, d] - mean) / std
        for i in range(n):
            x_hat = (x[i, d] - mean) / std
            dx[i, d] = gamma[d] / std * (dy[i, d] - (dbeta[d] + x_hat * dgamma[d]) / n)
    return dx, dgamma, dbeta
