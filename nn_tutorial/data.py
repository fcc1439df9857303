"""Data sets: real ones, split with a seed, the same on every machine."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import Array, Labels

_used: dict[str, str] = {}


@dataclass(frozen=True)
class Dataset:
    """Examples in three parts that share none.

    Attributes
    ----------
    name : str
    x_train, x_val, x_test : ndarray of float
        Inputs, one example a row of axis 0.
    y_train, y_val, y_test : ndarray of int64
        Labels, from 0 to the number of classes − 1.
    class_names, feature_names : tuple of str
        What the labels and the columns mean (units in brackets); images have no feature names.
    sha256 : str
        Of the whole data set, all inputs and labels, before it is split.
    source : str
        Who made it, and when.
    """

    name: str
    x_train: Array
    y_train: Labels
    x_val: Array
    y_val: Labels
    x_test: Array
    y_test: Labels
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    sha256: str
    source: str

    def standardized(self) -> "Dataset":
        r"""Return the data set with each feature centred and scaled.

        $$x \leftarrow (x - \mu)/\sigma$$

        μ and σ are those of the training part alone: the others must stay unseen. A feature that
        is constant there is centred only.
        """
        mean = self.x_train.mean(axis=0, dtype=np.float64)
        std = self.x_train.std(axis=0, dtype=np.float64)
        std = np.where(std > 0, std, 1)

        def scaled(x: Array) -> Array:
            return ((x - mean) / std).astype(x.dtype)

        return replace(
            self,
            x_train=scaled(self.x_train),
            x_val=scaled(self.x_val),
            x_test=scaled(self.x_test),
        )


def iris(
    *, sizes: Sequence[int] = (100, 25, 25), seed: int = 0, dtype: Any = np.float32
) -> Dataset:
    """Return Fisher's irises: 150 flowers, four measures in centimetres, three species.

    Parameters
    ----------
    sizes : sequence of three int
        Flowers for training, validation and test.
    seed : int
        Of the split, in which every part has the species in equal shares, to one flower.
    dtype : dtype
        Of the inputs, (N, 4).

    Raises
    ------
    ValueError
        If the sizes are not positive or sum to more than 150.
    ImportError
        If scikit-learn, whose copy is used, is not installed.

    References
    ----------
    Fisher (1936), The use of multiple measurements in taxonomic problems.
    """
    load_iris = _sklearn().load_iris
    raw = load_iris()
    return _split(
        "iris",
        raw.data,
        raw.target,
        sizes,
        seed,
        dtype,
        class_names=tuple(str(name) for name in raw.target_names),
        feature_names=tuple(str(name) for name in raw.feature_names),
        source="Fisher (1936), as scikit-learn ships it",
    )


def digits(
    *, sizes: Sequence[int] = (1297, 250, 250), seed: int = 0, dtype: Any = np.float32
) -> Dataset:
    """Return 1,797 handwritten digits, grey images of 8×8 pixels, ten classes.

    Parameters
    ----------
    sizes : sequence of three int
        Images for training, validation and test.
    seed : int
        Of the split, in which every part has the classes in equal shares, to one image.
    dtype : dtype
        Of the inputs, (N, 1, 8, 8), from 0 (white) to 1 (black).

    Raises
    ------
    ValueError
        If the sizes are not positive or sum to more than 1,797.
    ImportError
        If scikit-learn, whose copy is used, is not installed.

    References
    ----------
    Alpaydin and Kaynak (1998), Optical recognition of handwritten digits, UCI repository.
    """
    raw = _sklearn().load_digits()
    return _split(
        "digits",
        raw.images[:, None] / 16,
        raw.target,
        sizes,
        seed,
        dtype,
        class_names=tuple(str(name) for name in raw.target_names),
        feature_names=(),
        source="Alpaydin and Kaynak (1998), test part, as scikit-learn ships it",
    )


def used() -> dict[str, str]:
    """Return name and SHA-256 of each data set loaded in this process."""
    return dict(_used)


def stratified_split(
    labels: Labels, sizes: Sequence[int], *, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Return an array of indices a part: disjoint, and each with its share of every class.

    Parameters
    ----------
    labels : ndarray of int, (N,)
    sizes : sequence of int
        Examples in each part; together at most N.
    rng : numpy.random.Generator
        Chooses who goes where, and the order.

    Raises
    ------
    ValueError
        If a size is below 1 or they sum to more than N.
    """
    if min(sizes, default=0) < 1 or sum(sizes) > len(labels):
        raise ValueError(
            f"sizes: expected positive numbers of sum {len(labels)} at most, got {tuple(sizes)}"
        )
    # Each example gets its place within its class, as a share from 0 to 1. Sorted by that share,
    # any stretch of examples holds every class in equal proportion; among equal shares the
    # classes always come in one order, so that no stretch can miss a class at both of its ends.
    place, rank = np.empty(len(labels)), np.empty(len(labels))
    classes = np.unique(labels)
    for label, turn in zip(classes, rng.permutation(len(classes)), strict=True):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        rank[members] = turn
    order = np.lexsort((rank, place))
    parts = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    return [rng.permutation(part) for part in parts]


def _split(
    name: str,
    x: Array,
    labels: Labels,
    sizes: Sequence[int],
    seed: int,
    dtype: Any,
    **about: Any,
) -> Dataset:
    if len(sizes) != 3:
        raise ValueError(f"sizes: expected three, for training, validation and test, got {sizes}")
    x, labels = np.ascontiguousarray(x, np.float64), np.ascontiguousarray(labels, np.int64)
    sha256 = hashlib.sha256(x.tobytes() + labels.tobytes()).hexdigest()
    parts = stratified_split(labels, sizes, rng=np.random.default_rng(seed))
    _used[name] = sha256
    (x_train, y_train), (x_val, y_val), (x_test, y_test) = [
        (x[part].astype(dtype), labels[part]) for part in parts
    ]
    return Dataset(name, x_train, y_train, x_val, y_val, x_test, y_test, sha256=sha256, **about)


def _sklearn() -> Any:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError("scikit-learn holds the data: pip install 'nn_tutorial[data]'") from error
    return datasets
