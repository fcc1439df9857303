"""How weights begin: the mean and spread of each formula, dtype, seed, fans."""

import math

import numpy as np
import pytest

import nn_tutorial as nt

LINEAR, CONV = (300, 200), (40, 30, 5, 3)  # fans 300, 200; and 30·15 = 450, 40·15 = 600

FORMULAS = [
    ("normal", nt.normal(0.3), LINEAR, 0.3),
    ("normal-any-shape", nt.normal(0.3), (30, 40, 50), 0.3),
    ("xavier_normal", nt.xavier_normal, LINEAR, math.sqrt(2 / 500)),
    ("xavier_normal-conv", nt.xavier_normal, CONV, math.sqrt(2 / 1050)),
    ("xavier_uniform", nt.xavier_uniform, LINEAR, math.sqrt(2 / 500)),
    ("xavier_uniform-conv", nt.xavier_uniform, CONV, math.sqrt(2 / 1050)),
    ("he_normal", nt.he_normal, LINEAR, math.sqrt(2 / 300)),
    ("he_normal-conv", nt.he_normal, CONV, math.sqrt(2 / 450)),
]
ROWS = pytest.mark.parametrize(
    ("init", "shape", "std"), [row[1:] for row in FORMULAS], ids=[row[0] for row in FORMULAS]
)


@ROWS
def test_mean_and_standard_deviation(init, shape, std, rng: np.random.Generator) -> None:
    """Within five standard errors; a swapped fan would be off by forty."""
    w = init(shape, rng=rng, dtype=np.float64)
    assert w.shape == shape
    assert abs(w.mean()) < 5 * std / math.sqrt(w.size)
    assert abs(w.std() / std - 1) < 5 / math.sqrt(2 * w.size)


@ROWS
def test_seed_decides_and_dtype_is_kept(init, shape, std) -> None:
    one, same = (init(shape, rng=np.random.default_rng(1), dtype=np.float64) for _ in "ab")
    other = init(shape, rng=np.random.default_rng(2), dtype=np.float64)
    small = init(shape, rng=np.random.default_rng(1), dtype=np.float32)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert small.dtype == np.float32
    np.testing.assert_array_equal(small, one.astype(np.float32))
    assert init(shape, rng=np.random.default_rng(1)).dtype == np.float32


def test_xavier_uniform_stays_within_its_bound(rng: np.random.Generator) -> None:
    w = nt.xavier_uniform(LINEAR, rng=rng, dtype=np.float64)
    bound = math.sqrt(6 / 500)
    assert 0.999 * bound < np.abs(w).max() <= bound


def test_normal_is_bell_shaped(rng: np.random.Generator) -> None:
    """68 % within one standard deviation; a uniform distribution has 58 %."""
    w = nt.normal(2.0)(LINEAR, rng=rng, dtype=np.float64)
    assert abs(np.mean(np.abs(w) < 2) - 0.6827) < 0.01


def test_zeros(rng: np.random.Generator) -> None:
    w = nt.zeros(LINEAR, rng=rng)
    assert w.dtype == np.float32
    assert w.shape == LINEAR
    assert not w.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_layers_draw_the_weight_and_begin_the_bias_at_zero(dtype: type) -> None:
    expected = nt.he_normal((4, 3), rng=np.random.default_rng(5), dtype=dtype)
    layer = nt.Linear(4, 3, rng=np.random.default_rng(5), dtype=dtype)
    np.testing.assert_array_equal(layer.params["weight"], expected)
    conv = nt.Conv2d(2, 3, (5, 4), rng=np.random.default_rng(5), dtype=dtype, init=nt.xavier_normal)
    expected = nt.xavier_normal((3, 2, 5, 4), rng=np.random.default_rng(5), dtype=dtype)
    np.testing.assert_array_equal(conv.params["weight"], expected)
    for p in (layer.params["bias"], conv.params["bias"]):
        assert p.dtype == dtype
        assert not p.any()
