"""The audit of a training: it passes an honest one, and names what is wrong in each other."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import TinyAlexNet
from torch import nn
from torch.nn import functional
from train_small import PLAN, small_images

from nn_tutorial.pytorch.audit import (
    Audit,
    AuditError,
    Finding,
    Manifest,
    ReadOnce,
    _likeness,
    disjoint,
    fingerprints,
    read_manifest,
)
from nn_tutorial.pytorch.likeness import alike, thumbnails
from nn_tutorial.pytorch.modules import BatchNorm2d
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import (
    Images,
    Normalisation,
    Plan,
    evaluate,
    normalisation,
    train,
)
from nn_tutorial.pytorch.weights import tensors_sha256

ALONE = Processes(0, 1, torch.device("cpu"))
FROZEN = "every frozen tensor stayed"
TRAINABLE = "every trainable tensor changed"
OPTIMISER = "the optimiser holds the trainable tensors and no other"
DISJOINT = "no image is in two splits"
ONCE = "the test split was read once"
PREPROCESSING = "the preprocessing knows the training images alone"
DROPOUT = "dropout is off in evaluation"
STATISTICS = "running statistics are fixed in evaluation"
HIDDEN = "no layer is hidden from the audit"
TRAINED_ON = "it trained and validated on these pictures and labels"
PLANNED = "it trained by this plan, to its end"
ENDS = "the training began and ended with the weights seen here"
COPIES = "no image is in a split twice"
ALIKE = "no image is a brighter, darker or mirrored one of another split"
LABELS = "each image has the label of its file"
CLAIMS = [
    FROZEN, TRAINABLE, OPTIMISER, DISJOINT, ONCE, PREPROCESSING, DROPOUT, STATISTICS, HIDDEN,
    TRAINED_ON, PLANNED, ENDS, COPIES, ALIKE,
]  # fmt: skip


def splits() -> tuple[Images, Images, Images]:
    images = small_images(90)
    parts = (slice(50), slice(50, 70), slice(70, 90))
    training, validation, test = (Images(images.x[rows], images.y[rows]) for rows in parts)
    return training, validation, test


def nothing(_: Any) -> None:
    pass


def audited(
    folder: Path,
    *,
    frozen: str | None = "features.",
    model_before: Callable[[TinyAlexNet], None] = nothing,
    model_after: Callable[[TinyAlexNet], Any] = nothing,
    data: Callable[[list[Images]], None] = nothing,
    scale_of: Callable[[tuple[Images, Images, Images]], Any] = lambda parts: parts[0].x,
    reads: int = 1,
    optimizer: Callable[[TinyAlexNet], dict[str, Any]] | None = None,
    told: Callable[[list[Images]], None] = nothing,
    told_plan: Plan = PLAN,
    told_scale: Callable[[list[Images]], Any] | None = None,
    manifest: Callable[[Manifest], Manifest] = lambda made: made,
    network: Callable[..., TinyAlexNet] = TinyAlexNet,
    source: Images | None = None,
) -> Audit:
    """Train and audit; each argument is a place where something can go wrong."""
    parts = [*splits()]
    data(parts)
    training, validation, last = parts
    test, scale = ReadOnce(last), normalisation(scale_of((training, validation, last)))
    model = network(n_classes=3, freeze=frozen is not None)
    model_before(model)
    audit = Audit(model, frozen=frozen)
    checkpoint = folder / "run.pt"
    train(model, training, validation, PLAN, scale=scale, among=ALONE, checkpoint=checkpoint)
    model.eval()
    for read in range(reads):
        if read == 0:
            evaluate(model, test.read(), scale=scale, among=ALONE)
        else:
            with pytest.raises(AuditError, match="expected one read, got read 2"):
                test.read()
    model_after(model)
    made = manifest(read_manifest(checkpoint))
    if optimizer is not None:
        made = made._replace(optimizer=optimizer(model))
    told(parts)
    audit.after(
        manifest=made, plan=told_plan, training=parts[0], validation=parts[1], test=test,
        scale=scale if told_scale is None else normalisation(told_scale(parts)), source=source,
    )  # fmt: skip
    return audit


@pytest.mark.parametrize("frozen", ["features.", None])
def test_honest_training_passes(tmp_path: Path, frozen: str | None) -> None:
    audit = audited(tmp_path, frozen=frozen)
    assert [finding.claim for finding in audit.findings] == CLAIMS
    assert [finding for finding in audit.findings if not finding.ok] == []
    audit.raise_if_wrong()
    evidence = {finding.claim: finding.evidence for finding in audit.findings}
    frozen_count, trainable = (7, 4) if frozen else (0, 8)  # running statistics are three of seven
    assert evidence[FROZEN].startswith(f"of {frozen_count},")
    assert evidence[TRAINABLE].startswith(f"of {trainable},")
    assert "steps taken by each: 12" in evidence[OPTIMISER]
    assert evidence[DISJOINT].startswith("50 training + 20 validation + 20 test")
    assert str(audit.findings[0]).startswith(f"holds: {FROZEN} (of")


def adam(
    choose: Callable[[TinyAlexNet], list[nn.Parameter]], *, width: int = 4
) -> Callable[[TinyAlexNet], dict[str, Any]]:
    """The state after a step of an optimiser over some of a copy's parameters."""

    def state(_: TinyAlexNet) -> dict[str, Any]:
        model = TinyAlexNet(n_classes=3, width=width)
        optimizer = torch.optim.Adam(choose(model), lr=0.01)
        model(torch.rand(5, 3, 7, 7)).sum().backward()
        optimizer.step()
        return optimizer.state_dict()

    return state


def swapped(model: TinyAlexNet) -> list[nn.Parameter]:
    """As many as are trainable, but a frozen one for one of the same shape."""
    wanted = [*model.classifier.parameters()]
    wanted[1] = nn.Parameter(torch.zeros(16), requires_grad=False)
    return wanted


def leak(parts: list[Images]) -> None:
    training, _, test = parts
    parts[0] = Images(torch.cat([training.x, test.x[4:5]]), torch.cat([training.y, test.y[4:5]]))


def leak_into_validation(parts: list[Images]) -> None:
    parts[1] = Images(
        torch.cat([parts[1].x, parts[2].x[:2]]), torch.cat([parts[1].y, parts[2].y[:2]])
    )


def mirror(parts: list[Images]) -> None:
    """Other images with the same statistics: nobody could tell whose they are."""
    parts[1] = Images(parts[0].x.flip(3), parts[0].y)


def everything(parts: tuple[Images, Images, Images]) -> torch.Tensor:
    return torch.cat([part.x for part in parts])


class AlwaysDrops(nn.Module):
    """A dropout that forgets to ask in which mode it is."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, 0.5, training=True)


def always_drop(model: TinyAlexNet) -> None:
    model.classifier[1] = AlwaysDrops().eval()


def unfreeze(model: TinyAlexNet) -> None:
    model.features[0].bias.requires_grad_(True)


def hold(model: TinyAlexNet) -> None:
    model.classifier[2].bias.requires_grad_(False)


def touch(model: TinyAlexNet) -> None:
    model.features[1].running_mean[0] += 1e-6


@pytest.mark.parametrize(
    ("wrong", "claims", "evidence"),
    [
        ({"model_before": unfreeze}, {FROZEN, OPTIMISER}, "changed: features.0.bias"),
        ({"model_after": touch}, {FROZEN, ENDS}, "changed: features.1.running_mean"),
        ({"model_before": hold}, {TRAINABLE, OPTIMISER}, "unchanged: classifier.2.bias"),
        (
            {"optimizer": adam(lambda m: [*m.parameters()])},
            {OPTIMISER, PLANNED}, "it holds 8, 4 are trainable",
        ),
        (
            {"optimizer": adam(lambda m: [*m.classifier.parameters(), m.features[0].bias])},
            {OPTIMISER, PLANNED}, "it holds 5, 4 are trainable",
        ),
        (
            {"optimizer": adam(lambda m: [*m.classifier.parameters()][1:])},
            {OPTIMISER, PLANNED}, "it holds 3, 4 are trainable",
        ),
        (
            {"optimizer": adam(lambda m: [*m.classifier.parameters()], width=5)},
            {OPTIMISER, PLANNED}, "of their shape: classifier.2.weight, classifier.2.bias, ",
        ),
        (
            {"optimizer": adam(swapped)},
            {OPTIMISER, PLANNED}, "of their shape: classifier.2.bias;",
        ),
        ({"data": leak}, {DISJOINT}, "in two: 1, the first is training 50 = test 4"),
        ({"data": leak_into_validation}, {DISJOINT}, "2, the first is validation 20 = test 0"),
        ({"scale_of": everything}, {PREPROCESSING}, "nearest others (all images)"),
        ({"scale_of": lambda parts: parts[1].x}, {PREPROCESSING}, "nearest others (validation)"),
        ({"scale_of": lambda parts: parts[2].x}, {PREPROCESSING}, "nearest others (test)"),
        ({"scale_of": lambda parts: parts[0].x[:25]}, {PREPROCESSING}, "from theirs, by"),
        ({"data": mirror}, {PREPROCESSING, ALIKE}, "by 0.0e+00 from those of the nearest"),
        ({"reads": 2}, {ONCE}, "reads: 2"),
        ({"reads": 0}, {ONCE}, "reads: 0"),
        (
            {"model_after": lambda m: m.train()},
            {DROPOUT, STATISTICS}, "training mode: the network, features, features.0 and",
        ),
        ({"model_after": always_drop}, {DROPOUT}, "answers not equal to the last bit"),
        (
            {"model_after": lambda m: m.features[1].train()},
            {DROPOUT, STATISTICS}, "changed by two passes: features.1.running_mean,",
        ),
    ],
    ids=[
        "frozen tensor unfrozen", "frozen running mean moved", "trainable tensor unchanged",
        "optimiser with all", "optimiser with a frozen one", "optimiser with one missing",
        "optimiser of another network", "optimiser with one exchanged", "test image trains",
        "test images validate", "normalised by all", "normalised by validation",
        "normalised by test", "normalised by half", "statistics of two splits alike",
        "test read twice", "test never read", "training mode", "dropout always on",
        "statistics in training mode",
    ],
)  # fmt: skip
def test_each_wrong_training_is_named(
    tmp_path: Path, wrong: dict[str, Any], claims: set[str], evidence: str
) -> None:
    audit = audited(tmp_path, **wrong)
    assert {finding.claim for finding in audit.findings if not finding.ok} == claims
    with pytest.raises(AuditError) as caught:
        audit.raise_if_wrong()
    assert evidence in str(caught.value)
    for claim in CLAIMS:
        assert (claim in str(caught.value)) == (claim in claims)


def test_steps_of_unequal_number_are_seen(tmp_path: Path) -> None:
    def state(model: TinyAlexNet) -> dict[str, Any]:
        found = torch.load(tmp_path / "run.pt", weights_only=True)["optimizer"]
        found["state"][2]["step"] -= 1
        return found

    audit = audited(tmp_path, optimizer=state)
    assert [f.claim for f in audit.findings if not f.ok] == [OPTIMISER, PLANNED]


def test_audit_changes_nothing(tmp_path: Path) -> None:
    kept = {}

    def keep(model: TinyAlexNet) -> None:
        model.train()
        kept["sha256"] = tensors_sha256(model.state_dict())

    audit = audited(tmp_path, model_after=keep)
    assert tensors_sha256(audit.model.state_dict()) == kept["sha256"]


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"frozen: expected the beginning.*got 'feature_'"):
        Audit(TinyAlexNet(), frozen="feature_")
    with pytest.raises(AuditError, match=r"call after\(\) first"):
        Audit(TinyAlexNet()).raise_if_wrong()


def test_images_are_known_by_content() -> None:
    x = small_images(6).x
    parts = {"one": fingerprints(x[:3]), "other": fingerprints(x[3:])}
    assert disjoint(parts).ok
    found = disjoint(parts | {"third": fingerprints(x[[5, 1]].clone())})
    assert found == Finding(
        DISJOINT,
        "3 one + 3 other + 2 third, SHA-256 of each; in two: 1, the first is one 1 = third 1; "
        "1, the first is other 2 = third 0",
        False,
    )


def test_once_hands_out_what_it_was_given() -> None:
    images = small_images(7)
    once = ReadOnce(images)
    assert once.reads == 0
    assert once.read() is images
    assert isinstance(once.statistics, Normalisation)
    assert once.statistics == normalisation(images.x)


# Cheats: the training was one thing, and the audit is told another


def into(part: int, change: Callable[[Images], Images], rows: slice = slice(3)) -> Any:
    """Test pictures among those of another split, changed first."""

    def spy(parts: list[Images]) -> None:
        spied = change(Images(parts[2].x[rows], parts[2].y[rows]))
        own = parts[part]
        parts[part] = Images(torch.cat([own.x, spied.x]), torch.cat([own.y, spied.y]))

    return spy


def brighter(images: Images, by: int = 1) -> Images:
    return Images((images.x.int() + by).clamp(0, 255).to(torch.uint8), images.y)


def mirrored(images: Images) -> Images:
    return Images(images.x.flip(3), images.y)


def honest(parts: list[Images]) -> None:
    parts[:] = splits()


def on(part: int) -> Callable[[list[Images]], None]:
    """Trained on another split."""

    def cheat(parts: list[Images]) -> None:
        parts[0] = parts[part]

    return cheat


def chosen_by_test(parts: list[Images]) -> None:
    parts[1] = parts[2]


def shuffled(parts: list[Images]) -> None:
    order = torch.randperm(len(parts[0].y), generator=torch.Generator().manual_seed(0))
    parts[0] = Images(parts[0].x, parts[0].y[order])


def relabelled(parts: list[Images]) -> None:
    y = parts[0].y.clone()
    y[7] = (y[7] + 1) % 3
    parts[0] = Images(parts[0].x, y)


def twice(part: int) -> Callable[[list[Images]], None]:
    """A picture again in its own split."""

    def cheat(parts: list[Images]) -> None:
        x, y = parts[part]
        parts[part] = Images(torch.cat([x, x[:1]]), torch.cat([y, y[:1]]))

    return cheat


class Stubborn(BatchNorm2d):
    """Normalises by the batch, and goes on counting, whatever mode it is told."""

    def train(self, mode: bool = True) -> "Stubborn":
        return super().train(True)


def stubborn(model: TinyAlexNet) -> None:
    model.features[1] = Stubborn(4).requires_grad_(False)


def restored(model: TinyAlexNet) -> None:
    """Everything as it was before the training."""
    model.features[1] = BatchNorm2d(4).requires_grad_(False).eval()


def tuned_on_test(model: TinyAlexNet) -> None:
    last = splits()[2]
    scale = normalisation(splits()[0].x)
    train(model, last, last, PLAN, scale=scale, among=ALONE)
    model.eval()


class WithHidden(TinyAlexNet):
    """Another layer, which ``state_dict`` does not know."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.hidden = [nn.Linear(3, 3)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.hidden[0](super().forward(x))


SECRET = nn.Linear(3, 3)


class WithGlobal(TinyAlexNet):
    """Another layer, which is no attribute."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return SECRET(super().forward(x))


def hook(model: TinyAlexNet) -> None:
    model.classifier.register_forward_hook(lambda _, __, out: SECRET(out))


def other_start(model: TinyAlexNet) -> None:
    """The audit saw other first weights than the training."""
    with torch.no_grad():
        model.classifier[4].bias[0] += 1


ORIGINAL = small_images(90)
CHEATS: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "test pictures one grey level brighter": (
        {"data": into(0, brighter)}, {ALIKE}, "within 2 grey levels: test 0 = training 50, test 1"
    ),
    "test pictures one grey level darker": (
        {"data": into(0, lambda images: brighter(images, -1))}, {ALIKE}, "test 0 = training 50"
    ),
    "test pictures twenty grey levels brighter": (
        {"data": into(0, lambda images: brighter(images, 20))}, {ALIKE}, "test 0 = training 50"
    ),
    "test pictures mirrored": (
        {"data": into(0, mirrored)}, {ALIKE}, "test 0 = training 50, mirrored"
    ),
    "test pictures mirrored and brighter": (
        {"data": into(0, lambda images: brighter(mirrored(images)))}, {ALIKE}, "50, mirrored"
    ),
    "brighter test pictures validate": (
        {"data": into(1, brighter)}, {ALIKE}, "test 0 = validation 20"
    ),
    "trained on validation": (
        {"data": on(1), "told": honest, "told_scale": lambda parts: parts[0].x},
        {TRAINED_ON, PLANNED}, "training.count: 20 there, 50 here",
    ),
    "trained on test": (
        {"data": on(2), "told": honest, "told_scale": lambda parts: parts[0].x},
        {TRAINED_ON, PLANNED}, "training.pictures: ",
    ),
    "a test picture more, not told": (
        {
            "data": into(0, lambda images: images), "told": honest,
            "told_scale": lambda parts: parts[0].x,
        },
        {TRAINED_ON, PLANNED}, "training.count: 53 there, 50 here",
    ),
    "validated on test": (
        {"data": chosen_by_test, "told": honest}, {TRAINED_ON}, "validation.pictures: "
    ),
    "normalised by test, not told": (
        {"scale_of": lambda parts: parts[2].x, "told_scale": lambda parts: parts[0].x},
        {PLANNED}, "scale.mean: ",
    ),
    "labels shuffled, not told": (
        {"data": shuffled, "told": honest}, {TRAINED_ON}, "training.labels: "
    ),
    "one label replaced, not told": (
        {"data": relabelled, "told": honest}, {TRAINED_ON}, "training.labels: "
    ),
    "labels shuffled, and told": (
        {"data": shuffled, "source": ORIGINAL}, {LABELS}, "of 70, with another: "
    ),
    "one label replaced, and told": (
        {"data": relabelled, "source": ORIGINAL}, {LABELS}, "of 70, with another: 1"
    ),
    "copy in training": ({"data": twice(0)}, {COPIES}, "copies: 1 in training"),
    "copy in validation": ({"data": twice(1)}, {COPIES}, "copies: 1 in validation"),
    "copy in test": ({"data": twice(2)}, {COPIES}, "copies: 1 in test"),
    "fewer epochs than planned": (
        {"told_plan": dataclasses.replace(PLAN, epochs=9)},
        {PLANNED}, "plan.epochs: 3 there, 9 here; epochs: 3 there, 9 here; steps: [12] there, [36]",
    ),
    "cut short": (
        {"manifest": lambda made: made._replace(epochs=2, step=1)},
        {PLANNED}, "epochs: 2 there, 3 here; steps in the next: 1 there, 0 here",
    ),
    "another rate than planned": (
        {"told_plan": dataclasses.replace(PLAN, lr=0.001)},
        {PLANNED}, "plan.lr: 0.01 there, 0.001 here",
    ),
    "running statistics trained and restored": (
        {"model_before": stubborn, "model_after": restored},
        {ENDS}, "than the training left: features.1.num_batches_tracked, features.1.running_mean",
    ),
    "fine-tuned on test afterwards": (
        {"model_after": tuned_on_test}, {ENDS}, "than the training left: classifier.2.bias"
    ),
    "layer in a list": ({"network": WithHidden}, {HIDDEN}, "are not the network's: aten.t"),
    "layer from elsewhere": ({"network": WithGlobal}, {HIDDEN}, "of (3, 3), aten"),
    "layer in a hook": ({"model_after": hook}, {HIDDEN}, "of (3, 3), aten"),
}  # fmt: skip


@pytest.mark.parametrize(("cheat", "claims", "evidence"), CHEATS.values(), ids=CHEATS)
def test_cheat_is_noticed(
    tmp_path: Path, cheat: dict[str, Any], claims: set[str], evidence: str
) -> None:
    audit = audited(tmp_path, **cheat)
    assert {finding.claim for finding in audit.findings if not finding.ok} == claims
    with pytest.raises(AuditError) as caught:
        audit.raise_if_wrong()
    assert evidence in str(caught.value)


def test_labels_as_in_the_file_pass(tmp_path: Path) -> None:
    audit = audited(tmp_path, source=ORIGINAL)
    assert [finding.claim for finding in audit.findings] == [*CLAIMS, LABELS]
    assert all(finding.ok for finding in audit.findings)
    assert audit.findings[-1].evidence == "of 70, with another: 0"


def test_other_first_weights_are_noticed(tmp_path: Path) -> None:
    """Changed between the audit's look and the training: as if it had begun before."""
    parts, model = splits(), TinyAlexNet(n_classes=3)
    scale = normalisation(parts[0].x)
    audit, test = Audit(model, frozen="features."), ReadOnce(parts[2])
    other_start(model)
    path = tmp_path / "run.pt"
    train(model, *parts[:2], PLAN, scale=scale, among=ALONE, checkpoint=path)
    evaluate(model, test.read(), scale=scale, among=ALONE)
    audit.after(
        manifest=read_manifest(path), plan=PLAN, training=parts[0], validation=parts[1],
        test=test, scale=scale,
    )  # fmt: skip
    (wrong,) = (finding for finding in audit.findings if not finding.ok)
    assert wrong.claim == ENDS
    assert wrong.evidence == (
        "SHA-256 of the first: not equal; of 11 last tensors, others than the training left: none"
    )


def test_likeness_is_blind_to_brightness_contrast_and_mirrors() -> None:
    draw = torch.Generator().manual_seed(3)
    x = torch.randint(40, 200, (30, 3, 32, 32), generator=draw).to(torch.uint8)
    assert [*alike(x[:10], x[10:])] == []
    changed = (0.8 * x[:10].float() + 30).round().to(torch.uint8).flip(3)
    pairs = [*alike(changed, x)]
    assert [(pair.one, pair.other, pair.mirrored) for pair in pairs] == [
        (i, i, True) for i in range(10)
    ]
    assert all(pair.levels > 2 and pair.correlation > 0.99 for pair in pairs)  # another contrast
    plain = torch.full((2, 3, 8, 8), 7, dtype=torch.uint8)
    assert torch.equal(thumbnails(plain), torch.zeros(2, 64))
    assert [*alike(plain, plain + 1)] == []
    assert [*alike(x, x.clone())] == []  # exact copies are named elsewhere


def test_one_like_pair_in_a_thousand_is_named_and_let_through(tmp_path: Path) -> None:
    """A data set may have it by itself; two are too many."""
    draw = torch.Generator().manual_seed(3)
    x = torch.randint(40, 200, (1300, 1, 8, 8), generator=draw).to(torch.uint8)
    y = torch.zeros(len(x), dtype=torch.long)
    test = ReadOnce(Images(x[:1000], y[:1000]))
    for count in (1, 2):
        others = torch.cat([x[1000:], x[:count].flip(3)])
        training = Images(others, torch.zeros(len(others), dtype=torch.long))
        found = _likeness(training, Images(x[1200:1201] // 2, y[:1]), test)
        assert found.ok == (count == 1)
        assert "levels: test 0 = training 300, mirrored" in found.evidence
