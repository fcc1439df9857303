"""The PyTorch twins: the same numbers as our layers, and a clear word where there is no twin."""

import numpy as np
import pytest
from cases import LAYERS, LayerCase
from helpers import assert_close

import nn_tutorial as nt
from nn_tutorial.pytorch import twin, twin_gradients

WITH_TWIN = [case for case in LAYERS if not case.random]


@pytest.mark.parametrize("case", WITH_TWIN, ids=lambda case: case.name)
def test_twin_computes_the_same(case: LayerCase) -> None:
    layer, x, dy = case.layer(), case.x(), case.dy()
    theirs = twin_gradients(layer, x, dy, train=case.train)
    y, cache = layer.forward(x, train=case.train)
    dx, grads = layer.backward(dy, cache)
    assert_close(y, theirs.y)
    assert_close(dx, theirs.dx)
    assert grads.keys() == theirs.grads.keys()
    for name, gradient in grads.items():
        assert_close(gradient, theirs.grads[name])


def test_twin_is_a_copy(rng: np.random.Generator) -> None:
    layer = nt.Linear(3, 5, rng=rng)
    before = layer.params["weight"].copy()
    module = twin(layer)
    for p in module.parameters():
        p.data.zero_()
    np.testing.assert_array_equal(layer.params["weight"], before)


def test_no_twin() -> None:
    with pytest.raises(ValueError, match="expected a layer of nn_tutorial, got Layer") as caught:
        twin(nt.Layer())
    assert "a row in EQUIVALENTS, in nn_tutorial/pytorch/equivalents.py" in str(caught.value)
