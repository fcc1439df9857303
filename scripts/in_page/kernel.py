"""Runs the cells of a page, one after the other, in one namespace; what comes out goes to the page.

The page knows no Python objects: everything that goes between the two is text, mostly JSON.
"""

import ast
import builtins
import inspect
import io
import json
import linecache
import signal
import symtable
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from . import display, stand_ins
from .printed import Printed
from .stand_ins import MissingError

Deadline = Callable[[int, float, float], None]
MOST_ERROR = 4000  # characters of an error's text
FILL = {"add", "append", "extend", "insert", "setdefault", "update"}  # methods that change
LEFT_OUT = "left out"  # what is needed of a cell that was not run for its length
TIMERS = {"ITIMER_REAL": (0, "SIGALRM"), "ITIMER_PROF": (2, "SIGPROF")}


class Kernel:
    """One for a worker.

    Parameters
    ----------
    post : callable
        Takes an output, as JSON.
    deadline : callable
        ``deadline(signal, seconds, every)``: raise a signal then, and again after `every` seconds.
    """

    def __init__(self, post: Callable[[str], None], deadline: Deadline) -> None:
        self.post = post
        self.out = Printed(lambda text: self._emit({"stream": "stdout", "text": text}))
        self.err = Printed(lambda text: self._emit({"stream": "stderr", "text": text}))
        stand_ins.install()
        display.install(self.show)
        _timers(deadline)
        _wide_labels()
        vars(builtins).update(input=_no_input, help=_help)
        self.reset()

    def reset(self) -> None:
        """Forget the names of the page before."""
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        self.missing: dict[str, str] = {}  # names that a cell did not come to, and what it needed
        self.count = 0

    def show(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Show something that has several forms."""
        self.out.flush()
        self._emit({"data": data, "metadata": metadata})

    def run(self, code: str) -> str:
        """Run a cell.

        Parameters
        ----------
        code : str

        Returns
        -------
        str
            JSON: ``error``, in a few lines, and its ``line``; or what is ``missing``; "" where
            nothing is. And the ``names`` that there are now.
        """
        sys.stdout, sys.stderr = self.out, self.err  # an earlier cell may have put others there
        self.count += 1
        name = f"<cell {self.count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        self.out.begin()
        self.err.begin()
        about: dict[str, Any] = {"error": "", "line": None, "missing": ""}
        try:
            self._run(code, name)
        except BaseException as error:
            about |= self._told(error, code, name)
            if plt := sys.modules.get("matplotlib.pyplot"):
                plt.close("all")  # they are half drawn
        self.out.end()
        self.err.end()
        about["names"] = sorted(n for n in self.names if not n.startswith("_"))
        return json.dumps(about)

    def leave_out(self, code: str) -> None:
        """Do not run a cell: the names that it gives values to are missing until it runs.

        So are those of what it fills: a list that it appends to, a dictionary, an attribute.

        Parameters
        ----------
        code : str
        """
        modules = {n for n, value in self.names.items() if isinstance(value, types.ModuleType)}
        for name in _names(code) | (_filled(code) - modules):
            self.names.pop(name, None)
            self.missing[name] = LEFT_OUT

    def value(self, expression: str) -> str | None:
        """Return what an expression in the prose is now, as it is written; None if it has none."""
        try:
            field = compile(f"f'''{{ {expression}}}'''", "<text>", "eval")
            return str(eval(field, self.names))
        except BaseException:
            return None

    def _run(self, code: str, name: str) -> None:
        tree = ast.parse(code, name)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, name, "exec"), self.names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), self.names)
            if value is not None:
                self.names["_"] = value
                self.show(display.bundle(value), {})
        for written in _names(code):
            self.missing.pop(written, None)
        self._figures()

    def _told(self, error: BaseException, code: str, name: str) -> dict[str, Any]:
        needed = ""
        if isinstance(error, MissingError):
            needed = str(error)
        elif isinstance(error, NameError) and error.name in self.missing:
            needed = self.missing[error.name]
        elif isinstance(error, FileNotFoundError) and not str(error.filename).startswith("/tmp"):
            needed = f"the file {error.filename}"
        if needed:
            of_it = _names(code) | _filled(code)
            for half in [n for n in of_it if isinstance(self.names.get(n), (list, dict, set))]:
                del self.names[half]  # it was to be filled
            there = [n for n in of_it if n not in self.names]
            self.missing |= dict.fromkeys(there, needed)
            return {"missing": needed}
        if isinstance(error, KeyboardInterrupt):
            return {"error": "Stopped."}
        return {"error": short(error, name), "line": line(error, name)}

    def _figures(self) -> None:
        """Show the figures that a cell has drawn and left open."""
        plt: Any = sys.modules.get("matplotlib.pyplot")
        for number in plt.get_fignums() if plt else ():
            svg = io.StringIO()
            plt.figure(number).savefig(svg, format="svg")
            plt.close(number)
            about = {"image/svg+xml": {"alt": "A figure that your code has drawn.", "caption": ""}}
            self.show({"image/svg+xml": svg.getvalue()}, about)

    def _emit(self, output: dict[str, Any]) -> None:
        self.post(json.dumps(output))


def short(error: BaseException, name: str) -> str:
    """Return an error in a few lines: the learner's line, and what is said of it.

    Parameters
    ----------
    error : BaseException
    name : str
        Of the cell.
    """
    said = "".join(traceback.format_exception_only(type(error), error)).strip()
    if isinstance(error, SyntaxError):
        said = f"{type(error).__name__}: {error.msg}"
        if (error.text or "").lstrip().startswith(("%", "!")):
            said += ". Lines that begin with % or ! are for notebooks: only Python runs here."
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith("<cell")
    ]
    number = line(error, name)
    shown = ""
    if number is not None:
        text = linecache.getline(name, number).strip()
        shown = f"Line {number}: {text}\n"
    elsewhere = [f for f in frames if f.filename != name]
    if elsewhere:
        last = elsewhere[-1]
        shown += f"which called line {last.lineno} of an earlier cell: {last.line}\n"
    return (shown + said)[:MOST_ERROR]


def line(error: BaseException, name: str) -> int | None:
    """Return the last line of a cell that was running when an error was raised."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return error.lineno
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
    return frames[-1].lineno if frames else None


def _names(code: str) -> set[str]:
    """The names that a cell gives values to."""
    try:
        symbols = symtable.symtable(code, "<cell>", "exec").get_symbols()
    except SyntaxError:
        return set()
    return {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}


def _filled(code: str) -> set[str]:
    """The names of what a cell changes in place, where that can be seen."""
    found = set()
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            place: ast.AST = node.func if node.func.attr in FILL else node
        else:
            place = node if isinstance(getattr(node, "ctx", None), ast.Store) else ast.Pass()
        while isinstance(place, (ast.Subscript, ast.Attribute)):
            place = place.value
            if isinstance(place, ast.Name):
                found.add(place.id)
    return found


def _no_input(_prompt: object = "") -> str:
    raise RuntimeError("input() does not work in this page: write the value into the code")


def _help(thing: object = None) -> None:
    """Print what is written about something, as ``help`` does with a module that is not here."""
    print(inspect.getdoc(thing) or "There is nothing written about this.")


def _wide_labels() -> None:
    """Let ``np.bincount`` take 64-bit numbers, as everywhere else: this Python has 32 bits."""
    original = np.bincount

    def bincount(x: Any, *rest: Any, **named: Any) -> Any:
        return original(np.asarray(x).astype(np.intp, casting="same_kind"), *rest, **named)

    np.bincount = bincount


def _timers(deadline: Deadline) -> None:
    """Give Python the timers that it lacks here: its interpreter asks the page's clock."""

    def setitimer(which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        number = next(getattr(signal, s) for w, s in TIMERS.values() if w == which)
        deadline(int(number), float(seconds), float(interval))
        return 0.0, 0.0

    for name, (which, sign) in TIMERS.items():
        setattr(signal, name, which)
        if not hasattr(signal, sign):
            setattr(signal, sign, 27)
    signal.setitimer = setitimer
