"""From scores to a loss: softmax, cross-entropy, and the two fused."""

from typing import Any, NamedTuple

import numpy as np

from .checks import (
    Array,
    Labels,
    check_dy,
    check_float,
    check_labels,
    check_like,
    is_number,
    is_whole,
    where_open,
)
from .layer import Grads, Layer

Softmaxed = Array | tuple[Array, int]


def softmax(x: Array, *, axis: int = -1) -> tuple[Array, Softmaxed]:
    r"""Turn scores into probabilities, along the last axis or another one.

    $$p_{nk} = \frac{e^{x_{nk} - m_n}}{\sum_j e^{x_{nj} - m_n}}, \qquad m_n = \max_j x_{nj}$$

    Subtracting the row's maximum changes nothing but the largest exponent, which is now 0: the
    exponential cannot overflow.

    Parameters
    ----------
    x : ndarray of float, (N, C) or any shape with at least one axis
        Scores (logits).
    axis : int
        That of the classes, which PyTorch calls ``dim``.

    Returns
    -------
    p : ndarray, shape and dtype of x
        Positive, with sum 1 along the axis.
    cache : ndarray, or (ndarray, int)
        ``p``, which is all that the gradient needs; with the axis, if that is not the last.

    Raises
    ------
    ValueError
        If ``x`` is not an array of floats, or does not have the axis.
    """
    check_float("x", x, "")
    if x.ndim == 0:
        raise ValueError("x: expected at least one axis, of classes, got shape ()")
    check_axis(axis, x.ndim)
    with np.errstate(over="ignore"):  # a difference of −∞ is right, its exponential is 0
        e = np.exp(x - x.max(axis=axis, keepdims=True))
    p = e / e.sum(axis=axis, keepdims=True)
    return p, p if axis in (-1, x.ndim - 1) else (p, axis)


def softmax_backward(dp: Array, p: Softmaxed) -> Array:
    r"""Gradient of [`softmax`][nn_tutorial.softmax], without ever building its Jacobian.

    $$\frac{\partial L}{\partial x_{ni}} = p_{ni} \left(\frac{\partial L}{\partial p_{ni}}
      - \sum_j \frac{\partial L}{\partial p_{nj}} p_{nj}\right)$$

    Parameters
    ----------
    dp : ndarray of float, shape of p
        The upstream gradient.
    p : ndarray, or (ndarray, int)
        The cache of ``softmax``.

    Returns
    -------
    dx : ndarray, shape and dtype of dp
        Its sum along the axis is 0.

    Raises
    ------
    ValueError
        If ``dp`` has another shape than ``p``.
    """
    p, axis = p if isinstance(p, tuple) else (p, -1)
    check_dy(dp, p)
    return p * (dp - (dp * p).sum(axis=axis, keepdims=True))


def check_axis(axis: int, ndim: int | None = None) -> None:
    """Raise ``ValueError`` unless it is an integer, and one of ``ndim`` axes."""
    if not is_whole(axis) or (ndim is not None and not -ndim <= axis < ndim):
        wanted = "an integer" if ndim is None else f"an integer from {-ndim} to {ndim - 1}"
        raise ValueError(f"axis: expected {wanted}, got {axis!r}")


SUM_TOLERANCE = 0.01


class CrossEntropyCache(NamedTuple):
    """What ``cross_entropy_backward`` needs."""

    probabilities: Array
    labels: Labels


def cross_entropy(probabilities: Array, labels: Labels) -> tuple[float, CrossEntropyCache]:
    r"""Mean negative log-likelihood of the labels.

    $$L = -\frac1N \sum_n \log p_{n, t_n}$$

    Sums, class weights and the like: see
    [`softmax_cross_entropy`][nn_tutorial.softmax_cross_entropy], which starts from the scores.

    Parameters
    ----------
    probabilities : ndarray of float, (N, C)
        One distribution per row.
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


def softmax_cross_entropy(
    logits: Array,
    labels: Labels,
    *,
    weight: Array | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> tuple[Any, Array]:
    r"""Softmax and cross-entropy in one, with their gradient.

    $$L = \frac1N \sum_n \Big(\log \sum_j e^{x_{nj}} - x_{n, t_n}\Big), \qquad
      \frac{\partial L}{\partial x_{nk}} = \frac{p_{nk} - [k = t_n]}{N}$$

    No probability is divided by and no logarithm is taken of one, so nothing is lost where a
    probability rounds to 0.

    With a weight $w_k$ for each class and a share $\varepsilon$ of smoothing, the label becomes a
    target for all C classes:

    $$q_{nk} = w_k \Big((1 - \varepsilon)\,[k = t_n] + \frac{\varepsilon}{C}\Big), \qquad
      L = -\frac1Z \sum_{n,k} q_{nk} \log p_{nk}, \qquad
      \frac{\partial L}{\partial x_{nk}} = \frac1Z \Big(p_{nk} \sum_j q_{nj} - q_{nk}\Big)$$

    $Z = \sum_n w_{t_n}$ is N without weights. All sums leave out the ignored examples.

    Parameters
    ----------
    logits : ndarray of float, (N, C)
        Scores.
    labels : ndarray of int, (N,)
        The true classes $t_n$, from 0 to C − 1. For a target that is a distribution, add up the
        losses of its classes, each times its probability.
    weight : ndarray, (C,), optional
        $w_k$, at least 0; left out, 1.
    ignore_index : int, optional
        A label that is no class: its examples take no part, and their gradient is 0.
    label_smoothing : float
        $\varepsilon$, from 0 to 1.
    reduction : {"mean", "sum", "none"}
        "sum" has Z = 1. So has "none", which returns each example's loss, and in its row of the
        gradient that of its own loss.

    Returns
    -------
    loss : float, or ndarray (N,)
        In nats.
    dlogits : ndarray, (N, C), dtype of logits

    Raises
    ------
    ValueError
        If the logits are not an (N, C) array of floats, the labels do not fit them, an option is
        out of its range, or the mean is asked for where all weights are 0 or all examples ignored.

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), Rethinking the inception architecture for
    computer vision, CVPR, section 7, for the smoothing.
    """
    check_float("logits", logits, "NC")
    smooth = not isinstance(label_smoothing, (float, int)) or label_smoothing != 0
    mean = isinstance(reduction, str) and reduction == "mean"
    if weight is not None or ignore_index is not None or smooth or not mean:
        options = weight, ignore_index, label_smoothing, reduction
        return _to_targets(logits, *_targets(logits, labels, *options), reduction)
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


def _targets(
    logits: Array,
    labels: Labels,
    weight: Array | None,
    ignore_index: int | None,
    label_smoothing: float,
    reduction: str,
) -> tuple[Array, float]:
    """The targets q (N, C) and Z, or ``ValueError``."""
    n, classes = logits.shape
    if weight is None:
        weight = np.ones(classes, logits.dtype)
    check_like("weight", weight, (classes,), logits.dtype, "one per class of logits")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(f"weight: expected finite numbers of at least 0, got {weight}")
    if ignore_index is not None and not is_whole(ignore_index):
        raise ValueError(f"ignore_index: expected an integer, got {ignore_index!r}")
    if not (is_number(label_smoothing) and 0 <= label_smoothing <= 1):
        raise ValueError(f"label_smoothing: expected a number from 0 to 1, got {label_smoothing!r}")
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction: expected "mean", "sum" or "none", got {reduction!r}')
    kept, known = np.ones(n, bool), labels
    if ignore_index is not None and isinstance(labels, np.ndarray) and labels.shape == (n,):
        kept = np.asarray(labels != ignore_index)
        known = labels.copy()
        known[~kept] = 0
    check_labels(known, n, classes)
    q = np.full((n, classes), label_smoothing / classes, logits.dtype)
    q[np.arange(n), known] += 1 - label_smoothing
    q *= weight * kept[:, None]
    z = float(weight[known[kept]].sum()) if reduction == "mean" else 1.0
    if z == 0:
        raise ValueError("labels: expected one of a class whose weight is not 0, got none")
    return q, z


def _to_targets(logits: Array, q: Array, z: float, reduction: str) -> tuple[Any, Array]:
    """Loss and gradient for the targets q, divided by z."""
    with np.errstate(over="ignore"):  # a difference of −∞ is right, its exponential is 0
        shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    # −log p, and 0 where it does not count: 0 times infinity is not 0.
    surprise = where_open(q > 0, np.log(total) - shifted)
    losses = (q * surprise).sum(axis=1) / z
    dlogits = (p * q.sum(axis=1, keepdims=True) - q) / z
    return losses if reduction == "none" else float(losses.sum()), dlogits


class Softmax(Layer):
    """[`softmax`][nn_tutorial.softmax] as a layer.

    Parameters
    ----------
    axis : int
        See ``softmax``.

    Raises
    ------
    ValueError
        If it is no integer.
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        check_axis(axis)
        self.axis = axis

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        return softmax(x, axis=self.axis)

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return softmax_backward(dy, cache) if need_dx else None, {}
