"""The scripts of the transfer chapter, on a small network and few images."""

import functools
import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import TinyAlexNet, kill_at, script, without_clock
from PIL import Image
from torch import nn

from nn_tutorial.data.cifar import CLASSES
from nn_tutorial.pytorch import frozen, records
from nn_tutorial.pytorch.checkpoints import load_checkpoint
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import Images
from nn_tutorial.pytorch.weights import read_backbone, tensors_sha256

ALONE = Processes(0, 1, torch.device("cpu"))


def write_noise(
    root: Path, parts: dict[str, int], *, classes: tuple[str, ...] = CLASSES, side: int = 32
) -> Path:
    """A tree of images, no two of them alike: so many a class in each part."""
    draw = np.random.default_rng(4)
    for part, count in parts.items():
        for k, name in enumerate(classes):
            folder = root / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = draw.integers(20 * k, 20 * k + 70, (side, side, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i:03}.png")
    return root


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a CIFAR-10 of 100 images to train and validate, and 20 to test."""
    root = tmp_path_factory.mktemp("data")
    write_noise(root / "cifar10", {"train": 10, "test": 2})
    return root


@pytest.fixture
def transfer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script with a small network instead of AlexNet."""
    module = script("train_transfer")
    monkeypatch.setattr(module, "alexnet", TinyAlexNet)
    return module


@pytest.fixture
def command(images: Path, tmp_path: Path) -> list[str]:
    return [
        "--weights", "random", "--root", str(images), "--records", str(tmp_path / "records"),
        "--checkpoints", str(tmp_path / "checkpoints"), "--epochs", "2", "--batch-size", "30",
        "--image-size", "16", "--device", "cpu",
    ]  # fmt: skip


def recorded(folder: Path, name: str = "transfer") -> dict[str, Any]:
    return records.read_record(folder / "records" / f"{name}.json")


def stop(module: Any, monkeypatch: pytest.MonkeyPatch, epoch: int, step: int) -> None:
    """Let the script's training get a SIGTERM after a step."""
    cut = functools.partial(module.train, after_step=kill_at(epoch, step))
    monkeypatch.setattr(module, "train", cut)


# The training


def test_record_holds_all_that_decides_it(
    transfer: Any, command: list[str], tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "new" / "answers.csv"
    assert transfer.main([*command, "--submission", str(path)]) == 0
    record = recorded(tmp_path)
    assert record["command"] == (
        "python scripts/train_transfer.py --epochs 2 --batch-size 30 "
        f"--threads {torch.get_num_threads()} --weights random --image-size 16 "
        "--submission answers.csv"
    )
    assert len(record["epochs"]) == 2
    assert {*record["epochs"][0]} == {
        "train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds",
    }  # fmt: skip
    assert record["plan"]["image_size"] == 16
    network = record["network"]
    assert network["freeze"] is True
    assert network["parameters"] - network["trainable"] == 4 * 27 + 4 + 8
    assert record["data"]["sizes"] == [80, 20, 20]
    assert record["data"]["class_names"] == [*CLASSES]
    assert "PNG" in record["data"]["source"]
    assert record["weights"] == "random weights"
    assert record["weights_origin"] == "random"
    assert record["weights_sha256"] == tensors_sha256(TinyAlexNet().features.state_dict())
    assert record["peak_memory"] > 1e6
    assert len(record["audit"]) == 15
    assert all(finding["ok"] for finding in record["audit"])
    out = capsys.readouterr().out
    assert "epoch 2/2" in out
    assert "holds: the test split was read once" in out
    assert not list((tmp_path / "checkpoints").iterdir())


def test_submission_is_what_the_network_answered(
    transfer: Any, command: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "answers.csv"
    transfer.main([*command, "--submission", str(path)])
    lines = path.read_bytes().decode().split("\n")
    assert lines[0] == "id,label"
    assert lines[-1] == ""
    rows = [line.split(",") for line in lines[1:-1]]
    assert [row[0] for row in rows] == [str(i) for i in range(1, 21)]
    pairs = np.zeros((10, 10), int)
    for i, (_, label) in enumerate(rows):  # the test folder has its classes in order, two of each
        pairs[i // 2, CLASSES.index(label)] += 1
    test = recorded(tmp_path)["test"]
    assert test["confusion"] == pairs.tolist()
    assert test["accuracy"] == pytest.approx(np.trace(pairs) / 20)


@pytest.mark.parametrize("at", [(0, 1), (1, 0)], ids=str)
def test_interrupted_amid_an_epoch_and_resumed_is_uninterrupted(
    transfer: Any, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    at: tuple[int, int],
) -> None:  # fmt: skip
    answers = [tmp_path / "whole.csv", tmp_path / "cut.csv"]
    transfer.main([*command, "--name", "whole", "--submission", str(answers[0])])
    resumed = [*command, "--name", "cut", "--submission", str(answers[1])]
    with monkeypatch.context() as patch:
        stop(transfer, patch, *at)
        assert transfer.main(resumed) == 143
    assert not (tmp_path / "records" / "cut.json").exists()
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    assert transfer.main(resumed) == 0
    one, other = (recorded(tmp_path, name) for name in ("whole", "cut"))
    assert without_clock(one["epochs"]) == without_clock(other["epochs"])
    assert one["test"] == other["test"]
    assert one["audit"] == other["audit"]
    assert answers[0].read_bytes() == answers[1].read_bytes()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--no-freeze"], "options.freeze: True there, False here"),
        (["--images", "40"], "options.images: None there, 40 here"),
        (["--seed", "1"], "plan.seed: 0 there, 1 here"),
        (["--lr", "0.01"], "plan.lr: 0.001 there, 0.01 here"),
        (["--image-size", "17"], "plan.image_size: 16 there, 17 here"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_other_training_of_the_same_name_is_refused(
    transfer: Any, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: Any, change: list[str], named: str,
) -> None:  # fmt: skip
    """And the interrupted one can still go on; under another name, the other one begins anew."""
    transfer.main([*command, "--name", "whole"])
    with monkeypatch.context() as patch:
        stop(transfer, patch, 0, 1)
        assert transfer.main(command) == 143
    with pytest.raises(SystemExit) as caught:
        transfer.main([*command, *change])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert named in said
    assert "Remove it or take another --name" in said
    assert not (tmp_path / "records" / "transfer.json").exists()
    assert transfer.main([*command, *change, "--name", "other"]) == 0
    assert transfer.main(command) == 0
    one, other = recorded(tmp_path, "whole"), recorded(tmp_path)
    assert without_clock(one["epochs"]) == without_clock(other["epochs"])


def test_free_convolutions_are_trained(transfer: Any, command: list[str], tmp_path: Path) -> None:
    assert transfer.main([*command, "--no-freeze"]) == 0
    record = recorded(tmp_path)
    assert record["network"]["trainable"] == record["network"]["parameters"]
    assert "--no-freeze" in record["command"]
    assert record["audit"][0]["evidence"].startswith("of 0,")


def test_few_images_train_and_as_many_validate(
    transfer: Any, command: list[str], tmp_path: Path
) -> None:
    transfer.main([*command, "--name", "all"])
    transfer.main([*command, "--images", "30", "--name", "few"])
    every, few = recorded(tmp_path, "all"), recorded(tmp_path, "few")
    assert few["data"]["sizes"] == [30, 20, 20]
    assert few["data"]["mean"] != every["data"]["mean"]  # those of its own 30
    assert few["data"]["sha256"] == every["data"]["sha256"]


def test_split_is_in_equal_shares_and_nested(transfer: Any) -> None:
    labels = np.repeat(np.arange(10), 50)
    every, held = transfer.split(labels, None, 3)
    assert (len(every), len(held)) == (400, 100)
    assert sorted([*every, *held]) == list(range(500))
    larger, same = transfer.split(labels, 100, 3)
    smaller, _ = transfer.split(labels, 20, 3)
    np.testing.assert_array_equal(same, held)
    assert {*smaller} < {*larger} < {*every}
    assert np.bincount(labels[smaller]).tolist() == [2] * 10
    with pytest.raises(ValueError, match="of sum 400 at most"):
        transfer.split(labels, 401, 3)


def test_test_image_among_the_others_stops_it_before_the_training(
    transfer: Any, command: list[str], images: Path, tmp_path: Path, capsys: Any
) -> None:
    shutil.copytree(images / "cifar10", tmp_path / "leaky" / "cifar10")
    tree = tmp_path / "leaky" / "cifar10"
    shutil.copy(tree / "test" / "cat" / "001.png", tree / "train" / "dog" / "010.png")
    assert transfer.main([*command, "--root", str(tmp_path / "leaky")]) == 1
    said = capsys.readouterr()
    assert "FAILS: no image is in two splits" in said.err
    assert "= test 7" in said.err
    assert "epoch" not in said.out
    assert not (tmp_path / "records").exists()


def test_failed_audit_leaves_no_record_and_no_submission(
    transfer: Any, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def half_frozen(**more: Any) -> TinyAlexNet:
        model = TinyAlexNet(**more)
        model.features[0].bias.requires_grad_(True)
        return model

    monkeypatch.setattr(transfer, "alexnet", half_frozen)
    assert transfer.main([*command, "--submission", str(tmp_path / "answers.csv")]) == 1
    said = capsys.readouterr().err
    assert "FAILS: every frozen tensor stayed" in said
    assert "features.0.bias" in said
    assert not (tmp_path / "records").exists()
    assert not (tmp_path / "answers.csv").exists()
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--submission", "answers.txt"], "expected a name in .csv"),
        (["--weights", "file"], "pretrain_alexnet"),
        (["--weights", "file", "--backbone", "nowhere.pt"], "nowhere.pt is not there"),
        (["--root", "/nowhere"], "download cifar10"),
        (["--images", "81"], "of sum 80 at most"),
        (["--lr", "0"], "lr: expected"),
        (["--images", "0"], "argument --images: expected a whole number of at least 1"),
        (["--image-size", "2"], "pictures that the network takes, got (3, 2, 2)"),
        (["--submission", "/dev/null/answers.csv"], "--submission: expected a folder to write"),
        (["--save", "/dev/null/model.safetensors"], "--save: expected a folder to write into"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_arguments_are_said(
    transfer: Any, command: list[str], capsys: Any, change: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        transfer.main([*command, *change])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_failed_write_leaves_the_older_submission(transfer: Any, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    transfer.write_submission(["cat"], path)

    def names() -> Any:
        yield "dog"
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        transfer.write_submission(names(), path)
    assert path.read_text() == "id,label\n1,cat\n"
    assert [p.name for p in tmp_path.iterdir()] == ["answers.csv"]


# Frozen features, computed once


def test_cached_run_is_recorded_and_the_next_needs_no_convolutions(
    transfer: Any,
    command: list[str],
    tmp_path: Path,
    capsys: Any,
) -> None:
    assert transfer.main([*command, "--name", "plain"]) == 0
    assert transfer.main([*command, "--cached"]) == 0
    assert "100 pictures pass the convolutions, once" in capsys.readouterr().out
    assert transfer.main([*command, "--cached", "--lr", "0.01", "--name", "next"]) == 0
    assert "no picture passes the convolutions" in capsys.readouterr().out
    plain, once, after = (recorded(tmp_path, name) for name in ("plain", "transfer", "next"))
    assert "--cached" in once["command"]
    assert once["key"]["options"]["cached"] is True
    assert (once["features"]["rows"], once["features"]["passed"]) == (100, 100)
    assert (after["features"]["rows"], after["features"]["passed"]) == (100, 0)
    assert "features" not in plain
    assert "frozen features were computed once" in once["audit"][-3]["claim"]
    assert len(plain["audit"]) == len(once["audit"]) - 3
    assert once["network"] == plain["network"]
    for one, other in zip(plain["epochs"], once["epochs"], strict=True):
        assert one["val_loss"] == pytest.approx(other["val_loss"], abs=1e-3)
    (path,) = (tmp_path / "checkpoints").iterdir()
    _, key = load_checkpoint(path)
    assert key["code"] == {name: once["code"][name] for name in ("convolved", "prepare")}


def test_interrupted_on_stored_features_is_uninterrupted(
    transfer: Any, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    transfer.main([*command, "--cached", "--name", "whole"])
    with monkeypatch.context() as patch:
        stop(transfer, patch, 1, 0)
        assert transfer.main([*command, "--cached"]) == 143
    assert transfer.main([*command, "--cached"]) == 0
    one, other = recorded(tmp_path, "whole"), recorded(tmp_path)
    assert without_clock(one["epochs"]) == without_clock(other["epochs"])
    assert one["test"] == other["test"]


@pytest.mark.parametrize(("place", "value"), [("rows", 99), ("passed", 40)], ids=["rows", "passed"])
def test_record_with_other_counts_of_features_is_refused(
    transfer: Any,
    command: list[str],
    tmp_path: Path,
    place: str,
    value: int,
) -> None:
    transfer.main([*command, "--cached"])
    path = tmp_path / "records" / "transfer.json"
    record = json.loads(path.read_text())
    record["features"][place] = value
    with pytest.raises(ValueError, match=rf"features\.{place}: expected"):
        records.write_record(record, path)


def test_free_convolutions_are_not_stored(
    transfer: Any,
    command: list[str],
    capsys: Any,
) -> None:
    with pytest.raises(SystemExit) as caught:
        transfer.main([*command, "--cached", "--no-freeze"])
    assert caught.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith("error: --cached: expected frozen convolutions, got --no-freeze")


def test_two_processes_do_not_store(transfer: Any) -> None:
    chosen = transfer.arguments().parse_args(["--cached"])
    with pytest.raises(ValueError, match="--cached: expected one process, got 2"):
        transfer.check_cached(chosen, ALONE._replace(world=2))


def test_full_disk_ends_the_script_with_one_line(
    transfer: Any,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 1000)
    monkeypatch.setattr(frozen.shutil, "disk_usage", lambda _: usage)
    assert transfer.main([*command, "--cached"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("train_transfer.py: error: features: expected ")


# The pretraining


@pytest.fixture
def pretrain(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script with the small network's features."""
    module = script("pretrain_alexnet")

    def light(*, n_classes: int, seed: int) -> nn.Module:
        return TinyAlexNet(n_classes=n_classes, freeze=False, seed=seed)

    monkeypatch.setattr(module, "light_alexnet", light)
    return module


@pytest.fixture
def source(tmp_path: Path, command: list[str]) -> list[str]:
    """Arguments to pretrain on a tree that has a training part alone."""
    tree = write_noise(tmp_path / "shapes", {"train": 10}, classes=("disc", "ring", "star"), side=8)
    shutil.copy(tree / "train" / "disc" / "000.png", tree / "train" / "star" / "999.png")
    return [*command[4:], "--data", str(tree), "--validation", "0.2"]


def test_pretrained_backbone_is_what_the_transfer_starts_from(
    pretrain: Any, transfer: Any, source: list[str], command: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "made" / "backbone.pt"
    assert pretrain.main([*source, "--out", str(out), "--source", "shapes (PNG)"]) == 0
    made = recorded(tmp_path, "alexnet-pretrained")
    assert made["data"]["sizes"] == [24, 6]  # 31 files, one of them a copy
    assert made["test"] is None
    assert made["plan"]["cosine"]
    assert made["plan"]["flip"]
    assert "--data shapes " in made["command"]
    tensors, about = read_backbone(out)
    assert about["accuracy"] == made["epochs"][-1]["val_accuracy"]
    assert about["source_sha256"] == made["data"]["sha256"]
    assert about["sha256"] == made["backbone_sha256"] == tensors_sha256(tensors)
    assert transfer.main([*command, "--weights", "file", "--backbone", str(out)]) == 0
    record = recorded(tmp_path)
    assert record["weights_sha256"] == made["backbone_sha256"]
    assert record["weights"].startswith("weights pretrained on shapes (PNG) (2 epochs, ")
    assert "--weights file --backbone backbone.pt" in record["command"]
    assert str(tmp_path) not in json.dumps(record)


def test_of_equal_images_the_first_stays() -> None:
    x = torch.arange(4, dtype=torch.uint8)[[2, 0, 2, 3, 0]][:, None, None, None]
    kept = script("pretrain_alexnet").once_each(Images(x, torch.arange(5)))
    assert kept.x.flatten().tolist() == [2, 0, 3]
    assert kept.y.tolist() == [0, 1, 3]


def test_pretraining_goes_on_where_it_was(
    pretrain: Any, source: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole.pt", tmp_path / "cut.pt"
    pretrain.main([*source, "--name", "whole", "--out", str(whole)])
    with monkeypatch.context() as patch:
        stop(pretrain, patch, 1, 0)
        assert pretrain.main([*source, "--name", "cut", "--out", str(cut)]) == 143
    assert not cut.exists()
    assert pretrain.main([*source, "--name", "cut", "--out", str(cut)]) == 0
    assert read_backbone(whole)[1] == read_backbone(cut)[1]  # its SHA-256 too


def test_backbone_lies_in_the_data_folder_unless_told(
    pretrain: Any, source: list[str], tmp_path: Path
) -> None:
    assert pretrain.main([*source, "--root", str(tmp_path / "data")]) == 0
    assert (tmp_path / "data" / "weights" / "alexnet-pretrained.pt").is_file()


def test_backbone_that_cannot_be_written_is_named(
    pretrain: Any, source: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A folder before the training; a full disk after it, when the training is not lost."""
    with pytest.raises(SystemExit):
        pretrain.main([*source, "--out", str(tmp_path)])
    assert f"--out: expected a file, {tmp_path} is a folder" in capsys.readouterr().err
    really, out = torch.save, tmp_path / "b.pt"

    def full(value: Any, path: Path) -> None:
        if path.name == out.name:
            raise RuntimeError("[enforce fail]")
        really(value, path)

    monkeypatch.setattr(torch, "save", full)
    assert pretrain.main([*source, "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert f"error: backbone: {out} could not be written: is the disk full?" in said
    assert said.count("\n") == 1
    monkeypatch.setattr(torch, "save", really)
    assert pretrain.main([*source, "--out", str(out)]) == 0
    assert "epoch 1/2" not in capsys.readouterr().out


@pytest.mark.parametrize("share", ["0", "1", "nan", "-1"])
def test_validation_share_leaves_images_for_both(
    pretrain: Any, source: list[str], capsys: Any, share: str
) -> None:
    with pytest.raises(SystemExit):
        pretrain.main([*source, "--validation", share])
    assert "--validation: expected above 0 and below 1" in capsys.readouterr().err


def test_alexnet_of_62_pixels_is_refused_before_a_step() -> None:
    from nn_tutorial.pytorch.networks import alexnet
    from nn_tutorial.pytorch.training import Normalisation, Plan, train

    some = Images(torch.zeros(2, 3, 32, 32, dtype=torch.uint8), torch.tensor([0, 9]))
    for size in (62, 63):
        plan, steps = Plan(epochs=1, batch_size=2, lr=0.001, image_size=size), []

        def stop_at_once(*now: int, steps: list[Any] = steps) -> None:
            steps.append(now)
            raise StopIteration

        with pytest.raises(ValueError if size == 62 else StopIteration) as caught:
            train(
                alexnet(freeze=True), some, some, plan, scale=Normalisation([0.5] * 3, [0.5] * 3),
                among=ALONE, after_step=stop_at_once,
            )  # fmt: skip
        assert ("(3, 62, 62)" in str(caught.value)) == (size == 62)
        assert len(steps) == (size == 63)


def test_light_alexnet_has_alexnets_features() -> None:
    from nn_tutorial.pytorch.networks import alexnet

    light = script("pretrain_alexnet").light_alexnet(n_classes=7, seed=1)
    theirs = alexnet(freeze=True).features.state_dict()
    ours = light.features.state_dict()
    assert {n: v.shape for n, v in ours.items()} == {n: v.shape for n, v in theirs.items()}
    assert light(torch.zeros(2, 3, 64, 64)).shape == (2, 7)
    assert torch.equal(
        script("pretrain_alexnet").light_alexnet(n_classes=7, seed=1).features[0].weight,
        light.features[0].weight,
    )
