"""ReLU and its gradient."""

import numpy as np

from nn_tutorial.layers import activations

from ..exercise import Exercise, Function, Misconception

AFTER = "gradient_check"


def relu(x):
    """Rectified linear unit.

    y = max(x, 0), element by element.

    x: an array of any shape
    returns y: the shape and dtype of x
    """
    return np.maximum(x, 0)


def relu_backward(dy, x):
    """Gradient of relu.

    dL/dx = dL/dy where x > 0, and 0 elsewhere (also at x = 0).

    dy: the gradient that arrives, an array of the shape of y
    x:  the input of the forward pass
    returns dx: the shape and dtype of x
    """
    return dy * (x > 0)


def absolute(x):
    return np.abs(x)


def clipped_at_one(x):
    return np.clip(x, 0, 1)


def in_place(x):
    x[x < 0] = 0
    return x


def leaky(x):
    return np.where(x > 0, x, 0.01 * x)


def mask_from_output(dy, x):
    return dy * (np.maximum(x, 0) >= 0)


def mask_from_upstream(dy, x):
    return dy * (dy > 0)


def both_masks(dy, x):
    return dy * (x > 0) * (dy > 0)


def open_at_zero(dy, x):
    return dy * (x >= 0)


def mask_alone(dy, x):
    return (x > 0).astype(x.dtype)


def times_input(dy, x):
    return dy * np.maximum(x, 0)


def forward_samples(rng):
    by_hand = np.array([[-2.0, 1.0, 0.0], [3.0, -1.0, 4.0]])
    shapes = [(2, 3), (7,), (5, 3), (3, 5, 2), (2, 3, 5, 2)]
    return [{"x": by_hand}, *({"x": 2 * rng.standard_normal(s)} for s in shapes)]


def backward_samples(rng):
    by_hand = np.array([[5.0, -2.0, 7.0], [-1.0, 6.0, 2.0]])
    samples = []
    for inputs in forward_samples(rng):
        x = inputs["x"].copy()
        x.flat[:: max(2, x.size // 3)] = 0  # kinks, where the rule is a choice
        samples.append({"dy": rng.standard_normal(x.shape), "x": x})
    return [{"dy": by_hand, "x": forward_samples(rng)[0]["x"]}, *samples]


MASK = "layers/relu#from-one-number-to-the-array"
WRONG = "layers/relu#four-ways-to-get-it-wrong"

EXERCISES = (
    Exercise(
        name="relu",
        title="ReLU, forward and backward",
        page="layers/relu",
        task="Write the rectified linear unit and the gradient that it passes back.",
        hints=(
            "Which elements of the input does the output keep? Which of them does the gradient "
            "that arrives at the output belong to?",
            "The forward pass compares each element with 0. The backward pass needs one thing of "
            "the forward pass: where the input was positive.",
            "`np.maximum` takes an array and a number. `x > 0` is an array of true and false, and "
            "a product with it keeps or drops.",
        ),
        functions=(
            Function(
                solution=relu,
                reference=lambda x: activations.relu(x)[0],
                returns=("y",),
                samples=forward_samples,
                misconceptions=(
                    Misconception(
                        "the absolute value",
                        absolute,
                        "Negative inputs come out positive: that is |x|. A ReLU turns them into 0.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "clipped at 1 as well",
                        clipped_at_one,
                        "Inputs above 1 come out as 1. A ReLU has a floor, and no ceiling.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "a leaky ReLU",
                        leaky,
                        "Negative inputs come out as a hundredth of themselves: that is the leaky "
                        "ReLU. The ReLU gives exactly 0.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "the input is overwritten",
                        in_place,
                        "Your code writes the output into x. Whoever called it, and your own "
                        "backward pass, still need the input: write into a new array.",
                        "layers/relu#the-input-that-was-overwritten",
                    ),
                ),
            ),
            Function(
                solution=relu_backward,
                reference=lambda dy, x: activations.relu_backward(dy, x > 0),
                returns=("dx",),
                samples=backward_samples,
                misconceptions=(
                    Misconception(
                        "mask from the output, with >=",
                        mask_from_output,
                        "Your dx is dy everywhere: every gate is open. An output of a ReLU is at "
                        "least 0 always, so `y >= 0` is always true. Ask where x > 0.",
                        WRONG,
                    ),
                    Misconception(
                        "mask from the upstream gradient",
                        mask_from_upstream,
                        "Your gate opens where dy is positive. It belongs to the input: a negative "
                        "gradient passes an open gate as well as a positive one.",
                        WRONG,
                    ),
                    Misconception(
                        "both masks at once",
                        both_masks,
                        "Your dx is 0 where dy is negative, even where x is positive. That is "
                        "guided backpropagation, a way to draw pictures, and not the gradient.",
                        WRONG,
                    ),
                    Misconception(
                        "the gate is open at 0",
                        open_at_zero,
                        "At x = 0 there is no slope, and the book, like PyTorch, chooses 0 there: "
                        "the comparison is x > 0, without the equals sign.",
                        MASK,
                    ),
                    Misconception(
                        "dy is forgotten",
                        mask_alone,
                        "Your dx is the mask itself, as if 1 arrived at every output. The chain "
                        "rule multiplies the slope by what arrives.",
                        MASK,
                    ),
                    Misconception(
                        "multiplied by the output",
                        times_input,
                        "Your dx is dy times the output. The slope of a ReLU is 1 where x is "
                        "positive, however large x is.",
                        MASK,
                    ),
                ),
            ),
        ),
    ),
)
