"""Frozen features computed once: the same training, a file that is right or made anew, an audit."""

import dataclasses
import os
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import TinyAlexNet, script, without_clock
from train_small import PLAN, small_images

from nn_tutorial.pytorch import frozen
from nn_tutorial.pytorch.audit import Audit, ReadOnce, read_manifest
from nn_tutorial.pytorch.frozen import Kept, convolved, found_rows, kept_features, same_rows
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import (
    Images,
    Normalisation,
    Stored,
    evaluate,
    normalisation,
    train,
)

ALONE = Processes(0, 1, torch.device("cpu"))
STILL = dataclasses.replace(PLAN, flip=False)
ONCE = "frozen features were computed once, and it trained on these"
OWN = "stored features are what the frozen network makes of their pictures"
NOT_TEST = "no stored feature is that of a test picture"
PICTURES = "it trained on pictures, not on stored features"
CLAIMS = {ONCE, OWN, NOT_TEST, PICTURES}

Parts = list[Images]
Change = Callable[[Stored, TinyAlexNet, Parts, Normalisation], Stored]


def parts() -> Parts:
    whole = small_images(90)
    return [Images(whole.x[a:b], whole.y[a:b]) for a, b in ((0, 50), (50, 70), (70, 90))]


def rows_of(model: TinyAlexNet, of: Images, scale: Normalisation) -> torch.Tensor:
    return convolved(model, of.x, scale, STILL.image_size)


# The training


def test_training_on_stored_features_is_the_one_on_pictures() -> None:
    """The same order, the same dropout; what differs is the 16 bits, and Adam's last digits."""
    training, validation, test = parts()
    scale = normalisation(training.x)
    ended, curves = [], []
    for cached in (False, True):
        model = TinyAlexNet(n_classes=3)
        kept = Stored(*(rows_of(model, p, scale) for p in (training, validation)))
        history = train(
            model, training, validation, STILL,
            scale=scale, among=ALONE, kept=kept if cached else None,
        )  # fmt: skip
        curves.append(torch.tensor([[*epoch.values()] for epoch in without_clock(history)]))
        ended.append(evaluate(model, test, scale=scale, image_size=7, among=ALONE)[0])
    torch.testing.assert_close(curves[0], curves[1], atol=1e-3, rtol=0)
    assert ended[0] == pytest.approx(ended[1], abs=1e-3)


def test_small_pictures_are_stored_before_the_pool_repeats_them() -> None:
    alexnet = script("train_transfer").alexnet(freeze=True)
    x = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    scale = Normalisation([0.5] * 3, [0.25] * 3)
    assert convolved(alexnet, x, scale, 64).shape == (2, 256, 1, 1)
    assert convolved(alexnet, x, scale, 224).shape == (2, 256, 6, 6)


@pytest.mark.parametrize(
    ("plan", "freeze", "rows", "message"),
    [
        (PLAN, True, 50, "kept: expected pictures that stay as they are, got a plan with flip"),
        (dataclasses.replace(STILL, shift=1), True, 50, "kept: .* got a plan with shift"),
        (dataclasses.replace(PLAN, mixup=0.2), True, 50, "kept: .* got a plan with flip, mixup"),
        (STILL, False, 50, "kept: expected features that are frozen, got some that learn"),
        (STILL, True, 49, r"a row for each of \(50, 20\) pictures, got \(49, 20\)"),
    ],
    ids=["flip", "shift", "mixup", "free", "a row missing"],
)
def test_stored_features_that_do_not_fit_are_refused(
    plan: Any, freeze: bool, rows: int, message: str
) -> None:
    training, validation, _ = parts()
    scale = normalisation(training.x)
    model = TinyAlexNet(n_classes=3, freeze=freeze)
    kept = Stored(*(rows_of(model, p, scale) for p in (training, validation)))
    kept = kept._replace(training=kept.training[:rows])
    with pytest.raises(ValueError, match=message):
        train(model, training, validation, plan, scale=scale, among=ALONE, kept=kept)


# The file


class Kitchen:
    """Asks for the features of the same pictures, with something else where that is said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []

    def get(self, **other: Any) -> Kept:
        training, validation, _ = parts()
        self.lines.clear()
        known = {
            "model": TinyAlexNet(), "training": training, "validation": validation,
            "scale": normalisation(training.x), "image_size": 7,
            "code": {"prepare": "a", "convolved": "b"},
        }  # fmt: skip
        return kept_features(**{**known, **other}, folder=self.folder, say=self.lines.append)

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path / "checkpoints")


def test_second_time_no_picture_passes_the_convolutions(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kitchen.get()
    assert first.passed == 70
    assert "70 of 70 pictures" in "\n".join(kitchen.lines)
    monkeypatch.setattr(frozen, "convolved", None)
    second = kitchen.get()
    assert (second.passed, second.path) == (0, first.path)
    assert kitchen.lines == [f"features from {first.path}: no picture passes the convolutions"]
    for one, other in zip(first.rows, second.rows, strict=True):
        assert one.dtype == torch.float16
        assert torch.equal(one, other)
    assert [p.suffix for p in kitchen.files] == [".pt"]  # nothing half done is left


@pytest.mark.parametrize(
    "other",
    [
        {"model": TinyAlexNet(seed=1)},
        {"training": Images(parts()[0].x.flip(0), parts()[0].y)},
        {"validation": Images(parts()[1].x + 1, parts()[1].y)},
        {"scale": Normalisation([0.5] * 3, [0.25] * 3)},
        {"image_size": 9},
        {"code": {"prepare": "other", "convolved": "b"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_decides_the_numbers_has_a_file_of_its_own(
    kitchen: Kitchen, other: dict[str, Any]
) -> None:
    """And where such a file lies instead of the right one, it is made anew."""
    first, second = kitchen.get(), kitchen.get(**other)
    assert second.passed == 70
    assert len(kitchen.files) == 2
    assert kitchen.get().passed == 0
    second.path.replace(first.path)
    again = kitchen.get()
    assert again.passed == 70
    assert f"features: {first.path} is of something else (" in kitchen.lines[0]
    assert kitchen.lines[0].endswith("here); they are computed anew")
    assert all(map(torch.equal, first.rows, again.rows))


def test_versions_and_threads_are_in_the_key(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    kitchen.get()
    monkeypatch.setattr(torch, "__version__", "0")
    kitchen.get()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    kitchen.get()
    assert len(kitchen.files) == 3


def test_labels_do_not_matter(kitchen: Kitchen) -> None:
    kitchen.get()
    training = parts()[0]
    assert kitchen.get(training=Images(training.x, training.y.flip(0))).passed == 0


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip_a_bit, "is damaged"),
        (lambda path: os.truncate(path, path.stat().st_size // 2), "not whole"),
        (lambda path: os.truncate(path, 0), "not whole"),
        (lambda path: path.write_text("Something else."), "no checkpoint at all"),
    ],
    ids=["a bit", "half", "empty", "foreign"],
)
def test_damaged_file_is_noticed_and_made_anew(
    kitchen: Kitchen, harm: Callable[[Path], None], message: str
) -> None:
    first = kitchen.get()
    rows = Stored(*(part.clone() for part in first.rows))
    del first
    harm(kitchen.files[0])
    again = kitchen.get()
    assert again.passed == 70
    assert message in kitchen.lines[0]
    assert kitchen.lines[0].endswith("they are computed anew")
    assert all(map(torch.equal, rows, again.rows))
    assert kitchen.get().passed == 0


def test_half_a_file_is_never_there(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(state: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(OSError, match=r"features-\w+\.pt could not be written: .*No space"):
            kitchen.get()
    assert kitchen.files == []
    assert kitchen.get().passed == 70


def test_full_disk_is_said_before_the_first_picture(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 1000)
    monkeypatch.setattr(frozen.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match=r"expected 1 MB of free space for .*\.pt, got 0 MB"):
        kitchen.get()
    assert kitchen.lines == []


def test_number_too_large_for_16_bits_is_refused(kitchen: Kitchen) -> None:
    model = TinyAlexNet()
    with torch.no_grad():
        model.features[1].weight.fill_(1e6)
    with pytest.raises(FloatingPointError, match="16 bits can hold, got others for one of the tra"):
        kitchen.get(model=model)
    assert kitchen.files == []


# Two rows


def test_same_rows_but_for_a_last_digit() -> None:
    draw = torch.Generator().manual_seed(0)
    rows = torch.rand(3, 100, generator=draw).sub(0.5).relu().half()
    near = rows.clone()
    near[0, rows[0].argmax()] *= 1.001  # one number of about fifty
    assert not torch.equal(near, rows)
    assert same_rows(rows, near).tolist() == [True] * 3
    assert same_rows(rows, (rows.float() * 1.001).half()).tolist() == [False] * 3
    assert same_rows(rows, rows.roll(1, 0)).tolist() == [False] * 3


def test_rows_are_found_where_they_stand() -> None:
    rows = torch.rand(5000, 8, generator=torch.Generator().manual_seed(0)).half()
    rows[7] = 0
    assert found_rows(torch.cat([rows[[4321, 3]], rows[:1] + 1]), rows) == [3, 4321]
    assert found_rows(rows[7:8], rows) == []  # nothing is known by zeros


# The audit


def audited(
    folder: Path,
    *,
    data: Callable[[Parts], Parts] = lambda split: split,
    change: Change = lambda kept, *_: kept,
    told: Change = lambda kept, *_: kept,
    read: bool = True,
    tell: bool = True,
) -> Audit:
    """Train on stored features that something was done to, and audit what is told of it."""
    split = parts()
    training, validation, last = data(split)
    test, scale = ReadOnce(last), normalisation(training.x)
    model = TinyAlexNet(n_classes=3)
    audit = Audit(model, frozen="features.")
    kept = Stored(*(rows_of(model, p, scale) for p in (training, validation)))
    kept = change(kept, model, split, scale)
    train(
        model, training, validation, STILL,
        scale=scale, among=ALONE, kept=kept if read else None, checkpoint=folder / "run.pt",
    )  # fmt: skip
    evaluate(model, test.read(), scale=scale, image_size=STILL.image_size, among=ALONE)
    kept = told(kept, model, split, scale)
    audit.after(
        manifest=read_manifest(folder / "run.pt"), plan=STILL, training=training,
        validation=validation, test=test, scale=scale, kept=kept if tell else None,
    )  # fmt: skip
    return audit


def failed(audit: Audit) -> dict[str, str]:
    return {f.claim: f.evidence for f in audit.findings if not f.ok}


def test_honest_training_on_stored_features_passes(tmp_path: Path) -> None:
    audit = audited(tmp_path)
    assert failed(audit) == {}
    assert {ONCE, OWN, NOT_TEST} == CLAIMS & {f.claim for f in audit.findings}
    assert audit.findings[-3].evidence.startswith("SHA-256 of 50 + 20 rows, one per picture")
    assert audit.findings[-2].evidence == "of 70 computed anew, others: none"
    assert audit.findings[-1].evidence == "of 20 computed, in 70 rows, copies: none"


def one_wrong(kept: Stored, *_: Any) -> Stored:
    kept.training[3] = kept.training[4] + 1
    return kept


def exchanged(kept: Stored, *_: Any) -> Stored:
    return kept._replace(training=kept.training.flip(0))


def of_validation(kept: Stored, model: Any, split: Parts, scale: Normalisation) -> Stored:
    training = kept.training.clone()
    training[:20] = kept.validation
    return kept._replace(training=training)


def of_test(kept: Stored, model: Any, split: Parts, scale: Normalisation) -> Stored:
    kept.training[:20] = rows_of(model, split[2], scale)
    return kept


def validated_on_test(kept: Stored, model: Any, split: Parts, scale: Normalisation) -> Stored:
    return kept._replace(validation=rows_of(model, split[2], scale))


def scaled_by(*which: int) -> Change:
    """By the statistics of other parts, or of more."""

    def change(kept: Stored, model: Any, split: Parts, scale: Normalisation) -> Stored:
        other = normalisation(torch.cat([split[i].x for i in which]))
        return Stored(*(rows_of(model, p, other) for p in split[:2]))

    return change


def of_other_weights(kept: Stored, model: Any, split: Parts, scale: Normalisation) -> Stored:
    return Stored(*(rows_of(TinyAlexNet(seed=1), p, scale) for p in split[:2]))


def mirrored(kept: Stored, model: Any, split: Parts, scale: Normalisation) -> Stored:
    return kept._replace(training=rows_of(model, split[0]._replace(x=split[0].x.flip(3)), scale))


def a_row_less(kept: Stored, *_: Any) -> Stored:
    return kept._replace(training=kept.training[1:])


CHEATS: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "one wrong row": ({"change": one_wrong}, {OWN}, "others: training 3"),
    "rows in another order": ({"change": exchanged}, {OWN}, "others: training"),
    "rows of validation train": ({"change": of_validation}, {OWN}, "others: training"),
    "rows of test pictures train": ({"change": of_test}, {OWN, NOT_TEST}, "copies: training 0, "),
    "rows of test pictures validate": (
        {"change": validated_on_test}, {OWN, NOT_TEST}, "copies: validation 0, ",
    ),
    "scaled by test": ({"change": scaled_by(2)}, {OWN}, "others: training"),
    "scaled by all": ({"change": scaled_by(0, 1, 2)}, {OWN}, "others: training"),
    "of other weights": ({"change": of_other_weights}, {OWN}, "others: training"),
    "of mirrored pictures": ({"change": mirrored}, {OWN}, "others: training"),
    "other rows are shown": (
        {"change": of_test, "told": lambda kept, model, split, scale: Stored(
            *(rows_of(model, p, scale) for p in split[:2]))},
        {ONCE}, "others: training.rows:",
    ),
    "fewer rows are shown": ({"told": a_row_less}, {ONCE, OWN}, "(49, 20) rows for (50, 20)"),
    "never read": ({"read": False}, {ONCE}, "None there, {'training': {'count': 50,"),
    "not told": ({"tell": False}, {PICTURES}, "it says: {'training': {'count': 50,"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "claims", "evidence"), CHEATS.values(), ids=CHEATS)
def test_cheat_with_stored_features_is_named(
    tmp_path: Path, wrong: dict[str, Any], claims: set[str], evidence: str
) -> None:
    found = failed(audited(tmp_path, **wrong))
    assert {*found} == claims
    assert evidence in "; ".join(found.values())
