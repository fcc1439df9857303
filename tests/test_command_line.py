"""The help of every script: worked examples, each of which its own options can parse."""

import argparse
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT, script

from nn_tutorial.__main__ import main
from nn_tutorial.command_line import command_line

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
