"""Lines of text, each with a style: sentences, inputs, and two arrays side by side."""

import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answers import equal, same
from .diagnosis import Diagnosis
from .exercise import Case, Function, Seed, SharedFunction

WIDTH = 88
MOST_SHOWN, MOST_LINES = 40, 8  # numbers and lines of an array
STYLES = {
    "title": "bold",
    "good": "green",
    "bad": "bold red",
    "mark": "red",
    "dim": "dim",
    "": "",
}
Line = tuple[str, str]  # style and text


def wrapped(text: str, style: str = "", width: int = WIDTH) -> Iterator[Line]:
    """A text in lines that are not too wide."""
    for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
        yield style, line


def inputs(case: Case) -> Iterator[Line]:
    """The arguments of a case, as Python reads them; of large arrays only the shape."""
    yield "dim", "The smallest test that fails:"
    for name, value in case.inputs.items():
        first, *others = _python(value).splitlines()
        large = isinstance(value, np.ndarray) and value.size > MOST_SHOWN
        if large or len(others) >= MOST_LINES:
            yield "dim", f"  {name}: an array of shape {value.shape}, {value.dtype}"
            continue
        yield "dim", f"  {name} = {first}"
        for row in others:
            yield "dim", f"  {' ' * len(name)}   {row}"


def _python(value: Any) -> str:
    """A value as it can be pasted into Python."""
    if isinstance(value, Seed):
        return f"np.random.default_rng({value.seed})"
    if isinstance(value, SharedFunction):
        return value.name
    if not isinstance(value, np.ndarray):
        return repr(value)
    rows = np.array2string(value, separator=", ", prefix="np.array(", floatmode="unique")
    dtype = f', dtype="{value.dtype}"' if value.dtype not in (np.float64, np.int_) else ""
    return f"np.array({rows}{dtype})"


def side_by_side(function: Function, found: Diagnosis, width: int = WIDTH) -> Iterator[Line]:
    """Expected and actual, one beside the other; what differs carries an arrow."""
    case, want, got = found.case, found.expected, found.got
    assert case is not None
    assert want is not None
    assert got is not None
    room, named = (width - 8) // 2, found.result
    if want.shape != got.shape:
        left, right = _clipped(want, room), _clipped(got, room)
        marks: list[bool] = [False] * max(len(left), len(right))
    else:
        if want.ndim > 2:  # the first slice with a difference
            for index in np.ndindex(want.shape[:-2]):
                if not same(function, got[index], want[index], case):
                    want, got = want[index], got[index]
                    named = f"{found.result}[{', '.join(map(str, index))}]"
                    break
        off = ~equal(function, got, want, case)
        digits = _digits(want[off], got[off])
        left, right = _clipped(want, room, None, digits), _clipped(got, room, off, digits)
        marks = [bool(row.any()) for row in off.reshape(-1, off.shape[-1] if off.ndim else 1)]
    head = f"{named} expected"
    wide = max(len(row) for row in [*left, head])
    yield "title", f"  {head:<{wide}}    yours"
    for i in range(max(len(left), len(right))):
        a = left[i] if i < len(left) else ""
        b = right[i] if i < len(right) else ""
        wrong = marks[i] if i < len(marks) else False
        yield ("mark" if wrong else ""), f"  {a:<{wide}}    {b}"


def _clipped(
    array: NDArray[Any], room: int, off: NDArray[np.bool] | None = None, digits: int = 4
) -> list[str]:
    if array.ndim > 2:
        return [f"an array of shape {array.shape}"]
    rows = _array(array, room, off, digits)
    return rows if len(rows) <= 8 else [*rows[:7], "…"]


def _array(array: NDArray[Any], room: int, off: NDArray[np.bool] | None, digits: int) -> list[str]:
    """An array as rows of text, not wider than there is room; what is off carries an arrow."""
    table = array.reshape(1, -1) if array.ndim < 2 else array
    marked = np.zeros(table.shape, bool) if off is None else off.reshape(table.shape)
    cells = [
        [("▸" if m else "") + _number(v, digits) for v, m in zip(row[:10], marks[:10])]
        for row, marks in zip(table[:8], marked)
    ]
    wide = max((len(cell) for row in cells for cell in row), default=0)
    most = max(1, (room - 2) // (wide + 1))
    more = " …" if table.shape[1] > min(most, 10) else ""
    rows = [" ".join(f"{cell:>{wide}}" for cell in row[:most]) + more for row in cells]
    return [*rows, *["…"] * (len(table) > 8)] or ["(empty)"]


def _digits(want: NDArray[Any], got: NDArray[Any]) -> int:
    """As many as are needed for numbers that differ to look so."""
    pairs = list(zip(want.ravel()[:100].tolist(), got.ravel()[:100].tolist()))
    for digits in range(4, 17):
        if all(_number(a, digits) != _number(b, digits) for a, b in pairs):
            return digits
    return 17


def _number(value: Any, digits: int) -> str:
    if isinstance(value, (bool, np.bool)):
        return str(bool(value))
    shown = 0.0 if abs(float(value)) < 1e-12 else float(value)  # rounding, and minus zero
    return f"{shown:.{digits}g}"
