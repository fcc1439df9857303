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


@pytest.mark.parametrize(
    ("snippet", "word"),
    [
        ('<h2>b<a class="headerlink" href="#">b</a></h2>', "a stop: <a"),
        ('<button class="md-code__button">b</button>', "a stop: <button"),
        ('<div tabindex="0">fits</div>', "a stop: <div"),
    ],
)
def test_stop_in_the_way_is_noticed(snippet: str, word: str, visitor: Callable[..., Any]) -> None:
    visits = visitor()
    whole = '<a href="#a" class="md-skip">a</a>{}<article>{}</article>'
    wide = '<div tabindex="0" style="overflow: auto; width: 9px">scrolls</div>'
    beside = '<div class="md-sidebar"><a href=".">b</a></div>'
    assert visits.show(whole.format(beside, wide)).evaluate("probes.inTheWay()") == []
    told = visits.show(whole.format(beside, snippet)).evaluate("probes.inTheWay()")
    assert word in " ".join(told)
    told = visits.show(whole.format(2 * beside.replace("</a>", "</a><a href='.'>c</a>"), wide))
    assert "2 stops" in " ".join(told.evaluate("probes.inTheWay()"))


def test_the_lists_are_one_stop_each(visitor: Callable[..., Any]) -> None:
    page = visitor().open("layers/batch_norm/")
    active = "document.activeElement"
    page.locator(".book-palette").focus()
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate(f"{active}.closest('.md-nav--primary') !== null"):
            break
    assert page.evaluate(f"{active}.classList.contains('md-nav__link--active')")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(f"{active}.innerText.trim()") == "Layer normalisation"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")  # there is none above
    assert page.evaluate(f"{active}.closest('li').previousElementSibling") is None
    page.keyboard.press("Tab")
    assert page.evaluate(f"{active}.closest('.md-nav--secondary') !== null")
    page.keyboard.press("End")
    assert page.evaluate(f"{active}.hash") == "#sources"
    page.keyboard.press("Tab")
    assert page.evaluate(f"{active}.closest('article') !== null")


def test_a_key_copies_the_code_on_the_screen(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    visits.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visits.open("layers/relu/")
    block = page.locator("article .highlight:visible").nth(1)
    block.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
    page.keyboard.press("c")
    page.wait_for_function("document.activeElement.matches('.md-code__button')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("code").inner_text().rstrip()
    # Who wants no keys gets the buttons as stops.
    button = page.locator("article .md-code__button").first
    assert button.evaluate("(node) => node.tabIndex") == -1
    page.keyboard.press("?")
    page.get_by_role("checkbox", name="These keys work").uncheck()
    assert button.evaluate("(node) => node.tabIndex") == 0
    page.reload()
    page.locator("article .md-code__button").first.wait_for(state="attached")
    assert button.evaluate("(node) => node.tabIndex") == 0


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
