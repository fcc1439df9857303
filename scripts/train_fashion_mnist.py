"""Train the CNN on Fashion-MNIST and write the record that the page draws.

Interrupted, it goes on where it was when started again. Over several processes:
`torchrun --nproc-per-node 2 scripts/train_fashion_mnist.py`.
"""

import argparse
import datetime
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import one_hot

from nn_tutorial.data import DataDamagedError, DataNotFoundError, stratified_split
from nn_tutorial.data.fashion import fashion_mnist_stored
from nn_tutorial.pytorch.networks import count_parameters, fashion_cnn
from nn_tutorial.pytorch.processes import Processes, processes
from nn_tutorial.pytorch.records import code_sha256, environment, write_record
from nn_tutorial.pytorch.training import (
    Images,
    Interrupted,
    Plan,
    evaluate,
    normalisation,
    train,
)

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=128, help="of all processes together")
    parser.add_argument("--lr", type=float, default=0.001, help="learning rate of Adam")
    parser.add_argument("--dropout", type=float, default=0.25, help="from 0 to below 1")
    parser.add_argument("--no-batch-norm", action="store_true")
    parser.add_argument("--seed", type=int, default=0, help="of split, weights and steps")
    parser.add_argument("--root", type=Path, help="the data folder (else NN_TUTORIAL_DATA)")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="else the GPU if there is one")
    parser.add_argument("--name", default="fashion-mnist", help="of the record")
    parser.add_argument("--records", type=Path, default=ROOT / "docs" / "records")
    parser.add_argument("--checkpoints", type=Path, default=ROOT / ".cache" / "checkpoints")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train and write the record; 0 when done, 2 for bad arguments or data, 143 if interrupted."""
    parser = arguments()
    chosen = parser.parse_args(argv)
    try:
        plan = Plan(
            epochs=chosen.epochs, batch_size=chosen.batch_size, lr=chosen.lr, seed=chosen.seed,
            cosine=True, flip=True,
        )  # fmt: skip
        with processes(chosen.device) as among:
            run(chosen, plan, among)
    except (DataNotFoundError, DataDamagedError, ValueError) as error:
        parser.error(str(error))
    except Interrupted as stopped:
        print(f"{stopped}; the same command goes on from there", file=sys.stderr)
        return 143
    return 0


def run(chosen: argparse.Namespace, plan: Plan, among: Processes) -> None:
    """Train, read the test part once, write the record."""
    stored = fashion_mnist_stored(chosen.root)
    # As fashion_mnist() splits: a twelfth of the training files is for validation.
    sizes = (len(stored.y_train) * 11 // 12, len(stored.y_train) // 12)
    kept, held = stratified_split(stored.y_train, sizes, rng=np.random.default_rng(plan.seed))
    x, y = torch.from_numpy(stored.x_train), torch.from_numpy(stored.y_train)
    training, validation = Images(x[kept], y[kept]), Images(x[held], y[held])
    scale = normalisation(training.x)
    model = fashion_cnn(batch_norm=not chosen.no_batch_norm, dropout=chosen.dropout, seed=plan.seed)
    checkpoint = chosen.checkpoints / f"{chosen.name}.pt"

    def say(line: str) -> None:
        print(line, flush=True)

    epochs = train(
        model, training, validation, plan,
        scale=scale, among=among, checkpoint=checkpoint, progress=say,
    )  # fmt: skip
    if among.rank > 0:
        return
    alone = among._replace(world=1, rank=0)
    test = Images(torch.from_numpy(stored.x_test), torch.from_numpy(stored.y_test))
    loss, accuracy, answers = evaluate(model, test, scale=scale, among=alone)
    pairs = one_hot(test.y, 10).T @ one_hot(answers, 10)  # rows: what it is; columns: what it said
    say(f"test loss {loss:.4f}, accuracy {accuracy:.2%} of {len(test.y)} ({stored.split} split)")
    record = {
        "name": chosen.name,
        "command": "python scripts/train_fashion_mnist.py",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "plan": asdict(plan),
        "network": {
            "batch_norm": not chosen.no_batch_norm,
            "dropout": chosen.dropout,
            "parameters": count_parameters(model),
        },
        "data": {
            "name": stored.name, "sha256": stored.sha256, "split": stored.split,
            "sizes": [*sizes, len(test.y)], "mean": scale.mean, "std": scale.std,
        },
        "weights": "random",
        "epochs": epochs,
        "test": {"loss": loss, "accuracy": accuracy, "confusion": pairs.tolist()},
        "seconds": sum(epoch["seconds"] for epoch in epochs),
        "processes": among.world,
        "code": code_sha256(),
    }  # fmt: skip
    path = chosen.records / f"{chosen.name}.json"
    write_record(record | environment(among.device), path)
    checkpoint.unlink(missing_ok=True)
    say(f"record {path}")


if __name__ == "__main__":
    sys.exit(main())
