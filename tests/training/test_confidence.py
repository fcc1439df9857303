"""Wilson's interval, beside SciPy's."""

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
