"""The audit of a training: it passes an honest one, and names what is wrong in each other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import TinyAlexNet
from torch import nn
from torch.nn import functional
from train_small import PLAN, small_images

from nn_tutorial.pytorch.audit import Audit, AuditError, Finding, ReadOnce, disjoint, fingerprints
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.training import Images, Normalisation, evaluate, normalisation, train
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
CLAIMS = [FROZEN, TRAINABLE, OPTIMISER, DISJOINT, ONCE, PREPROCESSING, DROPOUT, STATISTICS]


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
) -> Audit:
    """Train and audit; each argument is a place where something can go wrong."""
    parts = [*splits()]
    data(parts)
    training, validation, last = parts
    test, scale = ReadOnce(last), normalisation(scale_of((training, validation, last)))
    model = TinyAlexNet(n_classes=3, freeze=frozen is not None)
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
    state = torch.load(checkpoint, weights_only=True)["optimizer"]
    audit.after(
        optimizer=state if optimizer is None else optimizer(model),
        training=training, validation=validation, test=test, scale=scale,
        image_size=PLAN.image_size,
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
        ({"model_after": touch}, {FROZEN}, "changed: features.1.running_mean"),
        ({"model_before": hold}, {TRAINABLE, OPTIMISER}, "unchanged: classifier.2.bias"),
        (
            {"optimizer": adam(lambda m: [*m.parameters()])},
            {OPTIMISER}, "it holds 8, 4 are trainable",
        ),
        (
            {"optimizer": adam(lambda m: [*m.classifier.parameters(), m.features[0].bias])},
            {OPTIMISER}, "it holds 5, 4 are trainable",
        ),
        (
            {"optimizer": adam(lambda m: [*m.classifier.parameters()][1:])},
            {OPTIMISER}, "it holds 3, 4 are trainable",
        ),
        (
            {"optimizer": adam(lambda m: [*m.classifier.parameters()], width=5)},
            {OPTIMISER}, "of their shape: classifier.2.weight, classifier.2.bias, ",
        ),
        ({"optimizer": adam(swapped)}, {OPTIMISER}, "of their shape: classifier.2.bias;"),
        ({"data": leak}, {DISJOINT}, "in two: 1, the first is training 50 = test 4"),
        ({"data": leak_into_validation}, {DISJOINT}, "2, the first is validation 20 = test 0"),
        ({"scale_of": everything}, {PREPROCESSING}, "nearest others (all images)"),
        ({"scale_of": lambda parts: parts[1].x}, {PREPROCESSING}, "nearest others (validation)"),
        ({"scale_of": lambda parts: parts[2].x}, {PREPROCESSING}, "nearest others (test)"),
        ({"scale_of": lambda parts: parts[0].x[:25]}, {PREPROCESSING}, "from theirs, by"),
        ({"data": mirror}, {PREPROCESSING}, "by 0.0e+00 from those of the nearest"),
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
    assert [finding.claim for finding in audit.findings if not finding.ok] == [OPTIMISER]


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
