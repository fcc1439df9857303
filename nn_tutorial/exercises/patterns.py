"""Patterns of a wrong result beside the right one; each holds on every case that is wrong.

A pattern is a function: it returns what its sentence in `wording.py` needs, or None where it does
not fit. The order there counts: each pattern may rely on those before it not fitting. What has to
do with the arguments is in `arguments.py`, and what the cases have in common in `common.py`.
"""

import itertools
from collections.abc import Callable

import numpy as np

from . import naming
from .answers import same
from .exercise import Function
from .matching import Difference
from .wrong import Array, Found, Wrong


def axis_of_one(wrong: Wrong) -> Found | None:
    """The right numbers, with an axis of size 1 too many or too few."""
    fits = all(
        want.shape != got.shape
        and [n for n in want.shape if n != 1] == [n for n in got.shape if n != 1]
        and same(wrong.function, got.reshape(want.shape), want, case)
        for case, want, got in wrong.differences
    )
    _, want, got = wrong.example
    more = "many" if got.ndim > want.ndim else "few"
    return {"got": got.shape, "want": want.shape, "more": more} if fits else None


def transposed(wrong: Wrong) -> Found | None:
    """The transpose of what was expected."""
    fits = all(
        want.ndim == 2 and got.shape == want.shape[::-1] and same(wrong.function, got.T, want, case)
        for case, want, got in wrong.differences
    )
    return {} if fits else None


def axes_in_another_order(wrong: Wrong) -> Found | None:
    """The right numbers, their axes in another order."""
    ndim = {array.ndim for _, want, got in wrong.differences for array in (want, got)}
    if len(ndim) != 1 or not 2 < min(ndim) < 6:
        return None
    for order in itertools.permutations(range(min(ndim))):
        if all(
            got.shape == tuple(want.shape[k] for k in order)
            and same(wrong.function, got, want.transpose(order), case)
            for case, want, got in wrong.differences
        ):
            return {"order": ", ".join(map(str, order))}
    return None


def summed_shape(wrong: Wrong) -> Found | None:
    """A shape too large: one axis is still to be summed, or averaged, to give what was expected."""
    for axis in range(3):
        for way in ("sum", "mean"):
            if all(
                got.ndim == want.ndim + 1
                and got.ndim > axis
                and same(wrong.function, getattr(got, way)(axis=axis), want, case)
                for case, want, got in wrong.differences
            ):
                _, want, got = wrong.example
                return {"got": got.shape, "want": want.shape, "axis": axis, "way": way}
    return None


def same_total(wrong: Wrong) -> Found | None:
    """Another shape, and the sum of all numbers is right: another axis was summed."""
    fits = all(
        want.size and got.size and np.isclose(got.sum(), want.sum(), rtol=1e-4, atol=1e-6)
        for _, want, got in wrong.differences
    )
    other = [(want, got) for _, want, got in wrong.differences if want.shape != got.shape]
    return {"got": other[0][1].shape, "want": other[0][0].shape} if fits and other else None


def part_of_it(wrong: Wrong) -> Found | None:
    """A shape too small: the beginning or the end of what was expected."""
    for words, cut in (("beginning", slice(None)), ("end", slice(None, None, -1))):
        if all(
            got.ndim == want.ndim
            and got.shape != want.shape
            and all(a <= b for a, b in zip(got.shape, want.shape))
            and _is_corner(wrong.function, difference, cut)
            for difference in wrong.differences
            for _, want, got in [difference]
        ):
            _, want, got = wrong.example
            return {"got": got.shape, "want": want.shape, "part": words}
    return None


def _is_corner(function: Function, difference: Difference, cut: slice) -> bool:
    case, want, got = difference
    if not want.ndim:
        return False
    ways = (cut,) * want.ndim
    corner = want[ways][tuple(slice(n) for n in got.shape)]
    return same(function, got[ways], corner, case)


def other_shape(wrong: Wrong) -> Found | None:
    """A shape that is not the expected one, on some case: the first of them is told."""
    for case, want, got in wrong.differences:
        if want.shape != got.shape:
            sizes = wrong.function.sizes(case.inputs)
            named = {k: v for k, v in sizes.items() if k in wrong.function.meanings and k.isupper()}
            return {"got": got.shape, "want": want.shape, "sizes": named}
    return None


def whole_numbers(wrong: Wrong) -> Found | None:
    """A result of an integer type, though floats were asked for."""
    differences = wrong.differences
    if not all(got.dtype.kind in "iub" for _, _, got in differences):
        return None
    if any(want.dtype.kind != "f" for _, want, _ in differences):
        return None
    cut = all(
        same(wrong.function, got, np.trunc(want), case)
        or same(wrong.function, got, np.round(want), case)
        for case, want, got in differences
    )
    return {"dtype": str(wrong.example.got.dtype), "cut": cut}


def too_coarse(wrong: Wrong) -> Found | None:
    """The right numbers, in a type with fewer digits than the input's."""
    case, _, got = wrong.example
    for of_case, want, own in wrong.differences:
        if own.dtype.kind != "f" or own.dtype.itemsize >= of_case.dtype.itemsize:
            return None
        near = np.finfo(own.dtype).eps * 8
        if own.shape != want.shape or not np.allclose(own, want, rtol=near, atol=near):
            return None
    return {"dtype": str(got.dtype), "wanted": str(case.dtype)}


def not_finite(wrong: Wrong) -> Found | None:
    """Elements that are nan or infinite, though the result as a whole may have other faults."""
    if any(np.isfinite(got).all() for _, _, got in wrong.differences):
        return None
    got = wrong.example.got
    return {"odd": int((~np.isfinite(got)).sum()), "size": got.size}


def always_one_number(wrong: Wrong) -> Found | None:
    """All elements are the same number, on every case."""
    if wrong.scalar or not wrong.fits or not all(got.size for _, _, got in wrong.differences):
        return None
    value = float(wrong.example.got.flat[0])
    if not np.isfinite(value):
        return None
    number = [np.full(want.shape, value) for _, want, _ in wrong.differences]
    fits = (
        wrong.are(number)
        if value
        else all(
            same(wrong.function, want + got, want, case) for case, want, got in wrong.differences
        )
    )
    return {"value": value + 0.0} if fits and len(wrong.differences) > 1 else None


def always_one_scalar(wrong: Wrong) -> Found | None:
    """One number is asked for, and it is the same on every case, whatever was expected."""
    fits = wrong.scalar and wrong.fits and wrong.value is not None
    return {"value": wrong.value} if fits else None


def number_for_an_array(wrong: Wrong) -> Found | None:
    """One number, the same on every case, where an array is asked for."""
    if any(got.ndim or not want.ndim for _, want, got in wrong.differences):
        return None
    shape = wrong.example.expected.shape
    return None if wrong.value is None else {"value": wrong.value, "want": shape}


def one_number_each(wrong: Wrong) -> Found | None:
    """All elements of a case are the same number."""
    several = [d for d in wrong.differences if d.expected.size > 1]
    fits = len(several) > 1 and all(
        same(wrong.function, got, np.full(want.shape, got.flat[0]), case)
        for case, want, got in wrong.differences
    )
    return {} if fits else None


def wrong_sign(wrong: Wrong) -> Found | None:
    """All elements times −1."""
    fits = wrong.factors and all(naming.close(f, -1) for f in wrong.factors)
    return {} if fits else None


def times_a_size(wrong: Wrong) -> Found | None:
    """All elements times, or divided by, a size or fact that the exercise has a name for."""
    if wrong.factors is None or (wrong.scalar and len(wrong.factors) < 2):
        return None
    for _, name in naming.meanings(wrong.function, wrong.cases):
        for power, way in ((1, "large"), (-1, "small")):
            fits = [v and naming.close(f, v**power) for f, v in zip(wrong.factors, name.values)]
            if all(fits):
                shown = name.values[wrong.place]
                return {"times": f"{shown:.6g}", "way": way, "meaning": name.text}
    return None


def one_factor(wrong: Wrong) -> Found | None:
    """All elements times one number, the same on every case; of a scalar, one that has a name."""
    factors = wrong.factors
    if factors is None or not all(naming.close(f, factors[0]) for f in factors):
        return None
    text = naming.constant_text(factors[0])
    if wrong.scalar and (text is None or len(factors) < 2):
        return None
    same_number = text is None or text == f"{factors[0]:.4g}"
    return {"factor": factors[0], "name": "" if same_number else f" ({text})"}


def named_factor(wrong: Wrong) -> Found | None:
    """All elements times, or divided by, another number that has a name."""
    found = wrong.factors and naming.named(wrong.factors, wrong.named)
    if not found:
        return None
    name, power = found
    way = "multiplied" if power > 0 else "divided"
    return {"way": way, "by": name.text, "value": name.values[wrong.place]}


def another_factor_each(wrong: Wrong) -> Found | None:
    """All elements times one number, another one on other cases."""
    several = [d for d in wrong.differences if d.expected.size > 1]
    if wrong.factors is None or len(several) < 2:
        return None
    return {"factor": wrong.factors[wrong.place]}


def one_offset(wrong: Wrong) -> Found | None:
    """The same number more in all elements, on every case."""
    offset = naming.constant(wrong.offsets) if wrong.offsets else None
    return {"offset": offset} if offset is not None else None


def another_offset_each(wrong: Wrong) -> Found | None:
    """One number more in all elements of a case."""
    several = [d for d in wrong.differences if d.expected.size > 1]
    if not wrong.offsets or len(several) < 2:
        return None
    return {"offset": wrong.offsets[wrong.place]}


ELEMENTWISE: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("the absolute value of what was expected", np.abs),
    ("the square of what was expected", np.square),
    ("the root of what was expected", np.sqrt),
    ("1 over what was expected", lambda v: 1 / v),
    ("the logarithm of what was expected", np.log),
    ("e to the power of what was expected", np.exp),
    ("the logarithm of 1 plus what was expected", np.log1p),
    ("what was expected, with 0 for all that is negative", lambda v: np.maximum(v, 0)),
    ("what was expected, with 0 for all that is positive", lambda v: np.minimum(v, 0)),
    ("what was expected, cut to whole numbers", np.trunc),
    ("what was expected, rounded down to whole numbers", np.floor),
    ("what was expected, rounded to whole numbers", np.round),
    ("1 minus what was expected", lambda v: 1 - v),
    ("the sign of what was expected, 1 or -1", np.sign),
    ("the tanh of what was expected", np.tanh),
    ("the logistic function of what was expected", lambda v: 1 / (1 + np.exp(-v))),
)
ALONG: tuple[tuple[str, Callable[[Array, int], Array]], ...] = (
    ("reversed (the last comes first) along axis {axis}", np.flip),
    ("sorted along axis {axis}", np.sort),
    ("added up step by step (a cumulative sum) along axis {axis}", np.cumsum),
    ("rolled by one place along axis {axis}", lambda v, k: np.roll(v, 1, k)),
    ("rolled back by one place along axis {axis}", lambda v, k: np.roll(v, -1, k)),
    ("divided by its sum along axis {axis}", lambda v, k: v / v.sum(k, keepdims=True)),
    ("less its mean along axis {axis}", lambda v, k: v - v.mean(k, keepdims=True)),
    ("the mean along axis {axis}, in each place", lambda v, k: v.mean(k, keepdims=True) + 0 * v),
    ("the sum along axis {axis}, in each place", lambda v, k: v.sum(k, keepdims=True) + 0 * v),
    ("the first along axis {axis}, in each place", lambda v, k: v.take([0], k) + 0 * v),
    ("the last along axis {axis}, in each place", lambda v, k: v.take([-1], k) + 0 * v),
)


def of_the_expected(wrong: Wrong) -> Found | None:
    """A function of what was expected, element by element or along an axis."""
    wanted = [want.astype(np.float64) for _, want, _ in wrong.differences]
    if len(wanted) < 2 or not wrong.fits:
        return None
    for what, of in ELEMENTWISE:
        if wrong.are([of(want) for want in wanted]):
            return {"what": what}
    for axis in range(min(want.ndim for want in wanted)):
        for what, along in ALONG:
            if wrong.are([along(want, axis) for want in wanted]):
                return {"what": "what was expected, " + what.format(axis=axis)}
    if min(want.ndim for want in wanted) > 2 and wrong.are([w[..., ::-1, ::-1] for w in wanted]):
        return {"what": "what was expected, rotated by 180° in its last two axes"}
    return None


def another_result(wrong: Wrong) -> Found | None:
    """Another result of the same function, as it should be, or as it came."""
    attempt, cases = wrong.attempt, wrong.cases
    places = [i for i, case in enumerate(attempt.cases) if any(case is c for c in cases)]
    if len(places) < 2:
        return None
    for other, name in enumerate(attempt.names):
        if other != wrong.result and wrong.are([attempt.right[i][other] for i in places]):
            return {"other": name}
    return None


def moved(wrong: Wrong) -> Found | None:
    """The right numbers, some places up or down along one axis."""
    for axis in range(min(want.ndim for _, want, _ in wrong.differences)):
        for by in (1, -1, 2, -2):
            told = [_is_moved(wrong.function, d, axis, by) for d in wrong.differences]
            if min(told) > 0 and max(told) > 1:
                places = f"{abs(by)} place{'s' * (abs(by) > 1)}"
                return {"places": places, "way": "up" if by > 0 else "down", "axis": axis}
    return None


def other_order(wrong: Wrong) -> Found | None:
    """The right numbers in another order."""
    several = [d for d in wrong.differences if d.expected.size > 1]
    fits = len(several) == len(wrong.differences) and all(
        same(wrong.function, np.sort(got, axis=None), np.sort(want, axis=None), case)
        for case, want, got in several
    )
    return {} if fits else None


def each_line_multiplied(wrong: Wrong) -> Found | None:
    """Along one axis the ratio to what was expected does not change."""
    return _constant_along(wrong, lambda want, got: got / want)


def each_line_raised(wrong: Wrong) -> Found | None:
    """Along one axis the difference to what was expected does not change."""
    return _constant_along(wrong, lambda want, got: got - want)


def _constant_along(wrong: Wrong, compare: Callable[[Array, Array], Array]) -> Found | None:
    for axis in range(min(want.ndim for _, want, _ in wrong.differences)):
        several = 0
        for case, want, got in wrong.differences:
            other = compare(want.astype(np.float64), got.astype(np.float64))
            line = other.take([0], axis) if other.shape[axis] else other
            tolerance = 1e-6 if case.dtype == np.float64 else 1e-3
            if not np.allclose(other, line, rtol=tolerance, atol=tolerance):
                break
            several += other.shape[axis] > 1
        else:
            if several > 1:
                return {"axis": axis}
    return None


def scalar_not_finite(wrong: Wrong) -> Found | None:
    """One number is asked for, and it is nan or infinite in the example."""
    _, want, got = wrong.example
    if not wrong.scalar or not wrong.fits or np.isfinite(got).all():
        return None
    return {"got": str(float(got.item())), "want": float(want.item())}


def single_number(wrong: Wrong) -> Found | None:
    """A result that is one number."""
    if not wrong.scalar:
        return None
    _, want, got = wrong.example
    a, b = float(want.item()), float(got.item())
    if not np.isfinite([a, b]).all():
        return None
    ways = {float(g.item()) > float(w.item()) for _, w, g in wrong.differences}
    way = "large" if b > a else "small"
    always = len(ways) == 1 and len(wrong.differences) > 1
    often = f", and too {way} on every test where it is wrong" if always else ""
    return {"got": b, "want": a, "by": abs(b - a), "way": way, "often": often}


def everywhere(wrong: Wrong) -> Found | None:
    """All elements differ."""
    return {} if all(mask.all() for mask in wrong.masks) else None


def one_index(wrong: Wrong) -> Found | None:
    """Elements of one index of an axis: the first, the last, or another in the example."""
    masks = [mask for mask in wrong.masks if mask.size > 1]
    for axis in range(min((mask.ndim for mask in masks), default=0)):
        if len(masks) < 2 or any(mask.shape[axis] == 1 for mask in masks):
            continue
        lines = [sorted(set(np.nonzero(mask)[axis].tolist())) for mask in masks]
        for place, words in (
            (0, "the first index"),
            (-1, "the last index"),
            (1, "index 1"),
        ):
            if all(rows == [place % mask.shape[axis]] for rows, mask in zip(lines, masks)):
                return wrong.count | {"which": f"{words} of axis {axis}"}
        for rest, words in ((0, "all but the first index"), (-1, "all but the last index")):
            if all(
                rows and rest % mask.shape[axis] not in rows for rows, mask in zip(lines, masks)
            ):
                return wrong.count | {"which": f"{words} of axis {axis}"}
    return None


def at_the_border(wrong: Wrong) -> Found | None:
    """Elements at the border of the last two axes, none inside."""
    masks = [mask for mask in wrong.masks if mask.ndim >= 2 and min(mask.shape[-2:]) > 2]
    fits = len(masks) > 1 and not any(mask[..., 1:-1, 1:-1].any() for mask in masks)
    return wrong.count if fits else None


def zero_for_other(wrong: Wrong) -> Found | None:
    """Elements that are 0 and should not be."""
    fits = all(
        mask.any() and (want[mask] != 0).all() and (got[mask] == 0).all()
        for mask, (_, want, got) in zip(wrong.masks, wrong.differences)
    )
    return wrong.count if fits else None


def other_for_zero(wrong: Wrong) -> Found | None:
    """Elements that should be 0 and are not."""
    fits = all(
        mask.any() and (want[mask] == 0).all()
        for mask, (_, want, _) in zip(wrong.masks, wrong.differences)
    )
    return wrong.count if fits else None


def no_pattern(wrong: Wrong) -> Found | None:
    """Nothing of the above; always fits."""
    return wrong.count


def _is_moved(function: Function, difference: Difference, axis: int, by: int) -> int:
    """How many different lines of one case are moved by so many places along an axis.

    0 where the places that can be compared are fewer than half of all, or are right as they are:
    there equal lines of the right answer would be taken for moved ones.
    """
    case, want, got = difference
    if want.shape[axis] < 2 * abs(by):
        return 0
    later, earlier = slice(abs(by), None), slice(None, -abs(by))
    here, there = (later, earlier) if by > 0 else (earlier, later)
    before = (slice(None),) * axis
    own, right, moved = got[(*before, here)], want[(*before, here)], want[(*before, there)]
    if not same(function, own, moved, case) or same(function, own, right, case):
        return 0
    return np.unique(moved, axis=axis).shape[axis]
