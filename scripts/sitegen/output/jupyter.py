"""Outputs as mkdocs-jupyter renders them, instead of the plain ones of a staged page."""

import functools
import re

from bs4 import BeautifulSoup, Tag

from ..render.markdown import MEASURED, OUTPUT


def marked(text: str) -> str:
    """Return a staged page's Markdown with a mark where each plain output was."""
    return OUTPUT.sub(lambda m: f'<div data-output="{m[1]}-{m[2]}{m[3] or ""}"></div>', text)


def put(content: str, rendered: str) -> str:
    """Replace the marks in a page's HTML by the outputs.

    Parameters
    ----------
    content : str
        The HTML of the marked page.
    rendered : str
        The whole page as mkdocs-jupyter renders its notebook.
    """
    outputs = _outputs(rendered)

    def output(match: re.Match[str]) -> str:
        return _box(outputs[int(match[1])][int(match[2])], is_timing=bool(match[3]))

    return re.sub(r'<div data-output="(\d+)-(\d+)( timing)?"></div>', output, content)


def _box(output: str, *, is_timing: bool) -> str:
    """An output's box. A section, because a div in it would end the exclusion from the search."""
    kind, note = "", ""
    if is_timing:
        kind = " book-timing"
        note = f"<p>{MEASURED}</p>"
    return (
        f'<section class="book-output{kind}" role="group" aria-label="Output" tabindex="0" '
        f"data-search-exclude>"
        f"{output}{note}</section>"
    )


@functools.lru_cache(maxsize=64)  # for `make serve`: a page in which only prose has changed
def _outputs(rendered: str) -> list[list[str]]:
    """The outputs of each code cell, without mkdocs-jupyter's styles and scripts."""
    soup = BeautifulSoup(rendered, "lxml")

    def inside(area: Tag) -> str:
        output = area.select_one(".jp-OutputArea-output")
        return "" if output is None else output.decode_contents()

    cells = soup.select('.jp-CodeCell[id^="cell-id="]')
    return [[inside(area) for area in cell.select(".jp-OutputArea-child")] for cell in cells]
