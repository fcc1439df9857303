"""Networks side by side learn what each would have learnt alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from nn_tutorial import (
    SGD,
    Adam,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    LayerNorm,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    fit,
    fit_many,
    mlp,
    small_cnn,
)
from nn_tutorial.training.side_by_side import SideBySide

Examples = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
momentum = partial(SGD, momentum=0.9)


def perceptron(rng: np.random.Generator) -> Sequential:
    return mlp(12, [7, 5], 3, rng=rng, dtype=np.float64)


def normalised(rng: np.random.Generator) -> Sequential:
    return mlp(12, [7, 5], 3, rng=rng, dtype=np.float64, batch_norm=True)


def by_example(rng: np.random.Generator) -> Sequential:
    layer = partial(Linear, rng=rng, dtype=np.float64)
    norms = [LayerNorm(size, eps=1e-3, dtype=np.float64) for size in (12, 7)]
    return Sequential(norms[0], layer(12, 7), norms[1], ReLU(), layer(7, 3))


def bent(rng: np.random.Generator) -> Sequential:
    layer = partial(Linear, rng=rng, dtype=np.float64)
    return Sequential(Flatten(), layer(12, 7), Tanh(), layer(7, 5), Sigmoid(), layer(5, 3))


def dropping(rng: np.random.Generator) -> Sequential:
    conv = Conv2d(2, 3, 2, rng=rng, dtype=np.float64)
    last = Linear(12, 3, rng=rng, dtype=np.float64)
    return Sequential(
        Dropout(0.2, rng=rng), conv, Flatten(), ReLU(), Dropout(rng.uniform(), rng=rng), last
    )


def cnn(rng: np.random.Generator) -> Sequential:
    return small_cnn(1, 8, 3, rng=rng, dtype=np.float64)


def odd_cnn(rng: np.random.Generator) -> Sequential:
    conv = partial(Conv2d, rng=rng, dtype=np.float64)
    return Sequential(
        conv(2, 3, (3, 2), stride=(2, 1), padding=(0, 1)),
        BatchNorm(3, dtype=np.float64),
        ReLU(),
        MaxPool2d(2, stride=1),
        conv(3, 5, (2, 3), stride=(1, 2), padding=(1, 0)),
        AvgPool2d(2),
        Flatten(),
        Linear(5, 3, rng=rng, dtype=np.float64),
    )


def examples(seed: int, shape: tuple[int, ...], n: int = 22) -> Examples:
    rng = np.random.default_rng([8, seed])
    labels = rng.integers(0, 3, n)
    return rng.standard_normal((n, *shape)) + labels.reshape(-1, *(1,) * len(shape)), labels


SHAPES: dict[Callable[[np.random.Generator], Sequential], tuple[int, ...]] = {
    perceptron: (12,),
    normalised: (12,),
    by_example: (12,),
    bent: (3, 2, 2),
    dropping: (2, 3, 3),
    cnn: (1, 8, 8),
    odd_cnn: (2, 7, 6),
}


@pytest.mark.parametrize("own_data", [False, True])
@pytest.mark.parametrize("optimizer", [SGD, momentum, Adam])
@pytest.mark.parametrize("build", SHAPES)
def test_each_learns_what_it_would_have_learnt_alone(
    build: Any, optimizer: Any, own_data: bool
) -> None:
    seeds, rates = range(3), [0.02, 0.05, 0.01]
    parts = [examples(seed if own_data else 0, SHAPES[build]) for seed in seeds]
    held_out = [examples(seed + 10 if own_data else 10, SHAPES[build], 9) for seed in seeds]
    alone: tuple[list[Any], list[Any]] = ([], [])
    for seed, rate, part, watched in zip(seeds, rates, parts, held_out, strict=True):
        rng = np.random.default_rng(seed)
        net = build(rng)
        history = fit(net, part, watched, optimizer=optimizer(net.params, rate), epochs=3,
                      batch_size=5, rng=rng, keep_best=False)  # fmt: skip
        alone[0].append(net)
        alone[1].append(history)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    nets = [build(rng) for rng in rngs]
    histories = fit_many(
        nets,
        parts if own_data else parts[0],
        held_out if own_data else held_out[0],
        optimizer=optimizer,
        lr=rates,
        epochs=3,
        batch_size=5,
        rngs=rngs,
    )
    for net, twin, history, other in zip(alone[0], nets, alone[1], histories, strict=True):
        for name, value in (net.params | net.buffers).items():
            found = (twin.params | twin.buffers)[name]
            np.testing.assert_allclose(found, value, rtol=1e-7, atol=1e-8)
        assert vars(other).keys() == vars(history).keys()
        for name, values in vars(history).items():
            np.testing.assert_allclose(getattr(other, name), values, rtol=1e-7)


@pytest.mark.parametrize(("watch", "patience"), [(False, None), (True, None), (True, 1), (True, 3)])
@pytest.mark.parametrize("build", [normalised, dropping])
def test_each_stops_where_it_would_have_stopped_alone(
    build: Any, watch: bool, patience: int | None
) -> None:
    """And has the parameters and buffers of its best epoch."""
    seeds, part, held_out = range(4), examples(0, SHAPES[build]), examples(1, SHAPES[build], 9)
    watched = held_out if watch else None
    alone = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        net = build(rng)
        history = fit(net, part, watched, optimizer=SGD(net.params, 0.3), epochs=12,
                      batch_size=5, rng=rng, patience=patience)  # fmt: skip
        alone.append((net, history))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    nets = [build(rng) for rng in rngs]
    histories = fit_many(nets, part, watched, optimizer=SGD, lr=0.3, epochs=12, batch_size=5,
                         rngs=rngs, patience=patience, keep_best=True)  # fmt: skip
    for (net, history), twin, other in zip(alone, nets, histories, strict=True):
        assert other.best_epoch == history.best_epoch
        assert len(other.train_loss) == len(history.train_loss)
        for name, value in (net.params | net.buffers).items():
            found = (twin.params | twin.buffers)[name]
            np.testing.assert_allclose(found, value, rtol=1e-7, atol=1e-8)
    if patience == 1:
        assert len({len(history.train_loss) for history in histories}) > 1


def test_data_of_an_epoch() -> None:
    """What a function gives for an epoch is what is trained on in it."""
    several = [examples(seed, (12,)) for seed in range(3)]
    net, rng = perceptron(np.random.default_rng(0)), np.random.default_rng(1)
    optimizer = SGD(net.params, 0.05, momentum=0.9)
    losses = [
        fit(net, part, optimizer=optimizer, epochs=1, batch_size=5, rng=rng, keep_best=False)
        for part in several
    ]
    twin = perceptron(np.random.default_rng(0))
    asked: list[int] = []

    def part_of(epoch: int) -> Examples:
        asked.append(epoch)
        return several[epoch]

    (history,) = fit_many([twin], part_of, optimizer=momentum, lr=0.05, epochs=3, batch_size=5,
                          rngs=[np.random.default_rng(1)])  # fmt: skip
    assert asked == [0, 1, 2]
    np.testing.assert_allclose(history.train_loss, [h.train_loss[0] for h in losses], rtol=1e-9)
    for name, value in net.params.items():
        # A bias before batch normalisation has rounding alone for a gradient.
        np.testing.assert_allclose(twin.params[name], value, rtol=1e-7, atol=1e-8)


def test_a_network_that_diverges_leaves_the_others_alone() -> None:
    part, rates = examples(0, (12,)), [0.05, 1e200, 0.05]

    def trained(chosen: list[int]) -> tuple[list[Sequential], list[Any]]:
        rngs = [np.random.default_rng(seed) for seed in chosen]
        nets = [perceptron(rng) for rng in rngs]
        rate = [rates[seed] for seed in chosen]
        return nets, fit_many(nets, part, part, optimizer=SGD, lr=rate, epochs=4, batch_size=5,
                              rngs=rngs)  # fmt: skip

    (first, burst, last), histories = trained([0, 1, 2])
    calm, others = trained([0, 2])
    for net, twin in zip((first, last), calm, strict=True):
        for name, value in net.params.items():
            np.testing.assert_array_equal(twin.params[name], value)
    assert [histories[0], histories[2]] == others
    assert [len(h.train_loss) for h in histories] == [4, 0, 4]
    assert [len(h.val_loss) for h in histories] == [4, 0, 4]
    assert [h.best_epoch for h in histories] == [3, -1, 3]
    alone, rng = perceptron(np.random.default_rng(1)), np.random.default_rng(1)
    perceptron(rng)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError):
        fit(alone, part, optimizer=SGD(alone.params, 1e200), epochs=4, batch_size=5, rng=rng)
    for name, value in alone.params.items():
        np.testing.assert_allclose(burst.params[name], value, rtol=1e-6)


def test_all_that_diverge_end_the_training() -> None:
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    asked: list[int] = []

    def part(epoch: int) -> Examples:
        asked.append(epoch)
        return examples(0, (12,))

    histories = fit_many([perceptron(rng) for rng in rngs], part, part(0), optimizer=SGD, lr=1e200,
                         epochs=50, batch_size=5, rngs=rngs)  # fmt: skip
    assert [h.train_loss for h in histories] == [[], []]
    assert asked == [0, 0]


def test_float32_stays() -> None:
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    nets = [mlp(12, [5], 3, rng=rng) for rng in rngs]
    x, labels = examples(0, (12,))
    together = SideBySide(nets)
    logits, cache = together.net.forward(np.tile(x.astype(np.float32), 2))
    assert logits.dtype == together.params.dtype == np.float32
    grads = together.net.backward(logits, cache)[1]
    assert {g.dtype for g in grads.values()} == {np.dtype(np.float32)}
    fit_many(nets, (x.astype(np.float32), labels), optimizer=Adam, lr=0.1, epochs=1, batch_size=5,
             rngs=rngs)  # fmt: skip
    assert {p.dtype for net in nets for p in net.params.values()} == {np.dtype(np.float32)}


def nets(*builds: Callable[[np.random.Generator], Sequential]) -> list[Sequential]:
    return [build(np.random.default_rng(seed)) for seed, build in enumerate(builds)]


def with_own_backward(rng: np.random.Generator) -> Sequential:
    net = perceptron(rng)
    net.layers[1].backward = ReLU.backward  # type: ignore[method-assign, assignment]
    return net


def other_stride(rng: np.random.Generator) -> Sequential:
    net = cnn(rng)
    net.layers[0].stride = (2, 2)  # type: ignore[attr-defined]
    return net


def other_momentum(rng: np.random.Generator) -> Sequential:
    net = normalised(rng)
    net.layers[1].momentum = 0.9  # type: ignore[attr-defined]
    return net


def other_eps(rng: np.random.Generator) -> Sequential:
    net = by_example(rng)
    norm = net.layers[2]
    assert isinstance(norm, LayerNorm)
    norm.eps = 0.1
    return net


def of_images(rng: np.random.Generator) -> Sequential:
    return Sequential(LayerNorm((1, 8, 8), dtype=np.float64), *cnn(rng).layers)


def unknown(rng: np.random.Generator) -> Sequential:
    return Sequential(Linear(12, 3, rng=rng, dtype=np.float64), Softmax())


DICE = np.random.default_rng(0)


def one_generator(rng: np.random.Generator) -> Sequential:
    return Sequential(Dropout(0.5, rng=DICE), Linear(12, 3, rng=rng, dtype=np.float64))


def single_precision(rng: np.random.Generator) -> Sequential:
    return mlp(12, [7, 5], 3, rng=rng)


def twice(build: Callable[[np.random.Generator], Sequential]) -> list[Sequential]:
    return [build(np.random.default_rng(0))] * 2


def with_a_layer_of_another() -> list[Sequential]:
    one, other = nets(perceptron, perceptron)
    return [one, Sequential(*other.layers[:2], one.layers[2], *other.layers[3:])]


def tied(rng: np.random.Generator) -> Sequential:
    net = mlp(12, [7, 7, 7], 3, rng=rng, dtype=np.float64)
    net.layers[4].params["weight"] = net.layers[2].params["weight"]
    return Sequential(*net.layers)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": []}, "models: expected at least one Sequential"),
        ({"models": nets(perceptron, normalised)}, "models: expected networks that are alike"),
        ({"models": nets(perceptron, single_precision)}, "models: expected networks that are"),
        ({"models": nets(unknown, unknown)}, "models: expected layers of these kinds: .*Softmax"),
        ({"models": nets(one_generator, one_generator)}, "models: .* a generator for each network"),
        ({"models": nets(perceptron, with_own_backward)}, "models: .* backward pass of its own"),
        ({"models": nets(cnn, other_stride)}, "models: expected convolutions of one stride"),
        ({"models": nets(normalised, other_momentum)}, "models: .* one eps and momentum"),
        ({"models": nets(by_example, other_eps)}, "models: .* of features and of one eps"),
        ({"models": nets(of_images, of_images)}, "models: .* of features and of one eps"),
        ({"lr": [0.1, 0.1, 0.1]}, "lr: expected 2, one for each model, got 3"),
        ({"lr": [0.1, -0.1]}, "lr: expected a finite number"),
        ({"rngs": [np.random.default_rng(0)]}, "rngs: expected 2, one for each model, got 1"),
        ({"patience": 3}, "patience: expected a validation set to watch, got 3 alone"),
        ({"patience": 0}, "patience: expected an integer of at least 1, got 0"),
        ({"epochs": 0}, "epochs: expected an integer of at least 1, got 0"),
        ({"batch_size": 0}, "batch_size: expected an integer of at least 1, got 0"),
        ({"train": [examples(0, (12,))]}, "train: expected 2 pairs, one for each model, got 1"),
        ({"train": None}, "train: expected a pair of inputs and labels, or .*, got None"),
        ({"train": []}, r"train: expected a pair of inputs and labels, or .*, got \[\]"),
        ({"train": [None, None]}, "train: expected a pair of inputs and labels, got NoneType"),
        ({"optimizer": None}, "optimizer: expected a function of parameters and a rate, .* None"),
        ({"keep_best": "no"}, "keep_best: expected True or False, got 'no'"),
        ({"lr": None}, "lr: expected a finite number .*, got None"),
        ({"lr": 10**400}, "lr: expected a finite number of at least 0, or one for each network"),
        ({"lr": np.ones((2, 1))}, "lr: expected a finite number of at least 0, or one"),
        ({"models": twice(perceptron)}, "got network 0's 0.weight and network 1's 0.weight"),
        (
            {"models": with_a_layer_of_another()},
            "got network 0's 2.weight and network 1's 2.weight",
        ),
        ({"models": nets(tied, perceptron)}, "got network 0's 2.weight and network 0's 4.weight"),
        (
            {"train": [examples(0, (12,)), examples(1, (12,), 21)]},
            r"train: expected 2 pairs of equally many examples, got \[22, 21\]",
        ),
        ({"train": examples(0, (11,))}, "train: x: expected 12 features"),
        ({"validation": examples(0, (11,))}, "validation: x: expected 12 features"),
        ({"models": nets(normalised, normalised), "batch_size": 7}, "batch_size: 7 leaves a batch"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "models": nets(perceptron, perceptron),
        "train": examples(0, (12,)),
        "validation": None,
        "optimizer": SGD,
        "lr": 0.1,
        "epochs": 1,
        "batch_size": 5,
        "rngs": [np.random.default_rng(seed) for seed in range(2)],
    } | change
    before = [p.copy() for net in arguments["models"] for p in net.params.values()]
    with pytest.raises(ValueError, match=message):
        fit_many(**arguments)
    after = [p for net in arguments["models"] for p in net.params.values()]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
