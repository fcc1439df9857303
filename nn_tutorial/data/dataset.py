"""What every data set is here: three parts that share no example, and a name for its content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.checks import Array, Labels, check_count, check_rng, is_plain, is_whole

_used: dict[str, str] = {}


@dataclass(frozen=True)
class Dataset:
    """Examples in three parts that share none.

    Attributes
    ----------
    name : str
    x_train, x_val, x_test : ndarray of float
        Inputs, one example per row of axis 0.
    y_train, y_val, y_test : ndarray of int64
        Labels, from 0 to the number of classes − 1.
    class_names, feature_names : tuple of str
        What the labels and the columns mean (units in brackets); images have no feature names.
    sha256 : str
        Of the whole data set, all inputs and labels, before it is split.
    source : str
        Who made it, and when.
    split : str
        Whose the test part is: ``"seeded"``, all three parts drawn by the seed; ``"official"``,
        the test part is the one that its authors set apart; ``"re-split"``, the files hold a test
        part, and it is not that one; ``"as found"``, nobody can tell.
    """

    name: str
    x_train: Array
    y_train: Labels
    x_val: Array
    y_val: Labels
    x_test: Array
    y_test: Labels
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    sha256: str
    source: str
    split: str = "seeded"

    def standardized(self) -> "Dataset":
        r"""Return the data set with each feature centred and scaled.

        $$x \leftarrow (x - \mu)/\sigma$$

        μ and σ are those of the training part alone: the others must stay unseen. A feature that
        is constant there is centred only.
        """
        mean = self.x_train.mean(axis=0, dtype=np.float64)
        std = self.x_train.std(axis=0, dtype=np.float64)
        std = np.where(std > 0, std, 1)

        def scaled(x: Array) -> Array:
            return ((x - mean) / std).astype(x.dtype)

        return replace(
            self,
            x_train=scaled(self.x_train),
            x_val=scaled(self.x_val),
            x_test=scaled(self.x_test),
        )


def identity(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of the content of some arrays.

    Parameters
    ----------
    *arrays : ndarray
        In an order and with dtypes that do not depend on the machine.
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def remember(name: str, sha256: str) -> None:
    """Note that this process has loaded a data set; pages tell their readers."""
    _used[name] = sha256


def used() -> dict[str, str]:
    """Return name and SHA-256 of each data set loaded in this process."""
    return dict(_used)


def check_seeded(sizes: Sequence[int], n: int, meaning: str, seed: int) -> None:
    """Raise ``ValueError`` unless there are so many sizes, and the seed is an integer."""
    if not isinstance(sizes, (Sequence, np.ndarray)) or len(sizes) != n:
        raise ValueError(f"sizes: expected {meaning}, got {sizes!r}")
    check_count("seed", seed, least=0)


def stratified_split(
    labels: Labels, sizes: Sequence[int], *, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Return an array of indices a part: disjoint, and each with its share of every class.

    Parameters
    ----------
    labels : ndarray of int, (N,)
    sizes : sequence of int
        Examples in each part; together at most N.
    rng : numpy.random.Generator
        Chooses who goes where, and the order.

    Raises
    ------
    ValueError
        If an argument is of another kind, a size is below 1 or they sum to more than N.
    """
    _check_split(labels, sizes, rng)
    if min(sizes, default=0) < 1 or sum(sizes) > len(labels):
        raise ValueError(
            f"sizes: expected positive numbers of sum {len(labels)} at most, got {tuple(sizes)}"
        )
    # Each example gets its place within its class, as a share from 0 to 1. Sorted by that share,
    # any stretch of examples holds every class in equal proportion; among equal shares the
    # classes always come in one order, so that no stretch can miss a class at both of its ends.
    place, rank = np.empty(len(labels)), np.empty(len(labels))
    classes = np.unique(labels)
    for label, turn in zip(classes, rng.permutation(len(classes)), strict=True):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        rank[members] = turn
    order = np.lexsort((rank, place))
    parts = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    return [rng.permutation(part) for part in parts]


def _check_split(labels: Any, sizes: Any, rng: Any) -> None:
    # decides no number: it refuses
    if not is_plain(labels) or labels.ndim != 1 or labels.dtype.kind not in "iu":
        got = f"shape {labels.shape} of {labels.dtype}" if is_plain(labels) else repr(labels)
        raise ValueError(f"labels: expected a row of integers, got {got}")
    if not isinstance(sizes, (Sequence, np.ndarray)) or not all(map(is_whole, sizes)):
        raise ValueError(f"sizes: expected integers, one for each part, got {sizes!r}")
    check_rng(rng)
