"""The layers once more, forward alone: programs of Variables, whose gradients the tape finds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..layers.activations import relu, relu_backward
from ..layers.checks import Labels
from ..training.autograd import Variable, differentiable, operation
from .theory import Theory


def linear(x: Variable, weight: Variable, bias: Variable) -> Variable:
    """A product and a sum."""
    return x @ weight + bias


def sigmoid(x: Variable) -> Variable:
    """As the formula has it; overflows for large negative numbers."""
    return 1 / (1 + (-x).exp())


def softmax(x: Variable) -> Variable:
    """As the formula has it; overflows for large numbers."""
    e = x.exp()
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(probabilities: Variable, labels: Labels) -> Variable:
    """Minus the mean logarithm of the probabilities of the labels."""
    return -probabilities[np.arange(len(labels)), labels].log().mean()


def softmax_cross_entropy(logits: Variable, labels: Labels) -> Variable:
    """The two in one; overflows for large numbers."""
    right = logits[np.arange(len(labels)), labels]
    return (logits.exp().sum(axis=1).log() - right).mean()


def batch_norm(x: Variable, weight: Variable, bias: Variable, eps: float) -> Variable:
    """Of (N, D) in training."""
    centred = x - x.mean(axis=0)
    variance = (centred * centred).mean(axis=0)
    return weight * (centred * (variance + eps) ** -0.5) + bias


def layer_norm(x: Variable, weight: Variable, bias: Variable, eps: float) -> Variable:
    """Of (N, D)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return weight * (centred * (variance + eps) ** -0.5) + bias


def two_layer_net(
    x: Variable,
    weight1: Variable,
    bias1: Variable,
    weight2: Variable,
    bias2: Variable,
    labels: Labels,
) -> Variable:
    """With the book's own ReLU, whose gradient at 0 is 0: ``maximum`` has a half there."""
    hidden = operation(relu, relu_backward)(linear(x, weight1, bias1))
    return softmax_cross_entropy(linear(hidden, weight2, bias2), labels)


PROGRAMS: dict[str, Callable[..., Variable]] = {
    program.__name__: program
    for program in (
        linear, sigmoid, softmax, cross_entropy, softmax_cross_entropy, batch_norm, layer_norm,
        two_layer_net,
    )
}  # fmt: skip


def on_tape(theory: Theory) -> Theory:
    """Return a theory whose layer is the program of its name: the same equations, no backward pass.

    Parameters
    ----------
    theory : Theory
        One with a program in ``PROGRAMS``.
    """
    pair = differentiable(PROGRAMS[theory.name])
    return replace(theory, pair=pair, cached=None, layer=None)
