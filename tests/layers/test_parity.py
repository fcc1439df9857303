"""The same numbers as PyTorch: outputs, every gradient, running statistics."""

import numpy as np
import pytest
import torch
from cases import FUNCTIONS, LAYERS, FunctionCase, LayerCase
from helpers import assert_close, from_twin

from nn_tutorial.pytorch.equivalents import twin as twin_of

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


@DTYPES
@pytest.mark.parametrize(
    "case", [case for case in LAYERS if not case.random], ids=lambda case: case.name
)
def test_layer(case: LayerCase, dtype: type) -> None:
    """Two passes, so that the running statistics are updated and then used."""
    layer = case.layer(dtype)
    twin = twin_of(layer).train(case.train)
    assert dict(twin.named_parameters()).keys() == layer.params.keys()
    for seed in (21, 22):
        x, dy = case.x(dtype, seed), case.dy(dtype, seed)
        y, cache = layer.forward(x, train=case.train)
        dx, grads = layer.backward(dy, cache)

        x_twin = torch.tensor(x, requires_grad=True)
        y_twin = twin(x_twin)
        twin.zero_grad()
        y_twin.backward(torch.tensor(dy))

        assert_close(y, y_twin.detach().numpy())
        assert_close(dx, x_twin.grad.numpy())
        for name, p in twin.named_parameters():
            assert_close(grads[name], from_twin(twin, name, p.grad))
        for name, value in layer.buffers.items():
            assert_close(value, twin.get_buffer(name).numpy())


@DTYPES
@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
def test_function(case: FunctionCase, dtype: type) -> None:
    arrays = case.inputs(dtype)
    y, cache = case.forward(*arrays)
    dy = np.random.default_rng(23).normal(size=np.shape(y)).astype(dtype)
    gradients = case.gradients(dy if dy.ndim else float(dy), cache)

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    y_twin = case.torch(*tensors)
    y_twin.backward(torch.tensor(dy))

    assert_close(np.asarray(y, dtype), y_twin.detach().numpy())
    for gradient, tensor in zip(gradients, tensors, strict=True):
        assert_close(gradient, tensor.grad.numpy())
