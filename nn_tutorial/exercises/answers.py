"""The book's answer, a known mistake's and the learner's; and when two of them are equal."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import shared
from .exercise import Case, Function, Misconception

TOLERANCE = {"float64": 1e-8, "float32": 2e-4}
SMALLEST_SCALE = 1e-4  # where all numbers expected are 0, another order of sums may give 1e-17


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


def mistaken(
    function: Function,
    misconception: Misconception,
    case: Case,
    wrong: Callable[..., Any] | None = None,
) -> Answer:
    """Return what the known mistake gives on a case, in the dtype of the case.

    Parameters
    ----------
    function : Function
    misconception : Misconception
    case : Case
    wrong : callable, optional
        One of ``misconception.also``; else the mistake itself.
    """
    arguments = case.arguments()
    before = shared.copies(arguments)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = _as_arrays((wrong or misconception.wrong)(*arguments))
    except Exception:  # a mistake may also be one that raises
        return Answer(())
    changed = shared.changed(before, arguments)
    shapes = [r.shape for r in results]
    if function.judge and shapes == [e.shape for e in expected(function, case)]:
        results = judged(function, case, results)
    return Answer(results, changed)


def same(
    function: Function,
    a: NDArray[Any],
    b: NDArray[Any],
    case: Case,
    like: NDArray[Any] | None = None,
) -> bool:
    """Whether two results are equal up to rounding; see ``equal``."""
    if a.shape != b.shape:
        return False
    return bool(equal(function, a, b, case, like).all())


def equal(
    function: Function,
    a: NDArray[Any],
    b: NDArray[Any],
    case: Case,
    like: NDArray[Any] | None = None,
) -> NDArray[np.bool]:
    """Which elements of two results of one shape are equal up to rounding.

    Rounding is relative to the largest number in ``b``, or in ``like``, the right result, where
    that is larger: a sum that should be 1 and is 0 but for rounding is 0.
    """
    tolerance = function.tolerance or TOLERANCE[case.dtype.name]
    with np.errstate(all="ignore"):
        a, b = a.astype(np.float64), b.astype(np.float64)
        scale = max(_largest(b), SMALLEST_SCALE if like is None else _largest(like))
        near = np.abs(a - b) <= tolerance * max(scale, SMALLEST_SCALE)
    return near | (a == b) | (np.isnan(a) & np.isnan(b))


def _largest(array: NDArray[Any]) -> float:
    """The size of the largest number that is finite; 1 where none is."""
    finite = np.abs(array[np.isfinite(array)]).astype(np.float64)
    return float(finite.max()) if finite.size else 1.0


def _as_arrays(results: Any) -> tuple[NDArray[Any], ...]:
    return tuple(np.asarray(r) for r in (results if isinstance(results, tuple) else (results,)))
