"""Functions of a notebook, whatever has made them, and what `check` says of other things."""

import linecache
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
        ("check(make)", "expected names of exercises"),
    ],
)
def test_what_cannot_be_checked_is_said(notebook: dict[str, Any], call: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        eval(call, notebook)
