"""The figures' palette, and what `show` and its helpers refuse and hand out."""

from typing import Any

import IPython.display
import matplotlib.pyplot as plt
import numpy as np
import pytest

from nn_tutorial import History, relu, relu_backward
from nn_tutorial.pages.colors import COLORS, DARK
from nn_tutorial.pages.plots import (
    image_cells,
    plot_history,
    show,
    show_source,
    use_style,
    value_grid,
)
from nn_tutorial.pytorch.networks import fashion_cnn


@pytest.fixture(autouse=True)
def style() -> None:
    plt.switch_backend("agg")
    use_style()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """What was displayed: the data, and the metadata."""
    found: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, **options: found.append((data, options))
    )
    return found


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("palette", [COLORS, DARK], ids=["light", "dark"])
def test_colours_can_be_read(palette: dict[str, str]) -> None:
    back = luminance(palette["background"])
    for name, color in palette.items():
        if name not in ("background", "grid"):
            low, high = sorted((luminance(color), back))
            assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_each_colour_has_its_twin() -> None:
    assert COLORS.keys() == DARK.keys()
    assert len(set(COLORS.values()) | set(DARK.values())) == 2 * len(COLORS)


def test_show_gives_svg_with_its_words(shown: list[Any]) -> None:
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    show(fig, alt="It rises.", caption="Look.", name="rise")
    data, options = shown[0]
    assert data["image/svg+xml"].lstrip().startswith("<?xml")
    about = {"alt": "It rises.", "caption": "Look.", "name": "rise"}
    assert options["metadata"] == {"image/svg+xml": about}
    assert plt.get_fignums() == []


def test_show_is_the_same_twice(shown: list[Any]) -> None:
    for _ in range(2):
        fig, ax = plt.subplots()
        ax.plot([1, 2], label="line")
        show(fig, alt="It rises.", caption="Look.")
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("width", "alt", "caption", "message"),
    [
        (5, " ", "Look.", "alt: expected a text"),
        (5, "It rises.", "", "caption: expected a text"),
        (6, "It rises.", "Look.", r"at most 5.5 inches of width, got 6"),
    ],
)
def test_show_refuses(shown: list[Any], width: float, alt: str, caption: str, message: str) -> None:
    fig, _ = plt.subplots(figsize=(width, 3))
    with pytest.raises(ValueError, match=message):
        show(fig, alt=alt, caption=caption)
    assert shown == []
    plt.close(fig)


def test_show_source_leaves_out_the_docstring(shown: list[Any]) -> None:
    show_source(relu, relu_backward, plot_without_words)
    text = shown[0][0].data
    assert text.startswith('```python title="nn_tutorial/layers/activations.py"\ndef relu(')
    assert "def relu_backward(" in text
    assert '"""' not in text
    assert "return 1" in text


def test_show_source_names_the_file_in_its_folder(shown: list[Any]) -> None:
    show_source(fashion_cnn)
    assert shown[0][0].data.startswith('```python title="nn_tutorial/pytorch/networks.py"\n')


def plot_without_words() -> int:
    return 1


def test_plot_history() -> None:
    fig = plot_history(History([2.0, 1.0], [0, 1], [2.5, 1.5], [0, 1], 1), title="A run")
    ax = fig.axes[0]
    assert [list(line.get_ydata()) for line in ax.lines] == [[2.0, 1.0], [2.5, 1.5]]
    assert ax.get_ylabel() == "loss (nats)"
    plt.close(fig)


def test_value_grid() -> None:
    fig, ax = plt.subplots()
    value_grid(ax, [[1, 2.5], ["a", -3]], title="T", highlight=np.eye(2, dtype=bool))
    assert [text.get_text() for text in ax.texts] == ["1", "2.5", "a", "−3"]
    assert [text.get_fontweight() for text in ax.texts] == ["bold", "normal", "normal", "bold"]
    plt.close(fig)


@pytest.mark.parametrize(("windows", "frames"), [(0, [(4, 4)]), (2, [(2, 2)] * 4)])
def test_an_image_is_darker_where_it_is_larger(windows: int, frames: list[tuple[int, int]]) -> None:
    values = np.zeros((4, 4))
    values[0, 1], values[3, 2] = 2.0, 4.0
    _, ax = plt.subplots()
    image_cells(ax, values, title="a digit", windows=windows)
    filled = {p.get_xy(): p.get_alpha() for p in ax.patches if p.get_fill()}
    assert filled == {(1, 0): 0.45, (2, 3): 0.9}
    assert [(p.get_width(), p.get_height()) for p in ax.patches if not p.get_fill()] == frames
    assert ax.get_title() == "a digit"
