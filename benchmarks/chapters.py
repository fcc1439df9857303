"""What a chapter says about time and memory: measured here, and read by its page.

A page is the same at every build, so it holds no clock. ``python -m benchmarks.chapters`` writes
``chapters.json`` anew; ``make bench`` does it too.
"""

import argparse
import datetime
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np

import nn_tutorial as nt
from nn_tutorial.command_line import on_any_terminal
from nn_tutorial.layers.checks import Array

from .run import ROOT, machine, versions, write
from .work import N, images

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


def compiled(rounds: int = ROUNDS) -> dict[str, Any]:
    """Steps in PyTorch, eager and compiled, on one thread of the CPU, in processor seconds.

    A step is forward, loss and backward: of the small network on 64 images, of its first ReLU
    alone, of a chain of elementwise functions on a million numbers, and of PyTorch's own function
    for that chain. Two more steps are forward alone: the ReLU's comparison, with its answers stored
    as truth values and as float32. ``"kept"`` counts the bytes that autograd saves. Where nothing
    can be compiled, because there is no C++ compiler, the record says so under ``"impossible"`` and
    has no times.
    """
    import torch
    from torch._inductor import config

    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    found: dict[str, Any] = {
        "date": day,
        "torch": torch.__version__,
        "threads": 1,
        "steps_a_block": 10,
    }
    found |= {"images": N, "numbers": 1_000_000}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # A folder of its own: one that earlier runs have filled would make the first step cheap.
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.dict(os.environ, TORCHINDUCTOR_CACHE_DIR=folder),
            config.patch(compile_threads=1),  # in this process, whose time is counted
        ):
            for name, (function, step) in _to_compile(found["numbers"]).items():
                torch._dynamo.reset()
                value, start = step(function), _processor_seconds()
                faster = torch.compile(function)
                apart = abs(step(faster) - value) / abs(value)
                entry: dict[str, Any] = {"first": _processor_seconds() - start, "apart": apart}
                ways = {"eager": function, "compiled": faster}
                entry["kept"] = {way: _kept(step, called) for way, called in ways.items()}
                entry |= {way: [] for way in ways}
                found[name] = entry
                for _ in range(rounds):  # in turns, a block of steps each
                    for way, called in ways.items():
                        step(called)
                        start = time.process_time()
                        for _ in range(found["steps_a_block"]):
                            step(called)
                        seconds = time.process_time() - start
                        entry[way].append(seconds / found["steps_a_block"])
    except RuntimeError as error:
        found["impossible"] = type(error).__name__
    finally:
        torch.set_num_threads(threads)
    return found


def _to_compile(numbers: int) -> dict[str, tuple[Any, Callable[[Any], float]]]:
    """What is compiled, and a step with it that returns the loss."""
    import torch
    from torch.nn import functional

    from nn_tutorial.pytorch import twin

    x, labels = (torch.from_numpy(part) for part in images(N))
    model = twin(nt.small_cnn(rng=np.random.default_rng(0)))
    z = torch.from_numpy(np.random.default_rng(0).standard_normal(numbers, np.float32))
    z.requires_grad_()

    def network_step(network: Any) -> float:
        model.zero_grad()
        loss = functional.cross_entropy(network(x), labels)
        loss.backward()
        return float(loss.item())

    def chain(z: Any) -> Any:
        """GELU by its formula with tanh: eight passes over the numbers in eager mode."""
        return 0.5 * z * (1 + torch.tanh(0.79788456 * (z + 0.044715 * z**3)))

    def chain_step(function: Any) -> float:
        z.grad = None
        loss = function(z).sum()
        loss.backward()
        return float(loss.item())

    after_convolution = np.random.default_rng(1).standard_normal((N, 8, 28, 28), np.float32)
    between = torch.from_numpy(after_convolution).requires_grad_()
    upstream = torch.ones_like(between)

    def relu_step(function: Any) -> float:
        between.grad = None
        y = function(between)
        y.backward(upstream)
        return float(y.sum().item())

    inputs = between.detach()

    def comparison_step(function: Any) -> float:
        return 1 + float(function(inputs).view(-1)[:1000].sum().item())

    return {
        "network": (model, network_step),
        "relu": (torch.nn.ReLU(), relu_step),
        "chain": (chain, chain_step),
        "gelu": (lambda z: functional.gelu(z, approximate="tanh"), chain_step),
        "truth values": (lambda x: x <= 0, comparison_step),
        "floats": (lambda x: (x <= 0).float(), comparison_step),
    }


def _kept(step: Callable[[Any], float], called: Any) -> int:
    """Bytes of the blocks of memory that autograd saves in a step."""
    import torch

    saved: list[Any] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        step(called)
    stores = [tensor.untyped_storage() for tensor in saved]
    return sum({store.data_ptr(): store.nbytes() for store in stores}.values())


def _processor_seconds() -> float:
    """Of this process and of those that it has waited for, as the C++ compiler is."""
    return sum(os.times()[:4])


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


CHAPTERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "softmax": softmax,
    "einsum": einsum,
    "compile": compiled,
}


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
    sys.exit(on_any_terminal(main)())
