"""A network of two layers with its loss: a hidden layer with ReLU, and the fused cross-entropy."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import APART, MATRICES, Rule, number
from ..theory import Theory, Values, equations

CLASSES = 13


def sample(rng: np.random.Generator, i: int) -> Values:
    """Inputs, the parameters of both layers, and labels."""
    n, d, m = MATRICES[i]
    draw = rng.standard_normal
    values = {
        "X": draw((n, d)), "W1": draw((d, m)), "b1": draw(m),
        "W2": draw((m, CLASSES)), "b2": draw(CLASSES), "t": rng.integers(0, CLASSES, n),
    }  # fmt: skip
    if i == 0:
        values["W1"][:, 0], values["b1"][0] = 0.0, 0.0
    return values


def two_layer_net(
    x: Any, weight1: Any, bias1: Any, weight2: Any, bias2: Any, labels: Any
) -> tuple[float, Values]:
    """The loss, and all that is computed on the way."""
    a, first = nt.linear(x, weight1, bias1)
    r, mask = nt.relu(a)
    z, second = nt.linear(r, weight2, bias2)
    loss, dz = nt.softmax_cross_entropy(z, labels)
    return loss, {"A": a, "R": r, "Z": z, "dZ": dz, "caches": (first, mask, second)}


def backward(dy: float, cache: Values) -> Values:
    """All gradients, of the hidden values too."""
    first, mask, second = cache["caches"]
    dz = dy * cache["dZ"]
    dr, dw2, db2 = nt.linear_backward(dz, second)
    da = nt.relu_backward(np.asarray(dr), mask)
    dx, dw1, db1 = nt.linear_backward(da, first)
    return {
        "dZ": dz, "dW2": dw2, "db2": db2, "dR": dr, "dA": da, "dX": dx, "dW1": dw1, "db1": db1,
    }  # fmt: skip


def _hidden(values: Values) -> Any:
    return values["X"] @ values["W1"] + values["b1"]


RULES: dict[str, Rule] = APART | {
    "a hidden unit at exactly 0: the equation says what happens there":
        lambda samples: any((_hidden(v) == 0).any() for v in samples),
    "hidden units that are on, and others that are off":
        lambda samples: any((_hidden(v) > 0).any() and (_hidden(v) < 0).any() for v in samples),
}  # fmt: skip

THEORY = Theory(
    name="two_layer_net",
    shapes={"X": "N×D", "W1": "D×M", "b1": "M", "W2": "M×K", "b2": "K", "t": "N"},
    sample=sample,
    rules=RULES,
    forward=equations(
        "A[n,m] = sum[i](X[n,i] * W1[i,m]) + b1[m]",
        "R[n,m] = A[n,m] * (A[n,m] > 0)",
        "Z[n,k] = sum[m](R[n,m] * W2[m,k]) + b2[k]",
        "L = mean[n](log(sum[j](exp(Z[n,j]))) - Z[n,t[n]])",
    ),
    backward=equations(
        "P[n,k] = exp(Z[n,k]) / sum[j](exp(Z[n,j]))",
        "dZ[n,k] = dL * (P[n,k] - (k == t[n])) / N",
        "dW2[m,k] = sum[n](R[n,m] * dZ[n,k])",
        "db2[k] = sum[n](dZ[n,k])",
        "dR[n,m] = sum[k](dZ[n,k] * W2[m,k])",
        "dA[n,m] = dR[n,m] * (A[n,m] > 0)",
        "dW1[i,m] = sum[n](X[n,i] * dA[n,m])",
        "db1[m] = sum[n](dA[n,m])",
        "dX[n,i] = sum[m](dA[n,m] * W1[i,m])",
    ),
    output=number,
    inputs=("X", "W1", "b1", "W2", "b2"),
    pair=(two_layer_net, backward),
    arguments=lambda v: {
        "x": v["X"], "weight1": v["W1"], "bias1": v["b1"],
        "weight2": v["W2"], "bias2": v["b2"], "labels": v["t"],
    },
    cached=lambda cache: {name: cache[name] for name in "ARZ"},
    wrong={
        "mask forgotten": {"dA": lambda v, right, dy: right["dR"]},
        "no division by N": {"dZ": lambda v, right, dy: right["dZ"] * len(v["t"])},
    },
    derivations=(
        Derivation(
            "dW1[i,m]",
            (
                "sum[n](X[n,i] * (A[n,m] > 0) * sum[k](dL * (P[n,k] - (k == t[n])) / N "
                "* W2[m,k]))",
                "all the way back: loss, second layer, mask, first layer",
            ),
            (
                "sum[n](X[n,i] * (A[n,m] > 0) * sum[k](dZ[n,k] * W2[m,k]))",
                "the gradient of the fused loss",
            ),
            ("sum[n](X[n,i] * (A[n,m] > 0) * dR[n,m])", "the second layer's input"),
            ("sum[n](X[n,i] * dA[n,m])", "the mask"),
        ),
    ),
    same={
        "R[n, m] = A[n, m] * (A[n, m] >= 0)": "at A = 0 the product is 0 either way",
    },
)  # fmt: skip
