"""Wilson's interval, beside SciPy's; Holm's correction, beside its definition."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

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
        ({"share": 0.5, "n": 0}, "n: expected at least 1, got 0"),
        ({"share": 0.5, "n": 5, "confidence": 1.0}, "confidence: expected"),
    ],
    ids=["share", "nan", "n", "confidence"],
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


@pytest.mark.parametrize("ps", [[0.5, 1.5], [-0.1], [float("nan")], 0.3, [[0.1]]])
def test_holm_refuses(ps: Any) -> None:
    with pytest.raises(ValueError, match="p_values: expected a row of numbers from 0 to 1, got"):
        nt.holm(ps)
