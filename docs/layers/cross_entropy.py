# ---
# title: Cross-entropy
# description: The loss that makes a classifier's probabilities answer for what happened, its gradient, and why computing it together with softmax keeps the digits that matter.
# tags:
#   - layers
# ---

# %% [markdown]
# # Cross-entropy
#
# The network has predicted its probabilities. Now the truth is known, and one number must say how bad they were: small for a confident right answer, large for a confident mistake, and with a gradient that a network can learn from. Where does this number come from, why is its gradient as short as a gradient can be, and which of its digits does a careless program throw away?
#
# Read [softmax](softmax.py) first.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import torch

from nn_tutorial import (
    SGD,
    GradientError,
    cross_entropy,
    cross_entropy_backward,
    digits,
    gradient_check,
    mlp,
    softmax,
    softmax_backward,
    softmax_cross_entropy,
    zeros,
)
from nn_tutorial.pages.show import (
    certificate_figure,
    power,
    show_certificate,
    show_derivation,
    show_equations,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid
from nn_tutorial.training.side_by_side import SideBySide

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

probs = np.linspace(0.002, 1, 500)
fig, ax = plt.subplots(figsize=(4.8, 3.2))
ax.plot(probs, -np.log(probs), color=COLORS["blue"])
ax.plot(probs, (1 - probs) ** 2, "--", color=COLORS["orange"])
for q in (0.01, 0.1, 0.5):
    ax.plot(q, -np.log(q), "o", color=COLORS["blue"])
    ax.annotate(f"{q:g} costs {-np.log(q):.2f}", (q, -np.log(q)), (9, 1),
                textcoords="offset points", va="center")
ax.text(0.06, 3.4, "−log p", color=COLORS["blue"])
ax.text(0.06, 0.3, "(1 − p)²", color=COLORS["orange"])
ax.set(title="What a probability costs", ylabel="loss (nats; the square has no unit)",
       xlabel="p, predicted for the class that was true", ylim=(0, 5.2))
show(
    fig,
    name="penalty",
    alt=(
        "Two falling curves over the probability of the true class. The negative logarithm is 0 "
        "at 1, 0.69 at one half, 2.30 at 0.1, 4.61 at 0.01, and rises without bound towards 0. "
        "The square of what is missing never costs more than 1."
    ),
    caption=(
        "The price of predicting $p$ for what then happened. At the left edge the squared error "
        "has a highest price; the logarithm has none. A confident mistake can cost anything."
    ),
)

# %% [markdown]
# ## From likelihood to loss
#
# Ask a network: how probable, according to you, was all that happened? For $N$ examples that do not depend on each other, multiply what it predicted for each true class $t_n$:
#
# $$\text{likelihood} = \prod_n p_{n, t_n}$$
#
# A good network makes this large. The product is useless in a computer: 400 factors of 0.1 are too small for any float. So take the logarithm, which turns the product into a sum and moves no maximum; divide by $N$, so that the number does not grow with the data; and flip the sign, so that smaller is better:
#
# $$\boxed{L = -\frac1N \sum_n \log p_{n, t_n}}$$
#
# This is the **cross-entropy** of what was predicted and what was true, also called *negative log-likelihood*. The logarithm is the natural one and the unit is the **nat**.
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $Z$ | `z` | $(N, C)$ | scores |
# | $P$ | `p` | $(N, C)$ | probabilities, the softmax of each row |
# | $t$ | `labels` | $(N)$ | true classes, integers from $0$ to $C - 1$ |
# | $T$ | | $(N, C)$ | the same as zeros and ones, **one-hot**: $T_{nk} = [k = t_n]$ |
# | $L$ | `loss` | one number | the mean loss, in nats |
#
# Keep two prices in mind. If you answer $\tfrac1C$ for everything, you pay $\log C$. If all you know is how common each class is, the best answer is exactly that, and the price is the **entropy** of the classes:

# %%
data = digits(seed=SEED)
share = np.bincount(data.y_train) / len(data.y_train)
entropy = -(share * np.log(share)).sum()


def constant_loss(q):
    """Cross-entropy of predicting q for every training image."""
    rows = np.tile(q, (len(data.y_train), 1))
    return cross_entropy(rows, data.y_train)[0]


assert np.isclose(constant_loss(share), entropy, rtol=1e-12)
for _ in range(200):  # no other distribution does better
    assert constant_loss(rng.dirichlet(100 * share)) > entropy
print(f"log 10 = {np.log(10):.4f}, entropy of the labels = {entropy:.4f}")

# %% [markdown]
# The ten digits are almost equally common, so the two prices are almost the same. **A loss above {{ np.log(10):.2f}} on ten classes is worse than no network at all.** Look at this number first when you start a training.
#
# ### Why no other answer is better
#
# Let the truth about an example be any distribution $T_1, \dots, T_C$, not only a one-hot row. The cross-entropy of the answer $p$ is then
#
# $$-\sum_k T_k \log p_k$$
#
# and a one-hot $T$ leaves the one term of the box. Averaged over all examples, a constant answer pays the same with the shares of the classes in place of $T$.
#
# The logarithm lies below its tangent at 1: $\log x \le x - 1$, and the two are equal only at $x = 1$. Put in $x = p_k/T_k$, for the classes with $T_k > 0$, multiply by $T_k$ and add up (the $p_k$ of these classes sum to 1 at most):
#
# $$\begin{aligned} \sum_k T_k \log \frac{p_k}{T_k} &\le \sum_k T_k \Big(\frac{p_k}{T_k} - 1\Big)\\
#   &= \sum_k p_k - \sum_k T_k \le 1 - 1 = 0\end{aligned}$$
#
# Since $\log (p_k/T_k) = \log p_k - \log T_k$, the cross-entropy is at least $-\sum_k T_k \log T_k$, the entropy of $T$, with equality only at $p = T$. The difference is called the **Kullback–Leibler divergence**:
#
# $$\sum_k T_k \log \frac{T_k}{p_k} \ge 0$$
#
# Training changes $p$ alone. It makes the divergence smaller, and the entropy stays; with one-hot labels the entropy is 0.

# %%
x = 2.0 ** np.arange(-20, 21)
assert (np.log(x) < x - 1).sum() == 40 and np.log(1.0) == 0  # equal at 1 alone

uniform = np.full(10, 0.1)
divergence = (share * np.log(share / uniform)).sum()
print(f"log 10 - entropy: {np.log(10) - entropy:.5f}")
print(f"divergence:       {divergence:.5f}")
assert np.isclose(constant_loss(uniform), entropy + divergence, rtol=1e-12)
assert divergence > 0

# %% [markdown]
# ## Two rows by hand
#
# The two rows of probabilities are those of [softmax by hand](softmax.py#two-rows-by-hand). The true classes are 2 and 0:
#
# $$P = \begin{bmatrix}\tfrac16 & \tfrac26 & \tfrac36\\[3pt] \tfrac14 & \tfrac14 & \tfrac24\end{bmatrix}, \qquad
#   T = \begin{bmatrix}0 & 0 & 1\\ 1 & 0 & 0\end{bmatrix}$$
#
# $$L = -\tfrac12\left(\ln\tfrac36 + \ln\tfrac14\right) = \tfrac12 \ln 8 = \tfrac32 \ln 2$$
#
# First backward to the probabilities. Only two of the six were read, so only two have a gradient:
#
# $$\frac{\partial L}{\partial P} = \begin{bmatrix}0 & 0 & -\tfrac12 \cdot \tfrac{6}{3}\\[3pt] -\tfrac12 \cdot \tfrac41 & 0 & 0\end{bmatrix} = \begin{bmatrix}0 & 0 & -1\\ -2 & 0 & 0\end{bmatrix}$$
#
# And from there through the softmax to the scores, where something pleasant happens:
#
# $$\frac{\partial L}{\partial Z} = \tfrac12 (P - T) = \begin{bmatrix}\tfrac1{12} & \tfrac2{12} & -\tfrac3{12}\\[3pt] -\tfrac38 & \tfrac18 & \tfrac28\end{bmatrix}$$

# %%
z = np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]])
labels = np.array([2, 0])

p, p_cache = softmax(z)
loss, loss_cache = cross_entropy(p, labels)
dp = cross_entropy_backward(1.0, loss_cache)
dz = softmax_backward(dp, p_cache)
fused_loss, fused_dz = softmax_cross_entropy(z, labels)

twelfths = np.array([[1, 2, -3], [-4.5, 1.5, 3]]) / 12
assert np.isclose(loss, 1.5 * np.log(2), rtol=1e-15)
assert np.allclose(dp, [[0, 0, -1], [-2, 0, 0]], rtol=1e-15)
assert np.allclose(dz, twelfths, rtol=0, atol=1e-15)
assert np.allclose(fused_dz, twelfths, rtol=0, atol=1e-15)
assert np.isclose(fused_loss, loss, rtol=1e-15)

# %% tags=["hide-input"]
T = np.eye(3)[labels]
fig, axes = plt.subplots(3, 1, figsize=(3.6, 5.6))
fractions = [["1/6", "2/6", "3/6"], ["1/4", "1/4", "2/4"]]
differences = [["1/6", "2/6", "−3/6"], ["−3/4", "1/4", "2/4"]]
for ax, values, title, color in (
    (axes[0], fractions, "P: what was predicted", "blue"),
    (axes[1], T.astype(int), "T: what was true", "green"),
    (axes[2], differences, "P − T: the gradient, times N", "orange"),
):
    value_grid(ax, values, title=title, highlight=T > 0, color=color)
show(
    fig,
    name="p-minus-t",
    live="cross-entropy",
    alt=(
        "Three grids of two rows and three columns: the probabilities, the truth as ones and "
        "zeros, and their difference. The cells of the true classes are tinted; there the "
        "difference is negative, everywhere else positive."
    ),
    caption=(
        "The gradient of the scores is a difference of two tables. In each example the true class "
        "is pulled up by as much as all others together are pushed down. Where your browser runs "
        "scripts, you can move the probabilities and choose what was true."
    ),
)

# %% [markdown]
# ## The gradient, from one number to the batch
#
# **One number.** The slope of $-\log p$ is $-1/p$. At $p = \tfrac12$ it is $-2$; at $p = \tfrac1{100}$ it is $-100$. A confident mistake sends a large gradient.
#
# **With indices.** $L$ reads one element of each row, $p_{n,t_n}$. All others have no effect and gradient 0. And every slope is divided by $N$, because the loss is a *mean*:

# %% tags=["remove-input"]
show_derivation("cross_entropy")

# %% [markdown]
# The $1/N$ is easily forgotten. It belongs to the loss, and it belongs there *once*: no layer below divides again.
#
# **Through the softmax.** Now put this gradient into [softmax's short form](softmax.py#the-sum-that-needs-no-matrix). This is the step to go through slowly. The weighted mean that softmax subtracts is $\sum_j \frac{\partial L}{\partial p_{nj}}\, p_{nj}$. Only $j = t_n$ has a gradient, $-1/(N p_{n,t_n})$, and it is multiplied by $p_{n,t_n}$: **the probability cancels**, and the mean is $-1/N$, whatever was predicted.

# %% tags=["remove-input"]
show_derivation("softmax_cross_entropy")

# %% [markdown]
# $$\boxed{\frac{\partial L}{\partial Z} = \frac{P - T}{N}}$$
#
# What was predicted minus what was true. The shapes agree: all three are $(N, C)$. Softmax stops the gradient where it is certain, and the logarithm sends an infinite one there; the product of the two is finite: no element is larger than $1/N$.
#
# ## The code says the same
#
# First the gradient of the loss alone, then the two fused. `softmax_cross_entropy` never takes the logarithm of a probability: $-\log p_t = \log \sum_j e^{z_j} - z_t$, with the maximum subtracted from both.

# %% tags=["remove-input"]
show_source(cross_entropy_backward, softmax_cross_entropy)

# %% tags=["remove-input"]
show_equations("softmax_cross_entropy", "L", "P", "dZ")

# %% [markdown]
# As an `einsum`, the sum runs over the one element of each row that is true:

# %%
assert np.isclose(-np.einsum("nk,nk->", T, np.log(p)) / len(T), loss, rtol=1e-15)

# %% [markdown]
# ## What the fusion saves, and what it does not
#
# On paper the two ways are equal. In float32 they are not. Take one image and two classes, and let the wrong one be ahead by $d$. The right answers are known to sixteen digits from float64:

# %% tags=["hide-input"]
ahead = np.arange(0, 121, 2.5)
t0 = np.array([0])


def two_steps(z):
    """Softmax, then cross-entropy: loss and gradient of the true class's score."""
    p, cache = softmax(z)
    value, inner = cross_entropy(p, t0)
    with np.errstate(over="ignore", invalid="ignore"):
        return value, softmax_backward(cross_entropy_backward(1.0, inner), cache)[0, 0]


def fused(z):
    value, gradient = softmax_cross_entropy(z, t0)
    return value, gradient[0, 0]


def compare(gap):
    """Relative errors in float32 of both ways, against float64."""
    exact = np.array(fused(np.array([[0.0, gap]])))
    row = np.array([[0.0, gap]], np.float32)
    with np.errstate(invalid="ignore"):  # inf / inf
        return [np.abs(np.array(way(row)) / exact - 1) for way in (two_steps, fused)]


errors = np.array([compare(gap) for gap in ahead])  # gap, way, (loss, gradient)
broken = ~np.isfinite(errors)
first_broken = {name: ahead[broken[:, 0, i].argmax()] for i, name in ((0, "loss"), (1, "slope"))}
assert broken[:, 0].any(0).all() and not broken[:, 1].any()
assert errors[:, 1].max() < 3e-7
half_lost = ahead[(errors[:, 0, 0] > 1e-6).argmax()]

fig, ax = plt.subplots(figsize=(4.8, 3.4))
shown = np.where(broken, 3.0, np.maximum(errors, 1e-9))
ax.plot(ahead, shown[:, 0, 0], "s-", color=COLORS["orange"], markersize=3.5)
ax.plot(ahead, shown[:, 1, 0], "o-", color=COLORS["blue"], markersize=3.5)
ax.text(40, 3e-6, "two steps", color=COLORS["orange"], ha="right")
ax.text(119, 4e-9, "fused", color=COLORS["blue"], ha="right")
ax.axvspan(first_broken["loss"] - 1.2, 121, color=COLORS["muted"], alpha=0.15, linewidth=0)
ax.text(112.5, 0.08, "inf", ha="center", color=COLORS["text"])
ax.set(yscale="log", ylim=(5e-10, 8), xlabel="d, by which the wrong class is ahead",
       ylabel="relative error of the loss", title="float32: the two steps break")
show(
    fig,
    name="fused-precision",
    alt=(
        "Relative error of the loss in float32 against the lead of the wrong class. Fused, it "
        f"stays below {errors[:, 1, 0].max():.0e}. In two steps it rises from {half_lost:g} on "
        f"and becomes infinite at {first_broken['loss']:g}."
    ),
    caption=(
        "In the right half the probability first becomes a number with few digits (subnormal), "
        "then 0, and the loss becomes infinite. Fused, nothing goes wrong. Errors of 0 "
        "are drawn at the lower edge."
    ),
)

# %% [markdown]
# The probability is so small here that a float32 holds it with ever fewer bits, and then not at all. At {{ first_broken["slope"]:g}} the slope $-1/p$ is larger than any float32, and the gradient is `inf` or `nan`. From {{ half_lost:g}} on the loss has lost digits, and at {{ first_broken["loss"]:g}} the probability is 0 and the loss infinite as well. Scores of that size are not exotic: they appear when inputs were not scaled, or with a learning rate that is too high, and that is when you need the gradient most.
#
# **What the fusion does not save.** Now let the *right* class be ahead by $d$. The loss is about $e^{-d}$, a small number, and both ways compute it as the logarithm of something close to 1:

# %%
right_ahead = [5.0, 10.0, 15.0, 20.0]
for gap in right_ahead:
    exact = np.log1p(np.exp(-gap))
    row = np.array([[gap, 0.0]], np.float32)
    found = fused(row)
    print(f"{gap:4.0f}: loss {exact:.1e}, in float32 {found[0]:.1e}")
assert fused(np.array([[20.0, 0.0]], np.float32)) == (0.0, 0.0)

# %% [markdown]
# At a lead of 20, both loss and gradient are 0 in float32, either way: $1 + e^{-20}$ rounds to 1. It does no harm, for there is nothing left to learn from such an image. It does mean that a training loss of exactly 0 says "below the rounding", not "perfect".
#
# ## Evidence
#
# Here are differences of the forward pass, through the loss alone and through both together. The upstream gradient is one random number here, because the loss is one number.

# %%
many = rng.integers(0, 7, 5)
scores = rng.standard_normal((5, 7))


def both(z):
    value, gradient = softmax_cross_entropy(z, many)
    return value, gradient


def both_backward(dloss, gradient):
    return dloss * gradient


report = gradient_check(both, both_backward, [scores], rng=rng, names=["z"])
report.raise_if_above(1e-6)
alone = gradient_check(
    lambda q: cross_entropy(q, many), cross_entropy_backward,
    [softmax(scores)[0]], rng=rng, names=["p"],
)
alone.raise_if_above(1e-6)
print(report)

# %% [markdown]
# PyTorch has the pair fused as well, `torch.nn.functional.cross_entropy`, and it takes scores:

# %%
there = torch.tensor(scores, requires_grad=True)
theirs = torch.nn.functional.cross_entropy(there, torch.tensor(many))
theirs.backward()
ours, gradient = softmax_cross_entropy(scores, many)
apart = max(abs(ours - theirs.item()), np.abs(gradient - there.grad.numpy()).max())
print(f"largest difference from PyTorch: {apart:.0e}")
assert apart < 1e-14

# %% [markdown]
# [The certificate](../verify/checks.py) of the fused loss:

# %% tags=["remove-input"]
rows = show_certificate("softmax_cross_entropy", folded=True)
worst = max(row.largest for row in rows if row.dtype == "float64")
show(
    certificate_figure(rows),
    name="cross-entropy-certificate",
    alt=(
        "Relative errors on a logarithmic axis: in float64 the complex step and PyTorch at "
        f"rounding, the differences below {worst:.0e}; in float32 all below 1e-6."
    ),
    caption="The certificate. The two exact witnesses lose about nine digits to float32.",
)
assert all(row.largest < 1e-6 for row in rows if row.dtype == "float32")

# %% [markdown]
# The largest error in float64 is ${{ power(worst) }}$, from the differences. As always, expect $10^{-8}$ of them and $10^{-15}$ of the other two.
#
# ## Six ways to get it wrong
#
# Three are wrong factors. The gradient points the right way, so the loss falls, and the learning rate hides the rest.


# %%
def no_mean(dloss, gradient):
    """Wrong: the loss is a mean, the gradient that of a sum."""
    return dloss * gradient * len(many)


def divided_twice(dloss, gradient):
    """Wrong: the layer divides, and the loop divides again."""
    return dloss * gradient / len(many)


def mean_over_everything(dloss, gradient):
    """Wrong: np.mean over the (N, C) table T·log P divides by N·C."""
    return dloss * gradient / scores.shape[1]


for wrong in (no_mean, divided_twice, mean_over_everything):
    try:
        gradient_check(both, wrong, [scores], rng=rng).raise_if_above(1e-6)
        raise AssertionError("not caught")
    except GradientError:
        ratio = wrong(1.0, gradient) / gradient
        assert np.allclose(ratio, ratio[0, 0], rtol=1e-12)
        print(f"{wrong.__name__:<20} caught; {ratio[0, 0]:.3g} times too large")

# %% [markdown]
# With $N = 5$ and $C = 7$ the factor names the mistake. As a rule the third is made in both passes at once, and then no gradient check can see it: the gradient fits the loss, which is the wrong one. You see it in the price of knowing nothing, which should have been $\log C$:

# %%
uniform = np.full((5, 7), 1 / 7)
wrong_loss = -(np.eye(7)[many] * np.log(uniform)).mean()
print(f"should be {np.log(7):.3f}, is {wrong_loss:.3f}")
assert np.isclose(wrong_loss, np.log(7) / 7)

# %% [markdown]
# **The fourth: rows and columns.** `p[:, labels]` instead of `p[np.arange(N), labels]` reads, for *every* row, the labels of *all* rows: an $(N, N)$ table whose mean is a number as good as any other.

# %%
probabilities = softmax(scores)[0]
table = probabilities[:, many]
off = -np.log(table).mean()
print(f"shape {table.shape} for (5,); loss {off:.3f}, it should be {ours:.3f}")
assert table.shape == (5, 5) and not np.isclose(off, ours)

# %% [markdown]
# **The fifth: a guard that kills the gradient.** To avoid $\log 0$, the probability is clipped. Then the loss is finite. But where the clip is at work, the loss no longer depends on the scores, and the worst mistakes of the network are the ones from which it learns nothing:

# %%
def clipped(z, eps=1e-7):
    """Wrong cure: log of a clipped probability."""
    p, cache = softmax(z)
    dp = np.where(p > eps, -T1 / np.maximum(p, eps), 0.0)
    value = -np.log(np.maximum(p[T1 > 0], eps)).mean()
    return value, softmax_backward(dp, cache)[0, 0]


T1 = np.array([[1.0, 0.0]])
for gap in (5.0, 15.0, 30.0):
    row = np.array([[0.0, gap]])
    value, slope = clipped(row)
    print(f"wrong by {gap:2.0f}: loss {value:5.2f}, slope {slope:g} "
          f"(fused {fused(row)[0]:5.2f}, {fused(row)[1]:.3g})")
assert clipped(np.array([[0.0, 30.0]]))[1] == 0

# %% [markdown]
# **The sixth: labels that begin at 1.** With classes called 1 to 3, the last label lies outside and NumPy would say so. But after one subtraction too many they run from $-1$, and $-1$ is a legal index: the last class. Here it is refused:

# %% tags=["raises-exception"]
cross_entropy(p, labels - 1)

# %% [markdown]
# ## Is the price of a confident mistake too high?
#
# The first figure had two prices. The squared error of the probabilities, $\sum_k (p_k - T_k)^2$, never asks for more than 2. Cross-entropy can ask for anything, and it will do so for an image whose *label* is wrong.
#
# **The question.** If some of the training labels are wrong, does the squared error lead to the better network?
#
# **A prediction.** With clean labels cross-entropy should win, since its gradient does not fade where the network is confidently wrong. With wrong labels it should lose: it forces the network to believe them.
#
# The network reads digits with 64 hidden units, for 30 epochs. A share of the training labels is replaced by another class at random. For each loss and share the best of six learning rates is chosen by the accuracy on the validation images, whose labels are clean; the test images come last. Five seeds choose the wrong labels, the weights and the order.

# %% tags=["hide-input"]
flat = {part: getattr(data, f"x_{part}").reshape(len(getattr(data, f"x_{part}")), -1)
        for part in ("train", "val", "test")}
shares, rates, seeds = [0.0, 0.2, 0.4, 0.6], [0.01, 0.03, 0.1, 0.3, 1.0, 3.0], range(5)
large = 1.0  # the one rate of the lower plot


def log_loss(logits, t):
    return softmax_cross_entropy(logits, t)[1]


def squared(logits, t):
    """Gradient of the mean over rows of Σₖ (pₖ − Tₖ)²."""
    p, cache = softmax(logits)
    off = p.copy()
    off[np.arange(len(t)), t] -= 1
    return softmax_backward(2 * off / len(t), cache)


def spoil(t, share, rng):
    """Replace a share of the labels, each by one of the nine others."""
    spoilt = t.copy()
    hit = rng.permutation(len(t))[: round(share * len(t))]
    spoilt[hit] = (spoilt[hit] + rng.integers(1, 10, len(hit))) % 10
    return spoilt


def measured(net, t):
    """Return accuracy on validation and test images, and the share of wrong labels it repeats."""
    val, test, train = (net(flat[part]).argmax(1) for part in ("val", "test", "train"))
    wrong = t != data.y_train
    repeated = (train == t)[wrong].mean() if wrong.any() else 0.0
    return (val == data.y_val).mean(), (test == data.y_test).mean(), repeated


def train(gradient_of, share):
    """Train a network for each seed and rate, all of them side by side."""
    pairs = [(seed, rate) for seed in seeds for rate in rates]
    rngs = [np.random.default_rng(seed) for seed, _ in pairs]
    t = np.array([spoil(data.y_train, share, rng) for rng in rngs])  # networks, images
    nets = [mlp(64, [64], 10, rng=rng) for rng in rngs]
    together = SideBySide(nets)
    each = np.arange(len(nets))
    optimizer = SGD({"nets": together.params}, np.float32([[rate] for _, rate in pairs]))
    for _ in range(30):
        order = np.array([rng.permutation(t.shape[1]) for rng in rngs])
        for batch in np.array_split(order.T, t.shape[1] // 64):  # images, networks
            logits, cache = together.net.forward(flat["train"][batch].reshape(len(batch), -1))
            gradient = gradient_of(logits.reshape(-1, 10), t[each, batch].ravel())
            gradient *= len(nets)  # each network has a mean of its own
            together.net.backward(gradient.reshape(logits.shape), cache, need_dx=False)
            optimizer.step({"nets": together.grads})
    for k in each:
        together.write_back(k)
    found = [measured(net, labels) for net, labels in zip(nets, t, strict=True)]
    return np.reshape(found, (len(seeds), len(rates), 3))


scored = {
    loss_of: np.array([train(loss_of, share) for share in shares])
    for loss_of in (log_loss, squared)
}  # share, seed, rate, (validation, test, repeated)
test, picked, believed = {}, {}, {}
for loss_of, values in scored.items():
    picked[loss_of] = values[..., 0].mean(1).argmax(1)
    test[loss_of] = np.array([values[i, :, j, 1] for i, j in enumerate(picked[loss_of])])
    believed[loss_of] = [values[i, :, j, 2].mean() for i, j in enumerate(picked[loss_of])]

# %% tags=["hide-input"]
at_large = {loss_of: values[:, :, rates.index(large)] for loss_of, values in scored.items()}
fixed = {loss_of: values[..., 1] for loss_of, values in at_large.items()}
fooled = {loss_of: values[2, :, 2].mean() for loss_of, values in at_large.items()}
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.6), sharex=True, sharey=True)
for ax, results, title in (
    (axes[0], test, "Each at its best learning rate: the lead is gone"),
    (axes[1], fixed, f"Both at {large:g}: a large one"),
):
    for loss_of, color, marker, text, shift in (
        (squared, "orange", "s", "squared error", (4, 10)),
        (log_loss, "blue", "o", "cross-entropy", (-6, -16)),
    ):
        percent, right_side = 100 * results[loss_of], loss_of is squared
        ax.plot(shares, percent.mean(1), "--" if right_side else "-", color=COLORS[color])
        for column in percent.T:
            ax.plot(np.array(shares) + (0.006 if right_side else -0.006), column, marker,
                    color=COLORS[color], markersize=4, alpha=0.5)
        ax.annotate(text, (shares[2], percent.mean(1)[2]), shift, textcoords="offset points",
                    color=COLORS[color], ha="left" if right_side else "right")
    ax.set(title=title, ylabel="test accuracy (%)", xticks=shares)
axes[1].set_xlabel("share of training labels that are wrong")


def signed(points):
    """The mean, with a real minus sign."""
    return f"{points.mean():.1f}".replace("-", "−")


tuned, untuned = (100 * (r[squared] - r[log_loss]) for r in (test, fixed))
show(
    fig,
    name="wrong-labels",
    alt=(
        "Two plots of test accuracy against the share of wrong labels. With tuned rates the lines "
        "of cross-entropy and squared error lie close together: the squared error is ahead by "
        + ", ".join(map(signed, tuned)) + " points. At the rate 1 it is "
        "ahead by " + ", ".join(map(signed, untuned)) + "."
    ),
    caption=(
        "Each mark is a run, the lines are means. With wrong labels, the lead that the squared error "
        "has in the lower plot is gone in the upper one."
    ),
)


def chosen(loss_of):
    """The rates that validation chose, from the smallest share of wrong labels on."""
    *most, last = (f"{rates[j]:g}" for j in picked[loss_of])
    return f"{', '.join(most)} and {last}"


assert all(0 < j < len(rates) - 1 for found in picked.values() for j in found)
assert fooled[log_loss] > 2 * believed[log_loss][2]
assert tuned[0].mean() < -tuned[0].std(ddof=1) and np.abs(tuned[1:].mean(1)).max() < 2
assert untuned[2].mean() > 3 and (untuned[2] > 0).all()

# %% [markdown]
# **The verdict.** With clean labels cross-entropy is ahead by {{ signed(-tuned[0]) }} points, as predicted: {{ test[log_loss][0].mean():.1%}} against {{ test[squared][0].mean():.1%}} (standard deviation of the difference over the five seeds: {{ tuned[0].std(ddof=1):.1f}} points). With wrong labels the answer depends on how you ask. At a learning rate of {{ large:g}} and {{ shares[2]:.0%}} wrong labels the squared error is ahead by {{ untuned[2].mean():.1f}} points, with every seed: the bounded price does protect ([@ghosh2017]). But let each loss have the rate that suits it, and the lead is {{ signed(tuned[1]) }}, {{ signed(tuned[2]) }} and {{ signed(tuned[3]) }} points at {{ shares[1]:.0%}}, {{ shares[2]:.0%}} and {{ shares[3]:.0%}}, while from seed to seed it varies by {{ tuned[2].std(ddof=1):.1f}} (standard deviation at {{ shares[2]:.0%}}). If you compared the losses at one rate, you would publish the lower plot.
#
# Does a network come to believe the wrong labels? Count how many of them it gives as its answer. At {{ shares[2]:.0%}} wrong labels and the rate {{ large:g}}, cross-entropy repeats {{ fooled[log_loss]:.0%}} of them, the squared error {{ fooled[squared]:.0%}}. At the rates that validation chose, they repeat {{ believed[log_loss][2]:.0%}} and {{ believed[squared][2]:.0%}}. So smaller steps protect as well, within the same 30 epochs. The chosen rates are {{ chosen(log_loss) }} for cross-entropy and {{ chosen(squared) }} for the squared error, from clean labels to {{ shares[3]:.0%}} wrong ones; none of them is the smallest or the largest of the grid.
#
# **What this does not show.** What a larger network, which can believe more, would do. Stopping early and weight decay may protect too, and were not compared. Networks with many classes are known to start badly with bounded losses ([@zhang2018]); ten classes and one hidden layer are too small a test of that.
#
# ## Where a training should start
#
# One last use of $\log C$. If the last layer begins at zero, all scores are equal, and the first loss is $\log C$ to the last digit. If it begins as the other layers do, the first loss is higher: the network is confidently wrong about things that it has never seen.

# %%
draw = np.random.default_rng(SEED)
fresh = mlp(64, [64], 10, rng=draw)
began = softmax_cross_entropy(fresh(flat["train"]), data.y_train)[0]
fresh.params["2.weight"][...] = zeros((64, 10), rng=draw, dtype=np.float32)
flat_start = softmax_cross_entropy(fresh(flat["train"]), data.y_train)[0]
print(f"as the others: {began:.3f}; last layer 0: {flat_start:.3f}")
assert np.isclose(flat_start, np.log(10), rtol=1e-6) and began > flat_start

# %% [markdown]
# ## In five lines
#
# - The loss is the mean of minus the logarithm of the true class's probability.
# - Together with softmax its gradient is the probabilities minus the one-hot labels, divided by $N$.
# - Compute the two together: apart, they fail in float32 when a wrong score leads by enough.
# - A loss above $\log C$ is worse than knowing nothing.
# - Clipping the probability keeps the loss finite, and stops the gradient where it is needed most.
#
# ## Try it
#
# ??? question "1. Two networks are right about every test image. Can their losses differ?"
#     Yes. Being right means that the true class has the largest probability; the loss asks how large. A network that predicts 0.4, 0.3, 0.3 is right and pays 0.92.
#
# ??? question "2. With a pencil: $P = (\tfrac18, \tfrac78)$ and the true class is the first. What are $L$ and $\partial L/\partial Z$ for a batch of one?"
#     $L = \ln 8 = 3 \ln 2$, and $\partial L/\partial Z = (\tfrac18 - 1, \tfrac78) = (-\tfrac78, \tfrac78)$.
#
# ??? question "3. How large can the gradient of one score be?"
#     At most $1/N$, since $|p - T| \le 1$. A mean squared error of raw scores has no such bound. This is one reason why classification is a gentler task for gradient descent than regression.
#
# ??? question "4. Your first loss is 4.1 with ten classes. What do you look at?"
#     At the size of the scores. 4.1 is more than $\log 10$, so the network is confidently wrong before it has learnt anything: the inputs are not scaled, or the last layer's weights begin too large.
#
# ??? question "5. For the notebook: smooth the labels. Replace $T$ by $0.9\,T + 0.1/C$ in `log_loss` and run the experiment again."
#     The gradient is $(P - T_\text{smooth})/N$: subtract the smoothed table instead of 1. No probability is driven to 1 any more, since the smallest loss is at $p = T_\text{smooth}$, [as for any truth](#why-no-other-answer-is-better). Compare the right end of the figure ([@szegedy2016] introduced it for another reason).

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("cross_entropy", "softmax_cross_entropy")

# %% [markdown]
# ## Sources
#
# - Shannon (1948), *A mathematical theory of communication*, Bell System Technical Journal: entropy.
# - Kullback and Leibler (1951), *On information and sufficiency*, Annals of Mathematical Statistics: the divergence.
# - Bridle (1990), *Training stochastic model recognition algorithms as networks can lead to maximum mutual information estimation of parameters*, NIPS: softmax with this loss.
# - Goodfellow, Bengio and Courville (2016), *Deep learning*, MIT Press, section 6.2.2: why the logarithm undoes the exponential.
# - Ghosh, Kumar and Sastry (2017), *Robust loss functions under label noise for deep neural networks*, AAAI.
# - Zhang and Sabuncu (2018), *Generalized cross entropy loss for training deep neural networks with noisy labels*, NeurIPS.
# - Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), *Rethinking the inception architecture for computer vision*, CVPR: smoothed labels.
