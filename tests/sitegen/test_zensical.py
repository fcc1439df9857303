"""The other renderer: its settings, that a warning stops it, and that nothing is lost unseen."""

import shutil
from pathlib import Path

import pytest
import yaml
from sitegen.output import zensical

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "index.html": '<h1 id="top">Top</h1><p><a href="one/#part">one</a></p>',
    "one/index.html": (
        '<h2 id="part">Part</h2><p><math><mi>x</mi></math> and <math><mi>x</mi></math> '
        '<img src="a.svg"> <a href="../">up</a> <a href="one.ipynb">this</a> '
        '<a href="https://example.org/">away</a></p>'
    ),
}


def write(site: Path) -> Path:
    for name, text in PAGES.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(f"<html><body><article>{text}</article></body></html>")
    for name in ("a.svg", "one.ipynb"):
        (site / "one" / name).write_text("")
    return site


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "book"), write(tmp_path / "other")


def test_what_is_all_there_is_not_missing(sites: tuple[Path, Path]) -> None:
    assert list(zensical.missing(*sites)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "<math><mi>x</mi></math> and",
            "and",
            "1 of the formulas missing: <math><mi>x</mi></math>",
        ),
        ('<img src="a.svg">', "", "1 of the pictures missing: one/a.svg"),
        ('<a href="../">up</a>', "up", "1 of the links missing: index.html"),
        ('href="one.ipynb"', 'href="two.ipynb"', "dead link to one/two.ipynb"),
        ('href="../"', 'href="../#nowhere"', "no such anchor: index.html#nowhere"),
        ('<h2 id="part">', "<h2>", "no anchor part"),
        ('src="a.svg"', 'src="../a.svg"', "dead link to a.svg"),
        (
            "Part</h2>",
            "Parts</h2>",
            "another text: 'Partsxandxupthisaway', not 'Partxandxupthisaway'",
        ),
    ],
)
def test_what_is_lost_is_told(sites: tuple[Path, Path], old: str, new: str, told: str) -> None:
    page = sites[1] / "one" / "index.html"
    text = page.read_text()
    assert old in text
    page.write_text(text.replace(old, new, 1))
    assert f"one/index.html: {told}" in list(zensical.missing(*sites))


def test_a_page_and_a_file_that_are_lost_are_told(sites: tuple[Path, Path]) -> None:
    (sites[1] / "one" / "a.svg").unlink()
    assert list(zensical.missing(*sites)) == ["one/index.html: dead link to one/a.svg"]
    shutil.rmtree(sites[1] / "one")
    told = list(zensical.missing(*sites))
    assert "one/index.html: no such page" in told
    assert "index.html: dead link to one/index.html#part" in told


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'Warning: page does not exist'; exit 1", "page does not exist"),
        ("echo '1 issue found'", "1 issue found"),
    ],
)
def test_a_warning_stops_it(
    script: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    monkeypatch.setattr(zensical, "PROGRAM", program)
    program.write_text("#!/bin/sh\necho 'No issues found'\n")
    program.chmod(0o755)
    zensical.run(tmp_path)
    program.write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(zensical.NextError, match=told):
        zensical.run(tmp_path)


def test_it_is_told_of_the_whole_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", "https://example.org/book/")
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    config = zensical.settings(text)
    assert config["site_url"] == "https://example.org/book/"
    assert "hooks" not in config
    assert [next(iter(plugin)) for plugin in config["plugins"]] == [
        "search",
        "tags",
        "mkdocstrings",
    ]
    assert "relu.py" in text
    told = yaml.safe_dump(config)
    assert "layers/relu.md" in told
    assert ".py" not in yaml.safe_dump(config["nav"])
    assert config["theme"]["name"] == "material"


def test_what_it_builds_from_is_whole(tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.mkdir()
    (staged / "index.md").write_text("# Top\n")
    zensical.write(staged, ROOT, tmp_path / "next")
    there = {p.relative_to(tmp_path / "next").as_posix() for p in (tmp_path / "next").rglob("*")}
    assert {"mkdocs.yml", "docs/index.md", "overrides/main.html"} <= there
    sheet = (tmp_path / "next/docs/assets/stylesheets/whole.css").read_text(encoding="utf-8")
    assert "--book-ink:" in sheet
    assert "@font-face" in sheet


def test_formulas_are_drawn(tmp_path: Path) -> None:
    page = tmp_path / "site" / "index.html"
    page.parent.mkdir()
    page.write_text(r'<p><span class="arithmatex">\(x^2\)</span></p>')
    zensical.draw_formulas(page.parent, tmp_path)
    assert "<msup>" in page.read_text(encoding="utf-8")
    assert (page.parent / "assets/fonts/stix-two-math.woff2").is_file()
