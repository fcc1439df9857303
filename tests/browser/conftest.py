"""A real browser on the built site, one a worker; skipped where there is none."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import engines
import pytest
from built import REQUIRED, SITE, site_url
from chromium import printed, program
from sitegen.output.static_server import ARGUMENTS, hosted

if TYPE_CHECKING:  # the tests without a browser run where Playwright is not installed
    from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["printed", "program"]

HERE = Path(__file__).parent
QUIET = 0.4  # seconds without a request, after which nothing more is expected
PATIENCE = 60.0  # seconds for a page to load, on the slowest of machines
# The addresses of which the page itself says that they are there.
THERE = """performance.getEntriesByType("resource").filter((entry) => entry.responseEnd > 0)
    .map((entry) => entry.name)"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """To trace the browser's driver takes long, and what these tests look at is in the browser."""
    for item in items:
        if HERE in item.path.parents and not item.config.getoption("no_cov"):
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def browser(program: str) -> Iterator["Browser"]:
    if not SITE.is_dir():
        reason = "no site/: run `make site`"
        (pytest.fail if REQUIRED else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session", params=engines.GROUPS.values())
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[engines.Engine]:
    """Each of the three engines; one that is not there is skipped, as Chromium is."""
    name: str = request.param
    if what := engines.missing(name):
        (pytest.fail if REQUIRED else pytest.skip)(f"not installed: {what}")
    if name == "chromium":
        browser: Browser = request.getfixturevalue("browser")
        page = browser.new_page(reduced_motion="reduce")
        yield engines.Chromium(page)
        page.close()
    else:
        start = {"firefox": engines.firefox, "webkit": engines.webkit}[name]
        with start(tmp_path_factory.mktemp(name)) as started:
            yield started


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[str]:
    """The address of the site on a host, below a path that it was not built for."""
    with hosted(SITE, "/some/book/") as address:
        yield address


@pytest.fixture(scope="session")
def home() -> Iterator[str]:
    """The address of the site on the host it was built for."""
    with hosted(SITE, urlsplit(site_url()).path, built_for=site_url()) as address:
        yield address


class Visitor:
    """A browser's profile that remembers all that goes wrong."""

    def __init__(self, context: "BrowserContext", address: str) -> None:
        self.address = address
        self.problems: list[str] = []
        self.loaded: dict[str, int] = {}  # bytes over the wire, see weigh
        self.waiting: list[Any] = []  # the requests that have neither come nor failed
        self.context = context
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"error: {error.error}"))
        context.on("request", self._request)
        context.on("requestfailed", lambda r: self.problems.append(f"failed: {r.url} {r.failure}"))
        context.on("response", self._response)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)

    def open(self, where: str = "", expected: int = 200) -> "Page":
        """Go to an address of the site, and wait until nothing more is loaded."""
        self.go(where, expected)
        return self.arrive()

    def go(self, where: str, expected: int = 200) -> None:
        """Go to an address of the site, and do not wait for what it loads."""
        response = self.page.goto(self.address + where, wait_until="commit")
        assert response is not None
        assert response.status == expected

    def arrive(self) -> "Page":
        """Wait until nothing more is loaded.

        Playwright's own "networkidle" waits for ever where the browser does not report the end of
        one request, which happens on a busy machine. The page's list of what came knows better.
        """
        self.page.wait_for_load_state("load")
        end, since = time.monotonic() + PATIENCE, time.monotonic()
        while time.monotonic() - since < QUIET:
            self.page.wait_for_timeout(50)
            if not self.waiting:
                continue
            since = time.monotonic()
            there = self.page.evaluate(THERE)
            self.waiting = [request for request in self.waiting if request.url not in there]
            assert since < end, f"not loaded: {[request.url for request in self.waiting]}"
        return self.probed()

    def weigh(self) -> None:
        """From now on count the bytes of all that is loaded."""

        def count(request: Any) -> None:
            sizes = request.sizes()
            self.loaded[request.url] = sizes["responseBodySize"] + sizes["responseHeadersSize"]

        self.context.on("requestfinished", count)

    def show(self, html: str) -> "Page":
        """Show some HTML instead of a page."""
        self.page.set_content(html)
        return self.probed()

    def probed(self) -> "Page":
        """Put the probes into the page; a policy does not hold for the debugger."""
        self.page.evaluate(engines.PROBES.read_text(encoding="utf-8"))
        return self.page

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        self.waiting.append(request)
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.problems.append(f"another origin: {request.url}")

    def _ended(self, request: Any) -> None:
        if request in self.waiting:
            self.waiting.remove(request)

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")


@pytest.fixture
def visitor(browser: "Browser", elsewhere: str) -> Iterator[Callable[..., Visitor]]:
    """Make visitors: `visitor(width=390, scheme="dark", javascript=False, address=home)`."""
    contexts: list[BrowserContext] = []

    def make(
        width: int = 1280,
        scheme: str = "light",
        javascript: bool = True,
        touch: bool = False,
        address: str = elsewhere,
    ) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            java_script_enabled=javascript,
            has_touch=touch,
        )
        contexts.append(context)
        return Visitor(context, address)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where the pictures of all pages are kept."""
    folder = SITE.parent / ".cache" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
