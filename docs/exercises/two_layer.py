# ---
# title: "Solutions: a two-layer network"
# description: The loss of a whole network and its four gradients solved and explained, walked back one step at a time, with the mask, the transpose and the sum that get lost on the way.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: a two-layer network
#
# Try the exercises before you read on: `python -m nn_tutorial.exercises start` writes the files below for you. They belong to the chapter on [a two-layer network](../networks/iris.py), which has the same network by hand.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

# %% [markdown]
# ## The loss { #two_layer_loss }

# %% tags=["remove-input"]
show_task("two_layer_loss")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("two_layer_loss")

# %% [markdown]
# Nothing is new here but the order. Write the shapes under each line and it can hardly go wrong: $(N, D)\,(D, M) \to (N, M)$, and the bias $(M)$ is added to every row. Then $(N, M)\,(M, C) \to (N, C)$, and each row of scores becomes one loss.
#
# There is one ReLU, between the layers. After the second there is none, since a score may well be negative, and no separate softmax, since the loss has it inside.
#
# ### Another way
#
# A bias is a weight whose input is always 1. Give the input a column of ones and the weight one more row, and both layers are products:


# %%
def my_two_layer_loss(x, labels, weight1, bias1, weight2, bias2):
    ones = np.ones((len(x), 1), x.dtype)
    r = np.maximum(np.hstack([x, ones]) @ np.vstack([weight1, bias1]), 0)
    z = np.hstack([r, ones]) @ np.vstack([weight2, bias2])
    log_p = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    return -log_p[np.arange(len(x)), labels].mean()


report = check(my_two_layer_loss)
assert report.passed
report

# %% [markdown]
# ### A mistake
#
# Here the softmax is taken, and then given to a loss that takes it again. Nothing fails, and the loss looks like a loss:


# %%
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def my_two_layer_loss(x, labels, weight1, bias1, weight2, bias2):
    r = np.maximum(x @ weight1 + bias1, 0)
    p = softmax(r @ weight2 + bias2)
    return -np.log(softmax(p)[np.arange(len(x)), labels]).mean()


report = check(my_two_layer_loss)
assert report.misconceptions == ["softmax applied twice"]
report

# %% [markdown]
# ### What the grader knows
#
# These mistakes are told by name. Each link leads to the section that explains it:

# %% tags=["remove-input"]
show_mistakes("two_layer_loss")

# %% [markdown]
# ## The gradients { #two_layer_gradients }

# %% tags=["remove-input"]
show_task("two_layer_gradients")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("two_layer_gradients")

# %% [markdown]
# The first lines are the forward pass once more, because the way back needs what it made: $r$ for the second weight, $a$ for the gate, $p$ for the beginning.
#
# Then every step back answers the same two questions: *what shape must it have,* and *over which index is the sum?*
#
# | Step | Shapes, and the sum |
# |---|---|
# | `dz` | $(N, C)$, as `z` |
# | `r.T @ dz` | $(M, N)\,(N, C) \to (M, C)$, as `weight2`; over the examples |
# | `dz.sum(axis=0)` | $(N, C) \to (C)$, as `bias2`; over the examples |
# | `dz @ weight2.T` | $(N, C)\,(C, M) \to (N, M)$, as `r`; over the classes |
# | `* (a > 0)` | $(N, M)$, as `a` |
# | `x.T @ da` | $(D, N)\,(N, M) \to (D, M)$, as `weight1`; over the examples |
# | `da.sum(axis=0)` | $(N, M) \to (M)$, as `bias1`; over the examples |
#
# All examples use the same parameters, so what they send back adds up. The $1/N$ of the mean was put into `dz` once. From there it travels through every product by itself, and no second division is needed.
#
# ### Another way
#
# As `einsum`, each gradient is the forward string with its letters exchanged: what you want stands on the right of the arrow, and the summed letters are the ones that are missing there. The gate comes from $r$ this time, with a strict comparison:


# %%
def my_two_layer_gradients(x, labels, weight1, bias1, weight2, bias2):
    r = np.maximum(np.einsum("nd,dm->nm", x, weight1) + bias1, 0)
    z = np.einsum("nm,mc->nc", r, weight2) + bias2
    p = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(x)
    da = np.einsum("nc,mc->nm", dz, weight2) * (r > 0)
    return (
        np.einsum("nd,nm->dm", x, da),
        np.einsum("nm->m", da),
        np.einsum("nm,nc->mc", r, dz),
        np.einsum("nc->c", dz),
    )


report = check(my_two_layer_gradients)
assert report.passed
report

# %% [markdown]
# ### Two mistakes
#
# A gate is a decision of the forward pass. Forget it on the way back, and the first layer learns from units that were shut. The second layer is right all the same, so half of the numbers look good:


# %%
def my_two_layer_gradients(x, labels, weight1, bias1, weight2, bias2):
    r = np.maximum(x @ weight1 + bias1, 0)
    z = r @ weight2 + bias2
    e = np.exp(z - z.max(axis=1, keepdims=True))
    dz = e / e.sum(axis=1, keepdims=True)
    dz[np.arange(len(x)), labels] -= 1
    dz /= len(x)
    dr = dz @ weight2.T
    return x.T @ dr, dr.sum(axis=0), r.T @ dz, dz.sum(axis=0)


report = check(my_two_layer_gradients)
assert report.misconceptions == ["the mask of the ReLU is forgotten"]
report

# %% [markdown]
# Two mistakes at once are told as two, where each of them is whole. Here the sum of the second bias became a mean, and the gate of the ReLU is open at 0 as well:


# %%
def my_two_layer_gradients(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    e = np.exp(z - z.max(axis=1, keepdims=True))
    dz = e / e.sum(axis=1, keepdims=True)
    dz[np.arange(len(x)), labels] -= 1
    dz /= len(x)
    da = dz @ weight2.T * (a >= 0)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.mean(axis=0)


report = check(my_two_layer_gradients)
assert report.misconceptions == ["the gate is open at 0", "the second bias's gradient averaged"]
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("two_layer_gradients")
