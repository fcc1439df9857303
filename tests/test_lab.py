"""`make lab` and Binder: each page opens as a notebook, and runs in the repository's root."""

import os
import re
from pathlib import Path

import jupytext
import pytest
from helpers import ROOT
from jupyter_client.manager import start_new_kernel

PAGES = sorted((ROOT / "docs").rglob("*.py"))
AT_ROOT = ROOT / "scripts" / "jupyter" / "at_root.py"
ASK = (
    "import os; print(os.getcwd(), os.path.exists('benchmarks/results.json'), 'Path' in globals())"
)


def test_a_kernel_starts_in_the_root(tmp_path: Path) -> None:
    surroundings = {**os.environ, "PYTHONSTARTUP": str(AT_ROOT), "IPYTHONDIR": str(tmp_path)}
    said: list[str] = []
    manager, client = start_new_kernel(cwd=str(ROOT / "docs" / "layers"), env=surroundings)
    try:
        client.execute_interactive(
            ASK, output_hook=lambda message: said.append(message["content"].get("text", ""))
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "".join(said).split() == [str(ROOT), "True", "False"]


def test_lab_is_started_so() -> None:
    recipe = (
        (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlab:")[2].partition("\n\n")[0]
    )
    started = re.search(r'PYTHONSTARTUP="\$\(CURDIR\)/(\S+)" \S+/jupyter lab (.*)', recipe)
    assert started, recipe
    assert ROOT / started[1] == AT_ROOT
    # A folder behind the options would be taken for the root.
    assert all(word.startswith("--") for word in started[2].split())
    first = re.search(r"default_url=/lab/tree/(\S+)", started[2])
    assert first
    assert (ROOT / first[1]).is_file()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT / "docs").as_posix())
def test_a_page_is_a_notebook_and_is_saved_as_it_was(path: Path) -> None:
    """As Jupyter's contents manager opens and saves it, by way of jupytext."""
    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py")
    assert {cell.cell_type for cell in notebook.cells} >= {"code", "markdown"}
    assert jupytext.writes(notebook, fmt="py:percent").split() == text.split()
