"""What commands have in common: their help, and output that no terminal can make fail."""

import argparse
import functools
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLES = "examples:\n"


class Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Defaults behind the options; examples with the line breaks that they were written with."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        missing = action.default is None or action.default is False  # says nothing to a reader
        return action.help if missing else super()._get_help_string(action)


def command_line(script: str, about: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help begins with what a script does and ends with its examples.

    Parameters
    ----------
    script : str
        Its file.
    about : str or None
        Its docstring. What follows the line ``examples:`` is shown behind the options: for each
        example a line that says what it is for, and below it the command, further in.
    """
    what, line, examples = (about or "").partition(EXAMPLES)
    return argparse.ArgumentParser(
        prog=Path(script).name, description=what, epilog=line + examples, formatter_class=Help
    )


def settle_streams() -> None:  # decides no number: it prints
    """Let a command read and print whatever its terminal is.

    A sign that the output's encoding lacks is replaced. What is closed (``>&-``) is empty, and
    swallows all.
    """
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.StringIO())
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def on_any_terminal(main: Callable[..., int]) -> Callable[..., int]:
    """Return a command that settles its streams, and ends without a word if nobody reads on.

    A script calls ``settle_streams`` itself: its last lines belong to the code of its record.

    Parameters
    ----------
    main : callable
        Runs the command, and returns its exit status; 1, where nobody reads on (``| head``).
    """

    @functools.wraps(main)
    def command(*args: Any, **options: Any) -> int:
        settle_streams()
        try:
            try:
                return main(*args, **options)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # Python writes what is left when it ends, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1

    return command
