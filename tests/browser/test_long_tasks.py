"""No interactive figure holds the page while it is operated: its work is done in short pieces.

Seconds say nothing here, since machines differ and are busy. So each task of the page's own thread
is measured in that thread's processor time, against a loop of a fixed length on the same machine.
"""

import json
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from recipes import RECIPES, Step
from test_live_figures import do, live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

# A page should answer within 200 ms on a phone that is a fourth as fast as a desk. This loop takes
# a desk about 50 ms.
LOOP = """() => {
    let sum = 0;
    for (let i = 0; i < 15e6; i += 1) sum += Math.sqrt(i) * (i % 7);
    return sum;
}"""
CATEGORIES = ["disabled-by-default-devtools.timeline", "devtools.timeline", "toplevel"]


def tasks(browser: "Browser", page: "Page", work: Callable[[], None]) -> list[float]:
    """The processor time of each task of the page while some work is done, the longest first."""
    browser.start_tracing(page=page, categories=CATEGORIES)
    work()
    page.evaluate("new Promise(requestAnimationFrame)")  # the last task of the work has ended
    events = json.loads(browser.stop_tracing())["traceEvents"]
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    ran = [e for e in events if e["name"] == "RunTask" and (e["pid"], e["tid"]) in pages]
    return sorted((task.get("tdur", 0) for task in ran), reverse=True)  # the last may have no end


def yard(browser: "Browser", page: "Page") -> float:
    """The processor time of the loop."""
    times = tasks(browser, page, lambda: [page.evaluate(LOOP) for _ in range(3)] and None)
    return median(times[:3])


def longest(browser: "Browser", page: "Page", work: Callable[[], None]) -> float:
    """The longest task of some work, in loops."""
    return tasks(browser, page, work)[0] / yard(browser, page)


@pytest.mark.parametrize("name", RECIPES)
def test_a_figure_never_holds_the_page(
    name: str, browser: "Browser", visitor: Callable[..., Any]
) -> None:
    where, steps = RECIPES[name]

    def held() -> float:
        page = visitor(width=390).open(where)
        figure = live(page, name)
        return longest(browser, page, lambda: operate(figure, steps))

    # What is too long is so each time; once it may be the machine.
    assert any(held() < 1 for _ in range(3))


def operate(figure: "Locator", steps: list[Step]) -> None:
    for step in steps:
        do(figure, step)


def test_a_held_page_is_noticed(browser: "Browser", visitor: Callable[..., Any]) -> None:
    page = visitor().show("<p>waits</p>")
    twice = LOOP.replace("15e6", "30e6")
    assert longest(browser, page, lambda: page.evaluate(twice)) > 1
    assert longest(browser, page, lambda: page.evaluate("1 + 1")) < 1
