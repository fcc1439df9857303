"""The book's equations and derivations: for each layer a file with its `THEORY`, under its name.

A file that is added here is found. It is loaded when its layer is asked for.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from ...tables import UnknownNameError
from ..theory import SHAPES, Theory, Values, equations

__all__ = ["SHAPES", "THEORIES", "Theory", "Values", "equations"]


class _Theories(Mapping[str, Theory]):
    """The theories by name, in the order of the alphabet."""

    def __init__(self) -> None:
        self._names = sorted(module.name for module in pkgutil.iter_modules(__path__))

    def __getitem__(self, name: str) -> Theory:
        if name not in self._names:
            where = f"nn_tutorial/verify/theories/{name}.py, with its THEORY"
            raise UnknownNameError("theory", name, self._names, where)
        theory: Theory | None = getattr(import_module(f"{__name__}.{name}"), "THEORY", None)
        if theory is None:
            raise AttributeError(f"nn_tutorial/verify/theories/{name}.py: expected its THEORY")
        return theory

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


THEORIES: Mapping[str, Theory] = _Theories()
