# ---
# title: einsum
# description: One rule reads every sum of products from its letters, the gradient is an einsum again, and the memory decides how it rounds, not the string.
# tags:
#   - foundations
# ---

# %% [markdown]
# # einsum
#
# A trace, a matrix product, a batch of products, the gradient of a layer: each is a sum of products, and each comes with a function of its own and with transposes to get wrong. `np.einsum` writes all of them as one short string, copied from the indices of the equation. You will learn to read any such string and to write one, to get its gradient by moving a few letters, and to tell when it is slow and when it loses digits.
#
# You need [the symbols of this book](notation.md); the section on gradients uses [the chain rule](chain_rule.py).

# %% tags=["hide-input"]
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from numpy.lib.stride_tricks import sliding_window_view

from nn_tutorial import (
    GradientError,
    conv2d,
    conv2d_backward,
    digits,
    gradient_check,
    linear,
    linear_backward,
)
from nn_tutorial.pages.show import show_equations
from nn_tutorial.verify.equations import Derivation
from nn_tutorial.verify.gradient_check import relative_error
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid
from nn_tutorial.verify.theories import THEORIES

SEED = 0
use_style()
rng = np.random.default_rng(SEED)
FATE = {"i": "blue", "j": "orange", "k": "green"}


def lettered(ax, values, letters, title, lit, color):
    """A grid of numbers with a letter along each axis; all have room for three rows."""
    rows, columns = np.shape(values)
    highlight = np.zeros((rows, columns), bool)
    highlight[lit] = True
    value_grid(ax, values, title=title, highlight=highlight, color=color)
    for x, y, letter, arrow in ((-0.42, rows / 2, letters[0], "\n↓"),
                                (columns / 2, rows + 0.4, letters[1], " →")):
        ax.text(x, y, letter + arrow, ha="center", va="center", fontsize=12, fontweight="bold",
                color=COLORS[FATE[letter]])
    ax.set(xlim=(-0.75, columns + 0.05), ylim=(3.75, -0.05))


def string_on_top(fig, string, reading):
    """The string, each letter in its colour, and how it is read."""
    for place, sign in enumerate(string):
        fig.text(0.5 + 0.045 * (place - len(string) / 2 + 0.5), 0.93, sign, ha="center",
                 fontsize=17, fontweight="bold", family="monospace",
                 color=COLORS[FATE.get(sign, "muted")])
    fig.text(0.5, 0.84, reading, ha="center", fontsize=10)


a = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 4.0]])
b = np.array([[2.0, 1.0], [0.0, 5.0], [1.0, -2.0]])
y = np.einsum("ij,jk->ik", a, b)

fig, axes = plt.subplots(1, 3, figsize=(5.0, 3.3), width_ratios=[3.8, 2.8, 2.8])
fig.get_layout_engine().set(rect=(0, 0, 1, 0.8))
lettered(axes[0], a, "ij", "A", np.s_[0], "orange")
lettered(axes[1], b, "jk", "B", np.s_[:, 1], "orange")
lettered(axes[2], y, "ik", "Y", np.s_[0, 1], "blue")
string_on_top(fig, "ij,jk->ik", "i and k stand after the arrow: kept.  j does not: summed.")
show(
    fig,
    name="rule",
    alt=(
        "The string ij,jk->ik above three grids of numbers. A has rows i and columns j, B has "
        "rows j and columns k, Y has rows i and columns k. The first row of A, 1 2 0, and the "
        "second column of B, 1 5 −2, are tinted, and so is the 11 in Y that they give."
    ),
    caption=(
        "A letter names an axis. The letter $j$ runs along the tinted row of $A$ and down the "
        "tinted column of $B$ in step, $1 \\cdot 1 + 2 \\cdot 5 + 0 \\cdot (-2) = 11$."
    ),
)

# %% [markdown]
# ## One letter for each axis
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $A$ | `a` | $(I, J)$ | first operand, letters $ij$ |
# | $B$ | `b` | $(J, K)$ | second operand, letters $jk$ |
# | $Y$ | `y` | $(I, K)$ | result, letters $ik$ |
# | $\partial L/\partial Y$ | `dy` | that of $Y$ | the upstream gradient |
# | $\partial L/\partial A$, $\partial L/\partial B$ | `da`, `db` | those of $A$, $B$ | what is passed on |
#
# The letters of each operand come before the arrow, one for each axis, with commas between the operands. The letters of the result come after it. There is one rule, in three parts:
#
# 1. **The same letter is the same index**, wherever it stands. So the axes that share a letter must have the same size.
# 2. Entries that meet are **multiplied**.
# 3. A letter that is missing after the arrow is **summed** over.
#
# Albert Einstein left out the summation signs of his equations, because the indices already say where they belong ([@einstein1916]). His rule sums over what appears twice. The arrow leaves the choice to you, and the string leaves out everything but the indices.
#
# ## The rule as loops
#
# The rule fits into a dozen lines of Python. One loop runs over *all* letters at once, kept or summed. Its body multiplies one entry of each operand, and adds the product where the output's letters say:


# %%
def einsum_loops(string, *arrays):
    """What the string means: the rule and nothing else."""
    inputs, output = string.split("->")
    operands = inputs.split(",")
    size = {}
    for letters, array in zip(operands, arrays, strict=True):
        size |= dict(zip(letters, array.shape, strict=True))
    y = np.zeros([size[letter] for letter in output])
    for place in np.ndindex(*size.values()):
        at = dict(zip(size, place, strict=True))
        product = 1.0
        for letters, array in zip(operands, arrays, strict=True):
            product *= array[tuple(at[letter] for letter in letters)]
        y[tuple(at[letter] for letter in output)] += product
    return y


# %% [markdown]
# Everything else on this page follows from that `+=`. It is slow, but it is the definition, so `np.einsum` is compared with it. The strings are drawn at random: up to three operands of up to three axes, letters repeated at will, any letters kept, in any order. The four sizes are different primes, so that two axes that get mixed up cannot fit by accident.


# %%
def random_case(rng):
    """A string, and arrays that fit it."""
    size = {"i": 2, "j": 3, "k": 5, "l": 7}
    operands = ["".join(rng.choice([*size], rng.integers(0, 4)))
                for _ in range(rng.integers(1, 4))]
    used = sorted(set("".join(operands)))
    output = "".join(rng.permutation(used)[: rng.integers(0, len(used) + 1)])
    shapes = [tuple(size[letter] for letter in letters) for letters in operands]
    arrays = [np.asarray(rng.standard_normal(shape)) for shape in shapes]
    return f"{','.join(operands)}->{output}", arrays


cases = [random_case(rng) for _ in range(500)]
largest = 0.0
for string, arrays in cases:
    difference = np.einsum(string, *arrays) - einsum_loops(string, *arrays)
    largest = max(largest, float(np.abs(difference).max()))
different = len({string for string, _ in cases})
print(f"{different} strings, largest difference {largest:.0e}")
for string in sorted({string for string, _ in cases}, key=len)[-3:]:
    print("among them", string)
assert different > 300 and largest < 1e-12

# %% [markdown]
# ## Four numbers by hand, and back
#
# [](#rule) is a matrix product, $y_{ik} = \sum_j a_{ij} b_{jk}$:
#
# $$A = \begin{bmatrix}1 & 2 & 0\\ 3 & -1 & 4\end{bmatrix}, \quad
#   B = \begin{bmatrix}2 & 1\\ 0 & 5\\ 1 & -2\end{bmatrix}$$
#
# $$Y = \begin{bmatrix}2 & 11\\ 10 & -10\end{bmatrix}$$
#
# The last number of $Y$: along the second row of $A$ and down the second column of $B$, $3 \cdot 1 - 1 \cdot 5 + 4 \cdot (-2) = -10$.
#
# **Backward.** A gradient arrives for each number of $Y$. The result is below, and the section on gradients says why: for $A$ it is the einsum `ik,jk->ij` of the upstream gradient and $B$, for $B$ it is `ij,ik->jk`.
#
# $$\frac{\partial L}{\partial Y} = \begin{bmatrix}1 & 0\\ -1 & 2\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial A} = \begin{bmatrix}2 & 0 & 1\\ 0 & 10 & -5\end{bmatrix}, \quad
#   \frac{\partial L}{\partial B} = \begin{bmatrix}-2 & 6\\ 3 & -2\\ -4 & 8\end{bmatrix}$$

# %%
dy = np.array([[1.0, 0.0], [-1.0, 2.0]])
da = np.einsum("ik,jk->ij", dy, b)
db = np.einsum("ij,ik->jk", a, dy)

assert (y == [[2, 11], [10, -10]]).all()
assert (y == einsum_loops("ij,jk->ik", a, b)).all()
assert (da == [[2, 0, 1], [0, 10, -5]]).all()
assert (db == [[-2, 6], [3, -2], [-4, 8]]).all()

# %% [markdown]
# ## Three to begin with, each against two others
#
# A **trace** sums the diagonal: one operand, one letter twice, nothing after the arrow, `ii->`. The **matrix product** you know by now. A **batch of products** has one more letter, $n$, for the example; it stands in both operands and in the result, so each example is multiplied with its own partner: `nij,njk->nik`. The first number after each is the norm of the difference from NumPy's own function, the second from the loops.

# %%
draw = rng.standard_normal
square, left, right = draw((7, 7)), draw((5, 3)), draw((3, 7))
lefts, rights = draw((11, 5, 3)), draw((11, 3, 7))
tasks = {
    "trace": ("ii->", [square], np.trace(square)),
    "matrix product": ("ij,jk->ik", [left, right], left @ right),
    "batched product": ("nij,njk->nik", [lefts, rights], lefts @ rights),
}
for name, (string, arrays, numpys) in tasks.items():
    found, loops = np.einsum(string, *arrays), einsum_loops(string, *arrays)
    apart = [np.linalg.norm(found - other) for other in (numpys, loops)]
    print(f"{name:<16}{string:<12} {apart[0]:.0e} {apart[1]:.0e}")
    assert max(apart) < 1e-13

# %% [markdown]
# They agree to rounding, and rounding is all that can differ: the same products are added in another order. How much that matters is the last question of this chapter.
#
# ## Which cells does a string touch?
#
# With one operand there is nothing to multiply. Then a string only says which cells are visited, which are added up, and where the sums go.

# %% tags=["remove-input"]
grid = np.arange(1, 10).reshape(3, 3)
rows, columns = np.indices((3, 3))
panels = [
    ("ij->", "total", rows >= 0),
    ("ij->i", "row sums", rows == 0),
    ("ij->j", "column sums", columns == 0),
    ("ii->", "trace", rows == columns),
    ("ii->i", "diagonal", (rows == 0) & (columns == 0)),
    ("ij->ji", "transpose", columns == 0),
]
fig, axes = plt.subplots(2, 3, figsize=(4.8, 4.3))
for ax, (string, name, lit) in zip(axes.flat, panels, strict=True):
    value_grid(ax, grid, highlight=lit)
    ax.set_title(string, family="monospace", fontsize=12)
    found = np.einsum(string, grid)
    first = found if found.ndim < 2 else found[0]
    text = str(first.tolist())
    ax.text(1.5, 3.45, name, ha="center", va="center")
    ax.text(1.5, 4.0, text + (", …" if found.ndim == 2 else ""), ha="center", va="center",
            color=COLORS["blue"], fontweight="bold")
    ax.set_ylim(4.3, -0.03)
show(
    fig,
    name="cells",
    alt=(
        "The matrix of the numbers 1 to 9 six times, each with a string above and the result "
        "below: total 45; row sums 6, 15, 24; column sums 12, 15, 18; trace 15; diagonal 1, 5, 9; "
        "transpose, whose first row is 1, 4, 7. The cells behind the first number or row of each "
        "result are tinted."
    ),
    caption=(
        "Six strings on one matrix. The tinted cells give the first number of the result (for the "
        "transpose, its first row). In the lower left pair, a letter that repeats visits "
        "the diagonal alone, and the arrow decides whether it is summed."
    ),
)
assert np.einsum("ij->", grid) == 45 and np.einsum("ii->", grid) == 15

# %% [markdown]
# With several operands the same few moves go a long way through linear algebra. Each line is compared with NumPy's own way of writing it:

# %%
u, v, w = draw(5), draw(7), draw((5, 7))
books = {
    "inner product": ("i,i->", (u, u), u @ u),
    "outer product": ("i,j->ij", (u, v), np.outer(u, v)),
    "element by element": ("ij,ij->ij", (w, w), w * w),
    "scale the rows": ("i,ij->ij", (u, w), u[:, None] * w),
    "matrix times vector": ("ij,j->i", (w, v), w @ v),
    "bilinear form": ("i,ij,j->", (u, w, v), u @ w @ v),
    "squared norm of rows": ("ij,ij->i", (w, w), (w**2).sum(axis=1)),
    "transposed product": ("ji,jk->ik", (w, w), w.T @ w),
    "swap two axes": ("nij->nji", (lefts,), lefts.swapaxes(1, 2)),
    "all pairs of rows": ("ij,kj->ik", (w, w), w @ w.T),
}
for name, (string, arrays, numpys) in books.items():
    apart = np.linalg.norm(np.einsum(string, *arrays) - numpys)
    print(f"{name:<22}{string:<13}{apart:.0e}")
    assert apart < 1e-13

# %% [markdown]
# Three dots stand for any number of axes that are kept as they are: `...ij,...jk->...ik` is `@` for a batch of any shape.
#
# ## From the equation to the string
#
# Write the equation with all its indices. The string is what is left when you cross out everything else: the names of the arrays, the equals sign, and even the summation sign, because what is summed is what the left side does not have. A regular expression can do it:


# %%
def to_string(equation):
    """The operands and the einsum string of a sum of products."""
    (_, output), *factors = re.findall(r"(\w+)\[([\w,]+)\]", equation)
    factors = [(name, letters) for name, letters in factors if name != "sum"]
    string = f"{' '.join(letters for _, letters in factors)}->{output}"
    return string.replace(",", "").replace(" ", ","), [name for name, _ in factors]


layer = THEORIES["linear"]
for equation in layer.backward:
    string, names = to_string(equation.text)
    print(f"{equation.text}\n    {string} of {', '.join(names)}")
    assert (string, *names) == layer.einsum[equation.name]

# %% [markdown]
# These are the gradients of [the linear layer](../layers/linear.py) $Y = XW + b$, as [the checks of this book](../verify/checks.py) know them. Unfold them to see what they were compared with: one of the witnesses is the string.

# %% tags=["remove-input"]
show_equations("linear", "dX", "dW", "db")

# %% [markdown]
# Here is the package's code. `ni,nk->ik` sums over the *first* letter of both, so the matrix product needs a transpose on the left. `nk,ik->ni` sums over the *last* of both, so the transpose is on the right. In the string there is nothing to transpose; that is its charm.

# %% tags=["remove-input"]
show_source(linear_backward)

# %%
x, weight = draw((11, 5)), draw((5, 7))
upstream = draw((11, 7))
_, cache = linear(x, weight, draw(7))
dx, dweight, dbias = linear_backward(upstream, cache)
for name, found, theirs in (
    ("dX", np.einsum("nk,ik->ni", upstream, weight), dx),
    ("dW", np.einsum("ni,nk->ik", x, upstream), dweight),
    ("db", np.einsum("nk->k", upstream), dbias),
):
    print(f"{name}: norm of the difference {np.linalg.norm(found - theirs):.0e}")
    assert np.allclose(found, theirs, rtol=0, atol=1e-13)

# %% [markdown]
# **What has no string.** A sum of two terms: the bias is added afterwards. A maximum, an exponential. And an index that is computed, such as the $i + u$ in a convolution:
#
# $$y_{nfij} = \sum_{c,u,v} x_{n,\,c,\,i+u,\,j+v}\; w_{fcuv}$$
#
# ### A convolution is an einsum over windows
#
# Give the offending index an axis of its own. NumPy can *view* the image as an array of windows, $x'_{ncijuv} = x_{n,c,i+u,j+v}$, without copying a pixel; then all indices are letters. The stride is a slice of that view, the padding a frame of zeros around the image.

# %%
images, filters = draw((2, 3, 11, 7)), draw((5, 3, 3, 2))
padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
windows = sliding_window_view(padded, (3, 2), axis=(2, 3))[:, :, ::2, ::2]
maps, conv_cache = conv2d(images, filters, np.zeros(5), stride=2, padding=1)
dmaps = draw(maps.shape)
_, dfilters, _ = conv2d_backward(dmaps, conv_cache)

found = np.einsum("ncijuv,fcuv->nfij", windows, filters)
dfound = np.einsum("ncijuv,nfij->fcuv", windows, dmaps)
for name, ours, theirs in (("output", found, maps), ("filters", dfound, dfilters)):
    print(f"{name}: norm of the difference {np.linalg.norm(ours - theirs):.0e}")
    assert np.allclose(ours, theirs, rtol=0, atol=1e-12)

# %% [markdown]
# The gradient of the filters is an einsum over the same windows: compare the two strings, and you see what the next section is about. (The gradient of the image takes one more step, because windows overlap: [the chapter on convolution](../layers/convolution.py) takes it.)
#
# ## The gradient of an einsum is an einsum
#
# **One product.** $y = ab$ has $\partial L/\partial a = \partial L/\partial y \cdot b$: the upstream gradient, times the *other* factor.
#
# **With indices.** Which outputs does $a_{ij}$ feed? In $y_{pk} = \sum_q a_{pq} b_{qk}$ those of row $p = i$, each with the factor $b_{jk}$. Now take care: $i$ and $j$ are *fixed*, for they say whose gradient we want. The chain rule sums over *all* outputs, so the output needs other letters. With $p$ and $k$:

# %% tags=["remove-input"]
def show_steps(derivation):
    """Show a derivation with its reasons."""
    reasons = (f"{n}. {step.reason}" for n, step in enumerate(derivation.steps, 1))
    display(Markdown(f"$$\n{derivation.latex}\n$$\n\n" + "\n".join(reasons)))


product_rule = Derivation(
    "dA[i,j]",
    ("sum[p,k](dY[p,k] * (p == i) * B[j,k])", "the chain rule over all outputs"),
    ("sum[k](dY[i,k] * B[j,k])", "the bracket keeps $p = i$"),
)
given = {"dY": dy, "B": b}
for value in product_rule.values(given, shape=a.shape):
    assert (value == da).all()
show_steps(product_rule)

# %% [markdown]
# Both lines were evaluated on the matrices above, and give the gradient shown there. Now read off the strings:
#
# | | String | Operands |
# |---|---|---|
# | forward | `ij,jk->ik` | $A$, $B$ |
# | gradient of $A$ | `ik,jk->ij` | $\partial L/\partial Y$, $B$ |
# | gradient of $B$ | `ij,ik->jk` | $A$, $\partial L/\partial Y$ |
#
# The letters of the operand and the letters of the output have changed places. Nothing else happened.
#
# **Any string.** Why does this always work? Go back to the loops. Each time the body runs, it makes *one* product and adds it to one number of the output. For one product you know the gradient: the upstream gradient, times the other factor. An entry of $A$ is used by many of these products, and then [its gradients add](chain_rule.py#where-two-roads-meet-gradients-add). So the backward pass is the same loop with another body:

# %%
y_loop, da_loop, db_loop = np.zeros_like(y), np.zeros_like(a), np.zeros_like(b)
for i, j, k in np.ndindex(2, 3, 2):
    y_loop[i, k] += a[i, j] * b[j, k]
    da_loop[i, j] += dy[i, k] * b[j, k]
    db_loop[j, k] += dy[i, k] * a[i, j]
assert (y_loop == y).all() and (da_loop == da).all() and (db_loop == db).all()

# %% [markdown]
# The visits are the same; what was read is written, and what was written is read. Nothing in this argument asks how many letters there are. Let $s$ be the letters of the operand whose gradient we want, $t$ those of the other operands, $o$ those of the output:
#
# $$\boxed{\;s,\,t \to o \quad\Longrightarrow\quad o,\,t \to s\;}$$
#
# The left string is the forward pass. The right one is the gradient, with $\partial L/\partial Y$ as its first operand. The shapes agree: the result has the letters of $A$, so it has the shape of $A$. ([@laue2020] build a calculus on this rule.)

# %% tags=["remove-input"]
fig, axes = plt.subplots(1, 3, figsize=(5.0, 3.3), width_ratios=[2.8, 2.8, 3.8])
fig.get_layout_engine().set(rect=(0, 0, 1, 0.8))
lettered(axes[0], dy, "ik", "∂L/∂Y", np.s_[1], "green")
lettered(axes[1], b, "jk", "B", np.s_[2], "green")
lettered(axes[2], da, "ij", "∂L/∂A", np.s_[1, 2], "blue")
string_on_top(fig, "ik,jk->ij", "i and j are kept.  k, which was kept before, is summed.")
show(
    fig,
    name="backward",
    alt=(
        "The string ik,jk->ij above three grids. The second row of the arriving gradient, −1 2, "
        "and the third row of B, 1 −2, are tinted, and so is the −5 in the gradient of A that "
        "they give."
    ),
    caption=(
        "The same example backward. The sum now runs along the letter $k$, and so along rows of "
        "both, $-1 \\cdot 1 + 2 \\cdot (-2) = -5$."
    ),
)

# %% [markdown]
# ### Two cases in which the string is refused
#
# The loop has no exceptions. `np.einsum` has two, because it refuses to *write* to some places:
#
# - **A letter that stands in one operand and nowhere else**, as $j$ in `ij->i`. Swapped, the string would be `i->ij`: where should $j$ come from? Each $a_{ij}$ was added once, whatever $j$, so the gradient is repeated along $j$. A vector of ones brings the letter in: `i,j->ij`.
# - **A letter twice in one operand**, as in the trace `ii->`. Swapped: `->ii`, and no output may have a letter twice. Only the diagonal was read, so only the diagonal gets a gradient. Give the second axis a letter of its own, and bring in the identity matrix, which is 1 where the two are equal: `,ij->ij` of the upstream gradient and $\delta_{ij}$.

# %% tags=["remove-input"]
trace_rule = Derivation(
    "dA[i,j]",
    ("sum[p](dY * (p == i) * (p == j))", "the trace reads the entry $p, p$; ours is that one if both of its indices are $p$"),
    ("dY * (i == j)", "the first bracket keeps $p = i$"),
)
values = trace_rule.values({"dY": 2.0, "P": 7}, shape=(7, 7))
for value in values:
    assert (value == 2.0 * np.eye(7)).all()
show_steps(trace_rule)

# %% [markdown]
# With the swap and the two cures, one function gives the gradient of any operand of any string:


# %%
def einsum_gradient(string, dy, arrays, k):
    """The gradient of operand k: swap its letters with the output's."""
    inputs, output = string.split("->")
    operands = inputs.split(",")
    terms = [(output, dy)]
    terms += [(operands[m], arrays[m]) for m in range(len(arrays)) if m != k]
    spare = iter("abcdefgh")
    target = ""
    for letter, size in zip(operands[k], arrays[k].shape, strict=True):
        if letter in target:  # read on the diagonal alone
            fresh = next(spare)
            terms.append((letter + fresh, np.eye(size)))
            letter = fresh
        elif not any(letter in letters for letters, _ in terms):  # summed out alone
            terms.append((letter, np.ones(size)))
        target += letter
    swapped = ",".join(letters for letters, _ in terms) + "->" + target
    return np.einsum(swapped, *(array for _, array in terms))


assert (einsum_gradient("ij,jk->ik", dy, [a, b], 0) == da).all()
assert (einsum_gradient("ij,jk->ik", dy, [a, b], 1) == db).all()

# %% [markdown]
# ### Evidence
#
# Here are the random strings again, each with a random upstream gradient, against two witnesses: central differences of `np.einsum`, and the gradient that PyTorch finds for `torch.einsum`.

# %%
worst = {"differences": 0.0, "PyTorch": 0.0}
checked = 0
for string, arrays in cases[:150]:
    def forward(*operands, string=string):
        return np.einsum(string, *operands), operands

    def backward(dy, operands, string=string):
        each = range(len(operands))
        return [einsum_gradient(string, dy, operands, k) for k in each]

    report = gradient_check(forward, backward, arrays, rng=rng)
    there = [torch.tensor(array, requires_grad=True) for array in arrays]
    theirs = torch.einsum(string, *there)
    arrives = rng.standard_normal(tuple(theirs.shape))
    theirs.backward(torch.as_tensor(arrives))
    for ours, tensor in zip(backward(arrives, arrays), there, strict=True):
        apart = relative_error(np.asarray(ours), tensor.grad.numpy())
        worst["PyTorch"] = max(worst["PyTorch"], apart)
        checked += ours.size
    worst["differences"] = max(worst["differences"], report.max_error)
print(f"{checked:,} slopes; largest relative error")
print(", ".join(f"{witness} {apart:.0e}" for witness, apart in worst.items()))
assert worst["differences"] < 1e-6 and worst["PyTorch"] < 1e-10 and checked > 3000

# %% [markdown]
# Along each single entry an einsum is a straight line, and there a central difference has no error of its own; what is left is rounding, about $10^{-16}$ divided by $h = 10^{-6}$, and more where large terms nearly cancel. PyTorch's gradient is exact to rounding, and so is ours.
#
# ## When the order matters, and `optimize=True`
#
# A string says *what* is summed. It does not say in which order to multiply, and for three operands that decides everything. Take a chain of three square matrices, `ij,jk,kl->il`. By the rule, one loop runs over four letters: $n^4$ visits, each with two multiplications. But $A(BC)$ is two products of two matrices, each of $n^3$ visits with one multiplication.
#
# Without `optimize`, `np.einsum` does what the loops do. With `optimize=True` it looks for a cheap order of pairs first, and a pair that is a matrix product goes to the same fast routine as `@`. Which order is cheap depends on the sizes:


# %%
def visits(string, arrays):
    """How often the body of the loop runs."""
    size = {}
    operands = string.split("->")[0].split(",")
    for letters, array in zip(operands, arrays, strict=True):
        size |= dict(zip(letters, array.shape, strict=True))
    return int(np.prod(list(size.values())))


chain = [draw((101, 3)), draw((3, 103)), draw((103, 5))]
ab, bc = chain[0] @ chain[1], chain[1] @ chain[2]
steps = {
    "all at once": visits("ij,jk,kl->il", chain),
    "(AB)C": visits("ij,jk->ik", chain[:2]) + visits("ik,kl->il", [ab, chain[2]]),
    "A(BC)": visits("jk,kl->jl", chain[1:]) + visits("ij,jl->il", [chain[0], bc]),
}
path, _ = np.einsum_path("ij,jk,kl->il", *chain, optimize=True)
for name, count in steps.items():
    print(f"{name:<12}{count:>8,} visits")
print("optimize=True begins with operands", path[1])
assert path[1] == (1, 2) and steps["A(BC)"] < steps["(AB)C"] < steps["all at once"]
planned = np.einsum("ij,jk->ik", left, right, optimize=True)
assert np.array_equal(planned, left @ right)

# %% [markdown]
# `a @ b @ c` goes from left to right, whatever the sizes: {{ steps["(AB)C"]:,}} visits here, where $A(BC)$ takes {{ steps["A(BC)"]:,}}. (The last line of the cell compares a product of two matrices with `optimize=True` and with `@`: they agree to the last bit.) `np.einsum_path` returns the plan, and `optimize=path` follows one that was made before.
#
# Does it pay? This was recorded on one machine, for a chain of three $n \times n$ matrices in float64:

# %% tags=["remove-input"]
recorded = json.loads(Path("benchmarks/chapters.json").read_text())
record = recorded["einsum"]
sizes = np.array(record["sizes"])
seconds = {way: np.array([entry["seconds"] for entry in record[way]])
           for way in ("plain", "optimised", "matmul")}
peak = {way: record[way][-1]["bytes"] for way in seconds}
gain = seconds["plain"] / seconds["optimised"]
wins = int(np.argmax(gain > 1))  # the first size at which optimising pays
over = seconds["optimised"] / seconds["matmul"]

fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 5.6), sharex=True)
for values, text, color, style in ((2 * sizes**4, "all at once: 2n⁴", "orange", "s-"),
                                   (2 * sizes**3, "pair by pair: 2n³", "blue", "o--")):
    upper.plot(sizes, values, style, color=COLORS[color], markersize=4)
    up = color == "orange"
    upper.annotate(text, (sizes[2], values[2]), (-8, 7) if up else (6, -8), va="bottom" if up
                   else "top", ha="right" if up else "left", textcoords="offset points",
                   color=COLORS[color])
upper.set(title="Multiplications, counted", ylabel="multiplications", yscale="log")
for way, text, color, style, at, shift, ha, va in (
    ("plain", "einsum", "orange", "s-", 2, (-8, 6), "right", "bottom"),
    ("optimised", "optimize=True", "blue", "o--", 2, (2, 8), "center", "bottom"),
    ("matmul", "a @ b @ c", "green", "^:", 2, (4, -8), "left", "top"),
):
    lower.plot(sizes, seconds[way] * 1e6, style, color=COLORS[color], markersize=4)
    lower.annotate(text, (sizes[at], seconds[way][at] * 1e6), shift, ha=ha, va=va,
                   textcoords="offset points", color=COLORS[color])
lower.set(title="Time, recorded", ylabel="microseconds", yscale="log", xscale="log",
          xlabel="n, the size of each matrix")
lower.set_xticks(sizes, [str(n) for n in sizes])
lower.minorticks_off()
show(
    fig,
    name="cost",
    alt=(
        f"Two plots against the size n from {sizes[0]} to {sizes[-1]}, on logarithmic axes. The "
        "counted multiplications diverge more and more. In time, optimize=True is the slowest of "
        f"three ways at {sizes[0]}, and at {sizes[-1]} {gain[-1]:.0f} times as fast as the plain "
        f"einsum and within {over[-1]:.1f} times the matrix product."
    ),
    caption=(
        f"Recorded on {recorded['date'][:10]} by `make bench`. On the left of the lower plot the "
        "blue line is flat. There the planning takes nearly all the time, and the multiplications "
        "hardly any."
    ),
)
assert gain[0] < 1 and wins == 1 and gain[-1] > 100 and over[0] > 5 and over[-1] < 2

# %% [markdown]
# At $n = {{ sizes[0] }}$ the plan saves nine multiplications in ten, and the call takes {{ 1 / gain[0]:.1f}} times as *long*: whatever the sizes, making a plan takes some {{ seconds["optimised"][:3].min() * 1e6:.0f}} microseconds. At $n = {{ sizes[wins] }}$ it has already won, by a factor of {{ gain[wins]:.1f}}; the break-even lies between the two. At $n = {{ sizes[-1] }}$ the factor is {{ gain[-1]:.0f}}. The plan is not free in memory: the intermediate matrix has to be kept, {{ peak["optimised"] / 1e3:.0f}} kB at the peak against {{ peak["plain"] / 1e3:.0f}}.
#
# So: `optimize=True` for three or more operands, and for products of large matrices; without it for small arrays in an inner loop. For many operands that share their letters freely no fast way is known that always finds the best order: the problem is NP-complete ([@lam1997]). `True` takes the pair that looks cheapest, step by step. The planner began as a package of its own, opt_einsum ([@smith2018]).
#
# ## Six ways to get it wrong
#
# Each of these runs without an error message. See what gives it away.
#
# **1. The arrow left out.** Then NumPy goes back to Einstein's rule. What appears twice is summed, and what appears once is kept, in *alphabetical* order. So far it did not matter which letters you chose; now it does:

# %%
print("nk,kd->nd:", np.einsum("nk,kd->nd", left, right).shape)
print("nk,kd    :", np.einsum("nk,kd", left, right).shape)
assert np.allclose(np.einsum("nk,kd", left, right), (left @ right).T)
assert np.array_equal(np.einsum("ba", left), left.T)

# %% [markdown]
# The result is transposed, because $d$ comes before $n$. With square matrices even the shape says nothing. Always write the arrow.
#
# **2. A letter forgotten after the arrow.** It is summed. Here the bias gradient loses its $k$ and becomes one number, and broadcasting spreads that number over all biases. The gradient check refuses it for its shape:

# %%
def forgotten(dy, cache):
    dx, dweight, _ = linear_backward(dy, cache)
    return dx, dweight, np.einsum("nk->", dy)  # meant: nk->k


bias = draw(7)
stepped = bias - 0.1 * np.einsum("nk->", upstream)
print("the bias after a step: shape", stepped.shape)
try:
    gradient_check(linear, forgotten, [x, weight, bias], rng=rng)
    raise AssertionError("not caught")
except ValueError as error:
    print("caught: shapes", str(error).split("got ")[1])

# %% [markdown]
# **3. A letter used twice in one operand, and 4. the axes in the wrong order.** Both need a square weight, and a recurrent layer has one. `kk` reads the diagonal alone, `ki` the transpose. Where the sizes differ, both are refused at once.


# %%
def diagonal(dy, cache):
    _, dweight, dbias = linear_backward(dy, cache)
    dx = np.einsum("nk,kk->nk", dy, cache.weight)  # meant: nk,ik->ni
    return dx, dweight, dbias


def transposed(dy, cache):
    _, dweight, dbias = linear_backward(dy, cache)
    dx = np.einsum("nk,ki->ni", dy, cache.weight)  # meant: nk,ik->ni
    return dx, dweight, dbias


for wrong in (diagonal, transposed):
    try:
        report = gradient_check(linear, wrong, [x, draw((5, 5)), draw(5)], rng=rng)
        report.raise_if_above(1e-6)
        raise AssertionError("not caught")
    except GradientError:
        print(f"{wrong.__name__:<11} square: error {report.max_error:.1f}")
    try:
        wrong(upstream, cache)
        raise AssertionError("not refused")
    except ValueError:
        print(f"{wrong.__name__:<11} (5, 7): refused")

blind = gradient_check(linear, transposed, [x, np.eye(5), draw(5)], rng=rng)
blind.raise_if_above(1e-6)  # it passes

# %% [markdown]
# The last two lines of the cell let the fourth pass: with a *symmetric* weight, such as the identity with which some people begin their tests, it is right, and nothing can catch it.
#
# **5. An axis of size one.** The first part of the rule has a hole: an axis of size 1 fits every size, and is repeated. `@` refuses, and so does the linear layer of this book, because it compares the sizes first:

# %%
thin = x[:, :1]  # meant to be x: one feature is left of five
found = np.einsum("ni,ik->nk", thin, weight)
assert np.allclose(found, thin * weight.sum(axis=0))
theirs = torch.einsum("ni,ik->nk", torch.tensor(thin), torch.tensor(weight))
assert np.allclose(found, theirs.numpy())
print("einsum gives shape", found.shape)
others = {"@": lambda: thin @ weight, "linear": lambda: linear(thin, weight, bias)}
for name, refuses in others.items():
    try:
        refuses()
        raise AssertionError("not refused")
    except ValueError:
        print(name, "refuses")

# %% [markdown]
# `torch.einsum` does the same as NumPy's. If a 1 can come in by accident, compare the sizes before you call.
#
# **6. The type is kept.** `np.sum` adds small integers in a wide type, `np.einsum` in their own. The raw digits are bytes, from 0 to 16. How much ink does an image hold?

# %%
data = digits(seed=SEED)
ink = (16 * data.x_train[:, 0]).astype(np.uint8)
by_einsum, by_sum = np.einsum("nij->n", ink), ink.sum(axis=(1, 2))
wrapped = (by_einsum != by_sum).mean()
for name, found in (("einsum", by_einsum), ("sum", by_sum)):
    print(f"{name:<7}{found[:5]} {found.dtype}")

correct = np.array([True, True, False, True])
halves = np.ones((5000, 2), np.float16)  # two columns
print("answers that are right:", np.einsum("n->", correct), correct.sum())
print(f"5000 ones in float16: {np.einsum('ni->i', halves)[0]:.0f}")
assert wrapped > 0.5 and np.einsum("n->", correct).dtype == bool
assert np.einsum("ni->i", halves)[0] == 2048
assert (np.einsum("nij->n", ink, dtype=np.int64) == by_sum).all()
assert np.einsum("n->", correct, dtype=np.int64) == correct.sum()
assert np.einsum("ni->i", halves, dtype=np.float64)[0] == 5000

# %% [markdown]
# For {{ wrapped:.0%}} of the images the sum has wrapped round at 256. Booleans are added with "or", so counting right answers gives `True`. And in float16 the count of a column stands still at 2048, because 2049 does not exist there: $2048 + 1$ is rounded to $2048$, again and again. `dtype=np.int64` or `dtype=np.float64` in the call mends all three.
#
# The last one is worth a second look. Does float32, the type of this whole book, have the same trouble?
#
# ## Is einsum as exact as `@` and `sum`?
#
# **The question.** One sum of products can be written in several ways. In float32, are they equally exact?
#
# The data are the digits: every 3 × 3 patch of all 1,797 images, less the mean of the pixels and divided by their standard deviation. For the $n$-th patch $x_n$, of nine pixels, we want $S_{ij} = \sum_n x_{ni} x_{nj}$. It is what the covariance of patches is made of, and with $\partial L/\partial Y$ instead of one $X$ it is the gradient of a convolution's filters. Its number of terms grows with every image.

# %% tags=["hide-input"]
every = np.concatenate([data.x_train, data.x_val, data.x_test])[:, 0].astype(np.float64)
spread = every.std()


def patches(images):
    """All 3x3 patches, one per row, of standardised images."""
    standard = (images - every.mean()) / spread
    return sliding_window_view(standard, (3, 3), axis=(1, 2)).reshape(-1, 9).astype(np.float32)


terms = patches(every)
print(f"{len(terms):,} patches of {terms.shape[1]} pixels, {terms.dtype}")
assert len(every) == 1797 and len(np.unique(every)) == 17


# %%
def ways(x):
    """The same sum of products over n, in float32."""
    along = np.ascontiguousarray(x.T)  # a copy in which n runs along the memory
    products = np.einsum("in,jn->ijn", along, along)
    return {
        "einsum": np.einsum("ni,nj->ij", x, x),
        "einsum, copy": np.einsum("in,jn->ij", along, along),
        "optimize": np.einsum("ni,nj->ij", x, x, optimize=True),
        "@": x.T @ x,
        "sum, first axis": np.einsum("ni,nj->nij", x, x).sum(axis=0),
        "sum, last axis": products.sum(axis=-1),
    }


def error(found, x):
    """Norm of the difference to float64, relative."""
    exact = np.einsum("ni,nj->ij", x, x, dtype=np.float64)
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


# %% [markdown]
# **A prediction.** Adding in float32 rounds each partial sum, by up to one part in $2^{24}$, about $6 \cdot 10^{-8}$ of it. If terms are added one after the other, there are $n$ such errors, up and down, and as in a drunkard's walk they should grow as $\sqrt n$. BLAS, the library behind `@`, adds up blocks of some hundred terms and then the blocks, so each of its sums is shorter. `np.sum` adds in pairs, then pairs of pairs, so that each term goes through about $\log_2 n$ additions only: hardly any growth. ([@higham1993] compares such orders.) The documentation of `einsum` does not say. A guess: it adds in pairs too.
#
# Five seeds choose which patches come, and in which order. As a **baseline**, each pixel of the same patches gets a jitter of up to half a grey level, like the noise of a camera: numbers of the same size, but hardly ever the same number twice.

# %% tags=["hide-input"]
counts = [16, 64, 256, 1024, 4096, 16384, len(terms)]
seeds = range(5)
errors = {kind: {} for kind in ("digits", "jitter")}
same_bits = 0
for seed in seeds:
    pick = np.random.default_rng(seed)
    half = pick.uniform(-1 / 32, 1 / 32, every.shape)  # a grey level is 1/16
    order = pick.permutation(len(terms))
    for kind, source in (("digits", terms), ("jitter", patches(every + half))):
        for count in counts:
            some = source[order[:count]]
            found = ways(some)
            same_bits += np.array_equal(found["einsum"], found["sum, first axis"])
            for way, value in found.items():
                errors[kind].setdefault(way, {}).setdefault(count, []).append(error(value, some))
table = {kind: {way: np.array([e[count] for count in counts]) for way, e in by_way.items()}
         for kind, by_way in errors.items()}


def slope(values):
    """Growth as a power of the number of terms, from the second count on."""
    return float(np.polyfit(np.log(counts[1:]), np.log(values.mean(1)[1:]), 1)[0])


def row(way):
    """Two cells for the digits and two for the jitter: error at the end, growth."""
    cells = []
    for kind in ("digits", "jitter"):
        values = table[kind][way]
        cells += [f"{1e6 * values[-1].mean():.2f}", f"{slope(values):.2f}".replace("-", "−")]
    return " | ".join(cells)


# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(4.8, 4.4))
for kind, way, color, style, text, at, shift, ha in (
    ("digits", "einsum", "orange", "s-", "einsum", 5, (-9, 3), "right"),
    ("digits", "einsum, copy", "purple", "v-.", "einsum,\ncopy", 6, (7, 0), "left"),
    ("jitter", "einsum", "orange", "s:", "einsum,\njitter", 6, (7, 0), "left"),
    ("digits", "@", "blue", "o--", "@", 6, (7, -3), "left"),
    ("digits", "sum, last axis", "green", "^-", "sum, last axis", 4, (0, -7), "center"),
):
    values = table[kind][way]
    hollow = {"markerfacecolor": "none"} if kind == "jitter" else {}
    ax.plot(counts, values.mean(1), style, color=COLORS[color], markersize=4.5, **hollow)
    ax.fill_between(counts, values.min(1), values.max(1), color=COLORS[color], alpha=0.2,
                    linewidth=0)
    ax.annotate(text, (counts[at], values.mean(1)[at]), shift, ha=ha,
                va="top" if ha == "center" else "center", textcoords="offset points",
                color=COLORS[color], linespacing=1.0)
ax.set(xscale="log", yscale="log", title="One sum of products, in float32",
       xlabel="number of terms n", ylabel="relative error of S", xlim=(12, 4.5e5),
       ylim=(1.6e-8, 6e-4))
end = {way: values[-1].mean() for way, values in table["digits"].items()}
rough = table["jitter"]["einsum"][-1].mean()
show(
    fig,
    name="rounding",
    alt=(
        "Relative error against the number of terms, both logarithmic. On the digits the plain "
        f"einsum grows steadily to {end['einsum']:.0e} at {len(terms):,} terms, on a transposed "
        f"copy to {end['einsum, copy']:.0e}, with jitter to {rough:.0e}. The matrix product "
        f"levels off near {end['@']:.0e}, the sum along the last axis stays at "
        f"{end['sum, last axis']:.0e}."
    ),
    caption=(
        "Means over five seeds, with bands from the lowest to the highest (most are thinner than "
        "the line). The two orange lines are the same einsum on nearly the same images, and yet "
        "their slopes differ."
    ),
)
growth = {kind: slope(table[kind]["einsum"]) for kind in table}
assert growth["digits"] > 0.85 and growth["jitter"] < 0.7
assert end["einsum"] > 20 * end["@"] and end["@"] > 5 * end["sum, last axis"]
assert 2 < end["einsum"] / end["einsum, copy"] < 20 and end["einsum"] < 1e-3
assert np.isclose(end["einsum"], end["sum, first axis"], rtol=0.2)
assert np.isclose(end["optimize"], end["@"], rtol=0.2)
by_count = {way: values.mean(1) for way, values in table["digits"].items()}
assert np.allclose(by_count["@"][:3], by_count["einsum"][:3], rtol=0.4)
assert by_count["einsum"][4] > 3 * by_count["@"][4]
assert max(values[0].max() for values in table["digits"].values()) < 5e-7

# %% [markdown]
# | | Digits: error | power | Jitter: error | power |
# |---|---|---|---|---|
# | `einsum` | {{ row("einsum") }} |
# | `einsum`, copy | {{ row("einsum, copy") }} |
# | `optimize=True` | {{ row("optimize") }} |
# | `@` | {{ row("@") }} |
# | `sum`, first axis | {{ row("sum, first axis") }} |
# | `sum`, last axis | {{ row("sum, last axis") }} |
#
# The errors are those of all {{ len(terms):,}} terms, in millionths, and the power is that of $n$ with which they grow.
#
# **The verdict: no.** At {{ len(terms):,}} terms the plain einsum is off by {{ 1e6 * end["einsum"]:.0f}} millionths, `@` by {{ 1e6 * end["@"]:.1f}}, the sum along the last axis by {{ 1e6 * end["sum, last axis"]:.2f}}. Einsum does not add in pairs, then. Up to {{ counts[2] }} terms `@` lies on the same line, as if they were one block; beyond that the two part. And what einsum does instead holds two surprises.
#
# **The memory decides, not the string.** Plain einsum walks through the arrays in the order in which they lie. Stored patch after patch, it meets all pairs $ij$ of one patch before those of the next, so each entry of $S$ is a running sum. Where $n$ runs along the memory, it keeps a few sums side by side, each of them shorter, and errs {{ end["einsum"] / end["einsum, copy"]:.0f}} times less. You do not need another string to change that:

# %%
flipped = np.asfortranarray(terms)  # the same matrix, stored column by column
assert (flipped == terms).all()
for name, stored in (("row by row", terms), ("column by column", flipped)):
    found = np.einsum("ni,nj->ij", stored, stored)
    print(f"{name:<17} relative error {error(found, terms):.0e}")
assert np.array_equal(found, np.einsum("in,jn->ij", terms.T.copy(), terms.T.copy()))

# %% [markdown]
# `np.sum` has the same two faces: along the first axis it is a running sum too, with the very bits of the einsum in {{ same_bits }} of {{ 2 * len(seeds) * len(counts) }} runs here. Its documentation says that it adds in pairs only along the fast axis in memory.
#
# **Real images do not stagger like a drunkard.** With jitter the error grows as $n$ to the power {{ growth["jitter"]:.2f}}: the square root of the prediction. Without it the power is {{ growth["digits"]:.2f}}: in proportion to $n$, which is how the worst case of the theory grows. Why?

# %%
white = terms.min()
same = float(white) * float(white)  # what a white pixel adds to the sum, each time
share = (terms[:, 4] == white).mean()
total = np.float32(40_000)
spacing = float(np.spacing(total))
nudge = float(total + np.float32(same)) - float(total) - same
print(f"{share:.0%} of the middle pixels are white")
print(f"each should add {same:.6f}")
print(f"near {total:.0f} float32 has steps of {spacing:.6f}")
print(f"so each does add {same + nudge:.6f}")
assert spacing == 2**-8 and abs(nudge) <= spacing / 2 and share > 0.25

# %% [markdown]
# The paper is white. In the sum of squares of a patch's middle pixel, {{ share:.0%}} of all terms are one and the same number. Between two powers of two the steps of float32 stay the same, and the sum is always a multiple of them. So what is added is rounded to such a multiple too, and that one number is rounded in the *same direction every time*. Here each white pixel is off by {{ nudge:.6f}}. The other grey levels repeat too, for there are only 17. Thousands of equal errors do not cancel. They march:

# %% tags=["remove-input"]
def drift(column):
    """Error of the running sum of squares, after each term, relative to the final sum."""
    squares = column * column
    exact = np.cumsum(squares.astype(np.float64))
    return (np.add.accumulate(squares).astype(np.float64) - exact) / exact[-1]


marks = np.unique(np.linspace(0, len(terms) - 1, 160).astype(int))
paths, orders = {"digits": [], "jitter": []}, []
for seed in seeds:
    pick = np.random.default_rng(seed)
    half = pick.uniform(-1 / 32, 1 / 32, every.shape)
    order = pick.permutation(len(terms))
    orders.append(order)
    for kind, source in (("digits", terms), ("jitter", patches(every + half))):
        paths[kind].append(1e6 * drift(source[order, 4]))
fig, ax = plt.subplots(figsize=(4.8, 3.4))
for kind, color, style in (("digits", "orange", "-"), ("jitter", "blue", "--")):
    for line in paths[kind]:
        ax.plot(marks / 1e3, line[marks], style, color=COLORS[color], linewidth=1.3)
ends = {kind: np.array([line[-1] for line in lines]) for kind, lines in paths.items()}
turn = marks[np.argmin(np.abs(marks - 0.75 * len(terms)))]
ax.text(turn / 1e3 - 2, paths["digits"][0][turn], "digits", color=COLORS["orange"], ha="right",
        va="bottom")
ax.text(56, 0.04 * np.abs(ends["digits"]).max(), "with jitter", color=COLORS["blue"],
        ha="center", va="bottom")
ax.set(title="A march and a stagger", xlabel="terms added (thousands)",
       ylabel="error of the running sum\n(millionths of the total)")
show(
    fig,
    name="drift",
    alt=(
        "Error of a running sum against the number of terms, five orders each. On the digits all "
        f"five lines run together, to {ends['digits'].mean():.0f} millionths. With jitter they "
        f"stay within {np.abs(ends['jitter']).max():.0f} millionths of 0."
    ),
    caption=(
        "The sum of squares of the middle pixel, in five orders. On each straight piece the sum "
        "lies between two powers of two, and every white pixel is rounded alike. "
        "Where the next power is reached, the line gets a new slope."
    ),
)
assert np.abs(ends["digits"]).min() > 5 * np.abs(ends["jitter"]).max()

# Between 2^15 and 2^16 the step is 2^-8: round every term to it once, and predict the march.
squares = (terms[:, 4] * terms[:, 4]).astype(np.float64)
each = (np.round(squares / spacing) * spacing - squares).mean()
climb = np.cumsum(squares[orders[0]])
first, last = np.searchsorted(climb, [2**15, 2**16])
predicted = 1e6 * each * (last - first) / climb[-1]
measured = paths["digits"][0][last - 1] - paths["digits"][0][first]
assert abs(predicted / measured - 1) < 0.1 and 0 < first < last < len(terms)

# %% [markdown]
# This can be predicted. Round each term once to the step of $\tfrac{1}{256}$ that holds between $2^{15}$ and $2^{16}$, and multiply the mean error by the {{ last - first:,}} terms of that stretch: {{ predicted:.0f}} millionths. The long straight piece in the figure climbs by {{ measured:.0f}}.
#
# **Does it do harm?** For a step of training, hardly. $S$ of one batch of 32 images differs from that of the next far more than rounding can change it. For what is computed from $S$ it can: the smallest eigenvalue, by whose root whitening divides, is hit harder than $S$ itself.

# %%
per_batch = 32 * 36  # patches of 32 images
batches = terms[: 2 * per_batch].reshape(2, per_batch, 9)
one, other = np.einsum("bni,bnj->bij", batches, batches, dtype=np.float64)
luck = np.linalg.norm(one - other) / np.linalg.norm(one)
print(f"two batches of 32 images: apart by {luck:.0e}")

exact = np.linalg.eigvalsh(np.einsum("ni,nj->ij", terms, terms, dtype=np.float64))
off = {}
for way in ("einsum", "@", "sum, last axis"):
    found = np.linalg.eigvalsh(ways(terms)[way].astype(np.float64))
    off[way] = abs(found[0] / exact[0] - 1)
    print(f"smallest eigenvalue {off[way]:.0e}, {way}")
assert off["einsum"] > 5 * end["einsum"] and off["einsum"] > 20 * off["@"]
assert luck > 100 * end["einsum"]

# %% [markdown]
# **What to do.** For sums of more than a few thousand terms write `optimize=True`, which hands the work to BLAS, or `dtype=np.float64` if you want to stop thinking about it. For short sums, do nothing: at {{ counts[0] }} terms the worst of all these ways is off by {{ 1e6 * max(values[0].max() for values in table["digits"].values()):.1f}} millionths.
#
# **What this does not show.** How exact `@` is depends on the BLAS of your machine, and how many terms einsum adds side by side on your NumPy. One kind of data was tried, 8 × 8 images with 17 grey levels and a white background. Counts, sparse features and drawings should behave like them, measurements with noise like the jitter; that is a guess.
#
# ### The data that see nothing
#
# One thing had to be done before there was anything to see. Take the pixels as they come, sixteenths from 0 to 1, and repeat the measurement:

# %%
raw = sliding_window_view(every, (3, 3), axis=(1, 2)).reshape(-1, 9)
raw = raw.astype(np.float32)
raw_errors = {way: error(found, raw) for way, found in ways(raw).items()}
print("largest error of the six ways:", max(raw_errors.values()))
assert max(raw_errors.values()) == 0

# %% [markdown]
# Exactly zero, for all of them. Products of sixteenths are multiples of $\tfrac{1}{256}$, and float32 holds every multiple of $\tfrac1{256}$ up to $2^{16} = 65{,}536$: nothing is ever rounded. A test on tidy numbers tests no rounding.
#
# ## In five lines
#
# - Write a letter for each axis: what is missing after the arrow is summed, what stands there is kept.
# - An equation with all its indices becomes the string when you cross out everything else.
# - The gradient of an einsum is an einsum: the operand and the output change places.
# - With three operands or more, `optimize=True` decides how much work it is; for small arrays it costs more than it saves.
# - Always write the arrow, and give long sums in float32 to BLAS or to float64.
#
# ## Try it

# %% tags=["remove-cell"]
small = np.array([[1.0, 2.0], [3.0, 4.0]])
assert np.einsum("ij,ji->", small, small) == 29
assert (np.einsum("ij,jj->i", small, small) == [9, 19]).all()
assert np.allclose(einsum_gradient("i,ij,j->", np.float64(2.0), [u, w, v], 1), 2 * np.outer(u, v))
arrives = draw((5, 5))
both = [einsum_gradient("ij,kj->ik", arrives + arrives.T, [w, w], k) for k in range(2)]
assert np.allclose(*both) and not np.allclose(*(
    einsum_gradient("ij,kj->ik", arrives, [w, w], k) for k in range(2)))
viewed = np.zeros((3, 3))
np.einsum("ii->i", viewed)[:] = 1
assert (viewed == np.eye(3)).all() and np.shares_memory(np.einsum("ij->ij", viewed), viewed)

# %% [markdown]
# ??? question "1. What do `ij,ij->`, `ij->ij` and `,ij->ij` do?"
#     The sum of products of two matrices, element by element; the matrix as it is; and a number times a matrix, because an operand without letters is a single number.
#
# ??? question "2. With a pencil: $A = \begin{bmatrix}1 & 2\\ 3 & 4\end{bmatrix}$. What are `ij,ji->` and `ij,jj->i` of $A$ with itself?"
#     The first is the trace of $AA$: $1 \cdot 1 + 2 \cdot 3 + 3 \cdot 2 + 4 \cdot 4 = 29$. The second weights the columns by the diagonal $(1, 4)$: $(1 + 8,\ 3 + 16) = (9, 19)$.
#
# ??? question "3. What is the gradient of the bilinear form `i,ij,j->` with respect to its matrix?"
#     Swap `ij` with the empty output: `i,,j->ij` of $u$, the upstream gradient and $v$. It is the outer product of $u$ and $v$, times one number.
#
# ??? question "4. You use one array twice, `ij,kj->ik` of $X$ and $X$. What is the gradient of $X$?"
#     Both operands get a gradient by the rule, and as they are one array, [the two are added](chain_rule.py#where-two-roads-meet-gradients-add). If the upstream gradient is symmetric the two are equal, and one alone is half of the gradient; otherwise it is not even that.
#
# ??? question "5. For the notebook: `np.einsum('ii->i', m)[:] = 1`. What happens to `m`, and why?"
#     Its diagonal is 1 now. Where nothing is summed or multiplied, `np.einsum` returns a *view*, the same memory with other strides, and you may write to it. Try `ij->ji` as well, and find out whether the result of `ij->ij` can be trusted to be a copy.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("einsum_sums", "einsum_matmul", "einsum_batch", "einsum_gradients", "einsum_windows")

# %% [markdown]
# ## Sources
#
# - Einstein (1916), *Die Grundlage der allgemeinen Relativitätstheorie*, Annalen der Physik: sums without summation signs.
# - NumPy's documentation of [numpy.einsum](https://numpy.org/doc/stable/reference/generated/numpy.einsum.html) and [numpy.sum](https://numpy.org/doc/stable/reference/generated/numpy.sum.html): the order without an arrow, the view, and along which axis a sum goes in pairs.
# - Smith and Gray (2018), *opt_einsum: a Python package for optimizing contraction order for einsum-like expressions*, Journal of Open Source Software: the planner.
# - Lam, Sadayappan and Wenger (1997), *On optimizing a class of multi-dimensional loops with reductions for parallel execution*, Parallel Processing Letters: why the best order is hard to find.
# - Laue, Mitterreiter and Giesen (2020), *A simple and efficient tensor calculus*, AAAI: derivatives of such expressions in general.
# - Higham (1993), *The accuracy of floating point summation*, SIAM Journal on Scientific Computing: running, pairwise and other sums.
