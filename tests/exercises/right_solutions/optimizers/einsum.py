import numpy as np


def sgd_momentum(param, grad, velocity, lr, momentum):
    pairs = np.stack([velocity, grad])
    velocity = np.einsum("s,s...->...", np.array([momentum, 1], param.dtype), pairs)
    return param - lr * velocity, velocity


def adam(param, grad, m, v, t, lr, beta1, beta2, eps):
    def blend(beta, old, new):
        weights = np.array([beta, 1 - beta], param.dtype)
        return np.einsum("s,s...->...", weights, np.stack([old, new]))

    m, v = blend(beta1, m, grad), blend(beta2, v, np.square(grad))
    scale = np.sqrt(v / (1 - beta2**t)) + eps
    return param - lr / (1 - beta1**t) * (m / scale), m, v
