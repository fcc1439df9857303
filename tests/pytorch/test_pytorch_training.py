"""The PyTorch training: interrupted, spread over processes, recorded, and still the same."""

import copy
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import ROOT, SMALL_FASHION, kill_at, script, without_clock, write_fashion
from torch import nn
from train_small import PLAN, InDouble, small_images

from nn_tutorial.data import fashion
from nn_tutorial.pytorch import records, runs, training
from nn_tutorial.pytorch.modules import BatchNorm2d, Dropout, set_share
from nn_tutorial.pytorch.networks import alexnet, count_parameters, fashion_cnn
from nn_tutorial.pytorch.processes import Processes, Share, processes
from nn_tutorial.pytorch.training import Interrupted, Plan, evaluate, normalisation, train

ALONE = Processes(0, 1, torch.device("cpu"))


def run(plan: Plan = PLAN, **more: Any) -> tuple[list[dict[str, float]], dict[str, torch.Tensor]]:
    """Train the small network; return its curves, without the clock, and its weights."""
    images, model = small_images(), InDouble()
    history = train(
        model, images, small_images(17), plan,
        scale=normalisation(images.x), among=ALONE, **more,
    )  # fmt: skip
    return without_clock(history), model.state_dict()


def test_it_learns() -> None:
    history, _ = run()
    assert history[-1]["val_loss"] < history[0]["val_loss"]
    assert history[-1]["val_accuracy"] > 0.5


@pytest.mark.parametrize("at", [(0, 0), (1, 2), (2, 3)], ids=["first", "middle", "last"])
def test_interrupted_and_resumed_is_uninterrupted(tmp_path: Path, at: tuple[int, int]) -> None:
    """To the last bit: dropout, flips, moments, running statistics and running sums."""
    whole, weights = run()
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(Interrupted, match=f"epoch {at[0] + 1} at step {at[1] + 1}"):
        run(checkpoint=checkpoint, after_step=kill_at(*at))
    resumed, resumed_weights = run(checkpoint=checkpoint)
    assert resumed == whole
    for name, value in weights.items():
        assert torch.equal(resumed_weights[name], value), name
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_finished_training_is_not_repeated(tmp_path: Path) -> None:
    whole, _ = run(checkpoint=tmp_path / "run.pt")
    steps: list[tuple[int, int]] = []
    again, _ = run(checkpoint=tmp_path / "run.pt", after_step=lambda *now: steps.append(now))
    assert again == whole
    assert steps == []


def test_signals_work_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    run()
    assert signal.getsignal(signal.SIGTERM) is before


def test_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    run(checkpoint=tmp_path / "run.pt")
    with pytest.raises(ValueError, match="another plan"):
        run(dataclasses.replace(PLAN, lr=0.02), checkpoint=tmp_path / "run.pt")


def test_failed_write_leaves_the_older_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(Interrupted):
        run(checkpoint=checkpoint, after_step=kill_at(1, 0))
    before = checkpoint.read_bytes()

    def fail(_: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="No space"):
        run(checkpoint=checkpoint)
    assert checkpoint.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_seed_decides_everything() -> None:
    assert run()[0] == run()[0]
    assert run()[0] != run(dataclasses.replace(PLAN, seed=6))[0]


@pytest.mark.xdist_group("torchrun")
def test_two_processes_give_the_curve_of_one(tmp_path: Path) -> None:
    """With shares of unequal size: 13 images a step, 6 and 7."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    out = tmp_path / "two.json"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*command, str(ROOT / "tests" / "pytorch" / "train_small.py"), str(out)],
        env=environment, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    two = json.loads(out.read_text())
    history, weights = run()
    for ours, theirs in zip(history, without_clock(two["history"]), strict=True):
        for name, value in ours.items():
            assert theirs[name] == pytest.approx(value, rel=1e-9), name
    for name, value in weights.items():
        np.testing.assert_allclose(two["weights"][name], value.numpy(), rtol=1e-6, atol=1e-9)


def test_shares_are_disjoint_and_complete() -> None:
    for world in (1, 2, 3, 5):
        for total in (5, 13, 50):
            shares = [Processes(r, world, ALONE.device).share(total) for r in range(world)]
            rows = [row for share in shares for row in range(share.start, share.stop)]
            assert rows == list(range(total))
            assert all(share.stop > share.start for share in shares)


def test_last_batch_smaller_than_the_processes_is_refused() -> None:
    images = small_images(27)  # 13 + 13 + 1
    with pytest.raises(ValueError, match="at least 2 images"):
        train(
            InDouble(), images, images, PLAN,
            scale=normalisation(images.x), among=Processes(0, 2, ALONE.device),
        )  # fmt: skip


def test_diverged_loss_is_named() -> None:
    with pytest.raises(FloatingPointError, match="learning rate"):
        run(dataclasses.replace(PLAN, lr=1e300))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"lr": 0.0}], ids=str)
def test_plan_refuses(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        dataclasses.replace(PLAN, **wrong)


@pytest.mark.parametrize("device", ["tpu", "cuda"])
def test_device_that_is_not_there(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device: expected cpu"), processes(device):
        pass


def test_normalisation_is_that_of_the_images() -> None:
    x = small_images().x
    scale = normalisation(x)
    pixels = x.double() / 255
    np.testing.assert_allclose(scale.mean, pixels.mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(scale.std, pixels.std((0, 2, 3), correction=0), rtol=1e-12)
    ready = training.prepare(x, scale)
    np.testing.assert_allclose(ready.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(ready.std((0, 2, 3), correction=0), 1, atol=1e-5)
    assert training.prepare(x, scale, 9).shape == (50, 3, 9, 9)
    side = x.shape[-1]
    for wide in (x[:, :, 1:], x[..., 1:]):  # one side has the length already
        assert training.prepare(wide, scale, side).shape == (50, 3, side, side)


def test_evaluation_changes_nothing_and_uses_no_dropout() -> None:
    images, model = small_images(), InDouble()
    scale, before = normalisation(images.x), copy.deepcopy(model.state_dict())
    first, again = (
        evaluate(model, images, scale=scale, image_size=7, among=ALONE) for _ in range(2)
    )
    assert first[:2] == again[:2]
    assert (first[2] == images.y).float().mean().item() == pytest.approx(first[1])
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


# Layers that mean the whole batch


def test_dropout_of_a_share_is_that_of_the_whole() -> None:
    x = torch.rand(7, 5)
    layer = Dropout(0.4)
    torch.manual_seed(3)
    whole = layer(x)
    layer.share = Share(2, 6, 7)
    torch.manual_seed(3)
    assert torch.equal(layer(x[2:6]), whole[2:6])
    kept = whole != 0
    torch.testing.assert_close(whole[kept], x[kept] / 0.6)
    assert torch.equal(layer.eval()(x), x)
    set_share(nn.Sequential(layer), None)
    assert layer.share is None
    assert "p=0.4" in repr(layer)


def test_dropout_refuses() -> None:
    with pytest.raises(ValueError, match="p: expected"):
        Dropout(1.0)


def test_batch_norm_alone_is_pytorchs() -> None:
    x = torch.randn(4, 3, 5, 2)
    ours, theirs = BatchNorm2d(3), nn.BatchNorm2d(3)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.running_var, theirs.running_var)


# Networks


def test_parameters_of_alexnet_are_exact() -> None:
    frozen, free = alexnet(freeze=True), alexnet(freeze=False)
    assert count_parameters(frozen, trainable=True) == 41_958_410
    assert count_parameters(free, trainable=True) == 44_428_106
    assert count_parameters(frozen) == count_parameters(free) == 44_428_106
    assert frozen(torch.zeros(1, 3, 64, 64)).shape == (1, 10)


def test_frozen_parameters_stay(tmp_path: Path) -> None:
    model = InDouble()
    model.network[:2].requires_grad_(False)
    images, before = small_images(), copy.deepcopy(model.state_dict())
    train(model, images, images, PLAN, scale=normalisation(images.x), among=ALONE)
    for name, value in model.state_dict().items():
        frozen = name.startswith(("network.0.", "network.1."))  # running statistics too
        assert torch.equal(value, before[name]) == frozen, name


@pytest.mark.parametrize("batch_norm", [True, False])
def test_fashion_cnn(batch_norm: bool) -> None:
    one, same, other = (fashion_cnn(batch_norm=batch_norm, seed=seed) for seed in (1, 1, 2))
    x = torch.rand(3, 1, 28, 28)
    assert one(x).shape == (3, 10)
    assert torch.equal(one[0].weight, same[0].weight)
    assert not torch.equal(one[0].weight, other[0].weight)
    assert any(isinstance(layer, BatchNorm2d) for layer in one) == batch_norm


# The script


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two short epochs on a small Fashion-MNIST; the record goes into the test's folder."""
    monkeypatch.setattr(fashion, "PARTS", SMALL_FASHION)
    write_fashion(tmp_path)
    return [
        "--root", str(tmp_path), "--records", str(tmp_path / "records"),
        "--checkpoints", str(tmp_path / "checkpoints"), "--epochs", "2", "--batch-size", "20",
        "--device", "cpu",
    ]  # fmt: skip


def test_script_writes_a_record(command: list[str], tmp_path: Path, capsys: Any) -> None:
    assert script("train_fashion_mnist").main(command) == 0
    record = records.read_record(tmp_path / "records" / "fashion-mnist.json")
    assert [*record] == [
        "name", "command", "date", "plan", "network", "data", "weights", "epochs", "test",
        "seconds", "processes", "code", "libraries", "device", "threads", "peak_memory",
    ]  # fmt: skip
    assert [*record["network"]] == ["batch_norm", "dropout", "parameters"]
    assert [*record["data"]] == ["name", "sha256", "split", "sizes", "mean", "std"]
    assert [*record["test"]] == ["loss", "accuracy", "confusion"]
    assert record["weights"] == "random"
    assert record["command"] == "python scripts/train_fashion_mnist.py --epochs 2 --batch-size 20"
    assert len(record["epochs"]) == 2
    assert record["data"]["split"] == "re-split"
    assert record["data"]["sizes"] == [55, 5, 20]
    assert np.sum(record["test"]["confusion"]) == 20
    right = np.trace(record["test"]["confusion"]) / 20
    assert record["test"]["accuracy"] == pytest.approx(right)
    assert "epoch 2/2" in capsys.readouterr().out
    assert not list((tmp_path / "checkpoints").iterdir())


def test_script_goes_on_after_an_interruption(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = script("train_fashion_mnist")
    whole.main([*command, "--name", "whole"])
    real = training.evaluate

    def evaluate_and_kill(*args: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)  # at the end of the first epoch
        return real(*args, **more)

    monkeypatch.setattr(training, "evaluate", evaluate_and_kill)
    assert whole.main([*command, "--name", "cut"]) == 143
    assert not (tmp_path / "records" / "cut.json").exists()
    monkeypatch.setattr(training, "evaluate", real)
    assert whole.main([*command, "--name", "cut"]) == 0
    one, other = (records.read_record(tmp_path / f"records/{n}.json") for n in ("whole", "cut"))
    assert without_clock(one["epochs"]) == without_clock(other["epochs"])
    assert one["test"] == other["test"]


def test_script_does_not_go_on_with_other_code_or_another_network(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Else the record would be of two programs. Code that changes meanwhile is not that of now."""
    module, real = script("train_fashion_mnist"), training.evaluate
    codes = iter(["one", "other", "one", "asked for too late"])
    monkeypatch.setattr(runs, "code_of", lambda _: {"train": next(codes)})

    def evaluate_and_kill(*args: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)  # at the end of the first epoch
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(training, "evaluate", evaluate_and_kill)
        assert module.main(command) == 143
    for more in ([], ["--dropout", "0.5"]):
        capsys.readouterr()
        assert module.main([*command, *more]) == 0
        assert "epoch 1/2" in capsys.readouterr().out
    record = json.loads((tmp_path / "records" / "fashion-mnist.json").read_text())
    assert record["code"] == {"train": "one"}
    assert len([*(tmp_path / "checkpoints").iterdir()]) == 1  # that of the first


def test_script_says_what_is_missing(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        script("train_fashion_mnist").main(["--root", str(tmp_path)])
    assert caught.value.code == 2
    assert "download fashion-mnist" in capsys.readouterr().err
