"""Was the training what it says it was? Claims about it, each with its evidence.

``train`` itself writes into its checkpoint what it trained, on what and by which plan: the network,
its first and last weights, pictures and labels, statistics, steps. The audit compares that with
what it is told, and so does not have to believe it.

What it cannot catch:

- what happened before the `Audit` was made: weights that have already seen the test pictures;
- a person who looks at the test result and starts anew, or keeps the best of several seeds;
- pictures that were cut, rotated, shifted or blurred before they came into another split (those
  that look alike are counted, and most are honest: CIFAR-10 has them by itself), and brightened or
  mirrored ones, as long as they are at most one in a thousand;
- a few stored features that were exchanged: it computes those of a hundred pictures of each split;
- labels that are wrong in the file itself, or in validation and test where ``source`` is not given;
- an ``after_step`` that changes the network and takes it back before the epoch ends; a hidden layer
  that works in training mode alone, or whose weights are Python's numbers;
- a forger who writes a checkpoint, or changes this module or ``train``, with care.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .checkpoints import differences, load_checkpoint
from .foreign import foreign_tensors
from .frozen import convolved, found_rows, same_rows
from .likeness import SAME, Pair, alike
from .training import (
    Images,
    Normalisation,
    Plan,
    Stored,
    fingerprint,
    kept_fingerprint,
    normalisation,
    prepare,
)
from .weights import tensors_sha256

LOOKED = 100  # pictures of each split whose stored features the audit computes anew


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

    def alike(self, x: Tensor) -> list[Pair]:
        """Return which of the images look like some of others; see ``likeness``.

        Parameters
        ----------
        x : Tensor of uint8, (N, C, H, W)
        """
        return [*alike(self._images.x, x)]

    def some(self, made: Callable[[Tensor], Tensor]) -> Tensor:
        """Return what becomes of some of the images, chosen at random: the audit looks for these.

        Parameters
        ----------
        made : callable
        """
        return made(self._images.x[_some(len(self._images.x))])

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


class Manifest(NamedTuple):
    """What `train` wrote down of a training.

    Attributes
    ----------
    key : dict
        All that decided it; see ``training_key``.
    epochs, step : int
        How far it came: whole epochs, and steps in the one after them.
    weights : dict of str to str
        A SHA-256 of each of the network's tensors at the end.
    optimizer : mapping
        The ``state_dict()`` of the Adam that trained. It holds no names. But a tensor that Adam has
        moved has moments of its shape there, in the order of ``model.parameters()``; one that never
        got a gradient has none.
    """

    key: dict[str, Any]
    epochs: int
    step: int
    weights: dict[str, str]
    optimizer: Mapping[str, Any]


def read_manifest(checkpoint: Path) -> Manifest:
    """Return what `train` wrote down.

    Parameters
    ----------
    checkpoint : Path
        Its last one.

    Raises
    ------
    CheckpointError
        If it cannot be read, or is not as it was written.
    """
    # Mapped, not read: the audit looks at a few numbers of half a gigabyte.
    state, key = load_checkpoint(checkpoint, mmap=True)
    weights = _hashes(state["model"])
    return Manifest(key, state["epoch"], state["step"], weights, state["optimizer"])


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
        self.before = _hashes(model.state_dict())
        self.first = tensors_sha256(model.state_dict())
        self.frozen = {n for n in self.before if frozen is not None and n.startswith(frozen)}
        if frozen is not None and not self.frozen:
            raise ValueError(f"frozen: expected the beginning of tensors' names, got {frozen!r}")
        self.findings: list[Finding] = []

    def after(
        self,
        *,
        manifest: Manifest,
        plan: Plan,
        training: Images,
        validation: Images,
        test: ReadOnce,
        scale: Normalisation,
        source: Images | None = None,
        kept: Stored | None = None,
    ) -> list[Finding]:
        """Return the findings, once the training is done and the test split evaluated.

        Parameters
        ----------
        manifest : Manifest
            From ``read_manifest``.
        plan : Plan
            By which the network should have been trained.
        training, validation : Images
        test : ReadOnce
        scale : Normalisation
            With which the network was evaluated, and should have been trained.
        source : Images, optional
            The pictures and labels of the files that training and validation were taken from.
        kept : Stored, optional
            What the network's frozen ``features`` made of them, if it was trained on that.
        """
        device = next(self.model.parameters()).device
        probe = prepare(validation.x[:100].to(device), scale, plan.image_size)
        parts = {
            "training": fingerprints(training.x),
            "validation": fingerprints(validation.x),
            "test": test.fingerprints,
        }
        self.findings = [
            *self._tensors(),
            self._optimizer(manifest.optimizer),
            disjoint(parts),
            Finding("the test split was read once", f"reads: {test.reads}", test.reads == 1),
            _preprocessing(scale, training, validation, test),
            *_evaluation(self.model, probe),
            _trained_on(manifest, training, validation),
            _trained_by(manifest, plan, scale),
            self._from_first_to_last(manifest),
            _no_copies(parts),
            _likeness(training, validation, test),
            *([] if source is None else [_labels(source, training, validation)]),
            *_stored(self.model, manifest, plan, training, validation, test, scale, kept),
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
        now = _hashes(self.model.state_dict())
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

    def _from_first_to_last(self, manifest: Manifest) -> Finding:
        now = _hashes(self.model.state_dict())
        other = sorted(
            name for name in now | manifest.weights if now.get(name) != manifest.weights.get(name)
        )
        begun = manifest.key["weights"] == self.first
        return Finding(
            "the training began and ended with the weights seen here",
            f"SHA-256 of the first: {'' if begun else 'not '}equal; of {len(now)} last tensors, "
            f"others than the training left: {_names(other)}",
            begun and not other,
        )

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


def _trained_on(manifest: Manifest, training: Images, validation: Images) -> Finding:
    """Pictures and labels that `train` was given, against those that the audit is."""
    there = {name: manifest.key[name] for name in ("training", "validation")}
    here = {"training": fingerprint(training), "validation": fingerprint(validation)}
    odd = [*differences(there, here)]
    return Finding(
        "it trained and validated on these pictures and labels",
        f"SHA-256 of {len(training.y):,} + {len(validation.y):,} pictures and of their labels, "
        f"others: {'; '.join(odd) or 'none'}",
        not odd,
    )


def _trained_by(manifest: Manifest, plan: Plan, scale: Normalisation) -> Finding:
    """Plan, statistics and steps that `train` wrote down, against those that were meant."""
    steps = plan.epochs * -(-manifest.key["training"]["count"] // plan.batch_size)
    states = manifest.optimizer["state"].values()
    taken = {int(moments["step"]) for moments in states if "step" in moments}
    there = {
        "plan": manifest.key["plan"], "scale": manifest.key["scale"],
        "epochs": manifest.epochs, "steps in the next": manifest.step, "steps": [*sorted(taken)],
    }  # fmt: skip
    here = {
        "plan": asdict(plan), "scale": scale._asdict(),
        "epochs": plan.epochs, "steps in the next": 0, "steps": [steps],
    }  # fmt: skip
    odd = [*differences(there, here)]
    return Finding(
        "it trained by this plan, to its end",
        f"{plan.epochs} epochs, {steps} steps at {plan.lr}; otherwise: {'; '.join(odd) or 'none'}",
        not odd,
    )


def _no_copies(parts: Mapping[str, list[bytes]]) -> Finding:
    """No content twice within a split."""
    copies = {name: len(found) - len(set(found)) for name, found in parts.items()}
    told = ", ".join(f"{count} in {name}" for name, count in copies.items() if count)
    return Finding(
        "no image is in a split twice", f"SHA-256 of each, copies: {told or 'none'}", not told
    )


def _likeness(training: Images, validation: Images, test: ReadOnce) -> Finding:
    """No image that was brightened or mirrored is in another split; those that look alike.

    Data sets have a few such pairs by themselves, so one in a thousand is let through, and named.
    """
    pairs = {
        "test and training": test.alike(training.x),
        "test and validation": test.alike(validation.x),
        "validation and training": [*alike(validation.x, training.x)],
    }
    copies = [  # as "test 3 = training 7"
        f"{name.replace(' and ', f' {p.one} = ')} {p.other}{', mirrored' if p.mirrored else ''}"
        for name, found in pairs.items()
        for p in found
        if p.levels <= SAME
    ]
    looks = ", ".join(f"{len({p.one for p in f})} of {name}" for name, f in pairs.items())
    return Finding(
        "no image is a brighter, darker or mirrored one of another split",
        f"within {SAME:g} grey levels: {_names(copies)}; look alike: {looks}",
        len(copies) <= len(test.fingerprints) // 1000,
    )


def _labels(source: Images, *parts: Images) -> Finding:
    """Each picture with the label that it has in its file."""
    known: dict[bytes, set[int]] = {}
    for content, label in zip(fingerprints(source.x), source.y.tolist(), strict=True):
        known.setdefault(content, set()).add(label)
    wrong = sum(
        label not in known.get(content, ())
        for part in parts
        for content, label in zip(fingerprints(part.x), part.y.tolist(), strict=True)
    )
    total = sum(len(part.y) for part in parts)
    return Finding(
        "each image has the label of its file", f"of {total:,}, with another: {wrong}", not wrong
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
    hidden = foreign_tensors(model, x[:1])
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
        Finding(
            "no layer is hidden from the audit",
            f"tensors in its answers that are not the network's: {_names(hidden)}",
            not hidden,
        ),
    ]


def _stored(
    model: nn.Module,
    manifest: Manifest,
    plan: Plan,
    training: Images,
    validation: Images,
    test: ReadOnce,
    scale: Normalisation,
    kept: Stored | None,
) -> list[Finding]:
    """Of stored features, where there are any: all read, of the right pictures, none of test."""
    told = manifest.key.get("kept")
    if kept is None:
        claim = "it trained on pictures, not on stored features"
        return [] if told is None else [Finding(claim, f"it says: {told}", False)]

    def made(x: Tensor) -> Tensor:
        return convolved(model, x, scale, plan.image_size)

    counts, sizes = tuple(map(len, kept)), (len(training.y), len(validation.y))
    odd = [*differences(told, kept_fingerprint(kept))]
    odd += [] if counts == sizes else [f"{counts} rows for {sizes} pictures"]
    looked, wrong, among = 0, [], []
    tested = test.some(made)
    for name, rows, x in zip(kept._fields, kept, (training.x, validation.x), strict=True):
        chosen = _some(min(len(rows), len(x)))
        same = same_rows(rows[chosen], made(x[chosen]))
        wrong += [f"{name} {i}" for i in chosen[~same].tolist()]
        looked += len(chosen)
        among += [f"{name} {i}" for i in found_rows(tested, rows)]
    return [
        Finding(
            "frozen features were computed once, and it trained on these",
            f"SHA-256 of {sizes[0]:,} + {sizes[1]:,} rows, one per picture, before and after, "
            f"others: {'; '.join(odd) or 'none'}",
            not odd,
        ),
        Finding(
            "stored features are what the frozen network makes of their pictures",
            f"of {looked} computed anew, others: {_names(wrong)}",
            not wrong,
        ),
        Finding(
            "no stored feature is that of a test picture",
            f"of {len(tested)} computed, in {sum(counts):,} rows, copies: {_names(among)}",
            not among,
        ),
    ]


def _some(count: int) -> Tensor:
    """Up to ``LOOKED`` of so many, others each time: the training cannot know them."""
    generator = torch.Generator()
    generator.seed()
    return torch.randperm(count, generator=generator)[:LOOKED]


def _hashes(state: Mapping[str, Tensor]) -> dict[str, str]:
    return {name: tensors_sha256({name: value}) for name, value in state.items()}


def _names(names: list[str]) -> str:
    """Up to three of them, and how many more."""
    if not names:
        return "none"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
