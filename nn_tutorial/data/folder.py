"""Where the larger data sets lie, and what is said when they do not."""

import os
from collections.abc import Sequence
from pathlib import Path

_asked: list[bool] = []


class DataNotFoundError(FileNotFoundError):
    """A data set that is not on this machine; the message says where it was looked for."""


class DataDamagedError(ValueError):
    """A data set that is there and cannot be used; the message names the file and the remedy."""


def data_folder(root: str | Path | None = None) -> Path:
    """Return the folder of the larger data sets; it need not exist.

    Parameters
    ----------
    root : str or Path, optional
        The folder itself. Left out: the environment variable ``NN_TUTORIAL_DATA``, else the
        user's cache folder as the operating system has it.

    Raises
    ------
    ImportError
        If neither is given and platformdirs, which knows the cache folder, is not installed.
    """
    chosen = root if root is not None else os.environ.get("NN_TUTORIAL_DATA")
    if root is None:
        _asked.append(True)
    if chosen:
        return Path(chosen).expanduser()
    try:
        from platformdirs import user_cache_path
    except ImportError as error:
        raise ImportError(
            "platformdirs knows the cache folder: pip install 'nn_tutorial[data]', "
            "or name a folder in NN_TUTORIAL_DATA"
        ) from error
    return user_cache_path("nn_tutorial", appauthor=False)


def asked() -> bool:
    """Return whether this process has asked where the data is: then what is there matters to it."""
    return bool(_asked)


def listed(folder: Path) -> list[Path]:
    """Return what is in a folder, sorted by name; nothing if there is no such folder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    DataNotFoundError
        If it may not be read.
    """
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else []
    except PermissionError as error:
        raise DataNotFoundError(
            f"{error.filename} may not be read. Change its permissions, or name another folder "
            "in NN_TUTORIAL_DATA."
        ) from error


def some(names: Sequence[str], of: str = "") -> str:  # decides no number: words for an error
    """Return a few names, and how many there are more."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{of}{', '.join(names[:4])}{more}" if names else "nothing"


def not_found(
    what: str, name: str, looked: list[Path], folder: Path, unfit: Sequence[str] = ()
) -> DataNotFoundError:  # decides no number: an error
    """Return the error for a data set that lies in none of these places.

    Parameters
    ----------
    what, name : str
        The data set, as readers and as the command call it.
    looked : list of Path
    folder : Path
        The data folder: what is in it is said.
    unfit : sequence of str
        What looked like it and why it is not.
    """
    places = ", ".join(str(path) for path in looked)
    there = [f"{path.name}/" if path.is_dir() else path.name for path in listed(folder)]
    parquet = next(
        (path for depth in ("*", "*/*", "*/*/*") for path in folder.glob(f"{depth}.parquet")), None
    )
    reasons = list(unfit)
    if parquet is not None:
        reasons.append(f"{parquet} is Hugging Face's parquet, which is not read here")
    return DataNotFoundError(
        f"{what} is not at {places}. In {folder} there is {some(there)}."
        + "".join(f" {reason}." for reason in reasons)
        + f" Fetch it with 'python -m nn_tutorial.data download {name}', "
        "or name the folder that holds it in NN_TUTORIAL_DATA."
    )
