"""What layer normalisation promises beyond the tables: each example for itself, lost directions."""

import numpy as np
import pytest
import torch

import nn_tutorial as nt

SHAPES = pytest.mark.parametrize("shape", [(5, 7), (2, 3, 5, 7)], ids=["features", "images"])
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
BATCH_LAST = (2, 1, 3, 0)  # how the convolution lays images out in memory: H, C, W, N


def drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype=np.float64) -> list[np.ndarray]:
    """An input, a weight, a bias and an upstream gradient."""
    sizes = (shape, shape[1:], shape[1:], shape)
    return [(2 * rng.normal(size=size) + 1).astype(dtype) for size in sizes]


@DTYPES
@SHAPES
def test_an_example_never_minds_its_company(shape, dtype, rng: np.random.Generator) -> None:
    """To the last bit: alone, in the batch, and beside others; forward and backward."""
    x, weight, bias, dy = drawn(rng, shape, dtype)
    y, cache = nt.layer_norm(x, weight, bias)
    dx, dweight, _ = nt.layer_norm_backward(dy, cache)
    total = np.zeros_like(dweight)
    for i in range(len(x)):
        alone, cache = nt.layer_norm(x[i : i + 1], weight, bias)
        dx_alone, dweight_alone, _ = nt.layer_norm_backward(dy[i : i + 1], cache)
        np.testing.assert_array_equal(alone[0], y[i])
        np.testing.assert_array_equal(dx_alone[0], dx[i])
        total += dweight_alone
    np.testing.assert_allclose(total, dweight, rtol=1e-5, atol=1e-5)
    x[1:] = 100 * rng.normal(size=x[1:].shape)
    np.testing.assert_array_equal(nt.layer_norm(x, weight, bias)[0][0], y[0])


@SHAPES
def test_training_and_evaluation_are_one(shape, rng: np.random.Generator) -> None:
    layer = nt.LayerNorm(shape[1:], dtype=np.float64)
    x = rng.normal(size=shape)
    trained, _ = layer.forward(x, train=True)
    np.testing.assert_array_equal(layer(x), trained)
    assert layer.buffers == {}
    assert layer.forward(x[:1], train=True)[0].shape == (1, *shape[1:])


@SHAPES
def test_it_is_batch_norm_of_the_turned_table(shape, rng: np.random.Generator) -> None:
    """With γ = 1 and β = 0, which do not turn; another implementation as a witness."""
    x, _, _, dy = drawn(rng, shape)
    n, d = len(x), x[0].size
    y, cache = nt.layer_norm(x, np.ones(shape[1:]), np.zeros(shape[1:]))
    turned, turned_cache = nt.batch_norm(x.reshape(n, d).T, np.ones(n), np.zeros(n))
    np.testing.assert_allclose(y.reshape(n, d), turned.T, rtol=1e-12, atol=1e-13)
    dx, _, _ = nt.layer_norm_backward(dy, cache)
    expected = nt.batch_norm_backward(dy.reshape(n, d).T, turned_cache)[0].T
    np.testing.assert_allclose(dx.reshape(n, d), expected, rtol=1e-11, atol=1e-12)


@SHAPES
def test_gradient_has_no_part_where_the_loss_is_flat(shape, rng: np.random.Generator) -> None:
    """A constant added to an example, or a stretch of it, changes nothing; without ε exactly."""
    x, weight, bias, dy = drawn(rng, shape)
    y, cache = nt.layer_norm(x, weight, bias, eps=0.0)
    moved = 3 * x + rng.normal(size=(len(x),) + (1,) * (x.ndim - 1))
    np.testing.assert_allclose(
        nt.layer_norm(moved, weight, bias, eps=0.0)[0], y, rtol=1e-12, atol=1e-12
    )
    dx, _, _ = nt.layer_norm_backward(dy, cache)
    for direction in (np.ones_like(x), cache.xhat):
        part = (dx * direction).reshape(len(x), -1).sum(axis=1)
        np.testing.assert_allclose(part, 0, atol=1e-12)


@DTYPES
def test_memory_order_is_kept_and_minds_nothing(dtype, rng: np.random.Generator) -> None:
    """Images come with the batch last in memory and stay so, whatever order the gradient has."""
    x, weight, bias, dy = drawn(rng, (2, 3, 5, 7), dtype)
    y, cache = nt.layer_norm(x, weight, bias)
    gradients = nt.layer_norm_backward(dy, cache)
    back = np.argsort(BATCH_LAST)
    last, dy_last = (np.ascontiguousarray(a.transpose(BATCH_LAST)).transpose(back) for a in (x, dy))
    y_last, cache_last = nt.layer_norm(last, weight, bias)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(y_last, y, rtol=tolerance, atol=tolerance)
    for upstream in (dy, dy_last):
        found = nt.layer_norm_backward(upstream, cache_last)
        for ours, expected in zip(found, gradients, strict=True):
            np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=10 * tolerance)
    for array in (y_last, nt.layer_norm_backward(dy_last, cache_last)[0]):
        assert array.transpose(BATCH_LAST).flags.c_contiguous


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3], ids="scale{:g}".format)
def test_far_from_zero(scale: float, rng: np.random.Generator) -> None:
    """Mean 1e4 in float32, where E[x²] − E[x]² has no digit left."""
    x = (rng.normal(size=(3, 128)) * scale + 1e4).astype(np.float32)
    exact, _ = nt.layer_norm(x.astype(np.float64), np.ones(128), np.zeros(128))
    y, _ = nt.layer_norm(x, np.ones(128, np.float32), np.zeros(128, np.float32))
    # A float32 mean near 1e4 is good to a few of its last places, PyTorch's too.
    rounding = 4 * np.spacing(np.float32(1e4)) / max(x.astype(np.float64).std(), 1e-3)
    np.testing.assert_allclose(y, exact, atol=max(1e-4, rounding), rtol=1e-4)


def test_a_constant_example_becomes_the_bias(rng: np.random.Generator) -> None:
    """Variance 0: eps alone is under the root."""
    x = rng.normal(size=(3, 5))
    x[1] = 3.0
    bias = rng.normal(size=5)
    y, cache = nt.layer_norm(x, np.ones(5), bias)
    np.testing.assert_array_equal(y[1], bias)
    assert np.isfinite(nt.layer_norm_backward(rng.normal(size=(3, 5)), cache)[0]).all()


def test_one_value_and_two() -> None:
    """One becomes β, as in PyTorch, and passes no gradient; two become ±1, but for eps."""
    x = np.array([[3.0], [-8.0]])
    y, cache = nt.layer_norm(x, np.ones(1), np.array([7.0]))
    np.testing.assert_array_equal(y, 7)
    np.testing.assert_array_equal(nt.layer_norm_backward(np.ones((2, 1)), cache)[0], 0)
    theirs = torch.nn.functional.layer_norm(torch.tensor(x), (1,), bias=7 * torch.ones(1).double())
    np.testing.assert_array_equal(theirs.numpy(), y)
    y, _ = nt.layer_norm(np.array([[3.0, 9.0]]), np.ones(2), np.zeros(2))
    np.testing.assert_allclose(y, [[-1, 1]], rtol=1e-5)


@pytest.mark.parametrize("shape", [7, (7,), (3, 5, 7), np.int64(7)], ids=str)
def test_normalized_shape_is_that_of_the_parameters(shape) -> None:
    layer = nt.LayerNorm(shape)
    expected = shape if isinstance(shape, tuple) else (shape,)
    assert layer.params["weight"].shape == layer.params["bias"].shape == expected
    assert (layer.params["weight"] == 1).all()
    assert (layer.params["bias"] == 0).all()
