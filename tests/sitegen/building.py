"""Build a small book in a process of its own, which begins with MkDocs imported.

Half of a small build is its imports. `multiprocessing` keeps one process that has made them, and
forks it for each build: no build sees what another one did.
"""

import multiprocessing
import os
import sys
import warnings
from pathlib import Path

# What MkDocs and the hooks import. Nothing of the project itself: a book brings that along.
IMPORTED = [
    "bs4", "fontTools.subset", "jupyter_client.manager", "lxml.html", "material.extensions.emoji",
    "mkdocs.__main__", "mkdocs.commands.build", "mkdocs_jupyter.plugin", "mkdocstrings", "nbclient",
    "nbformat.v4", "numpy", "PIL.ImageDraw", "pymdownx.superfences",
]  # fmt: skip


def build(root: Path, environment: dict[str, str], log: Path) -> int:
    """Build the book in a folder strictly; return the exit status."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(IMPORTED)
    process = processes.Process(target=_build, args=(root, environment, log))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _build(root: Path, environment: dict[str, str], log: Path) -> None:
    os.environ.update(environment)
    os.chdir(root)
    sys.path.insert(0, str(root))
    warnings.simplefilter("default")
    with log.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from mkdocs.__main__ import cli

    cli(["build", "--strict"])
