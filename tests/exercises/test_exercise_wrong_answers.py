"""Wrong answers of other causes than the known mistakes: what is told of each, and what is not."""

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_exercise_fuzz import HOMES, outcome
from wrong_answers import WRONG

from nn_tutorial.exercises import Limits
from nn_tutorial.exercises.exercise import Function
from nn_tutorial.exercises.grading import judge

EACH = [
    pytest.param(HOMES[name][1], code, says, id=f"{name}-{i}")
    for name, rows in WRONG.items()
    for i, (code, says) in enumerate(rows)
]


def answer_of(function: Function, code: str) -> Callable[..., Any]:
    """A function with the arguments of the solution and this body."""
    arguments = ", ".join(function.cases(20)[0].inputs)
    names: dict[str, Any] = {"np": np, "right": function.solution}
    exec(f"def answer({arguments}):\n{textwrap.indent(code, '    ')}", names)
    found: Callable[..., Any] = names["answer"]
    return found


def said(function: Function, code: str, seed: int) -> str:
    cases = function.cases(seed)
    answer = answer_of(function, code)
    report = judge(function, cases, [outcome(function, c, answer) for c in cases], Limits())
    assert not all(report.passed)
    named = [d.misconception.name for d in report.diagnoses if d.misconception]
    known = [f"Known mistake: {name}" for name in named]
    return "\n".join([*known, *report.messages, *(d.says for d in report.diagnoses)])


def test_there_are_enough() -> None:
    assert len(EACH) >= 80
    assert set(WRONG) == set(HOMES)


@pytest.mark.parametrize(("function", "code", "says"), EACH)
def test_a_wrong_answer_is_told_of(function: Function, code: str, says: str) -> None:
    """On the learner's inputs and on others."""
    wanted, _, unwanted = (part.strip() for part in says.partition("|"))
    for seed in (20, 5):
        text = said(function, code, seed)
        assert wanted in text
        if unwanted:
            assert unwanted not in text.lower().replace("known mistake", "known")
