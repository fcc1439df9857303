"""The notebooks that the site offers: each runs in an empty folder, with the package alone.

A notebook starts anew here: neither the executed pages nor the repository lie on its way. Data sets
that are not part of a package are not there either, as on a reader's machine, so the pages that
train on them take their short ways.
"""

import asyncio
import io
import os
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from helpers import ROOT
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from sitegen.output import take_home
from sitegen.run.execute import KERNEL_ENVIRONMENT
from sitegen.run.page import find_pages

# What the package is made of, and so what the notebooks run with.
REACHES = ["nn_tutorial/", "docs/", "benchmarks/", "scripts/", "setup.py", "pyproject.toml"]
SITE = ROOT / "site"
PAGES = [path.relative_to(ROOT / "docs").with_suffix("") for path in find_pages(ROOT / "docs")]
# These take a few seconds each. Of the others, which train or check for longer, the beginning runs:
# what they import and read. All of all of them runs with NN_TUTORIAL_ALL_NOTEBOOKS=1.
QUICK = re.compile(r"index|exercises/.*|foundations/(reading|chain_rule)|layers/relu|verify/speed")
ALL = os.environ.get("NN_TUTORIAL_ALL_NOTEBOOKS") == "1"
BEGINNING = 5  # cells of code, the first among them
REQUIREMENT = re.compile(r'%pip install --quiet "([^"]+)"')


def offered(page: Path) -> Any:
    path = SITE / take_home.place(page.as_posix())
    if not SITE.is_dir():
        pytest.skip("no site/: run `make site`")
    return nbformat.read(path, as_version=4)


# What Jupyter would show as it is written: a box, a heading's name, a link to a source.
RAW = re.compile(r"^(!!!|\?\?\?) |\{ ?[#.]\w|\]\([^():]*\.(py|md)\b|markdown=|\]\(#", re.MULTILINE)
CODE = re.compile(r"^(`{3,}).*?^\1$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_notebook_is_written_for_jupyter(page: Path) -> None:
    cells = offered(page).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    outputs = [out for cell in cells for out in cell.get("outputs", ())]
    texts += [
        out.data["text/markdown"] for out in outputs if "text/markdown" in out.get("data", ())
    ]
    assert not [match[0] for text in texts for match in RAW.finditer(CODE.sub("", text))]
    for cell in cells:
        if "hide-input" in cell.metadata.get("tags", ()):
            assert cell.metadata.jupyter.source_hidden
    answers = [line for text in texts for line in text.splitlines() if line == "<details>"]
    folded = (ROOT / "docs" / page).with_suffix(".py").read_text(encoding="utf-8").count("# ??? ")
    assert len(answers) >= folded


def test_what_jupyter_would_show_raw_is_found() -> None:
    for text in ("!!! note", "## A { #a }", "[a](b.py)", "[a](../b.md#c)", "[a](#b)"):
        assert RAW.search(text), text
    assert not RAW.search(CODE.sub("", "`[a](b.py)` and [a](https://a.test/b.py)"))


@pytest.mark.parametrize(
    ("site", "repository", "asked"),
    [
        ("https://a.test/b/", "https://c.test/d", "nn_tutorial[notebooks] @ git+https://c.test/d"),
        ("https://a.test/b/", "", "nn_tutorial[notebooks] @ https://a.test/b/n.whl"),
        ("", "", "./n.whl[notebooks]"),
    ],
)
def test_where_the_package_comes_from(site: str, repository: str, asked: str) -> None:
    assert take_home.requirement(site, repository, "n.whl") == asked


def test_a_notebook_brings_what_its_page_reads_or_names() -> None:
    noted = ["file benchmarks/a.json", "file docs/layers/relu.py", "skeleton scripts/b.py",
             "file $NN_TUTORIAL_DATA/c", "file nn_tutorial/d.py", "body docs/e.json f"]  # fmt: skip
    source = 'read(Path("docs/records/g-1.json"))'
    expected = ("benchmarks/a.json", "docs", "docs/records/g-1.json", "scripts/b.py")
    assert take_home.needed(source, noted) == expected


def test_a_package_is_made_anew_where_its_files_change(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "mkdocs.yml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name in ("nn_tutorial/__init__.py", "docs/a.py", "docs/records/b.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    first = take_home.wheel(tmp_path, tmp_path / "cache")
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert {"nn_tutorial/book/docs/a.py", "nn_tutorial/book/docs/records/b.json"} <= set(names)
    assert take_home.wheel(tmp_path, tmp_path / "cache") == first
    (tmp_path / "docs" / "a.py").write_text("2\n")
    assert take_home.wheel(tmp_path, tmp_path / "cache") != first


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package and nothing else."""
    made, folder = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    wheel = made / take_home.wheel_name(ROOT)
    wheel.write_bytes(take_home.wheel(ROOT, made / "cache"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True)
    return folder


async def run(notebook: Any, here: Path, connection: Path, surroundings: dict[str, str]) -> None:
    """Run all cells in a folder. By files, as a build does: ports could be somebody else's."""
    manager = AsyncKernelManager(
        kernel_name="python3", transport="ipc", connection_file=str(connection)
    )
    client = NotebookClient(
        notebook, km=manager, timeout=900, resources={"metadata": {"path": str(here)}}
    )
    client.owns_km = True  # so that the kernel is shut down with the client
    async with client.async_setup_kernel(env=surroundings, stderr=subprocess.DEVNULL):
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                await client.async_execute_cell(cell, index)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_notebook_runs_where_it_lands(
    page: Path, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = offered(page)
    first = notebook.cells[0]
    assert REQUIREMENT.search(first.source)
    first.source = REQUIREMENT.sub("", first.source)  # it is installed already
    if not (ALL or QUICK.fullmatch(page.as_posix())):
        code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        del notebook.cells[code[BEGINNING] if len(code) > BEGINNING else None :]
    where = nbformat.v4.new_code_cell("import nn_tutorial\nprint(nn_tutorial.__file__)")
    notebook.cells.append(where)
    monkeypatch.delenv("NN_TUTORIAL_DATA", raising=False)
    here = tmp_path / "here"
    here.mkdir()
    surroundings = {**os.environ, **KERNEL_ENVIRONMENT, "PYTHONPATH": str(package)}
    surroundings |= {"HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    # In a thread of its own: a browser's tests may have left a loop of events in this one.
    with ThreadPoolExecutor(1) as thread:
        work = run(notebook, here, tmp_path / "kernel.json", surroundings)
        thread.submit(asyncio.run, work).result()
    assert where.outputs[0].text.startswith(str(package))
