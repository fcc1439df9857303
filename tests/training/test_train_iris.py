"""The script for the terminal: what it prints, what it draws, what it refuses."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import nn_tutorial as nt

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "train_iris.py"


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )


def main() -> Callable[[list[str]], int]:
    """The script's main, for cases that need no process of their own."""
    spec = importlib.util.spec_from_file_location("train_iris", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def trained(
    *,
    lr: float,
    hidden: list[int],
    momentum: float = 0,
    batch_size: int = 16,
    seed: int = 0,
    keep_best: bool = False,
    optimizer: str = "sgd",
) -> tuple[float, float]:
    """Test loss and accuracy of the same training, through the library."""
    flowers = nt.iris(seed=seed).standardized()
    rng = np.random.default_rng([1, seed])
    net = nt.mlp(4, hidden, 3, rng=rng)
    nt.fit(
        net,
        (flowers.x_train, flowers.y_train),
        (flowers.x_val, flowers.y_val),
        optimizer=(
            nt.Adam(net.params, lr)
            if optimizer == "adam"
            else nt.SGD(net.params, lr, momentum=momentum)
        ),
        epochs=30,
        batch_size=batch_size,
        rng=rng,
        keep_best=keep_best,
    )
    return nt.evaluate(net, flowers.x_test, flowers.y_test)


README = {"lr": 0.01, "hidden": [10, 10]}
EVERY_OPTION = {
    "lr": 0.5,
    "hidden": [5],
    "momentum": 0.9,
    "batch_size": 10,
    "seed": 3,
    "keep_best": True,
}
ADAM = {"lr": 0.001, "hidden": [10, 10, 10], "optimizer": "adam"}


@pytest.mark.parametrize(
    "options", [README, EVERY_OPTION, ADAM], ids=["readme", "every-option", "adam"]
)
def test_it_trains_prints_and_draws(tmp_path, options):
    arguments = []
    for name, value in options.items():
        values = [] if value is True else np.atleast_1d(value)
        arguments += [f"--{name.replace('_', '-')}", *map(str, values)]
    plot = tmp_path / "out.svg"
    done = run(*arguments, "--epochs", "30", "--plot", str(plot))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no bar where there is no terminal
    loss, accuracy = trained(**options)
    printed = done.stdout.splitlines()
    name, value = printed[0].rsplit(maxsplit=1)
    assert name == "test loss"
    assert float(value) == pytest.approx(loss, abs=1e-3)  # BLAS may use more threads there
    assert printed[1] == f"test accuracy  {accuracy:.2f} ({round(25 * accuracy)} of 25 flowers)"
    assert plot.read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert list(tmp_path.iterdir()) == [plot]  # nothing is left beside it


def test_same_arguments_same_bytes_and_another_seed_another_plot(tmp_path):
    plots = [tmp_path / f"{name}.svg" for name in ("first", "second", "other")]
    common = ["--epochs", "5", "--momentum", "0.9", "--batch-size", "10"]
    said = [
        run(*common, "--seed", seed, "--plot", plot.name, cwd=tmp_path).stdout.splitlines()[:2]
        for seed, plot in zip("001", plots, strict=True)
    ]
    first, second, other = (plot.read_bytes() for plot in plots)
    assert first == second
    assert said[0] == said[1]
    assert first != other
    assert said[0][0] != said[2][0]


def test_the_plot_has_losses_and_accuracies(tmp_path, monkeypatch):
    drawn = []
    save = Figure.savefig

    def watch(figure, *args, **kwargs):
        drawn.append(figure)
        return save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", watch)
    assert main()(["--epochs", "3", "--plot", str(tmp_path / "out.svg")]) == 0
    [figure] = drawn
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels == ["loss (nats)", "accuracy"]
    for ax in figure.axes:
        assert [line.get_label() for line in ax.lines] == ["training", "validation"]
        assert all(len(line.get_ydata()) == 3 for line in ax.lines)
    assert all(0 <= value <= 1 for line in figure.axes[1].lines for value in line.get_ydata())


def test_an_older_plot_is_replaced(tmp_path):
    plot = tmp_path / "out.svg"
    plot.write_text("old", encoding="utf-8")
    assert run("--epochs", "1", "--plot", str(plot)).returncode == 0
    assert "</svg>" in plot.read_text(encoding="utf-8")


def test_no_hidden_layer_is_softmax_regression(tmp_path):
    done = run("--hidden", "--epochs", "2", cwd=tmp_path)
    assert done.returncode == 0
    assert "test accuracy" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--lr", "fast"], "argument --lr: expected a number above 0, got 'fast'"),
        (["--lr", "0"], "argument --lr: expected a number above 0, got '0'"),
        (["--lr", "nan"], "argument --lr: expected a number above 0, got 'nan'"),
        (["--lr", "inf"], "argument --lr: expected a number above 0, got 'inf'"),
        (["--hidden", "10", "0"], "argument --hidden: expected a whole number of at least 1"),
        (["--hidden", "2.5"], "argument --hidden: expected a whole number of at least 1"),
        (["--epochs", "0"], "argument --epochs: expected a whole number of at least 1"),
        (["--batch-size", "-3"], "argument --batch-size: expected a whole number of at least 1"),
        (["--momentum", "1"], "argument --momentum: expected a number of at least 0 and below 1"),
        (["--optimizer", "rmsprop"], "argument --optimizer: invalid choice: 'rmsprop'"),
        (
            ["--optimizer", "adam", "--momentum", "0.9"],
            "argument --momentum: expected 0 with --optimizer adam, which has its own, got 0.9",
        ),
        (["--seed", "-1"], "argument --seed: expected a whole number of at least 0, got '-1'"),
        (["--plot", "out.png"], "argument --plot: expected a name that ends in .svg"),
        (["--plot", "missing/out.svg"], "argument --plot: expected a file in a directory that"),
        (["--layers", "3"], "unrecognized arguments: --layers 3"),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_written(
    tmp_path, monkeypatch, capsys, arguments, expected
):
    monkeypatch.chdir(tmp_path)
    good = [] if "--plot" in arguments else ["--plot", "out.svg"]
    with pytest.raises(SystemExit) as left:
        main()([*arguments, *good])
    assert left.value.code == 2
    said = capsys.readouterr()
    assert expected in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_the_exit_status_of_the_process(tmp_path):
    done = run("--lr", "0", "--plot", "out.svg", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "argument --lr" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_plot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out.svg").mkdir()
    with pytest.raises(SystemExit) as left:
        main()(["--plot", "out.svg"])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert "argument --plot: expected a file, 'out.svg' is a directory" in said


def test_a_diverged_loss_says_so_and_keeps_the_older_plot(tmp_path):
    plot = tmp_path / "out.svg"
    plot.write_text("old", encoding="utf-8")
    done = run("--lr", "1e9", "--plot", str(plot))
    assert done.returncode == 1
    assert done.stderr.startswith("train_iris.py: loss: expected a finite number, got nan")
    assert len(done.stderr.splitlines()) == 1
    assert plot.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [plot]
