"""Wilson's interval and Student's, beside SciPy's; Holm's correction, beside its definition."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_rel

import nn_tutorial as nt


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0.5, 0.999))
def test_it_is_scipys(n: int, part: float, confidence: float) -> None:
    right = round(part * n)
    theirs = binomtest(right, n).proportion_ci(confidence, method="wilson")
    ours = nt.wilson(right / n, n, confidence=confidence)
    assert ours == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-12)


def test_all_right_is_not_certain() -> None:
    low, high = nt.wilson(1.0, 25)
    assert 0.8 < low < 0.9
    assert high == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 1.1, "n": 5}, "share: expected a number from 0 to 1, got 1.1"),
        ({"share": float("nan"), "n": 5}, "share: expected"),
        ({"share": 0.5, "n": 0}, "n: expected an integer of at least 1, got 0"),
        ({"share": "1", "n": 5}, "share: expected a number from 0 to 1, got '1'"),
        ({"share": 0.5, "n": "5"}, "n: expected an integer of at least 1, got '5'"),
        ({"share": 0.5, "n": np.nan}, "n: expected an integer of at least 1, got nan"),
        ({"share": 0.5, "n": 5, "confidence": "x"}, "confidence: expected .*, got 'x'"),
        ({"share": 0.5, "n": 5, "confidence": 1.0}, "confidence: expected"),
    ],
)
def test_refuses(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nt.wilson(**arguments)


P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(P_VALUES)
def test_holm_is_the_closed_test(ps: list[float]) -> None:
    """The largest of Bonferroni's p-values over all sets of hypotheses that hold this one."""
    places = range(len(ps))
    sets = [c for size in range(1, len(ps) + 1) for c in combinations(places, size)]
    expected = [
        max(min(1.0, len(c) * min(ps[j] for j in c)) for c in sets if i in c) for i in places
    ]
    np.testing.assert_allclose(nt.holm(ps), expected, rtol=1e-12)


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(nt.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert nt.holm([]).shape == (0,)


@pytest.mark.parametrize(
    "ps", [[0.5, 1.5], [-0.1], [float("nan")], 0.3, [[0.1]], None, ["1"], [[1], 1]]
)
def test_holm_refuses(ps: Any) -> None:
    with pytest.raises(ValueError, match="p_values: expected a row of numbers from 0 to 1, got"):
        nt.holm(ps)


@given(st.integers(2, 40), st.integers(0, 10_000), st.floats(-3, 3), st.floats(0.5, 0.99))
def test_paired_is_scipys(n: int, seed: int, shift: float, confidence: float) -> None:
    a, b = np.random.default_rng(seed).standard_normal((2, n))
    theirs = ttest_rel(a + shift, b)
    low, high = theirs.confidence_interval(confidence)
    ours = nt.paired(a + shift, b, confidence=confidence)
    assert ours.mean == pytest.approx((low + high) / 2, rel=1e-7, abs=1e-9)
    assert ours.half == pytest.approx((high - low) / 2, rel=1e-5)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-4)


def test_paired_by_hand() -> None:
    """Differences 1 and 3: mean 2, deviation √2, error 1; with two runs t has a closed form."""
    found = nt.paired([5, 4], [4, 1], confidence=0.5)
    assert found.mean == 2
    assert found.half == pytest.approx(1)  # tan(π/2 · 0.5)
    assert found.p == pytest.approx(1 - 2 / np.pi * np.arctan(2), rel=1e-6)
    assert nt.paired([1, 2], [1, 2]) == (0, 0, 1)
    assert nt.paired([2, 3], [1, 2]).p == pytest.approx(0, abs=1e-12)  # both differ by 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [1.0]), "a: expected a row of at least two finite numbers"),
        (([[1.0, 2.0]], [1.0, 2.0]), "a: expected a row"),
        (([1.0, 2.0], [1.0, np.nan]), "b: expected a row .* finite"),
        (([1.0, 2.0], None), "b: expected a row of at least two finite numbers, got None"),
        ((["1", "2"], [1.0, 2.0]), "a: expected a row of at least two finite numbers, got"),
        (([[1.0], 2.0], [1.0, 2.0]), "a: expected a row of at least two finite numbers, got"),
        (([1.0, 2.0], [1.0, 2.0, 3.0]), "b: expected 2 numbers as in a, got 3"),
    ],
)
def test_paired_refuses(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nt.paired(*arguments)
    with pytest.raises(ValueError, match="confidence: expected a number between 0 and 1, got 95"):
        nt.paired([1, 2], [3, 5], confidence=95)
