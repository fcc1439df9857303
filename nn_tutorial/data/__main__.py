"""Data sets from the command line: what is here, and `download`."""

import argparse
import errno
import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

from .bundled import digits, iris
from .cifar import BATCHES, cifar10_stored, find_cifar10
from .fashion import fashion_mnist_stored, find_fashion_mnist
from .folder import DataDamagedError, DataNotFoundError, data_folder


class Download(NamedTuple):
    """How a data set comes to this machine: torchvision's class, its place, its check."""

    classname: str
    place: str  # below the data folder
    check: Callable[[Path], Any]  # raises where the files cannot be used
    found: Callable[[Path], Path]
    licence: str


DOWNLOADS = {
    "fashion-mnist": Download(
        "FashionMNIST", "fashion-mnist", fashion_mnist_stored, find_fashion_mnist,
        "MIT, Zalando Research",
    ),
    "cifar10": Download(
        "CIFAR10", BATCHES, cifar10_stored, find_cifar10,
        "none stated; cite Krizhevsky (2009)",
    ),
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nn_tutorial.data", description=__doc__)
    parser.add_argument("--root", type=Path, help="the data folder (else NN_TUTORIAL_DATA)")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("list", help="what is found where (the default)")
    command = commands.add_parser("download", help="fetch a data set, whole or not at all")
    command.add_argument("name", choices=sorted(DOWNLOADS))
    chosen = parser.parse_args(arguments)
    folder = data_folder(chosen.root)
    if chosen.command != "download":
        print(listing(folder))
        return 0
    try:
        print(f"{chosen.name} is at {fetch(chosen.name, folder)}")
    except (DataNotFoundError, DataDamagedError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def listing(folder: Path) -> str:
    """Return a table of the data sets: place, size, SHA-256, licence.

    Parameters
    ----------
    folder : Path
        The data folder.
    """
    lines = [f"data folder: {folder}"]
    for name, make in (("iris", iris), ("digits", digits)):
        lines += [name, "    comes with scikit-learn; CC BY 4.0 (UCI)"]
        lines.append(f"    SHA-256 {make().sha256}")
    for name, download in DOWNLOADS.items():
        lines.append(name)
        try:
            place = download.found(folder)
        except DataNotFoundError:
            lines.append(f"    not found; 'python -m nn_tutorial.data download {name}' fetches it")
            continue
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        lines.append(f"    {place}; licence: {download.licence}")
        many = len(files) > 20
        for file in [] if many else files:
            with file.open("rb") as raw:
                sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
            lines.append(f"    {file.stat().st_size / 1e6:8.1f} MB  {sha256}  {file.name}")
        if many:
            lines.append(
                f"    {sum(f.stat().st_size for f in files) / 1e6:.1f} MB in {len(files)} files"
            )
    return "\n".join(lines)


def fetch(name: str, folder: Path) -> Path:
    """Download a data set with torchvision, check it, and only then put it in its place.

    What an interrupted download has left is kept beside; files whose checksum is right are not
    fetched again, others are.

    Parameters
    ----------
    name : str
        A name in ``DOWNLOADS``.
    folder : Path
        The data folder, made if it is not there.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    DataNotFoundError
        If it could not be fetched: no network, no room on the disk, no right to write.
    DataDamagedError
        If what came is not what was expected, or what is already there is damaged.
    """
    download = DOWNLOADS[name]
    try:
        there = download.found(folder)
    except DataNotFoundError:
        pass
    else:
        download.check(folder)
        return there
    target = folder / download.place
    if target.exists():
        raise DataDamagedError(
            f"{target}: expected {name} whole or no such folder, got a part of it. "
            "Move it away and run the command again."
        )
    beside = folder / f".{name}.partial"
    home = beside / "fashion-mnist" if name == "fashion-mnist" else beside
    try:
        home.mkdir(parents=True, exist_ok=True)
        for path in beside.rglob("*"):  # what was unpacked may have been cut off, archives are
            if path.is_file() and path.suffix != ".gz":  # compared with their checksums
                path.unlink()
        import torchvision

        getattr(torchvision.datasets, download.classname)(str(home), download=True)
        download.check(beside)
        (beside / download.place).replace(target)
    except (URLError, RuntimeError, OSError) as error:
        raise DataNotFoundError(f"{name} could not be fetched: {_why(error, folder)}") from error
    shutil.rmtree(beside)
    return download.found(folder)


def _why(error: Exception, folder: Path) -> str:
    """What went wrong, and what can be done."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no room on the disk of {folder}. Make room, or name another folder with --root."
    if isinstance(error, PermissionError):
        return f"{error.filename} may not be written. Name another folder with --root."
    return f"{error}. Is there a network? Run the command again: what has come is kept."


if __name__ == "__main__":
    sys.exit(main())
