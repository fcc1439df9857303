"""What the numbers of a script follow from: every definition that it can reach, with a hash.

Source is read, and nothing is run. From the script on, names are followed through the project's
own imports: functions, classes and constants, and what the modules do while they are imported. A
class counts with all its methods, since nobody can tell by reading which of them are called.

Nothing of this is in a hash, because no number can follow from it: comments, docstrings, layout,
annotations, the wording of errors and of an option's help, the order of definitions, the file that
one is in, and how it is imported. A name stands for what it means: ``F.relu``, ``functional.relu``
and ``torch.nn.functional.relu`` are the same.

Other code that decides no number says so and why, in a comment on its first lines::

    def say(line: str) -> None:  # decides no number: it prints what it is told

It is not followed then, and of a call to it only calls among its arguments count.

The limits: other people's packages are taken as they are. What is found by a text (``eval``,
``import_module``) or by a base class that knows its subclasses is not seen, nor what is done while
a constant or a default is computed that belongs to nothing that anybody names.
"""

import ast
import functools
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

PACKAGE, SCRIPTS = "nn_tutorial", "scripts"
MARK = re.compile(r"#\s*decides no number\b:?(.*)")
# A page that asks depends on the answer, not on each file: its probe listens to these two events.
BEGINS, ENDS = "nn_tutorial.reached_code", "nn_tutorial.reached_code.end"
ON_IMPORT = "on import"  # the name of what modules do while they are imported
# No number follows from these parts of the syntax, nor from these texts for somebody who asks.
_IGNORED = {"ctx", "kind", "type_comment", "type_params", "returns", "annotation"}
_HELP = {"help", "metavar"}
MARKED = "something marked"  # with a space, as no name has
_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_REFERENCE = re.compile("\0([^\0]*):([^\0]*)\0")

Key = tuple[str, str]  # a module, and a name in it
Origin = tuple[str, str]  # a module, and the name that is imported from it; "": the module
Found = tuple[set[Key], str]  # the definitions that a name leads to, and what it means


def reached_code(script: str, root: Path) -> dict[str, str]:
    """Return each definition that a script can reach, and a hash of it.

    Parameters
    ----------
    script : str
        Its name in the folder ``scripts``, without ``.py``.
    root : Path
        The project's.

    Returns
    -------
    dict of str to str
        Sorted by name. Definitions of one name share an entry.

    Raises
    ------
    ValueError
        If the script is not there, a star hides what is imported, or a mark gives no reason.
    """
    sys.audit(BEGINS, script, str(root))
    try:
        return _reached(script, root)
    finally:
        sys.audit(ENDS)


def _reached(script: str, root: Path) -> dict[str, str]:
    project = _Project(root)
    main = project.module(script)
    if main is None:
        raise ValueError(f"script: expected one of {root / SCRIPTS}, got {script!r}")
    texts: dict[Key, str] = {}
    todo: list[Key] = []
    for module in project.imported(main):
        reader = _Reader(project, module)
        texts[module.name, ON_IMPORT] = reader.text(project.on_import(module, main))
        todo += reader.named
    while todo:
        key = todo.pop()
        if key not in texts:
            reader = _Reader(project, project.there(key[0]))
            texts[key] = reader.text(reader.module.statements[key[1]])
            todo += reader.named
    return _hashes({key: text for key, text in texts.items() if text != "[]"})


def _hashes(texts: dict[Key, str]) -> dict[str, str]:
    """For each name the hash of its text, in which modules go by no name."""
    shared = Counter(name for _, name in texts)
    plain = {key: _digest(_REFERENCE.sub(r"\2", text)) for key, text in texts.items()}

    def told_apart(reference: re.Match[str]) -> str:
        """A name; where several share it, also what it is."""
        module, name = reference.groups()
        return name if shared[name] == 1 else f"{name} {plain[module, name]}"

    hashes: dict[str, list[str]] = {}
    for (_, name), text in texts.items():
        hashes.setdefault(name, []).append(_digest(_REFERENCE.sub(told_apart, text)))
    return {name: " ".join(sorted(hashes[name])) for name in sorted(hashes)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class _Module:
    """A file of the project: what it imports, and the statements that each of its names is from."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        source = path.read_text(encoding="utf-8")
        self.lines = source.splitlines()
        self.body, self.statements, inside = _parsed(source)
        self.imports = self.origins(_imports(self.body, into=False))
        self.all_imports = self.origins(inside)

    def origins(self, imports: Iterable[ast.Import | ast.ImportFrom]) -> dict[str, list[Origin]]:
        """Return for each imported name where it is from."""
        found: dict[str, list[Origin]] = {}
        for node in imports:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    found.setdefault(alias.asname or name, []).append((name, ""))
            else:
                origin = self._origin(node)
                for alias in node.names:
                    if alias.name == "*" and self._is_ours(origin):
                        raise ValueError(f"{self.path}: expected names, got 'import *'")
                    found.setdefault(alias.asname or alias.name, []).append((origin, alias.name))
        return found

    def _is_ours(self, origin: str) -> bool:
        first = origin.partition(".")[0]
        return first == PACKAGE or any(
            folder.name == SCRIPTS and [*folder.glob(f"{first}.py"), *folder.glob(f"{first}/")]
            for folder in self.path.parents
        )

    def _origin(self, node: ast.ImportFrom) -> str:
        """The module that names are imported from."""
        if node.level == 0:
            return node.module or ""
        inside = self.name.split(".")
        up = node.level - (self.path.name == "__init__.py")
        return ".".join([*inside[: len(inside) - up], *([node.module] if node.module else [])])

    def is_marked(self, statement: ast.stmt) -> bool:
        """Whether a comment says that it decides no number."""
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        if body := getattr(statement, "body", None):  # a mark further in is that of a part
            last = max(first, body[0].lineno - 1)
        for number in range(first, last + 1):
            if mark := MARK.search(self.lines[number - 1]):
                if not mark[1].strip():
                    raise ValueError(f"{self.path}:{number}: expected a reason after the colon")
                return True
        return False


class _Project:
    """The package and the scripts; anything else that is imported is somebody else's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # An installed package has the scripts inside it.
        inside = root / PACKAGE / "book" / SCRIPTS
        self.scripts = inside if inside.is_dir() else root / SCRIPTS
        self._modules: dict[str, _Module | None] = {}

    def module(self, name: str) -> _Module | None:
        """Return one by its dotted name; None where there is none."""
        if name not in self._modules:
            parts = name.split(".")
            place = (self.root if parts[0] == PACKAGE else self.scripts).joinpath(*parts)
            there = [p for p in (place / "__init__.py", place.with_suffix(".py")) if p.is_file()]
            self._modules[name] = _Module(name, there[0]) if there else None
        return self._modules[name]

    def there(self, name: str) -> _Module:
        """Return one that is there."""
        module = self.module(name)
        assert module is not None
        return module

    def imported(self, main: _Module) -> list[_Module]:
        """Return a module and all that it imports, directly or not."""
        found, todo = {main.name: main}, [main]
        while todo:
            module = todo.pop()
            for origins in module.all_imports.values():
                for origin in origins:
                    parts = ".".join(filter(None, origin)).split(".")
                    for end in range(1, len(parts) + 1):  # importing a.b imports a too
                        other = self.module(".".join(parts[:end]))
                        if other is not None and other.name not in found:
                            found[other.name] = other
                            todo.append(other)
        return [found[name] for name in sorted(found)]

    def on_import(self, module: _Module, main: _Module) -> list[ast.stmt]:
        """Return the statements that do something while a module is imported, or run."""
        return [
            statement
            for statement in module.body
            if (module is main or not _is_for_main(statement))
            and self._does_something(module, statement)
            and not module.is_marked(statement)
        ]

    def _does_something(self, module: _Module, statement: ast.stmt) -> bool:
        """Whether a statement does more than to define a name."""
        if isinstance(statement, _DEFINED):  # a decorator of ours may keep it somewhere
            return any(_Reader(self, module).names(d) for d in statement.decorator_list)
        if isinstance(statement, ast.Assign):
            return not all(isinstance(node, ast.Name) for node in _targets(statement.targets))
        if isinstance(statement, ast.AnnAssign):
            return statement.value is not None and not isinstance(statement.target, ast.Name)
        return not isinstance(statement, ast.Import | ast.ImportFrom)

    def either(self, origins: list[Origin], rest: list[str]) -> Found:
        """Return what an imported name means, with attributes after it."""
        found = [self._find(module, [name, *rest] if name else rest) for module, name in origins]
        return set().union(*(keys for keys, _ in found)), "|".join(sorted({t for _, t in found}))

    def _find(self, origin: str, path: list[str]) -> Found:
        module = self.module(origin)
        if module is None:
            return set(), ".".join([origin, *path])
        while path:
            name, *rest = path
            itself = [(module.name, name)]  # "from . import name" in a package
            if name in module.statements or module.imports.get(name, itself) != itself:
                return self.look_up(module, name, rest)
            inner = self.module(f"{module.name}.{name}")
            if inner is None:
                break
            module, path = inner, rest
        # A module that is handed on as a whole: all in it counts.
        keys = {(module.name, name) for name in module.statements}
        return {key for key in keys if not self.is_marked(key)}, "a module"

    def look_up(self, module: _Module, name: str, rest: list[str]) -> Found:
        """Return what a name of a module means, with attributes after it."""
        if name in module.statements:
            key = (module.name, name)
            if self.is_marked(key):
                return set(), MARKED
            return {key}, ".".join([f"\0{module.name}:{name}\0", *rest])
        return self.either(module.imports[name], rest)

    def is_marked(self, key: Key) -> bool:
        """Whether a definition is said to decide no number."""
        module = self.there(key[0])
        return any(module.is_marked(statement) for statement in module.statements[key[1]])


class _Reader:
    """Writes code as text, without what decides nothing, and keeps what it names.

    The text is our own: that of ``ast.dump`` is another in each version of Python.
    """

    def __init__(self, project: _Project, module: _Module) -> None:
        self.project, self.module = project, module
        self.named: set[Key] = set()
        self._imports: dict[str, list[Origin]] = {}  # inside of what is being read
        self._raising = False

    def names(self, node: ast.AST) -> set[Key]:
        """Return the definitions that some code names."""
        self.text(node)
        return self.named

    def text(self, node: object) -> str:
        """Return the text of a node, a list of nodes, or a value; "" for what decides nothing."""
        match node:
            case list():
                return f"[{','.join(filter(None, map(self.text, node)))}]"
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
                return ""
            case ast.Expr():
                value = self.text(node.value)
                return value and f"Expr({value})"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return self._definition(node)
            case ast.AnnAssign():  # of a local name; a class has its own
                assigned = ast.Assign(targets=[node.target], value=node.value or ast.Constant(None))
                return self.text(assigned) if node.value else ""
            case ast.Raise():
                before, self._raising = self._raising, True
                text = self._fields(node)
                self._raising = before
                return text
            case ast.JoinedStr() | ast.Constant(value=str()) if self._raising:
                return "a text"
            case ast.JoinedStr():  # some versions have empty texts in it
                values = [v for v in node.values if not isinstance(v, ast.Constant) or v.value]
                return f"JoinedStr(values={self.text(values)})"
            case ast.Assert():
                return f"Assert({self.text(node.test)})"
            case ast.Call() if self._meaning(node.func) == MARKED:
                return ",".join(map(self.text, _calls([*node.args, *node.keywords])))
            case ast.keyword(arg=name, value=ast.Constant(value=str())) if name in _HELP:
                return ""
            case ast.Name() | ast.Attribute():
                return self._meaning(node) or self._fields(node)
            case ast.AST():
                return self._fields(node)
        return repr(node)

    def _fields(self, node: ast.AST) -> str:
        parts = [
            f"{name}={self.text(value)}"
            for name, value in ast.iter_fields(node)
            if name not in _IGNORED and value is not None and value != []
        ]
        return f"{type(node).__name__}({','.join(parts)})"

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
        before = self._imports
        self._imports = before | self.module.origins(_imports_of(node))
        if isinstance(node, ast.ClassDef):
            methods = sorted((s for s in node.body if isinstance(s, _DEFINED)), key=_name)
            members = [
                # In a class an annotation makes a field: that it is there, not what it says.
                f"field {self.text(s.target)}={self.text(s.value)}"
                if isinstance(s, ast.AnnAssign)
                else self.text(s)
                for s in [*(s for s in node.body if not isinstance(s, _DEFINED)), *methods]
            ]
            head = [self.text(part) for part in (node.bases, node.keywords, node.decorator_list)]
            # Joined, not printed as a list: that would escape the marks around a name's module.
            text = f"class {node.name}({','.join(head)},[{','.join(filter(None, members))}])"
        else:
            text = self._fields(node)
        self._imports = before
        return text

    def _meaning(self, node: ast.expr) -> str:
        """What ``a`` or ``a.b.c`` means; "" where it begins with no name."""
        path = _path(node)
        if not path:
            return ""
        first, *rest = path
        if first in self._imports:
            keys, text = self.project.either(self._imports[first], rest)
        elif first in self.module.statements or first in self.module.imports:
            keys, text = self.project.look_up(self.module, first, rest)
        else:
            return ".".join(path)
        self.named |= keys
        return text


@functools.cache
def _parsed(
    source: str,
) -> tuple[list[ast.stmt], dict[str, list[ast.stmt]], list[ast.Import | ast.ImportFrom]]:
    """The statements of a module but those for types alone, by their names, and all imports."""
    body: list[ast.stmt] = []
    for statement in ast.parse(source).body:
        body += statement.orelse if _is_for_types(statement) else [statement]
    statements: dict[str, list[ast.stmt]] = {}
    for statement in body:
        for bound in _bound(statement):
            statements.setdefault(bound, []).append(statement)
    return body, statements, [*_imports(body)]


@functools.cache
def _imports_of(node: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    return [*_imports([node])]


def _imports(
    nodes: Iterable[ast.AST], *, into: bool = True
) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in _walk(nodes, into):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def _walk(nodes: Iterable[ast.AST], into: bool) -> Iterator[ast.AST]:
    """All nodes below some, ``into`` definitions or not."""
    todo = [*nodes]
    while todo:
        node = todo.pop()
        yield node
        if into or not isinstance(node, _DEFINED):
            todo += ast.iter_child_nodes(node)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module gives a value."""
    names = set()
    for node in _walk([statement], into=False):
        if isinstance(node, _DEFINED):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _targets(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    """What is assigned to, tuples taken apart."""
    for node in nodes:
        if isinstance(node, ast.Tuple | ast.List):
            yield from _targets(node.elts)
        else:
            yield node


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The outermost calls, and what else could do something."""
    for node in nodes:
        if isinstance(node, ast.Call | ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            yield node
        else:
            yield from _calls(ast.iter_child_nodes(node))


def _path(node: ast.expr) -> list[str]:
    """``a.b.c`` as its names; empty where it begins with no name."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (path := _path(node.value)):
        return [*path, node.attr]
    return []


def _name(node: ast.stmt) -> str:
    assert isinstance(node, _DEFINED)
    return node.name


def _is_for_types(node: ast.stmt) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and _path(node.test)[-1:] == ["TYPE_CHECKING"]


def _is_for_main(node: ast.stmt) -> bool:
    """Whether it is ``if __name__ == "__main__"``, and nothing else."""
    return (
        isinstance(node, ast.If)
        and not node.orelse
        and ast.unparse(node.test) == "__name__ == '__main__'"
    )
