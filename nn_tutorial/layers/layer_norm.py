"""Layer normalisation, for features (N, D) and for images (N, C, H, W)."""

from typing import Any, NamedTuple

import numpy as np

from .checks import Array, check_dtype, check_eps, check_float, check_like, is_whole
from .layer import Grads, Layer
from .sums import over_rows


class LayerNormCache(NamedTuple):
    """What ``layer_norm_backward`` needs, and the statistics of each example."""

    xhat: Array
    weight: Array
    inv_std: Array
    mean: Array
    var: Array


def layer_norm(
    x: Array, weight: Array, bias: Array, *, eps: float = 1e-5
) -> tuple[Array, LayerNormCache]:
    r"""Centre and scale each example over its features, then let γ and β choose anew.

    $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma \hat x + \beta$$

    μ and the biased variance σ² are those of one example, over D, or over C, H and W together. So
    an example's output depends on no other, in training as in evaluation. Each feature (of an
    image: each channel of each pixel) has a γ and a β. An example of one value becomes β.

    Parameters
    ----------
    x : ndarray of float, (N, D) or (N, C, H, W)
    weight, bias : ndarray, (D,) or (C, H, W)
        γ and β.
    eps : float
        Keeps the square root away from 0; in units of x². Not negative.

    Returns
    -------
    y : ndarray, shape and dtype of x
    cache : LayerNormCache
        Mean, variance and 1/√(σ² + ε) have shape (N,).

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, or ``eps`` is negative.

    References
    ----------
    Ba, Kiros and Hinton (2016), Layer normalization, arXiv:1607.06450, equation 3.
    """
    check_float("x", x, "ND|NCHW")
    check_eps(eps)
    for name, value in (("weight", weight), ("bias", bias)):
        check_like(name, value, x.shape[1:], x.dtype, "that of one example of x")
    # As in batch_norm, but along an example: centre before squaring.
    mean = _mean(x)
    xhat = x - _examples(mean, x)
    var = _dot(xhat, xhat) / xhat[0].size
    inv_std = 1 / np.sqrt(var + eps)
    xhat *= _examples(inv_std, x)
    y = _scaled(xhat, weight)
    y += bias
    return y, LayerNormCache(xhat, weight, inv_std, mean, var)


def layer_norm_backward(
    dy: Array, cache: LayerNormCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    r"""Gradient of [`layer_norm`][nn_tutorial.layer_norm].

    With $g = \gamma\,\partial L/\partial y$, the upstream gradient of $\hat x$, and means over the
    $m$ values of each example

    $$\frac{\partial L}{\partial x} = \frac{1}{\sqrt{\sigma^2 + \varepsilon}} \left(
      g - \frac1m \sum g - \frac{\hat x}{m} \sum g\,\hat x\right)$$

    and, summed over the batch,

    $$\frac{\partial L}{\partial \gamma} = \sum_n \frac{\partial L}{\partial y} \hat x, \qquad
      \frac{\partial L}{\partial \beta} = \sum_n \frac{\partial L}{\partial y}$$

    Parameters
    ----------
    dy : ndarray of float, shape of y
    cache : LayerNormCache
    need_dx : bool
        False leaves ``dx`` out, and returns ``None`` instead.

    Returns
    -------
    dx : ndarray, shape of x, or None
    dweight, dbias : ndarray, (D,) or (C, H, W)

    Raises
    ------
    ValueError
        If ``dy`` does not have the shape and dtype of ``y``.

    References
    ----------
    Ba, Kiros and Hinton (2016), equation 3, differentiated; see the chapter.
    """
    xhat = cache.xhat
    check_like("dy", dy, xhat.shape, xhat.dtype, "that of y")
    dweight, dbias = over_rows(dy, xhat), over_rows(dy)
    if not need_dx:
        return None, dweight, dbias
    # γ differs along an example, so it goes in before the means are taken.
    dxhat = _scaled(dy, cache.weight)
    dx: Array = xhat * _examples(_dot(dxhat, xhat) / -xhat[0].size, dy)
    dx += dxhat
    dx -= _examples(_mean(dxhat), dy)
    dx *= _examples(cache.inv_std, dy)
    return dx, dweight, dbias


def _examples(v: Array, x: Array) -> Array:
    """One value per example, shaped to broadcast over ``x``."""
    return v.reshape((-1,) + (1,) * (x.ndim - 1))


def _scaled(x: Array, weight: Array) -> Array:
    """Each feature times its weight, in the memory order of ``x``: the batch stays last."""
    return np.multiply(x, weight, out=np.empty_like(x))


def _mean(x: Array) -> Array:
    return np.asarray(x.mean(axis=tuple(range(1, x.ndim))))


def _dot(a: Array, b: Array) -> Array:
    """Sum of a·b over each example, without storing the product."""
    return np.einsum("nd,nd->n" if a.ndim == 2 else "nchw,nchw->n", a, b)


class LayerNorm(Layer):
    """[`layer_norm`][nn_tutorial.layer_norm] with γ and β; training and evaluation are the same.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Of one example: D, or (C, H, W).
    eps : float
        See ``layer_norm``; not negative.
    dtype : dtype
        Of the parameters.

    Raises
    ------
    ValueError
        If a number is out of its range, or the shape is neither (D,) nor (C, H, W).
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        *,
        eps: float = 1e-5,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        shape = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
        if len(shape) not in (1, 3) or not all(map(is_whole, shape)) or min(shape) < 1:
            raise ValueError(
                f"normalized_shape: expected D or (C, H, W), integers of at least 1, "
                f"got {normalized_shape!r}"
            )
        check_eps(eps)
        check_dtype(dtype)
        self.eps = eps
        self.params = {"weight": np.ones(shape, dtype), "bias": np.zeros(shape, dtype)}

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, LayerNormCache]:
        return layer_norm(x, self.params["weight"], self.params["bias"], eps=self.eps)

    def backward(
        self, dy: Array, cache: LayerNormCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        dx, dweight, dbias = layer_norm_backward(dy, cache, need_dx=need_dx)
        return dx, {"weight": dweight, "bias": dbias}
