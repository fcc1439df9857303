import numpy as np


def normalised(x, eps):
    centred = x - np.einsum("nd->n", x)[:, None] / x.shape[1]
    inv_std = 1 / np.sqrt(np.einsum("nd,nd->n", centred, centred) / x.shape[1] + eps)
    return np.einsum("nd,n->nd", centred, inv_std), inv_std


def layer_norm(x, gamma, beta, eps):
    return np.einsum("nd,d->nd", normalised(x, eps)[0], gamma) + beta


def layer_norm_backward(dy, x, gamma, eps):
    x_hat, inv_std = normalised(x, eps)
    along = np.einsum("nd,d,nd->n", dy, gamma, x_hat)
    level = np.einsum("nd,d->n", dy, gamma)
    inner = x.shape[1] * gamma * dy - level[:, None] - np.einsum("nd,n->nd", x_hat, along)
    dx = np.einsum("nd,n->nd", inner, inv_std / x.shape[1])
    return dx, np.einsum("nd,nd->d", dy, x_hat), np.einsum("nd->d", dy)
