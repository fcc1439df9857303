"""Every layer stands in every place: where one is missing, the test names it and the file.

The layers are found in the modules of ``nn_tutorial/layers/``; CONTRIBUTING tells of the places.
"""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import pytest
import yaml
from bad_input import BAD, NO_BAD_VALUE, REFUSALS
from cases import FUNCTIONS, LAYERS
from helpers import ROOT

import nn_tutorial as nt
from nn_tutorial import layers
from nn_tutorial.exercises.catalogue import TOPICS
from nn_tutorial.pytorch.equivalents import EQUIVALENTS, Equivalent
from nn_tutorial.verify.theories import THEORIES
from nn_tutorial.verify.theory import Theory

NO_CHAPTER = "has no chapter of its own yet"
# What a layer need not have, with the reason; one that it has all the same is an error.
EXEMPT = {
    ("cross_entropy", "class"): "a loss ends a network, and is no layer of it",
    ("softmax_cross_entropy", "class"): "a loss ends a network, and is no layer of it",
    ("Flatten", "theory"): "moves numbers and changes none",
    ("Sequential", "theory"): "has no equation but the chain rule",
    ("Sequential", "PyTorch"): "is translated layer by layer, by twin itself",
    ("cross_entropy", "certificate"): "its chapter certifies the fused form, which training uses",
    **{
        (name, place): NO_CHAPTER
        for name in ("sigmoid", "tanh")
        for place in ("certificate", "exercise")
    },
    ("dropout", "exercise"): "its masks are random, and a grader would have to draw the same",
}
# Functions whose gradient is no function of its own, with the reason.
WITHOUT_BACKWARD = {"softmax_cross_entropy": "the gradient is returned with the loss"}


def _public(kind: Callable[[Any], bool]) -> dict[str, Any]:
    """What the layers' modules define, by name."""
    found = {}
    for info in pkgutil.iter_modules(layers.__path__, f"{layers.__name__}."):
        for name, value in vars(import_module(info.name)).items():
            if kind(value) and value.__module__ == info.name and not name.startswith("_"):
                found[name] = value
    return found


_functions = _public(inspect.isfunction)
PAIRS = {name: f for name, f in _functions.items() if f"{name}_backward" in _functions} | {
    name: _functions[name] for name in WITHOUT_BACKWARD
}
# `conv2d_loops` is `conv2d` computed otherwise: what is said of the one holds for the other.
WAYS = ("loops", "im2col")
VARIANTS = {
    name for name in PAIRS for way in WAYS if name.removesuffix(f"_{way}") in PAIRS.keys() - {name}
}
CLASSES = _public(
    lambda value: inspect.isclass(value) and issubclass(value, nt.Layer) and value is not nt.Layer
)
BOXES = ("show_equations", "show_exercises")  # that a chapter has beside its certificate


class _Yaml(yaml.SafeLoader):
    """Takes MkDocs' own tags, such as !ENV, for nothing."""


_Yaml.add_multi_constructor("!", lambda loader, suffix, node: None)


def _leaves(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from _leaves(entry)


def _texts(pattern: str) -> dict[str, str]:
    found = sorted((ROOT / "docs").glob(pattern))
    return {p.relative_to(ROOT / "docs").as_posix(): p.read_text(encoding="utf-8") for p in found}


@dataclass(frozen=True)
class Book:
    """All places in which a layer must stand."""

    exported: frozenset[str]
    theories: dict[str, Theory]
    equivalents: dict[str, Equivalent]
    functions: frozenset[str]  # with a row in cases.py
    classes: frozenset[str]
    refused: frozenset[tuple[str, str]]  # function or class, and argument
    reference: frozenset[str]
    certified: frozenset[tuple[str, str]]  # theory, and the page that shows its certificate
    boxes: frozenset[tuple[str, str]]  # a page, and one of BOXES that it has
    nav: tuple[str, ...]
    exercises: dict[str, str]  # topic, by the function that is written
    files: frozenset[str]


def _book() -> Book:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = tuple(_leaves(yaml.load(config, Loader=_Yaml)["nav"]))
    shown = re.compile(r'(?:show_certificate\(|certify\(THEORIES\[)"(\w+)"')
    pages = _texts("**/*.py")
    right = (ROOT / "tests" / "exercises" / "right_solutions").glob("*/*.py")
    return Book(
        exported=frozenset(nt.__all__),
        theories=dict(THEORIES),
        equivalents=dict(EQUIVALENTS),
        functions=frozenset(case.function.__name__ for case in FUNCTIONS),
        classes=frozenset(type(case.layer()).__name__ for case in LAYERS),
        refused=frozenset((refusal.owner, refusal.argument) for refusal in REFUSALS),
        reference=frozenset(
            name
            for page, text in _texts("reference/*.md").items()
            if page in nav
            for name in re.findall(r"^::: nn_tutorial\.(\w+)$", text, re.MULTILINE)
        ),
        certified=frozenset((name, p) for p, text in pages.items() for name in shown.findall(text)),
        boxes=frozenset(
            (p, box) for p, text in pages.items() for box in BOXES if f"{box}(" in text
        ),
        nav=nav,
        exercises={
            function.name: topic
            for topic, exercises in TOPICS.items()
            for exercise in exercises
            for function in exercise.functions
        },
        files=frozenset(
            [*(f"docs/{page}" for page in pages), *(p.relative_to(ROOT).as_posix() for p in right)]
        ),
    )


def _both(name: str) -> list[str]:
    """A function and its backward pass, or a class."""
    alone = name in WITHOUT_BACKWARD or name in CLASSES
    return [name] if alone else [name, f"{name}_backward"]


def _of_all(book: Book, name: str, value: Any) -> Iterator[tuple[str, str]]:
    """What a function can miss as well as a class: (place, what to do)."""
    for each in _both(name):
        if each not in book.exported:
            yield "export", f"nn_tutorial/__init__.py: import {each}, and name it in __all__"
        if each not in book.reference:
            yield "reference", f"docs/reference/: '::: nn_tutorial.{each}' on one of its pages"
    if name not in (book.classes if name in CLASSES else book.functions):
        row = "LayerCase" if name in CLASSES else "FunctionCase"
        yield "case", f"tests/cases.py: a {row} of {name} (a theory gives one)"
        return  # without a row no argument is tried
    for argument in inspect.signature(value).parameters:
        if argument not in NO_BAD_VALUE and (name, argument) not in book.refused:
            yield (
                "bad input",
                f"nn_tutorial/verify/theories/: values of {argument} that {name} must refuse, "
                "in refused",
            )


def _of_function(book: Book, name: str) -> Iterator[tuple[str, str]]:
    yield from _of_all(book, name, PAIRS[name])
    if name in VARIANTS:
        return
    mine = [t for t in book.theories.values() if t.pair[0] is PAIRS[name]]
    if not mine:
        yield "theory", f"nn_tutorial/verify/theories/{name}.py: its THEORY"
    for theory in mine:
        if not theory.wrong:
            yield (
                "wrong passes",
                f"nn_tutorial/verify/theories/{theory.name}.py: wrong backward passes, in wrong",
            )
    if mine and not any(theory.layer for theory in mine):
        yield "class", f"nn_tutorial/verify/theories/{name}.py: the class over {name}, in layer"
    row = book.equivalents.get(name)
    if row is None or row.function is None:
        yield (
            "PyTorch",
            f"nn_tutorial/pytorch/equivalents.py: the function {name}, in EQUIVALENTS",
        )
    chapters = {page for theory, page in book.certified if theory == name}
    if not chapters:
        yield "certificate", f'docs/layers/: a chapter with show_certificate("{name}")'
    elif chapters.isdisjoint(book.nav):
        yield "chapter", f"mkdocs.yml, nav: {' or '.join(sorted(chapters))}"
    for page in sorted(chapters):
        for box in BOXES:
            if page.startswith("layers/") and (page, box) not in book.boxes:
                yield "box", f"docs/{page}: {box}"
    yield from _of_exercise(book, name)


def _of_exercise(book: Book, name: str) -> Iterator[tuple[str, str]]:
    for each in _both(name):
        if each not in book.exercises:
            yield "exercise", f"nn_tutorial/exercises/catalogue/: an exercise to write {each}"
            continue
        topic = book.exercises[each]
        page, solutions = f"exercises/{topic}.py", f"tests/exercises/right_solutions/{topic}/"
        if f"docs/{page}" not in book.files:
            yield "solution page", f"docs/{page}: the page of its solution"
        if page not in book.nav:
            yield "solution page", f"mkdocs.yml, nav: {page}"
        if sum(file.startswith(solutions) for file in book.files) < 3:
            yield "right solutions", f"{solutions}: three right solutions"


def _of_class(book: Book, name: str) -> Iterator[tuple[str, str]]:
    cls = CLASSES[name]
    yield from _of_all(book, name, cls)
    if not any(theory.layer is cls for theory in book.theories.values()):
        yield "theory", f"nn_tutorial/verify/theories/: {name} as the layer of its theory"
    if not any(row.layer is cls and row.module for row in book.equivalents.values()):
        yield "PyTorch", f"nn_tutorial/pytorch/equivalents.py: the class {name}, in EQUIVALENTS"


def all_missing(book: Book, name: str) -> list[tuple[str, str]]:
    """What a layer misses, as (place, what to do), exempt or not."""
    return list((_of_function if name in PAIRS else _of_class)(book, name))


def missing(book: Book, name: str) -> list[str]:
    """What to do so that a layer stands in every place."""
    return [what for place, what in all_missing(book, name) if (name, place) not in EXEMPT]


BOOK = _book()
NAMES = [*PAIRS, *CLASSES]


@pytest.mark.parametrize("name", NAMES)
def test_layer_stands_in_every_place(name: str) -> None:
    found = missing(BOOK, name)
    assert not found, "\n  ".join([f"{name} is missing in", *found])


def test_the_layers_are_found() -> None:
    """All that the book tells of, and nothing that is none of them."""
    assert set(PAIRS) >= {"relu", "linear", "conv2d_loops", "softmax_cross_entropy"}
    assert {"conv2d_im2col", "conv2d_loops", "max_pool2d_loops", "avg_pool2d_loops"} == VARIANTS
    assert set(CLASSES) >= {"ReLU", "BatchNorm", "Flatten", "Sequential"}
    assert "Layer" not in CLASSES
    assert {name for name in nt.__all__ if name.endswith("_backward")} <= {
        each for name in PAIRS for each in _both(name)
    }


@pytest.mark.parametrize(("name", "place"), EXEMPT)
def test_exemption_is_needed(name: str, place: str) -> None:
    assert place in {place for place, _ in all_missing(BOOK, name)}


def test_nothing_is_said_of_no_layer() -> None:
    """A misspelt name in one of the tables would be found by nobody."""
    known = {*PAIRS, "two_layer_net"}
    assert {theory.pair[0].__name__ for theory in THEORIES.values()} <= known
    assert set(EQUIVALENTS) <= known | {"flatten", "global_avg_pool2d"}
    callables = [*PAIRS.values(), *CLASSES.values()]
    arguments = {a for value in callables for a in inspect.signature(value).parameters}
    assert BAD.keys() | NO_BAD_VALUE.keys() <= arguments


def test_solution_pages_are_in_the_order_of_the_topics() -> None:
    pages = [
        page for page in BOOK.nav if page.removesuffix(".py").removeprefix("exercises/") in TOPICS
    ]
    assert pages == [f"exercises/{topic}.py" for topic in TOPICS], (
        "mkdocs.yml, nav, and AFTER in nn_tutorial/exercises/catalogue/: expected one order"
    )


def _theories(book: Book, name: str, **changes: Any) -> Book:
    """The theories of a layer changed, or dropped where there is no change."""
    kept = {}
    for key, theory in book.theories.items():
        if PAIRS.get(name) is not theory.pair[0] and CLASSES.get(name) is not theory.layer:
            kept[key] = theory
        elif changes:
            kept[key] = replace(theory, **changes)
    return replace(book, theories=kept)


def _equivalents(book: Book, name: str) -> Book:
    kept = {
        key: row
        for key, row in book.equivalents.items()
        if key != name and row.layer is not CLASSES.get(name, nt.Layer)
    }
    return replace(book, equivalents=kept)


def _files(book: Book, name: str, pattern: str) -> Book:
    """Without the first file of the layer's topic that fits."""
    path = pattern.format(book.exercises[name])
    gone = next(file for file in sorted(book.files) if file.startswith(path))
    return replace(book, files=book.files - {gone})


def _nav(book: Book, gone: set[str]) -> Book:
    return replace(book, nav=tuple(page for page in book.nav if page not in gone))


def _refused(book: Book, name: str) -> Book:
    return replace(book, refused=book.refused - {min(r for r in book.refused if r[0] == name)})


def _certified(book: Book, name: str) -> Book:
    return replace(book, certified=frozenset(c for c in book.certified if c[0] != name))


def _boxes(book: Book, name: str) -> Book:
    chapters = {page for theory, page in book.certified if theory == name}
    return replace(book, boxes=frozenset(b for b in book.boxes if b[0] not in chapters))


def _exercises(book: Book, name: str) -> Book:
    return replace(book, exercises={k: v for k, v in book.exercises.items() if k != name})


# How a layer is taken out of each place.
DELETIONS: list[tuple[str, Callable[[Book, str], Book]]] = [
    ("export", lambda b, n: replace(b, exported=b.exported - {n})),
    ("export", lambda b, n: replace(b, exported=b.exported - {_both(n)[-1]})),
    ("reference", lambda b, n: replace(b, reference=b.reference - {n})),
    ("reference", lambda b, n: replace(b, reference=b.reference - {_both(n)[-1]})),
    ("bad input", _refused),
    ("case", lambda b, n: replace(b, functions=b.functions - {n}, classes=b.classes - {n})),
    ("theory", _theories),
    ("wrong passes", lambda b, n: _theories(b, n, wrong={})),
    ("class", lambda b, n: _theories(b, n, layer=None)),
    ("PyTorch", _equivalents),
    ("certificate", _certified),
    ("box", _boxes),
    ("chapter", lambda b, n: _nav(b, {page for name, page in b.certified if name == n})),
    ("exercise", _exercises),
    ("solution page", lambda b, n: _files(b, n, "docs/exercises/{}.py")),
    ("solution page", lambda b, n: _nav(b, {f"exercises/{b.exercises[n]}.py"})),
    ("right solutions", lambda b, n: _files(b, n, "tests/exercises/right_solutions/{}/")),
]
OF_VARIANTS = {"export", "reference", "bad input", "case"}
OF_CLASSES = OF_VARIANTS | {"theory", "PyTorch"}
# Places in which nothing can stand without another.
NEEDS = {
    "chapter": "certificate",
    "box": "certificate",
    "solution page": "exercise",
    "right solutions": "exercise",
}


def _stands(name: str, place: str) -> bool:
    """Whether a layer stands in a place, and so can be taken out."""
    if place == "bad input" and not any(owner == name for owner, _ in BOOK.refused):
        return False  # a class without arguments
    own = any(of == name and page.startswith("layers/") for of, page in BOOK.certified)
    if place == "box" and not own:
        return False  # its chapter is about more than this layer
    if name in VARIANTS or name in CLASSES:
        return place in (OF_VARIANTS if name in VARIANTS else OF_CLASSES) - {
            place for exempt, place in EXEMPT if exempt == name
        }
    return (name, place) not in EXEMPT and (name, NEEDS.get(place)) not in EXEMPT


@pytest.mark.parametrize(("place", "delete"), DELETIONS)
def test_what_is_taken_out_is_named(place: str, delete: Callable[[Book, str], Book]) -> None:
    """Each layer out of each place in turn: this place is missed and no other, with its file."""
    names = [name for name in NAMES if _stands(name, place) and not missing(BOOK, name)]
    assert len(names) >= 6
    for name in names:
        spoilt = delete(BOOK, name)
        found = set(all_missing(spoilt, name)) - set(all_missing(BOOK, name))
        assert {place for place, _ in found} == {place}, name
        for _, what in found:
            assert what in missing(spoilt, name)
            assert (ROOT / re.split("[:,]", what)[0]).exists(), what
