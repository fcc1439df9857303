"""The tape: every operation by differences and by PyTorch, random graphs, and what it refuses."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_close, assert_gradients

import nn_tutorial as nt
from nn_tutorial import Variable, differentiable, gradients, operation, tape
from nn_tutorial.pytorch.equivalents import equivalent, oracle
from nn_tutorial.training.autograd import unbroadcast
from nn_tutorial.verify.agreement import agree
from nn_tutorial.verify.certificates import CertificateError, certify
from nn_tutorial.verify.programs import PROGRAMS, on_tape
from nn_tutorial.verify.random_graphs import LAYERS, leaves, random_graph
from nn_tutorial.verify.theories import THEORIES

FIVE = np.array([4, 0, 4, 1, 2])  # rows and columns that are taken, one of them twice
ROWS, COLUMNS = FIVE, np.array([1, 0, 1, 2, 1])
# A program, which PyTorch's tensors run as well, and the shapes of what it is given.
PROGRAMS_OF_ONE_OPERATION: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "add": (lambda a, b: a + b, [(5, 3), (5, 3)]),
    "add-row": (lambda a, b: a + b, [(5, 3), (3,)]),
    "add-column": (lambda a, b: a + b, [(5, 1), (5, 3)]),
    "add-number": (lambda a, b: a + b, [(), (5, 3)]),
    "add-both-ways": (lambda a, b: a + b, [(5, 1), (1, 3)]),
    "add-new-axes": (lambda a, b: a + b, [(3, 1), (7, 2, 3, 5)]),
    "add-constant": (lambda a: 2.0 + a + 1.5, [(5, 3)]),
    "subtract": (lambda a, b: a - b, [(5, 3), (1, 3)]),
    "subtract-from-constant": (lambda a: 2.0 - a, [(5, 3)]),
    "negative": (lambda a: -a, [(5, 3)]),
    "multiply": (lambda a, b: a * b, [(5, 3), (5, 3)]),
    "multiply-row": (lambda a, b: a * b, [(3,), (5, 3)]),
    "multiply-constant": (lambda a: 3.0 * a * 0.5, [(5, 3)]),
    "square-as-product": (lambda a: a * a, [(5, 3)]),
    "divide": (lambda a, b: a / b, [(5, 3), (5, 3)]),
    "divide-column": (lambda a, b: a / b, [(5, 1), (5, 3)]),
    "divide-constant": (lambda a: 2.0 / a, [(5, 3)]),
    "power": (lambda a: a**3, [(5, 3)]),
    "power-negative": (lambda a: (a * a) ** -0.5, [(5, 3)]),
    "power-0": (lambda a: a**0 * a, [(5, 3)]),
    "matmul": (lambda a, b: a @ b, [(5, 3), (3, 7)]),
    "matmul-batch": (lambda a, b: a @ b, [(2, 5, 3), (2, 3, 7)]),
    "matmul-broadcast": (lambda a, b: a @ b, [(2, 5, 3), (3, 7)]),
    "exp": (lambda a: a.exp(), [(5, 3)]),
    "log": (lambda a: (a * a).log(), [(5, 3)]),
    "maximum": (lambda a, b: a.maximum(b), [(5, 3), (5, 3)]),
    "maximum-row": (lambda a, b: a.maximum(b), [(5, 3), (3,)]),
    "sum": (lambda a: a.sum(), [(5, 3)]),
    "sum-axis": (lambda a: a.sum(axis=1), [(5, 3, 2)]),
    "sum-axes": (lambda a: a.sum(axis=(0, -1), keepdims=True), [(5, 3, 2)]),
    "mean": (lambda a: a.mean(), [(5, 3)]),
    "mean-axis": (lambda a: a.mean(axis=0, keepdims=True), [(5, 3)]),
    "reshape": (lambda a: a.reshape(3, 10), [(5, 3, 2)]),
    "reshape-unknown": (lambda a: a.reshape(5, -1), [(5, 3, 2)]),
    "transpose": (lambda a: a.T, [(5, 3)]),
    "index-slice": (lambda a: a[1:4, ::2], [(5, 3)]),
    "index-number": (lambda a: a[2], [(5, 3)]),
    "index-rows": (lambda a: a[FIVE], [(5, 3)]),
    "index-pairs": (lambda a: a[ROWS, COLUMNS], [(5, 3)]),
    "used-three-times": (lambda a: a * a + a, [(5, 3)]),
    "two-roads": (lambda a, b: (a + b) * a - (a + b) / (b * b + 1), [(5, 3), (3,)]),
}
ONE = pytest.mark.parametrize(
    ("program", "shapes"), PROGRAMS_OF_ONE_OPERATION.values(), ids=PROGRAMS_OF_ONE_OPERATION
)


def drawn(shapes: list[tuple[int, ...]], dtype: Any = np.float64) -> list[np.ndarray]:
    """Numbers between 0.5 and 2 with random signs: nothing is divided by 0."""
    rng = np.random.default_rng(5)
    return [np.asarray(rng.uniform(0.5, 2, s) * rng.choice([-1, 1], s), dtype) for s in shapes]


def ours() -> dict[str, Callable[..., Variable]]:
    """The package's layers, each an operation."""
    pairs = {
        name: (getattr(nt, name), getattr(nt, f"{name}_backward", lambda dy, dlogits: dy * dlogits))
        for name in LAYERS
    }
    return {name: operation(*pair) for name, pair in pairs.items()}


def theirs() -> dict[str, Callable[..., torch.Tensor]]:
    """The same functions of PyTorch."""
    loss = equivalent("softmax_cross_entropy")
    return {name: equivalent(name) for name in LAYERS} | {
        "softmax_cross_entropy": lambda x, labels: loss(x, torch.tensor(labels))
    }


@ONE
def test_operation_agrees_with_differences(
    program: Callable[..., Any], shapes: list[tuple[int, ...]]
) -> None:
    assert_gradients(*differentiable(program), drawn(shapes))


@ONE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_operation_agrees_with_pytorch(
    program: Callable[..., Any], shapes: list[tuple[int, ...]], dtype: Any
) -> None:
    arrays = drawn(shapes, dtype)
    inputs = [Variable(a) for a in arrays]
    y = program(*inputs)
    dy = np.random.default_rng(6).standard_normal(y.shape).astype(dtype)
    found = gradients(y, inputs, dy)
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    there = program(*tensors)
    assert_close(y.data, there.detach().numpy())
    for gradient, tensor in zip(
        found, torch.autograd.grad(there, tensors, torch.tensor(dy)), strict=True
    ):
        assert_close(gradient, tensor.numpy())


def test_equal_sides_of_a_maximum_share_the_gradient() -> None:
    for value, other in ((0.0, 0.0), (2.0, 2.0), (-1.0, 0.0), (3.0, 0.0)):
        a, b = Variable(np.array([value])), Variable(np.array([other]))
        tensors = [
            torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (value, other)
        ]
        wanted = torch.autograd.grad(torch.maximum(*tensors), tensors)
        assert gradients(a.maximum(b), [a, b]) == [g.numpy() for g in wanted]


@pytest.mark.parametrize("shape", [(), (5,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_maximum_beside_infinity_and_nan_is_pytorchs(shape: Any, dtype: Any) -> None:
    """The loser's gradient is 0 also where the upstream gradient is infinite."""
    values = [-np.inf, 0.0, 1.0, np.inf, np.nan]
    for a, b, upstream in product(values, values, [1.0, np.inf]):
        sides, dy = np.full((2, *shape), [[a], [b]] if shape else [a, b], dtype), dtype(upstream)
        ours = [Variable(np.asarray(side)) for side in sides]
        theirs = [torch.tensor(side, requires_grad=True) for side in sides]
        found = gradients(ours[0].maximum(ours[1]), ours, np.full(shape, dy))
        torch.maximum(*theirs).backward(torch.full(shape, upstream).to(theirs[0].dtype))
        for gradient, tensor in zip(found, theirs, strict=True):
            assert gradient.dtype == dtype
            np.testing.assert_array_equal(gradient, tensor.grad.numpy())


def test_the_power_0_has_no_slope_even_at_infinity() -> None:
    v = Variable(np.array([0.0, 2.0]))
    assert (gradients(v**0, [v], np.full(2, np.inf))[0] == 0).all()


def test_a_shape_may_be_a_tuple() -> None:
    v = Variable(np.arange(6.0).reshape(2, 3))
    for y in (v.reshape(3, -1), v.reshape((3, -1)), v.reshape([3, 2])):
        np.testing.assert_array_equal(y.data, [[0, 1], [2, 3], [4, 5]])
        np.testing.assert_array_equal(gradients((y * y).sum(), [v])[0], 2 * v.data)


def test_the_example_of_the_chapter() -> None:
    a, b = Variable(np.array([[1.0, 2.0], [3.0, -1.0]])), Variable(np.array([1.0, -2.0]))
    s = a + b
    loss = (s * a).sum()
    da, db, ds = gradients(loss, [a, b, s])
    assert loss.data == 17
    assert da.tolist() == [[3, 2], [7, -4]]
    assert db.tolist() == [4, 1]
    assert ds.tolist() == [[1, 2], [3, -1]]
    assert [v.number - a.number for v in tape(loss)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(60))
def test_random_graph_agrees_with_pytorch(seed: int) -> None:
    arrays = leaves(np.random.default_rng(seed))
    mine = {name: Variable(array) for name, array in arrays.items()}
    loss, _ = random_graph(np.random.default_rng(seed), mine, ours())
    on_it = set(tape(loss))
    names = [name for name, value in mine.items() if value in on_it]
    tensors = {name: torch.tensor(a, requires_grad=True) for name, a in arrays.items()}
    their_loss, _ = random_graph(np.random.default_rng(seed), tensors, theirs())
    assert_close(loss.data, their_loss.detach().numpy())
    wanted = torch.autograd.grad(their_loss, [tensors[name] for name in names])
    for gradient, tensor in zip(gradients(loss, [mine[n] for n in names]), wanted, strict=True):
        assert np.abs(gradient - tensor.numpy()).max() < 1e-10 * max(1.0, float(tensor.abs().max()))


def test_random_graphs_use_everything() -> None:
    total: Counter[str] = Counter()
    for seed in range(60):
        start = {k: Variable(v) for k, v in leaves(np.random.default_rng(seed)).items()}
        total += random_graph(np.random.default_rng(seed), start, ours())[1]
    assert set(LAYERS) < set(total)
    assert min(total.values()) >= 15
    assert total["again"] > 200
    assert total["broadcast"] > 60


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_layer_written_forward_alone_gets_its_certificate(name: str) -> None:
    """The book's equations, its derivations' results and PyTorch, without a backward pass."""
    theory = on_tape(THEORIES[name])
    assert agree(theory)
    rows = certify(theory, oracle)
    assert {row.dtype for row in rows} == {"float32", "float64"}


def test_a_wrong_program_gets_none() -> None:
    theory = on_tape(THEORIES["batch_norm"])

    def detached(x: Variable, weight: Variable, bias: Variable, eps: float) -> Variable:
        """The classic mistake: mean and variance are taken for constants."""
        mean = Variable(x.data.mean(0))
        variance = Variable(x.data.var(0))
        return weight * ((x - mean) * (variance + eps) ** -0.5) + bias

    forward, backward = differentiable(detached)
    forward.__name__ = "batch_norm"
    with pytest.raises(CertificateError, match="relative error"):
        certify(replace(theory, pair=(forward, backward)), oracle)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_on_the_tape_give_the_numbers_of_the_layers_themselves(dtype: Any) -> None:
    """Bit for bit: it is the same code."""
    draw = np.random.default_rng(0).standard_normal
    x, w, b = (draw(s).astype(dtype) for s in ((5, 3), (3, 7), (7,)))
    labels = np.array([0, 3, 6, 2, 2])
    layer = ours()
    variables = [Variable(a) for a in (x, w, b)]
    loss = layer["softmax_cross_entropy"](layer["relu"](layer["linear"](*variables)), labels)
    a, cache = nt.linear(x, w, b)
    r, mask = nt.relu(a)
    loss_by_hand, dr = nt.softmax_cross_entropy(r, labels)
    assert loss.data.dtype == dtype
    assert float(loss.data) == loss_by_hand
    by_hand = nt.linear_backward(nt.relu_backward(dr, mask), cache)
    for gradient, wanted in zip(gradients(loss, variables), by_hand, strict=True):
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, wanted)


def test_a_graph_may_be_deeper_than_python_can_call() -> None:
    x = Variable(np.array(1.0))
    y = x
    for _ in range(20_000):
        y = y * 1.0001
    assert len(tape(y)) == 40_001
    assert np.isclose(gradients(y, [x])[0], 1.0001**20_000, rtol=1e-10)


def test_no_value_is_walked_twice() -> None:
    """Each doubling has two roads: 2⁶⁰ from the end to the beginning."""
    x = Variable(np.array(1.0))
    y = x
    for _ in range(60):
        y = y + y
    calls = 0
    for value in tape(y):
        vjp = value.vjp

        def counted(dy: np.ndarray, vjp: Callable[..., Any] = vjp) -> Any:
            nonlocal calls
            calls += 1
            return vjp(dy)

        value.vjp = counted
    assert gradients(y, [x]) == [2.0**60]
    assert calls == 61


def test_each_value_comes_after_its_parents() -> None:
    start = {k: Variable(v) for k, v in leaves(np.random.default_rng(1)).items()}
    order = tape(random_graph(np.random.default_rng(1), start, ours(), 40)[0])
    place = {value: i for i, value in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[p] < place[value] for value in order for p in value.parents)


def test_twice_gives_the_same_numbers_in_new_arrays() -> None:
    a, b = (Variable(array) for array in drawn([(5, 3), (5, 3)]))
    loss = (a + b).sum()
    first = gradients(loss, [a, b])
    kept = [g.copy() for g in first]
    first[0][...] = 7  # neither the other gradient nor the tape is changed by it
    assert (first[1] == kept[1]).all()
    for again, before in zip(gradients(loss, [a, b, a]), [*kept, kept[0]], strict=True):
        assert (again == before).all()


def test_the_upstream_gradient_is_left_as_it_is() -> None:
    (x,) = drawn([(5, 3)])
    v, dy = Variable(x), np.ones((5, 3))
    (found,) = gradients(v, [v], dy)
    found += 1
    assert (dy == 1).all()


def test_results_cannot_be_written_to() -> None:
    (x,) = drawn([(5, 3)])
    v = Variable(x)
    for value in (v, v * v, v.reshape(15), v[1:], v.T):
        with pytest.raises(ValueError, match="read-only"):
            value.data[...] = 0
    x[...] = 0  # the array itself stays its owner's
    assert v.data is not x
    assert (v.data == 0).all()


def test_several_inputs_in_the_middle_and_at_the_end() -> None:
    (x,) = drawn([(5, 3)])
    v = Variable(x)
    s = v * v
    loss = s.sum()
    dloss, ds, dv = gradients(loss, [loss, s, v])
    assert dloss == 1
    assert (ds == 1).all()
    np.testing.assert_allclose(dv, 2 * x)


def test_a_result_of_one_number_needs_no_upstream_gradient() -> None:
    v = Variable(np.array([[3.0]]))
    assert gradients(v * v, [v]) == [[[6.0]]]


def test_numbers_take_the_type_of_the_variable() -> None:
    v = Variable(np.ones(3, np.float32))
    for y in (v * np.float64(2), 2 + v, v / 3, 1 - v, v**2, v.mean(), v.sum(), v.maximum(0)):
        assert y.data.dtype == np.float32
        assert gradients(y.sum(), [v])[0].dtype == np.float32


def test_an_array_may_stand_on_either_side() -> None:
    x, w = drawn([(5, 3), (3, 7)])
    v = Variable(w)
    (dw,) = gradients((x @ v).sum(), [v])
    np.testing.assert_allclose(dw, np.tile(x.sum(0)[:, None], 7))
    for y in (x + Variable(x), x - Variable(x), x * Variable(x), x / Variable(x)):
        assert isinstance(y, Variable)


def test_a_gradient_comes_back_to_the_shape_of_its_array() -> None:
    ones = np.ones((2, 5, 3))
    assert (unbroadcast(ones, (3,)) == 10).all()
    assert (unbroadcast(ones, (5, 1)) == 6).all()
    assert unbroadcast(ones, ()) == 30
    assert unbroadcast(ones, ones.shape) is ones
    for shape in ((2,), (2, 5, 3, 1), (4, 5, 3)):
        with pytest.raises(ValueError, match=r"gradient: expected one of shape \("):
            unbroadcast(ones, shape)


def test_a_program_is_a_pair_with_named_arguments_too() -> None:
    x, w = drawn([(5, 3), (3, 7)])
    forward, backward = differentiable(lambda x, scale, *, weight: scale * (x @ weight))
    y, cache = forward(x, 2.0, weight=w)
    np.testing.assert_allclose(y, 2 * x @ w)
    dx, dw = backward(np.ones(y.shape), cache)
    np.testing.assert_allclose(dx, 2 * np.ones(y.shape) @ w.T)
    np.testing.assert_allclose(dw, 2 * x.T @ np.ones(y.shape))


V = Variable(np.ones((2, 3)))
LINEAR = operation(nt.linear, nt.linear_backward)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Variable([1.0, 2.0]), "data: expected an array of floats, got list"),
        (lambda: Variable(np.array([1, 2])), "data: expected an array of floats, got dtype int"),
        (lambda: Variable(3.0), "data: expected an array of floats, got float"),
        (lambda: Variable(np.ones(2, np.float16)), "data: expected an array of native float32"),
        (lambda: Variable(np.ones((0, 2))), "data: expected at least one number"),
        (lambda: V - [1.0, 2.0, 3.0], "other: expected an array of floats, got list"),
        (lambda: [1.0, 2.0, 3.0] * V, "other: expected an array of floats, got list"),
        (lambda: V * np.array([1, 2, 3]), "other: expected an array of floats, got dtype int"),
        (lambda: V + np.ones(3, np.float32), "other: expected dtype float64"),
        (lambda: V + Variable(np.ones(3, np.float32)), "other: expected dtype float64"),
        (lambda: V + True, "other: expected an array of floats, got bool"),
        (lambda: V**V, "exponent: expected a number, got Variable"),
        (lambda: V @ np.ones(3), "right of @: expected at least two axes, got "),
        (lambda: np.ones(2) @ V, "left of @: expected at least two axes, got "),
        (lambda: V.reshape(4), r"shape: expected one of 6 numbers, got \(4,\)"),
        (lambda: V.reshape((4, 2)), r"shape: expected one of 6 numbers, got \(4, 2\)"),
        (lambda: V.reshape(1.5, 4), r"shape: expected one of 6 numbers, got \(1.5, 4\)"),
        (lambda: V.sum(axis=0.5), r"axis: expected axes of shape \(2, 3\), got 0.5"),
        (lambda: V.mean(axis=2), r"axis: expected axes of shape \(2, 3\), got 2"),
        (lambda: V.sum(keepdims="no"), "keepdims: expected True or False, got 'no'"),
        (lambda: V + np.ones(4), r"sides of \+: expected shapes that fit, got \(2, 3\) and \(4,\)"),
        (lambda: np.ones(4) - V, r"sides of -: expected shapes that fit, got \(4,\) and \(2, 3\)"),
        (lambda: V.maximum(np.ones(2)), r"sides of maximum: expected .* \(2, 3\) and \(2,\)"),
        (lambda: V @ V, r"sides of @: expected shapes that fit, got \(2, 3\) and \(2, 3\)"),
        (lambda: operation(None, nt.relu_backward), "forward: expected a function, got None"),
        (lambda: operation(nt.relu, None), "backward: expected a function, got None"),
        (lambda: differentiable(None), "program: expected a function, got None"),
        (lambda: gradients(V.sum(), None), "inputs: expected a list of Variables, got NoneType"),
        (lambda: LINEAR(V.data, np.ones((3, 2)), np.ones(2)), "linear: expected a Variable, got"),
        (lambda: LINEAR(V, np.ones((3, 2)), bias=V), "bias: expected a Variable by position"),
        (lambda: LINEAR(V, np.ones((4, 2)), np.ones(2)), "x: expected 4 features"),
        (lambda: gradients(V.data, [V]), "y: expected a Variable, got ndarray"),
        (
            lambda: gradients(V, [V]),
            r"dy: expected shape \(2, 3\) \(that of y\), got NoneType",
        ),
        (lambda: tape(V.data), "y: expected a Variable, got ndarray"),
        (lambda: gradients(V, [V], np.ones(3)), r"dy: expected shape \(2, 3\) \(that of y\)"),
        (lambda: gradients(V, [V], np.ones((2, 3), np.float32)), "dy: expected dtype float64"),
        (lambda: gradients(V.sum(), V), "inputs: expected a list of Variables, got Variable"),
        (lambda: gradients(V.sum(), [V, V + 1]), "inputs: expected Variables that y was made from"),
        (lambda: gradients(V.sum(), [V.data]), "inputs: expected Variables that y was made from"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_variable_in_an_argument_without_a_gradient_is_refused() -> None:
    first_alone = operation(lambda a, b: (a * b, b), lambda dy, b: dy * b)
    y = first_alone(V, V)
    with pytest.raises(ValueError, match="expected a gradient for argument 1, got 1"):
        gradients(y.sum(), [V])


def test_numpys_functions_do_not_take_a_variable_for_an_array() -> None:
    with pytest.raises(TypeError, match="Variable"):
        np.exp(V)


def test_repr_says_what_it_is() -> None:
    assert repr(V) == f"Variable(number {V.number}, float64, shape (2, 3))"
