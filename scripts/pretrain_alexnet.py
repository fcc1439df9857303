"""Pretrain AlexNet's convolutions on a folder of images, for where ImageNet's weights are not.

The convolutions get a light head: the average of each of their 256 channels, and one linear
layer. Interrupted, it goes on where it was when started again. The record lies in runs/; with
--publish also among those that the pages draw.

examples:
  on a folder that has train/<class>/*.jpg in it:
    python scripts/pretrain_alexnet.py --data images --name mine
  briefly and on small pictures, to try it; then train_transfer.py begins with what came out:
    python scripts/pretrain_alexnet.py --data images.zip --epochs 1 --out mine.pt
    python scripts/train_transfer.py --weights file --backbone mine.pt
"""

import argparse
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import nn

from nn_tutorial.command_line import settle_streams
from nn_tutorial.data import data_folder, stratified_split
from nn_tutorial.data.image_folder import image_part
from nn_tutorial.files import check_folder
from nn_tutorial.pytorch import runs
from nn_tutorial.pytorch.audit import fingerprints
from nn_tutorial.pytorch.networks import count_parameters
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import Images, Plan, normalisation, train
from nn_tutorial.pytorch.weights import save_backbone

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = runs.parser(
        __file__, __doc__, home=ROOT, name="alexnet-pretrained", epochs=20, batch_size=256, lr=0.001
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="a folder or zip with train/<class>/*.jpg")
    add("--source", help="how a caption names these images, else as the file")
    add("--validation", type=float, default=0.1, help="share of the images that do not train")
    add("--image-size", type=int, default=64, help="height and width, at least 63 pixels")
    add("--out", type=Path, metavar="FILE", help="else weights/NAME.pt in the data folder")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train, write backbone and record; see ``runs.main`` for the exit status."""
    return runs.main(arguments(), run, argv)


def run(chosen: argparse.Namespace, among: Processes) -> None:
    """Train, write backbone and record."""
    plan = Plan(
        epochs=chosen.epochs, batch_size=chosen.batch_size, lr=chosen.lr, seed=chosen.seed,
        cosine=True, flip=True, image_size=chosen.image_size,
    )  # fmt: skip
    out = chosen.out or data_folder(chosen.root) / "weights" / f"{chosen.name}.pt"
    check_folder(out.parent, "--out")
    if out.is_dir():
        raise ValueError(f"--out: expected a file, {out} is a folder")
    if not 0 < chosen.validation < 1:
        raise ValueError(f"--validation: expected above 0 and below 1, got {chosen.validation}")
    part = image_part(chosen.data)
    x, y = once_each(Images(torch.from_numpy(part.x), torch.from_numpy(part.y)))
    count = round(len(y) * chosen.validation)
    sizes = (len(y) - count, count)
    kept, held = stratified_split(y.numpy(), sizes, rng=np.random.default_rng(plan.seed))
    training, validation = Images(x[kept], y[kept]), Images(x[held], y[held])
    scale = normalisation(training.x)
    model = light_alexnet(n_classes=len(part.class_names), seed=plan.seed)
    checkpoint = runs.checkpoint_of(chosen)
    epochs = train(
        model, training, validation, plan,
        scale=scale, among=among, checkpoint=checkpoint, recipe=runs.recipe(chosen),
        progress=runs.say,
    )  # fmt: skip
    if among.rank > 0:
        return
    source = chosen.source or part.name
    sha256 = save_backbone(
        model.features, out,
        source=source, source_sha256=part.sha256, image_size=chosen.image_size,
        epochs=plan.epochs, accuracy=epochs[-1]["val_accuracy"],
    )  # fmt: skip
    runs.say(f"backbone {out}, SHA-256 of its tensors {sha256}")
    data = runs.described(source, part.sha256, "seeded", sizes, scale)
    runs.finish(
        chosen, among, checkpoint,
        plan=plan,
        network={"classes": len(part.class_names), "parameters": count_parameters(model)},
        data=data | {"source": part.source},
        weights="random",
        epochs=epochs,
        test=None,
        backbone_sha256=sha256,
    )  # fmt: skip


def once_each(images: Images) -> Images:
    """Return the images without copies, so that none can train and validate.

    CIFAR-100 has a few, some of them in two classes; the first stays.

    Parameters
    ----------
    images : Images
    """
    first: dict[bytes, int] = {}
    for i, content in enumerate(fingerprints(images.x)):
        first.setdefault(content, i)
    rows = torch.tensor(list(first.values()))
    return Images(images.x[rows], images.y[rows])


def light_alexnet(*, n_classes: int, seed: int = 0) -> Any:
    """Return AlexNet's ``features`` with the average of each channel and a linear layer.

    Parameters
    ----------
    n_classes : int
        The output is (N, n_classes) logits.
    seed : int
        Of the first weights, which are PyTorch's.
    """
    torch.manual_seed(seed)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        features=torchvision.models.alexnet(weights=None).features,
        average=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        head=nn.Linear(256, n_classes),
    )
    return nn.Sequential(layers)


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
