"""Check functions that were written in a notebook: their source goes where a file would go."""

import difflib
import inspect
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .catalogue import EXERCISES
from .exercise import Exercise, Function
from .gathering import Gathered
from .grading import grade
from .report import Report


def check(*functions: Callable[..., Any]) -> Report:
    """Grade functions of one exercise, as the command line would grade a file with them.

    Parameters
    ----------
    *functions : function
        Called as in the exercise, with or without ``my_`` before it: ``check(my_relu)``. What they
        use comes along: functions, classes, plain values and imports of the notebook.

    Returns
    -------
    Report
        Shown by a notebook when it is the last line of a cell.

    Raises
    ------
    ValueError
        If what is handed over is no function, a name belongs to no exercise, the functions belong
        to several, the source cannot be found, or a function uses a variable of the notebook.
    """
    if not functions:
        raise ValueError(
            "functions: expected at least one function, as in check(my_relu), got none; "
            "`python -m nn_tutorial.exercises list` shows all exercises"
        )
    here = inspect.currentframe()
    frame = here.f_back if here else None
    caller = frame.f_globals if frame else {}
    own = [_name(function, caller) for function in functions]
    names = [name.removeprefix("my_") for name in own]
    exercise, asked = _find(names)
    gathered = Gathered(caller, frame)
    for name, function in zip(own, functions):
        gathered.add(name, function)
    renamed = [f"{name} = {mine}\n" for name, mine in zip(names, own) if name != mine]
    with tempfile.TemporaryDirectory(prefix="exercise-") as folder:
        source = Path(folder) / f"{exercise.name}.py"
        source.write_text("\n\n".join([gathered.text, *renamed]), encoding="utf-8")
        return grade(exercise, source, functions=asked)


def _name(function: Any, caller: dict[str, Any]) -> str:
    """What a function is called, in the notebook if it does not know it itself."""
    if isinstance(function, str):
        raise ValueError(
            f"functions: expected functions, as in check(my_{function}), got the text "
            f"{function!r}: hand over the function, without quotation marks"
        )
    if not callable(function):
        raise ValueError(
            f"functions: expected functions, as in check(my_relu), got {type(function).__name__}"
        )
    own: str = getattr(function, "__name__", "")
    spaces = (getattr(function, "__globals__", {}), caller)
    bound = [name for space in spaces for name, v in space.items() if v is function]
    fitting = (n for n in [own, *bound] if n.removeprefix("my_") in _homes())
    return next((n for n in fitting if n in bound), own)


def meant(name: str, known: Iterable[str]) -> str:
    """Return a question for the known name that is nearest to one; nothing if none is near.

    Parameters
    ----------
    name : str
    known : iterable of str
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f": did you mean {near[0]}?" if near else ""


def _homes() -> dict[str, Exercise]:
    return {f.name: e for e in EXERCISES.values() for f in e.functions}


def _find(names: list[str]) -> tuple[Exercise, list[Function]]:
    homes = _homes()
    for name in names:
        if name not in homes:
            raise ValueError(
                f"functions: expected one called as in an exercise, with or without my_ before "
                f"it, as in my_relu; got {name or 'one without a name'}{meant(name, homes)}"
            )
    exercises = {homes[name].name: homes[name] for name in names}
    if len(exercises) > 1:
        raise ValueError(f"functions: expected those of one exercise, got {sorted(exercises)}")
    exercise = homes[names[0]]
    return exercise, [f for f in exercise.functions if f.name in names]
