"""What the browser is given for a formula."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from sitegen.render.mathematics import render


@pytest.mark.parametrize("tex", [r"\lambda_{\max}", r"a^{\min}", r"\max_i x_i"])
def test_scripts_have_as_many_children_as_their_names_say(tex: str, tmp_path: Path) -> None:
    """With one more, a browser draws them all in a row."""
    page = {"page": rf'<span class="arithmatex">\({tex}\)</span>'}
    (mathml,) = render(page, tmp_path / "katex.json").values()
    quoted = re.sub(r"=([\w.-]+)(?=[\s>])", r'="\1"', mathml)
    allowed = {"msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
    scripts = [e for e in ET.fromstring(quoted).iter() if e.tag in allowed]
    assert scripts
    assert all(len(e) == allowed[e.tag] for e in scripts), mathml


def drawn(tex: str, folder: Path) -> str:
    page = {"page": rf'<div class="arithmatex">\[{tex}\]</div>'}
    return next(iter(render(page, folder / "katex.json").values()))


@pytest.mark.parametrize("tex", ["x = -y", "(-1)", "(a, -b)", r"x \to \pm y", r"a = \; -b"])
def test_a_sign_after_an_operator_is_a_prefix(tex: str, tmp_path: Path) -> None:
    assert "<mo form=prefix lspace=0 rspace=0>" in drawn(tex, tmp_path)


@pytest.mark.parametrize("tex", ["a - b", "f(x) - 1", "|x| - 1", "{} - b", "x' - y", "[m] + 1"])
def test_a_sign_between_two_terms_is_none(tex: str, tmp_path: Path) -> None:
    assert "prefix" not in drawn(tex, tmp_path)


def test_a_box_is_left_to_the_stylesheet(tmp_path: Path) -> None:
    boxed = drawn(r"\boxed{x = 1}", tmp_path)
    assert boxed.startswith("<span class=boxed><math ")
    assert "menclose" not in boxed


@pytest.mark.parametrize(
    ("tex", "spaces"),
    [
        (r"\max(x, 0)", 0),
        (r"\log x", 1),
        (r"\lambda_{\max}", 0),
        (r"v_m \max(x, 0)", 1),
        (r"\tfrac12 \log x", 2),
        (r"-\max(x, 0)", 0),
    ],
)
def test_a_name_stands_apart_from_what_has_no_brackets(
    tex: str, spaces: int, tmp_path: Path
) -> None:
    assert drawn(tex, tmp_path).count("<mspace") == spaces
