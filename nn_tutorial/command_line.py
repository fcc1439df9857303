"""The help of a script: what it does, its options with their defaults, worked examples."""

import argparse
from pathlib import Path

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
