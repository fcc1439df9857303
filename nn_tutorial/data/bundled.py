"""The data sets that come with scikit-learn, and so need no download."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layers.checks import Array, Labels
from .dataset import Dataset, identity, remember, stratified_split


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
    sha256 = identity(x, labels)
    parts = stratified_split(labels, sizes, rng=np.random.default_rng(seed))
    remember(name, sha256)
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
