# ---
# title: Checking gradients
# description: A wrong gradient raises no error and still learns a little, so you measure the slope. This page says with which step, with which random numbers, and how close is close enough.
# tags:
#   - foundations
# ---

# %% [markdown]
# # Checking gradients
#
# A wrong gradient raises no error. Often the loss still falls, only less far, and you look for the fault in the data or the learning rate. The remedy is old, and still good advice ([@bengio2012]): move an input a little, and see what the function does. How far should you move it? Why is smaller not better, and how close is close enough? And how can a check pass on a backward pass that returns nothing but zeros? This chapter answers all four.
#
# You need [the symbols of this book](notation.md) and [backpropagation by hand](chain_rule.py).

# %% tags=["hide-input"]
import inspect
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import torch

import nn_tutorial as nt
from nn_tutorial import gradient_check, relative_error
from nn_tutorial.pages.show import power
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style
from nn_tutorial.pages.slopes import (
    central,
    complex_step,
    error_of_right,
    forward,
    jacobian,
    one_per_layer,
)

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(4.8, 3.5))
line = np.linspace(0.9, 3.1, 200)
at, wide = 2.0, 0.8
ax.plot(line, line**3, color=COLORS["text"])
for slope, color, style, name in (
    (12.0, "green", "-", "tangent"),
    (((at + wide) ** 3 - at**3) / wide, "orange", "--", "forward"),
    (((at + wide) ** 3 - (at - wide) ** 3) / (2 * wide), "blue", ":", "central"),
):
    left = at if name == "forward" else at - wide
    base = (at, at**3) if name != "central" else (at - wide, (at - wide) ** 3)
    ends = np.array([left - 0.12, at + wide + 0.12])
    ax.plot(ends, base[1] + slope * (ends - base[0]), style, color=COLORS[color])
for x_mark in (at - wide, at, at + wide):
    ax.plot([x_mark], [x_mark**3], "o", color=COLORS["text"], markersize=5)
for text, place, color in (
    ("forward: slope 17.44", (2.3, 18.6), "orange"),
    ("central: slope 12.64", (1.0, 12.0), "blue"),
    ("tangent: slope 12", (2.35, 9.6), "green"),
):
    ax.text(*place, text, color=COLORS[color], ha="right" if color == "orange" else "left")
ax.set(title="Two ways to measure the slope of x³ at 2", xlabel="x", ylabel="f(x)",
       xticks=[at - wide, at, at + wide], xticklabels=["2 − h", "2", "2 + h"])
show(
    fig,
    name="secants",
    alt=(
        "The curve of x cubed with three lines at 2. The line through the points at 2 and 2 + h is "
        "much steeper than the tangent. The line through the points at 2 − h and 2 + h runs nearly "
        "parallel to the tangent."
    ),
    caption=(
        "With a step of $h = 0.8$, large enough to see. The dotted line does not touch the "
        "curve at 2, and yet its slope is nearly that of the tangent."
    ),
)
assert np.isclose(((at + wide) ** 3 - at**3) / wide, 17.44)
assert np.isclose(((at + wide) ** 3 - (at - wide) ** 3) / (2 * wide), 12.64)

# %% [markdown]
# ## Three ways to measure a slope
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $f$ | `f` | | the function whose slope is wanted |
# | $x$ | `x` | one number, later any shape | where it is wanted |
# | $h$ | `h` | one number, positive | the step |
# | $\rho$ | `rho` | one number | the rounding unit: $2^{-53}$ in float64, $2^{-24}$ in float32 |
# | $\partial L/\partial Y$ | `dy` | that of $y = f(x)$ | the upstream gradient, which *you* choose |
#
# The derivative is a limit. A program cannot take a limit, but it can stop on the way:
#
# $$f'(x) = \lim_{h \to 0} \frac{f(x + h) - f(x)}{h}$$
#
# Stop at some $h$, and you have the **forward difference**. Step to both sides, and you have the **central difference**. Step into the complex plane, and you have the [complex step](../verify/gradient_checks.py#the-complex-step-nothing-is-subtracted): nothing is subtracted, so $h$ can be tiny, but every operation on the way must take complex numbers.
#
# $$
# \begin{aligned}
# \text{forward:} \quad & \frac{f(x + h) - f(x)}{h} \\[4pt]
# \text{central:} \quad & \frac{f(x + h) - f(x - h)}{2h} \\[4pt]
# \text{complex step:} \quad & \frac{\operatorname{Im} f(x + ih)}{h}
# \end{aligned}
# $$

# %% tags=["remove-input"]
show_source(forward, central, complex_step)

# %% [markdown]
# For one number `step` is `h` itself; for an array, it says which element moves.
#
# ## With exact fractions
#
# Take $f(x) = x^3$ at $x = 2$, where the slope is $3 \cdot 2^2 = 12$. Multiply out:
#
# $$
# \begin{aligned}
# (2 + h)^3 &= 8 + 12h + 6h^2 + h^3 \\
# (2 - h)^3 &= 8 - 12h + 6h^2 - h^3
# \end{aligned}
# $$
#
# The forward difference takes 8 from the first line and divides by $h$. The central one takes the second line from the first and divides by $2h$:
#
# $$
# \begin{aligned}
# \text{forward:} \quad & 12 + 6h + h^2 \\
# \text{central:} \quad & 12 + h^2
# \end{aligned}
# $$
#
# The term $6h^2$ stands in both lines with the same sign, so the subtraction removes it. With $h = \tfrac1{10}$ it is off by $\tfrac1{100}$, the forward difference by $\tfrac{61}{100}$. With $h = 0.8$, as in [](#secants), they are off by $0.64$ and $5.44$. Python's fractions do not round, so these are equalities:

# %%
for h in (Fraction(1, 10), Fraction(1, 100)):
    x = Fraction(2)
    one_sided = forward(lambda x: x**3, x, h, h) - 3 * x**2
    two_sided = central(lambda x: x**3, x, h, h) - 3 * x**2
    assert one_sided == 3 * x * h + h**2
    assert two_sided == h**2
    print(f"h = {h}: off by {one_sided} and {two_sided}")

# %% [markdown]
# ## How far off, in general
#
# Only polynomials multiply out. For any function with enough derivatives, Taylor's theorem does the same:
#
# $$
# \begin{aligned}
# f(x \pm h) = f(x) &\pm h f'(x) + \frac{h^2}{2} f''(x) \\
# &\pm \frac{h^3}{6} f'''(x) + \dots
# \end{aligned}
# $$
#
# **Forward.** Subtract $f(x)$, divide by $h$. The slope is left, and the first term that does not belong:
#
# $$\frac{f(x + h) - f(x)}{h} = f'(x) + \frac{h}{2} f''(x) + \dots$$
#
# **Central.** Subtract the line with the minus signs from the line with the plus signs. All *even* terms are equal in both and disappear; the odd ones double. Divide by $2h$:
#
# $$\frac{f(x + h) - f(x - h)}{2h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots$$
#
# This is the **truncation error**: what it costs to stop before the limit. Halve $h$, and it halves for the forward difference; for the central one it becomes a quarter. Test it on the cube: $f'' = 6x$ and $f''' = 6$ give $3xh$ and $h^2$, as above.
#
# ## Why not the smallest h there is?
#
# If the error shrinks with $h$, why not take $h = 10^{-15}$? Look at the two numbers that are subtracted, for $f(x) = \ln(1 + e^x)$ at $x = 1$:


# %%
def softplus(x):
    return np.log1p(np.exp(x))


agree = []
for h in (1e-3, 1e-6, 1e-9, 1e-12):
    high, low = f"{softplus(1 + h):.15f}", f"{softplus(1 - h):.15f}"
    agree.append(sum(high[:i] == low[:i] for i in range(3, 18)) + 1)
    print(f"{h:.0e} {high} {low}")

# %% [markdown]
# A float64 holds about 16 digits. The closer the two points, the more of these agree, here {{ ", ".join(map(str, agree[:3])) }} and {{ agree[3] }}, and the subtraction throws away all that agree. What is left is the tail, and the end of the tail is rounding. Dividing by $2h$ scales it back to the size of a slope, noise and all.
#
# In symbols: the computer does not give $f(x)$ but $f(x)(1 + \theta)$, where a careful program has $|\theta|$ about as small as $\rho$. So each of the two values may be off by $\rho|f|$, whatever $h$ is. The difference may be off by twice that, and it is *divided by a small number*:
#
# $$
# \begin{aligned}
# \text{forward:} \quad & \frac{2\rho|f|}{h} \\[3pt]
# \text{central:} \quad & \frac{2\rho|f|}{2h} = \frac{\rho|f|}{h}
# \end{aligned}
# $$
#
# Truncation falls with $h$, rounding rises as $h$ falls. The best step lies between them.
#
# ### The best step
#
# Add the two errors of the central difference, and look for the smallest sum:
#
# $$E(h) = \frac{h^2}{6} |f'''| + \frac{\rho|f|}{h}$$
#
# At the minimum the derivative with respect to $h$ is 0: $\tfrac h3 |f'''| = \rho|f|/h^2$. Solve for $h$:
#
# $$\boxed{h^* = \sqrt[3]{3\rho\,\frac{|f|}{|f'''|}}}$$
#
# If $f$ and its derivatives are about 1, this is about $\sqrt[3]\rho$, in float64 ${{ power(np.cbrt(2.0**-53)) }}$, and two thirds of the digits are right. A forward difference gives half of them. [How far to trust a gradient check](../verify/gradient_checks.py#the-best-step-measured) derives and measures both errors. The package uses $h = 10^{-6}$, a little to the left of the best. That costs a digit, and buys fewer kinks.
#
# ## Many inputs, many outputs
#
# A layer has many outputs, and a slope needs one. So you play the rest of the network yourself: choose an upstream gradient $\partial L/\partial Y$, hold it fixed, and let the loss be
#
# $$L(x) = \sum_k \frac{\partial L}{\partial y_k}\, f_k(x)$$
#
# Its gradient with respect to $y$ is what you chose, and its gradient with respect to $x$ is what the backward pass must return. Move the elements of $x$ one by one, and you measure it: two evaluations of $f$ per element.
#
# With a pencil: $f(x) = (x_1 x_2,\ x_1^3)$ at $(2, 3)$, and $\partial L/\partial Y = (5, -1)$, so $L = 5 x_1 x_2 - x_1^3$. The gradient is $(5 x_2 - 3x_1^2,\ 5x_1) = (3, 10)$.

# %%
x = np.array([Fraction(2), Fraction(3)])
dy, h = np.array([5, -1]), Fraction(1, 10)


def loss(x):
    return dy @ [x[0] * x[1], x[0] ** 3]


elements = [central(loss, x, h * e, h) for e in np.eye(2, dtype=int)]
assert elements == [3 - h**2, 10]
print(*elements)

# %% [markdown]
# The error in the first is the truncation of $-x_1^3$. The second has none: $x_2$ enters as a straight line, and a central difference of a straight line is exact.
#
# As arrays: this function returns the whole Jacobian, transposed: a row for each element of $x$. Multiply it by any `dy`.

# %% tags=["remove-input"]
show_source(jacobian)

# %%
x, dy = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
measured = jacobian(lambda x: nt.softmax(x)[0], x) @ dy.ravel()
ours = nt.softmax_backward(dy, nt.softmax(x)[0])
apart = np.abs(measured - ours.ravel()).max()
print(f"softmax: largest difference {apart:.0e}")
assert apart < 1e-8

# %% [markdown]
# The package's `gradient_check` does all of this. Give it the forward pass, the backward pass and the arrays; it draws the upstream gradient itself:

# %%
names = ["x", "weight", "bias"]
arrays = [rng.standard_normal(shape) for shape in ((5, 3), (3, 7), 7)]
report = gradient_check(
    nt.linear, nt.linear_backward, arrays, rng=rng, names=names
)
print(report)
report.raise_if_above(1e-6)

# %% [markdown]
# Each array has a row. The last row is for three [random directions](../verify/gradient_checks.py#along-a-direction-two-evaluations) through all arrays at once. The right column is what counts. Here it is tiny, so the backward pass agrees with the slopes. In a test, `raise_if_above` raises an error if a number is too large. What is too large?
#
# ## Why the error is relative
#
# Is a difference of $10^{-7}$ large? Beside a gradient of 1, no. Beside a gradient of $10^{-7}$ it is everything. So it is divided by the size of the gradient. For a measured slope $a$ and a computed one $b$:
#
# $$
# \boxed{\begin{aligned}
# r &= \frac{|a - b|}{\max(|a|,\, |b|,\, \varphi)} \\[3pt]
# \varphi &= \max\big(10^{-4},\ 10^{-3} \max_d(|a_d|, |b_d|)\big)
# \end{aligned}}
# $$
#
# The maximum in $\varphi$ runs over all elements. The larger of the two slopes is in the denominator, so that neither is trusted more, and that $0$ against $3$ gives 1, not infinity. The floor $\varphi$ is there for gradients that should be 0: measured, they are rounding noise, and noise against 0 would be an error of 1.

# %% tags=["remove-input"]
show_source(relative_error)

# %% [markdown]
# [The floor has a price](../verify/gradient_checks.py#gradients-that-are-tiny): where all gradients are tiny, a wrong one passes.
#
# ## How close is close enough?
#
# Measure it. These are the book's layers, with inputs away from kinks, each right by [all other witnesses](../verify/verified.py). How far off does a check say they are?

# %% tags=["remove-input"]
layers = one_per_layer()
methods = {"central, float64": (central, 1e-6, "float64"),
           "complex step": (complex_step, 1e-30, "float64"),
           "central, float32": (central, 2.0**-7, "float32")}
right = {method: {} for method in methods}
for layer in layers:
    for method, (rule, h, dtype) in methods.items():
        worst = error_of_right(layer, rule, h, dtype=dtype, seed=SEED)
        if worst or method != "complex step":
            right[method][layer] = max(worst, 1e-17)

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 4.6))
order = sorted(layers, key=lambda name: right["central, float64"][name])
looks = {"central, float64": ("blue", "o"), "complex step": ("green", "^"),
         "central, float32": ("orange", "s")}
for method, (color, marker) in looks.items():
    for place, layer in enumerate(order):
        if layer in right[method]:
            ax.plot(right[method][layer], place, marker, color=COLORS[color], markersize=5)
top = {method: max(found.values()) for method, found in right.items()}
for method, place in (("complex step", 1e-15), ("central, float64", 3e-10),
                      ("central, float32", 8e-4)):
    color, marker = looks[method]
    ax.text(place, len(order) - 0.1, method.replace(", ", "\n"), color=COLORS[color],
            ha="center", va="bottom", fontsize=9)
ax.set(xscale="log", xlim=(3e-18, 1), ylim=(-0.6, len(order) + 1.3),
       xlabel="largest relative error", title="What a check says of right gradients")
ax.set_yticks(range(len(order)), [name.replace("_", " ") for name in order])
ax.axvline(1e-6, color=COLORS["muted"], linestyle="--", linewidth=1)
ax.text(1.3e-6, -0.35, "10⁻⁶", color=COLORS["muted"], fontsize=8.5)
show(
    fig,
    name="right-layers",
    alt=(
        "The layers of the book, one per row, on a logarithmic axis of relative error. Complex step: "
        f"at most {top['complex step']:.0e}. Central differences in float64: at most "
        f"{top['central, float64']:.0e}. Central differences in float32: at most "
        f"{top['central, float32']:.0e}."
    ),
    caption=(
        "What a check says about gradients that are right. Any distance from 0, which is "
        "drawn at the left end, is the checker's own error. Float32, the squares, leaves so "
        "little room that a small mistake hides in the noise."
    ),
)
assert top["complex step"] < 1e-12 and top["central, float64"] < 1e-6
assert top["central, float32"] > 1e3 * top["central, float64"]
gradcheck = inspect.signature(torch.autograd.gradcheck).parameters
assert [gradcheck[key].default for key in ("eps", "rtol", "atol")] == [1e-6, 1e-3, 1e-5]
assert top["central, float32"] < 1e-2

# %% [markdown]
# | Check | Largest error of a right layer | A tolerance that leaves room |
# |---|---|---|
# | complex step, float64, $h = 10^{-30}$ | ${{ power(top["complex step"]) }}$ | $10^{-9}$, the book's |
# | central, float64, $h = 10^{-6}$ | ${{ power(top["central, float64"]) }}$ | $10^{-6}$, the book's |
# | central, float32, $h = 2^{-7}$ | ${{ power(top["central, float32"]) }}$ | $10^{-2}$: large mistakes only |
#
# PyTorch's `gradcheck` takes double precision and the same step, and by default accepts what is off by $10^{-3}$ of the gradient plus $10^{-5}$. Most mistakes are far larger. But a batch normalisation whose backward pass [forgets the $\varepsilon$](../verify/gradient_checks.py#a-small-mistake-no-epsilon-under-the-root) under the root passes at $10^{-3}$.
#
# ## Who notices? The upstream gradient
#
# `dy` is yours to choose, and the laziest choice is all ones: the loss is then the plain sum of the outputs, as in many a test. Try it on a softmax whose backward pass has not been written yet:

# %%
def returns_zeros(dy, cache):
    return np.zeros_like(dy)


scores = rng.standard_normal((5, 3))
table = jacobian(lambda x: nt.softmax(x)[0], scores)
for name, dy in (("ones", np.ones(15)), ("random", rng.standard_normal(15))):
    size = np.abs(table @ dy).max()
    print(f"{name:<7} measured gradient at most {size:.0e}")
assert np.abs(table @ np.ones(15)).max() < 1e-8

# %% [markdown]
# The probabilities of a row sum to 1, so the sum of all outputs is the constant {{ len(scores) }}. **Its gradient is 0, and so zeros are right.** Batch normalisation is the same: its outputs have the mean $\beta$.
#
# Ones also cannot tell an output from its neighbour: they pass a backward pass that [gives each example the gradient of the one before it](../verify/gradient_checks.py#all-ones-cannot-tell-neighbours-apart). In [an experiment with forty wrong backward passes](../verify/gradient_checks.py#the-experiment-forty-wrong-backward-passes), all ones missed such mistakes with every seed and every shape.
#
# [The input](../verify/gradient_checks.py#who-notices-the-input) matters as much. One example hides a forgotten sum over the batch.
#
# ## At a kink there is no slope
#
# ReLU and max pooling have kinks, where the slope jumps. If the kink lies between $x - h$ and $x + h$, the difference averages the two slopes:

# %% tags=["remove-input"]
h = 1e-6
relative = np.linspace(-2, 2, 401)
place = relative * h


def relu_value(x):
    return nt.relu(x)[0]


two_sided, one_sided = (rule(relu_value, place, h, h) for rule in (central, forward))
backward_pass = nt.relu_backward(np.ones_like(place), nt.relu(place)[1])
misses = [relative_error(np.array([a]), np.array([b]))
          for a, b in zip(backward_pass, two_sided, strict=True)]
samples = np.array([-1.5, -1.1, -0.8, -0.4, 0.0, 0.4, 0.8, 1.1, 1.5])
found = gradient_check(nt.relu, nt.relu_backward, [samples * h], rng=rng, directions=0)
kinked = [index for (index,) in found.arguments[0].kinks]
assert kinked == [2, 3, 4, 5, 6] and found.max_error < 1e-8

# %% tags=["remove-input"]
fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 5.2), sharex=True, height_ratios=[3, 2])
for ax in (upper, lower):
    ax.axvspan(-1, 1, color=COLORS["grid"], alpha=0.5, linewidth=0)
for side in (relative <= 0, relative > 0):
    upper.plot(relative[side], backward_pass[side], color=COLORS["green"])
upper.plot(relative, two_sided, ":", color=COLORS["blue"])
upper.plot(relative, one_sided, "--", color=COLORS["orange"])
upper.text(-0.62, 0.62, "forward", color=COLORS["orange"], ha="right")
upper.text(0.42, 0.57, "central", color=COLORS["blue"])
upper.text(1.1, 0.87, "backward pass", color=COLORS["green"], fontsize=9)
upper.set(title="Within h of a kink, a difference is no slope", ylabel="slope", ylim=(-0.1, 1.1))
lower.plot(relative, misses, color=COLORS["blue"])
for index, value in enumerate(samples):
    lower.plot(value, -0.18, "x" if index in kinked else "o", color=COLORS["text"], markersize=5,
               clip_on=False)
lower.text(0, -0.42, "× at a kink     ● compared", ha="center", va="center", fontsize=9)
lower.set(ylabel="relative error,\ncentral", xlabel="distance of x from the kink, in units of h",
          ylim=(-0.6, 1.15), yticks=[0, 0.5, 1])
show(
    fig,
    name="kink",
    alt=(
        "Above, slopes against the distance from the kink in units of h. The backward pass jumps "
        "from 0 to 1 at 0; the central difference climbs in a straight line from −1 to 1, the "
        "forward one from −1 to 0. Below, the relative error of the central difference: 1 between "
        "−1 and 0, then falling from one half to 0 at 1. Of nine sample points the five within "
        "the band are marked as at a kink, four as compared."
    ),
    caption=(
        "The shaded band is $|x| < h$. In the lower plot, a right gradient fails inside the band "
        "by up to 1; outside it is right to rounding. The package marks the points inside "
        "and compares the others."
    ),
)
assert np.isclose(max(misses), 1) and max(np.array(misses)[np.abs(relative) > 1.01]) < 1e-8

# %% [markdown]
# The error depends on $x/h$ alone. No tolerance saves you: a smaller $h$ only makes the band narrower. So a check has to *find* kinks. `gradient_check` asks the forward pass. Its cache holds the decisions it took: the mask of a ReLU, the winner of a pooling window. If they differ between $x + h$ and $x - h$, a kink lies between. Then the element is left out and counted, and the check fails unless you allow it.

# %%
at_zero = [np.array([1.0, 0.0, -1.0])]
report = gradient_check(nt.relu, nt.relu_backward, at_zero, rng=rng)
print(report)
assert report.kinks == 1

# %% [markdown]
# The 0 is at the kink, and all three directions cross it. A forward pass that [keeps no decision](../verify/gradient_checks.py#a-kink-that-the-cache-does-not-show) hides its kinks, and a right formula is accused. So if a few elements fail, by one half or one whole, look at how near to 0 their inputs are before you rewrite the formula.
#
# In [a network on real digits](../verify/gradient_checks.py#how-often-is-a-kink-met) many elements straddle a kink if $h$ is large, none if it is small. That is why the package's step is a little too small. For a network's loss, whose gradients have all sizes, take $h = 10^{-5}$.
#
# ## Four ways to fool yourself
#
# **A function that is not a function.** A dropout that draws a new mask at each call gives two unrelated numbers, and their difference is divided by $10^{-6}$:

# %%
x = rng.standard_normal((5, 7))
shared = np.random.default_rng(SEED)


def fresh(x):
    return nt.dropout(x, 0.4, shared)


def fixed(x):
    return nt.dropout(x, 0.4, np.random.default_rng(SEED))


for f in (fresh, fixed):
    report = gradient_check(f, nt.dropout_backward, [x], rng=rng, directions=0)
    same = (f(x)[0] == f(x)[0]).all()
    print(f"{f.__name__}: error {report.max_error:.0e}, twice the same: {same}")
    assert same == (report.max_error < 1e-8) == (f is fixed)

# %% [markdown]
# If a backward pass of one line gives an error of about 1, call the forward pass twice and compare before you look at the formula.
#
# **The input that was moved and not put back.** Many a check adds $h$ in place, subtracts $2h$, and adds $h$ again, to save a copy:

# %%
def careless(f, x, h=1e-6):
    slopes = []
    for i in np.ndindex(x.shape):
        x[i] += h
        high = f(x)
        x[i] -= 2 * h
        low = f(x)
        x[i] += h
        slopes.append(np.sum(high - low) / (2 * h))
    return np.array(slopes)


x = rng.standard_normal((5, 7))
before = x.copy()
flatten = careless(lambda x: x.reshape(-1), x)
print(f"slopes of a reshape: {set(flatten.tolist())}, it should be 1")
print(f"elements changed for good: {(x != before).sum()} of {x.size}")
assert (flatten == 0).all() and (x != before).any()

# %% [markdown]
# Two faults in one. A reshape returns a *view*, so `high` and `low` are the same memory and their difference is 0. And $x + h - 2h + h$ is not $x$. `gradient_check` works on copies throughout.
#
# **Only `dx`.** A layer returns a gradient for each of its arrays. Check the input alone, and a bias whose gradient was not summed goes unnoticed:

# %%
def not_summed(dy, cache):
    """Wrong: db of the first example alone."""
    dx, dweight, _ = nt.linear_backward(dy, cache)
    return dx, dweight, dy[0]


x, w, b = (rng.standard_normal(shape) for shape in ((5, 3), (3, 7), 7))
alone = gradient_check(
    lambda x: nt.linear(x, w, b), lambda dy, c: not_summed(dy, c)[0], [x], rng=rng
)
names = ["x", "weight", "bias"]
together = gradient_check(nt.linear, not_summed, [x, w, b], rng=rng, names=names)
print(f"x alone: relative error {alone.max_error:.0e}")
print(together)
assert alone.max_error < 1e-6 < 0.1 < together.arguments[2].max_error
assert together.arguments[1].max_error < 1e-6

# %% [markdown]
# **The penalty that hides it.** Check a loss with a large L2 penalty, and what you check is the penalty. Here the gradient of the data is twice too large, and the penalty's is right ([@li2016] warns of it):

# %%
w = rng.standard_normal(50)
features, target = rng.standard_normal((2, 50))


def loss(w, penalty):
    return 0.5 * (features @ w - target[0]) ** 2 / 50 + 0.5 * penalty * w @ w


def twice(w, penalty):
    """Wrong: the gradient of the data is twice as large as it should be."""
    return 2 * (features @ w - target[0]) * features / 50 + penalty * w


for penalty in (0.0, 100.0, 1e6):
    steps = 1e-5 * np.eye(50)
    measured = [(loss(w + e, penalty) - loss(w - e, penalty)) / 2e-5 for e in steps]
    error = relative_error(np.array(measured), twice(w, penalty))
    print(f"penalty {penalty:g}: relative error {error:.0e}")
    assert error > 0.1 or penalty
assert error < 1e-5

# %% [markdown]
# Check the loss without the penalty first, and then the penalty alone.
#
# There are [more](../verify/gradient_checks.py#too-large-too-small-rounded-away): steps that are rounded away, float32, a check that changes the layer.
#
# ## A list to keep
#
# 1. float64, central, $h = 10^{-6}$ for a layer, $10^{-5}$ for a network's loss.
# 2. A random upstream gradient of both signs and size 1, more than once.
# 3. Sizes that differ, two or more examples, numbers of both signs, parameters away from where they begin.
# 4. All arguments, in the mode in which you train, on copies, without fresh randomness.
# 5. Relative error below $10^{-6}$. Up to about $10^{-3}$: look for a forgotten $\varepsilon$, a float32 on the way, an unsuitable step. Above that, and at no kink: the gradient is wrong.
# 6. Kinks counted, not ignored.
#
# ## In five lines
#
# - Move an input a little to both sides: the difference of the losses, divided by the distance, is nearly the slope.
# - A smaller step cuts off less and rounds more; the best step lies in between.
# - Divide the difference by the size of the gradient: below $10^{-6}$ the two agree, and far above it, at no kink, the gradient is wrong.
# - Check with a random upstream gradient, sizes that all differ, and values away from kinks.
# - A check can pass a wrong gradient, so break yours on purpose once and see that it is caught.
#
# ## Try it
#
# ??? question "1. The error of a central difference is $10^{-8}$ at $h = 10^{-3}$. What is it at $h = 10^{-4}$?"
#     $10^{-10}$: truncation goes with $h^2$. Rounding is still far below it, at about $10^{-16}/10^{-4} = 10^{-12}$.
#
# ??? question "2. With a pencil: the central difference of $x^2$ at any $x$ and with any $h$?"
#     $\frac{(x + h)^2 - (x - h)^2}{2h} = \frac{4xh}{2h} = 2x$, exactly. Its error has the third derivative as a factor, and that is 0. So a check with squares says nothing about your $h$.
#
# ??? question "3. A check of a softmax passes with an upstream gradient of all ones. What have you learnt?"
#     That your backward pass returns about 0 where it should return 0. A function that always returns 0 does so too.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("numerical_gradient")

# %% [markdown]
# ## Sources
#
# - Li, Karpathy and Johnson (2016), *CS231n: convolutional neural networks for visual recognition*, course notes, Stanford University: the penalty that hides a mistake.
# - Bengio (2012), *Practical recommendations for gradient-based training of deep architectures*, in Neural Networks: Tricks of the Trade: gradient checks in practice.
