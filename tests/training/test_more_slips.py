"""Slips that are told by the argument's name, beside those of ``tests/layers/test_edges.py``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import assert_told

import nn_tutorial as nt

RNG = np.random.default_rng(0)
X, T = np.ones((6, 2), np.float32), np.array([0, 1] * 3)
NET: Any = nt.two_layer_net(2, 3, 2, rng=RNG)
GRADS: Any = {name: np.ones_like(p) for name, p in NET.params.items()}
ONE = np.ones(3)
FIT: Any = {"optimizer": nt.SGD(NET.params, 0.1), "epochs": 1, "batch_size": 2, "rng": RNG}
MANY: Any = {"optimizer": nt.SGD, "lr": 0.1, "epochs": 1, "batch_size": 2, "rngs": [RNG]}
TEST: Any = {"optimizer": nt.SGD, "rates": np.array([0.1]), "batch_size": 2, "rng": RNG}


def check(**changes: Any) -> Any:
    """`gradient_check` of the ReLU, with other arguments."""
    given = {"forward": nt.relu, "backward": nt.relu_backward, "arrays": [ONE], "rng": RNG}
    return nt.gradient_check(**given | changes)


ANY: Any = None  # what has no type that fits
SLIPS: dict[str, tuple[Callable[[], Any], str]] = {
    "seed for a check": (lambda: check(rng=0), "rng"),
    "float directions": (lambda: check(directions=2.0), "directions"),
    "a text for h": (lambda: check(h="1"), "h"),
    "no forward": (lambda: check(forward=None), "forward"),
    "no cache": (lambda: check(forward=lambda x: x), "forward"),
    "no backward": (lambda: check(backward=None), "backward"),
    "two shapes": (lambda: nt.relative_error(np.ones(2), ONE), "b"),
    "seed for the range test": (lambda: nt.range_test(NET, (X, T), **TEST | {"rng": 0}), "rng"),
    "float batch": (
        lambda: nt.range_test(NET, (X, T), **TEST | {"batch_size": 2.0}), "batch_size",
    ),
    "no optimiser": (lambda: nt.fit(NET, (X, T), **FIT | {"optimizer": None}), "optimizer"),
    "a class of optimisers": (
        lambda: nt.fit(NET, (X, T), **FIT | {"optimizer": nt.SGD}), "optimizer",
    ),
    "no labels": (lambda: nt.fit(NET, X, **FIT), "train"),
    "no labels to validate": (lambda: nt.fit(NET, (X, T), X, **FIT), "validation"),
    "no model": (lambda: nt.fit(ANY, (X, T), **FIT), "model"),
    "no model to predict": (lambda: nt.predict(ANY, X), "model"),
    "no model to evaluate": (lambda: nt.evaluate(ANY, X, T), "model"),
    "one rng for many": (lambda: nt.fit_many([NET], (X, T), **MANY | {"rngs": 0}), "rngs"),
    "one model for many": (lambda: nt.fit_many(NET, (X, T), **MANY), "models"),
    "a text for many": (lambda: nt.fit_many([NET], (X, T), **MANY | {"lr": "0.1"}), "lr"),
    "nan for many": (lambda: nt.fit_many([NET], (X, T), **MANY | {"lr": float("nan")}), "lr"),
    "nothing to schedule": (lambda: nt.Scheduled(ANY, lambda t: 1.0), "optimizer"),
    "a number for a schedule": (lambda: nt.Scheduled(nt.SGD(NET.params, 0.1), 0.5), "schedule"),
    "a text for a factor": (
        lambda: nt.Scheduled(nt.SGD(NET.params, 0.1), lambda t: "1").step(GRADS),
        "schedule",
    ),
    "no parameters": (lambda: nt.SGD({}, 0.1), "params"),
    "parameters in float16": (
        lambda: nt.Adam({"w": ONE.astype(np.float16)}), "params",
    ),
    "masked parameters": (lambda: nt.SGD({"w": np.ma.masked_array(ONE)}, 0.1), "params"),
    "masked gradients": (
        lambda: nt.Adam({"w": ONE.copy()}).step({"w": np.ma.masked_array(ONE)}), r"grads\['w'\]",
    ),
    "gradients in float16": (
        lambda: nt.AdamW({"w": ONE.copy()}).step({"w": ONE.astype(np.float16)}), r"grads\['w'\]",
    ),
    "gradients of objects": (
        lambda: nt.SGD({"w": ONE.copy()}, 0.1).step({"w": ONE.astype(object)}), r"grads\['w'\]",
    ),
    "a text for nesterov": (
        lambda: nt.SGD(NET.params, 0.1, momentum=0.9, nesterov="yes"), "nesterov",
    ),
    "infinite eps": (lambda: nt.Adam(NET.params, eps=np.inf), "eps"),
    "a list to clip": (lambda: nt.clip_gradients([*GRADS.values()], 1.0), "grads"),
    "lists to clip": (lambda: nt.clip_gradients({"w": [1.0]}, 1.0), "grads"),
    "none to clip": (lambda: nt.clip_gradients(GRADS | {"w": None}, 1.0), "grads"),
    "a name for init": (lambda: nt.Linear(2, 3, rng=RNG, init="he"), "init"),
    "another shape of init": (
        lambda: nt.Conv2d(2, 3, 1, rng=RNG, init=lambda shape, rng, dtype: ONE), "init",
    ),
    "an unknown dtype": (lambda: nt.BatchNorm(2, dtype="x"), "dtype"),
    "no dtype": (lambda: nt.Linear(2, 3, rng=RNG, dtype=None), "dtype"),
    "whole numbers to begin": (lambda: nt.he_normal((2, 3), rng=RNG, dtype=int), "dtype"),
    "zeros in float16": (lambda: nt.zeros((2, 3), rng=RNG, dtype=np.float16), "dtype"),
    "one size to begin": (lambda: nt.xavier_normal(3, rng=RNG), "shape"),
    "no size to begin": (lambda: nt.xavier_uniform((0, 3), rng=RNG), "shape"),
    "a negative size": (lambda: nt.normal(1.0)((2, -3), rng=RNG), "shape"),
    "true for a kernel": (lambda: nt.MaxPool2d(True), "kernel_size"),
    "true for a stride": (lambda: nt.AvgPool2d(2, stride=(True, 2)), "stride"),
    "true for a shape": (lambda: nt.LayerNorm(True), "normalized_shape"),
    "a list of rates": (lambda: nt.SGD(NET.params, [0.1]), "lr"),
    "a tuple of rates": (lambda: nt.Adam(NET.params, (0.1,)), "lr"),
    "an empty array of rates": (lambda: nt.AdamW(NET.params, np.ones(0)), "lr"),
    "a rate beyond floats": (lambda: nt.SGD(NET.params, 10**400), "lr"),
    "a rate set to a text": (lambda: setattr(nt.SGD(NET.params, 0.1), "lr", "0.2"), "lr"),
    "a list of decays": (lambda: nt.SGD(NET.params, 0.1, weight_decay=[0.1]), "weight_decay"),
    "an array of decays": (lambda: nt.Adam(NET.params, weight_decay=ONE), "weight_decay"),
    "no decays": (lambda: nt.AdamW(NET.params, weight_decay=()), "weight_decay"),
    "a decay beyond floats": (
        lambda: nt.AdamW(NET.params, weight_decay=10**400), "weight_decay",
    ),
    "an eps beyond floats": (lambda: nt.Adam(NET.params, eps=10**400), "eps"),
    "a norm beyond floats": (lambda: nt.clip_gradients(GRADS, 10**400), "max_norm"),
    "keys of two types": (
        lambda: nt.SGD(NET.params, 0.1).step(GRADS | {1: ONE, None: ONE}), "grads",
    ),
    "a factor beyond floats": (
        lambda: nt.Scheduled(nt.SGD(NET.params, 0.1), lambda t: 10**400).step(GRADS), "schedule",
    ),
    "a schedule beyond floats": (
        lambda: nt.Scheduled(nt.SGD(NET.params, 10.0), lambda t: 1e308).step(GRADS), "lr",
    ),
    "no optimiser for the range test": (
        lambda: nt.range_test(NET, (X, T), **TEST | {"optimizer": None}), "optimizer",
    ),
    "no model for the range test": (lambda: nt.range_test(ANY, (X, T), **TEST), "model"),
    "a text for keep_best": (lambda: nt.fit(NET, (X, T), **FIT | {"keep_best": "no"}), "keep_best"),
    "a text for progress": (lambda: nt.fit(NET, (X, T), **FIT | {"progress": "no"}), "progress"),
    "a text for batch_norm": (lambda: nt.mlp(3, [4], 2, rng=RNG, batch_norm="yes"), "batch_norm"),
    "one number to predict": (lambda: nt.predict_logits(nt.ReLU(), np.array(1.0)), "x"),
    "no model to save": (lambda: nt.save(ANY, "never.npz"), "model"),
    "nowhere to save": (lambda: nt.save(NET, ANY), "path"),
    "no model to load": (lambda: nt.load(ANY, "never.npz"), "model"),
    "nowhere to load from": (lambda: nt.load(NET, ANY), "path"),
    "a list to compare": (lambda: nt.relative_error([1.0], ONE), "a"),
    "none to compare": (lambda: nt.relative_error(ONE, ANY), "b"),
    "texts to compare": (lambda: nt.relative_error(np.array(["1"]), np.array(["1"])), "a"),
    "no arrays to check": (lambda: check(arrays=None), "arrays"),
    "one array to check": (lambda: check(arrays=ONE), "arrays"),
    "a list to check": (lambda: check(arrays=[[1.0]]), "argument 0"),
    "a number for names": (lambda: check(names=5), "names"),
    "no result to check": (lambda: check(forward=lambda x: (None, x)), "forward"),
    "no weight": (lambda: nt.batch_norm(X, ANY, X[0]), "weight"),
    "no bias": (lambda: nt.batch_norm(X, X[0], ANY), "bias"),
}  # fmt: skip


for name, rates in {
    "one number": 0.1,
    "nothing": None,
    "an empty list": [],
    "a negative": np.array([0.1, -0.1]),
    "nan": np.array([0.1, np.nan]),
    "a table": np.array([[0.1]]),
    "a text": "0.1",
}.items():
    SLIPS[f"{name} for rates"] = (
        lambda rates=rates: nt.range_test(NET, (X, T), **TEST | {"rates": rates}), "rates",
    )  # fmt: skip
for seed in ("x", 1.5, -1, None, True):
    for data in (nt.iris, nt.digits):
        SLIPS[f"{data.__name__} of seed {seed}"] = (lambda of=data, s=seed: of(seed=s), "seed")
SPLIT: Any = {"labels": T, "sizes": (2, 2), "rng": RNG}
for name, argument, value in [
    ("a seed", "rng", 0),
    ("no sizes", "sizes", None),
    ("float sizes", "sizes", (2.0, 2)),
    ("a size of true", "sizes", (True, 2)),
    ("no labels", "labels", None),
    ("a table of labels", "labels", T[None]),
    ("float labels", "labels", T / 2),
]:
    SLIPS[f"{name} to split by"] = (
        lambda change={argument: value}: nt.stratified_split(**SPLIT | change), argument,
    )  # fmt: skip
SLIPS["no sizes for iris"] = (lambda: nt.iris(sizes=ANY), "sizes")
SLIPS["integers for digits"] = (lambda: nt.digits(dtype=int), "dtype")


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_by_the_arguments_name(slip: str) -> None:
    assert_told(*SLIPS[slip], NET.params)
