"""The data sets that come with scikit-learn, and so need no download."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..layers.checks import Array, check_dtype
from .dataset import Dataset, check_seeded, identity, remember, stratified_split


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
        If the sizes are not positive or sum to more than 150, the seed is no integer of at
        least 0, or the dtype no float type.
    ImportError
        If scikit-learn, whose copy is used, is not installed.

    References
    ----------
    Fisher (1936), The use of multiple measurements in taxonomic problems.
    """
    first, *rows = _shipped("iris.csv").read_text(encoding="utf-8").splitlines()
    table = np.loadtxt(rows, delimiter=",")
    parts = ("sepal", "petal")
    return _split(
        "iris",
        table[:, :-1],
        table[:, -1],
        sizes,
        seed,
        dtype,
        class_names=tuple(first.split(",")[2:]),  # after the numbers of flowers and of measures
        feature_names=tuple(f"{part} {m} (cm)" for part in parts for m in ("length", "width")),
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
        If the sizes are not positive or sum to more than 1,797, the seed is no integer of at
        least 0, or the dtype no float type.
    ImportError
        If scikit-learn, whose copy is used, is not installed.

    References
    ----------
    Alpaydin and Kaynak (1998), Optical recognition of handwritten digits, UCI repository.
    """
    table = np.loadtxt(_shipped("digits.csv.gz"), delimiter=",")
    return _split(
        "digits",
        table[:, :-1].reshape(-1, 1, 8, 8) / 16,
        table[:, -1],
        sizes,
        seed,
        dtype,
        class_names=tuple(str(digit) for digit in range(10)),
        feature_names=(),
        source="Alpaydin and Kaynak (1998), test part, as scikit-learn ships it",
    )


def _split(
    name: str,
    x: Array,
    labels: Array,
    sizes: Sequence[int],
    seed: int,
    dtype: Any,
    **about: Any,
) -> Dataset:
    check_seeded(sizes, 3, "three, for training, validation and test", seed)
    check_dtype(dtype)
    x, whole = np.ascontiguousarray(x, np.float64), np.ascontiguousarray(labels, np.int64)
    sha256 = identity(x, whole)
    parts = stratified_split(whole, sizes, rng=np.random.default_rng(seed))
    remember(name, sha256)
    (x_train, y_train), (x_val, y_val), (x_test, y_test) = [
        (x[part].astype(dtype), whole[part]) for part in parts
    ]
    return Dataset(name, x_train, y_train, x_val, y_val, x_test, y_test, sha256=sha256, **about)


def _shipped(name: str) -> Path:
    """A file of scikit-learn's own data. To import scikit-learn takes thirty times as long."""
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise ImportError("scikit-learn holds the data: pip install 'nn_tutorial[data]'")
    return Path(found.origin).parent / "datasets" / "data" / name
