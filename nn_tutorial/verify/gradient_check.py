"""Compare a backward pass with central differences of its forward pass."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.checks import Array, check_count, check_float, check_rng, is_number, is_plain

# Moves of all arguments -> the central difference along them, and whether a kink lies there.
Slope = Callable[[Sequence[NDArray[Any] | float]], tuple[float, bool]]
FLOOR = 1e-4  # gradients below it are compared absolutely: rounding noise is not a wrong gradient


class GradientError(AssertionError):
    """A gradient that is not that of its forward pass, or could not be checked."""


@dataclass
class ArgumentReport:
    """What was found for one argument.

    Attributes
    ----------
    name : str
    max_error : float
        Largest relative error of its elements, those at a kink left out.
    checked : int
        Elements compared.
    kinks : list of tuple of int
        Elements at a kink: within ±h the function has no single slope, so nothing can be said.
    """

    name: str
    max_error: float = 0.0
    checked: int = 0
    kinks: list[tuple[int, ...]] = field(default_factory=list)


@dataclass
class GradientReport:
    """What ``gradient_check`` found.

    Attributes
    ----------
    arguments : list of ArgumentReport
        Element by element, one report per argument.
    direction_error : float
        Largest relative error along random directions through all arguments at once.
    directions_at_kink : int
        Directions left out because a kink lay on them.
    """

    arguments: list[ArgumentReport]
    direction_error: float = 0.0
    directions_at_kink: int = 0

    @property
    def max_error(self) -> float:
        """Largest relative error of all elements and directions."""
        return max([self.direction_error, *(a.max_error for a in self.arguments)])

    @property
    def kinks(self) -> int:
        """How many elements are at a kink."""
        return sum(len(a.kinks) for a in self.arguments)

    def raise_if_above(self, tolerance: float, *, allow_kinks: bool = False) -> None:
        """Raise ``GradientError`` where the gradient is wrong, or went unchecked at a kink.

        Parameters
        ----------
        tolerance : float
            Largest relative error allowed.
        allow_kinks : bool
            Whether elements at a kink may go unchecked.
        """
        bad = [
            f"{a.name}: relative error {a.max_error:.1e}"
            for a in self.arguments
            if not a.max_error <= tolerance
        ]
        if not self.direction_error <= tolerance:
            bad.append(f"random directions: relative error {self.direction_error:.1e}")
        if not allow_kinks:
            bad += [
                f"{a.name}: at a kink, unchecked: {a.kinks[:3]}" for a in self.arguments if a.kinks
            ]
        if bad:
            raise GradientError(f"tolerance {tolerance:.1e}; " + "; ".join(bad))

    def __str__(self) -> str:
        lines = ["argument    elements  at a kink  largest relative error"]
        lines += [
            f"{a.name:<12}{a.checked + len(a.kinks):>8}{len(a.kinks):>11}{a.max_error:>24.1e}"
            for a in self.arguments
        ]
        return "\n".join(
            [
                *lines,
                f"{'directions':<20}{self.directions_at_kink:>11}{self.direction_error:>24.1e}",
            ]
        )


def gradient_check(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Any],
    arrays: Sequence[Array],
    *,
    rng: np.random.Generator,
    names: Sequence[str] | None = None,
    h: float = 1e-6,
    directions: int = 3,
) -> GradientReport:
    r"""Compare ``backward`` with central differences, element by element and along directions.

    With a random upstream gradient $r$ the loss is $L = \sum r\,y$, and for each element

    $$\frac{\partial L}{\partial x_i} \approx \frac{L(x + h e_i) - L(x - h e_i)}{2h}$$

    The relative error is $|a - b| / \max(|a|, |b|, f)$, where $f$ is the larger of ``FLOOR`` and a
    thousandth of the argument's largest gradient; so where both are 0, it is 0.

    A kink is found by the cache: where a boolean or integer array in it (the sign of a ReLU, the
    winner of a pooling window) differs between $x + h$ and $x - h$, the element is "at a kink".

    Parameters
    ----------
    forward : callable
        ``forward(*arrays) -> (y, cache)``; the same at each call (no fresh randomness).
    backward : callable
        ``backward(dy, cache)`` -> one gradient, or a tuple with one for each array.
    arrays : sequence of ndarray of float64
        The point; never changed.
    rng : numpy.random.Generator
        Draws the upstream gradient and the directions.
    names : sequence of str, optional
        For the report; else ``"argument 0"`` and so on.
    h : float
        Half the distance of the two points, in units of the arguments.
    directions : int
        How many random unit directions through all arguments at once.

    Returns
    -------
    GradientReport

    Raises
    ------
    ValueError
        If an array is not float64, a number is out of its range, ``forward`` does not return two
        things, or ``backward`` a wrong number of gradients or a wrong shape.
    """
    if not isinstance(arrays, (tuple, list)):
        raise ValueError(f"arrays: expected a list of arrays, got {type(arrays).__name__}")
    if names is not None and not isinstance(names, (tuple, list)):
        raise ValueError(f"names: expected a list of texts, got {names!r}")
    names = [f"argument {i}" for i in range(len(arrays))] if names is None else list(names)
    _check(names, arrays, h)
    check_count("directions", directions, least=0)
    check_rng(rng)
    for side, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise ValueError(f"{side}: expected a function, got {function!r}")
    points = [array.copy() for array in arrays]
    found = forward(*points)
    if not isinstance(found, tuple) or len(found) != 2:
        raise ValueError(f"forward: expected (y, cache), got {type(found).__name__}")
    y, cache = found
    if np.asarray(y).dtype.kind not in "fiu":
        raise ValueError(f"forward: expected numbers for y, got {y!r}")
    dy: Any = rng.standard_normal(np.shape(y)) if np.ndim(y) else float(rng.uniform(0.5, 1.5))
    dy = np.asarray(dy) if isinstance(y, np.ndarray) else dy  # of no axis: an array, or a loss
    grads = _as_list(backward(dy, cache), [a.shape for a in arrays])

    def slope(moves: Sequence[NDArray[Any] | float]) -> tuple[float, bool]:
        """Central difference along ``moves``, and whether a kink lies between the two points."""
        sides = []
        for sign in (1, -1):
            moved = [np.asarray(p + sign * h * m) for p, m in zip(points, moves, strict=True)]
            y, cache = forward(*moved)
            sides.append((np.array(y), _decisions(cache)))
        (high, up), (low, down) = sides
        kink = len(up) != len(down) or any(
            not np.array_equal(a, b) for a, b in zip(up, down, strict=True)
        )
        return float(np.sum(dy * (high - low)) / (2 * h)), kink

    result = GradientReport([_each_element(slope, n, k, grads) for k, n in enumerate(names)])
    for _ in range(directions):
        _along_a_direction(slope, grads, rng, result)
    return result


def relative_error(a: Array, b: Array) -> float:
    """Return the largest relative error between two arrays, as ``gradient_check`` defines it.

    Parameters
    ----------
    a, b : ndarray of float, one shape
        Two gradients of one argument.

    Returns
    -------
    float
        0 where both are empty or zero; NaN or infinity in one of them gives infinity.

    Raises
    ------
    ValueError
        If one of them is no array of numbers, or the shapes differ.
    """
    for name, array in (("a", a), ("b", b)):
        if not is_plain(array) or array.dtype.kind not in "fiu":
            got = f"dtype {array.dtype}" if is_plain(array) else type(array).__name__
            raise ValueError(f"{name}: expected an array of floats, got {got}")
    if np.shape(a) != np.shape(b):
        raise ValueError(f"b: expected the shape of a, {np.shape(a)}, got {np.shape(b)}")
    if a.size == 0:
        return 0.0
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    scale = np.maximum(np.abs(a), np.abs(b))
    return float(np.max(np.abs(a - b) / np.maximum(scale, max(FLOOR, 1e-3 * scale.max()))))


def _check(names: Sequence[str], arrays: Sequence[Array], h: float) -> None:
    if len(arrays) == 0 or len(names) != len(arrays):
        raise ValueError(f"names: expected one for each of {len(arrays)} arrays, got {len(names)}")
    for name, array in zip(names, arrays, strict=True):
        check_float(name, array, "")
        if array.dtype != np.float64:
            raise ValueError(
                f"{name}: expected float64, whose rounding is small enough, got {array.dtype}"
            )
    if not (is_number(h) and 0 < h < math.inf):
        raise ValueError(f"h: expected a positive number, got {h!r}")


def _as_list(found: Any, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[Any]]:
    """Copies of what ``backward`` returned: one gradient for each array."""
    grads = list(found) if isinstance(found, (tuple, list)) else [found]
    if [np.shape(g) for g in grads] != list(shapes):
        raise ValueError(
            f"backward: expected gradients of shapes {list(shapes)}, "
            f"got {[np.shape(g) for g in grads]}"
        )
    return [np.array(g) for g in grads]


def _each_element(slope: Slope, name: str, k: int, grads: Sequence[NDArray[Any]]) -> ArgumentReport:
    """Move the elements of argument ``k`` one by one."""
    report, shape = ArgumentReport(name), grads[k].shape
    numeric, smooth = np.zeros(shape), np.ones(shape, bool)
    for index in np.ndindex(shape):
        moves: list[Any] = [0.0] * len(grads)
        moves[k] = np.zeros(shape)
        moves[k][index] = 1.0
        numeric[index], kink = slope(moves)
        if kink:
            report.kinks.append(index)
            smooth[index] = False
    report.checked = int(smooth.sum())
    report.max_error = relative_error(grads[k][smooth], numeric[smooth])
    return report


def _along_a_direction(
    slope: Slope, grads: Sequence[NDArray[Any]], rng: np.random.Generator, result: GradientReport
) -> None:
    """Move all elements of all arguments at once, and add to the report what was found."""
    draws = [rng.standard_normal(g.shape) for g in grads]
    length = np.sqrt(sum(float(np.sum(d * d)) for d in draws))
    moves = [d / length for d in draws]
    numeric, kink = slope(moves)
    if kink:
        result.directions_at_kink += 1
        return
    along = sum(float(np.sum(g * m)) for g, m in zip(grads, moves, strict=True))
    error = relative_error(np.array([along]), np.array([numeric]))
    result.direction_error = max(result.direction_error, error)


def _decisions(cache: Any) -> list[NDArray[Any]]:
    """All boolean and integer arrays in a cache: the choices that the forward pass made."""
    found, todo = [], [cache]
    while todo:
        item = todo.pop()
        if isinstance(item, np.ndarray):
            if item.dtype.kind in "biu":
                found.append(item.copy())
        elif isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, (tuple, list)):
            todo += item
    return found
