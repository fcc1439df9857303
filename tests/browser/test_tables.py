"""A wide table on a phone: what a row is about stays, and shadows say where more is."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

PAGE = "layers/batch_norm/"
WIDE = """() => [...document.querySelectorAll("article > .md-typeset__scrollwrap table")]
    .find((table) => table.scrollWidth > table.clientWidth + 40)"""
PLAIN = """(table) => {
    for (const node of table.querySelectorAll("*"))
        node.style.cssText = "color: transparent; border: 0";
    table.scrollIntoView({ block: "center" });
}"""


def shades(table: Any, first: float) -> list[bool]:
    """Whether there is a shadow beside the first column, and at the right edge."""
    picture = Image.open(io.BytesIO(table.screenshot())).convert("L")
    width, middle = picture.width, picture.height // 2
    paper = picture.getpixel((int(first + width) // 2, middle))
    return [abs(picture.getpixel((x, middle)) - paper) > 15 for x in (int(first) + 2, width - 2)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_wide_table_says_where_more_is(scheme: str, visitor: Callable[..., Any]) -> None:
    page = visitor(width=390, scheme=scheme).open(PAGE)
    table = page.evaluate_handle(WIDE).as_element()
    label = table.query_selector("tbody tr > :first-child")
    table.evaluate(PLAIN)
    left = label.bounding_box()["x"] - table.bounding_box()["x"]
    first = left + label.bounding_box()["width"]
    assert shades(table, first) == [False, True]
    table.evaluate("(node) => (node.scrollLeft = 30)")
    assert shades(table, first) == [True, True]
    table.evaluate("(node) => (node.scrollLeft = 1000)")
    assert shades(table, first) == [True, False]
    assert label.bounding_box()["x"] - table.bounding_box()["x"] == left
