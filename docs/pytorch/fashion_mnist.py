# ---
# title: A CNN for Fashion-MNIST
# description: Train a convolutional network on pictures of clothes as you would for real, with records, interruptions, several processes and an ablation, and say how far to believe its test accuracy.
# tags:
#   - pytorch
# ---

# %% [markdown]
# # A CNN for Fashion-MNIST
#
# You know every layer of this network by its derivative. Here you train it as it is done for real: in PyTorch, on the tens of thousands of pictures of Fashion-MNIST ([@xiao2017]), for so long that the training must survive an interruption. At the end you can say how good the network is, how sure you may be of that, what it confuses, and which of its parts earned their place.
#
# You need [a CNN in NumPy](../networks/cnn.py), [batch normalisation](../layers/batch_norm.py), and [intervals and fair comparisons](../networks/iris.py).

# %% tags=["hide-input"]
import copy
import inspect
import os
import signal
import tempfile
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from torch import nn
from torch.nn.functional import cross_entropy, interpolate

from nn_tutorial import Adam, small_cnn, softmax_cross_entropy, wilson
from nn_tutorial.data import DataNotFoundError, digits, stratified_split
from nn_tutorial.data.dataset import remember
from nn_tutorial.data.fashion import fashion_mnist_stored
from nn_tutorial.pages.show import power
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style
from nn_tutorial.pytorch import training, twin
from nn_tutorial.pytorch.networks import count_parameters, fashion_cnn
from nn_tutorial.pytorch.processes import Processes
from nn_tutorial.pytorch.records import read_record
from nn_tutorial.pytorch.training import (
    Images,
    Interrupted,
    Plan,
    evaluate,
    normalisation,
    prepare,
    train,
)

SEED = 0
use_style()
plt.rcParams["image.composite_image"] = False  # small pictures, each with its own pixels
INK = LinearSegmentedColormap.from_list("ink", [COLORS["background"], COLORS["text"]])
ALONE = Processes(0, 1, torch.device("cpu"))


class Live(NamedTuple):
    """The pictures of the runs on this page: some of Fashion-MNIST, else the digits, enlarged."""

    name: str
    split: str
    sha256: str
    classes: tuple[str, ...]
    train: Images
    val: Images
    test: Images


def find_pictures():
    try:
        stored = fashion_mnist_stored()
    except DataNotFoundError:
        data = digits(seed=SEED)
        parts = []
        for part in ("train", "val", "test"):
            x = torch.from_numpy(getattr(data, f"x_{part}"))
            large = interpolate(x, size=(28, 28), mode="bilinear")  # 8×8 before
            y = torch.from_numpy(getattr(data, f"y_{part}"))
            parts.append(Images((255 * large).round().to(torch.uint8), y))
        return Live("digits", data.split, data.sha256, data.class_names, *parts)
    sha256 = stored.sha256
    remember(stored.name, sha256)
    rng = np.random.default_rng(SEED)
    kept, held = stratified_split(stored.y_train, (3000, 500), rng=rng)
    (tested,) = stratified_split(stored.y_test, (1000,), rng=rng)
    x, y = torch.from_numpy(stored.x_train), torch.from_numpy(stored.y_train)
    x_test, y_test = torch.from_numpy(stored.x_test), torch.from_numpy(stored.y_test)
    return Live(stored.name, stored.split, sha256, stored.class_names, Images(x[kept], y[kept]),
                Images(x[held], y[held]), Images(x_test[tested], y_test[tested]))


def named(name, split):
    """The data's name; and that it is re-split, where it is."""
    return f"{name} (re-split)" if split == "re-split" else name


live = find_pictures()
taught = Images(live.train.x[:1500], live.train.y[:1500])  # what the page's own CNN learns
HERE = named(live.name, live.split)
CLOTHES = live.name == "Fashion-MNIST"
FIRST = HERE[0].upper() + HERE[1:]  # at the beginning of a sentence
record = read_record(Path("docs/records/fashion-mnist.json"))
THERE = named(record["data"]["name"], record["data"]["split"])
ablation = read_record(Path("docs/records/fashion-mnist-ablation.json"))
A_THERE = named(ablation["data"]["name"], ablation["data"]["split"])
a_train, a_val, _ = ablation["data"]["sizes"]
a_seeds = sorted({run["seed"] for run in ablation["runs"]})
assert record["data"]["name"] == "Fashion-MNIST"

# %% tags=["remove-input"]
WHOSE = {
    "official": "the official split",
    "re-split": "a split that is **not** the official one (re-split), so that no number from it "
    "may be compared with published ones",
}
about_record = (
    f"The long training was recorded on Fashion-MNIST, with {WHOSE[record['data']['split']]}."
)
same = CLOTHES and live.sha256 == record["data"]["sha256"]
if CLOTHES:
    box = (
        f'!!! info "Two kinds of numbers on this page"\n    {about_record} The short runs happen '
        f"when the page is built, on at most {len(live.train.x):,} training pictures of "
        f"{'the same files' if same else HERE}. Each number says which."
    )
else:
    box = (
        '!!! warning "Fashion-MNIST was not found when this page was built"\n'
        f"    All runs on this page are of **{live.name}**: at most {len(live.train.x):,} handwritten "
        "digits, enlarged from 8×8 to 28×28 pixels. Fetch the clothes with "
        "`python -m nn_tutorial.data download fashion-mnist`, or name their folder in "
        "`NN_TUTORIAL_DATA`, and build the page again.\n\n"
        f"    {about_record} Its numbers are shown under that name, and under no other."
    )
display(Markdown(box))

# %% tags=["remove-input"]
fig, axes = plt.subplots(5, 2, figsize=(5.0, 4.7))
for label, ax in zip(range(10), axes.T.flat):
    pictures = live.train.x[live.train.y == label][:5, 0].numpy()
    ax.imshow(np.hstack(list(pictures)), cmap=INK, interpolation="none")
    ax.set_title(live.classes[label], fontsize=9.5, fontweight="normal", pad=3)
    ax.axis("off")
show(
    fig,
    name="pictures",
    alt=f"Five pictures of each of the ten classes of {HERE}: " + ", ".join(live.classes) + ".",
    caption=(
        f"{FIRST}: the first five training pictures of each class. "
        + (
            "Cover the names and try: which of the pullovers, coats and shirts would you know?"
            if CLOTHES
            else "They had 8×8 pixels. Look at the 1s and the 8s: would you know them all?"
        )
    ),
)

# %% [markdown]
# ## Shapes first
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `images.x` | $(N, 1, 28, 28)$ | pictures, stored as bytes |
# | $t$ | `images.y` | $(N)$ | what each picture is, 0 to 9 |
# | $\mu$, $\sigma$ | `scale.mean`, `scale.std` | one number for each channel | of the training pixels |
# | $Z$ | `logits` | $(N, 10)$ | scores |
# | $L$ | `loss` | one number | mean cross-entropy, in nats |
#
# This is the network. Its modules are PyTorch's, but for `BatchNorm2d` and `Dropout`; why these two are the book's own is said where [several processes](#two-processes-take-the-step-of-one) train it.

# %% tags=["remove-input"]
show_source(fashion_cnn)

# %% [markdown]
# The convolutions have no bias when a batch normalisation follows. It subtracts the mean of each channel, and with it any constant that was added before; its own shift $\beta$ takes the bias's place.
#
# One picture sent through, layer by layer. The work is the number of multiplications in convolutions and linear layers:

# %% tags=["remove-input"]
shown, x = fashion_cnn(seed=SEED).eval(), torch.zeros(1, 1, 28, 28)
rows, names, numbers, work = [], [], 0, 0
for layer in shown:
    x = layer(x)
    names.append(type(layer).__name__ + (" 3×3" if isinstance(layer, nn.Conv2d) else ""))
    numbers += count_parameters(layer)
    places = x.shape[2] * x.shape[3] if isinstance(layer, nn.Conv2d) else 1
    work += layer.weight.numel() * places if isinstance(layer, (nn.Conv2d, nn.Linear)) else 0
    if isinstance(layer, (nn.ReLU, nn.Dropout)) or names[-1] == "Dropout" or layer is shown[-1]:
        rows.append((", ".join(names), "×".join(map(str, x.shape[1:])), numbers, work))
        names, numbers, work = [], 0, 0
total, effort = (sum(row[i] for row in rows) for i in (2, 3))
assert total == count_parameters(shown) == record["network"]["parameters"]
widest = max(rows, key=lambda row: row[2])
busiest = sum(row[3] for row in rows if "Conv2d" in row[0])
display(Markdown(
    "| Layers | Output | Parameters | Work |\n|---|---|---|---|\n"
    + "\n".join(f"| {a} | {b} | {c:,} | {d:,} |" for a, b, c, d in rows)
    + f"\n| together | | **{total:,}** | **{effort:,}** |"
))
assert widest[0].startswith("Flatten") and widest[2] > total / 2 and busiest > 0.9 * effort

# %% [markdown]
# Two facts to keep. The first linear layer holds {{ widest[2] / total:.0%}} of all parameters. The convolutions do {{ busiest / effort:.0%}} of the work, because each of their weights is used at every place of the picture. To make a CNN smaller, look at the one; to make it faster, at the other.
#
# ## Normalise with what you may know
#
# Pixels are bytes from 0 to 255. Divide by 255, subtract a mean $\mu$, divide by a standard deviation $\sigma$:
#
# $$\hat x = \frac{x/255 - \mu}{\sigma}$$
#
# **By hand.** A training set of five pixels: 0, 34, 51, 68, 102. Divided by 255 they are fifteenths:
#
# $$\tfrac{0}{15},\ \tfrac{2}{15},\ \tfrac{3}{15},\ \tfrac{4}{15},\ \tfrac{6}{15} \qquad \mu = \tfrac{3}{15} = \tfrac15$$
#
# $$\sigma^2 = \tfrac15 \cdot \tfrac{9 + 1 + 0 + 1 + 9}{225} = \tfrac{4}{225}, \qquad \sigma = \tfrac{2}{15}$$
#
# $$\hat x = -\tfrac32,\ -\tfrac12,\ 0,\ \tfrac12,\ \tfrac32$$
#
# Now a test pixel of 119, which is $\tfrac{7}{15}$. It becomes $\left(\tfrac{7}{15} - \tfrac{3}{15}\right) / \tfrac{2}{15} = 2$. Nobody asks for *its* mean: $\mu$ and $\sigma$ are part of the trained network, as its weights are, and were fixed before the test began.

# %%
five = torch.tensor([0, 34, 51, 68, 102], dtype=torch.uint8)
five = five.reshape(1, 1, 1, 5)
by_hand = normalisation(five)
ready = prepare(five, by_hand).flatten()
tested = prepare(torch.full((1, 1, 1, 1), 119), by_hand)
assert np.allclose([by_hand.mean[0], by_hand.std[0]], [1 / 5, 2 / 15])
assert np.allclose(ready, [-1.5, -0.5, 0, 0.5, 1.5], atol=1e-6)
assert np.isclose(tested.item(), 2)

scale = normalisation(live.train.x)  # of the training part alone
every_x = torch.cat([live.train.x, live.val.x, live.test.x])
everything = normalisation(every_x)
for part, of in (("training", scale), ("all", everything)):
    print(f"{part:<8}  mean {of.mean[0]:.4f}  std {of.std[0]:.4f}")

# %% [markdown]
# Those are the numbers of {{ HERE }}. Taken from all parts, the two numbers hardly differ; among the mistakes below you will see how many answers change. Then why be strict? Because the rule costs nothing, and the day on which it matters gives no sign. The recorded training took $\mu = {{ f"{record['data']['mean'][0]:.4f}" }}$ and $\sigma = {{ f"{record['data']['std'][0]:.4f}" }}$ from its {{ f"{record['data']['sizes'][0]:,}" }} training pictures.
#
# ## The long training, recorded
#
# A build of this book must not take hours. So the long training was run once, by `{{ record["command"] }}`, and left a record: its settings, its curves, its test result, and a hash of every function and class that these follow from. The page reads the record at every build, and **refuses it if one of them has changed since**: then the numbers would be those of another program.

# %% tags=["remove-input"]
plan, epochs, test = record["plan"], record["epochs"], record["test"]
n_train, n_val, n_test = record["data"]["sizes"]
display(Markdown(
    f"| | The recorded run, {THERE} |\n|---|---|\n"
    f"| pictures | {n_train:,} for training, {n_val:,} for validation, {n_test:,} for the test |\n"
    f"| network | as above, dropout {record['network']['dropout']}, batch normalisation |\n"
    f"| optimiser | Adam (Kingma and Ba 2015), rate {plan['lr']}, falling to 0 along half a cosine "
    "(Loshchilov and Hutter 2017) |\n"
    f"| batches | {plan['batch_size']} pictures; {plan['epochs']} epochs |\n"
    "| changed at random | each picture mirrored with probability ½ |\n"
    f"| seed, date | {plan['seed']}; {record['date']} |\n"
    f"| where | {record['device']}, {record['processes']} process, "
    f"PyTorch {record['libraries']['torch']} |"
))
assert plan["cosine"] and plan["flip"] and record["network"]["batch_norm"]

# %% tags=["hide-input"]
series = {key: np.array([epoch[key] for epoch in epochs]) for key in epochs[0]}
count = np.arange(1, len(epochs) + 1)
LOOK = {"train": ("blue", "o", "-", "training"), "val": ("orange", "s", "--", "validation")}
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.6), sharex=True)
for ax, kind, unit in zip(axes, ("loss", "accuracy"), (1, 100)):
    ends = {part: unit * series[f"{part}_{kind}"][-1] for part in LOOK}
    for part, (color, marker, style, text) in LOOK.items():
        values = unit * series[f"{part}_{kind}"]
        ax.plot(count, values, style, marker=marker, markersize=4, color=COLORS[color])
        above = ends[part] == max(ends.values())
        ax.annotate(text, (count[-1], values[-1]), (7, 3 if above else -3),
                    textcoords="offset points", color=COLORS[color], va="bottom" if above else "top")
    ax.margins(x=0.03)
axes[0].set(title=f"Recorded run, {THERE}", ylabel="loss (nats)", ylim=(0, None))
axes[1].set(ylabel="accuracy (%)", xlabel="epoch",
            xticks=np.unique(np.linspace(1, len(count), 4).round()))
axes[1].set_xlim(1 - 0.03 * len(count), len(count) + 0.31 * len(count))
under = int((series["val_accuracy"] > series["train_accuracy"]).sum())
crossed = int((series["val_loss"] < series["train_loss"]).sum())
show(
    fig,
    name="recorded-curves",
    alt=(
        f"Loss and accuracy over {len(epochs)} epochs. Training loss falls from "
        f"{series['train_loss'][0]:.2f} to {series['train_loss'][-1]:.2f}, validation loss from "
        f"{series['val_loss'][0]:.2f} to {series['val_loss'][-1]:.2f}; validation accuracy ends at "
        f"{series['val_accuracy'][-1]:.1%}."
    ),
    caption=(
        f"{THERE}. Look at the left end: the network seems better at pictures that it has "
        "never seen than at those it learns from. The text says why it only seems so."
    ),
)
assert under >= 1

# %% [markdown]
# In {{ under }} of {{ len(epochs) }} epochs the validation accuracy lies *above* the training accuracy. That is no magic, and no bug. The two are measured differently:
#
# - The training numbers are **means over the epoch**, each batch's taken before the step that learns from it. The network of the first step knows less than that of the last; validation comes after all of them.
# - Training has **dropout switched on and mirrored pictures**. Validation has neither, so its task is easier.
#
# Compare the curves with themselves, over time; the live run below measures both in the same way. At the end, training accuracy is {{ f"{series['train_accuracy'][-1]:.1%}" }} and validation accuracy {{ f"{series['val_accuracy'][-1]:.1%}" }}.
#
# ## How good is it?
#
# After the last epoch, and never before, the script read the test part: {{ f"{round(test['accuracy'] * n_test):,}" }} of {{ f"{n_test:,}" }} pictures named correctly, **{{ f"{test['accuracy']:.2%}" }}** on {{ THERE }}, with a loss of {{ f"{test['loss']:.3f}" }} nats. Other test pictures would have given another number. Wilson's interval (1927) holds all true accuracies with which the share $\hat p$ of $n$ pictures is compatible; with $z = 1.96$ it covers the true one in about 95 of 100 experiments:
#
# $$\frac{1}{1 + z^2/n}\left(\hat p + \frac{z^2}{2n} \pm z \sqrt{\frac{\hat p\,(1 - \hat p)}{n} + \frac{z^2}{4n^2}}\right)$$

# %%
low, high = wilson(test["accuracy"], n_test)
print(f"recorded: {test['accuracy']:.2%}")
print(f"interval: {low:.2%} to {high:.2%}")

val_end = epochs[-1]["val_accuracy"]
variance = sum(p * (1 - p) / n for p, n in (
    (val_end, n_val), (test["accuracy"], n_test)))
apart_by = abs(val_end - test["accuracy"]) / np.sqrt(variance)
by_chance = 2 * (1 - NormalDist().cdf(apart_by))
AIM = 0.92
assert AIM < low < test["accuracy"] < high

# %% [markdown]
# The aim was {{ f"{AIM:.0%}" }}, and the whole interval lies above it. So say "{{ f"{test['accuracy']:.1%}" }}, give or take {{ f"{50 * (high - low):.1f}" }} points". The interval counts one source of doubt: which pictures happened to be in the test. It says nothing of the others: another seed gives another network ([below](#which-parts-earned-their-place) you see how far seeds lie apart), and pictures from another shop may be harder.
#
# The validation accuracy was {{ f"{100 * abs(val_end - test['accuracy']):.1f}" }} points {{ "higher" if val_end > test["accuracy"] else "lower" }}, although the two parts are of one kind and the record's script chose nothing by either. Two parts of {{ f"{n_val:,}" }} and {{ f"{n_test:,}" }} pictures differ by so much or more in about {{ f"{100 * by_chance:.0f}" }} of 100 such comparisons, by chance alone. Quote the test.
#
# ## Which shirts look like coats
#
# One number hides who is mistaken for whom. The confusion matrix counts it: one row for what a picture is, one column for what the network said.

# %% tags=["hide-input"]
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")  # of Fashion-MNIST
assert not CLOTHES or live.classes == CLASSES
confusion = np.array(test["confusion"])
assert confusion.sum() == n_test and np.isclose(np.trace(confusion) / n_test, test["accuracy"])


def confusion_figure(table, names, title):
    fig, ax = plt.subplots(figsize=(5.2, 4.9))
    off = table * (1 - np.eye(len(table)))
    for (i, j), value in np.ndenumerate(table):
        shade = 0.25 if i == j else 0.5 * off[i, j] / off.max()
        ax.add_patch(Rectangle((j, i), 1, 1, facecolor=COLORS["blue" if i == j else "orange"],
                               alpha=shade, edgecolor="none"))
        ax.text(j + 0.5, i + 0.52, str(value) if value else "·", ha="center", va="center",
                fontsize=9, fontweight="bold" if i == j else "normal")
    ax.set(xlim=(0, len(table)), ylim=(len(table), 0), aspect="equal", title=title,
           xlabel="what the network said", ylabel="what it is")
    ax.set_xticks(np.arange(len(table)) + 0.5, names, rotation=90)
    ax.set_yticks(np.arange(len(table)) + 0.5, names)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    return fig


off = confusion - np.diag(np.diag(confusion))
pairs = off + off.T
first, second = np.unravel_index(np.triu(pairs).argmax(), pairs.shape)
hardest = int(np.diag(confusion / confusion.sum(1, keepdims=True)).argmin())
upper = [CLASSES.index(name) for name in ("T-shirt/top", "Pullover", "Dress", "Coat", "Shirt")]
feet = [CLASSES.index(name) for name in ("Sandal", "Sneaker", "Ankle boot")]
above, below = (int(off[np.ix_(some, some)].sum()) for some in (upper, feet))
wrong = int(off.sum())
show(
    confusion_figure(confusion, CLASSES, f"Recorded run, {THERE}, test part"),
    name="confusion",
    alt=(
        f"Confusion matrix of ten classes. The diagonal is large everywhere, smallest for "
        f"{CLASSES[hardest]} with {confusion[hardest, hardest]} of {confusion[hardest].sum()}. "
        f"The largest numbers beside it are between {CLASSES[first]} and {CLASSES[second]}."
    ),
    caption=(
        f"{THERE}: test pictures by what they are and what was said. Look along the row of the "
        "shirts, and at the shoes, lower right: mistakes keep to the family."
    ),
)
assert above / wrong > 0.5 and (above + below) / wrong > 0.75

# %% tags=["remove-input"]
bag = CLASSES.index("Bag")
mixed_up = int(pairs[bag, feet].sum())
shirt, coat = CLASSES.index("Shirt"), CLASSES.index("Coat")
taken = [(int(off[shirt, j]), CLASSES[j]) for j in np.argsort(-off[shirt]) if off[shirt, j]][:4]
listed = ", ".join(f"{n} for {name}" for n, name in taken)
display(Markdown(
    f"Of {confusion[shirt].sum():,} shirts the network takes {listed}. The other way round, "
    f"{off[coat, shirt]} coats are taken for shirts. The hardest class is **{CLASSES[hardest]}**, "
    f"with {confusion[hardest, hardest] / confusion[hardest].sum():.0%} right, and the pair that is "
    f"confused most often is {CLASSES[first]} and {CLASSES[second]}, {pairs[first, second]} times. "
    f"Of all {wrong:,} mistakes, {above / wrong:.0%} are between the five things that are worn "
    f"above the belt or over it (T-shirt, pullover, dress, coat, shirt), and {below / wrong:.0%} "
    f"between the three kinds of shoes. A bag and a shoe are exchanged {mixed_up} times."
))

# %% [markdown]
# At 28×28 grey pixels a shirt and a T-shirt differ in the length of their sleeves or in a row of buttons of one pixel each. Some labels can only be guessed, by a network or by you: there is a ceiling somewhere below perfect, and this page does not know where.
#
# ## The same code, live
#
# Now the same `train`, while the page is built: {{ HERE }}, {{ f"{len(taught.x):,}" }} training pictures. A plan holds all that decides a training, beside network and data.

# %%
plan = Plan(
    epochs=2, batch_size=32, lr=0.001, seed=SEED, cosine=True, flip=CLOTHES
)
model = fashion_cnn(seed=SEED)
model.to(memory_format=torch.channels_last)  # faster on a CPU
history = train(
    model, taught, live.val, plan, scale=scale, among=ALONE
)
loss, accuracy, answers = evaluate(
    model, live.test, scale=scale, among=ALONE
)

for number, epoch in enumerate(history, 1):
    print(f"epoch {number}: training   {epoch['train_accuracy']:.1%}")
    print(f"         validation {epoch['val_accuracy']:.1%}")
seen = Images(taught.x[:500], taught.y[:500])
fair = evaluate(model, seen, scale=scale, among=ALONE)[1]
print(f"the same way, training {fair:.1%}")
few = wilson(accuracy, len(live.test.x))
print(f"test {accuracy:.1%}, interval {few[0]:.1%} to {few[1]:.1%}")
assert accuracy > 0.6 and fair > history[-1]["train_accuracy"]

# %% [markdown]
# The last line but one takes {{ f"{len(seen.x):,}" }} of the training pictures and measures them as the validation pictures are: after the epoch, in evaluation mode. That is more than the running mean of the second epoch, and this is the number to set beside the validation accuracy. (`channels_last` is an order of the numbers in memory, with a pixel's channels side by side. It changes how long the convolutions take, and the results by rounding alone.)
#
# {{ "Clothes may be mirrored" if CLOTHES else "A mirrored digit may be another digit or none, so `flip` is off; clothes may be mirrored" }}: a left shoe is as good a shoe as a right one. What you may do to a picture depends on what it shows.
#
# ## The mistakes, as pictures
#
# The record keeps numbers, not the network. So these are the live network's mistakes, those first of which it was surest:

# %% tags=["hide-input"]
mistakes = torch.nonzero(answers != live.test.y).flatten()
with torch.inference_mode():
    logits = model(prepare(live.test.x[mistakes], scale))
sure, said = logits.softmax(1).max(1)
assert torch.equal(said, answers[mistakes])
worst = sure.argsort(descending=True)[:12].tolist()  # among the mistakes
fig, axes = plt.subplots(4, 3, figsize=(5.0, 7.4))
for ax in axes.flat:
    ax.axis("off")
for ax, k in zip(axes.flat, worst):
    i = mistakes[k]
    ax.imshow(live.test.x[i, 0].numpy(), cmap=INK, interpolation="none")
    ax.set_title(f"{live.classes[live.test.y[i]]}\ncalled {live.classes[said[k]]}\n"
                 f"{sure[k]:.0%} sure", fontsize=9, fontweight="normal", pad=3)
show(
    fig,
    name="mistakes",
    alt=(
        f"The {len(worst)} mistakes of which the live network was surest, each with what it is and "
        f"what it was called: "
        + "; ".join(f"{live.classes[live.test.y[mistakes[k]]]} called {live.classes[said[k]]}"
                    for k in worst[:4])
        + "; and so on."
    ),
    caption=(
        f"{FIRST}, live network: {len(mistakes)} of {len(live.test.x):,} test pictures are wrong. "
        "Look at each and decide: is it the network that is wrong, the picture that does not "
        "tell, or the label?"
    ),
)

# %% [markdown]
# A mistake made with great confidence is worth a look: it is a wrong label, an odd picture, or something that the network does not know. [Softmax](../layers/softmax.py) has measured how surer-than-right comes about.
#
# ## Interrupted, and still the same
#
# Long trainings are interrupted: by a scheduler, a power cut, a person. A training that starts anew each time never ends; one that goes on *almost* as before is another training. `train` writes a checkpoint after each epoch, and at the very step at which the signal comes. In it are the weights, Adam's means, the running statistics, the place in the epoch and the sums so far.
#
# One thing is not in it, and that is the trick: the state of a random generator. Order, mirroring and dropout are drawn from a seed that is **computed from seed, epoch and step**. Who knows the step knows the numbers. Here a SIGTERM, as `kill` sends it, comes in the second epoch:

# %%
short = Plan(epochs=4, batch_size=24, lr=0.002, cosine=True, flip=CLOTHES)
small = Images(live.train.x[:72], live.train.y[:72])


def kill(epoch, step):
    if (epoch, step) == (1, 1):
        os.kill(os.getpid(), signal.SIGTERM)


def run(**more):
    net = fashion_cnn(seed=SEED).to(memory_format=torch.channels_last)
    curve = train(net, small, small, short, scale=scale, among=ALONE, **more)
    for epoch in curve:
        del epoch["seconds"]  # the clock may differ
    return curve, net.state_dict()


whole, weights = run()
with tempfile.TemporaryDirectory() as folder:
    checkpoint = Path(folder) / "run.pt"
    try:
        run(checkpoint=checkpoint, after_step=kill)
        raise AssertionError("the signal was lost")
    except Interrupted as stopped:
        print(stopped)
    resumed, same = run(checkpoint=checkpoint)
assert resumed == whole
assert all(torch.equal(weights[name], same[name]) for name in weights)
print("curves and weights: the same bits")

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(4.8, 2.9))
for part, (color, marker, style, text) in LOOK.items():
    line, dots = ([epoch[f"{part}_loss"] for epoch in some] for some in (whole, resumed))
    ax.plot(range(1, 5), line, style, color=COLORS[color])
    ax.plot(range(1, 5), dots, marker, color=COLORS[color], markersize=8, fillstyle="none")
    ax.annotate(text, (4, line[-1]), (9, 0), textcoords="offset points", color=COLORS[color],
                va="center")
ax.axvline(1 + 2 / 3, color=COLORS["muted"], linestyle=":", linewidth=1.2)
ax.annotate("SIGTERM", (1 + 2 / 3, 1), (4, -2), xycoords=("data", "axes fraction"),
            textcoords="offset points", va="top", color=COLORS["muted"])
ax.set(title="Lines: in one go. Rings: interrupted", xlabel="epochs", ylabel="loss (nats)",
       xticks=range(1, 5), xlim=(0.8, 5.2))
show(
    fig,
    name="resumed",
    alt="Training and validation loss of four epochs, as lines for the run in one go, and as "
    "rings for the interrupted one. Every ring lies on its line.",
    caption=(
        f"{FIRST}, {len(small.x)} pictures, which serve as validation too, since here only "
        "sameness counts. Look whether any ring is off its line: none is, by not one bit."
    ),
)



# %% tags=["remove-input"]
def line(function, code):
    """The code, if it is part of the function's source; else the build stops."""
    assert code in inspect.getsource(function), f"{code} is no longer in {function.__name__}"
    return f"`{code}`"


by_process = [[6], [3, 0]]
assert Fraction(sum(map(sum, by_process)), 3) == 3
assert sum(Fraction(sum(g), len(g)) for g in by_process) / 2 == Fraction(15, 4)
assert sum(Fraction(sum(g), 3) for g in by_process) == 3

# %% [markdown]
# ## Two processes take the step of one
#
# Several processes can share each batch, and `torchrun --nproc-per-node 2` starts two. For the training to stay the same, their gradients must *add up* to that of the whole batch. Here is the step at which people stumble: the mean of means is not the mean, unless all shares are equally large.
#
# **By hand.** A batch of three pictures. One weight, whose gradient is 6 for the first picture, 3 for the second, 0 for the third. Process 0 has one picture, process 1 has two.
#
# $$\begin{aligned}
#   \text{whole batch:} \quad & \tfrac13(6 + 3 + 0) = 3 \\[4pt]
#   \text{mean of means:} \quad & \tfrac12\left(\tfrac61 + \tfrac{3 + 0}{2}\right) = \tfrac{15}{4} \\[4pt]
#   \text{sum of shares:} \quad & \tfrac63 + \tfrac{3 + 0}{3} = 3
#   \end{aligned}$$
#
# In the first process the picture counts too much. The cure: each process divides the *sum* of its losses by the size $N$ of the whole batch, and the gradients are added. With $S_p$ for the pictures of process $p$:
#
# $$\boxed{\frac{\partial L}{\partial \theta} = \sum_p \left(\frac1N \sum_{n \in S_p} \frac{\partial L_n}{\partial \theta}\right)}$$
#
# In the code, `total` is the inner sum. PyTorch's `DistributedDataParallel` takes the mean over $P$ processes instead of the sum, so each share is multiplied by $P$, which is `among.world`: {{ line(training._step, "loss = total * among.world / len(batch)") }}.
#
# The box holds as long as $L_n$ depends on picture $n$ alone. Two layers break that:
#
# - **Batch normalisation** takes its mean over the batch. In each process alone it would be another mean, and another network. `BatchNorm2d` of this package sums over all processes first.
# - **Dropout** would draw its own mask in each process. Here the mask is drawn for the whole batch, with the step's seed, and each process keeps its rows.

# %%
x13 = prepare(live.train.x[:13], scale).double()
t13 = live.train.y[:13]
shares = (slice(0, 6), slice(6, 13))


def gradient(net, rows, divisor):
    """Of the sum of the rows' losses, divided; as one long array."""
    loss = cross_entropy(net(x13[rows]), t13[rows], reduction="sum")
    grads = torch.autograd.grad(loss / divisor, net.parameters())
    return torch.cat([g.flatten() for g in grads])


def apart(net, divisors):
    """How far the sum over the shares is from the whole, relatively."""
    whole = gradient(net, slice(0, 13), 13)
    parts = [gradient(net, *pair) for pair in zip(shares, divisors)]
    return float((sum(parts) - whole).norm() / whole.norm())


plain = fashion_cnn(batch_norm=False, dropout=0, seed=SEED).double()
with_bn = fashion_cnn(dropout=0, seed=SEED).double()
added = apart(plain, (13, 13))
means = apart(plain, (2 * 6, 2 * 7))
alone_bn = apart(with_bn, (13, 13))
print(f"sum of shares             {added:.0e}")
print(f"mean of means             {means:.0e}")
print(f"sum, batch norm by share  {alone_bn:.0e}")
assert added < 1e-12 < 1e-3 < min(means, alone_bn)

# %% tags=["remove-input"]
proof = Path("tests/pytorch/test_pytorch_training.py").read_text()
assert "def test_two_processes_give_the_curve_of_one" in proof
assert "--nproc-per-node=2" in proof and "rel=1e-9" in proof

# %% [markdown]
# Those are relative differences, for thirteen pictures as six and seven, in float64. The first is rounding: the same numbers added in another order. The other two gradients are off by {{ f"{means:.0%}" }} and {{ f"{alone_bn:.0%}" }}, and nothing would have told you. The page runs in one process. That batch normalisation and dropout are right across several is shown by a test that starts two: `test_two_processes_give_the_curve_of_one` in `tests/pytorch/test_pytorch_training.py` trains with batch normalisation, dropout, mirroring and unequal shares, and wants every loss and accuracy of both to agree to a relative $10^{-9}$.
#
# ## Beside the NumPy network
#
# `small_cnn` of [the chapter in NumPy](../networks/cnn.py) is smaller: two convolutions, no normalisation, no dropout. `twin` copies its weights into PyTorch's modules. Then all three networks see **the same batches**, with Adam and the same rate: ours, its twin, and the CNN of this page.

# %%
order = torch.randperm(960, generator=torch.Generator().manual_seed(SEED))
batches = order.split(64)


def beside(dtype):
    """The losses of our network and its twin, step by step."""
    ours = small_cnn(rng=np.random.default_rng(SEED), dtype=dtype)
    theirs = twin(ours)
    adam = Adam(ours.params, 0.001)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.001)
    losses = []
    for batch in batches:
        x = prepare(live.train.x[batch], scale).numpy().astype(dtype)
        t = live.train.y[batch]
        logits, cache = ours.forward(x, train=True)
        our_loss, dlogits = softmax_cross_entropy(logits, t.numpy())
        adam.step(ours.backward(dlogits, cache, need_dx=False)[1])
        their_loss = cross_entropy(theirs(torch.from_numpy(x)), t)
        optimizer.zero_grad()
        their_loss.backward()
        optimizer.step()
        losses.append((our_loss, their_loss.item()))
    return np.array(losses)


single, exact = beside(np.float32), beside(np.float64)
gap = {"32": np.ptp(single, axis=1), "64": np.ptp(exact, axis=1)}
assert gap["64"].max() < 1e-10 and gap["32"].max() < 1e-2

# %% tags=["hide-input"]
large = fashion_cnn(seed=SEED).train().to(memory_format=torch.channels_last)
adam, losses = torch.optim.Adam(large.parameters(), lr=0.001), []
for batch in batches:
    value = cross_entropy(large(prepare(live.train.x[batch], scale)), live.train.y[batch])
    adam.zero_grad()
    value.backward()
    adam.step()
    losses.append(value.item())
steps = np.arange(1, len(single) + 1)
fig, (upper_ax, lower_ax) = plt.subplots(2, 1, figsize=(4.8, 5.6), sharex=True)
upper_ax.plot(steps, single[:, 0], "-", color=COLORS["blue"], label="NumPy: small_cnn")
upper_ax.plot(steps, single[:, 1], "o", color=COLORS["orange"], fillstyle="none", markersize=6,
              label="its twin in PyTorch")
upper_ax.plot(steps, losses, "--", color=COLORS["green"], label="the CNN of this page")
upper_ax.set(title=f"{FIRST}: the same batches", ylabel="loss (nats)", ylim=(0, None))
upper_ax.legend(labelcolor="linecolor")
for name, color, marker in (("32", "purple", "s"), ("64", "blue", "o")):
    lower_ax.plot(steps, np.maximum(gap[name], 1e-17), marker, color=COLORS[color], markersize=4)
    lower_ax.annotate(f"float{name}", (steps[-1], max(gap[name][-5:])), (0, 8),
                      textcoords="offset points", ha="right", va="bottom", color=COLORS[color])
lower_ax.set(yscale="log", xlabel="step", xticks=(1, *steps[4::5]), ylabel="difference of the losses", ylim=(3e-18, 1),
             title="NumPy against its twin")
show(
    fig,
    name="beside",
    alt=(
        f"Above, losses over {len(steps)} steps: rings of the PyTorch twin lie on the line of the "
        f"NumPy network. Below, their difference: at most {gap['64'].max():.0e} in float64 and "
        f"{gap['32'].max():.0e} in float32."
    ),
    caption=(
        "Above: one loss a step. Look at the rings, which lie on the line. Below: how far they "
        "are apart, on a logarithmic axis; 0 is drawn at the bottom."
    ),
)

# %% [markdown]
# Over {{ len(steps) }} steps the NumPy network and its twin differ by at most ${{ power(gap["64"].max()) }}$ in float64 and ${{ power(gap["32"].max()) }}$ in float32: the digits that each type has, and what the steps make of them. What you derived by hand is what PyTorch computes. The last five losses of the page's CNN have a mean of {{ f"{np.mean(losses[-5:]):.2f}" }}, those of the small one {{ f"{single[-5:, 0].mean():.2f}" }}. One seed and {{ len(steps) }} steps: that is no comparison of two networks, only the same pictures.

#
# ## Which parts earned their place?
#
# The network has two parts that are not needed for it to work: batch normalisation ([@ioffe2015]) and dropout ([@srivastava2014]).
#
# **The question.** How much does each add to the validation accuracy, when training is short?
#
# **A prediction.** Batch normalisation makes the first steps count for more, so in a short training it should be ahead with every seed. Dropout protects from learning the training pictures by heart. In a few epochs there is little to protect from, so it should cost rather than help.
#
# This was recorded too, by `{{ ablation["command"] }}`: {{ f"{a_train:,}" }} training pictures of {{ A_THERE }}, {{ ablation["plan"]["epochs"] }} epochs in batches of {{ ablation["plan"]["batch_size"] }}, all four combinations, {{ len(a_seeds) }} seeds. A seed decides the pictures, the first weights and every step, and is the same for the four, so each line in the figure compares like with like. What is compared is *validation* accuracy after the last epoch, on {{ f"{a_val:,}" }} pictures: a choice between networks is a choice, and the test is for what has been chosen.

# %% tags=["hide-input"]
VARIANTS = ("neither", "dropout only", "batch norm only", "both")
held = {v: np.array([run["epochs"][-1]["val_accuracy"] for run in ablation["runs"]
                     if run["variant"] == v]) for v in VARIANTS}
contrasts = {
    "batch norm, no dropout": 100 * (held["batch norm only"] - held["neither"]),
    "batch norm, with dropout": 100 * (held["both"] - held["dropout only"]),
    "dropout, no batch norm": 100 * (held["dropout only"] - held["neither"]),
    "dropout, with batch norm": 100 * (held["both"] - held["batch norm only"]),
}
fig, (upper_ax, lower_ax) = plt.subplots(2, 1, figsize=(5.0, 5.6), height_ratios=[3, 2.4])
for seed, color, marker, style in zip(a_seeds, ("blue", "orange", "green"), "os^", ("-", "--", ":")):
    values = [100 * held[v][seed] for v in VARIANTS]
    upper_ax.plot(range(4), values, style, marker=marker, color=COLORS[color],
                  label=f"seed {seed}")
    for row, name in enumerate(contrasts):
        lower_ax.plot(contrasts[name][seed], row, marker, color=COLORS[color])
upper_ax.set_xticks(range(4), ["neither", "dropout\nonly", "batch norm\nonly", "both"])
upper_ax.set(title=f"{A_THERE}, recorded", ylabel="validation accuracy (%)", xlim=(-0.3, 3.3))
upper_ax.legend(labelcolor="linecolor", loc="upper left")
lower_ax.axvline(0, color=COLORS["muted"], linewidth=1)
lower_ax.set_yticks(range(4), [f"{name}" for name in contrasts])
lower_ax.set(ylim=(3.5, -0.5), xlabel="change of validation accuracy (points)",
             title="What adding it changed, seed by seed")
normalised = (contrasts["batch norm, no dropout"] + contrasts["batch norm, with dropout"]) / 2
dropped = (contrasts["dropout, no batch norm"] + contrasts["dropout, with batch norm"]) / 2
show(
    fig,
    name="ablation",
    alt=(
        f"Validation accuracy of four variants with {len(a_seeds)} seeds: neither "
        f"{held['neither'].mean():.1%}, dropout only {held['dropout only'].mean():.1%}, batch norm "
        f"only {held['batch norm only'].mean():.1%}, both {held['both'].mean():.1%}, on average."
    ),
    caption=(
        "Above: the four variants, one line a seed. Below: the differences within a seed. "
        "Look on which side of 0 the three marks of a row lie, and how far they are apart."
    ),
)


def spread(points):
    """Mean of the seeds, lowest and highest, in points."""
    return f"{points.mean():+.1f} points ({points.min():+.1f} to {points.max():+.1f})".replace(
        "-", "−")


assert all((contrasts[name] > 0).all() for name in list(contrasts)[:2])
assert all((contrasts[name] < 0).all() for name in list(contrasts)[2:])
assert (contrasts["dropout, with batch norm"] < contrasts["dropout, no batch norm"]).all()

# %% [markdown]
# **The verdict.** Batch normalisation changes the accuracy by {{ spread(normalised) }}: the mean over the seeds, and in brackets the lowest and the highest of them. It helps in each of the {{ 2 * len(a_seeds) }} comparisons, with dropout and without. Dropout changes it by {{ spread(dropped) }}, and costs in each of its {{ 2 * len(a_seeds) }}. Both halves of the prediction hold. For a training as short as this one, the network of this page would be better without its dropout.
#
# The prediction did not say the third thing that the figure shows: the two do not get on. With every seed dropout costs more where batch normalisation is there too, {{ spread(contrasts["dropout, with batch norm"]) }} against {{ spread(contrasts["dropout, no batch norm"]) }}. [Li and others (2019)](@li2019) offer a reason: dropout changes the variance of what the next normalisation sees in training, and not in evaluation, for which the statistics are kept. Whether that is the reason here was not tested.
#
# **What this does not show.** What the two are worth in a long training on all pictures, as the recorded one is. There dropout may pay; it was not tried without. Nor that the differences are the same at another learning rate, since each variant was given the one of the full network and none its own. {{ len(a_seeds) }} seeds that agree show a direction; they are too few to say how large the difference is. And on {{ f"{a_val:,}" }} pictures a few tenths of a point mean nothing.
#
# ## Common mistakes
#
# None of these raises an error. Each runs here, on {{ HERE }}. Where a network must be trained for it, it is one hidden layer of 128 units, which is quickly trained: the mistakes do not care.


# %%
def quick(images, *, epochs=10, seed=SEED, more=(), **hooks):
    """Train a small network; return it and its curves."""
    torch.manual_seed(seed)
    layers = nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10), *more
    net = nn.Sequential(nn.Flatten(), *layers)
    watch = {name: hook(net) for name, hook in hooks.items()}
    plan = Plan(epochs=epochs, batch_size=128, lr=0.001, seed=seed)
    return net, train(
        net, images, live.val, plan, scale=scale, among=ALONE, **watch
    )


def score(net, images, statistics=scale):
    """Loss, accuracy and answers."""
    return evaluate(net, images, scale=statistics, among=ALONE)


net, curve = quick(live.train, epochs=15)
last = curve[9]  # after ten epochs, as the others below
print("done right, validation:")
print(f"loss {last['val_loss']:.2f}, accuracy {last['val_accuracy']:.1%}")

# %% [markdown]
# **The first: normalising with the test pictures.** Statistics of all parts, as above, then those of a test set that is half as bright, as another camera would make it:

# %%
some = Images(live.test.x[:500], live.test.y[:500])
dark = Images(some.x // 2, some.y)
others = score(model, some, everything)[2]
changed = int((others != answers[:500]).sum())
honest = score(model, dark)[1]
flattered = score(model, dark, normalisation(dark.x))[1]
print(f"all parts: {changed} of {len(others)} answers change")
print(f"darker, training statistics: {honest:.1%}")
print(f"darker, its own statistics:  {flattered:.1%}")
assert flattered > honest and changed < 0.02 * len(others)

# %% [markdown]
# The first line is the honest one: on pictures of one kind the mistake changes next to nothing, and that is why it lives on. The others show what it hides. With its own statistics the darker test set is made bright again, and you report a number that the network will not reach where pictures come one at a time. The check is one line: the scale that is used must *be* `normalisation(train.x)`.
#
# **The second: softmax before the loss.** `cross_entropy` takes scores and applies the softmax itself. With one at the end of the network there are two:

# %%
double = quick(live.train, more=(nn.Softmax(1),))[1][-1]
floor = -np.log(np.e / (np.e + 9))  # scores of 1, and 0 nine times
for name, epoch in (("one softmax", last), ("two", double)):
    print(f"{name:<11}  loss {epoch['val_loss']:.2f}, "
          f"accuracy {epoch['val_accuracy']:.1%}")
assert double["train_loss"] > floor > last["train_loss"]
assert double["val_accuracy"] > 0.6  # it learns

# %% [markdown]
# The accuracy gives no hint, unless you know what is possible: {{ f"{double['val_accuracy']:.1%}" }} with two, {{ f"{last['val_accuracy']:.1%}" }} with one. The loss gives it away: it cannot fall below $\ln\left((e + 9)/e\right) = {{ f"{floor:.2f}" }}$, even for a network that is certain and right. [Softmax](../layers/softmax.py) has the reason. A loss that stops at a round logarithm is the symptom.
#
# **The third: forgetting `eval()`.** Then dropout goes on drawing and batch normalisation goes on looking at the neighbours:

# %%
n_some, careless = len(some.y), {}
orders = {"as they come": torch.arange(n_some),
          "by class": some.y.argsort(stable=True)}
before, with_eval, _ = score(model, some)
print(f"with eval()             {with_eval:.1%}")
for name, rows in orders.items():
    forgot = copy.deepcopy(model).train()
    torch.manual_seed(SEED)
    said_so = []
    with torch.inference_mode():
        for batch in rows.split(25):
            logits = forgot(prepare(some.x[batch], scale))
            said_so.append(logits.argmax(1))
    correct = torch.cat(said_so) == some.y[rows]
    careless[name] = correct.float().mean().item()
    print(f"without, {name:<13}  {careless[name]:.1%}")
after = score(forgot, some)[0]
print(f"loss with eval(): {before:.3f}, afterwards {after:.3f}")
assert careless["by class"] < careless["as they come"]
assert careless["by class"] < with_eval and before != after

# %% [markdown]
# (Batches of 25.) In the third line the pictures come sorted by class, and a batch holds one kind. Its mean is taken away, and with it what the pictures have in common, which is what the network should have seen. And the running statistics have moved with each call: afterwards the network is another one even with `eval()`, as the last line says. The check: evaluate twice, in two batch sizes, and want equal answers. `evaluate` of this package sets the mode itself, so that nobody can forget.
#
# **The fourth: choosing the epoch by its test accuracy.** The best of many numbers is partly the luckiest. How large is the gift? Split the test part into two halves, choose the epoch by the one, and read the accuracy on the other, which did not choose. Four seeds, 200 random halves each:

# %%
def watcher(correct):
    """After each epoch, note which test pictures are named right."""

    def attach(net):
        def after_step(epoch, step):
            if 128 * (step + 1) >= len(live.train.x):
                found = score(net, live.test)[2] == live.test.y
                correct.append(found.numpy())

        return after_step

    return attach


gifts = {3: [], 12: []}  # how many epochs there are to choose from
for seed in range(4):
    correct, draw = [], np.random.default_rng(seed)
    quick(live.train, epochs=12, seed=seed, after_step=watcher(correct))
    correct = np.array(correct)  # (epochs, pictures)
    for _ in range(200):
        halves = np.array_split(draw.permutation(correct.shape[1]), 2)
        one, other = (correct[:, half].mean(1) for half in halves)
        for n, gift in gifts.items():
            gift.append(one[-n:].max() - other[-n:][one[-n:].argmax()])
gift = {n: 100 * np.mean(found) for n, found in gifts.items()}
for n, points in gift.items():
    print(f"best of {n:>2} epochs: +{points:.2f} points")
behind = series["val_accuracy"].max() - series["val_accuracy"][-1]
assert len(correct) == 12 and 0 < gift[3] < gift[12] and behind < 0.005

# %% [markdown]
# On average the half that chose flatters by {{ f"{gift[12]:.2f}" }} points, for a choice among twelve epochs; among the last three, by {{ f"{gift[3]:.2f}" }}. The more there is to choose from, the larger the gift. The recorded run had nothing to choose. As the rate falls to 0 the last epochs hardly differ: on the validation part the last is {{ f"{100 * behind:.2f}" }} points below the best. The script takes the last, as planned, and reads the test part once.
#
# **The fifth: validation pictures in the training part.** A concatenation too many is enough:

# %%
leaky = Images(*(torch.cat(pair) for pair in zip(live.train, live.val)))
leaked_net, leaked_curve = quick(leaky, epochs=15)
clean, leaked = (c[-1]["val_accuracy"] for c in (curve, leaked_curve))
print("        validation   test")
print(f"clean   {clean:.1%}        {score(net, live.test)[1]:.1%}")
print(f"leaked  {leaked:.1%}        {score(leaked_net, live.test)[1]:.1%}")
assert leaked > clean + 0.01


def shared(a, b):
    """How many pictures of a are in b, to the last pixel."""
    there = {picture.numpy().tobytes() for picture in b.x}
    return sum(picture.numpy().tobytes() in there for picture in a.x)


print(f"shared: clean {shared(live.val, live.train)}, "
      f"leaked {shared(live.val, leaky)}")
assert shared(live.val, live.train) == shared(live.test, live.train) == 0

# %% [markdown]
# The symptom is a validation part that seems easier than the test. The check counts pictures that are in both, and costs nothing.
#
# **The sixth: pictures shuffled without their labels.** Every array has the right shape, and nothing belongs together any more:

# %%
draw = torch.Generator().manual_seed(SEED)
mixed = torch.randperm(len(live.train.y), generator=draw)
lost = quick(Images(live.train.x[mixed], live.train.y))[1][-1]
print(f"training loss {lost['train_loss']:.2f}; ln 10 is {np.log(10):.2f}")
print(f"validation accuracy {lost['val_accuracy']:.1%}")
assert lost["val_accuracy"] < 0.25 < last["val_accuracy"]
assert abs(lost["train_loss"] - np.log(10)) < 0.5

# %% [markdown]
# The loss stays about $\ln 10$, that of a network that knows nothing, and falls below it only as far as the pictures are learnt by heart. Validation stays at chance. Draw ten pictures with their labels before each training, as this page began: no other check is as quick.
#
# ## Try it
#
# ??? question "1. Validation accuracy is above training accuracy. Has somebody mixed up the two?"
#     Probably not. The training number is a mean over an epoch in which the network was still learning, with dropout and mirrored pictures; validation comes after it, without either. To be sure, evaluate the training pictures in the same way as the validation pictures, after the epoch.
#
# ??? question "2. With a pencil: shares of 1, 2 and 3 pictures, whose gradients are 6; 3 and 3; 0, 0 and 6. What is the whole batch's gradient, and what is the mean of the three means?"
#     The whole: $\tfrac16 (6 + 6 + 6) = 3$. The means are 6, 3 and 2, and their mean is $\tfrac{11}{3}$. The process with one picture shouted loudest.
#
# ??? question "3. Two networks have test accuracies of which the intervals overlap. Are they equally good?"
#     The intervals cannot tell. Both were tested on the same pictures, so look at those that one names correctly and the other does not: [the Iris page](../networks/iris.py) compares in pairs, and so does the ablation above. Overlapping intervals do not show equality, and one interval for each throws the pairing away.
#
# ??? question "4. Why is the state of the random generator not in the checkpoint?"
#     Because it need not be. Each step computes its seed from the plan's seed, the epoch and the step. That also makes two processes draw the same mask, and lets you begin at any step.
#
# ??? question "5. For the notebook: make the live run harder to believe. Set `seed=1` in its plan and in `fashion_cnn`, run it again, and compare the change of the test accuracy with the width of its interval."
#     The interval is about the pictures of the test, the change about the seed. If the change is of the size of the interval, one run says little about which of two networks is better. How many seeds would you want?
#
# ## Sources
#
# - Xiao, Rasul and Vollgraf (2017), *Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms*: the clothes, and why digits had become too easy.
# - Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR: the optimiser.
# - Loshchilov and Hutter (2017), *SGDR: stochastic gradient descent with warm restarts*, ICLR: the learning rate that falls along a cosine; here without restarts.
# - Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing internal covariate shift*, ICML.
# - Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), *Dropout: a simple way to prevent neural networks from overfitting*, Journal of Machine Learning Research.
# - Li, Chen, Hu and Yang (2019), *Understanding the disharmony between dropout and batch normalization by variance shift*, CVPR.
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, Journal of the American Statistical Association: the interval.
