"""How long a page takes to read."""

import re
from collections.abc import Iterable

WORDS_A_MINUTE = 200


def words(prose: Iterable[str]) -> int:
    """Count the words of Markdown, without its code and displayed formulas.

    A formula in a line, a computed value and a piece of code are a word each.
    """
    text = re.sub(r"\$\$.*?\$\$|```.*?```", "", " ".join(prose), flags=re.DOTALL)
    text = re.sub(r"\$[^$]*\$|\{\{.*?\}\}|`[^`]*`", "x", text)
    return len(re.findall(r"\w[\w’'-]*", text))


def minutes(words: int) -> str:
    """Return the time for some words: "1 minute", "12 minutes"."""
    count = max(1, round(words / WORDS_A_MINUTE))
    return f"{count} minute{'s' * (count > 1)}"
