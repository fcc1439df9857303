"""The layers need NumPy alone."""

import subprocess
import sys

HEAVY = ("torch", "matplotlib", "sklearn", "tqdm", "scipy", "pandas", "IPython")


def test_importing_the_package_imports_numpy_only() -> None:
    """In a process of its own, since this one has imported them all."""
    code = f"import nn_tutorial, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_check_above_can_fail() -> None:
    code = f"import tqdm, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "tqdm" in result.stdout


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    import nn_tutorial

    assert nn_tutorial.__version__ == version("nn_tutorial")
