"""``python -m nn_tutorial.exercises``: write exercise files, check them, get hints."""

import argparse
import contextlib
import io
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .catalogue import EXERCISES
from .exercise import Exercise
from .grading import SEED
from .report import lines
from .submissions import MISSING
from .text import STYLES, WIDTH, Line
from .workspace import Workspace

if TYPE_CHECKING:
    from .teacher import Row

ROW = "{name:<24}{state:<30}{title}"


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
    for stream in (sys.stdout, sys.stderr):  # a code page may lack a sign: that is no error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = _parser().parse_args(argv)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # such as `| head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
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
    sub = command("check", _check, "check one exercise, or all that you have begun")
    sub.add_argument("name", nargs="?", type=_exercise, help="of the exercise")
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
    sub.add_argument("folder", type=Path, help="with one subfolder a student")
    sub.add_argument("table", type=Path, help="the CSV file to write")
    sub.add_argument("--only", type=_exercise, nargs="+", metavar="NAME", help="these exercises")
    sub.add_argument("--seed", type=int, default=SEED, help="of the inputs (default: %(default)s)")
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
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(EXERCISES)}, got {name}")
    return EXERCISES[name]


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
    _write([("", f"Edit {first}.py, then: python -m nn_tutorial.exercises check {first}")])
    return 0


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
    asked = [arguments.name] if arguments.name else list(EXERCISES.values())

    def once(exercises: Iterable[Exercise]) -> int:
        failed = 0
        for exercise in exercises:
            if not workspace.path(exercise).is_file():
                raise ValueError(f"{workspace.path(exercise)} is not there: `start` writes it")
            report = workspace.check(exercise)
            failed += not report.passed
            _write([*lines(report, _width()), ("", "")])
        return failed

    chosen = [e for e in asked if arguments.name or workspace.state(e) not in _UNTOUCHED]
    if not chosen and not arguments.watch:
        raise ValueError(
            "nothing has been begun yet: edit a file, or name an exercise, such as "
            f"`check {next(iter(EXERCISES))}`"
        )
    failed = once(chosen)
    if arguments.watch:
        with contextlib.suppress(KeyboardInterrupt):
            _watch(workspace, chosen, once)
    return int(failed > 0)


_UNTOUCHED = ("not begun", "no file")


def _width() -> int:
    """How wide lines may be: as the terminal, where there is one."""
    return max(40, shutil.get_terminal_size().columns - 1) if sys.stdout.isatty() else WIDTH


def _watch(
    workspace: Workspace,
    current: Sequence[Exercise],
    once: Callable[[Sequence[Exercise]], int],
) -> None:
    """Check again what is saved; where it is a file of helpers, what was checked last."""

    def saved() -> dict[Path, float]:
        return {path: path.stat().st_mtime for path in workspace.folder.glob("*.py")}

    _say_what_is_next(workspace, current)
    before = saved()
    while True:
        time.sleep(0.3)
        now = saved()
        changed = [path for path in now if now[path] != before.get(path)]
        before = now
        if changed:
            named = [EXERCISES[path.stem] for path in changed if path.stem in EXERCISES]
            current = named or current
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
    text = f"{workspace.path(arguments.name)} is new"
    _write([("good", text + (f"; your old file is {kept}." if kept else "."))])
    return 0


def _grade(arguments: argparse.Namespace) -> int:
    from . import prisons, teacher

    if not arguments.folder.is_dir():
        raise ValueError(f"folder: expected a folder, got {arguments.folder}")
    if arguments.table.is_dir():
        raise ValueError(f"table: expected a file to write, got the folder {arguments.table}")
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
        arguments.folder, arguments.table, exercises=arguments.only, seed=arguments.seed,
        long=arguments.long, processes=arguments.processes or teacher.cores(),
    )  # fmt: skip
    done = [row for row in _shown(rows, arguments) if row.file != MISSING]
    solved = sum(row.solved for row in done)
    _write([("title", f"{solved} of {len(done)} files solved; {arguments.table} is written")])
    return 0


def _shown(rows: "Iterator[Row]", arguments: argparse.Namespace) -> "Iterator[Row]":
    """Show what is graded as it comes: a bar on a terminal, else a line each."""
    students = sum(path.is_dir() for path in arguments.folder.iterdir())
    with contextlib.suppress(ImportError):
        from tqdm import tqdm

        if sys.stderr.isatty():
            total = students * len(arguments.only or EXERCISES)
            yield from tqdm(rows, total=total, unit=" files", leave=False)
            return
    for row in rows:
        if row.file != MISSING:
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
