"""The site for reading from the disk, and the links to its downloads."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from . import book

SHIM = "assets/javascripts/iframe-worker.js"  # a worker for the search, where there is no server
_OFFER = re.compile(r"<!-- downloads -->\s*(.*?)\s*<!-- /downloads -->", re.DOTALL)


def offline() -> bool:
    """Whether this build is for reading from the disk."""
    return bool(os.environ.get("NN_TUTORIAL_OFFLINE"))


def polyfills(scripts: Iterable[str]) -> list[str]:
    """Return the scripts before the theme's: the theme would fetch the shim from elsewhere."""
    return [SHIM, *(script for script in scripts if "iframe-worker" not in script)]


def features(features: Iterable[str]) -> list[str]:
    """Return the theme's features that work from a disk, where nothing can be fetched."""
    return [name for name in features if not name.startswith("navigation.instant")]


def files(root: Path) -> dict[str, bytes]:
    """Return what only the site for the disk needs, by its places in the site."""
    shim = root / "node_modules" / "iframe-worker" / "shim" / "index.js"
    return {SHIM: shim.read_bytes()} if offline() else {}


def with_downloads(markdown: str) -> str:
    """Put links to the PDF and the zip where a page says that there are none, if there will be."""
    offered = (
        f'- <a href="../{book.PDF}" download>The book as a PDF</a>, with contents, page '
        "numbers and links\n"
        f'- <a href="../{book.ZIP}" download>The site as a zip</a>: unpack it and open '
        "`index.html`; the search and the figures work without a network"
    )
    are_made = bool(os.environ.get("NN_TUTORIAL_BOOK"))
    return _OFFER.sub(lambda match: offered if are_made else match[1], markdown)
