"""What a typesetter would do to the text of a page: quotation marks, percent signs, columns.

The sources have the marks of a keyboard. A page has “these” and an author’s apostrophe, a percent
sign closed up to its number, as British books set it, numbers that stand below each other, and
tables that do not break a cell of a few words.
"""

import html
import re
from itertools import zip_longest

_TAG = r"""<(?:[^<>"']|"[^"]*"|'[^']*')*>"""
# What is not text, or is text of a machine.
_LEFT = re.compile(
    rf"<!--.*?-->|<(head|pre|code|kbd|samp|script|style|svg|math|textarea)\b.*?</\1>|{_TAG}",
    re.DOTALL,
)
_BETWEEN = re.compile(r"<!--[v/]|</?(?:a|abbr|b|em|i|mark|small|span|strong|sub|sup)\b")
_PERCENT = re.compile(r"(?<=\d)[ \u00a0\u202f]%")
_MARK = re.compile(r"""["']|&quot;|&#39;""")
_OPENING = "([{“‘—–-/"

_TABLE = re.compile(r"<table\b[^>]*>.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t([hd])\b[^>]*>(.*?)</t[hd]>", re.DOTALL)
_NUMBER = re.compile(r"[−+±~≈<>≤≥-]?\d[\d.,:\s⋅·×±−+-]*(?:%|MB|kB|GB|ms|µs|s|h|px)?")
_NOTHING = ("", "-", "–", "—")
_SHORT = 14  # characters of a cell that stay on one line, however narrow the screen
_BLANK = re.compile(r" (?![^<]*>)")  # outside of tags


def typeset(page: str) -> str:
    """Return a page with its text set, and with a mark at the tables that have columns of numbers.

    Code, formulas, and what stands in attributes stay as they are, but for the percent signs of a
    picture's words.
    """
    parts, at, before = [], 0, ""
    for left in _LEFT.finditer(page):
        text = _set(page[at : left.start()], before)
        before = (before + text)[-1:]
        parts += [text, closed_up(left[0]) if left[0].startswith("<img") else left[0]]
        if left[1]:
            before = "x"  # code and formulas stand in a sentence as words do
        elif not _BETWEEN.match(left[0]):
            before = ""
        at = left.end()
    parts.append(_set(page[at:], before))
    return _TABLE.sub(lambda table: _numeric(_CELL.sub(_whole, table[0])), "".join(parts))


def closed_up(text: str) -> str:
    """Return a text whose percent signs stand at their numbers."""
    return _PERCENT.sub("%", text)


def _set(text: str, before: str) -> str:
    """Return a run of text; `before` is the last character that stands before it, if one does."""
    text = closed_up(text)

    def mark(match: re.Match[str]) -> str:
        last = (before + text[: match.start()])[-1:]
        opens = not last.strip() or last in _OPENING
        double = match[0] in ('"', "&quot;")
        return ("“" if double else "‘") if opens else ("”" if double else "’")

    return _MARK.sub(mark, text)


def _whole(cell: re.Match[str]) -> str:
    """Keep a few words of a table's body together: "2 against 1" is no three lines."""
    kind, text = cell.groups()
    if kind == "h" or "<code" in text or len(_words(text)) > _SHORT:
        return cell[0]
    return cell[0].replace(text, _BLANK.sub("\u00a0", text.strip()))


def _numeric(table: str) -> str:
    """Name the columns of a table in which all cells are numbers."""
    rows = [_CELL.findall(row) for row in _ROW.findall(table)]
    body = [
        [_words(cell) for _, cell in row] for row in rows if any(kind == "d" for kind, _ in row)
    ]
    names = [
        str(place)
        for place, column in enumerate(zip_longest(*body, fillvalue=""), start=1)
        if (cells := [cell for cell in column if cell not in _NOTHING])
        and all(_NUMBER.fullmatch(cell) for cell in cells)
    ]
    if not names or "colspan" in table:
        return table
    return table.replace("<table", f'<table data-numbers="{" ".join(names)}"', 1)


def _words(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>|[\u2061-\u2064]", "", cell)).strip()
