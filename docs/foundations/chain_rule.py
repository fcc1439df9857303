# ---
# title: Backpropagation by hand
# description: Every value of a computation sends its gradient back along the edges it came by; six operations, worked with a pencil, show all there is to it.
# tags:
#   - foundations
# ---

# %% [markdown]
# # Backpropagation by hand
#
# A network is a long chain of small operations, and to train it you need to know how its loss reacts to each of its numbers. Backpropagation finds all of these reactions in one walk from the end to the beginning. On this page you will do that walk with a pencil, see the one place where it most easily goes wrong, and then write it in some twenty-five lines that agree with PyTorch.
#
# You need to know what a derivative is, and how to read [the symbols of this book](notation.md).

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import torch

from nn_tutorial import Linear, ReLU, digits, he_normal, linear, linear_backward
from nn_tutorial.pages.show import power
from nn_tutorial.verify.equations import Equation
from nn_tutorial.pages.plots import COLORS, show, use_style

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

# Forward, then backward, one operation per line. The sections below explain each.
x, w, b, t = 2.0, 3.0, -4.0, 1.0
a = w * x
s = a + b
r = max(s, 0.0)
y = x + r
d = y - t
L = d**2 / 2

dloss = 1.0
dd = dloss * d
dy = dd
dr = dy
ds = dr * (s > 0)
da, db = ds, ds
dw = da * x
dx = dy + da * w

# %% tags=["hide-input"]
height = {"×": 6, "+": 5, "relu": 4, "+ ": 3, "−": 2, "½( )²": 1}


def edge(ax, start, end, value, gradient, bend=0.0, label=None):
    """An arrow with its value on the left, in blue, and its gradient on the right."""
    ax.annotate("", end, start, arrowprops={
        "arrowstyle": "->", "color": COLORS["muted"], "shrinkA": 0, "shrinkB": 13,
        "connectionstyle": f"arc3,rad={bend}"})
    middle = label or ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    for shift, text, side, color in ((-0.1, value, "right", "blue"),
                                     (0.1, gradient, "left", "orange")):
        ax.text(middle[0] + shift, middle[1], text.replace("-", "−"), ha=side, va="center",
                color=COLORS[color], fontweight="bold", fontsize=11)


fig, ax = plt.subplots(figsize=(4.8, 6.3))
for name, at in height.items():
    ax.text(0, at, name.strip(), ha="center", va="center", fontsize=10, bbox={
        "boxstyle": "round,pad=0.35", "facecolor": "none", "edgecolor": COLORS["muted"]})
down = [(6, 5, a, da, "a"), (5, 4, s, ds, "s"), (4, 3, r, dr, "r"), (3, 2, y, dy, "y"),
        (2, 1, d, dd, "d")]
for top, bottom, value, gradient, name in down:
    edge(ax, (0, top - 0.22), (0, bottom + 0.02), f"{name} = {value:g}", f"{gradient:g}")
edge(ax, (0, 0.78), (0, -0.02), f"L = {L:g}", f"{dloss:g}")
edge(ax, (0, 7), (0, 6.02), f"x = {x:g}", f"{da * w:g}")
edge(ax, (-1.9, 6), (-0.02, 6), "", "", label=(-1.2, 6.2))
ax.text(-1.95, 6, f"w = {w:g}", ha="right", va="center", color=COLORS["blue"], weight="bold")
ax.text(-1.1, 6.07, f"{dw:g}", ha="center", va="bottom", color=COLORS["orange"], weight="bold")
for name, at, value, gradient in (("b", 5, b, db), ("t", 2, t, -dd)):
    ax.annotate("", (0, at), (-1.9, at), arrowprops={
        "arrowstyle": "->", "color": COLORS["muted"], "shrinkA": 0, "shrinkB": 13})
    ax.text(-1.95, at, f"{name} = {value:g}".replace("-", "−"), ha="right", va="center",
            color=COLORS["blue"], weight="bold")
    ax.text(-1.1, at + 0.07, f"{gradient:g}".replace("-", "−"), ha="center", va="bottom",
            color=COLORS["orange"], weight="bold")
ax.plot([0, 1.75, 1.75], [7, 6.6, 3.4], color=COLORS["muted"], linewidth=1)
ax.annotate("", (0.02, 3), (1.75, 3.4), arrowprops={
    "arrowstyle": "->", "color": COLORS["muted"], "shrinkA": 0, "shrinkB": 13})
ax.text(1.65, 5, f"x = {x:g}", ha="right", va="center", color=COLORS["blue"], weight="bold")
ax.text(1.85, 5, f"{dy:g}", ha="left", va="center", color=COLORS["orange"], weight="bold")
ax.text(0, 7.12, f"x = {x:g},  ∂L/∂x = {dy:g} + {da * w:g} = {dx:g}", ha="center", va="bottom",
        fontsize=11)
ax.set(xlim=(-2.9, 2.4), ylim=(-0.1, 7.5))
ax.axis("off")
show(
    fig,
    name="graph",
    live="graph",
    alt=(
        "A graph of six operations from top to bottom: multiply x by w, add b, ReLU, add x "
        "again, subtract t, halve the square. Each edge has its value and its gradient. The input "
        f"x leaves by two edges, whose gradients {dy:g} and {da * w:g} add up to {dx:g}."
    ),
    caption=(
        "Six operations. On each edge the value that flows down, left and blue, and the gradient "
        "that flows up, right and orange (on the edges from $w$, $b$ and $t$: above the line). "
        "At the top, $x$ is used twice, and its two gradients add up. Where your browser runs "
        "scripts, you can take the walk one step at a time, and change the inputs."
    ),
)

# %% [markdown]
# ## Every number has a name
#
# The graph is the smallest network that holds a surprise: one linear unit with a ReLU, whose input is added to its output (a *skip connection*, the building block of [@he2016]). All symbols are single numbers here; at the end of the page they become arrays.
#
# | Symbol | In code | Value | Meaning |
# |---|---|---|---|
# | $x$, $t$ | `x`, `t` | {{ x:g}}, {{ t:g}} | input and target |
# | $w$, $b$ | `w`, `b` | {{ w:g}}, ${{ b:g}}$ | weight and bias, to be learnt |
# | $a = wx$ | `a` | {{ a:g}} | the product |
# | $s = a + b$ | `s` | {{ s:g}} | the unit's input |
# | $r = \max(s, 0)$ | `r` | {{ r:g}} | its output |
# | $y = x + r$ | `y` | {{ y:g}} | the prediction |
# | $d = y - t$ | `d` | {{ d:g}} | how far it is off |
# | $L = \tfrac12 d^2$ | `L` | {{ L:g}} | the loss |
#
# $\partial L/\partial w$, in code `dw`, is a number that belongs to $w$. It answers one question: if $w$ rose by a tiny amount, by how many times that amount would $L$ rise?
#
# ## One operation knows only its own slope
#
# Start at the end. $L = \tfrac12 d^2$ has slope $d$: at $d = 3$, a tiny rise of $d$ makes $L$ rise three times as much.
#
# $$\frac{\partial L}{\partial d} = d = 3$$
#
# One step further up, $d = y - t$. If $y$ rises by $\epsilon$, so does $d$, and then $L$ rises by $3\epsilon$. If $t$ rises by $\epsilon$, $d$ *falls* by $\epsilon$. So the gradient of $y$ is $3 \cdot 1$ and that of $t$ is $3 \cdot (-1)$: the upstream gradient, times the slope of this one operation. That is the **chain rule**:
#
# $$\frac{\partial L}{\partial \text{input}} = \frac{\partial L}{\partial \text{output}} \cdot \frac{\partial\,\text{output}}{\partial\,\text{input}}$$
#
# The first factor comes from above and holds all that the rest of the network does. The second is local: an operation can compute it without knowing what the network is. There are four kinds of operation here, and these are their slopes:
#
# | Operation | Slope for the first input | Slope for the second |
# |---|---|---|
# | $a = w \cdot x$ | $\partial a/\partial w = x$ | $\partial a/\partial x = w$ |
# | $s = a + b$ | 1 | 1 |
# | $r = \max(s, 0)$ | $[s > 0]$ | |
# | $L = \tfrac12 d^2$ | $d$ | |
#
# A sum hands its gradient to both sides unchanged. A product hands to each side its gradient times the *other* side's value, which is why the values of the forward walk have to be kept. A [ReLU](../layers/relu.py) lets its gradient through or stops it.
#
# ## Where two roads meet, gradients add
#
# Now $x$. It is used twice: in the product, and in the sum further down. So which of the two gradients is the right one? Neither.
#
# Let $x$ rise by a tiny $\epsilon$. Along the short road $y$ rises by $\epsilon$. Along the long road $a$ rises by $w\epsilon = 3\epsilon$, so do $s$ and $r$, and $y$ rises by $3\epsilon$ once more. Both happen, so $y$ rises by $4\epsilon$. The contributions **add**:
#
# $$\frac{\partial L}{\partial x} = \underbrace{\frac{\partial L}{\partial y}}_{\text{short road: } 3} + \underbrace{\frac{\partial L}{\partial a}\, w}_{\text{long road: } 9} = 12$$
#
# This is the whole rule. With $y_1, y_2, \dots$ for everything that uses $x$ directly:
#
# $$\boxed{\frac{\partial L}{\partial x} = \sum_{k} \frac{\partial L}{\partial y_k}\,\frac{\partial y_k}{\partial x}}$$
#
# It also fixes the order. The gradient of $x$ is complete only when *every* user of $x$ has reported, so you walk backwards through the order in which the values were made. No operation is visited twice.
#
# ## The whole walk
#
# | Step back through | Gradients that come out |
# |---|---|
# | $L = \tfrac12 d^2$ | $\partial L/\partial d = d =$ {{ dd:g}} |
# | $d = y - t$ | $\partial L/\partial y =$ {{ dy:g}}, $\;\partial L/\partial t =$ ${{ -dd:g}}$ |
# | $y = x + r$ | $\partial L/\partial r =$ {{ dr:g}}, and {{ dy:g}} on the short road to $x$ |
# | $r = \max(s, 0)$ | $\partial L/\partial s = 3 \cdot [2 > 0] =$ {{ ds:g}} |
# | $s = a + b$ | $\partial L/\partial a =$ {{ da:g}}, $\;\partial L/\partial b =$ {{ db:g}} |
# | $a = wx$ | $\partial L/\partial w = 3 \cdot 2 =$ {{ dw:g}}, and $3 \cdot 3 =$ {{ da * w:g}} on the long road to $x$ |
# | $x$ | $\partial L/\partial x = 3 + 9 =$ {{ dx:g}} |
#
# The first cell of this page is the same walk in code, one line per operation: `dw = da * x`, `dx = dy + da * w`. The numbers in the table and in the figure come from it. So that nothing depends on our arithmetic, here are the forward and backward passes once more as [equations that run](../verify/checks.py), and each must give the same number:

# %%
named = {"x": x, "w": w, "b": b, "t": t, "a": a, "s": s, "r": r, "y": y, "d": d}
named |= {"dd": dd, "dy": dy, "dr": dr, "ds": ds, "da": da, "dw": dw, "db": db}
lines = [
    "y = x + (w*x + b) * (w*x + b > 0)",
    "ds = (y - t) * (s > 0)",
    "dw = ds * x",
    "db = ds",
    "dx = dy + ds * w",
]
for line in lines:
    equation = Equation(line)
    assert equation(named) == {"dx": dx, **named}[equation.name], line

# %% [markdown]
# Finite differences know nothing of any rule: raise one input by $h$, lower it by $h$, and see what the loss does.

# %%
def loss(x, w, b, t):
    return (x + max(w * x + b, 0.0) - t) ** 2 / 2


inputs, h = np.array([x, w, b, t]), 1e-6
differences = [
    (loss(*(inputs + step)) - loss(*(inputs - step))) / (2 * h)
    for step in h * np.eye(4)
]
by_hand = [dx, dw, db, -dd]
apart = np.abs(np.subtract(differences, by_hand)).max()
print("by hand:    ", *(f"{value:6g}" for value in by_hand))
print("differences:", *(f"{value:6.2f}" for value in differences))
assert apart < 1e-8

# %% [markdown]
# ## The walk as a program
#
# If each value remembers what it was made from, and its slope for each of those, a program can do the walk for *any* graph. That is all that "automatic differentiation" means. Each value below keeps a list of pairs, `(parent, slope)`.


# %%
class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = data, parents, 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def relu(self):
        return Value(max(self.data, 0.0), [(self, float(self.data > 0))])

    def backward(self):
        self.grad = 1.0
        for value in reversed(made_in_order(self)):
            for parent, slope in value.parents:
                parent.grad += value.grad * slope  # every road counts


def made_in_order(value, seen=None):
    """All values below this one, each after its parents."""
    seen = set() if seen is None else seen
    if value in seen:
        return []
    seen.add(value)
    before = [v for parent, _ in value.parents for v in made_in_order(parent, seen)]
    return [*before, value]


# %% [markdown]
# `+=` is the sum in the box; `reversed(made_in_order(...))` is the walk. On our graph:

# %%
X, W, B, T = (Value(number) for number in (x, w, b, t))
minus, half = Value(-1.0), Value(0.5)
D = X + (W * X + B).relu() + minus * T
loss_value = half * (D * D)
loss_value.backward()
found = [v.grad for v in (X, W, B, T)]
print("the program:", *(f"{value:6g}" for value in found))
assert loss_value.data == L and found == by_hand

# %% [markdown]
# `D * D` uses one value twice: its two slopes are $d$ and $d$, they add to $2d$, and the half makes it $d$. The rule for squares came out of the rule for products.
#
# ## Evidence: graphs that nobody chose
#
# One graph proves little. So here are three hundred, drawn at random: each operation picks its inputs from all values made so far, so many of them are used several times. PyTorch builds the same graphs.

# %%
def random_graph(rng, leaves, operations):
    """Apply the same random operations to any kind of numbers; return the last value."""
    values, log = list(leaves), []
    for _ in range(operations):
        kind = rng.integers(3)
        i, j = rng.integers(len(values), size=2)
        made = values[i] + values[j] if kind == 0 else values[i] * values[j]
        values.append(made if kind < 2 else values[i].relu())
        log.append((i, j) if kind < 2 else (i,))
    total = values[0]
    for value in values[1:]:
        total = total + value  # so that every value matters
    return total, log


worst, reused, edges = 0.0, 0, 0
for seed in range(300):
    start = np.random.default_rng(seed).uniform(-1, 1, 4)
    ours = [Value(float(number)) for number in start]
    top, log = random_graph(np.random.default_rng(seed), ours, 12)
    top.backward()
    theirs = [torch.tensor(number, requires_grad=True) for number in start]
    random_graph(np.random.default_rng(seed), theirs, 12)[0].backward()
    grads = np.array([value.grad for value in ours])
    wanted = np.array([value.grad.item() for value in theirs])
    worst = max(worst, np.max(np.abs(grads - wanted) / np.maximum(1, np.abs(wanted))))
    picked = [i for pair in log for i in pair]
    edges += len(picked)
    reused += len(picked) - len(set(picked))
print(f"PyTorch differs by at most {worst:.0e}")
assert worst < 1e-12

# %% [markdown]
# In these graphs {{ reused }} of {{ edges }} uses were of a value that had been used before, so the sum over roads was put to the test.
#
# ## From numbers to arrays: what does not change, and what must not be built
#
# Replace each number by an array, and each operation by a layer. The rule stays the same; the slope becomes a **Jacobian**, a table with a row for each output and a column for each input. Take [a linear layer](../layers/linear.py) with $N = 5$ examples, $D = 3$ inputs and $K = 7$ outputs:

# %%
N, features, K = 5, 3, 7
draw = rng.standard_normal
arrays = draw((N, features)), draw((features, K)), draw(K)
out, cache = linear(*arrays)
upstream = draw(out.shape)
layer_dx = linear_backward(upstream, cache)[0]

jacobian = np.zeros((N, K, N, features))
for n in range(N):
    jacobian[n, :, n, :] = arrays[1].T  # an example's outputs see its own inputs alone
slow_dx = np.einsum("nk,nkmd->md", upstream, jacobian)

apart = np.abs(slow_dx - layer_dx).max()
print(f"{jacobian.size} slopes, {np.count_nonzero(jacobian)} of them not 0")
print(f"largest difference: {apart:.0e}")
assert apart < 1e-14

# %% [markdown]
# The chain rule with the table and the layer's `dy @ weight.T` give the same gradient. But the table has {{ jacobian.size }} entries for {{ out.size }} outputs; for a batch of 64 between two layers of 1,000 units it would have $64^2 \cdot 1000^2$, four billion. So no layer in this book builds it. **A backward pass is the product of the upstream gradient with a Jacobian that is never written down**, a *vector-Jacobian product*. Each derivation in this book looks for a short form of that product; [Autograd from scratch](../networks/autograd.py) writes the walk that puts them together.
#
# ## Why backwards?
#
# The chain rule can be walked the other way as well: start with one input, carry along how every later value reacts to it, until you reach the loss. That gives *one* derivative per walk. The backward walk gives all of them. Count the multiplications by a slope that each way does in two full linear layers with $D$ inputs, $D$ units each, and one output: $2D^2 + D$ weights in all. A walk that begins at one weight multiplies only along the roads that lead on from it. A multiplication by 1, the slope of a sum, counts on neither side.

# %% tags=["hide-input"]
widths = [1, 2, 4, 8, 16]


def two_full_layers(width):
    """Return the loss and all weights of two layers of linear units, and a unit on top."""
    draw = np.random.default_rng(width)
    units, weights = [Value(v) for v in draw.uniform(-1, 1, width)], []
    for outputs in (width, width, 1):
        rows = [[Value(v) for v in draw.uniform(-1, 1, len(units))] for _ in range(outputs)]
        below, units = units, []
        for row in rows:
            terms = [weight * unit for weight, unit in zip(row, below, strict=True)]
            units.append(sum(terms[1:], terms[0]))
        weights += [weight for row in rows for weight in row]
    return Value(0.5) * (units[0] * units[0]), weights


def forward_walk(order, start):
    """Return the derivative of the last value with respect to one, and the multiplications."""
    rates, multiplied = {start: 1.0}, 0
    for value in order:
        live = [(rates[parent], slope) for parent, slope in value.parents if parent in rates]
        if live:
            rates[value] = sum(rate * slope for rate, slope in live)
            multiplied += sum(slope != 1 for _, slope in live)
    return rates[order[-1]], multiplied


def multiplications(width):
    """Those of one backward walk, and of a forward walk per weight; and the number of weights."""
    top, weights = two_full_layers(width)
    order = made_in_order(top)
    top.backward()
    walks = [forward_walk(order, weight) for weight in weights]
    assert np.allclose([rate for rate, _ in walks], [weight.grad for weight in weights])
    backward = sum(slope != 1 for value in order for _, slope in value.parents)
    return len(weights), backward, sum(multiplied for _, multiplied in walks)


sizes, backward_cost, forward_cost = zip(*map(multiplications, widths), strict=True)
fig, ax = plt.subplots(figsize=(4.8, 3.2))
for cost, color, marker, text, place, side in (
    (forward_cost, "orange", "s", "forward: one walk per weight", (3, 1.5), ("right", "bottom")),
    (backward_cost, "blue", "o", "backward: one walk", (2, 0.6), ("left", "top")),
):
    ax.plot(sizes, cost, marker + "-", color=COLORS[color], markersize=4)
    ax.text(sizes[place[0]], cost[place[0]] * place[1], text, color=COLORS[color], ha=side[0], va=side[1])
ax.set(xscale="log", yscale="log", xlabel="number of weights", ylabel="multiplications by a slope",
       title="All gradients in one walk")
grown = [cost[-1] / cost[2] for cost in (sizes, backward_cost, forward_cost)]
show(
    fig,
    name="forward-against-backward",
    alt=(
        f"Two rising lines on logarithmic axes. With {sizes[-1]} weights the forward walks take "
        f"{forward_cost[-1]:,} multiplications, the backward walk {backward_cost[-1]:,}."
    ),
    caption=(
        f"How many multiplications by a slope it takes to get the gradient of every weight. From "
        f"{sizes[2]} to {sizes[-1]} weights, {grown[0]:.0f} times as many, the backward walk grows "
        f"{grown[1]:.0f}-fold and the forward walks {grown[2]:.0f}-fold."
    ),
)


def formulas(width):
    """What `multiplications` should count."""
    return 2 * width**2 + width, 4 * width**2 + 2 * width + 4, 2 * width**3 + 9 * width**2 + 4 * width


assert [formulas(width) for width in widths] == [*zip(sizes, backward_cost, forward_cost, strict=True)]
_, back, forth = formulas(1000)

# %% [markdown]
# With {{ sizes[-1] }} weights that is {{ f"{forward_cost[-1]:,}" }} multiplications against {{ f"{backward_cost[-1]:,}" }}. The difference comes from the first layer: each of its $D^2$ weights has a walk through every unit of the second, $2D + 4$ multiplications. In all the forward walks take $2D^3 + 9D^2 + 4D$ and the backward walk $4D^2 + 2D + 4$; with 1,000 units the first is about {{ f"{round(forth / back, -2):.0f}" }} times the second. A network has millions of weights and one loss. That is the whole reason for going backwards. The price is memory: every value of the forward walk has to be kept until the backward walk has passed it. (With many outputs and one input it is the other way round; see [@griewank2008].)
#
# ## Five ways to get it wrong
#
# The first four are slips in the walk, and each of them runs.

# %%
def walk(order, *, add=True, reset=True, slope_of=lambda value, slope: slope):
    """The backward walk with one thing changed."""
    if reset:
        for value in order:
            value.grad = 0.0
    order[-1].grad = 1.0
    for value in reversed(order):
        for parent, slope in value.parents:
            step = value.grad * slope_of(value, slope)
            parent.grad = parent.grad + step if add else step
    return [v.grad for v in (X, W, B, T)]


order = made_in_order(loss_value)
assert walk(order) == by_hand
shuffled = [value for value in order if value is not D]
shuffled.insert(shuffled.index(X) + 1, D)  # D is walked last, before its users have reported
slips = {
    "right": walk(order),
    "overwritten": walk(order, add=False),
    "not reset": walk(order, reset=False),
    "too late": walk(shuffled),
    "no upstream": walk(order, slope_of=lambda v, s: s / v.grad if v.grad else s),
}
print(f"{'':<11}", *(f"{name:>5}" for name in "xwbt"))
for name, grads in slips.items():
    print(f"{name:<11}", *(f"{grad:5g}" for grad in grads))
wrong_ones = [grads for name, grads in slips.items() if name != "right"]
assert all(grads != by_hand for grads in wrong_ones)

# %% [markdown]
# One row per slip, one column per input.
#
# - **Overwritten.** `=` instead of `+=`. The gradient of $x$ is that of one road. Every gradient behind `D * D` is halved, since the square is a product of a value with itself. Nothing warns you: every sign is right.
# - **Not reset.** A second walk begins without the gradients being set to 0. Those of the first walk are still there, and what is added to them is larger still, because the values in between have kept theirs too. This is what PyTorch does when `zero_grad` is forgotten, except that it keeps gradients for weights alone. Here a backward pass returns new arrays and there is nothing to reset.
# - **Too late.** `D` hands on its gradient after the values that wait for it have had their turn, so they get nothing. This is why the order matters.
# - **No upstream.** Each operation returns its own slope and forgets the upstream gradient.
#
# Differences find all four, because each wrong row is far from theirs. The fifth slip cannot be seen in the walk at all: **a value that is changed after it has been used.** The slope of a product is the other factor's value *at that time*.

# %%
values = np.array([2.0, 3.0])
slope_view = values  # no copy: the cache and the input are one array
product = values[0] * values[1]
values *= 10  # later, somebody normalises in place
print(f"slope to the first factor: {slope_view[1]:g}, it should be 3")
assert slope_view[1] != 3.0

# %% [markdown]
# ## What a skip connection does to the gradient
#
# The sum of two roads is more than bookkeeping. Follow the slope of $y = x + r$ with respect to $x$: it is $1 + w[s > 0]$. Without the short road it would be $w[s > 0]$ alone. Stack thirty such layers, and the slopes multiply.
#
# **The question.** How much gradient is left at the first of many layers, with and without the short road?
#
# **A prediction.** Without it, what is left is a product of thirty factors, and a product of many factors that are a bit too small goes to 0. With it, each factor is 1 plus something, so the gradient should not vanish. It might grow.
#
# The inputs are real: 200 of the handwritten digits. Each of the thirty layers is linear with a ReLU and 64 units wide. The weights are as [He and others (2015)](@he2015) advise, times one of three factors $g$, with five seeds.

# %% tags=["hide-input"]
data = digits(seed=SEED)
images = (data.x_train[:200].reshape(200, -1) - data.x_train.mean()) / data.x_train.std()
depth, gains, seeds = 30, [0.5, 0.8, 1.0], range(5)
rectify = ReLU()


def gradient_norms(skip, gain, seed):
    """Length of the gradient at the input of each layer, from the last to the first."""
    draw = np.random.default_rng(seed)

    def smaller(shape, *, rng, dtype):
        return (gain * he_normal(shape, rng=rng, dtype=dtype)).astype(dtype)

    layers = [Linear(64, 64, rng=draw, init=smaller) for _ in range(depth)]
    value, caches = images, []
    for layer in layers:
        inner, cache = layer.forward(value)
        bent, mask = rectify.forward(inner)
        caches.append((cache, mask))
        value = value + bent if skip else bent
    grad = draw.standard_normal(value.shape).astype(np.float32)
    start, norms = np.linalg.norm(grad), []
    for layer, (cache, mask) in zip(reversed(layers), reversed(caches), strict=True):
        back, _ = rectify.backward(grad, mask)
        long_road, _ = layer.backward(back, cache)
        grad = grad + long_road if skip else long_road
        norms.append(np.linalg.norm(grad) / start)
    return norms


norms = {
    (skip, gain): np.array([gradient_norms(skip, gain, seed) for seed in seeds])
    for skip in (False, True)
    for gain in gains
}

# %% tags=["hide-input"]
fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 5.6), sharex=True)
walked = np.arange(1, depth + 1)
for ax, skip, title in (
    (upper, False, "Plain: the gradient dies unless g is right"),
    (lower, True, "With the short road: it never dies, it grows"),
):
    for gain, color, style in zip(gains, ("blue", "orange", "green"), ("-", "--", ":"), strict=True):
        runs = norms[skip, gain]
        ax.plot(walked, runs.mean(0), style, color=COLORS[color])
        ax.fill_between(walked, runs.min(0), runs.max(0), color=COLORS[color], alpha=0.2, linewidth=0)
        ax.annotate(f"g = {gain:g}", (walked[-1], runs.mean(0)[-1]), (4, 0), va="center",
                    textcoords="offset points", color=COLORS[color], annotation_clip=False)
    ax.set(title=title, ylabel="length, relative", yscale="log", xlim=(1, depth))
lower.set_xlabel("layers walked back")
show(
    fig,
    name="skip-gradient",
    alt=(
        f"Length of the gradient against layers walked back. Plain: after {depth} layers "
        f"{norms[False, 0.5][:, -1].mean():.0e} at g = 0.5 and {norms[False, 1.0][:, -1].mean():.1g} "
        f"at g = 1. With skip connections: {norms[True, 0.5][:, -1].mean():.3g} at 0.5 and "
        f"{norms[True, 1.0][:, -1].mean():.0e} at 1."
    ),
    caption=(
        "How long the gradient is after each layer, relative to the upstream gradient at the top; "
        "lines are means over five seeds, bands reach from the smallest to the largest. The "
        "scales of the two plots differ: the upper one runs down from about 1, the lower one up."
    ),
)
plain, skipped = norms[False, 0.5][:, -1], norms[True, 0.5][:, -1]
assert plain.max() < 1e-6 and skipped.min() > 1
assert all(norms[True, gain][:, -1].min() > 1 for gain in gains)
assert norms[True, 1.0][:, -1].min() > 1000

# %% [markdown]
# **The verdict.** Both halves of the prediction hold. With $g = 0.5$ the plain stack leaves ${{ power(plain.mean()) }}$ of the gradient; with skip connections the same weights make it {{ skipped.mean():.0f}} times as long. And the warning was right too: at $g = 1$, where the plain stack keeps {{ norms[False, 1.0][:, -1].mean():.2g}} of it, the one with short roads multiplies it by ${{ power(norms[True, 1.0][:, -1].mean()) }}$. A road that adds must be paired with smaller weights or with [normalisation](../layers/batch_norm.py), and in practice it is.
#
# **What this does not show.** These networks are not trained: it is the gradient at the start. Whether a larger gradient helps learning is another experiment, and [a chapter of its own](../layers/linear.py) says how weights should begin.
#
# ## In five lines
#
# - Each operation knows only its own slope; the upstream gradient is multiplied by it and passed on.
# - A value that is used more than once adds up the gradients of all its uses.
# - So you walk backwards through the order in which the values were made, and visit no operation twice.
# - One such walk gives the gradient of every parameter; its price is the memory for the values on the way.
# - With arrays the rule stays the same, and no Jacobian is ever built.
#
# ## Try it
#
# ??? question "1. What is the gradient of $L$ with respect to $L$?"
#     It is 1: a rise of $L$ is a rise of $L$. The walk begins with this number.
#
# ??? question "2. With a pencil: let $b = -7$ and leave the rest as it is. What is each gradient?"
#     Now $s = -1$, the ReLU is shut, $r = 0$ and $y = 2$, so $d = 1$. The gradients of $s$, $a$, $b$ and $w$ are 0, and only the short road is left: $\partial L/\partial x = 1$.
#
# ??? question "3. A weight is used in two places of a network (it is *shared*). What is its gradient?"
#     The sum of the two gradients it would have as two separate weights. A convolution's kernel is such a weight: it is used at every position of the image.
#
# ??? question "4. You double the loss. What happens to the gradients?"
#     All of them double, since the walk begins with 2 instead of 1 and is otherwise the same. This is why the loss is a *mean* over the batch: with a sum, the gradients would grow with the batch.
#
# ??? question "5. For the notebook: give `Value` an `exp`. Which slope does it keep?"
#     Its own output: the slope of $e^s$ is $e^s$. Compute `out = np.exp(self.data)` and return `Value(out, [(self, out)])`. Then check a graph that uses it against differences, as above.
#
# ## Sources
#
# - Linnainmaa (1976), *Taylor expansion of the accumulated rounding error*, BIT: the backward walk through a computation, from his thesis of 1970.
# - Rumelhart, Hinton and Williams (1986), *Learning representations by back-propagating errors*, Nature: the walk, used to train networks.
# - Griewank and Walther (2008), *Evaluating derivatives: principles and techniques of algorithmic differentiation*, SIAM: forward and backward, and what each costs.
# - Baydin, Pearlmutter, Radul and Siskind (2018), *Automatic differentiation in machine learning: a survey*, Journal of Machine Learning Research.
# - He, Zhang, Ren and Sun (2015), *Delving deep into rectifiers: surpassing human-level performance on ImageNet classification*, ICCV, and (2016), *Deep residual learning for image recognition*, CVPR: the size of the first weights, and skip connections.
