"""The samples of the theories keep their rules, and every rule can be broken."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from nn_tutorial.verify.theories import SHAPES, THEORIES
from nn_tutorial.verify.theory import Theory, Values

SEEDS = range(3)


def samples(theory: Theory, seed: int) -> list[Values]:
    """All samples of a theory, as a check draws them."""
    return [theory.sample(np.random.default_rng([seed, i]), i) for i in range(SHAPES)]


def arrays(values: Values) -> dict[str, Any]:
    return {name: v for name, v in values.items() if isinstance(v, np.ndarray)}


def is_one_or_prime(n: int) -> bool:
    return n >= 1 and all(n % k for k in range(2, n))


@pytest.mark.parametrize("name", THEORIES)
def test_samples_keep_the_rules(name: str) -> None:
    for seed in SEEDS:
        drawn = samples(THEORIES[name], seed)
        for rule, holds in THEORIES[name].rules.items():
            assert holds(drawn), f"{name}, seed {seed}: {rule}"


@pytest.mark.parametrize("name", THEORIES)
def test_no_two_letters_have_one_size_in_all_samples(name: str) -> None:
    """Two sizes that are always equal would hide a swapped pair of indices."""
    theory = THEORIES[name]
    sizes = [theory.sizes(values) for values in samples(theory, 0)]
    for a, b in combinations(sizes[0], 2):
        assert any(found[a] != found[b] for found in sizes), (a, b)
    for values in samples(theory, 0):
        for symbol, array in arrays(values).items():
            if "g" in values and symbol in ("X", "W", "b", "g"):
                continue  # several groups of several channels are no prime
            assert all(map(is_one_or_prime, array.shape)), (symbol, array.shape)


@pytest.mark.parametrize("name", THEORIES)
def test_a_seed_gives_one_sample_and_the_next_another(name: str) -> None:
    theory = THEORIES[name]
    first, again, other = (samples(theory, seed) for seed in (0, 0, 1))
    for mine, same, different in zip(first, again, other, strict=True):
        np.testing.assert_equal(mine, same)
        assert any(not np.array_equal(mine[symbol], different[symbol]) for symbol in theory.inputs)


def worst(values: Values) -> Values:
    """A sample that no rule may let pass: square arrays, nothing special in them or about them."""
    plain: Values = {}
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            counted = 1 + np.arange(2**value.ndim).reshape((2,) * value.ndim)
            plain[name] = np.zeros(2, int) if name == "t" else counted.astype(value.dtype)
        else:
            plain[name] = value
    return plain | {"s": 1, "r": 1, "p": 1, "q": 1, "U": 1, "V": 1, "J": 7, "k": 1, "l": 1}


@pytest.mark.parametrize("name", THEORIES)
def test_every_rule_can_be_broken(name: str) -> None:
    theory = THEORIES[name]
    bad = [worst(values) for values in samples(theory, 0)]
    assert theory.rules
    for rule, holds in theory.rules.items():
        assert not holds(bad), rule
