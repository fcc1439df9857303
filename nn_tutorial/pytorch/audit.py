"""Was the training what it says it was? Claims about it, each with its evidence."""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .training import Images, Normalisation, normalisation, prepare
from .weights import tensors_sha256


class AuditError(RuntimeError):
    """A training that was not what it says; the message names each claim that failed."""


class Finding(NamedTuple):
    """A claim, what was seen of it, and whether that bears it out."""

    claim: str
    evidence: str
    ok: bool

    def __str__(self) -> str:
        return f"{'holds' if self.ok else 'FAILS'}: {self.claim} ({self.evidence})"


class ReadOnce:
    """The test images, which are handed out once.

    The audit compares the test images with the others, yet must not hand them out. So what it
    needs is taken at the beginning: a hash of each image, mean and standard deviation. Nothing
    that is trained or chosen sees these.

    Parameters
    ----------
    images : Images

    Attributes
    ----------
    reads : int
        How often the images were asked for, in this process.
    fingerprints : list of bytes
    statistics : Normalisation
    """

    def __init__(self, images: Images) -> None:
        self._images = images
        self.reads = 0
        self.fingerprints = fingerprints(images.x)
        self.statistics = normalisation(images.x)

    def read(self) -> Images:
        """Return the images.

        Raises
        ------
        AuditError
            From the second time on.
        """
        self.reads += 1
        if self.reads > 1:
            raise AuditError(f"test split: expected one read, got read {self.reads}")
        return self._images


class Audit:
    """What a network was before its training; after it, what can be said of both.

    Parameters
    ----------
    model : Module
        Before the training, its first weights in place.
    frozen : str, optional
        How the names of those tensors begin that are meant to stay, running statistics among
        them: ``"features."``. What asks for a gradient is not consulted: that may be the mistake.

    Attributes
    ----------
    findings : list of Finding
        Of the last ``after``.

    Raises
    ------
    ValueError
        If no tensor's name begins so.
    """

    def __init__(self, model: nn.Module, *, frozen: str | None = None) -> None:
        self.model = model
        self.before = _hashes(model)
        self.frozen = {n for n in self.before if frozen is not None and n.startswith(frozen)}
        if frozen is not None and not self.frozen:
            raise ValueError(f"frozen: expected the beginning of tensors' names, got {frozen!r}")
        self.findings: list[Finding] = []

    def after(
        self,
        *,
        optimizer: Mapping[str, Any],
        training: Images,
        validation: Images,
        test: ReadOnce,
        scale: Normalisation,
        image_size: int | None = None,
    ) -> list[Finding]:
        """Return the findings, once the training is done and the test split evaluated.

        Parameters
        ----------
        optimizer : mapping
            The ``state_dict()`` of the Adam that trained. ``train`` makes it inside and keeps
            this in the checkpoint: ``torch.load(checkpoint, weights_only=True)["optimizer"]``. It
            holds no names. But a tensor that Adam has moved has moments of its shape there, in the
            order of ``model.parameters()``; one that never got a gradient has none.
        training, validation : Images
        test : ReadOnce
        scale : Normalisation
            With which the network was trained and evaluated.
        image_size : int or None
            As in the plan.
        """
        device = next(self.model.parameters()).device
        probe = prepare(validation.x[:100].to(device), scale, image_size)
        self.findings = [
            *self._tensors(),
            self._optimizer(optimizer),
            disjoint(
                {
                    "training": fingerprints(training.x),
                    "validation": fingerprints(validation.x),
                    "test": test.fingerprints,
                }
            ),
            Finding("the test split was read once", f"reads: {test.reads}", test.reads == 1),
            _preprocessing(scale, training, validation, test),
            *_evaluation(self.model, probe),
        ]
        return self.findings

    def raise_if_wrong(self) -> None:
        """Raise unless every claim holds.

        Raises
        ------
        AuditError
            With the claims that fail; also before ``after`` was called.
        """
        if not self.findings:
            raise AuditError("audit: expected findings, got none; call after() first")
        wrong = [str(finding) for finding in self.findings if not finding.ok]
        if wrong:
            raise AuditError("\n".join(wrong))

    def _tensors(self) -> list[Finding]:
        now = _hashes(self.model)
        changed = {name for name in now if now[name] != self.before[name]}
        trainable = [name for name, _ in self._trainable()]
        stayed = [name for name in trainable if name not in changed]
        moved = sorted(self.frozen & changed)
        return [
            Finding(
                "every frozen tensor stayed",
                f"of {len(self.frozen)}, SHA-256 before and after, changed: {_names(moved)}",
                not moved,
            ),
            Finding(
                "every trainable tensor changed",
                f"of {len(trainable)}, SHA-256 before and after, unchanged: {_names(stayed)}",
                not stayed,
            ),
        ]

    def _trainable(self) -> list[tuple[str, nn.Parameter]]:
        return [(n, p) for n, p in self.model.named_parameters() if n not in self.frozen]

    def _optimizer(self, state: Mapping[str, Any]) -> Finding:
        claim = "the optimiser holds the trainable tensors and no other"
        listed = [i for group in state["param_groups"] for i in group["params"]]
        wanted = self._trainable()
        if len(listed) != len(wanted):
            return Finding(claim, f"it holds {len(listed)}, {len(wanted)} are trainable", False)
        steps: set[int] = set()
        wrong = []
        for i, (name, parameter) in zip(listed, wanted, strict=True):
            moments = state["state"].get(i)
            if moments is None or moments["exp_avg"].shape != parameter.shape:
                wrong.append(name)
            else:
                steps.add(int(moments["step"]))
        numbers = sum(p.numel() for _, p in wanted)
        return Finding(
            claim,
            f"of {len(wanted)} with {numbers:,} numbers, without moments of their shape: "
            f"{_names(wrong)}; steps taken by each: {', '.join(map(str, sorted(steps)))}",
            not wrong and len(steps) == 1,
        )


def fingerprints(x: Tensor) -> list[bytes]:
    """Return a SHA-256 of each image's content.

    Parameters
    ----------
    x : Tensor of uint8, (N, C, H, W)
    """
    return [hashlib.sha256(image.tobytes()).digest() for image in x.cpu().numpy()]


def disjoint(parts: Mapping[str, list[bytes]]) -> Finding:
    """Return whether no image's content stands in two splits.

    Parameters
    ----------
    parts : mapping of str to list of bytes
        For each split's name its ``fingerprints``.
    """
    shared = []
    for (name, one), (other_name, other) in combinations(parts.items(), 2):
        both = set(one) & set(other)
        if both:
            i = next(i for i, content in enumerate(one) if content in both)
            j = other.index(one[i])
            shared.append(f"{len(both)}, the first is {name} {i} = {other_name} {j}")
    sizes = " + ".join(f"{len(contents):,} {name}" for name, contents in parts.items())
    return Finding(
        "no image is in two splits",
        f"{sizes}, SHA-256 of each; in two: {'; '.join(shared) or 'none'}",
        not shared,
    )


def _preprocessing(
    scale: Normalisation, training: Images, validation: Images, test: ReadOnce
) -> Finding:
    """The statistics are the training images', and cannot be mistaken for those of others."""
    own = (len(training.x), normalisation(training.x))
    held = (len(validation.x), normalisation(validation.x))
    last = (len(test.fingerprints), test.statistics)
    others = {
        "validation": held[1],
        "test": last[1],
        "training and validation": _together([own, held]),
        "all images": _together([own, held, last]),
    }
    far = {name: _distance(scale, other) for name, other in others.items()}
    near = min(far, key=lambda name: far[name])
    return Finding(
        "the preprocessing knows the training images alone",
        f"mean and standard deviation differ by {_distance(scale, own[1]):.1e} from theirs, "
        f"by {far[near]:.1e} from those of the nearest others ({near})",
        scale == own[1] and far[near] > 1e-9,
    )


def _together(parts: Iterable[tuple[int, Normalisation]]) -> Normalisation:
    """The statistics of several splits' pixels, from the size and the statistics of each."""
    counts, scales = zip(*parts, strict=True)
    share = torch.tensor(counts, dtype=torch.float64) / sum(counts)
    means = torch.tensor([s.mean for s in scales], dtype=torch.float64)
    squares = torch.tensor([s.std for s in scales], dtype=torch.float64) ** 2 + means**2
    mean = share @ means
    return Normalisation(mean.tolist(), (share @ squares - mean**2).sqrt().tolist())


def _distance(one: Normalisation, other: Normalisation) -> float:
    return max(
        abs(a - b) for u, v in zip(one, other, strict=True) for a, b in zip(u, v, strict=True)
    )


def _evaluation(model: nn.Module, x: Tensor) -> list[Finding]:
    """Two passes of the network as it was left, over the same images."""
    training = [name or "the network" for name, module in model.named_modules() if module.training]
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.inference_mode():
        equal = torch.equal(model(x), model(x))
    moved = [n for n, buffer in model.named_buffers() if not torch.equal(buffer, before[n])]
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(before[name])  # the audit changes nothing
    return [
        Finding(
            "dropout is off in evaluation",
            f"{len(x)} images twice: answers {'' if equal else 'not '}equal to the last bit; "
            f"modules in training mode: {_names(training)}",
            equal and not training,
        ),
        Finding(
            "running statistics are fixed in evaluation",
            f"of {len(before)}, changed by two passes: {_names(moved)}",
            not moved,
        ),
    ]


def _hashes(model: nn.Module) -> dict[str, str]:
    return {name: tensors_sha256({name: value}) for name, value in model.state_dict().items()}


def _names(names: list[str]) -> str:
    """Up to three of them, and how many more."""
    if not names:
        return "none"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
