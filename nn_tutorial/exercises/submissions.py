"""What a class has handed in: of each student the file of each exercise, wherever it lies.

What has another name than an exercise is not graded. Where it may be one all the same, or where
a student has handed in nothing else, it is told: nothing is lost in silence.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .catalogue import EXERCISES
from .exercise import Exercise

SKIPPED = {"__MACOSX", "__pycache__"}  # and all that is hidden
FOUND, MISSING, UNKNOWN = "found", "missing", "not recognised: "


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
        ``FOUND``, ``MISSING``, ``UNKNOWN`` with names, or in a few words what else is there.
    """

    student: str
    exercise: Exercise
    path: Path | None
    state: str


def submissions(folder: Path, exercises: Sequence[Exercise]) -> list[Submission]:
    """Return what is in a folder with one subfolder per student, in the order of their names.

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
        raise ValueError(f"folder: expected one subfolder per student, got none in {folder}")
    found = []
    for student in students:
        link = ""
        if student.is_symlink():
            inside = student.resolve().is_relative_to(folder.resolve())
            link = "a link to another folder" if inside else "a link that leaves the folder"
        files = [] if link else [*_walk(student)]
        unknown = _unknown(student, files, exercises)
        for exercise in exercises:
            path, state = _chosen(student, [p for p in files if _is_of(p, exercise)])
            if state == MISSING and (names := unknown.get(exercise.name)):
                state = UNKNOWN + ", ".join(names)
            found.append(Submission(student.name, exercise, path, link or state))
    return found


def left_out(folder: Path, exercises: Sequence[Exercise]) -> list[str]:
    """Return the files that nobody's row is made of, though they may have been handed in.

    Those beside the students' folders, and those that ``submissions`` does not recognise.

    Parameters
    ----------
    folder : Path
    exercises : sequence of Exercise
    """
    found = []
    for path in sorted(path for path in folder.iterdir() if not _skipped(path)):
        if path.is_file():
            found.append(path.name)
        elif path.is_dir() and not path.is_symlink():
            unknown = _unknown(path, [*_walk(path)], exercises)
            found += [f"{path.name}/{name}" for names in unknown.values() for name in names]
    return found


def _unknown(
    student: Path, files: Sequence[Path], exercises: Sequence[Exercise]
) -> dict[str, list[str]]:
    """Files that may be meant for an exercise, by its name: ``relu (1).py`` and ``relu.zip``.

    Where no file at all has the name of an exercise, the others are under that of the first.
    """
    asked = [exercise.name for exercise in exercises]
    known = [any(_is_of(path, exercise) for exercise in EXERCISES.values()) for path in files]
    found: dict[str, list[str]] = {}
    for path, is_known in zip(files, known):
        within = [name for name in EXERCISES if name in path.name.lower()]
        meant = max(within, key=len) if within else asked[0]
        told = meant in asked and (within or not any(known))
        if told and not is_known and path.is_file():
            found.setdefault(meant, []).append(str(path.relative_to(student)))
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
        return target, "followed a link"
    return (first.resolve(), FOUND) if first.is_file() else (None, "no file")
