"""A Python file in parts: what runs when it is imported, and what runs when a function is called.

A page depends on the first part of every file that it imports, on the second part only of the
functions that it ran. Comments, docstrings and the places of lines belong to neither.
"""

import ast
import hashlib
import importlib.util
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

# The names, in the kernel's builtins, of the list of functions that ran and of its way to set one.
RAN, SET_RAN = "__page_ran__", "__page_set_ran__"
# Who says one of these can see docstrings, or on which line a function stands.
REVEALING = {"__doc__", "getdoc", "getmembers", "help", "pydoc", "doctest"}
REVEALING |= {"tb_lineno", "f_lineno", "co_firstlineno", "co_lines"}

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Part:
    """A part of a file: its name, a hash of what it does, and whether it is `REVEALING`."""

    name: str
    sha: str
    reveals: bool


@dataclass(frozen=True)
class Definitions:
    """A file: `skeleton` is all but the bodies of its functions, which are in their order.

    `code` stands for both, `texts` has the source of each function and class by its `__qualname__`.
    """

    skeleton: Part
    bodies: tuple[Part, ...]
    code: str
    texts: dict[str, str]


def read(source: bytes) -> Definitions:
    """Take a file apart.

    Raises
    ------
    SyntaxError, Warning
        If it does not compile, or not without a warning.
    """
    text = importlib.util.decode_source(source)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = ast.parse(text)
        compile(text, "file", "exec", dont_inherit=True)
    texts = _texts(tree, text.split("\n"))
    for node in ast.walk(tree):
        if _docstring(node):
            del node.body[0]  # type: ignore[attr-defined]  # only what has a body has a docstring
    bodies = []
    for name, function in list(_outermost(tree)):
        body: list[ast.AST] = [*_body(function)]
        bodies.append(_part(name, body))
        # A generator is known by its body, and seen by who calls it without going through it.
        left: ast.expr = ast.Constant(..., kind="generator" if _is_generator(function) else None)
        function.body = left if isinstance(function, ast.Lambda) else [ast.Expr(left)]
    skeleton = _part("", [tree])
    code = _sha("".join([skeleton.sha, *(part.sha for part in bodies)]))
    return Definitions(skeleton, tuple(bodies), code, texts)


def marked(source: bytes, path: str, first: int) -> tuple[CodeType, list[int]]:
    """Compile a file so that each function notes its run, from number `first` on, in their order.

    Returns
    -------
    code : code
        Of the module; it behaves as the file itself.
    lines : list of int
        The first line of each function.
    """
    tree = ast.parse(importlib.util.decode_source(source), path)
    lines = []
    for number, (_, function) in enumerate(list(_outermost(tree)), first):
        lines.append(_first_line(function))
        if isinstance(function, ast.Lambda):
            call = ast.Call(
                ast.Name(SET_RAN, ast.Load()), [ast.Constant(number), ast.Constant(True)], []
            )
            function.body = _placed(ast.BoolOp(ast.Or(), [call, function.body]), function.body)
            continue
        where = ast.Subscript(ast.Name(RAN, ast.Load()), ast.Constant(number), ast.Store())
        at = 1 if _docstring(function) else 0
        near = function.body[min(at, len(function.body) - 1)]
        function.body.insert(at, _placed(ast.Assign([where], ast.Constant(True)), near))
    return compile(tree, path, "exec", dont_inherit=True), lines


def reveals(tree: ast.AST, names: set[str] = REVEALING) -> bool:
    """Whether code says one of some names."""
    for node in ast.walk(tree):
        said = {getattr(node, "id", None), getattr(node, "attr", None)}
        if isinstance(node, ast.Constant) and node.value == "__doc__":  # for getattr
            return True
        if isinstance(node, ast.alias):
            said.update(node.name.split("."))
        if said & names:
            return True
    return False


def _part(name: str, nodes: list[ast.AST]) -> Part:
    return Part(name, _sha("\n".join(map(ast.dump, nodes))), any(map(reveals, nodes)))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _placed(new: Any, near: ast.AST) -> Any:
    for node in ast.walk(new):
        if not hasattr(node, "lineno"):
            ast.copy_location(node, near)
    return new


def _docstring(node: ast.AST) -> bool:
    if not isinstance(node, _DOCUMENTED) or not node.body:
        return False
    first = node.body[0]
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _first_line(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min(part.lineno for part in [*decorators, node])


def _outermost(node: ast.AST, scope: tuple[str, ...] = ()) -> Iterator[tuple[str, Function]]:
    """The functions that stand in no other function, by their names, in the order of the file."""
    for field, value in ast.iter_fields(node):
        if isinstance(node, Function) and field == "body":
            continue  # what is in a body is part of it
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            named = isinstance(child, _SCOPES)
            inner = (*scope, getattr(child, "name", "<lambda>")) if named else scope
            if isinstance(child, Function):
                yield ".".join(inner), child
            yield from _outermost(child, inner)


def _body(function: Function) -> list[ast.stmt] | list[ast.expr]:
    return [function.body] if isinstance(function, ast.Lambda) else function.body


def _is_generator(function: Function) -> bool:
    todo: list[ast.AST] = [*_body(function)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.ClassDef):
            todo.extend(ast.iter_child_nodes(node))
    return False


def _texts(tree: ast.AST, lines: list[str]) -> dict[str, str]:
    """The source of each function and class; where several have one name, of all of them."""
    texts: dict[str, str] = {}

    def visit(node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, _SCOPES) or isinstance(child, ast.Lambda):
                visit(child, scope)
                continue
            name = scope + child.name
            texts[name] = _sha(texts.get(name, "") + _text(child, lines))
            inside = "." if isinstance(child, ast.ClassDef) else ".<locals>."
            visit(child, name + inside)

    visit(tree, "")
    return texts


def _text(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str:
    """The lines of a definition, with the comments at the end of its body."""
    end = node.end_lineno or node.lineno
    for number in range(end, len(lines)):
        line = lines[number].strip()
        indent = len(lines[number]) - len(lines[number].lstrip())
        if line and not (line.startswith("#") and indent > node.col_offset):
            break
        end = number + 1 if line else end
    return "\n".join(lines[_first_line(node) - 1 : end])
