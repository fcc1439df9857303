"""The table of cases: one row a layer in one mode and geometry, one row a function pair.

A new layer needs one row in each list; every general test then runs over it. Dimensions are
pairwise distinct primes, so that a wrong transpose cannot pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import nn_tutorial as nt

Rng = np.random.Generator


def spread(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Values from -2 to 2 in random order, all apart and none near 0: no ties and no kinks."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) + 0.5 - 0.5 * (size % 2 == 1)) / size * 4 - 2).reshape(shape)


def below_zero(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Negative values only: padding with 0 would win every maximum."""
    return spread(rng, shape) - 3


@dataclass(frozen=True)
class LayerCase:
    """A layer, how its input looks, and its twin in PyTorch (None where the layer is random)."""

    name: str
    make: Callable[[Rng, Any], nt.Layer]
    shape: tuple[int, ...]
    twin: Callable[[], torch.nn.Module] | None
    train: bool = True
    values: Callable[[Rng, tuple[int, ...]], np.ndarray] = spread

    def layer(self, dtype: Any = np.float64) -> nt.Layer:
        """The layer, the same at every call, with no parameter or buffer left at 0 or 1."""
        rng = np.random.default_rng(1)
        layer = self.make(rng, dtype)
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


IMAGE = (2, 3, 13, 17)


def _conv(kernel: Any, **geometry: Any) -> tuple[Callable[[Rng, Any], nt.Layer], Any]:
    return (
        lambda rng, dtype: nt.Conv2d(3, 5, kernel, rng=rng, dtype=dtype, **geometry),
        lambda: torch.nn.Conv2d(3, 5, kernel, **geometry),
    )


def _net(rng: Rng, dtype: Any) -> nt.Layer:
    return nt.Sequential(
        nt.Conv2d(3, 5, (7, 2), padding=(1, 0), rng=rng, dtype=dtype),
        nt.BatchNorm(5, dtype=dtype),
        nt.ReLU(),
        nt.MaxPool2d(3, stride=2, padding=1),
        nt.Flatten(),
        nt.Sequential(nt.Linear(5 * 5 * 8, 11, rng=rng, dtype=dtype), nt.Tanh()),
        nt.Linear(11, 7, rng=rng, dtype=dtype),
    )


def _net_twin() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, (7, 2), padding=(1, 0)),
        torch.nn.BatchNorm2d(5),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(3, stride=2, padding=1),
        torch.nn.Flatten(),
        torch.nn.Sequential(torch.nn.Linear(5 * 5 * 8, 11), torch.nn.Tanh()),
        torch.nn.Linear(11, 7),
    )


def _batch_norm(rng: Rng, dtype: Any) -> nt.Layer:
    return nt.BatchNorm(3, eps=1e-3, momentum=0.3, dtype=dtype)


def _dropout(rng: Rng, dtype: Any) -> nt.Layer:
    return nt.Dropout(0.3, rng=rng)


LAYERS = [
    LayerCase("relu", lambda rng, dtype: nt.ReLU(), (5, 7), torch.nn.ReLU),
    LayerCase("relu-images", lambda rng, dtype: nt.ReLU(), IMAGE, torch.nn.ReLU),
    LayerCase("sigmoid", lambda rng, dtype: nt.Sigmoid(), (5, 7), torch.nn.Sigmoid),
    LayerCase("tanh", lambda rng, dtype: nt.Tanh(), (5, 7), torch.nn.Tanh),
    LayerCase("softmax", lambda rng, dtype: nt.Softmax(), (5, 7), lambda: torch.nn.Softmax(-1)),
    LayerCase("flatten", lambda rng, dtype: nt.Flatten(), (2, 3, 5, 7), torch.nn.Flatten),
    LayerCase(
        "linear",
        lambda rng, dtype: nt.Linear(3, 7, rng=rng, dtype=dtype),
        (5, 3),
        lambda: torch.nn.Linear(3, 7),
    ),
    LayerCase(
        "batch-norm-train",
        _batch_norm,
        (5, 3),
        lambda: torch.nn.BatchNorm1d(3, eps=1e-3, momentum=0.3),
    ),
    LayerCase(
        "batch-norm-eval",
        _batch_norm,
        (5, 3),
        lambda: torch.nn.BatchNorm1d(3, eps=1e-3, momentum=0.3),
        train=False,
    ),
    LayerCase(
        "batch-norm-images-train",
        _batch_norm,
        (2, 3, 5, 7),
        lambda: torch.nn.BatchNorm2d(3, eps=1e-3, momentum=0.3),
    ),
    LayerCase(
        "batch-norm-images-eval",
        _batch_norm,
        (2, 3, 5, 7),
        lambda: torch.nn.BatchNorm2d(3, eps=1e-3, momentum=0.3),
        train=False,
    ),
    *(
        LayerCase(f"conv2d-{name}", ours, IMAGE, twin)
        for name, (ours, twin) in {
            "plain": _conv((7, 11)),
            "stride": _conv((7, 11), stride=(3, 2)),
            "padding": _conv((7, 11), padding=(1, 5)),
            "stride-and-padding": _conv((7, 2), stride=(5, 3), padding=(2, 1)),
            "one-pixel": _conv(1),
            "whole-image": _conv((13, 17)),
        }.items()
    ),
    *(
        LayerCase(f"{kind}-{name}", ours, IMAGE, twin)
        for kind, ours_of, twin_of in (
            ("max-pool", nt.MaxPool2d, torch.nn.MaxPool2d),
            ("avg-pool", nt.AvgPool2d, torch.nn.AvgPool2d),
        )
        for name, kernel, geometry in (
            ("plain", 2, {}),
            ("rectangular", (5, 3), {}),
            ("overlapping", 3, {"stride": 2}),
            ("gaps", (2, 3), {"stride": (3, 5)}),
            ("padded", (5, 3), {"stride": (2, 1), "padding": (2, 1)}),
        )
        for ours, twin in (
            (
                lambda rng, dtype, of=ours_of, k=kernel, g=geometry: of(k, **g),
                lambda of=twin_of, k=kernel, g=geometry: of(k, **g),
            ),
        )
    ),
    LayerCase(
        "max-pool-padded-negative",
        lambda rng, dtype: nt.MaxPool2d(3, padding=1),
        IMAGE,
        lambda: torch.nn.MaxPool2d(3, padding=1),
        values=below_zero,
    ),
    LayerCase("dropout-train", _dropout, (5, 7), None),
    LayerCase("dropout-eval", _dropout, (5, 7), lambda: torch.nn.Dropout(0.3), train=False),
    LayerCase("sequential-train", _net, IMAGE, _net_twin),
    LayerCase("sequential-eval", _net, IMAGE, _net_twin, train=False),
]


@dataclass(frozen=True)
class FunctionCase:
    """A function pair, its array arguments, and the same function in PyTorch."""

    name: str
    forward: Callable[..., tuple[Any, Any]]
    backward: Callable[[Any, Any], Any]
    arrays: dict[str, tuple[int, ...]]
    torch: Callable[..., torch.Tensor] | None
    values: Callable[[Rng, tuple[int, ...]], np.ndarray] = spread

    def inputs(self, dtype: Any = np.float64) -> list[np.ndarray]:
        rng = np.random.default_rng(4)
        return [self.values(rng, shape).astype(dtype) for shape in self.arrays.values()]

    def gradients(self, dy: Any, cache: Any) -> tuple[np.ndarray, ...]:
        """The gradients as a tuple, for one argument too."""
        found = self.backward(dy, cache)
        return found if isinstance(found, tuple) else (found,)


LABELS = np.array([2, 0, 1, 2, 2])
CONV = {"x": IMAGE, "weight": (5, 3, 7, 11), "bias": (5,)}
CONV_GEOMETRY = {"stride": (5, 2), "padding": (2, 1)}
POOL_GEOMETRY = {"stride": (3, 2), "padding": (2, 1)}
MEAN, VAR = np.array([0.5, -1.0, 0.25]), np.array([0.5, 2.0, 1.5])


def _probabilities(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    p = rng.uniform(0.2, 1, shape)
    return p / p.sum(-1, keepdims=True)


def _batch_norm_eval(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> tuple[Any, Any]:
    return nt.batch_norm(x, weight, bias, mean=MEAN.astype(x.dtype), var=VAR.astype(x.dtype))


def _torch_batch_norm_eval(x: Any, weight: Any, bias: Any) -> torch.Tensor:
    mean, var = torch.tensor(MEAN, dtype=x.dtype), torch.tensor(VAR, dtype=x.dtype)
    return functional.batch_norm(x, mean, var, weight, bias)


FUNCTIONS = [
    FunctionCase("relu", nt.relu, nt.relu_backward, {"x": (5, 7)}, functional.relu),
    FunctionCase("sigmoid", nt.sigmoid, nt.sigmoid_backward, {"x": (5, 7)}, torch.sigmoid),
    FunctionCase("tanh", nt.tanh, nt.tanh_backward, {"x": (5, 7)}, torch.tanh),
    FunctionCase(
        "linear",
        nt.linear,
        nt.linear_backward,
        {"x": (5, 3), "weight": (3, 7), "bias": (7,)},
        lambda x, weight, bias: functional.linear(x, weight.T, bias),
    ),
    FunctionCase(
        "softmax",
        nt.softmax,
        nt.softmax_backward,
        {"x": (5, 7)},
        lambda x: functional.softmax(x, -1),
    ),
    FunctionCase(
        "softmax-three-axes",
        nt.softmax,
        nt.softmax_backward,
        {"x": (2, 5, 7)},
        lambda x: functional.softmax(x, -1),
    ),
    FunctionCase(
        "cross_entropy",
        lambda probabilities: nt.cross_entropy(probabilities, LABELS),
        nt.cross_entropy_backward,
        {"probabilities": (5, 3)},
        lambda p: functional.nll_loss(p.log(), torch.tensor(LABELS)),
        _probabilities,
    ),
    FunctionCase(
        "softmax_cross_entropy",
        lambda logits: nt.softmax_cross_entropy(logits, LABELS),
        lambda dy, dlogits: dy * dlogits,
        {"logits": (5, 3)},
        lambda logits: functional.cross_entropy(logits, torch.tensor(LABELS)),
    ),
    *(
        FunctionCase(name, forward, nt.batch_norm_backward, arrays, twin)
        for shape in ((5, 3), (2, 3, 5, 7))
        for arrays in ({"x": shape, "weight": (3,), "bias": (3,)},)
        for name, forward, twin in (
            (
                f"batch_norm-{len(shape)}d-train",
                nt.batch_norm,
                lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True),
            ),
            (f"batch_norm-{len(shape)}d-eval", _batch_norm_eval, _torch_batch_norm_eval),
        )
    ),
    *(
        FunctionCase(
            name,
            lambda x, weight, bias, f=forward: f(x, weight, bias, **CONV_GEOMETRY),
            backward,
            CONV,
            lambda x, weight, bias: functional.conv2d(x, weight, bias, **CONV_GEOMETRY),
        )
        for name, forward, backward in (
            ("conv2d", nt.conv2d, nt.conv2d_backward),
            ("conv2d_im2col", nt.conv2d_im2col, nt.conv2d_im2col_backward),
            ("conv2d_loops", nt.conv2d_loops, nt.conv2d_loops_backward),
        )
    ),
    *(
        FunctionCase(
            name,
            lambda x, f=forward: f(x, (5, 3), **POOL_GEOMETRY),
            backward,
            {"x": IMAGE},
            lambda x, f=twin: f(x, (5, 3), **POOL_GEOMETRY),
        )
        for name, forward, backward, twin in (
            ("max_pool2d", nt.max_pool2d, nt.max_pool2d_backward, functional.max_pool2d),
            (
                "max_pool2d_loops",
                nt.max_pool2d_loops,
                nt.max_pool2d_loops_backward,
                functional.max_pool2d,
            ),
            ("avg_pool2d", nt.avg_pool2d, nt.avg_pool2d_backward, functional.avg_pool2d),
            (
                "avg_pool2d_loops",
                nt.avg_pool2d_loops,
                nt.avg_pool2d_loops_backward,
                functional.avg_pool2d,
            ),
        )
    ),
    FunctionCase(
        "dropout",
        lambda x: nt.dropout(x, 0.3, np.random.default_rng(5)),
        nt.dropout_backward,
        {"x": (5, 7)},
        None,
    ),
]
