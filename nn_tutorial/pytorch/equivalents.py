"""PyTorch as an oracle: for each of our layers the module that should compute the same."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

import nn_tutorial as nt
from nn_tutorial.layers.checks import Array


class TwinResult(NamedTuple):
    """What PyTorch computed, in our layout."""

    y: Array
    dx: Array
    grads: dict[str, Array]


def twin(ours: nt.Layer) -> torch.nn.Module:
    """Return a PyTorch module with the same parameters and buffers, copied.

    Parameters
    ----------
    ours : Layer
        Any layer of this package, ``Sequential`` included.

    Raises
    ------
    ValueError
        If the layer has no twin.
    """
    if isinstance(ours, nt.Sequential):
        return torch.nn.Sequential(*(twin(inner) for inner in ours.layers))
    make = _TWINS.get(type(ours))
    if make is None:
        raise ValueError(f"ours: expected a layer of nn_tutorial, got {type(ours).__name__}")
    module = make(ours)
    for value in ours.params.values():
        module = module.to(torch.from_numpy(value).dtype)
    state = module.state_dict(keep_vars=True)
    with torch.no_grad():
        for name, value in (ours.params | ours.buffers).items():
            state[name].copy_(torch.tensor(_turned(module, name, value)))
    return module


def twin_gradients(ours: nt.Layer, x: Array, dy: Array, *, train: bool = True) -> TwinResult:
    """Run the twin forward and backward.

    Parameters
    ----------
    ours : Layer
    x : ndarray of float
        The input.
    dy : ndarray of float, shape of the output
        The upstream gradient.
    train : bool
        Mode of the pass, as in ``Layer.forward``.

    Returns
    -------
    TwinResult
        Output, gradient of the input, and gradients under the names of ``ours.params``.
    """
    module = twin(ours).train(train)
    there = torch.tensor(x, requires_grad=True)
    y = module(there)
    y.backward(torch.tensor(dy))
    assert there.grad is not None  # it is a leaf that asked for one
    grads = {}
    for name, p in module.named_parameters():
        assert p.grad is not None
        owner, _, leaf = name.rpartition(".")
        grads[name] = _turned(module.get_submodule(owner), leaf, p.grad.numpy())
    return TwinResult(y.detach().numpy(), there.grad.numpy(), grads)


def _turned(module: torch.nn.Module, name: str, value: Array) -> Array:
    """PyTorch stores the weight of a linear layer transposed."""
    return value.T if isinstance(module, torch.nn.Linear) and name == "weight" else value


class _BatchNorm(torch.nn.Module):
    """One that takes (N, D) as well as (N, C, H, W), as ours does."""

    def __init__(self, ours: nt.BatchNorm) -> None:
        super().__init__()
        self.eps, self.momentum = ours.eps, ours.momentum
        for name, value in ours.params.items():
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(value)))
        for name, value in ours.buffers.items():
            self.register_buffer(name, torch.tensor(value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.batch_norm(
            x,
            self.get_buffer("running_mean"),
            self.get_buffer("running_var"),
            self.get_parameter("weight"),
            self.get_parameter("bias"),
            self.training,
            self.momentum,
            self.eps,
        )


_TWINS: dict[type, Callable[[Any], torch.nn.Module]] = {
    nt.ReLU: lambda _: torch.nn.ReLU(),
    nt.Sigmoid: lambda _: torch.nn.Sigmoid(),
    nt.Tanh: lambda _: torch.nn.Tanh(),
    nt.Softmax: lambda _: torch.nn.Softmax(-1),
    nt.Flatten: lambda _: torch.nn.Flatten(),
    nt.Dropout: lambda o: torch.nn.Dropout(o.p),
    nt.Linear: lambda o: torch.nn.Linear(*o.params["weight"].shape),
    nt.Conv2d: lambda o: torch.nn.Conv2d(
        o.params["weight"].shape[1],
        o.params["weight"].shape[0],
        o.params["weight"].shape[2:],
        stride=o.stride,
        padding=o.padding,
    ),
    nt.MaxPool2d: lambda o: torch.nn.MaxPool2d(o.kernel_size, o.stride, o.padding),
    nt.AvgPool2d: lambda o: torch.nn.AvgPool2d(o.kernel_size, o.stride, o.padding),
    nt.BatchNorm: _BatchNorm,
}
