"""The record of a training that is too long for every build: written once, drawn at each.

A record holds a hash of each definition that its numbers follow from, and is refused when one of
them is another today, and when it contradicts itself. PyTorch, torchvision and NumPy are not among
the definitions. A release of theirs moves the last bits of a training, and so its curves, no more
than another seed does; to train for days at each would buy nothing. The record says under
``libraries`` with which ones it was made.
"""

import json
import platform
import shlex
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..files import write_named
from ..verify.reached_code import reached_code
from .consistency import contradictions, not_finite, seal

ROOT = Path(__file__).absolute().parents[2]  # decides no number: where the scripts are
PUBLISHED = ROOT / "docs" / "records"  # decides no number: what the pages draw


def write_record(record: dict[str, Any], path: Path) -> None:
    """Write a record as JSON with a seal, whole or not at all.

    Parameters
    ----------
    record : dict
    path : Path
        Its folder is made if it is not there.

    Raises
    ------
    ValueError
        If it contradicts itself, or a number is not finite; see ``consistency``.
    """
    _raise_if(contradictions(record), path)
    record = {name: value for name, value in record.items() if name != "seal"}
    write_json(record | {"seal": seal(record)}, path)


def write_json(value: dict[str, Any], path: Path) -> None:  # decides no number: it writes
    """Write a part of a record as JSON, whole or not at all.

    Parameters
    ----------
    value : dict
    path : Path
        Its folder is made if it is not there.

    Raises
    ------
    ValueError
        If a number is not finite.
    OSError
        If it cannot be written.
    """
    _raise_if(not_finite(value), path)
    text = json.dumps(value, indent=1, ensure_ascii=False)
    with write_named(path, "record") as beside:
        beside.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path, root: Path = ROOT) -> dict[str, Any]:
    """Return a record, without its seal.

    Parameters
    ----------
    path : Path
    root : Path
        Of the project whose code it should be of.

    Raises
    ------
    ValueError
        If it contradicts itself or was changed after it was written; the message names the fields.
        If code that its numbers follow from has changed since: then they are those of another
        program. The message names each definition that is another, new or gone.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _raise_if([*contradictions(record), *_broken(record)], path)
        record.pop("seal")
    except (AttributeError, KeyError, TypeError, IndexError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path.name}: expected a whole record, got {type(error).__name__}: {error}"
        ) from error
    was, now = record["code"], code_of(record["command"], root)
    if was != now:
        publish = " --publish" if path.absolute().parent == PUBLISHED else ""
        raise ValueError(
            f"{path.name}: expected a record of today's code, got one of other code: "
            f"{_difference(was, now)}; run {record['command']}{publish} again"
        )
    return record


def _raise_if(wrong: Iterable[str], path: Path) -> None:  # decides no number: it refuses
    found = [*wrong]
    if found:
        more = f"; and {len(found) - 6} more" if len(found) > 6 else ""
        raise ValueError(
            f"{path.name}: expected a record that agrees with itself, "
            f"got one that does not: {'; '.join(found[:6])}{more}"
        )


def _broken(record: dict[str, Any]) -> Iterator[str]:
    """The fields that are not as they were sealed."""
    was, now = record.get("seal", {}), seal(record)
    if difference := _difference(was, now):
        yield f"since it was written, fields {difference}"


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
    import resource  # here: Windows has none, and reads records all the same

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
