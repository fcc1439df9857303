"""Convolution: the definition in loops, as one matrix product, and the fast one."""

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .checks import (
    Array,
    check_count,
    check_flag,
    check_float,
    check_like,
    output_size,
    pair,
)
from .initializers import Initializer, begin, he_normal
from .layer import Grads, Layer
from .taps import Geometry, TapsCache, by_taps, taps_gradients

# glibc hands large freed blocks back to the system, and each new array then costs page faults.
# Freeing one block just below its 32 MB limit raises the threshold, so that memory is reused:
# the training step of a small network takes a third of the time. Elsewhere it does no harm.
np.empty((32 << 20) - 65536, np.uint8)  # decides no number: it is thrown away


SMALL = 1_000_000  # multiplications


class ConvCache(NamedTuple):
    """What the backward passes need; ``cols`` is the input as the forward pass arranged it."""

    x_shape: tuple[int, ...]
    weight: Array
    stride: tuple[int, int]
    padding: tuple[int, int]
    cols: Array
    has_bias: bool = True


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> tuple[Array, ConvCache | TapsCache]:
    r"""Slide each filter over the image (a cross-correlation, as in every framework).

    $$y_{nfij} = b_f + \sum_{c,u,v} x_{n,\,c,\,s_h i + u - p_h,\,s_w j + v - p_w}\; w_{fcuv}$$

    Pixels outside the image are 0. With dilation $d$, $d_h u$ and $d_w v$ stand for u and v: the
    kernel's pixels lie apart. With $G$ groups, filters and channels are cut into G parts, and each
    part of the filters sees its own channels alone.

    Left out are transposed convolutions, which ``conv2d_backward`` computes as its ``dx``, and a
    padding of other values than 0, for which there is ``np.pad``.

    Parameters
    ----------
    x : ndarray of float, (N, C, H, W)
        Any memory order; the result is laid out with N last in memory.
    weight : ndarray, (F, C/G, kh, kw)
        One filter for each output channel.
    bias : ndarray, (F,), optional
        Left out: 0.
    stride, padding, dilation : int or (height, width)
        In pixels; the padding is at least 0, the others at least 1. The padding "same" keeps the
        size at stride 1, with the odd pixel below and on the right; "valid" is 0.
    groups : int
        G, which divides C and F; C for a depthwise convolution.

    Returns
    -------
    y : ndarray, (N, F, H', W'), dtype of x
        $H' = \lfloor (H + 2p - d(k - 1) - 1)/s \rfloor + 1$, and likewise W'.
    cache : ConvCache or TapsCache

    Raises
    ------
    ValueError
        If a shape or dtype does not fit, or the kernel is larger than the padded input.

    References
    ----------
    Cho and Brand (2017), MEC: memory-efficient convolution for deep neural network, ICML.
    """
    geometry = check_conv(x, weight, bias, stride, padding, dilation, groups)
    if not geometry.plain:
        return by_taps(x, weight, bias, geometry)
    (oh, ow), (sh, sw), (ph, pw) = geometry[:3]
    (n, c, h, w), (f, _, kh, kw) = x.shape, weight.shape
    # Lower along the width only (Cho and Brand 2017): copy kw shifted views of the input instead
    # of kh·kw. With memory in the order H, C, W, N the kh axis is then a view: rows that lie one
    # under the other, which BLAS reads where they are.
    image = np.ascontiguousarray(x.transpose(2, 1, 3, 0))  # no copy inside a network
    rows = np.zeros((h + 2 * ph, kw, c, ow, n), x.dtype)  # the zeros around the image stay
    for v in range(kw):
        columns, pixels = _met(v, ow, w, sw, pw)
        rows[ph : ph + h, v, :, columns] = image[:, :, pixels]  # the only copy
    cols = _stacked(rows.reshape(-1, kw * c, ow * n), kh)[::sh]  # oh, kh·kw·c, ow·n
    y = np.empty((oh, f, ow * n), x.dtype)
    _multiply(weight.transpose(0, 2, 3, 1).reshape(f, -1), cols, ow, out=y)
    if bias is not None:
        y += bias[:, None]
    has_bias = bias is not None
    y = y.reshape(oh, f, ow, n)
    return y.transpose(3, 1, 0, 2), ConvCache(x.shape, weight, (sh, sw), (ph, pw), cols, has_bias)


def conv2d_backward(
    dy: Array, cache: ConvCache | TapsCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array | None]:
    r"""Gradient of [`conv2d`][nn_tutorial.conv2d].

    $$\frac{\partial L}{\partial w_{fcuv}} = \sum_{n,i,j} \frac{\partial L}{\partial y_{nfij}}\,
      x_{n,\,c,\,s_h i + u - p_h,\,s_w j + v - p_w}, \qquad
      \frac{\partial L}{\partial b_f} = \sum_{n,i,j} \frac{\partial L}{\partial y_{nfij}}$$

    $$\frac{\partial L}{\partial x_{ncaq}} = \sum_{f,i,j,u,v} \frac{\partial L}{\partial y_{nfij}}\,
      w_{fcuv}\,[a = s_h i + u - p_h]\,[q = s_w j + v - p_w]$$

    Dilation and groups change them as they change the formula of ``conv2d``.

    Parameters
    ----------
    dy : ndarray of float, shape of y
        Any memory order.
    cache : ConvCache or TapsCache
    need_dx : bool
        False leaves out the gradient of the input, and returns ``None`` in its place.

    Returns
    -------
    dx : ndarray, (N, C, H, W), or None
    dweight : ndarray, shape of weight
    dbias : ndarray, (F,), or None where there was no bias

    Raises
    ------
    ValueError
        If ``dy`` does not have the shape and dtype of ``y``.
    """
    if isinstance(cache, TapsCache):
        y_shape = len(cache.image), len(cache.weight), *cache.geometry.size
        check_like("dy", dy, y_shape, cache.weight.dtype, "that of y")
        return taps_gradients(dy, cache, need_dx=need_dx)
    (n, c, h, w), weight, (sh, sw), (ph, pw), cols, has_bias = cache
    f, _, kh, kw = weight.shape
    oh, ow = check_conv_dy(dy, cache)
    d = dy.transpose(2, 1, 3, 0).reshape(oh, f, ow * n)
    # cols @ dᵀ, the taller of the two ways to write it, and in halves where that is possible: BLAS
    # takes small products as they lie, and repacks larger ones first.
    parts = 2 - ow * n % 2
    taps = cols.reshape(oh, kh * kw * c, parts, -1).swapaxes(1, 2)
    dweight = (taps @ d.reshape(oh, f, parts, -1).transpose(0, 2, 3, 1)).sum((0, 1))
    dweight = dweight.reshape(kh, kw, c, f).transpose(3, 2, 0, 1)
    dbias = np.einsum("hfn->f", d) if has_bias else None
    if not need_dx:
        return None, dweight, dbias
    # The forward pass backwards: to the rows that were copied, and from there to the image, where
    # each pixel adds up the copies that were made of it.
    rows = _to_rows(d.reshape(oh, f, ow, n), weight, h, sh, ph)
    image = np.zeros((h, c, w, n), d.dtype)
    for v in range(kw):
        columns, pixels = _met(v, ow, w, sw, pw)
        if v < sw:  # there is nothing to add to
            image[:, :, pixels] = rows[:, v, :, columns]
        else:
            image[:, :, pixels] += rows[:, v, :, columns]
    return image.transpose(3, 1, 0, 2), dweight, dbias


def _to_rows(d: Array, weight: Array, height: int, stride: int, padding: int) -> Array:
    """Gradient of the copied rows (height, kw, c, ow, n), from the output's (oh, f, ow, n)."""
    (oh, f, ow, n), (_, c, kh, kw) = d.shape, weight.shape
    filters = np.ascontiguousarray(weight.transpose(2, 0, 3, 1)[::-1])  # their last row first
    rows = np.empty((height, kw * c, ow * n), d.dtype)
    for a in range(height):
        # An image row met a few rows of the output, each through another row of the kernel. They
        # lie one under the other, so that one product takes them all.
        start = max(0, -((kh - 1 - a - padding) // stride))  # the quotient rounded up
        met = max(0, min(oh, (a + padding) // stride + 1) - start)
        first = kh - 1 - a - padding + stride * start
        taps = filters[first : first + stride * met : stride].reshape(met * f, kw * c)
        stacked = d[start : start + met].reshape(1, met * f, ow * n)
        _multiply(taps.T, stacked, ow, out=rows[a : a + 1])
    return rows.reshape(height, kw, c, ow, n)


def _stacked(rows: Array, height: int) -> Array:
    """Each row with the ``height - 1`` after it, one under the other: a view, without a copy."""
    windows = sliding_window_view(rows, height, axis=0).transpose(0, 3, 1, 2)
    return windows.reshape(len(windows), height * rows.shape[1], rows.shape[2])


def _multiply(a: Array, b: Array, pixels: int, *, out: Array) -> None:
    """Write ``a @ b`` for each row of the output, whose pixels have as many columns of b each."""
    parts = _parts(a.size * b.shape[-1], pixels)
    size = b.shape[2] // parts
    cut, cut_out = (m.reshape(*m.shape[:2], parts, size).swapaxes(1, 2) for m in (b, out))
    np.matmul(a, cut, out=cut_out)


def _parts(multiplications: int, pixels: int) -> int:
    """Into how many parts the product of a row is cut."""
    # BLAS takes a product of up to a million multiplications as it lies, and repacks a larger one,
    # which pays where it is much larger. So the parts are as few as make them small; where a single
    # pixel is too much, the row stays whole. (OpenBLAS 0.3.31 on processors with AVX-512; on others
    # the cut makes little difference.)
    small = (p for p in range(1, pixels + 1) if pixels % p == 0 and multiplications <= SMALL * p)
    return next(small, 1)


def _met(v: int, ow: int, w: int, stride: int, padding: int) -> tuple[slice, slice]:
    """The output columns at which column v of the kernel meets the image, and the pixels there."""
    first = max(0, -((v - padding) // stride))  # the quotient rounded up
    count = max(0, min(ow, (w - 1 + padding - v) // stride + 1) - first)
    start = first * stride + v - padding
    return slice(first, first + count), slice(start, start + count * stride, stride)


def conv2d_loops(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
) -> tuple[Array, ConvCache]:
    """Return what [`conv2d`][nn_tutorial.conv2d] returns, as the definition has it: to be read.

    Parameters, results and errors are those of ``conv2d``, which alone has dilation, groups, a
    padding by name, and no bias where none is given.
    """
    (oh, ow), stride, padding = check_plain(x, weight, bias, stride, padding)
    image = pad(x, (0, 0, *padding))
    f, _, kh, kw = weight.shape
    y = np.zeros((len(x), f, oh, ow), x.dtype)
    for n in range(len(x)):
        for k in range(f):
            for i in range(oh):
                for j in range(ow):
                    a, b = stride[0] * i, stride[1] * j
                    window = image[n, :, a : a + kh, b : b + kw]
                    y[n, k, i, j] = (window * weight[k]).sum() + bias[k]
    return y, ConvCache(x.shape, weight, stride, padding, image)


def conv2d_loops_backward(dy: Array, cache: ConvCache) -> tuple[Array, Array, Array]:
    """Return what `conv2d_backward` returns, for ``conv2d_loops``."""
    check_conv_dy(dy, cache)
    (_, _, h, w), weight, (sh, sw), (ph, pw), image, _ = cache
    kh, kw = weight.shape[2:]
    dimage, dweight, dbias = (
        np.zeros_like(image),
        np.zeros_like(weight),
        np.zeros_like(dy[0, :, 0, 0]),
    )
    for n, k, i, j in np.ndindex(dy.shape):
        window = n, slice(None), slice(sh * i, sh * i + kh), slice(sw * j, sw * j + kw)
        dweight[k] += dy[n, k, i, j] * image[window]
        dimage[window] += dy[n, k, i, j] * weight[k]
        dbias[k] += dy[n, k, i, j]
    return dimage[:, :, ph : ph + h, pw : pw + w], dweight, dbias


def conv2d_im2col(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
) -> tuple[Array, ConvCache]:
    """Return what [`conv2d`][nn_tutorial.conv2d] returns, by one matrix product.

    Every window becomes a row (im2col): kh·kw times the memory of the input, and one product.
    Parameters, results and errors are those of ``conv2d_loops``.

    References
    ----------
    Chellapilla, Puri and Simard (2006), High performance convolutional neural networks for
    document processing.
    """
    (oh, ow), stride, padding = check_plain(x, weight, bias, stride, padding)
    f, c, kh, kw = weight.shape
    windows = sliding_window_view(pad(x, (0, 0, *padding)), (kh, kw), axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1]]  # N, C, oh, ow, kh, kw
    cols = windows.transpose(0, 2, 3, 1, 4, 5).reshape(len(x) * oh * ow, c * kh * kw)
    y = cols @ weight.reshape(f, -1).T + bias
    return y.reshape(len(x), oh, ow, f).transpose(0, 3, 1, 2), ConvCache(
        x.shape, weight, stride, padding, cols
    )


def conv2d_im2col_backward(dy: Array, cache: ConvCache) -> tuple[Array, Array, Array]:
    """Return what `conv2d_backward` returns, for ``conv2d_im2col``."""
    (n, c, h, w), weight, (sh, sw), (ph, pw), cols, _ = cache
    f, _, kh, kw = weight.shape
    oh, ow = check_conv_dy(dy, cache)
    d = dy.transpose(0, 2, 3, 1).reshape(-1, f)
    dweight = (d.T @ cols).reshape(weight.shape)
    dcols = (d @ weight.reshape(f, -1)).reshape(n, oh, ow, c, kh, kw)
    dimage = np.zeros((n, c, h + 2 * ph, w + 2 * pw), dy.dtype)
    for u in range(kh):  # col2im: windows overlap, so their gradients add up
        for v in range(kw):
            tap = dcols[:, :, :, :, u, v].transpose(0, 3, 1, 2)
            dimage[:, :, u : u + sh * oh : sh, v : v + sw * ow : sw] += tap
    return dimage[:, :, ph : ph + h, pw : pw + w], dweight, d.sum(0)


def check_conv(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: int | tuple[int, int],
    padding: int | tuple[int, int] | str,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Geometry:
    """Return how the kernel moves, or raise ``ValueError``."""
    check_float("x", x, "NCHW")
    check_float("weight", weight, "FCHW")
    check_count("groups", groups)
    if x.shape[1] != weight.shape[1] * groups or x.dtype != weight.dtype:
        raise ValueError(
            f"x: expected {weight.shape[1] * groups} channels of {weight.dtype}, as weight has, "
            f"got shape {x.shape} of {x.dtype}"
        )
    if len(weight) % groups:
        raise ValueError(f"groups: expected a divisor of {len(weight)} filters, got {groups}")
    if bias is not None:
        check_like("bias", bias, weight.shape[:1], weight.dtype, "one per filter of weight")
    stride, dilation = pair("stride", stride, least=1), pair("dilation", dilation, least=1)
    span = span_of((weight.shape[2], weight.shape[3]), dilation)
    padding, beyond = check_padding(padding, span, stride)
    padded = x.shape[2] + beyond[0], x.shape[3] + beyond[1]
    return Geometry(
        output_size(padded, span, stride, padding), stride, padding, beyond, dilation, groups
    )


def span_of(kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """Return how far a kernel reaches, from its first pixel to its last."""
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def check_padding(
    padding: int | tuple[int, int] | str, span: tuple[int, int], stride: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding as a pair, and how much more of it is below and on the right."""
    if not isinstance(padding, str):
        return pair("padding", padding, least=0), (0, 0)
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding != "same":
        raise ValueError(
            'padding: expected an integer of at least 0, two of them (height, width), "same" '
            f'or "valid", got {padding!r}'
        )
    if stride != (1, 1):
        raise ValueError(f'padding: expected pixels with the stride {stride}, got "same"')
    return ((span[0] - 1) // 2, (span[1] - 1) // 2), ((span[0] - 1) % 2, (span[1] - 1) % 2)


def check_plain(
    x: Array,
    weight: Array,
    bias: Array,
    stride: int | tuple[int, int],
    padding: int | tuple[int, int],
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Return the output's (H', W'), the stride and the padding, all given; or ``ValueError``."""
    padding = pair("padding", padding, least=0)
    geometry = check_conv(x, weight, bias, stride, padding)
    check_like("bias", bias, weight.shape[:1], weight.dtype, "one per filter of weight")
    return geometry.size, geometry.stride, padding


def check_conv_dy(dy: Array, cache: ConvCache) -> tuple[int, int]:
    """Return the output's (H', W'); raise ``ValueError`` unless ``dy`` has shape and dtype of y."""
    n, _, h, w = cache.x_shape
    f, _, kh, kw = cache.weight.shape
    size = output_size((h, w), (kh, kw), cache.stride, cache.padding)
    check_like("dy", dy, (n, f, *size), cache.weight.dtype, "that of y")
    return size


def pad(x: Array, width: tuple[int, int, int, int], value: float = 0) -> Array:
    """Return ``x`` with ``width`` more on both sides of each axis; ``x`` itself if that is 0."""
    if not any(width):
        return x
    y = np.full([s + 2 * p for s, p in zip(x.shape, width, strict=True)], value, x.dtype)
    y[tuple(slice(p, p + s) for s, p in zip(x.shape, width, strict=True))] = x
    return y


class Conv2d(Layer):
    """[`conv2d`][nn_tutorial.conv2d] with its filters and bias.

    Parameters
    ----------
    in_channels, out_channels : int
        C and F.
    kernel_size : int or (height, width)
        In pixels.
    stride, padding, dilation, groups
        See ``conv2d``.
    bias : bool
        Whether there is one.
    rng : numpy.random.Generator
        Draws the filters.
    dtype : dtype
        Of the parameters, and so of the data.
    init : Initializer
        How the filters begin; the bias begins at zero.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        rng: np.random.Generator,
        dtype: Any = np.float32,
        init: Initializer = he_normal,
    ) -> None:
        super().__init__()
        for name, count in (("in_channels", in_channels), ("out_channels", out_channels)):
            check_count(name, count)
        check_count("groups", groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"groups: expected a divisor of {in_channels} and {out_channels} channels, "
                f"got {groups}"
            )
        check_flag("bias", bias)
        self.stride = pair("stride", stride, least=1)
        self.dilation, self.groups = pair("dilation", dilation, least=1), groups
        kernel = pair("kernel_size", kernel_size, least=1)
        around, beyond = check_padding(padding, span_of(kernel, self.dilation), self.stride)
        self.padding = padding if any(beyond) else around
        shape = (out_channels, in_channels // groups, *kernel)
        self.params = {"weight": begin(init, shape, rng=rng, dtype=dtype)}
        if bias:
            self.params["bias"] = np.zeros(out_channels, dtype)

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, ConvCache | TapsCache]:
        weight, bias = self.params["weight"], self.params.get("bias")
        stride, padding, dilation = self.stride, self.padding, self.dilation
        return conv2d(
            x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=self.groups
        )

    def backward(
        self, dy: Array, cache: ConvCache | TapsCache, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        dx, dweight, dbias = conv2d_backward(dy, cache, need_dx=need_dx)
        return dx, {"weight": dweight} if dbias is None else {"weight": dweight, "bias": dbias}
