"""The source of functions of a notebook, and of all that they use, so that it stands alone.

A function's own text is taken where it is a plain one. What a decorator, ``partial``, a class or
another function has made is taken as the statement of a cell that has made it.
"""

import ast
import contextlib
import inspect
import symtable
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np


class Gathered:
    """Parts of a notebook, each after what it uses.

    Parameters
    ----------
    space : mapping
        The notebook's variables.
    """

    def __init__(self, space: Mapping[str, Any]) -> None:
        self.space = space
        self.parts: dict[str, str] = {}
        self._statements: dict[int, dict[str, str]] = {}

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
        statement = self._statement(name, space)
        if statement is None:
            raise ValueError(
                f"{name}: expected a function whose source can be read, as in a notebook's cell or "
                "a file, got one without"
            )
        return statement

    def _use(self, name: str, value: Any, user: str, space: Mapping[str, Any]) -> None:
        """Add what makes a global name of the notebook known."""
        if name in self.parts:
            return
        statement = self._statement(name, space) or ""
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
                f"{user}: expected a function that needs nothing but its arguments, got one that "
                f"uses the notebook's variable {name}"
            )

    def _statement(self, name: str, space: Mapping[str, Any]) -> str | None:
        """The last statement, outside of functions, that has bound a name."""
        if id(space) not in self._statements:
            self._statements[id(space)] = dict(_statements(space))
        return self._statements[id(space)].get(name)


def _statements(space: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names with the statements that bind them, in the order of the cells."""
    for cell in _cells(space):
        try:
            tree = ast.parse(cell)
        except SyntaxError:
            continue
        for statement in tree.body:
            text = ast.get_source_segment(cell, statement) or ""
            decorators = getattr(statement, "decorator_list", [])
            if decorators:  # the segment begins behind them
                lines = cell.splitlines()[decorators[0].lineno - 1 : statement.end_lineno]
                text = "\n".join(lines)
            for name in _bound(statement):
                yield name, text


def _cells(space: Mapping[str, Any]) -> list[str]:
    """The source of a notebook's cells that have run, without IPython's own commands; of a file."""
    cells = space.get("In")
    if not isinstance(cells, list):
        path = Path(str(space.get("__file__", "")))
        cells = [path.read_text(encoding="utf-8", errors="replace")] if path.is_file() else []
    odd = ("%", "!", "?")
    return ["\n".join(r for r in str(c).splitlines() if not r.startswith(odd)) for c in cells]


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
