# ---
# title: "Solutions: convolution"
# description: Convolution written forward and backward with stride and padding, and the mistakes that the sizes alone do not show.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: convolution
#
# Two exercises belong to the chapter on [convolution](../layers/convolution.py). Write them with loops first; the grader does not ask for speed.

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

SEED = 0

# %% [markdown]
# ## Convolution, forward { #conv2d }

# %% tags=["remove-input"]
show_task("conv2d")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("conv2d")

# %% [markdown]
# Pad first. Then nothing below has to think about the border: window $(i, j)$ begins at row $s\,i$ and column $s\,j$ of the padded image, always. `sliding_window_view` shows every window without copying a pixel, and the slices `::stride` keep every $s$-th of them. What is left is [a sum of products over $c$, $u$ and $v$](einsum.py#einsum_windows).
#
# The stride has two jobs: it sets how *many* windows there are, and *where* each begins. Do the first and forget the second, and the output has the right shape:


# %%
def my_conv2d(x, weight, bias, stride, padding):
    image = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = weight.shape[2:]
    height = (image.shape[2] - kh) // stride + 1
    width = (image.shape[3] - kw) // stride + 1
    y = np.zeros((len(x), len(weight), height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            window = image[:, :, i : i + kh, j : j + kw]
            y[:, :, i, j] = np.einsum("ncuv,fcuv->nf", window, weight) + bias
    return y


report = check(my_conv2d)
assert report.misconceptions == ["the stride is in the size only"]
report

# %% [markdown]
# A test with stride 1 passes, and so does any test that looks at shapes. With `a, b = stride * i, stride * j` and the window from there, this is a right solution, and the easiest one to read.
#
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("conv2d")

# %% [markdown]
# ## Convolution, backward { #conv2d_backward }

# %% tags=["remove-input"]
show_task("conv2d_backward")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("conv2d_backward")

# %% [markdown]
# The loop runs over the places $(u, v)$ of the kernel. For one such place, `rows` and `columns` pick the pixel that each window has there: an array of the output's shape. In the forward pass this pixel met `weight[:, :, u, v]`. Now each of the two gets the upstream gradient times the other one, and that is the whole of it.
#
# Three things are easily lost. Windows overlap, so the same pixel comes up for several $(u, v)$: add. The padded image is what the forward pass read, so it is what both gradients work on. And the padding is no input: it is cut off on *both* sides at the end, from `padding` to `padding + h`. Cut only the end, and everything is shifted:


# %%
def my_conv2d_backward(dy, x, weight, stride, padding):
    image = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dimage, dweight = np.zeros_like(image), np.zeros_like(weight)
    kh, kw = weight.shape[2:]
    for i, j in np.ndindex(*dy.shape[2:]):
        a, b = stride * i, stride * j
        d = dy[:, :, i, j]
        dweight += np.einsum("nf,ncuv->fcuv", d, image[:, :, a : a + kh, b : b + kw])
        dimage[:, :, a : a + kh, b : b + kw] += np.einsum("nf,fcuv->ncuv", d, weight)
    h, w = x.shape[2:]
    return dimage[:, :, :h, :w], dweight, dy.sum(axis=(0, 2, 3))


report = check(my_conv2d_backward)
assert report.misconceptions == ["the padding is cut off on one side"]
report

# %% [markdown]
# ### Another way
#
# With stride 1 the gradient of the input is again a convolution: of `dy`, with the kernel rotated by 180° and with filters and channels swapped. [The chapter](../layers/convolution.py#the-kernel-comes-back-rotated) shows why. With a larger stride, `dy` is first spread out, with zeros in between. It is a nice theorem and a good source of mistakes; adding where the forward pass has read needs no theorem.
#
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("conv2d_backward")
