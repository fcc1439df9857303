"""Run by each kernel of `make lab` and of Binder (PYTHONSTARTUP).

A page runs in the repository's root, as at a build: Jupyter would start it in the page's folder.
"""

import os
from pathlib import Path

os.chdir(Path(__file__).resolve().parents[2])
del os, Path
