"""Several processes, one training: who is who, and sums over all of them."""

import importlib
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import distributed

# Of gloo on a socket that somebody has left, and of NCCL.
LOST = re.compile(r"(?i)connection (reset|closed|refused)|broken pipe|remote process|NCCL error")


class LostProcessError(RuntimeError):
    """Another process of this training has ended, so that this one cannot go on."""


class Share(NamedTuple):
    """The rows of a batch that are this process's: ``start`` to ``stop`` of ``total``."""

    start: int
    stop: int
    total: int


class Processes(NamedTuple):
    """This process among all.

    Attributes
    ----------
    rank : int
        From 0; process 0 prints and writes.
    world : int
        How many there are.
    device : torch.device
        Where this one computes.
    """

    rank: int
    world: int
    device: torch.device

    def share(self, total: int) -> Share:
        """Return this process's rows of ``total``: as equal as can be, in the order of ranks."""
        bounds = [total * rank // self.world for rank in range(self.world + 1)]
        return Share(bounds[self.rank], bounds[self.rank + 1], total)

    def sum(self, values: list[float]) -> list[float]:
        """Return the sums over all processes, in float64."""
        if self.world == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor)
        return [float(value) for value in tensor]


@contextmanager
def processes(device: str | None = None) -> Iterator[Processes]:
    """Join the processes that ``torchrun`` has started; alone where it has not.

    Parameters
    ----------
    device : str, optional
        ``"cpu"`` or ``"cuda"``; left out, CUDA where there is a GPU. They talk over gloo on the
        CPU and NCCL on GPUs.

    Raises
    ------
    ValueError
        If CUDA is asked for and there is none.
    LostProcessError
        Instead of what gloo or NCCL say when another process is gone.
    """
    cuda = torch.cuda.is_available() if device is None else device == "cuda"
    if device not in (None, "cpu", "cuda") or (cuda and not torch.cuda.is_available()):
        raise ValueError(f"device: expected cpu, or cuda where there is a GPU, got {device!r}")
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes(0, 1, torch.device("cuda" if cuda else "cpu"))
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    place = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(place)
    # What optimisers load has functions with the group of all as a default argument. Loaded while
    # there is one, they would keep it, and its threads, to the end: then a process may be aborted.
    importlib.import_module("torch._dynamo")
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Processes(distributed.get_rank(), world, place)
    except RuntimeError as error:
        if not LOST.search(str(error)):
            raise
        # torchrun ends this process now, because of the other one. The message comes first.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise LostProcessError(
            "another process of this training has ended, so this one cannot go on; "
            "the same command goes on from the last checkpoint"
        ) from error
    finally:
        distributed.destroy_process_group()
