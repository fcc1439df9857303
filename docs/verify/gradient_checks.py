# ---
# title: How far to trust a gradient check
# description: The best step measured, the complex step, forty wrong backward passes, and what inputs, kinks and deep networks do to a gradient check.
# tags:
#   - verification
# ---

# %% [markdown]
# # How far to trust a gradient check
#
# A gradient check has a step, an upstream gradient and an input, and each of them can hide a mistake or accuse a right formula. How close do measured slopes come, and which wrong backward passes does a check let through? Here both are measured.
#
# You need [Checking gradients](../foundations/gradient_checking.py), the chapter that this page continues.

# %% tags=["hide-input"]
import inspect
import textwrap
import warnings
from fractions import Fraction
from functools import partial
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from matplotlib.patches import Rectangle

import nn_tutorial as nt
from nn_tutorial import GradientError, gradient_check, relative_error
from nn_tutorial.pages.show import power
from nn_tutorial.verify.mutants import WRONG_BACKWARD
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style
from nn_tutorial.pages.slopes import (
    by_package,
    central,
    complex_step,
    error_of_right,
    forward,
    jacobian,
    one_per_layer,
    output,
)
from nn_tutorial.verify.theories import THEORIES

SEED = 0
use_style()
rng = np.random.default_rng(SEED)
layers = one_per_layer()

# %% [markdown]
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $f$ | `f` | | the function whose slope is wanted |
# | $x$ | `x` | one number, later any shape | the point where it is wanted |
# | $h$ | `h` | one number, positive | the step |
# | $\rho$ | `rho` | one number | the rounding unit: $2^{-53}$ in float64, $2^{-24}$ in float32 |
# | $s$ | `s` | that of $x$ | a direction to step in, of length 1 |
# | $D$ | `D` | one number | how many elements the gradient has |
# | $\partial L/\partial Y$ | `dy` | that of $y = f(x)$ | the upstream gradient |
#
# These are the three rules; for an array, `step` says which elements move:

# %% tags=["remove-input"]
show_source(forward, central, complex_step)

# %% [markdown]
# ## The best step, measured
#
# [The best step](../foundations/gradient_checking.py#the-best-step) is where truncation and rounding have the smallest sum:
#
# $$
# \begin{aligned}
# \text{forward:} \quad & E(h) = \frac h2 |f''| + \frac{2\rho|f|}{h} \\[3pt]
# \text{central:} \quad & E(h) = \frac{h^2}{6} |f'''| + \frac{\rho|f|}{h}
# \end{aligned}
# $$
#
# At the minimum the derivative with respect to $h$ is 0. **Forward:** that is where $\tfrac12 |f''| = 2\rho|f|/h^2$. Solve for $h$, and put it back in, where both terms turn out equal:
#
# $$\boxed{h^* = 2\sqrt{\rho\,\frac{|f|}{|f''|}}, \qquad E^* = 2\sqrt{\rho\,|f|\,|f''|}}$$
#
# **Central:** the derivative is 0 where $\tfrac h3 |f'''| = \rho|f|/h^2$. There truncation is half of rounding, so the sum is $\tfrac32 \rho|f|/h^*$:
#
# $$\boxed{h^* = \sqrt[3]{3\rho\,\frac{|f|}{|f'''|}}, \qquad E^* = \tfrac12 \sqrt[3]{9\rho^2 |f|^2 |f'''|}}$$
#
# If $f$ and its derivatives are about 1, the forward difference wants $h \approx \sqrt \rho$ and gives half of the digits; the central one wants $h \approx \sqrt[3]{\rho}$ and gives two thirds. Check the units: $|f|/|f'''|$ has the unit of $x^3$, and its cube root that of $x$, as a step must.
#
# Now measure it, with $f(x) = \ln(1 + e^x)$. Each error is the root mean square over 256 points $x$ between $\tfrac12$ and $\tfrac32$. The steps are powers of two, so that $x + h$ is exact and only $f$ is rounded. The thin lines are not fitted: they are the two sums $E(h)$, with $f$ and its derivatives put in.

# %% tags=["remove-input"]
def softplus(x):
    return np.log1p(np.exp(x))


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


points = np.arange(512, 1536, 4) / 1024
slopes = 1 / (1 + np.exp(-points))  # of softplus: what the rules are compared with
size_f, size_2 = rms(softplus(points)), rms(slopes * (1 - slopes))
size_3 = rms(slopes * (1 - slopes) * (1 - 2 * slopes))
assert len(points) == 256
rules = {"forward": forward, "central": central, "complex step": complex_step}
units = {"float64": 2.0**-53, "float32": 2.0**-24}
errors, steps, best, predicted = {}, {}, {}, {}
for dtype, rho in units.items():
    steps[dtype] = 2.0 ** -np.arange(1.0, 53 if dtype == "float64" else 24)
    for name, rule in rules.items():
        x = points.astype(dtype)
        found = [rule(softplus, x, h, h) for h in steps[dtype].astype(dtype)]
        errors[dtype, name] = np.array([rms(got.astype(float) - slopes) for got in found])
        best[dtype, name] = steps[dtype][errors[dtype, name].argmin()]
    predicted[dtype, "forward"] = 2 * np.sqrt(rho * size_f / size_2)
    predicted[dtype, "central"] = np.cbrt(3 * rho * size_f / size_3)
theory = {
    (dtype, name): (h / 2 * size_2 + 2 * rho * size_f / h if name == "forward"
                    else h**2 / 6 * size_3 + rho * size_f / h)
    for dtype, rho in units.items() for name in ("forward", "central") for h in [steps[dtype]]
}
for (dtype, name), total_error in theory.items():
    rho = units[dtype]
    boxed = (2 * np.sqrt(rho * size_f * size_2) if name == "forward"
             else np.cbrt(9 * rho**2 * size_f**2 * size_3) / 2)
    assert boxed <= total_error.min() < 1.3 * boxed
    assert (errors[dtype, name] < 1.1 * total_error).all()


def power_law(dtype, name, low, high):
    """The slope of a straight line through the errors, on logarithmic axes."""
    inside = (steps[dtype] >= low) & (steps[dtype] <= high)
    return np.polyfit(np.log(steps[dtype][inside]), np.log(errors[dtype, name][inside]), 1)[0]


falls = {name: power_law("float64", name, 1e-3, 1e-1) for name in rules}
rises = {name: power_law("float64", name, 1e-14, 1e-9) for name in ("forward", "central")}
assert abs(falls["forward"] - 1) < 0.03 and abs(falls["central"] - 2) < 0.03
assert all(abs(slope + 1) < 0.05 for slope in rises.values())
for key, h in predicted.items():
    assert 1 / 3 < best[key] / h < 3, key

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(4.9, 7.0), sharex=True, sharey=True)
looks = {"forward": ("orange", "s"), "central": ("blue", "o"), "complex step": ("green", "^")}
for ax, dtype in zip(axes, units, strict=True):
    for name, (color, marker) in looks.items():
        ax.plot(steps[dtype], errors[dtype, name], marker, color=COLORS[color], markersize=3.5)
        if name in ("forward", "central"):
            ax.plot(steps[dtype], theory[dtype, name], color=COLORS[color], linewidth=0.9)
            h = predicted[dtype, name]
            ax.axvline(h, color=COLORS[color], linestyle=":", linewidth=1)
            ax.text(h * (0.7 if name == "forward" else 1.4), 3e-18, f"${power(h)}$",
                    ha="right" if name == "forward" else "left", color=COLORS[color],
                    fontsize=8.5)
    ax.set(title=dtype, ylabel="error of the slope", xscale="log", yscale="log",
           ylim=(8e-19, 3), xlim=(1e-16, 1))
axes[1].set_xlabel("step h")
axes[0].text(3e-8, 3e-6, "forward", color=COLORS["orange"], ha="right", rotation=0)
axes[0].text(2e-10, 1e-9, "central", color=COLORS["blue"], ha="right")
axes[0].text(1e-12, 3e-16, "complex step", color=COLORS["green"], ha="center")
axes[1].text(1e-4, 3e-5, "central", color=COLORS["blue"], ha="right")
axes[1].text(3e-5, 1.5e-2, "forward", color=COLORS["orange"], ha="left")
axes[1].text(1e-8, 2e-8, "complex step", color=COLORS["green"], ha="right", va="center")
smallest = {key: values.min() for key, values in errors.items()}
show(
    fig,
    name="error-against-h",
    alt=(
        "Two plots of the error against the step, on logarithmic axes. Forward and central "
        "differences each draw a V: rounding on its left side, truncation on its right. In float64 "
        f"the lowest errors are {smallest['float64', 'forward']:.0e} and "
        f"{smallest['float64', 'central']:.0e}; in float32 {smallest['float32', 'forward']:.0e} "
        f"and {smallest['float32', 'central']:.0e}. The complex step falls like the central "
        "difference and then stays at rounding, however small the step."
    ),
    caption=(
        "Marks: measured. Thin lines: the sum of truncation and rounding from the derivation; "
        "dotted: the step that it says is best. The right-hand sides climb by one and by two decades "
        "per decade of $h$, and the left-hand ones are parallel."
    ),
)

# %% [markdown]
# On the right the errors follow $h^{ {{ falls["forward"]:.2f}} }$ and $h^{ {{ falls["central"]:.2f}} }$, on the left $h^{ {{ rises["forward"]:.2f}} }$ and $h^{ {{ rises["central"]:.2f}} }$. The derivation says 1, 2 and twice $-1$. Truncation agrees with its line to the width of the mark. Rounding lies below its line, by a factor of about {{ np.median(theory["float64", "central"][30:] / errors["float64", "central"][30:]):.0f}}: the line is the *worst* that rounding can do, and two roundings seldom both do their worst in opposite directions.
#
# | | Best $h$, predicted | Best $h$, measured | Error there |
# |---|---|---|---|
# | forward, float64 | ${{ power(predicted["float64", "forward"]) }}$ | ${{ power(best["float64", "forward"]) }}$ | ${{ power(smallest["float64", "forward"]) }}$ |
# | central, float64 | ${{ power(predicted["float64", "central"]) }}$ | ${{ power(best["float64", "central"]) }}$ | ${{ power(smallest["float64", "central"]) }}$ |
# | forward, float32 | ${{ power(predicted["float32", "forward"]) }}$ | ${{ power(best["float32", "forward"]) }}$ | ${{ power(smallest["float32", "forward"]) }}$ |
# | central, float32 | ${{ power(predicted["float32", "central"]) }}$ | ${{ power(best["float32", "central"]) }}$ | ${{ power(smallest["float32", "central"]) }}$ |
#
# The package uses $h = 10^{-6}$, a little to the left of the best. That costs a digit, and buys fewer kinks; you will see [how many](#how-often-is-a-kink-met). ([@gill1981] choose $h$ function by function; for a check of a backward pass that is more care than it needs.)
#
# ### Too large, too small, rounded away
#
# Check a softmax with three steps. If the step is too large, truncation accuses a right gradient; if it is too small, rounding does:

# %%
fresh = np.random.default_rng(SEED)
scores = fresh.standard_normal((5, 3))
for h in (1e-1, 1e-5, 1e-12):
    report = gradient_check(
        nt.softmax, nt.softmax_backward, [scores], rng=fresh, h=h
    )
    print(f"h = {h:.0e}: relative error {report.max_error:.0e}")
    assert (report.max_error < 1e-6) == (h == 1e-5)

# %% [markdown]
# There is a third way to go wrong: $x + h$ is rounded, too. At $x = 1000.1$ a step of $10^{-6}$ is not a step of $10^{-6}$. The function $f(x) = x$ has slope 1, and:

# %%
x, h = 1000.1, 1e-6
identity = central(lambda x: x, x, h, h) - 1
power_of_two = central(lambda x: x, x, 2.0**-20, 2.0**-20) - 1
print(f"1e-6: off by {abs(identity):.0e}; 2**-20: {abs(power_of_two)}")
assert abs(identity) > 1e-9 and power_of_two == 0

# %% [markdown]
# A power of two is a step that floating point can take exactly (here; not where $x$ is so large that $h$ falls below its last digit). Or divide by the distance that was really covered, `(x + h) - (x - h)` ([@press2007]). Or scale your inputs to about 1.
#
# ### Float32
#
# Float32 is the default type of PyTorch and of this book, and the wrong one for a check. Here both passes are right:

# %%
x, w, b = (fresh.standard_normal(shape) for shape in ((5, 3), (3, 7), (7,)))
dy = fresh.standard_normal((5, 7))
for dtype in (np.float64, np.float32):
    cast = [a.astype(dtype) for a in (x, w, b)]
    table = jacobian(lambda x, rest=cast[1:]: nt.linear(x, *rest)[0], cast[0])
    measured = (table @ dy.ravel()).astype(float)
    error = relative_error(measured, (dy @ w.T).ravel())
    print(f"{dtype.__name__}: relative error {error:.0e}")
assert error > 1e-2

try:
    gradient_check(nt.linear, nt.linear_backward, cast, rng=fresh)
    raise AssertionError("accepted")
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# ## The complex step: nothing is subtracted
#
# [Squire and Trapp (1998)](@squire1998) revived an idea of [Lyness and Moler (1967)](@lyness1967). Put $ih$ into Taylor's series, with $i^2 = -1$:
#
# $$
# \begin{aligned}
# f(x + ih) = f(x) &+ ih f'(x) - \frac{h^2}{2} f''(x) \\
# &- \frac{ih^3}{6} f'''(x) + \dots
# \end{aligned}
# $$
#
# The value has gone into the real part and the slope into the imaginary part. The two never meet, so nothing is lost. Take the imaginary part and divide by $h$:
#
# $$\boxed{\frac{\operatorname{Im} f(x + ih)}{h} = f'(x) - \frac{h^2}{6} f'''(x) + \dots}$$
#
# No subtraction, no rounding that grows. Make $h$ so small that $h^2$ vanishes, and all digits are right:

# %%
for h in (1e-6, 1e-20, 1e-200):
    off = complex_step(softplus, 1.0, h, h) - 1 / (1 + np.exp(-1.0))
    print(f"h = {h:.0e}: off by {abs(off):.0e}")
    assert abs(off) < 1e-12

# %% [markdown]
# There is a price. Every operation on the way must take complex numbers *and* be analytic, that is, given by a power series. Otherwise the imaginary part is lost, usually in silence. Here are some operations that are safe and some that are not, each at $x = (-2, 1.5)$, where only the first element moves:

# %% tags=["remove-input"]
def at_complex(f):
    moved = np.array([-2.0, 1.5]) + np.array([1e-20j, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cast warns once; that is all one gets
        return float(np.sum(np.imag(f(moved))) / 1e-20)


trials = {
    "tanh(x)": (np.tanh, 1 - np.tanh(-2) ** 2),
    "sqrt(x**2)": (lambda x: np.sqrt(x**2), -1.0),
    "x.reshape(1, 2).T": (lambda x: x.reshape(1, 2).T, 1.0),
    "where(x > 0, x, 0)": (lambda x: np.where(x > 0, x, 0), 0.0),
    "x @ x": (lambda x: x @ x, -4.0),
    "abs(x)": (np.abs, -1.0),
    "x.conj()": (np.conj, 1.0),
    "vdot(x, x)": (lambda x: np.vdot(x, x), -4.0),
    "linalg.norm(x)": (np.linalg.norm, -2 / 2.5),
    "var(x)": (np.var, -2 - (-0.25) + 0.0),
    "x.astype(float)": (lambda x: x.astype(float), 1.0),
}
broken = set()
print(f"{'':<20}slope  found")
for name, (f, true) in trials.items():
    got = at_complex(f)
    broken |= set() if np.isclose(got, true, rtol=1e-12) else {name}
    print(f"{name:<19}{true:6.2f} {got:6.2f}{'  WRONG' if name in broken else ''}")
assert broken == {"abs(x)", "x.conj()", "vdot(x, x)", "linalg.norm(x)", "var(x)",
                  "x.astype(float)"}

# %% [markdown]
# `abs` of a complex number is its length, a real number: no imaginary part, slope 0. `conj` flips the sign of the imaginary part, and `vdot` conjugates its first argument. Inside, where you do not see it, `norm` and `var` multiply each number by its conjugate. The comparison is the odd one out: NumPy compares real parts first, so away from the kink it happens to work, though an order of complex numbers has no meaning. A `.T` is safe; a conjugate transpose is not. ([@martins2003] say how to rewrite such functions.)
#
# So the complex step is for functions that you can read. The layers of this book refuse complex input; their [equations](../verify/checks.py) take it, and that is where the book uses it.
#
# ## All ones cannot tell neighbours apart
#
# The upstream gradient $\partial L/\partial Y$ is yours to choose. Choose 1 for one output and 0 for the others, and you get that output's row of the Jacobian. Go through all outputs, and you have all of it. The laziest choice is all ones. [The chapter](../foundations/gradient_checking.py#who-notices-the-upstream-gradient) shows how a softmax passes with them though it returns zeros.
#
# All ones also cannot tell an output from its neighbour. Roll the upstream gradient on by one example, and all ones are still all ones:

# %%
def neighbours(dy, cache):
    """Wrong: each example gets the gradient of the one before it."""
    return nt.linear_backward(np.roll(dy, 1, axis=0), cache)


fresh = np.random.default_rng(SEED)
x, w, b = (fresh.standard_normal(shape) for shape in ((5, 3), (3, 7), 7))
y, cache = nt.linear(x, w, b)
for name, dy in (("ones", np.ones_like(y)), ("random", fresh.standard_normal(y.shape))):
    pairs = zip(neighbours(dy, cache), nt.linear_backward(dy, cache), strict=True)
    worst = max(relative_error(wrong, true) for wrong, true in pairs)
    print(f"{name:<7} relative error {worst:.0e}")
    assert (worst < 1e-12) == (name == "ones")

# %% [markdown]
# ## Along a direction: two evaluations
#
# The chapter moves the elements of $x$ one by one. You can also move all of them at once, along a random unit vector $s$. That takes two evaluations, however large $D$ is. By the chain rule the slope must be
#
# $$\frac{L(x + hs) - L(x - hs)}{2h} \approx \sum_d \frac{\partial L}{\partial x_d}\, s_d$$
#
# With a pencil, and with [the chapter's numbers](../foundations/gradient_checking.py#many-inputs-many-outputs): $L = 5 x_1 x_2 - x_1^3$ has the gradient $(3, 10)$ at $(2, 3)$. Along $s = (\tfrac35, \tfrac45)$ the slope is $3 \cdot \tfrac35 + 10 \cdot \tfrac45 = \tfrac{49}{5}$.

# %%
x = np.array([Fraction(2), Fraction(3)])
s = np.array([Fraction(3, 5), Fraction(4, 5)])
h = Fraction(1, 10)
along_s = central(lambda x: 5 * x[0] * x[1] - x[0] ** 3, x, h * s, h)
too_low = Fraction(49, 5) - along_s
print(f"along s: {along_s}, too low by {too_low}")
assert too_low == s[0] ** 3 * h**2

# %% [markdown]
# What is missing is $s_1^3 h^2$, the truncation of $-x_1^3$ along $s$.
#
# `gradient_check` moves single elements and goes along directions. This is its heart. `moves` has a step for each array, so the same lines serve both:

# %% tags=["remove-input"]
code = next(c for c in gradient_check.__code__.co_consts if getattr(c, "co_name", "") == "slope")
source = textwrap.dedent(inspect.getsource(code))
display(Markdown(f'```python title="nn_tutorial/verify/gradient_check.py"\n{source}```'))
assert "high - low" in source and "2 * h" in source
fresh = np.random.default_rng(SEED)
wide, dy, h = fresh.standard_normal(2000), fresh.standard_normal(2000), 1e-6
off_by = {"outputs": [], "sums": []}
for i in range(200):
    step = np.zeros(2000)
    step[i] = h
    high, low = np.tanh(wide + step), np.tanh(wide - step)
    true = dy[i] * (1 - np.tanh(wide[i]) ** 2)
    off_by["outputs"].append(np.sum(dy * (high - low)) / (2 * h) - true)
    off_by["sums"].append((np.sum(dy * high) - np.sum(dy * low)) / (2 * h) - true)
spared = np.sqrt(np.mean(np.square(off_by["sums"])) / np.mean(np.square(off_by["outputs"])))
assert spared > 10, spared

# %% [markdown]
# It subtracts the *outputs* first and sums afterwards, which saves the digits that a large sum would cost. With 2,000 outputs of a tanh, the error is {{ spared:.0f}} times smaller than if the two sums were subtracted.
#
# ## The experiment: forty wrong backward passes
#
# **The question.** How many wrong backward passes does a check notice, if the upstream gradient is all ones, random but positive, or random with both signs? And does a single random direction, two evaluations in all, notice as many as a check of all elements?
#
# **A prediction.** All ones should miss mistakes like [the zeros of the chapter](../foundations/gradient_checking.py#who-notices-the-upstream-gradient) and the neighbours above. Positive numbers should also miss mistakes about signs. Random signs should miss nothing. One direction is one number, so it should miss something now and then.
#
# **The wrong passes.** Twenty-eight come from [the list on which this book's own tests are tried](../verify/verified.py), drawn up without this question in mind. Twelve more are added here, *chosen* because one of the four checks might not see them. So look at the two groups separately. Each runs on four shapes with five seeds; it is noticed if the relative error is above $10^{-4}$.

# %% tags=["hide-input"]
def wrong(layer, name, change):
    """A layer with one gradient replaced; change takes its values, right results and dy."""
    law = THEORIES[layer]

    def package(values, dy):
        found = law.package(values, dy)
        return found | {name: change(values, found, dy)}
    return package


def moved(layer, change):
    """A layer that gets a rearranged upstream gradient."""
    return lambda values, dy: THEORIES[layer].package(values, change(dy))


# Layer norm's are left out: they were written after this question had been asked.
theirs = [entry for entry in WRONG_BACKWARD if entry[0] in layers and entry[0] != "layer_norm"]
own = [
    ("softmax", "returns zeros", wrong("softmax", "dZ", lambda v, r, d: 0 * d)),
    ("softmax", "mean not weighted", wrong(
        "softmax", "dZ", lambda v, r, d: r["P"] * (d - d.mean(1, keepdims=True)))),
    ("batch_norm", "returns zeros", wrong("batch_norm", "dX", lambda v, r, d: 0 * d)),
    ("relu", "mask and upstream sign", wrong("relu", "dX", lambda v, r, d: r["dX"] * (d > 0))),
    ("sigmoid", "sign of dy lost", wrong("sigmoid", "dX", lambda v, r, d: np.abs(r["dX"]))),
    ("tanh", "dy clipped to ±1", moved("tanh", lambda d: d.clip(-1, 1))),
    ("linear", "dX of the next example", wrong("linear", "dX", lambda v, r, d: np.roll(r["dX"], 1, 0))),
    ("linear", "dW with examples reversed", wrong("linear", "dW", lambda v, r, d: v["X"].T @ d[::-1])),
    ("cross_entropy", "dy forgotten", wrong("cross_entropy", "dP", lambda v, r, d: r["dP"] / d)),
    ("avg_pool2d", "of the next window", moved("avg_pool2d", lambda d: np.roll(d, 1, -1))),
    ("max_pool2d", "of the next window", moved("max_pool2d", lambda d: np.roll(d, 1, -1))),
    ("conv2d", "dy upside down", moved("conv2d", lambda d: d[:, :, ::-1])),
]
upstreams = {
    "ones": lambda draw, shape: np.ones(shape),
    "positive": lambda draw, shape: np.asarray(draw.uniform(0.5, 1.5, shape)),
    "signs": lambda draw, shape: np.asarray(draw.standard_normal(shape)),
}
tried = [(i, seed) for i in (0, 1, 3, 4) for seed in range(5)]
columns = [*upstreams, "one direction"]
noticed = {entry[:2]: dict.fromkeys(columns, 0) for entry in theirs + own}
off = {"wrong": [], **{column: [] for column in upstreams}}
LIMIT = 1e-4

# %% tags=["hide-input"]
def both(f, x):
    """The Jacobian, and which elements of x are at no kink: there two rules agree."""
    here = f(x)

    def central_and_forward(f, x, step, h):
        high, low = f(x + step), f(x - step)
        return np.stack([(high - low) / (2 * h), (high - here) / h])

    rows = jacobian(f, x, rule=central_and_forward)
    table, one_sided = rows.reshape(x.size, 2, -1).swapaxes(0, 1)
    return table, np.abs(table - one_sided).max(axis=1) < 1e-4


def by_elements(law, found, tables, dy):
    """The largest relative error over all inputs; a wrong shape is an infinite one."""
    errors = [
        relative_error(found[f"d{name}"].ravel()[smooth], (table @ dy.ravel())[smooth])
        for name, (table, smooth) in tables.items()
    ]
    return max(errors)


def by_direction(law, found, values, moves, dy, h=1e-6):
    """The relative error along one direction through all inputs at once."""
    high, low = (
        output(law, values | {name: values[name] + sign * h * move for name, move in moves.items()})
        for sign in (1, -1)
    )
    slope = np.sum(dy * (high - low)) / (2 * h)
    along = sum(np.sum(found[f"d{name}"] * move) for name, move in moves.items())
    return relative_error(np.array([along]), np.array([slope]))


for (i, seed), (layer, law) in product(tried, layers.items()):
    draw = np.random.default_rng([seed, i])
    values = law.sample(draw, i)
    tables = {name: both(by_package(law, values, name), values[name]) for name in law.inputs}
    moves = {name: draw.standard_normal(values[name].shape) * smooth.reshape(values[name].shape)
             for name, (_, smooth) in tables.items()}
    for column, choose in upstreams.items():
        dy = choose(draw, law.output(values))
        off[column].append(by_elements(law, law.package(values, dy), tables, dy))
        for entry in (e for e in theirs + own if e[0] == layer):
            found = {key: np.asarray(value) for key, value in entry[2](values, dy).items()}
            fits = all(found[f"d{name}"].shape == values[name].shape for name in law.inputs)
            error = by_elements(law, found, tables, dy) if fits else np.inf
            noticed[entry[:2]][column] += error > LIMIT
            if column == "signs":
                off["wrong"].append(error)
                one = by_direction(law, found, values, moves, dy) if fits else np.inf
                noticed[entry[:2]]["one direction"] += one > LIMIT
alarm = {column: max(off[column]) for column in upstreams}
assert max(alarm.values()) < LIMIT and max(alarm["positive"], alarm["signs"]) < 1e-5
assert len(theirs) == 28 and len(own) == 12

# %% tags=["remove-input"]
hidden = [key for key, row in noticed.items() if min(row.values()) < len(tried)]
fig, ax = plt.subplots(figsize=(4.8, 5.6))
split = sum(key in {entry[:2] for entry in theirs} for key in hidden)
for row, key in enumerate(hidden):
    height = row + (0.7 if row >= split else 0)
    ax.text(-0.1, height, f"{key[0].replace('_', ' ')}: {key[1]}", ha="right", va="center",
            fontsize=9)
    for column, name in enumerate(columns):
        count = noticed[key][name]
        if count:
            ax.add_patch(Rectangle((column, height - 0.46), 0.94, 0.92, facecolor=COLORS["blue"],
                                   alpha=0.3 * count / len(tried), edgecolor="none"))
        ax.text(column + 0.47, height, f"{count}", ha="center", va="center",
                color=COLORS["text" if count else "red"], fontweight="normal" if count else "bold",
                fontsize=9)
for column, name in enumerate(["all\nones", "posi-\ntive", "both\nsigns", "one di-\nrection"]):
    ax.text(column + 0.47, -0.75, name, ha="center", va="bottom", fontsize=8.5)
ax.text(-0.1, -0.75, f"noticed, of {len(tried)} runs", ha="right", va="bottom", fontsize=8.5,
        color=COLORS["muted"])
ax.set(xlim=(-5.6, 4), ylim=(len(hidden) + 0.4, -2.2))
ax.set_title("The wrong passes that some check did not notice", loc="right")
ax.axis("off")
full = {column: [sum(noticed[entry[:2]][column] > 0 for entry in group) for group in (theirs, own)]
        for column in columns}
ones_misses = [key for key in hidden if noticed[key]["ones"] == 0]
show(
    fig,
    name="who-notices",
    alt=(
        f"A table of {len(hidden)} wrong backward passes and how often each was noticed in "
        f"{len(tried)} runs. All ones noticed none of them in any run. Positive numbers missed "
        "three, numbers of both signs one, and a single direction the same one."
    ),
    caption=(
        f"The other {len(noticed) - len(hidden)} were noticed by all four in every run and are "
        "left out. The gap divides the book's own list, above, from those that were added. With "
        "all ones, in the first column, none of these was noticed even once."
    ),
)
assert len(ones_misses) == len(hidden) == 14
assert full["ones"] == [26, 0] and full["signs"] == full["one direction"] == [27, 12]
assert full["positive"] == [27, 10]
least = min(error for error in off["wrong"] if error > LIMIT)
assert least > 0.1
assert all(row["signs"] == row["one direction"] for row in noticed.values())
conv, relu = THEORIES["conv2d"], THEORIES["relu"]
assert [conv.output(conv.sample(rng, i))[2] == 1 for i in (0, 1, 3, 4)] == [False] * 3 + [True]
lucky = 0  # runs in which every upstream number at an open gate is positive
for i, seed in tried:
    draw = np.random.default_rng([seed, i])
    x = relu.sample(draw, i)["X"]
    draw.standard_normal(x.shape)  # the direction
    draw.uniform(0.5, 1.5, x.shape)  # the positive upstream gradient
    lucky += (draw.standard_normal(x.shape)[x > 0] > 0).all()
assert lucky == len(tried) - noticed["relu", "mask and upstream sign"]["signs"] == 1

# %% [markdown]
# **The verdict.** Of the {{ len(theirs) }} that were not chosen for this, all ones notice {{ full["ones"][0] }}, the other three {{ full["signs"][0] }}. That is less of a difference than the warnings make you expect. All ones are not blind; they are blind in certain places. But where a mistake lies in such a place, no seed and no shape showed it: of the {{ len(own) }} that were looked for there, all ones notice {{ full["ones"][1] }}, positive numbers {{ full["positive"][1] }}, both signs {{ full["signs"][1] }}.
#
# One part of the prediction was wrong. A single random direction, two evaluations, noticed *all* that the full comparison noticed, and as often. A gradient that is wrong in many elements is wrong along nearly every direction.
#
# One mistake stays hidden from everything: a max pooling that hands its gradient to all tied maxima. Away from ties it is right, and at a tie there is no slope to compare with. No difference can decide a convention. It takes a check by value, or another implementation.
#
# Three small things. `mask and upstream sign` was missed once in {{ len(tried) }} runs: by chance, every upstream number at an open gate was positive. Draw more than one `dy`. The convolution's image flipped upside down was missed on one shape of four, because its output is one row high, and a single row upside down is the same row. And all ones can raise a *false* alarm: where the right gradient is 0, noise is compared with [the floor](../foundations/gradient_checking.py#why-the-error-is-relative), and the error came out as ${{ power(alarm["ones"]) }}$ for a right batch normalisation. With both signs no right layer exceeded ${{ power(alarm["signs"]) }}$.
#
# **What this does not show.** How often people make which mistake. The lists hold what somebody thought of. It also says nothing about small mistakes: the smallest error that was noticed here is {{ least:.2f}}, far above any tolerance.
#
# ### One wrong element among many
#
# A direction *is* weaker for a single wrong element. A random unit direction gives each of $D$ elements a share of about $1/\sqrt D$, and the error is diluted by as much. Double one element of a gradient of ones:

# %%
for D in (100, 10_000, 1_000_000):
    true, doubled = np.ones(D), np.ones(D)
    doubled[0] = 2
    draws = rng.standard_normal((20, D, 1))
    found = [relative_error(doubled @ s, true @ s) for s in draws]
    trace = np.median(found)
    full_error = relative_error(doubled, true)
    print(f"{D:>9,} elements: {full_error}, direction: {trace:.0e}")
float32 = {"h": 2.0**-7, "dtype": "float32"}
noise = max(error_of_right(layer, central, **float32) for layer in layers)
assert 1e-4 < trace < noise

# %% [markdown]
# Element by element it is off by one half, however many there are. Along a direction the error is diluted, but even among a million elements it is {{ trace / 1e-6:.0f}} times the tolerance of $10^{-6}$. In [float32](../foundations/gradient_checking.py#how-close-is-close-enough) it would drown. `gradient_check` does both: all elements, and three directions through all arguments at once.
#
# ### A small mistake: no epsilon under the root
#
# For mistakes as large as those above, the tolerance hardly matters. This one is small: the backward pass of a batch normalisation forgets the $\varepsilon$ under the root:


# %%
def no_eps(dy, cache):
    """Wrong: 1/σ instead of 1/√(σ² + ε)."""
    var = cache.inv_std**-2 - 1e-5
    return nt.batch_norm_backward(dy, cache._replace(inv_std=var**-0.5))


fresh = np.random.default_rng(SEED)
x, gamma, beta = (fresh.standard_normal(shape) for shape in ((5, 3), 3, 3))
names = ["x", "weight", "bias"]
subtle = gradient_check(
    nt.batch_norm, no_eps, [2 * x, gamma, beta], rng=fresh, names=names
)
print(subtle)
right = error_of_right("batch_norm", central, **float32)
assert 1e-6 < subtle.max_error < min(right, 1e-3)

# %% [markdown]
# It is off by ${{ power(subtle.max_error) }}$. A tolerance of $10^{-3}$, as PyTorch's `gradcheck` has by default, lets it pass, and $10^{-6}$ does not. In float32 even a *right* batch normalisation is off by ${{ power(right) }}$.
#
# ## Who notices? The input
#
# The upstream gradient is half of the experiment; the input is the other half. Mistakes hide behind inputs that are too nice. Here is the same experiment with `gradient_check` itself, always with an upstream gradient of random signs:

# %% tags=["remove-input"]
def given(kind, draw):
    """x, weight and bias of a linear layer; the other layers take what they need of it."""
    n, d, k = {"square": (5, 5, 5), "one example": (1, 3, 7)}.get(kind, (5, 3, 7))
    x, w, b = draw.standard_normal((n, d)), draw.standard_normal((d, k)), draw.standard_normal(k)
    if kind == "all zero":
        x = np.zeros((n, d))
    elif kind == "equal rows":
        x = np.tile(x[:1], (n, 1))
    elif kind == "positive":
        x, w = np.abs(x), np.abs(w)
    elif kind == "as it begins":  # γ = 1 and β = 0; weights as an identity
        w, b = np.eye(d), np.zeros(d)
    return x, w, b


def norm(kind, draw):
    x, _, _ = given(kind, draw)
    x = np.vstack([x, x + 1]) if kind == "one example" else x  # one would be refused
    draws = [np.ones(x.shape[1]), np.zeros(x.shape[1])]
    return [x, *draws] if kind == "as it begins" else [x, *draw.standard_normal((2, x.shape[1]))]


def labelled(f):
    return lambda z: f(z, np.arange(len(z)) % z.shape[1])


def linear_with(change):
    return lambda dy, cache: change(dy, cache, *nt.linear_backward(dy, cache))


tried_passes = {
    "linear: dX = dY W": (nt.linear, linear_with(lambda dy, c, dx, dw, db: (dy @ c.weight, dw, db))),
    "linear: dW of the mean": (nt.linear, linear_with(lambda dy, c, dx, dw, db: (dx, dw / len(dy), db))),
    "linear: dW, rows reversed": (nt.linear, linear_with(
        lambda dy, c, dx, dw, db: (dx, c.x[::-1].T @ dy, db))),
    "linear: db not summed": (nt.linear, linear_with(lambda dy, c, dx, dw, db: (dx, dw, dy[0]))),
    "relu: no mask": (nt.relu, lambda dy, mask: dy),
    "softmax: one mean for all rows": (
        nt.softmax, lambda dp, p: p * (dp - (dp * p).sum() / len(p))),
    "fused loss: not divided by N": (
        labelled(nt.softmax_cross_entropy), lambda dy, dz: dy * dz * len(dz)),
    "batch norm: γ forgotten in dX": (nt.batch_norm, lambda dy, c: (
        nt.batch_norm_backward(dy, c._replace(weight=np.ones_like(c.weight)))[0],
        *nt.batch_norm_backward(dy, c)[1:])),
}
kinds = ["good", "square", "one example", "all zero", "equal rows", "positive", "as it begins"]
right_passes = {
    nt.linear: nt.linear_backward, nt.relu: nt.relu_backward, nt.softmax: nt.softmax_backward,
    nt.batch_norm: nt.batch_norm_backward,
}


def alarmed(f, f_backward, kind, seed):
    """Whether gradient_check objects, by its numbers or by a shape; kinks are passed over."""
    draw = np.random.default_rng(seed)
    arrays = norm(kind, draw) if f is nt.batch_norm else list(given(kind, draw))
    arrays = arrays if f in (nt.linear, nt.batch_norm) else arrays[:1]
    try:
        report = gradient_check(f, f_backward, arrays, rng=draw)
        report.raise_if_above(LIMIT, allow_kinks=True)
    except (GradientError, ValueError):
        return True
    return False


counts = {
    (name, kind): sum(alarmed(*pair, kind, seed) for seed in range(5))
    for (name, pair), kind in product(tried_passes.items(), kinds)
}
for (f, f_backward), kind in product(right_passes.items(), kinds):
    assert not any(alarmed(f, f_backward, kind, seed) for seed in range(5))

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(4.9, 3.9))
names = list(tried_passes)
for row, name in enumerate(names):
    ax.text(-0.1, row, name, ha="right", va="center", fontsize=9)
    for column, kind in enumerate(kinds):
        count = counts[name, kind]
        ax.add_patch(Rectangle((column, row - 0.46), 0.94, 0.92, facecolor=COLORS["blue"],
                               alpha=0.3 * count / 5, edgecolor="none"))
        ax.text(column + 0.47, row, f"{count}", ha="center", va="center", fontsize=9,
                color=COLORS["text" if count else "red"], fontweight="normal" if count else "bold")
for column, kind in enumerate(kinds):
    ax.text(column + 0.5, -0.65, kind, rotation=45, ha="left", va="bottom", fontsize=8.5)
ax.text(-0.1, -0.65, "noticed, of 5 runs", ha="right", va="bottom", fontsize=8.5,
        color=COLORS["muted"])
ax.set(xlim=(-6.0, 7.7), ylim=(len(names) - 0.4, -2.9))
ax.set_title("Inputs that are too nice", loc="left")
ax.axis("off")
blind = {kind: [name for name in names if counts[name, kind] == 0] for kind in kinds}
show(
    fig,
    name="which-input",
    alt=(
        f"A table of {len(names)} wrong backward passes by {len(kinds)} kinds of input. With "
        "different sizes and random numbers each is noticed in all five runs, and with square "
        f"arrays too. One example hides {len(blind['one example'])} of them, a zero input "
        f"{len(blind['all zero'])}, equal rows {len(blind['equal rows'])}, positive inputs "
        f"{len(blind['positive'])}, parameters as they begin {len(blind['as it begins'])}."
    ),
    caption=(
        "Rows are mistakes, columns are inputs. With a single example, whatever concerns "
        "*the batch* is out of sight."
    ),
)
assert blind["good"] == blind["square"] == []
assert all(counts[name, "good"] == counts[name, "square"] == 5 for name in names)
assert len(blind["one example"]) == 5 and blind["positive"] == ["relu: no mask"]
assert blind["equal rows"] == ["linear: dW, rows reversed"]
assert blind["as it begins"] == [names[0], names[-1]]
assert blind["all zero"] == ["linear: dW of the mean", "linear: dW, rows reversed", "relu: no mask"]

# %% [markdown]
# - **One example** hides a forgotten $1/N$ and a forgotten sum over the batch. {{ len(blind["one example"]) }} of {{ len(names) }} mistakes are invisible.
# - **Zeros** hide the weights' gradient, because $X^\top\, \partial L/\partial Y$ is 0 with any factor. For the ReLU all elements are at the kink, and a check that passes over kinks, as this one was told to, then passes everything.
# - **Positive inputs** hide the mask. **Equal rows** hide which row was meant.
# - **Parameters as they begin**, $\gamma = 1$ or an identity, hide that they were forgotten.
# - **Square arrays** hid nothing here, and that is worth saying, because they have a bad reputation. `dy @ weight` instead of `dy @ weight.T` runs without an error if the weight is square. But its *numbers* are wrong, and the check sees them, unless the weight is symmetric. What square arrays take from you is the alarm that costs nothing: the shapes.
#
# So use sizes that all differ, at least two examples, numbers of both signs, and parameters moved away from where they begin.
#
# ## How often is a kink met?
#
# Take a network on real data: ten handwritten digits, 64 pixels, 16 hidden ReLUs. All of its parameters are moved one by one, with larger and smaller steps, for three seeds.

# %% tags=["remove-input"]
data = nt.digits(seed=SEED)
images, labels = data.x_train[:10].reshape(10, -1).astype(float), data.y_train[:10]


def loss_of(net):
    """A network's loss as a function of its parameters, its backward pass, and the parameters."""
    names = list(net.params)

    def f(*arrays):
        for name, array in zip(names, arrays, strict=True):
            net.params[name][...] = array
        logits, cache = net.forward(images)
        loss, dlogits = nt.softmax_cross_entropy(logits, labels)
        return loss, (cache, dlogits)

    def f_backward(dy, cache):
        grads = net.backward(dy * cache[1], cache[0])[1]
        return tuple(grads[name] for name in names)

    return f, f_backward, [net.params[name].copy() for name in names]


sizes, kinked, noise = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7], {}, {}
for h in sizes:
    reports = []
    for seed in range(3):
        net = nt.mlp(64, [16], 10, rng=np.random.default_rng(seed), dtype=np.float64)
        draw = np.random.default_rng(SEED)
        reports.append(gradient_check(*loss_of(net), rng=draw, h=h, directions=0))
    kinked[h] = np.mean([report.kinks for report in reports])
    noise[h] = max(report.max_error for report in reports)
total = sum(a.checked + len(a.kinks) for a in reports[0].arguments)
print("step    at a kink  others: largest error")
for h in sizes:
    print(f"{h:.0e}{kinked[h]:>10.1f}{noise[h]:>15.0e}")
assert kinked[1e-2] > 5 and kinked[1e-3] == 0
assert noise[1e-7] > noise[1e-6] > noise[1e-5] < noise[1e-2] and 2e-7 < noise[1e-6] < 3e-6
level = 2.0**-53 * np.log(10) / 1e-6 / 1e-4

# %% [markdown]
# With $h = 0.1$, {{ kinked[1e-1]:.0f}} of {{ f"{total:,}" }} elements straddle a kink, with $h = 0.01$ still {{ kinked[1e-2]:.0f}}, on average over the seeds, and from $10^{-3}$ down none. This is the reason to prefer a step that is a little too small.
#
# Look at the last column too. With $h = 10^{-6}$ a right network is off by ${{ power(noise[1e-6]) }}$, and a tolerance of $10^{-6}$ has no room left. Nothing is wrong. The derivation of [the best step](../foundations/gradient_checking.py#the-best-step) tells you in advance: the loss of ten classes begins at about $\ln 10$, its rounding is worth up to $\rho \ln 10 / h$, and an element whose gradient lies below [the floor](../foundations/gradient_checking.py#why-the-error-is-relative) is divided by $10^{-4}$. That makes ${{ power(level) }}$ at worst. A single layer with outputs near 1, and gradients near 1, has digits to spare; a whole network's loss has gradients of all sizes. Use $h = 10^{-5}$ there (${{ power(noise[1e-5]) }}$), or a tolerance of $10^{-5}$.
#
# ### A kink that the cache does not show
#
# A check can find kinks in two ways:
#
# - **Ask the forward pass.** Its cache holds the decisions that it took, and `gradient_check` compares those at $x + h$ with those at $x - h$.
# - **Ask both sides.** Where the one-sided slopes differ by much more than $h$, there is a kink. This needs no cache; [the certificates](checks.py) do it.
#
# The first cannot see a kink if the forward pass keeps no decision. Here a ReLU caches its *output*:


# %%
def relu_keeping_output(x):
    y, _ = nt.relu(x)
    return y, y


at_zero = [np.array([1.0, 0.0, -1.0])]
for name, f, f_backward in (
    ("keeps the mask", nt.relu, nt.relu_backward),
    ("keeps the output", relu_keeping_output, lambda dy, y: dy * (y > 0)),
):
    fresh = np.random.default_rng(SEED)
    report = gradient_check(f, f_backward, at_zero, rng=fresh, directions=0)
    print(f"{name:<17} kinks {report.kinks}, error {report.max_error:.0e}")
assert report.kinks == 0 and report.max_error == 1

# %% [markdown]
# Both backward passes are right, and the second is accused.
#
# ## Do errors pile up in a deep network?
#
# **The question.** Does a deeper network need a looser tolerance?
#
# **A prediction.** Each layer rounds, and each multiplies the rounding errors of the layers before it. So the error of a check should grow with the number of layers.
#
# The networks, on the same ten digits, have 1 to 64 hidden layers of 16 units, with tanh or ReLU, and five seeds each. There are two kinds of direction: twenty random ones, and the direction of the gradient itself.

# %% tags=["remove-input"]
depths = [1, 2, 4, 8, 16, 32, 64]


def deep(kind, depth, seed):
    draw, n, stack = np.random.default_rng(seed), 64, []
    begin = nt.xavier_normal if kind == "tanh" else nt.he_normal
    for _ in range(depth):
        stack += [nt.Linear(n, 16, rng=draw, dtype=np.float64, init=begin),
                  nt.Tanh() if kind == "tanh" else nt.ReLU()]
        n = 16
    return nt.Sequential(*stack, nt.Linear(16, 10, rng=draw, dtype=np.float64))


def along(f, arrays, grads, moves, h=1e-6):
    """Measured and computed slope along a direction, which is made one unit long."""
    length = np.sqrt(sum(np.sum(move**2) for move in moves))
    high, low = (f(*(a + sign * h / length * m for a, m in zip(arrays, moves, strict=True)))[0]
                 for sign in (1, -1))
    computed = sum(np.sum(g * m) for g, m in zip(grads, moves, strict=True)) / length
    return (high - low) / (2 * h), computed


depth_rows, fooled = {}, []
for kind, depth in product(("tanh", "relu"), depths):
    for seed in range(5):
        f, f_backward, arrays = loss_of(deep(kind, depth, seed))
        grads = f_backward(1.0, f(*arrays)[1])
        draw = np.random.default_rng(seed)
        pairs = np.array([along(f, arrays, grads, [draw.standard_normal(a.shape) for a in arrays])
                          for _ in range(20)])
        straight = along(f, arrays, grads, grads)
        without = [0 * g if i < 2 else g for i, g in enumerate(grads)]  # no first layer
        fooled.append(abs(np.divide(*along(f, arrays, without, without)) - 1))
        missed = np.median(np.abs(pairs[:, 0] - pairs[:, 1]))
        depth_rows.setdefault((kind, depth), []).append((
            missed, missed / rms(pairs[:, 1]), abs(straight[0] / straight[1] - 1),
            rms(pairs[:, 1]), sum(a.size for a in arrays), f(*arrays)[0]))
middle = {key: np.median(rows, axis=0) for key, rows in depth_rows.items()}

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(4.9, 3.8))
for kind, color, marker in (("tanh", "blue", "o"), ("relu", "orange", "s")):
    for column, style in ((1, "-"), (2, "--")):
        values = np.array([[row[column] for row in depth_rows[kind, depth]] for depth in depths])
        ax.plot(depths, np.median(values, 1), marker + style, color=COLORS[color], markersize=4)
        ax.fill_between(depths, values.min(1), values.max(1), color=COLORS[color], alpha=0.15,
                        linewidth=0)
ax.text(1.1, 2.2e-8, "random directions", va="bottom")
ax.text(1.1, 1.5e-12, "along the gradient", va="bottom")
ax.text(16, 1.3e-7, "● tanh", color=COLORS["blue"], ha="right")
ax.text(18, 1.3e-7, "■ ReLU", color=COLORS["orange"], ha="left")
ax.set(title="The direction matters more than the depth", xlabel="hidden layers",
       ylabel="relative error of the check", xscale="log", yscale="log", ylim=(1e-12, 4e-7))
ax.set_xticks(depths, [str(depth) for depth in depths])
ax.minorticks_off()
grown = {kind: [middle[kind, 64][c] / middle[kind, 1][c] for c in range(6)] for kind in
         ("tanh", "relu")}
gain = middle["tanh", 64][1] / middle["tanh", 64][2]
show(
    fig,
    name="depth",
    alt=(
        "Relative error of a check against the number of hidden layers. Along random directions it "
        f"grows {grown['tanh'][1]:.0f}-fold with tanh and {grown['relu'][1]:.0f}-fold with ReLU "
        "from 1 to 64 layers. Along the gradient's own direction it stays below two "
        "billionths at all depths."
    ),
    caption=(
        "Medians over five seeds, bands from the lowest to the highest; $h = 10^{-6}$. Solid: "
        "random directions; dashed: the direction of the gradient. The two kinds of line lie "
        "farther apart than either climbs."
    ),
)
assert all(0.3 < grown[kind][0] < 3 for kind in grown)
assert all(row[0] < 2.0**-53 * row[5] / 1e-6 for rows in depth_rows.values() for row in rows)
assert max(fooled) < 1e-7
assert all(2 < grown[kind][1] < 40 for kind in grown)
assert max(row[2] for rows in depth_rows.values() for row in rows) < 2e-9 and gain > 20

# %% [markdown]
# **The verdict.** The prediction is right about the relative error, and wrong about the reason. The *absolute* difference does not grow: at 64 layers it is {{ grown["tanh"][0]:.1f}} times that at one layer with tanh, and {{ grown["relu"][0]:.1f}} times with ReLU, and in every network its median over the directions stays below $\rho L/h$, the rounding of one number, the loss. What shrinks is what it is compared with. A random direction in $D$ dimensions is nearly at a right angle to the gradient, and sees about $1/\sqrt D$ of its length. From one layer to 64 the number of parameters grows {{ grown["tanh"][4]:.0f}}-fold, so you expect {{ grown["tanh"][4] ** -0.5:.2f}} of the slope. With tanh it is {{ grown["tanh"][3]:.2f}}, with ReLU, whose gradient is also shorter, {{ grown["relu"][3]:.2f}}. The relative error rises {{ grown["tanh"][1]:.0f}}-fold and {{ grown["relu"][1]:.0f}}-fold.
#
# Go along the gradient itself, and the slope is as large as a slope can be: at 64 layers of tanh the check is {{ gain:.0f}} times as exact. But this check is easy to fool. Set the gradient of the whole first layer to 0 and go along what is left: the slope in that direction *is* the length of what is left, and all {{ len(fooled) }} networks pass. Use the gradient's own direction after random ones, not instead.
#
# **What this does not show.** These networks are initialised well, so that signals neither die nor explode. Where they do, the gradients of some layers become so small that rounding can drown them. Check layer by layer, each with an upstream gradient of its own: that is what this book does.
#
# ## A check that changes what it checks
#
# `BatchNorm` in training mode moves its running statistics at every call. A check calls it twice for each element. The check passes, but the layer is another one now:

# %%
layer = nt.BatchNorm(3, dtype=np.float64)
fresh = np.random.default_rng(SEED)
x = 3 + fresh.standard_normal((5, 3))
before = layer(x)


def norm_backward(dy, cache):
    return layer.backward(dy, cache)[0]


report = gradient_check(layer.forward, norm_backward, [x], rng=fresh)
moved_by = np.abs(layer(x) - before).max()
print(f"error {report.max_error:.0e}; predictions moved by {moved_by:.1f}")
assert report.max_error < 1e-6 and moved_by > 1

# %% [markdown]
# Check the function `batch_norm`, which keeps nothing, or give the check a copy of the layer. And check the mode you train in. In evaluation the statistics are constants, and a backward pass that *takes* them for constants is right there:


# %%
def constants(dy, cache):
    """Wrong in training: the mean and the variance depend on x."""
    return norm_backward(dy, cache._replace(train=False))


for mode in ("evaluation", "training"):
    in_mode = partial(layer.forward, train=mode == "training")
    report = gradient_check(in_mode, constants, [x], rng=fresh)
    print(f"{mode}: relative error {report.max_error:.0e}")
    assert (report.max_error < 1e-6) == (mode == "evaluation")

# %% [markdown]
# ## Gradients that are tiny
#
# [The floor](../foundations/gradient_checking.py#why-the-error-is-relative) of the relative error has a price. With a tolerance of $10^{-6}$, a wrong element goes unnoticed if it is off by less than $10^{-6} \varphi$: by $10^{-10}$ or by a billionth of the largest element, whichever is more. Scale a loss by $10^{-12}$, and even zeros agree with its gradient. `np.allclose`, which allows $10^{-8}$ by default, lets them pass as well:


# %%
def tiny(x):
    return 1e-12 * x**2, x


def nothing(dy, x):
    return np.zeros_like(x)


fresh = np.random.default_rng(SEED)
x = fresh.standard_normal((5, 7))
report = gradient_check(tiny, nothing, [x], rng=fresh)
close = np.allclose(2e-12 * x, nothing(None, x))
print(f"allclose: {close}; our error: {report.max_error:.0e}")
assert close and report.max_error < 1e-6

# %% [markdown]
# A fixed floor assumes that outputs and gradients are about 1 in size. So make them so: draw the upstream gradient of that size, as `gradient_check` does, scale the loss, and do not check at the end of a long chain of small factors.
#
# ## In five lines
#
# - Truncation agrees with the derivation of the best step, and rounding stays below it, because the line is the worst that rounding can do.
# - The complex step subtracts nothing, so $h$ can be tiny; but every operation must take complex numbers and be analytic.
# - An upstream gradient of all ones is blind in certain places, and there no seed and no shape shows a mistake.
# - One random direction notices a gradient that is wrong in many elements; it dilutes a single wrong one among $D$ by about $1/\sqrt D$.
# - In a deep network the relative error rises because a random direction sees less of the gradient, not because the difference grows.
#
# ## Try it
#
# ??? question "1. You check a layer with one example, and it passes. Which mistakes may it have?"
#     Those that concern the batch: a forgotten $1/N$, a forgotten sum over the examples, rows in the wrong order. With one example all of them change nothing.
#
# ??? question "2. A wrong max pooling passes every check along random directions. What does it do?"
#     It may hand its gradient to all tied maxima. Away from ties that is right, and at a tie there is no slope to compare with. Compare it by value with another implementation.
#
# ??? question "3. Your check fails on 3 elements of 5,000, each with a relative error of about 1 or one half. The rest agree to $10^{-9}$. What do you look at first?"
#     At their inputs: are they within $h$ of a kink? Halve $h$. Elements that straddle a kink drop out one after the other, and a wrong formula stays wrong.
#
# ??? question "4. For the notebook: a difference whose error falls with $h^4$?"
#     Take the central difference with $h$ and with $2h$, and combine them so that the $h^2$ terms cancel: $\tfrac43 D(h) - \tfrac13 D(2h)$. Add it to `rules`, and to `looks` with a colour and a marker, and run the figure. Where is its best step, and how much does it gain? (It is called Richardson extrapolation.)
#
# ## Sources
#
# - Lyness and Moler (1967), *Numerical differentiation of analytic functions*, SIAM Journal on Numerical Analysis: derivatives by way of the complex plane.
# - Gill, Murray and Wright (1981), *Practical optimization*, Academic Press: the choice of $h$.
# - Squire and Trapp (1998), *Using complex variables to estimate derivatives of real functions*, SIAM Review: the complex step.
# - Press, Teukolsky, Vetterling and Flannery (2007), *Numerical recipes*, third edition, section 5.7: the best step, and steps that can be taken exactly.
# - Martins, Sturdza and Alonso (2003), *The complex-step derivative approximation*, ACM Transactions on Mathematical Software: how to write code for it, and what breaks it.
