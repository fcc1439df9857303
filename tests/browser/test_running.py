"""Pages that run: Python in the browser gives what the build gave, and grades as it does."""

import io
import json
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import asked
import pytest
from built import SITE, file_of
from built import page as page_of
from engines import NAMES, Engine
from mistakes import file_of as mistaken
from sitegen.output.in_page import NEEDED
from sitegen.render.running import FILE, RECORD
from sitegen.runtime.build import MANIFEST, PLACE

from nn_tutorial.exercises import EXERCISES, grade
from nn_tutorial.exercises.report import plain

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_BYTES = 9_500_000  # over the wire, from the press to the first cell
MOST_FIGURES = 6_000_000  # more, with the first figure
MOST_BAR = 5_000
PATIENCE = 600_000.0  # milliseconds for a whole chapter, on the slowest of machines
FILES = sorted(SITE.rglob(FILE)) if SITE.is_dir() else []
PAGES = [
    f"{path}/" if (path := file.parent.relative_to(SITE).as_posix()) != "." else ""
    for file in FILES
]
# What a cell may need that is not there: another library, or a cell that trains for long and is
# left out. Those are run too by `make in-page`, which says how long they take.
NEEDS = {"PyTorch", "SciPy", "data that is downloaded", "left out"}
# Cells whose text is another here, by a piece of their code: this NumPy does not warn of 0 / 0.
ELSEWHERE = {"exercises/softmax/": ["np.exp(x - x.max())"]}
ELSEWHERE["exercises/cross_entropy/"] = ["-np.log(p[rows, labels])"]
# Cells that draw numbers after a cell that is left out: the generator is elsewhere in its sequence.
ELSEWHERE["layers/convolution/"] = ["plain = draw_arrays(3, 4, (7, 5)"]
# A sum of bytes has 32 bits here, and sums are added in another order.
ELSEWHERE["foundations/einsum/"] = ["by_ein"]
ELSEWHERE["verify/einsum_rounding/"] = [
    "np.asfortranarray(terms)",
    'end["einsum"] >',
    'off["einsum"] >',
]
# What it counts was to come from a cell that needs PyTorch.
ELSEWHERE["networks/autograd/"] = ["len(made) == len(NAMES)"]
# Rounding in another order decides a race.
ELSEWHERE["layers/pooling/"] = ["sum(found[0] for found in seen.values()) == 2"]
# Trainings at rates at which units die or the loss explodes, and slopes behind many layers.
ELSEWHERE["layers/relu/"] = ['name="relu-dead-units"']
ELSEWHERE["networks/cnn/"] = ['name="dead-units"']
ELSEWHERE["verify/gradient_checks/"] = ['name="depth"']
# Nor of an overflow: that part of a report is in a terminal alone.
WARNED = re.compile(r"\n\nPython warned:\n(?:  .*\n?)+")
CELLS = """bookPage.cells.map((cell) => ({ code: cell.about.code,
    place: cell.index, isLong: cell.isLong,
    yours: cell.isYours ?? null, otherwise: cell.isOtherwise ?? false,
    expects: cell.about.tags.includes("raises-exception"),
    error: cell.done?.error ?? null, missing: cell.done?.missing ?? null, shown: Boolean(cell.code),
    hidden: cell.about.tags.some((tag) => ["remove-input", "remove-cell"].includes(tag)),
    got: cell.outputs ?? [], built: cell.about.outputs }))"""
PASTE = """(text) => {
    let node = document.activeElement;
    while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const how = { clipboardData, bubbles: true, cancelable: true };
    node.dispatchEvent(new ClipboardEvent("paste", how));
}"""
CHECK = """async ([name, source]) => {
    const scripts = document.querySelector("script[src*='running.js']").src;
    const { check } = await import(new URL("running/python.js", scripts));
    return check(name, source);
}"""

# Where it is required, a site without them is an error: see test_a_policy_is_kept.
pytestmark = pytest.mark.skipif(
    not FILES and not os.environ.get(NEEDED), reason="this copy of the site has no running pages"
)


def running(visits: Any, address: str) -> "Page":
    """A page on which Python has been started."""
    page = visits.open(address)
    page.set_default_timeout(PATIENCE)
    page.get_by_role("button", name="Run this page").click()
    page.get_by_role("button", name="Run all", exact=True).wait_for()
    return page


def cell(page: "Page", text: str) -> int:
    """The number of the first cell with a text in its code."""
    found = page.evaluate("(t) => bookPage.cells.findIndex(({ text }) => text.includes(t))", text)
    assert found >= 0
    return int(found)


def paste(page: "Page", text: str) -> None:
    """Replace all that an editor holds, as a learner does who brings code along."""
    page.keyboard.press("Control+a")
    page.evaluate(PASTE, text)


def write(page: "Page", place: int, text: str) -> None:
    """Write something else into a cell."""
    page.evaluate("(i) => bookPage.cells[i].edit(true)", place)
    paste(page, text)


def ran(page: "Page", place: int) -> dict[str, Any]:
    """Run a cell, and what it needs above; what was found."""
    page.evaluate("(i) => bookPage.run(bookPage.cells[i])", place)
    found: dict[str, Any] = page.evaluate(CELLS)[place]
    return found


@pytest.mark.parametrize("address", PAGES)
def test_a_page_runs_to_what_the_build_gave(address: str, visitor: Callable[..., Any]) -> None:
    name = address.strip("/") or "index"
    assert name in json.loads(RECORD.read_text(encoding="utf-8"))["pages"], "run `make in-page`"
    visits = visitor()
    page = running(visits, address)
    page.evaluate("bookPage.runAll((cell) => !cell.isLong)")
    problems = []
    elsewhere = ELSEWHERE.get(address, [])
    for found in page.evaluate(CELLS):
        place = found["place"]
        if not found["shown"] and not found["hidden"]:
            problems.append(f"{place}: its code is not found on the page")
        if found["error"] is None:
            if found["isLong"]:
                continue
            problems.append(f"{place}: did not run")
        elif found["otherwise"] and any(piece in found["code"] for piece in elsewhere):
            continue
        elif found["error"] and not found["expects"]:
            problems.append(f"{place}: {found['error']}")
        elif found["missing"] and found["missing"] not in NEEDS:
            problems.append(f"{place}: needs {found['missing']}")
        elif found["yours"] and not any(piece in found["code"] for piece in elsewhere):
            problems.append(f"{place}: got {found['got']}, the build had {found['built']}")
    assert problems == []
    assert visits.problems == []


def test_a_changed_cell_shows_what_is_yours(visitor: Callable[..., Any]) -> None:
    visits = visitor(width=390)
    page = running(visits, "foundations/chain_rule/")
    first = cell(page, "print(")
    assert ran(page, first)["yours"] is False
    text = page.evaluate("(i) => bookPage.cells[i].text", first)
    write(page, first, f"{text}\nprint('mine')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])")
    page.keyboard.press("Shift+Enter")
    page.locator("figure.book-yours img").first.wait_for(state="attached")
    output = page.locator("section.book-yours", has_text="mine")
    output.wait_for()
    colours = page.locator("figure.book-yours img").evaluate_all(
        "(all) => all.map(({ src }) => decodeURIComponent(src).includes('#6cb8f0'))"
    )
    assert colours == [False, True]  # the dark twin of the first colour is in the second alone
    page.evaluate("probes.unfold()")
    for width, scheme in ((1280, "dark"), (390, "light")):
        asked.set_mode(page, width, scheme)
        assert asked.looks(page) == []
    back = page.get_by_role("button", name="The book’s output").first
    back.click()
    assert not output.is_visible()
    back.click()
    assert output.is_visible()

    page.wait_for_timeout(500)  # what is typed is kept when the typing rests
    visits.open("foundations/chain_rule/")
    assert "You have changed code here" in page.locator(".book-run").inner_text()
    page = running(visits, "foundations/chain_rule/")
    assert "'mine'" in page.evaluate("(i) => bookPage.cells[i].text", first)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download .ipynb").click()
    book = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert any("print('mine')" in "".join(cell["source"]) for cell in book["cells"])
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download .py").click()
    compile(saved.value.path().read_text(encoding="utf-8"), "page.py", "exec")
    page.get_by_role("button", name="Reset all").click()
    assert page.evaluate("(i) => bookPage.cells[i].text", first) == text
    assert visits.problems == []


def shown(page: "Page", place: int) -> str:
    """What stands below a cell as the reader's own, and what is noted beside it."""
    told = (
        "({ mine, note }) => [...mine.map((node) => node.textContent), note.textContent].join(' ')"
    )
    return str(page.evaluate(f"(i) => ({told})(bookPage.cells[i])", place))


def test_other_numbers_are_never_called_the_books(visitor: Callable[..., Any]) -> None:
    page = running(visitor(), "layers/relu/")
    place = cell(page, "print(")
    ran(page, place)
    assert "as in the book" in shown(page, place)  # to rounding
    text = page.evaluate("(i) => bookPage.cells[i].text", place)
    write(page, place, f"{text}\nmine = 1")
    ran(page, place)
    assert "as in the book" not in shown(page, place)  # the same numbers, but the reader's

    # After a reset nothing is left of what the changed code has made.
    for number, code in enumerate(("a = 1", "b = a + 1", "print(b)")):
        page.evaluate("([i, text]) => bookPage.cells[i].changed(text)", [number, code])
    as_written = "[0, 1, 2].map((i) => bookPage.cells[i]).map((c) => (c.about.code = c.text))"
    page.evaluate(as_written)
    ran(page, 2)
    write(page, 0, "a = 10")
    ran(page, 0)
    ran(page, 1)
    page.get_by_role("button", name="Reset all").click()
    ran(page, 2)
    assert "2" in str(page.evaluate("bookPage.cells[2].outputs"))


def test_what_is_pressed_at_the_wrong_time_does_no_harm(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("layers/relu/")
    page.set_default_timeout(PATIENCE)
    for press in ("Run this page", "Cancel"):
        page.get_by_role("button", name=press).click()
    page.locator(".book-run").get_by_text("Not started.").wait_for()
    page.get_by_role("button", name="Run this page").click()
    page.get_by_role("button", name="Run all", exact=True).wait_for()
    for place in range(5):
        page.evaluate(
            "([i, t]) => bookPage.cells[i].changed(t)",
            [place, f"import time\nn = {place}\ntime.sleep(0.15)"],
        )
    # Twice: the second press changes nothing. Stop: no cell begins any more.
    twice = page.evaluate(
        "Promise.all([bookPage.runAll((c) => c.index < 5), bookPage.runAll((c) => c.index < 5)])"
    )
    assert len(twice) == 2
    assert all(found["error"] == "" for found in page.evaluate(CELLS)[:5])
    page.evaluate("void bookPage.runAll((cell) => cell.index < 5)")
    page.wait_for_function("() => bookPage.cells[1].hasRun")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function("() => !bookPage.isRunning")
    assert page.evaluate("bookPage.cells[4].hasRun") is False
    # A cell that was broken off has not run; one that cannot be read can be left out.
    write(page, 0, "while True: pass")
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function("() => !bookPage.isRunning")
    assert page.evaluate("bookPage.cells[0].hasRun") is False
    write(page, 0, "x = (")
    page.evaluate("bookPage.cells[0].leaveOut()")
    assert "Left out" in shown(page, 0)
    write(page, 1, "import io, sys\nsys.stdout = io.StringIO()")
    page.evaluate("bookPage.cells[1].run()")
    for code, told in (
        ("print('heard')", "heard"),
        ("list(range(200_000))", "characters more"),
        ("dict", "class 'dict'"),
    ):
        write(page, 2, code)
        page.evaluate("bookPage.cells[2].run()")
        assert told in shown(page, 2)
        assert len(shown(page, 2)) < 60_000


def test_what_is_pressed_is_answered_where_it_is_pressed(visitor: Callable[..., Any]) -> None:
    page = running(visitor(), "layers/relu/")
    codes = "import time\ntime.sleep(0.5)\na = 1", "b = 2", "print('sum', a + b)"
    for place, code in enumerate(codes):
        page.evaluate("([i, t]) => bookPage.cells[i].write(t)", [place, code])
    page.evaluate("bookPage.cells[0].runButton.click()")
    assert page.evaluate("bookPage.cells[0].runButton.textContent") == "Stop"
    page.evaluate("bookPage.cells[2].runButton.click()")
    assert "Waiting for what runs." in shown(page, 2)
    page.wait_for_function("() => !bookPage.isRunning && bookPage.cells[2].hasRun")
    assert "sum 3" in shown(page, 2)
    write(page, 1, "b = 5")
    ran(page, 1)
    assert "Ran before the code above changed." in shown(page, 2)
    assert "without output" in shown(page, 1)
    page.get_by_role("button", name="Reset all").click()
    assert page.evaluate("bookPage.cells.some((cell) => cell.isEdited)") is False
    page.get_by_role("button", name="Undo reset").click()
    assert page.evaluate("bookPage.cells[1].text") == "b = 5"
    page.evaluate("bookPage.runAll((cell) => cell.index < 3)")
    assert "3 of" in page.evaluate("bookPage.summary.textContent")
    assert "sum 6" in shown(page, 2)
    notebook = json.loads(page.evaluate("bookPage.notebook()"))
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert {codes[0], "b = 5", codes[2]} <= set(code)
    assert any(cell["cell_type"] == "markdown" for cell in notebook["cells"])
    page.evaluate("bookPage.cells[1].resetButton.focus()")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaLabel") == "Run code 2"


def test_each_chapter_keeps_its_own(visitor: Callable[..., Any], home: str) -> None:
    """Also where the reader goes on at once, and what runs is ended."""
    visits = visitor(address=home)
    page = running(visits, "layers/relu/")
    write(page, 2, "# mine\nwhile True: pass")
    page.evaluate("void bookPage.cells[2].run().catch(() => 0); bookPage.isRunning = true")
    page.locator("a.md-footer__link--next").click()
    page.wait_for_function("() => !document.title.startsWith('ReLU')")
    page.wait_for_timeout(1000)
    kept = page.evaluate("Object.entries(localStorage).filter(([key]) => key.includes('cells'))")
    assert [key.rpartition("book.cells.")[2].endswith("/layers/relu/") for key, _ in kept] == [True]
    assert "# mine" in kept[0][1]


def test_without_a_network_a_press_says_so(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("layers/relu/")
    visits.context.set_offline(True)
    page.get_by_role("button", name="Run this page").click()
    page.get_by_text("Reload the page to try again").wait_for()
    assert page.get_by_role("button", name="Run this page").is_enabled()


def test_values_in_the_prose_follow(visitor: Callable[..., Any]) -> None:
    page = running(visitor(), "")
    text = page.evaluate("bookPage.cells[0].text")
    page.evaluate("(text) => bookPage.cells[0].changed(text)", f"{text}\nright = 3")
    page.evaluate("bookPage.run(bookPage.cells[1])")
    assert page.locator("mark.book-value").all_inner_texts() == ["3"]


def test_errors_loops_prints_and_memory(visitor: Callable[..., Any]) -> None:
    page = running(visitor(), "layers/relu/")
    place = cell(page, "import")

    def tried(code: str) -> str:
        write(page, place, code)
        ran(page, place)
        return str(
            page.evaluate("(i) => bookPage.cells[i].mine.map((n) => n.innerText).join(' ')", place)
        )

    told = tried("def f(x):\n    return x + undefined_name\n\nkept = 7\nf(1)")
    assert "Line 2: return x + undefined_name" in told
    assert "NameError: name 'undefined_name' is not defined" in told
    assert "/lib/" not in told
    assert "Line 1: x = (" in tried("x = (")
    assert "are for notebooks" in tried("%timeit 1")
    assert "input() does not work" in tried("input('name? ')")
    assert "Return the number of items" in tried("help(len)")
    told = tried("for i in range(200_000): print(i)")
    assert "characters more" in told
    assert len(told) < 60_000
    assert "MemoryError" in tried("import numpy as np\n[np.empty(2**28 - 1) for _ in range(3)]")

    def stopped(code: str) -> None:
        write(page, place, code)
        page.keyboard.press("Shift+Enter")
        page.locator("section.book-yours", has_text="begun").wait_for()
        page.get_by_role("button", name="Stop", exact=True).click()
        page.wait_for_function("() => !bookPage.isRunning")

    stopped("print('begun', flush=True)\nwhile True: pass")
    assert "7" in tried("kept")  # the names are still there
    # What does not listen is ended; Python starts anew.
    stopped("print('begun', flush=True)\nsum(range(10**12))")
    assert "NameError" in tried("kept")
    assert "2" in tried("1 + 1")


def test_nothing_is_loaded_that_nobody_asked_for(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    visits.weigh()
    visits.open("layers/relu/")
    ours = {url: size for url, size in visits.loaded.items() if "running" in url or PLACE in url}
    assert [url.rpartition("/")[2] for url in ours] == ["running.js"]
    assert (SITE / "assets/javascripts/running.js").stat().st_size <= MOST_BAR
    visits.loaded.clear()
    page = running(visits, "layers/relu/")
    ran(page, 2)
    figures = [url for url in visits.loaded if "matplotlib" in url]
    first = sum(size for url, size in visits.loaded.items() if PLACE in url or "/running/" in url)
    with_figures = sum(visits.loaded[url] for url in figures)
    assert len(figures) == 1
    assert first - with_figures <= MOST_BYTES
    assert with_figures <= MOST_FIGURES
    visits.loaded.clear()
    running(visits, "layers/softmax/")
    small = (MANIFEST, "/pyodide.js")  # kept as any script is
    again = [url for url in visits.loaded if PLACE in url and not url.endswith(small)]
    assert again == []  # the browser has kept them
    assert visits.problems == []


MISTAKES = [(e, f, m) for e in EXERCISES.values() for f in e.functions for m in f.misconceptions]


@pytest.fixture(scope="module")
def grader(browser: Any, elsewhere: str) -> Iterator[Callable[[str, str], dict[str, Any]]]:
    """The grader in a page."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{elsewhere}reference/")
    yield lambda name, source: page.evaluate(CHECK, [name, source])
    context.close()


@pytest.mark.xdist_group("grader in a page")
def test_all_solutions_pass(grader: Callable[[str, str], dict[str, Any]]) -> None:
    for name, exercise in EXERCISES.items():
        found = grader(name, exercise.solution)
        assert found["right"] == found["tests"] > 0, (name, found["lines"])
        assert grader(name, exercise.stub)["right"] == 0


@pytest.mark.xdist_group("grader in a page")
def test_a_submission_leaves_nothing_behind(
    grader: Callable[[str, str], dict[str, Any]],
) -> None:
    """What it puts into NumPy or Python is gone when it is judged, and for the next one."""
    wrong = "def relu(x):\n    return x\n\ndef relu_backward(dy, x):\n    return dy\n"
    patched = (
        "import builtins\nimport numpy as np\n"
        "np.maximum = lambda a, b: a\nnp.allclose = np.array_equal = lambda *a, **k: True\n"
        f"builtins.any = lambda x: False\nnp.mine = 1\n{wrong}"
    )
    plain = grader("relu", wrong)["right"]
    assert grader("relu", patched)["right"] == plain
    solution = EXERCISES["relu"].solution
    found = grader("relu", solution)
    assert found["right"] == found["tests"]
    assert grader("relu", f"import numpy as np\nassert not hasattr(np, 'mine')\n{solution}")[
        "right"
    ]


@pytest.mark.xdist_group("grader in a page")
def test_all_mistakes_are_told_as_in_a_terminal(
    grader: Callable[[str, str], dict[str, Any]], elsewhere: str, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SITE_URL", elsewhere)
    for number, (exercise, function, mistake) in enumerate(MISTAKES):
        source = mistaken(exercise, function, mistake)
        found = grader(exercise.name, source)
        assert mistake.name in found["misconceptions"], (function.name, mistake.name)
        if number % 12 == 0:  # each costs a process
            path = tmp_path / f"{exercise.name}.py"
            path.write_text(source, encoding="utf-8")
            told = WARNED.sub("", plain(grade(exercise, path)))
            assert "\n".join(line for _, line in found["lines"]).strip() == told.strip()


def test_an_exercise_is_written_in_the_page(visitor: Callable[..., Any]) -> None:
    visits = visitor()
    page = visits.open("layers/relu/")
    page.get_by_role("button", name="Write it here: relu").click()
    editor = page.get_by_role("textbox", name="Your file relu.py")
    editor.wait_for()
    paste(page, "import numpy as np\n\n\ndef relu(x):\n    return np.maximum(x, 0)\n\n")
    page.keyboard.press("Control+End")
    # Each letter is the editor's alone: on the page, "n" would lead to the next chapter.
    page.keyboard.type("\ndef relu_backward(dy, x):\nreturn dy * (np.maximum(x, 0) >= 0")
    page.keyboard.press("Shift+Enter")
    report = page.locator(".book-told")
    report.wait_for(timeout=PATIENCE)
    assert "Known mistake: every gate is open" in report.inner_text()
    assert report.locator("table mark").first.inner_text().startswith("▸")
    link = report.locator("a").first.get_attribute("href")
    assert link == f"{visits.address}layers/relu/#four-ways-to-get-it-wrong"
    for shown in (1, 2, 3):
        page.get_by_role("button", name="Hint", exact=True).click()
        assert page.locator(".book-help p").count() == shown
    page.get_by_role("button", name="Solution", exact=True).click()
    assert page.locator(".book-help pre").count() == 0
    page.get_by_role("button", name="Show it").click()
    assert "def relu" in page.locator(".book-help pre").inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Hide it"
    kept = "JSON.parse(localStorage.getItem('/some/book/book.exercises')).relu.source"
    written = page.evaluate(kept)
    for press, told in (("Start over", "NotImplementedError"), ("Undo start over", written)):
        page.get_by_role("button", name=press).click()
        assert told in page.evaluate(kept)
    page.evaluate("probes.unfold()")
    for width, scheme in ((1280, "dark"), (390, "light")):
        asked.set_mode(page, width, scheme)
        assert asked.looks(page) == []
    page.evaluate("document.querySelector('.book-help').replaceChildren()")
    # Tab writes in the editor, and leaves it after Escape.
    editor.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"
    page = visits.open("exercises/")
    row = page.locator("article tbody tr", has_text="relu").first
    assert "6 of 13 tests pass" in row.inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download your files").click()
    with zipfile.ZipFile(saved.value.path()) as files:
        assert files.testzip() is None
        assert "maximum(x, 0) >= 0" in files.read("relu.py").decode()
        assert json.loads(files.read(".progress.json"))["relu"]["right"] == 6
    taken = page.get_by_label("Your files", exact=True)
    zipped = {"name": "mine.zip", "mimeType": "application/zip"}
    taken.set_input_files({**zipped, "buffer": saved.value.path().read_bytes()})
    page.get_by_text("Nothing to take in").wait_for()
    taken.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"none"})
    page.get_by_text("no file has the name of an exercise, such as relu.py: notes.txt").wait_for()
    taken.set_input_files({"name": "linear.py", "mimeType": "text/x-python", "buffer": b"pass"})
    page.get_by_text("Taken in: linear.").wait_for()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("mine/softmax.py", "# from a zip\n" * 50)
        files.writestr("mine/notes.txt", "no exercise")
        files.writestr("mine/relu.py", "# as well")
    # Where there is other code, it is kept unless the reader says so.
    answers = {"dismiss": "your code here was kept", "accept": "Taken in: softmax, relu."}
    for answer, told in answers.items():
        page.once("dialog", lambda dialog, answer=answer: getattr(dialog, answer)())
        taken.set_input_files({**zipped, "buffer": packed.getvalue()})
        page.get_by_text(told).wait_for()
    mine = page.evaluate("JSON.parse(localStorage.getItem('/some/book/book.exercises'))")
    assert mine["softmax"]["source"] == "# from a zip\n" * 50
    assert "changed since it was checked" in row.inner_text()
    taken.set_input_files({**zipped, "buffer": b"PK, but cut off"})
    page.get_by_text("Nothing was taken in: mine.zip is no zip.").wait_for()
    assert visits.problems == []


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("loss 0.123456", "loss 0.123457", True),  # the last digit
        ("loss 0.12", "loss 0.15", False),
        ("error 3e-16", "error 1e-17", True),  # rounding
        ("7 of 8", "6 of 8", False),
        ("12 dead units", "12 live units", False),
        ("[1, 2]", "[1, 2, 3]", False),
        ("1  -2", "1 -2", True),
        (r"$3 \cdot 10^{-16}$", r"$4 \cdot 10^{-17}$", True),
    ],
)
def test_what_is_the_same(one: str, other: str, is_same: bool, visitor: Callable[..., Any]) -> None:
    page = visitor().open("reference/")
    script = """async ([one, other]) => {
        const scripts = document.querySelector("script[src*='running.js']").src;
        return (await import(new URL("running/same.js", scripts))).same(one, other);
    }"""
    assert page.evaluate(script, [one, other]) is is_same


def test_the_built_site_from_a_disk_says_how_to_serve_it(browser: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto((SITE / "layers" / "relu" / "index.html").as_uri())
    page.get_by_text("serve the site: python -m http.server").wait_for(timeout=PATIENCE)
    context.close()


def test_a_policy_is_kept() -> None:
    assert FILES
    for file in FILES:
        address = file.parent.relative_to(SITE).as_posix().removeprefix(".")
        html = page_of(f"{address}/" if address else "").html
        assert "unsafe" not in html.partition("Content-Security-Policy")[2][:1500]
        assert len(re.findall('class="?book-run"?>', html)) == 1
        assert file_of(f"{address}/" if address else "").is_file()


@pytest.mark.parametrize("engine", NAMES[1:], indirect=True)
def test_other_engines_run_a_cell_and_check_an_exercise(engine: Engine, elsewhere: str) -> None:
    engine.set_width(1280)
    engine.open(elsewhere, "layers/relu/")
    engine.messages()  # of pages before, which others may have broken on purpose
    # Begun, and asked for again: a driver waits for no answer as long as a slow machine takes.
    engine.evaluate("""void (async () => {
        document.querySelector(".book-run button").click();
        while (!globalThis.bookPage?.stopButton) await new Promise((done) => setTimeout(done, 50));
        const page = globalThis.bookPage;
        await page.run(page.cells[2]);
        page.cells[2].edit(true);
        const scripts = document.querySelector("script[src*='running.js']").src;
        const python = await import(new URL("running/python.js", scripts));
        const found = await python.check("relu", "def relu(x):\\n    return x");
        const loop = python.run("while True: pass", [], () => 0);
        await new Promise((done) => setTimeout(done, 300));
        await python.stop();
        const told = await loop.catch(({ message }) => ({ error: message })); // a slow one is ended
        const { isYours, note } = page.cells[2];
        globalThis.told = [isYours, note.textContent, found.tests > 0, told.error];
    })().catch((error) => (globalThis.told = [String(error)]))""")
    for _ in range(1200):
        if told := engine.evaluate("globalThis.told ?? null"):
            break
        time.sleep(0.5)
    yours, note, is_graded, stopped = told
    assert (yours, is_graded, stopped) == (False, True, "Stopped.")
    assert note.endswith("as in the book")
    assert engine.messages() == []
