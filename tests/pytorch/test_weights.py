"""Where a backbone's weights come from: the right ones, or an error and an untouched model."""

import copy
import functools
import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import TinyAlexNet
from safetensors.torch import save_file

from nn_tutorial.data import DataDamagedError, DataNotFoundError
from nn_tutorial.pytorch import weights
from nn_tutorial.pytorch.weights import load_backbone, save_backbone, tensors_sha256

ABOUT = {
    "source": "CIFAR-100", "source_sha256": "5" * 64, "image_size": 64, "epochs": 3,
    "accuracy": 0.4812,
}  # fmt: skip


def saved(path: Path, **more: Any) -> TinyAlexNet:
    """A backbone in a file, and the network it is of."""
    source = TinyAlexNet(seed=1, **more)
    save_backbone(source.features, path, **ABOUT)
    return source


def test_hash_of_tensors_sees_names_shapes_types_and_bytes() -> None:
    x = torch.arange(6.0)
    one = tensors_sha256({"a": x, "b": x + 1})
    assert tensors_sha256({"b": x + 1, "a": x.clone()}) == one
    for other in (
        {"a": x + 1, "b": x}, {"a": x.reshape(2, 3), "b": x + 1}, {"a": x.int(), "b": x + 1},
        {"a": x}, {"c": x, "b": x + 1},
    ):  # fmt: skip
        assert tensors_sha256(other) != one


def test_random_weights_are_those_of_the_model() -> None:
    model = TinyAlexNet()
    before = tensors_sha256(model.state_dict())
    found = load_backbone(model, "random")
    assert found.text == "random weights"
    assert found.sha256 == tensors_sha256(model.features.state_dict())
    assert tensors_sha256(model.state_dict()) == before


def test_own_backbone_comes_back(tmp_path: Path) -> None:
    source = TinyAlexNet(seed=1)
    sha256 = save_backbone(source.features, tmp_path / "new" / "b.pt", **ABOUT)
    model = TinyAlexNet(seed=2)
    classifier = tensors_sha256(model.classifier.state_dict())
    found = load_backbone(model, "file", tmp_path / "new" / "b.pt")
    assert found.sha256 == sha256 == tensors_sha256(model.features.state_dict())
    assert torch.equal(model.features[0].weight, source.features[0].weight)
    assert tensors_sha256(model.classifier.state_dict()) == classifier
    assert not any(p.requires_grad for p in model.features.parameters())
    assert found.text == (
        "weights pretrained on CIFAR-100 (3 epochs, 48.1% of its validation images right)"
    )
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["b.pt"]


def test_failed_write_leaves_the_older_backbone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.pt"
    saved(path)
    before = path.read_bytes()

    def fail(_: Any, beside: Path) -> None:
        beside.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="No space"):
        saved(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["b.pt"]


def _other_tensors(path: Path) -> None:
    found = torch.load(path, weights_only=True)
    found["features"]["0.bias"] += 1e-6
    torch.save(found, path)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (Path.unlink, DataNotFoundError, "is not there.*pretrain_alexnet"),
        (_truncated, DataDamagedError, "can be read whole"),
        (lambda path: path.write_bytes(b""), DataDamagedError, "can be read whole, got EOFError"),
        (lambda path: path.write_text("a backbone"), DataDamagedError, "can be read whole"),
        (_other_tensors, DataDamagedError, "expected tensors of SHA-256"),
        (lambda path: torch.save([1], path), DataDamagedError, "with names, got list"),
        (lambda path: torch.save({"x": 1}, path), DataDamagedError, "'about', got 'x'"),
        (lambda path: saved(path, width=5), DataDamagedError, r"shape \(4,\), got \(5,\)"),
    ],
    ids=["missing", "truncated", "empty", "text", "tensors", "list", "keys", "shapes"],
)  # fmt: skip
def test_bad_file_is_refused_and_changes_nothing(
    tmp_path: Path, damage: Callable[[Path], Any], kind: type[Exception], message: str
) -> None:
    path, model = tmp_path / "b.pt", TinyAlexNet()
    saved(path)
    damage(path)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(kind, match=message) as caught:
        load_backbone(model, "file", path)
    assert str(path) in str(caught.value)
    assert tensors_sha256(model.state_dict()) == tensors_sha256(before)


@pytest.mark.parametrize(
    ("origin", "path", "message"),
    [
        ("magic", None, "one of imagenet, file, random, got 'magic'"),
        ("file", None, "got none; 'python scripts/pretrain_alexnet.py'"),
        ("random", Path("b.pt"), "expected none for random"),
    ],
    ids=["unknown", "no file", "random from a file"],
)
def test_origin_that_does_not_fit(origin: str, path: Path | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_backbone(TinyAlexNet(), origin, path)


# ImageNet's weights, from a server on this machine


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, list[str]]]:
    """A file as torchvision's, for the small network; and what was asked for."""
    folder = tmp_path / "server"
    folder.mkdir()
    torch.save(TinyAlexNet(seed=3).state_dict(), folder / "new")
    sha256 = hashlib.sha256((folder / "new").read_bytes()).hexdigest()
    file = (folder / "new").rename(folder / f"alexnet-{sha256[:8]}.pth")
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        monkeypatch.setattr(weights, "URL", f"http://127.0.0.1:{serving.server_port}/{file.name}")
        features = TinyAlexNet(seed=3).features.state_dict()
        monkeypatch.setattr(weights, "FEATURES", tensors_sha256(features))
        yield file, asked
        serving.shutdown()


def test_imagenet_is_fetched_once_and_checked(
    served: tuple[Path, list[str]], tmp_path: Path
) -> None:
    file, asked = served
    model, source = TinyAlexNet(), TinyAlexNet(seed=3)
    found = load_backbone(model, "imagenet", root=tmp_path / "data")
    assert found.sha256 == tensors_sha256(source.features.state_dict())
    assert "ImageNet" in found.text
    assert [p.name for p in (tmp_path / "data" / "weights").iterdir()] == [file.name]
    load_backbone(model, "imagenet", root=tmp_path / "data")
    assert len(asked) == 1


def test_imagenet_from_a_local_file(served: tuple[Path, list[str]], tmp_path: Path) -> None:
    file, asked = served
    model = TinyAlexNet()
    found = load_backbone(model, "imagenet", file.rename(tmp_path / "mine.pth"))
    assert found.sha256 == tensors_sha256(TinyAlexNet(seed=3).features.state_dict())
    assert asked == []


@pytest.mark.parametrize("place", ["", "weights"])
def test_features_alone_are_enough(
    served: tuple[Path, list[str]], tmp_path: Path, place: str
) -> None:
    """The classifier is replaced anyway: a file without it is found, checked and taken."""
    file, asked = served
    state = torch.load(file, weights_only=True)
    folder = tmp_path / "data" / place
    folder.mkdir(parents=True, exist_ok=True)
    features = {name: value for name, value in state.items() if name.startswith("features.")}
    torch.save(features, folder / weights.FEATURES_FILE)
    model = TinyAlexNet()
    found = load_backbone(model, "imagenet", root=tmp_path / "data")
    assert found.sha256 == weights.FEATURES
    assert torch.equal(model.features[0].weight, TinyAlexNet(seed=3).features[0].weight)
    assert asked == []


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    "kept",
    [
        lambda state: state,
        lambda state: {n: v for n, v in state.items() if n.startswith("features.")},
        lambda state: {n[9:]: v for n, v in state.items() if n.startswith("features.")},
    ],
    ids=["whole", "features", "features by their own names"],
)
@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
def test_every_file_with_the_right_tensors_is_taken(
    served: tuple[Path, list[str]], tmp_path: Path, suffix: str, kept: Any, named: bool
) -> None:
    file, asked = served
    state = kept(torch.load(file, weights_only=True))
    path = (tmp_path / Path(file.name if len(state) > 2 else weights.FEATURES_FILE)).with_suffix(
        suffix
    )
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    model = TinyAlexNet()
    found = load_backbone(model, "imagenet", path if named else None, root=tmp_path)
    assert found.sha256 == weights.FEATURES
    assert torch.equal(model.features[0].weight, TinyAlexNet(seed=3).features[0].weight)
    assert asked == []
    # And no other tensors, whatever the format.
    damaged = {n: v + 1e-6 if n.endswith("0.bias") else v for n, v in state.items()}
    save_file(damaged, path) if suffix == ".safetensors" else torch.save(damaged, path)
    with pytest.raises(DataDamagedError, match=r"tensors have SHA-256 \w{12}, got \w{12}\."):
        load_backbone(TinyAlexNet(), "imagenet", path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataDamagedError, match="can be read whole"):
        load_backbone(TinyAlexNet(), "imagenet", path)


def test_fetched_file_with_another_hash_is_not_kept(
    served: tuple[Path, list[str]], tmp_path: Path
) -> None:
    _truncated(served[0])
    model = TinyAlexNet()
    before = tensors_sha256(model.state_dict())
    with pytest.raises(DataDamagedError, match="invalid hash value"):
        load_backbone(model, "imagenet", root=tmp_path / "data")
    assert list((tmp_path / "data" / "weights").iterdir()) == []
    assert tensors_sha256(model.state_dict()) == before


def test_damaged_imagenet_file_is_named(served: tuple[Path, list[str]], tmp_path: Path) -> None:
    """PyTorch itself compares the hash only while it fetches."""
    load_backbone(TinyAlexNet(), "imagenet", root=tmp_path)
    there = tmp_path / "weights" / served[0].name
    state = torch.load(there, weights_only=True)
    lacking = {name: value for name, value in state.items() if name != "features.0.bias"}
    for damage, message in (
        (lambda: torch.save(state | {"features.0.bias": state["features.0.bias"] + 1e-6}, there),
         "tensors have SHA-256"),
        (lambda: torch.save(lacking, there), r"tensors have SHA-256.*\(0\.bias missing\)"),
        (lambda: torch.save({"features.0.weight": 1}, there), "got no tensor named features"),
        (lambda: torch.save({"x": torch.ones(1)}, there), "got no tensor named features"),
        (lambda: _truncated(there), "can be read whole"),
    ):  # fmt: skip
        damage()
        model = TinyAlexNet()
        before = tensors_sha256(model.state_dict())
        with pytest.raises(DataDamagedError, match=message) as caught:
            load_backbone(model, "imagenet", root=tmp_path)
        assert str(there) in str(caught.value)
        assert tensors_sha256(model.state_dict()) == before
    with pytest.raises(DataNotFoundError, match="is not there"):
        load_backbone(TinyAlexNet(), "imagenet", tmp_path / "nowhere.pth")


def test_no_network_says_what_can_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "URL", "http://127.0.0.1:9/alexnet-00000000.pth")
    with pytest.raises(DataNotFoundError, match=r"name it\. Or do without: .*pretrain_alexnet"):
        load_backbone(TinyAlexNet(), "imagenet", root=tmp_path)


def test_names_and_shapes_are_those_of_torchvision() -> None:
    """What the small network cannot show: the file's names begin as AlexNet's do."""
    from nn_tutorial.pytorch.networks import alexnet

    assert weights.URL.startswith("https://download.pytorch.org/models/alexnet-owt-7be5be79")
    names = alexnet(freeze=True).features.state_dict()
    assert [*names][:2] == ["0.weight", "0.bias"]
    assert sum(value.numel() for value in names.values()) == 44_428_106 - 41_958_410
