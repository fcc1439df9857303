"""An executed page as Markdown: prose with its values, code as fences, figures, outputs, origin.

Nothing in it is of one renderer: CommonMark, with the extensions that the book's own pages use
(attributes in braces, admonitions and `???` boxes, Markdown in HTML for the captions, formulas
between dollars). Addresses begin at the page's own file. An output is a fence of plain text between
two comments,

    <!-- output 3-0 -->
    ...
    <!-- /output -->

with the numbers of its cell and of itself in that cell, so that a renderer of notebooks can put its
own rendering where what stands between is. Comments also tell where each cell of code and each
value in the prose begins and ends, so that a page that runs (`running.py`) finds its places.
"""

import functools
import html
import itertools
import re
from collections.abc import Iterator
from typing import Any

from nn_tutorial.pages import reading_time

from ..run.execute import Executed
from ..run.page import EXPRESSION, Cell
from . import figures, notebook, references, running

OUTPUT = re.compile(r"<!-- output (\d+)-(\d+)( timing)? -->.*?<!-- /output -->", re.DOTALL)
RUN = "<!-- run -->"  # where a renderer that can puts what runs the page
MEASURED = "Measured when this site was built; your machine gives other times."
_TITLE = re.compile(r"^# .*$", re.MULTILINE)
_IMPORT = re.compile(r"(?:import|from) ")
# What is no text alone: a heading is also in the contents, a box's title in quotation marks.
_NO_TEXT = ("#", "???", "!!!", "<")
_IN_LINK = re.compile(r"\]\([^)]*$")
_DEFINED = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)


@functools.lru_cache(maxsize=256)
def of(executed: Executed) -> str:
    """Return a page as Markdown, its references not yet written out."""
    page, values = executed.page, iter(executed.values)
    outputs = iter(enumerate(executed.outputs))
    parts: list[str] = []
    numbers = itertools.count(1)  # of the figures
    marks = running.runs(page.name)
    places = itertools.count()  # of the expressions
    for cell in page.cells:
        before = len(parts)
        if cell.kind == "markdown":
            parts.append(_with_values(cell.source, values, places, marks))
        else:
            index, results = next(outputs)
            if running.is_shown(cell):
                parts += [_output(page.name, cell, index, n, out) for n, out in enumerate(results)]
        drawn = [next(numbers) for part in parts[before:] for _ in references.figure_names(part)]
        is_code = cell.kind == "code" and cell.source.strip()
        if is_code and not {"remove-cell", "remove-input"}.intersection(cell.tags):
            parts.insert(before, _fence(cell, drawn))
        if cell.kind == "code" and marks:
            parts[before:] = [f"<!--c{index}-->", *parts[before:], "<!--/-->"]
    return "\n\n".join([page.front_matter, *_with_origin(parts, executed)]) + "\n"


def _with_values(source: str, values: Iterator[str], places: Iterator[int], marks: bool) -> str:
    """A text with its values; around each that stands in plain text its number, for `running`."""

    def value(match: re.Match[str]) -> str:
        written, place = next(values), next(places)
        line = source[: match.start()].rpartition("\n")[2]
        is_plain = marks and not (
            line.lstrip().startswith(_NO_TEXT)
            or line.count("$") % 2
            or line.count("`") % 2
            or source[: match.start()].count("$$") % 2
            or _IN_LINK.search(line)
            or set("$|<\n").intersection(written)  # formulas, cells of a table, and more
        )
        return f"<!--v{place}-->{written}{match[2]}<!--/-->" if is_plain else written + match[2]

    # A percent sign comes along: it will be closed up to its number.
    return re.sub(f"{EXPRESSION.pattern}( %|)", value, source)


def _with_origin(parts: list[str], executed: Executed) -> list[str]:
    """Add the downloads, below the title, and what the page was made of, at its end."""
    offered = _downloads(executed)
    if executed.page.name != "index":  # whose first screen says what the book is
        for i, part in enumerate(parts):
            if not part.startswith("```") and (title := _TITLE.search(part)):
                offered_here = f"{part[: title.end()]}\n\n{offered}{part[title.end() :]}"
                return [*parts[:i], offered_here, *parts[i + 1 :], _provenance(executed)]
    return [*parts, offered, _provenance(executed)]


def _fence(cell: Cell, drawn: list[int]) -> str:
    """The code of a cell that draws the figures with these numbers."""
    fence = f"```python\n{cell.source}\n```"
    if "hide-input" not in cell.tags:
        return fence
    kind = "code imports" if _IMPORT.match(cell.source) else "code"
    inside = "\n".join(f"    {line}".rstrip() for line in fence.split("\n"))
    return f'??? {kind} "{held(cell.source, drawn)}"\n\n{inside}'


def held(source: str, drawn: list[int]) -> str:
    """What folded code holds, and how much of it there is."""
    names = _DEFINED.findall(source)
    what = ["Imports"] if _IMPORT.match(source) else []
    if drawn:
        numbers = references.join([str(number) for number in drawn])
        what.append(f"code for Figure{'s' * (len(drawn) > 1)} {numbers}")
    elif 0 < len(names) < 4:
        what.append(f"code of {references.join([f'`{name}`' for name in names])}")
    held = references.join(what) or "code"
    count = len(source.strip().splitlines())
    return f"{held[0].upper()}{held[1:]}, {count} line{'s' * (count > 1)}"


def _output(page: str, cell: Cell, index: int, number: int, output: Any) -> str:
    found = figures.of(output, page, cell)
    if found:
        return "\n\n".join(figure.markdown for figure in found)
    if notebook.published(output):
        return ""
    data = output.get("data", {})
    if "text/markdown" in data:
        return str(data["text/markdown"])
    timing = " timing" if "timing" in cell.tags else ""
    shown = [f"<!-- output {index}-{number}{timing} -->", _plain(output)]
    return "\n\n".join([*shown, *([MEASURED] if timing else []), "<!-- /output -->"])


def _plain(output: Any) -> str:
    """Give an output that is text, an error or HTML in a form that every renderer shows."""
    data = output.get("data", {})
    if "text/html" in data:  # a blank line would end it
        return re.sub(r"\n\s*\n", "\n", str(data["text/html"]).strip())
    text = str(output.get("text") or data.get("text/plain") or "")
    if output.output_type == "error":
        text = "\n".join(output.traceback)
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip(chr(10))}\n{fence}"


def _downloads(executed: Executed) -> str:
    page = executed.page.name
    stem = figures.beside(page) + notebook.stem(page)
    prose = [cell.source for cell in executed.page.cells if cell.kind == "markdown"]
    words = reading_time.words(prose, [cell.source for cell in executed.page.code])
    # The first screen of the whole book, and solutions, are not read from end to end.
    is_read = page != "index" and not page.startswith("exercises/")
    return (
        f"{f'About {reading_time.minutes(words)} to read. ' if is_read else ''}"
        "Run when this site was built. Run it yourself: "
        f"[notebook with results]({stem}.ipynb){{ download }}, [source]({stem}.py){{ download }}.\n"
        "{ .book-downloads data-search-exclude }" + (f"\n\n{RUN}" if running.runs(page) else "")
    )


def _provenance(executed: Executed) -> str:
    """What this page was made of."""
    about, sha = executed.provenance, executed.page.sha256
    libraries = ", ".join(f"{name} {version}" for name, version in about["libraries"].items())
    data = ", ".join(
        f'{html.escape(name)} (SHA-256 <code title="{sha}">{sha[:12]}</code>)'
        for name, sha in about["data"].items()
    )
    rows = [
        ("Source", f'<code title="SHA-256 {sha}">{sha[:12]}</code>'),
        ("Package", f"nn_tutorial {about['package']}" if about["package"] else "not used"),
        ("Run with", f"Python {about['python']}, {html.escape(libraries)}"),
        ("Data", data or "none"),
        ("Seed", "none" if about["seed"] is None else html.escape(str(about["seed"]))),
    ]
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    return (
        '<aside class="book-provenance" aria-label="What this page was made of" '
        f"data-search-exclude><dl>{items}</dl></aside>"
    )
