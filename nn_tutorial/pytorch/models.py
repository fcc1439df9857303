"""A trained classifier in one file: its tensors, and all that is needed to ask it again.

The file is a ``.safetensors``, which holds numbers and no code. Its metadata say which network it
is, what its answers mean, and how pictures were prepared.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..data.folder import DataDamagedError, DataNotFoundError
from ..files import write_named
from .networks import alexnet, fashion_cnn
from .training import Normalisation, prepare
from .weights import tensors_sha256

NETWORKS: dict[str, Callable[..., Any]] = {"alexnet": alexnet, "fashion_cnn": fashion_cnn}
KEY = "nn_tutorial"  # of our entry in the metadata


@dataclass(frozen=True)
class About:  # decides no number: it says what was decided
    """What a trained classifier is.

    Attributes
    ----------
    network : str
        One of ``NETWORKS``.
    options : dict
        Its arguments.
    class_names : tuple of str
        In the order of its answers.
    side : int
        Height and width in pixels of the pictures as they were stored.
    image_size : int or None
        Height and width to which they were resized, as in [`Plan`][nn_tutorial.pytorch.training].
    scale : Normalisation
        A mean for each channel: one for grey pictures, three for RGB.
    source : str
        What it learned from, as a caption says it.
    """

    network: str
    options: dict[str, Any]
    class_names: tuple[str, ...]
    side: int
    image_size: int | None
    scale: Normalisation
    source: str


def save_model(
    model: nn.Module, path: Path, about: About
) -> str:  # decides no number: it writes what was trained
    """Write a trained classifier as one file, whole or not at all.

    Parameters
    ----------
    model : Module
    path : Path
        In ``.safetensors``; its folder is made if it is not there.
    about : About

    Returns
    -------
    str
        The SHA-256 of tensors and words together.

    Raises
    ------
    ValueError
        If a tensor is not finite.
    OSError
        If it cannot be written; an older file is still there then.
    """
    tensors = {n: v.detach().cpu().contiguous() for n, v in model.state_dict().items()}
    for name, value in tensors.items():
        if not value.isfinite().all():
            raise ValueError(f"model: expected finite numbers, {name} has others")
    words = asdict(about)
    sha256 = _sha256(words, tensors)
    with write_named(path, "model") as beside:
        try:
            save_file(tensors, beside, {KEY: json.dumps(words | {"sha256": sha256})})
        except SafetensorError as error:  # of a full disk too
            raise OSError(str(error)) from error
    return sha256


def load_model(path: Path) -> tuple[nn.Module, About]:
    """Return a trained classifier in evaluation mode, and what it is.

    Parameters
    ----------
    path : Path
        From ``save_model``.

    Raises
    ------
    DataNotFoundError
        If it is not there.
    DataDamagedError
        If it is no such file, or its tensors are not those that it was written with.
    """
    if not path.is_file():
        raise DataNotFoundError(f"path: expected a trained model, {path} is not there")
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(KEY)
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise DataDamagedError(
            f"{path}: expected a safetensors file that can be read whole, got {error}. "
            "Copy it again."
        ) from error
    if text is None:
        raise DataDamagedError(
            f"{path}: expected a model that a script of this project saved, got tensors without "
            "a word on network and classes"
        )
    return _network(path, text, tensors)


def _sha256(words: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    content = json.dumps(words, sort_keys=True) + tensors_sha256(tensors)
    return hashlib.sha256(content.encode()).hexdigest()


def _network(path: Path, text: str, tensors: dict[str, Tensor]) -> tuple[nn.Module, About]:
    try:
        words = json.loads(text)
        sha256 = words.pop("sha256")
        found = _sha256(words, tensors)
        scale, names = Normalisation(*words.pop("scale")), tuple(words.pop("class_names"))
        about = About(**words, scale=scale, class_names=names)
        if found != sha256:
            raise ValueError(f"tensors and words of SHA-256 {found[:12]}, not {sha256[:12]}")
        model: nn.Module = NETWORKS[about.network](**about.options)
        model.load_state_dict(tensors)
    except Exception as error:  # other words, other tensors, no words
        raise DataDamagedError(
            f"{path}: expected {' or '.join(NETWORKS)} as it was saved, got "
            f"{type(error).__name__}: {' '.join(str(error).split())}. Copy it again."
        ) from error
    return model.eval(), about


def probabilities(model: nn.Module, about: About, pictures: Tensor) -> Tensor:
    """Return how likely each class is, by the network.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    about : About
    pictures : Tensor of uint8, (N, 3, side, side)
        Grey where the network has one channel: then their luminance is taken.

    Returns
    -------
    Tensor, (N, C)
        Each row sums to 1.
    """
    x = pictures.to(next(model.parameters()).device)
    if len(about.scale.mean) == 1:
        weights = torch.tensor([0.299, 0.587, 0.114], device=x.device)[:, None, None]
        x = (x * weights).sum(1, keepdim=True).round().to(torch.uint8)
    with torch.inference_mode():
        return model(prepare(x, about.scale, about.image_size)).softmax(1)
