"""All that knows MkDocs and mkdocs-jupyter: from executed notebooks to pages of the site.

The pages are run by `run/execute.py`; mkdocs-jupyter renders their outputs; MkDocs' own Markdown
renders their prose, so that links, anchors and admonitions work as in any other page.
"""

import functools
import html
import json
import logging
import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import get_relative_url

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sitegen.output import cards, csp, html_fixes, offline, stylesheet
from sitegen.render import figure_data, figures, fonts, glossary, mathematics, references
from sitegen.run.execute import Executed, Project, execute_all
from sitegen.run.page import EXPRESSION, Cell, PageError, find_pages

log = logging.getLogger("mkdocs.hooks.pages")
MOST_BYTES = 150_000  # of a page's HTML: a phone on a slow line should have it in a few seconds

_executed: dict[str, Executed] = {}  # by the name of the source file below docs/
_math: dict[str, str] = {}
_register = references.Register()
_terms: list[glossary.Term] = []


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let every date of the site be that of the last commit, so that two builds are the same."""
    if "SOURCE_DATE_EPOCH" not in os.environ:
        command = ["git", "log", "-1", "--format=%ct"]
        done = subprocess.run(command, cwd=_root(config), capture_output=True, text=True)
        os.environ["SOURCE_DATE_EPOCH"] = done.stdout.strip() or "0"
    offline.configure(config)
    return config


def on_pre_build(config: MkDocsConfig) -> None:
    """Execute the pages that need it."""
    project = Project(_root(config), Path(config.docs_dir))
    _executed.clear()
    try:
        done = execute_all(project, find_pages(project.docs), log=log.info)
    except PageError as error:
        raise PluginError(str(error)) from None
    _executed.update({f"{executed.page.name}.py": executed for executed in done})


@event_priority(100)  # before mkdocs-jupyter, which looks for notebooks among the files
def _put_pages(files: Files, config: MkDocsConfig) -> Files:
    """Put the executed notebook in the place of each page, and add what it brings along."""
    global _register
    texts = {file.src_uri: file.content_string for file in files if file.src_uri.endswith(".md")}
    texts |= {name: markdown(executed) for name, executed in _executed.items()}
    _register = references.collect(texts, Path(config.docs_dir) / "references.yml")
    for name, executed in _executed.items():
        source = files.get_file_from_path(name)
        if source is None:  # left out by exclude_docs
            continue
        files.remove(source)
        files.append(File.generated(config, name, abs_src_path=str(executed.notebook_path)))
        for uri, content in _downloads(executed).items():
            files.append(File.generated(config, uri, content=content))
        for cell, output in _outputs(executed):
            for uri, content in _published(output).items():
                files.append(File.generated(config, uri, content=content))
            for figure in figures.of(output, executed.page.name, cell):
                for uri, content in figure.files.items():
                    if files.get_file_from_path(uri) is not None:
                        raise PluginError(
                            f"{executed.page.where(cell)}: two figures have the name of {uri}"
                        )
                    files.append(File.generated(config, uri, content=content))
    offline.add_files(files, config, _root(config))
    data = "assets/javascripts/figures/data.js"
    files.append(File.generated(config, data, content=figure_data.module()))
    _terms[:] = glossary.read(Path(config.docs_dir) / "glossary.yml")
    files.append(File.generated(config, glossary.FILE, content=glossary.definitions(_terms)))
    for uri, extra in cards.files(config.site_url or "/").items():
        files.append(File.generated(config, uri, content=extra))
    return files


@event_priority(-100)  # after it: its wrapper of a file forgets where a generated one lies
def _keep_paths(files: Files, config: MkDocsConfig) -> Files:
    for file in files:
        if file.src_uri in _executed:
            file.abs_src_path = str(_executed[file.src_uri].notebook_path)
    return files


on_files = CombinedEvent(_put_pages, _keep_paths)


def on_page_read_source(page: SitePage, config: MkDocsConfig) -> str | None:
    """Give MkDocs the page as one Markdown text, with a mark for each output."""
    executed = _executed.get(page.file.src_uri)
    return None if executed is None else markdown(executed)


def on_page_markdown(text: str, page: SitePage, config: MkDocsConfig, files: Files) -> str:
    """Number the figures; write out the references, the glossary, what this edition offers."""
    text = offline.with_downloads(text)
    if page.file.src_uri == glossary.PAGE:
        text = glossary.page(text, _terms, _register.titles)
    return _resolved(text, page.file.src_uri)


def _resolved(text: str, page: str) -> str:
    try:
        return references.resolve(text, page, _register)
    except references.UnknownReferenceError as error:
        raise PluginError(str(error)) from None


def on_page_content(content: str, page: SitePage, config: MkDocsConfig, files: Files) -> str:
    """Put mkdocs-jupyter's outputs into the page that MkDocs' own Markdown has rendered."""
    executed = _executed.get(page.file.src_uri)
    if executed is None:
        return _lean(content)
    outputs = _rendered_outputs(content)
    SitePage.render(page, config, files)  # mkdocs-jupyter has put its own in the place of this
    assert page.content is not None

    def output(match: re.Match[str]) -> str:
        cell, number = int(match[1]), int(match[2])
        return _box(executed.page.code[cell], outputs[cell][number])

    body = re.sub(r'<div data-output="(\d+)-(\d+)"></div>', output, page.content)
    if page.is_homepage:  # its first screen says what the book is
        body += _download_line(executed)
    else:
        body = body.replace("</h1>", "</h1>\n" + _download_line(executed), 1)
        words = get_relative_url(_url(glossary.PAGE, files), page.url)
        body = glossary.link(body, _terms, page.file.src_uri, words)
    return _lean(body) + _provenance(executed)


def _url(source: str, files: Files) -> str:
    file = files.get_file_from_path(source)
    return "" if file is None else file.url


def _box(cell: Cell, output: str) -> str:
    """An output's box. A section, because a div in it would end the exclusion from the search."""
    kind, note = "", ""
    if "timing" in cell.tags:
        kind = " book-timing"
        note = "<p>Measured when this site was built; your machine gives other times.</p>"
    return (
        f'<section class="book-output{kind}" role="group" aria-label="Output" tabindex="0" '
        f"data-search-exclude>"
        f"{output}{note}</section>"
    )


def _lean(content: str) -> str:
    """Keep the tokens of highlighted code that have a colour, in short elements: half its size."""
    content = re.sub(r'<span class="(?:n|p|w|o)">([^<]*)</span>', r"\1", content)
    return re.sub(r'<span class="([a-z][a-z0-9]?)">([^<]*)</span>', r"<i class=\1>\2</i>", content)


@event_priority(-100)  # after mkdocstrings has resolved its references
def on_env(env: Any, config: MkDocsConfig, files: Files) -> None:
    """Render the mathematics of all pages at once; leave clean text for the search index."""
    pages = [file.page for file in files.documentation_pages() if file.page and file.page.content]
    contents = {page.file.src_uri: page.content or "" for page in pages}
    try:
        rendered = mathematics.render(contents, _root(config) / ".cache" / "katex.json")
    except mathematics.MathError as error:
        raise PluginError(str(error)) from None
    _math.clear()
    _math.update(rendered)
    font = mathematics.font(rendered, _root(config) / ".cache")
    files.append(File.generated(config, "assets/fonts/stix-two-math.woff2", content=font))
    stylesheet.combine(files, config)
    for uri, font in fonts.of_text(contents.values(), _root(config) / ".cache").items():
        files.append(File.generated(config, uri, content=font))
    for page in pages:
        uri, card = (
            cards.place(page.file.src_uri),
            cards.card(page, config, _root(config) / ".cache"),
        )
        files.append(File.generated(config, uri, content=card))
        page.content = mathematics.mark(page.content or "", rendered)
        for heading in _headings(page.toc):
            heading.title = mathematics.plain_title(heading.title, rendered)


def _headings(toc: Iterable[AnchorLink]) -> Iterator[AnchorLink]:
    for heading in toc:
        yield heading
        yield from _headings(heading.children)


def on_page_context(
    context: dict[str, Any], page: SitePage, config: MkDocsConfig, nav: Any
) -> dict[str, Any]:
    """Give the theme what the page's head says to other programs."""
    return context | {"social": cards.about(page, config)}


def on_post_page(output: str, page: SitePage, config: MkDocsConfig) -> str:
    """Put the mathematics in, now that the search index has been written."""
    before, start, rest = output.partition("<article")
    article, end, after = rest.partition("</article")
    # The theme indents its frame, a fifth of the page; what is between <pre> stays as it is.
    before, after = (_tight(part) for part in (before, after))
    whole = before + start + mathematics.fill(article, _math) + end + after
    whole = _finished(whole, config)
    if len(whole.encode()) > MOST_BYTES:
        log.warning(f"{page.file.src_uri}: {len(whole.encode())} bytes of HTML, over {MOST_BYTES}")
    return whole


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    """Finish the one page that no source file stands behind."""
    return _finished(output, config) if template_name == "404.html" else output


def _finished(page: str, config: MkDocsConfig) -> str:
    page = stylesheet.lighten(html_fixes.mend(page))
    # From the disk, where there is no site, a browser would take nothing for the site's own.
    return csp.with_policy(page) if config.site_url else page


def _tight(html: str) -> str:
    """Take away the blanks between the tags of the theme's frame, and around a text in a tag."""
    html = re.sub(r"\s*\n\s*", "\n", html)
    return re.sub(r">\n([^<\n]+)\n<", r">\1<", re.sub(r">\n+<", "><", html))


def markdown(executed: Executed) -> str:
    """Return a page as Markdown: prose with its values, code as fences, figures, output marks."""
    values = iter(executed.values)
    outputs = iter(enumerate(executed.outputs))
    parts = [executed.page.front_matter]
    for cell in executed.page.cells:
        if cell.kind == "markdown":
            parts.append(EXPRESSION.sub(lambda _: next(values), cell.source))
            continue
        index, results = next(outputs)
        if cell.source.strip() and not {"remove-cell", "remove-input"}.intersection(cell.tags):
            parts.append(_fence(cell))
        if not {"remove-cell", "remove-output"}.intersection(cell.tags):
            parts += [_output(executed, cell, index, n, out) for n, out in enumerate(results)]
    return "\n\n".join(parts) + "\n"


def _fence(cell: Cell) -> str:
    fence = f"```python\n{cell.source}\n```"
    if "hide-input" not in cell.tags:
        return fence
    return '??? code "Code"\n\n' + "\n".join(f"    {line}".rstrip() for line in fence.split("\n"))


def _output(executed: Executed, cell: Cell, index: int, number: int, output: Any) -> str:
    found = figures.of(output, executed.page.name, cell)
    if found:
        return "\n\n".join(figure.markdown for figure in found)
    if _published(output):
        return ""
    data = output.get("data", {})
    if "text/markdown" in data:
        return str(data["text/markdown"])
    return f'<div data-output="{index}-{number}"></div>'


def _published(output: Any) -> dict[str, str]:
    """The JSON file that an output asks for (`display.publish`), by its place in the site."""
    file = output.get("metadata", {}).get("application/json", {}).get("file")
    if file is None:
        return {}
    return {file: json.dumps(output["data"]["application/json"], indent=1) + "\n"}


def _outputs(executed: Executed) -> list[tuple[Cell, Any]]:
    """The outputs that are shown, each with its cell."""
    return [
        (cell, output)
        for cell, outputs in zip(executed.page.code, executed.outputs, strict=True)
        if not {"remove-cell", "remove-output"}.intersection(cell.tags)
        for output in outputs
    ]


@functools.lru_cache(maxsize=64)  # for `make serve`: a page in which only prose has changed
def _rendered_outputs(content: str) -> list[list[str]]:
    """The outputs of each code cell, from mkdocs-jupyter's page, without its styles and scripts."""
    soup = BeautifulSoup(content, "lxml")

    def inside(area: Tag) -> str:
        output = area.select_one(".jp-OutputArea-output")
        return "" if output is None else output.decode_contents()

    cells = soup.select('.jp-CodeCell[id^="cell-id="]')
    return [[inside(area) for area in cell.select(".jp-OutputArea-child")] for cell in cells]


def _downloads(executed: Executed) -> dict[str, str]:
    """The page as an executed notebook and as its source, by their places in the site."""
    page, values = executed.page, iter(executed.values)
    code = iter(executed.notebook.cells)
    cells = []
    for number, cell in enumerate(page.cells, 1):
        if cell.kind == "code":
            cells.append(nbformat.from_dict({**next(code), "id": f"cell-{number}"}))
        else:
            text = EXPRESSION.sub(lambda _: next(values), cell.source)
            text = _resolved(text, f"{page.name}.py")
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"cell-{number}"))
    about = {k: v for k, v in executed.notebook.metadata.items() if k != "nn_tutorial"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=about)
    folder, stem = figures.folder(page.name), _stem(executed)
    return {
        posixpath.join(folder, f"{stem}.ipynb"): nbformat.writes(notebook) + "\n",
        posixpath.join(folder, f"{stem}.py"): page.source,
    }


def _stem(executed: Executed) -> str:
    """Name of the files to download; an index page itself is called index.py already."""
    name = posixpath.basename(executed.page.name)
    return "start" if name == "index" else name


def _download_line(executed: Executed) -> str:
    stem = offline.beside(executed.page.name) + _stem(executed)
    return (
        '<p class="book-downloads" data-search-exclude>'
        "Run when this site was built. Run it yourself: "
        f'<a href="{stem}.ipynb" download>notebook with results</a>, '
        f'<a href="{stem}.py" download>source</a>.</p>'
    )


def _provenance(executed: Executed) -> str:
    """What this page was made of."""
    about, sha = executed.provenance, executed.page.sha256
    libraries = ", ".join(f"{name} {version}" for name, version in about["libraries"].items())
    data = ", ".join(
        f'{html.escape(name)} (SHA-256 <code title="{sha}">{sha[:12]}</code>)'
        for name, sha in about["data"].items()
    )
    rows = [
        ("Source", f'<code title="SHA-256 {sha}">{sha[:12]}</code>'),
        ("Package", f"nn_tutorial {about['package']}" if about["package"] else "not used"),
        ("Run with", f"Python {about['python']}, {html.escape(libraries)}"),
        ("Data", data or "none"),
        ("Seed", "none" if about["seed"] is None else html.escape(str(about["seed"]))),
    ]
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    return (
        '\n<aside class="book-provenance" aria-label="What this page was made of" '
        f"data-search-exclude><dl>{items}</dl></aside>"
    )


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path or "mkdocs.yml").resolve().parent
