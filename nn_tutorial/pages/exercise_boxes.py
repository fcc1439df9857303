"""What the book's pages show of an exercise: its box, its solution, its known mistakes."""

import inspect
import textwrap
from typing import Any

from ..exercises.catalogue import EXERCISES, TOPICS
from ..exercises.exercise import Exercise


def show_exercises(*names: str) -> None:
    """Show the box of a chapter's exercises.

    Parameters
    ----------
    *names : str
        In ``EXERCISES``. The links lead from a folder of ``docs`` that is not ``exercises``.
    """
    lines = []
    for name in names:
        exercise = EXERCISES[name]
        link = f"../exercises/{topic(exercise)}.py#{name}"
        lines.append(f"    - `{name}`: {exercise.task} [Hints and solution]({link})")
    _markdown(
        '!!! exercise "Write it yourself"\n'
        + "\n".join(lines)
        + "\n\n    [How the exercises work](../exercises/index.py): "
        f"`python -m nn_tutorial.exercises check {names[0]}`\n"
    )


def show_task(name: str) -> None:
    """Show what the learner's file begins with, and the hints, folded.

    Parameters
    ----------
    name : str
        In ``EXERCISES``.
    """
    exercise = EXERCISES[name]
    folded = "\n".join(
        f'??? question "Hint {i}"\n    {hint}\n' for i, hint in enumerate(exercise.hints, 1)
    )
    _markdown(f'```python title="{name}.py"\n{exercise.stub}```\n\n{folded}')


def show_solution(name: str) -> None:
    """Show the solution's source, folded; the docstrings, which the task shows, are left out.

    Parameters
    ----------
    name : str
        In ``EXERCISES``.
    """
    parts = []
    for function in EXERCISES[name].functions:
        source = inspect.getsource(function.solution).rstrip()
        before, _, rest = source.partition('"""')
        parts.append(before.rstrip(" r") + rest.partition('"""')[2].lstrip("\n"))
    code = "```python\n" + "\n\n\n".join(parts) + "\n```"
    _markdown('??? example "Show the solution"\n' + textwrap.indent(code, "    "))


def show_mistakes(name: str) -> None:
    """Show the mistakes that the grader knows, each with the section to read again.

    Parameters
    ----------
    name : str
        In ``EXERCISES``.
    """
    lines = []
    for function in EXERCISES[name].functions:
        for known in function.misconceptions:
            page, _, anchor = known.reread.partition("#")
            link = f"../{page}.py" + (f"#{anchor}" if anchor else "")
            lines.append(f"| `{function.name}` | [{known.name}]({link}) |")
    _markdown("| Function | Known mistake |\n|---|---|\n" + "\n".join(lines))


def topic(exercise: Exercise) -> str:
    """Return the topic of an exercise, which is the name of its solution page."""
    return next(name for name, exercises in TOPICS.items() if exercise in exercises)


def _markdown(text: str) -> Any:
    from IPython.display import Markdown, display

    display(Markdown(text))
