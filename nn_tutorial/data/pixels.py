"""Image data sets as they are stored, and the three parts that are made of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..layers.checks import check_dtype
from .dataset import Dataset, check_seeded, identity, remember, stratified_split

Pixels = NDArray[np.uint8]
Classes = NDArray[np.int64]


class Stored(NamedTuple):
    """An image data set as its files have it.

    Attributes
    ----------
    name : str
    x_train, x_test : ndarray of uint8, (N, C, H, W)
        Pixels from 0 to 255.
    y_train, y_test : ndarray of int64, (N,)
    class_names : tuple of str
    source : str
        Who made it, when, and from which kind of file it was read.
    split : str
        Whose the test part is; see [`Dataset`][nn_tutorial.Dataset].
    """

    name: str
    x_train: Pixels
    y_train: Classes
    x_test: Pixels
    y_test: Classes
    class_names: tuple[str, ...]
    source: str
    split: str

    @property
    def sha256(self) -> str:
        """Of all pixels and labels, training part first."""
        return identity(self.x_train, self.y_train, self.x_test, self.y_test)


def three_parts(stored: Stored, sizes: Sequence[int], seed: int, dtype: Any) -> Dataset:
    """Split the training images in two, and scale all pixels to 0 … 1.

    Parameters
    ----------
    stored : Stored
        Its test part stays whole and as it is.
    sizes : sequence of two int
        Images for training and validation, together at most those of the training part.
    seed : int
        Of the split, in which both parts have the classes in equal shares, to one image.
    dtype : dtype
        Of the inputs.

    Raises
    ------
    ValueError
        If the sizes are not two positive numbers that fit, the seed is no integer of at least 0, or
        the dtype is no float type.
    """
    check_seeded(sizes, 2, "two, for training and validation", seed)
    check_dtype(dtype)
    train, val = stratified_split(stored.y_train, sizes, rng=np.random.default_rng(seed))

    def scaled(pixels: Pixels) -> NDArray[Any]:
        x = pixels.astype(dtype)
        x /= 255
        return x

    sha256 = stored.sha256
    remember(stored.name, sha256)
    return Dataset(
        stored.name,
        scaled(stored.x_train[train]), stored.y_train[train],
        scaled(stored.x_train[val]), stored.y_train[val],
        scaled(stored.x_test), stored.y_test,
        class_names=stored.class_names, feature_names=(),
        sha256=sha256, source=stored.source, split=stored.split,
    )  # fmt: skip
