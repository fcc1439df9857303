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
TO = "[{1}](../reference/glossary.md#{0}){{ .term }}"


def linked(text: str, source: str = "layers/relu.py") -> str:
    return link(text, TERMS, source)


def test_only_the_first_use_is_linked() -> None:
    text = linked("Batches and a batch.\n\nThe batch again.")
    assert text == f"{TO.format('batch', 'Batches')} and a batch.\n\nThe batch again."


def test_the_longest_word_is_meant() -> None:
    text = linked("Batch normalisation, batch normalisation, a batch.")
    first = TO.format("batch-normalisation", "Batch normalisation")
    assert text == f"{first}, batch normalisation, a {TO.format('batch', 'batch')}."


@pytest.mark.parametrize(
    "text",
    [
        "## A batch",
        "## A batch { #batch }",
        "[a batch](x.md)",
        "[a `loss[batch]` of the batch](x.md#batch)",
        "![a batch](x.svg)",
        "```text\na batch\n\na batch\n```",
        '??? code "A batch"\n\n    ```python\n    batch = loss\n    ```',
        "    > ~~~\n    > batch\n    > ~~~",
        "`batch` and ``a ` batch``",
        "$batch$ and $$\nbatch\n$$ and \\(batch\\) and \\[batch\\]",
        "| batch | loss |\n|---|---|\n| a batch | 1 |",
        '<figure id="a">\n<img alt="a batch">\n<figcaption>A batch\n</figcaption></figure>',
        '<img alt="batch">',
        '<span id="batch">Batch</span>\n:   ',
        "A batch\n:   ",
        "<!-- output 1-0 timing -->\n\n```text\n```\n\nbatch\n\n<!-- /output -->",
        "mini-batch, batched",
        "layers/batch and batch.py and a.batch and batch/loss.json",
    ],
)
def test_no_link_elsewhere(text: str) -> None:
    assert linked(text) == text


@pytest.mark.parametrize(
    "before",
    [
        "`code`",
        "## A heading\n\n",
        "| a | row |\n\n",
        "$x$ and",
        "$$x$$\n\n",
        "```\ncode\n```\n\n",
        "[a link](x.md), ",
        "<br>",
        "<figure>x</figure>\n\n",
        '!!! note "Title"\n    ',
        "**",
        "- ",
    ],
)
def test_text_after_such_a_thing_is_open_again(before: str) -> None:
    assert linked(f"{before} batch.\n") == f"{before} {TO.format('batch', 'batch')}.\n"


def test_a_chapter_keeps_its_own_words() -> None:
    assert "](" not in linked("The loss.", "layers/loss.py")
    assert "](" in linked("The loss.")


def test_the_link_begins_at_the_page() -> None:
    assert "](reference/glossary.md#loss)" in linked("The loss.", "index.py")
    assert "](glossary.md#loss)" in linked("The loss.", "reference/index.py")


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


def test_each_word_is_in_the_prose_of_its_chapter() -> None:
    """Who follows a word to the chapter that explains it finds the word there."""
    for term in read(ROOT / "docs" / "glossary.yml"):
        if not term.chapter:
            continue
        lines = (ROOT / "docs" / term.chapter).read_text(encoding="utf-8").splitlines()
        if term.chapter.endswith(".py"):
            lines = [line for line in lines if line.startswith("# ")]
        prose = re.sub(r"[*`]", "", "\n".join(lines)).lower()
        forms = (term.name, *term.forms)
        assert any(form.lower() in prose for form in forms), f"{term.name}: {term.chapter}"
