"""Fashion-MNIST: 70,000 grey pictures of clothes, read by torchvision."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .dataset import Dataset
from .folder import DataDamagedError, data_folder, not_found
from .pixels import Stored, three_parts

# How many images each part has, and the first labels of the official files: another split has
# others, and a number that comes from it must not be compared with published ones.
PARTS = {"train": 60_000, "t10k": 10_000}
FIRST_LABELS = {"train": (9, 0, 0, 3, 0, 2, 7, 2, 5, 5), "t10k": (9, 2, 1, 1, 6, 1, 4, 6, 5, 7)}
SIDE = 28


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
        The data folder; see [`data_folder`][nn_tutorial.data.data_folder].
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
    ImportError
        If torchvision is not installed.

    References
    ----------
    Xiao, Rasul and Vollgraf (2017), Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms. MIT licence.
    """
    return three_parts(fashion_mnist_stored(root), sizes, seed, dtype)


def fashion_mnist_stored(root: str | Path | None = None) -> Stored:
    """Return Fashion-MNIST as stored: 70,000 images of bytes. See ``fashion_mnist``."""
    home = find_fashion_mnist(root)
    for part, count in PARTS.items():
        raw = home / "FashionMNIST" / "raw"
        _check_file(raw / f"{part}-images-idx3-ubyte", (count, SIDE, SIDE))
        _check_file(raw / f"{part}-labels-idx1-ubyte", (count,))
    read = _torchvision()
    (x_train, y_train), (x_test, y_test) = (
        (found.data.numpy()[:, None], found.targets.numpy().astype(np.int64))
        for found in (read(str(home), train=True), read(str(home), train=False))
    )
    labels = np.concatenate([y_train, y_test])
    counts = np.bincount(labels, minlength=10)
    if len(counts) != 10 or counts.min() != counts.max():
        raise DataDamagedError(
            f"{home}: expected ten classes of equal size, as Fashion-MNIST has them, got "
            f"{counts.tolist()}. Are these the files of another data set? {_remedy(home)}"
        )
    official = all(
        tuple(labels[: len(FIRST_LABELS[part])].tolist()) == FIRST_LABELS[part]
        for part, labels in (("train", y_train), ("t10k", y_test))
    )
    return Stored(
        "Fashion-MNIST", x_train, y_train, x_test, y_test,
        class_names=tuple(read.classes),
        source="Xiao, Rasul and Vollgraf (2017), MIT licence",
        split="official" if official else "re-split",
    )  # fmt: skip


def find_fashion_mnist(root: str | Path | None = None) -> Path:
    """Return the folder to hand to ``torchvision.datasets.FashionMNIST``.

    Raises
    ------
    DataNotFoundError
        If the four files are not all there.
    """
    folder = data_folder(root)
    places = [folder / "fashion-mnist", folder]
    for place in places:
        raw = place / "FashionMNIST" / "raw"
        names = [
            f"{part}-{kind}-ubyte" for part in PARTS for kind in ("images-idx3", "labels-idx1")
        ]
        if all((raw / name).is_file() for name in names):
            return place
    raise not_found("Fashion-MNIST", "fashion-mnist", places)


def _check_file(path: Path, shape: tuple[int, ...]) -> None:
    """Raise unless an IDX file of bytes announces this shape and is as long as it says."""
    wanted = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    with path.open("rb") as file:
        header = file.read(len(wanted))
    if header != wanted:
        raise DataDamagedError(
            f"{path}: expected an IDX file of {shape} bytes, got a header of {header.hex()}. "
            + _remedy(path)
        )
    size, expected = path.stat().st_size, len(wanted) + int(np.prod(shape))
    if size != expected:
        raise DataDamagedError(f"{path}: expected {expected} bytes, got {size}. {_remedy(path)}")


def _remedy(path: Path) -> str:
    return f"Remove {path} and run 'python -m nn_tutorial.data download fashion-mnist'."


def _torchvision() -> Any:
    try:
        from torchvision.datasets import FashionMNIST
    except ImportError as error:
        raise ImportError(
            "torchvision reads Fashion-MNIST: pip install 'nn_tutorial[pytorch]'"
        ) from error
    return FashionMNIST
