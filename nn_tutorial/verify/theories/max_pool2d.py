"""Max pooling."""

from typing import Any

import nn_tutorial as nt

from ..equations import Equation
from ..samples import IN_WINDOW, NO_GEOMETRY, PLACE, POOLED, geometry, pooled, windows
from ..theory import Theory, Values, equations
from .avg_pool2d import THEORY as AVERAGE


def to_all(values: Values, right: Values, dy: Any) -> Any:
    """The whole gradient given to every pixel of a window."""
    return AVERAGE.package(values, dy)["dX"] * values["U"] * values["V"]


def to_ties(values: Values, right: Values, dy: Any) -> Any:
    """The whole gradient given to every pixel that equals the maximum."""
    line = f"dX[n,c,a,e] = sum[i,j](dY[n,c,i,j] * (X[n,c,a,e] == Y[n,c,i,j]) * {IN_WINDOW})"
    return Equation(line)(values | {"Y": right["Y"], "dY": dy}, shape=values["X"].shape)


THEORY = Theory(
    name="max_pool2d",
    shapes={"X": "N×C×H×W", "Y": "N×C×I×J"},
    sample=pooled,
    rules=POOLED,
    forward=equations(f"Y[n,c,i,j] = max[u,v](X[n,c,{PLACE}])"),
    # F is where in its window, counted in reading order, the maximum is met first.
    backward=equations(
        f"F[n,c,i,j] = U*V - max[u,v]((X[n,c,{PLACE}] == Y[n,c,i,j]) * (U*V - V*u - v))",
        "dX[n,c,a,e] = sum[i,j](dY[n,c,i,j] * (V*(a-s*i+p) + e-r*j+q == F[n,c,i,j]) "
        "* (e >= r*j-q) * (e < r*j-q+V))",
    ),
    output=lambda v: (*v["X"].shape[:2], *windows(v)),
    pair=(nt.max_pool2d, nt.max_pool2d_backward),
    arguments=lambda v: {"x": v["X"], "kernel_size": (v["U"], v["V"])} | geometry(v),
    layer=nt.MaxPool2d,
    settings=lambda v: {"kernel_size": (v["U"], v["V"])} | geometry(v),
    refused=NO_GEOMETRY,
    wrong={
        "to all pixels of a window": {"dX": to_all},
        "to all tied maxima": {"dX": to_ties},
    },
)
