"""The words of the field: a page that lists them, and links to it from their first use on a page.

A link is all that stands in a page. What a reader sees on resting on it is loaded by
`assets/javascripts/glossary.js` from one small file, so the pages stay small.
"""

import json
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

PAGE = "reference/glossary.md"
FILE = "assets/javascripts/glossary/sentences.js"
_TAG = re.compile(r"(<[^>]*>)")
# No links in what is a link, a name, code or a formula, nor in what stands beside the text.
_CLOSED = {"a", "aside", "button", "code", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6"}
_CLOSED |= {"kbd", "math", "pre", "script", "section", "style", "summary", "svg", "table"}
_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass(frozen=True)
class Term:
    """An entry of `docs/glossary.yml`."""

    name: str
    text: str
    forms: tuple[str, ...] = ()
    chapter: str = ""

    @property
    def anchor(self) -> str:
        """Of the entry on the glossary's page."""
        return self.name.lower().replace(" ", "-")


def read(path: Path) -> list[Term]:
    """Return the terms of a file, in the order of the alphabet."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    terms = [
        Term(name, about["text"], tuple(about.get("forms", ())), about.get("chapter", ""))
        for name, about in entries.items()
    ]
    return sorted(terms, key=lambda term: term.name.casefold())


def page(text: str, terms: list[Term], titles: dict[str, str]) -> str:
    """Return the glossary's Markdown: where the mark was, an entry for each term."""
    entries = []
    for term in terms:
        name = term.name[0].upper() + term.name[1:]
        more = ""
        if term.chapter:
            path = posixpath.relpath(term.chapter, posixpath.dirname(PAGE))
            more = f" See [{titles[term.chapter]}]({path})."
        entries.append(f'<span id="{term.anchor}">{name}</span>\n:   {term.text}{more}\n')
    return text.replace("<!-- glossary -->", "\n".join(entries))


def definitions(terms: list[Term]) -> str:
    """Return what the pages' script shows: a module of the sentences, by their anchors.

    A module, and not JSON: the site for the disk may fetch nothing, and has it in the script.
    """
    sentences = {term.anchor: term.text for term in terms}
    return f"export default {json.dumps(sentences, ensure_ascii=False)};\n"


def link(content: str, terms: list[Term], source: str, glossary: str) -> str:
    """Return a page's HTML with a link at the first use of each term.

    Parameters
    ----------
    content : str
        The HTML of the page's text.
    terms : list of Term
        All of the glossary.
    source : str
        The page's path below docs/: a chapter does not send its readers away for its own words.
    glossary : str
        The address of the glossary's page, as seen from this one.
    """
    by_form: dict[str, Term] = {}
    for term in terms:
        for form in (term.name, f"{term.name}s", *term.forms):
            by_form[form.casefold()] = term
    if not by_form:
        return content
    # The longest first: "batch normalisation" is no use of "batch".
    forms = "|".join(re.escape(form) for form in sorted(by_form, key=len, reverse=True))
    found = re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])", re.IGNORECASE)
    done = {term.name for term in terms if term.chapter == source}

    def linked(match: re.Match[str]) -> str:
        term = by_form[match[0].casefold()]
        if term.name in done:
            return match[0]
        done.add(term.name)
        return f"<a class=term href={glossary}#{term.anchor}>{match[0]}</a>"

    parts, closed = [], 0  # how many open elements there are from the outermost closed one on
    for part in _TAG.split(content):
        if part.startswith("<"):
            closed = _depth(part, closed)
        elif not closed:
            part = found.sub(linked, part)
        parts.append(part)
    return "".join(parts)


def _depth(tag: str, closed: int) -> int:
    name = re.match(r"</?([a-zA-Z0-9-]*)", tag)
    if name is None or not name[1] or name[1] in _VOID or tag.endswith("/>"):
        return closed
    if tag.startswith("</"):
        return max(closed - 1, 0)
    starts = name[1] in _CLOSED or "arithmatex" in tag
    return closed + 1 if closed or starts else 0
