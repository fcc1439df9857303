"""Data as people have it: which set it is, in which layout, and what is said of any other."""

import csv
import gzip
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import SMALL_FASHION, write_fashion
from PIL import Image

import nn_tutorial as nt
from nn_tutorial.data import cifar, fashion
from nn_tutorial.data.image_folder import image_part
from nn_tutorial.data.numbered import check_sample, read_numbered
from nn_tutorial.data.tree import read_tree

Change = Callable[[Path], Any]


def write_tree(
    root: Path, classes: tuple[str, ...], *, parts: tuple[str, ...] = ("train", "test")
) -> Path:
    """Two pictures of 32×32 pixels a class and part: the class decides the colour."""
    for part in parts:
        for k, name in enumerate(classes):
            folder = root / part / name
            folder.mkdir(parents=True)
            for i in range(2):
                Image.new("RGB", (32, 32), (k, i, len(part))).save(folder / f"{i}.png")
    return root


def zipped(tree: Path, path: Path, below: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(tree.rglob("*")):
            archive.write(file, below + str(file.relative_to(tree)))
    return path


# Which data it is


HUNDRED = tuple(f"class{k:02}" for k in range(100))


def test_another_set_with_the_same_beginning_is_not_taken(tmp_path: Path) -> None:
    zipped(write_tree(tmp_path / "x" / "a", HUNDRED), tmp_path / "cifar100-jpeg.zip")
    with pytest.raises(nt.DataNotFoundError, match="100 classes in train") as caught:
        nt.cifar10(tmp_path)
    for piece in ("cifar100-jpeg.zip", "class00", "and 96 more", "200 files"):
        assert piece in str(caught.value)
    tree = write_tree(tmp_path / "x" / "b", cifar.CLASSES)
    zipped(tree, tmp_path / "cifar1000.zip")  # and the true one by whatever name
    assert cifar.find_cifar10(tmp_path).name == "cifar1000.zip"
    assert nt.cifar10(tmp_path).class_names == cifar.CLASSES


def test_set_called_cifar10_that_is_none_is_refused(tmp_path: Path) -> None:
    zipped(write_tree(tmp_path / "x" / "a", HUNDRED), tmp_path / "cifar10-jpeg.zip")
    with pytest.raises(nt.DataDamagedError, match=r"cifar10-jpeg\.zip: .*100 classes in train"):
        nt.cifar10(tmp_path)


def test_other_zip_that_cannot_be_read_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "cifar100-jpeg.zip").write_bytes(b"PK cut off")
    with pytest.raises(nt.DataNotFoundError, match=r"cifar100-jpeg\.zip holds .*whole zip"):
        nt.cifar10(tmp_path)
    write_tree(tmp_path / "photographs", cifar.CLASSES)
    assert cifar.find_cifar10(tmp_path).name == "photographs"


def test_classes_of_cifar10_in_other_sizes_or_without_test_are_refused(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "cifar10", cifar.CLASSES)
    for path in tree.rglob("*.png"):
        Image.new("RGB", (16, 16)).save(path)
    with pytest.raises(nt.DataDamagedError, match=r"32×32 pixels, got images of \(16, 16\)"):
        nt.cifar10(tmp_path)
    shutil.rmtree(tree / "test")
    with pytest.raises(nt.DataDamagedError, match="training part alone"):
        nt.cifar10(tmp_path)


def test_part_of_cifar10_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path / "cifar10", cifar.CLASSES)
    assert "40 of its 60,000" in nt.cifar10(tmp_path).source
    monkeypatch.setattr(cifar, "PARTS", {"train": 20, "test": 20})
    assert "60,000" not in nt.cifar10(tmp_path).source


def test_other_pictures_in_fashion_mnists_files_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of KMNIST have the same names, sizes and counts."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for part, count in fashion.PARTS.items():
        for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            head = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
            array = np.zeros(shape, np.uint8)
            if kind == "labels-idx1":
                array = (np.arange(count) % 10).astype(np.uint8)
            (raw / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
    with pytest.raises(nt.DataDamagedError, match="4,004,583,251 together, got 0"):
        fashion.fashion_mnist_stored(tmp_path)
    monkeypatch.setattr(fashion, "SUMS", (0, 0))
    assert fashion.fashion_mnist_stored(tmp_path).split == "official"


# Trees and zips


def add_junk(tree: Path) -> None:
    for name in ("__MACOSX/train/cat/._0.png", "train/.DS_Store", "train/cat/Thumbs.db",
                 "train/__MACOSX/0.png", "test/dog/desktop.ini", "test/.hidden/0.png"):  # fmt: skip
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"junk")


@pytest.mark.parametrize("below", ["", "pets/", "a/b/pets/"])
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_junk_and_outer_folders_are_no_classes(tmp_path: Path, below: str, packed: bool) -> None:
    tree = write_tree(tmp_path / "all" / below, ("cat", "dog"))
    add_junk(tree)
    add_junk(tmp_path / "all")
    path = zipped(tmp_path / "all", tmp_path / "all.zip") if packed else tmp_path / "all"
    if below:
        shutil.rmtree(tmp_path / "all" / "train")
        shutil.rmtree(tmp_path / "all" / "test")
        path = zipped(tmp_path / "all", tmp_path / "all.zip") if packed else path
    data = nt.image_folder(path, sizes=(2, 2))
    assert data.class_names == ("cat", "dog")
    assert len(data.x_test) == 4


def test_zip_without_entries_for_its_folders(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "pets", ("cat", "dog"))
    with zipfile.ZipFile(tmp_path / "flat.zip", "w") as archive:
        for file in sorted(tree.rglob("*.png"), reverse=True):
            archive.write(file, file.relative_to(tree))
    assert image_part(tmp_path / "flat.zip").sha256 == image_part(tree).sha256


def test_each_name_of_a_zip_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: listing each class's folder would look at all names again each time."""
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for k in range(300):
            archive.writestr(f"train/{k:03}/0.png", b"")
    looked = []

    class Names(list[str]):
        def __iter__(self) -> Any:
            for name in super().__iter__():
                looked.append(name)
                yield name

    names = zipfile.ZipFile.namelist
    monkeypatch.setattr(zipfile.ZipFile, "namelist", lambda self: Names(names(self)))
    tree = read_tree(tmp_path / "many.zip")
    assert len(tree.folders("train/")) == 300
    assert len(looked) <= 4 * 300


def encrypted(tree: Path) -> Path:
    path = zipped(tree, tree.with_suffix(".zip"))
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:  # in each entry of the directory the flag's lowest bit
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 1)
    path.write_bytes(content)
    return path


def holding(*names: str, parts: tuple[str, ...] = ()) -> Callable[[Path], Path]:
    def make(tree: Path) -> Path:
        shutil.rmtree(tree)
        tree.mkdir()
        write_tree(tree, ("cat", "dog"), parts=parts)
        for name in names:
            (tree / name).write_bytes(b"")
        return tree

    return make


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (encrypted, "without a password, got an encrypted one"),
        (holding("archive.zip"), "'train' in it.*there is archive.zip; unpack archive.zip first"),
        (holding("train.7z", "labels.csv"), "unpack train.7z first"),
        (holding("train-00000.parquet"), "Hugging Face's parquet is not read here"),
        (holding(parts=("train", "val")), "'test' in it.*there is train/, val/"),
        (lambda tree: tree / "train", "'train' in it.*there is cat/, dog/"),
        (lambda tree: zipped(tree / "train", tree / "classes.zip"), "there is cat/, dog/"),
    ],
    ids=["encrypted", "nested", "7z", "parquet", "train and val", "classes", "zip of classes"],
)
def test_message_says_what_is_there(tmp_path: Path, make: Any, message: str) -> None:
    path = make(write_tree(tmp_path / "pets", ("cat", "dog")))
    with pytest.raises(nt.DataDamagedError, match=message) as caught:
        nt.image_folder(path, sizes=(2, 2))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read all folders, so the system's answer is played here."""
    tree = write_tree(tmp_path / "pets", ("cat", "dog"))
    scan = os.scandir

    def forbid(path: Any) -> Any:
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbid)
    with pytest.raises(nt.DataDamagedError, match="dog: expected a folder that may be read"):
        nt.image_folder(tree, sizes=(2, 2))


def test_unreadable_data_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", forbid)
    for read in (nt.cifar10, nt.fashion_mnist):
        with pytest.raises(nt.DataNotFoundError, match=r"may not be read\. Change"):
            read(tmp_path)


# Fashion-MNIST's layouts


@pytest.fixture
def clothes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, nt.Dataset]:
    """The four files, and what is in them."""
    monkeypatch.setattr(fashion, "PARTS", SMALL_FASHION)
    raw = write_fashion(tmp_path / "origin")
    return raw, nt.fashion_mnist(tmp_path / "origin", sizes=(40, 20))


def packed(raw: Path, to: Path, *, both: bool = False) -> None:
    to.mkdir(parents=True)
    for path in raw.iterdir():
        (to / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        if both:
            shutil.copy(path, to)


def as_tables(raw: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for part, name in (("train", "train"), ("t10k", "test")):
        pixels = np.frombuffer((raw / f"{part}-images-idx3-ubyte").read_bytes()[16:], np.uint8)
        labels = np.frombuffer((raw / f"{part}-labels-idx1-ubyte").read_bytes()[8:], np.uint8)
        rows = np.column_stack([labels, pixels.reshape(-1, 784)])
        header = ",".join(["label", *(f"pixel{i + 1}" for i in range(784))])
        np.savetxt(to / f"fashion-mnist_{name}.csv", rows, "%d", ",", header=header, comments="")


LAYOUTS = {
    "raw": lambda raw, home: shutil.copytree(raw, home / "raw"),
    "in its own folder": lambda raw, home: shutil.copytree(raw, home / "fashion-mnist" / "raw"),
    "flat": lambda raw, home: shutil.copytree(raw, home / "fashion-mnist"),
    "torchvision, root": lambda raw, home: shutil.copytree(raw, home / "FashionMNIST" / "raw"),
    "torchvision, packed": lambda raw, home: packed(raw, home / "FashionMNIST" / "raw"),
    "torchvision, both": lambda raw, home: packed(raw, home / "FashionMNIST" / "raw", both=True),
    "raw, packed": lambda raw, home: packed(raw, home / "raw"),
    "Kaggle": as_tables,
    "Kaggle in its own folder": lambda raw, home: as_tables(raw, home / "fashion-mnist"),
}


@pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)
def test_fashion_mnist_in_every_layout(
    clothes: tuple[Path, nt.Dataset], tmp_path: Path, make: Callable[[Path, Path], Any]
) -> None:
    raw, wanted = clothes
    make(raw, tmp_path / "home")
    found = nt.fashion_mnist(tmp_path / "home", sizes=(40, 20))
    assert found.sha256 == wanted.sha256
    np.testing.assert_array_equal(found.x_train, wanted.x_train)


def test_what_fashion_mnist_lacks_is_said(clothes: tuple[Path, Any], tmp_path: Path) -> None:
    home = tmp_path / "home"
    packed(clothes[0], home / "raw")
    (home / "raw" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(nt.DataNotFoundError, match="raw lacks t10k-labels-idx1-ubyte"):
        nt.fashion_mnist(home)
    shutil.rmtree(home / "raw")
    (home / "fashion_mnist").mkdir()
    (home / "fashion_mnist" / "train-00000-of-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(nt.DataNotFoundError, match="Hugging Face's parquet, which is not read"):
        nt.fashion_mnist(home)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.replace(",", ";"), "expected rows of 785 numbers"),
        (lambda t: t[: len(t) // 2], "expected|rows"),
        (lambda t: "\n".join(t.split("\n")[:-5]) + "\n", "expected 60 rows of 785 numbers, got 56"),
        (lambda t: t.replace("\n1,", "\n256,", 1), "from 0 to 255"),
    ],
    ids=["semicolons", "cut", "rows missing", "too large"],
)
def test_damaged_table_is_named(
    clothes: tuple[Path, Any], tmp_path: Path, damage: Callable[[str], str], message: str
) -> None:
    as_tables(clothes[0], tmp_path / "home")
    path = tmp_path / "home" / "fashion-mnist_train.csv"
    path.write_text(damage(path.read_text()))
    with pytest.raises(nt.DataDamagedError, match=message) as caught:
        nt.fashion_mnist(tmp_path / "home")
    assert str(path) in str(caught.value)


def test_damaged_archive_is_named(clothes: tuple[Path, Any], tmp_path: Path) -> None:
    packed(clothes[0], tmp_path / "home" / "raw")
    path = tmp_path / "home" / "raw" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(nt.DataDamagedError, match="can be read whole") as caught:
        nt.fashion_mnist(tmp_path / "home")
    assert str(path) in str(caught.value)


# CIFAR-10 as Kaggle has it, and numbered pictures


def write_kaggle(home: Path, count: int = 40) -> Path:
    """The competition's labelled pictures: the class decides one colour, the number another."""
    (home / "train").mkdir(parents=True)
    with (home / cifar.LABELS).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "label"])
        for i in range(1, count + 1):
            rows.writerow([i, cifar.CLASSES[i % 10]])
            Image.new("RGB", (32, 32), (i % 10, i, 0)).save(home / "train" / f"{i}.png")
    return home


@pytest.mark.parametrize("place", ["", "cifar-10", "kaggle"])
def test_cifar10_as_kaggle_has_it(tmp_path: Path, place: str) -> None:
    write_kaggle(tmp_path / place)
    data = nt.cifar10(tmp_path, dtype=np.float64)
    assert (len(data.x_train), len(data.x_val), len(data.x_test)) == (26, 6, 8)
    assert data.split == "re-split"
    assert "Kaggle" in data.source
    ids = []
    for x, y in (
        (data.x_train, data.y_train),
        (data.x_val, data.y_val),
        (data.x_test, data.y_test),
    ):
        np.testing.assert_allclose(x[:, 0, 0, 0] * 255, y, atol=1e-9)  # each with its own label
        ids += np.rint(x[:, 1, 0, 0] * 255).astype(int).tolist()
    assert sorted(ids) == [*range(1, 41)]


def test_kaggles_zip_of_archives_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cifar-10.zip", "w") as archive:
        for name in ("train.7z", "test.7z", cifar.LABELS, "sampleSubmission.csv"):
            archive.writestr(name, "")
    with pytest.raises(nt.DataDamagedError, match=r"unpack test\.7z first"):
        nt.cifar10(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda home: (home / "train" / "3.png").unlink(), "39 images in train, got 40 rows"),
        (
            lambda home: (home / "train" / "cat.png").touch(),
            "called by a number, as 1.png, got .*cat",
        ),
        (
            lambda home: shutil.copy(home / "train" / "3.png", home / "train" / "03.png"),
            "one image",
        ),
        (lambda home: (home / cifar.LABELS).write_text("id,label\n1,cow\n"), "classes cow"),
        (lambda home: (home / cifar.LABELS).write_text("1;cat\n2;dog\n"), "rows of id and label"),
        (lambda home: (home / cifar.LABELS).write_text("a,b\n1,cat\n"), "a header id,label"),
        (lambda home: (home / cifar.LABELS).write_text(""), "a header id,label"),
    ],
    ids=["image missing", "no number", "twice", "class", "semicolons", "header", "empty"],
)
def test_kaggles_files_that_do_not_fit(tmp_path: Path, change: Change, message: str) -> None:
    change(write_kaggle(tmp_path / "kaggle"))
    with pytest.raises(nt.DataDamagedError, match=message) as caught:
        nt.cifar10(tmp_path)
    assert str(tmp_path / "kaggle") in str(caught.value)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_numbers_are_sorted_as_numbers(tmp_path: Path, packed: bool) -> None:
    folder = tmp_path / "up" / "test"
    folder.mkdir(parents=True)
    for i in (1, 2, 9, 10, 11, 100):
        Image.new("RGB", (9, 9), (i, 0, 0)).save(folder / f"{i}.png")
    (folder / "Thumbs.db").touch()
    path = zipped(tmp_path / "up", tmp_path / "test.zip") if packed else folder
    found = read_numbered(path)
    assert found.ids == [1, 2, 9, 10, 11, 100]
    batches = [*found.batches(4, 3)]
    assert [len(x) for x in batches] == [4, 2]
    assert np.concatenate(batches)[:, 0, 0, 0].tolist() == found.ids


def test_sample_of_a_submission(tmp_path: Path) -> None:
    path = tmp_path / "sampleSubmission.csv"
    with pytest.raises(nt.DataNotFoundError, match="is not there"):
        check_sample(path, [1, 2])
    path.write_text("id,label\n1,cat\n2,cat\n")
    check_sample(path, [1, 2])
    for ids, message in (([1], "no image for 2; not asked for: nothing"),
                         ([1, 2, 3], "no image for nothing; not asked for: 3"),
                         ([2, 1], "in another order")):  # fmt: skip
        with pytest.raises(nt.DataDamagedError, match=message):
            check_sample(path, ids)
