# ---
# title: "Transfer learning: AlexNet to CIFAR-10"
# description: Put a new classifier on convolutions that were trained elsewhere, freeze them or not, add the control that most tutorials leave out, and audit the training until nothing has to be believed.
# tags:
#   - pytorch
# ---

# %% [markdown]
# # Transfer learning: AlexNet to CIFAR-10
#
# You have few labelled pictures, and somebody else had many. Transfer learning takes the first layers of *their* network, which have learnt to see, and puts a classifier of your own behind them. At the end of this page you know what freezing those layers means for the chain rule, what it saves and what it does not, whether the borrowed layers helped here, and how to check that a training was what it says it was.
#
# You need [a CNN for Fashion-MNIST](fashion_mnist.py), which trains with the same code, and [convolution](../layers/convolution.py).

# %% tags=["hide-input"]
import copy
import importlib.util
import itertools
import tempfile
import textwrap
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from matplotlib.patches import Rectangle
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from nn_tutorial import wilson
from nn_tutorial.data import DataNotFoundError, digits, stratified_split
from nn_tutorial.data.cifar import BATCHES, CLASSES, cifar10_stored, find_cifar10
from nn_tutorial.data.dataset import identity, remember
from nn_tutorial.data.image_folder import open_tree, read_images
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style
from nn_tutorial.pytorch.audit import Audit, ReadOnce
from nn_tutorial.pytorch.modules import BatchNorm2d, Dropout
from nn_tutorial.pytorch.networks import alexnet, count_parameters
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.records import read_record
from nn_tutorial.pytorch.training import (
    Images,
    Normalisation,
    Plan,
    evaluate,
    normalisation,
    prepare,
    train,
)

SEED = 0
SIZE = 64  # pixels, height and width
use_style()
ALONE = Processes(0, 1, torch.device("cpu"))

fig, ax = plt.subplots(figsize=(5.2, 2.5))
for place in range(8):
    frozen, height = place < 5, 1.0
    ax.add_patch(Rectangle((place + 0.12, -0.5), 0.76, height, linewidth=1.4,
                           facecolor=COLORS["blue" if frozen else "orange"], alpha=0.2))
    ax.add_patch(Rectangle((place + 0.12, -0.5), 0.76, height, linewidth=1.4, fill=False,
                           edgecolor=COLORS["blue" if frozen else "orange"],
                           linestyle="-" if frozen else "--"))
    ax.text(place + 0.5, 0, f"conv\n{place + 1}" if frozen else f"linear\n{place - 4}",
            ha="center", va="center", fontsize=9)
arrow = {"arrowstyle": "-|>", "linewidth": 2, "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0}
ax.annotate("", (8.35, 0.85), (-0.2, 0.85), arrowprops=arrow | {"color": COLORS["blue"]})
ax.annotate("", (5.12, -0.85), (8.35, -0.85),
            arrowprops=arrow | {"color": COLORS["orange"], "linestyle": "-"})
ax.plot([5, 5], [-1.25, 0.62], color=COLORS["muted"], linestyle=":", linewidth=1.5)
ax.text(4.05, 1.0, "forward: through all eight", color=COLORS["blue"], ha="center", va="bottom")
ax.text(6.7, -1.0, "backward: ends here", color=COLORS["orange"], ha="center", va="top")
ax.text(2.5, -0.62, "frozen: weights from elsewhere", ha="center", va="top")
ax.text(6.5, 0.56, "new: trained", ha="center", va="bottom", fontsize=9)
ax.set(xlim=(-0.3, 8.45), ylim=(-1.5, 1.45))
ax.axis("off")
show(
    fig,
    name="fence",
    alt=(
        "Eight boxes in a row: five convolutions, marked as frozen, and three linear layers, "
        "marked as new and trained. An arrow forward passes all eight. An arrow backward comes "
        "from the right and ends at the first linear layer."
    ),
    caption=(
        "AlexNet with a new classifier. Look at the lower arrow: the gradient is not blocked at "
        "the dotted line. Nobody on the other side has asked for it."
    ),
)

# %% tags=["hide-input"]
class Live(NamedTuple):
    """The pictures of the runs on this page: some of CIFAR-10, else the digits, in colour."""

    name: str
    classes: tuple[str, ...]
    train: Images
    val: Images
    test: Images


def called(name, source):
    """The data's name; and that it is a JPEG copy, where it is one."""
    return f"{name} (JPEG copy)" if "JPG" in source or "JPEG" in source else name


def first_images(place, part, each):
    """The first pictures of each class by name, as bytes, and their classes."""
    root = open_tree(place)
    if isinstance(root, Path):
        names = [f"{part}/{c}/{f.name}" for c in CLASSES for f in (root / part / c).iterdir()]
    else:
        names = [n for n in root.root.namelist() if n.startswith(f"{part}/") and n[-1] != "/"]
    chosen, taken = [], Counter()
    for name in sorted(names):
        folder = PurePosixPath(name).parent.name
        taken[folder] += 1
        if taken[folder] <= each:
            chosen.append((root / name, CLASSES.index(folder)))
    places, labels = zip(*chosen)
    return read_images(places, None), np.array(labels), PurePosixPath(name).suffix


def find_pictures(each=40, each_test=20):
    try:
        place = find_cifar10()
    except DataNotFoundError:
        data, parts = digits(seed=SEED), []
        for part, n in (("train", 320), ("val", 80), ("test", 200)):
            x = torch.from_numpy(getattr(data, f"x_{part}")[:n]).repeat(1, 3, 1, 1)
            y = torch.from_numpy(getattr(data, f"y_{part}")[:n])
            parts.append(Images((255 * x).round().to(torch.uint8), y))
        return Live("digits", data.class_names, *parts)
    if place.name == BATCHES:
        found, kind = [], ""
        stored = cifar10_stored()
        for x, y, n in ((stored.x_train, stored.y_train, each),
                        (stored.x_test, stored.y_test, each_test)):
            rows = np.concatenate([np.flatnonzero(y == c)[:n] for c in range(10)])
            found.append((x[rows], y[rows]))
    else:
        *first, kind = first_images(place, "train", each)
        *last, _ = first_images(place, "test", each_test)
        found = [first, last]
    (x, y), (x_test, y_test) = found
    kept, held = stratified_split(y, (8 * each, 2 * each), rng=np.random.default_rng(SEED))
    name = called("CIFAR-10", kind.upper())
    remember(f"{name}, {len(y)} + {len(y_test)} pictures", identity(x, y, x_test, y_test))
    x, y, x_test, y_test = (torch.from_numpy(a) for a in (x, y, x_test, y_test))
    return Live(name, CLASSES, Images(x[kept], y[kept]), Images(x[held], y[held]),
                Images(x_test, y_test))


live = find_pictures()
HERE, PHOTOS = live.name, live.name != "digits"
KINDS = {
    "frozen": "pretrained, frozen",
    "unfrozen": "pretrained, unfrozen",
    "frozen-random": "random, frozen",
    "scratch": "random, unfrozen",
}
records = Path("docs/records")
runs = {kind: read_record(records / f"cifar10-{kind}.json") for kind in KINDS}
pretraining = read_record(records / "alexnet-cifar100.json")
(THERE,) = {called(run["data"]["name"], run["data"]["source"]) for run in runs.values()}
SOURCE = pretraining["data"]["name"]
WEIGHTS = f"{SOURCE}, {pretraining['plan']['epochs']} epochs"
assert THERE.startswith("CIFAR-10")
assert all(run["plan"] == runs["frozen"]["plan"] for run in runs.values())
assert all(run["plan"]["image_size"] == SIZE for run in runs.values())
for kind, run in runs.items():
    pretrained, held_still = kind in ("frozen", "unfrozen"), kind.startswith("frozen")
    assert run["weights_origin"] == ("file" if pretrained else "random")
    assert run["network"]["freeze"] == held_still
    if pretrained:
        assert run["weights_sha256"] == pretraining["backbone_sha256"]
assert runs["frozen-random"]["weights_sha256"] == runs["scratch"]["weights_sha256"]

# %% tags=["remove-input"]
about = (
    f"The long trainings were recorded on {THERE}: photographs that were saved once more, so that "
    "their pixels differ a little from the original ones, and no number from them may be set "
    f"beside a published one. The pretrained convolutions come from **{SOURCE}**, not from ImageNet, whose weights could not be "
    "had where the runs were made."
)
if PHOTOS:
    box = (
        f'!!! info "Two kinds of numbers on this page"\n    {about} The short runs happen when '
        f"the page is built, on {len(live.train.x)} training pictures of {HERE} and with random "
        "convolutions. Each number says which."
    )
else:
    box = (
        '!!! warning "CIFAR-10 was not found when this page was built"\n'
        f"    All short runs on this page are of **{HERE}**: {len(live.train.x)} handwritten grey "
        f"digits, given three equal channels and enlarged from 8×8 to {SIZE}×{SIZE} pixels, with "
        "random convolutions. Fetch the photographs with `python -m nn_tutorial.data download "
        "cifar10`, or name their folder in `NN_TUTORIAL_DATA`, and build the page again.\n\n"
        f"    {about} Their numbers are shown under that name, and under no other."
    )
display(Markdown(box))

# %% [markdown]
# ## Shapes first
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, 3, H, W)$ | pictures, enlarged to {{ SIZE }}×{{ SIZE }} pixels |
# | $t$ | `y` | $(N)$ | the class of each picture, 0 to 9 |
# | $X_\ell$ | | its own | what comes out of layer $\ell$; $X_0 = X$ |
# | $\theta_\ell$ | | its own | weights and biases of layer $\ell$ |
# | $m_\ell$ | `work` | one number | multiplications of layer $\ell$, forward, one picture |
# | $Z$ | `logits` | $(N, 10)$ | scores, $X_8$ |
#
# The convolutions are torchvision's AlexNet ([@krizhevsky2014], a variant of [@krizhevsky2012]). The classifier is new: three linear layers, 9216 → 4096 → 1024 → 10.

# %% tags=["remove-input"]
show_source(alexnet)

# %% [markdown]
# One picture sent through it. Layer by layer, what comes out, how many numbers are learnt, and how often two numbers are multiplied:

# %% tags=["remove-input"]
def layers_of(model, size):
    """A row for each layer with weights: name, output, parameters, multiplications."""
    rows = []

    def note(layer, _, out):
        conv = isinstance(layer, nn.Conv2d)
        number = 1 + sum(row[0].startswith("conv" if conv else "linear") for row in rows)
        places = out.shape[2] * out.shape[3] if conv else 1
        rows.append((f"{'conv' if conv else 'linear'} {number}", tuple(out.shape[1:]),
                     count_parameters(layer), layer.weight.numel() * places))

    hooks = [layer.register_forward_hook(note) for layer in model.modules()
             if isinstance(layer, (nn.Conv2d, nn.Linear))]
    with torch.inference_mode():
        model(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return rows


free_net = alexnet(freeze=False, seed=SEED).eval()
table = layers_of(free_net, SIZE)
numbers = np.array([row[2] for row in table])
work = np.array([row[3] for row in table])
display(Markdown(
    "| Layer | Output | Parameters | Multiplications |\n|---|---|---|---|\n"
    + "\n".join(f"| {a} | {'×'.join(map(str, b))} | {c:,} | {d:,} |" for a, b, c, d in table)
    + f"\n| together | | **{numbers.sum():,}** | **{work.sum():,}** |"
))

# %%
total = count_parameters(free_net)
free_net.features.requires_grad_(False)
trainable = count_parameters(free_net, trainable=True)
free_net.features.requires_grad_(True)

assert (trainable, total) == (41_958_410, 44_428_106)
assert (total, trainable) == (numbers.sum(), numbers[5:].sum())
for kind, run in runs.items():
    wanted = trainable if kind.startswith("frozen") else total
    assert run["network"]["parameters"] == total
    assert run["network"]["trainable"] == wanted

# %% [markdown]
# **Frozen**, {{ f"{trainable:,}" }} numbers are trained; **unfrozen**, {{ f"{total:,}" }}. The convolutions, of which everybody thinks at the name AlexNet, are {{ f"{numbers[:5].sum() / total:.1%}" }} of it.

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(5.3, 3.5), sharey=True)
for ax, values, title in zip(axes, (numbers, work), ("parameters", f"work at {SIZE}×{SIZE}")):
    for place, value in enumerate(values):
        frozen = place < 5
        ax.barh(place, value / 1e6, color=COLORS["blue" if frozen else "orange"], height=0.62,
                hatch="" if frozen else "//", alpha=0.75, edgecolor=COLORS["background"], linewidth=0)
        text = f"{value / 1e6:.1f}" if value >= 1e6 else f"{value / 1e6:.2g}"
        ax.text(value / 1e6 + 0.8, place, text, va="center", fontsize=9)
    ax.set(title=title, xlim=(0, 49))
    ax.grid(visible=False, axis="y")
axes[0].set(ylim=(7.6, -0.6), xlabel="millions", ylabel="")
axes[1].set(xlabel="millions a picture")
axes[0].set_yticks(range(8), [row[0] for row in table])
axes[0].text(35, 2, "frozen\nor not", color=COLORS["blue"], ha="center", va="center", fontsize=9)
axes[0].text(25, 6.6, "always\ntrained", color=COLORS["orange"], ha="center", va="center",
             fontsize=9)
show(
    fig,
    name="by-layer",
    alt=(
        f"Bars for eight layers. Parameters: the five convolutions have {numbers[:5].sum() / 1e6:.1f} "
        f"million together, the first linear layer alone {numbers[5] / 1e6:.1f} million. "
        f"Multiplications a picture: the convolutions {work[:5].sum() / 1e6:.1f} million together, "
        f"the first linear layer {work[5] / 1e6:.1f} million."
    ),
    caption=(
        "The same eight layers, counted twice. Look at the first linear layer: freezing the "
        "convolutions leaves nearly all parameters to be trained."
    ),
)

# %% [markdown]
# ### 9216 inputs that are 256 numbers
#
# The classifier expects 256 channels of 6×6. From the 224×224 pixels for which AlexNet was made the convolutions deliver just that. From {{ SIZE }}×{{ SIZE }} they deliver 1×1, and the adaptive average pool *repeats* each number 36 times to fill its 6×6 grid:

# %%
scale = normalisation(live.train.x)
eight = prepare(live.train.x[:8], scale, SIZE)
with torch.inference_mode():
    maps = free_net.features(eight)
    grid = free_net.avgpool(maps)
    first = free_net.classifier[1]
    full = first(grid.flatten(1))
    folded = first.weight.reshape(4096, 256, 36).sum(2)
    small = functional.linear(maps.flatten(1), folded, first.bias)
print("features:", tuple(maps.shape[1:]))
print("pooled:  ", tuple(grid.shape[1:]))
assert (grid == maps).all()  # one number, 36 times
assert torch.allclose(full, small, rtol=0, atol=1e-5)

# %% tags=["remove-cell"]
sizes = {size: layers_of(free_net, size) for size in (63, 224)}
assert free_net.features(torch.zeros(1, 3, 224, 224)).shape[1:] == (256, 6, 6)
assert free_net.features(torch.zeros(1, 3, 127, 127)).shape[1:] == (256, 3, 3)
try:
    enough = free_net.features(torch.zeros(1, 3, 62, 62)).numel() > 0
except RuntimeError:  # a pool finds nothing left
    enough = False
assert not enough

# %% [markdown]
# So the largest layer, with its {{ f"{first.weight.numel() / 1e6:.1f}" }} million weights, computes what {{ f"{folded.numel() / 1e6:.2f}" }} million could: add up the 36 weights that meet the same number, and the output is the same to rounding. It runs without complaint, and the parameter count above does not tell. Two more things follow. The first dropout drops copies, not facts: of each number about half of its 36 copies stay, and all of them go in one case of $2^{36}$. And the images are enlarged from 32×32 because 63 pixels is the least that AlexNet's strides and pools take.
#
# ## Freezing by hand
#
# One picture of one pixel $x$. One "convolution" $w$ with a ReLU, one "classifier" $v$, and half the squared error as loss:
#
# $$h = \max(wx, 0), \qquad y = vh, \qquad L = \tfrac12 (y - t)^2$$
#
# Take $x = 1$, $w = 2$, $v = 3$, $t = 5$. Then $h = 2$, $y = 6$, and the error $y - t$ is 1.
#
# $$\frac{\partial L}{\partial v} = (y - t)\,h = 2, \qquad \frac{\partial L}{\partial w} = (y - t)\,v\,x = 3$$
#
# One step of gradient descent with a learning rate of $\tfrac14$:
#
# | | $w$ | $v$ | new $y$ | new $L$ |
# |---|---|---|---|---|
# | before | $2$ | $3$ | $6$ | $\tfrac12$ |
# | frozen | $2$ | $3 - \tfrac24 = \tfrac52$ | $5$ | $0$ |
# | unfrozen | $2 - \tfrac34 = \tfrac54$ | $\tfrac52$ | $\tfrac{25}{8}$ | $\tfrac12 \cdot \tfrac{225}{64} = \tfrac{225}{128}$ |
#
# The frozen network lands on the target. The unfrozen one steps over it and is worse off than before. Both gradients were right: each says what happens if *it alone* moves. **Unfreezing makes the same learning rate a larger step.**

# %%
for frozen, new_y, new_loss in ((True, 5, 0), (False, 25 / 8, 225 / 128)):
    w = torch.tensor(2.0, requires_grad=not frozen)
    v = torch.tensor(3.0, requires_grad=True)
    (0.5 * (v * torch.relu(w * 1) - 5) ** 2).backward()
    assert v.grad == 2 and (w.grad is None if frozen else w.grad == 3)
    with torch.no_grad():
        for p in (w, v):
            if p.grad is not None:
                p -= 0.25 * p.grad
    y = v * torch.relu(w * 1)
    assert y == new_y and 0.5 * (y - 5) ** 2 == new_loss

# %% [markdown]
# Look at what each gradient needs. $\partial L/\partial v$ needs $h$, and neither $v$ nor $x$. Once $w$ is frozen, the product $(y - t)\,v$ is computed for nobody, and $x$ need not be remembered.
#
# ## Where the backward pass ends
#
# **One number.** Let each layer map a number to a number, $x_\ell = f_\ell(x_{\ell-1}, \theta_\ell)$, with $d_\ell = \partial L/\partial x_\ell$ for the gradient that arrives. A layer has two things to hand out:
#
# $$\frac{\partial L}{\partial \theta_\ell} = d_\ell\, \frac{\partial f_\ell}{\partial \theta_\ell}, \qquad
#   d_{\ell-1} = d_\ell\, \frac{\partial f_\ell}{\partial x_{\ell-1}}$$
#
# The left one is wanted if layer $\ell$ is trained. The right one is wanted if *any layer before it* is.
#
# **With indices.** For a linear layer, $y_{nk} = \sum_i x_{ni} w_{ik} + b_k$, and with $d_{nk} = \partial L/\partial y_{nk}$ these are two different sums over the same numbers:
#
# $$\frac{\partial L}{\partial w_{ik}} = \sum_n x_{ni}\, d_{nk}, \qquad \frac{\partial L}{\partial x_{ni}} = \sum_k d_{nk}\, w_{ik}$$
#
# Count the multiplications. Forward, for each $n$, a product for each pair $(i, k)$: $m_\ell = n_\text{in} n_\text{out}$ a picture. The left sum has one for each $n$, $i$, $k$: $m_\ell$ again. The right one too. For a convolution the sums run over places as well, and all three counts are again the same, if the zeros of the padding are counted: each weight is used once for each place.
#
# **Where people stumble: a frozen layer is not a wall.** If layer 3 is frozen and layer 1 is trained, the gradient must pass *through* layer 3: its right sum is computed, its left one is not. Freezing saves most where nothing that lies before is trained. So everything hangs on $f$, the *first* layer that is trained:
#
# - Layers before $f$: forward only, $m_\ell$.
# - Layer $f$: forward and the gradient of its weights, $2m_f$. Nobody before it asks, so the gradient of its input is left out.
# - Trained layers after $f$: all three, $3m_\ell$.
#
# **The whole network**, with every layer from $f$ on trained:
#
# $$\boxed{M_f = \sum_{\ell < f} m_\ell + 2m_f + \sum_{\ell > f} 3m_\ell}$$
#
# As a check at the ends: unfrozen, $f = 1$, the first sum is empty, and the first convolution spares the gradient of the pixels. Frozen, $f = 6$.
#
# PyTorch has no notion of a frozen layer. It has `requires_grad` for each tensor, and a result requires a gradient if anything that went into it does. So the fence in the first figure is not drawn by anyone. It is where nothing that asks is left:

# %%
def multiplications(work, f):
    """The equation in the box; layers count from 1."""
    return work[: f - 1].sum() + 2 * work[f - 1] + 3 * work[f:].sum()


frozen_net = alexnet(freeze=True, seed=SEED).eval()
counted = {}
for name, net, f in (("frozen", frozen_net, 6), ("unfrozen", free_net, 1)):
    with FlopCounterMode(display=False) as counter:
        net(eight).sum().backward()
    counted[name] = counter.get_total_flops() / 2 / len(eight)
    assert counted[name] == multiplications(work, f)
    print(f"{name:<9}{counted[name] / 1e6:6.1f} million a picture")

print("grad_fn of the frozen features:", frozen_net.features(eight).grad_fn)
assert all(p.grad is None for p in frozen_net.features.parameters())
assert all(p.grad is not None for p in frozen_net.classifier.parameters())
assert all(p.grad is not None for p in free_net.parameters())
full_work = np.array([row[3] for row in sizes[224]])
large = multiplications(full_work, 6) / multiplications(full_work, 1)

# %% [markdown]
# `FlopCounterMode` watches PyTorch's matrix products and convolutions, forward and backward, and knows nothing of our formula; the two agree to the last multiplication. What comes out of the frozen features has no `grad_fn`: to autograd it is data, as the pictures are.
#
# Frozen, a picture costs {{ f"{counted['frozen'] / counted['unfrozen']:.0%}" }} of the unfrozen work. At 224×224 pixels it would be {{ f"{large:.0%}" }}: the larger the pictures, the more of the work is in the convolutions.
#
# ### What is kept in memory
#
# The backward pass needs what the forward pass computed, so PyTorch keeps it. A hook sees every tensor that is saved; the parameters are there anyway and are left out.

# %%
def kept(net, x):
    """Bytes that the forward pass keeps for the backward pass."""
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    saved = {}

    def see(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(see, lambda t: t):
        out = net.train()(x)  # held, so that no address is used twice
    net.eval()
    return sum(saved.values()) if out.requires_grad else 0


BATCH = runs["frozen"]["plan"]["batch_size"]
memory = {}
for name, net in (("frozen", frozen_net), ("unfrozen", free_net)):
    asked = count_parameters(net, trainable=True)
    memory[name] = {
        "weights": 4 * total,
        "gradients": 4 * asked,
        "Adam's two means": 8 * asked,
        "kept for backward": BATCH * kept(net, eight) // len(eight),
    }

# %% tags=["remove-input"]
for net in (frozen_net, free_net):
    net.zero_grad()
display(Markdown(
    f"| MB, float32, batches of {BATCH} | frozen | unfrozen |\n|---|---|---|\n"
    + "\n".join(f"| {what} | {memory['frozen'][what] / 1e6:.0f} | {memory['unfrozen'][what] / 1e6:.0f} |"
                for what in memory["frozen"])
    + "\n| together | " + " | ".join(f"**{sum(m.values()) / 1e6:.0f}**" for m in memory.values()) + " |"
))
saved = {name: sum(m.values()) for name, m in memory.items()}
backward = {name: m["kept for backward"] for name, m in memory.items()}
assert backward["frozen"] < 0.5 * backward["unfrozen"]

# %% [markdown]
# What is kept for the backward pass falls to {{ f"{backward['frozen'] / backward['unfrozen']:.0%}" }}, since nothing before the fence is kept. But the total falls only to {{ f"{saved['frozen'] / saved['unfrozen']:.0%}" }}: gradients and Adam's means go with the trained numbers, and those are nearly all in the classifier. Freezing *this* network spares arithmetic, and little memory.
#
# ## The same code, live, and audited
#
# A training can go wrong without a sign: a tensor that was meant to stay has moved, a test picture was learnt from. `Audit` notes a SHA-256 of every tensor before the training. Afterwards it checks eight claims, each with its evidence. Here is the recorded training in small, {{ HERE }}, {{ len(live.train.x) }} training pictures, convolutions frozen as they were drawn:

# %%
def audited(model, training, validation, test, plan, **more):
    """Train, test once, audit: curves, test accuracy and answers, findings."""
    scale, once = normalisation(training.x), ReadOnce(test)
    audit = Audit(model, frozen="features.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.pt"  # holds the optimiser's state
        history = train(model, training, validation, plan, scale=scale,
                        among=ALONE, checkpoint=path, **more)
        _, accuracy, answers = evaluate(
            model, once.read(), scale=scale, among=ALONE,
            image_size=plan.image_size,
        )
        state = torch.load(path, weights_only=True, mmap=True)["optimizer"]
        findings = audit.after(
            optimizer=state, training=training, validation=validation,
            test=once, scale=scale, image_size=plan.image_size,
        )
    return history, accuracy, answers, findings


plan = Plan(epochs=1, batch_size=80, lr=0.001, seed=SEED, image_size=SIZE)
steps_taken = plan.epochs * -(-len(live.train.x) // plan.batch_size)
model = alexnet(freeze=True, seed=SEED)
history, accuracy, answers, findings = audited(
    model, live.train, live.val, live.test, plan
)
print("training loss:", *(f"{epoch['train_loss']:.2f}" for epoch in history))
print(f"test accuracy: {accuracy:.1%} of {len(answers)}")
assert len(findings) == 8 and all(finding.ok for finding in findings)

# %% tags=["remove-input"]
def findings_table(findings):
    return "| | Claim | Evidence |\n|---|---|---|\n" + "\n".join(
        f"| {'holds' if f.ok else '**FAILS**'} | {f.claim} | {f.evidence} |" for f in findings
    )


display(Markdown(findings_table(findings)))

# %% [markdown]
# {{ steps_taken }} steps make no good network; the code, its order and its checks are those of the long runs. Read the evidence of the third line. The optimiser's state has a pair of means for each tensor that it has moved, and for no other: so it shows whom it held, whatever the code around it claims. AlexNet has no running statistics, so the last line is empty here; the seventh mistake below shows what it is for.
#
# ### The audit, broken on purpose
#
# A check that cannot fail is worth nothing. To break it, a network of AlexNet's plan in small will do: two convolutions as `features`, two linear layers as `classifier`, at 16×16 pixels.

# %%
class Small(nn.Module):
    """AlexNet's plan in small."""

    def __init__(self, *, freeze, seed=SEED):
        super().__init__()
        torch.manual_seed(seed)
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), Dropout(0.5), nn.Linear(512, 64), nn.ReLU(),
            nn.Linear(64, 10),
        )
        self.features.requires_grad_(not freeze)

    def forward(self, x):
        return self.classifier(self.features(x))

# %% [markdown]
# First mistake: one of its four frozen tensors asks for a gradient. Second: one test picture is among those for training.

# %%
one_step = Plan(epochs=1, batch_size=64, lr=0.001, seed=SEED, image_size=16)
some = Images(live.train.x[:64], live.train.y[:64])

slipped = Small(freeze=True)
slipped.features[3].bias.requires_grad_(True)  # the second convolution's
thawed = audited(slipped, some, live.val, live.test, one_step)[-1]

spied = Images(
    torch.cat([some.x[:63], live.test.x[17:18]]),
    torch.cat([some.y[:63], live.test.y[17:18]]),
)
innocent = Small(freeze=True)
leaked = audited(innocent, spied, live.val, live.test, one_step)[-1]

broken = [f for f in (*thawed, *leaked) if not f.ok]
assert [f.claim for f in thawed if not f.ok] == [
    "every frozen tensor stayed",
    "the optimiser holds the trainable tensors and no other",
]
assert "features.3.bias" in thawed[0].evidence
assert [f.claim for f in leaked if not f.ok] == ["no image is in two splits"]
assert "training 63 = test 17" in leaked[3].evidence

# %% tags=["remove-input"]
display(Markdown(findings_table(broken)))

# %% [markdown]
# The tensor is named, and so is the picture. The audit of the slipped tensor does not ask `requires_grad`, since that may be the very mistake: it was told which names are meant to stay.
#
# What the audit cannot see: a picture that was shrunk or saved again before it came into another split, for that has another hash. What the borrowed convolutions were shown, in their own training. And a person who looks at the test result and starts anew: it counts reads within one process.
#
# ## Four trainings
#
# **The question.** Do convolutions that were trained on other pictures help to name those of CIFAR-10? And if they do, is it because of what they have learnt?
#
# **The control that most tutorials leave out.** They compare "pretrained, frozen" with "from scratch". But a classifier of {{ f"{trainable / 1e6:.0f}" }} million numbers can do something with *any* features, also with those of convolutions that were never trained. So there are four runs: pretrained or random convolutions, frozen or not. All four begin with the same classifier, and the two random ones with the same convolutions. (The control is not new. Yosinski, Clune, Bengio and Lipson (2014) had it when they asked how transferable features are.)
#
# **A prediction.** Pretrained and frozen should be ahead of random and frozen, by what was learnt elsewhere. Pretrained and unfrozen should be best: it begins where the frozen one stays, and may go where the training from scratch goes. Yosinski and others found that transferred features help even when they are then trained further, and help less the farther apart the two tasks are. Whether *frozen* is ahead of the training from scratch is open: {{ f"{runs['frozen']['data']['sizes'][0]:,}" }} pictures are many.
#
# All four have the same settings, which were fixed before the first of them began:

# %% tags=["remove-input"]
first_run = runs["frozen"]
long_plan = first_run["plan"]
n_train, n_val, n_test = first_run["data"]["sizes"]
assert all(run["data"]["sizes"] == first_run["data"]["sizes"] for run in runs.values())
assert not long_plan["flip"] and not long_plan["cosine"] and long_plan["weight_decay"] == 0
assert pretraining["data"]["sizes"][0] > n_train or n_train < 10_000
ended = pretraining["epochs"][-1]
display(Markdown(
    f"| | The recorded runs, {THERE} |\n|---|---|\n"
    f"| pictures | {n_train:,} for training, {n_val:,} for validation, {n_test:,} for the test; "
    f"{SIZE}×{SIZE} pixels |\n"
    f"| optimiser | Adam, learning rate {long_plan['lr']}, which stays; batches of "
    f"{long_plan['batch_size']}; {long_plan['epochs']} epochs |\n"
    f"| changed at random | dropout in the classifier; no mirroring |\n"
    f"| normalised with | statistics of the {n_train:,} training pictures |\n"
    f"| seed | {long_plan['seed']}, one for each run |\n"
    f"| pretrained weights | {SOURCE}: {pretraining['data']['sizes'][0]:,} pictures of "
    f"{pretraining['network']['classes']} classes, {pretraining['plan']['epochs']} epochs, with "
    f"{ended['val_accuracy']:.1%} of {pretraining['data']['sizes'][1]:,} validation pictures right |\n"
    f"| where | {first_run['device']}, {first_run['threads']} thread, PyTorch "
    f"{first_run['libraries']['torch']} |"
))

# %% tags=["hide-input"]
LOOK = {"train": ("blue", "o", "-", "training"), "val": ("orange", "s", "--", "validation")}
fig, axes = plt.subplots(4, 2, figsize=(5.2, 8.2), sharex=True, sharey="col")
for row, (kind, run) in zip(axes, runs.items()):
    for ax, measure, unit in zip(row, ("loss", "accuracy"), (1, 100)):
        for part, (color, marker, style, text) in LOOK.items():
            values = [unit * epoch[f"{part}_{measure}"] for epoch in run["epochs"]]
            ax.plot(range(1, len(values) + 1), values, style, marker=marker, markersize=4,
                    color=COLORS[color], label=text)
        ax.set_title(KINDS[kind], fontsize=9.5)
        ax.set_ylabel("loss (nats)" if measure == "loss" else "accuracy (%)")
axes[0, 0].legend(labelcolor="linecolor", loc="best")
axes[0, 0].set(xticks=range(1, long_plan["epochs"] + 1))
for ax in axes[-1]:
    ax.set_xlabel("epoch")


def last(kind, what):
    return runs[kind]["epochs"][-1][what]


first_epoch = runs["frozen"]["epochs"][0]["val_accuracy"]
assert abs(last("frozen", "val_accuracy") - first_epoch) < 0.02
show(
    fig,
    name="four-curves",
    alt=(
        f"Loss and accuracy over {long_plan['epochs']} epochs for four runs. Validation accuracy at "
        "the end: " + ", ".join(f"{KINDS[k]} {last(k, 'val_accuracy'):.1%}" for k in runs) + "."
    ),
    caption=(
        f"Recorded, {THERE}; pretrained weights: {WEIGHTS}. Solid: training, with dropout, the mean "
        "over each epoch. Dashed: validation, after it. All panels of a column have one scale. Look at "
        "the first row: what the frozen features can give, they give in the first epoch."
    ),
)

# %% [markdown]
# ### The test, once
#
# After the last epoch, and never before, each run read the test pictures, once. Wilson's interval (1927) says with which true accuracies the result is compatible, as far as the choice of {{ f"{n_test:,}" }} test pictures goes.

# %%
score = {kind: run["test"]["accuracy"] for kind, run in runs.items()}
ranks = sorted(score, key=score.get, reverse=True)
for kind in ranks:
    low, high = wilson(score[kind], n_test)
    print(f"{score[kind]:.1%} ({low:.1%} to {high:.1%}) {kind}")

# %% tags=["hide-input"]
MARKS = {"frozen": ("blue", "o"), "unfrozen": ("orange", "s"), "frozen-random": ("green", "^"),
         "scratch": ("purple", "D")}
fig, ax = plt.subplots(figsize=(4.9, 2.7))
for place, kind in enumerate(ranks):
    (color, marker), p = MARKS[kind], 100 * score[kind]
    low, high = (100 * v for v in wilson(score[kind], n_test))
    ax.errorbar(p, place, xerr=[[p - low], [high - p]], fmt=marker, color=COLORS[color], capsize=4,
                markersize=4)
    ax.text(p, place - 0.2, f"{p:.1f}", ha="center", va="bottom", fontsize=9, color=COLORS[color])
ax.axvline(10, color=COLORS["muted"], linestyle=":", linewidth=1.2)
ax.annotate("guessing", (10, 0.97), (4, 0), xycoords=("data", "axes fraction"),
            textcoords="offset points", color=COLORS["muted"], va="top", fontsize=9)
ax.set_yticks(range(4), [KINDS[kind] for kind in ranks])
ax.set(ylim=(3.5, -0.75), xlim=(0, 70), xlabel="test accuracy (%)", title=f"Recorded, {THERE}")
ax.grid(visible=False, axis="y")
show(
    fig,
    name="four-tests",
    alt="Test accuracies with intervals: "
    + ", ".join(f"{KINDS[kind]} {score[kind]:.1%}" for kind in ranks) + ".",
    caption=(
        f"{THERE}, {n_test:,} test pictures, one seed; pretrained weights: {WEIGHTS}. The bars are "
        "Wilson's intervals, about a point to each side. Look at the distance between the two "
        "frozen runs: it is what the convolutions have learnt elsewhere."
    ),
)

# %% tags=["remove-input"]
def points(a, b):
    """The difference of two test accuracies, and its interval, as of two independent samples."""
    gap = score[a] - score[b]
    half = 1.96 * np.sqrt(sum(score[k] * (1 - score[k]) / n_test for k in (a, b)))
    low, high = sorted((abs(gap - half), abs(gap + half)))
    assert (gap - half) * (gap + half) > 0  # the interval does not hold 0
    return f"{100 * abs(gap):.1f} points (interval {100 * low:.1f} to {100 * high:.1f})"


best, worst = ranks[0], ranks[-1]
GUESS = 1 / len(runs["frozen"]["data"]["class_names"])
by_itself = (score["frozen-random"] - GUESS) / (score["frozen"] - GUESS)
assert ranks == ["unfrozen", "scratch", "frozen", "frozen-random"]
for better, less in itertools.pairwise(ranks):
    assert wilson(score[better], n_test)[0] > wilson(score[less], n_test)[1]
assert 0.5 < by_itself < 0.75
assert last("frozen", "train_accuracy") < last("frozen", "val_accuracy")
best_before = runs["unfrozen"]["epochs"][-2]["val_accuracy"]
assert 0.015 < best_before - last("unfrozen", "val_accuracy") < 0.025
assert 0.035 < score["unfrozen"] - score["scratch"] < 0.045

# %% [markdown]
# **The verdict.** What the convolutions have learnt elsewhere is worth something: frozen, pretrained ones are {{ points("frozen", "frozen-random") }} ahead of random ones. But look at what the random ones do. Convolutions that have never learnt anything, with a trained classifier behind them, name {{ f"{score['frozen-random']:.1%}" }} of the pictures, where guessing gives {{ f"{GUESS:.0%}" }}. **Of the distance between guessing and "pretrained, frozen", {{ f"{by_itself:.0%}" }} is covered without any transfer.** Without the control, all of it would have been put down to the borrowed layers.
#
# The open question has an answer as well. Pretrained and frozen is {{ points("frozen", "scratch") }} *behind* the training from scratch. It does not overfit: its training accuracy, {{ f"{last('frozen', 'train_accuracy'):.1%}" }} with dropout, is no higher than its validation accuracy. So it is not short of pictures, but of features to tell them apart. With {{ f"{n_train:,}" }} labelled pictures, convolutions that may learn from them overtake borrowed ones that may not, in {{ long_plan["epochs"] }} epochs.
#
# And pretrained and unfrozen is best, as predicted: {{ points("unfrozen", "frozen") }} ahead of the frozen one, and {{ points("unfrozen", "scratch") }} ahead of the training from scratch. Here the borrowed weights are worth more as a beginning than as an end. How firm is that? In its last epoch this run's validation accuracy *fell*, from {{ f"{best_before:.1%}" }} to {{ f"{last('unfrozen', 'val_accuracy'):.1%}" }}: with a learning rate that stays, the network sways from epoch to epoch. The intervals know nothing of that, and the fall is about half as large as the lead over the training from scratch. (The differences are taken as if each run had had test pictures of its own. All had the same, which makes such a comparison more certain, not less, as a rule; the records do not keep who was right about which picture.)

# %% [markdown]
# **What it cost.** Seconds and memory as the records have them:

# %% tags=["remove-input"]
speed = {kind: np.median([epoch["seconds"] for epoch in run["epochs"]]) for kind, run in runs.items()}
uneven = max(speed[k] for k in ("frozen", "frozen-random")) / min(
    speed[k] for k in ("frozen", "frozen-random"))
assert uneven > 1.2
display(Markdown(
    "| Recorded | seconds an epoch | peak memory, GB | million multiplications a training picture |\n"
    "|---|---|---|---|\n"
    + "\n".join(
        f"| {KINDS[kind]} | {speed[kind]:.0f} | {run['peak_memory'] / 1e9:.2f} | "
        f"{counted['frozen' if kind.startswith('frozen') else 'unfrozen'] / 1e6:.1f} |"
        for kind, run in runs.items()
    )
))

# %% [markdown]
# Trust the last column. The seconds (the median of the epochs) come from a machine that was busy with other work. How little they say you see from the two frozen runs: they do the same arithmetic, and the one took {{ f"{uneven:.1f}" }} times as long as the other. The peak is that of the whole process, with Python, PyTorch and all pictures in it; on the CPU nothing smaller can be read off. A step is also more than multiplications: Adam reads and writes its means and weights, {{ f"{trainable / 1e6:.0f}" }} or {{ f"{total / 1e6:.0f}" }} million of each, and that costs nearly the same in both.

# %% tags=["hide-input"]
confusion = np.array(runs[best]["test"]["confusion"])
assert confusion.sum() == n_test and np.isclose(np.trace(confusion) / n_test, score[best])
names = runs[best]["data"]["class_names"]
off = confusion * (1 - np.eye(10, dtype=int))
fig, ax = plt.subplots(figsize=(5.2, 4.9))
for (i, j), value in np.ndenumerate(confusion):
    right = i == j
    ax.add_patch(Rectangle((j, i), 1, 1, edgecolor="none", facecolor=COLORS["blue" if right else "orange"],
                           alpha=0.25 if right else 0.75 * off[i, j] / off.max()))
    ax.text(j + 0.5, i + 0.52, str(value) if value else "·", ha="center", va="center", fontsize=9,
            fontweight="bold" if right else "normal")
ax.set(xlim=(0, 10), ylim=(10, 0), aspect="equal", title=f"{KINDS[best]}: {THERE}",
       xlabel="what the network said", ylabel="what it is")
ax.set_xticks(np.arange(10) + 0.5, names, rotation=90)
ax.set_yticks(np.arange(10) + 0.5, names)
ax.tick_params(length=0)
ax.grid(visible=False)
pairs = off + off.T
one, other = np.unravel_index(np.triu(pairs).argmax(), pairs.shape)
MACHINES = ("airplane", "automobile", "ship", "truck")
machine = np.array([name in MACHINES for name in names])
across = (off[np.ix_(machine, ~machine)].sum() + off[np.ix_(~machine, machine)].sum()) / off.sum()
by_chance = 2 * 4 * 6 / 90  # of the ordered pairs of two different classes
hardest = int(np.diag(confusion).argmin())
show(
    fig,
    name="confusion",
    alt=(
        f"Confusion matrix of ten classes. The diagonal is smallest for {names[hardest]}; the "
        f"largest numbers beside it are between {names[one]} and {names[other]}."
    ),
    caption=(
        f"Recorded, {THERE}, test pictures; the best of the four runs ({KINDS[best]}). Look for the "
        "two blocks: animals are taken for animals, and things that drive, fly or sail for one "
        "another."
    ),
)
assert across < by_chance

# %% [markdown]
# The pair that is confused most often is {{ names[one] }} and {{ names[other] }}, {{ pairs[one, other] }} times. {{ f"{across:.0%}" }} of all mistakes cross the line between animals and machines; if mistakes fell on all pairs of classes alike, it would be {{ f"{by_chance:.0%}" }}.

# %% [markdown]
# ### With few labelled pictures

# %% tags=["remove-cell"]
few = {kind: read_record(records / f"cifar10-{kind}-1000.json") for kind in KINDS}
few_plan, (n_few, *_) = few["frozen"]["plan"], few["frozen"]["data"]["sizes"]
for kind, run in few.items():
    assert run["plan"] == few_plan and run["data"]["sizes"] == [n_few, n_val, n_test]
    assert run["weights_sha256"] == runs[kind]["weights_sha256"]
    assert run["network"] == runs[kind]["network"] and all(f["ok"] for f in run["audit"])
low_score = {kind: run["test"]["accuracy"] for kind, run in few.items()}
few_steps, many_steps = (
    plan["epochs"] * -(-n // plan["batch_size"])
    for plan, n in ((few_plan, n_few), (long_plan, n_train))
)
alone = (low_score["frozen-random"] - GUESS) / (low_score["frozen"] - GUESS)
assert alone < by_itself - 0.1
assert min(score[kind] - low_score[kind] for kind in few) > 0
ordered = sorted(few, key=low_score.get, reverse=True)
assert ordered == ["frozen", "unfrozen", "frozen-random", "scratch"]
bounds = {kind: wilson(low_score[kind], n_test) for kind in few}
for above, below in itertools.pairwise(ordered):
    assert bounds[above][0] > bounds[below][1]
few_train = few["unfrozen"]["epochs"][-1]["train_accuracy"]
assert abs(few_train - low_score["unfrozen"]) < 0.05  # no learning by heart
first_epoch = {kind: few[kind]["epochs"][0]["val_accuracy"] for kind in few}
assert first_epoch["unfrozen"] < GUESS + 0.05 < 0.3 < first_epoch["frozen"]

# %% [markdown]
# Transfer is most wanted where labels are few. So here is the same with {{ f"{n_few:,}" }} of the training pictures, as many of each class. These runs had {{ few_plan["epochs"] }} epochs in batches of {{ few_plan["batch_size"] }}, which are {{ few_steps }} steps in place of {{ many_steps }}; validation and test are the same {{ f"{n_val:,}" }} and {{ f"{n_test:,}" }} pictures.

# %% tags=["remove-input"]
display(Markdown(
    f"| Test accuracy, {THERE} | {n_few:,} pictures | {n_train:,} pictures |\n|---|---|---|\n"
    + "\n".join(
        f"| {KINDS[kind]} | {low_score[kind]:.1%} ({bounds[kind][0]:.1%} to {bounds[kind][1]:.1%}) "
        f"| {score[kind]:.1%} |" for kind in ordered)
))

# %% [markdown]
# The order has turned over. Pretrained and frozen, third with all pictures, is now first, {{ f"{100 * (low_score['frozen'] - low_score['unfrozen']):.1f}" }} points ahead of pretrained and unfrozen and {{ f"{100 * (low_score['frozen'] - low_score['scratch']):.1f}" }} ahead of the training from scratch. And random convolutions are better left alone than trained in so few steps. Of the distance between guessing and pretrained, frozen, the random ones now cover {{ f"{alone:.0%}" }}; with all pictures it was {{ f"{by_itself:.0%}" }}. The fewer the labels, the more it matters here what the convolutions have learnt elsewhere.
#
# Why is unfrozen behind? Not because it has learnt its pictures by heart: in its last epoch it names {{ f"{few_train:.1%}" }} of those it trains on (with dropout), and {{ f"{low_score['unfrozen']:.1%}" }} of the test. Look at the first epoch. After it the frozen network names {{ f"{first_epoch['frozen']:.1%}" }} of the validation pictures, and the unfrozen one {{ f"{first_epoch['unfrozen']:.1%}" }}, hardly more than guessing: what was borrowed was spoilt by the first steps, and {{ few_steps }} were too few to mend it. It is the example by hand once more, where unfreezing made the same rate a larger step. With a smaller rate for the convolutions it might be another story; that was not tried.

# %% [markdown]
# ### What this does not show
#
# - **One seed.** Each run was made once. The intervals count the test pictures and nothing else; another seed would move each number.
# - **Another backbone.** {{ pretraining["plan"]["epochs"] }} epochs on {{ SOURCE }} are not ImageNet's million photographs. [Kornblith, Shlens and Le (2019)](@kornblith2019) found that networks that are better on ImageNet transfer better, so one would expect more from ImageNet's weights. On the other hand, CIFAR-10 and CIFAR-100 were drawn from the same large collection ([@krizhevsky2009]), so source and task are unusually close here.
# - **Other pictures.** These are of {{ SIZE }}×{{ SIZE }} pixels, enlarged from 32×32, and of a JPEG copy. The numbers may not be set beside published ones.
# - **A tuned training.** All four were given the same learning rate and {{ long_plan["epochs"] }} epochs. None was given its own. [He, Girshick and Dollár (2019)](@he2019) found, for detecting objects, that training from scratch catches up if it is given the time.
#
# ### Were they what they say they were?
#
# Each recorded run was audited before its record was written; a run that fails leaves none.

# %% tags=["remove-input"]
claims = [finding["claim"] for finding in runs["frozen"]["audit"]]
assert len(claims) == 8 and all(
    [f["claim"] for f in run["audit"]] == claims and all(f["ok"] for f in run["audit"])
    for run in runs.values()
)
evidence = {kind: [f["evidence"] for f in run["audit"]] for kind, run in runs.items()}
display(Markdown(
    "All eight claims hold in all four. Some of the evidence:\n\n"
    f"- frozen tensors, {KINDS['frozen']}: {evidence['frozen'][0]};\n"
    f"- the optimiser, {KINDS['frozen']}: {evidence['frozen'][2]};\n"
    f"- the optimiser, {KINDS['unfrozen']}: {evidence['unfrozen'][2]};\n"
    f"- the splits: {evidence['frozen'][3]}."
))

# %% [markdown]
# ## The submission
#
# Competitions give you test pictures without labels, and ask for a file: a line for each picture, `id,label`, with ids from 1. The script writes one with `--submission`, whole or not at all, with the answers of the single read. Here, with the live network's answers:

# %%
spec = importlib.util.spec_from_file_location(
    "train_transfer", "scripts/train_transfer.py"
)
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "submission.csv"
    script.write_submission((live.classes[i] for i in answers.tolist()), path)
    lines = path.read_text().splitlines()
print("\n".join(lines[:5]))
ids, labels = zip(*(line.split(",") for line in lines[1:]))
assert lines[0] == "id,label"
assert [int(i) for i in ids] == list(range(1, len(live.test.y) + 1))
assert set(labels) <= set(live.classes)

# %% [markdown]
# The three asserts are the check before you upload: a heading, one line a picture in the order of the test, and no class that does not exist. (These answers are of a network after {{ steps_taken }} steps. Do not upload them.)
#
# ## Common mistakes
#
# Each of them runs, on {{ HERE }}, with `Small`, which is small enough to be trained here again and again.

# %% tags=["hide-input"]
def tell(findings):
    """Print what fails, in short lines."""
    for f in findings:
        if not f.ok:
            text = f"FAILS: {f.claim}: {f.evidence}"
            print(textwrap.fill(text, 40, subsequent_indent="  "))


def answer(net, scale=scale):
    """Loss, accuracy and answers of a small network on the test pictures."""
    return evaluate(net, live.test, scale=scale, image_size=16, among=ALONE)

# %%
little = Plan(epochs=10, batch_size=64, lr=0.002, seed=SEED, image_size=16)
parts = live.train, live.val, live.test
small_net = Small(freeze=True)
_, right, said, found = audited(small_net, *parts, little)
print(f"done right: {right:.1%} of {len(said)} test pictures")
assert all(f.ok for f in found) and right > 0.15

# %% [markdown]
# **The first: forgetting to freeze.** Nothing warns you, and the accuracy may even rise. The audit was told what was meant:

# %%
forgot = audited(Small(freeze=False), *parts, little)
print(f"test accuracy: {forgot[1]:.1%}")
tell(forgot[-1])
assert sum(not f.ok for f in forgot[-1]) == 2

# %% [markdown]
# The quick check is the number of trainable parameters, printed before the training: {{ f"{trainable:,}" }}, not {{ f"{total:,}" }}.
#
# **The second: freezing too much.** The loop over all parameters comes after the new classifier was put in, and freezes it too. Or it lets go of the last layer alone, because in another network that was all there was to replace:

# %%
everything = Small(freeze=False).requires_grad_(False)
batch = prepare(live.train.x[:64], scale, 16)
try:
    everything(batch).sum().backward()
    raise AssertionError("it went through")
except RuntimeError as error:
    print(textwrap.fill(str(error), 40))

half = Small(freeze=False).requires_grad_(False)
half.classifier[-1].requires_grad_(True)
halved = audited(half, *parts, little)
print(f"last layer alone: test accuracy {halved[1]:.1%}")
tell(halved[-1])
assert not halved[-1][1].ok and "classifier.2.weight" in halved[-1][1].evidence

# %% [markdown]
# The first is loud: nothing in the whole network asks for a gradient, so there is no backward pass. The second is silent: it trains, on a random layer that nobody meant to freeze.
#
# **The third: freezing after the optimiser was built.** The optimiser still holds the convolutions. Does it move them? Three steps of an Adam with everything, then freeze, then ten more, and the largest change of a frozen weight in these ten:


# %%
def thaw(*, to_none, decay):
    """How far a weight moves that was frozen under a running Adam."""
    net = Small(freeze=False)
    adam = torch.optim.Adam(net.parameters(), lr=0.002, weight_decay=decay)
    for step in range(13):
        if step == 3:
            net.features.requires_grad_(False)
            before = net.features[0].weight.clone()
        adam.zero_grad(set_to_none=to_none)
        functional.cross_entropy(net(batch), live.train.y[:64]).backward()
        adam.step()
    return (net.features[0].weight - before).abs().max().item()


moved = {
    (none, decay): thaw(to_none=none, decay=decay)
    for none in (True, False) for decay in (0, 0.01)
}
print("set_to_none  weight_decay  moved by")
for (to_none, decay), change in moved.items():
    print(f"{to_none!s:<13}{decay:<14}{change:.4f}")
assert moved[True, 0] == moved[True, 0.01] == 0
assert min(moved[False, 0], moved[False, 0.01]) > 1e-4

# %% [markdown]
# It depends on a detail. `zero_grad` sets gradients to `None`, by default since PyTorch 2.0, and Adam passes over a tensor without a gradient. With zeros in their place it does not pass over: its momentum rolls on, and weight decay pulls. Freeze first, then build the optimiser with what is left, and no detail matters.
#
# **The fourth: dropout left on in evaluation.** Ask the same network about the same pictures twice:

# %%
careless = copy.deepcopy(small_net).train()
torch.manual_seed(SEED)
with torch.inference_mode():
    x_test = prepare(live.test.x, scale, 16)
    one, two = careless(x_test).argmax(1), careless(x_test).argmax(1)
differ = int((one != two).sum())
print(f"{differ} of {len(one)} answers differ")
for name, some_answers in (("first", one), ("second", two), ("eval()", said)):
    print(f"{name:<7} {(some_answers == live.test.y).float().mean():.1%}")
assert differ > 0

# %% [markdown]
# The symptom is in the first line: an evaluation that cannot be repeated. That is what the audit's seventh claim does, on up to a hundred pictures. `evaluate` of this package sets the mode itself.
#
# **The fifth: another data set's statistics.** ImageNet's mean and standard deviation stand in every tutorial, and it is no mistake to use them from beginning to end. It is one to train with some statistics and to answer with others:

# %%
IMAGENET = Normalisation([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
NOTHING = Normalisation([0.0] * 3, [1.0] * 3)
swapped = {}
print("statistics   answers changed  right")
for name, other in (("ImageNet's", IMAGENET), ("none at all", NOTHING)):
    result = answer(small_net, other)
    swapped[name] = int((result[2] != said).sum())
    print(f"{name:<13}{swapped[name]:3} of {len(said)}       {result[1]:.1%}")
assert swapped["none at all"] > 0

# %% [markdown]
# No error, no warning, and a number that looks like a number. It may even be a better one, by luck. The statistics belong to the network as its weights do. The audit wants them to *be* those of the training pictures, bit for bit, and different from those of all other parts.
#
# **The sixth: choosing the epoch by the test.** The best of several numbers is partly the luckiest. How large is the gift? Choose the epoch on one half of the test pictures, then read the accuracy of that epoch on the other half, which did not choose; 200 random halves, three seeds:


# %%
def watched(seed):
    """Train; which test pictures are right, (epochs, pictures)."""
    net, rows = Small(freeze=True, seed=seed), []

    def watch(epoch, step):
        if step == len(live.train.y) // 64 - 1:
            rows.append((answer(net)[2] == live.test.y).numpy())

    train(net, live.train, live.val, Plan(10, 64, 0.002, seed, image_size=16),
          scale=scale, among=ALONE, after_step=watch)
    return np.array(rows)


gifts = []
for seed in range(3):
    correct, draw = watched(seed), np.random.default_rng(seed)
    for _ in range(200):
        halves = np.array_split(draw.permutation(correct.shape[1]), 2)
        chose, fair = (correct[:, part].mean(1) for part in halves)
        gifts.append(chose.max() - fair[chose.argmax()])
gift = 100 * np.mean(gifts)
print(f"the half that chose: {gift:+.1f} points")
assert gift > 0 and len(live.train.y) % 64 == 0

# %% [markdown]
# That is the gift of choosing among ten epochs on {{ len(live.test.y) // 2 }} pictures; with more pictures it is smaller, with more choices larger. The recorded runs take the last epoch, as planned, and look once.
#
# **The seventh: running statistics that move in a frozen layer.** AlexNet has no batch normalisation. Most networks after it have, and there freezing the *parameters* does not freeze the layer: in training mode each batch moves the running mean, which is no parameter and needs no gradient.


# %%
class WithNorm(Small):
    """The same with batch normalisation in the features."""

    def __init__(self, *, freeze):
        super().__init__(freeze=freeze)
        self.features.insert(1, BatchNorm2d(16))
        self.features.requires_grad_(not freeze)


plain = WithNorm(freeze=True).train()
plain(batch)  # training mode, no step taken
kept_still = WithNorm(freeze=True)
train(kept_still, *parts[:2], little, scale=scale, among=ALONE)
for name, net in (("train() on all", plain), ("this package", kept_still)):
    mean = net.features[1].running_mean
    print(f"{name:<15} moved by {mean.abs().max():.3f}")
assert plain.features[1].running_mean.abs().max() > 0.01
assert (kept_still.features[1].running_mean == 0).all()

# %% [markdown]
# After a few hundred batches the "frozen" features are others, and no weight has changed. `train` of this package keeps a module that is frozen whole in evaluation mode. The audit's hashes cover running statistics too, so it would name them.
#
# ## Try it
#
# ??? question "1. The convolutions are frozen. Why must the forward pass still go through them in every epoch?"
#     It need not. Frozen and without random changes to the pictures, they give the same 256 numbers for a picture each time. You could compute these once, keep them, and train the classifier alone ([@donahue2014] worked with features in this way). That saves the five convolutions in all epochs but the first. As soon as pictures are mirrored at random, it no longer works as it stands.
#
# ??? question "2. You freeze the middle three convolutions and train the first and all that comes after. What is saved?"
#     Of each frozen layer only the gradient of its weights, $m_\ell$. The gradient of its input is needed, since the first layer asks. So each costs $2m_\ell$ in place of $3m_\ell$, and what the weights' gradients need is not kept.
#
# ??? question "3. With a pencil: in the example by hand, freeze $v$ in place of $w$. What is the new $y$ after the same step?"
#     $w = 2 - \tfrac34 = \tfrac54$, $h = \tfrac54$, $y = \tfrac{15}{4}$. It passes the target of 5 and ends $\tfrac54$ away from it, where it was 1 away before. For $w$ alone the step is too large already.
#
# ??? question "4. A colleague reports that transfer beats training from scratch by ten points. Which run do you ask for?"
#     Random and frozen, to see what the new classifier does by itself. Then the same again with other seeds, and with a training from scratch that was given its own learning rate and its time.
#
# ??? question "5. For the notebook: send a picture of 127×127 pixels through `free_net.features`, and through `layers_of`. How many copies will the pool make, and what happens to the work?"
#     The features come out as 3×3, so each number is repeated four times. The pixels are four times as many, less a little; the convolutions' work grows by more than that, since less of each picture is lost at its edges, and the classifier's not at all.
#
# ## Sources
#
# - Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural networks*, NIPS: AlexNet.
# - Krizhevsky (2014), *One weird trick for parallelizing convolutional neural networks*: the variant that torchvision has.
# - Krizhevsky (2009), *Learning multiple layers of features from tiny images*: CIFAR-10 and CIFAR-100.
# - Donahue, Jia, Vinyals, Hoffman, Zhang, Tzeng and Darrell (2014), *DeCAF: a deep convolutional activation feature for generic visual recognition*, ICML: a trained network as a fixed source of features.
# - Yosinski, Clune, Bengio and Lipson (2014), *How transferable are features in deep neural networks?*, NIPS: frozen and unfrozen, layer by layer.
# - Kornblith, Shlens and Le (2019), *Do better ImageNet models transfer better?*, CVPR.
# - He, Girshick and Dollár (2019), *Rethinking ImageNet pre-training*, ICCV: what training from scratch can do if it is given the time.
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, Journal of the American Statistical Association: the interval.
