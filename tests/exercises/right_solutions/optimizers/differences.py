"""Written as what is added to the old state."""

import math

import numpy as np


def sgd_momentum(param, grad, velocity, lr, momentum):
    velocity = velocity + ((momentum - 1) * velocity + grad)
    return np.add(param, -lr * velocity), velocity


def adam(param, grad, m, v, t, lr, beta1, beta2, eps):
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad * grad - v)
    rate = lr / (1 - beta1**t)
    return param - rate * m / (np.sqrt(v) / math.sqrt(1 - beta2**t) + eps), m, v
