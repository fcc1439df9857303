"""The known mistakes of the exercises as learners' files."""

import ast
import inspect
import sys
import textwrap
from functools import partial

from nn_tutorial.exercises.exercise import Exercise, Function, Misconception


def functions_of(exercise: Exercise) -> str:
    """All functions of a topic's file, which need NumPy and each other, nothing else."""
    module = sys.modules[exercise.functions[0].solution.__module__]
    tree = ast.parse(inspect.getsource(module))
    kept = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return "import numpy as np\n\n" + "\n\n".join(ast.unparse(node) for node in kept)


def file_of(exercise: Exercise, function: Function, misconception: Misconception) -> str:
    """A file in which one function makes a mistake."""
    wrong = misconception.wrong
    name = getattr(wrong, "__name__", "")
    if isinstance(wrong, partial):
        given = [f"np.{one.__name__}" for one in wrong.args]
        given += [f"{key}={value!r}" for key, value in wrong.keywords.items()]
        name = f"partial({wrong.func.__name__}, {', '.join(given)})"
    # In a function of its own, so that a mistake may call the right one by its name.
    inside = textwrap.indent(functions_of(exercise), "    ")
    return (
        "from functools import partial\n"
        f"def mistake():\n{inside}\n    return {name}\n\n{function.name} = mistake()\n"
    )
