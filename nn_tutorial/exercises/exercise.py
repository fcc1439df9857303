"""What an exercise is: functions to write, samples to try them on, mistakes that are known."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import shared

Inputs = dict[str, Any]
DTYPES = (np.float64, np.float64, np.float32, np.float64, np.float32)
LAYOUTS = ("C", "C", "C", "F", "view")


@dataclass(frozen=True)
class Seed:
    """An input that is a random generator: each call gets a new one with this seed."""

    seed: int


@dataclass(frozen=True)
class SharedFunction:
    """An input that is a function: a name in ``shared.FUNCTIONS``."""

    name: str


@dataclass(frozen=True)
class Misconception:
    """A known mistake.

    Attributes
    ----------
    name : str
        The mistake in a few words: "not divided by the batch size".
    wrong : callable
        The mistake itself, an implementation with the signature of the exercise's function.
    says : str
        What is wrong, why, and what to do, in one to three sentences. ``{N}`` is the size of that
        axis in the example that is shown (the letters of ``Function.axes``, and its ``facts``).
    reread : str
        Page and section of the book: ``"layers/linear#bias"``.
    also : tuple of callable
        The same mistake written otherwise, with other numbers: clipped at 5, not at 6. What
        ``says`` states must hold for all of them.
    alone : str
        A sentence on the other results, which the mistake leaves right. It is told where this
        mistake is the only one; ``says`` must be true beside a second mistake too.
    """

    name: str
    wrong: Callable[..., Any]
    says: str
    reread: str
    also: tuple[Callable[..., Any], ...] = ()
    alone: str = ""


@dataclass(frozen=True)
class Function:
    """One function of an exercise.

    Attributes
    ----------
    solution : callable
        A right answer, with the docstring and signature that the learner's file begins with.
    reference : callable
        The book's own function with the same signature: what answers are held against.
    returns : tuple of str
        Names of what it returns, in order.
    samples : callable
        ``samples(rng)`` returns at least five inputs (name: value, in the order of the
        signature), the first small enough to do by hand. Floating-point arrays are float64; the
        grader also tries float32, Fortran order and strided views of them.
    misconceptions : tuple of Misconception
    axes : mapping of str to str
        Names of an argument's axes, divided by blanks: ``{"x": "N D"}``.
    meanings : mapping of str to str
        What a size or fact is called: ``{"N": "the batch size"}``. A factor of this size in a
        wrong answer is told by this name.
    facts : callable, optional
        ``facts(inputs)`` returns more numbers, by name, for ``says`` and ``meanings``.
    judged : tuple of str
        Where the answer is random: names of what ``judge`` returns, which is compared instead.
    judge : callable, optional
        ``judge(inputs, *results)`` returns one number or array for each name in ``judged``.
    verdicts : mapping, optional
        For names in ``judged`` whose numbers are codes: what is said of each code that is wrong.
    tolerance : float, optional
        Largest difference allowed, relative to the largest number expected; else by dtype.
    """

    solution: Callable[..., Any]
    reference: Callable[..., Any]
    returns: tuple[str, ...]
    samples: Callable[[np.random.Generator], list[Inputs]]
    misconceptions: tuple[Misconception, ...]
    axes: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    facts: Callable[[Inputs], dict[str, float]] | None = None
    judged: tuple[str, ...] = ()
    judge: Callable[..., Sequence[Any]] | None = None
    verdicts: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    tolerance: float | None = None

    @property
    def name(self) -> str:
        """What the learner's function is called."""
        return self.solution.__name__

    def called(self, argument: str) -> str:
        """Return an argument's name for a sentence; a result may have the same."""
        return f"the `{argument}` that came in" if argument in self.returns else f"`{argument}`"

    def cases(self, seed: int) -> list["Case"]:
        """Return the samples, each in one of the dtypes and memory layouts."""
        samples = self.samples(np.random.default_rng(seed))
        return [_case(inputs, i % len(DTYPES)) for i, inputs in enumerate(samples)]

    def sizes(self, inputs: Inputs) -> dict[str, float]:
        """Return the sizes of the named axes, and the further facts."""
        found: dict[str, float] = {}
        for name, axes in self.axes.items():
            found.update(zip(axes.split(), np.shape(inputs[name])))
        return found | (self.facts(inputs) if self.facts else {})


@dataclass(frozen=True)
class Case:
    """One test: inputs in one dtype and memory layout (``"C"``, ``"F"`` or ``"view"``)."""

    inputs: Inputs
    dtype: np.dtype[Any]
    layout: str

    @property
    def size(self) -> int:
        """How many numbers the inputs hold."""
        return sum(np.size(v) for v in self.inputs.values() if isinstance(v, np.ndarray))

    @property
    def floats(self) -> bool:
        """Whether an input is an array of floats, whose type the results should have."""
        arrays = (v for v in self.inputs.values() if isinstance(v, np.ndarray))
        return any(value.dtype.kind == "f" for value in arrays)

    def arguments(self, dtype: Any = None) -> list[Any]:
        """Return fresh arguments for a call; floats in another dtype where one is given."""
        inputs = self.inputs if dtype is None else _cast(self.inputs, dtype)
        return [_argument(v, self.layout) for v in inputs.values()]


@dataclass(frozen=True)
class Exercise:
    """Something to write, in one file.

    Attributes
    ----------
    name, title : str
        The file's name without its suffix; what it is called.
    page : str
        The chapter, as a path below ``docs`` without suffix: ``"layers/relu"``.
    task : str
        What to write, in one or two sentences.
    hints : tuple of three str
        From a question to nearly the answer.
    functions : tuple of Function
    """

    name: str
    title: str
    page: str
    task: str
    hints: tuple[str, str, str]
    functions: tuple[Function, ...]

    @property
    def stub(self) -> str:
        """The file that the learner begins with."""
        head = f'"""{self.title}\n\n{textwrap.fill(self.task, 88)}\n"""\n\nimport numpy as np\n'
        return "\n\n".join([head, *(_stub(f.solution) + "\n" for f in self.functions)])

    @property
    def solution(self) -> str:
        """The solution's source, with its imports."""
        parts = [inspect.getsource(f.solution).rstrip() + "\n" for f in self.functions]
        return "\n\n".join(["import numpy as np\n", *parts])


def _stub(solution: Callable[..., Any]) -> str:
    """The signature and docstring of a function, and a body that is still to be written."""
    source = inspect.getsource(solution)
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    docstring = tree.body[0]
    head = "\n".join(source.splitlines()[: docstring.end_lineno])
    return f"{head}\n    raise NotImplementedError"


def _case(inputs: Inputs, kind: int) -> Case:
    case = Case(inputs, np.dtype(np.float64), LAYOUTS[kind])
    if not case.floats:
        return case
    return Case(_cast(inputs, DTYPES[kind]), np.dtype(DTYPES[kind]), LAYOUTS[kind])


def _cast(inputs: Inputs, dtype: Any) -> Inputs:
    def one(value: Any) -> Any:
        floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value.astype(dtype) if floats else value

    return {name: one(value) for name, value in inputs.items()}


def _argument(value: Any, layout: str) -> Any:
    """A fresh copy of an input; ``Seed`` and ``SharedFunction`` become what they stand for."""
    if isinstance(value, Seed):
        return np.random.default_rng(value.seed)
    if isinstance(value, SharedFunction):
        return shared.FUNCTIONS[value.name]
    return shared.laid_out(value, layout) if isinstance(value, np.ndarray) else value
