"""The book to take away: one document with links in it, a PDF, a zip that is reproducible."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from mkdocs.config.defaults import MkDocsConfig
from sitegen import mkdocs_hooks
from sitegen.output import book, offline

ROOT = Path(__file__).resolve().parents[2]

PAGE = """<!doctype html><html lang="en"><head><title>{title}</title>{following}
<link rel="stylesheet" href="{up}assets/a.css"></head><body>
<nav class="md-nav md-nav--primary"><ul class="md-nav__list">{nav}</ul></nav>
<article class="md-content__inner"><h1 id="top">{title}<a class="headerlink" href="#top">#</a></h1>
{body}</article></body></html>"""
# Of the navigation only the reader's own part is open.
HERE = '<a class="md-nav__link md-nav__link--active" href="./">{title}</a>'
START = '<li class="md-nav__item md-nav__item--active">' + HERE + "</li>"
PART = (
    '<li class="md-nav__item md-nav__item--active md-nav__item--nested">'
    '<label><span class="md-ellipsis">Layers</span></label>'
    '<ul class="md-nav__list"><li class="md-nav__item md-nav__item--active">'
    + HERE
    + "</li></ul></li>"
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two pages that link to each other, as the theme writes them."""
    folder = tmp_path / "site"
    (folder / "layers" / "relu").mkdir(parents=True)
    (folder / "assets").mkdir()
    (folder / "assets" / "a.css").write_text("p {}")
    pages = {
        "index.html": ("Start", "", '<p><a href="layers/relu/#mask">the mask</a></p>'),
        "layers/relu/index.html": (
            "ReLU",
            "../../",
            '<h2 id="mask">The mask</h2><details><summary>more</summary><p>inside</p></details>'
            '<p><img src="x-light.svg" alt="x" loading="lazy"> <a href="../../#top">back</a> '
            '<a href="relu.ipynb">notebook</a> <a href="https://example.org/">away</a></p>',
        ),
    }
    for name, (title, up, body) in pages.items():
        nav = (PART if up else START).format(title=title)
        following = "" if up else '<link rel="next" href="layers/relu/">'
        page = PAGE.format(title=title, up=up, nav=nav, following=following, body=body)
        (folder / name).write_text(page)
    return folder


def test_the_pages_come_in_the_order_of_the_navigation(site: Path) -> None:
    assert book.chapters(site) == [
        ("", "Start", "index.html"),
        ("Layers", "ReLU", "layers/relu/index.html"),
    ]
    (site / "layers/relu/index.html").unlink()
    with pytest.raises(book.BookError, match="was not found"):
        book.chapters(site)


def test_links_lead_to_anchors_within_the_document(site: Path) -> None:
    text = book.document(site, book.chapters(site), {"c1": 7})
    soup = BeautifulSoup(text, "lxml")
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    inner = [link["href"] for link in soup.select("a[href^='#']")]
    assert inner == ["#c0", "#c1", "#c1-mask", "#c0-top"]
    assert all(href[1:] in ids for href in inner)
    assert [link["href"] for link in soup.select("a[href^=http]")] == ["https://example.org/"]
    assert "notebook" in text
    assert "relu.ipynb" not in text
    assert soup.select_one("img")["src"] == "/layers/relu/x-light.svg"
    assert soup.select_one("details").has_attr("open")
    assert not soup.select(".headerlink, img[loading]")
    assert soup.html["dir"] == "ltr"  # the theme indents lists by it
    assert soup.select_one('.book-contents a[href="#c1"]').find_next("span").text == "7"


def test_the_pdf_has_contents_page_numbers_and_links(
    site: Path, tmp_path: Path, printed: Callable[[Path, Path], int]
) -> None:
    from pypdf import PdfReader

    once, twice = tmp_path / "a.pdf", tmp_path / "b.pdf"
    assert printed(site, once) == 4  # cover, contents, chapters
    printed(site, twice)
    reader = PdfReader(once)
    texts = [page.extract_text() for page in reader.pages]
    assert "Start" in texts[1]
    assert "ReLU" in texts[1]
    assert {"3", "4"} <= set(texts[1].split())  # the pages on which the chapters begin
    assert "The mask" in texts[3]
    assert "inside" in texts[3]
    links = [a for page in reader.pages for a in page.get("/Annots", [])]
    assert len(links) >= 4
    assert [entry.title for entry in reader.outline if hasattr(entry, "title")]
    assert once.read_bytes() == twice.read_bytes()
    assert not list((site / book.FOLDER).iterdir())


def test_nothing_is_wider_than_the_paper(
    site: Path, tmp_path: Path, printed: Callable[[Path, Path], int]
) -> None:
    page = site / "layers/relu/index.html"
    wide = '<div style="width: 700px">a wide thing</div></article>'
    page.write_text(page.read_text().replace("</article>", wide))
    with pytest.raises(book.BookError, match=r"ReLU.*a wide thing"):
        printed(site, tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


def test_a_zip_of_the_same_files_is_the_same_bytes(site: Path, tmp_path: Path) -> None:
    book.pack(site, tmp_path / "a.zip")
    for path in site.rglob("*"):
        path.touch()
    book.pack(site, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert "neural-networks-checked/layers/relu/index.html" in packed.namelist()


def test_the_figures_become_one_classic_script(site: Path) -> None:
    scripts = site / "assets" / "javascripts"
    (scripts / "figures").mkdir(parents=True)
    (scripts / "figures.js").write_text('const f = () => import("./figures/one.js"); f();')
    (scripts / "figures" / "one.js").write_text("export const mount = () => 'mounted';")
    page = site / "index.html"
    page.write_text('<script src=assets/javascripts/figures.js type="module" fetchpriority="low">')
    book.bundle(site)
    assert page.read_text() == '<script defer src="assets/javascripts/figures.js">'
    bundled = (scripts / "figures.js").read_text()
    assert "mounted" in bundled
    assert "import(" not in bundled


def test_what_an_edition_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NN_TUTORIAL_BOOK", raising=False)
    page = (ROOT / "docs" / "take_away.md").read_text(encoding="utf-8")
    assert offline.with_downloads("text") == "text"
    not_made = offline.with_downloads(page)
    assert "make book" in not_made
    assert book.PDF not in not_made
    assert "<!--" not in not_made
    monkeypatch.setenv("NN_TUTORIAL_BOOK", "true")
    offered = offline.with_downloads(page)
    assert book.PDF in offered
    assert book.ZIP in offered
    assert "was built without" not in offered
    for text in (not_made, offered):
        assert "repository" not in text
    there = offline.with_downloads(page, "https://example.org/book")
    assert "[the repository](https://example.org/book)" in there
    assert "whoever" not in there


def test_what_an_edition_for_the_disk_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NN_TUTORIAL_OFFLINE", raising=False)
    assert offline.files(ROOT) == {}
    monkeypatch.setenv("NN_TUTORIAL_OFFLINE", "true")
    assert b"Worker" in offline.files(ROOT)[offline.SHIM]
    config = MkDocsConfig(str(ROOT / "mkdocs.yml"))
    config.load_dict({"site_name": "x", "site_url": "https://example.org/", "theme": "mkdocs"})
    config.load_dict({"extra": {"polyfills": ["a.js", "https://else/where/iframe-worker.js"]}})
    config.validate()
    config.theme["features"] = ["navigation.instant", "navigation.top"]
    mkdocs_hooks.on_config(config)
    assert config.site_url == ""
    assert config.theme["features"] == ["navigation.top"]
    assert config.extra["polyfills"] == [offline.SHIM, "a.js"]


def test_without_chromium_there_is_a_clear_error(monkeypatch, capsys) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("NN_TUTORIAL_CHROMIUM", raising=False)
    assert book.main([]) == 1
    assert "Chromium is needed" in capsys.readouterr().err
