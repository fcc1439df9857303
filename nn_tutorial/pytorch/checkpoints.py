"""The state of a training in a file that says what it is of and notices a flipped bit.

It is a file of ``torch.save`` with a little more behind it: a line of JSON (the version and the
key, that is, all that decides the training), the length of that line, the SHA-256 of everything so
far, and a mark. The hash guards against accidents. It is no signature: a forger can compute it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import torch

from ..files import write_named

VERSION = 2  # 1 had nothing behind the state
MARK = b"nn_tutorial ckpt"
END = 4 + 32 + len(MARK)  # length of the line, SHA-256, mark
LONGEST = 60_000  # bytes of the line: PyTorch looks for the end of its own part no farther back
HASH = 64  # characters of a SHA-256, of which a message shows twelve
SHOWN = 5  # differences in a message


class CheckpointError(ValueError):
    """A checkpoint that cannot be gone on from; the message names the file, the cause, the way."""


def save_checkpoint(path: Path, state: Mapping[str, Any], key: Mapping[str, Any]) -> None:
    """Write a state, whole or not at all: an older checkpoint stays until then.

    Parameters
    ----------
    path : Path
        Its folder is made if it is not there.
    state : mapping
        Tensors, numbers, texts, and lists and dicts of them.
    key : mapping
        What the training is of, as JSON can say it.

    Raises
    ------
    OSError
        If it cannot be written: the disk is full, for instance.
    ValueError
        If the key is too long.
    """
    line = json.dumps({"version": VERSION, "key": key}).encode()
    if len(line) > LONGEST:
        raise ValueError(f"key: expected at most {LONGEST} bytes as JSON, got {len(line)}")
    with write_named(path, "checkpoint") as beside:
        torch.save(dict(state), beside)
        with beside.open("r+b") as file:
            digest = _sha256(file, beside.stat().st_size)
            line += len(line).to_bytes(4, "big")
            digest.update(line)
            file.write(line + digest.digest() + MARK)


def load_checkpoint(
    path: Path, device: torch.device | str = "cpu", *, mmap: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return state and key.

    Parameters
    ----------
    path : Path
        From ``save_checkpoint``.
    device : torch.device or str
        For the tensors.
    mmap : bool
        Whether to read only those that are looked at, for which ``device`` must be the CPU.

    Raises
    ------
    CheckpointError
        If it is not there, not whole, not as it was written, or of another version.
    """
    try:
        with path.open("rb") as file:
            about = _about(file, path)
        state: dict[str, Any] = torch.load(path, device, weights_only=True, mmap=mmap)
    except OSError as error:
        raise CheckpointError(f"checkpoint: {path} cannot be read: {error.strerror}") from error
    return state, about["key"]


def _about(file: BinaryIO, path: Path) -> Any:
    """The line behind the state, if all is as it was written."""
    size = path.stat().st_size
    file.seek(max(size - END, 0))
    end = file.read()
    if len(end) < END or not end.endswith(MARK):
        raise CheckpointError(
            f"checkpoint: {path} is of another version, not whole, or no checkpoint at all; "
            "remove it to begin anew"
        )
    length = int.from_bytes(end[:4], "big")
    file.seek(0)
    digest = _sha256(file, max(size - END - length, 0))
    line = file.read(min(length, size))
    digest.update(line + end[:4])
    if digest.digest() != end[4:36]:
        raise CheckpointError(
            f"checkpoint: {path} is damaged: its SHA-256 is not the one it was written with; "
            "remove it to begin anew"
        )
    about = json.loads(line)
    if about["version"] != VERSION:
        raise CheckpointError(
            f"checkpoint: {path} is of version {about['version']}, expected {VERSION}; "
            "remove it to begin anew"
        )
    return about


def check_same(
    path: Path, there: Mapping[str, Any], here: Mapping[str, Any]
) -> None:  # decides no number: it compares
    """Raise unless a checkpoint is of this training.

    Parameters
    ----------
    path : Path
        Of the checkpoint.
    there, here : mapping
        Its key, and this training's.

    Raises
    ------
    CheckpointError
        With what differs, both values, and how to begin anew.
    """
    found = [*differences(there, json.loads(json.dumps(here)))]
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise CheckpointError(
            f"checkpoint: {path} is of another training: {'; '.join(found[:SHOWN])}{more}. "
            "Remove it or take another --name to begin anew, or go on with what it was begun with"
        )


def differences(there: Any, here: Any, name: str = "") -> Iterator[str]:
    """Yield what differs between two keys, with both values.

    Parameters
    ----------
    there, here : object
    name : str
        Of what is compared, for the message.
    """
    if isinstance(there, dict) and isinstance(here, dict):
        for part in there | here:
            inner = f"{name}.{part}" if name else part
            yield from differences(there.get(part), here.get(part), inner)
    elif there != here:
        if isinstance(there, str) and isinstance(here, str):
            pairs = zip_longest(there.splitlines(), here.splitlines(), fillvalue="")
            there, here = next((a.strip(), b.strip()) for a, b in pairs if a != b)
            if max(len(there), len(here)) == HASH:
                there, here = there[:12], here[:12]
        yield f"{name}: {there!r} there, {here!r} here"


def _sha256(file: BinaryIO, size: int) -> Any:
    """The hash of so many bytes, which are read."""
    digest = hashlib.sha256()
    while size > 0 and (chunk := file.read(min(size, 1 << 20))):
        digest.update(chunk)
        size -= len(chunk)
    return digest
