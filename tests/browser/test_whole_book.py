"""The whole book as a PDF: nothing is missing, and its contents and links lead where they say."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from built import SITE
from pypdf import PdfReader
from sitegen.output import book


@pytest.mark.usefixtures("browser")  # and so a site
def test_whole_book(tmp_path: Path, printed: Callable[[Path, Path], int]) -> None:
    site, pdf = tmp_path / "site", tmp_path / "book.pdf"
    shutil.copytree(SITE, site, ignore=shutil.ignore_patterns(book.FOLDER))
    count = printed(site, pdf)
    reader = PdfReader(pdf)
    assert len(reader.pages) == count
    chapters = book.chapters(site)
    begins = book.begins(pdf, len(chapters))
    contents = " ".join(page.extract_text() for page in reader.pages[1 : begins["c0"] - 1])
    for i, (_, title, _) in enumerate(chapters):
        number = begins[f"c{i}"]
        assert f"{title} {number}" in " ".join(contents.split())
        assert reader.pages[number - 1].extract_text().strip()
    targets, elsewhere = set(), set()
    for page in reader.pages:
        for link in page.get("/Annots", []):
            about = link.get_object()
            if "/Dest" in about:
                targets.add(about["/Dest"])
            else:
                elsewhere.add(about["/A"]["/URI"])
    assert len(targets) > 200
    assert targets <= set(reader.named_destinations)
    # What leads nowhere within the book would lead to the host it was printed from.
    assert [url for url in elsewhere if not url.startswith("https://")] == []
