"""Parameters and buffers on disk: written whole or not at all, read only where they fit."""

import os
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..files import write_whole
from ..layers.checks import Array
from ..layers.layer import Layer


def save(model: Layer, path: str | Path) -> None:
    """Write parameters and buffers to an ``.npz`` file, whole or not at all.

    Parameters
    ----------
    model : Layer
    path : str or Path
        Replaced in one step once all is written; until then an older file stays as it was.

    Raises
    ------
    ValueError
        If ``model`` is no layer or ``path`` no path.
    """
    _check_path(path)
    with write_whole(Path(path)) as beside, beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **state_of(model))


def load(model: Layer, path: str | Path) -> None:
    """Read what ``save`` wrote into a model of the same architecture, in place.

    Parameters
    ----------
    model : Layer
    path : str or Path

    Raises
    ------
    ValueError
        If ``model`` is no layer or ``path`` no path, the file is no such archive, or its names,
        shapes or dtypes are not the model's. The model is unchanged then.
    """
    state = state_of(model)
    _check_path(path)
    with Path(path).open("rb") as raw:  # by hand: np.load leaves a damaged archive open
        found = _read(raw, path)
    if found.keys() != state.keys():
        odd = sorted(found.keys() ^ state.keys())
        raise ValueError(f"path: {path} is of another model, these names are in one only: {odd}")
    for name, value in state.items():
        if (value.shape, value.dtype) != (found[name].shape, found[name].dtype):
            raise ValueError(
                f"path: {path} is of another model, {name} is expected as {value.shape} of "
                f"{value.dtype}, got {found[name].shape} of {found[name].dtype}"
            )
    for name, value in state.items():
        value[...] = found[name]


def _check_path(path: object) -> None:
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"path: expected a text or a Path, got {path!r}")


def check_model(model: object) -> None:
    """Raise ``ValueError`` unless it is a layer."""
    if not isinstance(model, Layer):
        raise ValueError(f"model: expected a Layer, such as a Sequential, got {model!r}")


def _read(raw: BinaryIO, path: str | Path) -> dict[str, Array]:
    try:
        with np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, ValueError, EOFError, TypeError, OSError, NotImplementedError) as e:
        raise ValueError(f"path: expected an .npz archive, {path} is none that can be read") from e


def state_of(model: Layer) -> dict[str, Array]:
    """Return the arrays of a model by the names that a file gives them; no copies."""
    check_model(model)
    params = {f"params/{name}": p for name, p in model.params.items()}
    return params | {f"buffers/{name}": b for name, b in model.buffers.items()}
