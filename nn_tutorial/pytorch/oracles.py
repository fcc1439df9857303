"""PyTorch's own answer for each theory: outputs and gradients, by the symbols of the equations."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from nn_tutorial.verify.theories import Theory, Values

_Tensors = dict[str, Any]


def oracle(theory: Theory, values: Values, dy: Any) -> dict[str, Any]:
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
    """
    tensors: _Tensors = {
        name: torch.tensor(value) if hasattr(value, "shape") else value
        for name, value in values.items()
    }
    leaves = [tensors[name].requires_grad_() for name in theory.inputs]
    y = _FORWARD[theory.name](tensors)
    grads = torch.autograd.grad(y, leaves, torch.tensor(dy, dtype=y.dtype))
    named = {f"d{name}": g.numpy() for name, g in zip(theory.inputs, grads, strict=True)}
    return {theory.forward[-1].name: y.detach().numpy()} | named


def _pool(v: _Tensors) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    return (v["U"], v["V"]), (v["s"], v["r"]), (v["p"], v["q"])


def _network(v: _Tensors) -> Any:
    hidden = torch.relu(v["X"] @ v["W1"] + v["b1"])
    return functional.cross_entropy(hidden @ v["W2"] + v["b2"], v["t"])


_FORWARD: dict[str, Callable[[_Tensors], Any]] = {
    "relu": lambda v: torch.relu(v["X"]),
    "sigmoid": lambda v: torch.sigmoid(v["X"]),
    "tanh": lambda v: torch.tanh(v["X"]),
    "linear": lambda v: functional.linear(v["X"], v["W"].T, v["b"]),
    "softmax": lambda v: torch.softmax(v["Z"], 1),
    "cross_entropy": lambda v: functional.nll_loss(v["P"].log(), v["t"]),
    "softmax_cross_entropy": lambda v: functional.cross_entropy(v["Z"], v["t"]),
    "batch_norm": lambda v: functional.batch_norm(
        v["X"], None, None, v["gamma"], v["beta"], training=True, eps=v["eps"]
    ),
    "batch_norm_eval": lambda v: functional.batch_norm(
        v["X"], v["mu0"], v["var0"], v["gamma"], v["beta"], eps=v["eps"]
    ),
    "conv2d": lambda v: functional.conv2d(
        v["X"], v["W"], v["b"], (v["s"], v["r"]), (v["p"], v["q"])
    ),
    "avg_pool2d": lambda v: functional.avg_pool2d(v["X"], *_pool(v)),
    "max_pool2d": lambda v: functional.max_pool2d(v["X"], *_pool(v)),
    "dropout": lambda v: v["M"] * v["X"] / (1 - v["p"]),
    "two_layer_net": _network,
}
