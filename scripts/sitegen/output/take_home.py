"""The notebooks that the site offers: each runs where it lands, after its own first cell."""

import functools
import hashlib
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nn_tutorial.files import write_whole
from nn_tutorial.pages.at_home import for_jupyter

from ..render import figures
from ..render import notebook as staged
from ..run.execute import Executed

# What the package is made of; setup.py says what of the book comes along.
_MADE_OF = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "mkdocs.yml")
_FOLDERS = ("nn_tutorial", "docs", "benchmarks", "scripts", "tests/pytorch")
_KINDS = {".py", ".md", ".json", ".typed"}
_HIDDEN = {"hide-input", "remove-input", "remove-cell"}
_NAMED = re.compile(r'"((?:benchmarks|docs/records)/[\w-]+\.json)"')
# setuptools comes with PyTorch, which asks for the same version at least as pyproject.toml.
_BUILD = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"


def offered(
    pages: Iterable[Executed], folder: Path, root: Path, *, site: str, repository: str
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the notebooks by their places in the site, and what has to lie there for them.

    Parameters
    ----------
    pages : iterable of Executed
    folder : Path
        With the staged notebooks.
    root : Path
        The project's.
    site, repository : str
        Addresses; ``""`` where there is none.
    """
    if not (root / "pyproject.toml").is_file():  # a book without a package
        return {}, {}
    name = wheel_name(root)
    package = requirement(site, repository, name)
    made = {}
    for done in pages:
        text = (folder / place(done.page.name)).read_text(encoding="utf-8")
        files = needed(done.page.source, done.notebook.metadata.nn_tutorial.depends_on)
        whole = notebook(text, f"{done.page.name}.py", files, package, site)
        made[place(done.page.name)] = whole.encode()
    more = {} if repository else {name: wheel(root, root / ".cache" / "wheel")}
    return made, more


@functools.lru_cache(maxsize=64)  # for `make serve`: most are as they were
def notebook(text: str, source: str, files: tuple[str, ...], package: str, site: str) -> str:
    """Return a page's notebook with its first cell, and with text that Jupyter shows.

    Parameters
    ----------
    text : str
        The notebook.
    source : str
        The page's file below ``docs``.
    files : tuple of str
        What it reads; see ``needed``.
    package : str
        What pip is to install; see ``requirement``.
    site : str
        Its address; ``""`` where there is none.
    """
    book: dict[str, Any] = json.loads(text)
    for cell in book["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = for_jupyter(_joined(cell["source"]), source, site)
            continue
        if _HIDDEN.intersection(cell["metadata"].get("tags", ())):
            cell["metadata"]["jupyter"] = {"source_hidden": True}
        for data in (output.get("data", {}) for output in cell["outputs"]):
            if "text/markdown" in data:
                shown = for_jupyter(_joined(data["text/markdown"]), source, site)
                data["text/markdown"] = shown
    book["cells"].insert(0, _first(source, files, package, site))
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _first(source: str, files: tuple[str, ...], package: str, site: str) -> dict[str, Any]:
    """The cell that makes the notebook run in any folder."""
    here = "" if ":" in package else " The file of the package must lie beside this notebook."
    arguments = ", ".join(f'"{name}"' for name in (source, site, *files))
    lines = [
        "# Run this cell first. It installs what the page uses, and brings the files that it "
        f"reads.{here}",
        f'%pip install --quiet "{package}"',
        "from nn_tutorial.pages.at_home import prepare",
        "",
        f"prepare({arguments})",
    ]
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "first",
        "metadata": {},
        "outputs": [],
        "source": "\n".join(lines),
    }


def requirement(site: str, repository: str, wheel: str) -> str:
    """Return what pip is to install: from the repository, the site, or the notebook's folder.

    Parameters
    ----------
    site, repository : str
        Addresses; ``""`` where there is none.
    wheel : str
        The name of the package's file, which the site carries if there is no repository.
    """
    if repository:
        return f"nn_tutorial[notebooks] @ git+{repository.rstrip('/')}"
    if site:
        return f"nn_tutorial[notebooks] @ {site.rstrip('/')}/{wheel}"
    return f"./{wheel}[notebooks]"


def needed(source: str, depends_on: Iterable[str]) -> tuple[str, ...]:
    """Return which files of the repository a page reads: those that its run has noted or it names.

    It names more than it reads where data is missing, or was there. A page that reads other pages
    gets them all: the folder.
    """
    found = set(_NAMED.findall(source))
    for kind, _, name in (what.partition(" ") for what in depends_on):
        if kind in ("file", "skeleton") and not name.startswith(("nn_tutorial/", "$", "/")):
            is_page = name.startswith("docs/") and name.endswith((".py", ".md"))
            found.add("docs" if is_page else name)
    return tuple(sorted(found))


def wheel_name(root: Path) -> str:
    """Return the name of the package's file, which has its version in it."""
    about = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{about['name']}-{about['version']}-py3-none-any.whl"


def wheel(root: Path, cache: Path) -> bytes:
    """Return the package as pip installs it, made once from the same files.

    Parameters
    ----------
    root : Path
        The project's.
    cache : Path
        The folder in which it is kept.
    """
    kept = cache / _made_of(root) / wheel_name(root)
    if not kept.is_file():
        shutil.rmtree(cache, ignore_errors=True)
        kept.parent.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as folder, write_whole(kept) as beside:
            # Not in the repository: setuptools leaves what it makes on the way.
            copy = Path(folder, "copy")
            for path in _files(root):
                there = copy / path.relative_to(root)
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, there)
            command = [sys.executable, "-c", _BUILD, str(beside.parent)]
            subprocess.run(command, cwd=copy, check=True, capture_output=True, env=os.environ)
    return kept.read_bytes()


def _made_of(root: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(root):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files(root: Path) -> list[Path]:
    found = [root / name for name in _MADE_OF]
    for folder in _FOLDERS:
        found += (p for p in (root / folder).rglob("*") if p.suffix in _KINDS)
    return sorted(path for path in found if path.is_file())


def place(page: str) -> str:
    """Return where the notebook of a page lies, below the site and in the branch of notebooks."""
    return posixpath.join(figures.folder(page), f"{staged.stem(page)}.ipynb")
