"""The book as a folder of plain files, `.cache/staged`, which any renderer of Markdown could take.

Each executed page and each page written by hand is a Markdown file there, with its values, figures,
numbers, references and words of the glossary written out; beside it lie its pictures and its
notebook, and all other files of docs/ as they are. What turns it into a site, and under which
address, nothing in it says. Two things are left to the renderer: the signatures of the reference
(`::: nn_tutorial.relu`), and the page that offers the PDF.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..run.execute import Executed
from ..run.page import PageError
from . import figure_data, figures, glossary, markdown, notebook, references

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
        If two pages or two figures have the same name.
    UnknownReferenceError
        If a page refers to what is not there.
    """
    ran = {f"{done.page.name}.py": done for done in executed}
    files = dict(_copied(docs))
    texts = {name: text.decode() for name, text in files.items() if name.endswith(".md")}
    texts |= {name: markdown.of(done) for name, done in ran.items()}
    register = references.collect(texts, docs / "references.yml")
    terms = glossary.read(docs / "glossary.yml")

    pages = []
    for source, text in texts.items():
        if source == glossary.PAGE:
            text = glossary.page(text, terms, register.titles)
        text = references.resolve(text, source, register)
        if source in ran and source != "index.py":  # its first screen says what the book is
            front = match.end() if (match := _FRONT.match(text)) else 0
            text = text[:front] + glossary.link(text[front:], terms, source)
        text = _to_staged(text, source, texts)
        pages.append(Staged(_staged(source), source, text, ran.get(source)))

    for done in ran.values():
        files |= {name: content.encode() for name, content in _beside(done, register)}
    for page in pages:
        if page.executed is not None and page.name in files:
            raise PageError(f"{page.source}: there is a {page.name} beside it")
        files[page.name] = page.text.encode()
    files["assets/javascripts/figures/data.js"] = figure_data.module().encode()
    files[glossary.FILE] = glossary.definitions(terms).encode()
    _write(files, folder)
    return pages


def _copied(docs: Path) -> Iterator[tuple[str, bytes]]:
    """The files of docs/ that are taken as they are, in the order of their names."""
    for here, folders, names in os.walk(docs, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if path.suffix not in _NOT_COPIED and not name.startswith("."):
                yield path.relative_to(docs).as_posix(), path.read_bytes()


def _beside(done: Executed, register: references.Register) -> Iterator[tuple[str, str]]:
    """The files that an executed page brings along."""
    source = f"{done.page.name}.py"
    yield from notebook.downloads(
        done, lambda text: references.resolve(text, source, register)
    ).items()
    drawn = set()
    for cell, outputs in zip(done.page.code, done.outputs, strict=True):
        for output in outputs if markdown.is_shown(cell) else []:
            yield from notebook.published(output).items()
            for figure in figures.of(output, done.page.name, cell):
                for name, content in figure.files.items():
                    if name in drawn:
                        where = done.page.where(cell)
                        raise PageError(f"{where}: two figures have the name of {name}")
                    drawn.add(name)
                    yield name, content


def _staged(source: str) -> str:
    return f"{posixpath.splitext(source)[0]}.md"


def _to_staged(text: str, source: str, pages: Iterable[str]) -> str:
    """Let the links to executed pages lead to their staged files."""

    def there(match: re.Match[str]) -> str:
        path, anchor, title = match.groups(default="")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        return f"]({_staged(path)}{anchor}{title})" if target in pages else match[0]

    return references.outside_code(text, lambda prose: _LINK.sub(there, prose))


def _write(files: dict[str, bytes], folder: Path) -> None:
    """Make a folder hold these files and no others, each whole at every moment."""
    for path in folder.rglob("*") if folder.is_dir() else []:
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in files and not path.name.startswith("."):
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_bytes(content)
        beside.replace(path)
