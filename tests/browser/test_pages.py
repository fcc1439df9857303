"""Every page in a browser, light and dark, on a phone and on a desk."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from built import addresses, report

if TYPE_CHECKING:
    from playwright.sync_api import Page

MODES = [(1280, "light"), (1280, "dark"), (390, "dark"), (390, "light")]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def set_mode(page: "Page", width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(300)  # the theme's colours fade into each other
    assert page.evaluate("document.body.dataset.mdColorScheme") == (
        "slate" if scheme == "dark" else "default"
    )


def problems_of(page: "Page") -> list[str]:
    """What is wrong with the page as it is shown now."""
    return [
        *page.evaluate("probes.overflow()"),
        *page.evaluate("probes.brokenImages()"),
        *page.evaluate("(rules) => probes.accessibility(rules)", RULES),
    ]


@pytest.mark.parametrize("address", addresses())
def test_page(address: str, visitor: Callable[..., Any], screenshots: Path, home: str) -> None:
    # 404.html is sent for any address, so it names its files from the host's root.
    visits = visitor(address=home) if address == "404.html" else visitor()
    page = visits.open(address)
    problems = {"figures": page.evaluate("probes.unfold()")}
    for width, scheme in MODES:
        set_mode(page, width, scheme)
        problems[f"{width} {scheme}"] = problems_of(page)
        name = address.strip("/").replace("/", "-") or "index"
        page.screenshot(
            path=screenshots / f"{name}-{width}-{scheme}.jpg",
            full_page=True,
            type="jpeg",
            quality=60,
        )
    problems["on the way"] = visits.problems
    if told := report(problems):
        pytest.fail(told, pytrace=False)


def test_page_that_is_not_there(visitor: Callable[..., Any], home: str) -> None:
    visits = visitor(address=home)
    page = visits.open("some/where/else/", expected=404)
    assert "no such page" in page.locator("h1").inner_text()
    # That one address is missing, and nothing that the page is made of.
    told = [problem for problem in visits.problems if not problem.startswith("console: Failed")]
    assert told == [f"404: {home}some/where/else/"]


@pytest.mark.parametrize(
    ("snippet", "word"),
    [
        ('<p style="width: 3000px">wide</p>', "too wide"),
        ('<img src="nowhere.svg" alt="a line" width="9" height="9">', "nowhere.svg"),
        ('<p style="color: #bbb; background: #fff">pale</p>', "color-contrast"),
        ('<a href="."></a>', "link-name"),
        ("<input>", "label"),
    ],
)
def test_bad_page_is_noticed(snippet: str, word: str, visitor: Callable[..., Any]) -> None:
    whole = "<html lang='en'><title>t</title><main><h1>a</h1>{}</main></html>"
    visits = visitor()
    assert problems_of(visits.show(whole.format("<p>fine</p>"))) == []
    assert word in " ".join(problems_of(visits.show(whole.format(snippet))))


def test_trouble_on_the_way_is_noticed(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("reference/")
    assert visits.problems == []
    page.evaluate("console.error('no good'); setTimeout(() => { throw new Error('thrown'); })")
    page.evaluate("void fetch('nowhere').catch(() => 0)")
    page.evaluate("void fetch('http://127.0.0.1:1/').catch(() => 0)")
    page.wait_for_timeout(300)
    told = " ".join(visits.problems)
    for word in ("no good", "thrown", "404: ", "http://127.0.0.1:1/"):
        assert word in told
