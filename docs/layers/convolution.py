# ---
# title: Convolution
# description: One small kernel slides over the whole image, and its backward pass adds up overlapping windows, which is where the famous flip comes from.
# tags:
#   - layers
# ---

# %% [markdown]
# # Convolution
#
# An edge is an edge, wherever it lies in the picture. A convolution looks for one small pattern everywhere, with one small set of weights. This page derives its backward pass, explains why the kernel comes back rotated by 180°, and asks what the layer knows about images that a matrix does not.
#
# You need [the symbols of this book](../foundations/notation.md) and [backpropagation by hand](../foundations/chain_rule.py).

# %% tags=["hide-input"]
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
import torch
from matplotlib.patches import Rectangle

import nn_tutorial as nt
from nn_tutorial import GradientError, conv2d, conv2d_backward, gradient_check
from nn_tutorial.verify.agreement import agree
from nn_tutorial.pages.show import (
    certificate_figure,
    power,
    show_certificate,
    show_equations,
)
from nn_tutorial.verify.equations import Derivation
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid
from nn_tutorial.verify.theories import SHAPES, THEORIES

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

shipped = Path(find_spec("sklearn").origin).parent / "datasets/images"  # it need not be imported
photo = plt.imread(shipped / "china.jpg")[14:398, 20:404].mean(2)[None, None] / 255
box = np.full((1, 1, 3, 3), 1 / 9)
photo = conv2d(photo, box, np.zeros(1), stride=3)[0]  # each pixel the mean of nine
edge = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
edges = conv2d(photo, edge[None, None], np.zeros(1), padding=1)[0][0, 0]


# %% tags=["remove-input"]
def picture(ax, image, title, limits):
    """Draw a grey image, black at the lower limit and white at the upper."""
    levels = np.round(np.clip((image - limits[0]) / (limits[1] - limits[0]), 0, 1) * 31) / 31
    ax.imshow(levels, cmap="gray", vmin=0, vmax=1, interpolation="none")
    ax.set_title(title, fontsize=9.5, fontweight="normal")
    ax.axis("off")


fig, axes = plt.subplots(1, 3, figsize=(5.4, 2.4), width_ratios=[4, 1.7, 4])
picture(axes[0], photo[0, 0], "128×128 numbers", (0, 1))
value_grid(axes[1], edge, highlight=edge > 0)
axes[1].set_title("a kernel", fontsize=9.5, fontweight="normal")
picture(axes[2], edges, "what it finds", (-1.5, 1.5))
show(
    fig,
    name="photograph",
    alt=(
        "Left a grey photograph of a pagoda with columns and railings. In the middle nine numbers: "
        "−1, 0, 1; −2, 0, 2; −1, 0, 1. Right the result: vertical edges stand out, white where the "
        "picture gets brighter to the right and black where it gets darker; even areas are grey."
    ),
    caption=(
        "Nine weights, used at every place of the picture. The columns and the outline on the "
        "right stand out: vertical edges are found, horizontal ones are not. The dark line at the right "
        "border is the padding: to the kernel, the picture ends in black. Photograph: *china.jpg* "
        "by danielbuechele, [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/), as "
        "scikit-learn ships it; here grey, cropped and reduced."
    ),
)

# %% [markdown]
# ## What a matrix forgets
#
# You could flatten the image and multiply it by a matrix. Two things are wrong with that. The first is that a fully connected layer does not know which pixels are neighbours. Shuffle the pixels of all images in one fixed way, shuffle the rows of the matrix in the same way, and nothing changes:

# %%
images = nt.digits(seed=SEED).x_test.reshape(250, 64).astype(np.float64)
matrix = rng.standard_normal((64, 25))
order = rng.permutation(64)
apart = np.abs(images @ matrix - images[:, order] @ matrix[order]).max()
print(f"largest difference: {apart:.0e}")
assert apart < 1e-12

# %% [markdown]
# The weights begin at random, all in the same way, so their order means nothing. A network of such layers, a *multilayer perceptron* or MLP, must therefore learn shuffled images exactly as well as real ones, if you average over its random beginnings. We will put that to the test at the end.
#
# The second is the price. For eight maps of 28×28 from an image of that size, biases included:

# %%
pixels, filters = 28 * 28, 8
full = pixels * filters * pixels + filters * pixels
layer = nt.Conv2d(1, filters, 5, padding=2, rng=rng)
shared = sum(p.size for p in layer.params.values())
print(f"matrix {full:>15,} weights\nkernels {shared:>14,} weights")

# %% [markdown]
# A convolution makes two assumptions that a matrix does not: what belongs together lies together, so an output looks at a small window; and what is worth finding in one place is worth finding everywhere, so the window's weights are the same everywhere ([@fukushima1980]; with weights learnt by gradient, [@lecun1989]). {{ full:,}} weights become {{ shared }}.
#
# ## Shapes first
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, C, H, W)$ | the input, $C$ channels |
# | $W$ | `weight` | $(F, C, k_h, k_w)$ | $F$ **filters**, each with one **kernel** per channel |
# | $b$ | `bias` | $(F)$ | one per filter |
# | $Y$ | `y` | $(N, F, H', W')$ | the output: $F$ **feature maps** |
# | $s$, $r$ | `stride` | two integers | step from window to window, down and across |
# | $p$, $q$ | `padding` | two integers | zeros around the image, above and beside |
#
# $(i, j)$ is a pixel of the output, $(u, v)$ a place in the kernel, $(a, e)$ a pixel of the input. Each output is one window, multiplied with a filter and summed, over the channels too:
#
# $$\begin{aligned} y_{nfij} = b_f + \sum_{c,u,v}\; & w_{fcuv} \\ & \cdot x_{n,\,c,\,s i + u - p,\; r j + v - q}\end{aligned}$$
#
# A pixel that does not exist counts as 0. To keep the formulas readable, we first do everything along one line; a second axis then brings its own indices and nothing new.
#
# ## A line of four pixels, by hand
#
# Let $x = (2, 1, 0, 3)$, and let the kernel be $w = (1, 2, 3)$. It fits in two places:
#
# $$\begin{aligned} y_0 &= 1 \cdot 2 + 2 \cdot 1 + 3 \cdot 0 = 4\\ y_1 &= 1 \cdot 1 + 2 \cdot 0 + 3 \cdot 3 = 10\end{aligned}$$
#
# **Backward.** Let the upstream gradient be $(1, 10)$. Each output hands its own part to the three pixels it has seen, times the weight with which it saw them. So lay the kernel down once per window, times the upstream gradient there, and add:
#
# | | $x_0$ | $x_1$ | $x_2$ | $x_3$ |
# |---|---|---|---|---|
# | from $y_0$, times 1 | 1 | 2 | 3 | |
# | from $y_1$, times 10 | | 10 | 20 | 30 |
# | $\partial L/\partial x$ | **1** | **12** | **23** | **30** |
#
# Each weight collects, from each window, the upstream gradient there times the pixel it met there: $\partial L/\partial w_0 = 1 \cdot 2 + 10 \cdot 1 = 12$, then $1 \cdot 1 + 10 \cdot 0 = 1$ and $1 \cdot 0 + 10 \cdot 3 = 30$. The bias is added to every output, so it gets $1 + 10$.

# %%
x_line = np.array([[[[2.0, 1.0, 0.0, 3.0]]]])
w_line = np.array([[[[1.0, 2.0, 3.0]]]])
y_line, cache = conv2d(x_line, w_line, np.zeros(1))
dx_line, dw_line, db_line = conv2d_backward(np.array([[[[1.0, 10.0]]]]), cache)

assert y_line.ravel().tolist() == [4, 10]
assert dx_line.ravel().tolist() == [1, 12, 23, 30]
assert dw_line.ravel().tolist() == [12, 1, 30] and db_line == [11]

# %% [markdown]
# ## Nine pixels, by hand
#
# The same in two dimensions, with a bias of 1:
#
# $$\begin{aligned} X &= \begin{bmatrix}1 & 2 & 0\\ 0 & 1 & 3\\ 2 & 1 & 1\end{bmatrix}, \quad
#   W = \begin{bmatrix}1 & 0\\ 2 & -1\end{bmatrix} \\[4pt]
#   Y &= \begin{bmatrix}1 & 2\\ 4 & 3\end{bmatrix}\end{aligned}$$
#
# The window at the top right holds $2, 0, 1, 3$. So $y_{01} = 1 \cdot 2 + 0 \cdot 0 + 2 \cdot 1 - 1 \cdot 3 + 1 = 2$.
#
# **Backward**, the upstream gradient and what follows from it:
#
# $$\begin{aligned} \frac{\partial L}{\partial Y} &= \begin{bmatrix}1 & 2\\ 0 & -1\end{bmatrix}, \quad
#   \frac{\partial L}{\partial W} = \begin{bmatrix}4 & -1\\ 1 & 6\end{bmatrix} \\[4pt]
#   \frac{\partial L}{\partial X} &= \begin{bmatrix}1 & 2 & 0\\ 2 & 2 & -2\\ 0 & -2 & 1\end{bmatrix}\end{aligned}$$
#
# The top left weight met the top left pixel of each window: $1, 2, 0, 1$. So it gets $1 \cdot 1 + 2 \cdot 2 + 0 \cdot 0 - 1 \cdot 1 = 4$. The bias gets the sum of the upstream gradient, $1 + 2 + 0 - 1 = 2$.

# %%
x = np.array([[[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 1.0, 1.0]]]])
weight, bias = np.array([[[[1.0, 0.0], [2.0, -1.0]]]]), np.ones(1)
dy = np.array([[[[1.0, 2.0], [0.0, -1.0]]]])

y, cache = conv2d(x, weight, bias)
dx, dweight, dbias = conv2d_backward(dy, cache)

assert (y == [[1, 2], [4, 3]]).all()
assert (dx == [[1, 2, 0], [2, 2, -2], [0, -2, 1]]).all()
assert (dweight == [[4, -1], [1, 6]]).all() and dbias == [2]

# %% tags=["remove-input"]
seen = np.zeros((3, 3), bool)
seen[:2, 1:] = True
corner = np.array([[False, True], [False, False]])
everything = np.ones((2, 2), bool)
middle = np.zeros((3, 3), bool)
middle[1, 1] = True
fig, axes = plt.subplots(2, 3, figsize=(5.0, 3.7), width_ratios=[3, 2, 2])
for ax, values, title, lit, color in (
    (axes[0, 0], x, "X comes in", seen, "blue"),
    (axes[0, 1], weight, "W", everything, "blue"),
    (axes[0, 2], y, "Y goes on", corner, "blue"),
    (axes[1, 2], dy, "∂L/∂Y, upstream", everything, "orange"),
    (axes[1, 1], dweight, "∂L/∂W", None, "orange"),
    (axes[1, 0], dx, "∂L/∂X goes back", middle, "orange"),
):
    value_grid(ax, values[0, 0], title=title, highlight=lit, color=color)
    ax.title.set(fontsize=9.5)
fig.get_layout_engine().set(hspace=0.05)
show(
    fig,
    name="by-hand",
    live="convolution",
    alt=(
        "Six grids. Above: the input with the four pixels at its top right marked, the kernel, "
        "and the output with its top right cell marked, which is 2. Below: the upstream gradient, "
        "that of the kernel, and that of the input, whose middle cell is marked."
    ),
    caption=(
        "Forward, from left to right: the marked window makes the marked output. Backward, from "
        "right to left: the marked pixel was seen by all four windows, so all four gradients reach "
        "it. Where your browser runs scripts, you can move the window, pick a pixel, and change "
        "the kernel, the stride and the padding."
    ),
)

# %% [markdown]
# How did the middle pixel get its 2? The top left window met it with the weight $-1$, the top right one with $2$, the lower left one with $0$, the lower right one with $1$:
#
# $$(-1) \cdot 1 + 2 \cdot 2 + 0 \cdot 0 + 1 \cdot (-1) = 2$$
#
# Read the weights in the order of the windows: $-1, 2, 0, 1$. This is the kernel read backwards. If the pixel lies at the bottom of its window, the window lies further up in the image. This is the flip.
#
# ## Three channels, two filters, by hand
#
# A colour image has three channels. A filter then has a kernel for each of them, and adds all their products into *one* number:
#
# $$\begin{aligned} X &= \begin{bmatrix}1 & 2\\ 0 & 1\end{bmatrix}, \begin{bmatrix}3 & 0\\ 1 & 1\end{bmatrix}, \begin{bmatrix}0 & 1\\ 2 & 0\end{bmatrix} \\[4pt]
#   W_0 &= \begin{bmatrix}1 & 0\\ 0 & 1\end{bmatrix}, \begin{bmatrix}0 & 1\\ 1 & 0\end{bmatrix}, \begin{bmatrix}2 & -1\\ 0 & 1\end{bmatrix} \\[4pt]
#   W_1 &= \begin{bmatrix}0 & 1\\ 1 & 0\end{bmatrix}, \begin{bmatrix}1 & 1\\ 0 & -1\end{bmatrix}, \begin{bmatrix}1 & 0\\ 1 & 2\end{bmatrix}\end{aligned}$$
#
# There is one window, so each filter gives one output. Each line below is a channel; the last adds the bias, 1 and $-2$:
#
# $$\begin{aligned} y_0 = \; & 1 \cdot 1 + 0 \cdot 2 + 0 \cdot 0 + 1 \cdot 1\\ & + 0 \cdot 3 + 1 \cdot 0 + 1 \cdot 1 + 0 \cdot 1\\ & + 2 \cdot 0 - 1 \cdot 1 + 0 \cdot 2 + 1 \cdot 0\\ & + 1 = 2 + 1 - 1 + 1 = 3\end{aligned}$$
#
# $$\begin{aligned} y_1 = \; & 0 \cdot 1 + 1 \cdot 2 + 1 \cdot 0 + 0 \cdot 1\\ & + 1 \cdot 3 + 1 \cdot 0 + 0 \cdot 1 - 1 \cdot 1\\ & + 1 \cdot 0 + 0 \cdot 1 + 1 \cdot 2 + 2 \cdot 0\\ & - 2 = 2 + 2 + 2 - 2 = 4\end{aligned}$$
#
# Each filter has $C k_h k_w$ weights and a bias, so a layer learns $F\,(C k_h k_w + 1)$ numbers, here $2 \cdot 13 = 26$, whatever the size of the image.

# %%
colour = np.array([[[[1, 2], [0, 1]], [[3, 0], [1, 1]], [[0, 1], [2, 0]]]], float)
w_0 = [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[2, -1], [0, 1]]]
w_1 = [[[0, 1], [1, 0]], [[1, 1], [0, -1]], [[1, 0], [1, 2]]]
two_filters, two_biases = np.array([w_0, w_1], float), np.array([1.0, -2.0])

assert (conv2d(colour, two_filters, two_biases)[0] == [[[[3]], [[4]]]]).all()
assert two_filters.size + two_biases.size == 2 * (3 * 2 * 2 + 1) == 26

# %% [markdown]
# ## How large is the output?
#
# Along one line, let the kernel have $k$ weights. With the padding there are $H + 2p$ pixels. The first window begins at 0, and the last can begin at $H + 2p - k$, or it would hang over the end. The starts are the multiples of $s$ from 0 to there, and there are
#
# $$\boxed{H' = \left\lfloor \frac{H + 2p - k}{s} \right\rfloor + 1}$$
#
# of them. Check it by counting: for all small sizes, list the starts at which a window fits.

# %%
cases = 0
for size, k, s, p in np.ndindex(10, 6, 5, 4):
    size, k, s = size + 1, k + 1, s + 1
    starts = [a for a in range(0, size + 2 * p, s) if a + k <= size + 2 * p]
    if starts:  # else the kernel is larger than the image
        line, kernel = np.ones((1, 1, size, 1)), np.ones((1, 1, k, 1))
        found, _ = conv2d(line, kernel, np.zeros(1), stride=(s, 1), padding=(p, 0))
        assert len(starts) == (size + 2 * p - k) // s + 1 == found.shape[2]
        cases += 1
print(f"{cases:,} sizes counted, all agree")

# %% tags=["remove-input"]
examples = [(5, 3, 1, 0), (5, 3, 1, 1), (5, 3, 2, 1), (6, 3, 2, 0)]
fig, axes = plt.subplots(len(examples), 1, figsize=(4.6, 6.6), height_ratios=[3, 5, 3, 2.4])
for ax, (size, k, s, p) in zip(axes, examples, strict=True):
    count = (size + 2 * p - k) // s + 1
    for a in range(-p, size + p):
        inside = 0 <= a < size
        ax.add_patch(Rectangle((a, 0), 1, 0.8, fill=inside, facecolor=COLORS["grid"],
                               edgecolor=COLORS["muted"], linestyle="-" if inside else "--"))
        ax.text(a + 0.5, 0.4, f"x{a}" if inside else "0", ha="center", va="center", fontsize=9)
    for i in range(count):
        ax.plot([s * i - p + 0.06, s * i - p + k - 0.06], [1.3 + 0.62 * i] * 2, linewidth=5,
                color=COLORS["blue"], alpha=0.6, solid_capstyle="butt")
        ax.text(7.3, 1.3 + 0.62 * i, f"y{i}", va="center", color=COLORS["blue"], fontsize=9)
    ax.set(xlim=(-1.1, 7.8), ylim=(1.7 + 0.62 * (count - 1), -0.1))
    ax.set_title(f"{size} pixels, kernel {k}, stride {s}, padding {p}: {count} outputs",
                 fontsize=9.5, fontweight="normal")
    ax.axis("off")
left_over = (6 - 3) % 2
show(
    fig,
    name="stride-and-padding",
    alt=(
        "Four lines of pixels with the windows below them. Without padding 5 pixels give 3 "
        "outputs; with one zero on each side, 5; with stride 2 in addition, 3. Six pixels with "
        "stride 2 and no padding give 2 outputs, and the last pixel lies below no window."
    ),
    caption=(
        "Each bar is a window. In the second line a padding of $(k-1)/2$ keeps the size (with "
        "stride 1 and an odd $k$). In the last line the next window would hang over the end, so "
        "no window sees $x_5$, and its gradient is 0."
    ),
)
assert left_over == 1
unseen = conv2d(np.ones((1, 1, 6, 1)), np.ones((1, 1, 3, 1)), np.zeros(1), stride=(2, 1))[1]
assert (conv2d_backward(np.ones((1, 1, 2, 1)), unseen)[0].ravel() == [1, 1, 2, 1, 1, 0]).all()

# %% [markdown]
# ## Six kernels, one photograph
#
# Before kernels were learnt, people designed them by hand. A kernel whose numbers sum to 1 keeps even areas as they are; one whose numbers sum to 0 makes them vanish. All six maps below come out of one call, with six filters:

# %%
binomial = np.array([1.0, 2.0, 1.0])
laplace = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
kernels = {
    "box blur": np.full((3, 3), 1 / 9),
    "Gaussian blur": np.outer(binomial, binomial) / 16,
    "sharpen": np.pad([[1.0]], 1) - laplace,
    "Sobel, left to right": edge,
    "Sobel, top to bottom": edge.T,
    "Laplace": laplace,
}
bank = np.stack(list(kernels.values()))[:, None]
maps = conv2d(photo, bank, np.zeros(6), padding=1)[0]

# %% tags=["remove-input"]
assert np.allclose(bank.sum((1, 2, 3)), [1, 1, 1, 0, 0, 0])
flat = conv2d(np.full((1, 1, 9, 9), 0.7), bank, np.zeros(6))[0]
assert np.allclose(flat[:, :3], 0.7) and np.allclose(flat[:, 3:], 0)

# %% tags=["remove-input"]
limits = [(0, 1)] * 3 + [(-1.5, 1.5)] * 2 + [(-0.8, 0.8)]
fig, axes = plt.subplots(3, 2, figsize=(4.8, 7.4))
for ax, name, image, limit in zip(axes.T.flat, kernels, maps[0], limits, strict=True):
    picture(ax, image, name, limit)
show(
    fig,
    name="feature-maps",
    alt=(
        "Six versions of the photograph. Two are blurred, one has crisper edges; the two Sobel "
        "maps show vertical edges alone and horizontal ones alone on grey; the Laplace map shows thin "
        "lines along all edges."
    ),
    caption=(
        "Six feature maps of the photograph above. Left, kernels that sum to 1; right, kernels that "
        "sum to 0, with 0 drawn as grey; values too bright or too dark to draw are clipped. The two Sobel maps show different edges of the railings: one kernel is the "
        "other, transposed."
    ),
)

# %% [markdown]
# A convolutional network has such filters too, but they are learnt. What they learn from is the gradient, and it comes next.
#
# ## From one pixel to the array
#
# **One product.** In $y = wx + b$ the slope to $x$ is $w$, the slope to $w$ is $x$ and that to $b$ is 1. Each output is a sum of such products, so each of its terms has these slopes.
#
# **Which outputs have seen pixel $a$?** Take this question slowly. The output $i$ looks at the pixels $s i + u - p$. To find out who looks at $a$, solve for $i$:
#
# $$i = \frac{a - u + p}{s}$$
#
# For each place $u$ in the kernel there is at most one such output: it exists if the quotient is whole and lies between $0$ and $H' - 1$. Look at the sign: **$u$ has a minus before it**. In the forward pass a larger $u$ means a pixel further on; in the backward pass a larger $u$ means an output further *back*. For five pixels, $k = 3$, $s = 2$, $p = 1$, the third case in the figure above:

# %%
k, s, p, out, seen_by = 3, 2, 1, 3, []
for a in range(5):
    who = [((a - u + p) // s, u) for u in range(k) if (a - u + p) % s == 0]
    who = [(i, u) for i, u in who if 0 <= i < out]
    print(f"x{a} is seen by", " and ".join(f"y{i} with w{u}" for i, u in who))
    seen_by.append(len(who))

# %% tags=["remove-input"]
three, two = np.ones((1, 1, 3, 1)), {"stride": (2, 1), "padding": (1, 0)}
_, cache = conv2d(np.ones((1, 1, 5, 1)), three, np.zeros(1), **two)
assert conv2d_backward(three, cache)[0].ravel().tolist() == seen_by

# %% [markdown]
# Three pixels are seen once and two twice. Read a line with two entries from left to right: $i$ falls as $u$ rises.
#
# **With a sum and a bracket.** The chain rule adds over all outputs and all their terms; the bracket $[a = si + u - p]$ is 1 for the terms that contain pixel $a$. Each build evaluates these lines; they must agree with each other and with `conv2d_backward`:


# %% tags=["remove-input"]
def along_a_line(values):
    """Values of a derivation along one line, for a random example of the given sizes."""
    size, k, s, p = values
    draw = np.random.default_rng(values)
    example, kernel = draw.standard_normal((1, 1, size, 1)), draw.standard_normal((1, 1, k, 1))
    out, cache = conv2d(example, kernel, np.zeros(1), stride=(s, 1), padding=(p, 0))
    upstream = draw.standard_normal(out.shape)
    dx, dw, _ = conv2d_backward(upstream, cache)
    known = {"x": example.ravel(), "dY": upstream.ravel(), "w": kernel.ravel(), "s": s, "p": p}
    return known, {"dx": dx.ravel(), "dw": dw.ravel()}


def derive(derivation, samples):
    """Print a derivation after comparing each of its steps with the package."""
    from IPython.display import Markdown, display

    worst = 0.0
    for sizes in samples:
        values, found = along_a_line(sizes)
        found = found[derivation.steps[0].equation.name]
        for step in derivation.values(values, shape=found.shape):
            worst = max(worst, float(np.abs(step - found).max() / np.abs(found).max()))
    assert worst < 1e-14, worst
    reasons = "\n".join(f"{i}. {step.reason}" for i, step in enumerate(derivation.steps, 1))
    display(Markdown(f"$$\n{derivation.latex}\n$$\n\n{reasons}\n"))


from_terms = ("sum[i,u](dY[i] * w[u] * (a == s*i+u-p))", "the chain rule, over all terms")
solved = ("sum[i](dY[i] * w[a-s*i+p])",
          "the bracket keeps $u = a - si + p$; outside the kernel there is no weight, so 0")
every = [(7, 3, 1, 0), (7, 3, 1, 1), (7, 3, 2, 1), (11, 2, 3, 0), (5, 5, 2, 2), (13, 3, 5, 2)]
derive(Derivation("dx[a]", from_terms, solved), every)

# %% [markdown]
# (They do, on {{ len(every) }} sizes with strides up to {{ max(e[2] for e in every) }}.) The last line says in symbols what you did by hand: lay the kernel down at each window, times the upstream gradient there, and add.
#
# **With all indices.** The second axis brings a bracket of its own. The input's gradient is summed over the filters, because all of them have seen the pixel; example and channel stay as they are:
#
# $$\boxed{\begin{aligned}\frac{\partial L}{\partial x_{ncae}} = \sum_{f,i,j,u,v} & \frac{\partial L}{\partial y_{nfij}}\; w_{fcuv} \\ & \cdot [a = s i + u - p] \\ & \cdot [e = r j + v - q]\end{aligned}}$$
#
# **The weights.** Output $i$ has the term $x_a w_u$ if $a = si + u - p$. The slope of that term to $w_u$ is $x_a$. So it is the same bracket, and now the pixels are summed over:

# %% tags=["remove-input"]
pixel_terms = ("sum[i,a](dY[i] * x[a] * (a == s*i+u-p))", "the chain rule, over all terms")
met = ("sum[i](dY[i] * x[s*i+u-p])",
       "the bracket keeps one pixel per output; outside the image it is 0")
derive(Derivation("dw[u]", pixel_terms, met), every)

# %% [markdown]
# With all indices, the sum runs over the images of the batch too, since all of them have used the weight; and a weight feeds only the outputs of its own filter:
#
# $$\boxed{\begin{aligned}\frac{\partial L}{\partial w_{fcuv}} = \sum_{n,i,j} & \frac{\partial L}{\partial y_{nfij}} \\ & \cdot x_{n,\,c,\,s i + u - p,\; r j + v - q}\end{aligned}}$$
#
# Windows slide over the input again, with $\partial L/\partial Y$ as the kernel. The **bias** is added everywhere:
#
# $$\boxed{\frac{\partial L}{\partial b_f} = \sum_{n,i,j} \frac{\partial L}{\partial y_{nfij}}}$$
#
# Check the shapes by the indices that the sums leave: $n, c, a, e$ gives $(N, C, H, W)$; $f, c, u, v$ gives $(F, C, k_h, k_w)$; $f$ gives $(F)$.
#
# ## The kernel comes back rotated
#
# Now let the stride be 1 and solve the bracket the other way, for $i$:

# %% tags=["remove-input"]
for_outputs = ("sum[u](dY[a-u+p] * w[u])",
               "the bracket keeps $i = a - u + p$; outside the output there is no gradient, so 0")
derive(Derivation("dx[a]", from_terms, for_outputs),
       [sizes for sizes in every if sizes[2] == 1])

# %% [markdown]
# The forward pass has $x_{i+u}\,w_u$ (without padding): both indices rise together. Mathematics calls this a *cross-correlation*. The backward pass has $\frac{\partial L}{\partial y_{a-u}}\,w_u$: one rises as the other falls. This, and only this, is what mathematics calls a *convolution*. Reading one array backwards turns one into the other. So the flip that the frameworks leave out of the forward pass does not go away: it turns up in the gradient of the input.
#
# You can see it without a formula. Send a single 1 through each direction:

# %%
kernel = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
one = np.zeros((1, 1, 5, 5))
one[0, 0, 2, 2] = 1

forward, cache = conv2d(one, kernel, np.zeros(1), padding=1)
backward = conv2d_backward(one, cache)[0]
assert (forward[0, 0, 1:4, 1:4] == kernel[0, 0, ::-1, ::-1]).all()
assert (backward[0, 0, 1:4, 1:4] == kernel[0, 0]).all()

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(4.7, 5.2))
for ax, values, title, color in (
    (axes[0, 0], one, "one pixel is 1", "blue"),
    (axes[0, 1], forward, "forward: Y", "blue"),
    (axes[1, 1], one, "one gradient is 1", "orange"),
    (axes[1, 0], backward, "backward: ∂L/∂X", "orange"),
):
    value_grid(ax, values[0, 0], title=title, highlight=values[0, 0] > 0, color=color)
show(
    fig,
    name="flip",
    alt=(
        "Four grids of five by five. A single 1 in the input gives, forward, the block 9 8 7, "
        "6 5 4, 3 2 1. A single 1 in the gradient gives, backward, 1 2 3, 4 5 6, 7 8 9."
    ),
    caption=(
        "The kernel is 1 to 9 in reading order. One bright pixel comes out with the kernel rotated "
        "by 180°; one gradient comes back with the kernel upright, laid down where its window was. "
        "Each direction is the rotated version of the other."
    ),
)

# %% [markdown]
# Be careful with the words: the backward pass *lays down* an upright kernel, as you did by hand. But if you want to compute $\partial L/\partial X$ with the same sliding-window code as the forward pass, you collect instead of laying down, and then you must *rotate* the kernel first. Both sentences describe one formula.
#
# ## The gradient of a convolution is a convolution
#
# And when the stride is not 1? Then $i = (a - u + p)/s$ must be whole. Put $s - 1$ zeros between the neighbours in $\partial L/\partial Y$, and the missing outputs are there, as zeros. Pad with $k - 1 - p$, rotate the kernel, exchange its first two axes (filters now come in, channels go out), and use the forward pass:


# %%
def backward_by_forward(dy, x_shape, weight, s, p):
    """The gradient of the input by the forward pass; the padding is below k."""
    (n, f, oh, ow), (_, c, h, w) = dy.shape, x_shape
    kh, kw = weight.shape[2:]
    spread = np.zeros((n, f, h + 2 * p - kh + 1, w + 2 * p - kw + 1))
    spread[:, :, : s * oh : s, : s * ow : s] = dy  # zeros in between
    rotated = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
    around = kh - 1 - p, kw - 1 - p
    return conv2d(spread, rotated, np.zeros(c), padding=around)[0]


# %% tags=["remove-input"]
worst, tried = 0.0, 0
for h, kh, kw, s, p in np.ndindex(4, 3, 3, 3, 2):
    if p <= min(kh, kw):
        a = rng.standard_normal((2, 3, h + 4, 6))
        f = rng.standard_normal((5, 3, kh + 1, kw + 1))
        out, cache = conv2d(a, f, np.zeros(5), stride=s + 1, padding=p)
        upstream = rng.standard_normal(out.shape)
        ours = conv2d_backward(upstream, cache)[0]
        theirs = backward_by_forward(upstream, a.shape, f, s + 1, p)
        worst, tried = max(worst, float(np.abs(theirs - ours).max())), tried + 1
assert worst < 1e-12

# %% [markdown]
# Compared with `conv2d_backward` in {{ tried }} geometries, with strides up to 3, it differs by ${{ power(worst) }}$ at most. (`spread` has a place for every start at stride 1, so rows that no window reached get their zeros as well.) The layers called *transposed convolution* do this in their *forward* pass: they are this layer's backward pass ([@dumoulin2016] draw them all).
#
# ## It is a matrix after all
#
# Every output is a weighted sum of pixels, so there *is* a matrix $A$ with $Y = A X$, when both are flattened. You get its columns by sending in one pixel at a time:

# %%
side, taps = 4, np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
each = np.eye(side * side).reshape(-1, 1, side, side)  # one bright pixel each
toeplitz = conv2d(each, taps, np.zeros(1))[0].reshape(side * side, -1).T

some = rng.standard_normal((1, 1, side, side))
out, cache = conv2d(some, taps, np.zeros(1))
from_above = rng.standard_normal(out.shape)
back = conv2d_backward(from_above, cache)[0]
assert np.allclose(toeplitz @ some.ravel(), out.ravel(), rtol=1e-12)
assert np.allclose(toeplitz.T @ from_above.ravel(), back.ravel(), rtol=1e-12)

# %% tags=["remove-input"]
letters = np.array(["", "1", "2", "3", "4"])
fig, ax = plt.subplots(figsize=(5.4, 3.4))
value_grid(ax, letters[toeplitz.astype(int)], highlight=toeplitz > 0)
for text in ax.texts:
    text.set(fontsize=9, fontweight="normal")
ax.axis("on")
ax.set(xticks=np.arange(16) + 0.5, yticks=np.arange(9) + 0.5, xlabel="pixel of X",
       ylabel="pixel of Y", title="36 cells are filled, with four numbers")
ax.set_xticks(np.arange(16) + 0.5, [f"{i}" for i in range(16)])
ax.set_yticks(np.arange(9) + 0.5, [f"{i}" for i in range(9)])
ax.tick_params(length=0)
ax.grid(visible=False)
for spine in ax.spines.values():
    spine.set_visible(False)
show(
    fig,
    name="toeplitz",
    alt=(
        "A matrix of 9 rows and 16 columns, nearly empty. Each row holds the same four weights, "
        "two neighbours and two more four columns on, moved one place to the right from row to "
        "row, and two places where a new row of the image begins."
    ),
    caption=(
        "The matrix of the kernel with rows 1, 2 and 3, 4 on a 4×4 image; empty cells are 0. "
        "Along the diagonals the same weight recurs again and again. Sharing is what makes the "
        "matrix of a convolution special; empty cells are what make it cheap."
    ),
)
assert (toeplitz > 0).sum() == 36 and toeplitz.shape == (9, 16)

# %% tags=["remove-input"]
held = [check for check in agree(THEORIES["conv2d"]) if check.name == "dX"]
held_numbers, held_error = sum(c.compared for c in held), max(c.error for c in held)
assert {c.relation for c in held} == {"layer", "class", "complex step"}

# %% [markdown]
# With a matrix the backward pass is known from [the linear layer](linear.py): $\partial L/\partial X = A^\top\, \partial L/\partial Y$. All that this page derives is how to multiply by $A^\top$ without ever building $A$.
#
# ## The code says the same
#
# First the definition, in loops over the images, filters, rows and columns of the output (the forward pass, in the same four loops, is in [How fast is it?](../verify/speed.py)). `dweight[k] +=`, `dimage[window] +=` and `dbias[k] +=` are the three boxed formulas; the last line crops the padding.

# %% tags=["remove-input"]
show_source(nt.conv2d_loops_backward)

# %% [markdown]
# The build evaluates the three. The one for the input is too long to print again; {{ held_numbers:,}} numbers from it, on samples of {{ SHAPES }} shapes, were compared with the code and with the complex step, and the largest relative error is ${{ power(held_error) }}$. The other two:

# %% tags=["remove-input"]
show_equations("conv2d", "dW", "db")

# %% [markdown]
# ### One product: im2col
#
# Loops in Python are slow. Write each window as a row, and the convolution is a matrix product with the filters as columns, which every machine computes fast ([@chellapilla2006]). For the nine pixels from above:

# %%
y_cols, cols_cache = nt.conv2d_im2col(x, weight, bias)
cols = cols_cache.cols
assert (cols @ weight.ravel() + bias == y.ravel()).all()

ones = nt.conv2d_im2col(x, np.ones_like(weight), bias)[1]  # a kernel of ones
often = nt.conv2d_im2col_backward(np.ones_like(y), ones)[0]
assert (often[0, 0] == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]).all()

# %% tags=["remove-input"]
names = np.array(["a", "b", "c", "d", "e", "f", "g", "h", "i"])
where = nt.conv2d_im2col(np.arange(9.0).reshape(1, 1, 3, 3), weight, bias)[1].cols.astype(int)
fig, axes = plt.subplots(1, 3, figsize=(5.0, 2.3), width_ratios=[3, 4, 3])
value_grid(axes[0], names.reshape(3, 3), title="image", highlight=names.reshape(3, 3) == "e")
value_grid(axes[1], names[where], title="im2col", highlight=names[where] == "e")
value_grid(axes[2], often[0, 0], title="copies", highlight=often[0, 0] == 4, color="orange")
show(
    fig,
    name="im2col",
    alt=(
        "An image of nine pixels named a to i. Its im2col matrix has the rows a b d e, b c e f, "
        "d e g h, e f h i. The number of copies: corners 1, sides 2, the middle 4."
    ),
    caption=(
        "Each row of the matrix is a window. The pixel e is in all four, each time in another "
        "column: the last, the third, the second, the first. There is the flip again."
    ),
)

# %% [markdown]
# Backward, each copy gets its gradient from the product, and then the copies of a pixel must be **added**. This is called col2im; the loop at the end does it:

# %% tags=["remove-input"]
show_source(nt.conv2d_im2col_backward)

# %% tags=["remove-input"]
grown = []
for size in (8, 32, 128):
    large = np.zeros((1, 1, size, size), np.float32)
    held = nt.conv2d_im2col(large, np.zeros((1, 1, 5, 5), np.float32), np.zeros(1, np.float32))[1]
    grown.append(held.cols.size / large.size)
assert grown[0] < grown[1] < grown[2] < 25

# %% [markdown]
# The price is memory: almost every pixel is copied $k_h k_w$ times. With a 5×5 kernel and no padding the matrix has {{ grown[0]:.1f}} times the pixels of an 8×8 image, {{ grown[1]:.1f}} times those of 32×32 and {{ grown[2]:.1f}} times those of 128×128; the limit is 25.
#
# ### The fast one
#
# `conv2d`, which this book uses, copies along the width only: $k_w$ shifted views. If the batch lies last in memory, the rows of a window then lie under each other, and the height needs a view and no copy ([@cho2017]). [How fast is it?](../verify/speed.py) has the source, the derivation and the times. What matters here: all three are one function, and PyTorch's is the same. The largest difference from PyTorch over all outputs and gradients, in float64, with stride and padding:

# %% tags=["remove-input"]
a, f = rng.standard_normal((2, 3, 9, 8)), rng.standard_normal((4, 3, 3, 2))
offset = rng.standard_normal(4)
place = {"stride": (2, 1), "padding": (1, 0)}
there = [torch.tensor(array, requires_grad=True) for array in (a, f, offset)]
theirs = torch.nn.functional.conv2d(*there, **place)
upstream = rng.standard_normal(theirs.shape)
theirs.backward(torch.tensor(upstream))
expected = [theirs.detach().numpy(), *(t.grad.numpy() for t in there)]
agreement = []
for name in ("conv2d_loops", "conv2d_im2col", "conv2d"):
    out, cache = getattr(nt, name)(a, f, offset, **place)
    results = [out, *getattr(nt, name + "_backward")(upstream, cache)]
    apart = [np.abs(r - e).max() for r, e in zip(results, expected)]
    agreement.append(max(apart))
    print(f"{name:<14} {agreement[-1]:.0e}")
assert max(agreement) < 1e-12

# %% [markdown]
# ## Evidence
#
# Differences of the forward pass, with a random upstream gradient and sizes that are all different:

# %%
def fixed(forward, stride, padding):
    """A forward pass with stride and padding fixed."""
    return lambda *arrays: forward(*arrays, stride=stride, padding=padding)


shapes = (2, 3, 7, 5), (4, 3, 3, 2), (4,)
arrays = [rng.standard_normal(shape) for shape in shapes]
report = gradient_check(fixed(conv2d, (2, 1), (1, 1)), conv2d_backward, arrays,
                        rng=rng, names=["x", "weight", "bias"])
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# And [the certificate](../verify/checks.py) of this build:

# %% tags=["remove-input"]
rows = show_certificate("conv2d", folded=True)
double = [row for row in rows if row.dtype == "float64"]
worst_central, worst_exact = max(r.central for r in double), max(r.complex_step for r in double)
worst_torch = max(row.pytorch for row in double)
show(
    certificate_figure(rows),
    name="convolution-certificate",
    alt=(
        f"Relative errors on a logarithmic axis. In float64 the complex step agrees to "
        f"{worst_exact:.0e} and PyTorch to {worst_torch:.0e}; central differences to "
        f"{worst_central:.0e}. In float32 all are larger."
    ),
    caption=(
        "The certificate. What the differences lose, in their row of dots, is their "
        "own rounding, since the two exact witnesses agree to the last digits."
    ),
)

# %% [markdown]
# The layer is linear in each of its arguments, so a difference has no error but rounding, about $10^{-16}/h = 10^{-10}$ with $h = 10^{-6}$, times the size of the numbers that are subtracted. Measured against the largest gradient, as in the certificate, that leaves ${{ power(worst_central) }}$; measured against each element, as in the report above it, small elements look worse. The complex step and PyTorch agree to ${{ power(max(worst_exact, worst_torch)) }}$.
#
# ## Six mistakes, and where each one hides
#
# Each of the mistakes below has a geometry in which it hides: there the result is right, or at least nothing complains. A test that uses no other never finds it.


# %%
def kernel_rotated(dy, cache):
    """Wrong: the flip is in the formula already, and here it is done again."""
    rotated = cache.weight[:, :, ::-1, ::-1]
    return conv2d_backward(dy, cache._replace(weight=rotated))


def cropped_at_corner(dy, cache):
    """Wrong: the padding is cut off at one end only."""
    h, w = cache.x_shape[2:]
    framed = cache._replace(x_shape=cache.cols.shape, padding=(0, 0))
    dx, dweight, dbias = nt.conv2d_loops_backward(dy, framed)
    return dx[:, :, :h, :w], dweight, dbias


def stride_forgotten(dy, cache):
    """Wrong: the windows are put back next to each other."""
    (h, w), (kh, kw), (p, q) = cache.x_shape[2:], cache.weight.shape[2:], cache.padding
    framed = np.zeros_like(cache.cols)
    for n, f, i, j in np.ndindex(dy.shape):
        framed[n, :, i : i + kh, j : j + kw] += dy[n, f, i, j] * cache.weight[f]
    dx = framed[:, :, p : p + h, q : q + w]
    return dx, *nt.conv2d_loops_backward(dy, cache)[1:]


# %%
def copies_not_added(dy, cache):
    """Wrong: += with repeated indices keeps the last copy and drops the others."""
    (n, c, h, w), (p, q), f = cache.x_shape, cache.padding, len(cache.weight)
    framed = np.zeros((n, c, h + 2 * p, w + 2 * q))
    number = np.arange(float(framed.size)).reshape(framed.shape)
    _, numbered = nt.conv2d_im2col(number, cache.weight, np.zeros(f), stride=cache.stride)
    rows = dy.transpose(0, 2, 3, 1).reshape(-1, f) @ cache.weight.reshape(f, -1)
    framed.ravel()[numbered.cols.astype(int)] += rows  # np.add.at would add them
    dx = framed[:, :, p : p + h, q : q + w]
    return dx, *nt.conv2d_im2col_backward(dy, cache)[1:]


def axes_not_swapped(dy, cache):
    """Wrong: filters taken for channels."""
    swapped = cache.weight.swapaxes(0, 1)
    return conv2d_backward(dy, cache._replace(weight=swapped))


def bias_over_batch(dy, cache):
    """Wrong: the bias is added at every pixel, and the sum over pixels is missing."""
    return *conv2d_backward(dy, cache)[:2], dy.sum(0)

# %% [markdown]
# The first four are now run twice: on a geometry that hides the mistake, and on another. The gradient check has to pass them on the first and catch them on the second. The *cosine* is that of the angle between the wrong gradient of the input and the right one, averaged over fifty draws of everything. In the first column of cosines the upstream gradient is white noise. In the second it is smoothed over 3×3 pixels, as neighbouring pixels of a real gradient are often alike.

# %% tags=["remove-input"]
def draw_arrays(c, f, image, kernel):
    """An input, filters and biases of the given sizes."""
    return [rng.standard_normal(shape) for shape in ((2, c, *image), (f, c, *kernel), (f,))]


def caught(backward, forward, arrays, stride, padding):
    """Which gradients the check finds wrong."""
    names = ["dx", "dw", "db"]
    found = gradient_check(fixed(forward, stride, padding), backward, arrays, rng=rng, names=names)
    return [a.name for a in found.arguments if a.max_error > 1e-6]


def cosines(backward, forward, stride, padding, smooth):
    """Of the angle between the gradient of the input and the right one, in fifty draws."""
    found = []
    for _ in range(50):
        arrays = draw_arrays(3, 4, (7, 5), (3, 3))
        out, cache = forward(*arrays, stride=stride, padding=padding)
        right = conv2d(*arrays, stride=stride, padding=padding)[1]
        dy = rng.standard_normal(out.shape)
        if smooth:
            around = np.pad(dy, ((0, 0), (0, 0), (1, 1), (1, 1)))
            dy = sliding_window_view(around, (3, 3), (2, 3)).mean((-2, -1))
        one, other = backward(dy, cache)[0], conv2d_backward(dy, right)[0]
        found.append((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))
    return np.array(found)


# %%
plain = draw_arrays(3, 4, (7, 5), (3, 3))
even = draw_arrays(3, 4, (7, 5), (3, 3))
even[1] += even[1][:, :, ::-1, ::-1].copy()  # the same when rotated
loops, im2col = nt.conv2d_loops, nt.conv2d_im2col
trials = [  # mistake, forward pass, where it hides, where it shows (stride, padding)
    (kernel_rotated, conv2d, "symmetry", (even, 1, 1), (plain, 1, 1)),
    (cropped_at_corner, loops, "no padding", (plain, 1, 0), (plain, 1, 1)),
    (stride_forgotten, loops, "stride 1", (plain, 1, 1), (plain, 2, 1)),
    (copies_not_added, im2col, "stride 3", (plain, 3, 1), (plain, 2, 1)),
]
print("mistake           hides with   white smooth")
angles = {}
for wrong, forward, hiding, hidden, shown in trials:
    assert caught(wrong, forward, *hidden) == []
    assert caught(wrong, forward, *shown) == ["dx"]
    angles[wrong] = [cosines(wrong, forward, *shown[1:], smooth) for smooth in (False, True)]
    white, smooth = (found.mean() for found in angles[wrong])
    print(f"{wrong.__name__:<18}{hiding:<12}{white:6.2f}{smooth:7.2f}")

# %% tags=["remove-cell"]
firsts = np.array([[found.mean() for found in angles[wrong]] for wrong, *_ in trials[:3]])
spread = max(found.std(ddof=1) for wrong, *_ in trials[:3] for found in angles[wrong])
last = min(found.mean() for found in angles[copies_not_added])
assert firsts.min() > -0.1 and firsts.max() < last and last > 0.5

# %% [markdown]
# The first three give the layers below a gradient whose mean cosine lies between {{ firsts.min():.2f}} and {{ firsts.max():.2f}}; from draw to draw it varies with a standard deviation of up to {{ spread:.2f}}. With white noise two of the three are nearly at a right angle to the truth; a smooth gradient gets through in part. The layer's own `dweight` is right all the same, and so are the gradients above it: only the layers below are misled. Whether the loss shows it was not tried. The mean cosine of the fourth is {{ angles[copies_not_added][0].mean():.2f}} with white noise and {{ angles[copies_not_added][1].mean():.2f}} with a smooth gradient.
#
# The Gaussian and the Laplace kernel are symmetric: with them, a gradient with its kernel rotated the wrong way is *right*. Sobel kernels change sign when rotated, so there every gradient of the input would have the wrong sign.
#
# The fourth deserves a second look, since it is written with a `+=`. In NumPy, `a[index] += values` reads, adds and writes once for each place, so an index that comes up four times gets one of its four values. Where windows do not overlap, no index comes up twice.
#
# The last two show in the shapes, each with one exception:

# %%
square = draw_arrays(3, 3, (7, 5), (3, 3))  # as many filters as channels
for arrays, name in ((plain, "C ≠ F"), (square, "C = F")):
    try:
        wrong = caught(axes_not_swapped, conv2d, arrays, 1, 0)
        print(f"axes, {name}: runs, wrong in", *wrong)
    except ValueError as error:
        print(f"axes, {name}: {type(error).__name__}")
assert wrong == ["dx"]

out, cache = conv2d(*square)  # three filters, and three columns in the output
step = bias_over_batch(np.ones_like(out), cache)[2]
print("bias", square[2].shape, "becomes", (square[2] - step).shape)
assert out.shape[3] == len(square[2]) and (square[2] - step).shape == (3, 5, 3)

# %% tags=["remove-input"]
certified = [THEORIES["conv2d"].sample(np.random.default_rng(i), i) for i in range(SHAPES)]
assert all(v["X"].shape[1] != len(v["b"]) for v in certified)
assert max(v["s"] for v in certified) > 1 and max(v["p"] for v in certified) > 0
dots = draw_arrays(3, 4, (5, 4), (1, 1))
assert caught(kernel_rotated, conv2d, dots, 1, 0) == []
assert caught(copies_not_added, im2col, dots, 1, 0) == []

# %% [markdown]
# With as many channels as filters the swapped weights fit, and nothing complains but the gradient check. And if the bias's gradient has kept its pixels and you write `bias = bias - step`, the bias is silently broadcast where the number of filters equals the width of the output: it is now an image. **The moral: check with sizes that are all different, a stride above 1, some padding, and a kernel without symmetry.** The {{ SHAPES }} geometries of our certificate all have $C \ne F$ and random kernels, and between them strides up to {{ max(v["s"] for v in certified) }} and padding.
#
# ## Move the picture and the map moves along
#
# Because the weights are the same everywhere, a pattern that moves one pixel to the right gives the same response, one pixel to the right. This is **translation equivariance**. It has two limits. Put random numbers through a random kernel of 5×5, with a padding of 2; move them by one pixel, once before the convolution and once after it (what leaves at one end comes back at the other). With stride 1, the results differ in some of the 12 columns, counted from 0:


# %% tags=["remove-input"]
def disagree(move, stride):
    """Where moving first and moving last differ; what leaves comes in opposite."""
    def f(image):
        return conv2d(image, tilted, np.zeros(1), stride=stride, padding=2)[0]

    moved_first = f(np.roll(noise, move, axis=3))
    moved_last = np.roll(f(noise), move // stride, axis=3)
    return np.abs(moved_first - moved_last)[0, 0] > 1e-9


noise = rng.standard_normal((1, 1, 12, 12))
tilted = rng.standard_normal((1, 1, 5, 5))
moved = disagree(move=1, stride=1)
print("columns that differ:", *np.flatnonzero(moved.any(0)))
between = disagree(move=1, stride=2).mean()
assert moved.any() and not moved[:, 3:-2].any()
assert between == 1 and not disagree(move=2, stride=2)[:, 2:-1].any()

# %% [markdown]
# In the middle the two agree. Near the border the windows see padding instead of pixels, and it matters which side you are on: {{ int(moved.any(0).sum()) }} of the 12 columns differ. And with a stride of 2, a move by *one* pixel lands between the samples: {{ between:.0%}} of the outputs differ. Moved by two, those away from the border agree. Networks with strides are therefore less steady under small moves than you might think ([@zhang2019]).
#
# ## How far does an output see?
#
# One output of one layer sees $k$ pixels of the layer below. Stack layers, and it sees further. What an output of layer $\ell$ sees of the image is its **receptive field**; let $R_\ell$ be its width, and $\Delta_\ell$ the distance, in pixels of the image, between the fields of two neighbouring outputs: the *jump*. Going up one layer, an output looks at $k_\ell$ neighbours. The first of them sees $R_{\ell-1}$ pixels, and each further one adds a jump.
#
# $$\begin{aligned} R_\ell &= R_{\ell-1} + (k_\ell - 1)\, \Delta_{\ell-1}, & R_0 &= 1\\ \Delta_\ell &= s_\ell\, \Delta_{\ell-1}, & \Delta_0 &= 1\end{aligned}$$
#
# A gradient can measure it: send a single 1 back from one output, and see which pixels it reaches. The layers are those of [`small_cnn`](../networks/cnn.py), without the ReLUs, which look at one pixel each. A max-pooling passes a gradient to its winner only, so we take all pixels that are reached for any of 200 random images.

# %%
stack = [nt.Conv2d(1, 8, 5, padding=2, rng=rng), nt.MaxPool2d(2),
         nt.Conv2d(8, 16, 3, padding=1, rng=rng), nt.MaxPool2d(2)]
kernel_and_stride = [(5, 1), (2, 2), (3, 1), (2, 2)]
many = rng.standard_normal((200, 1, 28, 28)).astype(np.float32)
field, jump, reached = 1, 1, []
for depth, (k, s) in enumerate(kernel_and_stride, 1):
    field, jump = field + (k - 1) * jump, s * jump
    net = nt.Sequential(*stack[:depth])
    out, cache = net.forward(many)
    single = np.zeros_like(out)
    single[:, 0, out.shape[2] // 2, out.shape[3] // 2] = 1
    area = (net.backward(single, cache)[0] != 0).any((0, 1))
    down, across = area.any(1).sum(), area.any(0).sum()
    print(f"layer {depth}: R = {field}, seen {down}×{across}, jump {jump}")
    assert down == across == field and area.sum() == field**2  # a full square
    reached.append(area)

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(4.6, 5.0))
labels_ = ["conv 5×5", "+ pool 2×2", "+ conv 3×3", "+ pool 2×2"]
for ax, area, label in zip(axes.flat, reached, labels_, strict=True):
    top, left, side = area.any(1).argmax(), area.any(0).argmax(), int(area.any(0).sum())
    ax.add_patch(Rectangle((left, top), side, side, facecolor=COLORS["blue"], alpha=0.6))
    ax.add_patch(Rectangle((0, 0), 28, 28, fill=False, edgecolor=COLORS["muted"]))
    ax.set(xlim=(-0.5, 28.5), ylim=(28.5, -0.5), aspect="equal")
    ax.set_title(f"{label}: sees {side}×{side}", fontsize=9.5, fontweight="normal")
    ax.axis("off")
show(
    fig,
    name="receptive-fields",
    alt=(
        "Four frames of 28 by 28 pixels, each with a filled square: the pixels that one output "
        "sees. Its side grows from layer to layer: "
        + ", ".join(str(int(area.any(0).sum())) for area in reached) + " pixels."
    ),
    caption=(
        "The pixels that the gradient of one output reaches, after one layer, two, three and four. "
        "The 3×3 convolution adds more than 2, since its steps are two pixels wide."
    ),
)

# %% [markdown]
# ### Seeing is not looking
#
# That is how far an output *can* see. Does it look everywhere alike? A pixel at the edge of the field reaches the output along few paths, one in the middle along very many. Luo, Li, Urtasun and Zemel (2016) predict that with random weights the square of the gradient has the shape of a bell. Here is why, for layers with nothing between them. The gradient of a pixel is a sum over paths, each the product of the weights on its way. Square it and take the mean over random weights of mean 0. Two different paths differ in a weight, so the mean of their product is 0; a path with itself gives the product of the variances, one from each layer and the same for all paths. So the expected square counts the *paths* that lead to a pixel. Each layer lets a path step to one of $k$ neighbours, and after $\ell$ layers its end is spread like a sum of $\ell$ dice with $k$ sides. One such die has the variance $(k^2 - 1)/12$, and variances add:
#
# $$\text{standard deviation} = \sqrt{\ell\,\frac{k^2 - 1}{12}}$$
#
# A sum of many dice is nearly a bell curve. The field $R_\ell = \ell\,(k - 1) + 1$ grows like $\ell$, the part in use only like $\sqrt \ell$. We measure it with 25 seeds, eight channels and $k = 3$, with a ReLU between the layers and without:

# %% tags=["remove-input"]
depths, effective_seeds = [2, 5, 10, 20], range(25)


def squares(depth, seed, bend):
    """The squared gradient of one output in the middle, over the pixels of the input."""
    draw = np.random.default_rng([depth, seed])
    layers = []
    for level in range(depth):
        layers.append(nt.Conv2d(8 if level else 1, 8, 3, padding=1, rng=draw, dtype=np.float64))
        layers += [nt.ReLU()] if bend and level < depth - 1 else []
    net = nt.Sequential(*layers)
    out, cache = net.forward(draw.standard_normal((1, 1, 2 * depth + 1, 2 * depth + 1)))
    single = np.zeros_like(out)
    single[0, :, depth, depth] = draw.standard_normal(8)
    g = net.backward(single, cache)[0][0, 0] ** 2
    return g / g.sum()


def spread_of(g):
    """Standard deviation along one axis, both axes averaged, in pixels."""
    at = np.arange(len(g)) - len(g) // 2
    return np.sqrt((g.sum(0) @ at**2 + g.sum(1) @ at**2) / 2)


bell = {bend: {d: np.array([squares(d, seed, bend) for seed in effective_seeds]) for d in depths}
        for bend in (False, True)}
widths = {bend: np.array([[spread_of(g) for g in bell[bend][d]] for d in depths])
          for bend in bell}
predicted = np.sqrt(np.array(depths) * (3**2 - 1) / 12)

# %% tags=["remove-input"]
fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 6.0))
for d, color, style in ((5, "green", ":"), (20, "blue", "-")):
    mean = bell[True][d].mean(0)
    at = np.arange(2 * d + 1) - d
    box_sum = np.ones(1)
    for _ in range(d):
        box_sum = np.convolve(box_sum, np.full(3, 1 / 3))
    upper.plot(at, box_sum, "--", color=COLORS["muted"], linewidth=1.1)
    profile = (mean.sum(0) + mean.sum(1)) / 2
    upper.plot(at, profile, style, color=COLORS[color])
    upper.axvspan(-d - 0.5, d + 0.5, color=COLORS[color], alpha=0.08, linewidth=0)
    upper.text(*((2.9, 0.17) if d == 5 else (6.5, 0.055)), f"{d} layers", color=COLORS[color])
upper.set(title="A bell in a wide field", xlabel="distance from the middle (pixels)",
          ylabel="share of squared gradient")
line_depths = np.linspace(0, 21, 100)
lower.plot(line_depths, np.sqrt(line_depths * 8 / 12), "--", color=COLORS["muted"])
for bend, color, marker, shift in ((False, "blue", "o", -0.2), (True, "orange", "s", 0.2)):
    for column in widths[bend].T:
        lower.plot(np.array(depths) + shift, column, marker, color=COLORS[color], markersize=4,
                   alpha=0.5)
lower.text(11.6, 2.0, "without ReLU", color=COLORS["blue"])
lower.text(11.6, 1.5, "with ReLU", color=COLORS["orange"])
lower.text(12.5, 3.25, "predicted", color=COLORS["muted"], ha="right")
lower.set(title="It widens like a square root", xlabel="number of layers", ylabel="standard deviation (px)",
          xlim=(0, 21.5), ylim=(0, None), xticks=depths)
fig.get_layout_engine().set(hspace=0.07)
gap = {bend: np.abs(widths[bend].mean(1) / predicted - 1) for bend in widths}
inner = bell[True][20].mean(0)[10:31, 10:31].sum()
show(
    fig,
    name="effective-field",
    alt=(
        "Above, two bell curves, of 5 and of 20 layers, inside shaded bands of 11 and 41 pixels, "
        "of which the wider curve fills about half. Below, the standard deviation over the number "
        f"of layers: from {widths[True][0].mean():.1f} pixels at 2 layers to "
        f"{widths[True][-1].mean():.1f} at 20, along the predicted square root."
    ),
    caption=(
        "Above, with ReLU, the mean of 25 seeds, and dashed the prediction; the shaded bands are the "
        "receptive fields. The blue curve stays far from the edges of its band: half of the field "
        "is hardly used. Below, each mark is a network."
    ),
)
assert gap[False].max() < 0.1 and gap[True].max() < 0.1 and inner > 0.9

# %% [markdown]
# The mean width differs from the prediction by {{ gap[False].max():.0%}} at most without a ReLU, and by {{ gap[True].max():.0%}} with one, for which the argument above is no proof. After 20 layers, the middle 21×21 pixels, about a quarter of the field, hold {{ inner:.0%}} of the squared gradient. All of that is for *random* weights; training changes it, and Luo and others report that the part in use grows.
#
# ## Does the neighbourhood matter?
#
# **The question.** A convolutional network assumes that neighbours belong together, and that a pattern may appear anywhere. Are these assumptions what makes it good?
#
# **A prediction.** Shuffle the pixels of all digits by one fixed permutation. For an MLP nothing changes, as we saw. For the convolution the windows now hold strangers, so its accuracy should fall, and below the MLP's. On the images as they are it should beat an MLP of the same number of weights. And if the *test* images are moved by one pixel to the left or right, it should suffer less.

# %% tags=["hide-input"]
data = nt.digits(sizes=(1000, 297, 500), seed=SEED)
rates, seeds = [0.01, 0.03, 0.1, 0.3], range(5)


def build(kind, draw):
    """Two networks with about the same number of weights."""
    if kind == "mlp":
        return nt.Sequential(nt.Flatten(), *nt.mlp(64, [25], 10, rng=draw).layers)
    return nt.Sequential(
        nt.Conv2d(1, 8, 3, padding=1, rng=draw), nt.ReLU(), nt.MaxPool2d(2),
        nt.Conv2d(8, 16, 3, padding=1, rng=draw), nt.ReLU(), nt.MaxPool2d(2),
        nt.Flatten(), nt.Linear(64, 10, rng=draw))


def shifted(images, by):
    """Move images one pixel sideways; what leaves is lost, what enters is 0."""
    moved = np.roll(images, by, axis=3)
    moved[..., 0 if by > 0 else -1] = 0
    return moved


def view(images, seed, shuffle):
    """The images, or their pixels in an order that the seed has drawn."""
    order = np.random.default_rng([seed, 64]).permutation(64) if shuffle else np.arange(64)
    return np.ascontiguousarray(images.reshape(-1, 64)[:, order].reshape(images.shape))


def measured(net, seed, shuffle):
    """Accuracy on validation, test and moved test images."""
    score = [nt.evaluate(net, view(images, seed, shuffle), labels)[1] for images, labels in (
        (data.x_val, data.y_val), (data.x_test, data.y_test),
        (shifted(data.x_test, -1), data.y_test), (shifted(data.x_test, 1), data.y_test))]
    return score[0], score[1], (score[2] + score[3]) / 2


def run(kind, shuffle):
    """Train a network for each rate and seed, side by side."""
    pairs = [(rate, seed) for rate in rates for seed in seeds]
    draws = [np.random.default_rng(seed) for _, seed in pairs]
    nets = [build(kind, draw) for draw in draws]
    nt.fit_many(nets, [(view(data.x_train, seed, shuffle), data.y_train) for _, seed in pairs],
                epochs=20, batch_size=32, rngs=draws,
                optimizer=partial(nt.SGD, momentum=0.9), lr=[rate for rate, _ in pairs])
    found = [measured(net, seed, shuffle) for net, (_, seed) in zip(nets, pairs, strict=True)]
    return np.reshape(found, (len(rates), len(seeds), -1))


cells = [("cnn", False), ("mlp", False), ("cnn", True), ("mlp", True)]
runs = {cell: run(*cell) for cell in cells}  # rate, seed, (validation, test, moved)
best = {cell: found[..., 0].mean(1).argmax() for cell, found in runs.items()}
scores = {cell: 100 * found[best[cell], :, 1:] for cell, found in runs.items()}
at_best = {cell: rates[at] for cell, at in best.items()}

# %% tags=["remove-input"]
weights = {kind: sum(p.size for p in build(kind, np.random.default_rng(0)).params.values())
           for kind in ("cnn", "mlp")}
lost = data.x_test[..., [0, -1]].sum() / data.x_test.sum() / 2
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.2), height_ratios=[1, 1])
for ax, which, title in ((axes[0], 0, "Test images where they were"),
                         (axes[1], 1, "Test images moved by one pixel")):
    for place_, (cell, found) in enumerate(scores.items()):
        color, marker = ("blue", "o") if cell[0] == "cnn" else ("orange", "s")
        y_at = 3 - place_
        ax.plot(found[:, which], y_at + np.linspace(-0.16, 0.16, 5), marker, color=COLORS[color],
                markersize=5, alpha=0.6)
        ax.plot([found[:, which].mean()] * 2, [y_at - 0.32, y_at + 0.32], color=COLORS[color])
    ax.set(title=title, yticks=range(4), ylim=(-0.5, 3.5))
    ax.set_yticks([3, 2, 1, 0], ["convolution", "MLP", "convolution,\nshuffled", "MLP,\nshuffled"])
axes[1].set_xlabel("accuracy (%)")
fig.get_layout_engine().set(hspace=0.07)
means = {cell: found.mean(0) for cell, found in scores.items()}
show(
    fig,
    name="shuffled",
    alt=(
        "Test accuracy of five seeds for four cases, twice. Where they were: convolution "
        f"{means[cells[0]][0]:.1f}, MLP {means[cells[1]][0]:.1f}, shuffled convolution "
        f"{means[cells[2]][0]:.1f}, shuffled MLP {means[cells[3]][0]:.1f} percent. Moved by one "
        f"pixel: {means[cells[0]][1]:.0f}, {means[cells[1]][1]:.0f}, {means[cells[2]][1]:.0f} and "
        f"{means[cells[3]][1]:.0f} percent."
    ),
    caption=(
        "Each mark is a seed, each bar a mean; the two scales differ. Above, all four are close. "
        "Below, one pixel to the side costs all four dearly, and the convolution on real images "
        "the least."
    ),
)


# %% tags=["remove-input"]
real, mlp_real, mixed, mlp_mixed = (scores[cell] for cell in cells)
ahead = (real - mlp_real).mean(0)[0]
from_seed = real[:, 0].std(ddof=1)
fell, behind = (real - mixed).mean(0)[0], (mlp_mixed - mixed).mean(0)[0]
changed = abs((mlp_real - mlp_mixed).mean(0)[0])
assert all(0 < at < len(rates) - 1 for at in best.values())
assert abs(ahead) < 2 * from_seed and changed < 1
assert fell > 0.5 and behind > 0.5
assert real[:, 1].min() > max(mlp_real[:, 1].max(), mlp_mixed[:, 1].max())
assert mixed[:, 1].mean() < min(mlp_real[:, 1].mean(), mlp_mixed[:, 1].mean()) - 2

# %% [markdown]
# Both networks have about the same number of weights, {{ weights["cnn"]:,}} and {{ weights["mlp"]:,}}, 1,000 images to train on, the best of four learning rates (on the validation images) and five seeds, each with a permutation of its own. The chosen rates are {{ at_best["cnn", False] }} for the convolution and {{ at_best["mlp", False] }} for the MLP, shuffled {{ at_best["cnn", True] }} and {{ at_best["mlp", True] }}, none of them the smallest or the largest that was tried.
#
# **The verdict.** The part of the prediction that seemed safest does not show. On the images as they are, the convolution reaches {{ means[cells[0]][0]:.1f}}% and the MLP {{ means[cells[1]][0]:.1f}}%, and the seeds of the former alone scatter by {{ from_seed:.1f}} points (standard deviation): too much to claim a difference. The rest holds. Shuffled, the MLP stays where it was, to within {{ changed:.1f}} points; the convolution has lost {{ fell:.1f}} and lies {{ behind:.1f}} below the MLP. It still reads {{ means[cells[2]][0]:.0f}}% of pictures that look like noise.
#
# The lower plot shows what the assumptions buy. Move the images one pixel to the side, which loses {{ lost:.1%}} of the ink, and the MLP falls to {{ means[cells[1]][1]:.0f}}%. The convolution keeps {{ means[cells[0]][1]:.0f}}%, with each of its seeds above each of the MLP's. The same network on shuffled images, where its windows hold strangers, keeps {{ means[cells[2]][1]:.0f}}%, less than the MLP. So it is the neighbourhood that helps, and not the layer as such.
#
# **What this does not show.** These digits were normalised in size and place by those who prepared them, which spares an MLP the very thing that it is bad at; photographs are not so kind. Only the test images were moved: a network that sees moved images in training may learn to cope with them, and this was not tried. And {{ means[cells[0]][1]:.0f}}% is poor as well. Moving *along* is not staying the *same*: the last layer reads the maps at fixed places, and has never seen them moved. [Pooling](pooling.py) is the next thing to look at.
#
# ## In five lines
#
# - One small kernel is laid over every window of the image: multiply, add up, add the bias.
# - Backward, each output lays the kernel down at its window, times its upstream gradient; where windows overlap, add.
# - Seen from a pixel the kernel comes back rotated by 180°, and the gradient is a convolution too.
# - It is a matrix product after all: `im2col` writes the windows as rows, at the price of memory.
# - Equal weights everywhere mean that a pattern that moves one pixel moves its answer one pixel.
#
# ## Try it
#
# ??? question "1. An image of 32×32, a kernel of 5×5, padding 2. How large is the output with stride 1, and with stride 2?"
#     32 + 4 − 5 = 31, so 31 + 1 = 32 with stride 1, and 15 + 1 = 16 with stride 2.
#
# ??? question "2. With a pencil: $x = (1, 2, 3)$, $w = (1, -1)$, and the upstream gradient is $(2, 1)$. What are $y$, $\partial L/\partial x$ and $\partial L/\partial w$?"
#     $y = (-1, -1)$. Lay the kernel down twice: $(2, -2, 0) + (0, 1, -1) = (2, -1, -1)$. And $\partial L/\partial w = (2 \cdot 1 + 1 \cdot 2,\; 2 \cdot 2 + 1 \cdot 3) = (4, 7)$.
#
# ??? question "3. What is a convolution with a kernel of 1×1?"
#     A [linear layer](linear.py) over the channels, the same at every pixel. Its windows do not overlap, rotating its kernel changes nothing, and so the first and the fourth of the mistakes above hide in it.
#
# ??? question "4. Two layers of 3×3 see as far as one of 5×5. Which has more weights, and can each do what the other does?"
#     With $C$ channels throughout, $18\,C^2$ against $25\,C^2$. With nothing between the two, they are one 5×5 convolution (away from the border), but not every one: $18\,C^2$ numbers cannot make all choices of $25\,C^2$. With a [ReLU](relu.py) between them they can do what no single convolution can.
#
# ??? question "5. For the notebook: run the experiment with 200 training images. Write down first what you expect."
#     `digits(sizes=(200, 297, 500))`, and three times the epochs. One would think that an assumption is worth more where there is less to learn from. See which gap opens: that between the convolution and the MLP on real images, or that between the convolution on real images and on shuffled ones.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("conv2d", "conv2d_backward")

# %% [markdown]
# ## Sources
#
# - Fukushima (1980), *Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition unaffected by shift in position*, Biological Cybernetics: local windows with shared weights.
# - LeCun, Boser, Denker, Henderson, Howard, Hubbard and Jackel (1989), *Backpropagation applied to handwritten zip code recognition*, Neural Computation: trained by gradient.
# - Chellapilla, Puri and Simard (2006), *High performance convolutional neural networks for document processing*, International Workshop on Frontiers in Handwriting Recognition: im2col.
# - Dumoulin and Visin (2016), *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285: sizes, and the transposed convolution.
# - Luo, Li, Urtasun and Zemel (2016), *Understanding the effective receptive field in deep convolutional neural networks*, NIPS.
# - Cho and Brand (2017), *MEC: memory-efficient convolution for deep neural network*, ICML.
# - Zhang (2019), *Making convolutional networks shift-invariant again*, ICML: what strides do to small moves.
