"""What a page brings along beside its figures: itself to take home, and the files it publishes."""

import json
import posixpath
from collections.abc import Callable
from typing import Any

import nbformat

from ..run.execute import Executed
from ..run.page import EXPRESSION
from . import figures

# By pages: what a notebook was made of, and as it was written.
_last: dict[str, tuple[tuple[Any, list[str]], str]] = {}


def downloads(
    executed: Executed, resolve: Callable[[str], str] = lambda text: text
) -> dict[str, str]:
    """Return the page as an executed notebook and as its source, by their places.

    Parameters
    ----------
    executed : Executed
    resolve : callable, optional
        Writes out the references in the text of a cell.
    """
    page, values = executed.page, iter(executed.values)
    texts = [
        resolve(EXPRESSION.sub(lambda _: next(values), cell.source))
        for cell in page.cells
        if cell.kind != "code"
    ]
    place = posixpath.join(figures.folder(page.name), stem(page.name))
    return {f"{place}.ipynb": _written(executed, texts), f"{place}.py": page.source}


def _written(executed: Executed, texts: list[str]) -> str:
    """Return the notebook with these texts; `make serve` asks again for the one that it has."""
    made_of = (executed.notebook, texts)
    if executed.page.name not in _last or _last[executed.page.name][0] != made_of:
        code, prose = iter(executed.notebook.cells), iter(texts)
        cells = [
            nbformat.from_dict({**next(code), "id": f"cell-{number}"})
            if cell.kind == "code"
            else nbformat.v4.new_markdown_cell(next(prose), id=f"cell-{number}")
            for number, cell in enumerate(executed.page.cells, 1)
        ]
        about = {k: v for k, v in executed.notebook.metadata.items() if k != "nn_tutorial"}
        whole = nbformat.v4.new_notebook(cells=cells, metadata=about)
        _last[executed.page.name] = (made_of, nbformat.v4.writes(whole) + "\n")
    return _last[executed.page.name][1]


def stem(page: str) -> str:
    """Return the name of a page's downloads; an index page itself is called index.py already."""
    name = posixpath.basename(page)
    return "start" if name == "index" else name


def published(output: Any) -> dict[str, str]:
    """Return the JSON file that an output asks for (`display.publish`), by its place."""
    file = output.get("metadata", {}).get("application/json", {}).get("file")
    if file is None:
        return {}
    return {file: json.dumps(output["data"]["application/json"], indent=1) + "\n"}
