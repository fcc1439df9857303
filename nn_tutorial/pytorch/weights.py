"""Where the weights of a backbone come from, and which they are."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import AlexNet_Weights

from ..data.folder import DataDamagedError, DataNotFoundError, data_folder
from ..files import write_named

ORIGINS = ("imagenet", "file", "random")
URL: str = AlexNet_Weights.IMAGENET1K_V1.url  # its name ends in the first digits of its SHA-256
# Of the convolutions' tensors, named as in torchvision's file without "features.": a file of these
# alone is as good as the whole one, of which nothing else is used, and its format does not matter.
FEATURES = "352a51a15d9dffcb41149facf68cf14d8c289e4d0a0a971d1452ca0b6ad5827f"
FEATURES_FILE = "alexnet-imagenet-features.pth"
PRETRAIN = "'python scripts/pretrain_alexnet.py' makes a backbone of your own, for the origin file"


class Backbone(NamedTuple):
    """Which weights the convolutions of a network hold.

    Attributes
    ----------
    origin : str
        One of ``ORIGINS``.
    text : str
        What a caption says of them.
    sha256 : str
        Of the tensors, from [`tensors_sha256`][nn_tutorial.pytorch.weights.tensors_sha256].
    """

    origin: str
    text: str
    sha256: str


def load_backbone(
    model: Any, origin: str, path: Path | None = None, *, root: Path | None = None
) -> Backbone:
    """Give the convolutions of an AlexNet their first weights.

    Parameters
    ----------
    model : Module
        Its ``features`` are filled, in place; which of them ask for a gradient stays as it is.
    origin : str
        ``"imagenet"``: torchvision's ``AlexNet_Weights.IMAGENET1K_V1``, its file or one of its
        ``features`` alone (``FEATURES_FILE``), as ``.pth`` or as ``.safetensors``. Each is looked
        for in the data folder and its folder ``weights``; torchvision's is fetched if none is
        there. All must have the tensors whose hash is ``FEATURES``. ``"file"``: what
        ``save_backbone`` wrote. ``"random"``: those that the model has.
    path : Path, optional
        The file; for ``"imagenet"``, one of these, if it lies elsewhere.
    root : Path, optional
        The data folder; see [`data_folder`][nn_tutorial.data.data_folder].

    Returns
    -------
    Backbone

    Raises
    ------
    DataNotFoundError
        If the file is not there, or could not be fetched.
    DataDamagedError
        If it is not what its checksum says, or its tensors are not those of this model.
    ValueError
        If the origin is unknown, or does not go with the path.

    Each is raised before the model is changed.

    Notes
    -----
    ImageNet's weights have seen pixels normalised with ImageNet's statistics. Here they meet
    those of the training images, as all other weights do.
    """
    if origin not in ORIGINS:
        raise ValueError(f"origin: expected one of {', '.join(ORIGINS)}, got {origin!r}")
    if origin == "random" and path is not None:
        raise ValueError(f"path: expected none for random weights, got {path}")
    if origin == "file" and path is None:
        raise ValueError(f"path: expected the file of a backbone, got none; {PRETRAIN}")
    if origin == "random":
        return Backbone(origin, "random weights", tensors_sha256(model.features.state_dict()))
    if origin == "imagenet":
        path = _imagenet(path, root)
        tensors = _features(path, model.features)
        text = "torchvision's ImageNet weights (IMAGENET1K_V1)"
    else:
        assert path is not None
        tensors, about = read_backbone(path)
        text = (
            f"weights pretrained on {about['source']} ({about['epochs']} epochs, "
            f"{about['accuracy']:.1%} of its validation images right)"
        )
    _check_shapes(tensors, model.features, path)
    model.features.load_state_dict(tensors)
    return Backbone(origin, text, tensors_sha256(model.features.state_dict()))


def save_backbone(
    features: nn.Module,
    path: Path,
    *,
    source: str,
    source_sha256: str,
    image_size: int,
    epochs: int,
    accuracy: float,
) -> str:
    """Write pretrained convolutions, and what they are, as one file, whole or not at all.

    Parameters
    ----------
    features : Module
    path : Path
        Its folder is made if it is not there.
    source : str
        The data set they were trained on, as a caption names it.
    source_sha256 : str
        Of that data set.
    image_size : int
        Height and width in pixels of what they were shown.
    epochs : int
    accuracy : float
        On that data set's validation images, from 0 to 1.

    Returns
    -------
    str
        The SHA-256 of the tensors.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    tensors = {name: value.detach().cpu() for name, value in features.state_dict().items()}
    sha256 = tensors_sha256(tensors)
    about = {
        "source": source, "source_sha256": source_sha256, "image_size": image_size,
        "epochs": epochs, "accuracy": accuracy, "sha256": sha256,
    }  # fmt: skip
    with write_named(path, "backbone") as beside:
        torch.save({"features": tensors, "about": about}, beside)
    return sha256


def read_backbone(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a file from ``save_backbone``, and what it says of them.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataNotFoundError
        If it is not there.
    DataDamagedError
        If it is none, or its tensors are not those that it was written with.
    """
    if not path.is_file():
        raise DataNotFoundError(f"path: expected a backbone, {path} is not there; {PRETRAIN}")
    found = _load(path)
    if found.keys() != {"features", "about"}:
        raise DataDamagedError(
            f"{path}: expected a backbone's 'features' and 'about', got "
            f"{', '.join(map(repr, found))}; {PRETRAIN}"
        )
    tensors, about = found["features"], found["about"]
    sha256 = tensors_sha256(tensors)
    if sha256 != about["sha256"]:
        raise DataDamagedError(
            f"{path}: expected tensors of SHA-256 {about['sha256'][:12]}, got {sha256[:12]}. "
            "Copy the file again."
        )
    return tensors, about


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors: their names, types, shapes and bytes, in the names' order.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        On any device.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.numpy().data)
    return digest.hexdigest()


def imagenet_places(root: Path | None = None) -> list[Path]:
    """Return where ImageNet's weights are looked for, in this order.

    Parameters
    ----------
    root : Path, optional
        The data folder; see [`data_folder`][nn_tutorial.data.data_folder].
    """
    home = data_folder(root)
    names = [Path(name) for name in (Path(URL).name, FEATURES_FILE)]
    files = [file for name in names for file in (name, name.with_suffix(".safetensors"))]
    return [folder / file for file in files for folder in (home / "weights", home)]


def _imagenet(path: Path | None, root: Path | None) -> Path:
    """Where ImageNet's weights are, fetched if need be."""
    name = Path(URL).name
    if path is None:
        found = next((place for place in imagenet_places(root) if place.exists()), None)
        folder = data_folder(root) / "weights"
        if found is None:
            _fetch(folder)
        return found or folder / name
    if not path.is_file():
        raise DataNotFoundError(f"path: expected {name} or {FEATURES_FILE}, {path} is not there")
    return path


def _features(path: Path, features: nn.Module) -> dict[str, Tensor]:
    """The tensors of ImageNet's convolutions in a file; raise unless they are the right ones."""
    tensors = {}
    for name, value in _load(path).items():
        match = re.fullmatch(r"(?:features\.)?(\d+\.\w+)", str(name))
        if match and isinstance(value, Tensor):
            tensors[match[1]] = value
    sha256 = tensors_sha256(tensors) if tensors else "no tensor named features.…"
    if sha256 != FEATURES:
        missing = sorted(features.state_dict().keys() - tensors.keys())
        why = f" ({', '.join(missing)} missing)" if tensors and missing else ""
        raise DataDamagedError(
            f"{path}: expected ImageNet's features, whose tensors have SHA-256 {FEATURES[:12]}, "
            f"got {sha256[:12] if tensors else sha256}{why}. Remove it and fetch {URL} again."
        )
    return tensors


def _fetch(folder: Path) -> None:
    try:
        torch.hub.load_state_dict_from_url(
            URL, str(folder), map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except RuntimeError as error:  # the hash
        raise DataDamagedError(f"{URL}: {error}. Run the command again.") from error
    except OSError as error:
        raise DataNotFoundError(
            f"ImageNet's weights could not be fetched from {URL} into {folder}: {error}. "
            f"Fetch the file where there is a network, and name it. Or do without: {PRETRAIN}."
        ) from error


def _load(path: Path) -> dict[str, Any]:
    safe = path.suffix == ".safetensors"
    try:
        found = load_file(path) if safe else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on bytes that are no pickle it fails in many ways
        kind = "safetensors" if safe else "PyTorch's"
        raise DataDamagedError(
            f"{path}: expected a file of {kind} that can be read whole, got "
            f"{type(error).__name__}. Copy or fetch it again."
        ) from error
    if not isinstance(found, dict):
        raise DataDamagedError(f"{path}: expected tensors with names, got {type(found).__name__}")
    return found


def _check_shapes(tensors: Mapping[str, Tensor], features: nn.Module, path: Path) -> None:
    wanted = {name: tuple(value.shape) for name, value in features.state_dict().items()}
    got = {name: tuple(value.shape) for name, value in tensors.items()}
    for name in sorted(wanted.keys() | got.keys()):
        if wanted.get(name) != got.get(name):
            raise DataDamagedError(
                f"{path}: expected the features of this network, {name} of shape "
                f"{wanted.get(name)}, got {got.get(name)}"
            )
