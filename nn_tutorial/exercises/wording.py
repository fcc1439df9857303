"""What a learner is told, sentence by sentence; `diagnosis.py` and `grading.py` say when."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import arguments, common, patterns
from .exercise import Case, Function, Misconception
from .matching import Attempt, KnownMistakes
from .sandbox import Limits, Outcome
from .substitutes import Substituted
from .wrong import Found, Wrong

_DIFFER = "{off} of {size} elements of `{name}` differ"
_SHAPE = "`{name}` {got}, expected {want}"
_NOT_FINITE = (
    ": look for a division by zero, a logarithm of zero, or an exponential that overflows."
)
_Pattern = tuple[Callable[[Wrong], Found | None], str]
_ODD_SCALAR: _Pattern = (
    patterns.scalar_not_finite,
    "`{name}` is {got}, where {want} was expected" + _NOT_FINITE,
)

# In the order in which they are tried: the first that fits is told. Those of the first list go
# before what is known of single results, those of the second come after.
CERTAIN: tuple[_Pattern, ...] = (
    (
        patterns.axis_of_one,
        _SHAPE + ": the numbers are right, and there is an axis of size 1 too {more}.",
    ),
    (patterns.transposed, "`{name}` is the transpose of what was expected."),
    (
        patterns.axes_in_another_order,
        "`{name}` holds the right numbers, with its axes in another order: ({order}) of those "
        "expected.",
    ),
    (
        patterns.whole_numbers,
        "`{name}` holds whole numbers, of the type {dtype}{cut}. Is the array that you fill made "
        "for floats? `np.zeros_like(x)` takes the type of x.",
    ),
    (
        patterns.too_coarse,
        "`{name}` is {dtype} where the input is {wanted}, and right as far as {dtype} goes. The "
        "result should have the type of the input: `np.zeros_like(x)` keeps it.",
    ),
    (patterns.always_one_number, "`{name}` is {value} in every place, {always}."),
    (patterns.always_one_scalar, "`{name}` is {value}, {always}."),
    (
        patterns.wrong_sign,
        "`{name}` has the wrong sign, in every element, and is right otherwise.",
    ),
    (
        patterns.times_a_size,
        "`{name}` is exactly {times} times too {way}, and {times} is {meaning}.",
    ),
)
PATTERNS: tuple[_Pattern, ...] = (
    (patterns.one_factor, "`{name}` is {factor}{name_} times what was expected, {always}."),
    (
        patterns.named_factor,
        "`{name}` is what was expected, {way} by {by}, which is {value} in the example.",
    ),
    (patterns.one_offset, "Every element of `{name}` is {offset} too large, {always}."),
    (
        patterns.moved,
        "`{name}` holds the right numbers, moved by {places} {way} along axis {axis}.",
    ),
    (patterns.another_result, "`{name}` is what `{other}` should be."),
    (patterns.of_the_expected, "`{name}` is {what}."),
)
# Where a shape is not right; the lists before and after are of results whose shapes are.
SHAPES: tuple[_Pattern, ...] = (
    (
        patterns.number_for_an_array,
        "`{name}` is the number {value}, {always}. An array is expected, here of shape {want}.",
    ),
    (arguments.made_of_arguments, "`{name}` is {what}, {always}."),
    (
        patterns.summed_shape,
        _SHAPE + ": an axis is left. Its {way} over axis {axis} is what was expected.",
    ),
    (
        patterns.part_of_it,
        _SHAPE + ": these are the right numbers of the {part}, and the others are missing.",
    ),
    (
        patterns.same_total,
        _SHAPE + ". The sum of all its numbers is right: was another axis summed?",
    ),
    (patterns.other_shape, _SHAPE + "{sizes}."),
)
OF_CHANCE: tuple[_Pattern, ...] = (
    _ODD_SCALAR,
    (patterns.single_number, "`{name}` is {got}, expected {want}: {by} too {way} here{often}."),
    (patterns.no_pattern, _DIFFER + "."),
)
AFTER_OTHER_ARGUMENTS: tuple[_Pattern, ...] = (
    (
        arguments.plus_an_argument,
        "`{name}` is too {way} by exactly {times}{argument}, in every place{asks}.",
    ),
    (arguments.made_of_arguments, "`{name}` is {what}, {always}."),
    (arguments.multiple_of_an_argument, "`{name}` is {times}{argument}, in every place."),
    (arguments.times_an_argument, "`{name}` is what was expected, {way} by {argument}."),
    _ODD_SCALAR,
    (
        patterns.not_finite,
        "{odd} of {size} elements of `{name}` are not finite (nan or inf)" + _NOT_FINITE,
    ),
    (
        patterns.another_factor_each,
        "`{name}` is what was expected times one number, {factor} in the example; the number "
        "differs from test to test.",
    ),
    (
        patterns.another_offset_each,
        "Every element of `{name}` is {offset} too large, in the example; the difference is the "
        "same for all elements of a test, and differs from test to test.",
    ),
    (patterns.other_order, "`{name}` holds the right numbers in another order."),
    (patterns.one_number_each, "`{name}` is one and the same number in every place of a test."),
    (common.elements_alike, _DIFFER + ": exactly those where {where}."),
    (patterns.zero_for_other, _DIFFER + ": they are 0 where they should not be."),
    (patterns.other_for_zero, _DIFFER + ": those that should be 0."),
    (
        patterns.each_line_multiplied,
        "`{name}` is what was expected, times a number that is the same all along axis {axis} and "
        "differs from line to line.",
    ),
    (
        patterns.each_line_raised,
        "`{name}` is what was expected, plus a number that is the same all along axis {axis} and "
        "differs from line to line.",
    ),
    OF_CHANCE[1],
    (patterns.everywhere, "All elements of `{name}` differ, and not by one factor."),
    (patterns.one_index, _DIFFER + ": only those of {which}."),
    (
        patterns.at_the_border,
        _DIFFER + ": only those at the border (the last two axes); the inside is right.",
    ),
    (patterns.no_pattern, _DIFFER + "; no pattern that holds {always}."),
)


def of_pattern(wrong: Wrong, mistakes: KnownMistakes, substituted: Substituted) -> str:
    """Say how a result differs, in a way that holds on every case where it does.

    Parameters
    ----------
    wrong : Wrong
    mistakes : KnownMistakes
    substituted : Substituted
    """
    if wrong.function.judge and wrong.fits and wrong.scalar:
        return (_of_code(wrong) or _first(OF_CHANCE, wrong)) + of_the_tests(wrong)
    says = (
        _first(CERTAIN, wrong)
        or _of_one_result(wrong, mistakes)
        or (wrong.fits and _first(PATTERNS, wrong))
    )
    if not says and (text := substituted.of([wrong.result])):
        return of_substitute([wrong.name], text) + of_the_tests(wrong, alike=False)
    says = says or _first(AFTER_OTHER_ARGUMENTS if wrong.fits else SHAPES, wrong)
    return says + of_the_tests(wrong)


def of_all(results: Sequence[Wrong], substituted: Substituted) -> str:
    """Say what all wrong results have in common; nothing if each has a pattern of its own."""
    if all(_first(CERTAIN, wrong) for wrong in results):
        return ""
    names = [wrong.name for wrong in results]
    if text := of_substitute(names, substituted.of(range(len(substituted.attempt.names)))):
        return text
    if all(wrong.fits and patterns.not_finite(wrong) for wrong in results):
        listed = _listed([f"`{name}`" for name in names])
        return f"{listed} hold nan or inf{_NOT_FINITE}" + of_the_tests(results[0])
    return ""


def _first(among: Sequence[_Pattern], wrong: Wrong) -> str:
    for pattern, sentence in among:
        what = pattern(wrong)
        if what is not None:
            what = {"name_" if key == "name" else key: value for key, value in what.items()}
            told = {key: _written(key, value) for key, value in what.items()}
            return sentence.format(name=wrong.name, always=wrong.always, **told)
    return ""


def _of_code(wrong: Wrong) -> str:
    """What a judge's code says, where it has words for it."""
    told = wrong.function.verdicts.get(wrong.name, {})
    codes = {float(got) for _, _, got in wrong.differences}
    return told.get(codes.pop() if len(codes) == 1 else 0, "")


def _of_one_result(wrong: Wrong, mistakes: KnownMistakes) -> str:
    """One result is that of a known mistake, whose other results are not the same."""
    known = mistakes.in_one(wrong.result)
    if known is None:
        return ""
    return (
        f"`{wrong.name}` by itself is what the known mistake “{known.name}” gives; the other "
        "results are not those of this mistake, or something else is wrong with them."
    )


def of_the_tests(wrong: Wrong, *, alike: bool = True) -> str:
    """Say on how many tests a result is right, if it is on any, and how the others differ."""
    attempt, off = wrong.attempt, len(wrong.differences)
    tests, failed = len(attempt.cases), len(attempt.failed)
    says = ""
    if off < tests:
        its = "Its numbers are" if attempt.changed else "It is"
        says = f" {its} right on {tests - off} of {tests} tests"
        where = common.cases_alike(attempt, wrong.cases) if alike else []
        if common.too_fine_for_float32(attempt, wrong.differences):
            where, says = [], says + ", where float32 is too coarse for so small a difference"
        says += f"; it is wrong exactly where {', or where '.join(where)}." if where else "."
    elif off == 1 and tests == 1:
        says = " Only one test gave an answer, and this is said of that one alone."
    if failed:
        says += f" On {failed} more test{'s' * (failed > 1)} an error was raised."
    return says


def of_other_results(attempt: Attempt, wrong: Sequence[int]) -> str:
    """Say which results are right, if some are and some are not."""
    names = [f"`{n.partition(' (')[0]}`" for r, n in enumerate(attempt.names) if r not in wrong]
    return f" {_listed(names)} {'are' if len(names) > 1 else 'is'} right." if names else ""


def of_order(names: Sequence[str]) -> str:
    """Say that the results are right, and in which order they were returned."""
    return f"The results are right, but in another order: you return {', '.join(names)}."


def of_substitute(names: Sequence[str], text: str | None) -> str:
    """Say for which arguments results would be right."""
    if not text:
        return ""
    listed = _listed([f"`{name}`" for name in names])
    are = "are" if len(names) > 1 else "is"
    return f"{listed} {are} what would be right if {text}, on every test."


def of_generator(seeds_alike: set[bool]) -> str:
    """Say that a random answer does not come from the generator that was handed in."""
    if True in seeds_alike:
        return (
            "Two generators with the same seed gave two different answers, so these numbers do not "
            "come from `rng` alone. Draw them with its methods, such as `rng.standard_normal`; "
            "`np.random.…` has a generator of its own, which no seed of the caller's reaches."
        )
    return (
        "Two generators with different seeds gave the same numbers, so these do not come from "
        "`rng`. Is a generator made, or a seed set, inside the function?"
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def of_mistake(function: Function, known: Misconception, case: Case, *, alone: bool) -> str:
    """Say what a known mistake is, with the sizes of a case; alone, or beside another one."""
    sizes = function.sizes(case.inputs)
    says = f"{known.says} {known.alone}" if alone and known.alone else known.says
    return says.format(**{name: f"{size:.4g}" for name, size in sizes.items()})


def of_change(function: Function, arguments: Sequence[str]) -> str:
    """Say that arguments were changed."""
    *others, last = arguments
    named = f"arguments {', '.join(others)} and {last}" if others else f"argument {last}"
    return (
        f"`{function.name}` changed its {named}. The caller still needs the old values: write the "
        "result into a new array. A test on which an argument is changed counts as failed."
    )


def of_type(
    name: str, dtype: np.dtype[Any], wanted: np.dtype[Any], always_float64: bool = False
) -> str:
    """Say that a result has the right numbers and another type than the input."""
    says = f"The numbers are right, but `{name}` is {dtype} where the input is {wanted}."
    if dtype.kind != "f" or wanted == np.float64:
        return says + " The result should have the type of the input."
    says += " A network in float32 should stay in float32."
    if always_float64:
        says += (
            " Something in your code is float64: an array made without a type, such as "
            "`np.zeros(shape)`, a constant such as `np.float64(2)`, or a cast. "
            "`np.zeros_like(x)` and plain numbers keep the type."
        )
    return says


ADVICE = {
    "matmul": " In `a @ b` the last axis of a and the last but one of b are summed together, and "
    "must be equally long. Should one of them be transposed?",
    "broadcast": " Shapes are compared from the right, and two sizes fit where they are "
    "equal or one of them is 1. Is a `keepdims=True` or a `[:, None]` missing?",
    "not aligned": " In a product the last axis of the left and the last but one of the right must "
    "be equally long. Should one of them be transposed?",
    "codec can't decode": " Python reads UTF-8: in your editor choose “Save with encoding” or "
    "“Save as”, and there UTF-8.",
}


EMPTY = (
    " One of the shapes has a 0 in it: a slice in this line is empty. Does it end before it begins?"
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
            return _of_error(about, where)
        case "too slow" if about.get("loading"):
            return (
                f"Your file was stopped after {limits.seconds:g} s{where}, while it was read in: "
                "no function was called yet. Does something outside the functions never end?"
            )
        case "too slow":
            return (
                f"`{name}` was stopped after {limits.seconds:g} s{where}. The inputs are small: "
                "does a loop never end?"
            )
        case "memory":
            return (
                f"`{name}` asked for more memory than the {limits.memory / 2**30:g} GB that an "
                f"exercise may use{where}. Does an array have one axis too many?"
            )
        case "exit":
            return f"Your code ends the program{where}. A function should return, not exit."
        case "import":
            return (
                f"Your code imports `{about.get('what')}`{where}. The exercise is to write it "
                "yourself: only NumPy, Python's own modules and your own files can be imported."
            )
        case "forbidden":
            return (
                f"Your code tried something that no exercise needs: {about.get('what')}{where}. "
                "It may compute, print, and read files of its own folder, but not read or write "
                "others, start programs or use the network."
            )
        case "missing":
            return f"The file has no function called `{name}`: was it renamed?"
        case "type":
            wanted, got = function.returns, about.get("got")
            names = f"{', '.join(wanted)}" if len(wanted) > 1 else f"the array {wanted[0]}"
            advice = {
                "None": " Is a `return` missing?",
                "a list": " `np.array(...)` makes one array of it.",
            }.get(str(got), "")
            return f"`{name}` returned {got}, expected {names}.{advice}"
        case _:
            return f"The program ended in the middle of `{name}`, and nobody caught why."


def _of_error(about: dict[str, Any], where: str) -> str:
    """What was raised, and what the shapes in that line have to do with it."""
    shapes = ", ".join(f"{k} {v}" for k, v in dict(about.get("shapes", {})).items())
    # Of an error in syntax Python says, too, where it is.
    text = re.sub(rf" \([^()]*, line {about.get('line')}\)$", "", str(about.get("text")))
    says = f"Your code raised {about.get('type')}: {text}{where}."
    says += f" The shapes in this line: {shapes}." if shapes else ""
    advice = next((t for k, t in ADVICE.items() if k in text), "")
    return says + (EMPTY if advice and re.search(r"[(,]0[,)]|size 0 ", text) else advice)


def _written(key: str, value: Any) -> Any:
    """A number, a shape or some sizes in words; anything else as it is."""
    match value:
        case bool() if key == "cut":
            return ": the right numbers, without what follows the decimal point" if value else ""
        case float():
            return f"{value:.4g}".replace("-", "−")
        case tuple() if key == "got":
            return f"has the shape {value}" if value else "is a single number"
        case tuple():
            return str(value) if value else "a single number"
        case dict():
            told = ", ".join(f"{name} = {size:g}" for name, size in value.items())
            return f" ({told})" if told else ""
    return value
