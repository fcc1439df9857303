import numpy as np


def relu(x):
    return np.einsum("...,...->...", x, (x > 0).astype(x.dtype))


def relu_backward(dy, x):
    # The output would do as well: y > 0 exactly where x > 0.
    y = (x + np.abs(x)) / 2
    return np.einsum("...,...->...", dy, y > 0).astype(dy.dtype)
