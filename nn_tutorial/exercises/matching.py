"""Which results of a learner's function are wrong, and which known mistakes give the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import Answer, expected, judged, mistaken, same
from .exercise import Case, Function, Misconception
from .sandbox import Outcome

Pairs = Sequence[tuple[Case, Outcome]]


class Difference(NamedTuple):
    """One case on which a result is wrong."""

    case: Case
    expected: NDArray[Any]
    got: NDArray[Any]


@dataclass(frozen=True)
class Attempt:
    """A learner's answers beside the right ones, case by case.

    Attributes
    ----------
    function : Function
    names : tuple of str
        Of the results that are compared: those returned, or those that a judge makes of them.
    cases : tuple of Case
    right : tuple of tuple of ndarray
    got : tuple of Answer
    failed : tuple of Case
        Other cases, on which the learner's code raised an error.
    """

    function: Function
    names: tuple[str, ...]
    cases: tuple[Case, ...]
    right: tuple[tuple[NDArray[Any], ...], ...]
    got: tuple[Answer, ...]
    failed: tuple[Case, ...] = ()

    @property
    def wrong(self) -> list[int]:
        """The results that are wrong on some case."""
        return [r for r in range(len(self.names)) if self.differences(r)]

    @property
    def changed(self) -> list[str]:
        """The arguments that some call has changed."""
        arguments = list(self.cases[0].inputs)
        return sorted({arguments[i] for answer in self.got for i in answer.changed})

    def differences(self, result: int) -> list[Difference]:
        """Return the cases on which a result is wrong."""
        return [
            Difference(case, want[result], own.results[result])
            for case, want, own in zip(self.cases, self.right, self.got)
            if not same(self.function, own.results[result], want[result], case)
        ]

    def gives(self, result: int, answers: Sequence[Answer | None]) -> bool:
        """Whether these answers have one result in common with the learner's, on every case."""
        return all(
            theirs is not None
            and len(own.results) == len(theirs.results)
            and same(self.function, own.results[result], theirs.results[result], case, want[result])
            for theirs, own, case, want in zip(answers, self.got, self.cases, self.right)
        )

    def one(self, number: int) -> "Attempt":
        """Return the attempt with one of its cases alone."""
        here = slice(number, number + 1)
        return replace(self, cases=self.cases[here], right=self.right[here], got=self.got[here])

    def touched(self, answers: Sequence[Answer]) -> list[int]:
        """Return the results that are not right in these answers, on some case."""
        right = replace(self, got=tuple(Answer(results) for results in self.right))
        return [r for r in range(len(self.names)) if not right.gives(r, answers)]


def smallest(differences: Sequence[Difference]) -> Difference:
    """Return the one that is most easily read: the first of those with the fewest numbers."""
    return min(differences, key=lambda difference: difference.case.size)


def usable(function: Function, case: Case, outcome: Outcome) -> Outcome:
    """Return an outcome whose results are as many arrays of numbers as were asked for.

    What came from a learner's process may be anything. What cannot be compared becomes an outcome
    of the kind "type", which says what came.
    """
    if outcome.results is None:
        return outcome
    results, several = outcome.results, len(function.returns) != 1
    if len(results) != len(function.returns):
        count = f"{len(results)} thing{'s' * (len(results) != 1)}"
        return Outcome("type", about={"got": count})
    for result in results:
        if not isinstance(result, np.ndarray) or result.dtype.kind not in "biuf":
            kind = getattr(result, "dtype", type(result).__name__)
            among = "something of the type" if several else "an array of"
            return Outcome("type", about={"got": f"{among} {kind}"})
    changed = {
        i: new
        for i, new in outcome.changed.items()
        if i in range(len(case.inputs)) and getattr(new, "dtype", np.dtype("O")).kind in "biuf"
    }
    scalars = (*map(bool, outcome.scalars), *(False for _ in results))[: len(results)]
    return replace(outcome, scalars=scalars, changed=changed)


def attempted(function: Function, pairs: Pairs, failed: Sequence[Case] = ()) -> Attempt:
    """Return the answers beside the right ones, as they are compared.

    Parameters
    ----------
    function : Function
    pairs : sequence of (Case, Outcome)
        At least one; only outcomes with results.
    failed : sequence of Case, optional
        Those on which an error was raised.
    """
    cases = tuple(case for case, _ in pairs)
    right = tuple(expected(function, case) for case in cases)
    got = tuple(Answer(tuple(o.results or ()), o.changed) for _, o in pairs)
    fits = all(
        [r.shape for r in own.results] == [e.shape for e in want] for own, want in zip(got, right)
    )
    if not (function.judge and fits):
        return Attempt(function, function.returns, cases, right, got, tuple(failed))
    return Attempt(
        function,
        function.judged,
        cases,
        tuple(judged(function, case, want) for case, want in zip(cases, right)),
        tuple(
            Answer(judged(function, case, own.results), own.changed)
            for case, own in zip(cases, got)
        ),
        tuple(failed),
    )


def right_type(result: NDArray[Any], scalar: bool, case: Case) -> bool:
    """Whether a result has the type of the inputs; where these have none, any float will do."""
    if scalar or not result.ndim:
        return True
    return result.dtype == case.dtype if case.floats else result.dtype.kind == "f"


def other_type(
    function: Function, pairs: Pairs
) -> tuple[str, np.dtype[Any], np.dtype[Any], bool] | None:
    """Return the first result that has another type than the input, that type, and the input's.

    The last of the four is whether results are float64 wherever the input is float32.
    """
    found = [
        (name, result.dtype, case.dtype)
        for case, outcome in pairs
        for name, result, scalar in zip(function.returns, outcome.results or (), outcome.scalars)
        if not right_type(result, scalar, case)
    ]
    return (*found[0], all(dtype == np.float64 for _, dtype, _ in found)) if found else None


def not_from_generator(function: Function, pairs: Pairs) -> dict[int, bool]:
    """Return the cases whose random answer cannot come from the generator that was handed in.

    Two cases with equal inputs must have the same answer where their generators have the same
    seed, and another where they have not. The value is whether the seeds are the same.
    """
    found: dict[int, bool] = {}
    if function.judge is None:
        return found
    for i, (case, outcome) in enumerate(pairs):
        for earlier, other in pairs[:i]:
            differ = [k for k, v in case.inputs.items() if v != earlier.inputs[k]]
            if differ not in ([], ["rng"]) or outcome.results is None or other.results is None:
                continue
            alike = all(map(_equal, outcome.results, other.results))
            if alike is bool(differ):
                found.setdefault(i, not differ)
    return found


def _equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")


class _Variant:
    """One way to make a known mistake, and what it gives; computed when it is asked for."""

    def __init__(self, attempt: Attempt, known: Misconception, wrong: Callable[..., Any]) -> None:
        self.attempt, self.known, self.wrong = attempt, known, wrong
        self._found: dict[int, Answer] = {}

    def answer(self, number: int) -> Answer:
        """What it gives on one case."""
        if number not in self._found:
            case = self.attempt.cases[number]
            self._found[number] = mistaken(self.attempt.function, self.known, case, self.wrong)
        return self._found[number]

    @property
    def answers(self) -> list[Answer]:
        """What it gives on all cases."""
        return [self.answer(number) for number in range(len(self.attempt.cases))]

    def fails_alike(self) -> bool:
        """Whether it raises an error wherever the learner's code does."""
        function = self.attempt.function
        failed = (mistaken(function, self.known, c, self.wrong) for c in self.attempt.failed)
        return not any(answer.results for answer in failed)


class KnownMistakes:
    """What each known mistake gives on the cases of an attempt."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.variants = [
            _Variant(attempt, known, wrong)
            for known in attempt.function.misconceptions
            for wrong in (known.wrong, *known.also)
        ]

    def of_all(self) -> Misconception | None:
        """Return the first that gives every result, and changes what the learner's code does."""
        for variant in self.variants:
            if variant.fails_alike() and all(
                _all_the_same(self.attempt.one(i), variant.answer(i))
                for i in range(len(self.attempt.cases))
            ):
                return variant.known
        return None

    def together(self) -> list[tuple[Misconception, list[int]]] | None:
        """Return mistakes that explain every wrong result, each with those that it explains.

        One is taken only whole: each result that it makes wrong must be wrong in the same way.
        What a judge makes of one result says all of that one, so it is never put together.
        """
        if self.attempt.function.judge:
            return None
        found, left = [], self.attempt.wrong
        able = []
        for variant in self.variants:
            first, answer = self.attempt.one(0), [variant.answer(0)]
            if not all(first.gives(r, answer) for r in first.touched(answer)):
                continue
            touched = self._touched(variant)
            if touched and all(self.attempt.gives(r, variant.answers) for r in touched):
                able.append((variant.known, touched))
        while left:
            fitting = [(known, touched) for known, touched in able if set(touched) <= set(left)]
            if not fitting:
                return None
            best = max(fitting, key=lambda each: len(each[1]))
            found.append(best)
            left = [r for r in left if r not in best[1]]
        return found

    def in_one(self, result: int) -> Misconception | None:
        """Return the first mistake that makes one result wrong in the same way."""
        for variant in self.variants:
            first = self.attempt.one(0).gives(result, [variant.answer(0)])
            gives = first and self.attempt.gives(result, variant.answers)
            if gives and result in self._touched(variant):
                return variant.known
        return None

    def _touched(self, variant: _Variant) -> list[int]:
        answers = variant.answers
        if not variant.fails_alike() or not all(a.results and not a.changed for a in answers):
            return []
        return self.attempt.touched(answers)


def _all_the_same(attempt: Attempt, theirs: Answer) -> bool:
    """Whether the one call of an attempt gave these results, and changed the same arguments."""
    function, (case,), (own,) = attempt.function, attempt.cases, attempt.got
    return (
        own.changed.keys() == theirs.changed.keys()
        and all(same(function, own.changed[i], theirs.changed[i], case) for i in own.changed)
        and len(own.results) == len(theirs.results)
        and all(attempt.gives(r, [theirs]) for r in range(len(own.results)))
    )
