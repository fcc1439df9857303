"""Grade a learner's file: every test has an outcome, and every wrong answer a diagnosis."""

import codecs
import os
from collections.abc import Sequence
from pathlib import Path

from . import sandbox, wording
from .answers import expected, judged, same
from .diagnosis import Diagnosis, diagnose
from .exercise import Case, Exercise, Function
from .matching import not_from_generator, right_type, usable
from .prisons import SUBMISSION
from .report import FunctionReport, Report
from .sandbox import Limits, Outcome

SEED = 20


def grade(
    exercise: Exercise,
    source: Path,
    *,
    functions: Sequence[Function] | None = None,
    seed: int = SEED,
    limits: Limits | None = None,
) -> Report:
    """Run a learner's file on every test of an exercise, and say what is wrong.

    Parameters
    ----------
    exercise : Exercise
    source : Path
        Only read, never changed.
    functions : sequence of Function, optional
        Only these of the exercise.
    seed : int
        Of the random inputs.
    limits : Limits, optional
        What the learner's code may use.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StartError
        If Python cannot be started on this machine.
    """
    if not source.is_file():
        raise FileNotFoundError(f"source: expected a file, got {source}")
    asked = tuple(functions or exercise.functions)
    limits = limits or Limits()
    cases = [function.cases(seed) for function in asked]
    if why := _no_python(source.read_bytes()):
        none = [FunctionReport(f, (False,) * len(c), (why,), ()) for f, c in zip(asked, cases)]
        return Report(exercise, tuple(none))
    outcomes, printed = sandbox.run(source, asked, cases, limits)
    # NumPy's warnings say where the file lies; on a page that is a folder with a random name.
    for folder in (source.resolve().parent, SUBMISSION):
        printed = printed.replace(f"{folder}{os.sep}", "")
    reports = [judge(f, c, o, limits) for f, c, o in zip(asked, cases, outcomes, strict=True)]
    return Report(exercise, tuple(reports), printed)


def _no_python(content: bytes) -> str:
    """Why a file can hold no function, if Python itself would say so in odd words or not at all."""
    if not content.strip():
        return "The file is empty."
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        return (
            "The file is saved as UTF-16, or is not text, and Python reads UTF-8: in your editor "
            "choose “Save with encoding” or “Save as”, and there UTF-8."
        )
    return ""


def judge(
    function: Function,
    cases: Sequence[Case],
    found: Sequence[Outcome],
    limits: Limits,
    *,
    quick: bool = False,
) -> FunctionReport:
    """Say of what a learner's function did on each case whether it is right, and what is not.

    Parameters
    ----------
    function : Function
    cases : sequence of Case
    found : sequence of Outcome
        Of these cases; whatever they hold, there is a report.
    limits : Limits
        Within which they were made.
    quick : bool
        Without diagnoses.
    """
    outcomes = [usable(function, c, o) for c, o in zip(cases, found, strict=True)]
    diagnoses = [] if quick else _diagnosed(function, cases, outcomes)
    answered = [i for i, o in enumerate(outcomes) if o.results is not None]
    chance = not_from_generator(function, [(cases[i], outcomes[i]) for i in answered])
    not_drawn = {answered[i] for i in chance}
    passed = tuple(
        i not in not_drawn and _right(function, c, o)
        for i, (c, o) in enumerate(zip(cases, outcomes, strict=True))
    )
    messages: dict[object, str] = {}  # each kind once, in order
    for outcome in outcomes:
        if outcome.kind not in ("done", "not run"):
            messages.setdefault(_kind(outcome), wording.of_failure(function, outcome, limits))
    return FunctionReport(function, passed, tuple(messages.values())[:3], tuple(diagnoses))


def _diagnosed(
    function: Function, cases: Sequence[Case], outcomes: Sequence[Outcome]
) -> Sequence[Diagnosis]:
    """What is wrong; should an answer be so odd that it cannot be described, then that."""
    try:
        return diagnose(function, cases, outcomes)
    except Exception as error:  # a fault of the grader must not cost the report
        return [Diagnosis(f"The answers could not be described ({type(error).__name__}).")]


def _right(function: Function, case: Case, outcome: Outcome) -> bool:
    if outcome.results is None or outcome.changed:
        return False
    want = expected(function, case)
    if [r.shape for r in outcome.results] != [e.shape for e in want]:
        return False
    types = zip(outcome.results, outcome.scalars, strict=True)
    if not all(right_type(r, scalar, case) for r, scalar in types):
        return False
    a, b = judged(function, case, outcome.results), judged(function, case, want)
    return all(same(function, x, y, case) for x, y in zip(a, b, strict=True))


def _kind(outcome: Outcome) -> object:
    """What two failures have in common that are told once: an error's sizes may differ."""
    about = outcome.about
    return outcome.kind, str(about.get("type")), str(about.get("line", about.get("got")))
