"""What a class has handed in: of each student the file of each exercise, wherever it lies."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .exercise import Exercise

SKIPPED = {"__MACOSX", "__pycache__"}  # and all that is hidden
FOUND, MISSING = "found", "missing"


@dataclass(frozen=True)
class Submission:
    """One student's file for one exercise.

    Attributes
    ----------
    student : str
        The name of the folder.
    exercise : Exercise
    path : Path or None
        The file, without links; None if there is none that can be graded.
    state : str
        ``FOUND``, ``MISSING``, or in a few words what else is there.
    """

    student: str
    exercise: Exercise
    path: Path | None
    state: str


def submissions(folder: Path, exercises: Sequence[Exercise]) -> list[Submission]:
    """Return what is in a folder with one subfolder a student, in the order of their names.

    Parameters
    ----------
    folder : Path
    exercises : sequence of Exercise

    Raises
    ------
    ValueError
        If the folder has no subfolders.
    """
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not _skipped(path))
    if not students:
        raise ValueError(f"folder: expected one subfolder a student, got none in {folder}")
    found = []
    for student in students:
        link = ""
        if student.is_symlink():
            inside = student.resolve().is_relative_to(folder.resolve())
            link = "a link to another folder" if inside else "a link that leaves the folder"
        files = [] if link else [*_walk(student)]
        for exercise in exercises:
            path, state = _chosen(student, [p for p in files if _is_of(p, exercise)])
            found.append(Submission(student.name, exercise, path, link or state))
    return found


def _skipped(path: Path) -> bool:
    return path.name.startswith(".") or path.name in SKIPPED


def _is_of(path: Path, exercise: Exercise) -> bool:
    return path.name.lower() == f"{exercise.name}.py"


def _walk(student: Path) -> Iterator[Path]:
    """All that lies in a folder, also what only has the name of a file."""
    for here, folders, files in os.walk(student):  # links to folders are not followed
        folders[:] = sorted(name for name in folders if not _skipped(Path(name)))
        yield from (Path(here, name) for name in [*folders, *sorted(files)])


def _chosen(student: Path, paths: Sequence[Path]) -> tuple[Path | None, str]:
    """The one file that is meant, that nearest to the top, and what it is."""
    if not paths:
        return None, MISSING
    least = min(len(path.parts) for path in paths)
    first, *others = [path for path in paths if len(path.parts) == least]
    if others:
        names = ", ".join(str(path.relative_to(student)) for path in (first, *others))
        return None, f"several: {names}"
    if first.is_dir():
        return None, "a folder"
    if first.is_symlink():
        target = Path(os.path.realpath(first))  # of links in a circle the first
        if not target.is_relative_to(student.resolve()):
            return None, "a link that leaves the folder"
        if not target.is_file():
            return None, "a link to nothing"
        return target, "a link"
    return (first.resolve(), FOUND) if first.is_file() else (None, "no file")
