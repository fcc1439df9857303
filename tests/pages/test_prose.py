"""Numbers in prose come from the run: a lint for metrics that were typed in."""

import re
from pathlib import Path

import pytest
from sitegen.run.page import EXPRESSION, find_pages, read_page

ROOT = Path(__file__).resolve().parents[2]

# A number, then within a few words one of these; or one of these, then a number that a run gives.
METRICS = r"accuracy|loss|errors?|faster|slower|speed-?up|parameters|trainable|times as fast"
NUMBER = r"(?<![\w.^{])\d+(?:[.,]\d+)*"
TYPED = [
    re.compile(rf"{NUMBER}\s?(?:%|percent)"),
    re.compile(rf"{NUMBER}\s?(?:×|times|x)?\s+(?:\w+\s)?(?:{METRICS})\b", re.I),
    re.compile(rf"\b(?:{METRICS})\s(?:\w+\s){{0,2}}(?:of|is|was|to|=|:)\s*{NUMBER}", re.I),
    re.compile(rf"{NUMBER}\s?(?:ms|µs|MB|GB|seconds)\b"),
]


def typed_metrics(prose: str) -> list[str]:
    """What looks like a result that somebody typed.

    Left out: what is computed, mathematics, code, quotations (`!!! quote`, text in double quotes),
    the learning rates and sizes that are settings, and an interval's level ("95 %").
    """
    text = re.sub(r"^!!! quote.*\n(?:(?: {4}.*)?\n)*", "", prose + "\n", flags=re.M)
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    text = EXPRESSION.sub("…", text)
    for pattern in (r"\$\$.*?\$\$", r"\$[^$\n]*\$", r"`[^`\n]*`", r'"[^"\n]*"', r"\b95 ?%"):
        text = re.sub(pattern, "", text, flags=re.S)
    return [match[0] for pattern in TYPED for match in pattern.finditer(text)]


@pytest.mark.parametrize("path", find_pages(ROOT / "docs"), ids=lambda path: path.stem)
def test_no_metric_is_typed(path: Path) -> None:
    page = read_page(path, ROOT / "docs")
    found = {
        f"line {cell.line}: {typed}"
        for cell in page.cells
        if cell.kind == "markdown"
        for typed in typed_metrics(cell.source)
    }
    assert found == set()


@pytest.mark.parametrize(
    "prose",
    [
        "The network reached 96 %.",
        "an accuracy of 0.96",
        "its loss was 0.3021",
        "This is 12 times faster.",
        "It has 41,958,410 trainable parameters.",
        "It took 3.5 ms.",
        "the error is 5",
    ],
)
def test_lint_sees_a_typed_metric(prose: str) -> None:
    assert typed_metrics(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "The network reached {{ accuracy:.0% }}.",
        'a sentence such as "the network reached 96 %"',
        "a learning rate of 0.03, 64 units, 20 epochs",
        "its 95 % interval",
        "an error of about $10^{-16}$",
        "!!! quote\n    accuracy of 0.96\n\nand so on",
        "batches of 16",
    ],
)
def test_lint_lets_settings_and_quotations_pass(prose: str) -> None:
    assert typed_metrics(prose) == []
