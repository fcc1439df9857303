"""Show that two checkouts of this project train the same, to the last bit.

The command of each record is run in both: shortened, on made-up images, in one thread. The curves,
the answers, the submission and every state that is saved must be equal. After a change that should
change no number (code that moved, a new option), this gives the records of before their right to
stay: `--stamp` writes today's code into them, if all was equal and if they were of the code before.

examples:
  after a change that should change no number, against a checkout of before:
    git worktree add ../before main
    python scripts/check_same_training.py ../before
  one record alone, and its stamp:
    python scripts/check_same_training.py ../before docs/records/fashion-mnist.json --stamp
"""

import argparse
import importlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nn_tutorial.command_line import command_line, settle_streams
from nn_tutorial.data import data_folder
from nn_tutorial.data.cifar import CLASSES
from nn_tutorial.data.fashion import SIDE
from nn_tutorial.pytorch.records import code_of, write_record

ROOT = Path(__file__).resolve().parent.parent
# Two epochs, so that the order of images, the falling learning rate and Adam's means all count.
_KEPT = "--name short --checkpoints {out}"
SHORT = {
    "ablate_fashion_mnist": "--epochs 2 --images 100 --batch-size 40 --seeds 1 --runs {out}/runs",
    "compare_transfer": "--images 70 --image-size 64 --seeds 1 --runs {out}/runs --only gradual "
    "--only unfrozen --only 'linear probe, own statistics' --only 'flips and shifts'",
    "pretrain_alexnet": "--epochs 2 --batch-size 16 --data {data}/shapes --out {out}/backbone.pt "
    + _KEPT,
    "train_fashion_mnist": f"--epochs 2 --images 100 --batch-size 40 {_KEPT}",
    "train_transfer": f"--epochs 2 --images 70 --batch-size 40 {_KEPT}",
}
ANYWHERE = "--records {out}/records --root {data} --device cpu"
# What follows these options is another here.
INSTEAD = {
    "--backbone": "{out}/backbone.pt", "--submission": "{out}/submission.csv", "--threads": "1",
}  # fmt: skip
# What a record says of when, where and by which code it came, and what is measured with a clock.
AROUND = {
    "name", "command", "date", "code", "libraries", "device", "peak_memory", "key", "key_sha256",
    "seal",
}  # fmt: skip
MEASURED = {"seconds", "memory"}
MORE = {"model_sha256"}  # of a model that is kept since then
# Of a plan: options that a checkout of before may lack, and the values that change nothing.
LATER = {"one_cycle": False, "shift": 0, "mixup": 0.0}
AUDITED = "audit: "  # before the name of a claim
FASHION = {"train": 600, "t10k": 100}  # images; the true one has a hundred times as many
CIFAR = {"train": 10, "test": 2}  # images per class; the true one has 500 times as many
# Runs a script, and notes the SHA-256 of everything that it saves with PyTorch.
WITNESS = (
    f"PARTS, CIFAR = {FASHION}, { ({part: 10 * n for part, n in CIFAR.items()}) }\n"
    f"LATER = {LATER}"
    + """
import hashlib, os, runpy, sys
import torch
from nn_tutorial.data import cifar, fashion
fashion.PARTS, cifar.PARTS = PARTS, CIFAR

def told(value, digest):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "plan":
                inner = {n: v for n, v in inner.items() if n not in LATER or v != LATER[n]}
            if name != "seconds":
                digest.update(f"{name}: ".encode())
                told(inner, digest)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            told(inner, digest)
    elif isinstance(value, torch.Tensor):
        digest.update(f"{value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().data)
    else:
        digest.update(f"{value!r} ".encode())
    return digest

def save(value, file, really=torch.save):
    with open(os.environ["SAVED"], "a", encoding="utf-8") as saved:
        print(told(value, hashlib.sha256()).hexdigest(), file=saved)
    really(value, file)

torch.save = save
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
)
READ = """
import sys
from pathlib import Path
from nn_tutorial.pytorch.records import read_record
for path in sys.argv[1:]:
    read_record(Path(path))
"""


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = command_line(__file__, __doc__)
    parser.add_argument("before", type=Path, help="a checkout of before the change")
    parser.add_argument("records", type=Path, nargs="*", help="all by default")
    parser.add_argument("--stamp", action="store_true", help="write today's code into the records")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, and stamp if asked to; return 0 if all was equal and 1 if not."""
    parser = arguments()
    chosen = parser.parse_args(argv)
    before = chosen.before.resolve()
    paths = chosen.records or sorted((ROOT / "docs" / "records").glob("*.json"))
    records = {path: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    try:
        if chosen.stamp:  # else one that nothing vouches for would be stamped
            execute(before, READ, [str(path.resolve()) for path in paths])
        equal = compare(before, commands(record["command"] for record in records.values()))
    except FileNotFoundError:  # nowhere to run anything
        parser.error(f"before: expected a checkout of the project, got {chosen.before}")
    except subprocess.CalledProcessError as error:
        print(f"failed: {shlex.join(error.cmd[3:])}", file=sys.stderr)
        return 1
    if equal and chosen.stamp:
        for path, record in records.items():
            write_record(record | {"code": code_of(record["command"])}, path)
        print(f"stamped {len(records)} records")
    return 0 if equal else 1


def commands(recorded: Iterable[str]) -> dict[str, list[str]]:
    """Return for each recorded command a short one, the backbone's before those that need it.

    Parameters
    ----------
    recorded : iterable of str
        Of those that are short the same, one stays.
    """
    short: dict[str, tuple[str, list[str]]] = {}
    for command in sorted(recorded):
        _, place, *options = shlex.split(command)
        script = Path(place).stem
        words = [INSTEAD.get(b, word) for b, word in zip(["", *options], options, strict=False)]
        words += shlex.split(f"{SHORT[script]} {ANYWHERE}")  # of two the last one holds
        parser = importlib.import_module(script).arguments()
        short.setdefault(repr(parser.parse_args(words)), (command, [place, *words]))
    return dict(short.values())


def compare(before: Path, short: Mapping[str, Sequence[str]]) -> bool:
    """Run short commands in two checkouts; print what differs, return whether nothing does.

    Parameters
    ----------
    before : Path
        The other is this one.
    short : mapping of str to sequence of str
        From ``commands``.
    """
    equal = True
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        write_images(data)
        for command, words in short.items():
            one, other = (
                outcome(words, checkout, data, Path(folder, side))
                for side, checkout in (("before", before), ("after", ROOT))
            )
            # A record may learn to say more, and an audit to check more; what was there before must
            # come out the same.
            more = {k for k in other.keys() - one.keys() if k in MORE or k.startswith(AUDITED)}
            unlike = sorted(k for k in one | other if one.get(k) != other.get(k) and k not in more)
            equal = equal and not unlike
            print(f"{'NOT EQUAL' if unlike else 'equal'}: {command}", flush=True)
            for part in unlike:
                print(f"  {part}:\n    {one.get(part)} before\n    {other.get(part)} after")
    return equal


def outcome(words: Sequence[str], checkout: Path, data: Path, out: Path) -> dict[str, Any]:
    """Run a short command in a checkout; return all that must be equal.

    Parameters
    ----------
    words : sequence of str
        From ``commands``.
    checkout, data : Path
    out : Path
        For what it writes; what others wrote there is there, a backbone for instance.
    """
    out.mkdir(exist_ok=True)
    records, saved, submission = out / "records", out / "saved", out / "submission.csv"
    for path in (saved, submission, *records.glob("*")):
        path.unlink(missing_ok=True)
    execute(checkout, WITNESS, [word.format(data=data, out=out) for word in words], saved)
    (path,) = records.glob("*.json")
    record = without_measures(json.loads(path.read_text(encoding="utf-8")))
    if "plan" in record:
        record["plan"] = {
            name: value
            for name, value in record["plan"].items()
            if name not in LATER or value != LATER[name]
        }
    claims = {AUDITED + finding["claim"]: finding for finding in record.pop("audit", [])}
    return (
        {name: value for name, value in record.items() if name not in AROUND}
        | claims
        | {
            "saved": saved.read_text(encoding="utf-8").split() if saved.exists() else [],
            "submission": submission.read_text(encoding="utf-8") if submission.exists() else None,
        }
    )


def execute(checkout: Path, code: str, words: Iterable[str], saved: Path | None = None) -> None:
    """Run code with a checkout's own modules, in one thread."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (checkout, checkout / "scripts"))),
        "OMP_NUM_THREADS": "1",
        "SAVED": str(saved),
    }
    command = [sys.executable, "-c", code, *words]
    subprocess.run(command, cwd=checkout, env=environment, check=True, stdout=subprocess.DEVNULL)


def without_measures(value: Any) -> Any:
    """Return the same without what is called as one of ``MEASURED``, at any depth."""
    if isinstance(value, dict):
        return {k: without_measures(v) for k, v in value.items() if k not in MEASURED}
    return [without_measures(v) for v in value] if isinstance(value, list) else value


def write_images(data: Path) -> None:
    """Write made-up data sets: a Fashion-MNIST, a small CIFAR-10, and a tree of three classes.

    ImageNet's weights cannot be made up: there is a link to them, where the data folder has them.

    Parameters
    ----------
    data : Path
        The data folder, made if it is not there.
    """
    rng = np.random.default_rng(0)
    raw = data / "fashion-mnist" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in FASHION.items():
        pixels = rng.integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
        labels = (rng.permutation(count) % 10).astype(np.uint8)
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
            file = raw / f"{part}-{kind}-ubyte"
            file.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())
    trees = {"cifar10": (CLASSES, CIFAR), "shapes": ("abc", {"train": 12})}
    for name, (classes, parts) in trees.items():
        for part, count in parts.items():
            for kind in classes:
                folder = data / name / part / kind
                folder.mkdir(parents=True)
                for i in range(count):
                    pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                    Image.fromarray(pixels).save(folder / f"{i}.jpg")
    for file in data_folder().glob("**/alexnet-*.pth"):
        (data / file.name).symlink_to(file)


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
