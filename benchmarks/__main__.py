"""``python -m benchmarks``."""

import sys

from nn_tutorial.command_line import on_any_terminal

from .run import main

sys.exit(on_any_terminal(main)())
