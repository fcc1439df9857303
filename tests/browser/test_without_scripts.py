"""Every page without JavaScript: the same words, formulas, code and pictures, all to be seen."""

from collections.abc import Callable
from typing import Any

import pytest
from built import addresses, report


@pytest.mark.parametrize("address", [a for a in addresses() if a != "404.html"])
def test_page(address: str, visitor: Callable[..., Any]) -> None:
    without, with_ = visitor(javascript=False), visitor()
    plain, alive = without.open(address), with_.open(address)
    for page, kind in ((plain, "no-js"), (alive, "js")):
        assert kind in page.evaluate("[...document.documentElement.classList]")
        page.evaluate("probes.unfold()")
    words = plain.evaluate("probes.words()")
    assert len(words) > 30
    problems = {
        "not seen": plain.evaluate("probes.unseen()"),
        "words": [] if words == alive.evaluate("probes.words()") else ["with JavaScript: others"],
        "on the way": without.problems + with_.problems,
    }
    if told := report(problems):
        pytest.fail(told, pytrace=False)


@pytest.mark.parametrize(
    ("snippet", "word"),
    [
        ("<p hidden><math><mi>x</mi></math></p>", "formula"),
        ('<pre style="display: none">code</pre>', "code"),
        ("<table hidden><tr><td>1</td></tr></table>", "table"),
        ("<figure><figcaption>b</figcaption></figure>", "figure"),
        ('<img src="nowhere.svg" alt="a line">', "picture"),
    ],
)
def test_bad_page_is_noticed(snippet: str, word: str, visitor: Callable[..., Any]) -> None:
    visits = visitor(javascript=False)
    fine = visits.show("<article><math><mi>x</mi></math><pre>code</pre></article>")
    assert fine.evaluate("probes.unseen()") == []
    bad = visits.show(f"<article>{snippet}</article>")
    assert word in " ".join(bad.evaluate("probes.unseen()"))
