"""Functions of a notebook, whatever has made them, and what `check` says of other things."""

import linecache
import runpy
from pathlib import Path
from typing import Any

import pytest

from nn_tutorial.exercises import check

CELLS = (
    """
import functools
import math as m
from functools import partial
from typing import Optional
import numpy as np
from numpy.typing import NDArray
FLOOR = 0
PAIRS = (1, [2, 3])
table = np.ones(3)
%matplotlib inline
""",
    """
def my_softmax(x: np.ndarray, axis: int = -1) -> "NDArray[np.float64]":
    table: NDArray = np.exp(x - x.max(axis=axis, keepdims=True))  # no variable of the notebook
    return table / table.sum(axis=axis, keepdims=True)
""",
    """
def logged(f):
    @functools.wraps(f)
    def inner(*a, **k):
        return f(*a, **k)
    return inner

def bare(f):
    def inner(*a):
        return f(*a)
    return inner

@logged
def my_relu(x: Optional[NDArray] = None, floor=FLOOR):
    return np.maximum(x, floor * m.pi)

@bare
def my_relu_backward(dy, x):
    return dy * (x > PAIRS[0] - 1)
""",
    """
def make(k):
    def linear(x, weight, bias):
        return k * (x @ weight + bias)
    return linear

my_linear = make(1)

class Pool:
    def __init__(self, of):
        self.of = of
    def __call__(self, x, kernel_size, stride):
        v = np.lib.stride_tricks.sliding_window_view(x, (kernel_size,) * 2, axis=(2, 3))
        return self.of(v[:, :, ::stride, ::stride], axis=(4, 5))

my_max_pool2d = Pool(np.max)
my_avg_pool2d = Pool(np.mean)

def product(s, a, b):
    return np.einsum(s, a, b)

my_matrix_product = partial(product, "ij,jk->ik")
my_batch_product = lambda a, b: a @ b

def my_softmaks(x):
    return x

def my_sums(x):
    return x.sum(1) * table[0], x.sum(0), (x * x).sum()
""",
)


@pytest.fixture
def notebook() -> dict[str, Any]:
    """The variables of a notebook, as IPython holds them, after its cells have run."""
    space: dict[str, Any] = {"In": list(CELLS), "__name__": "__main__", "check": check}
    for number, cell in enumerate(CELLS):
        code = cell.replace("%matplotlib inline\n", "")
        name = f"<ipython-input-{number}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        exec(compile(code, name, "exec"), space)
    return space


@pytest.mark.parametrize(
    "name",
    [
        "my_softmax",
        "my_relu",
        "my_relu_backward",
        "my_linear",
        "my_max_pool2d",
        "my_avg_pool2d",
        "my_matrix_product",
        "my_batch_product",
    ],
)
def test_what_a_function_uses_comes_along(notebook: dict[str, Any], name: str) -> None:
    """Annotations, defaults, decorators, closures, classes, partial and lambda."""
    report = eval(f"check({name})", notebook)
    assert report.passed, report


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("check()", r"as in check\(my_relu\), got none"),
        ("check('relu')", r"check\(my_relu\), got the text 'relu'.*without quotation marks"),
        ("check(3)", "got int"),
        ("check(my_sums)", "uses the notebook's variable table"),
        ("check(make)", "expected one called as in an exercise.*got make$"),
        ("check(my_softmaks)", r"got softmaks: did you mean softmax\?$"),
        ("check(partial(print))", "got one without a name$"),
        ("check(my_sums)", r"an array of shape \(3,\): pass it as an argument, or make it inside"),
    ],
)
def test_what_cannot_be_checked_is_said(notebook: dict[str, Any], call: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        eval(call, notebook)


WRONG = "lambda x, weight, bias: x @ weight - bias"
RIGHT = "lambda x, weight, bias: x @ weight + bias"
BODY = "(x, weight, bias):\n    return x @ weight + bias\n"
MAKE = "def make(k):\n    return lambda x, weight, bias: x @ weight + k * bias\n"
SCRIPTS = {
    "a wrong lambda, a right function below": (
        f"my_linear = {WRONG}\nfound = check(my_linear)\ndef my_linear{BODY}",
        ["the bias is subtracted"],
    ),
    "a right lambda, a wrong function below": (
        f"my_linear = {RIGHT}\nfound = check(my_linear)\ndef my_linear(x, weight):\n    return 0",
        [],
    ),
    "a right lambda, a wrong one above": (
        f"my_linear = {WRONG}\nmy_linear = {RIGHT}\nfound = check(my_linear)",
        [],
    ),
    "one that is made, another below": (
        f"{MAKE}my_linear = make(2)\nfound = check(my_linear)\nmy_linear = make(1)",
        ["the bias is added twice"],
    ),
    "the same, from inside of a function": (
        f"{MAKE}def main():\n    return check(my_linear)\n"
        "my_linear = make(2)\nfound = main()\nmy_linear = make(1)",
        ["the bias is added twice"],
    ),
    "an older one that has kept its name": (
        f"def my_linear(x, weight, bias):\n    return x @ weight - bias\nold = my_linear\n"
        f"def my_linear{BODY}found = check(old)",
        ["the bias is subtracted"],
    ),
    "a lambda in a branch": (
        f"if True:\n    my_linear = (\n        {WRONG})\nfound = check(my_linear)\n",
        ["the bias is subtracted"],
    ),
}


def ran(tmp_path: Path, text: str) -> dict[str, Any]:
    path = tmp_path / "script.py"
    path.write_text(f"from nn_tutorial.exercises import check\n{text}", encoding="utf-8")
    return runpy.run_path(str(path), run_name="__main__")


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_handed_over_is_graded_and_no_namesake(tmp_path: Path, name: str) -> None:
    text, mistakes = SCRIPTS[name]
    found = ran(tmp_path, text)["found"]
    assert found.misconceptions == mistakes, found
    assert found.passed is not bool(mistakes)


@pytest.mark.parametrize(
    "text",
    [
        f"def my_linear{BODY}class A:\n    def my_linear(self, x, w, b): pass\n"
        "check(A().my_linear)",
        f"my_linear = {RIGHT}\nclass A:\n    def my_linear(self, x, w, b): pass\n"
        "check(A().my_linear)",
        f"my_linear = {WRONG}; my_linear = {RIGHT}\ncheck(my_linear)",
    ],
)
def test_what_cannot_be_told_from_a_namesake_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="my_linear: expected a function whose source can be read"):
        ran(tmp_path, text)


def test_in_a_notebook_what_stands_below_in_the_cell_has_not_run() -> None:
    cells = [
        MAKE,
        "%time\nmy_linear = make(2)\nfound = check(my_linear)\nmy_linear = make(1)\n",
        f"my_linear = {RIGHT}\nfound = check(my_linear)\ndef my_linear(x):\n    return x\n",
    ]
    space: dict[str, Any] = {"In": [], "__name__": "__main__", "check": check}
    found = []
    for number, cell in enumerate(cells):
        code = cell.replace("%time\n", "get_ipython = 0\n")
        name = f"<ipython-input-below-{number}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        space["In"].append(cell)
        exec(compile(code, name, "exec"), space)
        found.append(space.get("found"))
    assert found[1].misconceptions == ["the bias is added twice"]
    assert found[2].passed


def test_one_function_of_two_is_said_to_be_one(notebook: dict[str, Any]) -> None:
    assert str(eval("check(my_relu)", notebook)).startswith("✓ relu alone: 6 of 6 tests passed")
    both = eval("check(my_relu, my_relu_backward)", notebook)
    assert str(both).startswith("✓ ReLU, forward and backward: 13 of 13")
