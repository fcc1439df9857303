"""Figure numbers, cross-references and citations, on a small book of two pages."""

from pathlib import Path

import pytest
from sitegen.render.references import Register, Source, UnknownReferenceError, collect, resolve

ROOT = Path(__file__).resolve().parents[2]
FIGURE = '<figure id="{0}" markdown="1">\n<img src="{0}.svg">\n<figcaption markdown="span">{1}'
ONE = "---\ntitle: First\n---\n\n" + "</figcaption>\n</figure>\n\n".join(
    [FIGURE.format("rise", "It rises."), FIGURE.format("fall", "It falls."), "See [](#fall).\n"]
)
TWO = "---\ntitle: Second\n---\n\nAs in [](../layers/one.py#fall) and `[](#rise)`.\n"
DATA = """\
few2001: {authors: [Few, Names], year: 2001, title: On few}
many2002: {authors: [A, B, C, D], year: 2002, title: "Many: an essay", venue: Journal}
web2003: {authors: [E], year: 2003, title: On links, arxiv: "0301.1", doi: 10.1/x(2)}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "references.yml"
    path.write_text(DATA)
    return path


@pytest.fixture
def register(data: Path) -> Register:
    return collect({"layers/one.py": ONE, "networks/two.py": TWO}, data)


def test_figures_are_numbered_in_order(register: Register) -> None:
    text = resolve(ONE, "layers/one.py", register)
    assert '"span"><b>Figure 1.</b> It rises.' in text
    assert '"span"><b>Figure 2.</b> It falls.' in text
    assert "See [Figure 2](#fall)." in text


def test_a_figure_of_another_page_is_named_with_it(register: Register) -> None:
    text = resolve(TWO, "networks/two.py", register)
    assert "[Figure 2 of *First*](../layers/one.py#fall) and `[](#rise)`" in text


def test_equations_that_are_referred_to_are_numbered(data: Path) -> None:
    one = (
        "$$x$$\n\n<!-- equation first -->\n\n$$y\n= z$$\n\n"
        "<!-- equation last -->\n$$w$$\n\nBy [](#last).\n"
    )
    two = "By [](../layers/one.py#first).\n"
    register = collect(
        {"layers/one.py": f"---\ntitle: One\n---\n{one}", "networks/two.py": two}, data
    )
    start = '<div class="book-equation" id="first" markdown="1">'
    text = resolve(one, "layers/one.py", register)
    assert f"$$x$$\n\n{start}\n\n$$y\n= z$$\n\n(1)\n\n</div>" in text
    assert "$$w$$\n\n(2)\n\n</div>\n\nBy [equation (2)](#last)." in text
    text = resolve(two, "networks/two.py", register)
    assert text == "By [equation (1) of *One*](../layers/one.py#first).\n"


def test_a_name_that_nobody_uses_is_refused(data: Path) -> None:
    with pytest.raises(UnknownReferenceError, match=r"^a\.md: nothing refers to .*'one'"):
        collect({"a.md": "<!-- equation one -->\n\n$$x$$\n"}, data)


def test_code_is_left_alone(register: Register) -> None:
    fence = "```text\n[](#nowhere) [@nobody]\n```\n"
    assert resolve(fence, "layers/one.py", register) == fence


@pytest.mark.parametrize(
    "text", ["[](#rises)", "[](../layers/one.py#rises)", "[@few2002]", "[them](@nobody1999)"]
)
def test_an_unknown_name_is_refused(text: str, register: Register) -> None:
    with pytest.raises(UnknownReferenceError, match=r"^networks/two\.py: no "):
        resolve(text, "networks/two.py", register)


def test_citations_lead_to_the_bibliography(register: Register) -> None:
    text = resolve("([@few2001]; [@many2002]; [both](@few2001))", "networks/two.py", register)
    there = "../reference/bibliography.md"
    assert text == (
        f"([Few and Names 2001]({there}#few2001); [A and others 2002]({there}#many2002); "
        f"[both]({there}#few2001))"
    )


def test_listed_sources_lead_there_too(register: Register) -> None:
    sources = "\n## Sources\n\n- A, B, C and D (2002), *Many*, Journal: what they found.\n"
    text = resolve(sources, "two.py", register)
    assert "(2002), [*Many*](reference/bibliography.md#many2002), Journal" in text
    with pytest.raises(UnknownReferenceError, match="no source with this title"):
        resolve(sources.replace("Many", "None"), "two.py", register)


def test_the_bibliography_lists_who_cites(data: Path) -> None:
    here, mark = "reference/bibliography.md", "<!-- bibliography -->"
    text = resolve(mark, here, collect({"one.py": ONE + "[@many2002]", here: mark}, data))
    many, _, few = text.splitlines()
    assert many == (
        '- <span id="many2002"></span>A, B, C and D (2002), *Many: an essay*, Journal. '
        "Cited in [First](../one.py)."
    )
    assert few == '- <span id="few2001"></span>Few and Names (2001), *On few*.'


def test_names() -> None:
    assert Source(("One",), 2000, "").names == "One"
    assert Source(("One", "Two", "Three"), 2000, "").names == "One, Two and Three"


def test_the_books_sources_are_cited_or_named() -> None:
    """Each entry is one that a page or a docstring names: its title stands there."""
    files = [*(ROOT / "docs").rglob("*.py"), *(ROOT / "nn_tutorial").rglob("*.py")]
    text = " ".join(" ".join(path.read_text(encoding="utf-8") for path in files).split())
    for key, entry in collect({}, ROOT / "docs" / "references.yml").sources.items():
        assert entry.title in text, key
        assert str(entry.year) in key, key


def test_a_source_is_linked_where_it_can_be_read(register: Register) -> None:
    assert register.sources["web2003"].entry == (
        "E (2003), *On links*, [arXiv:0301.1](https://arxiv.org/abs/0301.1), "
        "[doi:10.1/x(2)](<https://doi.org/10.1/x(2)>)."
    )
