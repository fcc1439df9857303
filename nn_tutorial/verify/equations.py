r"""Executable equations: one line of index notation that is printed, evaluated and compared.

    dX[n,i] = sum[k](dY[n,k] * W[i,k])

The line is Python's syntax with a small grammar of its own; it is parsed and never run as Python.

- ``A[n, 2*i + u]`` is an element; an index outside its axis reads as 0, in ``max`` as $-\infty$.
- ``sum[k](...)``, ``mean[n](...)``, ``max[u,v](...)`` run over indices.
- ``exp``, ``log``, ``sqrt``, ``tanh``; ``+ - * / **``; a comparison is 1 where it holds, else 0.
- A capital that names no array is the size of its index: ``N`` is how many ``n`` there are. Given
  as a number, it says how far an index runs that no array tells: ``U`` for ``max[u](...)``.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import latex
from .grammar import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    REDUCTIONS,
    bound_by,
    indices_of,
    is_operator,
    reduction_of,
)

Values = Mapping[str, Any]


class EquationError(ValueError):
    """An equation that cannot be read or does not fit its arrays; it points at the place."""

    def __init__(self, message: str, text: str, node: ast.AST | None = None, column: int = 0):
        column = getattr(node, "col_offset", column)
        super().__init__(f"{message}\n  {text}\n  {' ' * column}^")


@dataclass(frozen=True)
class Equation:
    """One line of index notation.

    Parameters
    ----------
    text : str
        ``left = right``. The indices on the left are all plain names.

    Raises
    ------
    EquationError
        If the line is not of the grammar, or an index on the right is bound by nothing.
    """

    text: str

    def __post_init__(self) -> None:
        try:
            statements = ast.parse(self.text).body
        except SyntaxError as error:
            column = (error.offset or 1) - 1
            raise EquationError("not Python's syntax", self.text, column=column) from None
        if len(statements) != 1 or not isinstance(statements[0], ast.Assign):
            raise EquationError("expected one 'left = right'", self.text)
        if len(statements[0].targets) != 1:
            raise EquationError("expected one '='", self.text, statements[0].targets[1])
        object.__setattr__(self, "_left", statements[0].targets[0])
        object.__setattr__(self, "_right", statements[0].value)
        left = self.left
        if isinstance(left, ast.Subscript):
            for index in indices_of(left):
                if not isinstance(index, ast.Name):
                    raise EquationError("an index on the left is a name", self.text, index)
        elif not isinstance(left, ast.Name):
            raise EquationError("the left side is a name or an element", self.text, left)
        _Check(self.text, self.free).visit(self.right)
        # Found once: an equation is evaluated thousands of times.
        found = [n for n in ast.walk(self.right) if isinstance(n, ast.Subscript)]
        object.__setattr__(self, "_elements", [n for n in found if not is_operator(n)])

    @property
    def left(self) -> ast.expr:
        """The left side, parsed."""
        return self.__dict__["_left"]

    @property
    def right(self) -> ast.expr:
        """The right side, parsed."""
        return self.__dict__["_right"]

    @property
    def name(self) -> str:
        """The name of what is defined."""
        target = self.left.value if isinstance(self.left, ast.Subscript) else self.left
        assert isinstance(target, ast.Name)
        return target.id

    @property
    def free(self) -> tuple[str, ...]:
        """The indices on the left."""
        if not isinstance(self.left, ast.Subscript):
            return ()
        return tuple(i.id for i in indices_of(self.left) if isinstance(i, ast.Name))

    @property
    def analytic(self) -> bool:
        """Whether a complex step can differentiate it: no comparison of elements and no max."""
        nodes = list(ast.walk(self.right))
        bent = any(reduction_of(node) == "max" for node in nodes)
        return not bent and not any(
            isinstance(node, ast.Compare)
            and any(isinstance(inner, ast.Subscript) for inner in ast.walk(node))
            and not self._compares_labels(node)
            for node in nodes
        )

    def _compares_labels(self, node: ast.Compare) -> bool:
        """Whether all elements in a comparison are labels (``t``), which have no slope."""
        names = {
            inner.value.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Subscript) and isinstance(inner.value, ast.Name)
        }
        return names <= {"t"}

    def __call__(self, values: Values, *, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
        """Evaluate the right side.

        Parameters
        ----------
        values : mapping of str to ndarray or number
            What the names mean.
        shape : tuple of int, optional
            Sizes of the indices on the left, where no array tells them.

        Returns
        -------
        ndarray
            One axis for each index on the left.

        Raises
        ------
        EquationError
            If a name is unknown, an element has the wrong number of indices, or two arrays
            disagree on the size of an index.
        """
        sizes = self.sizes(values, shape)
        result = _Evaluate(self.text, dict(values), sizes).value(self.right, self.free, 0.0)
        return np.broadcast_to(result, tuple(sizes[i] for i in self.free)).copy()

    def sizes(self, values: Values, shape: tuple[int, ...] | None = None) -> dict[str, int]:
        """Return how far each index runs, as the arrays tell; see ``__call__``."""
        sizes = dict(zip(self.free, shape, strict=True)) if shape is not None else {}
        for node in self.__dict__["_elements"]:
            if node.value.id not in values:
                raise EquationError(f"{node.value.id} is unknown", self.text, node)
            array = np.asarray(values[node.value.id])
            indices = indices_of(node)
            if array.ndim != len(indices):
                raise EquationError(
                    f"{node.value.id} has {array.ndim} axes, not {len(indices)}", self.text, node
                )
            for axis, index in enumerate(indices):
                if isinstance(index, ast.Name) and index.id not in values:
                    size = array.shape[axis]
                    if sizes.setdefault(index.id, size) != size:
                        raise EquationError(
                            f"{index.id} runs to {sizes[index.id]} elsewhere, to {size} here",
                            self.text,
                            index,
                        )
        for index_name in self.free:
            if index_name not in sizes:
                raise EquationError(f"how far does {index_name} run? Give shape", self.text)
        return sizes

    @property
    def latex(self) -> str:
        """The equation as LaTeX, with the author's order of factors."""
        return f"{latex.show(self.left)} = {latex.show(self.right)}"

    @property
    def latex_right(self) -> str:
        """The right side alone, as LaTeX."""
        return latex.show(self.right)


class _Check(ast.NodeVisitor):
    """Refuse what is not of the grammar, and indices that nothing binds."""

    allowed = (
        ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.USub, ast.Compare, ast.BoolOp, ast.And,
        ast.Load, *ARITHMETIC, *COMPARISONS,
    )  # fmt: skip

    def __init__(self, text: str, bound: tuple[str, ...]) -> None:
        self.text, self.bound = text, bound

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, self.allowed):
            raise EquationError(f"{type(node).__name__} is not of the grammar", self.text, node)
        if isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)):
            raise EquationError("only numbers are constants", self.text, node)
        super().generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if len(node.args) != 1 or node.keywords:
            raise EquationError("a function takes one argument", self.text, node)
        if reduction_of(node) is not None:
            assert isinstance(node.func, ast.Subscript)
            if not all(isinstance(index, ast.Name) for index in indices_of(node.func)):
                raise EquationError("a sum runs over names", self.text, node.func)
            taken = set(bound_by(node)) & set(self.bound)
            if taken:
                raise EquationError(f"{taken.pop()} is bound already", self.text, node.func)
            _Check(self.text, (*self.bound, *bound_by(node))).visit(node.args[0])
        elif isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            self.visit(node.args[0])
        else:
            raise EquationError("unknown function", self.text, node.func)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.value, ast.Name):
            raise EquationError("an element is name[indices]", self.text, node)
        if is_operator(node):
            raise EquationError(f"{node.value.id} of what?", self.text, node)
        for index in indices_of(node):
            # One small letter is an index; longer names and capitals are numbers that are given.
            if isinstance(index, ast.Name) and len(index.id) == 1 and index.id not in self.bound:
                raise EquationError(
                    f"{index.id} is neither on the left nor summed over", self.text, index
                )
            self.visit(index)


class _Evaluate:
    """Evaluate over index grids: each index is an axis, each element a gather."""

    def __init__(self, text: str, values: dict[str, Any], sizes: dict[str, int]) -> None:
        self.text, self.values, self.sizes = text, values, sizes

    def value(self, node: ast.expr, axes: tuple[str, ...], outside: float) -> Any:
        """The value on the grid of ``axes``; ``outside`` is what lies beyond an array's border."""
        if isinstance(node, ast.Constant):
            return np.asarray(node.value)
        if isinstance(node, ast.Name):
            return self._named(node, axes)
        if isinstance(node, ast.UnaryOp):
            return -self.value(node.operand, axes, outside)
        if isinstance(node, ast.BinOp):
            left = self.value(node.left, axes, outside)
            return ARITHMETIC[type(node.op)](left, self.value(node.right, axes, outside))
        if isinstance(node, ast.BoolOp):
            parts = [self.value(part, axes, outside) for part in node.values]
            return reduce(np.logical_and, parts) * 1.0
        if isinstance(node, ast.Compare):
            sides = [self.value(s, axes, outside).real for s in (node.left, *node.comparators)]
            held = [
                COMPARISONS[type(op)][0](sides[i], sides[i + 1]) for i, op in enumerate(node.ops)
            ]
            return reduce(np.logical_and, held) * 1.0
        if isinstance(node, ast.Subscript):
            return self._element(node, axes, outside)
        assert isinstance(node, ast.Call)
        reduction = reduction_of(node)
        if reduction is None:
            assert isinstance(node.func, ast.Name)
            return FUNCTIONS[node.func.id](self.value(node.args[0], axes, outside))
        inner = (*axes, *bound_by(node))
        for name in bound_by(node):
            if name not in self.sizes and name.upper() not in self.values:
                raise EquationError(
                    f"how far does {name} run? Give {name.upper()}", self.text, node
                )
            self.sizes.setdefault(name, int(self.values.get(name.upper(), 0)))
        body = self.value(node.args[0], inner, -np.inf if reduction == "max" else outside)
        run = [self.sizes[name] for name in bound_by(node)]
        full = np.broadcast_to(body, (*body.shape[: len(axes)], *run))
        return REDUCTIONS[reduction](full, axis=tuple(range(len(axes), len(inner))))

    def _named(self, node: ast.Name, axes: tuple[str, ...]) -> Any:
        if node.id in axes:
            position = axes.index(node.id)
            shape = [1] * len(axes)
            shape[position] = -1
            return np.arange(self.sizes[node.id]).reshape(shape)
        if node.id in self.values:
            value = np.asarray(self.values[node.id])
            if value.ndim:
                raise EquationError(f"{node.id} is an array and needs indices", self.text, node)
            return value.reshape((1,) * len(axes))
        if node.id.lower() in self.sizes:
            return np.full((1,) * len(axes), self.sizes[node.id.lower()])
        raise EquationError(f"{node.id} is unknown", self.text, node)

    def _element(self, node: ast.Subscript, axes: tuple[str, ...], outside: float) -> Any:
        assert isinstance(node.value, ast.Name)
        array = np.asarray(self.values[node.value.id])
        places: list[Any] = []
        inside: Any = True
        for size, index in zip(array.shape, indices_of(node), strict=True):
            at = self.value(index, axes, 0.0)
            at = np.asarray(at).astype(int).reshape(at.shape or (1,) * len(axes))
            name = index.id if isinstance(index, ast.Name) and index.id in axes else ""
            if self.sizes.get(name) != size:  # else it runs from end to end: nothing lies outside
                inside = inside & (at >= 0) & (at < size)
                at = np.minimum(np.maximum(at, 0), size - 1)
            places.append(at)
        return np.where(inside, array[tuple(places)], outside)


@dataclass(frozen=True)
class Step:
    """One equal right-hand side of a derivation, and why it is equal."""

    equation: Equation
    reason: str


class Derivation:
    """A chain of equal right-hand sides, each with its reason.

    Parameters
    ----------
    left : str
        What is derived, as an element: ``"dX[n,i]"``.
    *steps : (str, str)
        A right side, and the reason for which it equals the one before; at least two.

    Raises
    ------
    ValueError
        If there are fewer than two steps.
    EquationError
        If a step is not of the grammar.
    """

    def __init__(self, left: str, *steps: tuple[str, str]) -> None:
        if len(steps) < 2:
            raise ValueError(f"steps: expected at least two, got {len(steps)}")
        self.left = left
        self.steps = [Step(Equation(f"{left} = {right}"), reason) for right, reason in steps]

    def values(self, values: Values, *, shape: tuple[int, ...] | None = None) -> list[NDArray[Any]]:
        """Return what each right side evaluates to; see ``Equation.__call__``."""
        return [step.equation(values, shape=shape) for step in self.steps]

    @property
    def latex(self) -> str:
        """The chain as one aligned display; the numbers point to the reasons."""
        lines = [
            rf"&= {step.equation.latex_right} && \text{{({i})}}"
            for i, step in enumerate(self.steps, 1)
        ]
        left = self.steps[0].equation.latex.split(" = ")[0]
        return rf"\begin{{aligned}} {left} " + r" \\ ".join(lines) + r" \end{aligned}"
