"""What several test files share: an own central difference, and the way to and from PyTorch."""

import ast
import importlib.util
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import LayerCase
from torch import nn

import nn_tutorial as nt
from nn_tutorial.pytorch.modules import BatchNorm2d, Dropout

ROOT = Path(__file__).resolve().parent.parent


def assert_told(call: Callable[[], Any], name: str, params: dict[str, np.ndarray]) -> None:
    """A wrong argument is told by its name, before any parameter is changed."""
    before = {key: p.copy() for key, p in params.items()}
    with pytest.raises(ValueError, match=f"^{name}: expected "):
        call()
    assert all((p == before[key]).all() for key, p in params.items())


def assert_gradients(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Sequence[np.ndarray]],
    arrays: Sequence[np.ndarray],
    *,
    elements: int = 40,
    h: float = 1e-5,
) -> None:
    """Compare gradients with central differences, written apart from `gradient_check`.

    A random selection of elements of each array is moved, and all arrays together along one
    random direction, so that no element is left out altogether.
    """
    rng = np.random.default_rng(11)
    y, cache = forward(*arrays)
    dy = rng.normal(size=np.shape(y)) if np.ndim(y) else 1.7
    gradients = backward(dy, cache)
    assert [g.shape for g in gradients] == [a.shape for a in arrays]

    def slope(moved: Sequence[np.ndarray]) -> float:
        high, _ = forward(*(a + h * m for a, m in zip(arrays, moved, strict=True)))
        low, _ = forward(*(a - h * m for a, m in zip(arrays, moved, strict=True)))
        return float(np.sum(dy * (np.asarray(high) - low)) / (2 * h))

    for k, (a, gradient) in enumerate(zip(arrays, gradients, strict=True)):
        chosen = rng.permutation(a.size)[:elements]
        numeric = []
        for i in chosen:
            moved = [np.zeros(b.shape) for b in arrays]
            moved[k].flat[i] = 1
            numeric.append(slope(moved))
        tiny = 1e-7 * max(1.0, np.abs(gradient).max())  # the rounding of a difference
        np.testing.assert_allclose(gradient.flat[chosen], numeric, rtol=1e-6, atol=tiny)

    moved = [rng.normal(size=a.shape) for a in arrays]
    along = sum(float(np.sum(g * m)) for g, m in zip(gradients, moved, strict=True))
    scale = sum(float(np.sum(np.abs(g * m))) for g, m in zip(gradients, moved, strict=True))
    assert abs(along - slope(moved)) <= 1e-6 * scale


def as_function(
    case: LayerCase,
) -> tuple[dict[str, np.ndarray], Callable[..., tuple[Any, Any]], Callable[[Any, Any], Any]]:
    """A layer as a function of its input and its parameters: arrays, forward and backward."""
    arrays = {"x": case.x()} | {k: p.copy() for k, p in case.layer().params.items()}

    def forward(x: np.ndarray, *params: np.ndarray) -> tuple[Any, Any]:
        layer = case.layer()  # a new one: same masks, same running statistics
        for p, value in zip(layer.params.values(), params, strict=True):
            p[...] = value
        y, cache = layer.forward(x, train=case.train)
        return y, (layer, cache)

    def backward(dy: Any, cache: Any) -> tuple[np.ndarray, ...]:
        layer, inner = cache
        dx, grads = layer.backward(dy, inner)
        return (dx, *(grads[name] for name in layer.params))

    return arrays, forward, backward


def is_transposed(twin: torch.nn.Module, name: str) -> bool:
    """Whether the named parameter is a linear weight, which PyTorch stores transposed."""
    owner, _, leaf = name.rpartition(".")
    return leaf == "weight" and isinstance(twin.get_submodule(owner), torch.nn.Linear)


def copy_into_twin(layer: nt.Layer, twin: torch.nn.Module) -> torch.nn.Module:
    """Give the twin the layer's dtype, parameters and buffers; every one of them must be met."""
    state = {**layer.params, **layer.buffers}
    theirs = dict(twin.named_parameters()) | {
        name: b for name, b in twin.named_buffers() if not name.endswith("num_batches_tracked")
    }
    assert state.keys() == theirs.keys()
    if state:
        twin = twin.to(torch.from_numpy(next(iter(state.values()))).dtype)
    state_now = twin.state_dict(keep_vars=True)
    with torch.no_grad():
        for name, value in state.items():
            state_now[name].copy_(torch.tensor(value.T if is_transposed(twin, name) else value))
    return twin


def from_twin(twin: torch.nn.Module, name: str, tensor: torch.Tensor) -> np.ndarray:
    """A parameter of the twin, or its gradient, in our layout."""
    value = tensor.detach().numpy()
    return value.T if is_transposed(twin, name) else value


def assert_close(ours: Any, theirs: Any) -> None:
    """Equal to 1e-10 in float64 and 1e-4 in float32, of each value or of the largest one."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.dtype == theirs.dtype
    tolerance = 1e-10 if ours.dtype == np.float64 else 1e-4
    scale = max(1.0, float(np.abs(theirs).max(initial=0, where=np.isfinite(theirs))))
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale / 10)


SMALL_FASHION = {"train": 60, "t10k": 20}  # images in a Fashion-MNIST that a test can write


def write_fashion(root: Path, *, seed: int = 0, labels: np.ndarray | None = None) -> Path:
    """Four IDX files of random images; return their folder."""
    rng = np.random.default_rng(seed)
    raw = root / "fashion-mnist" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    all_labels = np.tile(np.arange(10), 8) if labels is None else labels
    at = 0
    for part, count in SMALL_FASHION.items():
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        own = all_labels[at : at + count].astype(np.uint8)
        at += count
        for name, array in (("images-idx3", pixels), ("labels-idx1", own)):
            header = bytes([0, 0, 8, array.ndim]) + b"".join(
                size.to_bytes(4, "big") for size in array.shape
            )
            (raw / f"{part}-{name}-ubyte").write_bytes(header + array.tobytes())
    return raw


def script(name: str) -> Any:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kill_at(epoch: int, step: int) -> Any:
    """Send this process a SIGTERM after one step."""

    def after_step(*now: int) -> None:
        if now == (epoch, step):
            os.kill(os.getpid(), signal.SIGTERM)

    return after_step


def without_clock(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history]


class TinyAlexNet(nn.Module):
    """Features and a classifier, as AlexNet, with running statistics in the features."""

    def __init__(
        self, *, n_classes: int = 10, freeze: bool = True, seed: int = 0, width: int = 4
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2), BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(2)
        )
        self.avgpool = nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(
            nn.Flatten(), Dropout(0.3), nn.Linear(4 * width, 4 * width), nn.ReLU(),
            nn.Linear(4 * width, n_classes),
        )  # fmt: skip
        self.features.requires_grad_(not freeze)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.avgpool(self.features(x)))


def imported(source: str) -> set[str]:
    """The packages that Python source imports, in functions too; relative imports name none."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
