"""One result that is wrong: its cases, and what all patterns ask of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import naming
from .answers import equal, same
from .exercise import Case, Function
from .matching import Attempt, Difference, smallest

Found = dict[str, Any]
Array = NDArray[Any]


@dataclass(frozen=True)
class Wrong:
    """One result that is wrong, and the cases on which it is.

    Attributes
    ----------
    attempt : Attempt
    result : int
        Which of its results.
    """

    attempt: Attempt
    result: int

    @property
    def function(self) -> Function:
        """The function that was to be written."""
        return self.attempt.function

    @property
    def name(self) -> str:
        """What the result is called."""
        return self.attempt.names[self.result]

    @cached_property
    def differences(self) -> Sequence[Difference]:
        """The cases on which it is wrong."""
        return self.attempt.differences(self.result)

    @cached_property
    def cases(self) -> list[Case]:
        """The same, without what was answered."""
        return [case for case, _, _ in self.differences]

    @property
    def example(self) -> Difference:
        """The case that is shown."""
        return smallest(self.differences)

    @cached_property
    def place(self) -> int:
        """Which of the cases is the example."""
        return [case is self.example.case for case in self.cases].index(True)

    @cached_property
    def fits(self) -> bool:
        """Whether all shapes are right."""
        return all(want.shape == got.shape for _, want, got in self.differences)

    @cached_property
    def scalar(self) -> bool:
        """Whether one number is asked for."""
        return all(want.size == 1 for _, want, _ in self.differences)

    @cached_property
    def value(self) -> float | None:
        """The finite number that stands in every place of these cases, if there are two or more."""
        found = {float(value) for _, _, got in self.differences for value in np.unique(got)}
        several = len(self.differences) > 1 and len(found) == 1
        return found.pop() + 0.0 if several and np.isfinite([*found]).all() else None

    @cached_property
    def factors(self) -> list[float] | None:
        """The number by which all elements are multiplied, case by case, if there is one."""
        return self._each(_factor)

    @cached_property
    def offsets(self) -> list[float] | None:
        """The number that is added to all elements, case by case, if there is one."""
        return self._each(_offset)

    @cached_property
    def masks(self) -> list[NDArray[np.bool]]:
        """Which elements differ; of results that have the right shape."""
        return [~equal(self.function, got, want, case) for case, want, got in self.differences]

    @property
    def always(self) -> str:
        """Where what is said of all these cases holds, in words."""
        everywhere = len(self.differences) == len(self.attempt.cases)
        return "on every test" + ("" if everywhere else " where it is wrong")

    @property
    def count(self) -> Found:
        """How many elements differ, in the example."""
        mask = self.masks[self.place]
        return {"off": int(mask.sum()), "size": mask.size}

    @property
    def named(self) -> list[naming.Named]:
        """All numbers that have a name, with their values in these cases."""
        known = [n for _, n in naming.meanings(self.function, self.cases)]
        return known + naming.others(self.function, self.cases)

    def arrays(self) -> Iterator[tuple[str, list[Array]]]:
        """Yield what each argument that is an array of floats is called, and its values here."""
        for name, value in self.cases[0].inputs.items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                called = self.function.called(name)
                yield called, [case.inputs[name].astype(np.float64) for case in self.cases]

    def are(self, values: Sequence[Array | None]) -> bool:
        """Whether the answers are these arrays, case by case."""
        return all(
            value is not None
            and got.shape == np.shape(value)
            and same(self.function, got, np.asarray(value), case, want)
            for (case, want, got), value in zip(self.differences, values)
        )

    def _each(self, number: Callable[[Function, Difference], float | None]) -> list[float] | None:
        found = []
        for difference in self.differences:
            if (n := number(self.function, difference)) is None:
                return None
            found.append(n)
        return found


def _factor(function: Function, difference: Difference) -> float | None:
    """The one number by which all elements are multiplied, if there is one."""
    case, want, got = difference
    if want.shape != got.shape:
        return None
    want, got = want.astype(np.float64), got.astype(np.float64)
    square = float((want * want).sum())
    if square == 0:
        return None
    factor = float((want * got).sum()) / square
    fits = np.isfinite(factor) and abs(factor) > 1e-6 and same(function, got, factor * want, case)
    return factor if fits else None


def _offset(function: Function, difference: Difference) -> float | None:
    """The one number that is added to all elements, if there is one."""
    case, want, got = difference
    if want.shape != got.shape:
        return None
    offset = float(np.mean(got.astype(np.float64) - want)) if want.size else np.nan
    return offset if np.isfinite(offset) and same(function, got, want + offset, case) else None
