"""``python -m nn_tutorial.exercises``: write exercise files, check them, get hints."""

import argparse
import contextlib
import itertools
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..command_line import on_any_terminal
from .catalogue import EXERCISES
from .exercise import Exercise
from .notebook import meant
from .report import lines
from .text import STYLES, WIDTH, Line
from .workspace import Workspace

if TYPE_CHECKING:
    from .teacher import Row

ROW = "{name:<24}{state:<30}{title}"


@on_any_terminal
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; else those of the command line.

    Returns
    -------
    int
        0 if all is right, 1 if an exercise is not solved, 2 if the command cannot be done.
    """
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except BrokenPipeError:  # is an OSError, and `on_any_terminal` knows what to do
        raise
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupted:
        print(f"Interrupted{f': {interrupted}' if interrupted.args else ''}.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nn_tutorial.exercises", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    def folder(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--dir", type=Path, help="folder of the exercises (default: exercises)")

    sub = command("start", _start, "write the exercise files that are not there yet")
    sub.add_argument("dir", type=Path, nargs="?", help="folder (default: exercises)")
    folder(command("list", _list, "show all exercises and how far you are"))
    sub = command("check", _check, "check some exercises, or all that you have begun")
    sub.add_argument("names", nargs="*", metavar="name", type=_exercise, help="of an exercise")
    sub.add_argument("--watch", action="store_true", help="check again whenever a file is saved")
    folder(sub)
    sub = command("hint", _hint, "show a hint; the next one, if you ask again")
    sub.add_argument("name", type=_exercise)
    sub.add_argument("layer", type=int, choices=(1, 2, 3), nargs="?", help="which of the three")
    folder(sub)
    sub = command("solution", _solution, "show the solution, after asking whether you want it")
    sub.add_argument("name", type=_exercise)
    sub.add_argument("--yes", action="store_true", help="do not ask")
    sub = command("reset", _reset, "begin an exercise anew; your file is kept beside the new one")
    sub.add_argument("name", type=_exercise)
    folder(sub)
    sub = command("grade", _grade, "for teachers: grade a folder of submissions into a CSV file")
    sub.add_argument("folder", type=Path, help="with one subfolder per student")
    sub.add_argument("table", type=Path, help="the CSV file to write")
    sub.add_argument(
        "--only", type=_exercises, action="extend", metavar="NAME,NAME", help="these exercises"
    )
    sub.add_argument(
        "--seed", type=int, help="of the inputs (default: one that `check` does not have)"
    )
    sub.add_argument("--long", action="store_true", help="a line for each exercise of a student")
    sub.add_argument(
        "--processes", type=_count, help="that grade side by side (default: all cores)"
    )
    sub.add_argument(
        "--require-sandbox", action="store_true", help="do nothing where bubblewrap cannot be used"
    )
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return value


def _exercise(name: str) -> Exercise:
    name = Path(name).stem
    if name not in EXERCISES:
        near = meant(name, EXERCISES) or ": the command `list` shows all names"
        raise argparse.ArgumentTypeError(f"expected the name of an exercise, got {name}{near}")
    return EXERCISES[name]


def _exercises(names: str) -> list[Exercise]:
    return [_exercise(name) for name in names.split(",")]


def _workspace(arguments: argparse.Namespace) -> Workspace:
    """The folder that is named, else ``exercises``, else the current one if it holds some."""
    if arguments.dir is not None:
        return Workspace(arguments.dir)
    here = Workspace(Path())
    inside = any(here.path(exercise).is_file() for exercise in EXERCISES.values())
    return here if inside and not Path("exercises").is_dir() else Workspace(Path("exercises"))


def _begun(workspace: Workspace) -> Workspace:
    if not any(workspace.path(exercise).is_file() for exercise in EXERCISES.values()):
        raise ValueError(f"no exercises in {workspace.folder}: begin with the command `start`")
    return workspace


def _start(arguments: argparse.Namespace) -> int:
    workspace = _workspace(arguments)
    new = workspace.start()
    count = f"{len(new)} file{'s' * (len(new) != 1)}"
    _write([("good", f"{count} written to {workspace.folder}; what was there is untouched.")])
    first = next(iter(EXERCISES))
    _write([("", f"Edit {first}.py, then: {_python()} -m nn_tutorial.exercises check {first}")])
    return 0


def _python() -> str:
    """How the Python that runs is called from here."""
    if sys.executable in ("", None, shutil.which("python")):
        return "python"
    own = Path(sys.executable)
    return str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own)


def _list(arguments: argparse.Namespace) -> int:
    workspace = _begun(_workspace(arguments))
    states = {name: workspace.state(exercise) for name, exercise in EXERCISES.items()}
    solved = sum(state == "solved" for state in states.values())
    for name, exercise in EXERCISES.items():
        row = ROW.format(name=name, state=states[name], title=exercise.title)
        style = {"solved": "good", "not begun": "dim", "no file": "dim"}.get(states[name], "")
        _write([(style, row)])
    _write([("title", f"{solved} of {len(EXERCISES)} solved")])
    return 0


def _check(arguments: argparse.Namespace) -> int:
    workspace = _begun(_workspace(arguments))
    asked = arguments.names or list(EXERCISES.values())

    def once(exercises: Iterable[Exercise]) -> int:
        failed = 0
        for exercise in exercises:
            if not workspace.path(exercise).is_file():
                raise ValueError(f"{workspace.path(exercise)} is not there: `start` writes it")
            report = workspace.check(exercise)
            failed += not report.passed
            _write([*lines(report, _width()), ("", "")])
        return failed

    before = _saved(workspace)  # what is saved during the first check is checked again
    chosen = [e for e in asked if arguments.names or workspace.state(e) not in _UNTOUCHED]
    if not chosen and not arguments.watch:
        raise ValueError(
            "nothing has been begun yet: edit a file, or name an exercise, such as "
            f"`check {next(iter(EXERCISES))}`"
        )
    failed = once(chosen)
    if arguments.watch:
        with contextlib.suppress(KeyboardInterrupt):
            _watch(workspace, chosen, before, once)
    return int(failed > 0)


_UNTOUCHED = ("not begun", "no file")


def _width() -> int:
    """How wide lines may be: as the terminal, where there is one."""
    return max(40, shutil.get_terminal_size().columns - 1) if sys.stdout.isatty() else WIDTH


def _saved(workspace: Workspace) -> dict[Path, float]:
    """When each file was saved."""
    found = {}
    for path in workspace.folder.glob("*.py"):
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile
            found[path] = path.stat().st_mtime
    return found


def _watch(
    workspace: Workspace,
    current: Sequence[Exercise],
    before: dict[Path, float],
    once: Callable[[Sequence[Exercise]], int],
) -> None:
    """Check again what is saved; where it is a file of helpers, what was checked last."""
    _say_what_is_next(workspace, current)
    while True:
        time.sleep(0.3)
        now = _saved(workspace)
        changed = [path for path in now if now[path] != before.get(path)]
        gone = [path for path in before if path not in now]
        before = now
        _write([("bad", f"{path} is gone; it is checked when it is there again.") for path in gone])
        if changed:
            named = [EXERCISES[path.stem] for path in changed if path.stem in EXERCISES]
            current = [e for e in named or current if workspace.path(e).is_file()]
            if sys.stdout.isatty():
                print("\x1b[2J\x1b[H", end="")  # an empty screen
            once(current)
            _say_what_is_next(workspace, current)


def _say_what_is_next(workspace: Workspace, current: Sequence[Exercise]) -> None:
    solved = bool(current) and all(workspace.state(e) == "solved" for e in current)
    left = [name for name, e in EXERCISES.items() if workspace.state(e) != "solved"]
    if solved and left:
        _write([("good", f"Solved. Next: edit {workspace.path(EXERCISES[left[0]])}.")])
    _write([("dim", "Waiting for a file to be saved; Ctrl+C ends.")])


def _hint(arguments: argparse.Namespace) -> int:
    number, text = _workspace(arguments).hint(arguments.name, arguments.layer)
    _write([("title", f"Hint {number} of 3"), ("", text)])
    return 0


def _solution(arguments: argparse.Namespace) -> int:
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise ValueError("nobody is there to ask; give --yes to see the solution")
        if input("Show the solution? It is worth more to find it. [y/N] ").lower() not in _YES:
            return 1
    exercise = arguments.name
    _write([("", line) for line in exercise.solution.splitlines()])
    return 0


_YES = ("y", "yes")


def _reset(arguments: argparse.Namespace) -> int:
    workspace = _workspace(arguments)
    kept = workspace.reset(arguments.name)
    text = f"{workspace.path(arguments.name)} is as it was at the start"
    _write([("good", text + (f"; your old file is {kept}." if kept else "."))])
    return 0


def _grade(arguments: argparse.Namespace) -> int:
    from . import prisons, teacher
    from .sandbox import harmless
    from .submissions import MISSING, UNKNOWN, left_out, submissions

    if not arguments.folder.is_dir():
        is_there = "a file" if arguments.folder.exists() else "what does not exist"
        raise ValueError(f"folder: expected a folder, got {is_there}: {arguments.folder}")
    teacher.check_table(arguments.table)
    chosen = arguments.only or list(EXERCISES.values())
    asked = submissions(arguments.folder, chosen)
    if why := prisons.why_no_bubblewrap():
        if arguments.require_sandbox:
            raise ValueError(f"--require-sandbox: bubblewrap cannot be used: {why}")
        _write([("bad", f"No sandbox ({why}): submissions run in processes of their own, with")])
        _write([("bad", "limits that stop mistakes and known attacks, not every attack.")])
    else:
        _write(
            [("good", "Sandbox: bubblewrap. Submissions see Python, NumPy and their own files.")]
        )
    rows = teacher.grade_folder(
        arguments.folder, arguments.table, exercises=chosen,
        seed=teacher.SEED if arguments.seed is None else arguments.seed,
        long=arguments.long, processes=arguments.processes or teacher.cores(),
    )  # fmt: skip
    files = [one for one in asked if one.state != MISSING and not one.state.startswith(UNKNOWN)]
    done: list[Row] = []
    try:
        for row in _shown(rows, len(files)):
            done.append(row)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{len(done)} of {len(files)} files are graded, {arguments.table} is unchanged; the "
            "same command goes on from there"
        ) from None
    solved = sum(row.solved for row in done)
    _write([("title", f"{solved} of {len(done)} files solved; {arguments.table} is written")])
    out = [name for name in left_out(arguments.folder, chosen) if name != _own(arguments)]
    if out:
        count = f"{len(out)} file{'s' * (len(out) > 1)}"
        names = ", ".join(harmless(name, "") for name in out[:5]) + ", …" * (len(out) > 5)
        _write([("bad", f"Left out: {count} without the name of an exercise: {names}")])
    return 0


def _own(arguments: argparse.Namespace) -> str:
    """The table's name, if it lies in the folder that is graded."""
    inside = arguments.table.resolve().parent == arguments.folder.resolve()
    return str(arguments.table.name) if inside else ""


def _shown(rows: "Iterator[Row]", total: int) -> "Iterator[Row]":
    """Yield the files' rows, and show what is graded as it comes: a bar on a terminal, or lines."""
    rows, bar = (row for row in rows if row.handed_in), False
    if sys.stderr.isatty():
        with contextlib.suppress(ImportError):
            from tqdm import tqdm

            rows, bar = tqdm(rows, total=total, unit=" files", leave=False), True
    for noted, group in itertools.groupby(rows, lambda row: row.noted):
        if noted:  # they come first
            yield from (found := list(group))
            _write([("dim", f"{len(found)} taken from the interrupted grading.")])
            continue
        for row in group:
            if not bar:
                sign = "✓" if row.solved else "✗"
                _write([("good" if row.solved else "", f"{sign} {row.id}: {row.exercise}")])
            yield row


def _write(rows: Iterable[Line]) -> None:
    """Print lines: in colour on a terminal where rich is installed, else as they are."""
    if sys.stdout.isatty():
        with contextlib.suppress(ImportError):
            from rich.console import Console
            from rich.text import Text

            console = Console(highlight=False)
            for style, text in rows:
                console.print(Text(text, style=STYLES[style]))
            return
    for _, text in rows:
        print(text)


if __name__ == "__main__":
    sys.exit(main())
