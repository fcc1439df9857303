"""Files that are whole or not there."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_folder(folder: Path, name: str) -> None:  # decides no number: it tries a place
    """Raise unless files can be written into a folder; it need not be there, and is not made.

    Parameters
    ----------
    folder : Path
    name : str
        Of the argument, for the message.

    Raises
    ------
    ValueError
        With the folder, or the one above it that is there, and what is wrong with it.
    """
    there = folder.absolute()
    try:
        there = next(place for place in (there, *there.parents) if place.exists())
        with tempfile.TemporaryDirectory(dir=there):
            pass
    except OSError as error:
        raise ValueError(
            f"{name}: expected a folder to write into, got {folder}: {there}: {error.strerror}"
        ) from error


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:  # decides no number: it only names a place
    """Give a place beside a file; what was written there becomes the file, in one step.

    An older file stays as it was until then, and for good if an error or a signal comes first;
    what was written is removed then. No two processes are given the same place, so the last to
    finish wins, and who reads meanwhile finds one file, whole. (A process that is killed leaves
    what it had written, in a hidden folder.)

    Parameters
    ----------
    path : Path
        Its folder must be there.

    Yields
    ------
    Path
        Of the same name, since some writers look at it, in a folder of its own. It must be closed
        at the end.

    Raises
    ------
    FileNotFoundError
        If the folder is not there, or nothing was written.

    Examples
    --------
    >>> with write_whole(path) as beside:  # doctest: +SKIP
    ...     beside.write_text("All of it.", encoding="utf-8")
    """
    folder = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    folder.mkdir()
    try:
        yield folder / path.name
        (folder / path.name).replace(path)
    finally:
        shutil.rmtree(folder)


@contextmanager
def write_named(path: Path, what: str) -> Iterator[Path]:  # decides no number: it names a place
    """Give a place as ``write_whole`` does; the folder is made, and an error says which file it is.

    Parameters
    ----------
    path : Path
    what : str
        The file's kind, for the message.

    Yields
    ------
    Path
        See ``write_whole``.

    Raises
    ------
    OSError
        If it cannot be written: the disk is full, for instance.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as beside:
            yield beside
    except (OSError, RuntimeError) as error:  # PyTorch's, of a full disk, is the latter
        older = "; the one of before is still there" if path.is_file() else ""
        why = " ".join(str(error).split())
        if isinstance(error, RuntimeError):  # whose words do not say it
            why = f"is the disk full? PyTorch says: {why}"
        raise OSError(f"{what}: {path} could not be written{older}: {why}") from error
