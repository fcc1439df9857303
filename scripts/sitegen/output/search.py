"""What the search knows of each section, and its index in two files: settings, and entries."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

INDEX, ENTRIES = "search/search_index.json", "search/entries.json"
ASKED = "search.yml"  # what readers ask in other words than the section's own
_FOLDED = re.compile(r'<details class="code\b[^"]*"')
# Where a reader would look second: what is asked is explained in the chapters.
_SECOND = re.compile(r"^(reference|exercises|verify)/|#(sources|try-it)$")


class UnknownSectionError(Exception):
    """`search.yml` names a section that no page has."""


def readable(content: str) -> str:
    """Return a page's HTML without what nobody looks for: folded code."""
    return _FOLDED.sub(r"\g<0> data-search-exclude", content)


def enrich(entries: list[dict[str, Any]], asked: dict[str, str], addresses: dict[str, str]) -> None:
    """Give each entry its page's title, what it is asked for, and its weight.

    Parameters
    ----------
    entries : list of dict
        Of the theme's index; a page stands before its sections.
    asked : dict of str to str
        What `read` returns.
    addresses : dict of str to str
        The addresses of the pages, by their source files.

    Raises
    ------
    UnknownSectionError
        If ``asked`` names a section that has no entry; then nothing is changed.
    """
    there = {entry["location"] for entry in entries}
    by_location = {}
    for named, words in asked.items():
        source, mark, section = named.partition("#")
        location = f"{addresses.get(source, source)}{mark}{section}"
        if location not in there:
            raise UnknownSectionError(f"{ASKED}: there is no section {named}")
        by_location[location] = words
    for entry, page in _with_pages(entries):
        entry.pop("tags", None)
        entry |= {"page": page["title"], "asked": by_location.get(entry["location"], "")}
        if _SECOND.search(entry["location"]):
            entry["boost"] = 0.2


def _with_pages(entries: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    page: dict[str, Any] = {}
    for entry in entries:
        if "#" not in entry["location"]:
            page = entry
        yield entry, page


def read(path: Path) -> dict[str, str]:
    """Return what `search.yml` says, by file and heading: `layers/relu.py#how-a-unit-dies`."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}


def split(site: Path) -> None:
    """Leave in the theme's index its settings alone; `search.js` fetches the entries when asked."""
    index = json.loads((site / INDEX).read_text(encoding="utf-8"))
    for place, content in ((ENTRIES, index["docs"]), (INDEX, index | {"docs": []})):
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        (site / place).write_text(text, encoding="utf-8")
