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
