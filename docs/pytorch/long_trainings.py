# ---
# title: Long trainings
# description: Let a training survive an interruption without a changed bit, and share it among several processes without a changed gradient.
# tags:
#   - pytorch
# ---

# %% [markdown]
# # Long trainings
#
# The [training loop that you hand in](fashion_mnist.py#the-loop-that-you-hand-in) has to run to its end in one go, in one process. A training that takes hours, or days, meets a power cut, a scheduler that wants its computer back, a person who presses Ctrl-C; and it would end sooner if more than one processor worked on it. This chapter makes it survive and shares the work, under one condition: **the trained network stays the same**. After an interruption it is the same to the last bit, and over several processes to rounding.
#
# You need [a CNN for Fashion-MNIST](fashion_mnist.py) and [optimisers](../networks/optimizers.py).

# %% tags=["hide-input"]
import inspect
import io
import math
import os
import signal
import tempfile
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from scipy import stats
from torch import nn
from torch.nn.functional import cross_entropy, interpolate

from nn_tutorial.data import DataNotFoundError, digits, stratified_split
from nn_tutorial.data.dataset import remember
from nn_tutorial.data.fashion import fashion_mnist_stored
from nn_tutorial.files import write_whole
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style
from nn_tutorial.pytorch import training
from nn_tutorial.pytorch.modules import Dropout, set_share
from nn_tutorial.pytorch.networks import fashion_cnn
from nn_tutorial.pytorch.processes import Processes, Share
from nn_tutorial.pytorch.records import read_record
from nn_tutorial.pytorch.training import (
    Images,
    Interrupted,
    Plan,
    normalisation,
    prepare,
    train,
)

SEED = 0
use_style()
ALONE = Processes(0, 1, torch.device("cpu"))


def find_pictures():
    """Some of Fashion-MNIST, else the digits, enlarged: name, training, validation."""
    try:
        stored = fashion_mnist_stored()
    except DataNotFoundError:
        data = digits(seed=SEED)
        parts = []
        for x, y in ((data.x_train, data.y_train), (data.x_val, data.y_val)):
            large = interpolate(torch.from_numpy(x), size=(28, 28), mode="bilinear")
            parts.append(Images((255 * large).round().to(torch.uint8), torch.from_numpy(y)))
        return "digits", *parts
    remember(stored.name, stored.sha256)
    rng = np.random.default_rng(SEED)
    kept, held = stratified_split(stored.y_train, (1000, 1000), rng=rng)
    x, y = torch.from_numpy(stored.x_train), torch.from_numpy(stored.y_train)
    tag = " (re-split)" if stored.split == "re-split" else ""
    return stored.name + tag, Images(x[kept], y[kept]), Images(x[held], y[held])


HERE, images, validation = find_pictures()
FIRST = HERE[0].upper() + HERE[1:]
CLOTHES = HERE.startswith("Fashion")
images = Images(images.x[:1000], images.y[:1000])
scale = normalisation(images.x)
LOOK = {"train": ("blue", "o", "-", "training"), "val": ("orange", "s", "--", "validation")}
record = read_record(Path("docs/records/fashion-mnist.json"))
epoch_minutes = np.mean([epoch["seconds"] for epoch in record["epochs"]]) / 60

# %% tags=["remove-input"]
if not CLOTHES:
    display(Markdown(
        '!!! warning "Fashion-MNIST was not found when this page was built"\n'
        f"    All runs on this page are of **{HERE}**, enlarged to 28×28 pixels. What is shown here, "
        "sameness, does not depend on the pictures. Fetch the clothes with "
        "`python -m nn_tutorial.data download fashion-mnist`, or name their folder in "
        "`NN_TUTORIAL_DATA`, and build the page again."
    ))

# %% [markdown]
# ## What a training consists of
#
# Ask what the next step depends on. All of that must be written down when the training stops, or be computed anew from what is:
#
# | Part of the training | Where it lives in PyTorch | In the checkpoint of `train` |
# |---|---|---|
# | weights and biases | `model.state_dict()` | yes |
# | running mean and variance of each batch normalisation | `model.state_dict()`, as buffers | yes |
# | Adam's two running means and its count of steps | `optimizer.state_dict()` | yes |
# | learning rate | `optimizer.param_groups`, or a scheduler's `state_dict()` | computed from the step |
# | how many epochs and steps are done | variables of your loop | yes |
# | order of the pictures, mirroring, dropout's masks | the state of a random generator | computed from seed, epoch, step |
# | the epoch's sums of loss and right answers | variables of your loop | yes |
# | all settings | your command line | yes, and compared |
#
# The recorded training of the chapter before took {{ f"{epoch_minutes:.0f}" }} minutes for each of its {{ len(record["epochs"]) }} epochs. If you save at the end of each, a power cut costs half an epoch on average. A polite interruption, which lets the program finish what it is doing, need not cost anything.
#
# ## Interrupted, and still the same
#
# `train` writes a checkpoint after each epoch, and at the very step at which a SIGTERM or Ctrl-C comes. The random numbers are the difficult part. Their generator's state could be saved too. But a state that depends on everything ever drawn fails as soon as anything draws once more or once less: a plot, another network, a second process. So order, mirroring and dropout are drawn from a seed that is **computed from the plan's seed, the epoch and the step**. If you know the step, you know the numbers.

# %% tags=["remove-input"]
show_source(training._number, training._State)

# %% [markdown]
# `write_whole` writes beside the old checkpoint and then gives the new file the old one's name. So there is always a whole one, whenever the power fails.
#
# Now send a SIGTERM, as `kill` does, in the middle of the second of four epochs. (`channels_last` is an order of the numbers in memory, in which these convolutions are faster.)

# %%
short = Plan(epochs=4, batch_size=24, lr=0.002, cosine=True, flip=CLOTHES)
small = Images(images.x[:72], images.y[:72])


def kill(epoch, step):
    if (epoch, step) == (1, 1):
        os.kill(os.getpid(), signal.SIGTERM)


def run(plan=short, **more):
    net = fashion_cnn(seed=SEED).to(memory_format=torch.channels_last)
    curve = train(net, small, small, plan, scale=scale, among=ALONE, **more)
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
    try:
        run(Plan(epochs=4, batch_size=24, lr=0.01), checkpoint=checkpoint)
        raise AssertionError("another plan went on from here")
    except ValueError as refused:
        differs = str(refused).split("of another training: ")[1].split(". Remove")[0]
        print(f"another plan is refused: {differs}")
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
        f"{FIRST}, {len(small.x)} pictures, which serve as validation too, since only sameness "
        "counts here. No ring lies off its line by a single bit."
    ),
)


# %% [markdown]
# ## What each forgotten piece costs
#
# Checkpoints that hold less are common, and they seem to work: the training goes on, and its loss goes on falling. Is anything lost?
#
# **The experiment.** A plain loop with a small network (784 → 64 → 10, with batch normalisation and dropout), Adam, and a rate that falls along half a cosine; {{ f"{len(images.x):,}" }} pictures of {{ HERE }}, four epochs, interrupted after the second. Everything is kept, or everything but one piece. Each variant is compared with the uninterrupted run of the same seed, over five seeds.
#
# **A prediction.** Without the running statistics the network is bad until they have been gathered again. Without Adam's means the next steps are rougher. Other random numbers make another training, but no worse one. A schedule that begins anew has not come to rest at the end, so it should end worse.

# %%
EPOCHS, STOP, SIZE, RATE = 4, 2, 50, 0.004
STEPS = len(images.x) // SIZE  # in an epoch
x_train, x_held = prepare(images.x, scale), prepare(validation.x, scale)


def begin(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(),
        nn.Dropout(0.25), nn.Linear(64, 10),
    )
    return net, torch.optim.Adam(net.parameters(), lr=RATE)


def go_on(net, adam, epochs, done=0, size=SIZE):
    """Train for some epochs, of which `done` are behind; return the losses."""
    losses, steps = [], len(images.x) // size
    for at in range(done * steps, (done + epochs) * steps):
        if at % steps == 0:
            order = torch.randperm(len(images.x))
        chosen = order[at % steps * size :][:size]
        cosine = math.cos(math.pi * at / (EPOCHS * steps))
        adam.param_groups[0]["lr"] = RATE * (1 + cosine) / 2
        loss = cross_entropy(net.train()(x_train[chosen]), images.y[chosen])
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# %% [markdown]
# This is what a new process has after it has read the checkpoint, and forgotten something:


# %%
def revived(net, adam, seed, forgotten, file):
    torch.save({"model": net.state_dict(), "adam": adam.state_dict(),
                "random": torch.get_rng_state()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    net, adam = begin(seed)
    if forgotten == "running statistics":
        saved["model"] = {name: value for name, value in saved["model"].items()
                          if "running" not in name}
    net.load_state_dict(saved["model"], strict=False)
    if forgotten != "Adam's means":
        adam.load_state_dict(saved["adam"])
    if forgotten != "random state":
        torch.set_rng_state(saved["random"])
    return net, adam


# %% tags=["hide-input"]
@torch.inference_mode()
def answers(net):
    return net.eval()(x_held).argmax(1)


def right(given):
    return 100 * (given == validation.y).double().mean().item()


PIECES = ("nothing", "random state", "Adam's means", "running statistics", "place in the schedule")
SEEDS = range(5)
found = {piece: {"at once": [], "end": [], "changed": [], "losses": []} for piece in PIECES}
for seed in SEEDS:
    net, adam = begin(seed)
    go_on(net, adam, STOP)
    stopped_at, before = torch.get_rng_state(), right(answers(net))
    new = {}
    for piece in PIECES:
        torch.set_rng_state(stopped_at)
        new[piece] = *revived(net, adam, seed, piece, io.BytesIO()), torch.get_rng_state()
    torch.set_rng_state(stopped_at)
    losses = go_on(net, adam, EPOCHS - STOP, STOP)
    final = answers(net)
    for piece, (other, its_adam, generator) in new.items():
        row = found[piece]
        row["at once"].append(right(answers(other)) - before)
        torch.set_rng_state(generator)
        done = 0 if piece == "place in the schedule" else STOP
        row["losses"].append(np.subtract(go_on(other, its_adam, EPOCHS - STOP, done), losses))
        given = answers(other)
        row["changed"].append(100 * (given != final).double().mean().item())
        row["end"].append(right(given) - right(final))


def told(values):
    """Mean and Student's interval over the seeds, in points."""
    values = np.array(values)
    if not values.any():
        return "0"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.1f} ± {half:.1f}".replace("-", "−")


display(Markdown(
    "| Forgotten | Accuracy at once (points) | At the end (points) | Answers that differ at the end (%) |\n"
    "|---|---|---|---|\n"
    + "\n".join(
        f"| {piece} | {told(row['at once'])} | {told(row['end'])} | {np.mean(row['changed']):.1f} |"
        for piece, row in found.items()
    )
))

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(5.0, 4.0), layout="constrained")
ax.axhline(0, color=COLORS["muted"], linewidth=1)
steps = np.arange(1, (EPOCHS - STOP) * STEPS + 1)
for piece, color, style in (("nothing", "text", "-"), ("random state", "muted", ":"),
                            ("Adam's means", "orange", "-"), ("place in the schedule", "blue", "--")):
    ax.plot(steps, np.mean(found[piece]["losses"], axis=0), style, color=COLORS[color], label=piece,
            linewidth=2 if piece == "nothing" else 1.5)
ax.set(title=f"{FIRST}: what was forgotten", xlabel="step after the interruption",
       ylabel="loss, less the uninterrupted (nats)")
fig.legend(labelcolor="linecolor", loc="outside lower center", ncols=2)
rough = np.array(found["Adam's means"]["losses"])[:, 2 : STEPS // 2]
restart = np.array(found["place in the schedule"]["end"])
show(
    fig,
    name="forgotten",
    alt=(
        "Difference of the training loss from that of the uninterrupted run, over the steps after the "
        "interruption. With nothing forgotten it is 0 throughout. With the random state forgotten it "
        f"jumps to and fro; without Adam's means it is {rough.mean():.2f} nats higher at first; with "
        "the schedule begun anew it falls below and stays there."
    ),
    caption=(
        f"{FIRST}: mean of {len(SEEDS)} seeds. Without the running statistics the losses lie on "
        "the straight line, since training does not use them. Without Adam's means they lie higher "
        "for some ten steps."
    ),
)
assert not any(np.any(found["nothing"][name]) for name in found["nothing"])
assert not np.any(found["running statistics"]["losses"])
assert (np.array(found["running statistics"]["at once"]) < -2).all()
assert rough.mean() > 0
assert min(np.mean(found[piece]["changed"]) for piece in PIECES[1:]) > 0

# %% tags=["remove-cell"]
anew = told(restart)
intervals = sum(np.any(row[when]) for row in found.values() for when in ("at once", "end"))
half_anew = stats.t.ppf(0.975, len(restart) - 1) * restart.std(ddof=1) / np.sqrt(len(restart))
assert restart.mean() > -half_anew  # not seen to be worse
shares_changed = [np.mean(found[piece]["changed"]) for piece in PIECES[1:]]

# %% [markdown]
# With nothing forgotten the plain loop, too, goes on without a changed bit. The running statistics are missed at once, {{ told(found["running statistics"]["at once"]) }} points, and hardly at the end. Adam's means matter as predicted, but little: {{ f"{rough.mean():.2f}" }} nats for some ten steps. The table has {{ intervals }} intervals of 95 %, each on its own. Among so many one may exclude 0 by chance, so build nothing on one that only touches it.
#
# The schedule is where the prediction fails. It should have ended worse, and it ends {{ anew }} points away from the uninterrupted run: the rate stayed high, and {{ EPOCHS }} epochs on {{ f"{len(images.x):,}" }} pictures are so few that this does no harm. That is not advice. It shows what is really lost: **you no longer know what you compare.** Between {{ f"{min(shares_changed):.1f}" }} and {{ f"{max(shares_changed):.1f}" }} % of the answers differ at the end, for no reason that your report would give. Effects such as those of [batch normalisation and dropout](fashion_mnist.py#which-parts-earned-their-place) are a few points; an interruption must not look like one of them.
#
# **What this does not show.** What forgetting costs in a long training, where Adam's second mean has a memory of a thousand steps and a network rests at its schedule's end. Five seeds show effects of about a point, and no smaller ones.

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
# Several processes can share each batch, and `torchrun --nproc-per-node 2` starts two. The training stays the same only if their gradients *add up* to the gradient of the whole batch. Averaging the processes' means is wrong unless every process has the same number of pictures.
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
# - **Batch normalisation** takes its mean over the batch. In each process alone it would be a different mean, and a different network. `BatchNorm2d` of this package sums over all processes first.
# - **Dropout** would draw a mask of its own in each process. `Dropout` of this package draws the mask for the whole batch, with the step's seed, and each process keeps its rows. `set_share` tells it which.

# %%
x13 = prepare(images.x[:13], scale).double()
t13 = images.y[:13]
SHARES = (slice(0, 6), slice(6, 13))  # of two processes


def gradient(net, rows, divisor):
    """Of the sum of the rows' losses, divided; as one long array."""
    torch.manual_seed(SEED)  # the step's seed, in every process
    set_share(net, Share(rows.start, rows.stop, 13))
    loss = cross_entropy(net(x13[rows]), t13[rows], reduction="sum")
    grads = torch.autograd.grad(loss / divisor, net.parameters())
    return torch.cat([g.flatten() for g in grads])


def apart(net, divisors=(13, 13)):
    """How far the sum over the shares is from the whole, relatively."""
    whole = gradient(net, slice(0, 13), 13)
    parts = [gradient(net, *pair) for pair in zip(SHARES, divisors)]
    return float((sum(parts) - whole).norm() / whole.norm())


def network(**parts):
    return fashion_cnn(seed=SEED, **parts).double()


plain = network(batch_norm=False, dropout=0)
dropping = network(batch_norm=False)
of_pytorch = nn.Sequential(*(
    nn.Dropout(layer.p) if isinstance(layer, Dropout) else layer
    for layer in network(batch_norm=False)
))
errors = {
    "sum of shares": apart(plain),
    "with dropout": apart(dropping),
    "mean of means": apart(plain, (2 * 6, 2 * 7)),
    "dropout by share": apart(of_pytorch),
    "batch norm by share": apart(network(dropout=0)),
}
for name, error in errors.items():
    print(f"{name:<20} {error:.0e}")
good, bad = list(errors.values())[:2], list(errors.values())[2:]
assert max(good) < 1e-12 < 1e-3 < min(bad)

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(5.0, 2.7))
for row, error in enumerate(errors.values()):
    color = COLORS["blue"] if error < 1e-12 else COLORS["orange"]
    ax.plot([1e-17, error], [row, row], "-", color=color, linewidth=1.5)
    ax.plot(error, row, "o" if error < 1e-12 else "s", color=color)
ax.set(xscale="log", xlim=(1e-17, 10), ylim=(4.5, -0.5), title="Two shares against the whole batch",
       xlabel="relative difference of the gradients")
ax.set_yticks(range(5), list(errors))
show(
    fig,
    name="shares",
    alt=(
        "Relative difference of the gradients, five ways. The sum of shares and the same with the "
        f"package's dropout are at {max(good):.0e} or below; mean of means, PyTorch's dropout and "
        f"batch normalisation in each share are between {min(bad):.0e} and {max(bad):.0e}."
    ),
    caption=(
        f"{FIRST}, thirteen pictures split into six and seven, in float64. The gradients are right "
        "to rounding, or far off."
    ),
)

# %% tags=["remove-input"]
tests = Path("tests/pytorch/test_pytorch_training.py").read_text(encoding="utf-8")
assert "def test_two_processes_give_the_curve_of_one" in tests
assert "--nproc-per-node=2" in tests and "rel=1e-9" in tests

# %% [markdown]
# The first two differences are rounding: the same numbers, added in another order. The other three gradients are off by {{ f"{errors['mean of means']:.0%}" }}, {{ f"{errors['dropout by share']:.0%}" }} and {{ f"{errors['batch norm by share']:.0%}" }}, and nothing would have told you. (Training with other masks is no mistake as such. But it is another training, and its numbers depend on how many processors were free that day.)
#
# This page runs in one process, and plays two. That the real ones agree, batch normalisation included, is shown by a test that starts them: `test_two_processes_give_the_curve_of_one` in `tests/pytorch/test_pytorch_training.py` trains with batch normalisation, dropout, mirroring and unequal shares, and requires every loss and accuracy of both runs to agree to a relative $10^{-9}$.
#
# ## Common mistakes
#
# **The first: writing over the only checkpoint.** `torch.save(state, path)` empties the file before it fills it. If the power fails in between, the new checkpoint is half written and the old one is gone. Here the power fails after half of the bytes, once for each way:

# %%
class PowerError(Exception):
    """The computer is off."""


def save_half(state, path):
    whole = io.BytesIO()
    torch.save(state, whole)
    path.write_bytes(whole.getvalue()[: whole.tell() // 2])
    raise PowerError


def what_is_left(way):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.pt"
        torch.save({"epoch": 1, "weights": weights}, path)
        try:
            with way(path) as file:
                save_half({"epoch": 2, "weights": weights}, file)
        except PowerError:
            pass
        try:
            return f"epoch {torch.load(path, weights_only=True)['epoch']}"
        except RuntimeError:
            return "nothing that can be read"


for way in (nullcontext, write_whole):
    name = "in place" if way is nullcontext else "write_whole"
    print(f"{name:<12} leaves {what_is_left(way)}")
assert what_is_left(write_whole) == "epoch 1"
assert "nothing" in what_is_left(nullcontext)

# %% [markdown]
# **The second: the random state first, the network afterwards.** The network's first weights are drawn at random, although the checkpoint's take their place. If you build it after you have restored the generator, these draws come between:

# %%
def in_wrong_order(seed):
    net, adam = begin(seed)
    go_on(net, adam, STOP)
    state = torch.get_rng_state()
    uncut = go_on(net, adam, EPOCHS - STOP, STOP)
    net, adam = begin(seed)
    go_on(net, adam, STOP)
    assert torch.equal(torch.get_rng_state(), state)  # so far the same
    nn.Linear(784, 64)  # a network is built; only now its weights are loaded
    return np.subtract(go_on(net, adam, EPOCHS - STOP, STOP), uncut)


wrong = in_wrong_order(SEED)
print(f"{np.count_nonzero(wrong)} of {len(wrong)} losses differ, "
      f"by up to {np.abs(wrong).max():.2f} nats")
assert np.count_nonzero(wrong) > len(wrong) / 2

# %% [markdown]
# The checkpoint is complete and the training is another one. The check is the one at the beginning of this page: interrupt a short training, resume it, and require equal bits. With a seed that is computed from the step there is nothing to restore.
#
# **The third: one batch per process.** `DataLoader(..., batch_size=50)` in each of $P$ processes makes a batch of $50P$, and an epoch has a $P$-th of the steps. The learning rate is now the wrong one. The small network of the experiment, as one process trains it and as two would:

# %%
pairs = []
for seed in SEEDS:
    pair = []
    for size in (SIZE, 2 * SIZE):
        net, adam = begin(seed)
        learnt = go_on(net, adam, EPOCHS, size=size)
        pair.append((np.mean(learnt[-len(learnt) // EPOCHS :]), right(answers(net))))
    pairs.append(pair)
one, two = np.array(pairs).transpose(1, 2, 0)
print(f"batch {SIZE:<4} training loss {one[0].mean():.3f}, "
      f"validation {one[1].mean():.1f} %")
print(f"batch {2 * SIZE:<4} training loss {two[0].mean():.3f}, "
      f"validation {two[1].mean():.1f} %")
assert (two[0] > one[0]).all()

# %% [markdown]
# Half of the steps, and with every seed a higher training loss in the last epoch; validation changes by {{ told(two[1] - one[1]) }} points. [Goyal and others (2017)](@goyal2017) let the rate grow with the batch, after a warm-up. In this package `batch_size` is that of all processes together, so the question does not arise: `torchrun` with two processes reads the same plan as one.
#
# ## In five lines
#
# - Save all that the next step depends on: weights, statistics, optimiser, random state, place in the schedule.
# - Write a checkpoint whole or not at all, under another name first.
# - Resuming must give the bits of a training that was never interrupted: test that once.
# - Two processes take the step of one only if their gradients add up to that of the whole batch.
# - Keep a record of what was run, so that somebody else can tell whether a number is true.
#
# ## Try it
#
# ??? question "1. Why is the state of the random generator not in the checkpoint of `train`?"
#     Because it need not be. Each step computes its seed from the plan's seed, the epoch and the step. That also makes two processes draw the same mask, and lets you begin at any step.
#
# ??? question "2. With a pencil: shares of 1, 2 and 3 pictures, whose gradients are 6; 3 and 3; 0, 0 and 6. What is the whole batch's gradient, and what is the mean of the three means?"
#     The whole: $\tfrac16 (6 + 6 + 6) = 3$. The means are 6, 3 and 2, and their mean is $\tfrac{11}{3}$. The process with one picture shouted loudest.
#
# ??? question "3. Adam's means are in the checkpoint, but its count of steps has been set back to 0. What does the next step do wrong?"
#     Adam divides its means by $1 - \beta^s$, where $s$ counts the steps, because means that began at 0 are too small at first. These did not begin at 0, and are divided all the same, at $s = 1$ by 0.1 and by 0.001. The first becomes 10 times too large, the square root of the second about 32 times, so the first steps are three times too short.
#
# ??? question "4. Validation has 13 pictures, and two processes evaluate 6 and 7 of them. Each computes its accuracy, and you take the mean. What is wrong, and when does it not show?"
#     It is the mean of means again. It does not show when the shares are equal, or when all pictures are named correctly. Add up the right answers and the counts, and divide once.
#
# ??? question "5. For the notebook: let `kill` come at other steps, the last of an epoch among them. Which numbers of the resumed run change?"
#     None. After the last step of an epoch the checkpoint says so, and the training goes on with the validation of that epoch.
#
# ## Sources
#
# - Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR: the two means, and the correction of question 3.
# - Loshchilov and Hutter (2017), *SGDR: stochastic gradient descent with warm restarts*, ICLR: the rate that falls along a cosine, and what a restart does on purpose.
# - Goyal, Dollár, Girshick, Noordhuis, Wesolowski, Kyrola, Tulloch, Jia and He (2017), *Accurate, large minibatch SGD: training ImageNet in 1 hour*, arXiv:1706.02677: learning rate and batch grow together.
