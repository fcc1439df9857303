"""The models: their architecture, their loss before training, and that each can learn."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_close, copy_into_twin, from_twin

import nn_tutorial as nt

Maker = Callable[..., nt.Sequential]

MODELS: dict[str, tuple[Maker, tuple[int, ...], int]] = {
    "two_layer_net": (lambda **k: nt.two_layer_net(11, 32, 5, **k), (11,), 5),
    "mlp-two-hidden": (lambda **k: nt.mlp(11, [32, 16], 5, **k), (11,), 5),
    "mlp-batch-norm": (lambda **k: nt.mlp(11, [32, 16], 5, batch_norm=True, **k), (11,), 5),
    "mlp-none-hidden": (lambda **k: nt.mlp(11, [], 5, **k), (11,), 5),
    "small_cnn-8": (lambda **k: nt.small_cnn(1, 8, 5, **k), (1, 8, 8), 5),
    "small_cnn-28": (lambda **k: nt.small_cnn(**k), (1, 28, 28), 10),
    "small_cnn-colour-11": (lambda **k: nt.small_cnn(3, 11, 7, **k), (3, 11, 11), 7),
}
EVERY = pytest.mark.parametrize(("make", "shape", "classes"), MODELS.values(), ids=MODELS)


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_gives_logits_of_its_dtype(make, shape, classes, dtype, rng: np.random.Generator) -> None:
    model = make(rng=rng, dtype=dtype)
    y = model(rng.normal(size=(3, *shape)).astype(dtype))
    assert y.shape == (3, classes)
    assert y.dtype == dtype
    assert {p.dtype for p in model.params.values()} == {np.dtype(dtype)}


@EVERY
def test_initial_loss_is_that_of_guessing(make, shape, classes, rng: np.random.Generator) -> None:
    """Small weights say nothing about the class: −log(1/C), whatever the input."""
    x = rng.normal(size=(200, *shape)).astype(np.float32)
    labels = rng.integers(0, classes, 200)
    guessing = -math.log(1 / classes)
    small, _ = nt.evaluate(make(rng=rng, init=nt.normal(0.01)), x, labels)
    assert small == pytest.approx(guessing, rel=0.01)
    nothing, _ = nt.evaluate(make(rng=rng, init=nt.zeros), x, labels)
    assert nothing == pytest.approx(guessing, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_initial_loss_on_real_digits(seed: int) -> None:
    """He's weights make confident guesses, and some are wrong: a little above −log(1/10)."""
    data = nt.digits()
    model = nt.small_cnn(1, 8, 10, rng=np.random.default_rng(seed))
    loss, accuracy = nt.evaluate(model, data.x_train, data.y_train)
    assert 1 < loss / -math.log(1 / 10) < 1.5
    assert accuracy < 0.3


@EVERY
def test_learns_ten_examples_by_heart(make, shape, classes, rng: np.random.Generator) -> None:
    """Random images with random labels: nothing but the examples themselves can be learnt."""
    x = rng.normal(size=(10, *shape)).astype(np.float32)
    labels = np.arange(10) % classes
    model = make(rng=rng)
    history = nt.fit(
        model,
        (x, labels),
        optimizer=nt.Adam(model.params, lr=0.02),
        epochs=150,
        batch_size=10,
        rng=rng,
        progress=False,
    )
    loss, accuracy = nt.evaluate(model, x, labels)
    assert accuracy == 1
    assert loss < 0.1
    assert min(history.train_loss) < 0.05 < history.train_loss[0]
    np.testing.assert_array_equal(nt.predict(model, x), labels)


@EVERY
def test_same_seed_same_weights(make, shape, classes) -> None:
    first, same, other = (make(rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name, p in first.params.items():
        np.testing.assert_array_equal(p, same.params[name])
    assert any(not np.array_equal(p, other.params[name]) for name, p in first.params.items())


def test_mlp_alternates_linear_and_relu(rng: np.random.Generator) -> None:
    def names(model: nt.Sequential) -> list[str]:
        return [type(layer).__name__ for layer in model.layers]

    assert names(nt.mlp(4, [], 3, rng=rng)) == ["Linear"]
    assert names(nt.mlp(4, [5, 6], 3, rng=rng)) == ["Linear", "ReLU"] * 2 + ["Linear"]
    assert names(nt.mlp(4, [5], 3, rng=rng, batch_norm=True)) == [
        "Linear",
        "BatchNorm",
        "ReLU",
        "Linear",
    ]
    net = nt.two_layer_net(4, 5, 3, rng=rng)
    assert {name: p.shape for name, p in net.params.items()} == {
        "0.weight": (4, 5),
        "0.bias": (5,),
        "2.weight": (5, 3),
        "2.bias": (3,),
    }


def test_parameters_of_a_sequential_are_those_of_its_layers(rng: np.random.Generator) -> None:
    """Nested or not: the same arrays, so that an optimiser's step reaches the layers."""
    inner = nt.Sequential(nt.Linear(4, 5, rng=rng), nt.BatchNorm(5))
    net = nt.Sequential(nt.ReLU(), inner, nt.Linear(5, 3, rng=rng))
    assert list(net.params) == [
        "1.0.weight",
        "1.0.bias",
        "1.1.weight",
        "1.1.bias",
        "2.weight",
        "2.bias",
    ]
    assert list(net.buffers) == ["1.1.running_mean", "1.1.running_var"]
    assert net.params["1.0.weight"] is inner.layers[0].params["weight"]
    assert net.buffers["1.1.running_var"] is inner.layers[1].buffers["running_var"]


def cnn_twin(image_size: int) -> torch.nn.Module:
    """The architecture that the docstring of ``small_cnn`` states, written again in PyTorch."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 5, padding=2),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(16 * (image_size // 4) ** 2, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 10),
    )


@pytest.mark.parametrize(
    ("optimizer", "optimizer_twin", "settings"),
    [
        (nt.SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3}),
        (nt.Adam, torch.optim.Adam, {"lr": 1e-3}),
    ],
    ids=["sgd", "adam"],
)
def test_cnn_trains_like_its_twin(optimizer, optimizer_twin, settings: dict[str, Any]) -> None:
    """Forty steps on real digits in float64: the same losses, gradients and final weights."""
    data = nt.digits(dtype=np.float64)
    model = nt.small_cnn(1, 8, 10, rng=np.random.default_rng(0), dtype=np.float64)
    twin = copy_into_twin(model, cnn_twin(8))
    ours = optimizer(model.params, **settings)
    theirs = optimizer_twin(twin.parameters(), **settings)
    losses = []
    for step in range(40):
        batch = slice(step * 32, (step + 1) * 32)
        x, labels = data.x_train[batch], data.y_train[batch]
        logits, cache = model.forward(x)
        loss, dlogits = nt.softmax_cross_entropy(logits, labels)
        _, grads = model.backward(dlogits, cache, need_dx=False)

        twin.zero_grad()
        loss_twin = torch.nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(labels))
        loss_twin.backward()

        assert loss == pytest.approx(loss_twin.item(), rel=1e-10)
        for name, p in twin.named_parameters():
            assert_close(grads[name], from_twin(twin, name, p.grad))
        ours.step(grads)
        theirs.step()
        losses.append(loss)
    for name, p in twin.named_parameters():
        assert_close(model.params[name], from_twin(twin, name, p))
    assert losses[-1] < 0.8 * losses[0]


def test_fit_trains_like_its_twin() -> None:
    """`fit` itself, one batch an epoch so that the order of the examples does not matter."""
    data = nt.iris(dtype=np.float64).standardized()
    model = nt.mlp(4, [7, 5], 3, rng=np.random.default_rng(0), dtype=np.float64)
    twin = torch.nn.Sequential(
        torch.nn.Linear(4, 7),
        torch.nn.ReLU(),
        torch.nn.Linear(7, 5),
        torch.nn.ReLU(),
        torch.nn.Linear(5, 3),
    )
    twin = copy_into_twin(model, twin)
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    history = nt.fit(
        model,
        (data.x_train, data.y_train),
        (data.x_val, data.y_val),
        optimizer=nt.SGD(model.params, lr=0.1),
        epochs=30,
        batch_size=len(data.x_train),
        rng=np.random.default_rng(1),
        progress=False,
    )

    def of_twin(x: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, float]:
        logits, t = twin(torch.tensor(x)), torch.tensor(labels)
        return torch.nn.functional.cross_entropy(logits, t), (logits.argmax(1) == t).double().mean()

    for epoch in range(30):
        optimizer.zero_grad()
        loss, accuracy = of_twin(data.x_train, data.y_train)
        assert history.train_loss[epoch] == pytest.approx(loss.item(), rel=1e-10)
        assert history.train_accuracy[epoch] == pytest.approx(accuracy.item())
        loss.backward()
        optimizer.step()
        loss, accuracy = of_twin(data.x_val, data.y_val)
        assert history.val_loss[epoch] == pytest.approx(loss.item(), rel=1e-10)
        assert history.val_accuracy[epoch] == pytest.approx(accuracy.item())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: nt.mlp(3, [4, 0], 2, rng=rng), r"hidden: expected .* got \[4, 0\]"),
        (lambda rng: nt.mlp(3, [4, 2.0], 2, rng=rng), r"hidden: expected .* got \[4, 2.0\]"),
        (lambda rng: nt.mlp(3, "4", 2, rng=rng), "hidden: expected .* got '4'"),
        (lambda rng: nt.mlp(0, [4], 2, rng=rng), "n_in: expected .* got 0"),
        (lambda rng: nt.mlp(3, [4], 0, rng=rng), "n_out: expected .* got 0"),
        (lambda rng: nt.mlp(3, [4], 2, rng=rng, batch_norm=1), "batch_norm: expected .* got 1"),
        (lambda rng: nt.two_layer_net(3, 0, 2, rng=rng), "n_hidden: expected .* got 0"),
        (lambda rng: nt.two_layer_net(3, 4, -1, rng=rng), "n_out: expected .* got -1"),
        (lambda rng: nt.small_cnn(0, rng=rng), "in_channels: expected .* got 0"),
        (lambda rng: nt.small_cnn(image_size=3, rng=rng), "image_size: expected .* got 3"),
        (lambda rng: nt.small_cnn(n_classes=0, rng=rng), "n_classes: expected .* got 0"),
    ],
)
def test_a_size_is_refused_before_anything_is_drawn(call: Any, message: str) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=f"^{message}"):
        call(rng)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
