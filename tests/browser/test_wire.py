"""How often a page is laid out anew. (Its bytes over the wire are asked in test_pages.py.)"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from built import addresses, page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The width of all paragraphs in the fonts of fonts.css that the machine has, over that in Source
# Serif.
WIDTHS = """async (style) => {
    const text = [...document.querySelectorAll("article p")].map((p) => p.innerText).join(" ");
    const pen = document.createElement("canvas").getContext("2d");
    const width = async (family) => {
        pen.font = `${style} 100px "${family}"`;
        const faces = await document.fonts.load(pen.font, text).catch(() => []);
        return faces.length ? pen.measureText(text).width : null;
    };
    const whole = await width("Source Serif 4");
    const widths = {};
    for (const face of document.fonts) {
        if (!face.family.includes("as wide")) continue;
        const family = face.family.replaceAll('"', "");
        const found = await width(family);
        if (found) widths[family] = found / whole;
    }
    return widths;
}"""
SHEETS = """() => [...document.querySelectorAll("link[rel=stylesheet]")].map(
    (sheet) => [sheet.getAttribute("href"), sheet.seen === true])"""


@pytest.mark.parametrize("style", ["400", "italic 400", "600"])
def test_text_is_as_wide_before_its_font_has_come(style: str, visitor: Callable[..., Any]) -> None:
    here = visitor().open("networks/iris/")
    widths = here.evaluate(WIDTHS, style)
    assert widths, "this machine has none of the fonts"
    assert widths == {family: pytest.approx(1, abs=0.02) for family in widths}


def test_stylesheet_is_read_once(visitor: Callable[..., Any], home: str) -> None:
    """The theme would write its address anew, and the page be laid out again (mend_theme.js)."""
    here = visitor(address=home).open("layers/relu/")
    here.evaluate("document.querySelector('link[rel=stylesheet]').seen = true")
    ((address, _),) = here.evaluate(SHEETS)
    assert address == "../../assets/stylesheets/whole.css"
    title = here.title()
    here.locator("a.md-footer__link--next").click()
    here.wait_for_function("(title) => document.title !== title", arg=title)
    # The next page takes over the sheet that is there: none is loaded, none goes.
    assert here.evaluate(SHEETS) == [[f"{home}assets/stylesheets/whole.css", True]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_browser_knows_the_colours(scheme: str, visitor: Callable[..., Any]) -> None:
    here = visitor(scheme=scheme).open("layers/relu/")
    metas = here.evaluate(
        "[...document.querySelectorAll('[name=color-scheme]')].map((m) => m.content)"
    )
    assert metas == [scheme]


@pytest.mark.parametrize("address", addresses())
def test_pages_have_no_tabs(address: str) -> None:
    """Their rules are left out of the stylesheet (sitegen/output/stylesheet.py)."""
    assert "tabbed-set" not in page(address).html


def test_first_picture_of_the_landing_page_is_asked_for_at_once() -> None:
    """It is the largest thing there, and a browser would find it late (overrides/landing.html)."""
    start = page("")
    link = start.soup.find("link", rel="preload")
    picture = start.article.select_one("img.book-light")
    assert picture is not None
    assert link["href"] == picture["src"]
    assert "light" in link["media"]  # where the theme is dark, another one is shown


SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) shifted += shift.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("where", ["layers/relu/", "layers/convolution/"])
def test_a_page_does_not_move_as_it_loads(where: str, visitor: Callable[..., Any]) -> None:
    """Less than a tenth, which is called good: what a script adds has its room before."""
    visits = visitor(width=412)
    visits.page.add_init_script(SHIFTS)
    page = visits.open(where)
    page.wait_for_function("document.fonts.status === 'loaded'")
    assert page.evaluate("shifted") < 0.1


@pytest.mark.parametrize(
    "change",
    [
        "document.documentElement.classList.toggle('no-js')",  # as the theme does at its start
        "document.querySelector('.book-palette').click()",  # from the system's colours to the same
    ],
)
def test_a_small_change_gives_few_elements_their_style_anew(
    change: str, browser: "Browser", visitor: Callable[..., Any]
) -> None:
    here = visitor().open("layers/relu/")
    browser.start_tracing(page=here, categories=["devtools.timeline"])
    here.evaluate(f"() => {{ {change}; document.body.offsetTop }}")
    events = json.loads(browser.stop_tracing())["traceEvents"]
    styled = [e["args"].get("elementCount", 0) for e in events if e["name"] == "UpdateLayoutTree"]
    assert sum(styled) < here.evaluate("document.querySelectorAll('*').length") / 5
