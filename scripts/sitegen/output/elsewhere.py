"""Links of a page to its repository: to run it elsewhere, to mend it, to report an error in it."""

import posixpath
import re
from urllib.parse import quote

from . import take_home

NOTEBOOKS = "notebooks"  # the branch that Colab opens notebooks from (.github/workflows/site.yml)
_GITHUB = re.compile(r"https?://(?:www\.)?github\.com/([^/]+)/([^/]+?)(?:\.git)?/?")
_AFTER = re.compile(r"\[source\]\([^()]*\)\{ download \}")


def with_links(markdown: str, source: str, repository: str) -> str:
    """Offer to run a page in Colab and in Binder, behind its downloads.

    Parameters
    ----------
    markdown : str
        The page.
    source : str
        Its file below ``docs``.
    repository : str
        Its address; Colab and Binder know those on GitHub. For others the text stays as it is.
    """
    github = _GITHUB.fullmatch(repository)
    page, kind = posixpath.splitext(source)
    if not github or kind != ".py":
        return markdown
    project = "/".join(github.groups())
    notebook = f"{project}/blob/{NOTEBOOKS}/{quote(take_home.place(page))}"
    colab = f"https://colab.research.google.com/github/{notebook}"
    binder = f"https://mybinder.org/v2/gh/{project}/main?urlpath=lab/tree/docs/{quote(source)}"
    links = f", [in Colab]({colab}), [in Binder]({binder})"
    return _AFTER.sub(lambda match: match[0] + links, markdown, count=1)


def addresses(source: str, repository: str) -> dict[str, str]:
    """Return where a page can be edited, and where an error in it can be reported.

    Parameters
    ----------
    source : str
        The page's file below ``docs``.
    repository : str
        Its address; ``""`` for none: then there is nothing.
    """
    if not repository:
        return {}
    home = repository.rstrip("/").removesuffix(".git")
    return {
        "edit_address": f"{home}/edit/main/docs/{source}",
        "report_address": f"{home}/issues/new?title={quote(source)}:+",
    }
