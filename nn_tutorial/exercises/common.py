"""What the wrong cases have in common, and the wrong elements of a result.

Only what separates them exactly is told: it holds wherever the answer is wrong, and nowhere else.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answers import same
from .exercise import Case, Function
from .matching import Attempt, Difference
from .wrong import Found, Wrong

LARGE = 100.0
CONDITIONS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("{a} is negative", lambda a: a < 0),
    ("{a} is positive", lambda a: a > 0),
    ("{a} is 0", lambda a: a == 0),
    ("{a} is not 0", lambda a: a != 0),
    ("{a} is at least 0", lambda a: a >= 0),
    ("{a} is at most 0", lambda a: a <= 0),
)


def elements_alike(wrong: Wrong) -> Found | None:
    """Those elements differ where a condition on an argument of the same shape holds."""
    masks = wrong.masks
    for name, arrays in wrong.arrays():
        if not all(a.shape == mask.shape for a, mask in zip(arrays, masks)):
            continue
        for text, of in CONDITIONS:
            conditions = [of(a) for a in arrays]
            if _separate(masks, conditions):
                return wrong.count | {"where": text.format(a=name)}
        found = _beyond(masks, arrays)
        if found is not None:
            return wrong.count | {"where": f"{name} is {found}"}
    wanted = [want.astype(np.float64) for _, want, _ in wrong.differences]
    for text, of in CONDITIONS:
        if _separate(masks, [of(w) for w in wanted]):
            what = text.format(a="what was expected")
            return wrong.count | {"where": what}
    found = _beyond(masks, wanted)
    return wrong.count | {"where": f"what was expected is {found}"} if found else None


def _separate(masks: Sequence[NDArray[np.bool]], conditions: Sequence[Any]) -> bool:
    """Whether exactly those elements differ for which a condition holds, on at least two cases."""
    both = [mask for mask in masks if mask.any() and not mask.all()]
    return len(both) > 1 and all(
        np.array_equal(mask, condition) for mask, condition in zip(masks, conditions)
    )


def _beyond(masks: Sequence[NDArray[np.bool]], arrays: Sequence[Any]) -> str | None:
    """Whether exactly the elements above, or below, some number differ; which number, in words."""
    both = [mask for mask in masks if mask.any() and not mask.all()]
    if len(both) < 2:
        return None
    off = np.concatenate([a[mask].ravel() for a, mask in zip(arrays, masks)])
    on = np.concatenate([a[~mask].ravel() for a, mask in zip(arrays, masks)])
    if not off.size or not on.size or not np.isfinite([*off, *on]).all():
        return None
    if off.min() > on.max():
        return f"{off.min():.4g} or more (up to {on.max():.4g} it is right)"
    if off.max() < on.min():
        return f"{off.max():.4g} or less (from {on.min():.4g} up it is right)"
    return None


def cases_alike(attempt: Attempt, wrong: Sequence[Case]) -> list[str]:
    """Return at most two things that hold on all the wrong cases and on none of the others.

    On each side there are at least two: of one case nearly everything is special.
    """
    every = attempt.cases
    bad = [any(case is w for w in wrong) for case in every]
    least, found = min(sum(bad), len(bad) - sum(bad)), dict[str, str]()
    if least < 2:
        return []
    for about, text, holds in _properties(attempt.function, every):
        if holds == bad and (least > 2 or about.startswith("!")):
            found.setdefault(about.removeprefix("!"), text)
    return list(found.values())[:2]


def too_fine_for_float32(attempt: Attempt, differences: Sequence[Difference]) -> bool:
    """Whether a result is wrong in float64 alone, by less than a test in float32 would notice."""
    wrong = [case for case, _, _ in differences]
    right = [case for case in attempt.cases if not any(case is w for w in wrong)]
    return {case.dtype.name for case in right} == {"float32"} and all(
        case.dtype == np.float64
        and want.shape == got.shape
        and same(attempt.function, got, want, replace(case, dtype=np.dtype(np.float32)))
        for case, want, got in differences
    )


def _properties(function: Function, cases: Sequence[Case]) -> Iterator[tuple[str, str, list[bool]]]:
    """Yield what may hold in a case, before it what it is about, and in which it holds.

    A mark stands before what says enough even where only two cases are on one side. Types and
    memory layouts are not among them: with other types the tests have other numbers too.
    """
    yield from _of_numbers(cases)
    yield from _of_values(function, cases)
    yield from _of_sizes(function, cases)


def _of_numbers(cases: Sequence[Case]) -> Iterator[tuple[str, str, list[bool]]]:
    first = cases[0].inputs
    plain = [name for name, value in first.items() if isinstance(value, (bool, int, float))]
    for name in plain:
        values = [case.inputs[name] for case in cases]
        if isinstance(values[0], bool):
            for wanted in (True, False):
                yield name, f"`{name}` is {wanted}", [v is wanted for v in values]
            continue
        for bound in (0, 1):
            yield name, f"`{name}` is above {bound}", [v > bound for v in values]
            yield name, f"`{name}` is {bound}", [v == bound for v in values]
        for value in dict.fromkeys(values):
            yield name, f"`{name}` is {value}", [v == value for v in values]
            yield name, f"`{name}` is not {value}", [v != value for v in values]
    numbers = [name for name in plain if not isinstance(first[name], bool)]
    for a, b in itertools.combinations(numbers, 2):
        pairs = [(case.inputs[a], case.inputs[b]) for case in cases]
        yield a, f"`{a}` is larger than `{b}`", [x > y for x, y in pairs]
        yield a, f"`{a}` is smaller than `{b}`", [x < y for x, y in pairs]
        yield a, f"`{a}` and `{b}` are not the same", [x != y for x, y in pairs]


def _of_sizes(function: Function, cases: Sequence[Case]) -> Iterator[tuple[str, str, list[bool]]]:
    sizes = [function.sizes(case.inputs) for case in cases]
    letters = [
        letter
        for letter in dict.fromkeys(k for axes in function.axes.values() for k in axes.split())
        if all(letter in of_case for of_case in sizes)
    ]
    for letter in letters:
        what = f"{letter} ({function.meanings[letter]})" if letter in function.meanings else letter
        yield "!" + letter, f"{what} is 1", [of_case[letter] == 1 for of_case in sizes]
        yield letter, f"{what} is above 1", [of_case[letter] > 1 for of_case in sizes]
        yield letter, f"{what} is odd", [of_case[letter] % 2 == 1 for of_case in sizes]
        yield letter, f"{what} is even", [of_case[letter] % 2 == 0 for of_case in sizes]
    for a, b in itertools.combinations(letters, 2):
        yield a, f"{a} and {b} are the same", [s[a] == s[b] for s in sizes]
        yield a, f"{a} and {b} are not the same", [s[a] != s[b] for s in sizes]
        yield a, f"`{a}` is larger than {b}", [s[a] > s[b] for s in sizes]
        yield a, f"{a} is smaller than {b}", [s[a] < s[b] for s in sizes]


def _of_values(function: Function, cases: Sequence[Case]) -> Iterator[tuple[str, str, list[bool]]]:
    for name, value in cases[0].inputs.items():
        called = function.called(name)
        if isinstance(value, tuple):
            lengths = [len(case.inputs[name]) for case in cases]
            for length in sorted(set(lengths)):
                yield "!" + name, f"{called} has {length} sizes", [n == length for n in lengths]
        if not isinstance(value, np.ndarray):
            continue
        arrays = [case.inputs[name] for case in cases]
        for ndim in sorted({a.ndim for a in arrays}):
            yield "!" + name, f"{called} has {ndim} axes", [a.ndim == ndim for a in arrays]
            yield "!" + name, f"{called} has more than {ndim} axes", [a.ndim > ndim for a in arrays]
        if value.dtype.kind != "f":
            continue
        yield (
            "!" + name,
            f"{called} holds numbers above {LARGE:g}",
            [bool((a > LARGE).any()) for a in arrays],
        )
        yield (
            "!" + name,
            f"{called} holds numbers below -{LARGE:g}",
            [bool((a < -LARGE).any()) for a in arrays],
        )
        yield (
            "!" + name,
            f"rows of {called} hold numbers that are more than 700 apart",
            [bool(a.ndim and (np.ptp(a, axis=-1) > 700).any()) for a in arrays],
        )
        yield (
            "!" + name,
            f"{called} holds numbers that are more than 700 apart",
            [bool(a.size and np.ptp(a) > 700) for a in arrays],
        )
        yield name, f"{called} holds negative numbers", [bool((a < 0).any()) for a in arrays]
        yield name, f"{called} holds zeros", [bool((a == 0).any()) for a in arrays]
        yield name, f"{called} holds no zero", [not (a == 0).any() for a in arrays]
