"""The layers need NumPy alone, and what readers import from the package stays there."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from helpers import ROOT, imported

import nn_tutorial

HEAVY = ("torch", "matplotlib", "sklearn", "tqdm", "scipy", "pandas", "IPython", "rich")
NUMPY_ROOMS = ("layers", "training", "verify", "exercises", "data")
# Readers' programs name these: new names may come, none may go.
PUBLIC = [
    "Adam", "AvgPool2d", "BatchNorm", "Conv2d", "DataDamagedError", "DataNotFoundError",
    "Dataset", "Dropout", "Flatten", "GradientError", "GradientReport", "History", "Layer",
    "Linear", "MaxPool2d", "ReLU", "SGD", "Sequential", "Sigmoid", "Softmax", "Tanh",
    "avg_pool2d", "avg_pool2d_backward", "avg_pool2d_loops", "avg_pool2d_loops_backward",
    "batch_norm", "batch_norm_backward", "cifar10", "conv2d", "conv2d_backward", "conv2d_im2col",
    "conv2d_im2col_backward", "conv2d_loops", "conv2d_loops_backward", "cross_entropy",
    "cross_entropy_backward", "digits", "dropout", "dropout_backward", "evaluate",
    "fashion_mnist", "fit", "gradient_check", "he_normal", "image_folder", "iris", "linear",
    "linear_backward", "load", "max_pool2d", "max_pool2d_backward", "max_pool2d_loops",
    "max_pool2d_loops_backward", "mlp", "normal", "predict", "predict_logits", "relative_error",
    "relu", "relu_backward", "save", "sigmoid", "sigmoid_backward", "small_cnn", "softmax",
    "softmax_backward", "softmax_cross_entropy", "stratified_split", "tanh", "tanh_backward",
    "two_layer_net", "wilson", "xavier_normal", "xavier_uniform", "zeros",
]  # fmt: skip


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


def test_no_room_but_two_needs_more_than_numpy() -> None:
    """All modules of the others are loaded; what their functions load later is not seen here."""
    code = (
        "import importlib, pkgutil, sys, nn_tutorial\n"
        f"for room in {NUMPY_ROOMS!r}:\n"
        "    there = importlib.import_module(f'nn_tutorial.{room}')\n"
        "    for found in pkgutil.walk_packages(there.__path__, there.__name__ + '.'):\n"
        "        if not found.name.endswith('__main__'):\n"
        "            importlib.import_module(found.name)\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("room", NUMPY_ROOMS)
def test_no_function_of_these_rooms_loads_pytorch_or_draws(room: str) -> None:
    """But for the readers of data sets, which are torchvision's."""
    refused = {"IPython", "matplotlib", "torch"} | ({"torchvision"} if room != "data" else set())
    for path in sorted((ROOT / "nn_tutorial" / room).rglob("*.py")):
        found = imported(path.read_text(encoding="utf-8"))
        assert not found & refused, path


@pytest.mark.parametrize("name", PUBLIC)
def test_a_name_that_readers_import_stays(name: str) -> None:
    assert name in nn_tutorial.__all__
    assert hasattr(nn_tutorial, name)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert nn_tutorial.__version__ == version("nn_tutorial")
