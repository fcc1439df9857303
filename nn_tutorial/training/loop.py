"""The training loop and what it records; predictions and how good they are."""

import copy
import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..layers.checks import (
    Array,
    Labels,
    check_count,
    check_flag,
    check_float,
    check_labels,
    check_rng,
)
from ..layers.layer import Grads, Layer
from ..layers.losses import softmax_cross_entropy
from .saving import check_model, state_of

Examples = tuple[Array, Labels]


class Optimizer(Protocol):
    """What ``fit`` asks of an optimiser."""

    def step(self, grads: Grads) -> None:
        """Change the parameters, in place."""


@dataclass
class History:
    """What ``fit`` saw, one number per epoch.

    Attributes
    ----------
    train_loss, train_accuracy : list of float
        Mean over the epoch's batches, each measured before its step: a running mean, as in most
        training loops, so about half an epoch behind ``val_loss``. Loss in nats,
        accuracy from 0 to 1.
    val_loss, val_accuracy : list of float
        After the epoch, on the whole validation set; empty without one.
    best_epoch : int
        Index of the epoch whose parameters the model has: the last if ``keep_best`` is off.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    best_epoch: int = -1


def fit(
    model: Layer,
    train: Examples,
    validation: Examples | None = None,
    *,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    patience: int | None = None,
    keep_best: bool = True,
    progress: bool = True,
) -> History:
    """Train a classifier with softmax cross-entropy.

    Parameters
    ----------
    model : Layer
        Gives (N, C) logits; its parameters are changed in place.
    train, validation : (ndarray, ndarray)
        Inputs, one example per row of axis 0, and integer labels (N,).
    optimizer : Optimizer
        Holds the parameters of ``model``.
    epochs : int
        How often each example is seen, at most.
    batch_size : int
        Examples per step; the last batch of an epoch may be smaller.
    rng : numpy.random.Generator
        Shuffles the examples, anew each epoch.
    patience : int, optional
        Stop after this many epochs in a row without a lower validation loss.
    keep_best : bool
        Whether to end with the parameters and buffers of the lowest validation loss (of the
        lowest training loss where there is no validation set).
    progress : bool
        Whether to show a bar, which needs tqdm and a terminal and is silent without either.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If an argument does not fit; nothing is trained then.
    FloatingPointError
        If the loss is not finite. The step that would have followed is not taken.
    """
    _check_fit(model, train, validation, optimizer, epochs, batch_size, rng, patience)
    check_flag("keep_best", keep_best)
    check_flag("progress", progress)
    x, labels = train
    state = state_of(model)
    history, best, best_state = History(), math.inf, {}
    bar = _bar(epochs, progress)
    for epoch in range(epochs):
        loss, accuracy = _epoch(model, x, labels, optimizer, batch_size, rng, epoch)
        history.train_loss.append(loss)
        history.train_accuracy.append(accuracy)
        if validation is not None:
            loss, accuracy = evaluate(model, *validation)
            history.val_loss.append(loss)
            history.val_accuracy.append(accuracy)
            if not math.isfinite(loss):
                raise FloatingPointError(_diverged("validation loss", loss, epoch))
        if loss < best or history.best_epoch < 0:
            best, history.best_epoch = loss, epoch
            if keep_best:
                best_state = {name: value.copy() for name, value in state.items()}
        if bar is not None:
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{accuracy:.1%}", refresh=False)
            bar.update()
        if patience is not None and epoch - history.best_epoch >= patience:
            break
    if bar is not None:
        bar.close()
    if not keep_best:
        history.best_epoch = len(history.train_loss) - 1
    for name, value in best_state.items():
        state[name][...] = value
    return history


def _check_fit(
    model: Layer,
    train: Examples,
    validation: Examples | None,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    patience: int | None,
) -> None:
    """Refuse arguments of ``fit`` that do not fit, before anything is trained."""
    check_model(model)
    check_count("epochs", epochs)
    check_count("batch_size", batch_size)
    check_rng(rng)
    check_patience(patience, validation)
    if isinstance(optimizer, type) or not hasattr(optimizer, "step"):
        raise ValueError(
            f"optimizer: expected one such as SGD(model.params, 0.1), got {optimizer!r}"
        )
    held = getattr(optimizer, "params", model.params)
    if held.keys() != model.params.keys() or any(held[k] is not model.params[k] for k in held):
        raise ValueError(
            "optimizer: expected one that holds model.params, got one of another model"
        )
    _check_examples("train", model, train)
    if validation is not None:
        _check_examples("validation", model, validation)
    if len(train[0]) % batch_size == 1 or batch_size == 1:
        _try_one(model, train[0], batch_size)


def check_patience(patience: int | None, validation: object) -> None:
    """Raise ``ValueError`` unless it is a count with something to watch, or None."""
    if patience is not None:
        check_count("patience", patience)
        if validation is None:
            raise ValueError(f"patience: expected a validation set to watch, got {patience} alone")


def check_maker(optimizer: object) -> None:
    """Raise ``ValueError`` unless it is a function that may make an optimiser."""
    if not callable(optimizer):
        raise ValueError(
            "optimizer: expected a function of parameters and a rate, such as SGD, "
            f"got {optimizer!r}"
        )


def _epoch(
    model: Layer,
    x: Array,
    labels: Labels,
    optimizer: Optimizer,
    batch_size: int,
    rng: np.random.Generator,
    epoch: int,
) -> tuple[float, float]:
    """One pass over the examples: the mean loss and accuracy."""
    order = rng.permutation(len(x))
    total_loss, correct = 0.0, 0
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        t = labels[batch]
        logits, cache = model.forward(x[batch], train=True)
        loss, dlogits = softmax_cross_entropy(logits, t)
        if not math.isfinite(loss):
            raise FloatingPointError(_diverged("loss", loss, epoch, start // batch_size))
        optimizer.step(model.backward(dlogits, cache, need_dx=False)[1])
        total_loss += loss * len(t)
        correct += int(np.count_nonzero(logits.argmax(1) == t))
    return total_loss / len(x), correct / len(x)


def _try_one(model: Layer, x: Array, batch_size: int) -> None:
    """Refuse a batch of one where the model, say by batch normalisation, cannot train on it."""
    try:
        copy.deepcopy(model).forward(x[:1], train=True)  # a copy: running statistics would move
    except ValueError as error:
        raise ValueError(
            f"batch_size: {batch_size} leaves a batch of one of the {len(x)} examples, "
            f"and the model cannot train on one: {error}"
        ) from error


def _diverged(name: str, loss: float, epoch: int, batch: int | None = None) -> str:
    where = f"epoch {epoch + 1}" + ("" if batch is None else f", batch {batch + 1}")
    return (
        f"{name}: expected a finite number, got {loss} in {where}; "
        "a smaller learning rate is the usual cure"
    )


def _check_examples(name: str, model: Layer, examples: Examples) -> Examples:
    """Refuse examples that would stop the training half-way: one is tried, all labels are seen."""
    if not isinstance(examples, (tuple, list)) or len(examples) != 2:
        got = type(examples).__name__
        raise ValueError(f"{name}: expected a pair of inputs and labels, got {got}")
    x, labels = examples
    try:
        check_float("inputs", x, "")
        if x.ndim < 2:
            raise ValueError(f"inputs: expected shape (N, ...), got {x.shape}")
        logits = model(x[:1])
        check_float("the model's output", logits, "NC")
        if len(logits) != 1:
            raise ValueError(f"the model's output: expected one row per example, got {len(logits)}")
        check_labels(labels, len(x), logits.shape[1])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return x, labels


def _bar(epochs: int, progress: bool) -> Any:
    """Return a progress bar, or None where tqdm is not installed or not wanted."""
    if not progress:
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=epochs, unit="epoch", disable=None)  # None: silent without a terminal


def predict_logits(model: Layer, x: Array, *, batch_size: int = 128) -> Array:
    """Return the model's output for all examples, a batch at a time.

    Parameters
    ----------
    model : Layer
    x : ndarray of float, (N, ...)
    batch_size : int
        How many at a time, which bounds the memory and changes the result by rounding alone.

    Returns
    -------
    logits : ndarray, (N, C)

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    check_model(model)
    check_count("batch_size", batch_size)
    check_float("x", x, "")
    if x.ndim == 0:
        raise ValueError("x: expected shape (N, ...), got ()")
    return np.concatenate([model(x[i : i + batch_size]) for i in range(0, len(x), batch_size)])


def predict(model: Layer, x: Array, *, batch_size: int = 128) -> NDArray[np.intp]:
    """Return the class of each example's largest logit.

    Parameters
    ----------
    model : Layer
    x : ndarray of float, (N, ...)
    batch_size : int
        See ``predict_logits``.

    Returns
    -------
    labels : ndarray of int, (N,)
    """
    return predict_logits(model, x, batch_size=batch_size).argmax(1)


def evaluate(
    model: Layer, x: Array, labels: Labels, *, batch_size: int = 128
) -> tuple[float, float]:
    """Return the loss and the accuracy of a classifier, in evaluation mode.

    Parameters
    ----------
    model : Layer
    x : ndarray of float, (N, ...)
    labels : ndarray of int, (N,)
    batch_size : int
        See ``predict_logits``.

    Returns
    -------
    loss : float
        Mean softmax cross-entropy, in nats.
    accuracy : float
        Share of examples whose largest logit is that of the label, from 0 to 1.

    Raises
    ------
    ValueError
        If the labels do not fit the examples or the classes.
    """
    check_model(model)
    _check_examples("examples", model, (x, labels))
    logits = predict_logits(model, x, batch_size=batch_size)
    loss, _ = softmax_cross_entropy(logits, labels)
    return loss, float(np.mean(logits.argmax(1) == labels))
