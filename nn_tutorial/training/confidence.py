"""How far to believe a share that was counted on a few examples."""

import math
from statistics import NormalDist


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
