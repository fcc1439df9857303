# ---
# title: Neural networks, checked
# description: A book on how neural networks work, whose equations and gradients are checked and whose numbers are computed when it is built.
# template: landing.html
# hide:
#   - navigation
#   - toc
# ---

# %% [markdown]
# # How neural networks work, with checked equations and gradients
#
# You build neural networks from NumPy arrays, forward *and* backward. The chapters derive each step, run it and compare it with PyTorch; a chapter whose equation and code disagree cannot appear.
#
# [Start reading](foundations/reading.py){ .md-button .md-button--primary } [See the chapters](foundations/reading.py#the-chapters-in-order){ .md-button }

# %% tags=["remove-input"]
import matplotlib.pyplot as plt
import numpy as np

from nn_tutorial import SGD, evaluate, fit, gradient_check, iris, linear, linear_backward
from nn_tutorial import predict, two_layer_net
from nn_tutorial.pages.plots import COLORS, show, use_style

SEED = 0
use_style()
flowers = iris(seed=SEED)
petals = [2, 3]  # petal length and width: two measures, so that the plane can be drawn
x_train, x_val, x_test = (x[:, petals] for x in (flowers.x_train, flowers.x_val, flowers.x_test))
mean, std = x_train.mean(0), x_train.std(0)
x_train, x_val, x_test = ((x - mean) / std for x in (x_train, x_val, x_test))

rng = np.random.default_rng(SEED)
net = two_layer_net(2, 10, 3, rng=rng)
before = two_layer_net(2, 10, 3, rng=np.random.default_rng(SEED))
history = fit(
    net,
    (x_train, flowers.y_train),
    (x_val, flowers.y_val),
    optimizer=SGD(net.params, lr=0.1, momentum=0.9),
    epochs=100,
    batch_size=16,
    rng=rng,
)
loss, accuracy = evaluate(net, x_test, flowers.y_test)
right = round(accuracy * len(x_test))

# %% tags=["remove-input"]
names = ("petal length (cm)", "petal width (cm)")
low, high = (x_train.min(0) - 0.4), (x_train.max(0) + 0.4)
across, up = np.meshgrid(np.linspace(low[0], high[0], 160), np.linspace(low[1], high[1], 160))
grid = np.stack([across.ravel(), up.ravel()], 1).astype(np.float32)
fig, axes = plt.subplots(2, 1, figsize=(4.4, 4.9), sharex=True, layout="constrained")
beside = [(2.5, 0.2), (4.3, 0.65), (6.3, 1.35)]  # room for the names, in cm
species = [COLORS["blue"], COLORS["orange"], COLORS["green"]]
for ax, model, title in zip(axes, (before, net), ("before training", "after training"), strict=True):
    region = predict(model, grid).reshape(across.shape)
    cm = across * std[0] + mean[0], up * std[1] + mean[1]
    ax.contourf(*cm, region, levels=[-0.5, 0.5, 1.5, 2.5], colors=species, alpha=0.25)
    for k, marker in enumerate("os^"):
        points = x_train[flowers.y_train == k] * std + mean
        ax.plot(*points.T, marker, color=species[k], markersize=4)
        ax.text(*beside[k], flowers.class_names[k], color=COLORS["text"], ha="center")
    ax.set(title=f"Ten hidden units, {title}", ylabel=names[1])
    ax.grid(visible=False)
axes[-1].set_xlabel(names[0])
show(
    fig,
    name="iris-before-and-after",
    live="iris",
    alt=(
        "Two maps of petal length against petal width with the training flowers of three species. "
        "Before training the network's regions cut across the species; after training three "
        "bands follow them: setosa bottom left, versicolor in the middle, virginica top right."
    ),
    caption=(
        "What a network with ten hidden units answers for every petal, before and after it has "
        f"seen {len(x_train)} flowers {len(history.train_loss)} times. The colours are its answers, "
        "the marks are the flowers. It was trained while this page was built; where scripts run, "
        "another one is trained as you watch."
    ),
)

# %% [markdown]
# Each page is a program. It derives a layer, runs it, compares it with PyTorch and draws what happens, and all of that runs again whenever the book is built. The network of [](#iris-before-and-after) was trained a moment before this page was written, and got {{ right }} of {{ len(x_test) }} unseen flowers right. You will build it yourself: its layers, its gradients and the loop that trains it.
#
# ## What is different here
#
# **Numbers are computed.** Every number in the text that comes from a run was put there by that run.
#
# **Gradients are checked.** Each layer's backward pass is compared with finite differences of its forward pass and with PyTorch. Here is the check of one layer, made for this page:

# %%
rng = np.random.default_rng(SEED)
arrays = [rng.standard_normal(shape) for shape in ((5, 3), (3, 7), (7,))]
report = gradient_check(linear, linear_backward, arrays, rng=rng, names=["x", "weight", "bias"])
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# The largest relative error is {{ report.max_error:.0e }}, which is rounding. Had it been above 1e-6, this page would not exist.
#
# No program checks whether a reason is a good one, or whether what holds on small data holds on large data too. [What the checks do not show](foundations/reading.py#what-the-checks-do-not-show) says more.
#
# **Mistakes are run.** Each chapter makes the classic mistakes on purpose, so that you know their symptoms when you meet them.
#
# ## Try one now
#
# !!! exercise "Write it yourself"
#     - `relu`: ReLU, forward and backward, in a few lines of NumPy. Your browser checks it and names the misunderstanding. [Hints and solution](exercises/relu.py#relu)
#
# ## Where to begin
#
# You need some Python, and to know what a derivative is. [How to read this book](foundations/reading.py) shows in five minutes what the parts of a page mean, and has a map of the chapters.
#
# - New to all of it: read [Notation and shapes](foundations/notation.md), then [Backpropagation by hand](foundations/chain_rule.py), then [ReLU](layers/relu.py), the smallest layer with a backward pass worth deriving.
# - You want to see a network learn: [A two-layer network on Iris](networks/iris.py) trains hundreds of them, and asks which differences are real.
# - You want what other courses leave to you: the backward passes of [batch normalisation](layers/batch_norm.py), [convolution](layers/convolution.py) and [pooling](layers/pooling.py), [a CNN in NumPy](networks/cnn.py) that takes PyTorch's steps, and [autograd from scratch](networks/autograd.py).
# - You are looking for a function: the [API reference](reference/index.md) has its formula, its shapes and what it refuses.
#
# You can download every page as a notebook with its results or as plain Python: this one at its end, the others at their top.
