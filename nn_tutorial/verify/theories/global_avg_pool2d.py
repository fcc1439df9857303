"""Average pooling over the whole image."""

import nn_tutorial as nt

from ..samples import window
from ..theory import Theory, equations

THEORY = Theory(
    name="global_avg_pool2d",
    shapes={"X": "N×C×H×W", "Y": "N×C×I×J"},
    sample=lambda rng, i: {"X": window(rng, i)["X"]},
    rules={"another height than width": lambda samples: any(
        v["X"].shape[2] != v["X"].shape[3] for v in samples)},
    forward=equations("Y[n,c,i,j] = mean[a,e](X[n,c,a,e])"),
    backward=equations("dX[n,c,a,e] = sum[i,j](dY[n,c,i,j]) / (A*E)"),
    output=lambda v: (*v["X"].shape[:2], 1, 1),
    pair=(nt.avg_pool2d, nt.avg_pool2d_backward),
    arguments=lambda v: {"x": v["X"], "kernel_size": v["X"].shape[2:]},
    layer=nt.GlobalAvgPool2d,
    same={
        "Y[n, c, i, j] = mean[a, e](X[n, c, e, a])": "a and e are names; the mean runs over both",
        "dX[n, c, a, e] = max[i, j](dY[n, c, i, j]) / (A * E)": "there is one output per channel",
        "dX[n, c, a, e] = mean[i, j](dY[n, c, i, j]) / (A * E)": "there is one output per channel",
        "dX[n, c, a, e] = sum[i, j](dY[n, c, j, i]) / (A * E)": "there is one output per channel",
    },
    wrong={"not divided": {"dX": lambda v, right, dy: right["dX"] * v["X"][0, 0].size}},
)  # fmt: skip
