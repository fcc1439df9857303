# ---
# title: How a page runs in your browser
# description: "Python and NumPy in the page itself, from the site's own files: what that costs, which versions run, and that nothing is sent."
# tags:
#   - verification
# ---

# %% [markdown]
# # How a page runs in your browser
#
# Under the title of most pages is a button, "Run this page". It starts Python and NumPy in your browser. Then you can change any cell and see what becomes of its output, and you can write the exercises where they are set. Nothing is installed, no server computes for you, and nothing that you write leaves your machine.

# %% tags=["hide-input"]
import json
from pathlib import Path

from IPython.display import Markdown, display

SEED = None
record = json.loads(Path("benchmarks/in_page.json").read_text(encoding="utf-8"))
versions = record["versions"]
whole = {page: sum(cells.values()) for page, cells in record["pages"].items()}
longest = max(whole, key=whole.get)

# %% [markdown]
# ## What happens when you press
#
# 1. A worker, a second thread of your browser, loads [Pyodide](https://pyodide.org) {{ versions["pyodide"] }}: CPython {{ versions["python"] }}, translated to WebAssembly. With it come NumPy {{ versions["numpy"] }} and this book's own package. Your browser keeps these files under a name that is the hash of what is in them, so the next visit loads none of them.
# 2. The page finds its cells, and puts a "Run" under each. "Edit" opens an editor. Shift and Enter run the cell; Tab indents, and Escape and then Tab leave the editor.
# 3. A cell that you run is sent to the worker as text. If cells above it have not run yet, they run first. What it prints, shows and draws comes back as text and stands where the book's output stood.
#
# Where your output says the same as the book's, to rounding, the book's stays. Where it differs it is marked "yours", and a button brings the book's back. Numbers in the prose that follow from a cell change with it. A formula keeps its numbers, and references in a caption stay plain words.
#
# matplotlib {{ versions["matplotlib"] }} is loaded when a cell draws for the first time.
#
# ## What it costs
#
# Measured on {{ record["date"] }} in {{ record["browser"] }}, on two slow cores that had other work to do (`make in-page` measures again):

# %% tags=["remove-input"]
rows = {
    "over the wire, from the press to the first cell": f"{record['bytes_to_start'] / 1e6:.1f} MB",
    "more, for the first figure": f"{record['bytes_of_figures'] / 1e6:.1f} MB",
    "processor time of Python's worker until it is ready": (
        f"{record['worker_cpu_seconds_to_start']:.1f} s"
    ),
    "a small cell, `1 + 1`": f"{record['milliseconds_of_a_small_cell']:.0f} ms",
    "a check of the first exercise": f"{record['milliseconds_of_a_check']:.0f} ms",
    f"all cells of `{longest}`, the longest of {len(whole)} pages": f"at least {whole[longest] / 60:.0f} minutes",
}
display(Markdown("| What | How much |\n|---|---|\n" + "\n".join(f"| {a} | {b} |" for a, b in rows.items())))

# %% [markdown]
# Until you press, a page loads the script of that button, and nothing else of all this. Cells that took more than five seconds say so before you run them, and "Run all but the long" leaves them out. Cells that need them then say so too, and keep the book's output.
#
# ## What differs from the build
#
# The numbers of this book were made by the versions named at the end of each page. Your browser has older ones, and a Python with 32 bits. So:
#
# - Sums are added in another order, and a long training may end elsewhere. Then your output is marked "yours" though you changed nothing. A few assertions of the book hold on its own machine alone; the cell says so, and the next ones run.
# - NumPy gives no warning of overflow or of a division by zero.
# - PyTorch, SciPy and the records of long trainings are not there. A cell that needs them says which, keeps the book's output, and names the notebook to run instead. What follows from such a cell is left as it is too.
# - `np.bincount` of the page takes 64-bit labels, as elsewhere; Pyodide's own would refuse them.
#
# The tests run every page that can be run in Chromium, but for the cells that took longer than five seconds and what needs them, and compare every text with the build's. In Firefox and in WebKit the tests run a cell, stop a loop and check an exercise.
#
# ## The grader
#
# "Check" runs the grader that runs in a terminal, with the same tests and the same known mistakes. There a submission has a process of its own. Here it shares the worker's Python, and your browser is the wall around it. While it runs, it is refused what it would be refused in a terminal: to write files, to import the answers. The tests send every solution and every known mistake through it.
#
# What you write is kept by your browser, for this site alone, until you clear it. On the page of [all exercises](../exercises/index.py#all-of-them) you can download your files, as the folder that `python -m nn_tutorial.exercises` uses, and take them in on another machine, one by one or as a zip.
#
# ## How it is stopped
#
# Between its instructions Python asks the page's clock whether to go on, and now and then whether an address still exists, which "Stop" revokes. A loop ends there, and your variables stay. Code that does not ask, such as one long call of C code, is ended with the worker after a moment: Python starts anew, and your variables are gone. The same happens when memory is full.
#
# ## What is sent
#
# Nothing. The page's policy allows connections to this site alone, and all that is loaded are its own files. There are no cookies, and visits are not counted. A link can open a page, but it cannot run anything: Python starts when you press.
#
# From a disk, a browser loads no worker. Serve the folder: call `python -m http.server` in it, then open the address that it names.
