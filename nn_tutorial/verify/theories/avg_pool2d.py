"""Average pooling."""

import nn_tutorial as nt

from ..equations import Derivation
from ..samples import IN_WINDOW, NO_GEOMETRY, PLACE, POOLED, geometry, pooled, windows
from ..theory import Theory, equations

THEORY = Theory(
    name="avg_pool2d",
    shapes={"X": "N×C×H×W", "Y": "N×C×I×J"},
    sample=pooled,
    rules=POOLED,
    forward=equations(f"Y[n,c,i,j] = mean[u,v](X[n,c,{PLACE}])"),
    backward=equations(f"dX[n,c,a,e] = sum[i,j](dY[n,c,i,j] * {IN_WINDOW}) / (U*V)"),
    output=lambda v: (*v["X"].shape[:2], *windows(v)),
    pair=(nt.avg_pool2d, nt.avg_pool2d_backward),
    arguments=lambda v: {"x": v["X"], "kernel_size": (v["U"], v["V"])} | geometry(v),
    layer=nt.AvgPool2d,
    settings=lambda v: {"kernel_size": (v["U"], v["V"])} | geometry(v),
    refused=NO_GEOMETRY | {"count_include_pad": (1, "yes")},
    wrong={"not divided": {"dX": lambda v, right, dy: right["dX"] * (v["U"] * v["V"])}},
    derivations=(
        Derivation(
            "dX[n,c,a,e]",
            (
                "sum[i,j,u,v](dY[n,c,i,j] / (U*V) * (a == s*i+u-p) * (e == r*j+v-q))",
                "the chain rule: each output weighs its pixels alike",
            ),
            (
                f"sum[i,j](dY[n,c,i,j] * {IN_WINDOW}) / (U*V)",
                "summed over u and v, the deltas ask whether the pixel is in the window",
            ),
        ),
    ),
)
