"""Softmax and cross-entropy in one."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import LABELLED, NO_LABELS, classes, number
from ..theory import Theory, equations


def backward(dy: float, dlogits: Any) -> Any:
    """The gradient comes with the loss; what is left is the upstream factor."""
    return dy * dlogits


THEORY = Theory(
    name="softmax_cross_entropy",
    shapes={"Z": "N×K", "t": "N"},
    sample=classes,
    rules=LABELLED,
    forward=equations("L = mean[n](log(sum[j](exp(Z[n,j]))) - Z[n,t[n]])"),
    backward=equations(
        "P[n,k] = exp(Z[n,k]) / sum[j](exp(Z[n,j]))",
        "dZ[n,k] = dL * (P[n,k] - (k == t[n])) / N",
    ),
    output=number,
    inputs=("Z",),
    pair=(nt.softmax_cross_entropy, backward),
    arguments=lambda v: {"logits": v["Z"], "labels": v["t"]},
    refused={
        "labels": NO_LABELS,
        "ignore_index": (0.5, "0"),
        "label_smoothing": (-0.1, 1.5, "0.1"),
        "reduction": ("average", None),
        "weight": ([1.0, 2.0], np.ones(997)),
    },
    wrong={
        "no division by N": {"dZ": lambda v, right, dy: right["dZ"] * len(v["t"])},
        "divided twice": {"dZ": lambda v, right, dy: right["dZ"] / len(v["t"])},
    },
    derivations=(
        Derivation(
            "dZ[n,k]",
            (
                "sum[j](-dL * (j == t[n]) / (N * P[n,j]) * P[n,j] * ((k == j) - P[n,k]))",
                "the gradient of cross-entropy through the Jacobian of softmax",
            ),
            ("-dL / N * sum[j]((j == t[n]) * ((k == j) - P[n,k]))", "the probability cancels"),
            ("-dL / N * ((k == t[n]) - P[n,k])", "the bracket keeps j = t"),
            ("dL * (P[n,k] - (k == t[n])) / N", "the sign goes inside"),
        ),
    ),
)
