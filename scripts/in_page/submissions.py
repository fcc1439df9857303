"""The grader in a page: a submission runs in this very interpreter, for there is no other.

The browser is the prison here. What the project's guard refuses in a process it refuses here too,
while a submission runs, so that a learner reads the same report.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from nn_tutorial.exercises import prisons, worker
from nn_tutorial.exercises.catalogue import EXERCISES
from nn_tutorial.exercises.grading import grade
from nn_tutorial.exercises.prisons import MOST_TEXT, Ended
from nn_tutorial.exercises.report import lines

WIDE = 1000  # characters: no line of a report is broken
Hook = Callable[[str, tuple[Any, ...]], None]
_hook: list[Hook] = []  # at most one: that of the submission which runs


def install(site: str) -> None:
    """Let submissions run in place; links of a report lead into this site.

    Parameters
    ----------
    site : str
        Its address.
    """
    os.environ["SITE_URL"] = site
    prisons.use(in_place)
    sys.addaudithook(lambda event, args: _hook[0](event, args) if _hook else None)


def in_place(source: Path, request: bytes, seconds: float) -> Ended:
    """Run a file here; its calls have their time, the whole is ended by the reader.

    Parameters
    ----------
    source : Path
    request : bytes
        For the worker.
    seconds : float
        Not used: nobody could end this from outside.
    """
    answers: list[bytes] = []
    home = Path(np.__file__).resolve().parent.parent
    printed = io.StringIO()

    def lock(asked: dict[str, Any]) -> None:
        readable = worker.readable(home, source.parent)
        _hook[:] = [worker.watcher(readable, Path(os.__file__).parent, _real)]

    with _alone(), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        worker.answer(io.BytesIO(request), answers.append, source.parent, lock)
    text = printed.getvalue().encode("utf-8", "replace")
    return Ended(b"".join(answers), text[:MOST_TEXT], len(text), too_slow=False)


def check(name: str, source: str) -> str:
    """Grade a text as the file of an exercise.

    Parameters
    ----------
    name : str
        In ``EXERCISES``.
    source : str

    Returns
    -------
    str
        JSON: the report line by line, each with its style; the same with each sentence in one
        line, which a page breaks itself; and what was found.
    """
    with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
        path = Path(folder) / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        report = grade(EXERCISES[name], path)
    return json.dumps(
        {
            "lines": list(lines(report)),  # as in a terminal
            "shown": list(lines(report, WIDE)),
            "right": report.right,
            "tests": report.tests,
            "misconceptions": report.misconceptions,
        }
    )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Without the book's modules, which hold the answers; afterwards all is as it was.

    Also what is in NumPy and in Python itself: a submission may have put something else there.
    """
    kept = {
        module: dict(vars(module))
        for name, module in sys.modules.items()
        if name.partition(".")[0] in ("builtins", "math", "numpy")
    }
    options, errors = np.get_printoptions(), np.geterr()
    before, path, finders = dict(sys.modules), sys.path[:], sys.meta_path[:]
    sys.path[:] = [place for place in path if place != "/book"]
    for name in before:
        if name.partition(".")[0] == "nn_tutorial":
            del sys.modules[name]
    try:
        yield
    finally:
        _hook.clear()
        for module, names in kept.items():
            there = vars(module)
            for name in [name for name in there if name not in names]:
                if not isinstance(there[name], ModuleType):  # that was imported meanwhile
                    del there[name]
            there.update(names)
        np.set_printoptions(**options)
        np.seterr(**errors)
        for name in [name for name in sys.modules if name not in before]:
            if name.partition(".")[0] not in sys.stdlib_module_names | {"numpy"}:
                del sys.modules[name]
        sys.modules.update(before)
        sys.path[:], sys.meta_path[:] = path, finders


def _real(path: Any) -> str:
    return os.fsdecode(os.path.realpath(path))
