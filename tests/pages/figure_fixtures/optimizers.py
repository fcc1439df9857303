"""Paths of SGD, momentum and Adam down one valley."""

from typing import Any

import numpy as np

from nn_tutorial import SGD, Adam

CURVATURES = np.array([1.0, 9.0])


def walk(make: Any, start: Any, steps: int) -> list[list[float]]:
    theta = np.array(start, dtype=np.float64)
    optimizer = make({"theta": theta})
    path = [theta.tolist()]
    for _ in range(steps):
        optimizer.step({"theta": CURVATURES * theta})
        path.append(theta.tolist())
    return path


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    found: list[tuple[str, list[Any], Any]] = []
    for _ in range(4):
        start = (rng.uniform(-8, 8, 2)).tolist()
        found.append(("height", [start], float(0.5 * CURVATURES @ np.square(start))))
        for rate, momentum in ((0.2, 0.0), (0.25, 0.25), (0.03, 0.9)):
            path = walk(lambda p, r=rate, m=momentum: SGD(p, r, momentum=m), start, 9)
            found.append(("sgd", [start, 9, {"rate": rate, "momentum": momentum}], path))
        for rate, beta1, beta2 in ((1.0, 0.9, 0.999), (0.3, 0.0, 0.5), (0.5, 0.7, 0.0)):
            betas, eps = (beta1, beta2), 1e-8
            path = walk(lambda p, r=rate, b=betas: Adam(p, r, betas=b), start, 9)
            given = {"rate": rate, "beta1": beta1, "beta2": beta2, "eps": eps}
            found.append(("adam", [start, 9, given], path))
    return found
