"""Run by pack.mjs in Pyodide: compiles what lies in /in, and packs it into /out.

Bytecode is checked against no source and has no date, so that it is the same at every build and is
taken as it is. Archives are not compressed: what compresses them is outside, and does it better.
"""

import importlib.util
import marshal
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

IN, OUT = Path("/in"), Path("/out")
PACKAGES = "/lib/python3.12/site-packages/"
BOOK = "/book/"
MAGIC = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)  # unchecked
READ = ("numpy/_core/multiarray.py",)  # NumPy cannot start without the docstrings of this module
LICENCE = re.compile(r"dist-info/(METADATA$|LICENS|COPYING|NOTICE|AUTHORS|licenses/)", re.I)

# Of Python's own library what no page can use: windows, servers, processes, databases, old formats.
NO_STANDARD = re.compile(
    r"^(pydoc|doctest|turtle|tkinter/|idlelib/|lib2to3/|ensurepip/|venv/|distutils/|pdb|bdb|cProfile"
    r"|profile|pstats|trace\.|tracemalloc|wsgiref/|xmlrpc/|socketserver|http/(server|cookie)"
    r"|cgi|imaplib|smtplib|ftplib|nntplib|telnetlib|poplib|mailbox|multiprocessing/|pickletools"
    r"|concurrent/futures/process|modulefinder|curses/|dbm/|sqlite3/|zipapp|tomllib/|antigravity"
    r"|this|nturl2path|aifc|sunau|wave|chunk|sndhdr|mailcap|uu\.|xdrlib|pipes|crypt|msilib/|config-"
    r"|asyncio/(windows|proactor)|ctypes/|rlcompleter|cmd\.|sched|tabnanny"
    r"|webbrowser|ssl\.py|_osx|_aix|pyclbr|filecmp|fileinput|graphlib|imghdr|netrc|smtpd|stringprep"
    r"|unittest/(?!(__init__|result|case|suite|loader|main|runner|signals|util|async_case)\.)"
    r"|xml/(dom|sax)/|encodings/(?!(__init__|aliases|utf_8|utf_8_sig|ascii|latin_1|cp437|idna"
    r"|raw_unicode_escape|unicode_escape|utf_16|utf_16_le|utf_16_be|utf_32|punycode)\.))"
)
NO_NUMPY = re.compile(
    r"/f2py/|/tests/|\.(pyi|h|a|c|pxd|in|npz|toml|build|typed)$|dist-info/|/distutils/|_pyinstaller"
    r"|/typing/mypy|umath_tests|rational_tests|simd_test|numpy/testing/_private/(?!utils|extbuild|__i)"
)
NO_FIGURES = re.compile(
    r"\.(pyi|typed|h)$|dist-info/|/tests/|/testing/|sample_data|/afm/|pdfcorefonts|mpl-data/images"
    r"|stylelib|sphinxext|mpl_toolkits|_ttconv|backends/backend_(?!svg|agg|mixed|tools)|web_backend"
    r"|qt_editor|_backend_pdf|zoneinfo/.*tar"
    r"|fonts/ttf/(?!DejaVuSans(-Bold|-Oblique|-BoldOblique|Mono|Display)?\.ttf)"
)


def compiled(source: bytes, name: str, optimize: int) -> bytes:
    """Return a module's bytecode, as a file holds it."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=optimize)
    return MAGIC + marshal.dumps(code)


def put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file, without its date."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def pack(
    name: str,
    files: Iterator[tuple[str, bytes]],
    root: str,
    *,
    sources: bool = False,
    docstrings: bool = False,
) -> None:
    """Write an archive of modules, compiled; with `sources` these lie beside, to be shown."""
    with zipfile.ZipFile(OUT / f"{name}.zip", "w", zipfile.ZIP_STORED) as archive:
        for file, content in files:
            if not file.endswith(".py"):
                put(archive, file, content)
                continue
            code = compiled(content, root + file, 0 if docstrings or file in READ else 2)
            if sources:
                folder, _, module = file.rpartition("/")
                put(archive, f"{folder}/__pycache__/{module[:-3]}.cpython-312.pyc", code)
                put(archive, file, content)
            else:
                put(archive, f"{file}c", code)


def chosen(paths: list[Path], leave_out: Callable[[str], object]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of some archives but those that are left out; licences never are."""
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if not name.endswith("/") and (LICENCE.search(name) or not leave_out(name)):
                    yield name, archive.read(name)


wheels = sorted(IN.glob("*.whl"))
numpy = [path for path in wheels if path.name.startswith("numpy-")]
others = [path for path in wheels if path not in numpy]
if numpy:
    standard = chosen([IN / "python_stdlib.zip"], NO_STANDARD.search)
    pack("python_stdlib", standard, "/lib/python312.zip/")
    pack("numpy", chosen(numpy, NO_NUMPY.search), PACKAGES)
    # matplotlib makes its functions' docstrings of each other's.
    pack("matplotlib", chosen(others, NO_FIGURES.search), PACKAGES, docstrings=True)
for path in IN.glob("book.zip"):  # the pages show its functions, and read their docstrings
    pack("book", chosen([path], lambda name: False), BOOK, sources=True, docstrings=True)
for path in IN.glob("pictures.zip"):
    pack("pictures", chosen([path], lambda name: False), BOOK)
for path in IN.glob("markdown.zip"):
    pack("markdown", chosen([path], lambda name: False), PACKAGES)
