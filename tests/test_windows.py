"""What Windows lacks is taken for granted nowhere, as far as that can be seen from elsewhere."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

from nn_tutorial.__main__ import main

REACHES = ["nn_tutorial/"]
# But for what runs in a browser, which is a system of its own.
FILES = sorted(
    path
    for folder in ("nn_tutorial", "scripts")
    for path in (ROOT / folder).rglob("*.py")
    if path.parent.name != "in_page"
)
LACKING = ("curses", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
OF_OS = ["fork", "getuid", "geteuid", "killpg", "sched_getaffinity", "setsid", "uname", "wait4"]
OF_SIGNAL = ["SIGALRM", "SIGHUP", "SIGKILL", "SIGPROF", "SIGUSR1", "alarm", "setitimer"]
# Where it is asked for first, or where Linux is, with the line that asks.
GUARDED = {
    "nn_tutorial/exercises/prisons.py": "PermissionError, AttributeError)",
    "nn_tutorial/exercises/teacher.py": 'hasattr(os, "sched_getaffinity")',
    "nn_tutorial/exercises/worker.py": 'hasattr(signal, "setitimer")',
}
# `bwrap`, the sandbox of Linux, and the guard that names places for it.
LINUX = {"nn_tutorial/exercises/prisons.py", "nn_tutorial/exercises/worker.py"}
PLACE = re.compile(r"(^|[\s'\"])(/(tmp|usr|bin|dev|etc|proc|home)/|\.venv/bin|bin/python)")
PAGE = (ROOT / "docs" / "windows.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```powershell\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]  # fmt: skip
# Imports the whole package on a system like that: without the modules, and without the functions.
IMPORT = f"""
import importlib, os, pkgutil, signal, sys
import torch, torchvision, sklearn, matplotlib.pyplot, IPython, asyncio, multiprocessing.pool
for name in {LACKING!r}:
    sys.modules[name] = None
for name in {OF_OS!r}:
    vars(os).pop(name, None)
for name in {OF_SIGNAL!r}:
    vars(signal).pop(name, None)
import nn_tutorial
for found in pkgutil.walk_packages(nn_tutorial.__path__, "nn_tutorial."):
    if not found.name.endswith(("__main__", ".worker")):
        importlib.import_module(found.name)
from nn_tutorial.pytorch.records import read_record
from pathlib import Path
read_record(Path("docs/records/fashion-mnist.json"))
"""


def test_the_package_is_imported_without_what_windows_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def lacking(source: str) -> list[str]:
    """What a source uses that Windows does not have, at once when it is imported, or unguarded."""
    tree = ast.parse(source)
    found = [a.name for n in tree.body if isinstance(n, ast.Import) for a in n.names]
    found += [n.module or "" for n in tree.body if isinstance(n, ast.ImportFrom)]
    used = [
        f"{n.value.id}.{n.attr}"
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    ]
    known = {f"os.{name}" for name in OF_OS} | {f"signal.{name}" for name in OF_SIGNAL}
    return sorted({*found} & {*LACKING}) + sorted({*used} & known)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_used_unguarded_and_no_place_is_taken_for_granted(path: Path) -> None:
    name, source = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    if found := lacking(source):
        assert GUARDED.get(name, "nothing that asks") in source, found
    if name not in LINUX:
        assert places(source) == []


def places(source: str) -> list[str]:
    """The texts of a source, but its docstrings, that name a place of other systems."""
    tree = ast.parse(source)
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in told)
    return [n.value for n in texts if isinstance(n.value, str) and PLACE.search(n.value)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import resource", ["resource"]),
        ("from fcntl import flock", ["fcntl"]),
        ("import os\nos.killpg(1, 2)", ["os.killpg"]),
        ("def f():\n    import resource", []),
        ("import os\nos.kill(1, 2)", []),
    ],
)
def test_what_windows_lacks_is_seen(source: str, found: list[str]) -> None:
    assert lacking(source) == found
    assert places('"""/tmp/a"""\nx = "/tmp/a"\ny = ".venv/bin/python"') == [
        "/tmp/a",
        ".venv/bin/python",
    ]


def unnamed(source: str) -> list[str]:
    """The calls that read another program's words in whatever encoding this system prefers."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            as_text = "True" in (given.get("text"), given.get("universal_newlines"))
            if as_text and "encoding" not in given:
                found.append(ast.unparse(node.func))
    return found


@pytest.mark.parametrize("folder", ["nn_tutorial", "scripts", "benchmarks"])
def test_the_encoding_of_another_program_is_named(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert unnamed(path.read_text(encoding="utf-8")) == [], path
    assert unnamed("run(a, text=True); run(a, text=True, encoding='utf-8')") == ["run"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_names_what_is_there(command: str) -> None:
    first, *words = command.split()
    if first.startswith("$env:"):
        return
    assert first in ("py", *(rf".venv\Scripts\{n}" for n in
        ("python", "nn-tutorial", "jupytext-config", "jupyter")))  # fmt: skip
    for word in words:
        if re.match(r"(scripts|tests|docs)\\|\w+\.txt$", word):
            assert (ROOT / word.replace("\\", "/")).exists(), word


@pytest.mark.parametrize(
    "command", [line for line in COMMANDS if r"\nn-tutorial" in line and "download" not in line]
)
def test_the_command_of_the_package_takes_them(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["exercises", "start"])
    assert main(command.split()[1:]) in (0, 1)  # 1: the exercise is not written yet
