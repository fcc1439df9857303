"""Grade a folder of submissions into a table."""

import contextlib
import csv
import functools
import hashlib
import json
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import connection
from pathlib import Path
from typing import Any

from ..files import check_folder, write_whole
from . import prisons
from .catalogue import EXERCISES
from .exercise import Exercise
from .grading import SEED as LEARNERS_SEED
from .grading import grade
from .sandbox import Limits, harmless
from .submissions import FOUND, MISSING, UNKNOWN, Submission, submissions

COLUMNS = (
    "id", "exercise", "file", "tests", "passed", "points", "solved", "known mistakes", "messages",
)  # fmt: skip
SEED = LEARNERS_SEED + 1  # other inputs than those on which learners try their answers
PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """What was found for one student's file of one exercise.

    Attributes
    ----------
    id, exercise : str
        The student's folder, and the name of the exercise.
    file : str
        ``"found"``, or why nothing was graded.
    tests, passed : int
    points, most : int
        A point for each function that passes all of its tests, out of so many functions.
    mistakes, messages : tuple of str
        Known mistakes by their names, and what else was told.
    noted : bool
        Whether an interrupted grading had made it before.
    """

    id: str
    exercise: str
    file: str
    tests: int
    passed: int
    points: int
    most: int
    mistakes: tuple[str, ...]
    messages: tuple[str, ...]
    noted: bool = field(default=False, compare=False)

    @property
    def handed_in(self) -> bool:
        """Whether something was handed in that has the exercise's name."""
        return self.file != MISSING and not self.file.startswith(UNKNOWN)

    @property
    def solved(self) -> bool:
        """Whether all tests passed."""
        return 0 < self.tests == self.passed


def grade_folder(
    folder: Path,
    table: Path,
    *,
    exercises: Sequence[Exercise] | None = None,
    seed: int = SEED,
    limits: Limits | None = None,
    long: bool = False,
    processes: int = 1,
) -> Iterator[Row]:
    """Grade one subfolder per student, and write a table of all.

    The table is whole or not there. What has been graded is noted beside it until then, so that a
    grading that was interrupted goes on where it was.

    Parameters
    ----------
    folder : Path
        Each subfolder is a student's, with files named as the exercises, at any depth.
    table : Path
        The CSV file to be written, in UTF-8 with a mark that spreadsheets understand.
    exercises : sequence of Exercise, optional
        Only these; else all.
    seed : int
        Of the random inputs: another one than the learners' own shows what was made to fit.
    limits : Limits, optional
        What each submission may use.
    long : bool
        A line for each exercise of each student, with ``COLUMNS``; else a line for each student,
        with the points of each exercise, their total, and what there is to say.
    processes : int
        That grade side by side.

    Yields
    ------
    Row
        After each file, for a progress bar; in the order in which they are done, and before them
        those that an interrupted grading had noted.

    Raises
    ------
    ValueError
        If the folder has no subfolders, or the table's is not there; nothing is written then.
    """
    chosen = exercises or tuple(EXERCISES.values())
    asked = submissions(folder, chosen)
    check_table(table)
    noted = _Notes(table.with_name(f".{table.name}.graded"))
    known = {i: row for i, one in enumerate(asked) if (row := noted.row(_key(one, seed, limits)))}
    yield from known.values()
    left = {i: one for i, one in enumerate(asked) if i not in known}
    rows = dict(known)
    with contextlib.closing(_graded(left, seed, limits, processes)) as graded:
        for i, row in graded:
            rows[i] = row
            noted.add(_key(asked[i], seed, limits), row)
            yield row
    lines = _long if long else _wide
    with write_whole(table) as beside, beside.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        for line in lines([rows[i] for i in range(len(asked))], len(chosen)):
            writer.writerow([_no_formula(cell) for cell in line])
    noted.forget()


def check_table(table: Path) -> None:
    """Raise unless a table can be written there.

    Parameters
    ----------
    table : Path

    Raises
    ------
    ValueError
        If it is a folder, or its own folder is not there or cannot be written into.
    """
    if table.is_dir():
        raise ValueError(f"table: expected a file to write, got the folder {table}")
    if not table.parent.is_dir():
        raise ValueError(
            f"table: expected a file in a folder that is there, got {table}: the folder "
            f"{table.parent} does not exist"
        )
    check_folder(table.parent, "table")


def _graded(
    asked: dict[int, Submission], seed: int, limits: Limits | None, processes: int
) -> Generator[tuple[int, Row], None, None]:
    """Grade submissions, some side by side; yield each as it is done, with its number."""
    one = functools.partial(graded, seed=seed, limits=limits)
    if processes == 1 or len(asked) < 2:
        yield from ((i, one(submission)) for i, submission in asked.items())
        return
    # A fresh interpreter each: this one may have threads, which a copy would lack. Ctrl-C is for
    # the one that notes the rows; when it leaves, it ends the others.
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(min(processes, len(asked)), _begin) as pool:
        sent = ((i, s.student, s.exercise.name, s.path, s.state, one) for i, s in asked.items())
        yield from pool.imap_unordered(_of_name, sent)


def _begin() -> None:
    """In each process: leave Ctrl-C to the first one, and if that is killed, end without a word."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def fall_silent() -> None:
        connection.wait([parent.sentinel])
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # nobody is there to take the next row

    threading.Thread(target=fall_silent, daemon=True).start()


def _of_name(sent: tuple[int, str, str, Path | None, str, Any]) -> tuple[int, Row]:
    """Grade in another process, to which an exercise goes by its name."""
    i, student, name, path, state, one = sent
    return i, one(Submission(student, EXERCISES[name], path, state))


def graded(submission: Submission, *, seed: int = SEED, limits: Limits | None = None) -> Row:
    """Grade one submission; one row, whatever it is.

    Parameters
    ----------
    submission : Submission
    seed : int
    limits : Limits, optional
    """
    exercise, most = submission.exercise, len(submission.exercise.functions)
    about = harmless(submission.student, ""), exercise.name, harmless(submission.state, "")
    if submission.path is None:
        return Row(*about, _tests(exercise.name, seed), 0, 0, most, (), ())
    try:
        report = grade(exercise, submission.path, seed=seed, limits=limits)
    except Exception as error:  # a fault of ours, or of the disk: it costs one row, not the table
        text = f"could not be graded: {type(error).__name__}: {error}"
        return Row(*about, 0, 0, 0, most, (), (harmless(text),))
    messages = [message for f in report.functions for message in f.messages]
    messages += [d.says for f in report.functions for d in f.diagnoses if not d.misconception]
    points = sum(bool(f.passed) and all(f.passed) for f in report.functions)
    return Row(
        *about, report.tests, report.right, points, most,
        tuple(report.misconceptions), tuple(dict.fromkeys(messages)),
    )  # fmt: skip


@functools.cache
def _tests(exercise: str, seed: int) -> int:
    return sum(len(function.cases(seed)) for function in EXERCISES[exercise].functions)


def _long(rows: Iterable[Row], _: int) -> Iterator[Sequence[object]]:
    """A line per file."""
    yield COLUMNS
    for row in rows:
        yield (
            row.id, row.exercise, row.file, row.tests, row.passed, row.points, int(row.solved),
            "; ".join(row.mistakes), " ".join(row.messages),
        )  # fmt: skip


def _wide(rows: Sequence[Row], each: int) -> Iterator[Sequence[object]]:
    """A line for each student, who has so many rows; no points where nothing was handed in."""
    of_each = {row.exercise: row.most for row in rows}
    heads = [f"{name} (of {most})" for name, most in of_each.items()]
    yield ["id", *heads, f"total (of {sum(of_each.values())})", "remarks"]
    for start in range(0, len(rows), each):  # not by name: two may look the same
        own = rows[start : start + each]
        points = [row.points if row.handed_in else "" for row in own]
        remarks = [f"{row.exercise}: {text}" for row in own if (text := _remark(row))]
        yield [own[0].id, *points, sum(row.points for row in own), "; ".join(remarks)]


def _remark(row: Row) -> str:
    """What a teacher should know of a file, beside its points."""
    first = "" if row.solved or row.mistakes else "".join(row.messages[:1])
    said = [row.file] if row.file not in (FOUND, MISSING) else []
    return ", ".join([*said, *row.mistakes, *([first] if first else [])])


def _no_formula(cell: object) -> object:
    """A cell in which no spreadsheet will find a formula, whatever a learner has put in it.

    One that takes semicolons or tabs for the ends of cells finds cells inside of ours.
    """
    if not isinstance(cell, str):
        return cell
    return re.sub(r"(^|[;,\t\r\n|])([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])", r"\1\2'", cell)


class _Notes:
    """What has been graded, a line each, beside a table that is not whole yet."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, {}
        if path.is_symlink() or path.is_dir():
            raise ValueError(f"table: expected to note beside it what is graded, {path} is there")
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            try:
                noted = json.loads(line)
                lists = {k: tuple(v) for k, v in noted["row"].items() if isinstance(v, list)}
                self.rows[str(noted["key"])] = replace(Row(**noted["row"] | lists), noted=True)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # cut off, or of an earlier edition

    def row(self, key: str) -> Row | None:
        return self.rows.get(key)

    def add(self, key: str, row: Row) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "row": asdict(row)}) + "\n")

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def _key(submission: Submission, seed: int, limits: Limits | None) -> str:
    """All that decides a row: the student's own modules and the grader's code too."""
    told = [submission.student, submission.exercise.name, submission.state, seed, repr(limits)]
    digest = hashlib.sha256(json.dumps([*told, _of_book(), prisons.best().__name__]).encode())
    if submission.path is not None:
        for path in sorted(submission.path.parent.rglob("*.py")):
            if path.is_file() and not path.is_symlink():
                digest.update(b"\0" + os.fsencode(path.name) + b"\0")
                with contextlib.suppress(OSError):  # it cannot be read, which its row will say
                    digest.update(path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _of_book() -> str:
    code = [path.read_bytes() for path in sorted(PACKAGE.rglob("*.py"))]
    return hashlib.sha256(b"\0".join(code)).hexdigest()


def cores() -> int:
    """Return how many processes can compute side by side."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
