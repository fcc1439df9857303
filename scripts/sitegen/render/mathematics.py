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
from pathlib import Path

from nn_tutorial.files import write_whole

from . import fonts, mathml

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
            known[key] = mathml.browser_ready(answer["html"])
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


def _version() -> str:
    """Of KaTeX and of what we ask of it."""
    script = hashlib.sha256((HERE / "katex.mjs").read_bytes()).hexdigest()[:8]
    package = json.loads((_package("katex") / "package.json").read_text(encoding="utf-8"))
    here = hashlib.sha256(Path(mathml.__file__).read_bytes()).hexdigest()[:8]
    return f"{package['version']}-{script}-{here}"


def _package(name: str) -> Path:
    found = HERE.parents[2] / "node_modules" / name
    if not found.is_dir():
        raise MathError(f"{name} is not installed: run `make setup`")
    return found


def _katex(asked: list[dict[str, object]]) -> list[dict[str, str]]:
    # A Node from the machine, or the one that pip has put beside this Python.
    command = [node(), str(HERE / "katex.mjs")]
    text = json.dumps(asked)
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise MathError(f"KaTeX failed:\n{done.stderr}")
    return json.loads(done.stdout)


def node() -> str:
    """Return the path of Node: the machine's, or the one beside this Python."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if found is None:
        raise MathError("no Node is installed: run `make setup`")
    return found
