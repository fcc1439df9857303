"""Show equations, derivations and certificates on a page, each with what its check found."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..verify.agreement import Check, agree
from ..verify.certificates import Row, certify
from ..verify.equations import Equation
from ..verify.theories import SHAPES, THEORIES, Theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def show_equations(layer: str, *names: str) -> None:
    """Show equations of a layer, with one quiet line that says how they were checked.

    Parameters
    ----------
    layer : str
        A name in ``THEORIES``.
    *names : str
        What is defined: ``"Y"``, ``"dX"``.

    Raises
    ------
    AgreementError
        If a check fails: then there is no page.
    UnknownNameError
        If there is no such layer; the message says where to add it.
    ValueError
        If the layer has no such equation.
    """
    theory = THEORIES[layer]
    lines = [_equation(theory, name).latex.replace(" = ", " &= ", 1) for name in names]
    body = r" \\[4pt] ".join(lines)
    wanted = [check for check in agree(theory) if check.name in names]
    symbols = ", ".join(f"${_plain(s)}$: {shape}" for s, shape in theory.shapes.items())
    _markdown(f"$$\n\\begin{{aligned}} {body} \\end{{aligned}}\n$$\n\n{_quiet(wanted, symbols)}")


def show_derivation(layer: str, number: int = 0) -> None:
    """Show a derivation of a layer: the chain, then the reason of each step.

    Parameters
    ----------
    layer : str
        A name in ``THEORIES``.
    number : int
        Which of its derivations.

    Raises
    ------
    AgreementError
        If two steps disagree on one of the samples.
    UnknownNameError
        If there is no such layer; the message says where to add it.
    ValueError
        If the layer has no such derivation.
    """
    theory = THEORIES[layer]
    if not 0 <= number < len(theory.derivations):
        raise ValueError(
            f"number: expected one of the {len(theory.derivations)} derivations in "
            f"nn_tutorial/verify/theories/{layer}.py, counted from 0, got {number}"
        )
    derivation = theory.derivations[number]
    name = derivation.steps[0].equation.name
    checks = [c for c in agree(theory) if c.relation == "derivation" and c.name == name]
    reasons = "\n".join(f"{i}. {step.reason}" for i, step in enumerate(derivation.steps, 1))
    _markdown(f"$$\n{derivation.latex}\n$$\n\n{reasons}\n\n{_quiet(checks, '')}")


def show_certificate(layer: str, *, folded: bool = False) -> list[Row]:
    """Show the gradient certificate of a layer as a table, and return its rows.

    Parameters
    ----------
    layer : str
        A name in ``THEORIES``.
    folded : bool
        Whether the reader opens the table: where a figure shows the same numbers.

    Raises
    ------
    CertificateError
        If an error crosses its threshold.
    UnknownNameError
        If there is no such layer; the message says where to add it.
    """
    from ..pytorch.equivalents import oracle  # here: most pages need no PyTorch

    rows = certify(THEORIES[layer], oracle)
    before = [None, *(row.geometry for row in rows)]  # what the row above has is not said again
    lines = [
        f"| {'' if row.geometry == above else row.geometry} | {row.dtype} | "
        f"{_short(row.central)} | "
        f"{'–' if row.complex_step is None else _short(row.complex_step)} | "
        f"{_short(row.pytorch)} | {row.kinks} |"
        for row, above in zip(rows, before)
    ]
    head = "| Geometry | Type | Central differences | Complex step | PyTorch | At a kink |"
    table = "\n".join([head, "|---|---|---|---|---|---|", *lines])
    fold = '??? abstract "The certificate in numbers"\n\n'
    _markdown(fold + textwrap.indent(table, "    ") if folded else table)
    return rows


def certificate_figure(rows: Sequence[Row]) -> "Figure":
    """Return a figure of a certificate: every error, by its witness.

    Parameters
    ----------
    rows : sequence of Row
        From ``show_certificate``.
    """
    from matplotlib import pyplot as plt

    from .colors import COLORS

    fig, ax = plt.subplots(figsize=(5.0, 2.2))
    names = {"central": "central differences", "complex_step": "complex step", "pytorch": "PyTorch"}
    used = [name for name in names if any(getattr(row, name) is not None for row in rows)]
    for dtype, color, marker in (("float64", "blue", "o"), ("float32", "orange", "s")):
        for place, name in enumerate(reversed(used)):
            # 0, which has no place on the axis, is drawn at its left end.
            errors = [max(getattr(row, name), 1e-17) for row in rows if row.dtype == dtype]
            ax.plot(errors, [place] * len(errors), marker, color=COLORS[color], alpha=0.5)
    ax.set(xscale="log", xlabel="relative error", xlim=(5e-18, 1e-5), ylim=(-0.6, len(used) - 0.4))
    ax.set_yticks(range(len(used)), [names[name] for name in reversed(used)])
    ax.set_title("dots: float64, squares: float32")
    return fig


def power(value: float) -> str:
    """Write a small number as LaTeX: 3·10⁻¹⁶.

    Parameters
    ----------
    value : float
    """
    if value == 0:
        return "0"
    digit, exponent = f"{value:.0e}".split("e")
    return rf"{digit} \cdot 10^{{{int(exponent)}}}"


def _equation(theory: Theory, name: str) -> Equation:
    for equation in (*theory.forward, *theory.backward):
        if equation.name == name:
            return equation
    known = [equation.name for equation in (*theory.forward, *theory.backward)]
    raise ValueError(f"name: expected one of {known}, got {name!r}")


def _plain(symbol: str) -> str:
    """A symbol as LaTeX."""
    return Equation(f"{symbol} = 0").latex.split(" = ")[0]


def _quiet(checks: Sequence[Check], symbols: str) -> str:
    """One line that unfolds to the table of checks."""
    largest = max(check.error for check in checks)
    rows: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        rows.setdefault((check.name, check.relation), []).append(check)
    table = "\n".join(
        f"    | ${_plain(name)}$ | {relation} | {len(found)} | {sum(c.compared for c in found)} | "
        f"${power(max(c.error for c in found))}$ | {sum(c.kinks for c in found)} |"
        for (name, relation), found in rows.items()
    )
    title = f"checked at this build: {SHAPES} shapes, largest relative error ${power(largest)}$"
    shapes = f"    {symbols}\n\n" if symbols else ""
    return (
        f'??? check "{title}"\n{shapes}'
        "    | | Compared with | Samples | Numbers | Largest relative error | At a kink |\n"
        "    |---|---|---|---|---|---|\n" + table
    )


def _short(value: float) -> str:
    return f"${power(value)}$"


def _markdown(text: str) -> Any:
    from IPython.display import Markdown, display

    display(Markdown(text))


def publish(file: str, content: dict[str, Any]) -> None:
    """Write some numbers into a JSON file of the site, at its root.

    Parameters
    ----------
    file : str
        Its name.
    content : dict
        What ``json`` can write.
    """
    from IPython.display import display

    mime = "application/json"
    display({mime: content, "text/plain": file}, raw=True, metadata={mime: {"file": file}})
