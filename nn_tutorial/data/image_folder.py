"""A data set of one's own: a folder an image class, on disk or in a zip."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .dataset import Dataset, identity
from .folder import DataDamagedError, some
from .pictures import read_images
from .pixels import Classes, Pixels, Stored, three_parts
from .tree import Tree, open_tree, read_tree

__all__ = [
    "Labelled", "Part", "classes", "image_folder", "image_folder_stored", "image_part",
    "open_tree", "read_images", "read_stored",
]  # fmt: skip


class Labelled(NamedTuple):
    """The images of one part: for each its place and its class."""

    places: list[Any]
    labels: list[int]
    class_names: tuple[str, ...]


class Part(NamedTuple):
    """One part of a folder of images, as bytes.

    Attributes
    ----------
    name : str
        Of the folder or zip.
    x : ndarray of uint8, (N, 3, H, W)
        Pixels from 0 to 255.
    y : ndarray of int64, (N,)
    class_names : tuple of str
    source : str
        From which file, and which kind of images.
    """

    name: str
    x: Pixels
    y: Classes
    class_names: tuple[str, ...]
    source: str

    @property
    def sha256(self) -> str:
        """Of all pixels and labels."""
        return identity(self.x, self.y)


def image_folder(
    path: str | Path,
    *,
    sizes: Sequence[int],
    size: int | None = None,
    seed: int = 0,
    dtype: Any = np.float32,
) -> Dataset:
    """Return a data set of one's own, laid out as torchvision's ``ImageFolder`` has it.

    Parameters
    ----------
    path : str or Path
        A folder with ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, or a zip of one; folders
        around it do not matter. PNG, BMP, PPM and WebP images are read as well, as a viewer shows
        them: rotated as their EXIF says, in sRGB, on white. Files that are no images are refused;
        hidden ones, and what macOS and Windows leave behind, are left out.
    sizes : sequence of two int
        Images for training and validation, out of those below ``train``.
    size : int, optional
        Height and width in pixels of every image: the largest square in its middle is cut out and
        resized. Left out, all must have one size already.
    seed : int
        Of the split, in which both parts have the classes in equal shares, to one image.
    dtype : dtype
        Of the inputs, (N, 3, H, W), from 0 to 1.

    Raises
    ------
    DataNotFoundError
        If there is no such folder or zip.
    DataDamagedError
        If a part, a class or its images are missing, a file cannot be read as an image, or the
        sizes differ.
    ValueError
        If the sizes do not fit.
    ImportError
        If Pillow is not installed.
    """
    return three_parts(image_folder_stored(path, size=size), sizes, seed, dtype)


def image_folder_stored(path: str | Path, *, size: int | None = None) -> Stored:
    """Return a folder of images as bytes; see ``image_folder``."""
    return read_stored(read_tree(Path(path)), size)


def read_stored(tree: Tree, size: int | None = None) -> Stored:
    """Return both parts of a tree as bytes; see ``image_folder``."""
    train, test = (classes(tree, part) for part in ("train", "test"))
    if train.class_names != test.class_names:
        odd = sorted(set(train.class_names) ^ set(test.class_names))
        raise DataDamagedError(
            f"{tree.path}: expected the same classes in train and test, these are in one only: "
            f"{odd}"
        )
    x_train, x_test = (read_images(part.places, size) for part in (train, test))
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataDamagedError(
            f"{tree.path}: expected images of one size, got {x_train.shape[1:]} in train and "
            f"{x_test.shape[1:]} in test; 'size' makes all of one size"
        )
    return Stored(
        tree.path.stem,
        x_train, np.array(train.labels, np.int64),
        x_test, np.array(test.labels, np.int64),
        class_names=train.class_names,
        source=source(tree.path, train.places),
        split="as found",
    )  # fmt: skip


def image_part(path: str | Path, part: str = "train", *, size: int | None = None) -> Part:
    """Return one part of a folder of images, which need not have another.

    Parameters
    ----------
    path : str or Path
        A folder with ``<part>/<class>/*.jpg``, or a zip of one; see
        [`image_folder`][nn_tutorial.image_folder].
    part : str
    size : int, optional
        Height and width in pixels of every image: the largest square in its middle is cut out and
        resized. Left out, all must have one size already.

    Raises
    ------
    DataNotFoundError
        If there is no such folder or zip.
    DataDamagedError
        If the part, a class or its images are missing, a file cannot be read as an image, or the
        sizes differ.
    ImportError
        If Pillow is not installed.
    """
    path = Path(path)
    found = classes(read_tree(path), part)
    labels = np.array(found.labels, np.int64)
    pixels = read_images(found.places, size)
    return Part(path.stem, pixels, labels, found.class_names, source(path, found.places))


def source(path: Path, places: Sequence[Any]) -> str:
    """Return from which file images are, and of which kind they are."""
    kinds = sorted({Path(str(place)).suffix.lstrip(".").upper() for place in places})
    return f"{path.name}, {' and '.join(kinds)} files"


def classes(tree: Tree, part: str) -> Labelled:
    """Return the classes below a part, and their images.

    Parameters
    ----------
    tree : Tree
    part : str

    Raises
    ------
    DataDamagedError
        If there is no such part, or it holds no class, or a class holds no image or other files.
    """
    if part not in tree.folders():
        raise DataDamagedError(
            f"{tree.path}: expected a folder '{part}' in it, there is none; there is {tree.told()}"
        )
    names = tree.folders(f"{part}/")
    if not names:
        files = some(tree.files(f"{part}/"))
        raise DataDamagedError(
            f"{tree.path}: {part}: expected a folder for each class, there is none; there is "
            f"{files}"
        )
    places: list[Any] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        images = tree.images(f"{part}/{name}/")
        places += map(tree.place, images)
        labels += [label] * len(images)
    return Labelled(places, labels, tuple(names))
