"""Trained models in a file, and what they answer: to a reader's pictures, and for Kaggle."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import SMALL_FASHION, TinyAlexNet, script, write_fashion
from PIL import Image
from safetensors.torch import load_file, save_file
from test_transfer import write_noise

from nn_tutorial.data import DataDamagedError, DataNotFoundError, fashion
from nn_tutorial.data.cifar import CLASSES
from nn_tutorial.pytorch import models
from nn_tutorial.pytorch.models import About, load_model, probabilities, save_model
from nn_tutorial.pytorch.networks import fashion_cnn
from nn_tutorial.pytorch.records import read_record
from nn_tutorial.pytorch.training import Normalisation, prepare
from nn_tutorial.pytorch.weights import tensors_sha256

ABOUT = About(
    "alexnet", {"n_classes": 3, "seed": 5}, ("cat", "dog", "ship"), side=8, image_size=16,
    scale=Normalisation([0.5, 0.4, 0.3], [0.2, 0.25, 0.3]), source="made up",
)  # fmt: skip


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models.NETWORKS, "alexnet", TinyAlexNet)


@pytest.fixture
def saved(tmp_path: Path, small: None) -> Path:
    save_model(TinyAlexNet(n_classes=3, seed=1), tmp_path / "model.safetensors", ABOUT)
    return tmp_path / "model.safetensors"


def test_model_comes_back_with_all_that_it_needs(saved: Path) -> None:
    model, about = load_model(saved)
    assert about == ABOUT
    assert not model.training
    source = TinyAlexNet(n_classes=3, seed=1).eval()
    assert tensors_sha256(model.state_dict()) == tensors_sha256(source.state_dict())
    x = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8)
    shares = probabilities(model, about, x)
    wanted = source(prepare(x, ABOUT.scale, 16)).softmax(1)
    assert torch.equal(shares, wanted.detach())
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)


def test_grey_network_is_shown_luminance(tmp_path: Path) -> None:
    about = About("fashion_cnn", {"dropout": 0.0}, tuple("abcdefghij"), 28, None,
                  Normalisation([0.3], [0.4]), "clothes")  # fmt: skip
    net = fashion_cnn(dropout=0.0, seed=3)
    save_model(net, tmp_path / "m.safetensors", about)
    model, about = load_model(tmp_path / "m.safetensors")
    colours = torch.randint(0, 256, (2, 3, 28, 28), dtype=torch.uint8)
    grey = np.stack([Image.fromarray(c.permute(1, 2, 0).numpy()).convert("L") for c in colours])
    one = probabilities(model, about, colours)
    same = probabilities(model, about, torch.from_numpy(grey)[:, None].repeat(1, 3, 1, 1))
    np.testing.assert_allclose(one, same, atol=2e-3)  # Pillow rounds in another way


def rewritten(path: Path, *, tensors: Any = None, told: Any = None, metadata: Any = None) -> None:
    found = load_file(path)
    words = json.loads(open_metadata(path)[models.KEY])
    if told is not None:  # as if it had been saved so
        del words["sha256"]
        words |= told
        words |= {"sha256": models._sha256(words, found)}
    text = {models.KEY: json.dumps(words)} if metadata is None else metadata
    save_file(found | (tensors or {}), path, text)


def open_metadata(path: Path) -> dict[str, str]:
    with models.safe_open(path, "pt") as file:
        return file.metadata()


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (Path.unlink, DataNotFoundError, "is not there"),
        (lambda p: p.write_bytes(p.read_bytes()[:-9]), DataDamagedError, "can be read whole"),
        (lambda p: p.write_bytes(b""), DataDamagedError, "can be read whole"),
        (lambda p: p.write_text("a model"), DataDamagedError, "can be read whole"),
        (lambda p: rewritten(p, metadata={"format": "pt"}), DataDamagedError, "without a word"),
        (lambda p: rewritten(p, told={"network": "vgg"}), DataDamagedError, "KeyError: 'vgg'"),
        (lambda p: rewritten(p, told={"more": 1}), DataDamagedError, "TypeError.*more"),
        (lambda p: rewritten(p, metadata={models.KEY: "{"}), DataDamagedError, "JSONDecodeError"),
        (lambda p: rewritten(p, tensors={"classifier.4.bias": torch.ones(3)}), DataDamagedError,
         "tensors and words of SHA-256"),
        (lambda p: rewritten(p, told={"options": {"n_classes": 4}}), DataDamagedError,
         "RuntimeError.*size mismatch"),
    ],
    ids=["missing", "truncated", "empty", "text", "foreign", "network", "key", "json", "tensors",
         "shapes"],
)  # fmt: skip
def test_bad_file_is_refused_by_name(
    saved: Path, damage: Callable[[Path], Any], kind: type[Exception], message: str
) -> None:
    damage(saved)
    with pytest.raises(kind, match=message) as caught:
        load_model(saved)
    assert str(saved) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_is_noticed(saved: Path) -> None:
    """Of every region of the file: each is the head, the words, or a number."""
    content = saved.read_bytes()
    for at in range(0, len(content), len(content) // 40):
        saved.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        try:
            _, about = load_model(saved)
        except DataDamagedError:
            continue
        pytest.fail(f"byte {at} of {len(content)}: {about}")


def test_full_disk_leaves_the_older_model(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(*_: Any) -> None:
        raise models.SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(models, "save_file", full)
    with pytest.raises(OSError, match=r"model: .*model\.safetensors could not be written; .*space"):
        save_model(TinyAlexNet(n_classes=3), saved, ABOUT)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_numbers_that_are_none_are_not_saved(saved: Path) -> None:
    before = saved.read_bytes()
    model = TinyAlexNet(n_classes=3)
    model.features[0].bias.data[1] = float("nan")
    with pytest.raises(ValueError, match=r"finite numbers, features\.0\.bias"):
        save_model(model, saved, ABOUT)
    assert saved.read_bytes() == before


# predict.py


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("one.jpg", "TWO.JPG", "three.png")]
    noise = np.random.default_rng(3)
    for path, size in zip(paths, [(60, 40, 3), (8, 8, 3), (30, 90, 4)], strict=True):
        Image.fromarray(noise.integers(0, 256, size, dtype=np.uint8)).save(path)
    return paths


def test_predict_prints_what_the_network_says(
    saved: Path, photographs: list[Path], capsys: Any
) -> None:
    assert script("predict").main([str(saved), *map(str, photographs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [path.name for path in photographs]
    model = TinyAlexNet(n_classes=3, seed=1).eval()
    x = torch.from_numpy(np.array(Image.open(photographs[1]))).permute(2, 0, 1)[None]
    shares = model(prepare(x, ABOUT.scale, 16)).softmax(1)[0].detach()
    told = {n: float(s[:-1]) for n, s in (p.split() for p in lines[1].split(": ")[1].split(", "))}
    assert [*told] == [ABOUT.class_names[i] for i in shares.argsort(descending=True)]
    for name, share in told.items():
        assert share == pytest.approx(100 * float(shares[ABOUT.class_names.index(name)]), abs=0.06)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_predict_draws_bars(
    saved: Path, photographs: list[Path], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"answers.{kind}"
    command = [str(saved), *map(str, photographs), "--plot", str(path)]
    assert script("predict").main(command) == 0
    content = path.read_bytes()
    if kind == "png":
        assert Image.open(io.BytesIO(content)).size[1] > 300
    else:
        assert content.count(b"<image") == 3
    script("predict").main(command)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: [*c, "nowhere.jpg"], r"nowhere\.jpg: expected an image"),
        (lambda c: ["nowhere.safetensors", *c[1:]], "expected a trained model"),
        (lambda c: [*c, "--plot", "a.doc"], "expected a name in .png"),
        (lambda c: [*c, "--plot", "/nowhere/a.png"], "a folder that is there"),
    ],
)
def test_predict_says_what_is_wrong(
    saved: Path, photographs: list[Path], capsys: Any, change: Any, message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        script("predict").main(change([str(saved), str(photographs[0])]))
    assert caught.value.code == 2
    assert re.search(message, capsys.readouterr().err.splitlines()[-1])


def test_predict_asks_what_a_training_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The network of the record: its answers to the test pictures, and its SHA-256."""
    monkeypatch.setattr(fashion, "PARTS", SMALL_FASHION)
    write_fashion(tmp_path)
    places = ["--root", tmp_path, "--records", tmp_path / "r", "--checkpoints", tmp_path / "c"]
    options = ["--epochs", "4", "--batch-size", "10", "--no-batch-norm", "--device", "cpu"]
    assert script("train_fashion_mnist").main([*map(str, places), *options]) == 0
    record = read_record(tmp_path / "r" / "fashion-mnist.json")
    stored = fashion.fashion_mnist_stored(tmp_path)
    paths = [tmp_path / f"{i}.png" for i in range(len(stored.y_test))]
    for path, pixels in zip(paths, stored.x_test, strict=True):
        Image.fromarray(pixels[0]).save(path)
    capsys.readouterr()
    kept = tmp_path / "r" / "fashion-mnist.safetensors"
    assert script("predict").main([str(kept), *map(str, paths)]) == 0
    pairs = np.zeros((10, 10), int)
    for line, label in zip(capsys.readouterr().out.splitlines(), stored.y_test, strict=True):
        _, likeliest, _ = re.split(r": | \d", line, maxsplit=2)
        pairs[label, fashion.CLASSES.index(likeliest)] += 1
    assert pairs.tolist() == record["test"]["confusion"]
    assert json.loads(open_metadata(kept)[models.KEY])["sha256"] == record["model_sha256"]


# Kaggle's competition


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_noise(root / "cifar10", {"train": 10, "test": 2})
    return root


@pytest.fixture
def command(images: Path, tmp_path: Path) -> list[str]:
    return [
        "--weights", "random", "--root", str(images), "--records", str(tmp_path / "records"),
        "--checkpoints", str(tmp_path / "checkpoints"), "--epochs", "9", "--batch-size", "40",
        "--image-size", "16", "--device", "cpu", "--lr", "0.02",
        "--submission", str(tmp_path / "answers.csv"),
        "--save", str(tmp_path / "model.safetensors"),
    ]  # fmt: skip


@pytest.fixture
def transfer(monkeypatch: pytest.MonkeyPatch, small: None) -> Any:
    module = script("train_transfer")
    monkeypatch.setattr(module, "alexnet", TinyAlexNet)
    return module


def write_unlabelled(folder: Path, count: int) -> Path:
    """So many small pictures, all of them different: 1.png, 2.png, …"""
    folder.mkdir()
    pixels = np.random.default_rng(8).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    for i in range(1, count + 1):
        pixels[0, 0] = i % 256, i // 256 % 256, 7
        pixels[1:] = (i * 37) % 256
        Image.fromarray(pixels).save(folder / f"{i}.png", compress_level=0)
    return folder


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.reader(file)]


def test_unlabelled_folder_is_answered_in_constant_memory(
    transfer: Any, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    count = 2100
    folder = write_unlabelled(tmp_path / "test", count)
    sample = tmp_path / "sampleSubmission.csv"
    sample.write_text("id,label\n" + "".join(f"{i},cat\n" for i in range(1, count + 1)))
    asked: list[int] = []
    really = transfer.probabilities

    def counted(model: Any, about: Any, x: torch.Tensor) -> torch.Tensor:
        asked.append(len(x))
        return really(model, about, x)

    monkeypatch.setattr(transfer, "probabilities", counted)
    assert transfer.main([*command, "--predict", str(folder), "--sample", str(sample)]) == 0
    assert sum(asked) == count
    assert max(asked) <= 500  # pictures in memory at a time
    said = capsys.readouterr().out
    assert "answered 2,100 of 2,100" in said
    found = rows(tmp_path / "answers.csv")
    assert found[0] == ["id", "label"]
    assert [row[0] for row in found[1:]] == [str(i) for i in range(1, count + 1)]
    # The saved model gives the same answers, each asked alone by the number in its name.
    model, about = load_model(tmp_path / "model.safetensors")
    assert (about.side, about.image_size, about.class_names) == (32, 16, CLASSES)
    labels = dict(map(tuple, found[1:]))
    assert len({*labels.values()}) > 1
    for i in (1, 2, 9, 10, 999, 1000, 2100):
        image = Image.open(folder / f"{i}.png").resize((32, 32), Image.Resampling.BILINEAR)
        x = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
        assert labels[str(i)] == CLASSES[int(probabilities(model, about, x).argmax())]
    # What only names files of this machine is in no record.
    record = json.loads((tmp_path / "records" / "transfer.json").read_text())
    assert "--predict" not in record["command"]
    assert "--save" not in record["command"]


def test_damaged_picture_leaves_no_half_submission(
    transfer: Any, command: list[str], tmp_path: Path, capsys: Any
) -> None:
    folder = write_unlabelled(tmp_path / "test", 600)
    (folder / "550.png").write_bytes(b"\x89PNG")
    (tmp_path / "answers.csv").write_text("older")
    with pytest.raises(SystemExit):
        transfer.main([*command, "--predict", str(folder)])
    assert "550.png: expected an image" in capsys.readouterr().err
    assert (tmp_path / "answers.csv").read_text() == "older"
    assert not (tmp_path / "records").exists()
    assert [p.name for p in tmp_path.glob(".*")] == []
    shutil.copy(folder / "549.png", folder / "550.png")  # and the training is not lost
    assert transfer.main([*command, "--predict", str(folder)]) == 0
    assert len(rows(tmp_path / "answers.csv")) == 601


def test_answers_bear_the_numbers_of_their_pictures(
    transfer: Any, command: list[str], tmp_path: Path
) -> None:
    folder = write_unlabelled(tmp_path / "test", 12)
    for i in (1, 4, 10):
        (folder / f"{i}.png").unlink()
    assert transfer.main([*command, "--predict", str(folder)]) == 0
    ids = [int(row[0]) for row in rows(tmp_path / "answers.csv")[1:]]
    assert ids == [2, 3, 5, 6, 7, 8, 9, 11, 12]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--predict", "nowhere"], "nowhere is not there"),
        (["--predict", "test", "--sample", "nowhere.csv"], "a sample of the submission"),
        (["--predict", "test", "--sample", "sample.csv"], "got 2 ids: no image for 4"),
        (["--sample", "sample.csv"], "expected --predict with it"),
        (["--predict", "cats"], "expected images called by a number, as 1.png, got a.png"),
        (["--predict", "empty"], "expected images, got no file"),
        (["--save", "model.pt"], "expected a name in .safetensors"),
        (["--save", "folder.safetensors"], "is a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_met_is_told_before_the_training(
    transfer: Any, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any,
    change: list[str], message: str,
) -> None:  # fmt: skip
    write_unlabelled(tmp_path / "test", 3)
    (tmp_path / "cats").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.safetensors").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "cats" / "a.png")
    (tmp_path / "sample.csv").write_text("id,label\n1,cat\n4,cat\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        transfer.main([*command, *change])
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert message in said.err
    assert "epoch" not in said.out
