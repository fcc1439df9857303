"""What the scripts that train have in common: their arguments, how they end, their record."""

import argparse
import datetime
import json
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ..command_line import command_line
from ..data import DataDamagedError, DataNotFoundError
from ..files import check_folder
from .audit import AuditError
from .checkpoints import load_checkpoint
from .consistency import key_hash
from .models import About, save_model
from .processes import LostProcessError, Processes, processes
from .records import code_of, environment, write_record
from .training import Epoch, Interrupted, Normalisation, Plan

# These decide no number, or are no option.
LOCAL = {
    "root", "device", "records", "publish", "checkpoints", "runs", "predict", "sample", "save",
    "command", "code",
}  # fmt: skip
ANSWERS = {"name", "submission", "out", "source"}  # of a finished training, and how it is called


def count(text: str) -> int:
    """Return an option's whole number, which is at least 1.

    Parameters
    ----------
    text : str
    """
    return _at_least(1, text)


def natural(text: str) -> int:
    """Return an option's whole number, which is at least 0.

    Parameters
    ----------
    text : str
    """
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of at least {least}, got {text!r}"
        )
    return value


def parser(
    script: str,
    about: str | None,
    *,
    home: Path,
    name: str,
    epochs: int,
    batch_size: int,
    lr: float,
) -> argparse.ArgumentParser:
    """Return a parser that has what every training takes.

    Parameters
    ----------
    script, about
        See [`command_line`][nn_tutorial.command_line.command_line].
    home : Path
        The repository's root.
    name : str
        Of the record.
    epochs, batch_size, lr
        The defaults; see [`Plan`][nn_tutorial.pytorch.training.Plan].
    """
    made = command_line(script, about)
    add = made.add_argument
    add("--epochs", type=count, default=epochs)
    add("--batch-size", type=count, default=batch_size, help="of all processes together")
    add("--lr", type=float, default=lr, help="learning rate of Adam")
    add("--seed", type=natural, default=0, help="of split, weights and steps")
    add("--root", type=Path, help="the data folder (else NN_TUTORIAL_DATA)")
    add("--device", choices=("cpu", "cuda"), help="else the GPU if there is one")
    add("--name", default=name, help="of record and model")
    add_places(made, home)
    add("--checkpoints", type=Path, default=home / ".cache" / "checkpoints", help="until it ends")
    add_threads(made)
    return made


def add_places(made: argparse.ArgumentParser, home: Path) -> None:
    """Add the options that say where the record goes.

    Parameters
    ----------
    made : ArgumentParser
    home : Path
        The repository's root.
    """
    made.add_argument("--records", type=Path, default=home / "runs", help="folder of the record")
    made.add_argument(
        "--publish", action="store_const", const=home / "docs" / "records",
        help="write the record into docs/records as well, which the pages draw",
    )  # fmt: skip


def add_threads(made: argparse.ArgumentParser) -> None:
    """Add the option that says how many threads compute.

    Parameters
    ----------
    made : ArgumentParser
    """
    made.add_argument(
        "--threads", type=count,
        help="of the CPU, which decide the last digits (else as many as PyTorch takes)",
    )  # fmt: skip


def settle_threads(chosen: argparse.Namespace) -> None:
    """Compute with as many threads as were asked for, and note how many these are.

    Parameters
    ----------
    chosen : Namespace
    """
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    chosen.threads = torch.get_num_threads()


def check_publish(
    chosen: argparse.Namespace, name: str, again: str
) -> None:  # decides no number: it refuses
    """Raise where a record would take the place of another training's among the pages' records.

    Parameters
    ----------
    chosen : Namespace
    name : str
        Of the record.
    again : str
        The command that writes it. The number of threads may be another than there.

    Raises
    ------
    ValueError
        With both commands.
    """
    if chosen.publish is None:
        return
    check_folder(chosen.publish, "--publish")
    path = chosen.publish / f"{name}.json"
    if not path.is_file():
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))["command"]
    except (ValueError, KeyError, TypeError):
        there = "none that can be read"
    if _without_threads(there) != _without_threads(again):
        raise ValueError(
            f"--publish: expected the command of the record that is there, {there!r}, got "
            f"{again!r}: give another name, or remove {path} first"
        )


def _without_threads(command: str) -> str:  # decides no number: it compares
    return re.sub(r" --threads \d+", "", command)


def main(
    made: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace, Processes], None],
    argv: Sequence[str] | None = None,
) -> int:
    """Run a training from the command line; return the exit status.

    Parameters
    ----------
    made : ArgumentParser
        From ``parser``.
    run : callable
        Trains and writes the record. Of its arguments, the first has ``command`` too, which writes
        the same record again, and ``code``, from ``code_of``.
    argv : sequence of str, optional

    Returns
    -------
    int
        0 when done, 1 if the audit found something wrong, the loss was not finite, a file could
        not be written, or another process of this training has ended, 143 if interrupted. Bad
        arguments, data or checkpoints end the process with 2. Where the files go is tried first
        of all.
    """
    chosen = made.parse_args(argv)
    settle_threads(chosen)
    chosen.command = command(made, chosen)
    try:
        for name in ("records", "checkpoints"):
            check_folder(getattr(chosen, name), f"--{name}")
        check_publish(chosen, chosen.name, chosen.command)
    except ValueError as error:
        made.error(str(error))
    chosen.code = code_of(chosen.command)  # now: nobody knows what it will be at the end
    try:
        with processes(chosen.device) as among:
            run(chosen, among)
    except (DataNotFoundError, DataDamagedError, ValueError) as error:
        made.error(str(error))
    except AuditError as error:
        print(error, file=sys.stderr)
        return 1
    except (FloatingPointError, OSError, LostProcessError) as error:  # diverged; a full disk
        print(f"{made.prog}: error: {error}", file=sys.stderr)
        return 1
    except Interrupted as stopped:
        print(f"{stopped}; the same command goes on from there", file=sys.stderr)
        return 143
    return 0


def command(made: argparse.ArgumentParser, chosen: argparse.Namespace) -> str:
    """Return the command with all that differs from the defaults and decides a number.

    Parameters
    ----------
    made : ArgumentParser
    chosen : Namespace
        Files are named without their folders, which are this machine's alone.
    """
    words = ["python", f"scripts/{made.prog}"]
    for name, value in vars(chosen).items():
        option = name.replace("_", "-")
        if name in LOCAL or value == made.get_default(name):
            continue
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", value.name if isinstance(value, Path) else str(value)]
    return shlex.join(words)


def checkpoint_of(chosen: argparse.Namespace) -> Path:
    """Return where a training of this name keeps its state.

    Parameters
    ----------
    chosen : Namespace
    """
    folder: Path = chosen.checkpoints
    return folder / f"{chosen.name}.pt"


def recipe(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return what decides the numbers and is not in the plan: options and code.

    Parameters
    ----------
    chosen : Namespace
        From ``main``.
    """
    elsewhere = LOCAL | ANSWERS | {field.name for field in fields(Plan)}
    return {
        "options": {
            name: value.name if isinstance(value, Path) else value
            for name, value in vars(chosen).items()
            if name not in elsewhere
        },
        "code": chosen.code,
    }


def say(line: str) -> None:  # decides no number: it prints
    """Print at once, also into a file."""
    print(line, flush=True)


def tested(
    loss: float, accuracy: float, y: Tensor, answers: Tensor, classes: int
) -> dict[str, Any]:
    """Return what a record holds of the test split.

    Parameters
    ----------
    loss, accuracy : float
    y, answers : Tensor of int64, (N,)
    classes : int
        How many there are. Rows of the confusion: what it is; columns: what the network predicted.
    """
    pairs = one_hot(y, classes).T @ one_hot(answers, classes)
    return {"loss": loss, "accuracy": accuracy, "confusion": pairs.tolist()}


def described(
    name: str, sha256: str, split: str, sizes: Sequence[int], scale: Normalisation
) -> dict[str, Any]:
    """Return what a record holds of the data.

    Parameters
    ----------
    name, sha256, split : str
        See [`Dataset`][nn_tutorial.Dataset].
    sizes : sequence of int
        Images for training, validation and, where there is one, test.
    scale : Normalisation
    """
    return {
        "name": name, "sha256": sha256, "split": split,
        "sizes": [*sizes], "mean": scale.mean, "std": scale.std,
    }  # fmt: skip


def keep_model(
    chosen: argparse.Namespace, model: nn.Module, about: About
) -> str:  # decides no number: it writes what was trained
    """Write the trained model, beside its record if no other place was asked for.

    Parameters
    ----------
    chosen : Namespace
        From ``main``.
    model : Module
    about : About

    Returns
    -------
    str
        Its SHA-256, from [`save_model`][nn_tutorial.pytorch.models.save_model].
    """
    path = getattr(chosen, "save", None) or chosen.records / f"{chosen.name}.safetensors"
    sha256 = save_model(model, path, about)
    say(f"model {path}")
    return sha256


def keep_record(record: dict[str, Any], chosen: argparse.Namespace) -> None:
    """Write a record where it was asked for.

    Parameters
    ----------
    record : dict
        With its ``name``.
    chosen : Namespace
        With ``records``, and with ``publish`` if it is for the pages too.
    """
    for folder in (chosen.records, chosen.publish):
        if folder is not None:
            path = folder / f"{record['name']}.json"
            write_record(record, path)
            say(f"record {path}")


def finish(
    chosen: argparse.Namespace,
    among: Processes,
    checkpoint: Path,
    *,
    plan: Plan,
    network: dict[str, Any],
    data: dict[str, Any],
    weights: str,
    epochs: list[Epoch],
    test: dict[str, Any] | None,
    **more: Any,
) -> None:
    """Write the record, and remove the checkpoint, which is not needed any more.

    Parameters
    ----------
    chosen : Namespace
        From ``main``.
    among : Processes
    checkpoint : Path
        The last one: its key, all that decides the training, goes into the record.
    plan : Plan
    network : dict
        What decides the network, and its number of parameters.
    data : dict
        From ``described``.
    weights : str
        Which ones the training began with, as a caption says it.
    epochs : list of dict
        From [`train`][nn_tutorial.pytorch.training.train].
    test : dict or None
        From ``tested``; ``None`` where there is no test split.
    **more
        What this training has and others do not.
    """
    record = {
        "name": chosen.name,
        "command": chosen.command,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "plan": asdict(plan),
        "network": network,
        "data": data,
        "weights": weights,
        "epochs": epochs,
        "test": test,
        "seconds": sum(epoch["seconds"] for epoch in epochs),
        "processes": among.world,
        "code": chosen.code,
    }
    _, key = load_checkpoint(checkpoint, mmap=True)
    key = {name: value for name, value in key.items() if name != "code"}  # it is above
    more |= {"key": key, "key_sha256": key_hash(key)}
    keep_record(record | more | environment(among.device), chosen)
    checkpoint.unlink(missing_ok=True)
