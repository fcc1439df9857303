"""Samples that several theories share, and the rules that they keep.

Sizes are primes, so that no product of two of them is a third; some batches hold one example.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .theory import Values

Rule = Callable[[Sequence[Values]], bool]

MATRICES = [(5, 3, 7), (2, 7, 3), (7, 2, 5), (3, 5, 2), (11, 3, 2), (1, 5, 3)]
# x, filters, kernel, stride, padding
WINDOWS = [
    ((2, 3, 5, 7), 2, (3, 2), (1, 1), (0, 0)),
    ((3, 2, 7, 5), 5, (2, 3), (2, 1), (1, 0)),
    ((1, 3, 7, 5), 2, (3, 2), (1, 2), (1, 1)),
    ((2, 5, 5, 3), 3, (2, 2), (2, 3), (0, 1)),
    ((5, 2, 3, 7), 3, (3, 3), (3, 2), (1, 1)),
    ((2, 3, 5, 3), 5, (1, 1), (1, 1), (0, 0)),
]
# The pixel of x that a window's place (u, v) meets, and whether a pixel (a, e) is in the window.
PLACE = "s*i+u-p,r*j+v-q"
IN_WINDOW = "(a >= s*i-p) * (a < s*i-p+U) * (e >= r*j-q) * (e < r*j-q+V)"

# What no window and no loss may be given.
NO_GEOMETRY: dict[str, tuple[Any, ...]] = {
    "kernel_size": (0, (3, -1), 1.5, (2, 2, 2)),
    "stride": (0, (1, -1), 1.5, (1, 1, 1)),
    "padding": (-1, (0, -1), 0.5, "full"),
    "dilation": (0, (1, -1), 1.5),
    "ceil_mode": (1, "yes"),
}
NO_BIAS = (1, "yes")  # for a class, which has one or has none
NO_LABELS = ([0, 1], np.array([0.0]), np.array([[0]]), np.array([-1]), np.array([10**6]))


def matrix(rng: np.random.Generator, i: int) -> Values:
    """X with zeros in it: what happens there is part of the equation."""
    n, d, _ = MATRICES[i]
    x = rng.standard_normal((n, d))
    x.flat[:: max(2, d)] = 0.0
    return {"X": x}


def classes(rng: np.random.Generator, i: int) -> Values:
    """Scores, their probabilities, and labels."""
    n, k, _ = MATRICES[i]
    logits = rng.standard_normal((n, k))
    e = np.exp(logits - logits.max(1, keepdims=True))
    # J: as many j as k, for a sum over j in which no array says so
    return {"Z": logits, "P": e / e.sum(1, keepdims=True), "t": rng.integers(0, k, n), "J": k}


def window(rng: np.random.Generator, i: int) -> Values:
    """Images, filters, and how the window moves."""
    shape, filters, (kh, kw), (s, r), (p, q) = WINDOWS[i]
    draw = rng.standard_normal
    return {
        "X": draw(shape), "W": draw((filters, shape[1], kh, kw)), "b": draw(filters),
        "s": s, "r": r, "p": p, "q": q, "U": kh, "V": kw,
    }  # fmt: skip


def pooled(rng: np.random.Generator, i: int) -> Values:
    """Images for a pooling: less padding, and maxima that can be mistaken for each other."""
    values = window(rng, i)
    del values["W"], values["b"]
    values["p"] = min(values["p"], values["U"] // 2)
    values["q"] = min(values["q"], values["V"] // 2)
    if i % 2 or i == 4:
        # A pattern that repeats with the kernel's size: each window holds every value once, and
        # all windows have one maximum. So equal maxima of different windows are told apart.
        n, c, h, w = values["X"].shape
        block = rng.standard_normal((n, c, values["U"], values["V"])) + 3
        repeats = (1, 1, -(-h // values["U"]), -(-w // values["V"]))
        values["X"] = np.tile(block, repeats)[:, :, :h, :w]
    if i == 5:
        values |= {"U": 3, "V": 2}
        values["X"] = rng.integers(0, 4, values["X"].shape).astype(float)  # many ties
    return values


def geometry(values: Values) -> dict[str, tuple[int, int]]:
    """Stride and padding as the package's functions take them."""
    return {"stride": (values["s"], values["r"]), "padding": (values["p"], values["q"])}


def windows(values: Values) -> tuple[int, int]:
    """How many windows there are, down and across."""
    h, w = values["X"].shape[2:]
    return (
        (h + 2 * values["p"] - values["U"]) // values["s"] + 1,
        (w + 2 * values["q"] - values["V"]) // values["r"] + 1,
    )


def like(name: str) -> Callable[[Values], tuple[int, ...]]:
    """An output of the shape of an input."""
    return lambda values: values[name].shape


def number(values: Values) -> tuple[int, ...]:
    """An output that is one number."""
    return ()


def _axes_differ(samples: Sequence[Values]) -> bool:
    shapes = [v.shape for values in samples for v in values.values() if isinstance(v, np.ndarray)]
    return all(len(set(shape)) == len(shape) for shape in shapes)


def _remainder(values: Values) -> bool:
    h, w = values["X"].shape[2:]
    return bool(
        (h + 2 * values["p"] - values["U"]) % values["s"]
        or (w + 2 * values["q"] - values["V"]) % values["r"]
    )


def _alike(values: Values) -> Any:
    """Whether two places of one kernel's distance are equal everywhere, as in a pattern."""
    x, down, across = values["X"], values["U"], values["V"]
    return (x[:, :, down:] == x[:, :, :-down]).all() and (
        x[:, :, :, across:] == x[:, :, :, :-across]
    ).all()


APART: dict[str, Rule] = {
    "the axes of each array differ in size, so that a swapped pair of indices does not run":
        _axes_differ,
}  # fmt: skip
LABELLED: dict[str, Rule] = APART | {
    "labels of several classes, or one column would do for all":
        lambda samples: any(len(set(v["t"])) > 1 for v in samples),
    "as many j as classes":
        lambda samples: all(v["J"] == v["P"].shape[1] for v in samples),
}  # fmt: skip
MOVING: dict[str, Rule] = {
    "a stride above 1, another down than across":
        lambda samples: any(v["s"] > 1 and v["r"] > 1 and v["s"] != v["r"] for v in samples),
    "padding, another down than across":
        lambda samples: any(v["p"] != v["q"] for v in samples)
        and any(v["p"] and v["q"] for v in samples),
    "a kernel that is taller than wide, and one that is wider than tall":
        lambda samples: any(v["U"] > v["V"] for v in samples)
        and any(v["U"] < v["V"] for v in samples),
    "windows that overlap, which adds gradients up":
        lambda samples: any(v["s"] < v["U"] and v["r"] < v["V"] for v in samples),
    "pixels at the end that no window reaches":
        lambda samples: any(map(_remainder, samples)),
    "a batch of one":
        lambda samples: any(len(v["X"]) == 1 for v in samples),
}  # fmt: skip
POOLED: dict[str, Rule] = MOVING | {
    "padding of at most half a kernel, or a window could lie outside":
        lambda samples: all(2 * v["p"] <= v["U"] and 2 * v["q"] <= v["V"] for v in samples),
    "different windows with equal maxima, each met once per window":
        lambda samples: any(v["U"] * v["V"] > 1 and _alike(v) for v in samples),
    "ties within windows":
        lambda samples: any(len(np.unique(v["X"])) <= v["U"] * v["V"] for v in samples),
}  # fmt: skip
