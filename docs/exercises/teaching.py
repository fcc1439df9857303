# ---
# title: For teachers
# description: Grade a folder of submissions into a table, with the misunderstanding behind each wrong answer and nothing of a submission running unlimited.
# tags:
#   - exercises
# ---

# %% [markdown]
# # For teachers
#
# A class hands in its files, and you want to know two things: who has solved what, and what the class as a whole has misunderstood. One command answers both with a table.

# %% tags=["hide-input"]
import csv
import tempfile
from collections import Counter
from pathlib import Path

from IPython.display import Markdown, display

from nn_tutorial.exercises import EXERCISES, Limits
from nn_tutorial.exercises.teacher import COLUMNS, grade_folder

SEED = 7
exercise = EXERCISES["relu"]

# %% [markdown]
# ## The folder
#
# Give each student a subfolder, with files named as the exercises. Here are four students. Ann has it right, Bob masks by the wrong array, Cem never stops, and Dora has handed in nothing.

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
        (class_folder / student / "relu.py").write_text(text)

# %% [markdown]
# ## The table
#
# In a terminal the command is `python -m nn_tutorial.exercises grade FOLDER TABLE.csv --seed 7`. This page calls the function behind it, for one exercise:

# %%
table = class_folder / "marks.csv"
done = list(grade_folder(class_folder, table, exercises=[exercise], seed=SEED))
with table.open(newline="") as file:
    rows = list(csv.DictReader(file))
assert [row["solved"] for row in rows] == ["1", "0", "0", "0"]
assert rows[1]["known mistakes"] == "mask from the upstream gradient"

# %% tags=["remove-input"]
shown = ("student", "file", "passed", "tests", "known mistakes", "messages")
lines = ["| " + " | ".join(shown) + " |", "|---" * len(shown) + "|"]
lines += ["| " + " | ".join(row[column].replace("|", "\\|") for column in shown) + " |" for row in rows]
display(Markdown("\n".join(lines)))

# %% [markdown]
# Columns: {{ ", ".join(f"`{name}`" for name in COLUMNS) }}. A cell that a spreadsheet could take for a formula is made harmless. The table is written whole or not at all, so an interrupted run leaves the one of last week as it was.
#
# **Another seed than the class had.** Random inputs are drawn anew for `--seed`. An answer that was made to fit the tests, and not the task, fails here.
#
# ## What the class has misunderstood
#
# A mistake is named only where a submission gives all the numbers of that mistake, on every test. What no known mistake explains is described in the messages. The column of known mistakes can be counted, and the count is a lesson plan:

# %%
counts = Counter(row["known mistakes"] for row in rows if row["known mistakes"])
for mistake, students in counts.most_common():
    print(f"{students} of {len(rows)}: {mistake}")

# %% [markdown]
# ## What a submission may do
#
# Each file runs in a process of its own, with the same limits as for the learner: {{ Limits().seconds:g}} second of computing for a call, {{ Limits().memory / 2**30:g}} GB of memory, {{ Limits().whole:g}} seconds by the clock for a file, no writing of files, no other programs, no network, and nothing of your environment's variables. Cem's loop has cost you about a second, and the rest of his file was graded.
#
# These are limits for honest mistakes. Python cannot lock a determined attacker in its own process: grade the work of strangers in a container or on a machine that you can throw away.
