import numpy as np


def numerical_gradient(f, x, h):
    flat = np.array(x).ravel()
    grad = np.empty_like(flat)
    for i, old in enumerate(flat.copy()):
        flat[i] = old + h
        up = f(flat.reshape(x.shape))
        flat[i] = old - h
        down = f(flat.reshape(x.shape))
        flat[i] = old
        grad[i] = (up - down) / h / 2
    return grad.reshape(x.shape)
