"""One module imports MkDocs, its theme and its plugins: all others must outlive them."""

import pytest
from helpers import ROOT, imported

HOOKS = ROOT / "scripts" / "sitegen" / "mkdocs_hooks.py"
FOLDERS = ("scripts", "nn_tutorial", "docs", "benchmarks")
THEIRS = {"mkdocs", "material", "mkdocs_jupyter", "mkdocstrings", "zensical"}


def test_one_module_imports_mkdocs() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 100
    knowing = {p for p in paths if THEIRS & imported(p.read_text(encoding="utf-8"))}
    assert knowing == {HOOKS}


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
