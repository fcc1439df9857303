"""Exercises that know what you got wrong: ``python -m nn_tutorial.exercises``."""

from .catalogue import EXERCISES
from .grading import grade
from .notebook import check
from .report import Report
from .sandbox import Limits

__all__ = ["EXERCISES", "Limits", "Report", "check", "grade"]
