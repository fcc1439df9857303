"""Pooling: windows that overlap, touch, leave gaps and drop pixels; tied and untied images."""

from typing import Any

import numpy as np

from nn_tutorial import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_loops,
)


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    example = np.array([[1.0, 3, 0, 5], [6, 2, 8, 3], [1, 9, 7, 2], [4, 6, 0, -1]])
    images = [example, np.zeros((4, 4)), np.array([[-0.0, 0.0, -1.0], [0.0, -0.0, -2.0]])]
    for shape in ((4, 4), (5, 7), (6, 2)):
        images += [rng.standard_normal(shape), rng.integers(-2, 1, shape).astype(float)]
    found: list[tuple[str, list[Any], Any]] = []
    for image in images:
        for kernel in range(1, min(4, *image.shape) + 1):
            for stride in (1, 2, 3):
                found += _of(rng, image, kernel, stride)
    return found


def _of(
    rng: np.random.Generator, image: np.ndarray, kernel: int, stride: int
) -> list[tuple[str, list[Any], Any]]:
    x, size = image[None, None], list(image.shape)
    y, cache = max_pool2d(x, kernel, stride=stride)
    won = max_pool2d_loops(x, kernel, stride=stride)[1].winners[0][0, 0]
    mean, mean_cache = avg_pool2d(x, kernel, stride=stride)
    dy = rng.standard_normal(y.shape)
    geometry = [kernel, stride]
    return [
        ("winners", [image, *geometry], won),
        ("maxPool", [image, *geometry], y[0, 0]),
        ("maxPoolBackward", [dy[0, 0], won, *size], max_pool2d_backward(dy, cache)[0, 0]),
        ("avgPool", [image, *geometry], mean[0, 0]),
        (
            "avgPoolBackward",
            [dy[0, 0], *geometry, *size],
            avg_pool2d_backward(dy, mean_cache)[0, 0],
        ),
    ]
