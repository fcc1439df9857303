"""What `pytest --touched` selects, on a small project of its own; and that ours is all reached."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from touched import Project, Selection, parts_of, select

ROOT = Path(__file__).resolve().parents[1]
FILES = {
    "pyproject.toml": """
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
addopts = "-p no:cacheprovider --cov=package --cov-context=test --cov-report="
""",
    "package/__init__.py": "from .numbers import Box, capped, double, half, made\n",
    "package/numbers.py": '''"""Numbers."""
from math import floor
LIMIT = 3
SCALE = 2

def made(n):
    return n + 1

MADE = made(1)

def double(x):
    """Twice."""
    # a comment
    return SCALE * x

def half(
    x,
    by=2,
):
    return floor(x / by)

def capped(x):
    return min(x, LIMIT)

class Box:
    size = 1
    def grown(self):
        return self.size + 1
''',
    "package/unused.py": "def alone():\n    return 1\n",
    "tests/conftest.py": f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from touched import Touched

def pytest_addoption(parser):
    parser.addoption("--touched", action="store_true")

def pytest_configure(config):
    config.pluginmanager.register(Touched(config))
""",
    "tests/shared.py": "def same(a, b):\n    return a == b\n",
    "tests/data/known.txt": "4",
    "tests/test_double.py": """
import package
from shared import same

def test_double():
    assert same(package.double(2), 4)

def test_again():
    assert package.double(1) == 2
""",
    "tests/test_rest.py": """
import pytest
import package

@pytest.fixture(scope="module")
def halved():
    return package.half(5)

def test_first(halved):
    assert halved == 2

def test_second(halved):
    assert halved < 3

def test_capped():
    assert package.capped(9) == 3

def test_box():
    assert package.Box().grown() == 2
""",
    "tests/test_process.py": """
import subprocess, sys
from pathlib import Path

CODE = "import package; print(package.double(2))"
KNOWN = Path(__file__).parent / "data" / "known.txt"

def test_process():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.stdout.strip() == KNOWN.read_text()
""",
}
DOUBLE = {"tests/test_double.py::test_double", "tests/test_double.py::test_again"}
PROCESS = {"tests/test_process.py"}
OTHERS = {"tests/test_double.py", "tests/test_rest.py", *PROCESS}
NUMBERS = "package/numbers.py"


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the small project's tests."""
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=root, env=environment | {"PYTHONPATH": str(root)}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The small project after a run of all its tests, and the record of it."""
    root = tmp_path_factory.mktemp("small")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    done = run(root)
    assert done.returncode == 0, done.stdout
    return root, (root / ".cache/tests.json").read_text()


@pytest.fixture
def chosen(recorded: tuple[Path, str]) -> Callable[..., Selection]:
    """Edit a file of the small project, select, and put it back."""
    root, record = recorded

    def edit(name: str, old: str, new: str | None = None) -> Selection:
        file, text = root / name, FILES[name]
        assert old in text
        if new is None:
            file.unlink()
        else:
            file.write_text(text.replace(old, new))
        try:
            return select(Project(root), json.loads(record))
        finally:
            file.write_text(text)

    return edit


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (NUMBERS, "# a comment", "# another\n    # comment"),
        (NUMBERS, '"""Twice."""', '"""Doubles.\n\n    At length.\n    """'),
        (NUMBERS, "    # a comment\n", ""),
        (NUMBERS, "def half", "def new(x):\n    return x\n\ndef half"),
        (NUMBERS, "size = 1", "size = 1\n    def unasked(self): return 2"),
        (NUMBERS, "LIMIT = 3", "from math import ceil, floor as down\nLIMIT = 3\nOTHER = 4"),
        ("package/unused.py", "return 1", "return 2"),
    ],
)
def test_these_edits_touch_nothing(
    chosen: Callable[..., Selection], name: str, old: str, new: str
) -> None:
    selection = chosen(name, old, new)
    assert selection.edited in ([name], [])
    assert (selection.ids, selection.files, selection.everything) == (set(), set(), False)


@pytest.mark.parametrize(
    ("name", "old", "new", "ids", "files"),
    [
        (NUMBERS, "return SCALE * x", "return SCALE + x", DOUBLE, PROCESS),
        (NUMBERS, "def double(x)", "def double(x, y=0)", DOUBLE, PROCESS),
        (NUMBERS, "SCALE = 2", "SCALE = 3", DOUBLE, PROCESS),
        (NUMBERS, "def double", "def triple", DOUBLE, PROCESS),
        (NUMBERS, "min(x, LIMIT)", "max(x, LIMIT)", {"tests/test_rest.py::test_capped"}, PROCESS),
        (NUMBERS, "LIMIT = 3", "LIMIT = 4", {"tests/test_rest.py::test_capped"}, PROCESS),
        (NUMBERS, "from math import floor", "from math import ceil as floor",
         {f"tests/test_rest.py::{test}" for test in ("test_first", "test_second", "test_capped",
                                                     "test_box")}, PROCESS),
        (NUMBERS, "floor(x / by)", "x / 2",
         {f"tests/test_rest.py::{test}" for test in ("test_first", "test_second", "test_capped",
                                                     "test_box")}, PROCESS),
        (NUMBERS, "return self.size + 1", "return 3", {"tests/test_rest.py::test_box"}, PROCESS),
        (NUMBERS, "size = 1", "size = 2", set(), OTHERS),  # the package names the class
        (NUMBERS, "return n + 1", "return n + 2", set(), OTHERS),  # it ran at the import
        (NUMBERS, "MADE =", "print(1)\nMADE =", set(), OTHERS),  # a statement acts at once
        (NUMBERS, "LIMIT = 3", "LIMIT = 3\ndef min(a, b): return a",  # no longer Python's
         {"tests/test_rest.py::test_capped"}, PROCESS),
        (NUMBERS, "size = 1", "size = 1\n    def __bool__(self): return False", set(), OTHERS),
        ("package/__init__.py", "half, made", "made", set(), OTHERS),
        ("tests/shared.py", "a == b", "a is b", set(), {"tests/test_double.py"}),
        ("tests/test_double.py", "double(1)", "double(4)", set(), {"tests/test_double.py"}),
        ("tests/data/known.txt", "4", "5", set(), PROCESS),
        ("tests/conftest.py", "import sys", "import os, sys", set(), OTHERS),
    ],
)  # fmt: skip
def test_these_touch(
    chosen: Callable[..., Selection],
    name: str,
    old: str,
    new: str,
    ids: set[str],
    files: set[str],
) -> None:
    selection = chosen(name, old, new)
    assert (selection.ids, selection.files) == (ids, files)
    assert not selection.everything


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("pyproject.toml", "testpaths", "# testpaths"), ("package/unused.py", "", None)],
)
def test_these_touch_everything(
    chosen: Callable[..., Selection], name: str, old: str, new: str | None
) -> None:
    assert chosen(name, old, new).everything


def test_what_is_selected_runs_and_fails_until_all_run_again(recorded: tuple[Path, str]) -> None:
    root, record = recorded
    numbers, text = root / NUMBERS, FILES[NUMBERS]
    try:
        numbers.write_text(text.replace("# a comment", "# another"))
        done = run(root, "--touched")
        assert done.returncode == 0, done.stdout
        assert "no tests ran" in done.stdout
        numbers.write_text(text.replace("SCALE * x", "SCALE - x"))
        for arguments in ([], ["-n", "2"]):
            done = run(root, "--touched", *arguments)
            assert done.returncode == 1, done.stdout
            assert "3 failed" in done.stdout
        assert (root / ".cache/tests.json").read_text() == record
        assert run(root).returncode == 1  # all run: and the record knows the failed ones
        done = run(root, "--touched")
        assert done.returncode == 1
        assert "3 failed" in done.stdout
        assert "passed" not in done.stdout
        numbers.write_text(text)
        done = run(root, "--touched")
        assert done.returncode == 0, done.stdout
        assert "3 passed" in done.stdout
    finally:
        numbers.write_text(text)
        (root / ".cache/tests.json").write_text(record)


def test_a_new_test_runs(recorded: tuple[Path, str]) -> None:
    root, _ = recorded
    new = root / "tests/test_new.py"
    new.write_text("def test_new():\n    assert False\n")
    try:
        done = run(root, "--touched")
    finally:
        new.unlink()
    assert done.returncode == 1
    assert "1 failed" in done.stdout


def test_a_run_of_some_leaves_the_record(recorded: tuple[Path, str]) -> None:
    root, record = recorded
    for arguments in (["-k", "box"], ["tests/test_double.py"], ["--no-cov"]):
        run(root, *arguments)
        assert (root / ".cache/tests.json").read_text() == record


def test_without_a_record_all_run_but_those_of_the_site(recorded: tuple[Path, str]) -> None:
    root, record = recorded
    file = root / ".cache/tests.json"
    site = root / "tests/browser/test_site.py"
    site.parent.mkdir()
    site.write_text("raise RuntimeError\n")
    file.unlink()
    try:
        done = run(root, "--touched")
        assert done.returncode == 0, done.stdout
        assert "7 passed" in done.stdout
        assert file.is_file()
    finally:
        site.unlink()
        site.parent.rmdir()
        file.write_text(record)


def test_comments_and_docstrings_are_in_no_part() -> None:
    plain = parts_of("x = 1\n\ndef f(a):\n    return a\n")
    told = parts_of('"""M."""\nx = 1  # one\n\ndef f(a):\n    """F."""\n    # it\n    return a\n')
    # A docstring leaves its place: Pass stands in all others too.
    assert plain["x"].sha == told["x"].sha
    assert {part.sha for part in plain.values()} == {p.sha for n, p in told.items() if n != "*"}


@pytest.fixture(scope="module")
def project() -> Project:
    """Our own."""
    return Project(ROOT)


def test_every_module_of_ours_is_reached_by_a_test(project: Project) -> None:
    tests = [n for n in project.parts if re.search(r"/test_(?!touched)\w+\.py$", n)]
    reached = set().union(*(project.reached(test) for test in tests))
    ours = {n for n in project.parts if n.startswith(("nn_tutorial/", "scripts/", "benchmarks/"))}
    # What only a reader starts. An edit there is named, and selects nothing.
    alone = {n for n in ours if n.startswith("benchmarks/") and n.endswith("/__main__.py")}
    assert {n.rpartition("/")[2] for n in ours - reached - alone} <= {"execute_pages.py"}


@pytest.mark.parametrize(
    ("test", "ending"),  # endings of paths: a whole path would lead from here to the file
    [
        ("test_gradients", "/layers/activations.py"),
        ("test_gradients", "/layers/checks.py"),
        ("test_theories", "/theories/relu.py"),
        ("test_exercises", "/exercises/worker.py"),
        ("test_exercises", "/catalogue/relu.py"),
        ("test_exercises", "/right_solutions/relu/loops.py"),
        ("test_train_iris", "/train_iris.py"),
        ("test_train_iris", "/training/optimizers.py"),
        ("test_pipeline", "/mkdocs_hooks.py"),
        ("test_pipeline", "/pages/plots.py"),
        ("test_figures", "/figure_fixtures/relu.py"),
        ("test_figures", "/arithmetic/relu.js"),
        ("test_pytorch_training", "/train_small.py"),
    ],
)
def test_tests_lead_to_what_they_test(test: str, ending: str, project: Project) -> None:
    (file,) = (name for name in project.parts if name.endswith(f"/{test}.py"))
    assert [name for name in project.reached(file) if name.endswith(ending)]
