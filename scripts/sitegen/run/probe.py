"""Loaded into the kernel of every page: notes what the page reads, runs and starts.

It says what happened; `dependencies.py` says what follows from it.
"""

import builtins
import functools
import gc
import hashlib
import importlib.util
import inspect
import linecache
import os
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

from .definitions import RAN, SET_RAN, marked

# What `nn_tutorial.verify.reached_code` tells: a page should not import it before it does.
BEGINS, ENDS = "nn_tutorial.reached_code", "nn_tutorial.reached_code.end"

# These talk to the notebook's front end, not to the reader; their warnings are not the page's.
_MACHINERY = r"(IPython|ipykernel|jupyter_client|traitlets|zmq|tornado|asyncio|comm|debugpy)(\.|$)"
# Below these folders nothing is the page's own: the pins stand for the environment.
NOT_WATCHED = {".venv", ".cache", ".git", "site", "node_modules", "__pycache__"}
HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
_INSTALLED = {sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib")}
# Those that start a process, and where their arguments have what is started.
_STARTS = {"subprocess.Popen": 1, "os.posix_spawn": 1, "os.exec": 1, "os.spawn": 2}


class Probe:
    """What a page has done so far; `ran` has a place for each function of the project's modules."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.ran: list[bool] = []
        self.modules: dict[str, tuple[str, int, list[int]]] = {}  # hash, first place, first lines
        self.opened: set[str] = set()
        self.lines: set[str] = set()  # as named by those who asked for a file's lines
        self.listed: set[str] = set()
        self.tried: set[str] = set()  # files of which it asked whether they exist
        self.shown: set[tuple[str, str]] = set()  # a file, and the definition that was shown
        self.asked: set[tuple[str, str]] = set()  # a module, and the folder of its package
        self.reached: set[str] = set()  # scripts of which it asked what they follow from
        self.started: list[list[str]] = []
        self.quiet = threading.local()  # while it is on in a thread, what happens is not noted

    def start(self) -> None:
        """Begin to watch; make every warning of the page an error."""
        setattr(builtins, RAN, self.ran)
        setattr(builtins, SET_RAN, self.ran.__setitem__)
        self.asked.update((name.partition(".")[0], "") for name in sys.modules)
        sys.meta_path.insert(0, self)  # it listens, and finds nothing
        _wrap(SourceFileLoader, "get_code", self._get_code)
        _wrap(inspect, "getsource", self._getsource)
        _wrap(inspect, "getsourcefile", self._quietly)  # to find one module it looks for all
        _wrap(linecache, "getlines", self._getlines)
        _wrap(linecache, "checkcache", self._quietly)
        _wrap(os, "stat", self._stat)
        if (shell := _shell()) is not None:
            # Of an expected error the page keeps the message, not the lines that it came from.
            _wrap(shell, "showtraceback", self._quietly)
        if sys.platform != "win32":  # multiprocessing starts its processes past the auditors
            import _posixsubprocess

            _wrap(_posixsubprocess, "fork_exec", self._fork_exec)
        sys.addaudithook(self._note)
        gc.set_threshold(100_000)  # imports make many objects and few cycles: look less often
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module=_MACHINERY)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Note that a module is looked for; others find it."""
        folders = (path or ()) if "." in name else ("",)
        self.asked.update((name, folder) for folder in folders if not folder or self._own(folder))

    def finish(self, seed: Any) -> dict[str, Any]:
        """Return what the page did and used, the data sets and the seed."""
        self.quiet.on = True
        modules = dict(sys.modules)
        files = {name: getattr(module, "__file__", None) for name, module in modules.items()}
        tops = {name.partition(".")[0] for name in modules}
        tops.update(filter(None, map(_package, self.opened)))
        ours = {name for name in tops if self._has(modules.get(name))}
        asked = {(name, folder) for name, folder in self.asked if folder or name in ours}
        data = modules.get("nn_tutorial.data")
        return {
            "did": {
                "modules": {
                    path: [sha, [i for i in range(len(lines)) if self.ran[first + i]]]
                    for path, (sha, first, lines) in self.modules.items()
                },
                "opened": sorted(self.opened | ({*files.values()} - self.modules.keys() - {None})),
                "listed": sorted(self.listed),
                "tried": sorted(self.tried),
                "shown": sorted(self.shown),
                "reached": sorted(self.reached),
                "started": self.started,
                "asked": sorted(asked),
                "path": [*dict.fromkeys(filter(self._own, map(os.path.abspath, sys.path)))],
                "outside": sorted(tops - ours),
                "missing": sorted({name for name, folder in self.asked if not folder} - tops),
                "packages": sorted(tops),
                "asked_for_data": data is not None and data.asked(),
            },
            "seconds": sum(os.times()[:4]),  # of the processor: its own and its children's
            "python": sys.version.split()[0],
            "package": metadata.version("nn_tutorial") if "nn_tutorial" in modules else None,
            "data": data.used() if data is not None else {},
            "seed": seed,
        }

    def _own(self, path: str) -> bool:
        """Whether a path is in the project, and not of the probe itself."""
        if (path != self.root and not path.startswith(self.root + os.sep)) or path.startswith(HERE):
            return False
        return not NOT_WATCHED.intersection(path[len(self.root) :].split(os.sep))  # noqa: PTH206

    def _has(self, module: Any) -> bool:
        """Whether a module is of the project."""
        places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
        return any(isinstance(place, str) and self._own(place) for place in places)

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        """Hear what Python tells its auditors."""
        if event in (BEGINS, ENDS):
            self.quiet.on = event == BEGINS and args[1] == self.root
            self.reached.update(args[:1] if self.quiet.on else ())
        if getattr(self.quiet, "on", False):
            return
        if event == "open":
            path, _, flags = args
            write_only = isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY
            if isinstance(path, (str, bytes)) and not write_only:
                self.opened.add(_source(os.path.abspath(os.fsdecode(path))))  # noqa: PTH100
        elif event in ("os.listdir", "os.scandir"):
            path = "." if args[0] is None else args[0]
            # What is importable, and what is installed, is noted in other ways.
            importing = sys._getframe(1).f_globals.get("__name__", "").startswith("importlib")
            if isinstance(path, (str, bytes)) and not importing:
                self.listed.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100
        elif event == "object.__getattr__" and args[1] == "__code__":
            with self._while_quiet():
                self._seen(args[0].__code__)
        elif event in _STARTS:
            folder = args[2] if event == "subprocess.Popen" else None
            self._started(args[_STARTS[event]], folder)
        elif event in ("os.fork", "os.forkpty", "os.system"):
            self.started.append([event])

    def _started(self, arguments: Any, folder: Any = None) -> None:
        """A process is started; a script that it is to run may be named from its folder."""
        parts = [os.fsdecode(part) for part in arguments]
        scripts = [os.path.join(os.fsdecode(folder or "."), part) for part in parts]  # noqa: PTH118
        self.started.append(
            [
                os.path.abspath(script) if part.endswith(".py") else part  # noqa: PTH100
                for part, script in zip(parts, scripts)
            ]
        )

    def _seen(self, code: CodeType) -> None:
        """Let a function whose code is looked at count as one that ran."""
        _, first, lines = self.modules.get(code.co_filename, ("", 0, []))
        for i, line in enumerate(lines):
            if line == code.co_firstlineno:
                self.ran[first + i] = True

    def _get_code(self, original: Callable[..., Any], loader: Any, name: str) -> Any:
        path = os.path.abspath(loader.get_filename(name))  # noqa: PTH100
        if not self._own(path):
            return original(loader, name)
        with self._while_quiet():
            source = loader.get_data(path)
        sha, known = hashlib.sha256(source).hexdigest(), self.modules.get(path)
        first = len(self.ran) if known is None else known[1]
        if known is not None and known[0] != sha:
            sha, first = "changed and loaded again", len(self.ran)
        code, lines = marked(source, path, first)
        self.ran.extend([False] * (first + len(lines) - len(self.ran)))
        self.modules[path] = sha, first, lines
        return code

    def _getsource(self, original: Callable[..., str], item: Any) -> str:
        with self._while_quiet():
            text = original(item)
            found = inspect.unwrap(item) if callable(item) else item
            found = getattr(found, "__func__", found)
            code = getattr(found, "__code__", found)
            name = getattr(code, "co_qualname", getattr(found, "__qualname__", ""))
            file = inspect.getsourcefile(found)
        if file is not None:
            self.shown.add((os.path.abspath(file), name))  # noqa: PTH100
        return text

    def _getlines(self, original: Callable[..., Any], filename: str, *rest: Any) -> Any:
        if filename in self.lines:  # noted; PyTorch asks for a whole stack at every step
            return original(filename, *rest)
        # PyTorch, when it is imported, keeps where from, for messages that no page shows.
        if getattr(self.quiet, "on", False) or filename[:1] == "<" or self._in_library_import():
            with self._while_quiet():
                return original(filename, *rest)
        self.lines.add(filename)
        self.opened.add(os.path.abspath(filename))  # noqa: PTH100
        return original(filename, *rest)

    def _in_library_import(self) -> bool:
        frame = sys._getframe(1)
        while frame.f_back is not None:
            ours = self._own(frame.f_code.co_filename) or frame.f_globals["__name__"] == "__main__"
            if ours or frame.f_code.co_name == "<module>":
                return not ours
            frame = frame.f_back
        return False

    def _stat(self, original: Callable[..., Any], path: Any, **named: Any) -> Any:
        if not getattr(self.quiet, "on", False) and isinstance(path, (str, os.PathLike)):
            whole = os.fsdecode(os.path.abspath(path))  # noqa: PTH100
            # IPython asks of every text that is shown whether it is a file.
            if self._own(whole) and "\n" not in whole and len(whole) < 256:
                self.tried.add(whole)
        return original(path, **named)

    def _fork_exec(self, original: Callable[..., Any], args: Any, *rest: Any) -> Any:
        self._started(args)
        return original(args, *rest)

    def _quietly(self, original: Callable[..., Any], *args: Any, **named: Any) -> Any:
        before, self.quiet.on = getattr(self.quiet, "on", False), True
        try:  # not _while_quiet: it is called for every line of a stack
            return original(*args, **named)
        finally:
            self.quiet.on = before

    @contextmanager
    def _while_quiet(self) -> Iterator[None]:
        before = getattr(self.quiet, "on", False)
        self.quiet.on = True
        try:
            yield
        finally:
            self.quiet.on = before


def _wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Let `around(original, ...)` stand for a function of another module."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **named: Any) -> Any:
        return around(original, *args, **named)

    setattr(owner, name, wrapped)
    for kind in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if original in kind:  # what holds for os.stat is asked there
            kind.add(wrapped)


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _package(path: str) -> str:
    """The package that a file belongs to: to read its data is to use it, imported or not."""
    for place in _INSTALLED:
        if path.startswith(place):
            top, inside, _ = path[len(place) :].partition(os.sep)
            return top if inside and top.isidentifier() else ""
    return ""


def _source(path: str) -> str:
    """The file that was compiled, if a path is of Python's cache."""
    if not path.endswith(".pyc"):
        return path
    try:
        return importlib.util.source_from_cache(path)
    except (ValueError, NotImplementedError):
        return path
