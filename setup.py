"""What pyproject.toml cannot say: an installed package has the files that pages read.

A page that runs away from the repository takes them from there (`nn_tutorial/pages/at_home.py`).
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# Recorded measurements and trainings, the scripts they are of, and what the pages read of the book.
READ = (
    "benchmarks/*.json",
    "docs/**/*.py",
    "docs/**/*.md",
    "docs/records/*.json",
    "mkdocs.yml",
    "scripts/*.py",
    "tests/pytorch/test_pytorch_training.py",
)


class WithBook(build_py):
    """Put a copy of these files into the package."""

    def run(self) -> None:
        """Build the package, and copy them, unless it stays in the repository."""
        super().run()
        if self.editable_mode:
            return
        for path in sorted(path for pattern in READ for path in ROOT.glob(pattern)):
            if path.is_file():
                copy = Path(self.build_lib, "nn_tutorial", "book", path.relative_to(ROOT))
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


setup(cmdclass={"build_py": WithBook})
