"""One style and one palette for all figures, and the way in which a page shows them.

It imports matplotlib, so nothing else in the package imports it.
"""

import ast
import inspect
import io
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ..training.loop import History
from .colors import COLORS

WIDEST = 5.5  # inches: about what a phone shows at the size of the text around it


def use_style() -> None:
    """Set matplotlib's defaults for the figures of this book."""
    series = ["blue", "orange", "green", "purple", "red"]
    plt.rcParams.update(
        {
            "figure.figsize": (5.0, 3.2),
            "figure.facecolor": "none",
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "axes.titlesize": 10.5,
            "axes.titleweight": "bold",
            "axes.labelsize": 10,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.fontsize": 9,
            "legend.frameon": False,
            "text.color": COLORS["text"],
            "axes.titlecolor": COLORS["text"],
            "axes.labelcolor": COLORS["text"],
            "axes.edgecolor": COLORS["muted"],
            "xtick.color": COLORS["muted"],
            "ytick.color": COLORS["muted"],
            "xtick.labelcolor": COLORS["text"],
            "ytick.labelcolor": COLORS["text"],
            "axes.facecolor": "none",
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": COLORS["grid"],
            "grid.linewidth": 0.7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=[COLORS[name] for name in series]),
            "lines.linewidth": 1.8,
            "savefig.facecolor": "none",
            "svg.fonttype": "path",  # an image cannot use the page's fonts
            "svg.hashsalt": "nn_tutorial",  # the same figure, the same bytes
        }
    )


def show(
    fig: Figure, *, alt: str, caption: str, name: str | None = None, live: str | None = None
) -> None:
    """Show a figure on the page and close it.

    Parameters
    ----------
    fig : Figure
        At most 5.5 inches wide, so that its text can be read on a phone.
    alt : str
        What the figure shows, for someone who cannot see it.
    caption : str
        What the figure finds; Markdown with mathematics.
    name : str, optional
        Of the image's file and anchor; else a number.
    live : str, optional
        The interactive figure that takes the place of this one where a browser can run it: a name
        in ``docs/assets/javascripts/figures.js``, without its ``nn-``.

    Raises
    ------
    ValueError
        If a text is empty or the figure too wide.
    """
    for argument, text in (("alt", alt), ("caption", caption)):
        if not text.strip():
            raise ValueError(f"{argument}: expected a text, got {text!r}")
    width = fig.get_size_inches()[0]
    if width > WIDEST:
        raise ValueError(f"fig: expected at most {WIDEST} inches of width, got {width}")
    from IPython.display import display

    svg = io.StringIO()
    fig.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(fig)
    about = {"alt": alt, "caption": caption, "name": name, "live": live}
    about = {key: value for key, value in about.items() if value is not None}
    mime = "image/svg+xml"
    display({mime: svg.getvalue()}, raw=True, metadata={mime: about})


def show_source(*objects: Callable[..., Any] | type) -> None:
    """Show the package's source of functions or classes, as it runs.

    Parameters
    ----------
    *objects : function or class
        Docstrings are left out: the page says what they say.
    """
    from IPython.display import Markdown, display

    parts = [_without_docstring(item) for item in objects]
    module = inspect.unwrap(objects[0]).__module__.replace(".", "/")
    display(Markdown(f'```python title="{module}.py"\n' + "\n\n\n".join(parts) + "\n```"))


def _without_docstring(item: Callable[..., Any] | type) -> str:
    # Not by its docstring: pages that look at that depend on every docstring of the package.
    source = inspect.getsource(item).rstrip()
    definition = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    if ast.get_docstring(definition) is None:
        return source
    lines, first = source.splitlines(), definition.body[0]
    before, after = lines[: first.lineno - 1], lines[first.end_lineno :]
    return "\n".join(before) + "\n" + "\n".join(after).lstrip("\n")


def plot_history(
    history: History, *, title: str, ylim: tuple[float, float] | None = None
) -> Figure:
    """Return a figure of training and validation loss over the epochs.

    Parameters
    ----------
    history : History
        From ``fit`` with a validation set.
    title : str
    ylim : (float, float), optional
        Range of the loss, in nats, so that several figures can be compared.
    """
    fig, ax = plt.subplots()
    epochs = np.arange(1, len(history.train_loss) + 1)
    for losses, color, style, label in (
        (history.train_loss, "blue", "-", "training"),
        (history.val_loss, "orange", "--", "validation"),
    ):
        ax.plot(epochs, losses, style, color=COLORS[color], label=label)
    ax.set(title=title, xlabel="epoch", ylabel="loss (nats)", ylim=ylim)
    ax.legend(labelcolor="linecolor")
    return fig


def value_grid(
    ax: Axes,
    values: NDArray[Any] | Sequence[Sequence[Any]],
    *,
    title: str = "",
    highlight: NDArray[np.bool] | None = None,
    color: str = "blue",
) -> None:
    """Draw a small matrix as cells with its numbers.

    Parameters
    ----------
    ax : Axes
        Cleared of its frame and ticks.
    values : array of (rows, columns)
        Numbers, or strings that are drawn as they are.
    title : str
    highlight : ndarray of bool, (rows, columns), optional
        Cells to be tinted and framed.
    color : str
        A name in ``COLORS``, for the highlighted cells.
    """
    table = np.array(values, dtype=object)
    rows, columns = table.shape
    for i, j in np.ndindex(rows, columns):
        lit = highlight is not None and bool(highlight[i, j])
        face = COLORS[color] if lit else "none"
        box = (j, i), 1.0, 1.0
        ax.add_patch(Rectangle(*box, facecolor=face, alpha=0.18, edgecolor="none"))
        ax.add_patch(Rectangle(*box, fill=False, edgecolor=COLORS["muted"], linewidth=0.8))
        value = table[i, j]
        text = value if isinstance(value, str) else f"{value:g}".replace("-", "−")
        weight = "bold" if lit else "normal"
        ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontweight=weight)
    ax.set(xlim=(-0.03, columns + 0.03), ylim=(rows + 0.03, -0.03), aspect="equal", title=title)
    ax.axis("off")


def image_cells(
    ax: Axes,
    values: NDArray[Any],
    *,
    title: str = "",
    color: str = "text",
    windows: int = 0,
    top: float | None = None,
) -> None:
    """Draw an image as cells, darker for larger values, with a frame around each window.

    Parameters
    ----------
    ax : Axes
        Cleared of its frame and ticks.
    values : ndarray of (rows, columns)
        Not negative.
    title : str
    color : str
        A name in ``COLORS``.
    windows : int
        Height and width of a window, in cells; 0 for one frame around all.
    top : float, optional
        The value that is darkest, the largest by default.
    """
    top = values.max() if top is None else top
    for (i, j), value in np.ndenumerate(values):
        if value:
            ax.add_patch(
                Rectangle((j, i), 1, 1, facecolor=COLORS[color], edgecolor="none",
                          alpha=0.9 * value / top)
            )  # fmt: skip
    rows, columns = values.shape
    height, width = (windows, windows) if windows else (rows, columns)
    for i, j in np.ndindex(rows // height, columns // width):
        ax.add_patch(
            Rectangle((j * width, i * height), width, height, fill=False,
                      edgecolor=COLORS["muted"], linewidth=0.8)
        )  # fmt: skip
    ax.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    ax.set_title(title, fontsize=9.5, fontweight="normal")
    ax.axis("off")
