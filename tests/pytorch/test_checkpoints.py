"""Checkpoints: gone on from by the same training alone, and only if they are as written."""

import copy
import dataclasses
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import ROOT, kill_at
from test_pytorch_training import ALONE, run
from torch import nn
from train_small import PLAN, InDouble, small_images

from nn_tutorial.pytorch import checkpoints
from nn_tutorial.pytorch.checkpoints import (
    CheckpointError,
    check_same,
    load_checkpoint,
    save_checkpoint,
)
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import Images, Interrupted, Normalisation, normalisation, train

STATE = {"step": 3, "model": {"weight": torch.arange(200.0)}}
KEY = {"plan": {"lr": 0.1}, "processes": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The checkpoint of a training that was interrupted in its second epoch."""
    place = tmp_path / "run.pt"
    with pytest.raises(Interrupted):
        run(checkpoint=place, after_step=kill_at(1, 0), recipe={"options": {"dropout": 0.3}})
    return place


def go_on(path: Path, **change: Any) -> Any:
    """The training of `path`, with something changed."""
    model, images = InDouble(), small_images()
    given = {
        "images": images, "validation": small_images(17), "plan": PLAN,
        "scale": normalisation(images.x), "among": ALONE,
        "recipe": {"options": {"dropout": 0.3}},
    }  # fmt: skip
    change.pop("model", lambda _: None)(model)
    return train(model, checkpoint=path, **(given | change))


def drop_more(model: InDouble) -> None:
    model.network[3].p = 0.4


def freeze(model: InDouble) -> None:
    model.network[0].weight.requires_grad_(False)


def other_weights(model: InDouble) -> None:
    with torch.no_grad():
        model.network[5].bias[0] += 1e-9


def relabelled() -> Images:
    images = small_images()
    return Images(images.x, images.y.flip(0))


def brighter() -> Images:
    images = small_images()
    return Images(images.x + 1, images.y)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"plan": dataclasses.replace(PLAN, lr=0.02)}, "plan.lr: 0.01 there, 0.02 here"),
        ({"plan": dataclasses.replace(PLAN, epochs=4)}, "plan.epochs: 3 there, 4 here"),
        ({"plan": dataclasses.replace(PLAN, cosine=False)}, "plan.cosine: True there, False here"),
        ({"recipe": {"options": {"dropout": 0.5}}}, "options.dropout: 0.3 there, 0.5 here"),
        ({"recipe": None}, "options: {'dropout': 0.3} there, None here"),
        ({"model": drop_more}, "network: '(3): Dropout(p=0.3)' there, '(3): Dropout(p=0.4)' here"),
        ({"model": freeze}, "trainable: 'network.0.weight' there, 'network.1.weight' here"),
        ({"model": other_weights}, "weights: "),
        ({"images": small_images(49)}, "training.count: 50 there, 49 here"),
        ({"images": relabelled()}, "training.labels: "),
        ({"images": brighter()}, "training.pictures: "),
        ({"validation": small_images(18)}, "validation.count: 17 there, 18 here"),
        ({"scale": Normalisation([0.5] * 3, [0.25] * 3)}, "scale.mean: "),
        ({"among": Processes(0, 2, ALONE.device)}, "processes: 1 there, 2 here"),
    ],
    ids=[
        "rate", "epochs", "schedule", "option", "no options", "network", "what is frozen",
        "weights", "fewer pictures", "labels", "pictures", "validation", "statistics", "processes",
    ],
)  # fmt: skip
def test_another_training_is_refused(path: Path, change: dict[str, Any], named: str) -> None:
    """With what differs, both values, and how to begin anew; the file stays as it is."""
    before = path.read_bytes()
    with pytest.raises(CheckpointError) as caught:
        go_on(path, **change)
    said = str(caught.value)
    assert said.startswith(f"checkpoint: {path} is of another training: ")
    assert named in said
    assert "Remove it or take another --name to begin anew" in said
    assert "\n" not in said
    assert path.read_bytes() == before
    assert len(go_on(path)) == PLAN.epochs  # the same one still goes on


def test_a_message_shows_a_few_differences_and_counts_the_others(tmp_path: Path) -> None:
    here = {f"option {i}": i for i in range(8)}
    with pytest.raises(CheckpointError, match=r"option 4: None there, 4 here; and 3 more\."):
        check_same(tmp_path, {}, here)
    check_same(tmp_path, {"sizes": [1, 2]}, {"sizes": (1, 2)})  # JSON knows no tuples


def test_state_and_key_come_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "new" / "a.pt", STATE, KEY)
    for mmap in (False, True):
        state, key = load_checkpoint(tmp_path / "new" / "a.pt", mmap=mmap)
        assert key == KEY
        assert state["step"] == 3
        assert torch.equal(state["model"]["weight"], STATE["model"]["weight"])


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    """At a hundred places, and at each byte of what stands behind the state."""
    path = tmp_path / "a.pt"
    save_checkpoint(path, STATE, KEY)
    whole = path.read_bytes()
    behind = range(len(whole) - 150, len(whole))
    for at in [*random.Random(0).sample(range(len(whole)), 100), *behind]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"a\.pt is .*; remove it to begin anew"):
            load_checkpoint(path)


def version_one(path: Path) -> None:
    torch.save(STATE, path)


def later(path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "VERSION", 3)
        save_checkpoint(path, STATE, KEY)


def half(path: Path) -> None:
    save_checkpoint(path, STATE, KEY)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (version_one, "is of another version"),
        (later, "is of version 3, expected 2"),
        (half, "not whole"),
        (lambda path: path.write_bytes(b""), "not whole"),
        (lambda path: path.write_text("a letter to a friend, and longer than the end"), "at all"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda _: None, "cannot be read: No such file"),
    ],
    ids=["version 1", "version 3", "half", "empty", "foreign", "folder", "missing"],
)
def test_what_is_no_checkpoint_of_today_is_named(
    tmp_path: Path, make: Callable[[Path], Any], said: str
) -> None:
    path = tmp_path / "a.pt"
    make(path)
    with pytest.raises(CheckpointError, match=r"checkpoint: .*a\.pt ") as caught:
        load_checkpoint(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_training_leaves_what_it_cannot_go_on_from(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    half(path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="not whole"):
        go_on(path)
    assert path.read_bytes() == before


WRITE = """
import resource, sys, torch
from pathlib import Path
from nn_tutorial.pytorch.checkpoints import save_checkpoint
path, size = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    save_checkpoint(path, {"model": torch.ones(size)}, {})
except OSError as error:
    print(error)
"""


def test_full_disk_leaves_the_older_one(tmp_path: Path) -> None:
    """PyTorch's own writer runs out of space: files may have 200 kB here."""
    path = tmp_path / "a.pt"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def write(size: int) -> str:
        command = [sys.executable, "-c", WRITE, str(path), str(size)]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=100
        ).stdout

    said = write(100_000)
    assert said.startswith(f"checkpoint: {path} could not be written: is the disk full? ")
    assert [*tmp_path.iterdir()] == []
    assert write(1000) == ""
    before = path.read_bytes()
    said = write(100_000)
    assert "could not be written; the one of before is still there: " in said
    assert said.count("\n") == 1
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]


def test_key_that_pytorch_could_not_read_past_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="key: expected at most 60000 bytes"):
        save_checkpoint(tmp_path / "a.pt", STATE, {"code": "x" * 70_000})
    save_checkpoint(tmp_path / "a.pt", STATE, {"code": "x" * 59_900})
    assert load_checkpoint(tmp_path / "a.pt")[0]["step"] == 3


def test_key_is_of_the_first_weights_and_changes_nothing(path: Path) -> None:
    model = InDouble()
    before = copy.deepcopy(model.state_dict())
    _, key = load_checkpoint(path)
    assert [*key] == [
        "options", "plan", "network", "trainable", "weights", "training", "validation", "scale",
        "processes",
    ]  # fmt: skip
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert isinstance(model.network[0], nn.Conv2d)


def test_sums_of_each_process_are_kept(path: Path) -> None:
    """Those of the epoch so far: each process goes on with its own."""
    state, _ = load_checkpoint(path)
    assert len(state["sums"]) == 1
    assert state["sums"][0][2] == PLAN.batch_size
