"""Fashion-MNIST: 70,000 grey pictures of clothes, from their IDX files or from Kaggle's tables."""

import gzip
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .dataset import Dataset
from .folder import DataDamagedError, data_folder, listed, not_found, some
from .pixels import Classes, Pixels, Stored, three_parts

# How many images each part has, and the first labels of the official files: another split has
# others, and a number that comes from it must not be compared with published ones.
PARTS = {"train": 60_000, "t10k": 10_000}
FIRST_LABELS = {"train": (9, 0, 0, 3, 0, 2, 7, 2, 5, 5), "t10k": (9, 2, 1, 1, 6, 1, 4, 6, 5, 7)}
SUMS = (3_431_114_169, 573_469_082)  # of the official parts' pixels, whatever their order
SIDE = 28
CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
# As Kaggle has them; its rows are in another order than the official files'.
TABLES = {"train": ["fashion-mnist_train.csv"], "t10k": ["fashion-mnist_test.csv"]}


def fashion_mnist(
    root: str | Path | None = None,
    *,
    sizes: Sequence[int] = (55_000, 5_000),
    seed: int = 0,
    dtype: Any = np.float32,
) -> Dataset:
    """Return Fashion-MNIST: grey images of 28×28 pixels, ten kinds of clothes.

    Parameters
    ----------
    root : str or Path, optional
        The data folder; see [`data_folder`][nn_tutorial.data.data_folder]. In it, or in its
        folder ``fashion-mnist``, the four IDX files (in ``FashionMNIST/raw`` as torchvision has
        them, in ``raw``, or as they are; packed with gzip or not), or Kaggle's
        ``fashion-mnist_train.csv`` and ``fashion-mnist_test.csv``.
    sizes : sequence of two int
        Images for training and validation, out of the 60,000 of the training files. The 10,000
        of the test files are the test part.
    seed : int
        Of that split, in which both parts have the classes in equal shares, to one image.
    dtype : dtype
        Of the inputs, (N, 1, 28, 28), from 0 (black) to 1 (white).

    Raises
    ------
    DataNotFoundError
        If the files are not there.
    DataDamagedError
        If a file is truncated or not what it is called.
    ValueError
        If the sizes do not fit.

    References
    ----------
    Xiao, Rasul and Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms. MIT licence.
    """
    return three_parts(fashion_mnist_stored(root), sizes, seed, dtype)


def fashion_mnist_stored(root: str | Path | None = None) -> Stored:
    """Return Fashion-MNIST as stored: 70,000 images of bytes. See ``fashion_mnist``."""
    files = _files(root)
    (x_train, y_train), (x_test, y_test) = (
        _read(files[part], count) for part, count in PARTS.items()
    )
    home = files["train"][0].parent
    labels = np.concatenate([y_train, y_test])
    counts = np.bincount(labels, minlength=10)
    if len(counts) != 10 or counts.min() != counts.max():
        raise DataDamagedError(
            f"{home}: expected ten classes of equal size, as Fashion-MNIST has them, got "
            f"{counts.tolist()}. Are these the files of another data set? {_remedy(home)}"
        )
    sums = [int(x.sum(dtype=np.uint64)) for x in (x_train, x_test)]
    if len(labels) == 70_000 and sum(sums) != sum(SUMS):
        raise DataDamagedError(
            f"{home}: expected Fashion-MNIST's 70,000 images, whose pixels are {sum(SUMS):,} "
            f"together, got {sum(sums):,}. Are these the files of another data set (MNIST's have "
            f"the same names)? {_remedy(home)}"
        )
    official = tuple(sums) == SUMS or all(
        tuple(labels[: len(FIRST_LABELS[part])].tolist()) == FIRST_LABELS[part]
        for part, labels in (("train", y_train), ("t10k", y_test))
    )
    return Stored(
        "Fashion-MNIST", x_train, y_train, x_test, y_test,
        class_names=CLASSES,
        source="Xiao, Rasul and Vollgraf (2017), MIT licence",
        split="official" if official else "re-split",
    )  # fmt: skip


def find_fashion_mnist(root: str | Path | None = None) -> Path:
    """Return the folder that holds the files.

    Raises
    ------
    DataNotFoundError
        If they are not all there.
    """
    return _files(root)["train"][0].parent


def _files(root: str | Path | None) -> dict[str, list[Path]]:
    """For each part its files: images and labels, or one table."""
    folder = data_folder(root)
    homes = [folder / "fashion-mnist", folder]
    places = [home / below for home in homes for below in ("FashionMNIST/raw", "raw", "")]
    partly = []
    for place in places:
        names = {path.name for path in listed(place)}
        idx = {p: [f"{p}-{kind}" for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
               for p in PARTS}  # fmt: skip
        for wanted in (idx, TABLES):
            found = {
                part: [place / name if name in names else place / f"{name}.gz" for name in parts]
                for part, parts in wanted.items()
            }
            lacking = [p.stem for files in found.values() for p in files if p.name not in names]
            if not lacking:
                return found
            if len(lacking) < sum(map(len, found.values())):
                partly.append(f"{place} lacks {some(lacking)}")
    raise not_found("Fashion-MNIST", "fashion-mnist", homes, folder, partly)


def _read(files: list[Path], count: int) -> tuple[Pixels, Classes]:
    """So many images, (N, 1, 28, 28), and their labels."""
    if len(files) == 1:
        rows = _read_table(files[0], (count, 1 + SIDE**2))
        x, y = np.ascontiguousarray(rows[:, 1:]), rows[:, 0]
    else:
        x, y = _read_idx(files[0], (count, SIDE, SIDE)), _read_idx(files[1], (count,))
    return x.reshape(-1, 1, SIDE, SIDE), y.astype(np.int64)


def _read_idx(path: Path, shape: tuple[int, ...]) -> Pixels:
    """The bytes of an IDX file, packed or not; raise unless it is of this shape, and whole."""
    wanted = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataDamagedError(
            f"{path}: expected a file that can be read whole, got {error}. {_remedy(path)}"
        ) from error
    if content[: len(wanted)] != wanted:
        raise DataDamagedError(
            f"{path}: expected an IDX file of {shape} bytes, got a header of "
            f"{content[: len(wanted)].hex()}. {_remedy(path)}"
        )
    if len(content) != len(wanted) + math.prod(shape):
        raise DataDamagedError(
            f"{path}: expected {len(wanted) + math.prod(shape)} bytes, got {len(content)}. "
            + _remedy(path)
        )
    # Of bytes an array could not be written to, which PyTorch does not like.
    return np.frombuffer(bytearray(content), np.uint8, offset=len(wanted)).reshape(shape)


def _read_table(path: Path, shape: tuple[int, int]) -> Pixels:
    """The numbers of a table of Kaggle's, packed or not: a label and 784 pixels per row."""
    try:
        rows = np.loadtxt(path, np.uint8, delimiter=",", skiprows=1, ndmin=2)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise DataDamagedError(
            f"{path}: expected rows of {shape[1]} numbers from 0 to 255, got {error}. "
            + _remedy(path)
        ) from error
    if rows.shape != shape:
        raise DataDamagedError(
            f"{path}: expected {shape[0]} rows of {shape[1]} numbers, got {rows.shape[0]} of "
            f"{rows.shape[1]}. {_remedy(path)}"
        )
    return rows


def _remedy(path: Path) -> str:
    return f"Remove {path} and run 'python -m nn_tutorial.data download fashion-mnist'."
