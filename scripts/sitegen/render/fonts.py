"""The fonts of the site: cut down to the characters that its pages show."""

import hashlib
import html
import io
import re
import string
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset, ttLib

from nn_tutorial.files import write_whole

PACKAGES = Path(__file__).resolve().parents[3] / "node_modules"
TEXT = "@fontsource/source-serif-4/files/source-serif-4-latin-{}.woff2"
FACES = {"text": "400-normal", "text-italic": "400-italic", "text-bold": "600-normal"}
# Kerning, and the figures that stand below each other in a table. No hints: screens are fine now.
FEATURES = ["kern", "liga", "tnum", "lnum", "ccmp", "locl", "mark"]


def of_text(contents: Iterable[str], cache: Path) -> dict[str, bytes]:
    """Return the fonts of the text (woff2) by their places in the site, for the HTML of pages."""
    shown = {*string.printable, *html.unescape("".join(re.sub("<[^>]*>", "", c) for c in contents))}
    text = "".join(sorted({*shown, *"‘’“”–…×−·→←↑↓"}))
    return {
        f"assets/fonts/{name}.woff2": cut(PACKAGES / TEXT.format(face), text, cache, FEATURES)
        for name, face in FACES.items()
    }


def cut(
    original: Path, text: str, cache: Path, features: list[str], *, hinting: bool = False
) -> bytes:
    """Return a font with the characters of a text and no others, as woff2; remember it."""
    asked = f"{text}{features}{hinting}".encode()
    name = hashlib.sha256(asked + original.read_bytes()).hexdigest()[:16]
    kept = cache / f"font-{name}.woff2"
    if not kept.is_file():
        options = subset.Options(
            flavor="woff2", recalc_timestamp=False, layout_features=features, hinting=hinting
        )
        with ttLib.TTFont(original, recalcTimestamp=False) as whole:
            cutter = subset.Subsetter(options)
            cutter.populate(text=text)
            cutter.subset(whole)
            whole.flavor = "woff2"
            written = io.BytesIO()
            whole.save(written, reorderTables=None)
        cache.mkdir(parents=True, exist_ok=True)
        with write_whole(kept) as beside:
            beside.write_bytes(written.getvalue())
    return kept.read_bytes()
