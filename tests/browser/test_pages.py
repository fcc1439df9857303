"""Every page in a browser: on a desk, on a phone, and without scripts.

To load a page costs more than to ask it something. So each is loaded twice, with scripts and
without, and each time asked all that can be asked there.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asked
import pytest
from built import addresses, chapters, report

# Each width is asked for everything once, and a scheme can change no more than colours.
MODES = [
    (1280, "dark", asked.RULES),
    (390, "dark", asked.COLOURS),
    (390, "light", asked.RULES),
    (1280, "light", asked.COLOURS),
]
CLASSES = "[...document.documentElement.classList]"
PAGES = [address for address in addresses() if address != "404.html"]


def in_all_modes(page: Any, address: str, screenshots: Path) -> dict[str, list[str]]:
    """What is wrong with the page at both widths and in both schemes."""
    problems = {"figures": page.evaluate("probes.unfold()")}
    for width, scheme, rules in MODES:
        asked.set_mode(page, width, scheme)
        problems[f"{width} {scheme}"] = asked.looks(page, rules) + page.evaluate("probes.small()")
        if os.environ.get("NN_TUTORIAL_SCREENSHOTS") == "1":
            name = address.strip("/").replace("/", "-") or "index"
            file = screenshots / f"{name}-{width}-{scheme}.jpg"
            page.screenshot(path=file, full_page=True, type="jpeg", quality=60)
    return problems


@pytest.mark.parametrize("address", PAGES)
def test_page(address: str, visitor: Callable[..., Any], screenshots: Path) -> None:
    live, plain = visits = [visitor(width=390), visitor(javascript=False)]
    live.weigh()
    for visit in visits:  # so that both load at the same time
        visit.go(address)
    for visit in visits:
        visit.arrive()
    problems = {"first view": asked.weight(live.loaded) if address in chapters() else []}

    problems |= in_all_modes(live.page, address, screenshots)
    for width in (1280, 390):
        asked.set_mode(live.page, width, "light")
        in_the_way = live.page.evaluate("probes.inTheWay()")
        problems[f"keyboard {width}"] = in_the_way + asked.keyboard(live.page)

    plain.page.evaluate("probes.unfold()")
    problems["without scripts"] = plain.page.evaluate("probes.unseen()")
    assert plain.page.evaluate(CLASSES) == ["no-js"]
    assert "js" in live.page.evaluate(CLASSES)
    words = plain.page.evaluate("probes.words()")
    assert len(words) > 30
    if words != live.page.evaluate("probes.words()"):
        problems["words"] = ["with JavaScript: others"]

    problems["on the way"] = [told for visit in visits for told in visit.problems]
    if told := report(problems):
        pytest.fail(told, pytrace=False)


def test_page_for_wrong_addresses(
    visitor: Callable[..., Any], screenshots: Path, home: str
) -> None:
    # It is sent for any address, so it names its files from the host's root.
    visits = visitor(address=home)
    problems = in_all_modes(visits.open("404.html"), "404.html", screenshots)
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
        ('<pre>one <i>two</i> <i>six</i> <i style="color: #ddd">ten</i></pre>', "color-contrast"),
        ('<a href="."></a>', "link-name"),
        ("<input>", "label"),
    ],
)
def test_bad_page_is_noticed(snippet: str, word: str, visitor: Callable[..., Any]) -> None:
    whole = "<html lang='en'><title>t</title><main><h1>a</h1>{}</main></html>"
    visits = visitor()
    assert asked.looks(visits.show(whole.format("<p>fine</p>"))) == []
    assert word in " ".join(asked.looks(visits.show(whole.format(snippet))))


@pytest.mark.parametrize(
    ("inside", "word"),
    [
        ("", "no controls"),
        ('<button hidden style="width: 9px">b</button>', "no controls"),
        ('<button style="width: 30px; height: 23px; padding: 0">b</button>', "too small"),
        ('<input type="range" style="width: 90px; height: 16px">', "too small"),
    ],
)
def test_figure_for_no_finger_is_noticed(
    inside: str, word: str, visitor: Callable[..., Any]
) -> None:
    visits = visitor(width=390)
    fine = '<button style="width: 30px; height: 24px">b</button>'
    page = visits.show(f"<article><p>{inside}</p><nn-a>{fine}</nn-a></article>")
    assert page.evaluate("probes.small()") == []
    page = visits.show(f"<article><nn-a>{inside}</nn-a></article>")
    assert word in " ".join(page.evaluate("probes.small()"))


def test_a_fading_colour_is_seen_at_its_end(visitor: Callable[..., Any]) -> None:
    whole = (
        "<html lang='en'><title>t</title><style>main { background: #fff; color: #000 }"
        " main.pale { color: #bbb } main, p { transition: color 60s }</style>"
        "<main><h1>above</h1><p>below</p></main></html>"
    )
    page = visitor().show(whole)
    assert asked.looks(page) == []
    page.evaluate("document.querySelector('main').className = 'pale'")
    page.evaluate("probes.settle()")
    assert "color-contrast" in " ".join(asked.looks(page, asked.COLOURS))


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


def test_heavy_first_view_is_noticed() -> None:
    fine = {"https://book.test/": 200_000, "https://book.test/a.svg": 40_000}
    assert asked.weight(fine) == []
    assert "b.js" in " ".join(asked.weight(fine | {"https://book.test/b.js": 20_000}))
    assert len(asked.weight({f"https://book.test/{i}.svg": 9 for i in range(5)})) == 5
