"""The hyperbolic tangent."""

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import APART, like, matrix
from ..theory import Theory, equations

THEORY = Theory(
    name="tanh",
    shapes={"X": "N×D"},
    sample=matrix,
    rules=APART,
    forward=equations(
        "Y[n,d] = (exp(X[n,d]) - exp(-X[n,d])) / (exp(X[n,d]) + exp(-X[n,d]))",
    ),
    backward=equations("dX[n,d] = dY[n,d] * (1 - Y[n,d]**2)"),
    output=like("X"),
    pair=(nt.tanh, nt.tanh_backward),
    arguments=lambda v: {"x": v["X"]},
    layer=nt.Tanh,
    wrong={"1 − y, without the square": {"dX": lambda v, right, dy: dy * (1 - right["Y"])}},
    derivations=(
        Derivation(
            "dX[n,d]",
            (
                "4 * dY[n,d] / (exp(X[n,d]) + exp(-X[n,d]))**2",
                "the quotient rule; squares cancel",
            ),
            ("dY[n,d] * (1 - tanh(X[n,d])**2)", "divide numerator and denominator"),
            ("dY[n,d] * (1 - Y[n,d]**2)", "the definition of Y"),
        ),
    ),
)
