"""What a page depends on: each thing under a name, with the state that it was in during the run.

A name is a kind and what it is about: `file numbers.txt`, `body nn_tutorial/layers/relu.py#1 relu`.
The kinds are the methods of `Present`, which say in which state a thing is now.
"""

import ast
import functools
import hashlib
import json
import os
import platform
import posixpath
import re
import sysconfig
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path
from typing import Any

from nn_tutorial.data import data_folder
from nn_tutorial.verify.reached_code import reached_code

from . import definitions
from .definitions import Definitions
from .page import Page
from .probe import NOT_WATCHED

HERE = Path(__file__).resolve().parent
DATA = "$NN_TUTORIAL_DATA/"  # how a file of the data folder is named
NOTHING = "-"
UNKNOWN = "changed during the run"  # nobody knows what the page saw
PIPELINE = ("definitions.py", "dependencies.py", "execute.py", "page.py", "probe.py")
# Programs that the libraries ask about the machine. Any other may run code of the project.
HARMLESS = {"fc-list", "file", "gcc", "ld", "ldconfig", "lscpu", "nvidia-smi", "uname"}
# For pages more reveals docstrings, as nobody knows what they do with it.
REVEALING = definitions.REVEALING | {"vars", "__dict__"}
# Where Python's modules are, and those that are installed.
_LIBRARIES = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]


class Present:
    """The state of things in a project now: each is looked at once, until `look_again`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._apart: dict[str, Definitions | None] = {}
        self.look_again()

    def look_again(self) -> None:
        """Forget what may have changed since."""
        self._states: dict[str, str] = {}
        self._contents: dict[str, tuple[bytes, str]] = {}

    def state(self, name: str) -> str:
        """Return the state of a thing that a page can depend on."""
        if name not in self._states:
            kind, _, about = name.partition(" ")
            self._states[name] = getattr(self, f"_{kind}")(about)
        return self._states[name]

    def sha(self, file: str) -> str:
        """Return the SHA-256 of a file by its name; `NOTHING` where there is none."""
        return self._content(file)[1]

    def path_of(self, file: str) -> Path:
        """Return where the file is that has this name."""
        if file.startswith(DATA):
            return data_folder().resolve() / file.removeprefix(DATA)
        return self.root / file

    def name_of(self, path: str) -> str | None:
        """Return how a file is named; None for one that a page cannot depend on."""
        file, data = Path(path), data_folder().resolve()
        if file.is_relative_to(data):
            return f"{DATA}{file.relative_to(data).as_posix()}"
        if file.is_relative_to(self.root):
            parts = file.relative_to(self.root).parts
            foreign = HERE in file.parents or (*parts, "")[0].endswith(".egg-info")
            if not NOT_WATCHED.intersection(parts) and not foreign:
                return "/".join(parts) or "."
        return None

    def parts(self, file: str) -> Definitions | None:
        """Return a Python file taken apart; None if it does not compile."""
        content, sha = self._content(file)
        if sha not in self._apart:
            try:
                self._apart[sha] = None if sha == NOTHING else definitions.read(content)
            except (SyntaxError, ValueError, Warning):
                self._apart[sha] = None
        return self._apart[sha]

    def python_files(self) -> Iterator[str]:
        """Return the names of the project's Python files that are no pages."""
        for folder, folders, files in os.walk(self.root, followlinks=True):
            folders[:] = sorted({*folders} - NOT_WATCHED - {"docs"})
            folders[:] = [name for name in folders if not name.startswith(".")]
            for file in sorted(files):
                if file.endswith(".py"):
                    yield (Path(folder) / file).relative_to(self.root).as_posix()

    def imports_project(self, file: str) -> bool:
        """Whether a script imports modules of the project by their names."""
        tree = ast.parse(self._content(file)[0])
        nodes = [*ast.walk(tree)]
        names = {
            alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
        }
        names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        return any(self._module(name.partition(".")[0]) != NOTHING for name in names)

    def changed_since(self, name: str, began: float) -> bool:
        """Whether a file is younger than a run that read it."""
        kind, _, about = name.partition(" ")
        path = self.path_of(about.partition("#")[0])
        read = kind in ("code", "file", "source")
        return read and path.is_file() and path.stat().st_mtime > began

    def _content(self, file: str) -> tuple[bytes, str]:
        """Of a Python file the bytes; of every file the hash."""
        if file not in self._contents:
            path = self.path_of(file)
            try:
                about = path.stat()
                content = path.read_bytes() if path.suffix == ".py" else b""
                version = about.st_mtime_ns, about.st_size
                # A file as young as this may change once more without a sign.
                settled = not content and time.time() - about.st_mtime > 2
                sha = _sha_of(path, version) if settled else _sha_of.__wrapped__(path, version)
                self._contents[file] = content, sha
            except OSError:  # a folder, or nothing
                self._contents[file] = b"", NOTHING
        return self._contents[file]

    # The kinds. What each is about stands in the argument's name.

    def _file(self, file: str) -> str:
        return self.sha(file)

    def _code(self, file: str) -> str:
        parts = self.parts(file)
        return NOTHING if parts is None else parts.code

    def _skeleton(self, file: str) -> str:
        parts = self.parts(file)
        return NOTHING if parts is None else parts.skeleton.sha

    def _body(self, file_number_function: str) -> str:
        file, _, function = file_number_function.partition("#")
        parts, number = self.parts(file), int(function.partition(" ")[0])
        known = parts is not None and number < len(parts.bodies)
        return parts.bodies[number].sha if known and parts else NOTHING

    def _source(self, file_definition: str) -> str:
        file, _, definition = file_definition.partition("#")
        parts = self.parts(file)
        return NOTHING if parts is None else parts.texts.get(definition, NOTHING)

    def _names(self, folder: str) -> str:
        path = self.path_of(folder)
        if not path.is_dir():
            return NOTHING
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))  # noqa: PTH208
        return _hash(name for name in names if name not in NOT_WATCHED)

    def _exists(self, file: str) -> str:
        path = self.path_of(file)
        if path.is_dir():
            return "folder"
        return f"{path.stat().st_size} bytes" if path.is_file() else NOTHING

    def _reached(self, script: str) -> str:
        """What the numbers of a script follow from, of which a record has a copy."""
        read = tuple((file, self.sha(file)) for file in self.python_files())
        return _reached(script, self.root, read)

    def _programs(self, _: str) -> str:
        return _hash(self.python_files())

    def _module(self, place: str) -> str:
        for end in ("/__init__.py", *EXTENSION_SUFFIXES, ".py"):  # in the order of Python's search
            if (self.root / f"{place}{end}").is_file():
                return end
        return "folder" if (self.root / place).is_dir() else NOTHING

    def _outside(self, folders_modules: str) -> str:
        """Those of some modules, found elsewhere, that would now be found in the project."""
        folders, modules = json.loads(folders_modules)
        return " ".join(sorted({*modules}.intersection(*(self._offers(f) for f in folders))))

    def _missing(self, folders_modules: str) -> str:
        """Those of some modules, found nowhere, that would now be found."""
        _, modules = json.loads(folders_modules)
        found = {name for name in modules if PathFinder.find_spec(name, _LIBRARIES) is not None}
        return " ".join(sorted(found)) + self._outside(folders_modules)

    def _offers(self, folder: str) -> set[str]:
        """The modules in a folder."""
        path = self.path_of(folder)
        entries = list(path.iterdir()) if path.is_dir() else []
        return {
            entry.name.partition(".")[0]
            for entry in entries
            if entry.name.endswith((".py", *EXTENSION_SUFFIXES))
            or (entry / "__init__.py").is_file()
        }

    def _pin(self, distribution: str) -> str:
        pins = [
            f"{file}: {pin}"
            for file in ("requirements.txt", "constraints.txt")
            for pin in _pins(self._text(file)).get(distribution, ())
        ]
        return ", ".join([*pins, f"installed: {_installed(distribution)}"])

    def _text(self, file: str) -> str:
        path = self.root / file
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _python(self, _: str) -> str:
        return platform.python_version()

    def _pipeline(self, _: str) -> str:
        return _pipeline()

    def _data(self, _: str) -> str:
        """What is in the data folder: a page that found no data has opened no file of it."""
        folder = data_folder()
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return _hash(sorted(name for name in names if not name.startswith(".")))


def of_run(did: dict[str, Any], present: Present, page: Page, began: float) -> dict[str, str]:
    """Return the names and states of what a page depends on, by what its probe says that it did.

    Parameters
    ----------
    did : dict
        From `Probe.finish`.
    present : Present
    page : Page
    began : float
        When the run began: what has changed since may not be what the page saw.
    """
    present.look_again()
    names = {"python", "pipeline"} | ({"data"} if did["asked_for_data"] else set())
    used = distributions_of(did["packages"])
    names |= {f"pin {name}" for name in _with_needs([*used, "nbclient"])}
    for kind, paths in (("file", "opened"), ("names", "listed"), ("exists", "tried")):
        names |= {f"{kind} {name}" for path in did[paths] if (name := present.name_of(path))}
    names |= {f"reached {script}" for script in did["reached"]}
    for path, definition in did["shown"]:
        if file := present.name_of(path):
            parts = present.parts(file)
            known = parts is not None and definition in parts.texts  # no module, no lambda
            names.add(f"source {file}#{definition}" if known else f"file {file}")
    names |= _of_imports(did, present)
    names |= {name for arguments in did["started"] for name in _of_process(arguments, present)}
    unknown = {name for name in names if present.changed_since(name, began)}
    reveals = page_reveals(page)
    files = {present.name_of(path) or path: about for path, about in did["modules"].items()}
    for file, (sha, ran) in files.items():
        parts = present.parts(file)
        names.add(f"skeleton {file}")
        if parts is None or present.sha(file) != sha:
            unknown.add(f"skeleton {file}")
            continue
        names |= {f"body {file}#{number} {parts.bodies[number].name}" for number in ran}
        reveals |= any(part.reveals for part in (parts.skeleton, *(parts.bodies[i] for i in ran)))
    if reveals:
        names |= {f"file {file}" for file in files}
    return {name: UNKNOWN if name in unknown else present.state(name) for name in sorted(names)}


def distributions_of(packages: Iterable[str]) -> set[str]:
    """Return the names of the installed distributions that some packages come from."""
    return {owner.lower() for name in packages for owner in _owners().get(name, ())}


def behind(names: Iterable[str], present: Present) -> dict[str, str]:
    """Return the hashes of the files that are depended on in part: while they hold, so do all."""
    return {file: present.sha(file) for name in names if (file := _taken_apart(name))}


def changed(depends_on: dict[str, str], files: dict[str, str], present: Present) -> Iterator[str]:
    """Return what is not as it was, in words; `files` are from `behind`."""
    as_they_were = {file for file, sha in files.items() if present.sha(file) == sha}
    for name, state in depends_on.items():
        if state != UNKNOWN and _taken_apart(name) in as_they_were:
            continue
        if present.state(name) != state:
            yield _in_words(name)


def page_reveals(page: Page) -> bool:
    """Whether a page can see docstrings and the like."""
    code = [cell.source for cell in page.code]
    code += [f"f'''{{ {text} }}'''" for cell in page.cells for text in cell.expressions]
    try:
        return any(definitions.reveals(ast.parse(part), REVEALING) for part in code)
    except SyntaxError:  # IPython's own, such as `relu?`
        return True


@functools.cache
def _taken_apart(name: str) -> str:
    """The file of which a name means a part."""
    kind, _, about = name.partition(" ")
    return about.partition("#")[0] if kind in ("body", "code", "skeleton", "source") else ""


def _of_imports(did: dict[str, Any], present: Present) -> set[str]:
    """The places where modules of the project were looked for, and that others were not there."""
    path = [name for folder in did["path"] if (name := present.name_of(folder))]
    places = set()
    for module, package in did["asked"]:
        folders = [present.name_of(package)] if package else path
        places |= {
            posixpath.join(folder, module.rpartition(".")[2]) for folder in folders if folder
        }
    return {f"module {posixpath.normpath(place)}" for place in places} | {
        f"{kind} {json.dumps([path, did[kind]])}" for kind in ("outside", "missing")
    }


def _of_process(arguments: list[str], present: Present) -> set[str]:
    """What a process may run: the whole project, if it is not known to run less."""
    if Path(arguments[0]).name in HARMLESS:
        return set()
    scripts = [
        name for part in arguments if part.endswith(".py") and (name := present.name_of(part))
    ]
    if "-I" in arguments and scripts and not present.imports_project(scripts[0]):
        folder = posixpath.dirname(scripts[0])
        files = present.path_of(folder).glob("*.py")
        return {f"names {folder}", *(f"code {folder}/{path.name}" for path in files)}
    return {"programs", *(f"code {file}" for file in present.python_files())}


def _in_words(name: str) -> str:
    kind, _, about = name.partition(" ")
    file, _, part = about.partition("#")
    return {
        "body": f"{part.partition(' ')[2]} in {file} does something else",
        "code": f"{file}, which a process may run, does something else",
        "data": "other data is there",
        "exists": f"{about} is there, is not there, or has another size",
        "file": f"{about} has changed",
        "missing": "a module is found that was not",
        "module": f"the module {about} is found elsewhere",
        "names": f"other files are in {about}",
        "outside": "a module of the project is found before one of a library",
        "pin": f"another version of {about}",
        "pipeline": "pages are run in another way",
        "programs": "other Python files are there, which a process may import",
        "python": "another version of Python",
        "reached": f"what the numbers of {about} follow from has changed",
        "skeleton": f"{file} does something else when it is imported",
        "source": f"the source of {part} in {file}, which is shown, has changed",
    }[kind]


def _with_needs(distributions: Iterable[str]) -> set[str]:
    """Some installed distributions with all that they require."""
    found: set[str] = set()
    todo = [*distributions]
    while todo:
        name = _canonical(todo.pop())
        if name not in found:
            found.add(name)
            todo += _needs(name)
    return found


@functools.lru_cache(maxsize=4096)
def _sha_of(path: Path, version: tuple[int, int]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.lru_cache(maxsize=64)
def _reached(script: str, root: Path, read: tuple[tuple[str, str], ...]) -> str:
    """A hash of what `reached_code` finds, with the files that it may read in their state."""
    try:
        return _hash(f"{name} {sha}" for name, sha in reached_code(script, root).items())
    except (SyntaxError, ValueError):
        return NOTHING


@functools.lru_cache(maxsize=8)
def _pins(requirements: str) -> dict[str, list[str]]:
    """The versions that a file of requirements names, by their distributions."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", requirements, re.MULTILINE):
        found.setdefault(_canonical(name), []).append(version)
    return found


@functools.cache
def _pipeline() -> str:
    return _hash(definitions.read((HERE / name).read_bytes()).code for name in PIPELINE)


@functools.cache
def _owners() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()  # looks at every file that is installed


@functools.cache
def _needs(distribution: str) -> list[str]:
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    # What an extra needs was either imported, or not used.
    return [re.split(r"[^\w.-]", line)[0] for line in lines if "extra ==" not in line]


@functools.cache
def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return NOTHING


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
