"""`fit` for many small networks at once: the same numbers in a fraction of the time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.checks import Array, check_count, check_flag, check_rng
from ..layers.layer import Sequential
from .loop import (
    Examples,
    History,
    Optimizer,
    _check_examples,
    _try_one,
    check_maker,
    check_patience,
)
from .optimizers import is_size
from .side_by_side import SideBySide

Parts = Examples | Sequence[Examples]


def fit_many(
    models: Sequence[Sequential],
    train: Parts | Callable[[int], Parts],
    validation: Parts | None = None,
    *,
    optimizer: Callable[[dict[str, Array], Any], Optimizer],
    lr: float | Sequence[float],
    epochs: int,
    batch_size: int,
    rngs: Sequence[np.random.Generator],
    patience: int | None = None,
    keep_best: bool = False,
) -> list[History]:
    """Train several classifiers of one architecture, side by side.

    Each gets what [`fit`][nn_tutorial.fit] would give it, to rounding. A network whose loss is not
    finite stops there and raises nothing: it keeps the parameters it had (with ``keep_best`` the
    best of them), and its history ends with the epoch before.

    Parameters
    ----------
    models : sequence of Sequential
        S networks of linear, convolution (without dilation or groups), pooling, dropout, flatten
        and batch normalisation layers, layer normalisation of features, ReLU, sigmoid and tanh,
        alike but for their values; their parameters are changed in place. Each has generators of
        its own for dropout.
    train, validation : (ndarray, ndarray), or a sequence of S such pairs
        Inputs and labels for all networks, or for each its own, equally many. ``train`` may be a
        function that gives them for an epoch, counted from 0.
    optimizer : callable
        ``optimizer(params, lr)`` makes one: ``SGD``, ``Adam``, or a ``partial`` of them.
    lr : float or sequence of S float
        The learning rate, or each network's own.
    epochs, batch_size : int
        As for ``fit``.
    rngs : sequence of S numpy.random.Generator
        Each shuffles the examples of its network, anew each epoch.
    patience, keep_best
        As for ``fit``, for each network by itself; but ``keep_best`` is off unless asked for.

    Returns
    -------
    list of S History

    Raises
    ------
    ValueError
        If an argument does not fit; nothing is trained then.
    """
    check_count("epochs", epochs)
    check_count("batch_size", batch_size)
    check_patience(patience, validation)
    check_flag("keep_best", keep_best)
    check_maker(optimizer)
    _check_lists(models, lr, rngs)
    together = SideBySide(models)
    dtype = together.params.dtype
    rates = np.full(len(models), lr, dtype) if np.ndim(lr) == 0 else np.array(lr, dtype)
    for name, given in (("lr", len(rates)), ("rngs", len(rngs))):
        if given != len(models):
            raise ValueError(f"{name}: expected {len(models)}, one for each model, got {given}")
    step = optimizer({"nets": together.params}, rates[:, None])
    held_out = None if validation is None else _Data("validation", validation, models)
    data = _Data("train", train(0) if callable(train) else train, models)
    if len(data) % batch_size == 1 or batch_size == 1:
        _try_one(models[0], data.x[0], batch_size)
    run = _Run(together, step, patience, keep_best)
    with np.errstate(all="ignore"):  # what overflows is seen in the loss
        for epoch in range(epochs):
            if callable(train) and epoch > 0:
                data = _Data("train", train(epoch), models)
            found = run.epoch(data, batch_size, rngs)
            if held_out is not None and run.alive.any():
                found += run.evaluate(held_out)
            run.note(found)
            if not run.alive.any():
                break
    run.stop(run.alive)
    for history in run.histories:
        if not keep_best:
            history.best_epoch = len(history.train_loss) - 1
    return run.histories


def _check_lists(models: Any, lr: Any, rngs: Any) -> None:
    for name, several in (("models", models), ("rngs", rngs)):
        if not isinstance(several, Sequence):
            raise ValueError(f"{name}: expected one for each network in a list, got {several!r}")
    for rng in rngs:
        check_rng(rng)
    rates = lr if isinstance(lr, Sequence) or np.ndim(lr) else [lr]
    if not all(map(is_size, rates)):
        raise ValueError(
            f"lr: expected a finite number of at least 0, or one for each network, got {lr!r}"
        )


class _Run:
    """A training under way: the networks, what was seen, and which of them still train."""

    def __init__(
        self, together: SideBySide, optimizer: Optimizer, patience: int | None, keep_best: bool
    ) -> None:
        self.together, self.optimizer = together, optimizer
        self.patience, self.keep_best = patience, keep_best
        self.histories = [History() for _ in together.models]
        self.alive = np.ones(len(together.models), bool)

    def epoch(
        self, data: "_Data", batch_size: int, rngs: Sequence[np.random.Generator]
    ) -> list[Array]:
        """One pass over the examples: mean loss and accuracy of each network."""
        order = np.array([rng.permutation(len(data)) for rng in rngs])
        total, right = np.zeros((2, len(rngs)))
        for start in range(0, len(data), batch_size):
            x, labels = data.rows(order[:, start : start + batch_size])
            logits, cache = self.together.net.forward(x, train=True)
            losses, dlogits, correct = _losses(logits, labels)
            self.stop(~np.isfinite(losses))
            if not self.alive.any():
                break
            self.together.net.backward(dlogits, cache, need_dx=False)
            self.optimizer.step({"nets": self.together.grads})
            total += losses * len(labels)
            right += correct
        return [total / len(data), right / len(data)]

    def evaluate(self, data: "_Data") -> list[Array]:
        """Loss and accuracy of each network, in evaluation mode."""
        s = len(self.alive)
        batch = max(1, 512 // s)
        total, right = np.zeros((2, s))
        for start in range(0, len(data), batch):
            chosen = np.arange(start, min(start + batch, len(data)))
            x, labels = data.rows(np.broadcast_to(chosen, (s, len(chosen))))
            losses, _, correct = _losses(self.together.net(x), labels)
            total += losses * len(chosen)
            right += correct
        self.stop(~np.isfinite(total))
        return [total / len(data), right / len(data)]

    def note(self, found: list[Array]) -> None:
        """Add an epoch to the histories of those that still train; stop those that waited."""
        names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
        waited = np.zeros(len(self.alive), bool)
        for k in np.flatnonzero(self.alive):
            history = self.histories[k]
            for name, values in zip(names, found, strict=False):
                getattr(history, name).append(float(values[k]))
            watched = history.val_loss or history.train_loss
            if history.best_epoch < 0 or watched[-1] < watched[history.best_epoch]:
                history.best_epoch = len(watched) - 1
                if self.keep_best:
                    self.together.write_back(int(k))
            waited[k] = len(watched) - 1 - history.best_epoch >= (self.patience or len(watched))
        self.stop(waited)

    def stop(self, which: NDArray[np.bool]) -> None:
        """Give networks back, if not their best; what becomes of their blocks no longer matters."""
        for k in np.flatnonzero(self.alive & which):
            if not self.keep_best:
                self.together.write_back(int(k))
            self.alive[k] = False


class _Data:
    """Examples of all networks: (1, n, ...) where they share them, else (S, n, ...)."""

    def __init__(self, name: str, parts: Any, models: Sequence[Sequential]) -> None:
        if not isinstance(parts, (tuple, list)) or not parts:
            raise ValueError(
                f"{name}: expected a pair of inputs and labels, or one for each model, "
                f"got {parts!r}"
            )
        shared = isinstance(parts[0], np.ndarray)
        each: list[Any] = [parts] if shared else list(parts)
        if not shared and len(each) != len(models):
            raise ValueError(
                f"{name}: expected {len(models)} pairs, one for each model, got {len(each)}"
            )
        for pair, model in zip(each, models, strict=False):
            _check_examples(name, model, pair)
        sizes = [len(x) for x, _ in each]
        if len({*sizes}) > 1:
            raise ValueError(
                f"{name}: expected {len(each)} pairs of equally many examples, got {sizes}"
            )
        self.x, self.labels = (np.stack([pair[k] for pair in each]) for k in (0, 1))
        self.whose = np.zeros(len(models), int) if shared else np.arange(len(models))

    def __len__(self) -> int:
        return self.x.shape[1]

    def rows(self, chosen: NDArray[Any]) -> tuple[Array, NDArray[Any]]:
        """Examples by their numbers (S, b): inputs side by side, labels (b, S)."""
        x = self.x[self.whose, chosen.T]  # b, S, ...
        return x.reshape(len(x), -1, *x.shape[3:]), self.labels[self.whose, chosen.T]


def _losses(logits: Array, labels: NDArray[Any]) -> tuple[Array, Array, NDArray[Any]]:
    """Loss (S,), its gradient (N, S·C) and the number of right answers (S,).

    As [`softmax_cross_entropy`][nn_tutorial.softmax_cross_entropy] has it, for each network.
    """
    n, s = labels.shape
    z = logits.reshape(n, s, -1)
    with np.errstate(over="ignore"):  # a difference of −∞ is right, its exponential is 0
        shifted = z - np.maximum.reduce(z, 2, keepdims=True)
    dlogits = np.exp(shifted)
    total = np.add.reduce(dlogits, 2, keepdims=True)
    true = np.arange(n)[:, None], np.arange(s), labels
    losses = np.add.reduce(np.log(total[..., 0]) - shifted[true], 0) / n
    dlogits /= total
    dlogits[true] -= 1
    dlogits /= n
    return losses, dlogits.reshape(n, -1), np.count_nonzero(z.argmax(2) == labels, axis=0)
