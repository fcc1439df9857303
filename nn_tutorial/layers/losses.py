"""From scores to a loss: softmax, cross-entropy, and the two fused."""

from typing import Any, NamedTuple

import numpy as np

from .checks import Array, Labels, check_dy, check_float, check_labels, is_number
from .layer import Grads, Layer


def softmax(x: Array) -> tuple[Array, Array]:
    r"""Turn scores into probabilities, along the last axis.

    $$p_{nk} = \frac{e^{x_{nk} - m_n}}{\sum_j e^{x_{nj} - m_n}}, \qquad m_n = \max_j x_{nj}$$

    Subtracting the row's maximum changes nothing but the largest exponent, which is now 0: the
    exponential cannot overflow.

    Parameters
    ----------
    x : ndarray of float, (N, C) or any shape with at least one axis
        Scores (logits).

    Returns
    -------
    p : ndarray, shape and dtype of x
        Positive, with sum 1 along the last axis.
    cache : ndarray
        ``p``, which is all that the gradient needs.

    Raises
    ------
    ValueError
        If ``x`` is not an array of floats, or has no axis.
    """
    check_float("x", x, "")
    if x.ndim == 0:
        raise ValueError("x: expected at least one axis, of classes, got shape ()")
    with np.errstate(over="ignore"):  # a difference of −∞ is right, its exponential is 0
        e = np.exp(x - x.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return p, p


def softmax_backward(dp: Array, p: Array) -> Array:
    r"""Gradient of [`softmax`][nn_tutorial.softmax], without ever building its Jacobian.

    $$\frac{\partial L}{\partial x_{ni}} = p_{ni} \left(\frac{\partial L}{\partial p_{ni}}
      - \sum_j \frac{\partial L}{\partial p_{nj}} p_{nj}\right)$$

    Parameters
    ----------
    dp, p : ndarray of float, one shape
        The upstream gradient, and the cache of ``softmax``.

    Returns
    -------
    dx : ndarray, shape and dtype of dp
        Its sum along the last axis is 0.

    Raises
    ------
    ValueError
        If ``dp`` has another shape than ``p``.
    """
    check_dy(dp, p)
    return p * (dp - (dp * p).sum(axis=-1, keepdims=True))


SUM_TOLERANCE = 0.01


class CrossEntropyCache(NamedTuple):
    """What ``cross_entropy_backward`` needs."""

    probabilities: Array
    labels: Labels


def cross_entropy(probabilities: Array, labels: Labels) -> tuple[float, CrossEntropyCache]:
    r"""Mean negative log-likelihood of the labels.

    $$L = -\frac1N \sum_n \log p_{n, t_n}$$

    Parameters
    ----------
    probabilities : ndarray of float, (N, C)
        One distribution a row.
    labels : ndarray of int, (N,)
        The true classes $t_n$, from 0 to C − 1.

    Returns
    -------
    loss : float
        In nats. A true class of probability 0 gives infinity.
    cache : CrossEntropyCache

    Raises
    ------
    ValueError
        If the probabilities are not an (N, C) array of floats between 0 and 1, a row does not add
        up to 1 to a hundredth, or the labels do not fit them.
    """
    check_float("probabilities", probabilities, "NC")
    check_labels(labels, *probabilities.shape)
    _check_distributions(probabilities)
    p = probabilities[np.arange(len(labels)), labels]
    with np.errstate(divide="ignore"):  # log 0: the loss is infinite, and says so
        return float(-np.log(p).mean()), CrossEntropyCache(probabilities, labels)


def _check_distributions(p: Array) -> None:
    """Raise ``ValueError`` unless each row holds numbers from 0 to 1 that add up to 1.

    To a hundredth, so that differences can be taken of the loss, one probability at a time, in
    float32 too.
    """
    inside = (p >= 0) & (p <= 1 + 1e-6)
    if not inside.all():
        raise ValueError(f"probabilities: expected numbers from 0 to 1, got {p[~inside][0]}")
    sums = p.sum(axis=1)
    odd = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    if len(odd):
        raise ValueError(
            f"probabilities: expected rows that add up to 1, got {sums[odd[0]]:.6g} in row {odd[0]}"
        )


def cross_entropy_backward(dy: float, cache: CrossEntropyCache) -> Array:
    r"""Gradient of [`cross_entropy`][nn_tutorial.cross_entropy] with respect to the probabilities.

    $$\frac{\partial L}{\partial p_{nk}} = -\frac{[k = t_n]}{N\,p_{nk}}$$

    Parameters
    ----------
    dy : float
        The upstream gradient of the loss; 1 where the loss is the end of the graph.
    cache : CrossEntropyCache

    Returns
    -------
    dprobabilities : ndarray, shape and dtype of the probabilities
        Infinite where the true class has probability 0, or one so small that 1/p overflows; 0
        everywhere if ``dy`` is 0.

    Raises
    ------
    ValueError
        If ``dy`` is not one number.
    """
    if np.ndim(dy) != 0 or not is_number(number := np.asarray(dy).item()):
        got = f"shape {np.shape(dy)}" if isinstance(dy, np.ndarray) else repr(dy)
        raise ValueError(f"dy: expected one number, the loss is one, got {got}")
    p, labels = cache
    rows = np.arange(len(labels))
    dp = np.zeros_like(p)
    if number == 0:
        return dp
    with np.errstate(divide="ignore", over="ignore"):  # the slope of log at 0 is infinite
        dp[rows, labels] = -number / (len(labels) * p[rows, labels])
    return dp


def softmax_cross_entropy(logits: Array, labels: Labels) -> tuple[float, Array]:
    r"""Softmax and cross-entropy in one, with their gradient.

    $$L = \frac1N \sum_n \Big(\log \sum_j e^{x_{nj}} - x_{n, t_n}\Big), \qquad
      \frac{\partial L}{\partial x_{nk}} = \frac{p_{nk} - [k = t_n]}{N}$$

    No probability is divided by and no logarithm is taken of one, so nothing is lost where a
    probability rounds to 0.

    Parameters
    ----------
    logits : ndarray of float, (N, C)
        Scores.
    labels : ndarray of int, (N,)
        The true classes $t_n$, from 0 to C − 1.

    Returns
    -------
    loss : float
        In nats.
    dlogits : ndarray, (N, C), dtype of logits

    Raises
    ------
    ValueError
        If the logits are not an (N, C) array of floats, or the labels do not fit them.
    """
    check_float("logits", logits, "NC")
    check_labels(labels, *logits.shape)
    rows = np.arange(len(labels))
    with np.errstate(over="ignore"):  # a difference of −∞ is right, its exponential is 0
        shifted = logits - np.maximum.reduce(logits, 1, keepdims=True)
    dlogits = np.exp(shifted)
    total = np.add.reduce(dlogits, 1, keepdims=True)
    loss = (np.add.reduce(np.log(total[:, 0])) - np.add.reduce(shifted[rows, labels])) / len(labels)
    dlogits /= total
    dlogits[rows, labels] -= 1
    dlogits /= len(labels)
    return float(loss), dlogits


class Softmax(Layer):
    """[`softmax`][nn_tutorial.softmax] as a layer."""

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        return softmax(x)

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return softmax_backward(dy, cache) if need_dx else None, {}
