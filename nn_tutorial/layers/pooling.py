"""Pooling: keep the largest of each window, or the mean, and route the gradient back."""

from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .checks import Array, check_float, check_like, output_size, pair, where_open
from .convolution import pad
from .layer import Grads, Layer

Size = int | tuple[int, int]
Pair = tuple[int, int]


class PoolCache(NamedTuple):
    """What the backward passes need: geometry, and for the maximum who won."""

    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    dtype: Any
    geometry: tuple[Pair, Pair, Pair]
    winners: tuple[list[NDArray[Any]], list[NDArray[Any]]]


def max_pool2d(
    x: Array, kernel_size: Size, *, stride: Size | None = None, padding: Size = 0
) -> tuple[Array, PoolCache]:
    r"""Largest value of each window.

    $$y_{ncij} = \max_{u,v}\; x_{n,\,c,\,s_h i + u - p_h,\,s_w j + v - p_w}$$

    Pixels outside the image take no part. Rows and columns left over at the end are dropped.

    Parameters
    ----------
    x : ndarray of float, (N, C, H, W)
        Any memory order, which the result keeps.
    kernel_size, stride, padding : int or (height, width)
        In pixels. The stride is the kernel's size where it is not given; the padding is at most
        half the kernel, so that no window lies outside.

    Returns
    -------
    y : ndarray, (N, C, H', W'), dtype of x
        $H' = \lfloor (H + 2p - k)/s \rfloor + 1$, and likewise W'.
    cache : PoolCache

    Raises
    ------
    ValueError
        If a shape does not fit, or a number is out of its range.
    """
    (oh, ow), geometry = check_pool(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw), _ = geometry
    # Along W, then along H: kw + kh comparisons of whole arrays in place of a reduction over two
    # tiny axes, which NumPy does one window at a time. Ties go to the first in each stage, so to
    # the first in reading order: the row's winner is settled before rows compete.
    pixel_columns, pixel_rows = _pixels(x.shape, geometry, (oh, ow))
    image = _frame(x, geometry, -np.inf)
    rows, row_winners = _first_max(_taps(image, 3, kw, sw, ow), pixel_columns)
    y, winners = _first_max(_taps(rows, 2, kh, sh, oh), pixel_rows)
    return y, PoolCache(x.shape, y.shape, x.dtype, geometry, (row_winners, winners))


def max_pool2d_backward(dy: Array, cache: PoolCache) -> Array:
    r"""Gradient of [`max_pool2d`][nn_tutorial.max_pool2d]: all of it to the winner of each window.

    $$\frac{\partial L}{\partial x_{ncaq}} = \sum_{i,j} \frac{\partial L}{\partial y_{ncij}}\,
      [(a, q) \text{ is the first maximum of window } (i, j)]$$

    "First" is in reading order, as in PyTorch. Where windows overlap, a pixel adds up what it won.

    Parameters
    ----------
    dy : ndarray of float, shape of y
    cache : PoolCache

    Returns
    -------
    dx : ndarray, (N, C, H, W)

    Raises
    ------
    ValueError
        If ``dy`` does not have the shape and dtype of ``y``.
    """
    check_like("dy", dy, cache.y_shape, cache.dtype, "that of y")
    row_winners, winners = cache.winners
    return _spread(dy, cache, winners, row_winners, winners[0])


def avg_pool2d(
    x: Array, kernel_size: Size, *, stride: Size | None = None, padding: Size = 0
) -> tuple[Array, PoolCache]:
    r"""Mean of each window.

    $$y_{ncij} = \frac{1}{k_h k_w} \sum_{u,v} x_{n,\,c,\,s_h i + u - p_h,\,s_w j + v - p_w}$$

    Pixels outside the image are 0 and are counted, as in PyTorch by default.
    Parameters, results and errors are those of [`max_pool2d`][nn_tutorial.max_pool2d].
    """
    (oh, ow), geometry = check_pool(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw), _ = geometry
    rows = reduce(np.add, _taps(_frame(x, geometry, 0), 3, kw, sw, ow))
    y = reduce(np.add, _taps(rows, 2, kh, sh, oh)) * (1 / (kh * kw))
    return y, PoolCache(x.shape, y.shape, x.dtype, geometry, ([], []))


def avg_pool2d_backward(dy: Array, cache: PoolCache) -> Array:
    r"""Gradient of [`avg_pool2d`][nn_tutorial.avg_pool2d]: an equal share to each pixel.

    $$\frac{\partial L}{\partial x_{ncaq}} = \frac{1}{k_h k_w} \sum_{i,j}
      \frac{\partial L}{\partial y_{ncij}}\,[(a, q) \text{ lies in window } (i, j)]$$

    Parameters
    ----------
    dy : ndarray of float, shape of y
    cache : PoolCache

    Returns
    -------
    dx : ndarray, (N, C, H, W)

    Raises
    ------
    ValueError
        If ``dy`` does not have the shape and dtype of ``y``.
    """
    check_like("dy", dy, cache.y_shape, cache.dtype, "that of y")
    (kh, kw), _, _ = cache.geometry
    return _spread(dy, cache, [1 / kh] * kh, [1 / kw] * kw, dy)


def max_pool2d_loops(
    x: Array, kernel_size: Size, *, stride: Size | None = None, padding: Size = 0
) -> tuple[Array, PoolCache]:
    """Return what [`max_pool2d`][nn_tutorial.max_pool2d] returns, window by window: to be read."""
    (oh, ow), geometry = check_pool(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw), (ph, pw) = geometry
    y = np.zeros((*x.shape[:2], oh, ow), x.dtype)
    winner = np.zeros((*y.shape, 2), int)
    for n, c, i, j in np.ndindex(y.shape):
        a, q = sh * i - ph, sw * j - pw
        top, left = max(a, 0), max(q, 0)
        window = x[n, c, top : a + kh, left : q + kw]
        u, v = divmod(int(window.argmax()), window.shape[1])  # argmax: the first of equals
        y[n, c, i, j] = window[u, v]
        winner[n, c, i, j] = top + u, left + v
    return y, PoolCache(x.shape, y.shape, x.dtype, geometry, ([], [winner]))


def max_pool2d_loops_backward(dy: Array, cache: PoolCache) -> Array:
    """Return what `max_pool2d_backward` returns, for ``max_pool2d_loops``."""
    check_like("dy", dy, cache.y_shape, cache.dtype, "that of y")
    dx = np.zeros(cache.x_shape, dy.dtype)
    for n, c, i, j in np.ndindex(dy.shape):
        a, q = cache.winners[1][0][n, c, i, j]
        dx[n, c, a, q] += dy[n, c, i, j]
    return dx


def avg_pool2d_loops(
    x: Array, kernel_size: Size, *, stride: Size | None = None, padding: Size = 0
) -> tuple[Array, PoolCache]:
    """Return what [`avg_pool2d`][nn_tutorial.avg_pool2d] returns, window by window: to be read."""
    (oh, ow), geometry = check_pool(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw), _ = geometry
    image = _frame(x, geometry, 0)
    y = np.zeros((*x.shape[:2], oh, ow), x.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = image[n, c, sh * i : sh * i + kh, sw * j : sw * j + kw].mean()
    return y, PoolCache(x.shape, y.shape, x.dtype, geometry, ([], []))


def avg_pool2d_loops_backward(dy: Array, cache: PoolCache) -> Array:
    """Return what `avg_pool2d_backward` returns, for ``avg_pool2d_loops``."""
    check_like("dy", dy, cache.y_shape, cache.dtype, "that of y")
    (kh, kw), (sh, sw), (ph, pw) = cache.geometry
    h, w = cache.x_shape[2:]
    image = np.zeros((*cache.x_shape[:2], h + 2 * ph, w + 2 * pw), dy.dtype)
    for n, c, i, j in np.ndindex(dy.shape):
        image[n, c, sh * i : sh * i + kh, sw * j : sw * j + kw] += dy[n, c, i, j] / (kh * kw)
    return image[:, :, ph : ph + h, pw : pw + w]


def check_pool(
    x: Array, kernel_size: Size, stride: Size | None, padding: Size
) -> tuple[Pair, tuple[Pair, Pair, Pair]]:
    """Return the output's (H', W') and (kernel, stride, padding), or raise ``ValueError``."""
    check_float("x", x, "NCHW")
    geometry = pool_geometry(kernel_size, stride, padding)
    return output_size((x.shape[2], x.shape[3]), *geometry), geometry


def pool_geometry(kernel_size: Size, stride: Size | None, padding: Size) -> tuple[Pair, Pair, Pair]:
    """Return (kernel, stride, padding) as pairs; raise ``ValueError`` where one is out of range."""
    kernel = pair("kernel_size", kernel_size, least=1)
    step = kernel if stride is None else pair("stride", stride, least=1)
    around = pair("padding", padding, least=0)
    if 2 * around[0] > kernel[0] or 2 * around[1] > kernel[1]:
        raise ValueError(f"padding: expected at most half the kernel {kernel}, got {around}")
    return kernel, step, around


def _frame(x: Array, geometry: tuple[Pair, Pair, Pair], value: float) -> Array:
    """Pad H and W, with N last in memory as the convolution leaves it."""
    ph, pw = geometry[2]
    return pad(x.transpose(2, 1, 3, 0), (ph, 0, pw, 0), value).transpose(3, 1, 0, 2)


def _taps(x: Array, axis: int, kernel: int, stride: int, out: int) -> list[Array]:
    """Views of ``x``: for each place in the window, the elements that stand there."""
    before = (slice(None),) * axis
    return [x[(*before, slice(t, t + stride * (out - 1) + 1, stride))] for t in range(kernel)]


def _pixels(
    shape: tuple[int, ...], geometry: tuple[Pair, Pair, Pair], out: Pair
) -> tuple[list[Any], list[Any]]:
    """For each tap along W, and along H, where it reads a pixel and not the padding."""
    (kh, kw), (sh, sw), padding = geometry
    if not any(padding):
        return [True] * kw, [True] * kh
    inside = _frame(np.ones((1, 1, *shape[2:]), bool), geometry, False)
    columns = _taps(inside, 3, kw, sw, out[1])
    return columns, _taps(reduce(np.logical_or, columns), 2, kh, sh, out[0])


def _first_max(taps: list[Array], pixels: list[Any]) -> tuple[Array, list[NDArray[Any]]]:
    """The maximum over the taps, and for each tap where it is the first pixel to reach it."""
    best = reduce(np.maximum, taps)
    odd = np.isnan(best).any()
    winners, free = [], None
    for tap, pixel in zip(taps[:-1], pixels[:-1], strict=True):
        won = tap == best
        if odd:  # NaN is the maximum of its window, and equals nothing
            won |= np.isnan(tap)
        if pixel is not True:  # padding equals a maximum of −∞, but takes no part
            won &= pixel
        if free is not None:
            won &= free
        free = ~won if free is None else free ^ won
        winners.append(won)
    last = np.ones_like(best, bool) if free is None else free
    return best, [*winners, last if pixels[-1] is True else last & pixels[-1]]


def _spread(dy: Array, cache: PoolCache, to_rows: Any, to_columns: Any, like: Array) -> Array:
    """Send the gradient from windows to rows, from rows to pixels, and cut off the padding."""
    _, (sh, sw), (ph, pw) = cache.geometry
    h, w = cache.x_shape[2:]
    rows = _send(dy, 2, h + 2 * ph, sh, to_rows, like)
    image = _send(rows, 3, w + 2 * pw, sw, to_columns, like)
    return image[:, :, ph : ph + h, pw : pw + w]


def _send(d: Array, axis: int, size: int, stride: int, shares: Any, like: Array) -> Array:
    """Give each tap along ``axis`` its share of ``d``, in the memory order of ``like``."""
    dx = np.zeros_like(like, d.dtype, shape=(*d.shape[:axis], size, *d.shape[axis + 1 :]))
    taps = _taps(dx, axis, len(shares), stride, d.shape[axis])
    for tap, share in zip(taps, shares, strict=True):
        times = np.multiply if isinstance(share, float) else where_open
        if stride >= len(shares):  # windows do not overlap: there is nothing to add to
            times(share, d, out=tap)
        else:
            tap += times(share, d)
    return dx


class _Pool2d(Layer):
    def __init__(self, kernel_size: Size, *, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = pool_geometry(kernel_size, stride, padding)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding})"
        )


class MaxPool2d(_Pool2d):
    """[`max_pool2d`][nn_tutorial.max_pool2d] as a layer.

    Parameters
    ----------
    kernel_size, stride, padding : int or (height, width)
        See ``max_pool2d``.
    """

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, PoolCache]:
        return max_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)

    def backward(
        self, dy: Array, cache: PoolCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return max_pool2d_backward(dy, cache) if need_dx else None, {}


class AvgPool2d(_Pool2d):
    """[`avg_pool2d`][nn_tutorial.avg_pool2d] as a layer.

    Parameters
    ----------
    kernel_size, stride, padding : int or (height, width)
        See ``max_pool2d``.
    """

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, PoolCache]:
        return avg_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)

    def backward(
        self, dy: Array, cache: PoolCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return avg_pool2d_backward(dy, cache) if need_dx else None, {}
