# ---
# title: "Solutions: a gradient checker"
# description: Central differences in six lines, solved and explained, and what goes wrong when the input is moved and not put back.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: a gradient checker
#
# One exercise belongs to the chapter on [checking gradients](../foundations/gradient_checking.py). It is the tool that tells you whether the others are right.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## A gradient checker { #numerical_gradient }

# %% tags=["remove-input"]
show_task("numerical_gradient")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("numerical_gradient")

# %% [markdown]
# `np.ndindex` visits the elements of an array of any shape, so nothing here knows whether `x` is a vector, a matrix or a batch of images. Each element costs two calls of `f`: a gradient of a million elements costs two million. That is why this is a check and not a way to train.
#
# The copies are the point. Moving the element of `x` itself and forgetting to put it back is the classic mistake, and it has two effects. Each later element is measured at another place, and the caller's array is no longer what it was:


# %%
def my_numerical_gradient(f, x, h):
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += h
        up = f(x)
        x[index] -= 2 * h
        grad[index] = (up - f(x)) / (2 * h)
    return grad


report = check(my_numerical_gradient)
assert report.misconceptions == ["x is moved and never put back"]
report

# %% [markdown]
# With $h = 10^{-6}$ it would not show in the numbers: each element is off by a millionth of something. The grader takes a large $h$, so that it shows.
#
# ### Another way
#
# Moving one element is moving along a unit vector, and the unit vectors are the rows of an identity matrix:


# %%
def my_numerical_gradient(f, x, h):
    units = np.eye(x.size, dtype=x.dtype).reshape(-1, *x.shape)
    slopes = [(f(x + h * unit) - f(x - h * unit)) / (2 * h) for unit in units]
    return np.array(slopes, x.dtype).reshape(x.shape)


report = check(my_numerical_gradient)
assert report.passed
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("numerical_gradient")
