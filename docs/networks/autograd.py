# ---
# title: Autograd from scratch
# description: A tape and one walk back along it find the gradient of any program of arrays; derived from the chain rule, checked against PyTorch, and let loose on the layers that this book derived with a pencil.
# tags:
#   - networks
# ---

# %% [markdown]
# # Autograd from scratch
#
# Every backward pass of this book so far was derived with a pencil, layer by layer, and a new layer would need a new derivation. Here you build the program that ends this: it writes down what your forward pass does, walks back along what it wrote, and by the end of the page it has found eight of those backward passes by itself, equal to ours up to rounding.
#
# You need [backpropagation by hand](../foundations/chain_rule.py), whose program for single numbers this page extends to arrays, [the fully connected layer](../layers/linear.py), and [the two-layer network on Iris](iris.py).

# %% tags=["hide-input"]
import inspect
from collections import Counter
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from matplotlib.patches import FancyArrowPatch, Rectangle

import nn_tutorial
from nn_tutorial import (
    SGD,
    GradientError,
    Variable,
    differentiable,
    digits,
    evaluate,
    gradient_check,
    gradients,
    iris,
    operation,
    small_cnn,
    softmax_cross_entropy,
    tape,
    two_layer_net,
)
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style
from nn_tutorial.pages.show import certificate_figure, power
from nn_tutorial.pytorch.equivalents import equivalent, oracle
from nn_tutorial.training import autograd
from nn_tutorial.verify import programs
from nn_tutorial.verify.agreement import agree
from nn_tutorial.verify.certificates import certify
from nn_tutorial.verify.equations import Derivation, Equation
from nn_tutorial.verify.random_graphs import LAYERS, leaves, random_graph
from nn_tutorial.verify.theories import THEORIES

SEED = 0
use_style()
rng = np.random.default_rng(SEED)

X = np.array([[1.0, 2.0], [3.0, -1.0]])
b = np.array([1.0, -2.0])
S = X + b
Q = S * X
L = Q.sum()

dq = np.ones((2, 2))
ds = dq * X
dx = dq * S + ds
db = ds.sum(0)

# %% tags=["remove-input"]
def grid(ax, values, left, middle, color):
    """A small matrix as cells, centred on a height."""
    table = np.atleast_2d(values)
    rows = len(table)
    for (i, j), value in np.ndenumerate(table):
        corner = left + 0.62 * j, middle + 0.46 * (rows / 2 - 1 - i)
        ax.add_patch(Rectangle(corner, 0.62, 0.46, fill=False, edgecolor=COLORS["muted"], linewidth=0.8))
        ax.text(corner[0] + 0.31, corner[1] + 0.23, f"{value:g}".replace("-", "−"), ha="center",
                va="center", color=COLORS[color], fontweight="bold")


fig, ax = plt.subplots(figsize=(5.2, 5.3))
entries = [("X", X, dx), ("b", b, db), ("S = X + b", S, ds), ("Q = S ⊙ X", Q, dq),
           ("L = sum of Q", L, 1.0)]
height = {i: 5 - 1.16 * i for i in range(5)}
for i, (name, value, gradient) in enumerate(entries):
    ax.text(0, height[i], str(i), ha="center", va="center", bbox={
        "boxstyle": "circle,pad=0.3", "facecolor": "none", "edgecolor": COLORS["muted"]})
    ax.text(0.45, height[i], name, ha="left", va="center", fontsize=11)
    grid(ax, value, 2.75, height[i], "blue")
    grid(ax, gradient, 4.6, height[i], "orange")
for child, parent, bend in ((2, 1, 0.25), (2, 0, 0.5), (3, 2, 0.25), (3, 0, 0.55), (4, 3, 0.25)):
    ax.add_patch(FancyArrowPatch(
        (-0.12, height[child] + 0.12), (-0.12, height[parent] - 0.12), arrowstyle="-|>", shrinkA=6,
        shrinkB=6, mutation_scale=11, connectionstyle=f"arc3,rad={-bend}", color=COLORS["text"]))
ax.text(3.37, 5.72, "value", ha="center", va="bottom", color=COLORS["blue"], fontweight="bold")
ax.text(5.22, 5.72, "gradient", ha="center", va="bottom", color=COLORS["orange"], fontweight="bold")
ax.annotate("", (2.45, height[4]), (2.45, 5.3), arrowprops={"arrowstyle": "->", "color": COLORS["blue"]})
ax.annotate("", (6.15, 5.3), (6.15, height[4]), arrowprops={"arrowstyle": "->", "color": COLORS["orange"]})
ax.set(xlim=(-1.9, 6.3), ylim=(-0.1, 6.1))
ax.axis("off")
show(
    fig,
    name="tape",
    alt=(
        "A tape of five entries, numbered 0 to 4: X, b, S = X + b, Q = S times X, and L, the sum of "
        "Q, which is 17. Beside each its value and its gradient. Arrows lead from each entry up to "
        "those it was made from; two arrive at X, whose gradient is the sum of two."
    ),
    caption=(
        "A program of three lines, written down as it ran. Values are made from top to bottom, "
        "gradients from bottom to top. Each arrow on the left points to a smaller number, which "
        "makes the order easy to find. Two arrows meet at $X$."
    ),
)

# %% [markdown]
# ## What has to be written down
#
# A program that finds gradients must know what was done. So let each result remember three things: the values that it was made from, its **parents**; a function that turns its gradient into theirs; and a **number**, one higher for each value that is made. The values in the order of their numbers are the **tape**.
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, D)$ | an array to begin with; used twice |
# | $b$ | `b` | $(D)$ | another one, which is broadcast |
# | $S$ | `s` | $(N, D)$ | $X + b$ |
# | $Q$ | `q` | $(N, D)$ | $S \odot X$, element by element |
# | $L$ | `loss` | one number | the sum of $Q$ |
# | $Y$, $\partial L/\partial Y$ | `y`, `dy` | any, and the same | the result of any operation, and its upstream gradient |
# | $Y_1, Y_2, \dots$ | | any | all that was made from $X$ directly |
#
# The function is the heart of it. For an operation that makes $Y$ from $X$ it takes $\partial L/\partial Y$ and returns what this operation contributes to $\partial L/\partial X$. It is the upstream gradient times the Jacobian, a **vector-Jacobian product**, and each `…_backward` of this book is one.
#
# ## Five entries by hand
#
# $$X = \begin{bmatrix}1 & 2\\ 3 & -1\end{bmatrix}, \qquad b = \begin{bmatrix}1 & -2\end{bmatrix}$$
#
# Forward, $b$ is added to both rows, and $X$ is used once more:
#
# $$S = \begin{bmatrix}2 & 0\\ 4 & -3\end{bmatrix}, \qquad Q = \begin{bmatrix}2 & 0\\ 12 & 3\end{bmatrix}, \qquad L = 17$$
#
# Backward, from entry 4 to entry 0. Each element of $Q$ was added up once, so $\partial L/\partial Q$ is all ones. The product hands to each factor the upstream gradient times the *other* factor:
#
# $$\frac{\partial L}{\partial S} = X, \qquad \text{and } X \text{ gets } S = \begin{bmatrix}2 & 0\\ 4 & -3\end{bmatrix} \text{ on this road}$$
#
# The sum hands its gradient to both sides. $X$ gets $\partial L/\partial S$ on its second road. $b$ gets it as well, but in the wrong shape: two rows, where $b$ is one. It was repeated on the way forward, so the rows **add** on the way back:
#
# $$\frac{\partial L}{\partial b} = \begin{bmatrix}1 + 3 & 2 - 1\end{bmatrix} = \begin{bmatrix}4 & 1\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial X} = \begin{bmatrix}2 & 0\\ 4 & -3\end{bmatrix} + \begin{bmatrix}1 & 2\\ 3 & -1\end{bmatrix} = \begin{bmatrix}3 & 2\\ 7 & -4\end{bmatrix}$$
#
# Now the program of this page, which is told only the forward pass:

# %%
x, bias = Variable(X), Variable(b)
s = x + bias
q = s * x
loss = q.sum()
found = gradients(loss, [x, bias])

assert loss.data == L == 17
assert (found[0] == [[3, 2], [7, -4]]).all() and (found[0] == dx).all()
assert (found[1] == [4, 1]).all() and (found[1] == db).all()
print([value.number - x.number for value in tape(loss)])

# %% tags=["remove-cell"]
known = {"X": X, "b": b, "S": S, "Q": Q, "dQ": dq, "dS": ds, "dX": dx, "db": db}
for line in ("S[n,d] = X[n,d] + b[d]", "Q[n,d] = S[n,d] * X[n,d]", "dS[n,d] = dQ[n,d] * X[n,d]",
             "dX[n,d] = dQ[n,d] * S[n,d] + dS[n,d]", "db[d] = sum[n](dS[n,d])"):
    assert (Equation(line)(known) == known[Equation(line).name]).all(), line

# %% [markdown]
# ## From the chain rule to a walk
#
# **One number.** [The chain rule](../foundations/chain_rule.py#where-two-roads-meet-gradients-add) says what the gradient of a number $x$ is: a sum over everything that used it, $\partial L/\partial x = \sum_k \partial L/\partial y_k \cdot \partial y_k/\partial x$.
#
# **Many numbers.** Let $x_i$ be an element of an array $X$, and $y_{kj}$ the elements of $Y_k$, the $k$-th array made from it. All of them may contain $x_i$, so the sum runs over $k$ and $j$:
#
# $$\frac{\partial L}{\partial x_i} = \sum_k \underbrace{\sum_j \frac{\partial L}{\partial y_{kj}}\,\frac{\partial y_{kj}}{\partial x_i}}_{\text{needs } \partial L/\partial Y_k \text{ and operation } k \text{ alone}}$$
#
# The inner sum is a vector-Jacobian product. Call the function that computes it $v_k$; for a matrix product or a ReLU it is a line of code, and no Jacobian is built.
#
# <!-- equation walk -->
# $$\boxed{\frac{\partial L}{\partial X} = \sum_k v_k\!\left(\frac{\partial L}{\partial Y_k}\right)}$$
#
# The shapes agree: $v_k$ takes an array of the shape of $Y_k$ and returns one of the shape of $X$, so all terms can be added.
#
# **The order.** Here is the step at which such programs go wrong. The box asks for $\partial L/\partial Y_k$, the *whole* gradient of $Y_k$, with the contributions of everything that used $Y_k$. Hand it on too early, and the later contributions are lost; hand it on after each of them, and the earlier ones are passed down again and again. So a value may be walked only when *everything made from it* has been walked: an order from users to parents, which is called a **topological order**.
#
# You need no algorithm to find one. A value cannot be made before its parents. So its number is greater than theirs, and in falling order each value comes after all that was made from it. The order is the tape, read backwards. That is what **reverse mode** means in the field's name for all this, *reverse-mode automatic differentiation* ([@baydin2018]). The list of elementary steps goes back to [@wengert1964], who differentiated it from its beginning to its end; the walk from the end to the beginning is that of [@linnainmaa1976].
#
# **Repeated values.** NumPy repeats $b$ in $X + b$ without being asked. Treat the repetition as an operation of its own, $y_{nd} = b_d$, and derive its vector-Jacobian product. Each step is evaluated while this page is built:

# %% tags=["remove-input"]
repeated = Derivation(
    "db[d]",
    ("sum[n](sum[j](dY[n,j] * (j == d)))", "the inner sum of the box: $y_{nj}$ contains $b_d$ where $j = d$, with slope 1"),
    ("sum[n](dY[n,d])", "$[j = d]$ leaves one term of the sum over $j$; nothing removes the sum over $n$, since every row has a copy"),
)
sample = rng.standard_normal((5, 3))
steps = repeated.values({"dY": sample}, shape=(3,))
assert np.allclose(steps[0], steps[1], rtol=1e-14)
assert np.allclose(steps[1], autograd.unbroadcast(sample, (3,)), rtol=1e-14)
reasons = "\n".join(f"{i}. {step.reason}" for i, step in enumerate(repeated.steps, 1))
display(Markdown(f"$$\n{repeated.latex}\n$$\n\n{reasons}"))

# %% [markdown]
# The gradient of a repeated array is a *sum over the axes along which it was repeated*. It is the same for every operation in which NumPy repeats something, so it is written once:

# %% tags=["remove-input"]
show_source(autograd.unbroadcast)

# %% [markdown]
# ## The program
#
# **Recording.** `operation` turns a pair of functions of arrays, forward and backward, into a function of Variables. It runs the first on the arrays, and leaves the second, with its cache, on the result:

# %% tags=["remove-input"]
show_source(operation)

# %% [markdown]
# **Walking.** `tape` collects what a result was made from and sorts it by number. `gradients` reads it backwards. Find the box of [](#walk) in it: `value.vjp(gradient)` is $v_k$, and `arrived[parent] + part` is the sum over $k$. Neither function calls itself, so a tape may be as long as memory allows.

# %% tags=["remove-input"]
show_source(tape, gradients)

# %% [markdown]
# Two decisions are not forced by the mathematics. Gradients are *returned*, as by every backward pass of this book, and not added up in a `.grad` that somebody must reset; so asking twice gives the same numbers twice. And the result of an operation cannot be written to, for a reason that the [fourth mistake](#something-on-the-tape-is-changed) shows.
#
# **The operations.** What is left is a table: for each elementary operation its function and its vector-Jacobian product, most of them in a line.

# %% tags=["remove-input"]
text = inspect.getsource(autograd)
text = text[text.index("# Functions of arrays") : text.index("class Variable:")].rstrip()
elementary_count = text.count("= operation(")
display(Markdown(f'```python title="nn_tutorial/training/autograd.py"\n{text}\n```'))

# %% [markdown]
# `Variable` itself gives these names: `a + b` calls `_add`, `a.sum(axis=0)` calls `_sum`. And the layers? Each is a pair already. One line makes it an operation like any other:

# %%
relu = operation(nn_tutorial.relu, nn_tutorial.relu_backward)
linear = operation(nn_tutorial.linear, nn_tutorial.linear_backward)

weight = Variable(np.array([[1.0, -1.0], [2.0, 0.0]]))
hidden = relu(linear(x, weight, bias))
print(hidden, gradients(hidden.sum(), [weight])[0].tolist())

# %% [markdown]
# So a tape can be coarse or fine. With layers as its operations it is short, and uses the fast kernels of the other chapters. With `+`, `*` and `exp` it needs no derivation at all.
#
# ## Evidence
#
# **Every operation.** Each vector-Jacobian product is checked against three witnesses: an equation in indices, which is evaluated, central differences, and PyTorch. Where an operation has two sides, one of them is broadcast:

# %% tags=["hide-input"]
TAKEN = np.array([4, 0, 4, 1])  # a row twice, and two never
ROW = {"A": (5, 3), "B": (3,)}
OPERATIONS = {  # program, shapes, and what becomes of one upstream gradient
    "a + b": (lambda a, b: a + b, ROW, "dB[d] = sum[n](dY[n,d])"),
    "a - b": (lambda a, b: a - b, ROW, "dB[d] = -sum[n](dY[n,d])"),
    "a * b": (lambda a, b: a * b, ROW, "dB[d] = sum[n](dY[n,d] * A[n,d])"),
    "a / b": (lambda a, b: a / b, ROW, "dB[d] = -sum[n](dY[n,d] * A[n,d]) / B[d]**2"),
    "a @ b": (lambda a, b: a @ b, {"A": (5, 3), "B": (3, 7)}, "dB[d,k] = sum[n](A[n,d] * dY[n,k])"),
    "a ** 3": (lambda a: a**3, {"A": (5, 3)}, "dA[n,d] = dY[n,d] * 3 * A[n,d]**2"),
    "a.exp()": (lambda a: a.exp(), {"A": (5, 3)}, "dA[n,d] = dY[n,d] * exp(A[n,d])"),
    "a.log()": (lambda a: a.log(), {"A": (5, 3)}, "dA[n,d] = dY[n,d] / A[n,d]"),
    "a.maximum(b)": (lambda a, b: a.maximum(b), ROW, "dB[d] = sum[n](dY[n,d] * (B[d] > A[n,d]))"),
    "a.sum(axis=0)": (lambda a: a.sum(axis=0), {"A": (5, 3)}, "dA[n,d] = dY[d]"),
    "a.mean(axis=1)": (lambda a: a.mean(axis=1), {"A": (5, 3)}, "dA[n,d] = dY[n] / D"),
    "a.reshape(15)": (lambda a: a.reshape(15), {"A": (5, 3)}, "dA[n,d] = dY[3*n + d]"),
    "a.T": (lambda a: a.T, {"A": (5, 3)}, "dA[n,d] = dY[d,n]"),
    "a[t]": (lambda a: a[TAKEN], {"A": (5, 3)}, "dA[n,d] = sum[k](dY[k,d] * (t[k] == n))"),
}
lines, worst = [], Counter()
for name, (program, shapes, line) in OPERATIONS.items():
    arrays = [rng.uniform(0.5, 2, shape) for shape in shapes.values()]
    forward, backward = differentiable(program)
    report = gradient_check(forward, backward, arrays, rng=rng, names=list(shapes))
    report.raise_if_above(1e-6)

    y, cache = forward(*arrays)
    dy = rng.standard_normal(y.shape)
    grads = backward(dy, cache)
    equation = Equation(line)
    values = dict(zip(shapes, arrays)) | {"dY": dy, "t": TAKEN}
    target = list(shapes).index(equation.name[1:])
    by_equation = np.abs(equation(values, shape=arrays[target].shape) - grads[target]).max()

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    theirs = torch.autograd.grad(program(*tensors), tensors, torch.tensor(dy))
    by_torch = max(np.abs(g - t.numpy()).max() for g, t in zip(grads, theirs, strict=True))
    assert max(by_equation, by_torch) < 1e-13, name
    worst["others"] = max(worst["others"], by_equation, by_torch)
    lines.append(f"| `{name}` | ${equation.latex}$ | ${power(report.max_error)}$ |")
display(Markdown("| Operation | Equation of one of its gradients | Differences |\n|---|---|---|\n" + "\n".join(lines)))

# %% [markdown]
# The last column is the largest relative error of all gradients of the operation; what you see is [the rounding of a difference](../foundations/gradient_checking.py#the-best-step). Equations and PyTorch differ from the tape by at most ${{ power(worst["others"]) }}$.
#
# **Random graphs.** Here are sixty programs, drawn at random. Each applies a dozen operations to earlier results, drawn at random too. Every layer is among the operations: convolution, pooling, both normalisations. PyTorch runs the same programs, with its own layers.

# %%
ours = {
    name: operation(getattr(nn_tutorial, name), getattr(nn_tutorial, f"{name}_backward"))
    for name in LAYERS if name != "softmax_cross_entropy"
}  # that one returns its gradient as its cache
ours["softmax_cross_entropy"] = operation(softmax_cross_entropy, lambda dy, dlogits: dy * dlogits)
theirs = {name: equivalent(name) for name in LAYERS}
theirs["softmax_cross_entropy"] = lambda z, t: torch.nn.functional.cross_entropy(z, torch.tensor(t))

used, apart, compared = Counter(), 0.0, 0
for seed in range(60):
    arrays = leaves(np.random.default_rng(seed))
    mine = {name: Variable(array) for name, array in arrays.items()}
    end, drawn = random_graph(np.random.default_rng(seed), mine, ours)
    there = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    their_end, _ = random_graph(np.random.default_rng(seed), there, theirs)
    their_end.backward()
    reached = [name for name, value in mine.items() if value in tape(end)]
    for name, grad in zip(reached, gradients(end, [mine[name] for name in reached])):
        wanted = there[name].grad.numpy()
        apart = max(apart, np.abs(grad - wanted).max() / max(1, np.abs(wanted).max()))
        compared += grad.size
    used += drawn
print(f"{compared:,} gradients, PyTorch differs by at most {apart:.0e}")
assert apart < 1e-11 and used["again"] > 200 and used["broadcast"] > 60

# %% [markdown]
# In these graphs a value was used again {{ used["again"] }} times, and two shapes met {{ used["broadcast"] }} times.
#
# **The book's own backward passes.** Here is the strongest test that this book can offer. The batch normalisation of [its chapter](../layers/batch_norm.py) took pages to derive. Write only its forward pass, in elementary operations:

# %% tags=["remove-input"]
show_source(programs.batch_norm)

# %% [markdown]
# `differentiable` makes a pair of it, forward and backward, and that pair takes the place of the layer's own in everything that the build checks of batch normalisation: its equations, the complex step, PyTorch. The same was done for seven more:

# %% tags=["hide-input"]
lines, certificates = [], {}
assert len(programs.PROGRAMS) == 8
for name in programs.PROGRAMS:
    theory = programs.on_tape(THEORIES[name])
    checks = agree(theory)  # raises if one of the equations disagrees
    certificates[name] = certify(theory, oracle)
    held = max(check.error for check in checks if check.relation == "layer")
    double = [row for row in certificates[name] if row.dtype == "float64"]
    pytorch = max(row.pytorch for row in double)
    assert max(held, pytorch) < 1e-13
    lines.append(f"| `{name}` | {sum(c.compared for c in checks):,} | ${power(held)}$ | ${power(pytorch)}$ |")
display(Markdown("| Forward alone | Numbers compared | The book's equations | PyTorch |\n|---|---|---|---|\n" + "\n".join(lines)))

# %% tags=["remove-input"]
rows = certificates["batch_norm"]
exact = max(row.complex_step for row in rows if row.dtype == "float64")
single = max(row.largest for row in rows if row.dtype == "float32")
show(
    certificate_figure(rows),
    name="autograd-certificate",
    alt=(
        f"Relative errors on a logarithmic axis. In float64 the complex step and PyTorch agree with "
        f"the tape to {exact:.0e}; central differences are less exact. In float32 the largest error "
        f"is {single:.0e}."
    ),
    caption=(
        "The certificate of batch normalisation, whose backward pass "
        "was not written by hand this time. At the dots two witnesses agree with the tape to the "
        "last digits, as they do with the derivation in its own chapter."
    ),
)
assert exact < 1e-13 and single < 1e-5

# %% [markdown]
# This does not mean that you could throw the derivations away. The tape found *a* way back, entry by entry. The chapter's formula gets there in one step and [keeps less](#what-the-tape-keeps), and where these programs overflow, the layers do not. PyTorch, too, has formulas of its own for its large layers.
#
# ## Five ways to get it wrong
#
# ### The walk calls itself
#
# The first program that comes to mind hands on each contribution at once:


# %%
def at_once(value, dy, grads, calls):
    """Right, and slow: a value is walked once for each road that leads to it."""
    calls["visits"] += 1
    grads[value] = grads.get(value, 0) + dy
    for parent, part in zip(value.parents, value.vjp(dy)):
        at_once(parent, part, grads, calls)


def so_far(value, dy, grads):
    """Wrong: hands on the sum so far, after each contribution."""
    grads[value] = grads.get(value, 0) + dy
    for parent, part in zip(value.parents, value.vjp(grads[value])):
        so_far(parent, part, grads)


right, wrong = {}, {}
at_once(loss, np.array(1.0), right, Counter())
so_far(s * s + s, np.ones((2, 2)), wrong)
print("at once:", (right[x] == dx).all())
print("so far: ", wrong[bias], "instead of", gradients(s * s + s, [bias], np.ones((2, 2)))[0])

# %% tags=["remove-cell"]
true_bias = gradients(s * s + s, [bias], np.ones((2, 2)))[0]
assert (right[x] == dx).all() and not np.allclose(wrong[bias], true_bias)

# %% [markdown]
# The second is wrong wherever a value with two users has a parent: the part that came first goes down twice. The first is right, and useless. Let every layer have two roads, as [skip connections](../foundations/chain_rule.py#what-a-skip-connection-does-to-the-gradient) make them, and count:

# %% tags=["hide-input"]
depths = list(range(1, 17))
visits = []
for depth in depths:
    y = start = Variable(np.array(1.0))
    for _ in range(depth):
        y = y + y * 0.5  # a road past the operation, and a road through it
    calls = Counter()
    grads = {}
    at_once(y, np.array(1.0), grads, calls)
    assert np.isclose(grads[start], gradients(y, [start])[0])
    visits.append((calls["visits"], len(tape(y))))
deep = start
for _ in range(5000):
    deep = deep * 1.0
try:
    at_once(deep, np.array(1.0), {}, Counter())
    stopped = ""
except RecursionError as error:
    stopped = type(error).__name__
assert stopped and gradients(deep, [start])[0] == 1

fig, ax = plt.subplots(figsize=(4.9, 3.2))
for k, color, marker, text, place in ((0, "orange", "s", "calls itself", (10.4, 2e4)), (1, "blue", "o", "walks the tape", (11, 14))):
    ax.plot(depths, [v[k] for v in visits], marker + "-", color=COLORS[color], markersize=4)
    ax.text(*place, text, color=COLORS[color], ha="right" if k == 0 else "left", fontweight="bold")
ax.set(yscale="log", xlabel="layers with two roads", ylabel="values walked", title="Every layer doubles the roads")
show(
    fig,
    name="visits",
    alt=(
        f"Values walked against the number of layers, on a logarithmic axis. With {depths[-1]} layers "
        f"the walk that calls itself visits {visits[-1][0]:,} values, the walk along the tape "
        f"{visits[-1][1]}."
    ),
    caption=(
        "What the same gradient costs, in values walked. The upper line is steep because each "
        "layer doubles the number of roads from the end to the beginning, and the walk that calls "
        "itself takes each road anew."
    ),
)
assert visits[-1][0] > 1000 * visits[-1][1]

# %% [markdown]
# With {{ depths[-1] }} layers that is {{ f"{visits[-1][0]:,}" }} values against {{ visits[-1][1] }}. And there is a second limit: five thousand operations in a row stop it with a `{{ stopped }}`, because Python limits how deep functions may call each other. The loop over the tape has no such limit.
#
# ### `=` instead of `+=`
#
# The walk once more, with one character fewer:


# %%
def assigned(y, inputs):
    arrived = {y: np.ones_like(y.data)}
    for value in reversed(tape(y)):
        for parent, part in zip(value.parents, value.vjp(arrived[value])):
            arrived[parent] = part  # what arrived before is lost
    return [arrived[value] for value in inputs]


lost = assigned(loss, [x, bias])
print("X:", lost[0].tolist(), "instead of", dx.tolist())
print("b:", lost[1].tolist(), "instead of", db.tolist())

# %% tags=["remove-cell"]
assert (lost[0] == ds).all() and (lost[1] == db).all()
try:
    gradient_check(lambda v, w: differentiable(lambda p, q: (p + q) * p)[0](v, w),
                   lambda dy, cache: tuple(assigned((cache[0] * dy).sum(), cache[1])),
                   [X, b], rng=rng, names=["X", "b"]).raise_if_above(1e-6)
    raise RuntimeError("the check found nothing")
except GradientError as error:
    caught = str(error).split(";")[1].strip()

# %% [markdown]
# $X$ keeps the road that was walked last and loses the other. $b$, which was used once, is right. So a test on a chain of layers passes, and a network with skip connections or shared weights learns something else. The gradient check, on a program that uses a value twice, says: "{{ caught }}".
#
# ### The repetition is forgotten
#
# Leave out `unbroadcast`, and take a step:

# %%
@contextmanager
def repetition_forgotten():
    right = autograd.unbroadcast
    autograd.unbroadcast = lambda gradient, shape: np.asarray(gradient)
    try:
        yield
    finally:
        autograd.unbroadcast = right


with repetition_forgotten():
    unsummed = gradients(loss, [bias])[0]
stepped = b - 0.1 * unsummed
print(f"gradient {unsummed.shape}, parameter {b.shape} -> {stepped.shape}")

# %% tags=["remove-cell"]
assert unsummed.shape == (2, 2) and stepped.shape == (2, 2)
one_row = Variable(X[:1])
with repetition_forgotten():
    lone = gradients(((one_row + bias) * one_row).sum(), [bias])[0]
assert lone.shape == (1, 2) and (lone[0] == gradients(((one_row + bias) * one_row).sum(), [bias])[0]).all()
refused = 0
for try_it in (
    lambda: SGD({"bias": b.copy()}, 0.1).step({"bias": unsummed}),
    lambda: gradient_check(*differentiable(lambda p, q: p + q), [X, b], rng=rng),
):
    try:
        with repetition_forgotten():
            try_it()
    except ValueError:
        refused += 1
assert refused == 2

# %% [markdown]
# NumPy never complains. The bias has become a table with a row per example, as in [the chapter on the linear layer](../layers/linear.py#seven-ways-to-get-it-wrong), and with another batch size the next forward pass fails, far from the cause. With a batch of one the numbers are even right. The optimisers of this book refuse such a gradient, and so does `gradient_check`.
#
# ### Something on the tape is changed
#
# The product's vector-Jacobian product needs the other factor *as it was*. A tape keeps arrays, not copies. Here an impatient optimiser updates the bias before the gradients are taken:

# %%
moved = b.copy()
v, w = Variable(X), Variable(moved)
end = ((v * w) * w).sum()  # its gradient with respect to v is w²
moved -= 1.0
too_late = gradients(end, [v])[0]
print("gradient:", too_late[0], "instead of", b * b)
print("(no error, and the loss was", end.data, "for the old values)")

# %% tags=["remove-cell"]
assert not np.allclose(too_late[0], b * b) and np.allclose(too_late[0], (b - 1) ** 2)
tv, tw = torch.tensor(X, requires_grad=True), torch.tensor(b, requires_grad=True)
their = ((tv * tw) * tw).sum()
with torch.no_grad():
    tw -= 1.0
try:
    their.backward()
    raise RuntimeError("PyTorch raised no error")
except RuntimeError as error:
    refusal = str(error).split(":")[0]
assert "modified by an inplace operation" in refusal
try:
    end.data[...] = 0
    raise RuntimeError("a result was written to")
except ValueError as error:
    read_only = str(error)

# %% [markdown]
# PyTorch counts the changes of each tensor, and refuses: "{{ refusal }}". NumPy's arrays have no such counter. What costs nothing is a lock: the results of operations are read-only here, so `s.data -= 1` says "{{ read_only }}". Your own arrays stay yours to change. So take the gradients first, then the step.
#
# ### A value leaves the tape
#
# Write batch normalisation with `x.data.mean(0)` in place of `x.mean(axis=0)`, and the variance likewise. The forward pass gives the same numbers:


# %%
def detached(x, weight, bias, eps=1e-5):
    mean, var = Variable(x.data.mean(0)), Variable(x.data.var(0))
    return weight * ((x - mean) * (var + eps) ** -0.5) + bias


arrays = [rng.standard_normal(shape) for shape in ((5, 3), (3,), (3,))]
names = ["x", "weight", "bias"]
whole = gradient_check(*differentiable(lambda *a: programs.batch_norm(*a, 1e-5)), arrays, rng=rng, names=names)
off = gradient_check(*differentiable(detached), arrays, rng=rng, names=names)
for report in (whole, off):
    print("   ".join(f"{a.name} {a.max_error:.0e}" for a in report.arguments))

# %% tags=["remove-cell"]
whole.raise_if_above(1e-6)
same_y = [program(*map(Variable, arrays), 1e-5).data for program in (programs.batch_norm, detached)]
assert np.allclose(*same_y, rtol=1e-14, atol=1e-15)
assert off.arguments[0].max_error > 0.1 and max(a.max_error for a in off.arguments[1:]) < 1e-6

# %% [markdown]
# The first line is the right program, the second the wrong one. `weight` and `bias` get the right gradients; that of `x` is wrong, because to the tape mean and variance have become constants. The walk broke no rule. The program says something other than you meant. PyTorch has this on purpose, as `detach()`. Only the gradient check finds the accident.
#
# ## One network, trained three ways
#
# **The question.** [The network on Iris](iris.py) has a backward pass that we derived. Train it with that one, with a tape whose operations are our layers, and with a tape of elementary operations. Do they train the same network?
#
# **A prediction.** The tape of layers runs the same code in the same order, so every loss should be equal *to the last bit*. The elementary tape computes the same numbers by other sums and products. It should differ by rounding, and training may enlarge a difference or shrink it. To know what rounding alone can do, there is a control: the derived backward pass, with every first weight moved to the next number that the type can hold.


# %%
def maximum_with_0(a):
    return a.maximum(0.0)


on_layers = linear, relu, ours["softmax_cross_entropy"]
elementary = programs.linear, maximum_with_0, programs.softmax_cross_entropy


def by_hand(net, x, labels):
    logits, cache = net.forward(x)
    loss, dlogits = softmax_cross_entropy(logits, labels)
    return loss, net.backward(dlogits, cache, need_dx=False)[1]


def by_tape(net, x, labels, operations):
    linear, relu, loss_of = operations
    w1, b1, w2, b2 = params = [Variable(p) for p in net.params.values()]
    loss = loss_of(linear(relu(linear(Variable(x), w1, b1)), w2, b2), labels)
    return float(loss.data), dict(zip(net.params, gradients(loss, params)))


def train(way, seed, dtype, nudge=False):
    """The loss of each step, all weights after each epoch, and the flowers named right."""
    flowers = iris(seed=seed, dtype=dtype).standardized()
    net = two_layer_net(4, 10, 3, rng=np.random.default_rng(seed), dtype=dtype)
    for p in net.params.values():
        p[...] = np.nextafter(p, dtype(np.inf)) if nudge else p
    optimizer, shuffle, losses = SGD(net.params, 0.1), np.random.default_rng(seed), []
    weights = []
    for _ in range(100):
        for batch in np.array_split(shuffle.permutation(len(flowers.x_train)), 6):
            loss, grads = way(net, flowers.x_train[batch], flowers.y_train[batch])
            optimizer.step(grads)
            losses.append(loss)
        weights.append(np.concatenate([p.ravel() for p in net.params.values()]))
    named = 25 * evaluate(net, flowers.x_test, flowers.y_test)[1]
    return np.array(losses), np.array(weights), round(named)


# %% tags=["hide-input"]
seeds, named, gaps, late = range(5), {}, {}, []
for dtype in (np.float64, np.float32):
    for seed in seeds:
        losses, weights, named[seed] = train(by_hand, seed, dtype)
        late.append(losses[-100:].mean())
        for name, way, nudge in (
            ("layers", lambda *a: by_tape(*a, on_layers), False),
            ("elementary", lambda *a: by_tape(*a, elementary), False),
            ("control", by_hand, True),
        ):
            other_losses, other_weights, right = train(way, seed, dtype, nudge)
            assert right == named[seed]
            gaps.setdefault((name, dtype, "loss"), []).append(np.abs(other_losses - losses).max())
            gap = np.abs(other_weights - weights).max(1)
            gaps.setdefault((name, dtype, "weights"), []).append(gap)
between = np.std(late[:5], ddof=1)
largest = {key: np.max(found) for key, found in gaps.items()}
for dtype in (np.float64, np.float32):
    for what in ("loss", "weights"):
        assert largest["layers", dtype, what] == 0
        assert 0 < largest["elementary", dtype, what] < 1e4 * np.finfo(dtype).eps
        assert largest["elementary", dtype, what] < 10 * largest["control", dtype, what]

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 3.5))
epochs = np.arange(1, 101)
for dtype, color, label, at in ((np.float32, "orange", "float32", 1e-8), (np.float64, "blue", "float64", 2e-17)):
    for name, style in (("elementary", "-"), ("control", ":")):
        runs = np.array(gaps[name, dtype, "weights"])
        ax.plot(epochs, np.exp(np.log(runs).mean(0)), style, color=COLORS[color])
        ax.fill_between(epochs, runs.min(0), runs.max(0), color=COLORS[color], alpha=0.15, linewidth=0)
    ax.text(100, at, label, color=COLORS[color], ha="right", fontweight="bold")
ax.set(yscale="log", xlabel="epoch", ylabel="largest difference of a weight", ylim=(3e-18, 1e-4),
       title="Solid: elementary tape. Dotted: a last bit moved")
show(
    fig,
    name="three-ways",
    alt=(
        "Largest difference of a weight against the epoch, on a logarithmic axis. In float64 the "
        f"elementary tape reaches {largest['elementary', np.float64, 'weights']:.0e}, in float32 "
        f"{largest['elementary', np.float32, 'weights']:.0e}. The control, whose first weights "
        "were moved by a last bit, reaches "
        f"{largest['control', np.float64, 'weights']:.0e} and "
        f"{largest['control', np.float32, 'weights']:.0e}."
    ),
    caption=(
        "Differences from the weights that the derived backward pass reaches: by the elementary "
        "tape (solid), and from a start moved by a last bit (dotted). Lines are geometric means "
        "over five seeds; bands reach from the smallest to the largest. The tape of layers is "
        "missing, as its difference is 0. The tape does to a training what a last bit does."
    ),
)

# %% [markdown]
# **The verdict.** The tape of layers takes the same {{ len(losses) }} steps, bit for bit, with all five seeds and in both types. The elementary tape ends at weights that differ by at most ${{ power(largest["elementary", np.float64, "weights"]) }}$ in float64 and ${{ power(largest["elementary", np.float32, "weights"]) }}$ in float32, where a last bit of the first weights makes a difference of ${{ power(largest["control", np.float64, "weights"]) }}$ and ${{ power(largest["control", np.float32, "weights"]) }}$. In the loss that is at most ${{ power(largest["elementary", np.float32, "loss"]) }}$ nats; from seed to seed the late loss varies with a standard deviation of {{ between:.2g}}. And with each seed all three name the same number of test flowers correctly, {{ min(named.values()) }} to {{ max(named.values()) }} of 25.
#
# **What this does not show.** Sizes at which an unguarded `exp` overflows: the elementary loss would fail there, and the fused one would not. And nothing about speed: this page measures none.
#
# ## What the tape keeps
#
# The walk needs values from the forward pass, so they must be kept until it has passed them. Here is what that costs for [the CNN](cnn.py), on 64 handwritten digits. We count bytes: every array that can be reached from the tape, once.


# %% tags=["hide-input"]
def arrays_in(item):
    """The arrays in a cache, views taken for what they look at; by identity."""
    if isinstance(item, np.ndarray):
        while getattr(item, "base", None) is not None:  # a strided view's base is no array itself
            item = item.base
        return {id(item): item.nbytes}
    parts = item.values() if isinstance(item, dict) else item if isinstance(item, (tuple, list)) else ()
    return {key: size for part in parts for key, size in arrays_in(part).items()}


def cnn_on_tape(net, x, labels):
    """The loss, and the parameters as Variables."""
    params = [Variable(p) for p in net.params.values()]
    value, left = Variable(x), iter(params)
    for padding in (2, 1):
        value = relu(ours["conv2d"](value, next(left), next(left), padding=padding))
        value = ours["max_pool2d"](value, 2)
    value = relu(linear(value.reshape(len(x), -1), next(left), next(left)))
    return ours["softmax_cross_entropy"](linear(value, next(left), next(left)), labels), params


data = digits(seed=SEED)
net = small_cnn(1, 8, 10, rng=np.random.default_rng(SEED))
x64, labels64 = data.x_train[:64].reshape(-1, 1, 8, 8).astype(np.float32), data.y_train[:64]
end, params = cnn_on_tape(net, x64, labels64)
logits, caches = net.forward(x64)
loss64, dlogits = softmax_cross_entropy(logits, labels64)
same = net.backward(dlogits, caches, need_dx=False)[1]
assert float(end.data) == loss64
for mine, theirs_ in zip(gradients(end, params), same.values(), strict=True):
    assert np.array_equal(mine, theirs_)

own = {key for p in net.params.values() for key in arrays_in(p)} | set(arrays_in(x64))
needed = {k: v for value in tape(end) for k, v in arrays_in(value.cache).items() if k not in own}
values = {k: v for value in tape(end) for k, v in arrays_in(value.data).items() if k not in own}
by_hand_keeps = {k: v for k, v in arrays_in([*caches, dlogits]).items() if k not in own}
parameters = sum(p.nbytes for p in net.params.values())
total = sum((values | needed).values())
idle = sum(size for key, size in values.items() if key not in needed)
hand = sum(by_hand_keeps.values())
copies = sum(
    size for value in tape(end) if value.data.ndim == 4 and len(value.parents) == 3
    for key, size in arrays_in(value.cache).items() if key not in own | values.keys()
)
assert total / 4 < copies < total / 2 < idle and hand + idle == total

numbers = [rng.standard_normal(shape) for shape in ((64, 100), (100,), (100,))]
given = set(arrays_in(numbers))
fine = programs.batch_norm(*(Variable(array) for array in numbers), 1e-5)
entries = sum(bool(value.parents) for value in tape(fine))
fine_bytes = sum({k: v for value in tape(fine) for k, v in arrays_in((value.data, value.cache)).items()
                  if k not in given}.values())
coarse = nn_tutorial.batch_norm(*numbers)
coarse_bytes = sum(v for k, v in arrays_in(coarse).items() if k not in given)
assert fine_bytes > 2 * coarse_bytes

# %% tags=["remove-input"]
NAMES = ["conv", "relu", "pool", "conv", "relu", "pool", "reshape", "linear", "relu", "linear", "loss"]
made = [value for value in tape(end) if value.parents]
assert len(made) == len(NAMES)
fig, ax = plt.subplots(figsize=(5.2, 3.9))
seen, sums = set(own), Counter()
for row, value in enumerate(made):
    left = 0.0
    extra = {k: v for k, v in arrays_in(value.cache).items() if k not in values}
    for part, color in ((arrays_in(value.data), None), (extra, "green")):
        for key, size in part.items():
            if key in seen:
                continue
            seen.add(key)
            shade = color or ("blue" if key in needed else "orange")
            ax.barh(row, size / 1024, left=left, color=COLORS[shade], height=0.7,
                    hatch="///" if shade == "orange" else None, edgecolor="white", linewidth=0)
            left += size / 1024
            sums[shade] += size
ax.set_yticks(range(len(made)), NAMES)
ax.invert_yaxis()
ax.grid(visible=False, axis="y")
ax.set(xlabel="kilobytes (1,024 bytes)", title="Kept on the tape, for 64 pictures")
for k, (shade, words) in enumerate((("green", "copies and masks"), ("orange", "values not needed"),
                                    ("blue", "values the way back needs"))):
    ax.text(0.98, 0.42 - 0.1 * k, f"{words}: {sums[shade] / 1024:,.0f} kB", transform=ax.transAxes,
            ha="right", color=COLORS[shade], fontweight="bold")
show(
    fig,
    name="kept",
    alt=(
        f"Bars of the kilobytes that each operation of the CNN leaves on the tape, {total / 1024:,.0f} in "
        f"all. The pixels that the two convolutions copied take {copies / 1024:,.0f} of them, values "
        f"that no vector-Jacobian product asks for {sums['orange'] / 1024:.0f}."
    ),
    caption=(
        "What each operation leaves behind, from the pictures (top) to the loss. More than half are "
        "values that the way back does not need (striped). The green bars of the convolutions are no "
        "values of the network: they are the pixels that each has copied for its matrix product."
    ),
)

# %% [markdown]
# The parameters take {{ f"{parameters / 1024:.0f}" }} kB and the tape {{ f"{total / 1024:,.0f}" }}, {{ f"{total / parameters:.0f}" }} times as much; for twice the pictures it is twice that. This is the price that the [first chapter on gradients](../foundations/chain_rule.py#why-backwards) announced. Its operations decide what fills it: {{ f"{copies / total:.0%}" }} are no values of the network, but the pixels that [a convolution copies](../verify/speed.py#three-ideas-the-kernel-of-the-package) for its matrix product.
#
# The striped part, {{ f"{idle / total:.0%}" }}, is the fault of *this* tape. A ReLU needs its mask for the way back, and neither its input nor its output. When you call the layers directly, their caches hold all of the rest and not this. Here an entry holds its value *and* its way back, so a value lives as long as anything made from it. PyTorch keeps the two apart: its graph consists of the backward functions and what they saved ([@paszke2019]), and a value that was not saved is freed at once.
#
# And the finer the tape, the more it keeps. The batch normalisation above, of 64 × 100 numbers, leaves {{ entries }} entries and {{ f"{fine_bytes / 1024:.0f}" }} kB; the layer's output and cache come to {{ f"{coarse_bytes / 1024:.0f}" }}. Here a derivation with a pencil still pays. Where even that is too much, one can keep some values and compute the others a second time ([@griewank2008]; [@chen2016] for networks).
#
# ## In five lines
#
# - Each operation leaves on its result what it was made from, and the function that turns its gradient into theirs.
# - No value is made before its parents, so falling numbers are an order in which every gradient is complete when it is handed on.
# - Where a value was used twice, contributions add; where it was repeated, they add as well.
# - One such walk and {{ elementary_count }} elementary operations find backward passes that this book took chapters to derive.
# - The price is memory: what was made on the way stays until the walk has passed.
#
# ## Try it

# %% tags=["remove-cell"]
only_sum = gradients((x + bias).sum(), [x, bias])
assert (only_sum[0] == 1).all() and (only_sum[1] == 2).all()
at_zero = {}
zero = np.zeros(1)
for name, program in (("maximum", maximum_with_0), ("relu", relu)):
    v = Variable(zero)
    at_zero[name] = float(gradients(program(v), [v])[0][0])
t0 = torch.zeros(1, requires_grad=True)
assert torch.autograd.grad(torch.maximum(t0, torch.zeros(1)), t0)[0] == at_zero["maximum"] == 0.5
assert torch.autograd.grad(torch.relu(t0), t0)[0] == at_zero["relu"] == 0
softplus_report = gradient_check(*differentiable(lambda v: (v.exp() + 1.0).log()), [rng.standard_normal((5, 3))], rng=rng)
softplus_report.raise_if_above(1e-6)

# %% [markdown]
# ??? question "1. Why is it enough to sort by number? When would it not be?"
#     A result gets its number when it is made, and its parents must exist by then. So users have greater numbers than what they use. It would fail if a parent could be put in later, as in a graph that is built first and connected afterwards.
#
# ??? question "2. With a pencil: let $L$ be the sum of $S$ instead of $Q$. What are the two gradients?"
#     $\partial L/\partial S$ is all ones. $X$ was used once and gets them as they are; $b$ was repeated twice and gets {{ only_sum[1].astype(int).tolist() }}.
#
# ??? question "3. What should `gradients(loss, [w])` return when the loss does not depend on `w`?"
#     Zeros would be correct. This tape raises an error, and PyTorch does by default, because in practice such a `w` was meant to be connected: somebody took `.data` of it, or made a second Variable of the same array.
#
# ??? question "4. Is `a.maximum(0.0)` the ReLU?"
#     Forward, it is. Backward, the two differ at exactly 0: the gradient is {{ at_zero["maximum"] }} for the maximum, which is fair to both sides, and {{ at_zero["relu"] }} for the ReLU. PyTorch gives the same two answers. A function with a bend has no slope there, so each is a choice. It is the one thing that a tape cannot find out: what you want at a kink.
#
# ??? question "5. For the notebook: write $\log(1 + e^x)$, called softplus, and check it. Which derivation did you need?"
#     `softplus = lambda v: (v.exp() + 1.0).log()`, then `gradient_check(*differentiable(softplus), [array], rng=rng)`. The largest relative error was {{ f"{softplus_report.max_error:.0e}" }} here, and no derivation was needed. Now try it at $x = 1000$: the tape differentiates the program that you wrote, with its overflow.
#
# ## Sources
#
# - Wengert (1964), *A simple automatic derivative evaluation program*, Communications of the ACM: a computation as a list of elementary steps, differentiated forwards.
# - Linnainmaa (1976), *Taylor expansion of the accumulated rounding error*, BIT: the walk backwards.
# - Griewank and Walther (2008), *Evaluating derivatives: principles and techniques of algorithmic differentiation*, SIAM: forward, reverse, what each costs, and how to keep less.
# - Baydin, Pearlmutter, Radul and Siskind (2018), *Automatic differentiation in machine learning: a survey*, Journal of Machine Learning Research: the field, and its words.
# - Paszke and others (2019), *PyTorch: an imperative style, high-performance deep learning library*, NeurIPS: the tape that you will use from here on.
# - Chen, Xu, Zhang and Guestrin (2016), *Training deep nets with sublinear memory cost*, arXiv:1604.06174: values computed a second time to save memory.
