"""Grade a folder of submissions into a table."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..files import write_whole
from .catalogue import EXERCISES
from .exercise import Exercise
from .grading import SEED, grade
from .sandbox import Limits

COLUMNS = ("student", "exercise", "file", "tests", "passed", "solved", "known mistakes", "messages")


def grade_folder(
    folder: Path,
    table: Path,
    *,
    exercises: Sequence[Exercise] | None = None,
    seed: int = SEED,
    limits: Limits | None = None,
) -> Iterator[tuple[str, str, bool]]:
    """Grade one subfolder a student, and write one line for each of their exercises.

    The table is whole or not there.

    Parameters
    ----------
    folder : Path
        Each subfolder is a student's, with files named as the exercises.
    table : Path
        The CSV file to be written. Names of columns: ``COLUMNS``.
    exercises : sequence of Exercise, optional
        Only these; else all.
    seed : int
        Of the random inputs: another one than the learners' own shows what was made to fit.
    limits : Limits, optional
        What each submission may use.

    Yields
    ------
    (student, exercise, solved)
        After each file, for a progress bar.

    Raises
    ------
    ValueError
        If the folder has no subfolders; nothing is written then.
    """
    students = sorted(path for path in folder.iterdir() if path.is_dir())
    if not students:
        raise ValueError(f"folder: expected one subfolder a student, got none in {folder}")
    with write_whole(table) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for student in students:
            for exercise in exercises or tuple(EXERCISES.values()):
                row = _row(student, exercise, seed, limits)
                rows.writerow([_harmless(cell) for cell in row])
                yield student.name, exercise.name, bool(row[5])


def _row(student: Path, exercise: Exercise, seed: int, limits: Limits | None) -> list[object]:
    source = student / f"{exercise.name}.py"
    if not source.is_file():
        tests = sum(len(f.cases(seed)) for f in exercise.functions)
        return [student.name, exercise.name, "missing", tests, 0, 0, "", ""]
    report = grade(exercise, source, seed=seed, limits=limits)
    messages = [message for f in report.functions for message in f.messages]
    messages += [d.says for f in report.functions for d in f.diagnoses if not d.misconception]
    return [
        student.name,
        exercise.name,
        "found",
        report.tests,
        report.right,
        int(report.passed),
        "; ".join(report.misconceptions),
        " ".join(dict.fromkeys(messages)),
    ]


def _harmless(cell: object) -> object:
    """A cell that a spreadsheet will not take for a formula, whatever a learner has put in it."""
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text[:1] in ("=", "+", "-", "@", "\t") else cell
