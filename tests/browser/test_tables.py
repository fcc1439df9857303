"""A wide table on a phone: what a row is about stays, and shadows say where more is."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

PAGE = "verify/checks/"
WIDE = """() => [...document.querySelectorAll("article > .md-typeset__scrollwrap table")]
    .find((table) => table.scrollWidth > table.clientWidth + 40)"""
PLAIN = """(table) => {
    for (const node of table.querySelectorAll("*"))
        node.style.cssText = "color: transparent; border: 0";
    table.scrollIntoView({ block: "center" });
}"""


def shades(table: Any) -> list[bool]:
    """Whether there is a shadow beside the first column, and at the right edge."""
    label = table.query_selector("tbody tr > :first-child").bounding_box()
    first = label["x"] + label["width"] - table.bounding_box()["x"]
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
    assert shades(table) == [False, True]
    table.evaluate("(node) => (node.scrollLeft = 30)")
    assert shades(table) == [True, True]
    table.evaluate("(node) => (node.scrollLeft = 1000)")
    assert shades(table) == [True, False]
    assert label.bounding_box()["x"] - table.bounding_box()["x"] == left


def test_table_that_fits_has_no_shadow(visitor: Callable[..., Any]) -> None:
    page = visitor(width=1280).open(PAGE)
    assert page.evaluate_handle(WIDE).as_element() is None
    table = page.query_selector("article > .md-typeset__scrollwrap table")
    table.evaluate(PLAIN)
    assert shades(table) == [False, False]
