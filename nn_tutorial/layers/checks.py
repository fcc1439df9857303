"""What the layers refuse: messages name the argument, what came and what was expected."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


def check_float(name: str, x: Any, axes: str) -> None:
    """Raise ``ValueError`` unless ``x`` is a floating-point array with the given axes.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    x : object
        What the caller passed.
    axes : str
        One letter an axis, for example ``"NCHW"``; alternatives are divided by ``|``.
        An empty string accepts any number of axes.
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        got = f"dtype {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"{name}: expected an array of floats, got {got}")
    if axes and x.ndim not in [len(option) for option in axes.split("|")]:
        wanted = " or ".join(f"({', '.join(option)})" for option in axes.split("|"))
        raise ValueError(f"{name}: expected shape {wanted}, got {x.shape}")
    if x.size == 0:
        raise ValueError(f"{name}: expected at least one number, got shape {x.shape}")


def check_dtype(dtype: Any) -> None:
    """Raise ``ValueError`` unless it is a float type: whole numbers cannot be trained."""
    if np.dtype(dtype).kind != "f":
        raise ValueError(f"dtype: expected a float type, got {np.dtype(dtype)}")


def check_eps(eps: float) -> None:
    """Raise ``ValueError`` unless it is a finite number of at least 0."""
    if not 0 <= eps < math.inf:
        raise ValueError(f"eps: expected a number of at least 0, got {eps}")


def check_like(name: str, x: Any, shape: tuple[int, ...], dtype: Any, why: str) -> None:
    """Raise ``ValueError`` unless ``x`` is an array of this shape and dtype; ``why`` says whose."""
    if not isinstance(x, np.ndarray) or x.shape != shape:
        got = f"shape {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"{name}: expected shape {shape} ({why}), got {got}")
    if x.dtype != dtype:
        raise ValueError(f"{name}: expected dtype {dtype} ({why}), got {x.dtype}")


def check_dy(dy: Any, y: NDArray[Any]) -> None:
    """Raise ``ValueError`` unless ``dy`` is an array of floats of the shape of ``y``."""
    check_float("dy", dy, "")
    if dy.shape != y.shape:
        raise ValueError(f"dy: expected the shape of y, {y.shape}, got {dy.shape}")


def check_labels(labels: Any, n: int, classes: int) -> None:
    """Raise ``ValueError`` unless ``labels`` holds ``n`` integers from 0 to ``classes - 1``."""
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        got = f"dtype {labels.dtype}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise ValueError(f"labels: expected an array of integers, got {got}")
    if labels.shape != (n,):
        raise ValueError(f"labels: expected shape ({n},), one label a row, got {labels.shape}")
    low, high = labels.min(), labels.max()
    if low < 0 or high >= classes:
        bad = low if low < 0 else high
        raise ValueError(f"labels: expected classes from 0 to {classes - 1}, got {bad}")


def pair(name: str, value: int | tuple[int, int], *, least: int) -> tuple[int, int]:
    """Return ``value`` as (height, width); raise ``ValueError`` where one is below ``least``."""
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    whole = all(isinstance(v, (int, np.integer)) for v in both)
    if len(both) != 2 or not whole or min(both) < least:
        raise ValueError(
            f"{name}: expected an integer of at least {least} or two of them (height, width), "
            f"got {value!r}"
        )
    return int(both[0]), int(both[1])


def output_size(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
) -> tuple[int, int]:
    r"""Return the height and width that a sliding window leaves.

    $$H_\text{out} = \left\lfloor \frac{H + 2p - k}{s} \right\rfloor + 1$$

    Raises
    ------
    ValueError
        Where the kernel is larger than the padded input.
    """
    padded = size[0] + 2 * padding[0], size[1] + 2 * padding[1]
    if kernel[0] > padded[0] or kernel[1] > padded[1]:
        raise ValueError(
            f"kernel_size: expected at most the padded input {padded[0]}×{padded[1]}, "
            f"got {kernel[0]}×{kernel[1]} for x of {size[0]}×{size[1]} and padding {padding}"
        )
    return (padded[0] - kernel[0]) // stride[0] + 1, (padded[1] - kernel[1]) // stride[1] + 1
