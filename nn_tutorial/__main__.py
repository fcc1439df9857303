"""The command `nn-tutorial`, also `python -m nn_tutorial`: exercises and data.

examples:
  what exercises there are:
    nn-tutorial exercises list
  check one that you have written:
    nn-tutorial exercises check relu
  which data sets are here:
    nn-tutorial data list
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from nn_tutorial.command_line import command_line, on_any_terminal

COMMANDS = ("exercises", "data")


@on_any_terminal
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status, 2 if there is no such command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; else those of the command line.
    """
    parser = command_line("nn-tutorial", __doc__)
    parser.add_argument("command", choices=COMMANDS, help="each has a --help of its own")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the command")
    given = parser.parse_args(argv)
    return int(import_module(f"nn_tutorial.{given.command}.__main__").main(given.arguments))


if __name__ == "__main__":
    sys.exit(main())
