"""Schedules, clipping and the range test beside PyTorch's, step by step, and what they refuse."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import nn_tutorial as nt

STEPS = 40
Schedule = Callable[[int], float]
SCHEDULES: dict[str, tuple[Schedule, Callable[[Any], Any]]] = {
    "warm-up": (
        partial(nt.linear_warmup, steps=10, start=0.05),
        lambda o: lr_scheduler.LinearLR(o, start_factor=0.05, total_iters=10),
    ),
    "cosine": (
        partial(nt.cosine, steps=STEPS),
        lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS),
    ),
    "cosine-end": (
        partial(nt.cosine, steps=STEPS, end=0.2),
        lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=0.2 * 0.3),
    ),
    "one-cycle": (
        partial(nt.one_cycle, steps=STEPS),
        lambda o: lr_scheduler.OneCycleLR(o, 0.3, STEPS, cycle_momentum=False),
    ),
    "one-cycle-all": (
        partial(nt.one_cycle, steps=STEPS, rise=0.41, start=0.1, end=0.001),
        lambda o: lr_scheduler.OneCycleLR(
            o, 0.3, STEPS, pct_start=0.41, div_factor=10, final_div_factor=100, cycle_momentum=False
        ),
    ),
    "product": (
        lambda t: nt.linear_warmup(t, steps=8) * nt.cosine(t, steps=STEPS),
        lambda o: lr_scheduler.ChainedScheduler(
            [
                lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=8),
                lr_scheduler.CosineAnnealingLR(o, STEPS),
            ]
        ),
    ),
}


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_and_steps_like_pytorch(name: str, kind: str) -> None:
    """The rate of each step, and the parameters after it."""
    schedule, theirs = SCHEDULES[name]
    rng = np.random.default_rng(0)
    p = rng.normal(size=(3, 5))
    tensor = torch.tensor(p, requires_grad=True)
    makers: dict[str, tuple[Any, Any]] = {
        "sgd": (partial(nt.SGD, momentum=0.9), partial(torch.optim.SGD, momentum=0.9)),
        "adamw": (
            partial(nt.AdamW, weight_decay=0.3),
            partial(torch.optim.AdamW, weight_decay=0.3),
        ),
    }
    ours, twin = makers[kind]
    optimizer = nt.Scheduled(ours({"p": p}, 0.3), schedule)
    optimizer_twin = twin([tensor], 0.3)
    scheduler = theirs(optimizer_twin)
    for _ in range(STEPS):
        noise = rng.normal(size=p.shape)
        rate = optimizer_twin.param_groups[0]["lr"]
        optimizer.step({"p": np.cos(p) + noise})
        tensor.grad = torch.cos(tensor.detach()) + torch.tensor(noise)
        optimizer_twin.step()
        scheduler.step() if optimizer.t < STEPS else None  # one-cycle refuses to go on
        assert optimizer.optimizer.lr == pytest.approx(rate, rel=1e-12, abs=1e-16)
        np.testing.assert_allclose(p, tensor.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("schedule", "ends"),
    [
        (partial(nt.linear_warmup, steps=4, start=0.0), (0.0, 1.0)),
        (partial(nt.cosine, steps=4, end=0.25), (1.0, 0.25)),
        (partial(nt.one_cycle, steps=10, start=0.5, end=0.125), (0.5, 0.125)),
    ],
    ids=["warm-up", "cosine", "one-cycle"],
)
def test_first_factor_and_after_the_end(schedule: Schedule, ends: tuple[float, float]) -> None:
    assert (schedule(0), schedule(10), schedule(1000)) == (ends[0], ends[1], ends[1])


def test_one_cycle_is_highest_where_it_should_be() -> None:
    values = [nt.one_cycle(t, steps=20, rise=0.25) for t in range(20)]
    assert values[4] == 1 == max(values)
    assert values[:5] == sorted(values[:5])
    assert values[4:] == sorted(values[4:], reverse=True)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: nt.linear_warmup(-1, steps=4), ("step", "-1")),
        (lambda: nt.linear_warmup(0, steps=0), ("steps", "0")),
        (lambda: nt.linear_warmup(0, steps=4, start=1.5), ("start", "1.5")),
        (lambda: nt.cosine(-2, steps=4), ("step", "-2")),
        (lambda: nt.cosine(0, steps=-3), ("steps", "-3")),
        (lambda: nt.cosine(0, steps=4, end=-0.1), ("end", "-0.1")),
        (lambda: nt.cosine(0, steps=4, end=math.nan), ("end", "nan")),
        (lambda: nt.one_cycle(-1, steps=10), ("step", "-1")),
        (lambda: nt.one_cycle(0, steps=10, start=2), ("start", "2")),
        (lambda: nt.one_cycle(0, steps=10, end=2), ("end", "2")),
        (lambda: nt.one_cycle(0, steps=10, rise=1.0), ("rise", "1.0")),
        (lambda: nt.one_cycle(0, steps=3, rise=0.3), ("rise", "0.3 of 3")),
        (lambda: nt.cosine("0", steps=3), ("step", "'0'")),
        (lambda: nt.cosine(None, steps=3), ("step", "None")),
        (lambda: nt.linear_warmup(0, steps=2.5), ("steps", "2.5")),
        (lambda: nt.linear_warmup(0, steps="4"), ("steps", "'4'")),
        (lambda: nt.one_cycle(0, steps=10, rise="0.3"), ("rise", "'0.3' of 10")),
        (lambda: nt.one_cycle(0, steps=10, end=None), ("end", "None")),
        (lambda: nt.clip_gradients({"p": np.ones(2)}, 0.0), ("max_norm", "0.0")),
        (lambda: nt.clip_gradients({"p": np.ones(2)}, math.inf), ("max_norm", "inf")),
    ],
)
def test_refuses_numbers_out_of_range(call: Any, parts: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert str(caught.value).startswith(f"{parts[0]}: expected")
    assert parts[1] in str(caught.value)


@pytest.mark.parametrize("factor", [math.nan, math.inf, -0.1])
def test_a_factor_that_is_none_changes_nothing(factor: float) -> None:
    p = np.ones(2)
    optimizer = nt.Scheduled(nt.SGD({"p": p}, 0.1), lambda t: factor if t else 1.0)
    optimizer.step({"p": np.ones(2)})
    with pytest.raises(ValueError, match=r"schedule: expected .* at step 1"):
        optimizer.step({"p": np.ones(2)})
    np.testing.assert_array_equal(p, 0.9)
    assert (optimizer.t, optimizer.optimizer.lr) == (1, 0.1)


def test_a_refused_gradient_uses_up_no_step() -> None:
    optimizer = nt.Scheduled(nt.SGD({"p": np.ones(2)}, 0.1), lambda t: 1.0)
    with pytest.raises(ValueError, match="grads"):
        optimizer.step({"q": np.ones(2)})
    assert optimizer.t == 0


def test_fit_takes_a_scheduled_optimiser() -> None:
    """A schedule of zeros trains nothing, and one of ones what the optimiser would alone."""
    data = nt.iris(seed=0).standardized()
    found = []
    for make in (lambda o: o, *(lambda o, f=f: nt.Scheduled(o, lambda t: f) for f in (1.0, 0.0))):
        net = nt.two_layer_net(4, 5, 3, rng=np.random.default_rng(0))
        nt.fit(
            net, (data.x_train, data.y_train), optimizer=make(nt.SGD(net.params, 0.1)),
            epochs=2, batch_size=20, rng=np.random.default_rng(0), progress=False,
        )  # fmt: skip
        found.append(np.concatenate([p.ravel() for p in net.params.values()]))
    start = nt.two_layer_net(4, 5, 3, rng=np.random.default_rng(0)).params.values()
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[2], np.concatenate([p.ravel() for p in start]))


def test_fit_many_takes_one_schedule_for_many_rates() -> None:
    data = nt.iris(seed=0).standardized()
    rates, both = [0.1, 0.3], []
    for together in (True, False):
        nets = [nt.two_layer_net(4, 5, 3, rng=np.random.default_rng(k)) for k in (0, 1)]
        rngs = [np.random.default_rng(k) for k in (0, 1)]
        train = data.x_train, data.y_train

        def make(params: Any, lr: Any) -> nt.Scheduled:
            return nt.Scheduled(nt.SGD(params, lr), partial(nt.cosine, steps=10))

        if together:
            nt.fit_many(nets, train, optimizer=make, lr=rates, epochs=2, batch_size=20, rngs=rngs)
        else:
            for net, lr, rng in zip(nets, rates, rngs, strict=True):
                nt.fit(
                    net, train, optimizer=make(net.params, lr), epochs=2, batch_size=20,
                    rng=rng, keep_best=False, progress=False,
                )  # fmt: skip
        both.append([p for net in nets for p in net.params.values()])
    for a, b in zip(*both, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("max_norm", [0.01, 1.0, 5.0, 1e6])
def test_clips_like_pytorch(max_norm: float) -> None:
    rng = np.random.default_rng(0)
    grads = {"weight": rng.normal(size=(3, 5)), "bias": rng.normal(size=5)}
    kept = {name: g.copy() for name, g in grads.items()}
    tensors = [
        torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads.values()
    ]
    for t, g in zip(tensors, grads.values(), strict=True):
        t.grad = torch.tensor(g)
    clipped, norm = nt.clip_gradients(grads, max_norm)
    expected = torch.nn.utils.clip_grad_norm_(tensors, max_norm)
    assert norm == pytest.approx(float(expected), rel=1e-14)
    for (name, g), t in zip(clipped.items(), tensors, strict=True):
        assert t.grad is not None
        np.testing.assert_allclose(g, t.grad.numpy(), rtol=1e-14)
        np.testing.assert_array_equal(grads[name], kept[name])


def test_clipping_keeps_float32_and_long_vectors() -> None:
    """The squares of these overflow in float32, and their norm is still a number."""
    clipped, norm = nt.clip_gradients({"p": np.full(4, 1e30, np.float32)}, 1.0)
    assert norm == pytest.approx(2e30)
    assert clipped["p"].dtype == np.float32
    np.testing.assert_allclose(clipped["p"], 0.5, rtol=1e-6)


def test_clipping_keeps_the_dtype_whatever_the_norms_type() -> None:
    grads = {"w": np.ones(3, np.float32), "b": np.ones(1)}
    clipped, norm = nt.clip_gradients(grads, np.float64(0.5))
    assert (type(norm), norm) == (float, 2.0)
    assert [g.dtype for g in clipped.values()] == [np.float32, np.float64]
    np.testing.assert_allclose(clipped["w"], 0.25, rtol=1e-6)


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1.0, 1e200, 1e308])
def test_the_norm_of_the_smallest_and_the_largest_gradients(size: float) -> None:
    clipped, norm = nt.clip_gradients({"w": np.full(3, size), "b": np.zeros(2)}, 1.0)
    assert norm == pytest.approx(math.sqrt(3) * size, rel=1e-3 if size < 1e-300 else 1e-15, abs=0)
    assert clipped["w"] == pytest.approx(min(size, 1 / math.sqrt(3)), rel=2e-6, abs=0)


def test_a_norm_beyond_floats_is_not_finite() -> None:
    with pytest.raises(FloatingPointError, match="grads: expected a finite norm, got inf"):
        nt.clip_gradients({"w": np.full(9, 1e308)}, 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_not_clipped(value: float) -> None:
    with pytest.raises(FloatingPointError, match="grads: expected a finite norm"):
        nt.clip_gradients({"p": np.array([1.0, value])}, 1.0)


def small() -> tuple[Any, Any]:
    data = nt.iris(seed=0).standardized()
    net = nt.two_layer_net(4, 5, 3, rng=np.random.default_rng(0), dtype=np.float64)
    return net, (data.x_train.astype(np.float64), data.y_train)


@pytest.mark.parametrize("size", [30, 50])
def test_range_test_like_pytorch(size: int) -> None:
    """The losses of PyTorch's SGD and ExponentialLR on the same batches; the model is untouched."""
    net, (x, labels) = small()
    before = {name: p.copy() for name, p in net.params.items()}
    rates = np.geomspace(1e-3, 1.0, 12)
    found = nt.range_test(
        net, (x, labels), optimizer=nt.SGD, rates=rates, batch_size=size,
        rng=np.random.default_rng(3),
    )  # fmt: skip
    twin = torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)
    ).double()
    for theirs, ours in zip(twin.parameters(), before.values(), strict=True):
        theirs.data = torch.tensor(ours.T)
    optimizer = torch.optim.SGD(twin.parameters(), 1e-3)
    scheduler = lr_scheduler.ExponentialLR(optimizer, (rates[-1] / rates[0]) ** (1 / 11))
    rng = np.random.default_rng(3)
    batches = []
    while len(batches) < len(rates):
        order = rng.permutation(len(x))
        batches += [order[i : i + size] for i in range(0, len(x) - size + 1, size)]
    for loss, batch in zip(found, batches, strict=True):
        output = torch.nn.functional.cross_entropy(
            twin(torch.tensor(x[batch])), torch.tensor(labels[batch])
        )
        assert loss == pytest.approx(output.item(), rel=1e-10)
        optimizer.zero_grad()
        output.backward()
        optimizer.step()
        scheduler.step()
    for name, p in net.params.items():
        np.testing.assert_array_equal(p, before[name])


def test_range_test_ends_where_it_diverges() -> None:
    net, train = small()
    losses = nt.range_test(
        net, train, optimizer=nt.SGD, rates=np.geomspace(1, 1e300, 60), batch_size=20,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    gone = np.isinf(losses)
    assert gone.any()
    assert not gone[0]
    assert gone[gone.argmax() :].all()


@pytest.mark.parametrize("size", [0, 101])
def test_range_test_refuses_a_batch_that_cannot_be(size: int) -> None:
    net, train = small()
    with pytest.raises(
        ValueError, match=f"batch_size: expected a number from 1 to 100, got {size}"
    ):
        nt.range_test(
            net, train, optimizer=nt.SGD, rates=np.ones(3), batch_size=size,
            rng=np.random.default_rng(0),
        )  # fmt: skip


def test_adamw_refused_gradients_leave_the_parameters() -> None:
    """The decay comes before the step, and must not have happened."""
    p = np.ones(2)
    optimizer = nt.AdamW({"p": p}, 0.1, weight_decay=0.5)
    with pytest.raises(ValueError, match="grads"):
        optimizer.step({"p": np.ones(3)})
    np.testing.assert_array_equal(p, 1)
