# ---
# title: Batch normalisation
# description: Every feature gets mean 0 and variance 1 over the batch, so each example affects all the others; here is the backward pass in full, and which of the layer's promises an experiment bears out.
# tags:
#   - layers
# ---

# %% [markdown]
# # Batch normalisation
#
# Each layer works on the output of the layer below, which training changes all the time. Batch normalisation ([@ioffe2015]) subtracts the mean of every feature and divides by its spread, both measured on the current batch. You will derive its backward pass, in which every example affects every other, see why it is two functions in one layer, and test which of its promises survive an experiment.
#
# You need [the symbols of this book](../foundations/notation.md), [backpropagation by hand](../foundations/chain_rule.py) and [the linear layer](linear.py).

# %% tags=["hide-input"]
import copy
from fractions import Fraction
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import stats

from nn_tutorial import (
    SGD,
    BatchNorm,
    batch_norm,
    batch_norm_backward,
    digits,
    evaluate,
    fit,
    fit_many,
    gradient_check,
    mlp,
    softmax_cross_entropy,
)
from nn_tutorial.pages.show import (
    certificate_figure,
    power,
    show_certificate,
    show_derivation,
    show_equations,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

# %% tags=["remove-input"]
before = np.array([1.0, 3.0, 4.0, 5.0, 7.0])
after = np.array([11.0, 3.0, 4.0, 5.0, 7.0])
fig, axes = plt.subplots(2, 1, figsize=(4.8, 4.2), sharex=True)
for ax, values, title in (
    (axes[0], before, "A batch of five comes in"),
    (axes[1], after, "Move one, and all five outputs move"),
):
    out = (values - values.mean()) / values.std()
    for value, place in zip(values, out, strict=True):
        moved = value == after[0]
        ax.plot([value, place], [1, 0], color=COLORS["muted"], linewidth=0.9)
        ax.plot(value, 1, "s" if moved else "o", color=COLORS["orange" if moved else "blue"])
        ax.plot(place, 0, "s" if moved else "o", color=COLORS["orange" if moved else "blue"])
        ax.text(value, 1.13, f"{value:g}", ha="center", va="bottom")
    if ax is axes[1]:
        old = (before - before.mean()) / before.std()
        ax.plot(old, np.full(5, -0.27), "|", color=COLORS["text"], markersize=9)
        ax.text(old.max() + 0.35, -0.27, "before", va="center")
        ax.plot(before[0], 1, "s", markerfacecolor="none", color=COLORS["orange"])
    ax.set(title=title, yticks=[1, 0], yticklabels=["x", "normalised"], ylim=(-0.45, 1.55))
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)
axes[1].set_xlabel("value")
moved_by = np.abs((after - after.mean()) / after.std() - old)
show(
    fig,
    name="neighbours",
    live="batch-norm",
    alt=(
        "Two plots of five points that are carried from their values to normalised values around "
        "0. Above, 1, 3, 4, 5, 7. Below, the first is 11 instead, and all five normalised values "
        "have moved, though four inputs are the same."
    ),
    caption=(
        "Five values of one feature, and what becomes of them. When only one of them moves, here "
        "the square from 1 to 11, all five outputs move. The strokes are where they were before. "
        "Where your browser runs scripts, you can drag the points, or "
        "go to one with the Tab key and use the arrows. Evaluation, and what is remembered for it, "
        "are explained [further down](#two-functions-in-one-layer)."
    ),
)
assert moved_by.min() > 0.5

# %% [markdown]
# ## One mean and one variance for each feature
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, D)$ | the input, one example per row |
# | $\mu$ | `mean` | $(D)$ | mean of each column |
# | $\sigma^2$ | `var` | $(D)$ | variance of each column, divided by $N$ |
# | $\varepsilon$ | `eps` | one number | keeps the root away from 0, $10^{-5}$ |
# | $\rho$ | `inv_std` | $(D)$ | $1/\sqrt{\sigma^2 + \varepsilon}$ |
# | $\hat X$ | `xhat` | $(N, D)$ | the normalised input |
# | $\gamma$, $\beta$ | `weight`, `bias` | $(D)$ | scale and shift, to be learnt |
# | $Y$ | `y` | $(N, D)$ | the output |
#
# All other layers in this book treat each example by itself. This one runs down the *columns*:
#
# $$\hat x_{nd} = (x_{nd} - \mu_d)\,\rho_d, \qquad y_{nd} = \gamma_d\, \hat x_{nd} + \beta_d$$
#
# Why $\gamma$ and $\beta$? So that nothing is forbidden. A feature that needs another mean or spread can have it: with $\gamma = \sigma$ and $\beta = \mu$ even the old ones. But now these are two numbers that are learnt, and no longer a by-product of all the layers below.
#
# ## Five numbers by hand
#
# One feature, five examples, $\gamma = 4$, $\beta = 1$, and $\varepsilon = 0$ so that the numbers stay whole:
#
# | Example | 1 | 2 | 3 | 4 | 5 | |
# |---|---|---|---|---|---|---|
# | $x$ | 1 | 3 | 4 | 5 | 7 | mean $\mu = 4$ |
# | $x - \mu$ | $-3$ | $-1$ | 0 | 1 | 3 | sum 0 |
# | $(x - \mu)^2$ | 9 | 1 | 0 | 1 | 9 | mean $\sigma^2 = 4$, so $\rho = \tfrac12$ |
# | $\hat x$ | $-\tfrac32$ | $-\tfrac12$ | 0 | $\tfrac12$ | $\tfrac32$ | sum 0, squares 5 |
# | $y$ | $-5$ | $-1$ | 1 | 3 | 7 | $4 \hat x + 1$ |
#
# Now backward. The layer's own parameters are quick: $\beta$ was added to all five, $\gamma$ multiplied all five, so both gradients sum over the batch.
#
# | Example | 1 | 2 | 3 | 4 | 5 | |
# |---|---|---|---|---|---|---|
# | $\partial L/\partial y$ | 0 | 2 | $-1$ | 0 | 4 | $\partial L/\partial \beta = 5$ |
# | times $\hat x$ | 0 | $-1$ | 0 | 0 | 6 | $\partial L/\partial \gamma = 5$ |
# | $\partial L/\partial x$ | 1 | 3 | $-4$ | $-3$ | 3 | sum 0 |
#
# The last row is the subject of this page. Look at the first and the fourth example: their upstream gradient is *0*, and yet they pass on 1 and $-3$. They helped to make the mean and the variance, and so they had a part in the other outputs.

# %%
x = np.array([[1.0], [3.0], [4.0], [5.0], [7.0]])
gamma, beta = np.array([4.0]), np.array([1.0])
dy = np.array([[0.0], [2.0], [-1.0], [0.0], [4.0]])

y, cache = batch_norm(x, gamma, beta, eps=0.0)
dx, dgamma, dbeta = batch_norm_backward(dy, cache)

assert (cache.mean == 4).all() and (cache.var == 4).all()
assert (cache.inv_std == 1 / 2).all()
assert (cache.xhat.ravel() == [-3 / 2, -1 / 2, 0, 1 / 2, 3 / 2]).all()
assert (y.ravel() == [-5, -1, 1, 3, 7]).all()
assert (dgamma == 5).all() and (dbeta == 5).all()
assert (dx.ravel() == [1, 3, -4, -3, 3]).all()

# %% [markdown]
# ## Backward through the graph, node by node
#
# Write the layer as operations so small that each has a slope you know. With $\tilde x = x - \mu$ the input is used **twice** (in the mean, and in the difference), and $\tilde x$ is used twice as well (in the variance, and in the product). [Where two roads meet, gradients add](../foundations/chain_rule.py).

# %%
def through_the_graph(dy, x, gamma, eps=0.0):
    """Forward with every node kept, then back over each edge."""
    N = len(x)
    mean = x.mean(axis=0)
    centred = x - mean
    squares = centred**2
    var = squares.mean(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    xhat = centred * inv_std  # and y = γ x̂ + β

    dxhat = dy * gamma  # y = γ x̂ + β
    dinv_std = (dxhat * centred).sum(axis=0)  # x̂ = x̃ρ, one ρ for all: a sum
    dvar = dinv_std * (-1 / 2) * inv_std**3  # ρ = (σ² + ε) to the power −1/2
    dsquares = np.ones_like(x) * dvar / N  # σ² is a mean: shares of 1/N

    direct = dxhat * inv_std  # first road into x̃: x̂ = x̃ρ
    by_var = dsquares * 2 * centred  # second road: the slope of a square
    dcentred = direct + by_var

    # x̃ = x − μ, one μ for all: a sum, with a minus; a term for each road
    dmean = -direct.sum(axis=0) - by_var.sum(axis=0)
    by_mean = np.ones_like(x) * dmean / N  # μ is a mean: shares of 1/N
    dx = dcentred + by_mean  # two roads into x: by x̃, and by μ
    return dx, locals()


graph_dx, node = through_the_graph(dy, x, gamma)
assert (graph_dx == dx).all()

# %% [markdown]
# Each line undoes one line of the forward pass. A value that was *spread* over the batch (as $\mu$ and $\rho$ were) collects a sum on the way back; a value that was a *mean* deals out shares of $1/N$. Here are all the numbers:

# %% tags=["remove-input"]
def row(values):
    """A column of the example as text, exact."""
    parts = [str(Fraction(float(v))).replace("-", "−") for v in np.ravel(values)]
    if len(parts) > 1 and len(set(parts)) == 1:
        return f"each {parts[0]}"
    return f"({', '.join(parts)})" if len(parts) > 1 else parts[0]


node |= {"x": x, "dx": graph_dx, "y": y, "dy": dy}
fig, ax = plt.subplots(figsize=(5.0, 6.9))
boxes = {  # name: place, width, label
    "x": (0, 7.6, 2.4, "x"), "mean": (3.1, 6.5, 1.6, "μ"), "centred": (0, 5.4, 2.4, "x̃ = x − μ"),
    "squares": (3.1, 4.5, 1.7, "x̃²"), "var": (3.1, 3.25, 1.6, "σ²"),
    "inv_std": (3.1, 2.0, 1.6, "ρ = 1/σ"), "xhat": (0, 1.25, 2.4, "x̂ = x̃ρ"),
    "y": (0, -0.45, 2.4, "y = 4x̂ + 1"),
}
for name, (left, up, width, label) in boxes.items():
    ax.add_patch(plt.Rectangle((left - width / 2, up - 0.36), width, 0.72, fill=False,
                               edgecolor=COLORS["muted"], linewidth=0.9))
    ax.text(left, up + 0.41, label, ha="center", va="bottom", fontsize=9)
    ax.text(left, up + 0.16, row(node[name]), ha="center", va="center", color=COLORS["blue"])
    ax.text(left, up - 0.18, row(node["d" + name]), ha="center", va="center",
            color=COLORS["orange"], fontweight="bold")


def edge(start, end, text="", at=(0, 0), ha="left"):
    """An arrow of the forward pass, and the gradient that comes back along it."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": COLORS["muted"],
                                            "shrinkA": 0, "shrinkB": 0})
    ax.text(*at, text, ha=ha, va="center", color=COLORS["orange"], fontsize=9)


edge((-0.6, 7.24), (-0.6, 5.76), row(node["dcentred"]), (-0.5, 6.6))
edge((1.2, 7.6), (2.6, 6.86), row(node["by_mean"]), (1.95, 7.5))
edge((2.3, 6.5), (1.2, 5.6), row(node["dmean"]), (1.9, 5.85))
edge((-0.6, 5.04), (-0.6, 1.61), row(node["direct"]), (-0.5, 3.6))
edge((1.2, 5.3), (2.6, 4.86), row(node["by_var"]), (1.55, 5.33))
edge((3.1, 4.14), (3.1, 3.9))
edge((3.1, 2.89), (3.1, 2.65))
edge((2.3, 1.85), (1.2, 1.35))
edge((-0.6, 0.89), (-0.6, -0.09))
ax.set(xlim=(-1.3, 4.1), ylim=(-0.95, 8.4))
ax.axis("off")
show(
    fig,
    name="graph",
    alt=(
        "The graph of the layer with the numbers of the example. x goes to the mean and to the "
        "centred values; those go to the squares, the variance and ρ, and to the normalised "
        "values; these to y. Gradients come back: (0, 2, −1, 0, 4) at y, 40 at ρ, −5/2 at the "
        "variance, −10 at the mean, and (1, 3, −4, −3, 3) at x."
    ),
    caption=(
        "In each box the value, blue, and below it its gradient, bold and orange. Beside the "
        "arrows: what comes back along each of two roads that meet. The gradient of $x$ is "
        "that of $\\tilde x$ minus 2 everywhere."
    ),
)
assert (node["dinv_std"] == 40).all() and (node["dvar"] == -5 / 2).all()
assert (node["direct"].ravel() == [0, 4, -2, 0, 8]).all()
assert (node["by_var"].ravel() == [3, 1, 0, -1, -3]).all()
assert (node["dmean"] == -10).all() and node["by_var"].sum() == 0

# %% [markdown]
# One thing is easily forgotten. The variance was computed *from* the mean. So the mean reaches the loss over two roads, directly and through the variance, and both belong in `dmean`. But the second brings nothing: `by_var` is $(3, 1, 0, -1, -3)$, and its sum is 0. This is no accident of the numbers. Each entry is a constant times $x - \mu$, and those always sum to 0. There is a reason to remember, too: as a function of $c$, the mean of $(x - c)^2$ is *smallest* at $c = \mu$, and at a minimum the slope is 0.
#
# ## From the graph to one line
#
# That is ten lines, and most of them go through the array once more. Now substitute them into each other. We look at one column, so the index $d$ is left out; write $g_n = \gamma\, \partial L/\partial y_n$ for the upstream gradient at $\hat x_n$.
#
# **One number.** If the batch did not matter, $\hat x = (x - \mu)\rho$ would be a straight line, and the slope would be $\rho$. So $g_n \rho$ is the direct road, and two corrections follow.
#
# **Through the variance.** Put `dinv_std`, `dvar` and `dsquares` into `by_var`:
#
# $$\begin{aligned}
# \texttt{by\_var}_n &= -\tfrac12 \rho^3 \Big(\sum_m g_m \tilde x_m\Big) \cdot \tfrac1N \cdot 2 \tilde x_n\\
# &= -\frac{\rho}{N}\, (\rho\, \tilde x_n) \sum_m g_m\, (\rho\, \tilde x_m)\\
# &= -\frac{\rho}{N}\, \hat x_n \sum_m g_m \hat x_m
# \end{aligned}$$
#
# The 2 and the $\tfrac12$ cancel, and the three factors $\rho$ find their places: two of them make $\tilde x$ into $\hat x$, one stays outside.
#
# **Through the mean.** The sum of `by_var` is 0, so only the direct road is left:
#
# $$\texttt{by\_mean}_n = \frac1N\, \texttt{dmean} = -\frac{\rho}{N} \sum_m g_m$$
#
# **All three roads:**
#
# $$\frac{\partial L}{\partial x_n} = \rho \Big( g_n - \frac1N \sum_m g_m - \frac{\hat x_n}{N} \sum_m g_m \hat x_m \Big)$$
#
# The same in one chain, with the index of the feature. The first line is the chain rule over all examples $m$; its bracket is the Jacobian $\partial \hat x_m/\partial x_n$ without its factor $\rho$. The build compares each line with the one before, and the first with the code. ($M$ is $N$ again: the number of examples that $m$ runs over.)

# %% tags=["remove-input"]
show_derivation("batch_norm")

# %% [markdown]
# The sums over the batch have been computed already, for $\beta$ and $\gamma$. Nothing new is left to add up:
#
# <!-- equation batch-norm-backward -->
#
# $$\boxed{\begin{aligned}
# \frac{\partial L}{\partial X} = \gamma \rho \odot \Big( &\frac{\partial L}{\partial Y} - \frac1N \frac{\partial L}{\partial \beta}\\
# & - \frac1N\, \hat X \odot \frac{\partial L}{\partial \gamma} \Big)
# \end{aligned}}$$
#
# The shapes agree: $(N, D)$ arrays in the bracket, and $(D)$ vectors that are spread over the rows. By hand: $\gamma\rho = 2$, both sums are 5, so $\partial L/\partial x = 2\,(\partial L/\partial y - 1 - \hat x)$. For the third example that is $2(-1 - 1 - 0) = -4$.
#
# Graph and closed form, on a random array:

# %%
batch = rng.standard_normal((7, 3)) * 2 + 1
scale, shift = rng.standard_normal(3), rng.standard_normal(3)
from_above = rng.standard_normal((7, 3))
_, kept = batch_norm(batch, scale, shift)
closed = batch_norm_backward(from_above, kept)[0]
walked = through_the_graph(from_above, batch, scale, eps=1e-5)[0]
print(f"they differ by at most {np.abs(closed - walked).max():.0e}")
assert np.allclose(closed, walked, rtol=0, atol=1e-14)

# %% [markdown]
# ## The code says the same
#
# `dx` begins as $-\hat X \odot \tfrac1m\,\partial L/\partial\gamma$, gets $\partial L/\partial Y$ and $-\tfrac1m\,\partial L/\partial\beta$ added, and is multiplied by $\gamma\rho$: [](#batch-norm-backward), read from the end. (`m` is $N$ here; for images it is more, see below.)

# %% tags=["remove-input"]
show_source(batch_norm, batch_norm_backward)

# %% tags=["remove-input"]
show_equations("batch_norm", "mu", "sigma2", "Xhat", "Y", "dgamma", "dbeta", "dX")

# %% [markdown]
# As an `einsum`: what is missing on the right of the arrow is summed, and that is $n$.

# %%
assert (np.einsum("nd,nd->d", dy, cache.xhat) == dgamma).all()
assert (np.einsum("nd->d", dy) == dbeta).all()

# %% [markdown]
# ## What the gradient cannot do
#
# The box takes two things away from the upstream gradient: its mean, and its part along $\hat x$. What is left is orthogonal to both. It has to be. Add one constant to the whole column, and no output changes; stretch the column about its mean, and no output changes either. In these two directions the loss is flat.

# %% tags=["remove-input"]
pieces = [
    (dy, "The upstream gradient: ∂L/∂y", "blue"),
    (np.full_like(dy, dbeta[0] / 5), "Taken away: its mean", "muted"),
    (cache.xhat * dgamma / 5, "Taken away: its part along x̂", "muted"),
    (dx / 2, "What is left: ∂L/∂x, without γρ", "orange"),
]
fig, axes = plt.subplots(4, 1, figsize=(4.4, 5.4), sharex=True, sharey=True)
for ax, (values, title, color) in zip(axes, pieces, strict=True):
    ax.bar(range(1, 6), values.ravel(), color=COLORS[color], alpha=0.75, width=0.6)
    for n, value in enumerate(values.ravel(), 1):
        ax.text(n, value + (0.25 if value >= 0 else -0.25), f"{value:g}".replace("-", "−"),
                ha="center", va="bottom" if value >= 0 else "top")
    ax.axhline(0, color=COLORS["muted"], linewidth=0.8)
    ax.set_title(title, fontsize=10, fontweight="normal")
    ax.set(ylim=(-3.7, 5.5), yticks=[])
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
axes[-1].set_xlabel("example")
show(
    fig,
    name="projection",
    alt=(
        "Four bar charts over the five examples. Upstream: 0, 2, −1, 0, 4. Taken away: 1 from "
        "each, and −1.5, −0.5, 0, 0.5, 1.5. Left: 0.5, 1.5, −2, −1.5, 1.5, whose sum is 0."
    ),
    caption=(
        "The first chart minus the second minus the third is the fourth. Examples 1 and 4 receive "
        "nothing, and yet they pass something on."
    ),
)
assert np.allclose(pieces[0][0] - pieces[1][0] - pieces[2][0], pieces[3][0], rtol=0, atol=1e-15)

# %%
sums = dx.sum(), (dx * cache.xhat).sum()
print(f"sum of dx {sums[0]:g}, sum of dx times xhat {sums[1]:g}")
assert sums == (0, 0)
ones = batch_norm_backward(np.ones_like(dy), cache)[0]
along = batch_norm_backward(cache.xhat, cache)[0]
assert (ones == 0).all() and (along == 0).all()

# %% [markdown]
# So if the upstream gradient is all ones, the gradient is exactly 0. You can see it without any formula: the outputs of a column always sum to $N\beta$, whatever $x$ is. A loss that is their sum cannot be changed through $x$. Remember this when you test such a layer.
#
# (With $\varepsilon > 0$ a stretch changes the output a little, and the second sum is $\gamma\rho\,\varepsilon/(\sigma^2 + \varepsilon)$ times $\partial L/\partial\gamma$, no longer 0.)
#
# **Two consequences, one layer down.** Put a [linear layer](linear.py) below. Its bias adds a constant to a column, so it has *nothing to do*: its gradient is the sum of `dx`, which is 0, and $\beta$ has taken over its work. And a longer column of weights stretches a column of $x$, so (but for $\varepsilon$) the *length* of the weights means nothing. Their gradient is at a right angle to them, and it shrinks as they grow:

# %%
weights, inputs = rng.standard_normal((6, 3)), rng.standard_normal((32, 6))
upstream = rng.standard_normal((32, 3))


def weight_gradient(weights):
    out, cache = batch_norm(inputs @ weights, scale, shift, eps=0.0)
    dz = batch_norm_backward(upstream, cache)[0]
    return out, inputs.T @ dz, dz.sum(axis=0)


out, dweights, dbias = weight_gradient(weights)
longer_out, longer_dweights, _ = weight_gradient(10 * weights)
close = {"rtol": 0, "atol": 1e-13}
assert np.allclose(dbias, 0, **close)  # the bias below has no gradient
assert np.allclose((weights * dweights).sum(axis=0), 0, **close)  # right angle
assert np.allclose(longer_out, out, **close)  # 10 times the weights: no change
assert np.allclose(longer_dweights, dweights / 10, **close)  # but a tenth

# %% [markdown]
# A step at a right angle makes a column $w$ longer, never shorter. With its gradient $g$ and the learning rate $\eta$, by Pythagoras:
#
# $$\lVert w - \eta g \rVert^2 = \lVert w \rVert^2 + \eta^2 \lVert g \rVert^2$$
#
# Too long a step makes the weights long, long weights have small gradients, and the steps that follow rotate them less. Batch normalisation has a brake built in (Ioffe and Szegedy 2015, section 3.3; [@laarhoven2017]). The experiment below will meet it.
#
# ## Where it stands in a network
#
# As a rule: Linear → BatchNorm → ReLU, as Ioffe and Szegedy put it (2015, section 3.2); with a convolution it is the same. Two reasons are in its equations.
#
# - **The layer below needs no bias.** $\beta$ does its work, so write `Linear(…, bias=False)`.
# - **At the start no unit is dead.** Each column has mean 0, so part of it lies above 0, unless all its numbers are equal. With the first $\beta = 0$, every ReLU lets a part of the batch through.
#
# [Layer normalisation](layer_norm.py) stands in the same place, and there the bias below is useful: it moves the features of an example against each other. The cell feeds inputs that are far from centred through random weights:

# %%
from nn_tutorial import layer_norm, layer_norm_backward

draw = np.random.default_rng(SEED)
z = draw.normal(3, 1, (64, 20)) @ draw.standard_normal((20, 50))  # 50 units
new = np.ones(50), np.zeros(50)  # γ and β
print("units shut for the whole batch")
dead = []
for name, inner in (("without", z), ("with batch norm", batch_norm(z, *new)[0])):
    dead.append((inner <= 0).all(axis=0).sum())
    print(f"{name:<18}{dead[-1]} of 50")

print("largest gradient of the bias below")
dbias = []
for norm, backward in (
    (batch_norm, batch_norm_backward),
    (layer_norm, layer_norm_backward),
):
    out, cache = norm(z, *new)
    upstream = draw.standard_normal(z.shape) * (out > 0)  # through the ReLU
    dbias.append(np.abs(backward(upstream, cache)[0].sum(axis=0)).max())
    print(f"{norm.__name__:<18}{dbias[-1]:.1g}")
assert dead[0] > 5 and dead[1] == 0
assert dbias[0] < 1e-12 and dbias[1] > 0.1

# %% [markdown]
# Other places are in use: after the ReLU, or, in a transformer, next to its [skip connections](../foundations/chain_rule.py#what-a-skip-connection-does-to-the-gradient) ([@vaswani2017]). They were not compared here.
#
# ## Evidence
#
# Differences of the forward pass, with a random upstream gradient, in float64:

# %%
report = gradient_check(
    batch_norm, batch_norm_backward, [batch, scale, shift],
    rng=rng, names=["x", "γ", "β"],
)
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# Compared with PyTorch, in training and then in evaluation: outputs, gradients and what the layer remembers. The running statistics are the subject of the next section.

# %%
ours = BatchNorm(3, dtype=np.float64)
theirs = torch.nn.BatchNorm1d(3, dtype=torch.float64)
ours.params["weight"][:], ours.params["bias"][:] = scale, shift
with torch.no_grad():
    theirs.weight.copy_(torch.tensor(scale))
    theirs.bias.copy_(torch.tensor(shift))

apart = []
for train in (True, True, False):  # the last uses what the others have left
    there = torch.tensor(batch, requires_grad=True)
    theirs.train(train).zero_grad()
    their_y = theirs(there)
    their_y.backward(torch.tensor(from_above))
    our_y, our_cache = ours.forward(batch, train=train)
    our_dx, grads = ours.backward(from_above, our_cache)
    pairs = [(our_y, their_y.detach()), (our_dx, there.grad)]
    pairs += [(grads[k], getattr(theirs, k).grad) for k in grads]
    pairs += [(kept_by_us, getattr(theirs, k)) for k, kept_by_us in ours.buffers.items()]
    apart.append(max(np.abs(a - b.numpy()).max() for a, b in pairs))
print(f"largest difference from PyTorch: {max(apart):.0e}")
assert max(apart) < 1e-13

# %% [markdown]
# And [the certificate](../verify/checks.py) of this build: several shapes, both precisions, three witnesses.

# %% tags=["remove-input"]
rows = show_certificate("batch_norm", folded=True)
worst = max(entry.largest for entry in rows if entry.dtype == "float64")
exact = max(max(entry.complex_step, entry.pytorch) for entry in rows if entry.dtype == "float64")
single = max(entry.largest for entry in rows if entry.dtype == "float32")
show(
    certificate_figure(rows),
    name="batch-norm-certificate",
    alt=(
        "Relative errors on a logarithmic axis. In float64 the complex step and PyTorch agree to "
        f"{exact:.0e}, central differences to {worst:.0e}; in float32 all lie below {single:.0e}."
    ),
    caption=(
        "The certificate. The dots show the central differences as the least exact "
        "witness. The other two are orders of magnitude closer."
    ),
)

# %% [markdown]
# In float64 the largest error is ${{ power(worst) }}$, from the differences with $h = 10^{-6}$; for the two exact witnesses it is ${{ power(exact) }}$. In float32 expect ${{ power(single) }}$: the gradient is what is left after two subtractions, and subtracting nearly equal numbers loses digits.
#
# ## Two functions in one layer
#
# In training the statistics come from the batch. In use you may have a single image, and its mean is itself: every output would be $\beta$. So for evaluation the layer keeps **running statistics** and normalises with those. They are constants, written with a 0 here. The batch has left the formula, and the backward pass has one term:

# %% tags=["remove-input"]
show_equations("batch_norm_eval", "Y", "dX")

# %% [markdown]
# With the five numbers and the given statistics $\mu = 3$ and $\sigma^2 = 4$ the layer is the straight line $y = 2x - 5$, and the upstream gradient is doubled. No example looks at another.

# %%
given = {"mean": np.array([3.0]), "var": np.array([4.0]), "eps": 0.0}
y_eval, cache_eval = batch_norm(x, gamma, beta, **given)
assert (y_eval == 2 * x - 5).all()
assert (batch_norm_backward(dy, cache_eval)[0] == 2 * dy).all()

# %% [markdown]
# ### What it remembers, and how fast it forgets
#
# Each training batch moves the memory $r$ a little towards its own statistics, with $\alpha = 0.1$:
#
# $$r \leftarrow (1 - \alpha)\, r + \alpha \cdot \text{statistic of the batch}$$
#
# The layer starts with mean 0 and variance 1. After our five numbers it holds the mean $\tfrac1{10} \cdot 4 = \tfrac25$, and the variance $\tfrac9{10} \cdot 1 + \tfrac1{10} \cdot 5 = \tfrac75$.
#
# Five, where the variance was 4? The squares sum to 20. The batch is *normalised* with $\tfrac{20}{5}$, the **biased** variance, which makes the squares of $\hat x$ sum to exactly $N$. What is *remembered* is $\tfrac{20}{4}$, the **unbiased** one. The mean was fitted to these five numbers, so their squared distances from it are smaller than from the true mean, on average by the factor $(N-1)/N$. The memory is an estimate for data that had no say in the mean, so the factor is divided out. For batches from a distribution of variance 1:

# %%
memory = BatchNorm(1, eps=0.0, dtype=np.float64)
memory.forward(x, train=True)
assert np.allclose(memory.buffers["running_mean"], 2 / 5, rtol=1e-15)
assert np.allclose(memory.buffers["running_var"], 7 / 5, rtol=1e-15)

print("batch size   biased   unbiased")
for size in (2, 4, 8, 32):
    draws = rng.standard_normal((20_000, size))
    biased = draws.var(axis=1).mean()
    unbiased = draws.var(axis=1, ddof=1).mean()
    print(f"{size:10}   {biased:6.3f}   {unbiased:8.3f}")
    assert abs(biased - (size - 1) / size) < 0.03
    assert abs(unbiased - 1) < 0.03

# %% tags=["remove-input"]
half_life = np.log(2) / -np.log(0.9)
left_after = 0.9**31

# %% [markdown]
# What the layer knew $k$ batches ago has weight $(1 - \alpha)^k$: half of it is gone after {{ half_life:.1f}} batches, and {{ left_after:.1%}} is left after 31, one epoch of the experiment below. The memory is short on purpose. The weights move, and old statistics belong to a network that no longer exists.
#
# **The trap in the name.** PyTorch and this book call $\alpha$ the *momentum*: the weight of what is *new*. Keras calls the weight of what is *old* by the same name. Its 0.99 is our 0.01.
#
# ### Images: a channel is a feature
#
# A convolution does the same at every place of an image, so a channel is normalised as a whole: the statistics run over $N$, $H$ and $W$, and $N$ in all formulas becomes $m = N \cdot H \cdot W$. Nothing else changes. Line up all pixels as examples, and you have the first case again:

# %%
images = rng.standard_normal((5, 3, 4, 2))  # N, C, H, W
as_rows = images.transpose(0, 2, 3, 1).reshape(-1, 3)
y_images, cache_images = batch_norm(images, scale, shift)
y_rows, _ = batch_norm(as_rows, scale, shift)
as_before = y_images.transpose(0, 2, 3, 1).reshape(-1, 3)
assert np.allclose(as_before, y_rows, rtol=0, atol=1e-14)
assert np.allclose(cache_images.mean, np.einsum("nchw->c", images) / 40)
print(f"mean {cache_images.mean.shape}, m = {images.size // 3}")

# %% [markdown]
# ### Centre before you square
#
# $\sigma^2 = \overline{x^2} - \mu^2$ is true and needs one walk through the data. In float32 it is a trap. The data below have variance 1 and a mean that grows:

# %%
print("    mean  centred first  by squares")
for mean in (0, 100, 10_000):
    values = (mean + rng.standard_normal(4096)).astype(np.float32)
    by_squares = (values**2).mean() - values.mean() ** 2
    one = np.ones(1, np.float32)
    centred = batch_norm(values[:, None], one, one)[1].var[0]
    true = values.astype(np.float64).var()
    print(f"{mean:8}  {centred / true:13.4f}  {by_squares / true:10.4f}")
    assert abs(centred / true - 1) < 1e-3
assert by_squares < 0

# %% [markdown]
# (As multiples of the right answer.) The square of 10,000 is $10^8$, and float32 has some seven digits: the variance is lost in the rounding. Here it even comes out negative, and its root is `nan`.
#
# ## Six ways to get it wrong
#
# **The first and the second: a road left out.** $\mu$ and $\sigma^2$ are numbers that you have at hand, and it is tempting to treat them as constants. Here is the closed form with a switch for each correction:


# %%
def gradient(dy, cache, *, through_mean=True, through_var=True):
    """The closed form, with roads that can be left out."""
    dx = dy.copy()
    if through_mean:
        dx -= dy.mean(axis=0)
    if through_var:
        dx -= cache.xhat * (dy * cache.xhat).mean(axis=0)
    _, dgamma, dbeta = batch_norm_backward(dy, cache, need_dx=False)
    return cache.weight * cache.inv_std * dx, dgamma, dbeta


ways = {
    "right": {},
    "mean constant": {"through_mean": False},
    "variance constant": {"through_var": False},
    "both constant": {"through_mean": False, "through_var": False},
}
print(f"{'':<18}error  cosine  all ones")
for name, roads in ways.items():
    error = gradient_check(
        batch_norm, partial(gradient, **roads), [batch, scale, shift], rng=rng
    ).max_error
    found = gradient(from_above, kept, **roads)[0]
    lengths = np.linalg.norm(found) * np.linalg.norm(closed)
    ones = gradient(np.ones_like(from_above), kept, **roads)[0]
    unseen = np.abs(ones).max() < 1e-12
    cosine = (found * closed).sum() / lengths
    verdict = "right: 0" if unseen else "not 0"
    print(f"{name:<18}{error:.0e}  {cosine:6.2f}  {verdict}")
    assert cosine > 0.8
    assert (error < 1e-6) == (name == "right")
    assert unseen == (name in ("right", "variance constant"))

# %% [markdown]
# The first number is the gradient check's relative error, the second the cosine of the angle to the right gradient: all three wrong ones point roughly the right way. The check finds each of them. An upstream gradient of all ones finds two; the constant variance passes, since the upstream gradient has no part along $\hat x$. A missing factor $\gamma\rho$ would pass as well: any multiple of 0 is 0.
#
# What would you see without the check? Three hidden layers of 64 units learn the handwritten digits (992 for training), with each of the four gradients and five seeds:

# %% tags=["hide-input"]
data = digits(sizes=(992, 400, 405), seed=SEED)
flat = {
    part: (getattr(data, f"x_{part}").reshape(-1, 64), getattr(data, f"y_{part}"))
    for part in ("train", "val", "test")
}
seeds = range(5)


def norms(net):
    return [layer for layer in net.layers if isinstance(layer, BatchNorm)]


def spoil(net, **roads):
    """Give every batch norm of a net a backward pass with roads left out."""

    def backward(dy, cache, *, need_dx=True):
        dx, dgamma, dbeta = gradient(dy, cache, **roads)
        return dx, {"weight": dgamma, "bias": dbeta}

    for layer in norms(net):
        layer.backward = backward


spoilt_loss, spoilt_score, largest_bias = {}, {}, {}
for name, roads in ways.items():
    spoilt_loss[name], spoilt_score[name], largest_bias[name] = [], [], []
    for seed in seeds:
        draw = np.random.default_rng(seed)
        net = mlp(64, [64] * 3, 10, rng=draw, batch_norm=True)
        spoil(net, **roads)
        history = fit(net, flat["train"], optimizer=SGD(net.params, 0.1), epochs=10,
                      batch_size=32, rng=draw, keep_best=False)
        spoilt_loss[name].append(history.train_loss)
        spoilt_score[name].append(evaluate(net, *flat["test"])[1])
        largest_bias[name].append(np.abs(net.params["0.bias"]).max())
spoilt_loss = {name: np.array(losses) for name, losses in spoilt_loss.items()}

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(4.8, 3.5))
styles = {"right": ("blue", "-"), "mean constant": ("orange", "--"),
          "variance constant": ("green", ":"), "both constant": ("purple", "-.")}
for (name, losses), va in zip(spoilt_loss.items(), ("top", "bottom", "bottom", "top"), strict=True):
    color, style = styles[name]
    epochs_run = np.arange(1, 11)
    ax.plot(epochs_run, losses.mean(0), style, color=COLORS[color])
    ax.fill_between(epochs_run, losses.min(0), losses.max(0), color=COLORS[color], alpha=0.15,
                    linewidth=0)
    ax.annotate(name, (10, losses.mean(0)[-1]), (4, 5 if va == "bottom" else -5), va=va,
                textcoords="offset points", color=COLORS[color], annotation_clip=False, ha="left")
ax.set(yscale="log", xlabel="epoch", ylabel="training loss (nats)", xlim=(1, 10),
       title="One wrong road hurts, the other hides")
ends = {name: losses[:, -1].mean() for name, losses in spoilt_loss.items()}
show(
    fig,
    name="wrong-roads",
    alt=(
        "Training loss over ten epochs for four backward passes. At the end: right "
        f"{ends['right']:.2f}, variance constant {ends['variance constant']:.2f}, mean constant "
        f"{ends['mean constant']:.2f}, both constant {ends['both constant']:.2f}."
    ),
    caption=(
        "Means over five seeds, bands from the lowest to the highest. The lines form two "
        "pairs: leaving out the mean costs a lot, leaving out the variance next to nothing that you "
        "would notice."
    ),
)
assert ends["mean constant"] > 3 * ends["right"] and ends["variance constant"] < 2 * ends["right"]
scores = {name: np.mean(found) for name, found in spoilt_score.items()}
assert scores["mean constant"] < scores["right"] - 0.02
assert -0.003 < scores["variance constant"] - scores["right"] < 0.015
assert ends["variance constant"] > ends["right"]
assert max(largest_bias["right"]) < 1e-5 and min(largest_bias["mean constant"]) > 0.1

# %% [markdown]
# With a constant **mean** the loss ends at {{ ends["mean constant"]:.2f}} instead of {{ ends["right"]:.2f}}, and the test accuracy at {{ scores["mean constant"]:.1%}} instead of {{ scores["right"]:.1%}}. The wrong gradient believes that a shift of a whole column would help. The step shifts it, the layer takes the shift away, the loss is what it was, and the next gradient believes the same. The biases of the first layer should never move; the largest has grown to {{ np.mean(largest_bias["mean constant"]):.1f}} (Ioffe and Szegedy 2015, section 2, tell this story).
#
# With a constant **variance** you get {{ scores["variance constant"]:.1%}} of the test images right, no worse than with the right gradient. The loss is a little higher, but *unless the right curve stood beside it, nothing would tell you.* You would ship it. This is the reason for checking gradients by differences, not by looking at what was learnt.
#
# **The third: forgetting evaluation.** In training mode at test time, the answer for an image depends on its neighbours:

# %% tags=["remove-input"]
draw = np.random.default_rng(SEED)
reader = mlp(64, [64] * 3, 10, rng=draw, batch_norm=True)
fit(reader, flat["train"], optimizer=SGD(reader.params, 0.1), epochs=10, batch_size=32, rng=draw,
    keep_best=False)
x_test, y_test = flat["test"]


def in_training_mode(net, x):
    """Classes with the batch's own statistics; a copy, so that the net's memory stays."""
    return copy.deepcopy(net).forward(x, train=True)[0].argmax(axis=1)


by_size = {}
for size in (2, 4, 8, 32, 405):
    order = rng.permutation(405)
    right = [
        in_training_mode(reader, x_test[part]) == y_test[part]
        for part in np.array_split(order, 405 // size)
    ]
    by_size[size] = np.concatenate(right).mean()
per_digit = np.mean(np.concatenate([
    in_training_mode(reader, x_test[y_test == k]) == k for k in range(10)
]))
answers = np.array([
    in_training_mode(reader, x_test[[0, *(1 + rng.choice(404, 7, replace=False))]])[0]
    for _ in range(200)
])
print(f"evaluation             {evaluate(reader, x_test, y_test)[1]:.3f}")
for size, score in by_size.items():
    print(f"training, batch of {size:3} {score:.3f}")
print(f"training, digit by digit {per_digit:.3f}")
print(f"one image, 200 batches: {np.unique(answers)}")
assert by_size[2] < 0.6 and per_digit < 0.6 and len(np.unique(answers)) > 1

# %% [markdown]
# On large, mixed batches you see nothing. On small ones the accuracy falls. Batches that are sorted by digit are the worst surprise: what all images share is what is subtracted. And one image, put into 200 batches of eight, is called all the digits in the last line. A single image cannot be normalised at all, and here that gives an error rather than a wrong answer:

# %%
try:
    reader.forward(x_test[:1], train=True)
    raise AssertionError("not refused")
except ValueError as error:
    print(str(error).replace(" to train", "\nto train"))

alone, together = reader(x_test[:1]), reader(x_test)[:1]
assert np.allclose(alone, together, rtol=0, atol=1e-4)

# %% [markdown]
# The last two lines are the check: in evaluation an image must give the same output alone and in company.
#
# **The fourth: a memory that the test has touched.** Every pass in training mode moves the running statistics. Send the zeros among the test images through in training mode, twenty times, and then evaluate as you should:

# %%
touched = copy.deepcopy(reader)
clean = evaluate(touched, x_test, y_test)[1]
for _ in range(20):
    touched.forward(x_test[y_test == 0], train=True)  # no step is taken
spoiled = evaluate(touched, x_test, y_test)[1]
print(f"before {clean:.3f}, after {spoiled:.3f}")
for name, value in reader.params.items():
    assert (touched.params[name] == value).all()
assert spoiled < clean - 0.1

# %% [markdown]
# Not one weight has changed. A check for it: the buffers before and after an evaluation must be equal to the last bit.
#
# **The fifth: momentum the wrong way round.** If you are used to Keras, you write 0.99. Then the memory is the last batch and little else:

# %%
averages, learnt = [], []
for momentum in (0.1, 0.99):
    draws = [np.random.default_rng(seed) for seed in seeds]
    nets = [mlp(64, [64] * 3, 10, rng=draw, batch_norm=True) for draw in draws]
    for net in nets:
        for layer in norms(net):
            layer.momentum = momentum
    fit_many(nets, flat["train"], optimizer=SGD, lr=0.1, epochs=5, batch_size=8, rngs=draws)
    found = [evaluate(net, *flat["test"])[1] for net in nets]
    averages.append(np.mean(found))
    learnt.append(np.array([net.params["0.weight"] for net in nets]))
    low, high = min(found), max(found)
    print(f"{momentum:4}: {averages[-1]:.3f}, {low:.3f} to {high:.3f}")
assert averages[1] < averages[0] - 0.02
assert (learnt[0] == learnt[1]).all()

# %% [markdown]
# (Means and ranges over five seeds, batches of eight.) The same weights were learnt in both rows, to the last bit: training never looks at the memory. Only the evaluation is worse. The comparison with PyTorch above includes the buffers, and catches this mistake.
#
# **The sixth: tiny batches.** Two examples in a batch normalise to $-1$ and $+1$, *whatever they were* (unless they were equal). All that is left of a feature is which of the two was larger. And but for $\varepsilon$ no gradient passes to the layers below ([question 3](#try-it)). A batch of four keeps a little more. How much does it cost? We train for three epochs each, at a learning rate of 0.05:

# %% tags=["remove-input"]
batch_sizes = [2, 4, 8, 32]


def with_batches_of(size, norm):
    """For each seed the accuracy in the last epoch's training batches, and on the test images."""
    draws = [np.random.default_rng(seed) for seed in seeds]
    nets = [mlp(64, [64] * 3, 10, rng=draw, batch_norm=norm) for draw in draws]
    histories = fit_many(nets, flat["train"], optimizer=SGD, lr=0.05, epochs=3, batch_size=size,
                         rngs=draws)
    return [(history.train_accuracy[-1], evaluate(net, *flat["test"])[1])
            for net, history in zip(nets, histories, strict=True)]


tiny = np.array([
    [with_batches_of(size, norm) for size in batch_sizes] for norm in (False, True)
])  # norm, size, seed, (training, test)

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(4.8, 3.6))
for values, color, style, text, at, shift_by in (
    (tiny[0, ..., 1], "orange", "s--", "without, test", 0, (0, 15)),
    (tiny[1, ..., 1], "blue", "o-", "with, test", 2, (-4, 8)),
    (tiny[1, ..., 0], "green", "^:", "with, in the\ntraining batches", 1, (12, -4)),
):
    ax.plot(batch_sizes, 100 * values.mean(1), style, color=COLORS[color], markersize=5)
    ax.fill_between(batch_sizes, 100 * values.min(1), 100 * values.max(1), color=COLORS[color],
                    alpha=0.15, linewidth=0)
    ax.annotate(text, (batch_sizes[at], 100 * values.mean(1)[at]), shift_by, color=COLORS[color],
                textcoords="offset points", va="bottom" if shift_by[1] > 0 else "top",
                ha="left" if shift_by[0] >= 0 else "right")
ax.set(xscale="log", xlabel="batch size", ylabel="accuracy (%)", ylim=(0, 112),
       title="A batch of two says too little")
ax.set_xticks(batch_sizes, [str(size) for size in batch_sizes])
ax.minorticks_off()
show(
    fig,
    name="batch-size",
    alt=(
        "Accuracy against batch size. Test accuracy with batch normalisation: "
        f"{tiny[1, 0, :, 1].mean():.0%} at 2, {tiny[1, 1, :, 1].mean():.0%} at 4, "
        f"{tiny[1, -1, :, 1].mean():.0%} at 32; without it {tiny[0, 0, :, 1].mean():.0%} at 2 and "
        f"{tiny[0, -1, :, 1].mean():.0%} at 32. In the training batches it is far lower at 2 and 4."
    ),
    caption=(
        "Means over five seeds, bands from the lowest to the highest. At the left edge the "
        "normalised net falls far below the plain one. At 4 there is a gap between its two lines: "
        "in the training batches it is far less accurate than on the test images."
    ),
)
assert tiny[1, 0, :, 1].max() < tiny[0, 0, :, 1].min() - 0.2
assert (tiny[1, 1, :, 0] < tiny[1, 1, :, 1] - 0.1).all()
assert (tiny[1, 1:, :, 1].mean(1) > tiny[0, 1:, :, 1].mean(1) - 0.02).all()

# %% [markdown]
# In batches of two the normalised network reaches {{ tiny[1, 0, :, 1].mean():.0%}} on the test images, where the plain one reaches {{ tiny[0, 0, :, 1].mean():.0%}}. From four on it holds its own. Both networks have one learning rate here; [with a rate chosen for each size](layer_norm.py#does-the-batch-size-matter) batch normalisation falls far behind in batches of two as well. Now look at the gap at four: in its own training batches it is right in {{ tiny[1, 1, :, 0].mean():.0%}} of the cases, on the test images in {{ tiny[1, 1, :, 1].mean():.0%}}. Training and evaluation are two functions, and here the one that was trained is the worse. If your training accuracy lies far *below* your test accuracy, look at the batch size. [Layer normalisation](layer_norm.py) takes its statistics within each example and does not mind the batch; group normalisation ([@wu2018]) does so for groups of channels.
#
# ## Does it keep its promises?
#
# **The question.** Three things are said of batch normalisation: it trains *faster*, it tolerates *higher learning rates*, and it makes the loss *smoother*. Ioffe and Szegedy explained the first two by less drift of the layers' inputs, which they called *internal covariate shift*. [Santurkar and others (2018)](@santurkar2018) found in their networks that this drift was not smaller, and put the smoothness in its place. What can be seen here?
#
# **A prediction.** If all of it is true: the best learning rate with normalisation is higher; at its best rate it needs fewer epochs; after a step along the gradient, the gradient has changed its direction less. And all three should show more in a deeper network, since each layer adds to the trouble.
#
# We train networks with three and with eight hidden layers of 64 units, first weights as [He and others (2015)](@he2015) advise, by plain gradient descent in batches of 32, for twenty epochs, with five learning rates and five seeds. The validation images choose the rates; test accuracy is reported for the chosen ones. A run whose loss overflows counts as always naming the commonest digit.

# %% tags=["hide-input"]
rates, depths, epochs = [0.03, 0.1, 0.3, 1.0, 3.0], (3, 8), 20
commonest = {part: np.bincount(labels).max() / len(labels) for part, (_, labels) in flat.items()}


def measured(net, history):
    """Validation accuracy after each epoch, test accuracy and weights' length at the end."""
    if len(history.val_accuracy) < epochs:  # its loss was no longer a number
        return [*[commonest["val"]] * epochs, commonest["test"], np.nan]
    length = np.linalg.norm(net.params["0.weight"])
    return [*history.val_accuracy, evaluate(net, *flat["test"])[1], length]


def train(depth, norm):
    """All rates and seeds of one kind of network, side by side."""
    pairs = [(lr, seed) for lr in rates for seed in seeds]
    draws = [np.random.default_rng(seed) for _, seed in pairs]
    nets = [mlp(64, [64] * depth, 10, rng=draw, batch_norm=norm) for draw in draws]
    histories = fit_many(nets, flat["train"], flat["val"], optimizer=SGD,
                         lr=[lr for lr, _ in pairs], epochs=epochs, batch_size=32, rngs=draws)
    found = [measured(net, history) for net, history in zip(nets, histories, strict=True)]
    return np.reshape(found, (len(rates), len(seeds), -1))


runs = np.array([[train(depth, norm) for norm in (False, True)] for depth in depths])
# depth, norm, rate, seed, what was measured
val, test, lengths = runs[..., :epochs], runs[..., epochs], runs[..., epochs + 1]
best = val[..., -1].mean(axis=3).argmax(axis=2)  # depth, norm: which rate


# %% tags=["remove-input"]
looks = {False: ("orange", "s--", "without"), True: ("blue", "o-", "with")}
fig, panels = plt.subplots(2, 1, figsize=(4.8, 5.4), sharex=True)
for ax, depth, ended in zip(panels, depths, val[..., -1], strict=True):
    for norm, (color, style, text) in looks.items():
        percent = 100 * ended[int(norm)]
        ax.plot(rates, percent.mean(1), style[1:], color=COLORS[color])
        for column in percent.T:
            ax.plot(rates, column, style[0], color=COLORS[color], markersize=4, alpha=0.5)
        at, shift_by, ha = (3, (0, 7), "center") if norm else (2, (-8, -34), "right")
        ax.annotate(text, (rates[at], percent.mean(1)[at]), shift_by, ha=ha, color=COLORS[color],
                    va="bottom" if norm else "top", textcoords="offset points")
    ax.set(title=f"{depth} hidden layers", ylabel="validation accuracy (%)", ylim=(0, 116),
           xscale="log")
panels[1].set_xlabel("learning rate")
panels[1].set_xticks(rates, [f"{rate:g}" for rate in rates])
panels[1].minorticks_off()
bar = 0.9
highest = [[max(rate for rate, ended in zip(rates, val[d, n, ..., -1], strict=True)
                if ended.min() > bar) for n in (0, 1)] for d in (0, 1)]
show(
    fig,
    name="learning-rates",
    alt=(
        "Validation accuracy against learning rate. The highest rate at which every seed ends "
        f"above {bar:.0%}: with 3 layers {highest[0][0]:g} without and {highest[0][1]:g} with batch "
        f"normalisation; with 8 layers {highest[1][0]:g} and {highest[1][1]:g}."
    ),
    caption=(
        f"After {epochs} epochs; each mark is a run, the line their mean. The line with batch "
        "normalisation stays up farther to the right. Before the first line falls, they differ "
        "little."
    ),
)
times_as_high = [highest[d][1] / highest[d][0] for d in (0, 1)]
assert min(times_as_high) > 3

# %% tags=["remove-input"]
shared = rates.index(0.03)
fig, panels = plt.subplots(2, 2, figsize=(5.3, 5.0), sharex=True, sharey=True)
for d, depth in enumerate(depths):
    for ax, chosen, title in (
        (panels[0, d], [shared, shared], f"{depth} layers, both at {rates[shared]:g}"),
        (panels[1, d], best[d], "each at its best:\n"
                                f"{rates[best[d, 0]]:g} without, {rates[best[d, 1]]:g} with"),
    ):
        for norm, (color, style, _) in looks.items():
            percent = 100 * val[d, int(norm), chosen[int(norm)]]
            ax.plot(range(1, epochs + 1), percent.mean(0), style[1:], color=COLORS[color])
            ax.fill_between(range(1, epochs + 1), percent.min(0), percent.max(0), alpha=0.15,
                            color=COLORS[color], linewidth=0)
        ax.set_title(title, fontsize=10, fontweight="normal")
panels[0, 0].text(1.5, 92, "with", color=COLORS["blue"], ha="left", va="bottom")
panels[0, 0].text(4.2, 70, "without", color=COLORS["orange"], ha="left")
panels[1, 0].set(ylim=(20, 103), xticks=[1, 5, 10, 15, 20])
for ax in panels[1]:
    ax.set_xlabel("epoch")
for ax in panels[:, 0]:
    ax.set_ylabel("validation accuracy (%)")
early = val[:, :, :, :, 1].mean(axis=3)  # depth, norm, rate: after two epochs
show(
    fig,
    name="curves",
    alt=(
        "Four plots of validation accuracy over the epochs. After two epochs at the shared rate: "
        f"{early[0, 1, shared]:.0%} with and {early[0, 0, shared]:.0%} without at 3 layers, "
        f"{early[1, 1, shared]:.0%} and {early[1, 0, shared]:.0%} at 8; at their best rates "
        f"{early[0, 1, best[0, 1]]:.0%} and {early[0, 0, best[0, 0]]:.0%}, "
        f"{early[1, 1, best[1, 1]]:.0%} and {early[1, 0, best[1, 0]]:.0%}. At the end all are close."
    ),
    caption=(
        "Blue, solid: with batch normalisation. Orange, dashed: without. Means over five seeds, "
        "bands from the lowest to the highest. The lines are farthest apart in the first five "
        "epochs. That of the deep net without it is ragged."
    ),
)

# %% tags=["remove-input"]
goal = 0.92


def epochs_to_goal(histories):
    """Mean number of epochs until the goal; a run that never gets there counts as one more."""
    reached = histories >= goal
    return np.where(reached.any(1), reached.argmax(1) + 1, epochs + 1).mean()


final, needed, needed_shared = {}, {}, {}
for d, depth in enumerate(depths):
    for norm in (0, 1):
        final[depth, norm] = test[d, norm, best[d, norm]]
        needed[depth, norm] = epochs_to_goal(val[d, norm, best[d, norm]])
        needed_shared[depth, norm] = epochs_to_goal(val[d, norm, shared])
for depth in depths:
    assert needed[depth, 1] < needed[depth, 0] / 2
    assert needed_shared[depth, 1] < needed_shared[depth, 0]
assert needed[3, 0] / needed[3, 1] > needed[8, 0] / needed[8, 1]  # depth gains no more
assert best[0, 0] == best[0, 1] and best[1, 0] < best[1, 1]

def gain(depth):
    """By how much normalisation is ahead, in points: two intervals that hold together."""
    d = 100 * (final[depth, 1] - final[depth, 0])
    half = stats.t.ppf(1 - 0.025 / 2, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean() - half, d.mean() + half


for depth in depths:
    assert final[depth, 1].mean() > final[depth, 0].mean() and gain(depth)[0] < 2
grown = lengths[0, 1].mean(axis=1)  # three layers, normalised: by rate

# %% [markdown]
# | Layers | Best rate | Epochs until {{ goal:.0%}} | at {{ rates[shared]:g}} | Test accuracy |
# |---|---|---|---|---|
# | 3, without | {{ rates[best[0, 0]]:g}} | {{ needed[3, 0]:.1f}} | {{ needed_shared[3, 0]:.1f}} | {{ final[3, 0].mean():.1%}}, {{ final[3, 0].min():.1%}} to {{ final[3, 0].max():.1%}} |
# | 3, with | {{ rates[best[0, 1]]:g}} | {{ needed[3, 1]:.1f}} | {{ needed_shared[3, 1]:.1f}} | {{ final[3, 1].mean():.1%}}, {{ final[3, 1].min():.1%}} to {{ final[3, 1].max():.1%}} |
# | 8, without | {{ rates[best[1, 0]]:g}} | {{ needed[8, 0]:.1f}} | {{ needed_shared[8, 0]:.1f}} | {{ final[8, 0].mean():.1%}}, {{ final[8, 0].min():.1%}} to {{ final[8, 0].max():.1%}} |
# | 8, with | {{ rates[best[1, 1]]:g}} | {{ needed[8, 1]:.1f}} | {{ needed_shared[8, 1]:.1f}} | {{ final[8, 1].mean():.1%}}, {{ final[8, 1].min():.1%}} to {{ final[8, 1].max():.1%}} |
#
# Epochs until {{ goal:.0%}} of the validation images are right, at each network's best rate and at {{ rates[shared]:g}}; means over five seeds, and for the accuracy the range.
#
# **Higher learning rates: yes.** Take the highest rate at which every seed ends above {{ bar:.0%}}. With three layers it is {{ highest[0][0]:g}} without normalisation and {{ highest[0][1]:g}} with it; with eight layers {{ highest[1][0]:g}} and {{ highest[1][1]:g}}: {{ times_as_high[0]:.0f}} and {{ times_as_high[1]:.0f}} times as high. You can see the brake at work: with three layers the weights of the first layer have the length {{ grown[shared]:.1f}} after training at {{ rates[shared]:g}}, and {{ grown[-1]:.1f}} after training at {{ rates[-1]:g}}. But to *tolerate* a rate is not to need it. With three layers both kinds have their best rate at {{ rates[best[0, 1]]:g}}; with eight it is {{ rates[best[1, 0]]:g}} without and {{ rates[best[1, 1]]:g}} with.
#
# **Faster: yes, in epochs.** Each at its best rate, the normalised network takes {{ needed[3, 1]:.1f}} epochs to reach {{ goal:.0%}} on the validation images and the plain one {{ needed[3, 0]:.1f}}; with eight layers it is {{ needed[8, 1]:.1f}} and {{ needed[8, 0]:.1f}}. Normalisation needs a high rate for that. At a low one that both share, {{ rates[shared]:g}}, much of the advantage is gone: {{ needed_shared[3, 1]:.1f}} against {{ needed_shared[3, 0]:.1f}} epochs, and {{ needed_shared[8, 1]:.1f}} against {{ needed_shared[8, 0]:.1f}}.
#
# **Better in the end?** By a point or so, perhaps. With three layers, {{ final[3, 1].mean():.1%}} of the test images against {{ final[3, 0].mean():.1%}}, with eight {{ final[8, 1].mean():.1%}} against {{ final[8, 0].mean():.1%}}. Seed by seed, the gain lies between {{ "{:.1f} and {:.1f}".format(*gain(3)).replace("-", "−") }} points with three layers, and between {{ "{:.1f} and {:.1f}".format(*gain(8)).replace("-", "−") }} with eight. Five seeds and 405 images settle no more than that: a processor that adds up in another order moves these limits by as much as a point, across zero and back. (The two intervals are so wide that both hold in 95 of 100 experiments.)
#
# ### Smoother, steadier, less drift?
#
# Now look at the loss itself. Both kinds of network are trained at {{ rates[shared]:g}}. Every ten steps we stop, follow the gradient of the current batch for steps of many lengths, measure there, and come back, as Santurkar and others (2018) did. How much does the loss change along this line? And does the gradient at its end still point the same way? The cosine of the angle between the two gradients does not depend on how long they are, which matters, because normalisation changes their length.

# %% tags=["remove-input"]
steps_along = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0])


def loss_and_gradient(net, x, labels):
    logits, cache = net.forward(x, train=True)
    loss, dlogits = softmax_cross_entropy(logits, labels)
    return loss, net.backward(dlogits, cache, need_dx=False)[1]


def cosine(a, b):
    a, b = (np.concatenate([g.ravel() for g in grads]).astype(np.float64) for grads in (a, b))
    return a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-30)


def last_relu_input(net, x):
    for layer in net.layers[:-2]:
        x = layer.forward(x, train=True)[0]
    return x.mean(axis=0), x.std(axis=0)


# %% tags=["remove-input"]
def probe(depth, norm, seed, lr):
    """Train for five epochs; every ten steps, look around and come back."""
    draw = np.random.default_rng(seed)
    net = mlp(64, [64] * depth, 10, rng=draw, batch_norm=norm)
    optimizer, (x, labels) = SGD(net.params, lr), flat["train"]
    last = len(net.layers) - (4 if norm else 3)  # the last hidden linear layer
    last_name, live, found, before = f"{last}.weight", net.params | net.buffers, [], None
    for step in range(155):
        if step % 31 == 0:
            order = draw.permutation(len(x))
        batch = order[32 * (step % 31) :][:32]
        loss, grads = loss_and_gradient(net, x[batch], labels[batch])
        if step % 10 == 0:
            kept = {name: value.copy() for name, value in live.items()}
            below = [name for name in net.params if int(name.split(".")[0]) < last]
            there = []
            for size, names in [(size, net.params) for size in steps_along] + [
                    (lr, below)]:
                for name in names:
                    net.params[name][...] = kept[name] - size * grads[name]
                there.append(loss_and_gradient(net, x[batch], labels[batch]))
                for name, value in live.items():
                    value[...] = kept[name]
            _, after_below = there.pop()
            now = last_relu_input(net, x[:256])
            shift = np.nan if before is None else np.mean(np.abs(now[0] - before[0]) / before[1])
            for name, value in live.items():
                value[...] = kept[name]
            before = now
            found.append([value - loss for value, _ in there]
                         + [cosine(grads.values(), g.values()) for _, g in there]
                         + [cosine([grads[last_name]], [after_below[last_name]]), shift])
        optimizer.step(grads)
    return np.nanmedian(found, axis=0)


with np.errstate(all="ignore"):
    probes = np.array([
        [[probe(depth, norm, seed, rates[shared]) for seed in seeds] for norm in (False, True)]
        for depth in depths
    ])  # depth, norm, seed, what was measured
    own = np.array([probe(8, True, seed, highest[1][1])[13] for seed in seeds])
rise, turned = probes[..., :7], probes[..., 7:14]
below_moved, drift = probes[..., 14], probes[..., 15]

# %% tags=["remove-input"]
fig, panels = plt.subplots(2, 2, figsize=(5.3, 5.2), sharex=True, sharey="row")
for d, depth in enumerate(depths):
    for norm, (color, style, _) in looks.items():
        for ax, values in ((panels[0, d], rise), (panels[1, d], turned)):
            values = values[d, int(norm)]
            ax.plot(steps_along, values.mean(0), style, color=COLORS[color], markersize=4)
            ax.fill_between(steps_along, values.min(0), values.max(0), color=COLORS[color],
                            alpha=0.15, linewidth=0)
    panels[0, d].set_title(f"{depth} hidden layers")
    panels[1, d].set(xscale="log", xlabel="length of the step")
panels[0, 0].set(ylabel="change of the loss (nats)", ylim=(-0.8, 2.3))
panels[1, 0].set(ylabel="cosine of the gradients", ylim=(-0.75, 1.1))
panels[0, 0].text(0.25, 0.9, "without", color=COLORS["orange"], ha="right")
panels[0, 0].text(0.1, -0.55, "with", color=COLORS["blue"], ha="right")
mean_rise, mean_turned = rise.mean(axis=2), turned.mean(axis=2)  # depth, norm, step
show(
    fig,
    name="smoothness",
    alt=(
        "Change of the loss and cosine of the gradients against the length of the step. At a step "
        f"of 0.5 the loss changes by {mean_rise[0, 0, 5]:+.1f} without and {mean_rise[0, 1, 5]:+.1f} "
        f"with batch normalisation at 3 layers, {mean_rise[1, 0, 5]:+.0f} and "
        f"{mean_rise[1, 1, 5]:+.1f} at 8. The cosine at 0.2 is {mean_turned[0, 0, 4]:.2f} and "
        f"{mean_turned[0, 1, 4]:.2f} at 3 layers, {mean_turned[1, 0, 4]:.2f} and "
        f"{mean_turned[1, 1, 4]:.2f} at 8."
    ),
    caption=(
        "Upper row: below 0 the step has helped. Lower row: 1 means that the gradient has not "
        "changed its direction. Medians over training, means and ranges over five seeds; lines "
        "that leave the plot go on. At the left end of the lower right plot the two start alike."
    ),
)
assert (rise[:, 1, :, :6] < 0).all() and (mean_rise[:, 0, 5] > 0.5).all()
assert (turned[0, 1, :, 4] > 0.75).all() and (turned[0, 0, :, 4] < 0.1).all()
assert abs(mean_turned[1, 1, 0] - mean_turned[1, 0, 0]) < 0.05
assert (turned[1, 1, :, 1] > turned[1, 0, :, 1]).all() and (mean_turned[1, 1, 3:] < 0.3).all()
assert highest[1][1] == steps_along[6] and np.abs(own).max() < 0.25
assert (drift[:, 1] < 0.01).all() and (drift[:, 0] > 0.1).all()
assert (below_moved[1, 1] > 0.7).all() and (below_moved[1, 0] < 0.5).all()

# %% [markdown]
# **The loss is smoother: yes.** With normalisation a step of up to 0.5 along the gradient lowers it, at both depths and with every seed. Without it a step of 0.5 raises the loss by {{ mean_rise[0, 0, 5]:.1f}} nats with three layers and by {{ mean_rise[1, 0, 5]:.0f}} with eight.
#
# **The gradient is steadier: with three layers clearly, with eight it depends.** After a step of 0.2 the cosine is {{ mean_turned[0, 1, 4]:.2f}} with normalisation and ${{ mean_turned[0, 0, 4]:.2f}}$ without, at three layers. With eight, after the shortest step of 0.01, it is {{ mean_turned[1, 1, 0]:.2f}} against {{ mean_turned[1, 0, 0]:.2f}}: the same. After 0.02 the normalised one is ahead, with {{ mean_turned[1, 1, 1]:.2f}} against {{ mean_turned[1, 0, 1]:.2f}}. After 0.1 both have changed direction, ${{ mean_turned[1, 1, 3]:.2f}}$ and ${{ mean_turned[1, 0, 3]:.2f}}$. And the deep network that trains well at a rate of {{ highest[1][1]:g}}? There the cosine after a step of that length is {{ own.mean():.2f}}: the gradient before it says next to nothing about the gradient after it. So a steady gradient is not what lets it train at that rate. ([@yang2019] show that in very deep networks at the start batch normalisation even makes gradients explode.)
#
# **Less drift: yes, but one of the two numbers says nothing.** The mean of the inputs to the last ReLU moves by {{ drift[0, 0].mean():.2f}} standard deviations in ten steps without normalisation (three layers) and by {{ drift[0, 1].mean():.3f}} with it. That number is no evidence: the layer *makes* the mean $\beta$. The question of Santurkar and others is more honest: let only the layers below take their step. How much does that rotate the gradient of the last hidden layer's weights? With three layers the cosine is {{ below_moved[0, 1].mean():.2f}} with and {{ below_moved[0, 0].mean():.2f}} without, no difference worth the name; with eight it is {{ below_moved[1, 1].mean():.2f}} and {{ below_moved[1, 0].mean():.2f}}. In their networks, this shift was not smaller with normalisation. In our deep one it is, by far.
#
# **The verdict.** It is faster, and it tolerates rates several times as high: both hold here, at both depths. The prediction that the gain grows with depth fails: the usable rates gain the same factor, the epochs no larger one, and the final accuracy gains less. As for the reason, drift and roughness fall together in our deep network, so this experiment cannot say which of them mattered. [Bjorck and others (2018)](@bjorck2018) see the cause in the larger steps that become possible. With eight layers that fits: the best rate is higher with normalisation, and at the low rate much of the gain is gone. With three layers it does not explain enough. Both kinds have their best rate at {{ rates[best[0, 1]]:g}}, so they step at the same rate, and still one needs {{ needed[3, 1]:.1f}} epochs and the other {{ needed[3, 0]:.1f}}.
#
# **What this does not show.** Anything about seconds: an epoch with normalisation does more work, and this page measures no times. Small images, fully connected layers, plain gradient descent and good first weights are the easy case; with momentum or Adam the usable rates may be others. And five rates, each about three times the one before, place a "best" rate only to within such a factor.
#
# ## In five lines
#
# - Each feature loses its mean over the batch and is divided by its standard deviation; $\gamma$ and $\beta$ set both anew.
# - The mean reaches the loss over two roads, so its gradient is a sum of two.
# - The backward pass subtracts from the upstream gradient its mean and its part along $\hat x$.
# - Training uses the batch's statistics, evaluation the remembered ones: they are two functions.
# - It tolerates higher learning rates and learns in fewer epochs here; very small batches spoil it.
#
# ## Try it
#
# ??? question "1. How many numbers does the layer learn, and how many does it keep besides?"
#     $2D$ are learnt ($\gamma$, $\beta$), and $2D$ are kept without a gradient: running mean and running variance. PyTorch calls those *buffers*, and so do we.
#
# ??? question "2. With a pencil: $x = (0, 2, 2, 4)$, $\gamma = 1$, $\varepsilon = 0$, and the upstream gradient is $(1, 0, 0, 1)$. What is passed on?"
#     $\mu = 2$ and $\sigma^2 = 2$, so $\hat x = (-1, 0, 0, 1)\cdot\sqrt2$. The mean of the upstream gradient is $\tfrac12$, and its part along $\hat x$ is 0. So $\tfrac{1}{\sqrt2}\,(\tfrac12, -\tfrac12, -\tfrac12, \tfrac12)$. Sum 0, as it must be.
#
# ??? question "3. A batch of two, $\varepsilon = 0$, any upstream gradient. What is $\partial L/\partial x$?"
#     Zero. The upstream gradient has two components; one direction is taken away with the mean, the other with $\hat x = (-1, 1)$, and two is all there were. The layers below learn only through $\varepsilon$. This is one reason for the left end of the figure of the batch sizes.
#
# ??? question "4. What does weight decay do to weights below a batch norm?"
#     It makes them shorter, and the output does not depend on their length. But their gradient does: shorter weights have longer gradients, so every later step rotates them more. Weight decay acts like a higher learning rate there, and without it plain gradient descent could only lengthen them (van Laarhoven 2017).
#
# ??? question "5. For the notebook: make the first weights of every layer too large or too small, by a factor from 0.1 to 10. Which network minds?"
#     Multiply `net.params[name]` in place by the factor, for all weights below a batch norm, before `fit`. The first forward pass of the normalised net does not change at all, but for $\varepsilon$. Its training does: ten times the weights, a tenth of the gradient, so the weights rotate by a hundredth as much. Then do it without batch normalisation.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("batch_norm", "batch_norm_backward")

# %% [markdown]
# ## Sources
#
# - Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing internal covariate shift*, ICML: the layer, its gradient node by node, and the story of the growing bias.
# - Santurkar, Tsipras, Ilyas and Madry (2018), *How does batch normalization help optimization?*, NeurIPS: smoothness instead of drift, and how to measure both.
# - Bjorck, Gomes, Selman and Weinberger (2018), *Understanding batch normalization*, NeurIPS: larger learning rates as the cause.
# - Wu and He (2018), *Group normalization*, ECCV: small batches, and statistics that do not need them.
# - Vaswani and others (2017), *Attention is all you need*, NeurIPS: another place, next to a skip connection.
# - van Laarhoven (2017), *L2 regularization versus batch and weight normalization*, arXiv:1706.05350: weight decay where the length of the weights has no effect.
# - Yang, Pennington, Rao, Sohl-Dickstein and Schoenholz (2019), *A mean field theory of batch normalization*, ICLR: gradients at the start of very deep networks.
# - He, Zhang, Ren and Sun (2015), *Delving deep into rectifiers: surpassing human-level performance on ImageNet classification*, ICCV: how large the weights should begin.
