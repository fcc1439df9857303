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

    dp: the upstream gradient, of the shape of p
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


def minimum_subtracted(x):
    e = np.exp(x - x.min(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def mean_subtracted(x):
    e = np.exp(x - x.mean(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def base_two(x):
    e = 2.0 ** (x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def no_exponential(x):
    return x / x.sum(axis=-1, keepdims=True)


def shifted_without_exponential(x):
    shifted = x - x.min(axis=-1, keepdims=True)
    return shifted / shifted.sum(axis=-1, keepdims=True)


def sizes_without_exponential(x):
    return np.abs(x) / np.abs(x).sum(axis=-1, keepdims=True)


def hard_maximum(x):
    return (x == x.max(axis=-1, keepdims=True)).astype(x.dtype)


def winner_alone(x):
    return np.eye(x.shape[-1], dtype=x.dtype)[x.argmax(axis=-1)]


def of_the_negative(x):
    return softmax(-x)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def length_one(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / np.sqrt((e * e).sum(axis=-1, keepdims=True))


def divided_by_the_largest_score(x):
    e = np.exp(x / x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logarithm(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def diagonal_alone(dp, p):
    return p * (1 - p) * dp


def own_term_alone(dp, p):
    return p * dp


def p_left_out(dp, p):
    return dp - (dp * p).sum(axis=-1, keepdims=True)


def sum_without_p(dp, p):
    return p * (dp - dp.sum(axis=-1, keepdims=True))


def others_alone(dp, p):
    return -p * ((dp * p).sum(axis=-1, keepdims=True) - dp * p)


def sum_alone(dp, p):
    return -p * (dp * p).sum(axis=-1, keepdims=True)


def dp_forgotten(dp, p):
    return p * (1 - p)


def p_taken_twice(dp, p):
    return p * p * (dp - (dp * p).sum(axis=-1, keepdims=True))


def sign_of_all(dp, p):
    return p * ((dp * p).sum(axis=-1, keepdims=True) - dp)


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
        {"x": apart(rng, 4, 3)},
        {"x": apart(rng, 3, 5)},
        {"x": rng.standard_normal((3, 3, 3))},
    ]


def apart(rng, n, c):
    """Rows that hold 1000 and -1000, so that only the row's maximum helps."""
    x = rng.standard_normal((n, c))
    x[:, 0] += 1000
    x[:, 1] -= 1000
    return x[:, rng.permutation(c)]


def backward_samples(rng):
    by_hand = {
        "dp": np.array([[6.0, 0.0, 0.0], [0.0, 4.0, -2.0]]),
        "p": softmax(np.log([[1.0, 2.0, 3.0], [1.0, 1.0, 2.0]])),
    }
    shapes = [(3, 3), (5, 3), (3, 7), (2, 3, 5), (3, 3, 3)]
    return [
        by_hand,
        *({"dp": rng.standard_normal(s), "p": softmax(rng.standard_normal(s))} for s in shapes),
    ]


def facts(array):
    return {"C": array.shape[-1], "rows": array.size // array.shape[-1]}


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
        task="Write the function that turns scores into probabilities along the last axis, for "
        "scores of any size.",
        hints=(
            "What should the sum of each row be? And what does `np.exp(1000)` give?",
            "Subtract the largest score of each row before the exponential: nothing changes but "
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
                        "axis 1 instead of the last",
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
                        "Small scores come out right. At 1000 the exponential overflows and inf / "
                        "inf is nan; at -1000 it is 0, and so is the sum. Subtract the largest "
                        "score of the row first: it cancels, and the largest exponential becomes "
                        "1.",
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
                        "the minimum subtracted",
                        minimum_subtracted,
                        "You subtract the smallest score of each row. On paper that cancels as "
                        "well, but the largest score stays above 0, and its exponential overflows "
                        "where a row holds 1000 and -1000. Subtract the largest.",
                        OVERFLOW,
                    ),
                    Misconception(
                        "the mean subtracted",
                        mean_subtracted,
                        "You subtract the mean of each row. On paper that cancels as well, but "
                        "the largest score stays above 0, and its exponential overflows where a "
                        "row holds 1000 and -1000. Subtract the largest.",
                        OVERFLOW,
                    ),
                    Misconception(
                        "2 instead of e",
                        base_two,
                        "Your p is made of powers of 2, not of e: use `np.exp`.",
                        ROW,
                    ),
                    Misconception(
                        "no exponential",
                        no_exponential,
                        "Your p is the scores divided by their sum, without an exponential. "
                        "Scores may be negative, and then so are these.",
                        ROW,
                        also=(
                            shifted_without_exponential,
                            sizes_without_exponential,
                        ),
                    ),
                    Misconception(
                        "a hard maximum",
                        hard_maximum,
                        "Your p is 1 for the largest score of each row, and 0 for the others. The "
                        "softmax is soft: each class gets a share, by the exponential of its "
                        "score.",
                        ROW,
                        also=(winner_alone,),
                    ),
                    Misconception(
                        "the sign of the scores is flipped",
                        of_the_negative,
                        "Your p is largest for the smallest score: it is the softmax of -x.",
                        ROW,
                    ),
                    Misconception(
                        "each score by itself",
                        logistic,
                        "Your p is 1 / (1 + exp(-x)), the logistic function of each score by "
                        "itself. Softmax divides by the sum of the row, so the classes share.",
                        ROW,
                    ),
                    Misconception(
                        "divided by the length",
                        length_one,
                        "You divide by the root of the sum of squares: the squares of your p sum "
                        "to 1, not p itself.",
                        ROW,
                    ),
                    Misconception(
                        "divided by the largest score",
                        divided_by_the_largest_score,
                        "You divide the scores by the largest of the row, where it should be "
                        "subtracted. Only a difference cancels.",
                        OVERFLOW,
                    ),
                    Misconception(
                        "the logarithm of the probabilities",
                        logarithm,
                        "No number of your p is above 0: they are the logarithms of the "
                        "probabilities. The logarithm belongs to the loss, not to softmax.",
                        ROW,
                    ),
                ),
                facts=lambda inputs: facts(inputs["x"]),
                meanings={"C": "the number of classes", "rows": "the number of rows"},
            ),
        ),
    ),
    Exercise(
        name="softmax_backward",
        title="Softmax, backward",
        page="layers/softmax",
        task="Write the gradient of softmax, from the upstream gradient and the probabilities of "
        "the forward pass.",
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
                        "the sum without p",
                        sum_without_p,
                        "You subtract the plain sum of dp. The sum is weighted: each dp times its "
                        "p.",
                        SUM,
                    ),
                    Misconception(
                        "the Jacobian's diagonal is missing",
                        others_alone,
                        "Your dx has what each score does to the other probabilities, and not "
                        "what it does to its own.",
                        SUM,
                    ),
                    Misconception(
                        "the sum alone",
                        sum_alone,
                        "Your dx is -p times the weighted sum of dp. The term p dp, from the "
                        "numerator, is missing.",
                        JACOBIAN,
                    ),
                    Misconception(
                        "dp is forgotten",
                        dp_forgotten,
                        "Your dx is p (1 - p), and does not depend on dp. The chain rule "
                        "multiplies by dp.",
                        SUM,
                    ),
                    Misconception(
                        "p counted twice",
                        p_taken_twice,
                        "Your dx has one factor p too many in front of the bracket.",
                        SUM,
                    ),
                    Misconception(
                        "the sign is flipped",
                        sign_of_all,
                        "Your dx has the wrong sign: it is dp less its weighted mean.",
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
                facts=lambda inputs: facts(inputs["p"]),
                meanings={"C": "the number of classes", "rows": "the number of rows"},
            ),
        ),
    ),
)
