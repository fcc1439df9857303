# ---
# title: Optimisers
# description: SGD, momentum and Adam walk down one valley and train on Iris, and a sweep over five decades shows why the learning rate decides more than the name of the optimiser.
# tags:
#   - networks
# ---

# %% [markdown]
# # Optimisers
#
# Backpropagation tells each parameter which way is uphill, and says nothing about how far to go. An optimiser decides that. For a parabola this chapter says exactly which learning rates converge. Then it derives what momentum and Adam add, and asks which choice matters most on real data.
#
# You need [the symbols of this book](../foundations/notation.md), gradients, and for the experiments [the network on Iris](iris.py).

# %% tags=["hide-input"]
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import stats

from nn_tutorial import (
    SGD,
    Adam,
    evaluate,
    fit,
    fit_many,
    iris,
    softmax_cross_entropy,
    two_layer_net,
)
from nn_tutorial.pages.show import power
from nn_tutorial.verify.equations import Equation
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style

SEED = 0
use_style()
VALLEY = np.diag([1.0, 9.0])  # the curvatures, along the valley and across it
START = np.array([12.0, 4.0])
LOOK = {"SGD": ("blue", "o", "-"), "momentum": ("orange", "s", "--"), "Adam": ("green", "^", ":")}
BEST = {
    "SGD": lambda params: SGD(params, 1 / 5),
    "momentum": lambda params: SGD(params, 1 / 4, momentum=1 / 4),
    "Adam": lambda params: Adam(params, 1.0),
}


def walk(make, steps, *, start=START, curvature=VALLEY):
    """The parameters before each step and after the last: (steps + 1, 2)."""
    theta = np.array(start)
    optimizer = make({"theta": theta})
    path = [theta.copy()]
    for _ in range(steps):
        optimizer.step({"theta": curvature @ theta})  # the gradient
        path.append(theta.copy())
    return np.array(path)


def height(path, curvature=VALLEY):
    return 0.5 * np.einsum("...i,ij,...j->...", path, curvature, path)


paths = {name: walk(make, 16) for name, make in BEST.items()}

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 3.8))
across, along = np.mgrid[-6:6:121j, -5:13.5:186j]
ax.contour(
    along,
    across,
    0.5 * (along**2 + 9 * across**2),
    levels=[2, 10, 30, 70, 130],
    colors=COLORS["muted"],
    linewidths=0.8,
    alpha=0.6,
)
for name, path in paths.items():
    color, marker, style = LOOK[name]
    ax.plot(*path.T, style, marker=marker, color=COLORS[color], markersize=4, linewidth=1.4)
ax.plot(*START, "o", color=COLORS["text"])
ax.plot(0, 0, "+", color=COLORS["text"], markersize=12)
for name, place in (("SGD", (9.9, -3.4)), ("momentum", (9.4, -5.2)), ("Adam", (8.2, 3.4))):
    ax.text(*place, name, color=COLORS[LOOK[name][0]], fontweight="bold", va="center")
ax.text(12, 4.6, "start", ha="center")
ax.set(
    xlabel="θ₀, along the valley",
    ylabel="θ₁, across it",
    title="Three ways down one valley",
    xlim=(-5, 13.5),
    ylim=(-6, 6),
    aspect="equal",
)
ax.grid(visible=False)
ends = {name: float(height(path)[-1]) for name, path in paths.items()}
show(
    fig,
    name="three-ways-down",
    live="optimizers",
    alt=(
        "Contours of a valley three times as long as it is wide, with three paths from one start. "
        "SGD jumps from side to side, each time less far; momentum jumps further at first "
        "and gets there sooner; Adam sets off on the diagonal, bends, and passes the bottom. After "
        f"16 steps the heights are {ends['SGD']:.2g}, {ends['momentum']:.2g} and {ends['Adam']:.2g}."
    ),
    caption=(
        "Sixteen steps of each one; the lines join points of equal height. In the first steps SGD and "
        "momentum leap across the valley, where it is steep; Adam moves as far in one direction as "
        "in the other."
    ),
)
assert ends["momentum"] < ends["SGD"] < ends["Adam"]

# %% [markdown]
# ## What an optimiser remembers
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $\theta$ | `p` | any | a parameter: a weight, a bias |
# | $g$ | `g` | that of $\theta$ | its gradient, $\partial L/\partial\theta$ |
# | $\eta$ | `lr` | one number | learning rate |
# | $v$ | `v` | that of $\theta$ | SGD: the velocity, a sum of past gradients that fades |
# | $\mu$ | `momentum` | one number | what is kept of the velocity at each step |
# | $m$ | `m` | that of $\theta$ | Adam: a running mean of $g$ |
# | $v$ | `v` | that of $\theta$ | Adam: a running mean of $g^2$, which is *not* SGD's $v$ |
# | $\beta_1$, $\beta_2$ | `betas` | two numbers | what is kept of Adam's means; not the shift of batch normalisation |
# | $\varepsilon$ | `eps` | one number | keeps Adam from dividing by 0 |
# | $t$ | `t` | one number | counts the steps, from 1; here it is not the label |
# | $\lambda$ | | one per direction | curvature: the second derivative |
#
# The letter $v$ has two meanings because the papers gave it two; each section says which. All the rules work element by element, so the shape of $\theta$ never matters. A prime marks a value after the step.
#
# ## Two steps by hand
#
# The valley of [](#three-ways-down) is $f(\theta) = \tfrac12(\theta_0^2 + 9\,\theta_1^2)$: curvature 1 along it, 9 across. Its gradient is $(\theta_0,\ 9\,\theta_1)$, and the walk begins at $(12, 4)$.
#
# **SGD** with $\eta = \tfrac15$ subtracts a fifth of the gradient:
#
# $$\begin{aligned}
#   \begin{bmatrix}12\\4\end{bmatrix} - \tfrac15\begin{bmatrix}12\\36\end{bmatrix} &= \tfrac15\begin{bmatrix}48\\-16\end{bmatrix} \\[4pt]
#   \tfrac15\begin{bmatrix}48\\-16\end{bmatrix} - \tfrac1{25}\begin{bmatrix}48\\-144\end{bmatrix} &= \tfrac1{25}\begin{bmatrix}192\\64\end{bmatrix}
#   \end{aligned}$$
#
# **Momentum** with $\eta = \mu = \tfrac14$ keeps a velocity $v$, which begins at 0. In the first step $v$ is the gradient, $(12, 36)$:
#
# $$\theta = \begin{bmatrix}12\\4\end{bmatrix} - \tfrac14\begin{bmatrix}12\\36\end{bmatrix} = \begin{bmatrix}9\\-5\end{bmatrix}$$
#
# In the second step the new gradient is $(9, -45)$, and a quarter of the old velocity is still there:
#
# $$\begin{aligned}
#   v &= \tfrac14\begin{bmatrix}12\\36\end{bmatrix} + \begin{bmatrix}9\\-45\end{bmatrix} = \begin{bmatrix}12\\-36\end{bmatrix} \\[4pt]
#   \theta &= \begin{bmatrix}9\\-5\end{bmatrix} - \tfrac14\begin{bmatrix}12\\-36\end{bmatrix} = \begin{bmatrix}6\\4\end{bmatrix}
#   \end{aligned}$$
#
# **Adam** with $\eta = 1$ divides its running mean of the gradient by the root of its running mean of the square. After one gradient the two means, corrected, are $g$ and $g^2$. So the step is $g/\sqrt{g^2}$, the sign of $g$: it goes to $(11, 3)$, but for a hair's breadth that is due to $\varepsilon$.
#
# The package's `SGD` uses nothing but sums and products, so it can be run on exact fractions:

# %%
F = Fraction
curvatures = np.array([F(1), F(9)])


def two_steps(lr, momentum):
    theta = np.array([F(12), F(4)])
    optimizer = SGD({"theta": theta}, lr, momentum=momentum)
    seen = []
    for _ in range(2):
        optimizer.step({"theta": curvatures * theta})
        seen.append(theta.tolist())
    return seen


sgd_hand = two_steps(F(1, 5), 0)
momentum_hand = two_steps(F(1, 4), F(1, 4))
assert sgd_hand == [[F(48, 5), F(-16, 5)], [F(192, 25), F(64, 25)]]
assert momentum_hand == [[9, -5], [6, 4]]


# %% tags=["remove-input"]
g = VALLEY @ START
one_adam_step = START - walk(BEST["Adam"], 1)[1]
assert np.abs(one_adam_step - 1 / (1 + 1e-8 / np.abs(g))).max() < 1e-14
heights = {name: height(path) for name, path in paths.items()}
for name, values in heights.items():
    print(f"{name:<8}", *(f"{value:7.2f}" for value in values[:3]), f"… {values[-1]:.0e}")
assert heights["momentum"][1] > heights["momentum"][0]
assert heights["momentum"][2] > heights["SGD"][2]

# %% [markdown]
# These are the heights $f$ at the start, after one step, after two, and after {{ len(heights["SGD"]) - 1 }}. After two steps momentum is behind SGD, for its first step went uphill. After {{ len(heights["SGD"]) - 1 }} it is {{ heights["SGD"][-1] / heights["momentum"][-1]:,.0f}} times lower. Next you will see why, and why with these learning rates.
#
# ## Why a step helps, and when it does harm
#
# **One number.** Near a minimum a smooth function is nearly a parabola. Take $f(\theta) = \tfrac12\lambda\theta^2$ with $\lambda > 0$. Its gradient is $\lambda\theta$, so
#
# $$\theta' = \theta - \eta\lambda\theta = (1 - \eta\lambda)\,\theta$$
#
# The distance from the minimum is multiplied by the same number, $1 - \eta\lambda$, at each step. It shrinks if that number lies between −1 and 1:
#
# $$|1 - \eta\lambda| < 1 \iff 0 < \eta < \frac{2}{\lambda}$$
#
# Below $1/\lambda$ the walk creeps to the bottom from one side, at $1/\lambda$ it is there in one step, above that it jumps across, and from $2/\lambda$ on it lands as high as it started, or higher.
#
# **Many directions.** With $H$ the symmetric matrix of second derivatives, $f(\theta) = \tfrac12\theta^\top H\theta$ has the gradient $H\theta$. In most directions $H\theta$ does not point along $\theta$. The exceptions are the *eigenvectors*: along them $H$ does nothing but stretch, $H\theta = \lambda\theta$, and the factor $\lambda$ is their *eigenvalue*. A symmetric matrix has one per dimension, at right angles to each other. (In our valley they are the two axes, with the eigenvalues 1 and 9.) Measure $\theta$ along them, and each direction is a parabola of its own, with its own curvature $\lambda$, independent of the others. Let all curvatures be positive.
#
# But **all directions share one $\eta$**, and here intuition misleads. It is not the direction that you care about, the long and flat one, that limits the learning rate; it is the steepest:
#
# <!-- equation cliff -->
#
# $$\boxed{\text{it converges} \iff 0 < \eta < \frac{2}{\lambda_{\max}}}$$
#
# "It" is gradient descent with this $\eta$, from every start.
#
# **The best rate.** In the long run the slowest direction decides. Its factor is $\rho = \max_\lambda |1 - \eta\lambda|$, and $\eta$ should make that small. As $\eta$ grows, $1 - \eta\lambda_{\min}$ falls and $\eta\lambda_{\max} - 1$ rises. The larger of the two is smallest where they meet:
#
# $$1 - \eta\lambda_{\min} = \eta\lambda_{\max} - 1$$
#
# Solve for $\eta$, put it back, and divide above and below by $\lambda_{\min}$:
#
# $$\boxed{\eta = \frac{2}{\lambda_{\min} + \lambda_{\max}}, \quad \rho = \frac{\kappa - 1}{\kappa + 1}, \quad \kappa = \frac{\lambda_{\max}}{\lambda_{\min}}}$$
#
# $\kappa$ is the **condition number**. Our valley has $\kappa = 9$, so $\eta = \tfrac15$, as in the example, and $\rho = \tfrac45$. Fifty learning rates must confirm this, each with a walk of the package's `SGD`:

# %%
etas = np.linspace(0.005, 0.25, 50)
rate = np.empty(len(etas))
for i, eta in enumerate(etas):
    path = walk(lambda params, eta=eta: SGD(params, eta), 400)
    with np.errstate(divide="ignore"):
        steps = np.log(np.abs(path[100:301]).max(axis=1))
    rate[i] = np.exp((steps[-1] - steps[0]) / 200)  # mean factor per step

expected = np.maximum(np.abs(1 - etas), np.abs(1 - 9 * etas))
rate_apart = np.abs(rate - expected).max()
print(f"largest difference of the rates: {rate_apart:.0e}")
assert rate_apart < 1e-12
assert abs(etas[rate.argmin()] - 1 / 5) < 1e-12
assert ((rate < 1) == (etas < 2 / 9)).all()

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.0, 3.3))
fine = np.linspace(0, 0.25, 400)
ax.plot(fine, np.abs(1 - fine), "--", color=COLORS["blue"])
ax.plot(fine, np.abs(1 - 9 * fine), ":", color=COLORS["orange"])
ax.plot(etas, rate, "o", color=COLORS["text"], markersize=3.5)
ax.axhline(1, color=COLORS["muted"], linewidth=1)
ax.axvline(2 / 9, color=COLORS["red"], linewidth=1)
ax.text(0.02, 1.04, "along, |1 − η|", color=COLORS["blue"], va="bottom")
ax.text(0.111, 0.32, "across,\n|1 − 9η|", color=COLORS["orange"], ha="center")
ax.text(0.226, 0.1, "2/9", color=COLORS["red"])
ax.annotate(
    "best: η = 1/5, ρ = 4/5",
    (0.2, 0.8),
    (0.058, 0.66),
    va="center",
    arrowprops={"arrowstyle": "->", "color": COLORS["muted"]},
)
ax.set(
    xlabel="learning rate η",
    ylabel="factor per step",
    ylim=(0, 1.3),
    xlim=(0, 0.255),
    title="Slow on one side, a cliff on the other",
)
show(
    fig,
    name="rate-of-descent",
    alt=(
        "The factor on the distance at each step, against the learning rate, with a line for each "
        "of the two directions. The measured dots lie on the higher line: they fall slowly from 1 "
        "to 4/5 at the rate 1/5, then rise steeply and pass 1 at 2/9."
    ),
    caption=(
        "Dots: measured. A ninth above the best rate the walk no longer converges. Below the best "
        "rate it only gets slower."
    ),
)

# %% [markdown]
# The two sides are not alike. Half of the best rate still converges, with the factor {{ max(abs(1 - 0.1), abs(1 - 0.9)):.1f}}; twice the best rate multiplies the distance across the valley by {{ abs(1 - 9 * 0.4):.1f}} at each step.
#
# ## What momentum buys
#
# The velocity adds up gradients and slowly forgets them: $v' = \mu v + g$ and $\theta' = \theta - \eta v'$. Where the gradient changes its sign at each step, the sum cancels; where the sign stays, the sum grows. If $g$ stayed the same for ever, $v$ would approach
#
# $$g\,(1 + \mu + \mu^2 + \dots) = \frac{g}{1 - \mu}$$
#
# so on a steady slope momentum of 0.9 makes steps that are ten times as long. Keep this factor in mind for the experiment.
#
# **One direction.** Put $g = \lambda\theta$ into both rules. The pair $(\theta, v)$ is multiplied by a matrix at each step:
#
# $$\begin{bmatrix}\theta'\\v'\end{bmatrix} = \begin{bmatrix}1 - \eta\lambda & -\eta\mu\\ \lambda & \mu\end{bmatrix}\begin{bmatrix}\theta\\v\end{bmatrix}$$
#
# This matrix has eigenvectors too, and $t$ steps stretch each by its eigenvalue to the power $t$. So the eigenvalue $r$ with the largest absolute value tells how fast the walk shrinks. The eigenvalues of a 2-by-2 matrix solve $r^2 - (\text{trace})\,r + \text{determinant} = 0$. The trace, the sum of the diagonal, is $1 + \mu - \eta\lambda$. The determinant is $(1 - \eta\lambda)\mu + \eta\mu\lambda = \mu$. So
#
# $$r^2 - (1 + \mu - \eta\lambda)\,r + \mu = 0$$
#
# **Easily overlooked.** The product of the two roots is the constant term, $\mu$, whatever $\lambda$ is. If the roots are complex, they are $a + bi$ and $a - bi$, with the product $a^2 + b^2$, which is the square of the absolute value of either. So both have the absolute value $\sqrt\mu$: *every* direction in that case shrinks at the same rate, steep or flat. The roots are complex when $(1 + \mu - \eta\lambda)^2 < 4\mu$, so when $1 + \mu - \eta\lambda$ lies between $-2\sqrt\mu$ and $2\sqrt\mu$. Since $1 \pm 2\sqrt\mu + \mu = (1 \pm \sqrt\mu)^2$, that is
#
# $$(1 - \sqrt\mu)^2 < \eta\lambda < (1 + \sqrt\mu)^2$$
#
# At the ends of this interval the two roots are equal, and their absolute value is $\sqrt\mu$ as well.
#
# **The best pair.** Let the interval reach exactly from $\eta\lambda_{\min}$ to $\eta\lambda_{\max}$, and take roots:
#
# $$\sqrt{\eta\lambda_{\min}} = 1 - \sqrt\mu, \qquad \sqrt{\eta\lambda_{\max}} = 1 + \sqrt\mu$$
#
# Divide the second by the first: $\sqrt\kappa = (1 + \sqrt\mu)/(1 - \sqrt\mu)$, and solve for $\sqrt\mu$. Add the two: $\sqrt\eta\,(\sqrt{\lambda_{\min}} + \sqrt{\lambda_{\max}}) = 2$, and solve for $\eta$:
#
# $$\boxed{\begin{aligned}
#   \rho &= \sqrt\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} \\
#   \eta &= \left(\frac{2}{\sqrt{\lambda_{\min}} + \sqrt{\lambda_{\max}}}\right)^{2}
#   \end{aligned}}$$
#
# This is Polyak's result (1964). In our valley $\rho = \tfrac12$, so $\mu = \tfrac14$, and $\eta = (\tfrac24)^2 = \tfrac14$. That $\eta$ is more than $\tfrac29$: plain descent would diverge with it.
#
# ??? note "Why no other pair is better"
#     Let a pair with $\rho < 1$ be given; write $\tau$ for the trace. Both roots of $r^2 - \tau r + \mu$ are at most $\rho$ in absolute value exactly if $\mu \le \rho^2$ and $|\tau| \le \rho + \mu/\rho$. With $\tau = 1 + \mu - \eta\lambda$ that reads $(1 - \rho)(1 - \mu/\rho) \le \eta\lambda \le (1 + \rho)(1 + \mu/\rho)$. Both ends of the range of $\lambda$ must fit, so $\kappa$ is at most the quotient of the two bounds. The quotient grows with $\mu$, which is at most $\rho^2$; there it is $((1 + \rho)/(1 - \rho))^2$. So $\sqrt\kappa \le (1 + \rho)/(1 - \rho)$, which is $\rho \ge (\sqrt\kappa - 1)/(\sqrt\kappa + 1)$.
#
# Now check the package. The columns of a step's matrix are what it makes of $(1, 0)$ and of $(0, 1)$; then a grid of pairs competes for the smallest factor:


# %%
def matrix_of_a_step(curvature, lr, momentum):
    columns = []
    for theta, v in ((1.0, 0.0), (0.0, 1.0)):
        params = {"theta": np.array([theta])}
        optimizer = SGD(params, lr, momentum=momentum)
        optimizer.velocity["theta"][:] = v
        optimizer.step({"theta": curvature * params["theta"]})
        columns.append([params["theta"][0], optimizer.velocity["theta"][0]])
    return np.array(columns).T


def radius(curvature, lr, momentum):
    matrix = matrix_of_a_step(curvature, lr, momentum)
    return np.abs(np.linalg.eigvals(matrix)).max()


derived = [[1 - 0.2 * 9, -0.2 * 0.5], [9, 0.5]]
assert np.allclose(matrix_of_a_step(9.0, 0.2, 0.5), derived, rtol=1e-15)

grid = [(lr, mu) for lr in np.arange(1, 33) / 64 for mu in np.arange(1, 24) / 32]
best = min(grid, key=lambda pair: max(radius(lam, *pair) for lam in (1.0, 9.0)))
print(f"best of {len(grid)}: lr {best[0]}, momentum {best[1]}")
assert best == (1 / 4, 1 / 4)
assert abs(max(radius(lam, *best) for lam in (1.0, 9.0)) - 1 / 2) < 1e-7

# %% tags=["remove-input"]
fig, (ax, low) = plt.subplots(2, 1, figsize=(5.0, 5.8))
points = np.arange(0.05, 3.95, 0.1)
fine = np.linspace(0, 4, 801)
for mu, color, style, place in (
    (0.02, "blue", "-", (0.72, 0.03)),
    (0.25, "orange", "--", (0.75, 0.39)),
    (0.81, "green", ":", (2.75, 0.77)),
):
    trace, at = 1 + mu - fine, 1 + mu - points
    theory, there = (np.sqrt(np.maximum(tau**2 - 4 * mu, 0)) for tau in (trace, at))
    theory, there = (
        np.where(root > 0, (np.abs(tau) + root) / 2, np.sqrt(mu))
        for tau, root in ((trace, theory), (at, there))
    )
    found = np.array([radius(1.0, value, mu) for value in points])
    assert np.abs(found - there).max() < 1e-7
    ax.plot(fine, theory, style, color=COLORS[color])
    ax.plot(points, found, ".", color=COLORS[color], markersize=4)
    ax.text(*place, f"μ = {mu}", color=COLORS[color], fontweight="bold")
ax.axhline(1, color=COLORS["muted"], linewidth=1)
ax.set(
    title="Momentum digs a flat floor at √μ",
    xlabel="ηλ",
    ylabel="factor per step",
    ylim=(0, 1.3),
    xlim=(0, 4),
)
long = {name: np.linalg.norm(walk(BEST[name], 60), axis=1) for name in ("SGD", "momentum")}
for name, values in long.items():
    color, marker, _ = LOOK[name]
    low.plot(values, marker, color=COLORS[color], markersize=3)
steps = np.arange(61)
low.plot(steps, long["SGD"][0] * 0.8**steps, color=COLORS["blue"], linewidth=1)
low.plot(steps, 16 * (1 + steps) * 0.5**steps, color=COLORS["orange"], linewidth=1)
low.text(38, 3e-2, "SGD, line: (4/5)ᵗ", color=COLORS["blue"])
low.text(3, 1e-10, "momentum,\nline: 16 (1 + t) / 2ᵗ", color=COLORS["orange"])
low.set(
    title="In the valley: both at their best",
    xlabel="step t",
    ylabel="distance from the bottom",
    yscale="log",
)
show(
    fig,
    name="momentum-rates",
    alt=(
        "Above, the factor per step against learning rate times curvature for three momenta: each "
        "curve falls, is flat at the root of the momentum, and rises to 1 at 2(1 + μ). Below, the "
        f"distance over 60 steps: SGD comes to {long['SGD'][-1]:.0e}, momentum to "
        f"{long['momentum'][-1]:.0e}, each along the line of the theory."
    ),
    caption=(
        "Above: all curvatures that fall on the floor of a curve shrink together; more momentum "
        "makes it wider, and higher. Dots: from the package. Below: SGD and momentum at "
        "their best, the walks as marks."
    ),
)
assert (long["momentum"] <= 16 * (1 + steps) * 0.5**steps * (1 + 1e-9)).all()
assert np.allclose(long["SGD"], long["SGD"][0] * 0.8**steps, rtol=1e-9)


def steps_a_digit(q):  # q is κ for SGD and its root for momentum
    return f"{np.log(10) / -np.log((q - 1) / (q + 1)):,.0f}"


# %% [markdown]
# The factor $1 + t$ in the lower plot is the price of the two equal roots, which bring terms $t\,r^t$. It does not change the rate in the long run.
#
# To have $\sqrt\kappa$ instead of $\kappa$ is a great gain when the valley is narrow. For each further digit, SGD and momentum at their best need this many steps:
#
# | $\kappa$ | SGD | momentum |
# |---|---|---|
# | 9 | {{ steps_a_digit(9) }} | {{ steps_a_digit(3) }} |
# | 100 | {{ steps_a_digit(100) }} | {{ steps_a_digit(10) }} |
# | 10,000 | {{ steps_a_digit(10_000) }} | {{ steps_a_digit(100) }} |
#
# **What the theory leaves out.** These are quadratics, with exact gradients, and with $\eta$ and $\mu$ chosen from curvatures. In a network these are not known, and they change on the way. What survives is the shape: too small a rate creeps, too large a one diverges, and momentum moves the limit from $2/\lambda_{\max}$ to $2(1 + \mu)/\lambda_{\max}$, as the upper plot shows ([@goh2017]; on networks, [@sutskever2013]). In a network the cliff itself moves: training can drive $\lambda_{\max}$ up to $2/\eta$, whatever $\eta$ is, and go on there ([@cohen2021]). [The next chapter](schedules.py#the-edge-of-stability) measures it.
#
# ## Adam measures each gradient by its own size
#
# One $\eta$ for all directions was the trouble. Adam ([@kingma2015]) gives each *element* of $\theta$ its own: it divides a running mean of $g$ by the root of a running mean of $g^2$. Multiply the loss by 1,000, and the step stays the same, as long as $\varepsilon$ is small beside that root.
#
# ### The correction
#
# A running mean that begins at 0 is too small at first. How much? Write $m$ out. The gradient of step $i$ entered with weight $1 - \beta$ and has been multiplied by $\beta$ at each step since:
#
# $$m^{(t)} = (1 - \beta)\sum_{i=1}^{t} \beta^{t - i} g^{(i)}$$
#
# Gradients of batches are noisy. Write $\mathrm{E}$ for the mean over all that chance could bring, and let all gradients have the same mean, $\mathrm{E}\,g^{(i)} = \bar g$. The mean of a sum is the sum of the means, and the rest is a geometric sum:
#
# $$\begin{aligned}
#   \mathrm{E}\,m^{(t)} &= \bar g\,(1 - \beta)\sum_{s=0}^{t-1}\beta^s \\
#   &= \bar g\,(1 - \beta)\,\frac{1 - \beta^t}{1 - \beta} = (1 - \beta^t)\,\bar g
#   \end{aligned}$$
#
# So $\hat m = m/(1 - \beta^t)$ has the mean $\bar g$ at every step, and for a *constant* gradient it is $g$ itself. The same holds for $v$ with $g^2$ instead of $g$. Here is the sum as an equation that runs, compared with Adam's own state; its `T` is $t$, and its `i` counts from 0:

# %%
rng = np.random.default_rng(SEED)
history = rng.standard_normal(7)
optimizer = Adam({"theta": np.zeros(1)}, 0.1)
constant = Adam({"theta": np.zeros(1)}, 0.1)
for t, g in enumerate(history, start=1):
    optimizer.step({"theta": np.array([g])})
    constant.step({"theta": np.array([3.0])})
    assert abs(constant.m["theta"][0] - (1 - 0.9**t) * 3) < 1e-14
    assert abs(constant.v["theta"][0] - (1 - 0.999**t) * 9) < 1e-14
    assert abs(constant.params["theta"][0] + 0.1 * t) < 1e-8  # η·sign(g), t times

unrolled = Equation("m = (1 - beta) * sum[i](beta**(T - 1 - i) * g[i])")
m_apart = abs(float(unrolled({"g": history, "beta": 0.9, "T": 7})) - optimizer.m["theta"][0])
print(f"largest difference: {m_apart:.0e}")
assert m_apart < 1e-15

# %% [markdown]
# And what if it is left out?


# %%
class Uncorrected(Adam):
    """Wrong: the means as they are, too small at first."""

    def step(self, grads):
        beta1, beta2 = self.betas
        for name, p, g in self._checked(grads):
            self.m[name] += (1 - beta1) * (g - self.m[name])
            self.v[name] += (1 - beta2) * (g * g - self.v[name])
            p -= self.lr * self.m[name] / (np.sqrt(self.v[name]) + self.eps)


# %% tags=["remove-input"]
count = 3000
moved = {}
for kind in (Adam, Uncorrected):
    for betas in ((0.9, 0.999), (0.9, 0.9)):
        theta = np.zeros(1)
        optimizer = kind({"theta": theta}, 1.0, betas=betas)
        places = [0.0]
        for _ in range(count):
            optimizer.step({"theta": np.array([3.0])})
            places.append(theta[0])
        moved[kind, betas] = -np.diff(places)
steps = np.arange(1, count + 1)
usual, short = moved[Uncorrected, (0.9, 0.999)], moved[Uncorrected, (0.9, 0.9)]
too_long = (1 - 0.9**steps) / np.sqrt(1 - 0.999**steps)
too_short = np.sqrt(1 - 0.9**steps)
assert np.abs(usual / too_long - 1).max() < 1e-6 and np.abs(short / too_short - 1).max() < 1e-6
assert all(np.abs(moved[Adam, b] - 1).max() < 1e-6 for b in ((0.9, 0.999), (0.9, 0.9)))

fig, ax = plt.subplots(figsize=(5.0, 3.2))
ax.plot(steps, usual, "--", color=COLORS["orange"])
ax.plot(steps, short, ":", color=COLORS["purple"])
ax.plot(steps, moved[Adam, (0.9, 0.999)], color=COLORS["green"])
ax.text(45, 6.4, "no correction,\nβ₂ = 0.999: too long", color=COLORS["orange"], va="top")
ax.text(6, 0.1, "no correction, β₂ = 0.9: too short", color=COLORS["purple"], va="bottom")
ax.text(1.1, 1.12, "corrected: 1", color=COLORS["green"])
ax.set(
    xscale="log",
    xlabel="step t",
    ylabel="length of the step, in units of η",
    ylim=(0, 7),
    title="A constant gradient, and unequal steps",
)
show(
    fig,
    name="bias-correction",
    alt=(
        "Length of Adam's steps for a constant gradient. With the correction always 1. Without it "
        f"and with the usual betas it begins at {usual[0]:.2f}, rises to {usual.max():.1f} at step "
        f"{usual.argmax() + 1} and comes near 1 after thousands of steps; with both betas 0.9 it "
        f"begins at {short[0]:.2f}."
    ),
    caption=(
        "The gradient is the same at all steps, so all steps should be alike. Around the peak they "
        "are too long: without the correction the first hundred steps are the most dangerous ones."
    ),
)

# %% [markdown]
# Both means are too small at first, but the root of $v$ more so, since $\beta_2$ is closer to 1. Without the correction the first step is $(1 - \beta_1)/\sqrt{1 - \beta_2}$ times as long as it should be, {{ usual[0]:.2f}} with the usual betas, and it gets worse before it gets better: {{ usual.max():.1f}} at step {{ usual.argmax() + 1 }}.
#
# ### Rotate the valley, and Adam takes another path
#
# Dividing element by element suits a valley that lies along the axes. Which valleys do? Rotate ours by 45 degrees, with the start. For SGD and momentum nothing changes, since the eigenvectors rotate too. For Adam each element of the gradient is now a mixture of steep and flat, and no division by elements can tell them apart.

# %% tags=["remove-input"]
half = np.sqrt(0.5)
turn = np.array([[half, -half], [half, half]])
rotated = turn @ VALLEY @ turn.T
fig, ax = plt.subplots(figsize=(5.0, 3.2))
after = {}
for name, make in BEST.items():
    straight = height(walk(make, 60))
    skew = height(walk(make, 60, start=turn @ START, curvature=rotated), rotated)
    after[name] = straight, skew
    color, marker, style = LOOK[name]
    ax.plot(straight, color=COLORS[color], linewidth=1.3)
    ax.plot(skew, marker, color=COLORS[color], markersize=3)
for name in ("SGD", "momentum"):
    assert np.allclose(*after[name], rtol=1e-6, atol=1e-25)
adam_apart = np.abs(np.log10(after["Adam"][1][1:] / after["Adam"][0][1:])).max()
assert adam_apart > 0.5
ax.text(46, 3e-6, "SGD", color=COLORS["blue"])
ax.text(5, 1e-9, "momentum", color=COLORS["orange"])
ax.text(38, 60, "Adam", color=COLORS["green"])
ax.set(
    yscale="log",
    xlabel="step",
    ylabel="height f",
    ylim=(1e-12, 1e3),
    title="Rotated by 45°: who notices?",
)
show(
    fig,
    name="rotated-valley",
    alt=(
        "Height over 60 steps in the valley along the axes, as lines, and rotated by 45 degrees, "
        "as marks. For SGD and momentum the marks lie on the lines. For Adam they part, by up to "
        f"a factor of {10**adam_apart:.0f}."
    ),
    caption=(
        "Lines: the valley along the axes. Marks: rotated by 45°. Only Adam's marks leave their "
        "line, since only Adam knows where the axes are."
    ),
)

# %% [markdown]
# [](#rotated-valley) shows one thing more. Adam's $\eta$ is a *length*: it does not shrink with the gradient, so Adam still swings about the bottom when the others have arrived. On a clean quadratic it is the wrong tool. It was made for gradients that are noisy and of very different sizes.
#
# ## The code says the same
#
# The rules once more, now as lines that the build parses, prints and evaluates. SGD, where "decay" is `weight_decay`, a pull towards 0 that the sixth mistake below explains:

# %% tags=["remove-input"]
SGD_RULES = [
    "gprime[i] = g[i] + decay * theta[i]",
    "vprime[i] = mu * v[i] + gprime[i]",
    "thetaprime[i] = theta[i] - eta * vprime[i]",
]
ADAM_RULES = [
    "mprime[i] = beta1 * m[i] + (1 - beta1) * g[i]",
    "vprime[i] = beta2 * v[i] + (1 - beta2) * g[i]**2",
    "mhat[i] = mprime[i] / (1 - beta1**t)",
    "vhat[i] = vprime[i] / (1 - beta2**t)",
    "thetaprime[i] = theta[i] - eta * mhat[i] / (sqrt(vhat[i]) + eps)",
]


def aligned(rules):
    """The rules as LaTeX, one per line."""
    text = r" \\[4pt] ".join(Equation(rule).latex.replace(" = ", " &= ", 1) for rule in rules)
    for number in "12":
        text = text.replace(rf"\beta^{{({number})}}", rf"\beta_{number}")
    return rf"\begin{{aligned}} {text} \end{{aligned}}"


# %% [markdown]
# $$
# {{ aligned(SGD_RULES) }}
# $$
#
# and Adam:
#
# $$
# {{ aligned(ADAM_RULES) }}
# $$


# %% tags=["remove-input"]
def follow(rules, optimizer, numbers, names, steps=20):
    """Largest relative difference between the rules and the package's step."""
    theta = optimizer.params["theta"]
    values = {name: np.zeros(len(theta)) for name in names} | {"theta": theta.copy()} | numbers
    worst = 0.0
    for t in range(1, steps + 1):
        values |= {"g": rng.standard_normal(len(theta)), "t": t}
        for rule in map(Equation, rules):
            values[rule.name] = rule(values)
        optimizer.step({"theta": values["g"]})
        for name in ("theta", *names):
            values[name] = values[f"{name}prime"]
        gap = np.abs(values["theta"] - theta).max() / np.abs(theta).max()
        worst = max(worst, float(gap))
    return worst


params = {"theta": rng.standard_normal(7)}
sgd = SGD(params, 0.1, momentum=0.9, weight_decay=0.01)
sgd_apart = follow(SGD_RULES, sgd, {"eta": 0.1, "mu": 0.9, "decay": 0.01}, ["v"])
numbers = {"eta": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
adam_rules_apart = follow(ADAM_RULES, Adam(params, 0.1), numbers, ["m", "v"])
assert max(sgd_apart, adam_rules_apart) < 1e-13

# %% [markdown]
# Over twenty steps with random gradients these lines and the package's optimisers differ by ${{ power(sgd_apart) }}$ and ${{ power(adam_rules_apart) }}$, relative to the largest parameter. Here is the package. The rule for $g'$ is the last line but one of `_checked`, which all optimisers call; the means and the velocity begin as zeros.

# %% tags=["remove-input"]
show_source(SGD._checked, SGD.step, Adam.step)

# %% [markdown]
# In SGD the loop's first lines are the rule for $v'$ and `p -= self.lr * g` is that for $\theta'$; `nesterov` and `decoupled` belong to [the next chapter](schedules.py). In Adam the two lines on `m` are the first rule and the two on `v` the second; the last line holds the other three.
#
# In SGD the learning rate is *outside* the velocity, as in PyTorch. Many papers put it inside, $v' = \mu v + \eta g$. As long as $\eta$ stays the same, both walk the same path; if you change $\eta$ on the way, they part.
#
# ## Evidence: fifty steps beside PyTorch
#
# The same start, the same fifty random gradients, float64:

# %%
settings = {
    "SGD": ({}, torch.optim.SGD, SGD),
    "SGD, momentum": ({"momentum": 0.9}, torch.optim.SGD, SGD),
    "SGD, momentum, decay": ({"momentum": 0.9, "weight_decay": 0.1}, torch.optim.SGD, SGD),
    "Adam": ({}, torch.optim.Adam, Adam),
    "Adam, decay": ({"weight_decay": 0.1}, torch.optim.Adam, Adam),
}
torch_apart = {}
for name, (options, theirs, ours) in settings.items():
    params = {"weight": rng.standard_normal((3, 5)), "bias": rng.standard_normal(5)}
    tensors = {key: torch.tensor(p, requires_grad=True) for key, p in params.items()}
    optimizer, other = ours(params, 0.05, **options), theirs(tensors.values(), 0.05, **options)
    gap = 0.0
    for _ in range(50):
        grads = {key: rng.standard_normal(p.shape) for key, p in params.items()}
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[key])
        optimizer.step(grads)
        other.step()
        for key, p in params.items():
            gap = max(gap, float(np.abs(p - tensors[key].detach().numpy()).max()))
    torch_apart[name] = gap
    print(f"{name:<20} apart {gap:.0e}")
assert max(torch_apart.values()) <= 1e-12

# %% [markdown]
# What is left is rounding. The largest difference of all, ${{ power(max(torch_apart.values())) }}$, is far below the $10^{-12}$ at which the build would stop.
#
# ## What matters most, on real data?
#
# **The question.** You train the [two-layer network on Iris](iris.py). Which matters more, the optimiser or its learning rate?
#
# **A prediction.** In the valley, momentum at its best was far ahead of SGD at its best. If that carries over, the optimisers should differ clearly when each has its best rate. The creeping on one side and the cliff on the other should carry over too.
#
# The network has ten hidden units and is trained for 40 epochs in batches of 20, at eleven learning rates from $10^{-4}$ to $10$, with three optimisers (momentum 0.9, the usual betas) and ten seeds. A seed decides the split, the first weights and the order of the flowers, the same for all optimisers. What counts is the loss on the validation flowers after the last epoch; if it is no longer a number, it counts as infinite. The baseline is guessing: giving each of three species one third costs $\ln 3$.

# %% tags=["hide-input"]
DATA = {seed: iris(seed=seed).standardized() for seed in range(10)}
RATES = 10.0 ** (np.arange(-8, 3) / 2)
KINDS = {
    "SGD": SGD,
    "momentum": lambda params, lr: SGD(params, lr, momentum=0.9),
    "Adam": Adam,
}


def train(kind, rates=RATES, seeds=tuple(DATA), *, epochs=40, batch_size=20):
    """Validation and test loss after the last epoch; infinite if it diverged."""
    pairs = [(lr, seed) for lr in rates for seed in seeds]
    parts, draws = zip(*((DATA[seed], np.random.default_rng(seed)) for _, seed in pairs))
    nets = [two_layer_net(4, 10, 3, rng=draw) for draw in draws]
    histories = fit_many(
        nets, [(part.x_train, part.y_train) for part in parts],
        [(part.x_val, part.y_val) for part in parts], optimizer=kind,
        lr=[lr for lr, _ in pairs], epochs=epochs, batch_size=batch_size, rngs=draws,
    )  # fmt: skip
    losses = [
        (history.val_loss[-1], evaluate(net, part.x_test, part.y_test)[0])
        if len(history.val_loss) == epochs else (np.inf, np.inf)
        for net, part, history in zip(nets, parts, histories)
    ]  # fmt: skip
    return np.reshape(losses, (len(rates), len(seeds), 2))


runs = {name: train(kind) for name, kind in KINDS.items()}
val = {name: run[..., 0] for name, run in runs.items()}  # (rates, seeds)
middle = {name: np.median(values, axis=1) for name, values in val.items()}
top = {name: int(values.argmin()) for name, values in middle.items()}
at_best = {name: float(middle[name][top[name]]) for name in KINDS}

# %% tags=["remove-input"]
fig, (ax, low) = plt.subplots(2, 1, figsize=(5.0, 6.2), sharey=True)
for name, values in val.items():
    color, marker, style = LOOK[name]
    clipped = np.minimum(values, 10)
    quarter, three = np.sort(clipped, axis=1)[:, [2, 7]].T  # the middle six of ten
    ax.fill_between(RATES, quarter, three, color=COLORS[color], alpha=0.18, linewidth=0)
    ax.plot(
        RATES, np.minimum(middle[name], 10), style, marker=marker, color=COLORS[color], markersize=4
    )
    factor = 10 if name == "momentum" else 1
    if name != "Adam":
        low.plot(
            RATES * factor,
            np.minimum(middle[name], 10),
            style,
            marker=marker,
            color=COLORS[color],
            markersize=4,
        )
for axes in (ax, low):
    axes.axhline(np.log(3), color=COLORS["muted"], linewidth=1)
    axes.set(xscale="log", yscale="log", ylim=(0.06, 4), ylabel="validation loss (nats)")
    axes.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    axes.minorticks_off()
ax.set(title="The rate decides", xlabel="learning rate η")
low.set(title="Momentum is SGD with a longer step", xlabel="steady step, η / (1 − μ)")
ax.text(1.1e-2, 0.64, "SGD", color=COLORS["blue"])
ax.annotate(
    "momentum",
    (1.1e-3, 0.54),
    (1.2e-4, 0.17),
    color=COLORS["orange"],
    arrowprops={"arrowstyle": "-", "color": COLORS["orange"]},
)
ax.text(1.6e-2, 0.072, "Adam", color=COLORS["green"])
ax.text(2e-2, 1.2, "guessing", color=COLORS["muted"], va="bottom")
low.text(1.6e-4, 0.7, "SGD", color=COLORS["blue"])
low.text(8, 0.2, "momentum", color=COLORS["orange"])
show(
    fig,
    name="learning-rate-sweep",
    alt=(
        "Median validation loss against the learning rate, with a band over seeds. Each optimiser "
        f"falls from above 1 to between {min(at_best.values()):.2f} and "
        f"{max(at_best.values()):.2f}, and rises again; momentum and Adam get there at smaller "
        "rates. Drawn against η/(1 − μ), the curves of SGD and momentum lie on each other until "
        "SGD rises; momentum stays low for longer."
    ),
    caption=(
        "Above: median of ten seeds, band over the middle six. A tenth of its best rate "
        "costs each optimiser more than the lowest points differ. Below: two of the curves again, momentum's moved "
        "to the right by the factor 10 that was derived above."
    ),
)

# %% [markdown]
# | | Best rate | Loss there | Rate ÷ 10 | Rate × 10 |
# |---|---|---|---|---|
# | SGD | {{ f"{RATES[top['SGD']]:.2g}" }} | {{ f"{at_best['SGD']:.3f}" }} | {{ f"{middle['SGD'][top['SGD'] - 2]:.3f}" }} | {{ f"{middle['SGD'][top['SGD'] + 2]:.3f}" }} |
# | momentum | {{ f"{RATES[top['momentum']]:.2g}" }} | {{ f"{at_best['momentum']:.3f}" }} | {{ f"{middle['momentum'][top['momentum'] - 2]:.3f}" }} | {{ f"{middle['momentum'][top['momentum'] + 2]:.3f}" }} |
# | Adam | {{ f"{RATES[top['Adam']]:.2g}" }} | {{ f"{at_best['Adam']:.3f}" }} | {{ f"{middle['Adam'][top['Adam'] - 2]:.3f}" }} | {{ f"{middle['Adam'][top['Adam'] + 2]:.3f}" }} |

# %% tags=["remove-input"]
wrong_optimizer = max(at_best.values()) / min(at_best.values())
too_low = [middle[name][top[name] - 2] / at_best[name] for name in KINDS]
too_high = [middle[name][top[name] + 2] / at_best[name] for name in KINDS]
lowest = [middle[name][0] / at_best[name] for name in KINDS]
fixed = [middle[name][4] for name in KINDS]  # all at the rate 0.01

# Momentum at a tenth of the rate beside SGD, up to SGD's rate 0.1.
shifted = [abs(middle["momentum"][i - 2] / middle["SGD"][i] - 1) for i in range(2, 7)]

# Shares of the variance of log loss, over the rates up to 1.
logs = np.log(np.array([val[name][:9] for name in KINDS]))  # (optimisers, rates, seeds)
assert np.isfinite(logs).all()


def shares(logs):
    """Of the variance: by rate, by optimiser, by which suits which."""
    rate, kind = logs.mean((0, 2)).var(), logs.mean((1, 2)).var()
    return np.array([rate, kind, logs.mean(2).var() - rate - kind]) / logs.var()


by_rate, by_kind, both = shares(logs)
narrow = shares(logs[:, 4:])  # the rates from 0.01 to 1
assert narrow.sum() < 0.5 and all(high < low for high, low in zip(too_high, too_low, strict=True))
on_test = np.array([runs[name][top[name], :, 1] for name in KINDS])
adam_first = int((on_test[2] < on_test[0]).sum())
gap = on_test[2] - on_test[0]  # Adam less SGD, seed by seed; the splits share their flowers
gap_half = stats.t.ppf(0.975, 9) * gap.std(ddof=1) * np.sqrt(1 / 10 + 25 / 100)
assert abs(gap.mean()) < gap_half
diverged = {name: int(np.isinf(val[name][-1]).sum()) for name in KINDS}
useless = np.median(val["SGD"][-1][np.isfinite(val["SGD"][-1])])
assert abs(useless / np.log(3) - 1) < 0.1, val["SGD"][-1]
assert RATES[4] == 0.01 and RATES[6] == 0.1 and RATES[8] == 1
assert min(too_low) > wrong_optimizer and by_rate > 3 * by_kind
assert adam_first < 8
assert max(shifted) < 0.1

# %% [markdown]
# **The verdict.** The rate decides. The first part of the prediction does not come true. With each at its best rate, the worst optimiser's validation loss is {{ wrong_optimizer:.2f}} times that of the best; but the test flowers, which chose no rate, put Adam below SGD for {{ adam_first }} of the ten seeds, with a mean difference of {{ f"{gap.mean():+.3f} ± {gap_half:.3f}".replace("-", "−") }} ([widened](iris.py#compare-on-the-same-flowers) for splits that share their flowers), so no order can be claimed. The second part does come true, with a reservation. A rate ten times too small costs each of them a factor of {{ min(too_low):.1f}} or more, the smallest rate {{ min(lowest):.0f}} or more. Ten times too large costs less, from {{ min(too_high):.1f}} to {{ max(too_high):.1f}}: SGD and momentum have their cliff, but further from the best rate than in the valley. At the highest rate the loss is infinite for {{ diverged['SGD'] }} of ten runs of SGD, for {{ diverged['momentum'] }} of momentum and for {{ diverged['Adam'] }} of Adam.
#
# Take the logarithm of the loss for all runs up to the rate 1. Of its variance the rate explains {{ f"{by_rate:.0%}" }}, the optimiser {{ f"{by_kind:.0%}" }}, which rate suits which optimiser {{ f"{both:.0%}" }}; what is left is the seeds.
#
# **A trap for comparisons.** At one fixed rate, 0.01, the losses of SGD, momentum and Adam are {{ fixed[0]:.2f}}, {{ fixed[1]:.2f}} and {{ fixed[2]:.2f}}. It looks as though momentum beats SGD by far. But the lower plot shows what is going on: up to a steady step of 0.1, the two curves differ by at most {{ f"{max(shifted):.0%}" }}. Momentum of 0.9 *was* the tenfold learning rate. If you compare optimisers at one rate, you compare rates. What momentum adds here is room at the top: it tolerates steady steps at which SGD fails. The theory says so too. Measured in steady steps, its cliff, $\eta < 2(1 + \mu)/\lambda_{\max}$, is $(1 + \mu)/(1 - \mu) = 19$ times as far out as SGD's.
#
# **What this does not show.** Iris is tiny, the network shallow, and every other setting was left as it was. How much of the variance the rate explains depends on the range that is swept. Over the rates from 0.01 to 1 alone it is {{ f"{narrow[0]:.0%}" }}, the optimiser {{ f"{narrow[1]:.0%}" }}, which rate suits which optimiser {{ f"{narrow[2]:.0%}" }}: near a good rate, neither choice counts for as much as another seed. [Schmidt, Schneider and Hennig (2021)](@schmidt2021) compared fifteen optimisers on eight tasks and found that trying several with their defaults works about as well as tuning one; which was best changed with the task. [Choi and others (2019)](@choi2019) tuned *all* numbers, and then the more general optimisers never did worse than those they contain: momentum contains SGD, and Adam can imitate momentum with a large $\varepsilon$. On other tasks the name may count for more than here. The order of work stays: tune the rate before you judge the name. Whether one rate should serve from first step to last is the question of [the next chapter](schedules.py).
#
# ### The walk, seen from above
#
# The network has many parameters; a page has two dimensions. Let the three walk from one start: SGD at the rate 0.3, momentum at 0.03, which is the same steady step, and Adam at 0.03 as well. Then take all their points and find the plane that lies closest to them (its axes are the *principal components*). The lines of equal height are the training loss *on that plane*.

# %% tags=["remove-input"]
flowers = DATA[SEED]
xs, labels = flowers.x_train, flowers.y_train


def flat(arrays):
    return np.concatenate([a.ravel() for a in arrays.values()]).astype(np.float64)


def place(net, vector):
    """Put a long vector back into the network's parameters."""
    at = 0
    for p in net.params.values():
        p[...] = vector[at : at + p.size].reshape(p.shape)
        at += p.size


def loss_and_grads(net, part=slice(None)):
    logits, cache = net.forward(xs[part])
    loss, dlogits = softmax_cross_entropy(logits, labels[part])
    return float(loss), net.backward(dlogits, cache, need_dx=False)[1]


# %% tags=["hide-input"]
walks = {}
for name, lr in (("SGD", 0.3), ("momentum", 0.03), ("Adam", 0.03)):
    net = two_layer_net(4, 10, 3, rng=np.random.default_rng(SEED))
    optimizer = KINDS[name](net.params, lr)
    points = [flat(net.params)]
    for _ in range(100):
        optimizer.step(loss_and_grads(net)[1])  # all flowers: no noise
        points.append(flat(net.params))
    walks[name] = np.array(points)
cloud = np.concatenate(list(walks.values()))
centre = cloud.mean(0)
_, sizes, axes = np.linalg.svd(cloud - centre, full_matrices=False)
axes[:2] *= np.sign(axes[:2] @ (walks["SGD"][-1] - walks["SGD"][0]))[:, None]
kept = (sizes[:2] ** 2).sum() / (sizes**2).sum()
seen = {name: (walk_ - centre) @ axes[:2].T for name, walk_ in walks.items()}

# %% tags=["remove-input"]
low_x, low_y = np.min([s.min(0) for s in seen.values()], axis=0) - 0.5
top_x, top_y = np.max([s.max(0) for s in seen.values()], axis=0) + 0.5
u, v = np.mgrid[low_x:top_x:45j, low_y:top_y:35j]
net = two_layer_net(4, 10, 3, rng=np.random.default_rng(SEED))


def loss_at(vector):
    place(net, vector)
    return float(softmax_cross_entropy(net.forward(xs)[0], labels)[0])


plane = np.array([loss_at(centre + np.array(p) @ axes[:2]) for p in zip(u.flat, v.flat)])
fig, ax = plt.subplots(figsize=(5.2, 4.0))
lines = ax.contour(
    u,
    v,
    plane.reshape(u.shape),
    levels=[0.06, 0.1, 0.2, 0.4],
    colors=COLORS["muted"],
    linewidths=0.8,
)
ax.clabel(
    lines,
    fmt="%g",
    fontsize=9,
    manual=[(4.0, 0.5), (1.6, 1.2), (1.9, -1.6), (0, -1.4)],
)
for name, points in seen.items():
    color, marker, style = LOOK[name]
    ax.plot(*points.T, style, color=COLORS[color], linewidth=1.3)
    ax.plot(*points[::10].T, marker, color=COLORS[color], markersize=5)
    at, by, side = {
        "SGD": (-1, (9, -12), "left"),
        "momentum": (-1, (0, 8), "center"),
        "Adam": (60, (-4, -17), "center"),
    }[name]
    ax.annotate(name, points[at], by, textcoords="offset points", color=COLORS[color],
                fontweight="bold", ha=side)  # fmt: skip
ax.plot(*seen["SGD"][0], "o", color=COLORS["text"])
ax.set(
    xlabel="first principal component",
    ylabel="second principal component",
    title="A hundred steps on Iris, from above",
)
ax.grid(visible=False)
last = {name: loss_at(walks[name][-1]) for name in walks}
flattened = {name: loss_at(centre + seen[name][-1] @ axes[:2]) for name in walks}
show(
    fig,
    name="iris-from-above",
    alt=(
        "Contours of the training loss on a plane through the parameters, with three walks from "
        "one start. SGD and momentum seem to go the same way, Adam goes another and further. Losses "
        "at the end: " + ", ".join(f"{n} {last[n]:.3f}" for n in last) + "."
    ),
    caption=(
        "All flowers at each step, a mark every ten steps. The walks of SGD and of momentum, which "
        "has a tenth of SGD's rate, lie on each other; the text below says how far apart they end."
    ),
)
moved = {name: np.linalg.norm(walk_[-1] - walk_[0]) for name, walk_ in walks.items()}
between = {name: np.linalg.norm(walks[name][-1] - walks["SGD"][-1]) for name in walks}
shadows = np.linalg.norm(seen["momentum"][-1] - seen["SGD"][-1])
assert shadows < 0.5 < 1 < between["momentum"] < moved["SGD"] < between["Adam"] < moved["Adam"]
assert last["Adam"] < last["SGD"] < last["momentum"] and last["SGD"] < flattened["SGD"]

# %% [markdown]
# **A picture is a shadow.** On the plane SGD and momentum end {{ shadows:.1f}} from each other. In all {{ cloud.shape[1] }} dimensions the distance is {{ between["momentum"]:.1f}}, while SGD has moved {{ moved["SGD"]:.1f}} from the start: equal steady steps are not equal walks. The plane keeps {{ f"{kept:.0%}" }} of the variance of the points, and that difference is in what it drops. The lines of height are a shadow too: SGD's last point has a loss of {{ last["SGD"]:.3f}}, the point of the plane below it {{ flattened["SGD"]:.3f}}. What you may trust is the coarse picture: there is no single bottom at which all arrive, no zigzag as in the valley, and Adam's loss is the lowest of the three ({{ last["Adam"]:.3f}}) and its end the farthest from the start ({{ moved["Adam"]:.1f}}).
#
# ### Small batches: noise, and many steps
#
# The S of SGD is *stochastic*: a batch of $B$ flowers gives an estimate $g_B$ of the gradient $g$ of all $N$. Its mean is right: that is why descent with it works at all ([@robbins1951]). If $\sigma^2$ is the mean squared distance of one flower's gradient from $g$, that of a batch's is
#
# $$\mathrm{E}\,\|g_B - g\|^2 = \frac{\sigma^2}{B}\cdot\frac{N - B}{N - 1}$$
#
# The first factor is the usual one for a mean; the second is there because no flower is drawn twice, and it is 0 when all are drawn. The build draws batches of five sizes, 4,000 of each, and compares their mean squared distance with the formula. Then it trains at one rate, 0.1, with batches of 1, 20 and all:

# %% tags=["remove-input"]
net = two_layer_net(4, 10, 3, rng=np.random.default_rng(SEED))
single = np.array([flat(loss_and_grads(net, [n])[1]) for n in range(100)])
spread = ((single - single.mean(0)) ** 2).sum(1).mean()
draw = np.random.default_rng(SEED)
noise = {}
for size in (1, 4, 16, 64, 100):
    picks = draw.permuted(np.tile(np.arange(100), (4000, 1)), axis=1)[:, :size]
    shares = np.zeros((4000, 100))
    np.put_along_axis(shares, picks, 1 / size, axis=1)
    noise[size] = ((shares @ single - single.mean(0)) ** 2).sum(1).mean()
    formula = spread / size * (100 - size) / 99
    assert abs(noise[size] - formula) < 0.06 * formula + 1e-12


def descend(size, steps, seed, lr=0.1):
    """Training loss before each step."""
    draw = np.random.default_rng(seed)
    net = two_layer_net(4, 10, 3, rng=draw)
    optimizer = SGD(net.params, lr)
    seen = []
    while len(seen) < steps:
        order = draw.permutation(100)
        for i in range(0, 100, size):
            seen.append(softmax_cross_entropy(net.forward(xs)[0], labels)[0])
            optimizer.step(loss_and_grads(net, order[i : i + size])[1])
    return np.array(seen[:steps])


curves = {size: np.array([descend(size, steps, seed) for seed in range(3)])
          for size, steps in ((1, 2001), (20, 300), (100, 300))}  # fmt: skip
rough = {size: float(np.diff(curve[:, 200:300]).std()) for size, curve in curves.items()}
after_2000 = {size: float(curve[:, 2000 // size].mean()) for size, curve in curves.items()}
assert rough[1] > 3 * rough[20] > 9 * rough[100]
assert after_2000[1] < after_2000[20] < after_2000[100]

# %% tags=["remove-input"]
fig, (ax, low) = plt.subplots(2, 1, figsize=(5.0, 5.6), sharey=True)
for (size, curve), color, style in zip(
    curves.items(), ("purple", "orange", "blue"), ("-", "--", ":"), strict=True
):
    one = curve[0]
    ax.plot(np.arange(300), one[:300], style, color=COLORS[color], linewidth=1.2)
    low.plot(np.arange(1, len(one)) * size, one[1:], style, color=COLORS[color], linewidth=1.2)
    text = "all 100" if size == 100 else f"B = {size}"
    low.text(*{1: (6, 0.4), 20: (3000, 0.07), 100: (14000, 0.07)}[size], text, color=COLORS[color])
ax.text(90, 0.65, "B = 1", color=COLORS["purple"])
ax.text(30, 0.13, "B = 20 and all 100,\none on the other", color=COLORS["text"], va="top")
ax.set(title="Step by step", xlabel="steps")
low.set(title="Flower by flower", xlabel="flowers seen", xscale="log")
for axes_ in (ax, low):
    axes_.set(yscale="log", ylim=(0.03, 3), ylabel="training loss (nats)")
    axes_.set_yticks([0.03, 0.1, 0.3, 1, 3], ["0.03", "0.1", "0.3", "1", "3"])
    axes_.minorticks_off()
show(
    fig,
    name="batch-noise",
    alt=(
        "Training loss with batches of 1, 20 and all 100 flowers at one rate. Against steps, 20 "
        "and 100 fall alike, 1 a little above them with large jumps. Against flowers seen, batches "
        "of 1 are far ahead: after "
        f"2,000 flowers {after_2000[1]:.2f}, {after_2000[20]:.2f} and {after_2000[100]:.2f}."
    ),
    caption=(
        "The same runs twice, one seed. Step for step, noise costs a little; flower for flower, "
        "many small steps win."
    ),
)

# %% [markdown]
# After 2,000 flowers the losses (means of three seeds) are {{ after_2000[1]:.2f}} with single flowers, {{ after_2000[20]:.2f}} with twenty and {{ after_2000[100]:.2f}} with all: that is after {{ 2000 // 1:,}} steps, {{ 2000 // 20 }} and {{ 2000 // 100 }}. (A computer does twenty flowers at once in much less than twenty times the time of one, which this count leaves out.) But single flowers never let the walk settle: from one step to the next the loss jumps {{ rough[1] / rough[20]:.0f}} times as far as with twenty. Robbins and Monro let the rate fall, so that the steps add up to infinity but their squares do not; question 4 shows what a constant rate leaves.
#
# ## Six ways to get it wrong
#
# ### 1. A sign in the velocity
#
# There are two slips: `v = mu * v - g` with `theta -= lr * v`, which climbs; and a minus before `mu`, which brakes instead of rolling on.

# %%
slips = {
    "right": lambda v, g: 0.25 * v + g,
    "climbs": lambda v, g: 0.25 * v - g,
    "brakes": lambda v, g: -0.25 * v + g,
}
slipped = {}
for name, rule in slips.items():
    theta, v = START.copy(), np.zeros(2)
    slipped[name] = [theta.copy()]
    for _ in range(12):
        v = rule(v, VALLEY @ theta)
        theta = theta - v / 4
        slipped[name].append(theta.copy())
    print(f"{name:<7} first {slipped[name][1]}, f at end {height(theta):.0e}")
assert (slipped["right"][2] == [6, 4]).all()  # by hand
assert (slipped["brakes"][1] == slipped["right"][1]).all()
assert height(slipped["brakes"][-1]) > height(START)

# %% [markdown]
# The first slip walks uphill, and you see it at once. The one that brakes is right at the first step, since the velocity is 0 then. And it explodes at a rate at which the right sign converges: with $-\mu$ for $\mu$, the cliff is at $2(1 - \mu)/\lambda_{\max}$. **A test of one step does not test momentum**: the example by hand has two, the comparison with PyTorch fifty.
#
# ### 2. Adam without its correction
#
# The class `Uncorrected` from above, on a parabola with its bottom at 0.1:

# %%
past = {}
for kind in (Adam, Uncorrected):
    theta = np.zeros(1)
    optimizer = kind({"theta": theta}, 0.01)
    places = []
    for _ in range(2000):
        optimizer.step({"theta": theta - 0.1})
        places.append(float(theta[0]))
    past[kind] = max(places) / 0.1 - 1
    assert abs(places[-1] - 0.1) < 1e-6  # both arrive
    print(f"{kind.__name__:<11} first step {places[0]:.3f}, {past[kind]:.0%} too far")
assert past[Uncorrected] > 2 * past[Adam]

# %% [markdown]
# It shoots past the bottom, but it gets there in the end, so a look at the final loss misses it. The first step gives it away: it must be $\eta$, here 0.01.
#
# ### 3. State that is lost
#
# An optimiser that is made again at each step of the loop:


# %%
class Forgetful:
    """Wrong: begins with empty state at every step."""

    def __init__(self, make, params):
        self.make, self.params = make, params

    def step(self, grads):
        self.make(self.params).step(grads)


makes = {"momentum": BEST["momentum"], "Adam": lambda params: Adam(params, 0.7)}
for name, make in makes.items():
    kept_state = height(walk(make, 200))[-1]
    lost = height(walk(lambda params, make=make: Forgetful(make, params), 200))[-1]
    print(f"{name:<8} f at end {kept_state:.0e}, forgetful {lost:.0e}")
    assert lost > 1e3 * kept_state

# %% [markdown]
# Without memory momentum is SGD, here at a rate beyond SGD's cliff, and Adam walks by the sign alone and never settles. At a smaller rate the first would go unnoticed, but for its slowness. To check, run two steps in your loop, and see whether the second is that of the example by hand.
#
# ### 4. A learning rate beyond the cliff
#
# The network again, with SGD at a rate of 100:

# %%
net = two_layer_net(4, 10, 3, rng=np.random.default_rng(SEED))
try:
    with np.errstate(all="ignore"):
        fit(net, (xs, labels), optimizer=SGD(net.params, 100.0), epochs=40, batch_size=20,
            rng=np.random.default_rng(SEED), progress=False)  # fmt: skip
except FloatingPointError as error:
    print(str(error).replace("; ", ";\n"))
else:
    raise AssertionError("it did not diverge")

# %% [markdown]
# `fit` stops at the first loss that is not a number. Do not wait for that: in the sweep, at the rate 10, only {{ diverged["SGD"] }} of ten SGD runs ended so. The others were finite, and useless, with a median loss of {{ useless:.2f}}; guessing costs {{ np.log(3):.2f}}. Watch for a loss that stays about there.
#
# ### 5. Dividing by the batch size twice
#
# The loss is a mean already. Divide its gradient by $B = 20$ again, and your rate is $\eta/20$:


# %%
class DividedTwice(SGD):
    def step(self, grads):
        super().step({name: g / 20 for name, g in grads.items()})


right, wrong, small = (
    np.median(train(kind, [lr], range(3))[..., 0])
    for kind, lr in ((SGD, 0.1), (DividedTwice, 0.1), (SGD, 0.1 / 20))
)
print(f"right {right:.3f}, divided twice {wrong:.3f}, rate/20 {small:.3f}")
assert wrong > 2 * right and abs(wrong / small - 1) < 1e-3

once = loss_and_grads(net := two_layer_net(4, 10, 3, rng=rng), [0, 60])[1]
twice = loss_and_grads(net, [0, 60, 0, 60])[1]
assert all(np.allclose(once[name], twice[name], atol=1e-6) for name in once)

# %% [markdown]
# Nothing looks broken: it learns, slowly, and the larger the batch, the more slowly. The check is in the last three lines: show every example twice, and the gradient must stay the same. Divided twice, it would be halved.
#
# ### 6. Weight decay: a factor of two, or the wrong place
#
# Weight decay pulls the weights towards 0. `weight_decay` adds $\lambda_w\theta$ to the gradient, so it is the gradient of $\tfrac12\lambda_w\|\theta\|^2$. If your loss has no half there, its gradient is twice as large. On $\tfrac12(\theta - 1)^2$ the walk must end where $\theta - 1 + \lambda_w\theta = 0$, at $1/(1 + \lambda_w)$. The second half of the code puts the decay into two places:

# %%
theta = np.zeros(1)
optimizer = SGD({"theta": theta}, 0.5, weight_decay=0.25)
for _ in range(100):
    optimizer.step({"theta": theta - 1})
assert abs(theta[0] - 1 / (1 + 0.25)) < 1e-15
assert abs(theta[0] - 1 / (1 + 2 * 0.25)) > 0.1  # the slip would end here

big, step, decay = 100.0, 0.01, 0.1
added, apart = np.ones(2), np.ones(2)
theirs = torch.ones(2, dtype=torch.float64, requires_grad=True)
inside = Adam({"theta": added}, step, weight_decay=decay)
outside = Adam({"theta": apart}, step)
adamw = torch.optim.AdamW([theirs], step, weight_decay=decay)
for t in range(500):
    g = np.array([1.0, big]) * (-1) ** t  # no direction, two sizes
    inside.step({"theta": g})
    apart *= 1 - step * decay  # decoupled: past Adam's division
    outside.step({"theta": g})
    theirs.grad = torch.tensor(g)
    adamw.step()
print(f"added to the gradient {added.round(2)}, decoupled {apart.round(2)}")
assert np.abs(apart - theirs.detach().numpy()).max() < 1e-12

# %% [markdown]
# Two weights of 1 got gradients that lead nowhere, the second one's a hundred times as large. Added to the gradient, as in `Adam(weight_decay=…)` here and in PyTorch, the decay is divided by Adam's root as well, and the weight with large gradients hardly decays: {{ added[1]:.2f}} is left of it, and {{ added[0]:.2f}} of the other. Decoupled, both decay alike, to {{ apart[0]:.2f}}; that is `AdamW` ([@loshchilov2019]), which the package has too, and the last line compares it with PyTorch's. With plain SGD the two are the same step, which is why the confusion is so common.
#
# ## In five lines
#
# - An optimiser decides how far to go: SGD by the gradient, momentum by its sum, Adam by its size.
# - Beyond a rate of 2 divided by the curvature a step does harm; just below it the walk swings.
# - Momentum adds up what points the same way, and cancels what changes sign.
# - Adam gives each element a step of its own, and needs its correction in the first steps.
# - On these data the learning rate decides far more than the choice of the optimiser: tune it first.
#
# ## Try it

# %% tags=["remove-cell"]
many = 20_000
theta = np.zeros(many)
optimizer = SGD({"theta": theta}, 0.5)
for _ in range(60):
    optimizer.step({"theta": theta + rng.standard_normal(many)})
floor = float(theta.var())
assert abs(floor - 1 / 3) < 0.02
steep = walk(lambda params: SGD(params, 2 / 9), 50)
assert np.allclose(np.abs(steep[:, 1]), 4)
for kind in (SGD, Adam):  # question 3
    net, other = (two_layer_net(4, 10, 3, rng=np.random.default_rng(SEED)) for _ in range(2))
    one, two = kind(net.params, 0.01), kind(other.params, 1e-5 if kind is SGD else 0.01)
    for _ in range(20):
        one.step(loss_and_grads(net)[1])
        two.step({key: 1000 * g for key, g in loss_and_grads(other)[1].items()})
    assert np.abs(flat(net.params) - flat(other.params)).max() < 1e-4
imitation = walk(lambda params: Adam(params, 1e6 / 3, betas=(1 / 4, 0.999), eps=1e6), 60)
assert np.allclose(imitation[1], [8, -8], rtol=1e-4)
pair = imitation[2:-1], imitation[3:]  # from step 3 on, momentum's rule with the same pair
v = (pair[0][:-1] - pair[0][1:]) * 4  # the velocity that led to each point
ours = pair[0][1:] - (v / 4 + pair[0][1:] * [1, 9]) / 4
error = np.abs(ours - pair[1][1:]).max(axis=1) / np.abs(pair[0][:-1]).max(axis=1)
assert error.max() < 0.1 and error[5:].max() < 1e-3
assert height(imitation[-1]) < 1e-20

# %% [markdown]
# ??? question "1. The steepest curvature of a loss is 50. Which learning rates converge with plain descent? With momentum 0.9?"
#     Below $2/50 = 0.04$. With momentum below $2(1 + 0.9)/50 = 0.076$. The flat directions have no say in this; they decide only how long it takes.
#
# ??? question "2. What happens in the valley at exactly $\eta = 2/9$?"
#     Across, the factor is $1 - 9\cdot\tfrac29 = -1$: the walk jumps between 4 and −4 for ever, while it creeps to 0 along the valley. The build walks fifty steps of it.
#
# ??? question "3. You multiply the loss by 1,000. What must you change with SGD, and what with Adam?"
#     SGD: divide the learning rate by 1,000, since all gradients are a thousand times as large. Adam: nothing, as long as $\varepsilon$ stays small beside $|g|$, since $m$ and the root of $v$ grow alike.
#
# ??? question "4. On $\tfrac12\theta^2$ each gradient has noise of variance 1. Where does SGD with $\eta = \tfrac12$ end?"
#     Nowhere: it wanders. The variance $V$ of $\theta$ obeys $V' = (1 - \eta)^2 V + \eta^2$, and stays the same where $V = \eta/(2 - \eta)$, here $\tfrac13$. The build lets {{ many:,}} walks run: {{ floor:.3f}}. For small $\eta$ the floor is $\eta/2$, so half the rate gives half the floor, and takes twice the time to get there.
#
# ??? question "5. For the notebook: walk the opening valley with `Adam(params, 1e6 / 3, betas=(1 / 4, 0.999), eps=1e6)`. Whose path do you nearly get, and where does it differ?"
#     Momentum's. The root of $v$ is small beside $\varepsilon$, so each step is $\eta/\varepsilon = \tfrac13$ times $\hat m$. And $m$, with its factor $1 - \beta_1$, is $\tfrac34$ of SGD's velocity, so that makes $\tfrac14$ of it. Only the correction is left over: it makes the first step $\tfrac43$ as long, to $(8, -8)$, the second $\tfrac{16}{15}$, and then hardly matters. This is what it means that Adam *contains* momentum.

# %% tags=["remove-input"]
from nn_tutorial.pages.exercise_boxes import show_exercises

show_exercises("sgd_momentum", "adam")

# %% [markdown]
# ## Sources
#
# - Robbins and Monro (1951), *A stochastic approximation method*, Annals of Mathematical Statistics: descent on noisy gradients.
# - Polyak (1964), *Some methods of speeding up the convergence of iteration methods*, USSR Computational Mathematics and Mathematical Physics: momentum, and its best rate.
# - Sutskever, Martens, Dahl and Hinton (2013), *On the importance of initialization and momentum in deep learning*, ICML: momentum in networks.
# - Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR: Adam and its correction.
# - Goh (2017), *Why momentum really works*, Distill: the eigenvalues as pictures.
# - Loshchilov and Hutter (2019), *Decoupled weight decay regularization*, ICLR: AdamW.
# - Choi, Shallue, Nado, Lee, Maddison and Dahl (2019), *On empirical comparisons of optimizers for deep learning*, arXiv:1910.05446: the more general optimiser does not lose if all is tuned.
# - Cohen, Kaur, Li, Kolter and Talwalkar (2021), *Gradient descent on neural networks typically occurs at the edge of stability*, ICLR.
# - Schmidt, Schneider and Hennig (2021), *Descending through a crowded valley: benchmarking deep learning optimizers*, ICML: fifteen optimisers on eight tasks.
