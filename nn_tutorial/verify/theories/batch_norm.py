"""Batch normalisation while training."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import APART, MATRICES, Rule, like
from ..theory import Theory, Values, equations


def sample(rng: np.random.Generator, i: int) -> Values:
    """Inputs off centre, γ, β, and the statistics that evaluation is given."""
    n, d, _ = MATRICES[i]
    draw = rng.standard_normal
    return {
        "X": draw((max(n, 3), d)) * 2 + 1,
        "gamma": draw(d),
        "beta": draw(d),
        "eps": 1e-5,
        "mu0": draw(d),
        "var0": rng.uniform(0.5, 2, d),
    }


RULES: dict[str, Rule] = APART | {
    "at least three values per feature: two normalise to ±1, whatever they are":
        lambda samples: all(len(v["X"]) >= 3 for v in samples),
}  # fmt: skip


def dx(values: Values, right: Values, dy: Any, *, mean: bool, var: bool) -> Any:
    """The gradient of the input with the path through the mean or the variance left out."""
    xhat, inv_std = right["Xhat"], 1 / np.sqrt(right["sigma2"] + values["eps"])
    inner = dy - dy.mean(0) * mean - xhat * (dy * xhat).mean(0) * var
    return inner * values["gamma"] * inv_std


THEORY = Theory(
    name="batch_norm",
    shapes={"X": "N×D", "gamma": "D", "beta": "D"},
    sample=sample,
    rules=RULES,
    forward=equations(
        "mu[d] = mean[n](X[n,d])",
        "sigma2[d] = mean[n]((X[n,d] - mu[d])**2)",
        "Xhat[n,d] = (X[n,d] - mu[d]) / sqrt(sigma2[d] + eps)",
        "Y[n,d] = gamma[d] * Xhat[n,d] + beta[d]",
    ),
    backward=equations(
        "dgamma[d] = sum[n](dY[n,d] * Xhat[n,d])",
        "dbeta[d] = sum[n](dY[n,d])",
        "dX[n,d] = gamma[d] / sqrt(sigma2[d] + eps) "
        "* (dY[n,d] - dbeta[d] / N - Xhat[n,d] * dgamma[d] / N)",
    ),
    output=like("X"),
    inputs=("X", "gamma", "beta"),
    pair=(nt.batch_norm, nt.batch_norm_backward),
    arguments=lambda v: {"x": v["X"], "weight": v["gamma"], "bias": v["beta"], "eps": v["eps"]},
    cached=lambda cache: {"mu": cache.mean, "sigma2": cache.var, "Xhat": cache.xhat},
    layer=nt.BatchNorm,
    settings=lambda v: {"num_features": len(v["gamma"]), "eps": v["eps"]},
    other_shapes={"images": {"X": (2, 3, 5, 7), "gamma": (3,), "beta": (3,)}},
    refused={
        "num_features": (0, -1),
        "eps": (-1e-5, np.nan),
        "momentum": (-0.1, 2, np.nan),
    },
    wrong={
        "mean taken as constant": {"dX": lambda *given: dx(*given, mean=False, var=True)},
        "variance taken as constant": {"dX": lambda *given: dx(*given, mean=True, var=False)},
        "both taken as constant": {"dX": lambda *given: dx(*given, mean=False, var=False)},
        "dγ from the input": {"dgamma": lambda v, right, dy: (dy * v["X"]).sum(0)},
    },
    derivations=(
        Derivation(
            "dX[n,d]",
            (
                "sum[m](dY[m,d] * gamma[d] / sqrt(sigma2[d] + eps) "
                "* ((m == n) - 1 / N - Xhat[m,d] * Xhat[n,d] / N))",
                "the direct path, the path through the mean, the path through the variance",
            ),
            (
                "gamma[d] / sqrt(sigma2[d] + eps) * (dY[n,d] - mean[m](dY[m,d]) "
                "- Xhat[n,d] * mean[m](dY[m,d] * Xhat[m,d]))",
                "the Kronecker delta keeps m = n; factors without m come out",
            ),
            (
                "gamma[d] / sqrt(sigma2[d] + eps) "
                "* (dY[n,d] - dbeta[d] / N - Xhat[n,d] * dgamma[d] / N)",
                "the two means are the gradients of β and γ, divided by N",
            ),
        ),
    ),
    einsum={"dgamma": ("nd,nd->d", "dY", "Xhat"), "dbeta": ("nd->d", "dY")},
)
