"""A notebook away from the repository: its text in Jupyter, and the files that it reads."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nn_tutorial.pages import at_home
from nn_tutorial.pages.at_home import address, bring, for_jupyter

SITE = "https://book.test/nn"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('!!! note "Look"\n    One.\n\n    - two', "> **Look**\n>\n> One.\n>\n> - two\n"),
        ("!!! warning\n    One.", "> **Warning**\n>\n> One.\n"),
        ('!!! quote ""\n    One.\n\nTwo.', "> One.\n\nTwo."),
        (
            '??? question "Why `dx`, *not* $a < b$?"\n    Because.\n',
            "<details>\n<summary>Why <code>dx</code>, <em>not</em> $a &lt; b$?</summary>\n\n"
            "Because.\n\n</details>\n",
        ),
        ('??? a "A"\n    ??? b "B"\n        c', None),
        ("## The mask { #mask }", '<a id="mask"></a>\n\n## The mask'),
        ("[Go](relu.py){ .md-button .md-button--primary }", f"[Go]({SITE}/layers/relu/)"),
        ('[a](../index.py) [b](../exercises/index.py#x "T")', None),
        ("[`f`](#mask), [equation (1) of *A*](../a.md#b)", None),
        ("`[a](b.py)` and [b](https://b.test/c.py)", None),
        ('```python title="relu.py"\n!!! x\n[a](b.py)\n```', None),
        ('<div id="n" markdown="1">', '<div id="n">'),
    ],
)
def test_text_for_jupyter(written: str, shown: str | None) -> None:
    others = {
        "??? a": (
            "<details>\n<summary>A</summary>\n\n<details>\n<summary>B</summary>\n\nc\n\n"
            "</details>\n\n</details>\n"
        ),
        "[a](.": f'[a]({SITE}/) [b]({SITE}/exercises/#x "T")',
        "[`f`]": f"[`f`]({SITE}/layers/linear/#mask), [equation (1) of *A*]({SITE}/a/#b)",
        "`[a](": "`[a](b.py)` and [b](https://b.test/c.py)",
        "```py": "**relu.py**\n\n```python\n!!! x\n[a](b.py)\n```",
    }
    assert for_jupyter(written, "layers/linear.py", SITE) == (shown or others[written[:5]])


def test_without_a_site_a_link_is_its_words() -> None:
    text = "[ReLU](relu.py#a) and [a paper](https://b.test/c)"
    assert for_jupyter(text, "layers/linear.py", "") == "ReLU and [a paper](https://b.test/c)"


def test_addresses() -> None:
    assert address("../records/a.json", "layers/relu.py", SITE) == f"{SITE}/records/a.json"
    assert address("", "index.py", f"{SITE}/") == f"{SITE}/"


def test_files_are_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, here = tmp_path / "package", tmp_path / "here"
    for name in ("benchmarks/a.json", "docs/one.py", "docs/in/two.py"):
        (package / "book" / name).parent.mkdir(parents=True, exist_ok=True)
        (package / "book" / name).write_text(name)
    (here / "docs").mkdir(parents=True)
    (here / "docs" / "one.py").write_text("mine")
    monkeypatch.setattr(at_home, "PACKAGE", package)
    monkeypatch.chdir(here)
    with pytest.raises(FileNotFoundError, match=r"files: expected .* got 'b\.json'"):
        bring("benchmarks/a.json", "b.json")
    assert not Path("benchmarks").exists()
    bring("benchmarks/a.json", "docs")
    found = {p.as_posix(): p.read_text() for p in Path().rglob("*") if p.is_file()}
    assert found == {
        "benchmarks/a.json": "benchmarks/a.json",
        "docs/one.py": "mine",
        "docs/in/two.py": "docs/in/two.py",
    }


def test_in_the_repository_files_come_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bring("benchmarks/results.json")
    assert Path("benchmarks/results.json").stat().st_size > 1000


def test_outputs_are_shown_for_jupyter(monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.core.formatters import DisplayFormatter
    from IPython.display import Markdown

    shell: Any = SimpleNamespace(display_formatter=DisplayFormatter())
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    at_home.prepare("layers/relu.py", SITE)
    shown, _ = shell.display_formatter.format(Markdown('!!! note "A"\n    [b](linear.py)'))
    assert shown["text/markdown"] == f"> **A**\n>\n> [b]({SITE}/layers/linear/)\n"
