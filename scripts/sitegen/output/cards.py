"""What other programs read of a page: its card, its tags, its structured data; and the mark.

The mark is a network of three units that is also a tick. It is drawn here once, as SVG and as
pixels, so that the tab, the header and the cards show the same.
"""

import hashlib
import io
import json
import posixpath
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fontTools import ttLib
from PIL import Image, ImageDraw, ImageFont

from nn_tutorial.files import write_whole
from nn_tutorial.pages.colors import COLORS, DARK

from ..render import fonts

SIZE = 1200, 630
UNITS = ((4.5, 13.0), (10.0, 18.5), (19.5, 5.5))  # in a square of 24
INK, QUIET, BLUE, PAPER = (COLORS[name] for name in ("text", "muted", "blue", "background"))
LIGHT_BLUE = DARK["blue"]


@dataclass(frozen=True)
class Site:
    """What the cards say of the book: its name and, where it is served, its address."""

    name: str
    url: str


@dataclass(frozen=True)
class Page:
    """What the cards say of a page."""

    name: str  # of its file below the staged folder
    title: str
    description: str
    url: str
    parts: tuple[str, ...] = ()  # of the book, from the outermost, that it belongs to
    is_first: bool = False  # the page that stands for the book


def mark(color: str = "currentColor") -> str:
    """Return the mark as SVG."""
    line = " ".join(f"{x:g},{y:g}" for x, y in UNITS)
    dots = "".join(f'<circle cx="{x:g}" cy="{y:g}" r="3"/>' for x, y in UNITS)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        f'<g fill="{color}"><polyline points="{line}" fill="none" stroke="{color}" '
        f'stroke-width="2.2"/>{dots}</g></svg>'
    )


def files(site_url: str) -> dict[str, str | bytes]:
    """Return the icons of the site and its robots.txt by their places in it."""
    both = mark("#000").replace(
        "<g",
        f"<style>g{{fill:{BLUE};stroke:{BLUE}}}@media(prefers-color-scheme:dark)"
        f"{{g{{fill:{LIGHT_BLUE};stroke:{LIGHT_BLUE}}}}}circle{{stroke:none}}</style><g",
        1,
    )
    both = both.replace(' fill="#000"', "").replace(' stroke="#000"', "")
    images = "assets/images/"
    return {
        "robots.txt": f"User-agent: *\nAllow: /\n\nSitemap: {site_url}sitemap.xml\n",
        f"{images}mark.svg": both,
        f"{images}mark.png": _icon(48, BLUE, None),
        f"{images}apple-touch-icon.png": _icon(180, PAPER, BLUE),
    }


def card(page: Page, site: Site, cache: Path) -> bytes:
    """Return the picture that stands for a page where somebody shares it, as PNG; remember it."""
    texts = [page.title, page.description, site.name]
    asked = json.dumps(texts).encode() + Path(__file__).read_bytes()
    kept = cache / "cards" / f"{hashlib.sha256(asked).hexdigest()[:16]}.png"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(kept) as beside:
            beside.write_bytes(draw(*texts))
    return kept.read_bytes()


def about(page: Page, site: Site) -> dict[str, str]:
    """Return what a page's head says of it: its texts, its card, and data in schema.org's words."""
    home = site.url or "/"
    image = home + place(page.name)
    book = {"@type": "Book", "@id": home, "name": site.name, "url": home}
    data: list[dict[str, Any]]
    if page.is_first:
        licence = "https://opensource.org/license/mit"
        told = {"description": page.description, "inLanguage": "en-GB", "license": licence}
        data = [book | told]
    else:
        items = [{"@type": "ListItem", "position": 1, "name": site.name, "item": home}]
        items += [
            {"@type": "ListItem", "position": n, "name": step}
            for n, step in enumerate([*page.parts, page.title], 2)
        ]
        article = {
            "@type": "TechArticle",
            "headline": page.title,
            "description": page.description,
            "url": page.url,
            "image": image,
            "inLanguage": "en-GB",
            "isPartOf": book,
        }
        data = [article, {"@type": "BreadcrumbList", "itemListElement": items}]
    graph = json.dumps(
        {"@context": "https://schema.org", "@graph": data},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    # Nothing in a text may end the element that holds the data.
    told_as = graph.replace("<", "\\u003c")
    return {
        "title": page.title,
        "description": page.description,
        "image": image,
        "data": told_as,
    }


def place(name: str) -> str:
    """Return where a page's card is, below the site's root."""
    return f"assets/cards/{posixpath.splitext(name)[0].replace('/', '-')}.png"


def draw(title: str, description: str, book: str) -> bytes:
    """Return a card as PNG."""
    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 24, SIZE[1]), fill=BLUE)
    icon = _picture(120, BLUE, PAPER)
    picture.paste(icon, (SIZE[0] - 200, 70))
    pen.text((90, 96), book, font=_font("400-normal", 36), fill=QUIET)
    size, width = (84, 23) if len(title) < 46 else (66, 29)
    lines = textwrap.wrap(title, width)[:3]
    y = 190
    for line in lines:
        pen.text((86, y), line, font=_font("600-normal", size), fill=INK)
        y += round(size * 1.12)
    y += 26
    room = (SIZE[1] - 50 - y) // 50
    told = textwrap.wrap(description, 58)
    if len(told) > room:
        told = textwrap.wrap(textwrap.shorten(description, 58 * room - 14, placeholder=" …"), 58)
    for line in told:
        pen.text((90, y), line, font=_font("400-normal", 36), fill=INK)
        y += 50
    return _png(picture)


def _icon(size: int, color: str, back: str | None) -> bytes:
    return _png(_picture(size, color, back))


def _picture(size: int, color: str, back: str | None) -> Image.Image:
    """The mark in pixels: drawn four times as large, then made smaller, for smooth edges."""
    scale = 4 * size / 24
    picture = Image.new("RGBA", (4 * size, 4 * size), back or "#ffffff00")
    pen = ImageDraw.Draw(picture)
    margin = 0.18 if back == BLUE else 0.0  # a phone cuts its icons round
    at = [tuple((margin * 12 + v * (1 - margin)) * scale for v in unit) for unit in UNITS]
    pen.line(at, fill=color, width=round(2.2 * scale * (1 - margin)))
    r = 3 * scale * (1 - margin)
    for x, y in at:
        pen.ellipse((x - r, y - r, x + r, y + r), fill=color)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _png(picture: Image.Image) -> bytes:
    """As few colours as the smooth edges need."""
    written = io.BytesIO()
    few = picture.quantize(32, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


_fonts: dict[tuple[str, int], ImageFont.FreeTypeFont] = {}


def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    if (face, size) not in _fonts:
        unpacked = io.BytesIO()
        with ttLib.TTFont(fonts.PACKAGES / fonts.TEXT.format(face)) as packed:
            packed.flavor = None
            packed.save(unpacked, reorderTables=None)
        _fonts[face, size] = ImageFont.truetype(
            io.BytesIO(unpacked.getvalue()), size, layout_engine=ImageFont.Layout.BASIC
        )
    return _fonts[face, size]
