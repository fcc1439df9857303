"""Run a learner's file in a process of its own, with limits, and collect its answers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from .exercise import Case, Function, Seed, SharedFunction

WORKER = Path(__file__).with_name("worker.py")
MOST_TEXT = 2000  # characters of what the learner's code prints


@dataclass(frozen=True)
class Limits:
    """What a learner's code may use.

    Attributes
    ----------
    seconds : float
        Of computing for one call; asleep it may be three times as long.
    memory : int
        Bytes of address space of the whole process.
    whole : float
        Seconds for the whole file, by the clock.
    """

    seconds: float = 1.0
    memory: int = 2 << 30
    whole: float = 10.0


@dataclass(frozen=True)
class Outcome:
    """What one call did: arrays, or what happened instead.

    Attributes
    ----------
    kind : str
        "done", or "raised", "too slow", "memory", "exit", "ended", "not written", "import",
        "forbidden", "missing", "type", "not run".
    results : list of ndarray, or None
    scalars : list of bool
        Which results were plain numbers.
    changed : dict of int to ndarray
        Arguments that the call has changed, by their position, as they are now.
    about : dict
        Line, text and type of an error; what was refused or returned.
    """

    kind: str
    results: list[np.ndarray] | None = None
    scalars: tuple[bool, ...] = ()
    changed: dict[int, np.ndarray] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


def run(
    source: Path, functions: Sequence[Function], cases: Sequence[Sequence[Case]], limits: Limits
) -> tuple[list[list[Outcome]], str]:
    """Call each function on each of its cases.

    Parameters
    ----------
    source : Path
        The learner's file.
    functions : sequence of Function
    cases : sequence of sequences of Case
        One sequence a function.
    limits : Limits

    Returns
    -------
    outcomes : list of lists of Outcome
        One for each case, always.
    printed : str
        The first of what the code printed, and how much there was.
    """
    outcomes: list[list[Outcome]] = []
    printed = ""
    while len(outcomes) < len(functions):  # again, where the process was ended in the middle
        done = len(outcomes)
        calls = [
            (f, case) for f, own in zip(functions[done:], cases[done:], strict=True) for case in own
        ]
        load, flat, ended, text = _once(source.resolve(), calls, limits)
        printed = printed or text
        if load.kind != "done":  # the file itself could not be run
            return outcomes + [[load] * len(own) for own in cases[done:]], printed
        for own in cases[done:]:
            found, flat = flat[: len(own)], flat[len(own) :]
            outcomes.append([o or Outcome("not run") for o in found])
            if None in found:
                outcomes[-1][found.index(None)] = Outcome(ended)
                break
    return outcomes, printed


def _once(
    source: Path, calls: list[tuple[Function, Case]], limits: Limits
) -> tuple[Outcome, list[Outcome | None], str, str]:
    """One process: outcomes of loading and of each call, how it ended, what was printed."""
    with tempfile.TemporaryDirectory(prefix="exercise-") as name:
        folder = Path(name)
        _write(folder, source, calls, limits)
        ended, printed = _start(folder, limits)
        load = _read(folder, "load") or Outcome(ended)
        return load, [_read(folder, str(i)) for i in range(len(calls))], ended, printed


def _write(folder: Path, source: Path, calls: list[tuple[Function, Case]], limits: Limits) -> None:
    arrays: dict[str, Any] = {}

    def spec(value: Any, layout: str) -> dict[str, Any]:
        if isinstance(value, np.ndarray):
            arrays[key := f"a{len(arrays)}"] = value
            return {"array": key, "layout": layout}
        if isinstance(value, Seed):
            return {"seed": value.seed}
        if isinstance(value, SharedFunction):
            return {"shared": value.name}
        return {"tuple": list(value)} if isinstance(value, tuple) else {"value": value}

    asked = [
        {
            "function": function.name,
            "returns": len(function.returns),
            "arguments": [spec(value, case.layout) for value in case.inputs.values()],
        }
        for function, case in calls
    ]
    np.savez(folder / "calls.npz", **arrays)
    whole = {
        "source": str(source),
        "calls": asked,
        "seconds": limits.seconds,
        "memory": limits.memory,
    }
    (folder / "calls.json").write_text(json.dumps(whole), encoding="utf-8")


def _start(folder: Path, limits: Limits) -> tuple[str, str]:
    """Run the worker; return why a call may have no answer, and what was printed."""
    keep = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG")  # nothing secret comes along
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", "-X", "utf8", str(WORKER), str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = _Printed(process.stdout)
    ended = "ended"
    try:
        process.wait(limits.whole)
    except subprocess.TimeoutExpired:
        ended = "too slow"
    finally:  # also the learner's own children, and also if we are interrupted
        with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
    return ended, printed.text()


class _Printed:
    """Reads what a process prints to its end, and keeps the beginning."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.kept, self.count = stream, b"", 0
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while block := os.read(self.stream.fileno(), 65536):
            self.kept += block[: max(0, MOST_TEXT - len(self.kept))]
            self.count += len(block)

    def text(self) -> str:
        self.thread.join(2)
        self.stream.close()
        text = self.kept.decode("utf-8", "replace")
        if self.count > len(self.kept):
            text += f"\n… and so on, {self.count:,} characters in all"
        return text


def _read(folder: Path, call: str) -> Outcome | None:
    try:
        about = json.loads((folder / f"{call}.json").read_text(encoding="utf-8"))
        results, changed = None, {}
        if (folder / f"{call}.npz").exists():
            with np.load(folder / f"{call}.npz", allow_pickle=False) as found:
                names = [name for name in found if name.startswith("arr_")]
                results = [found[name] for name in names]
                changed = {int(n.partition("_")[2]): found[n] for n in set(found) - set(names)}
    except (OSError, ValueError):
        return None
    kind, scalars = about.pop("kind"), tuple(about.pop("scalars", ()))
    return Outcome(kind, results, scalars, changed, about)
