"""Prove that the checks bite: change every equation, derivation and backward pass, and look.

`python -m nn_tutorial.verify.mutants` runs all mutants through the checks that the build runs.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import nn_tutorial as nt

from .agreement import checks
from .equations import Derivation, Equation, EquationError
from .grammar import REDUCTIONS
from .theories import IN_WINDOW, THEORIES, Theory, Values

TURNED: dict[type, tuple[type, ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
}
# Mutants that say the same as the original, with the reason; each is checked to be one.
EQUIVALENT = {
    "Y[n, d] = X[n, d] * (X[n, d] >= 0)": "at X = 0 the product is 0 either way",
    "R[n, m] = A[n, m] * (A[n, m] >= 0)": "at A = 0 the product is 0 either way",
    "dX[n, d] = sum[m, k](dY[m, k] * (m == n) * (k == d) * (X[m, d] > 0))": "the delta makes m = n",
    "dX[n, d] = sum[m, k](dY[m, k] * (m == n) * (k == d) * (X[n, k] > 0))": "the delta makes k = d",
    "dZ[n, i] = sum[j](dP[n, i] * P[n, j] * (i == j)) - sum[j](dP[n, j] * P[n, j] * P[n, i])": (
        "the delta makes i = j"
    ),
    "dZ[n, i] = sum[j](dP[n, j] * P[n, i] * (i == j)) - sum[j](dP[n, j] * P[n, j] * P[n, i])": (
        "the delta makes i = j"
    ),
    "dP[n, k] = -dL / N * sum[m]((m == n) * (k == t[m]) / P[n, k])": "the delta makes m = n",
    "dP[n, k] = -dL / N * sum[m]((m == n) * (k == t[n]) / P[m, k])": "the delta makes m = n",
    "dP[n, k] = -dL / N * max[m]((m == n) * (k == t[m]) / P[m, k])": (
        "one term is positive at most, and the others are 0"
    ),
    "db[f] = sum[n, i, j](dY[n, f, j, i])": "i and j are names; both are summed over",
}


@dataclass(frozen=True)
class Mutant:
    """A theory with one thing wrong.

    Attributes
    ----------
    theory : str
        Name of the layer.
    kind : str
        ``"equation"``, ``"derivation"`` or ``"backward pass"``.
    what : str
        The change, in words.
    text : str
        The changed line; empty for code.
    killed_by : str or None
        The relation that noticed, None where nothing did.
    """

    theory: str
    kind: str
    what: str
    text: str
    killed_by: str | None

    @property
    def equivalent(self) -> str | None:
        """Why it is no mutant at all, where it is none."""
        return EQUIVALENT.get(self.text)


def mutations(text: str) -> Iterator[tuple[str, str]]:
    """Yield every single change of an equation, as (what, new text), each text once.

    Parameters
    ----------
    text : str
        An equation's line.
    """
    tree = ast.parse(text)
    seen = {ast.unparse(tree)}
    for number, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node, tree):
            other = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(other)) if i == number)
            changed = ast.unparse(_Replace(target, change(target)).visit(other))
            if changed not in seen:
                seen.add(changed)
                yield what, changed


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def _set(**fields: Any) -> Callable[[Any], ast.AST]:
    """Return a change that sets fields of a node."""

    def change(node: Any) -> ast.AST:
        for name, value in fields.items():
            setattr(node, name, value)
        return node

    return change


def _changes(node: ast.AST, tree: ast.Module) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    assert isinstance(tree.body[0], ast.Assign)
    if any(node is inner for inner in ast.walk(tree.body[0].targets[0])):
        return  # the left side says what is meant; the right side is what can be wrong
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Add | ast.Sub):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "sign flipped", _set(op=other)
        kind = "term" if isinstance(node.op, ast.Add | ast.Sub) else "factor"
        yield f"right {kind} dropped", lambda n: n.left
        if not isinstance(node.op, ast.Pow):
            yield f"left {kind} dropped", lambda n: n.right
    elif isinstance(node, ast.UnaryOp):
        yield "minus dropped", lambda n: n.operand
    elif isinstance(node, ast.Compare):
        for op in TURNED[type(node.ops[0])]:
            yield "comparison turned", _set(ops=[op()])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript):
        assert isinstance(node.func.value, ast.Name)
        for name in sorted(set(REDUCTIONS) - {node.func.value.id}):
            operator = copy.deepcopy(node.func)
            operator.value = ast.Name(name, ast.Load())
            yield f"{node.func.value.id} became {name}", _set(func=operator)
        yield "not summed", lambda n: n.args[0]
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        yield from _index_changes(node, tree)


def _index_changes(
    node: ast.Subscript, tree: ast.Module
) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    assert isinstance(node.value, ast.Name)
    if node.value.id in REDUCTIONS:
        return
    indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for i in range(len(indices) - 1):
        swapped = list(indices)
        swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
        yield "indices swapped", _set(slice=ast.Tuple(copy.deepcopy(swapped), ast.Load()))
    names = sorted(
        {
            n.id
            for n in ast.walk(tree)
            if isinstance(n, ast.Name) and len(n.id) == 1 and n.id.islower()
        }
        - {"p", "q", "s", "r", "b", "t"}
    )
    for i, index in enumerate(indices):
        if isinstance(index, ast.Name):
            for name in names:
                if name != index.id:
                    other = [*copy.deepcopy(indices)]
                    other[i] = ast.Name(name, ast.Load())
                    new = ast.Tuple(other, ast.Load()) if len(other) > 1 else other[0]
                    yield "index changed", _set(slice=new)


def all_mutants() -> Iterator[Mutant]:
    """Run every mutant of the book through the checks.

    Yields
    ------
    Mutant
    """
    for theory in THEORIES.values():
        for part in ("forward", "backward"):
            lines = getattr(theory, part)
            for i, equation in enumerate(lines):
                for what, text in mutations(equation.text):

                    def change(text: str = text, i: int = i, part: str = part) -> dict[str, Any]:
                        changed = list(getattr(theory, part))  # noqa: B023 (called at once)
                        changed[i] = Equation(text)
                        return {part: changed}

                    killed = _killer(theory, change)
                    yield Mutant(theory.name, "equation", what, text, killed)
        for derivation in theory.derivations:
            yield from _derivation_mutants(theory, derivation)
    for name, what, package in WRONG_BACKWARD:
        theory = replace(THEORIES[name], package=package)
        yield Mutant(name, "backward pass", what, "", _killer(theory, dict))


def _derivation_mutants(theory: Theory, derivation: Derivation) -> Iterator[Mutant]:
    for i, step in enumerate(derivation.steps):
        for what, text in mutations(step.equation.text):

            def change(text: str = text, i: int = i) -> dict[str, Any]:
                pairs = [(s.equation.text.split(" = ", 1)[1], s.reason) for s in derivation.steps]
                pairs[i] = (text.split(" = ", 1)[1], pairs[i][1])
                return {"derivations": [Derivation(derivation.left, *pairs)]}

            yield Mutant(theory.name, "derivation", what, text, _killer(theory, change))


def _killer(theory: Theory, change: Callable[[], dict[str, Any]]) -> str | None:
    """The relation that catches a change, None if none does."""
    try:
        with np.errstate(all="ignore"):
            for check in checks(theory, **change()):
                if not check.passed:
                    return check.relation
    except EquationError:
        return "grammar"
    return None


def _wrong(name: str, **gradients: Callable[[Values, dict[str, Any], Any], Any]) -> Any:
    """A package function with some gradients computed wrongly."""

    def package(values: Values, dy: Any) -> dict[str, Any]:
        right = THEORIES[name].package(values, dy)
        return right | {key: f(values, right, dy) for key, f in gradients.items()}

    return package


def _norm_dx(values: Values, dy: Any, *, mean: bool, var: bool) -> Any:
    """Batch norm's dX with the branch through the mean or the variance left out."""
    _, cache = nt.batch_norm(values["X"], values["gamma"], values["beta"], eps=values["eps"])
    dx = dy - dy.mean(0) * mean - cache.xhat * (dy * cache.xhat).mean(0) * var
    return dx * values["gamma"] * cache.inv_std


def _to_all(values: Values, dy: Any) -> Any:
    """Max pooling with the whole gradient given to every pixel of a window."""
    geometry = {"stride": (values["s"], values["r"]), "padding": (values["p"], values["q"])}
    kernel = values["U"], values["V"]
    _, cache = nt.avg_pool2d(values["X"], kernel, **geometry)
    return nt.avg_pool2d_backward(dy, cache) * values["U"] * values["V"]


def _to_ties(values: Values, y: Any, dy: Any) -> Any:
    """Max pooling with the whole gradient given to every pixel that equals the maximum."""
    line = "dX[n,c,a,e] = sum[i,j](dY[n,c,i,j] * (X[n,c,a,e] == Y[n,c,i,j]) * " + IN_WINDOW + ")"
    return Equation(line)(values | {"Y": y, "dY": dy}, shape=values["X"].shape)


def _conv_with(values: Values, dy: Any, change: Callable[[Any], Any]) -> Any:
    geometry = {"stride": (values["s"], values["r"]), "padding": (values["p"], values["q"])}
    weight = np.ascontiguousarray(change(values["W"]))
    _, cache = nt.conv2d(values["X"], weight, values["b"], **geometry)
    return np.asarray(nt.conv2d_backward(dy, cache)[0])


WRONG_BACKWARD: list[tuple[str, str, Any]] = [
    ("relu", "mask from the output, with >=", _wrong("relu", dX=lambda v, r, d: d * (r["Y"] >= 0))),
    ("relu", "mask from the upstream gradient", _wrong("relu", dX=lambda v, r, d: d * (d > 0))),
    ("relu", "no mask", _wrong("relu", dX=lambda v, r, d: d)),
    ("sigmoid", "factor 1 − y dropped", _wrong("sigmoid", dX=lambda v, r, d: d * r["Y"])),
    ("tanh", "1 − y in place of 1 − y²", _wrong("tanh", dX=lambda v, r, d: d * (1 - r["Y"]))),
    ("linear", "dW is the mean", _wrong("linear", dW=lambda v, r, d: r["dW"] / len(d))),
    ("linear", "dW transposed", _wrong("linear", dW=lambda v, r, d: r["dW"].T)),
    ("linear", "db not summed", _wrong("linear", db=lambda v, r, d: d[0])),
    ("linear", "dX transposed", _wrong("linear", dX=lambda v, r, d: r["dX"].T)),
    ("softmax", "diagonal alone", _wrong("softmax", dZ=lambda v, r, d: d * r["P"] * (1 - r["P"]))),
    ("softmax", "sum without p", _wrong(
        "softmax", dZ=lambda v, r, d: r["P"] * (d - d.sum(1, keepdims=True)))),
    ("cross_entropy", "no division by N", _wrong(
        "cross_entropy", dP=lambda v, r, d: r["dP"] * len(v["t"]))),
    ("softmax_cross_entropy", "no division by N", _wrong(
        "softmax_cross_entropy", dZ=lambda v, r, d: r["dZ"] * len(v["t"]))),
    ("softmax_cross_entropy", "divided twice", _wrong(
        "softmax_cross_entropy", dZ=lambda v, r, d: r["dZ"] / len(v["t"]))),
    ("batch_norm", "mean taken as constant", _wrong(
        "batch_norm", dX=lambda v, r, d: _norm_dx(v, d, mean=False, var=True))),
    ("batch_norm", "variance taken as constant", _wrong(
        "batch_norm", dX=lambda v, r, d: _norm_dx(v, d, mean=True, var=False))),
    ("batch_norm", "both taken as constant", _wrong(
        "batch_norm", dX=lambda v, r, d: _norm_dx(v, d, mean=False, var=False))),
    ("batch_norm", "dγ from the input", _wrong(
        "batch_norm", dgamma=lambda v, r, d: (d * v["X"]).sum(0))),
    ("batch_norm_eval", "training's gradient", _wrong(
        "batch_norm_eval", dX=lambda v, r, d: _norm_dx(v, d, mean=True, var=True))),
    ("conv2d", "kernel flipped", _wrong(
        "conv2d", dX=lambda v, r, d: _conv_with(v, d, lambda w: w[:, :, ::-1, ::-1]))),
    ("conv2d", "kernel upside down", _wrong(
        "conv2d", dX=lambda v, r, d: _conv_with(v, d, lambda w: w[:, :, ::-1]))),
    ("conv2d", "bias gradient not summed over the batch", _wrong(
        "conv2d", db=lambda v, r, d: d[0].sum((1, 2)))),
    ("conv2d", "weight gradient is the mean", _wrong(
        "conv2d", dW=lambda v, r, d: r["dW"] / len(d))),
    ("avg_pool2d", "not divided", _wrong(
        "avg_pool2d", dX=lambda v, r, d: r["dX"] * (v["U"] * v["V"]))),
    ("max_pool2d", "to all pixels of a window", _wrong(
        "max_pool2d", dX=lambda v, r, d: _to_all(v, d))),
    ("max_pool2d", "to all tied maxima", _wrong(
        "max_pool2d", dX=lambda v, r, d: _to_ties(v, r["Y"], d))),
    ("dropout", "not scaled", _wrong("dropout", dX=lambda v, r, d: d * v["M"])),
    ("dropout", "no mask", _wrong("dropout", dX=lambda v, r, d: d / (1 - v["p"]))),
    ("two_layer_net", "mask forgotten", _wrong("two_layer_net", dA=lambda v, r, d: r["dR"])),
    ("two_layer_net", "no division by N", _wrong(
        "two_layer_net", dZ=lambda v, r, d: r["dZ"] * len(v["t"]))),
]  # fmt: skip


def main() -> int:
    """Run all mutants and say which survived; return 1 if one that is not equivalent did."""
    found = list(all_mutants())
    alive = [m for m in found if m.killed_by is None and m.equivalent is None]
    wrong = [m for m in found if m.killed_by is not None and m.equivalent is not None]
    for mutant in alive:
        print(f"SURVIVED  {mutant.theory}, {mutant.kind}: {mutant.what}  {mutant.text}")
    for mutant in wrong:
        print(f"NOT EQUIVALENT  {mutant.theory}: {mutant.text}")
    same = sum(m.equivalent is not None for m in found)
    print(f"{len(found)} mutants, {len(found) - same - len(alive)} killed, {same} equivalent")
    return 1 if alive or wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
