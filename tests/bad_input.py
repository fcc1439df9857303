"""What every layer must refuse, made from the rows of ``cases.py``.

Each row is tried with one argument spoilt. For an array that is done here; for another argument
the theories have values, by the argument's name, that no layer may take.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import FUNCTIONS, LAYERS, FunctionCase, LayerCase

from nn_tutorial.verify.theories import THEORIES

BAD: dict[str, list[Any]] = {"dtype": [int, bool]}
for _theory in THEORIES.values():
    for _argument, _values in _theory.refused.items():
        BAD.setdefault(_argument, []).extend(_values)
# Arguments for which there is no such value, with the reason.
NO_BAD_VALUE = {
    "rng": "a generator; what is none fails where it is drawn from",
    "init": "a function; what it must refuse stands in test_bad_input.py",
    "layers": "those of a Sequential, which has no row of its own; see test_bad_input.py",
}


@dataclass(frozen=True)
class Refusal:
    """A call with one argument spoilt.

    The message must begin with one of ``names``, and say what came.
    """

    row: str
    owner: str
    argument: str
    how: str
    call: Callable[[], Any]
    names: tuple[str, ...]
    came: str

    def __str__(self) -> str:
        return f"{self.owner}: {self.argument} {self.how}"


def _spoilt(array: np.ndarray, first: bool) -> Iterator[tuple[str, Any, str]]:
    """How an array can be wrong, and what came, if that shows without the other arrays."""
    yield "a list", array.tolist(), "list"
    yield "of integers", array.astype(np.int64), "int64"
    yield "empty", array[:0], str(array[:0].shape) if first else ""
    if not first:
        yield "too long", np.concatenate([array, array]), ""
        yield "of another rank", array[None], ""
        yield "of another float type", array.astype(np.float32), ""


def of_function(case: FunctionCase) -> Iterator[Refusal]:
    """Each argument of a function spoilt in turn."""
    own = dict(zip(case.arrays, case.inputs(), strict=True))
    given = own | case.more(np.float64)
    arrays = [name for name, v in given.items() if getattr(v, "dtype", None) == np.float64]
    for name in arrays:
        for how, bad, came in _spoilt(given[name], first=name == arrays[0]):
            names = (name,) if came else tuple(arrays)
            yield _refusal(case.name, case.function, given, name, bad, how, names, came)
    for name in inspect.signature(case.function).parameters:
        for bad in () if name in arrays else BAD.get(name, ()):
            yield _refusal(case.name, case.function, given, name, bad)


def of_layer(case: LayerCase) -> Iterator[Refusal]:
    """Each argument of a class spoilt in turn."""
    if inspect.isclass(case.of):
        taken = inspect.signature(case.of).parameters
        given = {"rng": np.random.default_rng(0), "dtype": np.float64} | case.settings
        given = {name: value for name, value in given.items() if name in taken}
        for name in taken:
            for bad in BAD.get(name, ()):
                yield _refusal(case.name, case.of, given, name, bad)


def _refusal(
    row: str,
    function: Callable[..., Any],
    given: dict[str, Any],
    name: str,
    bad: Any,
    how: str = "",
    names: tuple[str, ...] = (),
    came: str | None = None,
) -> Refusal:
    def call() -> Any:
        return function(**given | {name: bad})

    said = np.dtype(bad).name if isinstance(bad, type) else str(bad)
    if isinstance(bad, list):
        said = "list"
    elif isinstance(bad, np.ndarray):
        said = ""  # the dtype, the shape, or a number in it
    came = said if came is None else came
    how = how or f"{bad!r}"
    return Refusal(row, function.__name__, name, how, call, names or (name,), came)


REFUSALS = [
    *(refusal for case in FUNCTIONS for refusal in of_function(case)),
    *(refusal for case in LAYERS for refusal in of_layer(case)),
]
