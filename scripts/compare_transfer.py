"""Compare ways to carry ImageNet's AlexNet over to CIFAR-10: one record of all of them.

Every method has a few candidates, most of them learning rates. Each is trained once, the one that
is best on the validation pictures is trained with further seeds, and only those trainings see the
test pictures, once each. Runs that are done are kept, so that an interrupted comparison goes on.
The record lies in runs/; with --publish also among those that the pages draw.

examples:
  one method on few pictures at a small size, to try it on a laptop:
    python scripts/compare_transfer.py --only "linear probe" --images 2000 --image-size 64 --seeds 1
  the whole comparison that the page draws, anew, on a GPU:
    python scripts/compare_transfer.py --device cuda --bfloat16 --publish
"""

import argparse
import base64
import contextlib
import datetime
import hashlib
import json
import shlex
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional
from train_transfer import split

from nn_tutorial.command_line import command_line, settle_streams
from nn_tutorial.data import DataDamagedError, DataNotFoundError
from nn_tutorial.data.cifar import cifar10_stored
from nn_tutorial.data.pixels import Stored as StoredPictures
from nn_tutorial.files import check_folder
from nn_tutorial.pytorch.finetuning import (
    IMAGENET,
    Outcome,
    Recipe,
    answers,
    fine_tune,
    network,
    pixels,
    stored,
    trainable,
)
from nn_tutorial.pytorch.records import code_of, environment, write_json
from nn_tutorial.pytorch.runs import (
    add_places,
    add_threads,
    check_publish,
    keep_record,
    say,
    settle_threads,
)
from nn_tutorial.pytorch.training import Images, Normalisation, Stored, normalisation
from nn_tutorial.pytorch.weights import load_backbone

ROOT = Path(__file__).resolve().parent.parent
NAME = "transfer-imagenet"
BEST = "best.json"  # beside the runs: the inside of the best network, which is not kept
BINS = 15  # of confidence, for the reliability diagram


class Method(NamedTuple):
    """A way to transfer: what it is called, and the recipes of which validation chooses one."""

    name: str
    candidates: list[Recipe]


def methods() -> list[Method]:
    """Return what is compared: the assignment's own recipes and the controls first."""
    plain = Recipe()
    few = Recipe(images=1000, batch_size=64, epochs=20, measure_every=5)
    long = Recipe(epochs=15, augment=True, cosine=True, measure_every=2)
    heads, rates, fresh = (1e-4, 3e-4, 1e-3), (3e-5, 1e-4, 3e-4), (1e-4, 3e-4, 1e-3)

    def frozen(base: Recipe, *rates: float, **more: Any) -> list[Recipe]:
        return [replace(base, head_epochs=base.epochs, head_rate=r, **more) for r in rates]

    def free(base: Recipe, *rates: float, **more: Any) -> list[Recipe]:
        return [replace(base, rate=r, **more) for r in rates]

    return [
        Method("linear probe", frozen(plain, *heads, linear=True)),
        Method("frozen, as assigned", frozen(plain, 1e-3)),
        Method("frozen", frozen(plain, *rates)),
        Method("unfrozen, as assigned", [plain]),
        Method("unfrozen", free(plain, *rates)),
        Method("scratch", free(plain, *fresh, pretrained=False)),
        Method("frozen, random", frozen(plain, *fresh, pretrained=False)),
        Method("linear probe, 1,000 labels", frozen(few, *heads, linear=True)),
        Method("frozen, 1,000 labels", frozen(few, *rates)),
        Method("unfrozen, 1,000 labels", free(few, *rates)),
        Method("head first, 1,000 labels", free(
            few, *rates, head_epochs=5, head_rate=1e-4, cosine=True)),
        Method("scratch, 1,000 labels", free(few, *fresh, pretrained=False)),
        Method("flips and shifts", [*free(long, 1e-4), *free(long, 3e-4, decay=0.5)]),
        Method("discriminative", [
            *free(plain, 3e-4, 1e-3, backbone=0.1), *free(plain, 3e-4, decay=0.5),
        ]),
        Method("head first", free(plain, *rates[:2], head_epochs=2, head_rate=1e-4, cosine=True)),
        Method("gradual", free(plain, *rates[:2], head_epochs=1, head_rate=1e-4, gradual=True)),
        Method("unfrozen, 64 pixels", free(plain, *rates, image_size=64)),
        Method("linear probe, 64 pixels", frozen(plain, *heads, linear=True, image_size=64)),
        Method("linear probe, own statistics", frozen(
            plain, *heads, linear=True, own_statistics=True)),
        Method("unfrozen, own statistics", free(plain, *rates[1:2], own_statistics=True)),
        # Thought of when the results of those above were known, and not tuned.
        Method("flips and shifts, longer", free(
            replace(long, epochs=30, measure_every=5), 5e-4, decay=0.7)),
        Method("scratch, flips and shifts", free(long, 3e-4, pretrained=False)),
        Method("unfrozen, 128 pixels", free(plain, *rates, image_size=128)),
    ]  # fmt: skip


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = command_line(__file__, __doc__)
    add = parser.add_argument
    add("--seeds", type=int, default=3, help="trainings of each chosen candidate")
    add("--only", action="append", metavar="METHOD", help="leave out the others; may be repeated")
    add("--images", type=int, help="so many training pictures at most, for a trial")
    add("--image-size", type=int, help="instead of each recipe's, for a trial")
    add("--minutes", type=float, help="begin no further training after that")
    add("--bfloat16", action="store_true", help="compute the forward passes in bfloat16")
    add(
        "--backbone",
        type=Path,
        metavar="FILE",
        help="ImageNet's weights, if not in the data folder",
    )
    add("--root", type=Path, help="the data folder (else NN_TUTORIAL_DATA)")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    add_places(parser, ROOT)
    add("--runs", type=Path, default=ROOT / ".cache" / "transfer", help="where runs are kept")
    add_threads(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, and write the record; return the exit status.

    It is 1 if a loss is not finite or a file cannot be written, 2 after bad arguments or data.
    """
    parser = arguments()
    chosen = parser.parse_args(argv)
    known = {method.name for method in methods()}
    if chosen.only and not known.issuperset(chosen.only):
        odd = ", ".join(repr(name) for name in chosen.only if name not in known)
        parser.error(f"--only: expected one of {sorted(known)}, got {odd}")
    if chosen.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device: expected cpu where there is no GPU, got cuda")
    for name, least in (("seeds", 1), ("images", 1), ("image_size", 63)):
        value = getattr(chosen, name)
        if value is not None and value < least:
            option = name.replace("_", "-")
            parser.error(f"--{option}: expected at least {least}, got {value}")
    if chosen.publish is not None and chosen.minutes is not None:
        parser.error("--publish: expected no --minutes with it, which may leave methods out")
    settle_threads(chosen)
    try:
        for name in ("records", "runs"):
            check_folder(getattr(chosen, name), f"--{name}")
        check_publish(chosen, NAME, _command(chosen))
        keep_record(Comparison(chosen).run(), chosen)
    except (DataNotFoundError, DataDamagedError, ValueError) as error:
        parser.error(str(error))
    except (FloatingPointError, OSError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    return 0


class Comparison:
    """All runs of a comparison: pictures on the device, stored features, and what is done."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen, self.device = chosen, torch.device(chosen.device)
        self.began = time.monotonic()
        if self.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
            torch.backends.cudnn.benchmark = True
        self.pictures = cifar10_stored(chosen.root)
        x = np.concatenate([self.pictures.x_train, self.pictures.x_test])
        self.x = torch.from_numpy(x).to(self.device)
        y = np.concatenate([self.pictures.y_train, self.pictures.y_test])
        self.y = torch.from_numpy(y).to(self.device)
        model = network(Recipe(pretrained=False), {}, n_classes=10, seed=0)
        self.weights = load_backbone(model, "imagenet", chosen.backbone, root=chosen.root)
        self.features = {k: v.clone() for k, v in model.features.state_dict().items()}
        self.kept: tuple[object, torch.Tensor] = (None, torch.empty(0))
        # Of one method: so that the chosen candidate need not be trained again to be tested.
        self.trained: dict[tuple[Recipe, int], tuple[dict[str, Any], Outcome, Normalisation]] = {}
        self.code = code_of(_command(chosen))

    def run(self) -> dict[str, Any]:
        """Train what is not done yet, and return the record."""
        done, missing = [], []
        for method in methods():
            if self.chosen.only and method.name not in self.chosen.only:
                missing.append(method.name)
                continue
            found = self._method(method)
            if found is None:
                missing.append(method.name)
            else:
                done.append(found)
        say(f"{len(done)} methods, not run: {', '.join(missing) or 'none'}")
        return self._record(done, missing)

    def _method(self, method: Method) -> dict[str, Any] | None:
        """Choose a candidate on validation, train it with further seeds; None if time is up."""
        recipes = [self._trial(recipe) for recipe in method.candidates]
        self.trained.clear()
        tried = [self._once(method.name, recipe, 0, test=False) for recipe in recipes]
        held = [run["epochs"][-1]["val_accuracy"] for run in tried if run is not None]
        if len(held) < len(tried):
            return None
        best = recipes[int(np.argmax(held))]
        seeds = range(self.chosen.seeds)
        runs = [self._once(method.name, best, seed, test=True) for seed in seeds]
        if None in runs:
            return None
        varied = [
            name
            for name, value in asdict(best).items()
            if any(asdict(recipe)[name] != value for recipe in recipes)
        ]
        return {
            "name": method.name,
            "recipe": asdict(best),
            "candidates": [
                {name: asdict(recipe)[name] for name in varied} | {"val_accuracy": accuracy}
                for recipe, accuracy in zip(recipes, held, strict=True)
            ],
            "runs": runs,
        }

    def _trial(self, recipe: Recipe) -> Recipe:
        """The recipe as it is run here: smaller where a trial was asked for."""
        most, size = self.chosen.images, self.chosen.image_size
        if most is not None and (recipe.images or most) >= most:
            recipe = replace(recipe, images=most)
        return recipe if size is None else replace(recipe, image_size=size)

    def _once(self, name: str, recipe: Recipe, seed: int, *, test: bool) -> dict[str, Any] | None:
        """Return a run, trained now or earlier; None if time is up."""
        how = [self.chosen.bfloat16, self.chosen.device, self.chosen.threads]
        asked = json.dumps([asdict(recipe), seed, test, self.code, *how])
        key = hashlib.sha256(asked.encode()).hexdigest()[:16]
        path: Path = self.chosen.runs / f"{key}.json"
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
        minutes = (time.monotonic() - self.began) / 60
        if self.chosen.minutes is not None and minutes > self.chosen.minutes:
            return None
        if (recipe, seed) not in self.trained:
            self.trained[recipe, seed] = self._train(recipe, seed)
        run, outcome, scale = self.trained[recipe, seed]
        if test:
            run = run | {"test": self._tested(outcome, recipe, scale)}
        told = "test" if test else "validation"
        accuracy = run["test"]["accuracy"] if test else run["epochs"][-1]["val_accuracy"]
        say(f"{minutes:5.1f} min  {name}, seed {seed}: {told} {accuracy:.2%}, {run['seconds']} s")
        write_json(run, path)
        return run

    def _train(self, recipe: Recipe, seed: int) -> tuple[dict[str, Any], Outcome, Normalisation]:
        labels = self.pictures.y_train
        kept, held = (torch.from_numpy(rows) for rows in split(labels, recipe.images, seed))
        training, validation = (Images(self.x[rows], self.y[rows]) for rows in (kept, held))
        scale = normalisation(training.x.cpu()) if recipe.own_statistics else IMAGENET
        model = network(recipe, self.features, n_classes=10, seed=seed).to(self.device)
        if self.device.type == "cuda":
            model = model.to(memory_format=torch.channels_last)
            torch.cuda.reset_peak_memory_stats()
        known = None
        if recipe.head_epochs:
            whole = self._stored(model, recipe, seed, scale)
            known = Stored(whole[kept], whole[held])
        outcome = fine_tune(
            model, recipe, training, validation,
            scale=scale, seed=seed, kept=known, precision=self._precision,
        )  # fmt: skip
        run = {
            "seed": seed,
            "epochs": [_rounded(epoch) for epoch in outcome.epochs],
            "trained": trainable(recipe, model),
            "parameters": sum(p.numel() for p in model.parameters()),
            "seconds": round(sum(epoch["seconds"] for epoch in outcome.epochs), 2),
            "memory": environment(self.device)["peak_memory"],
        }
        return run, outcome, scale

    def _stored(self, model: Any, recipe: Recipe, seed: int, scale: Normalisation) -> torch.Tensor:
        """The convolutions' outputs for all training pictures; those of the last call are kept."""
        first = None if recipe.pretrained else seed
        key = (first, scale, recipe.image_size)
        if self.kept[0] != key:
            self.kept = (None, torch.empty(0))
            pictures = self.x[: len(self.pictures.y_train)]
            self.kept = (key, stored(model, pictures, scale, recipe.image_size))
        return self.kept[1]

    def _tested(self, outcome: Outcome, recipe: Recipe, scale: Normalisation) -> dict[str, Any]:
        """The test pictures, read once by a network that is trained and chosen."""
        start = len(self.pictures.y_train)
        x, y = self.x[start:], self.y[start:]
        size = recipe.image_size
        logits = answers(outcome.model, x, scale, size, precision=self._precision)
        said = logits.argmax(1)
        accuracy = float((said == y).float().mean())
        held = outcome.epochs[-1]["val_accuracy"]
        if held > (self._best() or {"val_accuracy": 0.0})["val_accuracy"]:
            seen = inside(outcome.model, recipe, scale, x, y)
            write_json({"val_accuracy": held} | seen, self.chosen.runs / BEST)
        return {
            "loss": float(functional.cross_entropy(logits, y)),
            "accuracy": accuracy,
            "answers": packed((said - y) % 10),
            "reliability": reliability(logits, y),
        }

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        if self.chosen.bfloat16:
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def _record(self, done: list[dict[str, Any]], missing: list[str]) -> dict[str, Any]:
        pictures: StoredPictures = self.pictures
        sizes = [len(part) for part in split(pictures.y_train, self.chosen.images, 0)]
        data = {
            "name": pictures.name, "sha256": pictures.sha256, "split": pictures.split,
            "source": pictures.source, "sizes": [*sizes, len(pictures.y_test)],
            "class_names": [*pictures.class_names],
        }  # fmt: skip
        record = {
            "name": NAME,
            "command": _command(self.chosen),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "data": data,
            "weights": self.weights.text,
            "weights_sha256": self.weights.sha256,
            "precision": "bfloat16" if self.chosen.bfloat16 else "float32",
            "seeds": self.chosen.seeds,
            "methods": done,
            "not_run": missing,
            "code": self.code,
        }
        if best := self._best():
            record["inside"] = best
        return record | environment(self.device)

    def _best(self) -> dict[str, Any] | None:
        """What is known of the network with the best validation accuracy so far."""
        path: Path = self.chosen.runs / BEST
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def packed(differences: torch.Tensor) -> str:
    """Return answers in little room: (answer − class) mod 10 as bytes, compressed, in base 64.

    Parameters
    ----------
    differences : Tensor of int, (N,)
        From 0 to 9; 0 where the answer is right.
    """
    raw = differences.to(torch.uint8).cpu().numpy().tobytes()
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def reliability(logits: torch.Tensor, y: torch.Tensor) -> list[list[float]]:
    """Return, for ``BINS`` equal ranges of confidence: answers, mean confidence, share right.

    Parameters
    ----------
    logits : Tensor, (N, C)
    y : Tensor of int64, (N,)
    """
    confidence, said = torch.softmax(logits.double(), 1).max(1)
    at = (confidence * BINS).long().clamp(max=BINS - 1)
    rows = []
    for i in range(BINS):
        inside = at == i
        count = int(inside.sum())
        means = (confidence[inside].mean(), (said == y)[inside].double().mean()) if count else ()
        rows.append([count, *(round(float(value), 5) for value in means)])
    return rows


def inside(
    model: Any, recipe: Recipe, scale: Normalisation, pictures: torch.Tensor, labels: torch.Tensor
) -> dict[str, Any]:
    """Return what a network looked at: Grad-CAM of ten right and ten wrong answers.

    Parameters
    ----------
    model : Module
    recipe : Recipe
    scale : Normalisation
    pictures, labels : Tensor
        Of the test part, in its order.

    References
    ----------
    Selvaraju and others (2017), Grad-CAM, ICCV.
    """
    model.eval()
    logits = answers(model, pictures, scale, recipe.image_size, precision=contextlib.nullcontext)
    right = logits.argmax(1) == labels
    picked = [int(i) for which in (right, ~right) for i in which.nonzero()[:10, 0]]
    maps = []
    for i in picked:
        prepared = pixels(pictures[i : i + 1], scale, recipe.image_size)
        # The last convolution's output, before the pool that ends the features.
        seen = model.features[:-1](prepared).detach().requires_grad_()
        whole = model.classifier(model.avgpool(model.features[-1](seen)).flatten(1))
        said = int(whole.argmax())
        (slope,) = torch.autograd.grad(whole[0, said], seen)
        cam = functional.relu((slope.mean((2, 3), keepdim=True) * seen).sum(1))[0]
        cam = cam / cam.max().clamp(min=1e-12)
        probabilities = torch.softmax(whole[0].double(), 0)
        maps.append(
            {
                "picture": i,
                "class": int(labels[i]),
                "answer": said,
                "probability": round(float(probabilities[said].detach()), 5),
                "map": [[round(v, 2) for v in row] for row in cam.detach().cpu().tolist()],
            }
        )
    return {"recipe": asdict(recipe), "grad_cam": maps}


def _command(chosen: argparse.Namespace) -> str:
    words = ["python", f"scripts/{Path(__file__).name}"]
    for name, usual in (("seeds", 3), ("images", None), ("image_size", None)):
        if (value := getattr(chosen, name)) != usual:
            words += [f"--{name.replace('_', '-')}", str(value)]
    for name in chosen.only or ():
        words += ["--only", name]
    words += ["--bfloat16"] if chosen.bfloat16 else []
    words += ["--device", "cuda"] if chosen.device == "cuda" else []
    return shlex.join([*words, "--threads", str(chosen.threads)])


def _rounded(epoch: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in epoch.items()}


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
