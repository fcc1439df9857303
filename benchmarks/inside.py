"""Look inside our own step: where its time goes, and what its matrix products alone would need."""

import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import nn_tutorial as nt
from nn_tutorial.layers import convolution

from . import work


def profile(steps: int) -> list[dict[str, Any]]:
    """Return the median seconds of each layer of ``small_cnn``, forward and backward, in a step."""
    net, (x, labels) = nt.small_cnn(rng=np.random.default_rng(0)), work.images(work.N)
    optimizer = nt.SGD(net.params, work.LR)
    names = [f"{i} {type(layer).__name__}" for i, layer in enumerate(net.layers)]
    spent: dict[tuple[str, str], list[float]] = {}

    def timed(part: str, way: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = call(*args, **kwargs)
        spent.setdefault((part, way), []).append(time.perf_counter() - start)
        return result

    for _ in range(steps):
        a, caches = x, []
        grads: dict[str, Any] = {}
        for name, layer in zip(names, net.layers, strict=True):
            a, cache = timed(name, "forward", layer.forward, a)
            caches.append(cache)
        _, d = timed("loss", "forward", nt.softmax_cross_entropy, a, labels)
        for i in reversed(range(len(names))):
            backward = net.layers[i].backward
            d, found = timed(names[i], "backward", backward, d, caches[i], need_dx=i > 0)
            grads |= {f"{i}.{name}": g for name, g in found.items()}
        timed("optimiser", "step", optimizer.step, grads)
    return [
        {"part": part, "pass": way, "seconds": median(times)}
        for (part, way), times in spent.items()
    ]


def products(rounds: int) -> list[dict[str, Any]]:
    """Return each matrix product of that step, alone: its size, and the median seconds it takes.

    The operands are already in the processor's cache; the result is written where it belongs.
    """
    found = []
    for part, way, count, m, k, n in shapes(nt.small_cnn(rng=np.random.default_rng(0))):
        a, b = np.ones((m, k), np.float32), np.ones((k, n), np.float32)
        out = np.empty((count, m, n), np.float32)
        every = np.broadcast_to(b, (count, k, n))
        seconds = _median_seconds(lambda a=a, b=every, out=out: np.matmul(a, b, out=out), rounds)
        size = {"count": count, "m": m, "k": k, "n": n, "flop": 2 * count * m * k * n}
        found.append({"part": part, "pass": way, **size, "seconds": seconds})
    return found


def shapes(net: nt.Sequential) -> list[tuple[str, str, int, int, int, int]]:
    """Return (part, pass, how many, m, k, n) of the products (m, k) @ (k, n) in a step."""
    x, found = work.images(work.N)[0], []
    for i, layer in enumerate(net.layers):
        y = layer(x)
        name, n = f"{i} {type(layer).__name__}", len(x)
        if isinstance(layer, nt.Conv2d):
            f, c, kh, kw = layer.params["weight"].shape
            oh, ow = y.shape[2:]
            parts = convolution._parts(f * kh * kw * c * ow * n, ow)
            found.append((name, "forward", oh * parts, f, kh * kw * c, ow * n // parts))
            found.append((name, "backward", 2 * oh, kh * kw * c, ow * n // 2, f))
            if i > 0:
                # At stride 1, with the size kept: one product for each row of the image. (Those at
                # the edges, which met fewer rows of the output, are counted as whole.)
                parts = convolution._parts(kh * f * kw * c * ow * n, ow)
                found.append((name, "backward", oh * parts, kw * c, kh * f, ow * n // parts))
        elif isinstance(layer, nt.Linear):
            n_in, n_out = layer.params["weight"].shape
            found.append((name, "forward", 1, n, n_in, n_out))
            found.append((name, "backward", 1, n_in, n, n_out))
            found.append((name, "backward", 1, n_in, n_out, n))
        x = y
    return found


def rates(rounds: int) -> dict[str, float]:
    """Return what this machine can do: products in flop/s, and bytes copied a second."""
    a = np.ones((1024, 1024), np.float32)
    out, big = np.empty_like(a), np.ones(16 << 20, np.float32)
    target = np.empty_like(big)
    product = _median_seconds(lambda: np.matmul(a, a, out=out), min(rounds, 50))
    copy = _median_seconds(lambda: np.copyto(target, big), min(rounds, 50))
    return {"flop_per_s": 2 * 1024**3 / product, "copied_bytes_per_s": big.nbytes / copy}


def held_memory(_: int) -> list[dict[str, Any]]:
    """Return the bytes held from forward to backward, as a multiple of the input's."""
    found = []
    for layer, shape in work.CONVOLUTIONS.values():
        x = work.batch_last(np.ones(shape, np.float32))
        weight, bias = layer.params["weight"], layer.params["bias"]
        kernel, stride = weight.shape[2:], layer.stride
        entry = {
            "shape": " × ".join(map(str, shape)),
            "kernel": f"{kernel[0]}×{kernel[1]}",
            "kernel_width": kernel[1],
            "stride": stride[1],
        }
        for function in (nt.conv2d, nt.conv2d_im2col):
            tracemalloc.start()
            y, cache = function(x, weight, bias, stride=stride, padding=layer.padding)
            del y
            entry[function.__name__] = tracemalloc.get_traced_memory()[0] / x.nbytes
            tracemalloc.stop()
            del cache
        found.append(entry)
    return found


def _median_seconds(call: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)
