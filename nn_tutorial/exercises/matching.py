"""Which results of a learner's function are wrong, and which known mistakes give the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import Answer, expected, judged, mistaken, same
from .exercise import Case, Function, Misconception
from .sandbox import Outcome


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
    """

    function: Function
    names: tuple[str, ...]
    cases: tuple[Case, ...]
    right: tuple[tuple[NDArray[Any], ...], ...]
    got: tuple[Answer, ...]

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


def smallest(differences: Sequence[Difference]) -> Difference:
    """Return the one that is most easily read: the first of those with the fewest numbers."""
    return min(differences, key=lambda difference: difference.case.size)


def attempted(function: Function, pairs: Sequence[tuple[Case, Outcome]]) -> Attempt:
    """Return the answers beside the right ones, as they are compared.

    Parameters
    ----------
    function : Function
    pairs : sequence of (Case, Outcome)
        At least one; only outcomes with results.
    """
    cases = tuple(case for case, _ in pairs)
    right = tuple(expected(function, case) for case in cases)
    got = tuple(Answer(tuple(o.results or ()), o.changed) for _, o in pairs)
    fits = all(
        [r.shape for r in own.results] == [e.shape for e in want] for own, want in zip(got, right)
    )
    if not (function.judge and fits):
        return Attempt(function, function.returns, cases, right, got)
    return Attempt(
        function,
        function.judged,
        cases,
        tuple(judged(function, case, want) for case, want in zip(cases, right)),
        tuple(
            Answer(judged(function, case, own.results), own.changed)
            for case, own in zip(cases, got)
        ),
    )


def other_type(
    function: Function, pairs: Sequence[tuple[Case, Outcome]]
) -> tuple[str, np.dtype[Any], np.dtype[Any]] | None:
    """Return the first result that has another type than the input, that type, and the input's."""
    for case, outcome in pairs:
        for name, result, scalar in zip(function.returns, outcome.results or (), outcome.scalars):
            if not scalar and result.ndim and result.dtype != case.dtype:
                return name, result.dtype, case.dtype
    return None


class KnownMistakes:
    """What each known mistake gives on the cases of an attempt."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.answers = {
            known.name: [mistaken(attempt.function, known, case) for case in attempt.cases]
            for known in attempt.function.misconceptions
        }

    def changes(self, known: Misconception) -> bool:
        """Whether a mistake changes an argument."""
        return any(answer.changed for answer in self.answers[known.name])

    def of_all(self) -> Misconception | None:
        """Return the first that gives every result, and changes what the learner's code does."""
        function, cases, got = self.attempt.function, self.attempt.cases, self.attempt.got
        for known in function.misconceptions:
            theirs = self.answers[known.name]
            if all(_all_the_same(function, a, b, c) for a, b, c in zip(theirs, got, cases)):
                return known
        return None

    def of_some(self) -> tuple[list[tuple[Misconception, list[int]]], list[int]]:
        """Return mistakes and the results each gives, and the wrong results that are left.

        One after the other, each time the mistake that explains most of what is left.
        """
        found, left = [], self.attempt.wrong
        while left:
            gives = {
                known.name: [r for r in left if self._gives(known, r, self.attempt.got)]
                for known in self.attempt.function.misconceptions
            }
            right = [Answer(results) for results in self.attempt.right]
            able = [  # a mistake that is right here, up to rounding, explains nothing
                known
                for known in self.attempt.function.misconceptions
                if any(not self._gives(known, r, right) for r in gives[known.name])
            ]
            if not able:
                break
            best = max(able, key=lambda known: len(gives[known.name]))
            found.append((best, gives[best.name]))
            left = [r for r in left if r not in gives[best.name]]
        return found, left

    def _gives(self, known: Misconception, result: int, answers: Sequence[Answer]) -> bool:
        """Whether a mistake has one result in common with these answers, on every case."""
        return all(
            len(own.results) == len(theirs.results)
            and same(self.attempt.function, own.results[result], theirs.results[result], case)
            for theirs, own, case in zip(self.answers[known.name], answers, self.attempt.cases)
        )


def _all_the_same(function: Function, a: Answer, b: Answer, case: Case) -> bool:
    """Whether two calls have given the same results, and changed the same arguments alike."""
    return (
        len(a.results) == len(b.results)
        and a.changed.keys() == b.changed.keys()
        and all(same(function, b.changed[i], a.changed[i], case) for i in a.changed)
        and all(same(function, own, their, case) for own, their in zip(b.results, a.results))
    )
