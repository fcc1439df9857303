"""`write_whole`: a file is whole or not there, whoever else writes it; and folders for files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nn_tutorial.files import check_folder, write_named, write_whole


def _bytes(beside: Path) -> None:
    beside.write_bytes(b"new")


def _text(beside: Path) -> None:
    beside.write_text("new", encoding="utf-8")


def _writer(beside: Path) -> None:
    with beside.open("w", encoding="utf-8") as file:
        file.write("ne")
        file.write("w")


@pytest.mark.parametrize("write", [_bytes, _text, _writer])
@pytest.mark.parametrize("older", [None, b"older and longer"], ids=["first", "again"])
def test_what_was_written_is_the_file(
    tmp_path: Path, write: Callable[[Path], None], older: bytes | None
) -> None:
    path = tmp_path / "file.txt"
    if older is not None:
        path.write_bytes(older)
    with write_whole(path) as beside:
        assert beside.parent.parent == tmp_path  # a rename across disks would be no single step
        assert beside.name == path.name  # PyTorch writes it into the file
        write(beside)
        assert (path.read_bytes() if path.exists() else None) == older
    assert path.read_bytes() == b"new"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    "error", [OSError("No space left on device"), KeyboardInterrupt()], ids=repr
)
@pytest.mark.parametrize("written", [False, True], ids=["before", "amid"])
def test_after_an_error_the_older_file_is_as_it_was(
    tmp_path: Path, error: BaseException, written: bool
) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(b"older")

    def write() -> None:
        with write_whole(path) as beside:
            if written:
                beside.write_bytes(b"ha")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_bytes() == b"older"
    assert [*tmp_path.iterdir()] == [path]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_bytes(b"older")
    with pytest.raises(FileNotFoundError), write_whole(tmp_path / "file.txt"):
        pass
    assert (tmp_path / "file.txt").read_bytes() == b"older"


def test_a_folder_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "file.txt"
    with pytest.raises(FileNotFoundError, match="nowhere"), write_whole(path) as beside:
        beside.write_bytes(b"new")
    assert not path.parent.exists()


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    """In one process even: the inner one ends first, the outer one last."""
    path = tmp_path / "file.txt"
    with write_whole(path) as outer, write_whole(path) as inner:
        outer.write_bytes(b"outer")
        inner.write_bytes(b"inner")
    assert path.read_bytes() == b"outer"
    assert [*tmp_path.iterdir()] == [path]


WRITER = """
import sys
from pathlib import Path
from typing import Any
from nn_tutorial.files import check_folder, write_whole
for turn in range(150):
    with write_whole(Path(sys.argv[1])) as beside, beside.open("wb") as file:
        for _ in range(40):
            file.write(sys.argv[2].encode() * 1000)
            file.flush()
"""


def test_several_processes_leave_it_whole_at_any_time(tmp_path: Path) -> None:
    """Three write at once, and each file that is read meanwhile is of one of them, all of it."""
    path = tmp_path / "file.txt"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter], env={**os.environ})
        for letter in "abc"
    ]
    whole, read = {letter.encode() * 40_000 for letter in "abc"}, 0
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            assert path.read_bytes() in whole
            read += 1
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert read
    assert [*tmp_path.iterdir()] == [path]


def test_folder_that_can_be_written_into_is_tried_without_a_trace(tmp_path: Path) -> None:
    check_folder(tmp_path, "--records")
    check_folder(tmp_path / "new" / "deep", "--records")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("place", ["file", "file/below", "file/below/it"])
def test_folder_that_is_a_file_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    told = r"--records: expected a folder to write into, got .*: .*file: Not a directory"
    with pytest.raises(ValueError, match=told):
        check_folder(tmp_path / place, "--records")


def test_folder_that_may_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")  # as root may do everything

    monkeypatch.setattr("tempfile.mkdtemp", forbidden)
    with pytest.raises(ValueError, match=f"--out: .*{tmp_path}: Permission denied"):
        check_folder(tmp_path / "new", "--out")


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (RuntimeError("unexpected\npos 64"), "is the disk full? PyTorch says: unexpected pos 64"),
    ],
    ids=["the system's", "PyTorch's"],
)
def test_what_could_not_be_written_is_named(
    tmp_path: Path, error: Exception, why: str, older: bool
) -> None:
    path = tmp_path / "new" / "a.json"
    if older:
        with write_named(path, "record") as beside:
            _text(beside)
    with (
        pytest.raises(OSError, match="could not be written") as caught,
        write_named(path, "record"),
    ):
        raise error
    there = "; the one of before is still there" if older else ""
    assert str(caught.value) == f"record: {path} could not be written{there}: {why}"
    assert path.is_file() == older


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=repr)
def test_other_errors_stay_as_they_are(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, write_named(tmp_path / "a.json", "record"):
        raise error
    assert caught.value is error
