"""The package's source archive: it has its tests, they run in it, and it has what pages read."""

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from helpers import ROOT
from sitegen.output import dates

REACHES = ["nn_tutorial/", "setup.py", "MANIFEST.in", "pyproject.toml"]
BUILD = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
RUN = ["tests/layers/test_initializers.py", "tests/test_command_line.py"]
NOT_OURS = (".*", "node_modules", "site", "runs", "build", "dist", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    # Not in the repository: setuptools leaves what it makes on the way.
    copy = shutil.copytree(ROOT, folder / "copy", ignore=shutil.ignore_patterns(*NOT_OURS))
    command = [sys.executable, "-c", BUILD, str(folder)]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "out", filter="data")
    return next((folder / "out").iterdir())


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for part in ("benchmarks", "docs", "nn_tutorial", "overrides", "scripts", "tests")
        for path in (folder / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_nothing_is_missing(unpacked: Path) -> None:
    hidden = re.compile(r"(^|/)(\.|node_modules/)")
    expected = {name for name in files(ROOT) if not hidden.search(name)}
    assert expected - files(unpacked) == set()


def test_its_tests_run_in_it(unpacked: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--no-cov", "-n", "0", *RUN]
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_a_book_without_commits_has_a_date(unpacked: Path, tmp_path: Path) -> None:
    newest = max(path.stat().st_mtime for path in (unpacked / "docs").rglob("*.py"))
    assert int(dates.last_change(unpacked, unpacked / "docs")) >= int(newest) > 1.7e9
    assert dates.last_change(tmp_path, tmp_path / "docs") == "0"


def test_a_repository_around_a_book_has_no_date_for_it(tmp_path: Path) -> None:
    name = ["-c", "user.name=a", "-c", "user.email=a@b.test"]
    for words in (["init", "-q"], [*name, "commit", "-q", "--allow-empty", "-m", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / "book" / "docs").mkdir(parents=True)
    assert int(dates.last_change(tmp_path, tmp_path / "docs")) > 1.7e9
    assert dates.last_change(tmp_path / "book", tmp_path / "book" / "docs") == "0"
