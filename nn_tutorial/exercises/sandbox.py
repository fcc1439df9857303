"""Call the functions of a learner's file, and collect what each call gave, whatever it does."""

import contextlib
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import prisons, wire
from .exercise import Case, Function, Seed, SharedFunction

MOST_TEXT = 2000  # characters of what a submission says of itself
KINDS = {
    "done", "raised", "too slow", "memory", "exit", "ended", "not written", "import", "forbidden",
    "missing", "type", "not run",
}  # fmt: skip


class StartError(OSError):
    """No code of a learner was run: it is the machine's fault."""


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
        Line, text and type of an error; what was refused or returned; "loading" if it was the file
        itself that could not be run.
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
        One sequence per function.
    limits : Limits

    Returns
    -------
    outcomes : list of lists of Outcome
        One for each case, always.
    printed : str
        The first of what the code printed, and how much there was.

    Raises
    ------
    StartError
        If there is no process, or it ended before it came to the file.
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
            load = replace(load, about={**load.about, "loading": True})
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
    try:
        found = prisons.best()(source, _request(source, calls, limits), limits.whole)
    except OSError as error:  # no such program, no more processes, no room for its folder
        raise StartError(f"this machine could not start Python: {error}") from error
    ended = "too slow" if found.too_slow else "ended"
    answers: list[Outcome | None] = [*_answers(found.answer, 2 + len(calls))]
    ready, load, *rest = answers + [None] * (2 + len(calls) - len(answers))
    if ready is None:
        *_, told = found.printed.decode("utf-8", "replace").strip().splitlines() or ["no answer"]
        raise StartError(f"this machine could not start Python with NumPy: {harmless(told)}")
    text = harmless(found.printed.decode("utf-8", "replace"))
    if found.all_printed > len(found.printed):
        text += f"\n… and so on, {found.all_printed:,} characters in all"
    return load or Outcome(ended), rest, ended, text


def _request(source: Path, calls: list[tuple[Function, Case]], limits: Limits) -> bytes:
    """What the worker is asked."""
    arrays: list[np.ndarray] = []

    def spec(value: Any, layout: str) -> dict[str, Any]:
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return {"array": len(arrays) - 1, "layout": layout}
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
    about = {
        "name": source.name, "calls": asked, "seconds": limits.seconds, "memory": limits.memory,
    }  # fmt: skip
    return wire.pack(about, arrays)


def _answers(content: bytes, most: int) -> Iterator[Outcome]:
    """The outcomes in an answer, as far as it can be read: a submission may have written in it."""
    stream = io.BytesIO(content)
    with contextlib.suppress(Exception):  # whatever it has written, it is no answer
        while most and (message := wire.unpack(stream)) is not None:
            yield _outcome(*message)
            most -= 1


def _outcome(about: dict[str, Any], arrays: list[np.ndarray]) -> Outcome:
    """What a message says, held to what the worker can say."""
    kind, count = about.get("kind"), about.get("results")
    changed, scalars = about.get("changed"), about.get("scalars", [])
    if not (
        isinstance(kind, str)
        and kind in KINDS
        and isinstance(count, int)
        and isinstance(changed, list)
        and isinstance(scalars, list)
        and all(isinstance(i, int) for i in changed)
        and count + len(changed) == len(arrays)
        and (kind != "done" or len(scalars) in (0, count))
    ):
        raise ValueError(f"message: expected an outcome, got {str(about)[:200]}")
    told: dict[str, Any] = {"type": "an error", "text": "", "what": "", "got": "", "code": ""}
    for name in (*told, "line"):
        if isinstance(value := about.get(name), int if name == "line" else str):
            told[name] = harmless(value[:MOST_TEXT]) if isinstance(value, str) else value
    if isinstance(shapes := about.get("shapes"), dict):
        told["shapes"] = {harmless(k[:80]): harmless(str(v)[:80]) for k, v in shapes.items()}
    results = arrays[:count] if kind == "done" and count else None
    return Outcome(kind, results, tuple(scalars), dict(zip(changed, arrays[count:])), told)


def harmless(text: str, kept: str = "\n\t") -> str:
    """Return a text in which what would steer a terminal, or reverse the line, can be seen."""
    return "".join(
        c
        if c in kept or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else c.encode("unicode_escape").decode()
        for c in text.replace("\r\n", "\n")
    )
