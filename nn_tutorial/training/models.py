"""The book's models: functions that return a ``Sequential``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layers.activations import ReLU
from ..layers.batch_norm import BatchNorm
from ..layers.checks import check_count, check_flag, is_whole
from ..layers.convolution import Conv2d
from ..layers.initializers import Initializer, he_normal
from ..layers.layer import Flatten, Layer, Sequential
from ..layers.linear import Linear
from ..layers.pooling import MaxPool2d


def mlp(
    n_in: int,
    hidden: Sequence[int],
    n_out: int,
    *,
    rng: np.random.Generator,
    dtype: Any = np.float32,
    init: Initializer = he_normal,
    batch_norm: bool = False,
) -> Sequential:
    """Return a multilayer perceptron: linear layers with a ReLU between them.

    Parameters
    ----------
    n_in : int
        Features of the input, an (N, n_in) array.
    hidden : sequence of int
        Units of each hidden layer; empty gives softmax regression.
    n_out : int
        Classes; the output is (N, n_out) logits.
    rng : numpy.random.Generator
        Draws the weights, first layer first.
    dtype : dtype
    init : Initializer
        How the weights begin.
    batch_norm : bool
        Whether to normalise before each ReLU.

    Raises
    ------
    ValueError
        If an argument does not fit; nothing is drawn then.
    """
    check_count("n_in", n_in)
    if not isinstance(hidden, Sequence) or not all(is_whole(n) and n > 0 for n in hidden):
        raise ValueError(
            "hidden: expected the sizes of the hidden layers, integers of at least 1, "
            f"got {hidden!r}"
        )
    check_count("n_out", n_out)
    check_flag("batch_norm", batch_norm)
    layers: list[Layer] = []
    for n in hidden:
        layers.append(Linear(n_in, n, rng=rng, dtype=dtype, init=init))
        layers += [BatchNorm(n, dtype=dtype)] if batch_norm else []
        layers.append(ReLU())
        n_in = n
    return Sequential(*layers, Linear(n_in, n_out, rng=rng, dtype=dtype, init=init))


def two_layer_net(
    n_in: int,
    n_hidden: int,
    n_out: int,
    *,
    rng: np.random.Generator,
    dtype: Any = np.float32,
    init: Initializer = he_normal,
) -> Sequential:
    """Return linear, ReLU, linear: [`mlp`][nn_tutorial.mlp] with one hidden layer.

    Parameters
    ----------
    n_in, n_hidden, n_out : int
        Features, hidden units and classes.
    rng, dtype, init
        As for ``mlp``.

    Raises
    ------
    ValueError
        If an argument does not fit; nothing is drawn then.
    """
    check_count("n_hidden", n_hidden)
    return mlp(n_in, [n_hidden], n_out, rng=rng, dtype=dtype, init=init)


def small_cnn(
    in_channels: int = 1,
    image_size: int = 28,
    n_classes: int = 10,
    *,
    rng: np.random.Generator,
    dtype: Any = np.float32,
    init: Initializer = he_normal,
) -> Sequential:
    """Return a small convolutional network for square images.

    conv 8@5×5, ReLU, max-pool 2, conv 16@3×3, ReLU, max-pool 2, linear 64, ReLU, linear.
    The convolutions pad to keep the image's size, so that 8×8 digits fit as well as 28×28 clothes.

    Parameters
    ----------
    in_channels : int
        C of the input, an (N, C, image_size, image_size) array.
    image_size : int
        Height and width in pixels, at least 4.
    n_classes : int
        The output is (N, n_classes) logits.
    rng : numpy.random.Generator
        Draws the weights, first layer first.
    dtype : dtype
    init : Initializer
        How the weights begin.

    Raises
    ------
    ValueError
        If a size is out of its range; nothing is drawn then.
    """
    check_count("in_channels", in_channels)
    check_count("image_size", image_size, least=4)  # it is halved twice
    check_count("n_classes", n_classes)
    features = 16 * (image_size // 4) ** 2
    return Sequential(
        Conv2d(in_channels, 8, 5, padding=2, rng=rng, dtype=dtype, init=init),
        ReLU(),
        MaxPool2d(2),
        Conv2d(8, 16, 3, padding=1, rng=rng, dtype=dtype, init=init),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(features, 64, rng=rng, dtype=dtype, init=init),
        ReLU(),
        Linear(64, n_classes, rng=rng, dtype=dtype, init=init),
    )
