"""The book as a folder of plain files, `.cache/staged`, which any renderer of Markdown could take.

Each executed page and each page written by hand is a Markdown file there, with its values, figures,
numbers, references and words of the glossary written out; beside it lie its pictures and its
notebook, and all other files of docs/ as they are. What turns it into a site, and under which
address, nothing in it says. One thing is left to the renderer: the entries of the reference
(`::: nn_tutorial.relu`), which mkdocstrings makes of the docstrings.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nn_tutorial.files import write_whole

from ..run.execute import Executed
from ..run.page import PageError
from . import (
    errata,
    figure_data,
    figures,
    glossary,
    markdown,
    notebook,
    references,
    running,
    symbols,
)

# A link to a file of docs/, as a Markdown page has it: the way, the anchor, and a title.
_LINK = re.compile(r"""\]\(([^()\s#:]+\.py)(\#[^()\s]*)?([ ]"[^"]*")?\)""")
_FRONT = re.compile(r"---\n.*?\n---\n", re.DOTALL)
_NOT_COPIED = {".py", ".yml"}


@dataclass(frozen=True)
class Staged:
    """A page of the staged folder."""

    name: str  # of its file below the folder: layers/relu.md
    source: str  # what it was made of, below docs/: layers/relu.py
    text: str
    executed: Executed | None  # None for a page written by hand


def stage(executed: Iterable[Executed], docs: Path, folder: Path) -> list[Staged]:
    """Write the folder whole, and return its pages.

    Files that are as they were are not touched, and those that belong to it no longer are removed.

    Raises
    ------
    PageError
        If two pages or two figures have the same name, or an erratum is not whole.
    UnknownReferenceError
        If a page refers to what is not there.
    """
    ran = {f"{done.page.name}.py": done for done in executed}
    copied = ((name, path) for name, path in files(docs) if path.suffix not in _NOT_COPIED)
    contents = {name: path.read_bytes() for name, path in copied}
    texts = {name: text.decode() for name, text in contents.items() if name.endswith(".md")}
    texts |= {name: markdown.of(done) for name, done in ran.items()}
    register = references.collect(texts, docs / "references.yml")
    terms = glossary.read(docs / "glossary.yml")

    pages = []
    for source, text in texts.items():
        if source == glossary.PAGE:
            text = glossary.page(text, terms, register.titles)
        if source == errata.PAGE:
            text = errata.page(text, docs / "errata.yml", register.titles)
        text = references.resolve(text, source, register)
        if source in ran and source != "index.py":  # its first screen says what the book is
            front = match.end() if (match := _FRONT.match(text)) else 0
            text = text[:front] + glossary.link(text[front:], terms, source)
        text = _to_staged(text, source, texts)
        pages.append(Staged(_staged(source), source, text, ran.get(source)))

    for done in ran.values():
        contents |= {name: content.encode() for name, content in _beside(done, register)}
    for page in pages:
        if page.executed is not None and page.name in contents:
            raise PageError(f"{page.source}: there is a {page.name} beside it")
        contents[page.name] = page.text.encode()
    contents["assets/javascripts/figures/data.js"] = figure_data.module().encode()
    contents[symbols.FILE] = symbols.module().encode()
    contents[glossary.FILE] = glossary.definitions(terms).encode()
    _write(contents, folder)
    return pages


def _beside(done: Executed, register: references.Register) -> Iterator[tuple[str, str]]:
    """The files that an executed page brings along."""
    source = f"{done.page.name}.py"
    yield from notebook.downloads(
        done, lambda text: references.resolve(text, source, register)
    ).items()
    yield from running.cells(done).items()
    drawn = set()
    for cell, outputs in zip(done.page.code, done.outputs, strict=True):
        for output in outputs if running.is_shown(cell) else []:
            yield from notebook.published(output).items()
            for figure in figures.of(output, done.page.name, cell):
                for name, content in figure.files.items():
                    if name in drawn:
                        where = done.page.where(cell)
                        raise PageError(f"{where}: two figures have the name of {name}")
                    drawn.add(name)
                    yield name, content


def navigation(sources: Any) -> Any:
    """Return the navigation of `mkdocs.yml`, which names the sources, with the staged files."""
    if isinstance(sources, str):
        return _staged(sources) if sources.endswith(".py") else sources
    if isinstance(sources, dict):
        return {title: navigation(inner) for title, inner in sources.items()}
    return [navigation(item) for item in sources] if isinstance(sources, list) else sources


def _staged(source: str) -> str:
    return f"{posixpath.splitext(source)[0]}.md"


def _to_staged(text: str, source: str, pages: Iterable[str]) -> str:
    """Let the links to executed pages lead to their staged files."""

    def there(match: re.Match[str]) -> str:
        path, anchor, title = match.groups(default="")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        return f"]({_staged(path)}{anchor}{title})" if target in pages else match[0]

    return references.outside_code(text, lambda prose: _LINK.sub(there, prose))


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder by their names below it, in order; hidden ones are no files.

    (A file that is being written lies in a hidden folder until it is whole.)
    """
    for here, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(here, name) for name in sorted(names) if not name.startswith(".")):
            yield path.relative_to(folder).as_posix(), path


def _write(contents: dict[str, bytes], folder: Path) -> None:
    """Make a folder hold these files and no others, each whole at every moment."""
    for name, path in files(folder):
        if name not in contents:
            path.unlink(missing_ok=True)
    for name, content in contents.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as beside:
            beside.write_bytes(content)
