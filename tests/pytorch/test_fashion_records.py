"""The ablation's script, and that both records are what their scripts write today."""

import shlex
from itertools import product
from pathlib import Path
from typing import Any

import ablate_fashion_mnist
import pytest
import torch
import train_fashion_mnist
from ablate_fashion_mnist import EXPERIMENTS
from helpers import SMALL_FASHION, write_fashion

from nn_tutorial.data import fashion
from nn_tutorial.pytorch.records import read_record

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / "docs" / "records"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One epoch and one seed on 30 images of a small Fashion-MNIST."""
    monkeypatch.setattr(fashion, "PARTS", SMALL_FASHION)
    write_fashion(tmp_path)
    return [
        "--root", str(tmp_path), "--records", str(tmp_path), "--runs", str(tmp_path / "runs"),
        "--images", "30", "--epochs", "1", "--batch-size", "10", "--seeds", "1",
        "--device", "cpu",
    ]  # fmt: skip


def test_ablation_writes_one_record(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ablate_fashion_mnist.main(command) == 0
    record = read_record(tmp_path / "fashion-mnist-ablation.json")
    assert [run["variant"] for run in record["runs"]] == [*EXPERIMENTS["ablation"]]
    assert {tuple(run) for run in record["runs"]} == {tuple(record["runs"][0])}
    assert [(run["batch_norm"], run["dropout"] > 0) for run in record["runs"]] == [
        (True, True), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    assert record["data"]["sizes"] == [30, 5, 20]
    assert len(record["runs"][0]["epochs"]) == 1
    assert record["command"] == (
        "python scripts/ablate_fashion_mnist.py --images 30 --epochs 1 --batch-size 10 --seeds 1 "
        f"--threads {torch.get_num_threads()}"
    )

    def again(_: Any) -> int:
        raise AssertionError("what is finished is not trained again")

    monkeypatch.setattr(train_fashion_mnist, "main", again)
    assert ablate_fashion_mnist.main(command) == 0


def test_recipes_keep_what_they_share_and_what_they_do_not(
    command: list[str], tmp_path: Path
) -> None:
    """The plan has the first, each run its own of the second."""
    assert ablate_fashion_mnist.main([*command, "--experiment", "recipes", "--epochs", "2"]) == 0
    record = read_record(tmp_path / "fashion-mnist-recipes.json")
    own = ("cosine", "one_cycle", "shift", "mixup")
    assert {run["variant"]: tuple(run[name] for name in own) for run in record["runs"]} == {
        "default": (True, False, 0, 0), "shift 2": (True, False, 2, 0),
        "mixup 0.2": (True, False, 0, 0.2), "one-cycle": (False, True, 0, 0),
    }  # fmt: skip
    assert record["plan"]["flip"]
    assert not {*own, "seed"} & {*record["plan"]}
    assert "--experiment recipes" in record["command"]


def test_ablation_hands_on_an_interruption(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_fashion_mnist, "main", lambda _: 143)
    assert ablate_fashion_mnist.main(command) == 143
    assert not list(tmp_path.glob("*.json"))


def test_ablation_refuses_runs_of_several_data_sets() -> None:
    with pytest.raises(ValueError, match="same data"):
        ablate_fashion_mnist.gathered([{"data": {"sha256": "a"}}, {"data": {"sha256": "b"}}])


def test_more_images_than_there_are(command: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        ablate_fashion_mnist.main([*command, "--images", "10000"])
    assert caught.value.code == 2
    assert "sizes" in capsys.readouterr().err


def test_record_is_that_of_the_command_without_options() -> None:
    record, chosen = read_record(RECORDS / "fashion-mnist.json"), _defaults(train_fashion_mnist)
    plan, network = record["plan"], record["network"]
    assert (plan["epochs"], plan["batch_size"]) == (chosen.epochs, chosen.batch_size)
    assert (plan["lr"], plan["seed"]) == (chosen.lr, chosen.seed)
    assert (network["dropout"], network["batch_norm"]) == (chosen.dropout, True)
    assert record["data"]["sizes"] == [55_000, 5_000, 10_000]


def test_ablation_is_that_of_the_command_without_options() -> None:
    record = read_record(RECORDS / "fashion-mnist-ablation.json")
    chosen, plan = _defaults(ablate_fashion_mnist), record["plan"]
    assert (plan["epochs"], plan["batch_size"]) == (chosen.epochs, chosen.batch_size)
    assert record["data"]["sizes"][0] == chosen.images
    found = {(run["variant"], run["seed"]) for run in record["runs"]}
    seeds = range(chosen.seeds)
    assert found == {(v, seed) for v in EXPERIMENTS["ablation"] for seed in seeds}
    assert len(record["runs"]) == len(found)


def test_recipes_are_compared_with_every_seed() -> None:
    record = read_record(RECORDS / "fashion-mnist-recipes.json")
    words = shlex.split(record["command"])[2:]
    chosen = ablate_fashion_mnist.arguments().parse_args(words)
    assert chosen.experiment == "recipes"
    found = [(run["variant"], run["seed"]) for run in record["runs"]]
    assert sorted(found) == sorted(product(EXPERIMENTS["recipes"], range(chosen.seeds)))


def _defaults(script: Any) -> Any:
    return script.arguments().parse_args([])
