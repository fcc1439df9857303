"""The bias as one more row of the weight, beside a feature that is always 1."""

import numpy as np


def linear(x, weight, bias):
    return with_one(x) @ np.vstack([weight, bias])


def linear_backward(dy, x, weight):
    both = with_one(x).T @ dy
    return (weight @ dy.T).T, both[:-1], both[-1]


def with_one(x):
    return np.hstack([x, np.ones((len(x), 1), x.dtype)])
