"""Interactive figures as they are looked at: on a desk, on a phone, on paper, in forced colours."""

from collections.abc import Callable
from typing import Any

import pytest
from built import chapters, page
from recipes import RECIPES
from test_live_figures import do, live

# The size of the smallest and largest labels of a figure as they are drawn, and of the text.
LABELS = """(figure) => {
    const size = (node) => parseFloat(getComputedStyle(node).fontSize);
    const drawn = [...figure.querySelectorAll("svg text")].map(
        (node) => size(node) * Math.abs(node.getScreenCTM().a || node.getScreenCTM().b));
    return [Math.max(0, ...drawn), size(document.querySelector("article > p:not([class])"))];
}"""
HEIGHT = "(figure) => figure.querySelector('.book-live').getBoundingClientRect().height"
TOGETHER = """(figure) => {
    const parts = [...figure.querySelectorAll("svg, button, input, .book-status")];
    const boxes = parts.map((node) => node.getBoundingClientRect());
    return Math.max(...boxes.map((b) => b.bottom)) - Math.min(...boxes.map((b) => b.top));
}"""
# What the status of a figure has said since it was asked for.
HEARD = """(figure) => {
    const status = figure.querySelector("[role=status]");
    window.heard = [];
    new MutationObserver(() => heard.push(status.textContent)).observe(status, { childList: true });
}"""


@pytest.mark.parametrize("name", RECIPES)
def test_a_figure_keeps_its_height_on_a_phone(name: str, visitor: Callable[..., Any]) -> None:
    where, steps = RECIPES[name]
    figure = live(visitor(width=390).open(where), name)
    heights = [figure.evaluate(HEIGHT)]
    for step in steps:
        do(figure, step)
        heights.append(figure.evaluate(HEIGHT))
    assert max(heights) - min(heights) < 1, heights


@pytest.mark.parametrize("name", RECIPES)
def test_labels_are_no_larger_than_the_text(name: str, visitor: Callable[..., Any]) -> None:
    figure = live(visitor().open(RECIPES[name][0]), name)
    label, text = figure.evaluate(LABELS)
    assert label <= text


@pytest.mark.parametrize("name", ["nn-network", "nn-iris"])
def test_map_and_controls_are_seen_together(name: str, visitor: Callable[..., Any]) -> None:
    visits = visitor()
    visits.page.set_viewport_size({"width": 1280, "height": 720})  # a small laptop's
    figure = live(visits.open(RECIPES[name][0]), name)
    header = figure.page.locator(".md-header").bounding_box()["height"]
    assert figure.evaluate(TOGETHER) < 720 - header


@pytest.mark.parametrize(("name", "last"), [("nn-network", 200), ("nn-iris", 60)])
def test_the_numbers_are_told_during_the_training(
    name: str, last: int, visitor: Callable[..., Any]
) -> None:
    visits = visitor()
    visits.page.emulate_media(reduced_motion="no-preference")
    here = visits.open(RECIPES[name][0])
    figure = live(here, name)
    figure.evaluate(HEARD)
    for button in ("Start again", "Train"):  # the landing page's has begun by itself before
        figure.get_by_role("button", name=button, exact=True).click()
    end = f"Epoch {last} of {last}"
    here.wait_for_function("(end) => heard.some((text) => text.startsWith(end))", arg=end)
    on_the_way = [text for text in here.evaluate("heard") if not text.startswith(end)]
    assert any(text.startswith("Epoch ") and "Epoch 0 " not in text for text in on_the_way)


def test_the_table_of_batch_normalisation_breaks_no_word(visitor: Callable[..., Any]) -> None:
    figure = live(visitor(width=390).open("layers/batch_norm/"), "nn-batch-norm")
    for cell in figure.locator(".book-norm-table th").all():
        assert cell.evaluate("(th) => th.scrollWidth <= th.clientWidth")
        assert (
            cell.evaluate(
                """(th) => {
                const range = document.createRange();
                range.selectNodeContents(th);
                return range.getClientRects().length;
            }"""
            )
            == 1
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_live_figure_is_its_picture_on_paper(
    name: str, scheme: str, visitor: Callable[..., Any]
) -> None:
    figure = live(visitor(scheme=scheme).open(RECIPES[name][0]), name)
    picture = figure.locator("img.book-light")
    assert picture.is_hidden()
    figure.page.emulate_media(media="print")
    assert picture.is_visible()
    figure.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    # Where the dark theme had not loaded it, a drawing stands for it (print.js).
    drawn = figure.locator(".book-brought, img.book-light").locator("visible=true")
    assert drawn.count() == 1
    assert picture.evaluate("(image) => image.naturalWidth > 0") or picture.is_hidden()
    assert figure.locator("img.book-dark").is_hidden()
    assert figure.locator(".book-live").is_hidden()


def test_imports_are_left_out_on_paper(visitor: Callable[..., Any]) -> None:
    here = visitor().open("layers/relu/")
    here.evaluate("dispatchEvent(new Event('beforeprint'))")
    first = here.locator("article pre").locator("visible=true").first
    assert "import " in first.inner_text()
    here.emulate_media(media="print")
    assert "import " not in first.inner_text()
    assert here.locator("article details.code").locator("visible=true").count() > 2


@pytest.mark.parametrize("address", chapters())
def test_what_is_left_out_on_paper_are_imports(address: str) -> None:
    # The stylesheet means the first fold of code; a chapter may have none.
    first = page(address).article.find("details", recursive=False)
    assert first is None or "import " in first.get_text()


def test_lines_and_bars_are_there_in_forced_colours(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    visits.page.emulate_media(forced_colors="active")
    figure = live(visits.open("layers/pooling/"), "nn-pooling")
    style = "(node) => [getComputedStyle(node).outlineStyle, getComputedStyle(node).outlineWidth]"
    for cell in figure.locator(".book-pool-cell:not([data-chosen])").all():
        assert cell.evaluate(style) == ["solid", "1px"]
    figure = live(visits.open("layers/cross_entropy/"), "nn-cross-entropy")
    colour = "(node) => getComputedStyle(node).backgroundColor"
    for bar in figure.locator(".book-ce-bar > span").all():
        assert bar.evaluate(colour) != visits.page.evaluate(f"({colour})(document.body)")
