"""What is wrong with an answer: a known mistake, or else the pattern of the differences."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import shared
from .exercise import Case, Function, Misconception
from .sandbox import Outcome

TOLERANCE = {"float64": 1e-8, "float32": 2e-4}


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is wrong.

    Attributes
    ----------
    says : str
        In plain words.
    misconception : Misconception or None
        The known mistake, if it is one.
    result : str or None
        The name of the wrong result.
    case : Case or None
        The smallest case on which it is wrong.
    expected, got : ndarray or None
        The arrays of that case.
    """

    says: str
    misconception: Misconception | None = None
    result: str | None = None
    case: Case | None = None
    expected: NDArray[Any] | None = None
    got: NDArray[Any] | None = None


@dataclass(frozen=True)
class Answer:
    """Results of one call as they are compared, none if it raised, and what it changed."""

    results: tuple[NDArray[Any], ...]
    changed: dict[int, NDArray[Any]] = field(default_factory=dict)


def expected(function: Function, case: Case) -> tuple[NDArray[Any], ...]:
    """Return the book's own answer, computed in float64.

    Parameters
    ----------
    function : Function
    case : Case
    """
    return _as_arrays(function.reference(*case.arguments(np.float64)))


def judged(function: Function, case: Case, results: Sequence[Any]) -> tuple[NDArray[Any], ...]:
    """Return what is compared: the results, or what the function's judge makes of them."""
    if function.judge is None:
        return tuple(np.asarray(r) for r in results)
    with np.errstate(all="ignore"):
        return tuple(np.asarray(r) for r in function.judge(case.inputs, *results))


def mistaken(function: Function, misconception: Misconception, case: Case) -> Answer:
    """Return what the known mistake gives on a case, in the dtype of the case."""
    arguments = case.arguments()
    before = shared.copies(arguments)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = _as_arrays(misconception.wrong(*arguments))
    except Exception:  # a mistake may also be one that raises
        return Answer(())
    changed = shared.changed(before, arguments)
    right = [np.shape(e) for e in expected(function, case)]
    if function.judge and [r.shape for r in results] == right:
        results = judged(function, case, results)
    return Answer(results, changed)


def same(function: Function, a: NDArray[Any], b: NDArray[Any], case: Case) -> bool:
    """Whether two results are equal up to rounding."""
    if a.shape != b.shape:
        return False
    return bool(equal(function, a, b, case).all())


def equal(function: Function, a: NDArray[Any], b: NDArray[Any], case: Case) -> NDArray[np.bool]:
    """Which elements of two results of one shape are equal up to rounding."""
    tolerance = function.tolerance or TOLERANCE[case.dtype.name]
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.abs(b[np.isfinite(b)])
    scale = float(finite.max()) if finite.size else 1.0
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= tolerance * max(scale, 1e-12)
    return near | (a == b) | (np.isnan(a) & np.isnan(b))


def diagnose(
    function: Function, cases: Sequence[Case], outcomes: Sequence[Outcome]
) -> list[Diagnosis]:
    """Say what is wrong with the answers of a learner's function that gave answers.

    A known mistake is named only where it gives what the learner's code gives on every case.

    Parameters
    ----------
    function : Function
    cases : sequence of Case
    outcomes : sequence of Outcome
        Of these cases; those without results are passed over.

    Returns
    -------
    list of Diagnosis
        Empty where everything is right.
    """
    pairs = [(c, o) for c, o in zip(cases, outcomes, strict=True) if o.results is not None]
    if not pairs:
        return []
    shown = [case for case, _ in pairs]
    raw = [expected(function, case) for case in shown]
    names, right, got = function.returns, raw, []
    fits = all(
        [r.shape for r in o.results or []] == [e.shape for e in want]
        for (_, o), want in zip(pairs, raw)
    )
    if function.judge and fits:
        names = function.judged
        right = [judged(function, c, want) for c, want in zip(shown, raw)]
    for case, outcome in pairs:
        assert outcome.results is not None
        answer = judged(function, case, outcome.results) if function.judge and fits else None
        got.append(Answer(answer or tuple(outcome.results), outcome.changed))
    wrong = [
        r
        for r in range(len(names))
        if not all(same(function, g.results[r], e[r], c) for g, e, c in zip(got, right, shown))
    ]
    changed = any(g.changed for g in got)
    if not wrong and not changed:
        return _types(function, pairs)
    answers = {
        m.name: [mistaken(function, m, case) for case in shown] for m in function.misconceptions
    }
    found = []
    whole = [m for m in function.misconceptions if _is(function, answers[m.name], got, shown, None)]
    if whole:
        first = wrong[0] if wrong else None
        return [_named(function, whole[0], names, first, shown, right, got)]
    left = list(wrong)
    while left:  # a known mistake for each result, the one that explains most first
        able = [
            (sum(_is(function, answers[m.name], got, shown, r) for r in left), -i, m)
            for i, m in enumerate(function.misconceptions)
            if any(
                _is(function, answers[m.name], got, shown, r)
                and not _is(function, answers[m.name], [Answer(e) for e in right], shown, r)
                for r in left
            )
        ]
        if not able:
            break
        best = max(able, key=lambda entry: entry[:2])[2]
        explained = [r for r in left if _is(function, answers[best.name], got, shown, r)]
        found.append(_named(function, best, names, explained[0], shown, right, got))
        left = [r for r in left if r not in explained]
    found += [_unnamed(function, names, r, shown, right, got) for r in left]
    if changed and not any(
        d.misconception and any(a.changed for a in answers[d.misconception.name]) for d in found
    ):
        arguments = list(shown[0].inputs)
        which = sorted({arguments[i] for g in got for i in g.changed})
        found.append(
            Diagnosis(
                f"`{function.name}` changed its argument {' and '.join(which)}. Whoever called it "
                "still needs that array: write the result into a new one."
            )
        )
    return found


def _is(
    function: Function,
    answers: Sequence[Answer],
    got: Sequence[Answer],
    cases: Sequence[Case],
    result: int | None,
) -> bool:
    """Whether a mistake gives these answers on every case: all of them, or one of the results."""
    for answer, own, case in zip(answers, got, cases):
        a, b = answer.results, own.results
        if len(a) != len(b):
            return False
        if result is None and not _changes(function, answer, own, case):
            return False
        these = range(len(a)) if result is None else [result]
        if not all(same(function, b[r], a[r], case) for r in these):
            return False
    return True


def _changes(function: Function, a: Answer, b: Answer, case: Case) -> bool:
    """Whether two calls have changed the same arguments in the same way."""
    return a.changed.keys() == b.changed.keys() and all(
        same(function, b.changed[i], a.changed[i], case) for i in a.changed
    )


def _example(
    function: Function,
    result: int,
    cases: Sequence[Case],
    right: Sequence[Any],
    got: Sequence[Answer],
) -> tuple[Case, NDArray[Any], NDArray[Any]]:
    """The smallest case on which a result is wrong."""
    bad = [
        (case.size, i)
        for i, (case, e, g) in enumerate(zip(cases, right, got))
        if not same(function, g.results[result], e[result], case)
    ]
    i = min(bad)[1]
    return cases[i], right[i][result], got[i].results[result]


def _named(
    function: Function,
    misconception: Misconception,
    names: Sequence[str],
    result: int | None,
    cases: Sequence[Case],
    right: Sequence[Any],
    got: Sequence[Answer],
) -> Diagnosis:
    if result is None:
        case = cases[0]
        says = misconception.says.format(**_written(function.sizes(case.inputs)))
        return Diagnosis(says, misconception, case=case)
    case, want, own = _example(function, result, cases, right, got)
    says = misconception.says.format(**_written(function.sizes(case.inputs)))
    return Diagnosis(says, misconception, names[result], case, want, own)


def _written(sizes: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.4g}" for name, value in sizes.items()}


def _unnamed(
    function: Function,
    names: Sequence[str],
    result: int,
    cases: Sequence[Case],
    right: Sequence[Any],
    got: Sequence[Answer],
) -> Diagnosis:
    """No known mistake fits: say which elements differ, and in which pattern."""
    name = names[result]
    pairs = [(case, e[result], g.results[result]) for case, e, g in zip(cases, right, got)]
    bad = [(c, e, g) for c, e, g in pairs if not same(function, g, e, c)]
    case, want, own = min(bad, key=lambda entry: entry[0].size)
    says = pattern(function, name, bad)
    if len(bad) < len(pairs):
        says += f" It is right on {len(pairs) - len(bad)} of {len(pairs)} tests."
    return Diagnosis(says, None, name, case, want, own)


def pattern(
    function: Function,
    name: str,
    bad: Sequence[tuple[Case, NDArray[Any], NDArray[Any]]],
) -> str:
    """Describe how a result differs, in a way that holds on every case where it does.

    Parameters
    ----------
    function : Function
    name : str
        Of the result.
    bad : sequence of (Case, expected, got)
    """
    case, want, own = min(bad, key=lambda entry: entry[0].size)
    if all(
        e.ndim == 2 and g.shape == e.shape[::-1] and same(function, g.T, e, c) for c, e, g in bad
    ):
        return f"`{name}` is the transpose of what was expected."
    if any(g.shape != e.shape for _, e, g in bad):
        case, want, own = next(entry for entry in bad if entry[1].shape != entry[2].shape)
        return (
            f"`{name}` has the shape {_shape(own)}, expected {_shape(want)}"
            f"{_sizes(function, case)}. No known mistake gives exactly these numbers."
        )
    if all(not np.isfinite(g).all() for _, _, g in bad):
        odd = int((~np.isfinite(own)).sum())
        return (
            f"{odd} of {own.size} elements of `{name}` are not finite (nan or inf): look for a "
            "division by zero, a logarithm of zero, or an exponential that overflows."
        )
    factors = [f for c, e, g in bad if (f := _factor(function, c, e, g)) is not None]
    if len(factors) == len(bad):
        return _factor_text(function, name, [c for c, _, _ in bad], factors)
    offsets = [o for c, e, g in bad if (o := _offset(function, c, e, g)) is not None]
    if len(offsets) == len(bad):
        return (
            f"Every element of `{name}` is {_number(offsets[0])} too large, in the example; the "
            "difference is the same for all elements on every test."
        )
    shift = _shift(function, bad)
    if shift:
        return f"`{name}` holds the right numbers, moved by {shift}."
    if all(
        same(function, np.sort(g, axis=None), np.sort(e, axis=None), c)
        for c, e, g in bad
        if e.size > 1
    ) and any(e.size > 1 for _, e, _ in bad):
        return f"`{name}` holds the right numbers in another order."
    return _where(function, name, bad)


def _shape(array: NDArray[Any]) -> str:
    return str(array.shape) if array.ndim else "of one number"


def _sizes(function: Function, case: Case) -> str:
    told = [
        f"{k} = {v:g}" for k, v in function.sizes(case.inputs).items() if k in function.meanings
    ]
    return f" ({', '.join(told)})" if told else ""


def _factor(function: Function, case: Case, want: NDArray[Any], got: NDArray[Any]) -> float | None:
    """The one number by which all elements are multiplied, if there is one."""
    want, got = want.astype(np.float64), got.astype(np.float64)
    square = float((want * want).sum())
    if square == 0:
        return None
    factor = float((want * got).sum()) / square
    return factor if factor and same(function, got, factor * want, case) else None


def _factor_text(
    function: Function, name: str, cases: Sequence[Case], factors: Sequence[float]
) -> str:
    if all(math.isclose(f, -1, rel_tol=1e-4) for f in factors):
        return f"`{name}` has the wrong sign, in every element, and is right otherwise."
    sizes = [function.sizes(case.inputs) for case in cases]
    i = min(range(len(cases)), key=lambda k: cases[k].size)
    for letter, meaning in function.meanings.items():
        for power, way in ((1, "large"), (-1, "small")):
            if all(
                math.isclose(f, s[letter] ** power, rel_tol=1e-3) for f, s in zip(factors, sizes)
            ):
                times = f"{sizes[i][letter]:g}"
                return f"`{name}` is exactly {times} times too {way}, and {times} is {meaning}."
    if all(math.isclose(f, factors[0], rel_tol=1e-3) for f in factors):
        return f"`{name}` is {_number(factors[0])} times what was expected, on every test."
    return (
        f"`{name}` is what was expected times one number, {_number(factors[i])} in the example; "
        "the number is another one on other tests."
    )


def _offset(function: Function, case: Case, want: NDArray[Any], got: NDArray[Any]) -> float | None:
    """The one number that is added to all elements, if there is one."""
    if want.size < 2:
        return None
    offset = float(np.mean(got.astype(np.float64) - want))
    return offset if same(function, got, want + offset, case) else None


def _shift(
    function: Function, bad: Sequence[tuple[Case, NDArray[Any], NDArray[Any]]]
) -> str | None:
    """By how many places along which axis the numbers are moved, if they are."""
    for axis in range(min(e.ndim for _, e, _ in bad)):
        for by in (1, -1, 2, -2):
            moved = True
            for case, want, got in bad:
                if want.shape[axis] <= abs(by):
                    moved = False
                    break
                inner = _slices(want.ndim, axis, by)
                moved = moved and same(function, got[inner[0]], want[inner[1]], case)
            if moved:
                places = f"{abs(by)} place{'s' * (abs(by) > 1)}"
                return f"{places} {'up' if by > 0 else 'down'} along axis {axis}"
    return None


def _slices(ndim: int, axis: int, by: int) -> tuple[Any, Any]:
    later, earlier = slice(abs(by), None), slice(None, -abs(by))
    a: list[Any] = [slice(None)] * ndim
    b: list[Any] = [slice(None)] * ndim
    a[axis], b[axis] = (later, earlier) if by > 0 else (earlier, later)
    return tuple(a), tuple(b)


def _where(
    function: Function, name: str, bad: Sequence[tuple[Case, NDArray[Any], NDArray[Any]]]
) -> str:
    """Which elements differ: one row, the border, all of them."""
    case, want, own = min(bad, key=lambda entry: entry[0].size)
    masks = [~equal(function, g, e, c) for c, e, g in bad]
    off = ~equal(function, own, want, case)
    if want.size == 1:
        return f"`{name}` is {_number(float(own))}, expected {_number(float(want))}."
    count = f"{int(off.sum())} of {off.size} elements of `{name}` differ"
    if all(m.all() for m in masks):
        return f"All elements of `{name}` differ, and not by one factor."
    for axis in range(min(m.ndim for m in masks)):
        lines = [sorted(set(np.nonzero(m)[axis].tolist())) for m in masks]
        which = {0: "first", -1: "last"}
        for place, word in which.items():
            if all(
                len(rows) == 1 and rows[0] == place % m.shape[axis] and m.shape[axis] > 1
                for rows, m in zip(lines, masks)
            ):
                return f"{count}: only those of the {word} index of axis {axis}."
        if all(len(rows) == 1 and m.shape[axis] > 1 for rows, m in zip(lines, masks)):
            return f"{count}: only those of index {lines[0][0]} of axis {axis}, in the example."
    if all(m.ndim >= 2 and _border(m) for m in masks):
        return f"{count}: only those at the border (the last two axes); the inside is right."
    if all(((e != 0) | ~m).all() for m, (_, e, _) in zip(masks, bad)) and all(
        (g[m] == 0).all() for m, (_, _, g) in zip(masks, bad)
    ):
        return f"{count}: they are 0 where they should not be."
    if all((e[m] == 0).all() for m, (_, e, _) in zip(masks, bad)):
        return f"{count}: those that should be 0."
    return f"{count}; no pattern that holds on every test."


def _border(mask: NDArray[np.bool]) -> bool:
    height, width = mask.shape[-2:]
    return height > 2 and width > 2 and not mask[..., 1:-1, 1:-1].any()


def _types(function: Function, pairs: Sequence[tuple[Case, Outcome]]) -> list[Diagnosis]:
    """The numbers are right; are the types?"""
    for case, outcome in pairs:
        assert outcome.results is not None
        for name, result, scalar in zip(function.returns, outcome.results, outcome.scalars):
            if not scalar and result.ndim and result.dtype != case.dtype:
                return [
                    Diagnosis(
                        f"The numbers are right, but `{name}` is {result.dtype} where the input is "
                        f"{case.dtype.name}. A network in float32 should stay in float32: "
                        "`np.zeros(shape)` makes float64, `np.zeros(shape, x.dtype)` and "
                        "`np.zeros_like(x)` do not."
                    )
                ]
    return []


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _as_arrays(results: Any) -> tuple[NDArray[Any], ...]:
    return tuple(np.asarray(r) for r in (results if isinstance(results, tuple) else (results,)))
