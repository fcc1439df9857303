# ---
# title: Layer normalisation
# description: Every example gets mean 0 and variance 1 over its own features, so it no longer depends on its company; the backward pass is batch normalisation's, rotated by 90 degrees, but the parameters do not rotate.
# tags:
#   - layers
# ---

# %% [markdown]
# # Layer normalisation
#
# Batch normalisation makes an example's output depend on its neighbours in the batch, and in a batch of two it leaves hardly anything of the example. Layer normalisation ([@ba2016]) measures mean and spread along the other axis, over the features of a single example. This page derives its backward pass, shows which parts of it change with the axis and which do not, and finds out at which batch sizes the change pays.
#
# You need [batch normalisation](batch_norm.py), whose numbers come back on this page, and [the symbols of this book](../foundations/notation.md).

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from scipy import stats

from nn_tutorial import (
    SGD,
    BatchNorm,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
    batch_norm,
    batch_norm_backward,
    digits,
    evaluate,
    fit,
    fit_many,
    gradient_check,
    holm,
    layer_norm,
    layer_norm_backward,
    softmax,
)
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

# %% tags=["remove-input"]
grid = np.array([[1, 3, 4, 5, 7], [10, 0, 0, 0, 0], [2, 9, 1, 6, 2], [5, 8, 3, 1, 3]])
column, line = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
column[:, 1], line[0] = True, True
fig, axes = plt.subplots(1, 2, figsize=(5.4, 2.75))
for ax, cells, title, color in (
    (axes[0], column, "Batch norm: a column", "orange"),
    (axes[1], line, "Layer norm: a row", "blue"),
):
    value_grid(ax, grid, title=title, highlight=cells, color=color)
    ax.text(2.5, -0.12, "features", ha="center", va="bottom", color=COLORS["muted"])
    ax.text(-0.12, 2, "examples", ha="right", va="center", rotation=90, color=COLORS["muted"])
    mean, var = grid[cells].mean(), grid[cells].var()
    ax.text(2.5, 4.25, f"μ = {mean:g}, σ² = {var:g}", ha="center", va="top", color=COLORS[color])
    ax.set(xlim=(-0.7, 5.1), ylim=(4.75, -0.6))
show(
    fig,
    name="axes",
    alt=(
        "The same table of four examples and five features, twice. Left the second column is "
        "tinted: 3, 0, 9, 8, with mean 5 and variance 13.5. Right the first row is tinted: "
        "1, 3, 4, 5, 7, with mean 4 and variance 4."
    ),
    caption=(
        "Which numbers are averaged together. The tinted column holds one feature of every "
        "example, the tinted row every feature of one."
    ),
)
assert grid[column].mean() == 5 and grid[column].var() == 13.5
assert grid[line].mean() == grid[line].var() == 4

# %% [markdown]
# ## One mean and one variance for each example
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, D)$ | the input, one example per row |
# | $\mu$ | `mean` | $(N)$ | mean of each row |
# | $\sigma^2$ | `var` | $(N)$ | variance of each row, divided by $D$ |
# | $\varepsilon$ | `eps` | one number | keeps the root away from 0, $10^{-5}$ |
# | $\rho$ | `inv_std` | $(N)$ | $1/\sqrt{\sigma^2 + \varepsilon}$ |
# | $\hat X$ | `xhat` | $(N, D)$ | the normalised input |
# | $\gamma$, $\beta$ | `weight`, `bias` | $(D)$ | scale and shift of each feature, to be learnt |
# | $Y$ | `y` | $(N, D)$ | the output |
#
# $$\hat x_{nd} = (x_{nd} - \mu_n)\,\rho_n, \qquad y_{nd} = \gamma_d\, \hat x_{nd} + \beta_d$$
#
# Compare the indices with those of [batch normalisation](batch_norm.py#one-mean-and-one-variance-for-each-feature). There, $\mu$, $\rho$, $\gamma$ and $\beta$ all carried the $d$ of the feature. Here $\mu$ and $\rho$ carry the $n$ of the example, while $\gamma$ and $\beta$ have kept their $d$. They must: a parameter is learnt from many examples and used on new ones, so it cannot belong to one of them. Keep this mixture of indices in mind: here the two backward passes will part.
#
# ## Two examples by hand
#
# Five features, two examples, and $\varepsilon = 0$ so that the numbers stay simple:
#
# | Feature | 1 | 2 | 3 | 4 | 5 | |
# |---|---|---|---|---|---|---|
# | $\gamma$ | 4 | 4 | 2 | 4 | 8 | |
# | $\beta$ | 0 | 1 | 2 | 1 | 0 | |
# | **Example 1**, $x$ | 1 | 3 | 4 | 5 | 7 | $\mu = 4$, $\sigma^2 = 4$, so $\rho = \tfrac12$ |
# | $\hat x$ | $-\tfrac32$ | $-\tfrac12$ | 0 | $\tfrac12$ | $\tfrac32$ | sum 0, squares 5 |
# | $y$ | $-6$ | $-1$ | 2 | 3 | 12 | $\gamma \hat x + \beta$ |
# | **Example 2**, $x$ | 10 | 0 | 0 | 0 | 0 | $\mu = 2$, $\sigma^2 = 16$, so $\rho = \tfrac14$ |
# | $\hat x$ | 2 | $-\tfrac12$ | $-\tfrac12$ | $-\tfrac12$ | $-\tfrac12$ | sum 0, squares 5 |
# | $y$ | 8 | $-1$ | 1 | $-1$ | $-4$ | $\gamma \hat x + \beta$ |
#
# Backward, the upstream gradient first meets $\gamma$. What gets through to $\hat x$ is called $G$, with $g_{nd} = \gamma_d\, \partial L/\partial y_{nd}$. From there on each row is on its own:
#
# | Feature | 1 | 2 | 3 | 4 | 5 | |
# |---|---|---|---|---|---|---|
# | **Example 1**, $\partial L/\partial y$ | 0 | 2 | $-2$ | 0 | 2 | |
# | $g$ | 0 | 8 | $-4$ | 0 | 16 | mean 4 |
# | $g \hat x$ | 0 | $-4$ | 0 | 0 | 24 | mean 4 |
# | $\partial L/\partial x$ | 1 | 3 | $-4$ | $-3$ | 3 | $\rho\,(g - 4 - 4\hat x)$, sum 0 |
# | **Example 2**, $\partial L/\partial y$ | 5 | 1 | 2 | 0 | $-1$ | |
# | $g$ | 20 | 4 | 4 | 0 | $-8$ | mean 4 |
# | $g \hat x$ | 40 | $-2$ | $-2$ | 0 | 4 | mean 8 |
# | $\partial L/\partial x$ | 0 | 1 | 1 | 0 | $-2$ | $\rho\,(g - 4 - 8\hat x)$, sum 0 |
#
# The first example is the column of [five numbers](batch_norm.py#five-numbers-by-hand) from the chapter on batch normalisation, laid on its side. It has the same $g$, so it passes on the same gradient: $1, 3, -4, -3, 3$.
#
# The second example holds a surprise. Its first feature receives 20, more than any other, and passes on *nothing*. Raise the 10 to 1,000 and you see why: $\hat x$ is still $2, -\tfrac12, -\tfrac12, -\tfrac12, -\tfrac12$. All that is left of this row is that one value lies above four equal ones, no matter by how much.
#
# The parameters are shared by the examples, so their gradients are sums over both:
#
# $$\frac{\partial L}{\partial \beta} = (5,\, 3,\, 0,\, 0,\, 1), \qquad
#   \frac{\partial L}{\partial \gamma} = (10,\, -\tfrac32,\, -1,\, 0,\, \tfrac72)$$

# %%
x = np.array([[1.0, 3.0, 4.0, 5.0, 7.0], [10.0, 0.0, 0.0, 0.0, 0.0]])
gamma = np.array([4.0, 4.0, 2.0, 4.0, 8.0])
beta = np.array([0.0, 1.0, 2.0, 1.0, 0.0])
dy = np.array([[0.0, 2.0, -2.0, 0.0, 2.0], [5.0, 1.0, 2.0, 0.0, -1.0]])

y, cache = layer_norm(x, gamma, beta, eps=0.0)
dx, dgamma, dbeta = layer_norm_backward(dy, cache)

assert (cache.mean == [4, 2]).all() and (cache.var == [4, 16]).all()
assert (2 * cache.xhat == [[-3, -1, 0, 1, 3], [4, -1, -1, -1, -1]]).all()
assert (y == [[-6, -1, 2, 3, 12], [8, -1, 1, -1, -4]]).all()
assert (dx == [[1, 3, -4, -3, 3], [0, 1, 1, 0, -2]]).all()
assert (dbeta == [5, 3, 0, 0, 1]).all()
assert (2 * dgamma == [20, -3, -2, 0, 7]).all()

# %% [markdown]
# ## It does not mind the batch
#
# The equations for example $n$ contain no other example, so it makes no difference who else is in the batch. Here is one handwritten digit, behind a linear layer of twelve features with random weights, in forty different batches of eight. Both layers are in training mode:

# %% tags=["hide-input"]
data = digits(sizes=(1024, 373, 400), seed=SEED)
flat = {
    part: (getattr(data, f"x_{part}").reshape(-1, 64), getattr(data, f"y_{part}"))
    for part in ("train", "val", "test")
}
x_train, y_train = flat["train"]
below = Linear(64, 12, rng=rng)
one = np.ones(12, np.float32)
company = {"batch norm": [], "layer norm": []}
for _ in range(40):
    others = rng.choice(np.arange(1, 1024), 7, replace=False)
    features = below.forward(x_train[[0, *others]])[0]
    for name, layer in (("batch norm", batch_norm), ("layer norm", layer_norm)):
        company[name].append(layer(features, one, 0 * one)[0][0])
company = {name: np.array(rows) for name, rows in company.items()}

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(4.9, 4.4), sharex=True, sharey=True)
for ax, (name, rows), color in zip(axes, company.items(), ("orange", "blue"), strict=True):
    ax.plot(np.arange(1, 13), rows.T, "o", color=COLORS[color], alpha=0.3, markersize=4)
    ax.set(title=name.capitalize(), ylabel="normalised value")
axes[1].set(xlabel="feature", xticks=range(1, 13))
spread = {name: np.ptp(rows, axis=0) for name, rows in company.items()}
show(
    fig,
    name="company",
    alt=(
        "Two plots of twelve features with forty dots each, one per batch. With batch "
        f"normalisation the dots of a feature are spread over {spread['batch norm'].min():.1f} to "
        f"{spread['batch norm'].max():.1f} units. With layer normalisation all forty lie on one "
        "another."
    ),
    caption="One image in forty batches. Each feature has forty values above, and one below.",
)
assert (spread["layer norm"] == 0).all() and spread["batch norm"].min() > 1

# %% [markdown]
# Three things follow, and each of them saves trouble.
#
# - **Training and evaluation are the same function.** There are no running statistics to keep, to save, or to spoil, and no mode to forget.
# - **You can train on a batch of one,** and on batches of uneven size. Sentences differ in length, so a batch of them thins out from word to word; Ba and others had recurrent networks for such data in mind. The transformer ([@vaswani2017]) has layer norms in each of its blocks.
# - **You can cut a batch.** If eight examples need too much memory, take three, then five, and add up the gradients. The sum is the gradient of all eight. With batch normalisation it is not:


# %%
def in_parts(layer, *parts):
    """The gradient of the weights below a layer, summed over parts of a batch."""
    net = Sequential(below, layer)
    total = 0.0
    for part in parts:
        _, cache = net.forward(x_train[part])
        total += net.backward(upstream[part], cache)[1]["0.weight"]
    return total


upstream = rng.standard_normal((8, 12)).astype(np.float32)
eight, three, five = slice(8), slice(3), slice(3, 8)
for layer in (LayerNorm(12), BatchNorm(12)):
    whole, cut = in_parts(layer, eight), in_parts(layer, three, five)
    apart = np.abs(whole - cut).max() / np.abs(whole).max()
    print(f"{type(layer).__name__}: whole and cut differ by {apart:.0e}")
    assert (apart < 1e-6) == isinstance(layer, LayerNorm)

assert LayerNorm(12).buffers == {}
alone = [layer_norm(row[None], one, 0 * one)[0][0] for row in features]
assert (np.array(alone) == layer_norm(features, one, 0 * one)[0]).all()

# %% [markdown]
# ## Backward: the same box, rotated by 90 degrees
#
# Fix one example and leave its $n$ out. Then $\hat x_1, \dots, \hat x_D$ are made from $x_1, \dots, x_D$ exactly as batch normalisation makes one feature from $N$ examples. So the slopes are [the ones you know](batch_norm.py#backward-through-the-graph-node-by-node). With $\tilde x = x - \mu$, a change of $x_d$ reaches $\hat x_k$ by three roads. Per unit of $x_d$, this moves $\hat x_k$
#
# - **straight**, by $\rho$, but only its own $\hat x_d$, where $k = d$;
# - **through the mean**: $\mu$ moves by $\tfrac1D$, and with it $\hat x_k$ by $-\tfrac{\rho}{D}$;
# - **through the variance**: $\sigma^2$ moves by $\tfrac2D \tilde x_d$, so $\rho$ moves by $-\tfrac12 \rho^3 \cdot \tfrac2D \tilde x_d$, and $\hat x_k = \rho\, \tilde x_k$ by that times $\tilde x_k$, which is $-\tfrac{\rho}{D}\, \hat x_d\, \hat x_k$.
#
# (The variance also depends on the mean. That adds nothing: at the mean the sum of squares is smallest, and its slope is 0.) Together, with a bracket that is 1 where its condition holds and 0 elsewhere:
#
# $$\frac{\partial \hat x_k}{\partial x_d} = \rho \left([k = d] - \frac1D - \frac{\hat x_d\, \hat x_k}{D}\right)$$
#
# The loss sees $x_d$ through all the $\hat x_k$ of its example, so the chain rule adds over $k$. The build compares each line with the one before, and the first with the code:

# %% tags=["remove-input"]
show_derivation("layer_norm")

# %% [markdown]
# In the second line the two layers part. In batch normalisation the sum ran over the examples, and $\gamma_d$, which has no index of an example, came out in front. What stayed inside was $\partial L/\partial Y$, and its sums were there already, as the gradients of $\beta$ and $\gamma$. Here the sum runs over the features, and **$\gamma_k$ has the index that is summed over**. It has to stay inside. So the two means are those of $G$, and they are the gradient of no parameter.
#
# Write $G = \gamma \odot \partial L/\partial Y$ in both layers. Batch normalisation averages over $n$, the examples,
#
# $$\begin{aligned}
# \frac{\partial L}{\partial X} = \rho \odot \Big( &G - \mathrm{mean}_n(G)\\
# & - \hat X \odot \mathrm{mean}_n(G \odot \hat X) \Big)
# \end{aligned}$$
#
# and layer normalisation over $d$, the features:
#
# $$\boxed{\begin{aligned}
# \frac{\partial L}{\partial X} = \rho \odot \Big( &G - \mathrm{mean}_d(G)\\
# & - \hat X \odot \mathrm{mean}_d(G \odot \hat X) \Big)
# \end{aligned}}$$
#
# Only one letter differs. The shapes agree: $(N, D)$ minus $(N, 1)$ minus $(N, D)$ times $(N, 1)$, where batch normalisation had $(1, D)$. In code the letter is an axis:


# %%
def normalise(x, axis, eps=1e-5):
    xhat = x - x.mean(axis, keepdims=True)
    inv_std = 1 / np.sqrt((xhat**2).mean(axis, keepdims=True) + eps)
    return xhat * inv_std, inv_std


def normalise_backward(g, xhat, inv_std, axis):
    by_mean = g.mean(axis, keepdims=True)
    by_var = xhat * (g * xhat).mean(axis, keepdims=True)
    return inv_std * (g - by_mean - by_var)


batch, from_above = rng.standard_normal((2, 7, 5))
scale, shift = rng.standard_normal((2, 5))
for axis, forward, backward in (
    (-2, batch_norm, batch_norm_backward),
    (-1, layer_norm, layer_norm_backward),
):
    xhat, inv_std = normalise(batch, axis)
    there, kept = forward(batch, scale, shift)
    found = normalise_backward(from_above * scale, xhat, inv_std, axis)
    assert np.allclose(scale * xhat + shift, there, rtol=0, atol=1e-14)
    assert np.allclose(found, backward(from_above, kept)[0], rtol=0, atol=1e-14)

straight = layer_norm(batch, np.ones(5), np.zeros(5))[0]
transposed = batch_norm(batch.T, np.ones(7), np.zeros(7))[0].T
assert np.allclose(transposed, straight, rtol=0, atol=1e-14)

# %% [markdown]
# The last three lines of the code take the heading at its word: transpose the table, normalise the batch, transpose it back, and you have a layer norm. The parameters' gradients are *not* transposed with it. A $\beta_d$ was added to feature $d$ of every example, a $\gamma_d$ multiplied it, and so both still sum over $n$:
#
# $$\frac{\partial L}{\partial \beta_d} = \sum_n \frac{\partial L}{\partial y_{nd}}, \qquad
#   \frac{\partial L}{\partial \gamma_d} = \sum_n \frac{\partial L}{\partial y_{nd}}\, \hat x_{nd}$$

# %% tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5.4, 3.0))
for ax, title in zip(axes, ("Batch norm", "Layer norm"), strict=True):
    value_grid(ax, np.full((4, 5), ""), title=title)

    def arrow(ax, start, end, color, style):
        ax.annotate("", end, start, arrowprops={
            "arrowstyle": "-|>", "color": COLORS[color], "linewidth": 1.8, "linestyle": style,
            "shrinkA": 0, "shrinkB": 0})

    if title == "Layer norm":
        for n in range(4):
            arrow(ax, (0.2, n + 0.33), (4.85, n + 0.33), "blue", "-")
    for d in range(5):
        if title == "Batch norm":
            arrow(ax, (d + 0.3, 0.2), (d + 0.3, 3.85), "blue", "-")
        across = 0.7 if title == "Batch norm" else 0.5
        arrow(ax, (d + across, 0.2), (d + across, 3.85), "orange", (0, (2, 1.2)))
    ax.text(2.5, 4.2, "two means for ∂L/∂X", ha="center", va="top", color=COLORS["blue"])
    ax.text(2.5, 4.75, "∂L/∂β and ∂L/∂γ", ha="center", va="top", color=COLORS["orange"])
    ax.text(2.5, -0.1, "features", ha="center", va="bottom", color=COLORS["muted"], fontsize=9)
    ax.text(-0.1, 2, "examples", ha="right", va="center", rotation=90, color=COLORS["muted"],
            fontsize=9)
    ax.set(xlim=(-0.6, 5.1), ylim=(5.35, -0.6))
show(
    fig,
    name="rotated",
    alt=(
        "Two tables of examples and features with arrows along which the backward pass adds up. In "
        "batch norm solid blue arrows, the two means, and dashed orange arrows, the parameters' "
        "gradients, both run down the columns. In layer norm the blue arrows run along the rows "
        "and the orange ones still down the columns."
    ),
    caption=(
        "What the backward pass adds up, and along which axis. On the left the arrows' "
        "directions agree, so one sum serves both; on the right they cross."
    ),
)

# %% [markdown]
# ## The code says the same
#
# `dxhat` is $G$. `dx` begins as the last term of the box, gets $G$ added and its mean taken away, and is multiplied by $\rho$: the box, read from the end.

# %% tags=["remove-input"]
show_source(layer_norm, layer_norm_backward)

# %% tags=["remove-input"]
show_equations("layer_norm", "mu", "sigma2", "Xhat", "Y", "dXhat", "dgamma", "dbeta", "dX")

# %% [markdown]
# As an `einsum`, the two directions are easy to tell apart: what is missing on the right of the arrow is summed.

# %%
over_examples = np.einsum("nd,nd->d", dy, cache.xhat), np.einsum("nd->d", dy)
over_features = np.einsum("nd,d,nd->n", dy, gamma, cache.xhat) / 5
assert (over_examples[0] == dgamma).all() and (over_examples[1] == dbeta).all()
assert (over_features == [4, 8]).all()

# %% [markdown]
# ### Images: each pixel of each channel is a feature
#
# An image of shape $(C, H, W)$ is one long row, and $D$ becomes $C \cdot H \cdot W$. So the layer learns a $\gamma$ and a $\beta$ for every place, where batch normalisation has one pair per channel, and it fits images of one size only.

# %%
images = rng.standard_normal((4, 3, 5, 2))  # N, C, H, W
per_pixel = rng.standard_normal((2, 3, 5, 2))
y_images, _ = layer_norm(images, *per_pixel)
y_rows, _ = layer_norm(images.reshape(4, 30), *per_pixel.reshape(2, 30))
assert np.allclose(y_images.reshape(4, 30), y_rows, rtol=0, atol=1e-14)

# %% [markdown]
# ## What it cannot see
#
# The box takes two things away from the upstream gradient: its mean over the example, and its part along $\hat x$. In these two directions the loss is flat, because the forward pass has forgotten them: how high the numbers of an example lie, and how far apart. For an image those are brightness and contrast.

# %% tags=["remove-input"]
ink = LinearSegmentedColormap.from_list("ink", [COLORS["background"], COLORS["text"]])
digit = flat["test"][0][np.flatnonzero(flat["test"][1] == 5)[0]].astype(np.float64)
seen = {"as it is": 0.6 * digit, "lighter": 0.2 * digit, "on grey": 0.6 * digit + 0.35}
fig, axes = plt.subplots(2, 3, figsize=(4.6, 3.4))
outs = []
for pair, (name, image) in zip(axes.T, seen.items(), strict=True):
    outs.append(layer_norm(image[None], np.ones(64), np.zeros(64), eps=0.0)[0][0])
    for ax, values, low, high in ((pair[0], image, 0, 1), (pair[1], outs[-1], -1.2, 2.2)):
        ax.imshow(values.reshape(8, 8), cmap=ink, vmin=low, vmax=high, interpolation="none")
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        ax.spines[:].set_visible(True)
    pair[0].set_title(name, fontsize=10, fontweight="normal")
axes[0, 0].set_ylabel("input")
axes[1, 0].set_ylabel("normalised")
show(
    fig,
    name="brightness",
    alt=(
        "A handwritten 5 in three versions: as it is, with a third of the contrast, and on a grey "
        "ground. Below, what layer normalisation makes of them: three times the same picture."
    ),
    caption="Three inputs, one output: the lower row shows the same picture three times.",
)
assert np.allclose(outs[0], outs[1], rtol=0, atol=1e-12)
assert np.allclose(outs[0], outs[2], rtol=0, atol=1e-12)

# %% [markdown]
# Which layer forgets what? Ba and others (their table 1) ask this of a linear layer $Z = XW$ with a normalisation behind it. Each row of the table changes one thing, and says whether $\hat Z$ changes with it:

# %%
X, W = rng.standard_normal((8, 6)), rng.standard_normal((6, 5))
v = rng.standard_normal(6)
first_row, first_column = np.ones((8, 1)), np.ones(5)
first_row[0], first_column[0] = 3, 3
changes = {
    "all weights times 3": (X, 3 * W),
    "one column of weights times 3": (X, W * first_column),
    "a vector added to each column": (X, W + v[:, None]),
    "one example times 3": (X * first_row, W),
    "a vector added to each example": (X + v, W),
}
both, column, line, example, vector = changes
columns, rows = (both, column, vector), (both, line, example)
print(f"{'':<33}batch norm  layer norm")
for what, (other_x, other_w) in changes.items():
    found = []
    for axis in (-2, -1):
        before = normalise(X @ W, axis, eps=0)[0]
        after = normalise(other_x @ other_w, axis, eps=0)[0]
        found.append("same" if np.allclose(before, after) else "changes")
    print(f"{what:<33}{found[0]:<12}{found[1]}")
    assert (found[0] == "same") == (what in columns)
    assert (found[1] == "same") == (what in rows)

# %% [markdown]
# The pattern is the picture at the top. Whatever happens to a whole column, batch normalisation takes out; whatever happens to a whole row, layer normalisation takes out. One practical consequence: both layers [stand between a linear layer and its ReLU](batch_norm.py#where-it-stands-in-a-network), and the bias of the linear layer adds a number to each column. Below a batch norm it has nothing to do; below a layer norm it is useful.
#
# ## Evidence
#
# Differences of the forward pass, with a random $\gamma$ and a random upstream gradient, in float64:

# %%
report = gradient_check(
    layer_norm, layer_norm_backward, [batch, scale, shift],
    rng=rng, names=["x", "γ", "β"],
)
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# Compared with PyTorch, for features and for images:

# %%
apart = []
for array in (batch, images):
    ours = LayerNorm(array.shape[1:], dtype=np.float64)
    theirs = torch.nn.LayerNorm(array.shape[1:], dtype=torch.float64)
    for name, value in ours.params.items():
        value[...] = rng.standard_normal(value.shape)
        getattr(theirs, name).data = torch.tensor(value)
    from_above = rng.standard_normal(array.shape)
    there = torch.tensor(array, requires_grad=True)
    their_y = theirs(there)
    their_y.backward(torch.tensor(from_above))
    our_y, our_cache = ours.forward(array)
    our_dx, grads = ours.backward(from_above, our_cache)
    pairs = [(our_y, their_y.detach()), (our_dx, there.grad)]
    pairs += [(grads[name], getattr(theirs, name).grad) for name in grads]
    apart.append(max(np.abs(a - b.numpy()).max() for a, b in pairs))
print(f"largest difference from PyTorch: {max(apart):.0e}")
assert max(apart) < 1e-13

# %% [markdown]
# And [the certificate](../verify/checks.py) of this build:

# %% tags=["remove-input"]
rows = show_certificate("layer_norm", folded=True)
worst = max(entry.largest for entry in rows if entry.dtype == "float64")
exact = max(max(entry.complex_step, entry.pytorch) for entry in rows if entry.dtype == "float64")
single = max(entry.largest for entry in rows if entry.dtype == "float32")
show(
    certificate_figure(rows),
    name="layer-norm-certificate",
    alt=(
        "Relative errors on a logarithmic axis. In float64 the complex step and PyTorch agree to "
        f"{exact:.0e}, central differences to {worst:.0e}; in float32 all lie below {single:.0e}."
    ),
    caption=(
        "The certificate. The dots of the central differences lie far to the right of "
        "those of the other two witnesses: it is the differences that are not exact."
    ),
)

# %% [markdown]
# In float64 the largest error is ${{ power(worst) }}$, from the differences; for the two exact witnesses it is ${{ power(exact) }}$. In float32 expect ${{ power(single) }}$: the gradient is what two subtractions leave, and each of them costs digits.
#
# ## Four ways to get it wrong
#
# **The first: batch normalisation's line, with the axis changed.** It has $\gamma$ in front and the gradients of the output in the means. Check it on a new layer:


# %%
def gamma_in_front(dy, cache, *, need_dx=True):
    """Wrong: the means are those of dy, and γ comes last."""
    _, dgamma, dbeta = layer_norm_backward(dy, cache, need_dx=False)
    inv_std = cache.inv_std[:, None]
    inner = normalise_backward(dy, cache.xhat, inv_std, -1)
    return cache.weight * inner, dgamma, dbeta


for name, weight in (("new layer, all γ = 1", np.ones(5)), ("random γ", scale)):
    arrays = [batch, weight, shift]
    report = gradient_check(layer_norm, gamma_in_front, arrays, rng=rng)
    print(f"{name:<21} relative error {report.max_error:.0e}")
    assert (report.max_error < 1e-6) == (name != "random γ")

# %% [markdown]
# On a new layer it *passes*. All $\gamma$ are 1, and then it does not matter where they stand. It is wrong only after the first step. Would you notice in training?

# %% tags=["hide-input"]
seeds = range(6)


def small_net(seed, norm):
    """Two hidden layers of 64 units, normalised before each ReLU."""
    draw = np.random.default_rng(seed)
    layers = []
    for _ in range(2):
        layers += [Linear(64, 64, rng=draw), *([norm(64)] if norm else []), ReLU()]
    return Sequential(*layers, Linear(64, 10, rng=draw)), draw


class GammaInFront(LayerNorm):
    def backward(self, dy, cache, *, need_dx=True):
        dx, dgamma, dbeta = gamma_in_front(dy, cache)
        return dx, {"weight": dgamma, "bias": dbeta}


reached = {}
for norm in (LayerNorm, GammaInFront):
    reached[norm] = []
    for seed in seeds:
        net, draw = small_net(seed, norm)
        fit(net, flat["train"], optimizer=SGD(net.params, 0.3), epochs=10, batch_size=32,
            rng=draw, keep_best=False)
        reached[norm].append(evaluate(net, *flat["test"])[1])
right, wrong = (np.array(found) for found in reached.values())
gap = 100 * (right - wrong)  # in points, seed by seed
gap_half = stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
assert abs(right.mean() - wrong.mean()) < 0.015 and abs(gap.mean()) < gap_half
assert right.min() <= wrong.max() and wrong.min() <= right.max()

# %% [markdown]
# No. After ten epochs the right gradient gets {{ right.mean():.1%}} of the test images right and the wrong one {{ wrong.mean():.1%}}, and over six seeds the difference is {{ f"{gap.mean():+.1f} points, interval {gap.mean() - gap_half:+.1f} to {gap.mean() + gap_half:+.1f}".replace("-", "−") }}: it cannot be told from 0. What catches it is a check with parameters that are *not* those of a new layer. And there is a check you can do in your head: each row of the right `dx` sums to 0.

# %%
spoilt = gamma_in_front(dy, cache)[0]
print("rows of dx: right", dx.sum(axis=1), "wrong", spoilt.sum(axis=1).round(2))
assert (dx.sum(axis=1) == 0).all() and (np.abs(spoilt.sum(axis=1)) > 1).all()

# %% [markdown]
# **The second: `keepdims` forgotten.** A mean over axis 1 has shape $(N)$, and NumPy lines up shapes from the right: with the features, not with the examples. That is an error, and a lucky one, unless the batch is as large as the layer is wide:


# %%
def without_keepdims(x):
    """Wrong: the means of the rows are taken from the columns."""
    return (x - x.mean(axis=1)) / np.sqrt(x.var(axis=1) + 1e-5)


for size in (64, 32):
    try:
        means = without_keepdims(x_train[:size]).mean(axis=1)
        between = f"{means.min():.1f} to {means.max():.1f}"
        print(f"batch of {size}: no error, but means from {between}")
        assert np.abs(means).max() > 0.1
    except ValueError as error:
        print(f"batch of {size}: {str(error).strip()}")
        assert size == 32

# %% [markdown]
# Batches of 64 and layers of 64 units are both popular. The program runs, learns something, and stops in the last batch of the epoch, which is smaller. Test on shapes whose sizes are all different.
#
# **The third: the last axis of an image.** PyTorch's layer normalises over as many *last* axes as you give it sizes. Give it one size, and it takes every line of pixels for an example of its own:

# %%
picture = torch.tensor(rng.standard_normal((4, 3, 8, 8)))
lines = torch.nn.LayerNorm(8, dtype=torch.float64)
assert lines(picture).mean(dim=-1).abs().max() < 1e-12
means = picture.mean(dim=-1).numel()
shape = tuple(lines.weight.shape)
print(f"{means} means for {len(picture)} images, γ of shape {shape}")
try:
    LayerNorm(8, dtype=np.float64).forward(picture.numpy())
    raise AssertionError("not refused")
except ValueError as error:
    print(f"ours: {error}")

# %% [markdown]
# PyTorch gives no error, and no number looks odd. Only the shape of $\gamma$ gives it away: print the shapes of the parameters once. Our layer refuses, because its $\gamma$ must have the shape of one example.
#
# **The fourth: another deviation.** Many programs write `x.std(-1)` in PyTorch and add $\varepsilon$ to it afterwards, among them a widely read [commented transformer](@rush2018). But `std` divides by $D - 1$, and the layer by $D$:

# %%
print("   D  largest difference")
for width in (3, 64, 1024):
    row = torch.tensor(rng.standard_normal((1, width)))
    theirs = torch.nn.functional.layer_norm(row, (width,))
    written = (row - row.mean(-1)) / (row.std(-1) + 1e-6)
    share = ((theirs - written).abs().max() / theirs.abs().max()).item()
    print(f"{width:4}  {share:.2%}")
    assert abs(share - (1 - np.sqrt((width - 1) / width))) < 1e-3

# %% [markdown]
# A network that is *trained* with it learns a $\gamma$ that makes up for the difference. The mistake shows when you load weights from elsewhere: each layer is off by the same small share. The comparison with PyTorch above catches it at $D = 5$.
#
# ## Does the batch size matter?
#
# **The question.** Layer normalisation does not look at the batch. So is its training as good in small batches as in large ones? And is it as good as batch normalisation?
#
# **A prediction.** In batches of two, batch normalisation should fail, since two values normalise to $\pm1$ [whatever they were](batch_norm.py#six-ways-to-get-it-wrong). Layer normalisation should keep up with the plain network, which does not look at the batch either. Above some size the two normalisations should be alike.
#
# The task is handwritten digits, 1,024 of them for training, with two hidden layers of 64 units, plain gradient descent for five epochs, six seeds and batches of 2 to 128. Each kind of network gets five learning rates at each size, and the validation images choose among them. Test accuracy is measured in evaluation mode for all three. A run whose loss overflows stops there, with the weights it had.
#
# That is more than six hundred trainings. They are cheap because [`fit_many`](../reference/training.md) trains all seeds and rates of one kind and one size side by side, each as it would have trained alone.

# %% tags=["hide-input"]
kinds = {"plain": None, "batch norm": BatchNorm, "layer norm": LayerNorm}
sizes = [2, 4, 8, 16, 32, 64, 128]


def rates_for(size):
    """Five learning rates, each about three times the one before: low ones for small batches."""
    lowest = {2: 0, 4: 1, 8: 2, 16: 2, 32: 3, 64: 4, 128: 4}[size]
    return [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0][lowest : lowest + 5]


def train(norm, size, rates, *, epochs=5, stretch=1.0):
    """Train a network for each seed and rate; return those of the best rate, and the rate."""
    each = [(*small_net(seed, norm), rate) for seed in seeds for rate in rates]
    nets, draws, lr = zip(*each)
    for layer in (layer for net in nets for layer in net.layers if isinstance(layer, Linear)):
        layer.params["weight"] *= stretch
    fit_many(nets, flat["train"], optimizer=SGD, lr=lr, epochs=epochs, batch_size=size, rngs=draws)
    val = [evaluate(net, *flat["val"])[1] for net in nets]
    best = np.reshape(val, (len(seeds), -1)).mean(axis=0).argmax()
    return nets[best :: len(rates)], rates[best]


def tested(nets):
    """Accuracy on the test images, in evaluation mode, of each network."""
    return np.array([evaluate(net, *flat["test"])[1] for net in nets])


test, chosen = {}, {}
for size in sizes:
    for kind, norm in kinds.items():
        nets, chosen[kind, size] = train(norm, size, rates_for(size))
        test[kind, size] = tested(nets)
        if (kind, size) == ("batch norm", 2):
            in_twos = nets

# %% tags=["remove-input"]
looks = {"plain": ("orange", "s--"), "batch norm": ("green", "^:"), "layer norm": ("blue", "o-")}
fig, ax = plt.subplots(figsize=(4.9, 3.9))
for kind, (color, style) in looks.items():
    percent = 100 * np.array([test[kind, size] for size in sizes])
    ax.plot(sizes, percent.mean(axis=1), style, color=COLORS[color], markersize=5)
    ax.fill_between(sizes, percent.min(axis=1), percent.max(axis=1), color=COLORS[color],
                    alpha=0.15, linewidth=0)
ax.text(2.25, 72, "batch norm", color=COLORS["green"], ha="left", va="top")
ax.text(38, 90.5, "layer norm", color=COLORS["blue"], ha="right", va="top")
ax.text(70, 84, "plain", color=COLORS["orange"], ha="right", va="top")
ax.set(xscale="log", xlabel="batch size", ylabel="test accuracy (%)", ylim=(60, 101),
       title="Only batch norm needs a batch")
ax.set_xticks(sizes, [str(size) for size in sizes])
ax.minorticks_off()
at = {(kind, size): f"{found.mean():.0%}" for (kind, size), found in test.items()}
show(
    fig,
    name="batch-sizes",
    alt=(
        "Test accuracy against batch size for three networks. At 2: plain "
        f"{at['plain', 2]}, batch norm {at['batch norm', 2]}, layer norm {at['layer norm', 2]}. "
        f"At 16: {at['plain', 16]}, {at['batch norm', 16]}, {at['layer norm', 16]}. At 128: "
        f"{at['plain', 128]}, {at['batch norm', 128]}, {at['layer norm', 128]}."
    ),
    caption=(
        "Means over six seeds after five epochs, each network at its best learning rate; bands from "
        "the lowest to the highest. On the left one line falls, on the right the two others do."
    ),
)

# %% tags=["remove-input"]
for net in in_twos:
    for layer in net.layers:
        if isinstance(layer, BatchNorm):
            layer.momentum = 1.0  # this batch alone, and the batch is all training images
    net.forward(x_train, train=True)
measured_anew = tested(in_twos)
longer = {kind: tested(train(kinds[kind], 128, [0.1, 0.3, 1.0, 3.0], epochs=20)[0])
          for kind in ("batch norm", "layer norm")}
short_weights = {kind: tested(train(kinds[kind], 16, [0.03, 0.1, 0.3, 1.0], stretch=0.1)[0])
                 for kind in ("plain", "layer norm")}
plain, batched, layered = ({size: test[kind, size] for size in sizes} for kind in kinds)


def cell(kind, size):
    """Mean, range and best rate, for the table."""
    found = test[kind, size]
    spread = f"{found.min():.1%} to {found.max():.1%}"
    return f"{found.mean():.1%} ({spread}) at {chosen[kind, size]:g}"


def differs(first, second, tests=1):
    """Mean difference over the seeds in points, and its 95 % interval as one of several tests."""
    d = 100 * (first - second)
    t = stats.t.ppf(1 - 0.025 / tests, len(d) - 1)
    half = t * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


def told(first, second, tests=1):
    mean, low, high = differs(first, second, tests)
    return f"{mean:+.1f} points, interval {low:+.1f} to {high:+.1f}".replace("-", "−")


over_plain = {size: differs(layered[size], plain[size]) for size in sizes}
alone = sum(low > 0 or high < 0 for _, low, high in over_plain.values())
for size in sizes:  # none of them, when all hold together
    _, low, high = differs(layered[size], plain[size], len(sizes))
    assert low < 0 < high
most = max(mean for mean, _, _ in over_plain.values())
for size in (32, 128):  # each alone
    assert differs(batched[size], layered[size])[1] > 0
assert differs(batched[2], layered[2], len(sizes))[2] < -10
over_layered = dict(zip(
    sizes, holm([stats.ttest_rel(batched[size], layered[size]).pvalue for size in sizes])
))  # fmt: skip
assert differs(longer["batch norm"], longer["layer norm"])[1] > 0
surest = softmax(np.array([[3.0, *[-1 / 3] * 9]]))[0].max()  # for question 4
for kind, size in test:  # no best rate at an edge of its five
    assert rates_for(size)[0] < chosen[kind, size] < rates_for(size)[-1]
assert batched[2].max() < min(plain[2].min(), layered[2].min()) - 0.1
assert abs(measured_anew.mean() - batched[2].mean()) < 0.05
for size in sizes:  # layer norm and plain: the ranges overlap everywhere
    assert layered[size].min() <= plain[size].max() and plain[size].min() <= layered[size].max()
ahead = {size: 100 * (batched[size].mean() - layered[size].mean()) for size in (32, 128)}
assert ahead[32] > 0.5 and ahead[128] > 3
assert chosen["batch norm", 128] > 2 * chosen["layer norm", 128]
assert longer["layer norm"].mean() > layered[128].mean() + 0.03
assert longer["batch norm"].mean() > longer["layer norm"].mean()
assert short_weights["layer norm"].min() > short_weights["plain"].max()

# %% [markdown]
# | Batch | plain | batch norm | layer norm |
# |---|---|---|---|
# | 2 | {{ cell("plain", 2) }} | {{ cell("batch norm", 2) }} | {{ cell("layer norm", 2) }} |
# | 8 | {{ cell("plain", 8) }} | {{ cell("batch norm", 8) }} | {{ cell("layer norm", 8) }} |
# | 32 | {{ cell("plain", 32) }} | {{ cell("batch norm", 32) }} | {{ cell("layer norm", 32) }} |
# | 128 | {{ cell("plain", 128) }} | {{ cell("batch norm", 128) }} | {{ cell("layer norm", 128) }} |
#
# Test accuracy, mean and range over six seeds, at the learning rate that the validation images chose.
#
# **In batches of two: as predicted.** Batch normalisation reaches {{ batched[2].mean():.1%}}, layer normalisation {{ layered[2].mean():.1%}}. Are its running statistics to blame, which see two values at a time? Measured anew on all training images at once, they give {{ measured_anew.mean():.1%}}. So the trouble lies not in what the layer remembers but in the weights that were learnt.
#
# **Layer norm keeps up with the plain network: yes.** Their ranges overlap at every size. Seed by seed, layer normalisation is ahead by {{ f"{most:.1f}" }} points at most. Of seven intervals of 95 %, one per size, {{ alone }} {{ "excludes" if alone == 1 else "exclude" }} 0; widened until all seven hold together ([Bonferroni's correction](../pytorch/fashion_mnist.py#which-parts-earned-their-place)), none does. That is the independence we looked for, and a disappointment as well: in this network, layer normalisation gains nothing that six seeds could show.
#
# **Alike above some size: no.** Batch normalisation is ahead of layer normalisation, at 32 by {{ told(batched[32], layered[32]) }}, at 128 by {{ told(batched[128], layered[128]) }}. Corrected for seven sizes ([`holm`](../reference/training.md)), their p-values are {{ f"{over_layered[32]:.2g}" }} and {{ f"{over_layered[128]:.2g}" }}: six seeds make a lead likely, and leave its size open. (In batches of two, where batch normalisation is behind, it is {{ f"{over_layered[2]:.1g}" }}.) Look at the learning rates: at 128 its best is {{ chosen["batch norm", 128]:g}}, where layer normalisation's is {{ chosen["layer norm", 128]:g}}. Five epochs are {{ 5 * 1024 // 128 }} steps there, and where steps are few, it pays to tolerate long ones.
#
# **So the fall on the right is not the batch.** Give batches of 128 four times the epochs, and so as many steps as batches of 32 had. Then layer normalisation reaches {{ longer["layer norm"].mean():.1%}} where it had {{ layered[128].mean():.1%}}. Batch normalisation is still ahead, with {{ longer["batch norm"].mean():.1%}} ({{ told(longer["batch norm"], longer["layer norm"]) }}).
#
# **What is it for, then?** Two hidden layers with good first weights need no help. So make the first weights ten times too small, in batches of 16. The plain network falls from {{ plain[16].mean():.1%}} to {{ short_weights["plain"].mean():.1%}}, at the best of four rates. With layer normalisation, {{ layered[16].mean():.1%}} become {{ short_weights["layer norm"].mean():.1%}}: the length of the weights is among the things that the layer cannot see.
#
# **The verdict.** Layer normalisation needs no batch: its equations say so, and the experiment agrees. But where batches were large, batch normalisation did better here. So take layer normalisation when batches are small, uneven, or a single example; it does not replace batch normalisation. Ba and others saw the same independence on larger digits, with batches of 4 and 128. Their layer norm also trained faster than batch norm, and ours does not. In convolutional networks they found batch normalisation ahead.
#
# **What this does not show.** Anything about the deep networks for text in which layer normalisation is at home, or about Adam, which trains them. We had small images, two hidden layers, and five epochs of plain gradient descent. One test image is {{ 1 / 400:.2%}}, so a percentage point is four images. And with rates a factor of three apart, the best is known only to within such a factor.
#
# ## In five lines
#
# - Each example loses its own mean and is divided by its own standard deviation, over its features.
# - So no example looks at another, and training and evaluation are the same function.
# - The backward pass is that of batch normalisation with rows and columns exchanged, and with $\gamma$ inside the means.
# - While all $\gamma$ are 1, a $\gamma$ in the wrong place passes every check: test with random ones.
# - Take it where batches are small or uneven; where they are large, batch normalisation did better here.
#
# ## Try it
#
# ??? question "1. Behind a convolution with 8 channels of 28×28 pixels: how many numbers does a batch norm learn and keep, and how many a layer norm?"
#     Batch norm learns 8 pairs of $\gamma$ and $\beta$ and keeps 8 means and 8 variances. Layer norm learns a pair for each of the $8 \cdot 28 \cdot 28 = 6272$ places and keeps nothing.
#
# ??? question "2. With a pencil: $x = (0, 2, 2, 4)$, $\gamma = (2, 1, 1, 2)$, $\varepsilon = 0$, and the upstream gradient is $(1, 0, 0, 1)$. What is passed on?"
#     $\mu = 2$, $\sigma^2 = 2$, so $\hat x = (-1, 0, 0, 1)\cdot\sqrt2$. First through $\gamma$: $g = (2, 0, 0, 2)$, whose mean is 1 and whose part along $\hat x$ is 0. So $\tfrac{1}{\sqrt2}\,(1, -1, -1, 1)$. With $\gamma$ in front of the bracket you would have got $\tfrac{1}{\sqrt2}\,(1, -\tfrac12, -\tfrac12, 1)$, whose sum is not 0.
#
# ??? question "3. What does a layer norm over one feature put out? Over two?"
#     Over one: $\beta$, whatever comes in. Over two: $\hat x = (-1, 1)$ or $(1, -1)$, so all that is left is which of the two was larger. It is the batch of two once more, rotated by 90 degrees. Layer normalisation does not need a large batch; it needs a wide layer.
#
# ??? question "4. Put a layer norm behind the *last* layer, ten logits, with $\gamma = 1$ and $\beta = 0$ that are not trained. How sure can the network be of a digit?"
#     The ten numbers have sum 0, and their squares have sum 10. The largest that one of them can be is 3, with the other nine at $-\tfrac13$. Softmax turns that into {{ surest:.1%}}, and the network can never be surer. It tells how sure it is by the *scale* of its logits, and the layer takes the scale away. Ba and others leave the logits alone for this reason.
#
# ??? question "5. For the notebook: leave out the mean. What changes?"
#     In `normalise`, do not subtract it (`xhat = x.copy()`), and in `normalise_backward` drop `by_mean`. `gradient_check` tells you whether the two still belong together. This is RMSNorm ([@zhang2019root]); its authors found that networks for text do as well without the mean. One of the two blind directions is gone: in the [table of changes](#what-it-cannot-see), the row with a vector added to each column says "changes" now.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("layer_norm", "layer_norm_backward")

# %% [markdown]
# ## Sources
#
# - Ba, Kiros and Hinton (2016), *Layer normalization*, arXiv:1607.06450: the layer, what each normalisation cannot see (table 1), batches of 4 and of 128 (section 6.6).
# - Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing internal covariate shift*, ICML: the layer that is rotated here.
# - Vaswani and others (2017), *Attention is all you need*, NeurIPS: the transformer.
# - Rush (2018), *The annotated transformer*, Workshop for NLP Open Source Software: a transformer with its paper's text, line by line.
# - Zhang and Sennrich (2019), *Root mean square layer normalization*, NeurIPS: without the mean.
