# ---
# title: A CNN in NumPy
# description: Assemble a convolutional network from the layers of this book, show it equal to PyTorch's step by step, and find out what it sees, what it gets wrong and what its assumptions are worth.
# tags:
#   - networks
# ---

# %% [markdown]
# # A CNN in NumPy
#
# A picture is more than a list of pixels: neighbours belong together, and a stroke is a stroke wherever it is drawn. A convolutional network, a CNN, has both facts built in. Here you assemble one from the layers of this book. You will see that it takes the very steps that PyTorch takes, what its two assumptions are worth, what it has learnt, and which pictures it gets wrong while being sure.
#
# You need [convolution](../layers/convolution.py), [pooling](../layers/pooling.py), [the linear layer](../layers/linear.py) and [cross-entropy](../layers/cross_entropy.py).

# %% tags=["hide-input"]
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from matplotlib.colors import LinearSegmentedColormap
from scipy import stats

from nn_tutorial import (
    SGD,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Flatten,
    GradientError,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    digits,
    evaluate,
    fashion_mnist,
    fit,
    fit_many,
    gradient_check,
    holm,
    mlp,
    predict_logits,
    small_cnn,
    softmax,
    softmax_cross_entropy,
    zeros,
    wilson,
)
from nn_tutorial.pages.show import power
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid
from nn_tutorial.pytorch.equivalents import twin
from nn_tutorial.pytorch.records import read_record

SEED, EPOCHS = 0, 15
use_style()
plt.rcParams["image.composite_image"] = False  # small pictures, each with its own pixels
INK = LinearSegmentedColormap.from_list("ink", [COLORS["background"], COLORS["text"]])
BLUE = LinearSegmentedColormap.from_list("blue", [COLORS["background"], COLORS["blue"]])
SIGNED = LinearSegmentedColormap.from_list(
    "signed", [COLORS["orange"], COLORS["background"], COLORS["blue"]]
)
data = digits(seed=SEED)

# %% tags=["remove-input"]
def tile(ax, image, left, top, side, *, tall=None, cmap=INK, low=0.0, high=1.0):
    """Draw a picture with its upper left corner at (left, top), `side` wide."""
    tall = tall or side * image.shape[0] / image.shape[1]
    box = (left, left + side, top - tall, top)
    ax.imshow(image, extent=box, cmap=cmap, vmin=low, vmax=high, interpolation="none")
    frame = plt.Rectangle((left, top - tall), side, tall, fill=False, lw=0.5)
    frame.set_edgecolor(COLORS["muted"])
    ax.add_patch(frame)


rng = np.random.default_rng([SEED, 1])  # not the stream of the split
cnn = small_cnn(1, 8, 10, rng=rng)
cnn_history = fit(cnn, (data.x_train, data.y_train), (data.x_val, data.y_val),
                  optimizer=SGD(cnn.params, 0.03, momentum=0.9), epochs=EPOCHS, batch_size=32,
                  rng=rng, keep_best=False)
shown = int(np.flatnonzero(data.y_test == 3)[0])
maps = [data.x_test[shown : shown + 1]]
for layer in cnn.layers:
    maps.append(layer.forward(maps[-1], train=False)[0])
said = softmax(maps[-1])[0][0]
assert said.argmax() == data.y_test[shown] and said.max() > 0.9

fig, ax = plt.subplots(figsize=(4.9, 6.0))
rows = [
    (10.1, maps[0][0], 1.9, None, "the picture: 1×8×8"),
    (7.6, maps[2][0], 1.05, None, "convolution 5×5, ReLU: 8×8×8"),
    (5.95, maps[3][0], 1.05, None, "max-pool: 8×4×4"),
    (4.3, maps[5][0], 0.51, None, "convolution 3×3, ReLU: 16×4×4"),
    (3.2, maps[6][0], 0.51, None, "max-pool: 16×2×2"),
    (2.1, maps[9][None], 9.1, 0.42, "linear, ReLU: 64"),
    (1.1, said[None, None], 9.1, 0.42, "linear, softmax: 10"),
]
for number, (top, stack, side, tall, text) in enumerate(rows):
    step = side + (9.1 - len(stack) * side) / max(len(stack) - 1, 1)
    for k, image in enumerate(stack):
        tile(ax, image, k * step, top, side, tall=tall, cmap=BLUE if number else INK,
             high=stack.max())
    ax.text(0, top + 0.08, text, va="bottom")
for k in range(10):
    ax.text(0.455 + 0.91 * k, 0.58, str(k), ha="center", va="top",
            fontweight="bold" if k == said.argmax() else "normal")
ax.set(xlim=(-0.05, 9.2), ylim=(0.15, 10.6), aspect="equal")
ax.axis("off")
show(
    fig,
    name="through-the-network",
    alt=(
        "A handwritten 3 of 8 by 8 pixels goes through the network: eight maps of 8 by 8, eight "
        "of 4 by 4, sixteen of 4 by 4, sixteen of 2 by 2, then 64 numbers and ten "
        f"probabilities, of which that of the 3 is {said.max():.2f}."
    ),
    caption=(
        f"A digit that the network has not been trained on, on its way to the answer. Dark is "
        f"large, each row relative to its largest number. The picture gets smaller and the stack "
        f"deeper, until no place is left and only {said.argmax()} is dark."
    ),
)

# %% [markdown]
# ## Shapes first
#
# The network has ten layers. These are their outputs, found by sending one picture through; to the right, what each layer has to learn and how much work it does.


# %% tags=["hide-input"]
def parameters(model):
    """How many numbers a model learns."""
    return sum(p.size for p in model.params.values())


def anatomy(model, x):
    """For each layer: name, shape of its output, parameters, multiplications for one picture."""
    rows = []
    for layer in model.layers:
        x, _ = layer.forward(x[:1], train=False)
        uses = {Conv2d: np.prod(x.shape[2:]), Linear: 1}.get(type(layer), 0)
        work = int(uses) * layer.params["weight"].size if uses else 0
        rows.append((type(layer).__name__, x.shape[1:], parameters(layer), work))
    return rows


parts = anatomy(cnn, data.x_test)
assert sum(part[2] for part in parts) == parameters(cnn)
display(Markdown(
    "| Layer | Output of one picture | Parameters | Multiplications |\n|---|---|---|---|\n"
    + "\n".join(
        f"| {name} | {'×'.join(map(str, shape))} | {f'{count:,}' if count else '–'} | "
        f"{f'{work:,}' if work else '–'} |"
        for name, shape, count, work in parts
    )
))
conv_parameters = sum(part[2] for part in parts if part[0] == "Conv2d") / parameters(cnn)
total_work = sum(part[3] for part in parts)
conv_work = sum(part[3] for part in parts if part[0] == "Conv2d") / total_work

# %% [markdown]
# Together they have {{ parameters(cnn):,}} parameters. These are the symbols of this page:
#
# | Symbol | Shape | Meaning |
# |---|---|---|
# | $X$ | $(N, C, H, W)$ | `x`, a batch of pictures; here $C = 1$, $H = W = 8$ |
# | $X_\ell$ | see above | the output of layer $\ell$, with $X_0 = X$ |
# | $Z$ | $(N, 10)$ | `logits`, the last output: the scores |
# | $t$ | $(N)$ | `labels`, the digits that are drawn |
# | $P$, $T$ | $(N, 10)$ | the softmax of $Z$; the labels as zeros and ones |
# | $L$ | one number | `loss`, the mean softmax cross-entropy, in nats |
# | $D_\ell$ | that of $X_\ell$ | `d`, which is $\partial L/\partial X_\ell$ |
#
# The parameters and the work are not in the same place:

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(4.9, 2.3))
working = [part for part in parts if part[2]]
names = ["conv 5×5", "conv 3×3", "linear 64", "linear 10"]
looks = [("blue", ""), ("blue", "///"), ("orange", ""), ("orange", "///")]
for y, column in enumerate((3, 2)):
    total, left = sum(part[column] for part in working), 0.0
    for part, name, (color, hatch) in zip(working, names, looks):
        share = 100 * part[column] / total
        ax.barh(y, share, left=left, height=0.5, color=COLORS[color], alpha=0.35, hatch=hatch,
                edgecolor=COLORS[color])
        if share > 15:
            ends = left + share > 97
            place = 100 if ends else 0 if left < 5 else left + share / 2
            ax.text(place, y + 0.31, f"{name}: {share:.0f} %", fontsize=9, va="bottom",
                    ha="right" if ends else "left" if left < 5 else "center")
        left += share
ax.set_yticks([0, 1], ["work", "parameters"])
ax.set(xlabel="share of the whole (%)", xlim=(0, 100.5), ylim=(-0.4, 1.75),
       title="Few weights, used often")
ax.grid(visible=False, axis="y")
show(
    fig,
    name="parameters-and-work",
    alt=(
        f"Two bars. The two convolutions hold {conv_parameters:.0%} of the parameters and do "
        f"{conv_work:.0%} of the multiplications; for the linear layers it is the other way round."
    ),
    caption=(
        "Shares of the parameters and of the multiplications of a forward pass; in each bar from "
        "left to right: conv 5×5, conv 3×3, linear 64, linear 10. A filter has few weights, and "
        "each is used at every place of the picture."
    ),
)
assert conv_parameters < 0.3 and conv_work > 0.8

# %% [markdown]
# A weight of the linear layers is used once per picture, a weight of the first filters {{ 8 * 8 }} times. That is weight sharing. Together with the small windows and the pools it is all that separates this network from a multilayer perceptron.
#
# ## A network is two loops
#
# `Sequential` knows nothing of convolutions. Forward, it hands each layer the output of the one before and keeps what the layer wants to remember. Backward, it goes through the same list from the end.

# %% tags=["remove-input"]
show_source(Sequential.forward, Sequential.backward)

# %% [markdown]
# All that remains is to choose the layers. The pattern, twice a convolution and a pool, then linear layers, is that of LeNet (LeCun, Bottou, Bengio and Haffner 1998):

# %% tags=["remove-input"]
show_source(small_cnn)

# %% [markdown]
# ### One aside: a gradient that is not needed
#
# `need_dx=need_dx or i > 0` spares the first layer the gradient of its *input*. The input is the data, and no optimiser changes that. It would cost as many multiplications as that layer's forward pass, here {{ 100 * parts[0][3] / (3 * total_work):.0f}} % of a whole training step (forward, gradient of the weights, gradient of the input). [How fast is it?](../verify/speed.py) measures what it is worth, and what else makes the difference between this network and a slow one.
#
# ## A network for pencil and paper
#
# Four by four pixels, two filters, two classes: *upright* strokes (class 0) and *level* ones (class 1). The picture is an L, which has one of each, and the right answer is to be "upright". The layers are those of the large network: convolution, ReLU, max-pool, linear.
#
# $$X = \begin{bmatrix}1&0&0&0\\ 1&0&0&0\\ 1&0&0&0\\ 1&1&1&1\end{bmatrix}$$
#
# The first filter responds to ink on the left of blank paper, the second to ink below it; both have a bias of $-1$:
#
# $$W_0 = \begin{bmatrix}1&0&-1\\ 1&0&-1\\ 1&0&-1\end{bmatrix}, \quad
#   W_1 = \begin{bmatrix}-1&-1&-1\\ 0&0&0\\ 1&1&1\end{bmatrix}$$
#
# **Forward.** Each filter has four places on the picture. At the upper left the first one finds three pixels of ink on its $1$s and none on its $-1$s: $3 - 1 = 2$.
#
# $$A_0 = \begin{bmatrix}2&-1\\ 1&-1\end{bmatrix}, \quad A_1 = \begin{bmatrix}-1&-1\\ 1&2\end{bmatrix}$$
#
# The ReLU removes the $-1$s, the max-pool keeps the largest of each map: $r = (2, 2)$. The linear layer is $\ln 2$ times $\begin{bmatrix}1&0\\0&2\end{bmatrix}$, without a bias, so that
#
# $$Z = \ln 2 \cdot (2, 4), \qquad P = \tfrac{1}{4 + 16}(4, 16) = \left(\tfrac15, \tfrac45\right)$$
#
# The network says "level" and pays $L = -\ln \tfrac15 = \ln 5$.
#
# **Backward.** Predicted minus true: $\partial L/\partial Z = (-\tfrac45, \tfrac45)$. Through the linear layer, $\partial L/\partial r = \tfrac45 \ln 2 \cdot (-1, 2)$. From here on all numbers are whole multiples of $\kappa = \tfrac45 \ln 2$.
#
# The max-pool sends $-\kappa$ to the upper left of the first map and $2\kappa$ to the lower right of the second, where the maxima were. The other places get nothing. The ReLU lets both pass, for both inputs were positive.
#
# A filter's gradient is now what it *saw* at the winning place, times the upstream gradient:
#
# $$\frac{\partial L}{\partial W_0} = -\kappa \begin{bmatrix}1&0&0\\ 1&0&0\\ 1&0&0\end{bmatrix}$$
#
# $$\frac{\partial L}{\partial W_1} = 2\kappa \begin{bmatrix}0&0&0\\ 0&0&0\\ 1&1&1\end{bmatrix}$$
#
# and the picture's gradient is each filter laid down where it won, the two added where they overlap:
#
# $$\frac{\partial L}{\partial X} = \kappa \begin{bmatrix}-1&0&1&0\\ -1&-2&-1&-2\\ -1&0&1&0\\ 0&2&2&2\end{bmatrix}$$

# %%
tiny = Sequential(
    Conv2d(1, 2, 3, rng=rng, dtype=np.float64),
    ReLU(),
    MaxPool2d(2),
    Flatten(),
    Linear(2, 2, rng=rng, dtype=np.float64),
)
upright_edge = np.array([[1.0, 0, -1]] * 3)
level_edge = np.array([[-1.0] * 3, [0.0] * 3, [1.0] * 3])
tiny.params["0.weight"][...] = np.stack([upright_edge, level_edge])[:, None]
tiny.params["0.bias"][...] = -1
tiny.params["4.weight"][...] = np.log(2) * np.diag([1, 2])
letter = np.array([[[[1.0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]]]])

logits, cache = tiny.forward(letter)
loss, dlogits = softmax_cross_entropy(logits, np.array([0]))
dx, grads = tiny.backward(dlogits, cache)

kappa = 0.8 * np.log(2)
by_hand = {
    "0.weight": kappa * np.array([-letter[0, 0, :3, :3], 2 * letter[0, 0, 1:, 1:]])[:, None],
    "0.bias": kappa * np.array([-1, 2]),
    "4.weight": 1.6 * np.array([[-1, 1], [-1, 1]]),
    "4.bias": 0.8 * np.array([-1, 1]),
}
assert np.isclose(loss, np.log(5), rtol=1e-15)
for name, expected in by_hand.items():
    assert np.allclose(grads[name], expected, rtol=0, atol=1e-15), name
dx_by_hand = [[-1, 0, 1, 0], [-1, -2, -1, -2], [-1, 0, 1, 0], [0, 2, 2, 2]]
assert np.allclose(dx[0, 0], kappa * np.array(dx_by_hand), rtol=0, atol=1e-15)

# %% tags=["remove-input"]
before, _ = tiny.layers[0].forward(letter)
fig, axes = plt.subplots(2, 3, figsize=(5.3, 3.9))
upper_left = np.array([[True, False], [False, False]])
seen = [np.zeros((4, 4), bool), np.zeros((4, 4), bool)]
seen[0][:3, :3], seen[1][1:, 1:] = True, True
whole = np.rint(grads["0.weight"][:, 0] / kappa).astype(int)
for ax, values, title, lit, color in (
    (axes[0, 0], letter[0, 0], "X, an L", letter[0, 0] > 0, "green"),
    (axes[0, 1], before[0, 0], "A₀: upright?", upper_left, "blue"),
    (axes[0, 2], before[0, 1], "A₁: level?", upper_left[::-1, ::-1], "blue"),
    (axes[1, 0], np.array(dx_by_hand), "∂L/∂X", seen[0] & seen[1], "orange"),
    (axes[1, 1], whole[0], "∂L/∂W₀", whole[0] != 0, "orange"),
    (axes[1, 2], whole[1], "∂L/∂W₁", whole[1] != 0, "orange"),
):
    value_grid(ax, values, title=title, highlight=lit, color=color)
show(
    fig,
    name="by-hand",
    alt=(
        "Six grids. Above: the L of ones, and the two feature maps with their largest numbers, 2 "
        "each, marked. Below, in units of κ: the gradient of the picture with the overlap of both "
        "filters marked, and the gradients of the filters: a column of −1 and a row of 2."
    ),
    caption=(
        "Forward above, backward below in units of $\\kappa = \\frac45 \\ln 2$. Marked: the ink, the "
        "two winners, the four pixels in which both filters meet, and the ink that each filter saw. "
        "The gradients of the filters are the two strokes of the L."
    ),
)

# %% [markdown]
# Read the last two grids as a step of gradient descent, which subtracts them. The first filter gains weight on the upright stroke that it saw, and will say "upright" more loudly. The second loses weight on the level one. The network learns *pictures of what it has seen*, at the places that won.
#
# ## The chain rule for a whole network
#
# **One number.** Let each layer map one number to one number, $x_\ell = f_\ell(x_{\ell-1})$. The chain rule multiplies slopes. Rather than multiply them anew for each layer, keep the product so far, $d_\ell = \partial L/\partial x_\ell$, and multiply by one more slope at each step to the left:
#
# $$d_{\ell-1} = d_\ell\, f_\ell'(x_{\ell-1})$$
#
# **With indices.** Every number that came out of layer $\ell$ may depend on every number that went in, so the product becomes a sum over all that came out. Let $a$ count the numbers in $X_{\ell-1}$ and $q$ those in $X_\ell$:
#
# $$\frac{\partial L}{\partial x_{\ell-1,a}} = \sum_q \frac{\partial L}{\partial x_{\ell,q}}\, \frac{\partial x_{\ell,q}}{\partial x_{\ell-1,a}}$$
#
# and the same sum, with a weight of layer $\ell$ instead of $x_{\ell-1,a}$, is that weight's gradient. Nothing in it asks what the other layers do. That is why each layer could be derived on a page of its own.
#
# **Mind the flatten.** Between pooling and the linear layer the four axes become two, and this is the only place where you decide the order of the axes. `Flatten` numbers the pixels of *one* picture in reading order, channel after channel, with $C$ channels of $H \times W$:
#
# $$y_{n,q} = x_{ncij} \qquad\text{with}\qquad q = (cH + i)W + j$$
#
# Each output is one input, so its derivative is 1 for that one and 0 for all others. Written with Kronecker deltas, and $c(q)$, $i(q)$, $j(q)$ for the place that $q$ came from:
#
# $$\frac{\partial y_{m,q}}{\partial x_{ncij}} = \delta_{mn}\, \delta_{c(q),c}\, \delta_{i(q),i}\, \delta_{j(q),j}$$
#
# The sum over $m$ and $q$ keeps the one term in which all four agree:
#
# $$\frac{\partial L}{\partial x_{ncij}} = \frac{\partial L}{\partial y_{n,\,(cH + i)W + j}}$$
#
# The gradient is put back into the shape that was flattened, by the *same* numbering. The example index $n$ is in both, untouched: no number may move from one picture to another. You will see below what happens if it does.
#
# **The whole network.** With $g_\ell$ for the backward pass of layer $\ell$, $\theta_\ell$ for its parameters and $K$ layers:
#
# $$\boxed{\begin{aligned}
# D_K &= \frac{\partial L}{\partial Z} = \frac{P - T}{N} \\[4pt]
# \left(D_{\ell-1},\ \frac{\partial L}{\partial \theta_\ell}\right) &= g_\ell(D_\ell,\ \text{cache}_\ell)
# \end{aligned}}$$
#
# for $\ell = K, \dots, 1$. The first line is `softmax_cross_entropy`; the second is the line in the loop of `Sequential.backward`. The shapes agree by themselves: $D_\ell$ has the shape of $X_\ell$, because layer $\ell$ made $X_\ell$ and its backward pass takes nothing else.
#
# ## Evidence
#
# ### All gradients at once
#
# Each layer has [its certificate](../verify/verified.py). A chain of right layers can still be put together wrongly, so check the whole: the loss of two pictures as a function of the pictures and of every parameter. The pictures are random numbers, because digits have blank regions, where all four numbers of a pool's window are equal: there the maximum has a kink.

# %%
rng = np.random.default_rng(SEED)
net = small_cnn(1, 8, 10, rng=rng, dtype=np.float64)
for name, p in net.params.items():
    if name.endswith("bias"):
        p[...] = rng.normal(0, 0.1, p.shape)
pictures = rng.standard_normal((2, 1, 8, 8))
two_labels = np.array([3, 7])


def network(x, *values):
    for p, value in zip(net.params.values(), values):
        p[...] = value
    logits, cache = net.forward(x)
    loss, dlogits = softmax_cross_entropy(logits, two_labels)
    return loss, (dlogits, cache)


def network_backward(dloss, cache):
    dlogits, layers = cache
    dx, grads = net.backward(dloss * dlogits, layers)
    return dx, *grads.values()


arrays = [pictures, *net.params.values()]
report = gradient_check(network, network_backward, arrays, rng=rng, names=["x", *net.params])
report.raise_if_above(1e-5)
print(report)
checked = sum(argument.checked for argument in report.arguments)
assert checked == pictures.size + parameters(net)

# %% [markdown]
# These are {{ f"{checked:,}" }} derivatives, and the largest relative error is ${{ power(report.max_error) }}$. Expect more than for a single layer: many of these gradients are small, while the rounding of the loss, some $10^{-16}$ divided by $h = 10^{-6}$, is the same for all. A wrong backward pass would show as something like 1.
#
# ### The same steps as PyTorch
#
# `twin` builds a PyTorch module from ours and copies every weight. From then on the two are on their own. Both see the same batches, both take a step of SGD with momentum after each, and after each the two losses are compared. PyTorch makes its own gradients and its own steps; an error in any of ours would grow from step to step.

# %%
LEARNING_RATE, STEPS = 0.05, 300


def with_batch_norm(rng, dtype):
    """The same network with batch normalisation after each convolution."""
    layers = []
    for layer in small_cnn(1, 8, 10, rng=rng, dtype=dtype).layers:
        layers.append(layer)
        if isinstance(layer, Conv2d):
            layers.append(BatchNorm(len(layer.params["bias"]), dtype=dtype))
    return Sequential(*layers)


def our_step(model, optimizer, x, labels):
    """One step of ours; returns the loss before it."""
    logits, cache = model.forward(x)
    loss, dlogits = softmax_cross_entropy(logits, labels)
    optimizer.step(model.backward(dlogits, cache, need_dx=False)[1])
    return loss


def their_step(module, optimizer, x, labels):
    """One step of PyTorch; returns the loss before it."""
    optimizer.zero_grad()
    scores = module(torch.tensor(x))
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
    loss.backward()
    optimizer.step()
    return loss.item()


# %%
def side_by_side(dtype, *, batch_norm=False, steps=STEPS):
    """The losses of ours and of PyTorch, from the same weights on the same batches."""
    rng = np.random.default_rng(SEED)
    model = with_batch_norm(rng, dtype) if batch_norm else small_cnn(1, 8, 10, rng=rng, dtype=dtype)
    module = twin(model).train()
    ours = SGD(model.params, LEARNING_RATE, momentum=0.9)
    theirs = torch.optim.SGD(module.parameters(), lr=LEARNING_RATE, momentum=0.9)
    x, losses = data.x_train.astype(dtype), []
    for _ in range(steps):
        batch = rng.integers(0, len(x), 32)
        pair = x[batch], data.y_train[batch]
        losses.append((our_step(model, ours, *pair), their_step(module, theirs, *pair)))
    return np.array(losses).T


double, single = side_by_side(np.float64), side_by_side(np.float32)
double_bn = side_by_side(np.float64, batch_norm=True, steps=50)
single_bn = side_by_side(np.float32, batch_norm=True, steps=50)


def apart(losses, first=0, last=50):
    """Largest difference of the two losses over some steps."""
    return np.abs(losses[0] - losses[1])[first:last].max()


assert apart(double) < 1e-12 and apart(double_bn) < 1e-12
assert apart(single) < 1e-4 and apart(single_bn) < 1e-4
assert double[0, 0] > 2 and double[0, 40:50].mean() < 1  # it does learn meanwhile

# %% [markdown]
# | Largest difference of the losses | float64 | float32 |
# |---|---|---|
# | the CNN, steps 1 to 50 | ${{ power(apart(double)) }}$ | ${{ power(apart(single)) }}$ |
# | with batch normalisation, steps 1 to 50 | ${{ power(apart(double_bn)) }}$ | ${{ power(apart(single_bn)) }}$ |
# | the CNN, steps 251 to 300 | ${{ power(apart(double, 250, 300)) }}$ | ${{ power(apart(single, 250, 300)) }}$ |
#
# In fifty steps the loss falls from {{ double[0, 0]:.2f}} to about {{ double[0, 40:50].mean():.2f}}, alike in both to the last digits that the type holds. Then look at the last row: the two part company. Is that an error in one of the two?
#
# Ask a third party. Train *our* network in float32 against *our* network in float32, with a single weight of {{ f"{parameters(cnn):,}" }} moved to the next number that float32 has. Here are four such runs, each with another weight:

# %%
def nudged(k, steps=STEPS):
    """Our losses in float32, with the middle of filter k changed in its last bit."""
    rng, losses = np.random.default_rng(SEED), []
    model = small_cnn(1, 8, 10, rng=rng)
    w = model.params["0.weight"]
    w[k, 0, 2, 2] = np.nextafter(w[k, 0, 2, 2], np.float32(1))
    optimizer = SGD(model.params, LEARNING_RATE, momentum=0.9)
    for _ in range(steps):
        batch = rng.integers(0, len(data.x_train), 32)
        losses.append(our_step(model, optimizer, data.x_train[batch], data.y_train[batch]))
    return np.array(losses)


against_itself = [np.stack([single[0], nudged(k)]) for k in range(4)]

# %% tags=["remove-input"]
fig, ax = plt.subplots(figsize=(4.9, 3.6))
step = np.arange(1, STEPS + 1)


def worst_of_ten(losses):
    """The largest difference of the last ten steps; the line would be all spikes else."""
    gap = np.abs(losses[0] - losses[1])
    high = np.array([gap[max(0, k - 9) : k + 1].max() for k in range(STEPS)])
    return np.where(high > 0, high, np.nan)


for losses in against_itself:
    ax.plot(step, worst_of_ten(losses), ":", color=COLORS["orange"], linewidth=1.3)
ax.plot(step, worst_of_ten(single), color=COLORS["blue"])
ax.plot(step, worst_of_ten(double), "--", color=COLORS["green"])
for text, color, height in (
    ("float32: ours against PyTorch (line)", "blue", 3e-1),
    ("float32: ours against ours, one bit changed (dots)", "orange", 3e-9),
    ("float64: ours against PyTorch (dashes)", "green", 1e-10),
):
    ax.text(4, height, text, color=COLORS[color], va="center", fontsize=9)
ax.set(yscale="log", ylim=(1e-16, 5), xlabel="step", ylabel="difference of the losses (nats)",
       title="Rounding grows while the network learns")
late = [apart(losses, 250, 300) for losses in against_itself]
show(
    fig,
    name="rounding",
    alt=(
        f"Difference of two losses against the step, on a logarithmic axis. In float64 ours and "
        f"PyTorch differ by {apart(double):.0e} at first and {apart(double, 250, 300):.0e} at the "
        f"end; in float32 by {apart(single, 0, 20):.0e} and {apart(single, 250, 300):.0e}. Ours "
        f"against ours with one bit changed ends between {min(late):.0e} and {max(late):.0e}."
    ),
    caption=(
        "Largest difference of the last ten steps. The solid line runs among the dotted ones: "
        "PyTorch is as far from us as we are from ourselves after the smallest change there is."
    ),
)
assert apart(single, 250, 300) > 100 * apart(single, 0, 20)
assert max(late) > 100 * apart(single, 0, 20) and apart(single, 250, 300) < 10 * max(late)
assert apart(double, 250, 300) < 1e-6 * apart(single, 250, 300)

# %% [markdown]
# So the gap is no sign of an error: none of these runs is more right than another. Training multiplies small differences. A step moves the weights, moved weights change the next gradient. And a difference of a last bit can decide which of four pixels wins a pool or whether a ReLU is open, and from then on the two networks learn from different pixels. That is chaos, with a long run-up. The lesson for tests: **compare step by step, over few steps, in float64**. After a long training, weights that differ say nothing about who is right.
#
# ## Before the first step
#
# An untrained network should pay $\log 10$, {{ np.log(10):.3f}} nats, if it admits that it knows nothing. Ours pay rather more:

# %%
starts = []
for seed in range(20):
    fresh = small_cnn(1, 8, 10, rng=np.random.default_rng(seed))
    starts.append(evaluate(fresh, data.x_train, data.y_train)[0])
fresh.params["9.weight"][...] = zeros((64, 10), rng=rng, dtype=np.float32)
zero_start, _ = evaluate(fresh, data.x_train, data.y_train)
print(f"as they begin: {min(starts):.2f} to {max(starts):.2f}, mean {np.mean(starts):.2f}")
print(f"last weights zero: {zero_start:.4f}, log 10: {np.log(10):.4f}")
assert np.isclose(zero_start, np.log(10), rtol=1e-6)
assert np.log(10) + 0.2 < np.mean(starts) and max(starts) < 4

# %% [markdown]
# He's initial weights ([@he2015]) keep the size of the numbers from layer to layer, and the last layer is no exception. So the scores of an untrained network differ, and it prefers some digits for no reason. That costs {{ np.mean(starts) - np.log(10):.2f}} nats on average over twenty starts, and is gone after a few steps. A first loss of {{ 10 * round(10 * np.log(10)):.0f}}, though, would mean that something is wrong; you will see a larger one.
#
# ## Is it worth it?
#
# **The question.** Does a CNN name digits better than a multilayer perceptron (MLP) with as many parameters, and if so, is it because of the neighbourhoods?
#
# **Equal size.** One hidden layer of $M$ units has $65M + 10(M + 1)$ parameters on 64 pixels. Take the $M$ that comes closest.

# %%
SEEDS = range(20)

widths = np.arange(1, 500)
counts = (64 + 1) * widths + 10 * (widths + 1)
width = int(widths[np.abs(counts - parameters(cnn)).argmin()])
rival = mlp(64, [width], 10, rng=rng)
print(f"CNN {parameters(cnn):,}; MLP with {width} hidden units {parameters(rival):,}")
assert abs(parameters(rival) / parameters(cnn) - 1) < 0.01
rival_work = sum(p.size for name, p in rival.params.items() if name.endswith("weight"))

# %% [markdown]
# They are equal in size, but not in what they cost: for one picture the CNN multiplies {{ total_work / rival_work:.0f}} times as often.
#
# **A control.** Shuffle the 64 pixels, by one permutation for all pictures. To the MLP it makes no difference: its first layer has a weight for each pixel and no idea where the pixel lies. A CNN on shuffled pixels has its weight sharing and its pools, but no neighbourhoods.
#
# **A prediction.** The CNN is ahead of the MLP. On shuffled pixels it loses its lead, and perhaps more, since it then shares weights between pixels that have nothing in common. And when the digits are moved by one pixel, the CNN should suffer less.
#
# The training part has {{ len(data.y_train):,}} pictures, validation and test {{ len(data.y_val) }} each. Twenty seeds, as for [Iris](iris.py), decide the split, the initial weights and the order. We train in batches of 32, with momentum 0.9, for {{ EPOCHS }} epochs, and keep the network as it is after the last of them. Only the learning rate is chosen, for each network, by the validation loss of three seeds:

# %%
splits = {seed: digits(seed=seed) for seed in SEEDS}
order = np.random.default_rng(SEED).permutation(64)


def flat(x):
    return x.reshape(len(x), -1)


def shuffled(x):
    return flat(x)[:, order].reshape(x.shape)


VIEWS = {"CNN": lambda x: x, "shuffled": shuffled, "MLP": flat}


def train(kind, runs, *, epochs=EPOCHS, parts=None):
    """Train a network for each rate and seed, side by side; returns them and their histories."""
    rngs = [np.random.default_rng([seed, 1]) for _, seed in runs]
    models = [mlp(64, [width], 10, rng=rng) if kind == "MLP" else small_cnn(1, 8, 10, rng=rng)
              for rng in rngs]
    view, own = VIEWS[kind], [splits[seed] for _, seed in runs]
    parts = parts or [(part.x_train, part.y_train) for part in own]
    histories = fit_many(models, [(view(x), t) for x, t in parts],
                         [(view(part.x_val), part.y_val) for part in own],
                         optimizer=partial(SGD, momentum=0.9), lr=[lr for lr, _ in runs],
                         epochs=epochs, batch_size=32, rngs=rngs)
    return list(zip(models, histories, strict=True))


# %%
RATES = (0.01, 0.03, 0.1, 0.3)
trained, tried = {("CNN", 0.03, SEED): (cnn, cnn_history)}, {}


def last_loss(history):
    """Of the validation; infinite where the training had to stop, with steps too large."""
    return history.val_loss[-1] if len(history.val_loss) == EPOCHS else np.inf


def train_missing(kind, runs):
    """Train those that nothing has asked for yet."""
    missing = [run for run in runs if (kind, *run) not in trained]
    trained.update(((kind, *run), each) for run, each in zip(missing, train(kind, missing)))


for kind in ("CNN", "MLP"):
    train_missing(kind, [(lr, seed) for lr in RATES for seed in range(3)])
    for lr in RATES:
        tried[kind, lr] = np.mean([last_loss(trained[kind, lr, seed][1]) for seed in range(3)])
rate = {kind: min(RATES, key=lambda lr: tried[kind, lr]) for kind in ("CNN", "MLP")}
assert all(RATES[0] < chosen < RATES[-1] for chosen in rate.values())
rate["shuffled"] = rate["CNN"]

# %% [markdown]
# | Validation loss (nats) | rate 0.01 | rate 0.03 | rate 0.1 | rate 0.3 |
# |---|---|---|---|---|
# | CNN | {{ tried["CNN", 0.01]:.3f}} | {{ tried["CNN", 0.03]:.3f}} | {{ tried["CNN", 0.1]:.3f}} | {{ tried["CNN", 0.3]:.3f}} |
# | MLP | {{ tried["MLP", 0.01]:.3f}} | {{ tried["MLP", 0.03]:.3f}} | {{ tried["MLP", 0.1]:.3f}} | {{ tried["MLP", 0.3]:.3f}} |
#
# The CNN gets {{ rate["CNN"] }}, the MLP {{ rate["MLP"] }}: each lies between two that are worse. (What happens to the CNN at 0.1 has a section among the mistakes.) Then the test, once: on the test digits as they are, and on the same digits moved by one pixel to each of the four sides.

# %%
def moved(x, down, right):
    """The pictures moved; what leaves the frame is lost, and blank paper comes in."""
    h, w = x.shape[2:]
    wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return wide[:, :, 1 - down : 1 - down + h, 1 - right : 1 - right + w]


FOUR_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))
nets, histories = {}, {}
correct = {kind: np.empty((len(SEEDS), 2)) for kind in VIEWS}
for kind, view in VIEWS.items():
    train_missing(kind, [(rate[kind], seed) for seed in SEEDS])
    for seed in SEEDS:
        net, histories[kind, seed] = trained[kind, rate[kind], seed]
        nets[kind, seed], own = net, splits[seed]
        tests = [own.x_test] + [moved(own.x_test, *side) for side in FOUR_SIDES]
        found = [evaluate(net, view(x), own.y_test)[1] for x in tests]
        correct[kind][seed] = found[0], np.mean(found[1:])


# %% tags=["remove-input"]
def curves_figure(histories, kinds, seeds):
    """Loss above, accuracy below, a column for each network; bands over the seeds."""
    fig, axes = plt.subplots(2, 2, figsize=(5.3, 4.9), sharex=True, sharey="row")
    for column, kind in enumerate(kinds):
        for row, (measure, scale) in enumerate((("loss", 1), ("accuracy", 100))):
            ax = axes[row, column]
            for part, color, style in (("train", "blue", "-"), ("val", "orange", "--")):
                values = scale * np.array(
                    [getattr(histories[kind, seed], f"{part}_{measure}") for seed in seeds]
                )
                epoch = np.arange(1, values.shape[1] + 1)
                ax.plot(epoch, values.mean(0), style, color=COLORS[color])
                ax.fill_between(epoch, values.min(0), values.max(0), color=COLORS[color],
                                alpha=0.2, linewidth=0)
        axes[0, column].set_title(kind)
        axes[1, column].set_xlabel("epoch")
    axes[0, 0].set_ylabel("loss (nats)")
    axes[1, 0].set_ylabel("accuracy (%)")
    return fig, axes


fig, axes = curves_figure(histories, ("CNN", "MLP"), SEEDS)
axes[0, 0].set(yscale="log", xticks=[1, 5, 10, 15])
axes[1, 0].set_ylim(85, 100.6)
for ax in axes[0]:
    ax.text(15, 0.35, "validation", color=COLORS["orange"], fontsize=9, ha="right")
axes[0, 0].text(1.5, 0.004, "training", color=COLORS["blue"], fontsize=9)
axes[0, 1].text(1.5, 0.004, "training", color=COLORS["blue"], fontsize=9)


def last(kind, what):
    """Mean of the last epoch over the seeds."""
    return np.mean([getattr(histories[kind, seed], what)[-1] for seed in SEEDS])


show(
    fig,
    name="digits-curves",
    alt=(
        f"Loss and accuracy over {EPOCHS} epochs for both networks. Training: the CNN ends at "
        f"{last('CNN', 'train_loss'):.4f} nats, the MLP at {last('MLP', 'train_loss'):.4f}; both "
        f"near 100 %. Validation: {last('CNN', 'val_loss'):.2f} and "
        f"{last('MLP', 'val_loss'):.2f} nats, {last('CNN', 'val_accuracy'):.1%} and "
        f"{last('MLP', 'val_accuracy'):.1%}."
    ),
    caption=(
        "Solid: training, measured before each step of the epoch. Dashed: validation, after it. "
        "Lines are means over twenty seeds, bands go from the lowest to the highest. A gap opens "
        "in the upper row: the training loss goes on falling long after validation has stopped."
    ),
)


# %% tags=["remove-input"]
SHARED = len(data.y_test) / len(data.y_train)


def paired(first, second, ratio=SHARED):
    """Mean of first − second over the seeds, and its 95 % interval (Nadeau and Bengio)."""
    d = first - second
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) * np.sqrt(1 / len(d) + ratio)
    return d.mean(), d.mean() - half, d.mean() + half


def told(first, second, ratio=SHARED):
    """The mean difference and its interval, in percentage points."""
    mean, low, high = (100 * v for v in paired(first, second, ratio))
    return f"{mean:+.1f} points, interval {low:+.1f} to {high:+.1f}".replace("-", "−")


def p_value(first, second, ratio=SHARED):
    """Of the same comparison: how often chance alone would give such a difference."""
    d = first - second
    t = d.mean() / (d.std(ddof=1) * np.sqrt(1 / len(d) + ratio))
    return 2 * stats.t.sf(abs(t), len(d) - 1)


COMPARED = [("CNN", "MLP", 0), ("CNN", "shuffled", 0), ("shuffled", "MLP", 0), ("CNN", "MLP", 1)]
corrected = dict(zip(
    COMPARED, holm([p_value(correct[a][:, k], correct[b][:, k]) for a, b, k in COMPARED])
))  # fmt: skip
verdict = {pair: f"{'beyond' if p < 0.05 else 'within'} chance" for pair, p in corrected.items()}


names = {"CNN": "CNN", "MLP": "MLP", "shuffled": "CNN, pixels shuffled"}
fig, axes = plt.subplots(2, 1, figsize=(4.9, 4.2))
for ax, column, title in zip(axes, (0, 1), ("Test digits", "Moved by one pixel")):
    for y, (kind, color, marker) in enumerate(
        (("shuffled", "green", "^"), ("MLP", "orange", "s"), ("CNN", "blue", "o"))
    ):
        percent = 100 * correct[kind][:, column]
        spread = 0.1 * (np.arange(len(SEEDS)) % 4 - 1.5)
        ax.plot(percent, y + spread, marker, color=COLORS[color], alpha=0.55, markersize=5)
        ax.plot([percent.mean()] * 2, [y - 0.27, y + 0.27], color=COLORS["text"], linewidth=2)
    ax.set_yticks(range(3), [names[kind] for kind in ("shuffled", "MLP", "CNN")])
    ax.set(title=title, ylim=(-0.5, 2.5))
    ax.grid(visible=False, axis="y")
axes[1].set_xlabel("named correctly (%)")
show(
    fig,
    name="digits-strip",
    alt=(
        "Accuracies of twenty seeds. Test digits: "
        + ", ".join(f"{names[k]} {correct[k][:, 0].mean():.1%}" for k in names)
        + ". Moved by one pixel: "
        + ", ".join(f"{names[k]} {correct[k][:, 1].mean():.1%}" for k in names)
        + "."
    ),
    caption=(
        "Each mark is a seed, the line their mean. The two axes differ: with the digits moved, "
        "every network names fewer than the worst one does in the upper plot."
    ),
)
assert max(c[:, 1].max() for c in correct.values()) < min(c[:, 0].min() for c in correct.values())
assert paired(correct["CNN"][:, 0], correct["shuffled"][:, 0])[1] > 0
assert corrected["CNN", "shuffled", 0] < 0.05
assert paired(correct["CNN"][:, 1], correct["MLP"][:, 1])[1] > 0.05
assert correct["MLP"][:, 0].mean() > correct["shuffled"][:, 0].mean()

# %% [markdown]
# | Accuracy, mean ± standard deviation | test digits (%) | moved by one pixel (%) |
# |---|---|---|
# | CNN | {{ 100 * correct["CNN"][:, 0].mean():.1f}} ± {{ 100 * correct["CNN"][:, 0].std(ddof=1):.1f}} | {{ 100 * correct["CNN"][:, 1].mean():.1f}} ± {{ 100 * correct["CNN"][:, 1].std(ddof=1):.1f}} |
# | MLP | {{ 100 * correct["MLP"][:, 0].mean():.1f}} ± {{ 100 * correct["MLP"][:, 0].std(ddof=1):.1f}} | {{ 100 * correct["MLP"][:, 1].mean():.1f}} ± {{ 100 * correct["MLP"][:, 1].std(ddof=1):.1f}} |
# | CNN, pixels shuffled | {{ 100 * correct["shuffled"][:, 0].mean():.1f}} ± {{ 100 * correct["shuffled"][:, 0].std(ddof=1):.1f}} | {{ 100 * correct["shuffled"][:, 1].mean():.1f}} ± {{ 100 * correct["shuffled"][:, 1].std(ddof=1):.1f}} |
#
# **The verdict**, with differences taken seed by seed, and intervals widened for splits that share their pictures ([@nadeau2003]; derived [on the Iris page](iris.py)). There are four comparisons, so p-values that [`holm`](../reference/training.md) has corrected for four ([@holm1979]) decide what is "beyond chance"; each interval stands alone.
#
# - CNN against MLP: {{ told(correct["CNN"][:, 0], correct["MLP"][:, 0]) }}. That is {{ verdict["CNN", "MLP", 0] }}, so the predicted lead {{ "is there, and small" if corrected["CNN", "MLP", 0] < 0.05 else "cannot be seen" }}. One point is {{ len(data.y_test) / 100:.1f}} of the {{ len(data.y_test) }} test pictures.
# - CNN against itself on shuffled pixels: {{ told(correct["CNN"][:, 0], correct["shuffled"][:, 0]) }}. That is {{ verdict["CNN", "shuffled", 0] }}: it needs the neighbourhoods. Without them it is behind the MLP: {{ told(correct["shuffled"][:, 0], correct["MLP"][:, 0]) }}, {{ verdict["shuffled", "MLP", 0] }}.
# - Moved by one pixel: {{ told(correct["CNN"][:, 1], correct["MLP"][:, 1]) }}. Here the CNN is far ahead, and still its level is low. A single pixel takes it from {{ correct["CNN"][:, 0].mean():.0%}} to {{ correct["CNN"][:, 1].mean():.0%}}.
#
# The last number contradicts what is often said of CNNs, that they do not care where a thing is. A *convolution* does not: move the picture, and its maps move along. But the linear layer behind them has a weight for each place, and a 2×2 pool forgives one pixel only if the maximum stays in its window.
#
# The cure is cheap. Show the network moved copies while it learns ([@simard2003] did it with distorted ones, on larger digits). We take as many steps as before, on five copies of each picture:

# %%
cured = {"CNN": [], "MLP": []}

def with_moved(own):
    """The training pictures as they are, and moved to each of the four sides."""
    copies = [own.x_train] + [moved(own.x_train, *side) for side in FOUR_SIDES]
    return np.concatenate(copies), np.tile(own.y_train, 5)


for kind, found in cured.items():
    runs = [(rate[kind], seed) for seed in range(3)]
    moved_too = [with_moved(splits[seed]) for seed in range(3)]
    for (_, seed), (model, _) in zip(runs, train(kind, runs, epochs=EPOCHS // 5, parts=moved_too)):
        own = splits[seed]
        tests = [moved(own.x_test, *side) for side in FOUR_SIDES]
        found.append(np.mean([evaluate(model, VIEWS[kind](x), own.y_test)[1] for x in tests]))
for kind, found in cured.items():
    print(f"{kind}, moved by one pixel: {np.mean(found):.1%}")
    assert np.mean(found) > correct[kind][:, 1].mean() + 0.1
assert np.mean(cured["CNN"]) - np.mean(cured["MLP"]) < 0.02

# %% [markdown]
# Both networks win most of it back, and the CNN's lead on moved digits is gone: what an architecture does not know, data can teach it. Here such data was cheap to make.
#
# **What this does not show.** How the two compare at other sizes, or with more training: on these digits both are within {{ np.ceil(100 * (1 - correct["MLP"][:, 0].mean())):.0f}} points of perfect, and {{ len(data.y_test) }} test pictures cannot tell much apart. The rate for shuffled pixels was taken over from the CNN. And an 8×8 picture is hardly a picture; clothes of 28×28 pixels follow below, where the data is found.
#
# ## What it has learnt
#
# Here are the eight filters of the first layer, before and after training. For a picture of one channel, a filter is itself a small picture: blue where ink raises the answer, orange where it lowers it.

# %% tags=["remove-input"]
rng = np.random.default_rng([SEED, 1])
start = small_cnn(1, 8, 10, rng=rng).params["0.weight"]
end = cnn.params["0.weight"]


def filters_figure(stacks, names):
    """Rows of filters, one scale for all of them."""
    fig, ax = plt.subplots(figsize=(4.9, 0.35 + 0.95 * len(stacks)))
    high = max(np.abs(stack).max() for stack in stacks)
    for y, (stack, name) in enumerate(zip(stacks, names)):
        top = 2.0 * (len(stacks) - y)
        ax.text(0, top + 0.12, name, va="bottom")
        for k, kernel in enumerate(stack[:, 0]):
            tile(ax, kernel, 1.2 * k, top, 1.0, cmap=SIGNED, low=-high, high=high)
    ax.set(xlim=(-0.05, 9.5), ylim=(0.9, 2.0 * len(stacks) + 0.7), aspect="equal")
    ax.axis("off")
    return fig


growth = np.linalg.norm(end) / np.linalg.norm(start)
alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(start, end)]
show(
    filters_figure((start, end), ("before training", "after training")),
    name="filters",
    alt=(
        f"Eight filters of 5 by 5 before and after training. They have grown {growth:.1f} times, "
        f"and each still resembles its beginning: correlations from {min(alike):.2f} to "
        f"{max(alike):.2f}."
    ),
    caption=(
        "Blue: positive weights, orange: negative, white: 0, one scale for all. "
        "Each filter has grown, and its pattern can still be recognised."
    ),
)
assert min(alike) > 0.4 and growth > 1.2

# %% [markdown]
# If you hoped for clean edge detectors, there are none here. The filters have become {{ growth:.1f}} times as large, and each can still be recognised: correlations with its own beginning run from {{ min(alike):.2f}} to {{ max(alike):.2f}}. It seems that more was not needed. Eight random filters already see different things, and the layers behind them can learn to use what they get. The well-known pictures of filters that have become edges and colours come from networks trained on a million photographs ([@zeiler2014]).
#
# ## What it gets wrong
#
# All test answers of the twenty CNNs, counted: a row is what was drawn, a column what was predicted.


# %% tags=["remove-input"]
def confusion_figure(counts, names, *, rotation=0, size=4.9):
    """A table of counts, shaded within each row; the diagonal in blue, mistakes in orange."""
    fig, ax = plt.subplots(figsize=(size, size - 0.2))
    n = len(counts)
    off = counts - np.diag(np.diag(counts))
    for i, j in np.ndindex(n, n):
        if not counts[i, j]:
            continue
        strength = 0.18 if i == j else 0.1 + 0.5 * counts[i, j] / off.max()
        face = COLORS["blue" if i == j else "orange"]
        ax.add_patch(plt.Rectangle((j, i), 1, 1, color=face, alpha=strength, linewidth=0))
        ax.text(j + 0.5, i + 0.5, str(counts[i, j]), ha="center", va="center", fontsize=9,
                fontweight="normal" if i == j else "bold")
    ax.set(xlim=(0, n), ylim=(n, 0), aspect="equal")
    places = np.arange(n) + 0.5
    ax.set_xticks(places, names, rotation=rotation, ha="right" if rotation else "center",
                  rotation_mode="anchor" if rotation else "default")
    ax.set_yticks(places, names)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    return fig, ax


def with_article(digit):
    """A digit with its article."""
    return f"an {digit}" if str(digit).startswith("8") else f"a {digit}"


def answers(model, x, t):
    """Probabilities of all pictures, what was predicted, and how surely."""
    p = softmax(predict_logits(model, x).astype(np.float64))[0]
    return p.argmax(1), p.max(1), p[np.arange(len(t)), t]


counts = np.zeros((10, 10), int)
mistakes = []
for seed in SEEDS:
    own = splits[seed]
    given, sure, for_truth = answers(nets["CNN", seed], own.x_test, own.y_test)
    np.add.at(counts, (own.y_test, given), 1)
    mistakes += [
        (sure[k], own.x_test[k, 0], int(given[k]), int(own.y_test[k]))
        for k in np.flatnonzero(given != own.y_test)
    ]
asked, wrong = counts.sum(), len(mistakes)
off = counts - np.diag(np.diag(counts))
pair = np.unravel_index(off.argmax(), off.shape)
hardest = int(off.sum(1).argmax())
fig, ax = confusion_figure(counts, data.class_names)
ax.set(title="What was drawn, and what was predicted", xlabel="predicted", ylabel="drawn")
show(
    fig,
    name="digits-confusion",
    alt=(
        f"Confusion matrix of {asked:,} answers: {asked - wrong:,} on the diagonal, {wrong} off "
        f"it. The largest number off the diagonal is {off.max()}: "
        f"{with_article(pair[0])} called {pair[1]}."
    ),
    caption=(
        f"{asked:,} test answers of twenty networks. Blue: right. Orange: mistakes, the "
        f"stronger the more frequent. Empty: never. The strongest orange is "
        f"{with_article(pair[0])} called {pair[1]}."
    ),
)
assert counts.trace() > 0.95 * asked

# %% [markdown]
# {{ wrong }} of {{ f"{asked:,}" }} answers are wrong. The commonest mistake is {{ with_article(pair[0]) }} that is called {{ pair[1] }}, {{ off.max() }} times, and the digit most often missed is {{ hardest }}, {{ off.sum(1)[hardest] }} times out of {{ counts.sum(1)[hardest] }}.
#
# And which mistakes is the network *sure* of? Sort by the probability that it gave to the wrong answer:


# %% tags=["remove-input"]
def gallery(found, names, columns=4):
    """Pictures with what was predicted, how surely, and what is true."""
    rows = -(-len(found) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(5.2, 1.95 * rows))
    for ax, (sure, image, given, true) in zip(axes.flat, found):
        ax.imshow(image, cmap=INK, vmin=0, vmax=1, interpolation="none")
        percent = "> 99.99 %" if sure > 0.9999 else f"{100 * sure:.2f} %"
        ax.set_title(f"called {names[given]},\n{percent}", fontsize=9, fontweight="normal")
        ax.set_xlabel(f"is {names[true]}", fontsize=9)
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        for spine in ax.spines.values():
            spine.set_visible(True)
    return fig


def distinct(found, count):
    """The surest mistakes, each picture once."""
    seen, kept = set(), []
    for entry in sorted(found, key=lambda entry: -entry[0]):
        if entry[1].tobytes() not in seen:
            seen.add(entry[1].tobytes())
            kept.append(entry)
    return kept[:count]


surest = distinct(mistakes, 8)
culprits = len({entry[1].tobytes() for entry in mistakes})
tested = len({x.tobytes() for own in splits.values() for x in own.x_test})
show(
    gallery(surest, data.class_names),
    name="digits-mistakes",
    alt=(
        "Eight digits that were named wrongly with the highest confidence, from "
        f"{surest[0][0]:.2%} to {surest[-1][0]:.2%}: "
        + ", ".join(f"{with_article(true)} called {given}" for _, _, given, true in surest)
        + "."
    ),
    caption=(
        "The eight surest mistakes of the twenty networks, each picture once. Above: what was "
        "predicted and how surely; below: the label. Cover the labels, and decide for yourself "
        "first."
    ),
)
SURE = 0.99
very_sure = sum(entry[0] > SURE for entry in mistakes)
right = round(correct["CNN"][0, 0] * len(data.y_test))
low, high = wilson(right / len(data.y_test), len(data.y_test))
assert right == round(evaluate(cnn, data.x_test, data.y_test)[1] * len(data.y_test))

# %% [markdown]
# {{ very_sure }} of the {{ wrong }} wrong answers were given with a confidence of more than {{ SURE:.0%}}. Training drives the loss of the pictures that it sees towards 0, and a network that has become sure of those is sure of others too. [Softmax](../layers/softmax.py) measures this, and has a cure. The mistakes also come from few pictures: {{ culprits }} of the {{ f"{tested:,}" }} that were tested account for all of them.
#
# **How good is it, then?** The network of the first figure names {{ right }} of {{ len(data.y_test) }} test digits correctly, {{ correct["CNN"][0, 0]:.1%}}. [Wilson's interval](iris.py) (1927) for that runs from {{ low:.1%}} to {{ high:.1%}}. Say both, or say nothing.
#
# ## Clothes instead of digits
#
# Fashion-MNIST ([@xiao2017]) was made because handwritten digits had become too easy: grey pictures of 28×28 pixels, ten kinds of clothes, in the files of MNIST. It is too large to come with this book. Where it is not found, this section shows what a recorded training reached.

# %% tags=["remove-input"]
try:
    clothes = fashion_mnist(seed=SEED)
except FileNotFoundError:
    clothes = None
    display(Markdown(
        '!!! warning "Fashion-MNIST was not found when this page was built"\n'
        "    So the networks of this page have not seen it. Fetch it "
        "with `python -m nn_tutorial.data download fashion-mnist`, or name the folder that holds "
        "it in the environment variable `NN_TUTORIAL_DATA`, and build the page again: the curves, "
        "the confusion matrix and the most confident mistakes then appear in this place."
    ))

# %% tags=["remove-input"]
if clothes is None:
    recorded = read_record(Path("docs/records/fashion-mnist.json"))
    kinds = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat",
             "Sandal", "Shirt", "Sneaker", "Bag", "Boot")
    table = np.array(recorded["test"]["confusion"])
    share, n = recorded["test"]["accuracy"], int(table.sum())
    assert recorded["data"]["name"] == "Fashion-MNIST" and np.isclose(np.trace(table) / n, share)
    mark = " (re-split)" if recorded["data"]["split"] == "re-split" else ""
    taken = table - np.diag(np.diag(table))
    one, two = np.unravel_index(np.triu(taken + taken.T).argmax(), taken.shape)
    bottom, top = wilson(share, n)
    fig, ax = confusion_figure(table, kinds, rotation=45, size=5.4)
    ax.set(title=f"Recorded, PyTorch: Fashion-MNIST{mark}", xlabel="predicted", ylabel="is")
    show(
        fig,
        name="clothes-recorded",
        alt=(
            f"Confusion matrix of {n:,} clothes{mark}, from the record of a larger network. Most "
            f"often taken for each other: {kinds[one]} and {kinds[two]}, "
            f"{taken[one, two] + taken[two, one]} times."
        ),
        caption=(
            f"All {n:,} test pictures{mark}, named by the recorded network. Blue: right. Orange: "
            f"mistakes, the stronger the more frequent. {kinds[one]} and {kinds[two]} are most "
            "often taken for each other."
        ),
    )
    display(Markdown(
        "This is not the network of this page. It is the larger one of "
        "[a CNN for Fashion-MNIST](../pytorch/fashion_mnist.py), in PyTorch, with four "
        f"convolutions and {recorded['network']['parameters']:,} parameters. It saw "
        f"{recorded['data']['sizes'][0]:,} training pictures {len(recorded['epochs'])} times and "
        f"names **{share:.1%}** of the test pictures correctly{mark}, with an interval from "
        f"{bottom:.1%} to {top:.1%}. "
        + ("The test part is not the official one, so that no number from it may be compared with "
           "published ones. " if mark else "")
        + f"Of its {taken.sum():,} mistakes, {taken[one, two] + taken[two, one]} are between "
        f"{kinds[one]} and {kinds[two]}."
    ))

# %% [markdown]
# {{ "The experiment is the same" if clothes is not None else "With the files, the experiment of the digits is run here once more" }}: the same small CNN, an MLP of equal size, a learning rate for each, the one of three with the lowest validation loss for one seed, then five seeds, of which that is the first. A seed decides the initial weights, the order, and which training pictures are used.

# %%
CLOTHES_SEEDS, CLOTHES_EPOCHS, USED, WATCHED = range(5), 3, 10_000, 5_000
CLOTHES_RATES = (0.01, 0.03, 0.1)
dressed, dressed_history = {}, {}


def train_on_clothes(kind, lr, seed):
    rng = np.random.default_rng([seed, 1])
    model = mlp(784, [big_width], 10, rng=rng) if kind == "MLP" else small_cnn(rng=rng)
    view, chosen = VIEWS[kind], rng.permutation(len(clothes.y_train))[:USED]
    history = fit(model, (view(clothes.x_train[chosen]), clothes.y_train[chosen]),
                  (view(clothes.x_val[:WATCHED]), clothes.y_val[:WATCHED]),
                  epochs=CLOTHES_EPOCHS, batch_size=64,
                  optimizer=SGD(model.params, lr, momentum=0.9), rng=rng, keep_best=False)
    return model, history


if clothes is not None:
    big = small_cnn(rng=np.random.default_rng(SEED))
    big_counts = (784 + 1) * widths + 10 * (widths + 1)
    big_width = int(widths[np.abs(big_counts - parameters(big)).argmin()])
    picked = {}
    for kind in ("CNN", "MLP"):
        tries = {lr: train_on_clothes(kind, lr, 0) for lr in CLOTHES_RATES}
        picked[kind] = min(CLOTHES_RATES, key=lambda lr: tries[lr][1].val_loss[-1])
        for seed in CLOTHES_SEEDS:
            found = tries[picked[kind]] if seed == 0 else None
            found = found or train_on_clothes(kind, picked[kind], seed)
            dressed[kind, seed], dressed_history[kind, seed] = found

# %% tags=["remove-input"]
if clothes is not None:
    named = {
        kind: np.array([
            evaluate(dressed[kind, seed], VIEWS[kind](clothes.x_test), clothes.y_test)[1]
            for seed in CLOTHES_SEEDS
        ])
        for kind in ("CNN", "MLP")
    }
    tag = " (re-split)" if clothes.split == "re-split" else ""
    whose = {
        "official": "The test part is the one that its authors set apart.",
        "re-split": (
            "**These files are re-split:** their test part is not the one that the data set's "
            "authors set apart. So every number here carries the word, and none of them may be "
            "compared with published ones."
        ),
    }.get(clothes.split, "Who drew the test part is not known.")
    rival_size = parameters(dressed["MLP", 0])
    assert abs(rival_size / parameters(big) - 1) < 0.01
    display(Markdown(
        f"Found. {whose} Of {len(clothes.y_train):,} training pictures each network sees "
        f"{USED:,}, {CLOTHES_EPOCHS} times; {WATCHED:,} of the validation pictures are asked after "
        f"each epoch, and all {len(clothes.y_test):,} of the test at the end. That is little, so that the page is built in a "
        f"minute. The CNN has {parameters(big):,} parameters and gets a rate of {picked['CNN']}; the "
        f"MLP, with {big_width} hidden units, has {rival_size:,} and gets {picked['MLP']}."
    ))

# %% tags=["remove-input"]
if clothes is not None:
    fig, axes = curves_figure(dressed_history, ("CNN", "MLP"), CLOTHES_SEEDS)
    axes[0, 0].set(xticks=range(1, CLOTHES_EPOCHS + 1))
    ends = {
        kind: np.mean([dressed_history[kind, s].val_loss[-1] for s in CLOTHES_SEEDS])
        for kind in ("CNN", "MLP")
    }
    for kind in ("CNN", "MLP"):
        runs = [dressed_history[kind, seed] for seed in CLOTHES_SEEDS]
        falling = np.mean([run.val_loss for run in runs], axis=0)
        assert (np.diff(falling) < 0).all()
        assert np.mean([run.train_loss[-1] for run in runs]) > falling[-1] - 0.05
    axes[0, 0].set_ylim(bottom=ends["CNN"] - 0.12)
    axes[0, 0].text(0.5, 0.8, "training", color=COLORS["blue"], fontsize=9,
                    transform=axes[0, 0].transAxes)
    axes[0, 0].text(0.08, 0.07, "validation", color=COLORS["orange"], fontsize=9,
                    transform=axes[0, 0].transAxes)
    show(
        fig,
        name="clothes-curves",
        alt=(
            f"Fashion-MNIST{tag}: loss and accuracy over {CLOTHES_EPOCHS} epochs. The CNN's "
            f"validation loss ends at {ends['CNN']:.2f} nats, the MLP's at {ends['MLP']:.2f}."
        ),
        caption=(
            f"Fashion-MNIST{tag}, as in the figure for digits; five seeds. At the right ends the "
            "losses are still falling and the two lines lie together, so there is no sign yet of "
            "learning by heart."
        ),
    )

# %% tags=["remove-input"]
if clothes is not None:
    ahead = named["CNN"] - named["MLP"]
    mean, low, high = paired(named["CNN"], named["MLP"], 0)
    assert mean > 0
    best = dressed["CNN", 0]
    n = len(clothes.y_test)
    bottom, top = wilson(named["CNN"][0], n)
    given, sure, for_truth = answers(best, clothes.x_test, clothes.y_test)
    worn = np.zeros((10, 10), int)
    np.add.at(worn, (clothes.y_test, given), 1)
    worn_off = worn - np.diag(np.diag(worn))
    missed = worn_off.sum(1)
    worst = int(missed.argmax())
    trouble = int((worn_off.sum(0) + missed).argmax())  # in most mistakes, in either role
    # Both directions of a pair count as one confusion.
    both = np.triu(worn_off + worn_off.T)
    a, b = np.unravel_index(both.argmax(), both.shape)
    display(Markdown(
        f"| Fashion-MNIST{tag} | test accuracy, five seeds (%) | lowest to highest |\n"
        "|---|---|---|\n"
        + "\n".join(
            f"| {kind} | {100 * named[kind].mean():.1f} ± {100 * named[kind].std(ddof=1):.1f} | "
            f"{100 * named[kind].min():.1f} to {100 * named[kind].max():.1f} |"
            for kind in ("CNN", "MLP")
        )
        + f"\n\nThe CNN is ahead by {100 * mean:.1f} points{tag}; the 95\u00a0% interval over the "
        f"seeds runs from {100 * low:.1f} to {100 * high:.1f}, and it is ahead with "
        f"{(ahead > 0).sum()} of {len(ahead)} seeds. All networks see the same {n:,} test "
        "pictures, so this interval is about the luck of training, not that of the test part. For "
        f"the first network alone Wilson's interval of the accuracy is {bottom:.1%} to "
        f"{top:.1%}{tag}: with {n:,} test pictures it is narrow at last.\n\n"
        "The price: for each picture the CNN multiplies "
        f"{sum(p[3] for p in anatomy(big, clothes.x_test)) / (784 * big_width + 10 * big_width):.0f}"
        " times as often as the MLP."
    ))

# %% tags=["remove-input"]
if clothes is not None:
    short = [name.replace("T-shirt/top", "T-shirt").replace("Ankle boot", "Boot")
             for name in clothes.class_names]
    fig, ax = confusion_figure(worn, short, rotation=45, size=5.4)
    ax.set(title=f"Fashion-MNIST{tag}", xlabel="predicted", ylabel="is")
    show(
        fig,
        name="clothes-confusion",
        alt=(
            f"Confusion matrix of {n:,} clothes{tag}. Most often missed: {short[worst]}, "
            f"{missed[worst]} times. Most often taken for each other: {short[a]} and {short[b]}, "
            f"{both.max()} times."
        ),
        caption=(
            f"All {n:,} test pictures{tag}, named by one CNN. Blue: right. Orange: mistakes, the "
            f"stronger the more frequent. The row and the column of {short[trouble]} hold more "
            "mistakes than those of any other class."
        ),
    )
    feet = [clothes.class_names.index(k) for k in ("Sandal", "Sneaker", "Ankle boot")]
    trunk = [clothes.class_names.index(k) for k in ("T-shirt/top", "Pullover", "Coat", "Shirt")]
    across = worn[np.ix_(feet, trunk)].sum() + worn[np.ix_(trunk, feet)].sum()
    among = worn_off[np.ix_(feet, feet)].sum(), worn_off[np.ix_(trunk, trunk)].sum()
    assert across < min(among) / 5
    display(Markdown(
        f"**{short[trouble]}** is in most mistakes{tag}: {missed[trouble]} of "
        f"{worn.sum(1)[trouble]:,} were missed ("
        + ", ".join(
            f"{worn_off[trouble, k]} called {short[k]}"
            for k in np.argsort(-worn_off[trouble])[:4]
        )
        + f"), and {worn_off.sum(0)[trouble]} others were called {short[trouble]}. The two kinds "
        f"most often taken for each other are {short[a]} and {short[b]}, {both.max()} times in "
        "both directions together. "
        + (f"Most often missed is {short[worst]}, {missed[worst]} times." if worst != trouble
           else "")
        + "\n\n"
        f"Among sandals, sneakers and boots there are {among[0]} mistakes, among T-shirts, "
        f"pullovers, coats and shirts {among[1]}, and from one of these groups to the other "
        f"{across}{tag}. No label says that some things are for the feet and some for the trunk."
    ))

# %% tags=["remove-input"]
if clothes is not None:
    slips = [
        (sure[k], clothes.x_test[k, 0], int(given[k]), int(clothes.y_test[k]))
        for k in np.flatnonzero(given != clothes.y_test)
    ]
    surest_clothes = distinct(slips, 8)
    show(
        gallery(surest_clothes, short),
        name="clothes-mistakes",
        alt=(
            f"Eight clothes{tag} named wrongly with the highest confidence, from "
            f"{surest_clothes[0][0]:.2%} to {surest_clothes[-1][0]:.2%}: "
            + ", ".join(f"{short[t]} called {short[g]}" for _, _, g, t in surest_clothes)
            + "."
        ),
        caption=(
            f"The eight surest mistakes on the test part{tag}. Would you have known? Some of these "
            "labels you may doubt, too."
        ),
    )
    show(
        filters_figure((dressed["CNN", 0].params["0.weight"],), (f"Fashion-MNIST{tag}",)),
        name="clothes-filters",
        alt="Eight filters of 5 by 5 after training on clothes: patches of both signs.",
        caption=(
            "The first filters after training on clothes, on a scale of their own. Blue: positive, "
            "orange: negative."
        ),
    )

# %% [markdown]
# ## Common mistakes
#
# Each of these was made on the digits, with the network of the experiment; the right way beside it is always `cnn`, which you have seen all along. None of the mistakes raises an error.


# %%
def attempt(x, labels, *, layers=None, epochs=EPOCHS):
    """Train a CNN in one wrong way; returns it, its first loss and its history."""
    rng = np.random.default_rng([SEED, 1])
    model = small_cnn(x.shape[1], 8, 10, rng=rng)
    if layers:
        model = Sequential(*layers(model.layers))
    first, _ = evaluate(model, x, labels)
    history = fit(model, (x, labels), optimizer=SGD(model.params, rate["CNN"], momentum=0.9),
                  epochs=epochs, batch_size=32, rng=rng, keep_best=False)
    return model, first, history


test = data.x_test, data.y_test

# %% [markdown]
# ### Pixels from 0 to 255
#
# Image files hold whole numbers from 0 to 255. Forget to divide:

# %%
fresh = small_cnn(1, 8, 10, rng=np.random.default_rng([SEED, 1]))
right_way = cnn, evaluate(fresh, data.x_train, data.y_train)[0], cnn_history
wrong_way = attempt(255 * data.x_train, data.y_train)
for scale, (model, first, history) in ((1, right_way), (255, wrong_way)):
    loss, accuracy = evaluate(model, test[0] * np.float32(scale), test[1])
    print(f"{scale:>3}: loss {first:.1f} to {history.train_loss[-1]:.3f}, test {accuracy:.0%}")
assert first > 100 and accuracy < 0.2 and abs(history.train_loss[-1] - np.log(10)) < 0.05

# %% [markdown]
# The symptom comes before the first step: a loss of {{ first:.0f}}, where {{ np.log(10):.1f}} is the price of knowing nothing. All numbers in the network are {{ scale }} times as large, and so are the gradients of the first filters. The first steps throw the network into a state from which it does not come back. Which state that is, the next mistake shows. **Look at the first loss before you look at anything else.**
#
# ### A learning rate that is too high
#
# At 0.1 the MLP did well and the CNN failed. Watch it fail. Below the loss you see the share of the 64 hidden units that are silent, 0 for *every* training picture.

# %%
rng = np.random.default_rng([SEED, 1])
hasty = small_cnn(1, 8, 10, rng=rng)
optimizer, loss_of, silent = SGD(hasty.params, 0.1, momentum=0.9), [], []
for _ in range(30):
    history = fit(hasty, (data.x_train, data.y_train), optimizer=optimizer, epochs=1,
                  batch_size=32, rng=rng, keep_best=False)
    hidden = Sequential(*hasty.layers[:9])(data.x_train)
    loss_of.append(history.train_loss[0])
    silent.append(100 * np.mean((hidden == 0).all(axis=0)))
assert min(loss_of) < 0.7 and abs(loss_of[-1] - np.log(10)) < 0.05 and silent[-1] > 95

# %% tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(4.9, 4.2), sharex=True)
epoch = np.arange(1, len(loss_of) + 1)
axes[0].plot(epoch, loss_of, "o-", color=COLORS["orange"], markersize=3.5)
axes[0].axhline(np.log(10), color=COLORS["muted"], linestyle="--", linewidth=1)
axes[0].text(1, np.log(10) + 0.05, "log 10: knows nothing", va="bottom", fontsize=9)
axes[0].set(title="It learns, then it dies", ylabel="training loss (nats)", ylim=(0, 2.9))
axes[1].plot(epoch, silent, "s-", color=COLORS["blue"], markersize=3.5)
axes[1].set(xlabel="epoch", ylabel="silent units (%)", ylim=(-4, 104))
show(
    fig,
    name="dead-units",
    alt=(
        f"Training loss and share of silent hidden units over {len(loss_of)} epochs at a rate of "
        f"0.1. The loss falls to {min(loss_of):.2f}, then rises to log 10 and stays; the share of "
        f"silent units ends at {silent[-1]:.0f} %."
    ),
    caption=(
        "One network, a learning rate of 0.1. The epochs in which the loss goes up again are those "
        "in which the units fall silent."
    ),
)

# %% [markdown]
# A step that is too large can push a unit below 0 for all pictures. Then [its ReLU](../layers/relu.py) passes no gradient, nothing moves it any more, and it is dead. With all of them dead only the last bias still learns, and the best that it can express is how common each digit is. **A loss that stays at $\log 10$ to the second digit** is the symptom, however it came about. To check, count the silent units.
#
# ### A flatten that mixes pictures
#
# In memory our layers keep the batch last ([why](../verify/speed.py)). If you know that, and flatten what lies in memory instead of what the axes say, you get the right *shape*:


# %%
class MemoryFlatten(Flatten):
    """Wrong: reads C, H, W, N as they lie in memory, so a row holds pixels of many pictures."""

    def forward(self, x, *, train=True):
        return np.ascontiguousarray(x.transpose(1, 2, 3, 0)).reshape(len(x), -1), x.shape

    def backward(self, dy, cache, *, need_dx=True):
        n, c, h, w = cache
        return dy.reshape(c, h, w, n).transpose(3, 0, 1, 2), {}


class TwistedFlatten(Flatten):
    """Wrong: flattens channel after channel, and puts the gradient back pixel after pixel."""

    def backward(self, dy, cache, *, need_dx=True):
        n, c, h, w = cache
        return dy.reshape(n, h, w, c).transpose(0, 3, 1, 2), {}


# %%
def passes(layer):
    """Whether a flatten has the gradient of what it computes."""
    x = rng.standard_normal((2, 3, 2, 2))
    try:
        gradient_check(layer.forward, lambda dy, cache: layer.backward(dy, cache)[0], [x],
                       rng=rng).raise_if_above(1e-6)
    except GradientError:
        return False
    return True


def using(kind):
    return lambda layers: [kind() if isinstance(layer, Flatten) else layer for layer in layers]


verdicts = []
print("               test  check  alone")
for kind in (Flatten, MemoryFlatten, TwistedFlatten):
    model = cnn
    if kind is not Flatten:
        model, _, _ = attempt(data.x_train, data.y_train, layers=using(kind))
    alone = np.abs(model(test[0][:1]) - model(test[0][:9])[:1]).max() < 1e-3
    verdicts.append((passes(kind()), alone))
    print(f"{kind.__name__:<14} {evaluate(model, *test)[1]:4.0%}  "
          f"{'pass' if verdicts[-1][0] else 'fail'}   {'same' if alone else 'other'}")
assert verdicts == [(True, True), (True, False), (False, True)]

# %% [markdown]
# The columns are the test accuracy, the gradient check of the layer, and whether a picture gets the same answer alone as in a batch. The two mistakes have opposite symptoms. `MemoryFlatten` has a *right* gradient, that of a wrong function, and learns nothing. What gives it away is the answer to a picture that comes alone: **compare a batch with its first picture**. `TwistedFlatten` sends each channel's gradient to other places, and the network learns all the same, since everything behind the flatten still gets its right gradient. Only the gradient check sees it.
#
# ### Channels last, fed as channels first
#
# Many libraries hand out colour pictures as $(N, H, W, C)$. A convolution that expects $(N, C, H, W)$ will complain, so make it fit. `transpose` moves the axes. `reshape` gives the same shape, and another picture:

# %%
def tinted(x, rng):
    """Digits drawn in a random colour each, channels last."""
    return x.transpose(0, 2, 3, 1) * rng.uniform(0.2, 1, (len(x), 1, 1, 3)).astype(np.float32)


def by_transpose(x):
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def by_reshape(x):
    return x.reshape(len(x), 3, 8, 8)


in_colour = []
for seed in range(3):
    own, draw = splits[seed], np.random.default_rng(seed)
    in_colour.append((tinted(own.x_train, draw), tinted(own.x_test, draw)))
    assert by_reshape(in_colour[-1][0]).shape == by_transpose(in_colour[-1][0]).shape
coloured = {}
for way in (by_transpose, by_reshape):
    rngs = [np.random.default_rng([seed, 1]) for seed in range(3)]
    models = [small_cnn(3, 8, 10, rng=rng) for rng in rngs]
    fit_many(models, [(way(x), splits[seed].y_train) for seed, (x, _) in enumerate(in_colour)],
             optimizer=partial(SGD, momentum=0.9), lr=rate["CNN"], epochs=10, batch_size=32,
             rngs=rngs)
    coloured[way] = [evaluate(model, way(x), splits[seed].y_test)[1]
                     for seed, (model, (_, x)) in enumerate(zip(models, in_colour))]
for way, found in coloured.items():
    print(f"{way.__name__:<13} test accuracy {np.mean(found):.1%}")
lost = np.array(coloured[by_transpose]) - np.array(coloured[by_reshape])
assert lost.mean() > 0

# %% tags=["remove-input"]
example = tinted(data.x_test[shown : shown + 1], np.random.default_rng(SEED))
fig, ax = plt.subplots(figsize=(4.9, 2.7))
for y, (way, text) in enumerate(((by_transpose, "transposed"), (by_reshape, "reshaped"))):
    for k, channel in enumerate(way(example)[0]):
        tile(ax, channel, 1.2 * k, 2.6 - 1.3 * y, 1.0)
    ax.text(3.55, 2.1 - 1.3 * y, text, va="center")
for k, name in enumerate(("red", "green", "blue")):
    ax.text(1.2 * k + 0.5, 2.68, name, ha="center", va="bottom")
ax.set(xlim=(-0.05, 4.9), ylim=(0.2, 3.0), aspect="equal")
ax.axis("off")
show(
    fig,
    name="channels",
    alt=(
        "The three channels of a tinted digit. Transposed, each shows the digit in another "
        "brightness. Reshaped, each shows stripes: a third of the digit, with the colours mixed."
    ),
    caption="One picture, two ways to the same shape. In the lower row no channel is a digit.",
)

# %% [markdown]
# No shape is wrong, every gradient is right, and the accuracy is still respectable: {{ 100 * lost.mean():.1f}} points lower on average over three seeds, lower with {{ int((lost > 0).sum()) }} of them. You would blame the learning rate. **Look at a picture as the network gets it.** It takes one line.
#
# ### Pictures shuffled without their labels

# %%
mixed = data.x_train[np.random.default_rng(SEED).permutation(len(data.x_train))]
model, _, history = attempt(mixed, data.y_train, epochs=50)
learnt, tested_as = history.train_accuracy[-1], evaluate(model, *test)[1]
print(f"loss: {history.train_loss[9]:.2f} after 10 epochs, {history.train_loss[-1]:.2f} after 50")
print(f"accuracy: training {learnt:.0%}, test {tested_as:.0%}")
assert history.train_loss[9] > 2 and learnt > 2 * tested_as and tested_as < 0.2

# %% [markdown]
# The training loss waits at $\log 10$ for many epochs, and then it falls: the network is learning {{ f"{len(mixed):,}" }} pictures by heart. The test accuracy stays at chance. **A training curve that falls proves nothing about your data**; the validation curve beside it does. For the same reason, an accuracy that was measured on the training part is not a result: the CNNs of the experiment reach {{ last("CNN", "train_accuracy"):.1%}} there, and {{ correct["CNN"][:, 0].mean():.1%}} on the test.
#
# ### The ReLU that is not missed
#
# Leave out *every* ReLU. A network without bends is one linear map, so it should fall back to what softmax regression can do. Should it not?


# %%
def without_relu(layers):
    return [layer for layer in layers if not isinstance(layer, ReLU)]


def mean_pooled(layers):
    """Neither ReLU nor maximum."""
    return [AvgPool2d(2) if isinstance(layer, MaxPool2d) else layer
            for layer in without_relu(layers)]


def bend(model):
    """How far the network is from linear: f(a + b) − f(a) − f(b) + f(0), the largest."""
    a, b = data.x_test[:50], data.x_test[50:100]
    return np.abs(model(a + b) - model(a) - model(b) + model(0 * a)).max()


straight = {}
for layers in (None, without_relu, mean_pooled):
    model = cnn
    if layers:
        model, _, _ = attempt(data.x_train, data.y_train, layers=layers)
    straight[layers] = evaluate(model, *test)[1], bend(model)
    name = layers.__name__ if layers else "as it was"
    print(f"{name:<12} {straight[layers][0]:.1%}, bend {straight[layers][1]:.0e}")
assert straight[mean_pooled][1] < 1e-3 < 1 < straight[without_relu][1]
assert straight[mean_pooled][0] < straight[without_relu][0] - 0.01
assert abs(straight[without_relu][0] - straight[None][0]) < 0.02

# %% [markdown]
# Without ReLUs the network is about as good as with them, since **a max-pool bends as well**. Only when the pools take means is it a straight line, to rounding, and pays for it. A forgotten ReLU is therefore a mistake that neither the accuracy nor the gradient check will show you. To find it, print the model, and compare it with what you meant.
#
# ## In five lines
#
# - A network is two loops: forward through the layers, and backward through them with what each has kept.
# - If each layer's backward pass is right, so is the network's; check the whole all the same.
# - Our CNN takes PyTorch's steps; what differs is rounding, which training makes larger.
# - The CNN needs the neighbourhoods: with shuffled pixels it falls behind, and moved digits mislead it too.
# - Most mistakes raise no error: look at the loss before the first step, and at one picture alone.
#
# ## Try it

# %% tags=["remove-cell"]
logits, cache = tiny.forward(letter)
level = tiny.backward(softmax_cross_entropy(logits, np.array([1]))[1], cache)[1]
assert np.allclose(level["0.weight"][0, 0], np.log(2) / 5 * letter[0, 0, :3, :3], atol=1e-15)
rng, on_kink = np.random.default_rng(SEED), []
model = small_cnn(1, 8, 10, rng=rng)
model.params["0.bias"][0] = np.nextafter(np.float32(0), np.float32(1))
optimizer = SGD(model.params, LEARNING_RATE, momentum=0.9)
for _ in range(20):
    batch = rng.integers(0, len(data.x_train), 32)
    on_kink.append(our_step(model, optimizer, data.x_train[batch], data.y_train[batch]))
bias_apart = np.abs(np.array(on_kink) - single[0][:20])
assert bias_apart.max() > 1e-3 > max(apart(losses, 0, 100) for losses in against_itself)

# %% [markdown]
# ??? question "1. Why does the CNN need fewer parameters in its first layer than the MLP?"
#     A filter is used at every place, so it is stored once: 25 weights and a bias for each of 8 maps. A unit of the MLP has one weight per pixel, and what it has learnt in one place it does not know in another.
#
# ??? question "2. With a pencil: in the tiny network, let the truth be *level*. What is the gradient of the first filter?"
#     Now $P - T = (\tfrac15, -\tfrac15)$, so $\partial L/\partial r = \tfrac15 \ln 2 \cdot (1, -2)$, and the first filter gets $\tfrac15 \ln 2$ times the window at the upper left, with its column of ones. The sign has changed: the upright stroke is now evidence for the wrong class.
#
# ??? question "3. You compare your network with PyTorch's after a thousand steps, in float32, and the losses differ in the fourth digit. Is there an error?"
#     You cannot know. Ours differs from itself by as much when one bit is changed. Compare the first steps, in float64, where an error would show as more than about $10^{-12}$.
#
# ??? question "4. Change one *bias* from 0 to the smallest number above it, $10^{-45}$ in float32. How soon do the losses differ?"
#     At the second step, by {{ f"{bias_apart[1]:.0e}" }}, and by {{ f"{bias_apart[:20].max():.0e}" }} within twenty; a changed weight takes more than a hundred steps to do as much. Blank paper gives a convolution exactly 0 where the bias is 0, and the gate of the ReLU is shut. A bias of $10^{-45}$ opens it on all blank paper: the forward pass hardly changes, the gradient of the bias does. Digits begin *on* the kink.
#
# ??? question "5. For the notebook: cover a 3×3 patch of a test digit with blank paper, at all places in turn, and draw the probability of the right answer as a picture."
#     This is the occlusion map of Zeiler and Fergus (2014). Send all covered copies through `cnn` as one batch. Dark places are those that the network relies on. Then do it for one of the surest mistakes: which stroke misled it?
#
# ## Sources
#
# - LeCun, Bottou, Bengio and Haffner (1998), *Gradient-based learning applied to document recognition*, Proceedings of the IEEE: convolutions, shared weights and pooling, trained as one network on digits. Ours is a small relative.
# - Simard, Steinkraus and Platt (2003), *Best practices for convolutional neural networks applied to visual document analysis*, ICDAR: learning from distorted copies.
# - Xiao, Rasul and Vollgraf (2017), *Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms*, arXiv:1708.07747: the clothes.
# - Zeiler and Fergus (2014), *Visualizing and understanding convolutional networks*, ECCV: what filters and feature maps show, and occlusion.
# - He, Zhang, Ren and Sun (2015), *Delving deep into rectifiers: surpassing human-level performance on ImageNet classification*, ICCV: the initial weights.
# - Wilson (1927), *Probable inference, the law of succession, and statistical inference*, Journal of the American Statistical Association, and Nadeau and Bengio (2003), *Inference for the generalization error*, Machine Learning: the intervals.
