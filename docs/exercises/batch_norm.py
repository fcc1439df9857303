# ---
# title: "Solutions: batch normalisation"
# description: Batch normalisation written forward in both modes and backward, with the mistakes that hide in a layer of two functions.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: batch normalisation
#
# Two exercises belong to the chapter on [batch normalisation](../layers/batch_norm.py). The second is the longest gradient of the course; try it with a pencil first.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## Batch normalisation, forward { #batch_norm }

# %% tags=["remove-input"]
show_task("batch_norm")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("batch_norm")

# %% [markdown]
# The two modes are two functions. In training the batch is normalised with itself; in evaluation each example is normalised with numbers that were fixed before it came, so its answer cannot depend on its neighbours.
#
# Two variances live here. The one that *normalises* divides by $N$: only then has $\hat x$ exactly the variance $\sigma^2/(\sigma^2 + \varepsilon)$. The one that is *kept* divides by $N - 1$, because it is an estimate for examples that are still to come. It is tempting to take the same for both:


# %%
def my_batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    if not train:
        y = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta
        return y, running_mean, running_var
    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
    y = gamma * (x - mean) / np.sqrt(var + eps) + beta
    running_mean = (1 - momentum) * running_mean + momentum * mean
    return y, running_mean, (1 - momentum) * running_var + momentum * var


report = check(my_batch_norm)
assert report.misconceptions == ["the unbiased variance in the forward pass"]
report

# %% [markdown]
# For a batch of 128 the two differ by less than one per cent, and no loss curve shows it. The comparison with PyTorch does.
#
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("batch_norm")

# %% [markdown]
# ## Batch normalisation, backward { #batch_norm_backward }

# %% tags=["remove-input"]
show_task("batch_norm_backward")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("batch_norm_backward")

# %% [markdown]
# An input $x_{nd}$ reaches the loss by three roads: straight through its own $\hat x_{nd}$, through the mean, and through the variance. The last two lead to *every* example of the batch. Each of the three terms in the bracket belongs to one road:
#
# | Term | Road | What it takes away |
# |---|---|---|
# | `dy` | straight | |
# | `- dbeta / n` | the mean | the part of the gradient that would move all examples alike |
# | `- x_hat * dgamma / n` | the variance | the part that would stretch them |
#
# Moving all examples alike or stretching them changes nothing in $\hat x$, so no gradient may point there. That is a check that needs no derivation: the columns of `dx` sum to 0.
#
# If you take mean and variance for constants, the straight road is all that is left. The gradient then looks plausible, has the right shape, and even the right size:


# %%
def my_batch_norm_backward(dy, x, gamma, eps):
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    return gamma * inv_std * dy, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


report = check(my_batch_norm_backward)
assert report.misconceptions == ["mean and variance taken for constants"]
report

# %% [markdown]
# ### Another way
#
# You need not find the one line. Walk back through the graph, node by node, and write down what each passes on; [the chapter](../layers/batch_norm.py#backward-through-the-graph-node-by-node) does so. It is longer, and each line can be checked by itself.


# %%
def my_batch_norm_backward(dy, x, gamma, eps):
    n = len(x)
    centred = x - x.mean(axis=0)
    std = np.sqrt((centred**2).mean(axis=0) + eps)
    dx_hat = dy * gamma
    dvar = (dx_hat * centred).sum(axis=0) * -0.5 / std**3
    dcentred = dx_hat / std + dvar * 2 * centred / n
    dx = dcentred - dcentred.mean(axis=0)
    return dx, (dy * centred / std).sum(axis=0), dy.sum(axis=0)


report = check(my_batch_norm_backward)
assert report.passed
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("batch_norm_backward")
