"""Where a submission runs: a process of its own, and on Linux one that bubblewrap locks in.

Each is a function that takes a learner's file and the bytes of a request, and returns the bytes of
the answer, what was printed, and how it ended. A page in the browser brings one of its own.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent
SUBMISSION = "/submission"  # where a learner's folder is, in bubblewrap
FILES = ("worker.py", "shared.py", "wire.py")
NUMPY = Path(np.__file__).resolve().parent.parent
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8"}
MOST_TEXT = 2000  # bytes kept of what the learner's code prints
MOST_ANSWER = 256 << 20


class Ended(NamedTuple):
    """What came out of a process.

    Attributes
    ----------
    answer, printed : bytes
        The first of both.
    all_printed : int
        How many bytes were printed.
    too_slow : bool
        Whether it was ended for its time.
    """

    answer: bytes
    printed: bytes
    all_printed: int
    too_slow: bool


Prison = Callable[[Path, bytes, float], Ended]
_chosen: Prison | None = None


def process(source: Path, request: bytes, seconds: float) -> Ended:
    """Run a file in a process of its own: it is held by what `worker.guard` and limits can hold.

    Parameters
    ----------
    source : Path
        The learner's file, absolute.
    request : bytes
        For the worker.
    seconds : float
        After which it is ended.
    """
    python = sys.executable or ""  # None, where Python does not know
    command = [python, *_PYTHON, str(HERE / "worker.py"), str(NUMPY), str(source.parent)]
    # Windows starts no program without this one.
    more = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return _run(command, ENVIRONMENT | more, request, seconds)


def bubblewrap(source: Path, request: bytes, seconds: float) -> Ended:
    """Run a file where there is nothing but Python, NumPy and its own folder, which it can read.

    No network, no home, no other process, no file that it can write; see `process`.
    """
    worker = (*_PYTHON, "/book/worker.py", "/book", SUBMISSION)
    return _run(_locked(source.parent, *worker), {}, request, seconds)


def best() -> Prison:
    """Return the one that was chosen, else the strongest that works on this machine."""
    return _chosen or (bubblewrap if not why_no_bubblewrap() else process)


def use(prison: Prison | None) -> None:
    """Let every submission run there from now on; None: in the strongest again."""
    global _chosen
    _chosen = prison


@functools.cache
def why_no_bubblewrap() -> str:
    """Return why `bubblewrap` cannot be used here, in words; nothing if it can."""
    if sys.platform != "linux":
        return "it needs Linux"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    try:
        program = "import sys; sys.path.append('/book'); import numpy"
        command = _locked(HERE, *_PYTHON, "-c", program)
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    *_, said = done.stderr.strip().splitlines() or ["it ends without a word"]
    return said if done.returncode else ""


_PYTHON = ("-I", "-S", "-B", "-X", "utf8")


def _locked(folder: Path, *arguments: str) -> list[str]:
    """The command that runs Python in bubblewrap, with these arguments."""
    command = [
        "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--clearenv", "--hostname", "prison", "--dev", "/dev", "--proc", "/proc", "--dir", "/tmp",
    ]  # fmt: skip
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    libraries = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache")
    for place in (*libraries, *dict.fromkeys([sys.base_prefix, sys.base_exec_prefix])):
        if place not in ("/usr", "/usr/local"):
            command += ["--ro-bind-try", place, place]
    command += ["--ro-bind", _python(), _python()]
    for place in _packages():  # the book may be installed there
        command += ["--tmpfs", place, "--remount-ro", place]
    for path in (NUMPY / "numpy", NUMPY / "numpy.libs"):
        command += ["--ro-bind-try", str(path), f"/book/{path.name}"]
    for name in FILES:
        command += ["--ro-bind", str(HERE / name), f"/book/{name}"]
    command += ["--ro-bind", str(folder), SUBMISSION, "--chdir", "/tmp"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]  # what is kept in memory is no room
    return [*command, _python(), *arguments]


def _python() -> str:
    """The interpreter itself, without an environment around it."""
    own = getattr(sys, "_base_executable", None) or sys.executable or ""
    return os.path.realpath(own)


def _packages() -> list[str]:
    """The folders in which the interpreter itself would find packages."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    found = {sysconfig.get_path(name, vars=base) for name in ("purelib", "platlib")}
    for folder in ("/usr/lib", "/usr/local/lib"):
        found |= {str(path) for path in Path(folder).glob("python3*/*-packages")}
    return sorted(place for place in found if Path(place).is_dir())


def _run(command: list[str], environment: dict[str, str], request: bytes, seconds: float) -> Ended:
    """Run a command in an empty folder; nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
        started = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        assert started.stdin is not None
        assert started.stdout is not None
        assert started.stderr is not None
        answer, printed = _Kept(started.stdout, MOST_ANSWER), _Kept(started.stderr, MOST_TEXT)
        too_slow = False
        try:
            with contextlib.suppress(OSError), started.stdin:  # it may have ended already
                started.stdin.write(request)
            started.wait(seconds)
        except subprocess.TimeoutExpired:
            too_slow = True
        finally:  # also the learner's own children, and also if we are interrupted
            with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
                os.killpg(started.pid, signal.SIGKILL)
            started.kill()
            started.wait()
        return Ended(answer.ended(), printed.ended(), printed.count, too_slow)


class _Kept:
    """Reads what a process writes to its end, and keeps the beginning."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.stream, self.most, self.count = stream, most, 0
        self.parts: list[bytes] = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while block := os.read(self.stream.fileno(), 65536):
            if (room := self.most - self.count) > 0:
                self.parts.append(block[:room])
            self.count += len(block)

    def ended(self) -> bytes:
        self.thread.join(2)  # a child that got away could keep the pipe open
        if not self.thread.is_alive():
            self.stream.close()
        return b"".join(self.parts)
