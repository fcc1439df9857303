"""Mathematics of the pages: rendered by KaTeX at build time, all in one go.

KaTeX writes MathML, which browsers draw and screen readers speak by themselves: a tenth of the size
of its HTML. The font with the shapes for it is cut down to the characters that the book uses.
"""

import hashlib
import html
import json
import re
import shutil
import string
import subprocess
import sys
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

from nn_tutorial.files import write_whole

from . import fonts

HERE = Path(__file__).resolve().parent
FONT = "files/stix-two-math-latin-400-normal.woff2"
# What pymdownx.arithmatex leaves: \\( … \\) in a span, \\[ … \\] in a div.
_FOUND = re.compile(
    r'<(span|div) class="arithmatex">\s*(?:\\\((.*?)\\\)|\\\[(.*?)\\\])\s*</\1>', re.DOTALL
)
# With the punctuation after it: no line may begin with that.
_MARKED = re.compile(
    r'<(span|div) class="math" data-math="(\w+)"[^>]*>.*?</\1>([.,:;!?)]*)', re.DOTALL
)


class MathError(Exception):
    """A formula that KaTeX refuses."""


def mark(content: str, rendered: dict[str, str]) -> str:
    """Replace formulas by clean text for the search index, with a mark for `fill`.

    Inline formulas become plain Unicode; displayed ones are left out of the index.
    """

    def replace(match: re.Match[str]) -> str:
        tag, inline, display = match.groups()
        key = _key(inline if display is None else display, display is not None)
        if display is not None:
            return f'<{tag} class="math" data-math="{key}" data-search-exclude></{tag}>'
        return f'<{tag} class="math" data-math="{key}">{_plain(rendered[key])}</{tag}>'

    return _FOUND.sub(replace, content)


def sources(content: str) -> list[str]:
    """Return the TeX of the formulas in a page's HTML, in their order."""
    return [html.unescape(inline or tex).strip() for _, inline, tex in _FOUND.findall(content)]


def plain_title(title: str, rendered: dict[str, str]) -> str:
    """Return a heading's text for the table of contents, its inline formulas as Unicode."""
    return re.sub(r"\\\((.*?)\\\)", lambda m: _plain(rendered[_key(m[1], False)]), title)


def fill(page: str, rendered: dict[str, str]) -> str:
    """Put KaTeX's MathML where `mark` has left a mark."""

    def replace(match: re.Match[str]) -> str:
        tag, key, after = match.groups()
        # A wide formula scrolls in its own box, which the keyboard must reach.
        focus = ' tabindex="0" role="group" aria-label="Formula"' if tag == "div" else ""
        return f'<{tag} class="math"{focus}>{rendered[key]}{after}</{tag}>'

    return _MARKED.sub(replace, page)


def render(contents: dict[str, str], cache: Path) -> dict[str, str]:
    """Return KaTeX's MathML for every formula in some pages, by its key.

    Parameters
    ----------
    contents : dict of str to str
        HTML by the name of its page.
    cache : Path
        A JSON file that remembers what has been rendered.

    Raises
    ------
    MathError
        Where KaTeX refuses a formula; the message names page and formula.
    """
    pages: dict[str, str] = {}
    formulas: dict[str, tuple[str, bool]] = {}
    for name, content in contents.items():
        for _, inline, display in _FOUND.findall(content):
            formula = display or inline, bool(display)
            formulas[_key(*formula)] = formula
            pages.setdefault(_key(*formula), name)
    version = _version()
    known = json.loads(cache.read_text(encoding="utf-8")) if cache.is_file() else {}
    known = known.get(version, {})
    missing = [key for key in formulas if key not in known]
    if missing:
        asked = [
            {"tex": html.unescape(formulas[key][0]).strip(), "display": formulas[key][1]}
            for key in missing
        ]
        for key, question, answer in zip(missing, asked, _katex(asked), strict=True):
            if "error" in answer:
                raise MathError(
                    f"{pages[key]}: {answer['error']}\n  in the formula {question['tex']}"
                )
            known[key] = _browser_ready(answer["html"])
        cache.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(cache) as beside:
            beside.write_text(json.dumps({version: known}), encoding="utf-8")
    return {key: known[key] for key in formulas}


def font(rendered: dict[str, str], cache: Path) -> bytes:
    """Return STIX Two Math (woff2) with the characters of these formulas and no others."""
    shown = re.sub(r"<[^>]*>", "", html.unescape("".join(rendered.values())))
    # A browser draws the single letter in <mi> from the block of mathematical italics.
    italics = [chr(code) for code in (*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C), 0x210E)]
    # Roots, bars and braces are drawn by the browser, and stand in no formula as characters.
    drawn = "√‾¯_^~ˆ˜⏞⏟′‖∣⟨⟩⌈⌉⌊⌋"
    text = "".join(sorted({*shown, *italics, *drawn, *string.printable}))
    original = _package("@fontsource/stix-two-math") / FONT
    return fonts.cut(original, text, cache, ["*"], hinting=True)


def _key(tex: str, display: bool) -> str:
    return hashlib.sha256(f"{display}{tex.strip()}".encode()).hexdigest()[:16]


def _plain(rendered: str) -> str:
    """The Unicode text of a formula."""
    return re.sub(r"<[^>]*>|[\u2061-\u2064]", "", rendered)


def _browser_ready(mathml: str) -> str:
    """Take from KaTeX's MathML what browsers do not need, and give them what they do."""
    math = mathml.partition("<semantics>")[2].partition("<annotation")[0]
    opening = mathml[mathml.index("<math") : mathml.index(">", mathml.index("<math")) + 1]
    opening = opening.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    # MathML Core knows no mathvariant but "normal": the letters themselves carry the style.
    math = re.sub(r'<(m[ino]) mathvariant="([\w-]+)">([^<]*)</\1>', _styled, math)
    math = math.replace('mathvariant="monospace"', 'class="code"')
    math = math.replace('<mtd><mstyle scriptlevel="0" displaystyle="false">', "<mtd><mstyle>")
    # A function's name in an index is applied to nothing: the mark of that would break the index.
    math = re.sub("<mo>\u2061</mo>(?=</m(?:sub|sup)>)", "", math)
    # Between a name and what it is applied to is a thin space, unless that stands in brackets.
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


def _version() -> str:
    """Of KaTeX and of what we ask of it."""
    script = hashlib.sha256((HERE / "katex.mjs").read_bytes()).hexdigest()[:8]
    package = json.loads((_package("katex") / "package.json").read_text(encoding="utf-8"))
    here = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return f"{package['version']}-{script}-{here}"


def _package(name: str) -> Path:
    found = HERE.parents[2] / "node_modules" / name
    if not found.is_dir():
        raise MathError(f"{name} is not installed: run `make setup`")
    return found


def _katex(asked: list[dict[str, object]]) -> list[dict[str, str]]:
    # A Node from the machine, or the one that pip has put beside this Python.
    command = [node(), str(HERE / "katex.mjs")]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        raise MathError(f"KaTeX failed:\n{done.stderr}")
    return json.loads(done.stdout)


def node() -> str:
    """Return the path of Node: the machine's, or the one beside this Python."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if found is None:
        raise MathError("no Node is installed: run `make setup`")
    return found
