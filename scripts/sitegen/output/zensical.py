"""The staged book, built by Zensical instead of MkDocs: how far the step to it has become.

`make next` builds into `.cache/next/site` and compares it with `site/`, page by page: what a reader
has there, each link, picture and formula, must be here as well. The formulas are ours, drawn as in
the book after Zensical has rendered the text. CONTRIBUTING says what is missing.
"""

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from ..render import fonts, mathematics, typography
from ..render.staging import navigation
from . import cards, stylesheet

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / ".venv-next" / "bin" / "zensical"
_LEFT_OUT = ("hooks", "plugins", "watch", "validation", "extra", "strict")
_PLUGINS = ("search", "tags", "mkdocstrings")
# What stands in a page beside its text: the boxes of outputs, and what the theme adds.
_NOT_TEXT = ".headerlink, .book-edit, .md-tags, script, #__skip"


class NextError(Exception):
    """What the other renderer has not brought over; the message has a line for each."""


def _with_environment(text: str) -> str:
    """Write its values where the settings ask the environment."""
    return re.sub(
        r"!ENV \[(\w+), ([^\]]*)\]",
        lambda match: json.dumps(os.environ[match[1]]) if match[1] in os.environ else match[2],
        text,
    )


def settings(book: str) -> dict[str, Any]:
    """Return Zensical's settings for the text of the book's `mkdocs.yml`."""
    theirs = yaml.safe_load(_with_environment(book))
    plugins = {}
    for plugin in theirs["plugins"]:
        name, options = next(iter(plugin.items())) if isinstance(plugin, dict) else (plugin, {})
        if name in _PLUGINS:
            plugins[name] = options
    plugins["mkdocstrings"]["handlers"]["python"]["paths"] = [str(ROOT)]
    ours = {name: value for name, value in theirs.items() if name not in _LEFT_OUT}
    return ours | {
        "docs_dir": "docs",
        "site_dir": "site",
        "nav": navigation(theirs["nav"]),
        "theme": theirs["theme"] | {"variant": "classic", "custom_dir": "overrides"},
        "plugins": [{name: options} for name, options in plugins.items()],
        "extra": {"generator": False},
        "extra_css": [stylesheet.WHOLE],
    }


def write(staged: Path, book: Path, folder: Path) -> None:
    """Write what Zensical builds from: the staged files, the book's stylesheet, its settings."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(staged, folder / "docs")
    shutil.copytree(book / "overrides", folder / "overrides")
    config = settings((book / "mkdocs.yml").read_text(encoding="utf-8"))
    _write(folder / "docs", cards.files(config["site_url"]))
    _write(folder / "docs", {stylesheet.WHOLE: stylesheet.ours(book / "docs" / stylesheet.PLACE)})
    _write(folder, {"mkdocs.yml": yaml.safe_dump(config, allow_unicode=True, sort_keys=False)})


def _write(folder: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def run(folder: Path) -> None:
    """Let Zensical build, and stop at a warning."""
    command = [str(PROGRAM), "build", "--clean", "--strict", "--config-file", "mkdocs.yml"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace"
    )
    told = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
    if done.returncode or "No issues found" not in told:
        raise NextError(f"Zensical says:\n{told}")


def draw_formulas(site: Path, kept: Path) -> None:
    """Put KaTeX's MathML into the pages, set their text as in the book, and add the fonts."""
    paths = sorted(site.rglob("*.html"))
    pages = {path: path.read_text(encoding="utf-8") for path in paths}
    rendered = mathematics.render({str(p): text for p, text in pages.items()}, kept / "katex.json")
    for path, text in pages.items():
        marked = mathematics.mark(text, rendered)
        filled = mathematics.fill(marked, rendered)
        path.write_text(typography.typeset(filled), encoding="utf-8")
    font = mathematics.font(rendered, kept)
    _write(site, {"assets/fonts/stix-two-math.woff2": font} | fonts.of_text(pages.values(), kept))


@dataclass
class Content:
    """What stands in a page: its text without blanks, and how often each link, picture, formula."""

    text: str = ""
    links: Counter[str] = field(default_factory=Counter)
    pictures: Counter[str] = field(default_factory=Counter)
    formulas: Counter[str] = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)


@cache
def content(site: Path, page: str) -> Content:
    """Read a page of a built site; addresses are those below the site."""
    soup = BeautifulSoup((site / page).read_text(encoding="utf-8"), "lxml")
    article = soup.select_one("article")
    if article is None:
        raise NextError(f"{page}: no article")
    for other in article.select(_NOT_TEXT):
        other.decompose()
    return Content(
        "".join(article.get_text().split()),
        Counter(_address(page, str(tag["href"])) for tag in article.select("a[href]")),
        Counter(_address(page, str(tag["src"])) for tag in article.select("img[src]")),
        Counter(_formula(tag) for tag in article.select("math")),
        {str(tag["id"]) for tag in soup.select("[id]")},
    )


def _address(page: str, href: str) -> str:
    """The place of what a link leads to: a file below the site, with its anchor."""
    split = urlsplit(href)
    if split.scheme:
        return href
    path = unquote(urlsplit(urljoin(f"/{page}", split.path)).path).lstrip("/")
    file = page if not split.path else path
    file = posixpath.join(file, "index.html") if file.endswith("/") or not file else file
    return f"{file}#{unquote(split.fragment)}" if split.fragment else file


def _formula(tag: Tag) -> str:
    return re.sub(r"\s+", " ", str(tag))


def pages(site: Path) -> list[str]:
    """Return the pages of a built site, by their files below it."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("index.html"))


def missing(book: Path, other: Path) -> Iterable[str]:
    """Yield what is in the book's site and not in the other; and each dead link of the other."""
    for page in pages(book):
        if not (other / page).is_file():
            yield f"{page}: no such page"
            continue
        here, there = content(book, page), content(other, page)
        for kind in ("links", "pictures", "formulas"):
            for what, count in (getattr(here, kind) - getattr(there, kind)).items():
                yield f"{page}: {count} of the {kind} missing: {what}"
        if here.text != there.text:
            yield f"{page}: another text: {_difference(here.text, there.text)}"
        yield from (f"{page}: no anchor {name}" for name in _headings(book, page) - there.names)
        for address in there.links | there.pictures:
            file, _, anchor = address.partition("#")
            if urlsplit(address).scheme:
                continue
            if not (other / file).is_file():
                yield f"{page}: dead link to {address}"
            elif anchor and file.endswith(".html") and anchor not in content(other, file).names:
                yield f"{page}: no such anchor: {address}"


def _difference(ours: str, theirs: str) -> str:
    """Where two texts part, in a few letters of each."""
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), len(ours))
    return f"{theirs[max(at - 20, 0) : at + 20]!r}, not {ours[max(at - 20, 0) : at + 20]!r}"


def _headings(site: Path, page: str) -> set[str]:
    soup = BeautifulSoup((site / page).read_text(encoding="utf-8"), "lxml")
    return {str(tag["id"]) for tag in soup.select("article :is(h1, h2, h3, h4, figure)[id]")}


def main() -> int:
    """Build with Zensical, and tell what is there and what is not."""
    folder, book = ROOT / ".cache" / "next", ROOT / "site"
    try:
        write(ROOT / ".cache" / "staged", ROOT, folder)
        run(folder)
        draw_formulas(folder / "site", ROOT / ".cache")
        if lines := sorted(missing(book, folder / "site")):
            raise NextError("\n".join(lines))
    except (NextError, mathematics.MathError) as error:
        print(error, file=sys.stderr)
        return 1
    found = [content(folder / "site", page) for page in pages(folder / "site")]
    print(
        f"{len(found)} pages, {sum(c.links.total() for c in found)} links, "
        f"{sum(c.pictures.total() for c in found)} pictures and "
        f"{sum(c.formulas.total() for c in found)} formulas, as in the book: {folder / 'site'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
