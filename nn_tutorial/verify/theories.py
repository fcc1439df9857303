"""The book's equations and derivations, tied to the layers that compute them.

One `Theory` a layer: forward equations, backward equations, the package's own functions, and
samples on which all of them must agree. `agreement.py` checks that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn_tutorial as nt

from .equations import Derivation, Equation

Values = dict[str, Any]
SHAPES = 6  # samples a theory is checked on


@dataclass(frozen=True)
class Theory:
    """A layer in equations.

    Attributes
    ----------
    name : str
        Of the layer's forward function.
    shapes : dict of str to str
        The shape of each symbol, as the page shows it.
    sample : callable
        ``sample(rng, i)`` gives the i-th set of inputs, with pairwise distinct prime sizes.
    forward : tuple of Equation
        One after the other; each may use what those before it define. The last is the output.
    backward : tuple of Equation
        One a gradient, and what they need before.
    package : callable
        ``package(values, dy)`` gives the output and the gradients by name, from the library.
    output : callable
        ``output(values)`` gives the shape of the output.
    derivations : tuple of Derivation
        Each ends in what one of the equations says.
    einsum : dict
        For an equation's name, the einsum string and its operands, where there is such a form.
    """

    name: str
    shapes: dict[str, str]
    sample: Callable[[np.random.Generator, int], Values]
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    package: Callable[[Values, Any], dict[str, NDArray[Any]]]
    output: Callable[[Values], tuple[int, ...]]
    derivations: tuple[Derivation, ...] = ()
    einsum: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("X",)


def equations(*lines: str) -> tuple[Equation, ...]:
    """Parse some lines."""
    return tuple(Equation(line) for line in lines)


MATRICES = [(5, 3, 7), (2, 7, 3), (7, 2, 5), (3, 5, 2), (11, 3, 2), (1, 5, 3)]


def _matrix(rng: np.random.Generator, i: int) -> Values:
    """X with zeros in it: what happens there is part of the equation."""
    n, d, _ = MATRICES[i]
    x = rng.standard_normal((n, d))
    x.flat[:: max(2, d)] = 0.0
    return {"X": x}


def _affine(rng: np.random.Generator, i: int) -> Values:
    n, d, k = MATRICES[i]
    draw = rng.standard_normal
    return {"X": draw((n, d)), "W": draw((d, k)), "b": draw(k)}


def _like(name: str) -> Callable[[Values], tuple[int, ...]]:
    return lambda values: values[name].shape


def _pair(forward: Any, backward: Any, out: str = "Y") -> Callable[[Values, Any], dict[str, Any]]:
    """The package's result for a function of one array."""

    def package(values: Values, dy: Any) -> dict[str, Any]:
        y, cache = forward(values["X"])
        return {out: y, "dX": backward(dy, cache)}

    return package


def _linear(values: Values, dy: Any) -> dict[str, Any]:
    y, cache = nt.linear(values["X"], values["W"], values["b"])
    dx, dw, db = nt.linear_backward(dy, cache)
    return {"Y": y, "dX": dx, "dW": dw, "db": db}


def _classes(rng: np.random.Generator, i: int) -> Values:
    n, k, _ = MATRICES[i]
    logits = rng.standard_normal((n, k))
    # J: as many j as k, for a sum over j in which no array says so
    return {"Z": logits, "P": nt.softmax(logits)[0], "t": rng.integers(0, k, n), "J": k}


def _softmax(values: Values, dy: Any) -> dict[str, Any]:
    p, cache = nt.softmax(values["Z"])
    return {"P": p, "dZ": nt.softmax_backward(dy, cache)}


def _cross_entropy(values: Values, dy: Any) -> dict[str, Any]:
    loss, cache = nt.cross_entropy(values["P"], values["t"])
    return {"L": np.asarray(loss), "dP": nt.cross_entropy_backward(float(dy), cache)}


def _fused(values: Values, dy: Any) -> dict[str, Any]:
    loss, dz = nt.softmax_cross_entropy(values["Z"], values["t"])
    return {"L": np.asarray(loss), "dZ": float(dy) * dz}


def _norm_sample(rng: np.random.Generator, i: int) -> Values:
    n, d, _ = MATRICES[i]
    n = max(n, 3)  # two values normalise to ±1, whatever they are
    draw = rng.standard_normal
    return {
        "X": draw((n, d)) * 2 + 1,
        "gamma": draw(d),
        "beta": draw(d),
        "eps": 1e-5,
        "mu0": draw(d),
        "var0": rng.uniform(0.5, 2, d),
    }


def _norm(values: Values, dy: Any) -> dict[str, Any]:
    y, cache = nt.batch_norm(values["X"], values["gamma"], values["beta"], eps=values["eps"])
    dx, dgamma, dbeta = nt.batch_norm_backward(dy, cache)
    return {
        "mu": cache.mean, "sigma2": cache.var, "Xhat": cache.xhat, "Y": y,
        "dX": dx, "dgamma": dgamma, "dbeta": dbeta,
    }  # fmt: skip


def _norm_eval(values: Values, dy: Any) -> dict[str, Any]:
    fixed = {"mean": values["mu0"], "var": values["var0"], "eps": values["eps"]}
    y, cache = nt.batch_norm(values["X"], values["gamma"], values["beta"], **fixed)
    dx, dgamma, dbeta = nt.batch_norm_backward(dy, cache)
    return {"Y": y, "dX": dx, "dgamma": dgamma, "dbeta": dbeta}


# x, filters, kernel, stride, padding: strides, paddings, remainders, overlaps, a batch of one
WINDOWS = [
    ((2, 3, 5, 7), 2, (3, 2), (1, 1), (0, 0)),
    ((3, 2, 7, 5), 5, (2, 3), (2, 1), (1, 0)),
    ((1, 3, 7, 5), 2, (3, 2), (1, 2), (1, 1)),
    ((2, 5, 5, 3), 3, (2, 2), (2, 3), (0, 1)),
    ((5, 2, 3, 7), 3, (3, 3), (3, 2), (1, 1)),
    ((2, 3, 5, 3), 5, (1, 1), (1, 1), (0, 0)),
]


def _window(rng: np.random.Generator, i: int) -> Values:
    shape, filters, (kh, kw), (s, r), (p, q) = WINDOWS[i]
    draw = rng.standard_normal
    return {
        "X": draw(shape), "W": draw((filters, shape[1], kh, kw)), "b": draw(filters),
        "s": s, "r": r, "p": p, "q": q, "U": kh, "V": kw,
    }  # fmt: skip


def _windows(values: Values) -> tuple[int, int]:
    h, w = values["X"].shape[2:]
    return (
        (h + 2 * values["p"] - values["U"]) // values["s"] + 1,
        (w + 2 * values["q"] - values["V"]) // values["r"] + 1,
    )


def _geometry(values: Values) -> dict[str, tuple[int, int]]:
    return {"stride": (values["s"], values["r"]), "padding": (values["p"], values["q"])}


def _conv(values: Values, dy: Any) -> dict[str, Any]:
    y, cache = nt.conv2d(values["X"], values["W"], values["b"], **_geometry(values))
    dx, dw, db = nt.conv2d_backward(dy, cache)
    return {"Y": y, "dX": np.asarray(dx), "dW": dw, "db": db}


def _pool_sample(rng: np.random.Generator, i: int) -> Values:
    values = _window(rng, i)
    values["p"], values["q"] = (
        min(values["p"], values["U"] // 2),
        min(values["q"], values["V"] // 2),
    )
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


def _pool(forward: Any, backward: Any) -> Callable[[Values, Any], dict[str, Any]]:
    def package(values: Values, dy: Any) -> dict[str, Any]:
        y, cache = forward(values["X"], (values["U"], values["V"]), **_geometry(values))
        return {"Y": y, "dX": backward(dy, cache)}

    return package


def _dropout_sample(rng: np.random.Generator, i: int) -> Values:
    x = rng.standard_normal(MATRICES[i][:2])
    _, scale = nt.dropout(x, 0.4, np.random.default_rng(i))
    return {"X": x, "M": (scale > 0) * 1.0, "p": 0.4, "seed": i}


def _dropout(values: Values, dy: Any) -> dict[str, Any]:
    y, cache = nt.dropout(values["X"], values["p"], np.random.default_rng(values["seed"]))
    return {"Y": y, "dX": nt.dropout_backward(dy, cache)}


def _network_sample(rng: np.random.Generator, i: int) -> Values:
    n, d, m = MATRICES[i]
    draw, k = rng.standard_normal, 4
    values = {
        "X": draw((n, d)), "W1": draw((d, m)), "b1": draw(m), "W2": draw((m, k)), "b2": draw(k),
        "t": rng.integers(0, k, n),
    }  # fmt: skip
    if i == 0:  # a hidden unit that stands at 0: the equation says what happens there
        values["W1"][:, 0], values["b1"][0] = 0.0, 0.0
    return values


def _network(values: Values, dy: Any) -> dict[str, Any]:
    a, cache1 = nt.linear(values["X"], values["W1"], values["b1"])
    r, mask = nt.relu(a)
    z, cache2 = nt.linear(r, values["W2"], values["b2"])
    loss, dz = nt.softmax_cross_entropy(z, values["t"])
    dz = float(dy) * dz
    dr, dw2, db2 = nt.linear_backward(dz, cache2)
    da = nt.relu_backward(np.asarray(dr), mask)
    dx, dw1, db1 = nt.linear_backward(da, cache1)
    return {
        "A": a, "R": r, "Z": z, "L": np.asarray(loss), "dZ": dz, "dW2": dw2, "db2": db2,
        "dR": np.asarray(dr), "dA": da, "dX": np.asarray(dx), "dW1": dw1, "db1": db1,
    }  # fmt: skip


PLACE = "s*i+u-p,r*j+v-q"
IN_WINDOW = "(a >= s*i-p) * (a < s*i-p+U) * (e >= r*j-q) * (e < r*j-q+V)"

THEORIES = {
    theory.name: theory
    for theory in (
        Theory(
            "relu",
            {"X": "N×D"},
            _matrix,
            equations("Y[n,d] = X[n,d] * (X[n,d] > 0)"),
            equations("dX[n,d] = dY[n,d] * (X[n,d] > 0)"),
            _pair(nt.relu, nt.relu_backward),
            _like("X"),
            (
                Derivation(
                    "dX[n,d]",
                    (
                        "sum[m,k](dY[m,k] * (m == n) * (k == d) * (X[n,d] > 0))",
                        "the chain rule; an output depends on its own input alone",
                    ),
                    ("dY[n,d] * (X[n,d] > 0)", "the Kronecker deltas keep m = n and k = d"),
                ),
            ),
        ),
        Theory(
            "sigmoid",
            {"X": "N×D"},
            _matrix,
            equations("Y[n,d] = 1 / (1 + exp(-X[n,d]))"),
            equations("dX[n,d] = dY[n,d] * Y[n,d] * (1 - Y[n,d])"),
            _pair(nt.sigmoid, nt.sigmoid_backward),
            _like("X"),
            (
                Derivation(
                    "dX[n,d]",
                    (
                        "dY[n,d] * exp(-X[n,d]) / (1 + exp(-X[n,d]))**2",
                        "the chain rule on the reciprocal",
                    ),
                    (
                        "dY[n,d] * (1 / (1 + exp(-X[n,d]))) * (1 - 1 / (1 + exp(-X[n,d])))",
                        "add and subtract one in the numerator",
                    ),
                    ("dY[n,d] * Y[n,d] * (1 - Y[n,d])", "the definition of Y"),
                ),
            ),
        ),
        Theory(
            "tanh",
            {"X": "N×D"},
            _matrix,
            equations("Y[n,d] = (exp(X[n,d]) - exp(-X[n,d])) / (exp(X[n,d]) + exp(-X[n,d]))"),
            equations("dX[n,d] = dY[n,d] * (1 - Y[n,d]**2)"),
            _pair(nt.tanh, nt.tanh_backward),
            _like("X"),
            (
                Derivation(
                    "dX[n,d]",
                    (
                        "4 * dY[n,d] / (exp(X[n,d]) + exp(-X[n,d]))**2",
                        "the quotient rule; squares cancel",
                    ),
                    ("dY[n,d] * (1 - tanh(X[n,d])**2)", "divide numerator and denominator"),
                    ("dY[n,d] * (1 - Y[n,d]**2)", "the definition of Y"),
                ),
            ),
        ),
        Theory(
            "linear",
            {"X": "N×D", "W": "D×K", "b": "K", "Y": "N×K"},
            _affine,
            equations("Y[n,k] = sum[i](X[n,i] * W[i,k]) + b[k]"),
            equations(
                "dX[n,i] = sum[k](dY[n,k] * W[i,k])",
                "dW[i,k] = sum[n](X[n,i] * dY[n,k])",
                "db[k] = sum[n](dY[n,k])",
            ),
            _linear,
            lambda values: (len(values["X"]), len(values["b"])),
            (
                Derivation(
                    "dX[n,i]",
                    ("sum[m,k](dY[m,k] * (m == n) * W[i,k])", "the chain rule over all outputs"),
                    ("sum[k](dY[n,k] * W[i,k])", "the Kronecker delta keeps m = n"),
                ),
                Derivation(
                    "dW[i,k]",
                    ("sum[n,j](dY[n,j] * X[n,i] * (j == k))", "the chain rule over all outputs"),
                    ("sum[n](dY[n,k] * X[n,i])", "the Kronecker delta keeps j = k"),
                    ("sum[n](X[n,i] * dY[n,k])", "a product may be turned round"),
                ),
                Derivation(
                    "db[k]",
                    ("sum[n,j](dY[n,j] * (j == k))", "the chain rule over all outputs"),
                    ("sum[n](dY[n,k])", "the Kronecker delta keeps j = k"),
                ),
            ),
            {
                "Y": ("ni,ik->nk", "X", "W", "+b"),
                "dX": ("nk,ik->ni", "dY", "W"),
                "dW": ("ni,nk->ik", "X", "dY"),
                "db": ("nk->k", "dY"),
            },
            ("X", "W", "b"),
        ),
        Theory(
            "softmax",
            {"Z": "N×K", "P": "N×K"},
            _classes,
            equations("P[n,i] = exp(Z[n,i]) / sum[j](exp(Z[n,j]))"),
            equations("dZ[n,i] = P[n,i] * (dP[n,i] - sum[j](dP[n,j] * P[n,j]))"),
            _softmax,
            _like("Z"),
            (
                Derivation(
                    "P[n,i]",
                    (
                        "exp(Z[n,i] - max[k](Z[n,k])) / sum[j](exp(Z[n,j] - max[k](Z[n,k])))",
                        "as the code computes it",
                    ),
                    (
                        "exp(-max[k](Z[n,k])) * exp(Z[n,i]) "
                        "/ (exp(-max[k](Z[n,k])) * sum[j](exp(Z[n,j])))",
                        "the exponential of a sum is a product",
                    ),
                    ("exp(Z[n,i]) / sum[j](exp(Z[n,j]))", "the common factor cancels"),
                ),
                Derivation(
                    "dZ[n,i]",
                    (
                        "sum[j](dP[n,j] * P[n,j] * ((i == j) - P[n,i]))",
                        "the chain rule, with the Jacobian of the row",
                    ),
                    (
                        "sum[j](dP[n,j] * P[n,j] * (i == j)) - sum[j](dP[n,j] * P[n,j] * P[n,i])",
                        "the sum in two parts",
                    ),
                    (
                        "dP[n,i] * P[n,i] - P[n,i] * sum[j](dP[n,j] * P[n,j])",
                        "the Kronecker delta keeps j = i; the factor without j comes out",
                    ),
                    ("P[n,i] * (dP[n,i] - sum[j](dP[n,j] * P[n,j]))", "the common factor"),
                ),
            ),
            inputs=("Z",),
        ),
        Theory(
            "cross_entropy",
            {"P": "N×K", "t": "N"},
            _classes,
            equations("L = -mean[n](log(P[n,t[n]]))"),
            equations("dP[n,k] = -dL * (k == t[n]) / (N * P[n,k])"),
            _cross_entropy,
            lambda values: (),
            (
                Derivation(
                    "dP[n,k]",
                    (
                        "-dL / N * sum[m]((m == n) * (k == t[m]) / P[m,k])",
                        "the slope of the logarithm, for the one element that L reads",
                    ),
                    ("-dL * (k == t[n]) / (N * P[n,k])", "the Kronecker delta keeps m = n"),
                ),
            ),
            inputs=("P",),
        ),
        Theory(
            "softmax_cross_entropy",
            {"Z": "N×K", "t": "N"},
            _classes,
            equations("L = mean[n](log(sum[j](exp(Z[n,j]))) - Z[n,t[n]])"),
            equations(
                "P[n,k] = exp(Z[n,k]) / sum[j](exp(Z[n,j]))",
                "dZ[n,k] = dL * (P[n,k] - (k == t[n])) / N",
            ),
            _fused,
            lambda values: (),
            (
                Derivation(
                    "dZ[n,k]",
                    (
                        "sum[j](-dL * (j == t[n]) / (N * P[n,j]) * P[n,j] * ((k == j) - P[n,k]))",
                        "the gradient of cross-entropy through the Jacobian of softmax",
                    ),
                    (
                        "-dL / N * sum[j]((j == t[n]) * ((k == j) - P[n,k]))",
                        "the probability cancels",
                    ),
                    ("-dL / N * ((k == t[n]) - P[n,k])", "the bracket keeps j = t"),
                    ("dL * (P[n,k] - (k == t[n])) / N", "the sign goes inside"),
                ),
            ),
            inputs=("Z",),
        ),
        Theory(
            "batch_norm",
            {"X": "N×D", "gamma": "D", "beta": "D"},
            _norm_sample,
            equations(
                "mu[d] = mean[n](X[n,d])",
                "sigma2[d] = mean[n]((X[n,d] - mu[d])**2)",
                "Xhat[n,d] = (X[n,d] - mu[d]) / sqrt(sigma2[d] + eps)",
                "Y[n,d] = gamma[d] * Xhat[n,d] + beta[d]",
            ),
            equations(
                "dgamma[d] = sum[n](dY[n,d] * Xhat[n,d])",
                "dbeta[d] = sum[n](dY[n,d])",
                "dX[n,d] = gamma[d] / sqrt(sigma2[d] + eps) "
                "* (dY[n,d] - dbeta[d] / N - Xhat[n,d] * dgamma[d] / N)",
            ),
            _norm,
            _like("X"),
            (
                Derivation(
                    "dX[n,d]",
                    (
                        "sum[m](dY[m,d] * gamma[d] / sqrt(sigma2[d] + eps) "
                        "* ((m == n) - 1 / N - Xhat[m,d] * Xhat[n,d] / N))",
                        "the direct path, the path through the mean, the path through the variance",
                    ),
                    (
                        "gamma[d] / sqrt(sigma2[d] + eps) * (dY[n,d] - mean[m](dY[m,d]) "
                        "- Xhat[n,d] * mean[m](dY[m,d] * Xhat[m,d]))",
                        "the Kronecker delta keeps m = n; factors without m come out",
                    ),
                    (
                        "gamma[d] / sqrt(sigma2[d] + eps) "
                        "* (dY[n,d] - dbeta[d] / N - Xhat[n,d] * dgamma[d] / N)",
                        "the two means are the gradients of β and γ, divided by N",
                    ),
                ),
            ),
            {"dgamma": ("nd,nd->d", "dY", "Xhat"), "dbeta": ("nd->d", "dY")},
            ("X", "gamma", "beta"),
        ),
        Theory(
            "batch_norm_eval",
            {"X": "N×D", "gamma": "D", "beta": "D"},
            _norm_sample,
            equations("Y[n,d] = gamma[d] * (X[n,d] - mu0[d]) / sqrt(var0[d] + eps) + beta[d]"),
            equations(
                "dX[n,d] = dY[n,d] * gamma[d] / sqrt(var0[d] + eps)",
                "dgamma[d] = sum[n](dY[n,d] * (X[n,d] - mu0[d])) / sqrt(var0[d] + eps)",
                "dbeta[d] = sum[n](dY[n,d])",
            ),
            _norm_eval,
            _like("X"),
            inputs=("X", "gamma", "beta"),
        ),
        Theory(
            "conv2d",
            {"X": "N×C×H×W", "W": "F×C×U×V", "b": "F", "Y": "N×F×I×J"},
            _window,
            equations(f"Y[n,f,i,j] = sum[c,u,v](X[n,c,{PLACE}] * W[f,c,u,v]) + b[f]"),
            equations(
                "dX[n,c,a,e] = sum[f,i,j,u,v](dY[n,f,i,j] * W[f,c,u,v] "
                "* (a == s*i+u-p) * (e == r*j+v-q))",
                f"dW[f,c,u,v] = sum[n,i,j](dY[n,f,i,j] * X[n,c,{PLACE}])",
                "db[f] = sum[n,i,j](dY[n,f,i,j])",
            ),
            _conv,
            lambda values: (len(values["X"]), len(values["b"]), *_windows(values)),
            (
                Derivation(
                    "dW[f,c,u,v]",
                    (
                        f"sum[n,g,i,j](dY[n,g,i,j] * (g == f) * X[n,c,{PLACE}])",
                        "the chain rule: a weight meets one pixel for each output of its filter",
                    ),
                    (f"sum[n,i,j](dY[n,f,i,j] * X[n,c,{PLACE}])", "the delta keeps g = f"),
                ),
            ),
            {"db": ("nfij->f", "dY")},
            ("X", "W", "b"),
        ),
        Theory(
            "avg_pool2d",
            {"X": "N×C×H×W", "Y": "N×C×I×J"},
            _pool_sample,
            equations(f"Y[n,c,i,j] = mean[u,v](X[n,c,{PLACE}])"),
            equations(f"dX[n,c,a,e] = sum[i,j](dY[n,c,i,j] * {IN_WINDOW}) / (U*V)"),
            _pool(nt.avg_pool2d, nt.avg_pool2d_backward),
            lambda values: (*values["X"].shape[:2], *_windows(values)),
            (
                Derivation(
                    "dX[n,c,a,e]",
                    (
                        "sum[i,j,u,v](dY[n,c,i,j] / (U*V) * (a == s*i+u-p) * (e == r*j+v-q))",
                        "the chain rule: each output weighs its pixels alike",
                    ),
                    (
                        f"sum[i,j](dY[n,c,i,j] * {IN_WINDOW}) / (U*V)",
                        "summed over u and v, the deltas ask whether the pixel is in the window",
                    ),
                ),
            ),
        ),
        Theory(
            "max_pool2d",
            {"X": "N×C×H×W", "Y": "N×C×I×J"},
            _pool_sample,
            equations(f"Y[n,c,i,j] = max[u,v](X[n,c,{PLACE}])"),
            # F is where in its window, counted in reading order, the maximum is met first.
            equations(
                f"F[n,c,i,j] = U*V - max[u,v]((X[n,c,{PLACE}] == Y[n,c,i,j]) * (U*V - V*u - v))",
                "dX[n,c,a,e] = sum[i,j](dY[n,c,i,j] * (V*(a-s*i+p) + e-r*j+q == F[n,c,i,j]) "
                "* (e >= r*j-q) * (e < r*j-q+V))",
            ),
            _pool(nt.max_pool2d, nt.max_pool2d_backward),
            lambda values: (*values["X"].shape[:2], *_windows(values)),
        ),
        Theory(
            "dropout",
            {"X": "N×D", "M": "N×D"},
            _dropout_sample,
            equations("Y[n,d] = M[n,d] * X[n,d] / (1 - p)"),
            equations("dX[n,d] = M[n,d] * dY[n,d] / (1 - p)"),
            _dropout,
            _like("X"),
        ),
        Theory(
            "two_layer_net",
            {"X": "N×D", "W1": "D×M", "b1": "M", "W2": "M×K", "b2": "K", "t": "N"},
            _network_sample,
            equations(
                "A[n,m] = sum[i](X[n,i] * W1[i,m]) + b1[m]",
                "R[n,m] = A[n,m] * (A[n,m] > 0)",
                "Z[n,k] = sum[m](R[n,m] * W2[m,k]) + b2[k]",
                "L = mean[n](log(sum[j](exp(Z[n,j]))) - Z[n,t[n]])",
            ),
            equations(
                "P[n,k] = exp(Z[n,k]) / sum[j](exp(Z[n,j]))",
                "dZ[n,k] = dL * (P[n,k] - (k == t[n])) / N",
                "dW2[m,k] = sum[n](R[n,m] * dZ[n,k])",
                "db2[k] = sum[n](dZ[n,k])",
                "dR[n,m] = sum[k](dZ[n,k] * W2[m,k])",
                "dA[n,m] = dR[n,m] * (A[n,m] > 0)",
                "dW1[i,m] = sum[n](X[n,i] * dA[n,m])",
                "db1[m] = sum[n](dA[n,m])",
                "dX[n,i] = sum[m](dA[n,m] * W1[i,m])",
            ),
            _network,
            lambda values: (),
            (
                Derivation(
                    "dW1[i,m]",
                    (
                        "sum[n](X[n,i] * (A[n,m] > 0) * sum[k](dL * (P[n,k] - (k == t[n])) / N "
                        "* W2[m,k]))",
                        "all the way back: loss, second layer, mask, first layer",
                    ),
                    (
                        "sum[n](X[n,i] * (A[n,m] > 0) * sum[k](dZ[n,k] * W2[m,k]))",
                        "the gradient of the fused loss",
                    ),
                    ("sum[n](X[n,i] * (A[n,m] > 0) * dR[n,m])", "the second layer's input"),
                    ("sum[n](X[n,i] * dA[n,m])", "the mask"),
                ),
            ),
            inputs=("X", "W1", "b1", "W2", "b2"),
        ),
    )
}
