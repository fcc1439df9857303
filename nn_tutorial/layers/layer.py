"""The layer protocol: a forward that hands out its cache, and a backward that takes it."""

from typing import Any

import numpy as np

from .checks import Array, check_float

Grads = dict[str, Array]


class Layer:
    """A function with parameters, and its gradient.

    A layer keeps its parameters and buffers, and nothing of the data: what the backward pass
    needs is in the cache that ``forward`` returns. So two forward passes never disturb each other.

    Attributes
    ----------
    params : dict of str to ndarray
        What an optimiser changes, in place.
    buffers : dict of str to ndarray
        State that is saved with the layer but not trained (running statistics).
    """

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.buffers: dict[str, Array] = {}

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, Any]:
        """Return the output and the cache for ``backward``.

        Parameters
        ----------
        x : ndarray of float
            The input, one example per row (axis 0).
        train : bool
            Whether this pass is for training; only batch normalisation and dropout care.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward")

    def backward(
        self, dy: Array, cache: Any, *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        """Return the gradient of the loss with respect to the input and to each parameter.

        Parameters
        ----------
        dy : ndarray of float, shape of the output
            The upstream gradient.
        cache : object
            What ``forward`` returned.
        need_dx : bool
            False where nobody asks for the gradient of the input (a net's first layer);
            ``dx`` is then ``None`` and its work is not done.

        Returns
        -------
        dx : ndarray or None
        grads : dict of str to ndarray
            The keys of ``params``, with arrays of the same shapes, new at each call.
        """
        raise NotImplementedError(f"{type(self).__name__} must define backward")

    def __call__(self, x: Array) -> Array:
        """Predict: the output of ``forward`` with ``train=False``."""
        return self.forward(x, train=False)[0]

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {p.shape}" for name, p in self.params.items())
        return f"{type(self).__name__}({shapes})"


class Sequential(Layer):
    """Layers one after the other.

    $$y = f_K(\\dots f_2(f_1(x)))$$

    Parameters and buffers are those of the layers, not copies, under the names ``"0.weight"``,
    ``"0.bias"``, ``"2.weight"`` and so on. A layer that stands in several places has one set, under
    the name of the first, and its gradients are added up.

    Parameters
    ----------
    *layers : Layer
        In the order in which the data meets them; at least one.

    Raises
    ------
    ValueError
        If there is no layer, or something that is none.
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        if not layers or not all(isinstance(layer, Layer) for layer in layers):
            got = ", ".join(type(layer).__name__ for layer in layers) or "nothing"
            raise ValueError(f"layers: expected at least one Layer and nothing else, got {got}")
        self.layers = layers
        self._names: list[list[tuple[str, str]]] = []  # made once: small nets are all overhead
        known: dict[int, str] = {}  # the name of each array, by its identity
        for i, layer in enumerate(layers):
            for kept, own in ((self.params, layer.params), (self.buffers, layer.buffers)):
                for name, array in own.items():
                    kept[known.setdefault(id(array), f"{i}.{name}")] = array
            self._names.append([(name, known[id(p)]) for name, p in layer.params.items()])
        self._tied = len({full for names in self._names for _, full in names}) < sum(
            map(len, self._names)
        )

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, list[Any]]:
        caches = []
        for i, layer in enumerate(self.layers):
            try:
                x, cache = layer.forward(x, train=train)
            except ValueError as error:
                error.add_note(f"in layer {i}, {layer!r}")
                raise
            caches.append(cache)
        return x, caches

    def backward(
        self, dy: Array, cache: list[Any], *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        d: Any = dy
        found: list[Grads] = []
        for i in range(len(self.layers) - 1, -1, -1):
            d, grads = self.layers[i].backward(d, cache[i], need_dx=need_dx or i > 0)
            found.append(grads)
        found.reverse()
        pairs = zip(self._names, found, strict=True)
        each = [(full, grads[name]) for names, grads in pairs for name, full in names]
        if not self._tied:
            return d, dict(each)
        summed: Grads = {}
        for full, grad in each:
            summed[full] = summed[full] + grad if full in summed else grad
        return d, summed

    def __repr__(self) -> str:
        lines = "".join(f"\n  {i}: {layer!r}" for i, layer in enumerate(self.layers))
        return f"Sequential({lines}\n)"


class Flatten(Layer):
    """One row per example: (N, ...) becomes (N, D)."""

    def forward(self, x: Array, *, train: bool = True) -> tuple[Array, tuple[int, ...]]:
        check_float("x", x, "")
        if x.ndim < 2:
            raise ValueError(f"x: expected at least two axes (N, ...), got shape {x.shape}")
        if x.flags.c_contiguous:
            return x.reshape(len(x), -1), x.shape
        # Images come with the batch last in memory and stay so: the copy then takes whole rows.
        return np.moveaxis(x, 0, -1).reshape(-1, len(x)).T, x.shape

    def backward(
        self, dy: Array, cache: tuple[int, ...], *, need_dx: bool = True
    ) -> tuple[Array | None, Grads]:
        check_float("dy", dy, "ND")
        if (len(dy), dy.size) != (cache[0], int(np.prod(cache))):
            raise ValueError(f"dy: expected the shape of y, the flattened {cache}, got {dy.shape}")
        return dy.reshape(cache) if need_dx else None, {}
