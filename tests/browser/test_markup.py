"""Every page of the built site, as HTML: headings, words for pictures, links, nothing raw."""

from collections.abc import Callable

import markup
import pytest
from built import REQUIRED, SITE, Page, addresses, file_of, page, report, resolve

PAGES = addresses()
GOOD = '<html lang="en"><head><title>t</title></head><body><article><h1>a</h1>{}</article></body>'


def problem_of(address: str, href: str) -> str:
    """What is wrong with a link of the site; "" if nothing is."""
    if href.startswith(("mailto:", "data:", "javascript:")):
        return ""
    target = resolve(address, href)
    if target is None:
        # 404.html may be sent for any address, so its own links begin at the host.
        outside = href.startswith(("https://", "http://")) or address == "404.html"
        return "" if outside else "leads out of the site"
    where, anchor = target
    file = file_of(where)
    if not file.is_file():
        return "no such file"
    if anchor and file.suffix == ".html" and anchor not in page(where).anchors:
        return "no such anchor"
    return ""


def test_the_site_is_built() -> None:
    if not SITE.is_dir() and not REQUIRED:
        pytest.skip("no site/: run `make site`")
    assert "" in PAGES
    assert "404.html" in PAGES
    assert len(PAGES) > 30


@pytest.mark.parametrize("address", PAGES)
def test_page(address: str) -> None:
    here = page(address)
    problems = {check.__name__: check(here) for check in markup.CHECKS}
    problems["links"] = markup.links(here, problem_of)
    if told := report(problems):
        pytest.fail(told, pytrace=False)


@pytest.mark.parametrize(
    ("check", "snippet", "word"),
    [
        (markup.headings, "<h3>b</h3>", "h3 after h1"),
        (markup.headings, "<h1>b</h1>", "levels are"),
        (markup.headings, "<h2></h2>", "empty"),
        (markup.pictures, '<img src="x.svg" alt="" width="1" height="1" loading="lazy">', "alt"),
        (markup.pictures, '<img src="x.svg" alt="a line" height="1" loading="lazy">', "width"),
        (markup.raw_markup, "<p>so $$x^2$$ is</p>", "$$"),
        (markup.raw_markup, "<p>so \\(x^2\\) is</p>", "\\("),
        (markup.raw_markup, "<p>it is **bold**</p>", "**"),
        (markup.raw_markup, "<p>see [this](that.md)</p>", "]("),
        (markup.raw_markup, "<p>{{ accuracy }}</p>", "{{"),
        (markup.raw_markup, "<p>call `f`</p>", "`f`"),
        (markup.names, '<p id="a"></p><p id="a"></p>', "2 times"),
        (markup.outside, '<script src="https://cdn.test/x.js"></script>', "cdn.test"),
        (markup.outside, '<link rel="stylesheet" href="//cdn.test/x.css">', "cdn.test"),
    ],
)
def test_bad_page_is_noticed(check: Callable[[Page], list[str]], snippet: str, word: str) -> None:
    assert check(Page("", GOOD.format(""))) == []
    assert word in " ".join(check(Page("", GOOD.format(snippet))))


def test_page_without_language_or_title_is_noticed() -> None:
    page = Page("", "<html><body></body></html>")
    assert markup.languages(page)
    assert markup.titles(page)


@pytest.mark.parametrize("href", ["nowhere/", "../", "#nowhere", "/absolute/", "x.svg"])
@pytest.mark.skipif(not PAGES, reason="no site/: run `make site`")
def test_dead_link_is_noticed(href: str) -> None:
    assert markup.links(Page("", GOOD.format('<a href=".">b</a>')), problem_of) == []
    assert markup.links(Page("", GOOD.format(f'<a href="{href}">b</a>')), problem_of)


@pytest.mark.skipif(not PAGES, reason="no site/: run `make site`")
@pytest.mark.parametrize(
    "mended",
    [
        '[role="dialog"][aria-label]',
        '.md-footer__link[aria-label^="Next "]',
        "#__drawer[aria-label]",
        "div.md-tags",
        "table[tabindex]",
        "td:empty",
    ],
)
def test_what_the_theme_lacks_is_mended(mended: str) -> None:
    assert any(page(address).soup.select_one(mended) for address in PAGES)
