"""One stylesheet in the place of many, and scripts that wait: what a browser must have to begin.

Every stylesheet and every script in the way is asked for before a page is drawn. The theme's and
the book's own styles become one file, and no script is in the way.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from nn_tutorial.plotting import COLORS, DARK

PLACE = "assets/stylesheets/"
WHOLE = f"{PLACE}whole.css"
OURS = ("base", "code", "book", "reach", "landing", "print")
# What the stylesheets call the colours of the figures; others keep their names.
NAMES = {"text": "ink", "muted": "quiet", "grid": "rule", "background": "paper"}
_THEME = re.compile(rf"{PLACE}(main|palette)\.\w+\.min\.css$")
_LINK = re.compile(r'<link rel="stylesheet" href="([^"]*)">')
_SCRIPT = re.compile(r'<script src="([^"]*)"></script>')
_REFERENCE = "_mkdocstrings.css"


def combine(files: Files, config: MkDocsConfig) -> None:
    """Add the one stylesheet: the theme's, then the book's, in the order in which they apply."""
    theme = {m[1]: f for f in files if (m := _THEME.search(f.src_uri))}
    parts = [theme["main"].content_string, theme["palette"].content_string]
    folder = Path(config.docs_dir) / PLACE
    parts.append(palette())
    parts += [(folder / f"{name}.css").read_text(encoding="utf-8") for name in OURS]
    # The theme's maps, for those who change the theme, are of its own files.
    whole = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", "\n".join(parts))
    files.append(File.generated(config, WHOLE, content=whole))


def palette() -> str:
    """Return the colours of the figures as custom properties: light, dark, and light on paper."""

    def rule(where: str, colors: dict[str, str]) -> str:
        named = (f"--book-{NAMES.get(name, name)}:{value}" for name, value in colors.items())
        return f"{where}{{{';'.join(named)}}}"

    light, dark = rule(":root", COLORS), rule('[data-md-color-scheme="slate"]', DARK)
    return f"{light}\n{dark}\n@media print{{{rule('[data-md-color-scheme]', COLORS)}}}"


def lighten(page: str) -> str:
    """Return a page that asks for one stylesheet, and whose scripts wait until it is drawn."""
    first = True

    def link(match: re.Match[str]) -> str:
        nonlocal first
        address = match[1]
        if address.endswith(_REFERENCE):  # the look of signatures, on the pages that have some
            return match[0] if 'class="doc ' in page else ""
        if not _THEME.search(address) and not address.endswith(WHOLE):
            return match[0]
        if not first:
            return ""
        first = False
        return f'<link rel="stylesheet" href="{address[: address.index(PLACE)]}{WHOLE}">'

    return _SCRIPT.sub(r'<script defer src="\1"></script>', _LINK.sub(link, page))
