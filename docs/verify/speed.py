# ---
# title: How fast is it?
# description: A convolution in NumPy, from four loops to a small network that trains faster than PyTorch's on one core, and why a second thread and wide layers are PyTorch's.
# tags: [performance, convolution]
# ---

# %% [markdown]
# # How fast is it?
#
# "Python is slow", so a network in NumPy must be slow too. Here you see how long the layers of this book take beside PyTorch's, which ideas make the difference, and how much of the time no idea can remove, because it is the arithmetic itself.
#
# You need to know what a convolution computes; the shapes are those of [Notation and shapes](../foundations/notation.md).

# %% tags=["hide-input"]
import json
from pathlib import Path
from statistics import mean, median

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

import nn_tutorial as nt
from nn_tutorial.pages.plots import COLORS, show, show_source, use_style, value_grid

SEED = 0
use_style()
recorded = json.loads(Path("benchmarks/results.json").read_text(encoding="utf-8"))
on_avx2 = json.loads(Path("benchmarks/results-avx2.json").read_text(encoding="utf-8"))
experiments, inside = recorded["experiments"], recorded["inside"]
OURS, TORCH, CHANNELS_LAST = "nn_tutorial", "torch", "torch channels-last"


def ms(experiment, library=OURS, record=recorded):
    """The median of the recorded blocks, in milliseconds."""
    return record["experiments"][experiment]["libraries"][library]["median"] * 1e3


def best_of(experiment, record=recorded):
    """PyTorch in the layout in which it is faster here."""
    layouts = [name for name in record["experiments"][experiment]["libraries"] if TORCH in name]
    return min(layouts, key=lambda layout: ms(experiment, layout, record))


def row_of(experiment, record=recorded):
    """The recorded row that compares us with PyTorch's faster layout."""
    both = experiment, best_of(experiment, record)
    return next(r for r in record["rows"] if (r["experiment"], r["theirs"]) == both)


# %% tags=["remove-input"]
titles = {
    "small_cnn": "small CNN, training step",
    "small_cnn_2": "the same, two threads",
    "wide_cnn": "wide CNN, training step",
    "conv_1_8_5": "conv 1→8, 5×5",
    "conv_8_16_3": "conv 8→16, 3×3",
    "conv_32_64_3": "conv 32→64, 3×3",
    "conv_16_32_3_2": "conv 16→32, 3×3, stride 2",
    "max_pool": "max-pool 2×2",
    "iris": "Iris network, training step",
    "epoch": "small CNN, a whole epoch",
}
FASTER = best_of("small_cnn")
rows = {name: row_of(name) for name in titles}
rows_avx2 = {name: row_of(name, on_avx2) for name in titles}
fig, ax = plt.subplots(figsize=(5.2, 4.6))
for y, name in enumerate(reversed(titles)):
    row, other = rows[name], rows_avx2[name]
    ax.plot([row["q1"], row["q3"]], [y, y], color=COLORS["blue"], linewidth=5, alpha=0.35)
    ax.plot(row["ratio"], y, "o", color=COLORS["blue"], markersize=6)
    ax.plot(other["ratio"], y, "D", color=COLORS["green"], markersize=6, fillstyle="none")
    ax.plot([row["at_most"]] * 2, [y - 0.32, y + 0.32], color=COLORS["orange"], linewidth=2.5)
ax.axvline(1, color=COLORS["muted"], linestyle="--", linewidth=1)
ax.set_yticks(range(len(titles)), list(reversed(titles.values())))
farthest = max([row["q3"] for row in rows.values()] + [row["ratio"] for row in rows_avx2.values()])
ax.set(xlim=(0, 1.05 * farthest), xlabel="our time / PyTorch's time in its faster layout")
ax.text(0.95, len(rows) - 0.35, "faster ←", ha="right", color=COLORS["muted"], fontsize=9)
ax.text(1.05, len(rows) - 0.35, "→ slower", color=COLORS["muted"], fontsize=9)
ax.grid(visible=False, axis="y")
ahead, ahead_avx2 = (sum(r["q3"] < 1 for r in record.values()) for record in (rows, rows_avx2))
missed = sum(not row["holds"] for row in rows.values())
layers = [rows[name]["ratio"] for name in titles if name.startswith(("conv", "max"))]
for record in (rows, rows_avx2):
    assert all(record[name]["q3"] < 1 for name in ("small_cnn", "iris"))
    assert record["conv_32_64_3"]["q1"] > 1
assert min(layers) == rows["conv_1_8_5"]["ratio"] and max(layers) == rows["conv_32_64_3"]["ratio"]
show(
    fig,
    name="ratios",
    alt=(
        "Our time divided by PyTorch's, in the layout in which it is faster: "
        + ", ".join(f"{titles[name]} {row['ratio']:.2f}" for name, row in rows.items())
        + ". With all libraries held to AVX2: "
        + ", ".join(f"{row['ratio']:.2f}" for row in rows_avx2.values())
        + "."
    ),
    caption=(
        f"NumPy is the faster in {ahead} of {len(rows)} pieces of work with all instructions that the "
        f"processor has (blue), and in {ahead_avx2} if held to AVX2 (green), counted where three "
        "quarters of the turns are left of 1. A point is the ratio of medians, the blue band holds "
        "the middle half of the turns, and the orange bar is the goal that this project set itself "
        f"for the blue point. {missed} of {len(rows)} goals are missed."
    ),
)

# %% [markdown]
# These numbers were recorded on {{ recorded["date"][:10] }} by `make bench`, on {{ recorded["machine"]["cores"] }} cores of a processor that calls itself "{{ recorded["machine"]["cpu"] }}", with NumPy {{ recorded["versions"]["numpy"] }}, PyTorch {{ recorded["versions"]["torch"].split("+")[0] }} and scikit-learn {{ recorded["versions"]["scikit-learn"] }}. The times on this page come from that record, and from a second one, held to AVX2. On your machine the times will differ, and the ratios too: run `make bench` (and `python -m benchmarks --avx2`), and this page draws yours, or stops at a sentence that is not true of them.
#
# In short: on one core the small networks train faster here. The CNN takes {{ rows["small_cnn"]["ratio"]:.2f}} of PyTorch's time ({{ rows_avx2["small_cnn"]["ratio"]:.2f}} with AVX2), the Iris network {{ rows["iris"]["ratio"]:.2f}}. A single layer takes from {{ min(layers):.2f}} of it, for the narrowest convolution, to {{ max(layers):.2f}}, for the widest. A wide convolution is mostly arithmetic, and that PyTorch does faster. It also gains from a second thread, and our small network does not.
#
# Read the numbers with care. PyTorch is written for every shape, device and graph, and its default layout, NCHW, is often not its fastest on a processor. So it did all work on images in channels-last as well, and every ratio here is to the faster of the two. Nor does one processor speak for all. The green points come from the same machine with all libraries held to AVX2, as on a processor without AVX-512; a second processor was not measured.
#
# ## Shapes first
#
# | Symbol | In code | Meaning |
# |---|---|---|
# | $N$ | `n` | images in the batch, 64 in all that follows |
# | $C$, $F$ | `c`, `f` | channels of the input, and of the output (one per filter) |
# | $H$, $W$ | `h`, `w` | height and width of the input, in pixels |
# | $H'$, $W'$ | `oh`, `ow` | height and width of the output |
# | $k_h$, $k_w$ | `kh`, `kw` | height and width of a filter |
# | $x$ | `x` | the input, of shape $(N, C, H, W)$ |
# | $w$ | `weight` | the filters, of shape $(F, C, k_h, k_w)$ |
# | $y$ | `y` | the output, of shape $(N, F, H', W')$ |
#
# One number of the output costs $C k_h k_w$ multiplications and as many additions. A forward pass is therefore
#
# $$2 \cdot N H' W' \cdot F \cdot C k_h k_w$$
#
# operations, written as it stands. (Winograd's algorithm and Fourier transforms need fewer multiplications; none of our versions uses them.) What differs between the versions is how the numbers reach the processor.
#
# ## Four loops: the definition
#
# The most honest convolution walks over images, filters, rows and columns, and at each place multiplies a window by a filter.

# %% tags=["remove-input"]
show_source(nt.conv2d_loops)

# %% tags=["hide-input"]
loops = ms("loops", "loops")
places = 64 * (8 * 28 * 28 + 16 * 14 * 14)

# %% [markdown]
# With it, and with pooling in loops, one training step of the small network takes {{ loops / 1e3:.1f}} s. Its two convolutions visit {{ places:,}} windows forward and again backward, and each visit costs several calls from Python, which take far longer than the 25 or 72 multiplications inside. The processor waits for the interpreter.
#
# ## One product: im2col
#
# Write each window as a row of a matrix. The convolution is then one matrix product, and a matrix product is the one thing for which every machine has excellent code (BLAS). The idea is due to Chellapilla, Puri and Simard (2006).

# %% tags=["remove-input"]
show_source(nt.conv2d_im2col)

# %% [markdown]
# With pooling out of its loops too, the step falls to {{ ms("ideas", "im2col"):.1f}} ms, {{ loops / ms("ideas", "im2col"):.0f}} times as fast as in loops. The price is memory. Neighbouring windows share most of their pixels, and im2col copies a pixel once for each window it lies in: $k_h k_w$ times at stride 1.
#
# ## By hand: what must be copied?
#
# Take one image of 4×4 pixels, numbered 0 to 15, and a filter of 2×2. There are nine windows.

# %%
image = np.arange(16.0).reshape(1, 1, 4, 4)
weight = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
bias = np.zeros(1)
y, cache = nt.conv2d(image, weight, bias)
y_im2col, cache_im2col = nt.conv2d_im2col(image, weight, bias)
y_loops, _ = nt.conv2d_loops(image, weight, bias)
assert np.array_equal(y, y_loops)
assert np.array_equal(y_im2col, y_loops)
print(y[0, 0].astype(int))

# %% tags=["hide-input"]
first = [int(v) for v in cache_im2col.cols[0]]
copied_im2col = cache_im2col.cols.size
rows_stored = np.concatenate([cache.cols[0], cache.cols[1][2:], cache.cols[2][2:]])
copied_ours = rows_stored.size
dy = np.ones_like(y)
dx, dweight, dbias = nt.conv2d_backward(dy, cache)
for ours_, loops_ in zip(
    (dx, dweight, dbias), nt.conv2d_loops_backward(dy, nt.conv2d_loops(image, weight, bias)[1])
):
    assert np.array_equal(ours_, loops_)

# %% [markdown]
# The first window holds {{ first }}, and $1 \cdot {{ first[0] }} + 2 \cdot {{ first[1] }} + 3 \cdot {{ first[2] }} + 4 \cdot {{ first[3] }} = {{ int(y[0, 0, 0, 0]) }}$, the first number above. im2col stores nine windows of four, {{ copied_im2col }} numbers, for an image of {{ image.size }}.
#
# Now lay the image out twice, once as it is and once moved by one pixel to the left, row by row (below). That is {{ copied_ours }} numbers. Four rows that lie one under the other are all that one row of the output needs, and the four for the next begin two rows further down. They overlap, so they need no copy: a matrix product needs only a start and a distance between rows.
#
# Backwards, with an upstream gradient of ones: each weight gets the sum of the pixels it met, {{ dweight[0, 0].astype(int).tolist() }}, and each pixel the sum of the weights that met it, for the corner {{ int(dx[0, 0, 0, 0]) }} and for the middle {{ int(dx[0, 0, 1, 1]) }}.

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(5.4, 3.6), gridspec_kw={"width_ratios": [4, 3.6, 3.6]})
value_grid(axes[0], image[0, 0], title="image")
for ax, start, title in ((axes[1], 0, "output row 0"), (axes[2], 2, "output row 1")):
    lit = np.zeros(rows_stored.shape, bool)
    lit[start : start + 4] = True
    value_grid(
        ax, rows_stored, title=title, highlight=lit, color="blue" if start == 0 else "orange"
    )
show(
    fig,
    name="lowering",
    alt=(
        "Left an image of 4 by 4 pixels. Beside it, twice, the same eight rows of three numbers: "
        "each image row without its last pixel, then without its first. Rows 0 to 3 are marked for "
        "output row 0 and rows 2 to 5 for output row 1, so that two rows serve both."
    ),
    caption=(
        "Each row of the image is stored twice, the second time moved by one. Each column of a "
        "marked block is one window, read downwards, and the two blocks share rows without a copy."
    ),
)

# %% [markdown]
# ## Three ideas: the kernel of the package
#
# **Copy along the width only.** That was the example: $k_w$ copies instead of $k_h k_w$. [Cho and Brand (2017)](@cho2017) call it memory-efficient convolution.
#
# **Keep the batch last in memory.** Arrays have the shape $(N, C, H, W)$, but in memory the order is $H$, $C$, $W$, $N$: the same pixel of all 64 images lies together. Shifted views then move long runs of numbers, and as NumPy's functions keep the order of their input, nothing is transposed between one layer and the next.
#
# **Keep freed memory.** A step makes and drops arrays of megabytes. The C library gives such blocks back to the system and asks for them anew, and each new page of memory then costs a trap into the operating system. One large array, made and dropped when the package is imported, raises the limit above which it does so.

# %% tags=["remove-input"]
show_source(
    nt.conv2d,
    nt.layers.convolution._stacked,
    nt.layers.convolution._parts,
    nt.layers.convolution._met,
)

# %% [markdown]
# The copy is the loop over `v`, and `_met` keeps it off the padding, which stays zero; `cols` is a view, which `_stacked` makes. The product follows the formula
#
# $$y_{nfij} = b_f + \sum_{c,u,v} x_{n,\,c,\,s_h i + u - p_h,\,s_w j + v - p_w}\; w_{fcuv}$$
#
# with the sum over $u$, $v$, $c$ as the inner side of `np.matmul`, for all $N$ images and all pixels of an output row at once, or for a part of the row. Into how many parts a row is cut depends on the size of the product: `_parts` says why.
#
# ## The way back
#
# The hard part is the gradient of the input, because windows overlap and their gradients have to be added. Start from one pixel. Pixel $(a, q)$ meets the weight at $(u, v)$ for the output at $(i, j)$ where $a = s_h i + u - p_h$ and $q = s_w j + v - p_w$, and for no other. So
#
# $$\frac{\partial L}{\partial x_{ncaq}} = \sum_{f,i,j,u,v} \frac{\partial L}{\partial y_{nfij}}\, w_{fcuv}\,[a = s_h i + u - p_h]\,[q = s_w j + v - p_w]$$
#
# The two brackets can be undone one after the other, in the opposite order to the forward pass. Call $R_u$ the matrix that takes from the padded image the rows which row $u$ of the kernel meets, and $S_v$ the one that takes the columns which its column $v$ meets. The forward pass is $y = \sum_{u,v} W_{uv} R_u S_v x$ plus the bias, with $W_{uv}$ of shape $(F \times C)$. A transposed selection puts numbers back where they were taken from, and adds those that come to the same place:
#
# $$\boxed{\frac{\partial L}{\partial x} = \sum_v S_v^\top \sum_u R_u^\top\, W_{uv}^\top\, \frac{\partial L}{\partial y}}$$
#
# The inner sum is a matrix product, as in the forward pass. At stride 1, image row $a$ met the output rows $a + p_h - u$. They lie one under the other, so that stacking them takes no copy, and the sum over $u$ and $f$ is the inner side of one product. For all $v$ at once its shapes are $(k_w C \times k_h F) \cdot (k_h F \times W'N)$, for each image row. With a stride, a given image row meets only some rows of the kernel, which lie $s_h$ apart. At the edges it meets fewer rows of the output, and the product is a smaller one.

# %% tags=["remove-input"]
show_source(nt.conv2d_backward, nt.layers.convolution._to_rows)

# %% [markdown]
# `_to_rows` makes the sum over $u$, and `image[...] +=` that over $v$. In a network's first layer the input is the data, and nobody asks for its gradient: `need_dx=False` stops before both. PyTorch does not compute it either.
#
# ## An experiment: which idea is worth how much?
#
# You might expect the cleverest idea, the lowering, to be worth most. The same network was trained with the ideas added one after the other, in processes that took turns (the loops in a run of their own).

# %% tags=["remove-input"]
steps = [
    ("four loops", "loops", "loops"),
    ("im2col", "ideas", "im2col"),
    ("width only,\nbatch last", "ideas", "first dx computed"),
    ("no gradient\nfor the data", "ideas", "memory returned"),
    ("memory kept", "ideas", OURS),
]
fig, ax = plt.subplots(figsize=(5.3, 3.6))
for i, (_, experiment, library) in enumerate(steps):
    found = experiments[experiment]["libraries"][library]
    times = np.array([found["q1"], found["median"], found["q3"]]) * 1e3
    ax.bar(i, times[1], color=COLORS["blue"], width=0.6, alpha=0.85)
    ax.plot([i, i], times[[0, 2]], color=COLORS["text"], linewidth=2)
    ax.text(i, times[2] * 1.15, f"{times[1]:,.{0 if times[1] > 100 else 1}f} ms", ha="center")
ax.axhline(ms("small_cnn", FASTER), color=COLORS["orange"], linestyle="--")
ax.text(4.45, ms("small_cnn", FASTER) * 1.1, "PyTorch", color=COLORS["orange"], ha="right")
ax.set_xticks(range(len(steps)), [name for name, _, _ in steps])
ax.set(yscale="log", ylim=(1, loops * 4), ylabel="training step (ms)")
ax.grid(visible=False, axis="x")
ladder = [ms(experiment, library) for _, experiment, library in steps]
show(
    fig,
    name="ladder",
    alt=(
        "Time of a training step on a logarithmic scale, falling from left to right: "
        + ", ".join(
            f"{name.replace(chr(10), ' ')} {t:,.1f} ms" for (name, _, _), t in zip(steps, ladder)
        )
        + f". PyTorch's {ms('small_cnn', FASTER):.1f} ms lie above the last."
    ),
    caption=(
        "One training step of the small network, 64 images, one thread; the scale is logarithmic. "
        "No arithmetic separates the last two bars, only whether freed memory is kept. The short "
        "lines span the middle half of the blocks; PyTorch's time is that of the table below."
    ),
)

# %% [markdown]
# | Added | Step (ms) | Times faster than before |
# |---|---|---|
# | four loops | {{ ladder[0]:,.0f}} | |
# | im2col | {{ ladder[1]:.1f}} | {{ ladder[0] / ladder[1]:.0f}} |
# | width only, batch last | {{ ladder[2]:.1f}} | {{ ladder[1] / ladder[2]:.1f}} |
# | no gradient for the data | {{ ladder[3]:.1f}} | {{ ladder[2] / ladder[3]:.2f}} |
# | memory kept | {{ ladder[4]:.1f}} | {{ ladder[3] / ladder[4]:.1f}} |
#
# The verdict: leaving the interpreter is worth {{ ladder[0] / ladder[1]:.0f}}×, all the rest together {{ ladder[1] / ladder[4]:.1f}}×. Of that, the lowering with the batch last is worth {{ ladder[1] / ladder[2]:.1f}}×, and the dullest idea, a single line about freed memory, {{ ladder[3] / ladder[4]:.1f}}×. What this does not show: the order in which the ideas were added affects how the gain is shared out, another C library may keep memory by itself, and a wide network, where products take a larger part, was not tried.
#
# ## Where does the rest go?
#
# The arithmetic bounds what any code can do here (the roofline of Williams, Waterman and Patterson, 2009). Count the operations, and divide by the rate at which this machine multiplies two matrices of 1024×1024, measured in the same run.

# %% tags=["hide-input"]
products, rates = inside["products"], inside["rates"]
flop = sum(p["flop"] for p in products)
at_peak = flop / rates["flop_per_s"] * 1e3
alone = sum(p["seconds"] for p in products) * 1e3
parts = {}
for entry in inside["profile"]:
    key = entry["part"].split()[-1] if entry["part"][0].isdigit() else entry["part"]
    parts[key] = parts.get(key, 0) + entry["seconds"] * 1e3
profiled = sum(parts.values())
convolutions = parts["Conv2d"]
conv_products = sum(p["seconds"] for p in products if "Conv2d" in p["part"]) * 1e3
linear_products = alone - conv_products
product_share = alone / profiled
wide_rate = 6 * 64 * 14 * 14 * 64 * 32 * 9 / (ms("conv_32_64_3") / 1e3)
# wide_cnn: two products in its first layer, three in each of the others
wide_flop = 2 * 64 * (2 * 784 * 32 * 9 + 3 * (196 * 64 * 288 + 64 * 49 * 64 + 64 * 10))
of_step = {
    name: work / rates["flop_per_s"] * 1e3 / ms(name)
    for name, work in (("small_cnn", flop), ("wide_cnn", wide_flop))
}
assert of_step["wide_cnn"] > of_step["small_cnn"]
for record in (recorded, on_avx2):
    assert ms("small_cnn_2", FASTER, record) < 0.95 * ms("small_cnn", FASTER, record)
    assert ms("small_cnn_2", record=record) > 0.95 * ms("small_cnn", record=record)

# %% [markdown]
# | | |
# |---|---|
# | operations in one training step | {{ flop / 1e6:.0f}} million |
# | the rate of one large product, one core | {{ rates["flop_per_s"] / 1e9:.0f}} billion per second |
# | at that rate the arithmetic needs | {{ at_peak:.2f}} ms |
# | the same products in their own shapes, operands in cache | {{ alone:.2f}} ms |
# | the whole step, layer by layer | {{ profiled:.2f}} ms |
#
# Small and thin as the products of this network are, BLAS runs them at {{ at_peak / alone:.0%}} of the rate that one large product reached, because the layer hands them over in pieces that suit it. (That rate is a yardstick, and no upper bound.) They are {{ product_share:.0%}} of the step. The rest is the copy of the rows, masks and maxima, sums, and calls.

# %% tags=["remove-input"]
order = sorted(parts, key=parts.get)
fig, ax = plt.subplots(figsize=(5.2, 3.6))
for y, name in enumerate(order):
    inner = {"Conv2d": conv_products, "Linear": linear_products}.get(name, 0)
    ax.barh(y, parts[name], color=COLORS["blue"], alpha=0.4, height=0.65)
    ax.barh(y, inner, color=COLORS["blue"], height=0.65)
    ax.text(parts[name] + 0.03, y, f"{parts[name]:.2f}", va="center")
ax.text(
    conv_products / 2,
    len(order) - 1,
    "products",
    color=COLORS["background"],
    ha="center",
    va="center",
)
ax.set_yticks(range(len(order)), order)
ax.set(xlim=(0, max(parts.values()) * 1.15), xlabel="ms in one training step, forward and backward")
ax.grid(visible=False, axis="y")
others = [name for name in reversed(order) if name not in ("Conv2d", "Linear")]
show(
    fig,
    name="profile",
    alt=(
        f"Time in one step by kind of layer: convolutions {convolutions:.2f} ms, of which "
        f"{conv_products:.2f} ms are matrix products; then "
        + ", ".join(f"{name} {parts[name]:.2f}" for name in order[-2::-1])
        + "."
    ),
    caption=(
        "Where the time of one step goes, both passes added, and layers of a kind together. The dark "
        "part is what the matrix products alone would take. Most of what is pale moves numbers, or "
        "compares or adds them."
    ),
)

# %% [markdown]
# If all that is not a product vanished, the step would still take {{ alone:.1f}} ms. With these products, no more than a factor of {{ profiled / alone:.1f}} is left. In a *wide* network, with 32 and 64 channels, less is left. At the rate of one large product its arithmetic is {{ of_step["wide_cnn"]:.0%}} of our step, where that of the small one is {{ of_step["small_cnn"]:.0%}}. Ours takes {{ ms("wide_cnn"):.0f}} ms, PyTorch {{ ms("wide_cnn", TORCH):.0f}} in NCHW and {{ ms("wide_cnn", CHANNELS_LAST):.0f}} in channels-last. The widest convolution of the table, 32→64, computes {{ wide_rate / 1e9:.0f}} billion operations per second, forward and backward: {{ wide_rate / rates["flop_per_s"]:.0%}} of the rate of one large product.
#
# And a second thread? PyTorch gains from it: {{ ms("small_cnn_2", FASTER):.1f}} ms, where one thread takes {{ ms("small_cnn", FASTER):.1f}}, and held to AVX2 {{ ms("small_cnn_2", FASTER, on_avx2):.1f}} instead of {{ ms("small_cnn", FASTER, on_avx2):.1f}}. Our small network does not: {{ ms("small_cnn_2"):.1f}} instead of {{ ms("small_cnn"):.1f}}, and {{ ms("small_cnn_2", record=on_avx2):.1f}} instead of {{ ms("small_cnn", record=on_avx2):.1f}}.
#
# ## The table
#
# Medians, in PyTorch's two layouts; the ratio is to the faster, and below 1 we are ahead. Convolutions and pooling are timed forward and backward; 1→8 is a first layer, and leaves out the gradient of its input. The column AVX2 is the ratio in the record held to AVX2.


# %% tags=["remove-input"]
def line(name):
    """One row of the table: times with three digits, in ms or s."""

    def text(value):
        return f"{value:.3g} ms" if value < 1000 else f"{value / 1e3:.3g} s"

    layouts = experiments[name]["libraries"]
    times = [text(ms(name, who)) if who in layouts else "" for who in (OURS, TORCH, CHANNELS_LAST)]
    row = rows[name]
    ratios = [f"{row['ratio']:.2f}", f"{row['q1']:.2f} to {row['q3']:.2f}"]
    ratios += [f"{rows_avx2[name]['ratio']:.2f}", f"{row['at_most']:.2f}"]
    return "| " + " | ".join([titles[name], *times, *ratios]) + " |"


head = "| Work | Ours | NCHW | Channels-last | Ratio | Middle half | AVX2 | Goal |\n" + "|---" * 8 + "|\n"
Markdown(head + "\n".join(line(name) for name in titles))

# %% [markdown]
# The small network is [`small_cnn`](../reference/models.md); a step is forward, loss, backward and plain gradient descent. The epoch is 60,000 images of noise (what they show does not change the time), shuffled and cut into batches by `fit`, and for PyTorch by a `DataLoader` over a `TensorDataset`. The Iris network is the one of [A two-layer network on Iris](../networks/iris.py): its step of {{ ms("iris") * 1e3:.0f}} µs is mostly calls and checks, with hardly any arithmetic, and there scikit-learn's `MLPClassifier` takes {{ ms("iris", "scikit-learn") / ms("iris"):.0f}} times as long.
#
# Memory is the other half of the bill. What a convolution holds from its forward to its backward pass, as a multiple of its input, counted by the allocator:

# %% tags=["remove-input"]
held = inside["held_memory"]
head = "| Input | Kernel | Stride | `conv2d` | `conv2d_im2col` |\n|---|---|---|---|---|\n"
Markdown(
    head
    + "\n".join(
        f"| {h['shape']} | {h['kernel']} | {h['stride']} | {h['conv2d']:.1f} | {h['conv2d_im2col']:.1f} |"
        for h in held
    )
)

# %% tags=["hide-input"]
grown = {
    library: found["peak_mb"] - found["peak_mb_before"]
    for library, found in experiments["small_cnn"]["libraries"].items()
}

# %% [markdown]
# About the width of the kernel divided by the stride, plus the padding, and not its area. A whole process that trains the small network peaks at {{ experiments["small_cnn"]["libraries"]["nn_tutorial"]["peak_mb"]:.0f}} MB with NumPy and {{ experiments["small_cnn"]["libraries"]["torch"]["peak_mb"]:.0f}} MB with PyTorch. All but {{ grown["torch"]:.0f}} MB of PyTorch's, and all but {{ grown["nn_tutorial"]:.0f}} MB of ours, was there before the first step.
#
# ## Evidence: the fast one computes the same
#
# A fast wrong answer is worth nothing. Random images, a stride, padding, all gradients, in float64, against the definition:

# %%
rng = np.random.default_rng(SEED)
x = rng.standard_normal((3, 2, 9, 8))
weight, bias = rng.standard_normal((5, 2, 3, 4)), rng.standard_normal(5)
geometry = {"stride": (2, 1), "padding": (1, 2)}
y_loops, cache_loops = nt.conv2d_loops(x, weight, bias, **geometry)
dy = rng.standard_normal(y_loops.shape)
truth = [y_loops, *nt.conv2d_loops_backward(dy, cache_loops)]
worst = {}
for name in ("conv2d_im2col", "conv2d"):
    y, cache = getattr(nt, name)(x, weight, bias, **geometry)
    found = [y, *getattr(nt, f"{name}_backward")(dy, cache)]
    worst[name] = max(np.abs(a - b).max() for a, b in zip(found, truth))
    assert worst[name] < 1e-12
print({name: f"{error:.0e}" for name, error in worst.items()})

# %% [markdown]
# The largest difference is {{ max(worst.values()):.0e}}, which is the rounding of a sum taken in another order. The tests do the same over hundreds of geometries and memory orders and against PyTorch, and one more test reads the record of all instructions and fails if a goal is missed other than those that it names.
#
# ## How it was measured, and how it goes wrong
#
# Each library runs in a process of its own, with its number of threads set before it starts. The harness asks them in turn for a short block of steps, A B A B …, and takes medians over {{ len(experiments["small_cnn"]["libraries"][OURS]["seconds"]) }} blocks (fewer for the epoch and the loops). Here is what happens otherwise.

# %% tags=["hide-input"]
ours = np.array(experiments["small_cnn"]["libraries"][OURS]["seconds"]) * 1e3
torchs = np.array(experiments["small_cnn"]["libraries"][FASTER]["seconds"]) * 1e3
one_block = ours[:, None] / torchs[None, :]
true_ratio = row_of("small_cnn")["ratio"]

fig, ax = plt.subplots(figsize=(5.2, 3.2))
turns = np.arange(1, len(ours) + 1)
ax.plot(turns, torchs, "s-", color=COLORS["orange"], markersize=3, linewidth=1)
ax.plot(turns, ours, "o-", color=COLORS["blue"], markersize=3, linewidth=1)
ax.text(len(ours), np.median(torchs) * 1.12, "PyTorch", color=COLORS["orange"], ha="right")
ax.text(len(ours), np.median(ours) * 0.82, "ours", color=COLORS["blue"], ha="right")
ax.set(xlabel="turn", ylabel="ms per step", yscale="log")
ax.set_ylim(min(ours.min(), torchs.min()) * 0.7, max(ours.max(), torchs.max()) * 1.3)
ax.yaxis.set_major_formatter("{x:g}")
ax.yaxis.set_minor_formatter("{x:g}")
show(
    fig,
    name="turns",
    alt=(
        f"Milliseconds per step for {len(ours)} turns of ours and of PyTorch. Ours lies around "
        f"{np.median(ours):.1f} ms between {ours.min():.1f} and {ours.max():.1f}, PyTorch around "
        f"{np.median(torchs):.1f} ms between {torchs.min():.1f} and {torchs.max():.1f}."
    ),
    caption=(
        "Every block of the first row of the table, in PyTorch's faster layout. Where one sticks out, "
        "something else was probably running on the machine. It hits now one library, now the "
        "other; taking turns shares it out."
    ),
)

# %% [markdown]
# **Mistake 1: one block each.** Had you timed each library once, at a turn of your choice, your ratio could have been anywhere from {{ one_block.min():.2f}} to {{ one_block.max():.2f}}. The ratio of medians is {{ true_ratio:.2f}}. The symptom is a result that you cannot repeat, and the cure is many short blocks and their spread.
#
# **Mistake 2: the mean.** Noise on a computer mostly adds time, so one interrupted block pulls the mean and leaves the median about where it is.


# %% tags=["hide-input"]
def skew(experiment, library):
    """How far the mean is above the median, and the slowest block above the fastest."""
    times = experiments[experiment]["libraries"][library]["seconds"]
    return mean(times) / median(times) - 1, max(times) / min(times)


worst_case = max(
    ((name, library) for name in experiments for library in experiments[name]["libraries"]),
    key=lambda both: skew(*both)[0],
)
above, span = skew(*worst_case)
first_call = {
    library: found["first"] / found["median"]
    for library, found in experiments["small_cnn"]["libraries"].items()
}
unequal = ms("ideas", "first dx computed") / ms("ideas", "memory returned")

# %% [markdown]
# In the record it is worst for {{ worst_case[1] }} in "{{ experiments[worst_case[0]]["title"] }}" with {{ experiments[worst_case[0]]["threads"] }} thread(s): the slowest block took {{ span:.1f}} times as long as the fastest, and the mean is {{ above:.0%}} above the median.
#
# **Mistake 3: the first call.** It loads code, fills caches, asks for memory. In a fresh process the first step of PyTorch took {{ first_call["torch"]:.1f}} times its median, ours {{ first_call["nn_tutorial"]:.1f}} times. If you time one call, you measure that. Each block here begins with a call that is not timed, unless one call takes half a second or more.
#
# **Mistake 4: unequal work.** PyTorch leaves out the gradient of the data, because nobody asked for it. With memory not kept, our step takes {{ unequal:.2f}} times as long if it computes that gradient, which is then thrown away. The reverse is worse: to leave out of *our* side what theirs does. The tests hold both to the same network: same weights, same batch, and after each of three steps the same loss.
#
# **Mistake 5: two thread pools in one process.** Threads that have finished a product keep spinning for a while, in case another follows. With two libraries in one process, and as many threads as cores, each takes time from the other. That is why each has a process of its own, and with two threads a pause between the turns.
#
# ## Try it
#
# ??? question "Recall: why does im2col need $k_h k_w$ times the memory, and `conv2d` only $k_w$ times?"
#     Both copy each pixel once for every window column it lies in, $k_w$ times. im2col also copies it for every window row. `conv2d` stores rows so that the windows of neighbouring output rows overlap in memory, and reads them where they are.
#
# ??? question "How many operations does a convolution 8→16, 3×3, on 64 images of 14×14 with padding 1 take, forward and backward?"
#     $2 \cdot 64 \cdot 14 \cdot 14 \cdot 16 \cdot 8 \cdot 9$ forward, and as many for each of the two gradients: {{ 6 * 64 * 14 * 14 * 16 * 8 * 9 / 1e6:.1f}} million. At the rate above they need {{ 6 * 64 * 14 * 14 * 16 * 8 * 9 / rates["flop_per_s"] * 1e3:.2f}} ms; the layer takes {{ ms("conv_8_16_3"):.2f}}.
#
# ??? question "Would a matrix product twice as fast make the step twice as fast?"
#     No. The products are {{ product_share:.0%}} of it, so the step would take {{ 1 - product_share / 2:.0%}} of its time (Amdahl, 1967). That is why everything around the products had to become cheap too.
#
# ??? question "Why is our pooling fast, without a line of C of our own?"
#     With the batch last, the two pixels to compare lie in two long runs, and `np.maximum` compares many at once. `x.reshape(...).max((3, 5))` asks NumPy to reduce over axes of length two, and it starts anew for each.
#
# ??? question "In the notebook: set `weight` in the section *By hand* to a 1×1 kernel. What do the three functions hold between the passes?"
#     `cache.cols.size` is then 16 for all three, the number of pixels, as there is nothing to copy twice: a 1×1 convolution is a linear layer for each pixel.
#
# ## Sources
#
# - Amdahl (1967), *Validity of the single processor approach to achieving large scale computing capabilities*, AFIPS: what a faster part does for the whole.
# - Chellapilla, Puri and Simard (2006), *High performance convolutional neural networks for document processing*: im2col.
# - Cho and Brand (2017), *MEC: memory-efficient convolution for deep neural network*, ICML: lowering along one axis.
# - Williams, Waterman and Patterson (2009), *Roofline: an insightful visual performance model for multicore architectures*, Communications of the ACM.
