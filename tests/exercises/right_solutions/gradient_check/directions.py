import numpy as np


def numerical_gradient(f, x, h):
    steps = (h * np.eye(x.size, dtype=x.dtype)).reshape(-1, *x.shape)
    up = np.array([f(x + step) for step in steps])
    down = np.array([f(x - step) for step in steps])
    return ((up - down) / (2 * h)).reshape(x.shape).astype(x.dtype)
