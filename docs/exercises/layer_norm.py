# ---
# title: "Solutions: layer normalisation"
# description: Layer normalisation forward and backward, and what you may not copy from batch normalisation.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: layer normalisation
#
# Two exercises belong to the chapter on [layer normalisation](../layers/layer_norm.py). If you have solved those on [batch normalisation](batch_norm.py), begin with your own lines, and ask of each axis whether it changes.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## Layer normalisation, forward { #layer_norm }

# %% tags=["remove-input"]
show_task("layer_norm")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("layer_norm")

# %% [markdown]
# The two `keepdims=True` are easily forgotten. Without them the means have shape $(N)$, and NumPy lines them up with the features. With as many examples as features there is not even an error.
#
# There is no second mode to write. What an example becomes depends on nothing but itself, so there is nothing to remember for later.
#
# PyTorch's `std` divides by $D - 1$, and so does NumPy's with `ddof=1`. The layer divides by $D$:


# %%
def my_layer_norm(x, gamma, beta, eps):
    mean = x.mean(axis=1, keepdims=True)
    var = x.var(axis=1, ddof=1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


report = check(my_layer_norm)
assert report.misconceptions == ["the unbiased variance"]
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("layer_norm")

# %% [markdown]
# ## Layer normalisation, backward { #layer_norm_backward }

# %% tags=["remove-input"]
show_task("layer_norm_backward")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("layer_norm_backward")

# %% [markdown]
# Compare it with batch normalisation, line by line:
#
# | Line | Axis | Why |
# |---|---|---|
# | mean and variance | the other | they are those of an example |
# | `a` and `b` | the other | what comes back through a mean is averaged as the mean was |
# | `g = gamma * dy` | new | $\gamma$ differs along the axis of `a` and `b`, so it goes in before them |
# | `dgamma`, `dbeta` | as before | the parameters belong to the features |
#
# In batch normalisation $\gamma$ could wait until the end. Here it cannot:


# %%
def my_layer_norm_backward(dy, x, gamma, eps):
    inv_std = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    x_hat = (x - x.mean(axis=1, keepdims=True)) * inv_std
    a = dy.mean(axis=1, keepdims=True)
    b = (dy * x_hat).mean(axis=1, keepdims=True)
    dx = gamma * inv_std * (dy - a - x_hat * b)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


report = check(my_layer_norm_backward)
assert report.misconceptions == ["gamma in front of the bracket"]
report

# %% [markdown]
# With $\gamma = 1$ everywhere, as in every new layer, the two agree. The grader's $\gamma$ are random for this reason.
#
# ### Another way
#
# The bracket is a matrix of slopes times a vector. For a single example you can write the matrix down, row by row as [the chapter](../layers/layer_norm.py#backward-the-same-box-rotated-by-90-degrees) has it. It costs $D^2$ numbers per example, and it is hard to get wrong:


# %%
def my_layer_norm_backward(dy, x, gamma, eps):
    d = x.shape[1]
    std = np.sqrt(x.var(axis=1) + eps)
    x_hat = (x - x.mean(axis=1, keepdims=True)) / std[:, None]
    dx = np.empty_like(x)
    for n, row in enumerate(x_hat):
        slopes = (np.eye(d) - 1 / d - np.outer(row, row) / d) / std[n]
        dx[n] = slopes @ (gamma * dy[n])
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


report = check(my_layer_norm_backward)
assert report.passed
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("layer_norm_backward")
