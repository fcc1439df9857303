"""What the scripts that train have in common: their arguments, how they end, their record."""

import argparse
import datetime
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn.functional import one_hot

from ..data import DataDamagedError, DataNotFoundError
from ..files import check_folder
from .audit import AuditError
from .checkpoints import load_checkpoint
from .consistency import key_hash
from .processes import Processes, processes
from .records import code_of, environment, write_record
from .training import Epoch, Interrupted, Normalisation, Plan

# These decide no number, or are no option.
LOCAL = {
    "root", "device", "records", "checkpoints", "runs", "predict", "sample", "save",
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
    script : str
        Its file.
    about : str or None
        What it does.
    home : Path
        The repository's root.
    name : str
        Of the record.
    epochs, batch_size, lr
        The defaults; see [`Plan`][nn_tutorial.pytorch.training.Plan].
    """
    made = argparse.ArgumentParser(
        prog=Path(script).name, description=about,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    add = made.add_argument
    add("--epochs", type=count, default=epochs)
    add("--batch-size", type=count, default=batch_size, help="of all processes together")
    add("--lr", type=float, default=lr, help="learning rate of Adam")
    add("--seed", type=natural, default=0, help="of split, weights and steps")
    add("--root", type=Path, help="the data folder (else NN_TUTORIAL_DATA)")
    add("--device", choices=("cpu", "cuda"), help="else the GPU if there is one")
    add("--name", default=name, help="of the record")
    add("--records", type=Path, default=home / "docs" / "records")
    add("--checkpoints", type=Path, default=home / ".cache" / "checkpoints")
    return made


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
        0 when done, 1 if the audit found something wrong, the loss was not finite, or a file could
        not be written, 143 if interrupted. Bad arguments, data or checkpoints end the process
        with 2. Where the files go is tried first of all.
    """
    chosen = made.parse_args(argv)
    try:
        for name in ("records", "checkpoints"):
            check_folder(getattr(chosen, name), f"--{name}")
    except ValueError as error:
        made.error(str(error))
    chosen.command = command(made, chosen)
    chosen.code = code_of(chosen.command)  # now: nobody knows what it will be at the end
    try:
        with processes(chosen.device) as among:
            run(chosen, among)
    except (DataNotFoundError, DataDamagedError, ValueError) as error:
        made.error(str(error))
    except AuditError as error:
        print(error, file=sys.stderr)
        return 1
    except (FloatingPointError, OSError) as error:  # diverged; a full disk
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
        How many there are. Rows of the confusion: what it is; columns: what the network said.
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
    path = chosen.records / f"{chosen.name}.json"
    write_record(record | more | environment(among.device), path)
    checkpoint.unlink(missing_ok=True)
    say(f"record {path}")
