"""What PyTorch's users reach for: options of the layers and of the loss, as PyTorch has them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import nn_tutorial as nt

RNG = np.random.default_rng(0)
SEEDS = range(60)


def closely(ours: Any, theirs: torch.Tensor | None) -> None:
    assert theirs is not None
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)


def leaf(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, requires_grad=True)


def pooled(
    y: np.ndarray,
    theirs: torch.Tensor,
    x: torch.Tensor,
    backward: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Both ways are PyTorch's."""
    closely(y, theirs)
    dy = RNG.normal(size=y.shape)
    theirs.backward(torch.tensor(dy))
    closely(backward(dy), x.grad)


def two(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    a, b = rng.integers(low, high + 1, 2)
    return int(a), int(b)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("seed", SEEDS)
def test_convolution_of_any_geometry(seed: int) -> None:
    """Dilation, groups, padding by name, no bias; forward and backward."""
    rng = np.random.default_rng(seed)
    groups, kernel, dilation = int(rng.integers(1, 4)), two(rng, 1, 4), two(rng, 1, 3)
    padding = ["same", "valid", two(rng, 0, 3)][seed % 3]
    stride = (1, 1) if padding == "same" else two(rng, 1, 3)
    channels, filters = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    size = [d * (k - 1) + 1 + int(rng.integers(6)) for k, d in zip(kernel, dilation, strict=True)]
    x = rng.normal(size=(2, channels, *size))
    weight = rng.normal(size=(filters, channels // groups, *kernel))
    bias = rng.normal(size=filters) if seed % 2 else None
    leaves = [leaf(a) for a in (x, weight, bias) if a is not None]
    theirs = functional.conv2d(
        *leaves, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    y, cache = nt.conv2d(
        x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    closely(y, theirs)
    dy = rng.normal(size=y.shape)
    theirs.backward(torch.tensor(dy))
    gradients = nt.conv2d_backward(dy, cache)
    for ours, tensor in zip(gradients, leaves, strict=False):
        closely(ours, tensor.grad)
    assert (gradients[2] is None) == (bias is None)
    none, *rest = nt.conv2d_backward(dy, cache, need_dx=False)
    assert none is None
    np.testing.assert_array_equal(rest[0], gradients[1])


def test_same_of_an_odd_kernel_takes_the_fast_way() -> None:
    x, weight = RNG.normal(size=(2, 3, 5, 6)), RNG.normal(size=(2, 3, 3, 5))
    y, cache = nt.conv2d(x, weight, padding="same")
    assert y.shape == (2, 2, 5, 6)
    assert type(cache) is type(nt.conv2d(x, weight, padding=(1, 2))[1])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ties", [False, True])
def test_max_pool_of_any_geometry(seed: int, ties: bool) -> None:
    """Dilation and ``ceil_mode``; with ties the first in reading order wins."""
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = two(rng, 1, 4), two(rng, 1, 4), two(rng, 1, 3)
    padding = int(rng.integers(kernel[0] // 2 + 1)), int(rng.integers(kernel[1] // 2 + 1))
    size = [d * (k - 1) + 1 + int(rng.integers(8)) for k, d in zip(kernel, dilation, strict=True)]
    x = rng.integers(0, 3, (2, 3, *size)) * 1.0 if ties else rng.normal(size=(2, 3, *size))
    ceil_mode, tensor = bool(seed % 2), leaf(x)
    theirs = functional.max_pool2d(tensor, kernel, stride, padding, dilation, ceil_mode)
    y, cache = nt.max_pool2d(
        x, kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    pooled(y, theirs, tensor, lambda dy: nt.max_pool2d_backward(dy, cache))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("counted", [False, True])
def test_avg_pool_of_any_geometry(seed: int, counted: bool) -> None:
    rng = np.random.default_rng(seed)
    kernel, stride = two(rng, 1, 4), two(rng, 1, 4)
    padding = int(rng.integers(kernel[0] // 2 + 1)), int(rng.integers(kernel[1] // 2 + 1))
    x = rng.normal(size=(2, 3, kernel[0] + int(rng.integers(8)), kernel[1] + int(rng.integers(8))))
    ceil_mode, tensor = bool(seed % 2), leaf(x)
    theirs = functional.avg_pool2d(tensor, kernel, stride, padding, ceil_mode, counted)
    y, cache = nt.avg_pool2d(
        x, kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=counted
    )
    pooled(y, theirs, tensor, lambda dy: nt.avg_pool2d_backward(dy, cache))


@pytest.mark.parametrize(("size", "kernel", "stride"), [(5, 6, 2), (4, 7, 4), (7, 3, 1), (8, 2, 3)])
def test_how_far_the_last_window_reaches(size: int, kernel: int, stride: int) -> None:
    """A kernel larger than the image, windows that come out even, and a gap after the last."""
    x = RNG.normal(size=(1, 1, size, size))
    for ours, theirs in (
        (nt.max_pool2d, functional.max_pool2d), (nt.avg_pool2d, functional.avg_pool2d),
    ):  # fmt: skip
        y = ours(x, kernel, stride=stride, ceil_mode=True)[0]
        closely(y, theirs(torch.tensor(x), kernel, stride, ceil_mode=True))


def test_pooling_by_one_pixel_leaves_the_image() -> None:
    x = RNG.normal(size=(2, 3, 4, 5))
    before = x.copy()
    for y in (nt.avg_pool2d(x, 1)[0], nt.max_pool2d(x, 1)[0]):
        np.testing.assert_array_equal(y, before)
    np.testing.assert_array_equal(x, before)


def test_one_pixel_of_infinity_between_the_taps_is_not_met() -> None:
    """A dilated kernel has gaps, not zeros: 0 times infinity would be NaN."""
    x = np.ones((1, 1, 3, 3))
    x[0, 0, 1, 1] = np.inf
    y, cache = nt.conv2d(x, np.ones((1, 1, 2, 2)), dilation=2)
    assert y.item() == 4
    _, dweight, _ = nt.conv2d_backward(np.ones_like(y), cache)
    np.testing.assert_array_equal(dweight, np.ones((1, 1, 2, 2)))


@pytest.mark.parametrize("axis", range(-3, 3))
def test_softmax_along_an_axis(axis: int) -> None:
    x, dp = RNG.normal(size=(2, 2, 3, 4, 5))[0, 0], RNG.normal(size=(3, 4, 5))
    tensor = leaf(x)
    theirs = torch.softmax(tensor, axis)
    theirs.backward(torch.tensor(dp))
    layer = nt.Softmax(axis)
    for p, dx in (
        (nt.softmax(x, axis=axis)[0], nt.softmax_backward(dp, nt.softmax(x, axis=axis)[1])),
        (layer(x), layer.backward(dp, layer.forward(x)[1])[0]),
    ):
        closely(p, theirs)
        closely(dx, tensor.grad)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (2, 1, 3, 4)])
@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_linear_of_more_axes(shape: tuple[int, ...], order: Any) -> None:
    x, weight, bias = order(RNG.normal(size=shape)), RNG.normal(size=(4, 5)), RNG.normal(size=5)
    leaves = [leaf(a) for a in (x, weight, bias)]
    theirs = functional.linear(leaves[0], leaves[1].T, leaves[2])
    y, cache = nt.linear(x, weight, bias)
    closely(y, theirs)
    dy = order(RNG.normal(size=y.shape))
    theirs.backward(torch.tensor(dy))
    for ours, tensor in zip(nt.linear_backward(dy, cache), leaves, strict=True):
        closely(ours, tensor.grad)
    assert nt.linear_backward(dy, cache, need_dx=False)[0] is None


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [None, 1, -100])
def test_cross_entropy_with_options(
    reduction: str, smoothing: float, weighted: bool, ignored: int | None
) -> None:
    logits, labels = 3 * RNG.normal(size=(7, 4)), np.array([0, 1, 2, 3, 1, 0, 2])
    weight = np.array([0.5, 2.0, 0.0, 1.5]) if weighted else None
    if ignored == -100:
        labels[[1, 3]] = ignored
    tensor = leaf(logits)
    theirs = functional.cross_entropy(
        tensor,
        torch.tensor(labels),
        weight=None if weight is None else torch.tensor(weight),
        ignore_index=-1 if ignored is None else ignored,
        label_smoothing=smoothing,
        reduction=reduction,
    )
    theirs.sum().backward()
    loss, dlogits = nt.softmax_cross_entropy(
        logits, labels, weight=weight, ignore_index=ignored, label_smoothing=smoothing,
        reduction=reduction,
    )  # fmt: skip
    assert isinstance(loss, np.ndarray if reduction == "none" else float)
    closely(loss, theirs)
    closely(dlogits, tensor.grad)


@pytest.mark.filterwarnings("error")
def test_options_far_out() -> None:
    """A class that does not count may have no probability, and no warning comes of it."""
    x = np.array([[3e38, -3e38], [0, 1]], np.float32)
    loss, dlogits = nt.softmax_cross_entropy(x, np.array([0, 1]), reduction="sum")
    assert (np.isfinite(loss), dlogits.dtype) == (True, np.float32)
    assert nt.softmax_cross_entropy(x[:1], np.array([0]), label_smoothing=0.1)[0] == np.inf
    weight = np.array([1, 0], np.float32)
    loss, _ = nt.softmax_cross_entropy(x, np.array([0, 1]), label_smoothing=0.1, weight=weight)
    assert np.isfinite(loss)


def test_global_average() -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 5, 7))
    tensor, layer = leaf(x), nt.GlobalAvgPool2d()
    theirs = functional.adaptive_avg_pool2d(tensor, 1)
    y, cache = layer.forward(x)
    closely(y, theirs)
    dy = RNG.normal(size=y.shape)
    theirs.backward(torch.tensor(dy))
    closely(layer.backward(dy, cache)[0], tensor.grad)


def test_a_network_of_them_trains_alone_and_beside_others() -> None:
    """No biases, "same", a global average: `fit_many` gives what `fit` gives."""

    def net(seed: int) -> nt.Sequential:
        rng = np.random.default_rng(seed)
        return nt.Sequential(
            nt.Conv2d(1, 3, 3, padding="same", bias=False, rng=rng, dtype=np.float64),
            nt.BatchNorm(3, dtype=np.float64),
            nt.ReLU(),
            nt.GlobalAvgPool2d(),
            nt.Flatten(),
            nt.Linear(3, 2, bias=False, rng=rng, dtype=np.float64),
        )

    x, t = np.random.default_rng(2).normal(size=(12, 1, 5, 4)), np.arange(12) % 2
    alone, beside = [net(0), net(1)], [net(0), net(1)]
    for i, model in enumerate(alone):
        nt.fit(
            model, (x, t), optimizer=nt.SGD(model.params, 0.1), epochs=3, batch_size=4,
            rng=np.random.default_rng(i), keep_best=False,
        )  # fmt: skip
    nt.fit_many(
        beside, (x, t), optimizer=nt.SGD, lr=0.1, epochs=3, batch_size=4,
        rngs=[np.random.default_rng(i) for i in range(2)],
    )  # fmt: skip
    for one, other in zip(alone, beside, strict=True):
        assert [*one.params] == ["0.weight", "1.weight", "1.bias", "5.weight"]
        for name, p in one.params.items():
            np.testing.assert_allclose(other.params[name], p, rtol=1e-9, atol=1e-12)


ONES = np.ones((2, 4, 5, 5))
FILTERS = np.ones((6, 2, 3, 3))
Z, T = np.ones((3, 2)), np.array([0, 1, 1])
REFUSED = {
    "groups that do not divide the filters": (
        lambda: nt.conv2d(np.ones((1, 8, 5, 5)), FILTERS, groups=4), "groups",
    ),
    "channels of other groups": (lambda: nt.conv2d(ONES, FILTERS, groups=3), "x"),
    "groups that divide no channels": (
        lambda: nt.Conv2d(4, 6, 3, groups=4, rng=RNG), "groups",
    ),
    "a kernel that reaches too far": (
        lambda: nt.conv2d(ONES, FILTERS, groups=2, dilation=3), "kernel_size",
    ),
    "same with a stride": (
        lambda: nt.conv2d(ONES, FILTERS, groups=2, stride=2, padding="same"), "padding",
    ),
    "same with a stride, a layer": (
        lambda: nt.Conv2d(4, 6, 3, stride=2, padding="same", rng=RNG), "padding",
    ),
    "an unknown padding": (lambda: nt.Conv2d(4, 6, 3, padding="full", rng=RNG), "padding"),
    "no bias for the loops": (
        lambda: nt.conv2d_loops(ONES[:, :2], FILTERS, None), "bias",  # type: ignore[arg-type]
    ),
    "a name for the matrix product": (
        lambda: nt.conv2d_im2col(ONES[:, :2], FILTERS, np.ones(6), padding="same"), "padding",  # type: ignore[arg-type]
    ),
    "dy of another shape": (
        lambda: nt.conv2d_backward(ONES, nt.conv2d(ONES, FILTERS, groups=2)[1]), "dy",
    ),
    "a dilated window too large": (lambda: nt.max_pool2d(ONES, 3, dilation=3), "kernel_size"),
    "an axis that is not there": (lambda: nt.softmax(Z, axis=2), "axis"),
    "an axis that is not there, a layer": (lambda: nt.Softmax(2).forward(Z), "axis"),
    "all ignored": (lambda: nt.softmax_cross_entropy(Z, T * 0, ignore_index=0), "labels"),
    "a label that is not the ignored one": (
        lambda: nt.softmax_cross_entropy(Z, T - 1, ignore_index=-2), "labels",
    ),
    "masked labels": (
        lambda: nt.softmax_cross_entropy(Z, np.ma.masked_array(T), ignore_index=5), "labels",
    ),
    "a negative class weight": (
        lambda: nt.softmax_cross_entropy(Z, T, weight=np.array([1.0, -1.0])), "weight",
    ),
    "dilation side by side": (
        lambda: nt.fit_many(
            [nt.Sequential(nt.Conv2d(4, 2, 2, dilation=2, rng=RNG), nt.Flatten())],
            (ONES.astype(np.float32), T[:2]), optimizer=nt.SGD, lr=0.1, epochs=1, batch_size=2,
            rngs=[RNG],
        ),
        "models",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    call, name = REFUSED[what]
    with pytest.raises(ValueError, match=f"^{name}: expected "):
        call()
