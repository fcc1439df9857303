"""Parameters on disk: the round trip, and that neither file nor model is ever half written."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn_tutorial as nt


def net(seed: int, width: int = 5, dtype: Any = np.float32, batch_norm: bool = True) -> Any:
    rng = np.random.default_rng(seed)
    model = nt.mlp(4, [width], 3, rng=rng, batch_norm=batch_norm, dtype=dtype)
    for b in model.buffers.values():
        b[...] = rng.uniform(0.5, 2, b.shape)
    return model


def state(model: nt.Layer) -> dict[str, bytes]:
    return {name: a.tobytes() for name, a in (model.params | model.buffers).items()}


@pytest.mark.parametrize("name", ["weights.npz", "weights", "weights.of.today"])
@pytest.mark.parametrize("kind", [str, Path], ids=["str", "path"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_round_trip(tmp_path: Path, name: str, kind: type, dtype: type) -> None:
    """Every bit of parameters and buffers, into the very arrays that the layers hold."""
    model, other = net(1, dtype=dtype), net(2, dtype=dtype)
    path = kind(tmp_path / name)
    nt.save(model, path)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert state(other) != state(model)
    nt.load(other, path)
    assert state(other) == state(model)
    x = np.random.default_rng(3).normal(size=(7, 4)).astype(dtype)
    np.testing.assert_array_equal(other(x), model(x))
    assert other.layers[0].params["weight"] is other.params["0.weight"]


def test_parameter_and_buffer_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    def model(value: float) -> nt.Layer:
        layer = nt.Layer()
        layer.params, layer.buffers = {"a": np.full(2, value)}, {"a": np.full(3, -value)}
        return layer

    saved, loaded = model(1.0), model(5.0)
    nt.save(saved, tmp_path / "file")
    nt.load(loaded, tmp_path / "file")
    np.testing.assert_array_equal(loaded.params["a"], 1)
    np.testing.assert_array_equal(loaded.buffers["a"], -1)


def test_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """The second array cannot be written: the first already has been, but beside the old file."""
    path = tmp_path / "weights.npz"
    nt.save(net(1), path)
    before = path.read_bytes()
    broken = net(2)
    broken.params["2.bias"] = np.array([object()])
    with pytest.raises(ValueError, match="allow_pickle"):
        nt.save(broken, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_replaces_an_older_file(tmp_path: Path) -> None:
    path, model = tmp_path / "weights.npz", net(1)
    nt.save(net(2, width=9), path)
    nt.save(model, path)
    again = net(3)
    nt.load(again, path)
    assert state(again) == state(model)


def test_file_has_the_usual_permissions(tmp_path: Path) -> None:
    """A file for a colleague: readable by whom the umask says, not by its owner alone."""
    (tmp_path / "plain").write_bytes(b"")
    nt.save(net(1), tmp_path / "weights.npz")
    assert (tmp_path / "weights.npz").stat().st_mode == (tmp_path / "plain").stat().st_mode


OTHER_MODELS = {
    "wider": (net(1, width=6), ("0.weight", "(4, 5)", "(4, 6)")),
    "other-dtype": (net(1, dtype=np.float64), ("0.weight", "float32", "float64")),
    "names-missing": (net(1, batch_norm=False), ("1.running_mean",)),
    "names-too-many": (
        nt.Sequential(*net(1).layers, nt.Linear(3, 3, rng=np.random.default_rng(0))),
        ("4.weight",),
    ),
}


@pytest.mark.parametrize(("other", "parts"), OTHER_MODELS.values(), ids=OTHER_MODELS)
def test_file_of_another_model_changes_nothing(tmp_path: Path, other: Any, parts: Any) -> None:
    path, model = tmp_path / "weights.npz", net(2)
    nt.save(other, path)
    before = state(model)
    with pytest.raises(ValueError, match="path: ") as caught:
        nt.load(model, path)
    assert all(part in str(caught.value) for part in (*parts, str(path)))
    assert state(model) == before


def test_last_array_of_the_wrong_shape_changes_nothing(tmp_path: Path) -> None:
    """All is checked first: the arrays before the wrong one must not have been copied."""
    path, model, other = tmp_path / "weights.npz", net(2), net(1)
    last = list(other.buffers)[-1]
    other.buffers[last] = np.ones(9, np.float32)
    nt.save(other, path)
    before = state(model)
    with pytest.raises(ValueError, match=last):
        nt.load(model, path)
    assert state(model) == before


def _truncated(path: Path) -> None:
    nt.save(net(1), path)
    path.write_bytes(path.read_bytes()[:300])


def _array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(3))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no archive"),
        lambda path: path.write_bytes(pickle.dumps({"a": 1})),
        lambda path: path.write_bytes(b"PK\x03\x04 and nothing more"),
        _array,
        _truncated,
    ],
    ids=["empty", "text", "pickle", "zip-in-name-only", "npy", "truncated"],
)
def test_file_that_is_no_archive_changes_nothing(tmp_path: Path, write: Any) -> None:
    path, model = tmp_path / "weights.npz", net(2)
    write(path)
    before = state(model)
    with pytest.raises(ValueError, match="path: expected") as caught:
        nt.load(model, path)
    assert str(path) in str(caught.value)
    assert state(model) == before


def test_no_damaged_byte_goes_unnoticed(tmp_path: Path) -> None:
    """Each byte in turn: the file is refused, or what was saved is read; never other numbers."""
    path, rng = tmp_path / "weights.npz", np.random.default_rng(1)
    saved = nt.Linear(1, 2, rng=rng)
    nt.save(saved, path)
    content, model = path.read_bytes(), nt.Linear(1, 2, rng=rng)
    fresh, refused = state(model), 0
    for i in range(len(content)):
        path.write_bytes(content[:i] + bytes([content[i] ^ 0xFF]) + content[i + 1 :])
        try:
            nt.load(model, path)
        except ValueError:
            refused += 1
            assert state(model) == fresh, i
        else:
            assert state(model) == state(saved), i
            for name in model.params:
                model.params[name][...] = np.frombuffer(fresh[name], np.float32).reshape(
                    model.params[name].shape
                )
    assert refused > len(content) // 3


def test_missing_file_is_reported_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nt.load(net(1), tmp_path / "nowhere.npz")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nt.save(net(1), tmp_path / "nowhere" / "weights.npz")
