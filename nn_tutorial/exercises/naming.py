"""Numbers that have a name in a case: sizes of axes, facts of the exercise, arguments."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .exercise import Case, Function

CONSTANTS = {
    math.sqrt(2): "√2",
    math.sqrt(3): "√3",
    math.pi: "π",
    2 * math.pi: "2π",
    math.e: "e",
    math.log(2): "ln 2",
    math.log(10): "ln 10",
}


class Named(NamedTuple):
    """A number in words, and what it is in each of some cases."""

    text: str
    values: tuple[float, ...]


def close(a: float, b: float) -> bool:
    """Whether two numbers are the same, as far as answers in float32 tell."""
    return math.isclose(a, b, rel_tol=1e-3)


def constant(numbers: Sequence[float]) -> float | None:
    """Return the number that all of some numbers are; None if they are not, or if it is but one."""
    alike = len(numbers) > 1 and all(close(n, numbers[0]) for n in numbers)
    return numbers[0] if alike else None


def constant_text(number: float) -> str | None:
    """Return a number in words, if it is whole, a simple fraction, or has a name."""
    sign, size = ("-" if number < 0 else ""), abs(number)
    for below in range(1, 13):
        above = round(size * below)
        if above and close(size, above / below) and (below == 1 or above < 13):
            return f"{sign}{above}" + (f"/{below}" if below > 1 else "")
    for value, name in CONSTANTS.items():
        for number, text in ((value, name), (1 / value, f"1/({name})")):
            if close(size, number):
                return sign + text
    return None


def meanings(function: Function, cases: Sequence[Case]) -> list[tuple[str, Named]]:
    """Return what the exercise itself has a name for, each with its letter."""
    sizes = [function.sizes(case.inputs) for case in cases]
    return [
        (letter, Named(meaning, tuple(float(of_case[letter]) for of_case in sizes)))
        for letter, meaning in function.meanings.items()
        if all(letter in of_case for of_case in sizes)
    ]


def others(function: Function, cases: Sequence[Case]) -> list[Named]:
    """Return further numbers: other axes, numbers among the inputs, and what is made of two."""
    known = dict(meanings(function, cases))
    letters = dict.fromkeys(
        letter for axes in function.axes.values() for letter in axes.split() if letter.isalpha()
    )
    sizes = [function.sizes(case.inputs) for case in cases]
    one = {
        letter: Named(
            f"{letter} ({known[letter].text})" if letter in known else letter,
            tuple(float(of_case[letter]) for of_case in sizes),
        )
        for letter in letters
        if all(letter in of_case for of_case in sizes)
    }
    one |= {f"`{name}`": Named(f"`{name}`", values) for name, values in _numbers(cases).items()}
    found = list(one.values())
    found += _made(one, "{} - 1", lambda v: v - 1)
    found += _made(one, "(1 - {})", lambda v: 1 - v)
    found += _made(one, "the square of {}", lambda v: v * v)
    found += _made(one, "the root of {}", lambda v: math.sqrt(abs(v)))
    found += _made(one, "{0} / ({0} - 1)", lambda v: v / (v - 1) if v != 1 else 0.0)
    for (a, x), (b, y) in itertools.combinations(one.items(), 2):
        found.append(Named(f"{a} * {b}", tuple(v * w for v, w in zip(x.values, y.values))))
        found.append(Named(f"{a} / {b}", tuple(_over(v, w) for v, w in zip(x.values, y.values))))
    return found


def _numbers(cases: Sequence[Case]) -> dict[str, tuple[float, ...]]:
    """The arguments that are numbers in all cases."""
    return {
        name: tuple(float(case.inputs[name]) for case in cases)
        for name, value in cases[0].inputs.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _made(one: Mapping[str, Named], text: str, of: Callable[[float], float]) -> list[Named]:
    return [Named(text.format(key), tuple(map(of, n.values))) for key, n in one.items()]


def _over(above: float, below: float) -> float:
    return above / below if below else 0.0


def named(numbers: Sequence[float], among: Sequence[Named]) -> tuple[Named, int] | None:
    """Return the first name that fits on every case, and 1, or -1 where its reciprocal does.

    At least two cases are needed in which the number is not the same.
    """
    if len({round(n, 6) for n in numbers}) < 2:
        return None
    for name in among:
        for power in (1, -1):
            if all(v and close(n, v**power) for n, v in zip(numbers, name.values)):
                return name, power
    return None
