"""The words of the glossary: one link for each on a page, and only in running text."""

import json
import re
from pathlib import Path

import pytest
from sitegen.render.glossary import Term, definitions, link, page, read

ROOT = Path(__file__).resolve().parents[2]
TERMS = [
    Term("batch", "Some examples.", ("batches",)),
    Term("batch normalisation", "A layer.", chapter="layers/batch_norm.py"),
    Term("loss", "One number.", ("losses",), "layers/loss.py"),
]
TO = "<a class=term href=../words/#{}>{}</a>"


def linked(content: str, source: str = "layers/relu.py") -> str:
    return link(content, TERMS, source, "../words/")


def test_only_the_first_use_is_linked() -> None:
    text = linked("<p>Batches and a batch.</p><p>The batch again.</p>")
    assert text == f"<p>{TO.format('batch', 'Batches')} and a batch.</p><p>The batch again.</p>"


def test_the_longest_word_is_meant() -> None:
    text = linked("<p>Batch normalisation, batch normalisation, a batch.</p>")
    first = TO.format("batch-normalisation", "Batch normalisation")
    assert text == f"<p>{first}, batch normalisation, a {TO.format('batch', 'batch')}.</p>"


@pytest.mark.parametrize(
    "content",
    [
        "<h2>A batch</h2>",
        "<p><a href=x>a batch</a></p>",
        "<pre><span>batch</span> batch</pre>",
        "<figure><img alt='a batch'><figcaption>A batch</figcaption></figure>",
        '<p><span class="arithmatex">\\(batch\\)</span></p>',
        "<p>mini-batch, batched</p>",
        '<p><img alt="batch"></p>',
    ],
)
def test_no_link_elsewhere(content: str) -> None:
    assert linked(content) == content


def test_text_after_a_closed_element_is_open_again() -> None:
    assert TO.format("batch", "batch") in linked("<p><code>a<br>b</code> batch</p>")


def test_a_chapter_keeps_its_own_words() -> None:
    assert "<a" not in linked("<p>The loss.</p>", "layers/loss.py")
    assert "<a" in linked("<p>The loss.</p>")


def test_the_page_has_every_word() -> None:
    text = page("<!-- glossary -->", TERMS, {t.chapter: "Chapter" for t in TERMS})
    assert '<span id="batch">Batch</span>\n:   Some examples.\n' in text
    assert ":   One number. See [Chapter](../layers/loss.py)." in text
    module = re.fullmatch(r"export default (.*);\n", definitions(TERMS))
    assert module is not None
    assert json.loads(module[1])["batch-normalisation"] == "A layer."


def test_the_books_words() -> None:
    terms = read(ROOT / "docs" / "glossary.yml")
    assert len({term.anchor for term in terms}) == len(terms) >= 30
    for term in terms:
        assert term.text.find(".") == len(term.text) - 1, f"{term.name}: one sentence"
        assert not term.chapter or (ROOT / "docs" / term.chapter).is_file(), term.name
