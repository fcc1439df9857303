"""Max pooling with dilation."""

import numpy as np

import nn_tutorial as nt

from ..samples import POOLED, geometry, pooled
from ..theory import Theory, Values, equations

PLACE = "s*i+k*u-p,r*j+l*v-q"


def sample(rng: np.random.Generator, i: int) -> Values:
    """Images, how the window moves, and its dilation k down and l across."""
    values = pooled(rng, i)
    h, w = values["X"].shape[2:]
    k = min(2 + i % 2, (h + 2 * values["p"] - 1) // max(1, values["U"] - 1))
    return values | {"k": k, "l": min(2, (w + 2 * values["q"] - 1) // max(1, values["V"] - 1))}


def output(values: Values) -> tuple[int, ...]:
    """The shape of the output."""
    n, c, h, w = values["X"].shape
    down = (h + 2 * values["p"] - values["k"] * (values["U"] - 1) - 1) // values["s"] + 1
    across = (w + 2 * values["q"] - values["l"] * (values["V"] - 1) - 1) // values["r"] + 1
    return n, c, down, across


THEORY = Theory(
    name="max_pool2d_dilated",
    shapes={"X": "N×C×H×W", "Y": "N×C×I×J"},
    sample=sample,
    rules={
        "a dilation above 1, another down than across":
            lambda samples: any(v["k"] > 1 and v["l"] > 1 and v["k"] != v["l"] for v in samples),
        "padding, another down than across": POOLED["padding, another down than across"],
        "ties within windows":
            lambda samples: any(len(np.unique(v["X"])) <= v["U"] * v["V"] for v in samples),
    },
    forward=equations(f"Y[n,c,i,j] = max[u,v](X[n,c,{PLACE}])"),
    # F is where in its window, counted in reading order, the maximum is met first.
    backward=equations(
        f"F[n,c,i,j] = U*V - max[u,v]((X[n,c,{PLACE}] == Y[n,c,i,j]) * (U*V - V*u - v))",
        "dX[n,c,a,e] = sum[i,j,u,v](dY[n,c,i,j] * (V*u + v == F[n,c,i,j]) "
        "* (a == s*i+k*u-p) * (e == r*j+l*v-q))",
    ),
    output=output,
    pair=(nt.max_pool2d, nt.max_pool2d_backward),
    arguments=lambda v: {"x": v["X"], "kernel_size": (v["U"], v["V"])}
    | {"dilation": (v["k"], v["l"])}
    | geometry(v),
    layer=nt.MaxPool2d,
    settings=lambda v: {"kernel_size": (v["U"], v["V"]), "dilation": (v["k"], v["l"])}
    | geometry(v),
    wrong={"not to the winner alone": {"dX": lambda v, right, dy: right["dX"] + dy.mean()}},
)  # fmt: skip
