"""The bar that runs a page, and what it starts; or a line where this copy has none."""

import os
from collections.abc import Callable
from pathlib import Path

from ..render.markdown import RUN
from ..runtime import build, wheels

NEEDED = "NN_TUTORIAL_REQUIRE_RUNTIME"  # where it is set, no site is built without
# What stands where no script has put a button after some seconds: a browser runs none of these from
# a disk. It keeps the button's room until then.
LATE = (
    "To run this page, serve the site: <code>python -m http.server</code> in its folder, "
    "then open http://localhost:8000."
)
NONE = (
    "This copy of the site was built without Python for the browser: the notebook runs."
    "\n{ .book-downloads data-search-exclude }"
)


class NoRuntimeError(Exception):
    """The runtime is wrong, or it is required and cannot be had."""


def made(root: Path, log: Callable[[str], None]) -> build.Runtime | None:
    """Return the runtime, None where its parts cannot be had, which is told.

    Parameters
    ----------
    root : Path
        Of the project.
    log : callable

    Raises
    ------
    NoRuntimeError
        If a part is not what it should be, or one is missing where NEEDED is set.
    """
    if not (root / "package-lock.json").is_file():  # a book that asks for none
        return None
    try:
        if not (root / "node_modules" / "pyodide").is_dir():
            raise wheels.NoWheelError("pyodide is not installed: run `make setup`")
        return build.runtime(root, root / ".cache" / "runtime")
    except wheels.WheelError as error:
        raise NoRuntimeError(str(error)) from None
    except wheels.NoWheelError as error:
        if os.environ.get(NEEDED):
            raise NoRuntimeError(f"{NEEDED} is set: {error}") from None
        log(f"The pages will not run in the browser: {error}")
        return None


def with_bar(markdown: str, runtime: build.Runtime | None) -> str:
    """Return a staged page's Markdown with the place of the bar, or with the line."""
    place = f'<div class="book-run"><span>{LATE}</span></div>'
    return markdown.replace(RUN, place if runtime else NONE)
