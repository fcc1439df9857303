"""Patterns of a wrong result beside the arguments; each holds on every case that is wrong.

A result may be made of the arguments in a simple way (`dbias` is the mean of `dy` over axis 0), or
be what was expected and an argument too much (`y` is too large by 2 times `bias`).
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from . import naming
from .wrong import Array, Found, Wrong

MOST_AXES = 4
SIMPLE: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("{a} itself", lambda a: a),
    ("{a} with the sign flipped", np.negative),
    ("{a} with 0 for all that is negative", lambda a: np.maximum(a, 0)),
    ("the absolute value of {a}", np.abs),
    ("the square of {a}", np.square),
    ("1 where {a} is positive, else 0", lambda a: (a > 0) * 1.0),
    ("e to the power of {a}", np.exp),
    ("the logarithm of {a}", np.log),
    ("{a} divided by its sum along the last axis", lambda a: a / a.sum(-1, keepdims=True)),
    ("{a} times (1 - {a})", lambda a: a * (1 - a)),
)
OF_TWO: tuple[tuple[str, Callable[[Array, Array], Array]], ...] = (
    ("{a} times {b}", np.multiply),
    ("{a} plus {b}", np.add),
    ("{a} minus {b}", np.subtract),
    ("{b} minus {a}", lambda a, b: b - a),
    ("{a} where {b} is positive, else 0", lambda a, b: a * (b > 0)),
    ("{b} where {a} is positive, else 0", lambda a, b: b * (a > 0)),
    ("{a} over {b}", np.divide),
    ("{b} over {a}", lambda a, b: b / a),
    ("{a} @ {b}", np.matmul),
    ("{b} @ {a}", lambda a, b: b @ a),
    ("{a}.T @ {b}", lambda a, b: a.T @ b),
    ("{b}.T @ {a}", lambda a, b: b.T @ a),
    ("{a} @ {b}.T", lambda a, b: a @ b.T),
    ("{b} @ {a}.T", lambda a, b: b @ a.T),
)
REDUCED: tuple[tuple[str, Callable[..., Array]], ...] = (
    ("the sum of {of} over {axes}", np.sum),
    ("the mean of {of} over {axes}", np.mean),
    ("the largest of {of} over {axes}", np.max),
    ("the smallest of {of} over {axes}", np.min),
    ("the sum of the squares of {of} over {axes}", lambda a, axis: (a * a).sum(axis)),
    ("the variance of {of} over {axes}", np.var),
    ("the standard deviation of {of} over {axes}", np.std),
    ("{of} at the first index of {axes}", lambda a, axis: _taken(a, axis, 0)),
    ("{of} at the last index of {axes}", lambda a, axis: _taken(a, axis, -1)),
)


ASKS = {
    1.0: ": is it added once too often, or not subtracted",
    -1.0: ": is it left out, or subtracted once too often",
    2.0: ": is it added where it should be subtracted",
    -2.0: ": is it subtracted where it should be added",
}


def made_of_arguments(wrong: Wrong) -> Found | None:
    """What a simple formula makes of one argument, or of two."""
    if len(wrong.differences) < 2 or wrong.value is not None:
        return None
    for what, values in _formulas(wrong):
        if wrong.are(values):
            return {"what": what}
    for what, values in itertools.chain(_formulas(wrong), wrong.arrays()):
        found = _reduced(wrong, what, values)
        if found:
            return {"what": found}
    return None


def _formulas(wrong: Wrong) -> Iterator[tuple[str, list[Array]]]:
    arguments = list(wrong.arrays())
    for name, arrays in arguments:
        for text, of in SIMPLE:
            if all(a.ndim for a in arrays):
                yield text.format(a=name), [of(a) for a in arrays]
    for (a, xs), (b, ys) in itertools.combinations(arguments, 2):
        for text, of_two in OF_TWO:
            try:
                values = [of_two(x, y) for x, y in zip(xs, ys)]
            except ValueError:  # shapes that do not fit
                continue
            yield text.format(a=a, b=b), values


def _reduced(wrong: Wrong, what: str, values: Sequence[Array]) -> str | None:
    """The formula, summed or otherwise reduced over some axes."""
    ndims = {v.ndim for v in values}
    wanted = [got.ndim for _, _, got in wrong.differences]
    if len(ndims) != 1 or len(set(wanted)) != 1:
        return None
    (ndim,) = ndims
    if not 0 < ndim - wanted[0] <= MOST_AXES:
        return None
    plain = what.removesuffix(" itself")
    for axes in itertools.combinations(range(ndim), ndim - wanted[0]):
        name = f"ax{'i' if len(axes) == 1 else 'e'}s {' and '.join(map(str, axes))}"
        for text, of in REDUCED:
            if wrong.are([of(v, axis=axes) for v in values]):
                return text.format(of=plain, axes=name)
    return None


def _taken(array: Array, axes: tuple[int, ...], index: int) -> Array:
    return array[tuple(index if k in axes else slice(None) for k in range(array.ndim))]


def plus_an_argument(wrong: Wrong) -> Found | None:
    """What was expected, and an argument, or a multiple of it, too much or too little."""
    found = _multiple(wrong, [want.astype(np.float64) for _, want, _ in wrong.differences])
    if found is None:
        return None
    name, times, example, numbers = found
    number = naming.constant(numbers)
    asks = next((t for c, t in ASKS.items() if number and naming.close(c, number)), "")
    way = "large" if example > 0 else "small"
    return {"way": way, "times": times, "argument": name, "asks": asks}


def multiple_of_an_argument(wrong: Wrong) -> Found | None:
    """A multiple of an argument, and nothing else."""
    found = _multiple(wrong, [np.zeros(want.shape) for _, want, _ in wrong.differences])
    if found is None:
        return None
    name, times, example, _ = found
    return {"times": ("-" if example < 0 else "") + times, "argument": name}


def _multiple(wrong: Wrong, start: Sequence[Array]) -> tuple[str, str, float, list[float]] | None:
    """The argument of which a multiple was added: its name, the multiple in words, and the number
    in the example and in each case."""
    if len(wrong.differences) < 2 or not wrong.fits:
        return None
    for name, of in _aligned(wrong):
        numbers = _multiples(wrong, start, of)
        if numbers is not None:
            times, example = _multiple_text(wrong, numbers)
            if times is not None:
                return name, times, example, numbers
    return None


def _multiples(wrong: Wrong, wanted: Sequence[Array], of: Sequence[Array]) -> list[float] | None:
    """How many times an argument is in the differences, case by case."""
    found = []
    for (_, _, got), start, value in zip(wrong.differences, wanted, of):
        rest = got.astype(np.float64) - start
        square = float((value * value).sum())
        if not square or not np.isfinite(rest).all():
            return None
        found.append(float((rest * value).sum()) / square)
    sums = [want + c * value for want, c, value in zip(wanted, found, of)]
    return found if all(abs(c) > 1e-6 for c in found) and wrong.are(sums) else None


def _multiple_text(wrong: Wrong, numbers: Sequence[float]) -> tuple[str | None, float]:
    """In words how many times it is; None if it is another number each time without a name."""
    sizes = [abs(n) for n in numbers]
    if len({n > 0 for n in numbers}) > 1:
        return None, 0.0
    if (c := naming.constant(sizes)) is not None:
        text = naming.constant_text(c) or f"{c:.4g}"
        return ("" if text == "1" else f"{text} times "), numbers[0]
    found = naming.named(sizes, wrong.named)
    if found:
        name, power = found
        return (f"{name.text} times " if power > 0 else f"1 / ({name.text}) times "), numbers[0]
    for name in wrong.named:
        ratios = [n / v if v else np.nan for n, v in zip(sizes, name.values)]
        if (c := naming.constant(ratios)) is not None:
            return f"{naming.constant_text(c) or f'{c:.4g}'} times {name.text} times ", numbers[0]
    return None, 0.0


def times_an_argument(wrong: Wrong) -> Found | None:
    """What was expected, multiplied or divided by an argument, element by element."""
    if len(wrong.differences) < 2 or not wrong.fits:
        return None
    wanted = [want.astype(np.float64) for _, want, _ in wrong.differences]
    for name, of in _aligned(wrong):
        if wrong.are([w * v for w, v in zip(wanted, of)]):
            return {"way": "multiplied", "argument": name}
        if wrong.are([w / v for w, v in zip(wanted, of)]):
            return {"way": "divided", "argument": name}
    return None


def _aligned(wrong: Wrong) -> Iterator[tuple[str, list[Array]]]:
    """Each argument in the shape of the result: as it is, or one number for an index."""
    shapes = [want.shape for _, want, _ in wrong.differences]
    for name, arrays in wrong.arrays():
        if all(a.shape == shape for a, shape in zip(arrays, shapes)):
            yield name, arrays
        if not all(a.ndim == 1 for a in arrays):
            continue
        for axis in range(min(map(len, shapes))):
            if all(len(a) == shape[axis] for a, shape in zip(arrays, shapes)):
                yield (
                    name,
                    [
                        np.broadcast_to(a.reshape([-1] + [1] * (len(s) - axis - 1)), s)
                        for a, s in zip(arrays, shapes)
                    ],
                )
