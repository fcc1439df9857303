"""Average pooling that counts the image's pixels alone."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..samples import IN_WINDOW, PLACE, POOLED, geometry, pooled, windows
from ..theory import Theory, Values, equations
from .avg_pool2d import THEORY as AVERAGE


def padded_counted(values: Values, right: Values, dy: Any) -> Any:
    """The gradient of the default, in which every window counts all its pixels."""
    return AVERAGE.package(values, dy)["dX"]


def sample(rng: np.random.Generator, i: int) -> Values:
    """Images, how the window moves, and a pixel for each of an image's, to be counted."""
    values = pooled(rng, i)
    if i == 1:  # so that a window is cut off below as well, at a stride above 1
        values["X"] = values["X"][:, :, :2]
    return values | {"O": np.ones(values["X"].shape[2:])}


THEORY = Theory(
    name="avg_pool2d_inside",
    shapes={"X": "N×C×H×W", "O": "H×W", "Y": "N×C×I×J"},
    sample=sample,
    rules=POOLED,
    forward=equations(f"Y[n,c,i,j] = sum[u,v](X[n,c,{PLACE}]) / sum[u,v](O[{PLACE}])"),
    backward=equations(f"dX[n,c,a,e] = sum[i,j](dY[n,c,i,j] / sum[u,v](O[{PLACE}]) * {IN_WINDOW})"),
    output=lambda v: (*v["X"].shape[:2], *windows(v)),
    pair=(nt.avg_pool2d, nt.avg_pool2d_backward),
    arguments=lambda v: (
        {"x": v["X"], "kernel_size": (v["U"], v["V"]), "count_include_pad": False} | geometry(v)
    ),
    layer=nt.AvgPool2d,
    settings=lambda v: {"kernel_size": (v["U"], v["V"]), "count_include_pad": False} | geometry(v),
    wrong={
        "the padding counted": {"dX": padded_counted},
    },
)
