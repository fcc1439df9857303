"""What both sides of the sandbox know: some functions, memory layouts, what a call has changed.

The sandbox loads this file on its own. There is nothing of an answer in it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

FUNCTIONS = {
    "sum_of_cubes": lambda x: float((x**3).sum()),
    "sine_of_sum": lambda x: float(np.sin(x.sum())),
    "sum_of_products": lambda x: float((x[:-1] * x[1:]).sum()),
    "log_sum_exp": lambda x: float(np.log(np.exp(x).sum())),
    "weighted_squares": lambda x: float((np.arange(1, x.size + 1) * x.ravel() ** 2).sum()),
}


def laid_out(array: Any, layout: str) -> Any:
    """Return a fresh copy of an array: ``"C"``, ``"F"``, or ``"view"``, every other of a larger."""
    if layout == "view" and array.ndim:
        room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        room[..., ::2] = array
        return room[..., ::2]
    return np.array(array, order="F" if layout == "F" else "C")


def copies(arguments: Sequence[Any]) -> list[Any]:
    """Return copies of the arrays among some arguments, and None for the others."""
    return [np.array(a) if isinstance(a, np.ndarray) else None for a in arguments]


def changed(before: Sequence[Any], arguments: Sequence[Any]) -> dict[int, Any]:
    """Return the arrays that a call has changed, by position; ``before`` is from ``copies``.

    A number that was moved and put back may differ by rounding: that is no change.
    """
    return {
        i: new
        for i, (old, new) in enumerate(zip(before, arguments))
        if old is not None and not _unchanged(old, new)
    }


def _unchanged(old: Any, new: Any) -> bool:
    if old.shape != new.shape or old.dtype != new.dtype:
        return False
    if old.dtype.kind != "f" or not np.isfinite(new).all():
        return np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
    scale = max(1.0, float(np.abs(old[np.isfinite(old)]).max(initial=0)))
    with np.errstate(all="ignore"):
        return bool((np.abs(old - new) <= 16 * np.finfo(old.dtype).eps * scale).all())
