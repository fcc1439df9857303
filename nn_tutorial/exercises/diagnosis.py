"""What is wrong with an answer: a known mistake, or else the pattern of the differences.

What `diagnose` asks, in this order:

1. Are all numbers right and all arguments unchanged? Then only the types can be wrong.
2. Does one known mistake give all that the learner's code gives, on every case? Then it is told.
3. Which known mistakes give one wrong result or several, on every case? Each is told.
4. For a wrong result that none of them gives: which pattern do the differences have?
5. Was an argument changed, though none of the mistakes told changes one?

`matching.py` finds the known mistakes, `patterns.py` the patterns, and `wording.py` has, in the
order in which they are tried, what is said of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from . import wording
from .answers import expected, judged, mistaken, same
from .exercise import Case, Function, Misconception
from .matching import Attempt, KnownMistakes, attempted, other_type, smallest
from .sandbox import Outcome

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
    pairs = [(c, o) for c, o in zip(cases, outcomes, strict=True) if o.results is not None]
    if not pairs:
        return []
    tried = attempted(function, pairs)
    wrong = tried.wrong
    if not wrong and not tried.changed:
        odd = other_type(function, pairs)
        return [Diagnosis(wording.of_type(*odd))] if odd else []
    mistakes = KnownMistakes(tried)
    if known := mistakes.of_all():
        return [_of_mistake(tried, known, wrong[0] if wrong else None)]
    explained, left = mistakes.of_some()
    found = [_of_mistake(tried, known, results[0]) for known, results in explained]
    found += [_of_pattern(tried, result) for result in left]
    if tried.changed and not any(mistakes.changes(known) for known, _ in explained):
        found.append(Diagnosis(wording.of_change(function, tried.changed)))
    return found


def _of_mistake(tried: Attempt, known: Misconception, result: int | None) -> Diagnosis:
    """A known mistake, with the smallest case on which the result is wrong."""
    if result is None:  # all results are right: what the mistake does is change an argument
        case = tried.cases[0]
        return Diagnosis(wording.of_mistake(tried.function, known, case), known, case=case)
    case, want, own = smallest(tried.differences(result))
    says = wording.of_mistake(tried.function, known, case)
    return Diagnosis(says, known, tried.names[result], case, want, own)


def _of_pattern(tried: Attempt, result: int) -> Diagnosis:
    """No known mistake fits: say which elements differ, and in which pattern."""
    differences, name = tried.differences(result), tried.names[result]
    says = wording.of_pattern(tried.function, name, differences)
    says += wording.of_the_rest(len(differences), len(tried.cases))
    return Diagnosis(says, None, name, *smallest(differences))
