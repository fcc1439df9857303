"""Loaded into the kernel of every page: notes which files the page reads and what it ran with."""

import os
import sys
import warnings
from importlib import metadata
from typing import Any

# These talk to the notebook's front end, not to the reader; their warnings are not the page's.
_MACHINERY = r"(IPython|ipykernel|jupyter_client|traitlets|zmq|tornado|asyncio|comm|debugpy)(\.|$)"

_opened: set[str] = set()


def start() -> None:
    """Watch the files that are opened; make every warning of the page an error."""
    sys.addaudithook(_note)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", module=_MACHINERY)


def _note(event: str, args: tuple[Any, ...]) -> None:
    if event == "open":
        path, _, flags = args
        write_only = isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY
        if isinstance(path, (str, bytes)) and not write_only:
            _opened.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 (pathlib opens files)


def finish(requirements: list[str], seed: Any) -> dict[str, Any]:
    """Return the files read so far, the versions that were imported, the data sets and the seed."""
    modules = dict(sys.modules)
    files = {getattr(module, "__file__", None) or "" for module in modules.values()}
    names = {name.partition(".")[0] for name in modules}
    owners = metadata.packages_distributions()
    imported = {owner.lower() for name in names for owner in owners.get(name, ())}
    versions = {name: metadata.version(name) for name in requirements if name.lower() in imported}
    data = modules.get("nn_tutorial.data")
    return {
        "files": sorted(_opened | files - {""}),
        "python": sys.version.split()[0],
        "libraries": versions,
        "package": metadata.version("nn_tutorial") if "nn_tutorial" in modules else None,
        "data": data.used() if data is not None else {},
        "asked_for_data": data is not None and data.asked(),
        "seed": seed,
    }
