"""Cross-entropy: several shapes, large scores, and a prediction that is moved."""

from typing import Any

import numpy as np

from nn_tutorial import cross_entropy, cross_entropy_backward, softmax, softmax_cross_entropy


def calls() -> list[tuple[str, list[Any], Any]]:
    rng = np.random.default_rng(0)
    found: list[tuple[str, list[Any], Any]] = []
    for shape, scale in (((2, 3), 1.0), ((1, 2), 1.0), ((5, 7), 3.0), ((4, 3), 300.0)):
        z, labels = scale * rng.standard_normal(shape), rng.integers(0, shape[1], shape[0])
        p = softmax(z)[0]
        found += [
            ("softmax", [z], p),
            ("softmaxCrossEntropy", [z, labels], list(softmax_cross_entropy(z, labels))),
        ]
        if scale < 100:
            dp = cross_entropy_backward(1.0, cross_entropy(p, labels)[1])
            found.append(("crossEntropyBackward", [p, labels], dp))
    # The book has no function that moves one score; softmax must give the probability asked for.
    for k, wanted in ((0, 0.01), (1, 0.5), (2, 0.99)):
        row = rng.standard_normal(3)
        odds = wanted / (1 - wanted)
        moved = row.copy()
        moved[k] = np.log(odds * np.delete(np.exp(row), k).sum())
        np.testing.assert_allclose(softmax(moved[None])[0][0, k], wanted, rtol=1e-14)
        found.append(("withProbability", [row, k, wanted], moved))
    return found
