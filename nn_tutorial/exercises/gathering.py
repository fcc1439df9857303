"""The source of functions of a notebook, and of all that they use, so that it stands alone.

A function's own text is taken where it is a plain one, and a ``lambda`` with the statement that it
stands in. What a decorator, ``partial``, a class or another function has made is taken as the
statement that has made it: the last one that has run.
"""

import ast
import contextlib
import inspect
import linecache
import symtable
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Gathered:
    """Parts of a notebook, each after what it uses.

    Parameters
    ----------
    space : mapping
        The notebook's variables.
    frame : frame, optional
        From which it is asked: what stands further down in its cell or script has not run yet.
    """

    def __init__(self, space: Mapping[str, Any], frame: types.FrameType | None = None) -> None:
        self.space = space
        self.parts: dict[str, str] = {}
        self._running = _running(frame)
        self._statements: dict[int, dict[str, _Statement]] = {}

    @property
    def text(self) -> str:
        """The parts as a file. Annotations are not evaluated: they may need what is not here."""
        return "\n\n".join(["from __future__ import annotations", *self.parts.values()]) + "\n"

    def add(self, name: str, value: Any) -> None:
        """Add what makes a function or class, after what that uses.

        Raises
        ------
        ValueError
            If the source cannot be read, or a variable of the notebook is used.
        """
        if name in self.parts:
            return
        space = getattr(value, "__globals__", self.space)
        source = self._source(name, value, space)
        self.parts[name] = ""  # so that functions may call each other
        for used in sorted(_used(source)):
            if used in space and used != name:
                self._use(used, space[used], name, space)
        del self.parts[name]
        self.parts[name] = source

    def _source(self, name: str, value: Any, space: Mapping[str, Any]) -> str:
        plain = isinstance(value, type) or (
            isinstance(value, types.FunctionType)
            and value.__name__ == name
            and not inspect.unwrap(value).__closure__
        )
        if plain:
            with contextlib.suppress(OSError, TypeError):
                return textwrap.dedent(inspect.getsource(value))
        statement = _own_statement(name, value)
        if statement is None and space.get(name) is value:  # the name of another one may be alike
            last = self._statement(name, space)
            statement = last if last and not last.is_function else None
        if statement is None:
            raise ValueError(
                f"{name}: expected a function whose source can be read, as a `def` of its own in a "
                "notebook's cell or a file, got one without"
            )
        return statement.text

    def _use(self, name: str, value: Any, user: str, space: Mapping[str, Any]) -> None:
        """Add what makes a global name of the notebook known."""
        if name in self.parts:
            return
        last = self._statement(name, space)
        statement = last.text if last else ""
        if isinstance(value, types.ModuleType):
            self.parts[name] = f"import {value.__name__} as {name}"
        elif getattr(np, name, None) is value:
            self.parts[name] = f"from numpy import {name}"
        elif getattr(value, "__module__", None) in ("__main__", space.get("__name__")) and callable(
            value
        ):
            self.add(name, value)
        elif statement.startswith(("import ", "from ")) and "from ." not in statement:
            self.parts[name] = statement
        elif callable(value) and _found(value):  # NumPy's functions have types of their own
            self.parts[name] = f"from {value.__module__} import {value.__name__} as {name}"
        elif _is_plain(value):
            self.parts[name] = f"{name} = {value!r}"
        elif callable(value) and statement:
            self.add(name, value)
        else:
            raise ValueError(
                f"{user}: expected a function that uses functions, imports and plain values of the "
                f"notebook, got one that uses the notebook's variable {name}, "
                f"{_what(value)}: pass it as an argument, or make it inside the function"
            )

    def _statement(self, name: str, space: Mapping[str, Any]) -> "_Statement | None":
        """The last statement, outside of functions, that has bound a name."""
        if id(space) not in self._statements:
            found = _statements(_cells(space), self._running if space is self.space else None)
            self._statements[id(space)] = dict(found)
        return self._statements[id(space)].get(name)


class _Statement(NamedTuple):
    """A statement that binds a name; whether it writes a function down, and calls nothing."""

    text: str
    is_function: bool


def _statements(
    cells: Sequence[str], running: tuple[str, int] | None = None
) -> Iterator[tuple[str, _Statement]]:
    """Yield names with the statements that bind them, in the order of the cells.

    Of the last cell, if it is the one that is running, only down to the line that runs.
    """
    for i, cell in enumerate(cells):
        try:
            tree = ast.parse(cell)
        except SyntaxError:
            continue
        text, end = running or ("", 0)
        here = i == len(cells) - 1 and cell.splitlines()[end - 1 : end] == [text]
        for statement in tree.body:
            if here and statement.lineno > end:
                break
            for name in _bound(statement):
                yield name, _told(statement, cell)


def _told(statement: ast.stmt, cell: str) -> _Statement:
    """A statement with its decorators, behind which its own text begins."""
    text = ast.get_source_segment(cell, statement) or ""
    decorators = getattr(statement, "decorator_list", [])
    if decorators:
        lines = cell.splitlines()[decorators[0].lineno - 1 : statement.end_lineno]
        text = textwrap.dedent("\n".join(lines))
    written = isinstance(statement, ast.FunctionDef) and not decorators
    value = getattr(statement, "value", None)
    return _Statement(text, written or isinstance(value, ast.Lambda))


def _own_statement(name: str, value: Any) -> _Statement | None:
    """The statement in which a function itself is written and bound to a name, if there is one."""
    if not isinstance(value, types.FunctionType):
        return None
    try:
        lines, _ = inspect.findsource(value)
        cell = "".join(lines)
        tree = ast.parse(cell)
    except (OSError, SyntaxError):
        return None
    line = value.__code__.co_firstlineno
    found = [
        statement
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and statement.lineno <= line <= (statement.end_lineno or 0)
        and name in _bound(statement)
    ]
    return _told(found[0], cell) if len(found) == 1 and not value.__closure__ else None


def _running(frame: types.FrameType | None) -> tuple[str, int] | None:
    """The line of the cell or script from which a frame was called, and its number."""
    space = frame.f_globals if frame else None
    while frame is not None:
        if frame.f_globals is space and frame.f_code.co_name.startswith(("<module", "<cell")):
            text = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
            return (text.rstrip("\n"), frame.f_lineno) if text else None
        frame = frame.f_back
    return None


def _what(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"of the type {type(value).__name__}"


def _cells(space: Mapping[str, Any]) -> list[str]:
    """The source of a notebook's cells that have run, without IPython's own commands; of a file."""
    cells = space.get("In")
    if not isinstance(cells, list):
        path = Path(str(space.get("__file__", "")))
        cells = [path.read_text(encoding="utf-8", errors="replace")] if path.is_file() else []
    odd = ("%", "!", "?")
    return ["\n".join("" if r.startswith(odd) else r for r in str(c).splitlines()) for c in cells]


def _bound(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Import() | ast.ImportFrom():
            return [(a.asname or a.name.partition(".")[0]) for a in statement.names]
        case ast.Assign() | ast.AnnAssign():
            stored = (n for n in ast.walk(statement) if isinstance(n, ast.Name))
            return [n.id for n in stored if isinstance(n.ctx, ast.Store)]
    return []


def _used(source: str) -> set[str]:
    """The global names that a piece of source needs when it runs."""
    tree = _WithoutAnnotations().visit(ast.parse(source))
    return set(_global(symtable.symtable(ast.unparse(tree), "<cell>", "exec")))


def _global(table: symtable.SymbolTable) -> Iterator[str]:
    outside = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_global() or (outside and symbol.is_referenced()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _global(inner)


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def _found(value: Any) -> bool:
    """Whether its module has it under its own name."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    return getattr(module, getattr(value, "__name__", ""), None) is value


def _is_plain(value: Any) -> bool:
    """Whether a value can be written down: numbers, texts, and tuples, lists and sets of them."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
