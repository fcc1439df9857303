"""The house as boxes and arrows of imports, those in functions too; and its longest functions."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest
from helpers import ROOT

PACKAGE = ROOT / "nn_tutorial"
ROOMS = {"data", "exercises", "layers", "pages", "pytorch", "training", "verify"}
Arrows = dict[str, set[str]]


def arrows(package: Path) -> Arrows:
    """Who imports whom: for each module of a package the modules of it that it names.

    A package that a module lies in is loaded too, but is no arrow: every module would point to the
    package's own. One that loads its modules by name points to all of them.
    """
    files = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found: Arrows = {}
    for name, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        home = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found[name] = {there for there in _named(tree, home, set(files)) if there != name}
        if "import_module" in path.read_text(encoding="utf-8"):
            found[name] |= {there for there in files if there.startswith(f"{name}.")}
    return found


def _named(tree: ast.Module, home: str, known: set[str]) -> Iterator[str]:
    """The modules that a module's imports name; `home` is the package it lies in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                source = resolve_name("." * node.level + source, home)
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield from [inner] if inner in known else [source] if source in known else []


def rooms(found: Arrows) -> Arrows:
    """The same between the folders; who imports the package itself imports all that it offers."""
    top = next(name for name in found if "." not in name)

    def room(module: str) -> str:
        return module.split(".")[1]

    between: Arrows = {}
    for module, there in found.items():
        if module == top:
            continue
        there = (there | found[top] if top in there else there) - {top}
        between.setdefault(room(module), set()).update(room(name) for name in there)
    return {name: there - {name} for name, there in between.items()}


def cycle(found: Arrows) -> list[str]:
    """A way along the arrows that ends where it began, or nothing."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])[::-1]  # the sorter's arrows lead the other way
    return []


def reached(found: Arrows, start: str) -> set[str]:
    """Where the arrows lead to, over any number of them."""
    seen: set[str] = set()
    left = [start]
    while left:
        left += (new := found.get(left.pop(), set()) - seen)
        seen |= new
    return seen


def test_modules_import_each_other_in_no_circle() -> None:
    assert cycle(arrows(PACKAGE)) == []


def test_rooms_import_each_other_in_no_circle() -> None:
    found = rooms(arrows(PACKAGE))
    assert found.keys() >= ROOMS
    assert cycle(found) == []


def test_layers_stand_on_nothing_that_looks_at_them() -> None:
    assert not reached(rooms(arrows(PACKAGE)), "layers") & {
        "exercises", "pages", "pytorch", "verify"
    }  # fmt: skip


def test_a_cycle_is_found_wherever_the_import_stands(tmp_path: Path) -> None:
    """In a function, over the package's own names, and by a module's name at run time."""
    for file, text in {
        "__init__.py": "from .layers.relu import relu",
        "layers/__init__.py": "",
        "layers/relu.py": "from ..checks import check\nfrom . import linear",
        "layers/linear.py": "def late():\n    from .relu import relu",
        "checks.py": "",
        "verify/__init__.py": "",
        "verify/mutants.py": "import house\nfrom ..pytorch import twins",
        "pytorch/__init__.py": "from importlib import import_module\nimport_module('.twins')",
        "pytorch/twins.py": "",
    }.items():
        path = tmp_path / "house" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = arrows(tmp_path / "house")
    assert set(cycle(found)) == {"house.layers.relu", "house.layers.linear"}
    assert found["house.pytorch"] == {"house.pytorch.twins"}
    assert rooms(found) == {
        "layers": {"checks"},
        "checks": set(),
        "verify": {"layers", "pytorch"},
        "pytorch": set(),
    }
    assert cycle(rooms(found)) == []
    (tmp_path / "house/pytorch/twins.py").write_text("from house.verify import mutants")
    found = arrows(tmp_path / "house")
    assert set(cycle(rooms(found))) == {"verify", "pytorch"}
    (tmp_path / "house/checks.py").write_text("def late():\n    import house.pytorch.twins")
    found = rooms(arrows(tmp_path / "house"))
    assert reached(found, "layers") == {"checks", "pytorch", "verify", "layers"}


@pytest.mark.parametrize(
    "file",
    [
        str(path.relative_to(ROOT))
        for folder in ("nn_tutorial", "scripts", "benchmarks")
        for path in sorted((ROOT / folder).rglob("__init__.py"))
    ],
)
def test_a_folder_says_in_one_sentence_what_lives_there(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    first = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    assert 20 <= len(first) <= 100
    assert first.endswith(".")
    assert ". " not in first


def test_a_folder_of_modules_is_a_package() -> None:
    """So that each has a first file that speaks of it; `scripts` holds programs."""
    for folder in ("nn_tutorial", "scripts/sitegen"):
        for path in (ROOT / folder).rglob("*.py"):
            assert (path.parent / "__init__.py").is_file(), path


def test_the_readme_names_the_rooms_and_nothing_else() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = text.partition("## What is where\n\n```\n")[2].partition("```")[0].splitlines()
    assert len(lines) == 10
    named = set()
    for line in lines:
        first, *others = re.findall(r"[\w.]+/", line)
        home = ROOT / "nn_tutorial" if line.startswith(" ") else ROOT
        for name in (first, *others):
            places = [home / name, ROOT / first / name, ROOT / name]
            assert any(place.is_dir() for place in places), name
            named.add(name.rstrip("/"))
    for folder in ("nn_tutorial", "scripts"):
        inside = {path.parent.name for path in (ROOT / folder).glob("*/*.py")}
        assert {folder, *inside} <= named


MOST_LINES = 50


def lines_of_functions(path: Path) -> dict[str, int]:
    """How long each function is, its docstring left out."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            told = ast.get_docstring(node) is not None
            about = (first.end_lineno or 0) - first.lineno + 1 if told else 0
            found[f"{node.name} (line {node.lineno})"] = (
                (node.end_lineno or 0) - node.lineno + 1 - about
            )
    return found


@pytest.mark.parametrize("folder", ["nn_tutorial", "scripts"])
def test_no_function_is_longer_than_a_screen(folder: str) -> None:
    long = {
        f"{path.relative_to(ROOT)}: {name}": lines
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, lines in lines_of_functions(path).items()
        if lines > MOST_LINES
    }
    assert long == {}


def test_a_docstring_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text('def f():\n    """Say.\n\n    More.\n    """\n\n    async def g(): ...\n')
    assert lines_of_functions(path) == {"f (line 1)": 3, "g (line 7)": 1}
