# ---
# title: einsum
# description: One rule reads every sum of products from its letters, the gradient is an einsum again, and six mistakes run without an error message.
# tags:
#   - foundations
# ---

# %% [markdown]
# # einsum
#
# A trace, a matrix product, a batch of products, the gradient of a layer: each is a sum of products, and each comes with a function of its own and with transposes to get wrong. `np.einsum` writes all of them as one short string, copied from the indices of the equation. You will learn to read any such string and to write one, and to get its gradient by moving a few letters. [How fast and how exact is einsum?](../verify/einsum_rounding.py) says when it is slow and when it loses digits.
#
# You need [the symbols of this book](notation.md); the section on gradients uses [the chain rule](chain_rule.py).

# %% tags=["hide-input"]
import re

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
# **Backward.** Each number of $Y$ has an upstream gradient. The result is below, and the section on gradients says why: for $A$ it is the einsum `ik,jk->ij` of the upstream gradient and $B$, for $B$ it is `ij,ik->jk`.
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
# They agree to rounding, and rounding is all that can differ: the same products are added in another order. How much that matters is [a question of its own](../verify/einsum_rounding.py#is-einsum-as-exact-as-and-sum).
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
        "The string ik,jk->ij above three grids. The second row of the upstream gradient, −1 2, "
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
    random_dy = rng.standard_normal(tuple(theirs.shape))
    theirs.backward(torch.as_tensor(random_dy))
    for ours, tensor in zip(backward(random_dy, arrays), there, strict=True):
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
# A string says *what* is summed, and not in which order to multiply. For three operands or more, [that order decides how much work it is](../verify/einsum_rounding.py#when-the-order-matters-and-optimizetrue). `optimize=True` looks for a cheap one, and for small arrays it costs more than it saves.
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
# The last one is worth a second look. Does float32, the type of this whole book, have the same trouble? [In long sums it does](../verify/einsum_rounding.py#is-einsum-as-exact-as-and-sum): give those to BLAS, by `optimize=True`, or to float64.
#
# ## In five lines
#
# - Write a letter for each axis: what is missing after the arrow is summed, what stands there is kept.
# - An equation with all its indices becomes the string when you cross out everything else.
# - The gradient of an einsum is an einsum: the operand and the output change places.
# - An axis of size 1 fits every size, and a small type keeps its size in the sum: compare the sizes, and give a `dtype`.
# - Always write the arrow: without it the alphabet decides the order of the axes.
#
# ## Try it

# %% tags=["remove-cell"]
small = np.array([[1.0, 2.0], [3.0, 4.0]])
assert np.einsum("ij,ji->", small, small) == 29
assert (np.einsum("ij,jj->i", small, small) == [9, 19]).all()
assert np.allclose(einsum_gradient("i,ij,j->", np.float64(2.0), [u, w, v], 1), 2 * np.outer(u, v))
random_dy = draw((5, 5))
both = [einsum_gradient("ij,kj->ik", random_dy + random_dy.T, [w, w], k) for k in range(2)]
assert np.allclose(*both) and not np.allclose(*(
    einsum_gradient("ij,kj->ik", random_dy, [w, w], k) for k in range(2)))
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
# - NumPy's documentation of [numpy.einsum](https://numpy.org/doc/stable/reference/generated/numpy.einsum.html): the order without an arrow, and the view.
# - Laue, Mitterreiter and Giesen (2020), *A simple and efficient tensor calculus*, AAAI: derivatives of such expressions in general.
