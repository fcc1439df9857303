"""What the search is told of the sections."""

from pathlib import Path
from typing import Any

import pytest
from sitegen.output.search import UnknownSectionError, enrich, read

ADDRESSES = {"layers/relu.py": "layers/relu/", "reference/relu.md": "reference/relu/"}


def entries() -> list[dict[str, Any]]:
    places = {
        "layers/relu/": "ReLU",
        "layers/relu/#dead": "Dead",
        "layers/relu/#sources": "Sources",
        "reference/relu/": "relu",
    }
    return [{"location": at, "title": title, "tags": ["layers"]} for at, title in places.items()]


def test_each_section_knows_its_page_and_what_is_asked() -> None:
    index = entries()
    enrich(index, {"layers/relu.py#dead": "dying"}, ADDRESSES)
    assert index[1] == {
        "location": "layers/relu/#dead",
        "title": "Dead",
        "page": "ReLU",
        "asked": "dying",
    }


def test_chapters_come_before_reference_and_sources() -> None:
    index = entries()
    enrich(index, {}, ADDRESSES)
    assert ["boost" in entry for entry in index] == [False, False, True, True]


@pytest.mark.parametrize("named", ["layers/relu.py#gone", "layers/gone.py"])
def test_a_section_that_is_not_there_is_refused(named: str) -> None:
    index = entries()
    with pytest.raises(UnknownSectionError, match=f"no section {named}"):
        enrich(index, {named: "word"}, ADDRESSES)
    assert index == entries()


def test_a_book_may_have_no_list(tmp_path: Path) -> None:
    assert read(tmp_path / "search.yml") == {}
