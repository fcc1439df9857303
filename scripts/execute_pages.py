"""Execute pages without building the site.

examples:
  one page, if it or what it uses has changed:
    python scripts/execute_pages.py docs/layers/relu.py
  which pages would run, and why:
    python scripts/execute_pages.py --list
"""

import argparse
import sys
from pathlib import Path

from sitegen.run.execute import Project, execute_all, why_stale
from sitegen.run.page import PageError, find_pages, read_page

from nn_tutorial.command_line import command_line, settle_streams

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = command_line(__file__, __doc__)
    parser.add_argument("pages", nargs="*", type=Path, help="pages below docs/; all by default")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--force", action="store_true", help="run them even if nothing has changed")
    how.add_argument("--list", action="store_true", help="run none; say which would, and why")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Execute pages from the command line."""
    parser = arguments()
    chosen = parser.parse_args(argv)
    project = Project(ROOT)
    for path in chosen.pages:
        if not path.resolve().is_relative_to(project.docs) or not path.is_file():
            parser.error(f"pages: expected files below docs/, got {path}")
    pages = [path.resolve() for path in chosen.pages] or find_pages(project.docs)
    if chosen.list:
        list_stale(project, pages)
        return
    try:
        done = execute_all(project, pages, force=chosen.force, log=print)
    except PageError as error:
        sys.exit(str(error))
    print(f"{len(done)} page(s) up to date")


def list_stale(project: Project, pages: list[Path]) -> None:
    """Print which pages would run, each with its reasons."""
    reasons = {path: why_stale(read_page(path, project.docs), project) for path in pages}
    for path, why in reasons.items():
        if why:
            print(path.relative_to(project.root), *why, sep="\n    ")
    print(f"{sum(map(bool, reasons.values()))} of {len(pages)} page(s) would run")


if __name__ == "__main__":
    settle_streams()
    main()
