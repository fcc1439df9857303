"""What was slow to make, kept for as long as what it was made of stays the same."""

import functools
import hashlib
import json
import platform
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from nn_tutorial.files import write_whole

T = TypeVar("T")
HERE = Path(__file__).resolve().parent
MOST_DAYS = 7  # that a result is kept without being used


class Memory:
    """A folder of results, each under the hash of all that it was made of.

    A result is what JSON can hold. It is shared by all who ask for it: nobody may change it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._used: dict[Path, Any] = {}

    def recall(self, kind: str, made_of: Any, make: Callable[[], T]) -> T:
        """Return the result of `make()`: from the folder if there is one.

        Parameters
        ----------
        kind : str
            What the result is, the name of a folder.
        made_of : object
            All that the result depends on beside the site generator's code and its libraries.
        make : callable
        """
        asked = json.dumps([code_and_libraries(), made_of], sort_keys=True)
        path = self.folder / kind / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"
        if path not in self._used:
            try:
                self._used[path] = json.loads(path.read_bytes())
            except (OSError, ValueError):  # not there, or cut off
                self._keep(path, make())
        result: T = self._used[path]
        return result

    def _keep(self, path: Path, result: Any) -> None:
        written = json.dumps(result)
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as beside:
            beside.write_text(written, encoding="utf-8")
        # As it will be read: a list is no tuple, whether it was made now or before.
        self._used[path] = json.loads(written)

    def forget_unused(self) -> None:
        """Remove the results that are old and were not asked for."""
        for path in self.folder.glob("*/*"):
            if path not in self._used and time.time() - path.stat().st_mtime > 86400 * MOST_DAYS:
                path.unlink(missing_ok=True)


@functools.cache
def code_and_libraries() -> str:
    """Return a hash of the site generator, and of the versions of all that is installed."""
    digest = hashlib.sha256(platform.python_version().encode())
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and path.suffix in (".py", ".mjs", ".css"):
            digest.update(path.read_bytes())
    installed = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    digest.update("\n".join(sorted(path.name for path in installed)).encode())
    return digest.hexdigest()
