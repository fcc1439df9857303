"""Grade a learner's file: every test has an outcome, and every wrong answer a diagnosis."""

import os
from collections.abc import Sequence
from pathlib import Path

from . import sandbox, wording
from .answers import expected, judged, same
from .diagnosis import diagnose
from .exercise import Case, Exercise, Function
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
    outcomes, printed = sandbox.run(source, asked, cases, limits)
    # NumPy's warnings say where the file lies; on a page that is a folder with a random name.
    for folder in (source.resolve().parent, SUBMISSION):
        printed = printed.replace(f"{folder}{os.sep}", "")
    reports = [_judge(f, c, o, limits) for f, c, o in zip(asked, cases, outcomes, strict=True)]
    return Report(exercise, tuple(reports), printed)


def _judge(
    function: Function, cases: Sequence[Case], outcomes: Sequence[Outcome], limits: Limits
) -> FunctionReport:
    diagnoses = diagnose(function, cases, outcomes)
    passed = tuple(_right(function, c, o) for c, o in zip(cases, outcomes, strict=True))
    messages: dict[str, None] = {}  # each once, in order
    for outcome in outcomes:
        if outcome.kind not in ("done", "not run"):
            messages[wording.of_failure(function, outcome, limits)] = None
    return FunctionReport(function, passed, tuple(list(messages)[:3]), tuple(diagnoses))


def _right(function: Function, case: Case, outcome: Outcome) -> bool:
    if outcome.results is None or outcome.changed:
        return False
    want = expected(function, case)
    if [r.shape for r in outcome.results] != [e.shape for e in want]:
        return False
    if any(
        not scalar and r.ndim and r.dtype != case.dtype
        for r, scalar in zip(outcome.results, outcome.scalars)
    ):
        return False
    a, b = judged(function, case, outcome.results), judged(function, case, want)
    return all(same(function, x, y, case) for x, y in zip(a, b, strict=True))
