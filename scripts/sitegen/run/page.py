"""A page as its author wrote it: front matter, prose, code, and the expressions in the prose."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from ..memory import Memory

# Needs a blank after the braces, so that TeX's {{...}} is left alone.
EXPRESSION = re.compile(r"\{\{[ \t]+(\S.*?)[ \t]*\}\}")


class PageError(Exception):
    """A page that cannot be built; the message names the page and the cell."""


@dataclass(frozen=True)
class Cell:
    """One cell of a page: its kind ("code" or "markdown"), its text, tags and line in the file."""

    kind: str
    source: str
    tags: tuple[str, ...]
    line: int

    @property
    def expressions(self) -> list[str]:
        """What stands between the double braces of a Markdown cell, in order."""
        return EXPRESSION.findall(self.source) if self.kind == "markdown" else []


@dataclass(frozen=True)
class Page:
    """A py:percent file: `name` is its path below docs/ without the suffix."""

    path: Path
    name: str
    source: str
    front_matter: str
    cells: tuple[Cell, ...]

    @property
    def sha256(self) -> str:
        """Of the source file."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def code(self) -> list[Cell]:
        """The code cells, in order."""
        return [cell for cell in self.cells if cell.kind == "code"]

    def executed_part(self) -> str:
        """All that can change what comes out of the run: code, tags, expressions. Not the prose."""
        steps: list[Any] = []
        for cell in self.cells:
            if cell.kind == "code":
                steps.append([cell.source, cell.tags])
            steps.extend(cell.expressions)
        return json.dumps(steps)

    def where(self, cell: Cell) -> str:
        """Return the place of a cell, for messages."""
        same_kind = [other for other in self.cells if other.kind == cell.kind]
        kind = "code" if cell.kind == "code" else "Markdown"
        number = 1 + next(i for i, other in enumerate(same_kind) if other is cell)
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        return f"{self.path.name}, line {cell.line}, {kind} cell {number} ({first.strip()})"


def read_page(path: Path, docs: Path, memory: Memory | None = None) -> Page:
    """Read a py:percent file below `docs`; with a memory, take it apart once."""
    source = path.read_text(encoding="utf-8")
    if memory is None:
        front_matter, cells = _parts(source, path.name)
    else:
        front_matter, cells = memory.recall("page", source, lambda: _parts(source, path.name))
    name = path.relative_to(docs).with_suffix("").as_posix()
    made = tuple(Cell(kind, text, tuple(tags), line) for kind, text, tags, line in cells)
    return Page(path, name, source, front_matter, made)


def _parts(source: str, name: str) -> tuple[str, list[tuple[str, str, list[str], int]]]:
    """The front matter of a page, and what its cells are made of."""
    notebook = jupytext.reads(source, fmt="py:percent")
    lines = source.splitlines()
    cells: list[tuple[str, str, list[str], int]] = []
    front_matter, at = "", 0
    for raw in notebook.cells:
        at = _line_of(raw.source, lines, at)
        if raw.cell_type == "raw":
            if cells or front_matter or not raw.source.startswith("---"):
                raise PageError(f"{name}, line {at + 1}: a raw cell has no place in a page")
            front_matter = raw.source
            continue
        cells.append((raw.cell_type, raw.source, list(raw.metadata.get("tags", ())), at + 1))
    return front_matter, cells


def _line_of(source: str, lines: list[str], start: int) -> int:
    """Find the line, counted from 0, on which the text of a cell begins."""
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    for number in range(start, len(lines)):
        if first and lines[number].lstrip("# ").strip() == first.lstrip("# "):
            return number
    return start


def find_pages(docs: Path) -> list[Path]:
    """Return the executable pages below `docs`, sorted."""
    return sorted(path for path in docs.rglob("*.py") if ".ipynb_checkpoints" not in path.parts)
