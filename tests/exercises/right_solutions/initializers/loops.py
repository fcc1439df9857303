import numpy as np


def fans(shape):
    area = 1
    for size in shape[2:]:
        area *= size
    return (shape[0], shape[1]) if len(shape) == 2 else (shape[1] * area, shape[0] * area)


def he_normal(shape, rng):
    weight = np.zeros(shape)
    deviation = (2 / fans(shape)[0]) ** 0.5
    for index in np.ndindex(shape[0]):
        weight[index] = deviation * rng.standard_normal(shape[1:])
    return weight


def xavier_uniform(shape, rng):
    weight = np.zeros(shape)
    a = (6 / sum(fans(shape))) ** 0.5
    for index in np.ndindex(shape[0]):
        weight[index] = rng.uniform(-a, a, shape[1:])
    return weight
