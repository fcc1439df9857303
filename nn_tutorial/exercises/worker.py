"""Runs a learner's functions; started by ``prisons`` as a program of its own.

Where there are no programs, in a page of a browser, ``answer`` is called instead (``in_page``).

It reads the calls from its standard input, makes each, and answers on what was its standard output
(see ``wire``); what the learner's code prints goes to the standard error. It must not know the
book's own answers, so it imports nothing of the package but ``shared`` and ``wire``, which have
none. Its arguments: the folder in which NumPy lies, and that of the learner's file.
"""

import contextlib
import functools
import importlib.abc
import importlib.util
import os
import re
import signal
import stat
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
MOST_NUMBERS = 1_000_000  # of one answer
# Python's own modules that open files, start programs or leave the guard without telling anybody.
SILENT = {
    "_dbm", "_gdbm", "_interpreters", "_multiprocessing", "_posixshmem", "_sqlite3", "_ssl",
    "_testcapi", "_testinternalcapi", "_testmultiphase", "_tkinter", "_xxsubinterpreters", "dbm",
    "nis", "ossaudiodev", "readline", "spwd", "sqlite3", "ssl", "tkinter",
}  # fmt: skip


class TooSlowError(BaseException):
    """The time for one call is over. No Exception, so that ``except Exception`` lets it pass."""


class _OnlyNumPy(importlib.abc.MetaPathFinder):
    """Refuses what holds the answers already: this package, PyTorch, SciPy and the like."""

    def __init__(self, folder: Path) -> None:
        self.own = {folder / name for name in ("{}.py", "{}/__init__.py")}

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        top = name.partition(".")[0]
        # Python's list of its own modules lacks the one that holds how it was built.
        known = top in sys.stdlib_module_names or top == "numpy" or top.startswith("_sysconfigdata")
        if top in SILENT or not (known or any(Path(str(p).format(top)).exists() for p in self.own)):
            raise ImportError(f"refused: {top}")


def guard(readable: Sequence[Path], library: Path) -> None:
    """From now on refuse to write files, to start programs, to connect, and to read other files.

    Those of Python's own library can be read, but not the packages that are installed in it.
    The worker keeps to it too. It stops what goes astray, and the attacks that are known; a prison
    it is not (see ``prisons``). What it decides by stands in this function, out of reach of the
    module's names.
    """
    hook = watcher(readable, library, resolver())
    take_away()
    sys.addaudithook(hook)


def watcher(
    readable: Sequence[Path], library: Path, real: Callable[[Any], str]
) -> Callable[[str, tuple[Any, ...]], None]:
    """The hook that refuses; `real` follows the links of a path. See ``guard``."""
    forbidden = (
        "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
        "os.startfile", "os.kill", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate",
        "os.link", "os.symlink", "os.chmod", "os.chown", "os.chflags", "os.lchown", "os.utime",
        "os.setxattr", "os.removexattr", "os.chdir", "os.chroot", "os.putenv", "shutil.", "socket.",
        "ctypes.", "urllib.", "ftplib.", "smtplib.", "poplib.", "imaplib.", "telnetlib.",
        "http.client.", "pty.", "mmap.", "sqlite3.", "fcntl.", "syslog.", "winreg.", "webbrowser.",
        "gc.get_", "cpython.", "resource.prlimit", "setopencodehook", "sys.addaudithook",
    )  # fmt: skip
    reads = ("os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.getxattr", "os.listxattr")
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    silent, separator = frozenset(SILENT), os.sep
    roots = tuple(real(path) for path in readable)
    standard, installed = real(library), ("site-packages", "dist-packages")

    def may_be_read(place: str) -> bool:
        if any(place == root or place.startswith(root + separator) for root in roots):
            return True
        inside = place == standard or place.startswith(standard + separator)
        return inside and not any(name in place.split(separator) for name in installed)

    def refused(event: str, args: tuple[Any, ...]) -> str:
        path = None
        if event == "open":
            path, mode, flags = args
            if isinstance(mode, str) and {*mode} & {*"wax+"}:
                return "writing a file"
            if isinstance(flags, int) and flags & writes:
                return "writing a file"
        elif event.startswith(forbidden):
            return event
        elif event == "import" and str(args[0]).partition(".")[0] in silent:
            return f"importing {args[0]}"
        elif event.startswith(reads):
            path = args[0]
        if isinstance(path, int) or path is None:
            return ""
        if may_be_read(real(path)):
            return ""
        return "reading a file of others" if event == "open" else "looking into a folder of others"

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if what := refused(event, args):
            raise PermissionError(f"refused: {what}")

    return hook


def resolver() -> Callable[[Any], str]:
    """``os.path.realpath`` as text, from a copy of its module that no other code can change."""
    spec = importlib.util.spec_from_file_location("paths", os.path.__file__)
    assert spec is not None
    assert spec.loader is not None
    paths = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(paths)
    for module in (os, stat):
        setattr(paths, module.__name__, types.SimpleNamespace(**vars(module)))
    realpath = paths.realpath

    def real(path: Any) -> str:
        place = realpath(path)
        return place.decode(errors="surrogateescape") if isinstance(place, bytes) else place

    return real


def take_away() -> None:
    """Remove what starts programs, makes files or reaches processes without telling anybody."""

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("refused: what no exercise needs")

    for module, names in {
        "_posixsubprocess": ("fork_exec",),
        "os": ("mkfifo", "mknod", "pidfd_open"),
        "posix": ("mkfifo", "mknod", "pidfd_open"),
        "signal": ("pidfd_send_signal",),
        "_signal": ("pidfd_send_signal",),
    }.items():
        with contextlib.suppress(ImportError):  # Windows has other modules
            found = importlib.import_module(module)
            for name in names:
                if hasattr(found, name):
                    setattr(found, name, refuse)


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
            ("RLIMIT_NPROC", 0),  # no more processes; the superuser is not held by it
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


def main(numpy_home: Path, folder: Path) -> None:
    """Read the calls, lock this process in, and answer."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what the learner's code prints must not come between the answers
    sys.path.append(str(numpy_home))  # at the end: other packages lie there too

    def lock(asked: dict[str, Any]) -> None:
        limit(asked["memory"], asked["seconds"])
        guard(readable(numpy_home, folder), Path(os.__file__).parent)

    def send(message: bytes) -> None:
        while message:
            message = message[os.write(answers, message) :]

    answer(sys.stdin.buffer, send, folder, lock)


def readable(numpy_home: Path, folder: Path) -> list[Path]:
    """What a submission may read beside Python's own library."""
    numpy_files = [numpy_home / name for name in ("numpy", "numpy.libs")]
    return [*numpy_files, folder, Path(os.devnull), Path("/dev/urandom")]


def answer(
    requests: IO[bytes],
    send: Callable[[bytes], None],
    folder: Path,
    lock: Callable[[dict[str, Any]], None],
) -> None:
    """Make all calls, and tell after each what happened; `lock` is called before the first."""
    import numpy as np

    shared, wire = loaded("shared"), loaded("wire")
    asked, arrays = wire.unpack(requests)
    values = [np.array(a) for a in arrays]
    source = folder / asked["name"]
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, _OnlyNumPy(folder))
    lock(asked)

    def tell(what: Any, results: Any = (), changed: Any = None) -> None:
        changed = changed or {}
        about = {**what, "results": len(results or ()), "changed": [*changed]}
        send(wire.pack(about, [*(results or ()), *changed.values()]))

    # A module that can be found by its name, as dataclasses do.
    sys.modules["submission"] = module = types.ModuleType("submission")
    names = module.__dict__
    names["__file__"] = str(source)
    tell({"kind": "done"})  # what ends from here on is the learner's doing

    def load() -> None:
        try:
            code = compile(text_of_file(source), str(source), "exec")
        except (MemoryError, RecursionError):  # the reader's own words for brackets in brackets
            raise SyntaxError("it is nested too deeply to be read") from None
        exec(code, names)

    _, what = guarded(load, asked["seconds"], source)
    tell(what or {"kind": "done"})
    if what:
        return
    make_calls(asked, values, names, source, shared, tell)


def make_calls(
    asked: dict[str, Any],
    values: Sequence[Any],
    names: dict[str, Any],
    source: Path,
    shared: Any,
    tell: Callable[..., None],
) -> None:
    """Call the learner's functions, one after the other, and tell what each call gave."""
    slow = set()
    for call in asked["calls"]:
        function = names.get(call["function"])
        results: list[Any] | None = None
        changed: dict[int, Any] = {}
        what: dict[str, Any] | None
        if call["function"] in slow:
            what = {"kind": "not run"}
        elif not callable(function):
            what = {"kind": "missing"}
        else:
            arguments = [argument(spec, values, shared) for spec in call["arguments"]]
            before = shared.copies(arguments)
            once = functools.partial(function, *arguments)
            result, what = guarded(once, asked["seconds"], source)
            if what is None:
                changed = shared.changed(before, arguments)
                results, what = plain(result, call["returns"])
            elif what["kind"] == "too slow":
                slow.add(call["function"])
        tell(what, results, changed)


def loaded(name: str) -> Any:
    """A module beside this one, loaded from its file: its package would bring the answers along."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def argument(spec: dict[str, Any], values: Sequence[Any], shared: Any) -> Any:
    """One argument of a call; arrays in the memory layout that was asked for."""
    import numpy as np

    if "array" in spec:
        return shared.laid_out(values[spec["array"]], spec["layout"])
    if "seed" in spec:
        return np.random.default_rng(spec["seed"])
    if "shared" in spec:
        return shared.FUNCTIONS[spec["shared"]]
    return tuple(spec["tuple"]) if "tuple" in spec else spec["value"]


def guarded(
    call: Callable[[], Any], seconds: float, source: Path
) -> tuple[Any, dict[str, Any] | None]:
    """Return what a call returned, and what went wrong instead, if something did."""
    try:
        with time_limit(seconds):
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


def text_of_file(source: Path) -> str | bytes:
    """A file's text as Python reads it to run it; ``compile`` would take any bytes in a comment.

    Bytes are returned where the encoding that is declared is none: ``compile`` says so best.
    """
    content = source.read_bytes()
    try:
        with contextlib.suppress(SyntaxError):
            return importlib.util.decode_source(content)
        content.decode()  # the same error where the first two lines are not in UTF-8
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start)
        shown = content.split(b"\n")[line].decode(errors="replace")
        about = (str(source), line + 1, None, shown)
        raise SyntaxError(f"(unicode error) {error}", about) from None
    return content


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
    import numpy as np

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
    import numpy as np

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
        if isinstance(item, int):
            kind = "a whole number that is too large for an array"
        if isinstance(item, np.ndarray):
            kind = f"array of {item.dtype} with {item.size} elements"
        return None, {"kind": "type", "got": kind}
    scalars = [not isinstance(item, np.ndarray) for item in items]
    return found, {"kind": "done", "scalars": scalars}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)  # whatever threads and exit handlers the learner's code has left behind
