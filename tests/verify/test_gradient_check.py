"""The gradient check itself: kinks, zeros, refusals, and the mistakes that it must catch."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import nn_tutorial as nt

H = 1e-6


def check_relu(x: Any, rng: np.random.Generator) -> nt.GradientReport:
    return nt.gradient_check(nt.relu, nt.relu_backward, [np.array(x)], rng=rng, names=["x"], h=H)


def test_relu_at_and_near_zero_is_reported(rng: np.random.Generator) -> None:
    """Within ±h of 0 the sign changes between the two points; at 2h it does not."""
    report = check_relu([-1.0, 0.0, H / 2, -H / 2, 2 * H, -2 * H, 1.0], rng)
    (x,) = report.arguments
    assert x.kinks == [(1,), (2,), (3,)]
    assert x.checked == 4
    assert report.kinks == 3
    assert report.max_error < 1e-9
    with pytest.raises(nt.GradientError, match=r"x: at a kink, unchecked: \[\(1,\)"):
        report.raise_if_above(1e-6)
    report.raise_if_above(1e-6, allow_kinks=True)


def test_relu_off_zero_has_no_kink(rng: np.random.Generator) -> None:
    report = check_relu([-1.0, -0.1, 0.1, 1.0], rng)
    assert report.kinks == report.directions_at_kink == 0
    report.raise_if_above(1e-6)


def test_every_direction_through_a_kink_is_left_out(rng: np.random.Generator) -> None:
    report = check_relu([0.0], rng)
    assert report.directions_at_kink == 3
    assert report.direction_error == 0


@pytest.mark.parametrize(
    ("pool", "backward"),
    [
        (nt.max_pool2d, nt.max_pool2d_backward),
        (nt.max_pool2d_loops, nt.max_pool2d_loops_backward),
    ],
    ids=["fast", "loops"],
)
def test_tie_of_a_max_pool_is_reported(pool, backward, rng: np.random.Generator) -> None:
    """Two equal largest values: moving either changes the winner. The other window is smooth."""
    x = np.array([[[[4.0, 1.0, 1.0, 2.0], [0.0, 4.0, 3.0, 7.0]]]])
    report = nt.gradient_check(
        lambda x: pool(x, 2), backward, [x], rng=rng, names=["x"], h=H, directions=0
    )
    assert report.arguments[0].kinks == [(0, 0, 0, 0), (0, 0, 1, 1)]
    assert report.arguments[0].checked == 6
    assert report.max_error < 1e-9


def test_kink_inside_a_net_is_found_in_its_nested_cache(rng: np.random.Generator) -> None:
    """The second hidden unit's input is exactly 0, so its weight and bias have no slope."""
    net = nt.two_layer_net(2, 3, 2, rng=rng, dtype=np.float64)
    net.params["0.weight"][:, 1] = [1.0, -1.0]
    x = np.array([[2.0, 2.0]])

    def forward(bias: np.ndarray) -> tuple[Any, Any]:
        net.params["0.bias"][...] = bias
        return net.forward(x)

    report = nt.gradient_check(
        forward,
        lambda dy, cache: net.backward(dy, cache)[1]["0.bias"],
        [np.zeros(3)],
        rng=rng,
        directions=0,
    )
    assert report.arguments[0].name == "argument 0"
    assert report.arguments[0].kinks == [(1,)]


def test_decisions_in_a_dictionary_are_seen(rng: np.random.Generator) -> None:
    report = nt.gradient_check(
        lambda x: (np.abs(x), {"sign": x > 0, "other": [None, "text"]}),
        lambda dy, cache: dy * np.where(cache["sign"], 1, -1),
        [np.array([0.0, 1.0])],
        rng=rng,
    )
    assert report.arguments[0].kinks == [(0,)]


def test_both_zero_is_no_error(rng: np.random.Generator) -> None:
    """0 against 0 is right, not 0/0."""
    report = nt.gradient_check(lambda x: (0 * x, None), lambda dy, _: 0 * dy, [np.ones(3)], rng=rng)
    assert report.max_error == 0
    report.raise_if_above(0)


def test_zero_against_something_is_the_largest_error(rng: np.random.Generator) -> None:
    report = nt.gradient_check(lambda x: (x, None), lambda dy, _: 0 * dy, [np.ones(3)], rng=rng)
    assert report.arguments[0].max_error == 1


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ([0.0], [0.0], 0.0),
        ([1.0], [1.0], 0.0),
        ([2.0], [1.0], 0.5),
        ([1.0], [-1.0], 2.0),
        ([0.0], [3.0], 1.0),
        ([0.0], [1e-6], 1e-2),  # below the floor of 1e-4: compared with the floor
        ([1000.0, 0.0], [1000.0, 0.5], 0.5),  # below a thousandth of the largest: with that
        ([np.nan], [1.0], np.inf),
        ([np.inf], [np.inf], np.inf),
        ([], [], 0.0),
    ],
    ids=str,
)
def test_relative_error(a: list[float], b: list[float], error: float) -> None:
    assert nt.relative_error(np.array(a), np.array(b)) == pytest.approx(error)
    assert nt.relative_error(np.array(b), np.array(a)) == pytest.approx(error)


def test_all_ones_would_not_see_a_softmax_without_gradient(rng: np.random.Generator) -> None:
    """The true dx for dy = 1 is 0: a check with all ones passes a backward that returns nothing."""
    x = rng.normal(size=(5, 3))
    _, p = nt.softmax(x)
    np.testing.assert_allclose(nt.softmax_backward(np.ones((5, 3)), p), 0, atol=1e-15)
    report = nt.gradient_check(nt.softmax, lambda dp, p: 0 * dp, [x], rng=rng)
    with pytest.raises(nt.GradientError, match="random directions"):
        report.raise_if_above(1e-6)


def test_nan_in_a_gradient_is_caught(rng: np.random.Generator) -> None:
    report = nt.gradient_check(
        lambda x: (x * x, x), lambda dy, x: dy * x * np.nan, [np.ones(3)], rng=rng
    )
    with pytest.raises(nt.GradientError, match="inf"):
        report.raise_if_above(1e-6)


def test_scalar_output(rng: np.random.Generator) -> None:
    """A loss is one number; its upstream gradient is random too, so a forgotten dy shows."""
    labels = np.array([0, 2])
    x = [np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])]
    forward = partial(nt.cross_entropy, labels=labels)
    nt.gradient_check(forward, nt.cross_entropy_backward, x, rng=rng).raise_if_above(1e-6)
    forgotten = nt.gradient_check(
        forward, lambda dy, cache: nt.cross_entropy_backward(1.0, cache), x, rng=rng
    )
    assert forgotten.max_error > 1e-3


def test_arrays_are_left_alone_and_seed_decides() -> None:
    arrays = [np.linspace(-1, 1, 6).reshape(2, 3), np.ones((3, 5)), np.zeros(5)]
    for a in arrays:
        a.flags.writeable = False
    first, second = (
        nt.gradient_check(nt.linear, nt.linear_backward, arrays, rng=np.random.default_rng(3))
        for _ in range(2)
    )
    assert first == second


def test_forward_that_writes_to_its_input_gets_a_copy(rng: np.random.Generator) -> None:
    x = np.array([1.0, 2.0])
    x.flags.writeable = False

    def doubles_in_place(x: np.ndarray) -> tuple[np.ndarray, None]:
        x *= 2
        return x, None

    report = nt.gradient_check(doubles_in_place, lambda dy, _: 2 * dy, [x], rng=rng)
    assert x.tolist() == [1, 2]
    assert report.arguments[0].checked == 2


def test_gradients_may_reuse_their_memory(rng: np.random.Generator) -> None:
    """A backward pass that hands out one buffer again and again is still compared rightly."""
    buffer = np.zeros(3)

    def backward(dy, x):
        buffer[...] = 2 * dy * x
        return buffer

    def forward(x):
        buffer[...] = np.nan
        return x * x, x

    nt.gradient_check(forward, backward, [np.ones(3)], rng=rng).raise_if_above(1e-6)


def test_table_has_a_line_an_argument(rng: np.random.Generator) -> None:
    arrays = [np.ones((2, 3)), np.ones((3, 5)), np.zeros(5)]
    report = nt.gradient_check(
        nt.linear, nt.linear_backward, arrays, rng=rng, names=["x", "weight", "bias"]
    )
    header, *lines = str(report).splitlines()
    assert header.split()[0] == "argument"
    assert [line.split()[:3] for line in lines[:3]] == [
        ["x", "6", "0"],
        ["weight", "15", "0"],
        ["bias", "5", "0"],
    ]
    assert [float(line.split()[-1]) < 1e-6 for line in lines] == [True] * 4
    assert lines[3].startswith("directions")


X = np.ones(3)


@pytest.mark.parametrize(
    ("arrays", "settings", "backward", "parts"),
    [
        ([X.astype(np.float32)], {"names": ["x"]}, None, ("x", "float32", "float64")),
        ([X, X.astype(np.float32)], {}, None, ("argument 1", "float32")),
        ([X.astype(int)], {"names": ["x"]}, None, ("x", "int64", "floats")),
        ([X], {"names": ["x", "y"]}, None, ("names", "1", "2")),
        ([], {}, None, ("arrays", "0")),
        ([X], {"h": 0.0}, None, ("h", "0.0", "positive")),
        ([X], {"h": float("nan")}, None, ("h", "nan")),
        ([X], {}, lambda dy, _: (dy, dy), ("backward", "[(3,)]", "[(3,), (3,)]")),
        ([X], {}, lambda dy, _: dy[None], ("backward", "[(3,)]", "[(1, 3)]")),
    ],
    ids=[
        "float32",
        "second-float32",
        "integers",
        "names",
        "no-arrays",
        "h-zero",
        "h-nan",
        "two-gradients",
        "wrong-shape",
    ],
)
def test_refusals(arrays, settings, backward, parts, rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        nt.gradient_check(
            lambda *a: (a[0], None),
            backward or (lambda dy, _: dy),
            arrays,
            rng=rng,
            **settings,
        )
    assert all(part in str(caught.value) for part in parts)
