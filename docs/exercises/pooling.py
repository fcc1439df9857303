# ---
# title: "Solutions: pooling"
# description: Max and average pooling written forward and backward, with ties, overlaps, and the gradient that has to go somewhere.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: pooling
#
# Four exercises belong to the chapter on [pooling](../layers/pooling.py). Kernel and stride are the same along both axes, and there is no padding.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## Max pooling, forward { #max_pool2d }

# %% tags=["remove-input"]
show_task("max_pool2d")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("max_pool2d")

# %% [markdown]
# All windows as a view, every `stride`-th of them, and the maximum over the two axes of the window. A loop works too, if it begins its search at the right place. Begun at 0, it looks right as long as the layer before was a ReLU:


# %%
def my_max_pool2d(x, kernel_size, stride):
    height = (x.shape[2] - kernel_size) // stride + 1
    width = (x.shape[3] - kernel_size) // stride + 1
    y = np.zeros((*x.shape[:2], height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            for u in range(kernel_size):
                for v in range(kernel_size):
                    pixel = x[:, :, stride * i + u, stride * j + v]
                    y[:, :, i, j] = np.maximum(y[:, :, i, j], pixel)
    return y


report = check(my_max_pool2d)
assert report.misconceptions == ["never below 0"]
report

# %% tags=["remove-input"]
show_mistakes("max_pool2d")

# %% [markdown]
# ## Max pooling, backward { #max_pool2d_backward }

# %% tags=["remove-input"]
show_task("max_pool2d_backward")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("max_pool2d_backward")

# %% [markdown]
# Raise the winner a little, and the output follows with slope 1. Raise any other pixel a little, and nothing happens. So all of the gradient goes to the winner. `argmax` looks through the window in reading order and returns the *first* of equal values, which is the rule of this book and of PyTorch.
#
# Where windows overlap, one pixel may win in several of them, and then it collects from each. Comparing with the maximum seems shorter, but forgets that two may be equal:


# %%
def my_max_pool2d_backward(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for i, j in np.ndindex(*dy.shape[2:]):
        a, b = stride * i, stride * j
        window = x[:, :, a : a + kernel_size, b : b + kernel_size]
        winner = window == window.max(axis=(2, 3), keepdims=True)
        dx[:, :, a : a + kernel_size, b : b + kernel_size] += winner * dy[:, :, i : i + 1, j : j + 1]
    return dx


report = check(my_max_pool2d_backward)
assert report.misconceptions == ["the gradient goes to every tied maximum"]
report

# %% [markdown]
# Are ties rare? After a ReLU they are not: [a window of zeros](../networks/pooling_buys.py#equal-maxima-after-a-relu-how-often) is all ties.

# %% tags=["remove-input"]
show_mistakes("max_pool2d_backward")

# %% [markdown]
# ## Average pooling, forward { #avg_pool2d }

# %% tags=["remove-input"]
show_task("avg_pool2d")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("avg_pool2d")

# %% [markdown]
# The same windows, and a mean instead of the maximum. A window of side $k$ has $k^2$ pixels. If you add them up by hand, divide by that number, not by $k$ or the stride:


# %%
def my_avg_pool2d(x, kernel_size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), (2, 3))
    return np.einsum("ncijuv->ncij", windows[:, :, ::stride, ::stride]) / stride**2


report = check(my_avg_pool2d)
assert report.misconceptions == ["divided by the stride's square"]
report

# %% [markdown]
# With the usual stride, the kernel's own size, this is right. That is why the grader uses others as well.

# %% tags=["remove-input"]
show_mistakes("avg_pool2d")

# %% [markdown]
# ## Average pooling, backward { #avg_pool2d_backward }

# %% tags=["remove-input"]
show_task("avg_pool2d_backward")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("avg_pool2d_backward")

# %% [markdown]
# A mean rises by $1/k^2$ if one of its pixels rises by 1. So each pixel gets this share of the upstream gradient, from every window that it lies in. The loop runs over the places $(u, v)$ in the window; for each of them, the slices pick one pixel of every window at once.
#
# A check without a derivation: where windows lie side by side and cover the image, the sum of `dx` is the sum of `dy`. Nothing is lost, and nothing is made. The mistake that breaks it is as common as the one in the forward pass:


# %%
def my_avg_pool2d_backward(dy, x, kernel_size, stride):
    dx = np.zeros_like(x)
    for i, j in np.ndindex(*dy.shape[2:]):
        a, b = stride * i, stride * j
        dx[:, :, a : a + kernel_size, b : b + kernel_size] += dy[:, :, i : i + 1, j : j + 1]
    return dx


report = check(my_avg_pool2d_backward)
assert report.misconceptions == ["the share is not divided"]
report

# %% tags=["remove-input"]
show_mistakes("avg_pool2d_backward")
