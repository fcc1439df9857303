"""The table of cases: one row a layer in one mode and geometry, one row a function pair.

A layer's theory gives a row of each: see ``LAYERS`` and ``FUNCTIONS`` at the end. Here are more
of them, for other shapes and geometries. Dimensions are pairwise distinct primes, so that a wrong
transpose cannot pass.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

import nn_tutorial as nt
from nn_tutorial.pytorch.equivalents import equivalent
from nn_tutorial.verify.theories import THEORIES
from nn_tutorial.verify.theory import Theory, Values, build

Rng = np.random.Generator


def spread(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Values from -2 to 2 in random order, all apart and none near 0: no ties and no kinks."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) + 0.5 - 0.5 * (size % 2 == 1)) / size * 4 - 2).reshape(shape)


def below_zero(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Negative values only: padding with 0 would win every maximum."""
    return spread(rng, shape) - 3


def probabilities(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Rows that add up to 1."""
    p = rng.uniform(0.2, 1, shape)
    return p / p.sum(-1, keepdims=True)


@dataclass(frozen=True)
class LayerCase:
    """A layer, what it is made with besides ``rng`` and ``dtype``, and how its input looks."""

    name: str
    of: Callable[..., nt.Layer]
    shape: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    train: bool = True
    values: Callable[[Rng, tuple[int, ...]], np.ndarray] = spread

    def layer(self, dtype: Any = np.float64) -> nt.Layer:
        """The layer, the same at every call, with no parameter or buffer left at 0 or 1."""
        rng = np.random.default_rng(1)
        layer = build(self.of, self.settings, rng=rng, dtype=dtype)
        for p in layer.params.values():
            p[...] = rng.normal(size=p.shape)
        for name, b in layer.buffers.items():
            b[...] = rng.uniform(0.5, 2, b.shape) if "var" in name else rng.normal(size=b.shape)
        return layer

    def x(self, dtype: Any = np.float64, seed: int = 2) -> np.ndarray:
        return self.values(np.random.default_rng(seed), self.shape).astype(dtype)

    def dy(self, dtype: Any = np.float64, seed: int = 3) -> np.ndarray:
        """A random upstream gradient of the right shape: all ones would hide most mistakes."""
        y, _ = self.layer(dtype).forward(self.x(dtype), train=self.train)
        return np.random.default_rng(seed).normal(size=y.shape).astype(dtype)

    @property
    def random(self) -> bool:
        """Whether each pass draws anew, so that PyTorch's pass cannot give the same numbers."""
        return self.of is nt.Dropout and self.train


@dataclass(frozen=True)
class FunctionCase:
    """A function pair, its array arguments, and its others for a dtype, fresh at each call."""

    name: str
    function: Callable[..., tuple[Any, Any]]
    backward: Callable[[Any, Any], Any]
    arrays: dict[str, tuple[int, ...]]
    more: Callable[[Any], dict[str, Any]] = lambda dtype: {}
    values: Callable[[Rng, tuple[int, ...]], np.ndarray] = spread

    def inputs(self, dtype: Any = np.float64) -> list[np.ndarray]:
        rng = np.random.default_rng(4)
        return [self.values(rng, shape).astype(dtype) for shape in self.arrays.values()]

    def forward(self, *arrays: np.ndarray) -> tuple[Any, Any]:
        named = dict(zip(self.arrays, arrays, strict=True))
        return self.function(**named, **self.more(arrays[0].dtype))

    def gradients(self, dy: Any, cache: Any) -> tuple[np.ndarray, ...]:
        """The gradients as a tuple, for one argument too."""
        found = self.backward(dy, cache)
        return found if isinstance(found, tuple) else (found,)

    def torch(self, *tensors: torch.Tensor) -> torch.Tensor:
        """The same function in PyTorch."""
        named = dict(zip(self.arrays, tensors, strict=True))
        more = self.more(tensors[0].detach().numpy().dtype)
        arrays = {name: v for name, v in more.items() if isinstance(v, np.ndarray)}
        more |= {name: torch.tensor(value) for name, value in arrays.items()}
        return equivalent(self.function.__name__)(**named, **more)


IMAGE = (2, 3, 13, 17)
NORM = {"num_features": 3, "eps": 1e-3, "momentum": 0.3}
LABELS = np.array([2, 0, 1, 2, 2])
CONV = {"x": IMAGE, "weight": (5, 3, 7, 11), "bias": (5,)}
CONV_GEOMETRY = {"stride": (5, 2), "padding": (2, 1)}
POOL_GEOMETRY = {"kernel_size": (5, 3), "stride": (3, 2), "padding": (2, 1)}


def _net(*, rng: Rng, dtype: Any) -> nt.Layer:
    return nt.Sequential(
        nt.Conv2d(3, 5, (7, 2), padding=(1, 0), rng=rng, dtype=dtype),
        nt.BatchNorm(5, dtype=dtype),
        nt.ReLU(),
        nt.MaxPool2d(3, stride=2, padding=1),
        nt.Flatten(),
        nt.Sequential(nt.Linear(5 * 5 * 8, 11, rng=rng, dtype=dtype), nt.Tanh()),
        nt.Linear(11, 7, rng=rng, dtype=dtype),
    )


MORE_LAYERS = [
    LayerCase("flatten", nt.Flatten, (2, 3, 5, 7)),
    LayerCase("batch-norm-train", nt.BatchNorm, (5, 3), NORM),
    LayerCase("batch-norm-eval", nt.BatchNorm, (5, 3), NORM, train=False),
    LayerCase("batch-norm-images-train", nt.BatchNorm, (2, 3, 5, 7), NORM),
    LayerCase("batch-norm-images-eval", nt.BatchNorm, (2, 3, 5, 7), NORM, train=False),
    *(
        LayerCase(
            f"conv2d-{name}", nt.Conv2d, IMAGE, {"in_channels": 3, "out_channels": 5} | geometry
        )
        for name, geometry in {
            "plain": {"kernel_size": (7, 11)},
            "stride": {"kernel_size": (7, 11), "stride": (3, 2)},
            "padding": {"kernel_size": (7, 11), "padding": (1, 5)},
            "stride-and-padding": {"kernel_size": (7, 2), "stride": (5, 3), "padding": (2, 1)},
            "one-pixel": {"kernel_size": 1},
            "whole-image": {"kernel_size": (13, 17)},
            "no-bias": {"kernel_size": (7, 2), "stride": (5, 3), "bias": False},
            "same": {"kernel_size": (5, 3), "padding": "same"},
            "dilation": {"kernel_size": (3, 2), "dilation": (2, 5), "padding": (1, 2)},
            "groups": {"kernel_size": (3, 2), "groups": 3, "out_channels": 6, "stride": (3, 2)},
            "depthwise": {
                "kernel_size": 3,
                "groups": 3,
                "out_channels": 3,
                "bias": False,
                "dilation": 2,
            },
        }.items()
    ),
    *(
        LayerCase(f"{kind}-{name}", of, IMAGE, geometry)
        for kind, of in (("max-pool", nt.MaxPool2d), ("avg-pool", nt.AvgPool2d))
        for name, geometry in {
            "plain": {"kernel_size": 2},
            "rectangular": {"kernel_size": (5, 3)},
            "overlapping": {"kernel_size": 3, "stride": 2},
            "gaps": {"kernel_size": (2, 3), "stride": (3, 5)},
            "padded": {"kernel_size": (5, 3), "stride": (2, 1), "padding": (2, 1)},
            "ceiling": {"kernel_size": (5, 3), "stride": (3, 4), "ceil_mode": True},
            "padded-ceiling": {
                "kernel_size": (4, 3),
                "stride": (3, 4),
                "padding": (1, 0),
                "ceil_mode": True,
            },
        }.items()
    ),
    LayerCase(
        "max-pool-dilated",
        nt.MaxPool2d,
        IMAGE,
        {
            "kernel_size": (3, 2),
            "stride": (2, 1),
            "dilation": (2, 5),
            "padding": 1,
        },
    ),
    LayerCase(
        "max-pool-dilated-ceiling",
        nt.MaxPool2d,
        IMAGE,
        {
            "kernel_size": (3, 2),
            "stride": 4,
            "dilation": (2, 5),
            "ceil_mode": True,
        },
    ),
    LayerCase(
        "avg-pool-inside",
        nt.AvgPool2d,
        IMAGE,
        {
            "kernel_size": (4, 3),
            "stride": (3, 4),
            "padding": 1,
            "ceil_mode": True,
            "count_include_pad": False,
        },
    ),
    LayerCase("linear-no-bias", nt.Linear, (5, 3), {"n_in": 3, "n_out": 7, "bias": False}),
    LayerCase("softmax-axis", nt.Softmax, (2, 5, 7), {"axis": 1}),
    LayerCase(
        "max-pool-padded-negative",
        nt.MaxPool2d,
        IMAGE,
        {"kernel_size": 3, "padding": 1},
        values=below_zero,
    ),
    LayerCase("dropout-eval", nt.Dropout, (5, 7), {"p": 0.3}, train=False),
    LayerCase("sequential-train", _net, IMAGE),
    LayerCase("sequential-eval", _net, IMAGE, train=False),
]


def _times(dy: float, dlogits: np.ndarray) -> np.ndarray:
    """A loss comes with its gradient; what is left is the upstream factor."""
    return np.multiply(dy, dlogits, dtype=dlogits.dtype)


MORE_FUNCTIONS = [
    FunctionCase(
        "cross_entropy",
        nt.cross_entropy,
        nt.cross_entropy_backward,
        {"probabilities": (5, 3)},
        lambda dtype: {"labels": LABELS},
        probabilities,
    ),
    *(
        FunctionCase(f.__name__, f, backward, CONV, lambda dtype: CONV_GEOMETRY)
        for f, backward in (
            (nt.conv2d, nt.conv2d_backward),
            (nt.conv2d_im2col, nt.conv2d_im2col_backward),
            (nt.conv2d_loops, nt.conv2d_loops_backward),
        )
    ),
    FunctionCase(
        "softmax-axis", nt.softmax, nt.softmax_backward, {"x": (2, 5, 7)}, lambda dtype: {"axis": 1}
    ),
    FunctionCase(
        "softmax_cross_entropy-options",
        nt.softmax_cross_entropy,
        _times,
        {"logits": (5, 3)},
        lambda dtype: {
            "labels": np.array([2, 9, 1, 2, 0]),
            "ignore_index": 9,
            "label_smoothing": 0.3,
            "weight": np.array([0.5, 2.0, 3.0], dtype),
            "reduction": "sum",
        },
    ),
    *(
        FunctionCase(f.__name__, f, backward, {"x": IMAGE}, lambda dtype: POOL_GEOMETRY)
        for f, backward in (
            (nt.max_pool2d, nt.max_pool2d_backward),
            (nt.max_pool2d_loops, nt.max_pool2d_loops_backward),
            (nt.avg_pool2d, nt.avg_pool2d_backward),
            (nt.avg_pool2d_loops, nt.avg_pool2d_loops_backward),
        )
    ),
]


def _rows(theory: Theory) -> Iterator[LayerCase | FunctionCase]:
    """Rows for the class of a theory, and for its function if it is one of the package's."""
    rng = np.random.default_rng(0)
    values = theory.sample(rng, 0)
    yield from _rows_of(theory, theory.name, values)
    for name, shapes in theory.other_shapes.items():
        others = {symbol: rng.uniform(0.5, 2, shape) for symbol, shape in shapes.items()}
        yield from _rows_of(theory, f"{theory.name}-{name}", values | others)


def _rows_of(theory: Theory, name: str, values: Values) -> Iterator[LayerCase | FunctionCase]:
    arguments = theory.arguments(values)
    arrays = {
        argument: value.shape
        for argument, value in arguments.items()
        if any(value is values[symbol] for symbol in theory.inputs)
    }

    def more(dtype: Any) -> dict[str, Any]:
        cast = {
            symbol: value.astype(dtype) if getattr(value, "dtype", None) == np.float64 else value
            for symbol, value in values.items()
        }
        return {n: v for n, v in theory.arguments(cast).items() if n not in arrays}

    if theory.layer:
        yield LayerCase(name, theory.layer, arrays["x"], theory.settings(values), theory.train)
    function, backward = theory.pair
    if getattr(nt, function.__name__) is function:
        yield FunctionCase(name, function, backward, arrays, more)


def _named(rows: Any) -> list[Any]:
    return list({row.name: row for row in rows}.values())


_DERIVED = [row for theory in THEORIES.values() for row in _rows(theory)]
# A row of the lists above replaces a theory's row of the same name.
LAYERS: list[LayerCase] = _named(
    [*(row for row in _DERIVED if isinstance(row, LayerCase)), *MORE_LAYERS]
)
FUNCTIONS: list[FunctionCase] = _named(
    [*(row for row in _DERIVED if isinstance(row, FunctionCase)), *MORE_FUNCTIONS]
)
