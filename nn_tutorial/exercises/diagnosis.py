"""What is wrong with an answer: a known mistake, or else the pattern of the differences.

What `diagnose` asks, in this order:

1. Are all numbers right and all arguments unchanged? Then only the types can be wrong.
2. Does one known mistake give all that the learner's code gives, on every case? Then it is told.
3. Do several known mistakes together, each of them whole? Then these are told.
4. Are the results right, but in another order, or right for other arguments? Then that is told.
5. Else which pattern has each wrong result?
6. Was an argument changed, though none of the mistakes told changes one?

`matching.py` finds the known mistakes, `patterns.py`, `arguments.py`, `substitutes.py` and
`common.py` the patterns, and `wording.py` has, in the order in which they are tried, what is said
of each.
"""

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import wording
from .answers import expected, judged, mistaken, same
from .exercise import Case, Function, Misconception
from .matching import (
    Attempt,
    KnownMistakes,
    attempted,
    not_from_generator,
    other_type,
    smallest,
    usable,
)
from .sandbox import Outcome
from .substitutes import Substituted
from .wrong import Wrong

__all__ = ["Diagnosis", "diagnose", "expected", "judged", "mistaken", "same"]


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
    found = [(c, usable(function, c, o)) for c, o in zip(cases, outcomes, strict=True)]
    pairs = [(c, o) for c, o in found if o.results is not None]
    if not pairs:
        return []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tried = attempted(function, pairs, [c for c, o in found if o.kind == "raised"])
        if tried.wrong or tried.changed:
            return _of_numbers(tried)
    if chance := not_from_generator(function, pairs):
        return [Diagnosis(wording.of_generator(set(chance.values())))]
    odd = other_type(function, pairs)
    return [Diagnosis(wording.of_type(*odd))] if odd else []


def _of_numbers(tried: Attempt) -> list[Diagnosis]:
    """What is wrong with results, or with arguments that were changed."""
    mistakes, wrong = KnownMistakes(tried), tried.wrong
    if known := mistakes.of_all():
        return [_of_mistake(tried, known, wrong[0] if wrong else None)]
    together = mistakes.together() or []
    alone = len(together) == 1 and not tried.changed
    found = [_of_mistake(tried, known, r[0], alone=alone) for known, r in together]
    if not together:
        found = _of_patterns(tried, mistakes)
    if tried.changed:
        found.append(Diagnosis(wording.of_change(tried.function, tried.changed)))
    return found


def _of_mistake(
    tried: Attempt, known: Misconception, result: int | None, *, alone: bool = True
) -> Diagnosis:
    """A known mistake, with the smallest case on which the result is wrong."""
    if result is None:  # all results are right: what the mistake does is change an argument
        case = tried.cases[0]
        return Diagnosis(
            wording.of_mistake(tried.function, known, case, alone=alone), known, case=case
        )
    case, want, own = smallest(tried.differences(result))
    says = wording.of_mistake(tried.function, known, case, alone=alone)
    return Diagnosis(says, known, tried.names[result], case, want, own)


def _of_patterns(tried: Attempt, mistakes: KnownMistakes) -> list[Diagnosis]:
    """No known mistake fits: say what is known of all wrong results, or else of each."""
    wrong = tried.wrong
    if not wrong:
        return []
    rest = wording.of_other_results(tried, wrong)
    if (order := _in_another_order(tried)) is not None:
        says = wording.of_order([tried.names[r] for r in order])
        return [_shown(tried, wrong[0], says)]
    results, substituted = [Wrong(tried, r) for r in wrong], Substituted(tried)
    if len(wrong) > 1 and (says := wording.of_all(results, substituted)):
        return [_shown(tried, wrong[0], says + rest)]
    said = [wording.of_pattern(each, mistakes, substituted) for each in results]
    said[-1] += rest
    return [_shown(tried, result, says) for result, says in zip(wrong, said)]


def _shown(tried: Attempt, result: int, says: str) -> Diagnosis:
    return Diagnosis(says, None, tried.names[result], *smallest(tried.differences(result)))


def _in_another_order(tried: Attempt) -> tuple[int, ...] | None:
    """The order in which the right results were returned, if it is another one."""
    count = len(tried.names)
    if tried.function.judge or len(tried.cases) < 2:
        return None
    for order in itertools.permutations(range(count)):
        if order != tuple(range(count)) and all(
            same(tried.function, own.results[place], want[result], case)
            for case, want, own in zip(tried.cases, tried.right, tried.got)
            for place, result in enumerate(order)
        ):
            return order
    return None
