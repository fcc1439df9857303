"""What the symbols of the equations that run are called in the code, as a JavaScript module.

Nobody types this in: each theory says which argument is which symbol, and the code itself says what
it returns. The page's script lights what belongs together (docs/assets/javascripts/symbols.js).
"""

import ast
import inspect
import json
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nn_tutorial.verify.equations import Equation
from nn_tutorial.verify.theories import THEORIES, Theory

FILE = "assets/javascripts/symbols/names.js"
# The layers of the chapters whose equations stand beside their code.
LAYERS = (
    "relu", "linear", "softmax", "batch_norm", "batch_norm_eval", "conv2d", "max_pool2d",
    "avg_pool2d",
)  # fmt: skip


class _Names:
    """A cache whose fields are their own names."""

    def __getattr__(self, name: str) -> str:
        return name


def module() -> str:
    """Return the text of the module: of each layer the symbols, by the name of its function."""
    found: dict[str, dict[str, Any]] = {}
    for name in LAYERS:
        theory = THEORIES[name]
        found.setdefault(theory.pair[0].__name__, {}).update(of(theory))
    return f"export default {json.dumps(found, ensure_ascii=False, separators=(',', ':'))};\n"


def of(theory: Theory) -> dict[str, Any]:
    """Return of each symbol how a formula shows it, how text does, and what the code has for it.

    Parameters
    ----------
    theory : Theory
        Of a layer. Its gradients are called as its equations call them: ``dX``.
    """
    codes = _codes(theory)
    found: dict[str, Any] = {}
    for symbol, code in codes.items():
        about = symbol[1:] if symbol[0] == "d" and symbol[1:] in codes else ""
        shown = glyphs(about or symbol)
        label = shown.replace("^", "\u0302").replace("2", "²")
        text = f"∂L/∂{label}" if about else label
        found[symbol] = {"shown": ("∂" if about else "") + shown, "label": text, "code": code}
    return found


def glyphs(symbol: str) -> str:
    """Return what a drawn formula has for a symbol, as text: X^ for X̂, σ2 for σ²."""
    latex = Equation(f"{symbol} = 0").latex.split(" = ")[0]
    latex = re.sub(r"\\hat\{(.+)\}", r"\1^^", latex)
    latex = re.sub(r"\^(?!\^|$)", "", latex).replace("^^", "^")
    return re.sub(r"\\(\w+?)(?=\d|\^|$)", _greek, latex)


def _greek(match: re.Match[str]) -> str:
    return unicodedata.lookup(f"GREEK SMALL LETTER {match[1].upper()}")


def _codes(theory: Theory) -> dict[str, list[str]]:
    """Return of each symbol its names, and the expressions that are returned for it."""
    values = theory.sample(np.random.default_rng(0), 0)
    called = {
        symbol: next(name for name, value in theory.arguments(values).items() if value is array)
        for symbol, array in values.items()
        if symbol in theory.inputs
    }
    upstream = next(iter(inspect.signature(theory.pair[1]).parameters))
    output = theory.forward[-1].name
    inner = theory.cached(_Names()) if theory.cached else {}
    codes = {symbol: [name] for symbol, name in called.items()}
    codes |= {symbol: [str(name)] for symbol, name in inner.items()}
    codes |= {output: [upstream[1:]], f"d{output}": [upstream]}
    codes |= {f"d{symbol}": [f"d{name}"] for symbol, name in called.items()}
    for function in _family(theory.pair[0]):
        is_backward = function.__name__.endswith("_backward")
        symbols = [f"d{symbol}" for symbol in called] if is_backward else [output]
        for parts in _returned(function):
            if is_backward and len(parts) != len(symbols):
                continue  # another function's answer, handed on
            for symbol, expression in zip(symbols, parts, strict=False):
                if expression and expression not in codes[symbol]:
                    codes[symbol].append(expression)
    return codes


def _family(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Yield the function, its backward pass, and others of its name: loops, to be read."""
    there = vars(inspect.getmodule(function))
    for name, member in there.items():
        if re.fullmatch(rf"{function.__name__}(_loops|_im2col)?(_backward)?", name):
            yield member


def _returned(function: Callable[..., Any]) -> Iterator[list[str | None]]:
    """Yield what each `return` of a function gives, as it is written; a name stands for itself."""
    source = textwrap.dedent(inspect.getsource(function))
    returns = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Return)]
    for value in [node.value for node in sorted(returns, key=lambda node: node.lineno)]:
        found: list[str | None] = []
        for part in value.elts if isinstance(value, ast.Tuple) else [value]:
            shown = part.body if isinstance(part, ast.IfExp) else part  # where it is asked for
            is_whole = not isinstance(shown, ast.Name | ast.Constant)
            found.append(ast.get_source_segment(source, shown) if shown and is_whole else None)
        yield found
