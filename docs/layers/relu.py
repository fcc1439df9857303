# ---
# title: ReLU
# description: The smallest layer with a backward pass worth deriving, and the mask that does all of its work.
# tags:
#   - layers
# ---

# %% [markdown]
# # ReLU
#
# A stack of linear layers is one linear layer: without a bend between them, depth buys nothing. Such a bend is called an **activation function**, and its output an activation. The rectified linear unit is the simplest one there is. This page derives its slope, shows why that depends on the *input* and on nothing else, builds a curve out of bends, and lets some units die.
#
# You need [the symbols of this book](../foundations/notation.md) and [the chain rule](../foundations/chain_rule.py).

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import torch

from nn_tutorial import (
    SGD,
    GradientError,
    digits,
    evaluate,
    fit_many,
    gradient_check,
    mlp,
    relu,
    relu_backward,
)
from nn_tutorial.layers.checks import where_open
from nn_tutorial.pages.show import (
    certificate_figure,
    power,
    show_certificate,
    show_derivation,
    show_equations,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

line = np.linspace(-3, 3, 601)
fig, (above, below) = plt.subplots(2, 1, figsize=(4.6, 4.4), sharex=True)
above.plot(line, relu(line)[0], color=COLORS["blue"])
above.set(title="What comes out: y = max(x, 0)", ylabel="y")
for side in (line < 0, line > 0):
    below.plot(line[side], (line[side] > 0) * 1.0, color=COLORS["orange"])
below.plot([0], [0], "o", color=COLORS["orange"])
below.plot([0], [1], "o", markerfacecolor="none", color=COLORS["orange"])
below.set(title="What comes back: the slope", xlabel="x, the input", ylabel="dy/dx", yticks=[0, 1])
show(
    fig,
    name="relu-and-slope",
    alt=(
        "Two curves over the input from −3 to 3. The output is 0 up to the input 0 and rises with "
        "slope 1 after it. The slope is 0 up to and including 0, and 1 after it."
    ),
    caption=(
        "The function and its slope. The slope has two values and no others; the filled dot says "
        "which of them this book, like PyTorch, uses at 0."
    ),
)

# %% [markdown]
# ## One shape in, the same shape out
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, D)$, or any | the input |
# | $Y$ | `y` | that of $X$ | the output |
# | $M$ | `mask` | that of $X$, true or false | where $x > 0$ |
# | $\partial L/\partial Y$ | `dy` | that of $X$ | the upstream gradient |
# | $\partial L/\partial X$ | `dx` | that of $X$ | the gradient that is passed on |
#
# The layer treats every element alone. It has no parameters.
#
# ## Six numbers by hand
#
# Take $N = 2$ examples with $D = 3$ features. Each number is kept if it is positive, and replaced by 0 if it is not:
#
# $$X = \begin{bmatrix}-2 & 1 & 0\\ 3 & -1 & 4\end{bmatrix}, \qquad
#   Y = \begin{bmatrix}0 & 1 & 0\\ 3 & 0 & 4\end{bmatrix}, \qquad
#   M = \begin{bmatrix}0 & 1 & 0\\ 1 & 0 & 1\end{bmatrix}$$
#
# The mask is what the forward pass keeps for the backward pass, its **cache**. Backward, the mask lets the upstream gradient through or stops it:
#
# $$\frac{\partial L}{\partial Y} = \begin{bmatrix}5 & -2 & 7\\ -1 & 6 & 2\end{bmatrix}, \qquad
#   \frac{\partial L}{\partial X} = \begin{bmatrix}0 & -2 & 0\\ -1 & 0 & 2\end{bmatrix}$$
#
# An open gate lets a negative gradient through just as it does a positive one. The sign of the upstream gradient plays no part.

# %%
x = np.array([[-2.0, 1.0, 0.0], [3.0, -1.0, 4.0]])
dy = np.array([[5.0, -2.0, 7.0], [-1.0, 6.0, 2.0]])

y, mask = relu(x)
dx = relu_backward(dy, mask)

assert (y == [[0, 1, 0], [3, 0, 4]]).all()
assert (mask == [[0, 1, 0], [1, 0, 1]]).all()
assert (dx == [[0, -2, 0], [-1, 0, 2]]).all()

# %% tags=["hide-input"]
fig, axes = plt.subplots(2, 2, figsize=(4.8, 3.9))
for ax, values, title, color in (
    (axes[0, 0], x, "X comes in", "blue"),
    (axes[0, 1], y, "Y goes on", "blue"),
    (axes[1, 1], dy, "∂L/∂Y, upstream", "orange"),
    (axes[1, 0], dx, "∂L/∂X is passed back", "orange"),
):
    value_grid(ax, values, title=title, highlight=mask, color=color)
show(
    fig,
    name="relu-gate",
    live="relu",
    alt=(
        "Four grids of two rows and three columns: input, output, upstream gradient, gradient "
        "passed back. The same three cells are tinted in all: there the input is positive, the "
        "output equals it, and the gradient passes. In the other three cells output and gradient "
        "are 0."
    ),
    caption=(
        "Forward in the upper row, from left to right; backward in the lower one, from right to "
        "left. The tinted cells are the mask: open gates, the same in both directions. Where your "
        "browser runs scripts, you can drag the numbers of X and of ∂L/∂Y."
    ),
)

# %% [markdown]
# ## From one number to the array
#
# **One number.** $y = \max(x, 0)$ is $x$ where $x > 0$, with slope 1, and the constant 0 where $x < 0$, with slope 0. Both cases in one line, with a bracket that is 1 where its condition holds and 0 where it does not:
#
# $$\frac{dy}{dx} = [x > 0] \qquad (x \ne 0)$$
#
# **At zero** there is no slope: the left one is 0, the right one is 1. Any number from 0 to 1 is a *subgradient*, a slope of a line that touches the curve there and stays below it. A program has to choose. PyTorch chooses 0, and so do we; the strict $>$ in the bracket is that choice.
#
# **Many numbers.** The loss depends on all outputs, so the chain rule adds over all of them:
#
# $$\frac{\partial L}{\partial x_{nd}} = \sum_{m,k} \frac{\partial L}{\partial y_{mk}} \frac{\partial y_{mk}}{\partial x_{nd}}$$
#
# What is $\partial y_{mk}/\partial x_{nd}$, with four indices? Each output depends on one input, its own. So it is 0 unless $m = n$ and $k = d$:
#
# $$\frac{\partial y_{mk}}{\partial x_{nd}} = \delta_{mn}\,\delta_{kd}\,[x_{nd} > 0]$$
#
# The two Kronecker deltas keep one term of the double sum, that with $m = n$ and $k = d$, and the sum is gone. The two lines below are not only printed: they are evaluated, and must agree with each other and with the code.

# %% tags=["remove-input"]
show_derivation("relu")

# %% [markdown]
# **The whole array.** As a matrix, the Jacobian of $ND$ outputs by $ND$ inputs would be diagonal: $(ND)^2$ numbers, of which $ND$ can be other than 0. It is never built. With the mask $M_{nd} = [x_{nd} > 0]$ it is one product, element by element:
#
# <!-- equation relu-backward -->
#
# $$\boxed{\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} \odot M}$$
#
# The shapes agree: three arrays, all of the shape of $X$.
#
# ## The code says the same
#
# The forward pass returns $\max(x, 0)$, written as a clip, and keeps the mask. `where_open` is [](#relu-backward): it keeps the upstream gradient where the mask is true and puts 0 elsewhere. It multiplies the bits of each number, read as an integer, by the mask. That is right for infinity too, where the product of floats $0 \cdot \infty$ would be NaN.

# %% tags=["remove-input"]
show_source(relu, relu_backward, where_open)

# %% [markdown]
# The mask is all that has to be remembered: one byte for each element, where the input itself would take four.
#
# Here are forward and backward once more, as the lines that the build evaluates. Unfold them to see what they were compared with:

# %% tags=["remove-input"]
show_equations("relu", "Y", "dX")

# %% [markdown]
# As an `einsum`, this is two arrays with the same indices and nothing to sum over:

# %%
assert (np.einsum("nd,nd->nd", dy, mask) == dx).all()

# %% [markdown]
# ## Evidence
#
# Differences of the forward pass know nothing of our derivation. With $h = 10^{-6}$ and a random upstream gradient, they are compared with `relu_backward`, element by element. The input is in float64 and kept away from 0.

# %%
x_far = rng.choice([-1.0, 1.0], (5, 7)) * rng.uniform(0.1, 2, (5, 7))
report = gradient_check(relu, relu_backward, [x_far], rng=rng, names=["x"])
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# The largest relative error is {{ report.max_error:.0e }}. On each side of 0 the function is a straight line, and a difference of a straight line is exact: all that is left is rounding, about $10^{-16}$ divided by $h$.
#
# Put one input at 0, and the difference straddles the kink. Its slope of one half belongs to neither side, so the check does not compare it, and says so.

# %%
x_kink = x_far.copy()
x_kink[2, 3] = 0
at_kink = gradient_check(relu, relu_backward, [x_kink], rng=rng, names=["x"])
print(at_kink)
assert at_kink.arguments[0].kinks == [(2, 3)]

# %% [markdown]
# PyTorch must agree as well. In a value and a mask there is nothing to round, so it must agree to the last bit. The array holds zeros on purpose, positive and negative.

# %%
x_torch = np.concatenate([x_far, np.zeros((1, 7)), -np.zeros((1, 7))])
there = torch.tensor(x_torch, requires_grad=True)
upstream = rng.standard_normal(x_torch.shape)
theirs = torch.relu(there)
theirs.backward(torch.tensor(upstream))

ours, our_mask = relu(x_torch)
our_gradient = relu_backward(upstream, our_mask)
y_apart = np.abs(ours - theirs.detach().numpy()).max()
dx_apart = np.abs(our_gradient - there.grad.numpy()).max()
print(f"largest difference: output {y_apart}, gradient {dx_apart}")
assert y_apart == dx_apart == 0

# %% [markdown]
# ### The certificate
#
# Here is all of that again for several shapes, with zeros among the inputs, in both precisions, against the forward *equation* and PyTorch:

# %% tags=["remove-input"]
rows = show_certificate("relu", folded=True)
worst = max(row.largest for row in rows if row.dtype == "float64")
in_single = max(row.largest for row in rows if row.dtype == "float32")
show(
    certificate_figure(rows),
    name="relu-certificate",
    alt=(
        "Relative errors on a logarithmic axis. In float64 PyTorch agrees exactly, drawn at the "
        f"left end; central differences lie below {worst:.0e}. In float32 both lie below "
        f"{in_single:.0e}."
    ),
    caption=(
        "The certificate, one mark per geometry. The distance between dots and squares "
        "is what float32 costs."
    ),
)

# %% [markdown]
# The largest error in float64 is ${{ power(worst) }}$. The last column counts the directions in which the difference would have straddled the kink; there is no complex step, because a comparison has none. [How this book checks itself](../verify/checks.py) explains the table.
#
# ## Four ways to get it wrong
#
# Each of these runs without an error message.

# %%
def mask_from_output(dy, y):
    """Wrong: every output is at least 0."""
    return dy * (y >= 0)


def mask_from_upstream(dy, mask):
    """Wrong: the gate belongs to the input, not to the upstream gradient."""
    return dy * (dy > 0)


def both_masks(dy, mask):
    """Wrong here: this is guided backpropagation, a way to visualise a network."""
    return dy * mask * (dy > 0)


def no_mask(dy, mask):
    """Wrong: as if the layer were not there."""
    return dy


def relu_keeping_output(x):
    y, _ = relu(x)
    return y, y

# %% [markdown]
# The gradient check catches each of them, and so do the six numbers from above:

# %%
wrong = {
    "mask from the output, with >=": (relu_keeping_output, mask_from_output),
    "mask from the upstream sign": (relu, mask_from_upstream),
    "both at once": (relu, both_masks),
    "no mask": (relu, no_mask),
}
caught = 0
for name, (forward, backward) in wrong.items():
    try:
        report = gradient_check(forward, backward, [x_far], rng=rng)
        report.raise_if_above(1e-6)
    except GradientError:
        caught += 1
        off = int((backward(dy, forward(x)[1]) != dx).sum())
        print(f"{name:<30} caught; by hand {off} of {dx.size} are wrong")
assert caught == len(wrong)

# %% [markdown]
# `y >= 0` is always true, so the first mistake is the fourth in disguise: the gradient flows as if nothing had been cut off. With `y > 0` the output *would* do, since $y > 0$ exactly where $x > 0$. One character decides.
#
# The second is worse than it looks, because it agrees with the right answer wherever the gradient happens to be positive and the gate open, or negative and the gate closed.
#
# ### The check that sees nothing
#
# Why a *random* upstream gradient? All ones are the easier choice. See what the second mistake does then, on inputs that are all positive, and the third on inputs of either sign:

# %%
positive = np.abs(x_far)
ones = np.ones_like(positive)
right = relu_backward(ones, relu(positive)[1])
assert (mask_from_upstream(ones, None) == right).all()
gates = relu(x_far)[1]
assert (both_masks(ones, gates) == relu_backward(ones, gates)).all()
print("with a gradient of all ones, both are right")

# %% [markdown]
# The third one passes on *any* input as long as the upstream gradient is positive. Only negative upstream gradients give it away.
#
# ### The input that was overwritten
#
# The last mistake is not in a formula. To save memory, the output is written over the input, and the mask is taken later:

# %%
stored = x.copy()
np.maximum(stored, 0, out=stored)  # the input is gone
late_mask = stored >= 0
print(f"gates open: {late_mask.sum()} of {late_mask.size}; it should be {mask.sum()}")
assert late_mask.all()

# %% [markdown]
# In this book no layer changes what it was given, and the tests give every layer read-only arrays.
#
# ## What bends build
#
# Take one input, $M$ hidden units with a ReLU, and one output, which adds them up:
#
# $$y = c + \sum_{m=1}^{M} v_m \max(w_m x + b_m,\, 0)$$
#
# Unit $m$ is straight on both sides of one **joint**, at $x = -b_m/w_m$. Between two joints no gate opens or shuts, so there the sum is straight too: it is a broken line with at most $M$ joints.
#
# The converse holds as well: over an interval, any broken line can be built like this. Give each joint $x_m$ a unit with $w_m = 1$ and $b_m = -x_m$, and let $v_m$ be the change of the slope there. A unit whose joint lies at the left edge sets the first slope. So five units can follow a sine at five equal steps:

# %%
def built(M):
    """A sine by M units: their joints, and what each of them adds."""
    places = np.linspace(0, 2 * np.pi, M + 1)
    slopes = np.diff(np.sin(places)) / np.diff(places)
    v = np.diff(slopes, prepend=0)  # the change of the slope at each joint
    joints = places[:-1]
    return joints, v * relu(fine[:, None] - joints)[0]


fine = np.linspace(0, 2 * np.pi, 8001)
joints, parts = built(5)
y = parts.sum(axis=1)
bends = np.abs(np.diff(y, 2)) > 1e-9  # where the slope of the sum changes
assert np.allclose(fine[1:-1][bends], joints[1:], rtol=0, atol=1e-3)
assert np.allclose(y[::1600], np.sin(fine[::1600]), rtol=0, atol=1e-12)

farthest = []
for M in (5, 10, 20, 40):
    farthest.append(np.abs(built(M)[1].sum(axis=1) - np.sin(fine)).max())
    print(f"{M:2} units: at most {farthest[-1]:.4f} from the sine")
ratios = np.divide(farthest[:-1], farthest[1:])
assert ((ratios > 3) & (ratios < 5)).all()

# %% tags=["remove-input"]
fig, (above, below) = plt.subplots(2, 1, figsize=(4.8, 5.2), sharex=True)
styles = zip(("blue", "orange", "green", "purple", "red"), ("-", "--", ":", "-.", (0, (1, 1))))
for m, (color, style) in enumerate(styles):
    above.plot(fine, parts[:, m], linestyle=style, color=COLORS[color])
    above.plot(joints[m], 0, "o", color=COLORS[color], markersize=5, zorder=3)
    shift = {3: 4, 4: -5}.get(m, 0)  # the last two end close together
    above.annotate(f"unit {m + 1}", (fine[-1], parts[-1, m]), (5, shift), va="center",
                   textcoords="offset points", color=COLORS[color], annotation_clip=False)
above.set(title="Five units, each with one joint", ylabel="what the unit adds")
below.plot(fine, np.sin(fine), "--", color=COLORS["muted"])
below.plot(fine, y, color=COLORS["blue"])
below.plot(joints, np.sin(joints), "o", color=COLORS["blue"], markersize=5)
below.text(1.75, 1.02, "sine", color=COLORS["muted"], ha="left", va="bottom")
below.text(2.75, 0.62, "sum of the five", color=COLORS["blue"], ha="left", va="bottom")
below.set(title="Their sum: a broken line", xlabel="x, the input", ylabel="y", ylim=(-1.25, 1.4))
show(
    fig,
    name="joints",
    alt=(
        "Above, five broken lines over the input from 0 to 2π. Each is 0 up to its joint and "
        f"straight after it; at the right edge they reach from −{-parts[-1].min():.1f} to "
        f"{parts[-1].max():.1f}. Below, their sum: five straight pieces that meet on a sine, at most "
        f"{farthest[0]:.2f} away from it."
    ),
    caption=(
        "Each unit brings one joint, drawn as a dot. The five add up to a broken line that has "
        "these joints and no others, and meets the sine at each of them. Single units go far "
        "beyond the sine; they cancel in the sum."
    ),
)

# %% [markdown]
# Twice the units are about four times as close. This says what weights *can* build; whether gradient descent finds such weights is another question. With two inputs the joint of a unit is a line, $w_1 x_1 + w_2 x_2 + b = 0$, as in [](linear.py#one-unit). And without the bend, the sum of any number of units is straight.
#
# ## How a unit dies
#
# A hidden unit whose input is negative for *every* example puts out 0 for all of them. Its gate is shut for all of them too. So the gradient of its weights is exactly 0, and a step of plain gradient descent leaves them as they are: the unit is **dead**.
#
# **The question.** How many units die in a network that learns from real data, and does it do harm?
#
# **A prediction.** One large step can push a unit's weights so far that every input lands below 0. So a higher learning rate should kill more units, and the accuracy should fall with each unit that is lost.
#
# The data are handwritten digits; the network has one hidden layer of 64 units. Every learning rate is run with five seeds, which choose the first weights and the order of the examples; the split stays the same. The best rate is the one with the best accuracy on the validation images; the test images only report. Some units may be dead before the first step, so they are counted then too.

# %% tags=["hide-input"]
data = digits(seed=SEED)
pixels = {part: getattr(data, f"x_{part}").reshape(-1, 64) for part in ("train", "val", "test")}
rates = [0.03, 0.1, 0.3, 1.0, 1.5, 2.0]
seeds = range(5)


def dead_units(net):
    """Which hidden units are shut for every training image."""
    return (net.layers[0](pixels["train"]) <= 0).all(axis=0)


def accuracy_of(net, part):
    return evaluate(net, pixels[part], getattr(data, f"y_{part}"))[1]


pairs = [(lr, seed) for lr in rates for seed in seeds]
draws = [np.random.default_rng(seed) for _, seed in pairs]
nets = [mlp(64, [64], 10, rng=draw) for draw in draws]
at_first = np.mean([dead_units(net).sum() for net in nets[: len(seeds)]])
fit_many(nets, (pixels["train"], data.y_train), optimizer=SGD, lr=[lr for lr, _ in pairs],
         epochs=20, batch_size=32, rngs=draws)  # side by side
by_rate = (len(rates), len(seeds))
dead = np.array([dead_units(net).mean() for net in nets]).reshape(by_rate)
validation, accuracy = (
    np.array([accuracy_of(net, part) for net in nets]).reshape(by_rate) for part in ("val", "test")
)

# %% tags=["hide-input"]
fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 5.0), sharex=True)
for ax, values, color, marker in (
    (upper, dead * 64, "orange", "s"),
    (lower, accuracy * 100, "blue", "o"),
):
    ax.plot(rates, values.mean(1), color=COLORS[color])
    for column in values.T:
        ax.plot(rates, column, marker, color=COLORS[color], markersize=4, alpha=0.5)
upper.axhline(at_first, color=COLORS["muted"], linestyle="--", linewidth=1.1)
upper.text(rates[0], at_first + 2, "before training", color=COLORS["muted"], va="bottom")
upper.set(title="More units die as the steps grow", ylabel="dead units of 64", ylim=(-3, 67))
lower.set(title="Accuracy holds until nearly all are dead", ylabel="test accuracy (%)",
          ylim=(0, 104), xscale="log", xlabel="learning rate", xticks=rates)
lower.set_xticks(rates, [f"{rate:g}" for rate in rates])
lower.minorticks_off()
best = validation.mean(1).argmax()
show(
    fig,
    name="relu-dead-units",
    alt=(
        f"Two plots against the learning rate. Dead units: {dead[0].mean() * 64:.0f} of 64 on "
        f"average at {rates[0]}, {dead[best].mean() * 64:.0f} at {rates[best]:g}, "
        f"{dead[-1].mean() * 64:.0f} at {rates[-1]:g}. Test accuracy: "
        f"{accuracy[0].mean():.0%}, {accuracy[best].mean():.0%} and {accuracy[-1].mean():.0%}."
    ),
    caption=(
        "Dead units and test accuracy after 20 epochs; each mark is a run, the line their mean. "
        "The best accuracy in the lower plot is not where the fewest units died."
    ),
)
assert dead[best].mean() > dead[0].mean() and 0 < best < len(rates) - 1
assert dead[-1].mean() > 0.99 and accuracy[-1].mean() < 0.15
assert dead[-2].mean() > 0.9 and accuracy[-2].mean() < 0.5
baseline = np.bincount(data.y_test).max() / len(data.y_test)

# %% [markdown]
# **The verdict.** Half of the prediction is right. Before the first step {{ at_first:.1f}} of 64 units are dead on average. After training at a learning rate of {{ rates[0] }}, {{ dead[0].mean() * 64:.1f}} are; at {{ rates[best]:g}}, {{ dead[best].mean() * 64:.1f}}; at {{ rates[-1]:g}}, {{ dead[-1].mean() * 64:.0f}}. But the accuracy does not fall with them. The best of the six learning rates on the validation images is {{ rates[best]:g}}. Its test accuracy is {{ accuracy[best].mean():.1%}} (from {{ accuracy[best].min():.1%}} to {{ accuracy[best].max():.1%}} over the seeds), though it killed more units than the smallest rate, which reached {{ accuracy[0].mean():.1%}}. The units that are left do the work. The accuracy falls only where nearly none are left: at {{ rates[-2]:g}}, with {{ dead[-2].mean() * 64:.1f}} dead units, to {{ accuracy[-2].mean():.0%}}, and at {{ rates[-1]:g}} to {{ accuracy[-1].mean():.0%}}, which is about what you get by always naming the commonest digit ({{ baseline:.0%}}).
#
# **What this does not show.** These networks are shallow and wide for their task. In a narrow or a deep one a dead unit may be missed more. And a small learning rate was given the same 20 epochs: part of its lower accuracy is that it had not finished.
#
# ### No gradient at all
#
# The claim was that the gradient of a dead unit is exactly 0, not merely small. Here is the first layer's gradient, on the whole training set, in a network of the best learning rate:

# %%
of_best = nets[best * len(seeds) : (best + 1) * len(seeds)]
net = next(net for net in of_best if 0 < dead_units(net).sum() < 64)
logits, cache = net.forward(pixels["train"])
upstream = rng.standard_normal(logits.shape).astype(np.float32)
_, grads = net.backward(upstream, cache)
size = np.abs(grads["0.weight"]).max(axis=0)
is_dead = dead_units(net)
for name, units in (("dead", size[is_dead]), ("alive", size[~is_dead])):
    print(f"{name}: {len(units)} units, {(units > 0).sum()} of them with a gradient")
assert (size[is_dead] == 0).all() and (size[~is_dead] > 0).all()

# %% [markdown]
# No gradient, so no way back: not with plain gradient descent on these examples. Weight decay, momentum that is still rolling, or a change in the layers below can revive a unit; its own gradient cannot.
#
# Centred inputs and first weights of the right size ([@he2015]) should keep more units alive as well. Only the learning rate was varied here.
#
# ## In five lines
#
# - ReLU keeps what is positive and replaces the rest by 0, element by element.
# - Backward, it is a gate: the gradient passes where the *input* was positive, whatever its own sign.
# - The mask is all that the backward pass needs; at 0 the gate is shut by convention.
# - Check it with a random upstream gradient: one of all ones lets mistakes pass.
# - A unit whose input is negative for every example gets no gradient, and with plain gradient descent it stays that way.
#
# ## Try it
#
# ??? question "1. What is the gradient of a ReLU with respect to its output?"
#     The question has no answer: a gradient is always that of the *loss*, with respect to something. With respect to the output it is `dy`, the upstream gradient, and the layer has no say in it.
#
# ??? question "2. You apply ReLU twice in a row. What do forward and backward do?"
#     Forward, the second changes nothing: what is positive stays, and 0 stays 0. Backward, its mask is that of its own input, which is positive in the same places. So the second mask stops nothing that the first would let through.
#
# ??? question "3. Which line of the code is the convention at zero?"
#     `x > 0` in the forward pass. With `x >= 0` the slope at 0 would be 1, and nothing else would change.
#
# ??? question "4. An input is −0.0. Is its gate open?"
#     No. −0.0 equals 0.0, so it is not greater than 0. The comparison with PyTorch on this page has a row of these.
#
# ??? question "5. For the notebook: give the units a slope of 0.01 below zero. Do they still die?"
#     Write `leaky(x)` with `np.where(x > 0, x, 0.01 * x)` and its backward pass, check it with `gradient_check`, and count the units whose inputs are all negative after training. There may well be as many. But their gradient is no longer 0, so the word "dead" no longer fits ([@maas2013]).

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("relu")

# %% [markdown]
# ## Sources
#
# - Fukushima (1969), *Visual feature extraction by a multilayered network of analog threshold elements*, IEEE Transactions on Systems Science and Cybernetics: the function, in a network.
# - Nair and Hinton (2010), *Rectified linear units improve restricted Boltzmann machines*, ICML: the name, and units of this kind that learn.
# - Glorot, Bordes and Bengio (2011), *Deep sparse rectifier neural networks*, AISTATS: deep networks that train with it.
# - Maas, Hannun and Ng (2013), *Rectifier nonlinearities improve neural network acoustic models*, ICML Workshop on Deep Learning for Audio, Speech and Language Processing: the leaky variant.
# - He, Zhang, Ren and Sun (2015), *Delving deep into rectifiers: surpassing human-level performance on ImageNet classification*, ICCV: how large the weights should begin.
# - Springenberg, Dosovitskiy, Brox and Riedmiller (2015), *Striving for simplicity: the all convolutional net*, ICLR workshop: guided backpropagation, the third "mistake" above, when it is intended.
