"""Softmax and cross-entropy with class weights and label smoothing."""

import numpy as np

import nn_tutorial as nt

from ..samples import LABELLED, classes, number
from ..theory import Theory, Values, equations
from .softmax_cross_entropy import backward


def sample(rng: np.random.Generator, i: int) -> Values:
    """Scores, labels, a weight for each class, and the share of smoothing."""
    values = classes(rng, i)
    return values | {"w": rng.uniform(0.5, 2, values["J"]), "eps": (0.1, 0.3, 0.5)[i % 3]}


THEORY = Theory(
    name="softmax_cross_entropy_smoothed",
    shapes={"Z": "N×K", "t": "N", "w": "K"},
    sample=sample,
    rules=LABELLED,
    forward=equations(
        "Q[n,k] = w[k] * ((1 - eps) * (k == t[n]) + eps / K)",
        "L = sum[n,k](Q[n,k] * (log(sum[j](exp(Z[n,j]))) - Z[n,k])) / sum[n](w[t[n]])",
    ),
    backward=equations(
        "P[n,k] = exp(Z[n,k]) / sum[j](exp(Z[n,j]))",
        "dZ[n,k] = dL * (P[n,k] * sum[j](Q[n,j]) - Q[n,k]) / sum[m](w[t[m]])",
    ),
    output=number,
    inputs=("Z",),
    pair=(nt.softmax_cross_entropy, backward),
    arguments=lambda v: {
        "logits": v["Z"], "labels": v["t"], "weight": v["w"], "label_smoothing": v["eps"],
    },
    wrong={
        "divided by N": {
            "dZ": lambda v, right, dy: right["dZ"] * v["w"][v["t"]].sum() / len(v["t"]),
        },
    },
)  # fmt: skip
