"""A page's notebook away from the repository: the files that it reads, and boxes for Jupyter.

The pages are written for MkDocs: boxes (``!!! note``), folded answers (``??? question``), names of
headings (``{ #name }``), links to the files of other pages. Jupyter knows none of these.
"""

import html
import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
BOOK = "book"  # the folder of the package, as it is installed, with the files that pages read
_BOX = re.compile(r'(!!!|\?\?\?)\+? ([\w-]+)[\w -]*?(?: "(.*)")?\s*$')
_FENCE = re.compile(r"( *)(`{3,}|~{3,})(\w*)(?: title=\"(.*)\")?\s*$")
_NAMED = re.compile(r"(#+ .*?) *\{ ?#([\w-]+)[^{}]*\}$")
_ATTRIBUTES = re.compile(r"(?<=\))\{ ?[.#:][^{}]*\}|^\{ ?[.#:][^{}]*\}$")
_LINK = re.compile(
    r'\[((?:[^\[\]]|\[[^\[\]]*\])+)\]\(<?([^()\s:<>]*?)(#[^()\s<>]*)?>?( "[^"]*")?\)'
)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")


def prepare(page: str, site: str, *files: str) -> None:
    """Bring the files that a notebook reads, and show the boxes of its outputs as Jupyter does.

    Parameters
    ----------
    page : str
        The page's file below ``docs``: ``"layers/relu.py"``.
    site : str
        The book's address, to which its links lead; ``""`` if it has none.
    *files : str
        See ``bring``.
    """
    from IPython.core.getipython import get_ipython
    from IPython.display import Markdown

    bring(*files)
    shell = get_ipython()
    if shell is not None and shell.display_formatter is not None:
        shell.display_formatter.formatters["text/markdown"].for_type(
            Markdown, lambda shown: for_jupyter(shown.data, page, site)
        )


def bring(*files: str) -> None:
    """Copy files of the repository into the working directory, unless they are there.

    Parameters
    ----------
    *files : str
        Files and folders, by their places below the repository: ``"benchmarks/chapters.json"``.

    Raises
    ------
    FileNotFoundError
        If the package does not have one; then none is copied.
    """
    folder = PACKAGE / BOOK if (PACKAGE / BOOK).is_dir() else PACKAGE.parent
    for name in files:
        if not (Path(name).exists() or (folder / name).exists()):
            raise FileNotFoundError(
                f"files: expected files that pages read, got {name!r}, which is not in {folder}"
            )
    for name in files:
        there = folder / name
        for path in there.rglob("*") if there.is_dir() else [there]:
            copy = path.relative_to(folder)
            if path.suffix != ".pyc" and path.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


def for_jupyter(text: str, page: str, site: str) -> str:
    """Return a page's Markdown as Jupyter shows it.

    Parameters
    ----------
    text : str
        As the page has it, its references written out.
    page : str
        The page's file below ``docs``.
    site : str
        The book's address; ``""`` if it has none: then links to its pages become plain text.
    """
    return "\n".join(_lines(text.split("\n"), page, site))


def _lines(lines: list[str], page: str, site: str) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        end = at + 1
        if fence := _FENCE.match(line):
            while end < len(lines) and lines[end].strip() != fence[2]:
                end += 1
            if fence[4]:
                yield from (f"{fence[1]}**{fence[4]}**", "")
            yield f"{fence[1]}{fence[2]}{fence[3]}"
            yield from lines[at + 1 : end + 1]
            end += 1
        elif box := _BOX.match(line):
            while end < len(lines) and (not lines[end].strip() or lines[end].startswith("    ")):
                end += 1
            inside = [inner[4:] for inner in lines[at + 1 : end]]
            yield from _box(box, [*_lines(inside, page, site)])
        else:
            yield _line(line, page, site)
        at = end


def _box(box: re.Match[str], inside: list[str]) -> Iterator[str]:
    """A folded box as HTML's own, which Jupyter folds too; another one as a quotation."""
    kind, name, title = box.groups()
    title = name.capitalize() if title is None else title
    while inside and not inside[-1].strip():
        inside.pop()
    if kind == "???":
        yield from ("<details>", f"<summary>{_as_html(title)}</summary>", "", *inside, "")
        yield from ("</details>", "")
    else:
        heading = [f"**{title}**", ""] if title else []
        yield from (f"> {line}".rstrip() for line in [*heading, *inside])
        yield ""


def _as_html(title: str) -> str:
    """A title, in which Jupyter reads formulas but no Markdown."""
    title = html.escape(title, quote=False)
    title = re.sub(r"`([^`]+)`", r"<code>\1</code>", title)
    return re.sub(r"\*([^*$]+)\*", r"<em>\1</em>", title)


def _line(line: str, page: str, site: str) -> str:
    if named := _NAMED.match(line):
        line = f'<a id="{named[2]}"></a>\n\n{named[1]}'
    kept: list[str] = []

    def keep(code: re.Match[str]) -> str:
        kept.append(code[0])
        return f"\x00{len(kept) - 1}\x00"

    def lead(link: re.Match[str]) -> str:
        words, path, anchor, title = link.groups(default="")
        there = address(path, page, site)
        return f"[{words}]({there}{anchor}{title})" if site else words

    line = _ATTRIBUTES.sub("", _LINK.sub(lead, _CODE.sub(keep, line)))
    line = re.sub(r' markdown="?\w+"?(?=[ >])', "", line)
    return re.sub("\x00(\\d+)\x00", lambda code: kept[int(code[1])], line)


def address(path: str, page: str, site: str) -> str:
    """Return the address of a file of ``docs`` on the site.

    Parameters
    ----------
    path : str
        Of the file, as the page's links have it; ``""`` for the page itself.
    page : str
        The page's own file below ``docs``.
    site : str
        The book's address.
    """
    there = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    stem, kind = posixpath.splitext(there)
    if kind in (".py", ".md"):
        there = f"{stem}/"
        if posixpath.basename(stem) == "index":
            there = there.removesuffix("index/")
    return f"{site.rstrip('/')}/{there}"
