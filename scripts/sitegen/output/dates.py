"""The date of the book: that of its last change."""

import os
import subprocess
from pathlib import Path


def last_change(root: Path, docs: Path) -> str:
    """Return when the book was last changed, in seconds since 1970.

    That is the date of the last commit. Where there is none, as in a folder that was unpacked, it
    is that of the newest source.

    Parameters
    ----------
    root : Path
        The project's.
    docs : Path
        The folder of the pages.
    """
    # A repository around this one has other dates.
    around = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    command = ["git", "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(
            command, cwd=root, env=around, capture_output=True, encoding="utf-8", errors="replace"
        )
    except FileNotFoundError:  # there is no git
        committed = ""
    else:
        committed = done.stdout.strip()
    sources = (path for path in docs.rglob("*") if path.suffix in (".md", ".py"))
    return committed or str(int(max((path.stat().st_mtime for path in sources), default=0)))
