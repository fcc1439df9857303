"""Initialisers: how a weight begins. Each is called as ``init(shape, rng=rng, dtype=dtype)``."""

import math
from typing import Any, Protocol

import numpy as np

from .checks import Array, check_dtype, check_like, check_rng, is_number, is_whole


class Initializer(Protocol):
    """What a layer's ``init`` must look like."""

    def __call__(
        self, shape: tuple[int, ...], *, rng: np.random.Generator, dtype: Any = np.float32
    ) -> Array:
        """Return a new array of this shape and dtype."""


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs feed one output, and how many outputs one input feeds.

    Parameters
    ----------
    shape : tuple of int
        (n_in, n_out) of a linear weight, or (F, C, kh, kw) of a convolution.

    Raises
    ------
    ValueError
        If it is neither.
    """
    check_shape(shape)
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) == 4:
        area = shape[2] * shape[3]
        return shape[1] * area, shape[0] * area
    raise ValueError(f"shape: expected (n_in, n_out) or (F, C, kh, kw), got {shape}")


def check_shape(shape: tuple[int, ...]) -> None:
    """Raise ``ValueError`` unless it is a tuple of integers of at least 1."""
    if not isinstance(shape, (tuple, list)) or not all(is_whole(s) and s > 0 for s in shape):
        raise ValueError(f"shape: expected a tuple of integers of at least 1, got {shape!r}")


def begin(
    init: Initializer, shape: tuple[int, ...], *, rng: np.random.Generator, dtype: Any
) -> Array:
    """Return what an initialiser gives, or raise ``ValueError`` where that is no such weight."""
    check_rng(rng)
    check_dtype(dtype)
    if not callable(init):
        raise ValueError(f"init: expected an initialiser, such as he_normal, got {init!r}")
    weight = init(shape, rng=rng, dtype=dtype)
    check_like("init", weight, shape, np.dtype(dtype), "that of the weight")
    return weight


def zeros(shape: tuple[int, ...], *, rng: np.random.Generator, dtype: Any = np.float32) -> Array:
    """All zero: right for a bias, and for a weight the classic way to learn nothing.

    Parameters
    ----------
    shape : tuple of int
    rng : numpy.random.Generator
        Not used; here so that all initialisers are called alike.
    dtype : dtype
    """
    check_shape(shape)
    check_dtype(dtype)
    return np.zeros(shape, dtype)


def normal(std: float) -> Initializer:
    r"""Return an initialiser that draws from $\mathcal N(0, \texttt{std}^2)$.

    Parameters
    ----------
    std : float
        Standard deviation, not negative.

    Raises
    ------
    ValueError
        If ``std`` is negative or not finite.
    """
    if not (is_number(std) and 0 <= std < math.inf):
        raise ValueError(f"std: expected a finite number of at least 0, got {std!r}")

    def init(shape: tuple[int, ...], *, rng: np.random.Generator, dtype: Any = np.float32) -> Array:
        check_shape(shape)
        check_rng(rng)
        check_dtype(dtype)
        return (std * rng.standard_normal(shape)).astype(dtype)

    return init


def xavier_normal(
    shape: tuple[int, ...], *, rng: np.random.Generator, dtype: Any = np.float32
) -> Array:
    r"""A compromise between activations and gradients, for a linear or tanh layer.

    A variance of $1/n_\text{in}$ would keep the mean square of the activations, one of
    $1/n_\text{out}$ that of the gradients.

    $$w \sim \mathcal N\!\left(0,\; \frac{2}{n_\text{in} + n_\text{out}}\right)$$

    Parameters
    ----------
    shape : tuple of int
        (n_in, n_out) or (F, C, kh, kw).
    rng : numpy.random.Generator
    dtype : dtype

    References
    ----------
    Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural
    networks, AISTATS, equation 12 for the variance.
    """
    return normal(math.sqrt(2 / sum(fans(shape))))(shape, rng=rng, dtype=dtype)


def xavier_uniform(
    shape: tuple[int, ...], *, rng: np.random.Generator, dtype: Any = np.float32
) -> Array:
    r"""Return the uniform distribution with the variance of ``xavier_normal``.

    $$w \sim \mathcal U(-a, a), \qquad a = \sqrt{\frac{6}{n_\text{in} + n_\text{out}}}$$

    Parameters
    ----------
    shape : tuple of int
        (n_in, n_out) or (F, C, kh, kw).
    rng : numpy.random.Generator
    dtype : dtype

    References
    ----------
    Glorot and Bengio (2010), equation 16.
    """
    a = math.sqrt(6 / sum(fans(shape)))
    check_rng(rng)
    check_dtype(dtype)
    return rng.uniform(-a, a, shape).astype(dtype)


def he_normal(
    shape: tuple[int, ...], *, rng: np.random.Generator, dtype: Any = np.float32
) -> Array:
    r"""Keep the mean square of the activations through a ReLU, which halves it.

    $$w \sim \mathcal N\!\left(0,\; \frac{2}{n_\text{in}}\right)$$

    Parameters
    ----------
    shape : tuple of int
        (n_in, n_out) or (F, C, kh, kw).
    rng : numpy.random.Generator
    dtype : dtype

    References
    ----------
    He, Zhang, Ren and Sun (2015), Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification, ICCV, equation 10.
    """
    return normal(math.sqrt(2 / fans(shape)[0]))(shape, rng=rng, dtype=dtype)
