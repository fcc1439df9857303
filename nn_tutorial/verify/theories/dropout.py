"""Dropout."""

import numpy as np

import nn_tutorial as nt

from ..samples import APART, MATRICES, like
from ..theory import Theory, Values, equations


def sample(rng: np.random.Generator, i: int) -> Values:
    """Inputs, and the mask that a seed draws."""
    x = rng.standard_normal(MATRICES[i][:2])
    _, scale = nt.dropout(x, 0.4, np.random.default_rng(i))
    return {"X": x, "M": (scale > 0) * 1.0, "p": 0.4, "seed": i}


THEORY = Theory(
    name="dropout",
    shapes={"X": "N×D", "M": "N×D"},
    sample=sample,
    rules=APART
    | {
        "something dropped and something kept": lambda samples: all(
            set(v["M"].flat) == {0.0, 1.0} for v in samples
        )
    },
    forward=equations("Y[n,d] = M[n,d] * X[n,d] / (1 - p)"),
    backward=equations("dX[n,d] = M[n,d] * dY[n,d] / (1 - p)"),
    output=like("X"),
    pair=(nt.dropout, nt.dropout_backward),
    arguments=lambda v: {"x": v["X"], "p": v["p"], "rng": np.random.default_rng(v["seed"])},
    layer=nt.Dropout,
    settings=lambda v: {"p": v["p"]},
    refused={"p": (1.0, -0.1, np.nan)},
    wrong={
        "not scaled": {"dX": lambda v, right, dy: dy * v["M"]},
        "no mask": {"dX": lambda v, right, dy: dy / (1 - v["p"])},
    },
)
