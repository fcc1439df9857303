"""What a record says twice must be the same: each contradiction is named with both sides.

A record also has a seal, a hash of each of its fields, so that a number changed by hand is named.
The seal guards against accidents and carelessness. A seal made anew with a number that
contradicts no other is not noticed: what speaks against that is to run the command again.
"""

import base64
import hashlib
import json
import math
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Record = Mapping[str, Any]
ERRORS = 6  # standard errors between two accuracies of one network that chance still explains
ROUNDED = 2e-5  # some records keep five decimals


def contradictions(record: Record) -> Iterator[str]:
    """Yield what is wrong with a record: numbers that are not finite, parts that do not agree.

    Parameters
    ----------
    record : mapping
        Of a training, of an ablation (``runs``) or of a comparison (``methods``). What it lacks is
        not looked at.
    """
    infinite = [*not_finite(record)]
    yield from infinite
    if infinite:
        return
    data = record.get("data", {})
    yield from _hashes(record)
    for kind, check in CHECKS.items():
        if kind in record:
            yield from check(record, data.get("sizes", []))
    if "key" in record:
        yield from _key(record)


def seal(record: Record) -> dict[str, str]:  # decides no number: it looks at a record
    """Return a hash of each field of a record, but for the seal.

    Parameters
    ----------
    record : mapping
    """
    return {
        name: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
        for name, value in record.items()
        if name != "seal"
    }


def not_finite(value: Any, place: str = "") -> Iterator[str]:
    """Yield what is NaN or infinite, at any depth.

    Parameters
    ----------
    value : object
    place : str
        Where it stands.
    """
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{place}: expected a finite number, got {value}"
    elif isinstance(value, Mapping | list | tuple):
        parts = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, inner in parts:
            yield from not_finite(inner, f"{place}.{name}" if place else f"{name}")


def _hashes(record: Record) -> Iterator[str]:
    """What is called a SHA-256 looks like one."""
    fields = {"data.sha256": record.get("data", {}).get("sha256")}
    fields |= {name: value for name, value in record.items() if name.endswith("_sha256")}
    for name, value in fields.items():
        if value is not None and not re.fullmatch("[0-9a-f]{64}", value):
            yield f"{name}: expected 64 hexadecimal digits, got {value!r}"


def _training(record: Record, sizes: Sequence[int], place: str = "") -> Iterator[str]:
    """One network's curves, plan and test."""
    epochs, plan, test = record["epochs"], record.get("plan", {}), record.get("test")
    if "epochs" in plan and len(epochs) != plan["epochs"]:
        yield f"{place}epochs: expected the plan's {plan['epochs']}, got {len(epochs)}"
    for i, epoch in enumerate(epochs):
        yield from _curves(epoch, sizes, f"{place}epochs.{i}.")
    total = sum(epoch["seconds"] for epoch in epochs if "seconds" in epoch)
    if "seconds" in record and abs(record["seconds"] - total) > 0.01:
        yield f"{place}seconds: expected the epochs' sum {total:.2f}, got {record['seconds']}"
    if sizes and (min(sizes) < 1 or len(sizes) != (2 if test is None else 3)):
        yield f"data.sizes: expected one for each split, above 0, got {sizes}"
    elif test is not None and sizes:
        yield from _test(test, sizes[2], f"{place}test.")
        held = epochs[-1].get("val_accuracy") if epochs else None
        if held is not None:
            yield from _chance(held, sizes[1], test["accuracy"], sizes[2], place)
    yield from _network(record, place)


def _curves(epoch: Record, sizes: Sequence[int], place: str) -> Iterator[str]:
    """Shares of so many pictures, and a loss that such a share allows."""
    for part, size in zip(("train", "val"), sizes, strict=False):
        if f"{part}_accuracy" in epoch:
            yield from _share(epoch[f"{part}_accuracy"], size, f"{place}{part}_accuracy")
    for part in ("train", "fit", "val"):
        if f"{part}_accuracy" in epoch:
            yield from _loss(epoch[f"{part}_loss"], epoch[f"{part}_accuracy"], f"{place}{part}_")


def _share(share: float, of: int, place: str) -> Iterator[str]:
    whole = round(share * of) / of
    if not 0 <= share <= 1 or abs(share - whole) > ROUNDED:
        yield f"{place}: expected a share of {of} pictures, got {share}"


def _loss(loss: float, accuracy: float, place: str) -> Iterator[str]:
    # A wrong answer gives the right class at most one half, which costs ln 2.
    least = (1 - accuracy) * math.log(2)
    if loss < least - ROUNDED:
        yield f"{place}loss: expected at least {least:.4f} with accuracy {accuracy}, got {loss}"


def _test(test: Record, size: int, place: str) -> Iterator[str]:
    """Accuracy against what it was counted from: a confusion matrix, or the answers."""
    yield from _share(test["accuracy"], size, f"{place}accuracy")
    yield from _loss(test["loss"], test["accuracy"], place)
    counted: dict[str, tuple[int, int]] = {}  # how many are right, of how many
    if "confusion" in test:
        pairs = np.array(test["confusion"])
        if pairs.ndim != 2 or pairs.shape[0] != pairs.shape[1] or pairs.min() < 0:
            yield f"{place}confusion: expected counts, classes by classes, got {pairs.shape}"
            return
        counted["confusion"] = int(np.trace(pairs)), int(pairs.sum())
    if "answers" in test:
        answers = np.frombuffer(zlib.decompress(base64.b64decode(test["answers"])), np.uint8)
        counted["answers"] = int((answers == 0).sum()), len(answers)
    if "reliability" in test:
        rows = [row for row in test["reliability"] if row[0]]
        counted["reliability"] = (
            round(sum(row[0] * row[2] for row in rows)), sum(row[0] for row in rows)
        )  # fmt: skip
    for name, (right, of) in counted.items():
        if of != size:
            yield f"{place}{name}: expected {size} pictures, as in data.sizes, got {of}"
        elif abs(right / of - test["accuracy"]) > ROUNDED:
            yield f"{place}accuracy: expected {right / of} by {name}, got {test['accuracy']}"


def _chance(held: float, n_held: int, tested: float, n_tested: int, place: str) -> Iterator[str]:
    """The end of the curve and the test are measurements of one network."""
    together = (held * n_held + tested * n_tested + 1) / (n_held + n_tested + 2)
    error = math.sqrt(together * (1 - together) * (1 / n_held + 1 / n_tested))
    if abs(held - tested) > ERRORS * error:
        yield (
            f"{place}test.accuracy: expected about the curve's last val_accuracy {held} "
            f"(within {ERRORS * error:.3f}), got {tested}"
        )


def _network(record: Record, place: str) -> Iterator[str]:
    network = record.get("network", {})
    trained, parameters = network.get("trainable"), network.get("parameters")
    if trained is None:
        return
    if (trained < parameters) != network.get("freeze", trained < parameters):
        yield (
            f"{place}network.trainable: expected {'fewer than' if network['freeze'] else 'all'} "
            f"{parameters:,}, got {trained:,}"
        )


def _audit(record: Record, sizes: Sequence[int]) -> Iterator[str]:
    """Every claim holds, and its evidence has the record's numbers."""
    for finding in record["audit"]:
        if finding["ok"] is not True:
            yield f"audit: expected every claim to hold, got one that fails: {finding['claim']}"
    told = "; ".join(finding["evidence"] for finding in record["audit"])
    plan = record["plan"]
    steps = plan["epochs"] * -(-sizes[0] // plan["batch_size"])
    for text, number in (("reads: ", 1), ("steps taken by each: ", steps)):
        found = re.search(f"{text}([^;]+)", told)
        if found is None or found[1] != f"{number}":
            got = "nothing" if found is None else found[1]
            yield f"audit: expected evidence {text}{number}, got {got}"
    parts = [
        f"{n:,} {name}" for n, name in zip(sizes, ("training", "validation", "test"), strict=True)
    ]
    trained = f"with {record['network']['trainable']:,} numbers"
    for text in (" + ".join(parts), trained, "differ by 0.0e+00 from theirs"):
        if text not in told:
            yield f"audit: expected evidence with '{text}', got none"
    wrong = "changed|unchanged|shape|in two|mode|others|otherwise|copies|left|network's"
    for text in re.findall(f"(?:{wrong}): ([^;]+)", told):
        if not text.startswith("none"):
            yield f"audit: expected evidence of none, got {text}"


def _features(record: Record, sizes: Sequence[int]) -> Iterator[str]:
    """One stored row for each picture, and each of them passed the convolutions now or before."""
    features, rows = record["features"], sum(sizes[:2])
    if features["rows"] != rows:
        yield f"features.rows: expected {rows}, as in data.sizes, got {features['rows']}"
    if features["passed"] not in (0, rows):
        yield f"features.passed: expected 0 or {rows}, got {features['passed']}"


def _ablation(record: Record, sizes: Sequence[int]) -> Iterator[str]:
    """Every variant with every seed, once; each run as a training of the common plan."""
    pairs = [(run["variant"], run["seed"]) for run in record["runs"]]
    variants, seeds = ({pair[i] for pair in pairs} for i in (0, 1))
    if len(pairs) != len(set(pairs)) or len(pairs) != len(variants) * len(seeds):
        yield f"runs: expected each variant with each seed once, got {sorted(pairs)}"
    for i, run in enumerate(record["runs"]):
        yield from _training({**run, "plan": record["plan"]}, sizes, f"runs.{i}.")


def _comparison(record: Record, sizes: Sequence[int]) -> Iterator[str]:
    """Each method's chosen candidate is the best one, and was run with every seed."""
    for method in record["methods"]:
        place, runs, recipe = f"methods.{method['name']}.", method["runs"], method["recipe"]
        if [run["seed"] for run in runs] != [*range(record["seeds"])]:
            yield f"{place}runs: expected a run for each of {record['seeds']} seeds"
        own = [recipe["images"] or sizes[0], *sizes[1:]]
        for run in runs:
            whole = {**run, "plan": {"epochs": recipe["epochs"]}}
            yield from _training(whole, own, f"{place}runs.{run['seed']}.")
        best = max(candidate["val_accuracy"] for candidate in method["candidates"])
        if runs and abs(best - runs[0]["epochs"][-1]["val_accuracy"]) > ROUNDED:
            yield f"{place}candidates: expected the best to be the one run with seed 0"


def _key(record: Record) -> Iterator[str]:
    """The key of the last checkpoint, which `train` wrote, says the same as the record."""
    key, data = record["key"], record["data"]
    said = {
        "plan": (key["plan"], record["plan"]),
        "data.sizes": ([key["training"]["count"], key["validation"]["count"]], data["sizes"][:2]),
        "data.mean": (key["scale"]["mean"], data["mean"]),
        "data.std": (key["scale"]["std"], data["std"]),
        "processes": (key["processes"], record["processes"]),
    }
    for name, (ours, theirs) in said.items():
        if ours != theirs:
            yield f"{name}: expected {ours} by the checkpoint's key, got {theirs}"
    found = key_hash(key)
    if record["key_sha256"] != found:
        yield f"key_sha256: expected that of key, {found[:12]}, got {record['key_sha256'][:12]}"


def key_hash(key: Record) -> str:
    """Return the SHA-256 of all that decides a training.

    Parameters
    ----------
    key : mapping
        See ``training_key``.
    """
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()


CHECKS: dict[str, Callable[[Record, Sequence[int]], Iterator[str]]] = {
    "epochs": _training, "audit": _audit, "features": _features,
    "runs": _ablation, "methods": _comparison,
}  # fmt: skip
