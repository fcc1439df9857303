"""How long a page takes to read.

Adults read about 238 words of non-fiction per minute to themselves and 183 aloud; 200 is between
the two. A formula takes as many words as it has symbols, as if it were read aloud.

Brysbaert (2019), How many words do we read per minute? A review and meta-analysis of reading rate,
Journal of Memory and Language.
"""

import ast
import re
from collections.abc import Iterable, Iterator

WORDS_A_MINUTE = 200
# Of TeX, what is not read: how things stand, and how they look.
_LAYOUT = re.compile(
    r"\\(begin|end)\{[^}]*\}|\\\\(\[[^\]]*\])?|\\[,;:! ]"
    r"|\\(left|right|quad|qquad|boxed|math\w+|hat|bar|tilde|displaystyle|limits|(under|over)brace"
    r"|[bB]igg?[lr]?)(?![a-zA-Z])"
)
_TEXT = re.compile(r"\\(?:text\w*|mathrm|operatorname)\{([^{}]*)\}")
_SYMBOL = re.compile(r"\\[a-zA-Z]+|[a-zA-Z]|\d+(?:\.\d+)?|[=+\-*/<>]")
_WORD = re.compile(r"\w[\w’'-]*")


def words(prose: Iterable[str], code: Iterable[str] = ()) -> int:
    """Count the words of Markdown, and those of the captions in the code.

    A computed value and a piece of code in a line are a word each, a formula one per symbol.
    Listings and the addresses of links are not counted.

    Parameters
    ----------
    prose : iterable of str
        Markdown.
    code : iterable of str
        Python, of which the captions are counted.
    """
    text = "\n".join([*prose, *(caption for cell in code for caption in _captions(cell))])
    text = re.sub(r"```.*?```|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^()]*(\([^()]*\)[^()]*)*\)(\{[^}]*\})?", "]", text)
    text = re.sub(r"\{\{ .*?\}\}|`[^`]*`", "1", text)
    formula = re.compile(r"\$\$(.*?)\$\$|\$([^$]*)\$", re.DOTALL)
    read = sum(symbols(found[1] or found[2]) for found in formula.finditer(text))
    return read + len(_WORD.findall(formula.sub(" ", text)))


def symbols(tex: str) -> int:
    r"""Count what is read of a formula: letters, numbers, operators, and words in a ``\text``."""
    written = sum(len(_WORD.findall(found[1])) for found in _TEXT.finditer(tex))
    return written + len(_SYMBOL.findall(_LAYOUT.sub(" ", _TEXT.sub(" ", tex))))


def minutes(words: int) -> str:
    """Return the time for some words: "1 minute", "12 minutes"."""
    count = max(1, round(words / WORDS_A_MINUTE))
    return f"{count} minute{'s' * (count > 1)}"


def _captions(code: str) -> Iterator[str]:
    """The captions in a cell's code; each value that is put into one is a word."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.keyword) and node.arg == "caption":
            parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "1" for p in parts)
