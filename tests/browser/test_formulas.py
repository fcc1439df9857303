"""Mathematics in three engines: no glyph over another, brackets around what they enclose.

What is asked is geometry: where each engine draws the parts of a sheet that has every construct of
the book. The last tests spoil the sheet by each fault that a browser has shown, and look whether
it is noticed.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import engines
import numpy as np
import pytest
import sheet
from engines import Engine
from matplotlib.image import imread
from sitegen.output.static_server import hosted

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = Path(__file__).with_name("geometry.js").read_text(encoding="utf-8").partition("\n")[2]
MOST = 0.15  # by which widths may differ between engines

Drawn = dict[str, Any]


def drawn(engine: Engine, address: str) -> Drawn:
    """What is wrong with each formula of a sheet, and its box."""
    engine.set_width(1280)
    engine.open(address)
    return engine.evaluate(SCRIPT.strip())


def wrong(found: Drawn) -> list[str]:
    return [f"{name}: {what}" for name, formula in found.items() for what in formula["wrong"]]


def lines(picture: Path, box: list[float]) -> tuple[int, int]:
    """How many lines run through most of a box, from left to right and from top to bottom."""
    left, top, right, bottom = (round(side) for side in box)
    dark = imread(picture)[top - 4 : bottom + 4, left - 4 : right + 4, :3].mean(axis=2) < 0.7

    def count(through: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
        return int(np.count_nonzero(np.diff(through.astype(int), prepend=0) == 1))

    return count(dark.mean(axis=1) > 0.6), count(dark.mean(axis=0) > 0.6)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with hosted(sheet.write(tmp_path_factory.mktemp("sheet"))) as where:
        yield where


@pytest.fixture(scope="session")
def formulas(engine: Engine, address: str) -> Drawn:
    return drawn(engine, address)


@pytest.fixture(scope="session")
def in_chromium(browser: "Browser", address: str) -> Drawn:
    page = browser.new_page()
    found = drawn(engines.Chromium(page), address)
    page.close()
    return found


def test_each_glyph_has_its_place(formulas: Drawn) -> None:
    assert formulas.keys() == sheet.FORMULAS.keys()
    assert wrong(formulas) == []


def test_widths_are_those_of_the_other_engines(formulas: Drawn, in_chromium: Drawn) -> None:
    def widths(found: Drawn) -> dict[str, float]:
        return {name: formula["box"][2] - formula["box"][0] for name, formula in found.items()}

    here, there = widths(formulas), widths(in_chromium)
    apart = {name: abs(here[name] - there[name]) / max(here[name], there[name]) for name in here}
    assert {name: by for name, by in apart.items() if by > MOST} == {}


def test_a_box_is_drawn_once(
    engine: Engine, address: str, screenshots: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "sheet.png"
    box = drawn(engine, address)["box"]["box"]
    engine.screenshot(picture)
    assert lines(picture, box) == (2, 2)
    (screenshots / f"formulas-{engine.name}.png").write_bytes(picture.read_bytes())


def styled(rules: str) -> Callable[[str], str]:
    return lambda page: page.replace("</style>", f"{rules}</style>")


def without(pattern: str, instead: str = "") -> Callable[[str], str]:
    def change(page: str) -> str:
        changed, count = re.subn(pattern, instead, page)
        assert count, f"the sheet has no {pattern}"
        return changed

    return change


# A fault, the engines that show it, and what must be said of it.
FAULTS = {
    "hanging punctuation": (
        styled("math { hanging-punctuation: first }"),
        {"webkit"},
        "aligned: mo “(” is drawn over mi “max”",
    ),
    "fractions beside each other": (
        styled("math mfrac { margin: 0 }"),
        {"chromium", "webkit"},
        "two-fractions: mfrac “1N” and mfrac “∂L∂β” are one",
    ),
    "signs": (
        without(" form=prefix lspace=0 rspace=0"),
        {"chromium", "firefox", "webkit"},
        "prefix: mo “−” before mi “y” is no prefix",
    ),
    "derivatives": (
        without("<mi>∂</mi>", "<mi mathvariant=normal>∂</mi>"),
        {"firefox"},
        "partial: ∂ stands apart",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(fault: str, engine: Engine, tmp_path: Path) -> None:
    change, shown_by, told = FAULTS[fault]
    with hosted(sheet.write(tmp_path, change)) as spoilt:
        found = [what for what in wrong(drawn(engine, spoilt)) if what.startswith(told)]
    assert bool(found) == (engine.name in shown_by)


def test_a_box_that_is_drawn_twice_is_noticed(engine: Engine, tmp_path: Path) -> None:
    def twice(page: str) -> str:
        frame = "math menclose { border: 1px solid; display: inline-block math; padding: 0.5em }"
        page = without(
            r"<span class=boxed>(<math[^>]*>)(.*?)(</math>)</span>",
            r"\1<menclose notation=box class=boxed>\2</menclose>\3",
        )(page)
        return styled(f"{frame} .boxed {{ width: auto }}")(page)

    with hosted(sheet.write(tmp_path, twice)) as spoilt:
        box = drawn(engine, spoilt)["box"]["box"]
    picture = tmp_path / "sheet.png"
    engine.screenshot(picture)
    assert (sum(lines(picture, box)) > 4) == (engine.name in {"firefox", "webkit"})
