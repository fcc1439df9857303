"""What a page brings along beside its figures: itself to take home, and the files it publishes."""

import json
import posixpath
from collections.abc import Callable
from typing import Any

import nbformat

from ..run.execute import Executed
from ..run.page import EXPRESSION
from . import figures


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
    code = iter(executed.notebook.cells)
    cells = []
    for number, cell in enumerate(page.cells, 1):
        if cell.kind == "code":
            cells.append(nbformat.from_dict({**next(code), "id": f"cell-{number}"}))
        else:
            text = resolve(EXPRESSION.sub(lambda _: next(values), cell.source))
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"cell-{number}"))
    about = {k: v for k, v in executed.notebook.metadata.items() if k != "nn_tutorial"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=about)
    place = posixpath.join(figures.folder(page.name), stem(page.name))
    return {f"{place}.ipynb": nbformat.v4.writes(notebook) + "\n", f"{place}.py": page.source}


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
