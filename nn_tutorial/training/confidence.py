"""How far to believe a share of a few examples, a difference of a few runs, several comparisons."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..layers.checks import check_count, is_number


def wilson(share: float, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return the interval of the true shares with which a counted share is compatible.

    $$\frac{1}{1 + z^2/n}\left(\hat p + \frac{z^2}{2n} \pm
      z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4n^2}}\right)$$

    Parameters
    ----------
    share : float
        $\hat p$, from 0 to 1: an accuracy on independent examples.
    n : int
        How many examples were counted, at least 1.
    confidence : float
        In how many of all experiments the interval holds the true share, about; between 0 and 1.

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    if not (is_number(share) and 0 <= share <= 1):
        raise ValueError(f"share: expected a number from 0 to 1, got {share!r}")
    check_count("n", n)
    _check_confidence(confidence)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z**2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


class Paired(NamedTuple):
    """What [`paired`][nn_tutorial.paired] found.

    Attributes
    ----------
    mean : float
        Of the differences.
    half : float
        Half the width of the interval, which is ``mean`` ± ``half``.
    p : float
        How often a mean at least as far from 0 would come about if the true one were 0.
    """

    mean: float
    half: float
    p: float


def paired(
    a: Sequence[float] | NDArray[np.floating],
    b: Sequence[float] | NDArray[np.floating],
    *,
    confidence: float = 0.95,
) -> Paired:
    r"""Return the mean of a − b with its interval and p-value, by Student's t.

    $$\bar d \pm t\,\frac{s_d}{\sqrt S}, \qquad d_i = a_i - b_i$$

    $s_d$ is the standard deviation of the S differences, divided by S − 1. The pairs should be
    independent of each other, such as runs that share a seed and nothing else with other pairs.

    Parameters
    ----------
    a, b : sequence of float, (S,)
        A number of each run, in the same order of seeds; at least two, and finite.
    confidence : float
        In how many of all experiments the interval holds the true mean; between 0 and 1.

    Returns
    -------
    Paired

    Raises
    ------
    ValueError
        If the numbers make no pairs or one is out of its range.

    References
    ----------
    Student (1908), The probable error of a mean.
    """
    d = _column("a", a) - _column("b", b, len(a))
    _check_confidence(confidence)
    mean, error = float(d.mean()), float(d.std(ddof=1)) / math.sqrt(len(d))
    freedom = len(d) - 1
    # With t = √freedom · tan φ, the density of |t| becomes cos φ to the power freedom − 1.
    angles = np.linspace(0, math.pi / 2, 20_001)
    inside = _area(angles, freedom)
    t = math.sqrt(freedom) * math.tan(np.interp(confidence * inside[-1], inside, angles))
    if mean == 0:
        return Paired(mean, t * error, 1.0)
    angle = math.atan2(abs(mean), error * math.sqrt(freedom))
    outside = _area(np.linspace(angle, math.pi / 2, 2_001), freedom)[-1]
    return Paired(mean, t * error, float(outside / inside[-1]))


def _area(angles: NDArray[np.float64], freedom: int) -> NDArray[np.float64]:
    """The integral of cos to the power freedom − 1, from the first angle to each."""
    height = np.cos(angles) ** (freedom - 1)
    return np.append(0, np.cumsum((height[1:] + height[:-1]) / 2 * np.diff(angles)))


def _column(name: str, values: object, n: int | None = None) -> NDArray[np.float64]:
    """At least two finite numbers in a row, n of them if that is given."""
    column = _row(values)
    if column is None or len(column) < 2 or not np.isfinite(column).all():
        raise ValueError(f"{name}: expected a row of at least two finite numbers, got {values!r}")
    if n is not None and len(column) != n:
        raise ValueError(f"{name}: expected {n} numbers as in a, got {len(column)}")
    return column


def _row(values: object) -> NDArray[np.float64] | None:
    """A row of numbers as an array, or None if it is none."""
    try:
        row = np.array(values)
    except ValueError:  # rows of several lengths
        return None
    return row.astype(float) if row.ndim == 1 and row.dtype.kind in "fiu" else None


def _check_confidence(confidence: Any) -> None:
    if not (is_number(confidence) and 0 < confidence < 1):
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence!r}")


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    r"""Return p-values that may be compared with one level all at once, by Holm's correction.

    In rising order the i-th of m becomes $\max_{j \le i}\, (m - j + 1)\, p_{(j)}$, at most 1.
    Reject where it is at most 5 %, and with 95 % no true hypothesis is among those rejected,
    however the tests depend on each other.

    Parameters
    ----------
    p_values : sequence of float
        One for each comparison, from 0 to 1.

    Returns
    -------
    corrected : ndarray
        In the order given.

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    p = _row(p_values)
    if p is None or not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"p_values: expected a row of numbers from 0 to 1, got {p_values!r}")
    order = np.argsort(p)
    grown = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(grown, 1)
    return corrected
