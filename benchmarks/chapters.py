"""What a chapter says about time and memory: measured here, and read by its page.

A page is the same at every build, so it holds no clock. ``python -m benchmarks.chapters`` writes
``chapters.json`` anew; ``make bench`` does it too.
"""

import argparse
import datetime
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import nn_tutorial as nt
from nn_tutorial.checks import Array

from .run import ROOT, machine, versions, write

RESULTS = ROOT / "benchmarks" / "chapters.json"
ROUNDS = 9


def softmax(rounds: int = ROUNDS) -> dict[str, Any]:
    """Softmax's gradient through the Jacobian and by the short form, for more and more classes."""
    rows, classes = 16, [10, 30, 100, 300, 1000, 2000]
    found: dict[str, Any] = {"rows": rows, "classes": classes, "jacobian": [], "short": []}
    for k in classes:
        rng = np.random.default_rng(k)
        p, cache = nt.softmax(rng.standard_normal((rows, k)).astype(np.float32))
        dp = rng.standard_normal((rows, k)).astype(np.float32)
        found["jacobian"].append(measure(lambda p=p, dp=dp: through_jacobian(dp, p), rounds))
        found["short"].append(measure(lambda c=cache, dp=dp: nt.softmax_backward(dp, c), rounds))
    return found


def through_jacobian(dp: Array, p: Array) -> Array:
    """Softmax's gradient with a (K, K) matrix for each row."""
    jacobian = -p[:, :, None] * p[:, None, :]
    diagonal = np.arange(p.shape[1])
    jacobian[:, diagonal, diagonal] += p
    return (dp[:, None, :] @ jacobian)[:, 0]


def einsum(rounds: int = ROUNDS) -> dict[str, Any]:
    """A chain of three matrices by ``einsum``, as it stands and with ``optimize=True``."""
    chain, sizes = "ij,jk,kl->il", [10, 20, 40, 80, 160]
    found: dict[str, Any] = {"sizes": sizes, "plain": [], "optimised": [], "matmul": []}
    for n in sizes:
        rng = np.random.default_rng(n)
        a, b, c = (rng.standard_normal((n, n)) for _ in range(3))
        calls: dict[str, Callable[[], Any]] = {
            "plain": lambda a=a, b=b, c=c: np.einsum(chain, a, b, c),
            "optimised": lambda a=a, b=b, c=c: np.einsum(chain, a, b, c, optimize=True),
            "matmul": lambda a=a, b=b, c=c: a @ b @ c,
        }
        for name, call in calls.items():
            found[name].append(measure(call, rounds))
    return found


def measure(call: Callable[[], Any], rounds: int) -> dict[str, float]:
    """Return the median seconds of a call, and the most memory it held at once, in bytes."""
    call()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"seconds": median(seconds), "bytes": float(peak)}


CHAPTERS: dict[str, Callable[[int], dict[str, Any]]] = {"softmax": softmax, "einsum": einsum}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chapters", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="timed calls of each")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    found = {name: chapter(options.rounds) for name, chapter in CHAPTERS.items()}
    about = {"date": now.isoformat(), "machine": machine(), "versions": versions()}
    write(about | found, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
