"""The fully connected layer."""

from typing import Any, NamedTuple

import numpy as np

from .checks import Array, check_count, check_flag, check_float, check_like
from .initializers import Initializer, begin, he_normal
from .layer import Grads, Layer
from .sums import over_rows


class LinearCache(NamedTuple):
    """What ``linear_backward`` needs."""

    x: Array
    weight: Array
    has_bias: bool = True


def linear(x: Array, weight: Array, bias: Array | None = None) -> tuple[Array, LinearCache]:
    r"""Affine map of each row.

    $$y_{nk} = \sum_i x_{ni} w_{ik} + b_k, \qquad Y = XW + b$$

    Parameters
    ----------
    x : ndarray of float, (N, n_in) or (N, ..., n_in)
        One example per row; of more axes the last has the features, and all others stay.
    weight : ndarray, (n_in, n_out)
        PyTorch stores the transpose.
    bias : ndarray, (n_out,), optional
        Left out: 0.

    Returns
    -------
    y : ndarray, (N, n_out) or (N, ..., n_out), dtype of x
    cache : LinearCache

    Raises
    ------
    ValueError
        If a shape does not fit, or the dtypes are not one and the same float type.
    """
    check_float("x", x, "")
    if x.ndim < 2:
        raise ValueError(f"x: expected shape (N, D) or (N, ..., D), got {x.shape}")
    check_float("weight", weight, "IO")
    if x.shape[-1] != weight.shape[0] or x.dtype != weight.dtype:
        raise ValueError(
            f"x: expected {weight.shape[0]} features of {weight.dtype}, as weight has, "
            f"got shape {x.shape} of {x.dtype}"
        )
    if bias is None:
        return x @ weight, LinearCache(x, weight, has_bias=False)
    check_like("bias", bias, weight.shape[1:], weight.dtype, "one per column of weight")
    return x @ weight + bias, LinearCache(x, weight)


def linear_backward(
    dy: Array, cache: LinearCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array | None]:
    r"""Gradient of [`linear`][nn_tutorial.linear].

    $$\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} W^\top, \qquad
      \frac{\partial L}{\partial W} = X^\top \frac{\partial L}{\partial Y}, \qquad
      \frac{\partial L}{\partial b_k} = \sum_n \frac{\partial L}{\partial y_{nk}}$$

    Of more axes than two all but the last are one: the sums run over all their rows.

    Parameters
    ----------
    dy : ndarray of float, shape of y
    cache : LinearCache
    need_dx : bool
        False leaves out the first product, and ``dx`` is ``None``.

    Returns
    -------
    dx : ndarray, shape of x, or None
    dweight : ndarray, (n_in, n_out)
    dbias : ndarray, (n_out,), or None where there was no bias

    Raises
    ------
    ValueError
        If ``dy`` does not have the shape and dtype of ``y``.
    """
    x, weight, has_bias = cache
    check_like("dy", dy, (*x.shape[:-1], weight.shape[1]), x.dtype, "that of y")
    rows = dy if dy.ndim == 2 else dy.reshape(-1, dy.shape[-1])  # all axes but the last as one
    dbias = over_rows(rows) if has_bias else None
    if dy.ndim > 2:
        return dy @ weight.T if need_dx else None, x.reshape(len(rows), -1).T @ rows, dbias
    # (W dyᵀ)ᵀ is dy Wᵀ with the batch last in memory, the order in which images want it back.
    return (weight @ dy.T).T if need_dx else None, x.T @ dy, dbias


class Linear(Layer):
    """[`linear`][nn_tutorial.linear] with its weight and bias.

    Parameters
    ----------
    n_in, n_out : int
        Features of the input and of the output.
    bias : bool
        Whether there is one.
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
        bias: bool = True,
        rng: np.random.Generator,
        dtype: Any = np.float32,
        init: Initializer = he_normal,
    ) -> None:
        super().__init__()
        check_count("n_in", n_in)
        check_count("n_out", n_out)
        check_flag("bias", bias)
        self.params = {"weight": begin(init, (n_in, n_out), rng=rng, dtype=dtype)}
        if bias:
            self.params["bias"] = np.zeros(n_out, dtype)

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, LinearCache]:
        return linear(x, self.params["weight"], self.params.get("bias"))

    def backward(
        self, dy: Array, cache: LinearCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        dx, dweight, dbias = linear_backward(dy, cache, need_dx=need_dx)
        return dx, {"weight": dweight} if dbias is None else {"weight": dweight, "bias": dbias}
