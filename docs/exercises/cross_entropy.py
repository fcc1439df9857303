# ---
# title: "Solutions: cross-entropy"
# description: Cross-entropy, its gradient and the fused form solved and explained, with the forgotten 1/N and the infinite loss that a grader can tell by name.
# tags:
#   - exercises
# ---

# %% [markdown]
# # Solutions: cross-entropy
#
# Try the exercises before you read on: `python -m nn_tutorial.exercises start` writes the files below for you. They belong to the chapter on [cross-entropy](../layers/cross_entropy.py).

# %% tags=["hide-input"]
import numpy as np

from nn_tutorial.exercises import check
from nn_tutorial.pages.exercise_boxes import show_mistakes, show_solution, show_task

# %% [markdown]
# ## Of probabilities { #cross_entropy }

# %% tags=["remove-input"]
show_task("cross_entropy")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("cross_entropy")

# %% [markdown]
# The loss reads one probability per row, and the index says so: two arrays of length $N$, one with the row numbers and one with the labels, are read in pairs. A colon instead of `rows` means "every row", and reads the labels of all rows in each of them:

# %%
p = np.array([[1, 2, 3], [1.5, 1.5, 3]]) / 6
labels = np.array([2, 0])
print(p[np.arange(2), labels])
print(p[:, labels])

# %% [markdown]
# The rest follows from left to right: logarithm, minus, mean. The order matters, since the logarithm of a mean is not the mean of the logarithms.
#
# Backwards, the same pairs of indices stand on the left of an equals sign. Whatever was not read has no effect on the loss, so the gradient begins as zeros. Where something was read, the slope of $-\log p$ is $-1/p$. Two factors remain: `dy`, because the chain rule multiplies by the upstream gradient, and $1/N$, because the loss is a mean.
#
# `zeros_like` keeps the type. `np.zeros((N, C))` would turn a float32 network into a float64 one, and the grader would tell you.
#
# ### Another way
#
# Write the labels as rows of zeros and ones, $T$. Then everything is arithmetic on whole tables, as on paper. It does $C$ times the work, and it asks for the logarithm of no probability but the label's:


# %%
def my_cross_entropy(probabilities, labels):
    truth = np.eye(probabilities.shape[1])[labels]
    return -np.log((truth * probabilities).sum(axis=1)).mean()


def my_cross_entropy_backward(dy, probabilities, labels):
    truth = np.eye(probabilities.shape[1], dtype=probabilities.dtype)[labels]
    return -dy * truth / probabilities / len(labels)


report = check(my_cross_entropy, my_cross_entropy_backward)
assert report.passed
report

# %% [markdown]
# ### Two mistakes
#
# With $T$ at hand, a mean over the whole table looks natural. But the table has $N \cdot C$ elements, and only $N$ of them are examples:


# %%
def my_cross_entropy(probabilities, labels):
    truth = np.eye(probabilities.shape[1])[labels]
    return -(truth * np.log(probabilities)).mean()


report = check(my_cross_entropy)
assert report.misconceptions == ["divided by the number of classes as well"]
report

# %% [markdown]
# And the familiar short formula, $(P - T)/N$, is not the gradient that was asked for here. It belongs to the scores, one step further back:


# %%
def my_cross_entropy_backward(dy, probabilities, labels):
    difference = probabilities.copy()
    difference[np.arange(len(labels)), labels] -= 1
    return dy * difference / len(labels)


report = check(my_cross_entropy_backward)
assert report.misconceptions == ["the gradient of the logits"]
report

# %% [markdown]
# ### What the grader knows
#
# These mistakes are told by name. Each link leads to the section that explains it:

# %% tags=["remove-input"]
show_mistakes("cross_entropy")

# %% [markdown]
# ## Fused with softmax { #softmax_cross_entropy }

# %% tags=["remove-input"]
show_task("softmax_cross_entropy")

# %% [markdown]
# ### The solution

# %% tags=["remove-input"]
show_solution("softmax_cross_entropy")

# %% [markdown]
# Follow the shapes. `shifted` and `e` are $(N, C)$, `total` is $(N, 1)$ because the axis was kept, and `total[:, 0]` is $(N)$, to go with the $N$ scores of the labels. Both terms of the loss have had the same maximum subtracted, so it cancels between them.
#
# Why not take the logarithm of the probability, which stands two lines below? Because a probability can round to 0. Let the label's score lie 1500 below the other; the loss of that row is 1500, and no float has to hold $e^{-1500}$ for it:

# %%
row = np.array([1500.0, 0.0])
shifted = row - row.max()
p = np.exp(shifted) / np.exp(shifted).sum()
print("probability of the label ", p[1])
print("loss as a difference     ", np.log(np.exp(shifted).sum()) - shifted[1])
assert p[1] == 0

# %% [markdown]
# The gradient is made in place: the probabilities, less 1 at the label, divided by $N$. Each row of it sums to 0, as each row of softmax's gradient does.
#
# ### Another way
#
# Measure all scores of a row from the label's own. Its loss is then the logarithm of one sum, in which the label's term is $e^0$. `np.logaddexp` adds in logarithms and cannot overflow, so no maximum appears:


# %%
def my_softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    ahead = logits - logits[rows, labels][:, None]
    losses = np.logaddexp.reduce(ahead, axis=1)
    dlogits = np.exp(ahead - losses[:, None])
    dlogits[rows, labels] -= 1
    return losses.mean(), dlogits / len(labels)


report = check(my_softmax_cross_entropy)
assert report.passed
report

# %% [markdown]
# ### Two mistakes
#
# The first, says the chapter, is made more often than any other:


# %%
def my_softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    dlogits = np.exp(shifted) / total
    dlogits[rows, labels] -= 1
    return (np.log(total[:, 0]) - shifted[rows, labels]).mean(), dlogits


report = check(my_softmax_cross_entropy)
assert report.misconceptions == ["dlogits not divided by the batch size"]
report

# %% [markdown]
# The second is right in every test but one. There the probability of a label rounds to 0, and the loss is infinite. The gradient is right all the same:


# %%
def my_softmax_cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(labels)


report = check(my_softmax_cross_entropy)
assert report.misconceptions == ["the logarithm of a probability that rounds to 0"]
report

# %% [markdown]
# ### What the grader knows

# %% tags=["remove-input"]
show_mistakes("softmax_cross_entropy")
