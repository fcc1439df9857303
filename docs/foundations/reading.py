# ---
# title: How to read this book
# description: What the parts of a page mean, each shown in the smallest example there is, what the checks behind them leave open, and a map of the chapters.
# tags:
#   - foundations
# ---

# %% [markdown]
# # How to read this book
#
# Every page of this book is a program that ran when the site was built. Here you meet the parts of such a page, each in the smallest example there is, and learn what the checks behind them show and leave open. [A list of the chapters](#the-chapters-in-order) is at the end; this is how they build on each other:

# %% tags=["hide-input"]
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import yaml
from IPython.display import Markdown, display

from nn_tutorial import GradientError, gradient_check, iris
from nn_tutorial.pages.show import show_equations
from nn_tutorial.verify.equations import Equation
from nn_tutorial.pages.plots import COLORS, show, use_style
from nn_tutorial.pages.reading_time import WORDS_A_MINUTE, minutes, words

SEED = 0
use_style()
THIS = "foundations/reading.py"
ROOT = next(p for p in (Path.cwd(), *Path.cwd().parents) if (p / "mkdocs.yml").is_file())


@dataclass
class Chapter:
    section: str
    path: str  # below docs/
    title: str
    description: str
    words: int
    needs: list[str]  # paths of the pages that its opening asks you to have read


def navigation():
    """The sections of the book with the paths of their pages, from mkdocs.yml."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    block = re.search(r"^nav:\n(?:[ \t-].*\n|\n)+", text + "\n", re.MULTILINE)
    entries = yaml.safe_load(block[0])["nav"]
    sections = [next(iter(e.items())) for e in entries if isinstance(e, dict)]
    return {name: list(paths(pages)) for name, pages in sections if isinstance(pages, list)}


def paths(pages):
    """All pages of a section, those of its parts among them."""
    for page in pages:
        entry = page if isinstance(page, str) else next(iter(page.values()))
        yield from [entry] if isinstance(entry, str) else paths(entry)


# %% tags=["remove-input"]
def prose_of(path, text):
    """The front matter of a page, its Markdown cells, and its code cells."""
    if path.endswith(".py"):
        front, *cells = re.split(r"^# %%", text, flags=re.MULTILINE)
        code = [c.partition("\n")[2] for c in cells if not c.startswith(" [markdown]")]
        cells = [c.partition("\n")[2] for c in cells if c.startswith(" [markdown]")]
        front, *cells = [re.sub(r"^# ?", "", cell, flags=re.MULTILINE) for cell in (front, *cells)]
        front = front.strip().strip("-")
    else:
        _, front, body = text.split("---\n", 2)
        cells, code = re.split(r"^(?=## )", body, flags=re.MULTILINE), []
    return yaml.safe_load(front), cells, code


def read(section, path):
    """A chapter; None if its file is not there (the build notes that it was looked for)."""
    try:
        text = (ROOT / "docs" / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    about, cells, code = prose_of(path, text)
    asks = [p for p in cells[0].split("\n\n") if re.match(r"You need|Before this|Read ", p)]
    links = re.findall(r"\]\(([^)#:]+\.(?:py|md))", " ".join(asks))
    needs = [posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) for link in links]
    return Chapter(
        section,
        path,
        about["title"],
        about["description"],
        words(cells, code),
        needs,
    )


nav = navigation()
listed = [path for pages in nav.values() for path in pages]
BESIDE = {"Exercises": "to write the layers yourself", "Reference": "to look things up"}
reference = {section: nav[section] for section in BESIDE}
chapters = [
    chapter
    for section, pages in nav.items()
    if section not in reference
    for path in pages
    if path != THIS and (chapter := read(section, path)) is not None
]
number = {chapter.path: i for i, chapter in enumerate(chapters, 1)}
before = {}  # all that a chapter builds on, directly or not
for chapter in chapters:
    for path in chapter.needs:
        assert path in listed, f"{chapter.path} needs {path}, which is not in the book"
        assert listed.index(path) < listed.index(chapter.path), f"{chapter.path} needs {path} first"
    there = [path for path in chapter.needs if path in number]
    before[chapter.path] = set(there).union(*(before[path] for path in there))
    # An arrow that follows from two others is left out.
    chapter.needs = [p for p in there if not any(p in before[other] for other in there)]

# %% tags=["remove-input"]
drawn = [c for c in chapters if c.needs or any(c.path in other.needs for other in chapters)]
goal = max(drawn, key=lambda c: (len(before[c.path]), number[c.path]))
way = before[goal.path] | {goal.path}
rows, y = {}, 0.0
for i, chapter in enumerate(drawn):
    if i == 0 or drawn[i - 1].section != chapter.section:
        y -= 1.25
        rows[chapter.section] = y
    y -= 1
    rows[chapter.path] = y

fig, ax = plt.subplots(figsize=(5.0, 0.26 * -y + 0.25))
turn = np.linspace(0, np.pi, 40)
longest = max(rows[path] - rows[c.path] for c in drawn for path in c.needs)
for chapter in drawn:
    for path in chapter.needs:
        top, low = rows[path] - 0.18, rows[chapter.path] + 0.12
        wide = 3.4 * ((top - low) / longest) ** 0.72  # the longest arc fits
        lit = chapter.path in way and path in way
        look = {"color": COLORS["orange" if lit else "muted"], "linewidth": 1.8 if lit else 1.0}
        arc = -0.35 - wide * np.sin(turn), (top + low) / 2 + (top - low) / 2 * np.cos(turn)
        ax.plot(*arc, "-" if lit else "--", zorder=2 if lit else 1, **look)
        ax.plot(arc[0][-1], low, marker=">", markersize=5, color=look["color"], zorder=3)
for chapter in drawn:
    lit = chapter.path in way
    ax.plot(
        0.1,
        rows[chapter.path],
        "o" if lit else "s",
        markersize=5,
        color=COLORS["orange" if lit else "muted"],
    )
    for across, text, side in ((1.15, number[chapter.path], "right"), (1.4, chapter.title, "left")):
        ax.text(across, rows[chapter.path], text, va="center", ha=side,
                fontweight="bold" if lit else "normal")  # fmt: skip
for section in {chapter.section for chapter in drawn}:
    ax.text(1.4, rows[section], section, va="center", color=COLORS["blue"], fontsize=9)
ax.set(xlim=(-4, 8.8), ylim=(y - 0.6, -0.6), title="What builds on what")
ax.axis("off")


def told(chapter):
    needs = " and ".join(str(number[path]) for path in chapter.needs)
    return f"{number[chapter.path]} {chapter.title}" + (f", after {needs}" if needs else "")


show(
    fig,
    name="chapters",
    alt="The chapters in reading order, with arrows from what each builds on: "
    + "; ".join(told(chapter) for chapter in drawn)
    + ".",
    caption=(
        "An arrow leads from a chapter to one that needs it; an arrow that follows from two others "
        f"is left out. The solid ones are all that lead to “{goal.title}”."
    ),
)

# %% [markdown]
# The arrows are not drawn by hand. The build reads the sentence at the beginning of each chapter that says what you need, and it stops if a chapter needs a later one.
#
# ## For whom
#
# You should know some Python (functions, loops, a little NumPy) and what a derivative is. Products of matrices help. That is all: each symbol is explained where it first appears, and once more in [Notation and shapes](notation.md).
#
# If you know the subject, read the boxed results, the tables of errors and the experiments. And look for a sentence that no check supports.
#
# ## How a page works
#
# ### An equation that is evaluated
#
# This is an equation in the book's grammar, a sum of squares over the features $d$ of each example $n$:

# %%
line = Equation("y[n] = sum[d](x[n,d]**2)")
x = np.array([[1.0, 2.0, 2.0], [0.0, 3.0, 4.0]])
assert (line({"x": x}) == [9, 25]).all()  # by hand: 1 + 4 + 4, 0 + 9 + 16

# %% [markdown]
# The formula that you read is made from the same line:
#
# $$
# {{ line.latex }}
# $$
#
# So what is printed is what was evaluated. In the chapters the equations of a layer look like this; these are [ReLU](../layers/relu.py)'s:

# %% tags=["remove-input"]
show_equations("relu", "Y", "dX")

# %% [markdown]
# Unfold the line below them. Each row says what an equation was compared with: the layer's code, differences of the forward equation, a derivation, and in other chapters also `einsum`. Then come the number of random samples, the number of single values in them, and the largest difference between the two sides. *At a kink* counts what was left out because the function has a corner there, and so no slope. PyTorch's answers have a table of their own, the *certificate* of the layer.
#
# ### A gradient that is checked
#
# A layer is a pair of functions. The forward pass returns its output and what the backward pass will need; the backward pass takes the gradient of the output, the upstream gradient, and returns that of the input:


# %%
def squares(x):
    return (x**2).sum(axis=1), x


def squares_backward(dy, x):
    return dy[:, None] * 2 * x


rng = np.random.default_rng(SEED)
report = gradient_check(squares, squares_backward, [x], rng=rng, names=["x"])
report.raise_if_above(1e-6)
print(report)

# %% [markdown]
# The check moves each element of `x` a millionth up and down, looks at how the output changes, and compares that with what `squares_backward` returns. If they differ, the build stops, and there is no page.
#
# ### A number that nobody typed
#
# The largest relative error of that check is {{ report.max_error:.0e}}. In the source of this page that sentence holds no number, but an expression, which the run replaces:

# %% tags=["remove-input"]
display(Markdown("```text\n… is {{ report.max_error:.0e }}.\n```"))

# %% [markdown]
# ### A mistake made on purpose
#
# You learn to recognise a mistake by making it. The chapters run the classic ones and show what you would see. This one forgets the upstream gradient:


# %%
def forgetful_backward(dy, x):
    """Wrong: as if the upstream gradient were always 1."""
    return 2 * x


try:
    wrong = gradient_check(squares, forgetful_backward, [x], rng=rng, names=["x"])
    wrong.raise_if_above(1e-6)
except GradientError as error:
    print(str(error).replace("; ", "\n"))
else:
    raise AssertionError("not noticed")

# %% [markdown]
# ### A figure, and where to look
#
# The caption under each figure says what you can read from it. (For readers who cannot see it, a text describes what it shows.)

# %% tags=["remove-input"]
dy, h = np.array([1.0, -0.5]), 1e-6
moved = [
    (squares(x + h * e)[0] - squares(x - h * e)[0]) @ dy / (2 * h)
    for e in np.eye(6).reshape(6, 2, 3)
]
right, forgot = squares_backward(dy, x).ravel(), forgetful_backward(dy, x).ravel()
assert np.allclose(moved, right, atol=1e-8)
assert (forgot[:3] == right[:3]).all() and (forgot[4:] != right[4:]).all()

fig, ax = plt.subplots(figsize=(4.8, 2.9))
place = np.arange(6)
ax.axvline(2.5, color=COLORS["muted"], linewidth=1)
ax.plot(place, moved, "o", markersize=11, markerfacecolor="none", color=COLORS["text"])
ax.plot(place, right, "x", markersize=6, color=COLORS["blue"])
ax.plot(place, forgot, "s", markersize=4, color=COLORS["orange"])
ax.text(1, -2.3, "right (crosses), on the\ndifferences (rings)", color=COLORS["blue"], ha="center")
ax.text(2.65, 7.2, "forgetful (squares)", color=COLORS["orange"])
ax.text(1, 9.3, "upstream: 1", ha="center")
ax.text(4, 9.3, "upstream: −0.5", ha="center")
ax.set(
    title="One mistake, two examples",
    ylabel="gradient of x",
    ylim=(-5, 10.5),
    xlim=(-0.5, 5.6),
    xlabel="element of x, row by row",
)
ax.set_xticks(place, [f"{value:g}" for value in x.ravel()])
show(
    fig,
    name="one-mistake",
    alt=(
        "Gradients of the six elements of x. The right ones lie on the measured differences "
        "everywhere. The forgetful ones lie on them for the first example, whose upstream gradient is 1; for "
        "the second, where it is −0.5, they miss them wherever x is not 0."
    ),
    caption=(
        "In the left half, where the upstream gradient is 1, the mistake cannot be seen. This is "
        "why the checks of this book draw the upstream gradient at random."
    ),
)

# %% [markdown]
# ### What is at the end
#
# Each page ends with what it was made from, so that you can tell whether your run should give the same numbers.

# %% tags=["remove-input"]
flowers = iris(seed=SEED)
count = sum(len(part) for part in (flowers.x_train, flowers.x_val, flowers.x_test))

# %% [markdown]
# | Line | What it says |
# |---|---|
# | Source | the fingerprint (SHA-256) of the page's file, which changes with every letter in it |
# | Package | the version of `nn_tutorial`, the layers |
# | Run with | the versions of Python and of the libraries that were used |
# | Data | each data set, with the fingerprint of its numbers; this page loaded {{ count }} irises so that there is one to show |
# | Seed | where the random numbers began |
#
# ### Run it yourself
#
# Under most titles there is a button, "Run this page": Python and NumPy start in your browser, and you can change every cell and write the exercises in the page. [A page of its own](../verify/in_page.py) says how that works and what it costs.
#
# Beside it there are two files: a notebook with the results in it, and the plain Python it was made from. Both need the book's package. In a copy of its repository, `make lab` sets everything up and opens the chapters in Jupyter. Change a number, run the cells, and see which `assert` complains: most of them back up a sentence of the page.
#
# ## What the checks do not show
#
# - **They look at samples.** An equation is compared with the code on a handful of shapes and random numbers. A mistake that shows only for other numbers is not found. This is strong evidence, but not a mathematical proof.
# - **They compare.** If the equation, the code and PyTorch were wrong in the same way, nothing would be noticed.
# - **They do not read.** Numbers in the text are computed, and many sentences are backed by an `assert`. No program has checked whether a reason is a good one, or whether a source says what it is cited for.
# - **Small is not large.** The experiments use data that fit into a few minutes. What they find on {{ count }} flowers or small pictures may be different on millions. Each experiment says what it does not show.
#
# [How this book checks itself](../verify/checks.py) explains the checks, and [Verified](../verify/verified.py) counts them.
#
# ## The chapters in order
#
# The minutes count the words of a page and of its captions at {{ WORDS_A_MINUTE }} per minute, between what adults read to themselves and what they read aloud ([@brysbaert2019]). A formula counts one word per symbol, as if you read it aloud; code and what it prints count nothing. With a pencil it takes longer.


# %% tags=["remove-input"]
def link(path):
    return posixpath.relpath(path, posixpath.dirname(THIS))


lines = []
for section in dict.fromkeys(chapter.section for chapter in chapters):
    lines.append(f"\n**{section}**\n")
    for c in (c for c in chapters if c.section == section):
        time = minutes(c.words)
        lines.append(f"- **{number[c.path]}** [{c.title}]({link(c.path)}), {time}. {c.description}")
for section, pages in reference.items():
    lines.append(f"\n**{section}**\n\n- [{len(pages)} pages]({link(pages[0])}) {BESIDE[section]}.")
display(Markdown("\n".join(lines)))

# %% [markdown]
# That is about {{ sum(c.words for c in chapters) / WORDS_A_MINUTE / 60:.1f}} hours in all. Begin with [Notation and shapes](notation.md), or with what you are curious about, and follow the arrows back when something is missing.
