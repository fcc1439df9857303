"""The interactive figures answer to keyboard, mouse and finger, and say what happens."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from recipes import RECIPES, Click, Fill, Press, Says, Step

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SAYS = """([figure, { text, where }]) => [...figure.querySelectorAll(where)].some(
    (node) => `${node.textContent} ${node.ariaLabel}`.includes(text))"""


def live(page: "Page", name: str) -> "Locator":
    """The figure, once it has taken its picture's place."""
    figure = page.locator(name)
    figure.scroll_into_view_if_needed()
    page.locator(f"{name}[data-live]").wait_for(state="attached")
    return figure


def says(figure: "Locator", text: str, where: str = Says.where) -> None:
    """Wait until the figure says something."""
    figure.page.wait_for_function(
        SAYS, arg=[figure.element_handle(), {"text": text, "where": where}]
    )


def do(figure: "Locator", step: Step) -> None:
    match step:
        case Click(button):
            figure.get_by_role("button", name=button, exact=True).click()
        case Press(slider, key, times):
            control = figure.get_by_role("slider", name=slider, exact=True)
            control.focus()
            for _ in range(times):
                control.press(key)
        case Fill(field, value):
            figure.get_by_label(field, exact=True).fill(value)
        case Says(text, where):
            says(figure, text, where)


@pytest.mark.parametrize("name", RECIPES)
def test_figure_answers_to_the_reader(name: str, visitor: Callable[..., Any]) -> None:
    where, steps = RECIPES[name]
    visits = visitor()
    figure = live(visits.open(where), name)
    assert figure.locator("img").first.is_hidden()
    for step in steps:
        do(figure, step)
    assert visits.problems == []


def test_every_figure_is_tried() -> None:
    """The recipes are those of the site's figures."""
    from built import ROOT

    script = (ROOT / "docs/assets/javascripts/figures.js").read_text(encoding="utf-8")
    assert sorted(RECIPES) == sorted(
        line.split('"')[1] for line in script.splitlines() if "import(" in line
    )


def test_the_small_network_plays_once_and_can_be_paused(visitor: Callable[..., Any]) -> None:
    """Where motion is welcome it starts by itself, ends by itself, and has a button to pause."""
    visits = visitor()
    visits.page.emulate_media(reduced_motion="no-preference")
    figure = live(visits.open(""), "nn-iris")
    says(figure, "Epoch 60 of 60")
    assert figure.get_by_role("button", name="Train", exact=True).is_visible()
    assert visits.problems == []
