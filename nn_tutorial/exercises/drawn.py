"""What is compared of numbers that were drawn: not which came, but how they are spread.

Each bound is one that right numbers pass by chance in one of a hundred million weights or fewer.
"""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

STEPS = (np.arange(400) + 0.5) / 400
FARTHEST = 15.0  # of the quantiles; right numbers reach 7 in some thousand weights
ALIKE = 6.0  # standard deviations of the correlation of neighbours
TWICE = 0.002  # in float32, 0.0014 of the numbers meet another one by chance
SHAPE = "shape (1: normal, 2: uniform, 3: normal without sign, 0: other)"
ALONE = "independence (1: each number is drawn by itself, 0: it is not)"
JUDGED = ("standard deviation", "centre (1 is right in the middle)", SHAPE, ALONE)


_NORMAL = np.array([NormalDist().inv_cdf(p) for p in STEPS])
_POSITIVE = np.array([NormalDist().inv_cdf((1 + p) / 2) for p in STEPS])
_HALF = (_POSITIVE - np.sqrt(2 / np.pi)) / np.sqrt(1 - 2 / np.pi)
LAWS = {"normal": _NORMAL, "uniform": np.sqrt(3) * (2 * STEPS - 1), "normal without sign": _HALF}


def spread(inputs: Mapping[str, Any], weight: Array) -> tuple[Any, ...]:
    """Return width, centre, shape and independence of a weight, as ``JUDGED`` names them.

    Width and centre are numbers, shape and independence are codes. The shape does not depend on
    the width and the centre: the quantiles are compared after both were taken out.

    Parameters
    ----------
    inputs : mapping
        Not looked at.
    weight : ndarray
        Any shape.
    """
    weight = weight.astype(np.float64)
    width = weight.std()
    if not width > 1e-9 * np.abs(weight).max(initial=0):  # one number everywhere, or nan
        return 0 * width, weight.mean(), 0, 0
    scaled = (weight - weight.mean()) / width
    quantiles = np.quantile(scaled, STEPS)
    distances = [weight.size * np.mean((quantiles - law) ** 2) for law in LAWS.values()]
    shape = next((i for i, d in enumerate(distances, 1) if d < FARTHEST), 0)
    alone = not _neighbours_alike(scaled) and not _come_twice(weight)
    return width, 1 + np.round(weight.mean() / width), shape, int(alone)


def _neighbours_alike(scaled: Array) -> bool:
    """Whether numbers that lie side by side, along any axis, rise and fall together."""
    for axis in range(scaled.ndim):
        lines = np.moveaxis(scaled, axis, 0)
        products = lines[1:] * lines[:-1]
        if products.size and abs(products.mean()) * np.sqrt(products.size) > ALIKE:
            return True
    return False


def _come_twice(weight: Array) -> bool:
    """Whether numbers stand in the array more than once, with their sign or with the other one."""
    return len(np.unique(np.abs(weight))) < (1 - TWICE) * weight.size


def verdicts(law: str, draw: str) -> dict[str, dict[float, str]]:
    """Return what is said of the codes where they are not right.

    Parameters
    ----------
    law : str
        ``"normal"`` or ``"uniform"``: what the numbers should be.
    draw : str
        How they are drawn: ``"rng.standard_normal"``.
    """
    told: dict[float, str] = {
        code: f"Your numbers are {name}. They should be {law}: draw them with `{draw}`."
        for code, name in enumerate(LAWS, 1)
        if name != law
    }
    told[3] = (
        f"Your numbers are distributed as the absolute values of normal numbers are. They should "
        f"be {law}, and half of them negative."
    )
    told[0] = (
        f"Your numbers are not distributed as {law} numbers are, whatever their mean and their "
        f"standard deviation. Draw them with `{draw}`, and only multiply them by a factor."
    )
    alone = (
        "Your numbers are not drawn independently: neighbours rise and fall together, or the same "
        "number stands in several places, with the same or the opposite sign."
    )
    return {SHAPE: told, ALONE: {0: alone}}
