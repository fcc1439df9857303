"""Serve the built site from a folder, compressed, with a page for 404; find a browser for it."""

import _thread
import gzip
import mimetypes
import os
import posixpath
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
COMPRESSED = ("text/", "application/json", "application/xml", "image/svg+xml")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHOUT_WINDOWS = ("chromium-headless-shell", *BROWSERS)  # it takes a third of the processor time
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def chromium(names: Iterable[str] = WITHOUT_WINDOWS) -> str | None:
    """Return the path of a Chromium: NN_TUTORIAL_CHROMIUM, or the first of these on the path."""
    named = os.environ.get("NN_TUTORIAL_CHROMIUM")
    return named or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def hosted(site: Path, path: str = "/", built_for: str = "") -> Iterator[str]:
    """Serve a folder at a free port, below `path`; yield the address.

    With `built_for`, the address that the site was built for, the site map and the canonical
    addresses name this one instead: as if the site had been built for here.
    """
    server = _Server(("127.0.0.1", 0), partial(_Handler, _Files(site, path, built_for)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{path}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread that no tool traces.

        Coverage traces what `threading.Thread` starts; Python 3.11 fails where two begin at once,
        and that request would never be answered.
        """
        _thread.start_new_thread(self.process_request_thread, (request, client_address))


class _Files:
    """The files of a site as they are sent; each is read, and made smaller, once."""

    def __init__(self, site: Path, path: str, built_for: str) -> None:
        self.site, self.path, self.built_for = site, path, built_for
        self.body = cache(self._body)
        self.smaller = cache(self._smaller)

    def _body(self, file: Path, here: str) -> bytes:
        content = file.read_bytes()
        if self.built_for and file.suffix in (".html", ".xml"):
            content = content.replace(self.built_for.encode(), here.encode())
        return content

    def _smaller(self, file: Path, here: str) -> bytes:
        return gzip.compress(self.body(file, here), compresslevel=6, mtime=0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, files: _Files, *request: Any) -> None:
        self.files = files  # first: the base class answers the request before it returns
        super().__init__(*request)

    def do_GET(self) -> None:
        site, path = self.files.site, self.files.path
        wanted = unquote(urlsplit(self.path).path)
        inside = posixpath.normpath(wanted.removeprefix(path)).lstrip("/")
        file = site / inside
        if not wanted.startswith(path) or ".." in inside:
            self._send(404, site / "404.html")
        elif file.is_dir() and not wanted.endswith("/"):
            self.send_response(301)
            self.send_header("Location", f"{wanted}/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif (file / "index.html" if file.is_dir() else file).is_file():
            self._send(200, file / "index.html" if file.is_dir() else file)
        else:
            self._send(404, site / "404.html")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, status: int, file: Path) -> None:
        kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
        kind = kind or "application/octet-stream"
        here = f"http://{self.headers['Host']}{self.files.path}"
        packed = kind.startswith(COMPRESSED) and "gzip" in self.headers["Accept-Encoding"]
        content = (self.files.smaller if packed else self.files.body)(file, here)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Vary", "Accept-Encoding")
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
