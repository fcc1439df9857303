"""The language of the equations: what it reads, evaluates, prints and refuses."""

import re

import numpy as np
import pytest

from nn_tutorial.verify.equations import Derivation, Equation, EquationError

RNG = np.random.default_rng(0)
X, W, DY = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 7)), RNG.normal(size=(5, 7))


@pytest.mark.parametrize(
    ("text", "values", "want"),
    [
        ("dX[n,i] = sum[k](dY[n,k] * W[i,k])", {"dY": DY, "W": W}, DY @ W.T),
        ("y[i] = mean[n](X[n,i])", {"X": X}, X.mean(0)),
        ("y[n] = max[i](X[n,i])", {"X": X}, X.max(1)),
        ("y = sum[n,i](X[n,i]**2)", {"X": X}, (X**2).sum()),
        ("Y[n,i] = X[n,i] * (X[n,i] > 0)", {"X": X}, X * (X > 0)),
        ("Y[n,i] = (X[n,i] > 0 and X[n,i] <= 1) / N", {"X": X}, ((X > 0) & (X <= 1)) / 5),
        ("Y[n,i] = (-1 < X[n,i] < 1) * 2.5", {"X": X}, ((X > -1) & (X < 1)) * 2.5),
        ("Y[n,i] = exp(-X[n,i]) - 1", {"X": X}, np.exp(-X) - 1),
        ("Y[n,i] = X[n,i+1] + 0 * X[n,i]", {"X": X}, np.pad(X, ((0, 0), (0, 1)))[:, 1:]),
        ("Y[n,i] = (i == t[n]) + 0 * X[n,i]", {"X": X, "t": np.array([2, 0, 1, 2, 0])}, None),
        (
            "y[n] = X[n,t[n]]",
            {"X": X, "t": np.array([2, 0, 1, 2, 0])},
            X[range(5), [2, 0, 1, 2, 0]],
        ),
        ("y[n] = max[u](X[n,u-1])", {"X": -np.abs(X), "U": 2}, -np.abs(X[:, 0])),
        ("y[n] = sum[u](X[n,2*u-p])", {"X": X, "U": 3, "p": 1}, X[:, 1]),
    ],
)
def test_evaluates(text: str, values: dict[str, object], want: object) -> None:
    if want is None:
        want = np.eye(3)[[2, 0, 1, 2, 0]]
    np.testing.assert_allclose(Equation(text)(values), want, rtol=1e-14)


def test_outside_reads_as_zero_not_as_the_border() -> None:
    np.testing.assert_array_equal(
        Equation("y[i] = x[i-1]")({"x": np.ones(3)}, shape=(4,)), [0, 1, 1, 1]
    )


def test_takes_complex_numbers() -> None:
    step = Equation("y[n] = sum[i](exp(X[n,i]))")({"X": X + 1e-30j})
    np.testing.assert_allclose(step.imag / 1e-30, np.exp(X).sum(1), rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (
            "dX[n,i] = sum[k](dY[n,k] * W[i,k])",
            r"\frac{\partial L}{\partial X_{ni}} = "
            r"\sum_{k} \frac{\partial L}{\partial Y_{nk}} \, W_{ik}",
        ),
        ("Y[n,d] = X[n,d] * (X[n,d] > 0)", r"Y_{nd} = X_{nd} \, [X_{nd} > 0]"),
        ("Y[i] = (a[i] + b[i]) * c[i]", r"Y_{i} = (a_{i} + b_{i}) \, c_{i}"),
        ("Y[i] = a[i] * b[i] + c[i]", r"Y_{i} = a_{i} \, b_{i} + c_{i}"),
        ("Y[i] = a[i] - (b[i] - c[i])", r"Y_{i} = a_{i} - (b_{i} - c_{i})"),
        ("Y[i] = -(a[i] + b[i])**2", r"Y_{i} = -(a_{i} + b_{i})^{2}"),
        ("Y[i] = x[2*i+u-p] + 0 * u", None),
        ("m[d] = mean[n](X[n,d])", r"m_{d} = \frac{1}{N} \sum_{n} X_{nd}"),
        ("s[d] = sqrt(sigma2[d] + eps)", r"s_{d} = \sqrt{\sigma^2_{d} + \varepsilon}"),
        ("Xhat[d] = X[d] / sqrt(v[d])", r"\hat{X}_{d} = \frac{X_{d}}{\sqrt{v_{d}}}"),
        ("y[n] = log(P[n,t[n]])", r"y_{n} = \log P_{n,t_{n}}"),
        ("y[n] = max[u](X[n,s*n+u])", r"y_{n} = \max_{u} X_{n,sn+u}"),
        ("dgamma[d] = dbeta[d]", None),
        ("Y[i] = (a[i] / b[i]) * (c[i] + a[i] / b[i])", None),
        ("y[i] = (i == 1 and i >= 0) * 2", r"y_{i} = [i = 1,\ i \ge 0] \cdot 2"),
        ("W2[i] = Xbar[i] + xprime[i]", r"W^{(2)}_{i} = \bar{X}_{i} + x'_{i}"),
    ],
)
def test_prints(text: str, latex: str | None) -> None:
    if latex is None:
        if "u" in text:
            with pytest.raises(EquationError, match="u"):
                Equation(text)({"x": np.ones(3), "p": 0}, shape=(2,))
            return
        latex = {
            "d": r"\frac{\partial L}{\partial \gamma_{d}} = \frac{\partial L}{\partial \beta_{d}}",
            "Y": r"Y_{i} = \frac{a_{i}}{b_{i}} \, \left(c_{i} + \frac{a_{i}}{b_{i}}\right)",
        }[text[0]]
    assert Equation(text).latex == latex


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("dX[n] = foo(X[n])", "unknown function", 8),
        ("y[n] = X[n,k]", "k is neither on the left nor summed over", 11),
        ("y[n+1] = X[n]", "an index on the left is a name", 2),
        ("y[n] = X[n] if n else 2", "IfExp is not of the grammar", 7),
        ("y[n] = sum[k](X[n)", "not Python's syntax", 17),
        ("y[n] = sum[n](X[n])", "n is bound already", 7),
        ("y[n] = X[n] + 'a'", "only numbers are constants", 14),
        ("y[n] = exp(X[n], 2)", "a function takes one argument", 7),
        ("y[n] = sum[n+1](X[n])", "a sum runs over names", 7),
        ("y[n] = sum[n] + 1", "sum of what", 7),
        ("y[n] = X[n].real[n]", "an element is name", 7),
        ("y[n] == X[n]", "expected one 'left = right'", 0),
        ("y[n] = z[n] = X[n]", "expected one '='", 7),
        ("2 * y[n] = X[n]", "not Python's syntax", 0),
        ("y.z = X[n]", "the left side is", 0),
    ],
)
def test_refuses_and_points_at_the_place(text: str, message: str, column: int) -> None:
    with pytest.raises(EquationError, match=re.escape(message)) as caught:
        Equation(text)
    assert str(caught.value).splitlines()[-1] == "  " + " " * column + "^"


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("y[n] = X[n]", {}, "X is unknown"),
        ("y[n] = X[n]", {"X": X}, "X has 2 axes, not 1"),
        (
            "y[n] = X[n] * Z[n]",
            {"X": np.ones(3), "Z": np.ones(4)},
            "n runs to 3 elsewhere, to 4 here",
        ),
        ("y[n] = 2 * n", {}, "how far does n run"),
        ("y = sum[u](u)", {}, "how far does u run"),
        ("y[n] = X[n] * lr", {"X": np.ones(3)}, "lr is unknown"),
        ("y[n] = X[n] * z", {"X": np.ones(3), "z": np.ones(2)}, "z is an array and needs indices"),
    ],
)
def test_refuses_arrays_that_do_not_fit(text: str, values: dict[str, object], message: str) -> None:
    with pytest.raises(EquationError, match=message):
        Equation(text)(values)


def test_derivation() -> None:
    chain = Derivation(
        "y[i]", ("sum[n](X[n,i])", "as it is defined"), ("N * mean[n](X[n,i])", "a mean is a sum")
    )
    first, second = chain.values({"X": X})
    np.testing.assert_allclose(first, second)
    assert chain.latex == (
        r"\begin{aligned} y_{i} &= \sum_{n} X_{ni} && \text{(1)} \\ "
        r"&= N \, \frac{1}{N} \sum_{n} X_{ni} && \text{(2)} \end{aligned}"
    )
    with pytest.raises(ValueError, match="at least two, got 1"):
        Derivation("y[i]", ("X[i]", "alone"))
