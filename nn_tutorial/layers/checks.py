"""What the layers refuse: messages name the argument, what came and what was expected."""

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


_OTHER = {np.dtype(code) for code in ("e", "g", ">f4", ">f8", "<f4", "<f8")} - {
    np.dtype("f"), np.dtype("d"),
}  # fmt: skip


def check_float(name: str, x: Any, axes: str) -> None:
    """Raise ``ValueError`` unless ``x`` is a floating-point array with the given axes.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    x : object
        What the caller passed.
    axes : str
        One letter per axis, for example ``"NCHW"``; alternatives are divided by ``|``.
        An empty string accepts any number of axes.
    """
    if not is_plain(x) or x.dtype.char not in "fd" or not x.dtype.isnative:
        got = f"dtype {x.dtype}" if is_plain(x) else type(x).__name__
        # In float16 a sum of ones stands still at 2048; the others compute by another order.
        wanted = "native float32 or float64" if getattr(x, "dtype", None) in _OTHER else "floats"
        raise ValueError(f"{name}: expected an array of {wanted}, got {got}")
    if axes and x.ndim not in [len(option) for option in axes.split("|")]:
        wanted = " or ".join(f"({', '.join(option)})" for option in axes.split("|"))
        raise ValueError(f"{name}: expected shape {wanted}, got {x.shape}")
    if x.size == 0:
        raise ValueError(f"{name}: expected at least one number, got shape {x.shape}")


def is_plain(x: Any) -> bool:
    """Whether it is an array that computes as arrays do: ``*`` of two matrices is another product.

    A memory map is one.
    """
    if type(x) is np.ndarray:
        return True
    return isinstance(x, np.ndarray) and not isinstance(x, (np.matrix, np.ma.MaskedArray))


def check_dtype(dtype: Any) -> None:
    """Raise ``ValueError`` unless it is float32 or float64.

    Whole numbers cannot be trained, and in float16 a sum of ones stands still at 2048.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if dtype is None or found is None or found.char not in "fd" or not found.isnative:
        got = repr(dtype) if dtype is None or found is None else found
        raise ValueError(f"dtype: expected float32 or float64, got {got}")


def is_number(value: Any) -> bool:
    """Whether it is one real number; NaN is one."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Whether it is an integer, and not True or False."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_count(name: str, value: Any, *, least: int = 1) -> None:
    """Raise ``ValueError`` unless ``value`` is an integer of at least ``least``."""
    if not is_whole(value) or value < least:
        raise ValueError(f"{name}: expected an integer of at least {least}, got {value!r}")


def check_flag(name: str, value: Any) -> None:
    """Raise ``ValueError`` unless it is True or False."""
    if not isinstance(value, (bool, np.bool)):
        raise ValueError(f"{name}: expected True or False, got {value!r}")


def check_rng(rng: Any) -> None:
    """Raise ``ValueError`` unless it is a generator.

    A seed is refused: two layers with the same seed would begin with the same numbers.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng: expected a generator, such as np.random.default_rng(0), got {rng!r}"
        )


def check_eps(eps: float) -> None:
    """Raise ``ValueError`` unless it is a finite number of at least 0."""
    if not (is_number(eps) and 0 <= eps < math.inf):
        raise ValueError(f"eps: expected a number of at least 0, got {eps!r}")


def check_like(name: str, x: Any, shape: tuple[int, ...], dtype: Any, why: str) -> None:
    """Raise ``ValueError`` unless ``x`` is an array of this shape and dtype; ``why`` says whose."""
    if not is_plain(x) or x.shape != shape:
        got = f"shape {x.shape}" if is_plain(x) else type(x).__name__
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
    if not is_plain(labels) or labels.dtype.kind not in "iu":
        got = f"dtype {labels.dtype}" if is_plain(labels) else type(labels).__name__
        raise ValueError(f"labels: expected an array of integers, got {got}")
    if labels.shape != (n,):
        raise ValueError(f"labels: expected shape ({n},), one label per row, got {labels.shape}")
    low, high = np.minimum.reduce(labels), np.maximum.reduce(labels)
    if low < 0 or high >= classes:
        bad = low if low < 0 else high
        raise ValueError(f"labels: expected classes from 0 to {classes - 1}, got {bad}")


def pair(name: str, value: int | tuple[int, int], *, least: int) -> tuple[int, int]:
    """Return ``value`` as (height, width); raise ``ValueError`` where one is below ``least``."""
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(map(is_whole, both)) or min(both) < least:
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


def where_open(mask: NDArray[np.bool], d: Array, out: Array | None = None) -> Array:
    """Return ``d`` where the mask is true and exactly 0 elsewhere, in the memory order of the mask.

    As a product, but 0 times infinity is not 0. So the bits are multiplied, as integers: several
    times faster than ``np.where``, which goes one by one. (In two steps: NumPy casts a mask inside
    a product in small pieces.)
    """
    bits = f"i{d.dtype.itemsize}"
    if out is not None:
        np.multiply(d.view(bits), mask, out=out.view(bits))
        return out
    kept = mask.astype(bits)
    kept *= d.view(bits)
    return kept.view(d.dtype)
