"""Chromium for the tests that need it, and printing with it."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sitegen.output import book
from sitegen.output.static_server import chromium


@pytest.fixture(scope="session")
def program() -> str:
    """The path of Chromium.

    A reader's machine need not have one: there, what needs it is skipped. Where it is required, as
    in CI, it fails.
    """
    found = chromium()
    if found is None:
        required = os.environ.get("NN_TUTORIAL_REQUIRE_BROWSER") == "1"
        (pytest.fail if required else pytest.skip)("no Chromium was found")
    return found


@pytest.fixture
def printed(program: str) -> Iterator[Callable[[Path, Path], int]]:
    """Print a site as a PDF, and return its pages."""
    with ThreadPoolExecutor(1) as apart:  # other tests keep a browser open in this thread
        yield lambda site, pdf: apart.submit(book.print_pdf, site, pdf).result()
