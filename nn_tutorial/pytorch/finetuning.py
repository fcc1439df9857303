"""Fine-tune AlexNet by a recipe: which layers learn from when on, at which rate, on what pictures.

A plain loop on one device. While the convolutions are frozen every picture passes them once, and
the classifier learns on their stored outputs.
"""

import math
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .networks import alexnet
from .training import Images, Normalisation, Stored

CONVOLUTIONS = ("0", "3", "6", "8", "10")  # the layers of AlexNet's features that have weights
IMAGENET = Normalisation([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
WATCHED = 10_000  # training pictures on which the loss is also measured in evaluation mode
BORDER = 4  # pixels added on each side before a crop


@dataclass(frozen=True)
class Recipe:
    """How a network learns, from its first weights to its last.

    Attributes
    ----------
    epochs, batch_size : int
    rate : float
        Adam's learning rate of the classifier once the convolutions learn too, and of all of them
        if ``backbone`` and ``decay`` are 1.
    backbone : float
        Factor on that rate for the convolutions.
    decay : float
        A further factor for every step from the last convolution to the first.
    head_epochs : int
        So many epochs at the beginning train the classifier alone; ``epochs`` for a frozen run.
    head_rate : float
        Adam's learning rate during those.
    gradual : bool
        Whether one more convolution learns with each epoch after those, from the last to the
        first; else all do at once.
    linear : bool
        Whether the classifier is one linear layer, 9216 → classes; else three,
        9216 → 4096 → 1024 → classes.
    dropout : float
        Probability of dropping before the first two of three linear layers.
    augment : bool
        Whether pictures are mirrored with probability ½ and shifted by up to ``BORDER`` pixels,
        once the convolutions learn.
    cosine : bool
        Whether the rates fall to 0 along half a cosine over the epochs after ``head_epochs``.
    pretrained : bool
        Whether the convolutions begin with given weights; else with PyTorch's random ones.
    own_statistics : bool
        Whether pixels are normalised with the training pictures' statistics; else ImageNet's.
    image_size : int
        Height and width in pixels to which the pictures are resized.
    images : int or None
        How many pictures train, the classes in equal shares; ``None`` for all.
    measure_every : int
        Epochs from one measurement in evaluation mode to the next; the last is always measured.
    """

    epochs: int = 5
    batch_size: int = 256
    rate: float = 1e-3
    backbone: float = 1.0
    decay: float = 1.0
    head_epochs: int = 0
    head_rate: float = 1e-3
    gradual: bool = False
    linear: bool = False
    dropout: float = 0.5
    augment: bool = False
    cosine: bool = False
    pretrained: bool = True
    own_statistics: bool = False
    image_size: int = 224
    images: int | None = None
    measure_every: int = 1

    @property
    def frozen(self) -> bool:
        """Whether the convolutions never learn."""
        return self.head_epochs >= self.epochs

    def learning(self, epoch: int) -> int:
        """Return how many convolutions learn in an epoch (from 0), counted from the last."""
        after = epoch - self.head_epochs
        if after < 0:
            return 0
        return min(after + 1, len(CONVOLUTIONS)) if self.gradual else len(CONVOLUTIONS)


class Outcome(NamedTuple):
    """What came of a training: the network, and one entry per epoch.

    Attributes
    ----------
    model : Module
    epochs : list of dict
        ``train_loss`` (nats) and ``train_accuracy`` as they were during the epoch, with dropout;
        ``fit_loss`` and ``fit_accuracy`` on ``WATCHED`` of the same pictures after it, in
        evaluation mode; ``val_loss`` and ``val_accuracy`` likewise on the validation pictures (in
        the epochs that are measured); ``seconds``, without these measurements.
    """

    model: nn.Module
    epochs: list[dict[str, float]]


def network(recipe: Recipe, features: dict[str, Tensor], *, n_classes: int, seed: int) -> Any:
    """Return AlexNet with the classifier of a recipe.

    Parameters
    ----------
    recipe : Recipe
    features : dict of str to Tensor
        Weights of the convolutions, for a recipe that is ``pretrained``.
    n_classes : int
        The output is (N, n_classes) logits.
    seed : int
        Of the first weights that are not given.
    """
    model = alexnet(n_classes=n_classes, freeze=False, dropout=recipe.dropout, seed=seed)
    if recipe.linear:
        torch.manual_seed(seed)
        model.classifier = nn.Linear(256 * 6 * 6, n_classes)
    if recipe.pretrained:
        model.features.load_state_dict(features)
    return model


def pixels(x: Tensor, scale: Normalisation, size: int) -> Tensor:
    """Return bytes as floats: from 0 to 1, normalised, resized, with the channels last in memory.

    Parameters
    ----------
    x : Tensor of uint8, (N, C, H, W)
    scale : Normalisation
    size : int
        Height and width of what is returned.
    """
    mean, std = (torch.tensor(v, device=x.device)[:, None, None] for v in scale)
    # Normalised while they are small: to resize is to take means, so the order does not matter.
    small = ((x.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
    if small.shape[-2:] == (size, size):
        return small
    smaller = size < small.shape[-1]
    return functional.interpolate(small, size=(size, size), mode="bilinear", antialias=smaller)


def stored(model: Any, pictures: Tensor, scale: Normalisation, size: int) -> Tensor:
    """Return what the convolutions make of pictures, (N, 9216), as float16.

    Parameters
    ----------
    model : Module
        An AlexNet; is in evaluation mode afterwards.
    pictures : Tensor of uint8, (N, 3, H, W)
        On the model's device.
    scale : Normalisation
    size : int
        Height and width to which the pictures are resized.
    """
    model.eval()
    with torch.inference_mode():
        parts = [
            model.avgpool(model.features(pixels(part, scale, size))).flatten(1).half()
            for part in torch.split(pictures, 500)
        ]
    return torch.cat(parts).clone()


def fine_tune(
    model: Any,
    recipe: Recipe,
    training: Images,
    validation: Images,
    *,
    scale: Normalisation,
    seed: int,
    kept: Stored | None = None,
    precision: Callable[[], AbstractContextManager[Any]],
) -> Outcome:
    """Train a network by a recipe, with Adam and cross-entropy.

    Parameters
    ----------
    model : Module
        From ``network``; trained in place, on the device that it is on.
    recipe : Recipe
    training, validation : Images
        On the same device.
    scale : Normalisation
        Of the pixels.
    seed : int
        Of order, dropout, mirroring and shifts.
    kept : Stored, optional
        The convolutions' outputs for both sets, by the first weights; made here if left out and
        needed.
    precision : callable
        Gives the context of each forward pass, for example ``torch.autocast`` or ``nullcontext``.

    Returns
    -------
    Outcome

    Raises
    ------
    FloatingPointError
        If a loss is not finite.
    """
    size = recipe.image_size
    if recipe.head_epochs > 0 and kept is None:
        kept = Stored(*(stored(model, part.x, scale, size) for part in (training, validation)))
    optimizer = _optimizer(model, recipe)
    epochs: list[dict[str, float]] = []
    for epoch in range(recipe.epochs):
        learning = recipe.learning(epoch)
        for depth, name in enumerate(reversed(CONVOLUTIONS)):
            model.features.get_submodule(name).requires_grad_(depth < learning)
        inputs = kept if learning == 0 else None
        began = time.perf_counter()
        entry = _epoch(
            model, optimizer, recipe, training, epoch,
            kept=None if inputs is None else inputs.training,
            scale=scale, seed=seed, precision=precision,
        )  # fmt: skip
        epochs.append(entry | {"seconds": time.perf_counter() - began})
        if (recipe.epochs - 1 - epoch) % recipe.measure_every == 0:
            for name, images, outputs in (
                ("fit", training, inputs and inputs.training),
                ("val", validation, inputs and inputs.validation),
            ):
                some = slice(0, WATCHED) if name == "fit" else slice(None)
                logits = answers(
                    model, images.x[some], scale, size,
                    precision=precision, kept=None if outputs is None else outputs[some],
                )  # fmt: skip
                right = logits.argmax(1) == images.y[some]
                loss = functional.cross_entropy(logits, images.y[some])
                epochs[-1][f"{name}_loss"] = float(loss)
                epochs[-1][f"{name}_accuracy"] = float(right.float().mean())
    return Outcome(model, epochs)


def _epoch(
    model: Any,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    training: Images,
    epoch: int,
    *,
    kept: Tensor | None,
    scale: Normalisation,
    seed: int,
    precision: Callable[[], AbstractContextManager[Any]],
) -> dict[str, float]:
    """One pass over the pictures, or over the convolutions' outputs: its loss and accuracy."""
    order = torch.randperm(len(training.y), generator=_generator(seed, epoch))
    order = order.to(training.y.device)
    total = torch.zeros(2, device=training.y.device)
    steps = -(-len(training.y) // recipe.batch_size)
    model.train()
    for step in range(steps):
        _set_rates(optimizer, recipe, epoch, step / steps)
        torch.manual_seed(_number(seed, epoch, step))  # for dropout
        rows = order[step * recipe.batch_size :][: recipe.batch_size]
        if kept is not None:
            x, part = kept[rows].float(), model.classifier
        else:
            x, part = training.x[rows], model
            x = _augmented(x, _generator(seed, epoch, step)) if recipe.augment else x
            x = pixels(x, scale, recipe.image_size)
        with precision():
            logits = part(x).float()
        loss = functional.cross_entropy(logits, training.y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right = (logits.detach().argmax(1) == training.y[rows]).sum()
        total += torch.stack([loss.detach() * len(rows), right])
    loss_sum, right_sum = total.tolist()  # waits for the device
    if not math.isfinite(loss_sum):
        raise FloatingPointError(f"the loss is {loss_sum} in epoch {epoch + 1}: a lower rate?")
    n = len(training.y)
    return {"train_loss": loss_sum / n, "train_accuracy": right_sum / n}


def answers(
    model: Any,
    pictures: Tensor,
    scale: Normalisation,
    size: int,
    *,
    precision: Callable[[], AbstractContextManager[Any]],
    kept: Tensor | None = None,
) -> Tensor:
    """Return the logits of pictures, (N, classes), in evaluation mode.

    Parameters
    ----------
    model : Module
        Is in evaluation mode afterwards.
    pictures : Tensor of uint8, (N, 3, H, W)
    scale, size
        As in training.
    precision : callable
        See ``fine_tune``.
    kept : Tensor, optional
        What the model's convolutions make of these pictures, if that is known.
    """
    model.eval()
    whole, part = (kept, model.classifier) if kept is not None else (pictures, model)
    found = []
    with torch.inference_mode(), precision():
        for x in torch.split(whole, 500):
            found.append(part(x.float() if kept is not None else pixels(x, scale, size)).float())
    return torch.cat(found)


def trainable(recipe: Recipe, model: Any) -> int:
    """Return how many numbers a recipe trains, in all of its epochs together."""
    chosen = model.classifier if recipe.frozen else model
    return sum(p.numel() for p in chosen.parameters())


def _optimizer(model: Any, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam with a group for the classifier and one for each convolution, the last first."""
    groups = [{"params": list(model.classifier.parameters()), "share": 1.0}]
    for depth, name in enumerate(reversed(CONVOLUTIONS)):
        layer = model.features.get_submodule(name)
        share = recipe.backbone * recipe.decay**depth
        groups.append({"params": list(layer.parameters()), "share": share})
    return torch.optim.Adam(groups, lr=recipe.rate, fused=True)


def _set_rates(optimizer: torch.optim.Optimizer, recipe: Recipe, epoch: int, done: float) -> None:
    """Give each group its rate for this step; ``done`` is the part of the epoch that is over."""
    rate = recipe.head_rate if epoch < recipe.head_epochs else recipe.rate
    if recipe.cosine and epoch >= recipe.head_epochs:
        rest = recipe.epochs - recipe.head_epochs
        rate *= (1 + math.cos(math.pi * (epoch - recipe.head_epochs + done) / rest)) / 2
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def _augmented(x: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (N, C, H, W), each shifted by up to ``BORDER`` pixels and perhaps mirrored."""
    n, _, height, width = x.shape
    drawn = torch.randint(2 * BORDER + 1, (2, n), generator=generator)
    mirrored = torch.rand(n, generator=generator) < 0.5
    rows = drawn[0, :, None] + torch.arange(height)
    columns = drawn[1, :, None] + torch.arange(width)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    padded = functional.pad(x, (BORDER, BORDER, BORDER, BORDER))
    at = torch.arange(n)[:, None, None]
    picked = padded.permute(0, 2, 3, 1)[
        at.to(x.device), rows[:, :, None].to(x.device), columns[:, None, :].to(x.device)
    ]
    return picked.permute(0, 3, 1, 2)


def _number(*parts: int) -> int:
    """A seed that follows from several numbers, the same in each process."""
    return random.Random(repr(parts)).getrandbits(62)


def _generator(*parts: int) -> torch.Generator:
    return torch.Generator().manual_seed(_number(*parts))
