"""Which pages run again after a change: all that can see it, and hardly any other.

A small project with a page for each way of seeing something is executed once. Each change is then
made to a copy. Beside the verdict that stands in the table, the pages' code is run plainly before
and after: where it prints something else, the page must run again.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sitegen.run.execute import Project, execute_all, load, why_stale
from sitegen.run.page import find_pages, read_page

FILES = {
    "parts/__init__.py": '"""A package."""\n\nfrom .shapes import *\n',
    "parts/base.py": '''"""What others inherit."""


class Base:
    """The parent."""

    sides = 4

    def name(self):
        """Say a name."""
        return "base"

    def unused(self):
        return "never called"
''',
    "parts/shapes.py": '''"""Shapes."""

from functools import cache, wraps

from .base import Base

FACTOR = 2
UNUSED = 5
WORDS = {"one": [1, 2]}


def area(width, height=3):
    """Return the area."""
    # a comment
    return FACTOR * width * height


def unused(x):
    """Never called."""
    return x


def doubled(f):
    @wraps(f)
    def inner(*arguments):
        return 2 * f(*arguments)

    return inner


@doubled
def five():
    return 5


def shadowed():
    return "first"


def shadowed():
    return "second"


double = lambda x: 2 * x
triple = lambda x: 3 * x


def count(n):
    for k in range(n):
        yield k


def started(n):
    print("started")
    yield n


def nested(n):
    def inside(k):
        return n + k

    return [inside(k) for k in range(3)]


def seen(x):
    return x + 1.5


def described(x):
    return x + 2


class Square(Base):
    """A square."""

    corners = 4

    def __init__(self, side):
        self.side = side

    @property
    def area(self):
        return self.side**2

    @property
    def unused_property(self):
        return 0

    def __repr__(self):
        return f"Square({self.side})"


TOTAL = area(1, 1)
SQUARES = [k**2 for k in range(3)]
if FACTOR > 3:
    TOTAL += 1
''',
    "parts/tool.py": "def answer():\n    return 42\n",
    "parts/report.py": "from .tool import answer\n\nprint(answer())\n",
    "alone/worker.py": '''import importlib.util
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("beside", Path(__file__).with_name("beside.py"))
beside = importlib.util.module_from_spec(spec)
spec.loader.exec_module(beside)
print(beside.value(int(sys.argv[1])))
''',
    "alone/beside.py": "def value(x):\n    return x + 1\n\n\ndef other():\n    return 0\n",
    "scripts/train.py": "RATE = 0.1\n\n\ndef main():\n    return RATE\n\n\nprint(main())\n",
    "helper.py": "VALUE = 1\n",
    "numbers.txt": "one two",
    "unread.txt": "three",
    "folder/a.txt": "",
    "docs/imports.py": '''# %%
import parts
print(parts.area(2), parts.five(), parts.shadowed(), parts.double(4), list(parts.count(3)))
print(parts.nested(1), parts.Square(3), parts.Square(2).area, parts.Square(1).name())
print(parts.TOTAL, parts.SQUARES, parts.WORDS, hasattr(parts, "colour"))
_ = parts.started(1)
print(type(_).__name__)
''',
    "docs/code.py": '''# %%
import inspect
from parts.shapes import described, seen
print([c for c in seen.__code__.co_consts if type(c) is float], inspect.signature(described))
''',
    "docs/files.py": '''# %%
from pathlib import Path
import helper
print(helper.VALUE, Path("numbers.txt").read_text(), Path("new.txt").exists())
print(sorted(path.name for path in Path("folder").iterdir()))
try:
    import colorsys2
except ImportError:
    print("no colorsys2")
import colorsys
print(colorsys.rgb_to_hsv(0, 0, 1))
from importlib.util import find_spec
package = Path(find_spec("sklearn").origin).parent  # found, not imported
print(len((package / "datasets/data/iris.csv").read_text()))
''',
    "docs/source.py": '''# %%
import inspect
from parts.shapes import Square, area
print(inspect.getsource(area), inspect.getsource(Square.__repr__))
''',
    "docs/docstring.py": '''# %%
from parts.shapes import area
print(area.__doc__)
''',
    "docs/error.py": '''# %% tags=["raises-exception"]
from parts.shapes import area
area("a", "b")
''',
    "docs/process.py": '''# %%
import subprocess, sys
command = [sys.executable, "-m", "parts.report"]
print(subprocess.run(command, capture_output=True, text=True).stdout)
''',
    "docs/record.py": '''# %%
import sys
from pathlib import Path
sys.audit("nn_tutorial.reached_code", "train", str(Path.cwd()))  # as that module tells it
print("RATE = 0.1" in Path("scripts/train.py").read_text())
sys.audit("nn_tutorial.reached_code.end")
''',
    "docs/text.md": "# A text\n",
    "docs/reads_text.py": '''# %%
from pathlib import Path
print(len(Path("docs/text.md").read_text()))
''',
    "docs/isolated.py": '''# %%
import subprocess, sys
command = [sys.executable, "-I", "alone/worker.py", "1"]
print(subprocess.run(command, capture_output=True, text=True).stdout)
''',
}  # fmt: skip
PINS = "numpy==2.4.6\nipykernel==7.4.0\nruff==0.17.6\nscikit-learn==1.9.1\nmatplotlib==3.11.2\n"
# One of these sees docstrings, the other starts a process: no part of a file is unseen by them.
WHOLE = {"docstring", "process"}
IMPORTERS = {"imports", "code", "source", "error"} | WHOLE  # of parts.shapes
ALL = {Path(name).stem for name in FILES if name.startswith("docs/") and name.endswith(".py")}

PLAINLY = """
import os, runpy, sys
for path in sys.argv[1:]:
    sys.stdout.flush()
    if os.fork() == 0:
        try:
            runpy.run_path(path)
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    print(end="\\f")
"""


class Small:
    """The project, and what its pages print when they are run without a notebook."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def project(self) -> Project:
        return Project(self.root)

    def stale(self) -> dict[str, list[str]]:
        """Which pages run again, and why."""
        project = self.project()
        pages = [read_page(path, project.docs) for path in find_pages(project.docs)]
        return {page.name: why for page in pages if (why := why_stale(page, project))}

    def plainly(self, pages: Iterable[str]) -> dict[str, str]:
        """What pages print, or how they end, each in a process of its own."""
        paths = [str(self.root / "docs" / f"{page}.py") for page in pages]
        done = subprocess.run(
            [sys.executable, "-B", "-W", "error", "-c", PLAINLY, *paths],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root)},
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(zip(pages, done.stdout.split("\f"), strict=False))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    small = Small(tmp_path_factory.mktemp("small"))
    for name, text in FILES.items():
        small.write(name, text)
    small.write("requirements.txt", PINS)
    os.utime(small.root / "unread.txt", (0, 0))
    project = small.project()
    # In a thread of its own: where the same process drives a browser, this one's loop is taken.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(execute_all, project, find_pages(project.docs), log=lambda _: None).result()
    return small


@pytest.fixture(scope="module")
def before(small: Small) -> dict[str, str]:
    """What each page prints before any change."""
    return small.plainly(ALL)


@pytest.fixture
def changed(small: Small, tmp_path: Path) -> Small:
    shutil.copytree(small.root, tmp_path / "copy")
    return Small(tmp_path / "copy")


def in_shapes(old: str, new: str) -> Callable[[Small], None]:
    return lambda small: small.edit("parts/shapes.py", old, new)


def edit(name: str, old: str, new: str) -> Callable[[Small], None]:
    return lambda small: small.edit(name, old, new)


def add(name: str, text: str = "") -> Callable[[Small], None]:
    return lambda small: small.write(name, text)


def remove(name: str) -> Callable[[Small], None]:
    return lambda small: (small.root / name).unlink()


CHANGES: dict[str, tuple[Callable[[Small], None], set[str]]] = {
    # Functions
    "body that ran": (
        in_shapes("FACTOR * width * height", "FACTOR * width + height"),
        IMPORTERS,  # at the import, for TOTAL
    ),
    "body that did not run": (in_shapes("    return x\n", "    return -x\n"), WHOLE),
    "method that ran": (
        in_shapes("self.side**2", "self.side * 3"),
        {"imports"} | WHOLE,
    ),
    "method that did not run": (in_shapes("        return 0\n", "        return 1\n"), WHOLE),
    "inherited method that ran": (
        edit("parts/base.py", '"base"', '"another"'),
        {"imports"} | WHOLE,
    ),
    "inherited method that did not run": (
        edit("parts/base.py", '"never called"', '"never, really"'),
        WHOLE,
    ),
    "repr": (
        in_shapes('f"Square({self.side})"', 'f"S({self.side})"'),
        {"imports", "source"} | WHOLE,
    ),
    "nested function": (in_shapes("return n + k", "return n - k"), {"imports"} | WHOLE),
    "comprehension": (
        in_shapes("[inside(k) for k in range(3)]", "[inside(k) for k in range(2)]"),
        {"imports"} | WHOLE,
    ),
    "generator": (in_shapes("yield k\n", "yield -k\n"), {"imports"} | WHOLE),
    "generator that was made and not started": (
        in_shapes('print("started")', 'print("begun")'),
        WHOLE,
    ),
    "generator that is none any more": (
        in_shapes("    yield n\n", "    return n\n"),
        IMPORTERS,
    ),
    "lambda that ran": (in_shapes("lambda x: 2 * x", "lambda x: 4 * x"), {"imports"} | WHOLE),
    "lambda that did not run": (in_shapes("lambda x: 3 * x", "lambda x: 4 * x"), WHOLE),
    "function that a later one shadows": (
        in_shapes('return "first"', 'return "zeroth"'),
        WHOLE,
    ),
    "function that shadows an earlier one": (
        in_shapes('return "second"', 'return "third"'),
        {"imports"} | WHOLE,
    ),
    "inside of a decorator": (
        in_shapes("return 2 * f(", "return 3 * f("),
        IMPORTERS,  # `doubled` runs at the import
    ),
    "code that is looked at": (
        in_shapes("x + 1.5", "x + 2.5"),
        {"code"} | WHOLE,
    ),
    # What runs when a file is imported
    "default argument": (in_shapes("height=3", "height=4"), IMPORTERS),
    "decorator": (in_shapes("@doubled\n", ""), IMPORTERS),
    "annotation": (in_shapes("def unused(x):", "def unused(x: int):"), IMPORTERS),
    "constant of a module": (in_shapes("FACTOR = 2", "FACTOR = 3"), IMPORTERS),
    "attribute of a class": (in_shapes("corners = 4", "corners = 5"), IMPORTERS),
    "list of a module": (in_shapes("k**2 for k", "k**3 for k"), IMPORTERS),
    "condition of a module": (in_shapes("if FACTOR > 3", "if FACTOR > 1"), IMPORTERS),
    "method that overrides an inherited one": (
        in_shapes("    corners = 4\n", "    corners = 4\n    def name(self):\n        return 1\n"),
        IMPORTERS,
    ),
    "function removed": (
        in_shapes("def nested(n):", "def gone(n):"),
        IMPORTERS,
    ),
    "function added": (
        in_shapes("UNUSED = 5\n", "def colour():\n    return 1\n"),
        IMPORTERS,
    ),
    "new import": (
        edit("parts/base.py", "class Base", "import statistics\n\n\nclass Base"),
        IMPORTERS,
    ),
    "base class": (in_shapes("class Square(Base)", "class Square"), IMPORTERS),
    "syntax error": (in_shapes("    return x\n", "    return x x\n"), IMPORTERS),
    "error of the compiler": (
        in_shapes("    return x\n", "    nonlocal x\n"),
        IMPORTERS,
    ),
    "warning of the compiler": (
        in_shapes("    return x\n", '    return "\\d"\n'),
        IMPORTERS,
    ),
    # Words, which run nothing but what shows them
    "docstring of a function": (in_shapes("Return the area.", "Area."), {"source", "docstring"}),
    "docstring of a module": (in_shapes('"""Shapes."""', '"""Forms."""'), {"docstring"}),
    "docstring of a class": (edit("parts/base.py", "The parent.", "A parent."), {"docstring"}),
    "comment in a function that is shown": (
        in_shapes("# a comment", "# another"),
        {"source", "docstring"},
    ),
    "comment elsewhere": (in_shapes("FACTOR = 2", "# Two.\nFACTOR = 2"), {"docstring"}),
    "blank lines": (in_shapes("FACTOR = 2", "\n\nFACTOR = 2"), {"docstring"}),
    "parentheses": (in_shapes("FACTOR = 2\n", "FACTOR = (2)\n"), {"docstring"}),
    # Modules
    "module that stands before another": (
        lambda small: small.write("helper/__init__.py", "VALUE = 2\n"),
        {"files", "process"},
    ),
    "module that stands before one of the library": (
        add("colorsys.py", "rgb_to_hsv = max\n"),
        {"files", "process"},
    ),
    "module that was missing": (add("colorsys2.py"), {"files", "process"}),
    "module that nobody imports": (add("stranger.py"), {"process"}),
    "module moved": (
        lambda small: (small.root / "parts/base.py").rename(small.root / "parts/bases.py"),
        IMPORTERS,
    ),
    # Files
    "file that was read": (add("numbers.txt", "three"), {"files"}),
    "file that was read, removed": (remove("numbers.txt"), {"files"}),
    "file that was not read": (add("unread.txt", "four"), set()),
    "file that was asked for": (add("new.txt"), {"files"}),
    "file beside those that were listed": (add("folder/b.txt"), {"files"}),
    "module with one value": (add("helper.py", "VALUE = 2\n"), {"files", "process"}),
    # Processes
    "code of a process": (edit("parts/tool.py", "42", "43"), {"process"}),
    "comment in the code of a process": (edit("parts/tool.py", "    r", "    # 6·7\n    r"), set()),
    "code of an isolated process": (
        edit("alone/beside.py", "x + 1", "x + 2"),
        {"isolated", "process"},
    ),
    # The code that a record follows from
    "code that a script reaches": (edit("scripts/train.py", "0.1", "0.2"), {"record", "process"}),
    "comment in it": (edit("scripts/train.py", "0.1", "0.1  # a tenth"), set()),
    "script gone": (remove("scripts/train.py"), {"record", "process"}),
    "text that a page reads": (edit("docs/text.md", "A text", "Another text"), {"reads_text"}),
    # The page, and what it runs with
    "code of the page": (edit("docs/files.py", "no colorsys2", "none"), {"files"}),
    "prose of the page": (
        add("docs/files.py", "# %% [markdown]\n# New.\n\n" + FILES["docs/files.py"]),
        set(),
    ),
    "pin of a tool": (edit("requirements.txt", "0.17.6", "0.17.7"), set()),
    "pin of a library that no page imports": (edit("requirements.txt", "3.11.2", "3.11.3"), set()),
    "pin of a library whose file was read": (edit("requirements.txt", "1.9.1", "1.9.2"), {"files"}),
    "pin of what that library needs": (edit("requirements.txt", "2.4.6", "2.4.7"), {"files"}),
    "pin of what all pages run on": (edit("requirements.txt", "7.4.0", "7.4.1"), ALL),
}  # fmt: skip


def test_page_prints_what_its_code_prints(small: Small, before: dict[str, str]) -> None:
    """The functions that note their runs do what they did."""
    project = small.project()
    for path in find_pages(project.docs):
        page = load(read_page(path, project.docs), project)
        assert page is not None
        printed = [
            output.get("text") or f"{output.ename}: {output.evalue}\n"
            for outputs in page.outputs
            for output in outputs
        ]
        assert "".join(printed) == before[path.stem]


@pytest.mark.parametrize("change", CHANGES)
def test_what_can_be_seen_runs_again(change: str, changed: Small, before: dict[str, str]) -> None:
    make, again = CHANGES[change]
    assert changed.stale() == {}
    make(changed)
    stale = changed.stale()
    assert stale.keys() == again, stale
    # This has to hold whatever the table says.
    same = ALL - stale.keys()
    assert changed.plainly(same) == {page: before[page] for page in same}


def test_while_somebody_writes_no_page_runs_for_the_text_of_others(changed: Small) -> None:
    def kept(name: str, writing: bool) -> bool:
        project = changed.project()
        page = read_page(project.docs / f"{name}.py", project.docs)
        return load(page, project, writing=writing) is not None

    changed.edit("docs/text.md", "A text", "Another text")
    assert not kept("reads_text", writing=False)
    assert kept("reads_text", writing=True)
    changed.edit("numbers.txt", "two", "three")
    assert not kept("files", writing=True)
