"""The fully connected layer."""

import numpy as np

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import APART, MATRICES, NO_BIAS
from ..theory import Theory, Values, equations


def sample(rng: np.random.Generator, i: int) -> Values:
    """Inputs, weights and biases."""
    n, d, k = MATRICES[i]
    draw = rng.standard_normal
    return {"X": draw((n, d)), "W": draw((d, k)), "b": draw(k)}


THEORY = Theory(
    name="linear",
    shapes={"X": "N×D", "W": "D×K", "b": "K", "Y": "N×K"},
    sample=sample,
    rules=APART,
    forward=equations("Y[n,k] = sum[i](X[n,i] * W[i,k]) + b[k]"),
    backward=equations(
        "dX[n,i] = sum[k](dY[n,k] * W[i,k])",
        "dW[i,k] = sum[n](X[n,i] * dY[n,k])",
        "db[k] = sum[n](dY[n,k])",
    ),
    output=lambda v: (len(v["X"]), len(v["b"])),
    inputs=("X", "W", "b"),
    pair=(nt.linear, nt.linear_backward),
    arguments=lambda v: {"x": v["X"], "weight": v["W"], "bias": v["b"]},
    layer=nt.Linear,
    settings=lambda v: {"n_in": v["W"].shape[0], "n_out": v["W"].shape[1]},
    other_shapes={"three-axes": {"X": (5, 2, 3), "W": (3, 7), "b": (7,)}},
    refused={"n_in": (0, -1), "n_out": (0, -1), "bias": NO_BIAS},
    wrong={
        "dW is the mean": {"dW": lambda v, right, dy: right["dW"] / len(dy)},
        "dW transposed": {"dW": lambda v, right, dy: right["dW"].T},
        "db not summed": {"db": lambda v, right, dy: dy[0]},
        "dX transposed": {"dX": lambda v, right, dy: right["dX"].T},
    },
    derivations=(
        Derivation(
            "dX[n,i]",
            ("sum[m,k](dY[m,k] * (m == n) * W[i,k])", "the chain rule over all outputs"),
            ("sum[k](dY[n,k] * W[i,k])", "the Kronecker delta keeps m = n"),
        ),
        Derivation(
            "dW[i,k]",
            ("sum[n,j](dY[n,j] * X[n,i] * (j == k))", "the chain rule over all outputs"),
            ("sum[n](dY[n,k] * X[n,i])", "the Kronecker delta keeps j = k"),
            ("sum[n](X[n,i] * dY[n,k])", "the factors of a product may be exchanged"),
        ),
        Derivation(
            "db[k]",
            ("sum[n,j](dY[n,j] * (j == k))", "the chain rule over all outputs"),
            ("sum[n](dY[n,k])", "the Kronecker delta keeps j = k"),
        ),
    ),
    einsum={
        "Y": ("ni,ik->nk", "X", "W", "+b"),
        "dX": ("nk,ik->ni", "dY", "W"),
        "dW": ("ni,nk->ik", "X", "dY"),
        "db": ("nk->k", "dY"),
    },
)
