"""The arithmetic of the interactive figures, held against the functions of the book."""

import importlib
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sitegen.render.mathematics import node

FOLDER = Path(__file__).parent
ARITHMETIC = FOLDER.parents[1] / "docs" / "assets" / "javascripts" / "arithmetic"
MODULES = sorted(path.stem for path in ARITHMETIC.glob("*.js"))


def differences(module: Path, calls: list[tuple[str, list[Any], Any]]) -> list[str]:
    """What is wrong with a module; each call is a function's name, its arguments, its result."""

    def plain(value: Any) -> Any:
        return value.tolist() if isinstance(value, np.ndarray | np.generic) else value

    rows = [{"function": f, "args": args, "expected": out} for f, args, out in calls]
    asked = json.dumps({"module": module.as_uri(), "calls": rows}, default=plain)
    done = subprocess.run(
        [node(), str(FOLDER / "figure_fixtures" / "compare.mjs")],
        input=asked, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", MODULES)
def test_a_figure_computes_what_the_book_computes(name: str) -> None:
    """Each module has its fixtures, and each of its functions at least one call."""
    calls = importlib.import_module(f"figure_fixtures.{name}").calls()
    assert differences(ARITHMETIC / f"{name}.js", calls) == []


def test_a_difference_is_found(tmp_path: Path) -> None:
    module = tmp_path / "double.mjs"
    module.write_text(
        "export const double = (x) => x.map((v) => 2 * v);\nexport const zero = () => 0;\n"
    )
    calls = [("double", [[1.0, 2.0]], [2.0, 4.0 + 1e-11]), ("double", [[1.0]], [[2.0]])]
    found = differences(module, calls)
    assert [text.split(",")[0].split(":")[0] for text in found] == ["zero", "double", "double"]
