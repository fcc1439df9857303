"""A data set of one's own: a folder an image class, on disk or in a zip."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .dataset import Dataset, identity
from .folder import DataDamagedError, DataNotFoundError
from .pixels import Classes, Pixels, Stored, three_parts

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp"}
_Place = Path | zipfile.Path


class Tree(NamedTuple):
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
        A folder with ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, or a zip of one. PNG,
        BMP, PPM and WebP images are read as well. Files that are no images are refused, hidden
        ones left out.
    sizes : sequence of two int
        Images for training and validation, out of those below ``train``.
    size : int, optional
        Height and width in pixels to which every image is resized. Left out, all must have one
        size already.
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
    path = Path(path)
    root = open_tree(path)
    trees = {part: _tree(root / part, path) for part in ("train", "test")}
    if trees["train"].class_names != trees["test"].class_names:
        odd = sorted(set(trees["train"].class_names) ^ set(trees["test"].class_names))
        raise DataDamagedError(
            f"{path}: expected the same classes in train and test, these are in one only: {odd}"
        )
    pixels: dict[str, Any] = {}
    for part, tree in trees.items():
        pixels[part] = read_images(tree.places, size)
    shapes = {part: images.shape[1:] for part, images in pixels.items()}
    if shapes["train"] != shapes["test"]:
        raise DataDamagedError(
            f"{path}: expected images of one size, got {shapes['train']} in train and "
            f"{shapes['test']} in test; 'size' resizes them"
        )
    return Stored(
        path.stem,
        pixels["train"], np.array(trees["train"].labels, np.int64),
        pixels["test"], np.array(trees["test"].labels, np.int64),
        class_names=trees["train"].class_names,
        source=_source(path, trees["train"]),
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
        Height and width in pixels to which every image is resized. Left out, all must have one
        size already.

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
    tree = _tree(open_tree(path) / part, path)
    labels = np.array(tree.labels, np.int64)
    pixels = read_images(tree.places, size)
    return Part(path.stem, pixels, labels, tree.class_names, _source(path, tree))


def _source(path: Path, tree: Tree) -> str:
    kinds = sorted({Path(str(place)).suffix.lstrip(".").upper() for place in tree.places})
    return f"{path.name}, {' and '.join(kinds)} files"


def open_tree(path: Path) -> _Place:
    """Return the root of a folder or of a zip.

    Raises
    ------
    DataNotFoundError
        If there is neither.
    DataDamagedError
        If the zip cannot be read.
    """
    if path.is_dir():
        return path
    if not path.is_file():
        raise DataNotFoundError(f"path: expected a folder or a zip of images, {path} is not there")
    try:
        return zipfile.Path(zipfile.ZipFile(path))
    except zipfile.BadZipFile as error:
        raise DataDamagedError(
            f"{path}: expected a whole zip archive, got {path.stat().st_size} bytes that are "
            "none. Remove it and copy or download it again."
        ) from error


def _tree(part: _Place, path: Path) -> Tree:
    """The classes below a part, and their images."""
    where = f"{path}: {part.name}"
    if not part.is_dir():
        raise DataDamagedError(f"{path}: expected a folder '{part.name}' in it, there is none")
    folders = sorted(
        (f for f in part.iterdir() if f.is_dir() and not f.name.startswith(".")),
        key=lambda f: f.name,
    )
    if not folders:
        raise DataDamagedError(f"{where}: expected a folder for each class, there is none")
    places, labels = [], []
    for label, folder in enumerate(folders):
        files = sorted(
            (f for f in folder.iterdir() if not f.name.startswith(".")), key=lambda f: f.name
        )
        odd = [f.name for f in files if f.suffix.lower() not in SUFFIXES]
        if odd or not files:
            got = odd[0] if odd else "no file"
            raise DataDamagedError(f"{where}/{folder.name}: expected images, got {got}")
        places += files
        labels += [label] * len(files)
    return Tree(places, labels, tuple(f.name for f in folders))


def read_images(places: Sequence[Any], size: int | None) -> Any:
    """Decode images to (N, 3, H, W) bytes, resized to ``size`` where it is given."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise ImportError("Pillow reads images: pip install 'nn_tutorial[pytorch]'") from error
    pixels: Any = None
    for i, place in enumerate(places):
        try:
            with place.open("rb") as file, Image.open(file) as image:
                picture = image.convert("RGB")
        except (UnidentifiedImageError, OSError, SyntaxError, zipfile.BadZipFile) as error:
            raise DataDamagedError(
                f"{place}: expected an image that can be read whole, got {error}. "
                "Remove it or copy it again."
            ) from error
        if size is not None and picture.size != (size, size):
            picture = picture.resize((size, size), Image.Resampling.BILINEAR)
        values = np.asarray(picture).transpose(2, 0, 1)
        if pixels is None:
            pixels = np.empty((len(places), *values.shape), np.uint8)
        if values.shape != pixels.shape[1:]:
            raise DataDamagedError(
                f"{place}: expected {pixels.shape[3]}×{pixels.shape[2]} pixels as the first image "
                f"has, got {picture.size[0]}×{picture.size[1]}; 'size' resizes all"
            )
        pixels[i] = values
    return pixels
