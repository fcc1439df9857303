"""Recipes of fine-tuning: what learns when and how fast, and the script that compares them."""

import base64
import contextlib
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import script
from test_transfer import write_noise
from torch import nn

from nn_tutorial.pytorch import finetuning, weights
from nn_tutorial.pytorch.finetuning import (
    BORDER,
    CONVOLUTIONS,
    IMAGENET,
    Recipe,
    answers,
    fine_tune,
    pixels,
    stored,
)
from nn_tutorial.pytorch.records import read_record
from nn_tutorial.pytorch.training import Images, Stored, prepare
from nn_tutorial.pytorch.weights import tensors_sha256

SMALL = Recipe(epochs=2, batch_size=20, image_size=16, head_rate=0.01, rate=0.01)


class FiveConvolutions(nn.Module):
    """Five convolutions in AlexNet's places, and a classifier: small."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        layers: list[nn.Module] = [nn.ReLU() for _ in range(13)]
        for i, channels in zip(map(int, CONVOLUTIONS), (3, 4, 4, 4, 4), strict=True):
            layers[i] = nn.Conv2d(channels, 4, 3, padding=1)
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(16, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def pictures(count: int, seed: int) -> Images:
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % 10
    noise = torch.randint(0, 60, (count, 3, 16, 16), generator=generator)
    return Images((noise + 18 * y[:, None, None, None]).byte(), y)


TRAINING, VALIDATION = pictures(90, 1), pictures(30, 2)


def train(recipe: Recipe, model: Any = None, **more: Any) -> finetuning.Outcome:
    return fine_tune(
        model or FiveConvolutions(), recipe, TRAINING, VALIDATION,
        scale=IMAGENET, seed=3, precision=contextlib.nullcontext, **more,
    )  # fmt: skip


def test_what_learns_in_each_epoch() -> None:
    assert [Recipe(epochs=3).learning(e) for e in range(3)] == [5, 5, 5]
    assert [Recipe(epochs=3, head_epochs=3).learning(e) for e in range(3)] == [0, 0, 0]
    assert [Recipe(epochs=4, head_epochs=2).learning(e) for e in range(4)] == [0, 0, 5, 5]
    gradual = Recipe(epochs=7, head_epochs=1, gradual=True)
    assert [gradual.learning(e) for e in range(7)] == [0, 1, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(
    ("recipe", "changed"),
    [
        (replace(SMALL, head_epochs=2), set()),
        (replace(SMALL, head_epochs=1, gradual=True), {"10"}),
        (replace(SMALL, epochs=3, head_epochs=1, gradual=True), {"10", "8"}),
        (SMALL, set(CONVOLUTIONS)),
        (replace(SMALL, backbone=0.0), set()),
    ],
    ids=["frozen", "gradual", "gradual further", "all", "rate 0"],
)
def test_only_what_should_learn_changes(recipe: Recipe, changed: set[str]) -> None:
    model, before = FiveConvolutions(), FiveConvolutions()
    train(recipe, model)
    for name in CONVOLUTIONS:
        own, first = (m.features.get_submodule(name).weight for m in (model, before))
        assert torch.equal(own, first) == (name not in changed), name
    assert not torch.equal(model.classifier[1].weight, before.classifier[1].weight)


def test_rates_of_the_groups() -> None:
    recipe = replace(SMALL, rate=0.8, backbone=0.5, decay=0.1, head_epochs=1, cosine=True)
    optimizer = finetuning._optimizer(FiveConvolutions(), recipe)
    finetuning._set_rates(optimizer, recipe, 1, 0.5)  # half of the cosine
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == pytest.approx([0.4, 0.2, 0.02, 0.002, 2e-4, 2e-5])
    finetuning._set_rates(optimizer, recipe, 0, 0.5)
    assert optimizer.param_groups[0]["lr"] == recipe.head_rate


def test_stored_outputs_are_those_of_the_convolutions() -> None:
    """A frozen training on what is stored learns what one on the pictures would, to float16."""
    model = FiveConvolutions()
    kept = stored(model, TRAINING.x, IMAGENET, 16)
    assert kept.dtype == torch.float16
    x = pixels(TRAINING.x, IMAGENET, 16)
    whole = model.avgpool(model.features(x)).flatten(1)
    torch.testing.assert_close(kept.float(), whole, rtol=1e-3, atol=1e-3)
    frozen = train(replace(SMALL, head_epochs=2))
    slow = train(replace(SMALL, backbone=0.0))
    for quick, exact in zip(frozen.epochs, slow.epochs, strict=True):
        assert quick["val_loss"] == pytest.approx(exact["val_loss"], rel=2e-3)
    given = Stored(kept, stored(model, VALIDATION.x, IMAGENET, 16))
    again = train(replace(SMALL, head_epochs=2), kept=given)
    assert [e["val_loss"] for e in again.epochs] == [e["val_loss"] for e in frozen.epochs]


@pytest.mark.parametrize("size", [7, 16, 40])
def test_pixels_are_those_of_the_other_trainings(size: int) -> None:
    ours, theirs = (f(TRAINING.x, IMAGENET, size) for f in (pixels, prepare))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-6)


def test_same_seed_same_numbers_and_the_measures_are_those_of_the_model() -> None:
    recipe = replace(SMALL, augment=True, cosine=True)
    one, two = train(recipe), train(recipe)
    assert tensors_sha256(one.model.state_dict()) == tensors_sha256(two.model.state_dict())
    found = answers(one.model, VALIDATION.x, IMAGENET, 16, precision=contextlib.nullcontext)
    accuracy = float((found.argmax(1) == VALIDATION.y).float().mean())
    assert one.epochs[-1]["val_accuracy"] == accuracy
    assert one.epochs[-1]["fit_loss"] < one.epochs[0]["fit_loss"]


def test_pictures_are_shifted_and_mirrored_and_nothing_else() -> None:
    x = (
        torch.arange(1, 2 * 3 * 8 * 8 + 1, dtype=torch.int16)
        .reshape(2, 3, 8, 8)
        .repeat(40, 1, 1, 1)
    )
    out = finetuning._augmented(x, torch.Generator().manual_seed(0))
    padded = nn.functional.pad(x, (BORDER,) * 4)
    seen = set()
    for one, source in zip(out, padded, strict=True):
        places = [
            (top, left, flip)
            for top in range(2 * BORDER + 1)
            for left in range(2 * BORDER + 1)
            for flip in (False, True)
            for part in (source[:, top : top + 8, left : left + 8],)
            if torch.equal(one, part.flip(2) if flip else part)
        ]
        assert len(places) == 1
        seen.add(places[0])
    assert len({top for top, _, _ in seen}) > 5
    assert {flip for _, _, flip in seen} == {False, True}


def test_loss_that_is_not_finite_ends_the_training() -> None:
    with pytest.raises(FloatingPointError, match="a lower rate"):
        train(replace(SMALL, rate=1e30))


# The script that compares


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script with a small network, few pictures and two methods."""
    module = script("compare_transfer")

    def network(recipe: Recipe, features: Any, *, n_classes: int, seed: int) -> nn.Module:
        model = FiveConvolutions(seed)
        if recipe.pretrained:
            model.features.load_state_dict(features)
        return model

    monkeypatch.setattr(module, "network", network)
    monkeypatch.setattr(
        module,
        "methods",
        lambda: [
            module.Method("probe", [replace(SMALL, head_epochs=2, head_rate=r) for r in (1e-3, 1)]),
            module.Method("all", [SMALL]),
        ],
    )
    write_noise(tmp_path / "cifar10", {"train": 10, "test": 2})
    features = FiveConvolutions(seed=5).features.state_dict()
    monkeypatch.setattr(weights, "FEATURES", tensors_sha256(features))
    named = {f"features.{name}": value for name, value in features.items()}
    torch.save(named, tmp_path / weights.FEATURES_FILE)
    return module


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    return [
        "--root", str(tmp_path), "--records", str(tmp_path / "records"),
        "--runs", str(tmp_path / "runs"), "--seeds", "2",
    ]  # fmt: skip


def test_comparison_chooses_on_validation_and_tests_only_the_chosen(
    compare: Any, command: list[str], tmp_path: Path
) -> None:
    assert compare.main(command) == 0
    record = read_record(tmp_path / "records" / "transfer-imagenet.json")
    probe, whole = record["methods"]
    assert [candidate["head_rate"] for candidate in probe["candidates"]] == [1e-3, 1]
    held = [candidate["val_accuracy"] for candidate in probe["candidates"]]
    assert probe["recipe"]["head_rate"] == (1e-3, 1)[held[1] > held[0]]
    assert [run["seed"] for run in probe["runs"]] == [0, 1]
    kept = [
        json.loads(path.read_text())
        for path in (tmp_path / "runs").iterdir()
        if path.name != compare.BEST
    ]
    assert sum("test" in run for run in kept) == 4  # two methods, two seeds
    assert len(kept) == 4 + 3  # and three candidates without a look at the test
    run = whole["runs"][0]
    packed = zlib.decompress(base64.b64decode(run["test"]["answers"]))
    assert len(packed) == 20
    assert packed.count(0) == round(run["test"]["accuracy"] * 20)
    assert sum(row[0] for row in run["test"]["reliability"]) == 20
    assert len(record["inside"]["grad_cam"]) <= 20
    assert record["not_run"] == []
    assert run["trained"] == run["parameters"] > probe["runs"][0]["trained"]


def test_comparison_goes_on_from_what_is_done(
    compare: Any, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.main([*command, "--only", "all"]) == 0
    first = read_record(tmp_path / "records" / "transfer-imagenet.json")
    assert first["not_run"] == ["probe"]
    assert first["command"].endswith(f"--seeds 2 --only all --threads {torch.get_num_threads()}")
    capsys.readouterr()
    assert compare.main(command) == 0
    assert "all, seed" not in capsys.readouterr().out
    again = read_record(tmp_path / "records" / "transfer-imagenet.json")
    assert again["methods"][1]["runs"] == first["methods"][0]["runs"]
    best = max(m["runs"][s]["epochs"][-1]["val_accuracy"] for m in again["methods"] for s in (0, 1))
    assert again["inside"]["val_accuracy"] == pytest.approx(best)


def test_comparison_stops_when_time_is_up_and_says_what_ran(
    compare: Any, command: list[str], tmp_path: Path
) -> None:
    assert compare.main([*command, "--minutes", "-1"]) == 0
    record = read_record(tmp_path / "records" / "transfer-imagenet.json")
    assert (record["methods"], record["not_run"]) == ([], ["probe", "all"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--only", "magic"], "--only: expected one of"),
        (["--seeds", "0"], "--seeds: expected at least 1, got 0"),
        (["--root", "nowhere"], "CIFAR-10 is not at"),
        (["--publish", "--minutes", "5"], "--publish: expected no --minutes with it"),
        (["--publish", "--only", "all"], "--publish: expected the command of the record that is"),
    ],
)
def test_comparison_refuses(
    compare: Any, command: list[str], more: list[str], message: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit, match="2"):
        compare.main([*command, *more])
    assert message in capsys.readouterr().err


def test_methods_have_names_of_their_own_and_their_controls() -> None:
    names = [method.name for method in script("compare_transfer").methods()]
    assert len(set(names)) == len(names)
    assert {"scratch", "frozen, random", "linear probe", "unfrozen, as assigned"} <= set(names)
