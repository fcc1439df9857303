"""`pytest --touched` runs the tests that the edits since the last run of all can have touched.

Each run of all tests leaves a record: which function each test ran, as coverage measured it, and
what every file held. An edited function selects the tests that ran it. Where that cannot be known
(constants, classes, tests and their helpers, processes, files that are no Python) the imports
decide: all tests of each file that leads to the edited one. Without a record all tests run, but for
those of the built site, which only `make test` runs.

Comments and docstrings select nothing, and a test that failed in the run of all is always selected.
"""

import ast
import contextlib
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData

RECORD = ".cache/tests.json"
SITE = "tests/browser/"  # its tests open the built site
NOT_OURS = {"site", "node_modules", "build", "dist", "__pycache__"}
WHOLE = " as a whole"  # after a package's `__init__`: all that it imports is meant
CODE = ("nn_tutorial", "scripts", "tests", "benchmarks")  # no text means all of it
EVERYTHING = ("pyproject.toml", "requirements.txt", "requirements-test.txt", "constraints.txt")
Function = ast.FunctionDef | ast.AsyncFunctionDef
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Part:
    """A function, a method, or what else a name of a module is bound to."""

    kind: str  # "function", "import" or "other"
    sha: str = ""
    names: set[str] = field(default_factory=set)  # that stand in it
    lines: set[int] = field(default_factory=set)  # of the body of a function


def parts_of(text: str) -> dict[str, Part]:
    """Take a module apart; comments and docstrings are in no part."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    parts: dict[str, Part] = {}

    def add(name: str, kind: str, node: ast.AST) -> None:
        part = parts.setdefault(name, Part(kind))
        part.sha = _sha((part.sha + ast.dump(node)).encode())
        part.names |= set(_names(node))
        if isinstance(node, Function) and node.body:  # its head, of one line or ten, is imported
            last = node.end_lineno or node.lineno
            part.lines |= set(range(node.body[0].lineno, last + 1)) - {node.lineno}

    for node in tree.body:
        if isinstance(node, Function):
            add(node.name, "function", node)
        elif isinstance(node, ast.ClassDef):
            for method in [inner for inner in node.body if isinstance(inner, Function)]:
                add(f"{node.name}.{method.name}", "function", method)
                node.body.remove(method)
            add(node.name, "other", node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            where = {"module": node.module, "level": node.level} if hasattr(node, "level") else {}
            for alias in node.names:
                own = type(node)(names=[alias], **where)
                add(alias.asname or alias.name.partition(".")[0], "import", own)
        else:
            stored = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
            bound = {n.id for n in stored if isinstance(n.ctx, ast.Store)}
            for name in bound or {"*"}:
                add(name, "other", node)
    return parts


def _dotted(node: ast.AST) -> str:
    """`a.b.c` as it is written; "" for what is more than names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return before and f"{before}.{node.attr}"
    return ""


def _names(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case ast.Constant(value=str(name)):
                yield name


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


class Project:
    """The files below a root: what each holds, and to which others it leads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known_sources: dict[str, dict[str, str]] = {}

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Every file that is ours, by its path below the root."""
        found = {}
        folders = [self.root]
        while folders:
            for path in sorted(folders.pop().iterdir()):
                if path.name.startswith(".") or path.name in NOT_OURS or path.is_symlink():
                    continue
                if path.is_dir():
                    folders.append(path)
                elif not path.name.endswith((".pyc", ".egg-info")):
                    found[path.relative_to(self.root).as_posix()] = path.read_bytes()
        return found

    @cached_property
    def parts(self) -> dict[str, dict[str, Part]]:
        """The parts of every module; the pages of the book are files like any other."""
        modules = (name for name in self.files if name.endswith(".py") and name[:5] != "docs/")
        found = {}
        for name in modules:
            try:
                found[name] = parts_of(self.files[name].decode())
            except SyntaxError as error:
                raise pytest.UsageError(f"{name}, line {error.lineno}: {error.msg}") from None
        return found

    def state(self) -> dict[str, Any]:
        """What every file holds, to be compared with later."""
        return {
            name: {part: f"{about.kind} {about.sha}" for part, about in self.parts[name].items()}
            if name in self.parts
            else _sha(content)
            for name, content in self.files.items()
        }

    @cached_property
    def modules(self) -> dict[str, str]:
        """The file of a module, by each name that it may be imported by."""
        found = {}
        for name in self.parts:
            words = name.removesuffix(".py").removesuffix("/__init__").split("/")
            for start in range(len(words)) if words[0] in ("tests", "scripts") else [0]:
                found.setdefault(".".join(words[start:]), name)
        return found

    def leads_to(self, name: str) -> set[str]:
        """The files that a module imports, or names in a text."""
        tree = ast.parse(self.files[name])
        trees, found = [tree], set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= self._named(name, node.value)
                # Code for a process, or for a page of a test.
                for line in re.findall(r"(?m)(?:from [\w.]+ )?import \w[\w., ]*", node.value):
                    with contextlib.suppress(SyntaxError):
                        trees.append(ast.parse(line.strip(" ,.")))
        return found.union(*(self._imported(name, tree) for tree in trees)) - {name}

    def _named(self, here: str, text: str) -> set[str]:
        text = text.rstrip(".")  # of f"folder.{name}"
        if not re.fullmatch(r"[\w./-]{3,80}", text) or text in CODE:
            return set()
        beside = f"{here.rpartition('/')[0]}/{text}"
        names = (text, f"{text}.__main__") if "." in text else ()
        module = [self.modules.get(name, "") for name in names]
        paths = (text, beside, f"scripts/{text}.py", *module)
        below = {f for f in self.files if f.startswith((f"{text}/", f"{beside}/"))}
        return below.union(path for path in paths if path in self.files)

    def _imported(self, here: str, tree: ast.AST) -> set[str]:
        found: set[str] = set()
        package = here.split("/")[:-1]
        whole = {}  # modules by the name that they have here
        used = defaultdict(set)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    whole[alias.asname or alias.name] = alias.name
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) + 1 - node.level] if node.level else []
                module = ".".join([*base, *filter(None, [node.module])])
                for alias in node.names:
                    found |= self._of(module, alias.name)
                    whole[alias.asname or alias.name] = f"{module}.{alias.name}"
            elif isinstance(node, ast.Attribute) and (name := _dotted(node.value)):
                used[name].add(node.attr)
        if "iter_modules" in used["pkgutil"]:  # it imports what lies there, whatever that is
            folders = {here, *found} if here.endswith("__init__.py") else found
            folders = {f.removesuffix("__init__.py") for f in folders if f.endswith("__init__.py")}
            found |= {f for f in self.parts if f.rpartition("/")[0] + "/" in folders}
        for name, module in whole.items():
            if module in self.modules:
                for attribute in used.get(name, {"*"}):
                    found |= self._of(module, attribute)
        return found

    def _of(self, module: str, name: str) -> set[str]:
        """The files behind a name of a module: where a package has it from, that one."""
        if f"{module}.{name}" in self.modules:
            return {self.modules[f"{module}.{name}"]}
        file = self.modules.get(module)
        if file is None or not file.endswith("__init__.py"):
            return {file} - {None}
        source = self._sources(file, module).get(name, module)
        if source != module:
            return {file} | self._of(source, name)
        return {file, f"{file}{WHOLE}"}  # its own, made of anything

    def _sources(self, file: str, module: str) -> dict[str, str]:
        """The modules from which a package has its names."""
        if file not in self._known_sources:
            found = {}
            for node in ast.parse(self.files[file]).body:
                if isinstance(node, ast.ImportFrom):
                    words = module.split(".")
                    base = words[: len(words) + 1 - node.level] if node.level else []
                    source = ".".join([*base, *filter(None, [node.module])])
                    found |= {alias.asname or alias.name: source for alias in node.names}
            self._known_sources[file] = found
        return self._known_sources[file]

    @cached_property
    def _leads(self) -> dict[str, set[str]]:
        return {name: self.leads_to(name) for name in self.parts}

    def reached(self, test: str) -> set[str]:
        """All files that a test's file leads to; a package's `__init__` leads by its names alone.

        REACHES in it says what its processes reach besides: paths of files and folders.
        """
        conftests = {f for f in self.parts if f.endswith("conftest.py")}
        todo = [test, *(f for f in conftests if test.startswith(f.removesuffix("conftest.py")))]
        found: set[str] = set()
        for node in ast.parse(self.files[test]).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REACHES":
                named = tuple(ast.literal_eval(node.value))
                todo += [file for file in self.files if file.startswith(named)]
        while todo:
            file = todo.pop()
            if file not in found:
                found.add(file)
                folders = file.split("/")[:-1]
                packages = ("/".join(folders[:n]) for n in range(1, len(folders) + 1))
                found |= {f"{package}/__init__.py" for package in packages} & self.files.keys()
                if not file.endswith("__init__.py"):
                    todo += self._leads.get(file.removesuffix(WHOLE), set())
        return found

    def is_named(self, method: str) -> bool:
        """Whether any code asks for a method of this name, or Python itself does."""
        if method.startswith("__"):
            return True
        return any(method in about.names for them in self.parts.values() for about in them.values())

    def starts_processes(self, test: str, reached: Iterable[str]) -> bool:
        """Whether code runs for a test that coverage does not see."""
        helpers = (n for n in reached if n.startswith("tests/") and n in self.files)
        return any(
            re.search(rb"sys\.executable|REACHES", self.files[name]) for name in {test, *helpers}
        )


@dataclass
class Selection:
    """The tests to run: some by their ids, all of some files; and why."""

    ids: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    edited: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)  # of these, what no test leads to
    everything: bool = False


def select(project: Project, record: dict[str, Any]) -> Selection:
    """Compare the project with the record."""
    chosen = Selection(ids=set(record["failed"]))
    tests = [name for name in project.parts if re.search(r"(^|/)test_\w+\.py$", name)]
    before, now = record["state"], project.state()
    chosen.edited = sorted(f for f in before.keys() | now.keys() if before.get(f) != now.get(f))
    gone = any(name.endswith(".py") and name not in now for name in chosen.edited)
    chosen.everything = gone or not set(chosen.edited).isdisjoint(EVERYTHING)
    leading = {test: project.reached(test) for test in tests} if chosen.edited else {}
    every = set().union(*leading.values())
    chosen.unreached = [name for name in chosen.edited if name in now and name not in every]
    for name in chosen.edited:
        old, ran = before.get(name), record["ran"].get(name, {})
        functions: set[str] | None = None  # None: not known by their runs
        if ran and isinstance(old, dict) and name in project.parts:
            functions = _changed_functions(project, name, old, record["at_import"].get(name, []))
        for test, reached in leading.items():
            unseen = functions is None or (functions and project.starts_processes(test, reached))
            if name in reached and unseen:
                chosen.files.add(test)
        for function in functions or ():
            ids = [record["tests"][number] for number in ran.get(function, [])]
            chosen.ids.update(ids)
            if not ids and function in old:  # it ran where coverage does not see it, or never
                chosen.files |= {test for test, reached in leading.items() if name in reached}
    return chosen


def _changed_functions(
    project: Project, name: str, old: dict[str, str], at_import: Iterable[str]
) -> set[str] | None:
    """The functions of a module that do something else now; None where more than they may."""
    parts, new = project.parts[name], project.state()[name]
    added = new.keys() - old.keys()
    changed = {part for part in old if new.get(part) != old[part]} | added
    # A new method may take the place of an inherited one, where somebody asks for its name.
    for part in added:
        owner, _, method = part.rpartition(".")
        if owner and project.is_named(method):
            changed.add(owner)
    if "*" in changed or not changed.isdisjoint(at_import):
        return None
    functions: set[str] = set()
    seen: set[str] = set()
    while changed - seen:
        part = (changed - seen).pop()
        seen.add(part)
        kinds = {told.partition(" ")[0] for told in (old.get(part), new.get(part)) if told}
        if "function" in kinds and part not in added:  # no test has run what is new
            functions.add(part)
        if kinds == {"function"} and part not in added:
            continue
        if "other" in kinds or name.endswith("__init__.py"):
            others = (about for other, about in project.parts.items() if other != name)
            if any(part in about.names for them in others for about in them.values()):
                return None
        changed |= {user for user, about in parts.items() if part in about.names}
    return functions


class Touched:
    """The plugin: it writes the record, and selects by it."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.file = config.rootpath / RECORD
        self.asked = config.getoption("--touched")
        self.leads = not hasattr(
            config, "workerinput"
        )  # with xdist, the process that tests nothing
        self.selection: Selection | None = None
        self.known: set[str] = set()
        self.outcomes: dict[str, bool] = {}  # whether each test was fine
        if self.asked and self.file.is_file():
            record = json.loads(self.file.read_text(encoding="utf-8"))
            self.known = set(record["tests"])
            if self.leads:
                self.project = Project(config.rootpath)
                self.selection = select(self.project, record)
            else:
                self.selection = Selection(**config.workerinput["touched"])
        elif self.leads:
            self.project = Project(config.rootpath)
            self.state = self.project.state()  # before anybody edits on

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what was selected."""
        if self.selection is not None:
            told = vars(self.selection)
            node.workerinput["touched"] = {
                name: sorted(value) if isinstance(value, set) else value
                for name, value in told.items()
            }

    def pytest_report_header(self) -> list[str]:
        """Say what was edited."""
        if not self.asked:
            return []
        if self.selection is None:
            return ["touched: no record of a run of all tests, so all run but those of the site"]
        chosen = self.selection
        said = [
            f"  {n}{', which no test reaches' * (n in chosen.unreached)}" for n in chosen.edited
        ]
        return [
            f"touched: {len(said)} files are edited since the last run of all tests",
            *said[:20],
        ]

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out files of which no test is selected: to import them takes seconds."""
        name = collection_path.relative_to(self.config.rootpath).as_posix()
        if not self.asked or not name.endswith(".py"):
            return None
        if name.startswith(SITE):
            return True
        chosen = self.selection
        if chosen is None or chosen.everything or name in chosen.files:
            return None
        of_file = f"{name}::"
        if any(test.startswith(of_file) for test in chosen.ids):
            return None
        return True if any(test.startswith(of_file) for test in self.known) else None

    @pytest.hookimpl(tryfirst=True)  # before xdist adds the groups to the names
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that are selected, and those that are new."""
        chosen = self.selection
        if chosen is None or chosen.everything:
            return
        kept, left = [], []
        for item in items:
            new = item.nodeid not in self.known
            of_file = item.nodeid.partition("::")[0] in chosen.files
            (kept if new or of_file or item.nodeid in chosen.ids else left).append(item)
        items[:] = kept
        self.config.hook.pytest_deselected(items=left)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which tests failed."""
        name = _plain(report.nodeid)
        self.outcomes[name] = self.outcomes.get(name, True) and not report.failed

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the record of a run of all tests; if none was selected, all is well."""
        if not self.leads:
            return
        if self.selection is not None:
            if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
                session.exitstatus = pytest.ExitCode.OK
            return
        coverage = self.config.pluginmanager.get_plugin("_cov")
        option = self.config.option
        part = option.keyword or option.markexpr or self.config.args_source.name != "TESTPATHS"
        done = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if done and not part and coverage is not None and coverage._started:
            data = CoverageData()
            data.read()
            self.file.parent.mkdir(exist_ok=True)
            self.file.write_text(json.dumps(self.record(data)), encoding="utf-8")

    def record(self, data: CoverageData) -> dict[str, Any]:
        """Return what is known after a run of all tests."""
        tests = sorted(self.outcomes)
        number = {test: i for i, test in enumerate(tests)}
        of_file = defaultdict(set)
        for test in tests:
            of_file[test.partition("::")[0]].add(number[test])
        ran: dict[str, dict[str, list[int]]] = {}
        at_import: dict[str, list[str]] = {}
        for measured in data.measured_files():
            name = Path(measured).relative_to(self.config.rootpath).as_posix()
            contexts = data.contexts_by_lineno(measured)
            ran[name] = {}
            for function, part in self.project.parts[name].items():
                if part.kind != "function":
                    continue
                whole = {context for line in part.lines for context in contexts.get(line, ())}
                if "" in whole:
                    at_import.setdefault(name, []).append(function)
                found: set[int] = set()
                for context in whole - {""}:
                    test, _, when = context.rpartition("|")
                    # What a fixture did may serve other tests of the file too.
                    own = {number[_plain(test)]}
                    found |= own if when == "run" else of_file[test.partition("::")[0]]
                if found:
                    ran[name][function] = sorted(found)
        failed = [test for test, fine in self.outcomes.items() if not fine]
        known = {"ran": ran, "at_import": at_import}
        return {"state": self.state, "tests": tests, "failed": failed, **known}


def _plain(test: str) -> str:
    """A test's id without the group that xdist has added."""
    return re.sub(r"@[\w-]+$", "", test)
