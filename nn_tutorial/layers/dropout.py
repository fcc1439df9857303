"""Dropout: train with some of the inputs missing."""

from typing import Any

import numpy as np

from .checks import Array, check_dy, check_float, check_rng, is_number, where_open
from .layer import Grads, Layer


def dropout(x: Array, p: float, rng: np.random.Generator) -> tuple[Array, Array]:
    r"""Drop each element with probability p and scale up the others.

    $$y = \frac{m \odot x}{1 - p}, \qquad m \sim \text{Bernoulli}(1 - p)$$

    The scale keeps the expected value, so that nothing is to be done at prediction. What is dropped
    is 0, infinities too.

    Parameters
    ----------
    x : ndarray of float, any shape
    p : float
        Probability of dropping, from 0 to below 1.
    rng : numpy.random.Generator
        Draws the mask.

    Returns
    -------
    y : ndarray, shape and dtype of x
    scale : ndarray, shape and dtype of x
        The cache: 0 where dropped, 1/(1 − p) elsewhere.

    Raises
    ------
    ValueError
        If ``p`` is out of range, ``rng`` is no generator or ``x`` is not an array of floats.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), Dropout, JMLR.
    """
    check_float("x", x, "")
    check_probability(p)
    check_rng(rng)
    kept = np.greater_equal(rng.random(x.shape), p, out=np.empty_like(x, bool))
    scale = kept.astype(x.dtype)
    scale *= 1 / (1 - p)
    return np.asarray(where_open(kept, x) * scale), scale


def dropout_backward(dy: Array, scale: Array) -> Array:
    r"""Gradient of [`dropout`][nn_tutorial.dropout]: what was dropped gets none.

    $$\frac{\partial L}{\partial x} = \frac{m}{1 - p} \odot \frac{\partial L}{\partial y}$$

    Parameters
    ----------
    dy : ndarray of float
    scale : ndarray
        The cache of ``dropout``.

    Returns
    -------
    dx : ndarray, shape and dtype of dy

    Raises
    ------
    ValueError
        If ``dy`` has another shape than ``y``.
    """
    check_dy(dy, scale)
    return np.asarray(where_open(scale > 0, dy) * scale)


def check_probability(p: float) -> None:
    """Raise ``ValueError`` unless 0 ≤ p < 1."""
    if not (is_number(p) and 0 <= p < 1):
        raise ValueError(f"p: expected a probability from 0 to below 1, got {p!r}")


class Dropout(Layer):
    """[`dropout`][nn_tutorial.dropout] while training; nothing at prediction.

    Parameters
    ----------
    p : float
        Probability of dropping, from 0 to below 1.
    rng : numpy.random.Generator
        Draws a new mask at each training pass.

    Raises
    ------
    ValueError
        If ``p`` is out of range, or ``rng`` is no generator.
    """

    def __init__(self, p: float, *, rng: np.random.Generator) -> None:
        super().__init__()
        check_probability(p)
        check_rng(rng)
        self.p, self.rng = p, rng

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        if train:
            return dropout(x, self.p, self.rng)
        check_float("x", x, "")
        return x, np.ones_like(x)

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return dropout_backward(dy, cache) if need_dx else None, {}
