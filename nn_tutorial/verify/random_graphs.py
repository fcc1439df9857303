"""Programs drawn at random, to be run on any kind of array: ours on the tape, and PyTorch's."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..layers.checks import Array

N, CHANNELS, SIZE = 3, 2, 4  # examples, and the images that a row of numbers can be read as
D = CHANNELS * SIZE * SIZE
# What a graph begins with. All but the first are broadcast where they meet it.
SHAPES = {
    "x": (N, D), "row": (D,), "flat": (1, D), "column": (N, 1), "number": (),
    "weight": (D, D), "kernel": (CHANNELS, CHANNELS, 3, 3), "bias": (CHANNELS,),
}  # fmt: skip
LAYERS = (
    "relu", "sigmoid", "tanh", "linear", "softmax", "batch_norm", "layer_norm", "conv2d",
    "max_pool2d", "avg_pool2d", "softmax_cross_entropy",
)  # fmt: skip


def leaves(rng: np.random.Generator) -> dict[str, Array]:
    """Return arrays for a graph to begin with, by the names of ``SHAPES``.

    Parameters
    ----------
    rng : numpy.random.Generator
    """
    return {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}


def random_graph(
    rng: np.random.Generator,
    start: Mapping[str, Any],
    layers: Mapping[str, Callable[..., Any]],
    operations: int = 12,
) -> tuple[Any, Counter[str]]:
    """Apply operations drawn at random, each to results drawn among all that there are.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides what is done, and nothing of the numbers: two generators with one seed do the same
        to two kinds of arrays.
    start : mapping of str to array
        What ``leaves`` gives, as arrays that remember: Variables or tensors.
    layers : mapping of str to callable
        This package's functions of ``LAYERS``, for arrays of this kind.
    operations : int

    Returns
    -------
    loss : array of one number
        The cross-entropy of all results, added up.
    used : Counter
        How often each operation was used, and how often a value was used ``"again"``, or was
        ``"broadcast"``.
    """
    values = [start[name] for name in ("x", "row", "flat", "column", "number")]
    used, seen = Counter[str](), set[int]()
    names = sorted(_steps(start, layers, values[0], values[0]))
    for _ in range(operations):
        kind = names[rng.integers(len(names))]
        i, j = (int(k) for k in rng.integers(len(values), size=2))
        taken = {i, j} if kind in _OF_TWO else {i}
        used["again"] += len(taken & seen)
        used["broadcast"] += kind in _OF_TWO and tuple(values[i].shape) != tuple(values[j].shape)
        seen |= taken
        used[kind] += 1
        made = _steps(start, layers, values[i], values[j])[kind]()
        values.append(layers["tanh"](made))  # so that no number grows without bounds
    total = values[0]
    for value in values[1:]:
        total = total + value
    labels = rng.integers(0, D, N)
    used["softmax_cross_entropy"] += 1
    return layers["softmax_cross_entropy"](total, labels), used


_OF_TWO = {"+", "-", "*", "/", "maximum"}


def _steps(
    start: Mapping[str, Any], layers: Mapping[str, Callable[..., Any]], a: Any, b: Any
) -> dict[str, Callable[[], Any]]:
    """What can be done with two values; x is added where rounding could decide a tie."""
    x, weight, row = start["x"], start["weight"], start["row"]

    def images() -> Any:
        return (a + x).reshape(N, CHANNELS, SIZE, SIZE)

    return {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "/": lambda: a / (b * b + 1.0),
        "maximum": lambda: a.maximum(b),
        "power": lambda: (a * a + 1.0) ** 1.5,
        "exp": lambda: a.exp(),
        "log": lambda: (a * a + 0.5).log(),
        "sum": lambda: (a + x).sum(axis=0),
        "mean": lambda: (a * x).mean(axis=1, keepdims=True),
        "index": lambda: (a + x)[np.array([2, 0, 2])],
        "matmul": lambda: (a + x) @ weight.T,
        "number": lambda: 3.0 - 2.0 / (a * a + 1.0),
        "relu": lambda: layers["relu"](a + x),
        "sigmoid": lambda: layers["sigmoid"](a),
        "tanh": lambda: layers["tanh"](a),
        "linear": lambda: layers["linear"](a + x, weight, row),
        "softmax": lambda: layers["softmax"](a + x),
        "batch_norm": lambda: layers["batch_norm"](a + x, row, row),
        "layer_norm": lambda: layers["layer_norm"](a + x, row, row),
        "conv2d": lambda: layers["conv2d"](
            images(), start["kernel"], start["bias"], padding=1
        ).reshape(N, D),
        "max_pool2d": lambda: layers["max_pool2d"](images(), 3, stride=1, padding=1).reshape(N, D),
        "avg_pool2d": lambda: layers["avg_pool2d"](images(), 3, stride=1, padding=1).reshape(N, D),
    }
