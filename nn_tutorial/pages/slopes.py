"""Slopes as the pages on gradient checks measure them, and what a check says of right layers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..layers.checks import Array
from ..verify.gradient_check import relative_error
from ..verify.theories import THEORIES, Theory, Values

Function = Callable[[Any], Any]
Rule = Callable[[Function, Any, Any, Any], Any]  # of a function, a point, a step and its length
# Theories of options, and of a network: their layers have one without them.
OF_OPTIONS = {
    "two_layer_net",
    "conv2d_dilated",
    "max_pool2d_dilated",
    "avg_pool2d_inside",
    "global_avg_pool2d",
    "softmax_cross_entropy_smoothed",
}


def forward(f: Function, x: Any, step: Any, h: Any) -> Any:
    """Return the forward difference."""
    return (f(x + step) - f(x)) / h


def central(f: Function, x: Any, step: Any, h: Any) -> Any:
    """Return the central difference."""
    return (f(x + step) - f(x - step)) / (2 * h)


def complex_step(f: Function, x: Any, step: Any, h: Any) -> Any:
    """Return the slope by a step into the complex plane."""
    return np.imag(f(x + 1j * step)) / h


def jacobian(f: Function, x: Array, h: float = 1e-6, rule: Rule = central) -> Array:
    """Slopes of all outputs, a row for each element of x."""
    rows = []
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = h
        rows.append(np.ravel(rule(f, x, step, h)))
    return np.array(rows)


def one_per_layer() -> dict[str, Theory]:
    """Return the theories of the book, one per layer, by their names."""
    return {name: theory for name, theory in THEORIES.items() if name not in OF_OPTIONS}


def spread(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers from −2 to 2 in random order, all apart and none near 0: no ties, no kinks."""
    size = int(np.prod(shape))
    numbers = (rng.permutation(size) + 0.5 - 0.5 * (size % 2)) / size * 4 - 2 + 1 / size
    return numbers.reshape(shape)


def output(theory: Theory, values: Values) -> Array:
    """Return what the package's layer computes forward."""
    return np.asarray(theory.pair[0](**theory.arguments(values))[0])


def by_package(theory: Theory, values: Values, name: str) -> Function:
    """Return the package's layer as a function of one input."""
    return lambda x: output(theory, values | {name: x})


def by_equations(theory: Theory, values: Values, name: str) -> Function:
    """Return the forward equations as a function of one input; they take complex numbers."""

    def f(x: Array) -> Array:
        found, shape = values | {name: x}, theory.output(values)
        for equation in theory.forward:
            known = shape if equation is theory.forward[-1] else None
            found[equation.name] = equation(found, shape=known)
        return np.asarray(found[theory.forward[-1].name])

    return f


def error_of_right(
    layer: str, rule: Rule, h: float, *, dtype: str = "float64", seed: int = 0
) -> float | None:
    """Return the largest relative error that a check finds in a layer of the book, away from kinks.

    Parameters
    ----------
    layer : str
        A name in ``THEORIES``.
    rule : callable
        ``central`` or ``complex_step``, which takes the forward equations and not the layer.
    h : float
    dtype : str
        Of what the layer gets; its backward pass is in float64.
    seed : int

    Returns
    -------
    float or None
        None for the complex step of a layer whose equations are not analytic.
    """
    theory, rng = THEORIES[layer], np.random.default_rng(seed)
    by_complex = rule is complex_step
    if by_complex and not all(equation.analytic for equation in theory.forward):
        return None
    values = theory.sample(rng, 0)
    if layer in ("relu", "max_pool2d"):
        values["X"] = spread(rng, values["X"].shape) * (5 if layer == "max_pool2d" else 1)
    shape = theory.output(values)
    upstream = rng.standard_normal(shape) if shape else np.asarray(rng.uniform(0.5, 1.5))
    truth = theory.package(values, upstream)
    is_float = {key: getattr(value, "dtype", None) == np.float64 for key, value in values.items()}
    given = {key: v.astype(dtype) if is_float[key] else v for key, v in values.items()}
    function = by_equations if by_complex else by_package
    worst = 0.0
    for name in theory.inputs:
        table = jacobian(function(theory, given, name), given[name], h, rule)
        slopes = table.astype(float) @ np.ravel(upstream)
        worst = max(worst, relative_error(np.ravel(truth[f"d{name}"]), slopes))
    return worst
