# ---
# title: Verified
# description: Every equation, derivation, certificate and mutant of this book, counted and checked at this build.
# tags:
#   - verification
# ---

# %% [markdown]
# # Verified
#
# This page runs every check of the book's layers at once, and exists only because all of them passed. [How this book checks itself](checks.py) explains how they work.

# %% tags=["hide-input"]
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display

from nn_tutorial.pytorch.equivalents import oracle
from nn_tutorial.verify.certificates import certify_all
from nn_tutorial.verify.agreement import agree_all
from nn_tutorial.pages.show import power, publish
from nn_tutorial.exercises import EXERCISES
from nn_tutorial.exercises.diagnosis import diagnose, mistaken
from nn_tutorial.exercises.sandbox import Outcome
from nn_tutorial.verify.mutants import EQUIVALENT, all_mutants
from nn_tutorial.pages.plots import COLORS, show, use_style
from nn_tutorial.verify.theories import THEORIES

SEED = 0
use_style()
record = json.loads(Path("benchmarks/lighthouse.json").read_text(encoding="utf-8"))
known = [(f, m) for e in EXERCISES.values() for f in e.functions for m in f.misconceptions]
agreed = agree_all()
certificates = certify_all(oracle)
mutants = list(all_mutants())

equations = sum(len(t.forward) + len(t.backward) for t in THEORIES.values())
derivations = [d for t in THEORIES.values() for d in t.derivations]
steps = sum(len(d.steps) for d in derivations)
checks = [check for found in agreed.values() for check in found]
rows = [row for found in certificates.values() for row in found]
kinks = sum(c.kinks for c in checks) + sum(row.kinks for row in rows)
exact = [c.error for c in checks if c.relation != "central differences"]
alive = [m for m in mutants if m.killed_by is None and m.equivalent is None]
same = [m for m in mutants if m.equivalent is not None]
killed = len(mutants) - len(same) - len(alive)
assert not alive
double = [row for row in rows if row.dtype == "float64"]
single = [row for row in rows if row.dtype == "float32"]

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(5.2, 5.4))
names = list(reversed(certificates))
for place, name in enumerate(names):
    for dtype, color, marker in (("float64", "blue", "o"), ("float32", "orange", "s")):
        for witness, offset in (("central", 0.25), ("complex_step", 0.0), ("pytorch", -0.25)):
            errors = [
                max(getattr(row, witness) or 0.0, 1e-17)
                for row in certificates[name]
                if row.dtype == dtype and getattr(row, witness) is not None
            ]
            ax.plot(errors, [place + offset] * len(errors), marker, color=COLORS[color],
                    markersize=3, alpha=0.5)
ax.axvline(1e-6, color=COLORS["red"], linestyle="--", linewidth=1)
ax.text(1.4e-6, len(names) - 0.4, "limit of differences", color=COLORS["red"], fontsize=9, ha="right")
ax.set(xscale="log", xlabel="relative error of the gradient", ylim=(-0.7, len(names)),
       title="Blue float64, orange squares float32")
ax.set_yticks(range(len(names)), names)
show(
    fig,
    name="certificates",
    alt=(
        "Relative errors of all layers' gradients on a logarithmic axis. In float64 the complex "
        f"step and PyTorch agree to about {max(r.pytorch for r in double):.0e}, central differences "
        f"to {max(r.central for r in double):.0e}; float32 lies around "
        f"{np.median([r.largest for r in single]):.0e}."
    ),
    caption=(
        "Each mark is one layer on one geometry against one witness: in each row central "
        "differences above, the complex step in the middle, PyTorch below. The marks stand in "
        "three columns: rounding in float64, the limit of differences, rounding in float32."
    ),
)

# %% tags=["remove-input"]
display(Markdown(f"""
| What | How many | Largest relative error |
|---|---|---|
| equations | {equations} | |
| derivations | {len(derivations)}, with {steps} steps | |
| comparisons of equations, layers, einsum, derivations | {len(checks)} | ${power(max(exact))}$ |
| certificates in float64, against the complex step and PyTorch | {len(double)} | ${power(max(max(r.complex_step or 0, r.pytorch) for r in double))}$ |
| certificates in float64, against central differences | {len(double)} | ${power(max(r.central for r in double))}$ |
| certificates in float32 | {len(single)} | ${power(max(r.largest for r in single))}$ |
| directions at a kink, reported and left out | {kinks} | |
| mutants | {len(mutants)}, {killed} killed | |
"""))

# %% [markdown]
# ## Every layer
#
# "Numbers" counts what was compared between equations, layer and derivatives; the errors are those of the certificates in float64.

# %% tags=["remove-input"]
lines = ["| Layer | Numbers | Central differences | Complex step | PyTorch |", "|---|---|---|---|---|"]
for name in THEORIES:
    mine = [row for row in certificates[name] if row.dtype == "float64"]
    step = [row.complex_step for row in mine if row.complex_step is not None]
    lines.append(
        f"| `{name}` | {sum(c.compared for c in agreed[name])} | "
        f"${power(max(r.central for r in mine))}$ | {f'${power(max(step))}$' if step else '–'} | "
        f"${power(max(r.pytorch for r in mine))}$ |"
    )
display(Markdown("\n".join(lines)))

# %% [markdown]
# ## Mutants that say the same
#
# {{ len(mutants) }} mutants were run, {{ killed }} were noticed. These {{ len(same) }} were not, because they are right too:

# %% tags=["remove-input"]
lines = ["| Line | Why it is the same |", "|---|---|"]
lines += [f"| `{m.text}` | {m.equivalent} |" for m in same]
display(Markdown("\n".join(lines)))
assert {m.text for m in same} == set(EQUIVALENT)

# %% [markdown]
# ## The grader of the exercises
#
# {{ len(EXERCISES) }} exercises know {{ len(known) }} mistakes. Each mistake was run on the exercise's own tests a moment ago, to see whether it is told by its name:

# %% tags=["hide-input"]
told = 0
for function, mistake in known:
    cases = function.cases(SEED)
    answers = [mistaken(function, mistake, case) for case in cases]
    if function.judge is None:  # where an answer is random, the tests send it through the sandbox
        given = [
            Outcome("raised") if not a.results
            else Outcome("done", list(a.results), (True,) * len(a.results), a.changed)
            for a in answers
        ]
        found = diagnose(function, cases, given)
        assert [d.misconception for d in found] == [mistake], mistake.name
        told += 1

print(f"{told} of {len(known)} told by name, {len(known) - told} are random and left to the tests")

# %% [markdown]
# ## The site in a browser
#
# The tests open every page in Chromium, light and dark, at a phone's width and at a desktop's: with [axe](https://github.com/dequelabs/axe-core) against the rules of WCAG 2.2 AA, with the keyboard alone, without scripts, below another address, and from the disk. Lighthouse was run on {{ record["date"] }} (version {{ record["lighthouse"] }}, {{ record["profile"] }}, the median of {{ record["runs"] }} runs; `make lighthouse` measures again):

# %% tags=["remove-input"]
kinds = {"performance": "Performance", "accessibility": "Accessibility",
         "best-practices": "Best practices", "seo": "SEO"}
lines = ["| Page | " + " | ".join(kinds.values()) + " | Over the wire |", "|---" * 6 + "|"]
for page, about in record["pages"].items():
    scores = " | ".join(f"{about['scores'][kind]}" for kind in kinds)
    lines.append(f"| `{page}` | {scores} | {about['bytes_over_the_wire'] / 1000:.0f} kB |")
display(Markdown("\n".join(lines)))

# %% [markdown]
# Scores are out of 100. They date from the day above, not from this build: a build has no clock.
#
# All the other numbers are in [`verified.json`](../verified.json), for machines.

# %% tags=["remove-input"]
publish(
    "verified.json",
    {
        "equations": equations,
        "derivations": len(derivations),
        "steps": steps,
        "comparisons": len(checks),
        "kinks": kinks,
        "largest_error_of_equations": max(exact),
        "mutants": {"all": len(mutants), "killed": killed, "equivalent": len(same)},
        "certificates": [row.as_dict() for row in rows],
    },
)
