"""Lines of text, each with a style: sentences, inputs, and two arrays side by side."""

import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answers import equal, same
from .diagnosis import Diagnosis
from .exercise import Case, Function

WIDTH = 88
MOST_SHOWN = 40  # numbers of an array
STYLES = {
    "title": "bold",
    "good": "green",
    "bad": "bold red",
    "mark": "red",
    "dim": "dim",
    "": "",
}
Line = tuple[str, str]  # style and text


def wrapped(text: str, style: str = "") -> Iterator[Line]:
    """A text in lines that are not too wide."""
    for line in textwrap.wrap(text, WIDTH, break_long_words=False):
        yield style, line


def inputs(case: Case) -> Iterator[Line]:
    """The arguments of a case; of large arrays only the shape."""
    yield "dim", "The smallest test that fails:"
    for name, value in case.inputs.items():
        if isinstance(value, np.ndarray):
            if value.size <= MOST_SHOWN:
                rows = _array(value)
                yield "dim", f"  {name} = {rows[0]}"
                for row in rows[1:]:
                    yield "dim", f"  {' ' * len(name)}   {row}"
            else:
                yield "dim", f"  {name}: an array of shape {value.shape}"
        else:
            yield "dim", f"  {name} = {getattr(value, 'name', value)}"


def side_by_side(function: Function, found: Diagnosis) -> Iterator[Line]:
    """Expected and actual, one beside the other; what differs carries an arrow."""
    case, want, got = found.case, found.expected, found.got
    assert case is not None
    assert want is not None
    assert got is not None
    if want.shape != got.shape:
        left, right = _clipped(want), _clipped(got)
        marks: list[bool] = [False] * max(len(left), len(right))
    else:
        where = ""
        if want.ndim > 2:  # the first slice with a difference
            for index in np.ndindex(want.shape[:-2]):
                if not same(function, got[index], want[index], case):
                    want, got = want[index], got[index]
                    where = f"[{', '.join(map(str, index))}]"
                    break
        off = ~equal(function, got, want, case)
        left, right = _clipped(want), _clipped(got, off)
        marks = [bool(row.any()) for row in off.reshape(-1, off.shape[-1] if off.ndim else 1)]
        if where:
            yield "dim", f"  of {found.result} the part {where}:"
    head = f"{found.result} expected"
    width = max(len(row) for row in [*left, head])
    yield "title", f"  {head:<{width}}    yours"
    for i in range(max(len(left), len(right))):
        a = left[i] if i < len(left) else ""
        b = right[i] if i < len(right) else ""
        wrong = marks[i] if i < len(marks) else False
        yield ("mark" if wrong else ""), f"  {a:<{width}}    {b}"


def _clipped(array: NDArray[Any], off: NDArray[np.bool] | None = None) -> list[str]:
    if array.ndim > 2:
        return [f"an array of shape {array.shape}"]
    rows = _array(array, off)
    return rows if len(rows) <= 8 else [*rows[:7], "…"]


def _array(array: NDArray[Any], off: NDArray[np.bool] | None = None) -> list[str]:
    """An array as rows of text; elements that are off carry an arrow."""
    if array.ndim > 2:
        return str(array.tolist()).replace("-", "−").splitlines()[:1]
    table = array.reshape(1, -1) if array.ndim < 2 else array
    marked = np.zeros(table.shape, bool) if off is None else off.reshape(table.shape)
    cells = [
        [("▸" if m else "") + _number(v) for v, m in zip(row[:10], marks[:10])]
        for row, marks in zip(table, marked)
    ]
    width = max((len(cell) for row in cells for cell in row), default=0)
    more = " …" if table.shape[1] > 10 else ""
    return [" ".join(f"{cell:>{width}}" for cell in row) + more for row in cells] or ["(empty)"]


def _number(value: Any) -> str:
    if isinstance(value, (bool, np.bool)):
        return str(bool(value))
    shown = 0.0 if abs(float(value)) < 1e-12 else float(value)  # rounding, and minus zero
    return f"{shown:.4g}".replace("-", "−")
