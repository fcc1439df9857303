"""One stylesheet instead of many, and scripts that wait: what a browser must have to begin.

Every stylesheet and every script in the way is asked for before a page is drawn. The theme's and
the book's own styles become one file, and no script is in the way.
"""

import re
from pathlib import Path

from nn_tutorial.pages.colors import COLORS, DARK

PLACE = "assets/stylesheets/"
WHOLE = f"{PLACE}whole.css"
OURS = ("fonts", "base", "code", "book", "reach", "landing", "print")
# What the stylesheets call the colours of the figures; others keep their names.
NAMES = {"text": "ink", "muted": "quiet", "grid": "rule", "background": "paper"}
THEME = re.compile(rf"{PLACE}(main|palette)\.\w+\.min\.css$")
_LINK = re.compile(r'<link rel="stylesheet" href="([^"]*)">')
_SCRIPT = re.compile(r'<script src="([^"]*)"></script>')
_MODULE = re.compile(r'<script src="([^"]*)" type="module">')
_REFERENCE = "_mkdocstrings.css"
# Rules of the theme that cost and give nothing here. For the first two a browser gives a whole page
# its style anew whenever an element changes its class, or the colours change: no colour fades here
# anyway, and no cell holds paragraphs. The third is an eighth of the sheet, and no page has tabs.
_DROPPED = (
    re.compile(r"\[data-md-color-switching\] \*,[^{}]*\{[^{}]*\}"),
    re.compile(r"\.md-typeset table:not\(\[class\]\) t[dh]>:(?:first|last)-child,[^{}]*\{[^{}]*\}"),
    re.compile(r"(?<=[{}])[^{}@]*\.tabbed-[^{}]*\{[^{}]*\}"),
)


def combine(theme: dict[str, str], folder: Path) -> dict[str, str]:
    """Return the one stylesheet by its place: the theme's, then the book's, as they apply.

    Parameters
    ----------
    theme : dict of str to str
        The theme's files by their places in the site; all but its two stylesheets are left alone.
    folder : Path
        Of the book's stylesheets.
    """
    sheets = {match[1]: text for name, text in theme.items() if (match := THEME.search(name))}
    theirs = without_dropped(sheets["main"] + sheets["palette"])
    # The theme's maps, for those who change the theme, are of its own files.
    whole = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", theirs) + "\n" + ours(folder)
    # A rule for what has no class costs at each change of one; and see html_fixes on tables.
    return {WHOLE: whole.replace("table:not([class])", "table.book-table")}


def ours(folder: Path) -> str:
    """Return the book's stylesheet, for whatever theme comes before it."""
    sheets = [(folder / f"{name}.css").read_text(encoding="utf-8") for name in OURS]
    return "\n".join([palette(), *sheets])


def without_dropped(rules: str) -> str:
    """Return the theme's stylesheet without the rules that this site can do without."""
    for pattern in _DROPPED:
        rules, count = pattern.subn("", rules)
        if not count:
            raise ValueError(f"the theme's stylesheet has no rule {pattern.pattern} to leave out")
    return rules


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
        if not THEME.search(address) and not address.endswith(WHOLE):
            return match[0]
        if not first:
            return ""
        first = False
        return f'<link rel="stylesheet" href="{address[: address.index(PLACE)]}{WHOLE}">'

    page = _SCRIPT.sub(r'<script defer src="\1"></script>', _LINK.sub(link, page))
    # A module waits by itself, but is asked for before the fonts.
    return _MODULE.sub(r'<script src="\1" type="module" fetchpriority="low">', page)
