# ---
# title: What pooling buys
# description: How much a pooling layer tolerates a shift, what it forgets for that, and whether a trained network needs it; measured with a photograph, on digits, and without pooling for comparison.
# tags:
#   - networks
# ---

# %% [markdown]
# # What pooling buys
#
# [Pooling](../layers/pooling.py) makes images smaller, and that chapter says where its gradient goes. This page continues it: what does a network gain, and what does it lose? It asks the layers alone first, then the gradients of a small network, then networks with and without pooling, trained on digits in their place and on digits that move.
#
# You need [pooling](../layers/pooling.py), and an idea of how [a CNN](cnn.py) is trained.
#
# [Fukushima (1980)](@fukushima1980) put layers into a network whose task was to tolerate a shift. [LeCun and others (1998)](@lecun1998) used averages for it, and [Scherer, Müller and Behnke (2010)](@scherer2010) found the maximum better. The usual claim since is that pooling makes a network *invariant* to small shifts: if an image moves by a pixel, the largest value of a window often stays the largest. Before any network is trained, ask the layers alone.

# %% tags=["hide-input"]
from functools import partial
from importlib.util import find_spec
from math import factorial, prod
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from numpy.lib.stride_tricks import sliding_window_view

from nn_tutorial import (
    SGD,
    AvgPool2d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    avg_pool2d,
    digits,
    fit_many,
    max_pool2d,
    predict,
    softmax_cross_entropy,
)
from nn_tutorial.pages.plots import COLORS, image_cells, show, use_style
from nn_tutorial.pages.tie_rules import TIE_RULES, TiePool, blocks

SEED = 0
use_style()
rng = np.random.default_rng(SEED)
data = digits(seed=SEED)

# %% [markdown]
# ## One pixel to the right, in a photograph
#
# Cut pieces of $32 \times 32$ pixels from a photograph, and the same pieces one pixel further on. How much does the output change? "How much" needs a unit, and there are two honest ones: the size of the output itself, and its distance to the output of *another* piece. The second asks whether the layer tells a shift from a new scene.

# %% tags=["remove-input"]
shipped = Path(find_spec("sklearn").origin).parent / "datasets/images"  # it need not be imported
photograph = plt.imread(shipped / "china.jpg").mean(axis=2) / 255
ways = {
    "as it is": lambda x: x,
    "every second pixel": lambda x: x[:, :, ::2, ::2],
    "max 2×2": lambda x: max_pool2d(x, 2)[0],
    "mean 2×2": lambda x: avg_pool2d(x, 2)[0],
    "max 3×3": lambda x: max_pool2d(x, 3, stride=2)[0],
    "mean 3×3": lambda x: avg_pool2d(x, 3, stride=2)[0],
    "max, then mean 3×3": lambda x: avg_pool2d(max_pool2d(x, 2, stride=1)[0], 3, stride=2)[0],
}


def length(x):
    return np.sqrt((x**2).sum((1, 2, 3)))


def changes(way, here, moved):
    """Mean change, in units of the output's size and of the distance to another image's."""
    y, y_moved = way(here), way(moved)
    change = length(y - y_moved)
    other = length(y - np.roll(y, 1, axis=0))
    return (change / length(y)).mean(), change.mean() / other.mean()


def pieces(seed, count=200, side=32):
    draw = np.random.default_rng(seed)
    tiles = sliding_window_view(photograph, (side, side))
    a = draw.integers(0, len(tiles), count)
    e = draw.integers(0, tiles.shape[1] - 1, count)
    return tiles[a, e][:, None], tiles[a, e + 1][:, None]


measured = np.array([[changes(way, *pieces(seed)) for seed in range(5)] for way in ways.values()])
names, mean = list(ways), measured.mean(1)
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.4), sharex=True)
for ax, unit, color, marker, title in (
    (axes[0], 0, "blue", "o", "in units of the output's own size"),
    (axes[1], 1, "orange", "s", "in units of the distance to another piece"),
):
    for row in range(len(ways)):
        values = measured[row, :, unit]
        ax.plot(values, [row] * len(values), marker, color=COLORS[color], markersize=4, alpha=0.5)
        ax.text(values.max() + 0.008, row, f"{values.mean():.2f}", va="center", fontsize=9)
    ax.set(yticks=range(len(ways)), yticklabels=names, ylim=(len(ways) - 0.4, -0.6), title=title)
    ax.grid(axis="y", visible=False)
axes[1].set(xlim=(0, 0.3), xlabel="change when the image moves by a pixel")
show(
    fig,
    name="one-pixel",
    alt=(
        "Change of the output when a photograph moves by one pixel, in two units. In its own size: "
        + ", ".join(f"{name} {value:.2f}" for name, value in zip(names, mean[:, 0], strict=True))
        + ". In units of the distance to another piece: "
        + ", ".join(f"{name} {value:.2f}" for name, value in zip(names, mean[:, 1], strict=True))
        + "."
    ),
    caption=(
        "Five draws of 200 pieces each; the number is their mean. All but the first halve the image. "
        "Measured against another piece (lower plot), the maximum's advantage is much smaller than "
        "the mean's."
    ),
)
at = dict(zip(names, mean, strict=True))
assert abs(at["every second pixel"][0] / at["as it is"][0] - 1) < 0.05
assert at["max 2×2"][0] < 0.7 * at["as it is"][0] and at["mean 2×2"][0] < 0.7 * at["as it is"][0]
assert at["mean 2×2"][1] < at["max 2×2"][1] < at["every second pixel"][1]
spread = {name: own / other for name, (own, other) in at.items()}
assert spread["max 2×2"] < 0.8 * spread["as it is"]
assert at["as it is"][1] - at["max 2×2"][1] < 0.6 * (at["as it is"][1] - at["mean 2×2"][1])

# %% [markdown]
# In the first unit, the maximum's output changes by {{ at["max 2×2"][0]:.2f}} where the image changes by {{ at["as it is"][0]:.2f}}, and the mean's by {{ at["mean 2×2"][0]:.2f}}. So both buy something, and taking every second pixel buys nothing. But part of the maximum's gain is an illusion: it makes all pieces more alike. Two of them lie {{ spread["as it is"]:.2f}} of their own size apart as they are, and {{ spread["max 2×2"]:.2f}} after the maximum. In the second unit the change goes from {{ at["as it is"][1]:.2f}} to {{ at["max 2×2"][1]:.2f}} with the maximum, and to {{ at["mean 2×2"][1]:.2f}} with the mean.

# %% tags=["hide-input"]
def frame(images, down=0, right=0, margin=2):
    """Put 8×8 images into a blank frame, of 12×12 by default, moved from the middle."""
    out = np.zeros((len(images), 1, 8 + 2 * margin, 8 + 2 * margin), images.dtype)
    top, left = margin + down, margin + right
    out[:, :, top : top + 8, left : left + 8] = images
    return out


in_frame = frame(data.x_test.astype(float))
moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]
on_digits = {
    name: np.mean([changes(way, in_frame, frame(data.x_test.astype(float), *move))
                   for move in moves], axis=0)
    for name, way in ways.items()
}
assert on_digits["max 2×2"][1] > 1 and on_digits["max 2×2"][0] < on_digits["as it is"][0]

# %% [markdown]
# On the small digits it is worse. In the second unit, a move by one pixel changes a digit by {{ on_digits["as it is"][1]:.2f}} as it is, by {{ on_digits["mean 2×2"][1]:.2f}} after the mean, and by {{ on_digits["max 2×2"][1]:.2f}} after the maximum. After the maximum, a digit that has moved is farther from itself than from another digit. A stroke is one or two pixels wide here, and a shift of one pixel is not small.
#
# ## Why a shift by one can do anything
#
# A grid of every second pixel can carry stripes that repeat after more than four pixels, and none that are finer; that is the sampling theorem ([@shannon1949]). What is too fine does not vanish. It comes out as something else, which is called **aliasing**. Here are the finest stripes there are, and stripes at the very limit, each once as they are and once moved by a pixel:

# %% tags=["remove-input"]
def strip(ax, row, values, label):
    """A row of numbered cells; four values take the place of eight."""
    wide = 8 // len(values)
    for k, value in enumerate(values):
        box = (k * wide, 1.25 * row), wide, 1
        ax.add_patch(Rectangle(*box, facecolor=COLORS["blue"], alpha=value / 16, edgecolor="none"))
        ax.add_patch(Rectangle(*box, fill=False, edgecolor=COLORS["muted"], linewidth=0.8))
        ax.text((k + 0.5) * wide, 1.25 * row + 0.5, f"{value:g}", ha="center", va="center")
    if label:
        ax.text(-0.4, 1.25 * row + 0.5, label, ha="right", va="center", fontsize=9)


fig, axes = plt.subplots(2, 2, figsize=(5.2, 4.4))
stripes = {}
for line, period in enumerate(([0, 8], [0, 0, 8, 8])):
    for column in (0, 1):
        signal = np.roll(np.tile(period, 8 // len(period)), -column).astype(float)
        stack = signal[None, None, None]
        outputs = {
            "every 2nd": signal[::2],
            "max": max_pool2d(stack, (1, 2))[0].ravel(),
            "mean": avg_pool2d(stack, (1, 2))[0].ravel(),
        }
        stripes[line, column] = outputs
        ax = axes[line, column]
        for row, (name, values) in enumerate({"stripes": signal, **outputs}.items()):
            strip(ax, row, values, "" if column else name)
        ax.set(xlim=(-0.1, 8.1), ylim=(4.9, -0.1))
        ax.axis("off")
        ax.set_title(("as they are", "moved by one")[column], fontsize=9.5)
show(
    fig,
    name="stripes",
    alt=(
        "Stripes 0 8 0 8: every second pixel gives all 0, moved by one all 8; the maximum gives 8 "
        "both times, the mean 4. Stripes 0 0 8 8: every second pixel gives 0 8 0 8 both times; the "
        "maximum and the mean give 0 8 0 8, but moved by one the maximum gives all 8 and the mean "
        "all 4."
    ),
    caption=(
        "On the finest stripes (above) every second pixel goes from all 0 to all 8 when they move; "
        "the other two are steady, and have no stripes left. On the wider ones (below) the maximum "
        "and the mean show stripes or lose them."
    ),
)
same = {key: [(stripes[line, 0][key] == stripes[line, 1][key]).all() for line in (0, 1)]
        for key in ("every 2nd", "max", "mean")}
assert same == {"every 2nd": [False, True], "max": [True, False], "mean": [True, False]}

# %% [markdown]
# None of the three is safe from a shift that is smaller than its stride. A shift by a whole stride does no harm: move the image by two, and the output moves by one, to the last bit. [Zhang (2019)](@zhang2019) made networks steadier by taking the maximum at *every* place and averaging before the pixels are thrown away. The last line of the photograph's figure is that idea: {{ at["max, then mean 3×3"][0]:.2f}} where the plain maximum has {{ at["max 2×2"][0]:.2f}}.

# %% tags=["remove-input"]
here, _ = pieces(SEED)
for pool in (max_pool2d, avg_pool2d):
    assert (pool(here[..., 2:], 2)[0] == pool(here, 2)[0][..., 1:]).all()
steadier = changes(ways["max, then mean 3×3"], *pieces(SEED))
plain = changes(ways["max 2×2"], *pieces(SEED))
assert steadier[0] < plain[0] and steadier[1] < plain[1]

# %% [markdown]
# ## Two images, one output
#
# To tolerate a shift, a layer must forget where things are. Take a digit and shuffle the four pixels within each window. Neither the maximum nor the mean can tell the two digits apart:

# %% tags=["remove-input"]
image = data.x_test[:1]
highest, mean_of = max_pool2d(image, 2)[0], avg_pool2d(image, 2)[0]
shuffled = rng.permuted(blocks(image), axis=-1)
shuffled = shuffled.reshape(1, 1, 4, 4, 2, 2).swapaxes(3, 4).reshape(1, 1, 8, 8)
moved_share = (shuffled != image).mean()
alike = prod(factorial(4) // prod(map(factorial, np.unique(window, return_counts=True)[1].tolist()))
             for window in blocks(image).reshape(-1, 4))
for pool in (max_pool2d, avg_pool2d):
    assert (pool(shuffled, 2)[0] == pool(image, 2)[0]).all()
assert moved_share > 0.3
fig, axes = plt.subplots(2, 2, figsize=(3.8, 4.2))
for ax, values, title, windows in (
    (axes[0, 0], image, "a digit", 2),
    (axes[0, 1], shuffled, "shuffled in its windows", 2),
    (axes[1, 0], highest, "the max of both", 1),
    (axes[1, 1], mean_of, "the mean of both", 1),
):
    image_cells(ax, values[0, 0], title=title, windows=windows, top=1)
show(
    fig,
    name="shuffled",
    alt=(
        f"A digit, and the same with the four pixels of each window shuffled: {moved_share:.0%} of "
        "the pixels differ and the strokes have ragged edges. Below, the maximum and the mean "
        "of each window, which are the same for both."
    ),
    caption=(
        f"{moved_share:.0%} of the pixels differ, and both pooled images are equal to the last "
        "bit. What tells the upper two apart reaches no layer after the pooling."
    ),
)

# %% [markdown]
# If you count all ways to shuffle, at least {{ f"{alike:,}" }} images share these two outputs.
#
# ## Equal maxima after a ReLU: how often?
#
# Where [two pixels of a window are the largest](../layers/pooling.py#ties-when-two-are-the-largest), a rule must choose. Two real numbers are hardly ever equal, and ties look like a technicality. But a pooling layer usually follows a ReLU, and a ReLU puts out many numbers that *are* equal: zeros. Here is a small network on handwritten digits. So that the $8 \times 8$ digits can be moved about, they stand in the middle of a blank $12 \times 12$ frame. The network is convolution, ReLU, pool, twice, and a linear layer.

# %% tags=["hide-input"]
POOLS = {"max": MaxPool2d, "mean": AvgPool2d}
KINDS = {"max": "max", "mean": "mean", "stride": "stride 2", "none, small": "none, small",
         "none": "none, large"}


def build(kind, rng, side=12):
    """Two convolutions with 6 and 12 filters, made smaller in the way that `kind` names."""
    stride = 2 if kind == "stride" else 1
    pool = [POOLS[kind](2)] if kind in POOLS else []
    features = 12 * (side // 4 if pool or stride == 2 else side) ** 2
    layers = [
        Conv2d(1, 6, 3, padding=1, stride=stride, rng=rng), ReLU(), *pool,
        Conv2d(6, 12, 3, padding=1, stride=stride, rng=rng), ReLU(), *pool,
    ]
    if kind == "none, small":  # mix the twelve images into one, to have a small linear layer
        layers.append(Conv2d(12, 1, 1, rng=rng))
        features //= 12
    return Sequential(*layers, Flatten(), Linear(features, 10, rng=rng))


def train(kind, rate, seeds, moved=False, epochs=10, margin=2):
    """Train on digits in the middle, or each moved anew by up to a pixel in every epoch.

    A network per seed, side by side. Where the steps were too large, it counts as it stands.
    """
    draws = [np.random.default_rng(seed) for seed in seeds]
    nets = [build(kind, draw, side=8 + 2 * margin) for draw in draws]

    def images_of(epoch):
        if not moved:
            return frame(data.x_train, margin=margin), data.y_train
        parts = []
        for draw in draws:
            images, steps = frame(data.x_train), draw.integers(-1, 2, (len(data.x_train), 2))
            for step in np.unique(steps, axis=0):
                those = (steps == step).all(1)
                images[those] = frame(data.x_train[those], *step)
            parts.append((images, data.y_train))
        return parts

    fit_many(nets, images_of, optimizer=partial(SGD, momentum=0.9), lr=rate, epochs=epochs,
             batch_size=32, rngs=draws)
    return nets


fresh = {kind: build(kind, np.random.default_rng(SEED)).params.values() for kind in KINDS}
sizes = {kind: sum(p.size for p in params) for kind, params in fresh.items()}
for ours in zip(fresh["max"], fresh["mean"], fresh["stride"], strict=True):
    assert (ours[0] == ours[1]).all() and (ours[0] == ours[2]).all()  # the same first weights


# %%
def ties(net, margin):
    """Return the windows, their maxima, which of them are tied, and which see only blank paper."""
    x = frame(data.x_train, margin=margin)
    windows = blocks(net.layers[1](net.layers[0](x)))
    top = windows.max(-1)
    patches = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    blank = blocks((patches == 0).all((-1, -2)))  # pixels whose filter sees blank paper alone
    return windows, top, (windows == top[..., None]).sum(-1) > 1, blank


seeds = range(SEED, SEED + 5)
nets = {margin: train("max", 0.03, seeds, margin=margin) for margin in (2, 0)}
shares = {"in the frame": [], "in the frame, on ink": [], "without the frame": []}
for net in nets[2]:
    _, _, several, blank = ties(net, margin=2)
    ink = np.broadcast_to(~blank.all(-1), several.shape)
    shares["in the frame"].append(several.mean())
    shares["in the frame, on ink"].append(several[ink].mean())
for net in nets[0]:
    shares["without the frame"].append(ties(net, margin=0)[2].mean())

for name, values in shares.items():
    print(f"{name:<21}" + "".join(f"{value:5.0%}" for value in values))
assert all(0.1 < min(v) < max(v) < 0.9 for v in shares.values())
assert min(shares["in the frame"]) > max(
    *shares["in the frame, on ink"], *shares["without the frame"]
)


# %% tags=["remove-input"]
def between(name):
    """The smallest and the largest share over the seeds."""
    low, high = min(shares[name]), max(shares[name])
    return f"{100 * low:.0f} to {high:.0%}"


# %% [markdown]
# Each row shows five networks, one per seed. In the frame {{ between("in the frame") }} of the windows are tied. Most of that is the frame's doing. Of the windows in which a filter sees at least one pixel of ink, {{ between("in the frame, on ink") }} are tied, and of all windows without the frame, {{ between("without the frame") }}. So ties are common wherever a ReLU comes before the pooling, and more so where a picture has a blank border. How common depends on the pictures. Does the choice among the tied pixels matter? In none of these ten networks does it matter to the filters, for two different reasons.
#
# **All four are zero.** No matter which pixel wins, the gradient goes on to the ReLU, whose gate is shut where its output is 0. So nothing passes.
#
# **Tied above zero.** Nearly all of these windows lie on blank paper. The filter sees the same blank patch again and again, and answers with its bias each time. The gradient of a weight is the sum of gradient times patch, and the patches are equal; so again it does not matter where in the window the gradient lands. Both claims can be checked:

# %%
every = [(net, margin) for margin, those in nets.items() for net in those]
on_blank = []
for net, margin in every:
    windows, top, several, blank = ties(net, margin)
    above = several & (top > 0)
    assert (top == 0).mean() > 0.05 and above.mean() > 0.01
    on_blank.append((blank | (windows != top[..., None])).all(-1)[above].mean())
print(f"ties above 0 on blank paper: {min(on_blank):.1%} or more, in each of {len(every)} networks")
assert min(on_blank) > 0.95

# %% [markdown]
# Next, the gradients of each whole network, once with each rule. The table says how much those of the first filters, of their bias and of the image differ from *first*, relative to their size: the largest difference among the ten networks.

# %%
def gradients(net, margin, rule):
    """Gradients of all parameters, of the image, and of what stands before the first ReLU."""
    layers = [TiePool(rule) if isinstance(layer, MaxPool2d) else layer for layer in net.layers]
    logits, caches = Sequential(*layers).forward(frame(data.x_train, margin=margin))
    d = softmax_cross_entropy(logits, data.y_train)[1]
    found = {}
    for i in reversed(range(len(layers))):
        d, grads = layers[i].backward(d, caches[i])
        found |= {f"{i}.{name}": value for name, value in grads.items()} | {f"dx{i}": d}
    return found


KEYS = ("0.weight", "0.bias", "dx0", "3.weight")
apart = {rule: [] for rule in TIE_RULES}  # one row per network
for net, margin in every:
    closed = ties(net, margin)[1] == 0
    by_rule = {rule: gradients(net, margin, rule) for rule in TIE_RULES}
    for rule, found in by_rule.items():
        assert (blocks(found["dx1"])[closed] == 0).all()
        apart[rule].append([
            np.linalg.norm(found[key] - by_rule["first"][key])
            / np.linalg.norm(by_rule["first"][key]) for key in KEYS
        ])
apart = {rule: np.array(rows) for rule, rows in apart.items()}
print("             filters   bias  image")
for rule in TIE_RULES[1:]:
    print(f"{rule:<13}" + "".join(f"{most:>7.0e}" for most in apart[rule].max(0)[:3]))
for rule in ("last", "even shares"):
    assert apart[rule][:, [0, 1, 3]].max() < 1e-5 and apart[rule][:, 2].min() > 0.01
to_all = apart["to all"][:, 1]
assert to_all.min() > 0.02

# %% [markdown]
# Between *first*, *last* and *even shares* the gradient of the filters and of the bias differs by nothing but the rounding of float32, in each of the ten networks. The gradient of the *image* does change: a picture of "where the network looks", drawn from it, depends on the rule. And *to all* makes the gradient of the bias wrong by {{ f"{100 * to_all.min():.0f}" }} to {{ to_all.max():.0%}} of its size, because a blank window now counts up to four times.
#
# ## Who gets a gradient
#
# With $2 \times 2$ windows side by side, the maximum sends a gradient to a quarter of the pixels, the mean to all. It sounds as if most of the network learnt nothing. But what happens in the layers below?

# %% tags=["remove-input"]
nets = {"max": nets[2][0], "mean": train("mean", 0.1, [SEED])[0]}
reached = {}
for name, network in nets.items():
    logits, caches = network.forward(frame(data.x_test))
    d = softmax_cross_entropy(logits, data.y_test)[1]
    for i in reversed(range(8)):
        d, _ = network.layers[i].backward(d, caches[i])
        reached[name, i] = (d != 0).mean()
print("pixels with a gradient     max  mean")
for i, place in ((5, "before the second pool"), (2, "before the first pool"),
                 (1, "before the first ReLU"), (0, "the image")):
    print(f"{place:<24}{reached['max', i]:6.0%}{reached['mean', i]:6.0%}")
assert reached["max", 2] < 0.26 and reached["mean", 2] > 0.99 and reached["max", 0] > 0.95

# %% [markdown]
# The convolution below spreads the gradient out again: a filter of $3 \times 3$ hands each number to nine pixels, and there are several filters. At the image {{ reached["max", 0]:.0%}} of the pixels have a gradient. And a filter is shared by all places, so it needs only some of them. Sparse is not the same as starved.
#
# ## Does a network need pooling?
#
# **The question.** Is a network with pooling better than one without, on test digits in their place and on the same digits moved by one or two pixels?
#
# **A prediction.** The maximum should lead, on moved digits above all. A convolution with stride 2 computes a quarter of the pixels and none of the others, so it should come last. A network that keeps its images at full size should do well in place, since nothing is lost, and badly on moved digits.
#
# Five networks have the same filters. Three make their images smaller: by the maximum, by the mean, or by stride 2 instead of pooling. They begin with the same weights. Two keep $12 \times 12$ pixels to the end. In one of them, *none, large*, the linear layer is therefore sixteen times as large. In the other, *none, small*, the twelve images are first mixed into one. The first three have {{ sizes["max"]:,}} parameters, *none, small* has {{ sizes["none, small"]:,}}, and *none, large* {{ sizes["none"]:,}}.
#
# Each network is trained for ten epochs, with five seeds, in two ways: on digits in the middle of the frame, and on digits that are moved by up to a pixel, anew in each epoch. Each time it has the best of five learning rates, from 0.003 to 0.3, by the accuracy of its first two seeds on validation images of the same kind.

# %% tags=["hide-input"]
RATES, SEEDS = [0.003, 0.01, 0.03, 0.1, 0.3], range(5)
SHIFTS = [[(0, 0)], moves, [(0, 2), (0, -2), (2, 0), (-2, 0)]]


def accuracy(net, images, labels, group):
    """In per cent, a mean over some moves; after steps that were too large, scores may overflow."""
    with np.errstate(all="ignore"):
        right = [(predict(net, frame(images, *move)) == labels).mean() for move in group]
    return 100 * np.mean(right)


def tuned(kind, moved):
    """The best rate, five networks trained with it, and those that the other rates gave."""
    group = SHIFTS[0] + SHIFTS[1] if moved else SHIFTS[0]
    first = train(kind, np.repeat(RATES, 2).tolist(), [*SEEDS[:2]] * len(RATES), moved)
    tried = {rate: first[2 * k : 2 * k + 2] for k, rate in enumerate(RATES)}
    on_val = [np.mean([accuracy(n, data.x_val, data.y_val, group) for n in nets])
              for nets in tried.values()]
    best = RATES[int(np.argmax(on_val))]
    return best, tried[best] + train(kind, best, SEEDS[2:], moved), tried


def scores(nets):
    """One row per network: in place, moved by one pixel, moved by two."""
    return np.array([[accuracy(n, data.x_test, data.y_test, group) for group in SHIFTS]
                     for n in nets])


found = {(kind, moved): tuned(kind, moved) for kind in KINDS for moved in (False, True)}
centred, augmented = ({kind: scores(found[kind, moved][1]) for kind in KINDS}
                      for moved in (False, True))
trained = {kind: found[kind, False][1] for kind in KINDS}
rate, rate_moved = ({kind: found[kind, moved][0] for kind in KINDS} for moved in (False, True))
assert all(RATES[0] < found[run][0] < RATES[-1] for run in found if run[0] != "mean")
assert all(found["mean", moved][0] > 0.03 for moved in (False, True))
at_max_rate = scores(found["mean", False][2][rate["max"]]
                     + train("mean", rate["max"], SEEDS[2:]))

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.8), sharex=True)
marks = (("o", "blue", "in place"), ("s", "orange", "moved by 1"), ("^", "green", "moved by 2"))
for ax, results, title in (
    (axes[0], centred, "Trained on digits in the middle"),
    (axes[1], augmented, "Trained on digits moved by up to a pixel"),
):
    for row, kind in enumerate(KINDS):
        for k, (marker, color, text) in enumerate(marks):
            values = results[kind][:, k]
            level = row + (0.17, -0.17, 0)[k]
            ax.plot(values, [level] * len(values), marker, color=COLORS[color], markersize=4.5,
                    alpha=0.45)
            ax.plot([values.mean()] * 2, [level - 0.17, level + 0.17], color=COLORS[color])
            if ax is axes[0] and row == 0:
                ax.text(values.mean(), -0.6, text, color=COLORS[color], ha="center", fontsize=9)
    ax.set(yticks=range(5), yticklabels=KINDS.values(), ylim=(4.5, -0.95), title=title)
    ax.grid(axis="y", visible=False)
axes[1].set(xlabel="test accuracy (%)", xlim=(0, 104))
m = {kind: (centred[kind].mean(0), augmented[kind].mean(0)) for kind in KINDS}
says = "; ".join(
    f"{KINDS[kind]} {c[0]:.0f}, {c[1]:.0f} and {c[2]:.0f} ({a[0]:.0f}, {a[1]:.0f} and {a[2]:.0f})"
    for kind, (c, a) in m.items()
)
show(
    fig,
    name="experiment",
    alt=(
        "Test accuracy in percent of five networks, in place, moved by one and by two pixels; in "
        f"brackets after training on moved digits: {says}."
    ),
    caption=(
        "Each mark is a run, each stroke the mean of five. Above, all networks lose much when a digit "
        "moves by one pixel (squares), those with pooling least. Below, training on moved digits "
        "has brought all squares to the dots, some of them farther right than others."
    ),
)
gap = centred["max"][:, 1] - centred["mean"][:, 1]
gap_untuned = centred["max"][:, 1] - at_max_rate[:, 1]
bare = ("stride", "none, small", "none")
for pooled in ("max", "mean"):
    assert all((centred[pooled][:, 1] > centred[kind][:, 1]).all() for kind in bare)
    assert all(m[pooled][1][1] > m[kind][1][1] + 1 for kind in ("stride", "none, small"))
    assert all(m[pooled][1][2] > m[kind][1][2] + 3 for kind in bare)
assert abs(m["none"][0][0] - m["max"][0][0]) < 3 and m["none"][1][1] > m["max"][1][1] - 2
assert abs(m["stride"][0][1] - m["none"][0][1]) < 4
assert abs(gap.mean()) < 4 and gap_untuned.mean() > 4 and (gap_untuned > 0).all()
gains = {kind: m[kind][1][1] - m[kind][0][1] for kind in KINDS}
assert min(gains.values()) > 25

# %% [markdown]
# | Chosen learning rate | max | mean | stride 2 | none, small | none, large |
# |---|---|---|---|---|---|
# | trained in the middle | {{ rate["max"] }} | {{ rate["mean"] }} | {{ rate["stride"] }} | {{ rate["none, small"] }} | {{ rate["none"] }} |
# | trained on moved digits | {{ rate_moved["max"] }} | {{ rate_moved["mean"] }} | {{ rate_moved["stride"] }} | {{ rate_moved["none, small"] }} | {{ rate_moved["none"] }} |
#
# **The verdict.** Trained on digits in the middle, the networks with pooling do better on moved digits, with each of the five seeds: moved by one pixel, {{ m["max"][0][1]:.0f}}% for the maximum and {{ m["mean"][0][1]:.0f}}% for the mean, against {{ m["stride"][0][1]:.0f}}% with stride 2, {{ m["none, small"][0][1]:.0f}}% and {{ m["none"][0][1]:.0f}}% with none. So much of the prediction holds. Four things deserve a second look.
#
# - **It is little comfort.** In place the maximum reaches {{ m["max"][0][0]:.0f}}%. A step of one pixel costs it {{ m["max"][0][0] - m["max"][0][1]:.0f}} points. And stride 2 does not come last: keeping every pixel protects no better.
# - **The maximum hardly leads the mean.** On digits moved by one the lead is {{ gap.mean():.1f}} points, with a standard deviation over the seeds of {{ gap.std(ddof=1):.1f}}. Had the mean been given the maximum's learning rate, {{ rate["max"]:g}} instead of {{ rate["mean"]:g}}, the lead would have been {{ gap_untuned.mean():.1f}} points, and there with every seed. The mean makes gradients smaller, and needs larger steps. If you compare the two at one rate, you compare rates.
# - **In place, pooling does not decide.** There *none, large* has {{ m["none"][0][0]:.1f}}% and the maximum {{ m["max"][0][0]:.1f}}%, with standard deviations of {{ centred["none"][:, 0].std(ddof=1):.1f}} and {{ centred["max"][:, 0].std(ddof=1):.1f}} points.
# - **The data do most.** Trained on moved digits, the five reach {{ m["max"][1][1]:.0f}}, {{ m["mean"][1][1]:.0f}}, {{ m["stride"][1][1]:.0f}}, {{ m["none, small"][1][1]:.0f}} and {{ m["none"][1][1]:.0f}}% on digits moved by one: each gains at least {{ min(gains.values()):.0f}} points. Among networks of about equal size the pooled ones stay ahead. The large one catches up.
#
# So here a network without pooling can learn the tolerance that pooling has by construction, if it has the data to learn it from and the parameters to learn it with. Larger studies point the same way. For accuracy in place, stride can replace pooling ([@springenberg2015]); large networks that pool are not invariant to a shift of a pixel ([@azulay2019]); and tolerance of small deformations is learnt with pooling or without ([@ruderman2018]).
#
# **What this does not show.** These images are tiny, and a pixel is a large step in them. Two layers, ten epochs and five learning rates are little, and more of each may change the result. No network was trained on shifts of two pixels, and there the pooled networks keep a lead, {{ m["max"][1][2]:.0f}}% and {{ m["mean"][1][2]:.0f}}% against at most {{ max(m[kind][1][2] for kind in bare):.0f}}%. Nor does accuracy count the work: without pooling the second convolution has four times the pixels to go over, and this use of pooling is not in dispute.
#
# ## What a deeper stack sees
#
# The layers alone did badly on digits, and the trained networks did better. So follow one shift through the network, in the second of the two units: the change when a digit moves by a pixel, divided by the distance to another digit.

# %% tags=["remove-input"]
def traced(net, images):
    """The image, what leaves each of the two blocks, and the scores; one row per image."""
    stops, seen, x = [], [images], images
    for k, layer in enumerate(net.layers):
        x = layer(x)
        after = net.layers[k + 1] if k + 1 < len(net.layers) else None
        if isinstance(after, (Conv2d, Flatten)) or after is None:
            stops.append(k)
            seen.append(x)
    return [stop.reshape(len(images), -1) for stop in seen]


def by_depth(net):
    here = traced(net, frame(data.x_test))
    found = []
    for move in moves:
        there = traced(net, frame(data.x_test, *move))
        found.append([
            np.linalg.norm(a - b, axis=1).mean()
            / np.linalg.norm(a - np.roll(a, 1, axis=0), axis=1).mean()
            for a, b in zip(here, there, strict=True)
        ])
    return np.mean(found, axis=0)


SHOWN = ["max", "mean", "stride", "none"]
depth = {kind: np.array([by_depth(n) for n in trained[kind]]) for kind in SHOWN}
fig, ax = plt.subplots(figsize=(4.8, 3.6))
for kind, color, style, marker in (
    ("max", "blue", "-", "o"), ("mean", "orange", "--", "s"),
    ("stride", "green", "-.", "^"), ("none", "purple", ":", "D"),
):
    values = depth[kind].mean(0)
    ax.plot(range(4), values, style + marker, color=COLORS[color], markersize=5)
    ax.fill_between(range(4), depth[kind].min(0), depth[kind].max(0), color=COLORS[color],
                    alpha=0.12, linewidth=0)
show_at = sorted((depth[kind].mean(0)[-1], kind) for kind in SHOWN)
colors = {"max": "blue", "mean": "orange", "stride": "green", "none": "purple"}
levels = np.array([value for value, _ in show_at])
for k in range(1, 4):
    levels[k] = max(levels[k], levels[k - 1] + 0.055)
for level, (_, kind) in zip(levels, show_at, strict=True):
    ax.text(3.12, level, KINDS[kind], color=COLORS[colors[kind]], va="center")
ax.axhline(1, color=COLORS["muted"], linewidth=0.8)
ax.text(-0.15, 1.045, "1: as far as another digit", fontsize=9, va="bottom")
ax.set(xticks=range(4), xticklabels=["image", "block 1", "block 2", "scores"], xlim=(-0.2, 3.75),
       ylim=(0, 1.16), ylabel="change by a pixel,\nin units of another digit",
       title="A shift on its way through the network")
show(
    fig,
    name="by-depth",
    alt=(
        "Change by a one-pixel shift in units of the distance to another digit, at the image, "
        "after the first and the second block, at the scores: "
        + "; ".join(f"{KINDS[k]} " + ", ".join(f"{v:.2f}" for v in depth[k].mean(0))
                    for k in SHOWN) + "."
    ),
    caption=(
        "Means over five trained networks, bands from the lowest to the highest. With pooling the "
        "lines fall in every block; with none the line falls only at the very end, in the linear "
        "layer."
    ),
)
d = {kind: depth[kind].mean(0) for kind in SHOWN}
assert all(d[p][-1] < d[b][-1] for p in ("max", "mean") for b in ("stride", "none"))
assert all(np.diff(d[kind]).max() < 0.02 for kind in SHOWN)
assert d["none"][2] > 0.9 and d["none"][3] < 0.75
assert (np.diff([d[p] for p in ("max", "mean")]) < -0.05).all()

# %% [markdown]
# In the image, a digit moved by a pixel is as far off as another digit ({{ d["max"][0]:.2f}}). With the maximum that falls to {{ d["max"][1]:.2f}} after one block, {{ d["max"][2]:.2f}} after two, and {{ d["max"][3]:.2f}} at the scores. With none it is {{ d["none"][2]:.2f}} after two blocks; whatever tolerance that network has, {{ d["none"][3]:.2f}} at the scores, is nearly all the work of its linear layer. One block with pooling does little, several in a row add up, and the result is far from invariance, which would be 0.
#
# ## In five lines
#
# - When a photograph moves by a pixel, the output of pooling changes less than the image does; part of the maximum's gain is that it makes all pieces more alike.
# - A shift by a whole stride does no harm; from a smaller one neither every second pixel, nor the maximum, nor the mean is safe.
# - After a ReLU ties are common; in none of the ten networks did it matter to the filters which of the tied pixels wins.
# - The maximum sends a gradient to a quarter of the pixels, and the convolution below spreads it out again.
# - Pooling tolerates small shifts; a network without it can learn that from data that moves.
#
# ## Try it
#
# ??? question "1. Maximum pooling after a ReLU, or a ReLU after maximum pooling: is there a difference?"
#     Not in the output. A ReLU keeps the order of numbers, so taking the maximum first or last gives the same number. Nor is there one in the gradient: a window whose largest value is positive passes it to the same pixel, and the others pass nothing. But the ReLU has a quarter of the work if it comes second.
#
# ??? question "2. For the notebook: pool by a softmax, $y = \sum_k p_k x_k$ with $p = \operatorname{softmax}(\beta x)$ over the window. What are $\beta = 0$ and $\beta \to \infty$?"
#     The mean and the maximum. In between there are no ties to break, and the gradient reaches all pixels: $\partial y/\partial x_k = p_k (1 + \beta (x_k - y))$. Write it with `blocks`, check it with `gradient_check`, and put it into `build`. Does any $\beta$ beat both ends?
#
# ## Sources
#
# - Shannon (1949), *Communication in the presence of noise*, Proceedings of the IRE: the sampling theorem.
# - Fukushima (1980), *Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition unaffected by shift in position*, Biological Cybernetics: layers that detect, and layers that tolerate a shift.
# - LeCun, Bottou, Bengio and Haffner (1998), *Gradient-based learning applied to document recognition*, Proceedings of the IEEE: averages over windows, with a trained factor.
# - Scherer, Müller and Behnke (2010), *Evaluation of pooling operations in convolutional architectures for object recognition*, ICANN: the maximum compared with averages.
# - Springenberg, Dosovitskiy, Brox and Riedmiller (2015), *Striving for simplicity: the all convolutional net*, ICLR workshop: stride instead of pooling.
# - Ruderman, Rabinowitz, Morcos and Zoran (2018), *Pooling is neither necessary nor sufficient for appropriate deformation stability in CNNs*, arXiv:1804.04438.
# - Azulay and Weiss (2019), *Why do deep convolutional networks generalize so poorly to small image transformations?*, Journal of Machine Learning Research.
# - Zhang (2019), *Making convolutional networks shift-invariant again*, ICML: blur before you subsample.
# - The photograph is by danielbuechele (CC BY 2.0), as scikit-learn ships it.
