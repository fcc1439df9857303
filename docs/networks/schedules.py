# ---
# title: Schedules and safeguards
# description: A learning rate that falls, warm-up, Nesterov's momentum, clipping, AdamW and the range test, each derived and tried; and the edge of stability, where training goes on though the theory forbids it.
# tags:
#   - networks
# ---

# %% [markdown]
# # Schedules and safeguards
#
# [The last chapter](optimizers.py) ended with one piece of advice: tune the learning rate. But why should one rate be right from the first step to the last? This page derives why a falling rate gets further than any constant one, and finds out when that matters. It compares the safeguards of everyday training with a baseline, and shows where the cliff of the last chapter lies when the valley changes under your feet.
#
# You need [optimisers](optimizers.py): the symbols, momentum, Adam, and the limit of [](optimizers.py#cliff).

# %% tags=["hide-input"]
from fractions import Fraction
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import stats

from nn_tutorial import (
    SGD,
    Adam,
    AdamW,
    Linear,
    Scheduled,
    Sequential,
    Tanh,
    clip_gradients,
    cosine,
    digits,
    evaluate,
    fit_many,
    holm,
    linear_warmup,
    mlp,
    one_cycle,
    range_test,
    softmax_cross_entropy,
    xavier_normal,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style
from nn_tutorial.training.side_by_side import SideBySide

SEED = 0
use_style()
TOLERANCE = 0.001  # of the measured sharpness
STEPS = 400  # of a training: 4 epochs of 1,000 digits in batches of 10
SCHEDULES = {
    "constant": lambda t: 1.0,
    "warm-up": partial(linear_warmup, steps=STEPS // 10),
    "cosine": partial(cosine, steps=STEPS),
    "both": lambda t: linear_warmup(t, steps=STEPS // 10) * cosine(t, steps=STEPS),
    "one-cycle": partial(one_cycle, steps=STEPS),
}

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 3.0))
steps = np.arange(STEPS)
for (name, schedule), color, style, place in zip(
    SCHEDULES.items(),
    ("text", "purple", "blue", "green", "orange"),
    ("-", (0, (6, 3)), "--", "-.", ":"),
    ((320, 1.04), (-8, 1.04), (112, 0.5), (0, 0), (232, 0.8)),
    strict=True,
):
    if name in ("constant", "cosine", "one-cycle", "warm-up"):
        values = np.array([schedule(t) for t in steps])
        shown = steps <= STEPS // 10 if name == "warm-up" else steps >= 0
        ax.plot(steps[shown], values[shown], color=COLORS[color], linestyle=style)
        ax.text(*place, name, color=COLORS[color], fontweight="bold")
ax.set(
    xlabel="step t",
    ylabel="factor on the learning rate",
    ylim=(0, 1.18),
    title=f"What becomes of the rate in {STEPS} steps",
)
show(
    fig,
    name="schedules",
    alt=(
        "The factor on the learning rate against the step. Constant: a line at 1. Warm-up: from 0.1 "
        "to 1 in the first tenth of the steps. Cosine: from 1 along half a wave to 0. One-cycle: "
        "from 0.04 up to 1 after three tenths of the steps, then down to almost 0."
    ),
    caption=(
        "The schedules of this page. Warm-up is a beginning that goes with any of the others: the "
        "factors are multiplied. At the right end two of the curves reach 0, or almost."
    ),
)

# %% [markdown]
# ## The symbols
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $\theta$, $g$ | `p`, `g` | any | a parameter and its gradient |
# | $\eta$, $\mu$ | `lr`, `momentum` | one number | learning rate, and what is kept of the velocity |
# | $t$ | `step` | one number | counts the steps; in schedules from 0 |
# | $T$ | `steps` | one number | how many steps the schedule lasts |
# | $V_t$ | `V` | one number | mean of $\theta^2$ after $t$ noisy steps |
# | $\sigma^2$ | | one number | variance of the noise in the gradient |
# | $c$ | `max_norm` | one number | the longest gradient that clipping lets through |
# | $\lambda_w$ | `weight_decay` | one number | weight decay |
# | $\lambda_{\max}$ | `sharpness` | one number | largest eigenvalue of the second derivatives, the *sharpness* |
#
# ## By hand
#
# **Clipping** with $c = 1$: two parameters have the gradients 3 and 4. Together they are a vector of length $\sqrt{3^2 + 4^2} = 5$. That is too long by the factor 5, so the gradients become $\tfrac35$ and $\tfrac45$. The direction is the same.
#
# **The cosine** at the beginning, after a third, a half, two thirds and all of the steps gives $1, \tfrac34, \tfrac12, \tfrac14, 0$.
#
# **Nesterov's momentum** walks down the valley of the last chapter, $f = \tfrac12(\theta_0^2 + 9\theta_1^2)$, from $(12, 4)$, with $\eta = \tfrac19$ and $\mu = \tfrac14$. The velocity $v$ is as before, but the step is $g + \mu v$ in place of $v$. In the first step $v = g = (12, 36)$:
#
# $$\theta = \begin{bmatrix}12\\4\end{bmatrix} - \tfrac19\left(\begin{bmatrix}12\\36\end{bmatrix} + \tfrac14\begin{bmatrix}12\\36\end{bmatrix}\right) = \begin{bmatrix}31/3\\-1\end{bmatrix}$$
#
# In the second, $g = (\tfrac{31}3, -9)$ and $v = \tfrac14(12, 36) + g = (\tfrac{40}3, 0)$:
#
# $$\theta = \begin{bmatrix}31/3\\-1\end{bmatrix} - \tfrac19\left(\begin{bmatrix}31/3\\-9\end{bmatrix} + \tfrac14\begin{bmatrix}40/3\\0\end{bmatrix}\right) = \begin{bmatrix}238/27\\0\end{bmatrix}$$
#
# Across the valley the walk has arrived, with a velocity of 0. That is no accident, as you will see. Here is the package on the same fractions:

# %%
F = Fraction
theta = np.array([F(12), F(4)])
optimizer = SGD({"theta": theta}, F(1, 9), momentum=F(1, 4), nesterov=True)
for expected in ([F(31, 3), F(-1)], [F(238, 27), F(0)]):
    optimizer.step({"theta": np.array([F(1), F(9)]) * theta})
    assert theta.tolist() == expected
assert optimizer.velocity["theta"][1] == 0

clipped, norm = clip_gradients({"a": np.array([3.0]), "b": np.array([4.0])}, 1.0)
print(f"norm {norm}, clipped to {clipped['a'][0]:.7f} and {clipped['b'][0]:.7f}")
waves = [cosine(t, steps=6) for t in (0, 2, 3, 4, 6)]
assert np.allclose(waves, [1, 3 / 4, 1 / 2, 1 / 4, 0], atol=1e-15)
assert abs(clipped["a"][0] - 0.6) < 1e-6 and norm == 5

# %% [markdown]
# (The clipped numbers are a hair too small because $10^{-6}$ is added to the norm, as in PyTorch, so that a gradient of zeros causes no division by 0.)
#
# ## Why a rate should fall
#
# Take the simplest case in which batches make noise: $f(\theta) = \tfrac12\theta^2$, and each gradient is $\theta$ plus noise with mean 0 and variance $\sigma^2$, new at each step. One step of SGD gives
#
# $$\theta' = \theta - \eta(\theta + \text{noise}) = (1 - \eta)\theta - \eta\cdot\text{noise}$$
#
# Square it and take the mean. The noise is new, so it has nothing to do with $\theta$, and the mixed term has the mean 0. With $V$ for the mean of $\theta^2$:
#
# $$V' = (1 - \eta)^2 V + \eta^2\sigma^2$$
#
# **A constant rate** cannot win. Set $V' = V$: it ends on a floor of $\sigma^2\eta/(2 - \eta)$. A small rate has a low floor and takes for ever to get there.
#
# **The best rate for the next step.** $V'$ is a parabola in $\eta$. Its derivative is $-2(1 - \eta)V + 2\eta\sigma^2$, and that is 0 where
#
# $$\eta = \frac{V}{V + \sigma^2}$$
#
# Far from the bottom, where $V$ is much larger than the noise, this is nearly 1: go all the way. Near the bottom it is small: do not trust a single gradient much. You might expect a complicated formula now. Put $\eta$ back, with $1 - \eta = \sigma^2/(V + \sigma^2)$:
#
# $$V' = \frac{\sigma^4 V + V^2\sigma^2}{(V + \sigma^2)^2} = \frac{\sigma^2 V\,(\sigma^2 + V)}{(V + \sigma^2)^2} = \frac{\sigma^2 V}{V + \sigma^2}$$
#
# and turn it upside down: $1/V' = 1/V + 1/\sigma^2$. So $1/V$ grows by the same number at each step. From $V_0$:
#
# $$\boxed{\frac1{V_t} = \frac1{V_0} + \frac{t}{\sigma^2}, \qquad \eta_t = \frac{1}{t + 1 + \sigma^2/V_0}}$$
#
# The second follows from the first: step $t$ begins with $V_t$, and $\eta_t = V_t/(V_t + \sigma^2) = 1/(1 + \sigma^2/V_t)$. The best rate falls like $1/t$, and there is no floor: $V_t$ falls like $\sigma^2/t$ for ever. No choice of rates does better, since a smaller $V$ before a step gives a smaller $V'$ at any rate. (If $V_0$ is huge, $\eta_t = 1/(t + 1)$, and $\theta_t$ is the mean of what the noisy gradients said about the bottom.)
#
# In a network $\sigma^2$ and $V_0$ are not known. A cosine needs neither: it begins with rates that travel and ends with rates that settle.

# %% tags=["hide-input"]
WALKS, LENGTH, V0 = 10_000, 200, 25.0
rates = {
    "constant, 0.5": np.full(LENGTH, 0.5),
    "constant, 0.05": np.full(LENGTH, 0.05),
    "cosine from 0.5": np.array([0.5 * cosine(t, steps=LENGTH) for t in range(LENGTH)]),
    "best": 1 / (np.arange(LENGTH) + 1 + 1 / V0),  # σ² = 1
}
rng = np.random.default_rng(SEED)
measured, theory = {}, {}
for name, etas in rates.items():
    theta = np.sqrt(V0) * rng.standard_normal(WALKS)
    optimizer = Scheduled(SGD({"theta": theta}, 1.0), lambda t, etas=etas: etas[t])
    seen, V = [np.mean(theta**2)], [V0]
    for eta in etas:
        optimizer.step({"theta": theta + rng.standard_normal(WALKS)})
        seen.append(np.mean(theta**2))
        V.append((1 - eta) ** 2 * V[-1] + eta**2)
    measured[name], theory[name] = np.array(seen), np.array(V)
off = max(np.abs(measured[name] / theory[name] - 1).max() for name in rates)
assert off < 6 * np.sqrt(2 / WALKS)  # six standard errors of a mean of squares
assert np.allclose(theory["best"], 1 / (1 / V0 + np.arange(LENGTH + 1)), rtol=1e-12)
assert all((theory["best"] <= values * (1 + 1e-12)).all() for values in theory.values())
last = {name: values[-1] for name, values in theory.items()}

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 3.4))
for name, color, style, marker, place in (
    ("constant, 0.5", "text", "-", "o", (60, 0.42)),
    ("constant, 0.05", "purple", (0, (6, 3)), "s", (15, 9)),
    ("cosine from 0.5", "blue", "--", "^", (100, 0.14)),
    ("best", "orange", ":", "D", (14, 0.03)),
):
    ax.plot(theory[name], color=COLORS[color], linestyle=style)
    ax.plot(
        np.arange(0, LENGTH + 1, 20), measured[name][::20], marker, color=COLORS[color], markersize=4
    )
    ax.text(*place, name, color=COLORS[color], fontweight="bold")
ax.set(yscale="log", xlabel="step t", ylabel="mean of θ²", title="Only a falling rate leaves the floor")
show(
    fig,
    name="noise-floor",
    alt=(
        "Mean of the squared distance against the step, on a logarithmic scale. The rate 0.5 is on "
        f"its floor of {last['constant, 0.5']:.2f} at once; 0.05 needs a hundred steps to come to "
        f"{last['constant, 0.05']:.3f}; the cosine begins like 0.5 and falls to "
        f"{last['cosine from 0.5']:.3f}; the best schedule is below all and ends at {last['best']:.3f}."
    ),
    caption=(
        f"Lines: the formula for V. Marks: means over {WALKS:,} walks of the package's SGD. In the "
        "last fifty steps the cosine makes up what it lost."
    ),
)

# %% [markdown]
# The best schedule ends at {{ f"{last['best']:.4f}" }}, the cosine at {{ f"{last['cosine from 0.5']:.4f}" }}, the large constant rate at {{ f"{last['constant, 0.5']:.3f}" }}. So the theory makes a prediction: *a falling rate should pay where noise makes the floor, and little where the batches are large.* We test it below.
#
# ## The schedules
#
# Each is a function of the step that returns a factor; $s$ and $e$ are the factors at the start and the end.
#
# $$\begin{aligned}
#   \text{warm-up}\quad & s + (1 - s)\min(t/T,\ 1) \\[4pt]
#   \text{cosine}\quad & e + (1 - e)\,\tfrac12\left(1 + \cos\frac{\pi t}{T}\right)
#   \end{aligned}$$
#
# **One-cycle** ([@smith2019]) is two such waves: up from $s$ to 1 in the first $r = 0.3$ of the steps, down to almost nothing in the rest. The cosine is from [@loshchilov2017], the warm-up as it is used today from [@goyal2017].

# %% tags=["remove-input"]
show_source(linear_warmup, cosine, one_cycle, Scheduled.step)

# %% [markdown]
# `_bend` is the half-wave, `_check` refuses what makes no sense. `Scheduled` puts a schedule around any optimiser, and `fit` takes the result like one. To have two schedules, multiply them:
#
# ```python
# schedule = lambda t: linear_warmup(t, steps=40) * cosine(t, steps=400)
# fit(net, train, optimizer=Scheduled(SGD(net.params, 0.1, momentum=0.9), schedule), ...)
# ```
#
# ### Evidence: beside PyTorch, step by step
#
# Here is all of this chapter's library, on the same random gradients as `torch.optim`, `torch.optim.lr_scheduler` and `clip_grad_norm_`, in float64:

# %%
from torch.optim import lr_scheduler as theirs

adam_decay = {"weight_decay": 0.1}
nesterov = {"momentum": 0.9, "nesterov": True}
CASES = {  # ours, theirs, options, schedule, their scheduler
    "Nesterov": (SGD, torch.optim.SGD, nesterov, lambda t: 1.0, None),
    "AdamW": (AdamW, torch.optim.AdamW, adam_decay, lambda t: 1.0, None),
    "warm-up": (SGD, torch.optim.SGD, nesterov, partial(linear_warmup, steps=30),
                lambda o: theirs.LinearLR(o, 0.1, total_iters=30)),
    "cosine": (AdamW, torch.optim.AdamW, adam_decay, partial(cosine, steps=100),
               lambda o: theirs.CosineAnnealingLR(o, 100)),
    "one-cycle": (SGD, torch.optim.SGD, nesterov, partial(one_cycle, steps=100),
                  lambda o: theirs.OneCycleLR(o, 0.05, 100, cycle_momentum=False)),
}  # fmt: skip
apart = {}
for name, (ours, other, options, schedule, scheduler) in CASES.items():
    p = rng.standard_normal((3, 5))
    tensor = torch.tensor(p, requires_grad=True)
    optimizer = Scheduled(ours({"p": p}, 0.05, **options), schedule)
    twin = other([tensor], 0.05, **options)
    scheduler = scheduler and scheduler(twin)
    apart[name] = 0.0
    for t in range(100):
        g = rng.standard_normal(p.shape)
        tensor.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_([tensor], 3.0)  # shortens most of them
        optimizer.step(clip_gradients({"p": g}, 3.0)[0])
        twin.step()
        if scheduler and t + 1 < 100:
            scheduler.step()
        apart[name] = max(apart[name], float(np.abs(p - tensor.detach().numpy()).max()))
    print(f"{name:<10} apart {apart[name]:.0e}")
assert max(apart.values()) < 1e-12

# %% [markdown]
# One difference is intended: after its last step our cosine stays at the end, while PyTorch's `CosineAnnealingLR` rises again. And `OneCycleLR` moves the momentum too, unless you tell it not to.
#
# ## Nesterov: momentum that looks ahead
#
# Heavy-ball momentum measures the gradient where it stands, although it already knows that the velocity is about to carry it further. Nesterov's idea ([@nesterov1983]; for networks [@sutskever2013]) is to use the gradient at the place to which the velocity leads. Written in the shifted parameters, which is how all libraries do it, only the last line changes:
#
# $$v' = \mu v + g, \qquad \theta' = \theta - \eta\,(g + \mu v')$$
#
# What does it buy? In one direction, $g = \lambda\theta$. Write two steps in a row, replace $v$ by what the earlier step says, and you find that $\theta$ obeys
#
# $$\theta_{t+1} = (1 - \eta\lambda)\big((1 + \mu)\,\theta_t - \mu\,\theta_{t-1}\big)$$
#
# ??? note "The algebra"
#     The rule says $\theta_{t+1} = \theta_t - \eta\mu v_{t+1} - \eta g_t$ and $v_{t+1} = \mu v_t + g_t$. Let $\varphi_t = \theta_t + \eta\mu v_t$. Then $\varphi_{t+1} = \theta_t - \eta g_t$, which is $(1 - \eta\lambda)\,\theta_t$: a plain step. From the second rule, $\eta v_{t+1} = \eta\mu v_t + \eta g_t$. Here $\eta\mu v_t$ is $\varphi_t - \theta_t$, and $\eta g_t$ is $\theta_t - \varphi_{t+1}$; so $\eta v_{t+1} = \varphi_t - \varphi_{t+1}$. Put it into $\theta_{t+1} = \varphi_{t+1} - \eta\mu v_{t+1}$: it is $\varphi_{t+1} + \mu(\varphi_{t+1} - \varphi_t)$. Replace each $\varphi$ by the plain step, and you have the line above.
#
# The factors $r$ by which $\theta$ shrinks solve
#
# $$r^2 - (1 + \mu)(1 - \eta\lambda)\,r + \mu(1 - \eta\lambda) = 0$$
#
# **Mind the last term.** For the heavy ball the product of the two roots is $\mu$, whatever the curvature; so each direction that swings dies down like $\sqrt\mu$ per step, no faster. Here it is $\mu(1 - \eta\lambda)$: *the steeper a direction, the faster it dies*, up to $\eta\lambda = 1$, where both roots are 0. That is why the walk by hand arrived across the valley after two steps.
#
# The price is the limit. A root reaches $-1$ where $1 + (1 + 2\mu)(1 - \eta\lambda) = 0$:
#
# $$\boxed{\begin{aligned}
#   \text{Nesterov:}\quad & \eta < \frac{2}{\lambda_{\max}}\cdot\frac{1 + \mu}{1 + 2\mu} \\[4pt]
#   \text{heavy ball:}\quad & \eta < \frac{2}{\lambda_{\max}}\,(1 + \mu)
#   \end{aligned}}$$
#
# On a quadratic with known curvatures the heavy ball at its best is the faster of the two: it shrinks our valley by $\tfrac12$ per step, Nesterov by $1 - 2/\sqrt{3\kappa + 1}$ ([@lessard2016]), here {{ f"{1 - 2 / np.sqrt(28):.3f}" }}. Nesterov's method has a guarantee for *every* smooth convex function; the same paper shows one on which the heavy ball, at its best pair for quadratics, does not converge. The limit and the best pair, checked with the package's own steps:


# %%
def radius(curvature, lr, momentum):
    """The factor per step in the long run: the largest eigenvalue of what a step does."""
    columns = []
    for theta, v in ((1.0, 0.0), (0.0, 1.0)):
        params = {"theta": np.array([theta])}
        optimizer = SGD(params, lr, momentum=momentum, nesterov=True)
        optimizer.velocity["theta"][:] = v
        optimizer.step({"theta": curvature * params["theta"]})
        columns.append([params["theta"][0], optimizer.velocity["theta"][0]])
    return np.abs(np.linalg.eigvals(np.array(columns).T)).max()


kappa = 9
edge = 2 * (1 + 0.9) / (1 + 2 * 0.9)
assert radius(1.0, 0.999 * edge, 0.9) < 1 < radius(1.0, 1.001 * edge, 0.9)
pair = 4 / (3 * kappa + 1), (np.sqrt(3 * kappa + 1) - 2) / (np.sqrt(3 * kappa + 1) + 2)
known = max(radius(lam, *pair) for lam in (1.0, 9.0))
tried = min(
    max(radius(lam, lr, mu) for lam in (1.0, 9.0))
    for lr in np.linspace(0.06, 0.2, 57)
    for mu in np.linspace(0.2, 0.7, 51)
)
print(f"the known best pair {known:.4f}, best of {57 * 51:,} others {tried:.4f}")
assert abs(known - (1 - 2 / np.sqrt(28))) < 1e-6 and known < tried < known + 0.01

# %% [markdown]
# ## Clipping, and what it can and cannot do
#
# One freak batch can have a gradient a hundred times as long as the others, and one step along it can undo an hour of training. Clipping ([@pascanu2013]) puts an upper bound on the length of all gradients together, the *global norm*:
#
# $$g' = g\,\min\left(1,\ \frac{c}{\|g\|}\right), \qquad \|g\|^2 = \sum_{\text{all arrays}}\ \sum_i g_i^2$$

# %% tags=["remove-input"]
show_source(clip_gradients)

# %% [markdown]
# Everything is multiplied by *one* factor, so the direction stays. With plain SGD a step is then never longer than $\eta c$, and with momentum never longer than $\eta c/(1 - \mu)$. With Adam, clipping does less. Adam's division takes out a factor that is the same at all steps; what is left is that a freak gradient counts no more than $c$ in the first running mean and $c^2$ in the second.
#
# ## AdamW: decay that passes by the division
#
# [The last chapter](optimizers.py#6-weight-decay-a-factor-of-two-or-the-wrong-place) showed the difference on two weights. Here is the reason in one line each, for decay inside the gradient and outside, and a weight whose $\sqrt{\hat v}$ is about $G$:
#
# $$\begin{aligned}
#   \text{inside:}\quad & \theta' \approx \theta - \eta\,\frac{\hat m + \lambda_w\theta}{G + \varepsilon} \\[4pt]
#   \text{outside:}\quad & \theta' = (1 - \eta\lambda_w)\,\theta - \eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon}
#   \end{aligned}$$
#
# Inside, the decay per step is $\eta\lambda_w/G$: large for weights with small gradients, small for those with large ones, and it changes if you multiply the loss by 2. Outside it is $\eta\lambda_w$ for all. That is the argument of [@loshchilov2019]; whether it gives better networks is a question for an experiment.

# %% tags=["remove-input"]
show_source(AdamW.step)

# %% [markdown]
# `decoupled = True` in the class tells `_checked` to leave the decay out of the gradient.
#
# ## Does any of it pay? Ten comparisons on digits
#
# **The question.** You have 1,000 handwritten digits ([@alpaydin1998]) and 400 steps. Which of these lower the test loss, compared with SGD with momentum 0.9 at its best constant rate?
#
# **The predictions.** With batches of 10 noise is the floor, so the schedules that fall to 0 win. With batches of 100, again for 400 steps, the noise has about a tenth of the variance, so the cosine wins less. Clipping and Nesterov tolerate larger rates, and change little at the best one. Decoupled decay beats decay in the gradient.
#
# The network has 32 hidden units. *Every* variant gets its own search: eight rates from 0.018 to 1 (four each for the large batches), six seeds, and the lowest median loss on 400 validation digits decides. Then 20 fresh seeds run at that rate, and only they are compared, on 397 test digits that chose nothing. A seed decides the first weights and the order of the digits, the same for all variants; so differences are taken seed by seed. Weight decay is tried with Adam on a fifth of the digits, where overfitting is easier: three decays and four rates for each kind, against no decay *at the rate that this search chose*.

# %% tags=["hide-input"]
SPLIT = digits(sizes=(1000, 400, 397), seed=SEED)
FIRST, FRESH = range(6), range(100, 120)  # seeds that choose, and seeds that compare
RATES = 10.0 ** (np.arange(-7, 1) / 4)


def flat(images):
    return images.reshape(len(images), -1)


def train(make, rates, seeds, *, data=SPLIT, count=1000, epochs=4, batch_size=10):
    """Validation and test loss for each pair of rate and seed; infinite if it diverged."""
    draws = [np.random.default_rng(seed) for seed in seeds]
    nets = [mlp(64, [32], 10, rng=draw) for draw in draws]
    histories = fit_many(
        nets, (flat(data.x_train)[:count], data.y_train[:count]), optimizer=make,
        lr=list(rates), epochs=epochs, batch_size=batch_size, rngs=draws,
    )  # fmt: skip
    return np.array([
        [evaluate(net, flat(x), labels)[0] if len(history.train_loss) == epochs else np.inf
         for x, labels in ((data.x_val, data.y_val), (data.x_test, data.y_test))]
        for net, history in zip(nets, histories)
    ])  # fmt: skip


class Variant:
    """What is compared: its sweep on the first seeds, and the rate that this chooses."""

    def __init__(self, make, rates=RATES, **options):
        self.make, self.rates, self.options = make, rates, options
        found = train(make, np.repeat(rates, len(FIRST)), list(FIRST) * len(rates), **options)
        self.sweep = np.median(found[:, 0].reshape(len(rates), -1), axis=1)
        self.best, self.lowest = float(rates[self.sweep.argmin()]), float(self.sweep.min())

    def test_losses(self, rates=None, **other):
        """Of the fresh seeds, at the best rate or at those given."""
        rates = np.full(len(FRESH), self.best) if rates is None else rates
        return train(self.make, rates, FRESH, **self.options | other)[:, 1]


class Clipped:
    """Clips, then steps; of networks side by side, each is one row."""

    def __init__(self, optimizer, max_norm):
        self.optimizer, self.max_norm, self.params = optimizer, max_norm, optimizer.params

    def step(self, grads):
        norms = np.linalg.norm(grads["nets"], axis=1, keepdims=True)
        factors = np.minimum(1, self.max_norm / (norms + 1e-6))
        self.optimizer.step({"nets": grads["nets"] * factors})


def momentum(params, lr):
    return SGD(params, lr, momentum=0.9)


def scheduled(schedule):
    return lambda params, lr: Scheduled(momentum(params, lr), schedule)


row = rng.standard_normal((1, 50))
both = np.zeros((2, 50))
Clipped(SGD({"nets": both[:1]}, 1.0), 1.0).step({"nets": row})
SGD({"nets": both[1:]}, 1.0).step(clip_gradients({"nets": row}, 1.0)[0])
assert np.allclose(both[0], both[1], rtol=1e-12)

# %% tags=["hide-input"]
sgd = {name: Variant(scheduled(schedule)) for name, schedule in SCHEDULES.items()}
sgd["Nesterov"] = Variant(lambda params, lr: SGD(params, lr, momentum=0.9, nesterov=True))
sgd["clipping"] = Variant(lambda params, lr: Clipped(momentum(params, lr), 1.0))
LARGE = {"epochs": 40, "batch_size": 100}
large = {
    name: Variant(scheduled(SCHEDULES[name]), rates, **LARGE)
    for name, rates in (("constant", RATES[0:7:2]), ("cosine", RATES[1:8:2]))
}
FEW = {"count": 200, "epochs": 40, "batch_size": 20}
adam = {
    name: min(
        (Variant(partial(kind, weight_decay=w), 10.0 ** (np.arange(-6, -2) / 2), **FEW)
         for w in decays), key=lambda variant: variant.lowest,
    )
    for name, kind, decays in (
        ("none", Adam, [0.0]), ("L2", Adam, [1e-4, 1e-3, 1e-2]), ("AdamW", AdamW, [0.01, 0.1, 1.0])
    )
}  # fmt: skip

of_sgd, of_large, of_adam = (
    {name: variant.test_losses() for name, variant in group.items()} for group in (sgd, large, adam)
)
PAIRS = {name: (found, of_sgd["constant"]) for name, found in of_sgd.items() if name != "constant"}
PAIRS["cosine, batches of 100"] = of_large["cosine"], of_large["constant"]
undecayed = {
    name: adam["none"].test_losses(np.full(len(FRESH), adam[name].best)) for name in ("L2", "AdamW")
}
at_same_rate = sgd["constant"].test_losses(np.full(len(FRESH), sgd["cosine"].best))
PAIRS["L2 in Adam"] = of_adam["L2"], undecayed["L2"]
PAIRS["AdamW"] = of_adam["AdamW"], undecayed["AdamW"]
PAIRS["AdamW against L2"] = of_adam["AdamW"], of_adam["L2"]


def told(name, digits=3):
    """The mean difference and half of its interval."""
    return f"{effect[name]:+.{digits}f} ± {half[name]:.{digits}f}".replace("-", "−")


t95 = stats.t.ppf(0.975, len(FRESH) - 1)
effect = {name: float(np.mean(a - b)) for name, (a, b) in PAIRS.items()}
half = {
    name: float(t95 * np.std(a - b, ddof=1) / np.sqrt(len(FRESH))) for name, (a, b) in PAIRS.items()
}
raw = [stats.ttest_rel(a, b).pvalue for a, b in PAIRS.values()]
corrected = dict(zip(PAIRS, holm(raw), strict=True))

# On other splits, at the rates that were chosen on the first.
elsewhere = {
    name: np.array([
        train(sgd[name].make, np.full(5, sgd[name].best), range(5),
              data=digits(sizes=(1000, 400, 397), seed=split))[:, 1].mean()
        for split in range(1, 6)
    ])
    for name in ("constant", "cosine", "one-cycle")
}  # fmt: skip
gains = {name: elsewhere["constant"] - elsewhere[name] for name in ("cosine", "one-cycle")}

# %% tags=["remove-input"]
FALLING = ("cosine", "both", "one-cycle")
LABEL = {"both": "warm-up and cosine"}
fig, ax = plt.subplots(figsize=(5.4, 3.6))
for y, name in enumerate(reversed(PAIRS)):
    clear = corrected[name] < 0.05
    color = COLORS["blue"] if clear else COLORS["muted"]
    ax.errorbar(effect[name], y, xerr=half[name], fmt="o" if clear else "s", color=color,
                markersize=5, capsize=3, markerfacecolor=color if clear else "none")  # fmt: skip
ax.axvline(0, color=COLORS["text"], linewidth=1)
ax.set_yticks(range(len(PAIRS)), [LABEL.get(name, name) for name in reversed(PAIRS)])
ax.set(xlabel="difference of the test loss (nats); left is better", title="What falls to 0 pays; the rest, little")
show(
    fig,
    name="ten-differences",
    alt="Differences of the test loss with their intervals. "
    + " ".join(f"{LABEL.get(n, n)}: {effect[n]:+.3f} ± {half[n]:.3f}." for n in PAIRS),
    caption=(
        f"Mean over {len(FRESH)} seeds of the difference, with its 95 % interval. The first six are "
        "measured against the constant rate, the seventh against a constant rate with batches of "
        "100, the next two against Adam without decay at the same rate, the last against L2. Filled dots: told apart from 0 after Holm's correction."
    ),
)
share = {name: -effect[name] / of_sgd["constant"].mean() for name in FALLING}
assert all(corrected[name] < 0.05 and effect[name] < 0 for name in FALLING)
assert at_same_rate.mean() > of_sgd["constant"].mean() - 0.3 * -effect["cosine"]
assert 0 < effect["cosine, batches of 100"] < 0.2 * abs(effect["cosine"])
assert corrected["warm-up"] > 0.05 and corrected["Nesterov"] > 0.05
assert effect["clipping"] > -0.005
assert all(corrected[name] < 0.05
    for name in ("AdamW", "AdamW against L2", "clipping", "cosine, batches of 100"))
assert corrected["L2 in Adam"] > 0.05 and abs(effect["L2 in Adam"]) < 0.01
assert -0.01 < effect["AdamW"] < 0 and sgd["clipping"].best > sgd["constant"].best
assert adam["none"].best < adam["L2"].best == adam["AdamW"].best
seeming = {name: float((of_adam["none"] - of_adam[name]).mean()) for name in ("L2", "AdamW")}
assert min(seeming.values()) > 4 * max(-effect["L2 in Adam"], -effect["AdamW"])
assert all((gain > 0).all() for gain in gains.values())

# %% [markdown]
# | | Best rate | Validation loss there | Test loss, difference | $p$, corrected |
# |---|---|---|---|---|
# | constant | {{ f"{sgd['constant'].best:.2g}" }} | {{ f"{sgd['constant'].lowest:.3f}" }} | (is {{ f"{of_sgd['constant'].mean():.3f}" }}) | |
# | warm-up | {{ f"{sgd['warm-up'].best:.2g}" }} | {{ f"{sgd['warm-up'].lowest:.3f}" }} | {{ told('warm-up') }} | {{ f"{corrected['warm-up']:.2g}" }} |
# | cosine | {{ f"{sgd['cosine'].best:.2g}" }} | {{ f"{sgd['cosine'].lowest:.3f}" }} | {{ told('cosine') }} | {{ f"{corrected['cosine']:.1g}" }} |
# | warm-up and cosine | {{ f"{sgd['both'].best:.2g}" }} | {{ f"{sgd['both'].lowest:.3f}" }} | {{ told('both') }} | {{ f"{corrected['both']:.1g}" }} |
# | one-cycle | {{ f"{sgd['one-cycle'].best:.2g}" }} | {{ f"{sgd['one-cycle'].lowest:.3f}" }} | {{ told('one-cycle') }} | {{ f"{corrected['one-cycle']:.1g}" }} |
# | Nesterov | {{ f"{sgd['Nesterov'].best:.2g}" }} | {{ f"{sgd['Nesterov'].lowest:.3f}" }} | {{ told('Nesterov') }} | {{ f"{corrected['Nesterov']:.2g}" }} |
# | clipping, $c = 1$ | {{ f"{sgd['clipping'].best:.2g}" }} | {{ f"{sgd['clipping'].lowest:.3f}" }} | {{ told('clipping') }} | {{ f"{corrected['clipping']:.2g}" }} |
#
# **How to read ten comparisons.** [](#ten-differences) holds {{ len(PAIRS) }} tests. If nothing helped at all, one or more of ten such intervals would miss 0 quite often. If they were independent, that would happen {{ f"{1 - 0.95 ** len(PAIRS):.0%}" }} of the time. Holm's correction ([@holm1979]) pays for that, and what is called a difference below has survived it. The intervals are not corrected.
#
# **The verdict on schedules.** The prediction holds. The three that fall to 0 lower the test loss by {{ f"{min(share.values()):.0%}" }} to {{ f"{max(share.values()):.0%}" }}. This experiment does not say which of the three is best: they were not compared with each other. It is not the higher rate alone: at the cosine's rate, kept constant, the test loss is {{ f"{at_same_rate.mean():.3f}" }}, against {{ f"{of_sgd['constant'].mean():.3f}" }} at the rate that the baseline's own search chose and {{ f"{of_sgd['cosine'].mean():.3f}" }} with the cosine. With batches of 100 no gain of the cosine is left ({{ told('cosine, batches of 100', 4) }}). That comparison has two flaws: the same number of steps is ten times as many passes over the data, and each of the two schedules had four rates of its own to choose from. On five other splits of the digits, with the same rates and five seeds each, the cosine gained between {{ f"{gains['cosine'].min():.3f}" }} and {{ f"{gains['cosine'].max():.3f}" }}, one-cycle between {{ f"{gains['one-cycle'].min():.3f}" }} and {{ f"{gains['one-cycle'].max():.3f}" }}.
#
# **On warm-up, alone.** No difference could be detected. Warm-up was made for large batches on many machines ([@goyal2017]) and for transformers ([@vaswani2017]), whose first steps are dangerous; this network has no such steps.
#
# **On Nesterov and clipping.** At its best rate Nesterov's gain could not be told from 0. Clipping was *worse*, by {{ f"{effect['clipping']:.3f} ± {half['clipping']:.3f}" }}. But look at the rates: the search gave clipping {{ f"{sgd['clipping'].best:.2g}" }}, and the baseline {{ f"{sgd['constant'].best:.2g}" }}, and the validation losses at both are nearly the same. What was compared is each method *with its search*, and a search over six seeds has luck of its own. What clipping changes shows in [](#bearing-large-rates): the range of rates that work.
#
# **On decay, and a trap.** The same luck nearly told a false story here. For Adam without decay the search chose the rate {{ f"{adam['none'].best:.2g}" }}, for either kind of decay {{ f"{adam['L2'].best:.2g}" }}. Compared at these rates, L2 seems to lower the test loss by {{ f"{seeming['L2']:.3f}" }} and AdamW by {{ f"{seeming['AdamW']:.3f}" }}. Now give Adam without decay the rate {{ f"{adam['L2'].best:.2g}" }} too. L2's gain is gone ({{ told('L2 in Adam', 4) }}); AdamW's is {{ f"{-effect['AdamW']:.4f} ± {half['AdamW']:.4f}" }}. Nearly all of it was the rate. AdamW and L2 can be told apart, by {{ f"{-effect['AdamW against L2']:.4f} ± {half['AdamW against L2']:.4f}" }} in favour of AdamW; each had three decays to choose from, a factor of ten apart, so a finer choice might change that.

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 3.4))
for name, color, style, marker, place in (
    ("constant", "text", "-", "o", (0.068, 0.7)),
    ("clipping", "green", "-.", "D", (0.34, 0.62)),
    ("one-cycle", "orange", ":", "v", (0.12, 0.165)),
):
    ax.plot(RATES, sgd[name].sweep, marker=marker, color=COLORS[color], linestyle=style, markersize=4)
    ax.text(*place, name, color=COLORS[color], fontweight="bold")
ax.axhline(np.log(10), color=COLORS["muted"], linewidth=1)
ax.text(0.017, np.log(10) * 0.95, "guessing", color=COLORS["muted"], va="top")
ax.set(
    xscale="log", yscale="log", xlabel="learning rate η (one-cycle: its highest)",
    ylabel="validation loss (nats)", title="Which rates each of them tolerates", ylim=(0.14, 4),
)  # fmt: skip
ax.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
ax.minorticks_off()
bears = {name: float(RATES[sgd[name].sweep < 0.5].max()) for name in sgd}
show(
    fig,
    name="bearing-large-rates",
    alt=(
        "Median validation loss against the learning rate. All three curves fall, are flat and climb "
        "to the loss of guessing. The highest rate with a loss below 0.5: "
        + ", ".join(f"{name} {bears[name]:.2g}" for name in ("constant", "clipping", "one-cycle"))
        + "."
    ),
    caption=(
        "Median of the six seeds of the search. The constant rate leaves the bottom first: "
        "clipping and one-cycle tolerate a rate that ruins it. Only one-cycle also goes deeper."
    ),
)
assert bears["clipping"] > bears["constant"] and bears["one-cycle"] > bears["constant"]
assert abs(sgd["clipping"].lowest / sgd["constant"].lowest - 1) < 0.15
assert abs(sgd["clipping"].sweep[1] / sgd["clipping"].sweep[2] - 1) < 0.05
assert abs(sgd["constant"].sweep[1] / sgd["constant"].sweep[2] - 1) < 0.05
ruined = int(np.flatnonzero(bears["clipping"] == RATES)[0])

# %% [markdown]
# At the rate {{ f"{RATES[ruined]:.2g}" }} the validation loss is {{ f"{sgd['constant'].sweep[ruined]:.2f}" }} without any safeguard, {{ f"{sgd['Nesterov'].sweep[ruined]:.2f}" }} with Nesterov and {{ f"{sgd['clipping'].sweep[ruined]:.2f}" }} with clipping. That is what a safeguard is: it makes the wrong choice cheaper, not the right one better.
#
# **What this does not show.** This is one small network and one kind of data; nothing here ran for more than {{ 40 * 10 }} steps. The intervals are about first weights and order on one split, and the five other splits test two schedules only. In large language models and on ImageNet warm-up, clipping and AdamW are used together, for good reasons that a network of this size does not have.
#
# ## The range test: a rate in a hundred steps
#
# The sweep above trained {{ len(RATES) * len(FIRST) }} networks to choose one rate. Smith's *range test* ([@smith2017]) spends a hundred steps: begin with a rate that is far too small, multiply it by the same factor at each step, and watch the loss of the batches. It stays flat, falls, and then shoots up. The curve is noisy, so a running mean smooths it, with Adam's correction for its beginning.

# %% tags=["hide-input"]
KINDS = {"SGD": SGD, "momentum": momentum, "Adam": Adam}
RANGES = {"SGD": (1e-3, 100), "momentum": (1e-4, 10), "Adam": (1e-5, 10)}


def smooth(losses, keep=0.9):
    """The running mean, corrected as Adam's."""
    mean, seen = 0.0, []
    for t, loss in enumerate(np.minimum(losses, 100), start=1):
        mean = keep * mean + (1 - keep) * loss
        seen.append(mean / (1 - keep**t))
    return np.array(seen)


def tested(name, seed):
    draw = np.random.default_rng(seed)
    return smooth(range_test(
        mlp(64, [32], 10, rng=draw), (flat(SPLIT.x_train), SPLIT.y_train), optimizer=KINDS[name],
        rates=np.geomspace(*RANGES[name], 100), batch_size=10, rng=draw,
    ))  # fmt: skip


curves = {name: np.array([tested(name, seed) for seed in FRESH]) for name in KINDS}
lowest = {name: np.geomspace(*RANGES[name], 100)[curve.argmin(1)] for name, curve in curves.items()}
swept = {
    "SGD": Variant(SGD), "momentum": sgd["constant"], "Adam": Variant(Adam, 10.0 ** (np.arange(-12, -4) / 4))
}  # fmt: skip
judged = {
    name: [float(swept[name].test_losses(rates).mean()) for rates in (None, found / 10, found / 3)]
    for name, found in lowest.items()
}
assert all(np.argmin(variant.sweep) not in (0, 7) for variant in swept.values())
costs = [tenth / best for best, tenth, _ in judged.values()]
third_fails = [name for name, (best, _, third) in judged.items() if third > 1.5 * best]
assert max(costs) < 1.6 and len(third_fails) == 2 and "SGD" not in third_fails

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 3.3))
for name, color, style, place in (
    ("Adam", "green", ":", (1.2e-4, 1.85)),
    ("momentum", "orange", "--", (3.5e-3, 0.85)),
    ("SGD", "blue", "-", (1.4, 0.95)),
):
    grid = np.geomspace(*RANGES[name], 100)
    ax.plot(grid, curves[name][0], color=COLORS[color], linestyle=style)
    ax.plot(lowest[name][0], curves[name][0].min(), "o", color=COLORS[color])
    ax.plot(lowest[name][0] / 10, np.interp(np.log(lowest[name][0] / 10), np.log(grid), curves[name][0]), "v", color=COLORS[color])
    ax.text(*place, name, color=COLORS[color], fontweight="bold")
ax.set(xscale="log", ylim=(0, 4), xlabel="learning rate η at this step", ylabel="loss of the batches, smoothed (nats)",
       title="A hundred steps, a hundred rates")  # fmt: skip
show(
    fig,
    name="range-test",
    alt=(
        "Smoothed loss against a rate that grows at each step, for three optimisers. Each curve is "
        "flat, falls, and shoots up. Lowest at "
        + ", ".join(f"{lowest[name][0]:.2g} for {name}" for name in KINDS) + "."
    ),
    caption=(
        "One seed. Dots: the lowest points; triangles: a tenth of their rates. After its dot each "
        "curve turns upwards suddenly."
    ),
)

# %% [markdown]
# Which point of the curve to take is a matter of taste: Smith reads a range off it by eye. Two rules that need no eye are a tenth and a third of the rate with the lowest loss. Each of the 20 fresh seeds follows its own test; here is the mean test loss, beside that at the sweep's rate:
#
# | | Sweep | A tenth of the lowest | A third |
# |---|---|---|---|
# | SGD | {{ f"{judged['SGD'][0]:.3f}" }} | {{ f"{judged['SGD'][1]:.3f}" }} | {{ f"{judged['SGD'][2]:.3f}" }} |
# | momentum | {{ f"{judged['momentum'][0]:.3f}" }} | {{ f"{judged['momentum'][1]:.3f}" }} | {{ f"{judged['momentum'][2]:.3f}" }} |
# | Adam | {{ f"{judged['Adam'][0]:.3f}" }} | {{ f"{judged['Adam'][1]:.3f}" }} | {{ f"{judged['Adam'][2]:.3f}" }} |
#
# **The verdict.** A tenth is safe but not good: it raises the loss by {{ f"{min(costs) - 1:.0%}" }} to {{ f"{max(costs) - 1:.0%}" }}. A third is better for plain SGD and far too much for {{ " and ".join(third_fails) }}. A likely reason, not tested here: a hundred steps are too few to show what four hundred at that rate would do. From seed to seed the lowest point moves by a factor of {{ f"{max(found.max() / found.min() for found in lowest.values()):.0f}" }} or less. So the test finds the decade. A small sweep around it finds the rate.
#
# ## The edge of stability
#
# The last chapter's cliff stood at $\eta = 2/\lambda_{\max}$, for a valley whose curvature does not change. In a network it does. So here is a question that decides what the theory is worth: as the network trains, with all examples in each step, where does its sharpness $\lambda_{\max}$ go?
#
# [@cohen2021] found that it *rises*, until it reaches $2/\eta$, and then stays there, while the loss goes on falling, no longer at every step. They call it the edge of stability. If that holds, you do not choose a rate below the cliff; the cliff comes to the rate that you chose.
#
# A network with two hidden layers of 32 tanh units learns 100 digits by squared error, $\tfrac12\|z - \text{one-hot}\|^2$, with plain gradient descent in float64. There are three runs of five seeds: a rate of 0.15 and one of 0.3, both for the same "time" $\eta t$, and 0.3 again with cross-entropy for half as long. The sharpness comes from *Lanczos's method*: multiply a vector by the second derivatives again and again, and among all combinations of the results take the one along which the loss curves most. Each product with a vector $v$ is a difference of two gradients, those at $\theta + hv$ and at $\theta - hv$, divided by $2h$; so it needs no new code. (We take twenty products at each mark, starting from the last direction. Sixty from a new one change the last value by less than {{ f"{TOLERANCE:.1%}" }}.)

# %% tags=["hide-input"]
def tanh_net(seed):
    draw, layers = np.random.default_rng(seed), []
    for n_in, n_out in ((64, 32), (32, 32), (32, 10)):
        layers += [Linear(n_in, n_out, rng=draw, dtype=np.float64, init=xavier_normal), Tanh()]
    return Sequential(*layers[:-1])


def descend(eta, *, squared=True, seeds=range(5), time=300, marks=40, n=100):
    """Sharpness (marks + 1, seeds) and the loss of each step (steps + 1, seeds)."""
    parts = [digits(seed=seed) for seed in seeds]
    xs = [flat(part.x_train[:n]).astype(float) for part in parts]
    x = np.concatenate([one - one.mean(0) for one in xs], axis=1)
    target = np.eye(10)[np.array([part.y_train[:n] for part in parts]).T]  # n, seeds, 10
    together = SideBySide([tanh_net(seed) for seed in seeds])

    def gradient(params):
        together.params[...] = params
        z, cache = together.net.forward(x)
        z = z.reshape(target.shape)
        shifted = np.exp(z - z.max(2, keepdims=True))
        guess = z if squared else shifted / shifted.sum(2, keepdims=True)
        each = (z - target) ** 2 / 2 if squared else -target * np.log(np.maximum(guess, 1e-300))
        together.net.backward((guess - target).reshape(n, -1) / n, cache, need_dx=False)
        return each.sum(2).mean(0), together.grads.copy()

    def sharpest(params, v, rounds=20, h=1e-4):
        """Largest eigenvalue and its direction, for each seed, by Lanczos's method."""
        basis, products = [], []
        for _ in range(rounds):
            for _ in range(2):  # twice, since once leaves rounding
                v = v - sum((q * v).sum(1, keepdims=True) * q for q in basis)
            basis.append(v / np.linalg.norm(v, axis=1, keepdims=True))
            step = h * basis[-1]
            v = (gradient(params + step)[1] - gradient(params - step)[1]) / (2 * h)
            products.append(v)
        small = np.einsum("isp,jsp->sij", basis, products)
        values, vectors = np.linalg.eigh((small + small.swapaxes(1, 2)) / 2)
        return values[:, -1], np.einsum("isp,si->sp", basis, vectors[:, :, -1])

    params = together.params.copy()
    v = np.random.default_rng(SEED).standard_normal(params.shape)
    steps, sharpness, losses = round(time / eta), [], []
    for t in range(steps + 1):
        if t * marks // steps > (t - 1) * marks // steps:
            largest, v = sharpest(params, v)  # from the last direction
            sharpness.append(largest)
        loss, g = gradient(params)
        losses.append(loss)
        if t < steps:
            params -= eta * g
    anew = np.random.default_rng(1).standard_normal(params.shape)
    assert np.allclose(sharpest(params, anew, 60)[0], sharpness[-1], rtol=TOLERANCE)
    return np.array(sharpness), np.array(losses)


gentle, bold = descend(0.15), descend(0.3)
entropy = descend(0.3, squared=False, time=150, marks=10)

# %% tags=["remove-input"]
EDGE = 2 / 0.3
times = np.linspace(0, 300, 41)
fig, (ax, low) = plt.subplots(2, 1, figsize=(5.2, 5.6), sharex=True)
for run, color in ((gentle, "blue"), (bold, "orange")):
    ax.plot(times, run[0], color=COLORS[color], linewidth=1)
low.plot(np.linspace(0, 300, len(gentle[1])), gentle[1][:, 2], color=COLORS["blue"], linewidth=1.2)
low.plot(np.linspace(0, 300, len(bold[1])), bold[1][:, 2], color=COLORS["orange"], linewidth=0.8)
ax.axhline(EDGE, color=COLORS["orange"], linestyle="--", linewidth=1.2)
ax.axhline(2 / 0.15, color=COLORS["blue"], linestyle="--", linewidth=1.2)
ax.text(215, EDGE - 0.7, "2/η for η = 0.3", color=COLORS["orange"], va="top", fontweight="bold")
ax.text(3, 2 / 0.15 - 0.25, "2/η for η = 0.15", color=COLORS["blue"], va="top", fontweight="bold")
ax.set(ylabel="sharpness (largest eigenvalue)", title="The cliff comes to the rate", ylim=(4, 14.5))
low.set(yscale="log", xlabel="time ηt", ylabel="training loss", title="One seed: the loss falls all the same")
low.text(128, 0.13, "η = 0.3", color=COLORS["orange"], fontweight="bold")
low.text(140, 0.027, "η = 0.15", color=COLORS["blue"], fontweight="bold", va="top", ha="right")
ratio = bold[0][-10:].mean(0) / EDGE  # the last quarter
rises = {
    name: float((np.diff(run[1][len(run[1]) // 2 :], axis=0) > 0).mean())
    for name, run in (("gentle", gentle), ("bold", bold), ("entropy", entropy))
}
rising_early = float((np.diff(bold[1][:100], axis=0) > 0).mean())
show(
    fig,
    name="edge-of-stability",
    alt=(
        "Above, sharpness over time for five seeds and two rates. At the rate 0.15 it falls a little "
        f"and then rises to between {gentle[0][-1].min():.1f} and {gentle[0][-1].max():.1f}, below "
        "its limit of 13.3. At 0.3 it rises past its limit of 6.7, drops, rises again, and ends on "
        "the limit. Below, the loss of one seed: smooth at 0.15, full of spikes at 0.3, and about "
        "equally low in the end."
    ),
    caption=(
        "One line per seed, and the limits as dashed lines. The orange lines overshoot "
        "their limit, are thrown back, and settle on it, while the blue ones go on rising."
    ),
)
assert np.abs(ratio - 1).max() < 0.05 and gentle[0][-1].max() < 2 / 0.15
assert gentle[0][-1].min() > EDGE
assert rises["gentle"] == rises["entropy"] == rising_early == 0 and rises["bold"] > 0.2
assert (bold[1][-100:].mean(0) < bold[1][len(bold[1]) // 2 :][:100].mean(0)).all()
assert (entropy[0][-1] < 0.5 * entropy[0][0]).all()

# %% [markdown]
# **The verdict.** The claim holds here, for squared error. At the rate 0.3 the mean sharpness of the last quarter is between {{ f"{ratio.min():.2f}" }} and {{ f"{ratio.max():.2f}" }} times $2/\eta$, for each of the five seeds. At 0.15 the same networks end with {{ f"{gentle[0][-1].min():.1f}" }} to {{ f"{gentle[0][-1].max():.1f}" }}, which is more than the larger rate would let them have. And the loss of the fast run rises in {{ f"{rises['bold']:.0%}" }} of the steps of its second half, where the slow run's never does, and yet it keeps falling over longer times.
#
# Why is the walk not thrown out? Past the limit the walk swings along the direction that curves most, a little further each time, as in the parabola. But the loss is no parabola: while the walk swings, the terms of third order push it, on average, to where the sharpness is smaller. The sharpness falls below $2/\eta$, the swinging dies down, and the sharpness rises again. [@damian2023] call this self-stabilisation, and derive it. You see it as the sawtooth in the figure.
#
# **What this does not show.** With cross-entropy the sharpness of the same networks went from {{ f"{entropy[0][0].mean():.2f}" }} *down* to {{ f"{entropy[0][-1].mean():.2f}" }}: a network that becomes sure of its answers flattens the loss. Cohen and others see the same fall at the end of their longer trainings, after the rise. With small batches noise comes in, and the sharpness stays lower ([@jastrzebski2020]). So "a cliff at $2/\lambda_{\max}$" is exact for a quadratic; for a network it is a wall that may move, and that the training itself can move.
#
# ## Common mistakes
#
# ### 1. The schedule that is asked once per epoch
#
# The factor depends on the *step*. Count epochs by mistake, and a cosine over 400 steps is asked for the numbers 0 to 3. And a factor is for the rate that you set, not for the last one: multiply again and again, and the rate vanishes.

# %%
class Compounding(Scheduled):
    """Wrong: multiplies what has been multiplied already."""

    def step(self, grads):
        super().step(grads)
        self.rate = self.optimizer.lr


wrong = {
    "as it should be": sgd["cosine"].make,
    "asked each epoch": scheduled(lambda t: cosine(t // 100, steps=STEPS)),
    "compounding": lambda p, lr: Compounding(momentum(p, lr), SCHEDULES["cosine"]),
}
symptom = {}
for name, make in wrong.items():
    rates = np.full(len(FRESH), sgd["cosine"].best)
    symptom[name] = train(make, rates, FRESH)[:, 1].mean()
    optimizer = make({"p": np.zeros(1)}, 1.0)
    seen = [optimizer.step({"p": np.ones(1)}) or optimizer.optimizer.lr for _ in range(STEPS)]
    first, middle, last = (f"{seen[t]:.2g}" for t in (0, 200, -1))
    print(f"{name:<16} test loss {symptom[name]:.3f}, factors {first} … {middle} … {last}")
assert symptom["asked each epoch"] > 1.2 * symptom["as it should be"]
assert symptom["compounding"] > 1.2 * symptom["as it should be"]

# %% [markdown]
# Both still learn, so the loss does not give the mistake away. Print the rate of the first, the middle and the last step: that is the whole check.
#
# ### 2. Clipping each array on its own
#
# It looks the same in a loop over the parameters. But arrays that are longer than $c$ are shortened, the others are not, and the direction changes. Here is the angle between the clipped gradient and the true one, at the first batch:

# %%
def flat_vector(arrays):
    return np.concatenate([a.ravel() for a in arrays.values()]).astype(float)


net = mlp(64, [32], 10, rng=np.random.default_rng(SEED))
logits, cache = net.forward(flat(SPLIT.x_train[:10]))
grads = net.backward(softmax_cross_entropy(logits, SPLIT.y_train[:10])[1], cache)[1]
together = clip_gradients(grads, 1.0)[0]
alone = {name: clip_gradients({name: g}, 1.0)[0][name] for name, g in grads.items()}
true, length = flat_vector(grads), np.linalg.norm
angle = {}
for name, found in (("together", flat_vector(together)), ("each alone", flat_vector(alone))):
    turn = found @ true / length(found) / length(true)
    angle[name] = np.degrees(np.arccos(min(turn, 1.0)))
    print(f"{name:<10} norm {length(true):.2f} -> {length(found):.2f}, "
          f"rotated by {angle[name]:.1f}°")
assert angle["together"] < 0.1 and angle["each alone"] > 5 and length(flat_vector(alone)) > 1.1

# %% [markdown]
# The norm gives it away as well: it is larger than the $c$ that was asked for.
#
# ### 3. `weight_decay` from Adam, given to AdamW
#
# In the two optimisers the same number means two things. Take the decay that was best inside the gradient, and the one that was best decoupled, and exchange them:

# %%
best = {name: variant.make.keywords["weight_decay"] for name, variant in adam.items()}
for name, kind, other in (("L2", Adam, "AdamW"), ("AdamW", AdamW, "L2")):
    rates = np.full(len(FRESH), adam[name].best)
    swapped = train(partial(kind, weight_decay=best[other]), rates, FRESH, **FEW)[:, 1]
    print(f"{name:<6} its own {best[name]:g}: {of_adam[name].mean():.3f}; the other's {best[other]:g}: {swapped.mean():.3f}")
    assert swapped.mean() > of_adam[name].mean()
print(f"no decay, at the same rate: {undecayed['AdamW'].mean():.3f}")

# %% [markdown]
# AdamW with Adam's number hardly decays at all; Adam with AdamW's decays so much that it learns little. Neither stops with an error. When you switch from one to the other, search for the decay anew.
#
# ## In five lines
#
# - A large rate travels far and a small one settles, so let the rate fall to 0 by the end.
# - A warm-up, a cosine and one-cycle are factors for the step's rate, and each is asked at every step.
# - Nesterov's momentum measures the gradient where the velocity is about to go.
# - Clipping bounds the length of the whole gradient, and keeps its direction.
# - AdamW lets the decay pass by Adam's division, so its number means something else there.
#
# ## Try it

# %% tags=["remove-cell"]
assert np.allclose(list(clip_gradients({"a": np.array([6.0, 8.0])}, 5.0)[0]["a"]), [3, 4], rtol=1e-6)
assert max(range(1000), key=lambda t: one_cycle(t, steps=1000)) == 299

# %% [markdown]
# ??? question "1. Two parameters have the gradients 6 and 8, and you clip at 5. What is left?"
#     The norm is 10, so the factor is $\tfrac12$: 3 and 4.
#
# ??? question "2. On the noisy parabola you keep the rate 0.1. Where does $V$ end, and what if you halve the rate?"
#     At $\sigma^2\cdot 0.1/1.9 \approx 0.053\,\sigma^2$; with 0.05 at $0.026\,\sigma^2$, nearly half, and it takes about twice as long.
#
# ??? question "3. The sharpest curvature is 50, momentum 0.9. Up to which rate is Nesterov stable on the quadratic, up to which the heavy ball?"
#     $\tfrac2{50}\cdot\tfrac{1.9}{2.8} \approx 0.027$ against $\tfrac2{50}\cdot 1.9 = 0.076$. On the digits Nesterov does not fail before the heavy ball: there the batches are noisy, which the derivation leaves out. The limit of one theory is not the whole story.
#
# ??? question "4. You stop a one-cycle training of 1,000 steps after 500, because time is up. What is wrong with the network?"
#     Its rate was still {{ f"{one_cycle(500, steps=1000):.0%}" }} of the highest, so it stands on the floor of that rate. The end of a schedule is the part that pays. Plan a shorter one rather than cut off a longer one.
#
# ??? question "5. For the notebook: predict the last sharpness of `descend(0.25)` before you run it."
#     $2/0.25 = 8$. Look at the whole curves too: which seeds have reached it, and how often did each overshoot?
#
# ## Sources
#
# - Nesterov (1983), *A method for solving the convex programming problem with convergence rate O(1/k²)*, Soviet Mathematics Doklady.
# - Sutskever, Martens, Dahl and Hinton (2013), *On the importance of initialization and momentum in deep learning*, ICML: Nesterov's momentum in networks.
# - Pascanu, Mikolov and Bengio (2013), *On the difficulty of training recurrent neural networks*, ICML: clipping by the norm.
# - Lessard, Recht and Packard (2016), *Analysis and design of optimization algorithms via integral quadratic constraints*, SIAM Journal on Optimization: the best rates, and where the heavy ball fails.
# - Smith (2017), *Cyclical learning rates for training neural networks*, WACV: the range test.
# - Loshchilov and Hutter (2017), *SGDR: stochastic gradient descent with warm restarts*, ICLR: the cosine; (2019), *Decoupled weight decay regularization*, ICLR: AdamW.
# - Goyal and others (2017), *Accurate, large minibatch SGD: training ImageNet in 1 hour*, arXiv:1706.02677: warm-up.
# - Smith and Topin (2019), *Super-convergence: very fast training of neural networks using large learning rates*, SPIE: one-cycle.
# - Cohen, Kaur, Li, Kolter and Talwalkar (2021), *Gradient descent on neural networks typically occurs at the edge of stability*, ICLR.
# - Jastrzębski and others (2020), *The break-even point on optimization trajectories of deep neural networks*, ICLR: sharpness with small batches.
# - Damian, Nichani and Lee (2023), *Self-stabilization: the implicit bias of gradient descent at the edge of stability*, ICLR.
# - Holm (1979), *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics.
