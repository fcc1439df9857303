"""A symbol of the equations, its code and its cells light up together (symbols.js)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from test_live_figures import live

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIT = "[...document.querySelectorAll('article .book-lit')].map((one) => one.textContent.trim())"
USED = "[...document.querySelectorAll('[data-symbol]')].map((one) => one.dataset.symbol)"
KNOWN = """import(new URL("../../assets/javascripts/symbols/names.js", location)).then(
    (module) => Object.values(module.default).flatMap((layer) => Object.keys(layer)))"""

# Of each chapter a symbol, what it is in the code, its figure, and the figure's cells.
CASES = {
    "relu": ("dX", "where_open(mask, dy)", "nn-relu", ".book-relu-cells"),
    "linear": ("dW", "x.reshape(len(rows), -1).T @ rows", None, None),
    "softmax": ("dZ", "p * (dp - (dp * p).sum(axis=axis, keepdims=True))", "nn-softmax", "g"),
    "batch_norm": ("Xhat", "xhat", "nn-batch-norm", "tr"),
    "convolution": ("dW", "dweight", None, None),
    "pooling": ("dX", "dx", "nn-pooling", ".book-pool-cells"),
}


def opened(name: str, visitor: Callable[..., Any]) -> "Page":
    page: Page = visitor().open(f"layers/{name}/")
    page.locator("article details.check").first.scroll_into_view_if_needed()
    page.locator(".book-symbols").first.wait_for(state="attached")
    return page


@pytest.mark.parametrize("name", CASES)
def test_term_code_and_cells_light_each_other(name: str, visitor: Callable[..., Any]) -> None:
    symbol, code, figure, cells = CASES[name]
    page = opened(name, visitor)
    if figure:
        live(page, figure)
    of = f"[data-symbol={symbol}]"
    places = [f"article math {of}", f"article pre {of}"]
    places += [f"{figure} {cells}{of}"] if figure else []
    for place in places:  # from each to the others
        page.locator(place).first.scroll_into_view_if_needed()
        # Within an expression the pointer may be on a name, which is a symbol of its own.
        page.locator(place).first.dispatch_event("pointerover")
        lit = page.evaluate(LIT)
        assert code in lit
        for other in places:
            found = page.locator(other)
            assert found.count() > 0
            assert all("book-lit" in one.get_attribute("class") for one in found.all())
        dark = page.locator(f"article [data-symbol]:not({of})")
        assert not any("book-lit" in (one.get_attribute("class") or "") for one in dark.all())
    page.mouse.move(0, 0)
    page.locator("article h1").hover()
    assert page.evaluate(LIT) == []


@pytest.mark.parametrize("name", CASES)
def test_figures_and_equations_use_known_symbols(name: str, visitor: Callable[..., Any]) -> None:
    page = opened(name, visitor)
    if figure := CASES[name][2]:
        live(page, figure)
    used, known = set(page.evaluate(USED)), set(page.evaluate(KNOWN))
    assert used <= known
    # What comes in, what goes on and what arrives is in each chapter's equations.
    output = "P" if name == "softmax" else "Y"
    assert {f"d{output}", "Z" if name == "softmax" else "X"} <= used


def test_keyboard_and_screen_reader(visitor: Callable[..., Any]) -> None:
    page = opened("linear", visitor)
    bar = page.get_by_role("toolbar", name="Symbols of these equations").first
    buttons = bar.get_by_role("button")
    assert bar.locator("[tabindex='0']").count() == 1
    buttons.first.focus()
    page.keyboard.press("ArrowRight")
    second = buttons.nth(1)
    assert second.evaluate("(button) => button === document.activeElement")
    assert bar.get_by_role("status").inner_text().startswith("X is x in the code, ")
    assert "x" in page.evaluate(LIT)
    page.keyboard.press("Enter")
    assert second.get_attribute("aria-pressed") == "true"
    second.evaluate("(button) => button.blur()")
    assert "x" in page.evaluate(LIT)  # held
    second.press("Enter")
    second.evaluate("(button) => button.blur()")
    assert page.evaluate(LIT) == []


def test_code_is_copied_as_it_was(visitor: Callable[..., Any]) -> None:
    page = opened("batch_norm", visitor)
    plain = visitor(javascript=False).open("layers/batch_norm/")
    code = "[...document.querySelectorAll('article pre > code')].map((one) => one.textContent)"
    assert page.evaluate(code) == plain.evaluate(code)
