"""Single changes of a function's source, as a slip of the keyboard or the mind makes them."""

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

OPERATORS: tuple[type[ast.operator], ...] = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.MatMult,
)  # fmt: skip
COMPARISONS: tuple[type[ast.cmpop], ...] = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.NotEq)
NAMES = (
    ("sum", "mean", "max", "min", "std", "var", "cumsum"),
    ("maximum", "minimum", "add", "multiply"),
    ("exp", "log", "sqrt", "abs", "square", "expm1"),
    ("zeros_like", "ones_like", "empty_like"),
    ("argmax", "argmin"),
    ("standard_normal", "random"),
)
Change = Callable[[Any], ast.AST | None]  # None: the node is left out


def spoilt(function: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """Yield each change of a function, as the changed line and the whole source, each once."""
    source = ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(function))))
    seen = {source}
    before = source.splitlines()
    for number, node in enumerate(ast.walk(_body(ast.parse(source)))):
        for change in _changes(node, _names(ast.parse(source))):
            tree = ast.parse(source)
            target = next(n for i, n in enumerate(ast.walk(_body(tree))) if i == number)
            new = change(copy.deepcopy(target))
            try:
                text = ast.unparse(ast.fix_missing_locations(_Replace(target, new).visit(tree)))
                compile(text, "<spoilt>", "exec")
            except (SyntaxError, ValueError, IndexError, AttributeError, TypeError):
                continue
            if text not in seen:
                seen.add(text)
                lines = text.splitlines()
                changed = [line for line in lines if line not in before] or ["(a line less)"]
                gone = [line for line in before if line not in lines]
                yield " ".join(f"{changed[0]}   <-   {' '.join(gone)}".split()), text


def built(text: str, name: str) -> Callable[..., Any]:
    """The function of a source."""
    names: dict[str, Any] = {"np": np}
    exec(compile(text, "<spoilt>", "exec"), names)
    made: Callable[..., Any] = names[name]
    return made


def _body(tree: ast.Module) -> ast.Module:
    """The function without its docstring and its arguments, which are no code to be changed."""
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    docstring = isinstance(function.body[0], ast.Expr)
    return ast.Module(function.body[docstring:], [])


def _names(tree: ast.Module) -> list[str]:
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    own = [a.arg for a in function.args.args]
    return list(
        dict.fromkeys(
            own
            + [
                n.id
                for n in ast.walk(_body(tree))
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            ]
        )
    )


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST | None) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def _set(**fields: Any) -> Change:
    def change(node: ast.AST) -> ast.AST:
        for name, value in fields.items():
            setattr(node, name, value)
        return node

    return change


def _changes(node: ast.AST, names: list[str]) -> Iterator[Change]:
    match node:
        case ast.BinOp():
            for operator in OPERATORS:
                yield _set(op=operator())
            yield lambda n: n.left
            yield lambda n: n.right
            if not isinstance(node.op, (ast.Add, ast.Mult)):  # these say the same either way
                yield lambda n: ast.BinOp(n.right, n.op, n.left)
        case ast.AugAssign():
            for operator in OPERATORS:
                yield _set(op=operator())
            yield lambda n: ast.Assign([n.target], n.value, lineno=0)
        case ast.Compare():
            for comparison in COMPARISONS:
                yield _set(ops=[comparison()])
        case ast.UnaryOp():
            yield lambda n: n.operand
        case ast.Constant():
            yield from _constants(node.value)
        case ast.Call():
            yield from _calls(node)
        case ast.Name(ctx=ast.Load()) if node.id in names:
            for name in names:
                yield _set(id=name)
        case ast.Slice():
            for part in ("lower", "upper", "step"):
                yield _set(**{part: None})
        case ast.Subscript(ctx=ast.Load()):
            yield lambda n: n.value
        case ast.Tuple(ctx=ast.Load()):
            for i in range(len(node.elts) - 1):
                yield lambda n, i=i: _swapped(n, i)
        case ast.IfExp():
            yield lambda n: n.body
            yield lambda n: n.orelse
        case ast.Attribute() if node.attr == "T":
            yield lambda n: n.value
        case ast.Attribute():
            for among in NAMES:
                if node.attr in among:
                    for name in among:
                        yield _set(attr=name)
        case ast.If() | ast.For():
            yield lambda n: ast.If(ast.Constant(True), n.body, [])
        case ast.Assign():
            yield lambda n: ast.Pass()


def _swapped(node: ast.Tuple, i: int) -> ast.Tuple:
    node.elts[i], node.elts[i + 1] = node.elts[i + 1], node.elts[i]
    return node


def _constants(value: Any) -> Iterator[Change]:
    if isinstance(value, bool):
        yield _set(value=not value)
    elif isinstance(value, (int, float)):
        for other in (value + 1, value - 1, -value, 2 * value, value / 2):
            if other != value:
                yield _set(value=other)
    elif isinstance(value, str):
        for i in range(len(value)):
            yield _set(value=value[:i] + value[i + 1 :])
            yield _set(value=value[:i] + value[i + 1 : i + 2] + value[i : i + 1] + value[i + 2 :])


def _calls(node: ast.Call) -> Iterator[Change]:
    if node.args:
        yield lambda n: n.args[0]
    if isinstance(node.func, ast.Attribute):
        yield lambda n: n.func.value
    for i in range(len(node.keywords)):
        yield lambda n, i=i: _set(keywords=n.keywords[:i] + n.keywords[i + 1 :])(n)
    for i in range(len(node.args) - 1):
        yield lambda n, i=i: _set(args=[*n.args[:i], n.args[i + 1], n.args[i], *n.args[i + 2 :]])(n)
