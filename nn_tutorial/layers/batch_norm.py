"""Batch normalisation, for features (N, D) and for images (N, C, H, W)."""

from typing import Any, NamedTuple

import numpy as np

from .checks import (
    Array,
    check_count,
    check_dtype,
    check_eps,
    check_float,
    check_like,
    is_number,
)
from .layer import Grads, Layer
from .sums import over_rows


class BatchNormCache(NamedTuple):
    """What ``batch_norm_backward`` needs, and the statistics that the layer keeps."""

    xhat: Array
    weight: Array
    inv_std: Array
    mean: Array
    var: Array
    train: bool


def batch_norm(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    mean: Array | None = None,
    var: Array | None = None,
    eps: float = 1e-5,
) -> tuple[Array, BatchNormCache]:
    r"""Centre and scale each feature over the batch, then let γ and β choose anew.

    $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma \hat x + \beta$$

    μ and the biased variance σ² are taken over N (and H and W); in evaluation they are given.

    Parameters
    ----------
    x : ndarray of float, (N, D) or (N, C, H, W)
    weight, bias : ndarray, (D,) or (C,)
        γ and β.
    mean, var : ndarray, (D,) or (C,), optional
        Given together: evaluation with these statistics. Left out: training.
    eps : float
        Keeps the square root away from 0; in units of x². Not negative.

    Returns
    -------
    y : ndarray, shape and dtype of x
    cache : BatchNormCache

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, ``eps`` is negative, only one of ``mean`` and ``var`` is
        given, or a training batch has one value per feature, whose variance says nothing.

    References
    ----------
    Ioffe and Szegedy (2015), Batch normalization, ICML, algorithms 1 and 2.
    """
    check_float("x", x, "ND|NCHW")
    check_eps(eps)
    channel = (x.shape[1],)
    for name, value in (("weight", weight), ("bias", bias), ("mean", mean), ("var", var)):
        if value is not None or name in ("weight", "bias"):
            check_like(name, value, channel, x.dtype, "one per feature of x")
    if var is not None and (var < 0).any():
        raise ValueError(f"var: expected numbers of at least 0, got {var.min()}")
    if (mean is None) != (var is None):
        raise ValueError("mean, var: expected both (evaluation) or neither (training), got one")
    m = x.size // max(x.shape[1], 1)
    train = mean is None
    if train and m < 2:
        raise ValueError(f"x: expected at least 2 values per feature to train, got shape {x.shape}")
    if mean is None or var is None:
        # Centre before squaring: E[x²] − E[x]² loses every digit where the mean is large.
        mean = _sum(x) / m
        xhat = x - _channels(mean, x)
        var = _sum(xhat, xhat) / m
    else:
        xhat = x - _channels(mean, x)
    inv_std = 1 / np.sqrt(var + eps)
    xhat *= _channels(inv_std, x)
    y = xhat * _channels(weight, x)
    y += _channels(bias, x)
    return y, BatchNormCache(xhat, weight, inv_std, mean, var, train)


def batch_norm_backward(
    dy: Array, cache: BatchNormCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    r"""Gradient of [`batch_norm`][nn_tutorial.batch_norm].

    With $m$ values per feature, in training

    $$\frac{\partial L}{\partial x} = \frac{\gamma}{\sqrt{\sigma^2 + \varepsilon}} \left(
      \frac{\partial L}{\partial y} - \frac1m \frac{\partial L}{\partial \beta}
      - \frac{\hat x}{m} \frac{\partial L}{\partial \gamma}\right), \qquad
      \frac{\partial L}{\partial \gamma} = \sum \frac{\partial L}{\partial y} \hat x, \qquad
      \frac{\partial L}{\partial \beta} = \sum \frac{\partial L}{\partial y}$$

    In evaluation the statistics are constants and only the first term is left.

    Parameters
    ----------
    dy : ndarray of float, shape of y
    cache : BatchNormCache
    need_dx : bool
        False leaves ``dx`` out, and returns ``None`` in its place.

    Returns
    -------
    dx : ndarray, shape of x, or None
    dweight, dbias : ndarray, (D,) or (C,)

    Raises
    ------
    ValueError
        If ``dy`` does not have the shape and dtype of ``y``.

    References
    ----------
    Ioffe and Szegedy (2015), section 3, gathered into one line.
    """
    xhat = cache.xhat
    check_like("dy", dy, xhat.shape, xhat.dtype, "that of y")
    dweight, dbias = _sum(dy, xhat), _sum(dy)
    if not need_dx:
        return None, dweight, dbias
    if cache.train:
        m = dy.size // len(dbias)
        dx: Array = xhat * _channels(dweight / -m, dy)
        dx += dy
        dx -= _channels(dbias / m, dy)
    else:
        dx = dy.copy(order="K")
    dx *= _channels(cache.weight * cache.inv_std, dy)
    return dx, dweight, dbias


def _channels(v: Array, x: Array) -> Array:
    """One value per feature, shaped to broadcast over ``x``."""
    return v.reshape((-1,) + (1,) * (x.ndim - 2))


def _sum(*factors: Array) -> Array:
    """Sum over all but the feature axis, of a product without storing it."""
    if factors[0].ndim == 2:
        return over_rows(*factors)
    if len(factors) == 1:
        return np.asarray(factors[0].sum(axis=(0, 2, 3)))
    return np.einsum("nchw,nchw->c", *factors)


class BatchNorm(Layer):
    """[`batch_norm`][nn_tutorial.batch_norm] with γ, β and running statistics.

    It normalises with the biased variance and keeps the unbiased one, as PyTorch does.

    Parameters
    ----------
    num_features : int
        D or C.
    eps : float
        See ``batch_norm``; not negative.
    momentum : float
        Weight of the newest batch in the running statistics, from 0 to 1.
    dtype : dtype
        Of parameters and buffers.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    def __init__(
        self,
        num_features: int,
        *,
        eps: float = 1e-5,
        momentum: float = 0.1,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        check_count("num_features", num_features)
        check_eps(eps)
        if not (is_number(momentum) and 0 <= momentum <= 1):
            raise ValueError(f"momentum: expected a number from 0 to 1, got {momentum!r}")
        check_dtype(dtype)
        self.eps, self.momentum = eps, momentum
        one, zero = np.ones(num_features, dtype), np.zeros(num_features, dtype)
        self.params = {"weight": one, "bias": zero}
        self.buffers = {"running_mean": zero.copy(), "running_var": one.copy()}

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, BatchNormCache]:
        weight, bias = self.params["weight"], self.params["bias"]
        mean, var = self.buffers["running_mean"], self.buffers["running_var"]
        if not train:
            # Copies, so that a later training pass cannot change this pass's cache.
            return batch_norm(x, weight, bias, mean=mean.copy(), var=var.copy(), eps=self.eps)
        y, cache = batch_norm(x, weight, bias, eps=self.eps)
        m = x.size // x.shape[1]
        # Not mean += momentum·(new − mean), which rounds where both are far apart.
        for kept, new in ((mean, cache.mean), (var, cache.var * (m / (m - 1)))):
            kept *= 1 - self.momentum
            kept += self.momentum * new
        return y, cache

    def backward(
        self, dy: Array, cache: BatchNormCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        dx, dweight, dbias = batch_norm_backward(dy, cache, need_dx=need_dx)
        return dx, {"weight": dweight, "bias": dbias}
