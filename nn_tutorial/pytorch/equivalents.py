"""PyTorch's answer to each of our layers: one row per layer, for its function and for its class."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import nn_tutorial as nt
from nn_tutorial.layers.checks import Array
from nn_tutorial.tables import UnknownNameError

if TYPE_CHECKING:
    from nn_tutorial.verify.theory import Theory, Values


class Equivalent(NamedTuple):
    """What should compute the same as one of our layers.

    Attributes
    ----------
    function : callable, optional
        Takes our function's arguments under our names, tensors for arrays, and returns its output.
    layer : type, optional
        Our class.
    module : callable, optional
        ``module(ours)`` returns PyTorch's module for one of our class; parameters are copied later.
    """

    function: Callable[..., Tensor] | None = None
    layer: type[nt.Layer] | None = None
    module: Callable[[Any], nn.Module] | None = None


class _BatchNorm(nn.BatchNorm2d):
    """One that takes (N, D) as well as (N, C, H, W), as ours does."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 (PyTorch's name)
        pass


def _batch_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    mean: Tensor | None = None,
    var: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    return functional.batch_norm(x, mean, var, weight, bias, training=mean is None, eps=eps)


def _dropout(x: Tensor, p: float, rng: np.random.Generator) -> Tensor:
    """With the mask that our generator draws: PyTorch's own would be another one."""
    return x * torch.from_numpy(rng.random(tuple(x.shape)) >= p) / (1 - p)


def _softmax_cross_entropy(
    logits: Tensor, labels: Tensor, *, ignore_index: int | None = None, **options: Any
) -> Tensor:
    none = -100  # PyTorch's default, which is no class
    ignore_index = none if ignore_index is None else ignore_index
    return functional.cross_entropy(logits, labels, ignore_index=ignore_index, **options)


def _two_layer_net(
    x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor, labels: Tensor
) -> Tensor:
    hidden = torch.relu(x @ weight1 + bias1)
    return functional.cross_entropy(hidden @ weight2 + bias2, labels)


EQUIVALENTS: dict[str, Equivalent] = {
    "relu": Equivalent(torch.relu, nt.ReLU, lambda ours: nn.ReLU()),
    "sigmoid": Equivalent(torch.sigmoid, nt.Sigmoid, lambda ours: nn.Sigmoid()),
    "tanh": Equivalent(torch.tanh, nt.Tanh, lambda ours: nn.Tanh()),
    "linear": Equivalent(
        lambda x, weight, bias=None: functional.linear(x, weight.T, bias),
        nt.Linear,
        lambda ours: nn.Linear(
            len(ours.params["weight"]), len(ours.params["weight"].T), bias="bias" in ours.params
        ),
    ),
    "softmax": Equivalent(
        lambda x, *, axis=-1: torch.softmax(x, axis), nt.Softmax, lambda ours: nn.Softmax(ours.axis)
    ),
    "cross_entropy": Equivalent(
        lambda probabilities, labels: functional.nll_loss(probabilities.log(), labels)
    ),
    "softmax_cross_entropy": Equivalent(_softmax_cross_entropy),
    "batch_norm": Equivalent(
        _batch_norm,
        nt.BatchNorm,
        lambda ours: _BatchNorm(len(ours.params["weight"]), eps=ours.eps, momentum=ours.momentum),
    ),
    "layer_norm": Equivalent(
        lambda x, weight, bias, *, eps=1e-5: functional.layer_norm(
            x, weight.shape, weight, bias, eps
        ),
        nt.LayerNorm,
        lambda ours: nn.LayerNorm(ours.params["weight"].shape, eps=ours.eps),
    ),
    "conv2d": Equivalent(
        lambda x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1: (
            functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
        ),
        nt.Conv2d,
        lambda ours: nn.Conv2d(
            ours.params["weight"].shape[1] * ours.groups,
            ours.params["weight"].shape[0],
            ours.params["weight"].shape[2:],
            stride=ours.stride,
            padding=ours.padding,
            dilation=ours.dilation,
            groups=ours.groups,
            bias="bias" in ours.params,
        ),
    ),
    "max_pool2d": Equivalent(
        lambda x, kernel_size, *, stride=None, padding=0, dilation=1, ceil_mode=False: (
            functional.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
        ),
        nt.MaxPool2d,
        lambda ours: nn.MaxPool2d(
            ours.kernel_size, ours.stride, ours.padding, ours.dilation, ceil_mode=ours.ceil_mode
        ),
    ),
    "avg_pool2d": Equivalent(
        lambda x, kernel_size, *, stride=None, padding=0, **how: functional.avg_pool2d(
            x, kernel_size, stride, padding, **how
        ),
        nt.AvgPool2d,
        lambda ours: nn.AvgPool2d(
            ours.kernel_size, ours.stride, ours.padding, ours.ceil_mode, ours.count_include_pad
        ),
    ),
    "global_avg_pool2d": Equivalent(
        layer=nt.GlobalAvgPool2d, module=lambda ours: nn.AdaptiveAvgPool2d(1)
    ),
    "dropout": Equivalent(_dropout, nt.Dropout, lambda ours: nn.Dropout(ours.p)),
    "flatten": Equivalent(layer=nt.Flatten, module=lambda ours: nn.Flatten()),
    "two_layer_net": Equivalent(_two_layer_net),
}
_WHERE = "a row in EQUIVALENTS, in nn_tutorial/pytorch/equivalents.py"


class TwinResult(NamedTuple):
    """What PyTorch computed, in our layout."""

    y: Array
    dx: Array
    grads: dict[str, Array]


def twin(ours: nt.Layer) -> nn.Module:
    """Return a PyTorch module with the same parameters and buffers, copied.

    Parameters
    ----------
    ours : Layer
        Any layer of this package, ``Sequential`` included.

    Raises
    ------
    ValueError
        If the layer has no twin; the message says where a new layer gets its own.
    """
    if isinstance(ours, nt.Sequential):
        return nn.Sequential(*(twin(inner) for inner in ours.layers))
    makers = {row.layer: row.module for row in EQUIVALENTS.values() if row.layer}
    make = makers.get(type(ours))
    if make is None:
        raise ValueError(
            f"ours: expected a layer of nn_tutorial, got {type(ours).__name__}. A new layer "
            f"needs {_WHERE}"
        )
    module = make(ours)
    for value in ours.params.values():
        module = module.to(torch.from_numpy(value).dtype)
    state = module.state_dict(keep_vars=True)
    with torch.no_grad():
        for name, value in (ours.params | ours.buffers).items():
            state[name].copy_(torch.tensor(turned(module, name, value)))
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
        grads[name] = turned(module.get_submodule(owner), leaf, p.grad.numpy())
    return TwinResult(y.detach().numpy(), there.grad.numpy(), grads)


def turned(module: nn.Module, name: str, value: Array) -> Array:
    """PyTorch stores the weight of a linear layer transposed."""
    return value.T if isinstance(module, nn.Linear) and name == "weight" else value


def equivalent(name: str) -> Callable[..., Tensor]:
    """Return PyTorch's function for one of ours; it takes the same arguments, by name.

    Parameters
    ----------
    name : str
        Of our function; the slower versions, ``conv2d_loops`` and the like, are the same function.

    Raises
    ------
    UnknownNameError
        If there is none; the message says where a new layer gets its own.
    """
    row = EQUIVALENTS.get(name.removesuffix("_loops").removesuffix("_im2col"))
    if row is None or row.function is None:
        known = [name for name, row in EQUIVALENTS.items() if row.function]
        raise UnknownNameError("PyTorch equivalent", name, known, _WHERE)
    return row.function


def oracle(theory: "Theory", values: "Values", dy: Any) -> dict[str, Array]:
    """Return what PyTorch computes for a theory's inputs.

    Parameters
    ----------
    theory : Theory
    values : dict
        As the theory's ``sample`` gives them.
    dy : ndarray
        The upstream gradient of the output.

    Returns
    -------
    dict of str to ndarray
        The output, and ``d…`` for each of ``theory.inputs``.

    Raises
    ------
    UnknownNameError
        As ``equivalent``.
    """
    tensors = {
        name: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }
    leaves = [tensors[name].requires_grad_() for name in theory.inputs]
    y = equivalent(theory.pair[0].__name__)(**theory.arguments(tensors))
    grads = torch.autograd.grad(y, leaves, torch.tensor(dy, dtype=y.dtype))
    named = {f"d{name}": g.numpy() for name, g in zip(theory.inputs, grads, strict=True)}
    return {theory.forward[-1].name: y.detach().numpy()} | named
