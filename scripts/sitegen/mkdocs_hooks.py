"""All that knows MkDocs: from the staged pages to the site.

The pages are run (`run/`) and written as plain files into one folder (`render/staging.py`); MkDocs
starts from that folder. Its own Markdown renders the text, so that links, anchors and boxes work as
on any other page. One thing a staged page has only in a plain form: its outputs. mkdocs-jupyter
renders them, from the executed notebook, and they replace the plain ones.
"""

import functools
import hashlib
import json
import logging
import os
import posixpath
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sitegen.memory import Memory
from sitegen.output import (
    cards,
    csp,
    dates,
    elsewhere,
    html_fixes,
    in_page,
    jupyter,
    offline,
    search,
    side_effects,
    stylesheet,
    take_home,
)
from sitegen.render import fonts, mathematics, staging, typography
from sitegen.render.references import UnknownReferenceError
from sitegen.run.execute import Project, execute_all
from sitegen.run.page import PageError, find_pages
from sitegen.runtime import build

log = logging.getLogger("mkdocs.hooks.pages")
SEARCH = "material/search"
REFERENCE = "::: "  # where mkdocstrings writes something out
MOST_BYTES = 150_000  # of a page's HTML: a phone on a slow line should have it in a few seconds

_surroundings: dict[str, Any] = {}  # what a page is rendered in, beside its own text
_staged: dict[str, staging.Staged] = {}  # by the names of their files
_math: dict[str, str] = {}
_addresses: dict[str, str] = {}  # of the pages, by their source files
_serves = False
_runtime: build.Runtime | None = None


def on_startup(command: str, dirty: bool) -> None:
    """Note whether somebody writes and looks at each change."""
    global _serves
    _serves = command == "serve"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let every date of the site be that of the last change, so that two builds are the same."""
    if "SOURCE_DATE_EPOCH" not in os.environ:
        date = dates.last_change(_root(config), Path(config.docs_dir))
        os.environ["SOURCE_DATE_EPOCH"] = date
    config.nav = staging.navigation(config.nav)
    repository = _repository(config)
    if repository and not repository.startswith(("https://", "http://")):
        raise PluginError(f"REPO_URL: expected an address (https://...), got {repository!r}")
    config.extra["lazy_search"] = not offline.offline()
    if offline.offline():
        config.site_url = ""
        config.extra["polyfills"] = offline.polyfills(map(str, config.extra["polyfills"]))
        config.theme["features"] = offline.features(config.theme["features"])
    return config


def on_pre_build(config: MkDocsConfig) -> None:
    """Execute the pages that need it, and stage the book."""
    project = Project(_root(config), Path(config.docs_dir), _memory(config))
    try:
        found = find_pages(project.docs)
        done = execute_all(project, found, writing=_serves, log=log.info)
        pages = staging.stage(done, project.docs, _folder(config))
    except (PageError, UnknownReferenceError) as error:
        raise PluginError(str(error)) from None
    global _runtime
    try:
        _runtime = in_page.made(_root(config), log.info)
    except in_page.NoRuntimeError as error:
        raise PluginError(str(error)) from None
    _staged.clear()
    _staged.update({page.name: page for page in pages})


@event_priority(100)  # before mkdocs-jupyter, which looks for notebooks among the files
def _take_staged(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by the staged ones, and add what is of this site alone."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    notebooks, more = take_home.offered(
        [page.executed for page in _staged.values() if page.executed],
        _folder(config),
        _root(config),
        site=config.site_url or "",
        repository=_repository(config),
    )
    for name, path in staging.files(_folder(config)):
        page = _staged.get(name)
        # As bytes: a notebook with a path would be a page to mkdocs-jupyter.
        files.append(
            File.generated(config, name, content=notebooks.get(name) or path.read_bytes())
            if page is None
            else File.generated(config, name, abs_src_path=_source(page, path))
        )
    _add(files, config, offline.files(_root(config)))
    _add(files, config, _runtime.files if _runtime else {})
    _add(files, config, cards.files(config.site_url or "/"))
    _add(files, config, more)
    return files


def _source(page: staging.Staged, path: Path) -> str:
    """For mkdocs-jupyter the notebook that it renders the outputs of."""
    return str(page.executed.notebook_path if page.executed else path)


def _add(files: Files, config: MkDocsConfig, more: dict[str, Any]) -> None:
    for name, content in more.items():
        files.append(File.generated(config, name, content=content))


@event_priority(-100)  # after it: its wrapper of a file forgets where a generated one lies
def _keep_paths(files: Files, config: MkDocsConfig) -> Files:
    for file in files:
        if file.src_uri in _staged:
            path = _folder(config) / file.src_uri
            file.abs_src_path = _source(_staged[file.src_uri], path)
    return files


on_files = CombinedEvent(_take_staged, _keep_paths)


def on_nav(nav: Any, config: MkDocsConfig, files: Files) -> None:
    """Note what every page is rendered in: the settings, and what can be linked to."""
    settings = Path(config.config_file_path).read_text(encoding="utf-8")
    there = sorted(
        (file.src_uri, file.url, file.inclusion.name)
        for file in files
        if not file.src_uri.startswith(build.PLACE)  # whose names change with the package
    )
    _surroundings["site"] = [settings, config.use_directory_urls, there]
    package = [path.read_bytes() for path in sorted((_root(config) / "nn_tutorial").rglob("*.py"))]
    digest = hashlib.sha256(b"\0".join(package))
    # In the index of names the first page that has one wins.
    for page in _staged.values():
        digest.update(page.text.encode() if REFERENCE in page.text else b"")
    _surroundings["reference"] = digest.hexdigest()
    plugins: dict[str, Any] = config.plugins
    index = plugins[SEARCH].search_index
    index.add_entry_from_context = functools.partial(
        _index, index, index.add_entry_from_context, _memory(config)
    )


def _index(index: Any, theirs: Callable[[Page], None], memory: Memory, page: Page) -> None:
    """Stand for the search's reading of a page: it is read once, as long as it stays the same."""

    def make() -> list[dict[str, Any]]:
        before, whole = len(index.entries), page.content
        page.content = search.readable(whole or "")
        theirs(page)
        page.content = whole
        made: list[dict[str, Any]] = index.entries[before:]
        del index.entries[before:]
        return made

    _addresses[_staged[page.file.src_uri].source] = page.url
    made_of = [page.content, page.url, page.meta, page.title, [_parts(item) for item in page.toc]]
    index.entries += memory.recall("search", made_of, make)


def on_page_read_source(page: Page, config: MkDocsConfig) -> str:
    """Give MkDocs the staged text, with a mark for each output, and what this edition offers."""
    text = (_folder(config) / page.file.src_uri).read_text(encoding="utf-8")
    text = elsewhere.with_links(text, _staged[page.file.src_uri].source, _repository(config))
    text = in_page.with_bar(jupyter.marked(text), _runtime)
    return offline.with_downloads(text, _repository(config))


@event_priority(-100)  # after mkdocs-jupyter, which gives the page its own way of being rendered
def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> Page:
    """Let a page be rendered once, as long as all that it is made of stays the same."""
    # MkDocs has no event that replaces rendering; mkdocs-jupyter replaces the method too.
    page.render = functools.partial(_render, page, page.render)  # type: ignore[method-assign]
    return page


def _render(
    page: Page, theirs: Callable[[MkDocsConfig, Files], None], config: MkDocsConfig, files: Files
) -> None:
    """Stand for `Page.render`; `theirs` is mkdocs-jupyter's, where the page was executed."""
    done = None

    def make() -> dict[str, Any]:
        nonlocal done
        done = _rendered(page, theirs, config, files)
        return done

    executed = _staged[page.file.src_uri].executed
    made_of = [page.markdown, page.file.src_uri, page.file.url, _surroundings["site"]]
    if executed is not None:
        made_of.append(hashlib.sha256(executed.notebook_path.read_bytes()).hexdigest())
    if REFERENCE in (page.markdown or ""):
        made_of.append(_surroundings["reference"])
    kept = _memory(config).recall("rendered", made_of, make)
    if done is None:
        _say_again(page, kept, config)
    page.content = kept["content"]
    page.toc = TableOfContents([_heading(*heading) for heading in kept["toc"]])
    page._title_from_render = kept["title"]
    page.present_anchor_ids = set(kept["anchors"])
    linked = {files.get_file_from_path(uri): links for uri, links in kept["links"].items()}
    page.links_to_anchors = {file: links for file, links in linked.items() if file is not None}


def _rendered(
    page: Page, theirs: Callable[[MkDocsConfig, Files], None], config: MkDocsConfig, files: Files
) -> dict[str, Any]:
    """Render a page, and note what else came of it: what was registered, what was logged."""
    plugins: dict[str, Any] = config.plugins
    with (
        side_effects.messages("mkdocs") as heard,
        side_effects.calls(plugins["autorefs"], "register_anchor") as names,
        side_effects.calls(plugins["mkdocstrings"].handlers.inventory, "register") as items,
    ):
        rendered = ""
        if _staged[page.file.src_uri].executed is not None:
            theirs(config, files)
            rendered = page.content or ""
        Page.render(page, config, files)
    content = jupyter.put(page.content or "", rendered)
    own = posixpath.splitext(posixpath.basename(page.file.src_uri))[0]
    if config.use_directory_urls and own != "index":  # the page will lie where its pictures do
        content = content.replace(f'src="{own}/', 'src="')
    return {
        "content": html_fixes.lean(content),
        "toc": [_parts(heading) for heading in page.toc],
        "title": page._title_from_render,
        "anchors": sorted(page.present_anchor_ids or ()),
        "links": {file.src_uri: links for file, links in (page.links_to_anchors or {}).items()},
        "names": [([*rest], named) for (_, *rest), named in names],  # without the page
        "items": items,
        "heard": heard,
    }


def _say_again(page: Page, kept: dict[str, Any], config: MkDocsConfig) -> None:
    """Do what rendering the page would do beside."""
    side_effects.log_again(kept["heard"])
    plugins: dict[str, Any] = config.plugins
    for arguments, named in kept["names"]:
        plugins["autorefs"].register_anchor(page, *arguments, **named)
    handlers = plugins["mkdocstrings"].handlers
    for arguments, named in kept["items"]:
        handlers.get_handler(handlers.get_handler_name({}))  # whose stylesheet is asked for
        handlers.inventory.register(*arguments, **named)


def _parts(heading: AnchorLink) -> list[Any]:
    inner = [_parts(child) for child in heading.children]
    return [heading.title, heading.id, heading.level, inner]


def _heading(title: str, name: str, level: int, inner: list[list[Any]]) -> AnchorLink:
    heading = AnchorLink(title, name, level)
    heading.children = [_heading(*child) for child in inner]
    return heading


@event_priority(-100)  # after mkdocstrings has resolved its references
def on_env(env: Any, config: MkDocsConfig, files: Files) -> None:
    """Render the mathematics of all pages at once; leave clean text for the search index."""
    cache = _root(config) / ".cache"
    (cache / "templates").mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = jinja2.FileSystemBytecodeCache(str(cache / "templates"))
    pages = [file.page for file in files.documentation_pages() if file.page and file.page.content]
    contents = {_staged[page.file.src_uri].source: page.content or "" for page in pages}
    try:
        rendered = mathematics.render(contents, cache / "katex.json")
    except mathematics.MathError as error:
        raise PluginError(str(error)) from None
    _math.clear()
    _math.update(rendered)
    _add(files, config, {"assets/fonts/stix-two-math.woff2": mathematics.font(rendered, cache)})
    theme = {f.src_uri: f.content_string for f in files if stylesheet.THEME.search(f.src_uri)}
    _add(files, config, stylesheet.combine(theme, Path(config.docs_dir) / stylesheet.PLACE))
    _add(files, config, fonts.of_text(contents.values(), cache))
    for page in pages:
        card = cards.card(_about(page, config), _site(config), cache)
        _add(files, config, {cards.place(page.file.src_uri): card})
        if tex := mathematics.sources(page.content or ""):
            folder = posixpath.dirname(page.file.dest_uri)
            _add(files, config, {posixpath.join(folder, "formulas.json"): json.dumps(tex)})
        page.content = mathematics.mark(page.content or "", rendered)
        for heading in _headings(page.toc):
            heading.title = mathematics.plain_title(heading.title, rendered)


def _headings(toc: Iterable[AnchorLink]) -> Iterator[AnchorLink]:
    for heading in toc:
        yield heading
        yield from _headings(heading.children)


def on_page_context(
    context: dict[str, Any], page: Page, config: MkDocsConfig, nav: Any
) -> dict[str, Any]:
    """Give the theme what the page's head says to other programs, and where its source is."""
    about: dict[str, Any] = {"social": cards.about(_about(page, config), _site(config))}
    source = _staged[page.file.src_uri].source
    return context | about | elsewhere.addresses(source, _repository(config))


def _repository(config: MkDocsConfig) -> str:
    return config.extra.get("repository") or ""  # None if the variable is empty


def _site(config: MkDocsConfig) -> cards.Site:
    return cards.Site(config.site_name, config.site_url or "")


def _about(page: Page, config: MkDocsConfig) -> cards.Page:
    return cards.Page(
        page.file.src_uri,
        title=str(page.meta.get("title") or page.title or config.site_name),
        description=str(page.meta.get("description") or config.site_description),
        url=page.canonical_url or "",
        parts=tuple(str(section.title) for section in [*page.ancestors][::-1]),
        is_first=page.is_homepage,
    )


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Put the mathematics in, now that the search index has been written."""
    before, start, rest = output.partition("<article")
    article, end, after = rest.partition("</article")
    # The theme indents its frame, a fifth of the page; what is between <pre> stays as it is.
    before, after = (html_fixes.tight(part) for part in (before, after))
    whole = before + start + mathematics.fill(article, _math) + end + after
    whole = _finished(whole, bool(config.site_url))
    if len(whole.encode()) > MOST_BYTES:
        source = _staged[page.file.src_uri].source
        log.warning(f"{source}: {len(whole.encode())} bytes of HTML, over {MOST_BYTES}")
    return whole


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    """Finish the one page that no source file stands behind."""
    return _finished(output, bool(config.site_url)) if template_name == "404.html" else output


@event_priority(100)  # before the search writes its index
def _enrich_search(config: MkDocsConfig) -> None:
    """Tell the search what readers ask a section for."""
    plugins: dict[str, Any] = config.plugins
    try:
        asked = search.read(Path(config.docs_dir) / search.ASKED)
        search.enrich(plugins[SEARCH].search_index.entries, asked, _addresses)
    except search.UnknownSectionError as error:
        raise PluginError(str(error)) from None


@event_priority(-100)  # after the search has written it
def _split_search(config: MkDocsConfig) -> None:
    """Let pages load the search's settings alone, and its entries when somebody looks for them."""
    if config.extra["lazy_search"]:
        search.split(Path(config.site_dir))


on_post_build = CombinedEvent(_enrich_search, _split_search)


@functools.lru_cache(maxsize=256)
def _finished(page: str, hosted: bool) -> str:
    page = typography.typeset(stylesheet.lighten(html_fixes.with_button(html_fixes.mend(page))))
    page = html_fixes.unquoted(page)
    # From the disk, where there is no site, a browser would take nothing for the site's own.
    return csp.with_policy(page) if hosted else page


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path or "mkdocs.yml").resolve().parent


@functools.cache
def _memory_in(folder: Path) -> Memory:
    return Memory(folder)


def _memory(config: MkDocsConfig) -> Memory:
    """What was kept of earlier builds; `make serve` reads it once."""
    return _memory_in(_root(config) / ".cache" / "memory")


def _folder(config: MkDocsConfig) -> Path:
    return _root(config) / ".cache" / "staged"
