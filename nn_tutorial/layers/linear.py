"""The fully connected layer."""

from typing import Any, NamedTuple

import numpy as np

from .checks import Array, check_count, check_dtype, check_float, check_like, check_rng
from .initializers import Initializer, he_normal
from .layer import Grads, Layer


class LinearCache(NamedTuple):
    """What ``linear_backward`` needs."""

    x: Array
    weight: Array


def linear(x: Array, weight: Array, bias: Array) -> tuple[Array, LinearCache]:
    r"""Affine map of each row.

    $$y_{nk} = \sum_i x_{ni} w_{ik} + b_k, \qquad Y = XW + b$$

    Parameters
    ----------
    x : ndarray of float, (N, n_in)
        One example a row.
    weight : ndarray, (n_in, n_out)
        PyTorch stores the transpose.
    bias : ndarray, (n_out,)

    Returns
    -------
    y : ndarray, (N, n_out), dtype of x
    cache : LinearCache

    Raises
    ------
    ValueError
        If a shape does not fit, or the dtypes are not one and the same float type.
    """
    check_float("x", x, "ND")
    check_float("weight", weight, "IO")
    if x.shape[1] != weight.shape[0] or x.dtype != weight.dtype:
        raise ValueError(
            f"x: expected {weight.shape[0]} features of {weight.dtype}, as weight has, "
            f"got shape {x.shape} of {x.dtype}"
        )
    check_like("bias", bias, weight.shape[1:], weight.dtype, "one a column of weight")
    return x @ weight + bias, LinearCache(x, weight)


def linear_backward(
    dy: Array, cache: LinearCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    r"""Gradient of [`linear`][nn_tutorial.linear].

    $$\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} W^\top, \qquad
      \frac{\partial L}{\partial W} = X^\top \frac{\partial L}{\partial Y}, \qquad
      \frac{\partial L}{\partial b_k} = \sum_n \frac{\partial L}{\partial y_{nk}}$$

    Parameters
    ----------
    dy : ndarray of float, (N, n_out)
    cache : LinearCache
    need_dx : bool
        False leaves out the first product, and ``dx`` is ``None``.

    Returns
    -------
    dx : ndarray, (N, n_in), or None
    dweight : ndarray, (n_in, n_out)
    dbias : ndarray, (n_out,)

    Raises
    ------
    ValueError
        If ``dy`` does not have the shape and dtype of ``y``.
    """
    x, weight = cache
    check_like("dy", dy, (len(x), weight.shape[1]), x.dtype, "that of y")
    # (W dyᵀ)ᵀ is dy Wᵀ with the batch last in memory, the order in which images want it back.
    return (weight @ dy.T).T if need_dx else None, x.T @ dy, np.add.reduce(dy, 0)


class Linear(Layer):
    """[`linear`][nn_tutorial.linear] with its weight and bias.

    Parameters
    ----------
    n_in, n_out : int
        Features of the input and of the output.
    rng : numpy.random.Generator
        Draws the weight.
    dtype : dtype
        Of the parameters, and so of the data.
    init : Initializer
        How the weight begins; the bias begins at zero.

    Raises
    ------
    ValueError
        If a number of features is no integer of at least 1, or ``rng`` is no generator.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        dtype: Any = np.float32,
        init: Initializer = he_normal,
    ) -> None:
        super().__init__()
        check_count("n_in", n_in)
        check_count("n_out", n_out)
        check_rng(rng)
        check_dtype(dtype)
        weight = init((n_in, n_out), rng=rng, dtype=dtype)
        self.params = {"weight": weight, "bias": np.zeros(n_out, dtype)}

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, LinearCache]:
        return linear(x, self.params["weight"], self.params["bias"])

    def backward(
        self, dy: Array, cache: LinearCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        dx, dweight, dbias = linear_backward(dy, cache, need_dx=need_dx)
        return dx, {"weight": dweight, "bias": dbias}
