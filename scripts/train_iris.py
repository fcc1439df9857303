"""Train a network on Fisher's irises; print its test loss and accuracy.

examples:
  two hidden layers of ten units, and a drawing of the curves:
    python scripts/train_iris.py --lr 0.1 --hidden 10 10 --plot iris.svg
  the same with Adam, for fewer epochs:
    python scripts/train_iris.py --lr 0.01 --hidden 10 10 --optimizer adam --epochs 50
"""

import argparse
import importlib.util
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nn_tutorial import SGD, Adam, History, evaluate, fit, iris, mlp
from nn_tutorial.command_line import command_line, settle_streams
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
    parser = command_line(__file__, __doc__)
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
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd")
    parser.add_argument("--momentum", type=momentum, default=0.0, help="of sgd, from 0 to below 1")
    parser.add_argument("--seed", type=seed, default=0, help="of split, weights and shuffling")
    parser.add_argument(
        "--keep-best", action="store_true", help="end with the lowest validation loss, not the last"
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.svg", help="draw losses and accuracies over the epochs"
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
    """Write losses and accuracies as SVG, whole or not at all; the same run, the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 5.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    epochs = range(1, len(history.train_loss) + 1)
    for ax, training, validation in (
        (above, history.train_loss, history.val_loss),
        (below, history.train_accuracy, history.val_accuracy),
    ):
        ax.plot(epochs, training, label="training")
        ax.plot(epochs, validation, linestyle="--", label="validation")
    above.set(ylabel="loss (nats)", ylim=(0, None), title=title)
    below.set(ylabel="accuracy", ylim=(None, 1.02), xlabel="epoch")
    above.legend(frameon=False)
    with mpl.rc_context({"svg.hashsalt": "train_iris"}), write_whole(path) as beside:
        figure.savefig(beside, format="svg", metadata={"Date": None})


def main(argv: Sequence[str] | None = None) -> int:
    """Train, print, draw; the exit status is 2 for bad arguments and 1 for a diverged loss."""
    parser = arguments()
    args = parser.parse_args(argv)
    if args.plot is not None and (why := unfit(args.plot)):
        parser.error(f"argument --plot: {why}")
    if args.optimizer == "adam" and args.momentum > 0:
        parser.error(
            f"argument --momentum: expected 0 with --optimizer adam, which has its own, "
            f"got {args.momentum:g}"
        )

    flowers = iris(seed=args.seed).standardized()
    rng = np.random.default_rng([1, args.seed])  # as in the chapter: not the split's own stream
    net = mlp(4, args.hidden, 3, rng=rng)
    if args.optimizer == "adam":
        optimizer: SGD | Adam = Adam(net.params, args.lr)
    else:
        optimizer = SGD(net.params, args.lr, momentum=args.momentum)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # fit says it in one sentence
            history = fit(
                net,
                (flowers.x_train, flowers.y_train),
                (flowers.x_val, flowers.y_val),
                optimizer=optimizer,
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
        draw(history, f"Iris, {layers}, {args.optimizer}, learning rate {args.lr:g}", args.plot)
        print(f"plot           {args.plot}")
    return 0


if __name__ == "__main__":
    settle_streams()
    sys.exit(main())
