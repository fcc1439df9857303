"""Cross-entropy of probabilities."""

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import LABELLED, NO_LABELS, classes, number
from ..theory import Theory, equations

THEORY = Theory(
    name="cross_entropy",
    shapes={"P": "N×K", "t": "N"},
    sample=classes,
    rules=LABELLED,
    forward=equations("L = -mean[n](log(P[n,t[n]]))"),
    backward=equations("dP[n,k] = -dL * (k == t[n]) / (N * P[n,k])"),
    output=number,
    inputs=("P",),
    pair=(nt.cross_entropy, nt.cross_entropy_backward),
    arguments=lambda v: {"probabilities": v["P"], "labels": v["t"]},
    refused={"labels": NO_LABELS},
    wrong={"no division by N": {"dP": lambda v, right, dy: right["dP"] * len(v["t"])}},
    derivations=(
        Derivation(
            "dP[n,k]",
            (
                "-dL / N * sum[m]((m == n) * (k == t[m]) / P[m,k])",
                "the slope of the logarithm, for the one element that L reads",
            ),
            ("-dL * (k == t[n]) / (N * P[n,k])", "the Kronecker delta keeps m = n"),
        ),
    ),
    same={
        "dP[n, k] = -dL / N * sum[m]((m == n) * (k == t[m]) / P[n, k])": "the delta makes m = n",
        "dP[n, k] = -dL / N * sum[m]((m == n) * (k == t[n]) / P[m, k])": "the delta makes m = n",
        "dP[n, k] = -dL / N * max[m]((m == n) * (k == t[m]) / P[m, k])": (
            "one term is positive at most, and the others are 0"
        ),
    },
)
