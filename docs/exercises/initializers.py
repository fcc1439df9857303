# ---
# title: "Solutions: initialisers"
# description: He's and Xavier's initialisers solved and explained, and how random numbers can be graded at all.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: initialisers
#
# Two exercises belong to the section on [how large the first weights should be](../layers/linear.py#how-large-should-the-first-weights-be). What they return is random, so the grader cannot compare numbers. It compares what should *not* be random: the standard deviation, to five per cent, whether the middle is at 0, how the numbers spread around it (as normal or as uniform ones do), and whether they were drawn independently.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## He's initialiser { #he_normal }

# %% tags=["remove-input"]
show_task("he_normal")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("he_normal")

# %% [markdown]
# One output adds up $n_\text{in}$ products of a weight and an input. The weights are drawn independently and around 0, so the mean squares of the products add. The output's mean square is $n_\text{in}$ times the weight's variance, times that of an input. The weight's variance must undo the $n_\text{in}$: $1/n_\text{in}$. A ReLU then halves the mean square, and the 2 makes up for it.
#
# `standard_normal` has variance 1. A factor $s$ makes it $s^2$: so $s$ is the *root* of $2/n_\text{in}$. And which size is $n_\text{in}$? For a linear weight, the first. For filters it is not: one output pixel adds over the channels and over the kernel's pixels.


# %%
def my_he_normal(shape, rng):
    return rng.standard_normal(shape) * np.sqrt(2 / shape[0])


report = check(my_he_normal)
assert report.misconceptions == ["the first size is always taken"]
report

# %% [markdown]
# It passes for the linear weights and fails for the filters. This happens when code for one layer is used for another.

# %% tags=["remove-input"]
show_mistakes("he_normal")

# %% [markdown]
# ## Xavier's initialiser { #xavier_uniform }

# %% tags=["remove-input"]
show_task("xavier_uniform")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("xavier_uniform")

# %% [markdown]
# Forward, $n_\text{in}$ numbers are added; backward, each input collects from $n_\text{out}$ outputs. Only one of the two variances can be kept, so Xavier takes the mean of both counts: $2/(n_\text{in} + n_\text{out})$.
#
# Uniform numbers between $-a$ and $a$ have the variance $a^2/3$. Set that equal, and $a = \sqrt{6/(n_\text{in} + n_\text{out})}$: the 3 is where the 6 comes from. Put the standard deviation where the bound belongs, and the weights are $\sqrt 3$ times too small:


# %%
def my_xavier_uniform(shape, rng):
    area = 1 if len(shape) == 2 else shape[2] * shape[3]
    deviation = np.sqrt(2 / ((shape[0] + shape[1]) * area))
    return rng.uniform(-deviation, deviation, shape)


report = check(my_xavier_uniform)
assert report.misconceptions == ["the standard deviation taken for the bound"]
report

# %% tags=["remove-input"]
show_mistakes("xavier_uniform")
