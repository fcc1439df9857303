"""The script on a small Fashion-MNIST, for torchrun; one process may get a signal on the way.

`train_clothes.py RANK,EPOCH,STEP,SIGNAL OPTIONS…`, or `train_clothes.py never OPTIONS…`.
"""

import functools
import os
import sys

import train_fashion_mnist
from helpers import SMALL_FASHION

from nn_tutorial.data import fashion
from nn_tutorial.pytorch.training import train


def main(when: str, options: list[str]) -> int:
    fashion.PARTS = SMALL_FASHION

    def after_step(epoch: int, step: int) -> None:
        here = f"{os.environ['RANK']},{epoch},{step},"
        if when.startswith(here):
            os.kill(os.getpid(), int(when.removeprefix(here)))

    train_fashion_mnist.train = functools.partial(train, after_step=after_step)
    return train_fashion_mnist.main(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
