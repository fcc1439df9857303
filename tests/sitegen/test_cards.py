"""Cards, icons and structured data: their sizes, and that they say what the page says."""

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sitegen.output import cards

ROOT = Path(__file__).resolve().parents[2]
SITE = cards.Site("The book", "https://example.org/book/")
PAGE = cards.Page(
    "layers/relu.md",
    title="A page",
    description="What is <on> it.",
    url="https://example.org/book/layers/relu/",
    parts=("Layers",),
)


@pytest.mark.parametrize("title", ["ReLU", "A title that is long enough to need a second line"])
@pytest.mark.parametrize("words", [3, 60])
def test_a_card_is_small_and_of_the_size_asked_for(title: str, words: int) -> None:
    card = cards.draw(title, "description " * words, "The book")
    assert Image.open(io.BytesIO(card)).size == (1200, 630)
    assert len(card) < 40_000
    assert card == cards.draw(title, "description " * words, "The book")


def test_another_text_is_another_card(tmp_path: Path) -> None:
    first = cards.card(PAGE, SITE, tmp_path)
    second = cards.card(replace(PAGE, title="Another"), SITE, tmp_path)
    assert first != second
    assert cards.card(PAGE, SITE, tmp_path) == first
    assert len(list((tmp_path / "cards").iterdir())) == 2


def test_a_page_says_what_it_is() -> None:
    about = cards.about(PAGE, SITE)
    assert about["image"] == "https://example.org/book/assets/cards/layers-relu.png"
    assert "<" not in about["data"]  # it stands in a script element
    article, trail = json.loads(about["data"])["@graph"]
    assert article["@type"] == "TechArticle"
    assert article["description"] == "What is <on> it."
    assert article["isPartOf"]["url"] == SITE.url
    names = [step["name"] for step in trail["itemListElement"]]
    assert names == ["The book", "Layers", "A page"]


def test_the_first_page_is_the_book() -> None:
    about = cards.about(replace(PAGE, is_first=True), SITE)
    (book,) = json.loads(about["data"])["@graph"]
    assert (book["@type"], book["description"]) == ("Book", "What is <on> it.")


def test_icons_and_robots() -> None:
    files = cards.files(SITE.url)
    assert "Sitemap: https://example.org/book/sitemap.xml\n" in files["robots.txt"]
    ET.fromstring(files["assets/images/mark.svg"])
    for name, size in (("mark", 48), ("apple-touch-icon", 180)):
        icon = files[f"assets/images/{name}.png"]
        assert isinstance(icon, bytes)
        assert Image.open(io.BytesIO(icon)).size == (size, size)


def test_the_header_shows_the_same_mark() -> None:
    drawn = (ROOT / "overrides" / ".icons" / "book" / "mark.svg").read_text(encoding="utf-8")
    assert drawn.strip() == cards.mark()
