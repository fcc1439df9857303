"""Figures of a page: the files for the light and the dark theme, and their place in the text."""

import functools
import hashlib
import html
import itertools
import posixpath
import re
from dataclasses import dataclass
from typing import Any

from nn_tutorial.pages.colors import COLORS, DARK

from ..run.page import Cell
from . import typography

_TO_DARK = {COLORS[name]: DARK[name] for name in COLORS}
_ANY_COLOR = re.compile("|".join(_TO_DARK), re.IGNORECASE)
_SIZE = re.compile(r'\b(?:width|height)="([\d.]+)pt"')
PIXELS_A_POINT = 4 / 3  # of CSS


@dataclass(frozen=True)
class Figure:
    """A figure: its files by their places in the staged folder, and its Markdown."""

    files: dict[str, str]
    markdown: str


def folder(page: str) -> str:
    """Return the folder of a page's own files: beside it, and of its name."""
    is_index = posixpath.basename(page) == "index"
    return posixpath.dirname(page) if is_index else page


def beside(page: str) -> str:
    """Return how addresses in a page's text begin: the way from its file to its folder."""
    own = posixpath.basename(page)
    return "" if own == "index" else f"{own}/"


def of(output: Any, page: str, cell: Cell) -> list[Figure]:
    """Return the figures in an output of a cell: one or none."""
    mime = "image/svg+xml"
    svg = output.get("data", {}).get(mime)
    if svg is None:
        return []
    svg = typography.closed_up("".join(svg))
    about = output.metadata[mime]
    name = about.get("name") or "figure-" + hashlib.sha256(svg.encode()).hexdigest()[:10]
    sizes = itertools.islice(_SIZE.finditer(svg), 2)
    width, height = (round(float(size[1]) * PIXELS_A_POINT) for size in sizes)
    here, files, images = folder(page), {}, []
    for theme, drawing in (("light", svg), ("dark", in_dark(svg))):
        files[posixpath.join(here, f"{name}-{theme}.svg")] = drawing
        images.append(
            f'<img class="book-{theme}" src="{beside(page)}{name}-{theme}.svg" '
            f'alt="{html.escape(about["alt"])}" width="{width}" height="{height}" loading="lazy">'
        )
    if live := about.get("live"):
        images = [f"<nn-{live}>", *images, f"</nn-{live}>"]
    caption = f'<figcaption markdown="span">{about["caption"]}</figcaption>'
    figure = "\n".join([f'<figure id="{name}" markdown="1">', *images, caption, "</figure>"])
    return [Figure(files, figure)]


@functools.lru_cache(maxsize=2048)  # asked for the file and for the text; again by `make serve`
def in_dark(svg: str) -> str:
    """Return the drawing with each colour of the palette exchanged for its twin."""
    return _ANY_COLOR.sub(lambda match: _TO_DARK[match[0].lower()], svg)
