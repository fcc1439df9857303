"""What a page that runs in the browser must know of itself: its code, and what came out of it."""

import hashlib
import json
import posixpath
import re
from pathlib import Path
from typing import Any

from ..run.execute import Executed
from ..run.page import Cell
from . import figures, notebook

# PyTorch does not run in a browser; the other pages read the book's own files, or its records.
RUNS = re.compile(
    r"index$|foundations/(?!reading)|layers/|networks/|exercises/(?!teaching)"
    r"|verify/(checks|in_page|gradient_checks|einsum_rounding)$"
)
FILE = "cells.json"
RECORD = Path(__file__).resolve().parents[3] / "benchmarks" / "in_page.json"


def runs(page: str) -> bool:
    """Whether a page can be run in the browser.

    Parameters
    ----------
    page : str
        Its path below ``docs`` without the suffix.
    """
    return RUNS.match(page) is not None


def cells(executed: Executed) -> dict[str, str]:
    """Return the file of a page's cells, by its place; nothing if the page does not run.

    For each cell of code: its source, its tags, its outputs as the build had them, and the
    expressions in the prose after it, each with its number and value.
    """
    page = executed.page
    if not runs(page.name):
        return {}
    seconds = _seconds(page.name)
    values, outputs = iter(enumerate(executed.values)), iter(executed.outputs)
    found: list[dict[str, Any]] = []
    for cell in page.cells:
        if cell.kind == "code":
            shown = next(outputs)
            found.append(
                {
                    "code": cell.source,
                    "tags": list(cell.tags),
                    "outputs": [_output(o) for o in shown] if is_shown(cell) else [],
                    "values": [],
                    "seconds": seconds.get(short(cell.source), 0),
                }
            )
            continue
        own = [[expression, *next(values)] for expression in cell.expressions]
        if found:
            found[-1]["values"] += own
    written = json.dumps({"name": notebook.stem(page.name), "cells": found})
    return {posixpath.join(figures.folder(page.name), FILE): written}


def short(code: str) -> str:
    """A short name for a cell's code, as benchmarks/in_page.py gives it."""
    return hashlib.sha256(code.encode()).hexdigest()[:8]


def _seconds(page: str) -> dict[str, float]:
    """How long the page's long cells took when that was measured, by the names of their code."""
    if not RECORD.is_file():
        return {}
    found: dict[str, float] = json.loads(RECORD.read_text(encoding="utf-8"))["pages"].get(page, {})
    return found


def is_shown(cell: Cell) -> bool:
    """Whether the outputs of a code cell are on the page."""
    return not {"remove-cell", "remove-output"}.intersection(cell.tags)


def _output(output: Any) -> dict[str, str]:
    """An output as text, of a kind: enough to see whether another run gave the same."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        about = output.metadata["image/svg+xml"]
        return {"kind": "figure", "text": f"{about['alt']}\n{about['caption']}"}
    if "application/json" in data:
        return {"kind": "file", "text": ""}
    for kind in ("markdown", "html"):
        if f"text/{kind}" in data:
            return {"kind": kind, "text": str(data[f"text/{kind}"])}
    if output.output_type == "error":
        return {"kind": "error", "text": f"{output.ename}: {output.evalue}"}
    return {"kind": "text", "text": str(output.get("text") or data.get("text/plain") or "")}
