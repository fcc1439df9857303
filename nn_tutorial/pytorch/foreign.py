"""Tensors that a network answers with and does not own: what its ``state_dict`` does not say."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def foreign_tensors(model: nn.Module, x: Tensor) -> list[str]:
    """Return what a network computes with, beside its parameters, buffers and input.

    Every operation of one forward pass is watched. What an operation returned may be used by the
    next; a constant that Python's numbers are made into is new, and let through.

    Parameters
    ----------
    model : Module
        In the mode in which it is to be looked at; its buffers may change.
    x : Tensor, (N, C, H, W)

    Returns
    -------
    list of str
        The operation and the shape of what it was given, in the order of the pass.
    """
    watch = _Watch([x, *model.parameters(), *model.buffers()])
    with torch.no_grad(), watch:
        model(x)
    return watch.found


# PyTorch does not annotate this base class, hence what the type checker is told to pass over.
class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees each operation with its tensors."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept = [*known]  # so that no memory is used again, and taken for known
        self.known = {_memory(tensor) for tensor in self.kept}
        self.found: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = str(function)
        if not name.startswith("aten.lift"):
            self.found += [
                f"{name} of {tuple(tensor.shape)}"
                for tensor in _tensors((args, kwargs))
                if _memory(tensor) not in self.known
            ]
        returned = function(*args, **kwargs)
        self.kept += (new := _tensors(returned))
        self.known |= {_memory(tensor) for tensor in new}
        return returned


def _tensors(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor) and value.numel()]


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
