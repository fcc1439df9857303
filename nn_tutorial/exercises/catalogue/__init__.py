"""All exercises, in the order of the book; each topic is a file here and a solution page.

A file that is added here is found. Its `AFTER` is the topic that it follows.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from ...tables import Table
from ..exercise import Exercise


def in_order(after: Mapping[str, str | None]) -> list[str]:
    """Return topics so that each stands behind the one that it follows; two of one, by name.

    Parameters
    ----------
    after : mapping of str to str
        For each topic the one that it follows, nothing for the first.

    Raises
    ------
    ValueError
        If one follows no topic.
    """
    found: list[str] = []

    def add(topic: str) -> None:
        for name in sorted(name for name, before in after.items() if before == topic):
            found.append(name)
            add(name)

    add("")
    for name in after.keys() - set(found):
        raise ValueError(
            f"nn_tutorial/exercises/catalogue/{name}.py, AFTER: expected one of "
            f"{', '.join(found)}; got {after[name]!r}"
        )
    return found


def _exercises_of(topic: str) -> tuple[Exercise, ...]:
    found: tuple[Exercise, ...] | None = getattr(_MODULES[topic], "EXERCISES", None)
    if found is None:
        raise AttributeError(f"nn_tutorial/exercises/catalogue/{topic}.py: expected its EXERCISES")
    return found


_MODULES = {m.name: import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)}
TOPICS: dict[str, tuple[Exercise, ...]] = Table(
    "topic",
    "nn_tutorial/exercises/catalogue/TOPIC.py, with its EXERCISES",
    {
        name: _exercises_of(name)
        for name in in_order({n: getattr(m, "AFTER", None) for n, m in _MODULES.items()})
    },
)
EXERCISES: dict[str, Exercise] = Table(
    "exercise",
    "an entry of EXERCISES in the file of its topic, in nn_tutorial/exercises/catalogue/",
    {exercise.name: exercise for exercises in TOPICS.values() for exercise in exercises},
)
