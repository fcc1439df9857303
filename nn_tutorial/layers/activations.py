"""Activations: one nonlinear function, applied to each element."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import Array, check_dy, check_float, where_open
from .layer import Grads, Layer


def relu(x: Array) -> tuple[Array, NDArray[np.bool]]:
    r"""Rectified linear unit.

    $$y = \max(x, 0)$$

    Parameters
    ----------
    x : ndarray of float, any shape
        The input.

    Returns
    -------
    y : ndarray, shape and dtype of x
        The output.
    mask : ndarray of bool, shape of x
        The cache: where ``x > 0``.

    Raises
    ------
    ValueError
        If ``x`` is not an array of floats.

    References
    ----------
    Nair and Hinton (2010), Rectified linear units improve restricted Boltzmann machines, ICML.
    """
    check_float("x", x, "")
    # Clipping runs many elements at a time; np.maximum(x, 0), with a scalar, one by one.
    return np.asarray(x.clip(0, np.inf)), np.asarray(x > 0)


def relu_backward(dy: Array, mask: NDArray[np.bool]) -> Array:
    r"""Gradient of [`relu`][nn_tutorial.relu]: the upstream gradient where the input was positive.

    $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\,[x > 0]$$

    At $x = 0$, where no derivative exists, the gradient is 0, as in PyTorch. It is 0 at NaN too,
    where PyTorch passes it on.

    Parameters
    ----------
    dy : ndarray of float
        Gradient of the loss with respect to ``y``, in units of the loss per unit of ``y``.
    mask : ndarray of bool
        The cache of ``relu``.

    Returns
    -------
    dx : ndarray, shape and dtype of dy

    Raises
    ------
    ValueError
        If ``dy`` has another shape than ``y``.
    """
    check_dy(dy, mask)
    return where_open(mask, dy)


def sigmoid(x: Array) -> tuple[Array, Array]:
    r"""Logistic function.

    $$y = \frac{1}{1 + e^{-x}}$$

    Computed from $e^{-|x|}$, which never overflows.

    Parameters
    ----------
    x : ndarray of float, any shape
        The input (log-odds).

    Returns
    -------
    y : ndarray, shape and dtype of x
        Between 0 and 1.
    cache : ndarray
        ``y``, which is all that the gradient needs.

    Raises
    ------
    ValueError
        If ``x`` is not an array of floats.
    """
    check_float("x", x, "")
    e = np.exp(-np.abs(x))
    y = np.asarray(np.where(x >= 0, 1, e) / (1 + e))
    return y, y


def sigmoid_backward(dy: Array, y: Array) -> Array:
    r"""Gradient of [`sigmoid`][nn_tutorial.sigmoid].

    $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\,y\,(1 - y)$$

    Parameters
    ----------
    dy, y : ndarray of float, one shape
        The upstream gradient, and the cache of ``sigmoid``.

    Returns
    -------
    dx : ndarray, shape and dtype of dy

    Raises
    ------
    ValueError
        If ``dy`` has another shape than ``y``.
    """
    check_dy(dy, y)
    return np.asarray(dy * y * (1 - y))


def tanh(x: Array) -> tuple[Array, Array]:
    r"""Hyperbolic tangent.

    $$y = \tanh x$$

    Parameters
    ----------
    x : ndarray of float, any shape
        The input.

    Returns
    -------
    y : ndarray, shape and dtype of x
        Between −1 and 1.
    cache : ndarray
        ``y``, which is all that the gradient needs.

    Raises
    ------
    ValueError
        If ``x`` is not an array of floats.
    """
    check_float("x", x, "")
    y = np.asarray(np.tanh(x))
    return y, y


def tanh_backward(dy: Array, y: Array) -> Array:
    r"""Gradient of [`tanh`][nn_tutorial.tanh].

    $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\,(1 - y^2)$$

    Parameters
    ----------
    dy, y : ndarray of float, one shape
        The upstream gradient, and the cache of ``tanh``.

    Returns
    -------
    dx : ndarray, shape and dtype of dy

    Raises
    ------
    ValueError
        If ``dy`` has another shape than ``y``.
    """
    check_dy(dy, y)
    return np.asarray(dy * (1 - y * y))


class _Elementwise(Layer):
    """One of the pairs above as a layer; a subclass says which."""

    function: Callable[[Array], tuple[Array, Any]]
    gradient: Callable[[Array, Any], Array]

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        return self.function(x)

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return self.gradient(dy, cache) if need_dx else None, {}


class ReLU(_Elementwise):
    """[`relu`][nn_tutorial.relu] as a layer."""

    function, gradient = staticmethod(relu), staticmethod(relu_backward)


class Sigmoid(_Elementwise):
    """[`sigmoid`][nn_tutorial.sigmoid] as a layer."""

    function, gradient = staticmethod(sigmoid), staticmethod(sigmoid_backward)


class Tanh(_Elementwise):
    """[`tanh`][nn_tutorial.tanh] as a layer."""

    function, gradient = staticmethod(tanh), staticmethod(tanh_backward)
