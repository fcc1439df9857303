# ---
# title: Exercises
# description: Write the layers of this book yourself, and let a grader tell you by name what you misunderstood.
# tags:
#   - exercises
# ---

# %% tags=["remove-input"]
import tempfile
from pathlib import Path

import numpy as np
from IPython.display import Markdown, display

from nn_tutorial.exercises import EXERCISES, Limits, grade
from nn_tutorial.exercises.catalogue import TOPICS
from nn_tutorial.exercises.grading import SEED as GRADER_SEED

SEED = GRADER_SEED
mistakes = sum(len(f.misconceptions) for e in EXERCISES.values() for f in e.functions)
tests = {n: sum(len(f.cases(SEED)) for f in e.functions) for n, e in EXERCISES.items()}
assert len(EXERCISES) >= 24 and mistakes >= 70

# %% [markdown]
# # Exercises
#
# You have understood a layer when you can write it. Here are {{ len(EXERCISES) }} exercises, one small file each, from your first `einsum` to the backward pass of a pooling layer. The grader runs *your* code on {{ sum(tests.values()) }} tests in all. Where an answer is wrong, it is compared with {{ mistakes }} known mistakes, each of which is an actual wrong implementation. If yours gives the same numbers as one of them on every test, in all its results, you are told which, and what to read again. If it matches none of them, you are told a pattern that holds on every test where your answer is wrong, and nothing that the numbers do not show.
#
# ## Begin
#
# The quickest way is the box at the end of a chapter: "Write it here" opens an editor in the page, and "Check" runs this grader [in your browser](../verify/in_page.py). What you write stays there; below, under [All of them](#all-of-them), you can download it and take it in again.
#
# To work with files of your own, you need the book's package. In a terminal, go into a copy of the book's repository and run `make setup` once. It makes an environment, `.venv`, with a Python that has the package; the Python of your system does not have it. Switch to that Python in each new terminal, and begin:
#
# ```bash
# source .venv/bin/activate                      # from now on `python` is the one in .venv
# python -m nn_tutorial.exercises start          # writes a folder of files to fill in
# python -m nn_tutorial.exercises check relu     # grades one of them
# python -m nn_tutorial.exercises check --watch  # grades again whenever you save
# ```
#
# (In a project of your own, `pip install` with the path of the copy gives its Python the package.)
#
# | Command | What it does |
# |---|---|
# | `start [DIR]` | writes the files that are not there yet; yours stay as they are |
# | `list` | shows all exercises and how far you are |
# | `check [NAME …]` | grades those that you name, or all that you have begun; with `--watch` again at each save, helper files too |
# | `hint NAME` | a hint: first a question, then an idea, then nearly the answer |
# | `solution NAME` | the solution, after asking whether you want it |
# | `reset NAME` | a fresh file; your old one is kept beside it |
#
# ## What it tells you
#
# Here is a submission that is wrong on purpose. It divides by the batch size where the layer only sums:

# %%
submission = '''
import numpy as np

def linear_backward(dy, x, weight):
    return dy @ weight.T, x.T @ dy / len(x), dy.sum(axis=0)
'''

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "linear_backward.py"
    file.write_text(submission, encoding="utf-8")
    report = grade(EXERCISES["linear_backward"], file)
assert report.misconceptions == ["the weight's gradient is a mean"]
report

# %% [markdown]
# The last line is an address of this book on your own machine: it works while `make serve` runs in another terminal. If you read the book elsewhere, put its address into the environment variable `SITE_URL`, and the grader links to that.
#
# And here is one that no known mistake explains. Then the grader tells you what the numbers show, and no more:

# %%
submission = '''
def linear_backward(dy, x, weight):
    dx = dy @ weight.T
    dx[0] = 0
    return dx, x.T @ dy, dy.sum(axis=0)
'''

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "linear_backward.py"
    file.write_text(submission, encoding="utf-8")
    report = grade(EXERCISES["linear_backward"], file)
assert report.misconceptions == [] and not report.passed
report

# %% [markdown]
# The grader tries general patterns first:
#
# - the results come in another order, or one is missing;
# - an axis of size 1 is left over, or two axes are swapped;
# - the numbers are whole, where they should be floats;
# - all are wrong by one factor or one difference that has a name;
# - the numbers are right, but shifted or reversed.
#
# Then it looks at the arguments. Have you added one of them too often? Would your answer be right for another `bias` or `stride`? Is it the sum of an argument over some axes? If your answer is right on some tests, the grader says what the wrong ones have in common: `padding` above 0, float32, rows with large numbers. It reports a pattern only if at least two tests agree on it, or says that it rests on one test.
#
# If two causes give the same numbers, the text names both. A random answer, such as a first weight, is judged by its distribution. It must also come from the generator that you are given: the same seed gives the same numbers, and another seed gives different ones.
#
# ## In a notebook
#
# Import `check`, write the function with `my_` before its name, and hand it over. It is graded in a process of its own, as a file would be. Whatever it uses is sent with it: other functions and classes of the notebook, decorators, defaults, imports and plain numbers. Arrays of the notebook are not sent: pass them as arguments, or make them inside the function.

# %%
from nn_tutorial.exercises import check


def my_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


report = check(my_softmax)
assert report.passed
report

# %% [markdown]
# A notebook shows the report because it is the last line of a cell. In a script, write `print(check(my_softmax))`. One function of an exercise can be checked alone: the first line then says so, and the others are not looked at.
#
# ## What runs, and within which limits
#
# Your code runs in a process of its own. One call may compute for {{ Limits().seconds:g}} second, and the process may use {{ Limits().memory / 2**30:g}} GB of memory. It may import NumPy, Python's own modules and files of yours that lie beside it; not this book's package, nor another that has the answer. It may read files that lie beside it, Python's and NumPy's, and no others. It may not write files, start programs or use the network. Files of code are read as Python reads them, with their declared encoding. If it raises an error, never ends, exits, or prints megabytes, you get a message, and the other functions of the file are graded all the same. This protects you from accidents. It will not stop someone who is determined to break out. On Linux with [bubblewrap](https://github.com/containers/bubblewrap) installed, your code also runs where nothing but Python, NumPy and its own folder can be seen, which is much harder to leave.
#
# The inputs are random. They come in many sizes, in both float types and in several memory layouts. Answers must keep the type: float32 in, float32 out. Arguments must be unchanged after the call; changing one and restoring it is fine.
#
# ## All of them

# %% tags=["remove-input"]
CHAPTERS = {e.page: None for e in EXERCISES.values()}
lines = ["| Exercise | File | Chapter | Tests | Known mistakes |", "|---|---|---|---|---|"]
for topic, exercises in TOPICS.items():
    for exercise in exercises:
        known = sum(len(f.misconceptions) for f in exercise.functions)
        lines.append(
            f"| [{exercise.title}]({topic}.py#{exercise.name}) | `{exercise.name}` "
            f"| [{exercise.page.partition('/')[2].replace('_', ' ')}](../{exercise.page}.py) "
            f"| {tests[exercise.name]} | {known} |"
        )
display(Markdown("\n".join(lines)))

# %% [markdown]
# The links lead to the solutions, so try first. If you teach, [a page for you](teaching.py) shows how a whole class is graded into a table.
