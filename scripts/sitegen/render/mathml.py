"""KaTeX's MathML as browsers want it. Pages that run have this file too: it needs no other."""

import re
import unicodedata
from xml.etree import ElementTree


def browser_ready(mathml: str) -> str:
    """Return KaTeX's MathML without what browsers do not need, and with what they do."""
    math = mathml.partition("<semantics>")[2].partition("<annotation")[0]
    opening = mathml[mathml.index("<math") : mathml.index(">", mathml.index("<math")) + 1]
    opening = opening.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    # MathML Core knows no mathvariant but "normal": the letters themselves carry the style.
    math = re.sub(r'<(m[ino]) mathvariant="([\w-]+)">([^<]*)</\1>', _styled, math)
    math = math.replace('mathvariant="monospace"', 'class="code"')
    math = math.replace('<mtd><mstyle scriptlevel="0" displaystyle="false">', "<mtd><mstyle>")
    # A function's name in an index is applied to nothing: the mark of that would break the index.
    math = re.sub("<mo>\u2061</mo>(?=</m(?:sub|sup)>)", "", math)
    # A thin space stands before a name that follows a letter, a number or a fraction, and between
    # it and what it is applied to, unless that is in brackets.
    named = "</m(?:i|n|sub|sup|subsup|frac|style)>(?=<mi>[^<]+</mi><mo>\u2061</mo>)"
    math = re.sub(named, r'\g<0><mspace width="0.17em"/>', math)
    math = re.sub("<mo>\u2061</mo>(?!<mo[^>]*>[([{⟨])", r'\g<0><mspace width="0.17em"/>', math)
    # A displayed formula is at script level 0 already; empty cells of a table need nothing in them.
    math = math.replace('<mstyle scriptlevel="0" ', "<mstyle ")
    math = re.sub(r'<mstyle displaystyle="true">(?:<mrow></mrow>)?</mstyle>', "", math)
    math = re.sub(r"<mrow>(<(m[in])>[^<]*</\2>)</mrow>", r"\1", math)
    # A box is drawn by the stylesheet, around the whole formula: browsers differ in <menclose>.
    boxed = re.fullmatch(r'<mrow><menclose notation="box">(.*)</menclose></mrow>', math)
    math = boxed[1] if boxed else math
    tree = ElementTree.fromstring(f"{opening}{math}</math>")
    for element in tree.iter():
        _operators(element)
        # The stylesheet says how far cells are apart; Firefox would add both.
        if element.tag == "mtable":
            element.attrib.pop("rowspacing", None)
            element.attrib.pop("columnspacing", None)
    written = ElementTree.tostring(tree, encoding="unicode", short_empty_elements=False)
    written = re.sub(r"<mspace([^>]*)></mspace>", r"<mspace\1/>", written)
    # HTML needs no quotes.
    written = re.sub(r'="([\w.-]+)"(?=[\s>])', r"=\1", written)
    return f"<span class=boxed>{written}</span>" if boxed else written


_SIGNS = "−+±"
_CLOSING, _BARS = ")]}⟩⌋⌉!′", "∥∣"
_TIGHT = {"lspace": "0", "rspace": "0"}


def _operators(row: ElementTree.Element) -> None:
    """Say of a row's operators what browsers cannot know, or know differently."""
    before: ElementTree.Element | None = None
    for child in row:
        text = child.text or ""
        bar = text in (*_BARS, "/") and (child.tag == "mi" or child.get("stretchy") == "false")
        if bar:  # no relation, as \\mid is: no space is due
            child.tag, child.attrib = "mo", {"stretchy": "false", **_TIGHT}
        elif child.tag == "mo" and text in _SIGNS and before is not None and before.tag == "mo":
            # After an operator a sign stands for itself; browsers see that at a row's beginning.
            if (before.text or "") not in _CLOSING + _BARS:
                child.attrib = {"form": "prefix", **_TIGHT}
        elif child.tag == "mo" and text == "ˉ":  # lies on the letter in Chromium
            child.text = "¯"
        if child.tag not in ("mspace", "mtext") or text.strip():
            before = child


_STYLES = {
    "script": "SCRIPT",
    "double-struck": "DOUBLE-STRUCK",
    "bold": "BOLD",
    "bold-italic": "BOLD ITALIC",
    "fraktur": "FRAKTUR",
}


def _styled(match: re.Match[str]) -> str:
    tag, style, text = match.groups()
    if style not in _STYLES:
        # TeX's ∂ is the italic one, which a browser takes for a single letter by itself.
        return f"<{tag}>{text}</{tag}>" if text == "∂" else match[0]
    return f"<{tag}>{''.join(_letter(c, _STYLES[style]) for c in text)}</{tag}>"


def _letter(c: str, style: str) -> str:
    """Find a styled letter by its Unicode name; the oldest have names without MATHEMATICAL."""
    name = re.sub(r"(LATIN|GREEK) (CAPITAL|SMALL) LETTER", r"\2", unicodedata.name(c, ""))
    for candidate in (f"MATHEMATICAL {style} {name}", f"{style} {name}"):
        try:
            return unicodedata.lookup(candidate)
        except KeyError:
            continue
    return c
