"""Markdown and formulas as the site has them: by the site's own libraries and its own rules."""

import html
import re
from collections.abc import Callable

import markdown
from sitegen.render import mathml, typography

# Those of mkdocs.yml that an output uses; colours for code would need one more library.
EXTENSIONS = {
    "markdown.extensions.admonition": {},
    "markdown.extensions.attr_list": {},
    "markdown.extensions.md_in_html": {},
    "markdown.extensions.tables": {},
    "pymdownx.arithmatex": {"generic": True},
    "pymdownx.details": {},
    "pymdownx.highlight": {"use_pygments": False},
    "pymdownx.superfences": {},
}
_FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\s*(?:\\\((.*?)\\\)|\\\[(.*?)\\\])\s*</\1>', re.DOTALL
)
_REFERENCE = re.compile(r"\[\]\((?:[^()]*#)?([\w-]+)\)|\[@([\w; @-]+)\]")


def render(text: str, katex: Callable[[str, bool], str], *, inline: bool = False) -> str:
    """Return a text as HTML.

    Parameters
    ----------
    text : str
        Markdown with formulas between dollars.
    katex : callable
        ``katex(tex, is_display)`` gives KaTeX's MathML.
    inline : bool
        Whether it is a caption, a part of a paragraph.
    """
    settings = {name: about for name, about in EXTENSIONS.items() if about}
    # References are numbered at the build: here their names must do.
    text = _REFERENCE.sub(lambda m: (m[1] or m[2]).replace("-", " "), text)
    written = markdown.markdown(text, extensions=[*EXTENSIONS], extension_configs=settings)

    def formula(match: re.Match[str]) -> str:
        tag, small, display = match.groups()
        tex = html.unescape(small if display is None else display).strip()
        drawn = mathml.browser_ready(katex(tex, display is not None))
        return f'<{tag} class="math">{drawn}</{tag}>'

    whole = typography.typeset(_FORMULA.sub(formula, written))
    if inline and whole.startswith("<p>") and whole.count("<p>") == 1:
        whole = whole.removeprefix("<p>").removesuffix("</p>")
    return whole
