"""Grade a learner's file: every test has an outcome, and every wrong answer a diagnosis."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import sandbox
from .diagnosis import Diagnosis, diagnose, expected, judged, same
from .exercise import Case, Exercise, Function
from .sandbox import Limits, Outcome

SEED = 20


@dataclass(frozen=True)
class FunctionReport:
    """What was found for one function.

    Attributes
    ----------
    function : Function
    passed : tuple of bool
        One for each test.
    messages : tuple of str
        What kept tests from giving an answer, in plain words.
    diagnoses : tuple of Diagnosis
        What is wrong with the answers that came.
    """

    function: Function
    passed: tuple[bool, ...]
    messages: tuple[str, ...]
    diagnoses: tuple[Diagnosis, ...]


@dataclass(frozen=True)
class Report:
    """What was found for one exercise.

    Attributes
    ----------
    exercise : Exercise
    functions : tuple of FunctionReport
    printed : str
        What the learner's code printed.
    """

    exercise: Exercise
    functions: tuple[FunctionReport, ...]
    printed: str = ""

    @property
    def tests(self) -> int:
        """How many tests there are; each of them has passed or failed."""
        return sum(len(f.passed) for f in self.functions)

    @property
    def right(self) -> int:
        """How many passed."""
        return sum(sum(f.passed) for f in self.functions)

    @property
    def passed(self) -> bool:
        """Whether all did."""
        return self.tests > 0 and self.right == self.tests

    @property
    def misconceptions(self) -> list[str]:
        """Names of the known mistakes that were found."""
        found = [d.misconception for f in self.functions for d in f.diagnoses]
        return [m.name for m in found if m is not None]

    def __repr__(self) -> str:
        from .text import plain

        return plain(self)


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
    """
    if not source.is_file():
        raise FileNotFoundError(f"source: expected a file, got {source}")
    asked = tuple(functions or exercise.functions)
    limits = limits or Limits()
    cases = [function.cases(seed) for function in asked]
    outcomes, printed = sandbox.run(source, asked, cases, limits)
    # NumPy's warnings say where the file lies; on a page that is a folder with a random name.
    printed = printed.replace(f"{source.resolve().parent}{os.sep}", "")
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
            messages[explained(function, outcome, limits)] = None
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


def explained(function: Function, outcome: Outcome, limits: Limits) -> str:
    """Say in plain words why a call gave no answer.

    Parameters
    ----------
    function : Function
    outcome : Outcome
        One whose kind is not "done".
    limits : Limits
    """
    about, name = outcome.about, function.name
    where = f" (line {about['line']}: `{about.get('code', '')}`)" if about.get("line") else ""
    match outcome.kind:
        case "not written":
            return f"`{name}` is not written yet{where}."
        case "raised":
            return f"Your code raised {about['type']}: {about['text']}{where}."
        case "too slow":
            return (
                f"`{name}` was stopped after {limits.seconds:g} s{where}. The inputs are small: "
                "does a loop never end?"
            )
        case "memory":
            return (
                f"`{name}` asked for more memory than the {limits.memory / 2**30:g} GB that an "
                f"exercise may use{where}. Has an array one axis too many?"
            )
        case "exit":
            return f"Your code ends the program{where}. A function should return, not exit."
        case "import":
            return (
                f"Your code imports `{about['what']}`{where}. The exercise is to write it "
                "yourself: only NumPy, Python's own modules and your own files can be imported."
            )
        case "forbidden":
            return (
                f"Your code tried something that no exercise needs: {about['what']}{where}. "
                "It may compute and print, but not write files, start programs or use the network."
            )
        case "missing":
            return f"The file has no function called `{name}`: was it renamed?"
        case "type":
            wanted = function.returns
            names = f"{', '.join(wanted)}" if len(wanted) > 1 else f"the array {wanted[0]}"
            forgotten = " Is a `return` missing?" if about["got"] == "None" else ""
            return f"`{name}` returned {about['got']}, expected {names}.{forgotten}"
        case _:
            return f"The program ended in the middle of `{name}`, and nobody caught why."
