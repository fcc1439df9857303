"""CIFAR-10: 60,000 small colour photographs, from torchvision's files or a folder of images."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .dataset import Dataset, stratified_split
from .folder import DataDamagedError, data_folder, listed, not_found, some
from .image_folder import read_stored, source
from .numbered import numbered, read_labels
from .pictures import read_images
from .pixels import Stored, three_parts
from .tree import Tree, read_tree

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
PARTS = {"train": 50_000, "test": 10_000}  # how many images each part has
BATCHES = "cifar-10-batches-py"  # as torchvision has it
LABELS = "trainLabels.csv"  # as Kaggle has it, beside train/1.png


def cifar10(
    root: str | Path | None = None,
    *,
    sizes: Sequence[int] | None = None,
    seed: int = 0,
    dtype: Any = np.float32,
) -> Dataset:
    """Return CIFAR-10: colour photographs of 32×32 pixels, ten classes.

    Parameters
    ----------
    root : str or Path, optional
        The data folder; see [`data_folder`][nn_tutorial.data.data_folder]. In it the folder
        ``cifar-10-batches-py`` as torchvision has it, or a folder or zip, whatever it is called,
        that has CIFAR-10's ten classes as [`image_folder`][nn_tutorial.image_folder] reads them,
        or ``train/1.png`` and ``trainLabels.csv`` as Kaggle hands them out. Kaggle labels no test
        images: a fifth of the labelled ones, chosen with a seed, is the test part then.
    sizes : sequence of two int, optional
        Images for training and validation, out of the 50,000 of the training files; four fifths
        and one fifth if left out. The 10,000 of the test files are the test part.
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
    stored = cifar10_stored(root)
    if sizes is None:
        held = len(stored.y_train) // 5
        sizes = (len(stored.y_train) - held, held)
    return three_parts(stored, sizes, seed, dtype)


def cifar10_stored(root: str | Path | None = None) -> Stored:
    """Return CIFAR-10 as stored: 60,000 images of bytes. See ``cifar10``."""
    place = find_cifar10(root)
    if place.name == BATCHES:
        return _from_batches(place.parent)
    tree = read_tree(place)
    stored = _from_kaggle(tree) if LABELS in tree.files() else read_stored(tree)
    if stored.x_train.shape[1:] != (3, 32, 32):
        raise DataDamagedError(
            f"{place}: expected CIFAR-10's 32×32 pixels, got images of {stored.x_train.shape[2:]}"
        )
    counts = [np.bincount(y, minlength=10) for y in (stored.y_train, stored.y_test)]
    whole = all((found == n // 10).all() for found, n in zip(counts, PARTS.values(), strict=True))
    part = "" if whole or LABELS in tree.files() else f", {sum(map(sum, counts)):,} of its 60,000"
    return stored._replace(
        name="CIFAR-10", source=f"Krizhevsky (2009), a copy of its images: {stored.source}{part}"
    )


def find_cifar10(root: str | Path | None = None) -> Path:
    """Return the folder or zip that holds CIFAR-10, which is known by its ten classes.

    Raises
    ------
    DataNotFoundError
        If there is none.
    DataDamagedError
        If something is called CIFAR-10 and is not, or cannot be read.
    """
    folder = data_folder(root)
    batches = (folder / BATCHES, folder / "cifar10" / BATCHES, folder)
    for place in batches:
        if place.name == BATCHES and place.is_dir():
            return place
    places = [p for p in listed(folder) if p.is_dir() or p.suffix.lower() == ".zip"]
    own = [folder] if (folder / LABELS).is_file() or (folder / "train").is_dir() else []
    unfit = []
    for place in sorted(places, key=lambda p: not _called(p)) + own:
        try:
            unlike = _unlike(read_tree(place))
        except DataDamagedError as error:
            if _called(place):
                raise
            unlike = str(error)
        if not unlike:
            return place
        if _called(place):
            raise DataDamagedError(
                f"{place}: expected CIFAR-10's ten classes ({some(CLASSES)}), got {unlike}. "
                "image_folder() reads a data set of your own."
            )
        if "cifar" in place.name.lower() or place == folder:
            unfit.append(f"{place} holds {unlike}")
    places = [*batches[:2], folder / "cifar10", folder / "*.zip"]
    raise not_found("CIFAR-10", "cifar10", places, folder, unfit)


def _called(place: Path) -> bool:
    """Whether a place bears CIFAR-10's name, and so must hold it."""
    return re.match(r"cifar-?10(?![0-9])", place.name, re.IGNORECASE) is not None


def _unlike(tree: Tree) -> str:
    """What a tree holds, in words; "" if that is CIFAR-10."""
    if LABELS in tree.files() and tree.files("train/"):
        return ""
    if "train" not in tree.folders():
        return tree.told()
    names = tree.folders("train/")
    if names == [*CLASSES]:
        return "" if "test" in tree.folders() else "its training part alone, without a folder test"
    count = sum(len(tree.files(f"train/{name}/")) for name in names)
    return f"{len(names)} classes in train ({some(names)}) with {count:,} files"


def _from_kaggle(tree: Tree) -> Stored:
    """The labelled images of Kaggle's competition, a fifth of them set apart as the test part."""
    found = numbered(tree, "train/")
    with tree.place(LABELS).open("rb") as file:
        labels = read_labels(file, f"{tree.path}: {LABELS}")
    if labels.keys() != {*found.ids} or not {*labels.values()} <= {*CLASSES}:
        odd = sorted({*labels.values()} - {*CLASSES})
        raise DataDamagedError(
            f"{tree.path}: {LABELS}: expected a class of CIFAR-10's for each of the "
            f"{len(found.ids)} images in train, got {len(labels)} rows and the classes "
            f"{some(odd) if odd else 'right'}"
        )
    places = [tree.place(name) for name in found.names]
    x, y = read_images(places, None), np.array([CLASSES.index(labels[i]) for i in found.ids])
    held = len(y) // 5
    kept, rest = stratified_split(y, (len(y) - held, held), rng=np.random.default_rng(0))
    return Stored(
        "CIFAR-10", x[kept], y[kept], x[rest], y[rest], class_names=CLASSES,
        source=f"{source(tree.path, places)}, the labelled images of Kaggle's competition",
        split="re-split",
    )  # fmt: skip


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
