import numpy as np


def batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    if not train:
        return (
            np.einsum("nd,d->nd", x - running_mean, gamma / np.sqrt(running_var + eps)) + beta,
            running_mean,
            running_var,
        )
    mean = np.einsum("nd->d", x) / len(x)
    centred = x - mean
    squares = np.einsum("nd,nd->d", centred, centred)
    y = np.einsum("nd,d->nd", centred, gamma / np.sqrt(squares / len(x) + eps)) + beta
    running_mean = running_mean * (1 - momentum) + momentum * mean
    return y, running_mean, running_var * (1 - momentum) + momentum * squares / (len(x) - 1)


def batch_norm_backward(dy, x, gamma, eps):
    centred = x - np.einsum("nd->d", x) / len(x)
    inv_std = 1 / np.sqrt(np.einsum("nd,nd->d", centred, centred) / len(x) + eps)
    x_hat = centred * inv_std
    dgamma, dbeta = np.einsum("nd,nd->d", dy, x_hat), np.einsum("nd->d", dy)
    inner = len(x) * dy - dbeta - np.einsum("nd,d->nd", x_hat, dgamma)
    return np.einsum("nd,d->nd", inner, gamma * inv_std / len(x)), dgamma, dbeta
