"""Two real processes under torchrun: cut, killed, gone on with, and nothing deprecated."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT, without_clock, write_fashion

REACHES = ["tests/pytorch/train_clothes.py"]
pytestmark = pytest.mark.xdist_group("torchrun")
LIMIT = 120  # seconds, against a hang alone: a run takes about eight
LOST = "train_fashion_mnist.py: error: another process of this training has ended, "

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three epochs of 55 pictures in six steps, over two processes that nothing may warn."""
    data = tmp_path_factory.mktemp("data")
    write_fashion(data)
    paths = [ROOT, ROOT / "scripts", ROOT / "tests"]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONWARNINGS": "error",
    }  # fmt: skip

    def start(folder: Path, when: str = "never") -> "subprocess.CompletedProcess[str]":
        places = ["--records", str(folder), "--checkpoints", str(folder), "--root", str(data)]
        return subprocess.run(
            [
                sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
                str(ROOT / "tests" / "pytorch" / "train_clothes.py"), when,
                "--device", "cpu", "--epochs", "3", "--batch-size", "10", *places,
            ],
            env=environment, capture_output=True, text=True, timeout=LIMIT,
        )  # fmt: skip

    return start


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "fashion-mnist.json").read_text())
    return found


@pytest.fixture(scope="module")
def whole(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of a training that nothing has cut; no warning either, else it would have."""
    folder = tmp_path_factory.mktemp("whole")
    ended = run(folder)
    assert ended.returncode == 0, ended.stderr
    assert record(folder)["processes"] == 2
    return record(folder)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """To the last bit: the curves, the test, the trained weights."""
    assert without_clock(one["epochs"]) == without_clock(other["epochs"])
    for name in ("test", "key", "model_sha256"):
        assert one[name] == other[name], name


def test_cut_amid_an_epoch_and_gone_on_is_uncut(
    run: Run, whole: dict[str, Any], tmp_path: Path
) -> None:
    """One process alone is asked to stop, and both do, at the same step."""
    cut = run(tmp_path, f"1,1,2,{signal.SIGTERM.value}")
    assert cut.returncode != 0
    said = "stopped in epoch 2 at step 3; the same command goes on from there"
    assert cut.stderr.count(said) == 2
    assert names(tmp_path) == {"fashion-mnist.pt"}
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "epoch 1/3" not in ended.stdout
    same(record(tmp_path), whole)


def test_killed_process_ends_the_job_with_one_message(
    run: Run, whole: dict[str, Any], tmp_path: Path
) -> None:
    """And what was done until the last whole epoch is not lost."""
    killed = run(tmp_path, f"0,1,2,{signal.SIGKILL.value}")
    assert killed.returncode != 0
    assert killed.stderr.count(LOST) == 1
    assert "[rank1]: Traceback" not in killed.stderr
    assert names(tmp_path) == {"fashion-mnist.pt"}
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "epoch 1/3" not in ended.stdout
    same(record(tmp_path), whole)
