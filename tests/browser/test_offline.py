"""The edition for the disk: pages, figures and search work from file://, without a network."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sitegen.output import book
from sitegen.output.static_server import hosted

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def unpacked(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that `make book` offers, made anew from the executed pages, and unpacked."""
    folder = tmp_path_factory.mktemp("offline")
    book.build(folder / "site", NN_TUTORIAL_OFFLINE="true")
    book.bundle(folder / "site")
    book.pack(folder / "site", folder / "book.zip")
    with zipfile.ZipFile(folder / "book.zip") as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked" / "neural-networks-checked"


@pytest.fixture
def page(browser: "Browser", unpacked: Path) -> Iterator["Page"]:
    """A page of a browser without a network; anything it says in red, or asks for, fails."""
    context = browser.new_context(offline=True, reduced_motion="reduce")
    problems: list[str] = []
    context.on(
        "console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None
    )
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("requestfailed", lambda r: problems.append(f"failed: {r.url}"))
    context.on(
        "request",
        lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else problems.append(r.url),
    )
    yield context.new_page()
    context.close()
    assert problems == []


@pytest.mark.xdist_group("offline")
def test_pages_and_links_work_from_the_disk(page: "Page", unpacked: Path) -> None:
    page.goto((unpacked / "index.html").as_uri())
    page.locator("article a", has_text="ReLU").first.click()
    page.wait_for_url("**/layers/relu.html")
    assert page.locator("math").count() > 10
    assert page.locator("h1").inner_text().startswith("ReLU")


@pytest.mark.xdist_group("offline")
def test_a_page_says_how_it_can_be_run(page: "Page", unpacked: Path) -> None:
    page.goto((unpacked / "layers" / "relu.html").as_uri())
    page.get_by_text("run python -m http.server there").wait_for()


@pytest.mark.xdist_group("offline")
def test_once_served_it_runs(browser: "Browser", unpacked: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(600_000)
    with hosted(unpacked) as address:
        page.goto(f"{address}layers/relu.html")
        page.get_by_role("button", name="Run this page").click()
        page.get_by_role("button", name="Run all", exact=True).wait_for()
        page.evaluate("bookPage.run(bookPage.cells[2])")
        assert page.evaluate("bookPage.cells[2].note.textContent").endswith("as in the book")
    context.close()


@pytest.mark.xdist_group("offline")
def test_the_search_finds_something(page: "Page", unpacked: Path) -> None:
    page.goto((unpacked / "layers" / "relu.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("batch normalisation", delay=20)
    page.locator(".md-search-result__link").first.wait_for()
    assert page.locator(".md-search-result__link[href*='batch_norm']").count() > 0


@pytest.mark.xdist_group("offline")
def test_a_figure_comes_alive(page: "Page", unpacked: Path) -> None:
    page.goto((unpacked / "layers" / "relu.html").as_uri())
    page.locator("nn-relu").scroll_into_view_if_needed()
    page.locator("nn-relu[data-live] input").first.wait_for()


@pytest.mark.xdist_group("offline")
def test_a_term_is_explained(page: "Page", unpacked: Path) -> None:
    page.goto((unpacked / "layers" / "convolution.html").as_uri())
    page.locator("article a.term").first.hover()
    page.locator("#book-term").wait_for()
    assert len(page.locator("#book-term").inner_text().split()) > 4
