# ---
# title: "Solutions: softmax"
# description: Softmax and its gradient solved and explained, with the overflow, the lost axis and the half gradient that most people write first.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: softmax
#
# Try the exercises before you read on: `python -m nn_tutorial.exercises start` writes the files below for you. They belong to the chapter on [softmax](../layers/softmax.py).

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## Softmax, forward { #softmax }

# %% tags=["remove-input"]
show_task("softmax")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("softmax")

# %% [markdown]
# Two lines, and three decisions in them.
#
# **The last axis.** A row is one example, and its classes share one distribution. Both `max` and `sum` therefore run along the classes, `axis=-1`. That works for a table $(N, C)$ and for an image with a class at every pixel alike.
#
# **The kept axis.** Without `keepdims=True` the maximum has the shape $(N)$, and NumPy lines shapes up from the right: $(N)$ would be matched with the classes. With it the shape is $(N, 1)$, one number per row:

# %%
x = np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]])
x.max(axis=-1).shape, x.max(axis=-1, keepdims=True).shape

# %% [markdown]
# **The maximum.** It cancels, so it changes nothing on paper. In a computer it decides whether the answer is a number. Here are the scores of the first row, and the same once 1000 higher and once 1000 lower: by the formula as it stands, and with the maximum subtracted.

# %%
for high in (0, 1000, -1000):
    scores = x[0] + high
    with np.errstate(all="ignore"):
        plain = np.exp(scores) / np.exp(scores).sum()
    shifted = np.exp(scores - scores.max())
    print(f"{high:+}")
    print("  as it stands", plain.round(4))
    print("  shifted     ", (shifted / shifted.sum()).round(4))

# %% [markdown]
# ### Another way
#
# NumPy can compute the logarithm of the sum of the exponentials without ever leaving the logarithms. `np.logaddexp` adds two exponentials whose logarithms you give it, and its `reduce` goes along an axis. Then one exponential is left, of a number that is never above 0:


# %%
def my_softmax(x):
    return np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True))


report = check(my_softmax)
assert report.passed
report

# %% [markdown]
# ### Two mistakes
#
# The first is a half-way cure: one maximum for the whole array. Nothing can overflow any more, and the formula is still right. But give it two rows that lie far apart:


# %%
def my_softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum(axis=-1, keepdims=True)


report = check(my_softmax)
assert report.misconceptions == ["the maximum of the whole array subtracted"]
report

# %% [markdown]
# The second fails loudly on most arrays, and silently on a square one. That is why the tests have both kinds:


# %%
def my_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1)


report = check(my_softmax)
assert report.misconceptions == ["the sum without keepdims"]
report

# %% [markdown]
# ### What the grader knows
#
# These mistakes are told by name. Each link leads to the section that explains it:

# %% tags=["remove-input"]
show_mistakes("softmax")

# %% [markdown]
# ## Softmax, backward { #softmax_backward }

# %% tags=["remove-input"]
show_task("softmax_backward")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("softmax_backward")

# %% [markdown]
# `mean` is the upstream gradient at a row, weighted with that row's probabilities, which sum to 1. It has the shape $(N, 1)$. `dp - mean` says how far each class lies above it, and the product with `p` gives each class its share.
#
# Check it before you run it. Sum a row of the result: $\sum_i p_i\,\partial L/\partial p_i$ minus the mean times $\sum_i p_i = 1$, which is the mean minus itself. So every row of `dx` sums to 0, and a row that does not is wrong. You need no differences for that:

# %%
rng = np.random.default_rng(SEED)
e = np.exp(rng.standard_normal((5, 3)))
p = e / e.sum(axis=-1, keepdims=True)
dp = rng.standard_normal((5, 3))
dx = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
half = p * (1 - p) * dp
print("all of it   ", dx.sum(axis=-1).round(3) + 0.0)  # + 0.0: no minus zero
print("the diagonal", half.sum(axis=-1).round(3))
assert np.abs(dx.sum(axis=-1)).max() < 1e-12 < np.abs(half.sum(axis=-1)).min()

# %% [markdown]
# The second line is the Jacobian's diagonal alone, $p_i (1 - p_i)$ times the upstream gradient, the mistake that nearly everybody makes once.
#
# ### Another way
#
# The long way is worth writing once: build the Jacobian of every row and multiply. It costs $C$ times as much as the sum and gives the same numbers.


# %%
def my_softmax_backward(dp, p):
    diagonal = p[..., :, None] * np.eye(p.shape[-1], dtype=p.dtype)
    jacobian = diagonal - p[..., :, None] * p[..., None, :]
    return (jacobian @ dp[..., :, None])[..., 0]


report = check(my_softmax_backward)
assert report.passed
report

# %% [markdown]
# ### Two mistakes
#
# The diagonal alone treats each score as if it fed its own probability only:


# %%
def my_softmax_backward(dp, p):
    return p * (1 - p) * dp


report = check(my_softmax_backward)
assert report.misconceptions == ["the Jacobian's diagonal alone"]
report

# %% [markdown]
# And here the axis of the sum is missing. One number is subtracted from all rows, so each row is given part of the gradients of others:


# %%
def my_softmax_backward(dp, p):
    return p * (dp - (dp * p).sum())


report = check(my_softmax_backward)
assert report.misconceptions == ["one sum for the whole array"]
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("softmax_backward")
