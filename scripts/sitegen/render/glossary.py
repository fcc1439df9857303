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
# No links in what is code, a formula, a link, a heading or a table, nor in what is beside the text.
_CLOSED = re.compile(
    r"""
      ^(?P<indent>[ >]*)(?P<fence>`{3,}|~{3,}).*?^(?P=indent)(?P=fence)[ \t]*$   # a fence
    | <!--\ output\ .*?<!--\ /output\ -->                        # an output
    | <!--.*?-->
    | ^[ ]*<(?P<block>aside|div|dl|figure|ol|p|pre|section|svg|table|ul)\b.*?</(?P=block)>
    | <(?P<inline>a|button|code|kbd|span)\b[^>]*>.*?</(?P=inline)>
    | </?[a-zA-Z][^>]*>                                         # any other tag
    | (?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)  # code in a line
    | \$\$.*?\$\$ | \\\[.*?\\\] | \\\(.*?\\\)                   # a formula
    | (?<![\\$])\$(?=[^\s$])(?:\\.|[^\\$])+?(?<=\S)\$
    | !?\[(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*\]\([^()\s]*(?:[ ]"[^"]*")?\)  # a link, a picture
    | \{:?[ ][^{}\n]*\}                                           # attributes
    | ^\#{1,6}[ ][^\n]* | ^[ >]*\|[^\n]*                         # a heading, a row of a table
    | ^[ ]*(?:!!!|\?\?\?\+?|===)[ ][^\n]* | ^[^\n]+\n(?=:[ ]{3})   # a title, a word to be explained
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


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


def link(text: str, terms: list[Term], source: str) -> str:
    """Return a page's Markdown with a link at the first use of each term.

    Parameters
    ----------
    text : str
        The Markdown of the page, without its front matter.
    terms : list of Term
        All of the glossary.
    source : str
        The page's path below docs/: a chapter does not send its readers away for its own words.
    """
    by_form: dict[str, Term] = {}
    for term in terms:
        for form in (term.name, f"{term.name}s", *term.forms):
            by_form[form.casefold()] = term
    if not by_form:
        return text
    # The longest first: "batch normalisation" is no use of "batch".
    forms = "|".join(re.escape(form) for form in sorted(by_form, key=len, reverse=True))
    # Not in a path or the name of a file: "batch.py", "layers/batch".
    found = re.compile(rf"(?<![\w/.-])(?:{forms})(?![\w/-]|\.\w)", re.IGNORECASE)
    done = {term.name for term in terms if term.chapter == source}
    there = posixpath.relpath(PAGE, posixpath.dirname(source) or ".")

    def linked(match: re.Match[str]) -> str:
        term = by_form[match[0].casefold()]
        if term.name in done:
            return match[0]
        done.add(term.name)
        return f"[{match[0]}]({there}#{term.anchor}){{ .term }}"

    parts, at = [], 0
    for closed in _CLOSED.finditer(text):
        parts += [found.sub(linked, text[at : closed.start()]), closed[0]]
        at = closed.end()
    return "".join([*parts, found.sub(linked, text[at:])])
