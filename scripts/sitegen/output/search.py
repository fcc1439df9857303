"""The search's index in two files: the settings, which each page loads, and the entries."""

import json
from pathlib import Path

INDEX, ENTRIES = "search/search_index.json", "search/entries.json"


def split(site: Path) -> None:
    """Leave in the theme's index its settings alone; `search.js` fetches the entries when asked."""
    index = json.loads((site / INDEX).read_text(encoding="utf-8"))
    for place, content in ((ENTRIES, index["docs"]), (INDEX, index | {"docs": []})):
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        (site / place).write_text(text, encoding="utf-8")
