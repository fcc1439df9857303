"""Words and phrases that the prose does not use, with what to write in their place.

Prose is whatever a reader sees: the text of pages, and what stands in the strings of their code,
captions, alt texts and labels; docstrings, error messages and comments of the package, which pages
print; the figures' scripts; the glossary, the README.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNITS = (
    "argument|axis|batch|channel|class|column|element|epoch|example|feature|file|filter|function|"
    "gradient|image|input|layer|line|mark|minute|network|number|operation|output|page|parameter|"
    "picture|pixel|process|question|row|sample|second|seed|slip|step|student|unit|walk|weight|"
    "window|word"
)
COUNTED = (
    "bits|bytes|entries|examples|images|labels|lines|minutes|numbers|once|pictures|pixels|rows|"
    "seconds|steps|twice|values|words"
)
ONES = (
    "column|distribution|entry|example|gradient|image|label|letter|line|mark|name|number|picture|"
    "report|row|run|sequence|unit|value|walk|word"
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
    rf"\bone ({ONES}) an? ({UNITS})\b": "one … per …",
    rf"(^|[(,:;] ?)one an? ({UNITS})\b": "one per …",
    rf"\b({COUNTED}) an? ({UNITS})\b": "… per …",
    r"\bdigits? [^.]*\brest of\b": "no riddles",
    r"\d (%|percent)(?= of\b)": "95%",
    r"\barriving gradient|(\bwhat|\ba gradient|∂L/∂\w+) arrives\b|^arrives\b|\barrives in all\b": (
        "the upstream gradient"
    ),
    r"(\b(network|model)s?|:) said\b": "predicted",
    r"\bturned\b(?! (?:away|into|off|on|out|to|upside down)\b)": "rotated, transposed",
    r"\bevery claim\b(?! (?:holds|to hold)\b)": "say what is checked",
}


def bare(text: str) -> str:
    """A text on one line, without code, TeX and computed values."""
    return re.sub(r"\{\{.*?\}\}|`[^`]*`|\$[^$]*\$", "", " ".join(text.split()))


def of_python(path: Path) -> Iterator[tuple[int, str]]:
    """Comments, of which the text of a page is made, and strings; each with its line."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], bare(token.string.lstrip("# "))
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):  # a string with values in it before its parts
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, ast.walk(node)))
            parts = [p.value if isinstance(p, ast.Constant) else "1" for p in node.values]
            yield node.lineno, bare("".join(map(str, parts)))
        if not isinstance(node, ast.Constant) or id(node) in inside:
            continue
        if isinstance(node.value, str):
            yield node.lineno, bare(node.value)


def of_script(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a figure's script, each with its line."""
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(
        r'^\s*//.*$|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', text, re.MULTILINE
    ):
        written = found[1] or found[2] or ""
        yield text.count("\n", 0, found.start()) + 1, re.sub(r"\$\{[^}]*\}", "1", written)


def of_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of another file. In the style sheet, the table shows what to avoid."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not (path.name == "CONTRIBUTING.md" and line.startswith("|")):
            yield number, bare(line)


@cache
def prose() -> list[tuple[str, str]]:
    """All that is read: where it stands, and the words."""
    docs = ROOT / "docs"
    python = [*docs.rglob("*.py")]
    python += [p for folder in ("nn_tutorial", "scripts") for p in (ROOT / folder).rglob("*.py")]
    lines = [*docs.rglob("*.md"), *(ROOT / "overrides").rglob("*.html")]
    lines += [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "mkdocs.yml")]
    lines += [docs / name for name in ("glossary.yml", "errata.yml") if (docs / name).is_file()]
    return [
        (f"{path.relative_to(ROOT)}:{number}", text)
        for paths, read in (
            (python, of_python),
            ((docs / "assets/javascripts").rglob("*.js"), of_script),
            (lines, of_lines),
        )
        for path in sorted(paths)
        for number, text in read(path)
    ]


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
    sends = r"\b(look (at|along|below)|compare)\b"
    assert [one for one in every if re.search(sends, one[1], re.IGNORECASE)] == []


@pytest.mark.parametrize(("pattern", "instead"), AVOID.items())
def test_the_prose_avoids(pattern: str, instead: str) -> None:
    found = [
        f"{where}: {match[0]!r}: {instead}"
        for where, text in prose()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("pattern", AVOID)
def test_a_sentence_with_it_is_found(pattern: str) -> None:
    """Each pattern is one that finds something."""
    bad = (
        "It is simply so, as foretold: one row an example, and by right (one a filter) it hangs on "
        "whoever stumbles. At the end of this page a thousand million is had from it, in the place "
        "of a digit that is the rest of it, and 95 % of it. Examples a step: what arrives, turned "
        "round, is what the network said, and every claim is checked."
    )
    assert re.search(pattern, bad, re.IGNORECASE)


def test_all_that_is_read_is_looked_through(tmp_path: Path) -> None:
    page, script = tmp_path / "page.py", tmp_path / "figure.js"
    page.write_text(
        '# # Title\nx = 3  # why\n\ndef f():\n    """Two\n    lines."""\n'
        'show(fig, caption=(f"Of {x} rows "\n    "the `first`."), alt="A $y$ line.")\n'
    )
    assert sorted(of_python(page)) == [
        (1, "Title"),
        (2, "why"),
        (5, "Two lines."),
        (7, "Of 1 rows the ."),
        (8, "A  line."),
    ]
    script.write_text('// "not this"\nlabel("One sum");\nnote(`${n} of ${m}`);\n')
    assert [text for _, text in of_script(script) if text] == ["One sum", "1 of 1"]
    assert {where.partition(":")[0] for where, _ in prose()} >= {
        "README.md",
        "docs/assets/javascripts/figures/relu.js",
        "docs/glossary.yml",
        "docs/layers/relu.py",
        "mkdocs.yml",
        "nn_tutorial/layers/linear.py",
    }
