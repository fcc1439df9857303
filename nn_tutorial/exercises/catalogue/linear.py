"""To be written."""

from ..exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
