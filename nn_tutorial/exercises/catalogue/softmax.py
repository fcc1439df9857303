"""Softmax and its gradient."""

import numpy as np

from nn_tutorial.layers import losses

from ..exercise import Exercise, Function, Misconception

AFTER = "initializers"


def softmax(x):
    """Turn scores into probabilities, along the last axis.

    p_i = exp(x_i) / sum_j exp(x_j), in each row

    Scores of 1000 and of -1000 must do no harm.

    x: the scores, (N, C) or any shape whose last axis holds the C classes
    returns p: the shape and dtype of x; each row has the sum 1
    """
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(dp, p):
    """Gradient of softmax.

    dL/dx_i = p_i (dL/dp_i - sum_j dL/dp_j p_j), in each row

    dp: the gradient that arrives, of the shape of p
    p:  the output of the forward pass, (N, C) or any shape with classes last
    returns dx: the shape and dtype of dp; each row has the sum 0
    """
    mean = (dp * p).sum(axis=-1, keepdims=True)
    return p * (dp - mean)


def over_the_batch(x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=0)


def over_the_second_axis(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def one_sum_for_all(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum()


def never_divided(x):
    return np.exp(x - x.max(axis=-1, keepdims=True))


def no_maximum(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def maximum_of_all(x):
    e = np.exp(x - x.max())
    return e / e.sum(axis=-1, keepdims=True)


def maximum_of_columns(x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=-1, keepdims=True)


def sum_without_keepdims(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1)


def logarithm(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def diagonal_alone(dp, p):
    return p * (1 - p) * dp


def own_term_alone(dp, p):
    return p * dp


def p_left_out(dp, p):
    return dp - (dp * p).sum(axis=-1, keepdims=True)


def added(dp, p):
    return p * (dp + (dp * p).sum(axis=-1, keepdims=True))


def plain_mean(dp, p):
    return p * (dp - dp.mean(axis=-1, keepdims=True))


def mean_of_products(dp, p):
    return p * (dp - (dp * p).mean(axis=-1, keepdims=True))


def summed_over_the_batch(dp, p):
    return p * (dp - (dp * p).sum(axis=0))


def summed_over_everything(dp, p):
    return p * (dp - (dp * p).sum())


def mean_without_keepdims(dp, p):
    return p * (dp - (dp * p).sum(axis=-1))


def softmax_once_more(dp, p):
    again = np.exp(p) / np.exp(p).sum(axis=-1, keepdims=True)
    return again * (dp - (dp * again).sum(axis=-1, keepdims=True))


def forward_samples(rng):
    by_hand = np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]])
    square, levels, deep, wide = (
        2 * rng.standard_normal(s) for s in [(3, 3), (5, 2), (2, 3, 5), (3, 7)]
    )
    levels += np.array([[1000.0], [-1000.0], [0.0], [1000.0], [-1000.0]])
    return [
        {"x": by_hand},
        {"x": square},
        {"x": wide + 1000},  # too large for exp, and all rows alike
        {"x": levels},  # rows far apart
        {"x": deep},
    ]


def backward_samples(rng):
    by_hand = {
        "dp": np.array([[6.0, 0.0, 0.0], [0.0, 4.0, -2.0]]),
        "p": softmax(np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]])),
    }
    shapes = [(3, 3), (5, 3), (3, 7), (2, 3, 5)]
    return [
        by_hand,
        *({"dp": rng.standard_normal(s), "p": softmax(rng.standard_normal(s))} for s in shapes),
    ]


ROW = "layers/softmax#one-row-in-one-distribution-out"
OVERFLOW = "layers/softmax#the-formula-is-right-and-the-program-is-wrong"
JACOBIAN = "layers/softmax#the-jacobian-from-one-number-to-a-row"
SUM = "layers/softmax#the-sum-that-needs-no-matrix"
WRONG = "layers/softmax#five-ways-to-get-it-wrong"

EXERCISES = (
    Exercise(
        name="softmax",
        title="Softmax, forward",
        page="layers/softmax",
        task="Write the function that turns scores into probabilities along the last axis, and "
        "that no score is too large or too small for.",
        hints=(
            "What should the sum of each row be? And what does `np.exp(1000)` give?",
            "Take the largest score of each row away before the exponential: nothing changes but "
            "the size of the numbers. Then divide each row by its own sum.",
            "`x.max(axis=-1, keepdims=True)` is one number for each row, in a shape that fits x. "
            "The sum needs the same two arguments.",
        ),
        functions=(
            Function(
                solution=softmax,
                reference=lambda x: losses.softmax(x)[0],
                returns=("p",),
                samples=forward_samples,
                misconceptions=(
                    Misconception(
                        "softmax over the batch",
                        over_the_batch,
                        "The columns of your p sum to 1, and its rows do not: you went along axis "
                        "0, the batch. Each example has its own distribution over the classes, and "
                        "these lie along the last axis, `axis=-1`.",
                        WRONG,
                    ),
                    Misconception(
                        "axis 1 in the place of the last",
                        over_the_second_axis,
                        "With two axes your p is right, with three it is not: axis 1 is the last "
                        "one only where there are two. `axis=-1` is the last axis always.",
                        ROW,
                    ),
                    Misconception(
                        "not normalised for each row",
                        one_sum_for_all,
                        "Your p sums to 1 as a whole. Each row should, because each is the "
                        "distribution of one example: the sum needs `axis=-1` and `keepdims=True`.",
                        WRONG,
                    ),
                    Misconception(
                        "not normalised at all",
                        never_divided,
                        "The largest number in each row of your p is exactly 1, and the rows sum "
                        "to more: the exponentials were never divided by their sum.",
                        ROW,
                    ),
                    Misconception(
                        "no maximum subtracted",
                        no_maximum,
                        "Small scores go right. At 1000 the exponential overflows and inf / inf is "
                        "nan; at -1000 it is 0, and so is the sum. Subtract the largest score of "
                        "the row first: it cancels, and the largest exponential becomes 1.",
                        OVERFLOW,
                    ),
                    Misconception(
                        "the maximum of the whole array subtracted",
                        maximum_of_all,
                        "One maximum for the whole array is right on paper and prevents every "
                        "overflow. But a row far below it becomes all zeros, and 0 / 0 is nan. "
                        "Subtract from each row its own maximum.",
                        OVERFLOW,
                    ),
                    Misconception(
                        "the maximum of each column subtracted",
                        maximum_of_columns,
                        "You subtract the maximum of each column. What cancels is one number for "
                        "a whole row: a different one for each class changes the probabilities. "
                        "The maximum needs `axis=-1`, as the sum does.",
                        OVERFLOW,
                    ),
                    Misconception(
                        "the sum without keepdims",
                        sum_without_keepdims,
                        "Row sums without `keepdims=True` have the shape (N,), and NumPy lays them "
                        "along the columns. Here both sizes are {C}, so nothing fails, and element "
                        "(n, k) is divided by the sum of row k. With other sizes it is an error.",
                        WRONG,
                    ),
                    Misconception(
                        "the logarithm of the probabilities",
                        logarithm,
                        "No number of your p is above 0: they are the logarithms of the "
                        "probabilities. The logarithm belongs to the loss, not to softmax.",
                        ROW,
                    ),
                ),
                facts=lambda inputs: {"C": inputs["x"].shape[-1]},
                meanings={"C": "the number of classes"},
            ),
        ),
    ),
    Exercise(
        name="softmax_backward",
        title="Softmax, backward",
        page="layers/softmax",
        task="Write the gradient of softmax, from the gradient that arrives and the probabilities "
        "of the forward pass.",
        hints=(
            "When one score grows, which probabilities of its row change?",
            "All of them: the gradient of one score is a sum over the row. The sum is the same "
            "number for all scores of a row, so compute it once.",
            "That number is the mean of dp, weighted with p: `(dp * p).sum(...)` along the last "
            "axis, with the axis kept. Each score gets p times how far its dp lies above it.",
        ),
        functions=(
            Function(
                solution=softmax_backward,
                reference=losses.softmax_backward,
                returns=("dx",),
                samples=backward_samples,
                misconceptions=(
                    Misconception(
                        "the Jacobian's diagonal alone",
                        diagonal_alone,
                        "Your dx is p (1 − p) dp: each score feeds its own probability only. It "
                        "feeds all of its row, through the sum that all are divided by, so the "
                        "row's other terms are missing. The sum of each row of dx should be 0.",
                        SUM,
                    ),
                    Misconception(
                        "the row's sum is left out",
                        own_term_alone,
                        "Your dx is p dp. That is the path through the numerator. Each score also "
                        "stands in the denominator of its row: subtract the weighted mean of dp "
                        "first.",
                        JACOBIAN,
                    ),
                    Misconception(
                        "not multiplied by p at the end",
                        p_left_out,
                        "Your dx is how far dp lies above its weighted mean, which is right so "
                        "far. Each element is still to be multiplied by its p: a class without "
                        "probability has nothing to move.",
                        SUM,
                    ),
                    Misconception(
                        "the weighted mean added",
                        added,
                        "You add the weighted mean of dp where it is subtracted. Raising one score "
                        "lowers the other probabilities, so their part has a minus.",
                        JACOBIAN,
                    ),
                    Misconception(
                        "the mean not weighted",
                        plain_mean,
                        "You subtract the plain mean of dp. The mean is weighted with the "
                        "probabilities: sum dp times p along the row.",
                        WRONG,
                    ),
                    Misconception(
                        "the weighted mean divided by the number of classes",
                        mean_of_products,
                        "You take the `mean` of dp times p, and divide by {C}, the number of "
                        "classes. The weights p sum to 1 already: it is a `sum`.",
                        SUM,
                    ),
                    Misconception(
                        "summed over the batch",
                        summed_over_the_batch,
                        "You sum dp times p along axis 0, over the examples. Rows have nothing to "
                        "do with each other: the sum runs along the last axis, over the classes.",
                        SUM,
                    ),
                    Misconception(
                        "one sum for the whole array",
                        summed_over_everything,
                        "You subtract one number from the whole array: the sum has no axis. Each "
                        "row has a sum of its own, along the last axis.",
                        SUM,
                    ),
                    Misconception(
                        "the row's sum without keepdims",
                        mean_without_keepdims,
                        "Row sums without `keepdims=True` have the shape (N,), and NumPy lays them "
                        "along the columns. Here both sizes are {C}, so nothing fails, and column "
                        "k gets the sum of row k. With other sizes it is an error.",
                        WRONG,
                    ),
                    Misconception(
                        "softmax taken once more",
                        softmax_once_more,
                        "You take the softmax of p before you use it. p holds the probabilities "
                        "already: it is the output of the forward pass, not its input.",
                        SUM,
                    ),
                ),
                facts=lambda inputs: {"C": inputs["p"].shape[-1]},
                meanings={"C": "the number of classes"},
            ),
        ),
    ),
)
