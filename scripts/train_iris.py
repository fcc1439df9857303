"""Train a network on Iris from the terminal: `train_iris.py --lr 0.01 --hidden 10 10`."""

import argparse
import importlib.util
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nn_tutorial import SGD, History, evaluate, fit, iris, mlp
from nn_tutorial.files import write_whole


def number(
    kind: Callable[[str], float], name: str, low: float, below: float = math.inf, *, open_: bool
) -> Callable[[str], float]:
    """Return a reader of one argument, which refuses what is out of range."""
    bound = f"{name} {'above' if open_ else 'of at least'} {low:g}"
    bound += f" and below {below:g}" if math.isfinite(below) else ""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (low < value < below or (value == low and not open_)):
            raise argparse.ArgumentTypeError(f"expected a {bound}, got {text!r}")
        return value

    return read


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Train a network on Fisher's irises; print its test loss and accuracy.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    count = number(int, "whole number", 1, open_=False)
    seed = number(int, "whole number", 0, open_=False)
    rate = number(float, "number", 0, open_=True)
    momentum = number(float, "number", 0, 1, open_=False)
    parser.add_argument("--lr", type=rate, default=0.01, help="learning rate")
    parser.add_argument(
        "--hidden",
        type=count,
        nargs="*",
        default=[10],
        metavar="UNITS",
        help="units of each hidden layer; none gives softmax regression",
    )
    parser.add_argument("--epochs", type=count, default=200, help="passes over the training part")
    parser.add_argument("--batch-size", type=count, default=16, help="flowers a step")
    parser.add_argument("--momentum", type=momentum, default=0.0, help="from 0 to below 1")
    parser.add_argument("--seed", type=seed, default=0, help="of split, weights and shuffling")
    parser.add_argument(
        "--keep-best", action="store_true", help="end with the lowest validation loss, not the last"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.svg", help="draw both losses over the epochs"
    )
    return parser


def unfit(path: Path) -> str | None:
    """Return why no plot can be written there, before any training; None if it can."""
    if path.suffix.lower() != ".svg":
        return f"expected a name that ends in .svg, got '{path}'"
    if path.is_dir():
        return f"expected a file, '{path}' is a directory"
    if not path.parent.is_dir():
        return f"expected a file in a directory that exists, '{path.parent}' does not"
    if not os.access(path.parent, os.W_OK):
        return f"expected a directory that may be written to, '{path.parent}' may not"
    if importlib.util.find_spec("matplotlib") is None:
        return "needs matplotlib: pip install 'nn_tutorial[plot]'"
    return None


def draw(history: History, title: str, path: Path) -> None:
    """Write the loss curves as SVG, whole or not at all; the same run gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    ax = figure.subplots()
    epochs = range(1, len(history.train_loss) + 1)
    ax.plot(epochs, history.train_loss, label="training")
    ax.plot(epochs, history.val_loss, linestyle="--", label="validation")
    ax.set(xlabel="epoch", ylabel="loss (nats)", ylim=(0, None), title=title)
    ax.legend(frameon=False)
    with mpl.rc_context({"svg.hashsalt": "train_iris"}), write_whole(path) as beside:
        figure.savefig(beside, format="svg", metadata={"Date": None})


def main(argv: Sequence[str] | None = None) -> int:
    """Train, print, draw; the exit status is 2 for bad arguments and 1 for a diverged loss."""
    parser = arguments()
    args = parser.parse_args(argv)
    if args.plot is not None and (why := unfit(args.plot)):
        parser.error(f"argument --plot: {why}")

    flowers = iris(seed=args.seed).standardized()
    rng = np.random.default_rng([1, args.seed])  # as in the chapter: not the split's own stream
    net = mlp(4, args.hidden, 3, rng=rng)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # fit says it in one sentence
            history = fit(
                net,
                (flowers.x_train, flowers.y_train),
                (flowers.x_val, flowers.y_val),
                optimizer=SGD(net.params, args.lr, momentum=args.momentum),
                epochs=args.epochs,
                batch_size=args.batch_size,
                rng=rng,
                keep_best=args.keep_best,
            )
    except FloatingPointError as error:
        print(f"train_iris.py: {error}", file=sys.stderr)
        return 1
    loss, accuracy = evaluate(net, flowers.x_test, flowers.y_test)
    right = round(accuracy * len(flowers.y_test))
    print(f"test loss      {loss:.4f}")
    print(f"test accuracy  {accuracy:.2f} ({right} of {len(flowers.y_test)} flowers)")
    if args.plot is not None:
        layers = " → ".join(str(n) for n in (4, *args.hidden, 3))
        draw(history, f"Iris, {layers}, learning rate {args.lr:g}", args.plot)
        print(f"plot           {args.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
