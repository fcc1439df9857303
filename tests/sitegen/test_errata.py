"""The page of errors: what stands in its file, the newest first; a bad entry is refused."""

from pathlib import Path

import pytest
from helpers import ROOT
from sitegen.render import errata
from sitegen.run.page import PageError

TITLES = {"layers/relu.py": "ReLU", "index.py": "Start"}
ENTRY = "- {date: 2026-01-02, page: layers/relu.py, wrong: one, right: two, reporter: A. Reader}\n"


def made(tmp_path: Path, entries: str) -> str:
    path = tmp_path / "errata.yml"
    path.write_text(entries)
    return errata.page(f"# Errata\n\n{errata.MARK}\n", path, TITLES)


@pytest.mark.parametrize("entries", ["[]\n", "", "# nothing\n"])
def test_without_entries_the_page_says_so(tmp_path: Path, entries: str) -> None:
    assert made(tmp_path, entries) == f"# Errata\n\n{errata.NONE}\n"
    assert errata.page(errata.MARK, tmp_path / "no.yml", TITLES) == errata.NONE


def test_the_newest_is_first(tmp_path: Path) -> None:
    newer = ENTRY.replace("2026-01-02", "2026-11-28").replace("two", "three")
    text = made(tmp_path, ENTRY + newer)
    assert (
        "**2 January 2026, [ReLU](layers/relu.py).** Reported by A. Reader.\n\n- Wrong: one" in text
    )
    assert text.index("28 November 2026") < text.index("2 January 2026")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", right: two", "", r"errata\.yml, entry 1: expected \['date', .* got \['date'"),
        ("one", "one, more: x", "'more'"),
        ("2026-01-02", "yesterday", "date: expected 2026-11-28, got 'yesterday'"),
        ("relu.py", "relu.md", r"page: expected a file below docs/, got 'layers/relu\.md'"),
        (ENTRY, "- words\n", r"got \[\]"),
    ],
)
def test_a_bad_entry_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(PageError, match=message):
        made(tmp_path, ENTRY.replace(old, new))


def test_the_books_page_has_the_place() -> None:
    assert errata.MARK in (ROOT / "docs" / errata.PAGE).read_text(encoding="utf-8")
