"""The learner's folder: one small file an exercise. What a learner has written is never lost."""

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import write_whole
from .catalogue import EXERCISES
from .exercise import Exercise
from .grading import grade
from .report import Report
from .sandbox import Limits

PROGRESS = ".progress.json"


@dataclass
class Progress:
    """What is remembered of one exercise.

    Attributes
    ----------
    source : str
        SHA-256 of the file that was checked last.
    right, tests : int
        What that check found.
    hints : int
        How many hints were shown.
    """

    source: str = ""
    right: int = 0
    tests: int = 0
    hints: int = 0


class Workspace:
    """A folder of exercise files.

    Parameters
    ----------
    folder : Path
        Need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, exercise: Exercise) -> Path:
        """Return the place of an exercise's file."""
        return self.folder / f"{exercise.name}.py"

    def start(self) -> list[Path]:
        """Write the files that are not there yet, and return them. Others stay as they are.

        Raises
        ------
        ValueError
            If the folder is a file.
        """
        if self.folder.is_file():
            raise ValueError(f"dir: expected a folder, got the file {self.folder}")
        self.folder.mkdir(parents=True, exist_ok=True)
        return [self.path(e) for e in EXERCISES.values() if _create(self.path(e), e.stub)]

    def reset(self, exercise: Exercise) -> Path | None:
        """Begin an exercise anew; the old file is kept beside the new one.

        Returns
        -------
        Path or None
            Where the old file is now; None if there was none, or nothing was written in it.
        """
        path, kept = self.path(exercise), None
        if path.exists() and self.state(exercise) != "not begun":
            names = (path.with_suffix(f".py.{number}") for number in itertools.count(1))
            kept = next(name for name in names if not name.exists())
            path.rename(kept)
        self.folder.mkdir(parents=True, exist_ok=True)
        _create(path, exercise.stub)
        return kept

    def check(self, exercise: Exercise, limits: Limits | None = None) -> Report:
        """Grade the file of an exercise, and remember what was found."""
        source = _sha(self.path(exercise))
        report = grade(exercise, self.path(exercise), limits=limits)
        progress = self.progress()
        entry = progress.setdefault(exercise.name, Progress())
        entry.source, entry.right, entry.tests = source, report.right, report.tests
        self._remember(progress)
        return report

    def hint(self, exercise: Exercise, layer: int | None = None) -> tuple[int, str]:
        """Return the next hint, or the one that is asked for, with its number from 1."""
        progress = self.progress()
        entry = progress.setdefault(exercise.name, Progress())
        number = min(entry.hints + 1, len(exercise.hints)) if layer is None else layer
        entry.hints = max(entry.hints, number)
        if self.folder.is_dir():
            self._remember(progress)
        return number, exercise.hints[number - 1]

    def state(self, exercise: Exercise) -> str:
        """Return in a few words where an exercise stands."""
        path = self.path(exercise)
        if not path.is_file():
            return "no file"
        if path.read_text(encoding="utf-8", errors="replace") == exercise.stub:
            return "not begun"
        entry = self.progress().get(exercise.name)
        if entry is None or entry.source != _sha(path):
            return "changed since it was checked" if entry and entry.source else "not checked yet"
        if entry.right == entry.tests:
            return "solved"
        return f"{entry.right} of {entry.tests} tests pass"

    def progress(self) -> dict[str, Progress]:
        """Return what is remembered; nothing where the file is missing or damaged."""
        try:
            stored = json.loads((self.folder / PROGRESS).read_text(encoding="utf-8"))
            return {name: Progress(**entry) for name, entry in stored.items() if name in EXERCISES}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _remember(self, progress: dict[str, Progress]) -> None:
        text = json.dumps({name: asdict(entry) for name, entry in progress.items()}, indent=1)
        with write_whole(self.folder / PROGRESS) as beside:
            beside.write_text(text + "\n", encoding="utf-8")


def _create(path: Path, text: str) -> bool:
    """Write a new file; leave one that is there alone."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
