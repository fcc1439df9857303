"""The fully connected layer, forward and backward."""

import numpy as np

import nn_tutorial as nt
from nn_tutorial.layers.linear import LinearCache

from ..exercise import Exercise, Function, Misconception

AFTER = "relu"


def linear(x, weight, bias):
    """Fully connected layer.

    y[n, k] = sum over i of x[n, i] * weight[i, k], plus bias[k]

    x:      (N, I), one example per row
    weight: (I, K); PyTorch stores the transpose
    bias:   (K,)
    returns y: (N, K), dtype of x
    """
    return x @ weight + bias


def linear_backward(dy, x, weight):
    """Gradients of linear.

    dx[n, i]      = sum over k of dy[n, k] * weight[i, k]
    dweight[i, k] = sum over n of x[n, i] * dy[n, k]
    dbias[k]      = sum over n of dy[n, k]

    dy:     (N, K), the upstream gradient
    x:      (N, I)
    weight: (I, K)
    returns dx (N, I), dweight (I, K), dbias (K,)

    Floats keep their dtype: float32 in, float32 out.
    """
    return dy @ weight.T, x.T @ dy, dy.sum(axis=0)


def no_bias(x, weight, bias):
    return x @ weight


def bias_twice(x, weight, bias):
    return x @ weight + 2 * bias


def bias_subtracted(x, weight, bias):
    return x @ weight - bias


def bias_for_each_input(x, weight, bias):
    return x @ weight + x.shape[1] * bias


def bias_multiplied(x, weight, bias):
    return x @ weight * bias


def first_bias_for_all(x, weight, bias):
    return x @ weight + bias[0]


def bias_by_example(x, weight, bias):
    return x @ weight + np.resize(bias, len(x))[:, None]


def divided_by_features(x, weight, bias):
    return x @ weight / x.shape[1] + bias


def bias_inside_product(x, weight, bias):
    return x @ (weight + bias)


def bent(x, weight, bias):
    return np.maximum(x @ weight + bias, 0)


def batch_mean_of_parameters(dy, x, weight):
    return dy @ weight.T, x.T @ dy / len(x), dy.mean(axis=0)


def dx_without_dy(dy, x, weight):
    return np.ones_like(dy) @ weight.T, x.T @ dy, dy.sum(axis=0)


def weight_without_dy(dy, x, weight):
    return dy @ weight.T, x.T @ np.ones_like(dy), dy.sum(axis=0)


def bias_without_dy(dy, x, weight):
    return dy @ weight.T, x.T @ dy, np.full(dy.shape[1], len(dy), dy.dtype)


def dy_forgotten(dy, x, weight):
    ones = np.ones_like(dy)
    return ones @ weight.T, x.T @ ones, ones.sum(axis=0)


def all_averaged(dy, x, weight):
    return dy @ weight.T / len(x), x.T @ dy / len(x), dy.mean(axis=0)


def bias_not_summed(dy, x, weight):
    return dy @ weight.T, x.T @ dy, dy


def bias_summed_over_features(dy, x, weight):
    return dy @ weight.T, x.T @ dy, dy.sum(axis=1)


def bias_averaged(dy, x, weight):
    return dy @ weight.T, x.T @ dy, dy.mean(axis=0)


def bias_summed_to_one_number(dy, x, weight):
    return dy @ weight.T, x.T @ dy, np.full(dy.shape[1], dy.sum(), dy.dtype)


def weight_transposed(dy, x, weight):
    return dy @ weight.T, dy.T @ x, dy.sum(axis=0)


def weight_averaged(dy, x, weight):
    return dy @ weight.T, x.T @ dy / len(x), dy.sum(axis=0)


def first_example_alone(dy, x, weight):
    return dy @ weight.T, np.outer(x[0], dy[0]), dy.sum(axis=0)


def dx_averaged(dy, x, weight):
    return dy @ weight.T / len(x), x.T @ dy, dy.sum(axis=0)


def sizes_by_hand():
    x = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 4.0]])
    weight = np.array([[2.0, 1.0], [0.0, 5.0], [1.0, -2.0]])
    return x, weight


def forward_samples(rng):
    x, weight = sizes_by_hand()
    samples = [{"x": x, "weight": weight, "bias": np.array([1.0, -3.0])}]
    for n, i, k in [(5, 3, 2), (3, 5, 7), (7, 2, 3), (4, 7, 5), (1, 3, 2), (3, 3, 3)]:
        samples.append(
            {
                "x": rng.standard_normal((n, i)),
                "weight": rng.standard_normal((i, k)),
                "bias": rng.standard_normal(k),
            }
        )
    return samples


def backward_samples(rng):
    x, weight = sizes_by_hand()
    samples = [{"dy": np.array([[1.0, 0.0], [-1.0, 2.0]]), "x": x, "weight": weight}]
    for inputs in forward_samples(rng)[1:]:
        x, weight = inputs["x"], inputs["weight"]
        dy = rng.standard_normal((len(x), weight.shape[1]))
        samples.append({"dy": dy, "x": x, "weight": weight})
    return samples


def book_backward(dy, x, weight):
    return nt.linear_backward(dy, LinearCache(x, weight))


MEANINGS = {
    "N": "the batch size",
    "I": "the number of input features",
    "K": "the number of outputs",
}
FORWARD, INDICES = "layers/linear#two-examples-by-hand", "layers/linear#from-one-number-to-indices"
SHAPES, WRONG = (
    "layers/linear#the-shape-argument-and-where-it-ends",
    "layers/linear#seven-ways-to-get-it-wrong",
)

EXERCISES = (
    Exercise(
        name="linear",
        title="The fully connected layer",
        page="layers/linear",
        task="Write the forward pass of the fully connected layer, for a batch of examples.",
        hints=(
            "Which numbers of x and of weight does y[n, k] need? Which index is summed over?",
            "The sum over i is what a matrix product does. The bias has one number for each "
            "output, the same for all examples.",
            "`x @ weight` has the shape (N, K). Adding an array of shape (K,) to it adds the same "
            "row to each of its rows.",
        ),
        functions=(
            Function(
                solution=linear,
                reference=lambda x, weight, bias: nt.linear(x, weight, bias)[0],
                returns=("y",),
                samples=forward_samples,
                axes={"x": "N I", "weight": "I K"},
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "the bias is forgotten",
                        no_bias,
                        "Your y is x @ weight alone. Each of the {K} outputs also has a bias.",
                        FORWARD,
                    ),
                    Misconception(
                        "the bias is added twice",
                        bias_twice,
                        "Your y is too large by exactly the bias: it has been added twice.",
                        FORWARD,
                    ),
                    Misconception(
                        "the bias is subtracted",
                        bias_subtracted,
                        "Your y is x @ weight minus the bias. It is added.",
                        FORWARD,
                    ),
                    Misconception(
                        "the bias is added for each input",
                        bias_for_each_input,
                        "Your bias has come in {I} times, once for each input feature. It is "
                        "added once, after the sum.",
                        INDICES,
                    ),
                    Misconception(
                        "multiplied by the bias",
                        bias_multiplied,
                        "Your y is x @ weight times the bias. The bias is added.",
                        FORWARD,
                    ),
                    Misconception(
                        "the first bias for all outputs",
                        first_bias_for_all,
                        "Your y adds the first number of the bias to all outputs. Each of the {K} "
                        "outputs has its own.",
                        FORWARD,
                    ),
                    Misconception(
                        "the bias is added along the batch",
                        bias_by_example,
                        "Your bias changes from example to example. It has one number for each of "
                        "the {K} outputs, and all {N} examples get the same.",
                        FORWARD,
                    ),
                    Misconception(
                        "the sum over the features is a mean",
                        divided_by_features,
                        "Your x @ weight is divided by {I}, the number of input features. The "
                        "layer adds the products up; it takes no mean.",
                        INDICES,
                    ),
                    Misconception(
                        "the bias is inside the product",
                        bias_inside_product,
                        "Your bias is added to the weight, and so multiplied with x. It is added "
                        "to the finished product.",
                        INDICES,
                    ),
                    Misconception(
                        "a ReLU is applied as well",
                        bent,
                        "Your y has 0 where it should be negative: that is a ReLU, the next layer. "
                        "The fully connected layer does not bend.",
                        FORWARD,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="linear_backward",
        title="The gradients of the fully connected layer",
        page="layers/linear",
        task="Write the three gradients of the fully connected layer, given the upstream gradient.",
        hints=(
            "weight[i, k] is used once for each example. What happens to the gradients of a number "
            "that is used several times?",
            "Each gradient has the shape of what it belongs to: dx that of x, dweight that of "
            "weight, dbias that of bias. Which products of dy, x and weight have these shapes?",
            "(N, K) times (K, I) gives dx, so the weight is transposed. (I, N) times (N, K) gives "
            "dweight, so x is. The bias was added to every row, so the rows of dy are summed.",
        ),
        functions=(
            Function(
                solution=linear_backward,
                reference=book_backward,
                returns=("dx", "dweight", "dbias"),
                samples=backward_samples,
                axes={"x": "N I", "weight": "I K"},
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "the bias's gradient is not summed over the batch",
                        bias_not_summed,
                        "Your dbias is dy itself, of shape ({N}, {K}). All {N} examples used the "
                        "same bias, so their gradients add up: sum over the batch.",
                        INDICES,
                    ),
                    Misconception(
                        "the bias's gradient is summed over the wrong axis",
                        bias_summed_over_features,
                        "Your dbias sums over the {K} outputs and has a number for each of the {N} "
                        "examples. It belongs to the outputs: sum over the examples, axis 0.",
                        SHAPES,
                    ),
                    Misconception(
                        "the bias's gradient is a mean",
                        bias_averaged,
                        "Your dbias is exactly {N} times too small, and {N} is the batch size. The "
                        "layer sums; where the loss is a mean, dy has been divided already.",
                        WRONG,
                    ),
                    Misconception(
                        "the bias's gradient is one number",
                        bias_summed_to_one_number,
                        "Your dbias is the sum of all of dy, for every output. Output k collects "
                        "its own column only: sum over axis 0.",
                        SHAPES,
                    ),
                    Misconception(
                        "dx without dy",
                        dx_without_dy,
                        "Your dx is right for a dy of all ones: the upstream gradient is not used "
                        "in it.",
                        INDICES,
                        alone="The other two are right.",
                    ),
                    Misconception(
                        "dweight without dy",
                        weight_without_dy,
                        "Your dweight is right for a dy of all ones: the upstream gradient is not "
                        "used in it.",
                        INDICES,
                        alone="The other two are right.",
                    ),
                    Misconception(
                        "dbias without dy",
                        bias_without_dy,
                        "Your dbias is {N} for every output, the number of examples: it is right "
                        "for a dy of all ones.",
                        INDICES,
                    ),
                    Misconception(
                        "dy is forgotten",
                        dy_forgotten,
                        "Your gradients are right for a dy of all ones: the upstream gradient is "
                        "not used. The chain rule multiplies by it.",
                        INDICES,
                    ),
                    Misconception(
                        "all three gradients are means",
                        all_averaged,
                        "Your three gradients are exactly {N} times too small, and {N} is the "
                        "batch size. Where the loss is a mean, dy has been divided by {N} "
                        "already.",
                        WRONG,
                    ),
                    Misconception(
                        "the weight's gradient is transposed",
                        weight_transposed,
                        "Your dweight has the shape ({K}, {I}), the transpose of what belongs to a "
                        "weight of ({I}, {K}): it is x.T @ dy, not dy.T @ x.",
                        SHAPES,
                    ),
                    Misconception(
                        "the weight's gradient is a mean",
                        weight_averaged,
                        "Your dweight is exactly {N} times too small, and {N} is the batch size. "
                        "The layer sums over the batch; where the loss is a mean, dy has been "
                        "divided already.",
                        WRONG,
                    ),
                    Misconception(
                        "both parameters' gradients are means",
                        batch_mean_of_parameters,
                        "Your dweight and dbias are exactly {N} times too small, and {N} is the "
                        "batch size. Where the loss is a mean, dy has been divided by {N} already: "
                        "dividing again makes every step too short.",
                        WRONG,
                    ),
                    Misconception(
                        "only the first example counts",
                        first_example_alone,
                        "Your dweight is the outer product of the first example alone. Each of the "
                        "{N} examples adds its own.",
                        INDICES,
                    ),
                    Misconception(
                        "the input's gradient is a mean",
                        dx_averaged,
                        "Your dx is exactly {N} times too small, and {N} is the batch size. Each "
                        "row of dx belongs to one example, and nothing is averaged in it.",
                        INDICES,
                    ),
                ),
            ),
        ),
    ),
)
