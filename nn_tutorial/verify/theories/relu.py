"""ReLU."""

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import APART, like, matrix
from ..theory import Theory, equations

THEORY = Theory(
    name="relu",
    shapes={"X": "N×D"},
    sample=matrix,
    rules=APART
    | {
        "inputs at exactly 0, where the rule is a choice": lambda samples: all(
            (v["X"] == 0).any() for v in samples
        )
    },
    forward=equations("Y[n,d] = X[n,d] * (X[n,d] > 0)"),
    backward=equations("dX[n,d] = dY[n,d] * (X[n,d] > 0)"),
    output=like("X"),
    pair=(nt.relu, nt.relu_backward),
    arguments=lambda v: {"x": v["X"]},
    layer=nt.ReLU,
    other_shapes={"images": {"X": (2, 3, 13, 17)}},
    wrong={
        "mask from the output, with >=": {"dX": lambda v, right, dy: dy * (right["Y"] >= 0)},
        "mask from the upstream gradient": {"dX": lambda v, right, dy: dy * (dy > 0)},
        "no mask": {"dX": lambda v, right, dy: dy},
    },
    derivations=(
        Derivation(
            "dX[n,d]",
            (
                "sum[m,k](dY[m,k] * (m == n) * (k == d) * (X[n,d] > 0))",
                "the chain rule; an output depends on its own input alone",
            ),
            ("dY[n,d] * (X[n,d] > 0)", "the Kronecker deltas keep m = n and k = d"),
        ),
    ),
    same={
        "Y[n, d] = X[n, d] * (X[n, d] >= 0)": "at X = 0 the product is 0 either way",
        "dX[n, d] = sum[m, k](dY[m, k] * (m == n) * (k == d) * (X[m, d] > 0))": (
            "the delta makes m = n"
        ),
        "dX[n, d] = sum[m, k](dY[m, k] * (m == n) * (k == d) * (X[n, k] > 0))": (
            "the delta makes k = d"
        ),
    },
)
