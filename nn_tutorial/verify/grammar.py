"""The words of the equations' language: reductions, functions, comparisons, indices."""

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

REDUCTIONS: dict[str, Callable[..., Any]] = {"sum": np.sum, "mean": np.mean, "max": np.max}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}
COMPARISONS: dict[type, tuple[Callable[..., Any], str]] = {
    ast.Gt: (np.greater, ">"),
    ast.GtE: (np.greater_equal, r"\ge"),
    ast.Lt: (np.less, "<"),
    ast.LtE: (np.less_equal, r"\le"),
    ast.Eq: (np.equal, "="),
    ast.NotEq: (np.not_equal, r"\ne"),
}
ARITHMETIC: dict[type, Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
}


def indices_of(node: ast.Subscript) -> list[ast.expr]:
    """The indices of an element, one or several."""
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def is_operator(node: ast.AST) -> bool:
    """Whether this is the ``sum[k]`` of a ``sum[k](...)``."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in REDUCTIONS
    )


def reduction_of(node: ast.AST) -> str | None:
    """The name of a reduction, if the node is one."""
    if isinstance(node, ast.Call) and is_operator(node.func):
        assert isinstance(node.func, ast.Subscript)
        assert isinstance(node.func.value, ast.Name)
        return node.func.value.id
    return None


def bound_by(node: ast.Call) -> tuple[str, ...]:
    """The indices that a reduction runs over."""
    assert isinstance(node.func, ast.Subscript)
    return tuple(i.id for i in indices_of(node.func) if isinstance(i, ast.Name))
