"""ReLU: several shapes, zeros of both signs, and gradients that are negative."""

from typing import Any

import numpy as np

from nn_tutorial import relu, relu_backward


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    found: list[tuple[str, list[Any], Any]] = []
    for shape in ((2, 3), (1, 1), (5, 7), (3, 1)):
        x, dy = rng.standard_normal(shape), rng.standard_normal(shape)
        x[-1, 0] = 0.0
        x[0, -1] = -0.0
        y, mask = relu(x)
        found += [("relu", [x], [y, mask]), ("reluBackward", [dy, mask], relu_backward(dy, mask))]
    example = np.array([[-2.0, 1.0, 0.0], [3.0, -1.0, 4.0]])
    return [*found, ("relu", [example], list(relu(example)))]
