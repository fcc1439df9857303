# ---
# title: How fast and how exact is einsum?
# description: The order in which einsum multiplies decides how long it takes, and the memory, not the string, decides how it rounds.
# tags:
#   - verification
# ---

# %% [markdown]
# # How fast and how exact is einsum?
#
# An einsum string says what is summed, and leaves two orders open: in which order the operands are multiplied, and in which order the products are added. The first decides how long it takes, the second how it rounds. When does either matter, and what do you do then?
#
# You need [einsum](../foundations/einsum.py), the chapter that this page continues.

# %% tags=["hide-input"]
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nn_tutorial import digits
from nn_tutorial.pages.plots import COLORS, show, use_style
from nn_tutorial.pages.show import power

SEED = 0
use_style()
rng = np.random.default_rng(SEED)
draw = rng.standard_normal

# %% [markdown]
# ## When the order matters, and `optimize=True`
#
# A string says *what* is summed. It does not say in which order to multiply, and for three operands that decides everything. Take a chain of three square matrices, `ij,jk,kl->il`. By [the rule](../foundations/einsum.py#the-rule-as-loops), one loop runs over four letters: $n^4$ visits, each with two multiplications. But $A(BC)$ is two products of two matrices, each of $n^3$ visits with one multiplication.
#
# Without `optimize`, `np.einsum` does what the loops do. With `optimize=True` it looks for a cheap order of pairs first, and a pair that is a matrix product goes to the same fast routine as `@`. Which order is cheap depends on the sizes:


# %%
def visits(string, arrays):
    """How often the body of the loop runs."""
    size = {}
    operands = string.split("->")[0].split(",")
    for letters, array in zip(operands, arrays, strict=True):
        size |= dict(zip(letters, array.shape, strict=True))
    return int(np.prod(list(size.values())))


chain = [draw((101, 3)), draw((3, 103)), draw((103, 5))]
ab, bc = chain[0] @ chain[1], chain[1] @ chain[2]
steps = {
    "all at once": visits("ij,jk,kl->il", chain),
    "(AB)C": visits("ij,jk->ik", chain[:2]) + visits("ik,kl->il", [ab, chain[2]]),
    "A(BC)": visits("jk,kl->jl", chain[1:]) + visits("ij,jl->il", [chain[0], bc]),
}
path, _ = np.einsum_path("ij,jk,kl->il", *chain, optimize=True)
for name, count in steps.items():
    print(f"{name:<12}{count:>8,} visits")
print("optimize=True begins with operands", path[1])
assert path[1] == (1, 2) and steps["A(BC)"] < steps["(AB)C"] < steps["all at once"]
left, right = draw((5, 3)), draw((3, 7))
planned = np.einsum("ij,jk->ik", left, right, optimize=True)
assert np.array_equal(planned, left @ right)

# %% [markdown]
# `a @ b @ c` goes from left to right, whatever the sizes: {{ steps["(AB)C"]:,}} visits here, where $A(BC)$ takes {{ steps["A(BC)"]:,}}. (The last line of the cell compares a product of two matrices with `optimize=True` and with `@`: they agree to the last bit.) `np.einsum_path` returns the plan, and `optimize=path` follows one that was made before.
#
# Does it pay? This was recorded on one machine, for a chain of three $n \times n$ matrices in float64:

# %% tags=["remove-input"]
recorded = json.loads(Path("benchmarks/chapters.json").read_text(encoding="utf-8"))
record = recorded["einsum"]
sizes = np.array(record["sizes"])
seconds = {way: np.array([entry["seconds"] for entry in record[way]])
           for way in ("plain", "optimised", "matmul")}
peak = {way: record[way][-1]["bytes"] for way in seconds}
gain = seconds["plain"] / seconds["optimised"]
wins = int(np.argmax(gain > 1))  # the first size at which optimising pays
over = seconds["optimised"] / seconds["matmul"]

fig, (upper, lower) = plt.subplots(2, 1, figsize=(4.8, 5.6), sharex=True)
for values, text, color, style in ((2 * sizes**4, "all at once: 2n⁴", "orange", "s-"),
                                   (2 * sizes**3, "pair by pair: 2n³", "blue", "o--")):
    upper.plot(sizes, values, style, color=COLORS[color], markersize=4)
    up = color == "orange"
    upper.annotate(text, (sizes[2], values[2]), (-8, 7) if up else (6, -8), va="bottom" if up
                   else "top", ha="right" if up else "left", textcoords="offset points",
                   color=COLORS[color])
upper.set(title="Multiplications, counted", ylabel="multiplications", yscale="log")
for way, text, color, style, at, shift, ha, va in (
    ("plain", "einsum", "orange", "s-", 2, (-8, 6), "right", "bottom"),
    ("optimised", "optimize=True", "blue", "o--", 2, (2, 8), "center", "bottom"),
    ("matmul", "a @ b @ c", "green", "^:", 2, (4, -8), "left", "top"),
):
    lower.plot(sizes, seconds[way] * 1e6, style, color=COLORS[color], markersize=4)
    lower.annotate(text, (sizes[at], seconds[way][at] * 1e6), shift, ha=ha, va=va,
                   textcoords="offset points", color=COLORS[color])
lower.set(title="Time, recorded", ylabel="microseconds", yscale="log", xscale="log",
          xlabel="n, the size of each matrix")
lower.set_xticks(sizes, [str(n) for n in sizes])
lower.minorticks_off()
show(
    fig,
    name="cost",
    alt=(
        f"Two plots against the size n from {sizes[0]} to {sizes[-1]}, on logarithmic axes. The "
        "counted multiplications diverge more and more. In time, optimize=True is the slowest of "
        f"three ways at {sizes[0]}, and at {sizes[-1]} {gain[-1]:.0f} times as fast as the plain "
        f"einsum and within {over[-1]:.1f} times the matrix product."
    ),
    caption=(
        f"Recorded on {recorded['date'][:10]} by `make bench`. On the left of the lower plot the "
        "blue line is flat. There the planning takes nearly all the time, and the multiplications "
        "hardly any."
    ),
)
assert gain[0] < 1 and wins == 1 and gain[-1] > 100 and over[0] > 5 and over[-1] < 2

# %% [markdown]
# At $n = {{ sizes[0] }}$ the plan saves nine multiplications in ten, and the call takes {{ 1 / gain[0]:.1f}} times as *long*: whatever the sizes, making a plan takes some {{ seconds["optimised"][:3].min() * 1e6:.0f}} microseconds. At $n = {{ sizes[wins] }}$ it has already won, by a factor of {{ gain[wins]:.1f}}; the break-even lies between the two. At $n = {{ sizes[-1] }}$ the factor is {{ gain[-1]:.0f}}. The plan is not free in memory: the intermediate matrix has to be kept, {{ peak["optimised"] / 1e3:.0f}} kB at the peak against {{ peak["plain"] / 1e3:.0f}}.
#
# So: `optimize=True` for three or more operands, and for products of large matrices; without it for small arrays in an inner loop. For many operands that share their letters freely, no fast way is known that always finds the best order: the problem is NP-complete ([@lam1997]). `True` takes the pair that looks cheapest, step by step. The planner began as a package of its own, opt_einsum ([@smith2018]).
#
# ## Is einsum as exact as `@` and `sum`?
#
# **The question.** One sum of products can be written in several ways. In float32, are they equally exact?
#
# The data are the digits: every 3 × 3 patch of all 1,797 images, minus the mean of the pixels and divided by their standard deviation. For the $n$-th patch $x_n$, of nine pixels, we want $S_{ij} = \sum_n x_{ni} x_{nj}$. It is what the covariance of patches is made of, and with $\partial L/\partial Y$ instead of one $X$ it is the gradient of a convolution's filters. Its number of terms grows with every image.

# %% tags=["hide-input"]
data = digits(seed=SEED)
every = np.concatenate([data.x_train, data.x_val, data.x_test])[:, 0].astype(np.float64)
spread = every.std()


def patches(images):
    """All 3x3 patches, one per row, of standardised images."""
    standard = (images - every.mean()) / spread
    return sliding_window_view(standard, (3, 3), axis=(1, 2)).reshape(-1, 9).astype(np.float32)


terms = patches(every)
print(f"{len(terms):,} patches of {terms.shape[1]} pixels, {terms.dtype}")
assert len(every) == 1797 and len(np.unique(every)) == 17


# %%
def ways(x):
    """The same sum of products over n, in float32."""
    along = np.ascontiguousarray(x.T)  # a copy in which n runs along the memory
    products = np.einsum("in,jn->ijn", along, along)
    return {
        "einsum": np.einsum("ni,nj->ij", x, x),
        "einsum, copy": np.einsum("in,jn->ij", along, along),
        "optimize": np.einsum("ni,nj->ij", x, x, optimize=True),
        "@": x.T @ x,
        "sum, first axis": np.einsum("ni,nj->nij", x, x).sum(axis=0),
        "sum, last axis": products.sum(axis=-1),
    }


def error(found, x):
    """Norm of the difference from float64, relative."""
    exact = np.einsum("ni,nj->ij", x, x, dtype=np.float64)
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


# %% [markdown]
# **A prediction.** Adding in float32 rounds each partial sum, by up to one part in $2^{24}$, about $6 \cdot 10^{-8}$ of it. If terms are added one after the other, there are $n$ such errors, up and down, and as in a random walk their sum should grow as $\sqrt n$. BLAS, the library behind `@`, adds up blocks of some hundred terms and then the blocks, so each of its sums is shorter. `np.sum` adds in pairs, then pairs of pairs, so that each term goes through about $\log_2 n$ additions only: hardly any growth. ([@higham1993] compares such orders.) The documentation of `einsum` does not say how it adds. A guess: in pairs too.
#
# Five seeds choose which patches come, and in which order. As a **baseline**, each pixel of the same patches gets a jitter of up to half a grey level, like the noise of a camera: numbers of the same size, but hardly ever the same number twice.

# %% tags=["hide-input"]
counts = [16, 64, 256, 1024, 4096, 16384, len(terms)]
seeds = range(5)
errors = {kind: {} for kind in ("digits", "jitter")}
same_bits = 0
for seed in seeds:
    pick = np.random.default_rng(seed)
    half = pick.uniform(-1 / 32, 1 / 32, every.shape)  # a grey level is 1/16
    order = pick.permutation(len(terms))
    for kind, source in (("digits", terms), ("jitter", patches(every + half))):
        for count in counts:
            some = source[order[:count]]
            found = ways(some)
            same_bits += np.array_equal(found["einsum"], found["sum, first axis"])
            for way, value in found.items():
                errors[kind].setdefault(way, {}).setdefault(count, []).append(error(value, some))
table = {kind: {way: np.array([e[count] for count in counts]) for way, e in by_way.items()}
         for kind, by_way in errors.items()}


def slope(values):
    """Growth as a power of the number of terms, from the second count on."""
    return float(np.polyfit(np.log(counts[1:]), np.log(values.mean(1)[1:]), 1)[0])


def row(way):
    """Two cells for the digits and two for the jitter: error at the end, growth."""
    cells = []
    for kind in ("digits", "jitter"):
        values = table[kind][way]
        cells += [f"{1e6 * values[-1].mean():.2f}", f"{slope(values):.2f}".replace("-", "−")]
    return " | ".join(cells)


# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(4.8, 4.4))
for kind, way, color, style, text, at, shift, ha in (
    ("digits", "einsum", "orange", "s-", "einsum", 5, (-9, 3), "right"),
    ("digits", "einsum, copy", "purple", "v-.", "einsum,\ncopy", 6, (7, 0), "left"),
    ("jitter", "einsum", "orange", "s:", "einsum,\njitter", 6, (7, 0), "left"),
    ("digits", "@", "blue", "o--", "@", 6, (7, -3), "left"),
    ("digits", "sum, last axis", "green", "^-", "sum, last axis", 4, (0, -7), "center"),
):
    values = table[kind][way]
    hollow = {"markerfacecolor": "none"} if kind == "jitter" else {}
    ax.plot(counts, values.mean(1), style, color=COLORS[color], markersize=4.5, **hollow)
    ax.fill_between(counts, values.min(1), values.max(1), color=COLORS[color], alpha=0.2,
                    linewidth=0)
    ax.annotate(text, (counts[at], values.mean(1)[at]), shift, ha=ha,
                va="top" if ha == "center" else "center", textcoords="offset points",
                color=COLORS[color], linespacing=1.0)
ax.set(xscale="log", yscale="log", title="One sum of products, in float32",
       xlabel="number of terms n", ylabel="relative error of S", xlim=(12, 4.5e5),
       ylim=(1.6e-8, 6e-4))
end = {way: values[-1].mean() for way, values in table["digits"].items()}
rough = table["jitter"]["einsum"][-1].mean()
show(
    fig,
    name="rounding",
    alt=(
        "Relative error against the number of terms, both logarithmic. On the digits the plain "
        f"einsum grows steadily to {end['einsum']:.0e} at {len(terms):,} terms, on a transposed "
        f"copy to {end['einsum, copy']:.0e}, with jitter to {rough:.0e}. The matrix product "
        f"levels off near {end['@']:.0e}, the sum along the last axis stays at "
        f"{end['sum, last axis']:.0e}."
    ),
    caption=(
        "Means over five seeds, with bands from the lowest to the highest (most are thinner than "
        "the line). The two orange lines are the same einsum on nearly the same images, and yet "
        "their slopes differ."
    ),
)
growth = {kind: slope(table[kind]["einsum"]) for kind in table}
assert growth["digits"] > 0.85 and growth["jitter"] < 0.7
assert end["einsum"] > 20 * end["@"] and end["@"] > 5 * end["sum, last axis"]
assert 2 < end["einsum"] / end["einsum, copy"] < 20 and end["einsum"] < 1e-3
assert np.isclose(end["einsum"], end["sum, first axis"], rtol=0.2)
assert np.isclose(end["optimize"], end["@"], rtol=0.2)
by_count = {way: values.mean(1) for way, values in table["digits"].items()}
assert np.allclose(by_count["@"][:3], by_count["einsum"][:3], rtol=0.4)
assert by_count["einsum"][4] > 3 * by_count["@"][4]
assert max(values[0].max() for values in table["digits"].values()) < 5e-7

# %% [markdown]
# | | Digits: error | power | Jitter: error | power |
# |---|---|---|---|---|
# | `einsum` | {{ row("einsum") }} |
# | `einsum`, copy | {{ row("einsum, copy") }} |
# | `optimize=True` | {{ row("optimize") }} |
# | `@` | {{ row("@") }} |
# | `sum`, first axis | {{ row("sum, first axis") }} |
# | `sum`, last axis | {{ row("sum, last axis") }} |
#
# The errors are those of all {{ len(terms):,}} terms, in millionths, and the power is that of $n$ with which they grow.
#
# **The verdict: no.** At {{ len(terms):,}} terms the plain einsum is off by {{ 1e6 * end["einsum"]:.0f}} millionths, `@` by {{ 1e6 * end["@"]:.1f}}, the sum along the last axis by {{ 1e6 * end["sum, last axis"]:.2f}}. Einsum does not add in pairs, then. Up to {{ counts[2] }} terms `@` lies on the same line, as if they were one block; beyond that the two part. And what einsum does instead holds two surprises.
#
# **The memory decides, not the string.** Plain einsum walks through the arrays in the order in which they lie. Stored patch after patch, it meets all pairs $ij$ of one patch before those of the next, so each entry of $S$ is a running sum. Where $n$ runs along the memory, it keeps a few sums side by side, each of them shorter, and the error is {{ end["einsum"] / end["einsum, copy"]:.0f}} times smaller. You do not need another string to change that:

# %%
flipped = np.asfortranarray(terms)  # the same matrix, stored column by column
assert (flipped == terms).all()
for name, stored in (("row by row", terms), ("column by column", flipped)):
    found = np.einsum("ni,nj->ij", stored, stored)
    print(f"{name:<17} relative error {error(found, terms):.0e}")
assert np.array_equal(found, np.einsum("in,jn->ij", terms.T.copy(), terms.T.copy()))

# %% [markdown]
# `np.sum` has the same two faces: along the first axis it is a running sum too, equal to the einsum to the last bit in {{ same_bits }} of {{ 2 * len(seeds) * len(counts) }} runs here. Its documentation says that it adds in pairs only along the fast axis in memory.
#
# **With real images the errors do not cancel.** With jitter the error grows as $n$ to the power {{ growth["jitter"]:.2f}}: the square root of the prediction. Without it the power is {{ growth["digits"]:.2f}}: in proportion to $n$, which is how the worst case of the theory grows. Why?

# %%
white = terms.min()
same = float(white) * float(white)  # what a white pixel adds to the sum, each time
share = (terms[:, 4] == white).mean()
total = np.float32(40_000)
spacing = float(np.spacing(total))
nudge = float(total + np.float32(same)) - float(total) - same
print(f"{share:.0%} of the middle pixels are white")
print(f"each should add {same:.6f}")
print(f"near {total:.0f} float32 has steps of {spacing:.6f}")
print(f"so each does add {same + nudge:.6f}")
assert spacing == 2**-8 and abs(nudge) <= spacing / 2 and share > 0.25

# %% [markdown]
# The paper is white. In the sum of squares of a patch's middle pixel, {{ share:.0%}} of all terms are one and the same number. Between two powers of two the steps of float32 stay the same, and the sum is always a multiple of them. So what is added is rounded to such a multiple too, and that one number is rounded in the *same direction every time*. Here each white pixel is off by {{ nudge:.6f}}. The other grey levels repeat too, for there are only 17. Thousands of equal errors add up:

# %% tags=["remove-input"]
def drift(column):
    """Error of the running sum of squares, after each term, relative to the final sum."""
    squares = column * column
    exact = np.cumsum(squares.astype(np.float64))
    return (np.add.accumulate(squares).astype(np.float64) - exact) / exact[-1]


marks = np.unique(np.linspace(0, len(terms) - 1, 160).astype(int))
paths, orders = {"digits": [], "jitter": []}, []
for seed in seeds:
    pick = np.random.default_rng(seed)
    half = pick.uniform(-1 / 32, 1 / 32, every.shape)
    order = pick.permutation(len(terms))
    orders.append(order)
    for kind, source in (("digits", terms), ("jitter", patches(every + half))):
        paths[kind].append(1e6 * drift(source[order, 4]))
fig, ax = plt.subplots(figsize=(4.8, 3.4))
for kind, color, style in (("digits", "orange", "-"), ("jitter", "blue", "--")):
    for line in paths[kind]:
        ax.plot(marks / 1e3, line[marks], style, color=COLORS[color], linewidth=1.3)
ends = {kind: np.array([line[-1] for line in lines]) for kind, lines in paths.items()}
turn = marks[np.argmin(np.abs(marks - 0.75 * len(terms)))]
ax.text(turn / 1e3 - 2, paths["digits"][0][turn], "digits", color=COLORS["orange"], ha="right",
        va="bottom")
ax.text(56, 0.04 * np.abs(ends["digits"]).max(), "with jitter", color=COLORS["blue"],
        ha="center", va="bottom")
ax.set(title="Equal errors add up, mixed ones nearly cancel", xlabel="terms added (thousands)",
       ylabel="error of the running sum\n(millionths of the total)")
show(
    fig,
    name="drift",
    alt=(
        "Error of a running sum against the number of terms, five orders each. On the digits all "
        f"five lines run together, to {ends['digits'].mean():.0f} millionths. With jitter they "
        f"stay within {np.abs(ends['jitter']).max():.0f} millionths of 0."
    ),
    caption=(
        "The sum of squares of the middle pixel, in five orders. On each straight piece the sum "
        "lies between two powers of two, and every white pixel is rounded alike. "
        "Where the next power is reached, the line gets a new slope."
    ),
)
assert np.abs(ends["digits"]).min() > 5 * np.abs(ends["jitter"]).max()

# Between 2^15 and 2^16 the step is 2^-8: round every term to it once, and predict the drift.
squares = (terms[:, 4] * terms[:, 4]).astype(np.float64)
each = (np.round(squares / spacing) * spacing - squares).mean()
climb = np.cumsum(squares[orders[0]])
first, last = np.searchsorted(climb, [2**15, 2**16])
predicted = 1e6 * each * (last - first) / climb[-1]
measured = paths["digits"][0][last - 1] - paths["digits"][0][first]
assert abs(predicted / measured - 1) < 0.1 and 0 < first < last < len(terms)

# %% [markdown]
# This can be predicted. Round each term once to the step of $\tfrac{1}{256}$ that holds between $2^{15}$ and $2^{16}$, and multiply the mean error by the {{ last - first:,}} terms of that stretch: {{ predicted:.0f}} millionths. The long straight piece in the figure climbs by {{ measured:.0f}}.
#
# **Does it do harm?** For a step of training, hardly. $S$ of one batch of 32 images differs from that of the next far more than rounding can change it. For what is computed from $S$ it can: whitening divides by the root of the smallest eigenvalue, and that is hit harder than $S$ itself.

# %%
per_batch = 32 * 36  # patches of 32 images
batches = terms[: 2 * per_batch].reshape(2, per_batch, 9)
one, other = np.einsum("bni,bnj->bij", batches, batches, dtype=np.float64)
luck = np.linalg.norm(one - other) / np.linalg.norm(one)
print(f"two batches of 32 images: apart by {luck:.0e}")

exact = np.linalg.eigvalsh(np.einsum("ni,nj->ij", terms, terms, dtype=np.float64))
off = {}
for way in ("einsum", "@", "sum, last axis"):
    found = np.linalg.eigvalsh(ways(terms)[way].astype(np.float64))
    off[way] = abs(found[0] / exact[0] - 1)
    print(f"smallest eigenvalue {off[way]:.0e}, {way}")
assert off["einsum"] > 5 * end["einsum"] and off["einsum"] > 20 * off["@"]
assert luck > 100 * end["einsum"]

# %% [markdown]
# **What to do.** For sums of more than a few thousand terms write `optimize=True`, which hands the work to BLAS, or `dtype=np.float64` if you want to stop thinking about it. For short sums, do nothing: at {{ counts[0] }} terms the worst of all these ways is off by {{ 1e6 * max(values[0].max() for values in table["digits"].values()):.1f}} millionths.
#
# **What this does not show.** How exact `@` is depends on the BLAS of your machine, and how many terms einsum adds side by side on your NumPy. One kind of data was tried, 8 × 8 images with 17 grey levels and a white background. Counts, sparse features and drawings should behave like these digits, measurements with noise like the jitter; that is a guess.
#
# ## Data that show nothing
#
# The pixels had to be standardised before there was anything to see. Take them as they come, sixteenths from 0 to 1, and repeat the measurement:

# %%
raw = sliding_window_view(every, (3, 3), axis=(1, 2)).reshape(-1, 9)
raw = raw.astype(np.float32)
raw_errors = {way: error(found, raw) for way, found in ways(raw).items()}
print("largest error of the six ways:", max(raw_errors.values()))
assert max(raw_errors.values()) == 0

# %% [markdown]
# Exactly zero, for all of them. Products of sixteenths are multiples of $\tfrac{1}{256}$, and float32 holds every multiple of $\tfrac1{256}$ up to $2^{16} = 65{,}536$: nothing is ever rounded. A test on tidy numbers tests no rounding.
#
# ## In five lines
#
# - A string does not say in which order to multiply, and for three operands or more that decides how much work it is.
# - `optimize=True` makes a plan first; for small arrays the plan costs more than it saves.
# - The memory decides how einsum rounds, not the string: a running sum errs more than shorter sums side by side.
# - Where one number repeats, each rounding goes in the same direction, and the errors add up instead of cancelling.
# - Give sums of more than a few thousand terms in float32 to BLAS, by `optimize=True`, or to float64.
#
# ## Try it

# %% tags=["remove-cell"]
thin = [np.ones((2, 100)), np.ones((100, 2)), np.ones((2, 100))]
assert visits("ij,jk,kl->il", thin) == 40_000
assert visits("ij,jk->ik", thin[:2]) + visits("ik,kl->il", [thin[0] @ thin[1], thin[2]]) == 800
assert visits("jk,kl->jl", thin[1:]) + visits("ij,jl->il", [thin[0], thin[1] @ thin[2]]) == 40_000
assert np.float32(2**24) + np.float32(1) == 2**24
thirds = max(error(found, raw / np.float32(3)) for found in ways(raw / np.float32(3)).values())
assert thirds > 1e-8

# %% [markdown]
# ??? question "1. With a pencil: $A$ is 2 × 100, $B$ is 100 × 2, $C$ is 2 × 100. How many visits do $(AB)C$, $A(BC)$ and all at once take?"
#     $(AB)C$: $2 \cdot 100 \cdot 2 + 2 \cdot 2 \cdot 100 = 800$. $A(BC)$: $100 \cdot 2 \cdot 100 + 2 \cdot 100 \cdot 100 = 40{,}000$, as many as all at once, $2 \cdot 100 \cdot 2 \cdot 100$.
#
# ??? question "2. You add ones in float32, one after the other. Where does the sum stand still?"
#     At $2^{24}$. From there on the steps of float32 are 2, and $2^{24} + 1$ is rounded to $2^{24}$, again and again.
#
# ??? question "3. For the notebook: why do the sixteenths show no error, and what do thirds show?"
#     Products of sixteenths are multiples of $\tfrac1{256}$, which float32 holds exactly. Divide `raw` by 3, and measure again with `ways` and `error`: the largest is ${{ power(thirds) }}$.
#
# ## Sources
#
# - NumPy's documentation of [numpy.einsum](https://numpy.org/doc/stable/reference/generated/numpy.einsum.html) and [numpy.sum](https://numpy.org/doc/stable/reference/generated/numpy.sum.html): along which axis a sum goes in pairs.
# - Smith and Gray (2018), *opt_einsum: a Python package for optimizing contraction order for einsum-like expressions*, Journal of Open Source Software: the planner.
# - Lam, Sadayappan and Wenger (1997), *On optimizing a class of multi-dimensional loops with reductions for parallel execution*, Parallel Processing Letters: why the best order is hard to find.
# - Higham (1993), *The accuracy of floating point summation*, SIAM Journal on Scientific Computing: running, pairwise and other sums.
