"""Image data sets: found or not, whole or damaged, and never half used."""

import errno
import functools
import gzip
import hashlib
import http.server
import shutil
import socket
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision
from helpers import SMALL_FASHION, write_fashion
from PIL import Image

import nn_tutorial as nt
from nn_tutorial.data import __main__ as command
from nn_tutorial.data import cifar, data_folder, fashion, used
from nn_tutorial.data.image_folder import image_folder_stored, image_part


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Fashion-MNIST have few images, so that a test can write it."""
    monkeypatch.setattr(fashion, "PARTS", SMALL_FASHION)


@pytest.fixture
def raw(tmp_path: Path, small: None) -> Path:
    return write_fashion(tmp_path)


def write_images(root: Path, *, side: int = 5, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """A tree of coloured squares: the class decides the colour."""
    for part, count in (("train", 4), ("test", 2)):
        for k, name in enumerate(classes):
            folder = root / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = np.full((side, side, 3), (20 * k, i, 200), np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return root


def zipped(tree: Path) -> Path:
    """A zip of a tree, beside it."""
    path = tree.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(tree.rglob("*")):
            archive.write(file, file.relative_to(tree))
    return path


# Where the data is


def test_argument_then_variable_then_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NN_TUTORIAL_DATA", str(tmp_path / "variable"))
    assert data_folder(tmp_path / "argument") == tmp_path / "argument"
    assert data_folder() == tmp_path / "variable"
    monkeypatch.delenv("NN_TUTORIAL_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    assert data_folder() == tmp_path / "cache" / "nn_tutorial"


# Fashion-MNIST


def test_fashion_mnist_is_what_the_files_hold(raw: Path, tmp_path: Path) -> None:
    data = nt.fashion_mnist(tmp_path, sizes=(40, 20), dtype=np.float64)
    stored = np.frombuffer((raw / "train-images-idx3-ubyte").read_bytes()[16:], np.uint8)
    together = np.concatenate([data.x_train, data.x_val])
    assert together.shape == (60, 1, 28, 28)
    assert data.x_test.shape == (20, 1, 28, 28)
    wanted = {row.tobytes() for row in stored.reshape(60, -1)}
    found = {np.rint(row * 255).astype(np.uint8).tobytes() for row in together.reshape(60, -1)}
    assert found == wanted
    assert 0 <= data.x_test.min() < data.x_test.max() <= 1
    tests = np.frombuffer((raw / "t10k-labels-idx1-ubyte").read_bytes()[8:], np.uint8)
    np.testing.assert_array_equal(data.y_test, tests)  # whole, and in its order
    assert np.bincount(data.y_train).tolist() == [4] * 10
    assert data.class_names[0] == "T-shirt/top"
    assert used()["Fashion-MNIST"] == data.sha256


def test_seed_splits_training_images_only(raw: Path, tmp_path: Path) -> None:
    one, other = (nt.fashion_mnist(tmp_path, sizes=(40, 20), seed=s) for s in (1, 2))
    assert one.sha256 == other.sha256
    np.testing.assert_array_equal(one.x_test, other.x_test)
    assert not np.array_equal(one.x_train, other.x_train)


def test_split_is_official_only_with_the_official_labels(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = fashion.FIRST_LABELS["train"], fashion.FIRST_LABELS["t10k"]
    labels = np.tile(np.arange(10), 8)
    write_fashion(tmp_path / "resplit", labels=labels)
    assert nt.fashion_mnist(tmp_path / "resplit", sizes=(40, 20)).split == "re-split"
    # The same classes in equal numbers, beginning as the official files do.
    left = list(np.repeat(np.arange(10), 8))
    for label in first + last:
        left.remove(label)
    write_fashion(tmp_path / "official", labels=np.array([*first, *left[:50], *last, *left[50:]]))
    assert nt.fashion_mnist(tmp_path / "official", sizes=(40, 10)).split == "official"


def test_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(nt.DataNotFoundError, match="download fashion-mnist") as caught:
        nt.fashion_mnist(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "NN_TUTORIAL_DATA" in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)


def test_one_missing_file_is_not_found(raw: Path, tmp_path: Path) -> None:
    (raw / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(nt.DataNotFoundError):
        nt.fashion_mnist(tmp_path)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("train-images-idx3-ubyte", lambda b: b[:-1], "expected 47056 bytes, got 47055"),
        ("train-images-idx3-ubyte", lambda b: b + b"x", "expected 47056 bytes, got 47057"),
        ("t10k-labels-idx1-ubyte", lambda b: b"PK" + b[2:], "header of 504b"),
        ("t10k-images-idx3-ubyte", lambda b: b"", "got a header of"),
        ("train-labels-idx1-ubyte", lambda b: b[:8] + bytes(60), "data set"),
        ("train-labels-idx1-ubyte", lambda b: b[:8] + bytes([200]) + b[9:], "data set"),
    ],
    ids=["short", "long", "other kind", "empty", "other classes", "no label"],
)
def test_damaged_file_is_named_with_the_remedy(
    raw: Path, tmp_path: Path, name: str, damage: Any, message: str
) -> None:
    (raw / name).write_bytes(damage((raw / name).read_bytes()))
    before = used()
    with pytest.raises(nt.DataDamagedError, match=message) as caught:
        nt.fashion_mnist(tmp_path, sizes=(40, 20))
    assert "Remove" in str(caught.value)
    assert used() == before  # a page must not say that it was used


@pytest.mark.parametrize("sizes", [(40, 30), (0, 20), (40,), (40, 10, 10)], ids=str)
def test_wrong_split_is_refused(raw: Path, tmp_path: Path, sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sizes: expected"):
        nt.fashion_mnist(tmp_path, sizes=sizes)


@pytest.mark.parametrize("seed", ["x", 1.5, -1, None, True])
def test_wrong_seed_is_refused(raw: Path, tmp_path: Path, seed: Any) -> None:
    with pytest.raises(ValueError, match=r"^seed: expected an integer of at least 0, got"):
        nt.fashion_mnist(tmp_path, sizes=(40, 20), seed=seed)


def test_whole_numbers_are_refused_as_dtype(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dtype: expected float32 or float64, got int64"):
        nt.fashion_mnist(tmp_path, sizes=(40, 20), dtype=np.int64)


# A folder of images


@pytest.mark.parametrize("pack", [lambda tree: tree, zipped], ids=["folder", "zip"])
def test_image_folder(tmp_path: Path, pack: Any) -> None:
    path = pack(write_images(tmp_path / "pets"))
    data = nt.image_folder(path, sizes=(6, 2), dtype=np.float64)
    assert data.class_names == ("cat", "dog")
    assert (len(data.x_train), len(data.x_val), len(data.x_test)) == (6, 2, 4)
    for x, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert x.shape[1:] == (3, 5, 5)
        np.testing.assert_allclose(x[:, 0, 0, 0] * 255, 20 * labels)  # each with its own label
    assert data.split == "as found"
    assert "PNG" in data.source


def test_zip_and_folder_are_one_data_set(tmp_path: Path) -> None:
    tree = write_images(tmp_path / "pets")
    one, other = (nt.image_folder(path, sizes=(6, 2)) for path in (tree, zipped(tree)))
    assert one.sha256 == other.sha256


def test_image_folder_resizes_when_asked(tmp_path: Path) -> None:
    data = nt.image_folder(write_images(tmp_path / "pets"), sizes=(6, 2), size=3)
    assert data.x_train.shape == (6, 3, 3, 3)


def _text_file(tree: Path) -> None:
    (tree / "train" / "cat" / "notes.txt").write_text("a cat")


def _odd_size(tree: Path) -> None:
    Image.new("RGB", (7, 5)).save(tree / "train" / "dog" / "3.png")


def _truncated(tree: Path) -> None:
    path = tree / "test" / "dog" / "0.png"
    path.write_bytes(path.read_bytes()[:40])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda tree: shutil.rmtree(tree / "test"), "expected a folder 'test'"),
        (lambda tree: shutil.rmtree(tree / "test" / "dog"), r"in one only: \['dog'\]"),
        (lambda tree: [p.unlink() for p in (tree / "train/cat").iterdir()], "cat: .*got no file"),
        (_text_file, "notes.txt"),
        (_odd_size, r"3\.png: expected 5×5 pixels.*got 7×5"),
        (_truncated, r"0\.png: expected an image"),
    ],
    ids=["no test", "class missing", "empty class", "text file", "odd size", "truncated"],
)
def test_image_folder_refuses_and_names(tmp_path: Path, damage: Any, message: str) -> None:
    tree = write_images(tmp_path / "pets")
    damage(tree)
    with pytest.raises(nt.DataDamagedError, match=message):
        nt.image_folder(tree, sizes=(6, 2))


def test_folder_without_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(nt.DataDamagedError, match="a folder for each class"):
        nt.image_folder(tmp_path, sizes=(6, 2))


def test_parts_of_two_sizes_are_refused(tmp_path: Path) -> None:
    tree = write_images(tmp_path / "pets")
    for path in (tree / "test").rglob("*.png"):
        Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(nt.DataDamagedError, match="one size"):
        nt.image_folder(tree, sizes=(6, 2))


def test_image_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(nt.DataNotFoundError, match="is not there"):
        nt.image_folder(tmp_path / "nowhere", sizes=(6, 2))


def test_truncated_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(write_images(tmp_path / "pets"))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(nt.DataDamagedError, match="whole zip"):
        nt.image_folder(path, sizes=(6, 2))


# One part of a folder


@pytest.mark.parametrize("pack", [lambda tree: tree, zipped], ids=["folder", "zip"])
def test_one_part_needs_no_other(tmp_path: Path, pack: Any) -> None:
    tree = write_images(tmp_path / "pets")
    whole = image_folder_stored(tree)
    shutil.rmtree(tree / "test")
    part = image_part(pack(tree))
    np.testing.assert_array_equal(part.x, whole.x_train)
    np.testing.assert_array_equal(part.y, whole.y_train)
    assert part.class_names == ("cat", "dog")
    assert part.name == "pets"
    assert "PNG" in part.source


def test_one_part_is_the_one_that_is_named(tmp_path: Path) -> None:
    tree = write_images(tmp_path / "pets")
    train, test = (image_part(tree, part) for part in ("train", "test"))
    assert (len(train.x), len(test.x)) == (8, 4)
    assert train.sha256 != test.sha256
    assert image_part(tree, size=3).x.shape == (8, 3, 3, 3)
    with pytest.raises(nt.DataDamagedError, match="expected a folder 'other'"):
        image_part(tree, "other")


# CIFAR-10


def test_cifar10_from_a_zip(tmp_path: Path) -> None:
    tree = write_images(tmp_path / "cifar10-copy", side=32, classes=cifar.CLASSES)
    zipped(tree)
    shutil.rmtree(tree)
    data = nt.cifar10(tmp_path, sizes=(30, 10))
    assert data.name == "CIFAR-10"
    assert data.x_train.shape == (30, 3, 32, 32)
    assert data.class_names == cifar.CLASSES
    assert "a copy" in data.source


def test_other_classes_are_not_cifar10(tmp_path: Path) -> None:
    write_images(tmp_path / "cifar10", side=32)
    with pytest.raises(nt.DataDamagedError, match="CIFAR-10's ten classes"):
        nt.cifar10(tmp_path)


def test_cifar10_not_found(tmp_path: Path) -> None:
    with pytest.raises(nt.DataNotFoundError, match="download cifar10"):
        nt.cifar10(tmp_path / "nowhere")


def test_cifar10_with_a_wrong_checksum(tmp_path: Path) -> None:
    folder = tmp_path / cifar.BATCHES
    folder.mkdir()
    for i in range(1, 6):
        (folder / f"data_batch_{i}").write_bytes(b"no pickle")
    with pytest.raises(nt.DataDamagedError, match="checksums"):
        nt.cifar10(tmp_path)


def test_cifar10_from_torchvisions_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Small:
        """What torchvision hands out once its checksums are right."""

        def __init__(self, root: str, train: bool) -> None:
            count = 20 if train else 10
            self.data = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones(
                (1, 32, 32, 3), np.uint8
            )
            self.targets = [i % 10 for i in range(count)]

    (tmp_path / cifar.BATCHES).mkdir()
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Small)
    data = nt.cifar10(tmp_path, sizes=(10, 10))
    assert data.x_test.shape == (10, 3, 32, 32)
    assert data.split == "official"
    np.testing.assert_allclose(data.x_test[:, 0, 0, 0] * 255, np.arange(10), atol=1e-4)


# The command


@pytest.fixture
def server(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, list[str]]]:
    """A mirror of the small Fashion-MNIST on this machine: its folder, and what was asked for."""
    raw = write_fashion(tmp_path / "origin")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    resources = []
    for path in sorted(raw.iterdir()):
        packed = gzip.compress(path.read_bytes(), mtime=0)
        (mirror / f"{path.name}.gz").write_bytes(packed)
        resources.append((f"{path.name}.gz", hashlib.md5(packed).hexdigest()))
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            if self.command == "GET":
                asked.append(self.path)

    handler = functools.partial(Handler, directory=str(mirror))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        kind = torchvision.datasets.FashionMNIST
        monkeypatch.setattr(kind, "mirrors", [f"http://127.0.0.1:{serving.server_port}/"])
        monkeypatch.setattr(kind, "resources", resources)
        yield mirror, asked
        serving.shutdown()


def test_download_puts_a_checked_data_set_in_place(
    server: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "data"
    assert command.main(["--root", str(home), "download", "fashion-mnist"]) == 0
    assert str(home) in capsys.readouterr().out
    assert len(nt.fashion_mnist(home, sizes=(40, 20)).x_train) == 40
    assert [path.name for path in home.iterdir()] == ["fashion-mnist"]  # nothing left beside
    asked = len(server[1])
    assert command.main(["--root", str(home), "download", "fashion-mnist"]) == 0
    assert len(server[1]) == asked  # the second time nothing is fetched


def test_interrupted_download_goes_on(server: tuple[Path, list[str]], tmp_path: Path) -> None:
    mirror, asked = server
    home = tmp_path / "data"
    last = mirror / "train-labels-idx1-ubyte.gz"
    kept = last.read_bytes()
    last.write_bytes(kept[:10])  # a transfer that was cut off
    with pytest.raises(nt.DataNotFoundError, match="Run the command again"):
        command.fetch("fashion-mnist", home)
    with pytest.raises(nt.DataNotFoundError):  # never a half-used data set
        nt.fashion_mnist(home)
    unpacked = next(home.rglob("train-images-idx3-ubyte"))
    unpacked.write_bytes(unpacked.read_bytes()[:1000])  # and one that was cut off while unpacked
    last.write_bytes(kept)
    asked.clear()
    command.fetch("fashion-mnist", home)
    assert set(asked) == {"/train-labels-idx1-ubyte.gz"}  # what was whole is not fetched again
    assert nt.fashion_mnist(home, sizes=(40, 20)).split == "re-split"


def test_no_network(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = torchvision.datasets.FashionMNIST
    monkeypatch.setattr(kind, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    at = command.DOWNLOADS["fashion-mnist"]._replace(second=["http://127.0.0.1:9/second/"])
    monkeypatch.setitem(command.DOWNLOADS, "fashion-mnist", at)
    with pytest.raises(nt.DataNotFoundError, match="Is there a network") as caught:
        command.fetch("fashion-mnist", tmp_path)
    for piece in ("9/ does not", "second/ does not", f"put them into {tmp_path}/fashion-mnist"):
        assert piece in str(caught.value)


def test_network_that_swallows_everything(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that takes a call and never answers, as behind some firewalls."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        silent = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", silent)
        at = command.DOWNLOADS["cifar10"]._replace(second=silent)
        monkeypatch.setitem(command.DOWNLOADS, "cifar10", at)
        monkeypatch.setattr(command, "ANSWER", 0.1)
        with pytest.raises(nt.DataNotFoundError, match="does not answer") as caught:
            command.fetch("cifar10", tmp_path)
    assert f"so that there is {tmp_path}/{cifar.BATCHES}" in str(caught.value)


def test_refusal_is_an_answer(server: tuple[Path, list[str]]) -> None:
    """Some servers do not like the short question; what they are asked for then is the files."""
    (address,) = torchvision.datasets.FashionMNIST.mirrors
    assert command._answers(address + "nowhere")
    assert not command._answers("http://127.0.0.1:9/")


@pytest.mark.parametrize("fault", ["silent", "damaged"])
def test_second_address_is_tried(
    server: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Where the first does not answer, and where its files have another checksum."""
    kind, (mirror, asked) = torchvision.datasets.FashionMNIST, server
    (right,) = kind.mirrors
    (mirror / "damaged").mkdir()
    for path in mirror.glob("*.gz"):
        (mirror / "damaged" / path.name).write_bytes(b"damaged")
    first = f"{right}damaged/" if fault == "damaged" else "http://127.0.0.1:9/"
    monkeypatch.setattr(kind, "mirrors", [first])
    at = command.DOWNLOADS["fashion-mnist"]._replace(second=[right])
    monkeypatch.setitem(command.DOWNLOADS, "fashion-mnist", at)
    command.fetch("fashion-mnist", tmp_path / "data")
    assert len(nt.fashion_mnist(tmp_path / "data", sizes=(40, 20)).x_train) == 40
    assert any("damaged" in path for path in asked) == (fault == "damaged")
    assert kind.mirrors == [first]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no room on the disk"),
        (PermissionError(errno.EACCES, "Permission denied", "/there"), "/there may not be written"),
    ],
    ids=["full", "forbidden"],
)
def test_disk_that_cannot_be_written(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, error: OSError, message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", fail)
    assert command.main(["--root", str(tmp_path), "download", "fashion-mnist"]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "fashion-mnist").exists()


def test_download_leaves_a_part_alone(raw: Path, tmp_path: Path) -> None:
    """What is in the way may be somebody's only copy."""
    (raw / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(nt.DataDamagedError, match="Move it away"):
        command.fetch("fashion-mnist", tmp_path)
    assert (raw / "train-images-idx3-ubyte").is_file()


def test_list_names_sizes_checksums_and_licences(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "cifar10", side=32, classes=cifar.CLASSES)
    assert command.main(["--root", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    sha256 = hashlib.sha256((raw / "t10k-labels-idx1-ubyte").read_bytes()).hexdigest()
    for piece in (str(tmp_path), sha256, "MIT", "iris", "digits", "60 files", nt.iris().sha256):
        assert piece in told


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_list_shows_a_truncated_file_as_damaged(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    command.main(["--root", str(tmp_path)])
    assert "damaged" not in capsys.readouterr().out
    (raw / name).write_bytes((raw / name).read_bytes()[:-1])
    assert command.main(["--root", str(tmp_path)]) == 0
    assert f"damaged: {raw / name}: expected" in capsys.readouterr().out


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_list_shows_damaged_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: bool
) -> None:
    tree = write_images(tmp_path / "cifar10", side=32, classes=cifar.CLASSES)
    path = zipped(tree) if packed else tree / "test" / "dog" / "1.png"
    if packed:
        shutil.rmtree(tree)
    path.write_bytes(path.read_bytes()[:-40])
    assert command.main(["--root", str(tmp_path)]) == 0
    assert f"damaged: {path}: expected" in capsys.readouterr().out


def test_list_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--root", str(tmp_path), "list"]) == 0
    assert "download cifar10" in capsys.readouterr().out


def test_the_command_says_which_package_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Installed alone the package has NumPy; no data set that is there is kept from the list."""
    for name in ("sklearn", "platformdirs", "torchvision"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delenv("NN_TUTORIAL_DATA", raising=False)
    assert command.main(["--root", str(tmp_path), "list"]) == 0
    told = capsys.readouterr().out
    assert told.count("not found; scikit-learn holds the data: pip install") == 2
    assert "download cifar10" in told
    assert command.main(["--root", str(tmp_path), "download", "cifar10"]) == 1
    told = capsys.readouterr().err
    assert "fetched: torchvision fetches it: pip install 'nn_tutorial[pytorch]'. Or fetch" in told
    assert command.main(["list"]) == 1
    assert "pip install 'nn_tutorial[data]', or name a folder" in capsys.readouterr().err


def test_a_folder_that_may_not_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr(command, "listing", refuse)
    assert command.main(["--root", str(tmp_path), "list"]) == 1
    assert str(tmp_path) in capsys.readouterr().err
