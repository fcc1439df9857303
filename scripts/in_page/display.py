"""Stands for ``IPython.display``, of which the pages use a few names."""

import sys
import types
from collections.abc import Callable
from typing import Any

from .printed import MOST


class Shown:
    """A text of one kind."""

    mime = "text/plain"

    def __init__(self, data: str) -> None:
        self.data = data

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {self.mime: self.data}


class Markdown(Shown):
    """Markdown, with mathematics."""

    mime = "text/markdown"


class HTML(Shown):
    """HTML."""

    mime = "text/html"


class SVG(Shown):
    """A drawing."""

    mime = "image/svg+xml"


def bundle(value: Any) -> dict[str, Any]:
    """Return a value in the forms that it has; of a text no more than a page can hold."""
    text = repr(value)
    if len(text) > MOST:
        text = f"{text[:MOST]}\n… and {len(text) - MOST:,} characters more"
    found: dict[str, Any] = {"text/plain": text}
    if isinstance(value, type):  # whose methods are those of its values
        return found
    if hasattr(value, "_repr_mimebundle_"):
        return dict(value._repr_mimebundle_())
    for mime, name in (("text/html", "_repr_html_"), ("image/svg+xml", "_repr_svg_")):
        if hasattr(value, name):
            found[mime] = getattr(value, name)()
    return found


def install(emit: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Let ``from IPython.display import display`` find this, and show through `emit`."""

    def display(*items: Any, raw: bool = False, metadata: Any = None, **_: Any) -> None:
        for item in items:
            emit(item if raw else bundle(item), metadata or {})

    package, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    # matplotlib asks for the first two.
    vars(package).update(get_ipython=lambda: None, version_info=(9, 0), display=module)
    vars(module).update(display=display, Markdown=Markdown, HTML=HTML, SVG=SVG)
    sys.modules |= {"IPython": package, "IPython.display": module}
