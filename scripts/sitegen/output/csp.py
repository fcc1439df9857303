"""The Content-Security-Policy of a page: what a browser may load and run for it, nothing else.

A static host sends no headers of ours, so the policy stands in the page. Scripts and styles come
from the site's own files; the theme's few inline scripts are allowed one by one, by their hashes.
"""

import base64
import hashlib
import re

DIRECTIVES = {
    "default-src": "'self'",  # Firefox fetches the next page ahead, and counts that as nothing else
    "object-src": "'none'",
    "child-src": "'none'",
    "media-src": "'none'",
    "manifest-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # the theme's icons stand in its stylesheet
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",  # the search
    "form-action": "'self'",
    "base-uri": "'none'",
}
_CHARSET = '<meta charset="utf-8">'
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def of(page: str) -> str:
    """Return the policy of a page: the same for all, but for the hashes of its inline scripts."""
    hashes = sorted({_hash(script) for script in _INLINE.findall(page)})
    allowed = DIRECTIVES | {"script-src": " ".join([DIRECTIVES["script-src"], *hashes])}
    return "; ".join(f"{name} {sources}" for name, sources in allowed.items())


def with_policy(page: str) -> str:
    """Return a page with its policy in it, before anything that is loaded."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{of(page)}">'
    return page.replace(_CHARSET, _CHARSET + meta, 1)


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
