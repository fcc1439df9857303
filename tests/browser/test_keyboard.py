"""Every page by keyboard alone: all is reached, the focus is seen, and nothing holds it."""

from collections.abc import Callable
from typing import Any

import pytest
from built import addresses


def walk(page: Any) -> list[str]:
    """Press Tab until the focus leaves the page; return what was wrong on the way."""
    stops = page.evaluate("probes.begin()")
    said = ""
    for _ in range(2 * stops + 20):
        page.keyboard.press("Tab")
        said = page.evaluate("probes.step()")
        if said != "next":
            break
    trap = {"out": [], "again": ["a trap: the focus comes back"]}
    return [*page.evaluate("probes.end()"), *trap.get(said, ["the focus never leaves the page"])]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("address", [a for a in addresses() if a != "404.html"])
def test_page(address: str, width: int, visitor: Callable[..., Any]) -> None:
    page = visitor(width=width).open(address)
    page.evaluate("probes.unfold()")
    if told := "\n".join(walk(page)):
        pytest.fail(told, pytrace=False)


COVER = '<header style="position: fixed; inset: 0; background: red">c</header>'
TRAP = "<script>b.onfocus = () => document.querySelector('button').focus()</script>"


@pytest.mark.parametrize(
    ("snippet", "word"),
    [
        ('<a href="." style="outline: none">b</a>', "focus not seen"),
        ('<a href="." style="position: fixed; left: -500px">b</a>', "off the screen"),
        (f'<a href=".">b</a>{COVER}', "hidden"),
        (f'<button>a</button><a href="." id="b">b</a>{TRAP}', "a trap"),
        (f'<a href="." id="b">b</a><button>a</button>{TRAP}', "not reached"),
    ],
)
def test_bad_page_is_noticed(snippet: str, word: str, visitor: Callable[..., Any]) -> None:
    visits = visitor()
    assert walk(visits.show('<a href=".">fine</a>')) == []
    assert word in " ".join(walk(visits.show(snippet)))


def test_skip_link_leads_to_the_text(visitor: Callable[..., Any]) -> None:
    page = visitor().open("layers/relu/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.md-skip')")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('article') !== null")


def test_menu_of_the_phone_opens_by_keyboard(visitor: Callable[..., Any]) -> None:
    page = visitor(width=390).open("layers/relu/")
    link = page.locator(".md-nav--primary").get_by_role("link", name="Softmax", exact=True)
    assert not link.is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Menu"
    page.keyboard.press("Space")
    link.focus()
    assert link.is_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/softmax/")
