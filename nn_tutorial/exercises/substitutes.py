"""As if an argument were another: what the right function gives for it may be the learner's answer.

Where it is, on every case, that is told: "`y` is right for a `bias` of zeros". It says nothing of
how the learner's code comes to it, but mostly it is enough.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from .answers import Answer, expected, same
from .exercise import Case, Function
from .matching import Attempt
from .naming import Named, meanings

Change = Callable[[int, dict[str, Any]], dict[str, Any]]  # of a case's number and its inputs
MOST_ELEMENTS = 20_000


class Substitute(NamedTuple):
    """Arguments instead of others, and how that is said."""

    text: str
    change: Change


FLOATS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("{a} were 0 everywhere", np.zeros_like),
    ("{a} were 1 everywhere", np.ones_like),
    ("{a} had the other sign", np.negative),
    ("{a} were twice as large", lambda v: 2 * v),
    ("{a} were half as large", lambda v: v / 2),
    ("all negative numbers of {a} were 0", lambda v: np.maximum(v, 0)),
    ("all positive numbers of {a} were 0", lambda v: np.minimum(v, 0)),
    ("all numbers of {a} were positive (its absolute value)", np.abs),
    ("{a} were squared", np.square),
    ("{a} were replaced by its root", np.sqrt),
    ("{a} were transposed", np.transpose),
    ("{a} were cut to whole numbers", np.trunc),
    ("{a} were rotated by 180° in its last two axes", lambda v: _rotated(v)),
    ("the last two axes of {a} had changed places", lambda v: np.swapaxes(v, -1, -2)),
    ("only the last element of {a} along its last two axes were there, and 0 elsewhere",
     lambda v: _only(v, (-2, -1), -1)),
    ("only the first element of {a} along its last two axes were there, and 0 elsewhere",
     lambda v: _only(v, (-2, -1), 0)),
    ("{a} were its mean everywhere", lambda v: np.full_like(v, v.mean())),
)  # fmt: skip
ALONG: tuple[tuple[str, Callable[[Any, int], Any]], ...] = (
    ("{a} were reversed along axis {axis}", np.flip),
    ("the first of {a} along axis {axis} stood for all",
     lambda v, k: v.take([0], k) + np.zeros_like(v)),
    ("the last of {a} along axis {axis} stood for all",
     lambda v, k: v.take([-1], k) + np.zeros_like(v)),
    ("only the first of {a} along axis {axis} were there, and 0 elsewhere",
     lambda v, k: _only(v, (k,), 0)),
    ("only the last of {a} along axis {axis} were there, and 0 elsewhere",
     lambda v, k: _only(v, (k,), -1)),
    ("{a} were 0 in its last place along axis {axis}", lambda v, k: v - _only(v, (k,), -1)),
    ("{a} were 0 in its first place along axis {axis}", lambda v, k: v - _only(v, (k,), 0)),
    ("{a} were moved by one place along axis {axis}", lambda v, k: np.roll(v, 1, k)),
    ("{a} were moved back by one place along axis {axis}", lambda v, k: np.roll(v, -1, k)),
    ("{a} were everywhere its mean along axis {axis}",
     lambda v, k: v.mean(k, keepdims=True) + np.zeros_like(v)),
    ("{a} were everywhere its sum along axis {axis}",
     lambda v, k: v.sum(k, keepdims=True) + np.zeros_like(v)),
    ("{a} were sorted along axis {axis}", np.sort),
)  # fmt: skip
WHOLE: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("{a} were 1", lambda v: v * 0 + 1),
    ("{a} were 0", lambda v: v * 0),
    ("{a} were one larger", lambda v: v + 1),
    ("{a} were one smaller", lambda v: v - 1),
    ("{a} were twice as large", lambda v: 2 * v),
    ("{a} were half as large, rounded down", lambda v: v // 2),
)
NUMBERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("{a} were 0", lambda v: 0.0 * v),
    ("{a} were 1", lambda v: 0.0 * v + 1.0),
    ("{a} were 1 - {a}", lambda v: 1 - v),
    ("{a} had the other sign", lambda v: -v),
    ("{a} were squared", lambda v: v * v),
    ("{a} were twice as large", lambda v: 2 * v),
    ("{a} were half as large", lambda v: v / 2),
    ("{a} were replaced by its root", np.sqrt),
    ("{a} were replaced by 1 over it", lambda v: 1 / v),
)


def substitutes(function: Function, cases: Sequence[Case]) -> Iterator[Substitute]:
    """Yield what could stand for an argument, or for two, the likeliest first."""
    first, called = cases[0].inputs, function.called
    for name, value in first.items():
        for text, of in _ways(value):
            yield Substitute(text.format(a=called(name)), _replaced(name, of))
    for a, b in itertools.combinations(first, 2):
        if _alike(first[a], first[b]):
            x, y = called(a), called(b)
            yield Substitute(f"{x} and {y} had changed places", _taken({a: b, b: a}))
            yield Substitute(f"{x} were {y}", _taken({a: b}))
            yield Substitute(f"{y} were {x}", _taken({b: a}))
    for name, value in first.items():
        if _floats(value):
            for _, number in meanings(function, cases):
                yield from _by_a_size(name, called(name), number)
            axes = min(np.ndim(case.inputs[name]) for case in cases)
            for axis, (text, along) in itertools.product(range(axes), ALONG):
                yield Substitute(
                    text.format(a=called(name), axis=axis),
                    _replaced(name, partial(_along, along, axis)),
                )


def _along(along: Callable[[Any, int], Any], axis: int, value: Any) -> Any:
    return along(value, axis)


def _taken(names: dict[str, str]) -> Change:
    """Arguments instead of others."""
    return lambda _, inputs: inputs | {name: inputs[other] for name, other in names.items()}


def _ways(value: Any) -> Sequence[tuple[str, Callable[[Any], Any]]]:
    if isinstance(value, bool):
        return (("{a} were the opposite", lambda v: not v), *_fixed(True), *_fixed(False))
    if isinstance(value, int):
        return WHOLE
    if isinstance(value, float):
        return NUMBERS
    if _floats(value):
        return FLOATS
    if isinstance(value, np.ndarray):
        return (*WHOLE[1:4], ("{a} were in the opposite order", lambda v: v[::-1]))
    return ()


def _fixed(value: bool) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    yield f"{{a}} were {value} always", lambda _: value


def _by_a_size(name: str, called: str, number: Named) -> Iterator[Substitute]:
    def multiplied(i: int, inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs | {name: inputs[name] * number.values[i]}

    def divided(i: int, inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs | {name: inputs[name] / number.values[i]}

    yield Substitute(f"{called} were multiplied by {number.text}", multiplied)
    yield Substitute(f"{called} were divided by {number.text}", divided)


def _replaced(name: str, of: Callable[[Any], Any]) -> Change:
    return lambda _, inputs: inputs | {name: of(inputs[name])}


def _floats(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _alike(a: Any, b: Any) -> bool:
    if _floats(a) and _floats(b):
        return True
    return type(a) is type(b) and isinstance(a, (int, float)) and not isinstance(a, bool)


def _rotated(v: Any) -> Any:
    return v[..., ::-1, ::-1] if v.ndim > 2 else v


def _only(v: Any, axes: tuple[int, ...], index: int) -> Any:
    kept = np.zeros_like(v)
    if v.ndim < len(axes):
        return v
    at = [slice(None)] * v.ndim
    for axis in axes:
        at[axis] = slice(index, None) if index < 0 else slice(0, 1)
    kept[tuple(at)] = v[tuple(at)]
    return kept


class Substituted:
    """What the right function gives for other arguments, held against an attempt."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.order = sorted(range(len(attempt.cases)), key=lambda i: attempt.cases[i].size)
        sizes = [case.size for case in attempt.cases]
        self.able = attempt.function.judge is None and max(sizes) <= MOST_ELEMENTS

    def of(self, results: Sequence[int]) -> str | None:
        """Return for which arguments all these results would be right, on every case.

        None if there are none, or if the results would differ from the right ones on less than
        two cases.
        """
        if not self.able:
            return None
        fitting = (way.text for way in self._ways if self._fits(way, results))
        return ", or if ".join(itertools.islice(fitting, 2)) or None  # both, where two say the same

    @cached_property
    def _ways(self) -> list[Substitute]:
        """Those that give one of the results on the smallest case."""
        first, every = self.order[0], range(len(self.attempt.names))
        ways = substitutes(self.attempt.function, self.attempt.cases)
        return [way for way in ways if any(self._gives(way, first, [r]) is not None for r in every)]

    def _fits(self, way: Substitute, results: Sequence[int]) -> bool:
        gives = [self._gives(way, i, results) for i in self.order[:1]]
        for i in self.order[1:]:
            if gives[-1] is None:
                return False
            gives.append(self._gives(way, i, results))
        return gives[-1] is not None and sum(map(bool, gives)) > 1

    def _gives(self, way: Substitute, number: int, results: Sequence[int]) -> bool | None:
        """None where a case has other results; else whether they are not the right ones."""
        function, right = self.attempt.function, self.attempt.right[number]
        case, own = self.attempt.cases[number], self.attempt.got[number]
        answer = _answer(function, case, way.change, number)
        if answer is None or len(answer.results) != len(own.results):
            return None
        if not all(
            same(function, own.results[r], answer.results[r], case, right[r]) for r in results
        ):
            return None
        return not all(same(function, right[r], answer.results[r], case) for r in results)


def _answer(function: Function, case: Case, change: Change, number: int) -> Answer | None:
    """What the right function gives for changed arguments, in float64; None if it raises."""
    inputs = {
        name: value.astype(np.float64) if _floats(value) else value
        for name, value in case.inputs.items()
    }
    try:
        with np.errstate(all="ignore"):
            other = change(number, inputs)
            return Answer(expected(function, Case(other, np.dtype(np.float64), "C")))
    except Exception:  # arguments that the right function refuses
        return None
