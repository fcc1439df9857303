"""Runs a learner's functions; started by ``sandbox`` as a program of its own, never imported.

It reads calls.json and calls.npz in the folder that is its argument, calls each function, and
writes one .json (what happened) and one .npz (what was returned) a call. It must not know the
book's own answers, so it imports nothing of the package but ``shared``, which has none.
"""

import contextlib
import importlib.abc
import importlib.util
import json
import os
import re
import signal
import sys
import traceback
import types
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
MOST_NUMBERS = 1_000_000  # of one answer


class TooSlowError(BaseException):
    """The time for one call is over. No Exception, so that ``except Exception`` lets it pass."""


class _OnlyNumPy(importlib.abc.MetaPathFinder):
    """Refuses what holds the answers already: this package, PyTorch, SciPy and the like."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == "numpy":
            return
        if top.startswith("_sysconfigdata"):  # a part of sysconfig, which NumPy imports too
            return
        if not (self.folder / f"{top}.py").exists():
            raise ImportError(f"refused: {top}")


class Guard:
    """Refuses to write files, start programs or use the network while the learner's code runs."""

    FORBIDDEN = (
        "subprocess.", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
        "os.spawn", "os.startfile", "os.kill", "os.killpg", "os.remove", "os.rename", "os.rmdir",
        "os.mkdir", "os.truncate", "os.link", "os.symlink", "os.chmod", "os.chown", "shutil.",
        "socket.", "ctypes.", "urllib.", "ftplib.", "smtplib.", "pty.", "mmap.",
    )  # fmt: skip

    def __init__(self) -> None:
        self.on = False
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        writes = False
        if event == "open":
            mode, flags = args[1], args[2]
            writes = bool(isinstance(mode, str) and set(mode) & set("wax+")) or bool(
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
        if writes or event.startswith(self.FORBIDDEN):
            raise PermissionError(f"refused: {'writing a file' if writes else event}")


def limit(memory: int, seconds: float) -> None:
    """Limit this process, as far as the system knows such limits (Windows does not)."""
    with contextlib.suppress(ImportError):
        import resource

        whole = int(10 * seconds) + 2
        for name, most in (
            ("RLIMIT_AS", memory),
            ("RLIMIT_CPU", whole),
            ("RLIMIT_FSIZE", 64 << 20),
            ("RLIMIT_CORE", 0),
        ):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, name), (most, most))


@contextlib.contextmanager
def time_limit(seconds: float) -> Any:
    """Raise ``TooSlowError`` after so much computing, or three times as long asleep."""

    def stop(*_: Any) -> None:
        raise TooSlowError

    known = hasattr(signal, "setitimer")
    if known:
        signal.signal(signal.SIGPROF, stop)
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)
        signal.setitimer(signal.ITIMER_REAL, 3 * seconds, 0.1)
    try:
        yield
    finally:
        if known:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)


def main(folder: Path) -> None:
    """Make all calls, and write after each what happened."""
    asked = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
    source = Path(asked["source"])
    shared = module_shared()
    with np.load(folder / "calls.npz") as arrays:
        values = dict(arrays)
    text = source.read_bytes()  # compiled as Python reads a file: with its mark, and its encoding
    sys.path.insert(0, str(source.parent))
    sys.meta_path.insert(0, _OnlyNumPy(source.parent))
    limit(asked["memory"], asked["seconds"])
    guard = Guard()
    # A module that can be found by its name, as dataclasses do.
    sys.modules["submission"] = module = types.ModuleType("submission")
    names = module.__dict__
    names["__file__"] = str(source)
    _, what = guarded(lambda: exec(compile(text, str(source), "exec"), names), guard, asked, source)
    happened(folder, "load", what or {"kind": "done"})
    if what:
        return
    slow = set()
    for number, call in enumerate(asked["calls"]):
        function = names.get(call["function"])
        results, changed = None, {}
        if call["function"] in slow:
            what = {"kind": "not run"}
        elif not callable(function):
            what = {"kind": "missing"}
        else:
            arguments = [argument(spec, values, shared) for spec in call["arguments"]]
            before = shared.copies(arguments)
            result, what = guarded(lambda f=function, a=arguments: f(*a), guard, asked, source)
            if what is None:
                changed = shared.changed(before, arguments)
                results, what = plain(result, call["returns"])
            elif what["kind"] == "too slow":
                slow.add(call["function"])
        happened(folder, str(number), what, results, changed)


def module_shared() -> Any:
    """The module ``shared``, loaded from its file: its package would bring the answers along."""
    spec = importlib.util.spec_from_file_location("shared", HERE / "shared.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def happened(
    folder: Path,
    call: str,
    what: dict[str, Any],
    results: list[Any] | None = None,
    changed: dict[int, Any] | None = None,
) -> None:
    """Write what a call returned and changed, and what happened."""
    if results is not None:
        named = {f"changed_{i}": array for i, array in (changed or {}).items()}
        np.savez(folder / f"{call}.npz", *results, **named)
    # The last thing written: where it is missing, the process ended in the middle.
    (folder / f"{call}.json").write_text(json.dumps(what), encoding="utf-8")


def argument(spec: dict[str, Any], values: dict[str, Any], shared: Any) -> Any:
    """One argument of a call; arrays in the memory layout that was asked for."""
    if "array" in spec:
        return shared.laid_out(values[spec["array"]], spec["layout"])
    if "seed" in spec:
        return np.random.default_rng(spec["seed"])
    if "shared" in spec:
        return shared.FUNCTIONS[spec["shared"]]
    return tuple(spec["tuple"]) if "tuple" in spec else spec["value"]


def guarded(
    call: Any, guard: Guard, asked: dict[str, Any], source: Path
) -> tuple[Any, dict[str, Any] | None]:
    """Return what a call returned, and what went wrong instead, if something did."""
    guard.on = True
    try:
        with time_limit(asked["seconds"]):
            return call(), None
    except TooSlowError:
        return None, {"kind": "too slow", **place(source)}
    except MemoryError:
        return None, {"kind": "memory", **place(source)}
    except BaseException as error:
        if isinstance(error, SystemExit):
            return None, {"kind": "exit", **place(source)}
        if isinstance(error, NotImplementedError):
            return None, {"kind": "not written", **place(source)}
        if isinstance(error, (ImportError, PermissionError)) and str(error).startswith("refused"):
            what = str(error).partition(": ")[2]
            kind = "import" if isinstance(error, ImportError) else "forbidden"
            return None, {"kind": kind, "what": what, **place(source)}
        return None, {
            "kind": "raised",
            "type": type(error).__name__,
            "text": text_of(error),
            "shapes": shapes(source),
            **place(source),
        }
    finally:
        guard.on = False


def text_of(error: BaseException) -> str:
    """The message of an error, whatever its ``__str__`` does."""
    try:
        return str(error)[:500]
    except BaseException:
        return ""


def place(source: Path) -> dict[str, Any]:
    """The last line of the learner's file that was running when the error was raised."""
    error = sys.exc_info()[1]
    if isinstance(error, SyntaxError) and error.filename == str(source):
        return {"line": error.lineno, "code": (error.text or "").strip()[:200]}
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = [frame for frame in frames if frame.filename == str(source)]
    return {"line": ours[-1].lineno, "code": (ours[-1].line or "")[:200]} if ours else {}


def shapes(source: Path) -> dict[str, str]:
    """The shapes of the arrays that stand in the line of the learner's file that failed."""
    found: dict[str, str] = {}
    with contextlib.suppress(Exception):
        trace = sys.exc_info()[2]
        frames = [f for f, _ in traceback.walk_tb(trace) if f.f_code.co_filename == str(source)]
        line = place(source)["code"]
        values = frames[-1].f_globals | frames[-1].f_locals
        for name in dict.fromkeys(re.findall(r"[^\W\d]\w*", line)):
            if isinstance(values.get(name), np.ndarray):
                found[name] = str(values[name].shape)
    return found


def plain(result: Any, returns: int) -> tuple[list[Any] | None, dict[str, Any]]:
    """Return the arrays of an answer, or what is wrong with its type."""
    several = isinstance(result, (tuple, list))
    items = list(result) if several else [result]
    if returns == 1 and isinstance(result, list):
        return None, {"kind": "type", "got": "a list"}
    if len(items) != returns:
        count = f"{len(items)} things" if several else f"one {type(result).__name__}"
        return None, {"kind": "type", "got": "None" if result is None else count}
    found = []
    for item in items:
        if isinstance(item, (bool, int, float, np.generic, np.ndarray)):
            array = np.asarray(item)
            if array.dtype.kind in "biuf" and array.size <= MOST_NUMBERS:
                found.append(array)
                continue
        kind = "None" if item is None else type(item).__name__
        if isinstance(item, np.ndarray):
            kind = f"array of {item.dtype} with {item.size} elements"
        return None, {"kind": "type", "got": kind}
    scalars = [not isinstance(item, np.ndarray) for item in items]
    return found, {"kind": "done", "scalars": scalars}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # whatever threads and exit handlers the learner's code has left behind
