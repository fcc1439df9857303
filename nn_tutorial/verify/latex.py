"""Equations as LaTeX: the order of the factors is the author's, brackets stand where they must."""

import ast

from .grammar import COMPARISONS, bound_by, indices_of, reduction_of

GREEK = ["alpha", "beta", "gamma", "delta", "eta", "theta", "lambda", "mu", "rho", "sigma", "tau"]


def _symbol(name: str) -> str:
    r"""LaTeX of a name: ``Xhat`` is $\hat{X}$, ``sigma2`` is $\sigma^2$, ``W1`` is $W^{(1)}$."""
    if name == "eps":
        return r"\varepsilon"
    for ending, accent in (("hat", r"\hat{%s}"), ("bar", r"\bar{%s}"), ("prime", "%s'")):
        if name.endswith(ending) and name != ending:
            return accent % _symbol(name.removesuffix(ending))
    if len(name) > 1 and name[-1].isdigit():
        base, digit = _symbol(name[:-1]), name[-1]
        return f"{base}^{digit}" if name[:-1] in ("sigma", "mu") else f"{base}^{{({digit})}}"
    if name in GREEK:
        return rf"\{name}"
    return name if len(name) == 1 else rf"\mathrm{{{name}}}"


def _derivative(name: str) -> str | None:
    """What a name like ``dX`` is the gradient with respect to, if it is one."""
    rest = name[1:]
    known = rest[:1].isupper() or any(rest.startswith(g) for g in GREEK) or rest in ("b", "w", "x")
    return rest if name[0] == "d" and rest and known else None


def show(node: ast.expr) -> str:
    """Return a parsed expression as LaTeX.

    Parameters
    ----------
    node : ast.expr
        Of the equations' grammar.
    """
    return _Print().show(node)


class _Print:
    """Write a parsed expression as LaTeX; brackets only where they are needed."""

    SUM, PRODUCT, POWER, ATOM = range(4)

    def show(self, node: ast.expr, least: int = 0) -> str:
        """The LaTeX of a node, in brackets if it binds less than ``least``."""
        text, strength = self._write(node)
        if strength >= least:
            return text
        tall = any(piece in text for piece in (r"\frac", r"\sum", r"\max"))
        return rf"\left({text}\right)" if tall else f"({text})"

    def _write(self, node: ast.expr) -> tuple[str, int]:
        if isinstance(node, ast.Constant):
            return f"{node.value!r}", self.ATOM
        if isinstance(node, ast.Name):
            return self._element(node.id, ""), self.ATOM
        if isinstance(node, ast.Subscript):
            assert isinstance(node.value, ast.Name)
            parts = [self._index(i) for i in indices_of(node)]
            plain = all(isinstance(i, ast.Name) for i in indices_of(node))
            return self._element(node.value.id, ("" if plain else ",").join(parts)), self.ATOM
        if isinstance(node, ast.UnaryOp):
            return f"-{self.show(node.operand, self.PRODUCT)}", self.SUM
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node)
        if isinstance(node, ast.Compare):
            pieces = [self.show(node.left)]
            for op, side in zip(node.ops, node.comparators, strict=True):
                pieces += [COMPARISONS[type(op)][1], self.show(side)]
            return rf"[{' '.join(pieces)}]", self.ATOM
        if isinstance(node, ast.BoolOp):
            inner = [self.show(part).removeprefix("[").removesuffix("]") for part in node.values]
            return "[" + r",\ ".join(inner) + "]", self.ATOM
        assert isinstance(node, ast.Call)
        return self._call(node)

    def _arithmetic(self, node: ast.BinOp) -> tuple[str, int]:
        op = type(node.op)
        if op in (ast.Add, ast.Sub):
            sign = "+" if op is ast.Add else "-"
            right = self.show(node.right, self.SUM if op is ast.Add else self.PRODUCT)
            return f"{self.show(node.left)} {sign} {right}", self.SUM
        if op is ast.Mult:
            left, right = self.show(node.left, self.PRODUCT), self.show(node.right, self.PRODUCT)
            dot = r"\cdot" if right[0].isdigit() else r"\,"
            return f"{left} {dot} {right}", self.PRODUCT
        if op is ast.Div:
            return rf"\frac{{{self.show(node.left)}}}{{{self.show(node.right)}}}", self.POWER
        base = self.show(node.left, self.ATOM)
        base = rf"\left({base}\right)" if r"\frac" in base and base[0] != "(" else base
        return f"{base}^{{{self.show(node.right)}}}", self.POWER

    def _call(self, node: ast.Call) -> tuple[str, int]:
        reduction, body = reduction_of(node), node.args[0]
        if reduction is not None:
            under, inner = ",".join(bound_by(node)), self.show(body, self.PRODUCT)
            if reduction == "mean":
                count = "".join(name.upper() for name in bound_by(node))
                return rf"\frac{{1}}{{{count}}} \sum_{{{under}}} {inner}", self.PRODUCT
            # As a factor on the left a sum would swallow what follows: it needs brackets there.
            return rf"\{reduction}_{{{under}}} {inner}", self.PRODUCT
        assert isinstance(node.func, ast.Name)
        if node.func.id == "exp":
            return f"e^{{{self.show(body)}}}", self.POWER
        if node.func.id == "sqrt":
            return rf"\sqrt{{{self.show(body)}}}", self.ATOM
        return rf"\{node.func.id} {self.show(body, self.POWER)}", self.PRODUCT

    def _index(self, node: ast.expr) -> str:
        """An index, set tight: si+u-p."""
        return self.show(node).replace(r" \, ", "").replace(" ", "")

    def _element(self, name: str, under: str) -> str:
        about = _derivative(name)
        shown = _symbol(about or name)
        if under:
            shown += f"_{{{under}}}"
        return rf"\frac{{\partial L}}{{\partial {shown}}}" if about else shown
