"""Sums over the rows of a matrix that keep their digits in float32."""

import math

import numpy as np

from .checks import Array

MANY = 4096  # rows


def over_rows(*factors: Array) -> Array:
    """Return the sum over axis 0, of an array or of the product of two of one shape.

    NumPy adds one row after the other, and a float32 sum of a million ones and a bit is wrong by a
    hundredth. So many rows are added in blocks, and then the blocks' sums: as many as there are
    rows in each.
    """
    rows = len(factors[0])
    if rows > MANY:
        blocks = zip(*(np.array_split(a, math.isqrt(rows)) for a in factors), strict=True)
        return np.add.reduce([over_rows(*block) for block in blocks], 0)
    if len(factors) == 1:
        return np.asarray(np.add.reduce(factors[0], 0))
    return np.einsum("n...,n...->...", *factors)
