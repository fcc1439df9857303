"""Convolution by its taps: with dilation, groups, or more padding on one side than on the other.

One product for each place (u, v) in the kernel, with the pixels that this place meets. That takes
any geometry; where ``conv2d`` has its own way, which copies less, it goes that.
"""

from typing import NamedTuple

import numpy as np

from .checks import Array

Pair = tuple[int, int]


class Geometry(NamedTuple):
    """How a window moves: ``beyond`` is how much more padding is below and on the right."""

    size: Pair  # of the output
    stride: Pair
    padding: Pair
    beyond: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    @property
    def plain(self) -> bool:
        """Whether the geometry is all in size, stride and padding."""
        return self[3:] == ((0, 0), (1, 1), 1)


class TapsCache(NamedTuple):
    """What ``taps_backward`` needs; ``image`` is the padded input."""

    image: Array
    weight: Array
    geometry: Geometry
    has_bias: bool


def by_taps(
    x: Array, weight: Array, bias: Array | None, geometry: Geometry
) -> tuple[Array, TapsCache]:
    """Return what `conv2d` returns, and the cache for ``taps_gradients``."""
    (ph, pw), (bh, bw) = geometry.padding, geometry.beyond
    image = np.pad(x, ((0, 0), (0, 0), (ph, ph + bh), (pw, pw + bw)))
    filters = _grouped(weight, geometry)
    y = np.zeros((len(x), *filters.shape[:2], geometry.size[0] * geometry.size[1]), x.dtype)
    for u, v in np.ndindex(weight.shape[2:]):
        y += filters[..., u, v] @ _pixels(image[_tap(u, v, geometry)], geometry)
    y = y.reshape(len(x), len(weight), *geometry.size)
    if bias is not None:
        y += bias[:, None, None]
    return y, TapsCache(image, weight, geometry, bias is not None)


def taps_gradients(
    dy: Array, cache: TapsCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array | None]:
    """Return what `conv2d_backward` returns."""
    image, weight, geometry, has_bias = cache
    filters, d = _grouped(weight, geometry), _pixels(dy, geometry)
    dfilters, dimage = np.zeros_like(filters), np.zeros_like(image)
    for u, v in np.ndindex(weight.shape[2:]):
        tap = _tap(u, v, geometry)
        pixels = _pixels(image[tap], geometry)
        dfilters[..., u, v] = (d @ pixels.swapaxes(2, 3)).sum(0)
        if need_dx:
            met = filters[..., u, v].swapaxes(1, 2) @ d
            dimage[tap] += met.reshape(len(dy), -1, *geometry.size)
    (ph, pw), (bh, bw), (_, _, h, w) = geometry.padding, geometry.beyond, image.shape
    dx = dimage[:, :, ph : h - ph - bh, pw : w - pw - bw] if need_dx else None
    dbias = np.einsum("nfhw->f", dy) if has_bias else None
    return dx, dfilters.reshape(weight.shape), dbias


def _tap(u: int, v: int, geometry: Geometry) -> tuple[slice, ...]:
    """Where in the padded image the place (u, v) of the kernel lies, for all windows."""
    each = slice(None)
    along = zip((u, v), geometry.dilation, geometry.stride, geometry.size, strict=True)
    return each, each, *(slice(t * d, t * d + s * (n - 1) + 1, s) for t, d, s, n in along)


def _pixels(images: Array, geometry: Geometry) -> Array:
    """(N, C, H', W') as (N, groups, channels of a group, pixels)."""
    n, c, h, w = images.shape
    return images.reshape(n, geometry.groups, c // geometry.groups, h * w)


def _grouped(weight: Array, geometry: Geometry) -> Array:
    """(F, C, kh, kw) as (groups, filters of a group, C, kh, kw)."""
    return weight.reshape(geometry.groups, -1, *weight.shape[1:])
