# ---
# title: The fully connected layer
# description: One matrix product forward and two backward, derived index by index, and what the size of the first weights does to twenty such layers in a row.
# tags:
#   - layers
# ---

# %% [markdown]
# # The fully connected layer
#
# Every output looks at every input, each through a weight of its own. Most of the arithmetic of a neural network is this one layer, and its backward pass is where it is easiest to get lost among transposes. Here you derive all three gradients with indices, learn what shapes that fit tell you and what they do not, and see how the size of the first weights can decide, before the first step, whether a deep network learns.
#
# You need [the symbols of this book](../foundations/notation.md) and [backpropagation by hand](../foundations/chain_rule.py).

# %% tags=["hide-input"]
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch

from nn_tutorial import (
    SGD,
    GradientError,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    digits,
    evaluate,
    fit,
    fit_many,
    gradient_check,
    he_normal,
    iris,
    linear,
    linear_backward,
    mlp,
    normal,
    softmax_cross_entropy,
    xavier_normal,
    zeros,
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
flowers = iris(seed=SEED, dtype=np.float64)
measured = np.concatenate([flowers.x_train, flowers.x_val, flowers.x_test])
kind = np.concatenate([flowers.y_train, flowers.y_val, flowers.y_test])
petals = np.rint(10 * measured[:, 2:])  # millimetres
one_unit = linear(petals, np.array([[1.0], [2.0]]), np.array([-80.0]))[0][:, 0]
mistaken = int(((one_unit > 0) != (kind == 2)).sum())
assert 0 < mistaken < 10

fig, ax = plt.subplots(figsize=(5.2, 3.0))
for level, at in ((-40, 34), (-20, 54), (0, 77), (20, 77), (40, 77)):
    lengths = np.array([5.0, 84.0])
    ax.plot(lengths, (level + 80 - lengths) / 2, "-" if level == 0 else ":", zorder=1,
            color=COLORS["text" if level == 0 else "muted"], linewidth=1.8 if level == 0 else 1.1)
    ax.text(at, (level + 80 - at) / 2 + 1.9, f"y = {level}".replace("-", "−"), fontsize=9,
            rotation=-np.degrees(np.arctan(0.5)), ha="center", va="center")
for label, marker, color, at in ((0, "^", "green", (13.5, 9.3)), (1, "o", "blue", (31.5, 18.6)),
                                 (2, "s", "orange", (74, 17.2))):
    ax.plot(*petals[kind == label].T, marker, color=COLORS[color], markersize=3.5, alpha=0.55)
    ax.text(*at, flowers.class_names[label], color=COLORS[color], ha="center", va="center")
ax.annotate("", (37, 27.5), (34, 23), arrowprops={
    "arrowstyle": "-|>", "color": COLORS["text"], "shrinkA": 0, "shrinkB": 0})
ax.text(37.8, 25, "w", fontweight="bold")
ax.set(xlim=(5, 84), ylim=(-1, 29), aspect="equal", xlabel="petal length (mm)",
       ylabel="petal width (mm)", title="One unit: y = length + 2 · width − 80")
ax.grid(visible=False)
show(
    fig,
    name="one-unit",
    alt=(
        "Petal width against petal length of 150 irises, with parallel lines for equal output of "
        "one unit. The line for 0 separates virginica, above it, from versicolor and setosa, "
        f"below; {mistaken} flowers are on the wrong side. An arrow at right angles to the lines "
        "is the weight vector."
    ),
    caption=(
        "What one unit makes of two measurements. The lines are evenly spaced, because the "
        "output is a plane over the two inputs. The solid line, where the output is 0, is all "
        f"that the unit can do to tell flowers apart; {mistaken} of {len(kind)} are on its wrong "
        "side."
    ),
)

# %% [markdown]
# ## What one unit computes
#
# A **unit** multiplies each input by a weight, adds the products up and adds a bias: $y = x_1 w_1 + x_2 w_2 + b$. In the figure $w = (1, 2)$ and $b = -80$, chosen by hand. A flower whose petal is 50 mm long and 20 mm wide gets $50 + 40 - 80 = 10$, and lies on the side of virginica.
#
# Over the plane of the two inputs, $y$ is a tilted plane. The weights, drawn as an arrow, point in the direction in which it rises, and the longer the arrow the steeper the rise. The bias lifts or lowers it, which moves the line $y = 0$ without rotating it.
#
# A **fully connected layer** is $n_\text{out}$ such units side by side. All of them read the same $n_\text{in}$ inputs. Column $k$ of $W$ holds the weights of unit $k$.
#
# ## The shapes
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, n_\text{in})$ | inputs, one example per row |
# | $W$ | `weight` | $(n_\text{in}, n_\text{out})$ | weights, one unit per column |
# | $b$ | `bias` | $(n_\text{out})$ | biases, one per unit |
# | $Y$ | `y` | $(N, n_\text{out})$ | outputs, $Y = XW + b$ |
# | $\partial L/\partial Y$ | `dy` | that of $Y$ | the upstream gradient |
# | $\partial L/\partial X$, $\partial L/\partial W$, $\partial L/\partial b$ | `dx`, `dweight`, `dbias` | those of $X$, $W$, $b$ | the gradients it returns |
#
# The bias is added to every row: NumPy *broadcasts* a vector of length $n_\text{out}$ over the $N$ rows. Keep that in mind for the way back.
#
# ## Two examples by hand
#
# Let $N = 2$, $n_\text{in} = 3$ and $n_\text{out} = 2$:
#
# $$\begin{aligned}
#   X &= \begin{bmatrix}1 & 2 & 0\\ 3 & -1 & 2\end{bmatrix}, \qquad
#   W = \begin{bmatrix}1 & 0\\ 2 & -1\\ -1 & 3\end{bmatrix},\\[4pt]
#   b &= \begin{bmatrix}1 & -2\end{bmatrix}
#   \end{aligned}$$
#
# The first example and the first unit give $1 \cdot 1 + 2 \cdot 2 + 0 \cdot (-1) + 1 = 6$. The others follow in the same way. Here are all of them, and an upstream gradient:
#
# $$Y = \begin{bmatrix}6 & -4\\ 0 & 5\end{bmatrix}, \qquad
#   \frac{\partial L}{\partial Y} = \begin{bmatrix}1 & -2\\ 3 & 1\end{bmatrix}$$
#
# **Each gradient is a sum over the outputs that the number had a part in.** Weight $w_{10} = 2$ (row 1, column 0; we count from 0) had a part in two, one in each example. In the first it was multiplied by the input 2, and the upstream gradient there is 1. In the second it was multiplied by $-1$, and the upstream gradient is 3:
#
# $$\frac{\partial L}{\partial w_{10}} = 2 \cdot 1 + (-1) \cdot 3 = -1$$
#
# The input $x_{01} = 2$ had a part in both units of its own example, through the weights 2 and $-1$: $\;1 \cdot 2 + (-2) \cdot (-1) = 4$. The bias $b_0$ was added once in each example, always with factor 1: $\;1 + 3 = 4$. All of them:
#
# $$\begin{aligned}
#   \frac{\partial L}{\partial X} &= \begin{bmatrix}1 & 4 & -7\\ 3 & 5 & 0\end{bmatrix}, \qquad
#   \frac{\partial L}{\partial W} = \begin{bmatrix}10 & 1\\ -1 & -5\\ 6 & 2\end{bmatrix},\\[4pt]
#   \frac{\partial L}{\partial b} &= \begin{bmatrix}4 & -1\end{bmatrix}
#   \end{aligned}$$

# %%
x = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 2.0]])
weight = np.array([[1.0, 0.0], [2.0, -1.0], [-1.0, 3.0]])
bias = np.array([1.0, -2.0])
dy = np.array([[1.0, -2.0], [3.0, 1.0]])

y, cache = linear(x, weight, bias)
dx, dweight, dbias = linear_backward(dy, cache)

assert (y == [[6, -4], [0, 5]]).all()
assert (dx == [[1, 4, -7], [3, 5, 0]]).all()
assert (dweight == [[10, 1], [-1, -5], [6, 2]]).all()
assert (dbias == [4, -1]).all()

# %% tags=["remove-input"]
row, column, cell = (np.zeros(shape, bool) for shape in ((3, 2), (2, 2), (3, 2)))
row[1], column[:, 0], cell[1, 0] = True, True, True
fig, axes = plt.subplots(2, 2, figsize=(4.2, 4.9), width_ratios=[1, 1], height_ratios=[2, 3])
axes[0, 0].axis("off")
axes[0, 0].text(0.5, 0.5, "2 · 1 + (−1) · 3\n= −1", ha="center", va="center",
                transform=axes[0, 0].transAxes, linespacing=1.5, fontsize=11)
value_grid(axes[0, 1], dy, title="∂L/∂Y", highlight=column, color="orange")
value_grid(axes[1, 0], x.T, title="Xᵀ", highlight=row, color="blue")
value_grid(axes[1, 1], dweight, title="∂L/∂W", highlight=cell, color="green")
show(
    fig,
    name="one-element-of-dw",
    alt=(
        "Three grids laid out as a matrix product: X transposed on the left, the upstream gradient "
        "above, the gradient of W where they meet. Row 1 on the left, 2 and −1, column 0 above, 1 "
        "and 3, and the cell −1 in which they meet are tinted."
    ),
    caption=(
        "One element of $\\partial L/\\partial W$: the row to its left times the column above it, "
        "$2 \\cdot 1 + (-1) \\cdot 3 = -1$. The examples run along the row and down the "
        "column. They are what is summed over."
    ),
)

# %% [markdown]
# ## From one number to indices
#
# **One number.** For $y = wx + b$ the three slopes are $\partial y/\partial w = x$, $\partial y/\partial x = w$ and $\partial y/\partial b = 1$. Each factor of a product hands the gradient on times the *other* factor:
#
# $$\frac{\partial L}{\partial w} = \frac{\partial L}{\partial y}\, x, \qquad
#   \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\, w, \qquad
#   \frac{\partial L}{\partial b} = \frac{\partial L}{\partial y}$$
#
# **Many numbers.** The forward pass is $y_{nk} = \sum_i x_{ni} w_{ik} + b_k$. Take one weight, $w_{ik}$, and ask which outputs contain it. Take any output, $y_{nj}$, with its own names for the indices: it contains the weights of column $j$. So it contains $w_{ik}$ only if $j = k$, and then times $x_{ni}$:
#
# $$\frac{\partial y_{nj}}{\partial w_{ik}} = x_{ni}\,\delta_{jk}$$
#
# The chain rule adds over *all* outputs, so over all $n$ and all $j$. The Kronecker delta removes the sum over $j$. **Nothing removes the sum over $n$**: the same weight serves every example. Each step below is evaluated, and must agree with the one before and with the code:

# %% tags=["remove-input"]
show_derivation("linear", 1)

# %% [markdown]
# Now an input, $x_{ni}$. Output $y_{mk}$ contains it only if $m = n$, because examples do not mix, and then times $w_{ik}$. Here the delta removes the sum over the examples, and the sum over the units stays:

# %% tags=["remove-input"]
show_derivation("linear", 0)

# %% [markdown]
# And the bias. $\partial y_{nj}/\partial b_k = \delta_{jk}$, with no factor and **with the sum over $n$**. Watch here too: on the way forward one number was broadcast to $N$ rows, so on the way back $N$ gradients reach one number, and they add. *What was broadcast forward is summed backward*, in every layer of this book.

# %% tags=["remove-input"]
show_derivation("linear", 2)

# %% [markdown]
# Another view: give every example one more input that is always 1. Then the bias is an ordinary weight, the last row of a longer $W$, and its gradient is a row of the longer $\partial L/\partial W$: ones times the upstream gradient.

# %%
with_one = np.hstack([x, np.ones((2, 1))])
longer = np.vstack([weight, bias])
assert (with_one @ longer == y).all()
assert (with_one.T @ dy == np.vstack([dweight, dbias])).all()

# %% [markdown]
# ## From indices to matrices
#
# **Where do the transposes come from?** A matrix product $AB$ sums over the *last* index of $A$ and the *first* of $B$: $\;(AB)_{ik} = \sum_n a_{in} b_{nk}$. Compare the sums with that.
#
# - $\sum_i x_{ni} w_{ik}$: last of $X$, first of $W$. It is $XW$ as it stands.
# - $\sum_n x_{ni}\, \partial L/\partial y_{nk}$: the sum runs over the *first* index of $X$. Transpose $X$, and it is the last: $X^\top \,\partial L/\partial Y$.
# - $\sum_k \partial L/\partial y_{nk}\, w_{ik}$: the sum runs over the *last* index of $W$. Transpose $W$: $\partial L/\partial Y\; W^\top$.
#
# A transpose is nothing but bookkeeping: it puts the index that is summed over where the product expects it. The order of the factors is decided by the two indices that stay.
#
# $$\boxed{\begin{aligned}
#   \frac{\partial L}{\partial X} &= \frac{\partial L}{\partial Y}\, W^\top \\[2pt]
#   \frac{\partial L}{\partial W} &= X^\top\, \frac{\partial L}{\partial Y} \\[2pt]
#   \frac{\partial L}{\partial b} &= \mathbf{1}^\top\, \frac{\partial L}{\partial Y}
#   \end{aligned}}$$
#
# The shapes agree: $(N, n_\text{out})(n_\text{out}, n_\text{in})$, then $(n_\text{in}, N)(N, n_\text{out})$, then $(1, N)(N, n_\text{out})$.
#
# `einsum` needs no transposes at all, since it is told which index is which:

# %%
assert (np.einsum("ni,ik->nk", x, weight) + bias == y).all()
assert (np.einsum("nk,ik->ni", dy, weight) == dx).all()
assert (np.einsum("ni,nk->ik", x, dy) == dweight).all()
assert (np.einsum("nk->k", dy) == dbias).all()

# %% [markdown]
# ## The shape argument, and where it ends
#
# There is a shortcut. The gradient of $W$ has the shape of $W$, it is made of $X$ and $\partial L/\partial Y$, and when $N$, $n_\text{in}$ and $n_\text{out}$ all differ there is only one way to multiply the two so that the shapes fit. It is a fine way to *remember* the result, and a good check on every line you write. It is not a proof. It cannot see:
#
# - any factor: $\tfrac1N X^\top\, \partial L/\partial Y$ has the right shape, and so has twice as much;
# - what happened to the numbers: a column *mean* has the shape of a column *sum*;
# - one transpose or another, as soon as two sizes are equal.
#
# The last one is not rare. Many networks have several layers of the same width, and there $\partial L/\partial Y\; W$ fits as well as $\partial L/\partial Y\; W^\top$. Let one layer of a network make this mistake, and train it:


# %%
class WrongInSquares(Linear):
    """Linear, but dx is dy W where it should be dy Wᵀ."""

    def backward(self, dy, cache, *, need_dx=True):
        _, grads = super().backward(dy, cache, need_dx=False)
        return dy @ cache.weight if need_dx else None, grads


class NothingBelow(Linear):
    """Linear, but it sends no gradient down: the layer below keeps its random weights."""

    def backward(self, dy, cache, *, need_dx=True):
        dx, grads = super().backward(dy, cache)
        return 0 * dx, grads


# %% tags=["hide-input"]
data = digits(seed=SEED)
mean, std = data.x_train.mean(), data.x_train.std()
images = {part: (getattr(data, f"x_{part}").reshape(-1, 64) - mean) / std
          for part in ("train", "val", "test")}
labels = {part: getattr(data, f"y_{part}") for part in images}


def test_accuracy(middle, seed):
    """Train 64-64-64-10 whose middle layer is of the given class."""
    draw = np.random.default_rng(seed)
    net = Sequential(Linear(64, 64, rng=draw), ReLU(), middle(64, 64, rng=draw),
                     ReLU(), Linear(64, 10, rng=draw))
    fit(net, (images["train"], labels["train"]), optimizer=SGD(net.params, 0.1),
        epochs=10, batch_size=32, rng=draw, keep_best=False)
    return evaluate(net, images["test"], labels["test"])[1]


# %%
right_way, wrong_way, no_way = np.array([
    [test_accuracy(middle, seed) for seed in range(5)]
    for middle in (Linear, WrongInSquares, NothingBelow)
])
print(f"right {right_way.mean():.1%}, wrong {wrong_way.mean():.1%}, none {no_way.mean():.1%}")
assert right_way.mean() > wrong_way.mean() > no_way.mean() > 0.9

# %% [markdown]
# The wrong network reads {{ wrong_way.mean():.1%}} of the test digits, the right one {{ right_way.mean():.1%}} (means over five seeds; standard deviations {{ 100 * wrong_way.std(ddof=1):.1f}} and {{ 100 * right_way.std(ddof=1):.1f}} points). Such an accuracy does not point to a bug. Only the first layer is misled. The layers above it get true gradients, and adapt to whatever it does.
#
# How much is such a first layer worth? The third number is the control: its first layer gets no gradient and keeps its random weights. It reads {{ no_way.mean():.1%}}. So most of the {{ wrong_way.mean():.1%}} is the work of the two layers above, and the wrong gradient still earned {{ 100 * (wrong_way - no_way).mean():.1f}} points of the {{ 100 * (right_way - no_way).mean():.1f}} that the right one earns. That a wrong matrix can teach is known: a *random* one instead of $W^\top$ lets a network learn too ([@lillicrap2016]). "It trains" is no evidence that a gradient is right.
#
# ## The code says the same
#
# The last line of each function is the equation. The product for `dx` is written as $(W\, (\partial L/\partial Y)^\top)^\top$, which gives the same numbers, to rounding, in another memory order, and `np.add.reduce(dy, 0)` is the sum over the examples. The cache is the input and the weight: each is needed for the gradient of the other.

# %% tags=["remove-input"]
show_source(linear, linear_backward)

# %% tags=["remove-input"]
show_equations("linear", "Y", "dX", "dW", "db")

# %% [markdown]
# Forward costs $N\, n_\text{in}\, n_\text{out}$ multiplications, backward twice as many. The gradient of the input is left out at the first layer of a network (`need_dx=False`), where it is not needed.
#
# ## Evidence
#
# Here are differences of the forward pass, with a random upstream gradient and three different sizes:

# %%
arrays = [rng.standard_normal(shape) for shape in ((5, 3), (3, 7), (7,))]
names = ["x", "weight", "bias"]
report = gradient_check(linear, linear_backward, arrays, rng=rng, names=names)
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# The largest relative error is {{ report.max_error:.0e}}. In each single argument the layer is a straight line, and along any direction through all three at once a parabola; a central difference of either is exact. The rest is rounding, about $10^{-16}$ divided by $h = 10^{-6}$, and more where a gradient is small beside the loss.
#
# PyTorch stores the weight the other way round, $(n_\text{out}, n_\text{in})$, one unit per *row*. So we hand it the transpose, and transpose its gradient back:

# %%
theirs = torch.nn.Linear(3, 7, dtype=torch.float64)
with torch.no_grad():
    theirs.weight.copy_(torch.tensor(arrays[1].T))
    theirs.bias.copy_(torch.tensor(arrays[2]))
there = torch.tensor(arrays[0], requires_grad=True)
out = theirs(there)
upstream = rng.standard_normal(out.shape)
out.backward(torch.tensor(upstream))

ours, kept = linear(*arrays)
grads = linear_backward(upstream, kept)
wanted = [there.grad, theirs.weight.grad.T, theirs.bias.grad, out.detach()]
pairs = zip([*grads, ours], wanted, strict=True)
apart = max(np.abs(a - b.numpy()).max() for a, b in pairs)
print(f"largest difference from PyTorch: {apart:.0e}")
assert apart < 1e-14

# %% [markdown]
# [The certificate](../verify/checks.py) of this build:

# %% tags=["remove-input"]
rows = show_certificate("linear", folded=True)
worst = max(row.largest for row in rows if row.dtype == "float64")
exact = max(row.complex_step for row in rows if row.dtype == "float64")
assert exact < 1e-14
show(
    certificate_figure(rows),
    name="linear-certificate",
    alt=(
        "Relative errors on a logarithmic axis. In float64 the complex step and PyTorch agree to "
        f"{exact:.0e}, central differences to {worst:.0e}. In float32 all three are larger."
    ),
    caption=(
        "The certificate. In float64, the dots, two of three independent "
        "witnesses agree to the last digits. The third is as exact as differences can be."
    ),
)

# %% [markdown]
# The largest error in float64 is ${{ power(worst) }}$, from the differences; the complex step and PyTorch agree to rounding.
#
# ## Seven ways to get it wrong
#
# First, four wrong gradients:


# %%
def bias_not_summed(dy, cache):
    return dy @ cache.weight.T, cache.x.T @ dy, dy


def bias_averaged(dy, cache):
    """Wrong: the loss has divided by N already."""
    return dy @ cache.weight.T, cache.x.T @ dy, dy.mean(0)


def dweight_transposed(dy, cache):
    """Wrong: the transpose of dweight."""
    return dy @ cache.weight.T, dy.T @ cache.x, dy.sum(0)


def w_not_transposed(dy, cache):
    """Wrong: W where Wᵀ belongs."""
    return dy @ cache.weight, cache.x.T @ dy, dy.sum(0)


# %% [markdown]
# What catches them depends on the sizes that you check with:


# %%
def caught_by(backward, n, n_in, n_out):
    draw = np.random.default_rng(SEED)
    shapes = (n, n_in), (n_in, n_out), (n_out,)
    point = [draw.standard_normal(shape) for shape in shapes]
    try:
        report = gradient_check(linear, backward, point, rng=draw)
        report.raise_if_above(1e-6)
    except GradientError:
        return "numbers"
    except ValueError:
        return "shapes"
    return "nothing"


found, tried = {}, ((5, 3, 7), (4, 4, 4), (1, 3, 7))
print("N, n_in, n_out      5, 3, 7   4, 4, 4   1, 3, 7")
wrongs = bias_not_summed, bias_averaged, dweight_transposed, w_not_transposed
for wrong in wrongs:
    found[wrong] = [caught_by(wrong, *sizes) for sizes in tried]
    print(f"{wrong.__name__:<20}{''.join(f'{by:<10}' for by in found[wrong])}")
assert found[bias_averaged] == ["numbers", "numbers", "nothing"]
for wrong in (dweight_transposed, w_not_transposed):
    assert found[wrong][:2] == ["shapes", "numbers"]

# %% [markdown]
# With three different sizes, the shapes give the transposes away before any number is compared. With equal sizes only the numbers do. And with a batch of *one*, a mean is a sum, and the averaged bias passes every check. In training it is the quietest of the four: the biases learn $N$ times too slowly, and little else shows. So check with more than one example, and with sizes that all differ; this book uses primes.
#
# The first mistake is worth a second look, because it can run. If the update makes a new array, NumPy broadcasts without a word, and the bias becomes a table with one row per example:

# %%
new_bias = bias - 0.1 * dy  # should be dy.sum(0)
again = x @ weight + new_bias
print(f"bias {bias.shape} -> {new_bias.shape}; next output {again.shape}")
assert new_bias.shape == (2, 2) and again.shape == y.shape

# %% tags=["remove-cell"]
refused = 0
for update in (lambda b: np.subtract(b, 0.1 * dy, out=b),
               lambda b: SGD({"bias": b}, 0.1).step({"bias": dy})):
    try:
        update(bias.copy())
    except ValueError:
        refused += 1
assert refused == 2

# %% [markdown]
# Each *place in the batch* now has a bias of its own. Nothing complains until a batch of another size comes. Written in place, `bias -= 0.1 * dy` is refused by NumPy, and the optimisers of this book refuse a gradient whose shape is not the parameter's.
#
# **The fifth: PyTorch's weight, not transposed.** Copy a trained weight from PyTorch and forget the transpose. If the layer is not square, the copy is refused. If it is square, the layer runs, and computes something else:

# %%
torch.manual_seed(SEED)
square, some = torch.nn.Linear(64, 64), images["test"]
w, c = (p.detach().numpy() for p in square.parameters())
wanted = square(torch.tensor(some)).detach().numpy()
agreement = {}
for name, copied in (("transposed", w.T), ("as it is", w)):
    ours = linear(some, copied, c)[0]
    agreement[name] = np.corrcoef(ours.flat, wanted.flat)[0, 1]
    print(f"{name:<10} correlation with PyTorch: {agreement[name]:.2f}")
assert agreement["transposed"] > 0.9999 and abs(agreement["as it is"]) < 0.3

# %% [markdown]
# After copying weights, compare *outputs*, not only shapes.
#
# **The sixth: a wrong type, but no wrong number.** `rng.standard_normal` gives float64. In NumPy, float32 inputs times float64 weights make float64 outputs, from there to the end of the network: the numbers are right, and take twice the memory. The layer refuses it:

# %% tags=["raises-exception"]
linear(some, rng.standard_normal((64, 10)), np.zeros(10))

# %% [markdown]
# **The seventh: all units alike.** Begin with the same number everywhere. Then all units of a layer compute the same, get the same gradient, and stay the same. The gradient check finds nothing, because every gradient is right:


# %%
def constant(shape, *, rng, dtype=np.float32):
    return np.full(shape, 1 / shape[0], dtype)


same = [arrays[0], constant((3, 7), rng=rng, dtype=np.float64), np.zeros(7)]
gradient_check(linear, linear_backward, same, rng=rng).raise_if_above(1e-6)
ranks, scores = {}, {}
for init in (constant, he_normal):
    draw = np.random.default_rng(SEED)
    net = mlp(64, [64], 10, rng=draw, init=init, dtype=np.float64)
    optimizer = SGD(net.params, 0.1)
    fit(net, (images["train"].astype(float), labels["train"]), optimizer=optimizer,
        epochs=10, batch_size=32, rng=draw, keep_best=False)
    w = net.params["0.weight"]
    ranks[init] = np.linalg.matrix_rank(w, tol=1e-3 * np.linalg.norm(w))
    scores[init] = evaluate(net, some.astype(float), labels["test"])[1]
    name = init.__name__
    print(f"{name:<9} rank {ranks[init]:>2}, accuracy {scores[init]:.0%}")
assert ranks[constant] == 1 and ranks[he_normal] > 60
assert scores[constant] < 0.5 and scores[he_normal] > 0.9

# %% [markdown]
# Sixty-four units are one unit. You see it in the rank of the weight, or how far apart its columns are, which [the page on Iris](../networks/iris.py) looks at. (This run is in float64. In float32 some processors round two equal columns differently, and training makes the difference grow: rounding is a poor source of randomness.) So the first weights are random in order to make the units *different*. How large they should be is another question, which takes the rest of this page.
#
# ## Two layers without a bend are one
#
# Before you stack these layers, see what you would get with nothing in between:
#
# $$\begin{aligned}
#   &(X W_1 + b_1)\, W_2 + b_2\\
#   &\quad = X\, \underbrace{W_1 W_2}_{W} + \underbrace{b_1 W_2 + b_2}_{b}
#   \end{aligned}$$
#
# It is one layer with another $W$ and $b$, and a hundred of them would be one too:

# %%
first = Linear(64, 100, rng=rng, dtype=np.float64)
second = Linear(100, 10, rng=rng, dtype=np.float64)
b1, b2 = rng.standard_normal(100), rng.standard_normal(10)
first.params["bias"], second.params["bias"] = b1, b2
w1, w2 = first.params["weight"], second.params["weight"]
pictures = some.astype(np.float64)
stacked = second(first(pictures))
as_one = linear(pictures, w1 @ w2, b1 @ w2 + b2)[0]
print(f"largest difference: {np.abs(stacked - as_one).max():.0e}")
assert np.allclose(stacked, as_one, rtol=0, atol=1e-12)

# %% [markdown]
# What makes depth worth its price is the bend between the layers, an activation function such as [ReLU](relu.py) or tanh. From here on, every layer has one.
#
# ## How large should the first weights be?
#
# Twenty layers multiply a signal by twenty factors. If each makes it a tenth as large, $10^{-20}$ of it is left; if each doubles it, a million times as much. Only a factor near 1 leaves anything to work with, and the weights decide the factor. Choosing them is called **initialisation**. Let us compute the factor.
#
# | Symbol | Meaning |
# |---|---|
# | $\sigma$ | standard deviation of a fresh weight |
# | $q(a)$ | mean of the squares of an array; $\sqrt{q}$ is its **size** |
# | $q_l$ | $q$ of what layer $l$ puts out, after the bend |
# | $\mathbb{E}$ | mean over all draws of the weights |
#
# **One unit.** $y = \sum_i x_i w_i$, with bias 0. Its square is a double sum, $y^2 = \sum_i \sum_j x_i x_j w_i w_j$. Let the weights be independent of each other, with mean 0. Then $\mathbb{E}[w_i w_j]$ is $\sigma^2$ for $i = j$, and $0$ for every other pair. Only the diagonal of the double sum stays:
#
# $$\mathbb{E}[y^2] = \sigma^2 \sum_i x_i^2 = n_\text{in}\, \sigma^2\, q(x)$$
#
# The number of terms, $n_\text{in}$, is the layer's **fan-in**; $n_\text{out}$ is its **fan-out**. A filter of a convolution adds up $C k_h k_w$ products, so that is its fan-in.
#
# Note what was *not* assumed: anything about $x$. The inputs may be correlated, and all of one sign. They must not depend on these weights, and fresh weights depend on nothing.
#
# **The bend.** Let $w$ and $-w$ be equally likely. Then so are $y$ and $-y$, and a ReLU sets one of the two to 0: $\;\mathbb{E}[\max(y, 0)^2] = \tfrac12\, \mathbb{E}[y^2]$. That half is where He's factor 2 comes from. From layer to layer:
#
# $$\mathbb{E}[q_l] = \tfrac12\, n_\text{in}\, \sigma^2 \; \mathbb{E}[q_{l-1}]$$
#
# For the mean this is exact. A tanh has no such factor. It hardly changes small inputs, so for them the factor is $n_\text{in} \sigma^2$; it makes large ones smaller.
#
# **Backward.** $\partial L/\partial x_i = \sum_k w_{ik}\, \partial L/\partial y_k$ is a sum of the same kind, with $n_\text{out}$ terms, and a ReLU stops about half of the upstream gradient. So the factor should be $\tfrac12\, n_\text{out}\, \sigma^2$. Now say the assumption: the upstream gradient must not depend on these weights. That is *not true*. The upstream gradient has passed the gates above, the gates depend on $y$, and $y$ on these weights. How much that matters has to be measured.
#
# **The choices.** To keep the factor at 1, forward wants $\sigma^2$ to be one over $n_\text{in}$, backward one over $n_\text{out}$, and a ReLU twice as much. Unless the two sizes are equal, you cannot please both.
#
# | Name | $\sigma^2$ | Made for |
# |---|---|---|
# | [LeCun and others (1998)](@lecun1998efficient) | $1/n_\text{in}$ | forward, no ReLU |
# | **Xavier**: [Glorot and Bengio (2010)](@glorot2010) | $2/(n_\text{in} + n_\text{out})$ | both, no ReLU: one over the mean of the two |
# | **He** and others (2015) | $2/n_\text{in}$ | forward, ReLU |
#
# He's choice does not look at $n_\text{out}$ at all, and need not. Backward, its factor is $n_\text{out}/n_\text{in}$, and the next layer takes in what this one puts out. So over all layers everything cancels but the last width over the first: one ratio, not a power.
#
# **What your homework will ask.** PyTorch calls He's choice `kaiming_normal_`, after the author's first name. Each of the three has a uniform form as well: a number drawn evenly between $-a$ and $a$ has the variance $a^2/3$, so $a = \sqrt{3}\,\sigma$. For a convolution $n_\text{in} = C k_h k_w$ and $n_\text{out} = F k_h k_w$. Biases begin at 0. The argument above counts on it, and nothing is lost: random weights already make the units different. Batch normalisation begins with $\gamma = 1$ and $\beta = 0$, which change nothing at first.
#
# ## Twenty layers, measured
#
# Sixty-four handwritten digits, scaled to mean 0 and variance 1 over all pixels, go through twenty layers of width 256, with a bend after each. The upstream gradient of the last layer is random, of size 1. There are five starts: zeros; $\sigma = 0.01$, as in the network of Krizhevsky and others (2012); Xavier; He; $\sigma = 0.2$. Each has five seeds.

# %%
depth, width, seeds = 20, 256, range(5)
few = images["train"][:64].astype(np.float64)
starts = {"zeros": zeros, "σ = 0.01": normal(0.01), "Xavier": xavier_normal,
          "He": he_normal, "σ = 0.2": normal(0.2)}
widths = [64] + depth * [width]


def size(a):
    return np.sqrt((a**2).mean())


def sizes(init, bend, seed):
    """Sizes of the outputs, of dx and of dweight, first layer first."""
    draw = np.random.default_rng(seed)
    value, caches, out = few, [], np.empty((3, depth))
    for i in range(depth):
        layer = Linear(*widths[i : i + 2], rng=draw, dtype=float, init=init)
        inner, cache = layer.forward(value)
        value, bent = bend.forward(inner)
        caches.append((layer, cache, bent))
        out[0, i] = size(value)
    grad = draw.standard_normal(value.shape)
    for i in reversed(range(depth)):
        layer, cache, bent = caches[i]
        grad, grads = layer.backward(bend.backward(grad, bent)[0], cache)
        out[1:, i] = size(grad), size(grads["weight"])
    return out


# %% [markdown]
# In code, what the derivation promises is a product of factors. The third row is new: a weight's gradient is a sum over $N$ products, $\sum_n x_{ni}\, \partial L/\partial y_{nk}$. If the upstream gradient is independent from one example to the next, the diagonal argument holds again, and its square is $N\, q(X)\, q(\partial L/\partial Y)$ on average.


# %%
def promised(std, half):
    """The three rows of sizes; half is ½ for a ReLU, 1 without a bend."""
    pairs = list(pairwise(widths))
    forward = [half * i * std(i, o) ** 2 for i, o in pairs]
    backward = [half * o * std(i, o) ** 2 for i, o in pairs]
    q_out = size(few) ** 2 * np.cumprod(forward)
    q_dx = np.cumprod(backward[::-1])[::-1]
    q_x = np.append(size(few) ** 2, q_out[:-1])
    q_dy = half * np.append(q_dx[1:], 1)
    return np.sqrt([q_out, q_dx, len(few) * q_x * q_dy])


stds = {"σ = 0.01": lambda n_in, n_out: 0.01,
        "Xavier": lambda n_in, n_out: np.sqrt(2 / (n_in + n_out)),
        "He": lambda n_in, n_out: np.sqrt(2 / n_in),
        "σ = 0.2": lambda n_in, n_out: 0.2}

# %% tags=["remove-input"]
bends = {"ReLU": ReLU(), "tanh": Tanh()}
seen = {(bend, start): np.array([sizes(init, bends[bend], seed) for seed in seeds])
        for bend in bends for start, init in starts.items()}
theory = {start: promised(std, 0.5) for start, std in stds.items()}
look = {"σ = 0.01": ("purple", "v"), "Xavier": ("green", "o"), "He": ("blue", "s"),
        "σ = 0.2": ("orange", "^")}
numbers, floor = np.arange(1, depth + 1), 1e-24


def layer_axes(ax, ticks, title):
    """A logarithmic axis whose grid ends where the labels begin."""
    ax.grid(visible=False)
    ax.set(title=title, yscale="log", ylabel="size", xlim=(-4.6, 25), xticks=[1, 5, 10, 15, 20])
    ax.set_yticks(ticks)
    ax.minorticks_off()
    ax.hlines(ticks, 1, depth, color=COLORS["grid"], linewidth=0.7, zorder=0)


fig, axes = plt.subplots(3, 1, figsize=(5.0, 8.2), sharex=True)
for which, (ax, title) in enumerate(zip(axes, (
    "Forward: size of the activations",
    "Backward: size of the gradients",
    "Gradients of the weights: flat",
), strict=True)):
    for start, (color, marker) in look.items():
        ax.plot(numbers, theory[start][which], "-", color=COLORS[color], linewidth=1.1)
        ax.plot(numbers, seen["ReLU", start][:, which].mean(0), marker, color=COLORS[color],
                markersize=4, alpha=0.7)
        at, ha, shift = (0, "right", -7) if which == 1 else (-1, "left", 7)
        ax.annotate(start, (numbers[at], theory[start][which, at]), (shift, 0), ha=ha,
                    textcoords="offset points", color=COLORS[color], va="center")
    ax.plot(numbers, np.full(depth, floor), "x", color=COLORS["red"], markersize=4)
    ax.annotate("zeros: exactly 0", (10.5, floor), (0, 5), textcoords="offset points",
                color=COLORS["red"], ha="center", va="bottom")
    layer_axes(ax, [1e-20, 1e-10, 1, 1e10], title)
    ax.set_ylim(floor / 30, 1e11)
axes[2].set_xlabel("layer (1 reads the image)")
ratio = {start: seen["ReLU", start] / theory[start] for start in look}
mean_off = max(max(r.mean(0).max(), 1 / r.mean(0).min()) for r in ratio.values())
run_off = max(max(r.max(), 1 / r.min()) for r in ratio.values())
level = [seen["ReLU", start][:, 2, 1:].mean(0) for start in look]
flat = max(v.max() / v.min() for v in level)
span = np.log10([theory[start] for start in look])
show(
    fig,
    name="relu-signals",
    alt=(
        "Three logarithmic plots over twenty ReLU layers. Activations: He stays at 1, Xavier falls "
        f"to {seen['ReLU', 'Xavier'][:, 0, -1].mean():.0e}, 0.01 to "
        f"{seen['ReLU', 'σ = 0.01'][:, 0, -1].mean():.0e}, 0.2 rises to "
        f"{seen['ReLU', 'σ = 0.2'][:, 0, -1].mean():.0e}. Gradients do the same from the top down. "
        "The gradients of the weights are equal in all layers. With zeros all are 0."
    ),
    caption=(
        "ReLU. Marks are measured (means over five seeds), lines are what was promised. They agree well, "
        f"over {np.ptp(span):.0f} powers of ten. In the last plot no layer is worse off than "
        "another. Zeros have no place on a logarithmic axis and are drawn at the bottom."
    ),
)
assert mean_off < 1.5 and run_off < 3 and flat < 1.6 and np.ptp(span) > 20
for bend in bends:
    assert (seen[bend, "zeros"] == 0).all()

# %% [markdown]
# The means lie within a factor of {{ mean_off:.1f}} of their lines, single runs within {{ run_off:.1f}}, while the sizes span {{ np.ptp(span):.0f}} powers of ten. So the assumption that is not true did little harm, before any training and with a random gradient instead of that of a loss. He's start keeps the size near 1 in both directions. Xavier's, made without a ReLU in mind, loses half of the mean square in each layer of equal widths, and after twenty layers the size is down to ${{ power(seen["ReLU", "Xavier"][:, 0, -1].mean()) }}$.
#
# **The last plot is the surprise.** You will often read that in a deep network the *lower* layers get no gradient. With weights that are too small, activations do fall from left to right, and gradients from right to left. But that is the gradient of the *outputs*. The gradient of a weight is a product of the two, one from below and one from above, and the product has the same number of factors in *every* layer. From layer 2 up (the first reads 64 numbers, not 256), the largest and the smallest differ by a factor of {{ flat:.1f}} at most. Glorot and Bengio (2010) noted it. With a ReLU all layers starve or burn together. [With other bends](#where-the-gradient-does-vanish) they do not.
#
# **Zeros.** The first layer puts out 0, and then so does every other. Backward, $\partial L/\partial Y\; W^\top$ is 0 because $W$ is. No weight gets any gradient, in any layer. (In a classifier without a bend at its end, the last bias does: it learns how common each class is.)
#
# ### With tanh, large weights do not make it vanish

# %% tags=["remove-input"]
linear_promise = promised(stds["Xavier"], 1.0)
fig, axes = plt.subplots(2, 1, figsize=(5.0, 5.6), sharex=True)
top = {start: seen["tanh", start][:, 0, -1] for start in look}
bottom = {start: seen["tanh", start][:, 1, 0] for start in look}
for which, (ax, title, ticks, limits) in enumerate((
    (axes[0], "Forward: size of the activations", [0.1, 1], (0.04, 2)),
    (axes[1], "Backward: size of the gradients", [0.1, 1, 10, 100, 1000], (0.03, 4000)),
)):
    for start, (color, marker) in look.items():
        values = seen["tanh", start][:, which].mean(0)
        inside = values > limits[0]
        ax.plot(numbers[inside], values[inside], marker, color=COLORS[color], markersize=4,
                alpha=0.7)
        if start != "σ = 0.01":
            at, ha, shift = ((-1, "left", 7), (0, "right", -7))[which]
            ax.annotate(start, (numbers[at], values[at]), (shift, 0), ha=ha, va="center",
                        textcoords="offset points", color=COLORS[color])
    ax.plot(numbers, linear_promise[which], "--", color=COLORS["green"], linewidth=1.1)
    layer_axes(ax, ticks, title)
    ax.set_ylim(*limits)
axes[0].annotate("promised", (1, linear_promise[0, 0]), (-7, 0), ha="right", va="center",
                 textcoords="offset points", color=COLORS["green"])
axes[0].text(1.7, 0.06, "σ = 0.01 drops out", va="center", color=COLORS["purple"])
axes[1].text(19.2, 0.05, "σ = 0.01 drops out", ha="right", va="center", color=COLORS["purple"])
axes[1].set_xlabel("layer (1 reads the image)")
draw, value = np.random.default_rng(SEED), few
for n_in, n_out in pairwise(widths):
    value = np.tanh(value @ starts["σ = 0.2"]((n_in, n_out), rng=draw, dtype=np.float64))
saturated = (np.abs(value) > 0.99).mean()
show(
    fig,
    name="tanh-signals",
    alt=(
        "Two logarithmic plots over twenty tanh layers. Activations at layer 20: "
        f"{top['σ = 0.2'].mean():.2f} for 0.2, {top['He'].mean():.2f} for He, "
        f"{top['Xavier'].mean():.2f} for Xavier. Gradients at layer 1: "
        f"{bottom['σ = 0.2'].mean():.0f} for 0.2, {bottom['He'].mean():.1f} for He, "
        f"{bottom['Xavier'].mean():.2f} for Xavier. With 0.01 both fall out of the picture."
    ),
    caption=(
        "The same with a tanh, on a finer scale. The dashed line is Xavier's promise, made for a "
        "layer that does not bend. Below, the triangles rise from the top layer, on the right, to "
        "the first, on the left: the gradient *grows*."
    ),
)
assert bottom["σ = 0.2"].min() > 100 and saturated > 0.25
assert 0.05 < top["Xavier"].mean() < 0.5 and bottom["Xavier"].mean() > 0.1
assert top["σ = 0.01"].max() < 1e-10

# %% [markdown]
# A tanh stays between −1 and 1, so forward nothing can explode. With $\sigma = 0.2$, {{ saturated:.0%}} of the outputs at the top are beyond ±0.99 (seed {{ SEED }}). There a tanh is almost flat, and you will often read what follows from that: units saturate, gradients vanish. The measurement says the opposite. At the first layer the gradient is {{ bottom["σ = 0.2"].mean():.0f}} times as large as the random one at the top. The flat units do stop it. The others multiply it by weights that are far too large, and they win. [Schoenholz and others (2017)](@schoenholz2017) derive above which $\sigma$ that happens.
#
# Xavier's promise is not kept either. After twenty layers the size is {{ top["Xavier"].mean():.2f}}, where {{ linear_promise[0, -1]:.2f}} was promised, because a tanh makes everything a bit smaller, and the argument left that out. But the smaller the values are, the less a tanh bends, so the shrinking slows down from layer to layer.
#
# ### Where the gradient does vanish
#
# With a ReLU the gradients of the weights are level. Is that so with every bend? Here it is for four pairs of bend and start. The last column is the largest of the layers 2 to 20 over the smallest:

# %%
pairs = {
    ("ReLU", "He"): seen["ReLU", "He"],
    ("tanh", "Xavier"): seen["tanh", "Xavier"],
    ("tanh", "σ = 0.2"): seen["tanh", "σ = 0.2"],
    ("sigmoid", "Xavier"): np.array([sizes(xavier_normal, Sigmoid(), s) for s in seeds]),
}
weights_of = {pair: runs[:, 2].mean(0) for pair, runs in pairs.items()}
spread = {pair: found[1:].max() / found[1:].min() for pair, found in weights_of.items()}
for pair, found in weights_of.items():
    print(
        f"{pair[0]:<8}{pair[1]:<8} layer 2: {found[1]:7.2g}, layer 20: {found[-1]:7.2g}, "
        f"largest/smallest {spread[pair]:7.2g}"
    )
low, high = weights_of["sigmoid", "Xavier"][[1, -1]]
assert low < 1e-9 < 0.1 < high and spread["ReLU", "He"] < 2 < 50 < spread["tanh", "σ = 0.2"]

# %% [markdown]
# With a sigmoid the **vanishing gradient** is there as you will have read: ${{ power(low) }}$ in layer 2, {{ high:.2g}} in layer 20. A sigmoid's slope is at most $1/4$, so each layer takes three quarters of the gradient or more on the way down, and Xavier's weights do not give them back. The way up has no such factor, since outputs near $1/2$ keep their size. One of the two factors of a weight's gradient shrinks from layer to layer and the other does not, so the product shrinks. A tanh near 0 has the slope 1, and with Xavier's start it stays nearly level. With $\sigma = 0.2$ it is the other way round: the gradient grows on the way down, and the lowest layers get the most. That is an **exploding gradient**.
#
# So the rule is: the layers starve or burn together where values and gradients shrink or grow by the same factor per layer, as with a ReLU. Where a bend keeps the size of the values and not that of the gradients, the gradients of the weights drift apart.
#
# ### The promise is about a mean
#
# The equation for $\mathbb{E}[q_l]$ is exact, and yet no single network need obey it. Twenty random factors multiply, and the narrower the layers are, the more each factor varies. A hundred networks with He's start get one image of size 1; this is the size after 20 layers:

# %%
image, quantiles = few[:1] / size(few[:1]), {}
for n in (16, 64, 256):
    reached = []
    for seed in range(100):
        draw, value = np.random.default_rng(seed), image
        for _ in range(depth):
            w = he_normal((value.shape[1], n), rng=draw, dtype=np.float64)
            value = np.maximum(value @ w, 0)
        reached.append(size(value))
    quantiles[n] = np.quantile(reached, [0.05, 0.5, 0.95])
    low, middle, high = quantiles[n]
    print(f"width {n:>3}: median {middle:.2f}, 90 of 100 in {low:.2f}–{high:.2f}")
assert quantiles[16][1] < 0.3 < 0.8 < quantiles[256][1] < 1

# %% [markdown]
# With 16 units the typical size is {{ quantiles[16][1]:.2f}}, and a few networks whose size is large make up for it in the mean. How far the size strays depends on depth divided by width ([@hanin2018]). It is one reason why networks that are deep and narrow are hard to start.
#
# ## Does the start decide whether it learns?
#
# Sizes before the first step are not yet learning. A large learning rate could make up for a small gradient, and a few good steps could repair a bad start.
#
# **The question.** Which starts let a deep ReLU network learn, if each may choose its own learning rate?
#
# **A prediction.** With three layers all but zeros should learn, since three factors do little harm. With twenty, He's should learn. Xavier's signal is down to about a thousandth, which a learning rate may make good. The other two should fail: with $\sigma = 0.02$ the output is smaller than $10^{-18}$, and no rate mends that.
#
# The networks read digits with hidden layers of 64 units, and train by SGD with momentum 0.9, on batches of 64, for 10 epochs. At a quarter of the width, twice the $\sigma$ makes the same factor per layer, so the two bad starts are 0.02 and 0.4 here. Each start gets the best of five learning rates, chosen by the accuracy on the validation images with two seeds; then five other seeds are run and tested. In twenty layers $\sigma = 0.4$ diverges at every usual rate, so there it chooses among four tiny ones. Then Xavier and He run once more, for 30 epochs, at a third of their rates.

# %% tags=["hide-input"]
narrow = {"zeros": zeros, "σ = 0.02": normal(0.02), "Xavier": xavier_normal, "He": he_normal,
          "σ = 0.4": normal(0.4)}
usual, tiny = [0.001, 0.003, 0.01, 0.03, 0.1], [1e-10, 1e-9, 1e-8, 1e-7]


def train(init, layers, runs, epochs=10):
    """Train a network for each rate and seed, a few side by side.

    Returns their accuracies on the validation and the test images; 0 if the loss is no longer finite.
    """
    found = []
    for at in range(0, len(runs), 5):
        draws = [np.random.default_rng(seed) for _, seed in runs[at : at + 5]]
        nets = [mlp(64, [64] * (layers - 1), 10, rng=draw, init=init) for draw in draws]
        histories = fit_many(nets, (images["train"], labels["train"]),
                             optimizer=partial(SGD, momentum=0.9),
                             lr=[rate for rate, _ in runs[at : at + 5]],
                             epochs=epochs, batch_size=64, rngs=draws)
        for net, history in zip(nets, histories, strict=True):
            done = len(history.train_loss) == epochs
            found.append([np.mean(net(images[part]).argmax(1) == labels[part]) if done else 0.0
                          for part in ("val", "test")])
    return np.array(found)


def tuned(init, layers, rates):
    """Choose a rate with two seeds; return it and the test accuracies of five others."""
    tried = train(init, layers, [(rate, 100 + s) for rate in rates for s in range(2)])
    best = rates[tried[:, 0].reshape(-1, 2).sum(1).argmax()]
    return best, train(init, layers, [(best, seed) for seed in seeds])[:, 1]


results = {(start, layers): tuned(init, layers, tiny if (start, layers) == ("σ = 0.4", 20)
                                  else usual)
           for start, init in narrow.items() for layers in (3, 20)}
diverged = train(narrow["σ = 0.4"], 20, [(rate, seed) for rate in usual for seed in seeds])
longer = {start: train(narrow[start], 20, [(results[start, 20][0] / 3, seed) for seed in seeds],
                       epochs=30)[:, 1] for start in ("Xavier", "He")}
plain = tuned(zeros, 1, usual)[1]
assert diverged.max() == 0
common = np.bincount(labels["test"]).max() / len(labels["test"])

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(5.0, 6.0), sharex=True)
for ax, layers in zip(axes, (3, 20), strict=True):
    ax.grid(visible=False)
    for place, start in enumerate(reversed(narrow)):
        ax.axhline(place, color=COLORS["grid"], linewidth=0.7, zorder=0)
        ax.plot(100 * results[start, layers][1], np.full(5, place), "o", color=COLORS["blue"],
                markersize=5, alpha=0.5)
        if layers == 20 and start in longer:
            ax.plot(100 * longer[start], np.full(5, place + 0.3), "D", markersize=4.5,
                    color=COLORS["orange"], markerfacecolor="none")
    ax.set_yticks(range(5), list(reversed(narrow)))
    ax.axvline(100 * plain.mean(), color=COLORS["muted"], linestyle="--", linewidth=1.1)
    ax.set(title=f"{layers} layers", xlim=(0, 102), ylim=(-0.6, 4.6))
axes[0].text(100 * plain.mean() - 2, 3.5, "one layer, from zeros", ha="right", va="center",
             color=COLORS["muted"])
axes[1].text(30, 3.5, "dots: 10 epochs", color=COLORS["blue"], va="center")
axes[1].text(90, 3.5, "diamonds: 30", color=COLORS["orange"], va="center", ha="right")
axes[1].set_xlabel("test accuracy (%)")
mean_of = {key: scores.mean() for key, (_, scores) in results.items()}
show(
    fig,
    name="start-and-learning",
    alt=(
        "Test accuracy of five starts. With 3 layers zeros give "
        f"{mean_of['zeros', 3]:.0%}, 0.02 {mean_of['σ = 0.02', 3]:.0%}, Xavier "
        f"{mean_of['Xavier', 3]:.0%}, He {mean_of['He', 3]:.0%}, 0.4 {mean_of['σ = 0.4', 3]:.0%}. "
        f"With 20 layers: {mean_of['zeros', 20]:.0%}, {mean_of['σ = 0.02', 20]:.0%}, "
        f"{mean_of['Xavier', 20]:.0%}, {mean_of['He', 20]:.0%} and {mean_of['σ = 0.4', 20]:.0%}."
    ),
    caption=(
        "Each mark is a run, at the best learning rate of its start (diamonds: a third of it). "
        "Zeros apart, the start decides with twenty layers and not with three. The dashed line is a single layer "
        "that began with zeros."
    ),
)
three = [mean_of[start, 3] for start in narrow if start != "zeros"]
he, xavier = results["He", 20][1], results["Xavier", 20][1]
assert all(usual[0] < results[start, 20][0] < usual[-1] for start in longer)
assert tiny[0] < results["σ = 0.4", 20][0] < tiny[-1]
assert min(three) > 0.9 and mean_of["zeros", 3] < 0.15
assert max(mean_of["zeros", 20], mean_of["σ = 0.02", 20]) < 0.15
assert mean_of["σ = 0.4", 20] < 0.4 and he.mean() > 0.75
assert he.mean() > xavier.mean() + 0.2 and longer["He"].mean() > longer["Xavier"].mean() + 0.1
assert longer["Xavier"].mean() > xavier.mean() + 0.1 and plain.mean() > he.mean() + 0.02

# %% [markdown]
# **The verdict.** With three layers the start hardly matters: zeros apart, all read from {{ min(three):.1%}} to {{ max(three):.1%}} of the test digits. With twenty it decides.
#
# | Start, 20 layers | Best rate | Test accuracy | Standard deviation over the seeds |
# |---|---|---|---|
# | zeros | any | {{ mean_of["zeros", 20]:.0%}} | {{ 100 * results["zeros", 20][1].std(ddof=1):.1f}} points |
# | $\sigma = 0.02$ | any | {{ mean_of["σ = 0.02", 20]:.0%}} | {{ 100 * results["σ = 0.02", 20][1].std(ddof=1):.1f}} points |
# | Xavier | {{ results["Xavier", 20][0]:g}} | {{ xavier.mean():.0%}} | {{ 100 * xavier.std(ddof=1):.1f}} points |
# | He | {{ results["He", 20][0]:g}} | {{ he.mean():.0%}} | {{ 100 * he.std(ddof=1):.1f}} points |
# | $\sigma = 0.4$ | ${{ power(results["σ = 0.4", 20][0]) }}$ | {{ mean_of["σ = 0.4", 20]:.0%}} | {{ 100 * results["σ = 0.4", 20][1].std(ddof=1):.1f}} points |
#
# Naming the commonest digit every time would give {{ common:.0%}}. The prediction holds, and what it left open goes against Xavier: the learning rate does not make good what the start has lost, not in ten epochs. In thirty Xavier's gets to {{ longer["Xavier"].mean():.0%}} (from {{ longer["Xavier"].min():.0%}} to {{ longer["Xavier"].max():.0%}}), He's to {{ longer["He"].mean():.0%}}. The rates that were chosen for Xavier, He and 0.4 lie inside their grids, so none of them asked for a larger or a smaller one.
#
# A single layer begun with zeros, the dashed line, reads {{ plain.mean():.1%}} in the same ten epochs, more than He's twenty layers do on average. Zeros do no harm there, because with one layer nothing has to pass through a weight. And the depth earned nothing on this task: the good start removed an obstacle that the depth had put up.
#
# **What this does not show.** That Xavier's start is bad: it was made for other bends, and with three layers it is as good as any. That He's is enough for a hundred layers. Ten epochs are short, one split was used, and five rates are few. Nor need you rely on the start alone: [batch normalisation](batch_norm.py) sets the size anew in every layer, and [skip connections](../foundations/chain_rule.py) carry the signal past it.

# %% tags=["remove-cell"]
def repair(place, seed, keep_biases=True):
    """Xavier's start with one layer enlarged: its logits before, its test accuracy after."""
    draw = np.random.default_rng(seed)
    net = mlp(64, [64] * 19, 10, rng=draw, init=xavier_normal)
    net.params[f"{place}.weight"][...] *= 2**9.5
    start = net(images["test"])
    optimizer = SGD(net.params, 0.003, momentum=0.9)
    for _ in range(10):
        order = draw.permutation(len(labels["train"]))
        for batch in np.array_split(order, len(order) // 64):
            logits, cache = net.forward(images["train"][batch])
            loss, grad = softmax_cross_entropy(logits, labels["train"][batch])
            if not np.isfinite(loss):
                return start, 0.0
            grads = net.backward(grad, cache, need_dx=False)[1]
            optimizer.step({name: g if keep_biases or "weight" in name else 0 * g
                            for name, g in grads.items()})
    return start, (net(images["test"]).argmax(1) == labels["test"]).mean()


with np.errstate(all="ignore"):
    tries = {name: [repair(place, seed, biases) for seed in range(2)] for name, place, biases in (
        ("first", 0, True), ("last", 38, True), ("last, no biases", 38, False))}
repaired = {name: np.mean([score for _, score in found]) for name, found in tries.items()}
assert np.allclose(tries["first"][0][0], tries["last"][0][0], rtol=1e-3, atol=1e-4)
assert repaired["first"] > 0.7 and repaired["last, no biases"] > 0.7 and repaired["last"] < 0.2

# %% [markdown]
# ## In five lines
#
# - Each output is a sum of all inputs, each times a weight of its own, plus a bias: $Y = XW + b$.
# - Backward, the index that the result does not have is summed; that is where the transposes come from.
# - The bias was added to every row, so its gradient is the sum over the rows.
# - Check with sizes that all differ: then most wrong transposes do not even fit.
# - With a ReLU, first weights of the right size carry a signal and its gradient through many layers; with other bends one of the two may vanish or explode while the other does not.
#
# ## Try it
#
# ??? question "1. Why is $\partial L/\partial W$ summed over the examples, and $\partial L/\partial X$ not?"
#     A weight is used by every example, so every example has a say in its gradient. An input belongs to one example, and the others do not see it. It is used by all *units*, and over those its gradient is summed.
#
# ??? question "2. With a pencil: $X = \begin{bmatrix}1 & 2\end{bmatrix}$, $W = \begin{bmatrix}3\\ -1\end{bmatrix}$, $b = 4$, and $\partial L/\partial Y = 2$. What are the four results?"
#     $Y = 3 - 2 + 4 = 5$. $\;\partial L/\partial X = \begin{bmatrix}6 & -2\end{bmatrix}$, $\;\partial L/\partial W = \begin{bmatrix}2\\ 4\end{bmatrix}$, $\;\partial L/\partial b = 2$.
#
# ??? question "3. Somebody shuffles the pixels of all images in the same way, before training. What happens to the accuracy?"
#     Apart from chance, nothing. A fully connected layer does not know which inputs are neighbours: shuffle the rows of $W$ in the same way and the output is the same. A [convolution](convolution.py) would suffer.
#
# ??? question "4. A layer has 400 inputs, 100 outputs and a ReLU. What are Xavier's and He's $\sigma$, and which of them keeps the forward size?"
#     Xavier: $\sqrt{2/500} \approx 0.063$. He: $\sqrt{2/400} \approx 0.071$. He's keeps it, since $\tfrac12 \cdot 400 \cdot \tfrac{2}{400} = 1$. Backward the factor is $\tfrac12 \cdot 100 \cdot \tfrac{2}{400} = \tfrac14$ for the square.
#
# ??? question "5. For the notebook: repair Xavier's start in one place. In the network of twenty layers multiply the weights of a single layer by $2^{9.5}$, once the first layer's and once the last one's. Do both learn?"
#     While the biases are 0, both compute the same function, because $\max(cx, 0) = c \max(x, 0)$ for $c > 0$: it does not matter in which layer a factor stands. Yet they do not learn alike (means of two seeds). With the first layer enlarged the network reaches {{ repaired["first"]:.0%}} at a learning rate of 0.003, and with the last one enlarged it fails ({{ repaired["last"]:.0%}}, where diverged runs count as 0). The gradients of the weights are alike, since those are products of below and above. The gradient of a *bias* is not: it is the upstream gradient alone, and that is now some 700 times as large, beside activations of a thousandth. Hold the biases at 0, and the second network reaches {{ repaired["last, no biases"]:.0%}}.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("linear", "linear_backward", "he_normal", "xavier_uniform")

# %% [markdown]
# ## Sources
#
# - LeCun, Bottou, Orr and Müller (1998), *Efficient backprop*, in Neural networks: tricks of the trade: the variance $1/n_\text{in}$.
# - Glorot and Bengio (2010), *Understanding the difficulty of training deep feedforward neural networks*, AISTATS: the compromise, and the weights' gradients that are the same in all layers.
# - Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural networks*, NIPS: $\sigma = 0.01$.
# - He, Zhang, Ren and Sun (2015), *Delving deep into rectifiers: surpassing human-level performance on ImageNet classification*, ICCV: the factor 2, and a network of thirty layers that learns with it and not without.
# - Lillicrap, Cownden, Tweed and Akerman (2016), *Random synaptic feedback weights support error backpropagation for deep learning*, Nature Communications.
# - Schoenholz, Gilmer, Ganguli and Sohl-Dickstein (2017), *Deep information propagation*, ICLR: above which $\sigma$ gradients grow through a tanh.
# - Hanin and Rolnick (2018), *How to start training: the effect of initialization and architecture*, NeurIPS: the spread around the mean.
