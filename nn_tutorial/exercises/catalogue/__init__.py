"""All exercises, in the order of the book; each topic is a file here and a solution page."""

from ..exercise import Exercise
from . import relu

TOPICS: dict[str, tuple[Exercise, ...]] = {
    topic.__name__.rpartition(".")[2]: topic.EXERCISES for topic in (relu,)
}
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for exercises in TOPICS.values() for exercise in exercises
}
