"""The comparison of two checkouts: what it sees, and when a record is stamped."""

import json
import subprocess
from pathlib import Path
from typing import Any

import check_same_training
import pytest
from check_same_training import (
    AROUND,
    FASHION,
    MEASURED,
    ROOT,
    commands,
    compare,
    main,
    without_measures,
    write_images,
)

from nn_tutorial.data import fashion
from nn_tutorial.data.cifar import cifar10_stored
from nn_tutorial.data.image_folder import image_part
from nn_tutorial.pytorch.records import code_of, read_record, write_record

RECORDED = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "docs" / "records").glob("*.json"))
]
# A training of one step: what it saves and records follows from the number in it.
TRAINING = """
import json, pathlib, sys, time, torch
out = pathlib.Path(sys.argv[sys.argv.index("--records") + 1])
out.mkdir(exist_ok=True)
weights = torch.ones(3) * {}
torch.save({{"model": weights, "seconds": time.time()}}, out.parent / "state.pt")
curve = [{{"loss": 1 / 3, "seconds": time.time()}}]
(out / "short.json").write_text(json.dumps({{"epochs": curve, "date": time.ctime()}}))
"""


def test_every_record_has_a_short_command_and_none_has_two() -> None:
    short = commands(record["command"] for record in RECORDED)
    scripts = [words[0] for words in short.values()]
    assert {*scripts} == {record["command"].split()[1] for record in RECORDED}
    assert scripts.index("scripts/pretrain_alexnet.py") < scripts.index("scripts/train_transfer.py")
    assert len({*map(tuple, short.values())}) == len(short)
    # With a thousand images or with all is the same here; frozen or not, and from what, is not.
    kinds = {(" --no-freeze" in c, "--weights file" in c) for c in short if "transfer" in c}
    assert len(kinds) == 4


def test_unknown_options_are_refused(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        commands(["python scripts/train_transfer.py --made-up 1"])
    assert "--made-up" in capsys.readouterr().err


def test_images_are_what_the_scripts_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path)
    monkeypatch.setattr(fashion, "PARTS", FASHION)
    assert fashion.fashion_mnist_stored(tmp_path).x_train.shape == (600, 1, 28, 28)
    assert cifar10_stored(tmp_path).x_train.shape == (100, 3, 32, 32)
    assert image_part(tmp_path / "shapes").x.shape == (36, 3, 32, 32)


def test_clock_is_left_out_at_any_depth() -> None:
    runs = {"runs": [{"memory": 1, "epochs": [{"loss": 2, "seconds": 3}]}], "seconds": 4}
    assert without_measures(runs) == {"runs": [{"epochs": [{"loss": 2}]}]}
    decided = {"epochs", "test", "plan", "network", "data", "weights", "audit", "methods", "runs"}
    assert not (AROUND | MEASURED) & (decided | {"weights_sha256", "backbone_sha256", "inside"})


@pytest.mark.parametrize(("number", "same"), [("0.1", True), ("0.1000001", False)])
def test_a_last_bit_of_a_saved_tensor_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, number: str, same: bool
) -> None:
    """And the clock is not."""
    for side, value in (("before", "0.1"), ("after", number)):
        (tmp_path / side / "scripts").mkdir(parents=True)
        (tmp_path / side / "scripts" / "train.py").write_text(TRAINING.format(value))
    monkeypatch.setattr(check_same_training, "ROOT", tmp_path / "after")
    monkeypatch.setattr(check_same_training, "write_images", lambda _: None)
    words = ["scripts/train.py", "--records", "{out}/records"]
    assert compare(tmp_path / "before", {"python scripts/train.py": words}) == same
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{'equal' if same else 'NOT EQUAL'}: python scripts/train.py"
    assert [line for line in said[1:] if line.endswith(":")] == ([] if same else ["  saved:"])


@pytest.mark.parametrize(
    ("claims", "same"),
    [
        ({"read once": "reads: 1", "no copies": "none"}, True),
        ({"no copies": "none"}, False),
        ({"read once": "reads: 2", "no copies": "none"}, False),
    ],
    ids=["a claim more", "a claim less", "other evidence"],
)
def test_audit_may_check_more_and_never_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, claims: dict[str, str], same: bool
) -> None:
    for side, found in (("before", {"read once": "reads: 1"}), ("after", claims)):
        (tmp_path / side / "scripts").mkdir(parents=True)
        audit = [{"claim": claim, "evidence": text, "ok": True} for claim, text in found.items()]
        text = TRAINING.format(1).replace('"date":', f'"audit": {audit}, "date":')
        (tmp_path / side / "scripts" / "train.py").write_text(text)
    monkeypatch.setattr(check_same_training, "ROOT", tmp_path / "after")
    monkeypatch.setattr(check_same_training, "write_images", lambda _: None)
    words = ["scripts/train.py", "--records", "{out}/records"]
    assert compare(tmp_path / "before", {"python scripts/train.py": words}) == same


@pytest.mark.parametrize(
    ("more", "same"),
    [({"shift": 0, "mixup": 0.0}, True), ({"shift": 2}, False), ({"unheard": 0}, False)],
    ids=["off", "on", "unknown"],
)
def test_an_option_more_that_changes_nothing_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, more: dict[str, Any], same: bool
) -> None:
    """In the plan of a record and in that of a checkpoint."""
    for side, plan in (("before", {"lr": 1}), ("after", {"lr": 1} | more)):
        (tmp_path / side / "scripts").mkdir(parents=True)
        text = TRAINING.format(1).replace('"date":', f'"plan": {plan}, "date":')
        text = text.replace('"seconds": time.time()},', f'"plan": {plan}}},', 1)
        (tmp_path / side / "scripts" / "train.py").write_text(text)
    monkeypatch.setattr(check_same_training, "ROOT", tmp_path / "after")
    monkeypatch.setattr(check_same_training, "write_images", lambda _: None)
    words = ["scripts/train.py", "--records", "{out}/records"]
    assert compare(tmp_path / "before", {"python scripts/train.py": words}) == same
    said = capsys.readouterr().out
    assert ("  plan:" in said and "  saved:" in said) != same


# Stamping


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of other code."""
    record = {"command": "python scripts/train_fashion_mnist.py", "code": {"main": "0"}, "lr": 1}
    write_record(record, tmp_path / "run.json")
    return tmp_path / "run.json"


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("stamp", [True, False])
def test_only_what_is_equal_is_stamped_and_only_if_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch, equal: bool, stamp: bool
) -> None:
    monkeypatch.setattr(check_same_training, "compare", lambda *_: equal)
    monkeypatch.setattr(check_same_training, "execute", lambda *_: None)
    before = path.read_bytes()
    more = ["--stamp"] if stamp else []
    assert main(["elsewhere", str(path), *more]) == (0 if equal else 1)
    if equal and stamp:
        assert read_record(path)["lr"] == 1
        now = {"code": code_of(read_record(path)["command"])}
        was = {k: v for k, v in json.loads(before).items() if k != "seal"}
        assert was | now == read_record(path)
    else:
        assert path.read_bytes() == before


def test_record_that_was_stale_before_is_not_stamped(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """Nobody knows what it is of. The other checkout is asked, here the same one."""
    monkeypatch.setattr(check_same_training, "compare", lambda *_: True)
    before = path.read_bytes()
    assert main([str(ROOT), str(path), "--stamp"]) == 1
    assert path.read_bytes() == before
    said = capfd.readouterr().err
    assert "changed: main" in said
    assert f"failed: {path}" in said


def test_training_that_fails_is_not_equal(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(*_: Any) -> bool:
        raise subprocess.CalledProcessError(2, ["python", "-c", "code", "scripts/train.py"])

    monkeypatch.setattr(check_same_training, "compare", fail)
    assert main(["elsewhere", str(path)]) == 1
    assert "failed: scripts/train.py" in capsys.readouterr().err


def test_what_is_no_checkout_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        check_same_training.main(["nowhere", "--stamp"])
    assert "before: expected a checkout of the project, got nowhere" in capsys.readouterr().err
