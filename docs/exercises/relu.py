# ---
# title: "Solutions: ReLU"
# description: The ReLU exercise solved and explained, with what the grader says to the most common mistakes.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: ReLU
#
# Try the exercise before you read on: `python -m nn_tutorial.exercises start` writes the file below for you. It belongs to the chapter on [ReLU](../layers/relu.py).

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import EXERCISES, check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## ReLU, forward and backward { #relu }

# %% tags=["remove-input"]
show_task("relu")

# %% [markdown]
# ### The solution
#
# The output keeps the positive elements of the input and replaces the others by 0. `np.maximum` compares an array with a number, element by element, and returns a new array:

# %% tags=["remove-input"]
show_solution("relu")

# %% [markdown]
# Backwards, each element of the output belongs to one element of the input, its own. Where that was positive, the output followed it with slope 1, so the gradient passes as it is. Elsewhere the output stayed 0 whatever the input did, so nothing passes. `x > 0` holds that decision, and the product applies it.
#
# Two things are easily overlooked. The comparison is strict: at 0 the book's choice is "no gradient". And the product keeps the type: true and false times float32 is float32.
#
# Written in a notebook, with `my_` before the names, it is checked like this:


# %%
def my_relu(x):
    return np.maximum(x, 0)


def my_relu_backward(dy, x):
    return dy * (x > 0)


report = check(my_relu, my_relu_backward)
assert report.passed
report

# %% [markdown]
# ### Another way
#
# Since $y > 0$ exactly where $x > 0$, the output would do as well as the input, and it need not be stored twice. What does *not* do is $y \ge 0$, which is always true:


# %%
def my_relu_backward(dy, x):
    y = np.maximum(x, 0)
    return dy * (y >= 0)


report = check(my_relu_backward)
assert report.misconceptions == ["every gate is open"]
report

# %% [markdown]
# ### What the grader knows
#
# These mistakes are told by name. Each link leads to the section that explains it:

# %% tags=["remove-input"]
show_mistakes("relu")
