"""CIFAR-10: 60,000 small colour photographs, from torchvision's files or a folder of images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .dataset import Dataset
from .folder import DataDamagedError, data_folder, not_found
from .image_folder import image_folder_stored
from .pixels import Stored, three_parts

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
BATCHES = "cifar-10-batches-py"


def cifar10(
    root: str | Path | None = None,
    *,
    sizes: Sequence[int] = (40_000, 10_000),
    seed: int = 0,
    dtype: Any = np.float32,
) -> Dataset:
    """Return CIFAR-10: colour photographs of 32×32 pixels, ten classes.

    Parameters
    ----------
    root : str or Path, optional
        The data folder; see [`data_folder`][nn_tutorial.data.data_folder]. In it the folder
        ``cifar-10-batches-py`` as torchvision has it, or a folder ``cifar10`` or a zip
        ``cifar10*.zip`` as [`image_folder`][nn_tutorial.image_folder] reads it.
    sizes : sequence of two int
        Images for training and validation, out of the 50,000 of the training files. The 10,000
        of the test files are the test part.
    seed : int
        Of that split, in which both parts have the classes in equal shares, to one image.
    dtype : dtype
        Of the inputs, (N, 3, 32, 32), from 0 to 1.

    Raises
    ------
    DataNotFoundError
        If it lies in none of these places.
    DataDamagedError
        If a file is not what its checksum says, or the folder is not that of CIFAR-10.
    ValueError
        If the sizes do not fit.
    ImportError
        If torchvision is not installed.

    References
    ----------
    Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """
    return three_parts(cifar10_stored(root), sizes, seed, dtype)


def cifar10_stored(root: str | Path | None = None) -> Stored:
    """Return CIFAR-10 as stored: 60,000 images of bytes. See ``cifar10``."""
    place = find_cifar10(root)
    if place.name == BATCHES:
        return _from_batches(place.parent)
    stored = image_folder_stored(place)
    if stored.class_names != CLASSES or stored.x_train.shape[1:] != (3, 32, 32):
        raise DataDamagedError(
            f"{place}: expected CIFAR-10's ten classes of 32×32 pixels, got "
            f"{', '.join(stored.class_names)} of {stored.x_train.shape[2:]}. "
            "image_folder() reads a data set of your own."
        )
    return stored._replace(
        name="CIFAR-10", source=f"Krizhevsky (2009), a copy of its images: {stored.source}"
    )


def find_cifar10(root: str | Path | None = None) -> Path:
    """Return the folder or zip that holds CIFAR-10.

    Raises
    ------
    DataNotFoundError
        If there is none.
    """
    folder = data_folder(root)
    zips = sorted(folder.glob("cifar10*.zip")) if folder.is_dir() else []
    for place in (folder / BATCHES, folder / "cifar10", *zips):
        if place.exists():
            return place
    raise not_found(
        "CIFAR-10", "cifar10", [folder / BATCHES, folder / "cifar10", folder / "cifar10*.zip"]
    )


def _from_batches(home: Path) -> Stored:
    try:
        from torchvision.datasets import CIFAR10
    except ImportError as error:
        raise ImportError(
            "torchvision reads CIFAR-10: pip install 'nn_tutorial[pytorch]'"
        ) from error
    parts = []
    for train in (True, False):
        try:
            parts.append(CIFAR10(str(home), train=train))
        except (RuntimeError, OSError) as error:  # it compares checksums before it reads
            raise DataDamagedError(
                f"{home / BATCHES}: expected the files with torchvision's checksums: {error} "
                f"Remove {home / BATCHES} and run 'python -m nn_tutorial.data download cifar10'."
            ) from error
    (x_train, y_train), (x_test, y_test) = (
        (np.ascontiguousarray(part.data.transpose(0, 3, 1, 2)), np.array(part.targets, np.int64))
        for part in parts
    )
    return Stored(
        "CIFAR-10", x_train, y_train, x_test, y_test,
        class_names=CLASSES, source="Krizhevsky (2009)", split="official",
    )  # fmt: skip
