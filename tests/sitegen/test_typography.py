"""What is set in a page's text, and what is left as it is."""

import pytest
from sitegen.render.typography import typeset


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ('<p>the book\'s "own" way</p>', "<p>the book’s “own” way</p>"),
        ('<p>("a" or "b")</p>', "<p>(“a” or “b”)</p>"),
        ('<p>"<em>no</em>", she said</p>', "<p>“<em>no</em>”, she said</p>"),
        ('<p>a <em>"no"</em> of the <b>kernel</b>\'s</p>', None),
        ("<p>of <code>x</code>'s size</p>", "<p>of <code>x</code>’s size</p>"),
        ("<p>'one' of the readers' 'two'</p>", "<p>‘one’ of the readers’ ‘two’</p>"),
        ('<p>a</p><p>"b"</p>', "<p>a</p><p>“b”</p>"),
        ("<p>it&#39;s &quot;so&quot;</p>", "<p>it’s “so”</p>"),
        ('<img alt="95 % of 3\u00a0%">', '<img alt="95% of 3%">'),
        ("<p>95 % and 96.8%, 3\u00a0% and 7\u202f%</p>", "<p>95% and 96.8%, 3% and 7%</p>"),
    ],
)
def test_text_is_set(written: str, printed: str | None) -> None:
    wanted = printed or "<p>a <em>“no”</em> of the <b>kernel</b>’s</p>"
    assert typeset(written) == wanted


@pytest.mark.parametrize(
    "left",
    [
        "<pre>a = 'b' % 3 %</pre>",
        '<p><code>x["a"]</code></p>',
        '<img alt="the book\'s own">',
        '<p title="95 %"></p>',
        "<math><mo>'</mo></math>",
        "<script>f('a')</script>",
        "<!-- it's -->",
        "<p>100 percent, x % y</p>",
    ],
)
def test_what_is_no_text_is_left(left: str) -> None:
    assert typeset(left) == left


def table(*rows: str) -> str:
    cells = ["".join(f"<td>{cell}</td>" for cell in row.split("|")) for row in rows]
    head = "".join("<th>it</th>" for _ in rows[0].split("|"))
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (("a|1|2.5", "b|−3|"), "2 3"),
        (("a|96.8%|1,234", "b|3%|12 ms"), "2 3"),
        (("<math><mn>4</mn><mo>⋅</mo><mn>10</mn></math>|a",), "1"),
        (("0.3 ± 0.1|–", "1|x"), "1"),
        (("a|1", "b|1 of 3"), ""),
        (("a|", "b|–"), ""),
    ],
)
def test_columns_of_numbers_are_named(rows: tuple[str, ...], columns: str) -> None:
    mark = f'<table data-numbers="{columns}">' if columns else "<table>"
    assert typeset(table(*rows)).startswith(mark + "<tr>")


@pytest.mark.parametrize(
    ("cell", "printed"),
    [
        ("2 against 1", "2\u00a0against\u00a01"),
        ('<a href="a" class="b c">plain</a> descent', None),
        ("", ""),
        ("the input, one example a row", "the input, one example a row"),
        ("<code>x @ w</code>", "<code>x @ w</code>"),
    ],
)
def test_a_short_cell_is_not_broken(cell: str, printed: str | None) -> None:
    wanted = '<a href="a" class="b c">plain</a>\u00a0descent' if printed is None else printed
    page = typeset(table(f"a|{cell}"))
    assert f"<td>{wanted}</td>" in page
    assert "<th>it</th>" in page
