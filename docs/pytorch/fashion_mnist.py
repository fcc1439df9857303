# ---
# title: A CNN for Fashion-MNIST
# description: Write the training loop that you hand in, train a convolutional network on pictures of clothes, and say how far to believe its accuracy, its confidence and an ablation.
# tags:
#   - pytorch
# ---

# %% [markdown]
# # A CNN for Fashion-MNIST
#
# You are to train a convolutional network on pictures of clothes, and to hand in its curves. This page begins with the program for that, in plain PyTorch. Then it turns to what the program does not tell you: how good the network is and how sure you may be of it, what it confuses, whether it knows when it is guessing, and which of its parts earned their place. The pictures are those of Fashion-MNIST ([@xiao2017]).
#
# You need [a CNN in NumPy](../networks/cnn.py), [batch normalisation](../layers/batch_norm.py), and [intervals and fair comparisons](../networks/iris.py).

# %% tags=["hide-input"]
import copy
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from scipy import stats
from torch import nn
from torch.nn.functional import cross_entropy, interpolate
from torch.utils.data import DataLoader, TensorDataset

from nn_tutorial import Adam, holm, small_cnn, softmax_cross_entropy, wilson
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
    Plan,
    evaluate,
    normalisation,
    prepare,
    train,
)

SEED = 0
use_style()
plt.rcParams["image.composite_image"] = False  # small pictures, each with its own pixels
# 32 shades: in pictures of 28 pixels the eye misses none, and their files are half as large.
INK = LinearSegmentedColormap.from_list("ink", [COLORS["background"], COLORS["text"]], N=32)
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
    kept, held = stratified_split(stored.y_train, (3000, 1000), rng=rng)
    (tested,) = stratified_split(stored.y_test, (2000,), rng=rng)
    x, y = torch.from_numpy(stored.x_train), torch.from_numpy(stored.y_train)
    x_test, y_test = torch.from_numpy(stored.x_test), torch.from_numpy(stored.y_test)
    return Live(stored.name, stored.split, sha256, stored.class_names, Images(x[kept], y[kept]),
                Images(x[held], y[held]), Images(x_test[tested], y_test[tested]))


def named(name, split):
    """The data's name; and that it is re-split, where it is."""
    return f"{name} (re-split)" if split == "re-split" else name


live = find_pictures()
taught = Images(live.train.x[:1500], live.train.y[:1500])
HERE = named(live.name, live.split)
CLOTHES = live.name == "Fashion-MNIST"
FIRST = HERE[0].upper() + HERE[1:]  # at the beginning of a sentence
record = read_record(Path("docs/records/fashion-mnist.json"))
THERE = named(record["data"]["name"], record["data"]["split"])
ablation = read_record(Path("docs/records/fashion-mnist-ablation.json"))
A_THERE = named(ablation["data"]["name"], ablation["data"]["split"])
a_train, a_val, _ = ablation["data"]["sizes"]
a_seeds = sorted({run["seed"] for run in ablation["runs"]})
bare = read_record(Path("docs/records/fashion-mnist-no-dropout.json"))
cycled = read_record(Path("docs/records/fashion-mnist-one-cycle.json"))
recipes = read_record(Path("docs/records/fashion-mnist-recipes.json"))
R_THERE = named(recipes["data"]["name"], recipes["data"]["split"])
r_train, r_val, _ = recipes["data"]["sizes"]
r_seeds = sorted({run["seed"] for run in recipes["runs"]})
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
    pictures = live.train.x[live.train.y == label][:3, 0].numpy()
    ax.imshow(np.hstack(list(pictures)), cmap=INK, interpolation="none")
    ax.set_title(live.classes[label], fontsize=9.5, fontweight="normal", pad=3)
    ax.axis("off")
show(
    fig,
    name="pictures",
    alt=f"Three pictures of each of the ten classes of {HERE}: " + ", ".join(live.classes) + ".",
    caption=(
        f"{FIRST}: the first three training pictures of each class. "
        + (
            "Cover the names and try: which of the pullovers, coats and shirts would you know?"
            if CLOTHES
            else "They had 8×8 pixels. Would you know all of the 1s and the 8s?"
        )
    ),
)

# %% [markdown]
# ## The loop that you hand in
#
# First the data. The pixels are bytes; they become floats with a mean of 0 and a standard deviation of 1 [over the training pictures](#normalise-with-what-you-may-know). The network is small, so that this page is built in seconds: two convolutions with [batch normalisation](../layers/batch_norm.py), and [dropout](../reference/normalization.md) before the only linear layer.

# %%
parts = {"train": live.train, "val": live.val, "test": live.test}
mean = live.train.x.double().mean().item() / 255
std = live.train.x.double().std(correction=0).item() / 255
data = {
    name: TensorDataset((images.x / 255 - mean) / std, images.y)
    for name, images in parts.items()
}
torch.manual_seed(SEED)
train_loader = DataLoader(data["train"], batch_size=50, shuffle=True)
val_loader = DataLoader(data["val"], batch_size=500)
test_loader = DataLoader(data["test"], batch_size=500)


def small_network():
    """Two convolutions and a linear layer; the seed gives the weights."""
    torch.manual_seed(SEED)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(16 * 7 * 7, 10),
    )


# %% [markdown]
# Then two functions: one trains for an epoch, the other measures. Both return the mean loss and the accuracy.


# %%
def train_epoch(model, loader, optimizer):
    model.train()
    loss_sum, right = 0.0, 0
    for x, t in loader:
        logits = model(x)
        loss = cross_entropy(logits, t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(t)
        right += (logits.argmax(1) == t).sum().item()
    return loss_sum / len(loader.dataset), right / len(loader.dataset)


@torch.inference_mode()
def validate(model, loader):
    model.eval()
    loss_sum, right = 0.0, 0
    for x, t in loader:
        logits = model(x)
        loss_sum += cross_entropy(logits, t).item() * len(t)
        right += (logits.argmax(1) == t).sum().item()
    return loss_sum / len(loader.dataset), right / len(loader.dataset)


# %% [markdown]
# And the epochs:

# %%
model = small_network()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
history, after_epoch = [], []
print("epoch   training        validation")
for epoch in range(1, 7):
    learnt = train_epoch(model, train_loader, optimizer)
    held_out = validate(model, val_loader)
    history.append((*learnt, *held_out))
    after_epoch.append(copy.deepcopy(model))  # for the mistakes below
    print(f"{epoch:>5}   {learnt[0]:.3f}  {learnt[1]:.1%}", end="    ")
    print(f"{held_out[0]:.3f}  {held_out[1]:.1%}")

# %% [markdown]
# You also hand in a figure, with both losses and both accuracies:


# %%
def draw(history):
    train_loss, train_accuracy, val_loss, val_accuracy = np.array(history).T
    epochs = range(1, len(history) + 1)
    fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.2), sharex=True)
    axes[0].plot(epochs, train_loss, "o-", label="training")
    axes[0].plot(epochs, val_loss, "s--", label="validation")
    axes[1].plot(epochs, 100 * train_accuracy, "o-", label="training")
    axes[1].plot(epochs, 100 * val_accuracy, "s--", label="validation")
    axes[0].set(title=f"{FIRST}: the small network", ylabel="loss (nats)")
    axes[1].set(ylabel="accuracy (%)", xlabel="epoch")
    for ax in axes:
        ax.legend(labelcolor="linecolor")
    return fig


# %% tags=["remove-input"]
train_loss, train_accuracy, val_loss, val_accuracy = np.array(history).T
show(
    draw(history),
    name="loop-curves",
    alt=(
        f"Loss and accuracy of {len(history)} epochs. Training loss falls from "
        f"{train_loss[0]:.2f} to {train_loss[-1]:.2f}, validation loss from {val_loss[0]:.2f} to "
        f"{val_loss[-1]:.2f}; validation accuracy ends at {val_accuracy[-1]:.1%}."
    ),
    caption=(
        f"{FIRST}: {len(live.train.x):,} pictures for training, {len(live.val.x):,} for validation. "
        "At first the network seems to do better on pictures that it has never seen. The section on "
        "[the long training](#the-long-training-recorded) says why it only seems so."
    ),
)
assert train_loss[0] > val_loss[0] and train_loss[-1] < train_loss[0] / 2

# %% [markdown]
# After the last epoch, and never before, you read the test pictures, once:

# %%
test_loss, test_accuracy = validate(model, test_loader)
few = wilson(test_accuracy, len(live.test.x))
print(f"test accuracy  {test_accuracy:.1%}")
print(f"95 % interval  {few[0]:.1%} to {few[1]:.1%}")
assert test_accuracy > 0.7

# %% [markdown]
# Most assignments ask for no more. (The interval is explained [below](#how-good-is-it).) Six things in these lines are often missing, and PyTorch complains about none of them:
#
# - **`model.train()`** switches dropout on, and lets batch normalisation use the batch. It stands inside the epoch, because validation has switched both off.
# - **`model.eval()`** switches dropout off, and batch normalisation to its running statistics. What forgetting it costs is [measured below](#common-mistakes).
# - **`torch.inference_mode()`** records no graph. Without it the numbers are the same, but every activation is kept for a backward pass that never comes.
# - **`optimizer.zero_grad()`** stands before `backward()`, which adds to the gradients that are already there.
# - **`.item()`** takes the number out of its tensor. If you add up the tensors, the graph of every step stays in memory.
# - **`* len(t)`**: the last batch may be smaller than the others, and then the mean of the batches' means is not the mean over the pictures.
#
# ## The same numbers from the library
#
# The book's package has a function `train` that does all of this, and the long trainings of this part ran with it. You should see that it is your loop. For a comparison, both must see the same batches and drop the same units. In your loop these come from a random generator whose state depends on everything drawn before. `train` computes a seed from the plan's seed, the epoch and the step instead. So here your loop gets the batches of `train`, each with its seed:


# %%
class BatchesOfTrain:
    """The library's order; before each batch, the seed of its dropout."""

    def __init__(self, n, size, seed):
        self.n, self.size, self.seed, self.epoch = n, size, seed, 0

    def __iter__(self):
        generator = training._generator(self.seed, self.epoch)
        order = torch.randperm(self.n, generator=generator)
        for step, rows in enumerate(order.split(self.size)):
            torch.manual_seed(training._number(self.seed, self.epoch, step))
            yield rows.tolist()
        self.epoch += 1


mine = small_network()
adam = torch.optim.Adam(mine.parameters(), lr=0.001)
same_order = DataLoader(
    data["train"], batch_sampler=BatchesOfTrain(len(data["train"]), 50, SEED)
)
my_curves = [
    (*train_epoch(mine, same_order, adam), *validate(mine, val_loader))
    for _ in range(2)
]

# %%
theirs = small_network()
plan = Plan(epochs=2, batch_size=50, lr=0.001, seed=SEED)
scale = normalisation(live.train.x)  # mean and deviation, as above
their_curves = train(
    theirs, live.train, live.val, plan, scale=scale, among=ALONE
)

names = "train_loss", "train_accuracy", "val_loss", "val_accuracy"
found = np.array([[epoch[name] for name in names] for epoch in their_curves])
apart = np.abs(np.array(my_curves) - found).max(0)
farthest = max(
    float((a - b).detach().abs().max())
    for a, b in zip(mine.parameters(), theirs.parameters())
)
for name, difference in (*zip(names, apart), ("parameters", farthest)):
    print(f"{name:<14}  {difference:.0e}")
assert np.allclose((mean, std), (scale.mean[0], scale.std[0]), rtol=1e-9)
assert apart.max() < 1e-3 and farthest < 1e-4

# %% tags=["remove-cell"]
steps_compared = 2 * -(-len(live.train.x) // 50)
sameness = (
    "not one bit of a parameter and not one answer differs; the losses differ by the rounding of a "
    "sum"
    if farthest == 0 and apart[1] == apart[3] == 0
    else "what differs is rounding"
)

# %% [markdown]
# Those are the largest differences in two epochs, {{ steps_compared }} steps: {{ sameness }}. The library is your loop.
#
# **Why you may want more.** Your loop is right, and it is enough while nothing goes wrong and one process does all the work. A training of hours meets more than that. What `train` adds for it would have hidden the loop:
#
# | What happens | Your loop | `train` |
# |---|---|---|
# | the computer is switched off | begins anew | [goes on at the same step](long_trainings.py#interrupted-and-still-the-same) |
# | somebody draws one more random number before it | other batches, another network | the same network: seed, epoch and step decide |
# | there is a second processor | leaves it idle | [shares each batch](long_trainings.py#two-processes-take-the-step-of-one), with the same gradient |
# | the loss becomes NaN | goes on to the end | stops, and names epoch and step |
# | you are asked, later, how a number came about | trusts your memory | has a plan, which the [record](#the-long-training-recorded) keeps |
#
# [Long trainings](long_trainings.py), the next chapter, is about the first three.
#
# ## Shapes first
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `images.x` | $(N, 1, 28, 28)$ | pictures, stored as bytes |
# | $t$ | `images.y` | $(N)$ | what each picture is, 0 to 9 |
# | $\mu$, $\sigma$ | `mean`, `std` | one number per channel | of the training pixels |
# | $Z$ | `logits` | $(N, 10)$ | scores |
# | $L$ | `loss` | one number | mean cross-entropy, in nats |
#
# The network of the long training is larger, with four convolutions. Its modules are PyTorch's, except `BatchNorm2d` and `Dropout`; the section on [several processes](long_trainings.py#two-processes-take-the-step-of-one) says why these two are the book's own.

# %% tags=["remove-input"]
show_source(fashion_cnn)

# %% [markdown]
# The convolutions have no bias when a batch normalisation follows. It subtracts the mean of each channel, and with it any constant that was added before; its own shift $\beta$ takes the bias's place.
#
# Here is one picture sent through, layer by layer. The work is the number of multiplications in convolutions and linear layers:

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
    + f"\n| total | | **{total:,}** | **{effort:,}** |"
))
assert widest[0].startswith("Flatten") and widest[2] > total / 2 and busiest > 0.9 * effort

# %% [markdown]
# Two facts are worth keeping. The first linear layer holds {{ widest[2] / total:.0%}} of all parameters. The convolutions do {{ busiest / effort:.0%}} of the work, because each of their weights is used at every place of the picture. To make a CNN smaller, look at the linear layer; to make it faster, at the convolutions.
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
# Now take a test pixel of 119, which is $\tfrac{7}{15}$. It becomes $\left(\tfrac{7}{15} - \tfrac{3}{15}\right) / \tfrac{2}{15} = 2$. Its own mean plays no part: $\mu$ and $\sigma$ are part of the trained network, as its weights are, and were fixed before the test began.

# %%
five = torch.tensor([0, 34, 51, 68, 102], dtype=torch.uint8)
five = five.reshape(1, 1, 1, 5)
by_hand = normalisation(five)
ready = prepare(five, by_hand).flatten()
tested = prepare(torch.full((1, 1, 1, 1), 119), by_hand)
assert np.allclose([by_hand.mean[0], by_hand.std[0]], [1 / 5, 2 / 15])
assert np.allclose(ready, [-1.5, -0.5, 0, 0.5, 1.5], atol=1e-6)
assert np.isclose(tested.item(), 2)

every_x = torch.cat([live.train.x, live.val.x, live.test.x])
everything = normalisation(every_x)
for part, of in (("training", scale), ("all", everything)):
    print(f"{part:<8}  mean {of.mean[0]:.4f}  std {of.std[0]:.4f}")

# %% [markdown]
# Those are the numbers of {{ HERE }}. Taken over all parts, they hardly differ; among the mistakes below you will see how many answers change. Then why be strict? Because the rule costs nothing, and the day on which it matters gives no sign. The recorded training took $\mu = {{ f"{record['data']['mean'][0]:.4f}" }}$ and $\sigma = {{ f"{record['data']['std'][0]:.4f}" }}$ from its {{ f"{record['data']['sizes'][0]:,}" }} training pictures.
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
        f"{THERE}. At first the network seems to do better on pictures that it has never seen "
        "than on those it learns from. The text says why it only seems so."
    ),
)
assert under >= 1

# %% [markdown]
# In {{ under }} of {{ len(epochs) }} epochs the validation accuracy lies *above* the training accuracy. That is neither magic nor a bug. The two are measured differently:
#
# - The training numbers are **means over the epoch**, each batch's taken before the step that learns from it. The network knows less at the first step than at the last; validation comes after all of them.
# - Training has **dropout switched on and mirrored pictures**. Validation has neither, so its task is easier.
#
# Compare each curve with itself, over time. To compare the two parts, measure the training pictures as the validation pictures are measured: after the epoch, in evaluation mode. At the end, training accuracy is {{ f"{series['train_accuracy'][-1]:.1%}" }} and validation accuracy {{ f"{series['val_accuracy'][-1]:.1%}" }}.
#
# ## How good is it?
#
# After the last epoch, and never before, the script read the test part: {{ f"{round(test['accuracy'] * n_test):,}" }} of {{ f"{n_test:,}" }} pictures named correctly, **{{ f"{test['accuracy']:.2%}" }}** on {{ THERE }}, with a loss of {{ f"{test['loss']:.3f}" }} nats. Other test pictures would have given another number. Wilson's interval (1927) holds all true accuracies that are compatible with the share $\hat p$ of $n$ pictures; with $z = 1.96$ it covers the true one in about 95 of 100 experiments:
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
# The aim was {{ f"{AIM:.0%}" }}, and the whole interval lies above it. So say "{{ f"{test['accuracy']:.1%}" }}, give or take {{ f"{50 * (high - low):.1f}" }} points". The interval counts one source of doubt: which pictures happened to be in the test. It says nothing about the others: another seed gives another network ([below](#which-parts-earned-their-place) you see how far apart seeds lie), and pictures from another shop may be harder.
#
# The validation accuracy was {{ f"{100 * abs(val_end - test['accuracy']):.1f}" }} points {{ "higher" if val_end > test["accuracy"] else "lower" }}, although the two parts hold pictures of one kind and the script chose nothing by either. Two parts of {{ f"{n_val:,}" }} and {{ f"{n_test:,}" }} pictures differ by this much or more in about {{ f"{100 * by_chance:.0f}" }} of 100 such comparisons, by chance alone. Quote the test result.
#
# ## Which shirts look like coats
#
# One number hides what is mistaken for what. The confusion matrix counts this: one row for what a picture is, one column for what the network predicted.

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
           xlabel="what the network predicted", ylabel="what it is")
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
        f"{THERE}: test pictures by what they are and what was predicted. In the shirts' row, "
        "and among the shoes (lower right), mistakes stay in the family."
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
    f"between the three kinds of shoes. A bag and a shoe are confused {mixed_up} times."
))

# %% [markdown]
# At 28×28 grey pixels a shirt and a T-shirt differ in the length of their sleeves or in a row of buttons of one pixel each. Some labels can only be guessed, by a network or by you: there is a ceiling somewhere below perfect, and this page does not know where.
#
# ## The mistakes, as pictures
#
# The record keeps numbers, not the network. So these are the mistakes of the small network from the top of the page, the surest first:

# %% tags=["hide-input"]
model.eval()
with torch.inference_mode():
    test_logits = model(data["test"].tensors[0])
answers = test_logits.argmax(1)
mistakes = torch.nonzero(answers != live.test.y).flatten()
sure, said = test_logits[mistakes].softmax(1).max(1)
assert torch.equal(said, answers[mistakes])
assert np.isclose(1 - len(mistakes) / len(answers), test_accuracy)
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
        f"The {len(worst)} mistakes of which the small network was surest, each with what it is and "
        f"what it was called: "
        + "; ".join(f"{live.classes[live.test.y[mistakes[k]]]} called {live.classes[said[k]]}"
                    for k in worst[:4])
        + "; and so on."
    ),
    caption=(
        f"{FIRST}, small network: {len(mistakes)} of {len(live.test.x):,} test pictures are wrong. "
        "Decide for each: is the network wrong, is the picture ambiguous, or is the "
        "label wrong?"
    ),
)

# %% [markdown]
# A mistake made with great confidence is worth a look: it is a wrong label, an odd picture, or something that the network does not know.
#
# ## Does it know when it guesses?
#
# A network that says "Coat, 70 %" should be right in 70 of 100 such cases. Then its confidence, the largest of its ten probabilities, can be used: to hand the doubtful pictures to a person, for instance. Such a network is **calibrated**. The record holds no probabilities, so this too is about the small network and its {{ f"{len(answers):,}" }} test pictures. Sort them by confidence, cut them into eight groups of equal size, and compare in each the mean confidence with the share that is right:

# %%
confidence, predicted = test_logits.softmax(1).max(1)
correct = (predicted == live.test.y).numpy()
confidence = confidence.numpy()
groups = np.array_split(confidence.argsort(), 8)
said_sure = np.array([confidence[g].mean() for g in groups])
were_right = np.array([correct[g].mean() for g in groups])
bounds = np.array([wilson(correct[g].mean(), len(g)) for g in groups])

excess = confidence - correct  # its mean: how much too sure
half = 1.96 * excess.std(ddof=1) / np.sqrt(len(excess))
print(f"mean confidence {confidence.mean():.1%}, right {correct.mean():.1%}")
print(f"too sure by {100 * excess.mean():+.1f} ± {100 * half:.1f} points")

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(4.8, 4.2))
ax.plot([20, 100], [20, 100], "--", color=COLORS["muted"], linewidth=1)
ax.annotate("calibrated", (46, 46), (4, -10), textcoords="offset points",
            color=COLORS["muted"], va="top")
ax.vlines(100 * said_sure, *(100 * bounds.T), color=COLORS["blue"], linewidth=1.4)
ax.plot(100 * said_sure, 100 * were_right, "o", color=COLORS["blue"], markersize=5)
ax.set(title=f"{FIRST}: the small network", xlabel="mean confidence of the group (%)",
       ylabel="right (%)", xlim=(20, 102), ylim=(20, 102))
outside = int(((bounds[:, 0] > said_sure) | (bounds[:, 1] < said_sure)).sum())
show(
    fig,
    name="reliability",
    alt=(
        f"Share of right answers against mean confidence, eight groups: from {said_sure[0]:.0%} "
        f"sure and {were_right[0]:.0%} right to {said_sure[-1]:.0%} sure and {were_right[-1]:.0%} "
        f"right. The intervals of {8 - outside} groups contain the diagonal."
    ),
    caption=(
        f"A reliability diagram ({HERE}, {len(groups[0])} test pictures for each mark, with their "
        "95 % intervals). Below the dashed line a network is too sure. The intervals of "
        f"{8 - outside} of the eight groups reach the line, and the surest group is right more often "
        "than the most doubtful one."
    ),
)
assert were_right[-1] > were_right[0] + (0.2 if CLOTHES else 0.02)  # its confidence is worth something

# %% tags=["remove-cell"]
too_sure = excess.mean() > half
too_shy = excess.mean() < -half
finding = (
    "on average it is too sure" if too_sure
    else "on average it is right more often than it claims" if too_shy
    else "on average, no difference can be seen between what it claims and what it does"
)

# %% [markdown]
# {{ finding[0].upper() + finding[1:] }}. The difference is {{ f"{100 * excess.mean():+.1f}".replace("-", "−") }} points, with an interval of ± {{ f"{100 * half:.1f}" }}. Of the eight groups, {{ outside }} {{ "lies" if outside == 1 else "lie" }} off the line by more than the interval allows, where chance alone puts one of eight off the line in about one figure in three. Its confidence can be used: it gets {{ f"{were_right[-1]:.1%}" }} of the surest eighth right, and {{ f"{were_right[0]:.1%}" }} of the most doubtful. It learnt for {{ len(history) }} epochs with dropout; networks that train until they know their pictures by heart become too sure, and [softmax](../layers/softmax.py) shows one, with its cure ([@guo2017]).
#
# ## Beside the NumPy network
#
# `small_cnn` of [the chapter in NumPy](../networks/cnn.py) is smaller: two convolutions, no normalisation, no dropout. `twin` copies its weights into PyTorch's modules. Then both see **the same batches**, with Adam and the same rate.

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
steps = np.arange(1, len(single) + 1)
fig, (upper_ax, lower_ax) = plt.subplots(2, 1, figsize=(4.8, 5.4), sharex=True)
upper_ax.plot(steps, single[:, 0], "-", color=COLORS["blue"], label="NumPy: small_cnn")
upper_ax.plot(steps, single[:, 1], "o", color=COLORS["orange"], fillstyle="none", markersize=6,
              label="its twin in PyTorch")
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
        "Above: the loss of each step. The rings lie on the line. Below: how far apart they are, "
        "on a logarithmic axis; 0 is drawn at the bottom."
    ),
)

# %% [markdown]
# Over {{ len(steps) }} steps the NumPy network and its twin differ by at most ${{ power(gap["64"].max()) }}$ in float64 and ${{ power(gap["32"].max()) }}$ in float32: that is each type's rounding, and what the steps make of it. What you derived by hand is what PyTorch computes.
#
# ## Which parts earned their place?
#
# The larger network has two parts that it could work without: batch normalisation ([@ioffe2015]) and dropout ([@srivastava2014]).
#
# **The question.** How much does each add to the validation accuracy, when training is short?
#
# **A prediction.** Batch normalisation makes the first steps count for more, so in a short training it should be ahead with every seed. Dropout protects from learning the training pictures by heart. In a few epochs there is little to protect from, so it should cost rather than help.
#
# This was recorded too, by `{{ ablation["command"] }}`: {{ f"{a_train:,}" }} training pictures of {{ A_THERE }}, {{ ablation["plan"]["epochs"] }} epochs in batches of {{ ablation["plan"]["batch_size"] }}, all four combinations, {{ len(a_seeds) }} seeds. A seed decides the pictures, the first weights and every step, and the four share it, so each line in the figure compares like with like. What is compared is *validation* accuracy after the last epoch, on {{ f"{a_val:,}" }} pictures: this chooses between networks, and the test is for what has been chosen.
#
# **What is an effect?** Write $v_{00}$ for the accuracy with neither, $v_{10}$ with batch normalisation alone, $v_{01}$ with dropout alone, $v_{11}$ with both. The effect of batch normalisation is what it adds, averaged over the two cases, without dropout and with it. The **interaction** is how much that effect changes when dropout is added; it is negative if dropout makes it smaller:
#
# $$\begin{aligned}
#   \text{batch norm} &= \tfrac12\left[(v_{10} - v_{00}) + (v_{11} - v_{01})\right] \\[2pt]
#   \text{dropout} &= \tfrac12\left[(v_{01} - v_{00}) + (v_{11} - v_{10})\right] \\[2pt]
#   \text{interaction} &= (v_{11} - v_{01}) - (v_{10} - v_{00})
#   \end{aligned}$$
#
# Each seed gives one value of each, so $S$ seeds give a mean, a standard deviation $s$, and Student's interval ([@student1908]) of $\pm\, t\, s/\sqrt{S}$. With {{ len(a_seeds) }} seeds $t$ is {{ f"{stats.t.ppf(0.975, len(a_seeds) - 1):.2f}" }}, not 1.96: so few seeds say little about their own spread. And three intervals of 95 % miss more often than one. If all three are to hold in 95 of 100 experiments, each must hold in {{ f"{100 - 5 / 3:.1f}" }} (Bonferroni's correction): the thin lines below.

# %% tags=["hide-input"]
VARIANTS = ("neither", "dropout only", "batch norm only", "both")
v = {name: 100 * np.array([run["epochs"][-1]["val_accuracy"] for run in ablation["runs"]
                           if run["variant"] == name]) for name in VARIANTS}
helped = {"without": v["batch norm only"] - v["neither"], "with": v["both"] - v["dropout only"]}
cost = {"without": v["dropout only"] - v["neither"], "with": v["both"] - v["batch norm only"]}
effects = {
    "batch norm": (helped["without"] + helped["with"]) / 2,
    "dropout": (cost["without"] + cost["with"]) / 2,
    "interaction": helped["with"] - helped["without"],
}


def interval(values, level=0.95):
    """Half the width of Student's interval for the mean of the seeds."""
    t = stats.t.ppf((1 + level) / 2, len(values) - 1)
    return t * values.std(ddof=1) / np.sqrt(len(values))


ALL_THREE = 1 - 0.05 / 3
fig, (upper_ax, lower_ax) = plt.subplots(2, 1, figsize=(5.0, 5.6), height_ratios=[3, 2.2])
for seed, color, marker, style in zip(a_seeds, ("blue", "orange", "green"), "os^", ("-", "--", ":")):
    upper_ax.plot(range(4), [v[name][seed] for name in VARIANTS], style, marker=marker,
                  color=COLORS[color], label=f"seed {seed}")
    for row, values in enumerate(effects.values()):
        lower_ax.plot(values[seed], row + 0.22, marker, color=COLORS[color], markersize=4)
for row, values in enumerate(effects.values()):
    for level, width in ((0.95, 3), (ALL_THREE, 1)):
        reach = np.array([-1, 1]) * interval(values, level)
        lower_ax.plot(values.mean() + reach, [row, row], "-", color=COLORS["text"], linewidth=width)
    lower_ax.plot(values.mean(), row, "D", color=COLORS["text"], markersize=5)
upper_ax.set_xticks(range(4), ["neither", "dropout\nonly", "batch norm\nonly", "both"])
upper_ax.set(title=f"{A_THERE}, recorded", ylabel="validation accuracy (%)", xlim=(-0.3, 3.3))
upper_ax.legend(labelcolor="linecolor", loc="upper left")
lower_ax.axvline(0, color=COLORS["muted"], linewidth=1)
lower_ax.set_yticks(range(3), list(effects))
lower_ax.set(ylim=(2.6, -0.5), xlabel="change of validation accuracy (points)",
             title="Effects: mean, 95 %, and 95 % for all three")


def told(values, level=0.95):
    """The mean and its interval, in points."""
    half = interval(values, level)
    low, high = values.mean() - half, values.mean() + half
    text = f"{values.mean():+.1f} points (interval {low:+.1f} to {high:+.1f})"
    return text.replace("-", "−")


show(
    fig,
    name="ablation",
    alt=(
        f"Validation accuracy of four variants with {len(a_seeds)} seeds: neither "
        f"{v['neither'].mean():.1f} %, dropout only {v['dropout only'].mean():.1f} %, batch norm "
        f"only {v['batch norm only'].mean():.1f} %, both {v['both'].mean():.1f} %, on average. Below, "
        "the three effects with their intervals: "
        + "; ".join(f"{name} {told(values)}" for name, values in effects.items()) + "."
    ),
    caption=(
        "Above: the four variants, one line per seed. Below: the effects, seed by seed and with "
        "their intervals. The thin lines are much longer; only the one for dropout reaches 0."
    ),
)
for name, values in effects.items():  # beyond chance one by one; and all three at once
    assert abs(values.mean()) > interval(values), name
for name in ("batch norm", "interaction"):
    assert abs(effects[name].mean()) > interval(effects[name], ALL_THREE)
assert abs(effects["dropout"].mean()) < interval(effects["dropout"], ALL_THREE)
assert all((values > 0).all() for values in helped.values())
assert all((values < 0).all() for values in cost.values())

# %% [markdown]
# **The verdict.** Batch normalisation changes the accuracy by {{ told(effects["batch norm"]) }}, and it helps in each of the {{ 2 * len(a_seeds) }} comparisons, with dropout and without. The interval for all three, {{ told(effects["batch norm"], ALL_THREE).split("(interval ")[1][:-1] }}, excludes 0 too: this half of the prediction holds.
#
# Dropout changes it by {{ told(effects["dropout"]) }}, and costs in each of its {{ 2 * len(a_seeds) }} comparisons. Taken alone it is beyond chance. As one of three it is not: {{ told(effects["dropout"], ALL_THREE).split("(interval ")[1][:-1] }} reaches 0. {{ len(a_seeds) }} seeds that agree make a cost likely, and leave its size open.
#
# The third effect was not predicted: the two interfere with each other. The interaction is {{ told(effects["interaction"]) }}, beyond chance by either yardstick. Batch normalisation adds {{ f"{helped['without'].mean():.1f}" }} points without dropout and {{ f"{helped['with'].mean():.1f}" }} with it; in other words, dropout costs more where batch normalisation is there too. [Li and others (2019)](@li2019) offer an explanation: dropout changes the variance of what the next normalisation sees in training, but not in evaluation, for which the statistics are kept. Whether that explains it here was not tested.
#
# **What this does not show.** What the two are worth in a long training; for dropout, the next section looks. Nor whether the effects are the same at another learning rate: every variant ran at the rate of the full network.
#
# ## The long training without dropout
#
# Dropout cost accuracy in {{ ablation["plan"]["epochs"] }} epochs on {{ f"{a_train:,}" }} pictures. Should you leave it out of what you hand in? That training is longer and has more pictures, so it was run once more without dropout. (This second run came later, with PyTorch {{ bare["libraries"]["torch"] }} instead of {{ record["libraries"]["torch"] }}. That changes the last digits of a training and so its course a little, as another seed does.)
#
# `{{ bare["command"] }}`

# %% tags=["remove-input"]
assert bare["plan"] == record["plan"] and bare["data"] == record["data"]
assert bare["network"] == record["network"] | {"dropout": 0.0}
LONG = {"with dropout": record, "without dropout": bare}
fig, axes = plt.subplots(2, 1, figsize=(4.8, 5.6), sharex=True)
for (name, run), color, marker in zip(LONG.items(), ("blue", "orange"), "os"):
    for part, style in (("train", ":"), ("val", "-")):
        values = [epoch[f"{part}_loss"] for epoch in run["epochs"]]
        label = f"{name}, {LOOK[part][3]}"
        axes[0].plot(count, values, style, marker=marker, markersize=4, color=COLORS[color],
                     fillstyle="full" if part == "val" else "none", label=label)
    values = [100 * epoch["val_accuracy"] for epoch in run["epochs"]]
    axes[1].plot(count, values, "-", marker=marker, markersize=4, color=COLORS[color], label=name)
axes[0].set(title=f"Recorded runs, {THERE}", ylabel="loss (nats)", ylim=(0, None))
axes[1].set(ylabel="validation accuracy (%)", xlabel="epoch",
            xticks=np.unique(np.linspace(1, len(count), 4).round()))
for ax in axes:
    ax.legend(labelcolor="linecolor")
gulf = {name: run["epochs"][-1]["val_loss"] - run["epochs"][-1]["train_loss"]
        for name, run in LONG.items()}
show(
    fig,
    name="no-dropout",
    alt=(
        "Two long trainings. Their last losses: "
        + "; ".join(
            f"{name} {run['epochs'][-1]['train_loss']:.2f} in training and "
            f"{run['epochs'][-1]['val_loss']:.2f} in validation"
            for name, run in LONG.items()
        )
        + ". Their validation accuracies end at "
        + " and ".join(f"{run['epochs'][-1]['val_accuracy']:.1%}" for run in LONG.values()) + "."
    ),
    caption=(
        f"{THERE}, one seed each. Above: dotted in training, solid in validation. Without dropout "
        "the training loss falls far below the validation loss, which falls too. Below: the "
        "validation accuracies end together."
    ),
)
assert gulf["without dropout"] > 0.05 > abs(gulf["with dropout"])


def difference(one, other):
    """Points by which the test accuracy of one run is above another's, and half of its interval."""
    shares = one["test"]["accuracy"], other["test"]["accuracy"]
    variance = sum(share * (1 - share) / n_test for share in shares)
    return 100 * (shares[0] - shares[1]), 196 * np.sqrt(variance)


def points(value, half):
    return f"{value:+.2f} ± {half:.2f} points".replace("-", "−")


without = difference(bare, record)

# %% [markdown]
# On the test part the network without dropout names {{ f"{bare['test']['accuracy']:.2%}" }} correctly, the one with it {{ f"{record['test']['accuracy']:.2%}" }}: {{ points(*without) }}. The interval contains 0, and with one seed each it is about these two networks, not about dropout. (It treats the two tests as independent, which makes it wider. McNemar's test would make use of both networks seeing the same pictures, but it needs each picture's answer, and these records hold counts.) On validation the two are {{ f"{100 * (bare['epochs'][-1]['val_accuracy'] - record['epochs'][-1]['val_accuracy']):.2f}" }} points apart.
#
# So the short ablation did not tell how the long training would end: the cost of dropout that it saw is gone, or too small to see. What can be seen is in the losses. Without dropout the training loss ends {{ f"{gulf['without dropout']:.2f}" }} nats below the validation loss; with dropout, which makes the training harder than the validation, there is no such gap. The network without dropout begins to learn its pictures by heart. In {{ len(epochs) }} epochs that cost no accuracy that can be seen; what it would do in more was not tried.
#
# ## Moves, mixtures, a rate that rises
#
# Three more changes are often recommended. Each is an option of the script, and each is off by default:
#
# - **Moves** (`--shift 2`): each picture is moved by up to two pixels, down or up and right or left, anew in each epoch. Padding with two black pixels and cropping at random comes to the same.
# - **Mixtures** (`--mixup 0.2`, [@zhang2018mixup]): each step draws $\lambda$ from the distribution $\text{Beta}(0.2, 0.2)$, most of which lies near 0 and 1. In place of a picture $x$ with its class $t$, the network reads a mixture with another one of the batch, $x'$ of class $t'$. The loss is mixed in the same proportion:
#
# $$\tilde x = \lambda x + (1 - \lambda)\, x', \qquad \tilde L = \lambda\, L(\tilde x, t) + (1 - \lambda)\, L(\tilde x, t')$$
#
# - **One-cycle** (`--one-cycle`, [@smith2019]): the learning rate first rises and then falls, as [the chapter on schedules](../networks/schedules.py) describes. Its peak is the rate that the cosine begins with.

# %% tags=["remove-input"]
rows = torch.tensor([3, 5, 8, 11])
chosen_x = live.train.x[rows]
moves = torch.tensor([[2, 1], [-2, 0], [1, -2], [-1, 2]])
part = 0.7
ROWS = {
    "as they are": chosen_x,
    "moved": training._moved(chosen_x, moves, 2),
    f"mixed, {part:.0%} and {1 - part:.0%}": part * chosen_x + (1 - part) * chosen_x.roll(1, 0),
}
fig, axes = plt.subplots(3, 1, figsize=(4.2, 3.9))
for ax, (name, pictures) in zip(axes, ROWS.items()):
    ax.imshow(np.hstack(list(pictures[:, 0].numpy())), cmap=INK, interpolation="none")
    ax.set_title(name, fontsize=9.5, fontweight="normal", pad=3)
    ax.axis("off")
show(
    fig,
    name="changed-pictures",
    alt=(
        "Four training pictures: as they are, moved by one or two pixels, and each mixed with its "
        "neighbour, which shines through."
    ),
    caption=(
        f"{FIRST}: what the network reads in place of the first row. Would you know both halves of "
        "each mixture in the last row?"
    ),
)

# %% tags=["remove-cell"]
r = {}
for run in recipes["runs"]:
    r.setdefault(run["variant"], []).append(100 * run["epochs"][-1]["val_accuracy"])
r = {name: np.array(values) for name, values in r.items()}  # by seed
gain = {name: values - r["default"] for name, values in r.items() if name != "default"}
raw = [stats.ttest_rel(r[name], r["default"]).pvalue for name in gain]
p_holm = dict(zip(gain, holm(raw), strict=True))

# %% [markdown]
# **The question.** Which of them adds to the validation accuracy of the default? (The default is the network of the long training, with batch normalisation and a dropout of {{ recipes["runs"][0]["dropout"] }}; its rate falls along a cosine, and half of its pictures are flipped.)
#
# **A prediction.** Moves and mixtures make it harder to learn the pictures by heart. In a short training nothing is learnt by heart, so both should cost accuracy. Over a whole training the mean rate of one-cycle is about that of the cosine: no difference should be seen.
#
# Recorded by `{{ recipes["command"] }}`: {{ f"{r_train:,}" }} training pictures of {{ R_THERE }}, {{ recipes["plan"]["epochs"] }} epochs in batches of {{ recipes["plan"]["batch_size"] }}, {{ len(r_seeds) }} seeds. As in the ablation, a seed decides pictures, first weights and steps, and is the same for all. So each difference from the default compares two runs that share their seed. The p-values are those of paired t-tests, corrected by Holm for {{ len(gain) }} comparisons.

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(5.2, 0.9 + 0.62 * len(gain)))
for row, (name, values) in enumerate(gain.items()):
    sure = p_holm[name] < 0.05
    color = COLORS["blue" if sure else "muted"]
    ax.plot(values, np.full(len(values), row + 0.25), "o", color=COLORS["orange"], markersize=3.5)
    ax.errorbar(values.mean(), row, xerr=interval(values), fmt="D" if sure else "s", color=color,
                markersize=5, capsize=3, markerfacecolor=color if sure else "none")
ax.axvline(0, color=COLORS["text"], linewidth=1)
ax.set_yticks(range(len(gain)), list(gain))
ax.set(ylim=(len(gain) - 0.5, -0.5), title=f"{R_THERE}, recorded",
       xlabel="change of validation accuracy from the default (points)")
show(
    fig,
    name="recipes",
    alt=(
        f"Change of the validation accuracy from the default, mean of {len(r_seeds)} seeds with its "
        "95 % interval: " + "; ".join(f"{name} {told(values)}" for name, values in gain.items()) + "."
    ),
    caption=(
        "Dots: one per seed. Marks: their mean with its 95 % interval; a filled diamond differs "
        "from the default after Holm's correction. The moves cost accuracy with every seed; the "
        "other two are not told apart from the default."
    ),
)
assert p_holm["shift 2"] < 0.05 and (gain["shift 2"] < 0).all()
for name in ("mixup 0.2", "one-cycle"):
    assert abs(gain[name].mean()) < interval(gain[name]) and p_holm[name] > 0.05
display(Markdown(
    "| | Validation accuracy | Change from the default | p (Holm) |\n|---|---|---|---|\n"
    f"| default | {r['default'].mean():.1f} % | | |\n"
    + "\n".join(
        f"| {name} | {r[name].mean():.1f} % | {told(values)} | {p_holm[name]:.2g} |"
        for name, values in gain.items()
    )
))

# %% [markdown]
# **The verdict.** Moves change the accuracy by {{ told(gain["shift 2"]) }}: a cost with every seed, and beyond chance. Mixtures change it by {{ told(gain["mixup 0.2"]) }} and one-cycle by {{ told(gain["one-cycle"]) }}; both intervals contain 0. So the prediction holds for moves and for one-cycle. For mixtures, which should have cost something, it is neither confirmed nor refuted. Effects up to the ends of these intervals remain possible.
#
# **What this does not show.** Why moves cost so much. Clothes fill their pictures, in training as in validation, so that a network has little use for other places and loses what is pushed over the edge; but that was not tested. Nor that a move by one pixel, another Beta distribution or a higher peak of the rate does no better; each recipe had one setting. And these trainings are short: what helps against learning by heart has nothing to do in them.
#
# ## Which would you hand in?
#
# The comparisons were made on validation pictures. A plain rule for reading them: a part that was compared stays in the program if it is seen to help. Batch normalisation did, in the ablation. Dropout seemed to cost accuracy there, and in the long training it is not seen to help. Moves cost; mixtures and one-cycle are not told apart from the default. That leaves batch normalisation. The cosine and the flips were not compared with anything here; they stay because every run had them.

# %% tags=["remove-input"]
def handed_row(name, run):
    """Validation and test of a long training."""
    end, share = run["epochs"][-1], run["test"]["accuracy"]
    low, high = wilson(share, n_test)
    return (f"| {name} | {end['val_accuracy']:.2%} | {end['val_loss']:.3f} | {share:.2%} "
            f"({low:.1%} to {high:.1%}) | {run['test']['loss']:.3f} |\n")


display(Markdown(
    "| Long training | Validation accuracy | and loss | Test accuracy (95 %) | and loss |\n"
    "|---|---|---|---|---|\n" + "".join(
        handed_row(name, run) for name, run in {**LONG, "without, one-cycle": cycled}.items())
))
assert cycled["data"] == bare["data"] and cycled["network"] == bare["network"]
assert cycled["plan"] == bare["plan"] | {
    "cosine": False, "one_cycle": True, "shift": 0, "mixup": 0.0}
turn = difference(cycled, bare)
assert abs(turn[0]) < turn[1]
assert all(bare["epochs"][-1][f"val_{kind}"] * sign > record["epochs"][-1][f"val_{kind}"] * sign
           for kind, sign in (("accuracy", 1), ("loss", -1)))
b_low, b_high = wilson(bare["test"]["accuracy"], n_test)

# %% [markdown]
# So you would hand in the training without dropout; its validation numbers are slightly better, too. Then you report {{ f"{bare['test']['accuracy']:.1%}" }}, give or take {{ f"{50 * (b_high - b_low):.1f}" }} points, on {{ THERE }}. You do not report that it is better than the one with dropout: {{ points(*without) }} do not show that. Its test loss is in fact slightly {{ "higher" if bare["test"]["loss"] > record["test"]["loss"] else "lower" }}.
#
# One-cycle instead of the cosine changes the test accuracy by {{ points(*turn) }}: no difference that one seed each could show.
#
# **What was not tried:** a long training with moves or mixtures. Without dropout there is a gap between the losses, and mixtures are meant to close such a gap; there, and in more epochs, they would have something to do; in the short trainings they do not.
#
# ## Common mistakes
#
# None of these raises an error. Each runs here, on {{ HERE }}. Where a trained network is needed, it has one hidden layer of 128 units and learns {{ f"{len(taught.x):,}" }} pictures quickly. The mistakes do not depend on the network.


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


net, curve = quick(taught, epochs=15)
last = curve[9]  # after ten epochs, as the others below
print("done right, validation:")
print(f"loss {last['val_loss']:.2f}, accuracy {last['val_accuracy']:.1%}")

# %% [markdown]
# **The first: normalising with the test pictures.** First the statistics of all parts, as above; then those of a test set that is half as bright, as another camera might make it:

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
# The first line is the honest one: on pictures of one kind the mistake changes next to nothing, which is why it survives. The others show what it hides. With its own statistics the darker test set is made bright again, and you report a number that the network will not reach where pictures come one at a time. The check is one line: the scale that is used must *be* `normalisation(train.x)`.
#
# **The second: softmax before the loss.** `cross_entropy` takes scores and applies the softmax itself. With one at the end of the network there are two:

# %%
double = quick(taught, more=(nn.Softmax(1),))[1][-1]
floor = -np.log(np.e / (np.e + 9))  # scores of 1, and 0 nine times
for name, epoch in (("one softmax", last), ("two", double)):
    print(f"{name:<11}  loss {epoch['val_loss']:.2f}, "
          f"accuracy {epoch['val_accuracy']:.1%}")
assert double["train_loss"] > floor > last["train_loss"]
assert double["val_accuracy"] > 0.6  # it learns

# %% [markdown]
# The accuracy gives no hint, unless you know what is possible: {{ f"{double['val_accuracy']:.1%}" }} with two, {{ f"{last['val_accuracy']:.1%}" }} with one. The loss gives it away: it cannot fall below $\ln\left((e + 9)/e\right) = {{ f"{floor:.2f}" }}$, even for a network that is certain and right. [Softmax](../layers/softmax.py) has the reason. A loss that stops near that value is the symptom.
#
# **The third: forgetting `eval()`.** Then dropout goes on dropping units while you measure, and batch normalisation goes on looking at the neighbours in the batch. Here the small network's six epochs are validated once more without that line: with the pictures as they come, and sorted by class, as the files of a folder are:

# %%
sorted_rows = live.val.y.argsort(stable=True)
rows_of = {"as they come": torch.arange(len(sorted_rows)),
           "by class": sorted_rows}
careless = {name: [] for name in rows_of}
moved = []
for network in after_epoch:
    for name, rows in rows_of.items():
        part = TensorDataset(*data["val"][rows])
        forgot = copy.deepcopy(network).train()
        forgot.eval = lambda: None  # the line that was forgotten
        torch.manual_seed(SEED)
        loader = DataLoader(part, batch_size=25)
        careless[name].append(validate(forgot, loader)[1])
    del forgot.eval  # too late: the running statistics have moved
    moved.append(validate(forgot, val_loader)[0])
lost = {name: 100 * (val_accuracy - found)
        for name, found in careless.items()}
for name, points in lost.items():
    print(f"{name:<13} {points.mean():.1f} points too low, on average")
assert 0.3 < lost["as they come"].mean() < lost["by class"].mean()
assert (lost["by class"] > 0).all() and (moved != val_loss).all()

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(4.8, 3.4))
count_small = range(1, len(history) + 1)
for name, values, color, look in (
    ("training", train_accuracy, "muted", "-"),
    ("validation, with eval()", val_accuracy, "blue", "o-"),
    ("without, as they come", careless["as they come"], "orange", "s--"),
    ("without, by class", careless["by class"], "green", "^:"),
):
    ax.plot(count_small, 100 * np.array(values), look, color=COLORS[color], label=name, markersize=5)
ax.set(title=f"{FIRST}: eval() forgotten", xlabel="epoch", ylabel="accuracy (%)")
ax.legend(labelcolor="linecolor")
show(
    fig,
    name="forgotten-eval",
    alt=(
        f"Validation accuracy over {len(history)} epochs: with eval() it ends at "
        f"{val_accuracy[-1]:.1%}, without at {careless['as they come'][-1]:.1%}, and sorted by class "
        f"at {careless['by class'][-1]:.1%}. All three end higher than they began."
    ),
    caption=(
        "The same six networks, measured in three ways. The two lower curves rise as a right one "
        "would, and nothing tells you that they are wrong."
    ),
)
assert all(found[-1] > found[0] for found in careless.values())

# %% [markdown]
# (Batches of 25.) The lower curves look healthy. You would read the gap below the training curve as overfitting, and look for a cure for a network that is not ill. Sorted by class, a batch holds one class. Its mean is subtracted, and with it what the pictures have in common, which is what the network should have seen.
#
# And the measuring has changed the network. The running statistics have moved with each call: with `eval()` put back, the loss differs from before after each of the {{ len(moved) }} epochs, by up to {{ f"{np.abs(moved - val_loss).max():.3f}" }}. The check: evaluate twice, with two batch sizes, and require equal answers. `evaluate` of this package sets the mode itself, so that it cannot be forgotten.
#
# **The fourth: choosing the epoch by its test accuracy.** The best of many numbers is partly the luckiest. How large is the gift? Split {{ "a thousand of the test pictures" if CLOTHES else "the test part" }} into two halves, choose the epoch by one, and read the accuracy on the other, which did not choose. Four seeds, 200 random splits each:

# %%
thousand = Images(live.test.x[:1000], live.test.y[:1000])


def watcher(correct):
    """After each epoch, note which test pictures are named right."""

    def attach(net):
        def after_step(epoch, step):
            if 128 * (step + 1) >= len(taught.x):
                found = score(net, thousand)[2] == thousand.y
                correct.append(found.numpy())

        return after_step

    return attach


gifts = {3: [], 12: []}  # how many epochs there are to choose from
for seed in range(4):
    correct, draw = [], np.random.default_rng(seed)
    quick(taught, epochs=12, seed=seed, after_step=watcher(correct))
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
# On average the half that chose flatters by {{ f"{gift[12]:.2f}" }} points, for a choice among twelve epochs; among the last three, by {{ f"{gift[3]:.2f}" }}. The more there is to choose from, the larger the gift. The recorded run had nothing to choose. As the rate falls to 0, the last epochs hardly differ: on the validation part the last is {{ f"{100 * behind:.2f}" }} points below the best. The script takes the last, as planned, and reads the test part once.
#
# **The fifth: validation pictures in the training part.** One concatenation too many is enough:

# %%
leaky = Images(*(torch.cat(pair) for pair in zip(taught, live.val)))
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
mixed = torch.randperm(len(taught.y), generator=draw)
strangers = quick(Images(taught.x[mixed], taught.y))[1][-1]
print(f"training loss {strangers['train_loss']:.2f}; ln 10 is {np.log(10):.2f}")
print(f"validation accuracy {strangers['val_accuracy']:.1%}")
assert strangers["val_accuracy"] < 0.25 < last["val_accuracy"]
assert abs(strangers["train_loss"] - np.log(10)) < 0.5

# %% [markdown]
# The loss stays about $\ln 10$, that of a network that knows nothing, and falls below it only as far as the pictures are learnt by heart. Validation stays at chance. Plot a few pictures with their labels before each training, as this page does: no other check is as quick.
#
# ## In five lines
#
# - Train with shuffled batches, measure with `eval()`, choose by validation.
# - Normalise with the training pictures' statistics alone.
# - Read the test once, after the last epoch, and give its interval.
# - Batch normalisation earned its place here; dropout did not.
# - Silent mistakes show against a baseline, and never in a message.
#
# ## Try it
#
# ??? question "1. Validation accuracy is above training accuracy. Has somebody mixed up the two?"
#     Probably not. The training number is a mean over an epoch in which the network was still learning, with dropout and mirrored pictures; validation comes after it, without either. To be sure, evaluate the training pictures in the same way as the validation pictures, after the epoch.
#
# ??? question "2. With a pencil: four variants have accuracies of 80 (neither), 84 (batch normalisation), 79 (dropout) and 81 (both). What are the two effects and the interaction?"
#     Batch normalisation adds 4 without dropout and 2 with it: an effect of 3. Dropout adds −1 and −3: an effect of −2. The interaction is $2 - 4 = -2$, and $-3 - (-1)$ gives the same.
#
# ??? question "3. The intervals of two networks' test accuracies overlap. Are the networks equally good?"
#     The intervals cannot tell. Both were tested on the same pictures, so look at those that one names correctly and the other does not: [the Iris page](../networks/iris.py) compares in pairs, and so does the ablation above. Overlapping intervals do not show equality, and one interval per network throws the pairing away.
#
# ??? question "4. You leave out `optimizer.zero_grad()`. What does the second step follow?"
#     The sum of the gradients of the first two batches; the tenth step follows the sum of ten. That is a momentum that never forgets, and old gradients were taken at weights that are long gone.
#
# ??? question "5. For the notebook: make the loop's result harder to believe. Change the seed in `small_network` and before the loaders, run it again, and compare the change of the test accuracy with the width of its interval."
#     The interval is about the pictures of the test, the change about the seed. If the change is of the size of the interval, one run says little about which of two networks is better. How many seeds would you want?
#
# ## Sources
#
# - Xiao, Rasul and Vollgraf (2017), *Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms*, arXiv:1708.07747: the clothes, and why digits had become too easy.
# - Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR: the optimiser.
# - Loshchilov and Hutter (2017), *SGDR: stochastic gradient descent with warm restarts*, ICLR: the learning rate that falls along a cosine; here without restarts.
# - Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing internal covariate shift*, ICML.
# - Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), *Dropout: a simple way to prevent neural networks from overfitting*, Journal of Machine Learning Research.
# - Li, Chen, Hu and Yang (2019), *Understanding the disharmony between dropout and batch normalization by variance shift*, CVPR.
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, Journal of the American Statistical Association: the interval.
# - Guo, Pleiss, Sun and Weinberger (2017), *On calibration of modern neural networks*, ICML: reliability diagrams, and why deep networks are too sure.
