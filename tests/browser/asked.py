"""What is asked of a page in the browser; each question returns what is wrong."""

from functools import cache
from typing import TYPE_CHECKING

from built import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_BYTES = 250_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that a dark theme can break


def set_mode(page: "Page", width: int, scheme: str) -> None:
    """Let the page be seen at this width and in light or dark, with its colours at rest."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    named = "slate" if scheme == "dark" else "default"
    page.wait_for_function("(name) => document.body.dataset.mdColorScheme === name", arg=named)
    page.evaluate("probes.settle()")


@cache
def axe() -> str:
    """Return the checker of accessibility, as a script."""
    return (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def looks(page: "Page", rules: list[str] = RULES) -> list[str]:
    """Whether all fits, is loaded, and can be read by everybody, as the page is shown now."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(axe())
    return [
        *page.evaluate("probes.overflow()"),
        *page.evaluate("probes.brokenImages()"),
        *page.evaluate("(rules) => probes.accessibility(rules)", rules),
    ]


def keyboard(page: "Page") -> list[str]:
    """Press Tab until the focus leaves the page: all is reached, and the focus is seen."""
    # A page that is not painted has its boxes and its focus all the same, and a quicker keyboard.
    page.evaluate("document.documentElement.style.opacity = 0")
    stops = page.evaluate("probes.begin()")
    said = ""
    for press in range(2 * stops + 20):
        page.keyboard.down("Tab")  # and is not let go: that would be another message
        if press % 12 == 11 and (said := page.evaluate("probes.walked()")) != "next":
            break
    page.keyboard.up("Tab")
    page.evaluate("document.documentElement.style.opacity = ''")
    trap = {"out": [], "again": ["a trap: the focus comes back"]}
    return [*page.evaluate("probes.end()"), *trap.get(said, ["the focus never leaves the page"])]


def weight(loaded: dict[str, int]) -> list[str]:
    """Whether a first view is light: few bytes, and the rest only where the reader scrolls."""
    heavy = [f"{size} bytes: {url}" for url, size in sorted(loaded.items(), key=lambda i: -i[1])]
    figures = [url for url in loaded if url.endswith(".svg")]
    return [
        *(heavy if sum(loaded.values()) >= MOST_BYTES else []),
        *(f"loaded at once: {url}" for url in (figures if len(figures) > 4 else [])),
    ]
