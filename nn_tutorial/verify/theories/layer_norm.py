"""Layer normalisation, in training as in evaluation."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import APART, MATRICES, Rule, like
from ..theory import Theory, Values, equations


def sample(rng: np.random.Generator, i: int) -> Values:
    """Inputs off centre, γ and β."""
    n, d, _ = MATRICES[i]
    d = max(d, 3)
    draw = rng.standard_normal
    return {"X": draw((n, d)) * 2 + 1, "gamma": draw(d), "beta": draw(d), "eps": 1e-5}


RULES: dict[str, Rule] = APART | {
    "at least three values per example: two normalise to ±1, whatever they are":
        lambda samples: all(v["X"].shape[1] >= 3 for v in samples),
}  # fmt: skip


def dx(
    values: Values, right: Values, dy: Any, *, mean: bool = True, var: bool = True, axis: int = 1
) -> Any:
    """The gradient of the input, with a path left out or with the means along another axis."""
    xhat, g = right["Xhat"], dy * values["gamma"]
    by_mean = g.mean(axis, keepdims=True) * mean
    by_var = xhat * (g * xhat).mean(axis, keepdims=True) * var
    return (g - by_mean - by_var) / np.sqrt(right["sigma2"] + values["eps"])[:, None]


def gamma_in_front(values: Values, right: Values, dy: Any) -> Any:
    """As batch normalisation has it, with gamma in front: the means are those of dY."""
    ones = values | {"gamma": np.ones_like(values["gamma"])}
    return values["gamma"] * dx(ones, right, dy)


SLOPES = "((k == d) - 1 / D - Xhat[n,k] * Xhat[n,d] / D)"
DX = (
    "1 / sqrt(sigma2[n] + eps) * (dXhat[n,d] - sum[k](dXhat[n,k]) / D "
    "- Xhat[n,d] * sum[k](dXhat[n,k] * Xhat[n,k]) / D)"
)
THEORY = Theory(
    name="layer_norm",
    shapes={"X": "N×D", "gamma": "D", "beta": "D"},
    sample=sample,
    rules=RULES,
    forward=equations(
        "mu[n] = mean[d](X[n,d])",
        "sigma2[n] = mean[d]((X[n,d] - mu[n])**2)",
        "Xhat[n,d] = (X[n,d] - mu[n]) / sqrt(sigma2[n] + eps)",
        "Y[n,d] = gamma[d] * Xhat[n,d] + beta[d]",
    ),
    backward=equations(
        "dXhat[n,d] = gamma[d] * dY[n,d]",
        "dgamma[d] = sum[n](dY[n,d] * Xhat[n,d])",
        "dbeta[d] = sum[n](dY[n,d])",
        f"dX[n,d] = {DX}",
    ),
    output=like("X"),
    inputs=("X", "gamma", "beta"),
    pair=(nt.layer_norm, nt.layer_norm_backward),
    arguments=lambda v: {"x": v["X"], "weight": v["gamma"], "bias": v["beta"], "eps": v["eps"]},
    cached=lambda cache: {"mu": cache.mean, "sigma2": cache.var, "Xhat": cache.xhat},
    layer=nt.LayerNorm,
    settings=lambda v: {"normalized_shape": v["gamma"].shape, "eps": v["eps"]},
    other_shapes={"images": {"X": (2, 3, 5, 7), "gamma": (3, 5, 7), "beta": (3, 5, 7)}},
    refused={
        "normalized_shape": (0, (3, -1, 2), 1.5, (2, 3), ()),
        "eps": (-1e-5, np.nan),
    },
    wrong={
        "γ in front of the bracket": {"dX": gamma_in_front},
        "means over the batch": {"dX": lambda *given: dx(*given, axis=0)},
        "mean taken as constant": {"dX": lambda *given: dx(*given, mean=False)},
        "variance taken as constant": {"dX": lambda *given: dx(*given, var=False)},
        "both taken as constant": {"dX": lambda *given: dx(*given, mean=False, var=False)},
        "dγ from the input": {"dgamma": lambda v, right, dy: (dy * v["X"]).sum(0)},
    },
    derivations=(
        Derivation(
            "dX[n,d]",
            (
                f"1 / sqrt(sigma2[n] + eps) * sum[k](dY[n,k] * gamma[k] * {SLOPES})",
                "the chain rule over the features k of the same example, each with its γ",
            ),
            (
                f"1 / sqrt(sigma2[n] + eps) * sum[k](dXhat[n,k] * {SLOPES})",
                "γ has the index of the sum and stays in it; with it, ∂L/∂Y becomes ∂L/∂X̂",
            ),
            (DX, "the Kronecker delta keeps k = d; factors without k come out"),
        ),
    ),
    einsum={"dgamma": ("nd,nd->d", "dY", "Xhat"), "dbeta": ("nd->d", "dY")},
)
