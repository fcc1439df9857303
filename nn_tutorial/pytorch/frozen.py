"""What frozen convolutions make of pictures: computed once, and kept in a file.

The file is one of [`save_checkpoint`][nn_tutorial.pytorch.checkpoints.save_checkpoint], whole or
not there, with a SHA-256 over all of it. It is named after all that decides its numbers, and so
serves every training with the same weights, pictures, statistics and size. It is mapped into
memory, and not read whole.
"""

import datetime
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .checkpoints import CheckpointError, differences, load_checkpoint, save_checkpoint
from .training import EVERY, Images, Normalisation, Stored, fingerprint, prepare
from .weights import tensors_sha256

PART = 100  # pictures that pass the convolutions at a time
SPARE = 2**20  # bytes on the disk beside the numbers themselves
DIGITS = 0.05  # share of a row's numbers that may have another last digit


class Kept(NamedTuple):
    """Stored features, and how they came to be.

    Attributes
    ----------
    rows : Stored
        Mapped from the file.
    path : Path
    passed : int
        Pictures that passed the convolutions for it now: all, or none where the file was there.
    seconds : float
        That it took.
    """

    rows: Stored
    path: Path
    passed: int
    seconds: float


def convolved(model: Any, x: Tensor, scale: Normalisation, image_size: int | None) -> Tensor:
    """Return what the convolutions of an AlexNet make of pictures, as float16 on the CPU.

    This is before the average pool, which repeats each number 36 times where pictures are small.

    Parameters
    ----------
    model : Module
        Its features are in evaluation mode afterwards.
    x : Tensor of uint8, (N, C, H, W)
    scale : Normalisation
    image_size : int or None
        Height and width to which the pictures are resized.

    Returns
    -------
    Tensor of float16, (N, 256, h, w) for AlexNet
    """
    model.features.eval()
    device = next(model.parameters()).device
    with torch.inference_mode():
        made: Tensor = model.features(prepare(x.to(device), scale, image_size)).half().cpu()
    return made.clone()  # outside of inference mode: autograd may read it


def kept_features(
    model: Any,
    training: Images,
    validation: Images,
    *,
    scale: Normalisation,
    image_size: int | None,
    folder: Path,
    code: Mapping[str, str],
    say: Callable[[str], None],
) -> Kept:
    """Return the features of all pictures, from their file where there is one.

    A file that is damaged, or of something else than its name says, is made anew.

    Parameters
    ----------
    model : Module
        An AlexNet, on the device that is to compute. Its features are in evaluation mode
        afterwards.
    training, validation : Images
    scale : Normalisation
    image_size : int or None
    folder : Path
        Made if it is not there.
    code : mapping of str to str
        A hash of each definition, from ``code_of``; those of this computation are looked at.
    say : callable
        Is told what is done.

    Raises
    ------
    OSError
        If the disk has too little space, which is seen before the first picture, or the file
        cannot be written.
    FloatingPointError
        If a number is not finite in 16 bits.
    """
    key = _key(model, training, validation, scale, image_size, code)
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    path = folder / f"features-{name}.pt"
    rows = _read(path, key, say)
    if rows is not None:
        say(f"features from {path}: no picture passes the convolutions")
        return Kept(rows, path, 0, 0.0)
    began = time.perf_counter()
    parts = {"training": training.x, "validation": validation.x}
    _check_space(path, parts, convolved(model, training.x[:1], scale, image_size))
    made = _computed(model, parts, scale, image_size, say)
    save_checkpoint(path, made, key)
    say(f"features {path} ({path.stat().st_size / 1e6:,.0f} MB; remove it when you are done)")
    state, _ = load_checkpoint(path, mmap=True)
    return Kept(Stored(**state), path, sum(map(len, parts.values())), time.perf_counter() - began)


def same_rows(one: Tensor, other: Tensor) -> Tensor:
    """Return whether stored features are the same, but for the last digit of a few numbers.

    A picture that is computed in other company may get other last digits. With other statistics,
    weights or pixels nearly all numbers are others.

    Parameters
    ----------
    one, other : Tensor of float16, (N, …)

    Returns
    -------
    Tensor of bool, (N,)
    """
    one, other = one.flatten(1), other.flatten(1)
    counts = ((one != 0) | (other != 0)).sum(1)  # a ReLU makes many zeros of any picture
    return (one != other).sum(1) <= DIGITS * counts


def found_rows(some: Tensor, rows: Tensor) -> list[int]:
    """Return at which rows some stored features stand, if they are there.

    Parameters
    ----------
    some : Tensor of float16, (M, …)
    rows : Tensor of float16, (N, …)
    """
    wanted = some.flatten(1).float()
    nearest = torch.zeros(len(some), dtype=torch.long)
    least = torch.full((len(some),), torch.inf)
    for at in range(0, len(rows), 2000):  # as float32 all of them would take twice the memory
        found = torch.cdist(wanted, rows[at : at + 2000].flatten(1).float()).min(1)
        nearest = torch.where(found.values < least, found.indices + at, nearest)
        least = torch.minimum(found.values, least)
    there = same_rows(some, rows[nearest]) & (wanted != 0).any(1)  # nothing tells zeros apart
    return sorted({*nearest[there].tolist()})


def _key(
    model: Any,
    training: Images,
    validation: Images,
    scale: Normalisation,
    image_size: int | None,
    code: Mapping[str, str],
) -> dict[str, Any]:  # decides no number: it tells what does
    """All that decides the numbers, as JSON can say it."""
    return {
        "network": str(model.features),
        "weights": tensors_sha256(model.features.state_dict()),
        "training": fingerprint(training)["pictures"],
        "validation": fingerprint(validation)["pictures"],
        "scale": {name: [*values] for name, values in scale._asdict().items()},
        "image_size": image_size,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),  # these two decide the last digits
        "device": next(model.parameters()).device.type,
        "code": {name: code.get(name) for name in ("convolved", "prepare")},
    }


def _read(path: Path, key: Mapping[str, Any], say: Callable[[str], None]) -> Stored | None:
    """The rows of a file, if it is there and what it should be."""
    if not path.exists():
        return None
    try:
        state, there = load_checkpoint(path, mmap=True)
    except CheckpointError as error:
        why = str(error).removeprefix("checkpoint: ").partition(";")[0]
        say(f"features: {why}; they are computed anew")
        return None
    other = next(differences(there, key), None)
    if other is not None:
        say(f"features: {path} is of something else ({other}); they are computed anew")
        return None
    return Stored(**state)


def _check_space(
    path: Path, parts: Mapping[str, Tensor], row: Tensor
) -> None:  # decides no number: it refuses
    """Raise where the disk is too full: told before the computation, not after it."""
    needed = sum(map(len, parts.values())) * row.nbytes + SPARE
    path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise OSError(
            f"features: expected {needed / 1e6:,.0f} MB of free space for {path}, "
            f"got {free / 1e6:,.0f} MB"
        )


def _computed(
    model: Any,
    parts: Mapping[str, Tensor],
    scale: Normalisation,
    image_size: int | None,
    say: Callable[[str], None],
) -> dict[str, Tensor]:
    """The features of each part's pictures; tells how far it is."""
    total, done = sum(map(len, parts.values())), 0
    began = told = time.perf_counter()
    say(f"{total:,} pictures pass the convolutions, once")
    found: dict[str, Tensor] = {}
    for name, pictures in parts.items():
        for at in range(0, len(pictures), PART):
            made = convolved(model, pictures[at : at + PART], scale, image_size)
            if not made.isfinite().all():
                raise FloatingPointError(
                    f"features: expected numbers that 16 bits can hold, got others for one of the "
                    f"{name} pictures {at} to {at + len(made) - 1}"
                )
            if at == 0:
                found[name] = torch.empty(len(pictures), *made.shape[1:], dtype=made.dtype)
            found[name][at : at + PART] = made
            done, now = done + len(made), time.perf_counter()
            if now - told >= EVERY or done == total:
                told, rate = now, done / (now - began)
                left = datetime.timedelta(seconds=round((total - done) / rate))
                say(f"{done:,} of {total:,} pictures  {rate:,.0f} images/s  {left} left")
    return found
