"""Node by node, as the chapter walks back through the graph."""

import numpy as np


def batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    mean = np.mean(x, axis=0) if train else running_mean
    var = np.var(x, axis=0) if train else running_var
    y = (x - mean) * (gamma / np.sqrt(var + eps)) + beta
    if not train:
        return y, running_mean.copy(), running_var.copy()
    kept = np.var(x, axis=0, ddof=1)
    return (
        y,
        running_mean + momentum * (mean - running_mean),
        running_var + momentum * (kept - running_var),
    )


def batch_norm_backward(dy, x, gamma, eps):
    n = len(x)
    centred = x - x.mean(0)
    var = (centred * centred).mean(0)
    std = np.sqrt(var + eps)
    dx_hat = dy * gamma
    dvar = (dx_hat * centred).sum(0) * -0.5 / std**3
    dcentred = dx_hat / std + dvar * 2 * centred / n
    dx = dcentred - dcentred.mean(0)
    return dx, (dy * centred).sum(0) / std, dy.sum(0)
