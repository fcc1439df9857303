"""What was found in a learner's file, and how it reads: plain, or in colour on a terminal."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from .diagnosis import Diagnosis
from .exercise import Exercise, Function
from .text import WIDTH, Line, inputs, side_by_side, wrapped


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
        return plain(self)


def lines(report: Report, width: int = WIDTH) -> Iterator[Line]:
    """Yield a report line by line.

    Parameters
    ----------
    report : Report
    width : int
        How many characters a line may have.
    """
    sign = "✓" if report.passed else "✗"
    style = "good" if report.passed else "bad"
    yield (
        style,
        f"{sign} {report.exercise.title}: {report.right} of {report.tests} tests passed",
    )
    for function in report.functions:
        if all(function.passed):
            continue
        yield "", ""
        yield (
            "title",
            f"{function.function.name}: {sum(function.passed)} of {len(function.passed)} passed",
        )
        for message in function.messages:
            yield from wrapped(message, width=width)
        for diagnosis in function.diagnoses:
            yield from _diagnosis(function.function, diagnosis, width)
    if report.printed.strip():
        yield "", ""
        yield "dim", "Your code printed:"
        for line in report.printed.strip().splitlines()[:12]:
            yield "dim", f"  {line}"


def plain(report: Report) -> str:
    """Return a report as one text.

    Parameters
    ----------
    report : Report
    """
    return "\n".join(text for _, text in lines(report))


def _diagnosis(function: Function, found: Diagnosis, width: int) -> Iterator[Line]:
    if found.misconception:
        yield "bad", f"Known mistake: {found.misconception.name}"
    yield from wrapped(found.says, width=width)
    if found.case is not None and found.got is not None and found.expected is not None:
        yield from inputs(found.case)
        yield from side_by_side(function, found, width)
    if found.misconception:
        yield "dim", f"Read again: {address(found.misconception.reread)}"


def address(place: str) -> str:
    """Return the address of a section: below ``SITE_URL``, else where ``make serve`` shows it.

    Parameters
    ----------
    place : str
        ``"layers/linear#bias"``.
    """
    page, _, anchor = place.partition("#")
    book = os.environ.get("SITE_URL", "http://127.0.0.1:8000/").rstrip("/")
    return f"{book}/{page}/" + (f"#{anchor}" if anchor else "")
