# ---
# title: Softmax
# description: Scores become probabilities, the exponential overflows unless you subtract the maximum, and a gradient that seems to need a million slopes comes from one sum.
# tags:
#   - layers
# ---

# %% [markdown]
# # Softmax
#
# A network ends in scores, any numbers at all. To choose among classes, and to be taught, it has to predict probabilities: positive, with sum 1. Softmax turns the one into the other. Why can a correct formula give `nan`? Why does the gradient need no Jacobian? And how far should you believe a network that says "99 %"?
#
# You need [the symbols of this book](../foundations/notation.md) and [backpropagation by hand](../foundations/chain_rule.py).

# %% tags=["hide-input"]
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle

from nn_tutorial import SGD, GradientError, digits, fit, gradient_check, mlp
from nn_tutorial import softmax, softmax_backward
from nn_tutorial.pages.show import (
    certificate_figure,
    power,
    show_certificate,
    show_derivation,
    show_equations,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

z = np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]])
p, cache = softmax(z)

fig, axes = plt.subplots(1, 3, figsize=(5.0, 2.5))
steps = (z[0], "scores z", "{:.2f}"), (np.exp(z[0]), "their exponentials", "{:.0f}"), (
    p[0], "divided by their sum", "{:.2f}")
for ax, (heights, title, form) in zip(axes, steps, strict=True):
    ax.bar(range(3), heights, color=COLORS["blue"], alpha=0.7, width=0.7)
    for k, value in enumerate(heights):
        ax.text(k, value, form.format(value), ha="center", va="bottom")
    ax.set_title(title, fontsize=9.5, fontweight="normal")
    ax.set(xticks=range(3), yticks=[], ylim=(0, 1.18 * max(heights)), xlabel="class k")
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
show(
    fig,
    name="scores-to-probabilities",
    alt=(
        "Three bar charts of three classes. The scores 0, 0.69 and 1.10 become exponentials 1, 2 "
        "and 3, and these, divided by their sum 6, the probabilities 0.17, 0.33 and 0.50."
    ),
    caption=(
        "One row of scores on its way. The exponential makes every number positive, the division "
        "makes the sum 1. The order of the bars never changes."
    ),
)

# %% [markdown]
# ## One row in, one distribution out
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $Z$ | `z` | $(N, C)$ | scores, called **logits**, one row per example |
# | $P$ | `p` | $(N, C)$ | probabilities; each row sums to 1 |
# | $\partial L/\partial P$ | `dp` | $(N, C)$ | the upstream gradient |
# | $\partial L/\partial Z$ | `dz` | $(N, C)$ | the gradient that is passed on |
# | $J$ | `jacobian` | $(C, C)$, one per row | $\partial p_j/\partial z_i$ |
#
# Rows have nothing to do with each other. Within a row each probability depends on every score, because all of them are divided by one sum:
#
# $$p_{ni} = \frac{e^{z_{ni}}}{\sum_j e^{z_{nj}}}$$
#
# ## Two rows by hand
#
# Let the scores be logarithms of whole numbers; then the exponentials are whole. The rows sum to 6 and to 4:
#
# $$Z = \begin{bmatrix}\ln 1 & \ln 2 & \ln 3\\ \ln 1 & \ln 1 & \ln 2\end{bmatrix}$$
#
# $$P = \begin{bmatrix}\tfrac16 & \tfrac26 & \tfrac36\\[3pt] \tfrac14 & \tfrac14 & \tfrac24\end{bmatrix}$$
#
# **Backward.** For each row, first take the mean of the upstream gradient, weighted with the probabilities. Then each class gets its probability times how far its own gradient lies above that mean:
#
# $$\frac{\partial L}{\partial P} = \begin{bmatrix}6 & 0 & 0\\ 0 & 4 & -2\end{bmatrix}, \qquad
#   \text{means } \begin{bmatrix}1\\ 0\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial Z} = \begin{bmatrix}\tfrac56 & -\tfrac26 & -\tfrac36\\[3pt] 0 & 1 & -1\end{bmatrix}$$
#
# In the first row the mean is $\tfrac16 \cdot 6 = 1$. The first class is 5 above it and gets $\tfrac16 \cdot 5$; the others are 1 below it. Each row of the result sums to 0. You will see why it must.

# %%
dp = np.array([[6.0, 0.0, 0.0], [0.0, 4.0, -2.0]])
dz = softmax_backward(dp, cache)

assert np.allclose(p, [[1 / 6, 2 / 6, 3 / 6], [1 / 4, 1 / 4, 2 / 4]], rtol=1e-15)
assert np.allclose(dz, [[5 / 6, -2 / 6, -3 / 6], [0, 1, -1]], rtol=0, atol=1e-15)

# %% [markdown]
# ## Why the exponential, and why "soft"
#
# **Why the exponential?** Other functions are positive too. But with this one a *difference* of scores is a *ratio* of probabilities, because the sum cancels:
#
# $$\frac{p_i}{p_j} = e^{z_i - z_j}, \qquad \log \frac{p_i}{p_j} = z_i - z_j$$
#
# The ratio is called the **odds** of class $i$ against class $j$, its logarithm the **log-odds**. A score is a log-odds, up to a constant of its row. What a layer *adds* to a score multiplies the odds: with a score that is 1 higher, the odds against every other class are $e \approx 2.7$ times as high.
#
# **Why soft?** Divide all scores by a number $T > 0$, the **temperature**. As $T \to 0$ the log-odds $(z_i - z_j)/T$ grow without bound, so the largest score gets probability 1 and the others 0. That is the maximum, written as a one-hot row. As $T \to \infty$ all become equal. With $T = 1$ softmax lies between the two, and unlike the maximum it has a slope everywhere.

# %% tags=["hide-input"]
log_odds = np.log(p[:, :, None] / p[:, None])
assert np.allclose(log_odds, z[:, :, None] - z[:, None], rtol=0, atol=1e-15)

temperatures = np.geomspace(0.03, 30, 200)
heated = np.array([softmax(z[0] / T)[0] for T in temperatures])
assert np.allclose(softmax(z[0] / 0.01)[0], [0, 0, 1], rtol=0, atol=1e-9)
assert np.allclose(softmax(z[0] / 1000)[0], 1 / 3, rtol=0, atol=1e-3)
assert np.allclose(softmax(np.array([0.0, 1.0, 1.0]) / 0.01)[0], [0, 0.5, 0.5])  # a tie is shared

fig, ax = plt.subplots(figsize=(4.8, 3.3))
ax.axvline(1, color=COLORS["muted"], linewidth=0.9)
ax.axhline(1 / 3, color=COLORS["muted"], linestyle=":", linewidth=1.1)
for k, (color, style) in enumerate((("green", ":"), ("orange", "--"), ("blue", "-"))):
    ax.plot(temperatures, heated[:, k], style, color=COLORS[color])
    ax.plot(1, p[0, k], "o", color=COLORS[color], markersize=5)
    ax.annotate(f"{k + 1}/6", (1, p[0, k]), (6, 4 if k else -4), textcoords="offset points",
                color=COLORS[color], va="bottom" if k else "top")
ax.text(0.04, 0.94, "z = ln 3", color=COLORS["blue"], va="top")
ax.text(0.22, 0.24, "ln 2", color=COLORS["orange"], ha="right", va="bottom")
ax.text(0.35, 0.05, "ln 1", color=COLORS["green"], ha="right", va="bottom")
ax.set(xscale="log", xlabel="temperature T", ylabel="probability", ylim=(-0.03, 1.05),
       title="From the maximum to no choice at all")
ax.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
ax.minorticks_off()
show(
    fig,
    name="temperature",
    alt=(
        "Probabilities of three classes with the scores ln 1, ln 2 and ln 3 against the "
        f"temperature. At {temperatures[0]:g} they are {heated[0, 0]:.2f}, {heated[0, 1]:.2f} and "
        f"{heated[0, 2]:.2f}, at 1 one, two and three sixths, at {temperatures[-1]:g} "
        f"{heated[-1, 0]:.2f}, {heated[-1, 1]:.2f} and {heated[-1, 2]:.2f}."
    ),
    caption=(
        "The first row of the example at other temperatures. On the left softmax chooses the "
        "largest score alone, on the right it does not choose. The order of the three never changes."
    ),
)

# %% [markdown]
# ## The formula is right and the program is wrong
#
# Type the formula in, and it works, until the scores grow. In float32 the largest number is about $3.4 \cdot 10^{38}$, and $e^{89}$ is above it:


# %%
def naive_softmax(z):
    """Right on paper."""
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


largest = float(np.log(np.finfo(np.float32).max))
with np.errstate(over="ignore", invalid="ignore"):  # let the symptom through
    for top in (80.0, 90.0):
        row = np.array([top, top - 1, 0.0], np.float32)
        print(f"{top:g}: naive {naive_softmax(row)}, ours {softmax(row)[0].round(4)}")
        assert np.isnan(naive_softmax(row)).any() == (top > largest)

# %% [markdown]
# Above {{ largest:.1f}} the exponential is `inf`, and `inf / inf` is `nan`. One `nan` in a loss makes every weight `nan` in the next step, and the network is lost.
#
# The cure costs one line: **subtract the largest score of the row first.** Why may you? Because a constant that is added to all scores of a row cancels. The chain below is evaluated, each step against the one before and the first against the code:

# %% tags=["remove-input"]
show_derivation("softmax", 0)

# %% [markdown]
# The largest exponent is now $0$, so nothing overflows. What underflows becomes 0, which is right to within the smallest float there is; and at least one exponential is 1, so the sum is never 0.
#
# The same argument says what a network *cannot* learn: a row of scores is known only up to a constant. $C$ scores carry $C - 1$ facts.

# %%
shifted = softmax(z + 1000.0)[0]
print(f"1000 added to all scores changes p by {np.abs(shifted - p).max():.0e}")
assert np.allclose(shifted, p, rtol=0, atol=1e-12)

# %% [markdown]
# (It changes a little, because $1000 + \ln 2$ has no room for the last digits of $\ln 2$.)
#
# ## The Jacobian, from one number to a row
#
# **One number.** How does $p_i$ change with its own score $z_i$? Write $S = \sum_j e^{z_j}$; then $\partial S/\partial z_i = e^{z_i}$, and the quotient rule gives
#
# $$\frac{\partial p_i}{\partial z_i} = \frac{e^{z_i} S - e^{z_i} e^{z_i}}{S^2} = p_i - p_i^2 = p_i (1 - p_i)$$
#
# **Its neighbour.** How does $p_j$ change with another score $z_i$? The numerator $e^{z_j}$ does not change; the sum does:
#
# $$\frac{\partial p_j}{\partial z_i} = -\frac{e^{z_j} e^{z_i}}{S^2} = -p_j\, p_i$$
#
# Raise one score, and all other probabilities fall, the large ones most. Both cases in one line, with a Kronecker delta:
#
# $$J_{ji} = \frac{\partial p_j}{\partial z_i} = p_j\,(\delta_{ij} - p_i)$$
#
# Here it is for the first row above, in units of $\tfrac1{36}$, so that you can check the numbers:

# %% tags=["hide-input"]
jacobian = np.diag(p[0]) - np.outer(p[0], p[0])
assert np.allclose(36 * jacobian, [[5, -2, -3], [-2, 8, -6], [-3, -6, 9]], rtol=1e-14)


def heat(ax, values, title):
    """Cells as dark as their numbers are far from 0: blue above, orange below."""
    top = np.abs(values).max()
    for (i, j), value in np.ndenumerate(values):
        color = COLORS["blue" if value > 0 else "orange"]
        ax.add_patch(Rectangle((j, i), 1, 1, facecolor=color, alpha=0.9 * abs(value) / top,
                               edgecolor="none"))
    ax.set(xlim=(0, len(values)), ylim=(len(values), 0), aspect="equal", title=title)
    ax.grid(visible=False)


data = digits(seed=SEED)
pixels = {part: getattr(data, f"x_{part}").reshape(len(getattr(data, f"x_{part}")), -1)
          for part in ("train", "val", "test")}
draw = np.random.default_rng(SEED)
reader = mlp(64, [32], 10, rng=draw)
fit(reader, (pixels["train"], data.y_train), optimizer=SGD(reader.params, 0.1), epochs=5,
    batch_size=32, rng=draw)
probs = softmax(reader(pixels["test"]).astype(np.float64))[0]
unsure = np.abs(probs.max(1) - 0.5).argmin()  # an image with a clear rival
first, second = np.argsort(probs[unsure])[::-1][:2]
wide = np.diag(probs[unsure]) - np.outer(probs[unsure], probs[unsure])

fig, (left, right) = plt.subplots(2, 1, figsize=(4.4, 7.0), height_ratios=[2, 3])
value_grid(left, np.rint(36 * jacobian), title="By hand, times 36", highlight=jacobian > 0)
heat(right, wide, "A real one: ten digits")
right.set(xticks=np.arange(10) + 0.5, xticklabels=range(10), yticks=np.arange(10) + 0.5,
          yticklabels=range(10), xlabel="score of digit i", ylabel="probability of digit j")
show(
    fig,
    name="jacobian",
    alt=(
        "Above, a grid of three by three: 5, −2, −3; −2, 8, −6; −3, −6, 9. Below, a ten by ten map "
        f"that is empty but for the rows and columns of the digits {first} and {second}: positive "
        "where each meets itself, negative where they meet each other."
    ),
    caption=(
        "The Jacobian of the first row, and that of an image for which a trained network predicts "
        f"{probs[unsure, first]:.0%} for {first} and {probs[unsure, second]:.0%} for {second}. Blue "
        "cells, on the diagonal, are positive, orange ones negative; darker is farther from 0. "
        "In the four dark cells, what one of the rivals gains, the other loses."
    ),
)
off = wide[~np.eye(10, dtype=bool)]
assert (np.diag(wide) >= 0).all() and (off <= 0).all()
assert np.allclose(wide.sum(0), 0, rtol=0, atol=1e-15)

# %% [markdown]
# Each column sums to 0, because the probabilities always sum to 1: what one gains the others lose. The matrix is symmetric, and it has no inverse, which is the lost constant once more.
#
# ## The sum that needs no matrix
#
# [Where two roads meet, gradients add](../foundations/chain_rule.py#where-two-roads-meet-gradients-add): $z_i$ is used by *all* the $p_j$ of its row, so its gradient is a sum over $j$, as at the top of [](../foundations/chain_rule.py#graph), where $x$ is used twice. It is tempting to multiply by the diagonal alone, $p_i(1 - p_i)$, as if a score fed its own probability only. It feeds all of them.

# %% tags=["remove-input"]
show_derivation("softmax", 1)

# %% [markdown]
# The sum over $j$ is one number for each row: the mean of the upstream gradient, weighted with the probabilities. With $\langle a, b \rangle_n$ for that row-wise sum of products:
#
# $$\boxed{\frac{\partial L}{\partial Z} = P \odot \left(\frac{\partial L}{\partial P} - \Big\langle \frac{\partial L}{\partial P},\, P \Big\rangle_n\right)}$$
#
# The shapes agree: $(N, C)$ times $(N, C)$ minus $(N, 1)$. It takes two multiplications and a subtraction per element, where the matrix would need $C$ of them.
#
# **Rows sum to zero.** Sum the box over a row: $\sum_i p_i \,\partial L/\partial p_i$ minus the same number times $\sum_i p_i = 1$. So adding one constant to all scores of a row does not change the loss, as it must not.

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(4.6, 4.9))
short = dp[0] - dp[0] @ p[0]
rows = (
    (axes[0], [*jacobian.T, dp[0], dz[0]], "Jacobian, times the upstream gradient", "·"),
    (axes[1], [p[0], short, dz[0]], "Probabilities, times what lies above the mean", "⊙"),
)
for ax, parts, title, times in rows:
    places = [*range(len(parts) - 2), len(parts) - 1.6, len(parts) - 0.2]
    value_grid(ax, np.full((3, 1), ""), title=title)
    for column, left in zip(parts, places, strict=True):
        for k, value in enumerate(column):
            ax.add_patch(Rectangle((left, k), 1, 1, fill=False, edgecolor=COLORS["muted"],
                                   linewidth=0.8))
            ax.text(left + 0.5, k + 0.5, f"{value:.2f}".replace("-", "−"), ha="center", va="center",
                    fontweight="bold" if column is parts[-1] else "normal")
    for left, text in zip(places[-2:], (times, "="), strict=True):
        ax.text(left - 0.2, 1.5, text, ha="center", va="center")
    ax.set(xlim=(-0.05, 6), ylim=(3.05, -0.05))
show(
    fig,
    name="two-ways",
    live="softmax",
    alt=(
        "The first row of the example. Above, its Jacobian of nine numbers times 6, 0, 0. Below, "
        "the probabilities 0.17, 0.33, 0.50 times 5, −1, −1. Both give 0.83, −0.33, −0.50."
    ),
    caption=(
        "The first row of the example, computed both ways. Their last columns are the same. "
        "Where your browser runs scripts, you can move the scores, the temperature $T$ (every "
        "score is divided by it first) and the upstream gradient. With "
        "a temperature, $\\partial L/\\partial z$ is the gradient of the numbers $z/T$ that softmax gets."
    ),
)
assert np.allclose(jacobian @ dp[0], p[0] * short, rtol=0, atol=1e-15)

# %% [markdown]
# ## The code says the same
#
# In `softmax` the lines that make `e` and `p` are the equation, in `softmax_backward` the last line is. The cache is the output itself, with the axis if that is not the last.

# %% tags=["remove-input"]
show_source(softmax, softmax_backward)

# %% tags=["remove-input"]
show_equations("softmax", "P", "dZ")

# %% [markdown]
# As an `einsum`, with the Jacobian and without it; the number is the norm of the difference:

# %%
jacobians = np.einsum("ni,ij->nij", p, np.eye(3)) - np.einsum("ni,nj->nij", p, p)
with_matrix = np.einsum("nj,nij->ni", dp, jacobians)
mean = np.einsum("nj,nj->n", dp, p)
without = p * (dp - mean[:, None])
for way, found in (("with the Jacobian", with_matrix), ("without", without)):
    print(f"{way}: {np.linalg.norm(found - dz):.0e}")
    assert np.allclose(found, dz, rtol=0, atol=1e-15)

# %% [markdown]
# ## What the matrix would cost
#
# Both ways give the same numbers. What they cost was recorded on one core, for 16 rows in float32 and more and more classes:

# %% tags=["hide-input"]
recorded = json.loads(Path("benchmarks/chapters.json").read_text(encoding="utf-8"))
costs, classes = recorded["softmax"], recorded["softmax"]["classes"]
fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 5.4), sharex=True)
for name, text, color, marker in (("jacobian", "with the Jacobian", "orange", "s"),
                                  ("short", "the short form", "blue", "o")):
    for ax, unit, scale in ((upper, "seconds", 1e3), (lower, "bytes", 1e-6)):
        values = [entry[unit] * scale for entry in costs[name]]
        ax.plot(classes, values, marker + "-", color=COLORS[color], markersize=4)
        above = name == "jacobian"
        ax.annotate(text, (classes[-2], values[-2]), (-8, 8) if above else (0, -9),
                    textcoords="offset points", color=COLORS[color], ha="right" if above else
                    "center", va="bottom" if above else "top")
upper.set(title="Time", ylabel="milliseconds", yscale="log")
lower.set(title="Memory at the peak", ylabel="megabytes", yscale="log", xscale="log",
          xlabel="number of classes C")
times = [a["seconds"] / b["seconds"] for a, b in zip(costs["jacobian"], costs["short"], strict=True)]
memory = [a["bytes"] / b["bytes"] for a, b in zip(costs["jacobian"], costs["short"], strict=True)]
show(
    fig,
    name="cost",
    alt=(
        f"Time and memory against the number of classes, on logarithmic axes. At {classes[-1]} "
        f"classes the Jacobian takes {times[-1]:.0f} times the time and {memory[-1]:.0f} times the "
        "memory of the short form; at ten classes both are alike in time."
    ),
    caption=(
        f"Recorded on {recorded['date'][:10]} by `make bench`. The slopes differ: per decade of "
        "classes the Jacobian costs up to two decades, the short form one."
    ),
)
assert times[-1] > 100 and memory[-1] > 100 and times[0] < 5

# %% [markdown]
# At {{ classes[0] }} classes the matrix costs {{ times[0]:.1f}} times as much time. At {{ classes[-1]:,}} it is {{ times[-1]:.0f}} times as much, and {{ memory[-1]:.0f}} times the memory. A language model chooses among some hundred thousand words: its Jacobian would have ten billion entries for each word of the text.
#
# ## Evidence
#
# Here are differences of the forward pass, with a random upstream gradient:

# %%
scores = rng.standard_normal((5, 7))
report = gradient_check(softmax, softmax_backward, [scores], rng=rng, names=["z"])
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# And [the certificate](../verify/checks.py) of this build: several shapes, both precisions, against differences, the complex step and PyTorch.

# %% tags=["remove-input"]
rows = show_certificate("softmax", folded=True)
worst = max(row.largest for row in rows if row.dtype == "float64")
exact = max(row.complex_step for row in rows if row.dtype == "float64")
show(
    certificate_figure(rows),
    name="softmax-certificate",
    alt=(
        "Relative errors on a logarithmic axis. In float64 the complex step and PyTorch agree to "
        f"{exact:.0e}, central differences to {worst:.0e}. In float32 all three are larger."
    ),
    caption=(
        "The certificate. Of the three rows of dots, the one for the differences is "
        "the least exact. It is the witness that errs, not the layer."
    ),
)

# %% [markdown]
# The largest error in float64 is ${{ power(worst) }}$. Expect about as much of differences with $h = 10^{-6}$, and $10^{-15}$ of the complex step. A gradient that is off by more is wrong.
#
# ## Five ways to get it wrong
#
# The first three are wrong gradients:


# %%
def diagonal_only(dp, p):
    """Wrong: as if each score fed its own probability alone."""
    return dp * p * (1 - p)


def mean_not_weighted(dp, p):
    """Wrong: the mean that is subtracted is not weighted with p."""
    return p * (dp - dp.mean(axis=-1, keepdims=True))


def mean_over_all_rows(dp, p):
    """Wrong: one mean for the whole batch. Rows have nothing to do with each other."""
    return p * (dp - (dp * p).sum() / len(p))


upstream = rng.standard_normal(scores.shape)
right = softmax_backward(upstream, softmax(scores)[0])
for wrong in (diagonal_only, mean_not_weighted, mean_over_all_rows):
    try:
        gradient_check(softmax, wrong, [scores], rng=rng).raise_if_above(1e-6)
        raise AssertionError("not caught")
    except GradientError:
        found = wrong(upstream, softmax(scores)[0])
        cosine = (found * right).sum() / np.linalg.norm(found) / np.linalg.norm(right)
        rest = np.abs(found.sum(axis=1)).max()
        print(f"{wrong.__name__:<18} caught; cosine {cosine:.2f}, row sum {rest:.2f}")
        assert rest > 1e-3

# %% [markdown]
# The *cosine* is that of the angle between the wrong gradient and the right one. All three point roughly the right way, so a small step along any of them lowers the loss, and the loss does not give the mistake away. The sum of a row does, without any differences.
#
# **The check that sees nothing.** With an upstream gradient of all ones, the true gradient is 0, since the sum of a row never changes. Then a backward pass that returns nothing but zeros passes:

# %%
ones = np.ones_like(scores)
assert np.abs(softmax_backward(ones, softmax(scores)[0])).max() < 1e-15
print("with all ones upstream the right answer is 0 everywhere")

# %% [markdown]
# **The fourth: the wrong axis.** Without `axis=-1` NumPy sums over the whole array; with `axis=0`, over the batch. The rows no longer sum to 1, and the answer for one image depends on which others are in its batch.

# %%
e = np.exp(z)
for name, wrong in (("no axis", e / e.sum()), ("axis 0", e / e.sum(axis=0))):
    print(f"{name}: rows sum to {wrong.sum(axis=1).round(2)}, all to {wrong.sum():.2f}")
    assert not np.allclose(wrong.sum(axis=1), 1)
square = np.exp(z[:, :2])
assert np.allclose((square / square.sum(axis=0)).sum(axis=0), 1)  # columns do

# %% [markdown]
# If you forget `keepdims=True`, the shapes $(N, C)$ and $(N,)$ do not fit, and NumPy says so, unless $N = C$. Then it divides column by column and says nothing: one more reason for checking with sizes that differ.
#
# **The fifth: softmax twice.** PyTorch's `cross_entropy` takes *scores*. Hand it probabilities, and it takes their softmax. Nothing fails, but the network can no longer be sure:

# %%
certain = np.array([[0.0, 0.0, 1.0]])  # the surest that a softmax can be
twice = softmax(certain)[0]
floor = -np.log(twice[0, 2])
theirs = torch.nn.functional.cross_entropy(torch.tensor(certain), torch.tensor([2]))
print(f"certain and right, the second softmax gives {twice[0, 2]:.2f}")
assert np.isclose(theirs.item(), floor)

# %% [markdown]
# With three classes the loss can never fall below {{ floor:.2f}}, however right the network is. If your loss stops at a value that looks like a logarithm, look for a second softmax.
#
# ## Does it mean what it says?
#
# A probability is a promise: of all the images for which the network says "80 %", four in five should be right.
#
# **The question.** Are the probabilities of a trained network honest on images it has not seen?
#
# **A prediction.** Training goes on raising the score of the right class after every training image is right, because the loss still falls. So on new images the network should grow surer faster than it grows right.
#
# The network has 64 hidden units and is trained with momentum on 200 digits; 800 are for validation, 790 for the test. Five seeds choose the weights and the order.

# %% tags=["hide-input"]
few = digits(sizes=(200, 800, 790), seed=SEED)
flat = {part: getattr(few, f"x_{part}").reshape(len(getattr(few, f"x_{part}")), -1)
        for part in ("train", "val", "test")}
labels = {part: getattr(few, f"y_{part}") for part in ("train", "val", "test")}
stops, seeds = [5, 10, 20, 40, 80, 160, 320], range(5)


def nll(logits, t):
    """Mean loss; a page of its own derives it."""
    return -np.log(softmax(logits)[0][np.arange(len(t)), t]).mean()


def best_temperature(logits, t):
    """The T that makes the validation loss smallest, from a grid."""
    grid = np.geomspace(0.25, 8, 61)
    return grid[np.argmin([nll(logits / T, t) for T in grid])]


sure, correct, cooled, chosen = (np.empty((len(seeds), len(stops))) for _ in range(4))
ends = {"as trained": [], "with T": []}  # confidence and rightness of each test image, by seed
for seed in seeds:
    draw = np.random.default_rng(seed)
    net = mlp(64, [64], 10, rng=draw)
    optimizer, done = SGD(net.params, 0.05, momentum=0.9), 0
    for j, stop in enumerate(stops):
        fit(net, (flat["train"], labels["train"]), optimizer=optimizer, epochs=stop - done,
            batch_size=32, rng=draw, keep_best=False)
        done = stop
        logits = {part: net(flat[part]).astype(np.float64) for part in ("val", "test")}
        probs = softmax(logits["test"])[0]
        sure[seed, j] = probs.max(1).mean()
        correct[seed, j] = (probs.argmax(1) == labels["test"]).mean()
        chosen[seed, j] = best_temperature(logits["val"], labels["val"])
        calmer = softmax(logits["test"] / chosen[seed, j])[0]
        cooled[seed, j] = calmer.max(1).mean()
    for name, p in (("as trained", probs), ("with T", calmer)):
        ends[name].append((p.max(1), p.argmax(1) == labels["test"]))

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(4.8, 3.6))
for values, color, style, text, at, va in (
    (sure, "orange", "-", "mean confidence", 4, "bottom"),
    (correct, "blue", "--", "share that is right", 5, "top"),
    (cooled, "green", ":", "confidence, with T", 0, "low"),
):
    percent = 100 * values
    ax.plot(stops, percent.mean(0), style, color=COLORS[color])
    ax.fill_between(stops, percent.min(0), percent.max(0), color=COLORS[color], alpha=0.2,
                    linewidth=0)
    shift = {"bottom": (2, 7), "top": (2, -9), "low": (0, 16)}[va]
    ax.annotate(text, (stops[at], percent.mean(0)[at]), shift, color=COLORS[color],
                textcoords="offset points", va="top" if va == "top" else "bottom",
                ha="right" if va == "bottom" else "left")
ax.set(xscale="log", xlabel="epochs", ylabel="test images (%)", title="Surer than right")
ax.set_xticks(stops, [str(stop) for stop in stops])
ax.minorticks_off()
gap = sure - correct
show(
    fig,
    name="confidence",
    alt=(
        f"Against epochs: mean confidence rises from {sure[:, 0].mean():.0%} to "
        f"{sure[:, -1].mean():.0%}, the share of right answers from {correct[:, 0].mean():.0%} to "
        f"{correct[:, -1].mean():.0%}. They cross early. Divided by a fitted temperature, the "
        f"confidence ends at {cooled[:, -1].mean():.0%}."
    ),
    caption=(
        "How sure the network is, on average, and how often it is right; means over five seeds, "
        "bands from the lowest to the highest. Before the lines cross, the network is too "
        "modest, and afterwards too sure."
    ),
)
assert (gap[:, 0] < 0).all() and (gap[:, -1] > 0.01).all()
assert (np.abs((cooled - correct)[:, -1]) < np.abs(gap[:, -1])).all()
spread = gap[:, -1].std(ddof=1)

# %% [markdown]
# **The verdict.** Early on the network is too modest: after {{ stops[0] }} epochs it is {{ sure[:, 0].mean():.0%}} sure and {{ correct[:, 0].mean():.0%}} right. After {{ stops[-1] }} epochs it is {{ sure[:, -1].mean():.1%}} sure and {{ correct[:, -1].mean():.1%}} right, a gap of {{ 100 * gap[:, -1].mean():.1f}} points (standard deviation over the seeds {{ 100 * spread:.1f}}), and its sign is the same for every seed. The prediction holds, but only for long training.
#
# There is a cheap cure: a [temperature](#why-the-exponential-and-why-soft) $T$, chosen on the validation images: $p = \operatorname{softmax}(z / T)$. At the end it is {{ chosen[:, -1].mean():.2f}} on average, and the gap shrinks to {{ 100 * np.abs(cooled - correct)[:, -1].mean():.1f}} points. Since dividing keeps the order of the scores, not one answer changes ([@guo2017]).
#
# Two means can agree while the probabilities are wrong, too high for one half of the images and too low for the other. A **reliability diagram** looks closer. Sort the test images by confidence, cut them into six groups of equal size, and compare within each group:

# %% tags=["hide-input"]
def grouped(confidence, right, parts=6):
    """Mean confidence and share that is right, in groups from the least sure to the surest."""
    groups = np.array_split(confidence.argsort(), parts)
    return [(confidence[g].mean(), right[g].mean()) for g in groups]


bins = {name: 100 * np.array([grouped(*end) for end in runs]) for name, runs in ends.items()}
fig, ax = plt.subplots(figsize=(4.8, 3.8))
ax.plot([60, 100], [60, 100], "--", color=COLORS["muted"], linewidth=1)
for (name, runs), color, marker in zip(bins.items(), ("orange", "green"), "so"):
    x, y = runs.mean(0).T
    ax.vlines(x, runs[..., 1].min(0), runs[..., 1].max(0), color=COLORS[color], linewidth=1.2)
    ax.plot(x, y, marker + "-", color=COLORS[color], markersize=5)
    ax.annotate(name, (x[0], y[0]), (-6, 8) if name == "with T" else (8, -4),
                textcoords="offset points", color=COLORS[color], va="center",
                ha="right" if name == "with T" else "left")
ax.set(xlabel="mean confidence of the group (%)", ylabel="right (%)",
       title=f"After {stops[-1]} epochs", xlim=(59, 101), ylim=(59, 102))
off = {name: np.abs(runs[..., 0] - runs[..., 1]).mean() for name, runs in bins.items()}
first = {name: runs[:, 0].mean(0) for name, runs in bins.items()}
show(
    fig,
    name="digit-reliability",
    alt=(
        "Share of right answers against mean confidence, six groups. The least sure group is "
        f"{first['as trained'][0]:.0f} % sure and {first['as trained'][1]:.0f} % right as trained, "
        f"and {first['with T'][0]:.0f} % sure with the temperature. The surer groups lie near the "
        "diagonal."
    ),
    caption=(
        "Means over five seeds, lines from the lowest to the highest; on the dashed line a network "
        f"is as sure as it is right. As trained the groups are {off['as trained']:.1f} points off "
        f"on average, with the temperature {off['with T']:.1f}."
    ),
)
assert off["with T"] < off["as trained"] and first["as trained"][0] > first["as trained"][1] + 5

# %% [markdown]
# It is on the least sure sixth of the images that the network claims too much: it is {{ first["as trained"][0]:.0f}} % sure and {{ first["as trained"][1]:.0f}} % right. With the temperature it claims {{ first["with T"][0]:.0f}} %.
#
# **What this does not show.** That such networks are honest for each digit, or on images of another kind: these images resemble the training set. One split was used, and 200 training images are few; how the gap depends on their number was not measured.
#
# ## In five lines
#
# - Softmax turns scores into probabilities: positive, with sum 1 in each row.
# - Subtract the row's maximum first: no probability changes, and no exponential overflows.
# - The gradient needs no Jacobian: subtract the weighted mean of the upstream gradient, and multiply by the probabilities.
# - Use it once, along the axis of the classes; a second softmax keeps the loss from falling.
# - Trained for long, a network is surer than it is right; one temperature for all scores is a cheap cure.
#
# ## Try it
#
# ??? question "1. Why may you subtract the maximum, and not divide by it?"
#     A constant that is *added* to all scores becomes a common factor of all exponentials and cancels. A constant that multiplies them changes the differences between scores: that is a temperature.
#
# ??? question "2. With a pencil: the scores are $\ln 1$ and $\ln 3$, and the upstream gradient is $(4, 0)$. What is passed on?"
#     $p = (\tfrac14, \tfrac34)$, the weighted mean is $1$, and $\partial L/\partial z = (\tfrac14 \cdot 3,\ \tfrac34 \cdot (-1)) = (\tfrac34, -\tfrac34)$.
#
# ??? question "3. For two classes, what is softmax?"
#     Divide numerator and denominator by $e^{z_1}$: $p_1 = 1/(1 + e^{-(z_1 - z_2)})$, the sigmoid of the difference of the scores. Two scores carry one fact.
#
# ??? question "4. A network is certain: $p = (1, 0, 0)$. What is its Jacobian, and what does that mean for learning?"
#     All zeros, since $p_i(\delta_{ij} - p_j)$ is 0 for every pair. No gradient passes a softmax that is certain, even if it is wrong. Why networks learn all the same is the subject of [the next chapter](cross_entropy.py): the loss sends an infinite gradient, and the product of the two is finite.
#
# ??? question "5. For the notebook: set `stops` so that the longest training has ten times the epochs. Where does the gap go?"
#     Extend the list and run the two cells again. Compute `nll` of the test images as well: can it rise while the accuracy stands still?

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("softmax", "softmax_backward")

# %% [markdown]
# ## Sources
#
# - Bridle (1990), *Probabilistic interpretation of feedforward classification network outputs*, in Neurocomputing: the name. The form is older: it is Boltzmann's distribution of energies.
# - Goodfellow, Bengio and Courville (2016), *Deep learning*, MIT Press, sections 4.1 and 6.2.2: overflow, and softmax as an output.
# - Guo, Pleiss, Sun and Weinberger (2017), *On calibration of modern neural networks*, ICML: too sure, and the temperature.
# - Blanchard, Higham and Higham (2021), *Accurately computing the log-sum-exp and softmax functions*, IMA Journal of Numerical Analysis: what subtracting the maximum does to the rounding.
