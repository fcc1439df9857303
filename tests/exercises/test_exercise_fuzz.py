"""Nothing that a submission returns stops the grader: machine mutants, and arrays of every sort."""

import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spoilt import built, spoilt

from nn_tutorial.exercises import EXERCISES, Limits, shared
from nn_tutorial.exercises.diagnosis import diagnose, expected
from nn_tutorial.exercises.exercise import Case, Function
from nn_tutorial.exercises.grading import judge
from nn_tutorial.exercises.report import Report, plain
from nn_tutorial.exercises.sandbox import Outcome

HOMES = {f.name: (e, f) for e in EXERCISES.values() for f in e.functions}
EQUAL = (Path(__file__).parent / "equal_mutants.txt").read_text(encoding="utf-8").splitlines()
FUNCTIONS = [pytest.param(f, id=name) for name, (_, f) in HOMES.items()]


def outcome(function: Function, case: Case, answer: Callable[..., Any]) -> Outcome:
    """What the sandbox would report of one call."""
    arguments = case.arguments()
    before = shared.copies(arguments)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = answer(*arguments)
    except Exception as error:
        return Outcome("raised", about={"type": type(error).__name__, "text": str(error)})
    several = tuple if len(function.returns) == 1 else (tuple, list)
    results = list(results) if isinstance(results, several) else [results]
    scalars = tuple(not isinstance(r, np.ndarray) for r in results)
    arrays = [np.asarray(r) for r in results]
    return Outcome("done", arrays, scalars, shared.changed(before, arguments))


def told(function: Function, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> str:
    """The whole report, as it is shown."""
    exercise, _ = HOMES[function.name]
    return plain(Report(exercise, (judge(function, cases, outcomes, Limits()),)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_mutant_passes_unless_it_is_equal(function: Function) -> None:
    """Each is caught by a test; or it stands in a table, with the reason why it is right."""
    alive = []
    for line, text in spoilt(function.solution):
        answer = built(text, function.name)
        for case in (cases := function.cases(20)):
            found = outcome(function, case, answer)
            if not judge(function, [case], [found], Limits(), quick=True).passed[0]:
                break
        else:
            whole = judge(function, cases, [outcome(function, c, answer) for c in cases], Limits())
            if all(whole.passed):
                alive.append(line)
    table = [row.partition(": ")[2] for row in EQUAL if row.startswith(f"{function.name}: ")]
    assert sorted(set(alive) - set(table)) == []
    assert sorted(set(table) - set(alive)) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_mutant_gets_a_report(function: Function) -> None:
    """Of every mutant that is wrong, something is said; a part of them, drawn once for all."""
    cases = function.cases(20)[:4]
    mutants = list(spoilt(function.solution))
    for line, text in random.Random(3).sample(mutants, min(10, len(mutants))):
        answer = built(text, function.name)
        found = [outcome(function, case, answer) for case in cases]
        report = judge(function, cases, found, Limits())
        assert all(report.passed) or report.messages or report.diagnoses, line
        assert told(function, cases, found)


def calls(function: Function) -> int:
    """How many odd answers a function gets: fewer where each costs more."""
    return 100 if len(function.returns) > 2 else 190


def test_there_are_enough() -> None:
    assert sum(calls(f) for _, f in HOMES.values()) >= 5000


def odd_arrays(rng: np.random.Generator, case: Case, right: np.ndarray) -> list[Any]:
    """Answers of every shape, type and value; among them some that are nearly right."""
    shape, noise = right.shape, rng.standard_normal(right.shape)
    values = [float(v) for v in (0, 1, -1, np.nan, np.inf, -np.inf, 1e308, 1e-320, 7)]
    nearly = [right + 1, right * 2, right * noise, -right, right.T, right[None], np.exp(right)]
    nearly += [right.ravel()[::-1], right * len(shape), np.zeros(shape), np.full(shape, np.nan)]
    nearly += [np.full(shape, rng.choice(values)), right.astype(int), right.astype(np.float16)]
    nearly += [right.astype(np.longdouble), right.astype(bool), np.roll(right, 1), right > 0]
    nearly += [right.sum(axis=k) for k in range(right.ndim)]
    nearly += [right.sum(axis=k, keepdims=True) for k in range(right.ndim)]
    nearly += [right[:-1] for _ in shape[:1]] + [np.repeat(right, 2, axis=0) for _ in shape[:1]]
    other = tuple(rng.integers(0, 4, rng.integers(0, 5)))
    types = (np.float64, np.float32, np.int8, np.uint64, bool, complex, object, "U3", "M8[s]")
    made = [rng.standard_normal(other) for _ in range(4)]
    with np.errstate(all="ignore"):
        strange = [np.zeros(other).astype(dtype) for dtype in types]
    strange += [np.array(v) for v in values] + [np.array([v]) for v in values]
    strange += [np.arange(24.0)[::-2], np.zeros((0, 3)), np.zeros((3, 0, 2)), np.array(["a"])]
    strange += [np.array({}), np.ones((2,) * 12), None, "text", 3, [1, 2], np.ma.ones(3)]
    strange += list(case.inputs.values())
    return [*nearly, *made, *strange]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_array_stops_the_grader(function: Function) -> None:
    """Results of every sort, each with its fellows right or of another sort."""
    rng = np.random.default_rng(11)
    few = replace(function, misconceptions=function.misconceptions[:2])
    cases = few.cases(20)[:2]
    right = [[np.asarray(e, case.dtype) for e in expected(few, case)] for case in cases]
    for call in range(calls(function)):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            choices = [[odd_arrays(rng, c, e) for e in r] for c, r in zip(cases, right)]
        which = rng.integers(0, 10_000, len(few.returns))  # the same sort on all cases
        kept = rng.random(len(few.returns)) < 0.3
        found = []
        for one, results in zip(choices, right):
            answer = [
                result if keep and any(~kept) else sorts[k % len(sorts)]
                for sorts, result, keep, k in zip(one, results, kept, which)
            ]
            found.append(
                Outcome("done", answer, (), {} if call % 5 else {int(which[0]): answer[0]})
            )
        if call % 7 == 0:
            found[call % 2] = Outcome("raised")
        text = told(few, cases, found)
        assert text
        assert isinstance(diagnose(few, cases, found), list)


def test_damaged_outcomes_get_a_message() -> None:
    """What a forged file could hold: too few results, no arrays, odd facts about an error."""
    _, function = HOMES["linear_backward"]
    one = np.ones(2)
    damaged = [
        Outcome("done", [], ()),
        Outcome("done", [one], (True,)),
        Outcome("done", [one] * 4, (True,) * 9),
        Outcome("raised", about={"line": "x", "type": 3, "shapes": {}}),
        Outcome("import", about={}),
        Outcome("nonsense"),
    ]
    cases = function.cases(20)[: len(damaged)]
    assert len(damaged) == len(cases)
    assert "returned 0 things" in told(function, cases, damaged)
