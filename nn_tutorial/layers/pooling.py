"""Pooling: keep the largest of each window, or the mean, and route the gradient back."""

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .checks import Array, check_flag, check_float, check_like, output_size, pair, where_open
from .convolution import pad, span_of
from .layer import Grads, Layer

Size = int | tuple[int, int]
Pair = tuple[int, int]
Mask = NDArray[np.bool]


class Geometry(NamedTuple):
    """How a window moves: ``beyond`` is how far the last ones reach over the padding's end."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)
    beyond: Pair = (0, 0)


class PoolCache(NamedTuple):
    """What the backward passes need: for the maximum who won, for the mean what one pixel counts.

    ``winners`` has one mask for each tap, in reading order. ``shares`` is None where each window
    counts all its pixels.
    """

    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    dtype: Any
    geometry: Geometry
    winners: Sequence[Mask] = ()
    shares: Array | None = None


def max_pool2d(
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> tuple[Array, PoolCache]:
    r"""Largest value of each window.

    $$y_{ncij} = \max_{u,v}\; x_{n,\,c,\,s_h i + u - p_h,\,s_w j + v - p_w}$$

    Pixels outside the image take no part. Rows and columns left over at the end are dropped, unless
    ``ceil_mode`` gives them a window of their own. With dilation $d$, $d_h u$ and $d_w v$ stand for
    u and v. Where the maxima stood is not returned; `max_pool2d_backward` of ones shows it.

    Parameters
    ----------
    x : ndarray of float, (N, C, H, W)
        Any memory order, which the result keeps.
    kernel_size, stride, padding : int or (height, width)
        In pixels. The stride is the kernel's size where it is not given; the padding is at most
        half the kernel, also where that is dilated.
    dilation : int or (height, width)
        How far a window's pixels lie apart; 1 for neighbours.
    ceil_mode : bool
        Whether a window may reach over the end, as long as it begins before it.

    Returns
    -------
    y : ndarray, (N, C, H', W'), dtype of x
        $H' = \lfloor (H + 2p - d(k - 1) - 1)/s \rfloor + 1$, and likewise W'; rounded up with
        ``ceil_mode``.
    cache : PoolCache

    Raises
    ------
    ValueError
        If a shape does not fit, or a number is out of its range.
    """
    out, geometry = check_pool(x, kernel_size, stride, padding, dilation, ceil_mode)
    (kh, kw), (sh, sw), _, (dh, dw), _ = geometry
    # Along H, where NumPy compares whole rows of memory, then along W: kh + kw comparisons of
    # arrays in place of a reduction over two tiny axes, which it does one window at a time.
    image = _frame(x, geometry, -np.inf)
    rows = reduce(np.maximum, _taps(image, 2, kh, sh, out[0], dh))
    y = reduce(np.maximum, _taps(rows, 3, kw, sw, out[1], dw))
    winners = _first(_window_taps(image, geometry, out), y, _pixels(x.shape, geometry, out))
    return y, PoolCache(x.shape, y.shape, x.dtype, geometry, winners)


def max_pool2d_backward(dy: Array, cache: PoolCache) -> Array:
    r"""Gradient of [`max_pool2d`][nn_tutorial.max_pool2d]: all of it to the winner of each window.

    $$\frac{\partial L}{\partial x_{ncaq}} = \sum_{i,j} \frac{\partial L}{\partial y_{ncij}}\,
      [(a, q) \text{ is the first maximum of window } (i, j)]$$

    "First" is in reading order, as in PyTorch. (Of several NaN in a window PyTorch takes the last.)
    Where windows overlap, a pixel adds up what it won.

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
    _, stride, (ph, pw), apart, (bh, bw) = geometry = cache.geometry
    h, w = cache.x_shape[2:]
    shape = (*dy.shape[:2], h + 2 * ph + bh, w + 2 * pw + bw)
    span = span_of(geometry.kernel, apart)
    overlap = stride[0] < span[0] or stride[1] < span[1]
    # Where no pixel lies between windows, each is written once.
    covered = dy.size * len(cache.winners) == math.prod(shape)
    make = np.empty_like if covered and not overlap else np.zeros_like
    image = make(cache.winners[0], dy.dtype, shape=shape)
    taps = _window_taps(image, geometry, dy.shape[2:])
    for tap, won in zip(taps, cache.winners, strict=True):
        if overlap:
            tap += where_open(won, dy)
        else:  # there is nothing to add to
            where_open(won, dy, out=tap)
    return image[:, :, ph : ph + h, pw : pw + w]


def avg_pool2d(
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> tuple[Array, PoolCache]:
    r"""Mean of each window.

    $$y_{ncij} = \frac{1}{k_h k_w} \sum_{u,v} x_{n,\,c,\,s_h i + u - p_h,\,s_w j + v - p_w}$$

    Pixels outside the image are 0 and are counted, as in PyTorch by default. Without
    ``count_include_pad`` each sum is divided by the number of the image's pixels in it. Pixels
    beyond the padding, which ``ceil_mode`` reaches, are never counted. For another divisor
    (PyTorch's ``divisor_override``) multiply the result.

    Parameters
    ----------
    x, kernel_size, stride, padding, ceil_mode
        See [`max_pool2d`][nn_tutorial.max_pool2d], whose results and errors these are as well.
    count_include_pad : bool
        Whether the padding's pixels are counted.
    """
    (oh, ow), geometry = check_pool(x, kernel_size, stride, padding, ceil_mode=ceil_mode)
    check_flag("count_include_pad", count_include_pad)
    (kh, kw), (sh, sw), padded, _, beyond = geometry
    rows = reduce(np.add, _taps(_frame(x, geometry, 0), 3, kw, sw, ow))
    sums = reduce(np.add, _taps(rows, 2, kh, sh, oh))
    if any(beyond) or (any(padded) and not count_include_pad):
        shares = _shares(x, (oh, ow), geometry, count_include_pad)
        return sums * shares, PoolCache(x.shape, sums.shape, x.dtype, geometry, shares=shares)
    return sums * (1 / (kh * kw)), PoolCache(x.shape, sums.shape, x.dtype, geometry)


def _shares(x: Array, out: Pair, geometry: Geometry, count_include_pad: bool) -> Array:
    """One divided by the number of pixels that each window counts."""
    counts = []
    for axis in (0, 1):
        kernel, stride, padding = (both[axis] for both in geometry[:3])
        first, size = stride * np.arange(out[axis]) - padding, x.shape[2 + axis]
        around = padding if count_include_pad else 0
        last = np.minimum(first + kernel, size + around)
        counts.append(last - np.maximum(first, -around))
    return (1 / np.outer(*counts)).astype(x.dtype)


def avg_pool2d_backward(dy: Array, cache: PoolCache) -> Array:
    r"""Gradient of [`avg_pool2d`][nn_tutorial.avg_pool2d]: an equal share to each pixel.

    $$\frac{\partial L}{\partial x_{ncaq}} = \frac{1}{k_h k_w} \sum_{i,j}
      \frac{\partial L}{\partial y_{ncij}}\,[(a, q) \text{ lies in window } (i, j)]$$

    Where windows count other numbers of pixels, theirs stand in place of $k_h k_w$, in the sum.

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
    kh, kw = cache.geometry.kernel
    if cache.shares is not None:
        return _spread(dy * cache.shares, cache)
    return _spread(dy * (1 / (kh * kw)), cache)


def max_pool2d_loops(
    x: Array, kernel_size: Size, *, stride: Size | None = None, padding: Size = 0
) -> tuple[Array, PoolCache]:
    """Return what [`max_pool2d`][nn_tutorial.max_pool2d] returns, window by window: to be read.

    Dilation and ``ceil_mode`` are left to ``max_pool2d``.
    """
    (oh, ow), geometry = check_pool(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw), (ph, pw) = geometry[:3]
    y = np.zeros((*x.shape[:2], oh, ow), x.dtype)
    winner = np.zeros((*y.shape, 2), int)
    for n, c, i, j in np.ndindex(y.shape):
        a, q = sh * i - ph, sw * j - pw
        top, left = max(a, 0), max(q, 0)
        window = x[n, c, top : a + kh, left : q + kw]
        u, v = divmod(int(window.argmax()), window.shape[1])  # argmax: the first of equals
        y[n, c, i, j] = window[u, v]
        winner[n, c, i, j] = top + u, left + v
    return y, PoolCache(x.shape, y.shape, x.dtype, geometry, [winner])


def max_pool2d_loops_backward(dy: Array, cache: PoolCache) -> Array:
    """Return what `max_pool2d_backward` returns, for ``max_pool2d_loops``."""
    check_like("dy", dy, cache.y_shape, cache.dtype, "that of y")
    dx = np.zeros(cache.x_shape, dy.dtype)
    for n, c, i, j in np.ndindex(dy.shape):
        a, q = cache.winners[0][n, c, i, j]
        dx[n, c, a, q] += dy[n, c, i, j]
    return dx


def avg_pool2d_loops(
    x: Array, kernel_size: Size, *, stride: Size | None = None, padding: Size = 0
) -> tuple[Array, PoolCache]:
    """Return what [`avg_pool2d`][nn_tutorial.avg_pool2d] returns, window by window: to be read.

    ``ceil_mode`` and ``count_include_pad`` are left to ``avg_pool2d``.
    """
    (oh, ow), geometry = check_pool(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw) = geometry[:2]
    image = _frame(x, geometry, 0)
    y = np.zeros((*x.shape[:2], oh, ow), x.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = image[n, c, sh * i : sh * i + kh, sw * j : sw * j + kw].mean()
    return y, PoolCache(x.shape, y.shape, x.dtype, geometry)


def avg_pool2d_loops_backward(dy: Array, cache: PoolCache) -> Array:
    """Return what `avg_pool2d_backward` returns, for ``avg_pool2d_loops``."""
    check_like("dy", dy, cache.y_shape, cache.dtype, "that of y")
    (kh, kw), (sh, sw), (ph, pw) = cache.geometry[:3]
    h, w = cache.x_shape[2:]
    image = np.zeros((*cache.x_shape[:2], h + 2 * ph, w + 2 * pw), dy.dtype)
    for n, c, i, j in np.ndindex(dy.shape):
        image[n, c, sh * i : sh * i + kh, sw * j : sw * j + kw] += dy[n, c, i, j] / (kh * kw)
    return image[:, :, ph : ph + h, pw : pw + w]


def check_pool(
    x: Array,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> tuple[Pair, Geometry]:
    """Return the output's (H', W') and how the window moves, or raise ``ValueError``."""
    check_float("x", x, "NCHW")
    geometry = pool_geometry(kernel_size, stride, padding, dilation, ceil_mode)
    kernel, step, around, apart, beyond = geometry
    span, (h, w) = span_of(kernel, apart), x.shape[2:]
    if ceil_mode:
        beyond = (
            _beyond(h, span[0], step[0], around[0]),
            _beyond(w, span[1], step[1], around[1]),
        )
        geometry = geometry._replace(beyond=beyond)
    return output_size((h + beyond[0], w + beyond[1]), span, step, around), geometry


def _beyond(size: int, span: int, stride: int, padding: int) -> int:
    """What is missing for the windows to come out even; 0 where the last began after the image."""
    missing = (span - size - 2 * padding) % stride
    return missing if missing < span - padding else 0


def pool_geometry(
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Geometry:
    """Return how a window moves, without ``beyond``; ``ValueError`` where a number is off."""
    check_flag("ceil_mode", ceil_mode)
    kernel = pair("kernel_size", kernel_size, least=1)
    step = kernel if stride is None else pair("stride", stride, least=1)
    around, apart = pair("padding", padding, least=0), pair("dilation", dilation, least=1)
    if 2 * around[0] > kernel[0] or 2 * around[1] > kernel[1]:
        raise ValueError(f"padding: expected at most half the kernel {kernel}, got {around}")
    return Geometry(kernel, step, around, apart)


def _frame(x: Array, geometry: Geometry, value: float) -> Array:
    """Pad H and W, with N last in memory as the convolution leaves it."""
    (ph, pw), (bh, bw), (h, w) = geometry.padding, geometry.beyond, x.shape[2:]
    framed = pad(x.transpose(2, 1, 3, 0), (ph + bh, 0, pw + bw, 0), value)
    return framed[bh : h + 2 * (ph + bh), :, bw : w + 2 * (pw + bw)].transpose(3, 1, 0, 2)


def _taps(x: Array, axis: int, kernel: int, stride: int, out: int, apart: int = 1) -> list[Array]:
    """Views of ``x``: for each place in the window, the elements that stand there."""
    before, reach = (slice(None),) * axis, stride * (out - 1) + 1
    return [x[(*before, slice(t, t + reach, stride))] for t in range(0, kernel * apart, apart)]


def _window_taps(x: Array, geometry: Geometry, out: Pair) -> list[Array]:
    """The taps of all places in the window, in reading order: views of ``x``."""
    (kh, kw), (sh, sw), _, (dh, dw), _ = geometry
    rows = _taps(x, 2, kh, sh, out[0], dh)
    return [tap for row in rows for tap in _taps(row, 3, kw, sw, out[1], dw)]


def _pixels(shape: tuple[int, ...], geometry: Geometry, out: Pair) -> list[Any]:
    """For each tap, where it reads a pixel and not the padding."""
    if not any(geometry.padding + geometry.beyond):
        return [True] * (geometry.kernel[0] * geometry.kernel[1])
    inside = _frame(np.ones((1, 1, *shape[2:]), bool), geometry, False)
    return _window_taps(inside, geometry, out)


def _first(taps: list[Array], y: Array, pixels: list[Any]) -> list[Mask]:
    """For each tap, where it is the first pixel to reach the maximum ``y``."""
    odd = np.isnan(y.max())
    winners, free = [], np.ones_like(y, bool)  # free: no winner yet
    for tap, pixel in zip(taps[:-1], pixels[:-1], strict=True):
        won = tap == y
        if odd:  # NaN is the maximum of its window, and equals nothing
            won |= np.isnan(tap)
        if pixel is not True:  # padding may equal −∞, but takes no part
            won &= pixel
        won &= free
        free ^= won
        winners.append(won)
    return [*winners, free if pixels[-1] is True else free & pixels[-1]]


def _spread(dy: Array, cache: PoolCache) -> Array:
    """Send the gradient from windows to rows, from rows to pixels, and cut off the padding."""
    (kh, kw), (sh, sw), (ph, pw), _, (bh, bw) = cache.geometry
    h, w = cache.x_shape[2:]
    rows = _send(dy, 2, h + 2 * ph + bh, sh, kh)
    image = _send(rows, 3, w + 2 * pw + bw, sw, kw)
    return image[:, :, ph : ph + h, pw : pw + w]


def _send(d: Array, axis: int, size: int, stride: int, kernel: int) -> Array:
    """Add ``d`` to each tap along ``axis``, in the memory order of ``d``."""
    dx = np.zeros_like(d, shape=(*d.shape[:axis], size, *d.shape[axis + 1 :]))
    for tap in _taps(dx, axis, kernel, stride, d.shape[axis]):
        if stride < kernel:
            tap += d
        else:  # windows do not overlap: there is nothing to add to
            tap[...] = d
    return dx


class MaxPool2d(Layer):
    """[`max_pool2d`][nn_tutorial.max_pool2d] as a layer.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        See ``max_pool2d``.
    """

    def __init__(
        self,
        kernel_size: Size,
        *,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        geometry = pool_geometry(kernel_size, stride, padding, dilation, ceil_mode)
        self.kernel_size, self.stride, self.padding, self.dilation, _ = geometry
        self.ceil_mode = ceil_mode

    def __repr__(self) -> str:
        return _told(self, "stride", "padding", "dilation", "ceil_mode")

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, PoolCache]:
        stride, padding, dilation = self.stride, self.padding, self.dilation
        return max_pool2d(
            x, self.kernel_size,
            stride=stride, padding=padding, dilation=dilation, ceil_mode=self.ceil_mode,
        )  # fmt: skip

    def backward(
        self, dy: Array, cache: PoolCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return max_pool2d_backward(dy, cache) if need_dx else None, {}


class AvgPool2d(Layer):
    """[`avg_pool2d`][nn_tutorial.avg_pool2d] as a layer.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad
        See ``avg_pool2d``.
    """

    def __init__(
        self,
        kernel_size: Size,
        *,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        geometry = pool_geometry(kernel_size, stride, padding, ceil_mode=ceil_mode)
        check_flag("count_include_pad", count_include_pad)
        self.kernel_size, self.stride, self.padding = geometry[:3]
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def __repr__(self) -> str:
        return _told(self, "stride", "padding", "ceil_mode", "count_include_pad")

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, PoolCache]:
        how = {"ceil_mode": self.ceil_mode, "count_include_pad": self.count_include_pad}
        return avg_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding, **how)

    def backward(
        self, dy: Array, cache: PoolCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return avg_pool2d_backward(dy, cache) if need_dx else None, {}


def _told(layer: Any, *names: str) -> str:
    """A pooling layer in words: its kernel, and what it is made with."""
    rest = ", ".join(f"{name}={getattr(layer, name)}" for name in names)
    return f"{type(layer).__name__}({layer.kernel_size}, {rest})"


class GlobalAvgPool2d(Layer):
    """Mean of each channel: [`avg_pool2d`][nn_tutorial.avg_pool2d] with the image for its window.

    $$y_{nc} = \\frac{1}{HW} \\sum_{a,q} x_{ncaq}$$

    The output is (N, C, 1, 1), as PyTorch's ``AdaptiveAvgPool2d(1)`` has it, and a ``Flatten``
    makes it (N, C). Other adaptive poolings are left out: name a kernel and a stride.
    """

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, PoolCache]:
        check_float("x", x, "NCHW")
        return avg_pool2d(x, (x.shape[2], x.shape[3]))

    def backward(
        self, dy: Array, cache: PoolCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return avg_pool2d_backward(dy, cache) if need_dx else None, {}
