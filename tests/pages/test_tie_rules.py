"""The tie rules that two chapters compare: who gets what, and which of them is the library's."""

import numpy as np
import pytest

from nn_tutorial import max_pool2d, max_pool2d_backward
from nn_tutorial.pages.tie_rules import TIE_RULES, TiePool, blocks

X = np.random.default_rng(0).integers(0, 3, (2, 3, 4, 6)).astype(np.float32)
DY = np.random.default_rng(1).integers(1, 9, (2, 3, 2, 3)).astype(np.float32)


def test_blocks_are_windows_in_reading_order() -> None:
    image = np.arange(16.0).reshape(1, 1, 4, 4)
    assert blocks(image)[0, 0, 1, 0].tolist() == [8, 9, 12, 13]


@pytest.mark.parametrize(
    ("rule", "shares"),
    [("first", [0, 6, 0, 0]), ("last", [0, 0, 0, 6]), ("even shares", [0, 2, 2, 2]),
     ("to all", [0, 6, 6, 6])],
)  # fmt: skip
def test_who_gets_what(rule: str, shares: list[int]) -> None:
    tied = np.array([[[[0.0, 7.0], [7.0, 7.0]]]])
    layer = TiePool(rule)
    y, cache = layer.forward(tied)
    assert y.item() == 7
    assert layer.backward(np.full((1, 1, 1, 1), 6.0), cache)[0].ravel().tolist() == shares


@pytest.mark.parametrize("rule", TIE_RULES)
def test_without_ties_they_are_one(rule: str) -> None:
    x = np.random.default_rng(0).permutation(X.size).reshape(X.shape).astype(np.float32)
    dx, grads = TiePool(rule).backward(DY, x)
    assert grads == {}
    assert dx.dtype == np.float32
    assert (dx == max_pool2d_backward(DY, max_pool2d(x, 2)[1])).all()


def test_the_first_is_the_librarys() -> None:
    expected = max_pool2d_backward(DY, max_pool2d(X, 2)[1])
    assert (TiePool("first").backward(DY, X)[0] == expected).all()
    assert (TiePool("last").backward(DY, X)[0] != expected).any()
