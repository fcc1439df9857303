"""The rules that measure slopes on pages, and what they say of layers."""

import numpy as np
import pytest

from nn_tutorial.pages.slopes import (
    central,
    complex_step,
    error_of_right,
    forward,
    jacobian,
    one_per_layer,
    spread,
)
from nn_tutorial.verify.theories import THEORIES


@pytest.mark.parametrize(
    ("rule", "off"), [(forward, 3 * 2 * 0.1 + 0.01), (central, 0.01), (complex_step, -0.01)]
)
def test_a_rule_is_off_by_its_truncation(rule, off: float) -> None:
    assert np.isclose(rule(lambda x: x**3, 2.0, 0.1, 0.1) - 12, off)


@pytest.mark.parametrize("rule", [forward, central, complex_step])
def test_the_jacobian_has_a_row_for_each_input(rule) -> None:
    x = np.array([[1.0, 2.0, 3.0]])
    found = jacobian(lambda x: np.array([x[0, 0] * x[0, 1], x[0, 2]]), x, rule=rule)
    assert np.allclose(found, [[2, 0], [1, 0], [0, 1]])


def test_there_is_one_theory_per_layer() -> None:
    assert {"relu", "conv2d", "layer_norm"} <= set(one_per_layer()) < set(THEORIES)


@pytest.mark.parametrize("shape", [(4, 3), (5, 3)])
def test_spread_numbers_are_apart_and_none_is_near_0(shape: tuple[int, ...]) -> None:
    numbers = spread(np.random.default_rng(0), shape)
    assert numbers.shape == shape
    assert np.diff(np.sort(numbers, axis=None)).min() > 1 / numbers.size
    assert np.abs(numbers).min() > 0.5 / numbers.size


@pytest.mark.parametrize("layer", ["linear", "relu", "max_pool2d", "cross_entropy"])
def test_right_layers_are_off_by_rounding_alone(layer: str) -> None:
    double = error_of_right(layer, central, 1e-6)
    single = error_of_right(layer, central, 2.0**-7, dtype="float32")
    assert double is not None
    assert single is not None
    assert double < 1e-6
    assert single < 1e-2
    exact = error_of_right(layer, complex_step, 1e-30)
    assert (exact is None) == (layer in ("relu", "max_pool2d"))
    assert (exact or 0) < 1e-12
