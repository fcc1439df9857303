"""Show that the checks bite: change every equation, derivation and backward pass, and look.

`python -m nn_tutorial.verify.mutants` runs all mutants through the checks that the build runs.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..command_line import on_any_terminal
from .agreement import Own, checks
from .equations import Derivation, Equation, EquationError, Step
from .grammar import REDUCTIONS
from .theories import THEORIES, Values

TURNED: dict[type, tuple[type, ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
}
# Mutants that say the same as the original, with the reason; each is checked to be one.
EQUIVALENT = {text: reason for theory in THEORIES.values() for text, reason in theory.same.items()}
# Layer, mistake, and what the package would compute with it.
WRONG_BACKWARD: list[tuple[str, str, Callable[[Values, Any], Values]]] = [
    (theory.name, mistake, theory.spoilt(mistake))
    for theory in THEORIES.values()
    for mistake in theory.wrong
]


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
            other = ast.parse(text)  # a copy, many times faster than a deep one
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
            yield "comparison changed", _set(ops=[op()])
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
        own = Own(theory)
        yield from _equation_mutants(own, "forward")
        yield from _equation_mutants(own, "backward")
        for derivation in theory.derivations:
            yield from _derivation_mutants(own, derivation)
        for mistake in theory.wrong:
            killed = _killer(own, partial(dict, package=theory.spoilt(mistake)))
            yield Mutant(theory.name, "backward pass", mistake, "", killed)


def _equation_mutants(own: Own, part: str) -> Iterator[Mutant]:
    theory = own.theory
    lines: tuple[Equation, ...] = getattr(theory, part)
    for i, equation in enumerate(lines):
        for what, text in mutations(equation.text):

            def change(text: str = text, i: int = i) -> dict[str, Any]:
                return {part: (*lines[:i], Equation(text), *lines[i + 1 :])}

            yield Mutant(theory.name, "equation", what, text, _killer(own, change))


def _derivation_mutants(own: Own, derivation: Derivation) -> Iterator[Mutant]:
    theory = own.theory
    for i, step in enumerate(derivation.steps):
        for what, text in mutations(step.equation.text):

            def change(text: str = text, i: int = i) -> dict[str, Any]:
                other = copy.copy(derivation)
                other.steps = list(derivation.steps)
                other.steps[i] = Step(Equation(text), derivation.steps[i].reason)
                return {"derivations": [other]}

            yield Mutant(theory.name, "derivation", what, text, _killer(own, change))


def _killer(own: Own, change: Callable[[], dict[str, Any]]) -> str | None:
    """The relation that catches a change, None if none does."""
    try:
        with np.errstate(all="ignore"):
            for check in checks(own.theory, **change(), own=own):
                if not check.passed:
                    return check.relation
    except EquationError:
        return "grammar"
    return None


def main() -> int:
    """Run all mutants and say which survived; return 1 if one that is not equivalent did."""
    found = list(all_mutants())
    alive = [m for m in found if m.killed_by is None and m.equivalent is None]
    wrong = [m for m in found if m.killed_by is not None and m.equivalent is not None]
    for mutant in alive:
        print(f"SURVIVED  {mutant.theory}, {mutant.kind}: {mutant.what}  {mutant.text}")
    if alive:
        print(
            "A sample that tells them apart is missing; or, where one can only be equal, its text "
            "and the reason in `same` of nn_tutorial/verify/theories/."
        )
    for mutant in wrong:
        print(f"NOT EQUIVALENT  {mutant.theory}: {mutant.text}")
    same = sum(m.equivalent is not None for m in found)
    print(f"{len(found)} mutants, {len(found) - same - len(alive)} killed, {same} equivalent")
    return 1 if alive or wrong else 0


if __name__ == "__main__":
    raise SystemExit(on_any_terminal(main)())
