"""Train the CNN in several ways, over seeds: one record of all.

The ways are those of an experiment: with and without batch normalisation and dropout (ablation), or
the default with one option more (recipes).

On a few thousand images, so that it takes minutes. Interrupted, it goes on where it was when
started again: each finished run is kept in a folder of its own until all are there. The record lies
in runs/; with --publish also among those that the pages draw.

examples:
  fewer images and one seed, to try it:
    python scripts/ablate_fashion_mnist.py --images 1000 --epochs 2 --seeds 1
  the records that the page draws, anew, in one thread:
    python scripts/ablate_fashion_mnist.py --threads 1 --publish
    python scripts/ablate_fashion_mnist.py --experiment recipes --images 4000 --epochs 6 \\
        --seeds 5 --threads 1 --publish
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import train_fashion_mnist

from nn_tutorial.command_line import command_line, settle_streams
from nn_tutorial.files import check_folder
from nn_tutorial.pytorch.records import code_of, read_record
from nn_tutorial.pytorch.runs import (
    add_places,
    add_threads,
    check_publish,
    command,
    count,
    keep_record,
    say,
    settle_threads,
)

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENTS = {
    "ablation": {
        "both": [],
        "batch norm only": ["--dropout", "0"],
        "dropout only": ["--no-batch-norm"],
        "neither": ["--no-batch-norm", "--dropout", "0"],
    },
    "recipes": {
        "default": [],
        "shift 2": ["--shift", "2"],
        "mixup 0.2": ["--mixup", "0.2"],
        "one-cycle": ["--one-cycle"],
    },
}


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = command_line(__file__, __doc__)
    parser.add_argument("--experiment", choices=EXPERIMENTS, default="ablation")
    parser.add_argument("--images", type=count, default=3000, help="for training")
    parser.add_argument("--epochs", type=count, default=4)
    parser.add_argument("--batch-size", type=count, default=50)
    parser.add_argument("--seeds", type=count, default=3, help="how many, from 0")
    parser.add_argument("--root", type=Path, help="the data folder (else NN_TUTORIAL_DATA)")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="else the GPU if there is one")
    add_places(parser, ROOT)
    parser.add_argument(
        "--runs", type=Path, default=ROOT / ".cache" / "ablation", help="where each run is kept"
    )
    add_threads(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train all variants and write the record; else the status of the training that failed."""
    parser = arguments()
    chosen = parser.parse_args(argv)
    settle_threads(chosen)
    again = command(parser, chosen)
    try:
        for name in ("records", "runs"):
            check_folder(getattr(chosen, name), f"--{name}")
        check_publish(chosen, _name(chosen), again)
    except ValueError as error:
        parser.error(str(error))
    origin = {"command": again, "code": code_of(again)}
    runs = []
    for seed in range(chosen.seeds):
        for variant, options in EXPERIMENTS[chosen.experiment].items():
            sizes = (chosen.images, chosen.batch_size, chosen.epochs, chosen.threads)
            name = f"{variant}-{seed}-{'-'.join(map(str, sizes))}"
            path = chosen.runs / f"{name.replace(' ', '-')}.json"
            if not _there(path):
                say(f"{variant}, seed {seed}")
                status = train_fashion_mnist.main([*_options(chosen, seed, path.stem), *options])
                if status:
                    return status
            runs.append({"variant": variant} | read_record(path))
    keep_record({"name": _name(chosen)} | gathered(runs) | origin, chosen)
    return 0


def gathered(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one record of several: what they have in common once, the rest run by run.

    Parameters
    ----------
    runs : sequence of dict
        Records of trainings, each with its ``variant``.

    Raises
    ------
    ValueError
        If they are of different data.
    """
    first = runs[0]
    if any(run["data"]["sha256"] != first["data"]["sha256"] for run in runs):
        raise ValueError("runs: expected all of the same data, got several; empty their folder")
    kept = ("date", "processes", "libraries", "device", "threads")
    plan = {name: value for name, value in first["plan"].items() if name != "seed"}
    differ = [name for name in plan if any(run["plan"][name] != plan[name] for run in runs)]
    return {
        "plan": {name: value for name, value in plan.items() if name not in differ},
        "data": {name: first["data"][name] for name in ("name", "sha256", "split", "sizes")},
        "runs": [
            {
                "variant": run["variant"],
                "seed": run["plan"]["seed"],
                **{name: run["plan"][name] for name in differ},
                **run["network"],
                "epochs": run["epochs"],
                "test": {name: run["test"][name] for name in ("loss", "accuracy")},
                "seconds": run["seconds"],
            }
            for run in runs
        ],
    } | {name: first[name] for name in kept}


def _name(chosen: argparse.Namespace) -> str:
    return f"fashion-mnist-{chosen.experiment}"


def _options(chosen: argparse.Namespace, seed: int, name: str) -> list[str]:
    options = {
        "--images": chosen.images, "--epochs": chosen.epochs, "--batch-size": chosen.batch_size,
        "--seed": seed, "--name": name, "--records": chosen.runs, "--checkpoints": chosen.runs,
        "--root": chosen.root, "--device": chosen.device, "--threads": chosen.threads,
    }  # fmt: skip
    given = [(option, value) for option, value in options.items() if value is not None]
    return [str(part) for pair in given for part in pair]


def _there(path: Path) -> bool:
    """Whether a run is finished, and of today's code."""
    try:
        read_record(path)
    except (FileNotFoundError, ValueError):
        return False
    return True


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
