"""Batch normalisation, forward in both modes, and backward."""

from typing import Any

import numpy as np

import nn_tutorial as nt

from ..exercise import Exercise, Function, Misconception

AFTER = "two_layer"


def batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    """Batch normalisation of features.

    y = gamma * (x - mean) / sqrt(var + eps) + beta, feature by feature

    in training   mean and var are those of the batch (var divides by N), and
                  running_mean <- (1 - momentum) * running_mean + momentum * mean
                  running_var  <- (1 - momentum) * running_var  + momentum * N / (N - 1) * var
    in evaluation mean and var are running_mean and running_var, which stay as they are

    x: (N, D)
    gamma, beta, running_mean, running_var: (D,)
    train: True or False; momentum, eps: numbers
    returns y (N, D), running_mean (D,), running_var (D,); nothing that came in is changed

    Floats keep their dtype: float32 in, float32 out.
    """
    if train:
        n = len(x)
        mean = x.mean(axis=0)
        var = ((x - mean) ** 2).mean(axis=0)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    else:
        mean, var = running_mean, running_var
    y = gamma * (x - mean) / np.sqrt(var + eps) + beta
    return y, running_mean, running_var


def batch_norm_backward(dy, x, gamma, eps):
    """Gradients of batch normalisation in training.

    with x_hat = (x - mean) / sqrt(var + eps), where mean and var depend on x as well:
    dgamma[d] = sum over n of dy[n, d] * x_hat[n, d]
    dbeta[d]  = sum over n of dy[n, d]
    dx        = gamma / sqrt(var + eps) * (dy - dbeta / N - x_hat * dgamma / N)

    dy, x: (N, D)
    gamma: (D,); eps: a number
    returns dx (N, D), dgamma (D,), dbeta (D,)

    Floats keep their dtype: float32 in, float32 out.
    """
    n = len(x)
    centred = x - x.mean(axis=0)
    inv_std = 1 / np.sqrt((centred**2).mean(axis=0) + eps)
    x_hat = centred * inv_std
    dgamma, dbeta = (dy * x_hat).sum(axis=0), dy.sum(axis=0)
    dx = gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    return dx, dgamma, dbeta


def renewed(x, running_mean, running_var, momentum):
    """The running statistics after a training batch."""
    mean = (1 - momentum) * running_mean + momentum * x.mean(axis=0)
    return mean, (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)


def normalised(x, mean, var, gamma, beta, eps):
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def unbiased(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    if not train:
        y = normalised(x, running_mean, running_var, gamma, beta, eps)
        return y, running_mean, running_var
    y = normalised(x, x.mean(axis=0), x.var(axis=0, ddof=1), gamma, beta, eps)
    return y, *renewed(x, running_mean, running_var, momentum)


def biased_kept(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, mean, var = batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    if train:
        var = (1 - momentum) * running_var + momentum * x.var(axis=0)
    return y, mean, var


def renewed_in_evaluation(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y = batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps)[0]
    return y, *renewed(x, running_mean, running_var, momentum)


def batch_in_evaluation(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y = normalised(x, x.mean(axis=0), x.var(axis=0), gamma, beta, eps)
    if train:
        return y, *renewed(x, running_mean, running_var, momentum)
    return y, running_mean, running_var


def running_in_training(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y = normalised(x, running_mean, running_var, gamma, beta, eps)
    if train:
        return y, *renewed(x, running_mean, running_var, momentum)
    return y, running_mean, running_var


def momentum_turned(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    return batch_norm(x, gamma, beta, running_mean, running_var, train, 1 - momentum, eps)


def eps_outside(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = gamma * (x - mean) / (np.sqrt(var) + eps) + beta
    if train:
        return y, *renewed(x, running_mean, running_var, momentum)
    return y, running_mean, running_var


def no_root(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = gamma * (x - mean) / (var + eps) + beta
    if train:
        return y, *renewed(x, running_mean, running_var, momentum)
    return y, running_mean, running_var


def over_features(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    if not train:
        y = normalised(x, running_mean, running_var, gamma, beta, eps)
        return y, running_mean, running_var
    y = normalised(x, x.mean(1, keepdims=True), x.var(1, keepdims=True), gamma, beta, eps)
    return y, *renewed(x, running_mean, running_var, momentum)


def gamma_and_beta_swapped(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = normalised(x, mean, var, beta, gamma, eps)
    return y, new_mean, new_var


def beta_subtracted(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = normalised(x, mean, var, gamma, -beta, eps)
    return y, new_mean, new_var


def beta_forgotten(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = normalised(x, mean, var, gamma, 0 * beta, eps)
    return y, new_mean, new_var


def gamma_alone_forgotten(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = normalised(x, mean, var, 1, beta, eps)
    return y, new_mean, new_var


def gamma_and_beta_inside(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = gamma * ((x - mean) / np.sqrt(var + eps) + beta)
    return y, new_mean, new_var


def mean_not_subtracted(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    _mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = gamma * x / np.sqrt(var + eps) + beta
    return y, new_mean, new_var


def eps_forgotten(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = gamma * (x - mean) / np.sqrt(var) + beta
    return y, new_mean, new_var


def not_divided(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, _var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = gamma * (x - mean) + beta
    return y, new_mean, new_var


def multiplied_by_the_deviation(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    mean, var = (x.mean(axis=0), x.var(axis=0)) if train else (running_mean, running_var)
    y = gamma * (x - mean) * np.sqrt(var + eps) + beta
    return y, new_mean, new_var


def over_everything(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    if train:
        y = normalised(x, x.mean(), x.var(), gamma, beta, eps)
    return y, new_mean, new_var


def mean_square(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    if train:
        y = normalised(x, x.mean(axis=0), (x * x).mean(axis=0), gamma, beta, eps)
    return y, new_mean, new_var


def deviation_kept(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    if train:
        new_var = (1 - momentum) * running_var + momentum * x.std(axis=0, ddof=1)
    return y, new_mean, new_var


def biased_deviation_kept(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    if train:
        new_var = (1 - momentum) * running_var + momentum * x.std(axis=0)
    return y, new_mean, new_var


def correction_turned(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    if train:
        share = momentum * (len(x) - 1) / len(x)
        new_var = (1 - momentum) * running_var + share * x.var(axis=0)
    return y, new_mean, new_var


def correction_of_the_whole(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    if train:
        n = len(x)
        new_var = ((1 - momentum) * running_var + momentum * x.var(axis=0)) * n / (n - 1)
    return y, new_mean, new_var


def never_renewed(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y = batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps)[0]
    return y, running_mean.copy(), running_var.copy()


def batch_alone_kept(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    return (y, x.mean(axis=0), x.var(axis=0, ddof=1)) if train else (y, new_mean, new_var)


def biased_batch_alone_kept(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    return (y, x.mean(axis=0), x.var(axis=0)) if train else (y, new_mean, new_var)


def added_to_the_old(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    if train:
        new_mean = running_mean + momentum * x.mean(axis=0)
        new_var = running_var + momentum * x.var(axis=0, ddof=1)
    return y, new_mean, new_var


def renewed_before_use(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    _, new_mean, new_var = batch_norm(
        x, gamma, beta, running_mean, running_var, train, momentum, eps
    )
    return normalised(x, new_mean, new_var, gamma, beta, eps), new_mean, new_var


def no_gamma_and_beta(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    one, zero = np.ones_like(gamma), np.zeros_like(beta)
    return batch_norm(x, one, zero, running_mean, running_var, train, momentum, eps)


def running_in_place(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    y, mean, var = batch_norm(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    running_mean[:], running_var[:] = mean, var
    return y, running_mean, running_var


def parts(dy, x, eps):
    """x_hat, one over the standard deviation, dgamma and dbeta."""
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    return x_hat, inv_std, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def constant_statistics(dy, x, gamma, eps):
    _, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return gamma * inv_std * dy, dgamma, dbeta


def constant_variance(dy, x, gamma, eps):
    _, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return gamma * inv_std * (dy - dbeta / len(x)), dgamma, dbeta


def constant_mean(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return gamma * inv_std * (dy - x_hat * dgamma / len(x)), dgamma, dbeta


def sums_not_divided(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return gamma * inv_std * (dy - dbeta - x_hat * dgamma), dgamma, dbeta


def gamma_forgotten(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    return inv_std * (dy - dbeta / len(x) - x_hat * dgamma / len(x)), dgamma, dbeta


def deviation_forgotten(dy, x, gamma, eps):
    x_hat, _, dgamma, dbeta = parts(dy, x, eps)
    return gamma * (dy - dbeta / len(x) - x_hat * dgamma / len(x)), dgamma, dbeta


def gamma_twice(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    dx = gamma * inv_std * (dy - dbeta / len(x) - gamma * x_hat * dgamma / len(x))
    return dx, dgamma, dbeta


def unbiased_backward(dy, x, gamma, eps):
    n = len(x)
    inv_std = 1 / np.sqrt(x.var(axis=0, ddof=1) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    dgamma, dbeta = (dy * x_hat).sum(axis=0), dy.sum(axis=0)
    return gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n), dgamma, dbeta


def dgamma_without_dy(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    return dx, x_hat.sum(axis=0), dbeta


def dgamma_without_dy_in_dx(dy, x, gamma, eps):
    x_hat, inv_std, _, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - x_hat * x_hat.sum(axis=0) / n)
    return dx, x_hat.sum(axis=0), dbeta


def dgamma_averaged(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    return dx, dgamma / n, dbeta


def dbeta_averaged(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    return dx, dgamma, dbeta / n


def returned_swapped(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    return dx, dbeta, dgamma


def terms_added(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy + dbeta / n + x_hat * dgamma / n)
    return dx, dgamma, dbeta


def x_in_the_last_term(dy, x, gamma, eps):
    _, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - x * dgamma / n)
    return dx, dgamma, dbeta


def centred_in_the_last_term(dy, x, gamma, eps):
    _, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - (x - x.mean(axis=0)) * dgamma / n)
    return dx, dgamma, dbeta


def divided_by_the_variance(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std**2 * (dy - dbeta / n - x_hat * dgamma / n)
    return dx, dgamma, dbeta


def multiplied_by_the_deviation_backward(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma / inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    return dx, dgamma, dbeta


def divided_by_one_less(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / (n - 1) - x_hat * dgamma / (n - 1))
    return dx, dgamma, dbeta


def dx_averaged(dy, x, gamma, eps):
    x_hat, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n) / n
    return dx, dgamma, dbeta


def x_hat_forgotten(dy, x, gamma, eps):
    _, inv_std, dgamma, dbeta = parts(dy, x, eps)
    n = len(x)
    dx = gamma * inv_std * (dy - dbeta / n - dgamma / n)
    return dx, dgamma, dbeta


def dgamma_from_x(dy, x, gamma, eps):
    dx, _, dbeta = batch_norm_backward(dy, x, gamma, eps)
    return dx, (dy * x).sum(axis=0), dbeta


def dgamma_from_y(dy, x, gamma, eps):
    dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma, eps)
    return dx, gamma * dgamma, dbeta


def parameters_averaged(dy, x, gamma, eps):
    dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma, eps)
    return dx, dgamma / len(x), dbeta / len(x)


def not_summed(dy, x, gamma, eps):
    dx = batch_norm_backward(dy, x, gamma, eps)[0]
    return dx, dy * parts(dy, x, eps)[0], dy


def forward_samples(rng):
    by_hand = {
        "x": np.array([[1.0, 8.0], [3.0, 2.0], [5.0, 5.0]]),
        "gamma": np.array([2.0, 1.0]),
        "beta": np.array([0.0, -1.0]),
        "running_mean": np.array([1.0, 3.0]),
        "running_var": np.array([4.0, 9.0]),
        "train": True,
        "momentum": 0.25,
        "eps": 0.5,
    }
    samples: list[Any] = [by_hand]
    sizes = [(2, 3), (5, 3), (7, 2), (4, 5), (3, 7), (6, 5), (3, 3), (4, 2)]
    trains = [False, True, False, True, False, True, True, False]
    for (n, d), train in zip(sizes, trains, strict=True):
        samples.append(
            {
                "x": 2 * rng.standard_normal((n, d)) + 1,
                "gamma": rng.uniform(0.5, 2, d),
                "beta": rng.standard_normal(d),
                "running_mean": rng.standard_normal(d),
                "running_var": rng.uniform(0.5, 2, d),
                "train": train,
                "momentum": 0.1,
                "eps": 0.1,
            }
        )
    samples[1]["running_var"][0] = 0  # nothing but eps to divide by
    samples[6]["x"][:, 0] = 2
    return samples


def backward_samples(rng):
    by_hand = {
        "dy": np.array([[1.0, 0.0], [-2.0, 3.0], [4.0, 1.0]]),
        "x": np.array([[1.0, 8.0], [3.0, 2.0], [5.0, 5.0]]),
        "gamma": np.array([2.0, 1.0]),
        "eps": 0.5,
    }
    samples: list[Any] = [by_hand]
    for n, d in [(2, 3), (5, 3), (7, 2), (4, 5), (3, 7), (3, 3)]:
        samples.append(
            {
                "dy": rng.standard_normal((n, d)),
                "x": 2 * rng.standard_normal((n, d)) + 1,
                "gamma": rng.uniform(0.5, 2, d),
                "eps": 0.1,
            }
        )
    samples[5]["x"][:, 0] = 2  # nothing but eps to divide by
    return samples


def book_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps):
    layer = nt.BatchNorm(x.shape[1], eps=eps, momentum=momentum, dtype=x.dtype)
    layer.params = {"weight": gamma, "bias": beta}
    layer.buffers = {"running_mean": running_mean.copy(), "running_var": running_var.copy()}
    y, _ = layer.forward(x, train=train)
    return y, layer.buffers["running_mean"], layer.buffers["running_var"]


def book_backward(dy, x, gamma, eps):
    _, cache = nt.batch_norm(x, gamma, np.zeros_like(gamma), eps=eps)
    return nt.batch_norm_backward(dy, cache)


MEANINGS = {"N": "the batch size", "D": "the number of features"}
PAGE = "layers/batch_norm"
HAND, MODES = f"{PAGE}#five-numbers-by-hand", f"{PAGE}#two-functions-in-one-layer"
MEMORY, WRONG = (
    f"{PAGE}#what-it-remembers-and-how-fast-it-forgets",
    f"{PAGE}#six-ways-to-get-it-wrong",
)
FEATURE, GRAPH = (
    f"{PAGE}#one-mean-and-one-variance-for-each-feature",
    f"{PAGE}#backward-through-the-graph-node-by-node",
)
LINE = f"{PAGE}#from-the-graph-to-one-line"

EXERCISES = (
    Exercise(
        name="batch_norm",
        title="Batch normalisation, forward",
        page=PAGE,
        task="Write batch normalisation in both modes, and return the running statistics.",
        hints=(
            "What may an answer for one example depend on in training? And in evaluation?",
            "In training use the batch's own mean and variance, and move the running ones a little "
            "towards them. In evaluation use the running ones and leave them alone.",
            "`x.mean(axis=0)` and `x.var(axis=0)` are over the batch; `x.var(axis=0, ddof=1)` is "
            "the unbiased variance, which is what is kept.",
        ),
        functions=(
            Function(
                solution=batch_norm,
                reference=book_forward,
                returns=("y", "running_mean", "running_var"),
                samples=forward_samples,
                axes={"x": "N D"},
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "the unbiased variance in the forward pass",
                        unbiased,
                        "Your y is normalised with the variance that divides by N − 1. The layer "
                        "divides by N = {N}; only what is *kept* for evaluation is unbiased.",
                        MODES,
                    ),
                    Misconception(
                        "the biased variance is kept",
                        biased_kept,
                        "Your running_var takes in the variance that divides by N = {N}. What is "
                        "kept is the unbiased one, N / (N − 1) times as large, as in PyTorch.",
                        MEMORY,
                    ),
                    Misconception(
                        "running statistics updated in evaluation",
                        renewed_in_evaluation,
                        "Your running statistics move in evaluation too. Then an answer depends on "
                        "what was asked before: they may only move in training.",
                        MODES,
                    ),
                    Misconception(
                        "batch statistics in evaluation",
                        batch_in_evaluation,
                        "Your y uses the batch's own mean and variance in evaluation, so one "
                        "example's answer depends on its neighbours. Use the running ones.",
                        MODES,
                    ),
                    Misconception(
                        "running statistics in training",
                        running_in_training,
                        "Your y uses the running statistics in training. They are for evaluation; "
                        "a training batch is normalised with its own.",
                        MODES,
                    ),
                    Misconception(
                        "momentum the other way round",
                        momentum_turned,
                        "Your running statistics keep a share `momentum` of the old ones. As in "
                        "PyTorch, momentum is the weight of the *newest* batch.",
                        MEMORY,
                    ),
                    Misconception(
                        "eps outside the root",
                        eps_outside,
                        "Your eps is added to the standard deviation. It is added to the variance, "
                        "inside the root.",
                        HAND,
                    ),
                    Misconception(
                        "divided by the variance",
                        no_root,
                        "Your y divides by the variance, not by its root: the result does not have "
                        "variance 1.",
                        HAND,
                    ),
                    Misconception(
                        "normalised over the features",
                        over_features,
                        "Your mean and variance are those of each example, over its {D} features: "
                        "that is layer normalisation. Here each feature is normalised over the "
                        "{N} examples, axis 0.",
                        FEATURE,
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
                        gamma_alone_forgotten,
                        "Your y has no gamma. It is gamma * x_hat + beta.",
                        HAND,
                    ),
                    Misconception(
                        "beta is multiplied by gamma",
                        gamma_and_beta_inside,
                        "Your gamma multiplies beta as well: it is gamma * (x_hat + beta). "
                        "Multiply x_hat alone, then add beta.",
                        HAND,
                    ),
                    Misconception(
                        "the mean is not subtracted",
                        mean_not_subtracted,
                        "Your y divides x itself. Subtract the mean first.",
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
                        "normalised over all numbers at once",
                        over_everything,
                        "Your mean and variance are one number each, over the whole array. Each "
                        "feature has its own: axis 0.",
                        FEATURE,
                    ),
                    Misconception(
                        "the mean of the squares for the variance",
                        mean_square,
                        "Your variance is the mean of x², which is the variance only where the "
                        "mean is 0.",
                        HAND,
                    ),
                    Misconception(
                        "the standard deviation is kept",
                        deviation_kept,
                        "Your running_var takes in the standard deviation. It takes in the "
                        "variance.",
                        MEMORY,
                        also=(biased_deviation_kept,),
                    ),
                    Misconception(
                        "the correction is the wrong way round",
                        correction_turned,
                        "Your running_var takes in (N - 1) / N times the variance of the batch. "
                        "It is N / (N - 1) times: the unbiased one is larger.",
                        MEMORY,
                    ),
                    Misconception(
                        "the old variance is corrected as well",
                        correction_of_the_whole,
                        "Your running_var multiplies the whole of it by N / (N - 1). Only what "
                        "comes in from this batch is corrected.",
                        MEMORY,
                    ),
                    Misconception(
                        "the running statistics are never renewed",
                        never_renewed,
                        "Your running statistics come out as they came in. In training they move "
                        "towards those of the batch.",
                        MEMORY,
                    ),
                    Misconception(
                        "only the last batch is kept",
                        batch_alone_kept,
                        "Your running statistics are those of this batch. They move a little "
                        "towards them, by momentum.",
                        MEMORY,
                        also=(biased_batch_alone_kept,),
                    ),
                    Misconception(
                        "the old statistics are not forgotten",
                        added_to_the_old,
                        "Your running statistics add momentum times those of the batch to all of "
                        "the old. The old ones count 1 - momentum.",
                        MEMORY,
                    ),
                    Misconception(
                        "the renewed statistics are used at once",
                        renewed_before_use,
                        "Your y is normalised with the running statistics after they were updated. "
                        "A training batch is normalised with its own.",
                        MODES,
                    ),
                    Misconception(
                        "gamma and beta are forgotten",
                        no_gamma_and_beta,
                        "Your y is x_hat. Multiply by gamma and add beta, feature by feature.",
                        HAND,
                    ),
                    Misconception(
                        "the running statistics are changed in place",
                        running_in_place,
                        "Your numbers are right, but the arrays that came in have changed. Return "
                        "new ones: `running_mean = …`, not `running_mean[:] = …`.",
                        MEMORY,
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        name="batch_norm_backward",
        title="Batch normalisation, backward",
        page=PAGE,
        task="Write the gradients of batch normalisation in training, where mean and variance "
        "depend on the input.",
        hints=(
            "By how many roads does x[n, d] reach y[m, d] of another example?",
            "Three: straight, through the mean and through the variance. The mean and the variance "
            "collect from all examples, so sums over the batch appear: dbeta and dgamma.",
            "dx is gamma / sqrt(var + eps) times a bracket: dy, minus its mean over the batch, "
            "minus x_hat times the mean of dy * x_hat.",
        ),
        functions=(
            Function(
                solution=batch_norm_backward,
                reference=book_backward,
                returns=("dx", "dgamma", "dbeta"),
                samples=backward_samples,
                axes={"x": "N D"},
                meanings=MEANINGS,
                misconceptions=(
                    Misconception(
                        "mean and variance taken for constants",
                        constant_statistics,
                        "Your dx lets the gradient through as if mean and variance were constants. "
                        "They are made of x: two more terms are missing.",
                        GRAPH,
                    ),
                    Misconception(
                        "the variance taken for a constant",
                        constant_variance,
                        "Your dx knows that the mean depends on x, but not that the variance does: "
                        "the term with x_hat is missing, or 0.",
                        GRAPH,
                    ),
                    Misconception(
                        "the mean taken for a constant",
                        constant_mean,
                        "Your dx knows that the variance depends on x, but not that the mean does: "
                        "the mean of dy over the batch is not subtracted.",
                        GRAPH,
                    ),
                    Misconception(
                        "the sums are not divided by the batch size",
                        sums_not_divided,
                        "Your dx subtracts dbeta and x_hat * dgamma whole. Mean and variance are "
                        "means over {N} examples, so both terms are divided by {N}.",
                        LINE,
                    ),
                    Misconception(
                        "gamma is forgotten in dx",
                        gamma_forgotten,
                        "Your dx lacks the factor gamma: y is gamma times x_hat.",
                        LINE,
                    ),
                    Misconception(
                        "the standard deviation is forgotten in dx",
                        deviation_forgotten,
                        "Your dx is not divided by the standard deviation: x_hat is x over it.",
                        LINE,
                    ),
                    Misconception(
                        "gamma counted twice",
                        gamma_twice,
                        "Your last term has gamma in it twice: dgamma is the sum of dy * x_hat, "
                        "and gamma stands in front of the bracket already.",
                        LINE,
                    ),
                    Misconception(
                        "the unbiased variance",
                        unbiased_backward,
                        "Your variance divides by N − 1, and the forward pass divides by N = {N}.",
                        WRONG,
                    ),
                    Misconception(
                        "dgamma from x",
                        dgamma_from_x,
                        "Your dgamma is the sum of dy * x. gamma multiplies x_hat, so it is the "
                        "sum of dy * x_hat.",
                        GRAPH,
                    ),
                    Misconception(
                        "dgamma from gamma times x_hat",
                        dgamma_from_y,
                        "Your dgamma has one factor gamma too many. In y = gamma * x_hat + beta, "
                        "what stands beside gamma is x_hat.",
                        GRAPH,
                    ),
                    Misconception(
                        "dgamma without dy",
                        dgamma_without_dy,
                        "Your dgamma is the sum of x_hat, which is 0: the upstream gradient, dy, "
                        "is not used in it.",
                        GRAPH,
                    ),
                    Misconception(
                        "dgamma without dy, in dx as well",
                        dgamma_without_dy_in_dx,
                        "Your dgamma is the sum of x_hat, which is 0: the upstream gradient, dy, "
                        "is not used in it. dx is made with it, and so its term with x_hat is 0 "
                        "too.",
                        GRAPH,
                    ),
                    Misconception(
                        "dgamma is a mean",
                        dgamma_averaged,
                        "Your dgamma is exactly {N} times too small, and {N} is the batch size: "
                        "all examples use the same gamma, and their gradients add.",
                        GRAPH,
                    ),
                    Misconception(
                        "dbeta is a mean",
                        dbeta_averaged,
                        "Your dbeta is exactly {N} times too small, and {N} is the batch size: "
                        "all examples use the same beta, and their gradients add.",
                        GRAPH,
                    ),
                    Misconception(
                        "dgamma and dbeta have changed places",
                        returned_swapped,
                        "Your dgamma is what dbeta should be, and the other way round.",
                        GRAPH,
                    ),
                    Misconception(
                        "both terms are added",
                        terms_added,
                        "Your two terms in the bracket are added to dy. They are subtracted.",
                        LINE,
                    ),
                    Misconception(
                        "x instead of x_hat",
                        x_in_the_last_term,
                        "Your last term has x where x_hat belongs.",
                        LINE,
                        also=(centred_in_the_last_term,),
                    ),
                    Misconception(
                        "divided by the variance",
                        divided_by_the_variance,
                        "Your dx divides by var + eps, not by its root.",
                        LINE,
                    ),
                    Misconception(
                        "multiplied by the standard deviation",
                        multiplied_by_the_deviation_backward,
                        "Your dx is multiplied by the standard deviation where it should be "
                        "divided.",
                        LINE,
                    ),
                    Misconception(
                        "divided by N - 1",
                        divided_by_one_less,
                        "Your two terms are divided by N - 1. Mean and variance of the batch "
                        "divide by N = {N}.",
                        LINE,
                    ),
                    Misconception(
                        "dx is a mean over the batch",
                        dx_averaged,
                        "Your dx is exactly {N} times too small, and {N} is the batch size. "
                        "Nothing is averaged in it beyond the two terms of the bracket.",
                        LINE,
                    ),
                    Misconception(
                        "x_hat is forgotten in the last term",
                        x_hat_forgotten,
                        "Your last term is dgamma / N. It is x_hat * dgamma / N.",
                        LINE,
                    ),
                    Misconception(
                        "dgamma and dbeta are means",
                        parameters_averaged,
                        "Your dgamma and dbeta are exactly {N} times too small, and {N} is the "
                        "batch size: all examples use the same gamma and beta, and their gradients "
                        "add.",
                        GRAPH,
                    ),
                    Misconception(
                        "dgamma and dbeta are not summed over the batch",
                        not_summed,
                        "Your dgamma and dbeta have the shape ({N}, {D}). All {N} examples use the "
                        "same gamma and beta: sum over the batch.",
                        GRAPH,
                    ),
                ),
            ),
        ),
    ),
)
