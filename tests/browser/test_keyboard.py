"""The keyboard alone: what test_pages.py asks every page, and the two shortcuts of the theme."""

from collections.abc import Callable
from typing import Any

import asked
import pytest

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
    assert asked.keyboard(visits.show('<a href=".">fine</a>')) == []
    assert word in " ".join(asked.keyboard(visits.show(snippet)))


def test_skip_link_leads_to_the_text(visitor: Callable[..., Any]) -> None:
    page = visitor().open("layers/relu/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.md-skip')")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.matches('article h1')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('article :not(h1)')")


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
