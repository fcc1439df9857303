"""Numbers at the edge: exactly 0, very large, very far from 0. No warning, no lost digits."""

import math

import numpy as np
import pytest
import torch

import nn_tutorial as nt

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


@DTYPES
def test_relu_at_zero_has_gradient_zero(dtype: type) -> None:
    """The convention, PyTorch's too; and −0.0 is a zero."""
    y, cache = nt.relu(np.array([0.0, -0.0], dtype))
    np.testing.assert_array_equal(y, 0)
    np.testing.assert_array_equal(nt.relu_backward(np.ones(2, dtype), cache), 0)


def test_relu_keeps_nan() -> None:
    """A NaN that vanished in a layer would be found nowhere."""
    assert np.isnan(nt.relu(np.array([np.nan]))[0]).all()


@DTYPES
def test_sigmoid_and_tanh_far_out(dtype: type) -> None:
    """exp(1000) would overflow, with a warning, and a warning is an error here."""
    x = np.array([-1e4, -1000, 1000, 1e4], dtype)
    for f, f_backward, low in (
        (nt.sigmoid, nt.sigmoid_backward, 0),
        (nt.tanh, nt.tanh_backward, -1),
    ):
        y, cache = f(x)
        np.testing.assert_array_equal(y, [low, low, 1, 1])
        np.testing.assert_array_equal(f_backward(np.ones_like(x), cache), 0)


def test_sigmoid_keeps_the_digits_of_small_probabilities() -> None:
    y, _ = nt.sigmoid(np.array([-700.0, -30.0]))
    np.testing.assert_allclose(y, [math.exp(-700), math.exp(-30)], rtol=1e-12)


@DTYPES
def test_softmax_of_large_scores(dtype: type) -> None:
    x = np.array([[1e4, 1e4, 0.0], [-1e4, -1e4 - 1, -2e4]], dtype)
    e = math.exp(-1)
    y, _ = nt.softmax(x)
    np.testing.assert_allclose(y, [[0.5, 0.5, 0], [1 / (1 + e), e / (1 + e), 0]], rtol=1e-6)


@DTYPES
def test_fused_loss_of_large_scores(dtype: type) -> None:
    """A wrong answer given with certainty: the probability rounds to 0, the loss is still right."""
    logits, labels = np.array([[1e4, 0.0], [0.0, 1e4]], dtype), np.array([1, 1])
    loss, dlogits = nt.softmax_cross_entropy(logits, labels)
    assert loss == 5e3
    np.testing.assert_array_equal(dlogits, [[0.5, -0.5], [0, 0]])
    theirs = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels))
    assert loss == theirs.item()


def test_loss_and_its_parts_are_one_where_both_can_be_computed(rng: np.random.Generator) -> None:
    logits, labels = rng.normal(size=(7, 5)), rng.integers(0, 5, 7)
    fused, dlogits = nt.softmax_cross_entropy(logits, labels)
    p, softmax_cache = nt.softmax(logits)
    loss, cache = nt.cross_entropy(p, labels)
    assert loss == pytest.approx(fused, rel=1e-14)
    chained = nt.softmax_backward(nt.cross_entropy_backward(1.0, cache), softmax_cache)
    np.testing.assert_allclose(chained, dlogits, atol=1e-15)


def test_probability_zero_is_an_infinite_loss() -> None:
    loss, cache = nt.cross_entropy(np.array([[0.0, 1.0]]), np.array([0]))
    assert loss == math.inf
    np.testing.assert_array_equal(nt.cross_entropy_backward(1.0, cache), [[-math.inf, 0]])


def test_unsigned_labels_are_labels() -> None:
    logits = np.array([[0.0, 1.0], [2.0, 0.0]])
    loss, _ = nt.softmax_cross_entropy(logits, np.array([1, 0], np.uint8))
    assert loss == nt.softmax_cross_entropy(logits, np.array([1, 0]))[0]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3], ids="scale{:g}".format)
def test_batch_norm_far_from_zero(scale: float, rng: np.random.Generator) -> None:
    """Mean 1e4 in float32, where E[x²] − E[x]² has no digit left."""
    x = (rng.normal(size=(128, 3)) * scale + 1e4).astype(np.float32)
    exact, _ = nt.batch_norm(x.astype(np.float64), np.ones(3), np.zeros(3))
    y, _ = nt.batch_norm(x, np.ones(3, np.float32), np.zeros(3, np.float32))
    # A float32 mean near 1e4 is good to a few of its last places, PyTorch's too.
    rounding = 4 * np.spacing(np.float32(1e4)) / max(x.astype(np.float64).std(), 1e-3)
    np.testing.assert_allclose(y, exact, atol=max(1e-4, rounding), rtol=1e-4)


def test_batch_norm_of_a_constant_feature(rng: np.random.Generator) -> None:
    """Variance 0: eps alone is under the root, and the output is the bias."""
    x = rng.normal(size=(5, 2))
    x[:, 1] = 3.0
    y, cache = nt.batch_norm(x, np.ones(2), np.array([0.0, 7.0]))
    np.testing.assert_array_equal(y[:, 1], 7)
    dx, _, _ = nt.batch_norm_backward(rng.normal(size=(5, 2)), cache)
    assert np.isfinite(dx).all()


def test_batch_norm_of_two_values() -> None:
    """The smallest batch that has a variance: ±1 whatever the values, but for eps."""
    y, _ = nt.batch_norm(np.array([[3.0], [9.0]]), np.ones(1), np.zeros(1))
    np.testing.assert_allclose(y, [[-1], [1]], rtol=1e-5)
