"""Measure the built site with Lighthouse, on its mobile profile: benchmarks/lighthouse.json.

The landing page and three chapters, served as a host would, each several times; the record holds
the median run. The status is 1 if a score is below what the book promises.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from sitegen.output.static_server import BROWSERS, chromium, hosted
from sitegen.render.mathematics import node

from nn_tutorial.command_line import on_any_terminal

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
PROGRAM = ROOT / "benchmarks/lighthouse/node_modules/lighthouse/cli/index.js"
# The start, a short chapter, the longest, one of many figures.
PAGES = ["", "layers/relu/", "networks/iris/", "layers/convolution/"]
PROMISED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
TIMES = {
    "first_contentful_paint_ms": "first-contentful-paint",
    "largest_contentful_paint_ms": "largest-contentful-paint",
    "total_blocking_time_ms": "total-blocking-time",
    "speed_index_ms": "speed-index",
    "cumulative_layout_shift": "cumulative-layout-shift",
    "bytes_over_the_wire": "total-byte-weight",
}


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="of each page")
    parser.add_argument("--chromium", default=chromium(BROWSERS))
    parser.add_argument("--record", type=Path, default=ROOT / "benchmarks/lighthouse.json")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write the record, say what fell short."""
    parser = arguments()
    chosen = parser.parse_args(argv)
    if chosen.chromium is None:
        parser.error("no Chromium was found: name one with --chromium")
    pages: dict[str, Any] = {}
    with hosted(SITE, urlsplit(site_url()).path, built_for=site_url()) as address:
        for page in PAGES:
            runs = [measured(address + page, chosen.chromium) for _ in range(chosen.runs)]
            pages[page or "index"] = summary(runs)
            print(page or "index", pages[page or "index"]["scores"], flush=True)
    record = {
        "name": "lighthouse",
        "command": "make lighthouse",
        "date": datetime.now(UTC).date().isoformat(),
        "lighthouse": runs[0]["lighthouseVersion"],
        "browser": runs[0]["environment"]["hostUserAgent"].partition("Chrome/")[2].split()[0],
        "machine": {"processors": os.cpu_count(), "system": platform.system()},
        "profile": "mobile, simulated throttling",
        "runs": chosen.runs,
        "promised": PROMISED,
        "pages": pages,
    }
    chosen.record.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    short = [
        f"{page}: {kind} {about['scores'][kind]} < {least}; {', '.join(about['short'])}"
        for page, about in pages.items()
        for kind, least in PROMISED.items()
        if about["scores"][kind] < least
    ]
    print("\n".join(short))
    return 1 if short else 0


def measured(address: str, program: str) -> dict[str, Any]:
    """Return Lighthouse's report of a page."""
    command = [
        node(),
        str(PROGRAM),
        address,
        "--quiet",
        "--output=json",
        f"--only-categories={','.join(PROMISED)}",
        "--chrome-flags=--headless --no-sandbox --disable-gpu --disable-background-networking",
    ]
    environment = os.environ | {"CHROME_PATH": program}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed on {address}:\n{done.stderr}")
    return json.loads(done.stdout)


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the median scores and times of some runs, and the audits that were not passed."""
    audits = [run["audits"] for run in runs]
    return {
        "scores": {
            kind: round(100 * median(run["categories"][kind]["score"] for run in runs))
            for kind in PROMISED
        },
        **{
            name: round(median(audit[key]["numericValue"] for audit in audits), 3)
            for name, key in TIMES.items()
        },
        "short": sorted(
            {
                key
                for run in runs
                for kind in PROMISED
                for key in (ref["id"] for ref in run["categories"][kind]["auditRefs"])
                if (run["audits"][key]["score"] or 0) < 1
                and run["audits"][key]["scoreDisplayMode"] in ("binary", "metricSavings")
            }
        ),
    }


def site_url() -> str:
    """Return the address that the site was built for."""
    start = BeautifulSoup((SITE / "index.html").read_text(encoding="utf-8"), "lxml")
    link = start.find("link", rel="canonical")
    assert isinstance(link, Tag)
    return str(link["href"])


if __name__ == "__main__":
    sys.exit(on_any_terminal(main)())
