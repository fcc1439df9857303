"""How far to believe a share counted on a few examples, and the best of several comparisons."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


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
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected a number from 0 to 1, got {share}")
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z**2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


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
    p = np.array(p_values, float)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"p_values: expected a row of numbers from 0 to 1, got {p_values}")
    order = np.argsort(p)
    grown = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(grown, 1)
    return corrected
