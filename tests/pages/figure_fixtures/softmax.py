"""Softmax with a temperature, its Jacobian, and its gradient on both ways."""

from typing import Any

import numpy as np

from nn_tutorial import softmax, softmax_backward


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    rows = [rng.standard_normal(size) * 3 for size in (1, 2, 3, 3, 7)]
    rows += [np.log([1.0, 2.0, 3.0]), np.full(4, 2.5), np.array([1000.0, 999.0, -1000.0])]
    found: list[tuple[str, list[Any], Any]] = []
    for scores in rows:
        dp = rng.standard_normal(len(scores)) * 4
        for temperature in (1.0, 0.2, 5.0):
            p, cache = softmax(scores / temperature)
            dz = softmax_backward(dp, cache)
            # A gradient of 1 at p_j alone brings back the slopes of p_j: row j of the Jacobian.
            slopes = softmax_backward(np.eye(len(p)), np.tile(p, (len(p), 1)))
            found += [
                ("softmax", [scores, temperature], p),
                ("jacobian", [p], slopes),
                ("withJacobian", [p, dp], dz),
                ("withoutJacobian", [p, dp], dz),
                ("weightedMean", [p, dp], np.vdot(p, dp)),
            ]
    return found
