"""The small scripts around the text: glossary, shortcuts, what has been read, printing."""

import io
import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from built import chapters, file_of
from built import page as page_of
from pypdf import PdfReader

TERM = "article a.term"
NOTE = "#book-term"
FIGURE = "article a[href*='#']:text-matches('^Figure [0-9]')"
THEME = "document.body.dataset.mdColorScheme"
LOAD = """async () => {
    const pictures = [...document.querySelectorAll("article img")];
    for (const picture of pictures) picture.loading = "eager";
    await Promise.all(pictures.map((picture) => picture.decode()));
}"""


def test_term_is_explained_where_it_stands(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("layers/convolution/")
    term, note = page.locator(TERM).first, page.locator(NOTE)
    assert not note.is_visible()
    term.hover()
    note.wait_for()
    assert len(note.inner_text().split()) > 4
    # The pointer may move onto the note, and rest there.
    note.hover()
    page.wait_for_timeout(400)
    assert note.is_visible()
    page.mouse.move(0, 0)
    note.wait_for(state="hidden")
    assert visits.problems == []


def test_term_is_explained_to_the_keyboard_and_the_screen_reader(
    visitor: Callable[..., Any],
) -> None:
    page = visitor().open("layers/convolution/")
    term, note = page.locator(TERM).first, page.locator(NOTE)
    term.focus()
    note.wait_for()
    assert note.get_attribute("role") == "tooltip"
    assert term.get_attribute("aria-describedby") == note.get_attribute("id")
    page.keyboard.press("Escape")
    assert not note.is_visible()
    assert term.get_attribute("aria-describedby") is None


def test_first_tap_explains_and_the_second_follows(visitor: Callable[..., Any]) -> None:
    page = visitor(width=390, touch=True).open("layers/convolution/")
    term, note = page.locator(TERM).first, page.locator(NOTE)
    before = page.url
    term.tap()
    note.wait_for()
    box = note.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.url == before
    term.tap()
    page.wait_for_url("**/reference/glossary/#*")


def test_keys(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("layers/relu/")
    page.keyboard.press("?")
    dialog = page.locator("dialog.book-dialog")
    assert dialog.is_visible()
    page.keyboard.press("d")  # not while the list is open
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate(THEME) == "default"
    page.keyboard.press("d")
    page.keyboard.press("d")
    page.wait_for_function(f"{THEME} === 'slate'")
    page.keyboard.press("n")
    page.wait_for_url("**/layers/linear/")
    page.keyboard.press("p")
    page.wait_for_url("**/layers/relu/")
    page.keyboard.press("m")
    page.wait_for_url("**/foundations/reading/#the-chapters-in-order")
    # A reader who leaves a page breaks off what it was still loading.
    assert [told for told in visits.problems if "ERR_ABORTED" not in told] == []


def test_keys_do_nothing_in_a_field(visitor: Callable[..., Any]) -> None:
    page = visitor().open("layers/relu/")
    page.keyboard.press("/")
    page.keyboard.type("?md")
    assert page.locator(".md-search__input").input_value() == "?md"
    assert not page.locator("dialog.book-dialog").is_visible()
    assert page.url.endswith("/layers/relu/")


def test_keys_can_be_switched_off_and_stay_so(visitor: Callable[..., Any]) -> None:
    page = visitor().open("layers/relu/")
    listed = page.get_by_role("button", name="Keyboard shortcuts")
    dialog = page.locator("dialog.book-dialog")
    listed.click()
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").click()
    for key in "?dnps":
        page.keyboard.press(key)
    page.reload()
    page.keyboard.press("?")
    assert not dialog.is_visible()
    assert page.url.endswith("/layers/relu/")
    assert page.evaluate(THEME) == "default"
    assert not page.locator(".md-search__input").evaluate("(e) => e === document.activeElement")
    listed.click()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    assert dialog.is_visible()


def test_map_knows_what_has_been_read(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("foundations/reading/")
    line = page.locator(".book-read")
    assert line.inner_text().startswith("You have read 0 of ")
    assert page.locator(".book-tick").count() == 0
    page = visits.open("layers/relu/")
    assert page.locator(".md-nav--primary .book-tick").count() == 0
    page.locator("article > :last-child").scroll_into_view_if_needed()
    tick = page.locator(".md-nav--primary a", has_text="ReLU").locator(".book-tick").first
    tick.wait_for(state="attached")
    assert tick.get_attribute("aria-label") == "read"
    page = visits.open("foundations/reading/")
    assert line.inner_text().startswith("You have read 1 of ")
    page.get_by_role("button", name="Forget this").click()
    assert line.inner_text().startswith("You have read 0 of ")
    assert visits.problems == []


def test_drawn_map_leads_to_the_chapters(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("layers/relu/")
    page.locator("article > :last-child").scroll_into_view_if_needed()
    page.locator(".book-tick").first.wait_for(state="attached")
    page = visits.open("foundations/reading/")
    page.locator(".book-map > a").first.wait_for()
    listed = page.locator("#the-chapters-in-order ~ ul li > strong + a")
    drawn = page.locator(".book-map > a")
    addresses = "(all) => all.map((link) => link.href)"
    assert set(drawn.evaluate_all(addresses)) <= set(listed.evaluate_all(addresses))
    assert drawn.count() > 15
    read = page.locator(".book-map > a", has=page.locator(".book-tick"))
    assert read.evaluate_all(addresses) == [visits.address + "layers/relu/"]
    # They lie in the order of the titles, within the picture, and out of the keyboard's way.
    picture = page.locator("#chapters img.book-light").bounding_box()
    boxes = [link.bounding_box() for link in drawn.all()]
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    assert all(picture["y"] <= box["y"] <= picture["y"] + picture["height"] for box in boxes)
    assert drawn.evaluate_all("(all) => all.every((link) => link.tabIndex === -1)")
    read.click()
    page.wait_for_url("**/layers/relu/")
    assert [told for told in visits.problems if "ERR_ABORTED" not in told] == []


@pytest.mark.parametrize("kept", ["{", '"relu"', "7", "null"])
def test_map_bears_what_others_have_stored(kept: str, visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("foundations/reading/")
    page.evaluate("(kept) => localStorage.setItem('/some/book/book.read', kept)", kept)
    page.reload()
    assert page.locator(".book-read").inner_text().startswith("You have read 0 of ")
    assert visits.problems == []


@pytest.mark.parametrize(
    ("address", "is_other"), [("networks/optimizers/", False), ("layers/softmax/", True)]
)
def test_a_figure_is_shown_where_it_is_referred_to(
    address: str, is_other: bool, visitor: Callable[..., Any]
) -> None:
    visits = visitor()
    page = visits.open(address)
    links = page.locator(FIGURE)
    others = links.evaluate_all("(all) => all.map((a) => a.pathname !== location.pathname)")
    link = links.nth(others.index(is_other))
    link.scroll_into_view_if_needed()  # what is above it is laid out now, and moves it no more
    link.hover()
    note = page.locator(f"{NOTE}.book-preview")
    note.wait_for()
    number = " ".join(link.inner_text().split()[:2])
    assert note.inner_text().strip().startswith(f"{number}.")
    page.wait_for_function("document.querySelector('.book-preview img').naturalWidth > 0")
    page.keyboard.press("Escape")
    assert not note.is_visible()
    assert visits.problems == []


def test_a_source_is_shown_where_it_is_cited(visitor: Callable[..., Any]) -> None:
    visits = visitor(width=390, touch=True)
    page = visits.open("layers/batch_norm/")
    page.locator("article a[href*='#ioffe2015']").first.tap()
    note = page.locator(NOTE)
    note.wait_for()
    assert note.inner_text().startswith("Ioffe and Szegedy (2015), ")
    assert "Cited in" not in note.inner_text()
    assert "batch_norm" in page.url  # the first tap shows, the second leads there
    assert visits.problems == []


def test_nothing_is_folded_on_paper(visitor: Callable[..., Any]) -> None:
    page = visitor().open("layers/relu/")
    folded = page.locator("article details:not([open])")
    before = folded.count()
    assert before > 3
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded.count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert folded.count() == before


@pytest.mark.parametrize("javascript", [True, False])
def test_but_the_imports(javascript: bool, visitor: Callable[..., Any]) -> None:
    page = visitor(javascript=javascript).open("layers/batch_norm/")
    page.emulate_media(media="print")
    if javascript:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    code = page.locator("article details.code").all()
    imports = [node for node in code if "imports" in (node.get_attribute("class") or "")]
    assert len(imports) == 1
    for node in code:
        for part in ("summary", "pre"):
            assert node.locator(part).is_visible() == (node not in imports)


def test_all_code_is_shown_and_hidden(visitor: Callable[..., Any]) -> None:
    page = visitor().open("layers/batch_norm/")
    code = page.locator("article details.code")
    page.get_by_role("button", name="Show all code").click()
    assert code.count() == page.locator("article details.code[open]").count() > 2
    code.first.locator("summary").click()
    page.get_by_role("button", name="Show all code").click()
    page.get_by_role("button", name="Hide all code").click()
    assert page.locator("article details.code[open]").count() == 0
    page = visitor().open("reference/")
    assert page.locator(".book-fold").count() == 0
    page = visitor(javascript=False).open("layers/batch_norm/")
    assert not page.locator(".book-fold").is_visible()


def test_formulas_are_copied_as_tex(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    visits.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visits.open("layers/softmax/")
    read = "navigator.clipboard.readText()"
    formula = page.locator("article div.math").first
    formula.hover()
    page.get_by_role("button", name="Copy as TeX").click()
    page.get_by_role("button", name="Copied").wait_for()
    first = page.evaluate(read)
    assert "\\frac" in first
    last = page.locator("article > div.math").last
    last.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
    page.keyboard.press("t")
    page.wait_for_function(f"(first) => {read}.then((text) => text !== first)", arg=first)
    assert "=" in page.evaluate(read)
    assert visits.problems == []


SELECT = """([first, last]) => {
    const range = document.createRange();
    range.setStart(first, 0);
    range.setEnd(last, last.childNodes.length);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""


def test_what_is_selected_is_copied_with_its_tex(visitor: Callable[..., Any]) -> None:
    """A paragraph with a formula, a displayed one alone, and text without any."""
    visits = visitor()
    visits.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visits.open("layers/softmax/")

    def copied(first: Any, last: Any) -> str:
        with page.expect_response("**/formulas.json") if not asked else nullcontext():
            page.evaluate(SELECT, [first.element_handle(), last.element_handle()])
        asked.append(True)
        page.wait_for_timeout(100)  # until the answer has been read
        page.keyboard.press("Control+c")
        return str(page.evaluate("navigator.clipboard.readText()"))

    asked: list[bool] = []
    paragraph = page.locator("article > p:has(span.math)").first
    inline = paragraph.locator("span.math").first
    sources = json.loads(file_of("layers/softmax/").with_name("formulas.json").read_text())

    def tex(formula: Any) -> str:
        place = "(one) => [...document.querySelectorAll('article .math')].indexOf(one)"
        return str(sources[formula.evaluate(place)])

    text = copied(paragraph, paragraph)
    assert f"${tex(inline)}$" in text
    assert text.endswith(paragraph.inner_text()[-20:])
    assert text.count(".") >= paragraph.inner_text().count(".") >= 2
    number = inline.locator("mn, mi").first
    assert copied(number, number) == tex(inline)  # no part of it
    displayed = page.locator("article div.math").first
    assert copied(displayed, displayed) == tex(displayed)
    heading = page.locator("article h2").first
    assert copied(heading, heading).strip("¶\n") == heading.inner_text().strip("¶\n")
    assert visits.problems == []


@pytest.mark.parametrize("address", chapters())
def test_each_formula_has_its_tex(address: str) -> None:
    count = len(page_of(address).article.select(".math"))
    place = file_of(address).with_name("formulas.json")
    assert (len(json.loads(place.read_text())) if place.is_file() else 0) == count


# A browser loads nothing while it prints.
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["layers/relu/", "layers/convolution/"])  # lines; pixels too
def test_all_pictures_are_on_paper(address: str, scheme: str, visitor: Callable[..., Any]) -> None:
    visits = visitor(scheme=scheme)
    page = visits.open(address)
    pictures = page.locator("article img.book-light")
    there = "(all) => all.filter((image) => image.naturalWidth > 0).length"
    assert pictures.evaluate_all(there) < pictures.count()
    at_once = drawn(page.pdf())
    assert page.locator(".book-brought").count() == 0
    page.evaluate(LOAD)
    assert pictures.evaluate_all(there) == pictures.count()
    assert at_once == pytest.approx(drawn(page.pdf()), rel=0.003)
    assert visits.problems == []


def drawn(pdf: bytes) -> list[int]:
    """The bytes that draw a PDF's pages, and how many pictures of pixels are on them."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    lines = sum(len(page.get_contents().get_data()) for page in pages)
    return [lines, sum(len(page.images) for page in pages)]
