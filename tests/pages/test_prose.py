"""Words and phrases that the prose does not use, with what to write in their place."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNITS = (
    "batch|channel|class|column|epoch|example|feature|file|filter|image|layer|line|mark|network|"
    "operation|page|picture|row|sample|seed|slip|step|student|unit|walk|weight|window"
)
# Pattern, and what to write.
AVOID = {
    r"\b(simply|obviously|just(?! (?:as|below|above)\b))\b": "leave it out",
    r"\bstumbl\w+": "name the mistake, or say nothing",
    r"\bat the end of this page\b": "say what the chapter does",
    r"\bforetold?\b": "predicted",
    r"\bhang(s|ed)? on (?!to\b)": "depends on",
    r"\bby right\b": "it should be",
    r"\b(is|are|was) had from\b": "comes from",
    r"\bthousand[- ]?million(th)?\b": "billion, billionth",
    r"\bwho(so)?ever\b": "if you, anyone who",
    r"\bin the place of\b": "in place of, instead of",
    rf"\bone (row|line|column|unit|walk|mark|number|run|value) an? ({UNITS})\b": "one … per …",
    rf"[(,:;] ?one an? ({UNITS})\b": "one per …",
    r"\bdigits? [^.]*\brest of\b": "no riddles",
    r"\d (%|percent)(?= of\b)": "95%",
}


def prose() -> Iterator[tuple[Path, int, str]]:
    """Yield the text of pages, README and CONTRIBUTING: file, line, words without code and TeX."""
    docs = ROOT / "docs"
    for path in sorted([*docs.rglob("*.py"), *docs.rglob("*.md"), ROOT / "README.md"]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if path.suffix == ".py" and not line.startswith("# "):
                continue
            yield path, number, re.sub(r"\{\{.*?\}\}|`[^`]*`|\$[^$]*\$", "", line)


def captions(path: Path) -> Iterator[str]:
    """The captions of a page, as they are written."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "caption":
            parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            yield "".join(str(part) for part in parts)


def test_a_caption_tells_the_finding() -> None:
    """It does not send the reader to look for one."""
    every = [(p.name, text) for p in (ROOT / "docs").rglob("*.py") for text in captions(p)]
    assert len(every) > 100
    assert [one for one in every if re.search(r"\blook (at|along|below)\b", one[1], re.I)] == []


@pytest.mark.parametrize(("pattern", "instead"), AVOID.items())
def test_the_prose_avoids(pattern: str, instead: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]!r}: {instead}"
        for path, number, line in prose()
        for match in re.finditer(pattern, line, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("pattern", AVOID)
def test_a_sentence_with_it_is_found(pattern: str) -> None:
    """Each pattern is one that finds something."""
    bad = (
        "It is simply so, as foretold: one row an example, and by right (one a filter) it hangs on "
        "whoever stumbles. At the end of this page a thousand million is had from it, in the place "
        "of a digit that is the rest of it, and 95 % of it."
    )
    assert re.search(pattern, bad, re.IGNORECASE)
