"""All exercises, in the order of the book; each topic is a file here and a solution page."""

from ..exercise import Exercise
from . import (
    batch_norm,
    convolution,
    cross_entropy,
    einsum,
    gradient_check,
    initializers,
    linear,
    optimizers,
    pooling,
    relu,
    softmax,
    two_layer,
)

_IN_ORDER = (
    einsum,
    gradient_check,
    relu,
    linear,
    initializers,
    softmax,
    cross_entropy,
    two_layer,
    batch_norm,
    optimizers,
    convolution,
    pooling,
)
TOPICS: dict[str, tuple[Exercise, ...]] = {
    topic.__name__.rpartition(".")[2]: topic.EXERCISES for topic in _IN_ORDER
}
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for exercises in TOPICS.values() for exercise in exercises
}
