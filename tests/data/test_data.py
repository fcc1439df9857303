"""The data sets: whole, split without overlap, in proportion, by seed."""

import dataclasses
import hashlib
import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import sklearn.datasets

import nn_tutorial as nt
from nn_tutorial import data as data_module

# Of the whole data set as scikit-learn ships it; another number means other flowers or digits.
SHA256 = {
    "iris": "aa06b8008ceba42efc654be0f83fdafc786239c9e8f13146044d078f5aab8f23",
    "digits": "5889d26819cf830d070975af3c711419825fa0a078137b3d80b8e7d06bd58da0",
}
SETS = pytest.mark.parametrize(
    ("make", "sizes", "shape", "classes"),
    [
        (nt.iris, (100, 25, 25), (4,), 3),
        (nt.digits, (1297, 250, 250), (1, 8, 8), 10),
    ],
    ids=["iris", "digits"],
)


def parts(data: nt.Dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (data.x_train, data.y_train),
        (data.x_val, data.y_val),
        (data.x_test, data.y_test),
    ]


def rows(x: np.ndarray, labels: np.ndarray) -> Counter[bytes]:
    return Counter(row.tobytes() + bytes([t]) for row, t in zip(x, labels, strict=True))


def original(name: str) -> tuple[np.ndarray, np.ndarray]:
    raw = getattr(sklearn.datasets, f"load_{name}")()
    return (raw.images[:, None] / 16 if name == "digits" else raw.data), raw.target


@SETS
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_sizes_shapes_and_dtypes(make, sizes, shape, classes, dtype) -> None:
    data = make(dtype=dtype)
    for (x, labels), size in zip(parts(data), sizes, strict=True):
        assert x.shape == (size, *shape)
        assert x.dtype == dtype
        assert labels.shape == (size,)
        assert labels.dtype == np.int64
        assert set(labels) == set(range(classes))
    assert len(data.class_names) == classes
    assert make().x_train.dtype == np.float32


@SETS
def test_parts_together_are_the_whole(make, sizes, shape, classes) -> None:
    """Every example once, with its own label: the parts share none and lose none."""
    data = make(dtype=np.float64)
    together = sum((rows(x, labels) for x, labels in parts(data)), Counter())
    assert together == rows(*original(data.name))


@SETS
def test_smaller_parts_share_none(make, sizes, shape, classes) -> None:
    data = make(sizes=(40, 30, 20), dtype=np.float64)
    assert [len(x) for x, _ in parts(data)] == [40, 30, 20]
    together = sum((rows(x, labels) for x, labels in parts(data)), Counter())
    assert together <= rows(*original(data.name))


@SETS
@pytest.mark.parametrize("seed", range(5))
def test_every_part_has_its_share_of_every_class(make, sizes, shape, classes, seed) -> None:
    data = make(seed=seed)
    whole = Counter(np.concatenate([labels for _, labels in parts(data)]).tolist())
    for _, labels in parts(data):
        for label, count in Counter(labels.tolist()).items():
            expected = len(labels) * whole[label] / whole.total()
            assert abs(count - expected) <= 1


@SETS
def test_seed_decides_the_split(make, sizes, shape, classes) -> None:
    first, same, other = make(seed=3), make(seed=3), make(seed=4)
    for (x, labels), (x_same, labels_same) in zip(parts(first), parts(same), strict=True):
        np.testing.assert_array_equal(x, x_same)
        np.testing.assert_array_equal(labels, labels_same)
    assert rows(first.x_test, first.y_test) != rows(other.x_test, other.y_test)


@SETS
def test_sha256_is_that_of_the_whole(make, sizes, shape, classes) -> None:
    """The same for every seed, size and dtype, computed here from the source's numbers."""
    data = make(seed=5, sizes=(20, 20, 20), dtype=np.float64)
    x, labels = original(data.name)
    content = x.astype("<f8").tobytes() + labels.astype("<i8").tobytes()
    assert data.sha256 == hashlib.sha256(content).hexdigest() == SHA256[data.name]
    assert make().sha256 == data.sha256
    assert data_module.used()[data.name] == data.sha256


def test_used_hands_out_a_copy() -> None:
    nt.iris()
    data_module.used().clear()
    assert "iris" in data_module.used()


@SETS
def test_standardized_with_the_training_part_alone(make, sizes, shape, classes) -> None:
    data = make(dtype=np.float64)
    scaled = data.standardized()
    mean, std = data.x_train.mean(0), data.x_train.std(0)
    std = np.where(std == 0, 1, std)  # pixels that are never drawn on
    for (x, labels), (x_scaled, labels_scaled) in zip(parts(data), parts(scaled), strict=True):
        np.testing.assert_allclose(x_scaled, (x - mean) / std, atol=1e-12)
        np.testing.assert_array_equal(labels_scaled, labels)
    np.testing.assert_allclose(scaled.x_train.mean(0), 0, atol=1e-12)
    varied = data.x_train.std(0) > 0
    np.testing.assert_allclose(scaled.x_train.std(0)[varied], 1)
    assert np.abs(scaled.x_test.mean(0)).max() > 1e-3  # the test part was not looked at
    assert make().standardized().x_train.dtype == np.float32
    assert scaled.sha256 == data.sha256


def test_feature_constant_in_training_is_centred_only() -> None:
    """Divided by nearly nothing, a pixel first drawn on in the test part would be enormous."""
    iris = nt.iris(dtype=np.float64)
    x_train = iris.x_train.copy()
    x_train[:, 1] = 3.0
    scaled = dataclasses.replace(iris, x_train=x_train).standardized()
    np.testing.assert_array_equal(scaled.x_train[:, 1], 0)
    np.testing.assert_allclose(scaled.x_test[:, 1], iris.x_test[:, 1] - 3)


@SETS
def test_examples_of_a_part_are_in_random_order(make, sizes, shape, classes) -> None:
    """Neither sorted by class nor taking the classes in turns: most runs of C hold one twice."""
    labels = make().y_train
    runs = labels[: len(labels) // classes * classes].reshape(-1, classes)
    assert np.mean([len(set(run)) < classes for run in runs.tolist()]) > 0.5
    assert np.mean([len(set(run)) > 1 for run in runs.tolist()]) > 0.5


def test_digits_are_from_white_to_black() -> None:
    data = nt.digits()
    assert data.x_train.min() == 0
    assert data.x_train.max() == 1
    assert data.feature_names == ()
    assert data.class_names == tuple("0123456789")


def test_iris_names_what_it_measures() -> None:
    data = nt.iris()
    assert data.class_names == ("setosa", "versicolor", "virginica")
    assert all(name.endswith("(cm)") for name in data.feature_names)
    assert len(data.feature_names) == 4
    # Setosas have by far the shortest petals: a label on the wrong row would show.
    setosa = data.x_train[data.y_train == 0, 2]
    assert setosa.max() < data.x_train[data.y_train != 0, 2].min()


@pytest.mark.parametrize("make", [nt.iris, nt.digits])
@pytest.mark.parametrize(
    "sizes",
    [(2000, 1, 1), (10, 0, 10), (10, -5, 10), (10, 10), (10, 10, 10, 10), ()],
    ids=str,
)
def test_refuses_bad_sizes(make: Callable[..., nt.Dataset], sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sizes: expected") as caught:
        make(sizes=sizes)
    assert str(sizes) in str(caught.value)


def test_stratified_split_of_very_unequal_classes(rng: np.random.Generator) -> None:
    """Ninety of one class and ten of another: each part has a tenth of the rare one."""
    labels = np.repeat([0, 1], [90, 10])
    for part in nt.stratified_split(labels, (50, 30, 20), rng=rng):
        assert (labels[part] == 1).sum() == len(part) // 10


def test_says_how_to_install_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="pip install"):
        nt.iris()
