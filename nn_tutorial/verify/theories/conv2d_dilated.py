"""The convolution with dilation and groups."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..samples import MOVING, geometry
from ..theory import Theory, Values, equations

# x, filters, kernel, stride, padding, dilation, groups
SHAPES = [
    ((2, 6, 7, 9), 4, (3, 2), (1, 1), (0, 1), (1, 2), 2),
    ((3, 2, 9, 5), 4, (2, 3), (2, 1), (1, 0), (3, 1), 2),
    ((1, 3, 7, 8), 3, (3, 2), (1, 2), (1, 1), (2, 3), 3),
    ((2, 4, 5, 7), 6, (2, 3), (3, 2), (0, 2), (2, 2), 2),
    ((3, 2, 5, 7), 3, (3, 3), (2, 3), (2, 1), (2, 2), 1),
    ((2, 6, 5, 3), 3, (1, 2), (1, 1), (0, 0), (1, 2), 3),
]
# The pixel that a place (u, v) meets; k and l are the dilation down and across.
PLACE = "s*i+k*u-p,r*j+l*v-q"


def sample(rng: np.random.Generator, i: int) -> Values:
    """Images, filters, how the window moves, and g: the group of each filter."""
    shape, filters, (kh, kw), (s, r), (p, q), (k, ell), groups = SHAPES[i]
    draw, channels = rng.standard_normal, shape[1] // groups
    return {
        "X": draw(shape), "W": draw((filters, channels, kh, kw)), "b": draw(filters),
        "s": s, "r": r, "p": p, "q": q, "k": k, "l": ell, "U": kh, "V": kw,
        "D": channels, "g": np.repeat(np.arange(groups), filters // groups),
    }  # fmt: skip


def more(values: Values) -> dict[str, Any]:
    """Stride, padding, dilation and groups."""
    apart = {"dilation": (values["k"], values["l"]), "groups": int(values["g"].max()) + 1}
    return geometry(values) | apart


def settings(values: Values) -> dict[str, Any]:
    """What `Conv2d` is made with."""
    filters, _, *kernel = values["W"].shape
    sizes = {"in_channels": values["X"].shape[1], "out_channels": filters}
    return sizes | {"kernel_size": tuple(kernel)} | more(values)


def output(values: Values) -> tuple[int, ...]:
    """The shape of the output."""
    (n, _, h, w), (kh, kw) = values["X"].shape, (values["U"], values["V"])
    down = (h + 2 * values["p"] - values["k"] * (kh - 1) - 1) // values["s"] + 1
    across = (w + 2 * values["q"] - values["l"] * (kw - 1) - 1) // values["r"] + 1
    return n, len(values["b"]), down, across


THEORY = Theory(
    name="conv2d_dilated",
    shapes={"X": "N×C×H×W", "W": "F×D×U×V", "b": "F", "Y": "N×F×I×J"},
    sample=sample,
    rules={name: MOVING[name] for name in MOVING if "no window reaches" not in name}
    | {
        "a dilation above 1, another down than across":
            lambda samples: any(v["k"] > 1 and v["l"] > 1 and v["k"] != v["l"] for v in samples),
        "groups of several channels and of several filters":
            lambda samples: any(
                v["D"] > 1 and max(v["g"]) > 0 and len(v["g"]) > max(v["g"]) + 1 for v in samples
            ),
        "one group":
            lambda samples: any(max(v["g"]) == 0 for v in samples),
    },
    forward=equations(f"Y[n,f,i,j] = sum[c,u,v](X[n,D*g[f]+c,{PLACE}] * W[f,c,u,v]) + b[f]"),
    backward=equations(
        "dX[n,m,a,e] = sum[f,c,i,j,u,v](dY[n,f,i,j] * W[f,c,u,v] * (m == D*g[f]+c) "
        "* (a == s*i+k*u-p) * (e == r*j+l*v-q))",
        f"dW[f,c,u,v] = sum[n,i,j](dY[n,f,i,j] * X[n,D*g[f]+c,{PLACE}])",
        "db[f] = sum[n,i,j](dY[n,f,i,j])",
    ),
    output=output,
    inputs=("X", "W", "b"),
    pair=(nt.conv2d, nt.conv2d_backward),
    arguments=lambda v: {"x": v["X"], "weight": v["W"], "bias": v["b"]} | more(v),
    layer=nt.Conv2d,
    settings=settings,
    wrong={"weight gradient is the mean": {"dW": lambda v, right, dy: right["dW"] / len(dy)}},
    same={"db[f] = sum[n, i, j](dY[n, f, j, i])": "i and j are names; both are summed over"},
)  # fmt: skip
