"""The logistic function."""

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import APART, like, matrix
from ..theory import Theory, equations

THEORY = Theory(
    name="sigmoid",
    shapes={"X": "N×D"},
    sample=matrix,
    rules=APART,
    forward=equations("Y[n,d] = 1 / (1 + exp(-X[n,d]))"),
    backward=equations("dX[n,d] = dY[n,d] * Y[n,d] * (1 - Y[n,d])"),
    output=like("X"),
    pair=(nt.sigmoid, nt.sigmoid_backward),
    arguments=lambda v: {"x": v["X"]},
    layer=nt.Sigmoid,
    wrong={"factor 1 − y dropped": {"dX": lambda v, right, dy: dy * right["Y"]}},
    derivations=(
        Derivation(
            "dX[n,d]",
            (
                "dY[n,d] * exp(-X[n,d]) / (1 + exp(-X[n,d]))**2",
                "the chain rule on the reciprocal",
            ),
            (
                "dY[n,d] * (1 / (1 + exp(-X[n,d]))) * (1 - 1 / (1 + exp(-X[n,d])))",
                "add and subtract one in the numerator",
            ),
            ("dY[n,d] * Y[n,d] * (1 - Y[n,d])", "the definition of Y"),
        ),
    ),
)
