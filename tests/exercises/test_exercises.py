"""Every exercise: its solution and others pass, its stub fails, its mistakes are told by name."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mistakes import file_of, functions_of

from nn_tutorial.exercises import EXERCISES, Limits, grade, shared
from nn_tutorial.exercises.catalogue import TOPICS, in_order
from nn_tutorial.exercises.diagnosis import expected, judged, mistaken, same
from nn_tutorial.exercises.exercise import DTYPES, Case, Exercise, Function, Misconception
from nn_tutorial.exercises.grading import judge
from nn_tutorial.exercises.sandbox import Outcome
from nn_tutorial.tables import UnknownNameError

RIGHT = Path(__file__).parent / "right_solutions"
UNHURRIED = Limits(seconds=10, whole=60)  # other tests share the machine
FUNCTIONS = {f.name: f for e in EXERCISES.values() for f in e.functions}
MISTAKES = [
    pytest.param(e, f, m, id=f"{f.name}: {m.name}")
    for e in EXERCISES.values()
    for f in e.functions
    for m in f.misconceptions
]
SOME_MISTAKES = MISTAKES[::12]  # each costs a process


def written(tmp_path: Path, exercise: Exercise, text: str) -> Path:
    path = tmp_path / f"{exercise.name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def outcomes(
    function: Function, wrong: Callable[..., Any], cases: Sequence[Case]
) -> Iterator[Outcome]:
    """What a mistake gives, as the sandbox would report it."""
    for case in cases:
        with np.errstate(all="ignore"):
            arguments = case.arguments()
            before = shared.copies(arguments)
            try:
                results = wrong(*arguments)
            except Exception:  # such as shapes that fit only where they are square
                yield Outcome("raised")
                continue
        results = results if isinstance(results, tuple) else (results,)
        changed = shared.changed(before, arguments)
        scalars = tuple(not isinstance(r, np.ndarray) for r in results)
        yield Outcome("done", [np.asarray(r) for r in results], scalars, changed)


def test_there_are_enough() -> None:
    assert len(EXERCISES) >= 24
    assert len(MISTAKES) >= 400
    assert len([e for e in EXERCISES if e.startswith("einsum")]) == 5
    assert len({m.values[2].name for m in MISTAKES if m.values is not None}) >= 70


def test_topics_follow_each_other() -> None:
    after = {"c": "a", "a": "", "b": "a", "d": "b"}
    assert in_order(after) == ["a", "b", "d", "c"]
    for lost in ("z", None):
        with pytest.raises(ValueError, match=r"catalogue/b\.py, AFTER: expected one of a, c; got"):
            in_order({"a": "", "b": lost, "c": "a"})


def test_unknown_names_say_where_to_add_them() -> None:
    with pytest.raises(UnknownNameError, match=r"got 'layer_norms'\. A new one: an entry of EXER"):
        EXERCISES["layer_norms"]
    with pytest.raises(UnknownNameError, match=r"catalogue/TOPIC\.py, with its EXERCISES"):
        TOPICS["layer_norms"]
    assert EXERCISES.get("layer_norms") is None


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_the_exercise_is_well_formed(exercise: Exercise) -> None:
    assert len(exercise.hints) == 3
    assert all(hint.strip() for hint in exercise.hints)
    compile(exercise.stub, exercise.name, "exec")
    assert exercise.stub.count("raise NotImplementedError") == len(exercise.functions)
    for function in exercise.functions:
        assert function.misconceptions
        samples = function.samples(np.random.default_rng(3))
        assert len(samples) >= len(DTYPES)
        parameters = list(inspect.signature(function.solution).parameters)
        assert all(list(inputs) == parameters for inputs in samples)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_the_solution_passes(tmp_path: Path, exercise: Exercise) -> None:
    source = written(tmp_path, exercise, functions_of(exercise))
    for seed in (20, 21):
        report = grade(exercise, source, seed=seed, limits=UNHURRIED)
        assert report.passed, report


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_the_solution_gives_the_books_answer(function: Function) -> None:
    """In this process too, on each case, with the arguments left as they were."""
    for case in function.cases(22):
        arguments = case.arguments()
        before = shared.copies(arguments)
        results = function.solution(*arguments)
        results = results if isinstance(results, tuple) else (results,)
        want = expected(function, case)
        assert [np.shape(r) for r in results] == [e.shape for e in want]
        pairs = zip(judged(function, case, results), judged(function, case, want), strict=True)
        assert all(same(function, a, b, case) for a, b in pairs)
        assert shared.changed(before, arguments) == {}


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_the_shown_solution_stands_alone(tmp_path: Path, exercise: Exercise) -> None:
    report = grade(exercise, written(tmp_path, exercise, exercise.solution), limits=UNHURRIED)
    assert report.passed, report


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_the_stub_fails(tmp_path: Path, exercise: Exercise) -> None:
    report = grade(exercise, written(tmp_path, exercise, exercise.stub), limits=UNHURRIED)
    assert report.right == 0
    assert all("not written yet" in f.messages[0] for f in report.functions)


@pytest.mark.parametrize(
    ("exercise", "path"),
    [
        pytest.param(exercise, path, id=f"{exercise.name}-{path.stem}")
        for topic, exercises in TOPICS.items()
        for exercise in exercises
        for path in sorted((RIGHT / topic).glob("*.py"))
    ],
)
def test_other_right_solutions_pass(exercise: Exercise, path: Path) -> None:
    report = grade(exercise, path, limits=UNHURRIED)
    assert report.passed, report


@pytest.mark.parametrize("topic", [topic for topic, exercises in TOPICS.items() if exercises])
def test_three_right_solutions_are_tried(topic: str) -> None:
    assert len(list((RIGHT / topic).glob("*.py"))) >= 3


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_a_mistake_is_told_by_name(function: Function) -> None:
    """Every mistake, in each way that it is written, on random inputs: its name and no other."""
    for seed in (20, 1):
        cases = function.cases(seed)
        for known in function.misconceptions:
            for wrong in (known.wrong, *known.also):
                given = list(outcomes(function, wrong, cases))
                report = judge(function, cases, given, UNHURRIED)
                assert not all(report.passed), known.name
                names = [
                    d.misconception.name if d.misconception else d.says for d in report.diagnoses
                ]
                assert names == [known.name]
                assert "{" not in report.diagnoses[0].says


@pytest.mark.parametrize(("exercise", "function", "misconception"), SOME_MISTAKES)
def test_a_mistake_is_told_through_the_sandbox(
    tmp_path: Path, exercise: Exercise, function: Function, misconception: Misconception
) -> None:
    """As a learner's file."""
    source = written(tmp_path, exercise, file_of(exercise, function, misconception))
    report = grade(exercise, source, functions=[function], limits=UNHURRIED)
    assert not report.passed
    assert report.misconceptions == [misconception.name], report


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_no_two_mistakes_are_the_same(function: Function) -> None:
    """Every two of them, and each and the right answer, differ on some test of every seed."""
    for seed in (20, 1, 2):
        cases = function.cases(seed)
        for i, first in enumerate(function.misconceptions):
            for second in function.misconceptions[:i]:
                pairs = [
                    (mistaken(function, first, c), mistaken(function, second, c)) for c in cases
                ]
                assert any(
                    a.changed.keys() != b.changed.keys()
                    or not a.results
                    or not b.results
                    or not all(same(function, x, y, c) for x, y in zip(a.results, b.results))
                    for (a, b), c in zip(pairs, cases)
                ), f"{first.name} and {second.name}"


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_the_first_sample_is_small(function: Function) -> None:
    case = function.cases(20)[0]
    assert case.size <= 60
    assert all(np.isfinite(e).all() for e in expected(function, case))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_a_poisoned_submission_fails_every_test(tmp_path: Path, exercise: Exercise) -> None:
    """And as many tests are reported as there are."""
    names = [f.name for f in exercise.functions]
    poison = "\n".join(f"def {n}(*a, **k):\n    raise RuntimeError('poison')\n" for n in names)
    report = grade(exercise, written(tmp_path, exercise, poison), limits=UNHURRIED)
    assert report.right == 0
    assert report.tests == sum(len(f.cases(20)) for f in exercise.functions)
    assert all("poison" in f.messages[0] for f in report.functions)


def test_a_warning_names_the_file_and_not_its_folder(tmp_path: Path) -> None:
    """Two runs of a page would differ, since the folder's name is random there."""
    text = "import numpy as np\n\n\ndef relu(x):\n    return np.log(x - x)\n"
    report = grade(EXERCISES["relu"], written(tmp_path, EXERCISES["relu"], text), limits=UNHURRIED)
    assert "relu.py:5: RuntimeWarning" in report.printed
    assert str(tmp_path) not in report.printed
