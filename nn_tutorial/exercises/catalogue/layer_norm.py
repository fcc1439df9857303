"""Layer normalisation, forward and backward."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..exercise import Exercise, Function, Misconception

AFTER = "batch_norm"


def layer_norm(x, gamma, beta, eps):
    """Layer normalisation of features.

    y = gamma * (x - mean) / sqrt(var + eps) + beta

    mean and var are those of each example, over its D features (var divides by D);
    gamma and beta belong to the features

    x: (N, D)
    gamma, beta: (D,); eps: a number
    returns y (N, D)

    Floats keep their dtype: float32 in, float32 out.
    """
    mean = x.mean(axis=1, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def layer_norm_backward(dy, x, gamma, eps):
    """Gradients of layer normalisation.

    x_hat = (x - mean) / sqrt(var + eps); mean and var depend on x as well
    g = gamma * dy is the gradient of x_hat
    a is the mean of g, b the mean of g * x_hat, over each example's features

    dgamma[d] = sum over n of dy[n, d] * x_hat[n, d]
    dbeta[d]  = sum over n of dy[n, d]
    dx        = (g - a - x_hat * b) / sqrt(var + eps)

    dy, x: (N, D)
    gamma: (D,); eps: a number
    returns dx (N, D), dgamma (D,), dbeta (D,)

    Floats keep their dtype: float32 in, float32 out.
    """
    centred = x - x.mean(axis=1, keepdims=True)
    inv_std = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps)
    x_hat = centred * inv_std
    g = gamma * dy
    a, b = g.mean(axis=1, keepdims=True), (g * x_hat).mean(axis=1, keepdims=True)
    return inv_std * (g - a - x_hat * b), (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def centred(x):
    return x - x.mean(axis=1, keepdims=True)


def over_the_batch(x, gamma, beta, eps):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


def over_everything(x, gamma, beta, eps):
    return gamma * (x - x.mean()) / np.sqrt(x.var() + eps) + beta


def unbiased(x, gamma, beta, eps):
    return gamma * centred(x) / np.sqrt(x.var(axis=1, ddof=1, keepdims=True) + eps) + beta


def eps_outside(x, gamma, beta, eps):
    return gamma * centred(x) / (x.std(axis=1, keepdims=True) + eps) + beta


def no_root(x, gamma, beta, eps):
    return gamma * centred(x) / (x.var(axis=1, keepdims=True) + eps) + beta


def not_centred(x, gamma, beta, eps):
    return gamma * x / np.sqrt(x.var(axis=1, keepdims=True) + eps) + beta


def mean_square(x, gamma, beta, eps):
    return gamma * centred(x) / np.sqrt((x**2).mean(axis=1, keepdims=True) + eps) + beta


def gamma_and_beta_swapped(x, gamma, beta, eps):
    return layer_norm(x, beta, gamma, eps)


def beta_subtracted(x, gamma, beta, eps):
    return layer_norm(x, gamma, -beta, eps)


def beta_forgotten(x, gamma, beta, eps):
    return layer_norm(x, gamma, 0 * beta, eps)


def gamma_forgotten_forward(x, gamma, beta, eps):
    return layer_norm(x, np.ones_like(gamma), beta, eps)


def beta_multiplied(x, gamma, beta, eps):
    return gamma * (centred(x) / np.sqrt(x.var(axis=1, keepdims=True) + eps) + beta)


def eps_forgotten(x, gamma, beta, eps):
    return gamma * centred(x) / x.std(axis=1, keepdims=True) + beta


def not_divided(x, gamma, beta, eps):
    return gamma * centred(x) + beta


def multiplied_by_the_deviation(x, gamma, beta, eps):
    return gamma * centred(x) * np.sqrt(x.var(axis=1, keepdims=True) + eps) + beta


def root_mean_square(x, gamma, beta, eps):
    return gamma * x / np.sqrt((x * x).mean(axis=1, keepdims=True) + eps) + beta


def sum_of_squares(x, gamma, beta, eps):
    return gamma * centred(x) / np.sqrt((centred(x) ** 2).sum(axis=1, keepdims=True) + eps) + beta


def no_gamma_and_beta(x, gamma, beta, eps):
    return layer_norm(x, np.ones_like(gamma), np.zeros_like(beta), eps)


def parts(dy, x, eps, ddof=0):
    """x_hat, one over the standard deviation, dgamma and dbeta."""
    inv_std = 1 / np.sqrt(x.var(axis=1, ddof=ddof, keepdims=True) + eps)
    x_hat = centred(x) * inv_std
    return x_hat, inv_std, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def bracket(g, x_hat, axis=1):
    """What is multiplied by one over the standard deviation."""
    by_mean = g.mean(axis=axis, keepdims=True)
    return g - by_mean - x_hat * (g * x_hat).mean(axis=axis, keepdims=True)


def gamma_in_front(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return gamma * inv_std * bracket(dy, x_hat), dgamma, dbeta


def means_over_the_batch(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return inv_std * bracket(gamma * dy, x_hat, axis=0), dgamma, dbeta


def constant_statistics(dy, x, gamma, eps):
    _, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return inv_std * gamma * dy, dgamma, dbeta


def constant_variance(dy, x, gamma, eps):
    _, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return inv_std * centred(gamma * dy), dgamma, dbeta


def constant_mean(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    return inv_std * (g - x_hat * (g * x_hat).mean(axis=1, keepdims=True)), dgamma, dbeta


def sums_not_divided(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    a, b = g.sum(axis=1, keepdims=True), (g * x_hat).sum(axis=1, keepdims=True)
    return inv_std * (g - a - x_hat * b), dgamma, dbeta


def gamma_forgotten(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return inv_std * bracket(dy, x_hat), dgamma, dbeta


def deviation_forgotten(dy, x, gamma, eps):
    x_hat, _, dgamma, dbeta = parts(dy, x, eps)
    return bracket(gamma * dy, x_hat), dgamma, dbeta


def unbiased_backward(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps, ddof=1)
    return inv_std * bracket(gamma * dy, x_hat), dgamma, dbeta


def dgamma_without_dy(dy, x, gamma, eps):
    x_hat, inv_std, _, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * bracket(g, x_hat)
    return dx, x_hat.sum(axis=0), dbeta


def dgamma_averaged(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * bracket(g, x_hat)
    return dx, dgamma / len(x), dbeta


def dbeta_averaged(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * bracket(g, x_hat)
    return dx, dgamma, dbeta / len(x)


def dgamma_times_gamma(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * bracket(g, x_hat)
    return dx, gamma * dgamma, dbeta


def returned_swapped(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * bracket(g, x_hat)
    return dx, dbeta, dgamma


def terms_added(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * (2 * g - bracket(g, x_hat))
    return dx, dgamma, dbeta


def x_in_the_last_term(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * (centred(g) - x * (g * x_hat).mean(axis=1, keepdims=True))
    return dx, dgamma, dbeta


def centred_in_the_last_term(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * (centred(g) - centred(x) * (g * x_hat).mean(axis=1, keepdims=True))
    return dx, dgamma, dbeta


def divided_by_the_variance(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std**2 * bracket(g, x_hat)
    return dx, dgamma, dbeta


def multiplied_by_the_deviation_backward(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = bracket(g, x_hat) / inv_std
    return dx, dgamma, dbeta


def means_of_everything(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * (g - g.mean() - x_hat * (g * x_hat).mean())
    return dx, dgamma, dbeta


def gamma_twice(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = gamma * inv_std * bracket(g, x_hat)
    return dx, dgamma, dbeta


def x_hat_forgotten(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    g = gamma * dy
    dx = inv_std * (centred(g) - (g * x_hat).mean(axis=1, keepdims=True))
    return dx, dgamma, dbeta


def dgamma_from_x(dy, x, gamma, eps):
    dx, _, dbeta = layer_norm_backward(dy, x, gamma, eps)
    return dx, (dy * x).sum(axis=0), dbeta


def summed_over_features(dy, x, gamma, eps):
    dx = layer_norm_backward(dy, x, gamma, eps)[0]
    return dx, (dy * parts(dy, x, eps)[0]).sum(axis=1), dy.sum(axis=1)


def not_summed(dy, x, gamma, eps):
    dx = layer_norm_backward(dy, x, gamma, eps)[0]
    return dx, dy * parts(dy, x, eps)[0], dy


def parameters_averaged(dy, x, gamma, eps):
    dx, dgamma, dbeta = layer_norm_backward(dy, x, gamma, eps)
    return dx, dgamma / len(x), dbeta / len(x)


SIZES = [(2, 3), (5, 3), (3, 7), (7, 4), (4, 5), (3, 3), (1, 4)]


def forward_samples(rng):
    by_hand = {
        "x": np.array([[0.0, 3.0, 3.0], [1.0, 1.0, 4.0]]),
        "gamma": np.array([2.0, 4.0, -2.0]),
        "beta": np.array([0.0, 1.0, 0.0]),
        "eps": 2.0,
    }
    samples: list[Any] = [by_hand]
    for n, d in SIZES:
        samples.append(
            {
                "x": 2 * rng.standard_normal((n, d)) + 1,
                "gamma": rng.uniform(0.5, 2, d),
                "beta": rng.standard_normal(d),
                "eps": 0.1,
            }
        )
    samples[5]["x"][0] = 2  # nothing but eps to divide by
    return samples


def backward_samples(rng):
    by_hand = {
        "dy": np.array([[1.0, 0.0, 2.0], [3.0, -1.0, 0.0]]),
        "x": np.array([[0.0, 3.0, 3.0], [1.0, 1.0, 4.0]]),
        "gamma": np.array([2.0, 4.0, -2.0]),
        "eps": 2.0,
    }
    samples: list[Any] = [by_hand]
    for n, d in SIZES:
        samples.append(
            {
                "dy": rng.standard_normal((n, d)),
                "x": 2 * rng.standard_normal((n, d)) + 1,
                "gamma": rng.uniform(0.5, 2, d),
                "eps": 0.1,
            }
        )
    samples[5]["x"][0] = 2  # nothing but eps to divide by
    return samples


def book_forward(x, gamma, beta, eps):
    return nt.layer_norm(x, gamma, beta, eps=eps)[0]


def book_backward(dy, x, gamma, eps):
    _, cache = nt.layer_norm(x, gamma, np.zeros_like(gamma), eps=eps)
    return nt.layer_norm_backward(dy, cache)


MEANINGS = {"N": "the batch size", "D": "the number of features"}
PAGE = "layers/layer_norm"
EXAMPLE = f"{PAGE}#one-mean-and-one-variance-for-each-example"
HAND, WRONG = f"{PAGE}#two-examples-by-hand", f"{PAGE}#four-ways-to-get-it-wrong"
TURNED = f"{PAGE}#backward-the-same-box-rotated-by-90-degrees"

EXERCISES = (
    Exercise(
        name="layer_norm",
        title="Layer normalisation, forward",
        page=PAGE,
        task="Write layer normalisation for a batch of examples.",
        hints=(
            "Which numbers may the answer for one example depend on?",
            "Its own D features, and no others: mean and variance are taken along each row, and "
            "gamma and beta are one number for each column.",
            "`x.mean(axis=1, keepdims=True)` has shape (N, 1), which broadcasts over the features; "
            "without `keepdims` it would be lined up with them.",
        ),
        functions=(
            Function(
                solution=layer_norm,
                reference=book_forward,
                returns=("y",),
                samples=forward_samples,
                axes={"x": "N D"},
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "normalised over the batch",
                        over_the_batch,
                        "Your mean and variance are those of each feature, over the {N} examples: "
                        "that is batch normalisation. Here each example is normalised over its "
                        "{D} features, axis 1.",
                        EXAMPLE,
                    ),
                    Misconception(
                        "normalised over all numbers at once",
                        over_everything,
                        "Your mean and variance are one number each, over the whole array. Each "
                        "example has its own: axis 1.",
                        EXAMPLE,
                    ),
                    Misconception(
                        "the unbiased variance",
                        unbiased,
                        "Your variance divides by D − 1. The layer divides by D = {D}.",
                        WRONG,
                    ),
                    Misconception(
                        "eps outside the root",
                        eps_outside,
                        "Your eps is added to the standard deviation. It is added to the variance, "
                        "inside the root.",
                        WRONG,
                    ),
                    Misconception(
                        "divided by the variance",
                        no_root,
                        "Your y divides by the variance, not by its root: the result does not have "
                        "variance 1.",
                        HAND,
                    ),
                    Misconception(
                        "the mean is not subtracted",
                        not_centred,
                        "Your variance is right, but what you divide is x itself. Subtract the "
                        "mean of the example first.",
                        HAND,
                    ),
                    Misconception(
                        "the mean of the squares for the variance",
                        mean_square,
                        "You divide by the root of the mean of x², which is the variance only "
                        "where the mean is 0. Subtract the mean before you square.",
                        HAND,
                    ),
                    Misconception(
                        "gamma and beta have changed places",
                        gamma_and_beta_swapped,
                        "Your beta scales and your gamma shifts. It is gamma * x_hat + beta.",
                        HAND,
                    ),
                    Misconception(
                        "beta is subtracted",
                        beta_subtracted,
                        "Your y has beta subtracted. It is added.",
                        HAND,
                    ),
                    Misconception(
                        "beta is forgotten",
                        beta_forgotten,
                        "Your y has no beta. It is gamma * x_hat + beta.",
                        HAND,
                    ),
                    Misconception(
                        "gamma is forgotten",
                        gamma_forgotten_forward,
                        "Your y has no gamma. It is gamma * x_hat + beta.",
                        HAND,
                    ),
                    Misconception(
                        "beta is multiplied by gamma",
                        beta_multiplied,
                        "Your gamma multiplies beta as well: it is gamma * (x_hat + beta). "
                        "Multiply x_hat alone, then add beta.",
                        HAND,
                    ),
                    Misconception(
                        "eps is forgotten",
                        eps_forgotten,
                        "Your y has no eps under the root.",
                        HAND,
                    ),
                    Misconception(
                        "not divided",
                        not_divided,
                        "Your y is not divided by the standard deviation.",
                        HAND,
                    ),
                    Misconception(
                        "multiplied by the standard deviation",
                        multiplied_by_the_deviation,
                        "Your y is multiplied by the standard deviation where it should be "
                        "divided.",
                        HAND,
                    ),
                    Misconception(
                        "the root of the mean square",
                        root_mean_square,
                        "You divide x by the root of the mean of x², and subtract no mean: that "
                        "is RMS normalisation.",
                        HAND,
                    ),
                    Misconception(
                        "the sum of the squares for their mean",
                        sum_of_squares,
                        "Your variance is a sum of squares. Divide it by D = {D}.",
                        HAND,
                    ),
                    Misconception(
                        "gamma and beta are forgotten",
                        no_gamma_and_beta,
                        "Your y is x_hat. Multiply by gamma and add beta, feature by feature.",
                        HAND,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="layer_norm_backward",
        title="Layer normalisation, backward",
        page=PAGE,
        task="Write the gradients of layer normalisation; mean and variance depend on x as well.",
        hints=(
            "Through which outputs does x[n, d] reach the loss? Through any of another example?",
            "Through all D outputs of its own example, straight, through the mean and through the "
            "variance. Each of these outputs was multiplied by its own gamma.",
            "First g = gamma * dy. Then dx is a bracket over sqrt(var + eps): g, minus its mean "
            "over the example, minus x_hat times the mean of g * x_hat. dgamma and dbeta still sum "
            "over the batch.",
        ),
        functions=(
            Function(
                solution=layer_norm_backward,
                reference=book_backward,
                returns=("dx", "dgamma", "dbeta"),
                samples=backward_samples,
                axes={"x": "N D"},
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "gamma in front of the bracket",
                        gamma_in_front,
                        "Your dx takes the means of dy and multiplies by gamma at the end, as "
                        "batch normalisation may. Here gamma differs along the {D} features that "
                        "are averaged: multiply dy by it first.",
                        TURNED,
                    ),
                    Misconception(
                        "the means are taken over the batch",
                        means_over_the_batch,
                        "The two means in your dx run over the {N} examples. Mean and variance "
                        "are those of one example, so what comes back through them is averaged "
                        "over its {D} features.",
                        TURNED,
                    ),
                    Misconception(
                        "mean and variance taken for constants",
                        constant_statistics,
                        "Your dx lets the gradient through as if mean and variance were constants. "
                        "They are made of x: two more terms are missing.",
                        TURNED,
                    ),
                    Misconception(
                        "the variance taken for a constant",
                        constant_variance,
                        "Your dx knows that the mean depends on x, but not that the variance does: "
                        "the term with x_hat is missing, or 0.",
                        TURNED,
                    ),
                    Misconception(
                        "the mean taken for a constant",
                        constant_mean,
                        "Your dx knows that the variance depends on x, but not that the mean does: "
                        "the mean of gamma * dy over the example is not subtracted.",
                        TURNED,
                    ),
                    Misconception(
                        "the sums are not divided by the number of features",
                        sums_not_divided,
                        "Your dx subtracts sums. Mean and variance are means over {D} features, so "
                        "both terms are divided by {D}.",
                        TURNED,
                    ),
                    Misconception(
                        "gamma is forgotten in dx",
                        gamma_forgotten,
                        "Your dx does not know gamma: the upstream gradient of x_hat is gamma * "
                        "dy.",
                        TURNED,
                    ),
                    Misconception(
                        "the standard deviation is forgotten in dx",
                        deviation_forgotten,
                        "Your dx is not divided by the standard deviation: x_hat is x over it.",
                        TURNED,
                    ),
                    Misconception(
                        "the unbiased variance",
                        unbiased_backward,
                        "Your variance divides by D − 1, and the forward pass divides by D = {D}.",
                        WRONG,
                    ),
                    Misconception(
                        "dgamma from x",
                        dgamma_from_x,
                        "Your dgamma is the sum of dy * x. gamma multiplies x_hat, so it is the "
                        "sum of dy * x_hat.",
                        HAND,
                    ),
                    Misconception(
                        "dgamma without dy",
                        dgamma_without_dy,
                        "Your dgamma is the sum of x_hat: the upstream gradient, dy, is not used "
                        "in it.",
                        HAND,
                    ),
                    Misconception(
                        "dgamma is a mean",
                        dgamma_averaged,
                        "Your dgamma is exactly {N} times too small, and {N} is the batch size: "
                        "all examples use the same gamma, and their gradients add.",
                        HAND,
                    ),
                    Misconception(
                        "dbeta is a mean",
                        dbeta_averaged,
                        "Your dbeta is exactly {N} times too small, and {N} is the batch size: "
                        "all examples use the same beta, and their gradients add.",
                        HAND,
                    ),
                    Misconception(
                        "dgamma has a factor gamma",
                        dgamma_times_gamma,
                        "Your dgamma has one factor gamma too many. In y = gamma * x_hat + beta, "
                        "what stands beside gamma is x_hat.",
                        HAND,
                    ),
                    Misconception(
                        "dgamma and dbeta have changed places",
                        returned_swapped,
                        "Your dgamma is what dbeta should be, and the other way round.",
                        HAND,
                    ),
                    Misconception(
                        "both terms are added",
                        terms_added,
                        "Your two terms in the bracket are added to gamma * dy. They are "
                        "subtracted.",
                        TURNED,
                    ),
                    Misconception(
                        "x instead of x_hat",
                        x_in_the_last_term,
                        "Your last term has x where x_hat belongs.",
                        TURNED,
                        also=(centred_in_the_last_term,),
                    ),
                    Misconception(
                        "divided by the variance",
                        divided_by_the_variance,
                        "Your dx divides by var + eps, not by its root.",
                        TURNED,
                    ),
                    Misconception(
                        "multiplied by the standard deviation",
                        multiplied_by_the_deviation_backward,
                        "Your dx is multiplied by the standard deviation where it should be "
                        "divided.",
                        TURNED,
                    ),
                    Misconception(
                        "means over the whole array",
                        means_of_everything,
                        "The two means in your dx are one number each, over the whole array. Each "
                        "example has its own: axis 1.",
                        TURNED,
                    ),
                    Misconception(
                        "gamma counted twice",
                        gamma_twice,
                        "Your dx has gamma in the bracket and once more in front of it.",
                        TURNED,
                    ),
                    Misconception(
                        "x_hat is forgotten in the last term",
                        x_hat_forgotten,
                        "Your last term is the mean of g * x_hat. It is x_hat times that mean.",
                        TURNED,
                    ),
                    Misconception(
                        "dgamma and dbeta are summed over the features",
                        summed_over_features,
                        "Your dgamma and dbeta have the shape ({N},), one number for each example. "
                        "gamma and beta belong to the {D} features: sum over the batch, axis 0. "
                        "Only the statistics belong to an example; the parameters do not.",
                        TURNED,
                    ),
                    Misconception(
                        "dgamma and dbeta are not summed over the batch",
                        not_summed,
                        "Your dgamma and dbeta have the shape ({N}, {D}). All {N} examples use the "
                        "same gamma and beta: sum over the batch.",
                        HAND,
                    ),
                    Misconception(
                        "dgamma and dbeta are means",
                        parameters_averaged,
                        "Your dgamma and dbeta are exactly {N} times too small, and {N} is the "
                        "batch size: all examples use the same gamma and beta, and their gradients "
                        "add.",
                        HAND,
                    ),
                ),
            ),
        ),
    ),
)
