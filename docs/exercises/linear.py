# ---
# title: "Solutions: the fully connected layer"
# description: The two exercises on the fully connected layer solved and explained, from the shapes that decide everything to the one gradient that is a sum.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: the fully connected layer
#
# Two exercises belong to the chapter on [the fully connected layer](../layers/linear.py). Try them first: `python -m nn_tutorial.exercises start` writes their files.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## The fully connected layer { #linear }

# %% tags=["remove-input"]
show_task("linear")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("linear")

# %% [markdown]
# The sum over $i$ in the formula is a matrix product, and the shapes say in which order: $(N, I)$ times $(I, K)$ leaves $(N, K)$. The bias has the shape $(K,)$. NumPy compares shapes from the right, finds $K$ under $K$, and adds the same row to each of the $N$ examples. That is *broadcasting*, and it is silent: an array of shape $(N, 1)$ would be added as well, along the other axis, without an error.


# %%
def my_linear(x, weight, bias):
    along_the_batch = np.resize(bias, len(x))[:, None]
    return x @ weight + along_the_batch


report = check(my_linear)
assert report.misconceptions == ["the bias is added along the batch"]
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("linear")

# %% [markdown]
# ## The gradients of the fully connected layer { #linear_backward }

# %% tags=["remove-input"]
show_task("linear_backward")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("linear_backward")

# %% [markdown]
# Three results, and for each of them the shapes leave one way to write it:
#
# | Result | Shape | Made of | Summed over |
# |---|---|---|---|
# | `dx` | $(N, I)$ | `dy` $(N, K)$ and `weight` $(I, K)$ | the outputs $k$ |
# | `dweight` | $(I, K)$ | `x` $(N, I)$ and `dy` $(N, K)$ | the examples $n$ |
# | `dbias` | $(K,)$ | `dy` $(N, K)$ | the examples $n$ |
#
# The last column says why. The input $x_{ni}$ feeds $K$ outputs, so its gradient collects from all of them. The weight $w_{ik}$ and the bias $b_k$ are used by each of the $N$ examples, and where a number is used several times, [its gradients add](../foundations/chain_rule.py#where-two-roads-meet-gradients-add).
#
# Adding is easy to get wrong, because the loss of a batch is a mean. The mean divides by $N$ once, at the loss, and `dy` already carries that division. A layer that divides again makes its gradients too small:


# %%
def my_linear_backward(dy, x, weight):
    return dy @ weight.T, x.T @ dy / len(x), dy.mean(axis=0)


report = check(my_linear_backward)
assert report.misconceptions == ["both parameters' gradients are means"]
report

# %% [markdown]
# The training would still run, with a learning rate that is $N$ times smaller than you think. Nothing in the loss curve says why.
#
# ### Two mistakes at once
#
# Each result is compared with the known mistakes by itself. So a transposed weight gradient and a bias that was not summed are told apart:


# %%
def my_linear_backward(dy, x, weight):
    return dy @ weight.T, dy.T @ x, dy


report = check(my_linear_backward)
assert len(report.misconceptions) == 2
report

# %% [markdown]
# ### Another way
#
# Put a feature that is always 1 beside the others, and the bias becomes one more row of the weight. Then its gradient needs no thought of its own: it is the last row of the same product.


# %%
def my_linear_backward(dy, x, weight):
    with_one = np.hstack([x, np.ones((len(x), 1), x.dtype)])
    both = with_one.T @ dy
    return dy @ weight.T, both[:-1], both[-1]


report = check(my_linear_backward)
assert report.passed
report

# %% [markdown]
# The column of ones takes the type of `x`. Without `x.dtype` it would be float64 and pull a float32 network up with it; the grader would say so.
#
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("linear_backward")
