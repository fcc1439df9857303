"""The errors that were found in the book and mended: a page made of `docs/errata.yml`."""

import datetime
import posixpath
from pathlib import Path
from typing import Any

import yaml

from ..run.page import PageError

PAGE = "errata.md"
MARK = "<!-- errata -->"
NONE = "No error has been reported yet."
FIELDS = {"date", "page", "wrong", "right", "reporter"}


def page(text: str, path: Path, titles: dict[str, str]) -> str:
    """Put the errors into the page's text, the newest first.

    Parameters
    ----------
    text : str
        Markdown with the mark.
    path : Path
        Of the file with the errors; none if it is not there.
    titles : dict of str to str
        Of the pages, by their files below ``docs``.

    Raises
    ------
    PageError
        If an entry lacks a field or has another one, its date is none, or its page is not there.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    for number, entry in enumerate(entries or [], 1):
        _check(entry, f"{path.name}, entry {number}", titles)
    newest = sorted(entries or [], key=lambda entry: entry["date"], reverse=True)
    return text.replace(MARK, "\n\n".join(_entry(e, titles) for e in newest) or NONE)


def _check(entry: Any, where: str, titles: dict[str, str]) -> None:
    there = set(entry) if isinstance(entry, dict) else set()
    if there != FIELDS:
        raise PageError(f"{where}: expected {sorted(FIELDS)}, got {sorted(map(str, there))}")
    if not isinstance(entry["date"], datetime.date):
        raise PageError(f"{where}: date: expected 2026-11-28, got {entry['date']!r}")
    if entry["page"] not in titles:
        raise PageError(f"{where}: page: expected a file below docs/, got {entry['page']!r}")


def _entry(entry: dict[str, Any], titles: dict[str, str]) -> str:
    day, by = _day(entry["date"]), entry["reporter"]
    way = posixpath.relpath(entry["page"], posixpath.dirname(PAGE) or ".")
    return (
        f"**{day}, [{titles[entry['page']]}]({way}).** Reported by {by}.\n\n"
        f"- Wrong: {entry['wrong']}\n- Right: {entry['right']}"
    )


def _day(date: datetime.date) -> str:
    return f"{date.day} {date:%B %Y}"
