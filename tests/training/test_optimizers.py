"""SGD, Adam and AdamW step by step with PyTorch's, and what they refuse."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_close

import nn_tutorial as nt

SETTINGS: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("sgd", nt.SGD, torch.optim.SGD, {"lr": 0.1}),
    ("sgd-momentum", nt.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    ("sgd-decay", nt.SGD, torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.3}),
    ("sgd-both", nt.SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.3}),
    (
        "nesterov",
        nt.SGD,
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.3},
    ),
    ("adamw", nt.AdamW, torch.optim.AdamW, {"lr": 0.1, "weight_decay": 0.3}),
    ("adamw-default", nt.AdamW, torch.optim.AdamW, {}),
    ("adam", nt.Adam, torch.optim.Adam, {"lr": 0.1}),
    ("adam-default-lr", nt.Adam, torch.optim.Adam, {}),
    (
        "adam-all",
        nt.Adam,
        torch.optim.Adam,
        {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.3},
    ),
]
OPTIMIZERS = pytest.mark.parametrize(
    ("ours", "theirs", "settings"), [row[1:] for row in SETTINGS], ids=[row[0] for row in SETTINGS]
)


def some_params(dtype: Any = np.float64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "weight": rng.normal(size=(3, 5)).astype(dtype),
        "bias": rng.normal(size=5).astype(dtype),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@OPTIMIZERS
def test_twenty_steps_like_pytorch(ours, theirs, settings, dtype: type) -> None:
    """Gradients that depend on the parameters, so that an error grows instead of fading."""
    params = some_params(dtype)
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    optimizer = ours(params, **settings)
    optimizer_twin = theirs(tensors.values(), **settings)
    rng = np.random.default_rng(2)
    for _ in range(20):
        noise = {name: rng.normal(size=p.shape).astype(dtype) for name, p in params.items()}
        optimizer.step({name: np.cos(p) + noise[name] for name, p in params.items()})
        for name, t in tensors.items():
            t.grad = torch.cos(t.detach()) + torch.tensor(noise[name])
        optimizer_twin.step()
        for name, p in params.items():
            assert_close(p, tensors[name].detach().numpy())


@OPTIMIZERS
def test_steps_in_place_and_leaves_the_gradients(ours, theirs, settings) -> None:
    params = some_params()
    kept, grads = dict(params), {name: np.ones_like(p) for name, p in params.items()}
    for g in grads.values():
        g.flags.writeable = False
    optimizer = ours(params, **settings)
    for _ in range(2):
        optimizer.step(grads)
    for name, start in some_params().items():
        assert params[name] is kept[name]
        assert not np.any(params[name] == start)
        np.testing.assert_array_equal(grads[name], 1)


@OPTIMIZERS
@pytest.mark.parametrize(
    ("grads", "parts"),
    [
        ({"weight": np.ones((3, 5))}, ("grads", "bias")),
        ({"weight": np.ones((3, 5)), "bias": np.ones(5), "more": np.ones(1)}, ("grads", "more")),
        ({"weight": np.ones((3, 5)), "bias": np.ones((5, 1))}, ("bias", "(5, 1)", "(5,)")),
    ],
    ids=["missing", "unknown", "wrong-shape"],
)
def test_refused_gradients_change_nothing(ours, theirs, settings, grads, parts) -> None:
    params, untouched = some_params(), some_params()
    optimizer, fresh = ours(params, **settings), ours(untouched, **settings)
    with pytest.raises(ValueError, match="grads") as caught:
        optimizer.step(grads)
    assert all(part in str(caught.value) for part in parts)
    good = {name: np.ones_like(p) for name, p in params.items()}
    optimizer.step(good)
    fresh.step(good)
    for name in params:
        np.testing.assert_array_equal(params[name], untouched[name])


@pytest.mark.parametrize(
    ("optimizer", "settings", "parts"),
    [
        (nt.SGD, {"lr": -0.1}, ("lr", "-0.1")),
        (nt.SGD, {"lr": float("nan")}, ("lr", "nan")),
        (nt.SGD, {"lr": 0.1, "momentum": 1.0}, ("momentum", "1.0")),
        (nt.SGD, {"lr": 0.1, "momentum": -0.5}, ("momentum", "-0.5")),
        (nt.SGD, {"lr": 0.1, "nesterov": True}, ("nesterov", "0.0")),
        (nt.AdamW, {"weight_decay": -1.0}, ("weight_decay", "-1.0")),
        (nt.SGD, {"lr": 0.1, "weight_decay": -1}, ("weight_decay", "-1")),
        (nt.Adam, {"lr": float("inf")}, ("lr", "inf")),
        (nt.SGD, {"lr": np.array([[0.1], [-0.1]])}, ("lr", "-0.1")),
        (nt.Adam, {"betas": (0.9, 1.0)}, ("betas", "(0.9, 1.0)")),
        (nt.Adam, {"betas": (-0.1, 0.9)}, ("betas", "(-0.1, 0.9)")),
        (nt.Adam, {"eps": 0.0}, ("eps", "0.0")),
        (nt.Adam, {"weight_decay": float("nan")}, ("weight_decay", "nan")),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else getattr(value, "__name__", ""),
)
def test_refuses_settings_out_of_range(optimizer, settings, parts) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        optimizer(some_params(), **settings)
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize("kind", [nt.SGD, nt.Adam, nt.AdamW])
def test_a_rate_for_each_row(kind: Any) -> None:
    rng = np.random.default_rng(0)
    start, grads = rng.standard_normal((2, 3, 4)).astype(np.float32)
    rates = np.array([[0.1], [0.0], [0.3]], np.float32)
    together = start.copy()
    optimizer = kind({"rows": together}, rates)
    for _ in range(2):
        optimizer.step({"rows": grads})
    assert together.dtype == np.float32
    for row, rate, grad, found in zip(start, rates, grads, together, strict=True):
        alone = row.copy()
        optimizer = kind({"row": alone}, float(rate[0]))
        for _ in range(2):
            optimizer.step({"row": grad})
        np.testing.assert_allclose(found, alone, rtol=1e-6)


KINDS = pytest.mark.parametrize("kind", [partial(nt.SGD, lr=0.1), nt.Adam, nt.AdamW])


def sharing() -> dict[str, dict[str, np.ndarray]]:
    w = np.ones((3, 3))
    return {
        "one array": {"a": w, "b": np.ones(2), "c": w},
        "a transpose": {"a": w, "b": np.ones(2), "c": w.T},
        "a row": {"a": w[1], "b": np.ones(2), "c": w},
        "rows that overlap": {"a": w[:2], "b": np.ones(2), "c": w[1:]},
        "columns that overlap": {"a": w[:, :2], "b": np.ones(2), "c": w[:, 1:]},
    }


@KINDS
@pytest.mark.parametrize("how", sharing())
def test_two_names_for_one_memory_are_refused(kind: Any, how: str) -> None:
    with pytest.raises(ValueError, match=r"^params: expected .* share no memory, got 'a' and 'c'"):
        kind(sharing()[how])


@KINDS
def test_slices_of_one_buffer_that_do_not_overlap_are_taken(kind: Any) -> None:
    buffer, apart = np.ones((4, 6)), np.ones((4, 6))
    cuts: dict[str, Any] = {"a": np.s_[:2, ::2], "b": np.s_[:2, 1::2], "c": np.s_[2:]}
    together = kind({name: buffer[cut] for name, cut in cuts.items()})
    alone = kind({"all": apart})
    for _ in range(2):
        together.step({name: np.full_like(buffer[cut], 2) for name, cut in cuts.items()})
        alone.step({"all": np.full_like(apart, 2)})
    np.testing.assert_array_equal(buffer, apart)


@KINDS
def test_a_layers_view_of_another_is_refused(kind: Any) -> None:
    """A transpose has a name of its own; one array in two layers has one name, and is taken."""
    rng = np.random.default_rng(0)
    first, last = nt.Linear(3, 3, rng=rng), nt.Linear(3, 3, rng=rng)
    last.params["weight"] = first.params["weight"].T
    with pytest.raises(ValueError, match=r"got '0.weight' and '2.weight'"):
        kind(nt.Sequential(first, nt.Tanh(), last).params)
    last.params["weight"] = first.params["weight"]
    kind(nt.Sequential(first, nt.Tanh(), last, nt.Tanh(), last).params)


@KINDS
def test_a_parameter_that_cannot_be_written_to_is_refused(kind: Any) -> None:
    params = some_params()
    params["bias"].flags.writeable = False
    with pytest.raises(ValueError, match=r"^params: expected arrays to write to, 'bias' is read-"):
        kind(params)


@pytest.mark.parametrize("kind", [nt.SGD, nt.Adam, nt.AdamW])
def test_an_array_of_rates_must_fit_each_parameter(kind: Any) -> None:
    """In the constructor, and where another takes its place: before the first of them moves."""
    params = {"a": np.ones((2, 3)), "b": np.ones((2, 1))}
    optimizer = kind(params, np.full((2, 1), 0.1))
    for rate in (np.full(3, 0.1), np.full((1, 2, 1), 0.1)):
        with pytest.raises(ValueError, match=r"^lr: expected a shape that broadcasts to"):
            kind(params, rate)
        with pytest.raises(ValueError, match=r"^lr: expected a shape that broadcasts to"):
            optimizer.lr = rate
    assert all((p == 1).all() for p in params.values())
    optimizer.step(params)
    assert all((p < 1).all() for p in params.values())
