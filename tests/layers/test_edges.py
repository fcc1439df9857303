"""At the edges of what a layer takes: infinity, NaN, no axes, odd arrays, a layer used twice."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_told
from torch import nn

import nn_tutorial as nt
from nn_tutorial.layers.pooling import max_pool2d_loops, max_pool2d_loops_backward

RNG = np.random.default_rng(0)
INF, NAN = np.inf, np.nan


@pytest.fixture(autouse=True)
def _no_warning() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_passes_a_shut_gate(dtype: type) -> None:
    _, mask = nt.relu(np.array([[-1, 2, -3, 4]], dtype))
    dx = nt.relu_backward(np.array([[INF, INF, NAN, -5]], dtype), mask)
    assert dx.dtype == dtype
    assert dx.tolist() == [[0, INF, 0, -5]]


def test_nothing_passes_where_it_was_dropped() -> None:
    y, scale = nt.dropout(np.full(100, INF), 0.5, np.random.default_rng(0))
    assert {*y} == {0, INF} == {*nt.dropout_backward(np.full(100, INF), scale)}


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (2, 1), (3, 2)])
def test_nothing_reaches_a_loser(kernel: int, stride: int) -> None:
    x = RNG.standard_normal((2, 2, 6, 6))
    y, cache = nt.max_pool2d(x, kernel, stride=stride)
    dy = RNG.standard_normal(y.shape)
    dy[0, 0, 0, 1], dy[1, 1, 1, 0] = INF, -INF
    _, loops = max_pool2d_loops(x, kernel, stride=stride)
    dx = nt.max_pool2d_backward(dy, cache)
    np.testing.assert_allclose(dx, max_pool2d_loops_backward(dy, loops), atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (2, 1, 1), (3, 2, 1)])
def test_nan_wins_its_window(kernel: int, stride: int, padding: int) -> None:
    """As in PyTorch, but for two of them in one window, of which the first wins here."""
    x = RNG.standard_normal((2, 3, 7, 6))
    x[0, 0, 2, 3] = x[1, 2, 5, 1] = x[1, 1, 0, 0] = NAN
    y, cache = nt.max_pool2d(x, kernel, stride=stride, padding=padding)
    slow, loops = max_pool2d_loops(x, kernel, stride=stride, padding=padding)
    dy = RNG.standard_normal(y.shape)
    dx = nt.max_pool2d_backward(dy, cache)
    np.testing.assert_array_equal(y, slow)
    np.testing.assert_allclose(dx, max_pool2d_loops_backward(dy, loops), atol=1e-12)
    theirs = torch.tensor(x, requires_grad=True)
    torch.max_pool2d(theirs, kernel, stride, padding).backward(torch.tensor(dy))
    assert theirs.grad is not None
    np.testing.assert_allclose(dx, theirs.grad.numpy(), atol=1e-12)


ELEMENTWISE = {
    "relu": (nt.relu, nt.relu_backward),
    "sigmoid": (nt.sigmoid, nt.sigmoid_backward),
    "tanh": (nt.tanh, nt.tanh_backward),
    "dropout": (lambda x: nt.dropout(x, 0.5, np.random.default_rng(0)), nt.dropout_backward),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_one_number_stays_an_array(name: str) -> None:
    forward, backward = ELEMENTWISE[name]
    y, cache = forward(np.array(0.5, np.float32))
    dx = backward(y, cache)
    for array in (y, dx):
        assert isinstance(array, np.ndarray)
        assert (array.shape, array.dtype) == ((), np.float32)
    forward(y)  # the next layer takes it
    point = [np.array(0.5)]
    nt.gradient_check(forward, backward, point, rng=RNG).raise_if_above(1e-6)


ODD: dict[str, Callable[[Any], Any]] = {
    "matrix": np.matrix,
    "masked": lambda x: np.ma.masked_array(x, x > 0),
    "float16": lambda x: x.astype(np.float16),
    "long": lambda x: x.astype(np.longdouble),
    "big-endian": lambda x: x.astype(">f8"),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_odd_arrays_are_refused(kind: str) -> None:
    if kind == "long" and np.dtype(np.longdouble) == np.float64:
        pytest.skip("it is float64 on this machine")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        odd = ODD[kind](RNG.standard_normal((3, 2)))
    with pytest.raises(ValueError, match="x: expected an array of"):
        nt.relu(odd)
    with pytest.raises(ValueError, match="weight"):
        nt.linear(np.ones((1, 3)), odd, np.zeros(2))
    _, cache = nt.batch_norm(np.eye(3, 2), np.ones(2), np.zeros(2))
    with pytest.raises(ValueError, match="dy: expected"):
        nt.batch_norm_backward(odd, cache)


def test_no_layer_in_float16() -> None:
    for make in (
        lambda: nt.Linear(2, 3, rng=RNG, dtype=np.float16),
        lambda: nt.BatchNorm(2, dtype=">f4"),
    ):
        with pytest.raises(ValueError, match="dtype: expected float32 or float64"):
            make()


def test_a_memory_map_is_an_array(tmp_path: Any) -> None:
    x = np.memmap(tmp_path / "x", np.float32, "w+", shape=(3, 2))
    x[:] = [[1, -1], [2, -2], [3, -3]]
    assert nt.relu(x)[0].tolist() == [[1, 0], [2, 0], [3, 0]]


def test_far_apart_scores_warn_nobody() -> None:
    x = np.array([[3e38, -3e38], [0, 1]], np.float32)
    assert nt.softmax(x)[0][0].tolist() == [1, 0]
    loss, dlogits = nt.softmax_cross_entropy(x, np.array([0, 1]))
    assert np.isfinite(loss)
    assert dlogits[0].tolist() == [0, 0]
    assert nt.softmax_cross_entropy(x[:1], np.array([1]))[0] == INF


def test_a_probability_near_zero_warns_nobody() -> None:
    p = np.array([[1e-45, 1], [0, 1]], np.float32)
    loss, cache = nt.cross_entropy(p, np.array([0, 0]))
    assert loss == INF
    assert nt.cross_entropy_backward(1.0, cache).tolist() == [[-INF, 0], [-INF, 0]]
    assert nt.cross_entropy_backward(0.0, cache).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([0.5, 7.0], "from 0 to 1, got 7"),
        ([0.5, 0.2], "add up to 1, got 0.7 in row 1"),
        ([1.0, -0.1], "from 0 to 1, got -0.1"),
        ([NAN, 0.5], "from 0 to 1, got nan"),
    ],
)
def test_the_whole_row_is_a_distribution(row: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=f"probabilities: expected .*{words}"):
        nt.cross_entropy(np.array([[0.25, 0.75], row]), np.array([0, 0]))


def test_one_layer_in_two_places() -> None:
    """Its gradients are added up, and Adam with weight decay moves it once a step, as PyTorch."""
    own, theirs = nt.Linear(3, 3, rng=np.random.default_rng(0), dtype=np.float64), nn.Linear(3, 3)
    theirs.double()
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(own.params["weight"].T))
        theirs.bias.zero_()
    net = nt.Sequential(own, nt.Tanh(), nt.Sequential(own), nt.Tanh(), own)
    twin = nn.Sequential(theirs, nn.Tanh(), theirs, nn.Tanh(), theirs)
    assert [*net.params] == ["0.weight", "0.bias"]
    ours = nt.Adam(net.params, 0.1, weight_decay=0.3)
    adam = torch.optim.Adam(twin.parameters(), 0.1, weight_decay=0.3)
    x, t = RNG.standard_normal((5, 3)), np.array([0, 1, 2, 1, 0])
    for _ in range(4):
        logits, cache = net.forward(x)
        _, dlogits = nt.softmax_cross_entropy(logits, t)
        ours.step(net.backward(dlogits, cache)[1])
        adam.zero_grad()
        nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(t)).backward()
        adam.step()
    np.testing.assert_allclose(own.params["weight"].T, theirs.weight.detach(), atol=1e-12)
    np.testing.assert_allclose(own.params["bias"], theirs.bias.detach(), atol=1e-12)
    with pytest.raises(ValueError, match="models: expected each layer in one place"):
        nt.fit_many(
            [net], (x, t), optimizer=nt.SGD, lr=0.1, epochs=1, batch_size=5,
            rngs=[np.random.default_rng(0)],
        )  # fmt: skip


def test_a_beta_of_zero_forgets() -> None:
    p = {"p": np.zeros(1)}
    adam = nt.Adam(p, 0.1, betas=(0.0, 0.0))
    adam.step({"p": np.array([1e20])})
    adam.step({"p": np.array([0.3])})
    assert (adam.m["p"][0], adam.v["p"][0]) == (0.3, 0.3 * 0.3)


def test_a_momentum_of_one_forgets() -> None:
    layer = nt.BatchNorm(1, momentum=1.0, dtype=np.float64)
    layer.forward(np.array([[1e20], [-3e20]]))
    layer.forward(np.array([[0.1], [0.4]]))
    assert layer.buffers["running_mean"][0] == np.mean([0.1, 0.4])
    np.testing.assert_allclose(layer.buffers["running_var"], np.var([0.1, 0.4], ddof=1), rtol=1e-14)


NET = nt.two_layer_net(2, 3, 2, rng=np.random.default_rng(0))
X, T = np.ones((4, 2), np.float32), np.array([0, 1, 0, 1])
GRADS = {name: np.zeros_like(p) for name, p in NET.params.items()}
FIT = {"optimizer": nt.SGD(NET.params, 0.1), "epochs": 1, "batch_size": 2, "rng": RNG}
SLIPS: dict[str, tuple[Callable[[], Any], str]] = {
    "seed for linear": (lambda: nt.Linear(2, 3, rng=0), "rng"),  # type: ignore[arg-type]
    "seed for conv": (lambda: nt.Conv2d(1, 2, 3, rng=0), "rng"),  # type: ignore[arg-type]
    "seed for dropout": (lambda: nt.Dropout(0.5, rng=0), "rng"),  # type: ignore[arg-type]
    "seed for he": (lambda: nt.he_normal((2, 3), rng=0), "rng"),  # type: ignore[arg-type]
    "seed for xavier": (lambda: nt.xavier_uniform((2, 3), rng=0), "rng"),  # type: ignore[arg-type]
    "seed for fit": (lambda: nt.fit(NET, (X, T), **FIT | {"rng": 0}), "rng"),
    "no rng": (lambda: nt.mlp(2, [3], 2, rng=None), "rng"),  # type: ignore[arg-type]
    "float size": (lambda: nt.Linear(2.0, 3, rng=RNG), "n_in"),  # type: ignore[arg-type]
    "true size": (lambda: nt.Linear(2, True, rng=RNG), "n_out"),
    "float channels": (lambda: nt.Conv2d(1, 2.5, 3, rng=RNG), "out_channels"),  # type: ignore[arg-type]
    "float features": (lambda: nt.BatchNorm(3.0), "num_features"),  # type: ignore[arg-type]
    "float image": (lambda: nt.small_cnn(1, 8.0, rng=RNG), "image_size"),  # type: ignore[arg-type]
    "one hidden size": (lambda: nt.mlp(2, 3, 2, rng=RNG), "hidden"),  # type: ignore[arg-type]
    "float epochs": (lambda: nt.fit(NET, (X, T), **FIT | {"epochs": 1.0}), "epochs"),
    "float batch": (lambda: nt.fit(NET, (X, T), **FIT | {"batch_size": 2.0}), "batch_size"),
    "float patience": (
        lambda: nt.fit(NET, (X, T), (X, T), **FIT | {"patience": 1.5}), "patience",
    ),
    "a net for params": (lambda: nt.SGD(NET, 0.1), "params"),  # type: ignore[arg-type]
    "a list for params": (lambda: nt.Adam([np.ones(2)]), "params"),  # type: ignore[arg-type]
    "a text for lr": (lambda: nt.SGD(NET.params, "0.1"), "lr"),  # type: ignore[arg-type]
    "no lr": (lambda: nt.SGD(NET.params, None), "lr"),  # type: ignore[arg-type]
    "nan for lr": (lambda: nt.SGD(NET.params, NAN), "lr"),
    "a text for momentum": (lambda: nt.SGD(NET.params, 0.1, momentum="a"), "momentum"),  # type: ignore[arg-type]
    "one beta": (lambda: nt.Adam(NET.params, betas=(0.9,)), "betas"),  # type: ignore[arg-type]
    "a number for betas": (lambda: nt.Adam(NET.params, betas=0.9), "betas"),  # type: ignore[arg-type]
    "a text for eps": (lambda: nt.Adam(NET.params, eps="1"), "eps"),  # type: ignore[arg-type]
    "negative eps": (lambda: nt.batch_norm(X, X[0], X[0], eps=-5), "eps"),
    "no eps": (lambda: nt.BatchNorm(2, eps=None), "eps"),  # type: ignore[arg-type]
    "a text for p": (lambda: nt.Dropout("0.5", rng=RNG), "p"),  # type: ignore[arg-type]
    "a list of gradients": (lambda: nt.SGD(NET.params, 0.1).step([*GRADS.values()]), "grads"),  # type: ignore[arg-type]
    "no gradients": (lambda: nt.Adam(NET.params).step(None), "grads"),  # type: ignore[arg-type]
    "gradients that are lists": (
        lambda: nt.SGD(NET.params, 0.1).step({k: g.tolist() for k, g in GRADS.items()}),
        r"grads\['0.weight'\]",
    ),
    "a gradient that is none": (
        lambda: nt.AdamW(NET.params).step(GRADS | {"0.bias": None}),  # type: ignore[dict-item]
        r"grads\['0.bias'\]",
    ),
    "a text for max_norm": (lambda: nt.clip_gradients(GRADS, "1"), "max_norm"),  # type: ignore[arg-type]
    "a text for dy": (
        lambda: nt.cross_entropy_backward("1", nt.cross_entropy(np.eye(2), T[:2])[1]), "dy",  # type: ignore[arg-type]
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_by_the_arguments_name(slip: str) -> None:
    assert_told(*SLIPS[slip], NET.params)


@pytest.mark.parametrize("value", [INF, NAN])
def test_a_weight_reaches_no_pixel_that_it_did_not_meet(value: float) -> None:
    """The gradient of the input, where 0 times infinity must not be added."""
    for geometry in ({}, {"stride": 2}, {"padding": 1}, {"stride": (3, 1), "padding": (2, 0)}):
        x, weight = RNG.standard_normal((2, 2, 5, 4)), RNG.standard_normal((3, 2, 2, 3))
        weight[1, 0, 0, 2] = value
        with np.errstate(invalid="ignore"):
            y, cache = nt.conv2d(x, weight, **geometry)
            _, loops = nt.conv2d_loops(x, weight, np.zeros(3), **geometry)
            dy = RNG.standard_normal(y.shape)
            dx = nt.conv2d_backward(dy, cache)[0]
            expected = nt.conv2d_loops_backward(dy, loops)[0]
        assert np.isfinite(expected).any()
        np.testing.assert_allclose(dx, expected, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "batch_norm", "layer_norm"])
def test_many_rows_keep_their_digits_in_float32(name: str) -> None:
    """NumPy's sum of so many rows, one after the other, is wrong in the third digit."""
    x = RNG.standard_normal((300_000, 2), np.float32)
    dy = np.full_like(x, 0.1)
    parameters = {"linear": np.eye(2, dtype=np.float32)}.get(name, np.ones(2, np.float32))
    y, cache = getattr(nt, name)(x, parameters, np.zeros(2, np.float32))
    dbias = getattr(nt, f"{name}_backward")(np.broadcast_to(dy, y.shape), cache)[2]
    assert np.abs(dy.sum(0) / 30_000 - 1).max() > 1e-3
    np.testing.assert_allclose(dbias, 300_000 * np.float64(dy[0, 0]), rtol=5e-5)


def test_the_statistics_of_many_rows_keep_their_digits_too() -> None:
    x = np.full((300_000, 2), 1.1, np.float32)
    x[::2] = 0.9
    _, cache = nt.batch_norm(x, np.ones(2, np.float32), np.zeros(2, np.float32))
    np.testing.assert_allclose(cache.mean, 1, rtol=5e-5)
    np.testing.assert_allclose(cache.var, 0.01, rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, w, b: nt.conv2d(x, w, padding=np.array([1, 1])), "padding: expected"),
        (lambda x, w, b: nt.batch_norm(x, b, b, mean=b, var=-b), "var: expected"),
        (lambda x, w, b: _loss(label_smoothing=None), "label_smoothing: expected"),
        (lambda x, w, b: _loss(label_smoothing=[]), "label_smoothing: expected"),
        (lambda x, w, b: _loss(label_smoothing=np.array([0.1, 0.1])), "label_smoothing: expected"),
        (lambda x, w, b: _loss(reduction=np.array(["mean", "sum"])), "reduction: expected"),
    ],
)
def test_an_array_where_one_value_belongs_is_told_by_name(call: Any, words: str) -> None:
    x, weight = RNG.standard_normal((2, 2, 3, 3)), np.ones((1, 2, 2, 2))
    with pytest.raises(ValueError, match=words):
        call(x, weight, np.ones(2))


def _loss(**options: Any) -> Any:
    return nt.softmax_cross_entropy(np.zeros((2, 3)), np.array([0, 1]), **options)
