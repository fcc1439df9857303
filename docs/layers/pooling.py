# ---
# title: Pooling
# description: Keep the largest of each window, or the mean, and send the gradient back where it belongs; what that buys a network, and what it loses.
# tags:
#   - layers
# ---

# %% [markdown]
# # Pooling
#
# A convolution gives one image per filter, about as large as its input, and most of the pixels say much the same as their neighbours. Pooling makes the images smaller: it looks at small windows and keeps one number from each, the largest or the mean. You will see where every gradient goes, why ties are common, and how much of pooling's fame a trained network confirms.
#
# You need [the symbols of this book](../foundations/notation.md), [ReLU](relu.py), whose mask comes back here, and an idea of [convolution](convolution.py).

# %% tags=["hide-input"]
from functools import partial
from importlib.util import find_spec
from math import factorial, prod
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle
from numpy.lib.stride_tricks import sliding_window_view
from torch.nn import functional

from nn_tutorial import (
    SGD,
    AvgPool2d,
    Conv2d,
    Flatten,
    GradientError,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    avg_pool2d,
    avg_pool2d_backward,
    conv2d,
    digits,
    fit_many,
    gradient_check,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_loops,
    max_pool2d_loops_backward,
    predict,
    softmax_cross_entropy,
)
from nn_tutorial.pytorch.equivalents import oracle
from nn_tutorial.verify.certificates import certify
from nn_tutorial.layers import pooling
from nn_tutorial.pages.show import (
    certificate_figure,
    power,
    show_certificate,
    show_derivation,
    show_equations,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid
from nn_tutorial.verify.theories import THEORIES

SEED = 0
use_style()
rng = np.random.default_rng(SEED)
data = digits(seed=SEED)
image = data.x_test[:1]

# %% tags=["remove-input"]
def picture(ax, values, title, color="text", windows=0, top=None):
    """Draw an image as cells, darker for larger values, with a frame around each window."""
    top = values.max() if top is None else top
    for (i, j), value in np.ndenumerate(values):
        if value:
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor=COLORS[color], edgecolor="none",
                                   alpha=0.9 * value / top))
    rows, columns = values.shape
    for i, j in np.ndindex(rows // windows, columns // windows) if windows else ():
        ax.add_patch(Rectangle((j * windows, i * windows), windows, windows, fill=False,
                               edgecolor=COLORS["muted"], linewidth=0.8))
    if not windows:
        ax.add_patch(Rectangle((0, 0), columns, rows, fill=False, edgecolor=COLORS["muted"],
                               linewidth=0.8))
    ax.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    ax.set_title(title, fontsize=9.5, fontweight="normal")
    ax.axis("off")


highest, its_cache = max_pool2d(image, 2)
mean_of, mean_cache = avg_pool2d(image, 2)
ones = np.ones_like(highest)
fig, axes = plt.subplots(2, 3, figsize=(4.8, 3.9))
for ax, values, title, color, windows in (
    (axes[0, 0], image, "a digit", "text", 2),
    (axes[0, 1], highest, "the largest", "text", 1),
    (axes[0, 2], mean_of, "the mean", "text", 1),
    (axes[1, 0], ones, "a gradient arrives", "orange", 1),
    (axes[1, 1], max_pool2d_backward(ones, its_cache), "back: the largest", "orange", 2),
    (axes[1, 2], avg_pool2d_backward(ones, mean_cache), "back: the mean", "orange", 2),
):
    picture(ax, values[0, 0], title, color, windows, top=1)
show(
    fig,
    name="pooled-digit",
    alt=(
        "Six small images. A digit of 8 by 8 pixels in windows of 2 by 2; its 4 by 4 maxima; its "
        "4 by 4 means. Below, a gradient of 1 per window; with the maximum it goes to one "
        "pixel of each window, with the mean in equal shares to all four."
    ),
    caption=(
        "Forward above, backward below. In the lower row the largest takes the whole gradient of "
        "its window, the mean shares it out. In the empty corners of the digit one pixel "
        "takes it all too, though none was larger than the others."
    ),
)

# %% [markdown]
# ## A large image in, a small one out
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, C, H, W)$ | the images |
# | $Y$ | `y` | $(N, C, H', W')$ | one number per window |
# | $k_h \times k_w$ | `kernel_size` | | size of a window, in pixels |
# | $s_h$, $s_w$ | `stride` | | from one window to the next; by default the window's size |
# | $p_h$, $p_w$ | `padding` | | pixels added on each side |
# | $\partial L/\partial Y$ | `dy` | that of $Y$ | the upstream gradient |
# | $\partial L/\partial X$ | `dx` | that of $X$ | the gradient that is passed on |
#
# An output pixel has the row $i$ and the column $j$, an input pixel the row $a$ and the column $e$. Each example and each channel is treated alone, and there are no parameters. The height of the output, and likewise the width, is
#
# $$H' = \left\lfloor \frac{H + 2 p_h - k_h}{s_h} \right\rfloor + 1$$
#
# The textbook case is $2 \times 2$ windows side by side. Height and width are halved, and a convolution that follows has a quarter of the work to do.
#
# ## Sixteen numbers by hand
#
# One image with one channel, $4 \times 4$ pixels, in four windows:
#
# $$X = \begin{bmatrix}1 & 3 & 0 & 5\\ 6 & 2 & 8 & 3\\ 1 & 9 & 7 & 2\\ 4 & 6 & 0 & -1\end{bmatrix}$$
#
# $$Y_\text{max} = \begin{bmatrix}6 & 8\\ 9 & 7\end{bmatrix}, \qquad
#   Y_\text{mean} = \begin{bmatrix}3 & 4\\ 5 & 2\end{bmatrix}$$
#
# **Backward.** With the maximum, each window hands its number in the upstream gradient to the pixel that won. With the mean, each of the four pixels gets a quarter:
#
# $$\frac{\partial L}{\partial Y} = \begin{bmatrix}4 & -8\\ 12 & 20\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial X}_\text{max} = \begin{bmatrix}0 & 0 & 0 & 0\\ 4 & 0 & -8 & 0\\ 0 & 12 & 20 & 0\\ 0 & 0 & 0 & 0\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial X}_\text{mean} = \begin{bmatrix}1 & 1 & -2 & -2\\ 1 & 1 & -2 & -2\\ 3 & 3 & 5 & 5\\ 3 & 3 & 5 & 5\end{bmatrix}$$

# %%
x = np.array([[1.0, 3, 0, 5], [6, 2, 8, 3], [1, 9, 7, 2], [4, 6, 0, -1]])[None, None]
dy = np.array([[4.0, -8], [12, 20]])[None, None]

y_max, max_cache = max_pool2d(x, 2)
y_mean, mean_cache = avg_pool2d(x, 2)
dx_max = max_pool2d_backward(dy, max_cache)
dx_mean = avg_pool2d_backward(dy, mean_cache)

assert (y_max == [[6, 8], [9, 7]]).all() and (y_mean == [[3, 4], [5, 2]]).all()
assert (dx_max == [[0, 0, 0, 0], [4, 0, -8, 0], [0, 12, 20, 0], [0, 0, 0, 0]]).all()
assert (dx_mean == [[1, 1, -2, -2]] * 2 + [[3, 3, 5, 5]] * 2).all()

# %% tags=["remove-input"]
def frames(ax, size, stride, count, colors=("text",) * 4, inset=0.0):
    """Frame windows with thick lines."""
    for (i, j), color in zip(np.ndindex(count, count), colors, strict=False):
        ax.add_patch(Rectangle((stride * j + inset, stride * i + inset), size - 2 * inset,
                               size - 2 * inset, fill=False, edgecolor=COLORS[color],
                               linewidth=1.8))


won = dx_max[0, 0] != 0
everywhere = np.ones((4, 4), bool)
fig, axes = plt.subplots(4, 2, figsize=(4.4, 7.6), height_ratios=[4, 2.2, 2.2, 4])
for column, y, dx, lit in ((0, y_max, dx_max, won), (1, y_mean, dx_mean, everywhere)):
    name = ("max", "mean")[column]
    value_grid(axes[0, column], x[0, 0], title="X", highlight=lit)
    value_grid(axes[1, column], y[0, 0], title=f"Y: the {name}", highlight=y[0, 0] > -9)
    value_grid(axes[2, column], dy[0, 0], title="∂L/∂Y arrives", highlight=y[0, 0] > -9,
               color="orange")
    value_grid(axes[3, column], dx[0, 0] + 0.0, title=f"∂L/∂X of the {name}", highlight=lit,
               color="orange")
    for row in (0, 3):
        frames(axes[row, column], 2, 2, 2)
show(
    fig,
    name="by-hand",
    live="pooling",
    alt=(
        "Two columns of grids, for the maximum and the mean: the input in four framed windows, the "
        "output, the arriving gradient, the gradient passed back. With the maximum one pixel of "
        "each window is tinted, and only there a gradient arrives: 4, −8, 12 and 20. With the mean "
        "all are tinted and each gets a quarter: 1, −2, 3 and 5."
    ),
    caption=(
        "Forward, then backward, for the maximum and for the mean. Tinted cells had a part in the "
        "output. Compare X with ∂L/∂X: the gradient lands exactly on the cells that had a part. "
        "Where your browser runs scripts, the picture answers to your hand: write other numbers, "
        "and point at a window, or go to Y with the Tab key and use the arrows. A circle marks the "
        "winner, a dashed one a pixel that ties with it; ×2 means that two windows send a "
        "gradient. Ties and overlaps are explained [further down](#ties-when-two-are-the-largest)."
    ),
)

# %% [markdown]
# The four windows pass on the upstream gradient, no more and no less: both input gradients sum to {{ dx_max.sum():.0f}}, as `dy` does. Keep that for later; it is a free check.
#
# ## Where the slope of a maximum points
#
# **The maximum of two numbers.** Let $y = \max(x_1, x_2)$, and let $x_1$ be ahead. Move each of the two by less than half of the lead, and $x_1$ is still ahead. So in a whole neighbourhood $y$ *is* $x_1$, and
#
# $$\frac{\partial y}{\partial x_1} = 1, \qquad \frac{\partial y}{\partial x_2} = 0 \qquad (x_1 > x_2)$$
#
# **Of a window.** The same holds for any number of candidates, as long as one of them is ahead of all the others: 1 for the winner, 0 for the rest. The mean has a slope of $\tfrac1k$ for each of its $k$ candidates, no matter which is ahead.
#
# A maximum does two things: it *chooses* a pixel, and it *copies* its value. You might expect a derivative of the choice. There is none: the choice is a place, it does not move when the values move a little, and when it does move, it jumps. Only the copy has a slope, and the slope of a copy is 1. So the backward pass needs to know which pixel was chosen, and not by how much.
#
# **With indices.** Let $w_{ncij}$ be the place (row, column) of the winner of window $(i, j)$. Output $(n, c, i, j)$ depends on input $(m, d, a, e)$ only within one example and one channel, and there only if that input won:
#
# $$\frac{\partial y_{ncij}}{\partial x_{mdae}} = \delta_{nm}\,\delta_{cd}\,\big[(a, e) = w_{ncij}\big]$$
#
# The chain rule adds over *all* outputs. The two deltas use up the sums over examples and channels. The sum over windows stays, because windows may overlap and a pixel may have won several of them:
#
# $$\frac{\partial L}{\partial x_{ncae}} = \sum_{i,j} \frac{\partial L}{\partial y_{ncij}}\,\big[(a, e) = w_{ncij}\big]$$
#
# For the mean, the bracket asks whether $(a, e)$ lies in the window at all, and there is a factor. Below, the window is $U \times V$, the strides are $s$ and $r$, the paddings $p$ and $q$: letters that the build can evaluate. It does so, and the two lines must agree with each other and with the code:

# %% tags=["remove-input"]
show_derivation("avg_pool2d")

# %% [markdown]
# **The whole array.** Think of the forward pass by *taps*. The tap $X^{(u,v)}$ holds, for every window, the pixel at its row $u$ and column $v$; in NumPy it is a view, `x[:, :, u::s, v::s]` cut to the right length. It has the shape of $Y$, $(N, C, H', W')$, and $Y$ is the largest, element by element, of $k_h k_w$ such taps. The mask $M^{(u,v)}$ has that shape too; it is 1 where this tap won. Going back, each tap collects its share:
#
# <!-- equation max-pool-backward -->
#
# $$\boxed{\begin{aligned}
#   \text{max: } \; & \frac{\partial L}{\partial X^{(u,v)}} \text{ += } \frac{\partial L}{\partial Y} \odot M^{(u,v)} \\[6pt]
#   \text{mean: } \; & \frac{\partial L}{\partial X^{(u,v)}} \text{ += } \frac{1}{k_h k_w} \frac{\partial L}{\partial Y}
#   \end{aligned}}$$
#
# Start with zeros and go through all $(u, v)$. The shapes agree: all three arrays have the shape of $Y$. It is [](relu.py#relu-backward) again, with one mask per tap. And the `+=` in it is the sum over windows.
#
# ## The code says the same
#
# First a version made to be read, window by window. `argmax` finds the first of the largest. The line with `+=` in the backward pass is the sum over $i, j$; the code calls the pixel's column `q`.

# %% tags=["remove-input"]
show_source(max_pool2d_loops, max_pool2d_loops_backward)

# %% [markdown]
# Next, the maximum's equations in the form that the build evaluates. $F$, which here is not the number of filters, is the winner's place in its window, counted in reading order from 0: the product is largest at the *first* pixel that equals the maximum. The three brackets then ask whether pixel $(a, e)$ is at that place, without wrapping around the window's left and right edge. The mean's forward equation comes last; you have seen its gradient.

# %% tags=["remove-input"]
show_equations("max_pool2d", "Y", "F", "dX")
show_equations("avg_pool2d", "Y")

# %% [markdown]
# **The mean is a matrix product.** It is linear, and it treats rows and columns alike. So, without padding, there is a matrix $A$ of shape $(H', H)$ that averages rows, and $B$ of shape $(W', W)$ that averages columns. In each, row $i$ holds $\tfrac1k$ where window $i$ lies. Then forward and backward are a [linear layer](linear.py)'s, applied twice:
#
# $$Y = A X B^\top, \qquad \frac{\partial L}{\partial X} = A^\top \frac{\partial L}{\partial Y} B$$


# %%
def averaging(size, kernel, stride):
    """(H', H): row i is 1/k where window i lies, else 0."""
    starts = stride * np.arange((size - kernel) // stride + 1)[:, None]
    places = np.arange(size)
    return ((places >= starts) & (places < starts + kernel)) / kernel


photo_like = rng.standard_normal((2, 3, 9, 8))
A, B = averaging(9, 3, 2), averaging(8, 2, 1)
y, cache = avg_pool2d(photo_like, (3, 2), stride=(2, 1))
arrives = rng.standard_normal(y.shape)
assert np.allclose(np.einsum("ia,ncae,je->ncij", A, photo_like, B), y, rtol=1e-13)
filtered, _ = conv2d(photo_like.reshape(6, 1, 9, 8), np.full((1, 1, 3, 2), 1 / 6), np.zeros(1),
                     stride=(2, 1))
assert np.allclose(filtered.reshape(y.shape), y, rtol=1e-13)
back = np.einsum("ia,ncij,je->ncae", A, arrives, B)
assert np.allclose(back, avg_pool2d_backward(arrives, cache), rtol=0, atol=1e-15)

# %% [markdown]
# As the lines with `conv2d` show, it is also a convolution, with one filter whose weights are all $\tfrac1{k_h k_w}$, on each channel by itself. The maximum is neither: no matrix does what it does, because which entry would be 1 depends on the input.
#
# ## What the cache keeps
#
# The backward pass of the maximum needs the winners and nothing else, not even the input. The loops keep two integers per window. The fast version needs less: it lets the pixels of a row compete first, and then the rows.
#
# $$\max_{u,v} x_{uv} = \max_u \Big(\max_v x_{uv}\Big)$$
#
# The largest of all is the largest of the row winners, however the tournament is arranged. At stride 1 that takes $(k_w - 1) + (k_h - 1)$ comparisons per pixel, where all at once would take $k_w k_h - 1$: 4 instead of 8 for $3 \times 3$ windows. (For $2 \times 2$ side by side the count is the same.) Each stage keeps one mask per tap, one byte per element:

# %% tags=["remove-input"]
show_source(pooling._first_max, pooling._send)

# %% [markdown]
# In `_first_max`, `free` marks the windows that have no winner yet; it is what lets the first one win. `_send` is [](#max-pool-backward), once from windows to rows, once from rows to pixels; `where_open` does what the product with a mask does. So the mask $M^{(u,v)}$ is a product of two: pixel $v$ won its row, and row $u$ won the window. On the sixteen numbers, the box term by term:

# %%
row_winners, row_of_window = max_cache.winners
for u, v in np.ndindex(2, 2):
    mask = row_of_window[u] & row_winners[v][:, :, u::2]
    assert (dx_max[:, :, u::2, v::2] == dy * mask).all()

# %% [markdown]
# What does it cost to remember?

# %%
batch = rng.standard_normal((16, 8, 24, 24)).astype(np.float32)
_, cache = max_pool2d(batch, 2)
_, theirs = functional.max_pool2d(torch.tensor(batch), 2, return_indices=True)

kept = sum(mask.nbytes for stage in cache.winners for mask in stage)
per_pixel = {
    "the input": batch.nbytes / batch.size,
    "PyTorch's indices": theirs.nbytes / batch.size,
    "our masks": kept / batch.size,
}
print("bytes kept for an input pixel")
for name, size in per_pixel.items():
    print(f"{name:<20}{size:4.1f}")
assert kept == 1.5 * batch.size and theirs.dtype == torch.int64
assert avg_pool2d(batch, 2)[1].winners == ([], [])

# %% [markdown]
# PyTorch keeps an integer of eight bytes per window. The masks of $2 \times 2$ windows take {{ per_pixel["our masks"]:.1f}} bytes per input pixel: two masks of half an image, then two of a quarter. The mean keeps no array at all, for its gradient does not depend on the input.
#
# Where several pixels are the largest, the order of the tournament does matter. Rows first: within a row the first pixel wins, and among rows the first row. That is the first in reading order. Columns first would choose another:

# %% tags=["remove-input"]
window = np.array([[0.0, 5.0], [5.0, 0.0]])[None, None]
one = np.ones((1, 1, 1, 1))
rows_first = max_pool2d_backward(one, max_pool2d(window, 2)[1])[0, 0]
turned = window.swapaxes(2, 3)
columns_first = max_pool2d_backward(one, max_pool2d(turned, 2)[1])[0, 0].T
print(f"rows first    {rows_first.tolist()}")
print(f"columns first {columns_first.tolist()}")
assert (rows_first == [[0, 1], [0, 0]]).all() and (columns_first == [[0, 0], [1, 0]]).all()

# %% [markdown]
# ## Ties: when two are the largest
#
# Let $x_1 = x_2$ be the largest. Raise $x_1$ a little, and $y$ rises with it. Lower it, and $y$ stays where it is, for $x_2$ holds it up. The slope is 1 on one side and 0 on the other: a kink, as [in the ReLU](relu.py) at 0.
#
# A maximum is a convex function, and at a kink it has a whole set of *subgradients*: slopes of planes that touch it there and lie nowhere above it. For a maximum they are the weights
#
# $$g_k \ge 0, \qquad \sum_k g_k = 1$$
#
# with $g_k = 0$ wherever $x_k$ is not the largest. A program must choose. The first in reading order is one choice, even shares are another. Giving the whole gradient to *all* of the largest is not in the set: the weights then sum to 2 or more.

# %% tags=["remove-input"]
def blocks(x):
    """(N, C, H, W) to (N, C, H/2, W/2, 4): windows of 2×2, each in reading order."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).swapaxes(3, 4).reshape(n, c, h // 2, w // 2, 4)


def tie_weights(windows, rule):
    """Which share of its window's gradient each of four pixels gets."""
    largest = windows == windows.max(-1, keepdims=True)
    if rule == "first":
        return largest & (largest.cumsum(-1) == 1)
    if rule == "last":
        return tie_weights(windows[..., ::-1], "first")[..., ::-1]
    return largest / largest.sum(-1, keepdims=True) if rule == "even shares" else largest


class TiePool(MaxPool2d):
    """A 2×2 maximum with a tie rule of your choice."""

    def __init__(self, rule):
        super().__init__(2)
        self.rule = rule

    def forward(self, x, *, train=True):
        return max_pool2d(x, 2)[0], x

    def backward(self, dy, x, *, need_dx=True):
        n, c, h, w = x.shape
        d = dy[..., None] * tie_weights(blocks(x), self.rule).astype(x.dtype)
        return d.reshape(n, c, h // 2, w // 2, 2, 2).swapaxes(3, 4).reshape(x.shape), {}


RULES = ["first", "last", "even shares", "to all"]

# %% tags=["remove-input"]
tied = np.array([[0.0, 7.0], [7.0, 7.0]])
six = np.array([[[[6.0]]]])
fig, axes = plt.subplots(1, 5, figsize=(5.0, 1.7))
value_grid(axes[0], tied, highlight=tied == 7)
axes[0].set_title("X", fontsize=9.5)
for ax, rule in zip(axes[1:], RULES, strict=True):
    shares = TiePool(rule).backward(six, tied[None, None])[0][0, 0]
    value_grid(ax, shares, highlight=shares != 0, color="red" if rule == "to all" else "orange")
    ax.set_title(rule, fontsize=9.5)
    ax.text(1, 2.45, f"sum {shares.sum():g}", ha="center", fontsize=9)
    ax.set_ylim(2.7, -0.03)
    assert (shares.sum() == 6) == (rule != "to all")
axes[0].set_ylim(2.7, -0.03)
show(
    fig,
    name="tie-rules",
    alt=(
        "A window with 0, 7, 7, 7 and four ways to share a gradient of 6. To the first: 0, 6, 0, "
        "0. To the last: 0, 0, 0, 6. In even shares: 0, 2, 2, 2. Each sums to 6. To all: 0, 6, 6, "
        "6, which sums to 18."
    ),
    caption=(
        "Four rules for one window with an upstream gradient of 6. Only the last rule passes on "
        "more than it was given, here three times as much."
    ),
)

# %% [markdown]
# PyTorch chooses the first in reading order, and so do we. On a grid of small integers nearly every window is tied, so compare the two there. Everything is a whole number, so they must agree to the last bit:

# %%
grid = rng.integers(0, 3, (4, 3, 9, 10)).astype(float)
y, cache = max_pool2d(grid, 3, stride=2, padding=1)
whole = rng.integers(-9, 10, y.shape).astype(float)

there = torch.tensor(grid, requires_grad=True)
theirs = functional.max_pool2d(there, 3, stride=2, padding=1)
theirs.backward(torch.tensor(whole))
differ = (max_pool2d_backward(whole, cache) != there.grad.numpy()).sum()
inside = sliding_window_view(grid, (3, 3), (2, 3))[:, :, ::2, ::2]
share = ((inside == inside.max((4, 5), keepdims=True)).sum((4, 5)) > 1).mean()
print(f"tied windows {share:.0%}, gradients apart {differ}")
assert differ == 0 and (y == theirs.detach().numpy()).all() and share > 0.8

# %% [markdown]
# ### How often on real activations?
#
# Two real numbers are hardly ever equal, and ties look like a technicality. But a pooling layer usually follows a ReLU, and a ReLU puts out many numbers that *are* equal: zeros. Here is a small network on handwritten digits. So that they can be moved about later, the $8 \times 8$ digits stand in the middle of a blank $12 \times 12$ frame. The network is convolution, ReLU, pool, twice, and a linear layer.

# %% tags=["hide-input"]
def frame(images, down=0, right=0, margin=2):
    """Put 8×8 images into a blank frame, of 12×12 by default, moved from the middle."""
    out = np.zeros((len(images), 1, 8 + 2 * margin, 8 + 2 * margin), images.dtype)
    top, left = margin + down, margin + right
    out[:, :, top : top + 8, left : left + 8] = images
    return out


POOLS = {"max": MaxPool2d, "mean": AvgPool2d}
KINDS = {"max": "max", "mean": "mean", "stride": "stride 2", "none, small": "none, small",
         "none": "none, large"}


def build(kind, rng, side=12):
    """Two convolutions with 6 and 12 filters, made smaller in the way that `kind` names."""
    stride = 2 if kind == "stride" else 1
    pool = [POOLS[kind](2)] if kind in POOLS else []
    features = 12 * (side // 4 if pool or stride == 2 else side) ** 2
    layers = [
        Conv2d(1, 6, 3, padding=1, stride=stride, rng=rng), ReLU(), *pool,
        Conv2d(6, 12, 3, padding=1, stride=stride, rng=rng), ReLU(), *pool,
    ]
    if kind == "none, small":  # mix the twelve images into one, to have a small linear layer
        layers.append(Conv2d(12, 1, 1, rng=rng))
        features //= 12
    return Sequential(*layers, Flatten(), Linear(features, 10, rng=rng))


def train(kind, rate, seeds, moved=False, epochs=10, margin=2):
    """Train on digits in the middle, or each moved anew by up to a pixel in every epoch.

    A network per seed, side by side. Where the steps were too large, it counts as it stands.
    """
    draws = [np.random.default_rng(seed) for seed in seeds]
    nets = [build(kind, draw, side=8 + 2 * margin) for draw in draws]

    def images_of(epoch):
        if not moved:
            return frame(data.x_train, margin=margin), data.y_train
        parts = []
        for draw in draws:
            images, steps = frame(data.x_train), draw.integers(-1, 2, (len(data.x_train), 2))
            for step in np.unique(steps, axis=0):
                those = (steps == step).all(1)
                images[those] = frame(data.x_train[those], *step)
            parts.append((images, data.y_train))
        return parts

    fit_many(nets, images_of, optimizer=partial(SGD, momentum=0.9), lr=rate, epochs=epochs,
             batch_size=32, rngs=draws)
    return nets


fresh = {kind: build(kind, np.random.default_rng(SEED)).params.values() for kind in KINDS}
sizes = {kind: sum(p.size for p in params) for kind, params in fresh.items()}
for ours in zip(fresh["max"], fresh["mean"], fresh["stride"], strict=True):
    assert (ours[0] == ours[1]).all() and (ours[0] == ours[2]).all()  # the same first weights


# %%
def ties(net, margin):
    """Return the windows, their maxima, which of them are tied, and which see only blank paper."""
    x = frame(data.x_train, margin=margin)
    windows = blocks(net.layers[1](net.layers[0](x)))
    top = windows.max(-1)
    patches = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    blank = blocks((patches == 0).all((-1, -2)))  # pixels whose filter sees blank paper alone
    return windows, top, (windows == top[..., None]).sum(-1) > 1, blank


seeds = range(SEED, SEED + 5)
nets = {margin: train("max", 0.03, seeds, margin=margin) for margin in (2, 0)}
shares = {"in the frame": [], "in the frame, on ink": [], "without the frame": []}
for net in nets[2]:
    _, _, several, blank = ties(net, margin=2)
    ink = np.broadcast_to(~blank.all(-1), several.shape)
    shares["in the frame"].append(several.mean())
    shares["in the frame, on ink"].append(several[ink].mean())
for net in nets[0]:
    shares["without the frame"].append(ties(net, margin=0)[2].mean())

for name, values in shares.items():
    print(f"{name:<21}" + "".join(f"{value:5.0%}" for value in values))
assert all(0.1 < min(v) < max(v) < 0.9 for v in shares.values())
assert min(shares["in the frame"]) > max(
    *shares["in the frame, on ink"], *shares["without the frame"]
)


# %% tags=["remove-input"]
def between(name):
    """The smallest and the largest share over the seeds."""
    low, high = min(shares[name]), max(shares[name])
    return f"{100 * low:.0f} to {high:.0%}"


net = nets[2][0]
x_train = frame(data.x_train)
windows, top, several, blank = ties(net, margin=2)
above = several & (top > 0)
assert (top == 0).mean() > 0.1 and above.mean() > 0.05

# %% [markdown]
# Each row shows five networks, one per seed. In the frame {{ between("in the frame") }} of the windows are tied. Most of that is the frame's doing. Of the windows in which a filter sees at least one pixel of ink, {{ between("in the frame, on ink") }} are tied, and of all windows without the frame, {{ between("without the frame") }}. So ties are common wherever a ReLU comes before the pooling, and more so where a picture has a blank border. How common depends on the pictures. Does the choice among the tied pixels matter? In the first of these networks it does not, for two different reasons.
#
# **All four are zero.** No matter which pixel wins, the gradient goes on to the ReLU, whose gate is shut where its output is 0. So nothing passes.
#
# **Tied above zero.** Nearly all of these windows lie on blank paper. The filter sees the same blank patch again and again, and answers with its bias each time. The gradient of a weight is the sum of gradient times patch, and the patches are equal; so again it does not matter where in the window the gradient lands. Both claims can be checked:

# %%
on_blank = (blank | (windows != top[..., None])).all(-1)[above].mean()
print(f"ties above 0 on blank paper: {on_blank:.1%}")
assert on_blank > 0.99

# %% [markdown]
# Next, the gradients of the whole network, once with each rule. The table says how much those of the filters, the bias and the image differ from *first*, relative to their size.

# %%

def gradients(rule):
    """Gradients of all parameters, of the image, and of what stands before the first ReLU."""
    layers = [TiePool(rule) if isinstance(layer, MaxPool2d) else layer for layer in net.layers]
    logits, caches = Sequential(*layers).forward(x_train)
    d = softmax_cross_entropy(logits, data.y_train)[1]
    found = {}
    for i in reversed(range(len(layers))):
        d, grads = layers[i].backward(d, caches[i])
        found |= {f"{i}.{name}": value for name, value in grads.items()} | {f"dx{i}": d}
    return found


by_rule = {rule: gradients(rule) for rule in RULES}
first = by_rule["first"]
assert all((blocks(found["dx1"])[top == 0] == 0).all() for found in by_rule.values())


def apart(rule, name):
    return np.linalg.norm(by_rule[rule][name] - first[name]) / np.linalg.norm(first[name])


print("             filters   bias  image")
for rule in RULES[1:]:
    print(f"{rule:<13}" + "".join(f"{apart(rule, key):>7.0e}"
                                  for key in ("0.weight", "0.bias", "dx0")))
    harmless = max(apart(rule, "0.weight"), apart(rule, "0.bias"), apart(rule, "3.weight"))
    assert (harmless < 1e-5) == (rule != "to all") and apart(rule, "dx0") > 0.01

# %% [markdown]
# Between *first*, *last* and *even shares* the gradient of the filters and of the bias differs by nothing but the rounding of float32. The gradient of the *image* does change: a picture of "where the network looks", drawn from it, depends on the rule. And *to all* makes the gradient of the bias wrong by {{ apart("to all", "0.bias"):.0%}}, because a blank window now counts up to four times.
#
# ## Windows that overlap: routes add up
#
# AlexNet pooled with $3 \times 3$ windows at a stride of 2 ([@krizhevsky2012]). Neighbours then share a row or a column, and one pixel may win several times. Now the sum over $i, j$ has work to do. Take four windows on $5 \times 5$ pixels, all of which contain the middle one:

# %%
wide = np.array([[1.0, 2, 0, 3, 12], [4, 5, 1, 0, 2], [0, 3, 9, 6, 1],
                 [2, 7, 4, 8, 0], [1, 0, 5, 2, 3]])[None, None]
upstream = np.array([[9.0, 18], [27, 36]])[None, None]
routed, shared = (
    backward(upstream, pool(wide, 3, stride=2)[1])[0, 0]
    for pool, backward in ((max_pool2d, max_pool2d_backward), (avg_pool2d, avg_pool2d_backward))
)
assert routed[2, 2] == 9 + 27 + 36 and routed[0, 4] == 18
assert (shared == [[1, 1, 3, 2, 2]] * 2 + [[4, 4, 10, 6, 6]] + [[3, 3, 7, 4, 4]] * 2).all()
assert routed.sum() == shared.sum() == upstream.sum() == 90

# %% tags=["remove-input"]
fig, axes = plt.subplots(3, 1, figsize=(3.1, 8.6))
value_grid(axes[0], wide[0, 0], title="X, and its first and last window",
           highlight=np.isin(wide[0, 0], [9, 12]))
value_grid(axes[1], routed, title="∂L/∂X of the max", highlight=routed != 0, color="orange")
value_grid(axes[2], shared, title="∂L/∂X of the mean", highlight=np.isin(shared, [3, 4, 6, 7, 10])
           & (np.arange(5)[:, None] == 2) | (np.arange(5) == 2), color="orange")
for inset, at, style in ((0.07, 0, "-"), (0.14, 2, "--")):
    axes[0].add_patch(Rectangle((at + inset, at + inset), 3 - 2 * inset, 3 - 2 * inset, fill=False,
                                edgecolor=COLORS["blue"], linewidth=2, linestyle=style))
show(
    fig,
    name="overlap",
    alt=(
        "Three grids of 5 by 5. The input, whose middle is 9 and whose upper right corner is 12. "
        "The gradient of the maximum: 72 in the middle, 18 in the corner, 0 elsewhere. The "
        "gradient of the mean: between 1 and 4 where one window lies, more in the middle row "
        "and column, 10 in the middle."
    ),
    caption=(
        "The upstream gradient is 9 and 18 above, 27 and 36 below. The middle pixel wins three "
        "windows and collects 9 + 27 + 36 = 72. For the mean, the pixels of the tinted cross lie "
        "in two windows, the middle in four, and the ninths add up."
    ),
)

# %% [markdown]
# ### At the border
#
# Padding takes part in the mean and not in the maximum. For the maximum it is $-\infty$, so it never wins. For the mean it is 0, and it is *counted*: the sum is divided by $k_h k_w$ everywhere. This is the default, `count_include_pad=True`, in PyTorch and in `avg_pool2d`. So the mean-pooled image of ones has a rim that is too small:

# %%
flat = np.ones((1, 1, 4, 4))
rim = avg_pool2d(flat, 3, stride=1, padding=1)[0][0, 0]
tensor = torch.tensor(flat)
assert np.allclose(rim, functional.avg_pool2d(tensor, 3, 1, 1)[0, 0], rtol=1e-15)
not_counted = functional.avg_pool2d(tensor, 3, 1, 1, count_include_pad=False)
assert np.allclose(9 * rim[0], [4, 6, 6, 4], rtol=1e-15) and np.allclose(not_counted, 1)
assert np.allclose(avg_pool2d(flat, 3, stride=1, padding=1, count_include_pad=False)[0], 1)

print("the first row, in ninths:", (9 * rim[0]).round().astype(int))

# %% [markdown]
# Leftovers are dropped. With $2 \times 2$ windows on $5 \times 5$ pixels the last row and column fit into no window. The largest value may be there and is not seen; the gradient there is 0. PyTorch does the same. With `ceil_mode=True`, in PyTorch and here, the last windows may reach over the end.

# %% tags=["remove-input"]
odd = np.arange(25.0).reshape(1, 1, 5, 5)
y, cache = max_pool2d(odd, 2)
left_over = max_pool2d_backward(np.ones_like(y), cache)
assert y.shape == (1, 1, 2, 2) and y.max() < odd.max()
assert not left_over[..., 4, :].any() and not left_over[..., :, 4].any()

# %% [markdown]
# ## Evidence
#
# Differences of the forward pass, with windows that overlap, a stride that leaves pixels over, and padding. For the maximum the values are kept well apart, so that no difference crosses a tie:

# %%
apart_by = 0.1 * rng.permutation(2 * 2 * 6 * 7).reshape(2, 2, 6, 7) - 5
for name, pool, backward in (
    ("max", max_pool2d, max_pool2d_backward),
    ("mean", avg_pool2d, avg_pool2d_backward),
):
    report = gradient_check(
        lambda x, pool=pool: pool(x, (3, 2), stride=2, padding=1), backward, [apart_by], rng=rng
    )
    report.raise_if_above(1e-6)
    print(f"{name:<5} {report.arguments[0].checked} elements, error {report.max_error:.0e}")

# %% [markdown]
# Both functions are straight as long as no tie is crossed, so a difference is exact but for rounding. At a tie, the check says that it cannot tell:

# %%
at_tie = gradient_check(
    lambda x: max_pool2d(x, 2), max_pool2d_backward, [tied[None, None]], rng=rng, directions=0
)
print("at a kink:", [place[2:] for place in at_tie.arguments[0].kinks])
assert [place[2:] for place in at_tie.arguments[0].kinks] == [(0, 1), (1, 0), (1, 1)]

# %% [markdown]
# Remember that. A check that is silent about ties cannot tell a good tie rule from a bad one; the comparison with PyTorch can, and the sum can.
#
# ### The certificates
#
# The maximum, for [several shapes and both precisions](../verify/checks.py). The last shape holds small integers, full of ties, as its last column shows. Half of the directions meet a kink there, and PyTorch is the witness that counts.

# %% tags=["remove-input"]
rows = show_certificate("max_pool2d", folded=True)
worst = max(row.largest for row in rows if row.dtype == "float64")
assert rows[-1].kinks >= rows[-1].compared
assert worst == max(row.central for row in rows if row.dtype == "float64")
with_torch = max(row.pytorch for row in rows if row.dtype == "float64")
show(
    certificate_figure(rows),
    name="max-certificate",
    alt=(
        "Relative errors of the maximum's gradient on a logarithmic axis. In float64 PyTorch "
        f"agrees to {with_torch:.0e}, central differences to {worst:.0e}; in float32 the errors "
        "are larger."
    ),
    caption=(
        "The certificate of the maximum. In PyTorch's row of dots, one route alone has nothing "
        "to round; only the sum of several routes has."
    ),
)

# %% [markdown]
# And the mean. It is linear, so the complex step can be taken as well:

# %% tags=["remove-input"]
rows = certify(THEORIES["avg_pool2d"], oracle)
worst_mean = max(row.largest for row in rows if row.dtype == "float64")
assert worst_mean == max(row.central for row in rows if row.dtype == "float64")
exact = max(max(row.complex_step, row.pytorch) for row in rows if row.dtype == "float64")
show(
    certificate_figure(rows),
    name="mean-certificate",
    alt=(
        "Relative errors of the mean's gradient on a logarithmic axis. In float64 the complex step "
        f"and PyTorch agree to {exact:.0e}, central differences to {worst_mean:.0e}; in float32 "
        "the errors are larger."
    ),
    caption=(
        "The mean's certificate; [the table](../verify/verified.py) is among those of all "
        "layers. The differences, the first row of dots, are the weakest witness here too."
    ),
)

# %% [markdown]
# The largest errors in float64 are ${{ power(worst) }}$ and ${{ power(worst_mean) }}$, both of the differences. A gradient that is off by more than $10^{-6}$ is wrong.
#
# ## Seven ways to get it wrong
#
# Here is a home-made maximum pooling, window by window, with switches that make it go wrong. `route` names the pixels of a window that get its gradient; `fill` is what the padding holds; `add` is the `+=`; `reread` takes the winners from an array that has been overwritten in the meantime.


# %%
def own_pool(kernel, stride, padding=0, *, route, fill=-np.inf, add=True, reread=False):
    rim = (padding, padding)

    def forward(x):
        image = np.pad(x, ((0, 0), (0, 0), rim, rim), constant_values=fill)
        tiles = sliding_window_view(image, kernel, (2, 3))[:, :, ::stride, ::stride]
        return tiles.max((4, 5)), image

    def backward(dy, image):
        kept = np.roll(image, 1, axis=0) if reread else image
        d = np.zeros_like(image)
        for n, c, i, j in np.ndindex(dy.shape):
            a, e = stride * i, stride * j
            for u, v in route(kept[n, c, a : a + kernel[0], e : e + kernel[1]]):
                before = d[n, c, a + u, e + v] if add else 0
                d[n, c, a + u, e + v] = before + dy[n, c, i, j]
        return d[:, :, padding : d.shape[2] - padding, padding : d.shape[3] - padding]

    return forward, backward

# %% [markdown]
# Three routes, of which the first is right:

# %%
def winner(window):
    return [divmod(int(window.argmax()), window.shape[1])]


def every_largest(window):
    return np.argwhere(window == window.max())


def wrong_width(window):
    return [divmod(int(window.argmax()), window.shape[0])]  # the height, by mistake

# %% [markdown]
# That makes five mistakes. Two more concern the mean's backward pass: it does not divide at all, or it divides by the number of pixels that lie inside, though the forward pass counted the padding.
#
# Four checks look at each of the seven. The first two are gradient checks, with $2 \times 2$ windows side by side, and with $3 \times 2$ windows that overlap in a padded image. The third asks whether the gradient sums to the upstream gradient, on integers full of ties. The fourth is PyTorch, on the same integers, all of them negative, with padding.

# %% tags=["remove-input"]
def own_mean(kernel, stride, padding=0, *, divide):
    """avg_pool2d with a backward pass that divides in the wrong way."""

    def forward(x):
        return avg_pool2d(x, kernel, stride=stride, padding=padding)

    def backward(dy, cache):
        counted = kernel[0] * kernel[1]
        if not divide:
            return avg_pool2d_backward(dy, cache) * counted
        inside = avg_pool2d(np.ones(cache.x_shape), kernel, stride=stride, padding=padding)[0]
        return avg_pool2d_backward(dy / inside, cache)

    return forward, backward


wrong = {
    "nothing wrong": (own_pool, {"route": winner}),
    "to every largest": (own_pool, {"route": every_largest}),
    "winners reread": (own_pool, {"route": winner, "reread": True}),
    "= in place of +=": (own_pool, {"route": winner, "add": False}),
    "wrong width": (own_pool, {"route": wrong_width}),
    "padding of 0": (own_pool, {"route": winner, "fill": 0.0}),
    "mean not divided": (own_mean, {"divide": False}),
    "mean over inside": (own_mean, {"divide": True}),
}
integers = rng.integers(-5, -2, (2, 2, 6, 7)).astype(float)
spaced = 0.1 * rng.permutation(2 * 2 * 6 * 7).reshape(2, 2, 6, 7) - 25


def differences_disagree(forward, backward):
    try:
        gradient_check(forward, backward, [spaced], rng=rng).raise_if_above(1e-6)
    except GradientError:
        return True
    return False


def sum_disagrees(forward, backward):
    y, cache = forward(integers)
    d = rng.integers(1, 9, y.shape).astype(float)
    return not np.isclose(backward(d, cache).sum(), d.sum())


def torch_disagrees(forward, backward, twin):
    y, cache = forward(integers)
    d = rng.integers(1, 9, y.shape).astype(float)
    there = torch.tensor(integers, requires_grad=True)
    theirs = twin(there, (3, 2), stride=2, padding=1)
    theirs.backward(torch.tensor(d))
    return not (np.allclose(y, theirs.detach().numpy())
                and np.allclose(backward(d, cache), there.grad.numpy()))


seen = {}
for name, (make, how) in wrong.items():
    twin = functional.max_pool2d if make is own_pool else functional.avg_pool2d
    seen[name] = (
        differences_disagree(*make((2, 2), 2, **how)),
        differences_disagree(*make((3, 2), 2, 1, **how)),
        sum_disagrees(*make((2, 2), 2, **how)),
        torch_disagrees(*make((3, 2), 2, 1, **how), twin),
    )

# %% tags=["remove-input"]
print(f"{'':<17}  2×2  3×2  sum  torch")
for name, found in seen.items():
    marks = ("seen" if each else "–" for each in found)
    print("{:<17}{:>5}{:>5}{:>5}{:>7}".format(name, *marks))
assert sum(found[0] for found in seen.values()) == 2
assert [name for name, found in seen.items() if all(found)] == ["mean not divided"]
pool, backward = own_pool((3, 3), 2, route=winner, add=False)
assert backward(upstream, pool(wide)[1])[0, 0, 2, 2] == 36
assert not any(seen["nothing wrong"]) and all(any(f) for f in list(seen.values())[1:])
assert seen["to every largest"] == (False, False, True, True)
assert seen["padding of 0"] == (False, False, False, True)
assert not seen["= in place of +="][0] and seen["= in place of +="][1]
assert not seen["wrong width"][0] and seen["wrong width"][1]

# %% [markdown]
# Read the first column: the textbook case, $2 \times 2$ windows side by side, sees two of seven. There is no overlap, so `=` and `+=` are the same. The window is square, so the wrong width is the right one. A check is worth as much as its geometry, and in a good one the sizes differ.
#
# **= in place of +=** keeps the last of several routes. In the $5 \times 5$ example above the middle pixel would have 36 instead of 72.
#
# **Padding of 0** passes every gradient check, because the gradient is right for the function that was written. The function is the wrong one: in a window at the border whose pixels are all negative, the padding wins and the output is 0. It stays hidden after a ReLU, since nothing is negative there.
#
# **To every largest** passes them as well. It is wrong only at ties, and there the differences are silent. What it costs in a network you saw above.
#
# **Mean not divided** is too large by the factor $k_h k_w$, and the only one that all four checks see. A smaller learning rate would hide it.
#
# **Winners reread** happens if you keep the input instead of the winners, and then reuse its memory for the next batch. The gradient has the right sum, in the wrong places.
#
# ## What pooling buys, and what it loses
#
# [Fukushima (1980)](@fukushima1980) put layers into a network whose task was to tolerate a shift. [LeCun and others (1998)](@lecun1998) used averages for it, and [Scherer, Müller and Behnke (2010)](@scherer2010) found the maximum better. The usual claim since is that pooling makes a network *invariant* to small shifts: if an image moves by a pixel, the largest of a window often stays the largest. Before any network is trained, ask the layers alone.
#
# ### One pixel to the right, in a photograph
#
# Cut pieces of $32 \times 32$ pixels from a photograph, and the same pieces one pixel further on. How much does the output change? "How much" needs a unit, and there are two honest ones: the size of the output itself, and its distance to the output of *another* piece. The second asks whether the layer tells a shift from a new scene.

# %% tags=["remove-input"]
shipped = Path(find_spec("sklearn").origin).parent / "datasets/images"  # it need not be imported
photograph = plt.imread(shipped / "china.jpg").mean(axis=2) / 255
ways = {
    "as it is": lambda x: x,
    "every second pixel": lambda x: x[:, :, ::2, ::2],
    "max 2×2": lambda x: max_pool2d(x, 2)[0],
    "mean 2×2": lambda x: avg_pool2d(x, 2)[0],
    "max 3×3": lambda x: max_pool2d(x, 3, stride=2)[0],
    "mean 3×3": lambda x: avg_pool2d(x, 3, stride=2)[0],
    "max, then mean 3×3": lambda x: avg_pool2d(max_pool2d(x, 2, stride=1)[0], 3, stride=2)[0],
}


def length(x):
    return np.sqrt((x**2).sum((1, 2, 3)))


def changes(way, here, moved):
    """Mean change, in units of the output's size and of the distance to another image's."""
    y, y_moved = way(here), way(moved)
    change = length(y - y_moved)
    other = length(y - np.roll(y, 1, axis=0))
    return (change / length(y)).mean(), change.mean() / other.mean()


def pieces(seed, count=200, side=32):
    draw = np.random.default_rng(seed)
    tiles = sliding_window_view(photograph, (side, side))
    a = draw.integers(0, len(tiles), count)
    e = draw.integers(0, tiles.shape[1] - 1, count)
    return tiles[a, e][:, None], tiles[a, e + 1][:, None]


measured = np.array([[changes(way, *pieces(seed)) for seed in range(5)] for way in ways.values()])
names, mean = list(ways), measured.mean(1)
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.4), sharex=True)
for ax, unit, color, marker, title in (
    (axes[0], 0, "blue", "o", "in units of the output's own size"),
    (axes[1], 1, "orange", "s", "in units of the distance to another piece"),
):
    for row in range(len(ways)):
        values = measured[row, :, unit]
        ax.plot(values, [row] * len(values), marker, color=COLORS[color], markersize=4, alpha=0.5)
        ax.text(values.max() + 0.008, row, f"{values.mean():.2f}", va="center", fontsize=9)
    ax.set(yticks=range(len(ways)), yticklabels=names, ylim=(len(ways) - 0.4, -0.6), title=title)
    ax.grid(axis="y", visible=False)
axes[1].set(xlim=(0, 0.3), xlabel="change when the image moves by a pixel")
show(
    fig,
    name="one-pixel",
    alt=(
        "Change of the output when a photograph moves by one pixel, in two units. In its own size: "
        + ", ".join(f"{name} {value:.2f}" for name, value in zip(names, mean[:, 0], strict=True))
        + ". In units of the distance to another piece: "
        + ", ".join(f"{name} {value:.2f}" for name, value in zip(names, mean[:, 1], strict=True))
        + "."
    ),
    caption=(
        "Five draws of 200 pieces each; the number is their mean. All but the first make the image "
        "smaller by two. Compare the two plots: in the lower one the maximum's advantage is much "
        "smaller than the mean's."
    ),
)
at = dict(zip(names, mean, strict=True))
assert abs(at["every second pixel"][0] / at["as it is"][0] - 1) < 0.05
assert at["max 2×2"][0] < 0.7 * at["as it is"][0] and at["mean 2×2"][0] < 0.7 * at["as it is"][0]
assert at["mean 2×2"][1] < at["max 2×2"][1] < at["every second pixel"][1]
spread = {name: own / other for name, (own, other) in at.items()}
assert spread["max 2×2"] < 0.8 * spread["as it is"]
assert at["as it is"][1] - at["max 2×2"][1] < 0.6 * (at["as it is"][1] - at["mean 2×2"][1])

in_frame = frame(data.x_test.astype(float))
moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]
on_digits = {
    name: np.mean([changes(way, in_frame, frame(data.x_test.astype(float), *move))
                   for move in moves], axis=0)
    for name, way in ways.items()
}
assert on_digits["max 2×2"][1] > 1 and on_digits["max 2×2"][0] < on_digits["as it is"][0]

# %% [markdown]
# In the first unit, the maximum's output changes by {{ at["max 2×2"][0]:.2f}} where the image changes by {{ at["as it is"][0]:.2f}}, and the mean's by {{ at["mean 2×2"][0]:.2f}}. So both buy something, and taking every second pixel buys nothing. But part of the maximum's gain is an illusion: it makes all pieces more alike. Two of them lie {{ spread["as it is"]:.2f}} of their own size apart as they are, and {{ spread["max 2×2"]:.2f}} after the maximum. In the second unit the change goes from {{ at["as it is"][1]:.2f}} to {{ at["max 2×2"][1]:.2f}} with the maximum, and to {{ at["mean 2×2"][1]:.2f}} with the mean.
#
# On the small digits it is worse. In the second unit, a move by one pixel changes a digit by {{ on_digits["as it is"][1]:.2f}} as it is, by {{ on_digits["mean 2×2"][1]:.2f}} after the mean, and by {{ on_digits["max 2×2"][1]:.2f}} after the maximum. After the maximum, a digit that has moved is farther from itself than from another digit. A stroke is one or two pixels wide here, and a shift of one pixel is not small.
#
# ### Why a shift by one can do anything
#
# A grid of every second pixel can carry stripes that repeat after more than four pixels, and none that are finer; that is the sampling theorem ([@shannon1949]). What is too fine does not vanish. It comes out as something else, which is called **aliasing**. Here are the finest stripes there are, and stripes at the very limit, each once as they are and once moved by a pixel:

# %% tags=["remove-input"]
def strip(ax, row, values, label):
    """A row of numbered cells; four values take the place of eight."""
    wide = 8 // len(values)
    for k, value in enumerate(values):
        box = (k * wide, 1.25 * row), wide, 1
        ax.add_patch(Rectangle(*box, facecolor=COLORS["blue"], alpha=value / 16, edgecolor="none"))
        ax.add_patch(Rectangle(*box, fill=False, edgecolor=COLORS["muted"], linewidth=0.8))
        ax.text((k + 0.5) * wide, 1.25 * row + 0.5, f"{value:g}", ha="center", va="center")
    if label:
        ax.text(-0.4, 1.25 * row + 0.5, label, ha="right", va="center", fontsize=9)


fig, axes = plt.subplots(2, 2, figsize=(5.2, 4.4))
stripes = {}
for line, period in enumerate(([0, 8], [0, 0, 8, 8])):
    for column in (0, 1):
        signal = np.roll(np.tile(period, 8 // len(period)), -column).astype(float)
        stack = signal[None, None, None]
        outputs = {
            "every 2nd": signal[::2],
            "max": max_pool2d(stack, (1, 2))[0].ravel(),
            "mean": avg_pool2d(stack, (1, 2))[0].ravel(),
        }
        stripes[line, column] = outputs
        ax = axes[line, column]
        for row, (name, values) in enumerate({"stripes": signal, **outputs}.items()):
            strip(ax, row, values, "" if column else name)
        ax.set(xlim=(-0.1, 8.1), ylim=(4.9, -0.1))
        ax.axis("off")
        ax.set_title(("as they are", "moved by one")[column], fontsize=9.5)
show(
    fig,
    name="stripes",
    alt=(
        "Stripes 0 8 0 8: every second pixel gives all 0, moved by one all 8; the maximum gives 8 "
        "both times, the mean 4. Stripes 0 0 8 8: every second pixel gives 0 8 0 8 both times; the "
        "maximum and the mean give 0 8 0 8, but moved by one the maximum gives all 8 and the mean "
        "all 4."
    ),
    caption=(
        "Compare left with right, line by line. On the finest stripes (above) every second pixel "
        "goes from all 0 to all 8; the other two are steady, and have no stripes left. On the "
        "wider ones (below) the maximum and the mean show stripes or lose them."
    ),
)
same = {key: [(stripes[line, 0][key] == stripes[line, 1][key]).all() for line in (0, 1)]
        for key in ("every 2nd", "max", "mean")}
assert same == {"every 2nd": [False, True], "max": [True, False], "mean": [True, False]}

# %% [markdown]
# None of the three is safe from a shift that is smaller than its stride. A shift by a whole stride does no harm: move the image by two, and the output moves by one, to the last bit. [Zhang (2019)](@zhang2019) made networks steadier by taking the maximum at *every* place and averaging before the pixels are thrown away. The last line of the photograph's figure is that idea: {{ at["max, then mean 3×3"][0]:.2f}} where the plain maximum has {{ at["max 2×2"][0]:.2f}}.

# %% tags=["remove-input"]
here, _ = pieces(SEED)
for pool in (max_pool2d, avg_pool2d):
    assert (pool(here[..., 2:], 2)[0] == pool(here, 2)[0][..., 1:]).all()
steadier = changes(ways["max, then mean 3×3"], *pieces(SEED))
plain = changes(ways["max 2×2"], *pieces(SEED))
assert steadier[0] < plain[0] and steadier[1] < plain[1]

# %% [markdown]
# ### Two images, one output
#
# To tolerate a shift, a layer must forget where things are. Take a digit and shuffle the four pixels within each window. Neither the maximum nor the mean can tell the two digits apart:

# %% tags=["remove-input"]
shuffled = rng.permuted(blocks(image), axis=-1)
shuffled = shuffled.reshape(1, 1, 4, 4, 2, 2).swapaxes(3, 4).reshape(1, 1, 8, 8)
moved_share = (shuffled != image).mean()
alike = prod(factorial(4) // prod(map(factorial, np.unique(window, return_counts=True)[1].tolist()))
             for window in blocks(image).reshape(-1, 4))
for pool in (max_pool2d, avg_pool2d):
    assert (pool(shuffled, 2)[0] == pool(image, 2)[0]).all()
assert moved_share > 0.3
fig, axes = plt.subplots(2, 2, figsize=(3.8, 4.2))
for ax, values, title, windows in (
    (axes[0, 0], image, "a digit", 2),
    (axes[0, 1], shuffled, "shuffled in its windows", 2),
    (axes[1, 0], highest, "the max of both", 1),
    (axes[1, 1], mean_of, "the mean of both", 1),
):
    picture(ax, values[0, 0], title, windows=windows, top=1)
show(
    fig,
    name="shuffled",
    alt=(
        f"A digit, and the same with the four pixels of each window shuffled: {moved_share:.0%} of "
        "the pixels differ and the strokes have ragged edges. Below, the maximum and the mean "
        "of each window, which are the same for both."
    ),
    caption=(
        f"{moved_share:.0%} of the pixels differ, and both pooled images are equal to the last "
        "bit. What tells the upper two apart reaches no layer after the pooling."
    ),
)

# %% [markdown]
# Counting all ways to shuffle, at least {{ f"{alike:,}" }} images share these two outputs.
#
# ### Who gets a gradient
#
# With $2 \times 2$ windows side by side, the maximum sends a gradient to a quarter of the pixels, the mean to all. It sounds as if most of the network learnt nothing. But what happens in the layers below?

# %% tags=["remove-input"]
nets = {"max": net, "mean": train("mean", 0.15, [SEED])[0]}
reached = {}
for name, network in nets.items():
    logits, caches = network.forward(frame(data.x_test))
    d = softmax_cross_entropy(logits, data.y_test)[1]
    for i in reversed(range(8)):
        d, _ = network.layers[i].backward(d, caches[i])
        reached[name, i] = (d != 0).mean()
print("pixels with a gradient     max  mean")
for i, place in ((5, "before the second pool"), (2, "before the first pool"),
                 (1, "before the first ReLU"), (0, "the image")):
    print(f"{place:<24}{reached['max', i]:6.0%}{reached['mean', i]:6.0%}")
assert reached["max", 2] < 0.26 and reached["mean", 2] > 0.99 and reached["max", 0] > 0.95

# %% [markdown]
# The convolution below spreads it out again: a filter of $3 \times 3$ hands each gradient to nine pixels, and there are several filters. At the image {{ reached["max", 0]:.0%}} of the pixels have a gradient. And a filter is shared by all places, so it needs only some of them. Sparse is not the same as starved.
#
# ## Does a network need pooling?
#
# **The question.** Is a network with pooling better than one without, on test digits in their place and on the same digits moved by one or two pixels?
#
# **A prediction.** The maximum should lead, on moved digits above all. A convolution with stride 2 computes a quarter of the pixels and none of the others, so it should come last. A network that keeps its images at full size should do well in place, since nothing is lost, and badly on moved digits.
#
# Five networks have the same filters. Three make their images smaller: by the maximum, by the mean, or by stride 2 instead of pooling. They begin with the same weights. Two keep $12 \times 12$ pixels to the end. In one of them, *none, large*, the linear layer is therefore sixteen times as large. In the other, *none, small*, the twelve images are first mixed into one. The first three have {{ sizes["max"]:,}} parameters, *none, small* has {{ sizes["none, small"]:,}}, and *none, large* {{ sizes["none"]:,}}.
#
# Each network is trained for ten epochs, with five seeds, in two ways: on digits in the middle of the frame, and on digits that are moved by up to a pixel, anew in each epoch. Each time it has the better of two learning rates, 0.03 and 0.15, by the accuracy of its first two seeds on validation images of the same kind.

# %% tags=["hide-input"]
RATES, SEEDS = [0.03, 0.15], range(5)
SHIFTS = [[(0, 0)], moves, [(0, 2), (0, -2), (2, 0), (-2, 0)]]


def accuracy(net, images, labels, group):
    """In per cent, a mean over some moves."""
    return 100 * np.mean([(predict(net, frame(images, *move)) == labels).mean() for move in group])


def tuned(kind, moved):
    """The best rate, five networks trained with it, and those that the other rates gave."""
    group = SHIFTS[0] + SHIFTS[1] if moved else SHIFTS[0]
    low, high = RATES
    first = train(kind, [low, low, high, high], [*SEEDS[:2]] * 2, moved)
    tried = {low: first[:2], high: first[2:]}
    on_val = [np.mean([accuracy(n, data.x_val, data.y_val, group) for n in nets])
              for nets in tried.values()]
    best = RATES[int(np.argmax(on_val))]
    return best, tried[best] + train(kind, best, SEEDS[2:], moved), tried


def scores(nets):
    """One row per network: in place, moved by one pixel, moved by two."""
    return np.array([[accuracy(n, data.x_test, data.y_test, group) for group in SHIFTS]
                     for n in nets])


found = {(kind, moved): tuned(kind, moved) for kind in KINDS for moved in (False, True)}
centred, augmented = ({kind: scores(found[kind, moved][1]) for kind in KINDS}
                      for moved in (False, True))
trained = {kind: found[kind, False][1] for kind in KINDS}
rate = {kind: found[kind, False][0] for kind in KINDS}
at_max_rate = scores(found["mean", False][2][rate["max"]]
                     + train("mean", rate["max"], SEEDS[2:]))

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.8), sharex=True)
marks = (("o", "blue", "in place"), ("s", "orange", "moved by 1"), ("^", "green", "moved by 2"))
for ax, results, title in (
    (axes[0], centred, "Trained on digits in the middle"),
    (axes[1], augmented, "Trained on digits moved by up to a pixel"),
):
    for row, kind in enumerate(KINDS):
        for k, (marker, color, text) in enumerate(marks):
            values = results[kind][:, k]
            level = row + (0.17, -0.17, 0)[k]
            ax.plot(values, [level] * len(values), marker, color=COLORS[color], markersize=4.5,
                    alpha=0.45)
            ax.plot([values.mean()] * 2, [level - 0.17, level + 0.17], color=COLORS[color])
            if ax is axes[0] and row == 0:
                ax.text(values.mean(), -0.6, text, color=COLORS[color], ha="center", fontsize=9)
    ax.set(yticks=range(5), yticklabels=KINDS.values(), ylim=(4.5, -0.95), title=title)
    ax.grid(axis="y", visible=False)
axes[1].set(xlabel="test accuracy (%)", xlim=(0, 104))
m = {kind: (centred[kind].mean(0), augmented[kind].mean(0)) for kind in KINDS}
says = "; ".join(
    f"{KINDS[kind]} {c[0]:.0f}, {c[1]:.0f} and {c[2]:.0f} ({a[0]:.0f}, {a[1]:.0f} and {a[2]:.0f})"
    for kind, (c, a) in m.items()
)
show(
    fig,
    name="experiment",
    alt=(
        "Test accuracy in percent of five networks, in place, moved by one and by two pixels; in "
        f"brackets after training on moved digits: {says}."
    ),
    caption=(
        "Each mark is a run, each stroke the mean of five. Above, all networks lose much when a digit "
        "moves by one pixel (squares), those with pooling least. Below, training on moved digits "
        "has brought all squares to the dots, some of them farther right than others."
    ),
)
gap = centred["max"][:, 1] - centred["mean"][:, 1]
gap_untuned = centred["max"][:, 1] - at_max_rate[:, 1]
bare = ("stride", "none, small", "none")
for pooled in ("max", "mean"):
    assert all((centred[pooled][:, 1] > centred[kind][:, 1]).all() for kind in bare)
    assert all(m[pooled][1][1] > m[kind][1][1] + 1 for kind in ("stride", "none, small"))
    assert all(m[pooled][1][2] > m[kind][1][2] + 3 for kind in bare)
assert abs(m["none"][0][0] - m["max"][0][0]) < 3 and m["none"][1][1] > m["max"][1][1] - 2
assert abs(m["stride"][0][1] - m["none"][0][1]) < 4
assert abs(gap.mean()) < 4 and gap_untuned.mean() > 4 and (gap_untuned > 0).all()
gains = {kind: m[kind][1][1] - m[kind][0][1] for kind in KINDS}
assert min(gains.values()) > 25

# %% [markdown]
# **The verdict.** Trained on digits in the middle, the networks with pooling do better on moved digits, with each of the five seeds: moved by one pixel, {{ m["max"][0][1]:.0f}}% for the maximum and {{ m["mean"][0][1]:.0f}}% for the mean, against {{ m["stride"][0][1]:.0f}}% with stride 2, {{ m["none, small"][0][1]:.0f}}% and {{ m["none"][0][1]:.0f}}% with none. So much of the prediction holds. Four things deserve a second look.
#
# - **It is little comfort.** In place the maximum reaches {{ m["max"][0][0]:.0f}}%. A step of one pixel costs it {{ m["max"][0][0] - m["max"][0][1]:.0f}} points. And stride 2 does not come last: keeping every pixel protects no better.
# - **The maximum hardly leads the mean.** On digits moved by one the lead is {{ gap.mean():.1f}} points, with a standard deviation over the seeds of {{ gap.std(ddof=1):.1f}}. Had the mean been given the maximum's learning rate, {{ rate["max"]:g}} instead of {{ rate["mean"]:g}}, the lead would have been {{ gap_untuned.mean():.1f}} points, and there with every seed. The mean makes gradients smaller, and needs larger steps. If you compare the two at one rate, you compare rates.
# - **In place, pooling does not decide.** There *none, large* has {{ m["none"][0][0]:.1f}}% and the maximum {{ m["max"][0][0]:.1f}}%, with standard deviations of {{ centred["none"][:, 0].std(ddof=1):.1f}} and {{ centred["max"][:, 0].std(ddof=1):.1f}} points.
# - **The data do most.** Trained on moved digits, the five reach {{ m["max"][1][1]:.0f}}, {{ m["mean"][1][1]:.0f}}, {{ m["stride"][1][1]:.0f}}, {{ m["none, small"][1][1]:.0f}} and {{ m["none"][1][1]:.0f}}% on digits moved by one: each gains at least {{ min(gains.values()):.0f}} points. Among networks of about equal size the pooled ones stay ahead. The large one catches up.
#
# So the tolerance that pooling has by construction, a network without it can learn here, if it has the data to learn it from and the parameters to learn it with. Larger studies point the same way. For accuracy in place, stride can replace pooling ([@springenberg2015]); large networks that pool are not invariant to a shift of a pixel ([@azulay2019]); and tolerance of small deformations is learnt with pooling or without ([@ruderman2018]).
#
# **What this does not show.** These images are tiny, and a pixel is a large step in them. Two layers, ten epochs and two learning rates are little, and more of each may move the squares. No network was trained on shifts of two pixels, and there the pooled networks keep a lead, {{ m["max"][1][2]:.0f}}% and {{ m["mean"][1][2]:.0f}}% against at most {{ max(m[kind][1][2] for kind in bare):.0f}}%. Nor does accuracy count the work: without pooling the second convolution has four times the pixels to go over, and nobody disputes this use of pooling.
#
# ### What a deeper stack sees
#
# The layers alone did badly on digits, and the trained networks did better. So follow one shift through the network, in the second of the two units: the change when a digit moves by a pixel, divided by the distance to another digit.

# %% tags=["remove-input"]
def traced(net, images):
    """The image, what leaves each of the two blocks, and the scores; one row per image."""
    stops, seen, x = [], [images], images
    for k, layer in enumerate(net.layers):
        x = layer(x)
        after = net.layers[k + 1] if k + 1 < len(net.layers) else None
        if isinstance(after, (Conv2d, Flatten)) or after is None:
            stops.append(k)
            seen.append(x)
    return [stop.reshape(len(images), -1) for stop in seen]


def by_depth(net):
    here = traced(net, frame(data.x_test))
    found = []
    for move in moves:
        there = traced(net, frame(data.x_test, *move))
        found.append([
            np.linalg.norm(a - b, axis=1).mean()
            / np.linalg.norm(a - np.roll(a, 1, axis=0), axis=1).mean()
            for a, b in zip(here, there, strict=True)
        ])
    return np.mean(found, axis=0)


SHOWN = ["max", "mean", "stride", "none"]
depth = {kind: np.array([by_depth(n) for n in trained[kind]]) for kind in SHOWN}
fig, ax = plt.subplots(figsize=(4.8, 3.6))
for kind, color, style, marker in (
    ("max", "blue", "-", "o"), ("mean", "orange", "--", "s"),
    ("stride", "green", "-.", "^"), ("none", "purple", ":", "D"),
):
    values = depth[kind].mean(0)
    ax.plot(range(4), values, style + marker, color=COLORS[color], markersize=5)
    ax.fill_between(range(4), depth[kind].min(0), depth[kind].max(0), color=COLORS[color],
                    alpha=0.12, linewidth=0)
show_at = sorted((depth[kind].mean(0)[-1], kind) for kind in SHOWN)
colors = {"max": "blue", "mean": "orange", "stride": "green", "none": "purple"}
levels = np.array([value for value, _ in show_at])
for k in range(1, 4):
    levels[k] = max(levels[k], levels[k - 1] + 0.055)
for level, (_, kind) in zip(levels, show_at, strict=True):
    ax.text(3.12, level, KINDS[kind], color=COLORS[colors[kind]], va="center")
ax.axhline(1, color=COLORS["muted"], linewidth=0.8)
ax.text(-0.15, 1.045, "1: as far as another digit", fontsize=9, va="bottom")
ax.set(xticks=range(4), xticklabels=["image", "block 1", "block 2", "scores"], xlim=(-0.2, 3.75),
       ylim=(0, 1.16), ylabel="change by a pixel,\nin units of another digit",
       title="A shift on its way through the network")
show(
    fig,
    name="by-depth",
    alt=(
        "Change by a one-pixel shift in units of the distance to another digit, at the image, "
        "after the first and the second block, at the scores: "
        + "; ".join(f"{KINDS[k]} " + ", ".join(f"{v:.2f}" for v in depth[k].mean(0))
                    for k in SHOWN) + "."
    ),
    caption=(
        "Means over five trained networks, bands from the lowest to the highest. With pooling the "
        "lines fall in every block; with none the line falls only at the very end, in the linear "
        "layer."
    ),
)
d = {kind: depth[kind].mean(0) for kind in SHOWN}
assert all(d[p][-1] < d[b][-1] for p in ("max", "mean") for b in ("stride", "none"))
assert all(np.diff(d[kind]).max() < 0.02 for kind in SHOWN)
assert d["none"][2] > 0.9 and d["none"][3] < 0.75
assert (np.diff([d[p] for p in ("max", "mean")]) < -0.05).all()

# %% [markdown]
# In the image, a digit moved by a pixel is as far off as another digit ({{ d["max"][0]:.2f}}). With the maximum that falls to {{ d["max"][1]:.2f}} after one block, {{ d["max"][2]:.2f}} after two, and {{ d["max"][3]:.2f}} at the scores. With none it is {{ d["none"][2]:.2f}} after two blocks; whatever tolerance that network has, {{ d["none"][3]:.2f}} at the scores, is nearly all the work of its linear layer. One block with pooling does little, several in a row add up, and the result is far from invariance, which would be 0.
#
# ## In five lines
#
# - Pooling makes an image smaller: of each window it keeps the largest number, or the mean.
# - The gradient of a maximum goes to the winner alone, that of a mean to all in equal shares.
# - Where windows overlap, the shares of a pixel add up, so the gradient that is passed back has the sum of the upstream gradient.
# - At a tie the first in reading order wins; after a ReLU ties are common, and the choice does not change the filters' gradient here.
# - Pooling tolerates small shifts; a network without it can learn that from data that moves.
#
# ## Try it
#
# ??? question "1. With a pencil: $2 \times 2$ windows at stride 1 on the row pair $\begin{bmatrix}1 & 4 & 2\\ 3 & 0 & 5\end{bmatrix}$; the upstream gradient is $(6, 7)$. What are $Y$ and $\partial L/\partial X$ of the maximum?"
#     $Y = (4, 5)$. The first window's winner is the 4, the second's the 5: $\begin{bmatrix}0 & 6 & 0\\ 0 & 0 & 7\end{bmatrix}$. Had the 5 been a 3, the 4 would have won both windows and collected 13.
#
# ??? question "2. Maximum pooling after a ReLU, or a ReLU after maximum pooling: is there a difference?"
#     Not in the output. A ReLU keeps the order of numbers, so taking the maximum first or last gives the same number. Nor is there one in the gradient: a window whose largest value is positive routes to the same pixel, the others pass nothing. But the ReLU has a quarter of the work if it comes second.
#
# ??? question "3. Why does neither the mean nor the maximum need the input to go back?"
#     The mean is linear: its slopes are constants. The slopes of the maximum are 0 and 1, and which is which is in the winners. Neither needs a *value*.
#
# ??? question "4. Your network takes the maximum with zeros as padding, directly after a ReLU. Is it wrong?"
#     Its outputs are right: nothing there is below 0, so padding of 0 never beats a pixel. It can tie with zeros, and then a gradient goes into the padding and is lost; but the ReLU would have stopped it anyway. Move the layer before the ReLU, and it is wrong.
#
# ??? question "5. For the notebook: pool by a softmax, $y = \sum_k p_k x_k$ with $p = \operatorname{softmax}(\beta x)$ over the window. What are $\beta = 0$ and $\beta \to \infty$?"
#     The mean and the maximum. In between there are no ties to break, and the gradient reaches all pixels: $\partial y/\partial x_k = p_k (1 + \beta (x_k - y))$. Write it with `blocks`, check it with `gradient_check`, and put it into `build`. Does any $\beta$ beat both ends?

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("max_pool2d", "max_pool2d_backward", "avg_pool2d", "avg_pool2d_backward")

# %% [markdown]
# ## Sources
#
# - Shannon (1949), *Communication in the presence of noise*, Proceedings of the IRE: the sampling theorem.
# - Fukushima (1980), *Neocognitron*, Biological Cybernetics: layers that detect, and layers that tolerate a shift.
# - LeCun, Bottou, Bengio and Haffner (1998), *Gradient-based learning applied to document recognition*, Proceedings of the IEEE: averages over windows, with a trained factor.
# - Scherer, Müller and Behnke (2010), *Evaluation of pooling operations in convolutional architectures for object recognition*, ICANN: the maximum compared with averages.
# - Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural networks*, NIPS: windows that overlap.
# - Springenberg, Dosovitskiy, Brox and Riedmiller (2015), *Striving for simplicity: the all convolutional net*, ICLR workshop: stride instead of pooling.
# - Ruderman, Rabinowitz, Morcos and Zoran (2018), *Pooling is neither necessary nor sufficient for appropriate deformation stability in CNNs*.
# - Azulay and Weiss (2019), *Why do deep convolutional networks generalize so poorly to small image transformations?*, Journal of Machine Learning Research.
# - Zhang (2019), *Making convolutional networks shift-invariant again*, ICML: blur before you subsample.
# - The photograph is by danielbuechele (CC BY 2.0), as scikit-learn ships it.
