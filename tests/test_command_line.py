"""The help of every script, and what comes out of any command on any terminal."""

import argparse
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT, script

from nn_tutorial.__main__ import main
from nn_tutorial.command_line import command_line

REACHES = ["nn_tutorial/", "benchmarks/"]
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
COMMAND = re.compile(r"(?:python|torchrun .*?) scripts/(\w+)\.py(.*)")


def examples(parser: argparse.ArgumentParser) -> list[tuple[str, list[str]]]:
    """The commands at the end of a help that run a script: its name, and the words after it."""
    text = parser.format_help()
    assert text.count("examples:\n") == 1
    lines = text.partition("examples:\n")[2].replace("\\\n", " ").splitlines()
    commands = [line.strip() for line in lines if line.startswith("    ")]
    assert len(lines) - len(commands) >= 2, "expected a line before each that says what it is for"
    found = [COMMAND.fullmatch(command) for command in commands]
    return [(match[1], shlex.split(match[2])) for match in found if match]


def check(parser: argparse.ArgumentParser, name: str) -> None:
    """Parsing ends the process where an option is not there, or one that must be is missing."""
    found = examples(parser)
    assert sum(there == name for there, _ in found) >= 2
    for there, words in found:
        script(there).arguments().parse_args(words)


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_has_two_worked_examples(name: str) -> None:
    check(script(name).arguments(), name)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("What it does.\n", AssertionError),
        ("What it does.\n\nexamples:\n    python scripts/predict.py a.safetensors b.jpg\n",
         AssertionError),
        ("What it does.\n\nexamples:\n  one:\n    python scripts/predict.py a b\n"
         "  two:\n    python scripts/predict.py a b --made-up\n", SystemExit),
    ],
    ids=["none", "one, of which nothing is said", "an option that is not there"],
)  # fmt: skip
def test_bad_examples_are_noticed(text: str, error: type[BaseException], capsys: Any) -> None:
    with pytest.raises(error):
        check(command_line("predict.py", text), "predict")


def test_help_shows_defaults_that_say_something(tmp_path: Path) -> None:
    parser = command_line(str(tmp_path / "try.py"), "Try.")
    parser.add_argument("--rate", default=0.5, help="of learning")
    parser.add_argument("--file", help="for it")
    parser.add_argument("--loud", action="store_true", help="or not")
    text = parser.format_help()
    assert text.startswith("usage: try.py ")
    assert text.count("(default: ") == 1
    assert "of learning (default: 0.5)" in text


def test_the_one_command_leads_to_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`nn-tutorial exercises start` is `python -m nn_tutorial.exercises start`."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert about["project"]["scripts"]["nn-tutorial"] == f"{main.__module__}:{main.__name__}"
    monkeypatch.chdir(tmp_path)
    assert main(["exercises", "start"]) == 0
    assert (tmp_path / "exercises" / "relu.py").exists()
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["exercise", "start"])
    assert "choose from" in capsys.readouterr().err


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_is_no_crash_where_the_terminal_lacks_signs(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", narrow)
    monkeypatch.setattr("sys.argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "scripts" / f"{name}.py"), run_name="__main__")
    assert not ended.value.code
    narrow.seek(0)
    assert narrow.read().startswith("usage: ")


def commands() -> list[str]:
    """Whatever is run by its name, but for the workers that another program reads."""
    folders = [*(ROOT / "nn_tutorial").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    found = [path.relative_to(ROOT) for path in [*folders, *(ROOT / "scripts").glob("*.py")]]
    return sorted(
        path.as_posix()
        for path in found
        if path.name != "worker.py"
        and (path.name == "__main__.py" or '\nif __name__ == "__main__"' in _source(path))
    )


def _source(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", commands())
def test_every_command_runs_on_any_terminal(path: str) -> None:
    source = _source(path)
    script = re.search(r"^    settle_streams\(\)\n    (sys\.exit\()?main\(", source, re.M)
    assert script or re.search(r"^(.*on_any_terminal\(main\)\(|@on_any_terminal$)", source, re.M)


def python(
    *words: str | Path, after: str = "", **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run a module in a shell, which opens and closes what it writes to."""
    line = f"{shlex.join([sys.executable, '-m', *map(str, words)])} {after}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=ROOT, env=os.environ | environment, capture_output=True,
    )  # fmt: skip


LODZ = "\N{LATIN CAPITAL LETTER L WITH STROKE}\u00f3d\u017a"  # Windows' code page has only the o


@pytest.mark.parametrize("module", [["nn_tutorial.data"], ["nn_tutorial", "data"]])
def test_a_sign_that_the_terminal_lacks_is_replaced(module: list[str], tmp_path: Path) -> None:
    done = python(*module, "--root", tmp_path / LODZ, "list", PYTHONIOENCODING="cp1252")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?\xf3d?\n" in done.stdout
    done = python(*module, "--root", tmp_path / LODZ, "buy", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["data", "list"], ["data", "--help"], ["exercises", "--help"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_has_gone_is_no_error(words: list[str], unbuffered: str) -> None:
    done = python("nn_tutorial", *words, after="| true", PYTHONUNBUFFERED=unbuffered)
    assert done.stderr == b""


@pytest.mark.parametrize("closed", [">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_what_is_closed_is_no_error(closed: str, tmp_path: Path) -> None:
    folder = ["--dir", tmp_path]
    assert python("nn_tutorial", "exercises", "start", tmp_path, after=closed).returncode == 0
    for words in (["list", *folder], ["hint", "relu", *folder], ["check", "--dir", tmp_path]):
        done = python("nn_tutorial", "exercises", *words, after=closed)
        assert done.returncode == (2 if words[0] == "check" else 0)  # nothing has been begun
        assert b"Traceback" not in done.stderr
    done = python("nn_tutorial", "exercises", "solution", "relu", after=closed)
    assert done.returncode == (2 if "<" in closed else done.returncode)
    assert b"Traceback" not in done.stderr
