"""The way from a page's source to the site: run on a small book of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import building
import pytest

ROOT = Path(__file__).resolve().parents[2]
# What the builds of the small book reach (see tests/touched.py).
REACHES = ["scripts/sitegen/", "nn_tutorial/data/", "overrides/", "docs/assets/", "mkdocs.yml"]
FRONT = "# ---\n# title: {title}\n# description: A page for the tests.\n# ---\n\n"
FIGURE = """
# %%
import matplotlib.pyplot as plt
from nn_tutorial.pages.plots import show, use_style
use_style()
fig, ax = plt.subplots()
ax.plot([0, 1], [0, 2])
ax.set(xlabel="time (s)", ylabel="distance (m)")
show(fig, alt="A line that rises.", caption="It *rises* by $2x$.", name="rise")
"""
RICH = (
    """# %% [markdown]
# # First page
#
# !!! note "Remember"
#     An admonition with $a^2 + b^2$ in it.
#
# A claim.[^1] See [the second](second.py#a-heading) and [plain](plain.md#numbers).
#
# | Symbol | Shape |
# |---|---|
# | $X$ | $(N, D)$ |
#
# === "One"
#     The first tab.
#
# === "Two"
#     The second tab.
#
# [^1]: A footnote.

# %%
SEED = 3
import numpy as np
x = np.arange(4.0)
print("un" + "searched")

# %% [markdown]
# ## The mean is computed
#
# Its value is {{ x.mean():.2f }}, and TeX's {{}} stays. As a formula:
#
# $$\\frac{\\partial L}{\\partial x} = \\sum_i {{x}}_i$$
"""
    + FIGURE
    + """
# %% tags=["hide-input"]
folded = True

# %% tags=["remove-input"]
print("only this is seen")

# %% tags=["remove-output"]
print("never this")

# %% tags=["raises-exception"]
raise ValueError("as expected")

# %% tags=["timing"]
import time
print(f"took {time.perf_counter():.9f} s")

# %%
from IPython.display import HTML
HTML("<div><div><table><tr><td>1</td></tr></table></div><p>un" + "searched too</p></div>")
"""
)
SECOND = """# %% [markdown]
# # Second page
#
# ## A heading
#
# ### Divide by $N$
#
# Back to [the first](first.py#the-mean-is-computed).

# %%
from pathlib import Path
from helper import VALUE
from nn_tutorial.data import data_folder
print(VALUE, Path("numbers.txt").read_text(), (data_folder() / "more.txt").read_text())
"""
PLAIN = """---
title: Plain
---

# Plain

## Numbers

!!! note "Remember"
    An admonition with $a^2 + b^2$ in it.
"""


class Book:
    """A small project with pages of its own and the real pipeline."""

    repository = ""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "docs").mkdir(parents=True)
        for name in ("scripts", "nn_tutorial", "node_modules", "overrides", "docs/assets"):
            (root / name).symlink_to(ROOT / name)
        for name in ("requirements.txt", "constraints.txt"):
            shutil.copy(ROOT / name, root / name)
        config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
        nav = "\nnav:\n  - index.md\n  - first.py\n  - second.py\n  - plain.md\n"
        self.write("mkdocs.yml", config + nav)
        self.write("docs/index.md", "# Start\n\nSee [the first](first.py).\n")
        self.write("docs/plain.md", PLAIN)
        self.page("first", RICH)
        self.page("second", SECOND)
        self.write("helper.py", "VALUE = 1\n")
        self.write("numbers.txt", "one two")
        (root / "data").mkdir()
        self.write("data/more.txt", "three")

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def page(self, name: str, text: str) -> None:
        self.write(f"docs/{name}.py", FRONT.format(title=name.capitalize()) + text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def build(self, *, anew: bool = False) -> tuple[int, str]:
        """Build strictly; return the exit status and the log.

        `anew` starts Python again, with other hashes: what depends on an order of a set differs.
        """
        environment = {
            "SOURCE_DATE_EPOCH": "1700000000",
            "REPO_URL": self.repository,
            "PYTHONWARNINGS": "default",
            "NN_TUTORIAL_DATA": str(self.root / "data"),
            "NN_TUTORIAL_REQUIRE_RUNTIME": "",  # these small books run nowhere else
        }
        if not anew:
            log = self.root.with_suffix(".log")
            return building.build(self.root, environment, log), log.read_text(encoding="utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
        environment = os.environ | environment
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def must_fail(self) -> str:
        status, log = self.build()
        assert status != 0, log
        return log

    def site(self) -> dict[Path, bytes]:
        """Every file of the built site."""
        root = self.root / "site"
        return {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def must_build(self, *, anew: bool = False) -> str:
        status, log = self.build(anew=anew)
        assert status == 0, log
        return log

    def html(self, name: str) -> str:
        return (self.root / "site" / name / "index.html").read_text(encoding="utf-8")


def executed(log: str) -> list[str]:
    return sorted(re.findall(r"(\w+) executed in", log))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A book that has been built once; tests that read may share it."""
    book = Book(tmp_path_factory.mktemp("book") / "here")
    assert executed(book.must_build()) == ["first", "second"]
    return book


@pytest.fixture
def book(built: Book, tmp_path: Path) -> Book:
    """A copy of the built book, with its cache, to be changed."""
    shutil.copytree(built.root, tmp_path / "copy", symlinks=True)
    copy = object.__new__(Book)
    copy.root = tmp_path / "copy"
    return copy


# One group a worker: the session's book is built once, not once a worker.
pytestmark = pytest.mark.xdist_group("pipeline")


def test_cells_render_as_md_pages_do(built: Book) -> None:
    here, there = built.html("first"), built.html("plain")
    note = re.compile(r'<div class="admonition note">.*?</div>', re.DOTALL)
    ours, theirs = note.search(here), note.search(there)
    assert ours
    assert theirs
    assert ours[0] == theirs[0]
    for piece in ("class=footnote", "<table ", 'class="tabbed-set', "<title>First - "):
        assert piece in here
    assert '<meta name="description" content="A page for the tests."' in here


def test_math_is_there_without_scripts(built: Book) -> None:
    page = built.html("first")
    article = page[page.index("<article") : page.index("</article")]
    assert article.count("<math") == 5
    assert "$" not in re.sub(r"<code.*?</code>", "", article, flags=re.DOTALL)
    assert "<mfrac>" in article
    assert "<script" not in article


def test_values_stand_in_the_prose(built: Book) -> None:
    assert "Its value is 1.50, and TeX's {{}} stays." in built.html("first").replace("’", "'")


def test_tags_hide_what_they_say(built: Book) -> None:
    page = built.html("first")
    assert re.search(r"<details class=code>.*?folded", page, re.DOTALL)
    assert "only this is seen" in page
    assert 'print("only' not in re.sub("<[^>]*>", "", page).replace("&quot;", '"')
    assert "never this" not in re.sub(r"<code>.*?</code>", "", page, flags=re.DOTALL)
    assert "<pre>\nValueError: as expected</pre>" in page


def test_output_is_a_box_for_the_keyboard(built: Book) -> None:
    boxes = re.findall(r'<section class="?book-output[^>]*>', built.html("first"))
    assert boxes
    assert all('tabindex="0"' in box and "aria-label" in box for box in boxes)


def test_figures_have_files_words_and_two_themes(built: Book) -> None:
    page = built.html("first")
    for theme in ("light", "dark"):
        image = re.search(rf'<img class=book-{theme} src="(rise-{theme}.svg)"[^>]*>', page)
        assert image
        assert 'alt="A line that rises."' in image[0]
        assert (built.root / "site" / "first" / image[1]).is_file()
    assert "It <em>rises</em> by" in page
    light, dark = (
        (built.root / "site" / "first" / f"rise-{theme}.svg").read_text(encoding="utf-8")
        for theme in ("light", "dark")
    )
    assert set(re.findall("#[0-9a-f]{6}", light)).isdisjoint(re.findall("#[0-9a-f]{6}", dark))


def test_anchors_and_contents_are_clean(built: Book) -> None:
    assert re.findall(r'<h2 id="([^"]*)"', built.html("first")) == ["the-mean-is-computed"]


def test_formula_in_a_heading_is_plain_in_the_contents(built: Book) -> None:
    contents = re.search(r'href="#divide-by-n".*?</a>', built.html("second"), re.DOTALL)
    assert contents
    assert "Divide by N" in contents[0]
    assert "\\(" not in contents[0]


def test_search_index_holds_clean_text(built: Book) -> None:
    entries = json.loads((built.root / "site/search/entries.json").read_text(encoding="utf-8"))
    text = " ".join(entry["title"] + " " + entry["text"] for entry in entries)
    assert "a2+b2" in text
    for unwanted in ("\\frac", "\\(", "$$", "unsearched", "data-math", "svg", "SHA-256", "folded"):
        assert unwanted not in text


def test_downloads(built: Book) -> None:
    source = (built.root / "site/first/first.py").read_text(encoding="utf-8")
    assert source == (built.root / "docs/first.py").read_text(encoding="utf-8")
    notebook = json.loads((built.root / "site/first/first.ipynb").read_text(encoding="utf-8"))
    text = json.dumps(notebook)
    assert "Its value is 1.50" in text
    assert "unsearched" in text
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for name in ("first.ipynb", "first.py"):
        assert f'href="{name}"' in built.html("first")


def test_provenance(built: Book) -> None:
    page = built.html("first")
    block = page[page.index("book-provenance") :]
    for piece in ("nn_tutorial 0.", "Python 3.", "numpy ", "<dd>3</dd>"):
        assert piece in block


def test_nothing_is_asked_from_elsewhere(built: Book) -> None:
    """What a browser fetches by itself: src, stylesheets, fonts. Links are for the reader."""
    fetched = []
    for path in (built.root / "site").rglob("*"):
        if path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            fetched += re.findall(r'<(?:script|img|iframe|source)[^>]* src="([^"]*)"', text)
            links = re.findall(r"<link[^>]*>", text)
            fetched += [
                re.search('href="([^"]*)"', link)[1]  # type: ignore[index]  # a link has one
                for link in links
                if re.search('rel="(?:stylesheet|icon|preload|preconnect|modulepreload)"', link)
            ]
        elif path.suffix == ".css":
            fetched += re.findall(r"url\(['\"]?([^)'\"]*)", path.read_text(encoding="utf-8"))
    assert fetched
    assert [url for url in fetched if re.match(r"(?:https?:)?//", url)] == []


def test_nothing_changed_executes_nothing(book: Book) -> None:
    first = book.site()
    assert executed(book.must_build(anew=True)) == []
    again = book.site()
    assert again.keys() == first.keys()
    assert [name for name, content in again.items() if content != first[name]] == []


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda book: book.edit("docs/first.py", "A claim.", "A bold claim."), []),
        (lambda book: book.edit("docs/first.py", "arange(4.0)", "arange(5.0)"), ["first"]),
        (lambda book: book.edit("docs/first.py", "mean():.2f", "mean():.3f"), ["first"]),
        (lambda book: book.edit("docs/first.py", '["hide-input"]', '["remove-input"]'), ["first"]),
        (lambda book: book.write("helper.py", "VALUE = 2\n"), ["second"]),
        (lambda book: book.write("numbers.txt", "three"), ["second"]),
        (lambda book: book.write("data/more.txt", "four"), ["second"]),
        (lambda book: book.write("data/new.zip", ""), ["second"]),  # it asked where the data is
        (lambda book: book.write("requirements.txt", "numpy==2.4.6\n"), ["first", "second"]),
    ],
    ids=["prose", "code", "expression", "tag", "module", "file", "data", "new data", "pin"],
)
def test_exactly_what_depends_on_a_change_runs_again(
    book: Book, change: Callable[[Book], None], again: list[str]
) -> None:
    change(book)
    assert executed(book.must_build()) == again


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("# %%\n1 / 0", r"third\.py, line 10, code cell 1 \(1 / 0\) failed:(.|\n)*ZeroDivision"),
        ('# %% tags=["raises-exception"]\nx = 1', "raises nothing"),
        ("# %%\nimport warnings\nwarnings.warn('careful')", "UserWarning: careful"),
        ("# %% [markdown]\n# {{ nowhere:.2f }}", r"nowhere:.2f }} failed:\s+NameError"),
        ("# %% [markdown]\n# See [it](nothing.py).", "contains a link 'nothing.py'"),
        ("# %% [markdown]\n# See [it](first.py#nowhere).", "does not contain an anchor '#nowhere'"),
        (
            "# %% [markdown]\n# See [](first.py#fall).",
            r"third\.py: no figure and no equation 'fall' on first\.py",
        ),
        ("# %% [markdown]\n# See [@nobody].", r"third\.py: no source 'nobody'"),
        ("# %% [markdown]\n# $$\\frac{1}$$", r"third\.py: KaTeX(.|\n)*in the formula \\frac"),
        ("# %%\nimport matplotlib.pyplot as plt\n_ = plt.plot([1])", "without alt text"),
        ("# %%\nimport sys\n_ = sys.stderr.write('oh')", "writes to stderr:\noh"),
        ("# %%\nprint(object())", "prints an address in memory"),
        (FIGURE + FIGURE, "two figures have the name of third/rise-light.svg"),
        ("# %% [markdown]\n# " + "word " * 30_000, r"third\.py: \d+ bytes of HTML, over 150000"),
    ],
    ids=[
        "raise",
        "no raise",
        "warning",
        "expression",
        "link",
        "anchor",
        "figure",
        "source",
        "tex",
        "alt",
        "stderr",
        "address",
        "two figures",
        "too large",
    ],
)
def test_what_is_wrong_fails_the_build_and_is_named(book: Book, cell: str, message: str) -> None:
    book.page("third", f"# %% [markdown]\n# # Third page\n\n{cell}\n")
    book.edit("mkdocs.yml", "  - second.py\n", "  - second.py\n  - third.py\n")
    assert re.search(message, book.must_fail())


def reference(book: Book) -> None:
    """Add a page of the reference, of a package of the book's own."""
    book.write("docs/plain.md", PLAIN + "\n::: nn_tutorial.files.write_whole\n")
    (book.root / "nn_tutorial").unlink()
    shutil.copytree(ROOT / "nn_tutorial", book.root / "nn_tutorial")


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (
            lambda book: None,
            lambda book: book.edit("docs/second.py", "## A heading", "## A *heading*"),
        ),
        (
            reference,
            lambda book: book.edit(
                "nn_tutorial/files.py", "Give a place", "Once more: give a place"
            ),
        ),
        (
            lambda book: None,
            lambda book: book.edit("mkdocs.yml", "permalink: true", "permalink: false"),
        ),
    ],
    ids=["heading", "docstring", "setting"],
)
def test_what_is_kept_is_what_would_be_made(
    book: Book, before: Callable[[Book], None], change: Callable[[Book], None]
) -> None:
    before(book)
    book.must_build()
    first = book.site()
    change(book)
    book.must_build()
    kept = book.site()
    assert kept != first
    shutil.rmtree(book.root / ".cache/memory")
    book.must_build()
    made = book.site()
    assert [name for name in made if made[name] != kept.get(name)] == []


def test_what_is_kept_is_wrong_still(book: Book) -> None:
    book.edit("docs/plain.md", "## Numbers", "See [it](first.py#nowhere).\n\n## Numbers")
    for _ in range(2):
        assert "does not contain an anchor '#nowhere'" in book.must_fail()
    book.edit("docs/plain.md", "first.py#nowhere", "nothing.md")
    for _ in range(2):
        assert "contains a link 'nothing.md'" in book.must_fail()


def test_failed_run_leaves_nothing_behind(book: Book) -> None:
    book.edit("docs/second.py", "print(VALUE", "assert False\nprint(VALUE")
    book.must_fail()
    book.edit("docs/second.py", "assert False\n", "")
    assert executed(book.must_build()) == []  # the last good run is still there, and right


def test_two_clean_builds_are_the_same(
    built: Book, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Execution included, in another folder, from nothing."""
    other = Book(tmp_path_factory.mktemp("again") / "elsewhere")
    other.must_build(anew=True)
    files = [built.site(), other.site()]
    assert files[0].keys() == files[1].keys()
    differing = {str(name) for name in files[0] if files[0][name] != files[1][name]}
    assert differing == {"first/index.html", "first/first.ipynb"}  # the cell marked as a timing
    for name in map(Path, differing):
        ours, theirs = (re.sub(rb"took [\d.]+ s", b"", site[name]) for site in files)
        assert ours == theirs


def test_pages_lead_to_their_source_where_a_repository_is_named(built: Book, book: Book) -> None:
    assert "Edit this page" not in built.html("first")
    book.repository = "https://example.org/you/book/"
    book.must_build()
    for name, source in (("first", "first.py"), ("plain", "plain.md")):
        page = book.html(name)
        address = f"https://example.org/you/book/edit/main/docs/{source}"
        assert f'<a href="{address}" rel="edit">Edit this page</a>' in page
        report = f"https://example.org/you/book/issues/new?title={source}:+"
        assert f'<a href="{report}">report an error on this page</a>' in page
        assert page.count("example.org/you") == 2  # the theme's own link would ask there by itself
        assert 'data-md-component="source"' not in page
    book.repository = "you/book"
    assert "REPO_URL: expected an address (https://...), got 'you/book'" in book.must_fail()


def test_timing_says_so(built: Book) -> None:
    boxes = re.findall(r"<section.*?</section>", built.html("first"), re.DOTALL)
    timed = [box for box in boxes if "book-timing" in box]
    assert len(timed) == 1
    assert "took" in timed[0]
    assert "your machine gives other times" in timed[0]
