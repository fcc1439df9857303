# ---
# title: Pooling
# description: Keep the largest of each window, or the mean, and send the gradient back where it belongs.
# tags:
#   - layers
# ---

# %% [markdown]
# # Pooling
#
# A convolution gives one image per filter, about as large as its input, and most of the pixels say much the same as their neighbours. Pooling makes the images smaller: it looks at small windows and keeps one number from each, the largest or the mean. You will see where every gradient goes, what happens when two pixels are the largest, and seven ways to get it wrong. [A page of its own](../networks/pooling_buys.py) asks whether a trained network needs pooling.
#
# You need [the symbols of this book](../foundations/notation.md), [ReLU](relu.py), whose mask comes back here, and an idea of [convolution](convolution.py).

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle
from numpy.lib.stride_tricks import sliding_window_view
from torch.nn import functional

from nn_tutorial import (
    GradientError,
    avg_pool2d,
    avg_pool2d_backward,
    conv2d,
    digits,
    gradient_check,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_loops,
    max_pool2d_loops_backward,
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
from nn_tutorial.pages.plots import COLORS, image_cells, show, show_source, use_style, value_grid
from nn_tutorial.pages.tie_rules import TIE_RULES, TiePool
from nn_tutorial.verify.theories import THEORIES

SEED = 0
use_style()
rng = np.random.default_rng(SEED)
data = digits(seed=SEED)
image = data.x_test[:1]

# %% tags=["remove-input"]
highest, its_cache = max_pool2d(image, 2)
mean_of, mean_cache = avg_pool2d(image, 2)
ones = np.ones_like(highest)
fig, axes = plt.subplots(2, 3, figsize=(4.8, 3.9))
for ax, values, title, color, windows in (
    (axes[0, 0], image, "a digit", "text", 2),
    (axes[0, 1], highest, "the largest", "text", 1),
    (axes[0, 2], mean_of, "the mean", "text", 1),
    (axes[1, 0], ones, "the upstream gradient", "orange", 1),
    (axes[1, 1], max_pool2d_backward(ones, its_cache), "back: the largest", "orange", 2),
    (axes[1, 2], avg_pool2d_backward(ones, mean_cache), "back: the mean", "orange", 2),
):
    image_cells(ax, values[0, 0], title=title, color=color, windows=windows, top=1)
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
    value_grid(axes[2, column], dy[0, 0], title="∂L/∂Y, upstream", highlight=y[0, 0] > -9,
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
        "output, the upstream gradient, the gradient passed back. With the maximum one pixel of "
        "each window is tinted, and only that one gets a gradient: 4, −8, 12 and 20. With the mean "
        "all are tinted and each gets a quarter: 1, −2, 3 and 5."
    ),
    caption=(
        "Forward, then backward, for the maximum and for the mean. Tinted cells had a part in the "
        "output. The gradient lands on exactly those cells. "
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
from_above = rng.standard_normal(y.shape)
assert np.allclose(np.einsum("ia,ncae,je->ncij", A, photo_like, B), y, rtol=1e-13)
filtered, _ = conv2d(photo_like.reshape(6, 1, 9, 8), np.full((1, 1, 3, 2), 1 / 6), np.zeros(1),
                     stride=(2, 1))
assert np.allclose(filtered.reshape(y.shape), y, rtol=1e-13)
back = np.einsum("ia,ncij,je->ncae", A, from_above, B)
assert np.allclose(back, avg_pool2d_backward(from_above, cache), rtol=0, atol=1e-15)

# %% [markdown]
# As the lines with `conv2d` show, it is also a convolution, with one filter whose weights are all $\tfrac1{k_h k_w}$, on each channel by itself. The maximum is neither: no matrix does what it does, because which entry would be 1 depends on the input.
#
# ### Global average pooling
#
# Let the window be the whole image. One number per channel is left, the mean of its map, and going back, every pixel gets the same share:
#
# $$y_{nc} = \frac{1}{HW} \sum_{a,e} x_{ncae}, \qquad \frac{\partial L}{\partial x_{ncae}} = \frac{1}{HW}\, \frac{\partial L}{\partial y_{nc}}$$
#
# Many convolutional networks end with it ([@lin2014]). The alternative is to flatten the last maps for a linear layer. With $K$ classes that layer has $CHWK$ weights and takes images of one size. Behind a global mean it has $CK$ weights, whatever the size of the image. What is lost is the place: a pattern counts the same wherever it lies. The package's layer is `GlobalAvgPool2d`.

# %%
draw, head = np.random.default_rng(SEED), pooling.GlobalAvgPool2d()
for height, width in ((7, 7), (12, 20)):
    maps = draw.standard_normal((2, 16, height, width))
    y, cache = head.forward(maps)
    from_above = draw.standard_normal(y.shape)
    back = head.backward(from_above, cache)[0]
    moved = head.forward(np.roll(maps, 3, axis=3))[0]
    assert np.allclose(y[:, :, 0, 0], maps.mean((2, 3)), rtol=0, atol=1e-14)
    assert np.allclose(back, from_above / (height * width), rtol=1e-13)
    assert back.shape == maps.shape
    assert np.allclose(moved, y, rtol=0, atol=1e-14)  # the place does not count
    flattened, averaged = 10 * maps[0].size, 10 * y[0].size  # ten classes
    print(f"{height:2} by {width:2}: {flattened:6,} or {averaged} weights")
    assert averaged == 160

# %% [markdown]
# ## What the cache keeps
#
# The backward pass of the maximum needs the winners and nothing else, not even the input. The loops keep two integers per window. The fast version keeps the masks $M^{(u,v)}$ of the box, one for each tap and one byte for each element. It finds the largest values first, by letting the pixels of a column compete, and then the columns.
#
# $$\max_{u,v} x_{uv} = \max_v \Big(\max_u x_{uv}\Big)$$
#
# The largest of all is the largest of the columns' winners, however the tournament is arranged. At stride 1 that takes $(k_h - 1) + (k_w - 1)$ comparisons per pixel, where all at once would take $k_h k_w - 1$: 4 instead of 8 for $3 \times 3$ windows. (For $2 \times 2$ side by side the count is the same.) Then each tap is asked in turn, in reading order, where it reaches the largest value:

# %% tags=["remove-input"]
show_source(pooling._first, pooling.max_pool2d_backward)

# %% [markdown]
# In `_first`, `free` marks the windows that have no winner yet, so that the first to reach the maximum wins. In the backward pass `where_open` does what the product with a mask does. On the sixteen numbers, [](#max-pool-backward) term by term:

# %%
for (u, v), mask in zip(np.ndindex(2, 2), max_cache.winners, strict=True):
    assert (dx_max[:, :, u::2, v::2] == dy * mask).all()

# %% [markdown]
# What does it cost to remember?

# %%
batch = rng.standard_normal((16, 8, 24, 24)).astype(np.float32)
_, cache = max_pool2d(batch, 2)
_, theirs = functional.max_pool2d(torch.tensor(batch), 2, return_indices=True)

kept = sum(mask.nbytes for mask in cache.winners)
per_pixel = {
    "the input": batch.nbytes / batch.size,
    "PyTorch's indices": theirs.nbytes / batch.size,
    "our masks": kept / batch.size,
}
print("bytes kept per input pixel")
for name, size in per_pixel.items():
    print(f"{name:<20}{size:4.1f}")
assert kept == batch.size and theirs.dtype == torch.int64
assert len(avg_pool2d(batch, 2)[1].winners) == 0

# %% [markdown]
# PyTorch keeps an integer of eight bytes per window. The masks of $2 \times 2$ windows take {{ per_pixel["our masks"]:.1f}} byte per input pixel: four masks of a quarter of an image. The mean keeps no array at all, for its gradient does not depend on the input.
#
# Where several pixels are the largest, the order in which the taps are asked does matter. In reading order, row by row, the first of the largest wins. Asked column by column, as for the image's transpose, another may win:

# %% tags=["remove-input"]
window = np.array([[0.0, 5.0], [5.0, 0.0]])[None, None]
one = np.ones((1, 1, 1, 1))
by_rows = max_pool2d_backward(one, max_pool2d(window, 2)[1])[0, 0]
transposed = window.swapaxes(2, 3)
by_columns = max_pool2d_backward(one, max_pool2d(transposed, 2)[1])[0, 0].T
print(f"row by row        {by_rows.tolist()}")
print(f"column by column  {by_columns.tolist()}")
assert (by_rows == [[0, 1], [0, 0]]).all() and (by_columns == [[0, 0], [1, 0]]).all()

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
tied = np.array([[0.0, 7.0], [7.0, 7.0]])
six = np.array([[[[6.0]]]])
fig, axes = plt.subplots(1, 5, figsize=(5.0, 1.7))
value_grid(axes[0], tied, highlight=tied == 7)
axes[0].set_title("X", fontsize=9.5)
for ax, rule in zip(axes[1:], TIE_RULES, strict=True):
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
# **Are ties rare?** Not after a ReLU: it puts out many zeros, and zeros tie. [How often, and whether the choice matters](../networks/pooling_buys.py#equal-maxima-after-a-relu-how-often), is measured in trained networks.
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
# A check that is silent about ties cannot tell a good tie rule from a bad one; the comparison with PyTorch can, and the sum can.
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
# **To every largest** passes them as well. It is wrong only at ties, and there the differences are silent.
#
# **Mean not divided** is too large by the factor $k_h k_w$, and the only one that all four checks see. A smaller learning rate would hide it.
#
# **Winners reread** happens if you keep the input instead of the winners, and then reuse its memory for the next batch. The gradient has the right sum, in the wrong places.
#
# ## What pooling buys
#
# The usual claim is that pooling makes a network *invariant* to small shifts. [What pooling buys](../networks/pooling_buys.py) measures it, with a photograph that moves by one pixel and with trained networks. Pooling tolerates small shifts, but the result is far from invariance.
#
# ## In five lines
#
# - Pooling makes an image smaller: of each window it keeps the largest number, or the mean.
# - The gradient of a maximum goes to the winner alone, that of a mean to all in equal shares.
# - Where windows overlap, the shares of a pixel add up, so the gradient that is passed back has the same sum as the upstream gradient.
# - At a tie the first in reading order wins, as in PyTorch; giving the whole gradient to all of the largest is wrong.
# - To go back, the maximum needs the winners and not the values; the mean needs no array at all.
#
# ## Try it
#
# ??? question "1. With a pencil: $2 \times 2$ windows at stride 1 on the row pair $\begin{bmatrix}1 & 4 & 2\\ 3 & 0 & 5\end{bmatrix}$; the upstream gradient is $(6, 7)$. What are $Y$ and $\partial L/\partial X$ of the maximum?"
#     $Y = (4, 5)$. The first window's winner is the 4, the second's the 5: $\begin{bmatrix}0 & 6 & 0\\ 0 & 0 & 7\end{bmatrix}$. Had the 5 been a 3, the 4 would have won both windows and collected 13.
#
# ??? question "2. Why does neither the mean nor the maximum need the input to go back?"
#     The mean is linear: its slopes are constants. The slopes of the maximum are 0 and 1, and which is which is in the winners. Neither needs a *value*.
#
# ??? question "3. Your network takes the maximum with zeros as padding, directly after a ReLU. Is it wrong?"
#     Its outputs are right: nothing there is below 0, so padding of 0 never beats a pixel. It can tie with zeros, and then a gradient goes into the padding and is lost; but the ReLU would have stopped it anyway. Move the layer before the ReLU, and it is wrong.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("max_pool2d", "max_pool2d_backward", "avg_pool2d", "avg_pool2d_backward")

# %% [markdown]
# ## Sources
#
# - Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural networks*, NIPS: windows that overlap.
# - Lin, Chen and Yan (2014), *Network in network*, ICLR: global average pooling in place of a large linear layer.
