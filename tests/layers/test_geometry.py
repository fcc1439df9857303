"""Convolution, pooling and batch norm over many shapes, strides and memory orders."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional

import nn_tutorial as nt

Pair = tuple[int, int]


def _as_c(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a)


def _as_fortran(a: np.ndarray) -> np.ndarray:
    return np.asfortranarray(a)


def _batch_last(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)


def _channels_last(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def _slice_of_larger(a: np.ndarray) -> np.ndarray:
    larger = np.full([2 * s + 1 for s in a.shape], np.nan)
    view = larger[tuple(slice(1, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def _negative_strides(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a[::-1, ::-1, ::-1, ::-1])[::-1, ::-1, ::-1, ::-1]


ORDERS = st.sampled_from(
    [_as_c, _as_fortran, _batch_last, _channels_last, _slice_of_larger, _negative_strides]
)


def frozen(a: np.ndarray) -> np.ndarray:
    a.flags.writeable = False
    return a


@dataclass(frozen=True)
class Geometry:
    """One drawn case; ``x`` and ``dy`` arrive in a drawn memory order and read-only."""

    shape: tuple[int, int, int, int]
    filters: int
    kernel: Pair
    stride: Pair
    padding: Pair
    seed: int
    order_x: Callable[[np.ndarray], np.ndarray]
    order_dy: Callable[[np.ndarray], np.ndarray]


@st.composite
def geometries(draw, *, pooling: bool = False) -> Geometry:
    def both(low: int, high: int) -> Pair:
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    kernel, stride = both(1, 4), both(1, 5)
    most = (kernel[0] // 2, kernel[1] // 2) if pooling else (3, 3)
    padding = draw(st.tuples(st.integers(0, most[0]), st.integers(0, most[1])))
    size = tuple(
        draw(st.integers(max(1, k - 2 * p), k + 7)) for k, p in zip(kernel, padding, strict=True)
    )
    return Geometry(
        shape=(draw(st.integers(1, 3)), draw(st.integers(1, 3)), *size),
        filters=draw(st.integers(1, 3)),
        kernel=kernel,
        stride=stride,
        padding=padding,
        seed=draw(st.integers(0, 1000)),
        order_x=draw(ORDERS),
        order_dy=draw(ORDERS),
    )


def closely(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@given(geometries())
def test_convolutions_are_equal(g: Geometry) -> None:
    """The fast one, the matrix product and the loops, forward and backward, and PyTorch's."""
    rng = np.random.default_rng(g.seed)
    x = frozen(g.order_x(rng.normal(size=g.shape)))
    weight = frozen(g.order_dy(rng.normal(size=(g.filters, g.shape[1], *g.kernel))))
    bias = frozen(rng.normal(size=g.filters))
    tensors = [torch.tensor(a.copy(), requires_grad=True) for a in (x, weight, bias)]
    expected = functional.conv2d(*tensors, stride=g.stride, padding=g.padding)
    dy = frozen(g.order_dy(rng.normal(size=tuple(expected.shape))))
    expected.backward(torch.tensor(dy.copy()))
    for forward, backward in (
        (nt.conv2d, nt.conv2d_backward),
        (nt.conv2d_im2col, nt.conv2d_im2col_backward),
        (nt.conv2d_loops, nt.conv2d_loops_backward),
    ):
        y, cache = forward(x, weight, bias, stride=g.stride, padding=g.padding)
        closely(y, expected.detach().numpy())
        for ours, theirs in zip(backward(dy, cache), tensors, strict=True):
            closely(ours, theirs.grad.numpy())
    dx, dweight, dbias = nt.conv2d_backward(
        dy, nt.conv2d(x, weight, bias, stride=g.stride, padding=g.padding)[1], need_dx=False
    )
    assert dx is None
    closely(dweight, tensors[1].grad.numpy())
    closely(dbias, tensors[2].grad.numpy())


MAX_POOLS = (
    (nt.max_pool2d, nt.max_pool2d_backward),
    (nt.max_pool2d_loops, nt.max_pool2d_loops_backward),
)
AVG_POOLS = (
    (nt.avg_pool2d, nt.avg_pool2d_backward),
    (nt.avg_pool2d_loops, nt.avg_pool2d_loops_backward),
)


def pools_like_torch(g: Geometry, x: np.ndarray, pools, twin) -> None:
    """Output and gradient, for the fast function and for the loops."""
    x = frozen(g.order_x(x))
    tensor = torch.tensor(x.copy(), requires_grad=True)
    expected = twin(tensor, g.kernel, stride=g.stride, padding=g.padding)
    rng = np.random.default_rng(g.seed + 1)
    dy = frozen(g.order_dy(rng.normal(size=tuple(expected.shape))))
    expected.backward(torch.tensor(dy.copy()))
    for forward, backward in pools:
        y, cache = forward(x, g.kernel, stride=g.stride, padding=g.padding)
        closely(y, expected.detach().numpy())
        closely(backward(dy, cache), tensor.grad.numpy())


@given(geometries(pooling=True))
def test_max_pool(g: Geometry) -> None:
    x = np.random.default_rng(g.seed).normal(size=g.shape)
    pools_like_torch(g, x, MAX_POOLS, functional.max_pool2d)


@given(geometries(pooling=True))
def test_max_pool_with_ties(g: Geometry) -> None:
    """Three values only: nearly every window has several largest, and the first in order wins."""
    x = np.random.default_rng(g.seed).integers(-1, 2, g.shape).astype(float)
    pools_like_torch(g, x, MAX_POOLS, functional.max_pool2d)


@given(geometries(pooling=True))
def test_max_pool_below_zero(g: Geometry) -> None:
    """All values far below 0, which is what a careless padding would hold."""
    x = np.random.default_rng(g.seed).normal(size=g.shape) - 100
    pools_like_torch(g, x, MAX_POOLS, functional.max_pool2d)


@given(geometries(pooling=True))
def test_max_pool_with_minus_infinity(g: Geometry) -> None:
    """A window of −∞ alone still has a winner, and it is a pixel, never the padding."""
    rng = np.random.default_rng(g.seed)
    x = np.where(rng.random(g.shape) < 0.7, -np.inf, rng.normal(size=g.shape))
    pools_like_torch(g, x, MAX_POOLS, functional.max_pool2d)


@given(geometries(pooling=True))
def test_avg_pool(g: Geometry) -> None:
    x = np.random.default_rng(g.seed).normal(size=g.shape)
    pools_like_torch(g, x, AVG_POOLS, functional.avg_pool2d)


@pytest.mark.parametrize(("pool", "backward"), MAX_POOLS, ids=["fast", "loops"])
def test_first_of_equals_wins(pool, backward) -> None:
    """The tie rule in the open: two windows of equals, the first in reading order has it all."""
    x = np.array([[[[1.0, 5.0, 5.0, 0.0], [5.0, 0.0, 5.0, 5.0]]]])
    _, cache = pool(x, 2)
    dx = backward(np.array([[[[3.0, 7.0]]]]), cache)
    np.testing.assert_array_equal(dx, [[[[0, 3, 7, 0], [0, 0, 0, 0]]]])


@pytest.mark.parametrize(("pool", "_"), MAX_POOLS, ids=["fast", "loops"])
def test_max_pool_keeps_nan(pool, _) -> None:
    x = np.zeros((1, 1, 2, 4))
    x[0, 0, 1, 0] = np.nan
    np.testing.assert_array_equal(pool(x, 2)[0], [[[[np.nan, 0]]]])


@given(
    st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)),
    st.booleans(),
    st.integers(0, 1000),
    ORDERS,
    ORDERS,
)
def test_batch_norm_of_images(shape, train: bool, seed: int, order_x, order_dy) -> None:
    """One image is a batch too, as long as each channel has two values."""
    assume(not train or shape[0] * shape[2] * shape[3] > 1)
    rng = np.random.default_rng(seed)
    x, dy = frozen(order_x(rng.normal(size=shape))), frozen(order_dy(rng.normal(size=shape)))
    weight, bias, mean = rng.normal(size=(3, shape[1]))
    var = rng.uniform(0.5, 2, shape[1])
    tensors = [torch.tensor(a.copy(), requires_grad=True) for a in (x, weight, bias)]
    expected = functional.batch_norm(
        tensors[0], torch.tensor(mean), torch.tensor(var), *tensors[1:], training=train
    )
    expected.backward(torch.tensor(dy.copy()))
    statistics = {} if train else {"mean": mean, "var": var}
    y, cache = nt.batch_norm(x, weight, bias, **statistics)
    closely(y, expected.detach().numpy())
    for ours, theirs in zip(nt.batch_norm_backward(dy, cache), tensors, strict=True):
        # Two values near each other are divided by nearly nothing: a few digits go in both.
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-9, atol=1e-9)
