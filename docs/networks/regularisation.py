# ---
# title: Regularisation
# description: Dropout, weight decay, early stopping and augmentation, each derived and made by hand, and compared on small training sets where the network without them is tuned as carefully.
# tags:
#   - networks
# ---

# %% [markdown]
# # Regularisation
#
# A network with enough weights can learn its training examples by heart, and then the training loss says nothing about new ones. This chapter derives what dropout, weight decay, early stopping and augmentation do about it, and measures what each of them is worth when the network without it is tuned as carefully.
#
# You need [optimisers](optimizers.py), for the steps of SGD and Adam, and [the network on Iris](iris.py), for the parts of the data: training, validation, test.

# %% tags=["hide-input"]
import inspect
from fractions import Fraction
from functools import partial
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from nn_tutorial import (
    SGD,
    Adam,
    AdamW,
    Dropout,
    ReLU,
    Sequential,
    digits,
    dropout,
    dropout_backward,
    evaluate,
    fit,
    fit_many,
    gradient_check,
    holm,
    mlp,
    paired,
    predict,
    softmax,
    softmax_cross_entropy,
    stratified_split,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid
from nn_tutorial.pages.show import power, show_certificate, show_equations

SEED = 0
use_style()
F = Fraction
SETS, EPOCHS, BATCH = 12, 60, 25
SPLIT = digits(sizes=(1200, 200, 397), seed=SEED)


def flat(images):
    return images.reshape(len(images), -1)


def misread(labels, rng):
    """The labels, of which a fifth now name another digit."""
    which = rng.choice(len(labels), len(labels) // 5, replace=False)
    labels = labels.copy()
    labels[which] = (labels[which] + rng.integers(1, 10, len(which))) % 10
    return labels


# Twelve training sets of 100 pictures that share none, with right and with partly wrong labels.
draw = np.random.default_rng(SEED)
parts = stratified_split(SPLIT.y_train, [100] * SETS, rng=draw)
RIGHT = [(SPLIT.x_train[part], SPLIT.y_train[part]) for part in parts]
WRONG = [(images, misread(labels, draw)) for images, labels in RIGHT]
VAL, TEST = (flat(SPLIT.x_val), SPLIT.y_val), (flat(SPLIT.x_test), SPLIT.y_test)


def network(rng, p=0.0, hidden=(128,), kind=Dropout):
    """A perceptron, with dropout behind each ReLU if p is not 0."""
    layers = []
    for layer in mlp(64, hidden, 10, rng=rng).layers:
        layers.append(layer)
        if p and isinstance(layer, ReLU):  # its masks leave the order of the pictures alone
            layers.append(kind(p, rng=rng.spawn(1)[0]))
    return Sequential(*layers)


def train_one(labels, *, hidden=(128,), p=0.0, kind=Dropout, lr=0.01, seed=SEED, **options):
    """A network on the first training set, with these labels; and its history."""
    rng = np.random.default_rng(seed)
    net = network(rng, p, hidden, kind)
    options = {"validation": VAL, "epochs": EPOCHS, "keep_best": False} | options
    history = fit(net, (flat(RIGHT[0][0]), labels), optimizer=Adam(net.params, lr),
                  batch_size=BATCH, rng=rng, **options)  # fmt: skip
    return net, history


# %% tags=["remove-input"]
_, history = train_one(WRONG[0][1])
best = int(np.argmin(history.val_loss))
fig, ax = plt.subplots(figsize=(5.0, 3.2))
epochs = np.arange(1, EPOCHS + 1)
ax.plot(epochs, history.train_loss, color=COLORS["blue"])
ax.plot(epochs, history.val_loss, "--", color=COLORS["orange"])
ax.axvline(best + 1, color=COLORS["muted"], linewidth=1)
ax.plot(best + 1, history.val_loss[best], "o", color=COLORS["text"])
ax.text(best + 2, 1.75, f"stop here,\nepoch {best + 1}", va="center")
ax.text(30, 1.12, "validation", color=COLORS["orange"], ha="right")
ax.text(21, 0.24, "training", color=COLORS["blue"])
ax.annotate("", (50, history.val_loss[49]), (50, history.train_loss[49]),
            arrowprops={"arrowstyle": "<->", "color": COLORS["muted"]})  # fmt: skip
ax.text(49, 0.55, "generalisation\ngap", ha="right", va="center")
ax.set(xlabel="epoch", ylabel="loss (nats)", ylim=(0, 2.6), title="What is learnt last is learnt by heart")
last = history.train_loss[-1], history.val_loss[-1]
show(
    fig,
    name="overfitting",
    alt=(
        f"Training and validation loss over {EPOCHS} epochs. The training loss falls to "
        f"{last[0]:.2f}. The validation loss falls to {history.val_loss[best]:.2f} in epoch "
        f"{best + 1} and then rises to {last[1]:.2f}; the gap between the two grows all the time."
    ),
    caption=(
        f"From epoch {best + 1} on, what still helps on the training pictures does harm on others. "
        "A network with 128 hidden units saw 100 pictures of digits, 20 of them with a wrong "
        "label. The dot is where early stopping would end the training."
    ),
)
assert last[0] < 0.1 and last[1] > history.val_loss[best] + 0.2 and best < 15

# %% [markdown]
# ## The symbols
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$, $Y$ | `x`, `y` | $(N, D)$ | what goes into dropout and what comes out |
# | $p$ | `p` | one number | the probability that dropout drops an element |
# | $M$ | | $(N, D)$ | the mask: 1 is kept, 0 is dropped |
# | $M/(1 - p)$ | `scale` | $(N, D)$ | what the code keeps for the backward pass |
# | $\theta$, $g$ | `p`, `g` | any | in optimisers: a parameter and its gradient |
# | $\eta$ | `lr` | one number | learning rate |
# | $\lambda$ | `weight_decay` | one number | strength of the decay; here it is not a curvature |
# | $E[\,\cdot\,]$ | | | the mean over all masks, each with its probability |
#
# ## Learning by heart is easy
#
# **Overfitting** is learning what holds for the training examples only. **Underfitting** is the opposite: the network has not even learnt what it was shown. The **generalisation gap** is the difference between the loss on new examples and the loss on the training examples. A remedy for overfitting makes the gap smaller, at some cost in the training loss; that is **regularisation**. If it costs too much, the network underfits.
#
# How much can a network learn by heart? [@zhang2017] gave large networks images with *random* labels, and they learnt them all. Here are 100 digits, with their own labels and with the same labels dealt out anew at random. The third network has only two hidden units.

# %%
own = RIGHT[0][1]
dealt = np.random.default_rng(SEED).permutation(own)
memory = {}
for name, labels, hidden in (
    ("own labels", own, 128), ("dealt labels", dealt, 128), ("own, 2 units", own, 2),
):  # fmt: skip
    net, _ = train_one(labels, hidden=(hidden,))
    seen = evaluate(net, flat(RIGHT[0][0]), labels)[1]
    memory[name] = seen, evaluate(net, *VAL)[1]
    print(f"{name:13} training {seen:4.0%}, validation {memory[name][1]:4.0%}")
assert memory["own labels"][0] == memory["dealt labels"][0] == 1
assert memory["dealt labels"][1] < 0.2 < memory["own labels"][1] - 0.5
assert memory["own, 2 units"][0] < 0.5

# %% [markdown]
# The first two are perfect on what they saw, and one of them knows nothing. So the training accuracy cannot tell you which of the two you have. Only pictures that were kept out can, and that is what the **validation set** is for. The third network underfits: it is bad on both.
#
# ## Dropout by hand
#
# Dropout ([@srivastava2014]) sets each element to 0 with probability $p$, by a mask that is drawn anew in each step, and enlarges what is left by $1/(1 - p)$. This form is called **inverted dropout**: the paper scales the weights down in evaluation, and this scales up in training, which comes to the same and leaves evaluation alone. (The paper's $p$ is the probability to *keep*. Ours, and PyTorch's, is the probability to drop.)
#
# Four numbers, $p = \tfrac14$, so the scale is $\tfrac43$. The second element is dropped:
#
# | | | | | |
# |---|---|---|---|---|
# | $x$ | 3 | 6 | 9 | $-3$ |
# | mask $m$ | 1 | 0 | 1 | 1 |
# | $y = \tfrac43\, m\, x$ | 4 | 0 | 12 | $-4$ |
# | $\partial L/\partial y$ | 6 | 9 | $-3$ | 0 |
# | $\partial L/\partial x = \tfrac43\, m\, \partial L/\partial y$ | 8 | 0 | $-4$ | 0 |
#
# The gradient goes back through the same gates. The second element gets nothing, although its upstream gradient is 9: it had no say in the output.

# %%
x, dy = np.array([[3.0, 6.0, 9.0, -3.0]]), np.array([[6.0, 9.0, -3.0, 0.0]])
mask = [1, 0, 1, 1]
for seed in range(100):  # the first generator that draws this mask
    y, scale = dropout(x, 1 / 4, np.random.default_rng(seed))
    if ((scale[0] > 0) == mask).all():
        break
dx = dropout_backward(dy, scale)
assert (y == [[4, 0, 12, -4]]).all() and (dx == [[8, 0, -4, 0]]).all()

# %% tags=["remove-input"]
fig, axes = plt.subplots(5, 1, figsize=(4.0, 4.9))
dropped = np.array([mask]) == 0
for ax, values, title, color in (
    (axes[0], x, "x", "blue"), (axes[1], np.array([mask]), "mask, drawn for this step", "blue"),
    (axes[2], y, "y = 4/3 · mask · x", "blue"), (axes[3], dy, "∂L/∂y comes back", "orange"),
    (axes[4], dx, "∂L/∂x = 4/3 · mask · ∂L/∂y", "orange"),
):  # fmt: skip
    value_grid(ax, values, highlight=dropped, color=color)
    ax.set_title(title, fontsize=10, fontweight="normal")
show(
    fig,
    name="one-mask",
    alt=(
        "Five rows of four numbers. x: 3, 6, 9, −3. Mask: 1, 0, 1, 1. y: 4, 0, 12, −4. The "
        "gradient of y: 6, 9, −3, 0. The gradient of x: 8, 0, −4, 0. The second column, which the "
        "mask shuts, is tinted: 0 in y and 0 in the gradient of x."
    ),
    caption=(
        "One mask for both directions. In the tinted column nothing passes, neither the 6 on its "
        "way up nor the 9 on its way back; everywhere else both are multiplied by 4/3."
    ),
)

# %% [markdown]
# ## Why the scale is what it is
#
# **One number.** It is kept with probability $1 - p$ and then is $x/(1 - p)$; else it is 0. So its mean is
#
# $$E[y] = (1 - p)\cdot\frac{x}{1 - p} + p\cdot 0 = x$$
#
# On average nothing changes, and so evaluation can leave the layer out. Any other factor would make $E[y]$ another number than the $x$ that evaluation uses.
#
# **Its spread.** $E[y^2] = (1 - p)\,x^2/(1 - p)^2 = x^2/(1 - p)$. Subtract the square of the mean:
#
# $$\operatorname{Var}[y] = \frac{x^2}{1 - p} - x^2 = \frac{p}{1 - p}\,x^2$$
#
# Dropout is noise, and the noise of an element is proportional to that element.
#
# **All elements, and backward.** For each element, $y_{nd} = m_{nd}\,x_{nd}/(1 - p)$. Once the mask is drawn, it is a constant: $y_{nd}$ is a straight line in $x_{nd}$ and depends on no other element. Its slope is $m_{nd}/(1 - p)$, so the chain rule has one term:
#
# $$\frac{\partial L}{\partial x_{nd}} = \frac{\partial L}{\partial y_{nd}}\cdot\frac{m_{nd}}{1 - p}$$
#
# All arrays have the shape $(N, D)$, and $\odot$ multiplies them element by element:
#
# <!-- equation dropout-pair -->
#
# $$\boxed{Y = \frac{M \odot X}{1 - p}, \qquad \frac{\partial L}{\partial X} = \frac{M}{1 - p} \odot \frac{\partial L}{\partial Y}}$$
#
# **Easily overlooked.** $E[y] = x$ does not say that evaluation gives the mean of what training gives. A bend follows, and the mean of a bent number is not the bend of the mean. Let a unit with the weights $(1, -2, 1, 0)$ and a ReLU read our $y$. Evaluation uses $x$: the sum is $3 - 12 + 9 = 0$, and the ReLU gives 0. In training the sum is positive for some masks and negative for others, and the ReLU keeps the positive ones. There are sixteen masks, so the mean can be exact:

# %%
p, hand, weights, target = F(1, 4), np.array([F(3), F(6), F(9), F(-3)]), np.array([1, -2, 1, 0]), 6
mean = {"y": 0, "sum": 0, "after the ReLU": 0, "loss": 0}
for m in product((0, 1), repeat=4):
    chance = (1 - p) ** sum(m) * p ** (4 - sum(m))
    out = np.array(m) * hand / (1 - p)
    total = weights @ out
    mean["y"] = mean["y"] + chance * out
    mean["sum"] += chance * total
    mean["after the ReLU"] += chance * max(total, 0)
    mean["loss"] += chance * (total - target) ** 2 / 2

assert (mean["y"] == hand).all()  # exactly
assert mean["sum"] == weights @ hand == 0  # a linear layer keeps the mean
assert mean["after the ReLU"] == 3  # a bend does not: evaluation gives 0

# %% [markdown]
# So after a bend, evaluation only approximates the mean over the masks. [The first mistake](#1-dropout-left-on-in-evaluation) measures how well.
#
# **What the noise asks for.** The code has also averaged a squared error, $\tfrac12(w^\top y - t)^2$ with the target $t = 6$. The mean of a square is the square of the mean plus the variance, and the variances of independent elements add up:
#
# $$E\big[\tfrac12 (w^\top y - t)^2\big] = \tfrac12 (w^\top x - t)^2 + \frac{p}{2(1 - p)} \sum_d w_d^2\, x_d^2$$
#
# With our numbers that is $18 + \tfrac16\,(9 + 144 + 81) = 57$. The second term is a penalty on large weights. So on a linear unit dropout *is* a weight decay, with a strength that depends on how large the inputs are. ([@wager2013] follow this beyond linear units.) That leads to the next remedy.

# %%
penalty = p / (2 * (1 - p)) * sum(weights**2 * hand**2)
assert mean["loss"] == F(1, 2) * (weights @ hand - target) ** 2 + penalty == 57

# %% [markdown]
# ## The code says the same
#
# The line `scale *= 1 / (1 - p)` makes the mask into $M/(1 - p)$, and then each direction of [](#dropout-pair) is one product:

# %% tags=["remove-input"]
show_source(dropout, dropout_backward)

# %% tags=["remove-input"]
show_equations("dropout", "Y", "dX")

# %% tags=["remove-input"]
show_source(Dropout.forward)

# %% [markdown]
# In evaluation the layer returns `x`. That is all that `train` decides here.
#
# ## Weight decay: a pull on each weight
#
# Add to the loss half of $\lambda$ times the squared length of all parameters. This is the **L2 penalty**. Its gradient is $\lambda\theta$, and SGD steps along the sum:
#
# <!-- equation decay -->
#
# $$\boxed{\theta' = \theta - \eta\,(g + \lambda\theta) = (1 - \eta\lambda)\,\theta - \eta g}$$
#
# The second form is the first with $\theta$ taken out, and it gives **weight decay** its name: each step first shrinks the weight by the factor $1 - \eta\lambda$. With plain SGD, penalty and shrinking are the same thing. ([@krogh1991] show how it helps a linear unit that learns from noisy examples.)
#
# With Adam they are not. Take $\theta = (8, -4)$, $g = (2, 4)$, $\eta = \tfrac12$ and $\lambda = \tfrac14$. Adam's first step is $\eta$ times the sign of what it is given:
#
# | | what Adam is given | after one step |
# |---|---|---|
# | SGD, either way | | $\tfrac78(8, -4) - \tfrac12(2, 4) = (6, -\tfrac{11}{2})$ |
# | Adam without decay | $(2, 4)$ | $(8, -4) - (\tfrac12, \tfrac12) = (\tfrac{15}{2}, -\tfrac92)$ |
# | Adam, penalty in the gradient | $g + \lambda\theta = (4, 3)$ | $(8, -4) - (\tfrac12, \tfrac12) = (\tfrac{15}{2}, -\tfrac92)$ |
# | AdamW, decay beside the step | $(2, 4)$ | $\tfrac78(8, -4) - (\tfrac12, \tfrac12) = (\tfrac{13}{2}, -4)$ |
#
# In the third row the penalty has done *nothing*: Adam divides by the size of what it is given, and the signs were the same. [@loshchilov2019] therefore take the decay out of the gradient and put it beside the step, which is AdamW, the fourth row. ([Schedules](schedules.py#adamw-decay-that-passes-by-the-division) has the derivation for later steps.)

# %%
exact = np.array([F(8), F(-4)])
SGD({"w": exact}, F(1, 2), weight_decay=F(1, 4)).step({"w": np.array([F(2), F(4)])})
assert exact.tolist() == [6, F(-11, 2)]

for kind, decay, expected in (
    (Adam, 0, (7.5, -4.5)), (Adam, 0.25, (7.5, -4.5)), (AdamW, 0.25, (6.5, -4.0)),
):  # fmt: skip
    theta = np.array([8.0, -4.0])
    kind({"w": theta}, 0.5, weight_decay=decay).step({"w": np.array([2.0, 4.0])})
    assert np.allclose(theta, expected, rtol=0, atol=1e-7)  # ε takes a little

# %% tags=["remove-input"]
show_source(AdamW.step)

# %% [markdown]
# `p *= 1 - self.lr * self.weight_decay` is the factor in [](#decay), and the step of Adam that follows gets $g$ alone.
#
# Which weights does each of them shrink? Some pixels are white in all 100 pictures, so their weights never get a gradient from the loss. Whatever happens to them comes from the decay alone.

# %% tags=["remove-input"]
white = flat(RIGHT[0][0]).max(axis=0) == 0
ways = {
    "no decay": partial(Adam, lr=0.003),
    "L2 in Adam": partial(Adam, lr=0.003, weight_decay=0.003),
    "AdamW": partial(AdamW, lr=0.003, weight_decay=0.3),
}
sizes = {}
for name, make in ways.items():
    rng = np.random.default_rng(SEED)
    net = network(rng)
    optimizer, sizes[name] = make(net.params), []
    for _ in range(EPOCHS + 1):
        found = np.abs(net.params["0.weight"])
        sizes[name].append((found[white].mean(), found[~white].mean()))
        fit(net, (flat(RIGHT[0][0]), own), optimizer=optimizer, epochs=1, batch_size=BATCH, rng=rng,
            keep_best=False)  # fmt: skip
sizes = {name: np.array(values) / values[0] for name, values in sizes.items()}
fig, panels = plt.subplots(2, 1, figsize=(5.0, 5.0), sharex=True, sharey=True)
for values, color, style in zip(
    sizes.values(), ("text", "orange", "blue"), (":", "--", "-"), strict=True
):
    for k, ax in enumerate(panels):
        ax.plot(range(EPOCHS + 1), values[:, k], style, color=COLORS[color])
for k, name, place, color in (
    (0, "no decay", (45, 1.05), "text"), (0, "AdamW", (45, 0.71), "blue"),
    (0, "L2 in Adam", (17, 0.32), "orange"), (1, "no decay", (26, 1.18), "text"),
    (1, "AdamW", (45, 0.9), "blue"), (1, "L2 in Adam", (36, 0.5), "orange"),
):  # fmt: skip
    panels[k].text(*place, name, color=COLORS[color])
panels[0].set(title="Weights of pixels that are always white", ylim=(0, 1.35))
panels[1].set(title="All other weights", xlabel="epoch")
fig.supylabel("mean size, as a share of that at the start", fontsize=10)
ends = {name: values[-1] for name, values in sizes.items()}
expected = (1 - 0.003 * 0.3) ** (EPOCHS * 4)
show(
    fig,
    name="which-weights",
    alt=(
        "Mean size of the first layer's weights over the epochs. Weights without any gradient end at "
        f"{ends['L2 in Adam'][0]:.0%} with L2 in Adam and {ends['AdamW'][0]:.0%} with AdamW. The "
        f"other weights end at {ends['no decay'][1]:.0%} without decay, "
        f"{ends['L2 in Adam'][1]:.0%} with L2 and {ends['AdamW'][1]:.0%} with AdamW."
    ),
    caption=(
        "L2 inside Adam wipes out the weights on which the loss has no say, at full speed, because "
        "Adam's division makes every small gradient large. AdamW shrinks all weights by one factor "
        "per step, and the loss pulls those it needs back up."
    ),
)
assert ends["no decay"][0] == 1 and ends["L2 in Adam"][0] < 0.05
assert abs(ends["AdamW"][0] / expected - 1) < 1e-3
assert ends["L2 in Adam"][1] > 10 * ends["L2 in Adam"][0] and ends["AdamW"][1] > ends["AdamW"][0]

# %% [markdown]
# After {{ EPOCHS }} epochs of 4 steps AdamW has left $(1 - \eta\lambda)^{240}$ of these weights, {{ f"{expected:.0%}" }}. L2 in Adam has left {{ f"{ends['L2 in Adam'][0]:.0%}" }}. So the same $\lambda$ means different things to the two, and each needs its own search.
#
# **L1** is the other common penalty, $\lambda\sum|\theta|$. Its gradient is $\lambda$ times the sign: a pull of constant length, however small the weight has become. So L1 makes weights exactly 0, where L2 only makes them small. With a loss of $\tfrac12(\theta - a)^2$ and $\lambda = 1$, the best $\theta$ for $a = 4$ is 2 with L2 and 3 with L1; for $a = 1$ it is $\tfrac12$ with L2 and 0 with L1.

# %%
thetas = np.arange(-400, 401) / 100
for a, with_l2, with_l1 in ((4, 2, 3), (1, 0.5, 0)):
    error = (thetas - a) ** 2 / 2
    assert thetas[(error + thetas**2 / 2).argmin()] == with_l2
    assert thetas[(error + np.abs(thetas)).argmin()] == with_l1

# %% [markdown]
# ## Early stopping: the epoch is a setting too
#
# **Early stopping** watches the validation loss, ends the training when it has not fallen for some epochs, and goes back to the best of them. How many epochs you wait is the *patience*. A validation curve is ragged, so the first rise is a bad place to stop; [@prechelt1998] compares such rules, and finds that waiting longer buys a little and costs much time. Here it is an argument of `fit`, and two of its lines do the work:

# %%
lines = inspect.getsource(fit)
assert "epoch - history.best_epoch >= patience" in lines  # then the loop ends
assert "state[name][...] = value" in lines  # and the best parameters come back

_, stopped = train_one(WRONG[0][1], patience=5, keep_best=True)
print(f"ran {len(stopped.val_loss)} epochs, kept epoch {stopped.best_epoch + 1}")
assert stopped.best_epoch == best and len(stopped.val_loss) == best + 6

# %% [markdown]
# Why should less training be a remedy? Weights begin small and have to travel to where the training pictures are known by heart. On a parabola with the curvature $h$ and its bottom at $a$, $k$ steps from 0 reach $\big(1 - (1 - \eta h)^k\big)\,a$. Weight decay on the same parabola ends at $\frac{h}{h + \lambda}\,a$. Both keep nearly all of $a$ where the curvature is large, and little where it is small: where the examples hardly care, the weights stay near 0. Here $\lambda = 1/(\eta k)$, which makes the two alike:

# %%
eta, steps, share = 0.5, 20, {}
for h in (1.0, 0.1, 0.01):
    theta = np.zeros(1)
    optimizer = SGD({"theta": theta}, eta)
    for _ in range(steps):
        optimizer.step({"theta": h * (theta - 1)})  # the bottom is at 1
    share[h] = theta[0], h / (h + 1 / (eta * steps))  # λ = 1/(ηk)
    print(f"curvature {h:4}: stopped early {share[h][0]:.2f}, decayed {share[h][1]:.2f}")
    assert np.isclose(theta[0], 1 - (1 - eta * h) ** steps)
assert min(share[1.0]) > 0.9 and max(share[0.01]) < 0.1

# %% [markdown]
# ## Augmentation: pictures that are still the same digit
#
# **Data augmentation** changes the training pictures in ways that do not change their labels. A digit that has moved by a pixel is the same digit. For [@simard2003] the most important practice in reading handwriting is a training set as large as possible, and they enlarge theirs with distorted pictures. Ours are moved, anew in each epoch, and zeros come in at the edge:

# %%
def moved(images, rng, share):
    """Move this share of (N, 1, 8, 8) images to one of the nine places within a pixel."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))  # zeros all around
    windows = np.lib.stride_tricks.sliding_window_view(padded, (8, 8), axis=(2, 3))
    offsets = rng.integers(0, 3, (2, len(images)))
    down, across = np.where(rng.random(len(images)) < share, offsets, 1)  # 1: stay
    return windows[np.arange(len(images)), :, down, across]


one = np.zeros((1, 1, 8, 8))
one[0, 0, 0, 0] = 1  # a corner pixel: it may move inwards, stay, or leave
seen = {tuple(np.argwhere(moved(one, np.random.default_rng(s), 1)[0, 0]).ravel()) for s in range(99)}
assert seen == {(), (0, 0), (0, 1), (1, 0), (1, 1)}
assert (moved(SPLIT.x_test, np.random.default_rng(SEED), 0) == SPLIT.x_test).all()

# %% tags=["remove-input"]
INK = LinearSegmentedColormap.from_list("ink", [COLORS["background"], COLORS["text"]])
fig, axes = plt.subplots(2, 5, figsize=(5.2, 2.7))
picture = RIGHT[0][0][RIGHT[0][1] == 4][:1]
rng = np.random.default_rng(3)
for i, ax in enumerate(axes.flat):
    shown = picture[0, 0] if i == 0 else moved(picture, rng, 1)[0, 0]
    ax.imshow(shown, cmap=INK, vmin=0, vmax=1, interpolation="none")
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(True)
    ax.set_title("original" if i == 0 else f"epoch {i}", fontsize=9, fontweight="normal")
show(
    fig,
    name="shifts",
    alt=(
        "A handwritten 4 of 8 by 8 pixels, and what nine epochs see of it: the same 4, moved by at "
        "most one pixel up, down, left or right, with a white line where it has come from."
    ),
    caption=(
        "One training picture, and nine others that follow from it. To a network that reads 64 "
        "numbers these have little in common: nearly every pixel has another value."
    ),
)

# %% [markdown]
# ## Evidence
#
# Differences of the forward pass, with a random upstream gradient, in float64. The mask must be the same at each call, so each call gets a new generator with the same seed:

# %%
def fixed(x):
    return dropout(x, 0.4, np.random.default_rng(SEED))


rng = np.random.default_rng(SEED)
report = gradient_check(fixed, dropout_backward, [rng.standard_normal((5, 7))], rng=rng, names=["x"])
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# And the draws. Of a million elements the share that is dropped must be $p$, and the mean must stay, both to within five standard deviations; each row must have a mask of its own:

# %%
ones = np.ones((1000, 1000))
out, scale = dropout(ones, 0.3, np.random.default_rng(SEED))
share = float((scale == 0).mean())
print(f"dropped {share:.4f}, mean {out.mean():.4f}, not 0: {np.unique(out)[1]:.4f}")
assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / ones.size)
assert abs(out.mean() - 1) < 5 * np.sqrt(0.3 / 0.7 / ones.size)
assert len(np.unique(scale, axis=0)) == 1000

# %% [markdown]
# Here is [the certificate](../verify/checks.py) of this build. PyTorch's own dropout draws other masks, so here PyTorch multiplies by ours and differentiates that:

# %% tags=["remove-input"]
rows = show_certificate("dropout")
worst = max(entry.central for entry in rows if entry.dtype == "float64")
other = max(entry.pytorch for entry in rows if entry.dtype == "float64")
single = max(entry.largest for entry in rows if entry.dtype == "float32")

# %% [markdown]
# Dropout is a product, so only rounding is lost: beside PyTorch the largest relative error in float64 is ${{ power(other) }}$, and in float32 no witness is further away than ${{ power(single) }}$. Central differences are off by ${{ power(worst) }}$, which is what differences cost. (The steps of SGD, Adam and AdamW with decay are compared with PyTorch's in [Optimisers](optimizers.py) and [Schedules](schedules.py).)
#
# ## Five ways to get it wrong
#
# The first three run on networks with two hidden layers of 64 units and dropout of $\tfrac12$ after each, on four of the training sets, with right labels.

# %%
class Unscaled(Dropout):
    """Wrong: what is kept stays as it is."""

    def forward(self, x, *, train=True):
        y, scale = super().forward(x, train=train)
        return (y * (1 - self.p), scale * (1 - self.p)) if train else (y, scale)


class NewMask(Dropout):
    """Wrong: the backward pass draws its own mask."""

    def backward(self, dy, cache, *, need_dx=True):
        return dropout_backward(dy, dropout(dy, self.p, self.rng)[1]), {}


def left_on(net, x):
    return net.forward(x, train=True)[0]


# %% tags=["hide-input"]
TRIED = range(4)
wrong = {}
for kind in (Dropout, Unscaled, NewMask):
    found = []
    for s in TRIED:
        rng = np.random.default_rng(s)
        net = network(rng, 0.5, (64, 64), kind)
        fit(net, (flat(RIGHT[s][0]), RIGHT[s][1]), optimizer=Adam(net.params, 0.003), rng=rng,
            epochs=EPOCHS, batch_size=BATCH, keep_best=False)  # fmt: skip
        on = left_on(net, TEST[0])
        found.append([*evaluate(net, *TEST), softmax_cross_entropy(on, TEST[1])[0],
                      np.mean(on.argmax(1) == TEST[1])])  # fmt: skip
        if kind is Dropout and s == 0:
            reader = net
    wrong[kind] = np.mean(found, axis=0)

# %% [markdown]
# ### 1. Dropout left on in evaluation
#
# `train=True` where it should be `False`, or a `model.eval()` that was forgotten:

# %%
off, on = wrong[Dropout][1], wrong[Dropout][3]
twice = [left_on(reader, TEST[0]).argmax(1) for _ in range(2)]
changed = float(np.mean(twice[0] != twice[1]))
voices = np.mean([softmax(left_on(reader, TEST[0]))[0] for _ in range(100)], axis=0)
together = np.mean(voices.argmax(axis=1) == TEST[1])
alone = evaluate(reader, *TEST)[1]
print(f"test accuracy {off:.1%}, left on {on:.1%}")
print(f"asked twice, {changed:.0%} of the answers change")
print(f"mean of 100 masks {together:.1%}, evaluation {alone:.1%}")
assert on < off - 0.1 and changed > 0.1 and abs(together - alone) < 0.015
assert (predict(reader, TEST[0]) == predict(reader, TEST[0])).all()  # the check

# %% [markdown]
# A loss that is too high could have many reasons. That the same picture gets another answer when you ask again has few. The last line of the code is the check: ask twice in evaluation, and nothing may differ. The last line of the output averages the probabilities over 100 masks, for one of the networks. A single pass of evaluation is about as good as that vote, although the ReLUs keep the two from being the same.
#
# ### 2. The scale forgotten
#
# Zeros, but no $1/(1 - p)$. In training each layer then passes on about half of what it passes on in evaluation:

# %%
right, unscaled = wrong[Dropout], wrong[Unscaled]
print(f"accuracy {right[1]:.1%}, without the scale {unscaled[1]:.1%}")
print(f"loss     {right[0]:.3f}, without the scale {unscaled[0]:.3f}")
out, _ = Unscaled(0.5, rng=np.random.default_rng(SEED)).forward(ones)
assert abs(out.mean() - 0.5) < 0.01  # the check: it should be 1
assert unscaled[0] > right[0] + 0.1 and abs(unscaled[1] - right[1]) < 0.04

# %% [markdown]
# The accuracy hardly shows it: scores that are all too large have their maximum in the same place. The *loss* shows it, since large scores claim a certainty that is not there. No gradient check finds this one either, because the backward pass fits the forward pass. The mean of the output does: for an input of ones it must be 1.
#
# ### 3. A new mask in the backward pass
#
# The gate that was shut on the way up stands open on the way back:

# %%
masks = np.random.default_rng(SEED + 1)


def new_mask_backward(dy, scale):
    return dropout_backward(dy, dropout(dy, 0.4, masks)[1])


batch = rng.standard_normal((5, 7))
error = gradient_check(fixed, new_mask_backward, [batch], rng=rng, names=["x"]).max_error
other = wrong[NewMask]
print(f"relative error {error:.1g}, should be below 1e-6")
print(f"accuracy {right[1]:.1%}, with new masks {other[1]:.1%}; loss {right[0]:.2f} and {other[0]:.2f}")
assert error > 0.1 and other[1] < right[1] - 0.02 and other[0] > right[0]

# %% [markdown]
# It still learns, which is the trap. On average over the masks the gradient is not far off, so you see a network that is somewhat worse and no sign of why. The gradient check sees it at once.
#
# ### 4. Decay on everything
#
# `weight_decay` of an optimiser takes all parameters: the biases too, and batch normalisation's $\gamma$. Here AdamW with $\lambda = 3$ decays all of them, or only those with two axes, in a plain network and in one with batch normalisation. All twelve training sets, $\eta = 0.003$:

# %%
class AdamWOf:
    """AdamW that decays a part of the parameters: where `which` is 1."""

    def __init__(self, params, lr, *, weight_decay, which):
        self.adam, self.params = Adam(params, lr), params
        self.factor = 1 - lr * weight_decay * which

    def step(self, grads):
        self.params["nets"] *= self.factor
        self.adam.step(grads)


# %% tags=["hide-input"]
def decayed(norm, everything):
    """Test loss of each training set's network, and the mean size of γ."""
    rngs = [np.random.default_rng(s) for s in range(SETS)]
    nets = [mlp(64, [128], 10, rng=rng, batch_norm=norm) for rng in rngs]
    which = np.concatenate([
        np.full(p.size, everything or p.ndim > 1, np.float32) for p in nets[0].params.values()
    ])
    fit_many(nets, [(flat(images), labels) for images, labels in RIGHT], lr=0.003, epochs=EPOCHS,
             batch_size=BATCH, rngs=rngs, optimizer=partial(AdamWOf, weight_decay=3, which=which))  # fmt: skip
    gamma = np.mean([np.abs(net.params["1.weight"]).mean() for net in nets]) if norm else None
    return np.array([evaluate(net, *TEST)[0] for net in nets]), gamma


costs, gammas = {}, {}
for norm in (False, True):
    (spread, gammas["all"]), (narrow, gammas["weights"]) = (decayed(norm, e) for e in (True, False))
    costs[norm] = paired(spread, narrow)

# %%
for norm, name in ((False, "plain"), (True, "with batch norm")):
    cost = costs[norm]
    print(f"{name:16} test loss {cost.mean:+.3f} ± {cost.half:.3f} by decaying all")
print(f"mean size of γ: {gammas['all']:.2f}, left alone {gammas['weights']:.2f}")
assert abs(costs[False].mean) < costs[False].half < 0.01
assert costs[True].mean - costs[True].half > 0.1 and gammas["all"] < 0.5 < gammas["weights"]

# %% [markdown]
# For biases it makes no difference that we can see. For $\gamma$ it does. The weights below a batch normalisation may shrink without harm, since [their length means nothing](../layers/batch_norm.py#what-the-gradient-cannot-do). But $\gamma$ *is* the size of what the layer puts out, and with small outputs the network cannot be sure of anything. So decay only what has two axes or more, as is common practice.
#
# ### 5. Choosing by the test set
#
# Forty networks that differ in nothing but their seed. Somebody keeps the one that does best on some test pictures and reports that score. How good is it on the other test pictures, which chose nothing? A thousand draws of the pictures that choose:

# %%
rngs = [np.random.default_rng([SEED, s]) for s in range(40)]
nets = [network(rng) for rng in rngs]
fit_many(nets, (flat(RIGHT[0][0]), own), optimizer=Adam, lr=0.003, epochs=EPOCHS,
         batch_size=BATCH, rngs=rngs)  # fmt: skip
correct = np.array([predict(net, TEST[0]) == TEST[1] for net in nets])
rng = np.random.default_rng(SEED)
gift = {}
for size in (25, 50, 100, 200):
    scores = []
    for _ in range(1000):
        order = rng.permutation(len(TEST[1]))
        chosen = correct[:, order[:size]].mean(axis=1).argmax()
        scores.append((correct[chosen, order[:size]].mean(), correct[chosen, order[size:]].mean()))
    reported, honest = np.mean(scores, axis=0)
    gift[size] = reported - honest
    print(f"{size:3} pictures choose: reported {reported:.1%}, on the others {honest:.1%}")
assert gift[25] > gift[50] > gift[100] > gift[200] > 0.005

# %% [markdown]
# With 50 pictures the report is {{ f"{100 * gift[50]:.1f}" }} points too high, and nothing was gained: the honest score of the chosen one is that of a network picked blindly, {{ f"{correct.mean():.1%}" }}. The differences that the next section looks for are smaller than this gift. So there the validation pictures choose, and the test pictures only measure.
#
# ## What is it worth?
#
# **The question.** You have 100 labelled digits for training ([@alpaydin1998]). How much does each remedy add to the accuracy, and take from the loss, on new pictures, compared with a network *without any that was tuned as carefully*?
#
# **Predictions.** Augmentation gains most, since it is the only one that brings in knowledge. The others lower the loss, but move the accuracy little. When a fifth of the training labels is wrong, learning by heart does real harm, and all of them help.
#
# **The rules.** One hidden layer of 128 units, Adam, batches of 25, {{ EPOCHS }} epochs for everyone. Every remedy gets nine tries: three strengths (for early stopping three patiences) at three learning rates. The baseline gets nine learning rates. The tries are made on four training sets, and the mean loss on 200 validation pictures chooses. The choice is then trained on all twelve training sets, which share no picture. So there are twelve differences from the baseline, pair by pair, each with the same pictures, first weights and order. The 397 test pictures have chosen nothing. "All together" takes every remedy at its chosen strength, or at a half or a quarter of it.

# %% tags=["hide-input"]
RATES = np.geomspace(0.001, 0.01, 3)
STRENGTHS = {
    "none": [{}],
    "dropout": [{"p": p} for p in (0.2, 0.4, 0.6)],
    "L2 in Adam": [{"l2": w} for w in (0.001, 0.003, 0.01)],
    "AdamW": [{"decay": w} for w in (0.1, 0.3, 1.0)],
    "early stopping": [{"patience": n} for n in (5, 10, 20)],
    "augmentation": [{"share": q} for q in (0.2, 0.4, 0.6)],
}


def optimizer_of(l2=0.0, decay=0.0, **_):
    return partial(Adam, weight_decay=l2) if l2 else partial(AdamW, weight_decay=decay)


def trained(sets, numbers, rates, *, p=0.0, share=0.0, patience=None, **recipe):
    """Networks on these training sets at these rates, rate by rate; and their histories."""
    pairs = [(lr, s) for lr in rates for s in numbers]
    rngs = [np.random.default_rng(s) for _, s in pairs]
    movers = {s: np.random.default_rng([s, 1]) for s in numbers}

    def data(epoch):
        seen = [(moved(sets[s][0], movers[s], share), sets[s][1]) for s in numbers]
        return [(flat(images), labels) for images, labels in seen] * len(rates)

    nets = [network(rng, p) for rng in rngs]
    histories = fit_many(
        nets, data if share else data(0), VAL, optimizer=optimizer_of(**recipe),
        lr=[lr for lr, _ in pairs], epochs=EPOCHS, batch_size=BATCH, rngs=rngs,
        patience=patience, keep_best=patience is not None,
    )  # fmt: skip
    return nets, histories


def choose(sets, recipes):
    """The recipe and rate with the lowest validation loss on four of the training sets."""
    rates = RATES if len(recipes) > 1 else np.geomspace(RATES[0], RATES[-1], 9)
    tries = []
    for recipe in recipes:
        _, histories = trained(sets, TRIED, rates, **recipe)
        ends = np.reshape([h.val_loss[h.best_epoch] for h in histories], (len(rates), -1))
        tries += [(loss, lr, recipe) for lr, loss in zip(rates, ends.mean(axis=1), strict=True)]
    return min(tries, key=lambda found: found[0])[1:]


# %% tags=["hide-input"]
MOVED = flat(moved(SPLIT.x_test, np.random.default_rng(SEED), 1)), SPLIT.y_test


def compared(sets):
    """For each rival its rate, its recipe and, by training set, loss and accuracies."""
    found, single = {}, {}
    for name, recipes in STRENGTHS.items():
        lr, single[name] = choose(sets, recipes)
        found[name] = lr, single[name]
    full = single["dropout"] | single["AdamW"] | single["augmentation"]
    parts = [{key: value * part for key, value in full.items()} for part in (1, 1 / 2, 1 / 4)]
    found["all together"] = choose(sets, [single["early stopping"] | part for part in parts])
    return {
        name: (lr, recipe, np.array([
            [*evaluate(net, *TEST), evaluate(net, *MOVED)[1]]
            for net in trained(sets, range(SETS), [lr], **recipe)[0]
        ]))
        for name, (lr, recipe) in found.items()
    }  # fmt: skip


RESULTS = {"right labels": compared(RIGHT), "a fifth wrong": compared(WRONG)}
RIVALS = [name for name in RESULTS["right labels"] if name != "none"]
TESTED = [(kind, name, k) for kind in RESULTS for name in RIVALS for k in (1, 0)]
EFFECT = {
    (kind, name, k): paired(RESULTS[kind][name][2][:, k], RESULTS[kind]["none"][2][:, k])
    for kind in RESULTS for name in RIVALS for k in (0, 1, 2)
}  # loss, accuracy, accuracy on moved pictures
CORRECTED = dict(zip(TESTED, holm([EFFECT[test].p for test in TESTED]), strict=True))

# The same network without any remedy, and the 200 validation pictures to learn from.
lr = RESULTS["right labels"]["none"][0]
rngs = [np.random.default_rng(s) for s in range(SETS)]
nets = [network(rng) for rng in rngs]
more = [(np.concatenate([flat(x), VAL[0]]), np.concatenate([t, VAL[1]])) for x, t in RIGHT]
fit_many(nets, more, optimizer=Adam, lr=lr, epochs=EPOCHS * 100 // 300, batch_size=BATCH,
         rngs=rngs)  # as many steps  # fmt: skip
FAST = {kind: np.mean([
    evaluate(net, *TEST)[0] for net in trained(sets, range(SETS), RATES[-1:])[0]
]) for kind, sets in (("right labels", RIGHT), ("a fifth wrong", WRONG))}  # fmt: skip
MORE = paired([evaluate(net, *TEST)[1] for net in nets], RESULTS["right labels"]["none"][2][:, 1])


def told(kind, name, k):
    """The mean difference and half of its interval: points of accuracy, or nats."""
    found, unit, digits = EFFECT[kind, name, k], *((1, 3) if k == 0 else (100, 1))
    text = f"{unit * found.mean:+.{digits}f} ± {unit * found.half:.{digits}f}"
    return text.replace("-", "−")


def clear(kind, name, k):
    """Whether it is told apart from 0 after Holm's correction."""
    return CORRECTED[kind, name, k] < 0.05


# %% tags=["remove-input"]
RIGHTS, WRONGS = RESULTS
COUNTS = ("none", "one", "two", "three", "four", "five", "six")
lower = [name for name in RIVALS if clear(WRONGS, name, 0)]
fig, panels = plt.subplots(2, 1, figsize=(5.4, 6.0))
for ax, k, unit in ((panels[0], 1, 100), (panels[1], 0, 1)):
    for kind, color, marker, shift in ((RIGHTS, "blue", "o", 0.16), (WRONGS, "orange", "s", -0.16)):
        for y, name in enumerate(reversed(RIVALS)):
            found = EFFECT[kind, name, k]
            ax.errorbar(unit * found.mean, y + shift, xerr=unit * found.half, fmt=marker,
                        color=COLORS[color], markersize=5, capsize=3,
                        markerfacecolor=COLORS[color] if clear(kind, name, k) else "none")  # fmt: skip
    ax.axvline(0, color=COLORS["text"], linewidth=1)
    ax.set_yticks(range(len(RIVALS)), reversed(RIVALS))
    ax.set(ylim=(-0.5, len(RIVALS) - 0.5))
panels[0].set(xlabel="difference of the test accuracy (points); right is better",
              title="Little helps where the labels are right")  # fmt: skip
panels[0].text(1.2, 3.9, RIGHTS, color=COLORS["blue"])
panels[0].text(1.2, 3.3, "a fifth of them wrong", color=COLORS["orange"])
panels[1].set(xlabel="difference of the test loss (nats); left is better",
              title="Where some are wrong, the loss falls")  # fmt: skip
panels[1].xaxis.set_major_locator(plt.MaxNLocator(6))
show(
    fig,
    name="remedies",
    alt="Differences of the test accuracy, in points, and of the test loss, with intervals. "
    + " ".join(
        f"{name[0].upper() + name[1:]}, {kind}: {told(kind, name, 1)}; {told(kind, name, 0)}."
        for kind in RESULTS for name in RIVALS
    ),
    caption=(
        "With right labels (dots) nothing is told apart from the tuned baseline. With wrong ones "
        f"(squares) {COUNTS[len(lower)]} of six lower the loss. Means over twelve training sets of the difference "
        f"from the tuned baseline, with 95% intervals. Filled: told apart from 0 after Holm's "
        f"correction for all {len(TESTED)} comparisons."
    ),
)

# %% tags=["remove-cell"]
base = {kind: found["none"][2].mean(axis=0) for kind, found in RESULTS.items()}
assert not any(clear(RIGHTS, name, k) for name in RIVALS for k in (0, 1))
assert [name for name in RIVALS if clear(WRONGS, name, 1)] == ["all together"]
assert {"early stopping", "augmentation", "all together"} <= {*lower}
assert not {"L2 in Adam", "AdamW"} & {*lower}
assert all(EFFECT[WRONGS, name, 0].mean < 0 for name in lower)
assert EFFECT[WRONGS, "augmentation", 0] == min(EFFECT[WRONGS, name, 0] for name in RIVALS)
assert EFFECT[WRONGS, "all together", 1].mean > 0.02
assert EFFECT[RIGHTS, "augmentation", 2].mean > 0.3 and EFFECT[RIGHTS, "augmentation", 2].p < 1e-9
assert FAST[WRONGS] - base[WRONGS][0] > 2 * -EFFECT[WRONGS, "augmentation", 0].mean
assert FAST[WRONGS] > max(RESULTS[WRONGS][name][2][:, 0].mean() for name in RIVALS)
l2 = EFFECT[RIGHTS, "L2 in Adam", 1]
assert l2.mean + l2.half < 0
assert all(
    abs(EFFECT[RIGHTS, name, k].mean) < EFFECT[RIGHTS, name, k].half
    for name in RIVALS for k in (0, 1) if name != "all together" and (name, k) != ("L2 in Adam", 1)
)
assert MORE.mean - MORE.half > 2 * EFFECT[RIGHTS, "all together", 1].mean
PART = {
    kind: {0.25: "a quarter", 0.5: "half", 1.0: "all"}[
        found["all together"][1]["share"] / found["augmentation"][1]["share"]
    ]
    for kind, found in RESULTS.items()
}
assert "all" not in PART.values()
ink = SPLIT.x_test[:, 0].max(axis=2) > 0  # N, rows
assert ink[:, 0].all() and ink[:, -1].all()
NAMES = {"p": "$p$ = ", "l2": r"$\lambda$ = ", "decay": r"$\lambda$ = ", "patience": "patience ", "share": "share "}


def recipe_of(kind, name):
    lr, recipe, _ = RESULTS[kind][name]
    if name == "all together":
        return rf"$\eta$ = {lr:.2g}, {PART[kind]} of each"
    return ", ".join([rf"$\eta$ = {lr:.2g}", *(f"{NAMES[key]}{value:g}" for key, value in recipe.items())])


# %% [markdown]
# | | Chosen, right labels | Accuracy | Chosen, a fifth wrong | Accuracy |
# |---|---|---|---|---|
# | none | {{ recipe_of(RIGHTS, "none") }} | (is {{ f"{base[RIGHTS][1]:.1%}" }}) | {{ recipe_of(WRONGS, "none") }} | (is {{ f"{base[WRONGS][1]:.1%}" }}) |
# | dropout | {{ recipe_of(RIGHTS, "dropout") }} | {{ told(RIGHTS, "dropout", 1) }} | {{ recipe_of(WRONGS, "dropout") }} | {{ told(WRONGS, "dropout", 1) }} |
# | L2 in Adam | {{ recipe_of(RIGHTS, "L2 in Adam") }} | {{ told(RIGHTS, "L2 in Adam", 1) }} | {{ recipe_of(WRONGS, "L2 in Adam") }} | {{ told(WRONGS, "L2 in Adam", 1) }} |
# | AdamW | {{ recipe_of(RIGHTS, "AdamW") }} | {{ told(RIGHTS, "AdamW", 1) }} | {{ recipe_of(WRONGS, "AdamW") }} | {{ told(WRONGS, "AdamW", 1) }} |
# | early stopping | {{ recipe_of(RIGHTS, "early stopping") }} | {{ told(RIGHTS, "early stopping", 1) }} | {{ recipe_of(WRONGS, "early stopping") }} | {{ told(WRONGS, "early stopping", 1) }} |
# | augmentation | {{ recipe_of(RIGHTS, "augmentation") }} | {{ told(RIGHTS, "augmentation", 1) }} | {{ recipe_of(WRONGS, "augmentation") }} | {{ told(WRONGS, "augmentation", 1) }} |
# | all together | {{ recipe_of(RIGHTS, "all together") }} | {{ told(RIGHTS, "all together", 1) }} | {{ recipe_of(WRONGS, "all together") }} | {{ told(WRONGS, "all together", 1) }} |
#
# The accuracy of a remedy is its difference from the baseline in points, with a 95% interval that is not corrected ([`paired`](../reference/training.md)). "Share" is the share of the pictures that are moved. In the text a difference is called one only if its p-value, corrected for all {{ len(TESTED) }} comparisons ([@holm1979]), is below 0.05.
#
# ### The verdict
#
# **With right labels: nothing that we can vouch for.** No remedy by itself changes accuracy or loss by more than chance. All together come closest, with {{ told(RIGHTS, "all together", 1) }} points; corrected for {{ len(TESTED) }} comparisons that is a p-value of {{ f"{CORRECTED[RIGHTS, 'all together', 1]:.1f}" }}. The only single remedy whose own interval excludes 0 is L2 in Adam, and it points the wrong way.
#
# **With wrong labels: the loss falls, and together they gain accuracy.** Augmentation lowers the loss most, by {{ f"{-EFFECT[WRONGS, 'augmentation', 0].mean:.2f}" }} of {{ f"{base[WRONGS][0]:.2f}" }} nats. {{ COUNTS[len(lower)].capitalize() }} of the six lower it beyond chance: {{ ", ".join(lower) }}. In accuracy no single remedy is beyond chance. All together are, with {{ told(WRONGS, "all together", 1) }} points, each at *{{ PART[WRONGS] }}* of the strength that was best for it alone. Strengths add up, and both times validation rejected the sum of full ones.
#
# **Tuning the baseline did more than any remedy.** At the highest of its nine rates the network with wrong labels has a test loss of {{ f"{FAST[WRONGS]:.2f}" }}; at the rate that was chosen, {{ f"{base[WRONGS][0]:.2f}" }}. A low rate for a fixed number of steps is itself a kind of early stopping: on the parabola above, $\eta$ times the number of steps decides. Had we compared the remedies with a baseline at that high rate, all of them would have looked like a success.
#
# **Weight decay did nothing here that can be seen**, in either form, with right labels or wrong. ([Schedules](schedules.py#does-any-of-it-pay-ten-comparisons-on-digits) compares the two with each other.)
#
# **The predictions.** The first fails for the accuracy: pictures moved by a pixel do not help to read these digits. Why? In every test picture the ink touches both the upper and the lower edge: each digit was fitted into the same box, and the test never shows a moved one. Give the same networks test pictures that *are* moved, and augmentation adds {{ f"{100 * EFFECT[RIGHTS, 'augmentation', 2].mean:.0f}" }} points to the {{ f"{base[RIGHTS][2]:.0%}" }} of the baseline. You get from augmentation what you put in. The second prediction fails too, with right labels: the losses hardly move. The third does not hold for weight decay.
#
# **What more pictures do.** Add the 200 validation pictures to the training set of the network *without* any remedy, for as many steps. That gains {{ f"{100 * MORE.mean:.1f}" }} ± {{ f"{100 * MORE.half:.1f}" }} points, more than anything in the table gained with right labels. So keep few pictures for validation if you have few, and look for more before you look for remedies.
#
# **What this does not show.** One small network on one easy collection, where a hundred pictures give {{ f"{base[RIGHTS][1]:.0%}" }}. Dropout was made for much larger networks, and nothing here speaks about those. The intervals are about other training sets and seeds, not about other test pictures; all networks were tested on the same 397. The validation labels were right in both halves, which helps whatever is chosen by them. Three strengths place a "best" one only roughly; with wrong labels several choices are at the end of their three, so still stronger remedies might do more. And a difference that was not found may be there, as long as it is smaller than the interval.
#
# ## In five lines
#
# - Overfitting is learning by heart; only examples that were kept out can show it.
# - Dropout gates forward and backward with one mask, and its scale keeps the mean at what evaluation uses.
# - An L2 penalty shrinks each weight by $1 - \eta\lambda$ under SGD; under Adam that takes AdamW.
# - Early stopping and weight decay both keep small what the examples hardly ask for; augmentation adds what you know.
# - On 100 clean digits no remedy surely beat a tuned baseline, and 200 more pictures did; with wrong labels several helped.
#
# ## Try it

# %% tags=["remove-cell"]
def mirrored(sets):
    """Each training set beside its own mirror image."""
    return [
        (np.concatenate([images, images[..., ::-1]]), np.concatenate([labels, labels]))
        for images, labels in sets
    ]


nets, _ = trained(mirrored(RIGHT), range(SETS), [RESULTS[RIGHTS]["none"][0]])
lie = paired([evaluate(net, *TEST)[1] for net in nets], RESULTS[RIGHTS]["none"][2][:, 1])
halved = int(np.ceil(np.log(2) / -np.log(1 - 0.1 * 0.5)))
assert lie.mean + lie.half < 0
assert (1 - 0.05) ** halved <= 0.5 < (1 - 0.05) ** (halved - 1)

# %% [markdown]
# ??? question "1. Dropout with $p = 0.2$ reads a 10. What can come out, and what is the mean?"
#     0 with probability 0.2, and $10/0.8 = 12.5$ with probability 0.8. The mean is $0.8 \cdot 12.5 = 10$.
#
# ??? question "2. With a pencil: a weight gets no gradient, $\eta = 0.1$ and $\lambda = 0.5$. After how many steps of AdamW is it halved?"
#     Each step multiplies it by $1 - 0.05$. So it is halved after $\ln 2 / 0.0513$ steps, which makes {{ halved }} whole ones.
#
# ??? question "3. Your training accuracy is 88%, your validation accuracy 92%, all through the training. Is something wrong?"
#     Not if there is dropout. The training accuracy was counted in training mode, with a part of the units missing, and validation has them all. Evaluate on the training pictures in evaluation mode, and the order will be the usual one.
#
# ??? question "4. You double the batch size and leave $\eta$, $\lambda$ and the epochs as they are. What happens to AdamW's decay?"
#     There are half as many steps, so the factor of the whole decay is the root of what it was: in [](#which-weights) {{ f"{expected**0.5:.0%}" }} would be left of a weight without a gradient, instead of {{ f"{expected:.0%}" }}. $\lambda$ belongs to a number of steps.
#
# ??? question "5. For the notebook: add to each training set its mirror images. Predict what that does to the accuracy, then train the baseline on them."
#     {{ f"{100 * lie.mean:+.1f}".replace("-", "−") }} ± {{ f"{100 * lie.half:.1f}" }} points. A change must leave the label true. A mirrored 0 or 8 is still one, but a mirrored 3 is no digit, and a mirrored 2 looks like a bad 5. What you put in, you get out. (It also took twice as many steps.)
#
# ## Sources
#
# - Krogh and Hertz (1991), *A simple weight decay can improve generalization*, NeurIPS: what weight decay does to noise in the examples.
# - Prechelt (1998), *Early stopping – but when?*, in Neural Networks: Tricks of the Trade: rules for stopping, compared.
# - Simard, Steinkraus and Platt (2003), *Best practices for convolutional neural networks applied to visual document analysis*, ICDAR: distorted pictures.
# - Wager, Wang and Liang (2013), *Dropout training as adaptive regularization*, NeurIPS: dropout as a penalty.
# - Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), *Dropout: a simple way to prevent neural networks from overfitting*, Journal of Machine Learning Research.
# - Zhang, Bengio, Hardt, Recht and Vinyals (2017), *Understanding deep learning requires rethinking generalization*, ICLR: random labels, learnt by heart.
# - Loshchilov and Hutter (2019), *Decoupled weight decay regularization*, ICLR: AdamW.
# - Holm (1979), *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics.
