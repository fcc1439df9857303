"""The files that run Python in a page, by their places in the site, and what a page must know."""

import gzip
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nn_tutorial.exercises.catalogue import TOPICS
from nn_tutorial.files import write_whole

from ..render.mathematics import node
from . import wheels

HERE = Path(__file__).resolve().parent
PLACE = "assets/runtime/"
MANIFEST = f"{PLACE}manifest.json"
SCRIPTS = "assets/javascripts/running/"
CORE = ("pyodide.js", "pyodide.asm.js")  # also as they are, for where a policy forbids more
DATA = ("datasets/data/iris.csv", "datasets/data/digits.csv.gz")  # of scikit-learn
PICTURES = ("datasets/images/china.jpg", "datasets/images/flower.jpg")  # fetched when asked for
FILES = ("benchmarks/chapters.json", "benchmarks/in_page.json")  # that pages read
# A page's Markdown is rendered as the site's is, by these.
LIBRARIES = {
    "Markdown": re.compile(r"markdown/(?!test_tools|__main__)"),
    "pymdown-extensions": re.compile(
        r"pymdownx/(__init__|__meta__|util|details|superfences|highlight|arith|sanehead|quotes)"
    ),
}


@dataclass(frozen=True)
class Runtime:
    """What the site holds of it.

    Attributes
    ----------
    files : dict of str to bytes
        By their places in the site.
    manifest : dict
        The folders, the files with their bytes, and the versions.
    """

    files: dict[str, bytes]
    manifest: dict[str, Any]


def runtime(root: Path, cache: Path) -> Runtime:
    """Return the runtime: what was compiled before is taken from the cache.

    Parameters
    ----------
    root : Path
        Of the project, in which `node_modules` lies.
    cache : Path

    Raises
    ------
    wheels.WheelError
        If a file is not what Pyodide's lock file says.
    wheels.NoWheelError
        If a wheel is nowhere to be had.
    """
    core = root / "node_modules" / "pyodide"
    lock = json.loads((core / "pyodide-lock.json").read_text(encoding="utf-8"))
    recipe = _hash(*(path.read_bytes() for path in sorted(HERE.glob("pack.*"))))
    names = {name: lock["packages"][name]["sha256"] for name in wheels.NAMES}
    key = _hash(json.dumps([lock["info"], names]).encode(), recipe.encode())
    fixed = _kept(cache / f"core-{key}", lambda folder: _make_core(core, cache, folder))
    book = {"book.zip": _zipped(_sources(root)), "markdown.zip": _zipped(_libraries())}
    book["pictures.zip"] = _zipped(_shipped(PICTURES))
    key = _hash(*book.values(), recipe.encode(), json.dumps(lock["info"]).encode())
    own = _kept(cache / f"book-{key}", lambda folder: _make_book(core, book, folder))
    own |= {"exercises.json": exercises()}
    return _laid_out(fixed, own, _scripts(root, cache), lock)


def _laid_out(
    core: dict[str, bytes],
    book: dict[str, bytes],
    scripts: dict[str, bytes],
    lock: dict[str, Any],
) -> Runtime:
    """Each part in a folder named by its hash: it is never another, and a browser can keep it."""
    files = {SCRIPTS + name: content for name, content in scripts.items()}
    folders: dict[str, str] = {}
    sizes: dict[str, list[Any]] = {}
    for part, content in (("core", core), ("book", book)):
        sha = _hash(*(name.encode() + data for name, data in sorted(content.items())))
        folders[part] = f"{PLACE}{sha}/"
        files |= {folders[part] + name: data for name, data in content.items()}
        sizes |= {name: [part, len(data)] for name, data in content.items()}
    manifest = {
        "folders": folders,
        "files": sizes,
        "lock": {"info": lock["info"], "packages": {}},  # Pyodide asks for it: nothing is loaded
        "versions": {
            "pyodide": lock["info"]["version"],
            "python": lock["info"]["python"],
            "numpy": lock["packages"]["numpy"]["version"],
            "matplotlib": lock["packages"]["matplotlib"]["version"],
        },
    }
    files[MANIFEST] = json.dumps(manifest, indent=1).encode() + b"\n"
    return Runtime(files, manifest)


def _kept(folder: Path, make: Any) -> dict[str, bytes]:
    """Return the files of a folder of the cache, which is whole or not there."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(folder) as beside:
            beside.mkdir()
            make(beside)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _make_core(core: Path, cache: Path, folder: Path) -> None:
    """Python itself, its library, NumPy and matplotlib."""
    given = {"python_stdlib.zip": (core / "python_stdlib.zip").read_bytes()}
    given |= {
        path.name: path.read_bytes()
        for path in wheels.wheels(core / "pyodide-lock.json", cache / "wheels")
    }
    packed = _packed(core, given)
    for name in CORE:
        (folder / name).write_bytes((core / name).read_bytes())
    for name in ("pyodide.asm.js", "pyodide.asm.wasm"):
        packed[name] = (core / name).read_bytes()
    for name, content in packed.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))


def _make_book(core: Path, book: dict[str, bytes], folder: Path) -> None:
    for name, content in _packed(core, book).items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))


def _scripts(root: Path, cache: Path) -> dict[str, bytes]:
    """The editor, in one file, and KaTeX as it is."""
    modules = root / "node_modules"
    pins = (root / "package-lock.json").read_bytes()
    key = _hash((HERE / "editor.mjs").read_bytes(), pins)

    def make(folder: Path) -> None:
        command = [str(modules / ".bin" / "esbuild"), str(HERE / "editor.mjs"), "--bundle"]
        command += ["--format=esm", "--minify", "--log-level=warning", "--legal-comments=eof"]
        subprocess.run([*command, f"--outfile={folder / 'editor.js'}"], check=True)
        (folder / "katex.js").write_bytes((modules / "katex/dist/katex.min.js").read_bytes())

    return _kept(cache / f"scripts-{key}", make)


def _packed(core: Path, given: dict[str, bytes]) -> dict[str, bytes]:
    """Let Node run Pyodide, and that compile and pack some files."""
    with tempfile.TemporaryDirectory(prefix="runtime-") as folder:
        here, there = Path(folder) / "in", Path(folder) / "out"
        here.mkdir()
        there.mkdir()
        for name, content in given.items():
            (here / name).write_bytes(content)
        command = [node(), str(HERE / "pack.mjs"), str(core), str(here), str(there)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            raise RuntimeError(f"Pyodide could not pack {', '.join(given)}:\n{done.stderr}")
        return {path.name: path.read_bytes() for path in sorted(there.iterdir())}


def _zipped(files: Iterator[tuple[str, bytes]]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return written.getvalue()


def _sources(root: Path) -> Iterator[tuple[str, bytes]]:
    """The book's own: its package, what runs it in a page, its small data."""
    scripts = root / "scripts"
    for folder, below in ((root, "nn_tutorial"), (scripts, "in_page")):
        for path in (folder / below).rglob("*.py"):
            if "pytorch" not in path.parts:
                yield path.relative_to(folder).as_posix(), path.read_bytes()
    for name in ("__init__", "render/__init__", "render/mathml", "render/typography"):
        yield f"sitegen/{name}.py", (scripts / f"sitegen/{name}.py").read_bytes()
    yield from ((name, (root / name).read_bytes()) for name in FILES if (root / name).is_file())
    yield "sklearn/__init__.py", b""  # nothing of it but its data
    yield from _shipped(DATA)


def _shipped(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Files of scikit-learn, which need not be imported for that."""
    found = importlib.util.find_spec("sklearn")
    if found is not None and found.origin is not None:
        for name in names:
            yield f"sklearn/{name}", (Path(found.origin).parent / name).read_bytes()


def _libraries() -> Iterator[tuple[str, bytes]]:
    for library, chosen in LIBRARIES.items():
        for file in importlib.metadata.files(library) or ():
            name = file.as_posix()
            if (name.endswith(".py") and chosen.match(name)) or "licenses/" in name:
                yield name, file.read_binary()


def exercises() -> bytes:
    """What a page must know of the exercises before Python runs."""
    known = {
        exercise.name: {
            "title": exercise.title,
            "task": exercise.task,
            "page": exercise.page,
            "topic": topic,
            "stub": exercise.stub,
            "hints": exercise.hints,
            "solution": exercise.solution,
        }
        for topic, exercises in TOPICS.items()
        for exercise in exercises
    }
    return json.dumps(known).encode()


def _hash(*parts: bytes | str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:16]
