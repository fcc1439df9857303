"""Right answers written in unusual ways: all of them pass."""

from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from right_answers import FILES, RIGHT
from test_exercise_fuzz import HOMES, outcome

from nn_tutorial.exercises import EXERCISES, Limits, grade
from nn_tutorial.exercises.exercise import Function
from nn_tutorial.exercises.grading import judge

EACH = [
    pytest.param(HOMES[name][1], text, id=f"{name}-{i}")
    for name, texts in RIGHT.items()
    for i, text in enumerate(texts)
]


def answer_of(text: str) -> Callable[..., Any]:
    names: dict[str, Any] = {"np": np, "partial": partial, "reduce": reduce}
    names["view"] = np.lib.stride_tricks.sliding_window_view
    exec(text if "\n" in text else f"answer = {text}", names)
    found: Callable[..., Any] = names["answer"]
    return found


def test_there_are_enough() -> None:
    assert len(EACH) + len(FILES) >= 90
    assert set(RIGHT) == set(HOMES)


@pytest.mark.parametrize(("function", "text"), EACH)
def test_an_unusual_right_answer_passes(function: Function, text: str) -> None:
    """On the learner's inputs and on others."""
    for seed in (20, 8):
        cases, answer = function.cases(seed), answer_of(text)
        found = [outcome(function, case, answer) for case in cases]
        report = judge(function, cases, found, Limits())
        assert all(report.passed), [*report.messages, *(d.says for d in report.diagnoses)]


@pytest.mark.parametrize("name", FILES)
def test_an_unusual_file_passes(tmp_path: Path, name: str) -> None:
    path = tmp_path / "relu.py"
    path.write_bytes(FILES[name])
    exercise = EXERCISES["relu"]
    report = grade(
        exercise, path, functions=exercise.functions[:1], limits=Limits(seconds=10, whole=60)
    )
    assert report.passed, report
