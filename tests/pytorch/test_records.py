"""Records: refused after every change that decides a number, kept after every other one.

The changes are made in a copy of the project, one at a time, and the records of `docs/records/`
are read as if that copy were the project.
"""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT, script

from nn_tutorial.pytorch import records

RECORDS = sorted((ROOT / "docs" / "records").glob("*.json"))
# One record of each script.
OF = {
    "fashion": "fashion-mnist",
    "ablation": "fashion-mnist-ablation",
    "transfer": "cifar10-frozen",
    "pretraining": "alexnet-cifar100",
    "comparison": "transfer-imagenet",
}
PACKAGE, TORCH = Path("nn_tutorial"), Path("nn_tutorial/pytorch")
FASHION, TRANSFER = Path("scripts/train_fashion_mnist.py"), Path("scripts/train_transfer.py")
PRETRAINING, ABLATION = Path("scripts/pretrain_alexnet.py"), Path("scripts/ablate_fashion_mnist.py")
COMPARISON = Path("scripts/compare_transfer.py")
TRAINING, NETWORKS = TORCH / "training.py", TORCH / "networks.py"
RUNS, WEIGHTS = TORCH / "runs.py", TORCH / "weights.py"
Change = Callable[[Path], None]


def edit(file: Path, old: str, new: str) -> Change:
    """Another text for one that is there once."""

    def change(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times"
        (root / file).write_text(text.replace(old, new), encoding="utf-8")

    return change


def rename(file: Path, old: str, new: str) -> Change:
    """Another text for one, wherever that is."""

    def change(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        assert old in text, f"{file}: {old!r} is not there"
        (root / file).write_text(text.replace(old, new), encoding="utf-8")

    return change


def append(file: Path, text: str) -> Change:
    """More at the end of a file."""

    def change(root: Path) -> None:
        with (root / file).open("a", encoding="utf-8") as end:
            end.write(text)

    return change


def move(file: Path, to: Path) -> Change:
    """The file in another place."""

    def change(root: Path) -> None:
        (root / to).parent.mkdir(exist_ok=True)
        (root / file).rename(root / to)

    return change


def stale(root: Path) -> dict[str, str]:
    """The records that are refused, and what is said of each."""
    said = {}
    for kind, name in OF.items():
        try:
            records.read_record(ROOT / "docs" / "records" / f"{name}.json", root)
        except ValueError as error:
            said[kind] = str(error)
    return said


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what can be run."""
    for folder in ("nn_tutorial", "scripts"):
        ignored = shutil.ignore_patterns("__pycache__", "sitegen")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


EVERY = {*OF}
LOOP = EVERY - {"comparison"}  # it has a loop of its own
CLOTHES = {"fashion", "ablation"}
# What is changed, which records that makes stale, and which definition the message names.
BEHAVIOUR: dict[str, tuple[Change, set[str], str]] = {
    "the pretraining's head": (
        edit(PRETRAINING, "nn.AdaptiveAvgPool2d(1)", "nn.AdaptiveAvgPool2d(2)"),
        {"pretraining"}, "light_alexnet",
    ),
    "who is in which part": (
        edit(PACKAGE / "data/dataset.py", "(len(members)) + 0.5)", "(len(members)) + 0.1)"),
        EVERY, "stratified_split",
    ),
    "how many validate": (
        edit(TRANSFER, "held = len(labels) // 5", "held = len(labels) // 4"),
        {"transfer", "comparison"}, "split",
    ),
    "the backbone's weights": (
        edit(
            WEIGHTS, "model.features.load_state_dict(tensors)",
            "model.features.load_state_dict({n: v / 2 for n, v in tensors.items()})",
        ),
        {"transfer", "comparison"}, "load_backbone",
    ),
    "what is kept of a backbone": (
        edit(WEIGHTS, "value.detach().cpu() for", "value.detach().cpu().half() for"),
        {"pretraining"}, "save_backbone",
    ),
    "a learning rate": (
        edit(FASHION, "lr=0.001", "lr=0.002"),
        CLOTHES, "arguments",
    ),
    "an option's default": (
        edit(TRANSFER, "type=int, default=64", "type=int, default=96"),
        {"transfer"}, "arguments",
    ),
    "a plan's default": (
        edit(TRAINING, "weight_decay: float = 0.0", "weight_decay: float = 0.1"),
        LOOP, "Plan",
    ),
    "how numbers follow from the seed": (
        edit(TRAINING, '" ".join(map(str, parts))', '",".join(map(str, parts))'),
        LOOP, "_number",
    ),
    "the statistics": (
        edit(TRAINING, "levels @ share", "levels.flip(0) @ share"),
        EVERY, "normalisation",
    ),
    "the preprocessing": (
        edit(TRAINING, 'mode="bilinear"', 'mode="bicubic"'),
        LOOP, "prepare",
    ),
    "a dropout rate": (
        edit(NETWORKS, "dropout: float = 0.5", "dropout: float = 0.4"),
        {"transfer", "comparison"}, "alexnet",
    ),
    "a network": (
        edit(NETWORKS, "for width in (32, 64)", "for width in (16, 64)"),
        CLOTHES, "fashion_cnn",
    ),
    "a layer's method": (
        edit(TORCH / "modules.py", "drawn[start:stop] >= self.p", "drawn[start:stop] > self.p"),
        EVERY, "Dropout",
    ),
    "where a method goes on": (
        edit(TRAINING, 'found["sums"][among.rank]', 'found["sums"][0]'),
        LOOP, "_State",
    ),
    "which function a method calls": (
        edit(TRAINING, "found, there = load_checkpoint(", "found, there = normalisation("),
        LOOP, "_State",
    ),
    "a function that a method calls": (
        edit(TORCH / "checkpoints.py", 'return state, about["key"]', "return state, {}"),
        LOOP, "load_checkpoint",
    ),
    "the augmentation": (
        edit(TRAINING, "generator=_generator(*now)) < 0.5", "generator=_generator(*now)) < 0.4"),
        LOOP, "_examples",
    ),
    "the optimiser": (
        edit(TRAINING, "torch.optim.Adam(", "torch.optim.NAdam("),
        LOOP, "_adam",
    ),
    "what frozen means": (
        edit(TRAINING, "            module.eval()\n", "            module.train()\n"),
        LOOP, "_training_mode",
    ),
    "the evaluation": (
        edit(TRAINING, "    model.eval()\n    loss, right", "    loss, right"),
        LOOP, "evaluate",
    ),
    "what is read as the test": (
        edit(TRANSFER, "images, size = test.read()", "images, size = validation"),
        {"transfer"}, "run",
    ),
    "the test's size": (
        edit(
            FASHION, "evaluate(model, test, scale=scale",
            "evaluate(model, Images(test.x[:100], test.y[:100]), scale=scale",
        ),
        CLOTHES, "run",
    ),
    "how images are read": (
        edit(PACKAGE / "data/pictures.py", 'image.convert("RGB")', 'image.convert("YCbCr")'),
        EVERY - CLOTHES, "_shown",
    ),
    "an ablation's variant": (
        edit(ABLATION, '"dropout only": ["--no-batch-norm"]', '"dropout only": []'),
        {"ablation"}, "EXPERIMENTS",
    ),
    "a recipe's default": (
        edit(TORCH / "finetuning.py", "dropout: float = 0.5", "dropout: float = 0.4"),
        {"comparison"}, "Recipe",
    ),
    "a candidate": (
        edit(COMPARISON, "(3e-5, 1e-4, 3e-4)", "(1e-5, 1e-4, 3e-4)"),
        {"comparison"}, "methods",
    ),
    "what the record says": (
        edit(RUNS, "one_hot(y, classes).T", "one_hot(y, classes + 1).T"),
        {"fashion", "ablation", "transfer"}, "tested",
    ),
    "an imported name's meaning": (
        edit(TRAINING, "from torch.nn import functional", "from lib import functional"),
        LOOP, "evaluate",
    ),
    "a switch while a module is imported": (
        append(NETWORKS, "\n\ntorch.set_default_dtype(torch.float64)\n"),
        EVERY, "on import",
    ),
    "a switch while the script starts": (
        edit(FASHION, "    sys.exit(main())", "    torch.set_num_threads(2)\n    sys.exit(main())"),
        {"fashion"}, "on import",
    ),
    "a later definition of the same name": (
        append(TRAINING, "\n\ndef prepare(x, scale, size=None):\n    return x\n"),
        LOOP, "prepare",
    ),
    "a definition replaced from elsewhere": (
        append(NETWORKS, "\n\nfrom . import training\ntraining.evaluate = None\n"),
        EVERY, "on import",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "refused", "named"), BEHAVIOUR.values(), ids=BEHAVIOUR)
def test_change_of_behaviour_makes_records_stale(
    project: Path, change: Change, refused: set[str], named: str
) -> None:
    """Those whose numbers can follow from it, and no other; the message says what has changed."""
    change(project)
    said = stale(project)
    assert {*said} == refused
    for message in said.values():
        assert named in message
        assert "run python scripts/" in message


def reordered(root: Path) -> None:
    """The functions of a module the other way round."""
    path = root / NETWORKS
    head, *functions = path.read_text(encoding="utf-8").split("\n\n\ndef ")
    assert len(functions) == 3
    path.write_text("\n\n\ndef ".join([head.rstrip(), *reversed(functions)]), encoding="utf-8")


HARMLESS: dict[str, list[Change]] = {
    "a comment": [edit(TRAINING, "    plan = state.plan\n", "    # A.\n    plan = state.plan\n")],
    "a docstring": [
        edit(NETWORKS, "Return a CNN for grey images", "Return a network for images"),
        edit(PRETRAINING, "Pretrain AlexNet's convolutions", "Train AlexNet's convolutions first"),
    ],
    "layout": [
        edit(
            TRAINING, "    pixels = x.float() / 255\n",
            "    pixels = (\n        x.float()\n        / 255\n    )\n",
        ),
    ],
    "a file's place": [
        move(NETWORKS, TORCH / "nets/networks.py"),
        append(TORCH / "nets/__init__.py", ""),
        edit(TORCH / "nets/networks.py", "from .modules", "from ..modules"),
        edit(TORCH / "finetuning.py", "from .networks", "from .nets.networks"),
        *(
            edit(path, "nn_tutorial.pytorch.networks", "nn_tutorial.pytorch.nets.networks")
            for path in (FASHION, TRANSFER, PRETRAINING)
        ),
    ],
    "a module's name": [
        move(RUNS, TORCH / "sessions.py"),
        *(
            edit(path, "pytorch import runs", "pytorch import sessions")
            for path in (FASHION, TRANSFER, PRETRAINING)
        ),
        rename(FASHION, "runs.", "sessions."),
        rename(TRANSFER, "runs.", "sessions."),
        rename(PRETRAINING, "runs.", "sessions."),
        *(
            edit(path, "nn_tutorial.pytorch.runs", "nn_tutorial.pytorch.sessions")
            for path in (ABLATION, COMPARISON)
        ),
    ],
    "the place of a file whose names a class uses": [
        move(TORCH / "checkpoints.py", TORCH / "kept/states.py"),
        append(TORCH / "kept/__init__.py", ""),
        edit(TORCH / "kept/states.py", "from ..files", "from ...files"),
        *(
            edit(TORCH / f"{name}.py", "from .checkpoints", "from .kept.states")
            for name in ("training", "audit", "frozen", "runs")
        ),
    ],
    "an import's alias": [
        edit(TRAINING, "from torch.nn import functional", "import torch.nn.functional as F"),
        rename(TRAINING, " functional.", " F."),
        rename(TRAINING, "(functional.", "(F."),
    ],
    "an import's line": [
        edit(FASHION, "data import stratified_split", "data.dataset import stratified_split"),
        edit(NETWORKS, "import torch\nfrom torch import nn", "import csv\nfrom torch import nn\n"),
        edit(NETWORKS, "from .modules", "import torch\nfrom .modules"),
    ],
    "a function more": [append(TRAINING, "\n\ndef unused(x):\n    return x + 1\n")],
    "a constant more": [append(PACKAGE / "data/dataset.py", "\n\nUNUSED = 1\n")],
    "a layer that is not used": [
        edit(PACKAGE / "layers/activations.py", "np.maximum(x, 0)", "np.maximum(x, 1)"),
    ],
    "an annotation": [
        edit(TRAINING, "_number(*parts: int | str) -> int:", "_number(*parts: object):"),
        edit(TRAINING, "    flip: bool = False", "    flip: int = False"),
        edit(NETWORKS, "layers: list[nn.Module] = []", "layers = []"),
    ],
    "an option's help": [
        edit(TRANSFER, 'help="of the convolutions"', 'help="the weights"'),
        edit(RUNS, 'help="learning rate of Adam"', 'help="the learning rate"'),
    ],
    "what is said of the progress": [
        edit(TRAINING, 'f"epoch {len(history)}/{plan.epochs}', 'f"{len(history)}th of all'),
        edit(FASHION, 'f"test loss {loss:.4f}, accuracy', 'f"test: {loss:.2f} nats, right'),
        edit(RUNS, "print(line, flush=True)", "sys.stdout.write(line)"),
    ],
    "an error's words": [
        edit(TRAINING, "is the learning rate too high, or", "take a lower rate, or is"),
        edit(PACKAGE / "data/folder.py", "is not at {places}", "is in none of {places}"),
    ],
    "the order of definitions": [reordered],
    "how a file is written": [edit(PACKAGE / "files.py", "token_hex(8)", "token_hex(4)")],
    "how the code is looked at": [
        edit(PACKAGE / "verify/reached_code.py", "hexdigest()[:8]", "hexdigest()[:7]"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("changes", HARMLESS.values(), ids=HARMLESS)
def test_harmless_change_makes_no_record_stale(project: Path, changes: list[Change]) -> None:
    for change in changes:
        change(project)
    assert stale(project) == {}


def test_the_copy_itself_is_todays_code(project: Path) -> None:
    assert stale(project) == {}


# The records as they are


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_record_is_of_todays_code(path: Path) -> None:
    records.read_record(path)


def options(record: dict[str, Any]) -> tuple[Any, Any]:
    """The script of a record, and what its command chooses there."""
    _, place, *words = shlex.split(record["command"])
    module = script(Path(place).stem)
    return module, module.arguments().parse_args(words)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_command_of_a_record_makes_this_record(path: Path) -> None:
    """Its options are known, and are those that the record was made with."""
    record = json.loads(path.read_text(encoding="utf-8"))
    _, chosen = options(record)
    assert f"{getattr(chosen, 'name', record['name'])}.json" == path.name
    for name in ("epochs", "batch_size", "lr", "seed", "image_size"):
        if hasattr(chosen, name) and "plan" in record:
            assert record["plan"].get(name) == getattr(chosen, name), name
    if hasattr(chosen, "mixup"):
        for name in ("shift", "mixup", "one_cycle"):  # an older plan lacks them
            assert record["plan"].get(name, 0) == getattr(chosen, name), name
        assert record["network"]["dropout"] == chosen.dropout
    if hasattr(chosen, "bfloat16"):
        assert record["seeds"] == chosen.seeds
        assert record["precision"] == ("bfloat16" if chosen.bfloat16 else "float32")
    if getattr(chosen, "images", None) is not None:
        assert record["data"]["sizes"][0] == chosen.images
    if hasattr(chosen, "freeze"):
        assert record["network"]["freeze"] == chosen.freeze
        assert record["weights_origin"] == chosen.weights


def test_the_wrong_command_is_noticed(tmp_path: Path) -> None:
    record = json.loads(RECORDS[0].read_text(encoding="utf-8"))
    with pytest.raises(SystemExit):
        options(record | {"command": record["command"] + " --made-up 1"})


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("python x.py", r"command: expected 'python scripts/NAME\.py', got 'python x\.py'"),
        ("python", r"command: expected 'python scripts/NAME\.py', got 'python'"),
        ("", r"command: expected 'python scripts/NAME\.py', got ''"),
        ("python scripts/nowhere.py --lr 1", "script: expected one of .*, got 'nowhere'"),
    ],
)
def test_command_that_runs_no_script(tmp_path: Path, command: str, message: str) -> None:
    path = tmp_path / "run.json"
    records.write_record({"code": {}, "command": command}, path)
    with pytest.raises(ValueError, match=message):
        records.read_record(path)


def test_message_says_what_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "run.json"
    command = "python scripts/train_fashion_mnist.py --lr 1"
    code = records.code_of(command)
    records.write_record({"code": code, "command": command}, path)
    assert records.read_record(path)["command"] == command
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]
    del code["prepare"]
    records.write_record({"code": code | {"train": "0", "trained": "1"}, "command": command}, path)
    with pytest.raises(ValueError, match=r"run\.json") as caught:
        records.read_record(path)
    assert "changed: train; new: prepare; gone: trained" in str(caught.value)
    assert str(caught.value).endswith(f"run {command} again")


def test_record_of_before_there_was_a_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    command = "python scripts/train_fashion_mnist.py"
    records.write_record({"code": "0" * 64, "command": command}, path)
    with pytest.raises(ValueError, match=r"new: .* and \d+ more; run python"):
        records.read_record(path)
