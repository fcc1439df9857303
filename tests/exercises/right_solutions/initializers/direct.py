import math


def he_normal(shape, rng):
    return rng.normal(
        0, math.sqrt(2 / math.prod(shape) * (shape[1] if len(shape) == 2 else shape[0])), shape
    )


def xavier_uniform(shape, rng):
    n_in, n_out = (shape[1], shape[0]) if len(shape) == 4 else shape
    a = math.sqrt(6 / (n_in + n_out) / math.prod(shape[2:]))
    return (2 * rng.random(shape) - 1) * a
