"""Batch normalisation of one feature: in training, in evaluation, and what is remembered."""

from typing import Any

import numpy as np

from nn_tutorial import BatchNorm, batch_norm


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    batches = [rng.standard_normal(size) * 3 + 1 for size in (2, 3, 5, 8, 33)]
    batches += [np.array([1.0, 3.0, 4.0, 5.0, 7.0]), np.full(4, 2.5), 1e6 + rng.random(5)]
    found: list[tuple[str, list[Any], Any]] = []
    for x in batches:
        column, (gamma, beta) = x[:, None], rng.standard_normal((2, 1)) * 3
        layer = BatchNorm(1, dtype=np.float64)
        for momentum in (0.1, 0.7):  # the second step starts from what the first has left
            before = _plain(*layer.buffers.values())
            layer.momentum = momentum
            layer.forward(column, train=True)
            after = _plain(*layer.buffers.values())
            found.append(("remember", [before, x, momentum], after))
        _, kept = batch_norm(column, gamma, beta)
        found.append(("statistics", [x], _plain(kept.mean, kept.var)))
        mean, var = layer.buffers.values()
        for given in ({}, {"mean": mean, "var": var}):
            for eps in (1e-5, 0.5):
                y, cache = batch_norm(column, gamma, beta, eps=eps, **given)
                used = _plain(cache.mean, cache.var)
                result = {"xhat": cache.xhat[:, 0].tolist(), "y": y[:, 0].tolist()}
                found.append(("normalise", [x, used, gamma[0], beta[0], eps], result))
    return found


def _plain(mean: Any, variance: Any) -> dict[str, float]:
    return {"mean": float(mean[0]), "variance": float(variance[0])}
