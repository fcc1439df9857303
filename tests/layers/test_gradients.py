"""Every gradient against central differences, by two checks that share no code."""

import numpy as np
import pytest
from cases import FUNCTIONS, LAYERS, FunctionCase, LayerCase
from helpers import as_function, assert_gradients

import nn_tutorial as nt

FUNCTION = pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
LAYER = pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.name)


@FUNCTION
def test_function_matches_own_differences(case: FunctionCase) -> None:
    assert_gradients(case.forward, case.gradients, case.inputs())


@FUNCTION
def test_function_passes_gradient_check(case: FunctionCase, rng: np.random.Generator) -> None:
    report = nt.gradient_check(
        case.forward, case.gradients, case.inputs(), rng=rng, names=list(case.arrays), h=1e-5
    )
    report.raise_if_above(1e-6)
    assert [a.checked for a in report.arguments] == [a.size for a in case.inputs()]


@LAYER
def test_layer_matches_own_differences(case: LayerCase) -> None:
    arrays, forward, backward = as_function(case)
    assert_gradients(forward, backward, list(arrays.values()))


def _times_n(dx: np.ndarray, dweight: np.ndarray, dbias: np.ndarray) -> tuple[np.ndarray, ...]:
    return dx, dweight * 5, dbias * 5


def _mean_for_sum(dx: np.ndarray, dweight: np.ndarray, dbias: np.ndarray) -> tuple[np.ndarray, ...]:
    return dx, dweight, dbias / 5


def _sign(dx: np.ndarray, dweight: np.ndarray, dbias: np.ndarray) -> tuple[np.ndarray, ...]:
    return -dx, dweight, dbias


def _one_element(dx: np.ndarray, dweight: np.ndarray, dbias: np.ndarray) -> tuple[np.ndarray, ...]:
    dweight = dweight.copy()
    dweight[1, 2] *= 1.0001
    return dx, dweight, dbias


def _reshaped(dx: np.ndarray, dweight: np.ndarray, dbias: np.ndarray) -> tuple[np.ndarray, ...]:
    return dx, dweight.T.reshape(dweight.shape), dbias


@pytest.mark.parametrize("mistake", [_times_n, _mean_for_sum, _sign, _one_element, _reshaped])
def test_both_checks_catch_a_mistake(mistake, rng: np.random.Generator) -> None:
    """The checks above can fail: a right backward pass, spoilt, is caught by each of them."""
    (case,) = (case for case in FUNCTIONS if case.name == "linear")

    def spoilt(dy, cache):
        return mistake(*nt.linear_backward(dy, cache))

    with pytest.raises(AssertionError):
        assert_gradients(nt.linear, spoilt, case.inputs())
    report = nt.gradient_check(nt.linear, spoilt, case.inputs(), rng=rng)
    with pytest.raises(nt.GradientError, match="argument"):
        report.raise_if_above(1e-6)


def test_both_checks_catch_a_missing_term(rng: np.random.Generator) -> None:
    """Batch norm with its statistics taken for constants: wrong in dx alone."""
    (case,) = (case for case in FUNCTIONS if case.name == "batch_norm")

    def spoilt(dy, cache):
        return nt.batch_norm_backward(dy, cache._replace(train=False))

    with pytest.raises(AssertionError):
        assert_gradients(nt.batch_norm, spoilt, case.inputs())
    report = nt.gradient_check(
        nt.batch_norm, spoilt, case.inputs(), rng=rng, names=["x", "weight", "bias"]
    )
    with pytest.raises(nt.GradientError, match="x: relative error"):
        report.raise_if_above(1e-6)
    assert report.arguments[1].max_error < 1e-6
