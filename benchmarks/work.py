"""What is timed: each function builds a piece of work for one library and returns the call.

Images are (64, 1, 28, 28) of seeded noise: the time does not depend on what they show. PyTorch's
networks are twins of ours, with the same weights, so that both do the same sum.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import nn_tutorial as nt

from .table import ALL_DX, CHANNELS_LAST, IM2COL, LOOPS, SKLEARN, TORCH

Call = Callable[[], Any]
N = 64
LR = 0.01


def small_cnn(library: str) -> Call:
    """One training step of [`small_cnn`][nn_tutorial.small_cnn], loss value included."""
    net = nt.small_cnn(rng=np.random.default_rng(0))
    return _step(library, swapped(library, net), *images(N))


def wide_cnn(library: str) -> Call:
    """The same with 32 and 64 channels of 3×3."""
    return _step(library, wide_net(), *images(N))


def wide_net() -> nt.Sequential:
    """Return ``small_cnn`` with 32 and 64 channels of 3×3."""
    rng = np.random.default_rng(0)
    return nt.Sequential(
        nt.Conv2d(1, 32, 3, padding=1, rng=rng),
        nt.ReLU(),
        nt.MaxPool2d(2),
        nt.Conv2d(32, 64, 3, padding=1, rng=rng),
        nt.ReLU(),
        nt.MaxPool2d(2),
        nt.Flatten(),
        nt.Linear(64 * 7 * 7, 64, rng=rng),
        nt.ReLU(),
        nt.Linear(64, 10, rng=rng),
    )


def max_pool(library: str) -> Call:
    """Forward and backward on what the first convolution of ``small_cnn`` gives."""
    x = _rng().standard_normal((N, 8, 28, 28), np.float32)
    if library in (TORCH, CHANNELS_LAST):
        import torch

        return _torch_layer(library, torch.nn.MaxPool2d(2), x)
    x = batch_last(x)
    dy = np.ones_like(nt.max_pool2d(x, 2)[0])
    return lambda: nt.max_pool2d_backward(dy, nt.max_pool2d(x, 2)[1])


def iris(library: str) -> Call:
    """One step of a 4-10-3 network on 16 flowers, loss value included."""
    flowers = nt.iris().standardized()
    x, labels = flowers.x_train[:16], flowers.y_train[:16]
    if library == SKLEARN:
        from sklearn.neural_network import MLPClassifier

        net = MLPClassifier((10,), solver="sgd", batch_size=16, learning_rate_init=LR, momentum=0)
        net.partial_fit(x, labels, classes=np.arange(3))
        return lambda: net.partial_fit(x, labels).loss_
    return _step(library, nt.two_layer_net(4, 10, 3, rng=_rng()), x, labels)


def epoch(library: str) -> Call:
    """Shuffle 60,000 images, cut them into batches of 64, train on each, sum up the loss."""
    x, labels = images(60_000)
    net = nt.small_cnn(rng=_rng())
    if library in (TORCH, CHANNELS_LAST):
        from torch.utils.data import DataLoader, TensorDataset

        # An image of one channel is the same in both layouts, so the batches need no copy.
        step, tensors = torch_step(net, x, labels, channels_last=library == CHANNELS_LAST)
        loader = DataLoader(TensorDataset(*tensors), batch_size=N, shuffle=True)
        return lambda: sum(step(*batch) * len(batch[0]) for batch in loader) / len(x)
    optimizer = nt.SGD(net.params, LR)
    return lambda: nt.fit(
        net,
        (x, labels),
        optimizer=optimizer,
        epochs=1,
        batch_size=N,
        rng=_rng(),
        progress=False,
    )


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


# The first and second layer of ``small_cnn``, one of a wide net, one that strides.
CONVOLUTIONS = {
    "conv_1_8_5": (nt.Conv2d(1, 8, 5, padding=2, rng=_rng()), (N, 1, 28, 28)),
    "conv_8_16_3": (nt.Conv2d(8, 16, 3, padding=1, rng=_rng()), (N, 8, 14, 14)),
    "conv_32_64_3": (nt.Conv2d(32, 64, 3, padding=1, rng=_rng()), (N, 32, 14, 14)),
    "conv_16_32_3_2": (nt.Conv2d(16, 32, 3, stride=2, padding=1, rng=_rng()), (N, 16, 28, 28)),
}


def convolution(library: str, name: str) -> Call:
    """A convolution, forward and backward; the gradient of the data itself is not asked for."""
    layer, shape = CONVOLUTIONS[name]
    is_first = shape[1] == 1
    x = _rng().standard_normal(shape, np.float32)
    if library in (TORCH, CHANNELS_LAST):
        from nn_tutorial.pytorch import twin

        return _torch_layer(library, twin(layer), x, need_dx=not is_first)
    x = x if is_first else batch_last(x)  # images come as they are stored
    dy = np.ones_like(layer(x))
    return lambda: layer.backward(dy, layer.forward(x)[1], need_dx=not is_first)


def _torch_layer(library: str, module: Any, x: Any, *, need_dx: bool = True) -> Call:
    """Forward and backward through a module of PyTorch, in the layout of the library's name."""
    import torch

    layout = torch.channels_last if library == CHANNELS_LAST else torch.contiguous_format
    module = module.to(memory_format=layout)
    data = torch.from_numpy(x).contiguous(memory_format=layout).requires_grad_(need_dx)
    dy = torch.ones_like(module(data))  # in the layout of the output

    def call() -> list[Any]:
        data.grad = None
        module.zero_grad()
        module(data).backward(dy)
        return [data.grad, *(p.grad for p in module.parameters())]

    return call


WORK: dict[str, Callable[[str], Call]] = {
    f.__name__: f for f in (small_cnn, wide_cnn, max_pool, iris, epoch)
} | {name: partial(convolution, name=name) for name in CONVOLUTIONS}


def images(n: int) -> tuple[Any, Any]:
    """Return ``n`` images of noise, as a data set is stored, and labels."""
    rng = _rng()
    return rng.random((n, 1, 28, 28), np.float32), rng.integers(10, size=n)


def batch_last(x: Any) -> Any:
    """Return a copy in the memory order in which our layers hand images on."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)


def our_step(net: nt.Sequential, *, need_dx: bool = False) -> Callable[[Any, Any], float]:
    """Return a training step of ours."""
    optimizer = nt.SGD(net.params, LR)

    def step(x: Any, labels: Any) -> float:
        logits, cache = net.forward(x)
        loss, dlogits = nt.softmax_cross_entropy(logits, labels)
        optimizer.step(net.backward(dlogits, cache, need_dx=need_dx)[1])
        return loss

    return step


def torch_step(
    net: nt.Sequential, x: Any, labels: Any, *, channels_last: bool = False
) -> tuple[Callable[[Any, Any], float], tuple[Any, Any]]:
    """Return a training step of the twin of ``net``, and the data as tensors."""
    import torch

    from nn_tutorial.pytorch import twin

    model, data = twin(net), torch.from_numpy(x)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        data = data.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), LR)

    def step(x: torch.Tensor, labels: torch.Tensor) -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, (data, torch.from_numpy(labels))


def _step(library: str, net: nt.Sequential, x: Any, labels: Any) -> Call:
    if library in (TORCH, CHANNELS_LAST):
        step, data = torch_step(net, x, labels, channels_last=library == CHANNELS_LAST)
        return lambda: step(*data)
    ours = our_step(net, need_dx=library in (LOOPS, IM2COL, ALL_DX))
    return lambda: ours(x, labels)


def swapped(library: str, net: nt.Sequential) -> nt.Sequential:
    """Return ``net`` with the functions that ``library`` names, and the same parameters."""
    if library not in (LOOPS, IM2COL):
        return net
    return nt.Sequential(*(_SwappedLayer(layer, library) for layer in net.layers))


class _SwappedLayer(nt.Layer):
    """A convolution in loops or by im2col, a pooling layer in loops; other layers as they are."""

    def __init__(self, layer: nt.Layer, library: str) -> None:
        super().__init__()
        self.layer, self.params, self.pair = layer, layer.params, None
        if isinstance(layer, nt.Conv2d):
            self.pair = getattr(nt, f"conv2d_{library}"), getattr(nt, f"conv2d_{library}_backward")
        elif isinstance(layer, nt.MaxPool2d) and library == LOOPS:
            self.pair = nt.max_pool2d_loops, nt.max_pool2d_loops_backward

    def forward(self, x: Any, *, train: bool = True) -> Any:
        if self.pair is None:
            return self.layer.forward(x, train=train)
        if isinstance(self.layer, nt.MaxPool2d):
            return self.pair[0](x, self.layer.kernel_size)
        return self.pair[0](x, *self.params.values(), padding=self.layer.padding)

    def backward(self, dy: Any, cache: Any, *, need_dx: bool = True) -> Any:
        if self.pair is None:
            return self.layer.backward(dy, cache, need_dx=need_dx)
        if isinstance(self.layer, nt.MaxPool2d):
            return self.pair[1](dy, cache), {}
        dx, dweight, dbias = self.pair[1](dy, cache)
        return dx, {"weight": dweight, "bias": dbias}
