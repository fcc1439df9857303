"""Several networks of one architecture as one wide network, whose blocks never meet.

A small layer's time goes into calling NumPy, whether a call gets one network's numbers or twenty
networks'. So S networks lie side by side: features as (N, S·D), images as (N, S·C, H, W). ReLU,
pooling and batch normalisation treat each column or channel by itself and stay as they are; a
linear layer and a convolution become S blocks in one product, over a leading axis of networks; for
layer normalisation an example becomes S examples; and dropout asks each network's own generator.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..layers.activations import ReLU, Sigmoid, Tanh
from ..layers.batch_norm import BatchNorm
from ..layers.checks import Array, output_size
from ..layers.convolution import Conv2d, _met
from ..layers.dropout import Dropout, dropout, dropout_backward
from ..layers.layer import Flatten, Grads, Layer, Sequential
from ..layers.layer_norm import LayerNorm, layer_norm, layer_norm_backward
from ..layers.linear import Linear
from ..layers.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d
from .optimizers import first_shared

# They treat each feature or channel by itself, keep nothing, and so serve all networks at once.
_SHARED = (ReLU, Sigmoid, Tanh, MaxPool2d, AvgPool2d, GlobalAvgPool2d, Flatten)


class SideBySide:
    """Some networks of one architecture, as one.

    Attributes
    ----------
    net : Sequential
        Takes (N, S·D) or (N, S·C, H, W), gives (N, S·classes). Its parameters and buffers have a
        leading axis of S; they are copies of the networks' until `write_back`.
    params, grads : ndarray, (S, P)
        All parameters and their gradients, one row per network. What ``net`` holds as parameters
        and returns as gradients are views of them: each backward pass writes over the last one's.

    Parameters
    ----------
    models : sequence of Sequential
        Of linear, convolution (without dilation or groups), pooling, batch normalisation, dropout
        and flatten layers, layer normalisation of features, ReLU, sigmoid and tanh; at least one
        model, all alike but for their values, and none with a parameter or a dropout's generator of
        another.

    Raises
    ------
    ValueError
        If they are not alike, or hold a layer of another kind or with a method of its own.
    """

    def __init__(self, models: Sequence[Sequential]) -> None:
        if not models or not all(isinstance(model, Sequential) for model in models):
            raise ValueError(f"models: expected at least one Sequential, got {models!r}")
        first = models[0]
        arrays = [
            (f"network {s}'s {i}.{name}", p)
            for s, model in enumerate(models)
            for i, layer in enumerate(model.layers)
            for name, p in layer.params.items()
        ]
        if shared := first_shared(arrays):
            raise ValueError(
                f"models: expected each layer in one place and parameters that share no memory, "
                f"got {shared[0]} and {shared[1]} in one; use fit for such networks"
            )
        for model in models[1:]:
            if repr(model) != repr(first) or _dtypes(model) != _dtypes(first):
                raise ValueError(
                    f"models: expected networks that are alike, got {first} and {model}"
                )
        self.models = models
        self.params = np.stack([
            np.concatenate([p.ravel() for p in model.params.values()]) for model in models
        ])  # fmt: skip
        self.grads = np.zeros_like(self.params)
        views = [self._views(rows) for rows in (self.params, self.grads)]
        wide = []
        for i, layer in enumerate(first.layers):
            params, grads = ({name: v[f"{i}.{name}"] for name in layer.params} for v in views)
            wide.append(_wide([model.layers[i] for model in models], params, grads))
        self.net = Sequential(*wide)

    def _views(self, rows: Array) -> dict[str, Array]:
        """The parameters by their names, as views of (S, P)."""
        found, at = {}, 0
        for name, p in self.models[0].params.items():
            found[name] = rows[:, at : at + p.size].reshape(len(rows), *p.shape)
            at += p.size
        return found

    def write_back(self, s: int) -> None:
        """Give network s its parameters and buffers."""
        for wide, own in zip(self.net.layers, self.models[s].layers, strict=True):
            for name, value in (own.params | own.buffers).items():
                value[...] = (wide.params | wide.buffers)[name][s]


def _dtypes(model: Sequential) -> list[Any]:
    return [p.dtype for p in model.params.values()]


def _wide(layers: Sequence[Layer], params: Grads, grads: Grads) -> Layer:
    """One layer for several, with these arrays for its parameters and its gradients."""
    first = layers[0]
    for layer in layers:
        if vars(layer).keys() & {"forward", "backward"}:
            raise ValueError(f"models: {layer!r} has a forward or backward pass of its own")
    if type(first) in _SHARED:
        return first
    if type(first) is Linear:
        return _Linears(params, grads)
    if type(first) is Conv2d:
        if any(_geometry(c) != (first.stride, first.padding, (1, 1), 1) for c in layers):
            raise ValueError(
                "models: expected convolutions of one stride and padding, the padding alike on "
                "both sides, and without dilation or groups"
            )
        assert isinstance(first.padding, tuple)  # alike on both sides
        return _Convs(params, grads, first.stride, first.padding)
    if type(first) is BatchNorm:
        return _BatchNorms(params, grads, layers)
    if type(first) is LayerNorm:
        return _LayerNorms(params, grads, layers)
    if type(first) is Dropout:
        return _Dropouts(layers)
    kinds = (Linear, Conv2d, BatchNorm, LayerNorm, Dropout, *_SHARED)
    known = ", ".join(kind.__name__ for kind in kinds)
    raise ValueError(f"models: expected layers of these kinds: {known}; got {first!r}")


def _geometry(conv: Any) -> tuple[Any, ...]:
    padding = None if isinstance(conv.padding, str) else conv.padding
    return conv.stride, padding, conv.dilation, conv.groups


class _Linears(Layer):
    """(N, S·n_in) to (N, S·n_out), a block for each network."""

    def __init__(self, params: Grads, grads: Grads) -> None:
        super().__init__()
        self.params, self.grads = params, grads

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Array]:
        weight = self.params["weight"]  # S, n_in, n_out
        y = np.empty((len(x), len(weight), weight.shape[2]), x.dtype)
        np.matmul(_blocks(x, len(weight)), weight, out=y.swapaxes(0, 1))
        if "bias" in self.params:
            y += self.params["bias"]
        return y.reshape(len(x), -1), x

    def backward(
        self, dy: Array, cache: Array, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        weight, x = self.params["weight"], cache
        d = _blocks(dy, len(weight))
        np.matmul(_blocks(x, len(weight)).swapaxes(1, 2), d, out=self.grads["weight"])
        if "bias" in self.grads:
            np.add.reduce(d, 1, out=self.grads["bias"])
        if not need_dx:
            return None, self.grads
        dx = np.empty_like(x)  # in the memory order of x: images come with N last
        turned = weight.swapaxes(1, 2)
        if len(x) >= 32:  # BLAS takes it faster as it lies, which is worth a copy
            turned = np.ascontiguousarray(turned)
        np.matmul(d, turned, out=_blocks(dx, len(weight)))
        return dx, self.grads


def _blocks(x: Array, s: int) -> Array:
    """(N, S·D) as (S, N, D), a view."""
    return x.reshape(len(x), s, -1).swapaxes(0, 1)


class _Convs(Layer):
    """(N, S·C, H, W) to (N, S·F, H', W'), as [`conv2d`][nn_tutorial.conv2d] does it for one."""

    def __init__(
        self, params: Grads, grads: Grads, stride: tuple[int, int], padding: tuple[int, int]
    ) -> None:
        super().__init__()
        self.params, self.grads, self.stride, self.padding = params, grads, stride, padding

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        weight = self.params["weight"]
        s, f, c, kh, kw = weight.shape
        n, _, h, w = x.shape
        (sh, sw), (ph, pw) = self.stride, self.padding
        oh, ow = output_size((h, w), (kh, kw), self.stride, self.padding)
        image = np.ascontiguousarray(x.transpose(2, 1, 3, 0)).reshape(h, s, c, w, n)
        rows = np.zeros((s, h + 2 * ph, kw, c, ow, n), x.dtype)
        for v in range(kw):
            columns, pixels = _met(v, ow, w, sw, pw)
            rows[:, ph : ph + h, v, :, columns] = image[:, :, :, pixels].swapaxes(0, 1)
        windows = sliding_window_view(rows.reshape(s, -1, ow * n), kh * kw * c, axis=1)
        cols = windows[:, :: sh * kw * c].swapaxes(2, 3)  # S, oh, kh·kw·c, ow·n
        y = np.empty((oh, s, f, ow, n), x.dtype)
        by_pixel = cols.reshape(s, oh, -1, ow, n).transpose(1, 0, 3, 2, 4)
        kernels = weight.transpose(0, 1, 3, 4, 2).reshape(s, 1, f, -1)
        np.matmul(kernels, by_pixel, out=y.swapaxes(2, 3))
        if "bias" in self.params:
            y += self.params["bias"][:, :, None, None]
        return y.reshape(oh, s * f, ow, n).transpose(3, 1, 0, 2), (x.shape, cols)

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        (n, _, h, w), cols = cache
        weight = self.params["weight"]
        s, f, c, kh, kw = weight.shape
        oh, ow = dy.shape[2:]
        (sh, sw), (ph, pw) = self.stride, self.padding
        d = dy.transpose(2, 1, 3, 0).reshape(oh, s, f, ow * n).swapaxes(0, 1)
        dweight = (cols @ d.swapaxes(2, 3)).sum(1).reshape(s, kh, kw, c, f)
        self.grads["weight"][...] = dweight.transpose(0, 4, 3, 1, 2)
        if "bias" in self.grads:
            np.einsum("shfn->sf", d, out=self.grads["bias"])
        if not need_dx:
            return None, self.grads
        rows = np.zeros((s, h + 2 * ph, kw * c, ow * n), d.dtype)
        for u in range(kh):
            taps = weight[:, :, :, u].transpose(0, 3, 2, 1).reshape(s, 1, kw * c, f)
            rows[:, u : u + sh * oh : sh] += taps @ d
        image = np.zeros((h, s, c, w, n), d.dtype)
        copies = rows[:, ph : ph + h].reshape(s, h, kw, c, ow, n).transpose(2, 1, 0, 3, 4, 5)
        for v, copied in enumerate(copies):
            columns, pixels = _met(v, ow, w, sw, pw)
            image[:, :, :, pixels] += copied[:, :, :, columns]
        return image.reshape(h, s * c, w, n).transpose(3, 1, 0, 2), self.grads


class _BatchNorms(Layer):
    """A batch normalisation of S·D features; each has its own statistics anyway."""

    def __init__(self, params: Grads, grads: Grads, layers: Sequence[Any]) -> None:
        super().__init__()
        self.params, self.grads, first = params, grads, layers[0]
        if any((layer.eps, layer.momentum) != (first.eps, first.momentum) for layer in layers):
            raise ValueError("models: expected batch normalisations of one eps and momentum")
        size, dtype = params["weight"].size, params["weight"].dtype
        self.inner = BatchNorm(size, eps=first.eps, momentum=first.momentum, dtype=dtype)
        for name, value in self.inner.buffers.items():
            self.buffers[name] = value.reshape(len(layers), -1)
            self.buffers[name][...] = [layer.buffers[name] for layer in layers]

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        for name, value in self.inner.params.items():
            value[...] = self.params[name].ravel()
        return self.inner.forward(x, train=train)

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        dx, found = self.inner.backward(dy, cache, need_dx=need_dx)
        for name, grad in self.grads.items():
            grad[...] = found[name].reshape(grad.shape)
        return dx, self.grads


class _LayerNorms(Layer):
    """A layer normalisation of S·D features: a network's D are an example of their own."""

    def __init__(self, params: Grads, grads: Grads, layers: Sequence[Any]) -> None:
        super().__init__()
        self.params, self.grads, self.eps = params, grads, layers[0].eps
        if any(layer.eps != self.eps for layer in layers) or params["weight"].ndim != 2:
            raise ValueError("models: expected layer normalisations of features and of one eps")

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        weight, bias = self.params["weight"], self.params["bias"]  # S, D
        one, zero = np.ones_like(weight[0]), np.zeros_like(weight[0])
        xhat, cache = layer_norm(x.reshape(-1, len(one)), one, zero, eps=self.eps)
        y = xhat.reshape(-1, *weight.shape) * weight + bias
        return y.reshape(x.shape), cache

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        weight = self.params["weight"]
        d = dy.reshape(-1, *weight.shape)
        np.einsum("nsd,nsd->sd", d, cache.xhat.reshape(d.shape), out=self.grads["weight"])
        np.add.reduce(d, 0, out=self.grads["bias"])
        if not need_dx:
            return None, self.grads
        dx, _, _ = layer_norm_backward((d * weight).reshape(cache.xhat.shape), cache)
        assert dx is not None
        return dx.reshape(dy.shape), self.grads


class _Dropouts(Layer):
    """Dropout of (N, S·D) or (N, S·C, H, W), each network's part with its own p and generator."""

    def __init__(self, layers: Sequence[Any]) -> None:
        super().__init__()
        self.layers = layers
        if len({id(layer.rng) for layer in layers}) < len(layers):
            raise ValueError("models: expected dropouts with a generator for each network")

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        if not train:
            return x, None
        parts = np.split(x, len(self.layers), axis=1)
        found = [dropout(part, own.p, own.rng) for part, own in zip(parts, self.layers)]
        y, scale = (np.concatenate(pieces, axis=1) for pieces in zip(*found))
        return y, scale

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        return dropout_backward(dy, cache) if need_dx else None, {}
