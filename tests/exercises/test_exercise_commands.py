"""The command line, the learner's folder, the notebook's check and the teacher's table."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from nn_tutorial.exercises import EXERCISES, check
from nn_tutorial.exercises.__main__ import main
from nn_tutorial.exercises.report import lines
from nn_tutorial.exercises.workspace import Progress, Workspace

RIGHT = EXERCISES["relu"].solution
WRONG = RIGHT.replace("np.maximum(x, 0)", "np.abs(x)")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sleep_by(monkeypatch: pytest.MonkeyPatch, *naps: Callable[[], object]) -> None:
    """Let the watch do this in its naps, one after the other, and then be interrupted."""
    left = iter(naps)

    def sleep(_: float) -> None:
        nap = next(left, None)
        if nap is None:
            raise KeyboardInterrupt
        nap()

    monkeypatch.setattr("nn_tutorial.exercises.__main__.time", SimpleNamespace(sleep=sleep))


def test_start_writes_what_is_missing_and_nothing_else(here: Path, capsys) -> None:
    assert main(["start"]) == 0
    folder = here / "exercises"
    assert sorted(p.stem for p in folder.iterdir()) == sorted(EXERCISES)
    (folder / "relu.py").write_text("mine")
    (folder / "linear.py").unlink()
    assert main(["start"]) == 0
    assert (folder / "relu.py").read_text() == "mine"
    assert (folder / "linear.py").read_text() == EXERCISES["linear"].stub
    assert "1 file written" in capsys.readouterr().out


def test_list_tells_where_each_stands(here: Path, capsys) -> None:
    main(["start", "work"])
    folder = here / "work"
    states = Workspace(folder).state
    assert states(EXERCISES["relu"]) == "not begun"
    (folder / "relu.py").write_text(WRONG)
    assert states(EXERCISES["relu"]) == "not checked yet"
    assert main(["check", "relu", "--dir", "work"]) == 1
    assert re.fullmatch(r"7 of 13 tests pass", states(EXERCISES["relu"]))
    (folder / "relu.py").write_text(RIGHT)
    assert states(EXERCISES["relu"]) == "changed since it was checked"
    assert main(["check", "relu", "--dir", "work"]) == 0
    assert states(EXERCISES["relu"]) == "solved"
    (folder / "linear.py").unlink()
    assert states(EXERCISES["linear"]) == "no file"
    capsys.readouterr()
    assert main(["list", "--dir", "work"]) == 0
    out = capsys.readouterr().out
    assert f"1 of {len(EXERCISES)} solved" in out
    assert re.search(r"^relu +solved +ReLU", out, re.MULTILINE)


def test_check_without_a_name_takes_what_was_begun(here: Path, capsys) -> None:
    main(["start"])
    assert main(["check"]) == 2
    assert "nothing has been begun" in capsys.readouterr().err
    (here / "exercises" / "relu.py").write_text(WRONG)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "Known mistake: the absolute value" in out
    assert "▸2" in out
    assert out.count("tests passed") == 1


def test_check_works_inside_the_folder(here: Path, monkeypatch, capsys) -> None:
    main(["start"])
    monkeypatch.chdir(here / "exercises")
    Path("relu.py").write_text(RIGHT, encoding="utf-8")
    assert main(["check", "relu.py"]) == 0
    assert "13 of 13 tests passed" in capsys.readouterr().out


def test_without_a_folder_there_is_a_clear_error(here: Path, capsys) -> None:
    for command in (["list"], ["check"], ["check", "relu"]):
        assert main(command) == 2
        assert "begin with the command `start`" in capsys.readouterr().err
    (here / "file").write_text("")
    assert main(["start", "file"]) == 2
    assert capsys.readouterr().err == "error: dir: expected a folder, got the file file\n"


@pytest.mark.parametrize(
    ("name", "says"),
    [("nonsense", ": the command `list` shows all names"), ("relou", ": did you mean relu?")],
)
def test_a_name_that_is_none(here: Path, name: str, says: str, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["check", "relu", name])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.endswith(f"expected the name of an exercise, got {name}{says}\n")


def test_several_can_be_checked(here: Path, capsys) -> None:
    main(["start"])
    assert main(["check", "relu", "linear.py"]) == 1
    out = capsys.readouterr().out
    assert out.count("tests passed") == 2


def test_start_says_how_this_python_is_called(here: Path, monkeypatch, capsys) -> None:
    for executable, found, told in (
        (here / ".venv/bin/python", None, ".venv/bin/python"),
        ("/usr/bin/python3", "/usr/bin/python", "/usr/bin/python3"),
        ("/usr/bin/python", "/usr/bin/python", "python"),
        ("", None, "python"),
    ):
        monkeypatch.setattr("sys.executable", str(executable))
        monkeypatch.setattr("shutil.which", lambda _, found=found: found)
        main(["start"])
        assert f"then: {told} -m nn_tutorial.exercises check" in capsys.readouterr().out


def test_hints_come_one_after_the_other(here: Path, capsys) -> None:
    main(["start"])
    capsys.readouterr()
    hints = EXERCISES["relu"].hints
    for expected in (*hints, hints[-1]):
        assert main(["hint", "relu"]) == 0
        assert expected in capsys.readouterr().out
    assert main(["hint", "relu", "1"]) == 0
    assert hints[0] in capsys.readouterr().out


def test_the_solution_is_shown_after_asking(here: Path, monkeypatch, capsys) -> None:
    assert main(["solution", "relu"]) == 2  # nobody at the keyboard
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert main(["solution", "relu"]) == 1
    assert "np.maximum" not in capsys.readouterr().out
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(["solution", "relu"]) == 0
    assert "np.maximum" in capsys.readouterr().out
    assert main(["solution", "relu", "--yes"]) == 0


def test_reset_keeps_every_old_file(here: Path) -> None:
    main(["start"])
    path = here / "exercises" / "relu.py"
    for text in ("first", "second"):
        path.write_text(text)
        assert main(["reset", "relu"]) == 0
        assert path.read_text() == EXERCISES["relu"].stub
    assert path.with_suffix(".py.1").read_text() == "first"
    assert path.with_suffix(".py.2").read_text() == "second"
    path.unlink()
    for _ in range(2):  # nothing has been written in it: there is nothing to keep
        assert main(["reset", "relu"]) == 0
        assert path.read_text() == EXERCISES["relu"].stub
    assert not path.with_suffix(".py.3").exists()


def test_damaged_progress_is_forgotten_and_nothing_else(here: Path) -> None:
    main(["start"])
    workspace = Workspace(here / "exercises")
    for damage in ("{", "[1]", '{"relu": {"odd": 1}}', '{"relu": 3}'):
        (workspace.folder / ".progress.json").write_text(damage)
        assert workspace.progress() == {}
    (workspace.folder / "relu.py").write_text(RIGHT)
    workspace.check(EXERCISES["relu"])
    stored = json.loads((workspace.folder / ".progress.json").read_text())
    assert Progress(**stored["relu"]).right == 13
    assert [p.name for p in workspace.folder.glob(".progress*")] == [".progress.json"]


def test_watch_checks_again_when_a_file_is_saved(here: Path) -> None:
    main(["start"])
    path = here / "exercises" / "relu.py"
    path.write_text(WRONG)
    command = [sys.executable, "-u", "-m", "nn_tutorial.exercises", "check", "relu", "--watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    stop = threading.Timer(60, process.kill)
    stop.start()
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "Waiting" in line:
                time.sleep(0.5)
                path.write_text(RIGHT)
            if "13 of 13" in line:
                break
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        stop.cancel()
    assert "Known mistake" in "".join(lines)
    assert "13 of 13 tests passed" in lines[-1]


def test_watch_goes_on_until_it_is_interrupted(here: Path, monkeypatch, capsys) -> None:
    """And checks what was saved since, each file once."""
    main(["start"])
    path = here / "exercises" / "relu.py"
    path.write_text(WRONG)
    sleep_by(
        monkeypatch, lambda: None, lambda: path.write_text(RIGHT), lambda: os.utime(path, (9, 9))
    )
    assert main(["check", "relu", "--watch"]) == 1  # what it found first
    out = capsys.readouterr().out
    assert out.count("7 of 13 tests passed") == 1
    assert out.count("13 of 13 tests passed") >= 1


def test_watch_loses_no_save_and_says_what_is_gone(here: Path, monkeypatch, capsys) -> None:
    """Not one that is made during the first check; and a file may come back."""
    main(["start"])
    path = here / "exercises" / "relu.py"
    path.write_text(WRONG)
    real = Workspace.check

    def saved_meanwhile(*about: Any) -> Any:
        report = real(*about)
        if path.read_text() == WRONG:
            path.write_text(RIGHT)
            os.utime(path, (9, 9))
        return report

    monkeypatch.setattr(Workspace, "check", saved_meanwhile)
    sleep_by(monkeypatch, lambda: None, path.unlink, lambda: path.write_text(RIGHT + "\n"))
    assert main(["check", "--watch"]) == 1
    out = capsys.readouterr().out
    first, _, rest = out.partition("13 of 13 tests passed")
    assert "7 of 13 tests passed" in first
    assert "relu.py is gone" in rest.partition("13 of 13 tests passed")[0]
    assert rest.count("13 of 13 tests passed") == 1


def test_an_interruption_is_no_traceback(here: Path, monkeypatch, capsys) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nn_tutorial.exercises.workspace.Workspace.start", interrupted)
    assert main(["start"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_check_names_a_file_that_is_missing(here: Path, capsys) -> None:
    main(["start"])
    (here / "exercises" / "relu.py").unlink()
    assert main(["check", "relu"]) == 2
    assert "`start` writes it" in capsys.readouterr().err


def test_large_and_deep_arrays_are_cut(here: Path, capsys) -> None:
    """Of an array with four axes the part with a difference; of a large one its beginning."""
    main(["start"])
    folder = here / "exercises"
    solution = EXERCISES["conv2d"].solution
    (folder / "conv2d.py").write_text(solution.replace("+ bias[:, None, None]", "+ 1"))
    assert main(["check", "conv2d"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^  y\[\d+, \d+\] expected ", out, re.MULTILINE)
    assert len(out.splitlines()) < 25
    (folder / "conv2d.py").write_text(solution.replace("+ bias[:, None, None]", "[:, :, :1]"))
    assert main(["check", "conv2d"]) == 1
    out = capsys.readouterr().out
    assert "has the shape" in out
    assert "an array of shape" in out
    text = "import numpy as np\nprint('one')\ndef sums(x):\n    return x.sum(1), x[:, 0], 3\n"
    (folder / "einsum_sums.py").write_text(text)
    assert main(["check", "einsum_sums"]) == 1
    out = capsys.readouterr().out
    assert "Your code printed:" in out
    assert "squares expected" in out


SCALE = 1.0
TABLE = np.ones(3)


def helper(x):
    return SCALE * windows(x)[..., 0] * (x > 0)


def windows(x):
    return sliding_window_view(x, 1, axis=-1)


def my_relu(x):
    return np.asarray(helper(x))


def my_relu_backward(dy, x):
    return dy * (dy > 0)


def relu(x):
    return TABLE * x


def test_functions_of_a_notebook_are_checked() -> None:
    """With the functions and numbers of the notebook that they use."""
    for function in (helper, windows, my_relu):
        function.__module__ = "__main__"  # as in a notebook
    report = check(my_relu, my_relu_backward)
    first, second = report.functions
    assert all(first.passed), report
    assert report.misconceptions == ["mask from the upstream gradient"]
    assert "Known mistake" in repr(report)
    assert check(my_relu).passed
    assert not any(second.passed) or sum(second.passed) < len(second.passed)


def test_what_a_notebook_cannot_hand_over_is_refused() -> None:
    with pytest.raises(ValueError, match="uses the notebook's variable TABLE"):
        check(relu)
    with pytest.raises(ValueError, match=r"expected one called as in an exercise.*got helper"):
        check(helper)
    with pytest.raises(ValueError, match="at least one"):
        check()
    made = {}
    exec("def relu(x):\n    return x", made)
    with pytest.raises(ValueError, match="source can be read"):
        check(made["relu"])
    other = next(f for e in EXERCISES.values() for f in e.functions if e.name != "relu")
    with pytest.raises(ValueError, match="those of one exercise"):
        check(my_relu, other.solution)


def test_the_reference_cannot_be_handed_in() -> None:
    import nn_tutorial

    report = check(nn_tutorial.relu)
    assert report.right == 0
    assert "imports `nn_tutorial`" in report.functions[0].messages[0]


def shown(here: Path, name: str, text: str, capsys) -> str:
    main(["start"])
    (here / "exercises" / f"{name}.py").write_text("import numpy as np\n" + text)
    capsys.readouterr()
    assert main(["check", name]) == 1
    return capsys.readouterr().out


def test_inputs_can_be_pasted_back(here: Path, capsys) -> None:
    """As Python reads them; and numbers that differ look different."""
    out = shown(here, "relu", "def relu(x):\n    return np.maximum(x, 0) + 1e-7\n", capsys)
    rows = out.partition("x = ")[2].partition("  y expected")[0]
    np.testing.assert_array_equal(
        eval(rows), EXERCISES["relu"].functions[0].cases(20)[0].inputs["x"]
    )
    assert "▸1.0000001" in out
    assert "−" not in rows
    out = shown(
        here, "he_normal", "def he_normal(shape, rng):\n    return np.ones(shape)\n", capsys
    )
    assert "rng = np.random.default_rng(" in out


def test_an_error_in_a_shape_is_told_once_with_the_shapes(here: Path, capsys) -> None:
    text = "def linear(x, weight, bias):\n    return x @ weight.T + bias\n"
    out = " ".join(shown(here, "linear", text, capsys).split())
    assert out.count("ValueError") == 1
    assert "The shapes in this line: x (2, 3), weight (3, 2), bias (2,)." in out
    assert "Should one of them be transposed?" in out


def test_an_address_is_whole(here: Path, monkeypatch, capsys) -> None:
    out = shown(here, "relu", "def relu(x):\n    return np.abs(x)\n", capsys)
    assert "Read again: http://127.0.0.1:8000/layers/relu/#six-numbers-by-hand" in out
    assert "#six-numbers-by-hand (while `make serve` runs)\n" in out
    monkeypatch.setenv("SITE_URL", "https://example.org/book/")
    out = shown(here, "relu", "def relu(x):\n    return np.abs(x)\n", capsys)
    assert "Read again: https://example.org/book/layers/relu/#six" in out
    assert "make serve" not in out


def test_lines_are_as_wide_as_the_terminal() -> None:
    report = check(my_relu_backward)
    for width in (50, 70, 110):
        rows = [text for _, text in lines(report, width)]
        prose = [row for row in rows if not row.startswith(("  ", "Read again"))]
        assert max(map(len, rows[:3] + prose)) <= width
    assert len(list(lines(report, 50))) > len(list(lines(report, 110)))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_narrow_code_page_is_no_crash(here: Path, encoding: str) -> None:
    main(["start"])
    command = [sys.executable, "-m", "nn_tutorial.exercises", "check", "relu"]
    done = subprocess.run(
        command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}
    )
    assert done.returncode == 1
    assert b"0 of 13 tests passed" in done.stdout
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_is_no_crash(here: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "nn_tutorial.exercises", "start"]
    with os.fdopen(write, "w") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == b""


def test_watch_checks_again_for_a_helper_and_goes_on(here: Path, monkeypatch, capsys) -> None:
    """A file beside the exercise is watched too; what is solved leads to what is not."""
    main(["start"])
    folder = here / "exercises"
    (folder / "relu.py").write_text(
        "from mine import relu\ndef relu_backward(dy, x):\n    return dy * (x > 0)\n"
    )
    (folder / "mine.py").write_text("import numpy as np\nrelu = np.abs\n")
    changes = iter(
        [
            lambda: (folder / "mine.py").write_text(
                "import numpy as np\n\n\ndef relu(x):\n    return np.maximum(x, 0)\n"
            ),
            lambda: (folder / "linear.py").write_text("linear = 3\n"),
        ]
    )

    def sleep(_: float) -> None:
        change = next(changes, None)
        if change is None:
            raise KeyboardInterrupt
        change()

    monkeypatch.setattr("nn_tutorial.exercises.__main__.time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    assert main(["check", "relu", "--watch"]) == 1
    out = capsys.readouterr().out
    assert "7 of 13 tests passed" in out
    assert "13 of 13 tests passed" in out.partition("\x1b[2J")[2]
    assert "Solved. Next: edit" in out
    assert "no function called `linear`" in out


def test_a_terminal_gets_colours(here: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main(["start"]) == 0
    assert "\x1b[32m" in capsys.readouterr().out
