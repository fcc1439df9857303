"""The book to take away: one PDF, and a zip of the site that opens from the disk.

`make book` builds the site with links to both, prints all pages as one document in Chromium, and
builds the site once more for the disk: no directory addresses, one classic script for the figures.
"""

import argparse
import html
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from nn_tutorial.files import write_whole

from . import dates
from .static_server import ARGUMENTS, chromium, hosted

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "downloads"
PDF, ZIP = f"{FOLDER}/neural-networks-checked.pdf", f"{FOLDER}/neural-networks-checked.zip"
TITLE = "How neural networks work, with checked equations and gradients"
SECONDS = 300  # for printing; a slow machine needs one of them
SIDE = 18  # the margins left and right, in mm
WIDTH = round((210 - 2 * SIDE) / 25.4 * 96)  # of the text on A4 between them, in CSS pixels
PAPER: Any = {
    "format": "A4",
    "margin": {"top": "18mm", "bottom": "20mm", "left": f"{SIDE}mm", "right": f"{SIDE}mm"},
    "outline": True,
    "tagged": True,
    "print_background": True,
    "display_header_footer": True,
    "header_template": "<span></span>",
    "footer_template": '<div style="font-size:8px;width:100%;text-align:center;color:#5f6368">'
    '<span class="pageNumber"></span></div>',
}
# Were anything wider than the paper, Chromium would print all of the book smaller.
_WIDER = """(most) => document.documentElement.scrollWidth <= most ? [] :
    [...document.querySelectorAll("body *")]
        .filter((node) => node.getBoundingClientRect().right > most)
        .map((node) => `${node.closest(".book-chapter")?.querySelector("h1").innerText}: ` +
            `${node.localName} ${node.className} ${node.textContent.slice(0, 40)}`)"""


class BookError(Exception):
    """A book that cannot be made; the message says what is missing."""


def browser() -> str:
    """Return the path of Chromium, or raise ``BookError``."""
    found = chromium()
    if found is None:
        raise BookError("Chromium is needed to print, and none was found (install `chromium`)")
    return found


def chapters(site: Path) -> list[tuple[str, str, str]]:
    """Return (part, title, path below the site) of the pages, in the order of the navigation.

    Each page names the next; its own part is the one that is open in its navigation.
    """
    found: list[tuple[str, str, str]] = []
    page: str | None = "index.html"
    while page is not None:
        if not (site / page).is_file():
            raise BookError(f"{page} was not found in {site}: build the site first")
        soup = BeautifulSoup((site / page).read_text(encoding="utf-8"), "lxml")
        nav = ".md-nav--primary > .md-nav__list > .md-nav__item--active"
        part = soup.select_one(f"{nav}.md-nav__item--nested > label .md-ellipsis")
        title = soup.select_one(".md-nav--primary a.md-nav__link--active")
        found.append((_text(part), _text(title), page))
        following = soup.select_one('link[rel="next"]')
        page = None if following is None else _page(page, str(following["href"]))
    return found


def _page(here: str, link: str) -> str:
    """Return the file that a link of a page leads to."""
    path = urlsplit(urljoin(f"/{here}", link)).path.lstrip("/")
    return path if path.endswith(".html") else posixpath.join(path, "index.html")


def _text(tag: Tag | None) -> str:
    return " ".join(tag.get_text(" ").split()) if tag else ""


def document(site: Path, pages: list[tuple[str, str, str]], numbers: dict[str, int]) -> str:
    """Return all pages as one HTML document, with contents; links lead to anchors within it.

    Parameters
    ----------
    site : Path
    pages : list of (part, title, path)
    numbers : dict of str to int
        The page on which each chapter begins, as far as it is known.
    """
    anchor = {path: f"c{i}" for i, (_, _, path) in enumerate(pages)}
    styles: list[str] = []
    bodies, contents, part_before = [], [], None
    for part, title, path in pages:
        soup = BeautifulSoup((site / path).read_text(encoding="utf-8"), "lxml")
        for sheet in soup.select('link[rel="stylesheet"]'):
            address = urljoin(f"/{path}", str(sheet["href"])).lstrip("/")
            if address not in styles:
                styles.append(address)
        article = soup.select_one("article.md-content__inner")
        if article is None:
            raise BookError(f"{path} has no article")
        bodies.append(_chapter(article, path, anchor, site))
        if part != part_before:
            contents.append(f'<li class="part">{html.escape(part or "Start")}</li>')
            part_before = part
        number = numbers.get(anchor[path], "")
        contents.append(
            f'<li><a href="#{anchor[path]}">{html.escape(title)}</a><span>{number}</span></li>'
        )
    sheets = "".join(f'<link rel="stylesheet" href="/{html.escape(s)}">' for s in styles)
    return (
        '<!doctype html><html lang="en" dir="ltr"><head><meta charset="utf-8">'
        f"<title>{TITLE}</title>"
        f'{sheets}<link rel="stylesheet" href="/{FOLDER}/book-print.css"></head>'
        '<body class="book-pdf md-typeset" data-md-color-scheme="default">'
        f'<section class="book-cover md-content__inner"><h1>{TITLE}</h1>'
        "<p>Printed from the site. Every number in it comes from a run of its code. The code of the"
        " figures is left out: it is on the site, and in the notebooks.</p></section>"
        '<nav class="book-contents md-content__inner">'
        f"<h2>Contents</h2><ol>{''.join(contents)}</ol></nav>"
        f"{''.join(bodies)}</body></html>"
    )


def _chapter(article: Tag, path: str, anchor: dict[str, str], site: Path) -> str:
    """One page's article, its anchors made unique and its addresses absolute or internal.

    The code that a page keeps folded, that of its figures, would be a fifth of the book: it is left
    out.
    """
    own = anchor[path]
    for odd in article.select(
        "script, .headerlink, .book-edit, .book-downloads, .md-content__button, .md-tags"
        ", details.code"
    ):
        odd.decompose()
    for folded in article.select("details"):
        folded["open"] = ""
    for tag in article.find_all(id=True):
        tag["id"] = f"{own}-{tag['id']}"
    for name in ("for", "aria-labelledby", "aria-describedby"):
        for tag in article.select(f"[{name}]"):
            tag[name] = f"{own}-{tag[name]}"
    for image in article.select("img[src]"):
        image["src"] = urljoin(f"/{path}", str(image["src"]))
        image.attrs.pop("loading", None)
    for link in article.select("a[href]"):
        href = str(link["href"])
        split = urlsplit(href)
        if split.scheme or href.startswith("//"):
            continue
        target = urljoin(f"/{path}", split.path).lstrip("/") if split.path else path
        if target == "" or target.endswith("/"):
            target += "index.html"
        if target in anchor:
            at = f"-{split.fragment}" if split.fragment else ""
            link["href"] = f"#{anchor[target]}{at}"
        else:  # a notebook, an image: not in the book
            link.unwrap()
    text = article.decode_contents()
    return f'<section class="book-chapter md-content__inner" id="{own}">{text}</section>'


def print_pdf(site: Path, target: Path) -> int:
    """Print the site as one PDF with contents, page numbers and links; return its pages.

    It is printed twice: the first time shows on which pages the chapters begin.
    """
    from playwright.sync_api import sync_playwright
    from pypdf import PdfReader

    pages = chapters(site)
    folder = site / FOLDER
    folder.mkdir(exist_ok=True)
    # Each print has its own address, or the browser would print what it has kept of the first.
    sources = [folder / f"book-{print_}.html" for print_ in (1, 2)]
    style = folder / "book-print.css"
    shutil.copyfile(Path(__file__).with_name("paper.css"), style)
    numbers: dict[str, int] = {}
    try:
        with hosted(site) as address, sync_playwright() as play:
            printer = play.chromium.launch(executable_path=browser(), args=ARGUMENTS)
            view: Any = {"width": WIDTH, "height": 1000}
            sheet = printer.new_page(java_script_enabled=False, viewport=view)
            sheet.emulate_media(media="print")
            sheet.set_default_timeout(SECONDS * 1000)
            for source in sources:
                source.write_text(document(site, pages, numbers), encoding="utf-8")
                # A long document pauses the network on its way: it is whole at "load", not before.
                sheet.goto(f"{address}{FOLDER}/{source.name}", wait_until="load")
                sheet.wait_for_function("document.fonts.status === 'loaded'")
                if wider := sheet.evaluate(_WIDER, WIDTH):
                    raise BookError("\n".join(["wider than the paper:", *wider[:5]]))
                sheet.pdf(path=target, **PAPER)
                numbers = begins(target, len(pages))
            printer.close()
    finally:
        for file in (*sources, style):
            file.unlink(missing_ok=True)
    _dated(target)
    return len(PdfReader(target).pages)


def begins(pdf: Path, chapters: int) -> dict[str, int]:
    """The page on which each chapter begins, counted from 1."""
    from pypdf import PdfReader

    reader = PdfReader(pdf)
    found = {}
    for name, destination in reader.named_destinations.items():
        key = name.lstrip("/")
        number = reader.get_destination_page_number(destination)
        if re.fullmatch(r"c\d+", key) and number is not None:
            found[key] = number + 1
    if len(found) != chapters:
        raise BookError(f"{len(found)} of {chapters} chapters were found in the PDF")
    return found


def _dated(pdf: Path) -> None:
    """Give the PDF the date of the last commit and no other, so that two prints are the same.

    The new date is as long as the old one: all that the file says of its own places stays true.
    """
    stamp = _time().strftime("D:%Y%m%d%H%M%S").encode()
    dates = re.compile(rb"(/(?:CreationDate|ModDate) \()D:\d{14}")
    content, count = dates.subn(rb"\g<1>" + stamp, pdf.read_bytes())
    if count != 2:
        raise BookError(f"{count} dates were found in the PDF, where the browser writes two")
    with write_whole(pdf) as beside:
        beside.write_bytes(content)


def _time() -> Any:
    import datetime

    seconds = os.environ.get("SOURCE_DATE_EPOCH") or dates.last_change(ROOT, ROOT / "docs")
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)


def bundle(site: Path) -> None:
    """Turn each module into a classic script: a browser loads no module from a disk."""
    folder = site / "assets" / "javascripts"
    program = str(ROOT / "node_modules" / ".bin" / "esbuild")
    for script in sorted(folder.glob("*.js")):
        if re.search(r"^bundle\.\w+\.min$", script.stem):  # the theme's, a classic one
            continue
        command = [program, str(script), "--bundle", "--format=iife", "--minify"]
        command += [f"--outfile={script}", "--allow-overwrite", "--log-level=warning"]
        # A classic script has no import.meta, and knows its address only while it is loaded.
        command += ["--banner:js=var book_script=document.currentScript.src;"]
        command += ["--define:import.meta.url=book_script"]
        subprocess.run(command, check=True)
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(
            r'<script src="?([^" >]*)"? type="?module"?[^>]*>', r'<script defer src="\1">', text
        )
        page.write_text(text, encoding="utf-8")


def pack(folder: Path, target: Path) -> None:
    """Write a zip of a folder; two of the same folder are the same bytes."""
    moment = _time().timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"neural-networks-checked/{path.relative_to(folder).as_posix()}"
            entry = zipfile.ZipInfo(name, (max(moment[0], 1980), *moment[1:]))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, path.read_bytes())


def build(folder: Path, **environment: str) -> None:
    """Build the site into a folder, strictly."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)


def main(arguments: list[str] | None = None) -> int:
    """Make the site with its PDF and its zip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=ROOT / "site")
    site = parser.parse_args(arguments).site.resolve()
    try:
        browser()
        with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as name:
            offline, made = Path(name) / "offline", Path(name) / "made"
            made.mkdir()
            build(offline, NN_TUTORIAL_OFFLINE="true")
            bundle(offline)
            pack(offline, made / Path(ZIP).name)
            build(site, NN_TUTORIAL_BOOK="true")
            count = print_pdf(site, made / Path(PDF).name)
            (site / FOLDER).mkdir(exist_ok=True)
            for file in sorted(made.iterdir()):
                file.replace(site / FOLDER / file.name)
                size = (site / FOLDER / file.name).stat().st_size / 1e6
                print(f"{FOLDER}/{file.name}: {size:.1f} MB")
            print(f"{count} pages in the PDF")
    except (BookError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
