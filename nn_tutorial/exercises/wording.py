"""What a learner is told, sentence by sentence; `diagnosis.py` and `grading.py` say when."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import patterns
from .exercise import Case, Function, Misconception
from .matching import Difference
from .patterns import Found, Wrong
from .sandbox import Limits, Outcome

_DIFFER = "{off} of {size} elements of `{name}` differ"

# In the order in which they are tried: the first that fits is told.
PATTERNS: tuple[tuple[Callable[[Wrong], Found | None], str], ...] = (
    (patterns.transposed, "`{name}` is the transpose of what was expected."),
    (
        patterns.other_shape,
        "`{name}` has the shape {got}, expected {want}{sizes}. No known mistake gives exactly "
        "these numbers.",
    ),
    (
        patterns.not_finite,
        "{odd} of {size} elements of `{name}` are not finite (nan or inf): look for a division by "
        "zero, a logarithm of zero, or an exponential that overflows.",
    ),
    (
        patterns.wrong_sign,
        "`{name}` has the wrong sign, in every element, and is right otherwise.",
    ),
    (
        patterns.times_a_size,
        "`{name}` is exactly {times} times too {way}, and {times} is {meaning}.",
    ),
    (patterns.one_factor, "`{name}` is {factor} times what was expected, on every test."),
    (
        patterns.another_factor_each,
        "`{name}` is what was expected times one number, {factor} in the example; the number is "
        "another one on other tests.",
    ),
    (
        patterns.one_offset,
        "Every element of `{name}` is {offset} too large, in the example; the difference is the "
        "same for all elements on every test.",
    ),
    (
        patterns.moved,
        "`{name}` holds the right numbers, moved by {places} {way} along axis {axis}.",
    ),
    (patterns.other_order, "`{name}` holds the right numbers in another order."),
    (patterns.single_number, "`{name}` is {got}, expected {want}."),
    (patterns.everywhere, "All elements of `{name}` differ, and not by one factor."),
    (patterns.one_index, _DIFFER + ": only those of {which}."),
    (
        patterns.at_the_border,
        _DIFFER + ": only those at the border (the last two axes); the inside is right.",
    ),
    (patterns.zero_for_other, _DIFFER + ": they are 0 where they should not be."),
    (patterns.other_for_zero, _DIFFER + ": those that should be 0."),
    (patterns.no_pattern, _DIFFER + "; no pattern that holds on every test."),
)


def of_pattern(function: Function, name: str, differences: Sequence[Difference]) -> str:
    """Say how a result differs, in a way that holds on every case where it does.

    Parameters
    ----------
    function : Function
    name : str
        Of the result.
    differences : sequence of Difference
        All of them, at least one.
    """
    wrong = Wrong(function, name, differences)
    found = ((pattern(wrong), sentence) for pattern, sentence in PATTERNS)
    what, sentence = next((what, sentence) for what, sentence in found if what is not None)
    return sentence.format(name=name, **{key: _written(value) for key, value in what.items()})


def of_the_rest(wrong: int, tests: int) -> str:
    """Say on how many tests a result is right, if it is on any."""
    return f" It is right on {tests - wrong} of {tests} tests." if wrong < tests else ""


def of_mistake(function: Function, known: Misconception, case: Case) -> str:
    """Say what a known mistake is, with the sizes of a case."""
    sizes = function.sizes(case.inputs)
    return known.says.format(**{name: f"{size:.4g}" for name, size in sizes.items()})


def of_change(function: Function, arguments: Sequence[str]) -> str:
    """Say that arguments were changed."""
    return (
        f"`{function.name}` changed its argument {' and '.join(arguments)}. Whoever called it "
        "still needs that array: write the result into a new one."
    )


def of_type(name: str, dtype: np.dtype[Any], wanted: np.dtype[Any]) -> str:
    """Say that a result has the right numbers and another type than the input."""
    return (
        f"The numbers are right, but `{name}` is {dtype} where the input is {wanted}. A network in "
        "float32 should stay in float32: `np.zeros(shape)` makes float64, "
        "`np.zeros(shape, x.dtype)` and `np.zeros_like(x)` do not."
    )


def of_failure(function: Function, outcome: Outcome, limits: Limits) -> str:
    """Say in plain words why a call gave no answer.

    Parameters
    ----------
    function : Function
    outcome : Outcome
        One whose kind is not "done".
    limits : Limits
    """
    about, name = outcome.about, function.name
    where = f" (line {about['line']}: `{about.get('code', '')}`)" if about.get("line") else ""
    match outcome.kind:
        case "not written":
            return f"`{name}` is not written yet{where}."
        case "raised":
            return f"Your code raised {about['type']}: {about['text']}{where}."
        case "too slow":
            return (
                f"`{name}` was stopped after {limits.seconds:g} s{where}. The inputs are small: "
                "does a loop never end?"
            )
        case "memory":
            return (
                f"`{name}` asked for more memory than the {limits.memory / 2**30:g} GB that an "
                f"exercise may use{where}. Has an array one axis too many?"
            )
        case "exit":
            return f"Your code ends the program{where}. A function should return, not exit."
        case "import":
            return (
                f"Your code imports `{about['what']}`{where}. The exercise is to write it "
                "yourself: only NumPy, Python's own modules and your own files can be imported."
            )
        case "forbidden":
            return (
                f"Your code tried something that no exercise needs: {about['what']}{where}. "
                "It may compute and print, but not write files, start programs or use the network."
            )
        case "missing":
            return f"The file has no function called `{name}`: was it renamed?"
        case "type":
            wanted = function.returns
            names = f"{', '.join(wanted)}" if len(wanted) > 1 else f"the array {wanted[0]}"
            forgotten = " Is a `return` missing?" if about["got"] == "None" else ""
            return f"`{name}` returned {about['got']}, expected {names}.{forgotten}"
        case _:
            return f"The program ended in the middle of `{name}`, and nobody caught why."


def _written(value: Any) -> Any:
    """A number, a shape or some sizes in words; anything else as it is."""
    match value:
        case float():
            return f"{value:.4g}".replace("-", "−")
        case tuple():
            return str(value) if value else "of one number"
        case dict():
            told = ", ".join(f"{name} = {size:g}" for name, size in value.items())
            return f" ({told})" if told else ""
    return value
