"""What every layer promises: its dtype, its keys, its inputs left alone, its passes apart."""

import inspect
import re
from copy import deepcopy
from importlib import import_module
from operator import attrgetter

import numpy as np
import pytest
from cases import FUNCTIONS, LAYERS, FunctionCase, LayerCase

import nn_tutorial as nt

LAYER = pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.name)
FUNCTION = pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


def frozen(a: np.ndarray) -> np.ndarray:
    a.flags.writeable = False
    return a


@DTYPES
@LAYER
def test_dtype_is_kept(case: LayerCase, dtype: type) -> None:
    layer = case.layer(dtype)
    y, cache = layer.forward(case.x(dtype), train=case.train)
    dx, grads = layer.backward(case.dy(dtype), cache)
    for a in (y, dx, *grads.values(), *layer.params.values(), *layer.buffers.values()):
        assert a.dtype == dtype


@DTYPES
@FUNCTION
def test_function_keeps_dtype(case: FunctionCase, dtype: type) -> None:
    y, cache = case.forward(*case.inputs(dtype))
    dy = np.ones(np.shape(y), dtype) if np.ndim(y) else 1.0
    assert isinstance(y, float) or y.dtype == dtype
    for gradient in case.gradients(dy, cache):
        assert gradient.dtype == dtype


@LAYER
def test_arguments_are_never_written_to(case: LayerCase) -> None:
    """NumPy itself raises where a read-only array is written to."""
    layer = case.layer()
    for p in layer.params.values():
        frozen(p)
    x, dy = frozen(case.x()), frozen(case.dy())
    _, cache = layer.forward(x, train=case.train)
    layer.backward(dy, cache)
    layer(x)
    np.testing.assert_array_equal(x, case.x())
    np.testing.assert_array_equal(dy, case.dy())


@FUNCTION
def test_function_never_writes_to_its_arguments(case: FunctionCase) -> None:
    y, cache = case.forward(*map(frozen, case.inputs()))
    case.gradients(frozen(np.ones(np.shape(y))) if np.ndim(y) else 1.0, cache)


@LAYER
def test_two_passes_do_not_disturb_each_other(case: LayerCase) -> None:
    """Two forward passes, then their backward passes in either order, and again."""
    alone = case.layer()
    y_alone, cache_alone = alone.forward(case.x(seed=31), train=case.train)
    dx_alone, grads_alone = alone.backward(case.dy(), cache_alone)

    layer = case.layer()
    y1, cache1 = layer.forward(case.x(seed=31), train=case.train)
    _, cache2 = layer.forward(case.x(seed=32), train=case.train)
    dx2, grads2 = layer.backward(case.dy(), cache2)
    dx1, grads1 = layer.backward(case.dy(), cache1)
    dx2_again, grads2_again = layer.backward(case.dy(), cache2)

    np.testing.assert_array_equal(y1, y_alone)
    np.testing.assert_array_equal(dx1, dx_alone)
    np.testing.assert_array_equal(dx2_again, dx2)
    for name in layer.params:
        np.testing.assert_array_equal(grads1[name], grads_alone[name])
        np.testing.assert_array_equal(grads2_again[name], grads2[name])


@LAYER
def test_cache_is_not_changed_by_what_follows(case: LayerCase) -> None:
    """Neither by its own backward pass nor by a later training pass, running statistics or not."""
    layer = case.layer()
    _, cache = layer.forward(case.x(), train=case.train)
    before = deepcopy(cache)
    layer.backward(case.dy(), cache)
    layer.forward(case.x(seed=33), train=True)
    np.testing.assert_equal(cache, before)


@LAYER
def test_gradients_are_new_and_fit_the_parameters(case: LayerCase) -> None:
    layer, dy = case.layer(), case.dy()
    _, cache = layer.forward(case.x(), train=case.train)
    dx, grads = layer.backward(dy, cache)
    _, again = layer.backward(dy, cache)
    assert dx.shape == case.shape
    assert list(grads) == list(layer.params)
    for name, p in layer.params.items():
        assert grads[name].shape == p.shape
        for other in (p, dy, again[name]):
            assert not np.shares_memory(grads[name], other)


@LAYER
def test_without_dx_the_rest_is_the_same(case: LayerCase) -> None:
    layer, dy = case.layer(), case.dy()
    _, cache = layer.forward(case.x(), train=case.train)
    _, grads = layer.backward(dy, cache)
    dx, grads_only = layer.backward(dy, cache, need_dx=False)
    assert dx is None
    assert grads_only.keys() == grads.keys()
    for name in grads:
        np.testing.assert_array_equal(grads_only[name], grads[name])


@LAYER
def test_call_predicts(case: LayerCase) -> None:
    """``layer(x)`` is the evaluation mode, leaves the buffers alone, and takes rows one by one."""
    layer = case.layer()
    before = {name: b.copy() for name, b in layer.buffers.items()}
    y = layer(case.x())
    np.testing.assert_array_equal(y, case.layer().forward(case.x(), train=False)[0])
    for i in range(len(y)):
        np.testing.assert_allclose(layer(case.x()[i : i + 1])[0], y[i], rtol=1e-10, atol=1e-12)
    for name, b in layer.buffers.items():
        np.testing.assert_array_equal(b, before[name])


@LAYER
def test_memory_order_changes_nothing(case: LayerCase) -> None:
    layer, fortran = case.layer(), case.layer()
    y, cache = layer.forward(case.x(), train=case.train)
    dx, grads = layer.backward(case.dy(), cache)
    y_f, cache_f = fortran.forward(np.asfortranarray(case.x()), train=case.train)
    dx_f, grads_f = fortran.backward(np.asfortranarray(case.dy()), cache_f)
    np.testing.assert_allclose(y_f, y, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dx_f, dx, rtol=1e-10, atol=1e-11)
    for name in grads:
        np.testing.assert_allclose(grads_f[name], grads[name], rtol=1e-10, atol=1e-11)


@LAYER
def test_repr_names_the_class(case: LayerCase) -> None:
    layer = case.layer()
    assert repr(layer).startswith(type(layer).__name__)


def test_dropout_drops_the_share_it_says(rng: np.random.Generator) -> None:
    """Kept with probability 0.7 and scaled by 1/0.7, so that the mean stays; anew at each pass."""
    layer = nt.Dropout(0.3, rng=rng)
    x = np.full((200, 500), 2.0)
    y, _ = layer.forward(x)
    kept = y != 0
    np.testing.assert_allclose(y[kept], 2 / 0.7)
    assert abs(kept.mean() - 0.7) < 5 * np.sqrt(0.3 * 0.7 / x.size)
    assert not np.array_equal(layer.forward(x)[0], y)


def test_all_holds_every_public_name_once() -> None:
    assert len(set(nt.__all__)) == len(nt.__all__)
    public = {
        name
        for name, value in vars(nt).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert set(nt.__all__) == public


@pytest.mark.parametrize("module", sorted({getattr(nt, name).__module__ for name in nt.__all__}))
def test_module_is_documented_and_its_layers_exported(module: str) -> None:
    namespace = vars(import_module(module))
    assert namespace["__doc__"]
    own = {
        name: value
        for name, value in namespace.items()
        if getattr(value, "__module__", None) == module and not name.startswith("_")
    }
    for name, value in own.items():
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), name
        is_layer = inspect.isclass(value) and issubclass(value, nt.Layer)
        if is_layer or name.endswith("_backward") or f"{name}_backward" in own:
            assert name in nt.__all__


def _with_references(text: str) -> str:
    """A docstring, and those of the public functions and methods that it sends the reader to."""
    found, queue = [text], [text]
    while queue:
        for name in re.findall(r"`([A-Za-z_0-9.]+)`", queue.pop()):
            try:
                there = inspect.getdoc(attrgetter(name)(nt)) or ""
            except AttributeError:
                continue
            if there not in found:
                found.append(there)
                queue.append(there)
    return " ".join(found)


@pytest.mark.parametrize("name", nt.__all__)
def test_public_name_is_documented(name: str) -> None:
    """A docstring on it and on each of its methods, and every argument spoken of."""
    value = getattr(nt, name)
    documented = [value]
    if inspect.isclass(value):
        documented += [
            method
            for key, method in inspect.getmembers(value, inspect.isfunction)
            if not key.startswith("_")
        ]
    for item in documented:
        text = inspect.getdoc(item)
        assert text, item
        if inspect.isfunction(item):
            arguments = set(inspect.signature(item).parameters) - {"self"}
            assert {a for a in arguments if a not in _with_references(text)} == set(), item
