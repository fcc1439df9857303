"""What we do for the theme: that it works, and that it is still needed.

A test of the second kind looks at a page without the mending. When it fails, the theme has learnt
it: take the mending away.
"""

from collections.abc import Callable
from typing import Any

import pytest
from built import file_of

PAGE = "layers/relu/"
FRAMES = "[...document.querySelectorAll('nav.md-code__nav')].map((n) => n.getAttribute('role'))"
SHEET = "document.querySelector('link[rel=stylesheet]').getAttribute('href')"


@pytest.fixture
def unmended(visitor: Callable[..., Any], home: str) -> Any:
    """A page without `mend_theme.js`."""
    visits = visitor(address=home)
    visits.context.route(
        "**/mend_theme.js", lambda r: r.fulfill(content_type="text/javascript", body="")
    )
    return visits.open(PAGE)


def test_buttons_of_code_are_no_landmarks(visitor: Callable[..., Any], home: str) -> None:
    roles = visitor(address=home).open(PAGE).evaluate(FRAMES)
    assert roles
    assert set(roles) == {"none"}


def test_the_theme_still_makes_them_landmarks(unmended: Any) -> None:
    assert None in unmended.evaluate(FRAMES)


def test_the_theme_still_writes_the_stylesheets_address_anew(unmended: Any, home: str) -> None:
    assert unmended.evaluate(SHEET) == f"{home}assets/stylesheets/whole.css"


def test_the_theme_still_loads_the_index_with_each_page(visitor: Callable[..., Any]) -> None:
    """Were it not so, the search's entries could go back into it (sitegen/output/search.py)."""
    visits = visitor()
    asked: list[str] = []
    visits.context.on("request", lambda request: asked.append(request.url))
    here = visits.open(PAGE)
    names = [url.rpartition("/search/")[2] for url in asked if "/search/" in url]
    assert names == ["search_index.json"]
    here.keyboard.press("/")
    here.keyboard.type("soft")
    here.locator(".md-search-result__link").first.wait_for()
    names = [url.rpartition("/search/")[2] for url in asked if "/search/" in url]
    assert names == ["search_index.json", "entries.json"]
    assert visits.problems == []


def test_the_theme_still_begins_without_knowing_the_colours(
    visitor: Callable[..., Any], home: str
) -> None:
    """With its own switch in the page it puts an empty <meta> into the head: the reason of ours."""
    theirs = (
        '<form data-md-component="palette"><input type="radio" name="__palette" '
        'data-md-color-media="(prefers-color-scheme: light)" data-md-color-scheme="default"></form>'
    )
    html = file_of(PAGE).read_text(encoding="utf-8").replace("</header>", f"{theirs}</header>")
    visits = visitor(address=home)
    visits.context.add_init_script(
        """new MutationObserver((changes) => {
            for (const { addedNodes } of changes)
                for (const { name, content } of addedNodes)
                    if (name === "color-scheme") (window.added ??= []).push(content);
        }).observe(document, { childList: true, subtree: true })"""
    )
    visits.context.route(f"**/{PAGE}", lambda r: r.fulfill(content_type="text/html", body=html))
    here = visits.open(PAGE)
    assert here.locator("[name=color-scheme]").count() == 2
    assert len(here.evaluate("window.added")) == 2


def test_a_query_in_the_address_is_answered(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    here = visits.open("layers/relu/?q=softmax")
    here.locator(".md-search-result__link").first.wait_for()
    assert "softmax" in here.locator(".md-search-result__link").first.inner_text().lower()
    assert visits.problems == []


def test_what_was_searched_is_marked_on_the_page(visitor: Callable[..., Any]) -> None:
    here = visitor().open("layers/relu/?h=gradient")
    mark = here.locator("article mark:visible").first  # some are in what is folded
    mark.wait_for()
    assert mark.inner_text().lower() == "gradient"


def test_the_search_tries_again_after_a_failure(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    fails = iter([True])
    visits.context.route(
        "**/entries.json", lambda r: r.abort() if next(fails, False) else r.continue_()
    )
    here = visits.open(PAGE)
    here.keyboard.press("/")
    here.keyboard.type("softma")
    here.wait_for_timeout(500)
    here.keyboard.type("x")
    here.locator(".md-search-result__link").first.wait_for()


COLOURS = """([scheme, name]) => document.body.dataset.mdColorScheme === scheme &&
    document.querySelector('[name=color-scheme]')?.content === name &&
    document.querySelector('[name=theme-color]')?.content ===
        getComputedStyle(document.querySelector('.md-header')).backgroundColor"""
LIGHT, DARK = ["default", "light"], ["slate", "dark"]


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_switch_goes_round_and_remembers(system: str, visitor: Callable[..., Any]) -> None:
    visits = visitor(scheme=system)
    here = visits.open(PAGE)
    now, then, other = (LIGHT, DARK, "dark") if system == "light" else (DARK, LIGHT, "light")
    here.wait_for_function(COLOURS, arg=now)
    here.emulate_media(color_scheme=other)
    here.wait_for_function(COLOURS, arg=then)  # it follows the system
    here.get_by_role("button", name="Switch to light mode").click()
    here.wait_for_function(COLOURS, arg=LIGHT)
    here.get_by_role("button", name="Switch to dark mode").press("Enter")
    here.wait_for_function(COLOURS, arg=DARK)
    assert "book-palette" in here.evaluate("document.activeElement.className")
    here.emulate_media(color_scheme="light")
    here.reload()
    here.wait_for_function(COLOURS, arg=DARK)  # what was chosen stays
    here.locator("a.md-footer__link--next").click()
    here.wait_for_function("!document.title.startsWith('ReLU')")
    here.wait_for_function(COLOURS, arg=DARK)
    here.get_by_role("button", name="Follow the system").click()
    here.wait_for_function(COLOURS, arg=LIGHT)
    assert visits.problems == []
