"""Gradients of any program of arrays: each result remembers how it was made, and the way back."""

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import count
from typing import Any

import numpy as np

from ..layers.checks import Array, check_flag, check_float, check_like, is_number

# From arrays to their gradients: what a layer's two functions are.
Forward = Callable[..., tuple[Any, Any]]
Backward = Callable[..., Any]
Axes = int | tuple[int, ...] | None

_numbers = count()


def operation(forward: Forward, backward: Backward) -> Callable[..., "Variable"]:
    """Return a function of [`Variable`][nn_tutorial.Variable]s from a pair of functions of arrays.

    Each pair of this book is one: ``operation(linear, linear_backward)``.

    Parameters
    ----------
    forward : callable
        ``forward(*arguments) -> (y, cache)``.
    backward : callable
        ``backward(dy, cache)``: one gradient, or a tuple of one for each of the first arguments.
        Where an argument was broadcast, its gradient may have the shape of the result.

    Returns
    -------
    callable
        Takes what ``forward`` takes, and Variables for arrays that are given by position.

    Raises
    ------
    ValueError
        If one of the two is no function; when called without a Variable, or with one that is given
        by name.
    """
    for side, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise ValueError(f"{side}: expected a function, got {function!r}")
    name = getattr(forward, "__name__", "operation")

    def record(*arguments: Any, **more: Any) -> "Variable":
        there = [i for i, value in enumerate(arguments) if isinstance(value, Variable)]
        if not there:
            raise ValueError(f"{name}: expected a Variable, got none by position")
        for key, value in more.items():
            if isinstance(value, Variable):
                raise ValueError(f"{key}: expected a Variable by position, got it by name")
        arrays = [a.data if isinstance(a, Variable) else a for a in arguments]
        y, cache = forward(*arrays, **more)

        def vjp(dy: Array) -> list[Array]:
            found = backward(dy, cache)
            each = found if isinstance(found, tuple) else (found,)
            if len(each) <= there[-1]:
                raise ValueError(
                    f"{name}, backward: expected a gradient for argument {there[-1]}, "
                    f"got {len(each)}, for the first arguments"
                )
            return [unbroadcast(each[i], arrays[i].shape) for i in there]

        result = Variable(np.asarray(y, arrays[there[0]].dtype))  # a loss is Python's number
        result.parents, result.vjp = tuple(arguments[i] for i in there), vjp
        result.cache = cache
        return result

    return record


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    r"""Sum a gradient over the axes along which an array was repeated.

    $$y_{nk} = b_k \quad\Rightarrow\quad
    \frac{\partial L}{\partial b_k} = \sum_n \frac{\partial L}{\partial y_{nk}}$$

    Parameters
    ----------
    gradient : ndarray of float
        Of the repeated array.
    shape : tuple of int
        Of the array before.

    Returns
    -------
    ndarray of the shape

    Raises
    ------
    ValueError
        If an array of the shape cannot be broadcast to that of ``gradient``.
    """
    gradient = np.asarray(gradient)  # of numbers NumPy makes numbers, not arrays
    if gradient.shape == shape:
        return gradient
    new = gradient.ndim - len(shape)
    repeated = [new + i for i, size in enumerate(shape) if size == 1]
    summed = gradient.sum(axis=(*range(new), *repeated), keepdims=True)
    if new < 0 or summed.shape[new:] != shape:
        raise ValueError(f"gradient: expected one of shape {shape}, got {gradient.shape}")
    return summed.reshape(shape)


def _of_two(
    name: str, forward: Forward, backward: Backward
) -> Callable[["Variable", "Variable"], "Variable"]:
    """An operation of two Variables, by whose name shapes that do not fit are told."""
    record = operation(forward, backward)

    def of_two(a: "Variable", b: "Variable") -> "Variable":
        try:
            return record(a, b)
        except ValueError as error:
            raise ValueError(
                f"sides of {name}: expected shapes that fit, got {a.shape} and {b.shape}"
            ) from error

    return of_two


def _to_the_larger(dy: Array, sides: tuple[Array, Array]) -> tuple[Array, Array]:
    """The gradients of a maximum. No product with a mask: 0 times infinity is not 0."""
    a, b = sides
    shared = np.where(a == b, dy / 2, dy)
    return np.where(a < b, 0, shared), np.where(a > b, 0, shared)


# Functions of arrays with their vector-Jacobian products; the cache stands between the two.
_add = _of_two("+", lambda a, b: (a + b, None), lambda dy, _: (dy, dy))
_subtract = _of_two("-", lambda a, b: (a - b, None), lambda dy, _: (dy, -dy))
_multiply = _of_two("*", lambda a, b: (a * b, (a, b)), lambda dy, c: (dy * c[1], dy * c[0]))
_divide = _of_two(
    "/", lambda a, b: (a / b, (a, b)), lambda dy, c: (dy / c[1], -dy * c[0] / (c[1] * c[1]))
)
_matmul = _of_two(
    "@",
    lambda a, b: (a @ b, (a, b)),
    lambda dy, c: (dy @ c[1].swapaxes(-1, -2), c[0].swapaxes(-1, -2) @ dy),
)
_maximum = _of_two("maximum", lambda a, b: (np.maximum(a, b), (a, b)), _to_the_larger)
_power = operation(
    lambda a, p: (a**p, (a, p)),
    lambda dy, c: dy * c[1] * c[0] ** (c[1] - 1) if c[1] else np.zeros_like(dy),
)
_exp = operation(lambda a: (y := np.exp(a), y), lambda dy, y: dy * y)
_log = operation(lambda a: (np.log(a), a), lambda dy, a: dy / a)
_sum = operation(
    lambda a, axis, keepdims: (
        a.sum(axis, keepdims=keepdims),
        (a.sum(axis, keepdims=True).shape, a.shape),
    ),
    lambda dy, shapes: np.broadcast_to(dy.reshape(shapes[0]), shapes[1]),
)
_reshape = operation(
    lambda a, shape: (a.reshape(shape), a.shape), lambda dy, shape: dy.reshape(shape)
)
_transpose = operation(lambda a: (a.T, None), lambda dy, _: dy.T)


def _scattered(dy: Array, cache: tuple[tuple[int, ...], Any]) -> Array:
    """The gradient of indexing: an element that was taken twice gets both."""
    shape, key = cache
    dx = np.zeros(shape, dy.dtype)
    np.add.at(dx, key, dy)
    return dx


_take = operation(lambda a, key: (a[key], (a.shape, key)), _scattered)


class Variable:
    """An array that remembers how it was made.

    ``+``, ``-``, ``*``, ``/``, ``@``, ``**`` and indexing do with Variables what NumPy does with
    arrays; on one side there may be an array or a number, whose gradient nobody asks for. So do
    ``exp()``, ``log()``, ``maximum(other)``, ``sum`` and ``mean`` with ``axis`` and ``keepdims``,
    ``reshape(*shape)`` and ``T``. Where the two sides of ``maximum`` are equal, each gets half of
    the gradient, and where one is NaN, each gets all of it, as in PyTorch.

    The result of an operation cannot be written to. The array that a Variable was made of can:
    leave it as it is until the gradients are taken, since the tape may have kept it.

    Parameters
    ----------
    data : ndarray of float32 or float64, any shape
        Not copied. Its type is kept by every operation.

    Attributes
    ----------
    data : ndarray
        The numbers; ``shape`` is its shape.
    number : int
        Its place on the tape: greater than that of all that it was made from.
    parents : tuple of Variable
        What it was made from; empty for one that was made from an array.
    vjp : callable
        ``vjp(dy)``, the vector-Jacobian product: the upstream gradient gives one for each parent.
    cache : object
        What the forward function kept for that.

    Raises
    ------
    ValueError
        If ``data``, or the other side of an operation, is no array of floats of its type.
    """

    __array_ufunc__ = None  # so that array + Variable asks the Variable

    def __init__(self, data: Array) -> None:
        check_float("data", data, "")
        self.data = data.view()
        self.data.flags.writeable = False
        self.number = next(_numbers)
        self.parents: tuple[Variable, ...] = ()
        self.vjp: Callable[[Array], list[Array]] = lambda dy: []
        self.cache: Any = None

    def __repr__(self) -> str:
        return f"Variable(number {self.number}, {self.data.dtype}, shape {self.shape})"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data."""
        return self.data.shape

    def lift(self, other: Any) -> "Variable":
        """Return the other side of an operation as a Variable, of the type of this one."""
        if isinstance(other, Variable):
            check_like("other", other.data, other.shape, self.data.dtype, "that of this Variable")
            return other
        if is_number(other):
            return Variable(np.asarray(other, self.data.dtype))
        check_float("other", other, "")
        return self.lift(Variable(other))

    def __add__(self, other: Any) -> "Variable":
        return _add(self, self.lift(other))

    def __sub__(self, other: Any) -> "Variable":
        return _subtract(self, self.lift(other))

    def __mul__(self, other: Any) -> "Variable":
        return _multiply(self, self.lift(other))

    def __truediv__(self, other: Any) -> "Variable":
        return _divide(self, self.lift(other))

    def __matmul__(self, other: Any) -> "Variable":
        other = self.lift(other)
        for name, side in (("left", self), ("right", other)):
            if side.data.ndim < 2:
                raise ValueError(f"{name} of @: expected at least two axes, got {side.shape}")
        return _matmul(self, other)

    def __radd__(self, other: Any) -> "Variable":
        return self.lift(other) + self

    def __rsub__(self, other: Any) -> "Variable":
        return self.lift(other) - self

    def __rmul__(self, other: Any) -> "Variable":
        return self.lift(other) * self

    def __rtruediv__(self, other: Any) -> "Variable":
        return self.lift(other) / self

    def __rmatmul__(self, other: Any) -> "Variable":
        return self.lift(other) @ self

    def __neg__(self) -> "Variable":
        return self * -1

    def __pow__(self, exponent: float) -> "Variable":
        if not is_number(exponent):
            raise ValueError(f"exponent: expected a number, got {type(exponent).__name__}")
        return _power(self, float(exponent))

    def __getitem__(self, key: Any) -> "Variable":
        return _take(self, key=key)

    def maximum(self, other: Any) -> "Variable":
        """Return the larger of this and ``other``, element by element."""
        return _maximum(self, self.lift(other))

    def exp(self) -> "Variable":
        """Return $e$ to this power."""
        return _exp(self)

    def log(self) -> "Variable":
        """Return the natural logarithm."""
        return _log(self)

    def sum(self, axis: Axes = None, keepdims: bool = False) -> "Variable":
        """Return the sum over ``axis``, all by default; ``keepdims`` leaves axes of length 1."""
        check_flag("keepdims", keepdims)
        try:
            return _sum(self, axis=axis, keepdims=keepdims)
        except (TypeError, ValueError) as error:
            raise ValueError(f"axis: expected axes of shape {self.shape}, got {axis!r}") from error

    def mean(self, axis: Axes = None, keepdims: bool = False) -> "Variable":
        """Return the mean over ``axis``, all by default; ``keepdims`` leaves axes of length 1."""
        total = self.sum(axis, keepdims)
        return total / (self.data.size / total.data.size)

    def reshape(self, *shape: int | tuple[int, ...]) -> "Variable":
        """Return the same numbers in another ``shape``, which may be one tuple."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        try:
            return _reshape(self, shape=sizes)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"shape: expected one of {self.data.size} numbers, got {sizes}"
            ) from error

    @property
    def T(self) -> "Variable":  # noqa: N802 (NumPy's name)
        """The axes in the opposite order."""
        return _transpose(self)


def tape(y: Variable) -> list[Variable]:
    """Return all that a Variable was made from, and itself, in the order in which it was made.

    Parameters
    ----------
    y : Variable

    Returns
    -------
    list of Variable
        Each after its parents; ``y`` is the last.

    Raises
    ------
    ValueError
        If ``y`` is no Variable.
    """
    if not isinstance(y, Variable):
        raise ValueError(f"y: expected a Variable, got {type(y).__name__}")
    found, left = {y.number: y}, [y]
    while left:
        for parent in left.pop().parents:
            if parent.number not in found:
                found[parent.number] = parent
                left.append(parent)
    return [found[number] for number in sorted(found)]


def gradients(y: Variable, inputs: Sequence[Variable], dy: Array | None = None) -> list[Array]:
    r"""Return the gradients of the loss with respect to values that ``y`` was made from.

    One walk from the end of the tape to its beginning. With $y_k$ for all that was made from $x$
    directly,

    $$\frac{\partial L}{\partial x} = \sum_k \frac{\partial L}{\partial y_k}\,
    \frac{\partial y_k}{\partial x}$$

    Nothing on the tape is changed: called again, it returns the same numbers.

    Parameters
    ----------
    y : Variable
        The loss, one number; with ``dy`` any result.
    inputs : sequence of Variable
        What to differentiate by: values on the tape of ``y``, made from arrays or on the way.
    dy : ndarray of float, shape and dtype of y, optional
        The upstream gradient $\partial L/\partial y$; 1 where ``y`` is the loss itself.

    Returns
    -------
    list of ndarray
        One for each input, of its shape and dtype, new at each call.

    Raises
    ------
    ValueError
        If ``y`` was not made from an input, or has several numbers and ``dy`` is not given, or
        ``dy`` has another shape or type than ``y``.

    References
    ----------
    Linnainmaa (1976), Taylor expansion of the accumulated rounding error, BIT.
    """
    order = tape(y)
    if dy is None and y.data.size == 1:
        dy = np.ones_like(y.data)
    check_like("dy", dy, y.shape, y.data.dtype, "that of y")
    if not isinstance(inputs, Sequence):
        raise ValueError(f"inputs: expected a list of Variables, got {type(inputs).__name__}")
    for value in inputs:
        if value not in order:
            raise ValueError(f"inputs: expected Variables that y was made from, got {value!r}")
    arrived: dict[Variable, Any] = {y: dy}
    for value in reversed(order):  # its gradient is complete: all that was made from it came before
        gradient = arrived[value] if value in inputs else arrived.pop(value)
        for parent, part in zip(value.parents, value.vjp(gradient), strict=True):
            arrived[parent] = np.asarray(arrived[parent] + part) if parent in arrived else part
    return [arrived[value].copy() for value in inputs]


def differentiable(program: Callable[..., Variable]) -> tuple[Forward, Backward]:
    """Return the two functions of arrays that a program of Variables stands for.

    The converse of [`operation`][nn_tutorial.operation]: what a layer's pair is, without a line
    of its backward pass, and so what [`gradient_check`][nn_tutorial.gradient_check] can check.

    Parameters
    ----------
    program : callable
        Takes Variables where ``forward`` is given arrays of floats, and returns a Variable.

    Returns
    -------
    forward : callable
        ``forward(*arguments, **named) -> (y, cache)``.
    backward : callable
        ``backward(dy, cache)``: a tuple of one gradient for each array of floats, in the order in
        which they were given.

    Raises
    ------
    ValueError
        If ``program`` is no function.
    """
    if not callable(program):
        raise ValueError(f"program: expected a function, got {program!r}")

    @wraps(program)
    def forward(*arguments: Any, **named: Any) -> tuple[Array, Any]:
        lifted = [Variable(a) if _is_float(a) else a for a in (*arguments, *named.values())]
        given = lifted[: len(arguments)]
        y = program(*given, **dict(zip(named, lifted[len(arguments) :], strict=True)))
        return y.data, (y, [value for value in lifted if isinstance(value, Variable)])

    def backward(dy: Any, cache: Any) -> tuple[Array, ...]:
        y, inputs = cache
        return tuple(gradients(y, inputs, np.asarray(dy, y.data.dtype)))

    return forward, backward


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
