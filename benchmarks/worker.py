"""One library in one process: it is asked, a line of JSON at a time, and answers the same way.

The harness sets the number of threads in this process's environment before it starts.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from typing import Any
from unittest.mock import patch

from .table import ALL_DX, IM2COL, LOOPS, MEMORY_RETURNED, THREAD_POOLS


def main() -> None:
    """Answer until the harness closes the pipe; argument: the library."""
    library = sys.argv[1]
    import_package(keep_memory=library not in (LOOPS, IM2COL, ALL_DX, MEMORY_RETURNED))
    if library.startswith("torch"):
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    from . import inside
    from .work import WORK

    call: Callable[[], Any]
    for line in sys.stdin:
        question, argument = json.loads(line)
        if question == "prepare":
            call, answer = WORK[argument](library), peak_memory()
        elif question == "time":
            answer = seconds(call, *argument)
        elif question == "peak memory":
            answer = peak_memory()
        elif question == "threads":
            answer = {name: os.environ[f"{name}_NUM_THREADS"] for name in THREAD_POOLS}
        else:
            answer = getattr(inside, question)(argument)
        print(json.dumps(answer), flush=True)


def seconds(call: Callable[[], Any], calls: int, warm_up: bool) -> float:
    """Return the wall-clock seconds of one call, from a block of them.

    The first call of a block finds caches cold and threads asleep, as the other library left them:
    to warm up is to make one call more, which is not timed.
    """
    if warm_up:
        call()
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def peak_memory() -> float:
    """Return the most memory this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def import_package(*, keep_memory: bool) -> None:
    """Import nn_tutorial, without its one line that makes glibc keep memory where so asked."""
    import numpy as np

    nothing = np.zeros(0)
    # Only that line calls np.empty while the package is imported.
    with nullcontext() if keep_memory else patch.object(np, "empty", lambda *_: nothing):
        import_module("nn_tutorial")


if __name__ == "__main__":
    main()
