"""Measure what pages that run cost: ``python -m benchmarks.in_page [PAGE ...]``, on the built site.

It opens Chromium, counts the bytes from the press to the first cell, takes the processor time of
Python's worker from Linux, and runs every page, cell by cell. `benchmarks/in_page.json` gets what
it found; pages that are not named keep what was found before.
"""

import argparse
import datetime
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from sitegen.output.static_server import ARGUMENTS, chromium, hosted
from sitegen.render.running import FILE, short

from nn_tutorial.command_line import on_any_terminal
from nn_tutorial.files import write_whole

ROOT = Path(__file__).resolve().parents[1]
RECORD = Path(__file__).with_suffix(".json")
LONG = 1.0  # seconds: of shorter cells nobody needs to be told
MOST = 30.0  # and of longer ones nobody waits to know how much longer
ONE_CELL = """async () => {
    const times = [];
    for (let i = 0; i < 21; i += 1) {
        const began = performance.now();
        await bookPage.python.run("1 + 1", [], () => 0);
        times.push(performance.now() - began);
    }
    return times;
}"""
CHECKS = """async (source) => {
    const times = [];
    for (let i = 0; i < 11; i += 1) times.push((await bookPage.python.check("relu", source)).ms);
    return times;
}"""
# A cell, and how long it took: one that takes longer than the most is stopped, and left out.
RUN = """async ([index, most]) => {
    const cell = bookPage.cells[index];
    let isStopped = false;
    const timer = setTimeout(() => ((isStopped = true), bookPage.python.stop()), 1000 * most);
    await bookPage.inTurn([cell]);
    clearTimeout(timer);
    if (isStopped) await cell.leaveOut();
    return [cell.about.code, isStopped ? most : (cell.done?.ms ?? 0) / 1000];
}"""


def worker_seconds() -> float:
    """Return the processor time of the worker that has used most; Linux tells it by its name."""
    found = [0.0]
    for task in Path("/proc").glob("[0-9]*/task/[0-9]*"):
        try:
            if (task / "comm").read_text(encoding="utf-8").startswith("DedicatedWorker"):
                user, system = (
                    (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
                )
                found.append((int(user) + int(system)) / 100)
        except OSError:  # it has ended meanwhile
            continue
    return max(found)


def started(page: Page, address: str) -> None:
    """Open a page, and start Python on it."""
    page.goto(address)
    page.get_by_role("button", name="Run this page").click()
    page.get_by_role("button", name="Run all", exact=True).wait_for()


def seconds_of(page: Page) -> dict[str, float]:
    """Run the cells of a page; return the long ones by a short hash of their code."""
    page.evaluate("bookPage.fresh()")
    count = page.evaluate("bookPage.cells.length")
    found = (page.evaluate(RUN, [index, MOST]) for index in range(count))
    return {short(code): round(seconds, 1) for code, seconds in found if seconds >= LONG}


def costs(page: Page, address: str) -> dict[str, Any]:
    """Measure the start, a small cell and a check on a page that has not been opened before."""
    loaded: dict[str, int] = {}
    page.on("requestfinished", lambda r: loaded.update({r.url: r.sizes()["responseBodySize"]}))
    started(page, f"{address}layers/relu/")
    cpu = worker_seconds()
    size = sum(n for url, n in loaded.items() if "/runtime/" in url or "/running/" in url)
    cells = page.evaluate(ONE_CELL)
    page.evaluate("bookPage.run(bookPage.cells[0])")
    figures = sum(n for url, n in loaded.items() if "matplotlib" in url)
    checks = page.evaluate(CHECKS, "def relu(x):\n    return x")
    return {
        "bytes_to_start": size,
        "bytes_of_figures": figures,
        "worker_cpu_seconds_to_start": cpu,
        "milliseconds_of_a_small_cell": round(statistics.median(cells), 1),
        "milliseconds_of_a_check": round(statistics.median(checks[1:]), 1),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="*", help="such as layers/relu; else all")
    asked = parser.parse_args(arguments).page
    site = ROOT / "site"
    names = asked or [f.parent.relative_to(site).as_posix() for f in sorted(site.rglob(FILE))]
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {"pages": {}}
    with hosted(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(3_600_000)
        record |= costs(page, address)
        record["browser"] = f"Chromium {browser.version}"
        record["versions"] = page.evaluate("bookPage.python.state.versions")
        record["date"] = datetime.datetime.now(datetime.UTC).date().isoformat()
        for name in names:
            started(page, f"{address}{name}/".replace("/./", "/"))
            record["pages"][name.replace(".", "index")] = found = seconds_of(page)
            print(name, found, flush=True)
            with write_whole(RECORD) as beside:  # each page takes long
                beside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(on_any_terminal(main)())
