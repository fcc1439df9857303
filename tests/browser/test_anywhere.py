"""Every page in Firefox and in WebKit: it loads, fits, comes alive, and can be dark.

`test_pages.py` asks more, in Chromium. Here each page is loaded once; its width and its colours
change in place. Of each figure the first operation is tried, by a script: the others, with real
keys, are in `test_live_figures.py`. WebKit's driver tells nothing of the console and of requests:
what the page itself hears is asked there, and a request that its policy forbids is an error.
"""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from built import addresses, report
from engines import GROUPS, PROBES, Engine
from recipes import RECIPES, first

PAGES = [address for address in addresses() if address != "404.html"]
ANYWHERE = Path(__file__).with_name("anywhere.js")
SCRIPTS = "\n".join(script.read_text(encoding="utf-8") for script in (PROBES, ANYWHERE))
STEPS = json.dumps(
    {name: [asdict(step) for step in first(steps)] for name, (_, steps) in RECIPES.items()}
)
SHOWN = "[...await probes.unfold(), ...probes.brokenImages(), ...anywhere.formulas()]"
others = pytest.mark.parametrize("engine", [GROUPS["firefox"], GROUPS["webkit"]], indirect=True)


def opened(engine: Engine, site: str, address: str) -> None:
    engine.set_width(390)
    engine.open(site, address)
    engine.evaluate(f"(() => {{ {SCRIPTS}\nlocalStorage.clear(); }})()")


def problems(engine: Engine, site: str, address: str, spoil: str = "0") -> dict[str, list[str]]:
    """What is wrong with a page, which a script may have spoilt."""
    opened(engine, site, address)
    engine.evaluate(f"(() => {{ {spoil} }})()")
    found = {
        "shown": engine.evaluate(SHOWN),
        "operated": engine.evaluate(f"anywhere.operate({STEPS})"),
        "390 px": engine.evaluate("anywhere.colours()"),
    }
    engine.set_width(1280)
    found["1280 px"] = engine.evaluate("anywhere.colours()")
    found["requests"] = [
        url for url in engine.requests() if not url.startswith((site, "data:", "blob:"))
    ]
    # Firefox says this of a formula that has come half; `formulas` looks at the whole ones.
    found["console"] = [
        told for told in engine.messages() if "number of children for <m" not in told
    ]
    return found


@others
@pytest.mark.parametrize("address", PAGES)
def test_page(address: str, engine: Engine, elsewhere: str) -> None:
    # A browser may end by itself, or lose a question on a busy machine. A page is wrong every time.
    try:
        told = report(problems(engine, elsewhere, address))
    except Exception:  # each driver has errors of its own; one that comes again is raised below
        told = "asked once more"
    if told:
        told = report(problems(engine, elsewhere, address))
    if told:
        pytest.fail(f"{engine.name}, {address or 'the landing page'}: {told}", pytrace=False)


@others
def test_search_finds(engine: Engine, elsewhere: str) -> None:
    opened(engine, elsewhere, "layers/relu/")
    assert "Softmax" in engine.evaluate("anywhere.search('softmax')")
    assert engine.messages() == []


# What spoils a page, and what must be said of it then.
FAULTS = [
    ("document.body.append('x'.repeat(2000))", "390 px", "too wide"),
    ("document.body.style.background = '#eee'", "1280 px", "not dark"),
    ("console.error('no good')", "console", "no good"),
    ("setTimeout(() => { throw new Error('thrown'); })", "console", "thrown"),
    ("fetch('http://127.0.0.1:1/').catch(() => 0)", "console", "http://127.0.0.1:1/"),
    ("document.querySelector('article').append(new Image())", "shown", "not loaded"),
    ("document.querySelector('mfrac').lastChild.remove()", "shown", "mfrac has 1"),
    (
        "anywhere.patience = 900; addEventListener('input', (e) => e.stopPropagation(), true)",
        "operated",
        "nn-relu: does not say",
    ),
]


@others
def test_a_bad_page_is_noticed(engine: Engine, elsewhere: str) -> None:
    spoil = ";\n".join(spoil for spoil, _, _ in FAULTS)
    found = problems(engine, elsewhere, "layers/relu/", spoil)
    assert [word for _, where, word in FAULTS if word not in " ".join(found[where])] == []


@others
def test_a_request_elsewhere_is_noticed(engine: Engine, elsewhere: str) -> None:
    opened(engine, elsewhere, "reference/")
    engine.requests()
    # The page's policy allows no other host; on the same host there is more than the book.
    origin = elsewhere.removesuffix("/some/book/")
    assert engine.evaluate(f"fetch('{origin}/robots.txt').then(() => 0)") == 0
    assert any(url == f"{origin}/robots.txt" for url in engine.requests())
