# ---
# title: "Transfer learning: AlexNet to CIFAR-10"
# description: Carry ImageNet's AlexNet over to CIFAR-10, frozen and unfrozen, see which recipe fails and which helps, with controls and several seeds, and audit a training until nothing has to be believed.
# tags:
#   - pytorch
# ---

# %% [markdown]
# # Transfer learning: AlexNet to CIFAR-10
#
# You are to take an AlexNet that was trained on ImageNet, give it a new classifier, and teach it the ten classes of CIFAR-10: once with its convolutions frozen, once with all weights free, with Adam at 0.001 for five epochs. This page does the assignment, shows where it goes wrong as it is written, and measures what a better recipe gains.
#
# You need [a CNN for Fashion-MNIST](fashion_mnist.py), [convolution](../layers/convolution.py) and [optimisers](../networks/optimizers.py).

# %% tags=["hide-input"]
import base64
import copy
import importlib.util
import itertools
import math
import tempfile
import textwrap
import zlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision
from IPython.display import Markdown, display
from matplotlib.patches import Rectangle
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from nn_tutorial import holm
from nn_tutorial.data import DataNotFoundError, digits, stratified_split
from nn_tutorial.data.cifar import BATCHES, CLASSES, LABELS, cifar10_stored, find_cifar10
from nn_tutorial.data.dataset import identity, remember
from nn_tutorial.data.image_folder import read_images
from nn_tutorial.data.tree import read_tree
from nn_tutorial.pages.plots import COLORS, show, use_style
from nn_tutorial.pytorch.audit import Audit, ReadOnce, read_manifest
from nn_tutorial.pytorch.finetuning import IMAGENET, WATCHED, pixels
from nn_tutorial.pytorch.modules import BatchNorm2d, Dropout
from nn_tutorial.pytorch.networks import count_parameters
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
from nn_tutorial.pytorch.weights import FEATURES_FILE, URL, imagenet_places, load_backbone

SEED = 0
SIZE = 224  # pixels, height and width
use_style()
plt.rcParams["image.composite_image"] = False  # small pictures, each with its own pixels
ALONE = Processes(0, 1, torch.device("cpu"))

# %% tags=["remove-cell"]
def called(name, source):
    """The data's name; and that it is a JPEG copy, where it is one."""
    return f"{name} (JPEG copy)" if "JPG" in source or "JPEG" in source else name


record = read_record(Path("docs/records/transfer-imagenet.json"))
THERE = called(record["data"]["name"], record["data"]["source"])
n_train, n_val, n_test = record["data"]["sizes"]
way = {method["name"]: method for method in record["methods"]}
tests = {name: [run["test"] for run in method["runs"]] for name, method in way.items()}
acc = {name: np.array([test["accuracy"] for test in found]) for name, found in tests.items()}
mean = {name: values.mean() for name, values in acc.items()}
SEEDS = record["seeds"]
assert THERE.startswith("CIFAR-10") and "ImageNet" in record["weights"] and SEEDS == 3
assert all(len(found) == SEEDS for found in tests.values())
# What the assignment asks for, and nothing else.
assigned = way["unfrozen, as assigned"]["recipe"]
assert (assigned["epochs"], assigned["rate"], assigned["image_size"]) == (5, 0.001, SIZE)
assert not assigned["own_statistics"] and not assigned["augment"]


def rates(name):
    """A recipe's rate of the classifier, as one would write it."""
    recipe = way[name]["recipe"]
    frozen = recipe["head_epochs"] >= recipe["epochs"]
    return f"{recipe['head_rate' if frozen else 'rate']:.5f}".rstrip("0")

# %% tags=["hide-input"]
class Live(NamedTuple):
    """The pictures of the runs on this page: some of CIFAR-10, else the digits, in colour."""

    name: str
    source: str
    classes: tuple[str, ...]
    train: Images
    val: Images
    test: Images


def first_images(tree, part, each):
    """The first pictures of each class by name, as bytes, and their classes."""
    names = [name for c in CLASSES for name in tree.images(f"{part}/{c}/")[:each]]
    labels = [CLASSES.index(PurePosixPath(name).parent.name) for name in names]
    x = read_images([tree.place(name) for name in names], None)
    return x, np.array(labels), PurePosixPath(names[-1]).suffix


def find_pictures(each=40, each_test=50):
    try:
        place = find_cifar10()
    except DataNotFoundError:
        data, parts = digits(seed=SEED), []
        for part, n in (("train", 320), ("val", 80), ("test", 200)):
            x = torch.from_numpy(getattr(data, f"x_{part}")[:n]).repeat(1, 3, 1, 1)
            y = torch.from_numpy(getattr(data, f"y_{part}")[:n])
            parts.append(Images((255 * x).round().to(torch.uint8), y))
        return Live("digits", "", data.class_names, *parts)
    tree = read_tree(place)
    if place.name == BATCHES or LABELS in tree.files():  # torchvision's files, or Kaggle's
        found, stored = [], cifar10_stored()
        kind = stored.source
        for x, y, n in ((stored.x_train, stored.y_train, each),
                        (stored.x_test, stored.y_test, each_test)):
            rows = np.concatenate([np.flatnonzero(y == c)[:n] for c in range(10)])
            found.append((x[rows], y[rows]))
    else:
        *first, kind = first_images(tree, "train", each)
        *last, _ = first_images(tree, "test", each_test)
        found = [first, last]
    (x, y), (x_test, y_test) = found
    kept, held = stratified_split(y, (8 * each, 2 * each), rng=np.random.default_rng(SEED))
    name = called("CIFAR-10", kind.upper())
    remember(f"{name}, {len(y)} + {len(y_test)} pictures", identity(x, y, x_test, y_test))
    x, y, x_test, y_test = (torch.from_numpy(a) for a in (x, y, x_test, y_test))
    return Live(name, place.name, CLASSES, Images(x[kept], y[kept]), Images(x[held], y[held]),
                Images(x_test, y_test))


def find_weights():
    """ImageNet's convolutions if a file of them lies in the data folder, else random ones."""
    path = next((place for place in imagenet_places() if place.is_file()), None)
    origin = "random" if path is None else "imagenet"
    torch.manual_seed(SEED)
    with torch.device("cpu" if path is None else "meta"):  # no numbers for what is replaced
        model = torchvision.models.alexnet(weights=None)
    if path is not None:
        model.features.to_empty(device="cpu")
    backbone = load_backbone(model, origin, path)
    if path is not None:
        remember("AlexNet's convolutions, trained on ImageNet", backbone.sha256)
    return backbone, model.features.state_dict()


live = find_pictures()
backbone, borrowed = find_weights()
HERE, PHOTOS, PRETRAINED = live.name, live.name != "digits", backbone.origin == "imagenet"
assert not PRETRAINED or backbone.sha256 == record["weights_sha256"]

# %% tags=["remove-input"]
about = (
    f"The trainings that the verdicts rest on were **recorded**: {len(way)} ways, {SEEDS} seeds each, "
    f"most with all {n_train:,} training pictures of {THERE}, {record['weights']}, on one "
    f"{record['device']} in {record['precision']}. The photographs were saved once more as JPEG, so compare no number from "
    "them with a published one."
)
lacking = [
    text
    for there, text in (
        (PHOTOS, f"CIFAR-10 was not found, so the short runs are of **{HERE}**: grey handwritten "
         f"digits, enlarged from 8×8 to {SIZE}×{SIZE} pixels. "
         "`python -m nn_tutorial.data download cifar10` fetches the photographs."),
        (PRETRAINED, "ImageNet's weights were not found, so the convolutions of the short runs are "
         f"**random**: put `{FEATURES_FILE}` or torchvision's `{Path(URL).name}` into the data folder."),
    )
    if not there
]
if lacking:
    box = (f'!!! warning "What ran when this page was built"\n    {" ".join(lacking)} The folder is '
           f"that of `NN_TUTORIAL_DATA`.\n\n    {about}")
else:
    box = (f'!!! info "Two kinds of numbers on this page"\n    {about} The short runs happened when '
           f"this page was built, on at most {len(live.train.x)} training pictures of {HERE} and with "
           "the same weights. Each number says which it is.")
display(Markdown(box))

# %% tags=["hide-input"]
GROUPS = {  # all weights free, frozen, controls, small pictures
    ("orange", "s"): ["flips and shifts, longer", "flips and shifts", "unfrozen", "discriminative",
                      "head first", "gradual", "unfrozen, as assigned"],
    ("blue", "o"): ["frozen", "frozen, as assigned", "linear probe"],
    ("purple", "D"): ["scratch", "frozen, random"],
    ("green", "^"): ["unfrozen, 64 pixels", "linear probe, 64 pixels"],
}
fig, ax = plt.subplots(figsize=(5.3, 4.6))
place, ticks = 0.0, {}
for (color, marker), names in GROUPS.items():
    for name in names:
        ax.plot(100 * acc[name], [place] * SEEDS, marker, color=COLORS[color], markersize=4, alpha=0.7)
        ax.text(100 * acc[name].max() + 1.5, place, f"{100 * mean[name]:.1f}", va="center",
                fontsize=9, color=COLORS[color])
        ticks[name] = place
        place += 1
    place += 0.6
ax.axvline(10, color=COLORS["muted"], linestyle=":", linewidth=1.2)
ax.text(11, 2.5, "guessing", color=COLORS["muted"], fontsize=9)
ax.set_yticks([*ticks.values()], [*ticks])
ax.set(ylim=(place - 0.4, -0.8), xlim=(0, 100), xlabel="test accuracy (%)",
       title=f"{THERE}, three seeds each")
ax.grid(visible=False, axis="y")
show(
    fig,
    name="ways",
    alt="Test accuracies, a point for each seed. Means: "
    + ", ".join(f"{name} {mean[name]:.1%}" for name in ticks) + ".",
    caption=(
        f"What this page finds. Recorded: {THERE}, {n_test:,} test pictures, ImageNet's weights but for the "
        "controls; the number is the mean. With all weights free, the assigned recipe is the worst "
        "and one seed of it fails; with a smaller rate the same network beats the frozen one."
    ),
)

# %% [markdown]
# ## The assignment, as you hand it in
#
# The network: torchvision's AlexNet, its convolutions as they are, its classifier replaced by three linear layers, 9216 → 4096 → 1024 → 10.

# %%
def transferred(*, freeze, seed=SEED):
    """AlexNet with borrowed convolutions and a new classifier."""
    torch.manual_seed(seed)
    # With a network you would write weights="IMAGENET1K_V1" here.
    net = torchvision.models.alexnet(weights=None)
    net.features.load_state_dict(borrowed)
    net.features.requires_grad_(not freeze)
    net.classifier = nn.Sequential(
        nn.Dropout(0.5), nn.Linear(9216, 4096), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(4096, 1024), nn.ReLU(),
        nn.Linear(1024, 10),
    )
    return net


frozen_net, free_net = transferred(freeze=True), transferred(freeze=False)
trainable = count_parameters(frozen_net, trainable=True)
total = count_parameters(free_net, trainable=True)
print(f"frozen:   {trainable:,} of {total:,} are trained")
print(f"unfrozen: {total:,}")

# %% tags=["remove-cell"]
assert (trainable, total) == (41_958_410, 44_428_106)
for name in ("frozen, as assigned", "unfrozen, as assigned"):
    wanted = trainable if name.startswith("frozen") else total
    assert all((run["trained"], run["parameters"]) == (wanted, total) for run in way[name]["runs"])

# %% [markdown]
# **{{ f"{trainable:,}" }}** and **{{ f"{total:,}" }}**: print these before you train. If the first number is the second, you forgot to freeze.
#
# The loop: one function for training and validation, with the mode and the gradients switched on and off together.

# %%
def one_pass(net, loader, optimiser=None):
    """Go through the pictures once; return mean loss and accuracy."""
    net.train(optimiser is not None)
    loss_sum = right = 0
    with torch.set_grad_enabled(optimiser is not None):
        for x, t in loader:
            z = net(x)
            loss = functional.cross_entropy(z, t)
            if optimiser is not None:
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            loss_sum += loss.item() * len(t)
            right += (z.argmax(1) == t).sum().item()
    return loss_sum / len(loader.dataset), right / len(loader.dataset)


def fit(net, training, validation, *, epochs=5, rate=0.001, batch=40):
    """Train with Adam; return the losses and accuracies of each epoch."""
    torch.manual_seed(SEED)  # of the order and of dropout
    asked = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(asked, lr=rate, fused=True)
    loader = DataLoader(training, batch, shuffle=True)
    checking = DataLoader(validation, batch)
    return [
        (*one_pass(net, loader, optimiser), *one_pass(net, checking))
        for _ in range(epochs)
    ]

# %% [markdown]
# The pictures: from bytes to numbers between 0 and 1, normalised with **ImageNet's** statistics, since that is what the weights have seen, and enlarged to {{ SIZE }}×{{ SIZE }} pixels, for which the network was made:

# %%
def prepared(x):
    """Pictures as AlexNet wants them; x holds bytes, (N, 3, H, W)."""
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    x = (x / 255 - mean) / std
    return functional.interpolate(x, size=(224, 224), mode="bilinear")

# %% tags=["remove-cell"]
assert torch.allclose(prepared(live.test.x[:2]), pixels(live.test.x[:2], IMAGENET, SIZE), atol=1e-5)

# %% [markdown]
# `fit(transferred(freeze=True), …)` and `fit(transferred(freeze=False), …)` with the {{ f"{n_train:,}" }} and {{ f"{n_val:,}" }} pictures of an 80/20 split are the two runs of the assignment. Before you start the first, read on: you can have it in a fraction of the time.
#
# ### Shapes
#
# | Symbol | In code | Shape | Meaning |
# |---|---|---|---|
# | $X$ | `x` | $(N, 3, H, W)$ | pictures, {{ SIZE }}×{{ SIZE }} pixels |
# | $t$ | `t` | $(N)$ | the class of each picture, 0 to 9 |
# | $X_\ell$ | | its own | what comes out of layer $\ell$; $X_0 = X$ |
# | $\theta_\ell$ | | its own | weights and biases of layer $\ell$ |
# | $m_\ell$ | `work` | one number | multiplications of layer $\ell$, forward, one picture |
# | $Z$ | `z` | $(N, 10)$ | scores (logits), $X_8$ |

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
        model.eval()(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return rows


table = layers_of(free_net, SIZE)
numbers, work = (np.array([row[i] for row in table]) for i in (2, 3))
display(Markdown(
    "| Layer | Output | Parameters | Multiplications |\n|---|---|---|---|\n"
    + "\n".join(f"| {a} | {'×'.join(map(str, b))} | {c:,} | {d:,} |" for a, b, c, d in table)
    + f"\n| total | | **{numbers.sum():,}** | **{work.sum():,}** |"
))
assert (total, trainable) == (numbers.sum(), numbers[5:].sum())
conv, head = work[:5].sum(), work[5:].sum()
work_64 = np.array([row[3] for row in layers_of(free_net, 64)])
assert (work_64[5:] == work[5:]).all()

# %% [markdown]
# The two columns are opposites. The convolutions hold {{ f"{numbers[:5].sum() / total:.1%}" }} of the parameters and do {{ f"{conv / work.sum():.0%}" }} of the multiplications.
#
# ## Frozen: each picture passes the convolutions once
#
# Frozen convolutions give the same 9216 numbers for a picture in every epoch, as long as the picture is not changed at random. So let each picture pass once, keep what comes out, and train the classifier on that ([@donahue2014] worked with a trained network's features in this way). `one_pass` need not change; it gets `net.classifier` and other inputs:

# %%
def features(net, x):
    """What the convolutions make of pictures, (N, 9216)."""
    net.eval()
    with torch.inference_mode():
        parts = [
            net.avgpool(net.features(prepared(part))).flatten(1)
            for part in x.split(50)
        ]
    return torch.cat(parts).clone()


rng = np.random.default_rng(SEED)
rows, checks = stratified_split(live.train.y.numpy(), (80, 20), rng=rng)
(tested,) = stratified_split(live.test.y.numpy(), (50,), rng=rng)
training, validation, test = (
    TensorDataset(features(frozen_net, part.x[chosen]), part.y[chosen])
    for part, chosen in (
        (live.train, rows), (live.train, checks), (live.test, tested)
    )
)
history = fit(frozen_net.classifier, training, validation)
torch.manual_seed(SEED)
probe = nn.Linear(9216, 10)
fit(probe, training, validation, epochs=20)
print(f"{len(rows)} pictures to learn from, {len(test)} to test")
for net in (frozen_net.classifier, probe):
    loss, right = one_pass(net, DataLoader(test, 50))
    print(f"{type(net).__name__:<11}{right:.0%} right")

# %% tags=["remove-cell"]
whole = frozen_net(prepared(live.test.x[tested[:2]]))
assert torch.allclose(whole, frozen_net.classifier(test.tensors[0][:2]), atol=1e-3)
assert right > (0.25 if PHOTOS and PRETRAINED else 0.12)  # of the one layer


def passes(times):
    """Multiplications of five epochs on the recorded sizes, frozen."""
    learn = 2 * work[5] + 3 * work[6:].sum()
    epochs = assigned["epochs"]
    return (n_train + n_val) * conv * times + epochs * (n_train * learn + n_val * head)


saving = passes(assigned["epochs"]) / passes(1)
minutes = (n_train + n_val) * conv / 3e10 / 60
stored_gb = 2 * 9216 * (n_train + n_val) / 1e9
seconds = {name: np.median([run["seconds"] for run in way[name]["runs"]]) for name in way}
assert 0.5 < seconds["linear probe"] < 1.5 < seconds["frozen, as assigned"]

# %% [markdown]
# These two ran when the page was built, on {{ HERE }} with {{ "ImageNet's" if PRETRAINED else "random" }} convolutions{{ "" if PHOTOS and PRETRAINED else ", which shows that the code runs, and no more" }}.
#
# **The counts.** In five epochs the plain loop sends {{ f"{assigned['epochs'] * (n_train + n_val):,}" }} pictures through the convolutions, training and validation together; the cached run sends {{ f"{n_train + n_val:,}" }}. With the classifier's work added, it does {{ f"{saving:.1f}" }} times fewer multiplications. A core that manages $3 \cdot 10^{10}$ multiplications per second has the features in about {{ f"{minutes:.0f}" }} minutes, and as float16 they take {{ f"{stored_gb:.1f}" }} GB. `scripts/train_transfer.py --cached` stores them in a file, and the next classifier takes them from there. On the recorded GPU five epochs took {{ f"{seconds['linear probe']:.0f}" }} second for one layer, {{ f"{seconds['frozen, as assigned']:.0f}" }} for three, and {{ f"{seconds['unfrozen, as assigned']:.0f}" }} with all weights free. (That is training alone, without the pass through the convolutions and without evaluation.)
#
# ### The recorded frozen runs

# %% tags=["remove-input"]
def spread(name):
    """The mean accuracy over the seeds, and from where to where they go."""
    values = acc[name]
    return f"{values.mean():.1%} ({values.min():.1%} to {values.max():.1%})"


def recipe_table(recipes):
    """A table of recipes: name in the record, and what it is."""
    return "| | rate | tried | test accuracy, mean (seeds) | test loss |\n|---|---|---|---|---|\n" + "\n".join(
        f"| {text} | {rates(name)} | {len(way[name]['candidates'])} | {spread(name)} | "
        f"{np.mean([test['loss'] for test in tests[name]]):.2f} |" for name, text in recipes.items()
    )


display(Markdown(recipe_table({
    "linear probe": "linear probe, 9216 → 10",
    "frozen, as assigned": "three layers, as assigned",
    "frozen": "three layers, rate searched",
})))
ratio = way["frozen"]["runs"][0]["trained"] / way["linear probe"]["runs"][0]["trained"]
gain = 100 * (acc["frozen"] - acc["linear probe"])
assert (gain > 1).all() and gain.mean() < 2.5

# %% [markdown]
# All on {{ THERE }}, {{ SIZE }}×{{ SIZE }} pixels, ImageNet's weights and pixel statistics, {{ f"{n_test:,}" }} test pictures; the loss is in nats. **Tried** counts the rates that were tried with one seed; the best on validation was trained with {{ SEEDS }} seeds, and each of these networks saw the test pictures once. A linear probe is one linear layer on frozen features, the cheapest transfer there is. Three layers with {{ f"{ratio:.0f}" }} times as many weights beat it by {{ f"{gain.mean():.1f}" }} points. **The assigned rate is fine as long as the convolutions are frozen.**

# %% [markdown]
# ## Unfrozen: the same rate can destroy the network
#
# Now all weights are free, with the same Adam at 0.001. These three trainings differ only in their seed:

# %%
for run in way["unfrozen, as assigned"]["runs"]:
    held = [f"{100 * e['val_accuracy']:5.1f}" for e in run["epochs"]]
    score = 100 * run["test"]["accuracy"]
    print(f"seed {run['seed']}: validation", *held, f" test {score:.1f}")
score = 100 * mean["frozen, as assigned"]
print(f"frozen, as assigned, mean of the seeds:    test {score:.1f}")

# %% tags=["remove-cell"]
lost, *saved = acc["unfrozen, as assigned"]
assert abs(lost - 0.1) < 1e-6 and max(saved) < mean["scratch"] < mean["frozen, as assigned"]
steps = -(-n_train // assigned["batch_size"])
(tenth,) = (c["val_accuracy"] for c in way["discriminative"]["candidates"]
            if (c["rate"], c["backbone"]) == (0.001, 0.1))
assert tenth > mean["frozen"]
last = {
    name: {part: np.mean([run["epochs"][-1][f"{part}_accuracy"] for run in way[name]["runs"]])
           for part in ("train", "fit", "val")}
    for name in way
}
for name in ("frozen, as assigned", "unfrozen"):
    assert last[name]["fit"] > last[name]["val"] + 0.08
assert 0 < last["frozen, as assigned"]["train"] - last["frozen, as assigned"]["val"] < 0.025

# %% tags=["hide-input"]
LINES = {
    "train": ("blue", "-", "training, with dropout"),
    "fit": ("green", ":", "training, evaluation mode"),
    "val": ("orange", "--", "validation"),
}
SHOWN = {
    "frozen, as assigned": "frozen, 0.001", "unfrozen, as assigned": "unfrozen, 0.001",
    "unfrozen": f"unfrozen, {rates('unfrozen')}",
}
fig, axes = plt.subplots(2, 3, figsize=(5.4, 4.6), sharex=True, sharey="row")
for column, (name, title) in zip(axes.T, SHOWN.items()):
    for ax, measure, unit in zip(column, ("loss", "accuracy"), (1, 100)):
        for run, (part, (color, style, text)) in itertools.product(way[name]["runs"], LINES.items()):
            values = [unit * e[f"{part}_{measure}"] for e in run["epochs"]]
            ax.plot(range(1, len(values) + 1), values, style, color=COLORS[color], linewidth=1.4,
                    label=text if run["seed"] == 0 else None)
    column[0].set_title(title, fontsize=9.5)
    column[1].set(xlabel="epoch", xticks=range(1, 6))
axes[0, 0].set_ylabel("loss (nats)")
axes[1, 0].set_ylabel("accuracy (%)")
axes[1, 1].text(3, 14, "seed 0", ha="center", fontsize=9)
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncol=2,
           labelcolor="linecolor")
show(
    fig,
    name="curves",
    alt=(
        "Loss above, accuracy below, over five epochs, three seeds each. Frozen: validation flat "
        f"near {last['frozen, as assigned']['val']:.0%}. Unfrozen at 0.001: two seeds climb slowly, one stays at {lost:.0%} from "
        f"first to last. Unfrozen at {rates('unfrozen')}: validation near {last['unfrozen']['val']:.0%}, training near "
        f"{last['unfrozen']['fit']:.0%}."
    ),
    caption=(
        f"Recorded, {THERE}, three seeds in each panel. In the middle, at the assigned rate, two seeds "
        "begin far below the frozen network and climb slowly, and one never gets beyond guessing. On "
        "the right is the same network at a smaller rate."
    ),
)

# %% [markdown]
# One seed ends at {{ f"{lost:.0%}" }}, which is guessing; its loss stays at $\ln 10$. The others end at {{ f"{min(saved):.1%}" }} and {{ f"{max(saved):.1%}" }}: **behind the frozen network, and behind a training from scratch** ({{ f"{mean['scratch']:.1%}" }}, [below](#does-anything-transfer-two-controls)). Nothing in the code is wrong. If you run the assignment once and it fails, you have made no mistake: you drew a bad seed of a bad recipe.
#
# Adam's first step moves every weight by the learning rate, however small its gradient, and {{ steps }} steps make an epoch. Which weights cannot take that? One of the candidates below kept 0.001 for the classifier and gave the convolutions a tenth of it: {{ f"{tenth:.1%}" }} on validation. So it is the convolutions that cannot.
#
# The green lines show whether the networks overfit. *Under dropout*, the frozen run's training accuracy ends at {{ f"{last['frozen, as assigned']['train']:.1%}" }}, hardly above its {{ f"{last['frozen, as assigned']['val']:.1%}" }} on validation, as if little were learnt by heart. In evaluation mode it is {{ f"{last['frozen, as assigned']['fit']:.0%}" }} (on {{ f"{WATCHED:,}" }} of the training pictures). For the unfrozen run at {{ rates("unfrozen") }} it is {{ f"{last['unfrozen']['fit']:.0%}" }}, against {{ f"{last['unfrozen']['val']:.0%}" }} on validation. Both overfit.
#
# ### As a practitioner would
#
# Every recipe below begins with ImageNet's weights and trains all of them, chosen and tested as above:

# %% tags=["remove-input"]
WHAT = {
    "unfrozen, as assigned": "Adam 0.001 everywhere",
    "unfrozen": "a smaller rate everywhere",
    "discriminative": "discriminative rates: half the rate with each layer towards the pixels",
    "head first": "two epochs of the classifier alone, then everything, with a falling rate",
    "gradual": "one more convolution with each epoch, from the last to the first",
    "flips and shifts": "mirrored and shifted pictures, 15 epochs, halved and falling rates",
    "flips and shifts, longer": "the same for 30 epochs, factor 0.7 instead of a half",
}
recipe = {name: way[name]["recipe"] for name in WHAT}
assert recipe["discriminative"]["decay"] == recipe["flips and shifts"]["decay"] == 0.5
assert recipe["head first"]["head_epochs"] == 2 and recipe["head first"]["cosine"]
assert recipe["gradual"]["gradual"] and recipe["gradual"]["head_epochs"] == 1
assert recipe["flips and shifts"]["epochs"] == 15
longer = recipe["flips and shifts, longer"]
assert (longer["epochs"], longer["decay"]) == (30, 0.7)
AIM = 0.91
assert max(mean, key=mean.get) == "flips and shifts, longer" and max(mean.values()) < AIM
display(Markdown(recipe_table(WHAT)))
assert mean["unfrozen, as assigned"] == min(mean[name] for name in WHAT)
assert all(mean[name] < mean["unfrozen"] for name in ("discriminative", "head first", "gradual"))
loss_of = {name: np.mean([test["loss"] for test in tests[name]]) for name in WHAT}
assert loss_of["flips and shifts, longer"] > loss_of["flips and shifts"] == min(loss_of.values())
assert acc["flips and shifts"].min() > max(acc[name].max() for name in WHAT if "flips" not in name)

# %% [markdown]
# The first gain needs nothing but a smaller rate: {{ f"{mean['unfrozen']:.1%}" }}, against {{ f"{mean['frozen']:.1%}" }} frozen. Discriminative rates and gradual unfreezing ([@howard2018]) or the classifier first ([@kumar2022]: behind a random classifier, good features are distorted) do no better here. Mirrored and shifted pictures reach {{ f"{mean['flips and shifts']:.1%}" }}. That recipe also trains longer and lets its rates fall, so the gain belongs to the recipe, not to the flips alone.
#
# Read the last line with care. Its recipe was thought of after test results of other lines were known, and it was not tuned. Next to the line above, it gains little accuracy, and its test loss is larger; [](#reliability) shows why. We had aimed at {{ f"{AIM:.0%}" }}, and did not get there.

# %% [markdown]
# ## Does anything transfer? Two controls
#
# {{ f"{mean['frozen']:.0%}" }} with frozen features sounds like transfer. Two runs tell whether it is. **Scratch**: the same network from random weights, all of them trained, its rate searched. **Frozen, random**: convolutions that were never trained, and the classifier on top ([@yosinski2014] had this control). A classifier of {{ f"{trainable / 1e6:.0f}" }} million numbers can do something with *any* features.

# %% tags=["remove-cell"]
by_itself = (mean["frozen, random"] - 0.1) / (mean["frozen"] - 0.1)
lead = 100 * (mean["frozen"] - mean["scratch"])
assert 0.5 < by_itself < 0.65 and (acc["frozen"].min() > acc["scratch"].max())

# %% [markdown]
# Both controls, purple in [](#ways), teach something. ImageNet's frozen features are {{ f"{lead:.1f}" }} points *ahead* of training from scratch with all {{ f"{n_train:,}" }} labels, in five epochs each. And {{ f"{by_itself:.0%}" }} of the distance between guessing and "frozen" is covered by convolutions that have never seen a picture. Without that control, all of it would be put down to ImageNet.
#
# Scratch had five epochs. Given more time and mirrored pictures it would come closer ([@he2019] saw that in object detection). That run was not made, and so this page does not say by how much.
#
# ### How sure is that?
#
# Two doubts. *Would another seed give the same?* The points in [](#ways) show three. *Would other test pictures?* All networks answered the same {{ f"{n_test:,}" }}, and the record keeps every answer, so only the pictures on which two networks differ count. Of those, let $b$ be right for the first network only, and $c$ for the second only. If the two were equally good, $b$ would be a count of heads among $b + c$ tosses of a coin. That is McNemar's test ([@mcnemar1947]), here in its exact form:

# %%
def wrong(name, seed):
    """Which test pictures a recorded network got wrong, (10000,)."""
    packed = base64.b64decode(tests[name][seed]["answers"])
    return np.frombuffer(zlib.decompress(packed), np.uint8) > 0


def mcnemar(first, second):
    """The p-value of two networks' mistakes, two-sided and exact."""
    b, c = int((second & ~first).sum()), int((first & ~second).sum())
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1))
    return min(1.0, 2 * tail / 2 ** (b + c))

# %% tags=["remove-input"]
PAIRS = [
    ("frozen", "frozen, random"), ("frozen", "scratch"), ("frozen", "linear probe"),
    ("unfrozen", "frozen"), ("unfrozen", "unfrozen, as assigned"), ("unfrozen", "discriminative"),
    ("unfrozen", "head first"), ("unfrozen", "gradual"), ("flips and shifts", "unfrozen"),
    ("flips and shifts, longer", "flips and shifts"),
    ("linear probe, own statistics", "linear probe"),
    ("frozen, 1,000 labels", "scratch, 1,000 labels"),
    ("frozen, 1,000 labels", "linear probe, 1,000 labels"),
    ("unfrozen, 1,000 labels", "frozen, 1,000 labels"),
]
assert mcnemar(np.arange(9) < 5, np.zeros(9, bool)) == 2 / 32
assert np.allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
for name in way:
    for seed in range(SEEDS):
        assert np.isclose(1 - wrong(name, seed).mean(), acc[name][seed])
adjusted = holm([mcnemar(wrong(a, seed), wrong(b, seed)) for a, b in PAIRS for seed in range(SEEDS)])
apart = dict(zip(PAIRS, (adjusted.reshape(-1, SEEDS) < 0.05).sum(1)))
differences = {pair: 100 * (acc[pair[0]] - acc[pair[1]]) for pair in PAIRS}
display(Markdown(
    f"| First | second | first minus second, points, seeds 0, 1, 2 | told apart, of {SEEDS} |\n|---|---|---|---|\n"
    + "\n".join(
        f"| {a} | {b} | " + ", ".join(f"{d:+.1f}".replace("-", "−") for d in differences[a, b])
        + f" | {apart[a, b]} |" for a, b in PAIRS)
))
sure = [("frozen", "frozen, random"), ("frozen", "scratch"), ("frozen", "linear probe"),
        ("unfrozen", "frozen"), ("unfrozen", "unfrozen, as assigned"),
        ("flips and shifts", "unfrozen"), ("frozen, 1,000 labels", "scratch, 1,000 labels")]
assert all(apart[pair] == SEEDS for pair in sure)
open_pairs = [("unfrozen", "discriminative"), ("unfrozen", "head first"),
              ("flips and shifts, longer", "flips and shifts")]
assert all(apart[pair] < SEEDS and abs(differences[pair].mean()) < 1.3 for pair in open_pairs)
own = ("linear probe, own statistics", "linear probe")
assert apart[own] == 0 and np.abs(differences[own]).max() < 0.4
(own_val,) = (c["val_accuracy"] for c in way["unfrozen, own statistics"]["candidates"])
(same_val,) = (c["val_accuracy"] for c in way["unfrozen"]["candidates"]
               if c["rate"] == way["unfrozen, own statistics"]["recipe"]["rate"])
edges, searched = [], 0
for name, method in way.items():
    by_value = {v: c["val_accuracy"] for c in method["candidates"] for k, v in c.items()
                if k in ("rate", "head_rate") and len(c) == 2}
    if len(by_value) > 1:
        searched += 1
        if max(by_value, key=by_value.get) in (min(by_value), max(by_value)):
            edges.append(name)
assert len(edges) > searched / 2

# %% [markdown]
# The table holds {{ len(PAIRS) }} comparisons at {{ SEEDS }} seeds, {{ len(adjusted) }} tests. Among so many, one or two fall below 0.05 by chance. Holm's correction ([@holm1979]) pays for that: the smallest p-value is multiplied by {{ len(adjusted) }}, the next by {{ len(adjusted) - 1 }}, and so on. "Told apart" counts the seeds in which the corrected value is below 0.05.
#
# **What is firm:** three layers on frozen features beat scratch, random features and the probe; a smaller rate beats the assigned one; unfrozen at that rate beats frozen; flips and shifts beat the plain small rate. **What is open:** whether discriminative rates or the classifier first differ from the plain small rate, and whether 30 epochs are better than 15. **Own or ImageNet's pixel statistics:** {{ f"{mean['linear probe, own statistics']:.1%}" }} and {{ f"{mean['linear probe']:.1%}" }} for the probe. At most {{ f"{np.abs(differences[own]).max():.1f}" }} points lie between them in any seed, and no seed tells them apart. (Unfrozen, at the one rate that both tried, validation has {{ f"{own_val:.1%}" }} and {{ f"{same_val:.1%}" }}, with one seed.)
#
# One more warning. Of {{ searched }} searches over the rate alone, {{ len(edges) }} ended at an edge of what was tried: {{ "; ".join(f"*{name}*" for name in edges) }}. A wider search might do better there.

# %% [markdown]
# ## With 1,000 labels
#
# Transfer is most wanted where labels are few. The same with 1,000 training pictures, equally many from each class, 20 epochs in batches of 64, rates searched anew:

# %% tags=["remove-input"]
FEW = {"linear probe": "linear probe", "frozen": "frozen", "unfrozen": "unfrozen",
       "head first": "head first, then all", "scratch": "scratch"}
few = {name: f"{name}, 1,000 labels" for name in FEW}
few_n = way[few["frozen"]]["recipe"]["images"]
assert all(way[name]["recipe"]["images"] == few_n == 1000 for name in few.values())
assert all(way[name]["recipe"]["epochs"] == 20 for name in few.values())
assert all(way[name]["recipe"]["batch_size"] == 64 for name in few.values())
display(Markdown(
    f"| Test accuracy, mean (seeds) | {few_n:,} labels | {n_train:,} labels |\n|---|---|---|\n"
    + "\n".join(f"| {text} | {spread(few[name])} | {spread(name)} |" for name, text in FEW.items())
))
low, high = (f(mean[name] for key, name in few.items() if key != "scratch") for f in (min, max))
assert high - low < 0.02 and low - mean[few["scratch"]] > 0.2
by_heart = np.mean([run["epochs"][-1]["fit_accuracy"] for run in way[few["unfrozen"]]["runs"]])
assert by_heart > 0.999
loss_few = {name: np.mean([test["loss"] for test in tests[few[name]]]) for name in FEW}
assert loss_few["frozen"] == min(loss_few.values())

# %% [markdown]
# Here transfer earns its keep: {{ f"{low:.0%}" }} to {{ f"{high:.0%}" }} against {{ f"{mean[few['scratch']]:.0%}" }} from scratch. How you fine-tune hardly matters. Set free, the network knows its {{ f"{few_n:,}" }} pictures by heart ({{ f"{by_heart:.1%}" }} in evaluation mode) and gains nothing on the test that three seeds could show. Frozen has the smallest test loss, {{ f"{loss_few['frozen']:.2f}" }} against {{ f"{loss_few['unfrozen']:.2f}" }} unfrozen, so its probabilities are worth more. With so few labels, freeze.
#
# ## Small pictures: 36 equal inputs
#
# CIFAR-10 has 32×32 pixels. Must they be enlarged to {{ SIZE }}? At 64×64 the convolutions do {{ f"{conv / work_64[:5].sum():.0f}" }} times less work. They also deliver 1×1 instead of 6×6, and AlexNet's adaptive average pool *repeats* each number 36 times to fill the grid that the classifier expects:

# %%
small_x = pixels(live.train.x[rows], IMAGENET, 64)
with torch.inference_mode():
    maps = free_net.eval().features(small_x)
    grid = free_net.avgpool(maps)
inputs, distinct = grid.flatten(1).clone(), maps.flatten(1).clone()
print("convolutions:", tuple(maps.shape[1:]))
print("pooled:      ", tuple(grid.shape[1:]))
assert (grid == maps).all()  # one number, 36 times

# %% tags=["remove-cell"]
try:
    enough = free_net.features(torch.zeros(1, 3, 62, 62)).numel() > 0
except RuntimeError:  # a pool finds nothing left
    enough = False
assert not enough and free_net.features(torch.zeros(1, 3, 63, 63)).shape[1:] == (256, 1, 1)

# %% [markdown]
# The 36 weights that meet the same number act as one, their sum $\tilde w = \sum_k w_k$. Nothing complains, and the parameter count does not show it. Is it harmless? The beginning is: PyTorch draws each weight so small that the sum of 36 spreads as a weight of a layer with 256 inputs should. The steps are not. All 36 have the same gradient, and **Adam moves each of them by about the learning rate, whatever the gradient. So their sum moves 36 times as far.** A rate of 0.001 acts like 0.036.
#
# You can see that exactly. Here are a linear probe on the 9216 inputs, and one on the 256 distinct ones that begins with the summed weights:

# %%
def learn(layer, x, rate, steps=20):
    """Train one layer on all pictures at once; return the losses."""
    adam, losses = torch.optim.Adam(layer.parameters(), lr=rate), []
    for _ in range(steps):
        loss = functional.cross_entropy(layer(x), live.train.y[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


torch.manual_seed(SEED)
copies, folded = (nn.Linear(n, 10, bias=False) for n in (9216, 256))
with torch.no_grad():
    folded.weight.copy_(copies.weight.reshape(10, 256, 36).sum(2))
spread_256 = (folded.weight.std() / nn.Linear(256, 10).weight.std()).item()
calm = copy.deepcopy(folded)
curves = {
    "9216 inputs, rate 0.001": learn(copies, inputs, 0.001),
    " 256 inputs, rate 0.036": learn(folded, distinct, 0.036),
    " 256 inputs, rate 0.001": learn(calm, distinct, 0.001),
}
for text, losses in curves.items():
    print(text, *(f"{losses[i]:5.2f}" for i in (0, 1, 2, 5, 19)))

# %% tags=["remove-cell"]
one, two, three = curves.values()
assert np.allclose(one, two, rtol=1e-4) and one[-1] < three[-1] - 0.1
assert abs(spread_256 - 1) < 0.1
by_rate = {
    name: {c["head_rate"]: c["val_accuracy"] for c in way[name]["candidates"]}
    for name in ("linear probe", "linear probe, 64 pixels")
}
large, little_ones = by_rate.values()
cost = {size: 100 * (v[0.0001] - v[0.001]) for size, v in ((SIZE, large), (64, little_ones))}
assert cost[64] > 8 and abs(cost[SIZE]) < 1
older = {
    name: read_record(Path(f"docs/records/cifar10-{name}.json"))
    for name in ("frozen", "unfrozen", "scratch", "frozen-1000")
}
source = read_record(Path("docs/records/alexnet-cifar100.json"))
assert all((run["plan"]["lr"], run["plan"]["image_size"]) == (0.001, 64) for run in older.values())
assert older["frozen"]["weights_sha256"] == source["backbone_sha256"]
old = {name: run["test"]["accuracy"] for name, run in older.items()}
first_loss = older["frozen-1000"]["epochs"][0]["train_loss"]
assert old["frozen"] < old["scratch"] and first_loss > 9

# %% [markdown]
# The first two lines are one training, to rounding: 9216 inputs at 0.001 are 256 inputs at 0.036.{{ f" The loss first climbs from {one[0]:.1f} to {max(one):.1f}." if max(one) > 1.2 * one[0] else "" }} The third is what the rate was meant to be.
#
# The record shows what it costs. Validation accuracy of the probe on {{ THERE }}, ImageNet's weights, one seed:

# %% tags=["remove-input"]
display(Markdown(
    "| Learning rate | " + " | ".join(f"{rate:.5f}".rstrip("0") for rate in large) + " |\n"
    + "|---" * (1 + len(large)) + "|\n"
    + "\n".join(f"| {size}×{size} pixels | " + " | ".join(f"{v:.1%}" for v in values.values()) + " |"
                for size, values in ((SIZE, large), (64, little_ones)))
))

# %% [markdown]
# At {{ SIZE }} pixels the rate hardly matters; at 64 the assigned one loses {{ f"{cost[64]:.0f}" }} points, and the smallest that was tried is the best, so a smaller one may be better still. Use the 256 numbers, or divide the rate by 36. And enlarge the pictures if you can: the best at 64 pixels is {{ f"{mean['unfrozen, 64 pixels']:.1%}" }} unfrozen and {{ f"{mean['linear probe, 64 pixels']:.1%}" }} for the probe.
#
# **How it misleads.** Older records of this book had 64 pixels, convolutions trained on {{ source["data"]["name"] }}, one seed, and 0.001 for every run. Frozen has {{ f"{old['frozen']:.1%}" }} there, scratch {{ f"{old['scratch']:.1%}" }}, unfrozen {{ f"{old['unfrozen']:.1%}" }}. It is tempting to conclude that the borrowed features are too poor. That does not follow. All of these runs read equal inputs at 36 times their rate, and no rate was searched for any of them: the numbers compare recipes, not features. (With 1,000 labels, frozen, the mean loss in the first epoch was {{ f"{first_loss:.1f}" }} nats, where guessing has $\ln 10 \approx 2.3$.) **Before you blame the features, search the rate of each run you compare.**

# %% [markdown]
# ## Looking inside
#
# ### The first filters

# %% tags=["hide-input"]
first_layer = borrowed["0.weight"].permute(0, 2, 3, 1).numpy()
tiles = (first_layer - first_layer.min((1, 2, 3), keepdims=True)) / np.ptp(
    first_layer, axis=(1, 2, 3), keepdims=True)
canvas = np.ones((4 * 12 + 1, 16 * 12 + 1, 4)) * (1, 1, 1, 0)  # clear between the filters
for i, tile in enumerate(tiles):
    y, x = 1 + 12 * (i // 16), 1 + 12 * (i % 16)
    canvas[y : y + 11, x : x + 11] = np.dstack([tile, np.ones((11, 11))])
fig, ax = plt.subplots(figsize=(5.4, 1.8))
ax.imshow(canvas, interpolation="none")
ax.set_title(f"64 filters, 11×11 pixels, {'ImageNet' if PRETRAINED else 'random: no weights found'}")
ax.axis("off")
show(
    fig,
    name="filters",
    alt=(
        "64 small colour pictures in four rows. " + (
            "Many are stripes at one angle and one width, some are blobs of two opposite colours."
            if PRETRAINED else "All are coloured noise.")
    ),
    caption=(
        ("The first convolution as it comes from ImageNet, each filter with its own scale. Stripes "
         "of all angles, and blobs of opposite colours: edges and colours, useful for any photograph.")
        if PRETRAINED else
        ("**ImageNet's weights were not found when this page was built**, so these are the random "
         "filters from which a training from scratch begins. There is nothing to see in them yet.")
    ),
)

# %% tags=["remove-cell"]
PARTS, MACHINES = 50, ("airplane", "automobile", "ship", "truck")
label = live.test.y.numpy()
machine = np.isin(label, [i for i, c in enumerate(live.classes) if c in MACHINES])

# %% [markdown]
# ### A map of the features
#
# Do pictures of one class lie close together before any classifier has learnt? All {{ len(label) }} test pictures of this page go through the frozen convolutions. Of the 9216 numbers only the {{ PARTS }} directions in which they vary most are kept, and t-SNE ([@maaten2008]) lays the pictures out on a plane so that close neighbours stay close. The same is done with the bare pixels, as a control:

# %% tags=["hide-input"]
def main_parts(x):
    """Rows x, (N, D), by the directions in which they vary most, (N, PARTS)."""
    return PCA(PARTS, random_state=SEED).fit_transform(x)


def alike(x, label):
    """The share of rows whose nearest neighbour has the same label."""
    nearest = NearestNeighbors(n_neighbors=1).fit(x).kneighbors(return_distance=False)[:, 0]
    return (label[nearest] == label).mean()


parts = {"pixels": main_parts(live.test.x.flatten(1).numpy() / 255),
         "features": main_parts(features(frozen_net, live.test.x).numpy())}
near = {name: alike(x, label) for name, x in parts.items()}
near_kind = {name: alike(x, machine) for name, x in parts.items()}
maps = {name: TSNE(init="pca", random_state=SEED).fit_transform(x) for name, x in parts.items()}
if PHOTOS and PRETRAINED:
    assert near["features"] - near["pixels"] > 0.1 and near_kind["features"] > near_kind["pixels"]

fig, axes = plt.subplots(1, 2, figsize=(5.4, 2.9))
for ax, (name, places) in zip(axes, maps.items()):
    for which, word, color, marker in ((machine, "machine", "blue", "s"), (~machine, "animal", "orange", "o")):
        ax.plot(*places[which].T, marker, markersize=2.4, color=COLORS[color], alpha=0.6, label=word)
    ax.set(xticks=[], yticks=[], title=f"by {name}")
if PHOTOS:
    axes[0].legend(labelcolor="linecolor", loc="upper left", markerscale=2)
show(
    fig,
    name="feature-map",
    alt=(
        f"Two clouds of {len(label)} points. " + (
            "By pixels squares and circles are mixed. By features the squares fill one side and the "
            "circles the other, with few exceptions."
            if PHOTOS and PRETRAINED else "Nothing in them is about photographs.")
    ),
    caption=(
        f"{len(label)} test pictures of {HERE}, laid out by t-SNE. "
        + ("Frozen features separate machines from animals; pixels hardly do. " if PHOTOS and PRETRAINED else "")
        + "Axes and distances between groups mean nothing here; only neighbours do."
        + ("" if PHOTOS and PRETRAINED else " **Photographs or ImageNet's weights were not found when "
           "this page was built**, so this shows that the code runs, and no more.")
    ),
)

# %% [markdown]
# {{ f"By pixels a picture's nearest neighbour has its class in {near['pixels']:.0%} of the cases, where chance gives a tenth. By features it is {near['features']:.0%}, and {near_kind['features']:.0%} lie beside their own kind, machine or animal ({near_kind['pixels']:.0%} by pixels, {(machine.mean() ** 2 + (1 - machine.mean()) ** 2):.0%} by chance). The convolutions have never seen one of these pictures, nor its size." if PHOTOS and PRETRAINED else f"Here {near['pixels']:.0%} of the pictures lie beside their own class by pixels and {near['features']:.0%} by features." }}

# %% [markdown]
# ### How often a sure answer is right

# %% tags=["remove-cell"]
def reliability(name):
    """Answers, mean confidence and share right, by range of confidence, all seeds together."""
    table = []
    for rows in zip(*(test["reliability"] for test in tests[name])):
        if count := sum(row[0] for row in rows):
            means = (sum(r[0] * r[i] for r in rows if r[0]) / count for i in (1, 2))
            table.append([count, *means])
    return np.array(table)


def calibration_error(name):
    """Mean distance of confidence and share right, weighted by answers, in points."""
    count, sure, right = reliability(name).T
    return 100 * (count * np.abs(sure - right)).sum() / count.sum()


errors = {name: calibration_error(name) for name in way}
assert errors["frozen, as assigned"] < errors["flips and shifts"] < errors["flips and shifts, longer"]
count, sure, right = reliability("flips and shifts, longer").T
furthest = 100 * (sure - right)[count >= 50].max()

# %% tags=["hide-input"]
CALIBRATED = {"frozen, as assigned": ("blue", "o", "-"), "flips and shifts": ("green", "^", "--"),
              "flips and shifts, longer": ("orange", "s", "-.")}
fig, ax = plt.subplots(figsize=(4.6, 3.9))
ax.plot([0, 100], [0, 100], color=COLORS["muted"], linestyle=":", linewidth=1.2)
for name, (color, marker, style) in CALIBRATED.items():
    count, sure, right = reliability(name).T
    some = count >= 50
    ax.plot(100 * sure[some], 100 * right[some], style, marker=marker, markersize=4,
            color=COLORS[color], label=f"{name}: {calibration_error(name):.1f} points off")
ax.text(22, 62, "too modest", fontsize=9, color=COLORS["muted"])
ax.text(98, 32, "too sure", ha="right", fontsize=9, color=COLORS["muted"])
ax.legend(labelcolor="linecolor", loc="upper left", bbox_to_anchor=(0, 0.93))
ax.set(xlim=(15, 101), ylim=(15, 101), xlabel="confidence (%)", ylabel="of these right (%)",
       title=f"{THERE}, three seeds together")
show(
    fig,
    name="reliability",
    alt=(
        "Share of right answers against confidence for three recipes. The frozen network lies a "
        f"little above the diagonal; 30 epochs of flips and shifts lie up to {furthest:.0f} points below it."
    ),
    caption=(
        "Recorded test answers in 15 ranges of confidence; ranges with fewer than 50 answers are left out. "
        "On the dotted line a network is right as often as it says. Longer training pays for "
        "accuracy with overconfidence."
    ),
)

# %% [markdown]
# The frozen network means what it says: on average {{ f"{errors['frozen, as assigned']:.1f}" }} points lie between its confidence and its accuracy. Thirty epochs drive that to {{ f"{errors['flips and shifts, longer']:.1f}" }}, and with 1,000 labels, all weights free, it is {{ f"{errors['unfrozen, 1,000 labels']:.0f}" }}. This is why the longest training has the best accuracy and not the best loss. [@guo2017] found it in many modern networks, and a cure, a single number by which the logits are divided.
#
# ### Where it looked
#
# Grad-CAM ([@selvaraju2017]) weights the last convolution's channels by the mean gradient of the answer's score, and adds them up: a map of what spoke for the answer. The record holds it for the first ten right and the first ten wrong answers of the best network in test order, which are all aeroplanes, since the test pictures are sorted by class:

# %% tags=["remove-cell"]
inside = record["inside"]["grad_cam"]
names = record["data"]["class_names"]
same_pictures = bool(live.source) and live.source in record["data"]["source"]
assert len(inside) == 20 and {cam["class"] for cam in inside} == {0}
if same_pictures:
    assert max(cam["picture"] for cam in inside) < 50 and (live.test.y[:50] == 0).all()
sure_wrong = sum(cam["probability"] > 0.99 for cam in inside[10:])
assert all(cam["probability"] > 0.99 for cam in inside[:10] if cam["picture"] != 8)

# %% tags=["hide-input"]
fig, axes = plt.subplots(4, 5, figsize=(5.3, 5.2))
for ax, cam in zip(axes.flat, inside):
    where = np.array(cam["map"])
    if same_pictures:
        ax.imshow(live.test.x[cam["picture"]].permute(1, 2, 0).numpy(), extent=(0, 13, 13, 0),
                  interpolation="none")
        places = np.arange(13) + 0.5
        for color, width in (("background", 3), ("orange", 1.5)):
            ax.contour(places, places, where, [0.5], colors=COLORS[color], linewidths=width)
    else:
        ax.imshow(where, extent=(0, 13, 13, 0), cmap="gray", vmin=0, vmax=1, interpolation="none")
    right = cam["class"] == cam["answer"]
    ax.set_title(f"{names[cam['answer']]} {cam['probability']:.0%}", fontsize=8.5, fontweight="normal",
                 color=COLORS["blue" if right else "orange"])
    ax.axis("off")
show(
    fig,
    name="grad-cam",
    alt=(
        "Twenty maps of 13 by 13 cells, two rows of right answers and two of wrong ones. "
        "Each is lit in one to three small places. For right answers most of these are wings, tail or "
        "nose; for wrong ones some lie on the ground or at the edge."
    ),
    caption=(
        f"Recorded: {THERE}, the network with the best validation accuracy; above, ten right answers, below, ten wrong, "
        "with its probability. " + (
            "Inside the lines: what spoke for the answer at least half as much as the strongest place." if same_pictures else
            "**The pictures themselves were not found when this page was built**: only the maps are shown, white where something spoke for the answer.")
        + f" It is all but certain of {sure_wrong} of the wrong ones."
    ),
)

# %% [markdown]
# {{ "For right answers the lines mostly lie on wings, tail and nose. In some of the wrong ones they lie on the aeroplane too, so the place alone does not tell right from wrong." if same_pictures else "Without the pictures, the maps say only how small these places are." }} Twenty aeroplanes show what the method does, and not how the network behaves in general.

# %% [markdown]
# ## Freezing by hand
#
# Why does the same rate do more harm when more is free? Take one picture of one pixel $x$, one "convolution" $w$ with a ReLU, one "classifier" $v$, and half the squared error as loss:
#
# $$h = \max(wx, 0), \qquad y = vh, \qquad L = \tfrac12 (y - t)^2$$
#
# Let $x = 1$, $w = 2$, $v = 3$, $t = 5$. Then $h = 2$, $y = 6$, and the error $y - t$ is 1.
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
# The frozen network lands on the target. The unfrozen one steps over it and is worse off than before. Both gradients were right: each says what happens if *its weight alone* moves. **Unfreezing makes the same learning rate a larger step.**

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
# $\partial L/\partial v$ needs $h$, and neither $v$ nor $x$. Once $w$ is frozen, the product $(y - t)\,v$ is not needed, and $x$ need not be kept.
#
# ## Where the backward pass ends
#
# **One number.** Let each layer map a number to a number, $x_\ell = f_\ell(x_{\ell-1}, \theta_\ell)$, with the upstream gradient $d_\ell = \partial L/\partial x_\ell$. A layer can compute two things from it:
#
# $$\frac{\partial L}{\partial \theta_\ell} = d_\ell\, \frac{\partial f_\ell}{\partial \theta_\ell}, \qquad
#   d_{\ell-1} = d_\ell\, \frac{\partial f_\ell}{\partial x_{\ell-1}}$$
#
# The left one is needed if layer $\ell$ is trained. The right one is needed if *any layer before it* is.
#
# **With indices.** For a linear layer, $y_{nk} = \sum_i x_{ni} w_{ik} + b_k$, and with $d_{nk} = \partial L/\partial y_{nk}$ these are two different sums over the same numbers:
#
# $$\frac{\partial L}{\partial w_{ik}} = \sum_n x_{ni}\, d_{nk}, \qquad \frac{\partial L}{\partial x_{ni}} = \sum_k d_{nk}\, w_{ik}$$
#
# Count the multiplications per picture. Forward there is one per pair $(i, k)$: $m_\ell = n_\text{in} n_\text{out}$. The left sum has one for each $i$ and $k$ too, and so has the right one. For a convolution the sums run over places as well, and all three counts are again the same, if the zeros of the padding are counted: each weight is used once at each place.
#
# **A frozen layer does not stop the gradient.** If layer 3 is frozen and layer 1 is trained, the gradient still passes *through* layer 3. The backward pass computes layer 3's right sum and leaves out its left one. What counts is $f$, the *first* layer that is trained:
#
# - Layers before $f$: forward only, $m_\ell$.
# - Layer $f$: forward and the gradient of its weights, $2m_f$. No layer before it is trained, so the gradient of its input is left out.
# - Trained layers after $f$: all three, $3m_\ell$.
#
# **The whole network**, with every layer from $f$ on trained:
#
# $$\boxed{M_f = \sum_{\ell < f} m_\ell + 2m_f + \sum_{\ell > f} 3m_\ell}$$
#
# As a check at the ends: unfrozen, $f = 1$, the first sum is empty, and the first convolution skips the gradient of the pixels. Frozen, $f = 6$.
#
# PyTorch has no frozen layers. It has `requires_grad` for each tensor, and a result requires a gradient if anything that went into it does:

# %%
def multiplications(work, f):
    """The equation in the box; layers count from 1."""
    return work[: f - 1].sum() + 2 * work[f - 1] + 3 * work[f:].sum()


pair = prepared(live.test.x[:2])
counted = {}
for name, net, f in (("frozen", frozen_net, 6), ("unfrozen", free_net, 1)):
    net.zero_grad()
    with FlopCounterMode(display=False) as counter:
        net.eval()(pair).sum().backward()
    counted[name] = counter.get_total_flops() / 2 / len(pair)
    assert counted[name] == multiplications(work, f)
    print(f"{name:<9}{counted[name] / 1e6:7.1f} million per picture")

print("grad_fn of the frozen features:", frozen_net.features(pair).grad_fn)
assert all(p.grad is None for p in frozen_net.features.parameters())
assert all(p.grad is not None for p in frozen_net.classifier.parameters())
assert all(p.grad is not None for p in free_net.parameters())

# %% [markdown]
# `FlopCounterMode` watches PyTorch's matrix products and convolutions, forward and backward, and knows nothing of our formula; the two agree to the last multiplication. What comes out of the frozen features has no `grad_fn`: to autograd it is data, as the pictures are. That is why it may be cached. Frozen, a picture costs {{ f"{counted['frozen'] / counted['unfrozen']:.0%}" }} of the unfrozen work, even without the cache.
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


BATCH = assigned["batch_size"]
memory = {}
for name, net in (("frozen", frozen_net), ("unfrozen", free_net)):
    net.zero_grad()
    asked = count_parameters(net, trainable=True)
    memory[name] = {
        "weights": 4 * total,
        "gradients": 4 * asked,
        "Adam's two means": 8 * asked,
        "kept for backward": BATCH * kept(net, pair) // len(pair),
    }

# %% tags=["remove-input"]
display(Markdown(
    f"| MB, float32, batches of {BATCH} | frozen | unfrozen |\n|---|---|---|\n"
    + "\n".join(f"| {what} | {memory['frozen'][what] / 1e6:,.0f} | {memory['unfrozen'][what] / 1e6:,.0f} |"
                for what in memory["frozen"])
    + "\n| total | " + " | ".join(f"**{sum(m.values()) / 1e6:,.0f}**" for m in memory.values()) + " |"
))
saved = {name: sum(m.values()) for name, m in memory.items()}
backward = {name: m["kept for backward"] for name, m in memory.items()}
assert backward["frozen"] < 0.1 * backward["unfrozen"]
assert memory["frozen"]["gradients"] > 0.9 * memory["unfrozen"]["gradients"]

# %% [markdown]
# What is kept for the backward pass falls to {{ f"{backward['frozen'] / backward['unfrozen']:.0%}" }}, since nothing before the classifier is kept, and the total to {{ f"{saved['frozen'] / saved['unfrozen']:.0%}" }}. Gradients and Adam's means hardly shrink: they follow the trained numbers, and those are nearly all in the classifier. This table is computed, for plain float32. The record's own memory figures are left out here, because they count other networks that the comparison held at the same time.
#
# ## Was the training what it says it was?
#
# A training can go wrong without a sign: a tensor that was meant to stay has moved, a test picture was learnt from. `Audit` notes a SHA-256 of every tensor before the training. `train` writes into its checkpoint what it trained, on what and by which plan. Afterwards the audit checks fourteen claims against both, each with its evidence. To break it again and again, a small network on AlexNet's plan will do: two convolutions as `features`, two linear layers as `classifier`, at 16×16 pixels.

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

# %%
def audited(model, training, validation, test, plan, told=None):
    """Train, test once, audit: test accuracy and answers, findings."""
    scale, once = normalisation(training.x), ReadOnce(test)
    audit = Audit(model, frozen="features.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.pt"  # says what was trained
        train(model, training, validation, plan, scale=scale,
              among=ALONE, checkpoint=path)
        _, accuracy, answers = evaluate(
            model, once.read(), scale=scale, among=ALONE,
            image_size=plan.image_size,
        )
        findings = audit.after(
            manifest=read_manifest(path), plan=plan,
            training=told or training, validation=validation, test=once,
            scale=normalisation(told.x) if told else scale,
        )
    return accuracy, answers, findings


little = Plan(epochs=10, batch_size=64, lr=0.002, seed=SEED, image_size=16)
fifth = Images(live.test.x[::5], live.test.y[::5]) if PHOTOS else live.test
parts = live.train, live.val, fifth
scale = normalisation(live.train.x)
small_net = Small(freeze=True)
right, said, found = audited(small_net, *parts, little)
print(f"{HERE}: {right:.0%} of {len(said)} test pictures")
assert len(found) == 14 and all(f.ok for f in found) and right > 0.13

# %% tags=["remove-input"]
def findings_table(findings):
    return "| | Claim | Evidence |\n|---|---|---|\n" + "\n".join(
        f"| {'holds' if f.ok else '**FAILS**'} | {f.claim} | {f.evidence} |" for f in findings
    )


display(Markdown(findings_table(found)))

# %% [markdown]
# The third line does not ask the code what it trained. Adam's state has a pair of means for each tensor that it has moved, and for no other.
#
# ### The audit, broken on purpose
#
# A check that cannot fail is worth nothing. First mistake: one of the four frozen tensors asks for a gradient. Second: one test picture is among those for training. Third: the same, and the audit is given other pictures.

# %%
one_step = Plan(epochs=1, batch_size=64, lr=0.001, seed=SEED, image_size=16)
some = Images(live.train.x[:64], live.train.y[:64])
held = parts[1:]

slipped = Small(freeze=True)
slipped.features[3].bias.requires_grad_(True)  # the second convolution's
thawed = audited(slipped, some, *held, one_step)[-1]

spied = Images(
    torch.cat([some.x[:63], parts[2].x[17:18]]),
    torch.cat([some.y[:63], parts[2].y[17:18]]),
)
leaked = audited(Small(freeze=True), spied, *held, one_step)[-1]
lied_to = audited(Small(freeze=True), spied, *held, one_step, told=some)[-1]

broken = [f for f in (*thawed, *leaked, *lied_to) if not f.ok]
assert [f.claim for f in thawed if not f.ok] == [
    "every frozen tensor stayed",
    "the optimiser holds the trainable tensors and no other",
]
assert "features.3.bias" in thawed[0].evidence
assert [f.claim for f in leaked if not f.ok] == ["no image is in two splits"]
assert "training 63 = test 17" in leaked[3].evidence
assert [f.claim for f in lied_to if not f.ok] == [
    "it trained and validated on these pictures and labels",
    "it trained by this plan, to its end",
]

# %% tags=["remove-input"]
display(Markdown(findings_table(broken)))
assert all(len(run["audit"]) == 8 and all(f["ok"] for f in run["audit"]) for run in older.values())

# %% [markdown]
# The tensor is named, and so is the picture. The third mistake comes out as well: `train` itself wrote down a SHA-256 of the pictures and labels that it was given, and their statistics. A copy that is brighter, darker or mirrored is found too, by a fingerprint of 8×8 grey levels. It counts pictures that look alike as well. With a trained network and their own eyes, [@barz2020] looked for near-duplicates in CIFAR-10, and found test pictures among those for training; so small a fingerprint misses those that are shifted, cut or stretched.
#
# Here is what the audit cannot catch:
#
# - What the borrowed convolutions were shown, before the audit was made.
# - A person who looks at the test result and starts anew, or keeps the best of several seeds.
# - Pictures that were cut, rotated, shifted or blurred before they came into another split.
# - Labels that are wrong in the file itself.
# - A concealed layer that works in training mode alone, or code that changes the network during a step and then restores it.
# - A forger who changes `train` or the audit, or writes a checkpoint with care.
#
# It guards against mistakes and clumsy cheating, not against skill.
#
# `scripts/train_transfer.py` audits each run, with `--cached` also the stored features, and leaves no record of one that fails; the older records passed. `scripts/compare_transfer.py`, which made the comparison on this page, does not audit: what speaks for it is its code, which reads the test pictures only for a recipe that validation has chosen, and a test of that.
#
# ## The submission
#
# Competitions give you test pictures without labels, and ask for a file: one line per picture, `id,label`, with ids from 1. `scripts/train_transfer.py` writes one with `--submission`, whole or not at all. Here, with the answers of the frozen AlexNet above:

# %%
spec = importlib.util.spec_from_file_location(
    "train_transfer", "scripts/train_transfer.py"
)
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

frozen_net.eval()
with torch.inference_mode():
    answers = frozen_net.classifier(test.tensors[0]).argmax(1)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "submission.csv"
    script.write_submission((live.classes[i] for i in answers.tolist()), path)
    lines = path.read_text(encoding="utf-8").splitlines()
print("\n".join(lines[:4]))
ids, labels = zip(*(line.split(",") for line in lines[1:]))
assert lines[0] == "id,label"
assert [int(i) for i in ids] == list(range(1, len(test) + 1))
assert set(labels) <= set(live.classes)

# %% [markdown]
# The three asserts are the check before you upload: a heading, one line per picture in the order of the test, and no class that does not exist.
#
# ## Common mistakes
#
# You have met the first: **one rate for everything**. Two more, forgetting `eval()` and choosing the epoch by the test, run in [the chapter before](fashion_mnist.py#common-mistakes). The others run here, on {{ HERE }}, with `Small`.

# %% tags=["hide-input"]
def tell(findings):
    """Print what fails, in short lines."""
    for f in (f for f in findings if not f.ok):
        print(textwrap.fill(f"FAILS: {f.claim}: {f.evidence}", 40, subsequent_indent="  "))


def answer(net, scale=scale):
    """Loss, accuracy and answers of a small network on the test pictures."""
    return evaluate(net, parts[2], scale=scale, image_size=16, among=ALONE)

# %% [markdown]
# **Forgetting to freeze.** Nothing warns you, and the accuracy may even rise. The audit was told what was meant:

# %%
forgot = audited(Small(freeze=False), *parts, little)
print(f"test accuracy: {forgot[0]:.1%}")
tell(forgot[-1])
assert sum(not f.ok for f in forgot[-1]) == 2

# %% [markdown]
# **Freezing too much.** The loop over all parameters comes after the new classifier was put in, and freezes it too. Or it unfreezes the last layer alone, because in another network that was all there was to replace:

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
print(f"last layer alone: test accuracy {halved[0]:.1%}")
tell(halved[-1])
assert not halved[-1][1].ok and "classifier.2.weight" in halved[-1][1].evidence

# %% [markdown]
# The first is loud: nothing in the whole network asks for a gradient, so there is no backward pass. The second is silent: it trains, on a random layer that was not meant to be frozen.
#
# **Freezing after the optimiser was built.** The optimiser still holds the convolutions. Does it move them? Three steps of an Adam with everything, then freeze, then ten more; here is the largest change of a frozen weight in those ten:


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
# It depends on a detail. `zero_grad` sets gradients to `None`, by default since PyTorch 2.0, and Adam skips a tensor without a gradient. It does not skip one whose gradient is zero: its momentum rolls on, and weight decay pulls. Freeze first, then build the optimiser with what is left, and the detail does not matter.
#
# **Training with some statistics, answering with others.** You may use ImageNet's mean and standard deviation or your own, from beginning to end. You may not change them on the way:

# %%
NOTHING = Normalisation([0.0] * 3, [1.0] * 3)
print("statistics   answers changed  right")
for name, other in (("ImageNet's", IMAGENET), ("none at all", NOTHING)):
    _, share, others = answer(small_net, other)
    changed = int((others != said).sum())
    print(f"{name:<13}{changed:3} of {len(said)}       {share:.1%}")
assert changed > 0

# %% [markdown]
# No error, no warning, and a number that looks like a number. The statistics belong to the network as its weights do.
#
# **Running statistics that move in a frozen layer.** AlexNet has no batch normalisation. Most networks after it have, and there freezing the *parameters* does not freeze the layer: in training mode each batch moves the running mean, which is no parameter and needs no gradient.


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
    mean_of = net.features[1].running_mean
    print(f"{name:<15} moved by {mean_of.abs().max():.3f}")
assert plain.features[1].running_mean.abs().max() > 0.01
assert (kept_still.features[1].running_mean == 0).all()

# %% [markdown]
# After a few hundred batches the "frozen" features have changed, although no weight has. Put frozen modules into evaluation mode; `train` of this package does.
#
# ## What this page does not show
#
# - **Full precision.** The forward passes ran in {{ record["precision"] }}. In float32 another seed may be the one that fails.
# - **More than three seeds.** Differences of a point or less are open, whatever McNemar's test says of one pair of networks.
# - **What was not run:** {{ ", ".join(f"*{name}*" for name in record["not_run"]) }}. So what flips and shifts do for a training from scratch is unknown here, and so is what lies between 64 and {{ SIZE }} pixels.
# - **The recorded networks themselves.** Their weights were not kept; the answers, curves and maps were.
# - **Another backbone.** [@kornblith2019] found that networks that are better on ImageNet transfer better. None but AlexNet was tried here.
# - **Other data.** CIFAR-10's classes are things that ImageNet knows. On X-rays the order may be different.
#
# ## In five lines
#
# - Frozen, new classifier: each picture passes the convolutions once.
# - Unfrozen, the same rate can destroy what was learnt; a smaller one gains.
# - Transfer pays most where labels are few.
# - Put frozen modules into `eval()`, too.
# - Count what is trainable, and audit it.
#
# ## Try it
#
# ??? question "1. You mirror the training pictures at random. May you still cache frozen features?"
#     Not as they stand: a mirrored picture has other features. You may cache two versions of each picture and draw one. For shifts by up to four pixels in each direction it would be 162 versions per picture, and the plain loop is the shorter way.
#
# ??? question "2. You freeze the middle three convolutions and train the first and all that comes after. What is saved?"
#     Of each frozen layer only the gradient of its weights, $m_\ell$. The gradient of its input is needed, since the first layer is trained. So each costs $2m_\ell$ instead of $3m_\ell$, and nothing may be cached.
#
# ??? question "3. With a pencil: in the example by hand, freeze $v$ instead of $w$. What is the new $y$ after the same step?"
#     $w = 2 - \tfrac34 = \tfrac54$, $h = \tfrac54$, $y = \tfrac{15}{4}$. It passes the target of 5 and ends $\tfrac54$ away from it, where it was 1 away before. For $w$ alone the step is too large already.
#
# ??? question "4. A colleague reports that transfer beats training from scratch by ten points. Which run do you ask for?"
#     Random and frozen, to see what the new classifier does by itself. Then the same again with other seeds, and with a rate that was searched for *each* of the compared runs.
#
# ??? question "5. For the notebook: send a picture of 127×127 pixels through `free_net.features`. How many copies will the pool make, and by how much is Adam's step too long?"
#     The features come out as 3×3, so each number is repeated four times, and the sum of its weights moves four times as far.
#
# ## Sources
#
# - Krizhevsky, Sutskever and Hinton (2012), *ImageNet classification with deep convolutional neural networks*, NIPS: AlexNet.
# - Krizhevsky (2014), *One weird trick for parallelizing convolutional neural networks*, arXiv:1404.5997: the variant that torchvision has.
# - Krizhevsky (2009), *Learning multiple layers of features from tiny images*, technical report, University of Toronto: CIFAR-10 and CIFAR-100.
# - Donahue and others (2014), *DeCAF: a deep convolutional activation feature for generic visual recognition*, ICML: a trained network as a fixed source of features.
# - Yosinski, Clune, Bengio and Lipson (2014), *How transferable are features in deep neural networks?*, NIPS: frozen and unfrozen, layer by layer, and the random control.
# - Howard and Ruder (2018), *Universal language model fine-tuning for text classification*, ACL: discriminative rates and gradual unfreezing.
# - Kumar, Raghunathan, Jones, Ma and Liang (2022), *Fine-tuning can distort pretrained features and underperform out-of-distribution*, ICLR: the classifier first.
# - Kornblith, Shlens and Le (2019), *Do better ImageNet models transfer better?*, CVPR.
# - He, Girshick and Dollár (2019), *Rethinking ImageNet pre-training*, ICCV: what training from scratch can do if it is given the time.
# - Selvaraju and others (2017), *Grad-CAM: visual explanations from deep networks via gradient-based localization*, ICCV: where a network looked.
# - Van der Maaten and Hinton (2008), *Visualizing data using t-SNE*, JMLR.
# - Guo, Pleiss, Sun and Weinberger (2017), *On calibration of modern neural networks*, ICML.
# - McNemar (1947), *Note on the sampling error of the difference between correlated proportions or percentages*, Psychometrika; Holm (1979), *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics.
