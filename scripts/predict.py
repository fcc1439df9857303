"""Ask a trained network what is on your pictures.

examples:
  the three likeliest classes of a photograph:
    python scripts/predict.py runs/transfer.safetensors dog.jpg
  the same for all of a folder, with a drawing:
    python scripts/predict.py runs/transfer.safetensors holiday/*.JPG --plot answers.svg
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nn_tutorial.command_line import command_line, settle_streams
from nn_tutorial.data import DataDamagedError, DataNotFoundError
from nn_tutorial.data.pictures import read_image
from nn_tutorial.files import write_whole
from nn_tutorial.pytorch.models import load_model, probabilities

LIKELIEST = 3
KINDS = (".png", ".svg", ".pdf")


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = command_line(__file__, __doc__)
    add = parser.add_argument
    add("weights", type=Path, metavar="WEIGHTS", help="a .safetensors of train_….py")
    add("pictures", type=Path, nargs="+", metavar="PICTURE", help="the middle square is looked at")
    add("--plot", type=Path, metavar="FILE", help=f"draw them with bars ({', '.join(KINDS)})")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the likeliest classes of each picture; the exit status is 2 for bad arguments."""
    parser = arguments()
    chosen = parser.parse_args(argv)
    if chosen.plot is not None and chosen.plot.suffix not in KINDS:
        parser.error(f"--plot: expected a name in {', '.join(KINDS)}, got {chosen.plot}")
    if chosen.plot is not None and not chosen.plot.parent.is_dir():
        parser.error(f"--plot: expected a folder that is there, got {chosen.plot.parent}")
    try:
        model, about = load_model(chosen.weights)
        images = [read_image(path, about.side) for path in chosen.pictures]
    except (DataNotFoundError, DataDamagedError) as error:
        parser.error(str(error))
    x = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    shares = probabilities(model, about, x.permute(0, 3, 1, 2))
    best = shares.topk(min(LIKELIEST, len(about.class_names)))
    answers = [
        [(about.class_names[i], share) for i, share in zip(classes, row, strict=True)]
        for classes, row in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
    for path, answer in zip(chosen.pictures, answers, strict=True):
        print(f"{path.name}: " + ", ".join(f"{name} {share:.1%}" for name, share in answer))
    if chosen.plot is not None:
        draw(chosen.pictures, answers, chosen.plot)
        print(f"plot {chosen.plot}")
    return 0


def draw(pictures: Sequence[Path], answers: Sequence[Any], path: Path) -> None:
    """Draw each picture as the network was shown it, and its likeliest classes as bars."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 1.5 * len(pictures) + 0.5), layout="constrained")
    axes = figure.subplots(len(pictures), 2, squeeze=False, width_ratios=(1, 3))
    for (left, right), picture, answer in zip(axes, pictures, answers, strict=True):
        left.imshow(read_image(picture, 224))
        left.set_axis_off()
        names, shares = zip(*answer, strict=True)
        bars = right.barh(range(len(names)), shares)
        right.bar_label(bars, [f"{share:.1%}" for share in shares], padding=3)
        right.set(yticks=range(len(names)), yticklabels=names, xlim=(0, 1.2), title=picture.name)
        right.set(xticks=(0, 0.5, 1), xticklabels=("0 %", "50 %", "100 %"))
        right.invert_yaxis()
        right.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "predict"}), write_whole(path) as beside:
        figure.savefig(beside, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
