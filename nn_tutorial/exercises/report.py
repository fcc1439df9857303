"""What was found in a learner's file, and how it reads: plain, or in colour on a terminal."""

import os
import re
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
    title, names = report.exercise.title, [f.function.name for f in report.functions]
    if len(names) < len(report.exercise.functions):
        title = f"{' and '.join(names)} alone"
    yield (
        style,
        f"{sign} {title}: {report.right} of {report.tests} tests passed",
    )
    told = {f.messages for f in report.functions}
    diagnosed = any(f.diagnoses for f in report.functions)
    of_the_file = len(report.functions) > 1 and len(told) == 1 and not (diagnosed or report.right)
    for message in report.functions[0].messages if of_the_file else ():
        yield from wrapped(message, width=width)
    for function in report.functions:
        if all(function.passed) or of_the_file:
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
    printed, warned = _told_apart(report.printed)
    for head, text in (("Your code printed:", printed), ("Python warned:", warned)):
        if text:
            yield "", ""
            yield "dim", head
            for line in text[:12]:
                yield "dim", f"  {line}"


def _told_apart(printed: str) -> tuple[list[str], list[str]]:
    """Lines that the learner's code has printed, and warnings with the lines that they quote."""
    own: list[str] = []
    warned: list[str] = []
    for line in printed.strip().splitlines():
        quoted = line.startswith("  ") and warned and _WARNING.match(warned[-1])
        (warned if quoted or _WARNING.match(line) else own).append(line)
    return own, warned


_WARNING = re.compile(r"\S+:\d+: \w*Warning: ")


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
        where = "" if "SITE_URL" in os.environ else " (while `make serve` runs)"
        yield "dim", f"Read again: {address(found.misconception.reread)}{where}"


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
