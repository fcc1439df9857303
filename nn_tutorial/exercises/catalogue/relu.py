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

    dy: the upstream gradient, an array of the shape of y
    x:  the input of the forward pass
    returns dx: the shape and dtype of x
    """
    return dy * (x > 0)


def absolute(x):
    return np.abs(x)


def clipped_at_one(x):
    return np.clip(x, 0, 1)


def clipped_at_six(x):
    return np.clip(x, 0, 6)


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def softplus_that_overflows(x):
    return np.log1p(np.exp(x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def swish(x):
    return x / (1 + np.exp(-x))


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def step(x):
    return (x > 0).astype(x.dtype)


def not_positive(x):
    return np.minimum(x, 0)


def in_place(x):
    x[x < 0] = 0
    return x


def leaky(x):
    return np.where(x > 0, x, x / 100)


def leakier(x):
    return np.where(x > 0, x, x / 10)


def leakiest(x):
    return np.where(x > 0, x, x / 5)


def mask_from_output(dy, x):
    return dy * (np.maximum(x, 0) >= 0)


def leaky_backward(dy, x):
    return np.where(x > 0, dy, dy / 100)


def leakier_backward(dy, x):
    return np.where(x > 0, dy, dy / 10)


def opposite_gate(dy, x):
    return dy * (x <= 0)


def output_again(dy, x):
    return np.maximum(x, 0)


def mask_from_upstream(dy, x):
    return dy * (dy > 0)


def both_masks(dy, x):
    return dy * (x > 0) * (dy > 0)


def open_at_zero(dy, x):
    return dy * (x >= 0)


def mask_alone(dy, x):
    return (x > 0).astype(x.dtype)


def leaky_mask_alone(dy, x):
    return np.where(x > 0, 1, 0.01).astype(x.dtype)


def leakier_mask_alone(dy, x):
    return np.where(x > 0, 1, 0.1).astype(x.dtype)


def times_input(dy, x):
    return dy * np.maximum(x, 0)


def forward_samples(rng):
    by_hand = np.array([[-2.0, 1.0, 0.0], [3.0, -1.0, 4.0]])
    shapes = [(2, 3), (7,), (5, 3), (3, 5, 2), (2, 3, 5, 2)]
    scales = [2, 1000, 2, 100, 10]  # where a ceiling would be seen
    samples = [{"x": k * rng.standard_normal(s)} for k, s in zip(scales, shapes)]
    for sample in samples:
        sample["x"].flat[1] = 0.01  # where a threshold would be seen
    return [{"x": by_hand}, *samples]


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
            "Which elements of the input does the output keep? Which of them does the upstream "
            "gradient belong to?",
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
                        "clipped at 6 as well",
                        clipped_at_six,
                        "Inputs above 6 come out as 6: that is the ReLU6. A ReLU has a floor, and "
                        "no ceiling.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "softplus",
                        softplus,
                        "Your y is log(1 + exp(x)), the softplus: a ReLU with its bend rounded "
                        "off. The ReLU itself is 0 up to x = 0, and x from there.",
                        "layers/relu#six-numbers-by-hand",
                        also=(softplus_that_overflows,),
                    ),
                    Misconception(
                        "the logistic function",
                        sigmoid,
                        "Your y is 1 / (1 + exp(-x)), the logistic function (sigmoid). A ReLU "
                        "lets positive numbers through as they are.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "x times its logistic function",
                        swish,
                        "Your y is x / (1 + exp(-x)), called swish or SiLU. A ReLU gives exactly "
                        "0 for negative inputs, and x itself for positive ones.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "an exponential for negative inputs",
                        elu,
                        "Your y is exp(x) - 1 where x is negative: that is the ELU. The ReLU is "
                        "exactly 0 there.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "the mask itself",
                        step,
                        "Your y is 1 where x is positive, and 0 elsewhere. That is the slope of a "
                        "ReLU; the ReLU is x there.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "the negative part",
                        not_positive,
                        "Your y keeps the negative inputs and turns the positive ones into 0. It "
                        "is the other way round.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "a leaky ReLU",
                        leaky,
                        "Negative inputs come out as a small part of themselves: that is the leaky "
                        "ReLU. The ReLU gives exactly 0.",
                        "layers/relu#six-numbers-by-hand",
                        also=(leakier, leakiest),
                    ),
                    Misconception(
                        "the input is overwritten",
                        in_place,
                        "Your code writes the output into x. The caller and your own "
                        "backward pass still need the input: write into a new array.",
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
                        "every gate is open",
                        mask_from_output,
                        "Your dx is dy everywhere. Either there is no gate, or it is taken from "
                        "the output with `y >= 0`: an output of a ReLU is never negative, so that "
                        "is always true. Ask where x > 0.",
                        WRONG,
                    ),
                    Misconception(
                        "a leaky gate",
                        leaky_backward,
                        "Where x is negative your dx is a small part of dy: that is the gradient "
                        "of the leaky ReLU. Nothing passes a closed gate of a ReLU.",
                        MASK,
                        also=(leakier_backward,),
                    ),
                    Misconception(
                        "the gate is the wrong way round",
                        opposite_gate,
                        "Your dx is dy where x is 0 or negative, and 0 where it is positive. It "
                        "is the other way round.",
                        MASK,
                    ),
                    Misconception(
                        "the output instead of the gradient",
                        output_again,
                        "Your dx is the output of the ReLU, max(x, 0). What passes the gate is the "
                        "upstream gradient, dy.",
                        MASK,
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
                        "Your dx is the mask itself, as if dy were 1 everywhere. The chain rule "
                        "multiplies the slope by dy.",
                        MASK,
                    ),
                    Misconception(
                        "dy is forgotten, and the gate leaks",
                        leaky_mask_alone,
                        "Your dx is the slope of a leaky ReLU: 1 where x is positive, and a small "
                        "number elsewhere. That of a ReLU is 0 there. And it is only the slope: "
                        "the chain rule multiplies it by dy.",
                        MASK,
                        also=(leakier_mask_alone,),
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
