"""The training loop: what it records, what it returns, when it stops, what it refuses."""

import io
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import nn_tutorial as nt


class Script:
    """An optimiser that ignores the gradients and sets the bias as told, one value a step."""

    def __init__(self, model: nt.Layer, values: Sequence[float]) -> None:
        self.bias, self.values = model.params["1.bias"], iter(values)

    def step(self, grads: dict[str, np.ndarray]) -> None:
        self.bias[0] = next(self.values)


def scripted(values: Sequence[float], **settings: Any) -> tuple[nt.Sequential, nt.History]:
    """Fit a model whose only moving part is one bias: the validation loss falls as it rises."""
    model = nt.Sequential(
        nt.BatchNorm(2, dtype=np.float64),
        nt.Linear(2, 2, rng=np.random.default_rng(0), dtype=np.float64, init=nt.zeros),
    )
    x, labels = np.random.default_rng(1).normal(size=(6, 2)), np.zeros(6, np.int64)
    history = nt.fit(
        model,
        (x, labels),
        (x, labels),
        optimizer=Script(model, values),
        epochs=len(values),
        batch_size=6,
        rng=np.random.default_rng(2),
        progress=False,
        **settings,
    )
    return model, history


class TwoRows(nt.Layer):
    """Two rows for each example."""

    def forward(self, x: np.ndarray, *, train: bool = True) -> Any:
        return x.reshape(2 * len(x), -1), None


def examples(n: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 4)).astype(np.float32), rng.integers(0, 3, n)


def train(model: nt.Sequential, data: Any = None, validation: Any = None, **settings: Any) -> Any:
    usual = {
        "optimizer": nt.SGD(model.params, lr=0.1),
        "epochs": 3,
        "batch_size": 4,
        "rng": np.random.default_rng(2),
        "progress": False,
    }
    return nt.fit(model, examples() if data is None else data, validation, **usual | settings)


def small_net(seed: int = 0, **settings: Any) -> nt.Sequential:
    return nt.mlp(4, [5], 3, rng=np.random.default_rng(seed), **settings)


def copies(model: nt.Layer) -> dict[str, np.ndarray]:
    return {name: a.copy() for name, a in (model.params | model.buffers).items()}


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


# What is recorded


def test_history_has_one_number_an_epoch() -> None:
    history = train(small_net(), validation=examples(7, seed=1))
    assert [len(v) for v in (history.train_loss, history.train_accuracy)] == [3, 3]
    assert [len(v) for v in (history.val_loss, history.val_accuracy)] == [3, 3]
    alone = train(small_net())
    assert alone.val_loss == alone.val_accuracy == []
    assert alone.train_loss == history.train_loss


def test_uneven_batches_count_by_their_size() -> None:
    """Ten examples in batches of four: with a still model, the mean is that of all ten."""
    model = small_net()
    history = train(model, optimizer=nt.SGD(model.params, lr=0.0))
    loss, accuracy = nt.evaluate(model, *examples())
    assert history.train_loss == pytest.approx([loss] * 3, rel=1e-6)
    assert history.train_accuracy == pytest.approx([accuracy] * 3)


def test_every_example_once_an_epoch_in_a_new_order() -> None:
    seen: list[np.ndarray] = []

    class Watch(nt.ReLU):
        def forward(self, x: np.ndarray, *, train: bool = True) -> Any:
            if train:
                seen.append(x[:, 0].copy())
            return super().forward(x, train=train)

    x, labels = examples()
    x[:, 0] = np.arange(10)
    model = nt.Sequential(Watch(), nt.Linear(4, 3, rng=np.random.default_rng(0)))
    train(model, (x, labels), validation=(x, labels))
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [np.concatenate(seen[i : i + 3]) for i in (0, 3, 6)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(10))
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])


# What is returned


def test_ends_with_the_best_parameters_and_buffers() -> None:
    """Validation loss is lowest after the second epoch; its running statistics come back too."""
    model, history = scripted([1.0, 3.0, 2.0, 0.0])
    assert history.best_epoch == 1
    assert history.val_loss[1] == min(history.val_loss)
    assert model.params["1.bias"][0] == 3.0
    two_epochs, _ = scripted([1.0, 3.0])
    assert_same(copies(model), copies(two_epochs))


def test_may_keep_the_last_parameters() -> None:
    model, history = scripted([1.0, 3.0, 2.0, 0.0], keep_best=False)
    assert history.best_epoch == 3
    assert model.params["1.bias"][0] == 0.0


def test_without_validation_the_training_loss_decides() -> None:
    """lr so large that the loss rises: the first epoch stays the best."""
    model = small_net(dtype=np.float64)
    x, labels = examples()
    data = (x.astype(np.float64), labels)
    history = train(model, data, optimizer=nt.SGD(model.params, lr=30.0), epochs=4)
    assert history.best_epoch == int(np.argmin(history.train_loss))


@pytest.mark.parametrize(
    ("patience", "epochs"), [(1, 3), (2, 6), (3, 7), (None, 8)], ids=["1", "2", "3", "none"]
)
def test_patience(patience: int | None, epochs: int) -> None:
    """Better, better, worse, better, worse, worse, worse, worse."""
    model, history = scripted([1.0, 2.0, 0.0, 3.0, 2.0, 2.0, 2.5, 2.0], patience=patience)
    assert len(history.val_loss) == len(history.train_loss) == epochs
    assert history.best_epoch == (1 if patience == 1 else 3)
    assert model.params["1.bias"][0] == (2.0 if patience == 1 else 3.0)


def test_patience_counts_without_keep_best() -> None:
    model, history = scripted([2.0, 1.0, 0.0, 3.0], patience=2, keep_best=False)
    assert len(history.val_loss) == 3
    assert history.best_epoch == 2
    assert model.params["1.bias"][0] == 0.0


def dropped_out(seed: int) -> tuple[dict[str, np.ndarray], nt.History]:
    """Everything random at once: weights, order of the examples, dropout."""
    rng = np.random.default_rng(seed)
    model = nt.Sequential(
        nt.Linear(4, 8, rng=rng),
        nt.BatchNorm(8),
        nt.ReLU(),
        nt.Dropout(0.5, rng=rng),
        nt.Linear(8, 3, rng=rng),
    )
    history = train(
        model, examples(30), examples(10, 1), optimizer=nt.Adam(model.params), epochs=5, rng=rng
    )
    return copies(model), history


def test_same_seed_same_bits() -> None:
    (first, history), (same, history_same), (other, _) = map(dropped_out, (1, 1, 2))
    assert history == history_same
    assert {k: a.tobytes() for k, a in first.items()} == {k: a.tobytes() for k, a in same.items()}
    assert first["0.weight"].tobytes() != other["0.weight"].tobytes()


def test_learns_iris() -> None:
    data = nt.iris().standardized()
    model = nt.two_layer_net(4, 10, 3, rng=np.random.default_rng(0))
    history = train(
        model,
        (data.x_train, data.y_train),
        (data.x_val, data.y_val),
        optimizer=nt.SGD(model.params, lr=0.1),
        epochs=60,
        batch_size=16,
    )
    assert history.train_loss[-1] < 0.3 * history.train_loss[0]
    assert nt.evaluate(model, data.x_test, data.y_test)[1] >= 0.85


# What is refused


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=["nan", "inf"])
def test_loss_that_is_not_finite_stops_and_says_where(bad: float) -> None:
    """Bad after the second of three batches in the first epoch: met in the third."""
    model = nt.Sequential(nt.ReLU(), nt.Linear(4, 3, rng=np.random.default_rng(0)))
    start = model.params["1.weight"].copy()
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(FloatingPointError, match=r"loss: .* got nan in epoch 1, batch 3"),
    ):
        train(model, optimizer=Script(model, [0.5, bad]))
    assert not np.isfinite(model.params["1.bias"][0])  # left as it was met, for the curious
    np.testing.assert_array_equal(model.params["1.weight"], start)


def test_learning_rate_out_of_hand_is_a_floating_point_error() -> None:
    model = small_net()
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="learning rate"):
        train(model, optimizer=nt.SGD(model.params, lr=1e25), epochs=20)


def test_validation_loss_that_is_not_finite_stops_too() -> None:
    """One batch an epoch: the step that spoils the model is met by the validation after it."""
    with pytest.raises(FloatingPointError, match="epoch 2"):
        scripted([1.0, np.nan, 2.0])


@pytest.mark.parametrize(
    ("data", "validation", "settings", "parts"),
    [
        (None, None, {"epochs": 0}, ("epochs", "0")),
        (None, None, {"batch_size": 0}, ("batch_size", "0")),
        (None, None, {"patience": 2}, ("patience", "a validation set")),
        (None, examples(3), {"patience": 0}, ("patience", "0")),
        (
            None,
            None,
            {"optimizer": nt.SGD(small_net().params, lr=0.1)},
            ("optimizer", "another model"),
        ),
        ((examples()[0][:, 0], examples()[1]), None, {}, ("train", "inputs", "(10,)")),
        ((examples()[0], examples(9)[1]), None, {}, ("train", "labels", "(10,)", "(9,)")),
        ((examples()[0][:0], examples()[1][:0]), None, {}, ("train", "(0, 4)")),
        ((examples()[0].astype(int), examples()[1]), None, {}, ("train", "int64")),
        ((examples()[0].tolist(), examples()[1]), None, {}, ("train", "list")),
        (None, (examples()[0], examples(9)[1]), {}, ("validation", "labels", "(10,)", "(9,)")),
        ((examples()[0], np.arange(10) % 4), None, {}, ("labels", "3", "0 to 2")),
        ((examples()[0], examples()[1] - 1), None, {}, ("labels", "-1", "0 to 2")),
        ((examples()[0], examples()[1] / 2), None, {}, ("labels", "float64")),
        (None, (examples()[0], np.arange(10) % 4), {}, ("labels", "3", "0 to 2")),
        (None, (examples()[0], examples()[1] / 2), {}, ("labels", "float64")),
        (None, (examples()[0][:, :3], examples()[1]), {}, ("validation", "4 features", "3)")),
        ((examples()[0][:, :3], examples()[1]), None, {}, ("4 features", "(1, 3)")),
    ],
    ids=[
        "no-epochs",
        "no-batch",
        "patience-without-validation",
        "patience-0",
        "optimizer-of-another-model",
        "inputs-of-one-axis",
        "too-few-labels",
        "empty",
        "integer-inputs",
        "list-inputs",
        "validation-too-few-labels",
        "label-too-large",
        "label-below-0",
        "float-labels",
        "validation-label-too-large",
        "validation-float-labels",
        "validation-other-features",
        "other-features",
    ],
)
def test_refused_before_anything_is_trained(data, validation, settings, parts) -> None:
    """One label out of range may sit in the last batch: the first must not have been trained."""
    model = small_net()
    before = copies(model)
    with pytest.raises(ValueError, match=r"expected") as caught:
        train(model, data, validation, batch_size=settings.pop("batch_size", 1), **settings)
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert_same(copies(model), before)


@pytest.mark.parametrize("last", [[], [nt.Flatten(), TwoRows()]], ids=["images", "two-rows"])
def test_an_output_of_another_shape_moves_no_statistics(last: list[nt.Layer]) -> None:
    model = nt.Sequential(nt.BatchNorm(3, dtype=np.float64), *last)
    x, labels = np.random.default_rng(0).normal(size=(8, 3, 2, 2)), np.arange(8) % 3
    before = {name: b.copy() for name, b in model.buffers.items()}
    settings: Any = {"epochs": 1, "batch_size": 4, "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match="train: the model's output: expected"):
        nt.fit(model, (x, labels), optimizer=nt.SGD(model.params, 0.1), **settings)
    assert_same(model.buffers, before)


def test_last_batch_of_one_with_batch_norm() -> None:
    """Nine examples in batches of four leave one, which has no variance: said before training."""
    model = small_net(batch_norm=True)
    before = copies(model)
    with pytest.raises(ValueError, match="batch_size"):
        train(model, examples(9), batch_size=4)
    assert_same(copies(model), before)


# The progress bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_is_silent_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    train(small_net(), progress=True)
    assert capfd.readouterr() == ("", "")


def test_bar_is_shown_on_a_terminal_only_if_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(small_net(), progress=False)
    assert sys.stderr.getvalue() == ""
    train(small_net(), progress=True)
    assert "3/3" in sys.stderr.getvalue()
    assert "loss=" in sys.stderr.getvalue()


def test_bar_is_left_out_where_tqdm_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(sys.modules, "tqdm", None)
    history = train(small_net(), progress=True)
    assert len(history.train_loss) == 3
    assert sys.stderr.getvalue() == ""


# Evaluation and prediction


@pytest.mark.parametrize("batch_size", [1, 3, 10, 1000])
def test_evaluate_does_not_depend_on_the_batch_size(batch_size: int) -> None:
    model = small_net(batch_norm=True)
    x, labels = examples()
    before = copies(model)
    loss, accuracy = nt.evaluate(model, x, labels, batch_size=batch_size)
    logits = model(x)
    assert loss == pytest.approx(nt.softmax_cross_entropy(logits, labels)[0], rel=1e-5)
    assert accuracy == np.mean(logits.argmax(1) == labels)
    np.testing.assert_allclose(
        nt.predict_logits(model, x, batch_size=batch_size), logits, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(nt.predict(model, x, batch_size=batch_size), logits.argmax(1))
    assert_same(copies(model), before)


def test_evaluate_of_known_numbers() -> None:
    """Logits of 0 for two classes: log 2, and half right since the first class wins ties."""
    model = nt.Sequential(nt.Linear(1, 2, rng=np.random.default_rng(0), init=nt.zeros))
    x, labels = np.ones((4, 1), np.float32), np.array([0, 0, 1, 1])
    assert nt.evaluate(model, x, labels) == pytest.approx((math.log(2), 0.5))


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda m, x, t: nt.evaluate(m, x, t[:-1]), ("labels", "(10,)", "(9,)")),
        (lambda m, x, t: nt.evaluate(m, x, t + 3), ("labels", "5", "0 to 2")),
        (lambda m, x, t: nt.evaluate(m, x, t, batch_size=0), ("batch_size", "0")),
        (lambda m, x, t: nt.evaluate(m, x[:0], t[:0]), ("x", "(0, 4)", "at least one")),
        (lambda m, x, t: nt.predict(m, x, batch_size=-1), ("batch_size", "-1")),
        (lambda m, x, t: nt.predict(m, x.astype(int)), ("x", "int64")),
        (lambda m, x, t: nt.predict(m, x[:0]), ("x", "(0, 4)")),
    ],
    ids=["too-few", "label", "batch-0", "empty", "batch-negative", "integers", "predict-empty"],
)
def test_evaluate_and_predict_refuse(call, parts) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        call(small_net(), *examples())
    assert all(part in str(caught.value) for part in parts)
