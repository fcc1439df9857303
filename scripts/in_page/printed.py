"""What a cell prints: sent in portions, and not without end."""

import io
import time
from collections.abc import Callable

MOST = 50_000  # characters that one cell may show
PORTION = 4_000
SECONDS = 0.1


class Printed(io.TextIOBase):
    """A stream to the page."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self.send = send
        self.begin()

    def begin(self) -> None:
        """Begin a cell."""
        self.waiting: list[str] = []
        self.size = self.count = 0
        self.since = time.monotonic()

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        """Keep a text until it is worth sending; after the most that is shown, only count it."""
        room = MOST - self.count
        self.count += len(text)
        if room > 0:
            self.waiting.append(text[:room])
            self.size += len(text[:room])
            if self.size > PORTION or time.monotonic() - self.since > SECONDS:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what waits."""
        if self.waiting:
            self.send("".join(self.waiting))
        self.waiting, self.size, self.since = [], 0, time.monotonic()

    def end(self) -> None:
        """Send the rest, and say how much was left out."""
        self.flush()
        if self.count > MOST:
            self.send(f"\n… and {self.count - MOST:,} characters more\n")
