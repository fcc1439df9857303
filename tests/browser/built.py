"""The built site as files: its pages, and what stands in them."""

import os
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
REQUIRED = os.environ.get("NN_TUTORIAL_REQUIRE_BROWSER") == "1"
# Where the site would be; nothing is asked of this address.
ADDRESS = "http://book.test/book/"


@dataclass(frozen=True)
class Page:
    """A page: its address below the site's, "" for the landing page, and its HTML."""

    address: str
    html: str

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.html, "lxml")

    @property
    def article(self) -> Tag:
        article = self.soup.find("article")
        assert isinstance(article, Tag), f"{self.address}: no article"
        return article

    @cached_property
    def anchors(self) -> set[str]:
        """What a link into the page can name."""
        named = {str(tag["id"]) for tag in self.soup.find_all(id=True)}
        return named | {str(tag["name"]) for tag in self.soup.find_all("a", attrs={"name": True})}


def addresses() -> list[str]:
    """Return the addresses of all pages, in the order of their names; 404.html is one of them."""
    files = sorted(SITE.rglob("*.html")) if SITE.is_dir() else []
    return [re.sub(r"(^|/)index\.html$", r"\1", f.relative_to(SITE).as_posix()) for f in files]


def file_of(address: str, site: Path = SITE) -> Path:
    """Return the file that a static host sends for an address below the site's."""
    return site / (f"{address}index.html" if address.endswith("/") or not address else address)


@cache
def page(address: str) -> Page:
    return Page(address, file_of(address).read_text(encoding="utf-8"))


def chapters() -> list[str]:
    """Return the addresses of the pages that are executed: each offers its notebook."""
    return [a for a in addresses() if "book-downloads" in page(a).html]


def site_url() -> str:
    """Return the address that the site was built for."""
    link = page("").soup.find("link", rel="canonical")
    assert isinstance(link, Tag)
    return str(link["href"])


def resolve(page_address: str, href: str) -> tuple[str, str] | None:
    """Return the address below the site's and the fragment of a link; None where it leads out."""
    target = urlsplit(urljoin(ADDRESS + page_address, href))
    whole = f"{target.scheme}://{target.netloc}{target.path}"
    if not whole.startswith(ADDRESS):
        return None
    return unquote(whole.removeprefix(ADDRESS)), unquote(target.fragment)


def report(problems: dict[str, list[str]]) -> str:
    """Return what was found, each problem once; "" if nothing was."""
    found = dict.fromkeys(f"{problem}" for kind in problems.values() for problem in kind)
    return "\n".join(
        f"{', '.join(kind for kind, here in problems.items() if problem in here)}: {problem}"
        for problem in found
    )
