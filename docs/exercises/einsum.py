# ---
# title: "Solutions: einsum"
# description: Five einsum exercises solved and explained, from a row sum to the convolution that is a product of windows and filters.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: einsum
#
# Five exercises belong to the chapter on [einsum](../foundations/einsum.py). The grader looks at what comes out, so a solution without `einsum` passes as well; but the string is what you are here to learn.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## Sums of a matrix { #einsum_sums }

# %% tags=["remove-input"]
show_task("einsum_sums")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("einsum_sums")

# %% [markdown]
# Read a string from the arrow: what stands after it is *kept*. The row sums have one number per row, so `n` is kept and `d` is summed. It is the opposite of `axis`, where you name what disappears. That is why the two are mixed up so often:


# %%
def my_sums(x):
    return np.einsum("nd->d", x), np.einsum("nd->n", x), np.einsum("nd,nd->", x, x)


report = check(my_sums)
assert report.misconceptions == ["rows and columns swapped"]
report

# %% [markdown]
# In the third string `x` meets itself with the same letters, so each number meets itself and nothing else. `ij,kl->` would be the square of the sum.

# %% tags=["remove-input"]
show_mistakes("einsum_sums")

# %% [markdown]
# ## The matrix product { #einsum_matmul }

# %% tags=["remove-input"]
show_task("einsum_matmul")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("einsum_matmul")

# %% [markdown]
# Copy the indices of the formula and cross out everything else. The shared letter `j` makes the second axis of `a` and the first of `b` walk together; it is missing after the arrow, so it is summed. Without the shared letter each operand is summed by itself, which is something else altogether:


# %%
def my_matrix_product(a, b):
    return np.einsum("ij,lk->ik", a, b)


report = check(my_matrix_product)
assert report.misconceptions == ["two letters where one is shared"]
report

# %% tags=["remove-input"]
show_mistakes("einsum_matmul")

# %% [markdown]
# ## A batch of products { #einsum_batch }

# %% tags=["remove-input"]
show_task("einsum_batch")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("einsum_batch")

# %% [markdown]
# One more letter, in three places: in both operands, so that each example meets its own partner, and after the arrow, so that the examples stay apart. For any number of leading axes, three dots do the same:


# %%
def my_batch_product(a, b):
    return np.einsum("...ij,...jk->...ik", a, b)


report = check(my_batch_product)
assert report.passed
report

# %% tags=["remove-input"]
show_mistakes("einsum_batch")

# %% [markdown]
# ## The gradients of a product { #einsum_gradients }

# %% tags=["remove-input"]
show_task("einsum_gradients")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("einsum_gradients")

# %% [markdown]
# The letters of the operand and those of the output change places; `dy` stands where the operand stood. [The chapter](../foundations/einsum.py#the-gradient-of-an-einsum-is-an-einsum) says why this holds for any string. The order of the operands does not matter; the letters after the arrow do: they must be those of the array whose gradient you return.


# %%
def my_product_gradients(dy, a, b):
    return np.einsum("ik,jk->ij", dy, b), np.einsum("ij,ik->kj", a, dy)


report = check(my_product_gradients)
assert report.misconceptions == ["db is transposed"]
report

# %% tags=["remove-input"]
show_mistakes("einsum_gradients")

# %% [markdown]
# ## A convolution over windows { #einsum_windows }

# %% tags=["remove-input"]
show_task("einsum_windows")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("einsum_windows")

# %% [markdown]
# A longer string, and the same reading. An output pixel has an example, a filter and a place: `n`, `f`, `i`, `j` are kept. It adds over channels and over both axes of the window: `c`, `u`, `v` are not. Window and filter share exactly these three.
#
# If the channel has two names, the window is summed over its channels alone, and the filter over its own, before they meet:


# %%
def my_filter_windows(windows, weight):
    return np.einsum("ncijuv,fduv->nfij", windows, weight)


report = check(my_filter_windows)
assert report.misconceptions == ["channels are summed separately"]
report

# %% [markdown]
# The first example of the grader has one channel, so it cannot see this mistake; the one that it shows has more. This is why a test should use sizes that are different from each other and from 1.

# %% tags=["remove-input"]
show_mistakes("einsum_windows")
