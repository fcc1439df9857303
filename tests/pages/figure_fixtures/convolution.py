"""Convolution of one image with one filter: sizes that differ, strides, padding, weights of 0."""

from typing import Any

import numpy as np

from nn_tutorial import conv2d, conv2d_backward

EXAMPLE = ((3, 3), (2, 2))


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    found: list[tuple[str, list[Any], Any]] = []
    for size, kernel in (EXAMPLE, ((5, 4), (3, 2)), ((1, 6), (1, 3)), ((4, 4), (4, 4))):
        for stride, padding in np.ndindex(3, 3):
            shape = {"stride": stride + 1, "padding": padding}
            x, weight = rng.standard_normal(size), rng.standard_normal(kernel)
            weight[0, 0] = 0.0  # a window with this weight has seen the pixel all the same
            found += _calls(rng, x, weight, rng.standard_normal(), shape)
    x = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 1.0, 1.0]])
    weight = np.array([[1.0, 0.0], [2.0, -1.0]])
    return found + _calls(rng, x, weight, 1.0, {"stride": 1, "padding": 0})


def _calls(rng: Any, x: Any, weight: Any, bias: float, shape: Any) -> list[Any]:
    def forward(w: Any, b: float = 0.0) -> Any:
        return conv2d(x[None, None], w[None, None], np.array([b]), **shape)

    out, cache = forward(weight, bias)
    y = out[0, 0]
    dy = rng.standard_normal(y.shape)
    dx = conv2d_backward(dy[None, None], cache)[0][0, 0]
    places = list(np.ndindex(*weight.shape))
    # With a kernel that is 1 at one place and 0 elsewhere, an output is the pixel met there.
    met = [forward(_one(weight.shape, place))[0][0, 0] for place in places]
    # A gradient of 1 at one output brings each pixel the weight with which that output saw it.
    _, ones = forward(np.ones(weight.shape))
    seen = {
        ij: [conv2d_backward(_one(y.shape, ij)[None, None], c)[0][0, 0] for c in (cache, ones)]
        for ij in np.ndindex(*y.shape)
    }
    found: list[Any] = [("conv2d", [x, weight, bias, shape], y)]
    found.append(("conv2dBackward", [dy, weight, *x.shape, shape], dx))
    for n, k, count in zip(x.shape, weight.shape, y.shape, strict=True):
        found.append(("outputs", [n, k, shape], count))
    for i, j in np.ndindex(*y.shape):
        pairs = [[weight[place], m[i, j]] for place, m in zip(places, met, strict=True)]
        found.append(("products", [x, weight, i, j, shape], pairs))
    for a, e in np.ndindex(*x.shape):
        windows = [
            {"i": i, "j": j, "weight": w[a, e], "upstream": dy[i, j]}
            for (i, j), (w, one) in seen.items()
            if one[a, e]
        ]
        found.append(("seenBy", [weight, a, e, dy, shape], windows))
    return found


def _one(shape: Any, place: Any) -> Any:
    array = np.zeros(shape)
    array[place] = 1.0
    return array
