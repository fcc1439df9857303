"""The three engines that readers have: Chromium's, Firefox's, and WebKit, which is Safari's.

Each is asked by its own protocol; what a test needs of it is the same few things.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import pytest
from sitegen.output.static_server import chromium

NAMES = ("chromium", "firefox", "webkit")
# Each engine is started once, and two of them can be asked at the same time.
GROUPS = {name: pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in NAMES}
PROBES = Path(__file__).with_name("probes.js")
MINI_BROWSER = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"
HEIGHT = 900
EMPTY = "robots.txt"  # of a site; no page, and so without a policy that forbids frames
# The fonts are there, and what they change is drawn. Firefox without windows may draw no frame for
# minutes, so nothing waits for one, and for a font no longer than a reader would.
SETTLED = """Promise.race([
    Promise.all([...document.fonts].map((font) => font.load().catch(() => 0))),
    new Promise((done) => setTimeout(done, 3000)),
]).then(() => new Promise((done) => setTimeout(done, 50))).then(() => 0)"""


class Engine(Protocol):
    """What a test can do with a browser."""

    name: str

    def open(self, site: str, page: str = "") -> None:
        """Go to a page of a site, and wait until it and its fonts are loaded."""

    def set_width(self, width: int) -> None:
        """Let the page be so many CSS pixels wide."""

    def evaluate(self, script: str) -> Any:
        """Return what a JavaScript expression, or what it promises, is; as JSON holds it."""

    def screenshot(self, file: Path) -> None:
        """Write what is seen of the page as a PNG."""

    def messages(self) -> list[str]:
        """Return the errors and warnings of the console since the last call."""

    def requests(self) -> list[str]:
        """Return the addresses that have been asked for since the last call."""

    def alive(self) -> bool:
        """Return whether the browser still answers; where it does not, `open` starts it anew."""


# The requests of a page that the browser itself remembers: its own, and those of what it shows.
REMEMBERED = """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
    .map((entry) => entry.name)"""


def missing(name: str) -> str:
    """Return what is not installed of an engine, "" if all of it is."""
    needed = {
        "chromium": {"Chromium": chromium()},
        "firefox": {"Firefox": _firefox()},
        "webkit": {
            "WebKitWebDriver": shutil.which("WebKitWebDriver"),
            "MiniBrowser": _mini_browser(),
            "Xvfb": shutil.which("Xvfb"),
        },
    }
    return ", ".join(program for program, path in needed[name].items() if not path)


class Chromium:
    """A page of Playwright's."""

    name = "chromium"

    def __init__(self, page: Any) -> None:
        self.page = page
        self.said: list[str] = []
        self.sent: list[str] = []
        page.on("request", lambda request: self.sent.append(request.url))
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text}")

    def open(self, site: str, page: str = "") -> None:
        self.page.goto(site + page)
        self.evaluate(SETTLED)

    def set_width(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def evaluate(self, script: str) -> Any:
        return self.page.evaluate(script)

    def screenshot(self, file: Path) -> None:
        self.page.screenshot(path=file)

    def messages(self) -> list[str]:
        said, self.said = self.said, []
        return said

    def requests(self) -> list[str]:
        sent, self.sent = self.sent, []
        return sent

    def alive(self) -> bool:
        return True


class _Firefox:
    """A tab of Firefox, over WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/)."""

    name = "firefox"

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.asked = 0
        self.said: list[str] = []
        self.sent: list[str] = []
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        tree = self._ask("browsingContext.getTree")
        self.tab = tree["contexts"][0]["context"]

    def _ask(self, method: str, **parameters: Any) -> Any:
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": parameters}))
        while True:
            told = json.loads(self.socket.recv())
            if told["type"] == "event":
                self._event(told["method"], told["params"])
            elif told["id"] == self.asked:
                if told["type"] == "error":
                    raise RuntimeError(f"{method}: {told['message']}")
                return told["result"]

    def _event(self, kind: str, about: dict[str, Any]) -> None:
        if kind == "network.beforeRequestSent":
            self.sent.append(about["request"]["url"])
        elif about.get("level") in ("error", "warn"):
            self.said.append(f"{about['level']}: {about['text']}")

    def open(self, site: str, page: str = "") -> None:
        self._now("window.left = true")
        self._ask("browsingContext.navigate", context=self.tab, url=site + page, wait="complete")
        # That may be said of the page before: what it is asked then would never be answered.
        for _ in range(1000):
            if not self._now("window.left || document.readyState !== 'complete'"):
                return self.evaluate(SETTLED)
            time.sleep(0.05)
        raise RuntimeError(f"not loaded: {site}{page}")

    def _now(self, expression: str) -> Any:
        target = {"context": self.tab}
        told = self._ask(
            "script.evaluate", expression=expression, target=target, awaitPromise=False
        )
        return told["result"].get("value")

    def set_width(self, width: int) -> None:
        viewport = {"width": width, "height": HEIGHT}
        self._ask("browsingContext.setViewport", context=self.tab, viewport=viewport)

    def evaluate(self, script: str) -> Any:
        # As text: BiDi would give the value in a form of its own.
        expression = f"(async () => JSON.stringify(await ({script})))()"
        told = self._ask(
            "script.evaluate",
            expression=expression,
            target={"context": self.tab},
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"].get("value", "null"))

    def screenshot(self, file: Path) -> None:
        told = self._ask("browsingContext.captureScreenshot", context=self.tab)
        file.write_bytes(base64.b64decode(told["data"]))

    def messages(self) -> list[str]:
        self.evaluate("0")  # what has been said meanwhile comes before the answer
        said, self.said = self.said, []
        return said

    def requests(self) -> list[str]:
        # Its network's events know too what the page does not, such as the next page fetched ahead.
        remembered = self.evaluate(REMEMBERED)
        sent, self.sent = self.sent, []
        return [*sent, *remembered]

    def alive(self) -> bool:
        return True


@contextmanager
def firefox(folder: Path) -> Iterator[Engine]:
    """Start Firefox with a fresh profile in a folder."""
    import websocket

    settings = {
        "ui.prefersReducedMotion": 1,
        "toolkit.cosmeticAnimations.enabled": False,
        "layout.css.prefers-color-scheme.content-override": 1,  # light
        "layout.testing.top-level-always-active": True,  # a window that nobody sees draws as well
    }
    lines = [f'user_pref("{name}", {json.dumps(value)});\n' for name, value in settings.items()]
    (folder / "user.js").write_text("".join(lines), encoding="utf-8")
    command = [_firefox(), "--headless", "--no-remote", "--remote-debugging-port", "0"]
    with _running(
        [*command, "--profile", str(folder)], {"HOME": str(folder)}, folder / "firefox.log"
    ) as told:
        address = told(r"WebDriver BiDi listening on (ws://\S+)")
        socket = websocket.create_connection(f"{address}/session", suppress_origin=True, timeout=60)
        firefox = _Firefox(socket)
        yield firefox
        with suppress(Exception):
            firefox._ask("browser.close")
        socket.close()


# Puts a page into a frame as wide as is asked for, and listens to it from its first moment on: the
# driver knows nothing of the console. Errors of what the page loads come as events too.
FRAMED = """
const [address, width, height, done] = arguments;
window.told = [];
const tell = (kind, what) => told.push(`${kind}: ${what}`);
const frame = document.createElement("iframe");
frame.style = `border: 0; display: block; width: ${width}px; height: ${height}px`;
frame.src = address;
let heard;
const hear = () => {
  const page = frame.contentWindow;
  if (page.location.href === "about:blank") return;
  if (page.document.readyState === "complete") { clearInterval(hearing); done(); }
  if (page.document === heard) return;
  heard = page.document;
  for (const level of ["error", "warn"])
    page.console[level] = (...words) => tell(level, words.join(" "));
  const lost = ({ src, href }) => `not loaded: ${src || href}`;
  page.addEventListener("error", (e) => tell("error", e.message || lost(e.target)), true);
  page.addEventListener("unhandledrejection", (e) => tell("error", e.reason));
  page.addEventListener("securitypolicyviolation", (e) =>
    tell("error", `${e.violatedDirective} forbids ${e.blockedURI}`));
};
const hearing = setInterval(hear, 0);
document.documentElement.replaceChildren(frame);
"""


class _WebKit:
    """WebKitGTK's small browser. Its window has a least width, so a page lies in a frame in it."""

    name = "webkit"

    def __init__(self, start: Callable[[], Any]) -> None:
        self.start = start
        self.width = 1280
        self.begin()

    def begin(self) -> None:
        self.driver = self.start()
        self.driver.set_window_size(1400, HEIGHT + 150)
        self.driver.set_script_timeout(60)

    def alive(self) -> bool:
        try:
            return bool(self.driver.current_url)
        except Exception:  # the driver has many words for a browser that is gone
            return False

    def open(self, site: str, page: str = "") -> None:
        if not self.alive():
            self.end()
            self.begin()
        self.driver.switch_to.default_content()
        if self.driver.current_url != site + EMPTY:
            self.driver.get(site + EMPTY)
        self.driver.execute_async_script(FRAMED, site + page, self.width, HEIGHT)
        self.driver.switch_to.frame(0)
        self.evaluate(SETTLED)

    def set_width(self, width: int) -> None:
        self.width = width
        if not self.alive():
            return
        self.driver.switch_to.default_content()
        self.driver.execute_script(
            "for (const frame of document.querySelectorAll('iframe'))"
            " frame.style.width = `${arguments[0]}px`",
            width,
        )
        if self.driver.execute_script("return frames.length"):
            self.driver.switch_to.frame(0)

    def evaluate(self, script: str) -> Any:
        told = self.driver.execute_async_script(
            f"const done = arguments[0]; (async () => ({script}))()"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }))"
        )
        if "error" in told:
            raise RuntimeError(told["error"])
        return told.get("value")

    def screenshot(self, file: Path) -> None:
        self.driver.save_screenshot(str(file))

    def messages(self) -> list[str]:
        self.driver.switch_to.default_content()
        said = self.driver.execute_script("return (window.told ?? []).splice(0)")
        self.driver.switch_to.frame(0)
        return said

    def requests(self) -> list[str]:
        return self.evaluate(REMEMBERED)

    def end(self) -> None:
        with suppress(Exception):
            self.driver.quit()


@contextmanager
def webkit(folder: Path) -> Iterator[Engine]:
    """Start WebKit's small browser on a screen of its own."""
    from selenium.webdriver import WebKitGTK
    from selenium.webdriver.webkitgtk.options import Options
    from selenium.webdriver.webkitgtk.service import Service

    options = Options()
    options.binary_location = _mini_browser()
    options.add_argument("--automation")
    settings = folder / "gtk-3.0" / "settings.ini"
    settings.parent.mkdir()
    settings.write_text("[Settings]\ngtk-enable-animations=0\n", encoding="utf-8")
    with ExitStack() as stack:
        told = stack.enter_context(_screen(folder))
        environment = {**os.environ, "DISPLAY": told, "HOME": str(folder)}
        environment["XDG_CONFIG_HOME"] = str(folder)

        def start() -> Any:
            service = Service(shutil.which("WebKitWebDriver"), env=environment)
            with warnings.catch_warnings():  # selenium's driver is not up to date with selenium
                warnings.simplefilter("ignore", DeprecationWarning)
                return WebKitGTK(options=options, service=service)

        started = _WebKit(start)
        stack.callback(started.end)
        yield started


def _firefox() -> str:
    return shutil.which("firefox-esr") or shutil.which("firefox") or ""


def _mini_browser() -> str:
    found = sorted(Path("/").glob(MINI_BROWSER[1:]))
    return str(found[-1]) if found else ""


@contextmanager
def _screen(folder: Path) -> Iterator[str]:
    """A screen that nobody sees, for a browser that must have one; yields its name."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1500x1200x24", "-nolisten", "tcp"]
    with _running(command, {}, folder / "screen.log") as told:
        yield ":" + told(r"^(\d+)\s")


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[Callable[[str], str]]:
    """Run a program, which ends with the test; yields what waits for a pattern in its output."""
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, **environment}
        )

        def told(pattern: str) -> str:
            for _ in range(600):
                heard = log.read_text(encoding="utf-8", errors="replace")
                if found := re.search(pattern, heard, re.MULTILINE):
                    return found[1]
                if process.poll() is not None:
                    break
                time.sleep(0.1)
            raise RuntimeError(f"{command[0]} did not start: {heard[-500:]}")

        try:
            yield told
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
