"""What the HTML of a page must be, without a browser: each check returns what is wrong."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from bs4 import NavigableString, Tag
from built import Page

# Elements in which TeX and Markdown are shown on purpose.
VERBATIM = ("code", "pre", "script", "style", "textarea")
RAW = re.compile(
    r"\$\$"  # a displayed formula
    r"|\\[\[\](]|\\(?:frac|sum|partial|mathbf|text|cdot|begin)\b"  # TeX
    r"|\{\{|\}\}|\{%"  # an expression of a page
    r"|(?<!\w)\*\*\w|\w\*\*(?!\w)|(?<!\w)__[A-Za-z]"  # strong
    r"|\]\([\w./#]|!\[|^#{1,6} |^```|^[!?]{3} |\{:? ?[.#]\w"  # link, picture, heading, fence, box
    r"|(?<![\w`])`[^`]+`",
    re.MULTILINE,
)


def languages(page: Page) -> list[str]:
    html = page.soup.html
    assert html is not None
    return [] if html.get("lang") == "en" else [f"language: {html.get('lang')!r}"]


def titles(page: Page) -> list[str]:
    title = page.soup.title
    return [] if title is not None and title.get_text().strip() else ["no title"]


def headings(page: Page) -> list[str]:
    """One h1, before the others, and no level left out on the way down."""
    found = page.soup.find_all(re.compile("^h[1-6]$"))
    levels = [int(tag.name[1]) for tag in found]
    problems = [] if levels[:1] == [1] and levels.count(1) == 1 else [f"levels are {levels[:5]}"]
    problems += [
        f"h{here} after h{before}: {tag.get_text()!r}"
        for (before, here), tag in zip(pairwise(levels), found[1:])
        if here > before + 1
    ]
    return problems + ["empty heading" for tag in found if not tag.get_text(strip=True)]


def pictures(page: Page) -> list[str]:
    """Every picture has words, and the space it needs is known before it is loaded."""
    return [
        f"{missing} is missing: {img.get('src')}"
        for img in page.soup.find_all("img")
        for missing in ("alt", "width", "height", "loading")
        if not str(img.get(missing, "")).strip()
    ]


def raw_markup(page: Page) -> list[str]:
    """TeX or Markdown that nobody has rendered."""
    texts = [
        text
        for text in page.soup.find_all(string=True)
        if type(text) is NavigableString
        and not any(parent.name in VERBATIM for parent in text.parents)
    ]
    return [f"{match[0]!r} in {text.strip()!r}" for text in texts for match in RAW.finditer(text)]


def names(page: Page) -> list[str]:
    """No identifier twice."""
    count = Counter(str(tag["id"]) for tag in page.soup.find_all(id=True))
    return [f"{times} times id={name}" for name, times in count.items() if times > 1]


def links(page: Page, exists: Callable[[str, str], str]) -> list[str]:
    """Every link, anchor and file of this site is there; `exists` says what is wrong with one."""
    found = [
        (tag, str(tag[attribute]))
        for attribute in ("href", "src", "data")
        for tag in page.soup.find_all(attrs={attribute: True})
    ]
    # The address that a search engine shows is the only one that is written in full.
    inside = [
        href
        for tag, href in found
        if not (tag.name == "link" and "canonical" in (tag.get("rel") or []))
    ]
    return [
        f"{href}: {problem}"
        for href in dict.fromkeys(inside)
        if (problem := exists(page.address, href))
    ]


def outside(page: Page) -> list[str]:
    """Nothing that a browser fetches by itself comes from elsewhere. (A link may lead there.)"""
    fetching = page.soup.find_all(
        ["script", "img", "link", "iframe", "source", "video", "audio", "object", "embed"]
    )
    addresses = [
        str(tag.get("href") or tag.get("src") or tag.get("data") or "")
        for tag in fetching
        if isinstance(tag, Tag) and "canonical" not in (tag.get("rel") or [])
    ]
    return [a for a in addresses if re.match(r"(?:[a-z]+:)?//", a)]


CHECKS: list[Callable[[Page], list[str]]] = [
    languages,
    titles,
    headings,
    pictures,
    raw_markup,
    names,
    outside,
]
