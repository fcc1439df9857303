"""Bad input raises ValueError that names the argument, what came and what was expected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bad_input import REFUSALS, Refusal
from cases import FUNCTIONS, LAYERS, FunctionCase, LayerCase

import nn_tutorial as nt

LAYER = pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.name)
RNG = np.random.default_rng(0)


def ones(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    return np.ones(shape, dtype)


def labels(*values: Any, dtype: Any = np.int64) -> np.ndarray:
    return np.array(values, dtype)


X, W, B = ones(2, 3, 7, 5), ones(4, 3, 3, 2), ones(4)

# What was asked for, the call, and what the message must hold: the argument, what came, what fits.
CASES: list[tuple[str, Callable[[], Any], tuple[str, ...]]] = [
    # linear
    ("linear: x of rank 1", lambda: nt.linear(ones(3), ones(3, 2), ones(2)), ("x", "(3,)")),
    (
        "linear: other features",
        lambda: nt.linear(ones(5, 4), ones(3, 2), ones(2)),
        ("x", "(5, 4)", "3 features"),
    ),
    (
        "linear: weight of rank 1",
        lambda: nt.linear(ones(5, 3), ones(3), ones(2)),
        ("weight", "(3,)"),
    ),
    (
        "linear: bias too long",
        lambda: nt.linear(ones(5, 3), ones(3, 2), ones(3)),
        ("bias", "(3,)", "(2,)"),
    ),
    (
        "linear: float32 x, float64 weight",
        lambda: nt.linear(ones(5, 3, dtype=np.float32), ones(3, 2), ones(2)),
        ("x", "float32", "float64"),
    ),
    ("linear: a list", lambda: nt.linear([[1.0]], ones(1, 1), ones(1)), ("x", "list", "floats")),
    ("Linear: no features", lambda: nt.Linear(0, 3, rng=RNG), ("n_in", "0", "at least 1")),
    ("Linear: negative features", lambda: nt.Linear(3, -1, rng=RNG), ("n_out", "-1", "at least 1")),
    ("Linear: integer dtype", lambda: nt.Linear(3, 2, rng=RNG, dtype=int), ("dtype", "int")),
    ("Conv2d: integer dtype", lambda: nt.Conv2d(1, 2, 3, rng=RNG, dtype=int), ("dtype", "int")),
    ("BatchNorm: integer dtype", lambda: nt.BatchNorm(3, dtype=int), ("dtype", "int")),
    # softmax and cross-entropy
    ("softmax: no axis", lambda: nt.softmax(np.array(1.0)), ("x", "()")),
    ("softmax: no class", lambda: nt.softmax(ones(3, 0)), ("x", "(3, 0)")),
    (
        "cross_entropy: not a probability",
        lambda: nt.cross_entropy(3 * ones(2, 2), labels(0, 1)),
        ("probabilities", "3.0", "0 to 1"),
    ),
    (
        "cross_entropy: NaN",
        lambda: nt.cross_entropy(np.nan * ones(2, 2), labels(0, 1)),
        ("probabilities", "nan"),
    ),
    (
        "cross_entropy: rank 1",
        lambda: nt.cross_entropy(ones(2), labels(0, 1)),
        ("probabilities", "(2,)"),
    ),
    (
        "cross_entropy_backward: an array for dy",
        lambda: nt.cross_entropy_backward(
            ones(2), nt.cross_entropy(0.5 * ones(2, 2), labels(0, 1))[1]
        ),
        ("dy", "(2,)", "one number"),
    ),
    *(
        (f"{f.__name__}: {what}", lambda f=f, t=t: f(0.5 * ones(2, 3), t), ("labels", *parts))
        for f in (nt.cross_entropy, nt.softmax_cross_entropy)
        for what, t, parts in (
            ("label too large", labels(0, 3), ("3", "0 to 2")),
            ("label below 0", labels(0, -1), ("-1", "0 to 2")),
            ("float labels", labels(0, 1, dtype=np.float64), ("float64", "integers")),
            ("one-hot labels", ones(2, 3, dtype=np.int64), ("(2, 3)", "(2,)")),
            ("too few labels", labels(0), ("(1,)", "(2,)")),
            ("a list", [0, 1], ("list", "integers")),
        )
    ),
    (
        "softmax_cross_entropy: no example",
        lambda: nt.softmax_cross_entropy(ones(0, 3), labels()),
        ("logits", "(0, 3)", "at least one"),
    ),
    (
        "softmax_cross_entropy: integer logits",
        lambda: nt.softmax_cross_entropy(ones(2, 3, dtype=int), labels(0, 1)),
        ("logits", "int64", "floats"),
    ),
    (
        "softmax_cross_entropy: rank 1",
        lambda: nt.softmax_cross_entropy(ones(3), labels(0)),
        ("logits", "(3,)", "(N, C)"),
    ),
    # batch norm
    (
        "batch_norm: a batch of one",
        lambda: nt.batch_norm(ones(1, 3), ones(3), ones(3)),
        ("x", "(1, 3)", "at least 2"),
    ),
    (
        "batch_norm: one pixel",
        lambda: nt.batch_norm(ones(1, 3, 1, 1), ones(3), ones(3)),
        ("x", "(1, 3, 1, 1)", "at least 2"),
    ),
    (
        "batch_norm: rank 3",
        lambda: nt.batch_norm(ones(5, 3, 7), ones(3), ones(3)),
        ("x", "(5, 3, 7)", "(N, D)", "(N, C, H, W)"),
    ),
    (
        "batch_norm: weight too short",
        lambda: nt.batch_norm(ones(5, 3), ones(2), ones(3)),
        ("weight", "(2,)", "(3,)"),
    ),
    (
        "batch_norm: bias in float32",
        lambda: nt.batch_norm(ones(5, 3), ones(3), ones(3, dtype=np.float32)),
        ("bias", "float32", "float64"),
    ),
    (
        "batch_norm: mean without var",
        lambda: nt.batch_norm(ones(5, 3), ones(3), ones(3), mean=ones(3)),
        ("mean", "var", "both"),
    ),
    (
        "batch_norm: var too long",
        lambda: nt.batch_norm(ones(5, 3), ones(3), ones(3), mean=ones(3), var=ones(5)),
        ("var", "(5,)", "(3,)"),
    ),
    ("BatchNorm: no features", lambda: nt.BatchNorm(0), ("num_features", "0", "at least 1")),
    ("BatchNorm: momentum 2", lambda: nt.BatchNorm(3, momentum=2), ("momentum", "2", "0 to 1")),
    ("BatchNorm: eps below 0", lambda: nt.BatchNorm(3, eps=-1e-5), ("eps", "-1e-05")),
    # convolution
    *(
        (f"{f.__name__}: {what}", lambda f=f, a=a, g=g: f(*a, **g), parts)
        for f in (nt.conv2d, nt.conv2d_im2col, nt.conv2d_loops)
        for what, a, g, parts in (
            ("x of rank 3", (ones(3, 7, 5), W, B), {}, ("x", "(3, 7, 5)", "(N, C, H, W)")),
            ("weight of rank 2", (X, ones(4, 3), B), {}, ("weight", "(4, 3)")),
            ("other channels", (ones(2, 5, 7, 5), W, B), {}, ("x", "(2, 5, 7, 5)", "3 channels")),
            ("bias too short", (X, W, ones(3)), {}, ("bias", "(3,)", "(4,)")),
            (
                "float32 x",
                (ones(2, 3, 7, 5, dtype=np.float32), W, B),
                {},
                ("x", "float32", "float64"),
            ),
            ("kernel too tall", (ones(2, 3, 2, 5), W, B), {}, ("kernel_size", "3×2", "2×5")),
            (
                "kernel larger than the padded input",
                (ones(2, 3, 1, 5), ones(4, 3, 4, 2), B),
                {"padding": 1},
                ("kernel_size", "4×2", "3×7"),
            ),
            ("stride 0", (X, W, B), {"stride": 0}, ("stride", "0", "at least 1")),
            ("negative stride", (X, W, B), {"stride": (1, -1)}, ("stride", "(1, -1)")),
            ("half a stride", (X, W, B), {"stride": 1.5}, ("stride", "1.5", "integer")),
            ("three strides", (X, W, B), {"stride": (1, 1, 1)}, ("stride", "(1, 1, 1)", "two")),
            ("negative padding", (X, W, B), {"padding": -1}, ("padding", "-1", "at least 0")),
            ("padding by name", (X, W, B), {"padding": "full"}, ("padding", "full", "integer")),
        )
    ),
    ("Conv2d: no channels", lambda: nt.Conv2d(0, 3, 3, rng=RNG), ("in_channels", "0")),
    ("Conv2d: kernel 0", lambda: nt.Conv2d(1, 3, 0, rng=RNG), ("kernel_size", "0", "at least 1")),
    ("Conv2d: stride 0", lambda: nt.Conv2d(1, 3, 3, stride=0, rng=RNG), ("stride", "0")),
    ("Conv2d: padding -1", lambda: nt.Conv2d(1, 3, 3, padding=-1, rng=RNG), ("padding", "-1")),
    # pooling
    *(
        (f"{f.__name__}: {what}", lambda f=f, x=x, k=k, g=g: f(x, k, **g), parts)
        for f in (nt.max_pool2d, nt.max_pool2d_loops, nt.avg_pool2d, nt.avg_pool2d_loops)
        for what, x, k, g, parts in (
            ("x of rank 2", ones(7, 5), 2, {}, ("x", "(7, 5)", "(N, C, H, W)")),
            ("kernel too wide", X, (2, 6), {}, ("kernel_size", "2×6", "7×5")),
            ("kernel 0", X, 0, {}, ("kernel_size", "0", "at least 1")),
            ("stride 0", X, 2, {"stride": 0}, ("stride", "0", "at least 1")),
            ("negative padding", X, 2, {"padding": -1}, ("padding", "-1", "at least 0")),
            ("padding beyond half", X, 3, {"padding": 2}, ("padding", "(2, 2)", "half")),
            ("too much above", X, 3, {"padding": (2, 1)}, ("padding", "(2, 1)", "half")),
            ("too much beside", X, 3, {"padding": (1, 2)}, ("padding", "(1, 2)", "half")),
        )
    ),
    ("MaxPool2d: padding", lambda: nt.MaxPool2d(2, padding=2), ("padding", "(2, 2)", "half")),
    ("AvgPool2d: kernel 0", lambda: nt.AvgPool2d(0), ("kernel_size", "0")),
    # dropout, Flatten, Sequential, initialisers, models
    ("dropout: p = 1", lambda: nt.dropout(ones(3), 1.0, RNG), ("p", "1.0", "below 1")),
    ("dropout: p < 0", lambda: nt.dropout(ones(3), -0.1, RNG), ("p", "-0.1")),
    ("Dropout: p is NaN", lambda: nt.Dropout(float("nan"), rng=RNG), ("p", "nan")),
    ("Flatten: rank 1", lambda: nt.Flatten().forward(ones(3)), ("x", "(3,)", "two axes")),
    ("Sequential: nothing", nt.Sequential, ("layers", "nothing", "at least one")),
    ("Sequential: no layer", lambda: nt.Sequential(nt.ReLU(), nt.relu), ("layers", "function")),
    ("normal: negative", lambda: nt.normal(-1.0), ("std", "-1.0", "at least 0")),
    ("normal: NaN", lambda: nt.normal(float("nan")), ("std", "nan")),
    (
        "he_normal: three axes",
        lambda: nt.he_normal((2, 3, 5), rng=RNG),
        ("shape", "(2, 3, 5)", "(n_in, n_out)"),
    ),
    ("mlp: no units", lambda: nt.mlp(4, [0], 3, rng=RNG), ("hidden", "0", "at least 1")),
    ("small_cnn: tiny", lambda: nt.small_cnn(image_size=3, rng=RNG), ("image_size", "3", "4")),
]


@pytest.mark.parametrize(("call", "parts"), [row[1:] for row in CASES], ids=[r[0] for r in CASES])
def test_message_names_the_argument(call: Callable[[], Any], parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        call()
    argument, _, rest = str(caught.value).partition(": ")
    assert parts[0] in argument.split(", ")
    for part in parts[1:]:
        assert part in rest or part in argument


@pytest.mark.parametrize("row", list(dict.fromkeys(refusal.row for refusal in REFUSALS)))
def test_spoilt_argument_is_named(row: str) -> None:
    """Every argument of every row of the tables, by what no layer may take; see bad_input.py."""
    for refusal in (r for r in REFUSALS if r.row == row):
        message = refused(refusal)
        argument, _, rest = message.partition(": ")
        assert set(argument.split(", ")) & set(refusal.names), (str(refusal), message)
        assert "got" in rest, (str(refusal), message)
        assert refusal.came in rest, (str(refusal), message)


def refused(refusal: Refusal) -> str:
    """The message of a refusal."""
    try:
        refusal.call()
    except ValueError as error:
        return str(error)
    pytest.fail(f"{refusal}: was taken")


@LAYER
def test_layer_refuses_integers(case: LayerCase) -> None:
    with pytest.raises(ValueError, match="x: expected an array of floats, got dtype int64"):
        case.layer().forward(case.x().astype(np.int64), train=case.train)


@LAYER
def test_layer_refuses_an_empty_batch(case: LayerCase) -> None:
    with pytest.raises(ValueError, match=r"^x: expected at least one") as caught:
        case.layer().forward(case.x()[:0], train=case.train)
    assert str((0, *case.shape[1:])) in str(caught.value)


@LAYER
def test_layer_refuses_a_gradient_of_another_shape(case: LayerCase) -> None:
    layer = case.layer()
    _, cache = layer.forward(case.x(), train=case.train)
    dy = case.dy()
    for wrong in (dy[:-1], dy[None], np.concatenate([dy, dy], axis=-1)):
        with pytest.raises(ValueError, match=r"^dy: ") as caught:
            layer.backward(wrong, cache)
        assert str(wrong.shape) in str(caught.value)


@LAYER
def test_layer_refuses_an_integer_gradient(case: LayerCase) -> None:
    layer = case.layer()
    _, cache = layer.forward(case.x(), train=case.train)
    with pytest.raises(ValueError, match=r"dy: .*int64"):
        layer.backward(case.dy().astype(np.int64), cache)


@pytest.mark.parametrize(
    "case", [c for c in FUNCTIONS if "cross_entropy" not in c.name], ids=lambda case: case.name
)
def test_backward_function_refuses_another_shape(case: FunctionCase) -> None:
    y, cache = case.forward(*case.inputs())
    with pytest.raises(ValueError, match=r"^d[yp]: ") as caught:
        case.gradients(np.ones((*y.shape[:-1], y.shape[-1] + 1)), cache)
    assert str(y.shape) in str(caught.value)


def test_refused_batch_leaves_the_running_statistics() -> None:
    layer = nt.BatchNorm(3, dtype=np.float64)
    for x in (ones(1, 3), ones(5, 2), ones(5, 3, dtype=np.float32)):
        with pytest.raises(ValueError, match=r"^(x|weight): "):
            layer.forward(x)
    np.testing.assert_array_equal(layer.buffers["running_mean"], 0)
    np.testing.assert_array_equal(layer.buffers["running_var"], 1)


def test_sequential_says_which_layer() -> None:
    net = nt.two_layer_net(4, 5, 3, rng=RNG)
    with pytest.raises(ValueError, match="4 features") as caught:
        net(ones(2, 7, dtype=np.float32))
    assert "layer 0" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_a_bare_layer_says_what_is_missing(method: str) -> None:
    arguments = (ones(2, 3),) if method == "forward" else (ones(2, 3), None)
    with pytest.raises(NotImplementedError, match=f"Layer must define {method}"):
        getattr(nt.Layer(), method)(*arguments)
