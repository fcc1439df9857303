"""What happens beside while a result is made, noted so that it can be done again without it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Calls = list[tuple[list[Any], dict[str, Any]]]
Messages = list[tuple[str, int, str]]


@contextmanager
def calls(owner: Any, name: str) -> Iterator[Calls]:
    """Give the list of the calls of a method from now on, each with its arguments."""
    method = getattr(owner, name)
    noted: Calls = []

    def noting(*arguments: Any, **named: Any) -> Any:
        noted.append(([*arguments], named))
        return method(*arguments, **named)

    setattr(owner, name, noting)
    try:
        yield noted
    finally:
        delattr(owner, name)


@contextmanager
def messages(logger: str) -> Iterator[Messages]:
    """Give the list of what is logged below a logger from now on, from INFO upwards."""
    heard: Messages = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append((record.name, record.levelno, record.getMessage()))

    ear = Ear(logging.INFO)
    logging.getLogger(logger).addHandler(ear)
    try:
        yield heard
    finally:
        logging.getLogger(logger).removeHandler(ear)


def log_again(heard: Messages) -> None:
    """Log messages as they were logged."""
    for name, level, text in heard:
        logging.getLogger(name).log(level, "%s", text)
