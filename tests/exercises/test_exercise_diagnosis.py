"""Where no known mistake fits: the pattern of the differences, and no guess."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nn_tutorial.exercises import EXERCISES
from nn_tutorial.exercises.diagnosis import diagnose
from nn_tutorial.exercises.exercise import Function, Misconception
from nn_tutorial.exercises.sandbox import Outcome


def product(x: Any, weight: Any) -> Any:
    return x @ weight


def both(x: Any, weight: Any) -> Any:
    return x @ weight, weight.sum(0)


def samples(rng: np.random.Generator) -> list[dict[str, Any]]:
    shapes = [(2, 3, 2), (3, 5, 7), (5, 2, 3), (7, 3, 5), (4, 5, 3), (6, 7, 4)]
    return [
        {"x": rng.standard_normal((n, i)), "weight": rng.standard_normal((i, o))}
        for n, i, o in shapes
    ]


FUNCTION = Function(
    solution=product,
    reference=product,
    returns=("y",),
    samples=samples,
    misconceptions=(
        Misconception("negated", lambda x, w: -(x @ w), "Your y is −y for {N} examples.", "p#a"),
        Misconception("tripled", lambda x, w: 3 * (x @ w), "Three times.", "p#b"),
    ),
    axes={"x": "N I", "weight": "I O"},
    meanings={"N": "the batch size", "I": "the number of features"},
)
TWO = Function(
    solution=both,
    reference=both,
    returns=("y", "total"),
    samples=samples,
    misconceptions=(
        Misconception("y negated", lambda x, w: (-(x @ w), w.sum(0)), "y.", "p#a"),
        Misconception("total as mean", lambda x, w: (x @ w, w.mean(0)), "total.", "p#b"),
    ),
)


def outcomes(function: Function, answer: Callable[..., Any]) -> list[Outcome]:
    found = []
    for case in function.cases(5):
        results = answer(*case.arguments())
        results = results if isinstance(results, tuple) else (results,)
        found.append(Outcome("done", [np.asarray(r) for r in results], (False,) * len(results)))
    return found


def said(answer: Callable[..., Any], function: Function = FUNCTION) -> list[str]:
    return [d.says for d in diagnose(function, function.cases(5), outcomes(function, answer))]


def moved(x: Any, by: int, axis: int) -> Any:
    return np.roll(x, by, axis)


def edited(y: Any, where: Any, value: Any = 9) -> Any:
    y = y.copy()
    y[where] = value
    return y


PATTERNS = {
    "right": (lambda x, w: x @ w, None),
    "a constant factor": (lambda x, w: 2 * (x @ w), "`y` is 2 times what was expected"),
    "the batch size": (
        lambda x, w: len(x) * (x @ w),
        "exactly 2 times too large, and 2 is the batch size",
    ),
    "divided by it": (
        lambda x, w: (x @ w) / len(x),
        "exactly 2 times too small, and 2 is the batch size",
    ),
    "another factor each time": (
        lambda x, w: (x @ w) * (1 + w.shape[1] ** 2),
        "times one number, 5 in the example",
    ),
    "an offset": (lambda x, w: x @ w + 0.5, "Every element of `y` is 0.5 too large"),
    "the transpose": (lambda x, w: (x @ w).T, "is the transpose"),
    "another shape": (lambda x, w: x @ w[:, :1], "has the shape (2, 1), expected (2, 2)"),
    "a row moved": (lambda x, w: moved(x @ w, 1, 1), "moved by 1 place up along axis 1"),
    "reversed": (
        lambda x, w: (x @ w)[:, ::-1],
        "what was expected, reversed (the last comes first) along axis 1",
    ),
    "another order": (
        lambda x, w: np.roll((x @ w).ravel(), 3).reshape(len(x), -1),
        "the right numbers in another order",
    ),
    "not finite": (lambda x, w: edited(x @ w, 0, np.nan), "2 of 4 elements of `y` are not finite"),
    "the first row": (
        lambda x, w: edited(x @ w, 0),
        "2 of 4 elements of `y` differ: only those of the first index of axis 0",
    ),
    "the last column": (
        lambda x, w: edited(x @ w, (slice(None), -1)),
        "only those of the last index of axis 1",
    ),
    "some are 0": (
        lambda x, w: np.where(np.arange(w.shape[1]) % 2, 0, x @ w),
        "they are 0 where they should not be",
    ),
    "the square": (lambda x, w: (x @ w) ** 2, "`y` is the square of what was expected"),
    "no pattern": (lambda x, w: np.sin(x @ w) + 2, "All elements of `y` differ"),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_described(name: str) -> None:
    answer, says = PATTERNS[name]
    found = said(answer)
    if says is None:
        assert found == []
    else:
        assert len(found) == 1
        assert says in found[0]


def test_equal_lines_are_not_taken_for_moved_ones() -> None:
    """Where few places can be compared, or what is right already is equal to what is beside it."""

    def gradient(rows: Any) -> Function:
        return Function(
            solution=product,
            reference=lambda x: np.array(rows) + 0 * x,
            returns=("grad",),
            samples=lambda rng: [{"x": rng.standard_normal((len(rows), 2))} for _ in range(5)],
            misconceptions=(),
        )

    few = gradient([[1.0, 2.0], [3.0, 5.0], [1.0, 2.0]])
    assert "moved" not in said(lambda x: edited(few.reference(x), 1), few)[0]
    alike = gradient([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]])
    assert "moved" not in said(lambda x: edited(alike.reference(x), 2, [1.0, 2.0]), alike)[0]
    one = gradient([[1.0, 2.0], [3.0, 5.0]])
    assert "moved" not in said(lambda x: edited(one.reference(x), 1, [1.0, 2.0]), one)[0]
    other = gradient([[1.0, 2.0], [3.0, 5.0], [6.0, 4.0], [7.0, 9.0]])
    assert (
        "moved by 2 places" in said(lambda x: edited(moved(other.reference(x), 2, 0), 0), other)[0]
    )


def test_only_the_border_differs() -> None:
    function = Function(
        solution=product,
        reference=lambda x: x,
        returns=("y",),
        samples=lambda rng: [{"x": rng.standard_normal((1, 2, h, 5))} for h in (5, 6, 7, 4, 8)],
        misconceptions=(),
    )

    def framed(x: Any) -> Any:
        y = x.copy()
        y[..., 0, :] = y[..., :, -1] = y[..., -1, :] = 4
        return y

    assert "only those at the border" in said(framed, function)[0]


def test_a_known_mistake_is_named_only_where_it_fits_every_test() -> None:
    """Negated on all tests but one: that is no known mistake, and none is guessed."""
    known = diagnose(FUNCTION, FUNCTION.cases(5), outcomes(FUNCTION, lambda x, w: -(x @ w)))
    assert [d.misconception.name for d in known if d.misconception] == ["negated"]
    assert known[0].says == "Your y is −y for 2 examples."
    nearly = said(lambda x, w: (x @ w) * (1 if len(x) == 6 else -1))
    assert nearly == [
        "`y` has the wrong sign, in every element, and is right otherwise. "
        "It is right on 1 of 6 tests."
    ]


def test_two_mistakes_in_two_results_are_both_named() -> None:
    def twice(x: Any, w: Any) -> Any:
        return -(x @ w), w.mean(0)

    found = diagnose(TWO, TWO.cases(5), outcomes(TWO, twice))
    names = {d.misconception.name: d.result for d in found if d.misconception}
    assert names == {"y negated": "y", "total as mean": "total"}


def test_a_known_mistake_beside_an_unknown_one_is_not_named() -> None:
    """It may be another mistake that gives both."""
    found = said(lambda x, w: (-(x @ w), w.sum(0) + 1), TWO)
    assert found[0].startswith("`y` has the wrong sign, in every element")
    assert found[1].startswith("Every element of `total` is 1 too large")
    assert len(found) == 2


def test_one_part_in_a_million_is_a_difference_in_float64_only() -> None:
    answers = outcomes(FUNCTION, lambda x, w: x @ w + x.dtype.type(1e-6))
    found = diagnose(FUNCTION, FUNCTION.cases(5), answers)
    assert len(found) == 1
    assert "right on 2 of 6 tests" in found[0].says


def test_every_pattern_is_tried_on_every_kind_of_difference() -> None:
    """Results of one number in two axes, and a name for a fact that a test does not have."""
    function = Function(
        solution=product,
        reference=np.zeros_like,
        returns=("y",),
        samples=lambda rng: [{"x": rng.standard_normal((n, n))} for n in (1, 2, 3, 4, 5)],
        misconceptions=(),
    )
    assert said(lambda x: 0 * x + len(x), function)[0].startswith("Every element of `y` is 1 too")
    named = replace(FUNCTION, meanings={"pixels": "the number of pixels"})
    assert said(lambda x, w: 1.7 * (x @ w), named) == [
        "`y` is 1.7 times what was expected, on every test."
    ]


def test_what_is_said_of_other_results_is_said_alone() -> None:
    """Beside a second mistake the other results may be wrong: then the sentence is left out."""
    of_all = r"Your (numbers|results) are right, but "
    praise = re.compile(r"\b(is|are) right[.,;]|\bother (one|two|results?) (is|are)\b")
    for exercise in EXERCISES.values():
        for function in exercise.functions:
            if len(function.returns) > 1 and not function.judge:
                for known in function.misconceptions:
                    says = re.sub(of_all, "", known.says)
                    assert not praise.search(says), (function.name, known.name)
