"""The site for reading from the disk, and the links to its downloads."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from . import book

SHIM = "assets/javascripts/iframe-worker.js"  # a worker for the search, where there is no server
_SOURCE = re.compile(r"<!-- repository -->(.*?)<!-- /repository -->", re.DOTALL)
_REPORT = re.compile(r"<!-- report -->(.*?)<!-- /report -->", re.DOTALL)
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


def with_downloads(markdown: str, repository: str = "") -> str:
    """Put links to the PDF, the zip and the repository where a page says that there are none.

    Those to the PDF and the zip if they will be made, those to the repository and to its list of
    errors if it has an address.
    """
    offered = (
        f'- <a href="../{book.PDF}" download>The book as a PDF</a>, with contents, page '
        "numbers and links\n"
        f'- <a href="../{book.ZIP}" download>The site as a zip</a>: unpack it and open '
        "`index.html`; the search and the figures work without a network"
    )
    are_made = bool(os.environ.get("NN_TUTORIAL_BOOK"))
    markdown = _OFFER.sub(lambda match: offered if are_made else match[1], markdown)
    there = f"[the repository]({repository})"
    new = f"{repository.rstrip('/')}/issues/new"
    report = f"[Report it]({new}): which page, what is wrong, and what is right."
    markdown = _REPORT.sub(lambda match: report if repository else match[1], markdown)
    return _SOURCE.sub(lambda match: there if repository else match[1], markdown)
