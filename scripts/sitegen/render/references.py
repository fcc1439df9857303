"""What pages refer to: figures and equations by their numbers, and sources by their keys.

In the Markdown of a page, `[](#relu-gate)` becomes "Figure 2", with a link to that figure, and
`[](../layers/relu.py#relu-gate)` becomes "Figure 2 of ReLU". A displayed formula has a number where
`<!-- equation NAME -->` stands before it, and `[](#NAME)` becomes "equation (1)"; one that nothing
refers to needs no name. `[@ioffe2015]` becomes "Ioffe and Szegedy 2015" and
`[as they write](@ioffe2015)` keeps its words; both lead to the bibliography. A figure, an equation
or a key that does not exist ends the build, and so does an equation's name that no page uses.
"""

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

BIBLIOGRAPHY = "reference/bibliography.md"
_FIGURE = re.compile(r'<figure id="([^"]+)"(?:(?!</figure>).)*<figcaption[^>]*>', re.DOTALL)
_EQUATION = re.compile(
    r"^<!-- equation ([\w-]+) -->\n+(\$\$.+?\$\$)[ \t]*$", re.MULTILINE | re.DOTALL
)
_TO_FIGURE = re.compile(r"\[\]\(([^()#\s]*)#([\w-]+)\)")
_CITATION = re.compile(r"\[@([\w-]+)\]|\[([^\[\]]+)\]\(@([\w-]+)\)")
# Code is left alone: fences, and what stands between backticks.
_CODE = re.compile(
    r"^([ >]*)(`{3,}|~{3,}).*?^\1\2[ \t]*$|(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\3(?!`)",
    re.MULTILINE | re.DOTALL,
)
# An entry of a chapter's sources: the names, the year, then the title.
_SOURCE = re.compile(r"^- .*", re.MULTILINE)
_TITLE = re.compile(r"\((?:\d{4})\), \*([^*]+)\*")


class UnknownReferenceError(Exception):
    """A page refers to what is not there; the message names the page."""


@dataclass(frozen=True)
class Source:
    """An entry of `docs/references.yml`."""

    authors: tuple[str, ...]
    year: int
    title: str
    venue: str = ""
    arxiv: str = ""  # its number there
    doi: str = ""

    @property
    def names(self) -> str:
        """The authors as the prose calls them."""
        if len(self.authors) > 3:
            return f"{self.authors[0]} and others"
        return join(self.authors)

    @property
    def entry(self) -> str:
        """The line of the bibliography, as Markdown."""
        parts = [self.venue] if self.venue else []
        if self.arxiv:
            parts.append(f"[arXiv:{self.arxiv}](https://arxiv.org/abs/{self.arxiv})")
        if self.doi:
            parts.append(f"[doi:{self.doi}](<https://doi.org/{self.doi}>)")
        return ", ".join([f"{join(self.authors)} ({self.year}), *{self.title}*", *parts]) + "."


@dataclass
class Register:
    """What can be referred to, and from where that is done."""

    titles: dict[str, str] = field(default_factory=dict)  # of pages, by their path below docs/
    figures: dict[str, dict[str, int]] = field(default_factory=dict)  # of a page: their numbers
    equations: dict[str, dict[str, int]] = field(default_factory=dict)  # likewise
    sources: dict[str, Source] = field(default_factory=dict)  # by their keys
    cited: dict[str, list[str]] = field(default_factory=dict)  # the pages that cite a source


def figure_names(text: str) -> list[str]:
    """Return the names of the figures in a page's Markdown, in the order of their numbers."""
    return _FIGURE.findall(text)


def collect(pages: dict[str, str], references: Path) -> Register:
    """Return the register of some pages, given as Markdown with its front matter by their paths."""
    register = Register(sources=_sources(references))
    for page, text in pages.items():
        front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
        about: dict[str, Any] = (yaml.safe_load(front[1]) or {}) if front else {}
        register.titles[page] = str(about.get("title", page))
        numbered = enumerate(figure_names(text), 1)
        register.figures[page] = {name: number for number, name in numbered}
        named = enumerate(_EQUATION.findall(text), 1)
        register.equations[page] = {name: number for number, (name, _) in named}
        for name in register.equations[page]:
            if not any(f"#{name})" in other for other in pages.values()):
                raise UnknownReferenceError(f"{page}: nothing refers to the equation {name!r}")
    for page, text in pages.items():
        for key in sorted(_keys(_without_code(text), register)):
            register.cited.setdefault(key, []).append(page)
    return register


def resolve(text: str, page: str, register: Register) -> str:
    """Number the figures in a page's Markdown, and write out its references."""
    numbers = register.figures.get(page, {})

    def numbered(match: re.Match[str]) -> str:
        number = numbers.get(match[1])  # none in the text of a single cell of a notebook
        return match[0] if number is None else f"{match[0]}<b>Figure {number}.</b> "

    def equation(match: re.Match[str]) -> str:
        name, formula = match.groups()
        number = register.equations[page][name]
        start = f'<div class="book-equation" id="{name}" markdown="1">'
        return f"{start}\n\n{formula}\n\n({number})\n\n</div>"

    text = _EQUATION.sub(equation, _FIGURE.sub(numbered, text))
    text = outside_code(text, lambda prose: _written_out(prose, page, register))
    mark = "<!-- bibliography -->"
    return text.replace(mark, _bibliography(page, register)) if mark in text else text


def _written_out(prose: str, page: str, register: Register) -> str:
    def figure(match: re.Match[str]) -> str:
        path, name = match.groups()
        there = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        of = f" of *{register.titles[there]}*" if there != page else ""
        if name in register.figures.get(there, {}):
            return f"[Figure {register.figures[there][name]}{of}]({path}#{name})"
        if name in register.equations.get(there, {}):
            return f"[equation ({register.equations[there][name]}){of}]({path}#{name})"
        what = f"no figure and no equation {name!r} on {there}"
        raise UnknownReferenceError(f"{page}: {what}: {match[0]}")

    def citation(match: re.Match[str]) -> str:
        key = match[1] or match[3]
        if key not in register.sources:
            raise UnknownReferenceError(f"{page}: no source {key!r} in references.yml: {match[0]}")
        source = register.sources[key]
        return f"[{match[2] or f'{source.names} {source.year}'}]({_link(page, key)})"

    def source(match: re.Match[str]) -> str:
        def linked(title: re.Match[str]) -> str:
            key = _by_title(title[1], register)
            if key is None:
                raise UnknownReferenceError(
                    f"{page}: no source with this title in references.yml: {title[1]}"
                )
            return title[0].replace(f"*{title[1]}*", f"[*{title[1]}*]({_link(page, key)})")

        return _TITLE.sub(linked, match[0])

    prose = _CITATION.sub(citation, _TO_FIGURE.sub(figure, prose))
    before, heading, sources = prose.partition("\n## Sources\n")
    return before + heading + _SOURCE.sub(source, sources)


def _link(page: str, key: str) -> str:
    return f"{posixpath.relpath(BIBLIOGRAPHY, posixpath.dirname(page) or '.')}#{key}"


def _by_title(title: str, register: Register) -> str | None:
    """The key of the source with a title, or one of which it is the beginning ("Neocognitron")."""
    for key, source in register.sources.items():
        if source.title == title or source.title.startswith(f"{title}:"):
            return key
    return None


def _keys(prose: str, register: Register) -> set[str]:
    """The sources that a page cites or lists."""
    cited = {key or other for key, _, other in _CITATION.findall(prose)}
    sources = prose.partition("\n## Sources\n")[2]
    return cited.union(
        key for title in _TITLE.findall(sources) if (key := _by_title(title, register))
    )


def _bibliography(page: str, register: Register) -> str:
    """The entries in the order of their names and years, each with the pages that cite it."""
    lines = []
    here = posixpath.dirname(page) or "."
    for key, source in sorted(
        register.sources.items(), key=lambda item: (item[1].authors[0].casefold(), item[1].year)
    ):
        pages = [
            f"[{register.titles[other]}]({posixpath.relpath(other, here)})"
            for other in register.cited.get(key, [])
        ]
        cited = f" Cited in {join(pages)}." if pages else ""
        lines.append(f'- <span id="{key}"></span>{source.entry}{cited}')
    return "\n".join(lines)


def _sources(path: Path) -> dict[str, Source]:
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        key: Source(**entry | {"authors": tuple(entry["authors"])})
        for key, entry in entries.items()
    }


def join(names: tuple[str, ...] | list[str]) -> str:
    """Return "a", "a and b", or "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _without_code(text: str) -> str:
    return _CODE.sub("", text)


def outside_code(text: str, change: Any) -> str:
    """Apply a change to the prose; code is put back as it was."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\x00{len(kept) - 1}\x00"

    changed = change(_CODE.sub(keep, text))
    return re.sub("\x00(\\d+)\x00", lambda match: kept[int(match[1])], changed)
