"""Folders and zips of pictures: what is in them, walked once."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .folder import DataDamagedError, DataNotFoundError, some
from .pictures import SUFFIXES

PACKED = {".zip", ".7z", ".rar", ".gz", ".tar", ".tgz"}
JUNK = {"__macosx", "thumbs.db", "desktop.ini"}  # what systems leave behind, beside hidden files
_Place = Path | zipfile.Path


class Tree(NamedTuple):
    """A folder or a zip: for each folder in it, what is in that.

    Attributes
    ----------
    path : Path
        Of the folder or zip.
    root : Path or zipfile.Path
    inside : dict of str to list of str
        For each folder (``""``, ``"train/"``, ``"train/cat/"``) the sorted names in it; those of
        folders end in a slash. What is hidden, or junk, is not there.
    top : str
        The folder in which the data set begins: those around it hold one folder and nothing else.
    """

    path: Path
    root: Any
    inside: dict[str, list[str]]
    top: str

    def folders(self, at: str = "") -> list[str]:
        """Return the names of the folders in one, without slashes."""
        return [n[:-1] for n in self.inside.get(self.top + at, []) if n.endswith("/")]

    def files(self, at: str = "") -> list[str]:
        """Return the names of the files in one."""
        return [name for name in self.inside.get(self.top + at, []) if not name.endswith("/")]

    def place(self, name: str) -> Any:
        """Return a file, to be opened."""
        return self.root / (self.top + name)

    def images(self, at: str) -> list[str]:
        """Return the names of the images in a folder, with the folder's.

        Raises
        ------
        DataDamagedError
            If there is anything else, or nothing.
        """
        names = self.inside.get(self.top + at, [])
        odd = [name for name in names if Path(name).suffix.lower() not in SUFFIXES]
        if odd or not names:
            got = odd[0] if odd else "no file"
            raise DataDamagedError(f"{self.path}: {at[:-1] or 'it'}: expected images, got {got}")
        return [at + name for name in names]

    def told(self) -> str:  # decides no number: words for an error
        """Return what is at the top, in words."""
        names = self.inside[self.top]
        words = some(names)
        packed = [name for name in names if Path(name).suffix.lower() in PACKED]
        if packed:
            words += f"; unpack {packed[0]} first"
        if any(name.endswith(".parquet") for names in self.inside.values() for name in names):
            words += "; Hugging Face's parquet is not read here"
        return words


def read_tree(path: Path) -> Tree:
    """Return what is in a folder or a zip; each name in it is looked at once.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataNotFoundError
        If there is neither.
    DataDamagedError
        If the zip cannot be read or is encrypted, or a folder may not be read.
    """
    root = open_tree(path)
    inside: dict[str, list[str]] = {"": []}

    def folder(name: str) -> list[str]:
        if name not in inside:
            inside[name] = []
            above, own = _parted(name[:-1])
            folder(above).append(f"{own}/")
        return inside[name]

    for name in _names(path) if isinstance(root, Path) else root.root.namelist():
        if not any(_junk(part) for part in name.split("/") if part):
            above, own = _parted(name)
            known = folder(above)  # which notes the folder itself, if the name is one's
            if own:
                known.append(own)
    for names in inside.values():
        names.sort(key=lambda name: name.removesuffix("/"))
    top = ""
    while len(inside[top]) == 1 and inside[top][0].endswith("/"):
        if inside[top][0] in ("train/", "test/"):
            break
        top += inside[top][0]
    return Tree(path, root, inside, top)


def open_tree(path: Path) -> _Place:
    """Return the root of a folder or of a zip.

    Raises
    ------
    DataNotFoundError
        If there is neither.
    DataDamagedError
        If the zip cannot be read, or is encrypted.
    """
    if path.is_dir():
        return path
    if not path.is_file():
        raise DataNotFoundError(f"path: expected a folder or a zip of images, {path} is not there")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataDamagedError(
            f"{path}: expected a whole zip archive, got {path.stat().st_size} bytes that are "
            f"none ({error}). Remove it and copy or download it again."
        ) from error
    if any(info.flag_bits & 1 for info in archive.infolist()):
        raise DataDamagedError(
            f"{path}: expected a zip without a password, got an encrypted one. Unpack it, and name "
            "the folder."
        )
    return zipfile.Path(archive)


def _parted(name: str) -> tuple[str, str]:
    """A name's folder, with its slash, and its last part."""
    above, slash, own = name.rpartition("/")
    return above + slash, own


def _junk(part: str) -> bool:
    return part.startswith(".") or part.lower() in JUNK


def _names(path: Path) -> Iterator[str]:
    """The names of all files and folders in a folder, as a zip has them."""

    def unreadable(error: OSError) -> None:
        raise DataDamagedError(
            f"{error.filename}: expected a folder that may be read, got {error.strerror}"
        ) from error

    for at, folders, files in os.walk(path, onerror=unreadable, followlinks=True):
        folders[:] = [name for name in folders if not _junk(name)]
        within = Path(at).relative_to(path).as_posix()
        above = "" if within == "." else f"{within}/"
        yield from (f"{above}{name}" for name in files)
        yield from (f"{above}{name}/" for name in folders)
