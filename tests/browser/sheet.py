"""A sheet with every construct of the book's mathematics, drawn by the site's own renderer."""

import html
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from built import ROOT, SITE
from sitegen.output import stylesheet
from sitegen.render import mathematics

FORMULAS = {
    "fraction": r"y = \frac{a + b}{\sqrt{\sigma^2 + \varepsilon}}",
    "two-fractions": r"\frac1N \frac{\partial L}{\partial \beta}",
    "small-fraction": r"\tfrac12 x + \tfrac1N",
    "code": r"\texttt{by\_mean}_n = 2",
    "partial": r"\partial L/\partial x = \frac{\partial L}{\partial x}",
    "derivative": r"\frac{\partial L}{\partial X_{nd}} = \sum_m \frac{\partial L}{\partial Y_{md}}",
    "matrix": r"X = \begin{bmatrix} 1 & -2 & 0 \\ 0.5 & -1 & 13 \end{bmatrix}",
    "cases": r"f(x) = \begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    "aligned": r"\begin{aligned} y &= \max(x, 0) \\ z &= y - \mu \end{aligned}",
    "reason": r"\begin{aligned} y &= a + a && \text{(1)} \\ &= 2a && \text{(2)} \end{aligned}",
    "box": r"\boxed{\frac{\partial L}{\partial x} = x - p}",
    "underbrace": r"\underbrace{\frac{\partial L}{\partial a} \, w}_{\text{long road: } 9} + 3",
    "hat": r"\hat x + \hat X_{nd} + \bar x",
    "tilde": r"\tilde x + \tilde X_{nd}",
    "limits": r"\sum_{n=1}^{N} x_n + \sum_m x_m",
    "iverson": r"([m = n] - x_n)",
    "parentheses": r"\max(x, 0)",
    "brackets": r"\rho \Big( g_n - \frac1N \sum_m g_m \Big)",
    "fenced": r"\left( \frac{a}{b} - 1 \right) + \left[ \frac{1}{2} \right]",
    "prefix": r"x = -y, \; (-1, -2), \; a - b",
    "negative": r"-x",
    "scripts": r"x_i^2 + W^\top + e^{x_i - m}",
    "norm": r"\lVert x \rVert + \lfloor x \rfloor + \lvert x \rvert",
    "root": r"\sqrt[3]{x} + \sqrt{x}",
    "function": r"\log \sum_k e^{z_k} + \operatorname{softmax}(z)",
}
PAGE = """<!doctype html>
<html lang="en" class="js"><meta charset="utf-8"><title>Mathematics</title>
<link rel="stylesheet" href="assets/stylesheets/whole.css">
<body data-md-color-scheme="default" data-md-color-primary="custom" style="margin: 0">
<style>
  :root {{ font-size: 125% }}
  article {{ display: grid; grid-template-columns: repeat(4, 280px); padding: 1rem }}
  article::before {{ display: none }}
</style>
<div class="md-content"><article class="md-content__inner md-typeset">
{rows}</article></div></body></html>
"""


@cache
def drawn() -> dict[str, str]:
    """Return the HTML of each formula."""
    arithmatex = {
        name: f'<div class="arithmatex">\\[{html.escape(tex)}\\]</div>'
        for name, tex in FORMULAS.items()
    }
    with TemporaryDirectory() as folder:
        rendered = mathematics.render(arithmatex, Path(folder) / "katex.json")
    return {
        name: mathematics.fill(mathematics.mark(text, rendered), rendered)
        for name, text in arithmatex.items()
    }


def write(folder: Path, change: Callable[[str], str] = str) -> Path:
    """Write the sheet, and what it needs of the site, into a folder; `change` may spoil it."""
    shutil.copytree(SITE / "assets/fonts", folder / "assets/fonts")
    (folder / stylesheet.PLACE).mkdir()
    theme = {
        f"{stylesheet.PLACE}{file.name}": file.read_text(encoding="utf-8")
        for file in (SITE / stylesheet.PLACE).glob("*.min.css")
    }
    for name, text in stylesheet.combine(theme, ROOT / "docs" / stylesheet.PLACE).items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("404.html", "robots.txt"):
        shutil.copy(SITE / name, folder)
    rows = "".join(
        f'<section id="{name}">{formula}</section>\n' for name, formula in drawn().items()
    )
    page = change(PAGE.format(rows=rows))
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder
