"""The convolution."""

from collections.abc import Callable
from typing import Any

import numpy as np

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import MOVING, NO_BIAS, NO_GEOMETRY, PLACE, geometry, window, windows
from ..theory import Theory, Values, equations


def arguments(values: Values) -> dict[str, Any]:
    """What `conv2d` is given."""
    return {"x": values["X"], "weight": values["W"], "bias": values["b"]} | geometry(values)


def settings(values: Values) -> dict[str, Any]:
    """What `Conv2d` is made with."""
    filters, channels, *kernel = values["W"].shape
    sizes = {"in_channels": channels, "out_channels": filters, "kernel_size": tuple(kernel)}
    return sizes | geometry(values)


def dx(values: Values, dy: Any, change: Callable[[Any], Any]) -> Any:
    """The gradient of the input that belongs to other filters."""
    weight = np.ascontiguousarray(change(values["W"]))
    _, cache = nt.conv2d(**arguments(values | {"W": weight}))
    return nt.conv2d_backward(dy, cache)[0]


THEORY = Theory(
    name="conv2d",
    shapes={"X": "N×C×H×W", "W": "F×C×U×V", "b": "F", "Y": "N×F×I×J"},
    sample=window,
    rules=MOVING,
    forward=equations(f"Y[n,f,i,j] = sum[c,u,v](X[n,c,{PLACE}] * W[f,c,u,v]) + b[f]"),
    backward=equations(
        "dX[n,c,a,e] = sum[f,i,j,u,v](dY[n,f,i,j] * W[f,c,u,v] * (a == s*i+u-p) * (e == r*j+v-q))",
        f"dW[f,c,u,v] = sum[n,i,j](dY[n,f,i,j] * X[n,c,{PLACE}])",
        "db[f] = sum[n,i,j](dY[n,f,i,j])",
    ),
    output=lambda v: (len(v["X"]), len(v["b"]), *windows(v)),
    inputs=("X", "W", "b"),
    pair=(nt.conv2d, nt.conv2d_backward),
    arguments=arguments,
    layer=nt.Conv2d,
    settings=settings,
    refused={"in_channels": (0, -1), "out_channels": (0, -1), "bias": NO_BIAS, "groups": (0, 1.5)}
    | NO_GEOMETRY,
    wrong={
        "kernel flipped": {"dX": lambda v, right, dy: dx(v, dy, lambda w: w[:, :, ::-1, ::-1])},
        "kernel upside down": {"dX": lambda v, right, dy: dx(v, dy, lambda w: w[:, :, ::-1])},
        "bias gradient not summed over the batch": {
            "db": lambda v, right, dy: dy[0].sum((1, 2)),
        },
        "weight gradient is the mean": {"dW": lambda v, right, dy: right["dW"] / len(dy)},
    },
    derivations=(
        Derivation(
            "dW[f,c,u,v]",
            (
                f"sum[n,g,i,j](dY[n,g,i,j] * (g == f) * X[n,c,{PLACE}])",
                "the chain rule: a weight meets one pixel for each output of its filter",
            ),
            (f"sum[n,i,j](dY[n,f,i,j] * X[n,c,{PLACE}])", "the delta keeps g = f"),
        ),
    ),
    einsum={"db": ("nfij->f", "dY")},
    same={
        "db[f] = sum[n, i, j](dY[n, f, j, i])": "i and j are names; both are summed over",
    },
)
