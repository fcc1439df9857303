"""The graph of the chain-rule chapter, by the book's layers on arrays of one number."""

from typing import Any

import numpy as np

from nn_tutorial import linear, linear_backward, relu, relu_backward


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    found: list[tuple[str, list[Any], Any]] = []
    examples = [(2.0, 3.0, -4.0, 1.0), (2.0, 3.0, -6.0, 1.0), (0.0, 0.0, 0.0, 0.0)]
    for x, w, b, t in [*examples, *rng.uniform(-5, 5, (20, 4))]:
        s, layer = linear(np.array([[x]]), np.array([[w]]), np.array([b]))
        r, mask = relu(s)
        y = x + r
        d = y - t
        values = {"a": x * w, "s": s, "r": r, "y": y, "d": d, "L": (d**2).sum() / 2}
        ds = relu_backward(d, mask)
        long, dw, db = linear_backward(ds, layer)
        grads = {"L": 1, "d": d, "y": d, "t": -d, "r": d, "short": d, "s": ds, "a": db}
        grads |= {"b": db, "w": dw, "long": long, "x": d + long}
        inputs = {"x": x, "w": w, "b": b, "t": t}
        found += [("forward", [inputs], _plain(values)), ("backward", [inputs], _plain(grads))]
    return found


def _plain(numbers: dict[str, Any]) -> dict[str, float]:
    return {name: np.asarray(value).item() for name, value in numbers.items()}
