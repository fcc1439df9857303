"""What a layer's theory is: equations, samples, and what must agree with them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..layers.layer import Layer
from .equations import Derivation, Equation

Values = dict[str, Any]
SHAPES = 6  # samples a theory is checked on


@dataclass(frozen=True, kw_only=True)
class Theory:
    """A layer in equations, and all that is checked of it.

    Attributes
    ----------
    name : str
        Of the layer's forward function, and of the theory's file.
    shapes : dict of str to str
        The shape of each symbol, as the page shows it.
    sample : callable
        ``sample(rng, i)`` gives the i-th set of inputs, by the symbols of the equations.
    rules : mapping of str to callable
        What the samples must hold, with the reason: ``rule(samples)`` of a list of them.
    forward : tuple of Equation
        One after the other; each may use what those before it define. The last is the output.
    backward : tuple of Equation
        One per gradient, and what they need before. ``d…`` is the gradient of an input, or of what
        a forward equation defines; the layer need not compute the latter.
    output : callable
        ``output(values)`` gives the shape of the output.
    inputs : tuple of str
        The symbols with a gradient, in the order in which the layer returns these.
    pair : tuple of two callables
        The layer's functions, forward and backward. The second returns the gradients of the
        inputs in order, or a dict of gradients by name.
    arguments : callable
        ``arguments(values)`` gives the arguments of the forward function by name; of arrays for
        the layer, of tensors for PyTorch.
    cached : callable, optional
        ``cached(cache)`` gives what the layer computes on the way, by the forward equations' names.
    layer : type, optional
        The class over the pair. Its parameters are called as the function's arguments are, its
        buffers as well, after ``running_``.
    settings : callable
        ``settings(values)`` gives what the class is made with, without ``rng`` and ``dtype``.
    train : bool
        The mode of the class that the equations describe.
    wrong : mapping of str to mapping
        Wrong backward passes by their mistake, each with the gradients that it gets wrong:
        ``gradient(values, right, dy)``, where ``right`` is what ``package`` returns.
    other_shapes : mapping of str to mapping
        Shapes that the functions and the class take besides those of the equations, by a name:
        the shape of each symbol. The general tests take a row from each.
    refused : mapping of str to tuple
        For an argument of a function or of the class, values that no layer may take under that
        name. Arrays need none: the tests spoil those themselves.
    derivations : tuple of Derivation
        Each ends in what one of the equations says.
    einsum : mapping of str to tuple
        For an equation's name, the einsum string and its operands, where there is such a form.
    same : mapping of str to str
        Changed equations that are right too, as ``mutants`` writes them, with the reason.

    Raises
    ------
    ValueError
        If an equation's gradient is that of nothing in the theory, or an input has none.
    """

    name: str
    shapes: dict[str, str]
    sample: Callable[[np.random.Generator, int], Values]
    rules: Mapping[str, Callable[[Sequence[Values]], bool]]
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    output: Callable[[Values], tuple[int, ...]]
    inputs: tuple[str, ...] = ("X",)
    pair: tuple[Callable[..., tuple[Any, Any]], Callable[[Any, Any], Any]]
    arguments: Callable[[Values], dict[str, Any]]
    cached: Callable[[Any], Values] | None = None
    layer: type[Layer] | None = None
    settings: Callable[[Values], dict[str, Any]] = lambda values: {}
    train: bool = True
    wrong: Mapping[str, Mapping[str, Callable[[Values, Values, Any], Any]]]
    other_shapes: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    refused: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    derivations: tuple[Derivation, ...] = ()
    einsum: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {f"d{name}" for name in (*self.inputs, *(e.name for e in self.forward))}
        found = {equation.name for equation in self.backward}
        if missing := {f"d{name}" for name in self.inputs} - found:
            raise ValueError(
                f"{self.name}, backward: expected an equation for each input, "
                f"got none for {', '.join(sorted(missing))}"
            )
        if unknown := {name for name in found if name[0] == "d"} - known:
            raise ValueError(
                f"{self.name}, backward: expected gradients of inputs or of what a forward "
                f"equation defines, got {', '.join(sorted(unknown))}"
            )

    @property
    def auxiliary(self) -> tuple[str, ...]:
        """What has a gradient on the way: no input, but defined by a forward equation."""
        named = {equation.name for equation in self.backward}
        return tuple(e.name for e in self.forward if f"d{e.name}" in named)

    def package(self, values: Values, dy: Any) -> Values:
        """Return what the layer computes: output, gradients, and what ``cached`` tells.

        Parameters
        ----------
        values : dict
            As ``sample`` gives them.
        dy : ndarray
            The upstream gradient of the output.
        """
        forward, backward = self.pair
        y, cache = forward(**self.arguments(values))
        gradients = backward(dy if np.ndim(dy) else float(dy), cache)
        if not isinstance(gradients, dict):
            several = gradients if isinstance(gradients, tuple) else (gradients,)
            names = [f"d{name}" for name in self.inputs]
            gradients = dict(zip(names, several, strict=True))
        found = {self.forward[-1].name: y} | gradients
        found |= self.cached(cache) if self.cached else {}
        return {name: np.asarray(value) for name, value in found.items()}

    def by_class(self, values: Values, dy: Any) -> Values:
        """Return what the class computes: output and gradients; nothing where there is no class.

        Parameters
        ----------
        values, dy
            See ``package``.

        Raises
        ------
        ValueError
            If a parameter of the class is not called as an argument of the function is.
        """
        if self.layer is None:
            return {}
        given, first = self.arguments(values), values[self.inputs[0]]
        rng = np.random.default_rng(values.get("seed", 0))
        layer = build(self.layer, self.settings(values), rng=rng, dtype=first.dtype)
        for name, array in (layer.params | layer.buffers).items():
            argument = name.removeprefix("running_")
            if argument in given:
                array[...] = given[argument]
            elif name in layer.params:
                raise ValueError(
                    f"{self.name}, layer: expected parameters called as the function's arguments, "
                    f"{', '.join(given)}, got {name}"
                )
        y, cache = layer.forward(first, train=self.train)
        dx, gradients = layer.backward(dy, cache)
        found = {self.forward[-1].name: y, f"d{self.inputs[0]}": dx}
        for symbol in self.inputs[1:]:
            (argument,) = (name for name, value in given.items() if value is values[symbol])
            found[f"d{symbol}"] = gradients[argument]
        return found

    def spoilt(self, mistake: str) -> Callable[[Values, Any], Values]:
        """Return ``package`` with one of the wrong backward passes.

        Parameters
        ----------
        mistake : str
            A key of ``wrong``.
        """
        gradients = self.wrong[mistake]

        def package(values: Values, dy: Any) -> Values:
            right = self.package(values, dy)
            return right | {name: f(values, right, dy) for name, f in gradients.items()}

        return package

    def sizes(self, values: Values) -> dict[str, int]:
        """Return what each letter of ``shapes`` is in a sample.

        Parameters
        ----------
        values : dict
            The sample; arrays that it lacks, such as the output, tell nothing.

        Raises
        ------
        ValueError
            If a letter has two sizes, or an array another number of axes.
        """
        found: dict[str, int] = {}
        for symbol, shape in self.shapes.items():
            if symbol in values:
                letters, got = shape.split("×"), np.shape(values[symbol])
                sizes = [found.get(letter) for letter in letters]
                if len(got) != len(letters) or any(s not in (None, g) for s, g in zip(sizes, got)):
                    known = ", ".join(f"{letter} = {size}" for letter, size in found.items())
                    raise ValueError(
                        f"{self.name}, {symbol}: expected {shape} with {known}, got {got}"
                    )
                found |= zip(letters, got)
        return found


def build(
    layer: type[Layer], settings: Mapping[str, Any], *, rng: np.random.Generator, dtype: Any
) -> Layer:
    """Return a layer; ``rng`` and ``dtype`` are handed on where the class takes them.

    Parameters
    ----------
    layer : type
    settings : mapping of str to object
        Its other arguments.
    rng : numpy.random.Generator
    dtype : dtype
    """
    taken = inspect.signature(layer).parameters
    more = {name: v for name, v in (("rng", rng), ("dtype", dtype)) if name in taken}
    return layer(**settings, **more)


def equations(*lines: str) -> tuple[Equation, ...]:
    """Parse some lines."""
    return tuple(Equation(line) for line in lines)
