"""The record of a training that is too long for every build: written once, drawn at each.

A record holds a hash of each definition that its numbers follow from, and is refused when one of
them is another today. PyTorch, torchvision and NumPy are not among them. A release of theirs moves
the last bits of a training, and so its curves, no more than another seed does; to train for days at
each would buy nothing. The record says under ``libraries`` with which ones it was made.
"""

import json
import platform
import resource
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..files import write_whole
from ..verify.reached_code import reached_code

ROOT = Path(__file__).absolute().parents[2]  # decides no number: where the scripts are


def write_record(record: dict[str, Any], path: Path) -> None:
    """Write a record as JSON, whole or not at all.

    Parameters
    ----------
    record : dict
    path : Path
        Its folder is made if it is not there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    with write_whole(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path, root: Path = ROOT) -> dict[str, Any]:
    """Return a record.

    Parameters
    ----------
    path : Path
    root : Path
        Of the project whose code it should be of.

    Raises
    ------
    ValueError
        If code that its numbers follow from has changed since: then they are those of another
        program. The message names each definition that is another, new or gone.
    """
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    was, now = record["code"], code_of(record["command"], root)
    if was != now:
        raise ValueError(
            f"{path.name}: expected a record of today's code, got one of other code: "
            f"{_difference(was, now)}; run {record['command']} again"
        )
    return record


def code_of(command: str, root: Path = ROOT) -> dict[str, str]:  # decides no number: it tells code
    """Return each definition that the numbers of a script follow from, and a hash of it.

    Parameters
    ----------
    command : str
        ``"python scripts/NAME.py"``, with or without options.
    root : Path
        The project's.

    Raises
    ------
    ValueError
        If the command runs no script of the project.
    """
    _, script, *_ = [*shlex.split(command), "", ""]
    if script != f"scripts/{Path(script).stem}.py":
        raise ValueError(f"command: expected 'python scripts/NAME.py', got {command!r}")
    return reached_code(Path(script).stem, root)


def _difference(was: dict[str, str], now: dict[str, str]) -> str:
    """What the definitions of one day are on another, in words."""
    was = was if isinstance(was, dict) else {}  # a record from before there was such a list
    kinds = {
        "changed": [name for name in was if name in now and was[name] != now[name]],
        "new": [name for name in now if name not in was],
        "gone": [name for name in was if name not in now],
    }
    return "; ".join(
        f"{kind}: {', '.join(names[:8])}" + (f" and {len(names) - 8} more" if names[8:] else "")
        for kind, names in kinds.items()
        if names
    )


def environment(device: torch.device) -> dict[str, Any]:
    """Return what a training ran with, memory in bytes, and nothing that names the machine.

    Parameters
    ----------
    device : torch.device
    """
    return {
        "libraries": {"python": platform.python_version()}
        | {name: version(name) for name in ("nn_tutorial", "numpy", "torch", "torchvision")},
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "threads": torch.get_num_threads(),
        "peak_memory": _peak_memory(device),
    }


def _peak_memory(device: torch.device) -> int:
    """The most memory in bytes: of the GPU's tensors, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
