"""Softmax."""

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import LABELLED, classes, like
from ..theory import Theory, equations

THEORY = Theory(
    name="softmax",
    shapes={"Z": "N×K", "P": "N×K"},
    sample=classes,
    rules=LABELLED,
    forward=equations("P[n,i] = exp(Z[n,i]) / sum[j](exp(Z[n,j]))"),
    backward=equations("dZ[n,i] = P[n,i] * (dP[n,i] - sum[j](dP[n,j] * P[n,j]))"),
    output=like("Z"),
    inputs=("Z",),
    pair=(nt.softmax, nt.softmax_backward),
    arguments=lambda v: {"x": v["Z"]},
    layer=nt.Softmax,
    other_shapes={"three-axes": {"Z": (2, 5, 7)}},
    refused={"axis": (0.5, "last")},
    wrong={
        "diagonal alone": {"dZ": lambda v, right, dy: dy * right["P"] * (1 - right["P"])},
        "sum without p": {
            "dZ": lambda v, right, dy: right["P"] * (dy - dy.sum(1, keepdims=True)),
        },
    },
    derivations=(
        Derivation(
            "P[n,i]",
            (
                "exp(Z[n,i] - max[k](Z[n,k])) / sum[j](exp(Z[n,j] - max[k](Z[n,k])))",
                "as the code computes it",
            ),
            (
                "exp(-max[k](Z[n,k])) * exp(Z[n,i]) / (exp(-max[k](Z[n,k])) * sum[j](exp(Z[n,j])))",
                "the exponential of a sum is a product",
            ),
            ("exp(Z[n,i]) / sum[j](exp(Z[n,j]))", "the common factor cancels"),
        ),
        Derivation(
            "dZ[n,i]",
            (
                "sum[j](dP[n,j] * P[n,j] * ((i == j) - P[n,i]))",
                "the chain rule, with the Jacobian of the row",
            ),
            (
                "sum[j](dP[n,j] * P[n,j] * (i == j)) - sum[j](dP[n,j] * P[n,j] * P[n,i])",
                "the sum in two parts",
            ),
            (
                "dP[n,i] * P[n,i] - P[n,i] * sum[j](dP[n,j] * P[n,j])",
                "the Kronecker delta keeps j = i; the factor without j comes out",
            ),
            ("P[n,i] * (dP[n,i] - sum[j](dP[n,j] * P[n,j]))", "the common factor"),
        ),
    ),
    same={
        "dZ[n, i] = sum[j](dP[n, i] * P[n, j] * (i == j)) - sum[j](dP[n, j] * P[n, j] * P[n, i])": (
            "the delta makes i = j"
        ),
        "dZ[n, i] = sum[j](dP[n, j] * P[n, i] * (i == j)) - sum[j](dP[n, j] * P[n, j] * P[n, i])": (
            "the delta makes i = j"
        ),
    },
)
