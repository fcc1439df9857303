"""What is imported is declared: its exact version for the project, an extra for a reader."""

import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from helpers import ROOT, imported

FOLDERS = ("nn_tutorial", "scripts", "docs", "tests", "benchmarks")
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
NAME = re.compile(r"^[\w.-]+")


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def pins(path: Path) -> dict[str, str]:
    found = PIN.findall(path.read_text(encoding="utf-8"))
    return {canonical(name): version for name, version in found}


distributions = cache(packages_distributions)


@cache
def used(folder: str) -> dict[str, list[str]]:
    """For each package that is not ours, nor Python's own, the files of a folder that import it."""
    tests = [ROOT / "tests", *(p for p in (ROOT / "tests").rglob("*") if p.is_dir())]
    ours = {path.stem for place in (ROOT, ROOT / "scripts", *tests) for path in place.iterdir()}
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for package in imported(path.read_text(encoding="utf-8")):
            if package not in sys.stdlib_module_names | ours:
                found.setdefault(package, []).append(str(path.relative_to(ROOT)))
    return found


REQUIRED: dict[str, str] = {}
for _path in sorted(ROOT.glob("requirements*.txt")):
    REQUIRED |= pins(_path)


@pytest.mark.parametrize("package", sorted({name for folder in FOLDERS for name in used(folder)}))
def test_an_imported_package_is_required(package: str) -> None:
    by = next(used(folder)[package][0] for folder in FOLDERS if package in used(folder))
    names = distributions().get(package, [])
    assert names, f"{by} imports {package}, which is not installed"
    assert {canonical(name) for name in names} & REQUIRED.keys(), (
        f"{by} imports {package}: {' or '.join(set(names))} is missing in requirements.txt"
    )


@pytest.mark.parametrize(
    "package", sorted({name for folder in FOLDERS if folder != "tests" for name in used(folder)})
)
def test_what_builds_the_site_is_not_required_for_the_tests_alone(package: str) -> None:
    if package == "playwright":  # `make book` installs it
        assert used("scripts")[package] == ["scripts/sitegen/output/book.py"]
    else:
        names = {canonical(name) for name in distributions()[package]}
        assert names & pins(ROOT / "requirements.txt").keys()


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_requirement_has_the_version_of_the_constraints(name: str) -> None:
    assert REQUIRED[name] == pins(ROOT / "constraints.txt")[name]


def test_the_site_has_what_sets_its_signatures() -> None:
    """Nothing imports it: mkdocstrings lets it break long signatures, and leaves them if it is not
    there. A site that is built without the tests' requirements would differ from one with them.
    """
    assert "ruff" in pins(ROOT / "requirements.txt")


@pytest.mark.parametrize("package", sorted(used("nn_tutorial")))
def test_what_the_package_imports_comes_with_it_or_with_an_extra(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    declared = {canonical(match[0]) for line in lines if (match := NAME.match(line))}
    assert {canonical(name) for name in distributions()[package]} & declared


def test_a_package_that_nobody_declared_is_seen(tmp_path: Path) -> None:
    source = "import os.path\nfrom . import near\ndef late():\n    from yaml.nodes import Node\n"
    assert imported(source) == {"os", "yaml"}
    path = tmp_path / "requirements.txt"
    path.write_text("-c constraints.txt\n# a==1\nPyYAML==6.0.3\njupyter_client==8.10.0  # b\n")
    assert pins(path) == {"pyyaml": "6.0.3", "jupyter-client": "8.10.0"}
