"""The teacher's table: a row a student, whatever was handed in."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nn_tutorial.exercises import EXERCISES, Report, grading, prisons, teacher
from nn_tutorial.exercises.__main__ import main
from nn_tutorial.exercises.exercise import Exercise
from nn_tutorial.exercises.submissions import left_out, submissions
from nn_tutorial.exercises.teacher import COLUMNS, Row, grade_folder

RELU = [EXERCISES["relu"]]
RIGHT = EXERCISES["relu"].solution
WRONG = RIGHT.replace("np.maximum(x, 0)", "np.abs(x)")
HALF = RIGHT.replace("dy * (x > 0)", "dy * (dy > 0)")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def handed_in(here: Path) -> Path:
    folder = here / "handed-in"
    put(folder / "ann/relu.py", RIGHT)
    put(folder / "bob/homework/week 1/relu.py", WRONG)
    put(folder / "cem/relu.py", HALF)
    put(folder / "eve/relu.py", "raise ValueError('=cmd()\\x1b[32m')")
    (folder / "zoe").mkdir()
    put(folder / ".git/relu.py", RIGHT)
    put(folder / "__MACOSX/relu.py", RIGHT)
    put(folder / "zoe/.hidden/relu.py", RIGHT)
    put(folder / "zoe/__MACOSX/relu.py", RIGHT)
    put(folder / "readme.txt", "")
    return folder


def table_of(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")  # so that Excel takes it for UTF-8
    return list(csv.DictReader(content.decode("utf-8-sig").splitlines()))


def test_a_row_a_student(handed_in: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["grade", str(handed_in), "marks.csv", "--only", "relu,linear", "--seed", "7"]
    assert main([*command, "--processes", "1"]) == 0
    rows = table_of(here / "marks.csv")
    heads = ["id", "relu (of 2)", "linear (of 1)", "total (of 3)", "remarks"]
    assert [list(row) for row in rows] == [heads] * 5
    assert [[row[head] for head in heads[:-1]] for row in rows] == [
        ["ann", "2", "", "2"],
        ["bob", "1", "", "1"],
        ["cem", "1", "", "1"],
        ["eve", "0", "", "0"],
        ["zoe", "", "", "0"],
    ]
    assert rows[1]["remarks"] == "relu: the absolute value"
    assert rows[2]["remarks"] == "relu: mask from the upstream gradient"
    assert "ValueError" in rows[3]["remarks"]
    assert rows[0]["remarks"] == rows[4]["remarks"] == ""
    told = capsys.readouterr().out
    assert "andbox" in told.splitlines()[0]
    assert "1 of 4 files solved" in told
    assert "\x1b" not in told + (here / "marks.csv").read_text(encoding="utf-8")
    assert sorted(p.name for p in (handed_in / "ann").iterdir()) == ["relu.py"]


def test_a_row_an_exercise(handed_in: Path, here: Path) -> None:
    assert main(["grade", str(handed_in), "marks.csv", "--only", "relu", "--long"]) == 0
    rows = table_of(here / "marks.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [(r["id"], r["file"], r["passed"], r["points"], r["solved"]) for r in rows] == [
        ("ann", "found", "13", "2", "1"),
        ("bob", "found", "7", "1", "0"),
        ("cem", "found", rows[2]["passed"], "1", "0"),
        ("eve", "found", "0", "0", "0"),
        ("zoe", "missing", "0", "0", "0"),
    ]
    assert {row["tests"] for row in rows} == {"13"}
    assert rows[1]["known mistakes"] == "the absolute value"


def test_only_may_stand_anywhere_and_often(handed_in: Path, here: Path) -> None:
    for only in (["--only", "relu,linear"], ["--only", "relu", "--only", "linear"]):
        assert main(["grade", *only, str(handed_in), "marks.csv"]) == 0
        assert list(table_of(here / "marks.csv")[0])[1:3] == ["relu (of 2)", "linear (of 1)"]


def test_the_class_does_not_have_the_default_inputs(handed_in: Path, here: Path) -> None:
    """An answer that knows the inputs of `check` fails here."""
    cases = RELU[0].functions[0].cases(grading.SEED)
    known = repr([float(c.inputs["x"].sum()) for c in cases])
    text = RIGHT.replace(
        "return np.maximum", f"assert float(x.sum()) in {known}\n    return np.maximum"
    )
    put(handed_in / "ann/relu.py", text)
    assert main(["check", "relu", "--dir", str(handed_in / "ann")]) == 0
    (handed_in / "ann/.progress.json").unlink()
    first, *_ = list(grade_folder(handed_in, here / "a.csv", exercises=RELU))
    assert not first.solved
    row = teacher.graded(submissions(handed_in, RELU)[0], seed=grading.SEED)
    assert row.solved
    assert main(["grade", str(handed_in), "b.csv", "--only", "relu", "--processes", "1"]) == 0
    assert (here / "a.csv").read_bytes() == (here / "b.csv").read_bytes()


def test_nothing_is_lost_in_silence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = here / "in"
    put(folder / "ann/relu.py", RIGHT)
    put(folder / "ann/helpers.py", "")
    put(folder / "ann/conv2d_backward (1).py", "")
    put(folder / "bob/relu (1).py", RIGHT)
    put(folder / "cem/week 1/ReLU_final.py", RIGHT)
    put(folder / "cem/relu.zip", "")
    put(folder / "dan/homework.zip", "")
    put(folder / "relu_eve.py", RIGHT)
    (folder / "zoe").mkdir()
    only = ["--only", "relu,conv2d,conv2d_backward", "--processes", "1"]
    assert main(["grade", str(folder), "in/marks.csv", *only]) == 0
    rows = {row["id"]: row for row in table_of(folder / "marks.csv")}
    assert {name: row["remarks"] for name, row in rows.items()} == {
        "ann": "conv2d_backward: not recognised: conv2d_backward (1).py",
        "bob": "relu: not recognised: relu (1).py",
        "cem": "relu: not recognised: relu.zip, week 1/ReLU_final.py",
        "dan": "relu: not recognised: homework.zip",
        "zoe": "",
    }
    assert rows["bob"]["relu (of 2)"] == ""
    told = capsys.readouterr().out
    assert "1 of 1 files solved" in told
    last = told.splitlines()[-1]
    assert last.startswith(
        "Left out: 6 files without the name of an exercise: ann/conv2d_backward (1)"
    )
    assert "…" in last
    assert "marks.csv" not in last
    assert left_out(folder, RELU)[-1] == "relu_eve.py"


def test_several_processes_give_the_same_table(handed_in: Path, here: Path) -> None:
    for count in (1, 2):
        list(grade_folder(handed_in, here / f"{count}.csv", exercises=RELU, processes=count))
    assert (here / "1.csv").read_bytes() == (here / "2.csv").read_bytes()


def test_what_is_no_file_is_said(here: Path) -> None:
    outside = put(here / "teacher/relu.py", RIGHT)
    folder = here / "in"
    put(folder / "inside/mine.py", RIGHT)
    (folder / "inside/relu.py").symlink_to("mine.py")
    for name in ("outside", "dangling", "folder", "upper"):
        (folder / name).mkdir()
    (folder / "outside/relu.py").symlink_to(outside)
    (folder / "dangling/relu.py").symlink_to("nothing.py")
    (folder / "circle").mkdir()
    (folder / "circle/relu.py").symlink_to("relu.py")
    (folder / "folder/relu.py").mkdir()
    put(folder / "several/a/relu.py", RIGHT)
    put(folder / "several/b/relu.py", WRONG)
    put(folder / "deeper/relu.py", RIGHT)
    put(folder / "deeper/old/relu.py", WRONG)
    put(folder / "upper/ReLU.PY", RIGHT)
    (folder / "whole").symlink_to(outside.parent)
    (folder / "neighbour").symlink_to("upper")
    found = {s.student: (s.state, s.path) for s in submissions(folder, RELU)}
    assert {name: state for name, (state, _) in found.items()} == {
        "circle": "a link to nothing",
        "dangling": "a link to nothing",
        "deeper": "found",
        "folder": "a folder",
        "inside": "followed a link",
        "outside": "a link that leaves the folder",
        "neighbour": "a link to another folder",
        "several": "several: a/relu.py, b/relu.py",
        "upper": "found",
        "whole": "a link that leaves the folder",
    }
    assert found["deeper"][1] == (folder / "deeper/relu.py").resolve()
    rows = {row.id: row for row in grade_folder(folder, here / "out.csv", exercises=RELU)}
    assert {name for name, row in rows.items() if row.solved} == {"deeper", "inside", "upper"}
    assert rows["outside"].passed == 0
    remarks = {row["id"]: row["remarks"] for row in table_of(here / "out.csv")}
    assert remarks["whole"] == "relu: a link that leaves the folder"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@a", "'@a"),
        ("-a", "'-a"),
        ("semi;=1+1", "semi;'=1+1"),
        ("tab\t =1", "tab\\t =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("a-b", "a-b"),
    ],
)
def test_a_name_is_no_formula(here: Path, name: str, written: str) -> None:
    (here / "in" / name).mkdir(parents=True)
    list(grade_folder(here / "in", here / "out.csv", exercises=RELU))
    assert [row["id"] for row in table_of(here / "out.csv")] == [written]


def test_two_names_that_look_the_same_have_two_rows(here: Path) -> None:
    for name in ("a\x01", "a\\x01", "line\nof two"):
        put(here / "in" / name / "relu.py", RIGHT)
    list(grade_folder(here / "in", here / "out.csv", exercises=RELU))
    rows = [(row["id"], row["total (of 2)"]) for row in table_of(here / "out.csv")]
    assert rows == [("a\\x01", "2"), ("a\\x01", "2"), ("line\\nof two", "2")]


def test_where_the_table_cannot_be_is_said_before_anything_is_graded(
    here: Path, handed_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r"the folder .*nowhere does not exist"):
        next(grade_folder(handed_in, here / "nowhere/out.csv", exercises=RELU))
    for command, says in (
        (["grade", str(handed_in), "nowhere/out.csv"], "the folder nowhere does not exist"),
        (
            ["grade", "nobody", "out.csv"],
            "folder: expected a folder, got what does not exist: nobody",
        ),
        (["grade", "handed-in/readme.txt", "out.csv"], "folder: expected a folder, got a file"),
    ):
        assert main(command) == 2
        told = capsys.readouterr()
        assert says in told.err
        assert told.out == ""  # not even of the sandbox
    (here / ".out.csv.graded").mkdir()
    with pytest.raises(ValueError, match=r"table: .*\.out\.csv\.graded is there"):
        next(grade_folder(handed_in, here / "out.csv", exercises=RELU))


def test_no_process_is_left_when_a_grading_is_broken_off(here: Path, handed_in: Path) -> None:
    for student in ("cem", "eve"):  # are still being graded when it is broken off
        put(handed_in / student / "relu.py", "import time\ntime.sleep(3)\n" + HALF)
    command = [sys.executable, "-m", "nn_tutorial.exercises", "grade", str(handed_in), "out.csv"]
    started = subprocess.Popen(
        [*command, "--processes", "2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    assert started.stdout is not None
    with started.stdout:
        assert b"andbox" in started.stdout.readline()
        started.stdout.readline()  # a file has been graded
        for _ in range(3):
            os.killpg(started.pid, signal.SIGINT)
            time.sleep(0.2)
        told = started.stdout.read()  # ends when nobody holds it any more
    assert started.wait() == 130
    assert re.search(
        rb"Interrupted: \d of 4 files are graded, out.csv is unchanged; the same", told
    )
    assert len((here / ".out.csv.graded").read_text().splitlines()) >= 1


def test_the_others_end_without_a_word_when_the_first_is_killed(
    here: Path, handed_in: Path
) -> None:
    command = [sys.executable, "-m", "nn_tutorial.exercises", "grade", str(handed_in), "out.csv"]
    put(handed_in / "cem/relu.py", "import time\ntime.sleep(1)\n" + HALF)
    started = subprocess.Popen(
        [*command, "--processes", "2", "--only", "relu"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stderr is not None
    with started.stdout, started.stderr:
        started.stdout.readline()  # of the sandbox
        started.stdout.readline()  # a file has been graded
        started.kill()
        assert b"Traceback" not in started.stderr.read()  # ends when nobody holds it any more
    started.wait()


def test_no_half_written_table_is_left(
    here: Path, handed_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "empty").mkdir()
    assert main(["grade", "empty", "out.csv"]) == 2
    assert main(["grade", "nowhere", "out.csv"]) == 2
    assert main(["grade", "empty", "empty"]) == 2
    errors = capsys.readouterr().err
    for word in ("one subfolder per student", "expected a folder", "table: expected a file"):
        assert word in errors
    (here / "out.csv").write_text("of last year")
    grading = grade_folder(handed_in, here / "out.csv", exercises=RELU)
    next(grading)
    grading.close()  # interrupted
    assert (here / "out.csv").read_text() == "of last year"


def test_an_interrupted_grading_goes_on(
    here: Path, handed_in: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    graded, whole = [], list(grade_folder(handed_in, here / "whole.csv", exercises=RELU))
    real = teacher.grade

    def counted(exercise: Exercise, source: Path, **more: Any) -> Report:
        graded.append(source.parent.name)
        return real(exercise, source, **more)

    monkeypatch.setattr(teacher, "grade", counted)
    first = grade_folder(handed_in, here / "out.csv", exercises=RELU)
    assert [next(first).id, next(first).id] == ["ann", "week 1"] or graded == ["ann", "week 1"]
    first.close()
    notes = here / ".out.csv.graded"
    lines = notes.read_text().splitlines()
    assert len(lines) == 2
    # The second was cut off in the middle, and the first student hands in something else.
    notes.write_text(f"{lines[0]}\n{lines[1][:40]}\n[]\n" + json.dumps({"key": 1}) + "\n")
    graded.clear()
    rows = list(grade_folder(handed_in, here / "out.csv", exercises=RELU))
    assert graded == ["week 1", "cem", "eve"]
    assert sorted(rows, key=lambda row: row.id) == whole
    assert (here / "out.csv").read_bytes() == (here / "whole.csv").read_bytes()
    assert not notes.exists()

    first = grade_folder(handed_in, here / "out.csv", exercises=RELU)
    noted = [next(first) for _ in range(2)]
    first.close()
    assert not any(row.noted for row in noted)
    command = ["grade", str(handed_in), "out.csv", "--only", "relu", "--processes", "1"]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "2 taken from the interrupted grading." in told
    assert "ann" not in told
    assert "eve" in told
    assert "1 of 4 files solved" in told

    first = grade_folder(handed_in, here / "out.csv", exercises=RELU)
    next(first)
    first.close()
    put(handed_in / "ann/relu.py", WRONG)
    graded.clear()
    assert not next(r for r in grade_folder(handed_in, here / "out.csv", exercises=RELU)).solved
    assert graded == ["ann"]


def test_a_name_that_is_no_text_stops_nobody(here: Path, handed_in: Path) -> None:
    put(handed_in / "ann" / os.fsdecode(b"x\xff.py"), "")
    assert next(grade_folder(handed_in, here / "out.csv", exercises=RELU)).solved


def test_a_fault_of_the_grader_costs_one_row(
    here: Path, handed_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = teacher.grade

    def broken(exercise: Exercise, source: Path, **more: Any) -> Report:
        if source.parent.name == "ann":
            raise ZeroDivisionError("of ours")
        return real(exercise, source, **more)

    monkeypatch.setattr(teacher, "grade", broken)
    rows: list[Row] = list(grade_folder(handed_in, here / "out.csv", exercises=RELU))
    assert rows[0].messages == ("could not be graded: ZeroDivisionError: of ours",)
    assert rows[1].passed == 7


def test_without_bubblewrap_it_says_so(
    here: Path, handed_in: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(prisons, "why_no_bubblewrap", lambda: "it is not there")
    monkeypatch.setattr(prisons, "best", lambda: prisons.process)
    command = ["grade", str(handed_in), "out.csv", "--only", "relu", "--processes", "1"]
    assert main([*command, "--require-sandbox"]) == 2
    assert "bubblewrap cannot be used: it is not there" in capsys.readouterr().err
    assert not (here / "out.csv").exists()
    assert main(command) == 0
    assert "No sandbox (it is not there)" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*command[:-1], "0"])


def test_a_bar_on_a_terminal(
    handed_in: Path, here: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("tqdm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    main(["grade", str(handed_in), "out.csv", "--only", "relu", "--processes", "1"])
    told = capsys.readouterr()
    assert "5/5" in told.err or "files" in told.err
    assert "ann" not in told.out
