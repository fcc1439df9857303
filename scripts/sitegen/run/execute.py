"""Execute the pages whose code, package, data or pins have changed; keep the rest."""

import ast
import asyncio
import functools
import hashlib
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from nn_tutorial.files import write_whole

from ..memory import Memory
from . import dependencies
from .dependencies import Present
from .page import Cell, Page, PageError, read_page

HERE = Path(__file__).resolve().parent
SECONDS_A_CELL = 900
TEXTS = (".md", ".py")  # the pages among the files of docs/
# So that the C library keeps freed memory: pages take and free large arrays at every step.
KEEP_FREED = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**32)}
# Everything that could make two runs differ, or reach out of the repository.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "NO_COLOR": "1",
    "COLUMNS": "80",
}
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass(frozen=True, eq=False)  # one object for one run, so that what is made of it can be kept
class Executed:
    """A page and what came out of it: outputs of each code cell, values of the expressions."""

    page: Page
    notebook: nbformat.NotebookNode
    notebook_path: Path

    @property
    def outputs(self) -> list[list[Any]]:
        """For each code cell the list of its outputs."""
        return [cell.outputs for cell in self.notebook.cells]

    @property
    def values(self) -> list[str]:
        """For each expression in the prose the text that replaces it."""
        return list(self.notebook.metadata.nn_tutorial.values_of_expressions)

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, data sets and seed of the run."""
        return dict(self.notebook.metadata.nn_tutorial.provenance)


class Project:
    """The directories of one book: its root, its pages, and where executed pages are kept."""

    def __init__(self, root: Path, docs: Path | None = None, memory: Memory | None = None) -> None:
        self.root = root.resolve()
        self.docs = (docs or root / "docs").resolve()
        self.cache = self.root / ".cache"
        self.present = Present(self.root)
        self.memory = memory or Memory(self.cache / "memory")

    def cached(self, page: Page) -> Path:
        """Where the executed notebook of a page is kept."""
        return self.cache / "executed" / f"{page.name}.ipynb"

    def requirements(self) -> list[str]:
        """Return the names of the directly required packages."""
        path = self.root / "requirements.txt"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [name for name in re.findall(r"^([\w.-]+)==", text, re.M) if name != "ipykernel"]


def load(page: Page, project: Project, *, writing: bool = False) -> Executed | None:
    """Return the executed page from the cache if all it depends on is as it was, else None.

    With `writing`, also if no more has changed than the text of pages that it reads.
    """
    kept = _kept(page, project)
    return None if kept is None or any(_stale(kept, project, writing)) else kept


def why_stale(page: Page, project: Project) -> list[str]:
    """Return why a page has to run again, in words; nothing if it does not have to."""
    kept = _kept(page, project)
    return ["it has not run yet"] if kept is None else list(_stale(kept, project))


def _kept(page: Page, project: Project) -> Executed | None:
    path = project.cached(page)
    if not path.exists():
        return None
    about = path.stat()
    return _read(page, path, (about.st_ino, about.st_mtime_ns, about.st_size))


@functools.lru_cache(maxsize=256)
def _read(page: Page, path: Path, version: tuple[int, ...]) -> Executed:
    # Written here, so there is no need to look whether it is a notebook.
    return Executed(page, nbformat.v4.reads(path.read_text(encoding="utf-8")), path)


def _stale(kept: Executed, project: Project, writing: bool = False) -> Iterator[str]:
    about = kept.notebook.metadata.nn_tutorial
    if about.code != _code_hash(kept.page):
        yield "its own code has changed"
    if "files" not in about:  # by an earlier edition
        yield "pages are run in another way"
    else:
        depends_on = dict(about.depends_on)
        if writing:
            text = f"file {project.present.name_of(str(project.docs))}/"
            for name in [n for n in depends_on if n.startswith(text) and n.endswith(TEXTS)]:
                del depends_on[name]
        yield from dependencies.changed(depends_on, about.files, project.present)


def _code_hash(page: Page) -> str:
    return hashlib.sha256(page.executed_part().encode()).hexdigest()


async def execute(page: Page, project: Project) -> tuple[Executed, float]:
    """Run a page in a fresh kernel and keep the result; nothing is kept of a failed run.

    Returns
    -------
    executed : Executed
    seconds : float
        Of the processor: the kernel's and those of the processes that it started.
    """
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": KERNELSPEC, "language_info": {"name": "python"}},
        cells=[
            nbformat.v4.new_code_cell(cell.source, id=f"code-{i}", metadata=_metadata(cell))
            for i, cell in enumerate(page.code, 1)
        ],
    )
    began = time.time()
    with tempfile.TemporaryDirectory(prefix="page-") as scratch:
        values, found = await _run(page, project, notebook, Path(scratch))
    did, seconds = found.pop("did"), found.pop("seconds")
    used = dependencies.distributions_of(did["packages"])
    found["libraries"] = {
        name: metadata.version(name) for name in project.requirements() if name.lower() in used
    }
    depends_on = dependencies.of_run(did, project.present, page, began)
    for cell, executed in zip(page.code, notebook.cells):
        _tidy(executed, project.root)
        _check(page, cell, executed)
    notebook.metadata = {
        "kernelspec": KERNELSPEC,
        "language_info": {"name": "python", "file_extension": ".py"},
        "nn_tutorial": {
            "code": _code_hash(page),
            "depends_on": depends_on,
            "files": dependencies.behind(depends_on, project.present),
            "values_of_expressions": values,
            "provenance": found,
        },
    }
    path = project.cached(page)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as beside:
        nbformat.write(notebook, beside)
    # Read back, so that a page is the same whether it has run now or comes from the cache.
    kept = _kept(page, project)
    assert kept is not None
    return kept, seconds


def _metadata(cell: Cell) -> dict[str, Any]:
    return {"tags": list(cell.tags)} if cell.tags else {}


async def _run(
    page: Page, project: Project, notebook: nbformat.NotebookNode, scratch: Path
) -> tuple[list[str], dict[str, Any]]:
    manager = AsyncKernelManager(
        kernel_name="python3", transport="ipc", connection_file=str(scratch / "kernel.json")
    )
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=SECONDS_A_CELL,
        coalesce_streams=True,
        record_timing=False,
        extra_arguments=["--InteractiveShell.colors=nocolor", "--HistoryManager.enabled=False"],
        resources={"metadata": {"path": str(project.root)}},
    )
    client.owns_km = True  # so that the kernel is shut down with the client
    environment = {
        **os.environ,
        **KERNEL_ENVIRONMENT,
        **KEEP_FREED,
        "IPYTHONDIR": str(scratch),
        "MPLCONFIGDIR": str(project.cache / "matplotlib"),
        "PYTHONPATH": str(project.root),
    }
    values: list[str] = []
    code = iter(enumerate(notebook.cells))
    # At the end nbclient interrupts the kernel, which would complain; errors come as messages.
    async with client.async_setup_kernel(env=environment, stderr=subprocess.DEVNULL):
        start = _LOAD_PROBE.format(folder=str(HERE), root=str(project.root))
        await _ask(client, start, [])
        for cell in page.cells:
            if cell.kind == "code":
                index, target = next(code)
                await _run_cell(client, page, cell, target, index)
            elif cell.expressions:
                values += await _values(client, page, cell)
        finish = "__import__('page_probe').probe.finish(globals().get('SEED'))"
        answer = (await _ask(client, "pass", [f"__import__('json').dumps({finish})"]))[0]
        if answer["status"] != "ok":
            raise PageError(f"{page.name}: no provenance: {answer['ename']}: {answer['evalue']}")
    return values, json.loads(ast.literal_eval(answer["data"]["text/plain"]))


async def _values(client: NotebookClient, page: Page, cell: Cell) -> list[str]:
    """The values of the expressions in a cell of prose, as they are written."""
    fields = [f"f'''{{ {expression}}}'''" for expression in cell.expressions]
    values = []
    for expression, answer in zip(cell.expressions, await _ask(client, "pass", fields)):
        if answer["status"] != "ok":
            raise PageError(
                f"{page.where(cell)}: {{{{ {expression} }}}} failed:\n"
                f"  {answer['ename']}: {answer['evalue']}"
            )
        values.append(ast.literal_eval(answer["data"]["text/plain"]))
    return values


# As a package, so that it finds the other files of its folder without a way to them for the page.
_LOAD_PROBE = """
import sys, importlib.util
_spec = importlib.util.spec_from_file_location(
    "page_probe", {folder!r} + "/probe.py", submodule_search_locations=[{folder!r}]
)
_probe = sys.modules["page_probe"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_probe)
_probe.probe = _probe.Probe({root!r})
_probe.probe.start()
del sys, importlib, _spec, _probe
"""


async def _ask(client: NotebookClient, code: str, expressions: list[str]) -> list[dict[str, Any]]:
    """Run code that is not the page's in its kernel; return what the expressions evaluate to."""
    assert client.kc is not None  # set by async_setup_kernel
    asked = {str(i): expression for i, expression in enumerate(expressions)}
    message = client.kc.execute(code, store_history=False, user_expressions=asked)
    answer = await client.async_wait_for_reply(message)
    reply: dict[str, Any] = answer["content"] if answer else {"status": "no answer"}
    if reply["status"] != "ok":
        raise PageError(f"the kernel refused {code!r}: {reply.get('evalue', reply['status'])}")
    return [reply["user_expressions"][str(i)] for i in range(len(expressions))]


async def _run_cell(
    client: NotebookClient, page: Page, cell: Cell, target: nbformat.NotebookNode, index: int
) -> None:
    try:
        await client.async_execute_cell(target, index)
    except CellExecutionError as error:
        raise PageError(f"{page.where(cell)} failed:\n{_plain(error.traceback)}") from None
    except DeadKernelError:
        raise PageError(f"{page.where(cell)}: the kernel died (out of memory?)") from None
    except CellTimeoutError:
        raise PageError(f"{page.where(cell)} took more than {SECONDS_A_CELL} s") from None
    failed = any(output.output_type == "error" for output in target.outputs)
    if "raises-exception" in cell.tags and not failed:
        raise PageError(f"{page.where(cell)} carries the tag raises-exception, and raises nothing")


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _tidy(cell: nbformat.NotebookNode, root: Path) -> None:
    """Leave nothing in the outputs that differs between machines or runs."""
    cell.metadata.pop("execution", None)
    for output in cell.outputs:
        if output.output_type == "error":
            # An expected error: the reader needs what it says, not where this machine keeps files.
            output.evalue = _plain(output.evalue).replace(f"{root}/", "")
            output.traceback = [f"{output.ename}: {output.evalue}"]
        elif output.output_type == "stream":
            output.text = _plain(output.text).replace(f"{root}/", "")


def _check(page: Page, cell: Cell, executed: nbformat.NotebookNode) -> None:
    """Refuse figures without words, and what would be different at the next run."""
    if "remove-cell" in cell.tags or "remove-output" in cell.tags:
        return
    for output in executed.outputs:
        if output.get("name") == "stderr":
            raise PageError(f"{page.where(cell)} writes to stderr:\n{output.text}")
        for mime in output.get("data", {}):
            if mime.startswith("image/"):
                about = output.metadata.get(mime, {})
                if not about.get("alt") or not about.get("caption"):
                    raise PageError(
                        f"{page.where(cell)} draws a figure without alt text and caption: "
                        "use nn_tutorial.pages.plots.show(fig, alt=..., caption=...)"
                    )
        text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        has_picture = any(mime.startswith("image/") for mime in output.get("data", {}))
        if not has_picture and re.search(r" at 0x[0-9a-f]{6,}", text):
            raise PageError(f"{page.where(cell)} prints an address in memory: {text.strip()!r}")


def execute_all(
    project: Project,
    pages: Iterable[Path],
    *,
    force: bool = False,
    writing: bool = False,
    log: Callable[[str], None],
) -> list[Executed]:
    """Return the pages, executed: from the cache where nothing has changed, else in parallel.

    Parameters
    ----------
    project : Project
    pages : iterable of Path
    force : bool
        Whether all are run.
    writing : bool
        Whether somebody writes now and wants to see the text at once: a page is then not run for
        what it reads in the text of others (words are counted, titles listed).
    log : callable

    Raises
    ------
    PageError
        For the pages that failed, all in one message; what the others gave is kept.
    """
    read = [read_page(path, project.docs, project.memory) for path in pages]

    async def one(page: Page, turn: asyncio.Semaphore) -> Executed | PageError:
        if not force and (found := load(page, project, writing=writing)) is not None:
            return found
        async with turn:
            began = time.monotonic()
            try:
                done, seconds = await execute(page, project)
            except PageError as error:
                return error
            log(
                f"{page.name} executed in {time.monotonic() - began:.1f} s, "
                f"{seconds:.1f} s of processor time"
            )
            return done

    async def everything() -> list[Executed | PageError]:
        turn = asyncio.Semaphore(os.cpu_count() or 1)
        return await asyncio.gather(*(one(page, turn) for page in read))

    results = asyncio.run(everything())
    errors = [str(result) for result in results if isinstance(result, PageError)]
    if errors:
        raise PageError("\n\n".join(errors))
    return [result for result in results if isinstance(result, Executed)]
