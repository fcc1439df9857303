"""Pictures called by a number, as Kaggle hands them out: 1.png, 2.png, with labels or without."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .folder import DataDamagedError, DataNotFoundError, some
from .pictures import read_images
from .pixels import Pixels
from .tree import Tree, read_tree


class Numbered(NamedTuple):
    """Pictures in the order of their numbers, not yet read.

    Attributes
    ----------
    tree : Tree
        The folder or zip that they are in.
    ids : list of int
        In ascending order.
    names : list of str
        Of the files, in the same order.
    """

    tree: Tree
    ids: list[int]
    names: list[str]

    def batches(self, n: int, size: int) -> Iterator[Pixels]:
        """Yield the pictures as (n, 3, size, size) bytes, the last ones fewer.

        Only these are in memory at a time.
        """
        for at in range(0, len(self.names), n):
            yield read_images([self.tree.place(name) for name in self.names[at : at + n]], size)


def numbered(tree: Tree, at: str = "") -> Numbered:
    """Return the pictures of a folder by their numbers.

    Parameters
    ----------
    tree : Tree
    at : str
        The folder in it, with a slash at its end.

    Raises
    ------
    DataDamagedError
        If there are none, or other files, or two of one number.
    """
    found: dict[int, str] = {}
    for name in tree.images(at):
        stem = Path(name).stem
        if not (stem.isascii() and stem.isdecimal()):
            raise DataDamagedError(
                f"{tree.path}: expected images called by a number, as 1.png, got {name}"
            )
        if found.setdefault(int(stem), name) != name:
            raise DataDamagedError(
                f"{tree.path}: expected one image per number, got {found[int(stem)]} and {name}"
            )
    ids = sorted(found)
    return Numbered(tree, ids, [found[i] for i in ids])


def read_numbered(path: Path) -> Numbered:
    """Return the pictures of a folder, or of a zip of one, by their numbers.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataNotFoundError
        If it is not there.
    DataDamagedError
        See ``numbered``; also if it cannot be read.
    """
    tree = read_tree(path)
    alone = not tree.files() and tree.folders() in (["test"], ["train"])
    return numbered(tree, f"{tree.folders()[0]}/" if alone else "")


def read_labels(file: Any, name: str) -> dict[int, str]:
    """Return what a table ``id,label`` says of each number.

    Parameters
    ----------
    file : binary file
    name : str
        As errors call it.

    Raises
    ------
    DataDamagedError
        If it is no such table, or has a number twice.
    """
    try:
        rows = [row for row in csv.reader(file.read().decode("utf-8-sig").splitlines()) if row]
        labels = {int(i): label for i, label in rows[1:]}
    except ValueError as error:  # not UTF-8, no number, not two columns
        raise DataDamagedError(f"{name}: expected rows of id and label, got {error}") from error
    if not rows or rows[0] != ["id", "label"] or len(labels) != len(rows) - 1:
        got = f"{rows[0] if rows else 'nothing'} and {len(rows) - 1} rows of {len(labels)} ids"
        raise DataDamagedError(
            f"{name}: expected a header id,label and a row for each id, got {got}"
        )
    return labels


def check_sample(path: Path, ids: Sequence[int]) -> None:
    """Raise unless a sample of a submission asks for these numbers in this order.

    Parameters
    ----------
    path : Path
        As Kaggle's ``sampleSubmission.csv``.
    ids : sequence of int
        Of the pictures that are there.

    Raises
    ------
    DataNotFoundError
        If it is not there.
    DataDamagedError
        If it is no such table, or asks for others.
    """
    if not path.is_file():
        raise DataNotFoundError(f"{path}: expected a sample of the submission, it is not there")
    with path.open("rb") as file:
        asked = [*read_labels(file, str(path))]
    if asked != [*ids]:
        lacking, more = sorted({*asked} - {*ids}), sorted({*ids} - {*asked})
        why = (
            f"no image for {some([*map(str, lacking)])}; not asked for: {some([*map(str, more)])}"
            if lacking or more
            else "the same in another order"
        )
        raise DataDamagedError(
            f"{path}: expected the ids of the {len(ids)} images, got {len(asked)} ids: {why}"
        )
