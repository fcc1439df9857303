"""Without JavaScript nothing may be missing: what test_pages.py asks every page for it."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("snippet", "word"),
    [
        ("<p hidden><math><mi>x</mi></math></p>", "formula"),
        ('<pre style="display: none">code</pre>', "code"),
        ("<table hidden><tr><td>1</td></tr></table>", "table"),
        ("<figure><figcaption>b</figcaption></figure>", "figure"),
        ('<img src="nowhere.svg" alt="a line">', "picture"),
        ("<nn-relu><button>Step on</button></nn-relu>", "does nothing"),
    ],
)
def test_bad_page_is_noticed(snippet: str, word: str, visitor: Callable[..., Any]) -> None:
    visits = visitor(javascript=False)
    fine = visits.show("<article><math><mi>x</mi></math><pre>code</pre></article>")
    assert fine.evaluate("probes.unseen()") == []
    bad = visits.show(f"<article>{snippet}</article>")
    assert word in " ".join(bad.evaluate("probes.unseen()"))
