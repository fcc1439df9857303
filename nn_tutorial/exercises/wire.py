"""The messages between the grader and the process in which a submission runs.

A message is one line of JSON, and after it the numbers of its arrays as they lie in memory. Nothing
in it can be code, so that neither side can make the other run any. Both sides load this file, the
sandbox on its own; there is nothing of an answer in it.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

MOST_HEADER = 1 << 20  # bytes of a line of JSON
MOST_NUMBERS = 1_000_000  # of an array
WIDTHS = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8)}  # bytes, by kind


def pack(about: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> bytes:
    """Return a message.

    Parameters
    ----------
    about : dict
        What JSON can hold.
    arrays : sequence of ndarray
        Of numbers; wider ones than float64 are sent as float64.
    """
    plain = [
        np.ascontiguousarray(a, np.float64 if a.dtype.itemsize > 8 else a.dtype.newbyteorder("="))
        for a in arrays
    ]
    header = {"about": about, "arrays": [[a.dtype.str, np.shape(b)] for a, b in zip(plain, arrays)]}
    return b"".join([json.dumps(header).encode(), b"\n", *(a.tobytes() for a in plain)])


def unpack(stream: IO[bytes]) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """Return the next message, None where there is no more.

    Raises
    ------
    ValueError
        If it is no message, or not whole. A submission may have written anything.
    """
    line = stream.readline(MOST_HEADER)
    if not line:
        return None
    try:
        header = json.loads(line)
        about, specs = header["about"], header["arrays"]
        arrays = [_array(stream, dtype, shape) for dtype, shape in specs]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("message: expected about and arrays, got something else") from error
    if not isinstance(about, dict):
        raise ValueError(f"message: expected an object, got {type(about).__name__}")
    return about, arrays


def _array(stream: IO[bytes], dtype: Any, shape: Any) -> np.ndarray:
    """An array from the stream; refused before any room is made for it."""
    if not re.fullmatch(r"[<>|=]?[biuf][1248]", str(dtype)):
        raise ValueError(f"message: expected an array of numbers, got {dtype!s:.20}")
    kind = np.dtype(str(dtype))
    sizes = [n for n in shape if type(n) is int and 0 <= n <= MOST_NUMBERS]
    if (
        kind.itemsize not in WIDTHS.get(kind.kind, ())
        or len(sizes) != len(shape)
        or len(sizes) > 32
    ):
        raise ValueError(f"message: expected an array of numbers, got {dtype!s:.20} {shape!s:.40}")
    count = math.prod(sizes)
    content = stream.read(count * kind.itemsize) if count <= MOST_NUMBERS else b""
    if len(content) != count * kind.itemsize:
        raise ValueError("message: expected all numbers of an array, got fewer")
    return np.frombuffer(content, kind).reshape(sizes).copy()
