"""Mathematics of the pages: found in their HTML, rendered by KaTeX at build time, all in one go."""

import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What pymdownx.arithmatex leaves: \\( … \\) in a span, \\[ … \\] in a div.
_FOUND = re.compile(
    r'<(span|div) class="arithmatex">\s*(?:\\\((.*?)\\\)|\\\[(.*?)\\\])\s*</\1>', re.DOTALL
)
_MARKED = re.compile(r'<(span|div) class="math" data-math="(\w+)"[^>]*>.*?</\1>', re.DOTALL)


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


def fill(page: str, rendered: dict[str, str]) -> str:
    """Put KaTeX's HTML where `mark` has left a mark."""

    def replace(match: re.Match[str]) -> str:
        tag, key = match.groups()
        # A wide formula scrolls in its own box, which the keyboard must reach.
        focus = ' tabindex="0" role="math"' if tag == "div" else ""
        return f'<{tag} class="math"{focus}>{rendered[key]}</{tag}>'

    return _MARKED.sub(replace, page)


def render(contents: dict[str, str], cache: Path) -> dict[str, str]:
    """Return KaTeX's HTML for every formula in some pages, by its key.

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
            known[key] = answer["html"]
        cache.parent.mkdir(parents=True, exist_ok=True)
        beside = cache.with_name(f"{cache.name}.{os.getpid()}")
        beside.write_text(json.dumps({version: known}), encoding="utf-8")
        beside.replace(cache)
    return {key: known[key] for key in formulas}


def stylesheet() -> str:
    """Return KaTeX's stylesheet with the fonts that today's browsers take (woff2) and no others."""
    css = (_katex_dist() / "katex.min.css").read_text(encoding="utf-8")
    return re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", css)


def fonts() -> list[Path]:
    """Return the font files that the stylesheet names."""
    return sorted((_katex_dist() / "fonts").glob("*.woff2"))


def _key(tex: str, display: bool) -> str:
    return hashlib.sha256(f"{display}{tex.strip()}".encode()).hexdigest()[:16]


def _plain(rendered: str) -> str:
    """The Unicode text of KaTeX's MathML."""
    mathml = rendered.partition("<semantics>")[2].partition("<annotation")[0]
    return re.sub(r"<[^>]*>", "", mathml)


def _version() -> str:
    """Of KaTeX and of what we ask of it."""
    script = hashlib.sha256((HERE / "katex.mjs").read_bytes()).hexdigest()[:8]
    package = json.loads((_katex_dist().parent / "package.json").read_text(encoding="utf-8"))
    return f"{package['version']}-{script}"


def _katex_dist() -> Path:
    found = HERE.parent / "node_modules" / "katex" / "dist"
    if not found.is_dir():
        raise MathError("KaTeX is not installed: run `make setup`")
    return found


def _katex(asked: list[dict[str, object]]) -> list[dict[str, str]]:
    # A Node from the machine, or the one that pip has put beside this Python.
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if node is None:
        raise MathError("no Node is installed: run `make setup`")
    command = [node, str(HERE / "katex.mjs")]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        raise MathError(f"KaTeX failed:\n{done.stderr}")
    return json.loads(done.stdout)
