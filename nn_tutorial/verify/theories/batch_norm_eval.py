"""Batch normalisation in evaluation, with statistics that are given."""

import nn_tutorial as nt

from ..samples import APART, like
from ..theory import Theory, equations
from .batch_norm import THEORY as TRAINING
from .batch_norm import sample

THEORY = Theory(
    name="batch_norm_eval",
    shapes={"X": "N×D", "gamma": "D", "beta": "D"},
    sample=sample,
    rules=APART,
    forward=equations(
        "Y[n,d] = gamma[d] * (X[n,d] - mu0[d]) / sqrt(var0[d] + eps) + beta[d]",
    ),
    backward=equations(
        "dX[n,d] = dY[n,d] * gamma[d] / sqrt(var0[d] + eps)",
        "dgamma[d] = sum[n](dY[n,d] * (X[n,d] - mu0[d])) / sqrt(var0[d] + eps)",
        "dbeta[d] = sum[n](dY[n,d])",
    ),
    output=like("X"),
    inputs=("X", "gamma", "beta"),
    pair=(nt.batch_norm, nt.batch_norm_backward),
    arguments=lambda v: TRAINING.arguments(v) | {"mean": v["mu0"], "var": v["var0"]},
    layer=nt.BatchNorm,
    settings=TRAINING.settings,
    train=False,
    other_shapes={
        "images": {"X": (2, 3, 5, 7), "gamma": (3,), "beta": (3,), "mu0": (3,), "var0": (3,)},
    },
    wrong={
        "training's gradient": {"dX": lambda v, right, dy: TRAINING.package(v, dy)["dX"]},
    },
)
