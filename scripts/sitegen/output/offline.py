"""The site for reading from the disk, and the links to its downloads."""

import os
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from . import book

SHIM = "assets/javascripts/iframe-worker.js"  # a worker for the search, where there is no server
MARK = "<!-- downloads -->"


def offline() -> bool:
    """Whether this build is for reading from the disk."""
    return bool(os.environ.get("NN_TUTORIAL_OFFLINE"))


def configure(config: MkDocsConfig) -> None:
    """Set up a build for the disk; do nothing for another."""
    if offline():
        config.site_url = ""
        others = [str(script) for script in config.extra.get("polyfills", [])]
        # The theme would fetch this shim from elsewhere.
        config.extra["polyfills"] = [SHIM, *(s for s in others if "iframe-worker" not in s)]
        features = config.theme["features"]
        config.theme["features"] = [f for f in features if not f.startswith("navigation.instant")]


def add_files(files: Files, config: MkDocsConfig, root: Path) -> None:
    """Add what only the site for the disk needs."""
    if offline():
        shim = root / "node_modules" / "iframe-worker" / "shim" / "index.js"
        files.append(File.generated(config, SHIM, abs_src_path=str(shim)))


def beside(page: str) -> str:
    """The way from a page's HTML to its folder, where its figures and downloads are."""
    own = page.rpartition("/")[2]
    return f"{own}/" if offline() and own != "index" else ""


def with_downloads(markdown: str) -> str:
    """Put links to the PDF and the zip where the mark stands, if this build makes them."""
    if MARK not in markdown:
        return markdown
    if not os.environ.get("NN_TUTORIAL_BOOK"):
        text = "This copy of the site was built without them; `make book` makes both."
    else:
        text = (
            f'- <a href="../{book.PDF}" download>The book as a PDF</a>, with contents, page '
            "numbers and links\n"
            f'- <a href="../{book.ZIP}" download>The site as a zip</a>: unpack it and open '
            "`index.html`; the search and the figures work without a network"
        )
    return markdown.replace(MARK, text)
