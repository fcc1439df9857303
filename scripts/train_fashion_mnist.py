"""Train the CNN on Fashion-MNIST; write a record of it, and the model for predict.py.

Interrupted, it goes on where it was when started again. The record lies in runs/; with --publish
also among those that the pages draw.

examples:
  a short try, with a learning rate of your own:
    python scripts/train_fashion_mnist.py --epochs 2 --images 5000 --lr 0.003 --name try
  the whole training, over two processes:
    torchrun --nproc-per-node 2 scripts/train_fashion_mnist.py
  the record that the page draws, anew, in one thread:
    python scripts/train_fashion_mnist.py --threads 1 --publish
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from nn_tutorial.command_line import settle_streams
from nn_tutorial.data import stratified_split
from nn_tutorial.data.fashion import fashion_mnist_stored
from nn_tutorial.pytorch import runs
from nn_tutorial.pytorch.models import About
from nn_tutorial.pytorch.networks import count_parameters, fashion_cnn
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import Images, Plan, evaluate, normalisation, train

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = runs.parser(
        __file__, __doc__, home=ROOT, name="fashion-mnist", epochs=12, batch_size=128, lr=0.001
    )
    parser.add_argument("--dropout", type=share, default=0.25, help="from 0 to below 1")
    parser.add_argument("--no-batch-norm", action="store_true")
    parser.add_argument(
        "--shift", type=runs.natural, default=0, help="move pictures by up to so many pixels"
    )
    parser.add_argument("--mixup", type=float, default=0.0, help="α; 0 mixes no pictures")
    parser.add_argument(
        "--one-cycle", action="store_true", help="the rate rises first (else it only falls)"
    )
    parser.add_argument(
        "--images", type=runs.count, help="train on so many (else on all that are kept)"
    )
    return parser


def share(text: str) -> float:
    """Return a probability of dropping."""
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to below 1, got {text}")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Train and write the record; see ``runs.main`` for the exit status."""
    return runs.main(arguments(), run, argv)


def run(chosen: argparse.Namespace, among: Processes) -> None:
    """Train, read the test part once, write the record."""
    plan = Plan(
        epochs=chosen.epochs, batch_size=chosen.batch_size, lr=chosen.lr, seed=chosen.seed,
        cosine=not chosen.one_cycle, one_cycle=chosen.one_cycle, flip=True, shift=chosen.shift,
        mixup=chosen.mixup,
    )  # fmt: skip
    stored = fashion_mnist_stored(chosen.root)
    # As fashion_mnist() splits: a twelfth of the training files is for validation.
    sizes = (chosen.images or len(stored.y_train) * 11 // 12, len(stored.y_train) // 12)
    kept, held = stratified_split(stored.y_train, sizes, rng=np.random.default_rng(plan.seed))
    x, y = torch.from_numpy(stored.x_train), torch.from_numpy(stored.y_train)
    training, validation = Images(x[kept], y[kept]), Images(x[held], y[held])
    scale = normalisation(training.x)
    model = fashion_cnn(batch_norm=not chosen.no_batch_norm, dropout=chosen.dropout, seed=plan.seed)
    checkpoint = runs.checkpoint_of(chosen)
    epochs = train(
        model, training, validation, plan,
        scale=scale, among=among, checkpoint=checkpoint, recipe=runs.recipe(chosen),
        progress=runs.say,
    )  # fmt: skip
    if among.rank > 0:
        return
    alone = among._replace(world=1, rank=0)
    test = Images(torch.from_numpy(stored.x_test), torch.from_numpy(stored.y_test))
    loss, accuracy, answers = evaluate(model, test, scale=scale, among=alone)
    runs.say(
        f"test loss {loss:.4f}, accuracy {accuracy:.2%} of {len(test.y)} ({stored.split} split)"
    )
    options = {"batch_norm": not chosen.no_batch_norm, "dropout": chosen.dropout}
    about = About(
        "fashion_cnn", options, stored.class_names, stored.x_train.shape[-1], None, scale,
        stored.source,
    )  # fmt: skip
    runs.finish(
        chosen, among, checkpoint,
        plan=plan,
        network=options | {"parameters": count_parameters(model)},
        data=runs.described(
            stored.name, stored.sha256, stored.split, [*sizes, len(test.y)], scale
        ),
        weights="random",
        epochs=epochs,
        test=runs.tested(loss, accuracy, test.y, answers, 10),
        model_sha256=runs.keep_model(chosen, model, about),
    )  # fmt: skip


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
