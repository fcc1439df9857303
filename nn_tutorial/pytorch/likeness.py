"""Pictures that look alike: a fingerprint that brightness, contrast and mirroring do not change.

What it misses, those that are shifted, cut or stretched, is found with a trained network by Barz
and Denzler (2020), Do we train on test data? Purging CIFAR of near-duplicates.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

SIDE = 8  # height and width of a fingerprint
NEAR = 0.97  # correlation of two fingerprints from which on the pictures are looked at
ALIKE = 0.95  # correlation of two pictures that look alike
SAME = 2.0  # grey levels (root of the mean square) by which copies differ at most, brightness aside


class Pair(NamedTuple):
    """A picture of one set, the one of another that looks most like it, and how much it does.

    Attributes
    ----------
    one, other : int
    mirrored : bool
        Whether ``one`` looks like the mirror image of ``other``.
    levels : float
        By how many grey levels they differ, their brightness left out of account.
    correlation : float
        Of their pixels.
    """

    one: int
    other: int
    mirrored: bool
    levels: float
    correlation: float


def thumbnails(x: Tensor) -> Tensor:
    """Return perceptual fingerprints: grey, 8×8, without mean, of length 1; (N, 64).

    Their products are correlations. One of a plain picture is 0, which is like no other.

    Parameters
    ----------
    x : Tensor of uint8, (N, C, H, W)
    """
    small = functional.adaptive_avg_pool2d(x.float().mean(1, keepdim=True), SIDE).flatten(1)
    return functional.normalize(small - small.mean(1, keepdim=True), eps=1e-3)


def alike(one: Tensor, other: Tensor) -> Iterator[Pair]:
    """Yield for each picture that looks like one of another set these two; no exact copies.

    Parameters
    ----------
    one, other : Tensor of uint8, (N, C, H, W)
    """
    seen = thumbnails(one)
    for mirrored in (False, True):
        known = thumbnails(other.flip(3) if mirrored else other)
        for start in range(0, len(one), 250):
            nearness, nearest = (seen[start : start + 250] @ known.T).max(1)
            for row in (nearness > NEAR).nonzero()[:, 0].tolist():
                i, j = start + row, int(nearest[row])
                u, v = one[i], other[j].flip(2) if mirrored else other[j]
                levels, correlation = _differ(u, v)
                if correlation > ALIKE and not (torch.equal(u, v) and not mirrored):
                    yield Pair(i, j, mirrored, levels, correlation)


def _differ(u: Tensor, v: Tensor) -> tuple[float, float]:
    """Grey levels between two pictures of equal size, and their correlation."""
    a, b = (picture.double() - picture.double().mean() for picture in (u, v))
    correlation = (a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-9)
    return float((a - b).square().mean().sqrt()), float(correlation)
