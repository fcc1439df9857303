# ---
# title: From our layers to PyTorch
# description: Every layer of the book beside its PyTorch twin, the same numbers to the last few bits, and what autograd does instead of our caches.
# tags:
#   - pytorch
# ---

# %% [markdown]
# # From our layers to PyTorch
#
# You have written the backward pass of every layer yourself. In PyTorch you write the forward pass only, and the gradients appear. This page shows that they are the same gradients, where PyTorch keeps what our caches keep, and which habits have to change.
#
# You need [backpropagation by hand](../foundations/chain_rule.py), [the symbols of this book](../foundations/notation.md), and one or two of the layers, say [ReLU](../layers/relu.py) and [softmax](../layers/softmax.py).

# %% tags=["hide-input"]
import json
import weakref
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own habit)
from IPython.display import Markdown
from matplotlib.patches import FancyBboxPatch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

import nn_tutorial as nt
from nn_tutorial.pages.show import power
from nn_tutorial.pages.plots import COLORS, show, use_style
from nn_tutorial.pytorch import twin, twin_gradients

SEED = 0
use_style()
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)


def saved_by(node):
    """Name and shape of each tensor that a node of the graph has saved."""
    found = {name[7:]: getattr(node, name) for name in dir(node) if name.startswith("_saved_")}
    return {n: tuple(v.shape) for n, v in found.items() if isinstance(v, torch.Tensor)}


def trunk(node):
    """The nodes on the way from the loss to the input; parameters are at its sides."""
    nodes = []
    while node is not None:
        nodes.append(node)
        deeper = [n for n, _ in node.next_functions if n is not None and n.next_functions]
        node = next((n for n in deeper if n.name() != "TBackward0"), None)
    return nodes


small = nt.mlp(5, [3], 2, rng=rng)
x4, t4 = rng.standard_normal((4, 5), np.float32), np.array([0, 1, 1, 0])
logits, caches = small.forward(x4)
small_twin = twin(small)
loss = F.cross_entropy(small_twin(torch.from_numpy(x4)), torch.from_numpy(t4))
nodes = trunk(loss.grad_fn)

# %% tags=["remove-input"]
def shapes(found):
    """As text: x (4, 3), weight (3, 2)."""
    return ",\n".join(f"{name} {str(shape).replace(',)', ')')}" for name, shape in found.items())


named = [{"x": caches[0].x.shape, "weight": caches[0].weight.shape},
         {"mask": caches[1].shape},
         {"x": caches[2].x.shape, "weight": caches[2].weight.shape},
         {"dlogits": nt.softmax_cross_entropy(logits, t4)[1].shape}]
ours_boxes = [(0.5, "Linear"), (2.7, "ReLU"), (4.9, "Linear"), (7.8, "softmax_cross_entropy")]
theirs_at = [9.4, 7.1, 4.9, 2.7, 0.5]

fig, ax = plt.subplots(figsize=(5.2, 6.6))
for x_at, color, boxes in (
    (0.0, "blue", [(y, f"{name}\n{shapes(n)}") for (y, name), n in zip(ours_boxes, named)]),
    (5.4, "orange", [(y, f"{node.name()}\n{shapes(saved_by(node))}")
                     for y, node in zip(theirs_at, nodes, strict=True)]),
):
    spans = []
    for y, text in boxes:
        high = 0.37 * (text.count("\n") + 1)
        spans.append((y - high / 2 - 0.16, y + high / 2 + 0.16))
        ax.add_patch(FancyBboxPatch((x_at, y - high / 2), 4.5, high, facecolor="none",
                                    edgecolor=COLORS[color], boxstyle="round,pad=0.12"))
        ax.text(x_at + 2.25, y, text, ha="center", va="center", fontsize=9, linespacing=1.25)
    for (_, low), (high, _) in pairwise(sorted(spans)):
        tip, tail = (high, low) if color == "blue" else (low, high)
        ax.annotate("", (x_at + 2.25, tip), (x_at + 2.25, tail),
                    arrowprops={"arrowstyle": "->", "color": COLORS[color]})
ax.text(2.25, 10.7, "our list of caches", ha="center", color=COLORS["blue"], fontweight="bold")
ax.text(7.65, 10.7, "PyTorch's graph", ha="center", color=COLORS["orange"], fontweight="bold")
ax.set(xlim=(-0.3, 10.2), ylim=(-0.4, 11.1))
ax.axis("off")
show(
    fig,
    name="two-records",
    alt=(
        "Two columns of boxes for one network. Ours, read upwards: Linear keeps x and weight, ReLU "
        "a mask, Linear x and weight, softmax_cross_entropy hands out dlogits. PyTorch's, read "
        "downwards from the loss: " + ", ".join(
            f"{n.name()} with {', '.join(saved_by(n)) or 'nothing'}" for n in nodes) + "."
    ),
    caption=(
        "One forward pass of 4 examples through two linear layers, and what each side writes "
        "down for the way back; both columns are read out of the running programs. They hold "
        "nearly the same arrays, as the shapes show."
    ),
)
assert saved_by(nodes[3]) == {"result": (4, 3)} and "mat2" not in saved_by(nodes[4])

# %% [markdown]
# Our list is written upwards, layer by layer, and read downwards. PyTorch's graph points downwards from the start: each node knows the nodes before it, and calling `loss.backward()` walks along the arrows.
#
# ## What is called what
#
# | | Here | PyTorch |
# |---|---|---|
# | numbers | `ndarray` | `Tensor` |
# | weight of a linear layer | $W$, `(n_in, n_out)` | $V$, `(n_out, n_in)` |
# | what is kept for the way back | the cache, handed to you | saved tensors, inside the graph |
# | the way back | `layer.backward(dy, cache)` returns gradients | `y.backward(dy)` adds them to `.grad` |
# | training or not | an argument, `train=`, of each pass | a switch that stays: `.train()`, `.eval()` |
# | loss of a classifier | `softmax_cross_entropy` | `F.cross_entropy` |
# | one step | `optimizer.step(grads)` | `optimizer.step()` reads `.grad` |
# | `momentum` of batch normalisation | weight of the newest batch | the same |
#
# $N$ is the number of examples, $n_\text{in}$ and $n_\text{out}$ are the features of a linear layer's input and output. The loss takes logits on both sides, not probabilities. (Keras gives the word `momentum` in batch normalisation to the weight of the *old* value. Here nothing has to be converted.)
#
# ## The same integers twice
#
# Two examples, a linear layer from two features to three, then a ReLU. You can follow each number with a pencil:
#
# $$X = \begin{bmatrix}1 & 2\\ 3 & -1\end{bmatrix}, \quad
#   W = \begin{bmatrix}1 & 0 & -2\\ 1 & 2 & 1\end{bmatrix}$$
#
# $$b = \begin{bmatrix}0 & -1 & 1\end{bmatrix}$$
#
# $$XW + b = \begin{bmatrix}3 & 3 & 1\\ 2 & -3 & -6\end{bmatrix}, \quad
#   Y = \begin{bmatrix}3 & 3 & 1\\ 2 & 0 & 0\end{bmatrix}$$
#
# Then comes the upstream gradient. The ReLU stops it where its input was negative, and the linear layer makes three arrays from the rest:
#
# $$\frac{\partial L}{\partial Y} = \begin{bmatrix}1 & -1 & 2\\ 3 & 1 & 1\end{bmatrix}, \quad
#   \text{gated: } \begin{bmatrix}1 & -1 & 2\\ 3 & 0 & 0\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial X} = \begin{bmatrix}-3 & 1\\ 3 & 3\end{bmatrix}, \quad
#   \frac{\partial L}{\partial W} = \begin{bmatrix}10 & -1 & 2\\ -1 & -2 & 4\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial b} = \begin{bmatrix}4 & -1 & 2\end{bmatrix}$$

# %%
x = np.array([[1.0, 2.0], [3.0, -1.0]])
weight = np.array([[1.0, 0.0, -2.0], [1.0, 2.0, 1.0]])
bias = np.array([0.0, -1.0, 1.0])
dy = np.array([[1.0, -1.0, 2.0], [3.0, 1.0, 1.0]])

z, linear_cache = nt.linear(x, weight, bias)  # ours: caches come out
y, relu_cache = nt.relu(z)
dz = nt.relu_backward(dy, relu_cache)
dx, dweight, dbias = nt.linear_backward(dz, linear_cache)

x_torch = torch.tensor(x, requires_grad=True)  # PyTorch: ask for gradients
layer = nn.Linear(2, 3, dtype=torch.float64)
with torch.no_grad():
    layer.weight.copy_(torch.tensor(weight.T))
    layer.bias.copy_(torch.tensor(bias))
torch.relu(layer(x_torch)).backward(torch.tensor(dy))

assert (y == [[3, 3, 1], [2, 0, 0]]).all() and (dbias == [4, -1, 2]).all()
assert (dx == [[-3, 1], [3, 3]]).all() and (x_torch.grad.numpy() == dx).all()
assert (dweight == [[10, -1, 2], [-1, -2, 4]]).all()
assert (layer.bias.grad.numpy() == dbias).all()
assert (layer.weight.grad.numpy() == dweight.T).all()
print("PyTorch's gradient of its weight:")
print(layer.weight.grad.numpy().astype(int))

# %% [markdown]
# All are equal, to the last bit: sums and products of small integers are exact. One array lies on its side.
#
# ### The weight that lies on its side
#
# **One number.** Ours is $y_{nk} = \sum_i x_{ni} w_{ik} + b_k$. PyTorch counts the output first, $v_{ki} = w_{ik}$, and computes $y_{nk} = \sum_i x_{ni} v_{ki} + b_k$. It is the same sum of the same products, so the outputs agree.
#
# **Its gradient.** The weight $v_{ki}$ is used in $y_{nk}$ for every example $n$, and in no other output. The chain rule adds over those uses:
#
# $$\frac{\partial L}{\partial v_{ki}} = \sum_n \frac{\partial L}{\partial y_{nk}}\, x_{ni} = \frac{\partial L}{\partial w_{ik}}$$
#
# **The array.** Two things are transposed at once. The sum runs over $n$, so $n$ must be the inner index of a matrix product. $\partial L/\partial Y$ has $n$ first and must be transposed; $X$ has it first as well and stays:
#
# <!-- equation weight-on-its-side -->
#
# $$\boxed{V = W^\top, \qquad \frac{\partial L}{\partial V} = \left(\frac{\partial L}{\partial Y}\right)^{\top} X = \left(\frac{\partial L}{\partial W}\right)^{\top}}$$
#
# The shapes agree: $(n_\text{out}, N)$ times $(N, n_\text{in})$ is the shape of $V$. A convolution's weight has the same shape, $(F, C, k_h, k_w)$, in both, and so have all other parameters.
#
# ## Every layer beside its twin
#
# `twin(layer)` builds the PyTorch module that should compute the same and copies parameters and running statistics into it, transposed where they must be. Then both get the same input and the same random upstream gradient.


# %%
def apart(ours, theirs):
    """The largest difference, as a share of the largest number."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def compare(layer, x, train):
    """How far apart are output, dx, and the parameters' gradients, if any?"""
    dy = upstream(layer, x)
    theirs = twin_gradients(layer, x, dy, train=train)
    y, cache = layer.forward(x, train=train)
    dx, grads = layer.backward(dy, cache)
    assert grads.keys() == theirs.grads.keys()
    ours, yours = (
        np.concatenate([g[name].ravel() for name in grads] or [[]])
        for g in (grads, theirs.grads)
    )
    weights = apart(ours, yours) if grads else None
    return [apart(y, theirs.y), apart(dx, theirs.dx), weights]


# %% tags=["hide-input"]
def upstream(layer, x):
    """A random gradient of the shape and type of the output."""
    shape = layer(x).shape
    return np.random.default_rng(1).standard_normal(shape).astype(x.dtype)


def network(draw, dtype):
    """One of each kind."""
    return nt.Sequential(
        nt.Conv2d(3, 5, (3, 2), padding=1, rng=draw, dtype=dtype), nt.BatchNorm(5, dtype=dtype),
        nt.ReLU(), nt.MaxPool2d(2), nt.Flatten(), nt.Linear(5 * 4 * 7, 7, rng=draw, dtype=dtype))


FLAT, IMAGES = [(3, 7), (13, 5), (64, 10)], [(2, 3, 9, 13), (3, 2, 7, 11), (5, 3, 17, 8)]
GEOMETRIES = [(3, {}), ((5, 2), {"stride": (2, 1), "padding": (2, 1)}), (2, {"stride": 3})]
cases = [(kind.__name__, lambda *_, kind=kind: kind(), shape, True)
         for kind in (nt.ReLU, nt.Sigmoid, nt.Tanh, nt.Softmax) for shape in FLAT]
cases += [("Flatten", lambda *_: nt.Flatten(), shape, True) for shape in IMAGES]
cases += [("Linear", lambda r, d, s=s: nt.Linear(s[1], 11, rng=r, dtype=d), s, True) for s in FLAT]
cases += [(f"BatchNorm, {'training' if train else 'evaluation'}",
           lambda r, d, s=s: nt.BatchNorm(s[1], dtype=d), s, train)
          for train in (True, False) for s in (FLAT[1], *IMAGES)]
cases += [("Dropout, evaluation", lambda r, d: nt.Dropout(0.3, rng=r), s, False) for s in FLAT]
for shape, (size, more) in zip(IMAGES, GEOMETRIES):
    cases.append(("Conv2d", lambda r, d, c=shape[1], size=size, more=more: nt.Conv2d(
        c, 5, size, rng=r, dtype=d, **more), shape, True))
    for pool in (nt.MaxPool2d, nt.AvgPool2d):
        inside = more | ({"padding": (1, 0)} if "padding" in more else {})
        cases.append((pool.__name__, lambda *_, pool=pool, size=size, more=inside: pool(
            size, **more), shape, True))
cases.append(("Sequential", network, (4, 3, 9, 13), True))


def filled(make, dtype):
    """A layer with nothing at 0 or 1, as a fresh bias or running mean is."""
    draw = np.random.default_rng(2)
    layer = make(draw, dtype)
    for value in (layer.params | layer.buffers).values():
        value += draw.uniform(0.1, 0.5, value.shape).astype(dtype)
    return layer


# %% tags=["remove-input"]
found = {}
for dtype in (np.float64, np.float32):
    for name, make, shape, train in cases:
        x = np.random.default_rng(3).standard_normal(shape).astype(dtype)
        found.setdefault((name, dtype), []).append(compare(filled(make, dtype), x, train))
    for shape in FLAT:
        z = np.random.default_rng(3).standard_normal(shape).astype(dtype)
        t = np.random.default_rng(4).integers(shape[1], size=len(z))
        there = torch.tensor(z, requires_grad=True)
        theirs = F.cross_entropy(there, torch.tensor(t))
        theirs.backward()
        ours, dz = nt.softmax_cross_entropy(z, t)
        row = [apart(np.array([ours]), theirs.detach().numpy()), apart(dz, there.grad.numpy()), None]
        found.setdefault(("softmax_cross_entropy", dtype), []).append(row)
largest = {key: [None if rows[0][i] is None else max(row[i] for row in rows) for i in range(3)]
           for key, rows in found.items()}
names = [name for name, dtype in largest if dtype is np.float64]
worst = {dtype: max(v for (_, d), row in largest.items() if d is dtype for v in row if v is not None)
         for dtype in (np.float64, np.float32)}
assert worst[np.float64] < 1e-14 and worst[np.float32] < 1e-5
for dtype in worst:
    assert largest["MaxPool2d", dtype][0] == 0
    for name in ("ReLU", "Flatten", "Dropout, evaluation"):
        assert set(largest[name, dtype]) <= {0.0, None}


def cell(value):
    """A number of the table."""
    return "–" if value is None else "equal" if value == 0 else f"${power(value)}$"


Markdown("| Layer | Output | `dx` | Weights |\n|---|---|---|---|\n" + "\n".join(
    f"| {name} | " + " | ".join(cell(v) for v in largest[name, np.float64]) + " |"
    for name in names))

# %% [markdown]
# The numbers are the largest differences over three or four shapes, as a share of the array's largest number, in float64. "Equal" means every bit. A layer that only selects or copies rounds nothing, so it must be equal (a max-pool selects; backward it adds, where windows overlap). The others add up many products, or take an exponential, and the two libraries add in different orders and compute $e^x$ with different code. Each operation rounds by up to half of $\varepsilon = {{ power(np.finfo(np.float64).eps) }}$, so two right programs may differ by a few $\varepsilon$ ([@higham2002]). The figure has float32 beside it.

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5.2, 4.4))
for dtype, color, marker, shift in ((np.float64, "blue", "o", 0.14),
                                    (np.float32, "orange", "s", -0.14)):
    eps = np.finfo(dtype).eps
    for y, name in enumerate(reversed(names)):
        for value in largest[name, dtype]:
            if value is not None:
                ax.plot(max(value, 4e-20), y + shift, marker, color=COLORS[color], alpha=0.6,
                        markersize=5)
    ax.plot([eps, eps], [-0.6, len(names) - 0.65], ":", color=COLORS[color], linewidth=1.2)
    ax.text(eps, len(names) - 0.3, f"ε of {np.dtype(dtype).name}", ha="center", fontsize=9,
            color=COLORS[color])
ax.axvspan(5e-21, 3e-19, color=COLORS["grid"], alpha=0.5, linewidth=0)
ax.text(4e-20, len(names) - 0.3, "equal", ha="center", fontsize=9, color=COLORS["muted"])
ax.set_yticks(range(len(names)), list(reversed(names)))
ax.set(xscale="log", xlim=(5e-21, 1e-5), ylim=(-0.6, len(names) + 0.3),
       xlabel="largest difference / largest number")
ax.set_xticks([1e-16, 1e-13, 1e-10, 1e-7])
ax.minorticks_off()
exact = [n for n in names if all(not v for d in worst for v in largest[n, d])]
show(
    fig,
    name="twins",
    alt=(
        f"Differences between ours and PyTorch for {len(names)} layers. {', '.join(exact)} are "
        f"equal in every bit. The others lie near the machine precision of their type: below "
        f"{worst[np.float64]:.0e} in float64 (dots) and {worst[np.float32]:.0e} in float32 "
        "(squares)."
    ),
    caption=(
        "A mark for the output, one for `dx` and one for the parameters. Each type's marks stand "
        "around its own machine precision (dotted lines). A wrong formula would stand near 1, far "
        "outside on the right."
    ),
)

# %% [markdown]
# The largest difference is {{ worst[np.float64] / np.finfo(np.float64).eps:.1f}} $\varepsilon$ in float64 and {{ worst[np.float32] / np.finfo(np.float32).eps:.1f}} $\varepsilon$ in float32. The running statistics of batch normalisation, which are no gradients, agree as well: both normalise with the biased variance and keep the unbiased one.

# %% tags=["hide-input"]
norm = nt.BatchNorm(5, dtype=np.float64)
norm_twin = twin(norm).train()
for draw in (np.random.default_rng(seed) for seed in range(3)):
    x = 3 + 2 * draw.standard_normal((7, 5))
    norm.forward(x)
    norm_twin(torch.tensor(x))
running = [apart(norm.buffers[name], norm_twin.get_buffer(name).numpy()) for name in norm.buffers]
print(f"running statistics after 3 batches: {max(running):.0e} apart")
net = filled(network, np.float64)
x = np.random.default_rng(3).standard_normal((4, 3, 9, 13))
dy = upstream(net, x)
theirs = twin_gradients(net, x, dy).grads["0.bias"]
y, cache = net.forward(x)
bias_apart = apart(net.backward(dy, cache)[1]["0.bias"], theirs)
bias_theirs = float(np.abs(theirs).max())
assert max(running) < 1e-15 and bias_theirs < 1e-13 and bias_apart > 0.1

# %% [markdown]
# One row hides something. In the `Sequential`, a convolution stands before a batch normalisation, which takes any constant away again, so the gradient of the convolution's bias is 0. Both programs find rounding instead, about ${{ power(bias_theirs) }}$, and taken relative to itself *that* would look like a difference of {{ bias_apart:.0%}}. This is why each difference is given as a share of the largest gradient of all.
#
# ### What cannot be equal
#
# Dropout in training is missing from the table. Its mask comes from random numbers, and NumPy's generator and PyTorch's are two different ones. So the outputs differ, and no seed will change that. What can be compared is everything but the draw: take PyTorch's mask out of its output, and ask the formula for the rest.

# %%
x = rng.uniform(0.5, 1.5, (40, 50))
there = torch.tensor(x, requires_grad=True)
dropped = F.dropout(there, 0.3, training=True)
dy = rng.standard_normal(x.shape)
dropped.backward(torch.tensor(dy))
mask = dropped.detach().numpy() != 0
y_apart = apart(mask * x / (1 - 0.3), dropped.detach().numpy())
dx_apart = apart(mask * dy / (1 - 0.3), there.grad.numpy())
print(f"given the mask: {y_apart:.0e} and {dx_apart:.0e} apart")
assert max(y_apart, dx_apart) < 1e-15

# %% [markdown]
# ## What the forward pass writes down
#
# Every tensor that was computed from a parameter has a `grad_fn`: the node that knows how to go back. Its `next_functions` are the nodes of its inputs. That is all the structure there is, and a few lines walk through it:


# %%
def walk(node, depth=0):
    """Print a graph from the loss down."""
    name = node.name().removeprefix("torch::autograd::")
    print(". " * depth + name, *saved_by(node))
    for deeper, _ in node.next_functions:
        if deeper is not None:
            walk(deeper, depth + 1)


walk(loss.grad_fn)

# %% [markdown]
# Read it beside the first figure. `AddmmBackward0` is a linear layer: *add* a bias to a *m*atrix product. Its three inputs are a bias, the layer below and a weight; `TBackward0` is the transposition of [](#weight-on-its-side). `AccumulateGrad` is where a path ends, at a parameter; it adds the gradient to the parameter's `.grad`.
#
# A node does what our `backward(dy, cache)` does: it takes the gradient of its output and what it saved, and returns the gradients of its inputs. No Jacobian is built there either. The graph is made anew at each forward pass, by running it ([@paszke2019]; [Autograd from scratch](../networks/autograd.py) builds a small one); the walk back is the reverse mode of automatic differentiation ([@baydin2018]), which you know as backpropagation.
#
# Two differences in the details. Our ReLU keeps a mask, PyTorch's keeps its `result`, since the output is positive exactly where the input was. Both of our linear layers keep their weight; PyTorch's first one does not, because the gradient of the data was not asked for, and the weight is needed for that alone. We compute it unless told `need_dx=False`.
#
# ### Who keeps more?
#
# PyTorch lets you watch it save. In the small network for images, with 64 images in float32, count each block of memory once and leave out parameters and data, which exist anyway. This is a count, not a timing: it is the same at each run.


# %%
def owner(array):
    """The array that holds the memory of a view."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def blocks(cache):
    """The memory behind the arrays in a cache of ours: address, bytes."""
    if isinstance(cache, np.ndarray):
        return {owner(cache).ctypes.data: owner(cache).nbytes}
    parts = cache if isinstance(cache, (tuple, list)) else ()
    return {a: size for part in parts for a, size in blocks(part).items()}


def saved_blocks(module, x):
    """The output, and the memory behind what autograd saves meanwhile."""
    saved = []
    watch = torch.autograd.graph.saved_tensors_hooks
    with watch(lambda t: saved.append(t) or t, lambda t: t):
        y = module(x)
    stores = [tensor.untyped_storage() for tensor in saved]
    return y, {store.data_ptr(): store.nbytes() for store in stores}


# %% tags=["hide-input"]
cnn = nt.small_cnn(rng=np.random.default_rng(SEED))
cnn_twin = twin(cnn)
pictures = np.random.default_rng(SEED).random((64, 1, 28, 28), np.float32)
_, cnn_caches = cnn.forward(pictures)
our_known = {owner(p).ctypes.data for p in (*cnn.params.values(), pictures)}
h = torch.tensor(pictures)
their_known = {p.untyped_storage().data_ptr() for p in (*cnn_twin.parameters(), h)}
our_bytes, their_bytes, alive = [], [], []
for cache, module in zip(cnn_caches, cnn_twin, strict=True):
    ours_here = {a: s for a, s in blocks(cache).items() if a not in our_known}
    h, theirs_here = saved_blocks(module, h)
    alive.append(h)
    theirs_here = {a: s for a, s in theirs_here.items() if a not in their_known}
    our_known, their_known = our_known | set(ours_here), their_known | set(theirs_here)
    our_bytes.append(sum(ours_here.values()))
    their_bytes.append(sum(theirs_here.values()))


# %% tags=["remove-input"]
kinds = [type(layer).__name__ for layer in cnn.layers]
fig, ax = plt.subplots(figsize=(5.0, 4.4))
for values, color, hatch, shift, who in ((our_bytes, "blue", "", 0.2, "ours"),
                                         (their_bytes, "orange", "//", -0.2, "PyTorch")):
    at = len(kinds) - 1 - np.arange(len(kinds)) + shift
    ax.barh(at, np.array(values) / 1e6, height=0.36, color="none" if hatch else COLORS[color],
            edgecolor=COLORS[color], hatch=hatch, label=who)
ax.legend(loc="lower right")
ax.set_yticks(range(len(kinds)), kinds[::-1])
ax.set(xlabel="kept for the way back (megabytes)", title="A little less, in other places")
ax.grid(visible=False, axis="y")
totals = sum(our_bytes), sum(their_bytes)
show(
    fig,
    name="bytes-kept",
    alt=(
        f"Bars for ten layers. Our two convolutions keep {our_bytes[0] / 1e6:.2f} and "
        f"{our_bytes[3] / 1e6:.2f} MB, PyTorch's 0 and {their_bytes[3] / 1e6:.2f}; PyTorch's first ReLU and pool keep "
        f"{their_bytes[1] / 1e6:.2f} and {their_bytes[2] / 1e6:.2f} MB, ours "
        f"{our_bytes[1] / 1e6:.2f} and {our_bytes[2] / 1e6:.2f}. The sums are {totals[0] / 1e6:.2f} "
        f"and {totals[1] / 1e6:.2f} MB."
    ),
    caption=(
        "What each layer adds to the memory, from the first layer (top) to the last. A block that "
        "two layers keep is counted at the first of them. Our convolutions pay for copies; at the "
        "first ReLU PyTorch pays for a whole output."
    ),
)
assert their_bytes[0] == 0 and 0.9 < totals[0] / totals[1] < 0.95
assert our_bytes[1] == their_bytes[1] / 4

# %% [markdown]
# The sums are {{ totals[0] / 1e6:.2f}} and {{ totals[1] / 1e6:.2f}} million bytes: ours are a little less, by accident. A mask takes one byte for each element where PyTorch's ReLU keeps four; our convolution copies its input once for each column of the kernel. PyTorch's pooling keeps the winners' positions as eight-byte integers.
#
# ## Gradients add up
#
# Call `backward` twice, and the second gradient is added to the first. Ours come out new each time.

# %%
layer.zero_grad()
for times in (1, 2, 3):
    torch.relu(layer(x_torch[:1])).sum().backward()
    print(f"after {times} backward: {layer.bias.grad.tolist()}")
assert layer.bias.grad.tolist() == [3, 3, 3]

t = torch.tensor([0, 2])
gradients = []
for parts in ([slice(0, 2)], [slice(0, 1), slice(1, 2)]):  # whole, two halves
    layer.zero_grad()
    for i in parts:
        total = F.cross_entropy(layer(x_torch[i]), t[i], reduction="sum")
        (total / len(t)).backward()
    gradients.append(layer.weight.grad.clone())
assert torch.allclose(*gradients, rtol=1e-14)

# %% [markdown]
# Why would anyone want that? Because a tensor may be used more than once, and then the chain rule says: add over the uses. With a parameter $\theta$ that reaches the loss through $a$ and through $b$,
#
# $$\frac{\partial L}{\partial \theta} = \frac{\partial L}{\partial a}\frac{\partial a}{\partial \theta} + \frac{\partial L}{\partial b}\frac{\partial b}{\partial \theta}$$
#
# each use brings one term, and `AccumulateGrad` adds it to what is there. It cannot know whether a second term comes from the same loss or from the next batch. You say so, with `zero_grad`. The habit is useful too: two half batches, each with `backward` on its share of the mean, give the gradient of the whole one. The second half of the cell above does that.
#
# ### Leaves, and two ways out of the graph
#
# `.grad` is filled for **leaves**: tensors that you made, and that ask for a gradient. What was computed from them has a `grad_fn` and gets no `.grad`; its gradient passes through. `torch.no_grad()` writes no graph at all, and `detach()` gives the same numbers without their past.

# %%
theta = torch.tensor(3.0, requires_grad=True)
square = theta * theta
with torch.no_grad():
    unwritten = theta * theta
cut = square.detach()
named = {"theta": theta, "square": square, "no_grad": unwritten, "cut": cut}
for name, value in named.items():
    node = value.grad_fn.name() if value.grad_fn else "none"
    print(f"{name:<8} asks: {value.requires_grad!s:<6} grad_fn: {node}")
(square * theta).backward()  # θ³: three uses of θ, the slope is 3θ²
with_all, theta.grad = theta.grad.item(), None
(cut * theta).backward()  # the same number; one use of θ is seen
print(f"slope of θ³: {with_all:g}; with the square cut off: {theta.grad:g}")
assert (with_all, theta.grad.item()) == (27, 9)

# %% [markdown]
# ### The array that was overwritten
#
# A sigmoid keeps its output, on both sides. Overwrite it before the backward pass, and the kept numbers are no longer those of the forward pass:

# %%
s = torch.tensor([0.0, 1.0], requires_grad=True)
kept = torch.sigmoid(s)
kept.mul_(2)
try:
    kept.sum().backward()
    raise AssertionError("not noticed")
except RuntimeError as error:
    message = str(error).split(": [")[0]
    print("PyTorch: …", message.partition("computation ")[2])

out, sigmoid_cache = nt.sigmoid(np.array([0.0, 1.0]))
right = nt.sigmoid_backward(np.ones(2), sigmoid_cache.copy())
out *= 2
silent = nt.sigmoid_backward(np.ones(2), sigmoid_cache)
print(f"ours: {silent.round(3)} without a word; right: {right.round(3)}")
assert np.abs(silent - right).min() > 0.1

# %% [markdown]
# Each tensor counts its in-place changes, and the node that saved it remembers the count. Ours has no such counter. In this book no layer changes what it was given, and you must not either: a cache is for reading.
#
# ## Your own backward pass in PyTorch
#
# Autograd derives nothing for an operation that it does not know. You hand it a pair, and it is our pair: `forward` keeps a cache, `backward` takes it. Here is softmax with [the formula in its box](../layers/softmax.py), without a Jacobian:


# %%
class OurSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        e = torch.exp(z - z.amax(-1, keepdim=True))
        p = e / e.sum(-1, keepdim=True)
        ctx.save_for_backward(p)  # the cache
        return p

    @staticmethod
    def backward(ctx, dp):
        (p,) = ctx.saved_tensors
        return p * (dp - (dp * p).sum(-1, keepdim=True))


class DiagonalOnly(OurSoftmax):
    @staticmethod
    def backward(ctx, dp):
        """Wrong: as if each score fed its own probability alone."""
        (p,) = ctx.saved_tensors
        return dp * p * (1 - p)


z = torch.tensor(rng.standard_normal((5, 7)), requires_grad=True)
for function in (OurSoftmax, DiagonalOnly):
    check = torch.autograd.gradcheck
    passed = check(function.apply, (z,), raise_exception=False)
    print(f"{function.__name__}: gradcheck says {passed}")
    assert passed == (function is OurSoftmax)

# %% [markdown]
# `gradcheck` compares your backward pass with differences, as our [gradient check](../foundations/gradient_checking.py) does. Where ours takes one random upstream gradient, it goes through the outputs one by one, and so builds the whole Jacobian: thorough, but only for small arrays. Give it float64.
#
# ## A module keeps the books
#
# `nn.Module` is our `Layer` with bookkeeping. Assign a parameter, a buffer or another module to an attribute, and it is found: by the optimiser, by `state_dict`, by `.to(device)`. A module of your own, in ten lines, with a buffer that standardises its input:


# %%
class Standardised(nn.Module):
    def __init__(self, x, n_out):
        super().__init__()
        self.register_buffer("mean", x.mean(0))
        self.register_buffer("std", x.std(0) + 1e-3)
        self.linear = nn.Linear(x.shape[1], n_out)
        self.unseen = torch.zeros(3)  # neither parameter nor buffer

    def forward(self, x):
        return self.linear((x - self.mean) / self.std)


data = nt.digits(seed=SEED)
images = torch.tensor(data.x_train).flatten(1)
test_images = torch.tensor(data.x_test).flatten(1)
module = Standardised(images, 10)
print("parameters:", *dict(module.named_parameters()))
print("buffers:", *dict(module.named_buffers()))
copy = Standardised(test_images, 10)
copy.load_state_dict(module.state_dict())
assert torch.equal(copy(test_images), module(test_images))
assert "unseen" not in module.state_dict()

# %% [markdown]
# `state_dict` is what you save: parameters and buffers by name, as our `save` writes them. The tensor called `unseen` is not in it. It would be lost on disk and left behind when the module moves to a GPU. Tensors in a plain Python list meet the same fate; `nn.ParameterList` and `nn.ModuleList` are there for that.
#
# Our layers are told `train=True` at each pass. A module has a switch, and it stays as you left it. [What that costs](#seven-ways-to-get-it-wrong) is below.
#
# **The optimisers** are the same formulas, so the same gradients must lead to the same parameters. Twenty steps with random gradients, in float64:

# %%
start = {"w": rng.standard_normal((3, 5))}
for name, options in (
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.01}),
):
    mine = {"w": start["w"].copy()}
    yours = nn.Parameter(torch.tensor(start["w"]))
    ours = getattr(nt, name)(mine, **options)
    theirs = getattr(torch.optim, name)([yours], **options)
    for _ in range(20):
        gradient = rng.standard_normal((3, 5))
        ours.step({"w": gradient})
        yours.grad = torch.tensor(gradient)
        theirs.step()
    gap = apart(mine["w"], yours.detach().numpy())
    print(f"{name}: {gap:.0e} apart after 20 steps")
    assert gap < 1e-14

# %% [markdown]
# ## The same batches
#
# A `Dataset` says how many examples there are and gives one of them. A `DataLoader` decides the order, gathers batches and stacks them. A `Sampler` is that order. With one that draws from our generator, PyTorch gets the very batches that `fit` takes:


# %%
class Digits(Dataset):
    def __init__(self, images, labels):
        self.images = torch.from_numpy(images)
        self.labels = torch.from_numpy(labels)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


class SameOrder(Sampler):
    """The order in which `fit` goes through n examples: drawn anew each epoch."""

    def __init__(self, n, rng):
        self.n, self.rng = n, rng

    def __iter__(self):
        return iter(self.rng.permutation(self.n).tolist())

    def __len__(self):
        return self.n


train_set = Digits(data.x_train, data.y_train)
order = SameOrder(len(train_set), np.random.default_rng(SEED))
loader = DataLoader(train_set, batch_size=32, sampler=order)
sizes = [len(x) for x, _ in loader]
print(f"{len(sizes)} batches, the last of {sizes[-1]}")
assert sum(sizes) == len(train_set) and set(sizes[:-1]) == {32}

# %% [markdown]
# The last batch is smaller, here as in `fit`; `drop_last=True` leaves it out. In practice you write `shuffle=True`. To have the same order at every run, hand the loader a generator of its own. Then nothing else that draws random numbers can change it:

# %%
def labels_in_order(seed):
    """The labels of one epoch, with a seeded generator."""
    own = torch.Generator().manual_seed(seed)
    shuffled = DataLoader(train_set, 100, shuffle=True, generator=own)
    return torch.cat([t for _, t in shuffled])


first = labels_in_order(1)
torch.rand(10)  # someone else draws
assert torch.equal(first, labels_in_order(1))
assert not torch.equal(first, labels_in_order(2))

# %% [markdown]
# `num_workers=4` would let four other processes fetch and prepare examples while the model computes. For pictures that have to be read from disk and decoded that matters; arrays that are in memory already need none.
#
# ## Ten lines beside `fit`
#
# The loop that you will write most often, and the one inside `fit`. Look for the same step in both:


# %%
def fit_pytorch(model, loader, optimizer, epochs):
    losses = []
    model.train()
    for _ in range(epochs):
        for x, t in loader:
            optimizer.zero_grad()  # gradients add up: begin at 0
            loss = F.cross_entropy(model(x), t)  # writes the graph
            loss.backward()  # fills .grad
            optimizer.step()  # reads .grad
            losses.append(loss.item())  # without the graph
    return losses


def fit_ours(net, data, optimizer, epochs, rng):
    losses = []
    for _ in range(epochs):
        order = rng.permutation(len(data.x_train))
        for at in range(0, len(order), 32):
            batch = order[at : at + 32]
            x, t = data.x_train[batch], data.y_train[batch]
            logits, cache = net.forward(x, train=True)
            loss, dlogits = nt.softmax_cross_entropy(logits, t)
            _, grads = net.backward(dlogits, cache, need_dx=False)
            optimizer.step(grads)
            losses.append(loss)
    return losses


# %% [markdown]
# The small convolutional network on handwritten digits, with Adam, the same first weights and the same batches, in both types:

# %% tags=["hide-input"]
EPOCHS = 4
curves = {}
for dtype in (np.float64, np.float32):
    typed = nt.digits(seed=SEED, dtype=dtype)
    net, by_fit = (nt.small_cnn(1, 8, 10, rng=np.random.default_rng(SEED), dtype=dtype)
                   for _ in range(2))
    model = twin(net)
    loader = DataLoader(Digits(typed.x_train, typed.y_train), batch_size=32,
                        sampler=SameOrder(len(typed.x_train), np.random.default_rng(1)))
    theirs = fit_pytorch(model, loader, torch.optim.Adam(model.parameters(), 0.003), EPOCHS)
    ours = fit_ours(net, typed, nt.Adam(net.params, 0.003), EPOCHS, np.random.default_rng(1))
    nt.fit(by_fit, (typed.x_train, typed.y_train), optimizer=nt.Adam(by_fit.params, 0.003),
           epochs=EPOCHS, batch_size=32, rng=np.random.default_rng(1), keep_best=False)
    assert all((by_fit.params[name] == net.params[name]).all() for name in net.params)
    curves[dtype] = np.array(ours), np.array(theirs)
    with torch.no_grad():
        said = model.eval()(torch.tensor(typed.x_test)).argmax(1).numpy()
    assert (said == nt.predict(net, typed.x_test)).all()
reached = float((said == typed.y_test).mean())


# %% tags=["remove-input"]
fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 5.2), sharex=True)
ours, theirs = curves[np.float32]
steps = np.arange(1, len(ours) + 1)
upper.plot(steps, ours, color=COLORS["blue"], linewidth=3.2, alpha=0.45)
upper.plot(steps, theirs, "--", color=COLORS["text"], linewidth=1)
upper.text(32, 1.75, "ours (broad)", color=COLORS["blue"])
upper.text(32, 1.35, "PyTorch (dashed)")
upper.set(title="One curve, drawn twice", ylabel="loss of the batch (nats)")
for dtype, color, marker in ((np.float64, "blue", "o"), (np.float32, "orange", "s")):
    gap = np.abs(curves[dtype][0] - curves[dtype][1])
    lower.plot(steps, np.maximum(gap, 1e-18), marker, color=COLORS[color], markersize=2.5)
    lower.text(steps[-1], 12 * gap.max(), np.dtype(dtype).name, color=COLORS[color], ha="right")
lower.axhspan(3e-19, 3e-18, color=COLORS["grid"], alpha=0.5, linewidth=0)
lower.set(title="Their difference", ylabel="difference (nats)", xlabel="step", yscale="log",
          ylim=(3e-19, 1))
powers = range(-15, 1, 3)
lower.set_yticks([1e-18, *(10.0**k for k in powers)], ["0", *(f"$10^{{{k}}}$" for k in powers)])
gaps = {dtype: np.abs(a - b) for dtype, (a, b) in curves.items()}
show(
    fig,
    name="same-training",
    alt=(
        f"Above, the batch loss of both programs over {len(steps)} steps, one on the other. Below, "
        f"their difference on a logarithmic axis: at most {gaps[np.float64].max():.0e} in float64 "
        f"and {gaps[np.float32].max():.0e} in float32."
    ),
    caption=(
        "The small CNN, trained by both. The two can be told apart only in the lower plot: from "
        "the first step to the last, the differences stay at rounding; those on the grey strip "
        "are 0."
    ),
)
assert gaps[np.float64].max() < 1e-12 and gaps[np.float32].max() < 1e-4

# %% [markdown]
# The losses are never farther apart than ${{ power(gaps[np.float64].max()) }}$ in float64 and ${{ power(gaps[np.float32].max()) }}$ in float32. `fit` itself, given the same order, ends with the very bits of the loop above. Both networks give the same answer to each of the {{ len(typed.y_test) }} test images; {{ reached:.1%}} of the answers are right.
#
# ## Where the numbers live
#
# A tensor lives on a device: `cpu`, `cuda` for a GPU. `.to(device)` moves a module's parameters and buffers where they stand. For a tensor it returns one on that device and leaves the old one where it was, so write `x = x.to(device)`. All tensors that meet in one operation must be on one device. There is a device that exists on every machine, `meta`, which has shapes and no numbers; on it the error looks the same:

# %%
try:
    nn.Linear(3, 2).to("meta")(torch.ones(1, 3))
    raise AssertionError("not noticed")
except RuntimeError as error:
    print(error)

device = "cuda" if torch.cuda.is_available() else "cpu"  # chosen for you
model = nn.Linear(3, 2).to(device)
assert model(torch.ones(1, 3).to(device)).device.type == device

print("TF32 in convolutions:", in_conv := torch.backends.cudnn.allow_tf32)
print("TF32 in products:", in_product := torch.backends.cuda.matmul.allow_tf32)
assert in_conv and not in_product

# %% [markdown]
# The last two lines are about the other surprise of a GPU. NVIDIA's GPUs since Ampere can round the factors of a float32 product to TF32, with 10 bits after the leading one where float32 has 23. It is faster, and its $\varepsilon$ is about $10^{-3}$. By default PyTorch allows it in convolutions and not in matrix products; its documentation (*CUDA semantics*) says so, and the two switches confirm it for this version. Comparisons such as those on this page would then have to be made on the CPU, or with the switch off.
#
# ## Does compiling help?
#
# `torch.compile(model)` records the operations and hands them to a compiler, which may fuse several into one loop and so read memory once instead of many times ([@ansel2024]). It costs time at the first call. Four cases, forward and backward, recorded on one thread of a processor: the small CNN with 64 images; its first ReLU alone; GELU by its formula with tanh ([@hendrycks2016]), eight elementwise operations, on a million numbers; and `gelu(z, approximate="tanh")`, PyTorch's own function for that formula.

# %% tags=["remove-input"]
recorded = json.loads(Path("benchmarks/chapters.json").read_text(encoding="utf-8"))["compile"]
lines, speedup, taken = [], {}, {}
titles = {"network": "small CNN", "relu": "its first ReLU", "chain": "GELU, its formula",
          "gelu": "GELU, PyTorch's own"}
for key, title in titles.items():
    if key not in recorded:
        lines.append(f"| {title} | – | – | not possible: {recorded['impossible']} | – |")
        continue
    entry = recorded[key]
    taken[key] = [1e3 * float(np.median(entry[way])) for way in ("eager", "compiled")]
    pairs = np.array(entry["eager"]) / np.array(entry["compiled"])
    low, speedup[key], high = np.quantile(pairs, [0.25, 0.5, 0.75])
    kept_mb = [entry["kept"][way] / 1e6 for way in ("eager", "compiled")]
    lines.append(f"| {title} | {taken[key][0]:.2f} ms, {kept_mb[0]:.1f} MB | {taken[key][1]:.2f} ms, "
                 f"{kept_mb[1]:.1f} MB | {speedup[key]:.2f} ({low:.2f} to {high:.2f}) |")
if "impossible" in recorded:
    compile_verdict = "Where this was recorded nothing could be compiled, so there is no verdict."
    compile_cause = ""
else:
    for key in ("truth values", "floats"):  # the ReLU's comparison alone, stored in two ways
        taken[key] = [1e3 * float(np.median(recorded[key][way])) for way in ("eager", "compiled")]
    lost = {key: after - before for key, (before, after) in taken.items()}
    mask = recorded["relu"]["kept"]
    assert speedup["chain"] > 1 > speedup["network"] and mask["eager"] == 4 * mask["compiled"]
    assert speedup["relu"] < 1 and max(recorded[key]["apart"] for key in titles) < 1e-5
    assert lost["truth values"] > lost["relu"] / 2 and lost["floats"] < 0
    assert taken["gelu"][0] < taken["chain"][1] and speedup["gelu"] < speedup["chain"]
    compile_verdict = (
        f"GELU's formula is {speedup['chain']:.2f} times as fast: one loop instead of eight. That is "
        f"still not as fast as PyTorch's own function, which is one loop already and takes "
        f"{taken['gelu'][0]:.1f} ms: before you compile a formula, see whether it has a name. "
        f"The network becomes *slower*: a step takes {1 / speedup['network']:.2f} times as long. Convolutions "
        "and matrix products come from libraries that are tuned by hand, so there is little to "
        "fuse. Both ways gave the same loss. The first step, in which the compiler runs, took "
        f"{recorded['network']['first']:.0f} seconds for the network, loading the compiler included.")
    compile_cause = (
        "The ReLU is another matter. Compiled, it keeps a quarter of the memory, because it keeps a mask "
        "of one byte for each number, as ours does. And it is slow: alone, this ReLU loses "
        f"{lost['relu']:.1f} ms, where the whole network loses {lost['network']:.1f}. The mask is "
        "the cause. The comparison $x \\le 0$ was recorded on its own, too. With its answers "
        f"stored as truth values of one byte it takes {taken['truth values'][1]:.1f} ms compiled, and "
        f"{taken['truth values'][0]:.1f} in eager mode; with the same answers stored as float32, "
        f"{taken['floats'][1]:.1f} ms compiled. So the compiler's loop compares quickly, and "
        "takes its time to turn the answers into bytes. Another version or another processor may do "
        "better.")
Markdown("| | Eager | Compiled | Times as fast (middle half) |\n"
         "|---|---|---|---|\n" + "\n".join(lines))

# %% [markdown]
# {{ compile_verdict }} (Times are processor time, recorded on {{ recorded["date"] }} with `make bench` and PyTorch {{ recorded["torch"] }}; megabytes are what autograd saves.)
#
# {{ compile_cause }}
#
# How large these ratios are depends on the machine and on what else it does. On a GPU, or with other shapes, the answer may be different: measure before you believe, and count the steps that pay for the first. [How fast is it?](../verify/speed.py) does the same for the layers of this book; its record is another one, so compare times within one table only.
#
# ## How far do two right programs drift apart?
#
# In each step the two libraries round differently, and the next step starts from there.
#
# **The question.** Two right implementations begin with the same weights and see the same batches. How far apart are their networks at the end, and does it matter?
#
# **A prediction.** Each step adds a rounding error of a random sign, so the distance should grow like a random walk, with the square root of the number of steps: from about $\varepsilon$ to some 20 $\varepsilon$ in 380 steps. It should never show in an accuracy.
#
# An MLP with 32 hidden units, 600 digits for training and 1,000 for testing, SGD with momentum 0.9, twenty epochs, five seeds, at a calm learning rate of 0.05 and at a lively one of 0.25. The **baseline** is PyTorch against *itself*, with each weight of the last layer moved to the next number that the type can hold: the smallest change there is.

# %% tags=["hide-input"]
RATES, DTYPES, SEEDS = (0.05, 0.25), (np.float64, np.float32), range(5)


def numbers(net):
    """All parameters of ours in one row, PyTorch's way round."""
    return np.concatenate([(p.T if p.ndim == 2 else p).ravel() for p in net.params.values()])


def race(lr, dtype):
    """For each seed, by step: distances of ours and of the nudged one from PyTorch, flipped ReLUs.

    PyTorch trains the twins of all seeds, and then all of the nudged ones, in one stack.
    """
    digits = nt.digits(sizes=(600, 197, 1000), seed=SEED, dtype=dtype)
    x, x_test = (part.reshape(len(part), -1) for part in (digits.x_train, digits.x_test))
    draws = [np.random.default_rng(seed) for seed in SEEDS]
    nets = [nt.mlp(64, [32], 10, rng=draw, dtype=dtype) for draw in draws]
    twins = zip(*(twin(net).parameters() for net in nets))
    params = [nn.Parameter(torch.stack([p.detach() for p in same] * 2)) for same in twins]
    w1, b1, w2, b2 = params
    with torch.no_grad():
        w = w2[len(SEEDS):]
        w.copy_(torch.nextafter(w, torch.full_like(w, 9)))
    ours = [nt.SGD(net.params, lr, momentum=0.9) for net in nets]
    theirs = torch.optim.SGD(params, lr, momentum=0.9)

    def forward(inputs):
        hidden = torch.baddbmm(b1[:, None], inputs, w1.mT).relu()
        return hidden, torch.baddbmm(b2[:, None], hidden, w2.mT)

    def distances():
        stack = torch.cat([p.detach().flatten(1) for p in params], 1).numpy()
        middle, nudged = stack.reshape(2, len(SEEDS), -1)
        return [np.linalg.norm(other - middle, axis=1) / np.linalg.norm(middle, axis=1)
                for other in (np.array([numbers(net) for net in nets]), nudged)]

    orders = (np.array([draw.permutation(600) for draw in draws]) for _ in range(20))
    track, flips = [], []
    for batches in (b for order in orders for b in np.array_split(order, 19, axis=1)):
        gates = []
        for net, optimizer, batch in zip(nets, ours, batches):
            logits, cache = net.forward(x[batch])
            _, dlogits = nt.softmax_cross_entropy(logits, digits.y_train[batch])
            optimizer.step(net.backward(dlogits, cache, need_dx=False)[1])
            gates.append(cache[1])
        twice = np.concatenate([batches] * 2)
        hidden, logits = forward(torch.from_numpy(x[twice]))
        t = torch.from_numpy(digits.y_train[twice])
        theirs.zero_grad()
        loss = F.cross_entropy(logits.mT, t, reduction="sum") / batches.shape[1]  # a mean for each
        loss.backward()
        theirs.step()
        positive, moved = (hidden > 0).numpy().reshape(2, *np.shape(gates))
        flips.append([(positive != other).sum((1, 2)) for other in (gates, moved)])
        track.append(distances())
    with torch.no_grad():
        told = forward(torch.from_numpy(x_test).expand(len(w1), -1, -1))[1].argmax(2).numpy()
    said = np.array([[net(x_test).argmax(1) for net in nets], told[: len(SEEDS)]])
    scores = (said == digits.y_test).mean(2)
    return list(zip(np.moveaxis(track, 2, 0), scores.T, (said[0] != said[1]).sum(1),
                    np.moveaxis(flips, 2, 0)))


runs = {(lr, dtype): race(lr, dtype) for lr in RATES for dtype in DTYPES}

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(4.8, 6.0), sharex=True, sharey=True)
steps = np.arange(1, 381)
drift = {}
for ax, lr, word in zip(axes, RATES, ("Calm", "Lively"), strict=True):
    for dtype, color in zip(DTYPES, ("blue", "orange"), strict=True):
        track = np.array([distances for distances, *_ in runs[lr, dtype]])
        drift[lr, dtype] = track
        ax.fill_between(steps, track[:, :, 0].min(0), track[:, :, 0].max(0), alpha=0.15,
                        color=COLORS[color], linewidth=0)
        ax.plot(steps, track[:, :, 1].T, ":", color=COLORS[color], linewidth=0.9)
        ax.plot(steps, np.median(track[:, :, 0], axis=0), color=COLORS[color])
        ax.text(375, {0.05: 1e-2, 0.25: 3e-3}[lr] * np.finfo(dtype).eps * (1 if lr < 0.1 else 1e2),
                np.dtype(dtype).name, color=COLORS[color], ha="right")
    ax.set(title=f"{word}: learning rate {lr:g}", yscale="log", ylim=(1e-20, 10),
           ylabel="distance / length of weights")
axes[1].set(xlabel="step")
final = {key: track[:, -1, 0] for key, track in drift.items()}
show(
    fig,
    name="drift",
    alt=(
        "Distance between the two networks against the step, logarithmic. At the calm learning "
        f"rate it ends near {np.median(final[0.05, np.float64]):.0e} in float64 and "
        f"{np.median(final[0.05, np.float32]):.0e} in float32. At the lively one it climbs "
        f"roughly on a straight line to {np.median(final[0.25, np.float64]):.0e} and "
        f"{np.median(final[0.25, np.float32]):.0e}."
    ),
    caption=(
        "Solid: ours against PyTorch, median of five seeds, with bands from the smallest to the "
        "largest. Dotted: PyTorch against itself after the smallest nudge, each seed. Above, the "
        "solid curves flatten; below, they rise in a straight line, which on this axis is a "
        "constant factor per step, until float32 has no further to go."
    ),
)

# %% tags=["remove-input"]
apart_of = {key: np.array([abs(a - b) for _, (a, b), *_ in found]) for key, found in runs.items()}
changed = {key: np.array([count for _, _, count, _ in found]) for key, found in runs.items()}
spread = {key: np.std([a for _, (a, _), *_ in found], ddof=1) for key, found in runs.items()}
flips = {key: np.array([f for *_, f in found]) for key, found in runs.items()}
calm = np.array([np.polyfit(np.log(steps[9:]), np.log(track[9:, 0]), 1)[0]
                 for track in drift[0.05, np.float64]])
lively = np.array([np.log(2) / np.polyfit(steps[99:], np.log(track[99:, 0]), 1)[0]
                   for track in drift[0.25, np.float64]])
calm_pairs = [(drift[0.05, d][seed, :, w], flips[0.05, d][seed, :, w])
              for d in DTYPES for seed in SEEDS for w in (0, 1)]
jumped = [(track, flip) for track, flip in calm_pairs if flip.any()]
if jumped:
    track, flip = jumped[0]
    at = int(np.nonzero(flip)[0][0])
    relus = "one ReLU" if flip[at] == 1 else f"{flip[at]} ReLUs"
    kink = (f"In {len(jumped)} of the {len(calm_pairs)} calm pairs (look for it among the dotted lines) a "
            f"kink was all it took. At step "
            f"{at + 1} the input of {relus} lay so near 0 that it was positive in one network "
            f"and not in the other, and one let a gradient through that the other stopped. There "
            f"the distance jumped from ${power(track[at - 1])}$ to ${power(track[at])}$, and it "
            f"ended at ${power(track[-1])}$.")
else:
    kink = (f"In none of the {len(calm_pairs)} calm pairs did a ReLU's input come out on different sides of 0; "
            "where it happens, the distance jumps within one step.")
first_flips = [int(np.nonzero(f[:, 0])[0][0]) for f in flips[0.25, np.float32] if f[:, 0].any()]
before = [drift[0.25, np.float32][seed, at - 1, 0] for seed, at in zip(
    [i for i, f in enumerate(flips[0.25, np.float32]) if f[:, 0].any()], first_flips)]
assert (calm > 0.4).all() and (calm < 0.7).all() and (lively < 60).all()
assert flips[0.25, np.float64].sum() == 0 and apart_of[0.05, np.float64].max() == 0
assert final[0.25, np.float64].min() > 100 * final[0.05, np.float64].max()
assert np.median(final[0.05, np.float32]) < 1e-6 and final[0.25, np.float32].max() > 1e-3
self_apart = drift[0.25, np.float32][:, -1, 1]
assert 0.1 < np.median(self_apart) / np.median(final[0.25, np.float32]) < 10

# %% [markdown]
# **The verdict.** At the calm rate the prediction holds: in float64 the distance grows like the number of steps to the power {{ calm.min():.2f}} to {{ calm.max():.2f}}, over the five seeds, where a random walk has one half. It ends at {{ np.median(final[0.05, np.float64]) / np.finfo(np.float64).eps:.1f}} $\varepsilon$, which is less than predicted; the likely reason is that a step adds only a small multiple of a gradient to a weight, and with it only a small multiple of the gradient's rounding. Of 1,000 test images, {{ changed[0.05, np.float64].max() }} got a different answer in float64 and {{ changed[0.05, np.float32].max() }} in float32.
#
# At the lively rate it fails. The distance *doubles* every {{ lively.min():.0f}} to {{ lively.max():.0f}} steps (float64, from step 100 on): each step stretches whatever difference is there. In float64 that is still invisible at the end: {{ changed[0.25, np.float64].max() }} answers differ. In float32 there is less room. The networks end up to {{ final[0.25, np.float32].max():.0%}} of their length apart, {{ changed[0.25, np.float32].min() }} to {{ changed[0.25, np.float32].max() }} of 1,000 answers differ, and the two accuracies by up to {{ 100 * apart_of[0.25, np.float32].max():.1f}} points. Which of the two programs is right? Both. After the smallest nudge PyTorch ends about as far from itself, {{ np.median(self_apart):.0%}} in the median where ours is {{ np.median(final[0.25, np.float32]):.0%}} away. Between seeds the accuracy has a standard deviation of {{ 100 * spread[0.25, np.float32]:.1f}} points; rounding has become one more seed.
#
# **Kinks.** The stretching needs no kink: in the float64 runs not one ReLU decided differently in the two networks. In float32 that began at a distance of about ${{ power(np.median(before)) }}$. {{ kink }}
#
# **What this does not show.** How fast larger or other networks drift: one architecture and two learning rates were tried, on one processor. And a small distance does not prove that a program is right. A wrong gradient that is nearly right passes such a comparison for a while; that is what [gradient checks](../foundations/gradient_checking.py) are for. Compare one step, in float64, and not the end of a training.
#
# ## Seven ways to get it wrong
#
# A small MLP for digits, trained once as it should be and then with one line missing or one too many.


# %%
targets = torch.from_numpy(data.y_train)
test_targets = torch.from_numpy(data.y_test)


def net_of(*last):
    """A small MLP with PyTorch's own first weights, the same each time."""
    torch.manual_seed(SEED)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), *last)


def step(model, optimizer, batch, zero=True):
    if zero:
        optimizer.zero_grad()
    F.cross_entropy(model(images[batch]), targets[batch]).backward()
    optimizer.step()


def learn(model, *, lr=0.1, zero=True, epochs=10):
    """Train by SGD; return training loss and test accuracy."""
    optimizer = torch.optim.SGD(model.parameters(), lr)
    own = torch.Generator().manual_seed(SEED)
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=own).split(32):
            step(model, optimizer, batch, zero)
    with torch.no_grad():
        right = model(test_images).argmax(1) == test_targets
        loss = F.cross_entropy(model(images), targets)
    return loss.item(), right.float().mean().item()


# %% [markdown]
# **1. `zero_grad` is forgotten. 2. A softmax before `F.cross_entropy`,** which takes one itself. Neither raises an error.

# %%
floor = np.log(1 + 9 / np.e)  # softmax of (1, 0, …, 0), ten classes
results = {
    "as it should be": learn(net_of()),
    "no zero_grad": learn(net_of(), zero=False),
    "two softmaxes": learn(net_of(nn.Softmax(1))),
    "two, higher rate": learn(net_of(nn.Softmax(1)), lr=3.0, epochs=30),
}
for name, (end, accuracy) in results.items():
    print(f"{name:<16} loss {end:.2f}, accuracy {accuracy:.0%}")
assert results["no zero_grad"][1] < results["as it should be"][1] - 0.2
assert results["two softmaxes"][0] > 2
assert floor < results["two, higher rate"][0] < floor + 0.1
assert results["two, higher rate"][1] > 0.9

# %% [markdown]
# And two checks that need no training:

# %%
for zero in (True, False):  # the same step twice, at a learning rate of 0
    model, norms = net_of(), []
    still = torch.optim.SGD(model.parameters(), 0.0)
    for _ in range(2):
        step(model, still, torch.arange(32), zero)
        norms.append(model[0].weight.grad.norm())
    ratio = float(norms[1] / norms[0])
    print(f"zero_grad {zero!s:<5}: the second gradient is {ratio:.1f} times the first")
    assert round(ratio, 6) == (1 if zero else 2)

p = torch.softmax(net_of()(images), 1)
once, twice = F.nll_loss(p.log(), targets), F.cross_entropy(p, targets)
print(f"softmax once: loss {once:.3f}, twice: {twice:.3f}")
assert abs(once - twice) > 0.005

# %% [markdown]
# Without `zero_grad` each step follows the sum of *all* gradients so far. That is momentum with $\mu = 1$: nothing ever slows it down, and the loss swings up. The check: at a learning rate of 0, the same step twice must leave the same `.grad`.
#
# With a second softmax the network hardly learns at the same rate, because the gradient is small. At thirty times the rate, and in three times the epochs, it learns well, and the loss still stops near {{ results["two, higher rate"][0]:.2f}}: it cannot fall below $\ln(1 + 9/e) = {{ floor:.2f}}$, the loss of a network that is certain and right. A loss that stops there gives it away. The check computes the loss in two ways: for probabilities, `F.nll_loss(p.log(), t)` is the right one.
#
# **3. `eval()` is forgotten.** A network with batch normalisation, trained by our `fit`, answers the same test images in batches of 25: in evaluation mode, in training mode, and in training mode with the images sorted by digit.

# %%
draw = np.random.default_rng(SEED)
normed = nt.mlp(64, [32], 10, rng=draw, batch_norm=True)
nt.fit(normed, (images.numpy(), data.y_train), epochs=5, batch_size=32,
       optimizer=nt.SGD(normed.params, 0.1), rng=draw)
mixed = torch.arange(len(test_images))
by_digit = test_targets.argsort(stable=True)
scores = {}
for name, order, train in (("eval", mixed, False), ("train", mixed, True),
                           ("train, sorted", by_digit, True)):
    model = twin(normed).train(train)
    before = model[1].running_mean.clone()
    with torch.no_grad():
        parts = [model(test_images[b]).argmax(1) for b in order.split(25)]
    right = torch.cat(parts) == test_targets[order]
    scores[name] = right.float().mean().item()
    moved = not torch.equal(before, model[1].running_mean)
    print(f"{name:<13} accuracy {scores[name]:.1%}, statistics moved: {moved}")
    assert moved == train
assert scores["train, sorted"] < 0.5 < scores["train"]

# %% [markdown]
# With mixed batches the accuracy in training mode looks believable, {{ scores["train"]:.1%}}, and does not give the mistake away. With images of one digit in a batch, normalising takes away what they have in common, which is the digit. And *looking* changed the model: the running statistics moved. `no_grad` does not prevent that; it stops the graph and leaves the mode alone. The check: predict the same image alone and in a batch, and compare. In our layers `layer(x)` is always evaluation, and training has to be asked for.
#
# **4. `detach` or `.data` in the middle.** The forward pass is unhurt; everything below gets no gradient, and stays as it was on the first day. The check is one line, after the first `backward`:

# %%
model = net_of()
hidden = torch.relu(model[0](images[:32])).detach()  # "to save memory"
F.cross_entropy(model[2](hidden), targets[:32]).backward()
without = [name for name, p in model.named_parameters() if p.grad is None]
print("no gradient:", without)
assert without == ["0.weight", "0.bias"]

# %% [markdown]
# **5. Losses are kept with their graphs.** `total += loss` instead of `loss.item()`, in a loop that measures and never calls `backward`. Each loss holds its graph, and the graph holds what it saved. Count the saved tensors that are still alive after twenty batches:


# %%
living = weakref.WeakSet()


class Saved:
    """A saved tensor that can be counted."""

    def __init__(self, tensor):
        self.tensor = tensor.detach()  # no way back to its node
        living.add(self)


def saved_after(how, *, backward=False):
    """Sum 20 losses; return how many saved tensors are alive then."""
    model, total = net_of(), 0.0
    hooks = torch.autograd.graph.saved_tensors_hooks
    with hooks(Saved, lambda saved: saved.tensor):
        for batch in torch.arange(640).split(32):
            logits = model(images[batch])
            loss = F.cross_entropy(logits, targets[batch])
            if backward:
                loss.backward()
            total = total + how(loss)
        del loss, logits
    return len(living)


counts = {
    "loss": saved_after(lambda loss: loss),
    "loss.item()": saved_after(lambda loss: loss.item()),
    "loss, after backward": saved_after(lambda loss: loss, backward=True),
}
for name, count in counts.items():
    print(f"total + {name:<21} {count:>3} tensors alive")
assert counts["loss"] >= 100 and counts["loss.item()"] == 0

# %% [markdown]
# The memory grows with every batch, until there is none left. The third line shows why the mistake is often harmless in a training loop: `backward` frees what was saved, and only the empty nodes remain. `.item()` and `torch.no_grad()` are the cure.
#
# **6. The weight is copied without transposing it.** Where the layer is not square, the shapes protest. Where it is, nothing does:

# %%
square = nt.Linear(8, 8, rng=rng, dtype=np.float64)
careless = nn.Linear(8, 8, dtype=torch.float64)
x = rng.standard_normal((3, 8))
errors = {}
ours = square.params["weight"]
for name, w in (("as it is", ours), ("transposed", ours.T)):
    state = {"weight": torch.tensor(w), "bias": torch.zeros(8)}
    careless.load_state_dict(state)
    theirs = careless(torch.tensor(x)).detach().numpy()
    errors[name] = apart(square(x), theirs)
    print(f"copied {name:<11} outputs {errors[name]:.0e} apart")
assert errors["transposed"] < 1e-15 and errors["as it is"] > 0.1

# %% [markdown]
# Only the outputs show it. This is why the checks of this book use sizes that differ from each other.
#
# **7. Labels of the wrong type.** This one is loud, and after the others you will be grateful. Class labels must be `int64` (or bytes):

# %%
for label_type in (torch.int32, torch.float32):
    try:
        wrong = torch.tensor([0, 1]).to(label_type)
        F.cross_entropy(torch.zeros(2, 3), wrong)
        raise AssertionError("not noticed")
    except RuntimeError as error:
        print(error)
nonsense = F.cross_entropy(torch.zeros(2, 3), torch.full((2, 3), 5.0))
print(f"a matrix of fives as target: loss {nonsense:.1f}")

# %% [markdown]
# A float target of shape $(N, C)$ is accepted: each row is read as a distribution over the classes, and PyTorch does not check that it sums to 1. So a matrix that was meant as something else passes without a word.
#
# ## In five lines
#
# - You write the forward pass, and PyTorch's graph goes back over the same gradients as our layers.
# - Its linear weight lies on its side; every other difference between the twins is rounding.
# - `backward` adds to `.grad`, so set the gradients to `None` before each step.
# - Do not change a tensor in place that the way back needs: PyTorch notices; our layers would not.
# - A module keeps the books: what is neither parameter nor buffer is not moved and not saved.
#
# ## Try it
#
# ??? question "1. Our `backward` returns gradients and PyTorch's returns nothing. Where did they go?"
#     Into `.grad` of the leaves, added to what was there. `torch.autograd.grad(loss, tensors)` returns them instead, and leaves every `.grad` alone: that is closest to ours.
#
# ??? question "2. A parameter is used in two layers. Who adds its two gradients?"
#     In PyTorch `AccumulateGrad`, which adds whatever reaches it. Here `Sequential`: it knows a shared array by its identity, gives it one name, and adds. If you call the layers yourself, you add them.
#
# ??? question "3. You may take half of the batch at a time. How do you get the gradient of the whole?"
#     Call `backward` on each half's *sum* of losses divided by the size of the whole batch, without `zero_grad` between them, then step once. With two means you would get twice the gradient. With batch normalisation it is not the same: each half has its own mean.
#
# ??? question "4. Two libraries disagree by 3 % after an hour of training. Is one of them wrong?"
#     You cannot tell from that. Compare one step from the same weights in float64: a few $\varepsilon$ means that both do the same, and the rest is drift. A relative difference of a thousandth in one gradient means a mistake.
#
# ??? question "5. For the notebook: write `OurSoftmax` for ReLU, and put the mask into `save_for_backward`. What does `gradcheck` say at 0?"
#     Use `z = torch.zeros(3, dtype=torch.float64, requires_grad=True)`. The differences straddle the kink and find one half, while your formula says 0: it fails, and rightly, since there is no slope to be found. Keep the inputs away from 0.
#
# ## Sources
#
# - Paszke and others (2019), *PyTorch: an imperative style, high-performance deep learning library*, NeurIPS: the library.
# - Baydin, Pearlmutter, Radul and Siskind (2018), *Automatic differentiation in machine learning: a survey*, JMLR: what autograd is, and what it is not.
# - Hendrycks and Gimpel (2016), *Gaussian error linear units (GELUs)*, arXiv:1606.08415: the chain that was compiled.
# - Ansel and others (2024), *PyTorch 2: faster machine learning through dynamic Python bytecode transformation and graph compilation*, ASPLOS: `torch.compile`.
# - PyTorch documentation: *Autograd mechanics* (saved tensors, in-place changes), *CUDA semantics* (TF32).
# - Higham (2002), *Accuracy and stability of numerical algorithms*, SIAM: what the order of a sum does to its rounding.
