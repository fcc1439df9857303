"""What a reader does with each interactive figure, and what it must say then."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Click:
    """A button is pressed."""

    button: str


@dataclass(frozen=True)
class Press:
    """A key is pressed on a slider, some times."""

    slider: str
    key: str
    times: int = 1


@dataclass(frozen=True)
class Fill:
    """A field or a slider gets a value."""

    field: str
    value: str


@dataclass(frozen=True)
class Says:
    """The figure says something: in the line that is read aloud, or in the part that is named."""

    text: str
    where: str = "p[role=status]"


Step = Click | Press | Fill | Says
RESET = Click("Back to the example")

# The page of each figure, and the steps.
RECIPES: dict[str, tuple[str, list[Step]]] = {
    "nn-relu": (
        "layers/relu/",
        [
            Press("x, row 2, column 1", "ArrowLeft", 3),
            Says("2 of 6 gates open; 2 of 6 gradients get through."),
        ],
    ),
    "nn-graph": (
        "foundations/chain_rule/",
        [
            Click("Start over"),
            Says("Only the inputs are known."),
            *[Click("Step on")] * 8,
            Says("Step 8 of 13, backward"),
        ],
    ),
    "nn-softmax": (
        "layers/softmax/",
        [
            Fill("temperature T", "0.2"),
            Says("0.00, 0.12, 0.88", "[role=img]"),
            RESET,
            Says("Both ways pass on 0.83, −0.33, −0.50."),
        ],
    ),
    "nn-cross-entropy": (
        "layers/cross_entropy/",
        [
            Press("probability of class 0, example 1", "End"),
            Says("L = 3.251 nats", ".book-ce-total"),
            RESET,
            Says("L = 1.04 nats", ".book-ce-total"),
        ],
    ),
    "nn-batch-norm": (
        "layers/batch_norm/",
        [
            Click("One pass"),
            Says("mean 0.4, variance 1.4", ".book-norm-statistics"),
            Press("example 1", "ArrowRight", 20),
            Says("4 of the 4 other outputs moved with it."),
            Click("Evaluation"),
            Press("example 1", "ArrowLeft"),
            Says("no other output moved"),
            Click("New batch"),
            Says("drawn with mean 3 and variance 4"),
        ],
    ),
    "nn-convolution": (
        "layers/convolution/",
        [
            Press("Window", "ArrowDown"),
            Says("Window 4 of 4 gives 3."),
            RESET,
            Press("Pixel", "ArrowLeft"),
            Says("Seen by 2 of 4 windows"),
            Click("Step"),
            Says("Window 3 of 4 gives"),
            Says("Seen by 4 of 4 windows"),
        ],
    ),
    "nn-optimizers": (
        "networks/optimizers/",
        [
            Fill("rate of SGD", "0.3"),
            Says("SGD has run away"),
            RESET,
            Fill("momentum μ", "0.9"),
            Press("Start", "ArrowLeft", 4),
            Says("Heights after 16 steps"),
        ],
    ),
    "nn-pooling": (
        "layers/pooling/",
        [
            Fill("X, row 1, column 1", "6"),
            Says("2 pixels tie at 6. The first in reading order wins"),
            RESET,
            Click("Stride 1"),
            Says("Upstream: 60 in all. Passed back: 60.", ".book-pool-sums"),
        ],
    ),
    "nn-network": (
        "networks/iris/",
        [
            Click("Run 2"),
            Click("One epoch"),
            Says("Epoch 1 of 200"),
            Click("Train"),
            Says("Epoch 200 of 200"),
            Click("Run 3"),
            Says("Epoch 0 of 200"),
        ],
    ),
    "nn-iris": (
        "",
        [
            Says("Epoch 0 of 60"),  # with less motion asked for, nothing starts by itself
            Click("One epoch"),
            Says("Epoch 1 of 60"),
            Click("Train"),
            Says("Epoch 60 of 60"),
        ],
    ),
}


def first(steps: list[Step]) -> list[Step]:
    """Return the first operation, up to what the figure says to it."""
    operated = next(i for i, step in enumerate(steps) if not isinstance(step, Says))
    answered = next(i for i, s in enumerate(steps) if i > operated and isinstance(s, Says))
    return steps[: answered + 1]
