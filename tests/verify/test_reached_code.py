"""What a script's numbers follow from, on projects of a few lines: what is followed and counts."""

import contextlib
import sys
import textwrap
from pathlib import Path

import pytest
from sitegen.run import probe

from nn_tutorial.verify.reached_code import BEGINS, ENDS, ON_IMPORT, reached_code


def written(root: Path, **files: str) -> dict[str, str]:
    """The definitions that `scripts/main.py` reaches; the other files are the package's."""
    (root / "scripts").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = root / "scripts" / "main.py"
        if name != "main":
            path = root / "nn_tutorial" / f"{name.replace('__in__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return reached_code("main", root)


def changed(root: Path, before: str, after: str, **files: str) -> set[str]:
    """The definitions that differ between two versions of the script."""
    one = written(root, main=before, **files)
    other = written(root, main=after, **files)
    return {name for name in one | other if one.get(name) != other.get(name)}


def test_names_are_followed_through_imports(tmp_path: Path) -> None:
    """From a package's own name, under an alias, a relative one, and inside of a function."""
    found = written(
        tmp_path,
        main="""
            from nn_tutorial import first
            import nn_tutorial.inner.deep as d
            def main():
                from nn_tutorial.inner import deep as again
                return first() + d.second() + again.third()
            if __name__ == "__main__":
                main()
            """,
        __init__="from .inner.deep import first_of_all as first\n",
        inner__in____init__="",
        inner__in__deep="""
            from ..other import CONSTANT
            def first_of_all(): return 1
            def second(): return CONSTANT
            def third(): return 3
            def unused(): return 4
            """,
        other="CONSTANT = 5\n",
    )
    assert {*found} == {ON_IMPORT, "main", "first_of_all", "second", "third", "CONSTANT"}


def test_a_function_may_be_called_as_its_module_is(tmp_path: Path) -> None:
    """And the package may give out one under the name of the other."""
    found = written(
        tmp_path,
        main="""
            from nn_tutorial import relu
            from nn_tutorial.relu import slope
            print(relu(), slope())
            """,
        __init__="from .relu import relu\n",
        relu="def relu(): return 1\ndef slope(): return 2\n",
    )
    assert {*found} == {ON_IMPORT, "relu", "slope"}


def test_a_package_may_import_its_own_modules(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        main="import nn_tutorial.inner as i\nprint(i.deep.f())\n",
        __init__="",
        inner__in____init__="from . import deep\n",
        inner__in__deep="def f(): return 1\n",
    )
    assert {*found} == {ON_IMPORT, "f"}


@pytest.mark.parametrize(
    "handed_on", ["getattr(tools, name)()", "run(tools)", "tools.made_up()"], ids=str
)
def test_of_a_module_that_is_handed_on_all_counts(tmp_path: Path, handed_on: str) -> None:
    tools = """
        def one(): return 1
        def two(): return 2
        def say(): pass  # decides no number: it prints
        """
    files = {"__init__": "", "tools": tools}
    found = written(tmp_path, main=f"from nn_tutorial import tools\n{handed_on}\n", **files)
    assert {*found} == {ON_IMPORT, "one", "two"}


def test_a_class_counts_with_all_its_methods(tmp_path: Path) -> None:
    files = {
        "__init__": "",
        "nets": """
            class Base:
                def helper(self): return scale(2)
            class Net(Base):
                def forward(self, x): return self.helper() * x
            def scale(x): return x
            class Other: pass
            """,
    }
    found = written(tmp_path, main="from nn_tutorial.nets import Net\nprint(Net()(1))\n", **files)
    assert {*found} == {ON_IMPORT, "Net", "Base", "scale"}


EFFECTS = {
    "a call": "import torch\ntorch.set_default_dtype(torch.float64)\n",
    "another's attribute": "import nn_tutorial.used as u\nu.f = lambda: 2\n",
    "an entry": "from .used import TABLE\nTABLE['g'] = 1\n",
    "a branch": "import sys\nif sys.platform == 'linux':\n    X = 1\n",
    "a decorator": "from .used import keep\n@keep\ndef g(): return 1\n",
    "an annotated attribute": "import nn_tutorial.used as u\nu.f: object = lambda: 2\n",
    "not for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING: pass\nelse: print(1)\n",
    "where it is not run": "if __name__ != '__main__': print(1)\n",
    "or else": "if __name__ == '__main__': pass\nelse: print(1)\n",
}


@pytest.mark.parametrize("text", EFFECTS.values(), ids=EFFECTS)
def test_what_a_module_does_while_it_is_imported_counts(tmp_path: Path, text: str) -> None:
    """Also where nothing of it is used: `nn_tutorial` imports it, and the script that."""
    used = "TABLE = {}\ndef f(): return TABLE\ndef keep(g): TABLE[g.__name__] = g; return g\n"
    main = "from nn_tutorial.used import f\nprint(f())\n"
    files = {"__init__": "from . import aside\n", "used": used}
    without = written(tmp_path, main=main, aside="def g(): return 1\n", **files)
    assert written(tmp_path, main=main, aside=text, **files) != without


def test_a_script_that_is_imported_runs_no_main(tmp_path: Path) -> None:
    other = (
        "def g(): return 1\nif __name__ == '__main__':\n    print(g(), h())\ndef h(): return 2\n"
    )
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "other.py").write_text(other)
    found = written(tmp_path, main="import other\nprint(other.g())\n")
    assert {*found} == {ON_IMPORT, "g"}
    assert {*reached_code("other", tmp_path)} == {ON_IMPORT, "g", "h"}


# What is the same, and what is not

IMPORTS = {
    "alias": ("import torch.nn.functional as F", "F.relu(x)"),
    "from": ("from torch.nn import functional", "functional.relu(x)"),
    "name": ("from torch.nn.functional import relu", "relu(x)"),
    "renamed": ("from torch.nn.functional import relu as open_", "open_(x)"),
    "package": ("import torch", "torch.nn.functional.relu(x)"),
}


@pytest.mark.parametrize("kind", IMPORTS)
def test_how_a_name_is_imported_does_not_count(tmp_path: Path, kind: str) -> None:
    line, call = IMPORTS[kind]
    within = "def f(x):\n    import torch\n    return torch.nn.functional.relu(x)\nf(1)\n"
    assert changed(tmp_path, f"{line}\ndef f(x): return {call}\nf(1)\n", within) == set()


def test_what_a_name_is_imported_from_counts(tmp_path: Path) -> None:
    text = "from {} import functional\ndef f(x): return functional.relu(x)\nf(1)\n"
    assert changed(tmp_path, text.format("torch.nn"), text.format("mylib")) == {"f"}
    either = (
        "try:\n    from torch.nn import functional\nexcept ImportError:\n    from {} import {}\n"
    )
    either += "def f(x): return functional.relu(x)\nf(1)\n"
    one, other = either.format("a", "functional"), either.format("b", "functional")
    assert changed(tmp_path, one, other) == {"f"}


SAME = {
    "a comment": ("x = f(1)", "# Says much.\nx = f(1)  # and more"),
    "layout": ("x = f(1, 2)", "x = (\n    f(\n        1,\n        2,\n    )\n)"),
    "an annotation": ("x = f(1)", "x: int = f(1)"),
    "a declaration": ("x = f(1)", "x: int\nx = f(1)"),
    "a number's form": ("x = 0.001", "x = 1e-3"),
    "a text in parts": ("x = 'ab'", "x = 'a' 'b'"),
    "pass": ("x = 1", "x = 1\npass"),
    "a text on its own": ("x = 1", "x = 1\n'Is one.'"),
    "help": ("add('--x', help='one')", "add('--x', help='two', metavar='N')"),
    "an error": ("raise ValueError(f'no {x}')", "raise ValueError(f'expected {y}, got {x}')"),
    "an assertion": ("assert x, 'no'", "assert x, f'expected {y}'"),
}
DIFFERENT = {
    "a number": ("x = f(1)", "x = f(2)"),
    "a type of number": ("x = 1", "x = 1.0"),
    "an operator": ("x = y / 2", "x = y // 2"),
    "order": ("f(1)\ng(2)", "g(2)\nf(1)"),
    "brackets": ("x = a * (b + c)", "x = a * b + c"),
    "a slice": ("x = y[1:]", "x = y[:1]"),
    "a default": ("add('--x', default=1, help='')", "add('--x', default=2, help='')"),
    "what help calls": ("add('--x', help=f())", "add('--x', help=g())"),
    "an error's kind": ("raise ValueError('no')", "raise TypeError('no')"),
    "an error's number": ("raise Found(1)", "raise Found(2)"),
    "a condition": ("if x:\n    f()", "if not x:\n    f()"),
    "a text": ("x = f'{y:.1f}'", "x = f'{y:.2f}'"),
    "a declaration": ("x = 1", "x: int"),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_what_decides_nothing_does_not_count(tmp_path: Path, pair: tuple[str, str]) -> None:
    one, other = (f"def main():\n{textwrap.indent(text, '    ')}\nmain()\n" for text in pair)
    assert changed(tmp_path, one, other) == set()


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_what_decides_something_counts(tmp_path: Path, pair: tuple[str, str]) -> None:
    one, other = (f"def main():\n{textwrap.indent(text, '    ')}\nmain()\n" for text in pair)
    assert changed(tmp_path, one, other) == {"main"}


def test_signatures(tmp_path: Path) -> None:
    text = "def f(x, *, rate={}){}:\n    '''{}'''\n    return x\nf(1)\n"
    one = text.format("0.5", "", "One.")
    assert changed(tmp_path, one, text.format("0.5", " -> int", "Two.")) == set()
    assert changed(tmp_path, one, text.format("0.4", "", "One.")) == {"f"}


def test_of_a_class_the_fields_count_in_their_order_and_the_methods_in_none(tmp_path: Path) -> None:
    fields = "class Net(NamedTuple):\n    a: {}\n    b: int = {}\n    {}: str = ''\n"
    one = fields.format("int", 1, "c") + "    def f(self): return 1\n    def g(self): return 2\n"
    swapped = (
        fields.format("int", 1, "c") + "    def g(self): return 2\n    def f(self): return 1\n"
    )
    other_type = one.replace("a: int", "a: float")
    for same in (swapped, other_type):
        assert changed(tmp_path, one + "Net(1)\n", same + "Net(1)\n") == set()
    for old, new in (
        ("= 1", "= 2"), ("c: str", "d: str"), ("a: int", "e: int"), ("a: int", "a = 0"),
        ("b: int", "b"),
    ):  # fmt: skip
        assert changed(tmp_path, one + "Net(1)\n", one.replace(old, new) + "Net(1)\n") == {"Net"}


def test_hashes_are_the_same_in_every_python(tmp_path: Path) -> None:
    """The tree of a program is not: from 3.12 on it has fields more, from 3.13 it prints fewer."""
    found = written(
        tmp_path,
        main="""
            from dataclasses import dataclass
            @dataclass
            class Net:
                rate: float = 1e-3
                def say(self, *x, **more): return f"{self.rate:.{x[0]}f} {more!r:>{9}}" f"{x=}" 'b'
            def main(x, /, y=(), *, z=None):
                match x:
                    case {"a": [1, *rest]} if (n := len(rest)): return lambda: (yield n)
                    case Net(rate=0.5) | None: return x[1:, ..., ::2]
                async def inner():
                    return [i async for i in y if not i <= z < -1j]
                return {**x, "a": b"1"} if x else (Net(), *y)
            main(1)
            """,
    )
    assert found == {"Net": "c45b5f47", "main": "eb2b6e51", ON_IMPORT: "f391e1b5"}


def test_which_attribute_is_taken_counts(tmp_path: Path) -> None:
    text = "class Net:\n    a, b = 1, 2\ndef f(): return Net.{}\nf()\n"
    assert changed(tmp_path, text.format("a"), text.format("b")) == {"f"}


def test_the_last_of_two_definitions_is_not_the_only_one_that_counts(tmp_path: Path) -> None:
    text = "def f(): return 1\ndef f(): return {}\nf()\n"
    assert changed(tmp_path, text.format(2), text.format(3)) == {"f"}
    assert changed(tmp_path, "def f(): return 1\nf()\n", text.format(1)) == {"f"}


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Both are reached in both versions, the other way round."""
    files = {
        "__init__": "",
        "one": "def Dropout(): return 1\n",
        "two": "def Dropout(): return 2\n",
    }
    text = "from nn_tutorial import one, two\ndef f(): return {}.Dropout() - {}.Dropout()\nf()\n"
    before, after = text.format("one", "two"), text.format("two", "one")
    assert changed(tmp_path, before, after, **files) == {"f"}
    assert written(tmp_path, main=before, **files)["Dropout"].count(" ") == 1


_heard: list[tuple[str, tuple[object, ...]]] = []
sys.addaudithook(lambda event, args: _heard.append((event, args)) if "reached" in event else None)


@pytest.mark.parametrize("script", ["main", "nowhere"])
def test_who_builds_a_page_hears_what_it_asked(tmp_path: Path, script: str) -> None:
    """For it depends on the answer, not on each of the files. Also after an error it is over."""
    written(tmp_path, main="x = 1\n")
    _heard.clear()
    with contextlib.suppress(ValueError):
        reached_code(script, tmp_path)
    assert _heard == [(BEGINS, (script, str(tmp_path))), (ENDS, ())]
    assert (BEGINS, ENDS) == (probe.BEGINS, probe.ENDS)


# Marks


def test_what_is_marked_is_not_followed(tmp_path: Path) -> None:
    main = """
        from nn_tutorial.tools import say
        def main(x):
            say(f"{x} of {len(x)}")
            return x
        main(1)
        """
    tools = "def say(line):{}\n    return shown(line)\ndef shown(line): return line\n"
    mark = "  # decides no number: it prints"
    plain = written(tmp_path, main=main, __init__="", tools=tools.format(""))
    marked = written(tmp_path, main=main, __init__="", tools=tools.format(mark))
    assert {*plain} - {*marked} == {"say", "shown"}
    assert plain["main"] != marked["main"]


def test_of_a_marked_call_the_calls_among_its_arguments_count(tmp_path: Path) -> None:
    """For they happen."""
    files = {
        "__init__": "",
        "tools": "def say(*line):  # decides no number: it prints\n    print(line)\n",
    }
    text = "from nn_tutorial.tools import say\ndef f(x):\n    {}\n    return x\nf(1)\n"
    plain = text.format("say(f'{x} and more')")
    for same in ("say('other words', x)", "pass"):
        assert changed(tmp_path, plain, text.format(same), **files) == set()
    for other in ("say(x.pop())", "say(f'{x.pop()}')", "say([y := x])"):
        assert changed(tmp_path, plain, text.format(other), **files) == {"f"}
    both = [text.format(f"say({call}(x))") for call in ("list", "next")]
    assert changed(tmp_path, *both, **files) == {"f"}
    local = "def f(x):\n    marked = x.append\n    marked({})\nf([])\n"  # no mark, a name
    assert changed(tmp_path, local.format(1), local.format(2)) == {"f"}


def test_a_marked_statement_does_not_count(tmp_path: Path) -> None:
    text = "import torch\ntorch.empty({}){}\n"
    mark = "  # decides no number: it is thrown away"
    assert changed(tmp_path, text.format(1, ""), text.format(2, "")) == {ON_IMPORT}
    assert changed(tmp_path, text.format(1, mark), text.format(2, mark)) == set()


def test_a_mark_is_that_of_its_own_statement(tmp_path: Path) -> None:
    """A part of a class or of a branch has none: the whole may decide much."""
    mark = "  # decides no number: it prints"
    for head in ("class Net:", "if f:"):
        text = f"{head}\n    def say(self):{mark}\n        return {{}}\nprint(Net, say)\n"
        assert changed(tmp_path, text.format(1), text.format(2)) != set()


@pytest.mark.parametrize("mark", ["# decides no number", "# decides no number:  "], ids=repr)
def test_a_mark_without_a_reason_is_refused(tmp_path: Path, mark: str) -> None:
    with pytest.raises(ValueError, match=r"main\.py:2: expected a reason"):
        written(tmp_path, main=f"\ndef f():  {mark}\n    return 1\nf()\n")


def test_what_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"main\.py: expected names, got 'import \*'"):
        written(tmp_path, main="from nn_tutorial.tools import *\n", __init__="", tools="")
    (tmp_path / "scripts" / "other.py").write_text("")
    with pytest.raises(ValueError, match=r"main\.py: expected names, got 'import \*'"):
        written(tmp_path, main="from other import *\n")
    with pytest.raises(ValueError, match=r"script: expected one of .*scripts, got 'nowhere'"):
        reached_code("nowhere", tmp_path)


def test_imports_for_types_alone_are_not_followed(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nn_tutorial import X\n"
    files = {"__init__": "X = 1\nprint(X)\n"}
    assert written(tmp_path, main=text, **files) == {}
