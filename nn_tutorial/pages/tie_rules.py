"""A maximum pooling that can break ties in several ways, for the chapters that compare them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.layer import Grads, Layer
from ..layers.pooling import max_pool2d

Array = NDArray[Any]
TIE_RULES = ["first", "last", "even shares", "to all"]


def blocks(x: Array) -> Array:
    """(N, C, H, W) to (N, C, H/2, W/2, 4): windows of 2×2, each in reading order."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).swapaxes(3, 4).reshape(n, c, h // 2, w // 2, 4)


def tie_weights(windows: Array, rule: str) -> Array:
    """Which share of its window's gradient each of four pixels gets."""
    largest: NDArray[np.bool] = windows == windows.max(-1, keepdims=True)
    if rule == "first":
        return largest & (largest.cumsum(-1) == 1)
    if rule == "last":
        return tie_weights(windows[..., ::-1], "first")[..., ::-1]
    return largest / largest.sum(-1, keepdims=True) if rule == "even shares" else largest


class TiePool(Layer):
    """A 2×2 maximum with a tie rule of your choice."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Array]:
        return max_pool2d(x, 2)[0], x

    def backward(self, dy: Array, x: Array, *, need_dx: bool = True) -> tuple[Array, Grads]:
        n, c, h, w = x.shape
        d = dy[..., None] * tie_weights(blocks(x), self.rule).astype(x.dtype)
        return d.reshape(n, c, h // 2, w // 2, 2, 2).swapaxes(3, 4).reshape(x.shape), {}
