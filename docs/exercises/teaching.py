# ---
# title: For teachers
# description: Grade a folder of submissions into a table, with the misunderstanding behind each wrong answer and nothing of a submission running unlimited.
# tags:
#   - exercises
# ---

# %% [markdown]
# # For teachers
#
# A class hands in its files, and you want to know two things: who has solved what, and what the class as a whole has misunderstood. One command answers both questions in a table.

# %% tags=["hide-input"]
import csv
import tempfile
from collections import Counter
from pathlib import Path

from IPython.display import Markdown, display

from nn_tutorial.exercises import EXERCISES, Limits
from nn_tutorial.exercises.grading import SEED as LEARNERS_SEED
from nn_tutorial.exercises.teacher import COLUMNS, grade_folder
from nn_tutorial.exercises.teacher import SEED as TEACHERS_SEED

SEED = 7
assert len({SEED, TEACHERS_SEED, LEARNERS_SEED}) == 3
exercise = EXERCISES["relu"]

# %% [markdown]
# ## The folder
#
# Give each student a subfolder, with files named after the exercises; they may lie in folders of their own. Here are four students. Ann has it right, Bob masks by the wrong array, Cem never stops, and Dora has handed in nothing.

# %%
right = exercise.solution
submissions = {
    "ann": right,
    "bob": right.replace("dy * (x > 0)", "dy * (dy > 0)"),
    "cem": right.replace("return np.maximum(x, 0)", "while True:\n        pass"),
    "dora": None,
}
assert len(set(submissions.values())) == 4

class_folder = Path(tempfile.mkdtemp())
for student, text in submissions.items():
    (class_folder / student).mkdir()
    if text is not None:
        (class_folder / student / "relu.py").write_text(text, encoding="utf-8")

# %% [markdown]
# ## The table
#
# In a terminal the command is `python -m nn_tutorial.exercises grade FOLDER TABLE.csv --seed 7`. It uses all cores; `--only relu,linear` grades these two exercises alone. This page calls the function behind it, for one exercise:

# %%
def graded(name, long=False):
    table = class_folder / name
    rows = [*grade_folder(class_folder, table, exercises=[exercise], seed=SEED, long=long)]
    with table.open(newline="", encoding="utf-8-sig") as file:
        return rows, [*csv.DictReader(file)]


found, rows = graded("marks.csv")
assert [row.solved for row in found] == [True, False, False, False]
assert rows[1]["remarks"] == "relu: mask from the upstream gradient"

# %% tags=["remove-input"]
def as_table(rows, shown):
    lines = ["| " + " | ".join(shown) + " |", "|---" * len(shown) + "|"]
    cells = ([row[column].replace("|", "\\|") for column in shown] for row in rows)
    return Markdown("\n".join([*lines, *("| " + " | ".join(row) + " |" for row in cells)]))


display(as_table(rows, [*rows[0]]))

# %% [markdown]
# Each student has a row. Each function that passes all its tests earns a point, and an exercise that was not handed in has an empty cell. With `--long` each exercise of each student has a row, with the columns {{ ", ".join(f"`{name}`" for name in COLUMNS) }}:

# %% tags=["remove-input"]
_, long_rows = graded("long.csv", long=True)
display(as_table(long_rows, ("id", "file", "passed", "tests", "points", "known mistakes", "messages")))

# %% [markdown]
# Excel reads the table's accents correctly, and never takes a cell for a formula: what could be one gets an apostrophe, so a student whose folder is `=eve` has the id `'=eve`. The table is written whole or not at all, so an interrupted run leaves last week's table as it was. After an interruption, start the same command again: it grades only what is left.
#
# If an exercise is a folder, or lies in several places, it counts 0, and the table says why. A link is followed only if it stays inside the student's folder. Hidden folders are skipped, and so is `__MACOSX`, which a Mac adds to a zip.
#
# **Other names.** Only `relu.py` is graded as `relu`, even in capitals. A file called `relu (1).py`, `relu_final.py` or `relu.zip` is not, and the student's cell stays empty. So that nothing is lost in silence, the table then remarks "not recognised: relu (1).py". It says the same of all files of a student if none has the name of an exercise. The last line of `grade` counts what it has left out, with the files that lie beside the students' folders. Rename them, and grade again.

# %% tags=["remove-cell"]
lost = class_folder / "dora" / "relu (1).py"
lost.write_text(right, encoding="utf-8")
_, again = graded("again.csv")
assert again[3]["remarks"] == "relu: not recognised: relu (1).py"
assert again[3]["relu (of 2)"] == ""
lost.unlink()

# %% [markdown]
# **A different seed from the class's.** Random inputs are drawn anew for each seed. The learners' `check` has the seed {{ LEARNERS_SEED }}, and `grade` has {{ TEACHERS_SEED }} if you give none, so an answer that was made to fit the tests, and not the task, fails here. A seed that only you know, given with `--seed`, is safer still.
#
# ## What the class has misunderstood
#
# A mistake is named only if the submission gives exactly its numbers on every test. Anything else is described in the messages. Count the known mistakes, and you have a lesson plan:

# %%
counts = Counter(mistake for row in found for mistake in row.mistakes)
for mistake, students in counts.most_common():
    print(f"{students} of {len(found)}: {mistake}")

# %% [markdown]
# ## What a submission may do
#
# Each file runs in a process of its own, with the same limits as for the learner: {{ Limits().seconds:g}} second of computing for a call, {{ Limits().memory / 2**30:g}} GB of memory, {{ Limits().whole:g}} seconds by the clock for a file. Cem's loop cost you about a second, and the rest of his file was graded.
#
# The right answers and the comparison stay in your process. A submission receives inputs and sends back numbers, in a format that holds nothing else. So it cannot find the answers in its memory, change how they are compared, or declare itself right. It starts in an empty folder, without your environment's variables.
#
# **On Linux with bubblewrap** (`apt install bubblewrap`) the process sees Python, NumPy and the folder of the file, all of it read-only, and nothing else: no network, no home, no other process, not this book. The first line of `grade` says whether that is so; `--require-sandbox` stops where it is not. A submission can still use up its time and memory, and a fault in the Linux kernel would let it out. For strangers who mean harm, use a machine that you can throw away.
#
# **Without bubblewrap**, a guard in the process blocks what a solution never needs: writing files, starting programs, using the network, and reading files other than Python's, NumPy's and those in the submission's folder. It stops accidents and common attacks. It does not stop a skilled attacker, who can change Python's memory from inside and then read and write whatever you can. If you do not trust a submission, grade it in a container.
