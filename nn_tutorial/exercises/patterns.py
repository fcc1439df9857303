"""Patterns that a wrong result may have; each holds only if it holds on every case that is wrong.

A pattern is a function: it returns what its sentence in `wording.py` needs, or None where it does
not fit. The order there counts: each pattern may rely on those before it not fitting.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answers import equal, same
from .exercise import Function
from .matching import Difference, smallest

Found = dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """One result that is wrong, and the cases on which it is."""

    function: Function
    name: str
    differences: Sequence[Difference]

    @property
    def example(self) -> Difference:
        """The case that is shown."""
        return smallest(self.differences)

    @cached_property
    def factors(self) -> list[float] | None:
        """The number by which all elements are multiplied, case by case, if there is one."""
        return self._each(_factor)

    @cached_property
    def offsets(self) -> list[float] | None:
        """The number that is added to all elements, case by case, if there is one."""
        return self._each(_offset)

    @cached_property
    def masks(self) -> list[NDArray[np.bool]]:
        """Which elements differ; of results that have the right shape."""
        return [~equal(self.function, got, want, case) for case, want, got in self.differences]

    @property
    def count(self) -> Found:
        """How many elements differ, in the example."""
        case, want, got = self.example
        off = ~equal(self.function, got, want, case)
        return {"off": int(off.sum()), "size": off.size}

    def _each(self, number: Callable[[Function, Difference], float | None]) -> list[float] | None:
        found = [f for d in self.differences if (f := number(self.function, d)) is not None]
        return found if len(found) == len(self.differences) else None


def transposed(wrong: Wrong) -> Found | None:
    """The transpose of what was expected."""
    fits = all(
        want.ndim == 2 and got.shape == want.shape[::-1] and same(wrong.function, got.T, want, case)
        for case, want, got in wrong.differences
    )
    return {} if fits else None


def other_shape(wrong: Wrong) -> Found | None:
    """A shape that is not the expected one, on some case: the first of them is told."""
    for case, want, got in wrong.differences:
        if want.shape != got.shape:
            sizes = wrong.function.sizes(case.inputs)
            named = {k: v for k, v in sizes.items() if k in wrong.function.meanings}
            return {"got": got.shape, "want": want.shape, "sizes": named}
    return None


def not_finite(wrong: Wrong) -> Found | None:
    """Elements that are nan or infinite, though the result as a whole may have other faults."""
    if any(np.isfinite(got).all() for _, _, got in wrong.differences):
        return None
    got = wrong.example.got
    return {"odd": int((~np.isfinite(got)).sum()), "size": got.size}


def wrong_sign(wrong: Wrong) -> Found | None:
    """All elements times −1."""
    fits = wrong.factors and all(math.isclose(f, -1, rel_tol=1e-4) for f in wrong.factors)
    return {} if fits else None


def times_a_size(wrong: Wrong) -> Found | None:
    """All elements times, or divided by, a size or fact that the exercise has a name for."""
    if wrong.factors is None:
        return None
    cases = [case for case, _, _ in wrong.differences]
    sizes = [wrong.function.sizes(case.inputs) for case in cases]
    for letter, meaning in wrong.function.meanings.items():
        if any(letter not in of_case for of_case in sizes):  # a fact of another function
            continue
        for power, way in ((1, "large"), (-1, "small")):
            if all(
                math.isclose(factor, of_case[letter] ** power, rel_tol=1e-3)
                for factor, of_case in zip(wrong.factors, sizes)
            ):
                shown = wrong.function.sizes(wrong.example.case.inputs)[letter]
                return {"times": f"{shown:g}", "way": way, "meaning": meaning}
    return None


def one_factor(wrong: Wrong) -> Found | None:
    """All elements times one number, the same on every case."""
    factors = wrong.factors
    if factors is None or not all(math.isclose(f, factors[0], rel_tol=1e-3) for f in factors):
        return None
    return {"factor": factors[0]}


def another_factor_each(wrong: Wrong) -> Found | None:
    """All elements times one number, another one on other cases."""
    if wrong.factors is None:
        return None
    sizes = [case.size for case, _, _ in wrong.differences]
    return {"factor": wrong.factors[sizes.index(min(sizes))]}


def one_offset(wrong: Wrong) -> Found | None:
    """One number more in all elements of a case."""
    return {"offset": wrong.offsets[0]} if wrong.offsets else None


def moved(wrong: Wrong) -> Found | None:
    """The right numbers, some places up or down along one axis."""
    for axis in range(min(want.ndim for _, want, _ in wrong.differences)):
        for by in (1, -1, 2, -2):
            if all(_is_moved(wrong.function, d, axis, by) for d in wrong.differences):
                places = f"{abs(by)} place{'s' * (abs(by) > 1)}"
                return {"places": places, "way": "up" if by > 0 else "down", "axis": axis}
    return None


def other_order(wrong: Wrong) -> Found | None:
    """The right numbers in another order."""
    several = [d for d in wrong.differences if d.expected.size > 1]
    fits = several and all(
        same(wrong.function, np.sort(got, axis=None), np.sort(want, axis=None), case)
        for case, want, got in several
    )
    return {} if fits else None


def single_number(wrong: Wrong) -> Found | None:
    """A result that is one number."""
    _, want, got = wrong.example
    return {"got": float(got.item()), "want": float(want.item())} if want.size == 1 else None


def everywhere(wrong: Wrong) -> Found | None:
    """All elements differ."""
    return {} if all(mask.all() for mask in wrong.masks) else None


def one_index(wrong: Wrong) -> Found | None:
    """Elements of one index of an axis: the first, the last, or another in the example."""
    masks = wrong.masks
    for axis in range(min(mask.ndim for mask in masks)):
        if any(mask.shape[axis] == 1 for mask in masks):
            continue
        lines = [sorted(set(np.nonzero(mask)[axis].tolist())) for mask in masks]
        if any(len(rows) != 1 for rows in lines):
            continue
        which = f"index {lines[0][0]} of axis {axis}, in the example"
        for place, word in ((0, "first"), (-1, "last")):
            if all(rows[0] == place % mask.shape[axis] for rows, mask in zip(lines, masks)):
                which = f"the {word} index of axis {axis}"
                break
        return wrong.count | {"which": which}
    return None


def at_the_border(wrong: Wrong) -> Found | None:
    """Elements at the border of the last two axes, none inside."""
    fits = all(mask.ndim >= 2 and _is_border(mask) for mask in wrong.masks)
    return wrong.count if fits else None


def zero_for_other(wrong: Wrong) -> Found | None:
    """Elements that are 0 and should not be."""
    fits = all(
        (want[mask] != 0).all() and (got[mask] == 0).all()
        for mask, (_, want, got) in zip(wrong.masks, wrong.differences)
    )
    return wrong.count if fits else None


def other_for_zero(wrong: Wrong) -> Found | None:
    """Elements that should be 0 and are not."""
    fits = all(
        (want[mask] == 0).all() for mask, (_, want, _) in zip(wrong.masks, wrong.differences)
    )
    return wrong.count if fits else None


def no_pattern(wrong: Wrong) -> Found | None:
    """Nothing of the above; always fits."""
    return wrong.count


def _factor(function: Function, difference: Difference) -> float | None:
    """The one number by which all elements are multiplied, if there is one."""
    case, want, got = difference
    want, got = want.astype(np.float64), got.astype(np.float64)
    square = float((want * want).sum())
    if square == 0:
        return None
    factor = float((want * got).sum()) / square
    return factor if factor and same(function, got, factor * want, case) else None


def _offset(function: Function, difference: Difference) -> float | None:
    """The one number that is added to all elements, if there is one."""
    case, want, got = difference
    if want.size < 2:
        return None
    offset = float(np.mean(got.astype(np.float64) - want))
    return offset if same(function, got, want + offset, case) else None


def _is_moved(function: Function, difference: Difference, axis: int, by: int) -> bool:
    """Whether the numbers of one case are moved by so many places along an axis."""
    case, want, got = difference
    if want.shape[axis] <= abs(by):
        return False
    later, earlier = slice(abs(by), None), slice(None, -abs(by))
    here, there = (later, earlier) if by > 0 else (earlier, later)
    before = (slice(None),) * axis
    return same(function, got[(*before, here)], want[(*before, there)], case)


def _is_border(mask: NDArray[np.bool]) -> bool:
    height, width = mask.shape[-2:]
    return height > 2 and width > 2 and not mask[..., 1:-1, 1:-1].any()
