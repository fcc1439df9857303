"""The interactive figures answer to keyboard, mouse and finger, and say what happens."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

FIGURES = {
    "nn-relu": "layers/relu/",
    "nn-graph": "foundations/chain_rule/",
    "nn-softmax": "layers/softmax/",
    "nn-cross-entropy": "layers/cross_entropy/",
    "nn-batch-norm": "layers/batch_norm/",
    "nn-convolution": "layers/convolution/",
    "nn-pooling": "layers/pooling/",
    "nn-network": "networks/iris/",
    "nn-iris": "",
}


def live(page: "Page", name: str) -> "Locator":
    """The figure, once it has taken its picture's place."""
    figure = page.locator(name)
    figure.scroll_into_view_if_needed()
    page.locator(f"{name}[data-live]").wait_for(state="attached")
    return figure


def says(figure: "Locator", text: str, where: str = "p[role=status]") -> None:
    """Wait until the figure says something, in a line that is read aloud or in the given one."""
    figure.locator(where, has_text=text).first.wait_for()


def press(control: "Locator", *keys: str) -> None:
    control.focus()
    for key in keys:
        control.press(key)


def relu(figure: "Locator") -> None:
    press(figure.get_by_role("slider", name="x, row 2, column 1"), *["ArrowLeft"] * 3)
    says(figure, "2 of 6 gates open; 2 of 6 gradients get through.")


def graph(figure: "Locator") -> None:
    figure.get_by_role("button", name="Start over").click()
    says(figure, "Only the inputs are known.")
    for _ in range(8):
        figure.get_by_role("button", name="Step on").click()
    says(figure, "Step 8 of 13, backward")


def softmax(figure: "Locator") -> None:
    slider = figure.get_by_role("slider", name="temperature T")
    slider.fill("0.2")
    bars = figure.locator("[role=img]").first
    assert "0.00, 0.12, 0.88" in (bars.get_attribute("aria-label") or "")
    figure.get_by_role("button", name="Back to the example").click()
    says(figure, "Both ways pass on 0.83, −0.33, −0.50.")


def cross_entropy(figure: "Locator") -> None:
    press(figure.get_by_role("slider", name="probability of class 0, example 1"), "End")
    says(figure, "L = 3.251 nats", ".book-ce-total")
    figure.get_by_role("button", name="Back to the example").click()
    says(figure, "L = 1.04 nats", ".book-ce-total")


def batch_norm(figure: "Locator") -> None:
    figure.get_by_role("button", name="One pass").click()
    says(figure, "mean 0.4, variance 1.4", ".book-norm-statistics")
    press(figure.get_by_role("slider", name="example 1", exact=True), *["ArrowRight"] * 20)
    says(figure, "4 of the 4 other outputs moved with it.")
    figure.get_by_role("button", name="Evaluation").click()
    press(figure.get_by_role("slider", name="example 1", exact=True), "ArrowLeft")
    says(figure, "no other output moved")


def convolution(figure: "Locator") -> None:
    press(figure.get_by_role("slider", name="Window"), "ArrowDown")
    says(figure, "Window 4 of 4 gives 3.")
    figure.get_by_role("button", name="Back to the example").click()
    figure.get_by_role("button", name="Backward").click()
    says(figure, "Seen by 4 of 4 windows")


def pooling(figure: "Locator") -> None:
    figure.get_by_label("X, row 1, column 1", exact=True).fill("6")
    says(figure, "2 pixels tie at 6. The first in reading order wins")
    figure.get_by_role("button", name="Back to the example").click()
    figure.get_by_role("button", name="Stride 1").click()
    says(figure, "60 arrives in all, 60 is passed back", ".book-pool-sums")


def network(figure: "Locator") -> None:
    figure.get_by_role("button", name="Run 2").click()
    figure.get_by_role("button", name="One epoch").click()
    says(figure, "Epoch 1 of 200")
    figure.get_by_role("button", name="Train").click()
    says(figure, "Epoch 200 of 200")
    figure.get_by_role("button", name="Run 3").click()
    says(figure, "Epoch 0 of 200")


def iris(figure: "Locator") -> None:
    says(figure, "Epoch 0 of 60")  # with less motion asked for, nothing starts by itself
    figure.get_by_role("button", name="Train").click()
    says(figure, "Epoch 60 of 60")


OPERATED = {
    "nn-relu": relu,
    "nn-graph": graph,
    "nn-softmax": softmax,
    "nn-cross-entropy": cross_entropy,
    "nn-batch-norm": batch_norm,
    "nn-convolution": convolution,
    "nn-pooling": pooling,
    "nn-network": network,
    "nn-iris": iris,
}


@pytest.mark.parametrize("name", FIGURES)
def test_figure_answers_to_the_reader(name: str, visitor: Callable[..., Any]) -> None:
    visits = visitor()
    figure = live(visits.open(FIGURES[name]), name)
    assert figure.locator("img").first.is_hidden()
    OPERATED[name](figure)
    assert visits.problems == []


def test_every_figure_is_tried() -> None:
    """The list above is that of the site."""
    from built import ROOT

    script = (ROOT / "docs/assets/javascripts/figures.js").read_text(encoding="utf-8")
    assert sorted(FIGURES) == sorted(
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
