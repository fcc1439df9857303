import numpy as np


def sgd_momentum(param, grad, velocity, lr, momentum):
    new, fast = np.empty_like(param), np.empty_like(param)
    for i in np.ndindex(param.shape):
        fast[i] = momentum * velocity[i] + grad[i]
        new[i] = param[i] - lr * fast[i]
    return new, fast


def adam(param, grad, m, v, t, lr, beta1, beta2, eps):
    new, m, v = param.copy(), m.copy(), v.copy()
    for i in np.ndindex(param.shape):
        m[i] = beta1 * m[i] + (1 - beta1) * grad[i]
        v[i] = beta2 * v[i] + (1 - beta2) * grad[i] ** 2
        new[i] -= lr * (m[i] / (1 - beta1**t)) / ((v[i] / (1 - beta2**t)) ** 0.5 + eps)
    return new, m, v
