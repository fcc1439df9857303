"""What stands for libraries that the page does not have: they can be imported, and not used.

So the imports at a chapter's beginning work, and the cells that need PyTorch or SciPy say so, each
for itself, when they come to it.
"""

import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any, NoReturn

# What a cell needs, by the module that it asks for.
NEEDED = {
    "torch": "PyTorch",
    "torchvision": "PyTorch",
    "nn_tutorial.pytorch": "PyTorch",
    "nn_tutorial.pytorch.records": "the records of long trainings",
    "scipy": "SciPy",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
    "platformdirs": "data that is downloaded",
}
OPERATORS = (
    "call iter next enter len bool contains getitem setitem delitem mro_entries instancecheck "
    "array int float index add radd sub rsub mul rmul truediv rtruediv pow neg matmul rmatmul "
    "lt le gt ge eq ne hash format"
)


class MissingError(BaseException):
    """What a cell needs and the page does not have; no Exception: no ``except`` hides it."""


def _use(self: "StandIn", *_: Any, **__: Any) -> NoReturn:
    raise MissingError(self.__dict__["_needed"])


class StandIn:
    """Something of a library that is not here: to name it is allowed, to use it is not."""

    __signature__ = property(_use)

    def __init__(self, needed: str) -> None:
        self.__dict__["_needed"] = needed

    def __getattr__(self, name: str) -> "StandIn":
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(self.__dict__["_needed"])


for _name in OPERATORS.split():
    setattr(StandIn, f"__{_name}__", _use)


class Module(types.ModuleType):
    """A module of which every name is there."""

    needed = ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(self.needed)


class Finder(Loader, MetaPathFinder):
    """Finds the modules of NEEDED, and all below them; but not the data that scikit-learn ships."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Return where a module is to be had: here, if it is one of those."""
        if name == "sklearn" or needed(name) is None:  # whose place the data sets ask for
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> Module:
        """Return the stand-in."""
        module = Module(spec.name)
        module.needed = needed(spec.name) or ""
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is run."""


def needed(name: str) -> str | None:
    """Return what a module stands for, None if it is no stand-in."""
    while name:
        if name in NEEDED:
            return NEEDED[name]
        name = name.rpartition(".")[0]
    return None


def install() -> None:
    """Let the stand-ins be found, before anything else is looked for."""
    sys.meta_path.insert(0, Finder())
