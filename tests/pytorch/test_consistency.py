"""Records that contradict themselves are refused, when they are written and when they are read."""

import base64
import copy
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import ROOT, SMALL_FASHION, script, write_fashion

from nn_tutorial.data import fashion
from nn_tutorial.pytorch import records
from nn_tutorial.pytorch.consistency import contradictions, key_hash, seal

PATHS = {path.stem: path for path in sorted((ROOT / "docs" / "records").glob("*.json"))}
Record = dict[str, Any]
Forgery = Callable[[Record], Any]


def put(place: str, value: Any) -> Forgery:
    """Another value at a place such as ``epochs.0.val_loss``; a function is given the one there."""

    def forge(record: Record) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in place.split("."))
        inner: Any = record
        for part in way:
            inner = inner[part]
        inner[last] = value(inner[last]) if callable(value) else value

    return forge


def said_in_audit(old: str, new: str) -> Forgery:
    """Other evidence, where the text is there once."""

    def forge(record: Record) -> None:
        (finding,) = [f for f in record["audit"] if old in f["evidence"]]
        finding["evidence"] = finding["evidence"].replace(old, new)

    return forge


def repacked(answers: str) -> str:
    """Another answer to the first picture."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(answers)), np.uint8).copy()
    raw[0] = raw[0] == 0
    return base64.b64encode(zlib.compress(raw.tobytes())).decode()


# Of which record, what is forged in it, and what the message says even if the seal was made anew.
FORGERIES: dict[str, tuple[str, Forgery, str]] = {
    "test accuracy": ("cifar10-frozen", put("test.accuracy", 0.91), "test.accuracy: expected 0.53"),
    "test accuracy and matrix": (
        "cifar10-frozen",
        lambda r: r["test"].update(accuracy=1.0, confusion=(1000 * np.eye(10, dtype=int)).tolist()),
        "test.accuracy: expected about the curve's last val_accuracy 0.53",
    ),
    "a count": ("fashion-mnist", put("test.confusion.0.0", 1000), "test.confusion: expected 10000"),
    "matrix cut": ("fashion-mnist", put("test.confusion", [[1, 2]]), "classes by classes, got (1"),
    "end of a curve": ("fashion-mnist", put("epochs.11.val_accuracy", 0.99), "test.accuracy: exp"),
    "no share": (
        "fashion-mnist", put("epochs.3.val_accuracy", 0.93333), "val_accuracy: expected a share of"
    ),
    "share above 1": ("fashion-mnist", put("epochs.3.train_accuracy", 1.2), "epochs.3.train_acc"),
    "loss too small": (
        "cifar10-scratch", put("epochs.2.val_loss", 0.1), "epochs.2.val_loss: expected at least"
    ),
    "test loss too small": ("cifar10-scratch", put("test.loss", 0.1), "test.loss: expected at"),
    "NaN": ("fashion-mnist", put("epochs.1.train_loss", math.nan), "train_loss: expected a finite"),
    "infinite": ("fashion-mnist", put("test.loss", math.inf), "test.loss: expected a finite"),
    "an epoch left out": (
        "cifar10-frozen", lambda r: r["epochs"].pop(), "epochs: expected the plan's 5, got 4"
    ),
    "more epochs planned": ("cifar10-frozen", put("plan.epochs", 6), "epochs: expected the plan"),
    "another batch": (
        "cifar10-frozen", put("plan.batch_size", 128), "steps taken by each: 1565, got 785"
    ),
    "steps": (
        "cifar10-frozen", said_in_audit("each: 785", "each: 784"),
        "audit: expected evidence steps taken by each: 785, got 784",
    ),
    "fewer pictures": ("cifar10-frozen", put("data.sizes.0", 20_000), "with '20,000 training"),
    "fewer test pictures": ("fashion-mnist", put("data.sizes.2", 9_000), "expected 9000 pictures"),
    "a split more": ("alexnet-cifar100", lambda r: r["data"]["sizes"].append(9), "data.sizes: exp"),
    "sizes audited": (
        "cifar10-frozen", said_in_audit("40,000 training", "39,999 training"),
        "audit: expected evidence with '40,000 training + 10,000 validation + 10,000 test'",
    ),
    "read twice": ("cifar10-frozen", said_in_audit("reads: 1", "reads: 2"), "reads: 1, got 2"),
    "failed claim": ("cifar10-frozen", put("audit.0.ok", False), "one that fails: every frozen"),
    "frozen moved": (
        "cifar10-frozen", put("audit.0.evidence", lambda e: e.replace("none", "features.0.bias")),
        "audit: expected evidence of none, got features.0.bias",
    ),
    "no audit": ("cifar10-frozen", put("audit", []), "audit: expected evidence reads: 1, got noth"),
    "trained numbers": ("cifar10-frozen", put("network.trainable", 10), "with 'with 10 numbers'"),
    "frozen or not": ("cifar10-frozen", put("network.freeze", False), "expected all 44,428,106"),
    "a SHA": ("cifar10-frozen", put("data.sha256", "0" * 63), "data.sha256: expected 64 hexad"),
    "another SHA": ("cifar10-frozen", put("weights_sha256", "?"), "weights_sha256: expected 64"),
    "seconds": ("cifar10-frozen", put("seconds", 1.0), "seconds: expected the epochs' sum 1621"),
    "ablation's accuracy": (
        "fashion-mnist-ablation", put("runs.2.test.accuracy", 0.99), "runs.2.test.accuracy: exp"
    ),
    "ablation's run left out": (
        "fashion-mnist-ablation", lambda r: r["runs"].pop(), "runs: expected each variant with"
    ),
    "ablation's run twice": (
        "fashion-mnist-ablation", put("runs.0.seed", 1), "runs: expected each variant with each"
    ),
    "comparison's accuracy": (
        "transfer-imagenet", put("methods.4.runs.1.test.accuracy", 0.95),
        "methods.unfrozen.runs.1.test.accuracy: expected",
    ),
    "comparison's answers": (
        "transfer-imagenet", put("methods.4.runs.1.test.answers", repacked), "by answers, got"
    ),
    "comparison's reliability": (
        "transfer-imagenet", put("methods.4.runs.1.test.reliability.14.0", 1), "test.reliability:"
    ),
    "comparison's choice": (
        "transfer-imagenet", put("methods.4.candidates.0.val_accuracy", 0.99), "candidates: exp"
    ),
    "comparison's seed": (
        "transfer-imagenet", put("seeds", 4), "runs: expected a run for each of 4 seeds"
    ),
    "comparison's curve": (
        "transfer-imagenet", lambda r: r["methods"][4]["runs"][0]["epochs"].pop(0),
        "methods.unfrozen.runs.0.epochs: expected the plan's 5, got 4",
    ),
}  # fmt: skip
# What contradicts no other number: only the seal speaks of it.
QUIET: dict[str, tuple[str, Forgery, str]] = {
    "cosine": ("fashion-mnist", put("plan.cosine", False), "plan"),
    "flip": ("fashion-mnist", put("plan.flip", False), "plan"),
    "rate": ("fashion-mnist", put("plan.lr", 0.01), "plan"),
    "split": ("fashion-mnist", put("data.split", "as found"), "data"),
    "data": ("fashion-mnist", put("data.sha256", "0" * 64), "data"),
    "weights": ("cifar10-frozen", put("weights_sha256", "0" * 64), "weights_sha256"),
    "threads": ("cifar10-frozen", put("threads", 2), "threads"),
    "dropout": ("fashion-mnist", put("network.dropout", 0.5), "network"),
    "an early loss": ("fashion-mnist", put("epochs.0.val_loss", 0.4), "epochs"),
    "evidence": (
        "cifar10-frozen", said_in_audit("by 3.1e-04 from", "by 3.1e-02 from"), "audit"
    ),
}  # fmt: skip


@pytest.fixture
def of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is not in question here."""
    monkeypatch.setattr(records, "code_of", lambda command, _: CODE[command])


READ = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in PATHS.items()}
CODE = {record["command"]: record["code"] for record in READ.values()}


def forged(name: str, forge: Forgery, path: Path, *, sealed: bool) -> None:
    record = copy.deepcopy(READ[name])
    record["seal"] = seal(record)
    forge(record)
    if sealed:
        record["seal"] = seal(record)
    path.write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize("name", PATHS)
def test_record_of_the_book_agrees_with_itself(name: str) -> None:
    assert [*contradictions(READ[name])] == []


@pytest.mark.usefixtures("of_today")
@pytest.mark.parametrize(("name", "forge", "named"), FORGERIES.values(), ids=FORGERIES)
def test_record_that_contradicts_itself_is_refused(
    tmp_path: Path, name: str, forge: Forgery, named: str
) -> None:
    """By the reader, with a seal made anew or without; and by the writer."""
    path = tmp_path / f"{name}.json"
    for sealed in (False, True):
        forged(name, forge, path, sealed=sealed)
        with pytest.raises(ValueError, match=f"{name}.json: expected a record that agrees") as told:
            records.read_record(path)
        assert named in str(told.value)
        assert ("since it was written" in str(told.value)) <= (not sealed)
    record = json.loads(path.read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match="agrees with itself"):
        records.write_record(record, tmp_path / "again.json")
    assert not (tmp_path / "again.json").exists()


@pytest.mark.usefixtures("of_today")
@pytest.mark.parametrize(("name", "forge", "field"), QUIET.values(), ids=QUIET)
def test_number_changed_by_hand_is_refused(
    tmp_path: Path, name: str, forge: Forgery, field: str
) -> None:
    path = tmp_path / f"{name}.json"
    forged(name, lambda _: None, path, sealed=True)
    assert "seal" not in records.read_record(path)
    forged(name, forge, path, sealed=False)
    with pytest.raises(ValueError, match=f"since it was written, fields changed: {field}$"):
        records.read_record(path)


@pytest.mark.usefixtures("of_today")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "AttributeError"),
        ("{}", "KeyError"),
        ('{"epochs": [{"val_accuracy": 1}], "data": {"sizes": [1, 1]}}', "KeyError: 'val_loss'"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=r"^run\.json: expected a whole record, got ") as caught:
        records.read_record(tmp_path / "run.json")
    assert said in str(caught.value)


@pytest.mark.usefixtures("of_today")
def test_field_that_is_gone_or_new_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    forged("cifar10-frozen", lambda r: (r.pop("audit"), r.update(more=1)), path, sealed=False)
    with pytest.raises(ValueError, match="new: more; gone: audit"):
        records.read_record(path)
    forged("cifar10-frozen", lambda r: r.pop("seal"), path, sealed=False)
    with pytest.raises(ValueError, match="since it was written, fields new: name, command"):
        records.read_record(path)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_part_of_a_record_is_written_with_a_number_that_is_none(
    tmp_path: Path, value: float
) -> None:
    with pytest.raises(ValueError, match=r"epochs\.0\.loss: expected a finite number"):
        records.write_json({"epochs": [{"loss": value}]}, tmp_path / "run.json")
    assert [*tmp_path.iterdir()] == []


def test_records_of_one_book_agree_with_each_other() -> None:
    """What a backbone was written with is what others began with; data of a name is the same."""
    made = READ["alexnet-cifar100"]["backbone_sha256"]
    used = {
        (r["weights_origin"], r["weights_sha256"]) for r in READ.values() if "weights_origin" in r
    }
    assert ("file", made) in used
    assert len(used) == len({origin for origin, _ in used})
    data = {(r["data"]["name"], r["data"]["sha256"]) for r in READ.values()}
    assert len(data) == len({name for name, _ in data}) == 3


# The key, which `train` writes


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Of a short training."""
    monkeypatch.setattr(fashion, "PARTS", SMALL_FASHION)
    write_fashion(tmp_path)
    module = script("train_fashion_mnist")
    status = module.main([
        "--root", str(tmp_path), "--records", str(tmp_path), "--checkpoints", str(tmp_path),
        "--epochs", "1", "--batch-size", "20", "--device", "cpu",
    ])  # fmt: skip
    assert status == 0
    return json.loads((tmp_path / "fashion-mnist.json").read_text(encoding="utf-8"))


def test_key_in_a_record_is_that_of_the_training(record: Record) -> None:
    assert [*contradictions(record)] == []
    assert record["key_sha256"] == key_hash(record["key"])
    assert record["key"]["plan"] == record["plan"]
    for place, value in (
        ("plan.lr", 0.1), ("plan.cosine", False), ("plan.flip", False), ("data.mean", [0.1]),
        ("data.std", [0.1]), ("data.sizes", [54, 5, 20]), ("processes", 2),
    ):  # fmt: skip
        one = copy.deepcopy(record)
        put(place, value)(one)
        name = "plan" if place.startswith("plan") else place
        assert any(f"{name}: expected " in text for text in contradictions(one)), place
    other = copy.deepcopy(record)
    put("key.network", str(torch.nn.AvgPool2d(2)))(other)
    assert [*contradictions(other)] == [
        f"key_sha256: expected that of key, {key_hash(other['key'])[:12]}, "
        f"got {record['key_sha256'][:12]}"
    ]
