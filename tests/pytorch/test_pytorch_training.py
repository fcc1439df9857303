"""The PyTorch training: interrupted, spread over processes, recorded, and still the same."""

import copy
import dataclasses
import json
import math
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import ROOT, SMALL_FASHION, kill_at, script, without_clock, write_fashion
from torch import nn
from train_small import PLAN, PLANS, InDouble, small_images

from nn_tutorial.data import fashion
from nn_tutorial.pytorch import records, runs, training
from nn_tutorial.pytorch.checkpoints import load_checkpoint
from nn_tutorial.pytorch.modules import BatchNorm2d, Dropout, set_share
from nn_tutorial.pytorch.networks import alexnet, count_parameters, fashion_cnn
from nn_tutorial.pytorch.processes import Processes, Share, processes
from nn_tutorial.pytorch.training import (
    Images,
    Interrupted,
    Plan,
    evaluate,
    normalisation,
    train,
)

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


OTHERS = {
    "moves": {"shift": 2}, "mixtures": {"mixup": 0.4},
    "one cycle": {"cosine": False, "one_cycle": True},
}  # fmt: skip


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_every_option_interrupted_and_resumed(tmp_path: Path, change: dict[str, Any]) -> None:
    """To the last bit; and it is another training than the one without."""
    plan = dataclasses.replace(PLAN, **change)
    whole, weights = run(plan)
    assert whole != run()[0]
    with pytest.raises(Interrupted):
        run(plan, checkpoint=tmp_path / "run.pt", after_step=kill_at(1, 2))
    resumed, resumed_weights = run(plan, checkpoint=tmp_path / "run.pt")
    assert resumed == whole
    assert all(torch.equal(resumed_weights[name], value) for name, value in weights.items())


def test_moved_pictures_by_hand() -> None:
    """Down and right by one; up by one and left by two; not at all. Black comes in."""
    picture = torch.arange(1, 10, dtype=torch.uint8).reshape(1, 1, 3, 3)
    moves = torch.tensor([[1, 1], [-1, -2], [0, 0]])
    found = training._moved(picture.expand(3, 1, 3, 3), moves, 2)
    assert found.dtype == torch.uint8
    assert found[:, 0].tolist() == [
        [[0, 0, 0], [0, 1, 2], [0, 4, 5]],
        [[6, 0, 0], [9, 0, 0], [0, 0, 0]],
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    ]


def seen(plan: Plan, epochs: int = 1) -> list[torch.Tensor]:
    """What the network reads in each step; one white pixel in the middle of 7x7."""
    x = torch.zeros(12, 1, 7, 7, dtype=torch.uint8)
    x[:, :, 3, 3] = 255
    images, read = Images(x, torch.arange(12) % 3), []
    net = nn.Sequential(nn.Flatten(), nn.Linear(49, 3))
    net.register_forward_pre_hook(
        lambda module, given: read.append(given[0]) if module.training else None
    )
    scale = training.Normalisation([0.0], [1.0])
    train(net, images, images, plan, scale=scale, among=ALONE)
    return read


def test_moves_are_all_that_there_are_and_no_others() -> None:
    """Each of the 25 places within two pixels comes in 600 pictures, and none beyond."""
    plan = Plan(epochs=50, batch_size=12, lr=0.01, shift=2)
    read = seen(plan)
    places = {tuple(place) for x in read for place in x[:, 0].nonzero()[:, 1:].tolist()}
    assert places == {(row, column) for row in range(1, 6) for column in range(1, 6)}
    assert all(x.flatten(1).sum(1).eq(1).all() for x in read)  # nothing is lost
    assert not torch.equal(read[0], read[1])


def test_mixture_by_hand() -> None:
    """Picture i is all i, with class i: so what is read tells λ and the partners."""
    x = torch.arange(0, 250, 25, dtype=torch.uint8)[:, None, None, None].expand(10, 1, 2, 2)
    images, read = Images(x, torch.arange(10)), []
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 10))
    net.register_forward_pre_hook(
        lambda module, given: read.append(given[0]) if module.training else None
    )
    weight, bias = (p.detach().clone() for p in net.parameters())
    scale = training.Normalisation([0.0], [1.0])
    plan = Plan(epochs=1, batch_size=10, lr=0.01, mixup=0.7)
    (epoch,) = train(net, images, images, plan, scale=scale, among=ALONE)
    order = torch.randperm(10, generator=training._generator(0, 0))
    part, partners = training._mixture(0.7, 10, 0, 0, 0)
    assert 0.5 <= part < 1
    assert partners.sort().values.tolist() == [*range(10)]
    mixed = part * order + (1 - part) * order[partners]  # i stands for a grey of 25i/255
    torch.testing.assert_close(read[0][:, 0, 0, 0], (mixed * 25 / 255).float())
    logits = read[0].flatten(1) @ weight.T + bias
    target = part * torch.eye(10)[order] + (1 - part) * torch.eye(10)[order[partners]]
    loss = -(target * logits.log_softmax(1)).sum(1).mean()
    assert epoch["train_loss"] == pytest.approx(loss.item(), rel=1e-6)
    assert epoch["train_accuracy"] == (logits.argmax(1) == order).float().mean().item()


def test_shares_of_mixtures_are_those_of_beta() -> None:
    """The larger of λ and 1 - λ; for α = 1 it is uniform between ½ and 1."""
    parts = [training._mixture(1.0, 2, 7, 0, step)[0] for step in range(2000)]
    assert 0.5 <= min(parts) < 0.51
    assert np.mean(parts) == pytest.approx(0.75, abs=4 * math.sqrt(1 / 48 / 2000))
    assert np.mean([training._mixture(0.1, 2, step)[0] for step in range(200)]) > 0.85


def test_rate_of_one_cycle_is_the_books() -> None:
    """A twenty-fifth at first, the whole after 30 %, next to nothing at the end."""
    plan = Plan(epochs=5, batch_size=4, lr=0.5, one_cycle=True)
    rates = [training._rate(plan, step, 20) for step in range(20)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[5] == max(rates) == 0.5
    assert rates[-1] == pytest.approx(0.5 * 4e-6)
    cosine = dataclasses.replace(plan, one_cycle=False, cosine=True)
    assert [training._rate(cosine, step, 4) for step in (0, 2)] == pytest.approx([0.5, 0.25])
    set_to, adam = [], torch.optim.Adam

    class Watched(adam):
        def step(self, *given: Any) -> Any:
            set_to.append(self.param_groups[0]["lr"])
            return super().step(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", Watched)
        run(dataclasses.replace(PLAN, epochs=5, lr=0.5, cosine=False, one_cycle=True))
    assert set_to == rates


def test_what_is_drawn_for_moves_disturbs_no_flip() -> None:
    """A white column at the left is at the left or right, one pixel more or less."""
    x = torch.zeros(12, 1, 7, 7, dtype=torch.uint8)
    x[:, :, :, 1] = 255
    images, batch = Images(x, torch.arange(12) % 3), torch.arange(12)
    found = []
    for shift in (0, 1):
        state = training._State(dataclasses.replace(PLAN, flip=True, shift=shift, image_size=None))
        scale = training.Normalisation([0.0], [1.0])
        read = training._examples(images, batch, batch, state, scale, ALONE).x
        found.append(read[:, 0, 3].argmax(1) < 3)
    assert 0 < found[0].sum() < 12
    assert torch.equal(*found)


def test_finished_training_is_not_repeated(tmp_path: Path) -> None:
    whole, _ = run(checkpoint=tmp_path / "run.pt")
    steps: list[tuple[int, int]] = []
    again, _ = run(checkpoint=tmp_path / "run.pt", after_step=lambda *now: steps.append(now))
    assert again == whole
    assert steps == []


@pytest.mark.parametrize("at", [None, (0, 1), (1, 3)], ids=["uncut", "cut", "cut at the end"])
def test_progress_tells_pace_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: tuple[int, int] | None
) -> None:
    """By a clock that a step takes 13 seconds of, one for each picture, and validation none."""
    clock, told = [0.0], []
    monkeypatch.setattr(training.time, "perf_counter", lambda: clock[0])

    def after_step(*now: int) -> None:
        clock[0] += 13 if now[1] < 3 else 11  # 50 pictures: 13 + 13 + 13 + 11
        if now == at:
            os.kill(os.getpid(), signal.SIGTERM)

    for _ in range(1 if at is None else 2):
        with nullcontext() if at is None else suppress(Interrupted):
            run(checkpoint=tmp_path / "run.pt", progress=told.append, after_step=after_step)
        at = None
    paces = [re.search(r"  (\d+) images/s  (\S+) left$", line) for line in told]
    assert {pace[1] for pace in paces if pace} == {"1"}
    assert all(pace or line.startswith("epoch 2/3") for pace, line in zip(paces, told, strict=True))
    done = [150 - sum(int(x) * y for x, y in zip(pace[2].split(":"), (3600, 60, 1), strict=True))
            for pace in paces if pace]  # fmt: skip
    assert done == sorted(done)
    assert "epoch 1  13 of 50 images  1 images/s  0:02:17 left" in told
    assert told[-1].startswith("epoch 3/3  training ")
    assert told[-1].endswith(" left")


def test_signals_work_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    run()
    assert signal.getsignal(signal.SIGTERM) is before


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
@pytest.mark.parametrize("name", PLANS)
def test_two_processes_give_the_curve_of_one(tmp_path: Path, name: str) -> None:
    """With shares of unequal size: 13 images a step, 6 and 7."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    out = tmp_path / "two.json"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*command, str(ROOT / "tests" / "pytorch" / "train_small.py"), str(out), name],
        env=environment, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    two = json.loads(out.read_text())
    history, weights = run(PLANS[name])
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


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_loss_that_is_not_finite_ends_the_training(tmp_path: Path, bad: float) -> None:
    """In a step, and on the validation pictures alone; the checkpoint is that of before."""
    images, validation = small_images(), small_images(17)
    scale = normalisation(images.x)
    for at, place in (((1, 1), "in epoch 2, step 3"), ((1, 3), "after epoch 2, on the validation")):
        model, checkpoint = InDouble(), tmp_path / f"{at}.pt"

        def spoil(*now: int, model: nn.Module = model, at: tuple[int, int] = at) -> None:
            if now == at:
                with torch.no_grad():
                    model.network[5].weight.fill_(bad)

        with pytest.raises(FloatingPointError, match=f"the loss is (nan|inf) {place}.*learning"):
            train(
                model, images, validation, PLAN,
                scale=scale, among=ALONE, checkpoint=checkpoint, after_step=spoil,
            )  # fmt: skip
        state, _ = load_checkpoint(checkpoint)
        assert (state["epoch"], state["step"]) == (1, 0)
        assert all(value.isfinite().all() for value in state["model"].values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0}, {"epochs": -1}, {"batch_size": 0}, {"lr": 0.0}, {"lr": 1e10},
        {"lr": math.nan}, {"lr": math.inf}, {"lr": -0.1}, {"weight_decay": -1.0},
        {"weight_decay": math.nan}, {"image_size": 0}, {"shift": -1}, {"shift": 0.5},
        {"mixup": -0.1}, {"mixup": math.nan}, {"mixup": math.inf}, {"one_cycle": True},
    ],
    ids=str,
)  # fmt: skip
def test_plan_refuses(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}.*: expected"):
        dataclasses.replace(PLAN, **wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": small_images(0)}, "images: expected at least 1, with a label each, got 0"),
        ({"validation": small_images(0)}, "validation: expected at least 1"),
        ({"images": Images(small_images().x, small_images(49).y)}, "got 50 and 49 labels"),
        ({"images": Images(small_images().x, small_images().y + 1)}, "0 to 2, .* got 0 to 3"),
        ({"validation": Images(small_images().x, small_images().y - 1)}, "got -1 to 2"),
        ({"plan": dataclasses.replace(PLAN, image_size=2)}, r"takes, got \(3, 2, 2\): "),
        ({"plan": dataclasses.replace(PLAN, shift=6)}, "shift: .* less than .* 6 pixels, got 6"),
        (
            {"plan": Plan(epochs=3, batch_size=50, lr=0.1, one_cycle=True)},
            "one_cycle: expected a training of at least 4 steps, got 3",
        ),
        ({"images": Images(small_images().x[:, :1], small_images().y)}, r"takes, got \(1, 7, 7\)"),
    ],
    ids=[
        "none",
        "no validation",
        "a label less",
        "no such class",
        "class -1",
        "too small",
        "out of sight",
        "three steps",
        "grey",
    ],
)
def test_training_that_cannot_be_is_refused_before_a_step(
    change: dict[str, Any], message: str
) -> None:
    images, steps = small_images(), []
    given = {"images": images, "validation": images, "plan": PLAN} | change
    scale = normalisation(given["images"].x if len(given["images"].x) else images.x)
    with pytest.raises(ValueError, match=message):
        train(
            InDouble(), **given,
            scale=scale, among=ALONE, after_step=lambda *now: steps.append(now),
        )  # fmt: skip
    assert steps == []


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
        "seconds", "processes", "code", "model_sha256", "key", "key_sha256", "libraries", "device",
        "threads", "peak_memory",
    ]  # fmt: skip
    assert record["key"]["options"]["dropout"] == 0.25
    assert record["key"]["training"]["count"] == 55
    assert [*record["network"]] == ["batch_norm", "dropout", "parameters"]
    assert [*record["data"]] == ["name", "sha256", "split", "sizes", "mean", "std"]
    assert [*record["test"]] == ["loss", "accuracy", "confusion"]
    assert record["weights"] == "random"
    assert record["command"] == (
        "python scripts/train_fashion_mnist.py --epochs 2 --batch-size 20 "
        f"--threads {torch.get_num_threads()}"
    )
    assert len(record["epochs"]) == 2
    assert record["data"]["split"] == "re-split"
    assert record["data"]["sizes"] == [55, 5, 20]
    assert np.sum(record["test"]["confusion"]) == 20
    right = np.trace(record["test"]["confusion"]) / 20
    assert record["test"]["accuracy"] == pytest.approx(right)
    assert "epoch 2/2" in capsys.readouterr().out
    assert not list((tmp_path / "checkpoints").iterdir())


@pytest.fixture
def home(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as if the test's folder were the repository, and its options but --records."""
    module = script("train_fashion_mnist")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    at = command.index("--records")
    return module, [*command[:at], *command[at + 2 :]]


def test_only_what_is_published_comes_among_the_pages_records(home: Any, tmp_path: Path) -> None:
    """Not an experiment, nor one that is to be published instead of another training."""
    module, options = home
    assert module.main(options) == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        "fashion-mnist.json", "fashion-mnist.safetensors",
    }  # fmt: skip
    book = tmp_path / "docs" / "records"
    assert not book.exists()
    assert module.main([*options, "--publish"]) == 0
    published = (book / "fashion-mnist.json").read_bytes()
    assert published == (tmp_path / "runs" / "fashion-mnist.json").read_bytes()
    assert [path.name for path in book.iterdir()] == ["fashion-mnist.json"]  # and no weights
    assert module.main([*options, "--lr", "0.1", "--images", "50"]) == 0
    assert (book / "fashion-mnist.json").read_bytes() == published


def test_other_training_is_not_published_under_the_same_name(
    home: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """That is told before the training. With other threads it is the same one."""
    module, options = home
    book = tmp_path / "docs" / "records"
    book.mkdir(parents=True)
    there = "python scripts/train_fashion_mnist.py --epochs 2 --batch-size 20"
    (book / "fashion-mnist.json").write_text(json.dumps({"command": there}))
    with monkeypatch.context() as patch:
        patch.setattr(module, "fashion_mnist_stored", None)
        with pytest.raises(SystemExit) as caught:
            module.main([*options, "--images", "50", "--publish"])
    assert caught.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"--publish: expected the command of the record that is there, '{there}', got" in said
    assert "--images 50" in said
    (book / "half.json").write_text('{"command": ')
    with pytest.raises(SystemExit):
        module.main([*options, "--name", "half", "--publish"])
    assert "that is there, 'none that can be read', got" in capsys.readouterr().err
    (book / "half.json").unlink()
    assert module.main([*options, "--publish"]) == 0
    assert module.main([*options, "--images", "50", "--name", "few", "--publish"]) == 0
    assert len(list(book.iterdir())) == 2


def test_threads_are_as_asked_for_and_recorded(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """An interrupted training goes on with as many."""
    threads = [5]
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[-1])
    module, real = script("train_fashion_mnist"), training.evaluate

    def evaluate_and_kill(*args: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(training, "evaluate", evaluate_and_kill)
        assert module.main([*command, "--threads", "3"]) == 143
    with pytest.raises(SystemExit):
        module.main([*command, "--threads", "2"])
    assert "options.threads: 3 there, 2 here" in capsys.readouterr().err
    assert module.main([*command, "--threads", "3"]) == 0
    record = records.read_record(tmp_path / "records" / "fashion-mnist.json")
    assert record["command"].endswith(" --threads 3")
    assert record["threads"] == 3
    threads.append(5)
    assert module.main([*command, "--name", "usual"]) == 0
    usual = records.read_record(tmp_path / "records" / "usual.json")
    assert usual["threads"] == 5
    assert usual["command"].endswith(" --name usual --threads 5")
    assert threads == [5, 3, 2, 3, 5]


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
    codes = iter(["one", "other", "one", "asked at the start", "asked for too late"])
    monkeypatch.setattr(runs, "code_of", lambda _: {"train": next(codes)})

    def evaluate_and_kill(*args: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)  # at the end of the first epoch
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(training, "evaluate", evaluate_and_kill)
        assert module.main(command) == 143
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    before = checkpoint.read_bytes()
    for more, named in (
        ([], "code.train: 'one' there, 'other' here"),
        (["--dropout", "0.5"], "options.dropout: 0.25 there, 0.5 here"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            module.main([*command, *more])
        assert caught.value.code == 2
        assert named in capsys.readouterr().err
        assert checkpoint.read_bytes() == before
    checkpoint.unlink()
    assert module.main(command) == 0
    record = json.loads((tmp_path / "records" / "fashion-mnist.json").read_text())
    assert record["code"] == {"train": "asked at the start"}


def test_script_says_what_is_missing(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        script("train_fashion_mnist").main(["--root", str(tmp_path)])
    assert caught.value.code == 2
    assert "download fashion-mnist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--epochs", "-1"], "argument --epochs: expected a whole number of at least 1, got '-1'"),
        (["--epochs", "1.5"], "argument --epochs: expected a whole number"),
        (["--batch-size", "0"], "argument --batch-size: expected a whole number of at least 1"),
        (["--images", "0"], "argument --images: expected a whole number of at least 1, got '0'"),
        (["--threads", "0"], "argument --threads: expected a whole number of at least 1, got '0'"),
        (["--seed", "-1"], "argument --seed: expected a whole number of at least 0"),
        (["--dropout", "1"], "argument --dropout: expected a number from 0 to below 1, got 1"),
        (["--dropout", "nan"], "argument --dropout: expected"),
        (["--lr", "1e10"], "lr: expected a number above 0 and at most 1, got 10000000000.0"),
        (["--lr", "nan"], "lr: expected"),
        (["--shift", "-1"], "argument --shift: expected a whole number of at least 0"),
        (["--mixup", "nan"], "mixup: expected a finite number of at least 0, got nan"),
        (["--device", "tpu"], "argument --device: invalid choice: 'tpu'"),
        (["--device", "cuda"], "device: expected cpu, or cuda where there is a GPU"),
        (["--records", "/dev/null/records"], "--records: expected a folder to write into"),
        (["--checkpoints", "/dev/null"], "--checkpoints: expected a folder to write into"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_script_refuses_nonsense_before_data_is_loaded(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any, change: list[str],
    message: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    module = script("train_fashion_mnist")
    monkeypatch.setattr(module, "fashion_mnist_stored", None)
    with pytest.raises(SystemExit) as caught:
        module.main([*command, *change])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_script_that_diverges_says_so_and_leaves_no_record(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    module = script("train_fashion_mnist")

    def spoilt(**more: Any) -> nn.Module:
        model = fashion_cnn(**more)
        with torch.no_grad():
            model[-1].bias.fill_(math.nan)
        return model

    monkeypatch.setattr(module, "fashion_cnn", spoilt)
    assert module.main(command) == 1
    said = capsys.readouterr().err
    assert said.startswith("train_fashion_mnist.py: error: the loss is nan in epoch 1, step 1")
    assert said.count("\n") == 1
    assert not (tmp_path / "records").exists()


def test_script_on_a_full_disk_says_so_in_one_line(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    assert script("train_fashion_mnist").main(command) == 1
    said = capsys.readouterr().err
    assert "fashion-mnist.pt could not be written: [Errno 28] No space left" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "records").exists()
