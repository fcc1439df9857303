"""Check functions that were written in a notebook: their source goes where a file would go."""

import inspect
import sys
import tempfile
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .catalogue import EXERCISES
from .exercise import Exercise, Function
from .grading import grade
from .report import Report


def check(*functions: Callable[..., Any]) -> Report:
    """Grade functions of one exercise, as the command line would grade a file with them.

    Parameters
    ----------
    *functions : function
        Called as in the exercise, with or without ``my_`` before it: ``check(my_relu)``. Other
        functions of the notebook that they call come along.

    Returns
    -------
    Report
        Shown by a notebook when it is the last line of a cell.

    Raises
    ------
    ValueError
        If a name belongs to no exercise, the functions belong to several, the source cannot be
        found, or a function uses a variable of the notebook.
    """
    if not functions:
        raise ValueError("functions: expected at least one function, got none")
    names = [f.__name__.removeprefix("my_") for f in functions]
    exercise, asked = _find(names)
    parts: dict[str, str] = {}
    for function in functions:
        _gather(function, parts)
    parts |= {
        f"as {name}": f"{name} = {function.__name__}"
        for name, function in zip(names, functions)
        if name != function.__name__
    }
    with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
        source = Path(folder) / f"{exercise.name}.py"
        source.write_text("\n\n".join(parts.values()) + "\n", encoding="utf-8")
        return grade(exercise, source, functions=asked)


def _find(names: list[str]) -> tuple[Exercise, list[Function]]:
    homes = {f.name: e for e in EXERCISES.values() for f in e.functions}
    for name in names:
        if name not in homes:
            raise ValueError(f"functions: expected names of exercises {sorted(homes)}, got {name}")
    exercises = {homes[name].name: homes[name] for name in names}
    if len(exercises) > 1:
        raise ValueError(f"functions: expected those of one exercise, got {sorted(exercises)}")
    exercise = homes[names[0]]
    return exercise, [f for f in exercise.functions if f.name in names]


def _gather(item: Any, parts: dict[str, str]) -> None:
    """Add the source of a function, after that of what it uses."""
    key = f"source of {item.__name__}"
    if key in parts:
        return
    try:
        source = textwrap.dedent(inspect.getsource(item))
    except (OSError, TypeError):
        raise ValueError(
            f"{item.__name__}: expected a function whose source can be read, as in a notebook's "
            "cell or a file, got one without"
        ) from None
    parts[key] = ""  # so that functions may call each other
    if isinstance(item, types.FunctionType):
        used = _names(item.__code__)
        for name in sorted(used & item.__globals__.keys()):
            _import(name, item.__globals__[name], parts, item.__name__)
    del parts[key]
    parts[key] = source


def _names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*(_names(c) for c in inner))


def _import(name: str, value: Any, parts: dict[str, str], user: str) -> None:
    """Add the line that makes a global name of the notebook known."""
    if isinstance(value, types.ModuleType):
        parts[name] = f"import {value.__name__} as {name}"
    elif getattr(np, name, None) is value:
        parts[name] = f"from numpy import {name}"
    elif isinstance(value, (types.FunctionType, type)) and value.__module__ == "__main__":
        _gather(value, parts)
    elif callable(value) and _found(value):  # NumPy's functions have types of their own
        parts[name] = f"from {value.__module__} import {value.__name__} as {name}"
    elif isinstance(value, (bool, int, float, str)):
        parts[name] = f"{name} = {value!r}"
    else:
        raise ValueError(
            f"{user}: expected a function that needs nothing but its arguments, got one that "
            f"uses the notebook's variable {name}"
        )


def _found(value: Any) -> bool:
    """Whether its module has it under its own name."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    return getattr(module, getattr(value, "__name__", ""), None) is value
