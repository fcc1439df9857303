"""A network of two layers: its loss, and the gradients of its parameters."""

from functools import partial

import numpy as np

from nn_tutorial import linear, linear_backward, relu, relu_backward, softmax_cross_entropy

from ..exercise import Exercise, Function, Misconception

AFTER = "cross_entropy"


def two_layer_loss(x, labels, weight1, bias1, weight2, bias2):
    """Loss of a network with one hidden layer.

    a = x weight1 + bias1
    r = max(a, 0)
    z = r weight2 + bias2
    p = softmax of each row of z
    L = -(1/N) sum_n log p[n, labels[n]]

    Scores z of 1000 must do no harm.

    x: (N, D), one example per row
    labels: (N,), the true classes, integers from 0 to C - 1
    weight1: (D, M)    bias1: (M,)
    weight2: (M, C)    bias2: (C,)
    returns loss: one number

    Floats keep their dtype: float32 in, float32 out.
    """
    r = np.maximum(x @ weight1 + bias1, 0)
    z = r @ weight2 + bias2
    shifted = z - z.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1)
    return (np.log(total) - shifted[np.arange(len(labels)), labels]).mean()


def two_layer_gradients(x, labels, weight1, bias1, weight2, bias2):
    """Gradients of two_layer_loss with respect to the four parameters.

    dL/dz = (p - T) / N, with T[n, labels[n]] = 1 and 0 elsewhere
    dL/dweight2 = r^T dL/dz
    dL/dbias2 = sum_n dL/dz[n]
    dL/dr = dL/dz weight2^T
    dL/da = dL/dr where a > 0, and 0 elsewhere
    dL/dweight1 = x^T dL/da
    dL/dbias1 = sum_n dL/da[n]

    The arguments are those of two_layer_loss.

    returns dweight1: (D, M)
            dbias1: (M,)
            dweight2: (M, C)
            dbias2: (C,)

    Floats keep their dtype: float32 in, float32 out.
    """
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    e = np.exp(z - z.max(axis=1, keepdims=True))
    dz = e / e.sum(axis=1, keepdims=True)
    dz[np.arange(len(labels)), labels] -= 1
    dz /= len(labels)
    da = (dz @ weight2.T) * (a > 0)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def logarithms(z):
    """Of the probabilities."""
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def price(logarithms_of_p, labels):
    return -logarithms_of_p[np.arange(len(labels)), labels].mean()


def no_relu(x, labels, weight1, bias1, weight2, bias2):
    return price(logarithms((x @ weight1 + bias1) @ weight2 + bias2), labels)


def relu_twice(x, labels, weight1, bias1, weight2, bias2):
    z = np.maximum(x @ weight1 + bias1, 0) @ weight2 + bias2
    return price(logarithms(np.maximum(z, 0)), labels)


def bias_after_relu(x, labels, weight1, bias1, weight2, bias2):
    z = (np.maximum(x @ weight1, 0) + bias1) @ weight2 + bias2
    return price(logarithms(z), labels)


def no_first_bias(x, labels, weight1, bias1, weight2, bias2):
    z = np.maximum(x @ weight1, 0) @ weight2 + bias2
    return price(logarithms(z), labels)


def scores(x, weight1, bias1, weight2, bias2):
    return np.maximum(x @ weight1 + bias1, 0) @ weight2 + bias2


def loss_summed(x, labels, weight1, bias1, weight2, bias2):
    z = scores(x, weight1, bias1, weight2, bias2)
    return price(logarithms(z), labels) * len(labels)


def loss_averaged_over_classes(x, labels, weight1, bias1, weight2, bias2):
    z = scores(x, weight1, bias1, weight2, bias2)
    return price(logarithms(z), labels) / len(bias2)


def loss_without_minus(x, labels, weight1, bias1, weight2, bias2):
    return -price(logarithms(scores(x, weight1, bias1, weight2, bias2)), labels)


def softmax_twice(x, labels, weight1, bias1, weight2, bias2):
    p = np.exp(logarithms(scores(x, weight1, bias1, weight2, bias2)))
    return price(logarithms(p), labels)


def softmax_over_the_batch(x, labels, weight1, bias1, weight2, bias2):
    z = scores(x, weight1, bias1, weight2, bias2)
    return price(logarithms(z.T).T, labels)


def logarithm_of_softmax_over_the_batch(x, labels, weight1, bias1, weight2, bias2):
    z = scores(x, weight1, bias1, weight2, bias2)
    e = np.exp(z - z.max(axis=0))
    return price(np.log(e / e.sum(axis=0)), labels)


def no_maximum(x, labels, weight1, bias1, weight2, bias2):
    e = np.exp(scores(x, weight1, bias1, weight2, bias2))
    return price(np.log(e / e.sum(axis=1, keepdims=True)), labels)


def price_of_each(z, labels):
    """The logarithm of each label's probability."""
    return logarithms(z)[np.arange(len(labels)), labels]


def logarithms_below(z, subtracted):
    """Of the probabilities, where something else than the row's maximum is subtracted."""
    shifted = z - subtracted
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def shares(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def small_number_added(x, labels, weight1, bias1, weight2, bias2, smallest=1e-9):
    p = np.exp(logarithms(scores(x, weight1, bias1, weight2, bias2)))
    return price(np.log(p + smallest), labels)


def small_number_is_the_least(x, labels, weight1, bias1, weight2, bias2, smallest=1e-9):
    p = np.exp(logarithms(scores(x, weight1, bias1, weight2, bias2)))
    return price(np.log(np.maximum(p, smallest)), labels)


def no_second_bias(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2
    return price(logarithms(z), labels)


def no_biases(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1
    r = np.maximum(a, 0)
    z = r @ weight2
    return price(logarithms(z), labels)


def tanh_hidden(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.tanh(a)
    z = r @ weight2 + bias2
    return price(logarithms(z), labels)


def logistic_hidden(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = 1 / (1 + np.exp(-a))
    z = r @ weight2 + bias2
    return price(logarithms(z), labels)


def leaky_hidden(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.where(a > 0, a, a / 100)
    z = r @ weight2 + bias2
    return price(logarithms(z), labels)


def absolute_hidden(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.abs(a)
    z = r @ weight2 + bias2
    return price(logarithms(z), labels)


def squared_hidden(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0) ** 2
    z = r @ weight2 + bias2
    return price(logarithms(z), labels)


def second_bias_subtracted(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 - bias2
    return price(logarithms(z), labels)


def no_exponential(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return -(z[np.arange(len(labels)), labels]).mean()


def probability_of_the_label(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return -np.exp(price_of_each(z, labels)).mean()


def logarithm_of_the_mean(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return -np.log(np.exp(price_of_each(z, labels)).mean())


def no_label(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)).mean()


def first_class_always(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(logarithms(z), 0 * labels)


def minimum_subtracted(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(logarithms_below(z, z.min(axis=1, keepdims=True)), labels)


def mean_subtracted(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(logarithms_below(z, z.mean(axis=1, keepdims=True)), labels)


def maximum_of_all(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(logarithms_below(z, z.max()), labels)


def minimum_subtracted_from_p(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(np.log(shares(z - z.min(axis=1, keepdims=True))), labels)


def mean_subtracted_from_p(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(np.log(shares(z - z.mean(axis=1, keepdims=True))), labels)


def maximum_of_all_from_p(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(np.log(shares(z - z.max())), labels)


def logarithm_of_p(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(np.log(shares(z - z.max(axis=1, keepdims=True))), labels)


def base_two(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    z = r @ weight2 + bias2
    return price(logarithms(z), labels) / np.log(2)


def forward(x, labels, weight1, bias1, weight2, bias2):
    """Before and after the ReLU, the probabilities, and the gradient of the scores."""
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    p = np.exp(logarithms(r @ weight2 + bias2))
    return a, r, p, (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)


def backward(x, a, r, weight2, dz):
    da = dz @ weight2.T * (a > 0)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def no_mask(x, labels, weight1, bias1, weight2, bias2):
    _, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, np.ones_like(r), r, weight2, dz)


def mask_from_upstream(x, labels, weight1, bias1, weight2, bias2):
    _, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, dz @ weight2.T, r, weight2, dz)


def open_at_zero(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, a >= 0, r, weight2, dz)


def times_hidden(x, labels, weight1, bias1, weight2, bias2):
    _, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    da = dz @ weight2.T * r
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def not_divided(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, a, r, weight2, dz * len(x))


def divided_twice(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, a, r, weight2, dz / len(x))


def sign_turned(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, a, r, weight2, -dz)


def no_one_subtracted(x, labels, weight1, bias1, weight2, bias2):
    a, r, p, _ = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, a, r, weight2, p / len(x))


def through_softmax_again(x, labels, weight1, bias1, weight2, bias2):
    a, r, p, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dz = p * (dz - (dz * p).sum(axis=1, keepdims=True))
    return backward(x, a, r, weight2, dz)


def second_bias_averaged(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return *backward(x, a, r, weight2, dz)[:3], dz.mean(axis=0)


def first_bias_averaged(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dweight1, dbias1, dweight2, dbias2 = backward(x, a, r, weight2, dz)
    return dweight1, dbias1 / len(x), dweight2, dbias2


def bias_averaged(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dweight1, dbias1, dweight2, dbias2 = backward(x, a, r, weight2, dz)
    return dweight1, dbias1 / len(x), dweight2, dbias2 / len(x)


def bias_not_summed(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dweight1, _, dweight2, _ = backward(x, a, r, weight2, dz)
    return dweight1, dz @ weight2.T * (a > 0), dweight2, dz


def weight2_not_transposed(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    da = dz @ weight2 * (a > 0)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def tanh_slope(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    da = dz @ weight2.T * (1 - np.tanh(a) ** 2)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def tanh_network(x, labels, weight1, bias1, weight2, bias2):
    a, r, p, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    r = np.tanh(a)
    p = np.exp(logarithms(r @ weight2 + bias2))
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)
    da = dz @ weight2.T * (1 - r**2)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def weight2_for_x(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dweight1, dbias1, dweight2, dbias2 = backward(x, a, r, weight2, dz)
    return dweight1 / len(x), dbias1 / len(x), dweight2, dbias2


def divided_by_classes(x, labels, weight1, bias1, weight2, bias2):
    a, r, p, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, a, r, weight2, dz / p.shape[1])


def mask_missing_in_the_bias(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dweight1, _, dweight2, dbias2 = backward(x, a, r, weight2, dz)
    return dweight1, (dz @ weight2.T).sum(axis=0), dweight2, dbias2


def one_in_all_rows(x, labels, weight1, bias1, weight2, bias2):
    a, r, p, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dz = p.copy()
    dz[:, labels] -= 1
    return backward(x, a, r, weight2, dz / len(labels))


def of_the_winner_backward(x, labels, weight1, bias1, weight2, bias2):
    a, r, p, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[p.argmax(axis=1)]) / len(labels)
    return backward(x, a, r, weight2, dz)


def layers_in_the_other_order(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    dweight1, dbias1, dweight2, dbias2 = backward(x, a, r, weight2, dz)
    return dweight2, dbias2, dweight1, dbias1


def weight2_forgotten_on_the_way(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    da = dz.sum(axis=1, keepdims=True) * (a > 0)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def absolute_hidden_backward(x, labels, weight1, bias1, weight2, bias2):
    a, r, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    da = dz @ weight2.T * np.sign(a)
    return x.T @ da, da.sum(axis=0), r.T @ dz, dz.sum(axis=0)


def no_maximum_backward(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    p = shares(r @ weight2 + bias2)
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)
    return backward(x, a, r, weight2, dz)


def maximum_of_all_backward(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    p = shares((z := r @ weight2 + bias2) - z.max())
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)
    return backward(x, a, r, weight2, dz)


def minimum_subtracted_backward(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    p = shares((z := r @ weight2 + bias2) - z.min(axis=1, keepdims=True))
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)
    return backward(x, a, r, weight2, dz)


def mean_subtracted_backward(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    p = shares((z := r @ weight2 + bias2) - z.mean(axis=1, keepdims=True))
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)
    return backward(x, a, r, weight2, dz)


def softmax_over_the_batch_backward(x, labels, weight1, bias1, weight2, bias2):
    a = x @ weight1 + bias1
    r = np.maximum(a, 0)
    p = np.exp(logarithms((r @ weight2 + bias2).T).T)
    dz = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)
    return backward(x, a, r, weight2, dz)


def before_the_relu(x, labels, weight1, bias1, weight2, bias2):
    a, _, _, dz = forward(x, labels, weight1, bias1, weight2, bias2)
    return backward(x, a, a, weight2, dz)


def network(rng, n, d, m, c):
    """Whole numbers in the first layer, so that some hidden units get exactly 0."""
    return {
        "x": rng.integers(-3, 4, (n, d)).astype(float),
        "labels": rng.permutation(np.arange(n) % c),
        "weight1": rng.integers(-2, 3, (d, m)).astype(float),
        "bias1": rng.integers(-1, 2, m).astype(float),
        "weight2": 0.5 * rng.standard_normal((m, c)),
        "bias2": rng.standard_normal(c),
    }


def samples(rng):
    by_hand = {
        "x": np.array([[0.0, 2.0], [-2.0, 1.0]]),
        "labels": np.array([0, 2]),
        "weight1": np.array([[1.0, -1.0], [0.0, 1.0]]),
        "bias1": np.array([1.0, -1.0]),
        "weight2": np.log(2) * np.array([[2.0, -1.0, 0.0], [0.0, 1.0, 0.0]]),
        "bias2": np.zeros(3),
    }
    # As many hidden units as classes, so that weight2 fits without its transpose, too.
    square = network(rng, 5, 2, 3, 3)
    square["x"][0], square["bias1"][:] = 0, [0, 1, 2]  # one hidden unit at the kink, two open
    large = network(rng, 3, 5, 7, 2)
    large["bias2"] += 1000  # too large for exp
    usual = [by_hand, square, network(rng, 7, 3, 5, 2), large, network(rng, 11, 2, 7, 5)]
    special = [network(rng, 3, 3, 3, 3), network(rng, 1, 3, 2, 4)]
    levels = far_apart(rng, 5, 3, 4, 3, [-1000, -1000, -1000])
    sure, surer = (far_apart(rng, *s, [0, 0, 0]) for s in SPREAD)
    sure["bias2"][:], sure["labels"][:] = [0, 900, 10], 1
    surer["bias2"][:], surer["labels"][:] = [0, 2000, 10], 1
    apart = [far_apart(rng, *s, [0, 5000, 1000]) for s in SPREAD]
    return [*usual, levels, sure, surer, *apart, *special]


SPREAD = ((5, 3, 4, 3), (4, 2, 6, 3))


def far_apart(rng, n, d, m, c, by_row):
    """Row k of the scores is moved by k times ``by_row``: only a row's own maximum helps."""
    found = network(rng, n, d, m, c)
    found["x"][:, 0] = np.arange(n)
    found["weight1"][:, 0] = np.arange(d) == 0
    found["bias1"][0] = 0
    found["weight2"][0] = by_row
    return found


def book_forward(x, labels, weight1, bias1, weight2, bias2):
    a, cache1 = linear(x, weight1, bias1)
    r, mask = relu(a)
    z, cache2 = linear(r, weight2, bias2)
    return *softmax_cross_entropy(z, labels), cache1, mask, cache2


def book_gradients(x, labels, weight1, bias1, weight2, bias2):
    _, dz, cache1, mask, cache2 = book_forward(x, labels, weight1, bias1, weight2, bias2)
    dr, dweight2, dbias2 = linear_backward(dz, cache2)
    assert dr is not None
    da = relu_backward(dr, mask)
    return *linear_backward(da, cache1)[1:], dweight2, dbias2


SMALL = tuple(
    partial(of, smallest=k)
    for k in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
    for of in (small_number_added, small_number_is_the_least)
)
IRIS = "networks/iris#"
CROSS_ENTROPY = "layers/cross_entropy#"
AXES = {"x": "N D", "weight2": "M C"}
MEANINGS = {
    "N": "the batch size",
    "C": "the number of classes",
    "M": "the number of hidden units",
    "D": "the number of inputs",
}

EXERCISES = (
    Exercise(
        name="two_layer_loss",
        title="The loss of a two-layer network",
        page="networks/iris",
        task="Write the loss of a whole network: linear, ReLU, linear, softmax and cross-entropy.",
        hints=(
            "What shape does each array have on the way, from (N, D) to one number?",
            "(N, D), (N, M) before and after the ReLU, (N, C) for the scores. There is one ReLU, "
            "between the two layers. Softmax and cross-entropy are one step, the fused one.",
            "`r = np.maximum(x @ weight1 + bias1, 0)`, then `z = r @ weight2 + bias2`. A row's "
            "loss is the logarithm of the sum of its exponentials less the label's score; subtract "
            "the largest score of the row from all of them first.",
        ),
        functions=(
            Function(
                solution=two_layer_loss,
                reference=lambda *inputs: book_forward(*inputs)[0],
                returns=("loss",),
                samples=samples,
                axes=AXES,
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "the ReLU is missing",
                        no_relu,
                        "Your loss is that of a network without its ReLU. Two linear layers with "
                        "nothing between them are one linear layer.",
                        "layers/linear#two-layers-without-a-bend-are-one",
                    ),
                    Misconception(
                        "a ReLU on the scores, too",
                        relu_twice,
                        "You put a ReLU after the second layer as well. Scores may be negative: "
                        "that is how the network says that a class is unlikely.",
                        IRIS + "shapes-first",
                    ),
                    Misconception(
                        "the first bias added after the ReLU",
                        bias_after_relu,
                        "You add bias1 after the ReLU. It belongs before it: the bias moves the "
                        "place at which a hidden unit opens.",
                        IRIS + "shapes-first",
                    ),
                    Misconception(
                        "the first bias is missing",
                        no_first_bias,
                        "Your loss does not depend on bias1: it is never added to x @ weight1.",
                        IRIS + "shapes-first",
                    ),
                    Misconception(
                        "the second bias is missing",
                        no_second_bias,
                        "Your loss does not depend on bias2: it is never added to r @ weight2.",
                        IRIS + "shapes-first",
                    ),
                    Misconception(
                        "both biases are missing",
                        no_biases,
                        "Your loss depends on neither bias1 nor bias2.",
                        IRIS + "shapes-first",
                    ),
                    Misconception(
                        "the second bias is subtracted",
                        second_bias_subtracted,
                        "Your scores are r @ weight2 minus bias2. It is added.",
                        IRIS + "shapes-first",
                    ),
                    Misconception(
                        "tanh instead of the ReLU",
                        tanh_hidden,
                        "Your hidden units go through tanh. A ReLU, max(a, 0), is asked for.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "the logistic function instead of the ReLU",
                        logistic_hidden,
                        "Your hidden units go through 1 / (1 + exp(-a)). A ReLU, max(a, 0), is "
                        "asked for.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "a leaky ReLU",
                        leaky_hidden,
                        "Your hidden units let a hundredth of negative numbers through: that is "
                        "the leaky ReLU.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "the absolute value instead of the ReLU",
                        absolute_hidden,
                        "Your hidden units are |a|. A ReLU turns negative numbers into 0.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "the hidden units are squared",
                        squared_hidden,
                        "Your hidden units are the squares of what the ReLU gives.",
                        "layers/relu#six-numbers-by-hand",
                    ),
                    Misconception(
                        "the sum instead of the mean",
                        loss_summed,
                        "Your loss is exactly {N} times too large, and {N} is the batch size: the "
                        "loss is the mean over the examples.",
                        IRIS + "forgetting-to-divide-by-n",
                    ),
                    Misconception(
                        "divided by the number of classes as well",
                        loss_averaged_over_classes,
                        "Your loss is exactly {C} times too small, and {C} is the number of "
                        "classes. A mean over an (N, C) table divides by N times C; only the "
                        "{N} examples count.",
                        CROSS_ENTROPY + "six-ways-to-get-it-wrong",
                    ),
                    Misconception(
                        "the minus is missing",
                        loss_without_minus,
                        "Your loss has the wrong sign. Logarithms of probabilities are never above "
                        "0; the minus makes a price of them.",
                        CROSS_ENTROPY + "from-likelihood-to-loss",
                    ),
                    Misconception(
                        "the score alone",
                        no_exponential,
                        "Your loss is minus the mean score of the labels. The logarithm of the "
                        "sum of the exponentials is missing.",
                        CROSS_ENTROPY + "from-likelihood-to-loss",
                    ),
                    Misconception(
                        "the label is not read",
                        no_label,
                        "Your loss does not depend on the labels: it is the logarithm of the sum "
                        "of the exponentials, less the largest score. Either the label's score is "
                        "not subtracted, or the winner is taken for the label.",
                        CROSS_ENTROPY + "from-likelihood-to-loss",
                    ),
                    Misconception(
                        "the logarithm is missing",
                        probability_of_the_label,
                        "Your loss is minus the mean probability of the labels. The price is the "
                        "negative logarithm.",
                        CROSS_ENTROPY + "from-likelihood-to-loss",
                    ),
                    Misconception(
                        "the logarithm of the mean",
                        logarithm_of_the_mean,
                        "You average the probabilities and then take the logarithm. Each example "
                        "pays for itself: first the logarithms, then their mean.",
                        CROSS_ENTROPY + "from-likelihood-to-loss",
                    ),
                    Misconception(
                        "the first class instead of the label",
                        first_class_always,
                        "Your loss reads the first class in every row. Read the labels.",
                        CROSS_ENTROPY + "from-likelihood-to-loss",
                    ),
                    Misconception(
                        "logarithm to base 2",
                        base_two,
                        "Your loss is in bits, 1.443 times too large: the logarithm is the "
                        "natural one, `np.log`.",
                        CROSS_ENTROPY + "from-likelihood-to-loss",
                    ),
                    Misconception(
                        "softmax applied twice",
                        softmax_twice,
                        "You take the softmax of the softmax. The second draws the probabilities "
                        "towards each other, so the loss can never get near 0.",
                        "layers/softmax#five-ways-to-get-it-wrong",
                    ),
                    Misconception(
                        "softmax over the batch",
                        softmax_over_the_batch,
                        "You take the softmax along axis 0, over the {N} examples. Each example "
                        "has its own distribution over the {C} classes, along axis 1.",
                        "layers/softmax#five-ways-to-get-it-wrong",
                        also=(logarithm_of_softmax_over_the_batch,),
                    ),
                    Misconception(
                        "the minimum subtracted",
                        minimum_subtracted,
                        "You subtract the smallest score of each row. It cancels on paper, but "
                        "the largest exponential overflows where scores are far apart. Subtract "
                        "the largest.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                        also=(minimum_subtracted_from_p,),
                    ),
                    Misconception(
                        "the mean subtracted",
                        mean_subtracted,
                        "You subtract the mean score of each row. It cancels on paper, but the "
                        "largest exponential overflows where scores are far apart. Subtract the "
                        "largest.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                        also=(mean_subtracted_from_p,),
                    ),
                    Misconception(
                        "the maximum of the whole array subtracted",
                        maximum_of_all,
                        "You subtract one number from all rows, the largest of the whole array. "
                        "In a row far below it all exponentials become 0, and so does their sum. "
                        "Each row has its own maximum.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                        also=(maximum_of_all_from_p,),
                    ),
                    Misconception(
                        "the logarithm of a probability that rounds to 0",
                        logarithm_of_p,
                        "Your loss is infinite where the label's probability rounds to 0. Take no "
                        "logarithm of a probability: -log p is the logarithm of the sum of the "
                        "exponentials less the label's score, and that is finite.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                    ),
                    Misconception(
                        "a small number added before the logarithm",
                        small_number_added,
                        "Your loss is too small where the label is nearly impossible: a small "
                        "number, added before the logarithm or used as a minimum, puts a ceiling "
                        "on it. The logarithm of the sum of the exponentials less the score needs "
                        "none.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                        also=SMALL,
                    ),
                    Misconception(
                        "no maximum subtracted",
                        no_maximum,
                        "Scores of 1000 overflow the exponential, and inf / inf is nan. Subtract "
                        "the largest score of each row first; it cancels.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="two_layer_gradients",
        title="The gradients of a two-layer network",
        page="networks/iris",
        task="Write the gradients of a two-layer network's loss with respect to its four "
        "parameters.",
        hints=(
            "Where does the loss read the scores, and where do the scores read weight2?",
            "Walk back one step at a time: (p − T) / N for the scores, then the second layer, the "
            "ReLU, the first layer. At each step the gradient has the shape of what it belongs to.",
            "For a layer y = x W + b: the gradient of W is `x.T @ dy`, that of b is "
            "`dy.sum(axis=0)`, that of x is `dy @ W.T`. The gate of the ReLU is `a > 0`, with a "
            "what stands before it. N is divided by once, at the scores.",
        ),
        functions=(
            Function(
                solution=two_layer_gradients,
                reference=book_gradients,
                returns=("dweight1", "dbias1", "dweight2", "dbias2"),
                samples=samples,
                axes=AXES,
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "the mask of the ReLU is forgotten",
                        no_mask,
                        "In your first layer, gradients come through hidden units that were "
                        "closed: multiply by the gate, a > 0, on the way back. (A gate `r >= 0` "
                        "is always open.)",
                        IRIS + "two-flowers-by-hand",
                    ),
                    Misconception(
                        "the mask taken from the gradient",
                        mask_from_upstream,
                        "Your gate opens where the upstream gradient is positive. It belongs to "
                        "the forward pass: open where a, before the ReLU, was positive.",
                        "layers/relu#four-ways-to-get-it-wrong",
                    ),
                    Misconception(
                        "the gate is open at 0",
                        open_at_zero,
                        "Where a is exactly 0 there is no slope, and the book, like PyTorch, "
                        "chooses 0: the gate is a > 0, without the equals sign.",
                        "layers/relu#from-one-number-to-the-array",
                    ),
                    Misconception(
                        "multiplied by the hidden units",
                        times_hidden,
                        "You multiply the gradient by r itself. The slope of the ReLU is 1 where a "
                        "is positive, however large a is.",
                        "layers/relu#from-one-number-to-the-array",
                    ),
                    Misconception(
                        "not divided by the batch size",
                        not_divided,
                        "Your gradient is exactly {N} times too large, and {N} is the batch size: "
                        "the loss is a mean, so the gradient begins with (p − T) / N.",
                        IRIS + "forgetting-to-divide-by-n",
                    ),
                    Misconception(
                        "the second bias's gradient averaged",
                        second_bias_averaged,
                        "Your dbias2 is exactly {N} times too small, and {N} is the batch size: "
                        "you take a mean over the batch. The 1/N is in the gradient already, and "
                        "a bias that {N} examples use gets the sum.",
                        IRIS + "many-numbers-which-index-is-summed",
                    ),
                    Misconception(
                        "the first bias's gradient averaged",
                        first_bias_averaged,
                        "Your dbias1 is exactly {N} times too small, and {N} is the batch size: "
                        "you take a mean over the batch. The 1/N is in the gradient already, and "
                        "a bias that {N} examples use gets the sum.",
                        IRIS + "many-numbers-which-index-is-summed",
                    ),
                    Misconception(
                        "bias gradients averaged",
                        bias_averaged,
                        "Your bias gradient is exactly {N} times too small, and {N} is the batch "
                        "size: you take a mean over the batch. The 1/N is in the gradient already, "
                        "and a bias that {N} examples use gets the sum.",
                        IRIS + "many-numbers-which-index-is-summed",
                    ),
                    Misconception(
                        "divided by the batch size twice",
                        divided_twice,
                        "Your gradient is exactly {N} times too small, and {N} is the batch size. "
                        "The mean in the loss divides once, at the scores; no layer divides again.",
                        CROSS_ENTROPY + "the-gradient-from-one-number-to-the-batch",
                    ),
                    Misconception(
                        "the sign flipped",
                        sign_turned,
                        "Your gradient has the wrong sign, in every element: the way back begins "
                        "with p − T, what was predicted less what was true.",
                        IRIS + "where-it-begins-the-loss",
                    ),
                    Misconception(
                        "no 1 subtracted at the label",
                        no_one_subtracted,
                        "Your way back begins with p / N. Without the 1 that is subtracted at the "
                        "label, the gradients do not depend on the labels at all.",
                        IRIS + "where-it-begins-the-loss",
                    ),
                    Misconception(
                        "through the softmax a second time",
                        through_softmax_again,
                        "You send (p − T) / N through the softmax's backward pass. It has been "
                        "there already: (p − T) / N is the gradient of the scores, before the "
                        "softmax.",
                        IRIS + "where-it-begins-the-loss",
                    ),
                    Misconception(
                        "no maximum subtracted",
                        no_maximum_backward,
                        "Scores of 1000 overflow the exponential, and inf / inf is nan. Subtract "
                        "the largest score of each row first; it cancels.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                    ),
                    Misconception(
                        "the maximum of the whole array subtracted",
                        maximum_of_all_backward,
                        "You subtract one number from all rows, the largest of the whole array. "
                        "In a row far below it all exponentials become 0, and so does their sum. "
                        "Each row has its own maximum.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                    ),
                    Misconception(
                        "the minimum subtracted",
                        minimum_subtracted_backward,
                        "You subtract the smallest score of each row. It cancels on paper, but "
                        "the largest exponential overflows where scores are far apart. Subtract "
                        "the largest.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                    ),
                    Misconception(
                        "the mean subtracted",
                        mean_subtracted_backward,
                        "You subtract the mean score of each row. It cancels on paper, but the "
                        "largest exponential overflows where scores are far apart. Subtract the "
                        "largest.",
                        "layers/softmax#the-formula-is-right-and-the-program-is-wrong",
                    ),
                    Misconception(
                        "softmax over the batch",
                        softmax_over_the_batch_backward,
                        "You take the softmax along axis 0, over the {N} examples. Each example "
                        "has its own distribution over the {C} classes, along axis 1.",
                        "layers/softmax#five-ways-to-get-it-wrong",
                    ),
                    Misconception(
                        "1 subtracted at the labels of all rows",
                        one_in_all_rows,
                        "You subtract 1 in every row at the labels of all rows: that is what `[:, "
                        "labels]` means. One element per row is `[np.arange(N), labels]`.",
                        CROSS_ENTROPY + "six-ways-to-get-it-wrong",
                    ),
                    Misconception(
                        "the largest score instead of the label",
                        of_the_winner_backward,
                        "You subtract 1 at the class with the largest score. Subtract it at the "
                        "label.",
                        IRIS + "where-it-begins-the-loss",
                    ),
                    Misconception(
                        "divided by the number of classes as well",
                        divided_by_classes,
                        "Your gradients are exactly {C} times too small, and {C} is the number of "
                        "classes. The loss is a mean over the {N} examples.",
                        CROSS_ENTROPY + "six-ways-to-get-it-wrong",
                    ),
                    Misconception(
                        "the first layer divided by the batch size again",
                        weight2_for_x,
                        "Your dweight1 and dbias1 are exactly {N} times too small, and {N} is the "
                        "batch size. The mean divides once, at the scores.",
                        IRIS + "forgetting-to-divide-by-n",
                    ),
                    Misconception(
                        "the slope of tanh",
                        tanh_slope,
                        "Your first layer goes back through the slope of tanh. The hidden layer "
                        "is a ReLU: its slope is 1 where a > 0, and 0 elsewhere.",
                        "layers/relu#from-one-number-to-the-array",
                    ),
                    Misconception(
                        "tanh instead of the ReLU",
                        tanh_network,
                        "Your network has tanh in its hidden layer, forward and backward. A ReLU "
                        "is asked for.",
                        "layers/relu#from-one-number-to-the-array",
                    ),
                    Misconception(
                        "the slope of the absolute value",
                        absolute_hidden_backward,
                        "Your gate passes the gradient with a minus where a is negative: that is "
                        "the slope of |a|. A ReLU passes nothing there.",
                        "layers/relu#from-one-number-to-the-array",
                    ),
                    Misconception(
                        "the mask is missing in the first bias",
                        mask_missing_in_the_bias,
                        "Your dbias1 sums over closed hidden units as well. It is made of the "
                        "gradient after the gate, as dweight1 is.",
                        IRIS + "two-flowers-by-hand",
                    ),
                    Misconception(
                        "the layers in the other order",
                        layers_in_the_other_order,
                        "Your results are right, but those of the second layer come first. Return "
                        "dweight1, dbias1, dweight2, dbias2.",
                        IRIS + "matrices",
                    ),
                    Misconception(
                        "weight2 is forgotten on the way back",
                        weight2_forgotten_on_the_way,
                        "Your first layer gets the sum of the scores' gradients, without weight2: "
                        "`dz @ weight2.T`.",
                        IRIS + "matrices",
                    ),
                    Misconception(
                        "bias gradients not summed over the batch",
                        bias_not_summed,
                        "Your bias gradient has one row for each of the {N} examples. All of them "
                        "use the same bias, so their gradients add up: sum over axis 0.",
                        IRIS + "many-numbers-which-index-is-summed",
                    ),
                    Misconception(
                        "weight2 not transposed on the way back",
                        weight2_not_transposed,
                        "You send the gradient back with `dz @ weight2`. Here M = C = {C}, so it "
                        "fits, and sums over the wrong index. The sum runs over the classes: "
                        "`dz @ weight2.T`.",
                        IRIS + "matrices",
                    ),
                    Misconception(
                        "what stands before the ReLU instead of the hidden units",
                        before_the_relu,
                        "Your dweight2 is made with a. The second layer was given r, after the "
                        "ReLU, so its weight's gradient is `r.T @ dz`.",
                        IRIS + "many-numbers-which-index-is-summed",
                    ),
                ),
            ),
        ),
    ),
)
