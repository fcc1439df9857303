# ---
# title: How this book checks itself
# description: One line of index notation is what you read, what is evaluated, and what every layer is checked against.
# tags:
#   - verification
# ---

# %% [markdown]
# # How this book checks itself
#
# A book prints an equation and, beside it, code that somebody hopes agrees. Here the equation on the page *is* what runs. You will see one changed letter stop the build.
#
# You need [Notation and shapes](../foundations/notation.md), and have ideally met one derivation, that of [ReLU](../layers/relu.py).

# %% tags=["hide-input"]
from collections import Counter
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from nn_tutorial import linear, linear_backward
from nn_tutorial.verify.agreement import AgreementError, agree
from nn_tutorial.pages.show import power, show_certificate, show_derivation, show_equations
from nn_tutorial.verify.equations import Equation, EquationError
from nn_tutorial.verify.mutants import mutations
from nn_tutorial.pages.plots import COLORS, show, use_style
from nn_tutorial.verify.theories import THEORIES

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

fig, ax = plt.subplots(figsize=(5.0, 3.6))
places = {
    "equations": (0.5, 0.5),
    "the layer": (0.5, 0.93),
    "derivatives of the\nforward equation": (0.14, 0.22),
    "einsum": (0.86, 0.22),
    "the derivation's\nlast line": (0.12, 0.76),
    "PyTorch": (0.88, 0.76),
}
for name, place in places.items():
    color = COLORS["orange" if name == "equations" else "blue"]
    if name != "equations":
        ax.annotate("", place, places["equations"], arrowprops={
            "arrowstyle": "<->", "color": COLORS["muted"], "shrinkA": 26, "shrinkB": 20})
    ax.text(*place, name, ha="center", va="center", color=color, fontweight="bold")
ax.set(xlim=(-0.08, 1.08), ylim=(0.1, 1.02))
ax.axis("off")
show(
    fig,
    name="what-agrees",
    alt=(
        "A diagram. In the middle the equations; arrows in both directions join them to the layer, "
        "to PyTorch, to einsum, to numerical derivatives of the forward equation and to the last "
        "line of the derivation."
    ),
    caption=(
        "What is compared at every build. An arrow is an assertion: both ends must give the same "
        "numbers, for every layer and on several shapes."
    ),
)

# %% [markdown]
# ## One line that runs
#
# Here is the gradient of a linear layer with respect to its input, in Python's syntax:

# %%
equation = Equation("dX[n,i] = sum[k](dY[n,k] * W[i,k])")
x, w, b = (rng.standard_normal(shape) for shape in ((2, 3), (3, 5), (5,)))
y, cache = linear(x, w, b)
dy = rng.standard_normal(y.shape)

from_equation = equation({"dY": dy, "W": w})
from_layer = linear_backward(dy, cache)[0]
apart = np.abs(from_equation - from_layer).max()
print(f"largest difference: {apart:.1e}")
assert apart < 1e-14

# %% [markdown]
# The line is never run *as* Python. It is parsed into a tree of sums, products and elements; each index becomes an axis of a grid, each element a look-up in an array. An index outside an array reads as 0, which is what padding means. The same tree is written out as what you see:
#
# $$
# {{ equation.latex }}
# $$
#
# From here on no formula is typed twice. This is the whole linear layer, printed from its lines. Unfold the line under it.

# %% tags=["remove-input"]
show_equations("linear", "Y", "dX", "dW", "db")

# %% [markdown]
# ## A derivation is a chain of equals
#
# Each step has its reason, and each is evaluated: on random arrays it must give what the step before gave, and the last one what the layer gives.

# %% tags=["remove-input"]
show_derivation("linear", 0)

# %% [markdown]
# ## Three witnesses
#
# An equation can be wrong in the same way as the code. So the backward equation is also checked against derivatives of the *forward* equation, which need no derivation:
#
# - **central differences**, $\frac{L(x + h) - L(x - h)}{2h}$: they work for everything, with about nine digits;
# - **the complex step**, $\operatorname{Im} L(x + ih)/h$: nothing is subtracted, so $h$ can be $10^{-30}$ and all digits are right, but only where no maximum and no comparison is in the way ([@squire1998]);
# - **PyTorch's** automatic differentiation, which shares no line with this book.
#
# Together they make a layer's **gradient certificate**. The type says in which precision the layer ran; a row in float32 shows how many digits that leaves.

# %% tags=["remove-input"]
rows = show_certificate("linear")
largest = max(row.largest for row in rows if row.dtype == "float64")

# %% [markdown]
# The largest error in float64 is ${{ power(largest) }}$, and it belongs to the central differences: the other two stop at rounding.
#
# ## Do the checks bite?
#
# A check that cannot fail proves nothing. So each line of the book is changed on purpose, one thing at a time, and run through the same checks. Here are the first few changes of one line:

# %%
line = "dX[n,i] = sum[k](dY[n,k] * W[i,k])"
changed = list(mutations(line))
for what, text in changed[:8]:
    print(f"{what:<22} {text}")

# %% [markdown]
# Take the one that swaps the indices of $W$. The shapes no longer fit, and the message points at the letter:

# %%
wrong = Equation("dX[n,i] = sum[k](dY[n,k] * W[k,i])")
try:
    wrong({"dY": dy, "W": w})
except EquationError as error:
    print(error)
else:
    raise AssertionError("not noticed")

# %% [markdown]
# With a *square* $W$ they would fit, and the numbers would be wrong in silence. That is why every sample in this book has pairwise different sizes. A change that keeps all shapes needs the numbers:

# %%
theory = THEORIES["linear"]
doubtful = Equation("db[k] = mean[n](dY[n,k])")
try:
    agree(replace(theory, backward=(*theory.backward[:2], doubtful)))
except AgreementError as error:
    print(error)
else:
    raise AssertionError("not noticed")

# %% [markdown]
# A mean instead of a sum: the classic confusion about the batch size. This is what stops the build.
#
# ### How many ways are there to be wrong?
#
# **The question.** Which kinds of mistake are the most numerous in one line? Where should you look first?
#
# **A prediction.** Signs: they are the usual worry.

# %% tags=["hide-input"]
kinds: Counter[str] = Counter()
for each in THEORIES.values():
    for one in (*each.forward, *each.backward):
        kinds.update(what for what, _ in mutations(one.text))
groups: Counter[str] = Counter()
for what, count in kinds.items():
    group = next((g for g in ("index", "indices", "sign", "minus", "factor", "term", "comparison")
                  if g in what), "sum")
    groups[{"indices": "index", "minus": "sign", "term": "factor or term",
            "factor": "factor or term"}.get(group, group)] += count
order = sorted(groups, key=lambda g: groups[g])
fig, ax = plt.subplots(figsize=(5.0, 2.6))
ax.barh(order, [groups[g] for g in order], color=COLORS["blue"], height=0.6)
for place, g in enumerate(order):
    ax.text(groups[g], place, f" {groups[g]}", va="center")
ax.set(title="Ways to get one equation of the book wrong", xlabel="mutants")
ax.grid(visible=False, axis="y")
share = groups["index"] / sum(groups.values())
show(
    fig,
    name="kinds-of-mutants",
    alt=f"Bars: {', '.join(f'{g} {groups[g]}' for g in reversed(order))} mutants.",
    caption="Single changes of all equations by kind. The longest bar is the index, not the sign.",
)
assert order[-1] == "index"
assert groups["sign"] < groups["index"] / 2

# %% [markdown]
# **The verdict.** {{ f"{share:.0%}" }} of the {{ sum(groups.values()) }} changes concern an index, and {{ groups["sign"] }} a sign. An index is the most frequent *place* for a mistake. The count weighs each place alike; it does not know which slips people make.
#
# All of them are run at every test, with those of the derivations and the wrong backward passes: [Verified](verified.py) has the totals.
#
# ## What this does not show
#
# The samples are finite: an equation that is wrong only at some very special values could pass. The witnesses agree on numbers; they say nothing about whether a sentence explains well. And the checks themselves are code. They were broken on purpose, too; that is what the mutants are for.
#
# ## Common mistakes in checking
#
# - **An upstream gradient of ones.** The gradients of softmax and batch normalisation vanish for it, so a wrong backward pass may pass. Every upstream gradient here is random.
# - **Square arrays.** A forgotten transpose fits. The sizes here are different primes.
# - **Kinks passed in silence.** At a kink the difference is not the derivative. The certificates count them.
#
# Here is the first, run: with a gradient of ones the wrong answer *zero* cannot be told from the right one.

# %%
probabilities = np.exp(x) / np.exp(x).sum(1, keepdims=True)
vjp = Equation("dZ[n,i] = P[n,i] * (dP[n,i] - sum[j](dP[n,j] * P[n,j]))")
for name, upstream in (("ones", np.ones_like(x)), ("random", rng.standard_normal(x.shape))):
    size = np.abs(vjp({"P": probabilities, "dP": upstream})).max()
    print(f"{name:<7} largest gradient {size:.0e}")

# %% [markdown]
# ## Try it
#
# ??? question "1. Which index of `sum[n](dY[n,k])` is free, and what shape comes out?"
#     $k$ is free, $n$ is summed over. The result has one number per $k$: the shape of the bias.
#
# ??? question "2. Why must the sample sizes differ, if the equations are right anyway?"
#     The sizes are not there for the right equations but for the wrong ones: with equal sizes a swapped pair of indices still runs.
#
# ??? question "3. ReLU has no complex step in its certificate. Why?"
#     A comparison has no meaning for complex numbers, and the function is not analytic at 0. Central differences do the work, and elements whose interval holds the kink are counted and left out.
#
# ??? question "4. For the notebook: find a mutant that the checks should not kill."
#     Run `mutations` on `Y[n,d] = X[n,d] * (X[n,d] > 0)`. With `>=` it says the same: at $X = 0$ the product is 0 either way. The book lists such mutants with their reasons, and checks that they are indeed the same.
#
# ## Sources
#
# - Squire and Trapp (1998), *Using complex variables to estimate derivatives of real functions*, SIAM Review: the complex step.
# - DeMillo, Lipton and Sayward (1978), *Hints on test data selection: help for the practicing programmer*, Computer: mutation testing.
