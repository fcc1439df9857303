"""Where the larger data sets lie, and what is said when they do not."""

import os
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


def not_found(
    what: str, name: str, looked: list[Path]
) -> DataNotFoundError:  # decides no number: an error
    """Return the error for a data set that lies in none of these places."""
    places = ", ".join(str(path) for path in looked)
    return DataNotFoundError(
        f"{what} is not at {places}. Fetch it with 'python -m nn_tutorial.data download {name}', "
        "or name the folder that holds it in NN_TUTORIAL_DATA."
    )
