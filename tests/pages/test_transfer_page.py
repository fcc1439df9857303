"""What the transfer page finds: CIFAR-10 in every layout, weights in every place, no download."""

import ast
import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import ROOT
from PIL import Image

from nn_tutorial.data.cifar import CLASSES, LABELS
from nn_tutorial.pytorch.weights import Backbone, imagenet_places

PAGE = ROOT / "docs" / "pytorch" / "transfer.py"
WANTED = {"called", "Live", "first_images", "find_pictures", "find_weights", "SEED"}


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The page's imports and what it looks for things with, where nothing may be fetched."""

    def wanted(node: ast.stmt) -> bool:
        names = [getattr(node, "name", ""), *(ast.unparse(t) for t in getattr(node, "targets", []))]
        return isinstance(node, ast.Import | ast.ImportFrom) or bool(WANTED & {*names})

    def fetch(*_: Any, **__: Any) -> None:
        raise AssertionError("a page fetches nothing")

    monkeypatch.setenv("NN_TUTORIAL_DATA", str(tmp_path))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fetch)
    tree = ast.parse(PAGE.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if wanted(node)]
    found: dict[str, Any] = {"__name__": "page"}
    exec(compile(tree, str(PAGE), "exec"), found)
    assert found.keys() >= WANTED
    return found


def write_photographs(root: Path, suffix: str = ".png") -> None:
    """train/<class> and test/<class>, ten and two pictures each; red says which class it is."""
    for part, count in (("train", 10), ("test", 2)):
        for k, name in enumerate(CLASSES):
            (root / part / name).mkdir(parents=True)
            for i in range(count):
                pixels = np.full(
                    (32, 32, 3), (20 * k, 9 * i, 90 if part == "test" else 0), np.uint8
                )
                Image.fromarray(pixels).save(root / part / name / f"{i}{suffix}")


def tree(root: Path) -> None:
    write_photographs(root / "cifar10")


def nested(root: Path) -> None:
    write_photographs(root / "cifar10" / "CIFAR-10-images-master")
    (root / "cifar10" / "__MACOSX").mkdir()
    (root / "cifar10" / ".DS_Store").write_bytes(b"")


def packed(root: Path) -> None:
    write_photographs(root / "made" / "top")
    shutil.make_archive(str(root / "cifar10"), "zip", root / "made")
    shutil.rmtree(root / "made")


def kaggle(root: Path) -> None:
    write_photographs(root / "made")
    (root / "cifar10" / "train").mkdir(parents=True)
    paths = sorted((root / "made" / "train").glob("*/*.png"))
    for i, path in enumerate(paths, start=1):
        path.rename(root / "cifar10" / "train" / f"{i}.png")
    with (root / "cifar10" / LABELS).open("w", newline="") as file:
        rows = enumerate((path.parent.name for path in paths), start=1)
        csv.writer(file).writerows([["id", "label"], *rows])
    shutil.rmtree(root / "made")


@pytest.mark.parametrize("write", [tree, nested, packed, kaggle])
def test_photographs_are_found_in_every_layout(
    page: dict[str, Any], tmp_path: Path, write: Any
) -> None:
    write(tmp_path)
    live = page["find_pictures"](each=5, each_test=2)
    assert live.name == "CIFAR-10"
    for part, each in (("train", 4), ("val", 1), ("test", 2)):
        x, y = getattr(live, part)
        assert x.shape == (10 * each, 3, 32, 32)
        assert torch.bincount(y).tolist() == [each] * 10
        assert torch.equal(x[:, 0, 0, 0].long(), 20 * y)
        assert {*x[:, 2, 0, 0].tolist()} == {90 if part == "test" and write != kaggle else 0}


def test_jpeg_copy_is_called_one(page: dict[str, Any], tmp_path: Path) -> None:
    write_photographs(tmp_path / "cifar10", ".jpg")
    assert page["find_pictures"](each=5, each_test=2).name == "CIFAR-10 (JPEG copy)"


def test_without_photographs_there_are_digits(page: dict[str, Any]) -> None:
    assert page["find_pictures"]().name == "digits"


def test_weights_are_looked_for_where_the_package_does(
    page: dict[str, Any], tmp_path: Path
) -> None:
    asked: list[tuple[str, Path | None]] = []

    def load(model: Any, origin: str, path: Path | None) -> Backbone:
        asked.append((origin, path))
        return Backbone(origin, "", "")

    page["load_backbone"], page["remember"] = load, lambda *_: None
    for place in imagenet_places():
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"")
        page["find_weights"]()
        assert asked.pop() == ("imagenet", place)
        place.unlink()


def test_without_weights_there_are_random_ones_and_no_download(page: dict[str, Any]) -> None:
    backbone, tensors = page["find_weights"]()
    assert backbone.origin == "random"
    assert len(tensors) == 10


def test_no_page_names_weights_to_be_fetched() -> None:
    """torchvision fetches what `weights=` names; a page passes a path to `load_backbone`."""
    for path in (ROOT / "docs").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            named = ast.unparse(node.func)
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if named.startswith("torchvision.models."):
                assert given.get("weights") == "None", f"{path}:{node.lineno}"
            if named.endswith("load_backbone"):
                assert len(node.args) == 3, f"{path}:{node.lineno}: expected a path"
            assert "load_state_dict_from_url" not in named, f"{path}:{node.lineno}"
