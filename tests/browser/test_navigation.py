"""From page to page: at once, with all alive; under a strict policy; from any folder; searching."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from built import addresses, chapters, page, report
from sitegen.output import csp

FORMULAS = """() => [...document.querySelectorAll("article math")].filter(
    (node) => node.checkVisibility() && !node.getBoundingClientRect().height).length"""


def test_ten_pages_in_a_row_without_loading_anew(visitor: Callable[..., Any], home: str) -> None:
    visits = visitor(address=home)
    here = visits.open("foundations/notation/")
    here.evaluate("window.neverLoadedAnew = true")
    seen = []
    for _ in range(10):
        link = here.locator("a.md-footer__link--next")
        title = link.locator(".md-ellipsis").inner_text().strip()
        link.click()
        here.wait_for_function("(t) => document.title.startsWith(t)", arg=title)
        here.wait_for_function("document.querySelector('article h1') !== null")
        assert here.evaluate("window.neverLoadedAnew === true"), "the page was loaded anew"
        assert here.evaluate("probes.unfold()") == []
        assert here.evaluate(FORMULAS) == 0
        seen.append(here.url.removeprefix(home))
        assert here.locator("article math").count() == page(seen[-1]).html.count("<math")
    assert len(set(seen)) == 10
    here.go_back()
    here.wait_for_function("(t) => !document.title.startsWith(t)", arg=title)
    assert here.url == home + seen[-2]
    assert visits.problems == []


def test_links_work_from_a_folder_that_the_site_was_not_built_for(
    visitor: Callable[..., Any], elsewhere: str
) -> None:
    visits = visitor()
    here = visits.open()
    for _ in range(3):
        here.locator("a.md-footer__link--next").click()
        visits.arrive()
        assert here.url.startswith(elsewhere)
    assert visits.problems == []


def test_search_finds_and_leads(visitor: Callable[..., Any]) -> None:
    visits = visitor(width=390)
    here = visits.open("layers/relu/")
    here.keyboard.press("/")
    here.keyboard.type("softmax")
    result = here.locator(".md-search-result__link").first
    result.wait_for()
    assert "softmax" in result.inner_text().lower()
    result.click()
    here.wait_for_function("location.pathname.includes('softmax')")
    assert visits.problems == []


@pytest.mark.parametrize("address", addresses())
def test_policy_allows_nothing_else(address: str) -> None:
    html = page(address).html
    assert html.count("Content-Security-Policy") == 1
    assert csp.of(html) in html
    # Before anything that is loaded, and nothing in the page that it would have to forbid.
    assert html.index("Content-Security-Policy") < re.search("<(?:link|script|style)", html).start()
    problems = {
        "style": re.findall(r"<[a-z][^>]*\sstyle=[^>]*>", html) + re.findall("<style", html),
        "handler": re.findall(r"<[a-z][^>]*\son[a-z]+=[^>]*>", html),
        "address": re.findall(r'="javascript:[^"]*', html),
    }
    if told := report(problems):
        pytest.fail(told, pytrace=False)


def test_policy_is_strict() -> None:
    for sources in csp.DIRECTIVES.values():
        assert set(sources.split()) <= {"'none'", "'self'", "data:"}
    assert "data:" not in csp.DIRECTIVES["script-src"]
    for kind in ("object-src", "child-src", "media-src", "manifest-src", "base-uri"):
        assert csp.DIRECTIVES[kind] == "'none'"


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("eval('1')", "unsafe-eval"),
        (
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
            "inline",
        ),
        ("new Image().src = 'http://127.0.0.1:1/x.png'", "img-src"),
        ("fetch('http://127.0.0.1:1/').catch(() => 0)", "connect-src"),
    ],
)
def test_policy_holds(script: str, word: str, visitor: Callable[..., Any]) -> None:
    visits = visitor()
    here = visits.open("layers/relu/")
    # In a timer, so that it is the page's own, and not the debugger's.
    here.evaluate(f"setTimeout(() => {{ {script} }})")
    here.wait_for_timeout(300)
    told = " ".join(visits.problems)
    assert "Content Security Policy" in told
    assert word in told


def test_there_are_chapters_with_formulas_in_a_row() -> None:
    """What the test of ten pages rests on: pages with formulas stand one after another."""
    with_formulas = [a for a in chapters() if "<math" in page(a).html]
    assert len(with_formulas) >= 10
