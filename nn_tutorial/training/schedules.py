"""Learning rates that change on the way, and the search for one that fits."""

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..layers.checks import Array, check_count, check_rng, is_number, is_whole
from ..layers.layer import Layer
from ..layers.losses import softmax_cross_entropy
from .loop import Examples, _check_examples, check_maker
from .optimizers import SGD, Adam, is_size
from .saving import check_model


def linear_warmup(step: int, *, steps: int, start: float = 0.1) -> float:
    r"""Return the factor of a rate that grows along a line and then stays.

    $$s + (1 - s)\min(t / T, 1)$$

    Parameters
    ----------
    step : int
        t, counted from 0.
    steps : int
        T, at least 1: from this step on the factor is 1.
    start : float
        s, the factor of the first step, from 0 to 1.

    Returns
    -------
    factor : float
        To multiply the learning rate by.

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    Goyal and others (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour.
    """
    _check(step, steps, start=start)
    return start + (1 - start) * min(step / steps, 1.0)


def cosine(step: int, *, steps: int, end: float = 0.0) -> float:
    r"""Return the factor of a rate that falls along half a period of the cosine.

    $$e + (1 - e)\,\tfrac12\left(1 + \cos\frac{\pi \min(t, T)}{T}\right)$$

    After T it stays at e, where PyTorch's ``CosineAnnealingLR`` rises again.

    Parameters
    ----------
    step : int
        t, counted from 0.
    steps : int
        T, at least 1: at this step the factor is e.
    end : float
        e, from 0 to 1.

    Returns
    -------
    factor : float

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR.
    """
    _check(step, steps, end=end)
    return _bend(min(step / steps, 1.0), 1, end)


def one_cycle(
    step: int, *, steps: int, rise: float = 0.3, start: float = 1 / 25, end: float = 4e-6
) -> float:
    r"""Return the factor of a rate that rises to 1 and falls to almost nothing.

    Two halves of a cosine: from s at step 0 to 1 at step $rT - 1$, and on to e at step $T - 1$,
    where it stays. These are ``OneCycleLR``'s numbers; the momentum stays as it is.

    Parameters
    ----------
    step : int
        t, counted from 0.
    steps : int
        T, the steps of the whole training.
    rise : float
        r, the share of the steps in which the rate rises, between 0 and 1; $rT$ above 1.
    start, end : float
        s and e, the factors of the first step and of the last, from 0 to 1.

    Returns
    -------
    factor : float

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    Smith and Topin (2019), Super-convergence: very fast training of neural networks using large
    learning rates.
    """
    _check(step, steps, start=start, end=end)
    if not (is_number(rise) and 0 < rise < 1 and rise * steps > 1):
        raise ValueError(
            f"rise: expected a share between 0 and 1, and of more than one step, got {rise!r} "
            f"of {steps}"
        )
    top, last = rise * steps - 1, steps - 1
    if step < top:
        return _bend(step / top, start, 1)
    return _bend(min((step - top) / (last - top), 1.0), 1, end)


def _bend(share: float, first: float, last: float) -> float:
    """From first to last along half a period of the cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def _check(step: int, steps: int, **factors: float) -> None:
    # decides no number: it refuses
    if not (is_number(step) and 0 <= step < math.inf):
        raise ValueError(f"step: expected at least 0, got {step!r}")
    check_count("steps", steps)
    for name, value in factors.items():
        if not (is_number(value) and 0 <= value <= 1):
            raise ValueError(f"{name}: expected a number from 0 to 1, got {value!r}")


class Scheduled:
    """An optimiser whose learning rate follows a schedule, step by step.

    Attributes
    ----------
    params : dict of str to ndarray
        Those of the optimiser.
    t : int
        How many steps have been taken.

    Parameters
    ----------
    optimizer : SGD, Adam or AdamW
        Its learning rate is the one that the schedule multiplies.
    schedule : callable
        ``schedule(t)`` gives the factor of step t, which counts from 0; finite, at least 0.

    Raises
    ------
    ValueError
        If ``optimizer`` is none, or ``schedule`` is no function.
    """

    def __init__(self, optimizer: SGD | Adam, schedule: Callable[[int], float]) -> None:
        if not hasattr(optimizer, "params") or not hasattr(optimizer, "lr"):
            raise ValueError(f"optimizer: expected one such as SGD(...), got {optimizer!r}")
        if not callable(schedule):
            raise ValueError(f"schedule: expected a function of the step, got {schedule!r}")
        self.optimizer, self.schedule = optimizer, schedule
        self.params, self.rate, self.t = optimizer.params, optimizer.lr, 0

    def step(self, grads: dict[str, Array]) -> None:
        """Change the parameters by one step, at the rate of this step.

        Parameters
        ----------
        grads : dict of str to ndarray
            Keys and shapes of ``params``; not changed.

        Raises
        ------
        ValueError
            If the schedule's factor is none, or a gradient does not fit; no parameter is changed
            then.
        """
        factor = self.schedule(self.t)
        if not is_size(factor):
            raise ValueError(
                f"schedule: expected a finite factor of at least 0, got {factor!r} at step {self.t}"
            )
        self.optimizer.lr = self.rate * float(factor)
        self.optimizer.step(grads)
        self.t += 1


def range_test(
    model: Layer,
    train: Examples,
    *,
    optimizer: Callable[[dict[str, Array], float], SGD | Adam],
    rates: Array,
    batch_size: int,
    rng: np.random.Generator,
) -> Array:
    """Return the loss of each batch while the learning rate goes through ``rates``.

    A short training of a copy, one step for each rate. It ends where the loss is no longer finite.

    Parameters
    ----------
    model : Layer
        Gives (N, C) logits; not changed.
    train : (ndarray, ndarray)
        Inputs, one example per row of axis 0, and integer labels (N,).
    optimizer : callable
        ``optimizer(params, lr)`` makes one: ``SGD``, ``Adam``, ``AdamW``, or a ``partial`` of them.
    rates : ndarray, (T,)
        As a rule ``np.geomspace(low, high, steps)``.
    batch_size : int
        Examples per step.
    rng : numpy.random.Generator
        Shuffles the examples, anew whenever all have been seen.

    Returns
    -------
    losses : ndarray, (T,)
        In nats, each measured before the step at its rate; infinite from where it diverged.

    Raises
    ------
    ValueError
        If an argument does not fit.

    References
    ----------
    Smith (2017), Cyclical learning rates for training neural networks, WACV.
    """
    check_model(model)
    check_maker(optimizer)
    steps = list(rates) if isinstance(rates, Sequence) or np.ndim(rates) == 1 else []
    if not steps or not all(map(is_size, steps)):
        raise ValueError(f"rates: expected a row of finite numbers of at least 0, got {rates!r}")
    check_rng(rng)
    x, labels = _check_examples("train", model, train)
    if not is_whole(batch_size) or not 1 <= batch_size <= len(x):
        raise ValueError(f"batch_size: expected a number from 1 to {len(x)}, got {batch_size}")
    model = copy.deepcopy(model)
    stepper = Scheduled(optimizer(model.params, 1.0), lambda t: steps[t])
    losses, order = np.full(len(steps), np.inf), np.empty(0, np.intp)
    with np.errstate(all="ignore"):  # what overflows is seen in the loss
        for t in range(len(steps)):
            if len(order) < batch_size:
                order = rng.permutation(len(x))
            batch, order = order[:batch_size], order[batch_size:]
            logits, cache = model.forward(x[batch], train=True)
            loss, dlogits = softmax_cross_entropy(logits, labels[batch])
            if not math.isfinite(loss):
                break
            losses[t] = loss
            stepper.step(model.backward(dlogits, cache, need_dx=False)[1])
    return losses
