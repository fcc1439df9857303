"""Train AlexNet with a new classifier on CIFAR-10, audit the training, write record and submission.

Frozen or free, on pretrained or random convolutions, with all labelled images or a few.
Interrupted, it goes on where it was when started again. The validation images are watched alone:
nothing is chosen by them, and they stay the same however few images train. Record and model lie
in runs/; with --publish the record is also among those that the pages draw.
With --cached every picture passes the frozen convolutions once, and what they make of it is kept
beside the checkpoint for all trainings with the same weights, pictures and size: a classifier more
takes minutes then. If interrupted meanwhile, that pass begins anew.

examples:
  the assignment: ImageNet's convolutions, frozen, and a new classifier:
    python scripts/train_transfer.py
  with ImageNet's 224 pixels, each picture once through the convolutions:
    python scripts/train_transfer.py --cached --image-size 224
  the same with all weights free and a smaller rate, on a few images:
    python scripts/train_transfer.py --no-freeze --lr 0.0001 --images 1000 --name free
  for Kaggle's competition:
    python scripts/train_transfer.py --predict test --submission submission.csv \\
        --sample sampleSubmission.csv
"""

import argparse
import csv
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from nn_tutorial.command_line import settle_streams
from nn_tutorial.data import stratified_split
from nn_tutorial.data.cifar import cifar10_stored
from nn_tutorial.data.numbered import Numbered, check_sample, read_numbered
from nn_tutorial.data.pixels import Stored as StoredPictures
from nn_tutorial.files import check_folder, write_whole
from nn_tutorial.pytorch import runs
from nn_tutorial.pytorch.audit import (
    Audit,
    AuditError,
    Finding,
    ReadOnce,
    disjoint,
    fingerprints,
    read_manifest,
)
from nn_tutorial.pytorch.frozen import Kept, kept_features
from nn_tutorial.pytorch.models import About, probabilities
from nn_tutorial.pytorch.networks import alexnet, count_parameters
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import (
    Images,
    Normalisation,
    Plan,
    Stored,
    evaluate,
    normalisation,
    train,
)
from nn_tutorial.pytorch.weights import ORIGINS, load_backbone

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = runs.parser(
        __file__, __doc__, home=ROOT, name="transfer", epochs=5, batch_size=256, lr=0.001
    )
    add = parser.add_argument
    add("--weights", choices=ORIGINS, default="imagenet", help="of the convolutions")
    add("--backbone", type=Path, metavar="FILE", help="where they are, if not in the data folder")
    add("--freeze", action=argparse.BooleanOptionalAction, default=True, help="the convolutions")
    add("--cached", action="store_true", help="store what the frozen convolutions make of pictures")
    add("--image-size", type=int, default=64, help="height and width, at least 63 pixels")
    add(
        "--images",
        type=runs.count,
        metavar="N",
        help="that train, the classes in equal shares, else all",
    )
    add("--submission", type=Path, metavar="FILE.csv", help="the answers to the test images, or to")
    add("--predict", type=Path, metavar="FOLDER", help="these: a folder or zip of 1.png, 2.png, …")
    add("--sample", type=Path, metavar="FILE.csv", help="whose ids must be those of --predict")
    add("--save", type=Path, metavar="FILE.safetensors", help="the model (else beside the record)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train, audit, write; see ``runs.main`` for the exit status."""
    return runs.main(arguments(), run, argv)


def run(chosen: argparse.Namespace, among: Processes) -> None:
    """Train, read the test part once, audit, write submission and record."""
    unlabelled = asked(chosen, among)
    plan = Plan(
        epochs=chosen.epochs, batch_size=chosen.batch_size, lr=chosen.lr, seed=chosen.seed,
        image_size=chosen.image_size,
    )  # fmt: skip
    stored = cifar10_stored(chosen.root)
    training, validation, test = parts(stored, chosen.images, plan.seed)
    scale = normalisation(training.x)
    model = alexnet(n_classes=len(stored.class_names), freeze=chosen.freeze, seed=plan.seed)
    backbone = load_backbone(model, chosen.weights, chosen.backbone, root=chosen.root)
    audit = Audit(model, frozen="features." if chosen.freeze else None)
    checkpoint = runs.checkpoint_of(chosen)
    kept = passed_once(chosen, model.to(among.device), training, validation, scale)
    rows = kept and kept.rows
    epochs = train(
        model, training, validation, plan,
        scale=scale, among=among, kept=rows, checkpoint=checkpoint, recipe=runs.recipe(chosen),
        progress=runs.say,
    )  # fmt: skip
    if among.rank > 0:
        return
    images, size = test.read(), plan.image_size
    alone = among._replace(world=1, rank=0)
    loss, accuracy, answers = evaluate(model, images, scale=scale, image_size=size, among=alone)
    runs.say(f"test loss {loss:.4f}, accuracy {accuracy:.2%} of {len(images.y)} ({stored.source})")
    source = Images(*map(torch.from_numpy, (stored.x_train, stored.y_train)))
    findings = audited(audit, checkpoint, plan, training, validation, test, scale, source, rows)
    about = about_model(chosen, stored, scale)
    submit(chosen, model, about, answers, unlabelled)
    sizes = [len(training.y), len(validation.y), len(images.y)]
    data = runs.described(stored.name, stored.sha256, stored.split, sizes, scale)
    runs.finish(
        chosen, among, checkpoint,
        plan=plan,
        network={
            "freeze": chosen.freeze,
            "parameters": count_parameters(model),
            "trainable": count_parameters(model, trainable=True),
        },
        data=data | {"source": stored.source, "class_names": [*stored.class_names]},
        weights=backbone.text,
        epochs=epochs,
        test=runs.tested(loss, accuracy, images.y, answers, len(stored.class_names)),
        weights_origin=backbone.origin,
        weights_sha256=backbone.sha256,
        audit=[finding._asdict() for finding in findings],
        model_sha256=runs.keep_model(chosen, model, about),
        **described_features(kept),
    )  # fmt: skip


def check_cached(
    chosen: argparse.Namespace, among: Processes
) -> None:  # decides no number: it refuses
    """Raise where features cannot be stored."""
    if chosen.cached and not chosen.freeze:
        raise ValueError("--cached: expected frozen convolutions, got --no-freeze")
    if chosen.cached and among.world > 1:
        raise ValueError(f"--cached: expected one process, got {among.world}")


def passed_once(
    chosen: argparse.Namespace,
    model: nn.Module,
    training: Images,
    validation: Images,
    scale: Normalisation,
) -> Kept | None:
    """Return what the frozen convolutions make of the pictures, if that is to be stored."""
    if not chosen.cached:
        return None
    return kept_features(
        model, training, validation, scale=scale, image_size=chosen.image_size,
        folder=chosen.checkpoints, code=chosen.code, say=runs.say,
    )  # fmt: skip


def described_features(kept: Kept | None) -> dict[str, dict[str, float]]:
    """Return what a record holds of stored features, if there are any.

    Parameters
    ----------
    kept : Kept or None
    """
    if kept is None:
        return {}
    rows = sum(map(len, kept.rows))
    return {"features": {"rows": rows, "passed": kept.passed, "seconds": kept.seconds}}


def about_model(
    chosen: argparse.Namespace, stored: StoredPictures, scale: Normalisation
) -> About:  # decides no number: it says what was decided
    """Return what is said of the trained network in its file."""
    return About(
        "alexnet", {"n_classes": len(stored.class_names), "freeze": chosen.freeze},
        stored.class_names, stored.x_train.shape[-1], chosen.image_size, scale, stored.source,
    )  # fmt: skip


def submit(
    chosen: argparse.Namespace,
    model: nn.Module,
    about: About,
    answers: torch.Tensor,
    unlabelled: Numbered | None,
) -> None:  # decides no number: it writes what was answered
    """Write the submission, where one was asked for."""
    if chosen.submission is None:
        return
    if unlabelled is None:
        names = (about.class_names[i] for i in answers.tolist())
        write_submission(names, chosen.submission)
    else:
        write_submission(answered(model, about, unlabelled), chosen.submission, unlabelled.ids)
    runs.say(f"submission {chosen.submission}")


def asked(
    chosen: argparse.Namespace, among: Processes
) -> Numbered | None:  # decides no number: it refuses
    """Return the pictures without labels, if there are; raise where an option cannot be met.

    That is told before the training, not after it.
    """
    check_cached(chosen, among)
    for name, suffix in (("submission", ".csv"), ("save", ".safetensors")):
        path = getattr(chosen, name)
        if path is not None and path.suffix != suffix:
            raise ValueError(f"--{name}: expected a name in {suffix}, got {path}")
        if path is not None and path.is_dir():
            raise ValueError(f"--{name}: expected a file, {path} is a folder")
        if path is not None:
            check_folder(path.parent, f"--{name}")
    if chosen.predict is None and chosen.sample is not None:
        raise ValueError("--sample: expected --predict with it, got none")
    if chosen.predict is None:
        return None
    if chosen.submission is None:
        raise ValueError("--predict: expected --submission with it, got none")
    unlabelled = read_numbered(chosen.predict)
    if chosen.sample is not None:
        check_sample(chosen.sample, unlabelled.ids)
    return unlabelled


def answered(
    model: nn.Module, about: About, pictures: Numbered
) -> Iterator[str]:  # decides no number: no record holds them
    """Yield the likeliest class of each picture, a batch in memory at a time, and tell how far."""
    done, began, told = 0, time.monotonic(), 0.0
    for x in pictures.batches(500, about.side):
        likeliest = probabilities(model, about, torch.from_numpy(x)).argmax(1)
        yield from (about.class_names[i] for i in likeliest.tolist())
        done, now = done + len(x), time.monotonic() - began
        if now - told > 10 or done == len(pictures.ids):
            told, left = now, now / done * (len(pictures.ids) - done)
            runs.say(
                f"answered {done:,} of {len(pictures.ids):,}, {done / now:.0f} a second, "
                f"{left:.0f} s left"
            )


def parts(stored: StoredPictures, images: int | None, seed: int) -> tuple[Images, Images, ReadOnce]:
    """Return the images that train, those for validation, and those of the test, still unread.

    Parameters
    ----------
    stored : StoredPictures
    images, seed
        See ``split``.

    Raises
    ------
    AuditError
        If an image is in two of them; the audit would say so too, after the training.
    """
    kept, held = split(stored.y_train, images, seed)
    x, y = torch.from_numpy(stored.x_train), torch.from_numpy(stored.y_train)
    training, validation = Images(x[kept], y[kept]), Images(x[held], y[held])
    test = ReadOnce(Images(torch.from_numpy(stored.x_test), torch.from_numpy(stored.y_test)))
    early = disjoint(
        {
            "training": fingerprints(training.x),
            "validation": fingerprints(validation.x),
            "test": test.fingerprints,
        }
    )
    if not early.ok:
        raise AuditError(str(early))
    return training, validation, test


def audited(
    audit: Audit,
    checkpoint: Path,
    plan: Plan,
    training: Images,
    validation: Images,
    test: ReadOnce,
    scale: Normalisation,
    source: Images,
    kept: Stored | None = None,
) -> list[Finding]:
    """Audit a training that is over, tell every finding, and return them if all is well.

    Parameters
    ----------
    audit : Audit
    checkpoint : Path
        With the manifest of the training.
    plan, training, validation, test, scale, source, kept
        See ``Audit.after``.

    Raises
    ------
    AuditError
        If something is wrong.
    """
    findings = audit.after(
        manifest=read_manifest(checkpoint), plan=plan, training=training, validation=validation,
        test=test, scale=scale, source=source, kept=kept,
    )  # fmt: skip
    for finding in findings:
        runs.say(str(finding))
    audit.raise_if_wrong()
    return findings


def split(labels: np.ndarray, images: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which images train, and which fifth of all is for validation.

    Parameters
    ----------
    labels : ndarray of int64, (N,)
    images : int or None
        How many train: all of the other four fifths, or so many of them. Those of a smaller
        number are among those of a larger one.
    seed : int

    Raises
    ------
    ValueError
        If there are not so many.
    """
    held = len(labels) // 5
    rng = np.random.default_rng(seed)
    kept, rest = stratified_split(labels, (len(labels) - held, held), rng=rng)
    if images is not None:
        (few,) = stratified_split(labels[kept], (images,), rng=np.random.default_rng([1, seed]))
        kept = kept[few]
    return kept, rest


def write_submission(names: Iterable[str], path: Path, ids: Sequence[int] | None = None) -> None:
    """Write the answers as `id,label`, whole or not at all.

    Parameters
    ----------
    names : iterable of str
        A class an image.
    path : Path
        Its folder is made if it is not there.
    ids : sequence of int, optional
        Of the images; if left out, those of the test split: they count from 1.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["id", "label"])
        rows.writerows(enumerate(names, start=1) if ids is None else zip(ids, names, strict=True))


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
