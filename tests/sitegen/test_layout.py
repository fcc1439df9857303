"""One module imports MkDocs, its theme and its plugins: all others must outlive them."""

import re

import pytest
from helpers import ROOT, imported

GENERATOR = ROOT / "scripts" / "sitegen"
HOOKS = GENERATOR / "mkdocs_hooks.py"
OUTPUT = GENERATOR / "output"
# The parts of the theme that are mended, left out, or read: its stylesheet, its HTML, its contents.
KNOW_THE_THEME = {
    OUTPUT / f"{name}.py" for name in ("stylesheet", "html_fixes", "book", "zensical")
}
OF_THE_THEME = re.compile(r"\bmd-[a-z]|\bMaterial\b")
FOLDERS = ("scripts", "nn_tutorial", "docs", "benchmarks")
THEIRS = {"mkdocs", "material", "mkdocs_jupyter", "mkdocstrings", "zensical"}


def test_one_module_imports_mkdocs() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 100
    knowing = {p for p in paths if THEIRS & imported(p.read_text(encoding="utf-8"))}
    assert knowing == {HOOKS}


def test_few_modules_know_the_theme() -> None:
    paths = [path for name in ("scripts", "nn_tutorial") for path in (ROOT / name).rglob("*.py")]
    knowing = {p for p in paths if OF_THE_THEME.search(p.read_text(encoding="utf-8"))}
    assert knowing == KNOW_THE_THEME


@pytest.mark.parametrize(
    "line",
    [
        "import mkdocs",
        "import os, mkdocs.utils as u",
        "from mkdocs.plugins import x",
        "def f():\n    from mkdocs import x",
        "import material",
    ],
)
def test_such_an_import_is_seen(line: str) -> None:
    assert THEIRS & imported(line)
    assert not THEIRS & imported("from .mkdocs import x\nfrom .. import material\nimport mkdocsx")
