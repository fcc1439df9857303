"""The staged folder: plain Markdown files, whole and no more, in which every link is a file's."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from sitegen.output import jupyter
from sitegen.render import markdown, staging
from sitegen.run.execute import Executed
from sitegen.run.page import PageError, read_page

ROOT = Path(__file__).resolve().parents[2]
PAGE = """# ---
# title: First
# ---

# %% [markdown]
# # First page
#
# A batch of {{ n }}. See [the other](sub/other.py#there "Other"), [words](plain.md) and [](#rise).
# `[code](sub/other.py)` and [nothing](nothing.py) stay.

# %%
n = 1
print("one")

# %% tags=["timing", "hide-input"]
print("two")

# %% tags=["remove-output"]
print("never")
"""
SVG = '<svg width="72.0pt" height="36.0pt" xmlns="http://www.w3.org/2000/svg">#1f6f8b</svg>'


def stream(text: str) -> Any:
    return nbformat.v4.new_output("stream", text=text)


def figure(name: str = "rise") -> Any:
    mime = "image/svg+xml"
    about = {mime: {"alt": "It <rises>.", "caption": "It *rises*.", "name": name}}
    return nbformat.v4.new_output("display_data", {mime: SVG}, metadata=about)


def ran(docs: Path, name: str, text: str, outputs: list[list[Any]], values: list[str]) -> Executed:
    """A page as if it had been run."""
    path = docs / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    page = read_page(path, docs)
    about = {"python": "3", "libraries": {}, "package": None, "data": {}, "seed": None}
    told = {"values_of_expressions": values, "provenance": about}
    cells = [
        nbformat.v4.new_code_cell(cell.source, outputs=out)
        for cell, out in zip(page.code, outputs, strict=True)
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"nn_tutorial": told})
    return Executed(page, notebook, path.with_suffix(".ipynb"))


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    (docs / "assets" / ".hidden").mkdir(parents=True)
    (docs / "assets" / "a.css").write_text("p {}")
    (docs / "assets" / ".hidden" / "b.css").write_text("p {}")
    (docs / "plain.md").write_text("# Plain\n\nSee [the first](first.py).\n")
    (docs / "glossary.yml").write_text("batch: {text: Some examples.}\n")
    return docs


@pytest.fixture
def pages(docs: Path) -> list[Executed]:
    other = "# %% [markdown]\n# # Other\n#\n# Back to [the first](../first.py).\n"
    outputs = [[stream("a\n\nb\n"), figure()], [stream("2")], [stream("3")]]
    return [
        ran(docs, "first", PAGE, outputs, ["7"]),
        ran(docs, "sub/other", other, [], []),
    ]


def staged(pages: list[Executed], docs: Path) -> dict[str, str]:
    folder = docs.parent / "staged"
    staging.stage(pages, docs, folder)
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_folder_holds_the_book(pages: list[Executed], docs: Path) -> None:
    assert set(staged(pages, docs)) == {
        "first.md",
        "first/first.ipynb",
        "first/first.py",
        "first/rise-light.svg",
        "first/rise-dark.svg",
        "sub/other.md",
        "sub/other/other.ipynb",
        "sub/other/other.py",
        "plain.md",
        "assets/a.css",
        "assets/javascripts/figures/data.js",
        "assets/javascripts/glossary/sentences.js",
        "assets/javascripts/symbols/names.js",
    }


def test_a_page_is_written_out(pages: list[Executed], docs: Path) -> None:
    text = staged(pages, docs)["first.md"]
    assert text.startswith("---\ntitle: First\n---\n\n# First page\n\nAbout 1 minute to read.")
    assert "[notebook with results](first/first.ipynb){ download }" in text
    assert "A [batch](reference/glossary.md#batch){ .term } of 7." in text
    assert '<img class="book-dark" src="first/rise-dark.svg" alt="It &lt;rises&gt;."' in text
    assert '<figcaption markdown="span"><b>Figure 1.</b> It *rises*.' in text
    assert text.endswith("</dl></aside>\n")


def test_links_lead_to_staged_files(pages: list[Executed], docs: Path) -> None:
    files = staged(pages, docs)
    text = files["first.md"]
    assert '[the other](sub/other.md#there "Other"), [words](plain.md) and [Figure 1](#r' in text
    assert "`[code](sub/other.py)` and [nothing](nothing.py) stay." in text
    assert "[the first](../first.md)" in files["sub/other.md"]
    assert "[the first](first.md)" in files["plain.md"]
    assert "[the other](sub/other.py#there" in files["first/first.ipynb"]  # as in the repository


def test_outputs_are_plain_text_between_marks(pages: list[Executed], docs: Path) -> None:
    text = staged(pages, docs)["first.md"]
    assert "<!-- output 0-0 -->\n\n```text\na\n\nb\n```\n\n<!-- /output -->" in text
    assert "<!-- output 1-0 timing -->\n\n```text\n2\n```\n\nMeasured when" in text
    assert '??? code "Code, 1 line"\n\n    ```python\n    print("two")\n    ```' in text
    assert "output 2" not in text


@pytest.mark.parametrize(
    ("source", "drawn", "held"),
    [
        ("import re\n\nSEED = 0\n", [], "Imports, 3 lines"),
        ("from re import match", [1], "Imports and code for Figure 1, 1 line"),
        ("x = 1\n\n\ndef f():\n    pass", [2, 3], "Code for Figures 2 and 3, 5 lines"),
        ("def f():\n    pass\n\n\nclass A:\n    x = 1", [], "Code of `f` and `A`, 6 lines"),
        ("x = 1", [], "Code, 1 line"),
    ],
)
def test_folded_code_says_what_it_holds(source: str, drawn: list[int], held: str) -> None:
    assert markdown.held(source, drawn) == held


def test_folded_code_names_the_figure_that_it_draws(docs: Path) -> None:
    cells = '# %% tags=["hide-input"]\nfirst()\n\n# %% tags=["hide-input"]\nimport second\n'
    front = PAGE.partition("# %%")[0]
    page = ran(docs, "two", f"{front}# %% [markdown]\n# # Two\n\n{cells}", [[figure()]] * 2, [])
    text = markdown.of(page)
    assert '??? code "Code for Figure 1, 1 line"' in text
    assert '??? code imports "Imports and code for Figure 2, 1 line"' in text
    assert "About 1 minute to read. Run when" in text


def test_ticks_in_an_output_do_not_end_it() -> None:
    cell = SimpleNamespace(tags=())
    told = markdown._output("page", cell, 0, 0, stream("a\n````\nb"))
    assert "\n`````text\na\n````\nb\n`````\n" in told


def test_an_error_and_html_are_shown() -> None:
    cell = SimpleNamespace(tags=())
    error = nbformat.v4.new_output("error", ename="E", evalue="x", traceback=["E: x"])
    assert "```text\nE: x\n```" in markdown._output("page", cell, 0, 0, error)
    table = nbformat.v4.new_output("execute_result", {"text/html": "<table>\n\n<tr>\n</table>"})
    assert "\n<table>\n<tr>\n</table>\n" in markdown._output("page", cell, 0, 0, table)


def test_a_notebooks_rendering_takes_the_place_of_the_plain_one(
    pages: list[Executed], docs: Path
) -> None:
    marked = jupyter.marked(staged(pages, docs)["first.md"])
    assert "```text" not in marked
    area = '<div class="jp-OutputArea-child"><div class="jp-OutputArea-output">{}</div></div>'
    cells = [area.format("<pre>ab</pre>") + area.format("<svg/>"), area.format("<pre>2</pre>")]
    cells = [f'<div class="jp-CodeCell" id="cell-id=x">{cell}</div>' for cell in cells]
    html = jupyter.put(marked, "".join(cells))
    assert "data-search-exclude><pre>ab</pre></section>" in html
    assert 'book-timing" role="group"' in html
    assert "<pre>2</pre><p>Measured when this site was built" in html
    assert "data-output" not in html


def test_the_folder_is_written_whole(pages: list[Executed], docs: Path) -> None:
    before = staged(pages, docs)
    folder = docs.parent / "staged"
    (folder / "old.md").write_text("gone")
    (folder / "plain.md").write_text("changed")
    kept = (folder / "first.md").stat().st_mtime_ns
    assert staged(pages, docs) == before
    assert (folder / "first.md").stat().st_mtime_ns == kept


def test_one_name_for_two_things_is_refused(pages: list[Executed], docs: Path) -> None:
    (docs / "first.md").write_text("# First\n")
    with pytest.raises(PageError, match=r"first\.py: there is a first\.md beside it"):
        staged(pages, docs)
    (docs / "first.md").unlink()
    pages[0].notebook.cells[1].outputs.append(figure())
    with pytest.raises(PageError, match=r"code cell 2 .*: two figures have the name of first/rise"):
        staged(pages, docs)
