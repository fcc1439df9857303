"""Links to the repository: where there is one, and only those that it can answer."""

import re

import pytest
from helpers import ROOT
from sitegen.output import elsewhere, offline, take_home

PAGE = "# A\n\nRun it: [notebook](a/a.ipynb){ download }, [source](a/a.py){ download }.\n"
GITHUB = "https://github.com/who/what"


@pytest.mark.parametrize("repository", [GITHUB, f"{GITHUB}/", f"{GITHUB}.git"])
def test_a_page_can_be_run_elsewhere(repository: str) -> None:
    text = elsewhere.with_links(PAGE, "layers/relu.py", repository)
    colab = (
        "https://colab.research.google.com/github/who/what/blob/notebooks/layers/relu/relu.ipynb"
    )
    binder = "https://mybinder.org/v2/gh/who/what/main?urlpath=lab/tree/docs/layers/relu.py"
    assert f"{{ download }}, [in Colab]({colab}), [in Binder]({binder}).\n" in text


@pytest.mark.parametrize(
    ("source", "repository"),
    [
        ("layers/relu.py", ""),
        ("layers/relu.py", "https://elsewhere.test/who/what"),
        ("reference/index.md", GITHUB),
    ],
)
def test_without_what_they_need_there_are_none(source: str, repository: str) -> None:
    assert elsewhere.with_links(PAGE, source, repository) == PAGE


def test_a_page_can_be_mended_and_its_errors_told() -> None:
    assert elsewhere.addresses("layers/relu.py", "") == {}
    assert elsewhere.addresses("layers/relu.py", f"{GITHUB}/") == {
        "edit_address": f"{GITHUB}/edit/main/docs/layers/relu.py",
        "report_address": f"{GITHUB}/issues/new?title=layers/relu.py:+",
    }
    text = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")
    assert f"[Report it]({GITHUB}/issues/new)" in offline.with_downloads(text, GITHUB)
    assert "Tell the person who gave you this book" in offline.with_downloads(text)


def test_the_branch_of_notebooks_is_the_one_that_is_written() -> None:
    written = (ROOT / "scripts" / "jupyter" / "push_notebooks").read_text(encoding="utf-8")
    assert f"refs/heads/{elsewhere.NOTEBOOKS}" in written
    assert take_home.place("index") == "start.ipynb"


def test_binder_has_what_it_starts_with() -> None:
    folder = ROOT / ".binder"
    asked = (folder / "requirements.txt").read_text(encoding="utf-8")
    for name in re.findall(r"^-r (\S+)", asked, re.MULTILINE):
        assert (folder / name).resolve() == ROOT / "requirements.txt"
    start = (folder / "start").read_text(encoding="utf-8")
    assert (ROOT / re.findall(r"\$PWD/(\S+?)\"", start)[0]).is_file()
    for name in ("start", "postBuild"):
        assert (folder / name).stat().st_mode & 0o111, f"{name} cannot be run"
