"""The book's PyTorch networks: a CNN for clothes, and AlexNet with a new classifier."""

from typing import Any

import torch
from torch import nn

from .modules import BatchNorm2d, Dropout


def fashion_cnn(
    *, n_classes: int = 10, batch_norm: bool = True, dropout: float = 0.25, seed: int = 0
) -> nn.Sequential:
    """Return a CNN for grey images of 28×28 pixels.

    Two blocks of two 3×3 convolutions (32 channels, then 64), each with a max-pool, then
    3136 → 128 → classes.

    Parameters
    ----------
    n_classes : int
        The output is (N, n_classes) logits.
    batch_norm : bool
        Whether to normalise before each ReLU of a convolution.
    dropout : float
        Probability of dropping, after each pool and before the last layer; 0 leaves it out.
    seed : int
        Of the first weights, which are PyTorch's.
    """
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    channels = 1
    for width in (32, 64):
        for _ in range(2):
            # The normalisation has a shift of its own, and takes away any bias before it.
            layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=not batch_norm))
            layers += [BatchNorm2d(width)] if batch_norm else []
            layers.append(nn.ReLU())
            channels = width
        layers += [nn.MaxPool2d(2), Dropout(dropout)]
    layers += [nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(128, n_classes))


def alexnet(*, n_classes: int = 10, freeze: bool, dropout: float = 0.5, seed: int = 0) -> Any:
    """Return torchvision's AlexNet with a classifier of three linear layers: 9216 → 4096 → 1024.

    Parameters
    ----------
    n_classes : int
        The output is (N, n_classes) logits.
    freeze : bool
        Whether the convolutions keep their weights: their parameters then ask for no gradient.
    dropout : float
        Probability of dropping, before each of the first two linear layers.
    seed : int
        Of the first weights.

    References
    ----------
    Krizhevsky (2014), One weird trick for parallelizing convolutional neural networks: the
    variant that torchvision has.
    """
    import torchvision  # here: it takes a second, and the CNN for clothes needs none of it

    torch.manual_seed(seed)
    model = torchvision.models.alexnet(weights=None)
    model.classifier = nn.Sequential(
        Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
        Dropout(dropout), nn.Linear(4096, 1024), nn.ReLU(),
        nn.Linear(1024, n_classes),
    )  # fmt: skip
    model.features.requires_grad_(not freeze)
    return model


def count_parameters(model: nn.Module, *, trainable: bool = False) -> int:
    """Return how many numbers the parameters hold.

    Parameters
    ----------
    model : Module
    trainable : bool
        Whether to count only those that ask for a gradient.
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)
