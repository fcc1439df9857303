"""The record of a training that is too long for every build: written once, drawn at each."""

import ast
import hashlib
import json
import platform
import resource
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).resolve().parent
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# What the steps of a training follow from. A change of one of them makes a record stale.
CODE = ("training.py", "modules.py", "processes.py", "networks.py")


def write_record(record: dict[str, Any], path: Path) -> None:
    """Write a record as JSON, whole or not at all.

    Parameters
    ----------
    record : dict
    path : Path
        Its folder is made if it is not there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    try:
        text = json.dumps(record, indent=1, ensure_ascii=False)
        beside.write_text(text + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any]:
    """Return a record.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        If the code that trains has changed since: then the numbers are those of another program.
    """
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["code"] != code_sha256():
        raise ValueError(
            f"{path.name}: expected a record of today's code {code_sha256()[:12]}, got one of "
            f"{record['code'][:12]}; run {record['command']} again"
        )
    return record


def code_sha256(paths: Iterable[Path] | None = None) -> str:
    """Return a hash of the code that trains, blind to comments, docstrings and layout.

    Parameters
    ----------
    paths : iterable of Path, optional
        The files; those of this package that a training follows from, if left out.
    """
    digest = hashlib.sha256()
    for path in [HERE / name for name in CODE] if paths is None else paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, _DOCUMENTED) and node.body and _is_docstring(node.body[0]):
                node.body = node.body[1:]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def environment(device: torch.device) -> dict[str, Any]:
    """Return what a training ran with, memory in bytes, and nothing that names the machine.

    Parameters
    ----------
    device : torch.device
    """
    return {
        "libraries": {"python": platform.python_version()}
        | {name: version(name) for name in ("nn_tutorial", "torch", "torchvision")},
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
