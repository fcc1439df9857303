"""Execute pages without building the site: `execute_pages.py [PAGES...] [--force]`, for authors."""

import argparse
import sys
from pathlib import Path

from sitegen.run.execute import Project, execute_all
from sitegen.run.page import PageError, find_pages

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> None:
    """Execute pages from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path, help="pages below docs/; all by default")
    parser.add_argument("--force", action="store_true", help="run them even if nothing has changed")
    chosen = parser.parse_args(arguments)
    project = Project(ROOT)
    for path in chosen.pages:
        if not path.resolve().is_relative_to(project.docs) or not path.is_file():
            parser.error(f"pages: expected files below docs/, got {path}")
    pages = [path.resolve() for path in chosen.pages] or find_pages(project.docs)
    try:
        done = execute_all(project, pages, force=chosen.force, log=print)
    except PageError as error:
        sys.exit(str(error))
    print(f"{len(done)} page(s) up to date")


if __name__ == "__main__":
    main()
