"""The live network: forward, gradients and steps of the book's layers, in float64."""

import math
from typing import Any

import numpy as np

import nn_tutorial as nt


def network(sizes: list[int], norm: bool, seed: int) -> nt.Sequential:
    rng = np.random.default_rng(seed)
    net = nt.mlp(sizes[0], sizes[1:-1], sizes[-1], rng=rng, dtype=np.float64, batch_norm=norm)
    for name, p in net.params.items():
        if p.ndim == 1:  # so that a bias that is forgotten shows
            p += rng.uniform(-0.5, 0.5, p.shape)
        assert name
    return net


def plain(net: nt.Sequential) -> list[dict[str, Any]]:
    """A network as the figure has it."""
    found: list[dict[str, Any]] = []
    for layer in net.layers:
        if isinstance(layer, nt.Linear):
            found.append({k: v.tolist() for k, v in layer.params.items()})
        elif isinstance(layer, nt.BatchNorm):
            found.append(
                {
                    "gamma": layer.params["weight"].tolist(),
                    "beta": layer.params["bias"].tolist(),
                    "mean": layer.buffers["running_mean"].tolist(),
                    "variance": layer.buffers["running_var"].tolist(),
                }
            )
        else:
            found.append({"bend": True})
    return found


def plain_grads(net: nt.Sequential, grads: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for i, layer in enumerate(net.layers):
        names = {"weight": "weight", "bias": "bias"}
        if isinstance(layer, nt.BatchNorm):
            names = {"weight": "gamma", "bias": "beta"}
        found.append({names[n]: grads[f"{i}.{n}"].tolist() for n in names if f"{i}.{n}" in grads})
    return found


def caches(net: nt.Sequential, x: Any, train: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for layer in net.layers:
        y, cache = layer.forward(x, train=train)
        if isinstance(layer, nt.BatchNorm):
            found.append(
                {
                    "xhat": cache.xhat.tolist(),
                    "inverse": cache.inv_std.tolist(),
                    "mean": cache.mean.tolist(),
                    "variance": cache.var.tolist(),
                    "n": len(x),
                }
            )
        else:
            found.append({"x": x.tolist()})
        x = y
    return found


def uniforms(seed: int, count: int) -> list[float]:
    """mulberry32, once more, in Python's whole numbers."""
    mask, found, state = 0xFFFFFFFF, [], seed & 0xFFFFFFFF
    for _ in range(count):
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (state | 1)) & mask
        t ^= (t + ((t ^ (t >> 7)) * (t | 61))) & mask
        found.append(((t ^ (t >> 14)) & mask) / 2**32)
    return found


def normals(seed: int, count: int) -> list[float]:
    u = uniforms(seed, 2 * count)
    pairs = zip(u[::2], u[1::2], strict=True)
    return [math.sqrt(-2 * math.log(1 - a)) * math.cos(2 * math.pi * b) for a, b in pairs]


def initial(sizes: list[int], norm: bool, seed: int) -> list[dict[str, Any]]:
    net = nt.mlp(
        sizes[0], sizes[1:-1], sizes[-1], rng=np.random.default_rng(0), dtype=np.float64,
        batch_norm=norm,
    )  # fmt: skip
    linears = [layer for layer in net.layers if isinstance(layer, nt.Linear)]
    for number, layer in enumerate(linears, 1):
        weight = layer.params["weight"]
        drawn = np.array(normals(seed + 1000 * number, weight.size)).reshape(weight.shape)
        weight[:] = drawn * np.sqrt(2 / weight.shape[0])
    return plain(net)


def shuffled(seed: int, count: int) -> list[int]:
    order = list(range(count))
    for step, u in enumerate(uniforms(seed, count)):
        i = count - 1 - step
        j = math.floor(u * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def calls() -> list[tuple[str, list[Any], Any]]:
    """Depth 0 to 3, with and without batch normalisation, last batches smaller than the others."""
    rng = np.random.default_rng(5)
    found: list[tuple[str, list[Any], Any]] = []
    for sizes, norm in (
        ([4, 3], False),
        ([4, 7, 3], False),
        ([2, 5, 3], True),
        ([4, 5, 7, 3], True),
        ([4, 7, 5, 6, 3], False),
        ([4, 3, 5, 7, 3], True),
    ):
        x, labels = rng.standard_normal((23, sizes[0])), rng.integers(0, 3, 23)
        net = network(sizes, norm, 3)
        found.append(("evaluate", [plain(net), x, labels], _evaluated(net, x, labels)))
        p = nt.softmax(net.forward(x, train=False)[0])[0]
        found.append(("probabilities", [plain(net), x], p.tolist()))
        for train in (True, False):
            net = network(sizes, norm, 4)
            before = plain(net)
            kept = caches(network(sizes, norm, 4), x, train)
            logits, cache = net.forward(x, train=train)
            found.append(("gates", [plain(net)], _gates(net, x)))  # remembered statistics too
            found.append(("forward", [before, x, train], {"logits": logits, "caches": kept}))
            if train:
                value, gradient = nt.softmax_cross_entropy(logits, labels)
                result = {"loss": value, "gradient": gradient.tolist()}
                found.append(("loss", [logits.tolist(), labels], result))
                _, grads = net.backward(gradient, cache)
                found.append(
                    ("backward", [before, kept, gradient.tolist()], plain_grads(net, grads))
                )
        found += _steps(sizes, norm, x, labels, rng)
    found.append(
        ("loss", [[[1000.0, -1000.0, 0.0]], [1]], {"loss": 2000.0, "gradient": [[1, -1, 0]]})
    )
    for seed in (0, 1, 123456789):
        found.append(("uniforms", [seed, 9], uniforms(seed, 9)))
        found.append(("normals", [seed, 7], normals(seed, 7)))
        found.append(("shuffled", [seed, 11], shuffled(seed, 11)))
        found.append(("initial", [[4, 10, 3], seed > 0, seed], initial([4, 10, 3], seed > 0, seed)))
    return [(name, [_listed(a) for a in args], _listed(out)) for name, args, out in found]


def _steps(sizes: list[int], norm: bool, x: Any, labels: Any, rng: Any) -> list[Any]:
    """Three epochs of steps, each from what the one before returned."""
    net = network(sizes, norm, 6)
    optimizer = nt.SGD(net.params, 0.1, momentum=0.5)
    settings = {"rate": 0.1, "momentum": 0.5}
    found, velocity = [], None
    for _ in range(3):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 5):
            rows = order[start : start + 5]
            before = plain(net)
            logits, cache = net.forward(x[rows])
            value, gradient = nt.softmax_cross_entropy(logits, labels[rows])
            optimizer.step(net.backward(gradient, cache)[1])
            after = plain_grads(net, optimizer.velocity)
            result = {"net": plain(net), "velocity": after, "loss": value}
            found.append(("step", [before, velocity, x[rows], labels[rows], settings], result))
            velocity = after
    return found


def _gates(net: nt.Sequential, x: Any) -> list[dict[str, Any]]:
    """The first ReLU's input is a straight line: its value at 0, and what each feature adds."""

    def given(rows: Any) -> Any:
        for layer in net.layers:
            if isinstance(layer, nt.ReLU):
                return rows
            rows = layer.forward(rows, train=False)[0]
        return np.zeros((len(rows), 0))  # no hidden layer

    bias = given(np.zeros((1, x.shape[1])))[0]
    weight = given(np.eye(x.shape[1])) - bias
    return [{"weight": w.tolist(), "bias": float(b)} for w, b in zip(weight.T, bias, strict=True)]


def _evaluated(net: nt.Sequential, x: Any, labels: Any) -> dict[str, float]:
    value, accuracy = nt.evaluate(net, x, labels)
    return {"loss": value, "accuracy": accuracy}


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _listed(v) for k, v in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value
