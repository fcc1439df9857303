"""Whether all agree: equation, layer, derivative of the forward equation, einsum, derivation."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .equations import Derivation, Equation
from .theories import SHAPES, THEORIES, Theory, Values

TOLERANCE = 1e-9  # equations, einsum, derivations and the complex step: rounding alone
CENTRAL_TOLERANCE = 1e-6  # central differences, where the forward equation has a kink somewhere
ELEMENTS = 30  # of each input, drawn at random where there are more; and two random directions


class AgreementError(AssertionError):
    """An equation, a derivation or a layer that disagrees with the others."""


@dataclass(frozen=True)
class Check:
    """One comparison on one sample.

    Attributes
    ----------
    relation : str
        ``"layer"`` (its functions), ``"class"``, ``"einsum"``, ``"derivation"``,
        ``"complex step"`` or ``"central differences"``.
    name : str
        Of the quantity that was compared.
    sample : int
    error : float
        Largest difference, relative to the largest value.
    compared, kinks : int
        How many numbers, and how many were left out at a kink.
    """

    relation: str
    name: str
    sample: int
    error: float
    compared: int = 1
    kinks: int = 0

    @property
    def passed(self) -> bool:
        """Whether the error is within its tolerance; something must have been compared."""
        central = self.relation == "central differences"
        return self.error <= (CENTRAL_TOLERANCE if central else TOLERANCE) and self.compared > 0


@dataclass(frozen=True)
class Slopes:
    """Slopes of the loss along some moves of an input, measured on the forward equations.

    Attributes
    ----------
    moves : list of ndarray
        Each of the input's shape; those across a kink are left out.
    measured : ndarray
        One slope for each move.
    kinks : int
        How many moves were left out.
    """

    moves: list[Any]
    measured: NDArray[Any]
    kinks: int

    def error(self, gradient: Any, dy: Any) -> float:
        """Return the largest relative error of the slopes that a gradient gives."""
        ours = np.array([float(np.sum(gradient * move)) for move in self.moves])
        return relative_difference(ours, self.measured, floor=1e-3 * float(np.abs(dy).max()))


class Own:
    """What a theory's own equations and layer give on its samples, each found once.

    A mutant changes one of them, and there are thousands of mutants.

    Parameters
    ----------
    theory : Theory
    """

    def __init__(self, theory: Theory) -> None:
        self.theory = theory
        self._known: dict[Any, Any] = {}

    def once(self, key: Any, find: Callable[[], Any]) -> Any:
        """Return what was found under a key; find it if it is asked for the first time."""
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]

    def sample(self, i: int) -> tuple[Values, Any]:
        """Return a sample's values, and its upstream gradient."""
        return self._drawn(i)[:2]

    def generator(self, i: int) -> np.random.Generator:
        """Return the generator that drew a sample, as it was then."""
        return copy.deepcopy(self._drawn(i)[2])

    def found(self, i: int) -> Values:
        """Return the values with what the theory's equations give."""
        equations = self.theory.forward, self.theory.backward
        return self.once(("found", i), partial(_evaluated, *equations, *self.sample(i)))

    def layer(self, i: int) -> Values:
        """Return what the package's layer gives."""
        return self.once(("layer", i), partial(self.theory.package, *self.sample(i)))

    def _drawn(self, i: int) -> tuple[Values, Any, np.random.Generator]:
        if i not in self._known:
            rng = np.random.default_rng([len(self.theory.name), i])
            values = self.theory.sample(rng, i)
            self._known[i] = values, _upstream(rng, self.theory.output(values)), rng
        return self._known[i]


def checks(
    theory: Theory,
    *,
    forward: Sequence[Equation] | None = None,
    backward: Sequence[Equation] | None = None,
    derivations: Sequence[Derivation] | None = None,
    package: Callable[[Values, Any], Values] | None = None,
    samples: int = SHAPES,
    own: Own | None = None,
) -> Iterator[Check]:
    """Compare all that a theory says, sample by sample.

    A gradient is held against the derivative of the forward equations, and against the layer
    where the layer computes it.

    Parameters
    ----------
    theory : Theory
    forward, backward, derivations, package : optional
        Instead of the theory's own: this is how a mutant is checked.
    samples : int
        How many of the theory's samples.
    own : Own, optional
        What the theory's own parts give, for several calls.

    Yields
    ------
    Check

    Raises
    ------
    EquationError
        If an equation does not fit its arrays.
    """
    own = Own(theory) if own is None else own
    own_forward, own_found = forward is None, forward is None and backward is None
    forward = theory.forward if forward is None else forward
    backward = theory.backward if backward is None else backward
    derivations = theory.derivations if derivations is None else derivations
    for i in range(samples):
        values, dy = own.sample(i)
        shape = np.shape(dy)
        found = own.found(i) if own_found else _evaluated(forward, backward, values, dy)
        layer = own.layer(i) if package is None else package(*copy.deepcopy((values, dy)))
        for equation in (*forward, *backward):
            if equation.name in layer:
                value = found[equation.name]
                error = relative_difference(value, layer[equation.name])
                yield Check("layer", equation.name, i, error, value.size)
        for name, value in theory.by_class(values, dy).items():
            yield Check("class", name, i, relative_difference(value, found[name]), value.size)
        for name, (string, *operands) in theory.einsum.items():
            error = relative_difference(_einsum(string, operands, found), found[name])
            yield Check("einsum", name, i, error, found[name].size)
        for derivation in derivations:
            name = derivation.steps[0].equation.name
            goal: Any = layer.get(name, found[name])
            chain = [*derivation.values(found, shape=goal.shape), goal]
            for before, after in pairwise(chain):
                yield Check("derivation", name, i, relative_difference(before, after), after.size)
        # Last, because they take the longest: a mutant is mostly caught before.
        rng, analytic = own.generator(i), all(equation.analytic for equation in forward)
        for name in (*theory.inputs, *theory.auxiliary):
            moves = _moves(found[name], rng)
            measure = partial(_measure, forward, found, shape, name, moves, analytic)
            slopes = own.once(("slopes", i, name), measure) if own_forward else measure()
            error = slopes.error(found[f"d{name}"], dy)
            relation = "complex step" if analytic else "central differences"
            yield Check(relation, f"d{name}", i, error, len(slopes.moves), slopes.kinks)


def _einsum(string: str, operands: Sequence[str], found: Values) -> NDArray[Any]:
    """An einsum of some of the values; ``"+b"`` is added afterwards."""
    result = np.einsum(string, *(found[name] for name in operands if name[0] != "+"))
    for name in operands:
        result = result + found[name[1:]] if name[0] == "+" else result
    return result


def agree(theory: Theory) -> list[Check]:
    """Return all checks of a theory.

    Raises
    ------
    AgreementError
        If one of them fails; the message names theory, quantity and error.
    """
    done = list(checks(theory))
    bad = [c for c in done if not c.passed]
    if bad:
        worst = max(bad, key=lambda c: c.error)
        raise AgreementError(
            f"{theory.name}: {worst.name} against {worst.relation}, sample {worst.sample}: "
            f"relative error {worst.error:.1e}"
        )
    return done


def agree_all() -> dict[str, list[Check]]:
    """Check every theory; see ``agree``."""
    return {name: agree(theory) for name, theory in THEORIES.items()}


def _upstream(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.standard_normal(shape) if shape else np.asarray(rng.uniform(0.5, 1.5))


def _evaluated(
    forward: Sequence[Equation], backward: Sequence[Equation], values: Values, dy: Any
) -> Values:
    """The values with what the equations give."""
    output, shape = forward[-1].name, np.shape(dy)
    found = _run(forward, values | {f"d{output}": dy}, output, shape)
    return _run(backward, found, output, shape)


def _run(
    equations: Sequence[Equation],
    values: Values,
    output: str,
    shape: tuple[int, ...],
    *,
    moved: tuple[str, Any] = ("", 0.0),
) -> Values:
    """Evaluate equations one after the other, each with what those before it gave.

    ``moved`` is a name and a step: an input is moved by it at once, else what an equation defines.
    """
    name, step = moved
    found = values | {name: values[name] + step} if name in values else dict(values)
    for equation in equations:
        about = found.get(equation.name[1:]) if equation.name[0] == "d" else None
        known = shape if equation.name == output else np.shape(about) if about is not None else None
        found[equation.name] = equation(found, shape=known)
        if equation.name == name:
            found[name] = found[name] + step
    return found


def relative_difference(a: Any, b: Any, *, floor: float = 0.0) -> float:
    """Return the largest difference, relative to the largest value; infinite where shapes differ.

    Parameters
    ----------
    a, b : array_like
    floor : float
        Values below it are compared with it: beside 0, rounding would be an error of 100 %.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    scale = max(floor, np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    return float(np.abs(a - b).max(initial=0) / scale) if scale else 0.0


def numeric_gradients(
    theory: Theory,
    values: Values,
    dy: Any,
    gradients: Values,
    *,
    analytic: bool,
    measured: dict[tuple[bool, str], Slopes] | None = None,
) -> tuple[float, int, int]:
    """Compare gradients with the numerical derivative of the forward equations.

    Parameters
    ----------
    theory : Theory
    values : dict
        A sample of it.
    dy : ndarray
        The upstream gradient.
    gradients : dict of str to ndarray
        ``d…`` for each of ``theory.inputs``.
    analytic : bool
        By the complex step; else by central differences.
    measured : dict, optional
        Slopes by ``analytic`` and input, used where they are found and filled where not: for
        several gradients on one sample.

    Returns
    -------
    error : float
        The largest relative error.
    compared, kinks : int
        Directions compared, and left out at a kink.
    """
    rng = np.random.default_rng(11)
    given = values | {f"d{theory.forward[-1].name}": dy}
    measured = {} if measured is None else measured
    errors, compared, kinks = [0.0], 0, 0
    for name in theory.inputs:
        moves = _moves(values[name], rng)
        if (analytic, name) not in measured:
            shape = theory.output(values)
            measured[analytic, name] = _measure(theory.forward, given, shape, name, moves, analytic)
        slopes = measured[analytic, name]
        errors.append(slopes.error(gradients[f"d{name}"], dy))
        compared, kinks = compared + len(slopes.moves), kinks + slopes.kinks
    return max(errors), compared, kinks


def _moves(x: Any, rng: np.random.Generator) -> list[Any]:
    """Draw elements of an input, and two random directions."""
    moves = []
    for index in rng.permutation(x.size)[:ELEMENTS]:
        move = np.zeros(x.shape)
        move.flat[index] = 1.0
        moves.append(move)
    return moves + [rng.standard_normal(x.shape) for _ in range(2)]


def _measure(
    forward: Sequence[Equation],
    found: Values,
    shape: tuple[int, ...],
    name: str,
    moves: list[Any],
    analytic: bool,
) -> Slopes:
    """Measure the slopes of the loss along moves of an input, or of what an equation defines."""
    output = forward[-1].name
    dy = found[f"d{output}"]

    def loss(step: Any) -> Any:
        return np.sum(dy * _run(forward, found, output, shape, moved=(name, step))[output])

    smooth, slopes, kinks = [], [], 0
    here = loss(np.zeros(found[name].shape))
    for move in moves:
        if analytic:
            slope = loss(1e-30j * move).imag / 1e-30
        else:
            h = 1e-6
            up, down = loss(h * move), loss(-h * move)
            # Across a kink the two one-sided slopes differ; on a smooth stretch by about h.
            if abs(up - 2 * here + down) / h > 1e-4:
                kinks += 1
                continue
            slope = (up - down) / (2 * h)
        slopes.append(float(slope))
        smooth.append(move)
    return Slopes(smooth, np.array(slopes), kinks)
