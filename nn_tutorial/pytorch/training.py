"""Train a PyTorch classifier so that nothing is lost and everything can be repeated.

Every random number of a step (order of the images, flips, moves, mixtures, dropout) follows from
the seed, the epoch and the step. So a training that goes on after an interruption, and one over
several processes, take the same steps as one that does neither.
"""

import datetime
import hashlib
import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from ..training.schedules import one_cycle
from .checkpoints import check_same, load_checkpoint, save_checkpoint
from .modules import set_share
from .processes import Processes

Epoch = dict[str, float]
EVERY = 10.0  # decides no number: seconds from one word on the progress of an epoch to the next


class Interrupted(Exception):  # noqa: N818 (not an error: the training can go on)
    """The training was asked to stop, and what it had done is in the checkpoint."""


class Images(NamedTuple):
    """Images as bytes, (N, C, H, W), and their classes, (N,)."""

    x: Tensor
    y: Tensor


class Stored(NamedTuple):
    """Outputs of frozen convolutions as float16, (N, …), for training and validation pictures."""

    training: Tensor
    validation: Tensor


@dataclass(frozen=True)
class Plan:
    """All that decides a training, beside the network and the data.

    Attributes
    ----------
    epochs, batch_size : int
        The batch is that of all processes together.
    lr : float
        Of Adam, whose first step moves every weight by so much: at most 1.
    seed : int
        Of the order of the images, and of all that is drawn in a step.
    weight_decay : float
        λ, added to the gradient.
    cosine : bool
        Whether the learning rate falls to 0 along half a cosine; else it stays.
    one_cycle : bool
        Whether it rises from lr/25 to lr in the first 30% of the steps and then falls to almost
        nothing, see [`one_cycle`][nn_tutorial.one_cycle]; not together with ``cosine``.
    flip : bool
        Whether each image is mirrored with probability ½.
    shift : int
        Each image is moved by up to so many of its pixels, down or up and right or left; each
        move is as likely as another. Black comes in at the edge. A random crop of an image with a
        black border of this width is the same.
    mixup : float
        α; 0 mixes nothing. Else each step draws λ from Beta(α, α), and trains with
        λx + (1 − λ)x′ in place of each image x, where x′ is another one of the batch, and with
        λL(t) + (1 − λ)L(t′), the loss mixed alike (Zhang and others 2018, mixup: beyond empirical
        risk minimization, ICLR).
    image_size : int or None
        Height and width to which the images are stretched; ``None`` leaves them as they are.
    """

    epochs: int
    batch_size: int
    lr: float
    seed: int = 0
    weight_decay: float = 0.0
    cosine: bool = False
    one_cycle: bool = False
    flip: bool = False
    shift: int = 0
    mixup: float = 0.0
    image_size: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"epochs, batch_size: expected at least 1, got {self.epochs} and {self.batch_size}"
            )
        if not 0 < self.lr <= 1:
            raise ValueError(f"lr: expected a number above 0 and at most 1, got {self.lr}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay: expected at least 0, got {self.weight_decay}")
        if self.one_cycle and self.cosine:
            raise ValueError("one_cycle: expected no other schedule beside it, got cosine too")
        if not (isinstance(self.shift, int) and self.shift >= 0):
            raise ValueError(f"shift: expected a whole number of at least 0, got {self.shift}")
        if not 0 <= self.mixup < math.inf:
            raise ValueError(f"mixup: expected a finite number of at least 0, got {self.mixup}")
        if self.image_size is not None and self.image_size < 1:
            raise ValueError(f"image_size: expected at least 1, got {self.image_size}")


class Normalisation(NamedTuple):
    """Mean and standard deviation of each channel, of pixels from 0 to 1."""

    mean: list[float]
    std: list[float]


def normalisation(x: Tensor) -> Normalisation:
    """Return the statistics of the training images, and of no others.

    Parameters
    ----------
    x : Tensor of uint8, (N, C, H, W)
    """
    # From the histogram of each channel: exact, and no float copy of all images is made.
    levels = torch.arange(256, dtype=torch.float64) / 255
    mean, std = [], []
    for c in range(x.shape[1]):
        share = torch.bincount(x[:, c].flatten(), minlength=256).double() / x[:, c].numel()
        mean.append(float(levels @ share))
        std.append(float((((levels - mean[-1]) ** 2) @ share).sqrt()))
    return Normalisation(mean, std)


def prepare(x: Tensor, scale: Normalisation, image_size: int | None = None) -> Tensor:
    """Return bytes as floats: from 0 to 1, resized, normalised.

    Parameters
    ----------
    x : Tensor of uint8, (N, C, H, W)
    scale : Normalisation
    image_size : int or None
    """
    pixels = x.float() / 255
    if image_size is not None and pixels.shape[-2:] != (image_size, image_size):
        size = (image_size, image_size)
        pixels = functional.interpolate(pixels, size=size, mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v, device=x.device)[:, None, None] for v in scale)
    return (pixels - mean) / std


def train(
    model: nn.Module,
    images: Images,
    validation: Images,
    plan: Plan,
    *,
    scale: Normalisation,
    among: Processes,
    kept: Stored | None = None,
    checkpoint: Path | None = None,
    recipe: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] = lambda _: None,
    after_step: Callable[[int, int], None] = lambda epoch, step: None,
) -> list[Epoch]:
    """Train with Adam and cross-entropy; return one entry per epoch.

    Parameters
    ----------
    model : Module
        Gives (N, C) logits. Parameters that do not require a gradient stay as they are; a module
        none of whose parameters does stays in evaluation mode.
    images, validation : Images
        Every process holds all of them, and takes its share of each batch.
    plan : Plan
    scale : Normalisation
        From [`normalisation`][nn_tutorial.pytorch.training.normalisation].
    among : Processes
    kept : Stored, optional
        What the network's frozen ``features`` make of these pictures, in this order: then they are
        read in the pictures' place, and only what comes after the ``features`` is computed. Two
        things differ from a training without: these numbers have 16 bits, and Adam is PyTorch's
        ``fused``, which is faster and has other last digits.
    checkpoint : Path, optional
        Where the state is kept after each epoch, and at the step at which SIGTERM or SIGINT came.
        If it is there, the training goes on from it, if it is of this one.
    recipe : mapping, optional
        What else decides the numbers, as JSON can say it: options, code. It is kept in the
        checkpoint beside what is known here (see ``training_key``); a training of another one does
        not go on from there.
    progress : callable
        Is told, in process 0, a line after each epoch and at times within one: with the pictures
        per second, and the time that is left.
    after_step : callable
        Is called with epoch and step, from 0, after each step.

    Returns
    -------
    list of dict
        ``train_loss`` (nats) and ``train_accuracy``: means over the epoch's steps, each before
        its change, with dropout; of a mixture the loss is the mixed one, and the class of the
        image with the larger share counts as right; ``val_loss`` and ``val_accuracy`` after the
        epoch, in evaluation; ``seconds``.

    Raises
    ------
    Interrupted
        After SIGTERM or SIGINT, once the checkpoint is written.
    ValueError
        Before the first step: if there are too few pictures for all processes, the network does
        not take them, or it has no answer for one of the labels; if the plan moves pictures out
        of sight, or has too few steps for one cycle; if ``kept`` has another number of rows than
        there are pictures, or goes with a network or plan that changes them.
    CheckpointError
        If the checkpoint is of another training, or damaged; it is left as it is.
    OSError
        If it cannot be written; the one of before is left as it is.
    FloatingPointError
        If the loss of a step, or of the validation pictures, is not finite.
    """
    n, steps = len(images.x), -(-len(images.x) // plan.batch_size)
    _check(model, images, validation, plan, scale, among, kept)
    key = {} if checkpoint is None else training_key(
        model, images, validation, plan, scale=scale, among=among, recipe=recipe, kept=kept
    )  # fmt: skip
    model.to(among.device)
    optimizer = _adam(model, plan, kept)
    state = _State(plan)
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint, key, model, optimizer, among)
    part, images, validation = _what_learns(model, images, validation, kept)
    network: nn.Module = DistributedDataParallel(part) if among.world > 1 else part
    pace = _Pace(state, n, progress if among.rank == 0 else lambda _: None)
    with _signals() as asked_to_stop:
        while state.epoch < plan.epochs:
            order = torch.randperm(n, generator=_generator(plan.seed, state.epoch))
            _training_mode(model)
            began = time.perf_counter()
            while state.step < steps:
                batch = order[state.step * plan.batch_size :][: plan.batch_size]
                _step(network, optimizer, images, batch, state, steps, scale, among)
                after_step(state.epoch, state.step)
                state.step += 1
                if among.sum([float(bool(asked_to_stop))])[0] > 0:
                    state.seconds += time.perf_counter() - began
                    state.save(checkpoint, key, model, optimizer, among)
                    raise Interrupted(f"stopped in epoch {state.epoch + 1} at step {state.step}")
                pace.tell_step()
            epoch = _measured(part, validation, state, scale, among)
            state.seconds += time.perf_counter() - began
            state.history.append(epoch | {"seconds": state.seconds})
            state.next_epoch()
            state.save(checkpoint, key, model, optimizer, among)
            pace.tell_epoch()
    set_share(model, None)
    return state.history


def evaluate(
    model: nn.Module,
    images: Images,
    *,
    scale: Normalisation,
    image_size: int | None = None,
    among: Processes,
    batch_size: int = 500,
) -> tuple[float, float, Tensor]:
    """Return loss (nats), accuracy and the answers, in evaluation mode.

    Parameters
    ----------
    model : Module
        Is in evaluation mode afterwards.
    images : Images
        At least one per process. For a network that reads ``Stored`` rows, these.
    scale, image_size
        As in training.
    among : Processes
        Each takes its share; all get the sums, and each the answers of its own share.
    batch_size : int
    """
    start, stop, total = among.share(len(images.x))
    model.eval()
    loss, right, answers = 0.0, 0.0, []
    with torch.inference_mode():
        for at in range(start, stop, batch_size):
            rows = slice(at, min(at + batch_size, stop))
            labels = images.y[rows].to(among.device)
            logits = model(_inputs(images.x[rows].to(among.device), scale, image_size))
            loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
            answers.append(logits.argmax(1))
            right += float((answers[-1] == labels).sum())
    loss, right = among.sum([loss, right])
    return loss / total, right / total, torch.cat(answers).cpu()


def _inputs(x: Tensor, scale: Normalisation, image_size: int | None) -> Tensor:
    """What a network reads: pictures prepared, or stored rows as they are."""
    return x.float() if x.dtype == torch.float16 else prepare(x, scale, image_size)


def _adam(model: nn.Module, plan: Plan, kept: Stored | None) -> torch.optim.Adam:
    trainable = [p for p in model.parameters() if p.requires_grad]
    fused = None if kept is None else True  # None: PyTorch's choice, which the records were made by
    return torch.optim.Adam(trainable, lr=plan.lr, weight_decay=plan.weight_decay, fused=fused)


def _what_learns(
    model: Any, images: Images, validation: Images, kept: Stored | None
) -> tuple[nn.Module, Images, Images]:
    """A network with its pictures; or what comes after its features, with the stored rows."""
    if kept is None:
        return model, images, validation
    part = nn.Sequential(model.avgpool, nn.Flatten(), model.classifier)  # the model's own tensors
    return part, Images(kept.training, images.y), Images(kept.validation, validation.y)


class _State:
    """Where a training stands."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.epoch, self.step = 0, 0
        self.sums = [0.0, 0.0, 0.0]  # loss, right answers and images of this epoch, this process
        self.seconds = 0.0
        self.history: list[Epoch] = []

    def next_epoch(self) -> None:
        self.epoch, self.step, self.sums, self.seconds = self.epoch + 1, 0, [0.0, 0.0, 0.0], 0.0

    def save(
        self,
        path: Path | None,
        key: Mapping[str, Any],
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        among: Processes,
    ) -> None:
        """Write everything in process 0, which all processes must ask for; nothing without path."""
        if path is None:
            return
        own = [0.0] * (3 * among.rank) + self.sums + [0.0] * (3 * (among.world - 1 - among.rank))
        sums = among.sum(own)
        if among.rank > 0:
            return
        about = {name: value for name, value in vars(self).items() if name != "plan"}
        about["sums"] = [sums[at : at + 3] for at in range(0, len(sums), 3)]
        about |= {"plan": asdict(self.plan), "model": model.state_dict()}
        save_checkpoint(path, about | {"optimizer": optimizer.state_dict()}, key)

    def load(
        self,
        path: Path,
        key: Mapping[str, Any],
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        among: Processes,
    ) -> None:
        found, there = load_checkpoint(path, among.device)
        check_same(path, there, key)
        model.load_state_dict(found["model"])
        optimizer.load_state_dict(found["optimizer"])
        for name in ("epoch", "step", "seconds", "history"):
            setattr(self, name, found[name])
        self.sums = found["sums"][among.rank]


class _Pace:  # decides no number: it looks at a clock
    """Tells how far a training is, how fast, validation included, and how long it still takes.

    Parameters
    ----------
    state : _State
        Where it stands.
    n : int
        Images per epoch.
    tell : callable
        Is told a line after each epoch, and within one if none was told for ``EVERY`` seconds.
    """

    def __init__(self, state: _State, n: int, tell: Callable[[str], None]) -> None:
        self.state, self.n, self.tell = state, n, tell
        self.before, self.began = self._done(), time.perf_counter()
        self.told = self.began

    def tell_step(self) -> None:
        if time.perf_counter() - self.told >= EVERY:
            done = self._done() - self.state.epoch * self.n
            self._say(f"epoch {self.state.epoch + 1}  {done:,} of {self.n:,} images")

    def tell_epoch(self) -> None:
        self._say(_line(self.state.plan, self.state.history))

    def _done(self) -> int:
        state = self.state
        return state.epoch * self.n + min(state.step * state.plan.batch_size, self.n)

    def _say(self, line: str) -> None:
        self.told = time.perf_counter()
        done = self._done()
        if done > self.before:  # else it went on from after the last step of an epoch
            rate = (done - self.before) / (self.told - self.began)
            left = round((self.state.plan.epochs * self.n - done) / rate)
            line += f"  {rate:,.0f} images/s  {datetime.timedelta(seconds=left)} left"
        self.tell(line)


def training_key(
    model: nn.Module,
    images: Images,
    validation: Images,
    plan: Plan,
    *,
    scale: Normalisation,
    among: Processes,
    recipe: Mapping[str, Any] | None = None,
    kept: Stored | None = None,
) -> dict[str, Any]:  # decides no number: it tells what does
    """Return all that decides a training, as JSON can say it: pictures and weights by SHA-256.

    Parameters
    ----------
    model : Module
        With its first weights.
    images, validation, plan, scale, among, recipe, kept
        As in ``train``.
    """
    from .weights import tensors_sha256  # here: it imports torchvision, which takes a second

    return {
        **(recipe or {}),
        "plan": asdict(plan),
        "network": str(model),
        "trainable": "\n".join(n for n, p in model.named_parameters() if p.requires_grad),
        "weights": tensors_sha256(model.state_dict()),
        "training": fingerprint(images),
        "validation": fingerprint(validation),
        "scale": scale._asdict(),
        "processes": among.world,
        **({} if kept is None else {"kept": kept_fingerprint(kept)}),
    }


def kept_fingerprint(kept: Stored) -> dict[str, Any]:  # decides no number: it tells rows apart
    """Return how many rows are stored for each part, and a SHA-256 of these.

    Parameters
    ----------
    kept : Stored
    """
    return {
        name: {"count": len(rows), "rows": hashlib.sha256(rows.numpy().data).hexdigest()}
        for name, rows in kept._asdict().items()
    }


def fingerprint(images: Images) -> dict[str, Any]:  # decides no number: it tells pictures apart
    """Return how many pictures there are, and a SHA-256 of them and one of their labels.

    Parameters
    ----------
    images : Images
    """
    hashes = {
        name: hashlib.sha256(values.cpu().contiguous().numpy().data).hexdigest()
        for name, values in (("pictures", images.x), ("labels", images.y))
    }
    return {"count": len(images.y)} | hashes


def _check(
    model: nn.Module,
    images: Images,
    validation: Images,
    plan: Plan,
    scale: Normalisation,
    among: Processes,
    kept: Stored | None,
) -> None:
    """Raise where a training could not be done; one picture is tried, without a trace."""
    _check_kept(kept, model, images, validation, plan)
    for name, part in (("images", images), ("validation", validation)):
        if len(part.x) != len(part.y) or len(part.y) < among.world:
            raise ValueError(
                f"{name}: expected at least {among.world}, with a label each, "
                f"got {len(part.x)} and {len(part.y)} labels"
            )
    size = (len(images.x) - 1) % plan.batch_size + 1  # of the last batch
    if size < among.world:
        raise ValueError(
            f"plan: expected batches of at least {among.world} images, one per process, "
            f"got a last one of {size}"
        )
    _check_plan(plan, images)
    x = prepare(images.x[:1], scale, plan.image_size)
    model.eval()
    try:
        with torch.inference_mode():
            classes = model(x.to(next(model.parameters()).device)).shape[1]
    except RuntimeError as error:
        raise ValueError(
            f"images, image_size: expected pictures that the network takes, got "
            f"{tuple(x.shape[1:])}: {' '.join(str(error).split())}"
        ) from error
    labels = torch.cat([images.y, validation.y])
    if not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(
            f"labels: expected 0 to {classes - 1}, which the network can answer, "
            f"got {int(labels.min())} to {int(labels.max())}"
        )


def _check_plan(plan: Plan, images: Images) -> None:  # decides no number: it refuses
    side = min(images.x.shape[2:])
    if plan.shift >= side:
        raise ValueError(f"shift: expected less than the pictures' {side} pixels, got {plan.shift}")
    steps = plan.epochs * -(-len(images.x) // plan.batch_size)
    if plan.one_cycle and steps < 4:
        raise ValueError(f"one_cycle: expected a training of at least 4 steps, got {steps}")


def _check_kept(
    kept: Stored | None, model: Any, images: Images, validation: Images, plan: Plan
) -> None:  # decides no number: it refuses
    if kept is None:
        return
    counts, wanted = tuple(map(len, kept)), (len(images.y), len(validation.y))
    if counts != wanted:
        raise ValueError(f"kept: expected a row for each of {wanted} pictures, got {counts}")
    if any(p.requires_grad for p in model.features.parameters()):
        raise ValueError("kept: expected features that are frozen, got some that learn")
    changes = [name for name in ("flip", "shift", "mixup") if getattr(plan, name)]
    if changes:
        raise ValueError(
            "kept: expected pictures that stay as they are, got a plan with " + ", ".join(changes)
        )


def _measured(
    model: nn.Module, validation: Images, state: _State, scale: Normalisation, among: Processes
) -> Epoch:
    """An epoch's own means, and loss and accuracy of the validation images after it."""
    loss, right, seen = among.sum(state.sums)
    held_loss, held_accuracy, _ = evaluate(
        model, validation, scale=scale, image_size=state.plan.image_size, among=among
    )
    _check_finite(held_loss, f"after epoch {state.epoch + 1}, on the validation pictures")
    return {
        "train_loss": loss / seen,
        "train_accuracy": right / seen,
        "val_loss": held_loss,
        "val_accuracy": held_accuracy,
    }


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Images,
    batch: Tensor,
    state: _State,
    steps: int,
    scale: Normalisation,
    among: Processes,
) -> None:
    plan = state.plan
    share = among.share(len(batch))
    set_share(network, share)
    mine = torch.arange(share.start, share.stop)
    x, labels = _examples(images, batch, mine, state, scale, among)
    if plan.mixup:
        part, partners = _mixture(plan.mixup, len(batch), plan.seed, state.epoch, state.step)
        theirs = _examples(images, batch, partners[mine], state, scale, among)
        x = part * x + (1 - part) * theirs.x
    if plan.cosine or plan.one_cycle:
        for group in optimizer.param_groups:
            group["lr"] = _rate(plan, state.epoch * steps + state.step, plan.epochs * steps)
    torch.manual_seed(_number(plan.seed, state.epoch, state.step))  # for dropout
    logits = network(x)
    total = functional.cross_entropy(logits, labels, reduction="sum")
    if plan.mixup:
        other = functional.cross_entropy(logits, theirs.y, reduction="sum")
        total = part * total + (1 - part) * other
    # The mean over the whole batch. DistributedDataParallel takes the mean over processes, hence
    # the factor: also processes with unequal shares then add up to the right gradient.
    loss = total * among.world / len(batch)
    value = float(total.detach())
    _check_finite(value, f"in epoch {state.epoch + 1}, step {state.step + 1}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    right = float((logits.argmax(1) == labels).sum())
    for i, number in enumerate((value, right, float(len(mine)))):
        state.sums[i] += number


def _examples(
    images: Images,
    batch: Tensor,
    rows: Tensor,
    state: _State,
    scale: Normalisation,
    among: Processes,
) -> Images:
    """Some rows of a batch as a step reads them. What is drawn is drawn for the whole batch."""
    plan, now = state.plan, (state.plan.seed, state.epoch, state.step)
    x = images.x[batch[rows]]
    if plan.shift:
        of = (-plan.shift, plan.shift + 1, (len(batch), 2))
        x = _moved(x, torch.randint(*of, generator=_generator(*now, "shift"))[rows], plan.shift)
    x = _inputs(x.to(among.device), scale, plan.image_size)
    if plan.flip:
        mirrored = (torch.rand(len(batch), generator=_generator(*now)) < 0.5)[rows]
        x = torch.where(mirrored.to(among.device)[:, None, None, None], x.flip(3), x)
    return Images(x, images.y[batch[rows]].to(among.device))


def _moved(x: Tensor, moves: Tensor, most: int) -> Tensor:
    """Each picture moved down and right by its row of moves, from -most to most; 0 comes in."""
    height, width = x.shape[2:]
    wide = functional.pad(x, (most, most, most, most))
    corners = (most - moves).tolist()
    return torch.stack(
        [
            picture[:, top : top + height, left : left + width]
            for picture, (top, left) in zip(wide, corners, strict=True)
        ]
    )


def _mixture(alpha: float, n: int, *now: int) -> tuple[float, Tensor]:
    """The share of each picture of a batch in its mixture, and whose share is the rest.

    The own share is the larger one. That is λ or 1 - λ, and no other experiment: partners by a
    permutation or by its inverse are equally likely.
    """
    rng = np.random.default_rng(_number(*now, "mixup"))
    part = rng.beta(alpha, alpha)
    return max(part, 1 - part), torch.from_numpy(rng.permutation(n))


def _rate(plan: Plan, step: int, steps: int) -> float:
    """The learning rate of a step of so many."""
    if plan.one_cycle:
        return plan.lr * one_cycle(step, steps=steps)
    return plan.lr * (1 + math.cos(math.pi * (step / steps))) / 2


def _check_finite(loss: float, place: str) -> None:  # decides no number: it refuses
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {loss} {place}: is the learning rate too high, or a pixel not a number? "
            "Nothing was recorded"
        )


def _training_mode(model: nn.Module) -> None:
    """Training mode, but for modules that are frozen whole: their running statistics stay."""
    model.train()
    for module in model.modules():
        own = list(module.parameters())
        if own and not any(p.requires_grad for p in own):
            module.eval()


def _number(*parts: int | str) -> int:
    """A number that follows from others and looks like none of them."""
    text = " ".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7], "big")


def _generator(*parts: int | str) -> torch.Generator:
    return torch.Generator().manual_seed(_number(*parts))


@contextmanager
def _signals() -> Iterator[list[int]]:
    """A list that SIGTERM and SIGINT are put into, instead of ending the process."""
    came: list[int] = []
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(kind, lambda number, _: came.append(number)) for kind in kinds]
    try:
        yield came
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def _line(plan: Plan, history: list[Epoch]) -> str:  # decides no number: it is shown, not used
    last = history[-1]
    return (
        f"epoch {len(history)}/{plan.epochs}  training {last['train_loss']:.4f} "
        f"{last['train_accuracy']:.2%}  validation {last['val_loss']:.4f} "
        f"{last['val_accuracy']:.2%}  {last['seconds']:.0f} s"
    )
